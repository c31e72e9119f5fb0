/*
 * purchases_poll.c: which rows of purchase invoices are to be relayed (NV-13). Each poll lists the
 * accepted invoices that were changed since the last one (one call), reads them a hundred to a
 * call, and hands in the rows that carry a project. What has rows without one is watched: a hundred
 * of those are read again in each poll, in turns (one call), for as long as the oldest is
 * WATCH_DAYS old.
 *
 * Calls of a poll: 1 + changed/100 + 1; a first poll over 1,000 invoices 12. No more than READS_MAX
 * calls read; the rest is left to the next polls.
 */
#include "base/base.h"
#include "purchases.h"

#include "base/clock.h"
#include "base/map.h"

#define READS_MAX 20
#define WATCH_DAYS 90
#define DAY_MS ((int64_t)86400000)
#define OVERLAP_MS (REGISTER_OVERLAP_MIN_MS)
#define LISTED \
	"purchases.listed" /* "2026-01-01 <time>": from which day, when the last poll began */
#define WATCHED "purchases.watched" /* "4711:20415 ...": invoice and the day since when */
#define CHANGED "purchases.changed" /* "4711-3:1042/3 ...": posted, and another or gone since */
#define LIST_MAX ((size_t)1 << 20)

struct watch_item {
	const char *key;
	int64_t day; /* since 1970 */
};

struct rows_poll {
	struct sn *r;
	struct report *report;
	int64_t now_ms;
	struct watch_item *watched; /* as stored: those whose turn is next first */
	size_t n_watched;
	struct strbuf still, changed; /* to be stored */
	struct map *read; /* keys of invoices that were read in this poll */
};

