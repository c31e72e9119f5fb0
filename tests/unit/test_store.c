/*
 * test_store.c: connections, tokens, idempotency keys, audit, reports and schedules against a real
 * redis-server; records that do not open.
 */
#include "base/base.h"

#include "base/clock.h"
#include "store_fixture.h"

#include <sys/stat.h>

static void a_connection_comes_back_as_it_was_put(void **state)
{
	(void)state;
	struct connection *c = NULL;
	put("acme", CONNECTION_ACTIVE);
	OK(store_connection_get(fx.store, "acme", &c, &err));
	assert_string_equal(c->name, "Yritys \"Äiti\" Oy");
	assert_string_equal(c->settings, "{\"n\":12345678901234567890.10}");
	assert_string_equal(c->credentials.p, "{\"severa\":{\"secret\":\"s3\"}}");
	assert_string_equal(c->webhook_secrets[0].p, "whsec_abc");
	assert_string_equal(c->limits[0].key, "netvisor:acme");
	assert_int_equal(c->limits[0].max_running, 1);
	assert_int_equal(c->rev, 1);
	assert_true(c->activated_ms > 0);
	connection_unref(c);
	c = store_find(fx.store, "acme");
	assert_non_null(c);
	connection_unref(c);
	assert_null(store_find(fx.store, "other"));
	REFUSED(store_connection_get(fx.store, "other", &c, &err), ERR_NOT_FOUND);
}

static void an_old_revision_is_refused(void **state)
{
	(void)state;
	put("acme", CONNECTION_DRAFT);
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	REFUSED(store_connection_put(fx.store, &d, NULL, &err), ERR_CONFLICT);
	d.rev = 1;
	OK(store_connection_put(fx.store, &d, NULL, &err));
	REFUSED(store_connection_put(fx.store, &d, NULL, &err), ERR_CONFLICT);
	d.id = "none";
	REFUSED(store_connection_put(fx.store, &d, NULL, &err), ERR_NOT_FOUND);
	d.id = "Bad Id";
	REFUSED(store_connection_put(fx.store, &d, NULL, &err), ERR_INPUT);
}

static void a_paused_connection_runs_nothing(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], check[QUEUE_JOB_ID_MAX];
	struct queue_job job;
	size_t n = 9;
	put("acme", CONNECTION_ACTIVE);
	OK(store_connection_set_state(fx.store, "acme", -1, CONNECTION_PAUSED, "credentials",
				      &err));
	hint_id("acme", "1", id);
	OK(queue_claim(fx.queue, fx.arena, 1, &job, &n, &err));
	assert_int_equal(n, 0);
	OK(queue_task_new(fx.queue, "check", "acme", "{}", check, &err));
	assert_int_equal(must_claim().type, JOB_CHECK);
	OK(queue_claim(fx.queue, fx.arena, 1, &job, &n, &err));
	assert_int_equal(n, 0);
	struct connection *c = store_find(fx.store, "acme");
	assert_string_equal(c->pause_reason, "credentials");
	assert_int_equal(c->rev, 2);
	connection_unref(c);
	OK(store_connection_set_state(fx.store, "acme", -1, CONNECTION_ACTIVE, NULL, &err));
	struct queue_tick t;
	OK(queue_tick(fx.queue, &t, &err));
	assert_int_equal(t.polls, 1);
	OK(queue_tick(fx.queue, &t, &err));
	assert_int_equal(t.polls, 0);
}

static void a_vault_that_cannot_be_written_stops_nothing(void **state)
{
	(void)state;
	char path[96];
	struct store_trouble t;
	snprintf(path, sizeof(path), "%s/vault.new", data_dir);
	put("acme", CONNECTION_ACTIVE);
	assert_int_equal(mkdir(path, 0700), 0);
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	d.rev = 1;
	d.name = "Second";
	OK(store_connection_put(fx.store, &d, NULL, &err));
	store_trouble_get(fx.store, &t);
	assert_non_null(strstr(t.vault, "vault"));
	assert_null(sync_store(fx.store));
	refresh(fx.store);
	struct connection *c = store_find(fx.store, "acme");
	assert_string_equal(c->name, "Second");
	connection_unref(c);
	assert_int_equal(rmdir(path), 0);
	refresh(fx.store);
	store_trouble_get(fx.store, &t);
	assert_string_equal(t.vault, "");
	/* What was missed stands in it now. */
	assert_true(redis_fixture_flush(&fx.server));
	refresh(fx.store);
	c = store_find(fx.store, "acme");
	assert_string_equal(c->name, "Second");
	connection_unref(c);
}

