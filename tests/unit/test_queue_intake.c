/*
 * test_queue_intake.c: batches of hints and finds against a real redis-server: answers by item,
 * order, replay marks, connections that are paused.
 */
#include "base/base.h"

#include "base/clock.h"
#include "relay_fixture.h"

static struct queue_item webhook(const char *conn, const char *source_id, const char *webhook_id)
{
	return (struct queue_item) { .conn = conn,
				     .kind = "invoice",
				     .source_id = source_id,
				     .webhook_id = webhook_id,
				     .origin = "webhook" };
}

static void assert_next(const char *conn, const char *source_id)
{
	struct queue_job job = must_claim();
	assert_string_equal(job.conn, conn);
	assert_string_equal(job.source_id, source_id);
}

/* --- tests --- */

static void each_item_of_a_mixed_batch_has_its_answer(void **state)
{
	(void)state;
	assert_int_equal(hint("b", "old", "w0"), INTAKE_NEW);
	struct queue_item items[] = {
		webhook("b", "1", "w1"),
		webhook("a", "1", "w1"),
		webhook("b", "old", "w0"),
		{ "a", "invoice", "2", NULL, "poll", "c1", "77", true, 0, NULL },
		webhook("a", "1", "w1"),
		webhook("a", "1", "w2"),
		webhook("b", "0", NULL),
		{ "b", "invoice", "old", NULL, "poll", NULL, NULL, true, 0, NULL },
		webhook("a", "last", "w3"),
	};
	const enum queue_intake wanted[] = {
		INTAKE_NEW,   INTAKE_NEW, INTAKE_REPLAY, INTAKE_NEW, INTAKE_REPLAY,
		INTAKE_KNOWN, INTAKE_NEW, INTAKE_SEEN,	 INTAKE_NEW,
	};
	struct queue_receipt got[ARRAY_SIZE(items)];
	OK(queue_intake(fx.queue, items, ARRAY_SIZE(items), got, &err));
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		char id[TRANSFER_ID_MAX];
		assert_int_equal(got[i].what, wanted[i]);
		transfer_id(items[i].conn, items[i].kind, items[i].source_id, id);
		assert_string_equal(got[i].id, id);
	}
	const struct redis_value *ids = redis_do("HGET v:no:a 77", NULL, NULL);
	assert_string_equal(ids->s.p, got[3].id);
	const struct redis_value *v = redis_do("HMGET v:t:%s c k s or ch no st", got[3].id, NULL);
	static const char *const fields[] = { "a", "invoice", "2", "poll", "c1", "77", "queued" };
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_string_equal(v->items[i].s.p, fields[i]);
}

static void a_batch_keeps_the_order_of_a_connection(void **state)
{
	(void)state;
	struct queue_item items[QUEUE_BATCH_MAX];
	struct queue_receipt got[QUEUE_BATCH_MAX];
	char ids[QUEUE_BATCH_MAX][16];
	for (int i = 0; i < QUEUE_BATCH_MAX; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%d", i);
		items[i] = webhook(i % 2 ? "b" : "a", ids[i], NULL);
	}
	OK(queue_intake(fx.queue, items, QUEUE_BATCH_MAX, got, &err));
	for (int i = 0; i < QUEUE_BATCH_MAX; i++)
		assert_next(i % 2 ? "b" : "a", ids[i]);
}

static void a_replay_changes_nothing_and_another_webhook_does(void **state)
{
	(void)state;
	assert_int_equal(hint("a", "1", "w1"), INTAKE_NEW);
	assert_next("a", "1");
	assert_int_equal(hint("a", "1", "w1"), INTAKE_REPLAY);
	assert_int_equal(redis_do("EXISTS v:q:c:a", NULL, NULL)->i, 0);
	for (int i = 0; i < 40; i++) {
		char id[24];
		snprintf(id, sizeof(id), "more-%d", i);
		assert_int_equal(hint("a", "1", id), INTAKE_KNOWN);
		assert_int_equal(hint("a", "1", id), INTAKE_REPLAY);
	}
	assert_int_equal(hint("a", "1", "w1"), INTAKE_REPLAY);
	/* The same id of another document or connection is another message. */
	assert_int_equal(hint("a", "2", "w1"), INTAKE_NEW);
	assert_int_equal(hint("b", "1", "w1"), INTAKE_NEW);
}

