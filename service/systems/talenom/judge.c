/*
 * judge.c: what an answer of Talenom's means. net/verdict.h judges; here the error object's code,
 * and the words of the gateway before it, are read (facts/talenom.md §2.2, 3) and only what they
 * add is handed in. Pure.
 */
#include "base/base.h"
#include "talenom_internal.h"

#define SUBJECT_MAX 150

static const struct talenom_code *find_code(const struct json *body)
{
	const char *code = json_text(json_get(body, "code"));
	for (size_t i = 0; code && i < n_talenom_codes; i++)
		if (strcmp(talenom_codes[i].code, code) == 0)
			return &talenom_codes[i];
	return NULL;
}

/* The error's text with its code, the gateway's message, what a token server says, or the body as
 * it is. The telemetry id is what Talenom's support asks for. */
static const char *words_of(struct arena *arena, const struct json *body, struct span raw)
{
	static const char *const members[] = { "error", "error_description", "message", "code",
					       "telemetryId" };
	struct strbuf sb = STRBUF_INIT(arena, 64 << 10);
	const char *text;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *part = json_text(json_get(body, members[i]));
		if (part && part[0])
			strbuf_addf(&sb, "%s%s", strbuf_span(&sb).n ? ": " : "", part);
	}
	if (!strbuf_span(&sb).n)
		strbuf_add(&sb, raw.p, raw.n < 1000 ? raw.n : 1000);
	return strbuf_span(&sb).n && strbuf_finish(&sb, &text, NULL) ? text : "";
}

/*
 * A missing invoice has no body; a gateway that knows no such address says so with a status code of
 * its own in it, and any other page is of somebody else before Talenom.
 */
static enum verdict not_found(const struct talenom_rq *rq, const struct json *body, struct span raw,
			      bool is_login)
{
	if (raw.n && json_type(body) != JSON_OBJECT)
		return VERDICT_OUTAGE;
	if (is_login || rq->is_write || json_get(body, "statusCode"))
		return VERDICT_FAULT;
	return VERDICT_NOT_FOUND;
}

static enum verdict verdict_of(const struct talenom_rq *rq, const struct http_reply *reply,
			       const struct json *body, const char *words, bool is_login)
{
	enum verdict v = verdict_of_status(reply, rq->is_write);
	if (v == VERDICT_NOT_FOUND)
		return not_found(rq, body, reply->body, is_login);
	if (reply->status == 403 && strcasestr(words, talenom_quota_words))
		return VERDICT_QUOTA;
	return is_login && v == VERDICT_BAD_DATA ? VERDICT_CREDENTIALS : v;
}

static const char *reason_of(enum verdict v)
{
	if (v == VERDICT_CREDENTIALS)
		return "credentials_refused";
	return v == VERDICT_BAD_DATA ? "refused_by_target" : NULL;
}

bool talenom_judge(struct arena *arena, const struct talenom_rq *rq, const struct http_reply *reply,
		   bool is_login, struct err *err)
{
	const struct json *body = NULL;
	if (verdict_of_status(reply, rq->is_write) == VERDICT_OK)
		return true;
	if (!json_parse(arena, reply->body, JSON_LIMITS_VENDOR, &body, NULL))
		body = NULL;
	const char *words = words_of(arena, body, reply->body);
	enum verdict v = verdict_of(rq, reply, body, words, is_login);
	const struct talenom_code *code = reply->status < 500 && !is_login ? find_code(body) : NULL;
	const char *reason = code ? code->reason : reason_of(v);
	verdict_to_err(v, reply, span_of(words), rq->what, err);
	if (!err)
		return false;
	if (code && code->means != ERR_NONE)
		err->code = code->means;
	if (reason) {
		err->reason = reason;
		snprintf(err->subject, sizeof(err->subject), "%.*s", SUBJECT_MAX,
			 err->code == ERR_CREDENTIALS ? "Talenom" : words);
	}
	return false;
}
