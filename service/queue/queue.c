/*
 * queue.c: the queue object, and the small operations: values, record leases, limits, depth.
 *
 * Guarantees that the scripts get the state table of model/state.c and no other. Keeps nothing of
 * the queue in the process: all of it is in Redis.
 */
#include "base/base.h"
#include "queue_internal.h"

#include "base/alloc.h"

#define SMALL_ARENA (64 * 1024)

int64_t queue_int(const struct redis_value *v)
{
	if (v->type == REDIS_INT)
		return v->i;
	return v->type == REDIS_STRING ? strtoll(v->s.p, NULL, 10) : 0;
}

const char *queue_text(const struct redis_value *v, size_t i)
{
	if (v->type != REDIS_ARRAY || i >= v->n || v->items[i].type != REDIS_STRING)
		return "";
	return v->items[i].s.p;
}

bool queue_call(struct queue *q, struct arena *arena, const char *script, const struct span *args,
		size_t n, const struct redis_value **ret, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	return redis_script(r, arena, script, args, n, ret, err);
}

bool queue_new(const struct queue_options *opt, struct queue **ret, struct err *err)
{
	struct queue *q = mem_alloc(sizeof(*q));
	if (!q)
		return err_set(err, ERR_MEMORY, "out of memory");
	q->pool = opt->pool;
	q->store = opt->store;
	q->key = *opt->key;
	q->lease_ms = opt->lease_ms ? opt->lease_ms : 10000;
	q->quiet_ms = opt->quiet_ms ? opt->quiet_ms : 130000;
	q->retention_ms = opt->retention_ms ? opt->retention_ms : 90LL * 86400000;
	q->record_ms = opt->record_ms ? opt->record_ms : 3650LL * 86400000;
	q->poll_interval_ms = opt->poll_interval_ms ? opt->poll_interval_ms : 300000;
	pthread_mutex_init(&q->lock, NULL);
	if (!state_write_moves(q->moves, sizeof(q->moves))) {
		queue_free(q);
		return err_set(err, ERR_LIMIT, "the state table outgrew its buffer");
	}
	*ret = q;
	return true;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->lock);
	mem_free_wiped(q, sizeof(*q));
}

void queue_reserve(struct queue *q)
{
	redis_reserve(q->pool);
}

void queue_unreserve(struct queue *q)
{
	redis_unreserve(q->pool);
}

/* --- values and record leases --- */

bool queue_kv_get(struct queue *q, struct arena *arena, const char *scope, const char *key,
		  const char **ret, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "GET %skv:%s:%s", redis_prefix(q->pool), scope, key))
		return false;
	*ret = v->type == REDIS_STRING ? v->s.p : "";
	return true;
}

bool queue_kv_set(struct queue *q, const char *scope, const char *key, const char *value,
		  int64_t ttl_ms, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA + 4 * strlen(value));
	struct redis *got = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	const char *prefix = redis_prefix(q->pool);
	if (ttl_ms > 0)
		return redis_commandf(r, arena, &v, err, "SET %skv:%s:%s %s PX %lld", prefix, scope,
				      key, value, (long long)ttl_ms);
	return redis_commandf(r, arena, &v, err, "SET %skv:%s:%s %s", prefix, scope, key, value);
}

static bool record(struct queue *q, const char *name, const char *holder, int64_t ttl_ms,
		   int64_t *ret_wait, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	struct num ttl;
	struct span args[] = { span_of(name), span_of(holder), num_span(&ttl, ttl_ms) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "record_lease", args, ARRAY_SIZE(args), &v, err))
		return false;
	*ret_wait = queue_int(v);
	return true;
}

bool queue_record_lease(struct queue *q, const char *name, const char *holder, int64_t ttl_ms,
			struct err *err)
{
	int64_t wait = 0;
	if (!record(q, name, holder, ttl_ms > 0 ? ttl_ms : q->quiet_ms, &wait, err))
		return false;
	if (wait == 0)
		return true;
	err_set(err, ERR_BUSY, "another job works on the record %s", name);
	if (err)
		err->retry_after_ms = wait;
	return false;
}

bool queue_record_release(struct queue *q, const char *name, const char *holder, struct err *err)
{
	int64_t wait = 0;
	return record(q, name, holder, 0, &wait, err);
}

/* --- limits --- */

