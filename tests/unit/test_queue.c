/*
 * test_queue.c: the queue against a real redis-server: what comes in is claimed, run and stored
 * again, in turns, by the one table of states; tasks, records, small values.
 */
#include "base/base.h"

#include "base/clock.h"
#include "relay_fixture.h"

#define MINUTE_MS 60000

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
	assert_int_equal(redis_do("EXISTS %s %s", "v:q:leases", "v:q:batches")->i, 0);
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
		OK(queue_intake(fx.queue, items, n, got, &err));
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
	OK(queue_finish(fx.queue, o, JOBS, &err));
	for (size_t i = 0; i < JOBS; i++) {
		assert_int_equal(o[i].verdict, FINISH_STORED);
		assert_int_equal(redis_do("LLEN v:tl:%s", jobs[i].id, NULL)->i, ENTRIES);
	}
}

/* A newer version's, after a step back. */
static void a_record_of_an_unknown_state_holds_up_nobody(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	struct queue_job jobs[3];
	hint_many("a", 3);
	transfer_id("a", "invoice", "1", id);
	(void)redis_do("HSET v:t:%s st %s", id, "dreaming");
	assert_int_equal(claim_many(jobs, 3), 2);
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
	assert_int_equal(finish(&job, STATE_RETRYING, MINUTE_MS), FINISH_STORED);
	assert_nothing_to_claim();
	assert_string_equal(state_of(job.id), "retrying");
	elapse(job.id, MINUTE_MS);
	assert_int_equal(tick().promoted, 1);
	struct queue_job again = must_claim();
	assert_int_equal(again.try_no, 2);
	assert_true(again.first_try_ms == job.first_try_ms);
	struct queue_outcome o = {
		.id = again.id, .fence = again.fence, .hand_back = true, .delay_ms = 0
	};
	OK(queue_finish(fx.queue, &o, 1, &err));
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
	hint_id("a", source_id, id);
	(void)redis_do("HSET v:t:%s st %s", id, state_name(state));
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
			assert_true(redis_fixture_flush(&fx.server));
		}
	/* What other scripts do without asking the table. */
	for (unsigned s = 0; s < N_TRANSFER_STATES; s++)
		assert_true(s == STATE_QUEUED || state_may_move(s, STATE_QUEUED));
	assert_true(state_may_move(STATE_RUNNING, STATE_IN_DOUBT));
}

static void tasks_go_first_and_answer(void **state)
{
	(void)state;
	char id[QUEUE_JOB_ID_MAX], poll[QUEUE_JOB_ID_MAX], same[QUEUE_JOB_ID_MAX];
	(void)hint("a", "1", NULL);
	OK(queue_task_new(fx.queue, "poll", "a", NULL, poll, &err));
	OK(queue_task_new(fx.queue, "poll", "a", NULL, same, &err));
	assert_string_equal(poll, same);
	OK(queue_task_new(fx.queue, "check", "a", "{\"x\":1}", id, &err));
	struct queue_job job = must_claim();
	assert_int_equal(job.type, JOB_CHECK);
	assert_string_equal(job.args, "{\"x\":1}");
	struct queue_outcome o = { .id = job.id,
				   .fence = job.fence,
				   .state = STATE_DONE,
				   .delay_ms = -1,
				   .result = "{\"ok\":true}" };
	OK(queue_finish(fx.queue, &o, 1, &err));
	struct queue_task task;
	OK(queue_task_get(fx.queue, fx.arena, id, &task, &err));
	assert_int_equal(task.state, TASK_DONE);
	assert_string_equal(task.result, "{\"ok\":true}");
	assert_int_equal(must_claim().type, JOB_POLL);
	assert_int_equal(must_claim().type, JOB_TRANSFER);
	struct err why = ERR_INIT;
	assert_false(queue_task_get(fx.queue, fx.arena, "check:none", &task, &why));
	assert_int_equal(why.code, ERR_NOT_FOUND);
}

/* It may have read its source before what the second order is about. */
static void a_poll_ordered_while_one_runs_is_no_part_of_it(void **state)
{
	(void)state;
	char id[QUEUE_JOB_ID_MAX];
	struct queue_task task;
	OK(queue_task_new(fx.queue, "poll", "a", "{\"rev\":1}", id, &err));
	OK(queue_task_new(fx.queue, "poll", "a", "{\"rev\":2}", id, &err)); /* none runs yet */
	struct queue_job job = must_claim();
	assert_string_equal(job.args, "{\"rev\":2}");
	OK(queue_task_new(fx.queue, "poll", "a", "{\"rev\":3}", id, &err));
	OK(queue_task_new(fx.queue, "poll", "a", "{\"rev\":4}", id, &err));
	assert_nothing_to_claim();
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	OK(queue_task_get(fx.queue, fx.arena, id, &task, &err));
	assert_int_equal(task.state, TASK_QUEUED); /* who waits for it goes on waiting */
	job = must_claim();
	assert_string_equal(job.args, "{\"rev\":4}");
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	OK(queue_task_get(fx.queue, fx.arena, id, &task, &err));
	assert_int_equal(task.state, TASK_DONE);
	assert_nothing_to_claim();
}

