/*
 * test_queue_follow.c: follow-up of what was sent (MV-14) in the queue's scripts, against a real
 * redis-server: rounds, news, watches, pauses, crashes.
 */
#include "base/base.h"

#include "base/clock.h"
#include "follow_fixture.h"

static void test_MV_14_documents_of_one_age_share_a_round(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t earliest = INT64_MAX, latest = 0, before = clock_wall_ms();
	for (int i = 0; i < 250; i++) {
		deliver(arena_printf(fx.arena, "%d", i), id);
		int64_t due = due_of(id);
		earliest = due < earliest ? due : earliest;
		latest = due > latest ? due : latest;
	}
	assert_true(earliest >= before + MINUTE_MS / 2);
	assert_true(latest <= clock_wall_ms() + 3 * MINUTE_MS / 2);
	/* One point of the grid, or two where the test ran across it. */
	assert_true(latest == earliest || latest == earliest + MINUTE_MS);
	assert_int_equal(counts().n_pending, 250);
	(void)tick();
	assert_nothing_to_claim(); /* not yet */

	pass(5 * MINUTE_MS);
	size_t sizes[] = { 100, 100, 50 };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct queue_job job = take();
		assert_int_equal(asked.n, sizes[i]);
		settle(&job, "PENDING", false);
		assert_int_equal(asked.more, i < 2);
	}
	(void)tick();
	assert_nothing_to_claim();
	assert_string_equal(field(id, "fw"), "PENDING");
	assert_string_equal(field(id, "st"), "following");
	assert_true(counts().next_ms > clock_wall_ms());
}

static void test_MV_14_a_round_says_all_that_a_flow_asks_by(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t before = clock_wall_ms();
	deliver("key-1", id);
	pass(2 * MINUTE_MS);
	struct queue_job job = take();
	const struct follow_item *it = &asked.items[0];
	assert_int_equal(asked.n, 1);
	assert_string_equal(asked.ids[0], id);
	assert_string_equal(it->kind, "invoice");
	assert_string_equal(it->source_id, "key-1");
	assert_string_equal(it->target_key, "key-1");
	assert_string_equal(it->word, "");
	assert_int_equal(it->generation, 1);
	assert_int_equal(it->watch_until_ms, 0);
	assert_true(it->sent_ms >= before - 2 * MINUTE_MS && it->sent_ms < before);
	assert_true(it->now_ms - it->sent_ms >= 2 * MINUTE_MS);
	settle(&job, "PENDING", false);
	/* The interval that was given, on its grid. */
	int64_t due = due_of(id), now = clock_wall_ms();
	assert_true(due >= now + MINUTE_MS / 2 && due <= now + 3 * MINUTE_MS);
	struct transfer t;
	OK(store_transfer_get(fx.store, fx.arena, id, &t, &err));
	assert_int_equal(t.follow.next_ms, due);
	assert_true(t.follow.asked_ms >= before && t.follow.since_ms < before);
	assert_string_equal(t.follow.word, "PENDING");
	assert_false(t.follow.has_news);
	pass(DAY_MS);
	(void)take();
	assert_string_equal(asked.items[0].word, "PENDING");
}

static void test_MV_14_late_failure_within_the_watch_is_judged(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	struct queue_job job = hear("DELIVERED");
	assert_int_equal(job.was, STATE_FOLLOWING);
	assert_true(job.followed_ms > 0);
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	assert_string_equal(field(id, "st"), "done");
	assert_int_equal(counts().n_watched, 1);
	assert_int_equal(counts().n_pending, 0);
	assert_nothing_to_claim();

	pass(13 * DAY_MS);
	struct queue_job asks = take();
	assert_int_equal(asked.n, 1);
	assert_true(asked.items[0].watch_until_ms > asked.now_ms);
	assert_string_equal(asked.items[0].word, "DELIVERED");
	settle(&asks, "FAILED", true);
	job = must_claim_a(JOB_TRANSFER);
	assert_int_equal(job.was, STATE_DONE);
	assert_true(job.has_news);
	assert_int_equal(finish_as(&job, ENDED(STATE_NEEDS_DATA)), FINISH_STORED);
	assert_string_equal(field(id, "st"), "needs_data");
	assert_int_equal(counts().n_watched, 0);
	assert_int_equal(due_of(id), 0);
	assert_string_equal(field(id, "fv"), "");
}

static void test_MV_14_after_the_watch_nobody_asks(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	struct queue_job job = hear("DELIVERED");
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	pass(14 * DAY_MS);
	struct queue_job asks = take();
	assert_int_equal(asked.n, 0);
	assert_false(asked.more);
	assert_int_equal(finish_as(&asks, ENDED(STATE_DONE)), FINISH_STORED);
	assert_int_equal(counts().n_watched, 0);
	assert_string_equal(field(id, "st"), "done");
	pass(30 * DAY_MS);
	(void)tick();
	(void)first_tick();
	assert_nothing_to_claim();
	/* Looked at again, since somebody asked: that begins no other watch. */
	hint_c("1", NULL);
	job = must_claim_a(JOB_TRANSFER);
	assert_false(job.has_news);
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	assert_int_equal(counts().n_watched, 0);
	assert_int_equal(due_of(id), 0);
}

