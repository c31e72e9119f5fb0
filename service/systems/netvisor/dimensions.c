/*
 * dimensions.c: Netvisor's dimension headings and their items (facts/netvisor.md §8). All of them
 * come in one list, however many there are; an item is made and renamed by its name.
 */
#include "base/base.h"
#include "netvisor_internal.h"

/* For so long those who need not know better take the list from the same reading of it. */
#define LATELY_MS 30000

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

static bool is_true(const char *text)
{
	return text && (strcasecmp(text, "true") == 0 || str_eq(text, "1"));
}

/* Items below <dimensiondetails> of each heading, and the headings. */
static size_t count_all(const struct xml *headings)
{
	size_t n = 0;
	for (const struct xml *h = headings; h; h = xml_next(h, "dimensionname")) {
		n++;
		const struct xml *d = xml_at(h, "dimensiondetails/dimensiondetail");
		for (; d; d = xml_next(d, "dimensiondetail"))
			n++;
	}
	return n;
}

static bool read_item(const struct xml *x, const char *heading, struct netvisor_dimension *ret)
{
	const char *father = xml_text_at(x, "fatherid");
	*ret = (struct netvisor_dimension) {
		.heading = heading,
		.key = xml_text_at(x, "netvisorkey"),
		.name = xml_text_at(x, "name"),
		.code = xml_text_at(x, "code"),
		.label = xml_text_at(x, "label"),
		.father = father && father[0] && !str_eq(father, "0") ? father : NULL,
		.is_hidden = is_true(xml_text_at(x, "ishidden")),
	};
	return ret->key && ret->key[0] && ret->name;
}

bool netvisor_dimensions(struct netvisor *nv, const struct netvisor_dimension **ret, size_t *ret_n,
			 struct err *err)
{
	const struct xml *root;
	size_t n = 0;
	if (!netvisor_get(nv, "read dimensions", "dimensionlist.nv?showhidden=1", &root, err))
		return false;
	const struct xml *all = xml_child(root, "dimensionnamelist");
	if (!all) /* no list is no proof of absence */
		return err_set(err, ERR_OUTAGE, "read dimensions: the answer has no list");
	const struct xml *h = xml_child(all, "dimensionname");
	struct netvisor_dimension *list = arena_alloc_array(nv->at->arena, count_all(h) + 1,
							    sizeof(*list));
	if (!list)
		return full(err);
	for (; h; h = xml_next(h, "dimensionname")) {
		const char *heading = xml_text_at(h, "name");
		list[n++] = (struct netvisor_dimension) {
			.heading = heading,
			.is_hidden = is_true(xml_text_at(h, "ishidden")),
		};
		const struct xml *d = xml_at(h, "dimensiondetails/dimensiondetail");
		for (; d; d = xml_next(d, "dimensiondetail"))
			if (!read_item(d, heading, &list[n++]))
				return err_set(err, ERR_SYSTEM,
					       "Netvisor lists a dimension item without a key");
	}
	*ret = list;
	*ret_n = n;
	return true;
}

/* ---- shared for a while -------------------------------------------------------------------- */

static void write_one(struct json_writer *w, const struct netvisor_dimension *d)
{
	const char *const texts[] = { d->heading, d->key, d->name, d->code, d->label, d->father };
	jsonw_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		jsonw_str(w, texts[i] ? texts[i] : "");
	jsonw_str(w, d->is_hidden ? "1" : "");
	jsonw_end_array(w);
}

/* As shared_want wants it. */
static bool read_shared(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	struct netvisor *nv = ctx;
	struct strbuf sb = STRBUF_INIT(nv->at->arena, NETVISOR_REPLY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct netvisor_dimension *list;
	size_t n;
	if (!netvisor_dimensions(nv, &list, &n, err))
		return false;
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++)
		write_one(&w, &list[i]);
	jsonw_end_array(&w);
	*ret_ttl_ms = LATELY_MS;
	return strbuf_finish(&sb, ret, err);
}

static const char *take(const struct json **j)
{
	const char *text = json_str(*j);
	*j = json_next(*j);
	return text && text[0] ? text : NULL;
}

static void read_one(const struct json *array, struct netvisor_dimension *ret)
{
	const struct json *j = json_first(array);
	ret->heading = take(&j);
	ret->key = take(&j);
	ret->name = take(&j);
	ret->code = take(&j);
	ret->label = take(&j);
	ret->father = take(&j);
	ret->is_hidden = take(&j) != NULL;
}

bool netvisor_dimensions_lately(struct netvisor *nv, bool is_fresh,
				const struct netvisor_dimension **ret, size_t *ret_n,
				struct err *err)
{
	struct attempt *at = nv->at;
	struct shared_want want = { .fetch = read_shared, .ctx = nv };
	const struct json *array;
	const char *text;
	size_t n = 0;
	want.key = arena_printf(at->arena, "netvisor.list:%s:%s:dimensions", nv->base_url,
				nv->organisation);
	if (!want.key)
		return full(err);
	if (is_fresh)
		want.refused = at->ops->cache_get(at, want.key);
	if (!at->ops->shared(at, &want, &text, err) ||
	    !json_parse(at->arena, span_of(text), JSON_LIMITS_VENDOR, &array, err))
		return false;
	struct netvisor_dimension *list = arena_alloc_array(at->arena, json_size(array) + 1,
							    sizeof(*list));
	if (!list)
		return full(err);
	for (const struct json *j = json_first(array); j; j = json_next(j))
		read_one(j, &list[n++]);
	*ret = list;
	*ret_n = n;
	return true;
}

/* ---- items --------------------------------------------------------------------------------- */

bool netvisor_dimension_save(struct netvisor *nv, const struct netvisor_dimension_item *d,
			     struct err *err)
{
	struct span body;
	return netvisor_map_dimension(nv->at->arena, nv->encoding, d, &body, err) &&
	       netvisor_edit(nv, d->old_item ? "rename dimension item" : "add dimension item",
			     d->old_item ? "dimensionitem.nv?method=edit"
					 : "dimensionitem.nv?method=add",
			     body, err);
}
