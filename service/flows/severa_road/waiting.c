/*
 * waiting.c: a document whose time has not come (TA-01): since when it stands in the transfer
 * status, and until when it waits. It wakes up by itself; somebody who orders it earlier is told
 * the same. What has begun is never held back.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define CLOCKS_DIFFER_MS 600000 /* Redis's, of an intent, and ours */
#define MOMENT_MS 60000 /* not worth a word in a dry run */

/* By our own clock, since Severa's stamps tell of any change. A store that was lost begins anew:
 * it waits longer then, never shorter. */
static bool seen_since(struct road *r, int64_t now_ms, int64_t *ret_ms, struct err *err)
{
	struct attempt *at = r->at;
	struct step seen;
	*ret_ms = now_ms;
	if (!at->ops->step_get(at, STEP_SEEN, &seen, err))
		return false;
	if (seen.state == STEP_DONE) {
		*ret_ms = strtoll(seen.outcome, NULL, 10);
		return true;
	}
	const char *now = arena_printf(at->arena, "%" PRId64, now_ms);
	if (!now)
		return err_set(err, ERR_LIMIT, "arena full");
	return at->ops->step_outcome(at, STEP_SEEN, now, err);
}

/* In this stay: what began in an earlier one is agreed anew. */
static bool has_begun(struct road *r, int64_t since_ms, bool *ret, struct err *err)
{
	struct step first = { .state = STEP_NONE };
	if (r->ops->first_step && !r->at->ops->step_get(r->at, r->ops->first_step, &first, err))
		return false;
	*ret = r->has_begun ||
	       (first.state != STEP_NONE && first.intent_ms + CLOCKS_DIFFER_MS >= since_ms);
	return true;
}

bool road_may_go_now(struct road *r, struct err *err)
{
	int64_t now = clock_wall_ms(), since, until = 0;
	const char *words = NULL;
	bool is_begun;
	if (!r->ops->not_before)
		return true;
	if (!seen_since(r, now, &since, err) || !has_begun(r, since, &is_begun, err))
		return false;
	if (is_begun)
		return true;
	if (!r->ops->not_before(r, since, now, &until, &words, err))
		return false;
	if (until <= now)
		return true;
	err_reason(err, ERR_WAITING, "not_yet", words, "invoice %s waits until %s", r->inv.number,
		   words);
	if (err)
		err->retry_after_ms = until - now;
	return false;
}

bool road_note_wait(struct road *r, struct err *err)
{
	int64_t now = clock_wall_ms(), until = 0;
	const char *words = NULL;
	if (!r->ops->not_before)
		return true;
	if (!r->ops->not_before(r, now, now, &until, &words, err))
		return false;
	if (until - now > MOMENT_MS)
		road_note(r, "not_yet", "It would be sent at %s.", words);
	return true;
}

bool road_end_stay(struct road *r, struct err *err)
{
	struct step seen;
	if (!r->ops->not_before || r->is_waiting)
		return true;
	return r->at->ops->step_get(r->at, STEP_SEEN, &seen, err) &&
	       (seen.state == STEP_NONE || r->at->ops->step_outcome(r->at, STEP_SEEN, NULL, err));
}
