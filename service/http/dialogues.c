/*
 * dialogues.c: the resources of a flow's dialogues below a connection (flow.h): registrations,
 * authentications. What comes in is stored before anything is done with it; a worker goes on, and
 * the request waits for it for a while: then 202 with the resource, which is as good to read. Knows
 * neither vendors nor what their dialogues are about.
 */
#include "base/base.h"

#include "base/clock.h"
#include "connections.h"
#include "desk.h"
#include "handlers.h"
#include "settings.h"

#define LIST_BYTES ((size_t)512 * 1024)
#define TAKE_TRIES 5
/* A record whose run got lost is gone on with by itself after so long. */
#define BACKSTOP_MS 30000

/* One request about the dialogue that its path names. */
struct about {
	struct connection *conn; /* unreferenced with the request */
	const struct dialogue *dialogue;
	struct facts facts;
};

static void unref(void *conn)
{
	connection_unref(conn);
}

/* "registrations" of "/v1/connections/{id}/registrations/{record}/keys". */
static struct span dialogue_name(const struct request *rq)
{
	const char *p = strchr(rq->route->path, '}');
	p = p ? p + 2 : "";
	return (struct span) { p, strcspn(p, "/") };
}

/* "keys" of the same; "" for those that begin a record. */
static const char *act_name(const struct request *rq)
{
	const char *brace = strrchr(rq->route->path, '}');
	return rq->args[1] && brace && brace[1] == '/' ? brace + 2 : "";
}

static const struct dialogue *dialogue_of(const struct flow *flow, struct span name)
{
	for (size_t i = 0; flow && i < flow->n_dialogues; i++)
		if (span_eq(span_of(flow->dialogues[i].name), name))
			return &flow->dialogues[i];
	return NULL;
}

static bool read_facts(struct request *rq, const char *conn, struct facts *ret, struct err *err)
{
	const char *json;
	int64_t rev;
	arena_keep_secrets(rq->arena);
	return store_facts_get(rq->opt->store, rq->arena, conn, &json, &rev, err) &&
	       facts_read(rq->arena, json, rev, ret, err);
}

static bool find(struct request *rq, struct about *ret, struct err *err)
{
	*ret = (struct about) { .conn = NULL };
	if (!auth_connection(rq, rq->args[0], err) ||
	    !store_connection_get(rq->opt->store, rq->args[0], &ret->conn, err))
		return false;
	if (!arena_defer(rq->arena, unref, ret->conn))
		return err_set(err, ERR_LIMIT, "arena full");
	ret->dialogue = dialogue_of(flow_find(rq->opt, ret->conn->flow), dialogue_name(rq));
	if (!ret->dialogue)
		return problem(err, ERR_NOT_FOUND, "not_found", "",
			       "connections of the flow %s have none", ret->conn->flow);
	return read_facts(rq, ret->conn->id, &ret->facts, err);
}

/* --- showing --- */

static const struct dialogue_state *state_of(const struct dialogue *d, const struct record *rec)
{
	for (size_t i = 0; i < d->n_states; i++)
		if (str_eq(d->states[i].name, record_str(rec, "state")))
			return &d->states[i];
	return NULL;
}

static bool works(const struct dialogue *d, const struct record *rec)
{
	const struct dialogue_state *s = state_of(d, rec);
	return s && s->stage == DIALOGUE_WORKS;
}

bool dialogues_are_at_rest(struct request *rq, const struct connection *conn, struct err *err)
{
	const struct flow *flow = flow_find(rq->opt, conn->flow);
	struct record *all = arena_alloc_array(rq->arena, RECORDS_MAX, sizeof(*all));
	struct facts facts;
	if (!all)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!flow || !flow->n_dialogues)
		return true;
	if (!read_facts(rq, conn->id, &facts, err))
		return false;
	for (size_t i = 0; i < flow->n_dialogues; i++) {
		const struct dialogue *d = &flow->dialogues[i];
		for (size_t n = facts_records(&facts, d->name, all, RECORDS_MAX); n-- > 0;)
			if (works(d, &all[n]))
				return err_reason(err, ERR_CONFLICT, "connection_in_use", conn->id,
						  "%s: %s has not ended", d->name,
						  record_str(&all[n], "id"));
	}
	return true;
}

static const char *href_of(struct request *rq, const struct dialogue *d, const char *id)
{
	return arena_printf(rq->arena, "/v1/connections/%s/%s/%s", rq->args[0], d->name, id);
}

