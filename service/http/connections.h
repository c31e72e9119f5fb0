/* connections.h: what other files of http/ need of the connections' handlers. */
#ifndef SERVICE_HTTP_CONNECTIONS_H
#define SERVICE_HTTP_CONNECTIONS_H

#include "request.h"

/* Did the check of the task say {"ok":true}? */
bool connection_check_is_good(struct arena *arena, const struct queue_task *task);
/* The connection as people see it: credentials as names only. */
/* What vendors have asked us to leave alone, read once per answer. */
struct blocked_keys {
	struct queue_blocked *items;
	size_t n;
};
void connection_write(struct json_writer *w, struct request *rq, const struct connection *c,
		      const struct blocked_keys *blocked);
/* The task as it is; 202 names where to read it. */
bool task_respond(struct request *rq, int status, const struct queue_task *t,
		  struct err *err) MUST_CHECK;
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

#endif
