/*
 * store_snapshot.c: the local copy of connections and tokens that requests are served from.
 * Replaced as a whole; readers hold a mutex for a look-up, never for I/O.
 *
 * A connection that cannot be opened stands still and is named (store_trouble); the others go on.
 * Where all are sealed under another key, ours is wrong, and the old copy stands.
 */
#include "base/base.h"
#include "store_internal.h"

#include "base/alloc.h"

#define SNAPSHOT_ARENA (256 * 1024 * 1024)

void snapshot_free(struct snapshot *snap)
{
	if (!snap)
		return;
	for (size_t i = 0; i < snap->n_conns; i++)
		connection_unref(snap->conns[i]);
	for (size_t i = 0; i < snap->n_tokens; i++)
		mem_free(snap->tokens[i].doc);
	mem_free(snap->conns);
	mem_free(snap->tokens);
	mem_free(snap);
}

struct stored_connection stored_connection_of(const struct redis_value *list, size_t i)
{
	return (struct stored_connection) { .id = store_item(list, i).p,
					    .rev = store_int(&list->items[i + 1]),
					    .doc = store_item(list, i + 2),
					    .sealed = store_item(list, i + 3),
					    .facts_rev = store_int(&list->items[i + 4]),
					    .facts = store_item(list, i + 5) };
}

/* False only when our key opens none, or memory is out. */
static bool fill_conns(struct store *s, struct arena *arena, const struct redis_value *list,
		       struct snapshot *snap, struct err *err)
{
	struct err first = ERR_INIT;
	snap->conns = mem_alloc_array(list->n / SNAPSHOT_FIELDS + 1, sizeof(struct connection *));
	if (!snap->conns)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i + SNAPSHOT_FIELDS <= list->n; i += SNAPSHOT_FIELDS) {
		struct stored_connection from = stored_connection_of(list, i);
		struct err why = ERR_INIT;
		struct connection **into = &snap->conns[snap->n_conns];
		if (!connection_open(s, arena, &from, into, &why)) {
			if (!connection_is_broken(&why))
				return err_set(err, why.code, "%s", why.message);
			if (!connection_stand_in(arena, &from, &why, into, err))
				return false;
			if (snap->n_unopened++ == 0)
				first = why;
		}
		snap->n_conns++;
	}
	if (snap->n_unopened && snap->n_unopened == snap->n_conns && first.code == ERR_CREDENTIALS)
		return err_set(err, first.code, "%s", first.message);
	snprintf(snap->unopened, sizeof(snap->unopened), "%s", first.message);
	return true;
}

static bool fill_tokens(const struct redis_value *list, struct snapshot *snap, struct err *err)
{
	snap->tokens = mem_alloc_array(list->n / 2 + 1, sizeof(*snap->tokens));
	if (!snap->tokens)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i + 1 < list->n; i += 2) {
		struct stored_token *t = &snap->tokens[snap->n_tokens];
		struct span doc = store_item(list, i + 1);
		snprintf(t->hash, sizeof(t->hash), "%s", store_item(list, i).p);
		t->doc = mem_memdup(doc.p, doc.n);
		if (!t->doc)
			return err_set(err, ERR_MEMORY, "out of memory");
		snap->n_tokens++;
	}
	return true;
}

static bool build(struct store *s, struct arena *arena, const struct redis_value *v,
		  struct snapshot **ret, struct err *err)
{
	CLEANUP(snapshot_free) struct snapshot *snap = mem_alloc(sizeof(*snap));
	if (!snap)
		return err_set(err, ERR_MEMORY, "out of memory");
	snprintf(snap->epoch, sizeof(snap->epoch), "%s", store_item(v, 0).p);
	snap->version = store_int(&v->items[1]);
	if (!fill_conns(s, arena, &v->items[2], snap, err) || !fill_tokens(&v->items[3], snap, err))
		return false;
	*ret = snap;
	snap = NULL;
	return true;
}

