/*
 * store.h: small helpers for what the stand-ins keep: a table by text, growing arrays, JSON changed
 * by a patch, and numbers with check digits. Not thread-safe; the owner locks.
 */
#ifndef SANDBOX_STORE_H
#define SANDBOX_STORE_H

#include "base/base.h"
#include "base/arena.h"
#include "codec/json.h"
#include "codec/sign.h"

/* Text to pointer. Keys are borrowed: they live in the value. Zeroed = empty. */
struct table {
	struct table_slot *slots;
	size_t cap, used; /* used counts removed slots too */
};

void *table_get(const struct table *t, const char *key);
/* Replaces an entry with the same key. False when out of memory. */
bool table_put(struct table *t, const char *key, void *value) MUST_CHECK;
/* The value removed, or NULL. */
void *table_remove(struct table *t, const char *key);
void table_release(struct table *t);

/* Room for one more element of `size` bytes in *array; false when out of memory. */
bool array_reserve(void *array_ptr, size_t n, size_t *cap, size_t size) MUST_CHECK;

/* A copy in the arena; "" for NULL and when the arena is full. */
const char *keep_text(struct arena *arena, const char *text);

/* The same texts give the same id: UUIDv5. */
void fixed_id(const char *system, const char *what, const char *which, char ret[UUID_TEXT]);

/* Writes `target` with `patch` merged into it: as RFC 7396, but null is a value (Severa sends
 * nulls) and removes nothing. */
void json_merge(struct json_writer *w, const struct json *target, const struct json *patch);

#define BUSINESS_ID_TEXT 10
/* Finnish business id "1234567-1" of the first usable base at or after `base`
 * (facts/nordic-identifiers.md §1.1). */
void business_id(unsigned base, char ret[BUSINESS_ID_TEXT]);
/* Finnish reference number: the digits of `base` and the check digit (§1.3). Needs 32 bytes. */
void reference_number(int64_t base, char *ret, size_t size);
/* Norwegian KID with a check digit of modulus 10. Needs 32 bytes. */
void kid_number(int64_t base, char *ret, size_t size);

#endif
