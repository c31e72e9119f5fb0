/*
 * sync.h: runs of register syncs (register.h, queue/runs.h), driven slice by slice.
 *
 * sync.c		a slice, and what becomes of a failure
 * sync_register.c	one register: where it begins, and its phases
 * sync_page.c		a page of records: from what was read to what is to be written
 * sync_record.c	one record: what is to be done with it, and doing it
 * sync_hands.c		the records of a page side by side
 * sync_store.c		what came of a page, as it is stored
 * sync_plan.c		when which register is due
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
