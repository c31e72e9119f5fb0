/*
 * spotilla_control.c: the control API's part for the Spotilla stand-in: what the people of a tenant
 * do there, webhooks, knobs, and the ledger.
 */
#include "base/base.h"

#include "spotilla.h"

/* ---- ledger and set-up --------------------------------------------------------------------- */

/* Customers beyond the first with the same reference of ours: made twice. */
static int64_t count_duplicates(const struct sp_register *r)
{
	struct table seen = { 0 };
	int64_t n = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct sp_record *rec = r->items[i];
		if (!rec->external_ref[0])
			continue;
		n += table_get(&seen, rec->external_ref) != NULL;
		if (!table_put(&seen, rec->external_ref, rec))
			break;
	}
	table_release(&seen);
	return n;
}

static void write_register(struct json_writer *w, const struct sp_register *r)
{
	int64_t marked = 0;
	for (size_t i = 0; i < r->n; i++)
		marked += r->items[i]->external_ref[0] != '\0';
	jsonw_key(w, sp_register_name(r->kind));
	jsonw_object(w);
	jsonw_kint(w, "count", (int64_t)r->n);
	jsonw_kint(w, "created", r->created);
	jsonw_kint(w, "changed", r->changed);
	if (r->kind != SP_TASKS) {
		jsonw_kint(w, "marked", marked);
		jsonw_kint(w, "duplicates", count_duplicates(r));
	}
	jsonw_end_object(w);
}

static void write_task(struct json_writer *w, const struct sp_record *rec)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(4 << 20);
	const struct json *j = NULL;
	if (!arena || !json_parse(arena, span_of(rec->json), JSON_LIMITS_VENDOR, &j, NULL))
		j = NULL;
	jsonw_object(w);
	jsonw_kstr(w, "id", rec->id);
	jsonw_kstr(w, "number", rec->number);
	jsonw_kstr(w, "name", rec->sample);
	jsonw_kstr(w, "state", rec->state);
	jsonw_key(w, "billing");
	jsonw_node(w, json_get(j, "billing"));
	jsonw_kint(w, "exports", rec->n_exports);
	jsonw_end_object(w);
}

static void write_tenant(struct json_writer *w, const struct sp_tenant *t, bool with_documents)
{
	const struct sp_register *tasks = &t->registers[SP_TASKS];
	int64_t exported = 0, twice = 0;
	for (size_t i = 0; i < tasks->n; i++) {
		exported += tasks->items[i]->n_exports > 0;
		twice += tasks->items[i]->n_exports > 1;
	}
	jsonw_object(w);
	jsonw_kstr(w, "tenant", t->key);
	jsonw_kstr(w, "name", t->name);
	jsonw_kint(w, "calls", t->calls);
	jsonw_kint(w, "unauthorized", t->unauthorized);
	jsonw_kint(w, "refused", t->refused);
	jsonw_kint(w, "conflicts", t->conflicts);
	jsonw_kint(w, "repeats", t->repeats);
	jsonw_kint(w, "events", t->events);
	jsonw_kint(w, "exported", exported);
	jsonw_kint(w, "exported_twice", twice);
	for (int i = 0; i < SP_N_KINDS; i++)
		write_register(w, &t->registers[i]);
	if (with_documents) {
		jsonw_key(w, "documents");
		jsonw_array(w);
		for (size_t i = 0; i < tasks->n; i++)
			write_task(w, tasks->items[i]);
		jsonw_end_array(w);
	}
	jsonw_end_object(w);
}

/* In the order in which they were made. */
static void write_tenants(struct json_writer *w, const struct sp_tenant *t, bool with_documents)
{
	if (!t)
		return;
	write_tenants(w, t->next, with_documents);
	write_tenant(w, t, with_documents);
}

void sp_write_ledger(void *state, bool with_documents, struct json_writer *w)
{
	struct spotilla *m = state;
	jsonw_array(w);
	write_tenants(w, m->tenants, with_documents);
	jsonw_end_array(w);
}

