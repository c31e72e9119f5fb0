/*
 * test_follow.c: follow-up of what was sent (MV-14, SV-07) through the worker pool, with a target
 * that holds a verdict per document and counts what it is asked and sent, on a real Redis. Days
 * pass by making what Redis has older.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "elapse.h"
#include "queue/queue.h"
#include "redis_fixture.h"
#include "store/store.h"
#include "worker/pool.h"

#define WAIT_MS 15000
#define MINUTE_MS ((int64_t)60000)
#define DAY_MS (1440 * MINUTE_MS)
#define STEP "deliver"
#define MANY 250

static const char *const hosts[] = { NULL };
static const struct http_guard guard = { .allow_hosts = hosts,
					 .connect_timeout_ms = 1000,
					 .request_timeout_ms = 1000 };
static const struct system_values values;

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

static bool fake_settle(struct arena *arena, const struct system_values *systems,
			const struct json *settings, const struct json *credentials,
			struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
			struct err *err)
{
	(void)arena, (void)systems, (void)settings, (void)credentials, (void)ret_limits, (void)err;
	*ret_n = 0;
	return true;
}

static bool fake_poll(struct attempt *at, struct err *err)
{
	return at->ops->report(at, "{}", err);
}

static const struct flow fake = { .name = "fake",
				  .title = "fake",
				  .delivery_step = STEP,
				  .settle = fake_settle,
				  .poll = fake_poll,
				  .run = fake_run,
				  .on_failed = fake_failed,
				  .check = fake_poll,
				  .follow = fake_follow };
static const struct flow *const fakes[] = { &fake, NULL };

struct world {
	struct redis_fixture fx;
	struct redis_pool *redis;
	struct queue *queue;
	struct store *store;
	struct pool *pool;
	struct arena *arena;
	struct seal_key key;
};

static void start_pool(struct world *w)
{
	struct err err = ERR_INIT;
	const struct pool_options po = { .queue = w->queue,
					 .store = w->store,
					 .flows = fakes,
					 .systems = &values,
					 .guard = &guard,
					 .workers = 4,
					 .lease_ms = 2000,
					 .beat_ms = 500,
					 .quiet_ms = 60000,
					 .retry_first_ms = 100,
					 .retry_cap_ms = 1000,
					 .retry_max_age_ms = 60000,
					 .retest_ms = 60000 };
	assert_true(pool_start(&po, &w->pool, &err));
}

static int set_up(void **state)
{
	static struct world w;
	struct err err = ERR_INIT;
	memset(&target, 0, sizeof(target));
	w = (struct world) { .arena = arena_new((size_t)64 << 20) };
	assert_true(redis_fixture_start(&w.fx));
	seal_key_random(&w.key);
	log_init(STDERR_FILENO, LOG_OFF);
	assert_true(http_global_init(&err));
	const struct redis_options ro = { .url = w.fx.url, .prefix = "t", .pool_size = 12 };
	assert_true(redis_pool_new(&ro, &w.redis, &err));
	const struct store_options so = { .pool = w.redis, .key = &w.key };
	assert_true(store_new(&so, &w.store, &err));
	const struct queue_options qo = { .pool = w.redis,
					  .store = w.store,
					  .key = &w.key,
					  .lease_ms = 2000,
					  .quiet_ms = 60000 };
	assert_true(queue_new(&qo, &w.queue, &err));
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
	assert_true(store_sync(w.store, &err));
	assert_true(store_connection_put(w.store, &d, NULL, &err));
	start_pool(&w);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	pool_stop(w->pool, 2000);
	pool_free(w->pool);
	store_free(w->store);
	queue_free(w->queue);
	redis_pool_free(w->redis);
	redis_fixture_stop(&w->fx);
	arena_free(w->arena);
	http_global_release();
	return 0;
}

/* --- helpers --- */

static void hint(struct world *w, int first, int n)
{
	struct err err = ERR_INIT;
	struct queue_item items[MANY];
	struct queue_receipt got[MANY];
	for (int i = 0; i < n; i++)
		items[i] = (struct queue_item) {
			.conn = "c",
			.kind = "invoice",
			.source_id = arena_printf(w->arena, "%d", first + i),
			.origin = "test",
		};
	assert_true(queue_intake(w->queue, items, (size_t)n, got, &err));
}

static struct transfer transfer_of(struct world *w, int number)
{
	struct transfer t = { 0 };
	struct err err = ERR_INIT;
	char id[TRANSFER_ID_MAX];
	transfer_id("c", "invoice", arena_printf(w->arena, "%d", number), id);
	if (!store_transfer_get(w->store, w->arena, id, &t, &err))
		fail_msg("%s", err.message);
	return t;
}

static int64_t n_in(struct world *w, enum transfer_state state)
{
	struct err err = ERR_INIT;
	struct store_counts *counts;
	size_t n;
	assert_true(store_counts(w->store, w->arena, &counts, &n, &err));
	return n == 1 ? counts[0].n[state] : -1;
}

static struct queue_followed followed(struct world *w)
{
	static const char *const conns[] = { "c" };
	struct err err = ERR_INIT;
	struct queue_followed f = { 0 };
	assert_true(queue_follow_counts(w->queue, w->arena, conns, 1, &f, &err));
	return f;
}

