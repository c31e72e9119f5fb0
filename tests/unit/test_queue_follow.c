/*
 * test_queue_follow.c: follow-up of what was sent (MV-14) in the queue's scripts, against a real
 * redis-server: rounds, news, watches, pauses, crashes. No test waits for a round: what the scripts
 * wrote is made older instead.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "elapse.h"
#include "queue/queue.h"
#include "redis_fixture.h"
#include "store/store.h"

#define LEASE_MS 400
#define MINUTE_MS ((int64_t)60000)
#define DAY_MS (1440 * MINUTE_MS)
#define STEP "deliver"

struct world {
	struct redis_fixture fx;
	struct redis_pool *redis;
	struct store *store;
	struct queue *queue;
	struct arena *arena;
	struct seal_key key;
	struct queue_round round;
};

#define OK(call)                                                \
	do {                                                    \
		struct err err = ERR_INIT;                      \
		if (!(call))                                    \
			fail_msg("%s: %s", #call, err.message); \
	} while (0)

static struct queue *queue_with(struct world *w)
{
	struct queue *q = NULL;
	const struct queue_options qo = { .pool = w->redis,
					  .store = w->store,
					  .key = &w->key,
					  .lease_ms = LEASE_MS,
					  .quiet_ms = 300 };
	OK(queue_new(&qo, &q, &err));
	return q;
}

static int start(void **state)
{
	static struct world w;
	struct err err = ERR_INIT;
	seal_key_random(&w.key);
	if (!redis_fixture_start(&w.fx))
		return -1;
	const struct redis_options ro = { .url = w.fx.url, .prefix = "v:", .pool_size = 4 };
	if (!redis_pool_new(&ro, &w.redis, &err))
		return -1;
	const struct store_options so = { .pool = w.redis, .key = &w.key };
	if (!store_new(&so, &w.store, &err))
		return -1;
	w.queue = queue_with(&w);
	*state = &w;
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;
	queue_free(w->queue);
	store_free(w->store);
	redis_pool_free(w->redis);
	redis_fixture_stop(&w->fx);
	return 0;
}

/* One command, whose words stand apart. */
static const struct redis_value *command(struct world *w, const char *text)
{
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	struct span words[8];
	size_t n = 0;
	for (const char *p = text; *p && n < ARRAY_SIZE(words); p += words[n - 1].n) {
		p += strspn(p, " ");
		words[n++] = (struct span) { p, strcspn(p, " ") };
	}
	OK(redis_borrow(w->redis, 1000, &r, &err));
	OK(redis_command(r, w->arena, words, n, &v, &err));
	redis_give_back(r);
	return v;
}

static void poll_never(struct world *w)
{
	(void)command(w, "ZADD v:sched XX 99999999999999 c");
}

/* Each test has an empty Redis with one active connection, "c". */
static int empty(void **state)
{
	struct world *w = *state;
	const struct connection_draft d = { .id = "c",
					    .flow = "fake",
					    .name = "c",
					    .settings = "{}",
					    .schedule = "{\"interval_s\":86400}",
					    .pause_reason = "",
					    .state = CONNECTION_ACTIVE,
					    .created_ms = 1,
					    .activated_ms = 1,
					    .credentials = SPAN_LIT("{}") };
	w->arena = arena_new((size_t)64 << 20);
	if (!w->arena || !redis_fixture_flush(&w->fx))
		return -1;
	OK(store_sync(w->store, &err));
	OK(store_connection_put(w->store, &d, NULL, &err));
	poll_never(w);
	return 0;
}

static int tidy(void **state)
{
	struct world *w = *state;
	arena_free(w->arena);
	return 0;
}

/* --- helpers --- */

static const char *field(struct world *w, const char *id, const char *name)
{
	const struct redis_value *v = command(w,
					      arena_printf(w->arena, "HGET v:t:%s %s", id, name));
	return v->type == REDIS_STRING ? v->s.p : "";
}

static int64_t due_of(struct world *w, const char *id)
{
	const struct redis_value *v = command(w, arena_printf(w->arena, "ZSCORE v:q:fo:c %s", id));
	return v->type == REDIS_STRING ? strtoll(v->s.p, NULL, 10) : 0;
}

