/* pool_fixture.c: see pool_fixture.h. */
#include "base/base.h"
#include "pool_fixture.h"

#include "base/log.h"
#include "net/http.h"

struct pool *pool;

static const char *const hosts[] = { NULL };
static const struct http_guard guard = { .allow_hosts = hosts,
					 .connect_timeout_ms = 1000,
					 .request_timeout_ms = 1000 };
static const struct system_values values;
static const struct flow *flows[2];
static int64_t retest;

void pool_begin_workers(void)
{
	const struct pool_options po = { .queue = fx.queue,
					 .store = fx.store,
					 .flows = flows,
					 .systems = &values,
					 .guard = &guard,
					 .workers = WORKERS,
					 .lease_ms = POOL_LEASE_MS,
					 .beat_ms = 500,
					 .quiet_ms = 60000,
					 .retry_first_ms = 100,
					 .retry_cap_ms = 1000,
					 .retry_max_age_ms = 60000,
					 .retest_ms = retest };
	OK(pool_start(&po, &pool, &err));
}

void pool_end_workers(int64_t ms)
{
	pool_stop(pool, ms);
	pool_free(pool);
	pool = NULL;
}

static void open_relay(const struct flow *flow, int64_t retest_ms)
{
	flows[0] = flow;
	retest = retest_ms;
	fx = (struct relay_fixture) { .lease_ms = POOL_LEASE_MS, .quiet_ms = 60000 };
	fx.arena = arena_new((size_t)64 << 20);
	assert_int_equal(relay_start(NULL), 0);
	log_init(STDERR_FILENO, LOG_OFF);
	OK(http_global_init(&err));
	OK(store_sync(fx.store, &err));
}

void workers_begin(const struct flow *flow, int64_t retest_ms)
{
	open_relay(flow, retest_ms);
	pool_begin_workers();
}

void pool_begin(const struct flow *flow, int64_t retest_ms)
{
	open_relay(flow, retest_ms);
	put_idle_connection("c", flow->name);
	pool_begin_workers();
}

int pool_end(void **state)
{
	pool_end_workers(2000);
	int status = relay_stop(state);
	arena_free(fx.arena);
	http_global_release();
	return status;
}

bool settle_nothing(struct arena *arena, const struct system_values *systems,
		    const struct json *settings, const struct json *credentials,
		    struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
		    struct err *err)
{
	(void)arena, (void)systems, (void)settings, (void)credentials, (void)ret_limits, (void)err;
	*ret_n = 0;
	return true;
}

struct transfer transfer_now(const char *id)
{
	struct transfer t = { 0 };
	OK(store_transfer_get(fx.store, fx.arena, id, &t, &err));
	return t;
}

struct transfer await(const char *id, enum transfer_state want)
{
	struct transfer t = { 0 };
	struct err err = ERR_INIT;
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		if (store_transfer_get(fx.store, fx.arena, id, &t, &err) && t.state == want &&
		    !t.rechecking)
			return t;
	}
	fail_msg("%s is %s, wanted %s", id, state_name(t.state), state_name(want));
	return t;
}

struct queue_task await_task(const char *type, const char *conn, const char *args)
{
	char id[QUEUE_JOB_ID_MAX];
	struct queue_task task = { 0 };
	OK(queue_task_new(fx.queue, type, conn, args, id, &err));
	for (int64_t until = clock_mono_ms() + WAIT_MS; clock_mono_ms() < until;
	     clock_sleep_ms(5)) {
		OK(queue_task_get(fx.queue, fx.arena, id, &task, &err));
		if (task.state == TASK_DONE || task.state == TASK_FAILED)
			return task;
	}
	fail_msg("the task %s does not end", id);
	return task;
}
