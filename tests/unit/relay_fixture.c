/* relay_fixture.c: see relay_fixture.h. */
#include "base/base.h"
#include "relay_fixture.h"

struct relay_fixture fx;

/* ---- life ---------------------------------------------------------------------------------- */

int redis_start(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	seal_key_random(&fx.key);
	if (!redis_fixture_start(&fx.server))
		return -1;
	const struct redis_options ro = { .url = fx.server.url, .prefix = "v:", .pool_size = 12 };
	return redis_pool_new(&ro, &fx.redis, &err) ? 0 : -1;
}

int relay_start(void **state)
{
	struct err err = ERR_INIT;
	struct store *store = NULL;
	if (redis_start(state) != 0)
		return -1;
	const struct store_options so = { .pool = fx.redis, .key = &fx.key };
	if (!store_new(&so, &store, &err))
		return -1;
	fixture_use_store(store);
	return 0;
}

int redis_stop(void **state)
{
	(void)state;
	redis_pool_free(fx.redis);
	redis_fixture_stop(&fx.server);
	return 0;
}

int relay_stop(void **state)
{
	fixture_use_store(NULL);
	return redis_stop(state);
}

int relay_empty(void **state)
{
	(void)state;
	fx.arena = arena_new((size_t)64 << 20);
	return fx.arena && redis_fixture_flush(&fx.server) ? 0 : -1;
}

int relay_tidy(void **state)
{
	(void)state;
	arena_free(fx.arena);
	return 0;
}

static struct queue *queue_with(const struct queue_options *more)
{
	struct queue *made = NULL;
	struct queue_options qo = *more;
	qo.pool = fx.redis;
	qo.store = fx.store;
	qo.key = &fx.key;
	OK(queue_new(&qo, &made, &err));
	return made;
}

void fixture_use_store(struct store *store)
{
	const struct queue_options qo = { .lease_ms = fx.lease_ms ? fx.lease_ms : LEASE_MS,
					  .quiet_ms = fx.quiet_ms ? fx.quiet_ms : QUIET_MS,
					  .poll_interval_ms = 60000 };
	queue_free(fx.queue);
	fx.queue = NULL;
	if (!store)
		store_free(fx.store);
	fx.store = store;
	if (store)
		fx.queue = queue_with(&qo);
}

void put_idle_connection(const char *id, const char *flow)
{
	const struct connection_draft d = { .id = id,
					    .flow = flow,
					    .name = id,
					    .settings = "{}",
					    .schedule = "{\"interval_s\":86400}",
					    .pause_reason = "",
					    .state = CONNECTION_ACTIVE,
					    .created_ms = 1,
					    .activated_ms = 1,
					    .credentials = SPAN_LIT("{}") };
	OK(store_sync(fx.store, &err));
	OK(store_connection_put(fx.store, &d, NULL, &err));
}

/* ---- Redis --------------------------------------------------------------------------------- */

const struct redis_value *redis_do(const char *fmt, const char *a, const char *b)
{
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	OK(redis_borrow(fx.redis, 5000, &r, &err));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	struct err err = ERR_INIT;
	bool ok = redis_commandf(r, fx.arena, &v, &err, fmt, a, b);
#pragma GCC diagnostic pop
	redis_give_back(r);
	if (!ok)
		fail_msg("%s: %s", fmt, err.message);
	return v;
}

const char *state_of(const char *id)
{
	return redis_do("HGET v:t:%s %s", id, "st")->s.p;
}

bool is_held(const char *id)
{
	return redis_do("HEXISTS v:q:held %s", id, NULL)->i == 1;
}

void set_limit(const char *conn, const char *key, const char *max)
{
	char name[64];
	snprintf(name, sizeof(name), "v:q:keys:%s", conn);
	(void)redis_do("SADD v:conns %s", conn, NULL);
	(void)redis_do("HSET %s k1 %s", name, key);
	(void)redis_do("HSET %s m1 %s", name, max);
}

void elapse(const char *id, int64_t ms)
{
	static const char script[] = "local ms = tonumber(ARGV[2]) "
				     "for _, set in ipairs({ 'v:q:leases', 'v:q:delayed', "
				     "'v:q:blocks', 'v:q:sleep' }) do "
				     "for _, m in ipairs(redis.call('ZRANGE', set, 0, -1)) do "
				     "redis.call('ZINCRBY', set, -ms, m) end end "
				     "for _, f in ipairs({ 'i.1.send', 'due', 'ua' }) do "
				     "if redis.call('HEXISTS', 'v:t:' .. ARGV[1], f) == 1 then "
				     "redis.call('HINCRBY', 'v:t:' .. ARGV[1], f, -ms) end end";
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, ms);
	(void)redis_do(arena_printf(fx.arena, "EVAL %%s 0 %s %%s", id ? id : "-"), script, text);
}

/* ---- the queue ----------------------------------------------------------------------------- */

static enum queue_intake take_in(const struct queue_item *item)
{
	struct queue_receipt got;
	OK(queue_intake(fx.queue, item, 1, &got, &err));
	return got.what;
}

enum queue_intake hint(const char *conn, const char *source_id, const char *webhook_id)
{
	return take_in(&(struct queue_item) { .conn = conn,
					      .kind = "invoice",
					      .source_id = source_id,
					      .webhook_id = webhook_id,
					      .origin = "webhook" });
}

void hint_id(const char *conn, const char *source_id, char ret[TRANSFER_ID_MAX])
{
	(void)hint(conn, source_id, NULL);
	transfer_id(conn, "invoice", source_id, ret);
}

void hint_many(const char *conn, int n)
{
	char source[16];
	for (int i = 0; i < n; i++) {
		snprintf(source, sizeof(source), "%d", i);
		(void)hint(conn, source, NULL);
	}
}

enum queue_intake found(const char *conn, const char *source_id, const char *changed)
{
	return take_in(&(struct queue_item) { .conn = conn,
					      .kind = "invoice",
					      .source_id = source_id,
					      .origin = "poll",
					      .changed = changed,
					      .found = true });
}

size_t claim_many(struct queue_job *ret, size_t max)
{
	size_t n = 0;
	OK(queue_claim(fx.queue, fx.arena, max, ret, &n, &err));
	return n;
}

bool claim(struct queue_job *ret)
{
	return claim_many(ret, 1) == 1;
}

struct queue_job must_claim(void)
{
	struct queue_job job = { 0 };
	assert_true(claim(&job));
	return job;
}

void assert_nothing_to_claim(void)
{
	struct queue_job job;
	assert_false(claim(&job));
}

enum queue_verdict finish(const struct queue_job *job, enum transfer_state state, int64_t delay_ms)
{
	struct queue_outcome o = {
		.id = job->id, .fence = job->fence, .state = state, .delay_ms = delay_ms
	};
	OK(queue_finish(fx.queue, &o, 1, &err));
	return o.verdict;
}

struct queue_tick tick(void)
{
	struct queue_tick t = { 0 };
	OK(queue_tick(fx.queue, &t, &err));
	return t;
}

struct queue_tick tick_with(const struct queue_options *more)
{
	struct queue *fresh = queue_with(more);
	struct queue_tick t = { 0 };
	OK(queue_tick(fresh, &t, &err));
	queue_free(fresh);
	return t;
}

struct queue_tick first_tick(void)
{
	return tick_with(&(struct queue_options) { 0 });
}
