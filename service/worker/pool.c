/*
 * pool.c: the workers, and the start and stop of all threads of the worker side. Very short jobs
 * are claimed ahead of the workers, so far as a few milliseconds of work reach; long ones never,
 * since a claimed job holds its vendor's slot.
 *
 * A job's road: clerk → claimed list → a worker → ended list → clerk → spare list. Until its
 * outcome is stored it stands in the list of leases, which the beater renews.
 */
#include "base/base.h"

#include "pool_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#define AHEAD_US SHORT_US /* work that may be claimed ahead */
#define AHEAD_MAX ((int64_t)2 * QUEUE_TURN_MAX) /* a turn of each clerk */
#define CACHE_ENTRIES 4096
#define ARENA_BYTES ((size_t)192 << 20)

void list_init(struct list *l)
{
	*l = (struct list) { .tail = &l->head };
}

void list_push(struct list *l, struct run *r)
{
	r->next = NULL;
	*l->tail = r;
	l->tail = &r->next;
	l->n++;
}

struct run *list_pop(struct list *l)
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

void pool_heard(struct pool *p, size_t round)
{
	atomic_store(&p->heard_ms[round], clock_mono_ms());
}

void pool_rests(struct pool *p, size_t round)
{
	atomic_store(&p->heard_ms[round], 0);
}

void pool_wait_locked(struct pool *p, pthread_cond_t *cond, int64_t ms)
{
	struct timespec until = clock_deadline(ms);
	pthread_cond_timedwait(cond, &p->lock, &until);
}

size_t pool_room_locked(const struct pool *p)
{
	int64_t in_hand = (int64_t)p->n_leases - (int64_t)p->n_settling + (int64_t)p->n_asked;
	int64_t ahead = 0;
	if (p->mean_us < SHORT_US)
		ahead = AHEAD_US * p->opt.workers / (p->mean_us > 0 ? p->mean_us : 1);
	if (ahead > AHEAD_MAX)
		ahead = AHEAD_MAX;
	int64_t room = p->opt.workers + ahead - in_hand;
	if (room > QUEUE_TURN_MAX)
		room = QUEUE_TURN_MAX;
	return room > 0 ? (size_t)room : 0;
}

/* FNV-1a; ids are digests already, but for tasks. */
static struct run **hands_of(struct pool *p, const char *id)
{
	uint32_t h = 0x811c9dc5u;
	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * 0x01000193u;
	return &p->in_hands[h % HANDS];
}

bool pool_take_in_hands_locked(struct pool *p, struct run *r)
{
	struct run **first = hands_of(p, r->job.id);
	for (struct run *other = *first; other; other = other->same_next)
		if (str_eq(other->job.id, r->job.id))
			return false;
	r->same_next = *first;
	*first = r;
	return true;
}

void pool_out_of_hands_locked(struct pool *p, struct run *r)
{
	struct run **at = hands_of(p, r->job.id);
	while (*at && *at != r)
		at = &(*at)->same_next;
	if (*at)
		*at = r->same_next;
	r->same_next = NULL;
}

/* --- workers --- */

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	struct run_context ctx = {
		.opt = &p->opt, .cache = p->cache, .http = http_client_transport(w->http), .pool = p
	};
	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct run *r = list_pop(&p->claimed);
		if (!r) {
			if (p->stop_work)
				break;
			if (pool_help_locked(p, &ctx))
				continue;
			p->idle++;
			pthread_cond_wait(&p->work, &p->lock);
			p->idle--;
			if (p->claimed.n > 1 && p->idle > 0)
				pthread_cond_signal(&p->work);
			continue;
		}
		bool give_back = p->stop_claim;
		p->counts.running++;
		pthread_mutex_unlock(&p->lock);
		int64_t began_us = clock_mono_us();
		if (give_back)
			run_hand_back(r, 0);
		else
			run_attempt(r, &ctx);
		int64_t took_us = clock_mono_us() - began_us;
		pthread_mutex_lock(&p->lock);
		p->mean_us += (took_us - p->mean_us) / 16;
		p->counts.running--;
		pool_out_of_hands_locked(p, r);
		list_push(&p->ended, r);
		if (p->ended.n == 1 || !pool_lingers_locked(p))
			pthread_cond_signal(&p->desk);
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
	for (int i = 0; i < N_CLERKS; i++) {
		struct clerk *c = &p->clerks[i];
		if (!pool_clerk_new(p, c, err) ||
		    !start_thread(&c->thread, &c->started, pool_clerk_main, c, err))
			return false;
	}
	return start_thread(&p->beater, &p->has_beater, pool_beater_main, p, err) &&
	       start_thread(&p->keeper, &p->has_keeper, pool_keeper_main, p, err) &&
	       start_thread(&p->listener, &p->has_listener, pool_listener_main, p, err);
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
	clock_cond_init(&p->desk);
	clock_cond_init(&p->quiet);
	clock_cond_init(&p->tick);
	clock_cond_init(&p->crew);
	list_init(&p->claimed);
	list_init(&p->ended);
	list_init(&p->spare);
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
		pool_wait_locked(p, &p->quiet, 50);
	pthread_mutex_unlock(&p->lock);
}

/* What is being claimed still comes; then nothing more does. */
static void stop_claiming(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop_claim = true;
	pthread_cond_broadcast(&p->desk);
	pthread_cond_broadcast(&p->quiet);
	pthread_cond_broadcast(&p->tick);
	pthread_mutex_unlock(&p->lock);
	join(p->listener, &p->has_listener);
	join(p->keeper, &p->has_keeper);
	pthread_mutex_lock(&p->lock);
	while (p->n_asked > 0)
		pool_wait_locked(p, &p->quiet, 50);
	pthread_mutex_unlock(&p->lock);
}

void pool_stop(struct pool *p, int64_t grace_ms)
{
	if (!p)
		return;
	stop_claiming(p);
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
	pthread_cond_broadcast(&p->desk);
	pthread_cond_broadcast(&p->tick);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < N_CLERKS; i++)
		join(p->clerks[i].thread, &p->clerks[i].started);
	join(p->beater, &p->has_beater);
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (int i = 0; p->workers && i < p->opt.workers; i++)
		http_client_free(p->workers[i].http);
	struct list *lists[] = { &p->claimed, &p->ended, &p->spare };
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct run *r; (r = list_pop(lists[i]));)
			run_free(r);
	for (int i = 0; i < N_CLERKS; i++)
		pool_clerk_release(&p->clerks[i]);
	mem_free(p->workers);
	cache_free(p->cache);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->desk);
	pthread_cond_destroy(&p->quiet);
	pthread_cond_destroy(&p->tick);
	pthread_cond_destroy(&p->crew);
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

void pool_silence(struct pool *p, struct pool_silence *ret)
{
	static const char *const names[] = {
		[ROUND_LISTENER] = "listener", [ROUND_BEATER] = "beater", [ROUND_KEEPER] = "keeper"
	};
	int64_t now_ms = clock_mono_ms();
	*ret = (struct pool_silence) { .thread = "" };
	for (size_t i = 0; i < N_ROUNDS; i++) {
		int64_t heard_ms = atomic_load(&p->heard_ms[i]);
		if (heard_ms && now_ms - heard_ms > ret->ms)
			*ret = (struct pool_silence) { i < N_CLERKS ? "clerk" : names[i],
						       now_ms - heard_ms };
	}
}
