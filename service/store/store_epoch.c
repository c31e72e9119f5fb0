/*
 * store_epoch.c: notices that Redis lost data, and puts back what the vault holds. Guarantees that
 * a loss is never taken for a fresh start: the epoch that follows it says "restored", and targets
 * are asked before first sends (DESIGN §4.7).
 *
 * Many relays share one Redis, each with its own vault and mark. The first that notices a loss
 * begins the epoch; the others take part when their vault is newer than what was put back.
 */
#include "base/base.h"
#include "store_internal.h"

#define EPOCH_TRIES 4
#define FIXED_ARGS 8
#define HEAD_ARGS 4 /* of a connection, before put_connection's */
#define CONN_ARGS (HEAD_ARGS + CONN_FIELDS)

/* What stands in Redis. */
struct seen_epoch {
	char id[UUID_TEXT];
	int64_t born_ms, put_back, version, found, count, now_ms;
	bool restored;
	char run_id[48], server_run_id[48];
};

static bool beat(struct store *s, struct arena *arena, struct seen_epoch *ret, struct err *err)
{
	struct num count;
	struct span args[] = { span_of(s->mark.relay), num_span(&count, s->mark.count) };
	const struct redis_value *v = NULL;
	if (!store_call(s, arena, "epoch_beat", args, ARRAY_SIZE(args), &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != 10)
		return store_script_broken("epoch_beat", err);
	*ret = (struct seen_epoch) { .born_ms = store_int(&v->items[1]),
				     .restored = store_int(&v->items[2]) == 1,
				     .put_back = store_int(&v->items[4]),
				     .version = store_int(&v->items[5]),
				     .found = store_int(&v->items[6]),
				     .count = store_int(&v->items[7]),
				     .now_ms = store_int(&v->items[9]) };
	snprintf(ret->id, sizeof(ret->id), "%s", store_item(v, 0).p);
	snprintf(ret->run_id, sizeof(ret->run_id), "%s", store_item(v, 3).p);
	snprintf(ret->server_run_id, sizeof(ret->server_run_id), "%s", store_item(v, 8).p);
	return true;
}

/* --- putting back --- */

static bool head_args(struct arena *arena, const struct stored_connection *from, struct span *to,
		      struct err *err)
{
	struct num *n = arena_alloc_array(arena, 2, sizeof(*n));
	if (!n)
		return err_set(err, ERR_LIMIT, "arena full");
	to[0] = span_of(from->id);
	to[1] = num_span(&n[0], from->rev);
	to[2] = num_span(&n[1], from->facts_rev);
	to[3] = from->facts;
	return true;
}

/* One that cannot be opened goes back as it is, and stands still until somebody looks at it. */
static void unopened_args(const struct stored_connection *from, struct span *to)
{
	for (size_t i = 0; i < CONN_FIELDS; i++)
		to[i] = SPAN_LIT("");
	to[0] = from->doc;
	to[1] = from->sealed;
	to[2] = SPAN_LIT("1");
}

/* One connection of the vault as the script's arguments; it is opened for its limits and schedule.
 */
static bool vault_conn_args(struct store *s, struct arena *arena,
			    const struct stored_connection *from, struct span *to, struct err *err)
{
	struct connection *opened = NULL;
	struct err why = ERR_INIT;
	if (!head_args(arena, from, to, err))
		return false;
	to += HEAD_ARGS;
	if (!connection_open(s, arena, from, &opened, &why)) {
		if (why.code == ERR_MEMORY || why.code == ERR_LIMIT)
			return err_set(err, why.code, "%s", why.message);
		unopened_args(from, to);
		return true;
	}
	CLEANUP(connection_unref) struct connection *c = opened;
	if (!connection_args(arena, c, from->doc, from->sealed, to, err))
		return false;
	/* These point into the connection, which goes. */
	for (size_t i = 3; i < CONN_FIELDS; i++) {
		to[i].p = arena_memdup(arena, to[i].p, to[i].n);
		if (!to[i].p)
			return err_set(err, ERR_LIMIT, "arena full");
	}
	return true;
}

/* `replaces`: the epoch that ends here, "" for none, "-" to add to the one that stands. */
static bool put_back(struct store *s, struct arena *arena, const char *replaces, bool restored,
		     const char *run_id, struct err *err)
{
	struct vault vault;
	if (!vault_read(s, arena, &vault, err))
		return false;
	size_t n = FIXED_ARGS + vault.n_conns * CONN_ARGS + 2 * vault.n_tokens;
	struct span *args = arena_alloc_array(arena, n, sizeof(*args));
	struct num count, version, conns;
	char id[UUID_TEXT];
	if (!args)
		return err_set(err, ERR_LIMIT, "arena full");
	sign_uuid4(id);
	const struct span fixed[FIXED_ARGS] = { span_of(replaces),
						span_of(id),
						restored ? SPAN_LIT("1") : SPAN_LIT("0"),
						span_of(run_id),
						span_of(s->mark.relay),
						num_span(&count, s->mark.count),
						num_span(&version, vault.version),
						num_span(&conns, (int64_t)vault.n_conns) };
	memcpy(args, fixed, sizeof(fixed));
	size_t at = FIXED_ARGS;
	for (size_t i = 0; i < vault.n_conns; i++, at += CONN_ARGS)
		if (!vault_conn_args(s, arena, &vault.conns[i], args + at, err))
			return false;
	for (size_t i = 0; i < vault.n_tokens; i++, at += 2) {
		args[at] = span_of(vault.tokens[i].hash);
		args[at + 1] = vault.tokens[i].doc;
	}
	const struct redis_value *v = NULL;
	return store_call(s, arena, "epoch_new", args, n, &v, err);
}

/* --- judging --- */

/* Another relay began this epoch after a loss, and after we last spoke to the one before: what we
 * miss is told by it already. */
static bool is_covered(const struct store *s, const struct seen_epoch *seen)
{
	return seen->id[0] && seen->restored && !str_eq(s->mark.epoch, seen->id) &&
	       seen->born_ms >= s->mark.at_ms;
}

/*
 * Why Redis cannot be trusted to remember everything since this epoch was born; NULL when it can.
 * Another server, or one that was started again, may be a replica that was behind, or may have lost
 * what was not on disk, whatever it promises now. Only our own child on our own folder is known to
 * be the same one.
 */
static const char *what_was_lost(const struct store *s, const struct seen_epoch *seen)
{
	bool is_own_child = s->is_private && s->health.durability == REDIS_FSYNC;
	bool is_told = is_covered(s, seen);
	if (!seen->id[0])
		return "Redis is empty";
	if (!is_told && seen->version < s->vault.version)
		return "Redis has older connections or tokens than this relay";
	if (!is_told && seen->found < s->mark.count)
		return "Redis went back to an earlier state";
	if (s->mark.is_damaged)
		return "the mark in the data folder is damaged";
	if (s->is_private && !s->mark.is_whole)
		return "the data folder was put back from a copy, or its mark was removed";
	if (!is_own_child && !str_eq(seen->run_id, seen->server_run_id))
		return "Redis was started again, or another server took over";
	return NULL;
}

/* This vault may hold what came after what another relay put back; our count begins anew. */
static bool has_more(const struct store *s, const struct seen_epoch *seen)
{
	bool is_newer = !str_eq(s->vault.epoch, seen->id) && s->vault.version > seen->put_back;
	return is_covered(s, seen) && (is_newer || seen->found < s->mark.count);
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

static void note_loss(struct store *s, const char *lost)
{
	pthread_mutex_lock(&s->lock);
	s->lost = lost;
	pthread_mutex_unlock(&s->lock);
}

static void keep_mark(struct store *s, const struct seen_epoch *seen)
{
	struct err err = ERR_INIT;
	s->mark.count = seen->count;
	s->mark.at_ms = seen->now_ms;
	memcpy(s->mark.epoch, seen->id, sizeof(s->mark.epoch));
	s->mark.is_whole = true;
	s->mark.is_damaged = false;
	bool good = mark_write(s, &s->mark, &err);
	store_trouble_set(s, s->trouble.mark, good ? NULL : &err);
}

/* What is known of the data folder: read once, then kept up by what we write there. */
static bool read_folder(struct store *s, struct arena *arena, struct err *err)
{
	struct vault vault;
	if (s->is_folder_read)
		return true;
	if (!vault_read(s, arena, &vault, err) || !mark_read(s, &s->mark, err))
		return false;
	memcpy(s->vault.epoch, vault.epoch, sizeof(s->vault.epoch));
	s->vault.version = vault.exists ? vault.version : -1;
	s->is_folder_read = true;
	return true;
}

bool epoch_sync_locked(struct store *s, struct arena *arena, struct err *err)
{
	if (!read_folder(s, arena, err))
		return false;
	bool is_first = s->vault.version < 0 && s->mark.count == 0 && !s->epoch.id[0];
	for (int i = 0; i < EPOCH_TRIES; i++) {
		struct seen_epoch seen;
		if (!beat(s, arena, &seen, err) ||
		    !health_follow_locked(s, arena, seen.server_run_id, err))
			return false;
		const char *lost = what_was_lost(s, &seen);
		if (!lost && !has_more(s, &seen)) {
			if (!str_eq(seen.run_id, seen.server_run_id) &&
			    !note_run_id(s, arena, seen.server_run_id, err))
				return false;
			adopt(s, &seen);
			keep_mark(s, &seen);
			return true;
		}
		bool restored = !is_first || seen.id[0];
		if (!put_back(s, arena, lost ? seen.id : "-", restored, seen.server_run_id, err))
			return false;
		if (lost && restored)
			note_loss(s, lost);
		/* Told by this epoch, whoever began it just now. */
		s->mark.is_whole = true;
		s->mark.is_damaged = false;
	}
	return err_set(err, ERR_OUTAGE, "the epoch in Redis changes all the time");
}

void store_epoch_get(struct store *s, struct store_epoch *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->epoch;
	pthread_mutex_unlock(&s->lock);
}
