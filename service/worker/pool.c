/*
 * pool.c: the threads of the worker side. Jobs are claimed in one call for all idle workers,
 * outcomes stored in batches, leases beaten together. Very short jobs are claimed ahead of the
 * workers, so far as a few milliseconds of work reach; long ones never, since a claimed job holds
 * its vendor's slot.
 *
 * A job's road: claimer → claimed list → a worker → finished list → settler → freed. Until it is
 * freed it stands in the list of leases, which the beat thread renews.
 */
#include "base/base.h"

#include "worker/pool.h"

#include "run.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#define CLAIM_MAX QUEUE_BATCH_MAX
#define AHEAD_US 4000 /* work that may be claimed ahead */
#define WAIT_MS 500 /* for a wake-up from Redis */
#define REDIS_AWAY_MS 200
#define KEEPER_MS 1000
#define WARN_EVERY_MS 60000
#define CACHE_ENTRIES 4096
#define ARENA_BYTES ((size_t)192 << 20)

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

struct pool {
	struct pool_options opt;
	struct cache *cache;
	int64_t next_warning_ms; /* the keeper's own */

	pthread_mutex_t lock; /* of all below; a leaf */
	pthread_cond_t work, room, finished, tick;
	struct list claimed, ended;
	struct run *leases; /* every claimed job until its outcome is stored */
	size_t n_leases;
	int idle; /* workers waiting for work */
	int64_t mean_us; /* of a run, smoothed */
	bool stop_claim, stop_work, stop_rest;
	struct pool_counts counts;

	struct worker *workers;
	pthread_t claimer, settler, beater, keeper;
	bool has_claimer, has_settler, has_beater, has_keeper;
};

static void list_init(struct list *l)
{
	*l = (struct list) { .tail = &l->head };
}

static void list_push(struct list *l, struct run *r)
{
	r->next = NULL;
	*l->tail = r;
	l->tail = &r->next;
	l->n++;
}

static struct run *list_pop(struct list *l)
{
	struct run *r = l->head;
	if (!r)
		return NULL;
	l->head = r->next;
	if (!l->head)
		l->tail = &l->head;
	l->n--;
	return r;
}

static void lease_add_locked(struct pool *p, struct run *r)
{
	r->beat_prev = NULL;
	r->beat_next = p->leases;
	if (p->leases)
		p->leases->beat_prev = r;
	p->leases = r;
	p->n_leases++;
}

static void lease_remove_locked(struct pool *p, struct run *r)
{
	if (r->beat_prev)
		r->beat_prev->beat_next = r->beat_next;
	else
		p->leases = r->beat_next;
	if (r->beat_next)
		r->beat_next->beat_prev = r->beat_prev;
	p->n_leases--;
}

/* Waits on a condition of the pool for at most ms; the lock is held. */
static void wait_locked(struct pool *p, pthread_cond_t *cond, int64_t ms)
{
	struct timespec until = clock_deadline(ms);
	pthread_cond_timedwait(cond, &p->lock, &until);
}

/* --- workers --- */

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	struct run_context ctx = { .opt = &p->opt,
				   .cache = p->cache,
				   .http = http_client_transport(w->http) };
	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct run *r = list_pop(&p->claimed);
		if (!r) {
			if (p->stop_work)
				break;
			p->idle++;
			pthread_cond_signal(&p->room);
			pthread_cond_wait(&p->work, &p->lock);
			p->idle--;
			continue;
		}
		bool give_back = p->stop_claim;
		p->counts.running++;
		pthread_mutex_unlock(&p->lock);
		int64_t began_us = clock_mono_us();
		if (give_back)
			run_hand_back(r);
		else
			run_attempt(r, &ctx);
		int64_t took_us = clock_mono_us() - began_us;
		pthread_mutex_lock(&p->lock);
		p->mean_us += (took_us - p->mean_us) / 16;
		p->counts.running--;
		list_push(&p->ended, r);
		pthread_cond_signal(&p->finished);
		pthread_cond_signal(&p->room);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* --- claimer --- */

