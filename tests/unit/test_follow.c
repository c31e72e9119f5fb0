/*
 * test_follow.c: follow-up of what was sent (MV-14, SV-07) through the worker pool, with a target
 * that holds a verdict per document and counts what it is asked and sent, on a real Redis. Days
 * pass by making what Redis has older.
 */
#include "base/base.h"

#include <stdatomic.h>

#include "elapse.h"
#include "pool_fixture.h"

#define MINUTE_MS ((int64_t)60000)
#define DAY_MS (1440 * MINUTE_MS)
#define STEP "deliver"
#define MANY 250

enum verdict { PENDING, DELIVERED, FAILED, PENDING_LONG };

static const char *const words[] = { "PENDING", "DELIVERED", "FAILED", "PENDING" };

/* The target. Documents are called by their number. */
static struct {
	_Atomic int verdicts[MANY];
	_Atomic int tried, sent, runs, calls, asked, most; /* most: documents in one call */
	_Atomic int told; /* the source: failed status */
	_Atomic bool refuses, forgets; /* logins; that the document is there */
	_Atomic bool hangs; /* it does not answer */
} target;

static int number_of(const char *source_id)
{
	int n = (int)strtol(source_id, NULL, 10);
	return n < MANY ? n : 0;
}

static bool deliver(struct attempt *at, struct err *err)
{
	struct step step;
	if (!at->ops->step_get(at, STEP, &step, err))
		return false;
	if (step.state == STEP_DONE && !target.forgets)
		return true;
	target.tried++;
	if (!at->ops->step_intent(at, STEP, NULL, err))
		return false;
	target.sent++;
	return at->ops->step_outcome(at, STEP, arena_printf(at->arena, "key-%s", at->source_id),
				     err);
}

static bool fake_run(struct attempt *at, struct err *err)
{
	target.runs++;
	if (!deliver(at, err))
		return false;
	int verdict = target.verdicts[number_of(at->source_id)];
	at->verdict = words[verdict];
	at->awaits_verdict = verdict == PENDING_LONG;
	if (verdict == PENDING_LONG)
		return err_reason(err, ERR_DATA, "delivery_pending_long", "", "for over 7 days");
	if (verdict == FAILED)
		return err_reason(err, ERR_DATA, "refused_by_target", "", "no such recipient");
	at->outcome = verdict == PENDING ? OUTCOME_FOLLOWING : OUTCOME_DONE;
	at->watch_ms = ATTEMPT_WATCH_MS;
	return true;
}

static bool fake_failed(struct attempt *at, const struct err *why, struct err *err)
{
	(void)why;
	target.told++;
	return at->ops->step_intent(at, STEP_FAILED, NULL, err) &&
	       at->ops->step_outcome(at, STEP_FAILED, "failed", err);
}

static bool fake_follow(struct attempt *at, struct follow_item *items, size_t n, struct err *err)
{
	assert_true(at->preview);
	target.calls++;
	while (target.hangs)
		clock_sleep_ms(5);
	if (target.refuses)
		return err_set(err, ERR_CREDENTIALS, "key refused");
	target.asked += (int)n;
	if ((int)n > target.most)
		target.most = (int)n;
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(items[i].target_key,
				    arena_printf(at->arena, "key-%s", items[i].source_id));
		items[i].seen = words[target.verdicts[number_of(items[i].source_id)]];
		items[i].has_news = strcmp(items[i].seen, items[i].word) != 0 ||
				    target.verdicts[number_of(items[i].source_id)] == PENDING_LONG;
	}
	return true;
}

static bool fake_poll(struct attempt *at, struct err *err)
{
	return at->ops->report(at, "{}", err);
}

static const struct flow fake = { .name = "fake",
				  .title = "fake",
				  .delivery_step = STEP,
				  .settle = settle_nothing,
				  .poll = fake_poll,
				  .run = fake_run,
				  .on_failed = fake_failed,
				  .check = fake_poll,
				  .follow = fake_follow };

static int set_up(void **state)
{
	(void)state;
	memset(&target, 0, sizeof(target));
	pool_begin(&fake, 60000);
	return 0;
}

static void pass(int64_t ms)
{
	elapse_follow(fx.redis, STEP, ms);
}

static void hint_range(int first, int n)
{
	struct err err = ERR_INIT;
	struct queue_item items[MANY];
	struct queue_receipt got[MANY];
	for (int i = 0; i < n; i++)
		items[i] = (struct queue_item) {
			.conn = "c",
			.kind = "invoice",
			.source_id = arena_printf(fx.arena, "%d", first + i),
			.origin = "test",
		};
	assert_true(queue_intake(fx.queue, items, (size_t)n, got, &err));
}

static struct transfer transfer_of(int number)
{
	struct transfer t = { 0 };
	struct err err = ERR_INIT;
	char id[TRANSFER_ID_MAX];
	transfer_id("c", "invoice", arena_printf(fx.arena, "%d", number), id);
	if (!store_transfer_get(fx.store, fx.arena, id, &t, &err))
		fail_msg("%s", err.message);
	return t;
}

