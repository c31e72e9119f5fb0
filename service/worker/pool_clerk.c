/*
 * pool_clerk.c: the threads that speak to the queue. A clerk takes what has ended and the room that
 * is left, stores and claims in one round trip, and hands the new jobs to the workers. While jobs
 * are short it waits a moment for more of them, so that one visit to the disk serves many; of a
 * long job the outcome is stored at once. When a claim found less than was asked for, the listener
 * waits for Redis to tell of more.
 */
#include "base/base.h"

#include "pool_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#define LINGER_MS 1 /* for more outcomes of short jobs */
#define LISTEN_MS 500
#define REDIS_AWAY_MS 200
#define STILL_RUNS_MS 1000 /* until a job that is still run here is asked for again */
#define TURN_ARENA ((size_t)32 << 20)

/* --- outcomes --- */

/* The flow's name of a job's connection, for metrics: never the connection itself. */
static void count_run(struct pool *p, const struct run *r, const char *verdict)
{
	CLEANUP(connection_unref) struct connection *c = store_find(p->opt.store, r->job.conn);
	const char *flow = c ? c->flow : "";
	struct metrics *m = p->opt.metrics;
	if (r->outcome.verdict == FINISH_STALE)
		metrics_add(m, METRIC_LEASES_LOST, flow, NULL, 1);
	if (r->job.type == JOB_FOLLOW)
		metrics_add(m, METRIC_FOLLOWS, flow, r->err.code == ERR_NONE ? "ok" : verdict, 1);
	if (r->job.type == JOB_POLL)
		metrics_add(m, METRIC_POLLS, flow, r->err.code == ERR_NONE ? "ok" : verdict, 1);
	if (r->job.type != JOB_TRANSFER)
		return;
	metrics_add(m, METRIC_ATTEMPTS, flow, verdict, 1);
	if (r->outcome.delivered && !r->job.delivered)
		metrics_add(m, METRIC_DELIVERED, flow, r->job.kind, 1);
}

static const char *verdict_of(const struct queue_outcome *o)
{
	if (o->verdict == FINISH_STALE)
		return "lease_lost";
	if (o->hand_back)
		return "handed_back";
	return o->keep ? "kept" : state_name(o->state);
}

static void log_run(const struct run *r, const char *verdict)
{
	const struct queue_outcome *o = &r->outcome;
	bool bad = o->state == STATE_SYSTEM_FAULT || o->verdict == FINISH_ILLEGAL;
	bool is_round = r->job.type == JOB_POLL || r->job.type == JOB_SYNC ||
			(r->job.type == JOB_FOLLOW && r->err.code == ERR_NONE);
	enum log_level level = bad ? LOG_ERROR : o->hand_back || is_round ? LOG_DEBUG : LOG_INFO;
	if (o->verdict == FINISH_ILLEGAL)
		log_event(LOG_ERROR, "illegal_move", LOG_S("job", r->job.id), LOG_S("to", verdict));
	log_event(level, "job", LOG_S("job", r->job.id), LOG_S("connection", r->job.conn),
		  LOG_S("kind", r->job.kind), LOG_I("attempt", r->job.try_no),
		  LOG_S("verdict", verdict),
		  LOG_S("code", r->err.code != ERR_NONE ? o->error_code : ""),
		  LOG_S("text", r->err.code != ERR_NONE ? r->err.message : ""),
		  LOG_I("ms", r->took_ms));
}

/* False when Redis is away: to be tried again. One that was changed since keeps its state, and the
 * job is tried with what is new. */
static bool pause_for_credentials(struct pool *p, const struct run *r, struct err *err)
{
	if (store_connection_set_state(p->opt.store, r->job.conn, r->conn_rev, CONNECTION_PAUSED,
				       PAUSED_CREDENTIALS, err)) {
		log_event(LOG_WARN, "connection_paused", LOG_S("connection", r->job.conn),
			  LOG_S("reason", PAUSED_CREDENTIALS), LOG_S("text", r->err.message));
		return true;
	}
	if (err->code == ERR_OUTAGE)
		return false;
	log_err(err->code == ERR_CONFLICT ? LOG_INFO : LOG_WARN, "connection_not_paused", err);
	return true;
}

static void count_locked(struct pool *p, const struct run *r)
{
	if (r->outcome.verdict == FINISH_STALE)
		p->counts.lost++;
	else if (r->outcome.hand_back)
		p->counts.handed_back++;
	else if (r->err.code != ERR_NONE)
		p->counts.failed++;
	else
		p->counts.done++;
}

/* --- one turn --- */

struct turn {
	struct run *runs[QUEUE_TURN_MAX];
	struct queue_outcome outcomes[QUEUE_TURN_MAX];
	struct queue_job jobs[QUEUE_TURN_MAX];
	size_t n_runs, n_asked;
	struct queue_turn q;
};

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

