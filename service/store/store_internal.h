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
	size_t n_conns, n_unopened;
	char unopened[STORE_TROUBLE_MAX]; /* of the first that could not be opened, why */
	struct stored_token *tokens;
	size_t n_tokens;
};
void snapshot_free(struct snapshot *snap);
CLEANUP_FUNC(struct snapshot, snapshot_free)

/* What the file of store_mark.c says. */
struct mark {
	char relay[UUID_TEXT]; /* this data folder's own name */
	int64_t count;
	char epoch[UUID_TEXT]; /* in which it was counted last, and when by the clock of Redis */
	int64_t at_ms;
	bool is_whole; /* the file stands where it was made */
	bool is_damaged;
};

struct store {
	struct redis_pool *pool;
	struct seal_key key;
	char *data_dir; /* NULL: no vault */
	bool is_private;
	char moves[2048];
	/*
	 * Over the vault file and the refresh; held across I/O on purpose, so that an older state
	 * never replaces a newer one. Nothing that serves a request waits for it but an own change.
	 */
	pthread_mutex_t refresh_lock;
	bool is_folder_read;
	struct mark mark;
	struct {
		char epoch[UUID_TEXT];
		int64_t version; /* -1: there is none */
	} vault; /* what the file holds */
	int64_t next_check_ms; /* of the health, monotonic */
	bool is_vault_stale; /* the last write failed: to be tried again */
	pthread_mutex_t lock; /* a leaf, over all below */
	struct snapshot *snapshot; /* never NULL */
	struct store_epoch epoch;
	struct redis_health health; /* written under both locks */
	uint64_t health_of; /* the pool's generation, written as health */
	struct store_trouble trouble;
	const char *lost; /* why, not told yet; NULL: nothing */
};

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
	int64_t rev, facts_rev;
	struct span doc, sealed, facts; /* facts: sealed; empty, and their revision 0, when none */
};
#define SNAPSHOT_FIELDS 6 /* of a connection in snapshot.lua's answer */
/* i: where it begins in the list. */
struct stored_connection stored_connection_of(const struct redis_value *list, size_t i);
/* The record is at fault, and not this process's memory. */
bool connection_is_broken(const struct err *why);
/* In place of one that connection_open refused: stands still, tells why, and can be replaced. */
bool connection_stand_in(struct arena *arena, const struct stored_connection *from,
			 const struct err *why, struct connection **ret,
			 struct err *err) MUST_CHECK;
bool connection_open(struct store *s, struct arena *arena, const struct stored_connection *from,
		     struct connection **ret, struct err *err) MUST_CHECK;
/* The CONN_FIELDS arguments of the scripts; texts in the arena. */
/* A deleted one, too. */
bool connection_read(struct store *s, const char *id, struct connection **ret,
		     struct err *err) MUST_CHECK;
/* As store_list, and those that were deleted, whose transfers can still be read. */
bool connection_list_all(struct store *s, struct store_list *ret, struct err *err) MUST_CHECK;
/* What put_connection (prelude.lua) takes of it: CONN_FIELDS arguments. */
bool connection_write(struct store *s, struct arena *arena, const struct connection *c,
		      struct span *to, struct err *err) MUST_CHECK;
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

/* A missing file is a new one; one that was copied here, or is damaged, says so. */
bool mark_read(struct store *s, struct mark *ret, struct err *err) MUST_CHECK;
bool mark_write(struct store *s, const struct mark *m, struct err *err) MUST_CHECK;

/* Reads the epoch of Redis; begins a new one where it lost data. Holds refresh_lock. */
bool epoch_sync_locked(struct store *s, struct arena *arena, struct err *err) MUST_CHECK;
/* The health check, where the server is not the one of the last, or that is some time ago. */
bool health_follow_locked(struct store *s, struct arena *arena, const char *run_id,
			  struct err *err) MUST_CHECK;
/* field: of s->trouble; err NULL: all is well. */
void store_trouble_set(struct store *s, char *field, const struct err *err);

#endif
