/*
 * test_talk.c: workers and dialogues on a real Redis, with a flow whose one dialogue does what its
 * record asks for: what proceed leaves is stored, a failure comes again, what is due goes on by
 * itself while the connection is a draft, of two who change a record one is told, and transfers
 * that wait go on at once.
 */
#include "base/base.h"

#include <stdatomic.h>

#include "pool_fixture.h"

static struct err err = ERR_INIT;
static _Atomic int runs, outages;
static _Atomic bool is_open; /* what documents wait for is there */
static _Atomic bool holds; /* those who look now are slow to tell */
static _Atomic int looking;

/* --- the flow --- */

static bool fake_settle(struct arena *arena, const struct system_values *systems,
			const struct json *settings, const struct json *credentials,
			struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
			struct err *why)
{
	(void)arena, (void)systems, (void)settings, (void)why;
	const char *id = json_str(json_at(credentials, "vendor.id"));
	*ret_n = 0;
	if (id) {
		ret_limits[0] = (struct limit_key) { .max_running = 2 };
		snprintf(ret_limits[0].key, sizeof(ret_limits[0].key), "vendor:%s", id);
		*ret_n = 1;
	}
	return true;
}

static bool fake_none(struct attempt *at, struct err *why)
{
	(void)at, (void)why;
	return true;
}

static bool fake_run(struct attempt *at, struct err *why)
{
	bool was_open = is_open;
	(void)at;
	looking++;
	while (holds)
		clock_sleep_ms(5);
	looking--;
	if (was_open)
		return true;
	err_reason(why, ERR_WAITING, "company_unverified", "Vendor", "not verified yet");
	why->retry_after_ms = (int64_t)3600 * 1000;
	return false;
}

static bool fake_candidates(struct attempt *at, struct err *why)
{
	const struct peer *peers;
	size_t n;
	if (!at->ops->peers(at, NULL, &peers, &n, why))
		return false;
	at->result = arena_printf(at->arena, "{\"language\":\"%s\",\"peers\":%zu}", at->language,
				  n);
	return true;
}

static bool put_keys(struct attempt *at, const struct record *rec, struct err *why)
{
	const char *patch = arena_printf(at->arena,
					 "{\"settings\":{\"company\":{\"id\":\"c-1\"}},"
					 "\"credentials\":{\"vendor\":{\"id\":\"u-1\","
					 "\"key\":\"%s\"}}}",
					 record_str(rec, "key"));
	return at->ops->connection_patch(at, rec, patch, why);
}

/* Somebody else puts it while this one works. */
static bool change_meanwhile(struct attempt *at, struct record *rec, struct err *why)
{
	struct record *all;
	size_t n;
	if (!at->ops->records(at, "talks", &all, &n, why))
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_eq(record_str(&all[i], "id"), record_str(rec, "id"))) {
			record_put_str(&all[i], "state", "waits");
			if (!at->ops->record_put(at, "talks", &all[i], why))
				return false;
		}
	return at->ops->record_put(at, "talks", rec, why);
}

static bool fake_proceed(struct attempt *at, struct record *rec, struct err *why)
{
	const char *what = record_str(rec, "do");
	runs++;
	if (str_eq(what, "stale"))
		return change_meanwhile(at, rec, why);
	if (str_eq(what, "refuse")) {
		record_put_str(rec, "state", "waits");
		return err_reason(why, ERR_DATA, "customer_missing", "x", "no customer");
	}
	if (str_eq(what, "outage") && outages-- > 0) {
		err_set(why, ERR_OUTAGE, "away");
		return false;
	}
	if (str_eq(what, "keys") && !put_keys(at, rec, why))
		return false;
	record_put_str(rec, "state", "done");
	return true;
}

static const struct dialogue_state states[] = {
	{ "begun", DIALOGUE_WORKS, NULL, "", "", "" },
	{ "waits", DIALOGUE_RESTS, "PUT talks/{}/keys", "", "", "" },
	{ "done", DIALOGUE_ENDED, NULL, "", "", "" },
};
static const struct dialogue talks = { .name = "talks",
				       .states = states,
				       .n_states = ARRAY_SIZE(states),
				       .candidates = fake_candidates,
				       .proceed = fake_proceed };
