/* test_redis_check.c: what the start-up check says of a Redis set up well, and set up badly. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "net/redis.h"
#include "redis_fixture.h"

static struct redis_fixture server;
static struct arena *arena;

static struct redis_pool *new_pool(const char *url)
{
	struct redis_pool *pool = NULL;
	struct err err = ERR_INIT;
	const struct redis_options opt = { .url = url, .prefix = "t:", .pool_size = 1 };
	if (!redis_pool_new(&opt, &pool, &err))
		fail_msg("%s", err.message);
	return pool;
}

static void command(struct redis_pool *pool, const char *text)
{
	CLEANUP(redis_give_back) struct redis *r = NULL;
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;
	if (!redis_borrow(pool, 1000, &r, &err) ||
	    !redis_commandf(r, arena, &v, &err, "%s", "PING"))
		fail_msg("%s", err.message);
	char copy[200], *save = NULL;
	struct span words[10];
	size_t n = 0;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[n++] = span_of(w);
	if (!redis_command(r, arena, words, n, &v, &err))
		fail_msg("%s: %s", text, err.message);
}

static struct redis_health check(struct redis_pool *pool)
{
	struct redis_health health;
	struct err err = ERR_INIT;
	if (!redis_check(pool, arena, &health, &err))
		fail_msg("%s", err.message);
	return health;
}

static void a_durable_primary_is_usable(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(server.url);
	struct redis_health health = check(pool);
	assert_true(health.usable);
	assert_int_equal(health.durability, REDIS_FSYNC);
	assert_false(health.evicts || health.is_replica);
	assert_true(health.version[0] >= '6');
	assert_int_equal(strlen(health.run_id), 40);
	assert_string_equal(health.maxmemory_policy, "noeviction");
	assert_non_null(strstr(health.text, "durability fsync"));

	assert_true(redis_fixture_restart(&server));
	struct redis_health after = check(pool);
	assert_string_not_equal(after.run_id, health.run_id);
}

static const struct {
	const char *set, *undo;
	enum redis_durability durability;
	bool usable;
	const char *says;
} settings[] = {
	{ "CONFIG SET appendfsync everysec", "CONFIG SET appendfsync always", REDIS_EVERYSEC, true,
	  "appendfsync always" },
	{ "CONFIG SET appendfsync no", "CONFIG SET appendfsync always", REDIS_MEMORY, true,
	  "appendfsync always" },
	{ "CONFIG SET appendonly no", "CONFIG SET appendonly yes", REDIS_MEMORY, true,
	  "appendonly yes" },
	{ "CONFIG SET no-appendfsync-on-rewrite yes", "CONFIG SET no-appendfsync-on-rewrite no",
	  REDIS_MEMORY, true, "no-appendfsync-on-rewrite" },
	{ "CONFIG SET maxmemory-policy allkeys-lru", "CONFIG SET maxmemory-policy noeviction",
	  REDIS_FSYNC, true, "durability fsync." },
	{ "CONFIG SET maxmemory 100mb maxmemory-policy volatile-lru",
	  "CONFIG SET maxmemory 0 maxmemory-policy noeviction", REDIS_FSYNC, false, "noeviction" },
	{ "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", REDIS_FSYNC, false, "replica" },
};

static void each_weakness_is_named_with_its_cure(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(server.url);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		command(pool, settings[i].set);
		struct redis_health health = check(pool);
		command(pool, settings[i].undo);
		if (health.durability != settings[i].durability ||
		    health.usable != settings[i].usable || !strstr(health.text, settings[i].says))
			fail_msg("%s: %s", settings[i].set, health.text);
	}
	assert_true(check(pool).usable);
}

static void where_CONFIG_is_forbidden_nothing_is_promised(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *admin = new_pool(server.url);
	command(admin, "ACL SETUSER app on >pw ~* +@all -config");
	char url[200];
	snprintf(url, sizeof(url), "%s?user=app&password=pw", server.url);
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(url);
	struct redis_health health = check(pool);
	assert_true(health.usable);
	assert_int_equal(health.durability, REDIS_MEMORY);
	assert_string_equal(health.maxmemory_policy, "noeviction");
	assert_non_null(strstr(health.text, "CONFIG is not allowed"));
	command(admin, "ACL DELUSER app");
}

static void no_redis_is_an_outage(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool("unix:///nonexistent/sock");
	struct redis_health health;
	struct err err = ERR_INIT;
	assert_false(redis_check(pool, arena, &health, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
}

static int start(void **state)
{
	(void)state;
	arena = arena_new(4 << 20);
	return arena && redis_fixture_start(&server) ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	redis_fixture_stop(&server);
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_durable_primary_is_usable),
		cmocka_unit_test(each_weakness_is_named_with_its_cure),
		cmocka_unit_test(where_CONFIG_is_forbidden_nothing_is_promised),
		cmocka_unit_test(no_redis_is_an_outage),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
