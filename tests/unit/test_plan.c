/* test_plan.c: DESIGN §4.10 as a table: what an error's meaning makes of a job. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "worker/plan.h"

static const struct plan_options options = {
	.retry_first_ms = 2000,
	.retry_cap_ms = 900000,
	.retry_max_age_ms = 72LL * 3600 * 1000,
	.retest_ms = 300000,
	.quiet_ms = 130000,
};

static struct plan plan_for(enum err_code code, int64_t retry_after_ms, int64_t try_no,
			    int64_t age_ms)
{
	struct err err = { .code = code, .retry_after_ms = retry_after_ms };
	return plan_after(&options, &(struct plan_case) { &err, try_no, age_ms, 512 });
}

static void test_meaning_decides_state(void **state)
{
	(void)state;
	static const struct {
		enum err_code code;
		enum plan_kind kind;
		enum transfer_state to;
	} cases[] = {
		{ ERR_DATA, PLAN_MOVE, STATE_NEEDS_DATA },
		{ ERR_DUPLICATE, PLAN_MOVE, STATE_NEEDS_DATA },
		{ ERR_OUTAGE, PLAN_MOVE, STATE_RETRYING },
		{ ERR_QUOTA, PLAN_MOVE, STATE_RETRYING },
		{ ERR_DOUBT, PLAN_MOVE, STATE_IN_DOUBT },
		{ ERR_WAITING, PLAN_MOVE, STATE_WAITING },
		{ ERR_SYSTEM, PLAN_MOVE, STATE_SYSTEM_FAULT },
		{ ERR_LEASE, PLAN_DROP, STATE_WAITING },
		{ ERR_BUSY, PLAN_HAND_BACK, STATE_WAITING },
		{ ERR_CREDENTIALS, PLAN_HAND_BACK, STATE_WAITING },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan p = plan_for(cases[i].code, -1, 1, 0);
		assert_int_equal(p.kind, cases[i].kind);
		assert_int_equal(p.state, cases[i].to);
		assert_int_equal(p.pause_connection, cases[i].code == ERR_CREDENTIALS);
	}
}

static void test_outage_backs_off_and_ends(void **state)
{
	(void)state;
	assert_int_equal(plan_for(ERR_OUTAGE, -1, 1, 0).wait_ms, 1500);
	assert_int_equal(plan_for(ERR_OUTAGE, -1, 2, 0).wait_ms, 3000);
	assert_int_equal(plan_for(ERR_OUTAGE, -1, 40, 0).wait_ms, 675000);
	assert_int_equal(plan_for(ERR_OUTAGE, 7000, 40, 0).wait_ms, 7000);
	assert_int_equal(plan_for(ERR_OUTAGE, -1, 3, options.retry_max_age_ms + 1).state,
			 STATE_SYSTEM_FAULT);
}

static void test_waits(void **state)
{
	(void)state;
	assert_int_equal(plan_for(ERR_QUOTA, 1000, 1, 0).wait_ms, 1000);
	assert_int_equal(plan_for(ERR_QUOTA, -1, 1, 0).wait_ms, 60000);
	assert_int_equal(plan_for(ERR_DOUBT, -1, 1, 0).wait_ms, 130000);
	assert_int_equal(plan_for(ERR_DOUBT, 2000, 1, 0).wait_ms, 2000);
	assert_int_equal(plan_for(ERR_BUSY, 0, 1, 0).wait_ms, 20);
	/* What a vendor asks for is kept to, in reason. */
	const int64_t hour = 3600000, month = 720 * hour;
	assert_int_equal(plan_for(ERR_OUTAGE, month, 1, 0).wait_ms, hour);
	assert_int_equal(plan_for(ERR_QUOTA, 20 * hour, 1, 0).wait_ms, 20 * hour);
	assert_int_equal(plan_for(ERR_QUOTA, month, 1, 0).wait_ms, 24 * hour);
	assert_int_equal(plan_for(ERR_BUSY, month, 1, 0).wait_ms, 5000);
	/* A document that waits for data is looked at ever less often. */
	assert_true(plan_for(ERR_DATA, -1, 1, 0).wait_ms < plan_for(ERR_DATA, -1, 3, 0).wait_ms);
	assert_int_equal(plan_for(ERR_DATA, -1, 100, 0).wait_ms,
			 plan_for(ERR_DATA, -1, 50, 0).wait_ms);
}

/* The interval widens with the age, never shrinks, and is short while most verdicts come. */
static void test_MV_14_follow_up_widens(void **state)
{
	(void)state;
	const int64_t minute = 60000, hour = 60 * minute, day = 24 * hour;
	const struct {
		int64_t age_ms, interval_ms;
	} cases[] = {
		{ -hour, minute }, /* a clock that runs behind */
		{ 0, minute },
		{ 2 * minute, minute },
		{ 3 * minute, 2 * minute },
		{ 10 * minute, 5 * minute },
		{ 30 * minute, 15 * minute },
		{ 2 * hour, hour },
		{ 11 * hour, hour },
		{ 12 * hour, 3 * hour },
		{ 3 * day, 6 * hour },
		{ 7 * day, 12 * hour },
		{ 400 * day, 12 * hour },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(plan_follow_ms(cases[i].age_ms), cases[i].interval_ms);
	int asked = 0;
	for (int64_t age = 0; age < 21 * day; age += plan_follow_ms(age))
		asked++;
	assert_in_range(asked, 60, 120); /* of a document that is followed for three weeks */
	for (int64_t age = minute; age < 21 * day; age += minute)
		assert_true(plan_follow_ms(age) >= plan_follow_ms(age - minute));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meaning_decides_state),
		cmocka_unit_test(test_outage_backs_off_and_ends),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_MV_14_follow_up_widens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
