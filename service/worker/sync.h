/*
 * sync.h: runs of register syncs (register.h, queue/runs.h), driven slice by slice.
 *
 * sync.c	a slice: the phases of a register, and what becomes of a failure
 * sync_page.c	a page of records: from what was read to what is stored
 * sync_record.c	one record: what is to be done with it, and doing it
 * sync_plan.c	when which register is due
 */
#ifndef WORKER_SYNC_H
#define WORKER_SYNC_H

#include "base/base.h"
#include "attempt.h"
#include "flow.h"
#include "run.h"

/* One slice of the connection's run: fills r->outcome, as run_attempt does. */
void sync_slice(struct run *r, const struct run_context *ctx, const struct flow *flow,
		const struct connection *conn);

/*
 * Registers that go with the poll go before it: *ret_waits true, and the run that was ordered polls
 * when it is over. args: the poll's own.
 */
bool sync_goes_first(struct attempt *at, const struct flow *flow, const struct json *args,
		     bool *ret_waits, struct err *err) MUST_CHECK;

/* The keeper's part: orders what is due by schedule. */
struct pool;
void sync_tick(struct pool *p);

#endif