static void MV_05_a_dialogue_that_is_due_runs_once_on_a_paused_connection(void **state)
{
	(void)state;
	(void)redis_do("SADD v:conns %s", "a", NULL);
	(void)redis_do("HSET v:q:keys:%s p %s", "a", "1");
	(void)redis_do("ZADD v:dialogues 1 %s", "a", NULL);
	(void)tick();
	struct queue_job job = must_claim();
	assert_int_equal(job.type, JOB_DIALOGUE);
	assert_string_equal(job.id, "dialogue:a");
	assert_string_equal(job.args, "");
	/* Until its run has set the next time it is a minute away, and a second one waits for it.
	 */
	(void)tick();
	(void)redis_do("ZADD v:dialogues 1 %s", "a", NULL);
	(void)tick();
	assert_nothing_to_claim();
	assert_int_equal(finish(&job, STATE_DONE, -1), FINISH_STORED);
	(void)redis_do("ZADD v:dialogues 1 %s", "a", NULL);
	(void)tick();
	assert_string_equal(must_claim().id, "dialogue:a");
}

static void a_record_has_one_holder(void **state)
{
	(void)state;
	struct err why = ERR_INIT;
	OK(queue_record_lease(fx.queue, "nv:customer:1", "t1", 5000, &err));
	OK(queue_record_lease(fx.queue, "nv:customer:1", "t1", 5000, &err));
	assert_false(queue_record_lease(fx.queue, "nv:customer:1", "t2", 5000, &why));
	assert_int_equal(why.code, ERR_BUSY);
	assert_in_range(why.retry_after_ms, 1, 5000);
	OK(queue_record_release(fx.queue, "nv:customer:1", "t2", &err));
	assert_false(queue_record_lease(fx.queue, "nv:customer:1", "t2", 5000, &why));
	OK(queue_record_release(fx.queue, "nv:customer:1", "t1", &err));
	OK(queue_record_lease(fx.queue, "nv:customer:1", "t2", 5000, &err));
}

static void values_keep_and_lapse(void **state)
{
	(void)state;
	const char *v = NULL;
	OK(queue_kv_get(fx.queue, fx.arena, "s", "k", &v, &err));
	assert_string_equal(v, "");
	OK(queue_kv_set(fx.queue, "s", "k", "a b\n", 0, &err));
	OK(queue_kv_get(fx.queue, fx.arena, "s", "k", &v, &err));
	assert_string_equal(v, "a b\n");
	OK(queue_kv_set(fx.queue, "s", "k", "x", 20, &err));
	clock_sleep_ms(40);
	OK(queue_kv_get(fx.queue, fx.arena, "s", "k", &v, &err));
	assert_string_equal(v, "");
}

static void waiting_ends_when_something_comes(void **state)
{
	(void)state;
	(void)hint("a", "1", NULL);
	int64_t before = clock_mono_ms();
	OK(queue_wait(fx.queue, 30000, &err));
	assert_true(clock_mono_ms() - before < 15000);
	OK(queue_wait(fx.queue, 50, &err));
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
		OK(queue_intake(fx.queue, items, QUEUE_BATCH_MAX, got, &err));
	}
	print_message("intake with webhook ids: %.0f items/s\n",
		      80.0 * QUEUE_BATCH_MAX * 1e6 / (double)(clock_mono_us() - before));
	struct queue_job jobs[64];
	size_t n = 0, all = 0;
	before = clock_mono_us();
	for (int round = 0; round < 40; round++) {
		struct queue_outcome out[64];
		OK(queue_claim(fx.queue, fx.arena, 64, jobs, &n, &err));
		for (size_t i = 0; i < n; i++)
			out[i] = (struct queue_outcome) { .id = jobs[i].id,
							  .fence = jobs[i].fence,
							  .state = STATE_DONE,
							  .delay_ms = -1 };
		OK(queue_finish(fx.queue, out, n, &err));
		all += n;
	}
	assert_int_equal(all, 40 * 64);
	print_message("claim and finish: %.0f jobs/s\n",
		      (double)all * 1e6 / (double)(clock_mono_us() - before));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, relay_empty, relay_tidy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hint_becomes_a_job_once),
		TEST(connections_take_turns),
		TEST(a_batch_of_long_timelines_is_stored_whole),
		TEST(a_record_of_an_unknown_state_holds_up_nobody),
		TEST(a_delayed_job_waits_for_its_time),
		TEST(an_illegal_move_is_refused),
		TEST(the_scripts_obey_the_one_table),
		TEST(tasks_go_first_and_answer),
		TEST(a_poll_ordered_while_one_runs_is_no_part_of_it),
		TEST(MV_05_a_dialogue_that_is_due_runs_once_on_a_paused_connection),
		TEST(a_record_has_one_holder),
		TEST(values_keep_and_lapse),
		TEST(waiting_ends_when_something_comes),
		TEST(deep_intake_with_replay_marks_is_fast),
	};
	return cmocka_run_group_tests_name("queue", tests, relay_start, relay_stop);
}
