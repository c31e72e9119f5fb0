/*
 * test_pool.c: the worker side as a whole, with a flow that does what a document's id asks for, on
 * a real Redis: what an outcome becomes, that a retest which finds the same leaves no trace, and
 * that refused credentials pause the connection.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"
#include "queue/queue.h"
#include "redis_fixture.h"
#include "store/store.h"
#include "worker/pool.h"

#define WAIT_MS 10000

static const char *const hosts[] = { NULL };
static const struct http_guard guard = { .allow_hosts = hosts,
					 .connect_timeout_ms = 1000,
					 .request_timeout_ms = 1000 };
static const struct system_values values;

/* The source and the target of documents whose id begins with "status": where it stands, and what
 * came to the target. The failed status is set by on_failed. */
static struct {
	_Atomic bool in_failed;
	_Atomic int deliveries, told;
} ends;

/* A document whose run lasts until it is told to end. */
static struct {
	_Atomic bool runs, go_on;
} slow;

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

/* "quick-..." takes no time, "slow-..." until `release`. */
static struct {
	_Atomic bool release;
	_Atomic int quick, slow;
} crowd;

static bool crowd_run(struct attempt *at)
{
	if (at->source_id[0] == 'q') {
		crowd.quick++;
		return true;
	}
	while (!crowd.release)
		clock_sleep_ms(5);
	crowd.slow++;
	return true;
}

/* "twin" runs until `release`. */
static struct {
	_Atomic bool release;
	_Atomic int runs, now, most;
} twin;

static bool twin_run(void)
{
	int now = ++twin.now;
	if (now > twin.most)
		twin.most = now;
	twin.runs++;
	for (int64_t until = clock_mono_ms() + WAIT_MS; !twin.release && clock_mono_ms() < until;)
		clock_sleep_ms(5);
	twin.now--;
	return true;
}