/* How many jobs may be claimed now. */
static size_t room_locked(const struct pool *p)
{
	int64_t ahead = AHEAD_US * p->opt.workers / (p->mean_us > 0 ? p->mean_us : 1);
	int64_t want = p->idle + ahead - (int64_t)p->claimed.n;
	if (p->mean_us >= AHEAD_US)
		want = p->idle - (int64_t)p->claimed.n;
	if (want > CLAIM_MAX)
		want = CLAIM_MAX;
	return want > 0 ? (size_t)want : 0;
}

static size_t claim_into(struct pool *p, struct arena *arena, size_t max)
{
	struct queue_job jobs[CLAIM_MAX];
	struct err err = ERR_INIT;
	size_t n = 0, kept = 0;
	if (!queue_claim(p->opt.queue, arena, max, jobs, &n, &err)) {
		log_err(LOG_DEBUG, "claim_failed", &err);
		clock_sleep_ms(REDIS_AWAY_MS);
		return 0;
	}
	struct list fresh;
	list_init(&fresh);
	for (size_t i = 0; i < n; i++) {
		struct run *r = run_new(&jobs[i], p->opt.attempt_arena_bytes);
		/* Without memory the lease lapses and the job comes back. */
		if (r)
			list_push(&fresh, r);
	}
	pthread_mutex_lock(&p->lock);
	for (struct run *r; (r = list_pop(&fresh)); kept++) {
		lease_add_locked(p, r);
		list_push(&p->claimed, r);
	}
	p->counts.claimed += kept;
	if (kept == 1)
		pthread_cond_signal(&p->work);
	else if (kept)
		pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	return n;
}

static void *claimer_main(void *arg)
{
	struct pool *p = arg;
	struct arena *arena = arena_new((size_t)16 << 20);
	for (;;) {
		pthread_mutex_lock(&p->lock);
		size_t room;
		while (!(room = room_locked(p)) && !p->stop_claim)
			pthread_cond_wait(&p->room, &p->lock);
		bool stop = p->stop_claim;
		pthread_mutex_unlock(&p->lock);
		if (stop || !arena)
			break;
		arena_clear(arena);
		if (claim_into(p, arena, room) == 0 && !queue_wait(p->opt.queue, WAIT_MS, NULL))
			clock_sleep_ms(REDIS_AWAY_MS);
	}
	arena_free(arena);
	return NULL;
}

/* --- settler --- */

/* The flow's name of a job's connection, for metrics: never the connection itself. */
static void count_run(struct pool *p, const struct run *r, const char *verdict)
{
	CLEANUP(connection_unref) struct connection *c = store_find(p->opt.store, r->job.conn);
	const char *flow = c ? c->flow : "";
	struct metrics *m = p->opt.metrics;
	if (r->outcome.verdict == FINISH_STALE)
		metrics_add(m, METRIC_LEASES_LOST, flow, NULL, 1);
	if (r->job.type == JOB_POLL)
		metrics_add(m, METRIC_POLLS, flow, r->err.code == ERR_NONE ? "ok" : verdict, 1);
	if (r->job.type != JOB_TRANSFER)
		return;
	metrics_add(m, METRIC_ATTEMPTS, flow, verdict, 1);
	if (r->outcome.delivered && !r->job.delivered)
		metrics_add(m, METRIC_DELIVERED, flow, r->job.kind, 1);
}

static void log_run(struct pool *p, const struct run *r)
{
	const struct queue_outcome *o = &r->outcome;
	bool stale = o->verdict == FINISH_STALE;
	bool bad = o->state == STATE_SYSTEM_FAULT || o->verdict == FINISH_ILLEGAL;
	const char *verdict = stale	     ? "lease_lost"
			      : o->hand_back ? "handed_back"
			      : o->keep	     ? "kept"
					     : state_name(o->state);
	pthread_mutex_lock(&p->lock);
	if (stale)
		p->counts.lost++;
	else if (o->hand_back)
		p->counts.handed_back++;
	else if (r->err.code != ERR_NONE)
		p->counts.failed++;
	else
		p->counts.done++;
	pthread_mutex_unlock(&p->lock);
	if (p->opt.metrics)
		count_run(p, r, verdict);
	enum log_level level = bad					 ? LOG_ERROR
			       : o->hand_back || r->job.type == JOB_POLL ? LOG_DEBUG
									 : LOG_INFO;
	if (o->verdict == FINISH_ILLEGAL)
		log_event(LOG_ERROR, "illegal_move", LOG_S("job", r->job.id), LOG_S("to", verdict));
	log_event(level, "job", LOG_S("job", r->job.id), LOG_S("connection", r->job.conn),
		  LOG_S("kind", r->job.kind), LOG_I("attempt", r->job.try_no),
		  LOG_S("verdict", verdict),
		  LOG_S("code", r->err.code != ERR_NONE ? o->error_code : ""),
		  LOG_S("text", r->err.code != ERR_NONE ? r->err.message : ""),
		  LOG_I("ms", r->took_ms));
}