static void test_MV_14_a_second_look_makes_the_watch_no_longer(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	struct queue_job job = hear("DELIVERED");
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	int64_t until = strtoll(field(id, "fu"), NULL, 10);
	assert_true(until > clock_wall_ms() + 13 * DAY_MS);
	clock_sleep_ms(2); /* another moment */
	hint_c("1", NULL);
	job = must_claim_a(JOB_TRANSFER);
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	assert_int_equal(strtoll(field(id, "fu"), NULL, 10), until);
	assert_int_equal(counts().n_watched, 1);
}

static void test_SV_07_what_was_sent_is_followed_while_paused(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], other[TRANSFER_ID_MAX];
	deliver("1", id);
	hint_c("not sent yet", other);
	set_pause("operator");
	assert_nothing_to_claim();
	struct queue_job job = hear("DELIVERED");
	assert_string_equal(job.id, id);
	/* A run that could not end goes on, paused as it is. */
	assert_int_equal(
		finish_as(&job, (struct queue_outcome) { .state = STATE_RETRYING, .delay_ms = 0 }),
		FINISH_STORED);
	job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_true(job.has_news);
	assert_int_equal(finish_as(&job, BACK), FINISH_STORED);
	job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_true(job.has_news);
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	assert_nothing_to_claim();
	set_pause(NULL);
	job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, other);
}

static void test_SV_07_news_that_stand_in_line_pass_a_pause(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	hint_c("not sent yet", NULL);
	pass(DAY_MS);
	struct queue_job asks = take();
	settle(&asks, "DELIVERED", true); /* behind the other, since nothing is paused */
	set_pause("operator");
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_nothing_to_claim();
}

static void test_SV_07_refused_credentials_stop_follow_up(void **state)
{
	(void)state;
	deliver("1", NULL);
	deliver("2", NULL);
	pass(DAY_MS);
	struct queue_job asks = take();
	const char *first = asked.ids[0], *second = asked.ids[1];
	assert_int_equal(asked.n, 2);
	asked.n = 1;
	settle(&asks, "DELIVERED", true);
	assert_true(asked.more);
	set_pause("credentials");
	(void)tick();
	assert_nothing_to_claim(); /* neither the run nor a round */
	set_pause("operator");
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, first);
	(void)take();
	assert_int_equal(asked.n, 1);
	assert_string_equal(asked.ids[0], second);
}

static void test_MV_14_a_killed_round_loses_nothing(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	pass(DAY_MS);
	struct queue_job dead = take();
	assert_int_equal(asked.n, 1);
	elapse(NULL, LEASE_MS); /* its lease ends */
	struct queue_job asks = take();
	assert_int_equal(asked.n, 1);
	assert_string_equal(asked.ids[0], id);
	/* It was not dead, only late: what it says does not count any more. */
	struct err err = ERR_INIT;
	asked.items[0].seen = "LATE";
	assert_false(queue_follow_done(fx.queue, dead.id, dead.fence, "c", &asked, &err));
	assert_int_equal(err.code, ERR_LEASE);
	assert_string_equal(field(id, "fw"), "");
	set_pause("operator");
	settle(&asks, "DELIVERED", true);
	/* So is the run that judges. */
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	elapse(NULL, LEASE_MS);
	(void)tick();
	struct queue_job again = must_claim_a(JOB_TRANSFER);
	assert_string_equal(again.id, job.id);
	assert_true(again.has_news);
	assert_int_equal(again.was, STATE_FOLLOWING);
}

static void test_MV_14_a_failed_round_is_begun_again(void **state)
{
	(void)state;
	deliver("1", NULL);
	pass(DAY_MS);
	struct queue_job asks = take();
	assert_int_equal(finish_as(&asks, ENDED(STATE_SYSTEM_FAULT)), FINISH_STORED);
	(void)tick();
	assert_nothing_to_claim(); /* not at once */
	pass(5 * MINUTE_MS);
	(void)take();
	assert_int_equal(asked.n, 1);
}

static void test_MV_14_news_of_what_runs_are_heard_again(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	pass(DAY_MS);
	struct queue_job asks = take();
	(void)redis_do("ZADD v:q:c:c 1 %s", id, NULL);
	(void)redis_do("ZADD v:q:ring 1 c", NULL, NULL);
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	assert_false(job.has_news);
	settle(&asks, "FAILED", true);
	assert_string_equal(field(id, "fw"), "");
	assert_int_equal(finish_as(&job, PENDING), FINISH_STORED);
	job = hear("FAILED");
	assert_string_equal(job.id, id);
}