static bool fake_run(struct attempt *at, struct err *err)
{
	struct step step;
	if (strcmp(at->source_id, "wordy") == 0) {
		for (int i = 0; i < 100; i++)
			at->ops->note(at, "step", arena_printf(at->arena, "step %d.", i));
		return true;
	}
	if (strcmp(at->source_id, "twin") == 0)
		return twin_run();
	if (strncmp(at->source_id, "quick-", 6) == 0 || strncmp(at->source_id, "slow-", 5) == 0)
		return crowd_run(at);
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
	if (strcmp(at->source_id, "slow") == 0) {
		slow.runs = true;
		while (!slow.go_on)
			clock_sleep_ms(5);
		return true;
	}
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

static bool fake_settle(struct arena *arena, const struct system_values *systems,
			const struct json *settings, const struct json *credentials,
			struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
			struct err *err)
{
	(void)arena, (void)systems, (void)settings, (void)credentials, (void)ret_limits,
		(void)err; /* no limits */
	*ret_n = 0;
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
				  .settle = fake_settle,
				  .poll = fake_poll,
				  .run = fake_run,
				  .on_failed = fake_failed,
				  .check = fake_check };
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

#define WORKERS 4

static void start_pool(struct world *w)
{
	struct err err = ERR_INIT;
	const struct pool_options po = { .queue = w->queue,
					 .store = w->store,
					 .flows = fakes,
					 .systems = &values,
					 .guard = &guard,
					 .workers = WORKERS,
					 .lease_ms = 2000,
					 .beat_ms = 500,
					 .quiet_ms = 60000,
					 .retry_first_ms = 100,
					 .retry_cap_ms = 1000,
					 .retry_max_age_ms = 60000,
					 .retest_ms = 50 };
	assert_true(pool_start(&po, &w->pool, &err));
}

static int set_up(void **state)
{
	static struct world w;
	struct err err = ERR_INIT;
	w = (struct world) { .arena = arena_new((size_t)8 << 20) };
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
	if (!store_connection_put(w.store, &d, NULL, &err))
		fail_msg("%s", err.message);
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

static void hint(struct world *w, const char *source_id, char ret_id[TRANSFER_ID_MAX])
{
	struct err err = ERR_INIT;
	const struct queue_item item = {
		.conn = "c", .kind = "invoice", .source_id = source_id, .origin = "test"
	};
	struct queue_receipt got;
	assert_true(queue_intake(w->queue, &item, 1, &got, &err));
	snprintf(ret_id, TRANSFER_ID_MAX, "%s", got.id);
}

static struct transfer await(struct world *w, const char *id, enum transfer_state want)
{
	struct transfer t = { 0 };
	struct err err = ERR_INIT;
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		if (store_transfer_get(w->store, w->arena, id, &t, &err) && t.state == want &&
		    !t.rechecking)
			return t;
	}
	fail_msg("%s is %s, wanted %s", id, state_name(t.state), state_name(want));
	return t;
}

static void test_outcomes(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	hint(w, "good", id);
	struct transfer t = await(w, id, STATE_DONE);
	assert_true(t.delivered);
	assert_string_equal(t.content_hash, "hash");
	hint(w, "gone", id);
	t = await(w, id, STATE_CANCELLED);
	assert_false(t.delivered);
	hint(w, "doubt", id);
	t = await(w, id, STATE_IN_DOUBT);
	assert_true(t.due_ms > clock_wall_ms() + 30000);
	assert_false(t.delivered);
}

static void test_retest_that_finds_the_same_leaves_no_trace(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	struct err err = ERR_INIT;
	const char **entries;
	size_t before, after;
	hint(w, "bad", id);
	struct transfer t = await(w, id, STATE_NEEDS_DATA);
	assert_string_equal(t.error_code, "customer_number_missing");
	int64_t tries = t.try_no;
	assert_true(store_timeline(w->store, w->arena, id, &entries, &before, &err));
	for (int64_t until = clock_mono_ms() + WAIT_MS;
	     t.try_no < tries + 2 && clock_mono_ms() < until; clock_sleep_ms(20))
		t = await(w, id, STATE_NEEDS_DATA);
	assert_true(t.try_no >= tries + 2);
	assert_true(store_timeline(w->store, w->arena, id, &entries, &after, &err));
	assert_int_equal(before, after);
}

static bool has_entry(struct world *w, const char *id, const char *code)
{
	struct err err = ERR_INIT;
	const char **entries;
	size_t n;
	char mark[64];
	snprintf(mark, sizeof(mark), "\"code\":\"%s\"", code);
	assert_true(store_timeline(w->store, w->arena, id, &entries, &n, &err));
	for (size_t i = 0; i < n; i++)
		if (strstr(entries[i], mark))
			return true;
	return false;
}

/* Until the transfer was run again. */
static struct transfer await_try(struct world *w, const char *id, int64_t more_than)
{
	struct transfer t = { 0 };
	struct err err = ERR_INIT;
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until; clock_sleep_ms(5))
		if (store_transfer_get(w->store, w->arena, id, &t, &err) && t.try_no > more_than &&
		    !t.rechecking && t.state != STATE_RUNNING)
			return t;
	fail_msg("%s was not run again", id);
	return t;
}

/* DESIGN §4.8: what was delivered and then refused goes once more, by itself, when a person moves
 * it back; what is done and moved back goes never again. */
static void test_SV_03_back_from_failed_is_delivered_once_more(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	hint(w, "status-refused", id);
	struct transfer t = await(w, id, STATE_NEEDS_DATA);
	assert_true(t.delivered);
	assert_int_equal(ends.deliveries, 1);
	assert_true(ends.in_failed);
	t = await_try(w, id, t.try_no); /* retested where it is: nothing new */
	assert_string_equal(t.error_code, "refused_by_target");
	assert_int_equal(ends.deliveries, 1);
	ends.in_failed = false;
	hint(w, "status-refused", id);
	t = await(w, id, STATE_DONE);
	assert_int_equal(t.generation, 2);
	assert_true(t.delivered);
	assert_int_equal(ends.deliveries, 2);
	assert_true(has_entry(w, id, "next_generation"));
	hint(w, "status-refused", id); /* done, and moved back: looked at, not sent */
	t = await_try(w, id, t.try_no);
	assert_int_equal(t.state, STATE_DONE);
	assert_int_equal(t.generation, 2);
	assert_int_equal(ends.deliveries, 2);
}