static void pause_for_credentials(struct pool *p, const struct run *r)
{
	struct err err = ERR_INIT;
	if (!store_connection_set_state(p->opt.store, r->job.conn, CONNECTION_PAUSED, "credentials",
					&err) ||
	    !store_refresh(p->opt.store, &err))
		log_err(LOG_WARN, "pause_failed", &err);
	else
		log_event(LOG_WARN, "connection_paused", LOG_S("connection", r->job.conn),
			  LOG_S("reason", "credentials"), LOG_S("text", r->err.message));
}

/* Stores one batch; while Redis is away it is tried until the process ends. */
static void settle(struct pool *p, struct run **runs, size_t n)
{
	struct queue_outcome outcomes[QUEUE_BATCH_MAX];
	struct err err = ERR_INIT;
	for (size_t i = 0; i < n; i++)
		outcomes[i] = runs[i]->outcome;
	while (!queue_finish(p->opt.queue, outcomes, n, &err)) {
		log_err(LOG_WARN, "outcomes_wait", &err);
		pthread_mutex_lock(&p->lock);
		bool stop = p->stop_rest;
		pthread_mutex_unlock(&p->lock);
		if (stop)
			break;
		clock_sleep_ms(REDIS_AWAY_MS);
	}
	for (size_t i = 0; i < n; i++) {
		runs[i]->outcome.verdict = outcomes[i].verdict;
		if (runs[i]->pause_connection)
			pause_for_credentials(p, runs[i]);
		log_run(p, runs[i]);
	}
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < n; i++)
		lease_remove_locked(p, runs[i]);
	pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < n; i++)
		run_free(runs[i]);
}

static void *settler_main(void *arg)
{
	struct pool *p = arg;
	for (;;) {
		struct run *runs[QUEUE_BATCH_MAX];
		size_t n = 0;
		pthread_mutex_lock(&p->lock);
		while (!p->ended.head && !p->stop_rest)
			pthread_cond_wait(&p->finished, &p->lock);
		while (n < QUEUE_BATCH_MAX && p->ended.head)
			runs[n++] = list_pop(&p->ended);
		pthread_mutex_unlock(&p->lock);
		if (!n)
			break;
		settle(p, runs, n);
	}
	return NULL;
}

/* --- beat --- */

/* The leases as they stand; texts are copied, since a job may end meanwhile. */
static size_t leases_locked(struct pool *p, struct arena *arena, struct queue_lease **ret)
{
	struct queue_lease *all = arena_alloc_array(arena, p->n_leases + 1, sizeof(*all));
	size_t n = 0;
	for (struct run *r = p->leases; r && all; r = r->beat_next) {
		const char *id = arena_strdup(arena, r->job.id);
		if (id)
			all[n++] = (struct queue_lease) { .id = id, .fence = r->job.fence };
	}
	*ret = all;
	return n;
}

static void spread_locked(struct pool *p, const struct queue_lease *leases, size_t n)
{
	for (struct run *r = p->leases; r; r = r->beat_next) {
		for (size_t i = 0; i < n; i++) {
			if (leases[i].fence != r->job.fence || strcmp(leases[i].id, r->job.id) != 0)
				continue;
			if (leases[i].lost)
				atomic_store(&r->lost, true);
			else
				atomic_store(&r->deadline_ms, leases[i].deadline_ms);
			break;
		}
	}
}