static void test_MV_14_news_that_came_to_nothing_are_heard_again(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	deliver("1", id);
	struct queue_job job = hear("DELIVERED");
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	job = hear("FAILED");
	/* What is done stands while an outage keeps its second look from ending. */
	assert_int_equal(finish_as(&job, (struct queue_outcome) { .keep = true, .delay_ms = -1 }),
			 FINISH_STORED);
	assert_string_equal(field(id, "st"), "done");
	pass(DAY_MS);
	(void)take();
	assert_int_equal(asked.n, 1);
	assert_string_equal(asked.items[0].word, "");
}

static void test_MV_14_lost_rounds_are_mended(void **state)
{
	(void)state;
	char pending[TRANSFER_ID_MAX], watched[TRANSFER_ID_MAX];
	deliver("1", watched);
	struct queue_job job = hear("DELIVERED");
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	deliver("2", pending);
	int64_t due = due_of(pending);
	(void)redis_do("DEL v:q:fo:c v:q:follow", NULL, NULL);
	assert_true(first_tick().mended >= 2);
	assert_int_equal(due_of(pending), due);
	assert_true(due_of(watched) > 0);
	assert_int_equal(redis_do("ZCARD v:q:follow", NULL, NULL)->i, 1);
	/* News whose place in line was lost. */
	(void)redis_do("DEL v:q:mend", NULL, NULL);
	(void)redis_do("HSET v:t:%s fv 1", pending, NULL);
	(void)first_tick();
	job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, pending);
	assert_true(job.has_news);
}

static void test_MV_14_a_retry_asks_now(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev;
	deliver("1", id);
	set_pause("operator");
	const struct transfer_order o = {
		.id = id, .action = TRANSFER_RETRY, .rev = -1, .who = "test"
	};
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_true(job.has_news);
	assert_int_equal(finish_as(&job, PENDING), FINISH_STORED);
	assert_string_equal(field(id, "fv"), "");
	assert_true(due_of(id) > clock_wall_ms());
	assert_true(strtoll(field(id, "fa"), NULL, 10) > 0);
}

static void test_MV_14_a_resend_is_followed_anew(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev;
	deliver("1", id);
	struct queue_job job = hear("DELIVERED");
	assert_int_equal(finish_as(&job, DELIVERED), FINISH_STORED);
	const struct transfer_order o = { .id = id,
					  .action = TRANSFER_RESEND,
					  .rev = -1,
					  .who = "test",
					  .reason = "gone there" };
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	assert_int_equal(counts().n_watched, 0);
	assert_int_equal(due_of(id), 0);
	job = must_claim_a(JOB_TRANSFER);
	assert_int_equal(job.generation, 2);
	assert_int_equal(job.followed_ms, 0);
	assert_false(job.delivered);
	assert_int_equal(finish_as(&job, PENDING), FINISH_STORED);
	assert_string_equal(field(id, "fw"), "");
	assert_true(due_of(id) > 0);
}

/* A flow without rounds: each document is run again by itself, and while it is paused, too. */
static void test_SV_07_what_is_run_again_by_itself_passes_a_pause(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	hint_c("1", id);
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	OK(queue_step_intent(fx.queue, job.id, job.fence, STEP, NULL, &err));
	OK(queue_step_outcome(fx.queue, job.id, job.fence, STEP, "1", STEP_DELIVERS, &err));
	struct queue_outcome o = { .state = STATE_FOLLOWING, .delivered = true, .delay_ms = 0 };
	set_pause("operator");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(finish_as(&job, o), FINISH_STORED);
		assert_int_equal(due_of(id), 0);
		job = must_claim_a(JOB_TRANSFER);
		assert_true(job.has_news);
		assert_int_equal(job.was, STATE_FOLLOWING);
	}
	assert_int_equal(finish_as(&job, ENDED(STATE_DONE)), FINISH_STORED);
	assert_string_equal(field(id, "fv"), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, follow_empty, relay_tidy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_MV_14_documents_of_one_age_share_a_round),
		TEST(test_MV_14_a_round_says_all_that_a_flow_asks_by),
		TEST(test_MV_14_late_failure_within_the_watch_is_judged),
		TEST(test_MV_14_after_the_watch_nobody_asks),
		TEST(test_MV_14_a_second_look_makes_the_watch_no_longer),
		TEST(test_SV_07_what_was_sent_is_followed_while_paused),
		TEST(test_SV_07_news_that_stand_in_line_pass_a_pause),
		TEST(test_SV_07_refused_credentials_stop_follow_up),
		TEST(test_MV_14_a_killed_round_loses_nothing),
		TEST(test_MV_14_a_failed_round_is_begun_again),
		TEST(test_MV_14_news_of_what_runs_are_heard_again),
		TEST(test_MV_14_news_that_came_to_nothing_are_heard_again),
		TEST(test_MV_14_lost_rounds_are_mended),
		TEST(test_MV_14_a_retry_asks_now),
		TEST(test_MV_14_a_resend_is_followed_anew),
		TEST(test_SV_07_what_is_run_again_by_itself_passes_a_pause),
	};
	return cmocka_run_group_tests_name("queue_follow", tests, relay_start, relay_stop);
}
