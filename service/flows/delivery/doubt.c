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

void delivery_note(const struct delivery *d, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->at->ops->note(d->at, code, text);
}

static bool wait_for(struct err *err, const char *step, int64_t ms)
{
	err_set(err, ERR_DOUBT, "%s may have been carried out; looking again in %" PRId64 " ms",
		step, ms);
	if (err)
		err->retry_after_ms = ms;
	return false;
}

bool delivery_absence_counts(const struct delivery *d, const char *step, const struct step *s,
			     struct err *err)
{
	struct attempt *at = d->at;
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
	delivery_note(d, "absent_at_target",
		      "Looked for twice and not found in %s: it did not arrive, and is done again.",
		      d->target);
	return at->ops->step_outcome(at, step, NULL, err);
}

/* ---- what names a document ------------------------------------------------------------------ */

/* The names stand in what was stored: they never change. */
bool delivery_identity_write(struct arena *arena, const struct delivery_identity *id,
			     const char **ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "organisation", id->account);
	jsonw_kstr(&w, "number", id->number);
	if (id->id)
		jsonw_kstr(&w, "id", id->id);
	if (id->customer_code)
		jsonw_kstr(&w, "customer", id->customer_code);
	jsonw_kstr(&w, "date", id->date);
	jsonw_kstr(&w, "reference", id->reference);
	jsonw_kstr(&w, "currency", id->currency);
	jsonw_kstr(&w, "hash", id->hash);
	jsonw_key(&w, "sum");
	jsonw_decimal(&w, id->sum);
	if (decimal_sign(id->rounding) != 0) {
		jsonw_key(&w, "rounding");
		jsonw_decimal(&w, id->rounding);
	}
	if (id->has_net) {
		jsonw_key(&w, "net");
		jsonw_decimal(&w, id->net);
		jsonw_kint(&w, "roundings", id->n_roundings);
	}
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

bool delivery_identity_read(struct arena *arena, const char *text, struct delivery_identity *ret,
			    struct err *err)
{
	const struct json *j;
	if (!json_parse(arena, span_of(text), JSON_LIMITS_API, &j, err))
		return err_wrap(err, "what the intent was about");
	*ret = (struct delivery_identity) { .account = json_str(json_get(j, "organisation")),
					    .number = json_str(json_get(j, "number")),
					    .id = json_str(json_get(j, "id")),
					    .customer_code = json_str(json_get(j, "customer")),
					    .date = json_str(json_get(j, "date")),
					    .reference = json_str(json_get(j, "reference")),
					    .currency = json_str(json_get(j, "currency")),
					    .hash = json_str(json_get(j, "hash")) };
	if (!json_decimal(json_get(j, "rounding"), &ret->rounding))
		ret->rounding = DECIMAL_ZERO;
	ret->has_net = json_decimal(json_get(j, "net"), &ret->net);
	if (!json_int64(json_get(j, "roundings"), &ret->n_roundings))
		ret->n_roundings = 0;
	return (ret->account && ret->number && ret->date && ret->currency &&
		json_decimal(json_get(j, "sum"), &ret->sum)) ||
	       err_set(err, ERR_SYSTEM, "what the intent was about cannot be read");
}

bool delivery_unsettled(const struct delivery *d, const struct delivery_identity *id,
			const struct err *why, struct err *err)
{
	err_reason(err, ERR_DATA, "doubt_unsettled", id->number,
		   "%s may have arrived at %s, which cannot be asked", id->number, d->target);
	if (err && why) /* how the sending ended */
		err_target_text(err,
				span_of(why->target_text[0] ? why->target_text : why->message));
	return false;
}

bool delivery_look_up(struct delivery *d, const struct delivery_identity *id, const char **ret_key,
		      struct err *err)
{
	const char *target = d->target;
	struct delivery_seen seen = { .n = 0 };
	if (!str_eq(id->account, d->account))
		return err_reason(err, ERR_DATA, "target_changed", id->number,
				  "invoice %s went towards %s, and the connection names another "
				  "account now",
				  id->number, id->account);
	if (!d->ops->look_up)
		return delivery_unsettled(d, id, NULL, err);
	if (!d->ops->look_up(d, id, &seen, err))
		return false;
	if (seen.n > 1)
		return err_reason(err, ERR_DATA, "several_matches", id->number,
				  "%s has %zu invoices that match %s", target, seen.n, id->number);
	if (seen.number_is_taken && !seen.n)
		return err_reason(err, ERR_DATA, "number_taken", id->number,
				  "%s has another invoice with the number %s", target, id->number);
	*ret_key = seen.n ? seen.key : NULL;
	return true;
}

bool delivery_write_failed(const struct delivery *d, const char *step, const struct err *why,
			   struct err *err)
{
	struct attempt *at = d->at;
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
