/*
 * links.h: the links of register records (model/record_link.h), in batches: a page of records is
 * one round trip. Sealed at rest but for the ids. Not in the vault: links are rebuilt from the two
 * sides (register.h).
 */
#ifndef STORE_LINKS_H
#define STORE_LINKS_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/record_link.h"
#include "net/redis.h"
#include "store/store.h"

/* A creation that was begun, and whose outcome is not known yet (DESIGN §4.6). */
struct link_intent {
	bool is_open;
	int64_t age_ms; /* by the clock of Redis, as all of it */
	int lookups; /* that found nothing */
	int64_t lookup_age_ms; /* since the last of them */
};

struct stored_link {
	struct record_link link; /* both ids NULL: none */
	struct link_intent intent; /* of the record that was asked for */
	bool is_through; /* settled in the run that was asked for */
};

struct links_query {
	const struct link_table *table;
	enum link_side side; /* of the ids */
	const char *const *ids;
	size_t n; /* at most LINK_BATCH_MAX */
	const char *run; /* NULL: none */
};
bool store_links_get(struct store *s, struct arena *arena, const struct links_query *q,
		     struct stored_link *ret, struct err *err) MUST_CHECK;

/* Both ids are needed. One whose record at the right is linked with another already is left out. */
bool store_links_put(struct store *s, const struct link_table *table,
		     const struct record_link *links, size_t n, struct err *err) MUST_CHECK;

/* The source has deleted its record of the two; the other is free for another one. */
bool store_links_drop(struct store *s, const struct link_table *table, const char *left,
		      const char *right, struct err *err) MUST_CHECK;

/* The three arguments of the scripts' put_link; texts in the arena. */
#define LINK_ARGS 3
bool store_link_args(struct store *s, struct arena *arena, const struct link_table *table,
		     const struct record_link *link, struct span to[LINK_ARGS],
		     struct err *err) MUST_CHECK;

/* "scope:kind", as keys name a table. */
const char *store_links_name(struct arena *arena, const struct link_table *table,
			     struct err *err) MUST_CHECK;

/* Seals what stands in Redis beside the links, bound to its place. */
bool store_seal(struct store *s, struct arena *arena, const char *place, const char *plain,
		struct span *ret, struct err *err) MUST_CHECK;
/* NULL when it cannot be opened. */
const char *store_unseal(struct store *s, struct arena *arena, const char *place,
			 struct span sealed) MUST_CHECK;

#endif
