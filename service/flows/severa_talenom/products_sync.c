/*
 * products_sync.c: Severa's product register to Talenom's (TA-03): products, work types and
 * travel-expense types. A code that is new there is added as it is, a changed record is updated;
 * one without a code goes without, and is known by its name. Nothing is deleted. What an invoice
 * sells goes before it, too (products.c).
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define PAGE_MAX 100
#define READ_MAX 20 /* a call each, or three */

/* ---- of Severa ----------------------------------------------------------------------------- */

static bool name_records(struct attempt *at, const struct product *items, size_t n,
			 struct register_page *ret, struct err *err)
{
	ret->records = arena_alloc_array(at->arena, n + 1, sizeof(*ret->records));
	ret->n = n;
	if (!ret->records)
		return stn_full(err);
	for (size_t i = 0; i < n; i++) {
		const struct product *p = &items[i];
		const char *label = arena_printf(at->arena, "%s%s%s", p->code ? p->code : "",
						 p->code && p->name ? " " : "",
						 p->name ? p->name : "");
		ret->records[i] = (struct register_record) {
			.id = p->source_id, .version = p->changed, .label = label, .data = p
		};
		if (!label)
			return stn_full(err);
	}
	return true;
}

static bool list(struct attempt *at, const struct register_cursor *from, struct register_page *ret,
		 struct err *err)
{
	struct severa_product_page page;
	char since[CLOCK_RFC3339_MAX];
	struct stn *m;
	if (from->since_ms)
		clock_rfc3339(from->since_ms, since);
	if (!stn_start(at, &m, err) ||
	    !severa_product_page(&m->road.severa, from->since_ms ? since : NULL, from->page,
				 PAGE_MAX, &page, err))
		return false;
	ret->next = page.next;
	return name_records(at, page.items, page.n, ret, err);
}

static bool read_ids(struct attempt *at, const char *const *ids, size_t n,
		     struct register_page *ret, struct err *err)
{
	struct product *items = arena_alloc_array(at->arena, n + 1, sizeof(*items));
	struct stn *m;
	size_t k = 0;
	if (!items)
		return stn_full(err);
	if (!stn_start(at, &m, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		if (severa_product_by_id(&m->road.severa, ids[i], &items[k], &why)) {
			k++;
		} else if (why.code != ERR_NOT_FOUND) {
			if (err)
				*err = why;
			return false;
		}
	}
	return name_records(at, items, k, ret, err);
}

/* ---- as it is to be ------------------------------------------------------------------------ */

static const char *text_of(struct arena *arena, struct decimal d)
{
	char text[DECIMAL_TEXT_MAX];
	return arena_strdup(arena, decimal_format(decimal_normalize(d), 0, '.', text));
}

/* What Severa does not tell of it is nobody's change. */
static bool values_of(struct arena *arena, const struct talenom_product *p,
		      struct register_value **ret, size_t *ret_n)
{
	const struct register_value all[] = {
		{ .name = "name", .value = p->name },
		{ .name = "unit", .value = p->unit },
		{ .name = "price",
		  .value = decimal_sign(p->price) ? text_of(arena, p->price) : NULL },
		{ .name = "vat",
		  .value = decimal_sign(p->tax_percent) ? text_of(arena, p->tax_percent) : NULL },
	};
	*ret = arena_alloc_array(arena, ARRAY_SIZE(all), sizeof(**ret));
	*ret_n = 0;
	for (size_t i = 0; *ret && i < ARRAY_SIZE(all); i++)
		if (all[i].value)
			(*ret)[(*ret_n)++] = all[i];
	return *ret != NULL;
}

/* A code names it, else its name among those without one. */
static const char *key_of(struct arena *arena, const struct talenom_product *p)
{
	return p->code ? arena_printf(arena, "code:%s", p->code)
		       : arena_printf(arena, "name:%s", p->name);
}

static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	const struct product *p = r->data;
	struct talenom_product ours;
	struct stn *m;
	if (!p->is_active) {
		r->skip = "product_passive";
		return true;
	}
	if (!stn_start(at, &m, err) || !talenom_map_product(p, NULL, &ours, err))
		return false;
	r->keys[0] = key_of(at->arena, &ours);
	r->n_keys = 1;
	r->lease = arena_printf(at->arena, "%s:product:%s", m->talenom.limit_key,
				ours.code ? ours.code : ours.name);
	return r->keys[0] && r->lease && values_of(at->arena, &ours, &r->values, &r->n_values)
		       ? true
		       : stn_full(err);
}