static void a_record_that_does_not_open_can_be_replaced(void **state)
{
	(void)state;
	static const char *const docs[] = { "{\"flow\":", "{}", "[]", "" };
	put("acme", CONNECTION_ACTIVE);
	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		struct connection *c = NULL;
		struct store_trouble t;
		redis_do("HSET v:conn:acme doc %s", docs[i], NULL);
		redis_do("INCR v:conns:ver", NULL, NULL);
		refresh(fx.store);
		store_trouble_get(fx.store, &t);
		assert_int_equal(t.n_unopened, 1);
		OK(store_connection_get(fx.store, "acme", &c, &err));
		assert_true(c->unreadable[0] && c->state == CONNECTION_DRAFT);
		struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
		d.rev = c->rev;
		connection_unref(c);
		OK(store_connection_put(fx.store, &d, NULL, &err));
		store_trouble_get(fx.store, &t);
		assert_int_equal(t.n_unopened, 0);
		c = store_find(fx.store, "acme");
		assert_true(c && !c->unreadable[0]);
		connection_unref(c);
	}
}

static void a_record_that_does_not_open_is_named_and_the_others_go_on(void **state)
{
	(void)state;
	struct store_trouble t;
	put("acme", CONNECTION_ACTIVE);
	put("beta", CONNECTION_ACTIVE);
	redis_do("HSET v:conn:acme sec %s", "rubbish", NULL);
	redis_do("INCR v:conns:ver", NULL, NULL);
	put("gamma", CONNECTION_ACTIVE);
	store_trouble_get(fx.store, &t);
	assert_int_equal(t.n_unopened, 1);
	assert_non_null(strstr(t.unopened, "acme"));
	struct connection *broken = store_find(fx.store, "acme");
	assert_true(broken && broken->state == CONNECTION_PAUSED);
	assert_non_null(strstr(broken->unreadable, "acme"));
	connection_unref(broken);
	/* Its secrets would be lost. */
	REFUSED(store_connection_set_state(fx.store, "acme", -1, CONNECTION_ACTIVE, "", &err),
		ERR_SYSTEM);
	for (int i = 0; i < 2; i++) {
		struct connection *c = store_find(fx.store, "gamma");
		assert_non_null(c);
		connection_unref(c);
		/* It goes through a restore as it is. */
		assert_true(redis_fixture_flush(&fx.server));
		refresh(fx.store);
		assert_string_equal(redis_do("HGET v:conn:acme sec", NULL, NULL)->s.p, "rubbish");
	}
}

static void tokens_are_known_by_hash(void **state)
{
	(void)state;
	char plain[TOKEN_TEXT_MAX], id[17];
	const char *const conns[] = { "a", "b" };
	struct token t = { .name = "bot", .role = ROLE_VIEWER, .conns = conns, .n_conns = 2 }, got;
	OK(store_token_create(fx.store, &t, NULL, plain, id, &err));
	assert_int_equal(strlen(plain), 7 + 43);
	assert_true(store_token_find(fx.store, fx.arena, span_of(plain), &got));
	assert_string_equal(got.name, "bot");
	assert_int_equal(got.n_conns, 2);
	assert_string_equal(got.conns[1], "b");
	assert_false(store_token_find(fx.store, fx.arena, SPAN_LIT("viesti_x"), &got));
	struct token admin = { .name = "admin", .role = ROLE_ADMIN }, *all = NULL;
	OK(store_token_create(fx.store, &admin, "a-given-admin-token", NULL, NULL, &err));
	OK(store_token_create(fx.store, &admin, "a-given-admin-token", NULL, NULL, &err));
	size_t n = 0;
	OK(store_token_list(fx.store, fx.arena, &all, &n, &err));
	assert_int_equal(n, 2);
	OK(store_token_revoke(fx.store, id, &err));
	assert_false(store_token_find(fx.store, fx.arena, span_of(plain), &got));
	REFUSED(store_token_revoke(fx.store, id, &err), ERR_NOT_FOUND);
	t.expires_ms = 1;
	OK(store_token_create(fx.store, &t, NULL, plain, id, &err));
	assert_false(store_token_find(fx.store, fx.arena, span_of(plain), &got));
}

