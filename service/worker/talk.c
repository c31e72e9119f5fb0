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

/* --- the connection --- */

/* Would the patch change nothing? */
static bool is_in(const struct json *old, const struct json *patch)
{
	if (json_type(patch) != JSON_OBJECT)
		return json_str(patch) && str_eq(json_str(old), json_str(patch));
	for (const struct json *p = json_first(patch); p; p = json_next(p))
		if (!is_in(json_get(old, json_key(p)), p))
			return false;
	return true;
}

static bool merge(struct arena *arena, struct span old, const struct json *patch, const char **ret,
		  struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 256 * 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *was = NULL;
	if (old.n && !json_parse(arena, old, JSON_LIMITS_API, &was, err))
		return false;
	if (!patch || is_in(was, patch)) {
		*ret = NULL;
		return true;
	}
	jsonw_merge(&w, was, patch);
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
	jsonw_kstr(&w, "action", "connection.change");
	jsonw_kstr(&w, "object", at->conn->id);
	jsonw_kstr(&w, "request", record_str(rec, "id"));
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &line, err) && store_audit_add(store_of(at), line, err);
}

/* *ret_is_same: the patch changes nothing. */
static bool make_draft(struct attempt *at, const struct connection *now, const char *patch,
		       struct connection_draft *ret, bool *ret_is_same, struct err *err)
{
	const struct json *j = NULL;
	const char *settings = NULL, *credentials = NULL;
	connection_draft_of(now, ret);
	if (!json_parse(at->arena, span_of(patch), JSON_LIMITS_API, &j, err) ||
	    !merge(at->arena, span_of(ret->settings), json_get(j, "settings"), &settings, err) ||
	    !merge(at->arena, ret->credentials, json_get(j, "credentials"), &credentials, err))
		return false;
	*ret_is_same = !settings && !credentials;
	if (settings)
		ret->settings = settings;
	if (credentials)
		ret->credentials = span_of(credentials);
	connection_draft_stop(now, ret);
	return settle(at, ret, err);
}

bool talk_connection_patch(struct attempt *at, const struct record *rec, const char *patch,
			   struct err *err)
{
	const struct attempt_impl *impl = at->impl;
	struct connection *now = NULL, *made = NULL;
	struct connection_draft draft;
	bool is_same = false;
	if (!store_connection_get(store_of(at), at->conn->id, &now, err) || !keep(at, now, err) ||
	    !make_draft(at, now, patch, &draft, &is_same, err))
		return false;
	if (is_same)
		return true;
	if (!store_connection_put(store_of(at), &draft, &made, err) || !keep(at, made, err))
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

/* What has ended is what transfers may have waited for. They ask again by themselves, so a failure
 * of this costs time alone. */
static void wake_waiting(struct attempt *at)
{
	const struct attempt_impl *impl = at->impl;
	struct err err = ERR_INIT;
	if (!queue_wake_waiting(impl->ctx->opt->queue, at->conn->id, &err))
		log_err(LOG_WARN, "waiting_not_woken", &err);
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
	else if (record_is(&rec, "is_ended"))
		wake_waiting(at);
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
