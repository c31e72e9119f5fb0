/*
 * cases.c: replays and records flow cases (cases.h). Recording is for tests/flows/record.py, which
 * says beforehand what must come of each case.
 */
#include "base/base.h"
#include "cases.h"

#include <dirent.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "codec/sign.h"
#include "fake.h"
#include "registry.h"

#define EXCHANGES_MAX 256
#define CASES_MAX 1024

struct exchange {
	const struct call *call;
	struct http_reply reply;
	struct err err; /* code ERR_NONE: replied */
};

struct run {
	const struct flow *flow; /* "flow": its name; severa-netvisor when not said */
	struct arena *arena;
	const struct json *spec;
	const struct json *next; /* replay: the exchange awaited */
	struct http_client *client; /* record */
	int64_t calls_of_that; /* record: calls of the name that "meanwhile" waits for */
	bool interfered;
	struct exchange made[EXCHANGES_MAX];
	size_t n_made;
	char complaint[2048]; /* what differed; "" when nothing did */
	struct fake fake;
};

static const char *text_of(const struct json *j, const char *path)
{
	const char *s = json_str(json_at(j, path));
	return s ? s : "";
}

static int64_t int_of(const struct json *j, const char *path, int64_t preset)
{
	int64_t v;
	return json_int64(json_at(j, path), &v) ? v : preset;
}

static bool bool_of(const struct json *j, const char *path)
{
	bool v;
	return json_bool(json_at(j, path), &v) && v;
}

static void complain(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void complain(struct run *r, const char *fmt, ...)
{
	va_list ap;
	if (r->complaint[0])
		return; /* the first says most */
	va_start(ap, fmt);
	vsnprintf(r->complaint, sizeof(r->complaint), fmt, ap);
	va_end(ap);
}

static const char *node_text(struct run *r, const struct json *j)
{
	struct strbuf sb = STRBUF_INIT(r->arena, 1 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *ret;
	if (!j)
		return "{}";
	jsonw_node(&w, j);
	return strbuf_finish(&sb, &ret, NULL) ? ret : "{}";
}

/* ---- replay -------------------------------------------------------------------------------- */

static enum err_code code_of(const char *name)
{
	for (int c = ERR_NONE; c <= ERR_SYSTEM; c++)
		if (strcmp(err_code_name((enum err_code)c), name) == 0)
			return (enum err_code)c;
	return ERR_SYSTEM;
}

/* The time in changedSince is the clock's and does not count. */
static bool same_url(const char *a, const char *b)
{
	static const char mark[] = "changedSince=";
	const char *x = strstr(a, mark), *y = strstr(b, mark);
	if (!x || !y)
		return strcmp(a, b) == 0;
	return x - a == y - b && memcmp(a, b, (size_t)(x - a)) == 0 &&
	       strcmp(x + strcspn(x, "&"), y + strcspn(y, "&")) == 0;
}

/* What was sent, as text or as Base64. */
static bool recorded_bytes(struct run *r, const struct json *x, const char *key, struct span *ret)
{
	const char *coded_key = arena_printf(r->arena, "%s_base64", key);
	const char *coded = coded_key ? json_str(json_get(x, coded_key)) : NULL;
	*ret = span_of(text_of(x, key));
	if (!coded)
		return true;
	unsigned char *raw = arena_alloc(r->arena, strlen(coded) + 1);
	size_t n;
	if (!raw || !sign_unbase64(span_of(coded), raw, strlen(coded), &n))
		return false;
	*ret = (struct span) { (char *)raw, n };
	return true;
}

static bool is_same_body(struct run *r, struct span body)
{
	struct span recorded;
	return recorded_bytes(r, r->next, "body", &recorded) && body.n == recorded.n &&
	       (!body.n || memcmp(body.p, recorded.p, body.n) == 0);
}

static bool is_expected(struct run *r, const struct call *call)
{
	const char *body = text_of(r->next, "body");
	if (!r->next)
		complain(r, "one call too many: %s %s", call->rq.method, call->rq.url);
	else if (strcmp(text_of(r->next, "method"), call->rq.method) != 0 ||
		 !same_url(text_of(r->next, "url"), call->rq.url))
		complain(r, "called %s %s instead of %s %s", call->rq.method, call->rq.url,
			 text_of(r->next, "method"), text_of(r->next, "url"));
	else if (!is_same_body(r, call->rq.body))
		complain(r, "%s: body is\n%.*s\ninstead of\n%s", call->what,
			 call->rq.body.n < 800 ? (int)call->rq.body.n : 800, call->rq.body.p, body);
	return !r->complaint[0];
}

static bool replay(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct run *r = f->ctx;
	if (!is_expected(r, call))
		return err_set(err, ERR_SYSTEM, "not the recorded call");
	const struct json *x = r->next;
	const char *fail = text_of(x, "fail");
	const char *token = json_str(json_get(x, "next_page_token"));
	r->next = json_next(x);
	if (fail[0])
		return err_set(err, code_of(fail), "%s: recorded failure", call->what);
	struct http_header *h = arena_alloc(r->arena, sizeof(*h));
	*ret = (struct http_reply) { .status = (int)int_of(x, "status", 200),
				     .content_type = text_of(x, "content_type"),
				     .retry_after_ms = -1 };
	if (!h || !recorded_bytes(r, x, "reply", &ret->body))
		return err_set(err, ERR_SYSTEM, "case: reply_base64");
	*h = (struct http_header) { "nextpagetoken", token };
	ret->headers = h;
	ret->n_headers = token ? 1 : 0;
	return true;
}

/* ---- record -------------------------------------------------------------------------------- */

/* What somebody does meanwhile: "meanwhile": {"before": "read invoice", "after": 1, "url", "body"}
 * is sent to the sandbox before the second call of that name. */
static void interfere(struct run *r, const struct call *call)
{
	const struct json *m = json_get(r->spec, "meanwhile");
	struct http_transport *t = http_client_transport(r->client);
	struct http_request rq = { .method = "POST",
				   .url = text_of(m, "url"),
				   .body = span_of(node_text(r, json_get(m, "body"))) };
	struct http_reply reply;
	enum http_reach reach;
	struct err err = ERR_INIT;
	if (!m || r->interfered || strcmp(call->what, text_of(m, "before")) != 0 ||
	    r->calls_of_that++ < int_of(m, "after", 0))
		return;
	r->interfered = true;
	if (!t->perform(t, r->arena, &rq, &reply, &reach, &err) || reply.status >= 300)
		complain(r, "meanwhile: %s %d", err.message, reply.status);
}

static bool perform(struct fake *f, const struct call *call, struct http_reply *ret,
		    struct err *err)
{
	struct run *r = f->ctx;
	struct http_transport *t = http_client_transport(r->client);
	enum http_reach reach;
	interfere(r, call);
	struct exchange *x = &r->made[r->n_made++];
	struct call *copy = (void *)arena_memdup(r->arena, call, sizeof(*call));
	assert(r->n_made < EXCHANGES_MAX && copy);
	copy->rq.url = arena_strdup(r->arena, call->rq.url); /* of a page, which goes with it */
	if (call->rq.body.p)
		copy->rq.body.p = arena_memdup(r->arena, call->rq.body.p, call->rq.body.n);
	*x = (struct exchange) { .call = copy, .err = ERR_INIT };
	if (t->perform(t, r->arena, &call->rq, &x->reply, &reach, &x->err)) {
		*ret = x->reply;
		return true;
	}
	*err = x->err;
	return false;
}

static bool is_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x09)
			return false;
	return (s.n < 4 || memcmp(s.p, "%PDF", 4) != 0) && utf8_is_valid(s);
}

