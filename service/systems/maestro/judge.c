/*
 * judge.c: what an answer of Maestro's means. net/verdict.h judges; here the error object is read
 * (facts/maestro.md §3) and only what it adds is handed in. Pure.
 */
#include "base/base.h"
#include "maestro_internal.h"

#define TOO_EARLY 425

static void add_words(struct strbuf *sb, const char *between, const char *text)
{
	if (!text || !text[0])
		return;
	if (strbuf_span(sb).n)
		strbuf_addstr(sb, between);
	strbuf_addstr(sb, text);
}

/* "The invoice is not valid: InvoiceRow[2]/RowVatRatePercent: no such rate"; the body as it is when
 * there is no error object. */
static const char *words_of(struct arena *arena, const struct json *error, struct span body)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 << 10);
	const char *text;
	add_words(&sb, "", json_str(json_get(error, "message")));
	for (const struct json *d = json_first(json_get(error, "details")); d; d = json_next(d)) {
		add_words(&sb, ": ", json_str(json_get(d, "path")));
		add_words(&sb, ": ", json_str(json_get(d, "message")));
	}
	if (!strbuf_span(&sb).n)
		add_words(&sb, "", json_str(json_get(error, "code")));
	if (!strbuf_span(&sb).n)
		strbuf_add(&sb, body.p, body.n < 1000 ? body.n : 1000);
	return strbuf_finish(&sb, &text, NULL) ? text : "";
}

static const struct maestro_code *find_code(const struct json *error)
{
	const char *code = json_str(json_get(error, "code"));
	for (size_t i = 0; code && i < n_maestro_codes; i++)
		if (strcmp(maestro_codes[i].code, code) == 0)
			return &maestro_codes[i];
	return NULL;
}

static const char *reason_of(enum verdict v)
{
	if (v == VERDICT_CREDENTIALS)
		return "credentials_refused";
	return v == VERDICT_BAD_DATA ? "refused_by_target" : NULL;
}

bool maestro_judge(struct arena *arena, const struct maestro_rq *rq, const struct http_reply *reply,
		   struct err *err)
{
	enum verdict v = verdict_of_status(reply, rq->is_write);
	const struct json *body, *error = NULL;
	if (v == VERDICT_OK)
		return true;
	if (json_parse(arena, reply->body, JSON_LIMITS_VENDOR, &body, NULL))
		error = json_get(body, "error");
	const struct maestro_code *code = reply->status < 500 ? find_code(error) : NULL;
	if (code)
		v = code->verdict;
	else if (reply->status == TOO_EARLY)
		v = VERDICT_OUTAGE;
	else if (v == VERDICT_NOT_FOUND) /* no such address, or whoever stands before Maestro */
		v = json_type(error) == JSON_OBJECT ? VERDICT_FAULT : VERDICT_OUTAGE;
	if (v == VERDICT_NOT_FOUND && rq->is_write)
		v = VERDICT_FAULT;
	const char *words = words_of(arena, error, reply->body);
	const char *reason = code ? code->reason : reason_of(v);
	verdict_to_err(v, reply, span_of(words), rq->what, err);
	if (err && reason) {
		err->reason = reason;
		snprintf(err->subject, sizeof(err->subject), "%.150s",
			 v == VERDICT_CREDENTIALS ? "Maestro" : words);
	}
	return false;
}
