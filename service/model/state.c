/*
 * state.c: the one table of legal moves. Guarantees that a name and a number of a state always
 * mean the same. Does not change any state: the scripts of queue/ and store/ do, and get this table
 * handed in.
 */
#include "base/base.h"
#include "model/state.h"

#define M(state) (1u << STATE_##state)
/* How a run may end. */
#define ENDS                                                                               \
	(M(WAITING) | M(IN_DOUBT) | M(RETRYING) | M(FOLLOWING) | M(DONE) | M(NEEDS_DATA) | \
	 M(SYSTEM_FAULT) | M(SKIPPED) | M(CANCELLED))

/*
 * The states done and needs_data stand while somebody looks again (DESIGN §4.8, §4.9), so they
 * move straight to what that look found: for done only that the document is gone at the target.
 */
static const unsigned moves[N_TRANSFER_STATES] = {
	[STATE_WAITING] = M(QUEUED) | M(RUNNING) | M(CANCELLED),
	[STATE_QUEUED] = M(RUNNING) | M(CANCELLED),
	[STATE_RUNNING] = M(QUEUED) | ENDS,
	[STATE_IN_DOUBT] = M(QUEUED) | M(RUNNING),
	[STATE_RETRYING] = M(QUEUED) | M(RUNNING) | M(CANCELLED),
	[STATE_FOLLOWING] = M(QUEUED) | M(RUNNING),
	[STATE_DONE] = M(QUEUED) | M(NEEDS_DATA),
	[STATE_NEEDS_DATA] = M(QUEUED) | M(RUNNING) | (ENDS & ~M(NEEDS_DATA)),
	[STATE_SYSTEM_FAULT] = M(QUEUED) | M(RUNNING) | M(CANCELLED),
	[STATE_SKIPPED] = M(QUEUED),
	[STATE_CANCELLED] = M(QUEUED),
};

static const char *const names[N_TRANSFER_STATES] = {
#define X(id, name) [STATE_##id] = name,
	TRANSFER_STATES(X)
#undef X
};

const char *state_name(enum transfer_state s)
{
	return (unsigned)s < N_TRANSFER_STATES ? names[s] : "?";
}

bool state_parse(struct span name, enum transfer_state *ret)
{
	for (unsigned i = 0; i < N_TRANSFER_STATES; i++) {
		if (!span_is(name, names[i]))
			continue;
		*ret = (enum transfer_state)i;
		return true;
	}
	return false;
}

bool state_may_move(enum transfer_state from, enum transfer_state to)
{
	return (unsigned)from < N_TRANSFER_STATES && (unsigned)to < N_TRANSFER_STATES &&
	       (moves[from] & (1u << to)) != 0;
}

bool state_write_moves(char *to, size_t size)
{
	size_t n = (size_t)snprintf(to, size, ",");
	for (unsigned a = 0; a < N_TRANSFER_STATES; a++)
		for (unsigned b = 0; b < N_TRANSFER_STATES; b++) {
			if (!state_may_move((enum transfer_state)a, (enum transfer_state)b))
				continue;
			int len = snprintf(to + n, size - n, "%s>%s,", state_name(a),
					   state_name(b));
			if (len < 0 || (size_t)len >= size - n)
				return false;
			n += (size_t)len;
		}
	return true;
}