/* Runs for the claimed jobs. Without memory a lease lapses and its job comes back. */
static void make_runs(struct pool *p, struct turn *t, struct list *fresh)
{
	struct list spare;
	list_init(&spare);
	pthread_mutex_lock(&p->lock);
	while (spare.n < t->q.n_jobs && p->spare.head)
		list_push(&spare, list_pop(&p->spare));
	pthread_mutex_unlock(&p->lock);
	int64_t now_ms = clock_mono_ms();
	for (size_t i = 0; i < t->q.n_jobs; i++) {
		struct run *r = list_pop(&spare);
		if (!r)
			r = run_new(p->opt.attempt_arena_bytes);
		if (r && run_take(r, &t->jobs[i], now_ms))
			list_push(fresh, r);
		else
			run_free(r);
	}
}

static void hand_out(struct pool *p, struct turn *t)
{
	struct list fresh;
	list_init(&fresh);
	make_runs(p, t, &fresh);
	pthread_mutex_lock(&p->lock);
	p->n_asked -= t->n_asked;
	p->counts.claimed += fresh.n;
	if (t->q.n_jobs < t->n_asked)
		p->is_dry = true;
	pthread_cond_signal(&p->quiet);
	bool any = fresh.head != NULL;
	for (struct run *r; (r = list_pop(&fresh));) {
		lease_add_locked(p, r);
		if (pool_take_in_hands_locked(p, r)) {
			list_push(&p->claimed, r);
		} else {
			run_hand_back(r, STILL_RUNS_MS);
			list_push(&p->ended, r);
			pthread_cond_signal(&p->desk);
		}
	}
	if (any)
		pthread_cond_signal(&p->work); /* each that wakes wakes the next */
	pthread_mutex_unlock(&p->lock);
}

/* Before the outcomes: a job that went back would be claimed again and burn another login. */
static void pause_first(struct clerk *c)
{
	struct pool *p = c->pool;
	const struct turn *t = c->turn;
	struct err err = ERR_INIT;
	bool stop = false;
	for (size_t i = 0; i < t->n_runs; i++)
		while (t->runs[i]->pause_connection && !stop &&
		       !pause_for_credentials(p, t->runs[i], &err)) {
			pool_heard(p, (size_t)(c - p->clerks));
			clock_sleep_ms(REDIS_AWAY_MS);
			pthread_mutex_lock(&p->lock);
			stop = p->stop_rest;
			pthread_mutex_unlock(&p->lock);
		}
}

/* Makes an outcome that Redis refuses smaller: without its timeline, then a fault of ours that says
 * no more than why. False: there is nothing left to leave out. */
static bool make_smaller(struct queue_outcome *o, const struct err *why)
{
	const struct queue_outcome bare = { .id = o->id,
					    .fence = o->fence,
					    .state = STATE_SYSTEM_FAULT,
					    .delay_ms = -1,
					    .delivered = o->delivered,
					    .error_code = err_code_name(why->code) };
	if (o->n_entries) {
		o->n_entries = 0;
		return true;
	}
	if (o->error_code == bare.error_code && !o->error_json)
		return false;
	*o = bare;
	return true;
}

/* False: the process ends. */
static bool wait_for_redis(struct clerk *c, const struct err *why)
{
	struct pool *p = c->pool;
	log_err(LOG_WARN, "outcomes_wait", why);
	clock_sleep_ms(REDIS_AWAY_MS);
	pthread_mutex_lock(&p->lock);
	bool stop = p->stop_rest;
	pthread_mutex_unlock(&p->lock);
	return !stop;
}

/*
 * What a turn could not store. While Redis is away it is tried until the process ends; what is
 * refused is found by halves, and holds up nobody else.
 */
static void store_again(struct clerk *c, struct err *err)
{
	struct turn *t = c->turn;
	size_t part = t->n_runs;
	for (size_t at = 0; at < t->n_runs && !t->q.stored;) {
		struct queue_outcome *first = &t->outcomes[at];
		size_t n = part < t->n_runs - at ? part : t->n_runs - at;
		pool_heard(c->pool, (size_t)(c - c->pool->clerks));
		if (err->code == ERR_OUTAGE) {
			if (!wait_for_redis(c, err))
				return;
		} else if (err->code != ERR_NONE && n > 1) {
			n = part = n / 2;
		} else if (err->code != ERR_NONE && !make_smaller(first, err)) {
			log_err(LOG_ERROR, "outcome_not_stored", err);
			first->verdict = FINISH_STALE; /* its lease lapses */
			*err = (struct err)ERR_INIT;
			at++;
			continue;
		}
		struct queue_turn again = { .outcomes = first, .n_outcomes = n };
		*err = (struct err)ERR_INIT;
		arena_clear(c->arena);
		if (queue_turn(c->pool->opt.queue, c->arena, &again, err))
			at += n;
	}
	t->q.stored = true;
}

