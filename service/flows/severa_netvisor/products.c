/*
 * products.c: the products of an invoice's rows stand in Netvisor before it (NV-06, NV-07).
 */
#include "base/base.h"
#include "internal.h"

/* The register knows from then on whose it is; by its code it would find it too. */
static bool link_product(struct sn *r, const struct product *p, const char *key, struct err *err)
{
	struct record_link link = { .id = { [LINK_LEFT] = p->source_id, [LINK_RIGHT] = key },
				    .version = { [LINK_LEFT] = p->changed },
				    .made = { [LINK_RIGHT] = true } };
	struct link_table table;
	return sn_link_table(r, SN_PRODUCT, &table, err) &&
	       r->road.at->ops->link_put(r->road.at, &table, &link, 1, err);
}

/* Under the record's lease: looked for once more, since another job may have made it before the
 * lease was ours. */
static bool add_product(struct sn *r, const struct product *p, struct err *err)
{
	struct attempt *at = r->road.at;
	struct err inner = ERR_INIT;
	const char *step = sn_step_name(r, "product", p->code);
	const char *key;
	if (!step)
		return sn_full(err);
	if (!netvisor_product_find(&r->netvisor, p->code, &key, err))
		return false;
	if (key)
		return sn_close_addition(r, step, key, err);
	if (!sn_begin_addition(r, step, err))
		return false;
	if (!netvisor_product_add(&r->netvisor, p, r->set.product_group, &key, &inner)) {
		if (!sn_may_be_there(&inner) ||
		    !netvisor_product_find(&r->netvisor, p->code, &key, NULL) || !key)
			return sn_refused(r, step, &inner, err);
		return at->ops->step_outcome(at, step, key, err);
	}
	road_note_change(&r->road, "product_added", "added to", p->register_name, p->code);
	return at->ops->step_outcome(at, step, key, err) && link_product(r, p, key, err);
}

/* One that Netvisor does not have. */
static bool make_product(struct sn *r, const char *code, struct err *err)
{
	struct attempt *at = r->road.at;
	struct product p;
	bool found;
	const char *record = sn_record_name(r, SN_PRODUCT, code);
	if (str_eq(code, r->set.temp_product))
		return err_reason(err, ERR_DATA, "temp_product_missing", code,
				  "temporary product %s does not exist in Netvisor", code);
	if (r->set.products_to_severa)
		return err_reason(err, ERR_DATA, "product_missing_at_target", code,
				  "product %s does not exist in Netvisor, which keeps the register",
				  code);
	if (!severa_product(&r->road.severa, code, &p, &found, err))
		return false;
	if (!found)
		return err_reason(err, ERR_DATA, "product_unknown", code,
				  "product %s is found neither in Severa nor in Netvisor", code);
	if (at->preview) {
		road_note_change(&r->road, "product_added", "added to", p.register_name, code);
		return true;
	}
	if (!sn_may_go(r, "products", err) || !at->ops->record_lease(at, record, err))
		return false;
	struct err inner = ERR_INIT;
	bool ok = add_product(r, &p, &inner);
	return sn_release(r, record, ok, &inner, err);
}

static bool need_product(struct sn *r, const char *code, struct err *err)
{
	struct attempt *at = r->road.at;
	const char *key = sn_cache_key(r, "product", code);
	const char *found;
	if (at->ops->cache_get(at, key))
		return true;
	if (!netvisor_product_find(&r->netvisor, code, &found, err) ||
	    (!found && !make_product(r, code, err)))
		return false;
	if (found || !at->preview)
		at->ops->cache_set(at, key, "1", SN_FRESH_MS);
	return true;
}

bool sn_products(struct sn *r, struct invoice *inv, struct err *err)
{
	for (size_t i = 0; i < inv->n_rows; i++) {
		struct invoice_row *row = &inv->rows[i];
		if (!need_product(r, row->product_code, err))
			return false;
		if (row->n_codes != 1 && (r->set.products_to_netvisor || r->set.products_to_severa))
			road_note(&r->road, "temp_product",
				  "Row %" PRId64
				  " (%.80s) has %s; it goes to the temporary product "
				  "%s.",
				  row->position, row->name,
				  row->n_codes ? "several product codes" : "no product code",
				  row->product_code);
	}
	return true;
}
