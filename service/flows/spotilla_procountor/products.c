/*
 * products.c: new products of Spotilla go to Procountor's register once (PC-04); what is changed
 * later is for the people at Procountor. A product is known there by its code, which several may
 * have: the oldest active one is taken.
 */
#include "base/base.h"
#include "internal.h"

#define READ_MAX 20 /* one call each */

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- of Spotilla --------------------------------------------------------------------------- */

static void name_record(struct arena *arena, const void *record, struct register_record *ret)
{
	const struct spotilla_product *p = record;
	*ret = (struct register_record) {
		.id = p->product.source_id,
		.version = p->changed,
		.label = p->is_unreadable
				 ? p->product.source_id
				 : arena_printf(arena, "%s %s", p->product.code, p->product.name),
		.data = p,
	};
}

static bool read_record(struct sp *sp, const char *id, void *ret, struct err *err)
{
	return spotilla_product(&sp->spotilla, id, ret, err);
}

static bool list_records(struct sp *sp, const struct register_cursor *from, struct sp_listed *ret,
			 struct err *err)
{
	const struct spotilla_product *items;
	char since[CLOCK_RFC3339_MAX];
	if (!spotilla_products(&sp->spotilla, sp_since(from, since), from->page, &items, &ret->n,
			       &ret->next, err))
		return false;
	ret->items = items;
	return true;
}

const struct sp_source sp_product_source = { sizeof(struct spotilla_product), list_records,
					     read_record, name_record };

static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	const struct spotilla_product *p = r->data;
	struct sp sp;
	if (!p || p->is_unreadable)
		return sp_unreadable(r, err);
	if (!p->has_price) { /* with a price it is listed again */
		r->skip = "price_missing";
		return true;
	}
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	const char *id = sp_id_of_ref(&sp, p->external_ref);
	const char *const keys[] = { id ? arena_printf(at->arena, "ref:%s", id) : NULL,
				     arena_printf(at->arena, "code:%s", p->product.code) };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i])
			r->keys[r->n_keys++] = keys[i];
	r->lease = arena_printf(at->arena, "%s:product:%s", sp.account, p->product.code);
	return r->lease && r->n_keys == 1 + (size_t)(id != NULL) ? true : full(err);
}

/* ---- at Procountor ------------------------------------------------------------------------- */

static bool match_of(struct arena *arena, const struct procountor_product *p,
		     struct register_match *ret)
{
	const char **keys = arena_alloc_array(arena, 2, sizeof(*keys));
	*ret = (struct register_match) { .id = p->id, .version = p->version, .keys = keys };
	if (!keys)
		return false;
	keys[ret->n_keys++] = arena_printf(arena, "ref:%s", p->id);
	if (p->code && p->code[0])
		keys[ret->n_keys++] = arena_printf(arena, "code:%s", p->code);
	return keys[0] && (ret->n_keys == 1 || keys[1]);
}

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	const struct procountor_list all = { .with_inactive = true };
	struct procountor_product_page page;
	struct sp sp;
	if (!sp_open(&sp, at, err) ||
	    !procountor_product_page(&sp.procountor, &all, from->page, &page, err))
		return false;
	struct register_match *items = arena_alloc_array(at->arena, page.n + 1, sizeof(*items));
	if (!items)
		return full(err);
	for (size_t i = 0; i < page.n; i++)
		if (!match_of(at->arena, &page.items[i], &items[i]))
			return full(err);
	*ret = (struct register_matches) { .items = items, .n = page.n, .next = page.next };
	return true;
}

/* The one that Spotilla names, else the first with the code. */
static const struct procountor_product *choose(const struct procountor_product *list, size_t n,
					       const char *id)
{
	for (size_t i = 0; i < n && id; i++)
		if (str_eq(list[i].id, id))
			return &list[i];
	return n ? &list[0] : NULL;
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	struct sp sp;
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct spotilla_product *p = records[i]->data;
		const struct procountor_product *list;
		struct register_match *m = arena_alloc(at->arena, sizeof(*m));
		size_t k;
		if (!m)
			return full(err);
		if (!procountor_product_find(&sp.procountor, p->product.code, &list, &k, err))
			return false;
		const struct procountor_product *one = choose(list, k,
							      sp_id_of_ref(&sp, p->external_ref));
		if (one && !match_of(at->arena, one, m))
			return full(err);
		records[i]->found = m;
		records[i]->n_found = one != NULL;
	}
	return true;
}

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	const struct spotilla_product *p = r->data;
	struct product product = p->product;
	struct sp sp;
	if (!sp_open(&sp, at, err))
		return false;
	if (!p->has_vat_rate)
		product.vat_rate = sp.set.vat_rate;
	const struct procountor_product_options opt = {
		.currency = p->currency && p->currency[0] ? p->currency : sp.set.currency,
		.unit = sp.set.unit,
		.vat_status = sp.set.vat_status,
		.group_id = sp.set.product_group,
	};
	return procountor_product_add(&sp.procountor, &product, &opt, &ret->id, err);
}

static bool tell(struct attempt *at, const struct register_record *r, const char *target_id,
		 struct register_done *ret, struct err *err)
{
	const struct spotilla_product *p = r->data;
	struct sp sp;
	(void)ret; /* its new stamp is not told; a linked one is not written again whatever it is */
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	const char *ref = sp_ref(&sp, target_id);
	if (!ref)
		return full(err);
	return str_eq(ref, p->external_ref) || spotilla_mark_product(&sp.spotilla, r->id, ref, err);
}

const struct register_sync sp_products = {
	.name = SP_PRODUCTS,
	.title = "Products, Spotilla to Procountor",
	.kind = SP_PRODUCT,
	.direction = REGISTER_FORWARD,
	.create_only = true,
	.scope = sp_link_scope,
	.list = sp_list,
	.read = sp_read_ids,
	.read_max = READ_MAX,
	.map = map,
	.list_target = list_target,
	.find = find,
	.create = create,
	.tell = tell,
};
