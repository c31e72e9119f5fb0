/*
 * test_queue.c: the queue against a real redis-server: turns, limits, fences, crashes, doubts,
 * hints, rates.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "queue/queue.h"
#include "redis_fixture.h"

#define LEASE_MS 400
#define QUIET_MS 300

static struct redis_fixture server;
static struct redis_pool *pool;
static struct store *store;
static struct queue *queue;
static struct arena *arena;

#define OK(call)                                                \
	do {                                                    \
		struct err err = ERR_INIT;                      \
		if (!(call))                                    \
			fail_msg("%s: %s", #call, err.message); \
	} while (0)

static const struct redis_value *command(const char *fmt, const char *a, const char *b)
{
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	OK(redis_borrow(pool, 1000, &r, &err));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	OK(redis_commandf(r, arena, &v, &err, fmt, a, b));
#pragma GCC diagnostic pop
	redis_give_back(r);
	return v;
}

static int start(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct seal_key key;
	seal_key_random(&key);
	if (!redis_fixture_start(&server))
		return -1;
	const struct redis_options ro = { .url = server.url, .prefix = "v:", .pool_size = 6 };
	if (!redis_pool_new(&ro, &pool, &err))
		return -1;
	const struct store_options so = { .pool = pool, .key = &key };
	if (!store_new(&so, &store, &err))
		return -1;
	const struct queue_options qo = { .pool = pool,
					  .store = store,
					  .key = &key,
					  .lease_ms = LEASE_MS,
					  .quiet_ms = QUIET_MS,
					  .poll_interval_ms = 60000 };
	if (!queue_new(&qo, &queue, &err))
		return -1;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	queue_free(queue);
	store_free(store);
	redis_pool_free(pool);
	redis_fixture_stop(&server);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	arena = arena_new(64 * 1024 * 1024);
	return arena && redis_fixture_flush(&server) ? 0 : -1;
}

static int tidy(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* --- helpers --- */

static enum queue_intake hint(const char *conn, const char *source_id, const char *webhook_id)
{
	struct queue_receipt got;
	const struct queue_item item = { .conn = conn,
					 .kind = "invoice",
					 .source_id = source_id,
					 .webhook_id = webhook_id,
					 .origin = "webhook" };
	OK(queue_intake(queue, &item, 1, &got, &err));
	return got.what;
}

static enum queue_intake found(const char *conn, const char *source_id, const char *changed)
{
	struct queue_receipt got;
	const struct queue_item item = { .conn = conn,
					 .kind = "invoice",
					 .source_id = source_id,
					 .origin = "poll",
					 .changed = changed,
					 .found = true };
	OK(queue_intake(queue, &item, 1, &got, &err));
	return got.what;
}

static bool claim(struct queue_job *ret)
{
	size_t n = 0;
	OK(queue_claim(queue, arena, 1, ret, &n, &err));
	return n == 1;
}

static struct queue_job must_claim(void)
{
	struct queue_job job = { 0 };
	assert_true(claim(&job));
	return job;
}

static void assert_nothing_to_claim(void)
{
	struct queue_job job;
	assert_false(claim(&job));
}

static enum queue_verdict finish(const struct queue_job *job, enum transfer_state state,
				 int64_t delay_ms)
{
	struct queue_outcome o = {
		.id = job->id, .fence = job->fence, .state = state, .delay_ms = delay_ms
	};
	OK(queue_finish(queue, &o, 1, &err));
	return o.verdict;
}

static const char *state_of(const char *id)
{
	return command("HGET v:t:%s %s", id, "st")->s.p;
}

static bool is_held(const char *id)
{
	return command("HEXISTS v:q:held %s", id, NULL)->i == 1;
}

static struct queue_tick tick(void)
{
	struct queue_tick t = { 0 };
	OK(queue_tick(queue, &t, &err));
	return t;
}

/* The tick of a process that was just started: with it the reconciler begins a round. */
static struct queue_tick first_tick(void)
{
	struct queue *fresh = NULL;
	struct seal_key key;
	struct queue_tick t = { 0 };
	seal_key_random(&key);
	const struct queue_options qo = { .pool = pool, .store = store, .key = &key };
	OK(queue_new(&qo, &fresh, &err));
	OK(queue_tick(fresh, &t, &err));
	queue_free(fresh);
	return t;
}

/* What the store writes for a connection. */
static void set_limit(const char *conn, const char *key, const char *max)
{
	(void)command("SADD v:conns %s", conn, NULL);
	char name[64];
	snprintf(name, sizeof(name), "v:q:keys:%s", conn);
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	OK(redis_borrow(pool, 1000, &r, &err));
	OK(redis_commandf(r, arena, &v, &err, "HSET %s k1 %s m1 %s", name, key, max));
	redis_give_back(r);
}

/* --- tests --- */

static void a_hint_becomes_a_job_once(void **state)
{
	(void)state;
	assert_int_equal(hint("a", "1", "w1"), INTAKE_NEW);
	assert_int_equal(hint("a", "1", "w1"), INTAKE_REPLAY);
	assert_int_equal(hint("a", "1", "w2"), INTAKE_KNOWN);
	struct queue_job job = must_claim();
	assert_string_equal(job.conn, "a");
	assert_string_equal(job.source_id, "1");
	assert_string_equal(job.kind, "invoice");
	assert_int_equal(job.generation, 1);
	assert_int_equal(job.try_no, 1);
	assert_int_equal(job.was, STATE_QUEUED);
	assert_true(is_held(job.id));
	assert_string_equal(state_of(job.id), "queued"); /* a run leaves no trace before its end */
	assert_nothing_to_claim();
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	assert_string_equal(state_of(job.id), "done");
	assert_false(is_held(job.id));
	assert_int_equal(command("EXISTS %s %s", "v:q:leases", "v:q:batches")->i, 0);
}

