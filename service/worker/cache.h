/*
 * cache.h: small values that the workers of one process share for a while: tokens, registers.
 * Thread-safe; bounded; values are copied in and out, and wiped when they go, since some are
 * secrets.
 */
#ifndef WORKER_CACHE_H
#define WORKER_CACHE_H

#include "base/base.h"
#include "base/arena.h"

struct cache;

/* Past max_entries everything goes and is fetched anew. NULL without memory. */
struct cache *cache_new(size_t max_entries) MUST_CHECK;
void cache_free(struct cache *c);
/* A copy in the arena; NULL when absent, expired or past the arena's cap. */
const char *cache_get(struct cache *c, struct arena *arena, const char *key);
/* NULL value removes. Without memory nothing is kept. */
void cache_set(struct cache *c, const char *key, const char *value, int64_t ttl_ms);

#endif
