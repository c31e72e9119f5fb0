/*
 * registers.c: a first register run, through the real queue, store, worker pool and HTTP client:
 * `registers REDIS-URL VENDOR-URL RECORDS RATE [WORKERS]`. Two registers of so many records each,
 * one POST to the vendor per record, RATE calls a second allowed. Prints one JSON line when the run
 * is over: how long it took, and the resident size of the process at its largest.
 */
#include "base/base.h"

#include <stdatomic.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"
#include "net/redis.h"
#include "queue/queue.h"
#include "queue/runs.h"
#include "store/store.h"
#include "worker/pool.h"

#define PAGE 200
#define LIMIT "vendor:bench"

static struct {
	const char *url;
	long records;
	int rate;
	_Atomic long created;
} bench;

/* --- a source that makes up its records --- */

static bool list(struct attempt *at, const struct register_cursor *from, struct register_page *ret,
		 struct err *err)
{
	long first = from->page ? strtol(from->page, NULL, 10) : 0;
	long n = bench.records - first < PAGE ? bench.records - first : PAGE;
	ret->records = arena_alloc_array(at->arena, (size_t)n + 1, sizeof(*ret->records));
	if (!ret->records)
		return err_set(err, ERR_LIMIT, "arena full");
	for (long i = 0; i < n; i++) {
		ret->records[i] = (struct register_record) {
			.id = arena_printf(at->arena, "%ld", first + i),
			.version = "1",
			.label = arena_printf(at->arena, "record %ld", first + i),
		};
		if (!ret->records[i].id || !ret->records[i].label)
			return err_set(err, ERR_LIMIT, "arena full");
	}
	ret->n = (size_t)n;
	ret->next = first + n < bench.records ? arena_printf(at->arena, "%ld", first + n) : NULL;
	return true;
}

static bool read_ids(struct attempt *at, const char *const *ids, size_t n,
		     struct register_page *ret, struct err *err)
{
	(void)at, (void)ids, (void)n, (void)err;
	ret->n = 0;
	return true;
}

static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	static const char *const names[] = {
		"name",	   "business_id", "street", "zip",	"city",
		"country", "email",	  "phone",  "language", "term"
	};
	r->keys[0] = arena_printf(at->arena, "code:%s", r->id);
	r->n_keys = 1;
	r->lease = arena_printf(at->arena, "bench:%s:%s", at->kind, r->id);
	r->values = arena_alloc_array(at->arena, ARRAY_SIZE(names), sizeof(*r->values));
	if (!r->keys[0] || !r->lease || !r->values)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		r->values[i] = (struct register_value) { .name = names[i],
							 .value = "a value of usual length" };
	r->n_values = ARRAY_SIZE(names);
	return true;
}

/* --- a target that keeps nothing --- */

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	(void)at, (void)from, (void)err;
	ret->n = 0;
	return true;
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	(void)at, (void)records, (void)n, (void)err;
	return true;
}

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	static const char body[] = "{\"name\":\"a record of the bench\",\"type\":\"CUSTOMER\"}";
	const struct call call = { .what = "create",
				   .limit_key = LIMIT,
				   .rq = { .method = "POST",
					   .url = bench.url,
					   .body = SPAN_LIT(body),
					   .is_write = true } };
	struct http_reply reply;
	if (!at->ops->exchange(at, &call, &reply, err))
		return false;
	if (reply.status >= 300)
		return err_set(err, ERR_SYSTEM, "the vendor answered %d", reply.status);
	atomic_fetch_add(&bench.created, 1);
	*ret = (struct register_done) { .id = arena_printf(at->arena, "t%s", r->id),
					.version = "1" };
	return ret->id || err_set(err, ERR_LIMIT, "arena full");
}

static bool scope(struct attempt *at, const char **ret, struct err *err)
{
	(void)at, (void)err;
	*ret = "bench";
	return true;
}

#define CALLS                                                                                    \
	.create_only = true, .schedule = "{\"interval_s\":86400}", .scope = scope, .list = list, \
	.read = read_ids, .map = map, .list_target = list_target, .find = find, .create = create

