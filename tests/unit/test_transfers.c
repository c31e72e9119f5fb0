/*
 * test_transfers.c: transfers as people see and order them, against a real redis-server: lists and
 * their pages, retry, resend, cancel.
 */
#include "base/base.h"

#include "base/clock.h"
#include "store_fixture.h"

static void end_run(const struct queue_job *job, enum transfer_state state, const char *code)
{
	const char *const entries[] = { "{\"code\":\"x\"}" };
	struct queue_outcome o = { .id = job->id,
				   .fence = job->fence,
				   .state = state,
				   .delay_ms = 600000,
				   .error_code = code,
				   .delivered = state == STATE_DONE,
				   .entries = entries,
				   .n_entries = 1 };
	if (state == STATE_DONE || state == STATE_NEEDS_DATA || state == STATE_SYSTEM_FAULT)
		o.delay_ms = -1;
	OK(queue_finish(fx.queue, &o, 1, &err));
	assert_int_equal(o.verdict, FINISH_STORED);
}

static struct transfer get(const char *id)
{
	struct transfer t = { 0 };
	OK(store_transfer_get(fx.store, fx.arena, id, &t, &err));
	return t;
}

static size_t list_in(enum transfer_state state, struct transfer_page *ret)
{
	const struct transfer_filter f = { .states = 1u << state, .limit = 10 };
	OK(store_transfer_list(fx.store, fx.arena, &f, ret, &err));
	return ret->n;
}

/* A record says nothing of a run: it is shown by what is held. */
static void what_runs_is_listed_as_running(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	struct transfer_page page;
	put("acme", CONNECTION_ACTIVE);
	hint_id("acme", "1", id);
	struct queue_job job = must_claim();
	end_run(&job, STATE_RETRYING, "target_unreachable");
	assert_int_equal(list_in(STATE_RETRYING, &page), 1);
	assert_int_equal(get(id).state, STATE_RETRYING);
	int64_t rev = 0;
	OK(store_transfer_order(fx.store,
				&(struct transfer_order) {
					.id = id, .action = TRANSFER_RETRY, .rev = -1, .who = "t" },
				&rev, &err));
	job = must_claim();
	assert_int_equal(list_in(STATE_RUNNING, &page), 1);
	assert_string_equal(page.items[0].id, id);
	assert_int_equal(list_in(STATE_QUEUED, &page), 0);
	assert_int_equal(list_in(STATE_RETRYING, &page), 0);
	assert_int_equal(get(id).state, STATE_RUNNING);
	end_run(&job, STATE_NEEDS_DATA, "customer_number_missing");
	assert_false(get(id).rechecking);
	hint_id("acme", "1", id);
	job = must_claim();
	assert_int_equal(list_in(STATE_RUNNING, &page), 0);
	assert_int_equal(list_in(STATE_NEEDS_DATA, &page), 1);
	assert_true(page.items[0].rechecking);
	assert_true(get(id).rechecking);
	REFUSED(store_transfer_order(
			fx.store,
			&(struct transfer_order) {
				.id = id, .action = TRANSFER_RETRY, .rev = -1, .who = "t" },
			&rev, &err),
		ERR_CONFLICT);
}

static void orders_follow_the_table(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	struct transfer_order o = { .id = id, .rev = -1, .who = "ops" };
	hint_id("acme", "1", id);
	struct queue_job job = must_claim();
	o.action = TRANSFER_CANCEL;
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_CONFLICT);
	end_run(&job, STATE_NEEDS_DATA, "customer_number_missing");
	struct transfer t = get(id);
	assert_int_equal(t.state, STATE_NEEDS_DATA);
	assert_string_equal(t.error_code, "customer_number_missing");
	o.action = TRANSFER_RETRY;
	o.rev = t.rev - 1;
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_CONFLICT);
	o.rev = t.rev;
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	assert_int_equal(rev, t.rev + 1);
	assert_int_equal(get(id).state, STATE_QUEUED);
	job = must_claim();
	OK(queue_step_intent(fx.queue, id, job.fence, "send", NULL, &err));
	OK(queue_step_outcome(fx.queue, id, job.fence, "send", "77", STEP_DELIVERS, &err));
	end_run(&job, STATE_DONE, NULL);
	o.rev = -1;
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_CONFLICT); /* retry of done */
	o.action = TRANSFER_CANCEL;
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_CONFLICT); /* delivered */
	o.id = "00000000000000000000000000000000";
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_NOT_FOUND);
}

