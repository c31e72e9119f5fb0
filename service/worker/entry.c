/*
 * entry.c: what a run leaves on the transfer's timeline: vendor calls, notes of the flow, and at
 * the end what became of it and when it goes on, in words for a bookkeeper (OP-05). English; REST
 * puts a failure's sentence into the reader's language, from its code and subject. Nothing secret:
 * a call leaves its method, path, status and time, and a refused one the vendor's words, capped.
 */
#include "base/base.h"

#include "run.h"

#include "base/clock.h"
#include "codec/json.h"
#include "model/reason.h"

#define ENTRY_MAX 8192
#define EXCERPT_MAX 1024

static const char *left_out_entry(struct run *r)
{
	struct strbuf sb = STRBUF_INIT(r->arena, 256), text = STRBUF_INIT(r->arena, 64);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json;
	strbuf_addf(&text, "%zu steps are left out here.", r->n_left_out);
	jsonw_object(&w);
	jsonw_ktime(&w, "at", clock_wall_ms());
	jsonw_kstr(&w, "code", "left_out");
	jsonw_key(&w, "text");
	jsonw_span(&w, strbuf_span(&text));
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &json, NULL) ? json : NULL;
}

/* How it began and how it ended is told, however long it was in between. */
static void keep(struct run *r, struct strbuf *sb)
{
	const char *json, *gap;
	if (!strbuf_finish(sb, &json, NULL))
		return;
	if (r->n_entries < RUN_FIRST_ENTRIES + RUN_LAST_ENTRIES) {
		r->n_left_out = 0;
		r->entries[r->n_entries++] = json;
		return;
	}
	const char **last = r->entries + RUN_FIRST_ENTRIES + 1;
	if (r->n_entries < RUN_MAX_ENTRIES) {
		memmove(last, last - 1, RUN_LAST_ENTRIES * sizeof(*last));
		r->n_entries = RUN_MAX_ENTRIES;
	}
	memmove(last, last + 1, (RUN_LAST_ENTRIES - 1) * sizeof(*last));
	last[RUN_LAST_ENTRIES - 1] = json;
	r->n_left_out++;
	gap = left_out_entry(r);
	r->entries[RUN_FIRST_ENTRIES] = gap ? gap : "{}";
}

static void begin(struct json_writer *w, const char *code)
{
	jsonw_object(w);
	jsonw_ktime(w, "at", clock_wall_ms());
	jsonw_kstr(w, "code", code);
}

/* Path without host and query: the query may hold names of people, the host is in the settings. */
static const char *path_of(struct arena *arena, const char *url)
{
	const char *p = strstr(url, "://");
	p = p ? strchr(p + 3, '/') : NULL;
	if (!p)
		return "/";
	const char *ret = arena_memdup(arena, p, strcspn(p, "?#"));
	return ret ? ret : "/";
}

void run_entry_call(struct run *r, const struct call *call, const struct http_reply *reply,
		    const struct err *err)
{
	struct strbuf sb = STRBUF_INIT(r->arena, ENTRY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *key = call->limit_key ? call->limit_key : "";
	r->has_written |= call->rq.is_write;
	begin(&w, "call");
	jsonw_key(&w, "system"); /* the part of the limit key before its colon */
	jsonw_span(&w, (struct span) { key, strcspn(key, ":") });
	jsonw_kstr(&w, "what", call->what);
	jsonw_kstr(&w, "method", call->rq.method);
	jsonw_kstr(&w, "path", path_of(r->arena, call->rq.url));
	if (reply) {
		jsonw_kint(&w, "status", reply->status);
		jsonw_kint(&w, "ms", reply->elapsed_ms);
		if (reply->status >= 400) {
			size_t n = reply->body.n < EXCERPT_MAX ? reply->body.n : EXCERPT_MAX;
			jsonw_key(&w, "answer");
			jsonw_span(&w, (struct span) { reply->body.p, n });
		}
	} else if (err) {
		jsonw_kstr(&w, "error", err_code_name(err->code));
		jsonw_kstr(&w, "text", err->message);
	}
	jsonw_end_object(&w);
	keep(r, &sb);
}

void run_entry_note(struct run *r, const char *code, const char *text)
{
	struct strbuf sb = STRBUF_INIT(r->arena, ENTRY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	begin(&w, code);
	jsonw_kstr(&w, "text", text);
	jsonw_end_object(&w);
	keep(r, &sb);
}

/* What the states say of themselves; failures have their reason's sentence. */
static const char *state_text(enum transfer_state s)
{
	switch (s) {
	case STATE_DONE:
		return "Finished: nothing more is to be done.";
	case STATE_SKIPPED:
		return "Nothing was sent.";
	case STATE_CANCELLED:
		return "Cancelled: nothing more is done.";
	case STATE_FOLLOWING:
		return "Sent; the target's verdict is awaited.";
	case STATE_WAITING:
	case STATE_QUEUED:
	case STATE_RUNNING:
	case STATE_IN_DOUBT:
	case STATE_RETRYING:
	case STATE_NEEDS_DATA:
	case STATE_SYSTEM_FAULT:
	case N_TRANSFER_STATES:
		break;
	}
	return state_name(s);
}

static void write_failure(struct run *r, struct json_writer *w)
{
	const struct err *e = &r->err;
	const struct reason *reason = reason_find(r->outcome.error_code);
	struct strbuf text = STRBUF_INIT(r->arena, ENTRY_MAX);
	if (reason)
		reason_sentence(reason, "en", e->subject, &text);
	else
		strbuf_addstr(&text, e->message);
	jsonw_key(w, "text");
	jsonw_span(w, strbuf_span(&text));
	jsonw_kstr(w, "subject", e->subject);
	jsonw_kstr(w, "detail", e->message);
	if (e->target_text[0])
		jsonw_kstr(w, "target_text", e->target_text);
}

void run_entry_end(struct run *r)
{
	const struct queue_outcome *o = &r->outcome;
	bool has_failed = r->err.code != ERR_NONE;
	struct strbuf sb = STRBUF_INIT(r->arena, ENTRY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	begin(&w, has_failed ? o->error_code : state_name(o->state));
	jsonw_kstr(&w, "state", state_name(o->state));
	if (has_failed)
		write_failure(r, &w);
	else if (o->state == STATE_DONE && o->in_rounds)
		jsonw_kstr(&w, "text", "Finished; a late failure is still watched for.");
	else
		jsonw_kstr(&w, "text", state_text(o->state));
	if (o->delay_ms >= 0 && !o->in_rounds)
		jsonw_ktime(&w, "next_at", clock_wall_ms() + o->delay_ms);
	jsonw_end_object(&w);
	keep(r, &sb);
}
