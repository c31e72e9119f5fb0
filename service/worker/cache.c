/*
 * cache.c: a hash table with chains under one leaf mutex, and beside it the list of fetches that
 * are under way. Guarantees that no value outlives its time, that memory is bounded, and that of
 * those who join for one key at most one fetches at a time. Does not fetch itself.
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

/* One fetch under way, and what came of it until the last who waits has taken it. */
struct flight {
	struct flight *next; /* in the cache's list while it is under way */
	char *key, *value;
	size_t value_n;
	struct err err; /* code ERR_NONE: landed with a value */
	unsigned n_waiting;
	bool is_over;
	pthread_cond_t over;
};

struct cache {
	pthread_mutex_t lock;
	struct flight *flights;
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
	assert(!c->flights); /* its users are gone */
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

static const struct entry *find_locked(const struct cache *c, const char *key)
{
	for (const struct entry *e = c->buckets[bucket_of(key)]; e; e = e->next)
		if (strcmp(e->key, key) == 0)
			return e->until_ms > clock_mono_ms() ? e : NULL;
	return NULL;
}

const char *cache_get(struct cache *c, struct arena *arena, const char *key)
{
	const char *ret = NULL;
	pthread_mutex_lock(&c->lock);
	const struct entry *e = find_locked(c, key);
	if (e)
		ret = arena_memdup(arena, e->value, e->value_n);
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

/* ---- fetching ------------------------------------------------------------------------------ */

static void flight_free(struct flight *f)
{
	if (!f)
		return;
	mem_free_wiped(f->value, f->value_n);
	mem_free(f->key);
	pthread_cond_destroy(&f->over);
	mem_free(f);
}

static struct flight *flight_new(const char *key)
{
	struct flight *f = mem_alloc(sizeof(*f));
	if (!f)
		return NULL;
	clock_cond_init(&f->over);
	f->err = (struct err)ERR_INIT;
	f->key = mem_strdup(key);
	if (!f->key) {
		flight_free(f);
		return NULL;
	}
	return f;
}

static struct flight *flight_of_locked(const struct cache *c, const char *key)
{
	struct flight *f = c->flights;
	while (f && strcmp(f->key, key) != 0)
		f = f->next;
	return f;
}

/* Not the vendor's word, only that worker's luck: another may fare better. */
static bool is_own_failure(const struct err *err)
{
	switch (err->code) {
	case ERR_LIMIT:
	case ERR_MEMORY:
	case ERR_LEASE:
		return true;
	case ERR_NONE:
	case ERR_INPUT:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_DATA:
	case ERR_DUPLICATE:
	case ERR_CREDENTIALS:
	case ERR_QUOTA:
	case ERR_OUTAGE:
	case ERR_DOUBT:
	case ERR_BUSY:
	case ERR_WAITING:
	case ERR_SYSTEM:
		return false;
	}
	return false;
}

static enum cache_answer give(const struct cache_ask *ask, const char *value, size_t n,
			      const char **ret, struct err *err)
{
	*ret = arena_memdup(ask->arena, value, n);
	if (*ret)
		return CACHE_HERE;
	err_set(err, ERR_LIMIT, "arena full");
	return CACHE_FAILED;
}

/* False: still under way at until_ms. */
static bool wait_locked(struct cache *c, struct flight *f, int64_t until_ms)
{
	f->n_waiting++;
	while (!f->is_over && clock_mono_ms() < until_ms) {
		struct timespec until = clock_deadline(until_ms - clock_mono_ms());
		pthread_cond_timedwait(&f->over, &c->lock, &until);
	}
	f->n_waiting--;
	return f->is_over;
}

/* What a fetch that is over tells those who waited; false: nothing, they ask again. */
static bool tell(const struct flight *f, const struct cache_ask *ask, const char **ret,
		 struct err *err, enum cache_answer *ret_answer)
{
	if (f->value && !str_eq(f->value, ask->refused)) {
		*ret_answer = give(ask, f->value, f->value_n, ret, err);
		return true;
	}
	if (f->value || is_own_failure(&f->err))
		return false;
	if (err)
		*err = f->err;
	*ret_answer = CACHE_FAILED;
	return true;
}

static enum cache_answer join_locked(struct cache *c, const struct cache_ask *ask, const char **ret,
				     struct err *err)
{
	for (struct flight *f;;) {
		enum cache_answer answer;
		const struct entry *e = find_locked(c, ask->key);
		if (e && !str_eq(e->value, ask->refused))
			return give(ask, e->value, e->value_n, ret, err);
		f = flight_of_locked(c, ask->key);
		if (!f)
			break;
		if (!wait_locked(c, f, ask->until_ms))
			return CACHE_LATE;
		bool is_told = tell(f, ask, ret, err, &answer);
		if (!f->n_waiting)
			flight_free(f);
		if (is_told)
			return answer;
	}
	struct flight *own = flight_new(ask->key);
	if (!own) {
		err_set(err, ERR_MEMORY, "out of memory");
		return CACHE_FAILED;
	}
	own->next = c->flights;
	c->flights = own;
	return CACHE_YOURS;
}

enum cache_answer cache_join(struct cache *c, const struct cache_ask *ask, const char **ret,
			     struct err *err)
{
	pthread_mutex_lock(&c->lock);
	enum cache_answer answer = join_locked(c, ask, ret, err);
	pthread_mutex_unlock(&c->lock);
	return answer;
}

void cache_land(struct cache *c, const char *key, const char *value, int64_t ttl_ms,
		const struct err *why)
{
	cache_set(c, key, value, ttl_ms);
	char *copy = value ? mem_strdup(value) : NULL;
	pthread_mutex_lock(&c->lock);
	struct flight **at = &c->flights;
	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	struct flight *f = *at;
	assert(f); /* begun by cache_join */
	*at = f->next;
	f->is_over = true;
	f->value = copy;
	f->value_n = copy ? strlen(copy) : 0;
	if (!copy && value)
		err_set(&f->err, ERR_MEMORY, "out of memory");
	else if (!copy)
		f->err = *why;
	bool is_alone = !f->n_waiting;
	pthread_cond_broadcast(&f->over);
	pthread_mutex_unlock(&c->lock);
	if (is_alone)
		flight_free(f);
}
