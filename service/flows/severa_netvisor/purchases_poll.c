/*
 * purchases_poll.c: which rows of purchase invoices are to be relayed (NV-13). Each poll lists the
 * accepted invoices that were changed since the last one (one call; the first of a day lists all),
 * reads them a hundred to a call, and hands in the rows that carry a project. What has rows without
 * one is watched: a hundred of those are read again in each poll, in turns (one call), for as long
 * as the oldest is WATCH_DAYS old.
 *
 * Calls of a poll: 1 + changed/100 + 1; a first poll over 1,000 invoices 12. No more than READS_MAX
 * calls read; the rest is left to the next polls.
 */
#include "base/base.h"
#include "purchases.h"

#include "base/clock.h"
#include "base/map.h"

#define READS_MAX 20
#define READ_ARENA_MAX ((size_t)96 << 20)
#define WATCH_DAYS 90
#define DAY_MS ((int64_t)86400000)
#define OVERLAP_MS (REGISTER_OVERLAP_MIN_MS)
/* Places of a connection's values, for each company: its keys say nothing in another one. */
#define LISTED "listed" /* name_place, and when the last poll began */
#define WATCHED "watched" /* "4711:20415 ...": invoice and the day since when */
#define CHANGED "changed" /* "4711-3:1042/3 ...": posted, and another or gone since */
#define LIST_MAX ((size_t)1 << 20)

struct watch_item {
	const char *key;
	int64_t day; /* since 1970 */
};

