/*
 * test_queue_leases.c: what becomes of runs whose process died, whose Redis lost data or whose
 * clock jumped: leases, fences, doubts, the reconciler. Against a real redis-server.
 */
#include "base/base.h"

#include "base/clock.h"
#include "relay_fixture.h"

static void a_stale_fence_is_refused(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job old = must_claim();
	elapse(old.id, LEASE_MS);
	assert_int_equal(tick().reaped, 1);
	struct queue_job now = must_claim();
	assert_true(now.fence != old.fence);
	assert_string_equal(now.id, old.id);
	assert_int_equal(finish(&old, STATE_DONE, -1), FINISH_STALE);
	struct queue_lease leases[] = { { .id = old.id, .fence = old.fence },
					{ .id = now.id, .fence = now.fence } };
	OK(queue_heartbeat(fx.queue, leases, 2, &err));
	assert_true(leases[0].lost);
	assert_false(leases[1].lost);
	struct err why = ERR_INIT;
	assert_false(queue_step_intent(fx.queue, old.id, old.fence, "send", NULL, &why));
	assert_int_equal(why.code, ERR_LEASE);
	assert_int_equal(finish(&now, STATE_DONE, -1), FINISH_STORED);
	assert_int_equal(finish(&now, STATE_DONE, -1), FINISH_STALE);
}

static void heartbeats_keep_a_long_job(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	for (int i = 0; i < 4; i++) {
		elapse(job.id, LEASE_MS * 3 / 4);
		struct queue_lease lease = { .id = job.id, .fence = job.fence };
		OK(queue_heartbeat(fx.queue, &lease, 1, &err));
		assert_false(lease.lost);
		assert_int_equal(tick().reaped, 0);
	}
}

static struct queue_job lose(void)
{
	struct queue_job job = must_claim();
	elapse(job.id, LEASE_MS);
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
	assert_string_equal(redis_do("HGET v:t:%s %s", job.id, "ec")->s.p, "run_lost");
	assert_nothing_to_claim();
	assert_int_equal(first_tick().reaped, 0);
	assert_nothing_to_claim();
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	job = must_claim();
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	assert_int_equal(redis_do("HEXISTS v:t:%s %s", job.id, "lost")->i, 0);
}

static void a_crash_with_an_open_intent_is_in_doubt(void **state)
{
	(void)state;
	struct step step;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	OK(queue_step_intent(fx.queue, job.id, job.fence, "send", NULL, &err));
	elapse(job.id, LEASE_MS);
	struct queue_tick t = tick();
	assert_int_equal(t.in_doubt, 1);
	job = must_claim(); /* the quiet time counts from the intent: it is over */
	assert_int_equal(job.was, STATE_IN_DOUBT);
	assert_int_equal(job.try_no, 2);
	OK(queue_step_get(fx.queue, fx.arena, job.id, job.fence, "send", &step, &err));
	assert_int_equal(step.state, STEP_INTENT);
	assert_true(clock_wall_ms() - step.intent_ms >= QUIET_MS);
	OK(queue_step_lookup_empty(fx.queue, job.id, job.fence, "send", &err));
	OK(queue_step_get(fx.queue, fx.arena, job.id, job.fence, "send", &step, &err));
	assert_int_equal(step.lookups, 1);
	OK(queue_step_outcome(fx.queue, job.id, job.fence, "send", "42", STEP_DELIVERS, &err));
	OK(queue_step_get(fx.queue, fx.arena, job.id, job.fence, "send", &step, &err));
	assert_int_equal(step.state, STEP_DONE);
	assert_string_equal(step.outcome, "42");
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
}

static void a_vanished_lease_holds_nothing_for_ever(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	(void)redis_do("DEL %s", "v:q:leases", NULL);
	assert_int_equal(hint("a", "1", NULL), INTAKE_KNOWN);
	assert_int_equal(first_tick().reaped, 1);
	struct queue_job next = must_claim();
	assert_string_equal(next.id, job.id);
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STALE);
	assert_int_equal(finish(&next, STATE_DONE, -1), FINISH_STORED);
}

