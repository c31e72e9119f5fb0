/*
 * test_pool_crowd.c: workers when much is to be done, or when something hangs, on a real Redis:
 * jobs that are claimed ahead, leases that are beaten whatever is held up, outcomes that cannot be
 * stored.
 */
#include "base/base.h"

#include <stdatomic.h>

#include "pool_fixture.h"

/* A document whose run lasts until it is told to end. */
static struct {
	_Atomic bool runs, go_on;
} slow;

/* "quick-..." takes no time, "slow-..." until `release`. */
static struct {
	_Atomic bool release;
	_Atomic int quick, slow;
} crowd;

static bool crowd_run(struct attempt *at)
{
	if (at->source_id[0] == 'q') {
		crowd.quick++;
		return true;
	}
	while (!crowd.release)
		clock_sleep_ms(5);
	crowd.slow++;
	return true;
}

/* "twin" runs until `release`. */
static struct {
	_Atomic bool release;
	_Atomic int runs, now, most;
} twin;

static bool twin_run(void)
{
	int now = ++twin.now;
	if (now > twin.most)
		twin.most = now;
	twin.runs++;
	for (int64_t until = clock_mono_ms() + WAIT_MS; !twin.release && clock_mono_ms() < until;)
		clock_sleep_ms(5);
	twin.now--;
	return true;
}

static bool slow_run(void)
{
	slow.runs = true;
	while (!slow.go_on)
		clock_sleep_ms(5);
	return true;
}

static bool fake_run(struct attempt *at, struct err *err)
{
	(void)err;
	if (strcmp(at->source_id, "twin") == 0)
		return twin_run();
	if (strcmp(at->source_id, "slow") == 0)
		return slow_run();
	if (strncmp(at->source_id, "quick-", 6) == 0 || strncmp(at->source_id, "slow-", 5) == 0)
		return crowd_run(at);
	return true;
}

static bool fake_poll(struct attempt *at, struct err *err)
{
	return at->ops->report(at, "{}", err);
}

static const struct flow fake = { .name = "fake",
				  .title = "fake",
				  .delivery_step = "deliver",
				  .settle = settle_nothing,
				  .poll = fake_poll,
				  .run = fake_run,
				  .check = fake_poll };

static int set_up(void **state)
{
	(void)state;
	pool_begin(&fake, 50);
	return 0;
}

static void await_int(const _Atomic int *value, int want)
{
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(2)) {
		if (*value >= want)
			return;
	}
	fail_msg("%d of %d", *value, want);
}

/* A crowd of requests holds every connection: the lease of a running job is beaten all the same. */
static void test_a_crowd_of_borrowers_costs_no_lease(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct redis *held[32];
	struct pool_counts before, after;
	char id[TRANSFER_ID_MAX];
	size_t n = 0;
	pool_count(pool, &before);
	hint_id("c", "slow", id);
	for (int64_t until = clock_mono_ms() + WAIT_MS; !slow.runs; clock_sleep_ms(5))
		assert_true(clock_mono_ms() < until);
	int64_t end_ms = clock_mono_ms() + POOL_LEASE_MS + 1500;
	while (clock_mono_ms() < end_ms) {
		while (n < ARRAY_SIZE(held) && redis_borrow(fx.redis, 0, &held[n], &err))
			n++;
		clock_sleep_ms(20);
	}
	assert_in_range(n, 1, ARRAY_SIZE(held) - 1);
	while (n > 0)
		redis_give_back(held[--n]);
	slow.go_on = true;
	assert_int_equal(await(id, STATE_DONE).try_no, 1);
	pool_count(pool, &after);
	assert_int_equal(after.lost, before.lost);
}

/* With nothing to do each thread is heard of, or rests; one that hangs in a Redis that is alive but
 * silent is named. */
static void test_a_thread_that_hangs_is_named(void **state)
{
	(void)state;
	struct pool_silence s;
	/* Later than any of them may be silent: each was heard of since, or is soon. */
	clock_sleep_ms(1500);
	AWAIT((pool_silence(pool, &s), s.ms < 1400));
	redis_fixture_freeze(&fx.server);
	int64_t end_ms = clock_mono_ms() + 10000;
	do {
		clock_sleep_ms(50);
		pool_silence(pool, &s);
	} while (s.ms < 2000 && clock_mono_ms() < end_ms);
	redis_fixture_thaw(&fx.server);
	assert_true(s.ms >= 2000);
	assert_true(s.thread[0] != '\0');
}

#define CROWD 2000

#define SLOW 40

static void hint_crowd(const char *what, int n, char (*ids)[TRANSFER_ID_MAX])
{
	struct err err = ERR_INIT;
	for (int i = 0; i < n;) {
		struct queue_item items[QUEUE_BATCH_MAX];
		struct queue_receipt got[QUEUE_BATCH_MAX];
		char sources[QUEUE_BATCH_MAX][16];
		size_t k = 0;
		for (; k < QUEUE_BATCH_MAX && i + (int)k < n; k++) {
			snprintf(sources[k], sizeof(sources[k]), "%s-%d", what, i + (int)k);
			items[k] = (struct queue_item) { .conn = "c",
							 .kind = "invoice",
							 .source_id = sources[k],
							 .origin = "test" };
		}
		assert_true(queue_intake(fx.queue, items, k, got, &err));
		for (size_t j = 0; j < k; j++)
			snprintf(ids[i + (int)j], TRANSFER_ID_MAX, "%s", got[j].id);
		i += (int)k;
	}
}

