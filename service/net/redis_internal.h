/*
 * redis_internal.h: what the redis_*.c files of this folder share.
 *
 * redis_pool.c	who has which connection; the only place that locks
 * redis_conn.c	from a URL to a socket that is logged in
 * redis_tls.c	TLS on that socket, where hiredis has it
 * redis_call.c	commands, pipelines, replies
 * redis_script.c	scripts by name
 * redis_check.c	the start-up check
 */
#ifndef NET_REDIS_INTERNAL_H
#define NET_REDIS_INTERNAL_H

#include "base/base.h"
#include "net/redis.h"
#include "redis_url.h"

#include <hiredis/hiredis.h>

#define SHA1_HEX_MAX 41

/* A script as the server knows it. */
struct redis_loaded_script {
	const char *name;
	char *text; /* prelude and script */
	size_t text_n;
	char sha[SHA1_HEX_MAX];
};

struct redis_tls; /* one OpenSSL context for all connections of a pool */

struct redis_pool {
	struct redis_url url;
	char *prefix;
	int64_t connect_timeout_ms, command_timeout_ms;
	struct redis_loaded_script *scripts; /* sorted by name; constant after redis_pool_new */
	size_t n_scripts;
	struct redis_tls *tls; /* NULL: none wanted */

	_Atomic uint64_t generation;

	pthread_mutex_t lock; /* guards what follows, and fd and is_busy of each connection */
	pthread_cond_t is_free;
	bool is_stopping;
	unsigned size;
	struct redis *connections;
};

/* Apart from fd and is_busy, a connection belongs to its borrower. */
struct redis {
	struct redis_pool *pool;
	bool is_busy;
	bool is_reserved; /* for the thread `owner`; both guarded like is_busy */
	pthread_t owner;
	int fd; /* that of ctx, for redis_pool_shutdown; -1: none */
	redisContext *ctx; /* NULL: not connected */
	uint64_t generation; /* the pool's when it was made */
	bool is_outdated; /* leads to what is a replica now: not to be lent again */
	bool has_own_timeout; /* redis_set_timeout was called in this borrow */
	bool *is_loaded; /* per pool->scripts: this server has it, as far as we know */
	bool must_reload; /* it has not: forget is_loaded when no reply is outstanding */

	/* Replies are counted, so that those of SCRIPT LOAD can be kept from the caller. */
	uint64_t n_sent, n_read;
	uint64_t *loads; /* n_sent of the unread SCRIPT LOADs, a queue of at most n_scripts */
	size_t n_loads, next_load;
	char load_error[256]; /* the server's words about a script that it did not take */
};

/* redis_pool.c: as redis_borrow, but where one side does not accept the other that is
 * ERR_CREDENTIALS: waiting does not mend it. */
bool redis_borrow_or_refusal(struct redis_pool *pool, int64_t wait_ms, struct redis **ret,
			     struct err *err) MUST_CHECK;
/* redis_conn.c: connects, logs in, selects the database. NULL with ERR_OUTAGE, or ERR_CREDENTIALS.
 */
redisContext *redis_connect(const struct redis_pool *pool, struct err *err);
/* SO_RCVTIMEO and SO_SNDTIMEO, thus per read and write, not per command. */
void redis_apply_timeout(redisContext *ctx, int64_t timeout_ms);

/* redis_tls.c: ERR_INPUT where hiredis has no TLS, or when a PEM text of opt is of no use. */
bool redis_tls_new(const struct redis_options *opt, struct redis_tls **ret,
		   struct err *err) MUST_CHECK;
void redis_tls_free(struct redis_tls *tls);
CLEANUP_FUNC(struct redis_tls, redis_tls_free)
/* Handshake on a connected socket. ERR_CREDENTIALS when the certificate is not valid for host. */
bool redis_tls_start(struct redis_tls *tls, redisContext *ctx, const char *host,
		     struct err *err) MUST_CHECK;

/* redis_call.c: an error reply as err: ERR_OUTAGE when it passes by itself, else ERR_SYSTEM. */
bool redis_reply_err(const char *words, struct err *err);
/* ERR_OUTAGE with hiredis's words about a broken connection. */
bool redis_io_err(const redisContext *ctx, int errnum, struct err *err);

/* redis_script.c */
bool redis_scripts_init(struct redis_pool *pool, struct err *err) MUST_CHECK;
void redis_scripts_release(struct redis_pool *pool);

#endif
