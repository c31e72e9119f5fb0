/*
 * test_queue_limits.c: how many may run against a real redis-server: limit keys, blocks, rates, and
 * that connections share what there is, with claims from many threads.
 */
#include "base/base.h"

#include "base/clock.h"
#include "relay_fixture.h"

static void a_full_limit_key_holds_jobs_back_and_wakes_them(void **state)
{
	(void)state;
	set_limit("a", "netvisor:x", "1");
	set_limit("b", "netvisor:x", "1");
	hint_many("a", 2);
	hint_many("b", 1);
	struct queue_job first = must_claim();
	assert_nothing_to_claim();
	assert_int_equal(finish(&first, STATE_DONE, -1), FINISH_STORED);
	struct queue_job second = must_claim();
	assert_string_not_equal(first.conn, second.conn);
	assert_nothing_to_claim();
	assert_int_equal(finish(&second, STATE_DONE, -1), FINISH_STORED);
	struct queue_job third = must_claim();
	assert_string_equal(third.conn, "a");
}

static size_t count_of(const struct queue_job *jobs, size_t n, const char *conn)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += strcmp(jobs[i].conn, conn) == 0;
	return found;
}

static void connections_share_a_claim(void **state)
{
	(void)state;
	struct queue_job jobs[30];
	char source[16];
	hint_many("big", 100);
	hint_many("mid", 8);
	hint_many("one", 1);
	size_t n = claim_many(jobs, 30);
	assert_int_equal(n, 30);
	assert_int_equal(count_of(jobs, n, "one"), 1);
	assert_int_equal(count_of(jobs, n, "mid"), 8);
	assert_int_equal(count_of(jobs, n, "big"), 21);
	int next = 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(jobs[i].conn, "big") != 0)
			continue;
		snprintf(source, sizeof(source), "%d", next++);
		assert_string_equal(jobs[i].source_id, source);
		assert_true(i == 0 || jobs[i].fence > jobs[i - 1].fence);
	}
}