static bool say(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool say(struct strbuf *sb, const char *fmt, ...)
{
	char text[160];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	strbuf_addstr(sb, text);
	return true;
}

/* ---- one invoice --------------------------------------------------------------------------- */

static const char *row_id(struct rows_poll *p, const char *invoice, const char *row)
{
	return arena_printf(p->r->road.at->arena, "%s-%s", invoice, row);
}

static bool look_at_posted(struct rows_poll *p, const struct netvisor_purchase *inv,
			   const struct netvisor_purchase_row *row, const char *id,
			   const struct known_transfer *known, struct err *err)
{
	const char *hash = sn_purchase_hash(p->r->road.at->arena, &p->r->set, inv, row);
	if (!hash)
		return sn_full(err);
	if (known->content_hash && known->content_hash[0] && !str_eq(hash, known->content_hash))
		say(&p->changed, "%s:%s/%s ", id, inv->number ? inv->number : inv->key, row->key);
	return true;
}

static bool hand_in(struct rows_poll *p, const struct netvisor_purchase *inv,
		    const struct netvisor_purchase_row *row, struct err *err)
{
	struct attempt *at = p->r->road.at;
	const char *id = row_id(p, inv->key, row->key);
	struct known_transfer known = { .exists = false };
	if (!id)
		return sn_full(err);
	if (!at->ops->known(at, SN_PURCHASE, id, &known, err))
		return false;
	p->report->at_source++;
	if (known.exists && known.delivered) {
		p->report->accounted++;
		return look_at_posted(p, inv, row, id, &known, err);
	}
	const struct poll_item item = { .kind = SN_PURCHASE,
					.source_id = id,
					.number = inv->number,
					.changed = sn_purchase_hash(at->arena, &p->r->set, inv,
								    row) };
	if (!at->ops->found(at, &item, 1, err) || !at->ops->known(at, SN_PURCHASE, id, &known, err))
		return false;
	if (known.exists)
		p->report->accounted++;
	else
		report_add(&p->report->missing, at->arena, id);
	return true;
}

/* Which rows were handed in before: one that is not there any more is gone. */
static bool look_for_gone(struct rows_poll *p, const struct netvisor_purchase *inv, const char *had,
			  struct err *err)
{
	struct attempt *at = p->r->road.at;
	for (const char *s = had; *s;) {
		size_t n = strcspn(s, " ");
		const char *key = arena_printf(at->arena, "%.*s", (int)n, s);
		const char *id = key ? row_id(p, inv->key, key) : NULL;
		struct known_transfer known = { .exists = false };
		bool is_there = false;
		if (!id)
			return sn_full(err);
		for (size_t i = 0; i < inv->n_rows; i++)
			is_there |= str_eq(inv->rows[i].key, key);
		if (!is_there && !at->ops->known(at, SN_PURCHASE, id, &known, err))
			return false;
		if (known.exists && known.delivered)
			say(&p->changed, "%s:%s/%s ", id, inv->number ? inv->number : inv->key,
			    key);
		s += n;
		s += *s == ' ';
	}
	return true;
}

static int64_t watched_since(const struct rows_poll *p, const char *key)
{
	for (size_t i = 0; i < p->n_watched; i++)
		if (strcmp(p->watched[i].key, key) == 0)
			return p->watched[i].day;
	return p->now_ms / DAY_MS;
}

static bool take_invoice(struct rows_poll *p, const struct netvisor_purchase *inv, struct err *err)
{
	struct attempt *at = p->r->road.at;
	struct strbuf rows = STRBUF_INIT(at->arena, LIST_MAX);
	const char *place = arena_printf(at->arena, "purchase:%s", inv->key), *had, *now;
	int64_t day = watched_since(p, inv->key);
	bool is_open = false;
	if (!place)
		return sn_full(err);
	if (!at->ops->kv_get(at, at->conn->id, place, &had, err) ||
	    !look_for_gone(p, inv, had, err))
		return false;
	for (size_t i = 0; i < inv->n_rows; i++) {
		if (!sn_purchase_item(&p->r->set, &inv->rows[i])) {
			is_open = true;
			continue;
		}
		say(&rows, "%s ", inv->rows[i].key);
		if (!hand_in(p, inv, &inv->rows[i], err))
			return false;
	}
	if (is_open && day > p->now_ms / DAY_MS - WATCH_DAYS)
		say(&p->still, "%s:%" PRId64 " ", inv->key, day);
	/* What was handed in once is remembered, also when it is gone. */
	return !rows.n || had[0] ||
	       (strbuf_finish(&rows, &now, err) &&
		at->ops->kv_set(at, at->conn->id, place, now, 400 * DAY_MS, err));
}

static bool read_some(struct rows_poll *p, const char *const *keys, size_t n, struct err *err)
{
	struct netvisor_purchase *list = arena_alloc_array(p->r->road.at->arena, n + 1,
							   sizeof(*list));
	size_t found;
	if (!list)
		return sn_full(err);
	for (size_t i = 0; i < n; i++)
		if (!map_put(p->read, keys[i], p))
			return sn_full(err);
	if (n && !netvisor_purchases(&p->r->netvisor, keys, n, list, &found, err))
		return false;
	for (size_t i = 0; n && i < found; i++)
		if (!take_invoice(p, &list[i], err))
			return false;
	return true;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool read_watched(struct rows_poll *p, struct err *err)
{
	struct attempt *at = p->r->road.at;
	const char *text;
	size_t n = 1;
	if (!at->ops->kv_get(at, at->conn->id, WATCHED, &text, err))
		return false;
	for (const char *s = text; *s; s++)
		n += *s == ' ';
	p->watched = arena_alloc_array(at->arena, n, sizeof(*p->watched));
	if (!p->watched)
		return sn_full(err);
	while (*text) {
		size_t colon = strcspn(text, ":");
		struct watch_item *w = &p->watched[p->n_watched++];
		w->key = arena_printf(at->arena, "%.*s", (int)colon, text);
		w->day = text[colon] ? strtoll(text + colon + 1, NULL, 10) : 0;
		if (!w->key)
			return sn_full(err);
		text += strcspn(text, " ");
		text += *text == ' ';
	}
	return true;
}

/* What changed since the last poll of the same beginning; all where there was none. */
static bool list_changed(struct rows_poll *p, const char *const **ret, size_t *ret_n,
			 struct err *err)
{
	struct attempt *at = p->r->road.at;
	const char *from = p->r->set.purchase_from, *kept;
	size_t n = strlen(from);
	int64_t last_ms = 0;
	if (!at->ops->kv_get(at, at->conn->id, LISTED, &kept, err))
		return false;
	if (strncmp(kept, from, n) != 0 || kept[n] != ' ' ||
	    !clock_parse_rfc3339(span_of(kept + n + 1), &last_ms))
		last_ms = OVERLAP_MS;
	return netvisor_purchases_accepted(&p->r->netvisor, from, last_ms - OVERLAP_MS, ret, ret_n,
					   err);
}

static bool read_changed(struct rows_poll *p, const char *const *keys, size_t n, struct err *err)
{
	size_t i = 0;
	for (int calls = 0; i < n && calls < READS_MAX; calls++) {
		size_t k = n - i < NETVISOR_PURCHASES_MAX ? n - i : NETVISOR_PURCHASES_MAX;
		if (!read_some(p, keys + i, k, err))
			return false;
		i += k;
	}
	for (; i < n; i++) /* in the next polls */
		say(&p->still, "%s:%" PRId64 " ", keys[i], p->now_ms / DAY_MS);
	return true;
}

/* Those whose turn it is; the others keep their places before those that were read now. */
static bool read_again(struct rows_poll *p, struct strbuf *rest, struct err *err)
{
	const char *keys[NETVISOR_PURCHASES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < p->n_watched; i++) {
		if (map_has(p->read, p->watched[i].key))
			continue;
		if (n < NETVISOR_PURCHASES_MAX)
			keys[n++] = p->watched[i].key;
		else
			say(rest, "%s:%" PRId64 " ", p->watched[i].key, p->watched[i].day);
	}
	return read_some(p, keys, n, err);
}

/* Of invoices that were not read now, as it stood; each is named. */
static bool keep_changed(struct rows_poll *p, struct err *err)
{
	struct attempt *at = p->r->road.at;
	const char *text;
	if (!at->ops->kv_get(at, at->conn->id, CHANGED, &text, err))
		return false;
	while (*text) {
		size_t n = strcspn(text, " ");
		const char *invoice = arena_printf(at->arena, "%.*s", (int)strcspn(text, "-"),
						   text);
		if (!invoice)
			return sn_full(err);
		if (!map_has(p->read, invoice))
			say(&p->changed, "%.*s ", (int)n, text);
		text += n;
		text += *text == ' ';
	}
	if (!strbuf_finish(&p->changed, &text, err) ||
	    !at->ops->kv_set(at, at->conn->id, CHANGED, text, 31 * DAY_MS, err))
		return false;
	while (*text) {
		size_t n = strcspn(text, " "), colon = strcspn(text, ":");
		const char *label = colon < n ? arena_printf(at->arena, "%.*s",
							     (int)(n - colon - 1), text + colon + 1)
					      : "";
		report_add(&p->report->changed, at->arena, label ? label : "");
		text += n;
		text += *text == ' ';
	}
	return true;
}

static bool keep_place(struct rows_poll *p, struct strbuf *rest, struct err *err)
{
	struct attempt *at = p->r->road.at;
	char began[CLOCK_RFC3339_MAX];
	const char *still, *first, *both, *place;
	if (!strbuf_finish(&p->still, &still, err) || !strbuf_finish(rest, &first, err))
		return false;
	both = arena_printf(at->arena, "%s%s", first, still);
	place = arena_printf(at->arena, "%s %s", p->r->set.purchase_from,
			     clock_rfc3339(p->now_ms, began));
	return both && place && at->ops->kv_set(at, at->conn->id, WATCHED, both, 0, err) &&
	       at->ops->kv_set(at, at->conn->id, LISTED, place, 0, err);
}

bool sn_purchases_poll(struct sn *r, struct report *report, struct err *err)
{
	struct arena *arena = r->road.at->arena;
	struct rows_poll p = { .r = r,
			       .report = report,
			       .now_ms = clock_wall_ms(),
			       .still = STRBUF_INIT(arena, LIST_MAX),
			       .changed = STRBUF_INIT(arena, LIST_MAX),
			       .read = map_new(arena) };
	struct strbuf rest = STRBUF_INIT(arena, LIST_MAX);
	const char *const *keys;
	size_t n;
	if (!r->set.purchases)
		return true;
	if (!p.read)
		return sn_full(err);
	return read_watched(&p, err) && list_changed(&p, &keys, &n, err) &&
	       read_changed(&p, keys, n, err) && read_again(&p, &rest, err) &&
	       keep_changed(&p, err) && keep_place(&p, &rest, err);
}