static void test_SV_03_back_from_failed_without_a_delivery_goes_on(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	int before = ends.deliveries;
	hint(w, "status-bad", id);
	(void)await(w, id, STATE_NEEDS_DATA);
	assert_true(ends.in_failed);
	ends.in_failed = false;
	hint(w, "status-bad", id);
	struct transfer t = await(w, id, STATE_DONE);
	assert_int_equal(t.generation, 1);
	assert_int_equal(ends.deliveries, before + 1);
	assert_true(has_entry(w, id, "came_back"));
}

static void test_SV_03_the_source_is_not_told_while_it_is_unsettled(void **state)
{
	struct world *w = *state;
	char id[TRANSFER_ID_MAX];
	int before = ends.told;
	hint(w, "outage", id);
	(void)await(w, id, STATE_RETRYING);
	hint(w, "doubt-data", id); /* needs a person, but its delivery is in doubt */
	(void)await(w, id, STATE_NEEDS_DATA);
	hint(w, "doubt", id);
	(void)await(w, id, STATE_IN_DOUBT);
	assert_int_equal(ends.told, before);
}

static void test_poll_finds_and_reports(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	char task[QUEUE_JOB_ID_MAX], id[TRANSFER_ID_MAX];
	const char *report;
	assert_true(queue_task_new(w->queue, "poll", "c", NULL, task, &err));
	transfer_id("c", "invoice", "polled", id);
	struct transfer t = await(w, id, STATE_DONE);
	assert_string_equal(t.number, "1001");
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		assert_true(store_report_get(w->store, w->arena, "c", &report, &err));
		if (*report)
			break;
	}
	assert_string_equal(report, "{\"at_source\":1}");
}

static void test_check_answers(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	char id[QUEUE_JOB_ID_MAX];
	struct queue_task task = { 0 };
	assert_true(queue_task_new(w->queue, "check", "c", NULL, id, &err));
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		assert_true(queue_task_get(w->queue, w->arena, id, &task, &err));
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

/* Another process changed it a moment ago, so the local copy is behind. */
static void test_a_check_sees_the_revision_it_is_about(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	const struct store_options so = { .pool = w->redis, .key = &w->key };
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
		assert_true(queue_task_new(w->queue, "check", "c", args, id, &err));
		for (int64_t until = clock_mono_ms() + WAIT_MS;
		     task.state != TASK_DONE && clock_mono_ms() < until; clock_sleep_ms(5))
			assert_true(queue_task_get(w->queue, w->arena, id, &task, &err));
		assert_string_equal(task.result, want);
	}
	store_free(other);
}

/* The straggler's login was refused after the new credentials were stored: they are not blamed. */
static void test_old_credentials_do_not_pause_new_ones(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	char id[TRANSFER_ID_MAX];
	hint(w, "late-credentials", id);
	for (int64_t until = clock_mono_ms() + WAIT_MS; !logins.waits; clock_sleep_ms(5))
		assert_true(clock_mono_ms() < until);
	change_connection(w->store);
	logins.go_on = true;
	(void)await(w, id, STATE_DONE);
	CLEANUP(connection_unref) struct connection *c = NULL;
	assert_true(store_connection_get(w->store, "c", &c, &err));
	assert_int_equal(c->state, CONNECTION_ACTIVE);
	assert_int_equal(c->rev, 2);
}

