/*
 * follow.c: one round of follow-up (MV-14): what is due of a connection, up to FOLLOW_MAX
 * documents, in one call of the flow's follow. It makes no write and judges nothing: what has news
 * gets its own run. Nothing is settled before the flow has answered, so a round that dies or fails
 * leaves all as due as it was.
 */
#include "base/base.h"

#include "run.h"

/* Two of a round's clocks are Redis's, so that a relay whose own is wrong widens nothing. */
static void plan_round(struct queue_round *round)
{
	for (size_t i = 0; i < round->n; i++)
		round->interval_ms[i] = plan_follow_ms(round->now_ms - round->items[i].sent_ms);
}

bool run_follow(struct run *r, struct attempt *at, const struct flow *flow, struct err *err)
{
	const struct attempt_impl *impl = at->impl;
	struct queue *q = impl->ctx->opt->queue;
	struct queue_round *round = arena_alloc(r->arena, sizeof(*round));
	if (!round)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!flow->follow)
		return true; /* these are run again one by one */
	if (!queue_follow_take(q, r->arena, r->job.conn, flow->delivery_step, round, err))
		return false;
	if (round->n) {
		if (!flow->follow(at, round->items, round->n, err))
			return false;
		plan_round(round);
		if (!queue_follow_done(q, r->job.id, r->job.fence, r->job.conn, round, err))
			return false;
	}
	r->goes_on = round->more;
	return true;
}
