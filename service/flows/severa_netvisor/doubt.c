/*
 * doubt.c: finding out what became of a write whose outcome nobody knows (DESIGN §4.6). Found means
 * that every field agrees; absent counts only after the quiet time and two empty look-ups some
 * seconds apart. Never sends anything.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define LOOKUPS_NEEDED 2
#define LOOKUP_GAP_MS 2000

static bool wait_for(struct err *err, const char *step, int64_t ms)
{
	err_set(err, ERR_DOUBT, "%s may have been carried out; looking again in %" PRId64 " ms",
		step, ms);
	if (err)
		err->retry_after_ms = ms;
	return false;
}

bool sn_absence_counts(struct sn *r, const char *step, const struct step *s, struct err *err)
{
	struct attempt *at = r->at;
	int64_t now = clock_wall_ms();
	int64_t from = s->intent_ms + at->quiet_ms;
	if (s->state != STEP_INTENT)
		return true;
	if (from < at->absent_counts_ms)
		from = at->absent_counts_ms;
	if (now < from)
		return wait_for(err, step, from - now);
	if (s->lookups && now - s->last_lookup_ms < LOOKUP_GAP_MS)
		return wait_for(err, step, LOOKUP_GAP_MS - (now - s->last_lookup_ms));
	if (!at->ops->step_lookup_empty(at, step, err))
		return false;
	if (s->lookups + 1 < LOOKUPS_NEEDED)
		return wait_for(err, step, LOOKUP_GAP_MS);
	sn_note(r, "absent_at_target",
		"Looked for twice and not found in Netvisor: it did not arrive, and is done "
		"again.");
	return at->ops->step_outcome(at, step, NULL, err);
}

/* The currency stands only on the invoice itself. */
static bool has_currency(struct sn *r, const struct netvisor_listed *l, const struct invoice *inv,
			 bool *ret, struct err *err)
{
	const char *currency;
	if (!netvisor_invoice_currency(&r->netvisor, l->key, &currency, err))
		return false;
	*ret = !currency || !currency[0] ? strcmp(inv->currency, "EUR") == 0
					 : strcasecmp(currency, inv->currency) == 0;
	return true;
}

bool sn_look_up(struct sn *r, const struct invoice *inv, const char *customer_code,
		const char **ret_key, struct err *err)
{
	const struct netvisor_listed *list;
	size_t n, n_same = 0;
	*ret_key = NULL;
	if (!netvisor_invoices_by_number(&r->netvisor, inv->number, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool same = sn_is_same_invoice(&list[i], inv, customer_code);
		if (same && !has_currency(r, &list[i], inv, &same, err))
			return false;
		if (same) {
			*ret_key = list[i].key;
			n_same++;
		}
	}
	if (n_same > 1)
		return err_reason(err, ERR_DATA, "several_matches", inv->number,
				  "Netvisor has %zu invoices that match %s", n_same, inv->number);
	if (n && !n_same)
		return err_reason(err, ERR_DATA, "number_taken", inv->number,
				  "Netvisor has another invoice with the number %s", inv->number);
	return true;
}

bool sn_write_failed(struct sn *r, const char *step, const struct err *why, struct err *err)
{
	struct attempt *at = r->at;
	struct err inner = *why;
	if (inner.code == ERR_DOUBT && inner.retry_after_ms < at->quiet_ms)
		inner.retry_after_ms = at->quiet_ms;
	/* A lost lease stores nothing; a duplicate is looked at before it is believed. */
	if (inner.code != ERR_DOUBT && inner.code != ERR_LEASE && inner.code != ERR_DUPLICATE) {
		struct err failed = ERR_INIT;
		if (!at->ops->step_outcome(at, step, NULL, &failed))
			inner = failed;
	}
	if (err)
		*err = inner;
	return false;
}
