/*
 * report.c: the reconciliation report (SV-04, SV-05, SV-09): what a poll saw in both statuses, held
 * against what the store knows. Makes no write at either side.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define HASH_CHECKS_MAX 20 /* invoices whose content is read again in one poll */
#define ROWS_WATCHED "rows_watched" /* when the last whole poll began */

/* The number where there is one, since people search by it. */
void watch_add(const struct watch *w, struct report_list *l, const struct invoice *inv)
{
	report_add(l, w->r->at->arena, inv->number ? inv->number : inv->source_id);
}

/* ---- changed after transfer? (SV-05) ------------------------------------------------------- */

/* The newest change stamp of an invoice's rows: an edited row need not move the invoice's own. */
static bool changed_row(void *ctx, const char *invoice_id, const char *changed, struct err *err)
{
	struct watch *w = ctx;
	const char *before = map_get(w->changed_rows, invoice_id);
	if (before && strcmp(before, changed) >= 0)
		return true;
	char *kept = arena_strdup(w->r->at->arena, changed);
	return (kept && map_put(w->changed_rows, invoice_id, kept)) ||
	       err_set(err, ERR_LIMIT, "arena full");
}

/* Rows changed since the last poll, a little before it. */
bool watch_begin(struct watch *w, struct err *err)
{
	struct attempt *at = w->r->at;
	char since[CLOCK_RFC3339_MAX];
	const char *last;
	int64_t last_ms;
	w->changed_rows = map_new(at->arena);
	if (!w->changed_rows)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!at->ops->kv_get(at, at->conn->id, ROWS_WATCHED, &last, err))
		return false;
	if (!clock_parse_rfc3339(span_of(last), &last_ms))
		return true; /* the first poll: each invoice is compared once anyway */
	clock_rfc3339(last_ms - WATCH_OVERLAP_MS, since);
	return severa_changed_rows(&w->r->severa, since, changed_row, w, err);
}

static bool keep_cursor(struct watch *w, struct err *err)
{
	struct attempt *at = w->r->at;
	char began[CLOCK_RFC3339_MAX];
	clock_rfc3339(w->began_ms, began);
	return at->ops->kv_set(at, at->conn->id, ROWS_WATCHED, began, 0, err);
}

/* What was found at the last comparison, and of which invoice and rows. */
struct comparison {
	char invoice[48], rows[48]; /* change stamps; rows "-" when none has one */
	bool differs;
};

static bool read_comparison(const char *text, struct comparison *ret)
{
	char verdict[16];
	if (sscanf(text, "%47s %47s %15s", ret->invoice, ret->rows, verdict) != 3)
		return false;
	ret->differs = strcmp(verdict, "changed") == 0;
	return true;
}

/* Stamps alike: Severa has noted nothing since. Our own status change makes a new one too. */
static bool is_up_to_date(struct watch *w, const struct invoice *listed, const struct comparison *c)
{
	const char *row = map_get(w->changed_rows, listed->source_id);
	return strcmp(c->invoice, listed->changed) == 0 &&
	       (!row || (c->rows[0] != '-' && strcmp(row, c->rows) <= 0));
}

static bool compare(struct watch *w, const struct invoice *listed, const char *sent_hash,
		    struct comparison *ret, struct err *err)
{
	struct invoice inv = *listed;
	if (!severa_invoice_rows(&w->r->severa, &inv, err))
		return false;
	snprintf(ret->invoice, sizeof(ret->invoice), "%s", listed->changed);
	snprintf(ret->rows, sizeof(ret->rows), "-");
	for (size_t i = 0; i < inv.n_rows; i++)
		if (inv.rows[i].changed && strcmp(inv.rows[i].changed, ret->rows) > 0)
			snprintf(ret->rows, sizeof(ret->rows), "%s", inv.rows[i].changed);
	const char *hash = invoice_content_hash(&inv, w->r->at->arena);
	ret->differs = !str_eq(hash, sent_hash);
	return hash || err_set(err, ERR_LIMIT, "arena full");
}

static bool compare_content(struct watch *w, const struct invoice *listed,
			    const struct known_transfer *known, struct err *err)
{
	struct attempt *at = w->r->at;
	struct comparison c;
	const char *key = arena_printf(at->arena, "compared:%s", listed->source_id);
	const char *last, *now;
	if (!key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!known->content_hash || !known->content_hash[0] || !listed->changed)
		return true;
	if (!at->ops->kv_get(at, at->conn->id, key, &last, err))
		return false;
	if (!read_comparison(last, &c) || !is_up_to_date(w, listed, &c)) {
		/* Past the bound at the next poll; a row that was just listed is not listed again.
		 */
		bool is_listed = map_has(w->changed_rows, listed->source_id);
		if (!is_listed && w->hash_checks++ >= HASH_CHECKS_MAX)
			return true;
		if (!compare(w, listed, known->content_hash, &c, err))
			return false;
		now = arena_printf(at->arena, "%s %s %s", c.invoice, c.rows,
				   c.differs ? "changed" : "same");
		if (!now)
			return err_set(err, ERR_LIMIT, "arena full");
		if (!at->ops->kv_set(at, at->conn->id, key, now, (int64_t)2 * WATCH_DAYS * 86400000,
				     err))
			return false;
	}
	if (c.differs)
		watch_add(w, &w->report.changed, listed);
	return true;
}

/* ---- never relayed, or forgotten? (SV-04, MV-14) ------------------------------------------- */

static bool dated_after_activation(const struct watch *w, const struct invoice *inv)
{
	char day[CLOCK_RFC3339_MAX];
	int64_t since = w->r->at->conn->activated_ms;
	if (!since)
		return false;
	clock_rfc3339(since, day);
	day[10] = 0;
	return inv->changed_ms >= since || (inv->issue_date && strcmp(inv->issue_date, day) >= 0);
}

static bool watch_delivered(struct road *r, const char *source_id, struct err *err)
{
	return !r->ops->watch || r->ops->watch(r, source_id, err);
}

bool watch_transferred(void *watch, const struct invoice *items, size_t n, struct err *err)
{
	struct watch *w = watch;
	struct attempt *at = w->r->at;
	struct poll_item *forgotten = arena_alloc_array(at->arena, n + 1, sizeof(*forgotten));
	size_t k = 0;
	if (!forgotten)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++) {
		struct known_transfer known = { 0 };
		bool is_own;
		if (!road_is_own(w->r, &items[i], &is_own, err))
			return false;
		if (!is_own)
			continue;
		if (!at->ops->known(at, "invoice", items[i].source_id, &known, err))
			return false;
		if (known.exists && known.delivered) {
			if (!compare_content(w, &items[i], &known, err) ||
			    !watch_delivered(w->r, items[i].source_id, err))
				return false;
		} else if (!dated_after_activation(w, &items[i])) {
			continue;
		} else if (!known.exists && road_may_be_forgotten(w->r, &items[i])) {
			forgotten[k++] = road_poll_item(&items[i]);
		} else {
			watch_add(w, &w->report.never_relayed, &items[i]);
		}
	}
	return !k || at->ops->found(at, forgotten, k, err);
}

/* ---- the report ---------------------------------------------------------------------------- */

bool watch_end(struct watch *w, struct err *err)
{
	struct road *r = w->r;
	return (!r->ops->report || r->ops->report(r, &w->report, err)) &&
	       report_store(r->at, &w->report, err) && keep_cursor(w, err);
}