static void a_claim_takes_no_more_than_the_slots(void **state)
{
	(void)state;
	struct queue_job jobs[10];
	set_limit("a", "severa:x", "3");
	set_limit("b", "severa:x", "3");
	hint_many("a", 5);
	hint_many("b", 5);
	hint_many("c", 2);
	size_t n = claim_many(jobs, 10);
	assert_int_equal(n, 5);
	assert_int_equal(count_of(jobs, n, "c"), 2);
	assert_int_equal(claim_many(jobs + 5, 5), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(finish(&jobs[i], STATE_DONE, -1), FINISH_STORED);
	assert_int_equal(claim_many(jobs, 10), 3);
	assert_true(count_of(jobs, 3, "b") >= 1); /* whoever waited is not passed over */
}

static void a_turn_claims_what_its_outcomes_free(void **state)
{
	(void)state;
	set_limit("a", "netvisor:x", "1");
	hint_many("a", 3);
	struct queue_job job = must_claim(), next[3];
	assert_nothing_to_claim();
	struct queue_outcome o = {
		.id = job.id, .fence = job.fence, .state = STATE_DONE, .delay_ms = -1
	};
	struct queue_turn t = { .outcomes = &o, .n_outcomes = 1, .jobs = next, .max_jobs = 3 };
	OK(queue_turn(fx.queue, fx.arena, &t, &err));
	assert_true(t.stored);
	assert_int_equal(o.verdict, FINISH_STORED);
	assert_int_equal(t.n_jobs, 1);
	assert_string_equal(next[0].source_id, "1");
	assert_int_equal(finish(&next[0], STATE_DONE, -1), FINISH_STORED);
}

static void a_blocked_key_sleeps_until_its_time(void **state)
{
	(void)state;
	set_limit("a", "severa:x", "4");
	(void)hint("a", "1", NULL);
	OK(queue_block(fx.queue, "severa:x", 60000, &err));
	OK(queue_block(fx.queue, "severa:x", 50, &err)); /* the longest holds */
	assert_nothing_to_claim();
	int64_t wait = 0;
	OK(queue_rate_take(fx.queue, "severa:x", 8, 2, &wait, &err));
	assert_in_range(wait, 1, 60000);
	elapse(NULL, 60000);
	(void)must_claim();
}

static void a_block_is_short_and_can_be_lifted(void **state)
{
	(void)state;
	struct queue_blocked *blocks = NULL;
	struct limit_key keys[2] = { { .max_running = 1 }, { .max_running = 1 } };
	size_t n = 9;
	snprintf(keys[0].key, sizeof(keys[0].key), "severa:x");
	snprintf(keys[1].key, sizeof(keys[1].key), "netvisor:y");
	OK(queue_blocks(fx.queue, fx.arena, &blocks, &n, &err));
	assert_int_equal(n, 0);
	set_limit("a", "severa:x", "4");
	set_limit("b", "severa:z", "4");
	(void)hint("a", "1", NULL);
	(void)hint("b", "1", NULL);
	OK(queue_block(fx.queue, "severa:x", 30 * 86400000LL, &err));
	OK(queue_block(fx.queue, "severa:z", 30 * 86400000LL, &err));
	assert_nothing_to_claim();
	OK(queue_blocks(fx.queue, fx.arena, &blocks, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(blocks[0].key, "severa:x");
	assert_true(blocks[0].until_ms <= clock_wall_ms() + 3600000);
	/* Only those are free that were asked for, and at once. */
	OK(queue_unblock(fx.queue, keys, 2, &err));
	assert_string_equal(must_claim().conn, "a");
	assert_nothing_to_claim();
	int64_t wait = -1;
	OK(queue_rate_take(fx.queue, "severa:x", 8, 2, &wait, &err));
	assert_int_equal(wait, 0);
	OK(queue_blocks(fx.queue, fx.arena, &blocks, &n, &err));
	assert_int_equal(n, 1);
}

/* Taken between the two times, so that a process which was held up accuses nobody. */
struct taken {
	int64_t asked_us, had_us;
};

static void the_rate_is_never_over_burst_plus_rate(void **state)
{
	(void)state;
	enum { RATE = 8, BURST = 2, N = 24 };
	struct taken taken[N];
	size_t n = 0;
	for (int64_t until = clock_mono_ms() + 60000; n < N && clock_mono_ms() < until;) {
		int64_t asked_us = clock_mono_us(), wait = 0;
		OK(queue_rate_take(fx.queue, "k", RATE, BURST, &wait, &err));
		if (wait == 0)
			taken[n++] = (struct taken) { asked_us, clock_mono_us() };
		else
			clock_sleep_ms(wait < 5 ? wait : 5);
	}
	assert_int_equal(n, N);
	for (size_t i = 0; i + RATE + BURST < N; i++)
		assert_true(taken[i + RATE + BURST].had_us - taken[i].asked_us >= 985000);
}

static void many_that_wait_do_not_hide_one_that_can_run(void **state)
{
	(void)state;
	char conn[16];
	size_t n = 0;
	struct queue_job job;
	set_limit("c0", "k", "1");
	(void)hint("c0", "1", NULL);
	(void)must_claim();
	for (int i = 1; i <= 60; i++) {
		snprintf(conn, sizeof(conn), "c%d", i);
		set_limit(conn, "k", "1");
		(void)hint(conn, "1", NULL);
	}
	(void)hint("free", "1", NULL);
	for (int i = 0; i < 10 && n == 0; i++) {
		OK(queue_wait(fx.queue, 1000, &err));
		OK(queue_claim(fx.queue, fx.arena, 1, &job, &n, &err));
	}
	assert_int_equal(n, 1);
	assert_string_equal(job.conn, "free");
}

struct claimer {
	pthread_t thread;
	char seen[600][TRANSFER_ID_MAX];
	size_t n;
};

static void *claim_all(void *p)
{
	struct claimer *c = p;
	struct arena *own = arena_new(16 * 1024 * 1024);
	struct queue_job jobs[7];
	size_t n = 1;
	struct err err = ERR_INIT;
	for (int idle = 0; own && idle < 20;) {
		if (!queue_claim(fx.queue, own, 7, jobs, &n, &err))
			break;
		idle = n ? 0 : idle + 1;
		for (size_t i = 0; i < n && c->n < 600; i++)
			snprintf(c->seen[c->n++], TRANSFER_ID_MAX, "%s", jobs[i].id);
	}
	arena_free(own);
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void two_claimers_never_hold_the_same_job(void **state)
{
	(void)state;
	static struct claimer c[2];
	char source[16], conn[16];
	for (int i = 0; i < 300; i++) {
		snprintf(source, sizeof(source), "%d", i);
		snprintf(conn, sizeof(conn), "c%d", i % 5);
		(void)hint(conn, source, NULL);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&c[i].thread, NULL, claim_all, &c[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(c[i].thread, NULL);
	static char all[600][TRANSFER_ID_MAX];
	assert_int_equal(c[0].n + c[1].n, 300);
	memcpy(all, c[0].seen, c[0].n * TRANSFER_ID_MAX);
	memcpy(all[c[0].n], c[1].seen, c[1].n * TRANSFER_ID_MAX);
	qsort(all, 300, TRANSFER_ID_MAX, by_text);
	for (int i = 1; i < 300; i++)
		assert_string_not_equal(all[i - 1], all[i]);
}

#define CROWD_JOBS 400

static int crowd_running[2], crowd_worst[2], crowd_done; /* atomic */

static void *crowd(void *p)
{
	struct arena *own = arena_new(64 * 1024 * 1024);
	struct queue_job job;
	int64_t end = clock_mono_ms() + 20000;
	struct err err = ERR_INIT;
	(void)p;
	while (own && clock_mono_ms() < end &&
	       __atomic_load_n(&crowd_done, __ATOMIC_SEQ_CST) < CROWD_JOBS) {
		size_t n = 0;
		if (!queue_claim(fx.queue, own, 1, &job, &n, &err))
			break;
		if (n == 0) {
			clock_sleep_ms(1);
			continue;
		}
		int key = job.conn[1] % 2; /* c0, c2, c4 share one key, the others another */
		int now = __atomic_add_fetch(&crowd_running[key], 1, __ATOMIC_SEQ_CST);
		int worst = __atomic_load_n(&crowd_worst[key], __ATOMIC_SEQ_CST);
		while (now > worst &&
		       !__atomic_compare_exchange_n(&crowd_worst[key], &worst, now, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		clock_sleep_ms(1);
		__atomic_sub_fetch(&crowd_running[key], 1, __ATOMIC_SEQ_CST);
		struct queue_outcome o = {
			.id = job.id, .fence = job.fence, .state = STATE_DONE, .delay_ms = -1
		};
		if (!queue_finish(fx.queue, &o, 1, &err) || o.verdict != FINISH_STORED)
			break;
		__atomic_add_fetch(&crowd_done, 1, __ATOMIC_SEQ_CST);
	}
	arena_free(own);
	return NULL;
}

/* Without a tick: whoever frees a slot hands it on. */
static void slots_are_never_exceeded_nor_forgotten(void **state)
{
	(void)state;
	pthread_t threads[5];
	char conn[16], source[16];
	crowd_done = 0;
	for (int i = 0; i < 6; i++) {
		snprintf(conn, sizeof(conn), "c%d", i);
		set_limit(conn, i % 2 ? "odd" : "even", i % 2 ? "1" : "2");
	}
	for (int i = 0; i < CROWD_JOBS; i++) {
		snprintf(conn, sizeof(conn), "c%d", i % 6);
		snprintf(source, sizeof(source), "%d", i);
		(void)hint(conn, source, NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd_done, CROWD_JOBS);
	assert_int_equal(crowd_worst[1], 1);
	assert_in_range(crowd_worst[0], 1, 2);
	assert_int_equal(redis_do("EXISTS %s %s", "v:q:run:odd", "v:q:run:even")->i, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, relay_empty, relay_tidy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_limit_key_holds_jobs_back_and_wakes_them),
		TEST(connections_share_a_claim),
		TEST(a_claim_takes_no_more_than_the_slots),
		TEST(a_turn_claims_what_its_outcomes_free),
		TEST(a_blocked_key_sleeps_until_its_time),
		TEST(a_block_is_short_and_can_be_lifted),
		TEST(the_rate_is_never_over_burst_plus_rate),
		TEST(many_that_wait_do_not_hide_one_that_can_run),
		TEST(two_claimers_never_hold_the_same_job),
		TEST(slots_are_never_exceeded_nor_forgotten),
	};
	return cmocka_run_group_tests_name("queue_limits", tests, relay_start, relay_stop);
}
