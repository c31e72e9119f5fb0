/*
 * loop.h: the server threads: each drives a libmicrohttpd daemon of its own, all of them on one
 * listening socket.
 */
#ifndef SERVICE_HTTP_LOOP_H
#define SERVICE_HTTP_LOOP_H

#include "base/base.h"
#include "base/err.h"

struct MHD_Connection;
struct MHD_Daemon;
struct loop; /* one thread */

struct loops_options {
	const char *address; /* IPv4 or IPv6; "::" takes IPv4 too */
	int port; /* 0: the system's choice */
	unsigned threads; /* at least 1 */
	/* Makes the daemon of one thread with MHD_USE_EPOLL and without a thread of its own, on a
	 * socket that listens. NULL: it cannot. */
	struct MHD_Daemon *(*start)(void *ctx, struct loop *loop, int listen_fd);
	void *ctx;
};

struct loops;
/* Listens and serves from now on. ERR_INPUT for an address that cannot be bound. */
bool loops_new(const struct loops_options *opt, struct loops **ret, struct err *err) MUST_CHECK;
/* The port really listened on. */
unsigned loops_port(const struct loops *loops);
/* Takes no further connections; those that are open are served on. Idempotent. */
void loops_quiesce(struct loops *loops);
/* Ends the threads and closes every connection; none may be suspended. Accepts NULL. */
void loops_free(struct loops *loops);

/* The options' ctx. */
void *loop_ctx(const struct loop *loop);
/*
 * Any thread: the suspended connection goes on once loop_wake has been called after this; one wake
 * serves many. The request may be gone before this returns.
 */
void loop_resume(struct loop *loop, struct MHD_Connection *connection);
void loop_wake(struct loop *loop);

#endif