/* ---- at Talenom ---------------------------------------------------------------------------- */

static bool read_theirs(struct attempt *at, const struct register_record *r,
			struct talenom_product *ret_ours, struct talenom_product *ret,
			bool *ret_found, struct stn **ret_m, struct err *err)
{
	return stn_start(at, ret_m, err) && talenom_map_product(r->data, NULL, ret_ours, err) &&
	       talenom_product_find(&(*ret_m)->talenom, ret_ours->code, ret_ours->name, ret,
				    ret_found, err);
}

static bool found_as(struct attempt *at, const struct talenom_product *p, struct register_record *r,
		     struct err *err)
{
	struct register_match *match = arena_alloc(at->arena, sizeof(*match));
	const char **keys = arena_alloc_array(at->arena, 1, sizeof(*keys));
	if (!match || !keys)
		return stn_full(err);
	keys[0] = key_of(at->arena, p);
	*match = (struct register_match) { .id = p->id, .keys = keys, .n_keys = 1 };
	r->found = match;
	r->n_found = 1;
	return keys[0] || stn_full(err);
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct talenom_product ours, theirs;
		struct stn *m;
		bool is_there;
		if (!read_theirs(at, records[i], &ours, &theirs, &is_there, &m, err) ||
		    (is_there && !found_as(at, &theirs, records[i], err)))
			return false;
	}
	return true;
}

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	struct talenom_product ours;
	struct stn *m;
	return stn_start(at, &m, err) && talenom_map_product(r->data, NULL, &ours, err) &&
	       talenom_product_add(&m->talenom, &ours, &ret->id, err);
}

/* Over the version as it is now; one that moved meanwhile is read again by the next try, and one
 * that somebody deleted is added again: a code that is unknown there is. */
static bool update(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	struct talenom_product ours, theirs;
	struct err why = ERR_INIT;
	struct stn *m;
	bool is_there;
	if (!read_theirs(at, r, &ours, &theirs, &is_there, &m, err))
		return false;
	if (is_there)
		stn_merge_product(&theirs, &ours);
	if (is_there && talenom_is_same_product(&theirs, &ours))
		return true;
	if (is_there ? talenom_product_change(&m->talenom, &ours, &why)
		     : talenom_product_add(&m->talenom, &ours, &ret->id, &why))
		return true;
	/* Looked for first by each try, it may be repeated. */
	if (why.code == ERR_DOUBT || why.code == ERR_CONFLICT || why.code == ERR_DUPLICATE)
		why.code = ERR_OUTAGE;
	if (err)
		*err = why;
	return false;
}

static bool scope(struct attempt *at, const char **ret, struct err *err)
{
	struct stn *m;
	if (!stn_start(at, &m, err))
		return false;
	*ret = arena_printf(at->arena, "%s:%s", m->road.severa.limit_key, m->talenom.limit_key);
	return *ret || stn_full(err);
}

const struct register_sync stn_products_sync = {
	.name = "products",
	.title = "Products, work types and travel-expense types, Severa to Talenom",
	.kind = "product",
	.direction = REGISTER_FORWARD,
	.schedule = "{\"interval_s\":3600}",
	.scope = scope,
	.list = list,
	.read = read_ids,
	.read_max = READ_MAX,
	.map = map,
	.find = find,
	.create = create,
	.update = update,
};
