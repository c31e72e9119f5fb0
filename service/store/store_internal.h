/* store_internal.h: what the files of store/ share. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/store.h"

#define BORROW_WAIT_MS 2000
#define HASH_HEX_MAX 65
#define CONN_FIELDS 12 /* as in the scripts' put_connection */

struct stored_token {
	char hash[HASH_HEX_MAX];
	char *doc; /* JSON */
};

/* Connections and tokens at one version; replaced as a whole. */
struct snapshot {
	char epoch[UUID_TEXT];
	int64_t version;
	struct connection **conns; /* by id */
	size_t n_conns;
	struct stored_token *tokens;
	size_t n_tokens;
};
void snapshot_free(struct snapshot *snap);
CLEANUP_FUNC(struct snapshot, snapshot_free)

struct store {
	struct redis_pool *pool;
	struct seal_key key;
	char *data_dir; /* NULL: no vault */
	char moves[2048];
	/*
	 * Over the vault file and the refresh; held across I/O on purpose, so that an older state
	 * never replaces a newer one. Nothing that serves a request waits for it but an own change.
	 */
	pthread_mutex_t refresh_lock;
	bool is_vault_stale; /* the last write failed: to be tried again */
	pthread_mutex_t lock; /* a leaf, over the two below */
	struct snapshot *snapshot; /* never NULL */
	struct store_epoch epoch;
};

struct num {
	char text[24];
};
static inline struct span num_span(struct num *n, int64_t v)
{
	int len = snprintf(n->text, sizeof(n->text), "%" PRId64, v);
	return (struct span) { n->text, (size_t)len };
}
static inline struct span text_span(const char *s)
{
	return s ? span_of(s) : SPAN_LIT("");
}

int64_t store_int(const struct redis_value *v);
/* Bytes of item i of an array; empty when absent. */
struct span store_item(const struct redis_value *v, size_t i);
bool store_call(struct store *s, struct arena *arena, const char *script, const struct span *args,
		size_t n, const struct redis_value **ret, struct err *err) MUST_CHECK;
static inline bool store_script_broken(const char *script, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "script %s answered in an unknown form", script);
}

/* One connection as it stands in Redis and in the vault. */
struct stored_connection {
	const char *id;
	int64_t rev;
	struct span doc, sealed;
};
bool connection_open(struct store *s, struct arena *arena, const struct stored_connection *from,
		     struct connection **ret, struct err *err) MUST_CHECK;
/* The CONN_FIELDS arguments of the scripts; texts in the arena. */
bool connection_args(struct arena *arena, const struct connection *c, struct span doc,
		     struct span sealed, struct span *to, struct err *err) MUST_CHECK;

/* What the vault file holds; texts in the arena. */
struct vault {
	bool exists;
	char epoch[UUID_TEXT];
	int64_t version;
	struct stored_connection *conns;
	size_t n_conns;
	struct {
		const char *hash;
		struct span doc;
	} * tokens;
	size_t n_tokens;
};
bool vault_read(struct store *s, struct arena *arena, struct vault *ret,
		struct err *err) MUST_CHECK;
/* From snapshot.lua's answer. Holds refresh_lock. */
bool vault_write_locked(struct store *s, struct arena *arena, const struct redis_value *snapshot,
			struct err *err) MUST_CHECK;

/* Reads the epoch of Redis; begins a new one where it lost data. Holds refresh_lock. */
bool epoch_sync_locked(struct store *s, struct arena *arena, const struct redis_health *health,
		       bool *ret_restored, struct err *err) MUST_CHECK;
/* Loads the snapshot when it moved, and writes the vault. */
bool refresh_locked(struct store *s, struct err *err) MUST_CHECK;

#endif