static void an_idempotency_key_answers_once(void **state)
{
	(void)state;
	struct idempotent_answer a;
	OK(store_idempotency_begin(fx.store, fx.arena, "t", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_FIRST);
	OK(store_idempotency_begin(fx.store, fx.arena, "t", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_RUNNING);
	OK(store_idempotency_begin(fx.store, fx.arena, "t", "k", "h2", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_OTHER);
	OK(store_idempotency_end(fx.store, "t", "k", "h1", 201, SPAN_LIT("{\"a\":1}"), &err));
	OK(store_idempotency_begin(fx.store, fx.arena, "t", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_DONE);
	assert_int_equal(a.status, 201);
	assert_true(span_is(a.body, "{\"a\":1}"));
	OK(store_idempotency_begin(fx.store, fx.arena, "t2", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_FIRST);
	OK(store_idempotency_drop(fx.store, "t2", "k", &err));
	OK(store_idempotency_begin(fx.store, fx.arena, "t2", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_FIRST);
}

static void audit_and_reports_are_kept(void **state)
{
	(void)state;
	const char **texts = NULL, *report = NULL;
	size_t n = 0;
	OK(store_audit_add(fx.store, "{\"n\":1}", &err));
	OK(store_audit_add(fx.store, "{\"n\":2}", &err));
	OK(store_audit_list(fx.store, fx.arena, 0, 10, &texts, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(texts[0], "{\"n\":2}");
	OK(store_audit_list(fx.store, fx.arena, 1, 10, &texts, &n, &err));
	assert_int_equal(n, 1);
	OK(store_report_get(fx.store, fx.arena, "a", &report, &err));
	assert_string_equal(report, "");
	OK(store_report_put(fx.store, "a", "{\"waiting\": 3}", &err));
	OK(store_report_get(fx.store, fx.arena, "a", &report, &err));
	assert_string_equal(report, "{\"waiting\": 3}");
}

static int64_t polled_next_ms(const char *conn)
{
	return strtoll(redis_do("ZSCORE v:sched %s", conn, NULL)->s.p, NULL, 10);
}

static void times_of_day_are_planned_in_their_zone(void **state)
{
	(void)state;
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	struct queue_tick t;
	d.schedule = "{\"times\":[\"02:00\",\"14:30\"],\"time_zone\":\"Europe/Helsinki\"}";
	OK(store_connection_put(fx.store, &d, NULL, &err));
	OK(queue_tick(fx.queue, &t, &err));
	assert_int_equal(t.polls, 1);
	int64_t next = polled_next_ms("acme"), now = clock_wall_ms();
	struct tz *tz = NULL;
	OK(tz_load("Europe/Helsinki", &tz, &err));
	int64_t local_min = (next / 1000 + tz_offset_s(tz, next)) / 60 % 1440;
	tz_free(tz);
	assert_true(next > now && next <= now + 13 * 3600000LL);
	assert_true(local_min == 120 || local_min == 870);
}

/* Connections that came due together do not stay together; none is polled early. */
static void polls_by_interval_are_spread(void **state)
{
	(void)state;
	enum { N = 40 };
	struct queue_tick t;
	int64_t low = INT64_MAX, high = 0, before_ms = clock_wall_ms();
	for (int i = 0; i < N; i++) {
		char id[16];
		snprintf(id, sizeof(id), "c%d", i);
		put(id, CONNECTION_ACTIVE);
	}
	OK(queue_tick(fx.queue, &t, &err));
	assert_int_equal(t.polls, N);
	int64_t after_ms = clock_wall_ms();
	for (int i = 0; i < N; i++) {
		char id[16];
		snprintf(id, sizeof(id), "c%d", i);
		int64_t next = polled_next_ms(id);
		low = next < low ? next : low;
		high = next > high ? next : high;
	}
	assert_true(low >= before_ms + 300000 && high <= after_ms + 330000);
	assert_true(high - low > 10000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, store_begin, store_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_comes_back_as_it_was_put),
		TEST(an_old_revision_is_refused),
		TEST(a_paused_connection_runs_nothing),
		TEST(a_vault_that_cannot_be_written_stops_nothing),
		TEST(a_record_that_does_not_open_can_be_replaced),
		TEST(a_record_that_does_not_open_is_named_and_the_others_go_on),
		TEST(tokens_are_known_by_hash),
		TEST(an_idempotency_key_answers_once),
		TEST(audit_and_reports_are_kept),
		TEST(times_of_day_are_planned_in_their_zone),
		TEST(polls_by_interval_are_spread),
	};
	return cmocka_run_group_tests_name("store", tests, redis_start, redis_stop);
}
