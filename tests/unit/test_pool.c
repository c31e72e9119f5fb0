/*
 * test_pool.c: the worker side as a whole, with a flow that does what a document's id asks for, on
 * a real Redis: what an outcome becomes, that a retest which finds the same leaves no trace, and
 * that refused credentials pause the connection.
 */
#include "base/base.h"

#include <stdatomic.h>

#include "pool_fixture.h"

/* The source and the target of documents whose id begins with "status": where it stands, and what
 * came to the target. The failed status is set by on_failed. */
static struct {
	_Atomic bool in_failed;
	_Atomic int deliveries, told;
} ends;

/* Logins refused; "late-credentials" waits until the connection has new ones. */
static struct {
	_Atomic int refused;
	_Atomic bool waits, go_on;
} logins;

/* "status-refused" is delivered, then refused for good in its first generation; "status-bad" is
 * refused before anything is sent, until it comes back. */
static bool status_run(struct attempt *at, struct err *err)
{
	struct step step;
	bool back = false;
	if (ends.in_failed) {
		at->keep_error = true;
		return err_reason(err, ERR_DATA, "in_failed_status", "", "still away");
	}
	if (!at->ops->came_back(at, &back, err))
		return false;
	if (strcmp(at->source_id, "status-bad") == 0 && !back)
		return err_reason(err, ERR_DATA, "customer_missing", "", "no customer");
	if (!at->ops->step_get(at, "deliver", &step, err))
		return false;
	if (step.state == STEP_NONE) {
		ends.deliveries++;
		if (!at->ops->step_intent(at, "deliver", NULL, err) ||
		    !at->ops->step_outcome(at, "deliver", "4711", err))
			return false;
	}
	if (strcmp(at->source_id, "status-refused") == 0 && at->generation == 1)
		return err_reason(err, ERR_DATA, "refused_by_target", "", "FAILED");
	return true;
}

static bool fake_failed(struct attempt *at, const struct err *why, struct err *err)
{
	(void)why;
	ends.told++;
	if (strncmp(at->source_id, "status", 6) != 0)
		return true;
	ends.in_failed = true;
	return at->ops->step_intent(at, STEP_FAILED, NULL, err) &&
	       at->ops->step_outcome(at, STEP_FAILED, "status", err);
}

static bool fake_run(struct attempt *at, struct err *err)
{
	struct step step;
	if (strcmp(at->source_id, "wordy") == 0) {
		for (int i = 0; i < 100; i++)
			at->ops->note(at, "step", arena_printf(at->arena, "step %d.", i));
		return true;
	}
	if (strncmp(at->source_id, "status", 6) == 0)
		return status_run(at, err);
	if (strcmp(at->source_id, "doubt-data") == 0)
		return at->ops->step_intent(at, "deliver", NULL, err) &&
		       err_reason(err, ERR_DATA, "number_taken", "1", "taken");
	if (strcmp(at->source_id, "outage") == 0)
		return err_set(err, ERR_OUTAGE, "away");
	at->ops->seen(at, SPAN_LIT("what was read"));
	if (strcmp(at->source_id, "bad") == 0)
		return err_reason(err, ERR_DATA, "customer_number_missing", "row 1",
				  "no customer number");
	if (strcmp(at->source_id, "late-credentials") == 0 && at->conn->rev == 1) {
		logins.waits = true;
		while (!logins.go_on)
			clock_sleep_ms(5);
		return err_set(err, ERR_CREDENTIALS, "key refused");
	}
	if (strcmp(at->source_id, "credentials") == 0) {
		logins.refused++;
		return err_set(err, ERR_CREDENTIALS, "key refused");
	}
	if (strcmp(at->source_id, "doubt") == 0)
		return at->ops->step_intent(at, "deliver", NULL, err) &&
		       err_set(err, ERR_DOUBT, "cut");
	if (strcmp(at->source_id, "gone") == 0) {
		at->outcome = OUTCOME_CANCELLED;
		return true;
	}
	if (!at->ops->step_get(at, "deliver", &step, err))
		return false;
	if (step.state != STEP_DONE && (!at->ops->step_intent(at, "deliver", NULL, err) ||
					!at->ops->step_outcome(at, "deliver", "4711", err)))
		return false;
	at->ops->note(at, "sent", "sent to the target");
	at->content_hash = "hash";
	return true;
}