/* What Redis holds, or only epoch and version when they are those of the local copy. */
static bool fetch(struct store *s, struct arena *arena, bool wholly, const struct redis_value **ret,
		  struct err *err)
{
	struct num version;
	struct span args[] = { wholly ? SPAN_LIT("") : span_of(s->snapshot->epoch),
			       num_span(&version, wholly ? -1 : s->snapshot->version) };
	if (!store_call(s, arena, "snapshot", args, ARRAY_SIZE(args), ret, err))
		return false;
	if ((*ret)->type != REDIS_ARRAY || ((*ret)->n != 4 && (*ret)->n != 2))
		return store_script_broken("snapshot", err);
	return true;
}

static void replace_snapshot(struct store *s, struct snapshot *next)
{
	pthread_mutex_lock(&s->lock);
	struct snapshot *old = s->snapshot;
	s->snapshot = next;
	s->trouble.n_unopened = next->n_unopened;
	memcpy(s->trouble.unopened, next->unopened, sizeof(s->trouble.unopened));
	pthread_mutex_unlock(&s->lock);
	snapshot_free(old);
}

/* A full disk must not keep a revoked token alive, nor hide a change that stands in Redis: the copy
 * counts at once, the file is tried again. */
static void write_vault(struct store *s, struct arena *arena, const struct redis_value *v)
{
	struct err err = ERR_INIT;
	bool good = vault_write_locked(s, arena, v, &err);
	s->is_vault_stale = !good;
	store_trouble_set(s, s->trouble.vault, good ? NULL : &err);
}

static bool refresh_locked(struct store *s, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SNAPSHOT_ARENA);
	const struct redis_value *v = NULL;
	struct snapshot *next = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!fetch(s, arena, s->is_vault_stale, &v, err))
		return false;
	/* Before its content may replace what the vault holds. */
	if (!span_is(store_item(v, 0), s->epoch.id) &&
	    (!epoch_sync_locked(s, arena, err) || !fetch(s, arena, true, &v, err)))
		return false;
	if (v->n == 2)
		return true;
	if (!span_is(store_item(v, 0), s->epoch.id)) /* the next refresh mends it */
		return err_set(err, ERR_OUTAGE, "Redis has lost its data just now");
	if (!build(s, arena, v, &next, err))
		return false;
	replace_snapshot(s, next);
	write_vault(s, arena, v);
	return true;
}

bool store_refresh(struct store *s, struct err *err)
{
	pthread_mutex_lock(&s->refresh_lock);
	bool done = refresh_locked(s, err);
	pthread_mutex_unlock(&s->refresh_lock);
	return done;
}

static int compare_id(const void *key, const void *item)
{
	return strcmp(key, (*(struct connection *const *)item)->id);
}

struct connection *store_find(struct store *s, const char *id)
{
	struct connection *found = NULL;
	pthread_mutex_lock(&s->lock);
	if (s->snapshot->n_conns) {
		struct connection **at = bsearch(id, s->snapshot->conns, s->snapshot->n_conns,
						 sizeof(struct connection *), compare_id);
		found = at && (*at)->state != CONNECTION_DELETED ? *at : NULL;
	}
	if (found)
		connection_ref(found);
	pthread_mutex_unlock(&s->lock);
	return found;
}

static bool list(struct store *s, bool has_deleted, struct store_list *ret, struct err *err)
{
	size_t taken = 0;
	pthread_mutex_lock(&s->lock);
	size_t n = s->snapshot->n_conns;
	struct connection **items = mem_alloc_array(n + 1, sizeof(struct connection *));
	for (size_t i = 0; items && i < n; i++) {
		struct connection *c = s->snapshot->conns[i];
		if (c->state == CONNECTION_DELETED && !has_deleted)
			continue;
		items[taken++] = c;
		connection_ref(c);
	}
	pthread_mutex_unlock(&s->lock);
	if (!items)
		return err_set(err, ERR_MEMORY, "out of memory");
	*ret = (struct store_list) { items, taken };
	return true;
}

bool store_list(struct store *s, struct store_list *ret, struct err *err)
{
	return list(s, false, ret, err);
}

bool connection_list_all(struct store *s, struct store_list *ret, struct err *err)
{
	return list(s, true, ret, err);
}

void store_list_release(struct store_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		connection_unref(list->items[i]);
	mem_free(list->items);
	*list = (struct store_list) { NULL, 0 };
}
