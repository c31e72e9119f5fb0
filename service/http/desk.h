/*
 * desk.h: the threads that execute REST requests which need Redis, while the connection is
 * suspended; and the one that waits for vendor tasks on their behalf (DESIGN §5).
 *
 * What was pushed is answered, on stop too: a request that still waits for a task gets its 202.
 */
#ifndef SERVICE_HTTP_DESK_H
#define SERVICE_HTTP_DESK_H

#include "base/base.h"
#include "base/err.h"
#include "request.h"

#define DESK_THREADS 2
#define DESK_MAX_WAITS 64
#define DESK_WAIT_MS 8000

struct desk;
bool desk_new(const struct http_server_options *opt, struct desk **ret, struct err *err) MUST_CHECK;
/* Suspends the connection and takes the request; false (nothing done) after desk_stop. Server
 * thread. */
bool desk_push(struct desk *d, struct request *rq) MUST_CHECK;
void desk_stop(struct desk *d);
void desk_free(struct desk *d); /* accepts NULL */

/* The answer to a finished or still running task (handlers/tasks). */
bool task_answer(struct request *rq, struct err *err) MUST_CHECK;

#endif
