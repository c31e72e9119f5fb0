/*
 * redis.h: connections to one Redis or Valkey (hiredis), a pool of them, scripts by name, and the
 * start-up check. Only queue/ and store/ speak through it.
 *
 * A connection has one borrower at a time. A lost connection is made again on the next borrow;
 * every failure to reach Redis is ERR_OUTAGE, so that callers answer 503 or wait.
 */
#ifndef NET_REDIS_H
#define NET_REDIS_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * Scripts embedded by the build from the .lua files under service/: file name without ending, text.
 * Ends with a NULL name. One named "prelude" is put in front of every other before it is loaded.
 */
struct lua_script {
	const char *name;
	const char *text;
};
extern const struct lua_script lua_scripts[];

struct redis_options {
	/*
	 * redis://[[user]:password@]host[:port][/db], rediss://... (ERR_INPUT with a clear text
	 * where hiredis lacks TLS), unix:///path[?db=N][&user=..][&password=..].
	 */
	const char *url;
	/* For rediss://, each PEM text or NULL: who vouches for Redis (NULL: whom the system
	 * trusts), our certificate with its chain, its key. Read by redis_pool_new only. */
	const char *ca, *cert, *cert_key;
	const char *prefix; /* of every key, a ':' is put behind it; handed to scripts */
	unsigned pool_size;
	int64_t connect_timeout_ms; /* 0: 1000 */
	int64_t command_timeout_ms; /* 0: 5000 */
};

/* How durable an acknowledged write is (header Viesti-Durability). */
enum redis_durability { REDIS_MEMORY, REDIS_EVERYSEC, REDIS_FSYNC };
const char *redis_durability_name(enum redis_durability d);

struct redis_pool;
struct redis; /* a borrowed connection */

/* What this build speaks to Redis with: "hiredis 1.2.0, with TLS". */
const char *redis_library(void);

/* Parses the URL; makes no connection. Sets SIGPIPE to be ignored, since hiredis writes without
 * MSG_NOSIGNAL. */
bool redis_pool_new(const struct redis_options *opt, struct redis_pool **ret,
		    struct err *err) MUST_CHECK;
/* Accepts NULL. Every connection must have been given back. */
void redis_pool_free(struct redis_pool *pool);
CLEANUP_FUNC(struct redis_pool, redis_pool_free)
const char *redis_prefix(const struct redis_pool *pool);

/* Waits for a free connection, connects where needed. ERR_OUTAGE when Redis is away or none came
 * free within wait_ms. */
bool redis_borrow(struct redis_pool *pool, int64_t wait_ms, struct redis **ret,
		  struct err *err) MUST_CHECK;
void redis_give_back(struct redis *r);
/*
 * From now on the calling thread has a connection that no other gets, until redis_unreserve: for
 * those that must not starve behind a crowd of borrowers (who beats a lease, stores an outcome,
 * answers a sender). One is always left to all; where there is no other, the thread waits like all.
 */
void redis_reserve(struct redis_pool *pool);
void redis_unreserve(struct redis_pool *pool);
CLEANUP_FUNC(struct redis, redis_give_back)
/*
 * Grows when a connection is lost: the server may have been started again since, or be another, and
 * what was learnt of it before may not hold. Those that were lost together count once.
 */
uint64_t redis_generation(struct redis_pool *pool);
/* Shuts every socket, so that blocked readers return (stop of the process). */
void redis_pool_shutdown(struct redis_pool *pool);

enum redis_type { REDIS_NIL, REDIS_STATUS, REDIS_STRING, REDIS_INT, REDIS_ARRAY, REDIS_ERROR };
/* A reply; all of it lives in the arena of the call. */
struct redis_value {
	enum redis_type type;
	int64_t i;
	struct span s; /* NUL-terminated */
	const struct redis_value *items;
	size_t n;
};

/*
 * One command, binary-safe. ERR_OUTAGE on I/O, and on an error reply that passes by itself
 * (LOADING, READONLY, OOM, MISCONF ...); ERR_SYSTEM on any other, its words in target_text. After
 * ERR_OUTAGE a write may or may not have been done.
 */