static void elapse(struct world *w, int64_t ms)
{
	elapse_follow(w->redis, STEP, ms);
}

static void set_pause(struct world *w, const char *why)
{
	OK(store_connection_set_state(w->store, "c", -1,
				      why ? CONNECTION_PAUSED : CONNECTION_ACTIVE, why ? why : "",
				      &err));
	poll_never(w);
}

static void hint(struct world *w, const char *source_id, char ret_id[TRANSFER_ID_MAX])
{
	struct queue_receipt got;
	const struct queue_item item = {
		.conn = "c", .kind = "invoice", .source_id = source_id, .origin = "test"
	};
	OK(queue_intake(w->queue, &item, 1, &got, &err));
	if (ret_id)
		snprintf(ret_id, TRANSFER_ID_MAX, "%s", got.id);
}

static bool claim(struct world *w, struct queue_job *ret)
{
	size_t n = 0;
	OK(queue_claim(w->queue, w->arena, 1, ret, &n, &err));
	return n == 1;
}

static struct queue_job must_claim(struct world *w, enum queue_job_type type)
{
	struct queue_job job = { 0 };
	assert_true(claim(w, &job));
	assert_int_equal(job.type, type);
	return job;
}

static void assert_nothing_to_claim(struct world *w)
{
	struct queue_job job;
	assert_false(claim(w, &job));
}

static void tick(struct world *w)
{
	struct queue_tick t;
	OK(queue_tick(w->queue, &t, &err));
}

/* The tick of a process that was just started: with it the reconciler begins a round. */
static struct queue_tick first_tick(struct world *w)
{
	struct queue_tick t;
	struct queue *fresh = queue_with(w);
	OK(queue_tick(fresh, &t, &err));
	queue_free(fresh);
	return t;
}

static enum queue_verdict finish(struct world *w, const struct queue_job *job,
				 struct queue_outcome o)
{
	o.id = job->id;
	o.fence = job->fence;
	OK(queue_finish(w->queue, &o, 1, &err));
	return o.verdict;
}

#define PENDING                                                                     \
	(struct queue_outcome)                                                      \
	{                                                                           \
		.state = STATE_FOLLOWING, .delay_ms = MINUTE_MS, .in_rounds = true, \
		.delivered = true                                                   \
	}
#define DELIVERED                                                                                 \
	(struct queue_outcome)                                                                    \
	{                                                                                         \
		.state = STATE_DONE, .delay_ms = MINUTE_MS, .in_rounds = true, .delivered = true, \
		.watch_ms = 14 * DAY_MS, .word = "DELIVERED"                                      \
	}
#define ENDED(s)                                              \
	(struct queue_outcome)                                \
	{                                                     \
		.state = s, .delay_ms = -1, .delivered = true \
	}
#define BACK                                     \
	(struct queue_outcome)                   \
	{                                        \
		.hand_back = true, .delay_ms = 0 \
	}

/* Sent and followed, with the first verdict pending. */
static void deliver(struct world *w, const char *source_id, char ret_id[TRANSFER_ID_MAX])
{
	hint(w, source_id, ret_id);
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	OK(queue_step_intent(w->queue, job.id, job.fence, STEP, NULL, &err));
	OK(queue_step_outcome(w->queue, job.id, job.fence, STEP, source_id, STEP_DELIVERS_TO_FOLLOW,
			      &err));
	assert_int_equal(finish(w, &job, PENDING), FINISH_STORED);
}

/* The round that is due, in this worker's hands. */
static struct queue_job take(struct world *w)
{
	tick(w);
	struct queue_job job = must_claim(w, JOB_FOLLOW);
	assert_string_equal(job.conn, "c");
	OK(queue_follow_take(w->queue, w->arena, "c", STEP, &w->round, &err));
	return job;
}

/* Stores what was heard of all; seen NULL: nothing. The job ends unless more is due. */
static void settle(struct world *w, const struct queue_job *job, const char *seen, bool has_news)
{
	for (size_t i = 0; i < w->round.n; i++) {
		w->round.items[i].seen = seen;
		w->round.items[i].has_news = has_news;
		w->round.interval_ms[i] = 2 * MINUTE_MS;
	}
	OK(queue_follow_done(w->queue, job->id, job->fence, "c", &w->round, &err));
	if (w->round.more)
		assert_int_equal(finish(w, job, BACK), FINISH_STORED);
	else
		assert_int_equal(finish(w, job, ENDED(STATE_DONE)), FINISH_STORED);
}