static void write_bytes(struct run *r, struct json_writer *w, const char *key, struct span bytes)
{
	if (is_text(bytes)) {
		jsonw_key(w, key);
		jsonw_span(w, bytes);
	} else {
		jsonw_kstr(w, arena_printf(r->arena, "%s_base64", key),
			   sign_base64(r->arena, bytes));
	}
}

static void write_exchange(struct run *r, struct json_writer *w, const struct exchange *x)
{
	const struct http_reply *reply = &x->reply;
	jsonw_object(w);
	jsonw_kstr(w, "what", x->call->what);
	jsonw_kstr(w, "method", x->call->rq.method);
	jsonw_kstr(w, "url", x->call->rq.url);
	if (x->call->rq.body.p)
		write_bytes(r, w, "body", x->call->rq.body);
	if (x->err.code != ERR_NONE) {
		jsonw_kstr(w, "fail", err_code_name(x->err.code));
	} else {
		const char *token = http_reply_header(reply, "nextpagetoken");
		jsonw_kint(w, "status", reply->status);
		jsonw_kstr(w, "content_type", reply->content_type);
		if (token)
			jsonw_kstr(w, "next_page_token", token);
		write_bytes(r, w, "reply", reply->body);
	}
	jsonw_end_object(w);
}

/* ---- what comes of it ---------------------------------------------------------------------- */

static const char *const outcomes[] = { "done", "skipped", "cancelled", "following" };
static const char *const step_states[] = { "none", "intent", "done" };

