/*
 * connections.c: /v1/connections: list, create, read, change, check, activate, pause, resume,
 * dry-run, sync, report. What needs a vendor becomes a task of the queue that the desk waits for.
 * Credentials and webhook secrets go in and never come out.
 */
#include "base/base.h"

#include "base/clock.h"
#include "connections.h"
#include "desk.h"
#include "handlers.h"

#define CONNECTION_JSON_MAX ((size_t)256 * 1024)
#define LIST_JSON_MAX ((size_t)3 * 1024 * 1024)

const struct flow *flow_find(const struct http_server_options *opt, const char *name)
{
	for (const struct flow *const *f = opt->flows; *f; f++)
		if (str_eq((*f)->name, name))
			return *f;
	return NULL;
}

static void write_raw(struct json_writer *w, const char *key, const char *json)
{
	jsonw_key(w, key);
	if (json && *json)
		jsonw_raw(w, span_of(json));
	else
		jsonw_null(w);
}

/* Which credentials are set, by system: {"severa":["client_id","client_secret"]}. */
static void write_credential_names(struct json_writer *w, struct request *rq,
				   const struct connection *c)
{
	const struct json *j = NULL;
	struct err err = ERR_INIT;
	struct span text = { c->credentials.p, c->credentials.n };
	arena_keep_secrets(rq->arena);
	jsonw_key(w, "credentials_set");
	jsonw_object(w);
	if (text.n && json_parse(rq->arena, text, JSON_LIMITS_API, &j, &err)) {
		for (const struct json *sys = json_first(j); sys; sys = json_next(sys)) {
			jsonw_key(w, json_key(sys));
			jsonw_array(w);
			for (const struct json *m = json_first(sys); m; m = json_next(m))
				jsonw_str(w, json_key(m));
			jsonw_end_array(w);
		}
	}
	jsonw_end_object(w);
}

static void write_members(struct json_writer *w, struct request *rq, const struct connection *c,
			  const struct connection_queue *queue, size_t i)
{
	jsonw_kstr(w, "id", c->id);
	jsonw_kstr(w, "flow", c->flow);
	jsonw_kstr(w, "name", c->name ? c->name : "");
	jsonw_kstr(w, "state", connection_state_name(c->state));
	jsonw_kstr(w, "pause_reason", c->pause_reason && *c->pause_reason ? c->pause_reason : NULL);
	jsonw_kstr(w, "unreadable", c->unreadable[0] ? c->unreadable : NULL);
	jsonw_kint(w, "rev", c->rev);
	write_raw(w, "settings", c->settings && *c->settings ? c->settings : "{}");
	write_raw(w, "schedule", c->schedule);
	write_credential_names(w, rq, c);
	jsonw_kint(w, "webhook_secrets_set", (int64_t)c->n_webhook_secrets);
	connection_queue_write(w, c, queue, i);
	jsonw_ktime(w, "created_at", c->created_ms);
	jsonw_ktime(w, "activated_at", c->activated_ms);
}

static bool respond_connection(struct request *rq, int status, struct connection *c,
			       struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, CONNECTION_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct connection_queue queue;
	if (!connection_queue_read(rq, &c, 1, &queue, err))
		return false;
	jsonw_object(&w);
	write_members(&w, rq, c, &queue, 0);
	jsonw_end_object(&w);
	respond_etag(rq, c->rev);
	return respond_json(rq, status, &sb, err);
}

static bool get_connection(struct request *rq, struct connection **ret, struct err *err)
{
	return auth_connection(rq, rq->args[0], err) &&
	       store_connection_get(rq->opt->store, rq->args[0], ret, err);
}

bool handle_connections_list(struct request *rq, struct err *err)
{
	const char *flow = request_query(rq, "flow");
	struct store_list list;
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct connection_queue queue;
	if (!store_refresh(rq->opt->store, err) || !store_list(rq->opt->store, &list, err))
		return false;
	bool good = connection_queue_read(rq, list.items, list.n, &queue, err);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; good && i < list.n; i++) {
		const struct connection *c = list.items[i];
		if (!auth_sees(rq, c->id) || (flow && !str_eq(flow, c->flow)))
			continue;
		jsonw_object(&w);
		write_members(&w, rq, c, &queue, i);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	store_list_release(&list);
	return good && respond_json(rq, 200, &sb, err);
}

/* Stores, refreshes our own snapshot, writes the audit line. */
static bool put(struct request *rq, const struct connection_draft *draft, const char *action,
		struct connection **ret, struct err *err)
{
	if (!store_connection_put(rq->opt->store, draft, ret, err)) {
		if (err->code == ERR_CONFLICT && !err->reason)
			err->reason = draft->rev ? "stale" : "exists";
		return false;
	}
	if (store_refresh(rq->opt->store, err) && audit(rq, action, draft->id, err))
		return true;
	connection_unref(*ret);
	*ret = NULL;
	return false;
}