/* "PUT registrations/{}/keys": where that is. */
static void write_link(struct json_writer *w, struct request *rq, const char *next, const char *id)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, 512);
	size_t n = next ? strcspn(next, " ") : 0;
	const char *path = next ? next + n + 1 : "", *mark = strstr(path, "{}"), *href = NULL;
	size_t first = mark ? (size_t)(mark - path) : strlen(path);
	jsonw_key(w, "method");
	if (next)
		jsonw_span(w, (struct span) { next, n });
	else
		jsonw_null(w);
	strbuf_addf(&sb, "/v1/connections/%s/", rq->args[0]);
	strbuf_add(&sb, path, first);
	if (mark)
		strbuf_addf(&sb, "%s%s", id, mark + 2);
	jsonw_kstr(w, "href", next && strbuf_finish(&sb, &href, NULL) ? href : NULL);
}

/* Nothing is left to do. */
static const struct dialogue_state activated = {
	.en = "That is settled, and the connection is active.",
	.fi = "Asia on kunnossa, ja yhteys on käytössä.",
	.nb = "Det er i orden, og tilkoblingen er aktiv.",
};

static void write_next(struct json_writer *w, struct request *rq, const struct about *about,
		       const struct record *rec)
{
	const char *language = respond_language(request_header(rq, "Accept-Language"));
	const char *id = record_str(rec, "id");
	const struct dialogue_state *s = state_of(about->dialogue, rec);
	jsonw_key(w, "next");
	if (!s) {
		jsonw_null(w);
		return;
	}
	if (str_eq(s->next, DIALOGUE_ACTIVATE) && about->conn->state == CONNECTION_ACTIVE)
		s = &activated;
	jsonw_object(w);
	jsonw_kstr(w, "text",
		   str_eq(language, "fi")   ? s->fi
		   : str_eq(language, "nb") ? s->nb
					    : s->en);
	write_link(w, rq, s->next, id);
	jsonw_end_object(w);
}

static void write_error(struct json_writer *w, struct request *rq, const struct record *rec)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, 16 * 1024);
	struct json_writer inner = JSON_WRITER_INIT(&sb);
	const struct json *error = record_get(rec, "error");
	const char *text = NULL;
	jsonw_node(&inner, error);
	jsonw_key(w, "error");
	if (!error || !strbuf_finish(&sb, &text, NULL))
		jsonw_null(w);
	else
		respond_failure(rq, w, NULL, text);
}

static void write_record(struct json_writer *w, struct request *rq, const struct about *about,
			 const struct record *rec)
{
	const struct dialogue *d = about->dialogue;
	const char *id = record_str(rec, "id");
	jsonw_object(w);
	jsonw_kstr(w, "id", id);
	jsonw_kstr(w, "href", href_of(rq, d, id));
	jsonw_kstr(w, "connection", rq->args[0]);
	jsonw_kstr(w, "state", record_str(rec, "state"));
	jsonw_kbool(w, "is_open", !record_is(rec, "is_ended"));
	for (const char *const *name = d->shown; *name; name++) {
		jsonw_key(w, *name);
		if (record_get(rec, *name))
			jsonw_node(w, record_get(rec, *name));
		else
			jsonw_null(w);
	}
	write_next(w, rq, about, rec);
	write_error(w, rq, rec);
	jsonw_kstr(w, "by", record_str(rec, "by"));
	jsonw_kint(w, "rev", record_int(rec, "rev"));
	jsonw_ktime(w, "created_at", record_int(rec, "created_ms"));
	jsonw_ktime(w, "updated_at", record_int(rec, "updated_ms"));
	jsonw_ktime(w, "due_at", record_int(rec, "due_ms"));
	jsonw_end_object(w);
}

static bool respond_record(struct request *rq, int status, const struct about *about,
			   const struct record *rec, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_BYTES);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	write_record(&w, rq, about, rec);
	respond_etag(rq, record_int(rec, "rev"));
	if (status != 200)
		respond_header(rq, "Location", href_of(rq, about->dialogue, record_str(rec, "id")));
	if (status == 202)
		respond_header(rq, "Retry-After", "2");
	return respond_json(rq, status, &sb, err);
}

bool handle_dialogue_list(struct request *rq, struct err *err)
{
	struct about about;
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_BYTES);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!find(rq, &about, err))
		return false;
	struct record *all = arena_alloc_array(rq->arena, RECORDS_MAX, sizeof(*all));
	if (!all)
		return err_set(err, ERR_SYSTEM, "the answer does not fit");
	size_t n = facts_records(&about.facts, about.dialogue->name, all, RECORDS_MAX);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	while (n-- > 0) /* newest first */
		write_record(&w, rq, &about, &all[n]);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}

