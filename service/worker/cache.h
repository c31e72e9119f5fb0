/*
 * cache.h: small values that the workers of one process share for a while: tokens, registers.
 * Thread-safe; bounded; values are copied in and out, and wiped when they go, since some are
 * secrets. One worker at a time fetches a key; who asks meanwhile waits for the outcome.
 */
#ifndef WORKER_CACHE_H
#define WORKER_CACHE_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"

struct cache;

/* Past max_entries everything goes and is fetched anew. NULL without memory. */
struct cache *cache_new(size_t max_entries) MUST_CHECK;
void cache_free(struct cache *c);
/* A copy in the arena; NULL when absent, expired or past the arena's cap. */
const char *cache_get(struct cache *c, struct arena *arena, const char *key);
/* NULL value removes. Without memory nothing is kept. */
void cache_set(struct cache *c, const char *key, const char *value, int64_t ttl_ms);

enum cache_answer {
	CACHE_HERE, /* *ret is set */
	CACHE_YOURS, /* nobody has it: fetch it, then call cache_land in any case */
	CACHE_FAILED, /* who fetched it failed: err is that failure; or the arena is full */
	CACHE_LATE, /* somebody was still fetching it at until_ms */
};
struct cache_ask {
	struct arena *arena; /* of the copy */
	const char *key;
	const char *refused; /* a value that does not count; NULL: none */
	int64_t until_ms; /* monotonic */
};
enum cache_answer cache_join(struct cache *c, const struct cache_ask *ask, const char **ret,
			     struct err *err) MUST_CHECK;
/*
 * Ends a fetch: the value for ttl_ms, or with value NULL why there is none. A failure that was only
 * the fetcher's own (memory, lease) makes one of those who wait the next to fetch.
 */
void cache_land(struct cache *c, const char *key, const char *value, int64_t ttl_ms,
		const struct err *why);

#endif