/* One round that brings the word as news, and the run that is to judge it. */
static struct queue_job hear(struct world *w, const char *word)
{
	elapse(w, DAY_MS);
	struct queue_job round = take(w);
	assert_int_equal(w->round.n, 1);
	settle(w, &round, word, true);
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	assert_true(job.has_news);
	assert_true(job.delivered);
	return job;
}

static struct queue_followed counts(struct world *w)
{
	static const char *const conns[] = { "c" };
	struct queue_followed f;
	OK(queue_follow_counts(w->queue, w->arena, conns, 1, &f, &err));
	return f;
}

/* --- tests --- */

static void test_MV_14_documents_of_one_age_share_a_round(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	int64_t earliest = INT64_MAX, latest = 0, before = clock_wall_ms();
	for (int i = 0; i < 250; i++) {
		deliver(w, arena_printf(w->arena, "%d", i), id);
		int64_t due = due_of(w, id);
		earliest = due < earliest ? due : earliest;
		latest = due > latest ? due : latest;
	}
	assert_true(earliest >= before + MINUTE_MS / 2);
	assert_true(latest <= clock_wall_ms() + 3 * MINUTE_MS / 2);
	/* One point of the grid, or two where the test ran across it. */
	assert_true(latest == earliest || latest == earliest + MINUTE_MS);
	assert_int_equal(counts(w).n_pending, 250);
	tick(w);
	assert_nothing_to_claim(w); /* not yet */

	elapse(w, 5 * MINUTE_MS);
	size_t sizes[] = { 100, 100, 50 };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct queue_job job = take(w);
		assert_int_equal(w->round.n, sizes[i]);
		settle(w, &job, "PENDING", false);
		assert_int_equal(w->round.more, i < 2);
	}
	tick(w);
	assert_nothing_to_claim(w);
	assert_string_equal(field(w, id, "fw"), "PENDING");
	assert_string_equal(field(w, id, "st"), "following");
	assert_true(counts(w).next_ms > clock_wall_ms());
}

static void test_MV_14_a_round_says_all_that_a_flow_asks_by(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	int64_t before = clock_wall_ms();
	deliver(w, "key-1", id);
	elapse(w, 2 * MINUTE_MS);
	struct queue_job job = take(w);
	const struct follow_item *it = &w->round.items[0];
	assert_int_equal(w->round.n, 1);
	assert_string_equal(w->round.ids[0], id);
	assert_string_equal(it->kind, "invoice");
	assert_string_equal(it->source_id, "key-1");
	assert_string_equal(it->target_key, "key-1");
	assert_string_equal(it->word, "");
	assert_int_equal(it->generation, 1);
	assert_int_equal(it->watch_until_ms, 0);
	assert_true(it->sent_ms >= before - 2 * MINUTE_MS && it->sent_ms < before);
	assert_true(it->now_ms - it->sent_ms >= 2 * MINUTE_MS);
	settle(w, &job, "PENDING", false);
	/* The interval that was given, on its grid. */
	int64_t due = due_of(w, id), now = clock_wall_ms();
	assert_true(due >= now + MINUTE_MS - LEASE_MS && due <= now + 3 * MINUTE_MS);
	struct transfer t;
	OK(store_transfer_get(w->store, w->arena, id, &t, &err));
	assert_int_equal(t.follow.next_ms, due);
	assert_true(t.follow.asked_ms >= before && t.follow.since_ms < before);
	assert_string_equal(t.follow.word, "PENDING");
	assert_false(t.follow.has_news);
	elapse(w, DAY_MS);
	(void)take(w);
	assert_string_equal(w->round.items[0].word, "PENDING");
}