/* All workers are in slow jobs, and more of those were claimed ahead. */
static void fill_with_slow_jobs(const char *tag, char (*ids)[TRANSFER_ID_MAX])
{
	static char quick[CROWD][TRANSFER_ID_MAX];
	struct pool_counts c = { 0 };
	char name[16];
	snprintf(name, sizeof(name), "quick-%s", tag);
	crowd.quick = 0;
	crowd.slow = 0;
	crowd.release = false;
	hint_crowd(name, CROWD, quick);
	await_int(&crowd.quick, CROWD);
	snprintf(name, sizeof(name), "slow-%s", tag);
	hint_crowd(name, SLOW, ids);
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(1)) {
		pool_count(pool, &c);
		if (c.running == WORKERS && c.waiting > WORKERS)
			return;
	}
	fail_msg("%d run, %d wait", c.running, c.waiting);
}

static void test_what_was_claimed_ahead_and_cannot_run_goes_back(void **state)
{
	(void)state;
	static char ids[SLOW][TRANSFER_ID_MAX];
	struct pool_counts before, after;
	fill_with_slow_jobs("a", ids);
	assert_int_equal(crowd.quick, CROWD); /* each once */
	pool_count(pool, &before);
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		pool_count(pool, &after);
		if (after.waiting == 0)
			break;
	}
	assert_int_equal(after.waiting, 0);
	crowd.release = true;
	await_int(&crowd.slow, SLOW);
	for (int i = 0; i < SLOW; i++)
		assert_int_equal(await(ids[i], STATE_DONE).try_no, 1);
	pool_count(pool, &after);
	assert_true(after.handed_back >= before.handed_back + WORKERS);
}

static void *release_soon(void *arg)
{
	clock_sleep_ms(100);
	crowd.release = true;
	return arg;
}

static void test_stop_hands_back_what_was_claimed_ahead(void **state)
{
	(void)state;
	static char ids[SLOW][TRANSFER_ID_MAX];
	struct err err = ERR_INIT;
	pthread_t thread;
	fill_with_slow_jobs("b", ids);
	assert_int_equal(pthread_create(&thread, NULL, release_soon, NULL), 0);
	pool_stop(pool, 5000);
	pthread_join(thread, NULL);
	pool_free(pool);
	int done = 0;
	for (int i = 0; i < SLOW; i++) {
		struct transfer t;
		assert_true(store_transfer_get(fx.store, fx.arena, ids[i], &t, &err));
		assert_true(t.state == STATE_DONE || t.state == STATE_QUEUED);
		assert_int_equal(t.try_no, t.state == STATE_DONE); /* no try burned */
		done += t.state == STATE_DONE;
	}
	assert_in_range(done, WORKERS, SLOW - 1);
	pool_begin_workers();
	for (int i = 0; i < SLOW; i++)
		assert_int_equal(await(ids[i], STATE_DONE).try_no, 1);
}

/* Redis refuses its timeline each time; the others of its batch, and their clerk, go on. */
static void test_an_outcome_that_cannot_be_stored_holds_up_nobody(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	char bad[TRANSFER_ID_MAX], ids[20][TRANSFER_ID_MAX], source[32];
	transfer_id("c", "invoice", "unstorable", bad);
	assert_true(redis_borrow(fx.redis, 1000, &r, &err));
	assert_true(redis_commandf(r, fx.arena, &v, &err, "SET %stl:%s x", redis_prefix(fx.redis),
				   bad));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		snprintf(source, sizeof(source), "quick-u%zu", i);
		hint_id("c", i == 10 ? "unstorable" : source, ids[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		(void)await(ids[i], STATE_DONE);
	assert_true(
		redis_commandf(r, fx.arena, &v, &err, "DEL %stl:%s", redis_prefix(fx.redis), bad));
	redis_give_back(r);
}

/* As after a lease that was taken back though its run goes on: the job is free, and claimed. */
static void test_a_job_that_still_runs_here_is_not_begun_again(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct pool_counts before, now;
	char id[TRANSFER_ID_MAX];
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	const char *px = redis_prefix(fx.redis);
	hint_id("c", "twin", id);
	await_int(&twin.runs, 1);
	pool_count(pool, &before);
	assert_true(redis_borrow(fx.redis, 1000, &r, &err));
	assert_true(redis_commandf(r, fx.arena, &v, &err, "HDEL %sq:held %s", px, id));
	assert_int_equal(v->i, 1);
	assert_true(redis_commandf(r, fx.arena, &v, &err, "ZADD %sq:c:c 5 %s", px, id));
	assert_true(redis_commandf(r, fx.arena, &v, &err, "ZADD %sq:ring 1 c", px));
	assert_true(redis_commandf(r, fx.arena, &v, &err, "LPUSH %sq:wake 1", px));
	redis_give_back(r);
	int64_t until = clock_mono_ms() + WAIT_MS;
	do {
		clock_sleep_ms(5);
		pool_count(pool, &now);
	} while (now.handed_back == before.handed_back && twin.most == 1 &&
		 clock_mono_ms() < until);
	assert_true(now.handed_back > before.handed_back);
	twin.release = true;
	(void)await(id, STATE_DONE);
	assert_int_equal(twin.most, 1);
	assert_int_equal(twin.runs, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_crowd_of_borrowers_costs_no_lease),
		cmocka_unit_test(test_a_thread_that_hangs_is_named),
		cmocka_unit_test(test_what_was_claimed_ahead_and_cannot_run_goes_back),
		cmocka_unit_test(test_stop_hands_back_what_was_claimed_ahead),
		cmocka_unit_test(test_an_outcome_that_cannot_be_stored_holds_up_nobody),
		cmocka_unit_test(test_a_job_that_still_runs_here_is_not_begun_again),
	};
	return cmocka_run_group_tests_name("pool_crowd", tests, set_up, pool_end);
}
