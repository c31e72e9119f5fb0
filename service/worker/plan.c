/*
 * plan.c: the retry plan. An outage backs off with jitter until it is too old, quota waits for its
 * reset, credentials pause the connection, bad data stops and is retested, silence after a write is
 * in doubt. It touches nothing.
 */
#include "base/base.h"

#include "plan.h"

#define BUSY_MIN_MS 20
#define BUSY_MAX_MS 5000 /* a key that is blocked for longer puts its connection to sleep */
/* The longest that a vendor's Retry-After holds: its slip must not hold a document for weeks. */
#define OUTAGE_SAID_MAX_MS (60 * 60 * 1000)
#define QUOTA_SAID_MAX_MS (24 * 60 * 60 * 1000)
#define QUOTA_DEFAULT_MS 60000
#define RETEST_MAX_DOUBLINGS 4

/* first * 2^(n-1), at most cap, without overflow. */
static int64_t doubled(int64_t first, int64_t n, int64_t cap)
{
	int64_t ms = first;
	while (--n > 0 && ms < cap)
		ms *= 2;
	return ms < cap ? ms : cap;
}

/* Between half of ms and ms, so that many jobs do not come back at once. */
static int64_t jittered(int64_t ms, uint32_t dice)
{
	return ms / 2 + (int64_t)((uint64_t)ms / 2 * (dice % 1024) / 1024);
}

static struct plan move(enum transfer_state state, int64_t wait_ms)
{
	return (struct plan) { .kind = PLAN_MOVE, .state = state, .wait_ms = wait_ms };
}

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* Most verdicts come within minutes; what has none after a day waits for people or the post. */
static const struct {
	int64_t age_ms; /* up to */
	int64_t interval_ms;
} follow_ups[] = {
	{ 3 * MINUTE_MS, MINUTE_MS },	   { 10 * MINUTE_MS, 2 * MINUTE_MS },
	{ 30 * MINUTE_MS, 5 * MINUTE_MS }, { 2 * HOUR_MS, 15 * MINUTE_MS },
	{ 12 * HOUR_MS, HOUR_MS },	   { 3 * DAY_MS, 3 * HOUR_MS },
	{ 7 * DAY_MS, 6 * HOUR_MS },
};
#define FOLLOW_LAST_MS (12 * HOUR_MS)

int64_t plan_follow_ms(int64_t age_ms)
{
	for (size_t i = 0; i < ARRAY_SIZE(follow_ups); i++)
		if (age_ms < follow_ups[i].age_ms)
			return follow_ups[i].interval_ms;
	return FOLLOW_LAST_MS;
}

static int64_t between(int64_t low, int64_t ms, int64_t high)
{
	if (ms < low)
		return low;
	return ms < high ? ms : high;
}

static struct plan after_outage(const struct plan_options *opt, const struct plan_case *c)
{
	if (c->age_ms > opt->retry_max_age_ms)
		return move(STATE_SYSTEM_FAULT, -1);
	if (c->err->retry_after_ms > 0)
		return move(STATE_RETRYING, between(0, c->err->retry_after_ms, OUTAGE_SAID_MAX_MS));
	return move(STATE_RETRYING,
		    jittered(doubled(opt->retry_first_ms, c->try_no, opt->retry_cap_ms), c->dice));
}

struct plan plan_after(const struct plan_options *opt, const struct plan_case *c)
{
	int64_t said = c->err->retry_after_ms;
	int64_t retest = opt->retest_ms
			 << (c->try_no < RETEST_MAX_DOUBLINGS ? c->try_no - 1
							      : RETEST_MAX_DOUBLINGS);

	switch (c->err->code) {
	case ERR_LEASE:
		return (struct plan) { .kind = PLAN_DROP, .wait_ms = -1 };
	case ERR_BUSY:
		return (struct plan) { .kind = PLAN_HAND_BACK,
				       .wait_ms = between(BUSY_MIN_MS, said, BUSY_MAX_MS) };
	case ERR_CREDENTIALS:
		return (struct plan) { .kind = PLAN_HAND_BACK, .pause_connection = true };
	case ERR_OUTAGE:
	case ERR_MEMORY:
		return after_outage(opt, c);
	case ERR_QUOTA:
		return move(STATE_RETRYING,
			    said > 0 ? between(0, said, QUOTA_SAID_MAX_MS) : QUOTA_DEFAULT_MS);
	case ERR_DOUBT:
		return move(STATE_IN_DOUBT, said >= 0 ? said : opt->quiet_ms);
	case ERR_WAITING:
		return move(STATE_WAITING, said > 0 ? said : opt->retest_ms);
	case ERR_DATA:
	case ERR_DUPLICATE:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
		return move(STATE_NEEDS_DATA, jittered(2 * retest, c->dice));
	case ERR_NONE:
	case ERR_INPUT:
	case ERR_LIMIT:
	case ERR_SYSTEM:
		return move(STATE_SYSTEM_FAULT, -1);
	}
	return move(STATE_SYSTEM_FAULT, -1);
}