bool redis_command(struct redis *r, struct arena *arena, const struct span *argv, size_t argc,
		   const struct redis_value **ret, struct err *err) MUST_CHECK;
/* Words split at blanks of fmt; each %s (const char *), %b (struct span by value) or %lld inside a
 * word is replaced. */
bool redis_commandf(struct redis *r, struct arena *arena, const struct redis_value **ret,
		    struct err *err, const char *fmt, ...) MUST_CHECK;
/* Arguments of scripts: a number in room of the caller, and a text, NULL as "". */
struct num {
	char text[24];
};
static inline struct span num_span(struct num *n, int64_t v)
{
	int len = snprintf(n->text, sizeof(n->text), "%" PRId64, v);
	return (struct span) { n->text, (size_t)len };
}

static inline struct span text_span(const char *s)
{
	return s ? span_of(s) : SPAN_LIT("");
}

/* EVALSHA of an embedded script (loaded on demand, NOSCRIPT handled). No KEYS; ARGV[1] is the
 * prefix, then args. */
bool redis_script(struct redis *r, struct arena *arena, const char *name, const struct span *args,
		  size_t n_args, const struct redis_value **ret, struct err *err) MUST_CHECK;
/*
 * Pipelining: append any number, then read the replies in order. An error reply makes its own
 * redis_read fail and leaves the next ones readable; on I/O failure all pending are lost together.
 * A connection given back with unread replies is closed. In a pipeline a script that the server
 * forgot (SCRIPT FLUSH) is ERR_OUTAGE and did not run; the next call loads it.
 */
bool redis_append(struct redis *r, struct arena *arena, const struct span *argv, size_t argc,
		  struct err *err) MUST_CHECK;
bool redis_append_script(struct redis *r, struct arena *arena, const char *name,
			 const struct span *args, size_t n_args, struct err *err) MUST_CHECK;
bool redis_read(struct redis *r, struct arena *arena, const struct redis_value **ret,
		struct err *err) MUST_CHECK;
/* Raises the command time-out of this borrow (blocking reads). */
void redis_set_timeout(struct redis *r, int64_t timeout_ms);

/* What the start-up check found. */
struct redis_health {
	char version[32]; /* "7.0.15" */
	char flavor[16]; /* "redis" or "valkey" */
	char run_id[48]; /* changes when the server restarts */
	enum redis_durability durability;
	char maxmemory_policy[32];
	bool evicts; /* jobs could vanish */
	bool is_replica;
	bool usable; /* false: refuse to start (eviction, replica, version below 6.2) */
	char text[512]; /* the verdict in a sentence or more: what is wrong and what to set */
};
/* INFO + CONFIG GET (where CONFIG is forbidden: INFO alone, and says so). ERR_OUTAGE when away,
 * ERR_CREDENTIALS when Redis refuses ours, or its certificate is not good. */
bool redis_check(struct redis_pool *pool, struct arena *arena, struct redis_health *ret,
		 struct err *err) MUST_CHECK;

/*
 * The private server: a child redis-server with a unix socket in the data folder, AOF, appendfsync
 * always, noeviction, no TCP port. Started again when it dies (back-off 100 ms to 2 s); stopped by
 * SIGTERM at the end; dies with us.
 */
struct redis_server;
struct redis_server_options {
	const char *program, *data_dir;
	/*
	 * A thread of the server's own: the child ended (how: "was ended by signal 9") and was
	 * started again, or could not be and is tried again later. For the log; must not block. May
	 * be NULL.
	 */
	void (*restarted)(void *ctx, const char *how, bool started);
	void *ctx;
};
bool redis_server_start(const struct redis_server_options *opt, struct redis_server **ret,
			struct err *err) MUST_CHECK;
/* "unix:///.../redis.sock"; lives as long as the server object. */
const char *redis_server_url(const struct redis_server *s);
/* Child's pid, 0 while it is being restarted. */
int redis_server_pid(const struct redis_server *s);
void redis_server_stop(struct redis_server *s);

#endif
