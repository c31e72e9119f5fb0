/*
 * test_queue_follow_hints.c: a target tells that it has news (MV-14): hints bring the round
 * forward, whatever runs and while paused. Against a real redis-server.
 */
#include "base/base.h"

#include "base/clock.h"
#include "follow_fixture.h"

static enum queue_intake told(const char *target_key)
{
	struct queue_receipt got;
	const struct queue_item item = { .conn = "c", .origin = "test", .target_key = target_key };
	OK(queue_intake(fx.queue, &item, 1, &got, &err));
	return got.what;
}

static void test_MV_14_a_hint_brings_the_round_forward(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], other[TRANSFER_ID_MAX];
	deliver("1", id);
	deliver("2", other);
	assert_int_equal(told("nobody"), INTAKE_UNKNOWN);
	assert_nothing_to_claim();
	assert_int_equal(told("1"), INTAKE_ASKED);
	assert_int_equal(told("1"), INTAKE_ASKED);
	struct queue_job job = must_claim_a(JOB_FOLLOW); /* no tick was needed */
	OK(queue_follow_take(fx.queue, fx.arena, "c", STEP, &asked, &err));
	assert_int_equal(asked.n, 1);
	assert_string_equal(asked.items[0].target_key, "1");
	settle(&job, "DELIVERED", true);
	job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	/* What is watched is told of, too; who asked just now does not ask at once again. */
	assert_int_equal(told("1"), INTAKE_ASKED);
	assert_nothing_to_claim();
	assert_true(due_of(id) <= clock_wall_ms() + 2000);
	assert_true(due_of(other) > clock_wall_ms() + 2000);
}

/* Of a hint batch and documents, each has its own answer. */
static void test_MV_14_hints_and_documents_share_a_batch(void **state)
{
	(void)state;
	struct queue_receipt got[3];
	char id[TRANSFER_ID_MAX];
	const struct queue_item items[] = {
		{ .conn = "c", .origin = "test", .target_key = "nobody" },
		{ .conn = "c", .origin = "test", .kind = "invoice", .source_id = "7" },
		{ .conn = "c", .origin = "test", .target_key = "1" },
	};
	deliver("1", id);
	OK(queue_intake(fx.queue, items, ARRAY_SIZE(items), got, &err));
	assert_int_equal(got[0].what, INTAKE_UNKNOWN);
	assert_int_equal(got[1].what, INTAKE_NEW);
	assert_int_equal(got[2].what, INTAKE_ASKED);
	assert_string_equal(got[2].id, "");
	assert_true(got[1].id[0] != '\0');
}

/* The verdict may be there before the run that delivered has ended. */
static void test_MV_14_a_hint_during_the_delivery_is_kept(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	hint_c("1", id);
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	OK(queue_step_intent(fx.queue, job.id, job.fence, STEP, NULL, &err));
	assert_int_equal(told("k1"), INTAKE_UNKNOWN);
	OK(queue_step_outcome(fx.queue, job.id, job.fence, STEP, "k1", STEP_DELIVERS_TO_FOLLOW,
			      &err));
	assert_int_equal(told("k1"), INTAKE_ASKED);
	assert_int_equal(finish_as(&job, PENDING), FINISH_STORED);
	job = take();
	assert_int_equal(asked.n, 1);
	settle(&job, "PENDING", false);
	assert_true(due_of(id) > clock_wall_ms() + 2000); /* once */
}

static void test_MV_14_a_hint_during_a_round_makes_another(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	pass(DAY_MS);
	struct queue_job job = take();
	assert_int_equal(told("1"), INTAKE_ASKED);
	settle(&job, "PENDING", false);
	assert_true(due_of(id) <= clock_wall_ms() + 2000);
}

static void test_SV_07_a_hint_is_heard_while_paused(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	hint_c("waits", NULL);
	set_pause("operator");
	assert_int_equal(told("1"), INTAKE_ASKED);
	struct queue_job job = must_claim_a(JOB_FOLLOW);
	OK(queue_follow_take(fx.queue, fx.arena, "c", STEP, &asked, &err));
	settle(&job, "DELIVERED", true);
	job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, id);
}

/* Whose follow-up is over is nobody's any more; lost with Redis's memory, the reconciler finds it
 * in the record. */
static void test_MV_14_the_key_lives_as_long_as_the_following(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	(void)redis_do("DEL v:fk:c", NULL, NULL);
	assert_int_equal(told("1"), INTAKE_UNKNOWN);
	(void)first_tick();
	assert_int_equal(told("1"), INTAKE_ASKED);
	struct queue_job job = must_claim_a(JOB_FOLLOW);
	OK(queue_follow_take(fx.queue, fx.arena, "c", STEP, &asked, &err));
	settle(&job, "FAILED", true);
	job = must_claim_a(JOB_TRANSFER);
	assert_int_equal(finish_as(&job, ENDED(STATE_NEEDS_DATA)), FINISH_STORED);
	assert_int_equal(told("1"), INTAKE_UNKNOWN);
	assert_int_equal(redis_do("EXISTS v:fk:c", NULL, NULL)->i, 0);
	assert_string_equal(field(id, "fk"), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, follow_empty, relay_tidy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_MV_14_a_hint_brings_the_round_forward),
		TEST(test_MV_14_hints_and_documents_share_a_batch),
		TEST(test_MV_14_a_hint_during_the_delivery_is_kept),
		TEST(test_MV_14_a_hint_during_a_round_makes_another),
		TEST(test_SV_07_a_hint_is_heard_while_paused),
		TEST(test_MV_14_the_key_lives_as_long_as_the_following),
	};
	return cmocka_run_group_tests_name("queue_follow_hints", tests, relay_start, relay_stop);
}