struct rows_poll {
	struct sn *r;
	struct report *report;
	struct arena *arena; /* of what outlives an invoice */
	int64_t now_ms;
	struct watch_item *watched; /* as stored: those whose turn is next first */
	size_t n_watched;
	struct map *by_key; /* of watched */
	struct strbuf still, changed; /* to be stored */
	bool is_whole; /* all are listed, not what changed */
	struct map *read; /* keys of invoices that were read in this poll */
	const char *listed_at, *watched_at, *changed_at; /* places */
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

static const char *place_of(struct rows_poll *p, const char *name)
{
	return arena_printf(p->r->road.at->arena, "purchases:%s:%s", p->r->netvisor.organisation,
			    name);
}

/* An invoice whose rows are handed in. */
struct taking {
	const struct netvisor_purchase *inv;
	const char *had; /* keys of rows that were handed in before, each with a blank behind it */
	const char **gone; /* what was posted of rows that are gone: their hashes */
	size_t n_gone;
	bool is_unsettled; /* a row is gone of which nobody knows yet whether it was posted */
};

static bool is_key_in(const char *keys, const char *key)
{
	size_t n = strlen(key);
	for (const char *s = keys; *s; s += strcspn(s, " "), s += *s == ' ')
		if (strcspn(s, " ") == n && strncmp(s, key, n) == 0)
			return true;
	return false;
}

static void say_changed(struct rows_poll *p, const struct netvisor_purchase *inv, const char *id,
			const char *row)
{
	say(&p->changed, "%s:%s/%s ", id, inv->number ? inv->number : inv->key, row);
}

/* Does the row say what a posted one said that is gone? Netvisor has given it another key then. */
static bool was_posted(struct taking *t, const char *hash)
{
	for (size_t i = 0; i < t->n_gone; i++) {
		if (!str_eq(t->gone[i], hash))
			continue;
		t->gone[i] = t->gone[--t->n_gone];
		return true;
	}
	return false;
}

static bool find_row(struct rows_poll *p, const char *id, const char *number, const char *hash,
		     struct err *err)
{
	struct attempt *at = p->r->road.at;
	struct known_transfer known = { .exists = false };
	if (!hash)
		return sn_full(err);
	const struct poll_item item = {
		.kind = SN_PURCHASE, .source_id = id, .number = number, .changed = hash
	};
	if (!at->ops->found(at, &item, 1, err) || !at->ops->known(at, SN_PURCHASE, id, &known, err))
		return false;
	if (known.exists)
		p->report->accounted++;
	else
		report_add(&p->report->missing, p->arena, id);
	return true;
}

static bool hand_in(struct rows_poll *p, struct taking *t, const struct netvisor_purchase_row *row,
		    struct err *err)
{
	struct attempt *at = p->r->road.at;
	const struct netvisor_purchase *inv = t->inv;
	const char *id = row_id(p, inv->key, row->key ? row->key : "");
	const char *hash = sn_purchase_hash(at->arena, &p->r->set, inv, row);
	struct known_transfer known = { .exists = false };
	if (!id || !hash)
		return sn_full(err);
	p->report->at_source++;
	if (!at->ops->known(at, SN_PURCHASE, id, &known, err))
		return false;
	if (known.exists && known.delivered) {
		p->report->accounted++;
		if (known.content_hash && known.content_hash[0] &&
		    !str_eq(hash, known.content_hash))
			say_changed(p, inv, id, row->key);
		return true;
	}
	if (!known.exists && was_posted(t, hash)) {
		p->report->accounted++;
		return true;
	}
	if (row->is_odd || (!known.exists && t->is_unsettled)) {
		report_add(&p->report->missing, p->arena, id);
		return true;
	}
	/* It was gone, and is there again as it was: that is news. */
	if (known.exists && known.state == STATE_CANCELLED && str_eq(known.changed, hash))
		hash = arena_printf(at->arena, "%s again", hash);
	return find_row(p, id, inv->number, hash, err);
}

/* Which rows were handed in before: one that is not there any more is gone. */
static bool look_for_gone(struct rows_poll *p, struct taking *t, struct err *err)
{
	struct attempt *at = p->r->road.at;
	const struct netvisor_purchase *inv = t->inv;
	t->gone = arena_alloc_array(at->arena, strlen(t->had) / 2 + 1, sizeof(*t->gone));
	if (!t->gone)
		return sn_full(err);
	for (const char *s = t->had; *s; s += strcspn(s, " "), s += *s == ' ') {
		const char *key = arena_printf(at->arena, "%.*s", (int)strcspn(s, " "), s);
		const char *id = key ? row_id(p, inv->key, key) : NULL;
		struct known_transfer known = { .exists = false };
		bool is_there = false;
		if (!id)
			return sn_full(err);
		for (size_t i = 0; i < inv->n_rows; i++)
			is_there |= str_eq(inv->rows[i].key, key);
		if (is_there)
			continue;
		if (!at->ops->known(at, SN_PURCHASE, id, &known, err))
			return false;
		if (known.delivered) {
			say_changed(p, inv, id, key);
			if (known.content_hash)
				t->gone[t->n_gone++] = known.content_hash;
		} else if (known.exists && known.state != STATE_CANCELLED &&
			   known.state != STATE_SKIPPED) {
			t->is_unsettled = true;
		}
	}
	return true;
}

static const struct watch_item *find_watched(const struct rows_poll *p, const char *key)
{
	return map_get(p->by_key, key);
}

/* Of one that is new, from now; but an old one that only a list of all has brought, by its date. */
static int64_t watched_since(const struct rows_poll *p, const struct netvisor_purchase *inv)
{
	const struct watch_item *known = find_watched(p, inv->key);
	int y, m, d;
	if (known)
		return known->day;
	if (p->is_whole && inv->date && strlen(inv->date) >= 10 &&
	    clock_parse_date((struct span) { inv->date, 10 }, &y, &m, &d))
		return clock_from_utc(y, m, d, 0, 0, 0) / DAY_MS;
	return p->now_ms / DAY_MS;
}

/* The rows that were handed in once are remembered, also when they are gone. */
static bool remember(struct rows_poll *p, const struct taking *t, const char *place,
		     struct err *err)
{
	struct attempt *at = p->r->road.at;
	struct strbuf rows = STRBUF_INIT(at->arena, LIST_MAX);
	const char *now;
	strbuf_addstr(&rows, t->had);
	for (size_t i = 0; i < t->inv->n_rows; i++) {
		const struct netvisor_purchase_row *row = &t->inv->rows[i];
		if (row->key && sn_purchase_item(&p->r->set, row) && !is_key_in(t->had, row->key))
			say(&rows, "%s ", row->key);
	}
	return strbuf_finish(&rows, &now, err) &&
	       (str_eq(now, t->had) ||
		at->ops->kv_set(at, at->conn->id, place, now, 400 * DAY_MS, err));
}

static bool take_invoice(struct rows_poll *p, const struct netvisor_purchase *inv, struct err *err)
{
	struct attempt *at = p->r->road.at;
	const char *place = place_of(p, inv->key);
	struct taking t = { .inv = inv };
	int64_t day = watched_since(p, inv);
	if (!place)
		return sn_full(err);
	if (!at->ops->kv_get(at, at->conn->id, place, &t.had, err) || !look_for_gone(p, &t, err))
		return false;
	bool is_open = t.is_unsettled;
	for (size_t i = 0; i < inv->n_rows; i++) {
		if (!sn_purchase_item(&p->r->set, &inv->rows[i]))
			is_open = true;
		else if (!hand_in(p, &t, &inv->rows[i], err))
			return false;
	}
	if (is_open && day > p->now_ms / DAY_MS - WATCH_DAYS)
		say(&p->still, "%s:%" PRId64 " ", inv->key, day);
	return remember(p, &t, place, err);
}

/* One that is not there any more has no rows. */
static bool take_missing(struct rows_poll *p, const char *key, const struct netvisor_purchase *list,
			 size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].key, key))
			return true;
	return take_invoice(p, &(struct netvisor_purchase) { .key = key }, err);
}