/* A dry run answers whoever asked; nothing pauses, and it does not run in circles. */
static void test_dry_run_with_refused_credentials_fails(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	char id[QUEUE_JOB_ID_MAX];
	struct queue_task task = { 0 };
	assert_true(queue_task_new(w->queue, "dry_run", "c", "{\"source_id\":\"credentials\"}", id,
				   &err));
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		assert_true(queue_task_get(w->queue, w->arena, id, &task, &err));
		if (task.state == TASK_FAILED)
			break;
	}
	assert_int_equal(task.state, TASK_FAILED);
	assert_non_null(strstr(task.error_json, "\"credentials\""));
	CLEANUP(connection_unref) struct connection *c = NULL;
	assert_true(store_connection_get(w->store, "c", &c, &err));
	assert_int_equal(c->state, CONNECTION_ACTIVE);
}

/* --- crowds: short jobs are claimed ahead --- */

#define CROWD 2000
#define SLOW 40

static void hint_crowd(struct world *w, const char *what, int n, char (*ids)[TRANSFER_ID_MAX])
{
	struct err err = ERR_INIT;
	for (int i = 0; i < n;) {
		struct queue_item items[QUEUE_BATCH_MAX];
		struct queue_receipt got[QUEUE_BATCH_MAX];
		char sources[QUEUE_BATCH_MAX][16];
		size_t k = 0;
		for (; k < QUEUE_BATCH_MAX && i + (int)k < n; k++) {
			snprintf(sources[k], sizeof(sources[k]), "%s-%d", what, i + (int)k);
			items[k] = (struct queue_item) { .conn = "c",
							 .kind = "invoice",
							 .source_id = sources[k],
							 .origin = "test" };
		}
		assert_true(queue_intake(w->queue, items, k, got, &err));
		for (size_t j = 0; j < k; j++)
			snprintf(ids[i + (int)j], TRANSFER_ID_MAX, "%s", got[j].id);
		i += (int)k;
	}
}

static void await_int(const _Atomic int *value, int want)
{
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(2)) {
		if (*value >= want)
			return;
	}
	fail_msg("%d of %d", *value, want);
}

/* All workers are in slow jobs, and more of those were claimed ahead. */
static void fill_with_slow_jobs(struct world *w, const char *tag, char (*ids)[TRANSFER_ID_MAX])
{
	static char quick[CROWD][TRANSFER_ID_MAX];
	struct pool_counts c = { 0 };
	char name[16];
	snprintf(name, sizeof(name), "quick-%s", tag);
	crowd.quick = 0;
	crowd.slow = 0;
	crowd.release = false;
	hint_crowd(w, name, CROWD, quick);
	await_int(&crowd.quick, CROWD);
	snprintf(name, sizeof(name), "slow-%s", tag);
	hint_crowd(w, name, SLOW, ids);
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(1)) {
		pool_count(w->pool, &c);
		if (c.running == WORKERS && c.waiting > WORKERS)
			return;
	}
	fail_msg("%d run, %d wait", c.running, c.waiting);
}

static void test_what_was_claimed_ahead_and_cannot_run_goes_back(void **state)
{
	struct world *w = *state;
	static char ids[SLOW][TRANSFER_ID_MAX];
	struct pool_counts before, after;
	fill_with_slow_jobs(w, "a", ids);
	assert_int_equal(crowd.quick, CROWD); /* each once */
	pool_count(w->pool, &before);
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		pool_count(w->pool, &after);
		if (after.waiting == 0)
			break;
	}
	assert_int_equal(after.waiting, 0);
	crowd.release = true;
	await_int(&crowd.slow, SLOW);
	for (int i = 0; i < SLOW; i++)
		assert_int_equal(await(w, ids[i], STATE_DONE).try_no, 1);
	pool_count(w->pool, &after);
	assert_true(after.handed_back >= before.handed_back + WORKERS);
}

static void *release_soon(void *arg)
{
	clock_sleep_ms(100);
	crowd.release = true;
	return arg;
}