static void test_MV_14_late_failure_within_the_watch_is_judged(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	struct queue_job job = hear(w, "DELIVERED");
	assert_int_equal(job.was, STATE_FOLLOWING);
	assert_true(job.followed_ms > 0);
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	assert_string_equal(field(w, id, "st"), "done");
	assert_int_equal(counts(w).n_watched, 1);
	assert_int_equal(counts(w).n_pending, 0);
	assert_nothing_to_claim(w);

	elapse(w, 13 * DAY_MS);
	struct queue_job round = take(w);
	assert_int_equal(w->round.n, 1);
	assert_true(w->round.items[0].watch_until_ms > w->round.now_ms);
	assert_string_equal(w->round.items[0].word, "DELIVERED");
	settle(w, &round, "FAILED", true);
	job = must_claim(w, JOB_TRANSFER);
	assert_int_equal(job.was, STATE_DONE);
	assert_true(job.has_news);
	assert_int_equal(finish(w, &job, ENDED(STATE_NEEDS_DATA)), FINISH_STORED);
	assert_string_equal(field(w, id, "st"), "needs_data");
	assert_int_equal(counts(w).n_watched, 0);
	assert_int_equal(due_of(w, id), 0);
	assert_string_equal(field(w, id, "fv"), "");
}

static void test_MV_14_after_the_watch_nobody_asks(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	struct queue_job job = hear(w, "DELIVERED");
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	elapse(w, 14 * DAY_MS);
	struct queue_job round = take(w);
	assert_int_equal(w->round.n, 0);
	assert_false(w->round.more);
	assert_int_equal(finish(w, &round, ENDED(STATE_DONE)), FINISH_STORED);
	assert_int_equal(counts(w).n_watched, 0);
	assert_string_equal(field(w, id, "st"), "done");
	elapse(w, 30 * DAY_MS);
	tick(w);
	(void)first_tick(w);
	assert_nothing_to_claim(w);
	/* Looked at again, since somebody asked: that begins no other watch. */
	hint(w, "1", NULL);
	job = must_claim(w, JOB_TRANSFER);
	assert_false(job.has_news);
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	assert_int_equal(counts(w).n_watched, 0);
	assert_int_equal(due_of(w, id), 0);
}

static void test_MV_14_a_second_look_makes_the_watch_no_longer(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	struct queue_job job = hear(w, "DELIVERED");
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	int64_t until = strtoll(field(w, id, "fu"), NULL, 10);
	assert_true(until > clock_wall_ms() + 13 * DAY_MS);
	clock_sleep_ms(2); /* another moment */
	hint(w, "1", NULL);
	job = must_claim(w, JOB_TRANSFER);
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	assert_int_equal(strtoll(field(w, id, "fu"), NULL, 10), until);
	assert_int_equal(counts(w).n_watched, 1);
}

static void test_SV_07_what_was_sent_is_followed_while_paused(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX], other[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	hint(w, "not sent yet", other);
	set_pause(w, "operator");
	assert_nothing_to_claim(w);
	struct queue_job job = hear(w, "DELIVERED");
	assert_string_equal(job.id, id);
	/* A run that could not end goes on, paused as it is. */
	assert_int_equal(
		finish(w, &job, (struct queue_outcome) { .state = STATE_RETRYING, .delay_ms = 0 }),
		FINISH_STORED);
	job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_true(job.has_news);
	assert_int_equal(finish(w, &job, BACK), FINISH_STORED);
	job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_true(job.has_news);
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	assert_nothing_to_claim(w);
	set_pause(w, NULL);
	job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, other);
}

static void test_SV_07_news_that_stand_in_line_pass_a_pause(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	hint(w, "not sent yet", NULL);
	elapse(w, DAY_MS);
	struct queue_job round = take(w);
	settle(w, &round, "DELIVERED", true); /* behind the other, since nothing is paused */
	set_pause(w, "operator");
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_nothing_to_claim(w);
}

static void test_SV_07_refused_credentials_stop_follow_up(void **state)
{
	struct world *w = *state;
	deliver(w, "1", NULL);
	deliver(w, "2", NULL);
	elapse(w, DAY_MS);
	struct queue_job round = take(w);
	const char *first = w->round.ids[0], *second = w->round.ids[1];
	assert_int_equal(w->round.n, 2);
	w->round.n = 1;
	settle(w, &round, "DELIVERED", true);
	assert_true(w->round.more);
	set_pause(w, "credentials");
	tick(w);
	assert_nothing_to_claim(w); /* neither the run nor a round */
	set_pause(w, "operator");
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, first);
	(void)take(w);
	assert_int_equal(w->round.n, 1);
	assert_string_equal(w->round.ids[0], second);
}