/* The report without its time. */
static void write_report(struct run *r, struct json_writer *w)
{
	const struct json *j;
	if (!r->fake.report ||
	    !json_parse(r->arena, span_of(r->fake.report), JSON_LIMITS_VENDOR, &j, NULL))
		return;
	jsonw_key(w, "report");
	jsonw_object(w);
	for (const struct json *m = json_first(j); m; m = json_next(m)) {
		if (strcmp(json_key(m), "at") == 0)
			continue;
		jsonw_key(w, json_key(m));
		jsonw_node(w, m);
	}
	jsonw_end_object(w);
}

static const char *outcome_json(struct run *r, bool ok, const struct err *err)
{
	struct strbuf sb = STRBUF_INIT(r->arena, 1 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct fake *f = &r->fake;
	const char *ret;
	jsonw_object(&w);
	if (ok)
		jsonw_kstr(&w, "outcome", outcomes[f->at.outcome]);
	else
		jsonw_kstr(&w, "error", err_code_name(err->code));
	if (!ok && err->reason) {
		jsonw_kstr(&w, "reason", err->reason);
		jsonw_kstr(&w, "subject", err->subject);
	}
	if (!ok && str_eq(err->reason, "delivery_failed"))
		jsonw_kstr(&w, "words", err->target_text);
	if (f->number)
		jsonw_kstr(&w, "number", f->number);
	if (f->at.generation > 1)
		jsonw_kint(&w, "generation", f->at.generation);
	if (f->wanted)
		jsonw_kstr(&w, "wanted", f->wanted);
	if (f->at.verdict)
		jsonw_kstr(&w, "verdict", f->at.verdict);
	if (f->at.watch_ms)
		jsonw_kint(&w, "watch_days", f->at.watch_ms / 86400000);
	jsonw_key(&w, "notes");
	jsonw_array(&w);
	for (size_t i = 0; i < f->at.n_notes; i++)
		jsonw_str(&w, f->at.notes[i].code);
	jsonw_end_array(&w);
	jsonw_key(&w, "steps");
	jsonw_object(&w);
	for (size_t i = 0; i < f->n_steps; i++)
		if (f->steps[i].step.state != STEP_NONE)
			jsonw_kstr(&w, f->steps[i].name, step_states[f->steps[i].step.state]);
	jsonw_end_object(&w);
	if (bool_of(r->spec, "tells_key")) /* what the target knows the delivered document by */
		jsonw_kstr(&w, "key", fake_step(&r->fake, r->flow->delivery_step)->outcome);
	if (bool_of(r->spec, "tells_about")) /* by what it is known, as its intent says */
		jsonw_kstr(&w, "about", fake_step(&r->fake, r->flow->delivery_step)->about);
	write_report(r, &w);
	if (f->at.result && f->at.result[0] == '{') {
		jsonw_key(&w, "result");
		jsonw_raw(&w, span_of(f->at.result));
	}
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &ret, NULL) ? ret : "{}";
}

/* ---- one run ------------------------------------------------------------------------------- */

static void put_steps(struct run *r)
{
	const struct json *steps = json_get(r->spec, "steps");
	int64_t now = clock_wall_ms();
	for (const struct json *s = json_first(steps); s; s = json_next(s)) {
		bool is_done = strcmp(text_of(s, "state"), "done") == 0;
		*fake_step(&r->fake, json_key(s)) =
			(struct step) { .state = is_done ? STEP_DONE : STEP_INTENT,
					.intent_ms = now - int_of(s, "age_ms", 0),
					.about = text_of(s, "about"),
					.lookups = (int)int_of(s, "lookups", 0),
					.last_lookup_ms = now - int_of(s, "lookup_age_ms", 0),
					.outcome = text_of(s, "outcome") };
	}
}

/* {"scope|key": "value"} */
static void put_values(struct run *r)
{
	for (const struct json *v = json_first(json_get(r->spec, "values")); v; v = json_next(v))
		r->fake.kv[r->fake.n_kv++] = (struct fake_pair) { json_key(v), json_str(v) };
}

static enum transfer_state state_of(const struct json *known)
{
	enum transfer_state state;
	return state_parse(span_of(text_of(known, "state")), &state) ? state : STATE_DONE;
}

static void put_known(struct run *r)
{
	const struct json *k = json_get(r->spec, "known");
	if (!k)
		return;
	r->fake.known = (struct known_transfer) { .exists = true,
						  .state = state_of(k),
						  .delivered = bool_of(k, "delivered"),
						  .changed = text_of(k, "changed"),
						  .content_hash = text_of(k, "content_hash"),
						  .id = "t" };
}

