/*
 * redis_pool.c: a fixed number of connections to one Redis, lent to one borrower at a time.
 *
 * Guarantees that a borrower gets a connection that was alive a moment ago, or an error by its
 * deadline. A connection that broke, or that is given back with replies unread, is closed and made
 * again on a later borrow. Does not repeat a command: only its caller knows whether that is safe. A
 * host name is resolved by getaddrinfo, whose time-out is the resolver's and not ours.
 */
#include "base/base.h"
#include "redis_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "sigpipe.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_MS 1000
#define COMMAND_TIMEOUT_MS 5000

static bool init_connections(struct redis_pool *pool, unsigned size)
{
	pool->connections = mem_alloc_array(size, sizeof(*pool->connections));
	if (!pool->connections)
		return false;
	pool->size = size;
	for (unsigned i = 0; i < size; i++) {
		struct redis *r = &pool->connections[i];
		r->pool = pool;
		r->fd = -1;
		r->is_loaded = mem_alloc_array(pool->n_scripts, sizeof(*r->is_loaded));
		r->loads = mem_alloc_array(pool->n_scripts, sizeof(*r->loads));
		if (!r->is_loaded || !r->loads)
			return false;
	}
	return true;
}

/* "viesti" becomes "viesti:", so that no key of one installation can be read as another's. */
static char *separated(const char *prefix)
{
	size_t n = prefix ? strlen(prefix) : 0;
	char *ret = mem_alloc(n + 2);
	if (!ret)
		return NULL;
	if (n)
		memcpy(ret, prefix, n);
	if (n && ret[n - 1] != ':')
		ret[n++] = ':';
	ret[n] = '\0';
	return ret;
}

bool redis_pool_new(const struct redis_options *opt, struct redis_pool **ret, struct err *err)
{
	CLEANUP(redis_pool_free) struct redis_pool *pool = mem_alloc(sizeof(*pool));
	if (!pool)
		return err_set(err, ERR_MEMORY, "out of memory");
	pthread_mutex_init(&pool->lock, NULL);
	clock_cond_init(&pool->is_free);
	pool->connect_timeout_ms = opt->connect_timeout_ms ? opt->connect_timeout_ms
							   : CONNECT_TIMEOUT_MS;
	pool->command_timeout_ms = opt->command_timeout_ms ? opt->command_timeout_ms
							   : COMMAND_TIMEOUT_MS;
	if (!redis_url_parse(opt->url, &pool->url, err))
		return false;
	if (pool->url.is_tls && !redis_tls_new(opt, &pool->tls, err))
		return false;
	if (!redis_scripts_init(pool, err))
		return false;
	pool->prefix = separated(opt->prefix);
	if (!pool->prefix || !init_connections(pool, opt->pool_size ? opt->pool_size : 1))
		return err_set(err, ERR_MEMORY, "out of memory");
	sigpipe_ignore();
	*ret = pool;
	pool = NULL;
	return true;
}

static void disconnect(struct redis *r)
{
	pthread_mutex_lock(&r->pool->lock);
	r->fd = -1;
	pthread_mutex_unlock(&r->pool->lock);
	if (r->ctx)
		redisFree(r->ctx);
	r->ctx = NULL;
}

/* A connection that is not as we left it. Those of its generation are as old, and say no more. */
static void drop_lost(struct redis *r)
{
	uint64_t seen = r->generation;
	atomic_compare_exchange_strong(&r->pool->generation, &seen, seen + 1);
	disconnect(r);
}

uint64_t redis_generation(struct redis_pool *pool)
{
	return atomic_load(&pool->generation);
}

void redis_pool_free(struct redis_pool *pool)
{
	if (!pool)
		return;
	for (unsigned i = 0; i < pool->size; i++) {
		struct redis *r = &pool->connections[i];
		assert(!r->is_busy);
		if (r->pool)
			disconnect(r);
		mem_free(r->is_loaded);
		mem_free(r->loads);
	}
	mem_free(pool->connections);
	redis_scripts_release(pool);
	redis_tls_free(pool->tls);
	redis_url_release(&pool->url);
	mem_free(pool->prefix);
	pthread_cond_destroy(&pool->is_free);
	pthread_mutex_destroy(&pool->lock);
	mem_free(pool);
}

const char *redis_prefix(const struct redis_pool *pool)
{
	return pool->prefix;
}

static bool is_mine(const struct redis *r)
{
	return r->is_reserved && pthread_equal(r->owner, pthread_self());
}

void redis_reserve(struct redis_pool *pool)
{
	struct redis *found = NULL;
	pthread_mutex_lock(&pool->lock);
	/* From the end; one that is lent now comes back. The first is everybody's. */
	for (unsigned i = pool->size; !found && --i > 0;)
		if (!pool->connections[i].is_reserved)
			found = &pool->connections[i];
	if (found) {
		found->is_reserved = true;
		found->owner = pthread_self();
	}
	pthread_mutex_unlock(&pool->lock);
}