static void test_MV_14_a_killed_round_loses_nothing(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	elapse(w, DAY_MS);
	struct queue_job dead = take(w);
	assert_int_equal(w->round.n, 1);
	clock_sleep_ms(LEASE_MS + 20); /* its lease ends */
	struct queue_job round = take(w);
	assert_int_equal(w->round.n, 1);
	assert_string_equal(w->round.ids[0], id);
	/* It was not dead, only late: what it says does not count any more. */
	struct err err = ERR_INIT;
	w->round.items[0].seen = "LATE";
	assert_false(queue_follow_done(w->queue, dead.id, dead.fence, "c", &w->round, &err));
	assert_int_equal(err.code, ERR_LEASE);
	assert_string_equal(field(w, id, "fw"), "");
	set_pause(w, "operator");
	settle(w, &round, "DELIVERED", true);
	/* So is the run that judges. */
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	clock_sleep_ms(LEASE_MS + 20);
	tick(w);
	struct queue_job again = must_claim(w, JOB_TRANSFER);
	assert_string_equal(again.id, job.id);
	assert_true(again.has_news);
	assert_int_equal(again.was, STATE_FOLLOWING);
}

static void test_MV_14_a_failed_round_is_begun_again(void **state)
{
	struct world *w = *state;
	deliver(w, "1", NULL);
	elapse(w, DAY_MS);
	struct queue_job round = take(w);
	assert_int_equal(finish(w, &round, ENDED(STATE_SYSTEM_FAULT)), FINISH_STORED);
	tick(w);
	assert_nothing_to_claim(w); /* not at once */
	elapse(w, 5 * MINUTE_MS);
	(void)take(w);
	assert_int_equal(w->round.n, 1);
}

static void test_MV_14_news_of_what_runs_are_heard_again(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	elapse(w, DAY_MS);
	struct queue_job round = take(w);
	(void)command(w, arena_printf(w->arena, "ZADD v:q:c:c 1 %s", id));
	(void)command(w, "ZADD v:q:ring 1 c");
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	assert_false(job.has_news);
	settle(w, &round, "FAILED", true);
	assert_string_equal(field(w, id, "fw"), "");
	assert_int_equal(finish(w, &job, PENDING), FINISH_STORED);
	job = hear(w, "FAILED");
	assert_string_equal(job.id, id);
}

static void test_MV_14_news_that_came_to_nothing_are_heard_again(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	struct queue_job job = hear(w, "DELIVERED");
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	job = hear(w, "FAILED");
	/* What is done stands while an outage keeps its second look from ending. */
	assert_int_equal(finish(w, &job, (struct queue_outcome) { .keep = true, .delay_ms = -1 }),
			 FINISH_STORED);
	assert_string_equal(field(w, id, "st"), "done");
	elapse(w, DAY_MS);
	(void)take(w);
	assert_int_equal(w->round.n, 1);
	assert_string_equal(w->round.items[0].word, "");
}

static void test_MV_14_lost_rounds_are_mended(void **state)
{
	struct world *w = *state;
	char pending[TRANSFER_ID_MAX], watched[TRANSFER_ID_MAX];
	deliver(w, "1", watched);
	struct queue_job job = hear(w, "DELIVERED");
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	deliver(w, "2", pending);
	int64_t due = due_of(w, pending);
	(void)command(w, "DEL v:q:fo:c v:q:follow");
	assert_true(first_tick(w).mended >= 2);
	assert_int_equal(due_of(w, pending), due);
	assert_true(due_of(w, watched) > 0);
	assert_int_equal(command(w, "ZCARD v:q:follow")->i, 1);
	/* News whose place in line was lost. */
	(void)command(w, "DEL v:q:mend");
	(void)command(w, arena_printf(w->arena, "HSET v:t:%s fv 1", pending));
	(void)first_tick(w);
	job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, pending);
	assert_true(job.has_news);
}

