/*
 * plan.h: what becomes of a job whose run failed: retry by meaning, not by count (DESIGN §4.10);
 * and when a document that was sent is asked for again. Pure.
 */
#ifndef WORKER_PLAN_H
#define WORKER_PLAN_H

#include "base/base.h"
#include "base/err.h"
#include "model/state.h"

struct plan_options {
	int64_t retry_first_ms, retry_cap_ms, retry_max_age_ms;
	int64_t retest_ms, quiet_ms;
};

struct plan_case {
	const struct err *err;
	int64_t try_no; /* 1.. */
	int64_t age_ms; /* since the generation began */
	uint32_t dice; /* random, for jitter */
};

enum plan_kind {
	PLAN_MOVE, /* to `state`, again after wait_ms */
	PLAN_HAND_BACK, /* as it was, no try burned, again after wait_ms */
	PLAN_DROP, /* not ours any more: store nothing */
};

struct plan {
	enum plan_kind kind;
	enum transfer_state state;
	int64_t wait_ms; /* -1: not by itself */
	bool pause_connection; /* the credentials were refused */
};

/*
 * Follow-up (MV-14): about how long until a document is asked for again that was sent so long ago.
 * The queue puts it on a grid, so that documents of one age are asked for together: after half of
 * it at the earliest, and one and a half times at the latest.
 */
int64_t plan_follow_ms(int64_t age_ms);

struct plan plan_after(const struct plan_options *opt, const struct plan_case *c);

#endif
