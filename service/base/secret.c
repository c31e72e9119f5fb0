/*
 * secret.c: values that are wiped when they go.
 *
 * Guarantees no early exit in comparing. Does not lock pages in memory.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/secret.h"

void secret_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

/* Not inlined, so that its frame lies where the other call's did. */
__attribute__((noinline)) void secret_wipe_stack(void)
{
	char below[512];
	secret_wipe(below, sizeof(below));
}

bool secret_init(struct secret *s, struct span value)
{
	char *p = mem_memdup(value.p, value.n);
	if (!p)
		return false;
	*s = (struct secret) { p, value.n };
	return true;
}

void secret_release(struct secret *s)
{
	mem_free_wiped(s->p, s->n);
	*s = (struct secret) { NULL, 0 };
}

char *secret_room_in_arena(struct arena *arena, size_t n)
{
	arena_keep_secrets(arena);
	return n < SIZE_MAX ? arena_alloc(arena, n + 1) : NULL;
}

bool secret_in_arena(struct arena *arena, struct span value, struct secret *ret)
{
	char *p = secret_room_in_arena(arena, value.n);
	if (!p)
		return false;
	if (value.n)
		memcpy(p, value.p, value.n);
	*ret = (struct secret) { p, value.n };
	return true;
}

bool secret_equals(const struct secret *s, struct span value)
{
	if (!s->p)
		return false;
	/* volatile: the compiler must not stop at the first difference */
	volatile unsigned char diff = (unsigned char)(s->n != value.n);
	for (size_t i = 0; i < value.n; i++) {
		char own = s->n ? s->p[i % s->n] : '\0';
		diff |= (unsigned char)(own ^ value.p[i]);
	}
	return diff == 0;
}
