/*
 * report.c: the reconciliation report (SV-04, SV-05, SV-09): what a poll saw in both statuses, held
 * against what the store knows. Makes no write at either side.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define HASH_CHECKS_MAX 20 /* invoices whose content is read again in one poll */
#define ROWS_WATCHED "rows_watched" /* when the last whole poll began */
#define OVERLAP_MS ((int64_t)10 * 60 * 1000) /* clocks differ */

/* The number where there is one, since people search by it; copied, for a page's items go with the
 * page. */
void watch_add(const struct watch *w, struct id_list *l, const struct invoice *inv)
{
	if (l->n < LIST_MAX)
		l->ids[l->n] = arena_strdup(w->r->at->arena,
					    inv->number ? inv->number : inv->source_id);
	l->n++;
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
	clock_rfc3339(last_ms - OVERLAP_MS, since);
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
		watch_add(w, &w->changed, listed);
	return true;
}

/* ---- never relayed? (SV-04) ---------------------------------------------------------------- */

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

bool watch_transferred(void *watch, const struct invoice *items, size_t n, struct err *err)
{
	struct watch *w = watch;
	struct attempt *at = w->r->at;
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
			if (!compare_content(w, &items[i], &known, err))
				return false;
		} else if (dated_after_activation(w, &items[i])) {
			watch_add(w, &w->never_relayed, &items[i]);
		}
	}
	return true;
}

/* ---- the report ---------------------------------------------------------------------------- */

static void write_lists(const struct watch *w, struct json_writer *j)
{
	const struct {
		const char *name;
		const struct id_list *list;
	} lists[] = { { "missing", &w->missing },
		      { "never_relayed", &w->never_relayed },
		      { "changed_after_transfer", &w->changed },
		      { "unowned", &w->unowned } };
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		const struct id_list *l = lists[k].list;
		jsonw_key(j, lists[k].name);
		jsonw_array(j);
		for (size_t i = 0; i < l->n && i < LIST_MAX; i++)
			jsonw_str(j, l->ids[i]);
		jsonw_end_array(j);
	}
	jsonw_key(j, "counts"); /* whole, where a list names the first alone */
	jsonw_object(j);
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		jsonw_kint(j, lists[k].name, (int64_t)lists[k].list->n);
	jsonw_end_object(j);
}

static bool write_report(const struct watch *w, struct err *err)
{
	struct attempt *at = w->r->at;
	struct strbuf sb = STRBUF_INIT(at->arena, 256 << 10);
	struct json_writer j = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&j);
	jsonw_ktime(&j, "at", clock_wall_ms());
	jsonw_kint(&j, "at_source", w->at_source);
	jsonw_kint(&j, "accounted", w->accounted);
	write_lists(w, &j);
	jsonw_end_object(&j);
	return strbuf_finish(&sb, &text, err) && at->ops->report(at, text, err);
}

bool watch_end(struct watch *w, struct err *err)
{
	return write_report(w, err) && keep_cursor(w, err);
}