static bool read_here(struct rows_poll *p, const char *const *keys, size_t n, struct err *err)
{
	struct netvisor_purchase *list = arena_alloc_array(p->r->road.at->arena, n, sizeof(*list));
	size_t found;
	if (!list)
		return sn_full(err);
	if (!netvisor_purchases(&p->r->netvisor, keys, n, list, &found, err))
		return false;
	for (size_t i = 0; i < found; i++)
		if (!take_invoice(p, &list[i], err))
			return false;
	for (size_t i = 0; i < n; i++)
		if (!take_missing(p, keys[i], list, found, err))
			return false;
	return true;
}

/* Invoices of one call have memory of their own, since a poll may read many. */
static bool read_some(struct rows_poll *p, const char *const *keys, size_t n, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(READ_ARENA_MAX);
	struct sn *whole = p->r, part = *whole;
	struct attempt at = *whole->road.at;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	arena_keep_secrets(arena); /* requests carry the keys */
	at.arena = arena;
	part.road.at = part.netvisor.at = &at;
	for (size_t i = 0; i < n; i++)
		if (!map_put(p->read, keys[i], p))
			return sn_full(err);
	p->r = &part;
	bool ok = n == 0 || read_here(p, keys, n, err);
	p->r = whole;
	return ok;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool read_watched(struct rows_poll *p, struct err *err)
{
	struct attempt *at = p->r->road.at;
	const char *text;
	size_t n = 1;
	if (!at->ops->kv_get(at, at->conn->id, p->watched_at, &text, err))
		return false;
	for (const char *s = text; *s; s++)
		n += *s == ' ';
	p->watched = arena_alloc_array(at->arena, n, sizeof(*p->watched));
	p->by_key = map_new(at->arena);
	if (!p->watched || !p->by_key)
		return sn_full(err);
	while (*text) {
		size_t colon = strcspn(text, ":");
		struct watch_item *w = &p->watched[p->n_watched++];
		w->key = arena_printf(at->arena, "%.*s", (int)colon, text);
		w->day = text[colon] ? strtoll(text + colon + 1, NULL, 10) : 0;
		if (!w->key || !map_put(p->by_key, w->key, w))
			return sn_full(err);
		text += strcspn(text, " ");
		text += *text == ' ';
	}
	return true;
}

/* Since which place the polls go on from each other: that of another day begins with all again,
 * since nobody says that an acceptance counts as a change of the invoice. So does that of a
 * connection that was made anew by the same name: what it had not posted was called off. */
static const char *name_place(struct rows_poll *p)
{
	struct attempt *at = p->r->road.at;
	return arena_printf(at->arena, "%s %" PRId64 " %" PRId64 " ", p->r->set.purchase_from,
			    at->conn->created_ms, p->now_ms / DAY_MS);
}

/* What changed since the last poll of the same place; all where there was none. */
static bool list_changed(struct rows_poll *p, const char *const **ret, size_t *ret_n,
			 struct err *err)
{
	struct attempt *at = p->r->road.at;
	const char *kept, *place = name_place(p);
	int64_t last_ms = 0;
	if (!place)
		return sn_full(err);
	if (!at->ops->kv_get(at, at->conn->id, p->listed_at, &kept, err))
		return false;
	size_t n = strlen(place);
	p->is_whole = strncmp(kept, place, n) != 0 ||
		      !clock_parse_rfc3339(span_of(kept + n), &last_ms);
	return netvisor_purchases_accepted(&p->r->netvisor, p->r->set.purchase_from,
					   p->is_whole ? 0 : last_ms - OVERLAP_MS, ret, ret_n, err);
}

/* Those that no poll has seen first; what is watched has its turn in any case. */
static const char **new_first(struct rows_poll *p, const char *const *keys, size_t n)
{
	const char **sorted = arena_alloc_array(p->arena, n + 1, sizeof(*sorted));
	size_t k = 0;
	for (int is_watched = 0; sorted && is_watched < 2; is_watched++)
		for (size_t i = 0; i < n; i++)
			if ((find_watched(p, keys[i]) != NULL) == is_watched)
				sorted[k++] = keys[i];
	return sorted;
}

static bool read_changed(struct rows_poll *p, const char *const *listed, size_t n, struct err *err)
{
	const char **keys = new_first(p, listed, n);
	size_t i = 0;
	if (!keys)
		return sn_full(err);
	for (int calls = 0; i < n && calls < READS_MAX; calls++) {
		size_t k = n - i < NETVISOR_PURCHASES_MAX ? n - i : NETVISOR_PURCHASES_MAX;
		if (!read_some(p, keys + i, k, err))
			return false;
		i += k;
	}
	for (; i < n; i++) /* in the next polls */
		if (!find_watched(p, keys[i]))
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
	if (!at->ops->kv_get(at, at->conn->id, p->changed_at, &text, err))
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
	    !at->ops->kv_set(at, at->conn->id, p->changed_at, text, 31 * DAY_MS, err))
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
	const char *still, *first, *both, *name = name_place(p), *place;
	if (!strbuf_finish(&p->still, &still, err) || !strbuf_finish(rest, &first, err))
		return false;
	both = arena_printf(at->arena, "%s%s", first, still);
	place = name ? arena_printf(at->arena, "%s%s", name, clock_rfc3339(p->now_ms, began))
		     : NULL;
	return both && place && at->ops->kv_set(at, at->conn->id, p->watched_at, both, 0, err) &&
	       at->ops->kv_set(at, at->conn->id, p->listed_at, place, 0, err);
}

bool sn_purchases_poll(struct sn *r, struct report *report, struct err *err)
{
	struct arena *arena = r->road.at->arena;
	struct rows_poll p = { .r = r,
			       .report = report,
			       .arena = arena,
			       .now_ms = clock_wall_ms(),
			       .still = STRBUF_INIT(arena, LIST_MAX),
			       .changed = STRBUF_INIT(arena, LIST_MAX),
			       .read = map_new(arena) };
	struct strbuf rest = STRBUF_INIT(arena, LIST_MAX);
	const char *const *keys = NULL;
	size_t n = 0;
	if (!r->set.purchases)
		return true;
	p.listed_at = place_of(&p, LISTED);
	p.watched_at = place_of(&p, WATCHED);
	p.changed_at = place_of(&p, CHANGED);
	if (!p.read || !p.listed_at || !p.watched_at || !p.changed_at)
		return sn_full(err);
	return read_watched(&p, err) && list_changed(&p, &keys, &n, err) &&
	       read_changed(&p, keys, n, err) && read_again(&p, &rest, err) &&
	       keep_changed(&p, err) && keep_place(&p, &rest, err);
}