static const struct flow fake = { .name = "fake",
				  .title = "fake",
				  .settle = fake_settle,
				  .poll = fake_none,
				  .run = fake_run,
				  .check = fake_none,
				  .dialogues = &talks,
				  .n_dialogues = 1 };

/* --- the world --- */

static void connect(const char *id, enum connection_state state)
{
	const struct connection_draft d = { .id = id,
					    .flow = "fake",
					    .name = id,
					    .settings = "{}",
					    .schedule = "{\"interval_s\":86400}",
					    .pause_reason = "",
					    .state = state,
					    .created_ms = 1,
					    .activated_ms = state == CONNECTION_DRAFT ? 0 : 1,
					    .credentials = SPAN_LIT("{\"source\":{\"a\":\"b\"}}") };
	assert_true(store_connection_put(fx.store, &d, NULL, &err));
}

static int set_up(void **state)
{
	(void)state;
	workers_begin(&fake, 50);
	connect("draft", CONNECTION_DRAFT);
	connect("active", CONNECTION_ACTIVE);
	connect("third", CONNECTION_PAUSED);
	return 0;
}

static void put(const char *conn, const char *id, const char *what, int64_t due_ms)
{
	struct record rec = { .arena = fx.arena };
	const struct record_put p = {
		.conn = conn, .dialogue = "talks", .record = &rec, .facts_rev = -1
	};
	record_put_str(&rec, "id", id);
	record_put_str(&rec, "state", "begun");
	record_put_str(&rec, "do", what);
	record_put_str(&rec, "key", "secret-key");
	record_put_str(&rec, "by", "an admin");
	if (due_ms)
		record_put_int(&rec, "due_ms", due_ms);
	assert_true(store_record_put(fx.store, fx.arena, &p, &err));
	assert_int_equal(record_int(&rec, "rev"), 1);
}

static struct record get(const char *conn, const char *id)
{
	struct facts facts;
	struct record rec;
	const char *json;
	int64_t rev;
	assert_true(store_facts_get(fx.store, fx.arena, conn, &json, &rev, &err));
	assert_true(facts_read(fx.arena, json, rev, &facts, &err));
	assert_true(facts_record(&facts, "talks", id, &rec));
	return rec;
}

static struct queue_task ask(const char *conn, const char *args)
{
	return await_task("dialogue", conn, args);
}

static struct record await_record(const char *conn, const char *id, const char *state)
{
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(20)) {
		struct record rec = get(conn, id);
		if (str_eq(record_str(&rec, "state"), state))
			return rec;
	}
	fail_msg("%s does not become %s", id, state);
	return (struct record) { 0 };
}

/* --- tests --- */

static void test_MV_05_what_proceed_leaves_is_stored(void **state)
{
	(void)state;
	put("draft", "good", "finish", 0);
	struct queue_task task = ask("draft", "{\"dialogue\":\"talks\",\"id\":\"good\"}");
	struct record rec = get("draft", "good");
	assert_int_equal(task.state, TASK_DONE);
	assert_string_equal(record_str(&rec, "state"), "done");
	assert_true(record_is(&rec, "is_ended"));
	assert_int_equal(record_int(&rec, "rev"), 2);
	int before = runs;
	assert_int_equal(ask("draft", "{\"dialogue\":\"talks\",\"id\":\"good\"}").state, TASK_DONE);
	assert_int_equal(runs, before); /* it has ended */
}

static void test_OP_05_a_refusal_stands_in_the_record_and_in_the_task(void **state)
{
	(void)state;
	put("draft", "bad", "refuse", 0);
	struct queue_task task = ask("draft", "{\"dialogue\":\"talks\",\"id\":\"bad\"}");
	struct record rec = get("draft", "bad");
	assert_int_equal(task.state, TASK_FAILED);
	assert_non_null(strstr(task.error_json, "customer_missing"));
	assert_string_equal(record_str(&rec, "state"), "waits");
	assert_string_equal(json_str(json_get(record_get(&rec, "error"), "code")),
			    "customer_missing");
	assert_int_equal(record_int(&rec, "due_ms"), 0);
}

