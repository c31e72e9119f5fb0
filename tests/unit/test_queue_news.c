/*
 * test_queue_news.c: a document that is known comes up again (hints, finds, back from the failed
 * status): when its transfer runs once more, and when a new generation opens. Against a real
 * redis-server.
 */
#include "base/base.h"

#include "base/clock.h"
#include "relay_fixture.h"

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
	OK(queue_finish(fx.queue, &o, 1, &err));
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
	OK(queue_known(fx.queue, fx.arena, "a", "invoice", "1", &k, &err));
	assert_true(k.exists);
	assert_int_equal(k.state, STATE_DONE);
	assert_string_equal(k.changed, "c3");
	OK(queue_known(fx.queue, fx.arena, "a", "invoice", "2", &k, &err));
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
			(void)redis_do("HSET v:t:%s cx %s", job.id, "1");
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
		assert_int_equal(redis_do("HEXISTS v:t:%s %s", job.id, "cx")->i, 0);
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

static bool comes_back(const struct queue_job *job, int64_t *ret_generation)
{
	bool back = false;
	OK(queue_step_back(fx.queue, job->id, job->fence, "failed", &back, ret_generation, &err));
	return back;
}

/* Runs once: the delivery, then the failed status, each when asked for. */
static void fail_it(bool deliver, bool mark)
{
	struct queue_job job = must_claim();
	if (deliver)
		OK(queue_step_outcome(fx.queue, job.id, job.fence, "send", "1", STEP_DELIVERS,
				      &err));
	if (mark)
		OK(queue_step_outcome(fx.queue, job.id, job.fence, "failed", "status",
				      STEP_DELIVERS_NOT, &err));
	else
		OK(queue_step_intent(fx.queue, job.id, job.fence, "failed", NULL, &err));
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
	OK(queue_step_get(fx.queue, fx.arena, job.id, job.fence, "send", &step, &err));
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, relay_empty, relay_tidy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hint_during_the_run_runs_it_again),
		TEST(a_find_does_not_repeat_what_is_settled),
		TEST(what_was_left_unsent_is_woken_by_news_only),
		TEST(a_skipped_document_without_a_stamp_is_looked_at_again),
		TEST(news_during_a_run_that_ends_in_a_fault_run_it_again),
		TEST(SV_03_back_from_failed_opens_a_generation_only_after_a_delivery),
		TEST(SV_03_an_unclear_failed_status_opens_no_generation),
		TEST(SV_02_what_is_done_opens_no_generation),
	};
	return cmocka_run_group_tests_name("queue_news", tests, relay_start, relay_stop);
}