static bool fake_check(struct attempt *at, struct err *err)
{
	(void)err;
	at->result = arena_printf(at->arena, "{\"ok\":true,\"rev\":%" PRId64 "}", at->conn->rev);
	return true;
}

static bool fake_poll(struct attempt *at, struct err *err)
{
	static const struct poll_item found[] = { { "invoice", "polled", "1001", "then" } };
	return at->ops->found(at, found, 1, err) && at->ops->report(at, "{\"at_source\":1}", err);
}

static const struct flow fake = { .name = "fake",
				  .title = "fake",
				  .delivery_step = "deliver",
				  .settle = settle_nothing,
				  .poll = fake_poll,
				  .run = fake_run,
				  .on_failed = fake_failed,
				  .check = fake_check };

static int set_up(void **state)
{
	(void)state;
	pool_begin(&fake, 50);
	return 0;
}

static void test_outcomes(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	hint_id("c", "good", id);
	struct transfer t = await(id, STATE_DONE);
	assert_true(t.delivered);
	assert_string_equal(t.content_hash, "hash");
	hint_id("c", "gone", id);
	t = await(id, STATE_CANCELLED);
	assert_false(t.delivered);
	hint_id("c", "doubt", id);
	t = await(id, STATE_IN_DOUBT);
	assert_true(t.due_ms > clock_wall_ms() + 30000);
	assert_false(t.delivered);
}

static void test_retest_that_finds_the_same_leaves_no_trace(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	struct err err = ERR_INIT;
	const char **entries;
	size_t before, after;
	hint_id("c", "bad", id);
	struct transfer t = await(id, STATE_NEEDS_DATA);
	assert_string_equal(t.error_code, "customer_number_missing");
	int64_t tries = t.try_no;
	assert_true(store_timeline(fx.store, fx.arena, id, &entries, &before, &err));
	for (int64_t until = clock_mono_ms() + WAIT_MS;
	     t.try_no < tries + 2 && clock_mono_ms() < until; clock_sleep_ms(20))
		t = await(id, STATE_NEEDS_DATA);
	assert_true(t.try_no >= tries + 2);
	assert_true(store_timeline(fx.store, fx.arena, id, &entries, &after, &err));
	assert_int_equal(before, after);
}

static bool has_entry(const char *id, const char *code)
{
	struct err err = ERR_INIT;
	const char **entries;
	size_t n;
	char mark[64];
	snprintf(mark, sizeof(mark), "\"code\":\"%s\"", code);
	assert_true(store_timeline(fx.store, fx.arena, id, &entries, &n, &err));
	for (size_t i = 0; i < n; i++)
		if (strstr(entries[i], mark))
			return true;
	return false;
}

/* Until the transfer was run again. */
static struct transfer await_try(const char *id, int64_t more_than)
{
	struct transfer t = { 0 };
	struct err err = ERR_INIT;
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until; clock_sleep_ms(5))
		if (store_transfer_get(fx.store, fx.arena, id, &t, &err) && t.try_no > more_than &&
		    !t.rechecking && t.state != STATE_RUNNING)
			return t;
	fail_msg("%s was not run again", id);
	return t;
}

/* DESIGN §4.8: what was delivered and then refused goes once more, by itself, when a person moves
 * it back; what is done and moved back goes never again. */
static void test_SV_03_back_from_failed_is_delivered_once_more(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	hint_id("c", "status-refused", id);
	struct transfer t = await(id, STATE_NEEDS_DATA);
	assert_true(t.delivered);
	assert_int_equal(ends.deliveries, 1);
	assert_true(ends.in_failed);
	t = await_try(id, t.try_no); /* retested where it is: nothing new */
	assert_string_equal(t.error_code, "refused_by_target");
	assert_int_equal(ends.deliveries, 1);
	ends.in_failed = false;
	hint_id("c", "status-refused", id);
	t = await(id, STATE_DONE);
	assert_int_equal(t.generation, 2);
	assert_true(t.delivered);
	assert_int_equal(ends.deliveries, 2);
	assert_true(has_entry(id, "next_generation"));
	hint_id("c", "status-refused", id); /* done, and moved back: looked at, not sent */
	t = await_try(id, t.try_no);
	assert_int_equal(t.state, STATE_DONE);
	assert_int_equal(t.generation, 2);
	assert_int_equal(ends.deliveries, 2);
}

