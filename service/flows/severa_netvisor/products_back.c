/*
 * products_back.c: new products of Netvisor go to Severa's register once (NV-06, NV-07). A code
 * that stands there already, be it a work type's or a travel-expense type's, is that product.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "base/utf8.h"

static bool wanted(struct arena *arena, const struct json *settings, const char **ret_schedule)
{
	(void)arena;
	(void)ret_schedule;
	return sn_is_set(settings, "products.direction", "netvisor_to_severa");
}

/* ---- of Netvisor --------------------------------------------------------------------------- */

static bool read_ids(struct attempt *at, const char *const *ids, size_t n,
		     struct register_page *ret, struct err *err)
{
	const struct netvisor_product *items;
	struct sn *sn;
	size_t found;
	if (!sn_start(at, &sn, err) ||
	    !netvisor_products_read(&sn->netvisor, ids, n, &items, &found, err))
		return false;
	ret->records = arena_alloc_array(at->arena, found + 1, sizeof(*ret->records));
	if (!ret->records)
		return sn_full(err);
	for (ret->n = 0; ret->n < found; ret->n++) {
		const struct product *p = &items[ret->n].product;
		struct register_record *r = &ret->records[ret->n];
		*r = (struct register_record) {
			.id = p->source_id,
			.label = sn_product_label(at->arena, p->code, p->name),
			.data = &items[ret->n],
		};
		if (!r->label)
			return sn_full(err);
	}
	return true;
}

static bool list(struct attempt *at, const struct register_cursor *from, struct register_page *ret,
		 struct err *err)
{
	struct netvisor_product_page page;
	struct sn *sn;
	if (!sn_start(at, &sn, err) ||
	    !netvisor_product_page(&sn->netvisor, from->since_ms, from->page, REGISTER_PAGE_MAX,
				   &page, err))
		return false;
	const char **keys = arena_alloc_array(at->arena, page.n + 1, sizeof(*keys));
	if (!keys)
		return sn_full(err);
	for (size_t i = 0; i < page.n; i++)
		keys[i] = page.items[i].key;
	ret->next = page.next;
	return read_ids(at, keys, page.n, ret, err);
}

/* What Severa cannot take is said before it is tried. */
static bool check_product(const struct register_record *r, struct err *err)
{
	const struct netvisor_product *np = r->data;
	const struct product *p = &np->product;
	if (np->is_unreadable)
		return err_reason(err, ERR_DATA, "answer_unreadable", r->label,
				  "a number of product %s cannot be read", r->id);
	if (!p->code || !p->code[0])
		return err_reason(err, ERR_DATA, "product_without_code", r->label,
				  "product %s has no code", r->id);
	if (p->name && utf8_length(span_of(p->name)) > SEVERA_PRODUCT_NAME_MAX)
		return err_reason(err, ERR_DATA, "product_name_long", p->code,
				  "the name of product %s has more than %d characters", p->code,
				  SEVERA_PRODUCT_NAME_MAX);
	return true;
}

static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	const struct netvisor_product *np = r->data;
	struct sn *sn;
	if (!sn_start(at, &sn, err) || !check_product(r, err))
		return false;
	if (sn->set.temp_product && strcasecmp(np->product.code, sn->set.temp_product) == 0) {
		r->skip = "product_is_temporary";
		return true;
	}
	r->keys[0] = sn_code_key(at->arena, SN_PRODUCT, np->product.code);
	r->n_keys = 1;
	r->lease = sn_record_name(sn, SN_PRODUCT, np->product.code);
	return r->keys[0] && r->lease[0] ? true : sn_full(err);
}

/* ---- at Severa ----------------------------------------------------------------------------- */

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	struct severa_product_page page;
	struct sn *sn;
	if (!sn_start(at, &sn, err) ||
	    !severa_product_page(&sn->road.severa, NULL, from->page, REGISTER_PAGE_MAX, &page, err))
		return false;
	struct register_match *items = arena_alloc_array(at->arena, page.n + 1, sizeof(*items));
	if (!items)
		return sn_full(err);
	for (size_t i = 0; i < page.n; i++)
		if (!sn_product_match(at->arena, page.items[i].source_id, page.items[i].code,
				      page.items[i].changed, &items[i]))
			return sn_full(err);
	*ret = (struct register_matches) { .items = items, .n = page.n, .next = page.next };
	return true;
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	struct sn *sn;
	if (!sn_start(at, &sn, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct netvisor_product *np = records[i]->data;
		struct register_match *m = arena_alloc(at->arena, sizeof(*m));
		struct product p;
		bool is_there;
		if (!m)
			return sn_full(err);
		if (!severa_product(&sn->road.severa, np->product.code, &p, &is_there, err))
			return false;
		if (is_there && !sn_product_match(at->arena, p.source_id, p.code, p.changed, m))
			return sn_full(err);
		records[i]->found = m;
		records[i]->n_found = is_there;
	}
	return true;
}

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	const struct netvisor_product *np = r->data;
	struct product made, p = np->product;
	struct sn *sn;
	if (!p.name || !p.name[0])
		p.name = p.code;
	if (!sn_start(at, &sn, err) || !severa_product_add(&sn->road.severa, &p, &made, err))
		return false;
	ret->id = made.source_id;
	ret->version = made.changed;
	return true;
}

const struct register_sync sn_products_back = {
	.name = "products_back",
	.title = "Products, Netvisor to Severa",
	.kind = SN_PRODUCT,
	.direction = REGISTER_BACK,
	.create_only = true,
	.schedule = SN_REGISTERS_SCHEDULE,
	.wanted = wanted,
	.scope = sn_link_scope,
	.list = list,
	.read = read_ids,
	.map = map,
	.list_target = list_target,
	.find = find,
	.match = sn_match_product,
	.create = create,
};