void redis_unreserve(struct redis_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	for (unsigned i = 0; i < pool->size; i++)
		if (is_mine(&pool->connections[i]))
			pool->connections[i].is_reserved = false;
	pthread_cond_broadcast(&pool->is_free);
	pthread_mutex_unlock(&pool->lock);
}

/* A free connection: the thread's own, else one that is connected if there is one; NULL when all
 * are lent. */
static struct redis *pick_locked(struct redis_pool *pool)
{
	struct redis *found = NULL;
	for (unsigned i = pool->size; i-- > 0;)
		if (is_mine(&pool->connections[i]) && !pool->connections[i].is_busy)
			return &pool->connections[i];
	for (unsigned i = 0; i < pool->size; i++) {
		struct redis *r = &pool->connections[i];
		if (r->is_busy || r->is_reserved)
			continue;
		if (r->fd >= 0)
			return r;
		if (!found)
			found = r;
	}
	return found;
}

static struct redis *wait_for_free(struct redis_pool *pool, int64_t wait_ms, struct err *err)
{
	struct timespec deadline = clock_deadline(wait_ms);
	struct redis *r = NULL;
	int timed_out = 0;
	pthread_mutex_lock(&pool->lock);
	while (!pool->is_stopping && !(r = pick_locked(pool)) && !timed_out)
		timed_out = pthread_cond_timedwait(&pool->is_free, &pool->lock, &deadline);
	if (r)
		r->is_busy = true;
	bool is_stopping = pool->is_stopping;
	pthread_mutex_unlock(&pool->lock);
	if (is_stopping)
		err_set(err, ERR_OUTAGE, "Redis: connections are shut down");
	else if (!r)
		err_set(err, ERR_OUTAGE,
			"Redis: none of %u connections came free in %" PRId64 " ms", pool->size,
			wait_ms);
	return r;
}

/*
 * An idle connection has nothing to say: readable means closed by the other side, or garbage. So a
 * restart of Redis costs a reconnect here and no failed command.
 */
static bool is_alive(const struct redis *r)
{
	struct pollfd p = { .fd = r->ctx->fd, .events = POLLIN | POLLRDHUP };
	return r->ctx->err == 0 && poll(&p, 1, 0) == 0;
}

/* Publishes the socket for redis_pool_shutdown; false when that has been called. */
static bool adopt(struct redis *r, redisContext *ctx)
{
	r->ctx = ctx;
	r->n_sent = r->n_read = 0;
	r->n_loads = r->next_load = 0;
	r->load_error[0] = '\0';
	r->is_outdated = false;
	r->must_reload = true; /* the server may have been started anew */
	pthread_mutex_lock(&r->pool->lock);
	r->fd = ctx->fd;
	bool is_stopping = r->pool->is_stopping;
	pthread_mutex_unlock(&r->pool->lock);
	return !is_stopping;
}

bool redis_borrow(struct redis_pool *pool, int64_t wait_ms, struct redis **ret, struct err *err)
{
	if (redis_borrow_or_refusal(pool, wait_ms, ret, err))
		return true;
	/* Not the credentials of whoever asked us, nor a vendor's: Redis is away for now. */
	if (err && err->code == ERR_CREDENTIALS)
		err->code = ERR_OUTAGE;
	return false;
}

bool redis_borrow_or_refusal(struct redis_pool *pool, int64_t wait_ms, struct redis **ret,
			     struct err *err)
{
	CLEANUP(redis_give_back) struct redis *r = wait_for_free(pool, wait_ms, err);
	if (!r)
		return false;
	if (r->ctx && !is_alive(r))
		drop_lost(r);
	if (!r->ctx) {
		r->generation = redis_generation(pool);
		redisContext *ctx = redis_connect(pool, err);
		if (!ctx)
			return false;
		if (!adopt(r, ctx)) {
			disconnect(r);
			return err_set(err, ERR_OUTAGE, "Redis: connections are shut down");
		}
	}
	*ret = r;
	r = NULL;
	return true;
}

void redis_give_back(struct redis *r)
{
	if (!r)
		return;
	assert(r->is_busy);
	if (r->ctx && (r->ctx->err || r->n_read != r->n_sent || r->is_outdated))
		drop_lost(r);
	if (r->ctx && r->has_own_timeout)
		redis_apply_timeout(r->ctx, r->pool->command_timeout_ms);
	r->has_own_timeout = false;
	pthread_mutex_lock(&r->pool->lock);
	r->is_busy = false;
	pthread_cond_signal(&r->pool->is_free);
	pthread_mutex_unlock(&r->pool->lock);
}

void redis_set_timeout(struct redis *r, int64_t timeout_ms)
{
	redis_apply_timeout(r->ctx, timeout_ms);
	r->has_own_timeout = true;
}

void redis_pool_shutdown(struct redis_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->is_stopping = true;
	for (unsigned i = 0; i < pool->size; i++)
		if (pool->connections[i].fd >= 0)
			shutdown(pool->connections[i].fd, SHUT_RDWR);
	pthread_cond_broadcast(&pool->is_free);
	pthread_mutex_unlock(&pool->lock);
}
