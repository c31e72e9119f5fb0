/*
 * requests.h: the last calls, for tests that ask "what did it send?". Thread-safe.
 */
#ifndef SANDBOX_REQUESTS_H
#define SANDBOX_REQUESTS_H

#include "sandbox.h"

struct requests;

struct requests *requests_new(bool with_bodies);
void requests_free(struct requests *r);
void requests_clear(struct requests *r);

/* A finished call. Credentials are never kept: no headers, and no body of a token call. */
void requests_add(struct requests *r, const struct call *c);
/* Calls of the system (NULL: any) whose target holds `match` (NULL: any), newest last. */
void requests_write(struct requests *r, const char *system, const char *match, size_t limit,
		    bool with_bodies, struct json_writer *w);
/* Calls seen since start or the last clear. */
uint64_t requests_count(struct requests *r);

#endif
