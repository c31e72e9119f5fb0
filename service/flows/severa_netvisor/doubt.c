/*
 * doubt.c: finding out what became of a write whose outcome nobody knows (DESIGN §4.6). Found means
 * that every field agrees; absent counts only after the quiet time and two empty look-ups some
 * seconds apart. Never sends anything.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "codec/json.h"

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
	int64_t wait = at->quiet_ms - s->age_ms; /* by Redis's clock: ours may be another */
	if (s->state != STEP_INTENT)
		return true;
	if (wait < at->absent_counts_ms - now)
		wait = at->absent_counts_ms - now;
	if (wait > 0)
		return wait_for(err, step, wait);
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

/* ---- what names a document ------------------------------------------------------------------ */

void sn_identity_of(const struct sn *r, const struct invoice *inv, const char *customer_code,
		    const char *hash, struct sn_identity *ret)
{
	*ret = (struct sn_identity) { .organisation = r->netvisor.organisation,
				      .number = inv->number,
				      .customer_code = customer_code,
				      .date = inv->issue_date,
				      .reference = inv->reference,
				      .currency = inv->currency,
				      .hash = hash,
				      .sum = decimal_round(inv->total_gross, 2) };
}

bool sn_identity_write(struct arena *arena, const struct sn_identity *id, const char **ret,
		       struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "organisation", id->organisation);
	jsonw_kstr(&w, "number", id->number);
	jsonw_kstr(&w, "customer", id->customer_code);
	jsonw_kstr(&w, "date", id->date);
	jsonw_kstr(&w, "reference", id->reference);
	jsonw_kstr(&w, "currency", id->currency);
	jsonw_kstr(&w, "hash", id->hash);
	jsonw_key(&w, "sum");
	jsonw_decimal(&w, id->sum);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

bool sn_identity_read(struct arena *arena, const char *text, struct sn_identity *ret,
		      struct err *err)
{
	const struct json *j;
	if (!json_parse(arena, span_of(text), JSON_LIMITS_API, &j, err))
		return err_wrap(err, "what the intent was about");
	*ret = (struct sn_identity) { .organisation = json_str(json_get(j, "organisation")),
				      .number = json_str(json_get(j, "number")),
				      .customer_code = json_str(json_get(j, "customer")),
				      .date = json_str(json_get(j, "date")),
				      .reference = json_str(json_get(j, "reference")),
				      .currency = json_str(json_get(j, "currency")),
				      .hash = json_str(json_get(j, "hash")) };
	return (ret->organisation && ret->number && ret->customer_code && ret->date &&
		ret->currency && json_decimal(json_get(j, "sum"), &ret->sum)) ||
	       err_set(err, ERR_SYSTEM, "what the intent was about cannot be read");
}

/* The currency stands only on the invoice itself. */
static bool has_currency(struct sn *r, const struct netvisor_listed *l,
			 const struct sn_identity *id, bool *ret, struct err *err)
{
	const char *currency;
	if (!netvisor_invoice_currency(&r->netvisor, l->key, &currency, err))
		return false;
	*ret = !currency || !currency[0] ? strcmp(id->currency, "EUR") == 0
					 : strcasecmp(currency, id->currency) == 0;
	return true;
}

bool sn_look_up(struct sn *r, const struct sn_identity *id, const char **ret_key, struct err *err)
{
	const struct netvisor_listed *list;
	size_t n, n_same = 0, n_number = 0;
	*ret_key = NULL;
	if (!str_eq(id->organisation, r->netvisor.organisation))
		return err_reason(err, ERR_DATA, "target_changed", id->number,
				  "invoice %s went towards the organisation %s, and the connection "
				  "names another one now",
				  id->number, id->organisation);
	if (!netvisor_invoices_by_number(&r->netvisor, id->number, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool same = sn_is_same_invoice(&list[i], id);
		n_number += str_eq(list[i].number, id->number);
		if (same && !has_currency(r, &list[i], id, &same, err))
			return false;
		if (same) {
			*ret_key = list[i].key;
			n_same++;
		}
	}
	if (n_same > 1)
		return err_reason(err, ERR_DATA, "several_matches", id->number,
				  "Netvisor has %zu invoices that match %s", n_same, id->number);
	if (n_number && !n_same)
		return err_reason(err, ERR_DATA, "number_taken", id->number,
				  "Netvisor has another invoice with the number %s", id->number);
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
