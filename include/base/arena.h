/*
 * arena.h: one per request and per attempt. Everything made for it is freed at once, with it.
 *
 * Has a cap: past it arena_alloc answers NULL, which callers turn into ERR_LIMIT. Not thread-safe:
 * one owner at a time. A sanitizer build gives each object its own block, so that an overrun is
 * seen.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena;

/* NULL when out of memory. Takes little memory until used. */
struct arena *arena_new(size_t cap_bytes) MUST_CHECK;
/* Runs what was deferred, last first, then frees all. Accepts NULL. */
void arena_free(struct arena *arena);
CLEANUP_FUNC(struct arena, arena_free)
/* Runs what was deferred and makes it empty and reusable, keeping one block. */
void arena_clear(struct arena *arena);

/* From now on all that is in it is wiped before it is freed or cleared: for whoever handles
 * credentials, whose copies stand in requests, trees and texts. */
void arena_keep_secrets(struct arena *arena);

/* Zeroed, aligned for any type; NULL past the cap. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;
void *arena_alloc_array(struct arena *arena, size_t n, size_t size) MUST_CHECK;
/* Copies with a NUL behind; NULL past the cap. arena_strdup(NULL) is NULL. */
char *arena_strdup(struct arena *arena, const char *s) MUST_CHECK;
char *arena_memdup(struct arena *arena, const void *p, size_t n) MUST_CHECK;
/* printf into the arena; NULL past the cap. */
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/* Calls func(object) when the arena ends. False past the cap: func(object) has then been called
 * already. */
bool arena_defer(struct arena *arena, void (*func)(void *object), void *object) MUST_CHECK;

/* Bytes handed out so far. */
size_t arena_used(const struct arena *arena);
/* How often it had to refuse: work that makes many small objects compares this at its start and its
 * end instead of asking after each. Not reset by arena_clear. */
size_t arena_refusals(const struct arena *arena);

#endif
