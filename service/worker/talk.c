/*
 * talk.c: goes on with the dialogues of a connection. A record is in one pair of hands at a time (a
 * lease by its id), and each change of it is stored against the revision that it was read as: a
 * worker that lost its job finds that out before it does anything that cannot be repeated. What
 * fails while a record still works comes again, ever more slowly, until somebody ends it.
 */
#include "base/base.h"

#include "talk.h"

#include "base/clock.h"
#include "base/log.h"

#define AGAIN_FIRST_MS 5000
#define AGAIN_LAST_MS (60 * 60 * 1000)

static struct store *store_of(struct attempt *at)
{
	const struct attempt_impl *impl = at->impl;
	assert(impl->magic == RUN_MAGIC);
	return impl->ctx->opt->store;
}

static const struct dialogue *dialogue_of(const struct flow *flow, const char *name)
{
	for (size_t i = 0; i < flow->n_dialogues; i++)
		if (str_eq(flow->dialogues[i].name, name))
			return &flow->dialogues[i];
	return NULL;
}

static enum dialogue_stage stage_of(const struct dialogue *d, const struct record *rec)
{
	for (size_t i = 0; i < d->n_states; i++)
		if (str_eq(d->states[i].name, record_str(rec, "state")))
			return d->states[i].stage;
	return DIALOGUE_ENDED; /* of another build: it is left alone */
}

static bool read_facts(struct attempt *at, const char *conn, struct facts *ret, struct err *err)
{
	const char *json;
	int64_t rev;
	return store_facts_get(store_of(at), at->arena, conn, &json, &rev, err) &&
	       facts_read(at->arena, json, rev, ret, err);
}

/* --- what a flow may do --- */

bool talk_record_put(struct attempt *at, const char *dialogue, struct record *rec, struct err *err)
{
	const struct record_put put = {
		.conn = at->conn->id, .dialogue = dialogue, .record = rec, .facts_rev = -1
	};
	return store_record_put(store_of(at), at->arena, &put, err);
}

bool talk_records(struct attempt *at, const char *dialogue, struct record **ret, size_t *ret_n,
		  struct err *err)
{
	struct facts facts;
	struct record *all = arena_alloc_array(at->arena, RECORDS_MAX, sizeof(*all));
	if (!all)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!read_facts(at, at->conn->id, &facts, err))
		return false;
	*ret_n = facts_records(&facts, dialogue, all, RECORDS_MAX);
	*ret = all;
	return true;
}

static bool may_see(const struct json *conns, const char *id)
{
	for (const struct json *c = json_first(conns); c; c = json_next(c))
		if (str_eq(json_str(c), id))
			return true;
	return json_is_null(conns);
}

static void release_list(void *list)
{
	store_list_release(list);
}

bool talk_peers(struct attempt *at, const struct record *rec, const struct peer **ret,
		size_t *ret_n, struct err *err)
{
	const struct attempt_impl *impl = at->impl;
	const struct json *conns = rec ? record_get(rec, "conns")
				       : json_get(run_args(impl->run), "conns");
	struct store_list *list = arena_alloc(at->arena, sizeof(*list));
	size_t n = 0;
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!store_list(store_of(at), list, err))
		return false;
	struct peer *peers = arena_defer(at->arena, release_list, list)
				     ? arena_alloc_array(at->arena, list->n + 1, sizeof(*peers))
				     : NULL;
	if (!peers)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < list->n; i++) {
		const struct connection *c = list->items[i];
		if (!str_eq(c->flow, at->conn->flow) || str_eq(c->id, at->conn->id) ||
		    !may_see(conns, c->id))
			continue;
		peers[n].conn = c;
		if (!read_facts(at, c->id, &peers[n].facts, err))
			return false;
		n++;
	}
	*ret = peers;
	*ret_n = n;
	return true;
}

/* --- credentials --- */

static const char *new_value(const struct new_credential *items, size_t n, const char *system,
			     const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(items[i].system, system) && str_eq(items[i].name, name))
			return items[i].value;
	return NULL;
}

static bool has_all(const struct json *credentials, const struct new_credential *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!str_eq(json_str(json_get(json_get(credentials, items[i].system),
					      items[i].name)),
			    items[i].value))
			return false;
	return true;
}