static void test_SV_03_back_from_failed_without_a_delivery_goes_on(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int before = ends.deliveries;
	hint_id("c", "status-bad", id);
	(void)await(id, STATE_NEEDS_DATA);
	assert_true(ends.in_failed);
	ends.in_failed = false;
	hint_id("c", "status-bad", id);
	struct transfer t = await(id, STATE_DONE);
	assert_int_equal(t.generation, 1);
	assert_int_equal(ends.deliveries, before + 1);
	assert_true(has_entry(id, "came_back"));
}

static void test_SV_03_the_source_is_not_told_while_it_is_unsettled(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int before = ends.told;
	hint_id("c", "outage", id);
	(void)await(id, STATE_RETRYING);
	hint_id("c", "doubt-data", id); /* needs a person, but its delivery is in doubt */
	(void)await(id, STATE_NEEDS_DATA);
	hint_id("c", "doubt", id);
	(void)await(id, STATE_IN_DOUBT);
	assert_int_equal(ends.told, before);
}

static void test_poll_finds_and_reports(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char task[QUEUE_JOB_ID_MAX], id[TRANSFER_ID_MAX];
	const char *report;
	assert_true(queue_task_new(fx.queue, "poll", "c", NULL, task, &err));
	transfer_id("c", "invoice", "polled", id);
	struct transfer t = await(id, STATE_DONE);
	assert_string_equal(t.number, "1001");
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		assert_true(store_report_get(fx.store, fx.arena, "c", &report, &err));
		if (*report)
			break;
	}
	assert_string_equal(report, "{\"at_source\":1}");
}

static void test_check_answers(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char id[QUEUE_JOB_ID_MAX];
	struct queue_task task = { 0 };
	assert_true(queue_task_new(fx.queue, "check", "c", NULL, id, &err));
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		assert_true(queue_task_get(fx.queue, fx.arena, id, &task, &err));
		if (task.state == TASK_DONE)
			break;
	}
	assert_int_equal(task.state, TASK_DONE);
	assert_string_equal(task.result, "{\"ok\":true,\"rev\":1}");
}

static void change_connection(struct store *s)
{
	struct err err = ERR_INIT;
	CLEANUP(connection_unref) struct connection *c = NULL;
	assert_true(store_connection_get(s, "c", &c, &err));
	const struct connection_draft d = { .id = "c",
					    .flow = "fake",
					    .name = "changed",
					    .settings = "{}",
					    .schedule = "{\"interval_s\":86400}",
					    .pause_reason = "",
					    .state = CONNECTION_ACTIVE,
					    .rev = c->rev,
					    .created_ms = 1,
					    .activated_ms = 1,
					    .credentials = SPAN_LIT("{}") };
	assert_true(store_connection_put(s, &d, NULL, &err));
}

/* The straggler's login was refused after the new credentials were stored: they are not blamed. */
static void test_old_credentials_do_not_pause_new_ones(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char id[TRANSFER_ID_MAX];
	hint_id("c", "late-credentials", id);
	for (int64_t until = clock_mono_ms() + WAIT_MS; !logins.waits; clock_sleep_ms(5))
		assert_true(clock_mono_ms() < until);
	change_connection(fx.store);
	logins.go_on = true;
	(void)await(id, STATE_DONE);
	CLEANUP(connection_unref) struct connection *c = NULL;
	assert_true(store_connection_get(fx.store, "c", &c, &err));
	assert_int_equal(c->state, CONNECTION_ACTIVE);
	assert_int_equal(c->rev, 2);
}

