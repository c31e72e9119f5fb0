/*
 * pool_internal.h: the pool as its files see it.
 *
 * pool.c	start and stop, worker threads, the lists that jobs go through
 * pool_clerk.c	the clerks, who store outcomes and claim in one round trip, and the listener
 * pool_upkeep.c	the beater and the keeper
 * crew.c	workers without a job help with another's parts
 */
#ifndef WORKER_POOL_INTERNAL_H
#define WORKER_POOL_INTERNAL_H

#include "base/base.h"

#include "worker/pool.h"

#include "run.h"

/*
 * Two, so that one talks to Redis while the workers fill the other's hands. More would only make
 * the batches smaller.
 */
#define N_CLERKS 2
/* Runs shorter than this come in crowds: they are claimed ahead and stored in batches. */
#define SHORT_US 4000

struct list {
	struct run *head, **tail;
	size_t n;
};

struct worker {
	struct pool *pool;
	pthread_t thread;
	struct http_client *http;
	bool started;
};

struct turn; /* what a clerk has in hands */
struct clerk {
	struct pool *pool;
	pthread_t thread;
	struct arena *arena;
	struct turn *turn;
	bool started;
};

#define HANDS 256 /* of the table below */

/* The threads that must go round; the clerks are the first of them. */
enum round { ROUND_LISTENER = N_CLERKS, ROUND_BEATER, ROUND_KEEPER, N_ROUNDS };

struct pool {
	struct pool_options opt;
	struct cache *cache;
	int64_t next_warning_ms, next_plan_ms; /* the keeper's own */
	bool is_redis_away; /* the keeper's own: it was told */
	/* When a thread was last heard of, monotonic; 0: it rests until it is woken. */
	_Atomic int64_t heard_ms[N_ROUNDS];

	pthread_mutex_t lock; /* of all below; a leaf */
	pthread_cond_t work; /* for workers: something was claimed */
	pthread_cond_t desk; /* for clerks: something ended, or may be claimed */
	pthread_cond_t quiet; /* for the listener and the stop: a turn was taken */
	pthread_cond_t tick; /* for beater and keeper: the end */
	pthread_cond_t crew; /* for owners of crews: a helper has left */
	struct list claimed, ended;
	struct list spare; /* runs to be used again */
	struct crew *crews; /* jobs whose parts are open to workers without a job of their own */
	struct run *leases; /* every claimed job until its outcome is stored */
	struct run *in_hands[HANDS]; /* jobs that workers are to begin or have begun, by id */
	size_t n_leases;
	size_t n_asked, n_settling; /* being claimed, being stored */
	int idle; /* workers waiting for work */
	int64_t mean_us; /* of a run, smoothed */
	bool is_dry; /* a claim found less than it asked for: the listener waits for news */
	bool stop_claim, stop_work, stop_rest;
	struct pool_counts counts;

	struct worker *workers;
	struct clerk clerks[N_CLERKS];
	pthread_t listener, beater, keeper;
	bool has_listener, has_beater, has_keeper;
};

void list_init(struct list *l);
void list_push(struct list *l, struct run *r);
struct run *list_pop(struct list *l);

/* Waits on a condition of the pool for at most ms; the lock is held. */
void pool_wait_locked(struct pool *p, pthread_cond_t *cond, int64_t ms);
/* A thread tells that it goes round, or that it rests until another wakes it. */
void pool_heard(struct pool *p, size_t round);
void pool_rests(struct pool *p, size_t round);
/* How many jobs may be claimed now. */
size_t pool_room_locked(const struct pool *p);
/*
 * A job comes into the workers' hands, and out of them when nothing of it is done any more. False:
 * it is there already. Its lease ended unnoticed; two runs of one document never meet here.
 */
bool pool_take_in_hands_locked(struct pool *p, struct run *r) MUST_CHECK;
void pool_out_of_hands_locked(struct pool *p, struct run *r);
/* Helps with another's parts, the lock off meanwhile; false: nobody wants help. */
bool pool_help_locked(struct pool *p, const struct run_context *ctx) MUST_CHECK;
/* Are more outcomes of short jobs worth a moment's wait? */
bool pool_lingers_locked(const struct pool *p);

bool pool_clerk_new(struct pool *p, struct clerk *ret, struct err *err) MUST_CHECK;
void pool_clerk_release(struct clerk *c);

/* Threads; of the first a struct clerk, of the others a struct pool. */
void *pool_clerk_main(void *arg);
void *pool_listener_main(void *arg);
void *pool_beater_main(void *arg);
void *pool_keeper_main(void *arg);

#endif