static void write_system(struct json_writer *w, const char *system, const struct json *old,
			 const struct new_credential *items, size_t n)
{
	jsonw_key(w, system);
	jsonw_object(w);
	for (const struct json *m = json_first(old); m; m = json_next(m)) {
		if (new_value(items, n, system, json_key(m)))
			continue;
		jsonw_key(w, json_key(m));
		jsonw_node(w, m);
	}
	for (size_t i = 0; i < n; i++)
		if (str_eq(items[i].system, system))
			jsonw_kstr(w, items[i].name, items[i].value);
	jsonw_end_object(w);
}

/* The credentials with the new ones in the place of the old. */
static bool merge(struct arena *arena, const struct json *old, const struct new_credential *items,
		  size_t n, const char **ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 * 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	for (const struct json *sys = json_first(old); sys; sys = json_next(sys))
		write_system(&w, json_key(sys), sys, items, n);
	for (size_t i = 0; i < n; i++) {
		bool is_written = json_get(old, items[i].system) != NULL;
		for (size_t k = 0; k < i; k++)
			is_written |= str_eq(items[k].system, items[i].system);
		if (!is_written)
			write_system(&w, items[i].system, NULL, items, n);
	}
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

static void unref(void *conn)
{
	connection_unref(conn);
}

static bool keep(struct attempt *at, struct connection *conn, struct err *err)
{
	if (!arena_defer(at->arena, unref, conn))
		return err_set(err, ERR_LIMIT, "arena full");
	at->conn = conn;
	return true;
}

static bool settle(struct attempt *at, struct connection_draft *draft, struct err *err)
{
	const struct attempt_impl *impl = at->impl;
	const struct json *settings = NULL, *credentials = NULL;
	return json_parse(at->arena, span_of(draft->settings), JSON_LIMITS_API, &settings, err) &&
	       json_parse(at->arena, draft->credentials, JSON_LIMITS_API, &credentials, err) &&
	       impl->flow->settle(at->arena, at->systems, settings, credentials, draft->limits,
				  &draft->n_limits, err);
}

static bool audit(struct attempt *at, const struct record *rec, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(at->arena, 2048);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *line;
	jsonw_object(&w);
	jsonw_ktime(&w, "at", clock_wall_ms());
	jsonw_kstr(&w, "token", record_str(rec, "by_token"));
	jsonw_kstr(&w, "who", record_str(rec, "by"));
	jsonw_kstr(&w, "action", "connection.credentials");
	jsonw_kstr(&w, "object", at->conn->id);
	jsonw_kstr(&w, "request", record_str(rec, "id"));
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &line, err) && store_audit_add(store_of(at), line, err);
}

bool talk_credentials_put(struct attempt *at, const struct new_credential *items, size_t n,
			  const struct record *rec, struct err *err)
{
	const struct attempt_impl *impl = at->impl;
	struct connection *now = NULL, *made = NULL;
	struct connection_draft draft;
	const struct json *old = NULL;
	const char *text;
	if (!store_connection_get(store_of(at), at->conn->id, &now, err) || !keep(at, now, err))
		return false;
	struct span stored = { now->credentials.p, now->credentials.n };
	if (stored.n && !json_parse(at->arena, stored, JSON_LIMITS_API, &old, err))
		return false;
	if (has_all(old, items, n))
		return true;
	connection_draft_of(now, &draft);
	if (!merge(at->arena, old, items, n, &text, err))
		return false;
	draft.credentials = span_of(text);
	connection_draft_stop(now, &draft);
	if (!settle(at, &draft, err) || !store_connection_put(store_of(at), &draft, &made, err) ||
	    !keep(at, made, err))
		return false;
	return store_refresh(store_of(at), err) &&
	       queue_unblock(impl->ctx->opt->queue, made->limits, made->n_limits, err) &&
	       audit(at, rec, err);
}

/* --- runs --- */

static void put_error(struct record *rec, const struct err *why)
{
	struct strbuf sb = STRBUF_INIT(rec->arena, 8192);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json;
	err_write(&w, why);
	if (strbuf_finish(&sb, &json, NULL))
		record_put_json(rec, "error", json);
}

/* How long until a record that failed comes again. */
static int64_t again_ms(struct record *rec, const struct err *why)
{
	int64_t tries = record_int(rec, "tries") + 1, ms = AGAIN_FIRST_MS;
	record_put_int(rec, "tries", tries);
	while (--tries > 0 && ms < AGAIN_LAST_MS)
		ms *= 2;
	if (why->retry_after_ms > ms)
		ms = why->retry_after_ms;
	return ms < AGAIN_LAST_MS ? ms : AGAIN_LAST_MS;
}