static bool find_record(struct request *rq, struct about *about, struct record *ret,
			struct err *err)
{
	if (!find(rq, about, err))
		return false;
	return facts_record(&about->facts, about->dialogue->name, rq->args[1], ret) ||
	       problem(err, ERR_NOT_FOUND, "not_found", "", "no such resource");
}

bool handle_dialogue_read(struct request *rq, struct err *err)
{
	struct about about;
	struct record rec;
	return find_record(rq, &about, &rec, err) && respond_record(rq, 200, &about, &rec, err);
}

/* --- running --- */

static void write_conns(struct json_writer *w, const struct request *rq)
{
	jsonw_array(w);
	for (size_t i = 0; i < rq->token.n_conns; i++)
		jsonw_str(w, rq->token.conns[i]);
	jsonw_end_array(w);
}

/* id NULL: candidates. Somebody waits for it, whatever a vendor said of later. */
static bool start(struct request *rq, const struct about *about, const char *id, struct err *err)
{
	const struct connection *c = about->conn;
	struct strbuf sb = STRBUF_INIT(rq->arena, 64 * 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *args = NULL;
	jsonw_object(&w);
	jsonw_kint(&w, "rev", c->rev);
	jsonw_kstr(&w, "dialogue", about->dialogue->name);
	if (id)
		jsonw_kstr(&w, "id", id);
	jsonw_kstr(&w, "language", respond_language(request_header(rq, "Accept-Language")));
	if (rq->token.n_conns) {
		jsonw_key(&w, "conns");
		write_conns(&w, rq);
	}
	jsonw_end_object(&w);
	rq->wait.dialogue = about->dialogue;
	rq->wait.record = id;
	return strbuf_finish(&sb, &args, err) &&
	       queue_unblock(rq->opt->queue, c->limits, c->n_limits, err) &&
	       queue_task_new(rq->opt->queue, "dialogue", c->id, args, rq->wait.id, err);
}

static bool fail_as(struct request *rq, const char *error_json, struct err *err)
{
	const struct json *j = NULL;
	struct err why = ERR_INIT;
	if (!error_json || !*error_json ||
	    !json_parse(rq->arena, span_of(error_json), JSON_LIMITS_API, &j, err))
		return err_set(err, ERR_SYSTEM, "the task failed and does not say why");
	err_read(j, &why);
	*err = why;
	return false;
}

static bool answer_candidates(struct request *rq, const struct queue_task *task, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_BYTES);
	if (task->state == TASK_FAILED)
		return fail_as(rq, task->error_json, err);
	if (task->state != TASK_DONE)
		return task_respond(rq, 202, task, err);
	strbuf_addstr(&sb, task->result);
	return respond_json(rq, 200, &sb, err);
}

/* The record is the truth; the task only says whether its run has ended. */
static bool answer_record(struct request *rq, const struct queue_task *task, struct err *err)
{
	const struct dialogue *d = rq->wait.dialogue;
	struct about about;
	struct record rec;
	if (!find(rq, &about, err))
		return false;
	if (!facts_record(&about.facts, d->name, rq->wait.record, &rec))
		return problem(err, ERR_NOT_FOUND, "not_found", "", "no such resource");
	bool is_over = task->state == TASK_DONE || task->state == TASK_FAILED;
	if (!is_over || works(d, &rec))
		return respond_record(rq, 202, &about, &rec, err);
	if (task->state == TASK_FAILED)
		return fail_as(rq, task->error_json, err);
	return respond_record(rq, rq->wait.is_new ? 201 : 200, &about, &rec, err);
}

bool handle_dialogue_candidates(struct request *rq, struct err *err)
{
	struct about about;
	if (!find(rq, &about, err))
		return false;
	if (!about.dialogue->candidates)
		return problem(err, ERR_NOT_FOUND, "not_found", "", "nothing to choose from");
	rq->wait.answer = answer_candidates;
	return start(rq, &about, NULL, err);
}

/* --- taking --- */

static const struct dialogue_act *act_of(const struct dialogue *d, const char *name)
{
	for (size_t i = 0; i < d->n_acts; i++)
		if (str_eq(d->acts[i].name, name))
			return &d->acts[i];
	return NULL;
}