bool handle_connections_create(struct request *rq, struct err *err)
{
	struct connection_draft draft;
	if (!connection_body_read(rq, BODY_CREATE, NULL, &draft, err))
		return false;
	if (!auth_sees(rq, draft.id))
		return problem(err, ERR_CREDENTIALS, "forbidden", "/id",
			       "the token is for other connections");
	struct connection *made = NULL;
	if (!put(rq, &draft, "connection.create", &made, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = made;
	respond_header(rq, "Location", arena_printf(rq->arena, "/v1/connections/%s", c->id));
	return respond_connection(rq, 201, c, err);
}

bool handle_connection_read(struct request *rq, struct err *err)
{
	struct connection *got = NULL;
	if (!get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	return respond_connection(rq, 200, c, err);
}

static bool has_other_credentials(const struct connection *a, const struct connection *b)
{
	return a->credentials.n != b->credentials.n ||
	       memcmp(a->credentials.p, b->credentials.p, a->credentials.n) != 0;
}

static bool change(struct request *rq, enum body_mode mode, struct err *err)
{
	int64_t rev;
	struct connection *got = NULL, *made = NULL;
	struct connection_draft draft;
	if (!request_if_match(rq, &rev, err) || !get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *old = got;
	if (rev >= 0 && rev != old->rev)
		return problem(err, ERR_CONFLICT, "stale", "", "it is at revision %" PRId64,
			       old->rev);
	if (!connection_body_read(rq, mode, old, &draft, err))
		return false;
	connection_draft_stop(old, &draft);
	if (!put(rq, &draft, "connection.change", &made, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = made;
	if (has_other_credentials(c, old) &&
	    !queue_unblock(rq->opt->queue, c->limits, c->n_limits, err))
		return false;
	return respond_connection(rq, 200, c, err);
}

bool handle_connection_replace(struct request *rq, struct err *err)
{
	return change(rq, BODY_REPLACE, err);
}

bool handle_connection_merge(struct request *rq, struct err *err)
{
	return change(rq, BODY_MERGE, err);
}

/* History stays, so nothing that was sent, or may have been, is lost sight of (SV-07). */
bool handle_connection_delete(struct request *rq, struct err *err)
{
	struct connection *got = NULL;
	int64_t rev;
	if (!request_no_body(rq, err) || !request_if_match(rq, &rev, err) ||
	    !get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	if (!dialogues_are_at_rest(rq, c, err) ||
	    !store_connection_delete(rq->opt->store, c->id, rev, err) ||
	    !audit(rq, "connection.delete", c->id, err))
		return false;
	rq->answer.status = 204;
	rq->answer.body = SPAN_LIT("");
	return true;
}

/* --- tasks --- */

/* About the connection as it stands now: a worker whose copy is behind looks again. Who asks wants
 * to know now, whatever a vendor said of later. */
static bool start_task(struct request *rq, const char *kind, const struct connection *c,
		       const char *doc_kind, const char *source_id, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, 2048);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *args = NULL;
	jsonw_object(&w);
	jsonw_kint(&w, "rev", c->rev);
	jsonw_kstr(&w, "language", respond_language(request_header(rq, "Accept-Language")));
	if (source_id) {
		jsonw_kstr(&w, "kind", doc_kind);
		jsonw_kstr(&w, "source_id", source_id);
	}
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &args, err) &&
	       queue_unblock(rq->opt->queue, c->limits, c->n_limits, err) &&
	       queue_task_new(rq->opt->queue, kind, c->id, args, rq->wait.id, err);
}

bool handle_connection_check(struct request *rq, struct err *err)
{
	struct connection *got = NULL;
	if (!request_no_body(rq, err) || !get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	return connection_is_complete(rq, c, err) && start_task(rq, "check", c, NULL, NULL, err);
}

bool handle_connection_activate(struct request *rq, struct err *err)
{
	struct connection *got = NULL;
	if (!request_no_body(rq, err) || !get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	if (c->state == CONNECTION_ACTIVE)
		return respond_connection(rq, 200, c, err);
	if (!connection_is_complete(rq, c, err) || !audit(rq, "connection.activate", c->id, err))
		return false;
	rq->wait.activates = true;
	rq->wait.rev = c->rev;
	return start_task(rq, "check", c, NULL, NULL, err);
}

static bool set_state(struct request *rq, int64_t rev, enum connection_state state,
		      const char *reason, const char *action, struct connection **ret,
		      struct err *err)
{
	if (!store_connection_set_state(rq->opt->store, rq->args[0], rev, state, reason, err)) {
		if (err->code == ERR_CONFLICT && rev >= 0)
			err->reason = "changed";
		return false;
	}
	return store_refresh(rq->opt->store, err) && audit(rq, action, rq->args[0], err) &&
	       get_connection(rq, ret, err);
}

static bool move(struct request *rq, bool resume, struct err *err)
{
	struct connection *got = NULL;
	if (!request_no_body(rq, err) || !get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	if (c->state == CONNECTION_DRAFT)
		return problem_state(err, STATE_NEVER_ACTIVATED,
				     "the connection was never activated");
	if (c->state == (resume ? CONNECTION_ACTIVE : CONNECTION_PAUSED))
		return respond_connection(rq, 200, c, err);
	if (resume && str_eq(c->pause_reason, CONNECTION_PAUSED_CHANGED))
		return problem(err, ERR_CONFLICT, "changed", "",
			       "its settings or credentials were changed: activate it");
	struct connection *moved = NULL;
	if (!set_state(rq, -1, resume ? CONNECTION_ACTIVE : CONNECTION_PAUSED,
		       resume ? "" : "operator", resume ? "connection.resume" : "connection.pause",
		       &moved, err))
		return false;
	CLEANUP(connection_unref) struct connection *now = moved;
	return respond_connection(rq, 200, now, err);
}

bool handle_connection_pause(struct request *rq, struct err *err)
{
	return move(rq, false, err);
}

bool handle_connection_resume(struct request *rq, struct err *err)
{
	return move(rq, true, err);
}

bool handle_connection_dry_run(struct request *rq, struct err *err)
{
	static const char *const members[] = { "source_id", "kind", NULL };
	const struct json *j = NULL;
	const char *source_id = NULL, *kind = NULL;
	struct connection *got = NULL;
	if (!request_json(rq, &j, err) || !request_members(j, members, err) ||
	    !request_text(j, "source_id", 200, &source_id, err) ||
	    !request_text(j, "kind", 32, &kind, err))
		return false;
	if (!source_id || !*source_id)
		return problem(err, ERR_INPUT, "value_missing", "/source_id",
			       "source_id is missing");
	if (!get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	const struct flow *flow = flow_find(rq->opt, c->flow);
	kind = flow ? flow_kind(flow, kind) : NULL;
	if (!kind)
		return problem(err, ERR_INPUT, "value_invalid", "/kind",
			       "the flow has no documents of this kind");
	return connection_is_complete(rq, c, err) &&
	       start_task(rq, "dry_run", c, kind, source_id, err);
}

bool handle_connection_sync(struct request *rq, struct err *err)
{
	struct connection *got = NULL;
	if (!request_no_body(rq, err) || !get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	if (c->state != CONNECTION_ACTIVE)
		return problem_state(err, STATE_NOT_ACTIVE, "the connection is not active");
	if (!audit(rq, "connection.sync", c->id, err) ||
	    !start_task(rq, "poll", c, NULL, NULL, err))
		return false;
	return task_answer(rq, err); /* a poll may take long: 202 at once */
}

bool handle_connection_report(struct request *rq, struct err *err)
{
	const char *report = NULL;
	struct connection *got = NULL;
	if (!get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	if (!store_report_get(rq->opt->store, rq->arena, c->id, &report, err))
		return false;
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "connection", c->id);
	write_raw(&w, "report", report);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}

/* --- answers of tasks --- */

bool connection_check_is_good(struct arena *arena, const struct queue_task *task)
{
	const struct json *j = NULL;
	struct err err = ERR_INIT;
	bool ok = false;
	return task->state == TASK_DONE && task->result && *task->result &&
	       json_parse(arena, span_of(task->result), JSON_LIMITS_VENDOR, &j, &err) &&
	       json_bool(json_get(j, "ok"), &ok) && ok;
}

static const char *task_state_name(enum queue_task_state s)
{
	switch (s) {
	case TASK_QUEUED:
		return "queued";
	case TASK_RUNNING:
		return "running";
	case TASK_DONE:
		return "done";
	case TASK_FAILED:
		break;
	}
	return "failed";
}

bool task_respond(struct request *rq, int status, const struct queue_task *t, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "id", t->id);
	jsonw_kstr(&w, "kind", t->kind);
	jsonw_kstr(&w, "connection", t->conn);
	jsonw_kstr(&w, "state", task_state_name(t->state));
	write_raw(&w, "result", t->result);
	jsonw_key(&w, "error");
	respond_failure(rq, &w, NULL, t->error_json);
	jsonw_ktime(&w, "created_at", t->created_ms);
	jsonw_ktime(&w, "updated_at", t->updated_ms);
	jsonw_end_object(&w);
	if (status == 202) {
		struct strbuf url = STRBUF_INIT(rq->arena, 256);
		const char *location = NULL;
		strbuf_addstr(&url, "/v1/jobs/");
		strbuf_add_urlencoded(&url, t->id);
		if (!strbuf_finish(&url, &location, err))
			return false;
		respond_header(rq, "Location", location);
		respond_header(rq, "Retry-After", "2");
	}
	return respond_json(rq, status, &sb, err);
}

/* What a check found that hinders nothing, and how much waits. */
static int64_t read_check(struct arena *arena, const struct queue_task *check,
			  const struct json **ret_remarks)
{
	const struct json *j = NULL;
	struct err none = ERR_INIT;
	int64_t n = 0;
	*ret_remarks = NULL;
	if (!json_parse(arena, span_of(check->result), JSON_LIMITS_VENDOR, &j, &none))
		return 0;
	*ret_remarks = json_get(j, "problems");
	return json_int64(json_get(j, "waiting"), &n) ? n : 0;
}

/* SV-07: what an administrator has set off; a remark may name what holds it up. */
static const char *waiting_text(struct request *rq, int64_t n, bool has_remarks)
{
	static const struct {
		const char *language, *none, *one, *many; /* many: behind the number */
		const char *now, *remarks;
	} texts[] = {
		{ "en", "No invoice waits.", "1 invoice waits and will be sent now",
		  " invoices wait and will be sent now", ".", ", unless a remark says otherwise." },
		{ "fi", "Yhtään laskua ei odota.", "1 lasku odottaa ja lähetetään nyt",
		  " laskua odottaa ja lähetetään nyt", ".",
		  ", ellei huomautus (remarks) toisin kerro." },
		{ "nb", "Ingen faktura venter.", "1 faktura venter og sendes nå",
		  " fakturaer venter og sendes nå", ".",
		  ", hvis ingen merknad (remarks) sier noe annet." },
	};
	const char *language = respond_language(request_header(rq, "Accept-Language"));
	size_t i = 0;
	while (i + 1 < ARRAY_SIZE(texts) && !str_eq(texts[i].language, language))
		i++;
	if (n < 1)
		return texts[i].none;
	struct strbuf sb = STRBUF_INIT(rq->arena, 128);
	struct err none = ERR_INIT;
	const char *text = "";
	if (n > 1)
		strbuf_addint(&sb, n);
	strbuf_addstr(&sb, n > 1 ? texts[i].many : texts[i].one);
	strbuf_addstr(&sb, has_remarks ? texts[i].remarks : texts[i].now);
	return strbuf_finish(&sb, &text, &none) ? text : "";
}

static bool respond_activated(struct request *rq, const struct queue_task *check,
			      struct connection *c, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, CONNECTION_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *remarks;
	int64_t waiting = read_check(rq->arena, check, &remarks);
	struct connection_queue queue;
	if (!connection_queue_read(rq, &c, 1, &queue, err))
		return false;
	jsonw_object(&w);
	write_members(&w, rq, c, &queue, 0);
	jsonw_kint(&w, "waiting", waiting);
	jsonw_kstr(&w, "text", waiting_text(rq, waiting, json_size(remarks)));
	if (json_size(remarks)) {
		jsonw_key(&w, "remarks");
		jsonw_node(&w, remarks);
	}
	jsonw_end_object(&w);
	respond_etag(rq, c->rev);
	return respond_json(rq, 200, &sb, err);
}

bool handle_job_read(struct request *rq, struct err *err)
{
	struct queue_task t;
	return queue_task_get(rq->opt->queue, rq->arena, rq->args[0], &t, err) &&
	       auth_connection(rq, t.conn, err) && task_respond(rq, 200, &t, err);
}

bool task_answer(struct request *rq, struct err *err)
{
	struct queue_task t;
	if (!queue_task_get(rq->opt->queue, rq->arena, rq->wait.id, &t, err))
		return false;
	if (rq->wait.answer)
		return rq->wait.answer(rq, &t, err);
	if (t.state != TASK_DONE && t.state != TASK_FAILED)
		return task_respond(rq, 202, &t, err);
	if (!rq->wait.activates)
		return task_respond(rq, 200, &t, err);
	if (!connection_check_is_good(rq->arena, &t))
		return task_respond(rq, 422, &t, err);
	struct connection *got = NULL;
	if (!set_state(rq, rq->wait.rev, CONNECTION_ACTIVE, "", "connection.activated", &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	return respond_activated(rq, &t, c, err);
}