#define AWAIT(condition)                                                             \
	do {                                                                         \
		int64_t until = clock_mono_ms() + WAIT_MS;                           \
		while (!(condition) && clock_mono_ms() < until)                      \
			clock_sleep_ms(5);                                           \
		if (!(condition))                                                    \
			fail_msg("not within %d s: %s", WAIT_MS / 1000, #condition); \
	} while (0)

/* Nothing runs, and nothing is due: what was to happen has happened. */
static bool is_quiet(struct world *w)
{
	struct queue_depth d;
	struct err err = ERR_INIT;
	assert_true(queue_depth(w->queue, &d, &err));
	int64_t next_ms = followed(w).next_ms;
	return d.running == 0 && d.ready_connections == 0 &&
	       (next_ms == 0 || next_ms > clock_wall_ms());
}

static void elapse(struct world *w, int64_t ms)
{
	elapse_follow(w->redis, STEP, ms);
}

static void send_all(struct world *w, int n)
{
	hint(w, 0, n);
	AWAIT(n_in(w, STATE_FOLLOWING) == n && is_quiet(w));
	assert_int_equal(target.sent, n);
}

static void set_state(struct world *w, enum connection_state to, const char *why)
{
	struct err err = ERR_INIT;
	assert_true(store_connection_set_state(w->store, "c", -1, to, why, &err));
	assert_true(store_refresh(w->store, &err));
}

/* --- tests --- */

static void test_MV_14_many_documents_share_few_calls(void **state)
{
	struct world *w = *state;
	send_all(w, MANY);
	assert_int_equal(target.calls, 0);
	elapse(w, 2 * MINUTE_MS);
	AWAIT(target.asked == MANY && is_quiet(w));
	assert_int_equal(target.calls, 3);
	assert_int_equal(target.most, FOLLOW_MAX);
	assert_int_equal(target.runs, MANY); /* no news, no run */
	assert_int_equal(n_in(w, STATE_FOLLOWING), MANY);
	struct transfer t = transfer_of(w, 7);
	assert_string_equal(t.follow.word, "PENDING");
	assert_true(t.follow.asked_ms > t.follow.since_ms);

	/* The verdicts come: each has one run, which sends nothing. */
	for (int i = 0; i < MANY; i++)
		target.verdicts[i] = DELIVERED;
	elapse(w, DAY_MS);
	AWAIT(n_in(w, STATE_DONE) == MANY && is_quiet(w));
	assert_int_equal(target.calls, 6);
	assert_int_equal(target.runs, 2 * MANY);
	assert_int_equal(target.sent, MANY);
	assert_int_equal(followed(w).n_watched, MANY);
	t = transfer_of(w, 7);
	assert_true(t.follow.until_ms > clock_wall_ms() + 13 * DAY_MS);

	/* After 14 days nobody asks any more. */
	elapse(w, 15 * DAY_MS);
	AWAIT(followed(w).n_watched == 0);
	assert_int_equal(target.calls, 6);
	assert_int_equal(followed(w).next_ms, 0);
	assert_int_equal(n_in(w, STATE_DONE), MANY);
}

static void test_SV_07_verdicts_are_judged_while_paused(void **state)
{
	struct world *w = *state;
	send_all(w, 3);
	set_state(w, CONNECTION_PAUSED, "operator");
	hint(w, 10, 1); /* nothing is sent of what comes now */
	target.verdicts[0] = DELIVERED;
	target.verdicts[1] = FAILED;
	elapse(w, DAY_MS);
	AWAIT(n_in(w, STATE_DONE) == 1 && n_in(w, STATE_NEEDS_DATA) == 1);
	AWAIT(target.told == 1); /* the source is told, MV-14 */
	assert_string_equal(transfer_of(w, 1).error_code, "refused_by_target");
	assert_int_equal(transfer_of(w, 2).state, STATE_FOLLOWING);
	/* A late failure of what was done, still paused. */
	target.verdicts[0] = FAILED;
	elapse(w, 13 * DAY_MS);
	AWAIT(n_in(w, STATE_NEEDS_DATA) == 2 && target.told == 2);
	assert_int_equal(followed(w).n_watched, 0);
	assert_int_equal(target.sent, 3);
	assert_int_equal(transfer_of(w, 10).state, STATE_QUEUED);
}

/* Pending for so long that a person is told: that is no end, and a pause is none, either. */
static void test_MV_14_what_is_pending_long_is_asked_for_while_paused(void **state)
{
	struct world *w = *state;
	send_all(w, 3);
	for (int i = 0; i < 3; i++)
		target.verdicts[i] = PENDING_LONG;
	elapse(w, 8 * DAY_MS);
	AWAIT(n_in(w, STATE_NEEDS_DATA) == 3 && is_quiet(w));
	set_state(w, CONNECTION_PAUSED, "operator");
	for (int round = 0; round < 3; round++) { /* nothing new, and asked for again */
		int runs = target.runs;
		elapse(w, DAY_MS);
		AWAIT(target.runs == runs + 3 && is_quiet(w));
		assert_int_equal(n_in(w, STATE_NEEDS_DATA), 3);
	}
	target.verdicts[0] = DELIVERED;
	target.verdicts[1] = FAILED;
	elapse(w, DAY_MS);
	AWAIT(n_in(w, STATE_DONE) == 1 && is_quiet(w));
	struct transfer t = transfer_of(w, 0);
	assert_string_equal(t.follow.word, "DELIVERED");
	assert_true(t.follow.until_ms > clock_wall_ms() + 13 * DAY_MS);
	assert_string_equal(transfer_of(w, 1).error_code, "refused_by_target");
	assert_int_equal(followed(w).n_watched, 1);
	/* A refusal is the end: nobody asks any more until the connection is active again. */
	int runs = target.runs;
	target.verdicts[1] = DELIVERED;
	elapse(w, DAY_MS);
	AWAIT(target.runs == runs + 1 && is_quiet(w)); /* the third */
	assert_string_equal(transfer_of(w, 1).error_code, "refused_by_target");
	assert_int_equal(target.sent, 3);
}

static enum queue_intake notify(struct world *w, int number)
{
	struct err err = ERR_INIT;
	struct queue_receipt got;
	const struct queue_item item = { .conn = "c",
					 .origin = "test",
					 .target_key = arena_printf(w->arena, "key-%d", number) };
	assert_true(queue_intake(w->queue, &item, 1, &got, &err));
	return got.what;
}

/* Both ways to be first: the target says so by itself, a person wants to know. */
static void test_MV_14_what_is_pending_long_is_asked_for_at_once_on_a_hint(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	int64_t rev;
	send_all(w, 2);
	target.verdicts[0] = target.verdicts[1] = PENDING_LONG;
	elapse(w, 8 * DAY_MS);
	AWAIT(n_in(w, STATE_NEEDS_DATA) == 2 && is_quiet(w));
	set_state(w, CONNECTION_PAUSED, "operator");
	target.verdicts[0] = target.verdicts[1] = DELIVERED;
	assert_int_equal(notify(w, 0), INTAKE_ASKED);
	AWAIT(transfer_of(w, 0).state == STATE_DONE);
	const struct transfer_order order = {
		.id = transfer_of(w, 1).id, .action = TRANSFER_RETRY, .rev = -1, .who = "test"
	};
	assert_true(store_transfer_order(w->store, &order, &rev, &err));
	AWAIT(transfer_of(w, 1).state == STATE_DONE);
	assert_int_equal(target.sent, 2);
}

/* A flow that would send again what the target does not know cannot, while it is paused. */
static void test_SV_07_a_judging_run_sends_nothing_while_paused(void **state)
{
	struct world *w = *state;
	send_all(w, 1);
	set_state(w, CONNECTION_PAUSED, "operator");
	target.forgets = true;
	target.verdicts[0] = DELIVERED;
	elapse(w, DAY_MS);
	AWAIT(target.tried == 2);
	target.forgets = false;
	AWAIT(n_in(w, STATE_DONE) == 1);
	assert_int_equal(target.sent, 1);
}

static void test_MV_14_refused_credentials_stop_the_rounds(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	send_all(w, 1);
	target.refuses = true;
	target.verdicts[0] = DELIVERED;
	elapse(w, DAY_MS);
	AWAIT(target.calls == 1);
	struct connection *got = NULL;
	for (bool paused = false; !paused; connection_unref(got)) {
		assert_true(store_connection_get(w->store, "c", &got, &err));
		paused = got->state == CONNECTION_PAUSED;
		if (paused)
			assert_string_equal(got->pause_reason, PAUSED_CREDENTIALS);
	}
	elapse(w, DAY_MS);
	/* As any relay would: it finds nothing that it may do. */
	struct queue_tick tick;
	struct queue_job job;
	size_t n = 1;
	assert_true(queue_tick(w->queue, &tick, &err));
	assert_true(queue_claim(w->queue, w->arena, 1, &job, &n, &err));
	assert_int_equal(n, 0);
	assert_int_equal(target.calls, 1);
	target.refuses = false;
	set_state(w, CONNECTION_ACTIVE, "");
	AWAIT(n_in(w, STATE_DONE) == 1);
}

/* The relay dies in the middle of a call: another goes on where it was. */
static void test_MV_14_a_relay_that_dies_in_a_round_loses_nothing(void **state)
{
	struct world *w = *state;
	send_all(w, 3);
	target.verdicts[1] = DELIVERED;
	elapse(w, DAY_MS);
	target.hangs = true;
	AWAIT(target.calls == 1);
	redis_fixture_kill(&w->fx); /* nothing that it says from now on is heard */
	target.hangs = false;
	pool_stop(w->pool, 100);
	pool_free(w->pool);
	assert_true(redis_fixture_restart(&w->fx));
	start_pool(w);
	AWAIT(n_in(w, STATE_DONE) == 1);
	assert_int_equal(target.calls, 2);
	assert_int_equal(n_in(w, STATE_FOLLOWING), 2);
	assert_int_equal(target.sent, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

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
	return cmocka_run_group_tests(tests, NULL, NULL);
}