static void test_MV_14_a_retry_asks_now(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	int64_t rev;
	deliver(w, "1", id);
	set_pause(w, "operator");
	const struct transfer_order o = {
		.id = id, .action = TRANSFER_RETRY, .rev = -1, .who = "test"
	};
	OK(store_transfer_order(w->store, &o, &rev, &err));
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_true(job.has_news);
	assert_int_equal(finish(w, &job, PENDING), FINISH_STORED);
	assert_string_equal(field(w, id, "fv"), "");
	assert_true(due_of(w, id) > clock_wall_ms());
	assert_true(strtoll(field(w, id, "fa"), NULL, 10) > 0);
}

static void test_MV_14_a_resend_is_followed_anew(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	int64_t rev;
	deliver(w, "1", id);
	struct queue_job job = hear(w, "DELIVERED");
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	const struct transfer_order o = { .id = id,
					  .action = TRANSFER_RESEND,
					  .rev = -1,
					  .who = "test",
					  .reason = "gone there" };
	OK(store_transfer_order(w->store, &o, &rev, &err));
	assert_int_equal(counts(w).n_watched, 0);
	assert_int_equal(due_of(w, id), 0);
	job = must_claim(w, JOB_TRANSFER);
	assert_int_equal(job.generation, 2);
	assert_int_equal(job.followed_ms, 0);
	assert_false(job.delivered);
	assert_int_equal(finish(w, &job, PENDING), FINISH_STORED);
	assert_string_equal(field(w, id, "fw"), "");
	assert_true(due_of(w, id) > 0);
}

/* A flow without rounds: each document is run again by itself, and while it is paused, too. */
static void test_SV_07_what_is_run_again_by_itself_passes_a_pause(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	hint(w, "1", id);
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	OK(queue_step_intent(w->queue, job.id, job.fence, STEP, NULL, &err));
	OK(queue_step_outcome(w->queue, job.id, job.fence, STEP, "1", STEP_DELIVERS, &err));
	struct queue_outcome o = { .state = STATE_FOLLOWING, .delivered = true, .delay_ms = 0 };
	set_pause(w, "operator");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(finish(w, &job, o), FINISH_STORED);
		assert_int_equal(due_of(w, id), 0);
		job = must_claim(w, JOB_TRANSFER);
		assert_true(job.has_news);
		assert_int_equal(job.was, STATE_FOLLOWING);
	}
	assert_int_equal(finish(w, &job, ENDED(STATE_DONE)), FINISH_STORED);
	assert_string_equal(field(w, id, "fv"), "");
}

/* --- hints --- */

static enum queue_intake told(struct world *w, const char *target_key)
{
	struct queue_receipt got;
	const struct queue_item item = { .conn = "c", .origin = "test", .target_key = target_key };
	OK(queue_intake(w->queue, &item, 1, &got, &err));
	return got.what;
}

static void test_MV_14_a_hint_brings_the_round_forward(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX], other[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	deliver(w, "2", other);
	assert_int_equal(told(w, "nobody"), INTAKE_UNKNOWN);
	assert_nothing_to_claim(w);
	assert_int_equal(told(w, "1"), INTAKE_ASKED);
	assert_int_equal(told(w, "1"), INTAKE_ASKED);
	struct queue_job job = must_claim(w, JOB_FOLLOW); /* no tick was needed */
	OK(queue_follow_take(w->queue, w->arena, "c", STEP, &w->round, &err));
	assert_int_equal(w->round.n, 1);
	assert_string_equal(w->round.items[0].target_key, "1");
	settle(w, &job, "DELIVERED", true);
	job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, id);
	assert_int_equal(finish(w, &job, DELIVERED), FINISH_STORED);
	/* What is watched is told of, too; who asked just now does not ask at once again. */
	assert_int_equal(told(w, "1"), INTAKE_ASKED);
	assert_nothing_to_claim(w);
	assert_true(due_of(w, id) <= clock_wall_ms() + 2000);
	assert_true(due_of(w, other) > clock_wall_ms() + 2000);
}