/* Below zero: booked. */
static bool rate(struct queue *q, const char *key, int rate_per_s, int burst, int64_t max_wait_ms,
		 int64_t *ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	struct num per_s, room, patience;
	struct span args[] = { span_of(key), num_span(&per_s, rate_per_s > 0 ? rate_per_s : 1),
			       num_span(&room, burst > 0 ? burst : 1),
			       num_span(&patience, max_wait_ms) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "rate", args, ARRAY_SIZE(args), &v, err))
		return false;
	*ret = queue_int(v);
	return true;
}

bool queue_rate_take(struct queue *q, const char *key, int rate_per_s, int burst,
		     int64_t *ret_wait_ms, struct err *err)
{
	return rate(q, key, rate_per_s, burst, 0, ret_wait_ms, err);
}

bool queue_rate_book(struct queue *q, const struct limit_key *limit, int64_t max_wait_ms,
		     int64_t *ret_wait_ms, bool *ret_booked, struct err *err)
{
	int64_t wait = 0;
	if (!rate(q, limit->key, limit->rate_per_s, limit->burst, max_wait_ms, &wait, err))
		return false;
	*ret_booked = wait <= 0;
	*ret_wait_ms = wait < 0 ? -wait : wait;
	return true;
}

bool queue_block(struct queue *q, const char *key, int64_t for_ms, struct err *err)
{
	if (for_ms <= 0)
		return true;
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	struct num ms;
	struct span args[] = { span_of(key),
			       num_span(&ms, for_ms < QUEUE_BLOCK_MAX_MS ? for_ms
									 : QUEUE_BLOCK_MAX_MS) };
	const struct redis_value *v = NULL;
	return queue_call(q, arena, "block", args, ARRAY_SIZE(args), &v, err);
}

bool queue_unblock(struct queue *q, const struct limit_key *keys, size_t n, struct err *err)
{
	if (n == 0)
		return true;
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	struct span *args = arena ? arena_alloc_array(arena, n, sizeof(*args)) : NULL;
	if (!args)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++)
		args[i] = span_of(keys[i].key);
	const struct redis_value *v = NULL;
	return queue_call(q, arena, "unblock", args, n, &v, err);
}

bool queue_blocks(struct queue *q, struct arena *arena, struct queue_blocked **ret, size_t *ret_n,
		  struct err *err)
{
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "blocks", NULL, 0, &v, err))
		return false;
	if (v->type != REDIS_ARRAY)
		return queue_script_broken("blocks", err);
	struct queue_blocked *list = arena_alloc_array(arena, v->n / 2 + 1, sizeof(*list));
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i + 1 < v->n; i += 2)
		list[i / 2] = (struct queue_blocked) { queue_text(v, i),
						       queue_int(&v->items[i + 1]) };
	*ret = list;
	*ret_n = v->n / 2;
	return true;
}

/* --- waiting, depth --- */

bool queue_wake_waiting(struct queue *q, const char *conn, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	struct span args[] = { span_of(conn) };
	const struct redis_value *v = NULL;
	return arena ? queue_call(q, arena, "wake_waiting", args, ARRAY_SIZE(args), &v, err)
		     : err_set(err, ERR_MEMORY, "out of memory");
}

bool queue_wait(struct queue *q, int64_t timeout_ms, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	struct redis *got = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	redis_set_timeout(r, timeout_ms + 2000);
	char seconds[32];
	snprintf(seconds, sizeof(seconds), "%" PRId64 ".%03" PRId64, timeout_ms / 1000,
		 timeout_ms > 0 ? timeout_ms % 1000 : 1);
	const struct redis_value *v = NULL;
	return redis_commandf(r, arena, &v, err, "BLPOP %sq:wake %s", redis_prefix(q->pool),
			      seconds);
}

bool queue_depth(struct queue *q, struct queue_depth *ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "depth", NULL, 0, &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != 6)
		return queue_script_broken("depth", err);
	*ret = (struct queue_depth) { .ready_connections = queue_int(&v->items[0]),
				      .delayed = queue_int(&v->items[1]),
				      .running = queue_int(&v->items[2]),
				      .sleeping = queue_int(&v->items[3]),
				      .oldest_lease_ms = queue_int(&v->items[4]),
				      .poll_late_ms = queue_int(&v->items[5]) };
	return true;
}