static void test_MV_02_an_outage_comes_again_until_it_is_over(void **state)
{
	(void)state;
	int64_t before_ms = clock_wall_ms();
	outages = 1000; /* however often it comes again until it was looked at */
	put("draft", "away", "outage", before_ms + 3600000);
	struct queue_task task = ask("draft", "{\"dialogue\":\"talks\",\"id\":\"away\"}");
	struct record rec = get("draft", "away");
	assert_int_equal(task.state, TASK_FAILED);
	assert_string_equal(record_str(&rec, "state"), "begun");
	assert_string_equal(json_str(json_get(record_get(&rec, "error"), "code")), "outage");
	assert_true(record_int(&rec, "due_ms") > before_ms);
	assert_true(record_int(&rec, "due_ms") < before_ms + 3600000);
	outages = 0;
	rec = await_record("draft", "away", "done"); /* by itself */
	assert_null(record_get(&rec, "error"));
	assert_null(record_get(&rec, "due_ms"));
}

static void test_MV_05_what_is_due_goes_on_though_the_connection_is_a_draft(void **state)
{
	(void)state;
	put("draft", "due", "finish", clock_wall_ms() + 200);
	(void)await_record("draft", "due", "done");
}

static void test_MV_02_of_two_who_change_it_one_stops(void **state)
{
	(void)state;
	put("draft", "both", "stale", 0);
	struct queue_task task = ask("draft", "{\"dialogue\":\"talks\",\"id\":\"both\"}");
	struct record rec = get("draft", "both");
	assert_int_equal(task.state, TASK_FAILED);
	assert_string_equal(record_str(&rec, "state"), "waits");
	assert_null(record_get(&rec, "error"));
	assert_int_equal(record_int(&rec, "rev"), 2);
}

static void assert_keys(const char *conn, enum connection_state state, const char *reason)
{
	CLEANUP(connection_unref) struct connection *c = NULL;
	assert_true(store_connection_get(fx.store, conn, &c, &err));
	assert_int_equal(c->state, state);
	assert_string_equal(c->pause_reason, reason);
	assert_non_null(memmem(c->credentials.p, c->credentials.n, "secret-key", 10));
	assert_non_null(memmem(c->credentials.p, c->credentials.n, "source", 6));
	assert_string_equal(c->limits[0].key, "vendor:u-1");
	assert_string_equal(c->settings, "{\"company\":{\"id\":\"c-1\"}}");
}

static void test_MV_03_keys_go_to_the_connection_and_stop_what_relays(void **state)
{
	(void)state;
	const char **audit = NULL;
	size_t n = 0;
	put("draft", "keys", "keys", 0);
	put("active", "keys", "keys", 0);
	assert_int_equal(ask("draft", "{\"dialogue\":\"talks\",\"id\":\"keys\"}").state, TASK_DONE);
	assert_int_equal(ask("active", "{\"dialogue\":\"talks\",\"id\":\"keys\"}").state,
			 TASK_DONE);
	assert_keys("draft", CONNECTION_DRAFT, "");
	assert_keys("active", CONNECTION_PAUSED, "changed");
	assert_true(store_audit_list(fx.store, fx.arena, 0, 10, &audit, &n, &err));
	assert_int_equal(n, 2);
	assert_non_null(strstr(audit[0], "an admin"));
	assert_null(strstr(audit[0], "secret-key"));
	/* The same ones once more change nothing. */
	connect("fourth", CONNECTION_DRAFT);
	CLEANUP(connection_unref) struct connection *c = NULL;
	assert_true(store_connection_get(fx.store, "draft", &c, &err));
	put("draft", "again", "keys", 0);
	assert_int_equal(ask("draft", "{\"dialogue\":\"talks\",\"id\":\"again\"}").state,
			 TASK_DONE);
	CLEANUP(connection_unref) struct connection *now = NULL;
	assert_true(store_connection_get(fx.store, "draft", &now, &err));
	assert_int_equal(now->rev, c->rev);
}

