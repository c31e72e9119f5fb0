/*
 * store_epoch.c: notices that Redis lost data, and puts back what the vault holds. Guarantees that
 * a loss is never taken for a fresh start: the epoch that follows it says "restored", and targets
 * are asked before first sends (DESIGN §4.7).
 */
#include "base/base.h"
#include "store_internal.h"

#define EPOCH_ARENA (256 * 1024 * 1024)

struct seen_epoch {
	char id[UUID_TEXT];
	int64_t born_ms, version;
	bool restored;
	char run_id[48];
};

static bool read_epoch(struct store *s, struct arena *arena, struct seen_epoch *ret,
		       struct err *err)
{
	const struct redis_value *v = NULL;
	if (!store_call(s, arena, "epoch_get", NULL, 0, &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != 5)
		return store_script_broken("epoch_get", err);
	*ret = (struct seen_epoch) { .born_ms = store_int(&v->items[1]),
				     .restored = store_int(&v->items[2]) == 1,
				     .version = store_int(&v->items[4]) };
	snprintf(ret->id, sizeof(ret->id), "%s", store_item(v, 0).p);
	snprintf(ret->run_id, sizeof(ret->run_id), "%s", store_item(v, 3).p);
	return true;
}

/* One connection of the vault as the script's arguments; it is opened for its limits and schedule.
 */
static bool vault_conn_args(struct store *s, struct arena *arena,
			    const struct stored_connection *from, struct span *to, struct err *err)
{
	struct num *rev = arena_alloc(arena, sizeof(*rev));
	struct connection *opened = NULL;
	if (!rev)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!connection_open(s, arena, from, &opened, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = opened;
	to[0] = span_of(from->id);
	to[1] = num_span(rev, from->rev);
	if (!connection_args(arena, c, from->doc, from->sealed, to + 2, err))
		return false;
	/* These point into the connection, which goes. */
	for (size_t i = 5; i < 2 + CONN_FIELDS; i++) {
		to[i].p = arena_memdup(arena, to[i].p, to[i].n);
		if (!to[i].p)
			return err_set(err, ERR_LIMIT, "arena full");
	}
	return true;
}

static bool begin_epoch(struct store *s, struct arena *arena, const struct seen_epoch *old,
			const struct vault *vault, bool restored, const char *run_id,
			struct err *err)
{
	size_t n = 6 + vault->n_conns * (2 + CONN_FIELDS) + 2 * vault->n_tokens;
	struct span *args = arena_alloc_array(arena, n, sizeof(*args));
	struct num version, count;
	char id[UUID_TEXT];
	if (!args)
		return err_set(err, ERR_LIMIT, "arena full");
	sign_uuid4(id);
	args[0] = span_of(old->id);
	args[1] = span_of(id);
	args[2] = restored ? SPAN_LIT("1") : SPAN_LIT("0");
	args[3] = span_of(run_id);
	args[4] = num_span(&version, vault->version);
	args[5] = num_span(&count, (int64_t)vault->n_conns);
	size_t at = 6;
	for (size_t i = 0; i < vault->n_conns; i++, at += 2 + CONN_FIELDS)
		if (!vault_conn_args(s, arena, &vault->conns[i], args + at, err))
			return false;
	for (size_t i = 0; i < vault->n_tokens; i++, at += 2) {
		args[at] = span_of(vault->tokens[i].hash);
		args[at + 1] = vault->tokens[i].doc;
	}
	const struct redis_value *v = NULL;
	return store_call(s, arena, "epoch_new", args, n, &v, err);
}

/* A server that started again without fsync may have lost what it answered last. */
static bool may_have_lost(const struct seen_epoch *seen, const struct redis_health *health)
{
	return health && health->durability != REDIS_FSYNC && seen->run_id[0] &&
	       !str_eq(seen->run_id, health->run_id);
}

static bool note_run_id(struct store *s, struct arena *arena, const char *run_id, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	return redis_commandf(r, arena, &v, err, "HSET %sepoch run %s", redis_prefix(s->pool),
			      run_id);
}

static void adopt(struct store *s, const struct seen_epoch *seen)
{
	pthread_mutex_lock(&s->lock);
	memcpy(s->epoch.id, seen->id, sizeof(s->epoch.id));
	s->epoch.born_ms = seen->born_ms;
	s->epoch.restored = seen->restored;
	pthread_mutex_unlock(&s->lock);
}

bool epoch_sync_locked(struct store *s, struct arena *arena, const struct redis_health *health,
		       bool *ret_restored, struct err *err)
{
	struct seen_epoch seen;
	struct vault vault;
	*ret_restored = false;
	if (!read_epoch(s, arena, &seen, err) || !vault_read(s, arena, &vault, err))
		return false;
	const char *run_id = health ? health->run_id : "";
	bool behind = vault.exists && seen.version < vault.version;
	bool lost = may_have_lost(&seen, health);
	if (!seen.id[0] || behind || lost) {
		bool restored = vault.exists || seen.id[0] || s->epoch.id[0];
		if (!begin_epoch(s, arena, &seen, &vault, restored, run_id, err) ||
		    !read_epoch(s, arena, &seen, err))
			return false;
		*ret_restored = restored;
	} else if (health && !str_eq(seen.run_id, run_id)) {
		if (!note_run_id(s, arena, run_id, err))
			return false;
	}
	adopt(s, &seen);
	return true;
}

bool store_epoch_sync(struct store *s, const struct redis_health *health, struct store_epoch *ret,
		      bool *ret_restored, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(EPOCH_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	bool restored = false;
	pthread_mutex_lock(&s->refresh_lock);
	bool done = epoch_sync_locked(s, arena, health, &restored, err) && refresh_locked(s, err);
	pthread_mutex_unlock(&s->refresh_lock);
	if (!done)
		return false;
	store_epoch_get(s, ret);
	*ret_restored = restored;
	return true;
}

void store_epoch_get(struct store *s, struct store_epoch *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->epoch;
	pthread_mutex_unlock(&s->lock);
}