static void close_leases(struct pool *p, struct turn *t)
{
	for (size_t i = 0; i < t->n_runs; i++)
		t->runs[i]->outcome.verdict = t->outcomes[i].verdict;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < t->n_runs; i++) {
		lease_remove_locked(p, t->runs[i]);
		count_locked(p, t->runs[i]);
	}
	p->n_settling -= t->n_runs;
	pthread_mutex_unlock(&p->lock);
}

static void tell_and_keep(struct pool *p, struct turn *t)
{
	for (size_t i = 0; i < t->n_runs; i++) {
		struct run *r = t->runs[i];
		const char *verdict = verdict_of(&r->outcome);
		if (p->opt.metrics)
			count_run(p, r, verdict);
		log_run(r, verdict);
		run_clear(r);
	}
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < t->n_runs; i++)
		list_push(&p->spare, t->runs[i]);
	pthread_mutex_unlock(&p->lock);
}

static void take_turn(struct clerk *c)
{
	struct pool *p = c->pool;
	struct turn *t = c->turn;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < t->n_runs; i++)
		t->outcomes[i] = t->runs[i]->outcome;
	t->q = (struct queue_turn) { .outcomes = t->outcomes,
				     .n_outcomes = t->n_runs,
				     .jobs = t->jobs,
				     .max_jobs = t->n_asked };
	arena_clear(c->arena);
	pause_first(c);
	bool ok = queue_turn(p->opt.queue, c->arena, &t->q, &err);
	hand_out(p, t);
	if (!ok && t->q.stored) {
		log_err(LOG_DEBUG, "claim_failed", &err);
		clock_sleep_ms(REDIS_AWAY_MS);
	}
	store_again(c, &err);
	close_leases(p, t);
	tell_and_keep(p, t);
}

/* --- clerks --- */

bool pool_clerk_new(struct pool *p, struct clerk *ret, struct err *err)
{
	*ret = (struct clerk) { .pool = p,
				.arena = arena_new(TURN_ARENA),
				.turn = mem_alloc(sizeof(*ret->turn)) };
	return (ret->arena && ret->turn) || err_set(err, ERR_MEMORY, "out of memory");
}

void pool_clerk_release(struct clerk *c)
{
	arena_free(c->arena);
	mem_free(c->turn);
}

bool pool_lingers_locked(const struct pool *p)
{
	return p->mean_us < SHORT_US && p->ended.n < QUEUE_TURN_MAX &&
	       (p->claimed.n > 0 || p->counts.running > 0);
}

/* Waits for something to do; false: the end. */
static bool wait_for_business_locked(struct pool *p)
{
	for (;;) {
		if (p->ended.n) {
			if (pool_lingers_locked(p))
				pool_wait_locked(p, &p->desk, LINGER_MS);
			return true;
		}
		if (!p->stop_claim && !p->is_dry && pool_room_locked(p))
			return true;
		if (p->stop_rest)
			return false;
		pthread_cond_wait(&p->desk, &p->lock);
	}
}

void *pool_clerk_main(void *arg)
{
	struct clerk *c = arg;
	struct pool *p = c->pool;
	struct turn *t = c->turn;
	size_t round = (size_t)(c - p->clerks);
	queue_reserve(p->opt.queue);
	pthread_mutex_lock(&p->lock);
	while (wait_for_business_locked(p)) {
		pool_heard(p, round);
		for (t->n_runs = 0; t->n_runs < QUEUE_TURN_MAX && p->ended.head; t->n_runs++)
			t->runs[t->n_runs] = list_pop(&p->ended);
		p->n_settling += t->n_runs;
		t->n_asked = p->stop_claim || p->is_dry ? 0 : pool_room_locked(p);
		p->n_asked += t->n_asked;
		if (p->is_dry)
			pthread_cond_signal(&p->quiet); /* there is room */
		pthread_mutex_unlock(&p->lock);
		if (t->n_runs || t->n_asked)
			take_turn(c);
		pool_rests(p, round);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	queue_unreserve(p->opt.queue);
	return NULL;
}

/* --- listener --- */

void *pool_listener_main(void *arg)
{
	struct pool *p = arg;
	queue_reserve(p->opt.queue);
	pthread_mutex_lock(&p->lock);
	while (!p->stop_claim) {
		if (!p->is_dry || !pool_room_locked(p)) {
			pool_rests(p, ROUND_LISTENER);
			pthread_cond_wait(&p->quiet, &p->lock);
			continue;
		}
		pool_heard(p, ROUND_LISTENER);
		pthread_mutex_unlock(&p->lock);
		if (!queue_wait(p->opt.queue, LISTEN_MS, NULL))
			clock_sleep_ms(REDIS_AWAY_MS);
		pthread_mutex_lock(&p->lock);
		p->is_dry = false;
		pthread_cond_signal(&p->desk);
	}
	pthread_mutex_unlock(&p->lock);
	queue_unreserve(p->opt.queue);
	return NULL;
}
