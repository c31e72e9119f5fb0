/*
 * products.c: Netvisor's product register (facts/netvisor.md §7): by code, one after the other, and
 * whole. A list comes at once, however long it is; it is handed on in pieces in the order of keys,
 * so that a place in it stays one when the register changes.
 *
 * Deleted products are left out: nothing can be invoiced with one. Passive ones are there.
 */
#include "base/base.h"
#include "netvisor_internal.h"

#include "base/clock.h"

#define READ_MAX 400 /* ids of one call (§13) */
/* For so long the pieces of a list are taken from the same reading of it. */
#define LIST_TTL_MS 30000

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

bool netvisor_product_find(struct netvisor *nv, const char *code, const char **ret_key,
			   struct err *err)
{
	const struct xml *root;
	*ret_key = NULL;
	if (!netvisor_get(nv, "find product by code",
			  netvisor_query(nv, "getproduct.nv?code=", code), &root, err))
		return false;
	const struct xml *base = xml_at(root, "product/productbaseinformation");
	const char *found = xml_text_at(base, "productcode");
	if (found && strcasecmp(found, code) == 0)
		*ret_key = xml_text_at(base, "netvisorkey");
	return true;
}

bool netvisor_product_add(struct netvisor *nv, const struct product *p, const char *group,
			  const char **ret_key, struct err *err)
{
	struct span body;
	return netvisor_map_product(nv->at->arena, nv->encoding, p, group, &body, err) &&
	       netvisor_add(nv, "add product", "product.nv?method=add", body, ret_key, err);
}

/* ---- the list ------------------------------------------------------------------------------ */

struct listing {
	struct netvisor *nv;
	const char *resource;
};

static int by_key(const void *a, const void *b)
{
	const struct netvisor_product_ref *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* What is kept of a list: ["key", "code", "name", ...], in the order of keys. */
static const char *write_list(struct arena *arena, const struct netvisor_product_ref *items,
			      size_t n)
{
	struct strbuf sb = STRBUF_INIT(arena, NETVISOR_REPLY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *ret;
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++) {
		jsonw_str(&w, items[i].key);
		jsonw_str(&w, items[i].code ? items[i].code : "");
		jsonw_str(&w, items[i].name ? items[i].name : "");
	}
	jsonw_end_array(&w);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

static bool read_key(const char *key, int64_t *ret)
{
	char *end;
	*ret = key && key[0] ? strtoll(key, &end, 10) : 0;
	return *ret > 0 && !*end;
}

/* As shared_want wants it. */
static bool read_list(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	const struct listing *l = ctx;
	struct arena *arena = l->nv->at->arena;
	const struct xml *root;
	size_t n = 0, max = 1;
	if (!netvisor_get(l->nv, "list products", l->resource, &root, err))
		return false;
	const struct xml *list = xml_child(root, "productlist");
	if (!list) /* no list is no proof of absence */
		return err_set(err, ERR_OUTAGE, "list products: the answer has no list");
	for (const struct xml *x = xml_child(list, "product"); x; x = xml_next(x, "product"))
		max++;
	struct netvisor_product_ref *items = arena_alloc_array(arena, max, sizeof(*items));
	if (!items)
		return full(err);
	for (const struct xml *x = xml_child(list, "product"); x; x = xml_next(x, "product")) {
		struct netvisor_product_ref *p = &items[n++];
		p->key = xml_text_at(x, "netvisorkey");
		p->code = xml_text_at(x, "productcode");
		p->name = xml_text_at(x, "name");
		if (!read_key(p->key, &p->number))
			return err_set(err, ERR_SYSTEM, "Netvisor lists a product without a key");
	}
	qsort(items, n, sizeof(*items), by_key);
	*ret = write_list(arena, items, n);
	*ret_ttl_ms = LIST_TTL_MS;
	return *ret ? true : full(err);
}

static const char *list_resource(struct netvisor *nv, int64_t since_ms)
{
	char since[CLOCK_RFC3339_MAX];
	/* Which zone the filter's time is in is not documented (§3): in UTC it is early in either.
	 */
	if (since_ms)
		clock_rfc3339(since_ms, since);
	return arena_printf(nv->at->arena,
			    "productlist.nv?deleted=0&published=1&unpublished=1%s%.19s",
			    since_ms ? "&changedsince=" : "", since_ms ? since : "");
}

static const char *next_text(const struct json **j)
{
	const char *text = json_str(*j);
	*j = json_next(*j);
	return text;
}

bool netvisor_product_page(struct netvisor *nv, int64_t since_ms, const char *after, size_t max,
			   struct netvisor_product_page *ret, struct err *err)
{
	struct attempt *at = nv->at;
	struct listing listing = { nv, list_resource(nv, since_ms) };
	struct shared_want want = { .fetch = read_list, .ctx = &listing };
	struct netvisor_product_ref *items = arena_alloc_array(at->arena, max + 1, sizeof(*items));
	const struct json *array;
	const char *text;
	int64_t from = 0;
	if (!listing.resource || !items)
		return full(err);
	if (after && !read_key(after, &from))
		return err_set(err, ERR_SYSTEM, "%s is no place in a list of products", after);
	want.key = arena_printf(at->arena, "netvisor.list:%s:%s:%s", nv->base_url, nv->organisation,
				listing.resource);
	if (!want.key)
		return full(err);
	if (!after) /* a reading begins */
		want.refused = at->ops->cache_get(at, want.key);
	if (!at->ops->shared(at, &want, &text, err) ||
	    !json_parse(at->arena, span_of(text), JSON_LIMITS_VENDOR, &array, err))
		return false;
	*ret = (struct netvisor_product_page) { .items = items };
	for (const struct json *j = json_first(array); j && !ret->next;) {
		struct netvisor_product_ref p = { .key = next_text(&j) };
		p.code = next_text(&j);
		p.name = next_text(&j);
		if (!read_key(p.key, &p.number) || p.number <= from)
			continue;
		if (ret->n == max)
			ret->next = items[max - 1].key;
		else
			items[ret->n++] = p;
	}
	return true;
}

/* ---- by key -------------------------------------------------------------------------------- */

static const char *id_list(struct netvisor *nv, const char *const *keys, size_t n)
{
	struct strbuf sb = STRBUF_INIT(nv->at->arena, 16384);
	const char *ret;
	strbuf_addstr(&sb, "getproduct.nv?idlist=");
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addch(&sb, ',');
		strbuf_add_urlencoded(&sb, keys[i]);
	}
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

bool netvisor_products_read(struct netvisor *nv, const char *const *keys, size_t n,
			    const struct netvisor_product **ret, size_t *ret_n, struct err *err)
{
	const struct xml *root;
	struct netvisor_product *items = arena_alloc_array(nv->at->arena, n + 1, sizeof(*items));
	size_t found = 0;
	assert(n <= READ_MAX);
	*ret = items;
	*ret_n = 0;
	if (!items)
		return full(err);
	if (!n)
		return true;
	if (!netvisor_get(nv, "read products", id_list(nv, keys, n), &root, err))
		return false;
	/* Several come in a plural element, one may stand alone (§5). */
	const struct xml *many = xml_child(root, "products");
	const struct xml *x = xml_child(many ? many : root, "product");
	if (!many && !x)
		return err_set(err, ERR_OUTAGE, "read products: the answer has none");
	for (; x && found < n; x = xml_next(x, "product")) {
		netvisor_read_product(x, &items[found]);
		const char *key = items[found].product.source_id;
		found += key && key[0]; /* one that is gone is an empty element (§4.3) */
	}
	*ret_n = found;
	return true;
}
