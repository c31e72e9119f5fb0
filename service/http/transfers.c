/*
 * transfers.c: /v1/transfers: search, one with its timeline, retry, resend, cancel, arrived, retry
 * of many by filter (counted first).
 */
#include "base/base.h"

#include "base/clock.h"
#include "connections.h"
#include "handlers.h"
#include "model/reason.h"

#define PAGE_JSON_MAX ((size_t)3 * 1024 * 1024)
#define LIMIT_PRESET 50
#define LIMIT_MAX 200
#define RETRY_MANY_MAX 10000

static void kstr_or_null(struct json_writer *w, const char *key, const char *s)
{
	jsonw_kstr(w, key, s && *s ? s : NULL);
}

static void write_fields(struct json_writer *w, struct request *rq, const struct transfer *t)
{
	jsonw_kstr(w, "id", t->id);
	jsonw_kstr(w, "connection", t->conn);
	jsonw_kstr(w, "kind", t->kind);
	jsonw_kstr(w, "source_id", t->source_id);
	kstr_or_null(w, "number", t->number);
	jsonw_kstr(w, "state", state_name(t->state));
	jsonw_key(w, "error");
	respond_failure(rq, w, t->error_code, t->error_json);
	jsonw_kbool(w, "delivered", t->delivered);
	jsonw_kbool(w, "rechecking", t->rechecking);
	jsonw_kint(w, "generation", t->generation);
	jsonw_kint(w, "tries", t->try_no);
	jsonw_kint(w, "rev", t->rev);
	kstr_or_null(w, "origin", t->origin);
	jsonw_ktime(w, "created_at", t->created_ms);
	jsonw_ktime(w, "updated_at", t->updated_ms);
	jsonw_ktime(w, "due_at", t->due_ms);
}

static bool parse_time(const char *text, const char *name, int64_t *ret, struct err *err)
{
	*ret = 0;
	if (!text || clock_parse_rfc3339(span_of(text), ret))
		return true;
	return problem(err, ERR_INPUT, "value_invalid", name, "not an RFC 3339 time");
}

static bool parse_states(const char *text, unsigned *ret, struct err *err)
{
	*ret = 0;
	for (const char *p = text ? text : ""; *p;) {
		size_t n = strcspn(p, ",");
		enum transfer_state s;
		if (!state_parse((struct span) { p, n }, &s))
			return problem(err, ERR_INPUT, "value_invalid", "state", "no such state");
		*ret |= 1u << s;
		p += n;
		p += *p == ',';
	}
	return true;
}

static bool parse_limit(const char *text, size_t max, size_t *ret, struct err *err)
{
	*ret = LIMIT_PRESET;
	if (!text)
		return true;
	size_t v = 0, n = strlen(text);
	for (size_t i = 0; i < n && n <= 4; i++)
		v = text[i] >= '0' && text[i] <= '9' ? v * 10 + (size_t)(text[i] - '0') : max + 1;
	if (n == 0 || n > 4 || v < 1 || v > max)
		return problem(err, ERR_INPUT, "value_invalid", "limit", "1 to %zu", max);
	*ret = v;
	return true;
}

/* The filter's connections: the one asked for, or those of the token. */
static bool set_conns(struct request *rq, const char *wanted, struct transfer_filter *f,
		      struct err *err)
{
	if (wanted) {
		const char **one = arena_alloc(rq->arena, sizeof(*one));
		if (!one)
			return err_set(err, ERR_LIMIT, "arena full");
		if (!auth_connection(rq, wanted, err))
			return false;
		one[0] = wanted;
		f->conns = one;
		f->n_conns = 1;
	} else {
		f->conns = rq->token.conns;
		f->n_conns = rq->token.n_conns;
	}
	return true;
}

