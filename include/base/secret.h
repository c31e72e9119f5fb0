/*
 * secret.h: a value that must not be printed and is wiped when it goes. Compared in constant time.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/base.h"
#include "base/arena.h"

struct secret {
	char *p; /* NUL-terminated; NULL when unset */
	size_t n;
};

/* Heap copy; false when out of memory. */
bool secret_init(struct secret *s, struct span value) MUST_CHECK;
/* Wipes and frees; s becomes unset. */
void secret_release(struct secret *s);
/* A copy in the arena, which keeps secrets from then on. */
bool secret_in_arena(struct arena *arena, struct span value, struct secret *ret) MUST_CHECK;
/* Zeroed room for n bytes and a NUL in an arena that keeps secrets from then on; NULL past its cap.
 */
char *secret_room_in_arena(struct arena *arena, size_t n) MUST_CHECK;
static inline bool secret_is_set(const struct secret *s)
{
	return s->p && s->n > 0;
}
/* Constant time in the length of `value`. */
bool secret_equals(const struct secret *s, struct span value);
void secret_wipe(void *p, size_t n);
/* Overwrites what a call that just returned may have left on the stack. After vsnprintf: where it
 * only measures, glibc from 2.37 on writes the text into a buffer there. */
void secret_wipe_stack(void);

#endif
