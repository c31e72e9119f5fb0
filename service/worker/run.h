/*
 * run.h: one job in the hands of this process, from claim to stored outcome, and the attempt that
 * is made of it.
 */
#ifndef WORKER_RUN_H
#define WORKER_RUN_H

#include "base/base.h"
#include "attempt.h"
#include "cache.h"
#include "codec/json.h"
#include "codec/sign.h"
#include "plan.h"
#include "queue/queue.h"
#include "store/store.h"
#include "worker/pool.h"

#include <stdatomic.h>

#define RUN_MAGIC 0x52554e21u
#define RUN_FIRST_ENTRIES 40
#define RUN_LAST_ENTRIES 24
#define RUN_MAX_ENTRIES \
	(RUN_FIRST_ENTRIES + 1 + RUN_LAST_ENTRIES) /* between: how many are not there */

struct run {
	uint32_t magic;
	struct run *next; /* in the claimed or the outcome list */
	struct run *beat_next, *beat_prev; /* in the list of leases */
	struct run *same_next; /* in the pool's table of what workers have in hands */
	struct arena *arena; /* all that the job says and leaves */
	struct queue_job job; /* texts in the arena */
	_Atomic bool lost; /* set by the beat thread */
	_Atomic int64_t deadline_ms; /* of the lease, monotonic */
	const char *entries[RUN_MAX_ENTRIES]; /* timeline, oldest first */
	size_t n_entries;
	size_t n_left_out; /* of entries; their number stands behind the first ones */
	bool has_written; /* a write to a vendor was begun */
	int64_t n_calls, slept_ms; /* calls to vendors, and waits for a place in their budget */
	int64_t n_writes; /* of the calls */
	struct queue_outcome outcome; /* filled by run_attempt */
	struct err err; /* why it failed; code ERR_NONE when it did not */
	int64_t claimed_ms, began_ms, took_ms; /* monotonic */
	bool goes_on; /* a round of follow-up: more is due */
	bool pause_connection; /* refused were the credentials of this revision: */
	int64_t conn_rev;
};

struct attempt_impl;

/* What a worker thread brings to an attempt. */
struct run_context {
	const struct pool_options *opt;
	struct cache *cache;
	struct http_transport *http;
	struct pool *pool; /* whose idle workers may help (crew.h); NULL: nobody may */
};

/* Without a job; NULL without memory. */
struct run *run_new(size_t arena_bytes);
void run_free(struct run *r); /* accepts NULL */
/* Takes up a job, whose texts are copied; false without memory. */
bool run_take(struct run *r, const struct queue_job *job, int64_t now_ms) MUST_CHECK;
/* Forgets its job, so that it can take up another. */
void run_clear(struct run *r);

/* An attempt of the run's job; *impl and the run outlive it. Its arena is the run's. */
void run_make_attempt(struct run *r, const struct run_context *ctx, const struct flow *flow,
		      const struct connection *conn, struct attempt_impl *impl,
		      struct attempt *ret);
/* Runs the flow and fills r->outcome; stores nothing but steps. */
void run_attempt(struct run *r, const struct run_context *ctx);
/* The outcome of a job that was claimed but not begun: it is ready again after so long. */
void run_hand_back(struct run *r, int64_t delay_ms);

/* What a task is about; NULL when it says nothing. In the run's arena. */
const struct json *run_args(struct run *r);

/* The ops table of real attempts; at->impl is a struct attempt_impl. */
extern const struct attempt_ops run_ops;

struct attempt_impl {
	uint32_t magic;
	struct run *run;
	const struct run_context *ctx;
	const struct flow *flow;
	struct sha256_stream seen;
	bool has_seen;
};

/* follow.c: one round of follow-up, the run of a JOB_FOLLOW. Sets goes_on. */
bool run_follow(struct run *r, struct attempt *at, const struct flow *flow, struct err *err);

/* entry.c: timeline entries: the first and the last of a run, and how many were left out. */
/* One of reply and err is NULL. */
void run_entry_call(struct run *r, const struct call *call, const struct http_reply *reply,
		    const struct err *err);
void run_entry_note(struct run *r, const char *code, const char *text);
/* What became of it: from the outcome and the error. */
void run_entry_end(struct run *r);

#endif