/* A transfer that failed so that it needs data: the source is told, as the worker does. */
static void tell_source(struct run *r, const struct err *why)
{
	struct err err = ERR_INIT;
	const struct flow *flow = r->flow;
	if (fake_step(&r->fake, flow->delivery_step)->state == STEP_INTENT ||
	    fake_step(&r->fake, STEP_FAILED)->state == STEP_DONE)
		return;
	if (!flow->on_failed(&r->fake.at, why, &err))
		r->fake.at.ops->note(&r->fake.at, err_code_name(err.code), err.message);
}

/* A webhook's body, read by the flow alone: {"hint": "<body>"}. */
static const char *run_hint(struct run *r)
{
	struct strbuf sb = STRBUF_INIT(r->arena, 65536);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *kind = NULL, *source_id = NULL, *ret;
	struct err err = ERR_INIT;
	bool ok = r->flow->accept(r->arena, span_of(text_of(r->spec, "hint")), &kind, &source_id,
				  &err);
	jsonw_object(&w);
	if (ok) {
		jsonw_kstr(&w, "kind", kind);
		jsonw_kstr(&w, "source_id", source_id);
	} else {
		jsonw_kstr(&w, "error", err_code_name(err.code));
		jsonw_kstr(&w, "pointer", err.pointer);
	}
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &ret, NULL) ? ret : "{}";
}

/* A round of follow-up: "items": [{"key", "word", "age_ms"}]; what came of each stands in the
 * result. */
static bool run_follow(struct run *r, struct err *err)
{
	struct follow_item items[FOLLOW_MAX] = { 0 };
	struct strbuf sb = STRBUF_INIT(r->arena, 65536);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	int64_t now = clock_wall_ms();
	size_t n = 0;
	for (const struct json *j = json_first(json_get(r->spec, "items")); j; j = json_next(j))
		items[n++] = (struct follow_item) { .kind = "invoice",
						    .target_key = text_of(j, "key"),
						    .word = text_of(j, "word"),
						    .sent_ms = now - int_of(j, "age_ms", 0),
						    .now_ms = now };
	r->fake.at.preview = true; /* it decides nothing, and writes nothing */
	if (!r->flow->follow(&r->fake.at, items, n, err))
		return false;
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++) {
		jsonw_object(&w);
		jsonw_kbool(&w, "has_news", items[i].has_news);
		jsonw_kstr(&w, "seen", items[i].seen);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &r->fake.at.result, err);
}

static const struct flow *flow_named(const char *name)
{
	for (size_t i = 0; flows[i]; i++)
		if (strcmp(flows[i]->name, name[0] ? name : "severa-netvisor") == 0)
			return flows[i];
	return NULL;
}

static const char *run_flow(struct run *r)
{
	struct fake *f = &r->fake;
	struct err err = ERR_INIT;
	const char *kind = text_of(r->spec, "kind");
	r->flow = flow_named(text_of(r->spec, "flow"));
	if (!r->flow) {
		complain(r, "there is no flow %s", text_of(r->spec, "flow"));
		return "{}";
	}
	if (json_get(r->spec, "hint"))
		return run_hint(r);
	fake_init(f, r->arena, node_text(r, json_get(r->spec, "settings")),
		  node_text(r, json_get(r->spec, "credentials")));
	if (text_of(r->spec, "connection")[0])
		snprintf(f->conn.id, sizeof(f->conn.id), "%s", text_of(r->spec, "connection"));
	f->at.flow = r->flow;
	f->exchange = r->client ? perform : replay;
	f->ctx = r;
	f->at.epoch_ms = int_of(r->spec, "epoch_ms", 0);
	f->at.absent_counts_ms = int_of(r->spec, "absent_counts_in_ms", 0)
					 ? clock_wall_ms() +
						   int_of(r->spec, "absent_counts_in_ms", 0)
					 : 0;
	f->conn.activated_ms = int_of(r->spec, "activated_ms", f->conn.activated_ms);
	f->at.preview = bool_of(r->spec, "preview");
	f->severa.page = (int)int_of(r->spec, "page", 100);
	put_steps(r);
	f->at.delivered = fake_step(f, r->flow->delivery_step)->state == STEP_DONE;
	f->at.generation = int_of(r->spec, "generation", 1);
	put_known(r);
	put_values(r);
	fake_aim(f, kind, text_of(r->spec, "source_id"));
	bool ok = strcmp(kind, "poll") == 0	? r->flow->poll(&f->at, &err)
		  : strcmp(kind, "check") == 0	? r->flow->check(&f->at, &err)
		  : strcmp(kind, "follow") == 0 ? run_follow(r, &err)
						: r->flow->run(&f->at, &err);
	if (!ok && !r->client && err.code == ERR_NONE)
		complain(r, "failed without an error");
	if (!ok && err.code == ERR_DATA && strcmp(kind, "invoice") == 0)
		tell_source(r, &err);
	return outcome_json(r, ok, &err);
}