static void the_reconciler_mends_orphans(void **state)
{
	(void)state;
	set_limit("a", "k", "2");
	hint_many("a", 3);
	struct queue_job job = must_claim(), other = must_claim();
	(void)redis_do("DEL v:q:leases v:q:ring v:q:c:%s", "a", NULL);
	(void)redis_do("HDEL v:q:held %s", other.id, NULL);
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
	struct queue_tick t;
	set_limit("a", "k", "9");
	(void)hint("a", "1", "w1");
	(void)hint("a", "2", NULL);
	struct queue_job done = must_claim(), open = must_claim();
	OK(queue_set_number(fx.queue, done.id, done.fence, "1001", &err));
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
	OK(queue_finish(fx.queue, o, 2, &err));
	assert_int_equal(first_tick().aged, 0);
	assert_int_equal(redis_do("LLEN v:tl:%s", done.id, NULL)->i, 1);
	clock_sleep_ms(20);
	(void)redis_do("DEL %s", "v:q:mend", NULL);
	t = tick_with(&(struct queue_options) { .retention_ms = 10 });
	assert_int_equal(t.aged, 1);
	assert_int_equal(redis_do("EXISTS v:tl:%s", done.id, NULL)->i, 0);
	assert_int_equal(redis_do("HEXISTS v:t:%s %s", done.id, "wh")->i, 0);
	assert_string_equal(state_of(done.id), "done");
	assert_string_equal(redis_do("HGET %s %s", "v:no:a", "1001")->s.p, done.id);
	assert_int_equal(redis_do("LLEN v:tl:%s", open.id, NULL)->i, 1);
	(void)redis_do("DEL %s", "v:q:mend", NULL);
	t = tick_with(&(struct queue_options) { .record_ms = 10 });
	assert_int_equal(t.aged, 1);
	assert_int_equal(redis_do("EXISTS v:t:%s %s", done.id, "v:no:a")->i, 0);
	assert_string_equal(state_of(open.id), "needs_data");
}

/* As if the clock of Redis had been put forward since, or back when negative. */
#define JUMP_MS 3600000
static void jump(const char *id, int64_t ms)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, -ms);
	(void)redis_do("INCRBY %s %s", "v:q:clock", text);
	elapse(id, ms);
}

static void a_jump_of_the_clock_ends_no_lease_and_ages_no_intent(void **state)
{
	(void)state;
	struct step step;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	OK(queue_step_intent(fx.queue, job.id, job.fence, "send", NULL, &err));
	(void)tick();
	jump(job.id, JUMP_MS);
	struct queue_tick t = tick();
	assert_int_equal(t.reaped, 0);
	assert_true(t.clock_jump_ms > JUMP_MS - LEASE_MS && t.clock_jump_ms <= JUMP_MS + LEASE_MS);
	assert_int_equal(tick().clock_jump_ms, 0);
	OK(queue_step_get(fx.queue, fx.arena, job.id, job.fence, "send", &step, &err));
	assert_true(step.age_ms >= 0 && step.age_ms < LEASE_MS);
	/* Whoever is gone is still found out, a lease later. */
	elapse(job.id, LEASE_MS);
	assert_int_equal(tick().reaped, 1);
}