static void connections_take_turns(void **state)
{
	(void)state;
	struct queue_item items[QUEUE_BATCH_MAX];
	struct queue_receipt got[QUEUE_BATCH_MAX];
	char ids[QUEUE_BATCH_MAX][16];
	int64_t before = clock_mono_us();
	for (int i = 0; i < 50000;) {
		size_t n = 0;
		for (; n < QUEUE_BATCH_MAX && i < 50000; n++, i++) {
			snprintf(ids[n], sizeof(ids[n]), "%d", i);
			items[n] = (struct queue_item) { .conn = "big",
							 .kind = "invoice",
							 .source_id = ids[n],
							 .origin = "webhook" };
		}
		OK(queue_intake(queue, items, n, got, &err));
	}
	print_message("intake: %.0f items/s\n", 50000.0 * 1e6 / (double)(clock_mono_us() - before));
	assert_int_equal(hint("small", "1", NULL), INTAKE_NEW);
	struct queue_job job = must_claim();
	assert_string_equal(job.conn, "big");
	assert_string_equal(job.source_id, "0");
	job = must_claim();
	assert_string_equal(job.conn, "small");
	job = must_claim();
	assert_string_equal(job.conn, "big");
	assert_string_equal(job.source_id, "1");
}

static void a_full_limit_key_holds_jobs_back_and_wakes_them(void **state)
{
	(void)state;
	set_limit("a", "netvisor:x", "1");
	set_limit("b", "netvisor:x", "1");
	(void)hint("a", "1", NULL);
	(void)hint("a", "2", NULL);
	(void)hint("b", "1", NULL);
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

static size_t claim_many(struct queue_job *ret, size_t max)
{
	size_t n = 0;
	OK(queue_claim(queue, arena, max, ret, &n, &err));
	return n;
}

static size_t count_of(const struct queue_job *jobs, size_t n, const char *conn)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += strcmp(jobs[i].conn, conn) == 0;
	return found;
}

static void hint_many(const char *conn, int n)
{
	char source[16];
	for (int i = 0; i < n; i++) {
		snprintf(source, sizeof(source), "%d", i);
		(void)hint(conn, source, NULL);
	}
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
	OK(queue_turn(queue, arena, &t, &err));
	assert_true(t.stored);
	assert_int_equal(o.verdict, FINISH_STORED);
	assert_int_equal(t.n_jobs, 1);
	assert_string_equal(next[0].source_id, "1");
	assert_int_equal(finish(&next[0], STATE_DONE, -1), FINISH_STORED);
}

/* More than one call may hold, and more than the memory of one. */
static void a_batch_of_long_timelines_is_stored_whole(void **state)
{
	(void)state;
	enum { JOBS = 48, ENTRIES = 64, BYTES = 8000 };
	static struct queue_job jobs[JOBS];
	static struct queue_outcome o[JOBS];
	static char text[BYTES + 1];
	static const char *entries[ENTRIES];
	memset(text, 'x', BYTES);
	for (size_t i = 0; i < ENTRIES; i++)
		entries[i] = text;
	hint_many("a", JOBS);
	assert_int_equal(claim_many(jobs, JOBS), JOBS);
	for (size_t i = 0; i < JOBS; i++)
		o[i] = (struct queue_outcome) { .id = jobs[i].id,
						.fence = jobs[i].fence,
						.state = STATE_DONE,
						.delay_ms = -1,
						.entries = entries,
						.n_entries = ENTRIES };
	OK(queue_finish(queue, o, JOBS, &err));
	for (size_t i = 0; i < JOBS; i++) {
		assert_int_equal(o[i].verdict, FINISH_STORED);
		assert_int_equal(command("LLEN v:tl:%s", jobs[i].id, NULL)->i, ENTRIES);
	}
}

