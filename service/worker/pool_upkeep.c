/*
 * pool_upkeep.c: the beater renews the leases of what this process holds, and hands back what was
 * claimed ahead and cannot run soon; the keeper keeps the house: what is due, dead leases, polls, a
 * Redis that lost data, and memory that is not needed any more.
 */
#include "base/base.h"

#include "pool_internal.h"
#include "sync.h"

#include "base/alloc.h"

#include "base/clock.h"
#include "base/log.h"

#define KEEPER_MS 1000
#define WARN_EVERY_MS 60000
#define BEAT_ARENA ((size_t)8 << 20)
#define SHED_MS 1000 /* so long a claimed job may wait for a worker */
#define SPARE_KEPT 64

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

static int by_fence(const void *a, const void *b)
{
	const struct queue_lease *x = a, *y = b;
	return (x->fence > y->fence) - (x->fence < y->fence);
}

/* A fence belongs to one job. */
static void spread_locked(struct pool *p, struct queue_lease *leases, size_t n)
{
	qsort(leases, n, sizeof(*leases), by_fence);
	for (struct run *r = p->leases; r; r = r->beat_next) {
		const struct queue_lease key = { .fence = r->job.fence };
		const struct queue_lease *l = bsearch(&key, leases, n, sizeof(key), by_fence);
		if (l && l->lost)
			atomic_store(&r->lost, true);
		else if (l)
			atomic_store(&r->deadline_ms, l->deadline_ms);
	}
}

/*
 * Short jobs were claimed ahead, and now the workers are held up by long ones: what waits too long
 * goes back, since somebody else may be idle.
 */
static void shed_locked(struct pool *p)
{
	int64_t then_ms = clock_mono_ms() - SHED_MS;
	if (!p->claimed.head || p->claimed.head->claimed_ms > then_ms)
		return;
	p->mean_us = SHORT_US;
	while (p->claimed.head && p->claimed.head->claimed_ms <= then_ms) {
		struct run *r = list_pop(&p->claimed);
		run_hand_back(r, 0);
		pool_out_of_hands_locked(p, r);
		list_push(&p->ended, r);
	}
	pthread_cond_signal(&p->desk);
}

void *pool_beater_main(void *arg)
{
	struct pool *p = arg;
	struct arena *arena = arena_new(BEAT_ARENA);
	queue_reserve(p->opt.queue);
	pthread_mutex_lock(&p->lock);
	while (!p->stop_rest && arena) {
		pool_heard(p, ROUND_BEATER);
		pool_wait_locked(p, &p->tick, p->opt.beat_ms);
		shed_locked(p);
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
	queue_unreserve(p->opt.queue);
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

/* A crowd of short jobs leaves many runs behind. */
static void free_spare(struct pool *p)
{
	struct list many;
	list_init(&many);
	pthread_mutex_lock(&p->lock);
	while (p->spare.n > SPARE_KEPT + p->n_leases)
		list_push(&many, list_pop(&p->spare));
	pthread_mutex_unlock(&p->lock);
	for (struct run *r; (r = list_pop(&many));)
		run_free(r);
}

/* Rounds of the keeper between two trims of the heap. */
#define TRIM_ROUNDS 5

static void keep_house(struct pool *p)
{
	struct err err = ERR_INIT, refresh = ERR_INIT;
	struct queue_tick tick = { 0 };
	if (!sync_epoch(p, &err)) {
		log_err(p->is_redis_away ? LOG_DEBUG : LOG_WARN, "redis_away", &err);
		p->is_redis_away = true;
		return;
	}
	if (p->is_redis_away)
		log_event(LOG_INFO, "redis_back", LOG_S("text", "Redis answers again"));
	p->is_redis_away = false;
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
		if (tick.given_up)
			log_event(LOG_ERROR, "runs_lost", LOG_I("given_up", tick.given_up),
				  LOG_S("text", "each run of a document ended with its process"));
		if (tick.clock_jump_ms)
			log_event(LOG_WARN, "redis_clock_jumped", LOG_I("ms", tick.clock_jump_ms),
				  LOG_S("text", "the clock of the Redis host was set"));
	} while (tick.more);
	sync_tick(p);
}

void *pool_keeper_main(void *arg)
{
	struct pool *p = arg;
	unsigned rounds = 0;
	queue_reserve(p->opt.queue);
	pthread_mutex_lock(&p->lock);
	while (!p->stop_claim) {
		pool_heard(p, ROUND_KEEPER);
		pthread_mutex_unlock(&p->lock);
		free_spare(p);
		keep_house(p);
		if (++rounds % TRIM_ROUNDS == 0)
			mem_trim();
		pthread_mutex_lock(&p->lock);
		if (!p->stop_claim)
			pool_wait_locked(p, &p->tick, KEEPER_MS);
	}
	pthread_mutex_unlock(&p->lock);
	queue_unreserve(p->opt.queue);
	return NULL;
}
