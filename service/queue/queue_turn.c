/*
 * queue_turn.c: outcomes and claims in one round trip: two scripts in one write, so that Redis goes
 * to the disk once for both. Batches are cut so that no script holds Redis for long.
 *
 * Guarantees that what was claimed reaches the caller even when its outcomes could not be stored.
 */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"

/* What one write sends, as far as it has not been answered. */
struct load {
	struct queue_outcome *outcomes;
	size_t n_outcomes;
	bool finish, claim;
	bool lost; /* the claim met another epoch */
};

static bool send_once(struct queue *q, struct redis *r, struct arena *arena,
		      struct queue_turn *turn, struct load *l, struct err *err)
{
	struct queue_claim_head head;
	if ((l->finish && !queue_finish_append(q, r, arena, l->outcomes, l->n_outcomes, err)) ||
	    (l->claim && !queue_claim_append(q, r, arena, turn->max_jobs, &head, err)))
		return false;
	struct err own = ERR_INIT;
	bool ok = true;
	if (l->finish) {
		ok = queue_finish_read(r, arena, l->outcomes, l->n_outcomes, err);
		l->finish = !ok;
	}
	if (l->claim) {
		l->claim = !queue_claim_read(r, arena, &head, turn, &l->lost, ok ? err : &own);
		ok = ok && !l->claim;
	}
	return ok;
}

/* A server that forgot a script ran nothing of it, and has it the next time (net/redis.h). */
static bool send_load(struct queue *q, struct redis *r, struct arena *arena,
		      struct queue_turn *turn, struct load *l, struct err *err)
{
	struct err own = ERR_INIT;
	if (!err)
		err = &own;
	return send_once(q, r, arena, turn, l, err) ||
	       (strncmp(err->target_text, "NOSCRIPT", 8) == 0 &&
		send_once(q, r, arena, turn, l, err));
}

static bool send_all(struct queue *q, struct arena *arena, struct queue_turn *turn, bool *ret_lost,
		     struct err *err)
{
	struct redis *got = NULL;
	size_t done = 0;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	do {
		size_t n = queue_finish_fit(turn->outcomes + done, turn->n_outcomes - done);
		bool last = done + n == turn->n_outcomes;
		struct load l = { turn->outcomes + done, n, n > 0, last && turn->max_jobs > 0,
				  false };
		bool ok = send_load(q, r, arena, turn, &l, err);
		turn->stored = last && !l.finish;
		if (!ok)
			return false;
		*ret_lost = l.lost;
		done += n;
	} while (done < turn->n_outcomes);
	return true;
}

bool queue_turn(struct queue *q, struct arena *arena, struct queue_turn *turn, struct err *err)
{
	bool lost = false;
	turn->n_jobs = 0;
	turn->stored = turn->n_outcomes == 0;
	if (turn->stored && turn->max_jobs == 0)
		return true;
	return send_all(q, arena, turn, &lost, err) &&
	       (!lost || queue_claim_synced(q, arena, turn, err));
}