bool handle_transfers_list(struct request *rq, struct err *err)
{
	struct transfer_filter f = { .error_code = request_query(rq, "error"),
				     .number = request_query(rq, "number"),
				     .kind = request_query(rq, "kind"),
				     .cursor = request_query(rq, "cursor") };
	struct transfer_page page;
	if (!parse_states(request_query(rq, "state"), &f.states, err) ||
	    !parse_time(request_query(rq, "since"), "since", &f.since_ms, err) ||
	    !parse_time(request_query(rq, "until"), "until", &f.until_ms, err) ||
	    !parse_limit(request_query(rq, "limit"), LIMIT_MAX, &f.limit, err) ||
	    !set_conns(rq, request_query(rq, "connection"), &f, err) ||
	    !store_transfer_list(rq->opt->store, rq->arena, &f, &page, err))
		return false;
	struct strbuf sb = STRBUF_INIT(rq->arena, PAGE_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; i < page.n; i++) {
		jsonw_object(&w);
		write_fields(&w, rq, &page.items[i]);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_kstr(&w, "next", page.next);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}

static void write_follow(struct json_writer *w, const struct transfer *t)
{
	const struct transfer_follow *f = &t->follow;
	jsonw_key(w, "follow");
	if (!f->since_ms) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	jsonw_ktime(w, "since", f->since_ms);
	jsonw_ktime(w, "asked_at", f->asked_ms);
	kstr_or_null(w, "verdict", f->word);
	jsonw_kbool(w, "has_news", f->has_news);
	jsonw_ktime(w, "next_at", f->next_ms);
	jsonw_ktime(w, "watched_until", f->until_ms);
	jsonw_end_object(w);
}

static void write_steps(struct json_writer *w, const struct transfer *t)
{
	jsonw_key(w, "steps");
	jsonw_array(w);
	for (size_t i = 0; i < t->n_steps; i++) {
		const struct transfer_step *s = &t->steps[i];
		jsonw_object(w);
		jsonw_kstr(w, "name", s->name);
		jsonw_kint(w, "generation", s->generation);
		jsonw_ktime(w, "intent_at", s->intent_ms);
		jsonw_kstr(w, "outcome", s->outcome);
		jsonw_kint(w, "lookups", s->lookups);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

/* A failure's entry names its subject: its sentence is given in the reader's language. */
static void write_entry(struct json_writer *w, struct request *rq, const char *line)
{
	const char *language = respond_language(request_header(rq, "Accept-Language"));
	const struct json *e = NULL;
	struct err ignored = ERR_INIT;
	if (str_eq(language, "en") || !strstr(line, "\"subject\":") ||
	    !json_parse(rq->arena, span_of(line), JSON_LIMITS_API, &e, &ignored)) {
		jsonw_raw(w, span_of(line));
		return;
	}
	const struct reason *reason = reason_find(json_str(json_get(e, "code")));
	jsonw_object(w);
	for (const struct json *m = json_first(e); m; m = json_next(m)) {
		struct strbuf text = STRBUF_INIT(rq->arena, 4096);
		jsonw_key(w, json_key(m));
		if (!reason || !str_eq(json_key(m), "text")) {
			jsonw_node(w, m);
			continue;
		}
		reason_sentence(reason, language, json_str(json_get(e, "subject")), &text);
		jsonw_span(w, strbuf_span(&text));
	}
	jsonw_end_object(w);
}

static bool respond_transfer(struct request *rq, const struct transfer *t, struct err *err)
{
	const char **lines = NULL;
	size_t n = 0;
	if (!store_timeline(rq->opt->store, rq->arena, t->id, &lines, &n, err))
		return false;
	struct strbuf sb = STRBUF_INIT(rq->arena, PAGE_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	write_fields(&w, rq, t);
	write_follow(&w, t);
	write_steps(&w, t);
	jsonw_key(&w, "timeline");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++)
		write_entry(&w, rq, lines[i]);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	respond_etag(rq, t->rev);
	return respond_json(rq, 200, &sb, err);
}

static bool get_transfer(struct request *rq, struct transfer *ret, struct err *err)
{
	return store_transfer_get(rq->opt->store, rq->arena, rq->args[0], ret, err) &&
	       auth_connection(rq, ret->conn, err);
}

bool handle_transfer_read(struct request *rq, struct err *err)
{
	struct transfer t;
	return get_transfer(rq, &t, err) && respond_transfer(rq, &t, err);
}

static bool read_order(struct request *rq, struct transfer_order *o, struct err *err)
{
	static const char *const reason[] = { "reason", NULL };
	static const char *const doubt[] = { "reason", "despite_doubt", NULL };
	static const char *const seen[] = { "reason", "key", NULL };
	static const char *const *const members[] = { [TRANSFER_RETRY] = reason,
						      [TRANSFER_RESEND] = doubt,
						      [TRANSFER_CANCEL] = doubt,
						      [TRANSFER_ARRIVED] = seen };
	bool needs_reason = o->action == TRANSFER_RESEND || o->action == TRANSFER_ARRIVED;
	const struct json *j = NULL;
	if (!request_json(rq, &j, err) || !request_members(j, members[o->action], err) ||
	    !request_text(j, "reason", 500, &o->reason, err) ||
	    !request_text(j, "key", 100, &o->key, err))
		return false;
	if (needs_reason && (!o->reason || !*o->reason))
		return problem(err, ERR_INPUT, "value_missing", "/reason", "a reason is required");
	if (json_get(j, "despite_doubt") &&
	    !json_bool(json_get(j, "despite_doubt"), &o->despite_doubt))
		return problem(err, ERR_INPUT, "value_invalid", "/despite_doubt", "true or false");
	return true;
}

/* Whoever retries wants it tried now, whatever a vendor said of later. */
static bool unblock(struct request *rq, const char *conn, struct err *err)
{
	CLEANUP(connection_unref) struct connection *c = store_find(rq->opt->store, conn);
	return !c || queue_unblock(rq->opt->queue, c->limits, c->n_limits, err);
}

/* Where the flow notes that a document is at the target. One that follows what it has sent asks
 * the target itself, by a key that nobody can make up. */
static bool find_step(struct request *rq, const char *conn, struct transfer_order *o,
		      struct err *err)
{
	CLEANUP(connection_unref) struct connection *c = store_find(rq->opt->store, conn);
	const struct flow *flow = c ? flow_find(rq->opt, c->flow) : NULL;
	if (!flow || flow->follow)
		return problem(err, ERR_CONFLICT, "state", "",
			       "the target is asked what became of this flow's documents");
	o->step = flow->delivery_step;
	if (!o->key || !*o->key)
		o->key = "seen by a person";
	return true;
}

static bool order(struct request *rq, enum transfer_action action, const char *name,
		  struct err *err)
{
	struct transfer t;
	struct transfer_order o = { .id = rq->args[0], .action = action, .who = rq->token.name };
	int64_t rev = 0;
	if (!read_order(rq, &o, err) || !request_if_match(rq, &o.rev, err))
		return false;
	/* Repeated after its answer was lost, a resend of "*" would send a third time. */
	if (action == TRANSFER_RESEND && o.rev < 0)
		return problem(err, ERR_CONFLICT, "precondition_missing", "",
			       "a resend needs the ETag that was read, not *");
	if (!get_transfer(rq, &t, err) ||
	    (action == TRANSFER_ARRIVED && !find_step(rq, t.conn, &o, err)) ||
	    !store_transfer_order(rq->opt->store, &o, &rev, err) ||
	    (action == TRANSFER_RETRY && !unblock(rq, t.conn, err)) ||
	    !audit(rq, name, rq->args[0], err))
		return false;
	return get_transfer(rq, &t, err) && respond_transfer(rq, &t, err);
}

bool handle_transfer_retry(struct request *rq, struct err *err)
{
	return order(rq, TRANSFER_RETRY, "transfer.retry", err);
}

bool handle_transfer_resend(struct request *rq, struct err *err)
{
	return order(rq, TRANSFER_RESEND, "transfer.resend", err);
}

bool handle_transfer_cancel(struct request *rq, struct err *err)
{
	return order(rq, TRANSFER_CANCEL, "transfer.cancel", err);
}

bool handle_transfer_arrived(struct request *rq, struct err *err)
{
	return order(rq, TRANSFER_ARRIVED, "transfer.arrived", err);
}

/* --- retry of many --- */

struct many {
	struct transfer_filter filter;
	bool dry;
	int64_t expected; /* count of the dry call; -1: none given */
	const char **ids;
	size_t n_found;
	bool more; /* than are taken at once */
	struct transfer_tally tally;
};

static bool read_many(struct request *rq, struct many *m, struct err *err)
{
	static const char *const members[] = { "connection", "state", "error", "kind", "since",
					       "until",	     "dry",   "count", NULL };
	const struct json *j = NULL;
	const char *conn, *state, *error, *kind, *since, *until;
	*m = (struct many) { .dry = true, .expected = -1 };
	m->filter.limit = LIMIT_MAX;
	if (!request_json(rq, &j, err) || !request_members(j, members, err) ||
	    !request_text(j, "connection", 32, &conn, err) ||
	    !request_text(j, "state", 200, &state, err) ||
	    !request_text(j, "error", 64, &error, err) ||
	    !request_text(j, "kind", 32, &kind, err) ||
	    !request_text(j, "since", 40, &since, err) ||
	    !request_text(j, "until", 40, &until, err))
		return false;
	m->filter.error_code = error;
	m->filter.kind = kind;
	if (json_get(j, "dry") && !json_bool(json_get(j, "dry"), &m->dry))
		return problem(err, ERR_INPUT, "value_invalid", "/dry", "true or false");
	if (json_get(j, "count") && !json_int64(json_get(j, "count"), &m->expected))
		return problem(err, ERR_INPUT, "value_invalid", "/count", "a whole number");
	if (!m->dry && m->expected < 0)
		return problem(err, ERR_INPUT, "value_missing", "/count",
			       "the count of the dry call is needed");
	if (!parse_states(state ? state : "needs_data,system_fault", &m->filter.states, err) ||
	    !parse_time(since, "/since", &m->filter.since_ms, err) ||
	    !parse_time(until, "/until", &m->filter.until_ms, err))
		return false;
	if (!m->filter.until_ms) /* what changes from now on is not part of it */
		m->filter.until_ms = clock_wall_ms();
	return set_conns(rq, conn, &m->filter, err);
}

/* Collects the ids first: a retried transfer would move within the list that is being read. */
static bool collect(struct request *rq, struct many *m, struct err *err)
{
	struct transfer_filter f = m->filter;
	m->ids = arena_alloc_array(rq->arena, RETRY_MANY_MAX, sizeof(*m->ids));
	if (!m->ids)
		return err_set(err, ERR_LIMIT, "arena full");
	do {
		CLEANUP(arena_free) struct arena *page_arena = arena_new((size_t)8 << 20);
		struct transfer_page page;
		if (!page_arena)
			return err_set(err, ERR_MEMORY, "out of memory");
		if (!store_transfer_list(rq->opt->store, page_arena, &f, &page, err))
			return false;
		for (size_t i = 0; i < page.n && !m->more; i++) {
			m->more = m->n_found == RETRY_MANY_MAX;
			if (m->more)
				break;
			m->ids[m->n_found] = arena_strdup(rq->arena, page.items[i].id);
			if (!m->ids[m->n_found++])
				return err_set(err, ERR_LIMIT, "arena full");
		}
		f.cursor = arena_strdup(rq->arena, page.next);
	} while (f.cursor && !m->more);
	return true;
}

/* Whoever retries many wants them tried now, too. Mostly nothing is blocked. */
static bool unblock_many(struct request *rq, const struct transfer_filter *f, struct err *err)
{
	struct queue_blocked *blocks = NULL;
	struct store_list list;
	size_t n = 0;
	if (!queue_blocks(rq->opt->queue, rq->arena, &blocks, &n, err))
		return false;
	if (n == 0)
		return true;
	if (!store_list(rq->opt->store, &list, err))
		return false;
	bool good = true;
	for (size_t i = 0; good && i < list.n; i++) {
		const struct connection *c = list.items[i];
		bool wanted = f->n_conns == 0;
		for (size_t k = 0; k < f->n_conns; k++)
			wanted |= str_eq(f->conns[k], c->id);
		good = !wanted || queue_unblock(rq->opt->queue, c->limits, c->n_limits, err);
	}
	store_list_release(&list);
	return good;
}

static bool retry_all(struct request *rq, struct many *m, struct err *err)
{
	if ((int64_t)m->n_found != m->expected)
		return problem(err, ERR_CONFLICT, "count_changed", "/count", "%zu match now",
			       m->n_found);
	return audit(rq, "transfers.retry", arena_printf(rq->arena, "%zu", m->n_found), err) &&
	       unblock_many(rq, &m->filter, err) &&
	       store_transfer_retry_many(rq->opt->store, m->ids, m->n_found, rq->token.name,
					 &m->tally, err);
}

bool handle_transfers_retry(struct request *rq, struct err *err)
{
	struct many m;
	if (!read_many(rq, &m, err) || !collect(rq, &m, err) || (!m.dry && !retry_all(rq, &m, err)))
		return false;
	struct strbuf sb = STRBUF_INIT(rq->arena, 512);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kbool(&w, "dry", m.dry);
	jsonw_kint(&w, "count", (int64_t)m.n_found);
	jsonw_kbool(&w, "more", m.more);
	jsonw_kint(&w, "retried", (int64_t)m.tally.done);
	jsonw_kint(&w, "refused", (int64_t)m.tally.refused);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}