/* Another process changed it a moment ago, so the local copy is behind. */
static void test_a_check_sees_the_revision_it_is_about(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const struct store_options so = { .pool = fx.redis, .key = &fx.key };
	struct store *other = NULL;
	assert_true(store_new(&so, &other, &err));
	assert_true(store_sync(other, &err));
	for (int i = 0; i < 5; i++) {
		char id[QUEUE_JOB_ID_MAX], args[32], want[64];
		struct queue_task task = { 0 };
		change_connection(other);
		CLEANUP(connection_unref) struct connection *c = NULL;
		assert_true(store_connection_get(other, "c", &c, &err));
		snprintf(args, sizeof(args), "{\"rev\":%" PRId64 "}", c->rev);
		snprintf(want, sizeof(want), "{\"ok\":true,\"rev\":%" PRId64 "}", c->rev);
		assert_true(queue_task_new(fx.queue, "check", "c", args, id, &err));
		for (int64_t until = clock_mono_ms() + WAIT_MS;
		     task.state != TASK_DONE && clock_mono_ms() < until; clock_sleep_ms(5))
			assert_true(queue_task_get(fx.queue, fx.arena, id, &task, &err));
		assert_string_equal(task.result, want);
	}
	store_free(other);
}

/* A dry run answers whoever asked; nothing pauses, and it does not run in circles. */
static void test_dry_run_with_refused_credentials_fails(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char id[QUEUE_JOB_ID_MAX];
	struct queue_task task = { 0 };
	assert_true(queue_task_new(fx.queue, "dry_run", "c", "{\"source_id\":\"credentials\"}", id,
				   &err));
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		assert_true(queue_task_get(fx.queue, fx.arena, id, &task, &err));
		if (task.state == TASK_FAILED)
			break;
	}
	assert_int_equal(task.state, TASK_FAILED);
	assert_non_null(strstr(task.error_json, "\"credentials\""));
	CLEANUP(connection_unref) struct connection *c = NULL;
	assert_true(store_connection_get(fx.store, "c", &c, &err));
	assert_int_equal(c->state, CONNECTION_ACTIVE);
}

static void test_OP_05_a_long_run_tells_its_beginning_and_its_end(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char **entries;
	size_t n;
	char id[TRANSFER_ID_MAX];
	hint_id("c", "wordy", id);
	(void)await(id, STATE_DONE);
	assert_true(store_timeline(fx.store, fx.arena, id, &entries, &n, &err));
	assert_int_equal(n, 65);
	assert_non_null(strstr(entries[0], "step 0."));
	assert_non_null(strstr(entries[39], "step 39."));
	assert_non_null(strstr(entries[40], "37 steps are left out"));
	assert_non_null(strstr(entries[41], "step 77."));
	assert_non_null(strstr(entries[63], "step 99."));
	assert_non_null(strstr(entries[64], "\"code\":\"done\""));
}

static void test_refused_credentials_pause_the_connection(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char id[TRANSFER_ID_MAX];
	logins.refused = 0;
	hint_id("c", "credentials", id);
	for (int64_t until = clock_mono_ms() + WAIT_MS;; clock_sleep_ms(5)) {
		CLEANUP(connection_unref) struct connection *c = NULL;
		assert_true(store_connection_get(fx.store, "c", &c, &err));
		if (c->state == CONNECTION_PAUSED) {
			assert_string_equal(c->pause_reason, "credentials");
			break;
		}
		assert_true(clock_mono_ms() < until);
	}
	/* The document is not blamed: it waits in the queue, with no try burned. */
	struct transfer t = await(id, STATE_QUEUED);
	assert_int_equal(t.try_no, 0);
	assert_true(has_entry(id, "credentials")); /* why it waits */
	/* It went back only once the connection stood still. */
	clock_sleep_ms(200);
	assert_int_equal(logins.refused, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_retest_that_finds_the_same_leaves_no_trace),
		cmocka_unit_test(test_SV_03_back_from_failed_is_delivered_once_more),
		cmocka_unit_test(test_SV_03_back_from_failed_without_a_delivery_goes_on),
		cmocka_unit_test(test_SV_03_the_source_is_not_told_while_it_is_unsettled),
		cmocka_unit_test(test_poll_finds_and_reports),
		cmocka_unit_test(test_check_answers),
		cmocka_unit_test(test_old_credentials_do_not_pause_new_ones),
		cmocka_unit_test(test_a_check_sees_the_revision_it_is_about),
		cmocka_unit_test(test_dry_run_with_refused_credentials_fails),
		cmocka_unit_test(test_OP_05_a_long_run_tells_its_beginning_and_its_end),
		cmocka_unit_test(test_refused_credentials_pause_the_connection),
	};
	return cmocka_run_group_tests_name("pool", tests, set_up, pool_end);
}