static int64_t n_in(enum transfer_state state)
{
	struct err err = ERR_INIT;
	struct store_counts *counts;
	size_t n;
	assert_true(store_counts(fx.store, fx.arena, &counts, &n, &err));
	return n == 1 ? counts[0].n[state] : -1;
}

static struct queue_followed followed(void)
{
	static const char *const conns[] = { "c" };
	struct err err = ERR_INIT;
	struct queue_followed f = { 0 };
	assert_true(queue_follow_counts(fx.queue, fx.arena, conns, 1, &f, &err));
	return f;
}

/* Nothing runs, and nothing is due: what was to happen has happened. */
static bool is_quiet(void)
{
	struct queue_depth d;
	struct err err = ERR_INIT;
	assert_true(queue_depth(fx.queue, &d, &err));
	int64_t next_ms = followed().next_ms;
	return d.running == 0 && d.ready_connections == 0 &&
	       (next_ms == 0 || next_ms > clock_wall_ms());
}

static void send_all(int n)
{
	hint_range(0, n);
	AWAIT(n_in(STATE_FOLLOWING) == n && is_quiet());
	assert_int_equal(target.sent, n);
}

static void set_state(enum connection_state to, const char *why)
{
	struct err err = ERR_INIT;
	assert_true(store_connection_set_state(fx.store, "c", -1, to, why, &err));
	assert_true(store_refresh(fx.store, &err));
}

static void test_MV_14_many_documents_share_few_calls(void **state)
{
	(void)state;
	send_all(MANY);
	assert_int_equal(target.calls, 0);
	pass(2 * MINUTE_MS);
	AWAIT(target.asked == MANY && is_quiet());
	assert_int_equal(target.calls, 3);
	assert_int_equal(target.most, FOLLOW_MAX);
	assert_int_equal(target.runs, MANY); /* no news, no run */
	assert_int_equal(n_in(STATE_FOLLOWING), MANY);
	struct transfer t = transfer_of(7);
	assert_string_equal(t.follow.word, "PENDING");
	assert_true(t.follow.asked_ms > t.follow.since_ms);

	/* The verdicts come: each has one run, which sends nothing. */
	for (int i = 0; i < MANY; i++)
		target.verdicts[i] = DELIVERED;
	pass(DAY_MS);
	AWAIT(n_in(STATE_DONE) == MANY && is_quiet());
	assert_int_equal(target.calls, 6);
	assert_int_equal(target.runs, 2 * MANY);
	assert_int_equal(target.sent, MANY);
	assert_int_equal(followed().n_watched, MANY);
	t = transfer_of(7);
	assert_true(t.follow.until_ms > clock_wall_ms() + 13 * DAY_MS);

	/* After 14 days nobody asks any more. */
	pass(15 * DAY_MS);
	AWAIT(followed().n_watched == 0);
	assert_int_equal(target.calls, 6);
	assert_int_equal(followed().next_ms, 0);
	assert_int_equal(n_in(STATE_DONE), MANY);
}

static void test_SV_07_verdicts_are_judged_while_paused(void **state)
{
	(void)state;
	send_all(3);
	set_state(CONNECTION_PAUSED, "operator");
	hint_range(10, 1); /* nothing is sent of what comes now */
	target.verdicts[0] = DELIVERED;
	target.verdicts[1] = FAILED;
	pass(DAY_MS);
	AWAIT(n_in(STATE_DONE) == 1 && n_in(STATE_NEEDS_DATA) == 1);
	AWAIT(target.told == 1); /* the source is told, MV-14 */
	assert_string_equal(transfer_of(1).error_code, "refused_by_target");
	assert_int_equal(transfer_of(2).state, STATE_FOLLOWING);
	/* A late failure of what was done, still paused. */
	target.verdicts[0] = FAILED;
	pass(13 * DAY_MS);
	AWAIT(n_in(STATE_NEEDS_DATA) == 2 && target.told == 2);
	assert_int_equal(followed().n_watched, 0);
	assert_int_equal(target.sent, 3);
	assert_int_equal(transfer_of(10).state, STATE_QUEUED);
}

/* Pending for so long that a person is told: that is no end, and a pause is none, either. */
static void test_MV_14_what_is_pending_long_is_asked_for_while_paused(void **state)
{
	(void)state;
	send_all(3);
	for (int i = 0; i < 3; i++)
		target.verdicts[i] = PENDING_LONG;
	pass(8 * DAY_MS);
	AWAIT(n_in(STATE_NEEDS_DATA) == 3 && is_quiet());
	set_state(CONNECTION_PAUSED, "operator");
	for (int round = 0; round < 3; round++) { /* nothing new, and asked for again */
		int runs = target.runs;
		pass(DAY_MS);
		AWAIT(target.runs == runs + 3 && is_quiet());
		assert_int_equal(n_in(STATE_NEEDS_DATA), 3);
	}
	target.verdicts[0] = DELIVERED;
	target.verdicts[1] = FAILED;
	pass(DAY_MS);
	AWAIT(n_in(STATE_DONE) == 1 && is_quiet());
	struct transfer t = transfer_of(0);
	assert_string_equal(t.follow.word, "DELIVERED");
	assert_true(t.follow.until_ms > clock_wall_ms() + 13 * DAY_MS);
	assert_string_equal(transfer_of(1).error_code, "refused_by_target");
	assert_int_equal(followed().n_watched, 1);
	/* A refusal is the end: nobody asks any more until the connection is active again. */
	int runs = target.runs;
	target.verdicts[1] = DELIVERED;
	pass(DAY_MS);
	AWAIT(target.runs == runs + 1 && is_quiet()); /* the third */
	assert_string_equal(transfer_of(1).error_code, "refused_by_target");
	assert_int_equal(target.sent, 3);
}

