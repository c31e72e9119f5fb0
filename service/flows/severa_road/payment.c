/*
 * payment.c: the payment state of what was delivered (TA-02), where a target keeps one. A poll
 * finds the invoices whose state is another than the one told last, whatever status they stand in;
 * their own run tells it. Nothing else of a delivered invoice is ever sent (TA-07).
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define CHANGES_SEEN "payments_watched" /* from here on a poll looks for changes */
#define KEPT_MS ((int64_t)400 * 86400000)
#define OPEN "open"

/* Without a day it is paid all the same: on the day of its last change. */
static const char *day_of(struct road *r, const struct invoice *inv)
{
	char day[CLOCK_RFC3339_MAX];
	if (inv->paid_date || !inv->is_paid)
		return inv->paid_date;
	clock_rfc3339(inv->changed_ms ? inv->changed_ms : clock_wall_ms(), day);
	return arena_memdup(r->at->arena, day, 10);
}

/* Later changes do not move a day that Severa does not name. NULL past the arena's cap. */
static const char *word_of(struct road *r, const struct invoice *inv)
{
	if (inv->paid_date)
		return arena_printf(r->at->arena, "paid %s", inv->paid_date);
	return arena_strdup(r->at->arena, inv->is_paid ? "paid" : OPEN);
}

/* "": nobody knows, since the store has forgotten it: it is told anew. */
static bool read_told(struct road *r, const struct invoice *inv, const char **ret_key,
		      const char **ret, struct err *err)
{
	*ret_key = arena_printf(r->at->arena, "payment:%s", inv->source_id);
	if (!*ret_key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!r->at->ops->kv_get(r->at, r->at->conn->id, *ret_key, ret, err))
		return false;
	if (!**ret && !delivery_is_forgotten(r->at, inv->created_ms))
		*ret = OPEN;
	return true;
}

bool road_begin_open(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	const char *key, *told;
	if (!r->ops->tell_payment)
		return true;
	return read_told(r, &r->inv, &key, &told, err) &&
	       (told[0] || at->ops->kv_set(at, at->conn->id, key, OPEN, KEPT_MS, err));
}

bool road_tell_payment(struct road *r, const struct step *sent, struct err *err)
{
	struct attempt *at = r->at;
	const char *key, *told, *word;
	if (!r->ops->tell_payment)
		return true;
	if (!read_told(r, &r->inv, &key, &told, err))
		return false;
	word = word_of(r, &r->inv);
	const char *day = day_of(r, &r->inv);
	if (!word || (!day && !str_eq(word, OPEN)))
		return err_set(err, ERR_LIMIT, "arena full");
	if (str_eq(word, told))
		return true;
	return r->ops->tell_payment(r, sent, day, err) &&
	       at->ops->kv_set(at, at->conn->id, key, word, KEPT_MS, err);
}

/* ---- a poll -------------------------------------------------------------------------------- */

/* Delivered, or so before a loss: then its run finds out. *ret_rests: it stands with an error, and
 * is tried again without a poll. */
static bool is_to_be_told(struct watch *w, const struct invoice *inv, bool *ret, bool *ret_rests,
			  struct err *err)
{
	struct road *r = w->r;
	struct attempt *at = r->at;
	struct known_transfer known = { 0 };
	const char *key, *told;
	*ret = false;
	if (!at->ops->known(at, "invoice", inv->source_id, &known, err))
		return false;
	if (known.exists
		    ? !known.delivered
		    : !road_may_be_forgotten(r, inv) || inv->changed_ms < at->conn->activated_ms)
		return true;
	*ret_rests = known.state == STATE_NEEDS_DATA || known.state == STATE_SYSTEM_FAULT;
	if (!read_told(r, inv, &key, &told, err))
		return false;
	const char *word = word_of(r, inv);
	*ret = !str_eq(word, told);
	return word || err_set(err, ERR_LIMIT, "arena full");
}

static bool changed_page(void *ctx, const struct invoice *items, size_t n, struct err *err)
{
	struct watch *w = ctx;
	struct attempt *at = w->r->at;
	struct poll_item *found = arena_alloc_array(at->arena, n + 1, sizeof(*found));
	size_t k = 0;
	if (!found)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++) {
		bool is_own, is_wanted, rests = false;
		if (!road_is_own(w->r, &items[i], &is_own, err))
			return false;
		if (!is_own || road_stands_in(&items[i], w->r->transfer))
			continue;
		if (!is_to_be_told(w, &items[i], &is_wanted, &rests, err))
			return false;
		if (!is_wanted)
			continue;
		found[k++] = road_poll_item(&items[i]);
		if (!rests && (!w->untold_ms || items[i].changed_ms < w->untold_ms))
			w->untold_ms = items[i].changed_ms;
	}
	return !k || at->ops->found(at, found, k, err);
}

/*
 * Since the last poll; but what is not told yet is found again by each poll until it is, or until
 * it stands with an error: the cursor stays before it.
 */
bool watch_payments(struct watch *w, struct err *err)
{
	struct attempt *at = w->r->at;
	char since[CLOCK_RFC3339_MAX];
	const char *last;
	int64_t from_ms, oldest_ms = w->began_ms - (int64_t)WATCH_DAYS * 86400000;
	if (oldest_ms < at->conn->activated_ms)
		oldest_ms = at->conn->activated_ms;
	if (!w->r->ops->tell_payment)
		return true;
	if (!at->ops->kv_get(at, at->conn->id, CHANGES_SEEN, &last, err))
		return false;
	if (!clock_parse_rfc3339(span_of(last), &from_ms))
		from_ms = oldest_ms;
	clock_rfc3339(from_ms, since);
	if (!severa_invoices(&w->r->severa, NULL, since, changed_page, w, err))
		return false;
	from_ms = w->untold_ms && w->untold_ms < w->began_ms ? w->untold_ms : w->began_ms;
	clock_rfc3339(from_ms - WATCH_OVERLAP_MS, since);
	return at->ops->kv_set(at, at->conn->id, CHANGES_SEEN, since, 0, err);
}
