/* hooks.h: webhooks that a stand-in sends. */
#ifndef SANDBOX_HOOKS_H
#define SANDBOX_HOOKS_H

#include "base/arena.h"
#include "net/http.h"

/* Posts JSON, once: the status of the answer; 0: none came. Never under a lock. signature: one
 * more header; name NULL: none. */
unsigned hook_send(struct arena *arena, const char *url, struct span body,
		   struct http_header signature);

#endif
