/*
 * noop.c: jobs that do nothing, through the real queue and the real worker pool: `noop REDIS-URL
 * JOBS [WORKERS]`. Queues all jobs first, then starts the clock and the pool; prints one JSON line.
 */
#include "base/base.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"
#include "net/redis.h"
#include "queue/queue.h"
#include "store/store.h"
#include "worker/pool.h"

static _Atomic long ran;

static bool noop_run(struct attempt *at, struct err *err)
{
	(void)at; /* that is the point */
	(void)err;
	atomic_fetch_add(&ran, 1);
	return true;
}

static bool noop_settle(struct arena *arena, const struct system_values *systems,
			const struct json *settings, const struct json *credentials,
			struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
			struct err *err)
{
	(void)arena, (void)systems, (void)settings, (void)credentials, (void)ret_limits,
		(void)err; /* no limits */
	*ret_n = 0;
	return true;
}

static const struct flow noop = {
	.name = "noop",
	.title = "nothing",
	.settle = noop_settle,
	.poll = noop_run,
	.run = noop_run,
	.check = noop_run,
};
static const struct flow *const noop_flows[] = { &noop, NULL };

static int die(const struct err *err)
{
	fprintf(stderr, "noop: %s\n", err->message);
	return 1;
}

static bool fill(struct queue *q, long jobs, struct err *err)
{
	static struct queue_item items[QUEUE_BATCH_MAX];
	static struct queue_receipt got[QUEUE_BATCH_MAX];
	static char ids[QUEUE_BATCH_MAX][24];
	for (long made = 0; made < jobs;) {
		size_t n = 0;
		for (; n < QUEUE_BATCH_MAX && made < jobs; n++, made++) {
			snprintf(ids[n], sizeof(ids[n]), "%ld", made);
			items[n] = (struct queue_item) { .conn = made % 2 ? "one" : "two",
							 .kind = "invoice",
							 .source_id = ids[n],
							 .origin = "bench" };
		}
		if (!queue_intake(q, items, n, got, err))
			return false;
	}
	return true;
}

static bool connect_two(struct store *s, struct err *err)
{
	if (!store_sync(s, err))
		return false;
	static const char *const names[] = { "one", "two" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct connection_draft d = { .id = names[i],
					      .flow = "noop",
					      .name = names[i],
					      .settings = "{}",
					      .schedule = "{\"interval_s\":86400}",
					      .pause_reason = "",
					      .state = CONNECTION_ACTIVE,
					      .created_ms = clock_wall_ms(),
					      .activated_ms = clock_wall_ms(),
					      .credentials = SPAN_LIT("{}") };
		if (!store_connection_put(s, &d, NULL, err))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	if (argc < 3)
		return 2;
	long jobs = strtol(argv[2], NULL, 10);
	int workers = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 8;
	struct seal_key key;
	struct redis_pool *redis;
	struct queue *q;
	struct store *s;
	struct pool *pool;
	alloc_init();
	log_init(STDERR_FILENO, LOG_WARN);
	seal_key_random(&key);
	const struct redis_options ro = { .url = argv[1],
					  .prefix = "b",
					  .pool_size = (unsigned)workers + 8 };
	if (!http_global_init(&err) || !redis_pool_new(&ro, &redis, &err))
		return die(&err);
	const struct store_options so = { .pool = redis, .key = &key };
	if (!store_new(&so, &s, &err))
		return die(&err);
	const struct queue_options qo = { .pool = redis, .store = s, .key = &key };
	if (!queue_new(&qo, &q, &err) || !connect_two(s, &err) || !fill(q, jobs, &err))
		return die(&err);
	static const struct system_values values;
	static const struct http_guard guard;
	const struct pool_options po = { .queue = q,
					 .store = s,
					 .flows = noop_flows,
					 .systems = &values,
					 .guard = &guard,
					 .workers = workers,
					 .lease_ms = 10000,
					 .beat_ms = 2500,
					 .quiet_ms = 130000,
					 .retry_first_ms = 2000,
					 .retry_cap_ms = 900000,
					 .retry_max_age_ms = 259200000,
					 .retest_ms = 300000 };
	int64_t began_us = clock_mono_us();
	if (!pool_start(&po, &pool, &err))
		return die(&err);
	struct pool_counts counts;
	do {
		clock_sleep_ms(1);
		pool_count(pool, &counts);
	} while ((long)counts.done < jobs && clock_mono_us() - began_us < 120000000);
	int64_t took_us = clock_mono_us() - began_us;
	pool_stop(pool, 1000);
	pool_free(pool);
	store_free(s);
	queue_free(q);
	redis_pool_free(redis);
	http_global_release();
	printf("{\"jobs\":%ld,\"stored\":%ld,\"ms\":%ld,\"jobs_per_s\":%ld,\"workers\":%d}\n",
	       atomic_load(&ran), (long)counts.done, (long)(took_us / 1000),
	       (long)(jobs * 1000000 / took_us), workers);
	return (long)counts.done < jobs;
}