void sp_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w)
{
	struct spotilla *m = state;
	char url[192];
	const struct sp_tenant *t = sp_find_locked(m, key);
	snprintf(url, sizeof(url), "%s/spotilla/api/v3", base_url);
	if (t) {
		jsonw_object(w);
		jsonw_kstr(w, "base_url", url);
		jsonw_kstr(w, "token", t->token);
		jsonw_kstr(w, "user_id", t->user_id);
		jsonw_kstr(w, "subdomain", t->key);
		jsonw_kstr(w, "webhook_secret", t->webhook_secret);
		jsonw_kstr(w, "done_state", t->done_state);
		jsonw_end_object(w);
	} else {
		jsonw_null(w);
	}
}

/* ---- knobs --------------------------------------------------------------------------------- */

/* The tenant calls its "done" otherwise from now on; its tasks are not changed by it. */
static void rename_done_locked(struct spotilla *m, struct sp_tenant *t, const char *name)
{
	CLEANUP(arena_free) struct arena *scratch = arena_new(1 << 20);
	struct sp_register *r = &t->registers[SP_TASKS];
	const char *old = t->done_state;
	const struct json *patch;
	struct strbuf sb = STRBUF_INIT(scratch, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	t->done_state = sp_keep(m, name);
	jsonw_object(&w);
	jsonw_kstr(&w, "state", name);
	jsonw_end_object(&w);
	if (!json_parse(scratch, strbuf_span(&sb), JSON_LIMITS_API, &patch, NULL))
		return;
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->items[i]->state, old) == 0)
			sp_change_locked(m, t, r, r->items[i], patch, r->items[i]->updated_s);
}

static void change_flags(struct sp_tenant *t, const struct json *body)
{
	const struct {
		const char *key;
		bool *into;
	} flags[] = { { "expired", &t->is_expired },
		      { "filters", &t->takes_filters },
		      { "sorted", &t->is_sorted },
		      { "meta", &t->has_meta } };
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		bool flag;
		if (json_bool(json_get(body, flags[i].key), &flag))
			*flags[i].into = flag;
	}
	const struct json *restless = json_get(body, "restless");
	for (int i = 0; i < SP_N_KINDS; i++)
		t->registers[i].restless = control_int(restless, sp_register_name((enum sp_kind)i),
						       t->registers[i].restless, 1000000);
}

static void change_texts(struct spotilla *m, struct sp_tenant *t, const struct json *body)
{
	const struct {
		const char *key, **into;
	} texts[] = { { "token", &t->token },
		      { "denied", &t->denied },
		      { "webhook_url", &t->webhook_url },
		      { "webhook_secret", &t->webhook_secret } };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = json_str(json_get(body, texts[i].key));
		if (text)
			*texts[i].into = sp_keep(m, text);
	}
	const char *done = json_str(json_get(body, "done_state"));
	if (done)
		rename_done_locked(m, t, done);
}

static void serve_tenant(struct spotilla *m, struct sp_tenant *t, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (call_is(c, "POST") && !body)
		return;
	change_flags(t, body);
	change_texts(m, t, body);
	write_tenant(&w, t, true);
	reply_json(c, 200, &sb);
}

/* ---- events -------------------------------------------------------------------------------- */

/* What Spotilla would send of a task, with what a test wants otherwise. In the call's arena. */
static void make_event(struct call *c, struct sp_tenant *t, const struct sp_record *rec,
		       const struct json *wants, struct sp_event *ret)
{
	const char *url = json_str(json_get(wants, "url"));
	const char *secret = json_str(json_get(wants, "secret"));
	const char *id = json_text(json_get(wants, "id"));
	t->events++;
	*ret = (struct sp_event) {
		.url = url ? url : t->webhook_url,
		.secret = secret ? secret : t->webhook_secret,
		.type = json_str(json_get(wants, "type")),
		.id = id ? id : arena_printf(c->arena, "evt_%s_%" PRId64, t->key, t->events),
		.subdomain = t->key,
		.task_id = rec->id,
		.age_s = control_int(wants, "age_s", 0, 1000000),
	};
}

/* A task that was finished just now, where somebody wants to know. */
static bool is_finished(const struct sp_tenant *t, const char *state_before,
			const struct sp_record *rec)
{
	return t->webhook_url[0] && strcmp(rec->state, t->done_state) == 0 &&
	       strcmp(state_before, t->done_state) != 0;
}

/* ---- records ------------------------------------------------------------------------------- */

static int64_t stamp_of(const struct json *fields)
{
	const char *text = json_str(json_get(fields, "updated_at"));
	int64_t ms;
	return text && clock_parse_rfc3339(span_of(text), &ms) ? ms / 1000 : sp_now_s();
}