/* DESIGN §4.6: a target that cannot be asked; a person has looked there. */
static void what_a_person_has_seen_counts_as_delivered(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	struct step step;
	struct transfer_order o = { .id = id,
				    .action = TRANSFER_ARRIVED,
				    .rev = -1,
				    .who = "ops",
				    .reason = "",
				    .step = "send",
				    .key = "77" };
	hint_id("acme", "1", id);
	struct queue_job job = must_claim();
	OK(queue_step_intent(fx.queue, id, job.fence, "send", "what it is about", &err));
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_INPUT); /* no reason */
	o.reason = "it stands in Netvisor";
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_CONFLICT); /* it runs */
	end_run(&job, STATE_NEEDS_DATA, "doubt_unsettled");
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	assert_int_equal(get(id).state, STATE_QUEUED);
	assert_true(get(id).delivered);
	job = must_claim();
	assert_true(job.delivered);
	assert_int_equal(job.generation, 1);
	OK(queue_step_get(fx.queue, fx.arena, id, job.fence, "send", &step, &err));
	assert_int_equal(step.state, STEP_DONE);
	assert_string_equal(step.outcome, "77");
	assert_string_equal(step.about, "what it is about");
	end_run(&job, STATE_DONE, NULL);
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_CONFLICT); /* delivered */
}