static void *beater_main(void *arg)
{
	struct pool *p = arg;
	struct arena *arena = arena_new((size_t)8 << 20);
	pthread_mutex_lock(&p->lock);
	while (!p->stop_rest && arena) {
		wait_locked(p, &p->tick, p->opt.beat_ms);
		struct queue_lease *leases;
		arena_clear(arena);
		size_t n = leases_locked(p, arena, &leases);
		if (!n)
			continue;
		pthread_mutex_unlock(&p->lock);
		struct err err = ERR_INIT;
		bool ok = queue_heartbeat(p->opt.queue, leases, n, &err);
		if (!ok)
			log_err(LOG_DEBUG, "beat_failed", &err);
		pthread_mutex_lock(&p->lock);
		if (ok)
			spread_locked(p, leases, n);
	}
	pthread_mutex_unlock(&p->lock);
	arena_free(arena);
	return NULL;
}

/* --- keeper --- */

/* Notices a Redis that was restarted, emptied or failed over, and puts back what it lost. */
static bool sync_epoch(struct pool *p, struct err *err)
{
	struct store_epoch epoch;
	if (!store_sync(p->opt.store, err))
		return false;
	store_epoch_get(p->opt.store, &epoch);
	const char *lost = store_lost(p->opt.store);
	if (lost)
		log_event(LOG_WARN, "redis_lost_data", LOG_S("epoch", epoch.id),
			  LOG_S("text", lost));
	return true;
}

/* What stops nothing, and yet must be heard of: once a minute while it lasts. */
static void warn(struct pool *p, const struct err *refresh)
{
	struct store_trouble t;
	struct redis_health health;
	store_trouble_get(p->opt.store, &t);
	store_health_get(p->opt.store, &health);
	bool any = refresh->code != ERR_NONE || *t.vault || *t.mark || t.n_unopened ||
		   !health.usable;
	if (!any || clock_mono_ms() < p->next_warning_ms)
		return;
	p->next_warning_ms = clock_mono_ms() + WARN_EVERY_MS;
	if (refresh->code != ERR_NONE)
		log_err(LOG_WARN, "connections_not_read", refresh);
	if (*t.vault || *t.mark)
		log_event(LOG_WARN, "vault_not_written",
			  LOG_S("text", *t.vault ? t.vault : t.mark));
	if (t.n_unopened)
		log_event(LOG_WARN, "connection_not_opened",
			  LOG_I("connections", (int64_t)t.n_unopened), LOG_S("text", t.unopened));
	if (!health.usable)
		log_event(LOG_WARN, "redis_unfit", LOG_S("text", health.text));
}

static void keep_house(struct pool *p)
{
	struct err err = ERR_INIT, refresh = ERR_INIT;
	struct queue_tick tick = { 0 };
	if (!sync_epoch(p, &err)) {
		log_err(LOG_DEBUG, "redis_away", &err);
		return;
	}
	(void)!store_refresh(p->opt.store, &refresh); /* warned of; the rest goes on */
	warn(p, &refresh);
	do {
		if (!queue_tick(p->opt.queue, &tick, &err)) {
			log_err(LOG_DEBUG, "tick_failed", &err);
			return;
		}
		if (tick.reaped || tick.in_doubt || tick.mended)
			log_event(LOG_INFO, "mended", LOG_I("reaped", tick.reaped),
				  LOG_I("in_doubt", tick.in_doubt), LOG_I("mended", tick.mended));
	} while (tick.more);
}