static const struct register_sync products = {
	.name = "products", .title = "Products", .kind = "product", CALLS
};
static const struct register_sync customers = {
	.name = "customers", .title = "Customers", .kind = "customer", .after = "products", CALLS
};
static const struct register_sync *const registers[] = { &products, &customers };

static bool settle(struct arena *arena, const struct system_values *systems,
		   const struct json *settings, const struct json *credentials,
		   struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
		   struct err *err)
{
	(void)arena, (void)systems, (void)settings, (void)credentials, (void)ret_limits, (void)err;
	*ret_n = 0;
	return true;
}

static bool nothing(struct attempt *at, struct err *err)
{
	(void)at;
	(void)err;
	return true;
}

static const struct flow flow = { .name = "bench",
				  .title = "bench",
				  .settle = settle,
				  .poll = nothing,
				  .run = nothing,
				  .check = nothing,
				  .registers = registers,
				  .n_registers = ARRAY_SIZE(registers) };
static const struct flow *const flows[] = { &flow, NULL };

/* --- the run --- */

static int die(const struct err *err)
{
	fprintf(stderr, "registers: %s\n", err->message);
	return 1;
}

static bool connect_one(struct store *s, struct err *err)
{
	struct connection_draft d = { .id = "bench",
				      .flow = "bench",
				      .name = "bench",
				      .settings = "{}",
				      .schedule = "{\"interval_s\":86400}",
				      .pause_reason = "",
				      .state = CONNECTION_ACTIVE,
				      .created_ms = clock_wall_ms(),
				      .activated_ms = clock_wall_ms(),
				      .credentials = SPAN_LIT("{}"),
				      .n_limits = 1 };
	snprintf(d.limits[0].key, sizeof(d.limits[0].key), LIMIT);
	d.limits[0].rate_per_s = bench.rate;
	d.limits[0].burst = bench.rate / 20 + 1;
	return store_sync(s, err) && store_connection_put(s, &d, NULL, err);
}

/* Until the run that comes by itself is over. *ret_ms: from its first slice to its end. */
static bool await_run(struct queue *q, int64_t *ret_ms, struct err *err)
{
	for (int64_t until = clock_mono_ms() + 600000; clock_mono_ms() < until;
	     clock_sleep_ms(20)) {
		CLEANUP(arena_free) struct arena *arena = arena_new((size_t)1 << 20);
		struct register_run *runs;
		size_t n = 0;
		if (!arena)
			return err_set(err, ERR_MEMORY, "out of memory");
		if (!queue_run_list(q, arena, "bench", 0, 1, &runs, &n, err))
			return false;
		if (n == 1 && runs[0].ended_ms) {
			*ret_ms = runs[0].ended_ms - runs[0].started_ms;
			return runs[0].state == RUN_DONE ||
			       err_set(err, ERR_SYSTEM, "the run is %s: %s",
				       run_state_name(runs[0].state), runs[0].error_code);
		}
	}
	return err_set(err, ERR_SYSTEM, "the run does not end");
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	if (argc < 5)
		return 2;
	bench.url = argv[2];
	bench.records = strtol(argv[3], NULL, 10);
	bench.rate = (int)strtol(argv[4], NULL, 10);
	int workers = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 16;
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
	if (!queue_new(&qo, &q, &err) || !connect_one(s, &err))
		return die(&err);
	static const struct system_values values;
	static const struct http_guard guard = { .allow_private = true, .allow_http = true };
	const struct pool_options po = { .queue = q,
					 .store = s,
					 .flows = flows,
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
	int64_t ms = 0;
	if (!pool_start(&po, &pool, &err))
		return die(&err);
	bool over = await_run(q, &ms, &err);
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	pool_stop(pool, 1000);
	pool_free(pool);
	store_free(s);
	queue_free(q);
	redis_pool_free(redis);
	http_global_release();
	if (!over)
		return die(&err);
	long created = atomic_load(&bench.created);
	printf("{\"created\":%ld,\"ms\":%" PRId64 ",\"per_s\":%ld,\"rate_limit\":%d,"
	       "\"rss_mb\":%ld,\"workers\":%d}\n",
	       created, ms, (long)(created * 1000 / (ms ? ms : 1)), bench.rate,
	       used.ru_maxrss / 1024, workers);
	return created != 2 * bench.records;
}
