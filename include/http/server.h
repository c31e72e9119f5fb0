/*
 * server.h: the inbound HTTP server: webhooks, REST, health, metrics, the contract.
 *
 * Made and stopped by main's thread. Server threads check and hand over; a request that needs Redis
 * or a vendor is suspended and resumed by the committer (webhooks) or the desk (all else), threads
 * of the server object.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/base.h"
#include "base/err.h"
#include "base/metrics.h"
#include "codec/sign.h"
#include "config/config.h"
#include "flow.h"
#include "queue/queue.h"
#include "store/store.h"

/* One line of /readyz beyond the server's own (redis). */
struct http_check {
	const char *name; /* static: "workers" */
	bool ok;
	bool is_advice; /* told, but the service is able all the same */
	char detail[640]; /* for people, may be "" */
};
#define HTTP_MAX_CHECKS 8

/* All pointers outlive the server. */
struct http_server_options {
	const struct config *cfg;
	const struct system_values *systems; /* handed to flow->settle */
	struct redis_pool *pool;
	struct queue *queue;
	struct store *store;
	const struct flow *const *flows; /* NULL-terminated */
	const struct seal_key *key;
	struct metrics *metrics; /* NULL: the server keeps its own */
	/* Any thread, no I/O: how durable a write is now. Required. */
	enum redis_durability (*durability)(void *ctx);
	/* Any thread, no I/O: further checks of /readyz; fills up to max, returns how many. May be
	 * NULL. */
	size_t (*checks)(void *ctx, struct http_check *ret, size_t max);
	void *ctx; /* of the two above */
};

struct http_server;
/* Listens and serves from now on. ERR_INPUT for an address that cannot be bound. */
bool http_server_new(const struct http_server_options *opt, struct http_server **ret,
		     struct err *err) MUST_CHECK;
/* The port really listened on (option 0: the system's choice). */
unsigned http_server_port(const struct http_server *s);
/*
 * Stops listening, answers every request that was taken (the committer's and the desk's queues are
 * emptied first; new requests on open connections are 503), then closes. Bounded by the option
 * shutdown_grace_ms. Idempotent.
 */
void http_server_stop(struct http_server *s);
/* Stops if need be. Accepts NULL. */
void http_server_free(struct http_server *s);
CLEANUP_FUNC(struct http_server, http_server_free)

#endif