/* {"count": N, "spread_s": S, "fields": {...}} adds some; answers the first and last id. */
static void add_records(struct spotilla *m, struct sp_tenant *t, struct sp_register *r,
			struct call *c)
{
	const struct json *body = control_body(c);
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	int64_t first = r->next_id;
	if (!body)
		return;
	if (!sp_generate_locked(m, t, r->kind, control_int(body, "count", 1, 200000),
				control_int(body, "spread_s", 0, 10000000),
				json_get(body, "fields"))) {
		control_error(c, 500, "out of memory");
		return;
	}
	jsonw_object(&w);
	jsonw_kint(&w, "first", first);
	jsonw_kint(&w, "last", r->next_id - 1);
	jsonw_end_object(&w);
	reply_json(c, 201, &sb);
}

static void list_records(const struct sp_register *r, struct call *c)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_array(&w);
	for (size_t i = 0; i < r->n; i++)
		jsonw_raw(&w, span_of(r->items[i]->json));
	jsonw_end_array(&w);
	reply_json(c, 200, &sb);
}

/* GET; POST merges the body's members; DELETE. *ret_event: to be sent when the lock is free. */
static void serve_record(struct spotilla *m, struct sp_tenant *t, struct sp_register *r,
			 struct call *c, const char *which, struct sp_event *ret_event)
{
	struct sp_record *rec = sp_record_locked(r, which);
	const struct json *body = rec && call_is(c, "POST") ? control_body(c) : NULL;
	if (!rec) {
		control_error(c, 404, "no such record: %s", which);
		return;
	}
	if (call_is(c, "DELETE")) {
		sp_remove_locked(r, rec);
		reply_empty(c, 204);
		return;
	}
	if (body) {
		const char *before = rec->state;
		if (!sp_change_locked(m, t, r, rec, body, stamp_of(body)))
			return;
		if (r->kind == SP_TASKS && is_finished(t, before, rec))
			make_event(c, t, rec, NULL, ret_event);
	}
	if (body || call_is(c, "GET"))
		reply_text(c, 200, "application/json", rec->json);
}

/* POST {"task": which, ...}: sends its event, however it is asked for. */
static void prepare_event(struct sp_tenant *t, struct call *c, struct sp_event *ret)
{
	const struct json *body = control_body(c);
	const char *which = json_text(json_get(body, "task"));
	const struct sp_record *rec = which ? sp_record_locked(&t->registers[SP_TASKS], which)
					    : NULL;
	if (!body)
		return;
	if (rec)
		make_event(c, t, rec, body, ret);
	else
		control_error(c, 404, "no such task");
}

static void serve_locked(struct spotilla *m, struct call *c, size_t first,
			 struct sp_event *ret_event)
{
	size_t n = c->n_segments - first;
	const char *const *seg = c->segments + first;
	struct sp_tenant *t = n ? sp_find_locked(m, seg[0]) : NULL;
	enum sp_kind kind = n > 1 ? sp_kind_of(seg[1]) : SP_N_KINDS;
	if (!t)
		control_error(c, 404, "no such tenant at Spotilla");
	else if (n == 1)
		serve_tenant(m, t, c);
	else if (strcmp(seg[1], "events") == 0 && call_is(c, "POST"))
		prepare_event(t, c, ret_event);
	else if (kind == SP_N_KINDS)
		control_error(c, 404, "no such thing: %s", seg[1]);
	else if (n == 2 && call_is(c, "POST"))
		add_records(m, t, &t->registers[kind], c);
	else if (n == 2)
		list_records(&t->registers[kind], c);
	else
		serve_record(m, t, &t->registers[kind], c, seg[2], ret_event);
}

void sp_control(void *state, struct call *c, size_t first)
{
	struct spotilla *m = state;
	struct sp_event event = { .url = NULL };
	pthread_mutex_lock(&m->base.lock);
	serve_locked(m, c, first, &event);
	pthread_mutex_unlock(&m->base.lock);
	if (!event.url)
		return;
	unsigned status = sp_send(c->arena, &event);
	if (c->reply.status)
		return; /* the answer tells of the record */
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "id", event.id);
	jsonw_kint(&w, "status", status);
	jsonw_end_object(&w);
	reply_json(c, 200, &sb);
}