static void test_MV_15_candidates_see_what_who_asks_may_see(void **state)
{
	(void)state;
	struct queue_task all = ask("draft", "{\"dialogue\":\"talks\",\"language\":\"fi\"}");
	assert_int_equal(all.state, TASK_DONE);
	assert_string_equal(all.result, "{\"language\":\"fi\",\"peers\":6}");
	struct queue_task some = ask(
		"draft",
		"{\"dialogue\":\"talks\",\"language\":\"nb\",\"conns\":[\"draft\",\"third\"]}");
	assert_string_equal(some.result, "{\"language\":\"nb\",\"peers\":1}");
	assert_int_equal(ask("draft", "{\"dialogue\":\"nothing\"}").state, TASK_FAILED);
}

static void await_transfer(const char *conn, const char *source_id, enum transfer_state state)
{
	char id[TRANSFER_ID_MAX];
	transfer_id(conn, "invoice", source_id, id);
	(void)await(id, state);
}

/* What a dialogue settles is what documents wait for: they do not wait for their retest. */
static void test_MV_06_the_end_of_a_dialogue_wakes_what_waits(void **state)
{
	(void)state;
	is_open = false;
	connect("woken", CONNECTION_ACTIVE);
	(void)hint("woken", "1", NULL);
	await_transfer("woken", "1", STATE_WAITING);
	is_open = true;
	put("woken", "verified", "finish", 0);
	assert_int_equal(ask("woken", "{\"dialogue\":\"talks\",\"id\":\"verified\"}").state,
			 TASK_DONE);
	await_transfer("woken", "1", STATE_DONE);
}

/* It has looked before the dialogue ended, and says so after it. */
static void test_MV_06_who_looks_at_that_moment_looks_again(void **state)
{
	(void)state;
	is_open = false;
	holds = true;
	connect("held", CONNECTION_ACTIVE);
	(void)hint("held", "1", NULL);
	AWAIT(looking == 1);
	is_open = true;
	put("held", "verified", "finish", 0);
	assert_int_equal(ask("held", "{\"dialogue\":\"talks\",\"id\":\"verified\"}").state,
			 TASK_DONE);
	holds = false;
	await_transfer("held", "1", STATE_DONE);
}

static void test_MV_06_activation_wakes_what_waits(void **state)
{
	(void)state;
	is_open = false;
	connect("resumed", CONNECTION_ACTIVE);
	(void)hint("resumed", "1", NULL);
	await_transfer("resumed", "1", STATE_WAITING);
	assert_true(store_connection_set_state(fx.store, "resumed", -1, CONNECTION_PAUSED,
					       "operator", &err));
	is_open = true;
	assert_true(
		store_connection_set_state(fx.store, "resumed", -1, CONNECTION_ACTIVE, "", &err));
	await_transfer("resumed", "1", STATE_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_MV_05_what_proceed_leaves_is_stored),
		cmocka_unit_test(test_OP_05_a_refusal_stands_in_the_record_and_in_the_task),
		cmocka_unit_test(test_MV_02_an_outage_comes_again_until_it_is_over),
		cmocka_unit_test(test_MV_05_what_is_due_goes_on_though_the_connection_is_a_draft),
		cmocka_unit_test(test_MV_02_of_two_who_change_it_one_stops),
		cmocka_unit_test(test_MV_03_keys_go_to_the_connection_and_stop_what_relays),
		cmocka_unit_test(test_MV_06_the_end_of_a_dialogue_wakes_what_waits),
		cmocka_unit_test(test_MV_06_who_looks_at_that_moment_looks_again),
		cmocka_unit_test(test_MV_06_activation_wakes_what_waits),
		cmocka_unit_test(test_MV_15_candidates_see_what_who_asks_may_see),
	};
	return cmocka_run_group_tests_name("talk", tests, set_up, pool_end);
}