static void test_stop_hands_back_what_was_claimed_ahead(void **state)
{
	struct world *w = *state;
	static char ids[SLOW][TRANSFER_ID_MAX];
	struct err err = ERR_INIT;
	pthread_t thread;
	fill_with_slow_jobs(w, "b", ids);
	assert_int_equal(pthread_create(&thread, NULL, release_soon, NULL), 0);
	pool_stop(w->pool, 5000);
	pthread_join(thread, NULL);
	pool_free(w->pool);
	int done = 0;
	for (int i = 0; i < SLOW; i++) {
		struct transfer t;
		assert_true(store_transfer_get(w->store, w->arena, ids[i], &t, &err));
		assert_true(t.state == STATE_DONE || t.state == STATE_QUEUED);
		assert_int_equal(t.try_no, t.state == STATE_DONE); /* no try burned */
		done += t.state == STATE_DONE;
	}
	assert_in_range(done, WORKERS, SLOW - 1);
	start_pool(w);
	for (int i = 0; i < SLOW; i++)
		assert_int_equal(await(w, ids[i], STATE_DONE).try_no, 1);
}

static void test_OP_05_a_long_run_tells_its_beginning_and_its_end(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	const char **entries;
	size_t n;
	char id[TRANSFER_ID_MAX];
	hint(w, "wordy", id);
	(void)await(w, id, STATE_DONE);
	assert_true(store_timeline(w->store, w->arena, id, &entries, &n, &err));
	assert_int_equal(n, 65);
	assert_non_null(strstr(entries[0], "step 0."));
	assert_non_null(strstr(entries[39], "step 39."));
	assert_non_null(strstr(entries[40], "37 steps are left out"));
	assert_non_null(strstr(entries[41], "step 77."));
	assert_non_null(strstr(entries[63], "step 99."));
	assert_non_null(strstr(entries[64], "\"code\":\"done\""));
}