static bool read_file(struct arena *arena, const char *path, struct span *ret)
{
	size_t cap = (size_t)8 << 20;
	char *buf = arena_alloc(arena, cap);
	FILE *f = buf ? fopen(path, "rb") : NULL;
	if (!f)
		return false;
	*ret = (struct span) { buf, fread(buf, 1, cap, f) };
	return fclose(f) == 0;
}

static bool replay_case(const char *path, const char *name)
{
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)256 << 20);
	struct run *r = arena ? arena_alloc(arena, sizeof(*r)) : NULL;
	struct span text;
	struct err err = ERR_INIT;
	if (!r || !read_file(arena, path, &text) ||
	    !json_parse(arena, text, JSON_LIMITS_VENDOR, &r->spec, &err)) {
		printf("%s: cannot be read: %s\n", name, err.message);
		return false;
	}
	r->arena = arena;
	r->next = json_first(json_get(r->spec, "exchanges"));
	const char *came = run_flow(r);
	const char *expected = node_text(r, json_get(r->spec, "expect"));
	if (!r->complaint[0] && r->next)
		complain(r, "call was not made: %s %s", text_of(r->next, "method"),
			 text_of(r->next, "url"));
	if (!r->complaint[0] && strcmp(came, expected) != 0)
		complain(r, "came to\n  %s\ninstead of\n  %s", came, expected);
	if (r->complaint[0])
		printf("%s: %s\n", name, r->complaint);
	return !r->complaint[0];
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Folders below a folder, sorted; their number. */
static size_t list_folders(struct arena *arena, const char *folder, const char *names[CASES_MAX])
{
	DIR *dir = opendir(folder);
	const struct dirent *d;
	size_t n = 0;
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || d->d_type != DT_DIR)
			continue;
		assert(n < CASES_MAX);
		names[n++] = arena_strdup(arena, d->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(names, n, sizeof(*names), by_name);
	return n;
}

static void replay_flow(struct arena *arena, const char *folder, const char *flow, int *passed,
			int *failed)
{
	const char *names[CASES_MAX];
	char path[4096], name[512];
	snprintf(path, sizeof(path), "%s/%s", folder, flow);
	size_t n = list_folders(arena, path, names);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s/case.json", folder, flow, names[i]);
		snprintf(name, sizeof(name), "%s/%s", flow, names[i]);
		++*(replay_case(path, name) ? passed : failed);
	}
}

int cases_replay(const char *folder)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const char *names[CASES_MAX];
	int passed = 0, failed = 0;
	size_t n = arena ? list_folders(arena, folder, names) : 0;
	for (size_t i = 0; i < n; i++)
		replay_flow(arena, folder, names[i], &passed, &failed);
	printf("flows: %d passed, %d failed\n", passed, failed);
	return failed || !passed;
}

int cases_record(void)
{
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)256 << 20);
	struct http_guard guard = { .allow_private = true, .allow_http = true };
	struct run *r = arena ? arena_alloc(arena, sizeof(*r)) : NULL;
	struct err err = ERR_INIT;
	struct span text;
	if (!r || !read_file(arena, "/dev/stdin", &text) ||
	    !json_parse(arena, text, JSON_LIMITS_VENDOR, &r->spec, &err) ||
	    !http_global_init(&err) || !http_client_new(&guard, &r->client, &err)) {
		fprintf(stderr, "record: %s\n", err.message);
		return 1;
	}
	r->arena = arena;
	struct strbuf sb = STRBUF_INIT(arena, (size_t)64 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *came = run_flow(r), *whole;
	if (r->complaint[0])
		fprintf(stderr, "record: %s\n", r->complaint);
	jsonw_object(&w);
	for (const struct json *m = json_first(r->spec); m; m = json_next(m)) {
		jsonw_key(&w, json_key(m));
		jsonw_node(&w, m);
	}
	jsonw_key(&w, "exchanges");
	jsonw_array(&w);
	for (size_t i = 0; i < r->n_made; i++)
		write_exchange(r, &w, &r->made[i]);
	jsonw_end_array(&w);
	jsonw_key(&w, "expect");
	jsonw_raw(&w, span_of(came));
	jsonw_end_object(&w);
	bool ok = strbuf_finish(&sb, &whole, &err);
	if (ok)
		printf("%s\n", whole);
	http_client_free(r->client);
	http_global_release();
	return !ok;
}