static void a_blocked_key_sleeps_until_its_time(void **state)
{
	(void)state;
	set_limit("a", "severa:x", "4");
	(void)hint("a", "1", NULL);
	OK(queue_block(queue, "severa:x", 200, &err));
	OK(queue_block(queue, "severa:x", 50, &err)); /* the longest holds */
	assert_nothing_to_claim();
	int64_t wait = 0;
	OK(queue_rate_take(queue, "severa:x", 8, 2, &wait, &err));
	assert_in_range(wait, 1, 200);
	clock_sleep_ms(250);
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
	OK(queue_blocks(queue, arena, &blocks, &n, &err));
	assert_int_equal(n, 0);
	set_limit("a", "severa:x", "4");
	set_limit("b", "severa:z", "4");
	(void)hint("a", "1", NULL);
	(void)hint("b", "1", NULL);
	OK(queue_block(queue, "severa:x", 30 * 86400000LL, &err));
	OK(queue_block(queue, "severa:z", 30 * 86400000LL, &err));
	assert_nothing_to_claim();
	OK(queue_blocks(queue, arena, &blocks, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(blocks[0].key, "severa:x");
	assert_true(blocks[0].until_ms <= clock_wall_ms() + 3600000);
	/* Only those are free that were asked for, and at once. */
	OK(queue_unblock(queue, keys, 2, &err));
	assert_string_equal(must_claim().conn, "a");
	assert_nothing_to_claim();
	int64_t wait = -1;
	OK(queue_rate_take(queue, "severa:x", 8, 2, &wait, &err));
	assert_int_equal(wait, 0);
	OK(queue_blocks(queue, arena, &blocks, &n, &err));
	assert_int_equal(n, 1);
}

static void a_stale_fence_is_refused(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job old = must_claim();
	clock_sleep_ms(LEASE_MS + 50);
	assert_int_equal(tick().reaped, 1);
	struct queue_job now = must_claim();
	assert_true(now.fence != old.fence);
	assert_string_equal(now.id, old.id);
	assert_int_equal(finish(&old, STATE_DONE, -1), FINISH_STALE);
	struct queue_lease leases[] = { { .id = old.id, .fence = old.fence },
					{ .id = now.id, .fence = now.fence } };
	OK(queue_heartbeat(queue, leases, 2, &err));
	assert_true(leases[0].lost);
	assert_false(leases[1].lost);
	struct err why = ERR_INIT;
	assert_false(queue_step_intent(queue, old.id, old.fence, "send", NULL, &why));
	assert_int_equal(why.code, ERR_LEASE);
	assert_int_equal(finish(&now, STATE_DONE, -1), FINISH_STORED);
	assert_int_equal(finish(&now, STATE_DONE, -1), FINISH_STALE);
}

/* Two workers that each claimed it on another side of a fail-over. */
static void a_fence_is_not_given_again_by_a_redis_that_went_back(void **state)
{
	(void)state;
	hint("a", "1", NULL);
	struct queue_job first = must_claim();
	assert_true(redis_fixture_flush(&server));
	hint("a", "1", NULL);
	struct queue_job second = must_claim();
	assert_string_equal(first.id, second.id);
	assert_true(first.fence != second.fence);
	assert_true(first.fence < 1LL << 53 && second.fence < 1LL << 53);
	struct err why = ERR_INIT;
	assert_false(queue_step_intent(queue, first.id, first.fence, "send", NULL, &why));
	assert_int_equal(why.code, ERR_LEASE);
	OK(queue_step_intent(queue, second.id, second.fence, "send", NULL, &err));
}

/* What is claimed or taken in stands in an epoch that knows of the loss, without waiting for the
 * keeper. */
static void nothing_is_given_out_by_a_redis_that_lost_data(void **state)
{
	(void)state;
	struct store_epoch before, after;
	struct queue_job job;
	OK(store_sync(store, &err));
	hint("a", "1", NULL);
	store_epoch_get(store, &before);
	/* As a replica has it that took over: everything, but the server's name. */
	command("HSET v:epoch run %s", "another", NULL);
	assert_true(claim(&job));
	store_epoch_get(store, &after);
	assert_string_not_equal(before.id, after.id);
	assert_true(after.restored);
	assert_string_equal(command("HGET v:epoch id", NULL, NULL)->s.p, after.id);

	before = after;
	assert_true(redis_fixture_flush(&server));
	assert_int_equal(hint("a", "1", NULL), INTAKE_NEW);
	store_epoch_get(store, &after);
	assert_string_not_equal(before.id, after.id);
	assert_string_equal(command("HGET v:epoch id", NULL, NULL)->s.p, after.id);
}

/* As if the clock of Redis had been put forward since, or back when negative: all that it wrote. */
#define JUMP_MS 3600000
static void jump(const char *id, int64_t ms)
{
	static const char script[] = "local ms = tonumber(ARGV[2]) "
				     "redis.call('INCRBY', 'v:q:clock', -ms) "
				     "for _, set in ipairs({ 'v:q:leases', 'v:q:delayed' }) do "
				     "for _, m in ipairs(redis.call('ZRANGE', set, 0, -1)) do "
				     "redis.call('ZINCRBY', set, -ms, m) end end "
				     "for _, f in ipairs({ 'i.1.send', 'due', 'ua' }) do "
				     "if redis.call('HEXISTS', 'v:t:' .. ARGV[1], f) == 1 then "
				     "redis.call('HINCRBY', 'v:t:' .. ARGV[1], f, -ms) end end";
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	OK(redis_borrow(pool, 1000, &r, &err));
	OK(redis_commandf(r, arena, &v, &err, "EVAL %b 0 %s %lld",
			  (struct span) { script, strlen(script) }, id, (long long)ms));
	redis_give_back(r);
}

static void a_jump_of_the_clock_ends_no_lease_and_ages_no_intent(void **state)
{
	(void)state;
	struct step step;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	OK(queue_step_intent(queue, job.id, job.fence, "send", NULL, &err));
	(void)tick();
	jump(job.id, JUMP_MS);
	struct queue_tick t = tick();
	assert_int_equal(t.reaped, 0);
	assert_true(t.clock_jump_ms > JUMP_MS - LEASE_MS && t.clock_jump_ms <= JUMP_MS + LEASE_MS);
	assert_int_equal(tick().clock_jump_ms, 0);
	OK(queue_step_get(queue, arena, job.id, job.fence, "send", &step, &err));
	assert_true(step.age_ms >= 0 && step.age_ms < LEASE_MS);
	/* Whoever is gone is still found out, a lease later. */
	clock_sleep_ms(LEASE_MS + 20);
	assert_int_equal(tick().reaped, 1);
}

static void a_jump_of_the_clock_makes_no_doubt_due(void **state)
{
	(void)state;
	(void)command("SADD v:conns %s", "a", NULL);
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	OK(queue_step_intent(queue, job.id, job.fence, "send", NULL, &err));
	assert_int_equal(finish(&job, STATE_IN_DOUBT, QUIET_MS), FINISH_STORED);
	(void)tick();
	jump(job.id, JUMP_MS);
	assert_int_equal(tick().promoted, 0);
	assert_nothing_to_claim();
	clock_sleep_ms(QUIET_MS + 20);
	assert_int_equal(tick().promoted, 1);
	struct step step;
	job = must_claim();
	OK(queue_step_get(queue, arena, job.id, job.fence, "send", &step, &err));
	assert_true(step.age_ms >= QUIET_MS && step.age_ms < JUMP_MS);
}

static void a_clock_put_back_keeps_no_dead_lease(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	(void)tick();
	jump(job.id, -JUMP_MS);
	assert_int_equal(tick().reaped, 0);
	clock_sleep_ms(LEASE_MS + 20);
	assert_int_equal(tick().reaped, 1);
}

/* Nobody ran for an hour: the gap is no jump, and what was held is taken back at once. */
static void a_pause_of_all_processes_is_no_jump(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	(void)tick();
	jump(job.id, JUMP_MS);
	struct queue_tick t = first_tick();
	assert_int_equal(t.reaped, 1);
	assert_int_equal(t.clock_jump_ms, 0);
}

static struct queue_job lose(void)
{
	struct queue_job job = must_claim();
	clock_sleep_ms(LEASE_MS + 20);
	return job;
}

static void what_takes_its_process_down_each_time_is_given_up(void **state)
{
	(void)state;
	struct queue_job job;
	(void)hint("a", "1", NULL);
	for (int i = 0; i < 4; i++) {
		job = lose();
		assert_int_equal(tick().reaped, 1);
	}
	job = must_claim();
	assert_int_equal(finish(&job, STATE_RETRYING, 0), FINISH_STORED); /* begins anew */
	for (int i = 0; i < 5; i++) {
		(void)tick();
		assert_string_equal(state_of(job.id), "retrying");
		job = lose();
		assert_int_equal(tick().given_up, i == 4);
	}
	assert_string_equal(state_of(job.id), "system_fault");
	assert_string_equal(command("HGET v:t:%s %s", job.id, "ec")->s.p, "run_lost");
	assert_nothing_to_claim();
	assert_int_equal(first_tick().reaped, 0);
	assert_nothing_to_claim();
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	job = must_claim();
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	assert_int_equal(command("HEXISTS v:t:%s %s", job.id, "lost")->i, 0);
}

static void heartbeats_keep_a_long_job(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	for (int i = 0; i < 4; i++) {
		clock_sleep_ms(LEASE_MS / 2);
		struct queue_lease lease = { .id = job.id, .fence = job.fence };
		OK(queue_heartbeat(queue, &lease, 1, &err));
		assert_false(lease.lost);
		assert_int_equal(tick().reaped, 0);
	}
}

static void a_crash_with_an_open_intent_is_in_doubt(void **state)
{
	(void)state;
	struct step step;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	OK(queue_step_intent(queue, job.id, job.fence, "send", NULL, &err));
	clock_sleep_ms(LEASE_MS + 20);
	struct queue_tick t = tick();
	assert_int_equal(t.in_doubt, 1);
	/* the quiet time counts from the intent, and may be over by now */
	for (int i = 0; i < 100 && !claim(&job); i++)
		clock_sleep_ms(10);
	assert_int_equal(job.was, STATE_IN_DOUBT);
	assert_int_equal(job.try_no, 2);
	OK(queue_step_get(queue, arena, job.id, job.fence, "send", &step, &err));
	assert_int_equal(step.state, STEP_INTENT);
	assert_true(clock_wall_ms() - step.intent_ms >= QUIET_MS);
	OK(queue_step_lookup_empty(queue, job.id, job.fence, "send", &err));
	OK(queue_step_get(queue, arena, job.id, job.fence, "send", &step, &err));
	assert_int_equal(step.lookups, 1);
	OK(queue_step_outcome(queue, job.id, job.fence, "send", "42", STEP_DELIVERS, &err));
	OK(queue_step_get(queue, arena, job.id, job.fence, "send", &step, &err));
	assert_int_equal(step.state, STEP_DONE);
	assert_string_equal(step.outcome, "42");
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
}

static bool comes_back(const struct queue_job *job, int64_t *ret_generation)
{
	bool back = false;
	OK(queue_step_back(queue, job->id, job->fence, "failed", &back, ret_generation, &err));
	return back;
}

/* Runs once: the delivery, then the failed status, each when asked for. */
static void fail_it(bool deliver, bool mark)
{
	struct queue_job job = must_claim();
	if (deliver)
		OK(queue_step_outcome(queue, job.id, job.fence, "send", "1", STEP_DELIVERS, &err));
	if (mark)
		OK(queue_step_outcome(queue, job.id, job.fence, "failed", "status",
				      STEP_DELIVERS_NOT, &err));
	else
		OK(queue_step_intent(queue, job.id, job.fence, "failed", NULL, &err));
	assert_int_equal(finish(&job, STATE_NEEDS_DATA, -1), FINISH_STORED);
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
}

static void SV_03_back_from_failed_opens_a_generation_only_after_a_delivery(void **state)
{
	(void)state;
	int64_t generation = 0;
	struct step step;
	(void)hint("a", "1", NULL);
	fail_it(false, true);
	struct queue_job job = must_claim();
	assert_true(comes_back(&job, &generation));
	assert_int_equal(generation, 1);
	assert_false(comes_back(&job, &generation)); /* told once */
	assert_int_equal(finish(&job, STATE_NEEDS_DATA, -1), FINISH_STORED);
	(void)hint("a", "1", NULL);
	fail_it(true, true);
	job = must_claim();
	assert_true(job.delivered);
	assert_true(comes_back(&job, &generation));
	assert_int_equal(generation, 2);
	assert_false(comes_back(&job, &generation));
	assert_int_equal(generation, 2);
	OK(queue_step_get(queue, arena, job.id, job.fence, "send", &step, &err));
	assert_int_equal(step.state, STEP_NONE);
	assert_int_equal(finish(&job, STATE_NEEDS_DATA, -1), FINISH_STORED);
	(void)hint("a", "1", NULL);
	job = must_claim();
	assert_int_equal(job.generation, 2);
	assert_false(job.delivered);
	assert_int_equal(job.try_no, 2);
}

static void SV_03_an_unclear_failed_status_opens_no_generation(void **state)
{
	(void)state;
	int64_t generation = 0;
	(void)hint("a", "1", NULL);
	fail_it(true, false);
	struct queue_job job = must_claim();
	assert_false(comes_back(&job, &generation));
	assert_int_equal(generation, 1);
}

static void SV_02_what_is_done_opens_no_generation(void **state)
{
	(void)state;
	int64_t generation = 0;
	(void)hint("a", "1", NULL);
	fail_it(true, true);
	struct queue_job job = must_claim();
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	job = must_claim();
	assert_int_equal(job.was, STATE_DONE);
	assert_false(comes_back(&job, &generation));
	assert_int_equal(generation, 1);
	assert_true(job.delivered);
}

static void a_hint_during_the_run_runs_it_again(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	assert_nothing_to_claim();
	assert_int_equal(finish(&job, STATE_SKIPPED, -1), FINISH_STORED);
	job = must_claim();
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	job = must_claim();
	assert_int_equal(job.was, STATE_DONE);
	assert_string_equal(state_of(job.id), "done");
	struct queue_outcome o = { .id = job.id, .fence = job.fence, .keep = true, .delay_ms = -1 };
	OK(queue_finish(queue, &o, 1, &err));
	assert_int_equal(o.verdict, FINISH_STORED);
	assert_nothing_to_claim();
}

static void a_find_does_not_repeat_what_is_settled(void **state)
{
	(void)state;
	assert_int_equal(found("a", "1", "c1"), INTAKE_NEW);
	assert_int_equal(found("a", "1", "c1"), INTAKE_SEEN);
	struct queue_job job = must_claim();
	assert_int_equal(finish(&job, STATE_NEEDS_DATA, -1), FINISH_STORED);
	assert_int_equal(found("a", "1", "c1"), INTAKE_SEEN);
	assert_int_equal(found("a", "1", "c2"), INTAKE_KNOWN);
	job = must_claim();
	assert_int_equal(job.was, STATE_NEEDS_DATA);
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	assert_int_equal(found("a", "1", "c3"), INTAKE_SEEN); /* a re-look each 10 min at most */
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	(void)must_claim();
	struct known_transfer k;
	OK(queue_known(queue, arena, "a", "invoice", "1", &k, &err));
	assert_true(k.exists);
	assert_int_equal(k.state, STATE_DONE);
	assert_string_equal(k.changed, "c3");
	OK(queue_known(queue, arena, "a", "invoice", "2", &k, &err));
	assert_false(k.exists);
}

/* A poll finds what still stands in the transfer status each time. */
static void what_was_left_unsent_is_woken_by_news_only(void **state)
{
	(void)state;
	static const struct {
		enum transfer_state rest;
		bool by_person;
		enum queue_intake moved;
	} cases[] = { { STATE_CANCELLED, false, INTAKE_KNOWN },
		      { STATE_CANCELLED, true, INTAKE_SEEN },
		      { STATE_SKIPPED, false, INTAKE_KNOWN },
		      { STATE_SYSTEM_FAULT, false, INTAKE_KNOWN } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char source[8];
		snprintf(source, sizeof(source), "%zu", i);
		assert_int_equal(found("a", source, "c1"), INTAKE_NEW);
		struct queue_job job = must_claim();
		assert_int_equal(finish(&job, cases[i].rest, -1), FINISH_STORED);
		if (cases[i].by_person)
			(void)command("HSET v:t:%s cx %s", job.id, "1");
		assert_int_equal(found("a", source, "c1"), INTAKE_SEEN);
		assert_nothing_to_claim();
		assert_int_equal(found("a", source, "c2"), cases[i].moved);
		if (cases[i].moved == INTAKE_SEEN)
			assert_int_equal(hint("a", source, NULL), INTAKE_KNOWN);
		job = must_claim();
		assert_int_equal(job.was, STATE_QUEUED);
		assert_int_equal(finish(&job, cases[i].rest, -1), FINISH_STORED);
		assert_int_equal(found("a", source, "c2"), INTAKE_SEEN);
		assert_int_equal(hint("a", source, NULL), INTAKE_KNOWN);
		job = must_claim();
		assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
		assert_int_equal(command("HEXISTS v:t:%s %s", job.id, "cx")->i, 0);
	}
}

/* A source without change stamps cannot say that a document came back. */
static void a_skipped_document_without_a_stamp_is_looked_at_again(void **state)
{
	(void)state;
	assert_int_equal(found("a", "1", NULL), INTAKE_NEW);
	struct queue_job job = must_claim();
	assert_int_equal(finish(&job, STATE_SKIPPED, -1), FINISH_STORED);
	assert_int_equal(found("a", "1", NULL), INTAKE_KNOWN);
	job = must_claim();
	assert_int_equal(finish(&job, STATE_CANCELLED, -1), FINISH_STORED);
	assert_int_equal(found("a", "1", NULL), INTAKE_SEEN);
}

static void news_during_a_run_that_ends_in_a_fault_run_it_again(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	assert_int_equal(finish(&job, STATE_SYSTEM_FAULT, -1), FINISH_STORED);
	assert_string_equal(state_of(job.id), "queued");
	job = must_claim();
	assert_int_equal(finish(&job, STATE_SYSTEM_FAULT, -1), FINISH_STORED);
	assert_string_equal(state_of(job.id), "system_fault");
	assert_nothing_to_claim();
}

/* A newer version's, after a step back. */
static void a_record_of_an_unknown_state_holds_up_nobody(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	struct queue_job jobs[3];
	size_t n = 0;
	(void)hint("a", "0", NULL);
	(void)hint("a", "1", NULL);
	(void)hint("a", "2", NULL);
	transfer_id("a", "invoice", "1", id);
	(void)command("HSET v:t:%s st %s", id, "dreaming");
	OK(queue_claim(queue, arena, 3, jobs, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(jobs[0].source_id, "0");
	assert_string_equal(jobs[1].source_id, "2");
	assert_false(is_held(id));
	assert_string_equal(state_of(id), "dreaming");
}

static void a_delayed_job_waits_for_its_time(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	assert_int_equal(finish(&job, STATE_RETRYING, 150), FINISH_STORED);
	assert_nothing_to_claim();
	assert_string_equal(state_of(job.id), "retrying");
	clock_sleep_ms(180);
	assert_int_equal(tick().promoted, 1);
	struct queue_job again = must_claim();
	assert_int_equal(again.try_no, 2);
	assert_true(again.first_try_ms == job.first_try_ms);
	struct queue_outcome o = {
		.id = again.id, .fence = again.fence, .hand_back = true, .delay_ms = 0
	};
	OK(queue_finish(queue, &o, 1, &err));
	again = must_claim();
	assert_int_equal(again.try_no, 2);
	assert_int_equal(again.was, STATE_RETRYING);
}

static void an_illegal_move_is_refused(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	(void)hint("a", "1", NULL);
	job = must_claim();
	assert_false(state_may_move(STATE_DONE, STATE_RETRYING));
	assert_int_equal(finish(&job, STATE_RETRYING, 100), FINISH_ILLEGAL);
	assert_string_equal(state_of(job.id), "done");
}

/* A transfer that stands in the state and in the queue. */
static void queue_up_in(enum transfer_state state, const char *source_id)
{
	char id[TRANSFER_ID_MAX];
	(void)hint("a", source_id, NULL);
	transfer_id("a", "invoice", source_id, id);
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	OK(redis_borrow(pool, 1000, &r, &err));
	OK(redis_commandf(r, arena, &v, &err, "HSET v:t:%s st %s", id, state_name(state)));
	redis_give_back(r);
}

static void the_scripts_obey_the_one_table(void **state)
{
	(void)state;
	char source[16];
	for (unsigned was = 0; was < N_TRANSFER_STATES; was++)
		for (unsigned to = 0; to < N_TRANSFER_STATES; to++) {
			struct queue_job job;
			if (was == STATE_RUNNING)
				continue; /* no record says so */
			snprintf(source, sizeof(source), "%u-%u", was, to);
			queue_up_in(was, source);
			/* These two stand while somebody looks again. */
			bool stands = was == STATE_DONE || was == STATE_NEEDS_DATA;
			enum transfer_state from = stands ? was : STATE_RUNNING;
			bool claimed = claim(&job);
			assert_int_equal(claimed,
					 state_may_move(was, STATE_RUNNING) || was == STATE_DONE);
			if (claimed) {
				bool stored = finish(&job, to, 100000) == FINISH_STORED;
				assert_int_equal(stored, from == to || state_may_move(from, to));
				assert_string_equal(state_of(job.id),
						    state_name(stored ? to : was));
			}
			assert_true(redis_fixture_flush(&server));
		}
	/* What other scripts do without asking the table. */
	for (unsigned s = 0; s < N_TRANSFER_STATES; s++)
		assert_true(s == STATE_QUEUED || state_may_move(s, STATE_QUEUED));
	assert_true(state_may_move(STATE_RUNNING, STATE_IN_DOUBT));
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
		if (!queue_claim(queue, own, 7, jobs, &n, &err))
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

static void the_rate_is_never_over_burst_plus_rate(void **state)
{
	(void)state;
	int64_t taken[64], end = clock_mono_ms() + 2200, wait = 0;
	size_t n = 0;
	while (clock_mono_ms() < end && n < ARRAY_SIZE(taken)) {
		OK(queue_rate_take(queue, "k", 8, 2, &wait, &err));
		if (wait == 0)
			taken[n++] = clock_mono_ms();
		else
			clock_sleep_ms(5);
	}
	assert_true(n >= 16); /* and it is given, too */
	for (size_t i = 0; i + 10 < n; i++)
		assert_true(taken[i + 10] - taken[i] >= 1000 - 15);
}

static void tasks_go_first_and_answer(void **state)
{
	(void)state;
	char id[QUEUE_JOB_ID_MAX], poll[QUEUE_JOB_ID_MAX], same[QUEUE_JOB_ID_MAX];
	(void)hint("a", "1", NULL);
	OK(queue_task_new(queue, "poll", "a", NULL, poll, &err));
	OK(queue_task_new(queue, "poll", "a", NULL, same, &err));
	assert_string_equal(poll, same);
	OK(queue_task_new(queue, "check", "a", "{\"x\":1}", id, &err));
	struct queue_job job = must_claim();
	assert_int_equal(job.type, JOB_CHECK);
	assert_string_equal(job.args, "{\"x\":1}");
	struct queue_outcome o = { .id = job.id,
				   .fence = job.fence,
				   .state = STATE_DONE,
				   .delay_ms = -1,
				   .result = "{\"ok\":true}" };
	OK(queue_finish(queue, &o, 1, &err));
	struct queue_task task;
	OK(queue_task_get(queue, arena, id, &task, &err));
	assert_int_equal(task.state, TASK_DONE);
	assert_string_equal(task.result, "{\"ok\":true}");
	assert_int_equal(must_claim().type, JOB_POLL);
	assert_int_equal(must_claim().type, JOB_TRANSFER);
	struct err why = ERR_INIT;
	assert_false(queue_task_get(queue, arena, "check:none", &task, &why));
	assert_int_equal(why.code, ERR_NOT_FOUND);
}

static void MV_05_a_dialogue_that_is_due_runs_once_on_a_paused_connection(void **state)
{
	(void)state;
	(void)command("SADD v:conns %s", "a", NULL);
	(void)command("HSET v:q:keys:%s p %s", "a", "1");
	(void)command("ZADD v:dialogues 1 %s", "a", NULL);
	(void)tick();
	struct queue_job job = must_claim();
	assert_int_equal(job.type, JOB_DIALOGUE);
	assert_string_equal(job.id, "dialogue:a");
	assert_string_equal(job.args, "");
	/* Until its run has set the next time it is a minute away, and a second one waits for it.
	 */
	(void)tick();
	(void)command("ZADD v:dialogues 1 %s", "a", NULL);
	(void)tick();
	assert_nothing_to_claim();
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	(void)command("ZADD v:dialogues 1 %s", "a", NULL);
	(void)tick();
	assert_string_equal(must_claim().id, "dialogue:a");
}

static void a_record_has_one_holder(void **state)
{
	(void)state;
	struct err why = ERR_INIT;
	OK(queue_record_lease(queue, "nv:customer:1", "t1", 5000, &err));
	OK(queue_record_lease(queue, "nv:customer:1", "t1", 5000, &err));
	assert_false(queue_record_lease(queue, "nv:customer:1", "t2", 5000, &why));
	assert_int_equal(why.code, ERR_BUSY);
	assert_in_range(why.retry_after_ms, 1, 5000);
	OK(queue_record_release(queue, "nv:customer:1", "t2", &err));
	assert_false(queue_record_lease(queue, "nv:customer:1", "t2", 5000, &why));
	OK(queue_record_release(queue, "nv:customer:1", "t1", &err));
	OK(queue_record_lease(queue, "nv:customer:1", "t2", 5000, &err));
}

static void the_reconciler_mends_orphans(void **state)
{
	(void)state;
	set_limit("a", "k", "2");
	(void)hint("a", "1", NULL);
	(void)hint("a", "2", NULL);
	(void)hint("a", "3", NULL);
	struct queue_job job = must_claim(), other = must_claim();
	(void)command("DEL v:q:leases v:q:ring v:q:c:%s", "a", NULL);
	(void)command("HDEL v:q:held %s", other.id, NULL);
	assert_nothing_to_claim();
	struct queue_tick t = first_tick();
	assert_int_equal(t.reaped, 1);
	assert_true(t.mended >= 2);
	assert_int_equal(t.polls, 0);
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STALE);
	assert_int_equal(finish(&other, STATE_DONE, -1), FINISH_STALE);
	(void)must_claim();
	(void)must_claim();
	assert_nothing_to_claim(); /* two slots */
}

/* Ages with retentions of some milliseconds: what is at rest loses its timeline, then is forgotten.
 */
static void what_is_at_rest_grows_old(void **state)
{
	(void)state;
	struct seal_key key;
	struct queue *fresh = NULL;
	struct queue_tick t;
	seal_key_random(&key);
	set_limit("a", "k", "9");
	(void)hint("a", "1", "w1");
	(void)hint("a", "2", NULL);
	struct queue_job done = must_claim(), open = must_claim();
	OK(queue_set_number(queue, done.id, done.fence, "1001", &err));
	const char *const entries[] = { "{\"code\":\"x\"}" };
	struct queue_outcome o[] = {
		{ .id = done.id,
		  .fence = done.fence,
		  .state = STATE_DONE,
		  .delay_ms = -1,
		  .entries = entries,
		  .n_entries = 1 },
		{ .id = open.id,
		  .fence = open.fence,
		  .state = STATE_NEEDS_DATA,
		  .delay_ms = -1,
		  .entries = entries,
		  .n_entries = 1 },
	};
	OK(queue_finish(queue, o, 2, &err));
	assert_int_equal(first_tick().aged, 0);
	assert_int_equal(command("LLEN v:tl:%s", done.id, NULL)->i, 1);
	clock_sleep_ms(20);
	(void)command("DEL %s", "v:q:mend", NULL);
	const struct queue_options young = { .pool = pool, .key = &key, .retention_ms = 10 };
	OK(queue_new(&young, &fresh, &err));
	OK(queue_tick(fresh, &t, &err));
	queue_free(fresh);
	assert_int_equal(t.aged, 1);
	assert_int_equal(command("EXISTS v:tl:%s", done.id, NULL)->i, 0);
	assert_int_equal(command("HEXISTS v:t:%s %s", done.id, "wh")->i, 0);
	assert_string_equal(state_of(done.id), "done");
	assert_string_equal(command("HGET %s %s", "v:no:a", "1001")->s.p, done.id);
	assert_int_equal(command("LLEN v:tl:%s", open.id, NULL)->i, 1);
	(void)command("DEL %s", "v:q:mend", NULL);
	const struct queue_options old = { .pool = pool, .key = &key, .record_ms = 10 };
	OK(queue_new(&old, &fresh, &err));
	OK(queue_tick(fresh, &t, &err));
	queue_free(fresh);
	assert_int_equal(t.aged, 1);
	assert_int_equal(command("EXISTS v:t:%s %s", done.id, "v:no:a")->i, 0);
	assert_string_equal(state_of(open.id), "needs_data");
}

static void values_keep_and_lapse(void **state)
{
	(void)state;
	const char *v = NULL;
	OK(queue_kv_get(queue, arena, "s", "k", &v, &err));
	assert_string_equal(v, "");
	OK(queue_kv_set(queue, "s", "k", "a b\n", 0, &err));
	OK(queue_kv_get(queue, arena, "s", "k", &v, &err));
	assert_string_equal(v, "a b\n");
	OK(queue_kv_set(queue, "s", "k", "x", 20, &err));
	clock_sleep_ms(40);
	OK(queue_kv_get(queue, arena, "s", "k", &v, &err));
	assert_string_equal(v, "");
}

static void an_emptied_redis_is_served_again(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	assert_true(redis_fixture_restart_empty(&server));
	struct err why = ERR_INIT;
	struct queue_outcome o = { .id = job.id, .fence = job.fence, .state = STATE_DONE };
	for (int i = 0; i < 200 && !queue_finish(queue, &o, 1, &why); i++)
		clock_sleep_ms(10);
	assert_int_equal(o.verdict, FINISH_STALE);
	assert_int_equal(hint("a", "1", NULL), INTAKE_NEW);
	(void)must_claim();
	struct queue_depth d;
	OK(queue_depth(queue, &d, &err));
	assert_int_equal(d.running, 1);
}

static void waiting_ends_when_something_comes(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	int64_t before = clock_mono_ms();
	OK(queue_wait(queue, 3000, &err));
	assert_true(clock_mono_ms() - before < 1000);
	OK(queue_wait(queue, 50, &err));
}

static void a_vanished_lease_holds_nothing_for_ever(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	(void)command("DEL %s", "v:q:leases", NULL);
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	assert_int_equal(first_tick().reaped, 1);
	struct queue_job next = must_claim();
	assert_string_equal(next.id, job.id);
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STALE);
	assert_int_equal(finish(&next, STATE_DONE, -1), FINISH_STORED);
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
		OK(queue_wait(queue, 1000, &err));
		OK(queue_claim(queue, arena, 1, &job, &n, &err));
	}
	assert_int_equal(n, 1);
	assert_string_equal(job.conn, "free");
}

static void deep_intake_with_replay_marks_is_fast(void **state)
{
	(void)state;
	static struct queue_item items[QUEUE_BATCH_MAX];
	static struct queue_receipt got[QUEUE_BATCH_MAX];
	static char ids[QUEUE_BATCH_MAX][48], conns[16][16];
	int64_t before = clock_mono_us();
	for (int i = 0; i < 16; i++)
		snprintf(conns[i], sizeof(conns[i]), "c%d", i);
	for (int round = 0; round < 80; round++) {
		for (int i = 0; i < QUEUE_BATCH_MAX; i++) {
			snprintf(ids[i], sizeof(ids[i]), "0123456789abcdef-%d-%d", round, i);
			items[i] = (struct queue_item) { .conn = conns[i % 16],
							 .kind = "invoice",
							 .source_id = ids[i],
							 .webhook_id = ids[i],
							 .origin = "webhook" };
		}
		OK(queue_intake(queue, items, QUEUE_BATCH_MAX, got, &err));
	}
	print_message("intake with webhook ids: %.0f items/s\n",
		      80.0 * QUEUE_BATCH_MAX * 1e6 / (double)(clock_mono_us() - before));
	struct queue_job jobs[64];
	size_t n = 0, all = 0;
	before = clock_mono_us();
	for (int round = 0; round < 40; round++) {
		struct queue_outcome out[64];
		OK(queue_claim(queue, arena, 64, jobs, &n, &err));
		for (size_t i = 0; i < n; i++)
			out[i] = (struct queue_outcome) { .id = jobs[i].id,
							  .fence = jobs[i].fence,
							  .state = STATE_DONE,
							  .delay_ms = -1 };
		OK(queue_finish(queue, out, n, &err));
		all += n;
	}
	assert_int_equal(all, 40 * 64);
	print_message("claim and finish: %.0f jobs/s\n",
		      (double)all * 1e6 / (double)(clock_mono_us() - before));
}

/* --- many workers on few slots --- */

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
		if (!queue_claim(queue, own, 1, &job, &n, &err))
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
		if (!queue_finish(queue, &o, 1, &err) || o.verdict != FINISH_STORED)
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
	assert_int_equal(command("EXISTS %s %s", "v:q:run:odd", "v:q:run:even")->i, 0);
}

static void what_was_answered_survives_a_killed_server(void **state)
{
	(void)state;
	struct step step;
	(void)hint("a", "1", NULL);
	(void)hint("a", "2", NULL);
	struct queue_job job = must_claim();
	OK(queue_step_intent(queue, job.id, job.fence, "send", NULL, &err));
	redis_fixture_kill(&server);
	struct err why = ERR_INIT;
	assert_false(queue_step_get(queue, arena, job.id, job.fence, "send", &step, &why));
	assert_int_equal(why.code, ERR_OUTAGE);
	assert_true(redis_fixture_restart(&server));
	bool back = false;
	for (int i = 0; i < 200 && !back; i++) {
		back = queue_step_get(queue, arena, job.id, job.fence, "send", &step, &why);
		if (!back)
			clock_sleep_ms(10);
	}
	assert_true(back);
	assert_int_equal(step.state, STEP_INTENT);
	assert_string_equal(must_claim().source_id, "2");
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, empty, tidy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hint_becomes_a_job_once),
		TEST(connections_take_turns),
		TEST(a_full_limit_key_holds_jobs_back_and_wakes_them),
		TEST(connections_share_a_claim),
		TEST(a_claim_takes_no_more_than_the_slots),
		TEST(a_turn_claims_what_its_outcomes_free),
		TEST(a_batch_of_long_timelines_is_stored_whole),
		TEST(a_blocked_key_sleeps_until_its_time),
		TEST(a_block_is_short_and_can_be_lifted),
		TEST(a_stale_fence_is_refused),
		TEST(a_fence_is_not_given_again_by_a_redis_that_went_back),
		TEST(nothing_is_given_out_by_a_redis_that_lost_data),
		TEST(a_jump_of_the_clock_ends_no_lease_and_ages_no_intent),
		TEST(a_jump_of_the_clock_makes_no_doubt_due),
		TEST(a_clock_put_back_keeps_no_dead_lease),
		TEST(a_pause_of_all_processes_is_no_jump),
		TEST(what_takes_its_process_down_each_time_is_given_up),
		TEST(heartbeats_keep_a_long_job),
		TEST(a_crash_with_an_open_intent_is_in_doubt),
		TEST(SV_03_back_from_failed_opens_a_generation_only_after_a_delivery),
		TEST(SV_03_an_unclear_failed_status_opens_no_generation),
		TEST(SV_02_what_is_done_opens_no_generation),
		TEST(a_hint_during_the_run_runs_it_again),
		TEST(a_find_does_not_repeat_what_is_settled),
		TEST(what_was_left_unsent_is_woken_by_news_only),
		TEST(a_skipped_document_without_a_stamp_is_looked_at_again),
		TEST(news_during_a_run_that_ends_in_a_fault_run_it_again),
		TEST(a_record_of_an_unknown_state_holds_up_nobody),
		TEST(a_delayed_job_waits_for_its_time),
		TEST(an_illegal_move_is_refused),
		TEST(the_scripts_obey_the_one_table),
		TEST(two_claimers_never_hold_the_same_job),
		TEST(the_rate_is_never_over_burst_plus_rate),
		TEST(tasks_go_first_and_answer),
		TEST(MV_05_a_dialogue_that_is_due_runs_once_on_a_paused_connection),
		TEST(a_record_has_one_holder),
		TEST(the_reconciler_mends_orphans),
		TEST(what_is_at_rest_grows_old),
		TEST(values_keep_and_lapse),
		TEST(an_emptied_redis_is_served_again),
		TEST(waiting_ends_when_something_comes),
		TEST(a_vanished_lease_holds_nothing_for_ever),
		TEST(many_that_wait_do_not_hide_one_that_can_run),
		TEST(slots_are_never_exceeded_nor_forgotten),
		TEST(what_was_answered_survives_a_killed_server),
		TEST(deep_intake_with_replay_marks_is_fast),
	};
	return cmocka_run_group_tests_name("queue", tests, start, stop);
}
