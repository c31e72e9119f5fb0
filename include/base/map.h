/*
 * map.h: text to pointer, in an arena. For lookups within one request or attempt: codes of a
 * register, rows of an answer.
 *
 * Keys are copied, values are not. Nothing is ever removed; all goes with the arena. Neither many
 * keys nor keys chosen by an outsider make it slow. Not thread-safe.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base.h"
#include "base/arena.h"

struct map;

struct map_entry {
	const char *key;
	void *value;
	const struct map_entry *next; /* in the order in which keys were first put */
};

/* NULL past the arena's cap. */
struct map *map_new(struct arena *arena) MUST_CHECK;
/* Sets the key's value, whether it was there or not; false past the cap. */
bool map_put(struct map *map, const char *key, void *value) MUST_CHECK;
/* The key's value, or NULL; map may be NULL (empty). */
void *map_get(const struct map *map, const char *key);
bool map_has(const struct map *map, const char *key);
size_t map_size(const struct map *map);
/* The first of all entries, NULL when there is none; go on with ->next. */
const struct map_entry *map_first(const struct map *map);

#endif