/* What proceed left, and its failure, stored. */
static bool store_outcome(struct attempt *at, const struct dialogue *d, struct record *rec,
			  const struct err *why, struct err *err)
{
	enum dialogue_stage stage = stage_of(d, rec);
	if (why->code != ERR_NONE) {
		put_error(rec, why);
		if (stage == DIALOGUE_WORKS)
			record_put_int(rec, "due_ms", clock_wall_ms() + again_ms(rec, why));
	} else {
		record_remove(rec, "error");
		record_remove(rec, "tries");
	}
	if (stage == DIALOGUE_ENDED)
		record_remove(rec, "due_ms");
	record_put_bool(rec, "is_ended", stage == DIALOGUE_ENDED);
	return talk_record_put(at, d->name, rec, err);
}

static bool go_on(struct attempt *at, const struct dialogue *d, const char *id, struct err *err)
{
	struct facts facts;
	struct record rec;
	struct err why = ERR_INIT, stored = ERR_INIT;
	if (!read_facts(at, at->conn->id, &facts, err))
		return false;
	if (!facts_record(&facts, d->name, id, &rec))
		return err_set(err, ERR_NOT_FOUND, "no %s %s", d->name, id);
	if (stage_of(d, &rec) == DIALOGUE_ENDED) {
		bool is_due = record_int(&rec, "due_ms") != 0;
		record_remove(&rec, "due_ms");
		return !is_due || talk_record_put(at, d->name, &rec, err);
	}
	bool ok = d->proceed(at, &rec, &why);
	bool is_lost = why.code == ERR_LEASE ||
		       (why.code == ERR_CONFLICT && str_eq(why.reason, "stale"));
	if (!ok && is_lost) {
		if (err)
			*err = why;
		return false;
	}
	if (!store_outcome(at, d, &rec, &why, &stored))
		why = stored;
	if (why.code == ERR_NONE)
		return true;
	if (err)
		*err = why;
	return false;
}

static bool go_on_alone(struct attempt *at, const struct dialogue *d, const char *id,
			struct err *err)
{
	const char *lease = arena_printf(at->arena, "dialogue:%s:%s", at->conn->id, id);
	if (!lease)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!at->ops->record_lease(at, lease, err))
		return false;
	bool ok = go_on(at, d, id, err);
	at->ops->record_release(at, lease);
	return ok;
}

/* Nobody waits for what comes of these: each has its own failure, which people see with it. */
static void go_on_due(struct attempt *at, const struct dialogue *d, const struct facts *facts,
		      struct err *err)
{
	struct record *all = arena_alloc_array(at->arena, RECORDS_MAX, sizeof(*all));
	size_t n = all ? facts_records(facts, d->name, all, RECORDS_MAX) : 0;
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		int64_t due_ms = record_int(&all[i], "due_ms");
		if (due_ms == 0 || due_ms > clock_wall_ms())
			continue;
		if (!go_on_alone(at, d, record_str(&all[i], "id"), &why) && err->code == ERR_NONE)
			*err = why;
	}
}

/* Also without anything due: then the store learns when something will be. */
static bool go_on_all(struct attempt *at, const struct flow *flow, struct err *err)
{
	struct facts facts;
	struct err why = ERR_INIT;
	const char *json;
	int64_t rev;
	if (!read_facts(at, at->conn->id, &facts, err))
		return false;
	for (size_t i = 0; i < flow->n_dialogues; i++)
		go_on_due(at, &flow->dialogues[i], &facts, &why);
	if (why.code != ERR_NONE) {
		if (err)
			*err = why;
		return false;
	}
	return store_facts_get(store_of(at), at->arena, at->conn->id, &json, &rev, err) &&
	       (rev != facts.rev ||
		store_facts_set(store_of(at), at->conn->id, rev, json, &rev, err));
}

bool talk_run(struct attempt *at, const struct flow *flow, const struct json *args, struct err *err)
{
	const char *name = json_str(json_get(args, "dialogue"));
	const char *id = json_str(json_get(args, "id"));
	const char *language = json_str(json_get(args, "language"));
	const struct dialogue *d = name ? dialogue_of(flow, name) : NULL;
	at->language = language ? language : "";
	if (!name)
		return go_on_all(at, flow, err);
	if (!d || (!id && !d->candidates))
		return err_set(err, ERR_SYSTEM, "flow %s has no such dialogue", flow->name);
	return id ? go_on_alone(at, d, id, err) : d->candidates(at, err);
}