static void begin_record(struct request *rq, const struct dialogue *d, struct record *rec)
{
	char id[UUID_TEXT];
	sign_uuid4(id);
	*rec = (struct record) { .arena = rq->arena };
	record_put_str(rec, "id", id);
	record_put_str(rec, "state", d->states[0].name);
	record_put_int(rec, "created_ms", clock_wall_ms());
	record_put_str(rec, "by", rq->token.name);
	record_put_str(rec, "by_token", rq->token.id);
	if (rq->token.n_conns) {
		struct strbuf sb = STRBUF_INIT(rq->arena, 64 * 1024);
		struct json_writer w = JSON_WRITER_INIT(&sb);
		const char *json;
		write_conns(&w, rq);
		if (strbuf_finish(&sb, &json, NULL))
			record_put_json(rec, "conns", json);
		else
			rec->failed = true;
	}
}

static bool fits_precondition(struct request *rq, const struct record *rec, struct err *err)
{
	int64_t rev;
	if (rq->method != HTTP_PUT && !request_header(rq, "If-Match"))
		return true;
	if (!request_if_match(rq, &rev, err))
		return false;
	if (rev < 0 || rev == record_int(rec, "rev"))
		return true;
	return problem(err, ERR_CONFLICT, "stale", "", "it is at revision %" PRId64,
		       record_int(rec, "rev"));
}

struct taking {
	struct about about;
	const struct dialogue_act *act;
	const struct json *body;
	struct record record;
	bool is_new;
};

/* The record as it stands, or a new one, with the body taken into it. */
static bool take_body(struct request *rq, struct taking *t, struct err *err)
{
	const struct about *a = &t->about;
	const struct talk talk = { rq->arena, a->conn, &a->facts, rq->opt->systems };
	if (t->is_new)
		begin_record(rq, a->dialogue, &t->record);
	else if (!facts_record(&a->facts, a->dialogue->name, rq->args[1], &t->record))
		return problem(err, ERR_NOT_FOUND, "not_found", "", "no such resource");
	else if (!fits_precondition(rq, &t->record, err))
		return false;
	if (!t->act->take(&talk, t->body, &t->record, err))
		return false;
	const struct dialogue_state *s = state_of(a->dialogue, &t->record);
	if (works(a->dialogue, &t->record))
		record_put_int(&t->record, "due_ms", clock_wall_ms() + BACKSTOP_MS);
	record_put_bool(&t->record, "is_ended", s && s->stage == DIALOGUE_ENDED);
	return true;
}

/* What was taken is stored only if nothing that it was held against has changed. */
static bool take(struct request *rq, struct taking *t, struct err *err)
{
	for (int i = 0;; i++) {
		struct err why = ERR_INIT;
		const struct record_put put = { .conn = t->about.conn->id,
						.dialogue = t->about.dialogue->name,
						.record = &t->record,
						.facts_rev = t->about.facts.rev };
		if (!take_body(rq, t, err))
			return false;
		if (store_record_put(rq->opt->store, rq->arena, &put, &why))
			return true;
		if (why.code != ERR_CONFLICT || !str_eq(why.reason, "stale") ||
		    i + 1 == TAKE_TRIES) {
			*err = why;
			return false;
		}
		if (!read_facts(rq, t->about.conn->id, &t->about.facts, err))
			return false;
	}
}

static bool read_body(struct request *rq, struct taking *t, struct err *err)
{
	const struct setting_table table = { t->act->takes, t->act->n_takes, "" };
	return request_keep_secrets(rq, err) && request_json(rq, &t->body, err) &&
	       settings_check(rq->arena, &table, t->body, err) &&
	       settings_complete(&table, t->body, err);
}

bool handle_dialogue_act(struct request *rq, struct err *err)
{
	struct taking t = { .is_new = !rq->args[1] };
	const char *name = act_name(rq);
	if (!find(rq, &t.about, err))
		return false;
	const struct dialogue *d = t.about.dialogue;
	t.act = act_of(d, name);
	if (!t.act)
		return problem(err, ERR_NOT_FOUND, "not_found", "", "no such resource");
	if (!read_body(rq, &t, err) || !take(rq, &t, err) ||
	    !audit(rq, arena_printf(rq->arena, "%s.%s", d->name, *name ? name : "create"),
		   t.about.conn->id, err))
		return false;
	rq->wait.is_new = t.is_new;
	if (!works(d, &t.record))
		return respond_record(rq, t.is_new ? 201 : 200, &t.about, &t.record, err);
	rq->wait.answer = answer_record;
	return start(rq, &t.about, arena_strdup(rq->arena, record_str(&t.record, "id")), err);
}
