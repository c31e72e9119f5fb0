/*
 * raw_server.h: an HTTP server on loopback that answers in raw bytes and misbehaves on request: it
 * cuts, drips, lies and hangs up. For tests of whoever speaks HTTP. One thread, many connections.
 *
 * The n-th request (over all connections) gets the n-th step; when the steps are used up the last
 * one is repeated. Each request is kept as it came. All memory is taken at the start: a test that
 * makes allocations fail meets the client's alone.
 */
#ifndef TESTS_UNIT_RAW_SERVER_H
#define TESTS_UNIT_RAW_SERVER_H

#include "base/base.h"

enum raw_then {
	RAW_KEEP, /* the connection stays open */
	RAW_CLOSE, /* orderly */
	RAW_RESET, /* with RST */
	RAW_CLOSE_LATER, /* orderly, 30 ms after the answer */
	RAW_HANG, /* says nothing more, reads nothing more */
	RAW_DRIP, /* a byte of 'x' each 10 ms until the client goes */
	RAW_FLOOD, /* 'x' as fast as it goes until the client goes */
};

struct raw_step {
	const char *text; /* NULL: no byte */
	size_t n; /* 0: strlen(text) */
	enum raw_then then;
};

#define RAW_MAX_REQUESTS 64

struct raw_server {
	int port;
	const struct raw_step *steps;
	size_t n_steps;

	/* Guarded by lock: */
	pthread_mutex_t lock;
	bool is_stopping;
	unsigned n_connections, n_requests, n_closed_idle;
	char *requests[RAW_MAX_REQUESTS]; /* NUL-terminated bytes of each request, in kept */
	char *kept;
	size_t n_kept;

	char *buffers; /* of the connections */
	pthread_t thread;
	int listener;
	int wake[2];
};

bool raw_server_start(struct raw_server *s, const struct raw_step *steps,
		      size_t n_steps) MUST_CHECK;
void raw_server_stop(struct raw_server *s);
unsigned raw_server_requests(struct raw_server *s);
unsigned raw_server_connections(struct raw_server *s);
/* Waits until that many connections were closed by RAW_CLOSE_LATER. */
bool raw_server_wait_closed(struct raw_server *s, unsigned n) MUST_CHECK;
/* The n-th request; valid until raw_server_stop, and only when it has arrived. */
const char *raw_server_request(struct raw_server *s, unsigned n);

#endif