static void *keeper_main(void *arg)
{
	struct pool *p = arg;
	pthread_mutex_lock(&p->lock);
	while (!p->stop_claim) {
		pthread_mutex_unlock(&p->lock);
		keep_house(p);
		pthread_mutex_lock(&p->lock);
		if (!p->stop_claim)
			wait_locked(p, &p->tick, KEEPER_MS);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* --- start and stop --- */

static bool start_thread(pthread_t *t, bool *ret_has, void *(*func)(void *), void *arg,
			 struct err *err)
{
	int why = pthread_create(t, NULL, func, arg);
	*ret_has = why == 0;
	return *ret_has || err_errno(err, ERR_SYSTEM, why, "cannot start a thread");
}

static bool start_threads(struct pool *p, struct err *err)
{
	for (int i = 0; i < p->opt.workers; i++) {
		struct worker *w = &p->workers[i];
		w->pool = p;
		if (!http_client_new(p->opt.guard, &w->http, err) ||
		    !start_thread(&w->thread, &w->started, worker_main, w, err))
			return false;
	}
	return start_thread(&p->settler, &p->has_settler, settler_main, p, err) &&
	       start_thread(&p->beater, &p->has_beater, beater_main, p, err) &&
	       start_thread(&p->keeper, &p->has_keeper, keeper_main, p, err) &&
	       start_thread(&p->claimer, &p->has_claimer, claimer_main, p, err);
}

bool pool_start(const struct pool_options *opt, struct pool **ret, struct err *err)
{
	struct pool *p = mem_alloc(sizeof(*p));
	if (!p)
		return err_set(err, ERR_MEMORY, "out of memory");
	p->opt = *opt;
	if (!p->opt.attempt_arena_bytes)
		p->opt.attempt_arena_bytes = ARENA_BYTES;
	p->mean_us = AHEAD_US;
	pthread_mutex_init(&p->lock, NULL);
	clock_cond_init(&p->work);
	clock_cond_init(&p->room);
	clock_cond_init(&p->finished);
	clock_cond_init(&p->tick);
	list_init(&p->claimed);
	list_init(&p->ended);
	p->cache = cache_new(CACHE_ENTRIES);
	p->workers = mem_alloc_array((size_t)opt->workers, sizeof(*p->workers));
	bool ok = p->cache && p->workers ? start_threads(p, err)
					 : err_set(err, ERR_MEMORY, "out of memory");
	if (!ok) {
		pool_stop(p, 0);
		pool_free(p);
		return false;
	}
	*ret = p;
	return true;
}

static void join(pthread_t t, bool *has)
{
	if (*has)
		pthread_join(t, NULL);
	*has = false;
}

static void wait_for_workers(struct pool *p, int64_t grace_ms)
{
	int64_t until = clock_mono_ms() + grace_ms;
	pthread_mutex_lock(&p->lock);
	while (p->counts.running > 0 && clock_mono_ms() < until)
		wait_locked(p, &p->room, 50);
	pthread_mutex_unlock(&p->lock);
}

void pool_stop(struct pool *p, int64_t grace_ms)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop_claim = true;
	pthread_cond_broadcast(&p->room);
	pthread_cond_broadcast(&p->tick);
	pthread_mutex_unlock(&p->lock);
	join(p->claimer, &p->has_claimer);
	join(p->keeper, &p->has_keeper);
	pthread_mutex_lock(&p->lock);
	p->stop_work = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	wait_for_workers(p, grace_ms);
	for (int i = 0; p->workers && i < p->opt.workers; i++) {
		if (p->workers[i].http)
			http_client_abort(p->workers[i].http);
	}
	for (int i = 0; p->workers && i < p->opt.workers; i++)
		join(p->workers[i].thread, &p->workers[i].started);
	pthread_mutex_lock(&p->lock);
	p->stop_rest = true;
	pthread_cond_broadcast(&p->finished);
	pthread_cond_broadcast(&p->tick);
	pthread_mutex_unlock(&p->lock);
	join(p->settler, &p->has_settler);
	join(p->beater, &p->has_beater);
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (int i = 0; p->workers && i < p->opt.workers; i++)
		http_client_free(p->workers[i].http);
	for (struct run *r; (r = list_pop(&p->claimed));)
		run_free(r);
	for (struct run *r; (r = list_pop(&p->ended));)
		run_free(r);
	mem_free(p->workers);
	cache_free(p->cache);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->room);
	pthread_cond_destroy(&p->finished);
	pthread_cond_destroy(&p->tick);
	pthread_mutex_destroy(&p->lock);
	mem_free(p);
}

void pool_count(struct pool *p, struct pool_counts *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->counts;
	ret->waiting = (int)p->claimed.n;
	pthread_mutex_unlock(&p->lock);
}