static void a_jump_of_the_clock_makes_no_doubt_due(void **state)
{
	(void)state;
	(void)redis_do("SADD v:conns %s", "a", NULL);
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	OK(queue_step_intent(fx.queue, job.id, job.fence, "send", NULL, &err));
	assert_int_equal(finish(&job, STATE_IN_DOUBT, QUIET_MS), FINISH_STORED);
	(void)tick();
	jump(job.id, JUMP_MS);
	assert_int_equal(tick().promoted, 0);
	assert_nothing_to_claim();
	elapse(job.id, QUIET_MS);
	assert_int_equal(tick().promoted, 1);
	struct step step;
	job = must_claim();
	OK(queue_step_get(fx.queue, fx.arena, job.id, job.fence, "send", &step, &err));
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
	elapse(job.id, LEASE_MS);
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

/* Two workers that each claimed it on another side of a fail-over. */
static void a_fence_is_not_given_again_by_a_redis_that_went_back(void **state)
{
	(void)state;
	hint("a", "1", NULL);
	struct queue_job first = must_claim();
	assert_true(redis_fixture_flush(&fx.server));
	hint("a", "1", NULL);
	struct queue_job second = must_claim();
	assert_string_equal(first.id, second.id);
	assert_true(first.fence != second.fence);
	assert_true(first.fence < 1LL << 53 && second.fence < 1LL << 53);
	struct err why = ERR_INIT;
	assert_false(queue_step_intent(fx.queue, first.id, first.fence, "send", NULL, &why));
	assert_int_equal(why.code, ERR_LEASE);
	OK(queue_step_intent(fx.queue, second.id, second.fence, "send", NULL, &err));
}

/* What is claimed or taken in stands in an epoch that knows of the loss, without waiting for the
 * keeper. */
static void nothing_is_given_out_by_a_redis_that_lost_data(void **state)
{
	(void)state;
	struct store_epoch before, after;
	struct queue_job job;
	OK(store_sync(fx.store, &err));
	hint("a", "1", NULL);
	store_epoch_get(fx.store, &before);
	/* As a replica has it that took over: everything, but the server's name. */
	redis_do("HSET v:epoch run %s", "another", NULL);
	assert_true(claim(&job));
	store_epoch_get(fx.store, &after);
	assert_string_not_equal(before.id, after.id);
	assert_true(after.restored);
	assert_string_equal(redis_do("HGET v:epoch id", NULL, NULL)->s.p, after.id);

	before = after;
	assert_true(redis_fixture_flush(&fx.server));
	assert_int_equal(hint("a", "1", NULL), INTAKE_NEW);
	store_epoch_get(fx.store, &after);
	assert_string_not_equal(before.id, after.id);
	assert_string_equal(redis_do("HGET v:epoch id", NULL, NULL)->s.p, after.id);
}

static void an_emptied_redis_is_served_again(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	struct queue_job job = must_claim();
	assert_true(redis_fixture_restart_empty(&fx.server));
	struct err why = ERR_INIT;
	struct queue_outcome o = { .id = job.id, .fence = job.fence, .state = STATE_DONE };
	for (int i = 0; i < 200 && !queue_finish(fx.queue, &o, 1, &why); i++)
		clock_sleep_ms(10);
	assert_int_equal(o.verdict, FINISH_STALE);
	assert_int_equal(hint("a", "1", NULL), INTAKE_NEW);
	(void)must_claim();
	struct queue_depth d;
	OK(queue_depth(fx.queue, &d, &err));
	assert_int_equal(d.running, 1);
}

static void what_was_answered_survives_a_killed_server(void **state)
{
	(void)state;
	struct step step;
	(void)hint("a", "1", NULL);
	(void)hint("a", "2", NULL);
	struct queue_job job = must_claim();
	OK(queue_step_intent(fx.queue, job.id, job.fence, "send", NULL, &err));
	redis_fixture_kill(&fx.server);
	struct err why = ERR_INIT;
	assert_false(queue_step_get(fx.queue, fx.arena, job.id, job.fence, "send", &step, &why));
	assert_int_equal(why.code, ERR_OUTAGE);
	assert_true(redis_fixture_restart(&fx.server));
	bool back = false;
	for (int i = 0; i < 200 && !back; i++) {
		back = queue_step_get(fx.queue, fx.arena, job.id, job.fence, "send", &step, &why);
		if (!back)
			clock_sleep_ms(10);
	}
	assert_true(back);
	assert_int_equal(step.state, STEP_INTENT);
	assert_string_equal(must_claim().source_id, "2");
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, relay_empty, relay_tidy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stale_fence_is_refused),
		TEST(heartbeats_keep_a_long_job),
		TEST(what_takes_its_process_down_each_time_is_given_up),
		TEST(a_crash_with_an_open_intent_is_in_doubt),
		TEST(a_vanished_lease_holds_nothing_for_ever),
		TEST(the_reconciler_mends_orphans),
		TEST(what_is_at_rest_grows_old),
		TEST(a_jump_of_the_clock_ends_no_lease_and_ages_no_intent),
		TEST(a_jump_of_the_clock_makes_no_doubt_due),
		TEST(a_clock_put_back_keeps_no_dead_lease),
		TEST(a_pause_of_all_processes_is_no_jump),
		TEST(a_fence_is_not_given_again_by_a_redis_that_went_back),
		TEST(nothing_is_given_out_by_a_redis_that_lost_data),
		TEST(an_emptied_redis_is_served_again),
		TEST(what_was_answered_survives_a_killed_server),
	};
	return cmocka_run_group_tests_name("queue_leases", tests, relay_start, relay_stop);
}
