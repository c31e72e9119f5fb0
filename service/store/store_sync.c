/*
 * store_sync.c: asks Redis how it is, and sees to it that what must outlive it stands in it. The
 * one place where the health check, the epoch and the local copy meet; and what was met that stops
 * nothing, for those who report it.
 */
#include "base/base.h"

#include "store_internal.h"

#include "base/clock.h"

#define SYNC_ARENA ((size_t)256 << 20)
#define CHECK_EVERY_MS 10000
#define SCRIPT_TRIES 3

bool health_follow_locked(struct store *s, struct arena *arena, const char *run_id, struct err *err)
{
	struct redis_health health;
	int64_t now_ms = clock_mono_ms();
	uint64_t generation = redis_generation(s->pool);
	if (str_eq(s->health.run_id, run_id) && now_ms < s->next_check_ms &&
	    s->health_of == generation)
		return true;
	if (!redis_check(s->pool, arena, &health, err))
		return false;
	pthread_mutex_lock(&s->lock);
	s->health = health;
	s->health_of = generation;
	pthread_mutex_unlock(&s->lock);
	s->next_check_ms = now_ms + CHECK_EVERY_MS;
	return true;
}

bool store_sync(struct store *s, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SYNC_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	pthread_mutex_lock(&s->refresh_lock);
	bool done = epoch_sync_locked(s, arena, err);
	pthread_mutex_unlock(&s->refresh_lock);
	return done;
}

const char *store_lost(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	const char *lost = s->lost;
	s->lost = NULL;
	pthread_mutex_unlock(&s->lock);
	return lost;
}

bool store_script(struct store *s, struct arena *arena, const char *script, struct span *args,
		  size_t n, const struct redis_value **ret, struct err *err)
{
	for (int i = 0; i < SCRIPT_TRIES; i++) {
		struct store_epoch epoch;
		store_epoch_get(s, &epoch);
		args[0] = span_of(epoch.id);
		if (!store_call(s, arena, script, args, n, ret, err))
			return false;
		if ((*ret)->type != REDIS_STATUS)
			return true;
		if (!store_sync(s, err))
			return false;
	}
	return err_set(err, ERR_OUTAGE, "Redis loses its data all the time");
}

enum redis_durability store_durability(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	enum redis_durability known = s->health.durability;
	uint64_t of = s->health_of;
	pthread_mutex_unlock(&s->lock);
	return of == redis_generation(s->pool) ? known : REDIS_MEMORY;
}

void store_health_get(struct store *s, struct redis_health *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->health;
	pthread_mutex_unlock(&s->lock);
}

/* --- trouble --- */

void store_trouble_set(struct store *s, char *field, const struct err *err)
{
	pthread_mutex_lock(&s->lock);
	snprintf(field, STORE_TROUBLE_MAX, "%s", err ? err->message : "");
	pthread_mutex_unlock(&s->lock);
}

void store_trouble_get(struct store *s, struct store_trouble *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->trouble;
	pthread_mutex_unlock(&s->lock);
}