/* Of a hint batch and documents, each has its own answer. */
static void test_MV_14_hints_and_documents_share_a_batch(void **state)
{
	struct world *w = *state;
	struct queue_receipt got[3];
	char id[TRANSFER_ID_MAX];
	const struct queue_item items[] = {
		{ .conn = "c", .origin = "test", .target_key = "nobody" },
		{ .conn = "c", .origin = "test", .kind = "invoice", .source_id = "7" },
		{ .conn = "c", .origin = "test", .target_key = "1" },
	};
	deliver(w, "1", id);
	OK(queue_intake(w->queue, items, ARRAY_SIZE(items), got, &err));
	assert_int_equal(got[0].what, INTAKE_UNKNOWN);
	assert_int_equal(got[1].what, INTAKE_NEW);
	assert_int_equal(got[2].what, INTAKE_ASKED);
	assert_string_equal(got[2].id, "");
	assert_true(got[1].id[0] != '\0');
}

/* The verdict may be there before the run that delivered has ended. */
static void test_MV_14_a_hint_during_the_delivery_is_kept(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	hint(w, "1", id);
	struct queue_job job = must_claim(w, JOB_TRANSFER);
	OK(queue_step_intent(w->queue, job.id, job.fence, STEP, NULL, &err));
	assert_int_equal(told(w, "k1"), INTAKE_UNKNOWN);
	OK(queue_step_outcome(w->queue, job.id, job.fence, STEP, "k1", STEP_DELIVERS_TO_FOLLOW,
			      &err));
	assert_int_equal(told(w, "k1"), INTAKE_ASKED);
	assert_int_equal(finish(w, &job, PENDING), FINISH_STORED);
	job = take(w);
	assert_int_equal(w->round.n, 1);
	settle(w, &job, "PENDING", false);
	assert_true(due_of(w, id) > clock_wall_ms() + 2000); /* once */
}

static void test_MV_14_a_hint_during_a_round_makes_another(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	elapse(w, DAY_MS);
	struct queue_job job = take(w);
	assert_int_equal(told(w, "1"), INTAKE_ASKED);
	settle(w, &job, "PENDING", false);
	assert_true(due_of(w, id) <= clock_wall_ms() + 2000);
}

static void test_SV_07_a_hint_is_heard_while_paused(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	hint(w, "waits", NULL);
	set_pause(w, "operator");
	assert_int_equal(told(w, "1"), INTAKE_ASKED);
	struct queue_job job = must_claim(w, JOB_FOLLOW);
	OK(queue_follow_take(w->queue, w->arena, "c", STEP, &w->round, &err));
	settle(w, &job, "DELIVERED", true);
	job = must_claim(w, JOB_TRANSFER);
	assert_string_equal(job.id, id);
}

/* Whose follow-up is over is nobody's any more; lost with Redis's memory, the reconciler finds it
 * in the record. */
static void test_MV_14_the_key_lives_as_long_as_the_following(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	deliver(w, "1", id);
	(void)command(w, "DEL v:fk:c");
	assert_int_equal(told(w, "1"), INTAKE_UNKNOWN);
	(void)first_tick(w);
	assert_int_equal(told(w, "1"), INTAKE_ASKED);
	struct queue_job job = must_claim(w, JOB_FOLLOW);
	OK(queue_follow_take(w->queue, w->arena, "c", STEP, &w->round, &err));
	settle(w, &job, "FAILED", true);
	job = must_claim(w, JOB_TRANSFER);
	assert_int_equal(finish(w, &job, ENDED(STATE_NEEDS_DATA)), FINISH_STORED);
	assert_int_equal(told(w, "1"), INTAKE_UNKNOWN);
	assert_int_equal(command(w, "EXISTS v:fk:c")->i, 0);
	assert_string_equal(field(w, id, "fk"), "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, empty, tidy)

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
		TEST(test_MV_14_a_hint_brings_the_round_forward),
		TEST(test_MV_14_hints_and_documents_share_a_batch),
		TEST(test_MV_14_a_hint_during_the_delivery_is_kept),
		TEST(test_MV_14_a_hint_during_a_round_makes_another),
		TEST(test_SV_07_a_hint_is_heard_while_paused),
		TEST(test_MV_14_the_key_lives_as_long_as_the_following),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
