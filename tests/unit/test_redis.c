/*
 * test_redis.c: pool, commands, pipelines and scripts against a real redis-server, which is killed,
 * restarted, frozen and emptied on the way. The scripts of this program stand in for those of the
 * service: the linker takes this lua_scripts[] first.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/redis.h"
#include "redis_fixture.h"

const struct lua_script lua_scripts[] = {
	{ "whoami", "return ARGV[1] .. '/' .. #KEYS .. '/' .. join(ARGV, 2)\n" },
	{ "prelude", "local function join(t, from)\n"
		     "  local s = ''\n"
		     "  for i = from, #t do s = s .. t[i] .. ';' end\n"
		     "  return s\n"
		     "end\n" },
	{ "count", "return redis.call('INCR', ARGV[1] .. 'n')\n" },
	{ "nested", "return {1, {'two', {3, false}}, redis.status_reply('FOUR')}\n" },
	{ "broken", "this is not Lua\n" },
	{ "fails", "return redis.error_reply('ODD thing')\n" },
	{ NULL, NULL },
};

static struct redis_fixture server;
static struct arena *arena;

static struct redis_pool *new_pool(unsigned size)
{
	struct redis_pool *pool = NULL;
	struct err err = ERR_INIT;
	const struct redis_options opt = { .url = server.url,
					   .prefix = "t:",
					   .pool_size = size,
					   .connect_timeout_ms = 500,
					   .command_timeout_ms = 500 };
	if (!redis_pool_new(&opt, &pool, &err))
		fail_msg("%s", err.message);
	return pool;
}

static struct redis *borrow(struct redis_pool *pool)
{
	struct redis *r = NULL;
	struct err err = ERR_INIT;
	if (!redis_borrow(pool, 100, &r, &err))
		fail_msg("%s", err.message);
	return r;
}

#define COMMAND(r, ...)                                                       \
	({                                                                    \
		const struct redis_value *value_ = NULL;                      \
		struct err err_ = ERR_INIT;                                   \
		if (!redis_commandf((r), arena, &value_, &err_, __VA_ARGS__)) \
			fail_msg("%s", err_.message);                         \
		value_;                                                       \
	})

/* What a thread with a connection of its own sees while all others are lent. */
static void *borrow_reserved(void *arg)
{
	struct redis_pool *pool = arg;
	struct redis *r = NULL, *second = NULL;
	struct err err = ERR_INIT;
	redis_reserve(pool);
	bool good = redis_borrow(pool, 0, &r, &err) && !redis_borrow(pool, 0, &second, &err);
	redis_give_back(r);
	for (int i = 0; good && i < 3; i++) {
		good = redis_borrow(pool, 0, &r, &err);
		redis_give_back(good ? r : NULL);
	}
	redis_unreserve(pool);
	return good ? pool : NULL;
}

static void a_reserved_connection_is_its_threads_alone(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(3);
	struct redis *lent[3], *more = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;
	void *good = NULL;
	redis_reserve(pool); /* this thread: its own, and what is everybody's */
	for (int i = 0; i < 3; i++)
		lent[i] = borrow(pool);
	assert_false(redis_borrow(pool, 0, &more, &err));
	redis_unreserve(pool);
	redis_give_back(lent[0]);
	redis_give_back(lent[1]);
	redis_give_back(lent[2]);
	/* All that are left for all are lent; the other thread has its own. */
	redis_reserve(pool);
	lent[0] = borrow(pool);
	lent[1] = borrow(pool);
	assert_int_equal(pthread_create(&thread, NULL, borrow_reserved, pool), 0);
	assert_int_equal(pthread_join(thread, &good), 0);
	assert_non_null(good);
	redis_give_back(lent[0]);
	redis_give_back(lent[1]);
	redis_unreserve(pool);
	/* Nothing stays reserved, and one is always everybody's. */
	for (int i = 0; i < 5; i++)
		redis_reserve(pool);
	for (int i = 0; i < 3; i++)
		lent[i] = borrow(pool);
	for (int i = 0; i < 3; i++)
		redis_give_back(lent[i]);
}

