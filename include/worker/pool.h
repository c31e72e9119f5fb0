/*
 * pool.h: the worker side of one relay process: worker threads that run attempts, and beside them
 * one thread each to claim jobs, store outcomes, beat leases, and keep the house (delayed jobs,
 * dead leases, schedules, fresh connections).
 */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H

#include "base/base.h"
#include "attempt.h"
#include "base/err.h"
#include "base/metrics.h"
#include "flow.h"
#include "net/http.h"
#include "queue/queue.h"
#include "store/store.h"

struct pool_options {
	struct queue *queue;
	struct store *store;
	struct metrics *metrics; /* may be NULL */
	const struct flow *const *flows; /* NULL-terminated */
	const struct system_values *systems;
	const struct http_guard *guard;
	const char *public_url; /* where webhooks reach us; "" or NULL: they do not */
	const struct seal_key *key; /* makes the tokens of their paths */
	int workers; /* 1..256 */
	int64_t lease_ms, beat_ms, quiet_ms;
	int64_t retry_first_ms, retry_cap_ms, retry_max_age_ms, retest_ms;
	size_t attempt_arena_bytes; /* 0: 192 MiB */
};

struct pool;
/* Starts every thread; the store has been synced before. *ret is stopped and freed by the caller.
 */
bool pool_start(const struct pool_options *opt, struct pool **ret, struct err *err) MUST_CHECK;
/* Claims nothing more, lets running jobs end for grace_ms, then cuts their calls; hands back what
 * was not begun. */
void pool_stop(struct pool *pool, int64_t grace_ms);
void pool_free(struct pool *pool);

/* For metrics: since start. */
struct pool_counts {
	uint64_t claimed, done, failed, handed_back, lost;
	int running, waiting; /* now */
};
void pool_count(struct pool *pool, struct pool_counts *ret);

/*
 * For readiness: of the threads that must go round (clerks, listener, beater, keeper), the one that
 * has not been heard of longest. One that rests because there is nothing to do is not silent.
 */
struct pool_silence {
	const char *thread;
	int64_t ms;
};
void pool_silence(struct pool *pool, struct pool_silence *ret);

#endif
