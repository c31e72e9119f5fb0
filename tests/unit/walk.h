/*
 * walk.h: runs something with its 1st, 2nd, 3rd ... allocation failing, until it succeeds.
 *
 * Each run must fail cleanly (its own asserts and the sanitizers judge that); the return value says
 * how many failures were walked, so that a test can prove that there were some.
 */
#ifndef TESTS_UNIT_WALK_H
#define TESTS_UNIT_WALK_H

#include "base/alloc.h"
#include "base/arena.h"

#define WALK_MAX 10000

/* Heap: attempt answers false when an allocation failed. */
static inline MAYBE_UNUSED int walk_heap(bool (*attempt)(void *with), void *with)
{
	for (int n = 1; n < WALK_MAX; n++) {
		alloc_fail_after(n);
		bool ok = attempt(with);
		alloc_fail_after(0);
		if (ok)
			return n - 1;
	}
	return -1;
}

/* Arena: attempt gets arenas of ever larger caps. */
static inline MAYBE_UNUSED int walk_cap(bool (*attempt)(struct arena *arena))
{
	for (int n = 0; n < WALK_MAX; n++) {
		struct arena *arena = arena_new((size_t)n * 16);
		if (!arena)
			return -1;
		bool ok = attempt(arena);
		arena_free(arena);
		if (ok)
			return n;
	}
	return -1;
}

#endif
