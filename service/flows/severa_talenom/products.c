/*
 * products.c: what an invoice's rows sell stands in Talenom's product register as in Severa
 * (TA-03): a code that is new there is added as it is, a product that changed is updated. A row
 * with one code goes by it, be it that of a product, a work type or a travel-expense type; one with
 * none, or with several, goes without.
 */
#include "base/base.h"
#include "internal.h"

#define FRESH_MS ((int64_t)10 * 60 * 1000) /* so long a product is not looked at again */

/* One product, and where things about it are kept. */
struct item {
	struct talenom_product ours;
	bool is_of_row; /* Severa's registers do not know it: it is what the row says */
	const char *record, *step;
};

/* What Severa's registers do not know, or do not tell, is the row's to say. */
static bool read_item(struct stn *m, const struct invoice_row *row, struct item *ret,
		      struct err *err)
{
	struct arena *arena = m->road.at->arena;
	const char *code = row->codes[0];
	struct product p;
	bool is_found;
	if (!severa_product(&m->road.severa, code, &p, &is_found, err))
		return false;
	ret->is_of_row = !is_found;
	if (!is_found)
		p = (struct product) { .code = code,
				       .name = row->name ? row->name : row->description,
				       .unit = row->unit };
	if (!talenom_map_product(&p, row->account, &ret->ours, err))
		return false;
	ret->record = arena_printf(arena, "%s:product:%s", m->talenom.limit_key, code);
	ret->step = arena_printf(arena, "talenom.product.%s", code);
	return (ret->record && ret->step) || stn_full(err);
}

/* Repeated with a new reading: a doubt is no more than a failed try. */
static bool write_failed(struct stn *m, const struct item *it, const struct err *why,
			 struct err *err)
{
	struct err inner = *why;
	if (inner.code == ERR_DUPLICATE || inner.code == ERR_CONFLICT)
		inner.code = ERR_OUTAGE; /* somebody was faster: the next try finds it */
	return road_write_failed(&m->road, it->step, &inner, err);
}

static bool put(struct stn *m, const struct item *it, struct err *err)
{
	struct attempt *at = m->road.at;
	struct err inner = ERR_INIT;
	const char *id = it->ours.id;
	struct step s;
	if (!at->ops->step_get(at, it->step, &s, err) ||
	    (!id && !road_absence_counts(&m->road, it->step, &s, err)) ||
	    !at->ops->step_intent(at, it->step, NULL, err))
		return false;
	bool ok = id ? talenom_product_change(&m->talenom, &it->ours, &inner)
		     : talenom_product_add(&m->talenom, &it->ours, &id, &inner);
	if (id && inner.code == ERR_DOUBT) /* a change may be repeated */
		inner.code = ERR_OUTAGE;
	return ok ? at->ops->step_outcome(at, it->step, id, err) : write_failed(m, it, &inner, err);
}

/* Found as it should be: a writing that nobody knew the end of has ended. */
static bool close_writing(struct stn *m, const struct item *it, struct err *err)
{
	struct attempt *at = m->road.at;
	struct step s;
	return at->ops->step_get(at, it->step, &s, err) &&
	       (s.state != STEP_INTENT || at->ops->step_outcome(at, it->step, it->ours.id, err));
}

static bool synchronise(struct stn *m, const struct invoice_row *row, struct item *it,
			struct err *err)
{
	struct talenom_product theirs;
	bool is_there;
	if (!talenom_product_find(&m->talenom, it->ours.code, it->ours.name, &theirs, &is_there,
				  err))
		return false;
	if (is_there)
		stn_merge_product(&theirs, &it->ours);
	else if (decimal_sign(it->ours.tax_percent) == 0) /* Severa has none of a work type */
		it->ours.tax_percent = row->vat_rate;
	/* A row's text is of one invoice: it makes a product, and changes none. */
	if (is_there && (it->is_of_row || talenom_is_same_product(&theirs, &it->ours)))
		return close_writing(m, it, err);
	if (!m->road.at->preview && !put(m, it, err))
		return false;
	road_note_change(&m->road, is_there ? "product_updated" : "product_added",
			 is_there ? "updated in" : "added to", "product", it->ours.name);
	return true;
}

static bool product_of(struct stn *m, const struct invoice_row *row, struct err *err)
{
	struct attempt *at = m->road.at;
	struct item it = { .record = NULL };
	struct err inner = ERR_INIT;
	if (!read_item(m, row, &it, err))
		return false;
	if (at->preview)
		return synchronise(m, row, &it, err);
	if (!at->ops->record_lease(at, it.record, err))
		return false;
	bool ok = synchronise(m, row, &it, &inner);
	/* In doubt it is kept: nobody else may add the product meanwhile. */
	if (ok || inner.code != ERR_DOUBT)
		at->ops->record_release(at, it.record);
	if (!ok && err)
		*err = inner;
	return ok;
}

static bool is_before(const struct invoice *inv, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (inv->rows[k].n_codes == 1 &&
		    str_eq(inv->rows[k].codes[0], inv->rows[i].codes[0]))
			return true;
	return false;
}

bool stn_products(struct stn *m, struct err *err)
{
	struct attempt *at = m->road.at;
	struct invoice *inv = &m->road.inv;
	for (size_t i = 0; i < inv->n_rows; i++) {
		struct invoice_row *row = &inv->rows[i];
		row->product_code = row->n_codes == 1 ? row->codes[0] : NULL;
		if (row->n_codes > 1)
			road_note(&m->road, "several_codes",
				  "Row %" PRId64 " has several codes, and goes without a code.",
				  row->position);
		if (row->n_codes != 1 || is_before(inv, i))
			continue;
		const char *key = arena_printf(at->arena, "%s:product:%s", m->talenom.limit_key,
					       row->codes[0]);
		if (!key)
			return stn_full(err);
		if (at->ops->cache_get(at, key))
			continue;
		if (!product_of(m, row, err))
			return false;
		if (!at->preview)
			at->ops->cache_set(at, key, "1", FRESH_MS);
	}
	return true;
}