/* Makes the record's marks 900 s older. */
static void age_marks(const char *id)
{
	const char *marks = redis_do("HGET v:t:%s wh", id, NULL)->s.p, *older = NULL;
	struct strbuf sb = STRBUF_INIT(fx.arena, 4096);
	for (const char *p = marks; *p; p += 26) {
		unsigned long seconds = strtoul(p + 17, NULL, 16);
		strbuf_addspan(&sb, (struct span) { p, 17 });
		strbuf_addf(&sb, "%08lx ", seconds - 900);
	}
	OK(strbuf_finish(&sb, &older, &err));
	(void)redis_do("HSET v:t:%s wh %s", id, older);
}

static void replay_marks_lapse_and_stay_few(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], webhook_id[24];
	transfer_id("a", "invoice", "1", id);
	for (int i = 0; i < 200; i++) {
		snprintf(webhook_id, sizeof(webhook_id), "w%d", i);
		assert_int_not_equal(hint("a", "1", webhook_id), INTAKE_REPLAY);
	}
	assert_int_equal(redis_do("HSTRLEN v:t:%s wh", id, NULL)->i, 64 * 26);
	assert_int_equal(hint("a", "1", "w199"), INTAKE_REPLAY);
	assert_int_equal(hint("a", "1", "w136"), INTAKE_REPLAY);
	age_marks(id);
	assert_int_equal(hint("a", "1", "w199"), INTAKE_KNOWN);
	assert_int_equal(redis_do("HSTRLEN v:t:%s wh", id, NULL)->i, 26);
}

/* facts/spotilla.md B7: an event's id is remembered for 7 days. */
static void an_id_is_remembered_as_long_as_its_sender_wants(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	const struct queue_item item = { .conn = "a",
					 .kind = "task",
					 .source_id = "90017",
					 .webhook_id = "evt_1",
					 .remember_s = 7 * 86400 };
	struct queue_item other = item;
	struct queue_receipt got;
	other.webhook_id = "evt_2";
	other.remember_s = 0;
	transfer_id("a", "task", "90017", id);
	OK(queue_intake(fx.queue, &item, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_NEW);
	OK(queue_intake(fx.queue, &other, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_KNOWN);
	for (int i = 0; i < 7 * 86400 / 900 - 1; i++)
		age_marks(id);
	OK(queue_intake(fx.queue, &other, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_KNOWN);
	OK(queue_intake(fx.queue, &item, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_REPLAY);
	age_marks(id);
	age_marks(id);
	OK(queue_intake(fx.queue, &item, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_KNOWN);
}

static void a_paused_connection_wakes_nobody(void **state)
{
	(void)state;
	(void)redis_do("HSET v:q:keys:a p 1", NULL, NULL);
	assert_int_equal(hint("a", "1", NULL), INTAKE_NEW);
	assert_int_equal(redis_do("EXISTS v:q:wake v:q:ring", NULL, NULL)->i, 0);
	assert_int_equal(redis_do("ZCARD v:q:c:a", NULL, NULL)->i, 1);
	(void)redis_do("HSET v:q:keys:a p 0", NULL, NULL);
	assert_int_equal(hint("a", "2", NULL), INTAKE_NEW);
	assert_int_equal(redis_do("LLEN v:q:wake", NULL, NULL)->i, 1);
	assert_next("a", "1");
	assert_next("a", "2");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, relay_empty, relay_tidy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_item_of_a_mixed_batch_has_its_answer),
		TEST(a_batch_keeps_the_order_of_a_connection),
		TEST(a_replay_changes_nothing_and_another_webhook_does),
		TEST(replay_marks_lapse_and_stay_few),
		TEST(an_id_is_remembered_as_long_as_its_sender_wants),
		TEST(a_paused_connection_wakes_nobody),
	};
	return cmocka_run_group_tests_name("queue_intake", tests, relay_start, relay_stop);
}