/* Redis refuses its timeline each time; the others of its batch, and their clerk, go on. */
static void test_an_outcome_that_cannot_be_stored_holds_up_nobody(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	char bad[TRANSFER_ID_MAX], ids[20][TRANSFER_ID_MAX], source[32];
	transfer_id("c", "invoice", "unstorable", bad);
	assert_true(redis_borrow(w->redis, 1000, &r, &err));
	assert_true(redis_commandf(r, w->arena, &v, &err, "SET %stl:%s x", redis_prefix(w->redis),
				   bad));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		snprintf(source, sizeof(source), "quick-u%zu", i);
		hint(w, i == 10 ? "unstorable" : source, ids[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		(void)await(w, ids[i], STATE_DONE);
	assert_true(
		redis_commandf(r, w->arena, &v, &err, "DEL %stl:%s", redis_prefix(w->redis), bad));
	redis_give_back(r);
}

/* As after a lease that was taken back though its run goes on: the job is free, and claimed. */
static void test_a_job_that_still_runs_here_is_not_begun_again(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	struct pool_counts before, now;
	char id[TRANSFER_ID_MAX];
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	const char *px = redis_prefix(w->redis);
	hint(w, "twin", id);
	await_int(&twin.runs, 1);
	pool_count(w->pool, &before);
	assert_true(redis_borrow(w->redis, 1000, &r, &err));
	assert_true(redis_commandf(r, w->arena, &v, &err, "HDEL %sq:held %s", px, id));
	assert_int_equal(v->i, 1);
	assert_true(redis_commandf(r, w->arena, &v, &err, "ZADD %sq:c:c 5 %s", px, id));
	assert_true(redis_commandf(r, w->arena, &v, &err, "ZADD %sq:ring 1 c", px));
	assert_true(redis_commandf(r, w->arena, &v, &err, "LPUSH %sq:wake 1", px));
	redis_give_back(r);
	int64_t until = clock_mono_ms() + WAIT_MS;
	do {
		clock_sleep_ms(5);
		pool_count(w->pool, &now);
	} while (now.handed_back == before.handed_back && twin.most == 1 &&
		 clock_mono_ms() < until);
	assert_true(now.handed_back > before.handed_back);
	twin.release = true;
	(void)await(w, id, STATE_DONE);
	assert_int_equal(twin.most, 1);
	assert_int_equal(twin.runs, 2);
}

static void test_refused_credentials_pause_the_connection(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	char id[TRANSFER_ID_MAX];
	logins.refused = 0;
	hint(w, "credentials", id);
	for (int64_t until = clock_mono_ms() + WAIT_MS;; clock_sleep_ms(5)) {
		CLEANUP(connection_unref) struct connection *c = NULL;
		assert_true(store_connection_get(w->store, "c", &c, &err));
		if (c->state == CONNECTION_PAUSED) {
			assert_string_equal(c->pause_reason, "credentials");
			break;
		}
		assert_true(clock_mono_ms() < until);
	}
	/* The document is not blamed: it waits in the queue, with no try burned. */
	struct transfer t = await(w, id, STATE_QUEUED);
	assert_int_equal(t.try_no, 0);
	assert_true(has_entry(w, id, "credentials")); /* why it waits */
	/* It went back only once the connection stood still. */
	clock_sleep_ms(200);
	assert_int_equal(logins.refused, 1);
}

/* A crowd of requests holds every connection: the lease of a running job is beaten all the same. */
static void test_a_crowd_of_borrowers_costs_no_lease(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	struct redis *held[32];
	struct pool_counts before, after;
	char id[TRANSFER_ID_MAX];
	size_t n = 0;
	pool_count(w->pool, &before);
	hint(w, "slow", id);
	for (int64_t until = clock_mono_ms() + WAIT_MS; !slow.runs; clock_sleep_ms(5))
		assert_true(clock_mono_ms() < until);
	int64_t end_ms = clock_mono_ms() + 3500; /* the lease is 2 s */
	while (clock_mono_ms() < end_ms) {
		while (n < ARRAY_SIZE(held) && redis_borrow(w->redis, 0, &held[n], &err))
			n++;
		clock_sleep_ms(20);
	}
	assert_in_range(n, 1, ARRAY_SIZE(held) - 1);
	while (n > 0)
		redis_give_back(held[--n]);
	slow.go_on = true;
	assert_int_equal(await(w, id, STATE_DONE).try_no, 1);
	pool_count(w->pool, &after);
	assert_int_equal(after.lost, before.lost);
}

/* With nothing to do each thread is heard of, or rests; one that hangs in a Redis that is alive but
 * silent is named. */
static void test_a_thread_that_hangs_is_named(void **state)
{
	struct world *w = *state;
	struct pool_silence s;
	clock_sleep_ms(1500);
	pool_silence(w->pool, &s);
	assert_in_range(s.ms, 0, 1400);
	redis_fixture_freeze(&w->fx);
	int64_t end_ms = clock_mono_ms() + 10000;
	do {
		clock_sleep_ms(50);
		pool_silence(w->pool, &s);
	} while (s.ms < 2000 && clock_mono_ms() < end_ms);
	redis_fixture_thaw(&w->fx);
	assert_true(s.ms >= 2000);
	assert_true(s.thread[0] != '\0');
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
		cmocka_unit_test(test_a_crowd_of_borrowers_costs_no_lease),
		cmocka_unit_test(test_a_thread_that_hangs_is_named),
		cmocka_unit_test(test_old_credentials_do_not_pause_new_ones),
		cmocka_unit_test(test_a_check_sees_the_revision_it_is_about),
		cmocka_unit_test(test_dry_run_with_refused_credentials_fails),
		cmocka_unit_test(test_what_was_claimed_ahead_and_cannot_run_goes_back),
		cmocka_unit_test(test_stop_hands_back_what_was_claimed_ahead),
		cmocka_unit_test(test_OP_05_a_long_run_tells_its_beginning_and_its_end),
		cmocka_unit_test(test_an_outcome_that_cannot_be_stored_holds_up_nobody),
		cmocka_unit_test(test_a_job_that_still_runs_here_is_not_begun_again),
		cmocka_unit_test(test_refused_credentials_pause_the_connection),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