static void values_of_every_type_arrive_whole(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	struct span binary = { "a\0b c%s\r\n", 9 };

	assert_int_equal(COMMAND(r, "SET %s:%lld %b", "k", 7LL, binary)->type, REDIS_STATUS);
	const struct redis_value *v = COMMAND(r, "GET k:7");
	assert_int_equal(v->type, REDIS_STRING);
	assert_true(span_eq(v->s, binary));
	assert_int_equal(COMMAND(r, "GET none")->type, REDIS_NIL);
	assert_int_equal(COMMAND(r, "SET empty %s", "")->type, REDIS_STATUS);
	assert_int_equal(COMMAND(r, "STRLEN empty")->i, 0);
	assert_int_equal(COMMAND(r, "DECRBY n %lld", (long long)INT64_MAX)->i, -INT64_MAX);

	struct err err = ERR_INIT;
	if (!redis_script(r, arena, "nested", NULL, 0, &v, &err))
		fail_msg("%s", err.message);
	assert_int_equal(v->n, 3);
	assert_int_equal(v->items[0].i, 1);
	assert_true(span_is(v->items[1].items[0].s, "two"));
	assert_int_equal(v->items[1].items[1].items[1].type, REDIS_NIL);
	assert_true(span_is(v->items[2].s, "FOUR"));
}

