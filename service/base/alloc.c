/*
 * alloc.c: malloc and friends, zeroed, overflow-checked, and able to fail on demand.
 *
 * Guarantees that the n-th allocation after alloc_fail_after(n) fails, whichever thread makes it.
 * Does not count, cap or pool anything: that is the arena's job.
 */
#define BASE_MAY_MALLOC
#include "base/base.h"

#include <malloc.h>
#include <stdatomic.h>

#include "base/alloc.h"

/* Two suffice: request and attempt memory comes from arenas, so malloc is not contended. */
#define MALLOC_ARENAS 2

/* Allocations until the one that fails, 0 = never. The only mutable state: the heap is the
 * process's, so its test switch is too. */
static atomic_long fail_in;

void alloc_init(void)
{
	(void)mallopt(M_ARENA_MAX, MALLOC_ARENAS); /* a hint: the default is only larger */
	const char *n = getenv("ALLOC_FAIL");
	if (n)
		alloc_fail_after(strtol(n, NULL, 10));
}

void mem_trim(void)
{
	(void)malloc_trim(0); /* whether any page went is no matter */
}

void alloc_fail_after(long n)
{
	atomic_store(&fail_in, n > 0 ? n : 0);
}

static bool must_fail(void)
{
	if (atomic_load_explicit(&fail_in, memory_order_relaxed) == 0)
		return false;
	return atomic_fetch_sub(&fail_in, 1) == 1;
}

void *mem_alloc(size_t size)
{
	if (must_fail())
		return NULL;
	return calloc(1, size ? size : 1);
}

void *mem_alloc_array(size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return mem_alloc(bytes);
}

void *mem_realloc(void *p, size_t size)
{
	if (must_fail())
		return NULL;
	return realloc(p, size ? size : 1);
}

char *mem_strdup(const char *s)
{
	return mem_memdup(s, strlen(s));
}

char *mem_memdup(const void *p, size_t n)
{
	if (n == SIZE_MAX || must_fail())
		return NULL;
	char *copy = malloc(n + 1);
	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

void mem_free(void *p)
{
	free(p);
}

void mem_free_wiped(void *p, size_t n)
{
	if (p)
		explicit_bzero(p, n);
	free(p);
}

void mem_wipe_free(void *p)
{
	mem_free_wiped(p, p ? malloc_usable_size(p) : 0);
}

void *mem_lib_malloc(size_t size)
{
	return malloc(size ? size : 1);
}

void *mem_lib_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}

char *mem_lib_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = malloc(n);
	if (copy)
		memcpy(copy, s, n);
	return copy;
}

/* Always moves, since a block that realloc moves leaves its old bytes behind. */
void *mem_lib_realloc(void *p, size_t size)
{
	size_t have = p ? malloc_usable_size(p) : 0;
	void *moved = mem_lib_malloc(size);
	if (!moved)
		return NULL;
	if (have)
		memcpy(moved, p, have < size ? have : size);
	mem_wipe_free(p);
	return moved;
}