static void a_resend_opens_the_next_generation(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	struct step step;
	hint_id("acme", "1", id);
	struct queue_job job = must_claim();
	OK(queue_step_intent(fx.queue, id, job.fence, "send", NULL, &err));
	OK(queue_step_outcome(fx.queue, id, job.fence, "send", "77", STEP_DELIVERS, &err));
	OK(queue_set_number(fx.queue, id, job.fence, "10423", &err));
	end_run(&job, STATE_DONE, NULL);
	struct transfer_order o = {
		.id = id, .action = TRANSFER_RESEND, .rev = -1, .who = "ops", .reason = ""
	};
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_INPUT);
	o.reason = "deleted in Netvisor by mistake";
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	job = must_claim();
	assert_int_equal(job.generation, 2);
	assert_false(job.delivered);
	OK(queue_step_get(fx.queue, fx.arena, id, job.fence, "send", &step, &err));
	assert_int_equal(step.state, STEP_NONE);
	struct transfer t = get(id);
	assert_int_equal(t.n_steps, 1);
	assert_string_equal(t.steps[0].name, "send");
	assert_string_equal(t.steps[0].outcome, "77");
	assert_int_equal(t.steps[0].generation, 1);
	const char **entries = NULL;
	size_t n = 0;
	OK(store_timeline(fx.store, fx.arena, id, &entries, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(entries[0], "{\"code\":\"x\"}");
	assert_non_null(strstr(entries[1], "deleted in Netvisor by mistake"));
}

static void an_open_intent_cannot_be_cancelled(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	hint_id("acme", "1", id);
	struct queue_job job = must_claim();
	OK(queue_step_intent(fx.queue, id, job.fence, "send", NULL, &err));
	end_run(&job, STATE_RETRYING, NULL);
	struct transfer_order o = { .id = id, .action = TRANSFER_CANCEL, .rev = -1, .who = "ops" };
	REFUSED(store_transfer_order(fx.store, &o, &rev, &err), ERR_CONFLICT);
	o.action = TRANSFER_RETRY;
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	job = must_claim();
	OK(queue_step_outcome(fx.queue, id, job.fence, "send", NULL, STEP_DELIVERS_NOT, &err));
	end_run(&job, STATE_RETRYING, NULL);
	o.action = TRANSFER_CANCEL;
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	assert_int_equal(get(id).state, STATE_CANCELLED);
}

/* It still stands in the transfer status, so each poll finds it. */
static void what_a_person_cancelled_no_poll_sends(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	hint_id("acme", "1", id);
	struct transfer_order o = { .id = id, .action = TRANSFER_CANCEL, .rev = -1, .who = "ops" };
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	struct queue_receipt got;
	struct queue_item seen = { .conn = "acme",
				   .kind = "invoice",
				   .source_id = "1",
				   .origin = "poll",
				   .changed = "c1",
				   .found = true };
	OK(queue_intake(fx.queue, &seen, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_SEEN);
	assert_int_equal(get(id).state, STATE_CANCELLED);
	o.action = TRANSFER_RETRY;
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	struct queue_job job = must_claim();
	end_run(&job, STATE_CANCELLED, NULL); /* deleted at the source */
	seen.changed = "c2";
	OK(queue_intake(fx.queue, &seen, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_KNOWN);
}

/* needs_data or system_fault with an open intent: it may be at the target. */
static void an_open_intent_is_resent_only_by_one_who_has_looked(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	struct err why = ERR_INIT;
	struct step step;
	hint_id("acme", "1", id);
	struct queue_job job = must_claim();
	OK(queue_step_intent(fx.queue, id, job.fence, "send", "{\"number\":\"1\"}", &err));
	OK(queue_step_get(fx.queue, fx.arena, id, job.fence, "send", &step, &err));
	assert_string_equal(step.about, "{\"number\":\"1\"}");
	end_run(&job, STATE_NEEDS_DATA, "sum_mismatch");
	struct transfer_order o = {
		.id = id, .action = TRANSFER_RESEND, .rev = -1, .who = "ops", .reason = "because"
	};
	assert_false(store_transfer_order(fx.store, &o, &rev, &why));
	assert_string_equal(why.reason, "in_doubt");
	o.action = TRANSFER_CANCEL;
	assert_false(store_transfer_order(fx.store, &o, &rev, &why));
	assert_string_equal(why.reason, "in_doubt");
	o.action = TRANSFER_RESEND;
	o.despite_doubt = true;
	OK(store_transfer_order(fx.store, &o, &rev, &err));
	job = must_claim();
	assert_int_equal(job.generation, 2);
}

static size_t count_pages(const struct transfer_filter *base, size_t *ret_pages)
{
	struct transfer_filter f = *base;
	size_t n = 0, pages = 0;
	do {
		struct transfer_page page;
		OK(store_transfer_list(fx.store, fx.arena, &f, &page, &err));
		assert_true(page.n <= f.limit);
		for (size_t i = 1; i < page.n; i++)
			assert_true(page.items[i - 1].updated_ms >= page.items[i].updated_ms);
		n += page.n;
		f.cursor = page.next;
		assert_true(++pages < 2000);
	} while (f.cursor);
	*ret_pages = pages;
	return n;
}

static void lists_are_paged_and_filtered(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], source[16];
	size_t pages = 0;
	put("a", CONNECTION_DRAFT);
	put("b", CONNECTION_DRAFT);
	for (int i = 0; i < 250; i++) {
		snprintf(source, sizeof(source), "%d", i);
		hint_id(i % 5 ? "a" : "b", source, id);
	}
	struct transfer_filter f = { .limit = 20 };
	assert_int_equal(count_pages(&f, &pages), 250);
	assert_in_range(pages, 13, 15);
	const char *const only[] = { "b" };
	f.conns = only;
	f.n_conns = 1;
	assert_int_equal(count_pages(&f, &pages), 50);
	f.states = 1u << STATE_DONE;
	assert_int_equal(count_pages(&f, &pages), 0);
	f.cursor = "nonsense";
	struct transfer_page page;
	REFUSED(store_transfer_list(fx.store, fx.arena, &f, &page, &err), ERR_INPUT);
	struct store_counts *counts = NULL;
	size_t n = 0;
	OK(store_counts(fx.store, fx.arena, &counts, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(counts[0].n[STATE_QUEUED], 200);
	assert_int_equal(counts[1].n[STATE_QUEUED], 50);
}

/* Each set is read as far as its members are needed: what is newest may all stand in one of them.
 */
static void many_are_retried_in_few_round_trips(void **state)
{
	(void)state;
	enum { N = 150 };
	const char *ids[N + 1];
	char id[TRANSFER_ID_MAX], source[16];
	struct transfer_tally tally;
	for (int i = 0; i < N; i++) {
		snprintf(source, sizeof(source), "%d", i);
		hint_id("acme", source, id);
		struct queue_job job = must_claim();
		end_run(&job, i % 3 ? STATE_NEEDS_DATA : STATE_DONE, "customer_missing");
		ids[i] = arena_strdup(fx.arena, job.id);
	}
	ids[N] = "00000000000000000000000000000000";
	/* The first of them meets a server that another one took over from. */
	redis_do("HSET v:epoch run %s", "another", NULL);
	OK(store_transfer_retry_many(fx.store, ids, N + 1, "ops", &tally, &err));
	assert_int_equal(tally.done, 100);
	assert_int_equal(tally.refused, 51);
	assert_int_equal(get(ids[1]).state, STATE_QUEUED);
	assert_int_equal(get(ids[0]).state, STATE_DONE);
	const char **entries = NULL;
	size_t n = 0;
	OK(store_timeline(fx.store, fx.arena, ids[1], &entries, &n, &err));
	assert_int_equal(n, 2);
	assert_non_null(strstr(entries[1], "\"by\":\"ops\""));
}

static void a_page_over_many_connections_is_full(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], source[16];
	size_t pages = 0;
	redis_do("EVAL %s 0",
		 "for i = 1, 400 do local id = 'c' .. i "
		 "redis.call('HSET', 'v:conn:' .. id, 'rev', 1, 'doc', '{}', 'sec', '') "
		 "redis.call('SADD', 'v:conns', id) end redis.call('INCR', 'v:conns:ver')",
		 NULL);
	put("a", CONNECTION_DRAFT);
	for (int i = 0; i < 100; i++) {
		if (i == 60)
			clock_sleep_ms(2); /* the next are newer, not of the same instant */
		snprintf(source, sizeof(source), "%d", i);
		hint_id(i < 60 ? arena_printf(fx.arena, "c%d", 1 + i % 7) : "c399", source, id);
	}
	struct transfer_filter f = { .limit = 30 };
	struct transfer_page page;
	OK(store_transfer_list(fx.store, fx.arena, &f, &page, &err));
	assert_int_equal(page.n, 30);
	for (size_t i = 0; i < page.n; i++)
		assert_string_equal(page.items[i].conn, "c399");
	assert_int_equal(count_pages(&f, &pages), 100);
	assert_in_range(pages, 4, 5);
}

static void a_large_batch_at_one_instant_is_paged_whole(void **state)
{
	(void)state;
	struct queue_item items[QUEUE_BATCH_MAX];
	struct queue_receipt got[QUEUE_BATCH_MAX];
	char ids[QUEUE_BATCH_MAX][32];
	size_t pages = 0;
	put("a", CONNECTION_DRAFT);
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < QUEUE_BATCH_MAX; i++) {
			snprintf(ids[i], sizeof(ids[i]), "%d-%d", round, i);
			items[i] = (struct queue_item) { .conn = "a",
							 .kind = "invoice",
							 .source_id = ids[i],
							 .number = ids[i],
							 .origin = "poll" };
		}
		OK(queue_intake(fx.queue, items, QUEUE_BATCH_MAX, got, &err));
	}
	struct transfer_filter f = { .limit = 200 };
	assert_int_equal(count_pages(&f, &pages), 8 * QUEUE_BATCH_MAX);
	f.number = "3-77";
	assert_int_equal(count_pages(&f, &pages), 1);
	f.number = NULL;
	f.kind = "task";
	assert_int_equal(count_pages(&f, &pages), 0);
	f.kind = "invoice";
	assert_int_equal(count_pages(&f, &pages), 8 * QUEUE_BATCH_MAX);
	f.kind = NULL;
	f.error_code = "nothing_has_it";
	assert_int_equal(count_pages(&f, &pages), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, store_begin, store_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_runs_is_listed_as_running),
		TEST(orders_follow_the_table),
		TEST(a_resend_opens_the_next_generation),
		TEST(what_a_person_has_seen_counts_as_delivered),
		TEST(an_open_intent_cannot_be_cancelled),
		TEST(what_a_person_cancelled_no_poll_sends),
		TEST(an_open_intent_is_resent_only_by_one_who_has_looked),
		TEST(lists_are_paged_and_filtered),
		TEST(many_are_retried_in_few_round_trips),
		TEST(a_page_over_many_connections_is_full),
		TEST(a_large_batch_at_one_instant_is_paged_whole),
	};
	return cmocka_run_group_tests_name("transfers", tests, redis_start, redis_stop);
}
