/*
 * alloc.h: the process heap, for objects that outlive an arena. Only base/ calls malloc; everything
 * else comes here.
 *
 * A test build fails the n-th allocation of the process when the environment holds ALLOC_FAIL=n
 * (read once, by alloc_init); so every "out of memory" path can be walked. Thread-safe.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include "base/base.h"

/* Reads ALLOC_FAIL, and limits malloc's arenas so that many threads do not grow the resident size.
 * Main thread, once. */
void alloc_init(void);

/* Gives free pages of the heap back to the system: what a burst took is not kept. Milliseconds at
 * most. */
void mem_trim(void);

/* Fails the n-th next allocation (tests); 0 turns it off. */
void alloc_fail_after(long n);

/* Zeroed memory, or NULL. size 0 gives a valid pointer. */
void *mem_alloc(size_t size) MUST_CHECK;

/* n * size with overflow check, zeroed; NULL on overflow or failure. */
void *mem_alloc_array(size_t n, size_t size) MUST_CHECK;

/* As realloc: on failure NULL, the old block stands. New bytes are not zeroed. */
void *mem_realloc(void *p, size_t size) MUST_CHECK;

/* Copy with a NUL behind it; NULL on failure. */
char *mem_strdup(const char *s) MUST_CHECK;
char *mem_memdup(const void *p, size_t n) MUST_CHECK;

/* Accepts NULL. */
void mem_free(void *p);
/* Wipes n bytes, then frees: for secrets. Accepts NULL. */
void mem_free_wiped(void *p, size_t n);

/* Wipes the block, whole, then frees it: for secrets whose size is not at hand. Accepts NULL. */
void mem_wipe_free(void *p);

/* For a library through whose hands secrets go, with mem_wipe_free beside them. alloc_fail_after
 * does not reach them: what a library makes of it is not ours to say. */
void *mem_lib_malloc(size_t size) MUST_CHECK;
void *mem_lib_calloc(size_t n, size_t size) MUST_CHECK;
void *mem_lib_realloc(void *p, size_t size) MUST_CHECK;
char *mem_lib_strdup(const char *s) MUST_CHECK;

static inline void mem_free_cleanup(void *p)
{
	mem_free(*(void **)p);
}
static inline void mem_wipe_free_cleanup(void *p)
{
	mem_wipe_free(*(void **)p);
}

#endif
