/* test_cache.c: what workers share: values with a time, and one fetch for all who ask. */
#include "base/base.h"

#include <setjmp.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "base/clock.h"
#include "worker/cache.h"

#define WORKERS 16

/* A crowd that asks for one key at once. */
struct crowd {
	struct cache *cache;
	const char *refused; /* by all of them */
	int64_t until_ms;
	pthread_barrier_t start;
	atomic_int fetches, waiting;
	int fetch_ms;
	enum err_code failures[WORKERS]; /* of the n-th fetch; ERR_NONE: it brings "new" */
	enum cache_answer answers[WORKERS];
	struct err errs[WORKERS];
	char values[WORKERS][32];
};

struct asker {
	struct crowd *crowd;
	int i;
};

static void fetch(struct crowd *c, int i)
{
	int n = atomic_fetch_add(&c->fetches, 1);
	struct err err = ERR_INIT;
	clock_sleep_ms(c->fetch_ms);
	if (c->failures[n] != ERR_NONE) {
		err_set(&err, c->failures[n], "refused");
		err.retry_after_ms = 777;
		c->errs[i] = err;
		cache_land(c->cache, "k", NULL, 0, &err);
		return;
	}
	snprintf(c->values[i], sizeof(c->values[i]), "new");
	cache_land(c->cache, "k", "new", 60000, &err);
}

static void *ask(void *arg)
{
	struct asker *a = arg;
	struct crowd *c = a->crowd;
	struct arena *arena = arena_new(1 << 16);
	const char *value = NULL;
	const struct cache_ask want = {
		.arena = arena, .key = "k", .refused = c->refused, .until_ms = c->until_ms
	};
	pthread_barrier_wait(&c->start);
	c->answers[a->i] = cache_join(c->cache, &want, &value, &c->errs[a->i]);
	if (c->answers[a->i] == CACHE_YOURS)
		fetch(c, a->i);
	else if (c->answers[a->i] == CACHE_HERE)
		snprintf(c->values[a->i], sizeof(c->values[a->i]), "%s", value);
	arena_free(arena);
	return NULL;
}

static void run(struct crowd *c)
{
	pthread_t threads[WORKERS];
	struct asker askers[WORKERS];
	pthread_barrier_init(&c->start, NULL, WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		c->errs[i] = (struct err)ERR_INIT;
		askers[i] = (struct asker) { c, i };
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&c->start);
}

static int count(const struct crowd *c, enum cache_answer answer)
{
	int n = 0;
	for (int i = 0; i < WORKERS; i++)
		n += c->answers[i] == answer;
	return n;
}

static void sixteen_workers_make_one_fetch(void **state)
{
	(void)state;
	static const char *const refused[] = { NULL, "old" };
	for (size_t k = 0; k < ARRAY_SIZE(refused); k++) {
		struct crowd c = { .cache = cache_new(8),
				   .refused = refused[k],
				   .until_ms = clock_mono_ms() + 20000,
				   .fetch_ms = 300 };
		assert_non_null(c.cache);
		cache_set(c.cache, "k", "old", refused[k] ? 60000 : -1); /* refused, or run out */
		run(&c);
		assert_int_equal(atomic_load(&c.fetches), 1);
		for (int i = 0; i < WORKERS; i++)
			assert_string_equal(c.values[i], "new");
		cache_free(c.cache);
	}
}

static void a_refused_fetch_reaches_all_who_wait(void **state)
{
	(void)state;
	struct crowd c = { .cache = cache_new(8),
			   .until_ms = clock_mono_ms() + 20000,
			   .fetch_ms = 500,
			   .failures = { ERR_CREDENTIALS } };
	assert_non_null(c.cache);
	run(&c);
	assert_int_equal(atomic_load(&c.fetches), 1);
	assert_int_equal(count(&c, CACHE_FAILED), WORKERS - 1);
	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(c.errs[i].code, ERR_CREDENTIALS);
		assert_int_equal(c.errs[i].retry_after_ms, 777);
		assert_string_equal(c.errs[i].message, "refused");
	}
	cache_free(c.cache);
}

static void a_fetchers_own_bad_luck_is_not_shared(void **state)
{
	(void)state;
	struct crowd c = { .cache = cache_new(8),
			   .until_ms = clock_mono_ms() + 20000,
			   .fetch_ms = 300,
			   .failures = { ERR_LIMIT, ERR_LEASE } };
	assert_non_null(c.cache);
	run(&c);
	assert_int_equal(atomic_load(&c.fetches), 3);
	assert_int_equal(count(&c, CACHE_YOURS), 3);
	assert_int_equal(count(&c, CACHE_HERE), WORKERS - 3);
	cache_free(c.cache);
}

static void a_waiters_deadline_holds(void **state)
{
	(void)state;
	struct crowd c = { .cache = cache_new(8),
			   .until_ms = clock_mono_ms() + 100,
			   .fetch_ms = 1000 };
	int64_t before = clock_mono_ms();
	assert_non_null(c.cache);
	run(&c);
	assert_int_equal(atomic_load(&c.fetches), 1);
	assert_int_equal(count(&c, CACHE_LATE), WORKERS - 1);
	assert_true(clock_mono_ms() - before >= 1000);
	/* What came of it stands there for the next. */
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 12);
	assert_string_equal(cache_get(c.cache, arena, "k"), "new");
	cache_free(c.cache);
}

static void a_value_lives_for_its_time_and_a_full_cache_starts_anew(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 12);
	struct cache *c = cache_new(2);
	assert_non_null(c);
	cache_set(c, "a", "1", 60000);
	cache_set(c, "a", "2", 60000);
	assert_string_equal(cache_get(c, arena, "a"), "2");
	cache_set(c, "a", "3", 1);
	clock_sleep_ms(3);
	assert_null(cache_get(c, arena, "a"));
	cache_set(c, "b", "4", 60000);
	cache_set(c, "b", NULL, 60000);
	assert_null(cache_get(c, arena, "b"));
	cache_set(c, "c", "5", 60000);
	cache_set(c, "d", "6", 60000);
	assert_string_equal(cache_get(c, arena, "d"), "6");
	cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_workers_make_one_fetch),
		cmocka_unit_test(a_refused_fetch_reaches_all_who_wait),
		cmocka_unit_test(a_fetchers_own_bad_luck_is_not_shared),
		cmocka_unit_test(a_waiters_deadline_holds),
		cmocka_unit_test(a_value_lives_for_its_time_and_a_full_cache_starts_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
