/*
 * additions.c: what an invoice needs to stand in Netvisor before it is found or created under a
 * record lease and a step of its own, so that neither two jobs nor a crash make one record twice
 * (NV-02, NV-06, NV-11). customers.c, products.c and dimensions.c say what the records are.
 */
#include "base/base.h"
#include "internal.h"

bool sn_full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

const char *sn_cache_key(struct sn *r, const char *kind, const char *code)
{
	const char *key = arena_printf(r->road.at->arena, "netvisor.%s:%s:%s:%s", kind,
				       r->netvisor.base_url, r->netvisor.organisation, code);
	return key ? key : "";
}

const char *sn_record_name(struct sn *r, const char *kind, const char *code)
{
	struct arena *arena = r->road.at->arena;
	const char *key = sn_code_key(arena, kind, code);
	const char *name =
		key ? arena_printf(arena, "netvisor:%s:%s", r->netvisor.organisation, key) : NULL;
	return name ? name : "";
}

/* Gives the lease back after a creation that came to `ok`; in doubt it is kept: nobody else may
 * create the record meanwhile. */
bool sn_release(struct sn *r, const char *record, bool ok, const struct err *why, struct err *err)
{
	if (ok || why->code != ERR_DOUBT)
		r->road.at->ops->record_release(r->road.at, record);
	if (!ok && err)
		*err = *why;
	return ok;
}

/* The step of one record's creation. */
const char *sn_step_name(struct sn *r, const char *kind, const char *code)
{
	return arena_printf(r->road.at->arena, "netvisor.%s.%s", kind, code);
}

/* Found: an addition that nobody knew the end of has ended. */
bool sn_close_addition(struct sn *r, const char *step, const char *key, struct err *err)
{
	struct attempt *at = r->road.at;
	struct step s;
	return at->ops->step_get(at, step, &s, err) &&
	       (s.state != STEP_INTENT || at->ops->step_outcome(at, step, key, err));
}

/* Before an addition: not while an earlier one may still have been carried out. */
bool sn_begin_addition(struct sn *r, const char *step, struct err *err)
{
	struct attempt *at = r->road.at;
	struct step s;
	return at->ops->step_get(at, step, &s, err) &&
	       road_absence_counts(&r->road, step, &s, err) &&
	       at->ops->step_intent(at, step, NULL, err);
}

/* Netvisor may refuse a second record as a duplicate or as bad data (facts/netvisor.md §18): then
 * one looks whether it is there. */
bool sn_may_be_there(const struct err *why)
{
	return why->code == ERR_DUPLICATE || why->code == ERR_DATA;
}

/* A refusal that nothing explains is the target's own, in its own words. */
bool sn_refused(struct sn *r, const char *step, const struct err *why, struct err *err)
{
	struct err inner = *why;
	if (inner.code == ERR_DUPLICATE) {
		inner.code = ERR_DATA;
		inner.reason = "refused_by_target";
		snprintf(inner.subject, sizeof(inner.subject), "%.150s",
			 inner.target_text[0] ? inner.target_text : inner.message);
	}
	return road_write_failed(&r->road, step, &inner, err);
}

void sn_forget(struct sn *r, const struct invoice *inv, const char *customer_code)
{
	struct attempt *at = r->road.at;
	at->ops->cache_set(at, sn_cache_key(r, "customer", customer_code), "", 1);
	at->ops->cache_set(at, sn_cache_key(r, "temp_customer", customer_code), "", 1);
	for (size_t i = 0; i < inv->n_rows; i++)
		if (inv->rows[i].product_code)
			at->ops->cache_set(
				at, sn_cache_key(r, "product", inv->rows[i].product_code), "", 1);
}
