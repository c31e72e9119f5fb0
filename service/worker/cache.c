/*
 * cache.c: a hash table with chains under one leaf mutex. Guarantees that no value outlives its
 * time and that memory is bounded. Does not fetch: two workers that miss at once both fetch, and
 * the later one wins.
 */
#include "base/base.h"

#include "cache.h"

#include "base/alloc.h"
#include "base/clock.h"

#define BUCKETS 1024

struct entry {
	struct entry *next;
	char *key, *value;
	size_t value_n;
	int64_t until_ms;
};

struct cache {
	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];
	size_t n, max;
};

static size_t bucket_of(const char *key)
{
	uint64_t h = 1469598103934665603u;
	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	return h % BUCKETS;
}

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	mem_free_wiped(e->value, e->value_n);
	mem_free(e->key);
	mem_free(e);
}

struct cache *cache_new(size_t max_entries)
{
	struct cache *c = mem_alloc(sizeof(*c));
	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	c->max = max_entries;
	return c;
}

static void drop_all(struct cache *c)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (c->buckets[i]) {
			struct entry *e = c->buckets[i];
			c->buckets[i] = e->next;
			entry_free(e);
		}
	}
	c->n = 0;
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	drop_all(c);
	pthread_mutex_destroy(&c->lock);
	mem_free(c);
}

/* Takes the entry out of its chain; NULL when absent. */
static struct entry *take_locked(struct cache *c, const char *key)
{
	for (struct entry **at = &c->buckets[bucket_of(key)]; *at; at = &(*at)->next) {
		if (strcmp((*at)->key, key) == 0) {
			struct entry *e = *at;
			*at = e->next;
			c->n--;
			return e;
		}
	}
	return NULL;
}

const char *cache_get(struct cache *c, struct arena *arena, const char *key)
{
	const char *ret = NULL;
	pthread_mutex_lock(&c->lock);
	for (struct entry *e = c->buckets[bucket_of(key)]; e; e = e->next) {
		if (strcmp(e->key, key) != 0)
			continue;
		if (e->until_ms > clock_mono_ms())
			ret = arena_memdup(arena, e->value, e->value_n);
		break;
	}
	pthread_mutex_unlock(&c->lock);
	return ret;
}

void cache_set(struct cache *c, const char *key, const char *value, int64_t ttl_ms)
{
	struct entry *e = value ? mem_alloc(sizeof(*e)) : NULL;
	if (e) {
		e->key = mem_strdup(key);
		e->value = mem_strdup(value);
		e->value_n = strlen(value);
		e->until_ms = clock_mono_ms() + ttl_ms;
		if (!e->key || !e->value) {
			entry_free(e);
			e = NULL;
		}
	}
	pthread_mutex_lock(&c->lock);
	struct entry *old = take_locked(c, key);
	if (e) {
		if (c->n >= c->max)
			drop_all(c);
		size_t b = bucket_of(key);
		e->next = c->buckets[b];
		c->buckets[b] = e;
		c->n++;
	}
	pthread_mutex_unlock(&c->lock);
	entry_free(old);
}