static void an_error_reply_is_an_error_in_redis_own_words(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	COMMAND(r, "SET text abc");
	assert_false(redis_commandf(r, arena, &v, &err, "INCR text"));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_string_equal(err.target_text, "ERR value is not an integer or out of range");
	assert_int_equal(COMMAND(r, "STRLEN text")->i, 3); /* the connection is still in step */

	assert_false(redis_script(r, arena, "fails", NULL, 0, &v, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_non_null(strstr(err.message, "script fails"));
	assert_non_null(strstr(err.target_text, "ODD thing"));
}

static void an_error_that_passes_is_an_outage(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	COMMAND(r, "REPLICAOF 127.0.0.1 1");
	assert_false(redis_commandf(r, arena, &v, &err, "SET a b"));
	assert_int_equal(err.code, ERR_OUTAGE);
	assert_false(redis_script(r, arena, "count", NULL, 0, &v, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
	COMMAND(r, "REPLICAOF NO ONE");

	COMMAND(r, "CONFIG SET maxmemory 1");
	assert_false(redis_commandf(r, arena, &v, &err, "SET a b"));
	assert_int_equal(err.code, ERR_OUTAGE);
	COMMAND(r, "CONFIG SET maxmemory 0");
}

static void a_demoted_server_is_asked_for_again(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;
	struct redis *r = borrow(pool);
	int64_t before = COMMAND(r, "CLIENT ID")->i;
	redis_give_back(r);
	r = borrow(pool);
	assert_int_equal(COMMAND(r, "CLIENT ID")->i, before);
	COMMAND(r, "REPLICAOF 127.0.0.1 1");
	assert_false(redis_commandf(r, arena, &v, &err, "SET a b"));
	redis_give_back(r);
	r = borrow(pool);
	assert_int_not_equal(COMMAND(r, "CLIENT ID")->i, before);
	COMMAND(r, "REPLICAOF NO ONE");
	redis_give_back(r);
}

static void a_script_gets_prefix_and_prelude_and_no_keys(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	const struct span args[] = { SPAN_LIT("x"), SPAN_LIT(""), { "y\0z", 3 } };
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	if (!redis_script(r, arena, "whoami", args, 3, &v, &err))
		fail_msg("%s", err.message);
	assert_true(span_eq(v->s, (struct span) { "t:/0/x;;y\0z;", 12 }));
	assert_false(redis_script(r, arena, "prelude", NULL, 0, &v, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_false(redis_script(r, arena, "absent", NULL, 0, &v, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
}

static void a_prefix_is_separated(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "viesti", "viesti:" }, { "viesti:", "viesti:" }, { "", "" }, { NULL, "" }
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(redis_pool_free) struct redis_pool *pool = NULL;
		struct err err = ERR_INIT;
		const struct redis_options opt = { .url = server.url, .prefix = cases[i][0] };
		assert_true(redis_pool_new(&opt, &pool, &err));
		assert_string_equal(redis_prefix(pool), cases[i][1]);
	}
}

static void a_script_that_does_not_compile_says_where(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	const struct redis_value *v = NULL;

	for (int i = 0; i < 3; i++) {
		struct err err = ERR_INIT;
		assert_false(redis_script(r, arena, "broken", NULL, 0, &v, &err));
		assert_int_equal(err.code, ERR_SYSTEM);
		assert_non_null(strstr(err.target_text, "Error compiling script"));
	}
}

static void a_flushed_script_cache_is_noticed(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	COMMAND(r, "DEL t:n");
	for (int i = 1; i <= 3; i++) {
		if (!redis_script(r, arena, "count", NULL, 0, &v, &err))
			fail_msg("%s", err.message);
		assert_int_equal(v->i, i);
		COMMAND(r, "SCRIPT FLUSH");
	}
	/* In a pipeline: an outage that did nothing, then whole again. */
	assert_true(redis_append_script(r, arena, "count", NULL, 0, &err));
	assert_true(redis_append_script(r, arena, "nested", NULL, 0, &err));
	assert_false(redis_read(r, arena, &v, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
	if (!redis_read(r, arena, &v, &err))
		fail_msg("%s", err.message);
	assert_int_equal(v->n, 3);
	if (!redis_script(r, arena, "count", NULL, 0, &v, &err))
		fail_msg("%s", err.message);
	assert_int_equal(v->i, 4);
}

static void a_pipeline_answers_in_order_with_errors_in_their_place(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;
	const struct span ping[] = { SPAN_LIT("PING") };
	const struct span wrong[] = { SPAN_LIT("NOSUCH") };

	COMMAND(r, "DEL t:n");
	assert_true(redis_append(r, arena, ping, 1, &err));
	assert_true(redis_append_script(r, arena, "count", NULL, 0, &err));
	assert_true(redis_append(r, arena, wrong, 1, &err));
	assert_true(redis_append_script(r, arena, "broken", NULL, 0, &err));
	assert_true(redis_append_script(r, arena, "count", NULL, 0, &err));

	assert_true(redis_read(r, arena, &v, &err));
	assert_true(span_is(v->s, "PONG"));
	assert_true(redis_read(r, arena, &v, &err));
	assert_int_equal(v->i, 1);
	assert_false(redis_read(r, arena, &v, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_false(redis_read(r, arena, &v, &err));
	assert_non_null(strstr(err.message, "compiling"));
	assert_true(redis_read(r, arena, &v, &err));
	assert_int_equal(v->i, 2);
}

static void a_reply_larger_than_the_arena_is_a_limit(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	CLEANUP(arena_free) struct arena *small = arena_new(4096);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	COMMAND(r, "SETRANGE big 100000 x");
	assert_false(redis_commandf(r, small, &v, &err, "GET big"));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(COMMAND(r, "STRLEN big")->i, 100001);
}

static void more_words_than_fit_the_stack(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(pool);
	struct span argv[202] = { SPAN_LIT("RPUSH"), SPAN_LIT("list") };
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 2; i < ARRAY_SIZE(argv); i++)
		argv[i] = SPAN_LIT("x");
	assert_true(redis_command(r, arena, argv, ARRAY_SIZE(argv), &v, &err));
	assert_int_equal(v->i, 200);
	assert_int_equal(COMMAND(r, "LRANGE list 0 -1")->n, 200);
}

static void an_idle_connection_survives_kill_9_and_restart(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(2);
	struct redis *r = borrow(pool);
	COMMAND(r, "SET kept yes");
	redis_give_back(r);

	redis_fixture_kill(&server);
	struct err err = ERR_INIT;
	assert_false(redis_borrow(pool, 100, &r, &err)); /* the stale socket file is no Redis */
	assert_int_equal(err.code, ERR_OUTAGE);

	assert_true(redis_fixture_restart(&server));
	r = borrow(pool);
	assert_true(span_is(COMMAND(r, "GET kept")->s, "yes"));
	redis_give_back(r);
}

static void a_lent_connection_that_breaks_is_an_outage_then_made_again(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	struct redis *r = borrow(pool);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	COMMAND(r, "SET kept yes");
	redis_fixture_kill(&server);
	assert_false(redis_commandf(r, arena, &v, &err, "GET kept"));
	assert_int_equal(err.code, ERR_OUTAGE);
	assert_false(redis_commandf(r, arena, &v, &err, "GET kept"));
	assert_int_equal(err.code, ERR_OUTAGE);
	redis_give_back(r);

	assert_true(redis_fixture_restart(&server));
	r = borrow(pool);
	assert_true(span_is(COMMAND(r, "GET kept")->s, "yes"));
	if (!redis_script(r, arena, "count", NULL, 0, &v, &err)) /* scripts are loaded again */
		fail_msg("%s", err.message);
	redis_give_back(r);
}

static void a_silent_redis_is_an_outage_after_the_time_out(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	struct redis *r = borrow(pool);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	redis_fixture_freeze(&server);
	int64_t start = clock_mono_ms();
	assert_false(redis_commandf(r, arena, &v, &err, "PING"));
	int64_t took = clock_mono_ms() - start;
	redis_fixture_thaw(&server);
	assert_int_equal(err.code, ERR_OUTAGE);
	assert_in_range(took, 450, 3000);
	redis_give_back(r);
	r = borrow(pool); /* the late answer of the old connection is not taken for a new one */
	assert_true(span_is(COMMAND(r, "ECHO new")->s, "new"));
	redis_give_back(r);
}

static void a_longer_time_out_lasts_for_one_borrow(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	struct redis *r = borrow(pool);
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;

	redis_set_timeout(r, 5000);
	assert_int_equal(COMMAND(r, "BLPOP nothing 0.8")->type, REDIS_NIL);
	redis_give_back(r);
	r = borrow(pool);
	assert_false(redis_commandf(r, arena, &v, &err, "BLPOP nothing 3"));
	assert_int_equal(err.code, ERR_OUTAGE);
	redis_give_back(r);
}

static void unread_replies_do_not_reach_the_next_borrower(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	struct redis *r = borrow(pool);
	struct err err = ERR_INIT;
	const struct span ping[] = { SPAN_LIT("PING") };

	assert_true(redis_append(r, arena, ping, 1, &err));
	redis_give_back(r);
	r = borrow(pool);
	assert_true(span_is(COMMAND(r, "ECHO mine")->s, "mine"));
	redis_give_back(r);
}

static void a_lent_out_pool_waits_no_longer_than_told(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(1);
	struct redis *r = borrow(pool), *second = NULL;
	struct err err = ERR_INIT;

	int64_t start = clock_mono_ms();
	assert_false(redis_borrow(pool, 60, &second, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
	assert_in_range(clock_mono_ms() - start, 55, 2000);
	redis_give_back(r);
}

#define N_THREADS 6
#define N_ROUNDS 200

static void *count_in_thread(void *arg)
{
	struct redis_pool *pool = arg;
	CLEANUP(arena_free) struct arena *own = arena_new(1 << 20);
	for (int i = 0; i < N_ROUNDS; i++) {
		struct redis *r = NULL;
		const struct redis_value *v = NULL;
		if (!redis_borrow(pool, 5000, &r, NULL))
			return (void *)"no connection";
		bool ok = redis_script(r, own, "count", NULL, 0, &v, NULL);
		redis_give_back(r);
		if (!ok)
			return (void *)"no reply";
		arena_clear(own);
	}
	return NULL;
}

static void many_threads_share_few_connections(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(2);
	pthread_t threads[N_THREADS];
	struct redis *r = borrow(pool);
	COMMAND(r, "DEL t:n");
	redis_give_back(r);
	for (int i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_in_thread, pool), 0);
	for (int i = 0; i < N_THREADS; i++) {
		void *problem = NULL;
		pthread_join(threads[i], &problem);
		assert_null(problem);
	}
	r = borrow(pool);
	assert_int_equal(strtol(COMMAND(r, "GET t:n")->s.p, NULL, 10), N_THREADS * N_ROUNDS);
	redis_give_back(r);
}

static void *block_in_thread(void *arg)
{
	struct redis_pool *pool = arg;
	CLEANUP(arena_free) struct arena *own = arena_new(1 << 16);
	CLEANUP(redis_give_back) struct redis *r = NULL;
	const struct redis_value *v = NULL;
	if (!redis_borrow(pool, 1000, &r, NULL))
		return (void *)"no connection";
	redis_set_timeout(r, 60000);
	return redis_commandf(r, own, &v, NULL, "BLPOP nothing 60") ? (void *)"an answer" : NULL;
}

static void shutdown_wakes_a_blocked_reader(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(2);
	struct redis *r = borrow(pool);
	pthread_t thread;
	struct err err = ERR_INIT;
	assert_int_equal(pthread_create(&thread, NULL, block_in_thread, pool), 0);
	for (int i = 0; i < 500 && COMMAND(r, "EVAL %s 0",
					   "local s = redis.call('INFO', 'clients') "
					   "return s:find('blocked_clients:1') and 1 or 0")
						   ->i == 0;
	     i++)
		clock_sleep_ms(4);
	redis_pool_shutdown(pool);
	void *problem = NULL;
	pthread_join(thread, &problem);
	assert_null(problem);
	redis_give_back(r);
	assert_false(redis_borrow(pool, 1000, &r, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
}

static void user_password_and_database_are_used(void **state)
{
	(void)state;
	CLEANUP(redis_pool_free) struct redis_pool *admin = new_pool(1);
	CLEANUP(redis_give_back) struct redis *r = borrow(admin);
	COMMAND(r, "ACL SETUSER app on >p@ss ~* +@all");
	char url[200];
	struct err err = ERR_INIT;
	struct redis *other = NULL;

	snprintf(url, sizeof(url), "%s?db=3&user=app&password=p%%40ss", server.url);
	struct redis_options opt = { .url = url, .prefix = "t:", .pool_size = 1 };
	struct redis_pool *pool = NULL;
	assert_true(redis_pool_new(&opt, &pool, &err));
	other = borrow(pool);
	COMMAND(other, "SET in_three 1");
	assert_true(span_is(COMMAND(other, "ACL WHOAMI")->s, "app"));
	redis_give_back(other);
	redis_pool_free(pool);
	assert_int_equal(COMMAND(r, "EXISTS in_three")->i, 0);

	snprintf(url, sizeof(url), "%s?user=app&password=hush", server.url);
	assert_true(redis_pool_new(&opt, &pool, &err));
	assert_false(redis_borrow(pool, 100, &other, &err));
	assert_int_equal(err.code, ERR_OUTAGE); /* nobody else's credentials are doubted for it */
	assert_null(strstr(err.message, "hush"));
	struct redis_health health;
	assert_false(redis_check(pool, arena, &health, &err));
	assert_int_equal(err.code, ERR_CREDENTIALS);
	assert_null(strstr(err.message, "hush"));
	redis_pool_free(pool);
	COMMAND(r, "ACL DELUSER app");
}

static void tls_is_refused_in_a_clear_sentence_where_it_is_missing(void **state)
{
	(void)state;
	struct redis_options opt = { .url = "rediss://127.0.0.1:1", .prefix = "", .pool_size = 1 };
	struct redis_pool *pool = NULL;
	struct err err = ERR_INIT;
	if (redis_pool_new(&opt, &pool, &err)) { /* this hiredis has it */
		redis_pool_free(pool);
		return;
	}
	assert_int_equal(err.code, ERR_INPUT);
	assert_non_null(strstr(err.message, "hiredis"));
}

static void each_allocation_of_a_pool_may_fail(void **state)
{
	(void)state;
	const struct redis_options opt = { .url = "redis://:pw@localhost", .pool_size = 2 };
	bool ok = false;
	for (long n = 1; !ok && n < 60; n++) {
		struct redis_pool *pool = NULL;
		struct err err = ERR_INIT;
		alloc_fail_after(n);
		ok = redis_pool_new(&opt, &pool, &err);
		alloc_fail_after(0);
		if (!ok)
			assert_int_equal(err.code, ERR_MEMORY);
		redis_pool_free(pool);
	}
	assert_true(ok);
}

static int start(void **state)
{
	(void)state;
	arena = arena_new(16 << 20);
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
		cmocka_unit_test(values_of_every_type_arrive_whole),
		cmocka_unit_test(a_reserved_connection_is_its_threads_alone),
		cmocka_unit_test(an_error_reply_is_an_error_in_redis_own_words),
		cmocka_unit_test(an_error_that_passes_is_an_outage),
		cmocka_unit_test(a_demoted_server_is_asked_for_again),
		cmocka_unit_test(a_script_gets_prefix_and_prelude_and_no_keys),
		cmocka_unit_test(a_prefix_is_separated),
		cmocka_unit_test(a_script_that_does_not_compile_says_where),
		cmocka_unit_test(a_flushed_script_cache_is_noticed),
		cmocka_unit_test(a_pipeline_answers_in_order_with_errors_in_their_place),
		cmocka_unit_test(a_reply_larger_than_the_arena_is_a_limit),
		cmocka_unit_test(more_words_than_fit_the_stack),
		cmocka_unit_test(an_idle_connection_survives_kill_9_and_restart),
		cmocka_unit_test(a_lent_connection_that_breaks_is_an_outage_then_made_again),
		cmocka_unit_test(a_silent_redis_is_an_outage_after_the_time_out),
		cmocka_unit_test(a_longer_time_out_lasts_for_one_borrow),
		cmocka_unit_test(unread_replies_do_not_reach_the_next_borrower),
		cmocka_unit_test(a_lent_out_pool_waits_no_longer_than_told),
		cmocka_unit_test(many_threads_share_few_connections),
		cmocka_unit_test(shutdown_wakes_a_blocked_reader),
		cmocka_unit_test(user_password_and_database_are_used),
		cmocka_unit_test(tls_is_refused_in_a_clear_sentence_where_it_is_missing),
		cmocka_unit_test(each_allocation_of_a_pool_may_fail),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
