/*
 * arena.c: bump allocation in blocks that are freed together.
 *
 * Guarantees zeroed, max-aligned objects, and that no more than the cap is handed out. A sanitizer
 * build gives each object a block of its own (the second half of the allocator below), so that an
 * overrun of one object is seen although its neighbour would be ours too. An arena that keeps
 * secrets is wiped, whole, before its memory goes or is used again. Does not free a single object,
 * and does not lock.
 */
#include "base/base.h"

#include <stdalign.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/secret.h"

#define ALIGN alignof(max_align_t)
#define FIRST_BLOCK_BYTES ((size_t)4 * 1024)
#define MAX_BLOCK_BYTES ((size_t)256 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define OWN_BLOCKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_BLOCKS 1
#endif
#endif
#ifndef OWN_BLOCKS
#define OWN_BLOCKS 0
#endif

struct deferred {
	struct deferred *below;
	void (*func)(void *object);
	void *object;
};

/* A run of objects. Bytes from `dirty` on were never handed out and are zero still. */
struct block {
	struct block *below;
	size_t size, used, dirty;
	alignas(max_align_t) char bytes[];
};

/* Sanitizer build. */
struct object {
	void *p;
	size_t size;
};

struct arena {
	size_t cap, used;
	size_t refusals;
	bool keeps_secrets;
	struct deferred *deferred;
	struct block *block; /* the one being filled, older ones below */
	struct object *objects;
	size_t n_objects, max_objects;
};

struct arena *arena_new(size_t cap_bytes)
{
	struct arena *arena = mem_alloc(sizeof(*arena));
	if (arena)
		arena->cap = cap_bytes;
	return arena;
}

static void run_deferred(struct arena *arena)
{
	while (arena->deferred) {
		struct deferred *d = arena->deferred;
		arena->deferred = d->below;
		d->func(d->object);
	}
}

#if OWN_BLOCKS

static void *place(struct arena *arena, size_t size)
{
	if (arena->n_objects == arena->max_objects) {
		size_t max = arena->max_objects ? 2 * arena->max_objects : 64;
		struct object *objects = mem_realloc(arena->objects, max * sizeof(*objects));
		if (!objects)
			return NULL;
		arena->objects = objects;
		arena->max_objects = max;
	}
	void *p = mem_alloc(size);
	if (p)
		arena->objects[arena->n_objects++] = (struct object) { p, size };
	return p;
}

static void release_blocks(struct arena *arena, bool keep_one)
{
	(void)keep_one; /* nothing to reuse: an object that outlives a clear must be seen */
	while (arena->n_objects > 0) {
		struct object *o = &arena->objects[--arena->n_objects];
		mem_free_wiped(o->p, arena->keeps_secrets ? o->size : 0);
	}
	mem_free(arena->objects);
	arena->objects = NULL;
	arena->max_objects = 0;
}

#else

/* A block that holds at least `size` bytes: blocks double, so that their number stays small. */
static struct block *block_new(const struct arena *arena, size_t size)
{
	size_t bytes = arena->block ? 2 * arena->block->size : FIRST_BLOCK_BYTES;
	if (bytes > MAX_BLOCK_BYTES)
		bytes = MAX_BLOCK_BYTES;
	if (bytes < size)
		bytes = size;
	struct block *block = mem_alloc(sizeof(*block) + bytes);
	if (block)
		block->size = bytes;
	return block;
}

static void *place(struct arena *arena, size_t size)
{
	struct block *block = arena->block;
	if (!block || block->size - block->used < size) {
		block = block_new(arena, size);
		if (!block)
			return NULL;
		block->below = arena->block;
		arena->block = block;
	}
	char *p = block->bytes + block->used;
	if (block->used < block->dirty) {
		size_t stale = block->dirty - block->used;
		memset(p, 0, stale < size ? stale : size);
	}
	block->used += size;
	if (block->dirty < block->used)
		block->dirty = block->used;
	return p;
}

static void release_blocks(struct arena *arena, bool keep_one)
{
	struct block *kept = NULL;
	while (arena->block) {
		struct block *block = arena->block;
		arena->block = block->below;
		if (arena->keeps_secrets)
			explicit_bzero(block->bytes, block->used);
		/* the oldest is the smallest, unless its first object was huge */
		if (keep_one && !block->below && block->size <= MAX_BLOCK_BYTES)
			kept = block;
		else
			mem_free(block);
	}
	if (kept)
		kept->used = 0;
	arena->block = kept;
}

#endif

void arena_keep_secrets(struct arena *arena)
{
	arena->keeps_secrets = true;
}

void arena_clear(struct arena *arena)
{
	run_deferred(arena);
	release_blocks(arena, true);
	arena->used = 0;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	run_deferred(arena);
	release_blocks(arena, false);
	mem_free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t left = arena->cap - arena->used;
	void *p = NULL;
	if (size <= left && size <= SIZE_MAX / 2) {
		size_t rounded = (size + (size == 0) + ALIGN - 1) / ALIGN * ALIGN;
		if (rounded <= left)
			p = place(arena, OWN_BLOCKS ? size : rounded);
		if (p)
			arena->used += rounded;
	}
	arena->refusals += !p;
	return p;
}

void *arena_alloc_array(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX; /* refused and counted */
	return arena_alloc(arena, bytes);
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return s ? arena_memdup(arena, s, strlen(s)) : NULL;
}

char *arena_memdup(struct arena *arena, const void *p, size_t n)
{
	char *copy = arena_alloc(arena, n == SIZE_MAX ? n : n + 1);
	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	secret_wipe_stack();
	if (n < 0)
		return NULL;
	char *text = arena_alloc(arena, (size_t)n + 1);
	if (!text)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, ap); /* measured above */
	va_end(ap);
	return text;
}

bool arena_defer(struct arena *arena, void (*func)(void *object), void *object)
{
	struct deferred *d = arena_alloc(arena, sizeof(*d));
	if (!d) {
		func(object);
		return false;
	}
	*d = (struct deferred) { arena->deferred, func, object };
	arena->deferred = d;
	return true;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}

size_t arena_refusals(const struct arena *arena)
{
	return arena->refusals;
}
