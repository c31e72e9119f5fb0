/* connections.h: what other files of http/ need of the connections' handlers. */
#ifndef SERVICE_HTTP_CONNECTIONS_H
#define SERVICE_HTTP_CONNECTIONS_H

#include "request.h"

/* Did the check of the task say {"ok":true}? */
bool connection_check_is_good(struct arena *arena, const struct queue_task *task);
/* What the queue says of connections, read once per answer: what vendors have asked us to leave
 * alone, and follow-up by connection (connection_queue.c). */
struct connection_queue {
	struct queue_blocked *blocks;
	size_t n_blocks;
	struct queue_followed *followed; /* in the order of the connections that it was read for */
};
/* The task as it is; 202 names where to read it. */
bool task_respond(struct request *rq, int status, const struct queue_task *t,
		  struct err *err) MUST_CHECK;
bool connection_queue_read(struct request *rq, struct connection *const *conns, size_t n,
			   struct connection_queue *ret, struct err *err) MUST_CHECK;
/* Members "blocked_until" and "follow" of connection i. */
void connection_queue_write(struct json_writer *w, const struct connection *c,
			    const struct connection_queue *q, size_t i);
const struct flow *flow_find(const struct http_server_options *opt, const char *name);

/* A connection to be stored, read and checked from a JSON body (connection_body.c). */
enum body_mode { BODY_CREATE, BODY_REPLACE, BODY_MERGE };
/*
 * old is NULL for BODY_CREATE. Texts of *ret live in the request's arena (secrets are wiped with
 * it). ERR_INPUT with a pointer.
 */
bool connection_body_read(struct request *rq, enum body_mode mode, const struct connection *old,
			  struct connection_draft *ret, struct err *err) MUST_CHECK;
/* ERR_INPUT for what activation needs and the connection lacks. */
bool connection_is_complete(struct request *rq, const struct connection *c,
			    struct err *err) MUST_CHECK;

/* dialogues.c: nothing is being settled with a vendor just now. ERR_CONFLICT connection_in_use. */
bool dialogues_are_at_rest(struct request *rq, const struct connection *conn,
			   struct err *err) MUST_CHECK;

#endif