static enum queue_intake notify(int number)
{
	struct err err = ERR_INIT;
	struct queue_receipt got;
	const struct queue_item item = { .conn = "c",
					 .origin = "test",
					 .target_key = arena_printf(fx.arena, "key-%d", number) };
	assert_true(queue_intake(fx.queue, &item, 1, &got, &err));
	return got.what;
}

/* Both ways to be first: the target says so by itself, a person wants to know. */
static void test_MV_14_what_is_pending_long_is_asked_for_at_once_on_a_hint(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	int64_t rev;
	send_all(2);
	target.verdicts[0] = target.verdicts[1] = PENDING_LONG;
	pass(8 * DAY_MS);
	AWAIT(n_in(STATE_NEEDS_DATA) == 2 && is_quiet());
	set_state(CONNECTION_PAUSED, "operator");
	target.verdicts[0] = target.verdicts[1] = DELIVERED;
	assert_int_equal(notify(0), INTAKE_ASKED);
	AWAIT(transfer_of(0).state == STATE_DONE);
	const struct transfer_order order = {
		.id = transfer_of(1).id, .action = TRANSFER_RETRY, .rev = -1, .who = "test"
	};
	assert_true(store_transfer_order(fx.store, &order, &rev, &err));
	AWAIT(transfer_of(1).state == STATE_DONE);
	assert_int_equal(target.sent, 2);
}

/* A flow that would send again what the target does not know cannot, while it is paused. */
static void test_SV_07_a_judging_run_sends_nothing_while_paused(void **state)
{
	(void)state;
	send_all(1);
	set_state(CONNECTION_PAUSED, "operator");
	target.forgets = true;
	target.verdicts[0] = DELIVERED;
	pass(DAY_MS);
	AWAIT(target.tried == 2);
	target.forgets = false;
	AWAIT(n_in(STATE_DONE) == 1);
	assert_int_equal(target.sent, 1);
}

static void test_MV_14_refused_credentials_stop_the_rounds(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	send_all(1);
	target.refuses = true;
	target.verdicts[0] = DELIVERED;
	pass(DAY_MS);
	AWAIT(target.calls == 1);
	struct connection *got = NULL;
	for (bool paused = false; !paused; connection_unref(got)) {
		assert_true(store_connection_get(fx.store, "c", &got, &err));
		paused = got->state == CONNECTION_PAUSED;
		if (paused)
			assert_string_equal(got->pause_reason, PAUSED_CREDENTIALS);
	}
	pass(DAY_MS);
	/* As any relay would: it finds nothing that it may do. */
	struct queue_tick tick;
	struct queue_job job;
	size_t n = 1;
	assert_true(queue_tick(fx.queue, &tick, &err));
	assert_true(queue_claim(fx.queue, fx.arena, 1, &job, &n, &err));
	assert_int_equal(n, 0);
	assert_int_equal(target.calls, 1);
	target.refuses = false;
	set_state(CONNECTION_ACTIVE, "");
	AWAIT(n_in(STATE_DONE) == 1);
}

/* The relay dies in the middle of a call: another goes on where it was. */
static void test_MV_14_a_relay_that_dies_in_a_round_loses_nothing(void **state)
{
	(void)state;
	send_all(3);
	target.verdicts[1] = DELIVERED;
	pass(DAY_MS);
	target.hangs = true;
	AWAIT(target.calls == 1);
	redis_fixture_kill(&fx.server); /* nothing that it says from now on is heard */
	target.hangs = false;
	pool_stop(pool, 100);
	pool_free(pool);
	assert_true(redis_fixture_restart(&fx.server));
	pool_begin_workers();
	AWAIT(n_in(STATE_DONE) == 1);
	assert_int_equal(target.calls, 2);
	assert_int_equal(n_in(STATE_FOLLOWING), 2);
	assert_int_equal(target.sent, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, pool_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_MV_14_many_documents_share_few_calls),
		TEST(test_SV_07_verdicts_are_judged_while_paused),
		TEST(test_MV_14_what_is_pending_long_is_asked_for_while_paused),
		TEST(test_MV_14_what_is_pending_long_is_asked_for_at_once_on_a_hint),
		TEST(test_SV_07_a_judging_run_sends_nothing_while_paused),
		TEST(test_MV_14_refused_credentials_stop_the_rounds),
		TEST(test_MV_14_a_relay_that_dies_in_a_round_loses_nothing),
	};
	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
