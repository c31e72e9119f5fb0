/*
 * redis_conn.c: makes one connection: socket, TLS, AUTH, SELECT. Guarantees that a connection it
 * returns is ready for commands within the connect time-out (per step). Keeps no state.
 */
#include "base/base.h"
#include "redis_internal.h"

static struct timeval timeval_of(int64_t ms)
{
	return (struct timeval) { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

void redis_apply_timeout(redisContext *ctx, int64_t timeout_ms)
{
	/* Fails only on a broken socket, which the next command reports. */
	(void)redisSetTimeout(ctx, timeval_of(timeout_ms));
}

/* Sends a command of the log-in and wants +OK. */
static bool log_in_step(redisContext *ctx, int argc, const char **argv, const size_t *lens,
			struct err *err)
{
	errno = 0;
	redisReply *reply = redisCommandArgv(ctx, argc, argv, lens);
	if (!reply)
		return redis_io_err(ctx, errno, err);
	bool ok = reply->type != REDIS_REPLY_ERROR;
	if (!ok)
		redis_reply_err(reply->str, err);
	freeReplyObject(reply);
	return ok || err_wrap(err, "%s", argv[0]);
}

/* Refused credentials are ERR_CREDENTIALS; a server that is still loading is not. */
static bool authenticate_as(redisContext *ctx, int argc, const char **argv, const size_t *lens,
			    struct err *err)
{
	if (log_in_step(ctx, argc, argv, lens, err))
		return true;
	if (err && err->code == ERR_SYSTEM)
		err->code = ERR_CREDENTIALS;
	return false;
}

static bool authenticate(const struct redis_pool *pool, redisContext *ctx, struct err *err)
{
	const struct redis_url *url = &pool->url;
	if (!secret_is_set(&url->password))
		return true;
	const char *argv[] = { "AUTH", url->user, url->password.p };
	const size_t lens[] = { 4, strlen(url->user), url->password.n };
	if (url->user[0])
		return authenticate_as(ctx, 3, argv, lens, err);
	argv[1] = argv[2];
	return authenticate_as(ctx, 2, argv, (const size_t[]) { 4, url->password.n }, err);
}

static bool select_db(const struct redis_pool *pool, redisContext *ctx, struct err *err)
{
	if (pool->url.db == 0)
		return true;
	char db[16];
	int n = snprintf(db, sizeof(db), "%d", pool->url.db);
	const char *argv[] = { "SELECT", db };
	return log_in_step(ctx, 2, argv, (const size_t[]) { 6, (size_t)n }, err);
}

static redisContext *open_socket(const struct redis_pool *pool, struct err *err)
{
	const struct redis_url *url = &pool->url;
	struct timeval tv = timeval_of(pool->connect_timeout_ms);
	errno = 0;
	redisContext *ctx = url->is_unix ? redisConnectUnixWithTimeout(url->path, tv)
					 : redisConnectWithTimeout(url->host, url->port, tv);
	if (!ctx) {
		err_set(err, ERR_MEMORY, "out of memory");
		return NULL;
	}
	if (ctx->err) {
		redis_io_err(ctx, errno, err);
		redisFree(ctx);
		return NULL;
	}
	return ctx;
}

redisContext *redis_connect(const struct redis_pool *pool, struct err *err)
{
	redisContext *ctx = open_socket(pool, err);
	if (!ctx)
		return NULL;
	redis_apply_timeout(ctx, pool->connect_timeout_ms);
	if (!pool->url.is_unix)
		(void)redisEnableKeepAlive(ctx); /* a lost peer is found by the time-outs too */
	if ((pool->tls && !redis_tls_start(pool->tls, ctx, pool->url.host, err)) ||
	    !authenticate(pool, ctx, err) || !select_db(pool, ctx, err)) {
		redisFree(ctx);
		return NULL;
	}
	redis_apply_timeout(ctx, pool->command_timeout_ms);
	return ctx;
}
