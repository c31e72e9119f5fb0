/*
 * judge.c: what an answer of Maventa's means. net/verdict.h judges; here the error object's words
 * are read (facts/maventa.md §4) and only what they add is handed in. Pure.
 */
#include "base/base.h"
#include "maventa_internal.h"

#include "base/clock.h"

static bool says(const char *words, const struct maventa_text *text)
{
	static const char mark[] = "ERROR: ";
	const size_t n = sizeof(mark) - 1;
	for (const char *p = words; (p = strcasestr(p, text->says)); p++)
		if (text->anywhere || p == words ||
		    (p >= words + n && strncasecmp(p - n, mark, n) == 0))
			return true;
	return false;
}

const struct maventa_text *maventa_text_find(const char *words)
{
	for (size_t i = 0; words && i < n_maventa_texts; i++)
		if (says(words, &maventa_texts[i]))
			return &maventa_texts[i];
	return NULL;
}

bool maventa_fail(enum verdict v, const struct http_reply *reply, const char *what,
		  const char *reason, const char *words, struct err *err)
{
	verdict_to_err(v, reply, span_of(words), what, err);
	if (!err)
		return false;
	if (reason) {
		err->reason = reason;
		snprintf(err->subject, sizeof(err->subject), "%.150s",
			 v == VERDICT_CREDENTIALS && strcmp(reason, "account_not_ready") != 0
				 ? "Maventa"
				 : words);
	}
	if (v == VERDICT_QUOTA && err->retry_after_ms < 0 && maventa_text_find(words))
		err->retry_after_ms = maventa_next_day_ms(clock_wall_ms());
	return false;
}

static void add_words(struct strbuf *sb, const char *text)
{
	if (!text || !text[0])
		return;
	if (strbuf_span(sb).n)
		strbuf_addstr(sb, ": ");
	strbuf_addstr(sb, text);
}

/* "Error while creating invoice: ERROR: INVOICE DATE NOT FOUND"; the body as it is when it is no
 * error object. OAuth's own form is read too. */
static const char *words_of(struct arena *arena, struct span body)
{
	struct strbuf sb = STRBUF_INIT(arena, 4096);
	const struct json *j;
	const char *text = NULL;
	if (json_parse(arena, body, JSON_LIMITS_VENDOR, &j, NULL)) {
		const struct json *details = json_get(j, "details");
		add_words(&sb, json_str(json_get(j, "message")));
		add_words(&sb, json_str(details));
		for (const struct json *d = json_first(details); d; d = json_next(d))
			add_words(&sb, json_str(d));
		add_words(&sb, json_str(json_get(j, "error_description")));
		if (!strbuf_span(&sb).n)
			add_words(&sb, json_str(json_get(j, "code")));
		if (!strbuf_span(&sb).n)
			add_words(&sb, json_str(json_get(j, "error")));
	}
	if (!strbuf_span(&sb).n)
		strbuf_add(&sb, body.p, body.n < 1000 ? body.n : 1000);
	return strbuf_finish(&sb, &text, NULL) ? text : "";
}

static bool is_html(const struct http_reply *reply)
{
	return strncasecmp(reply->content_type, "text/html", 9) == 0;
}

bool maventa_judge(struct arena *arena, const struct maventa_rq *rq, const struct http_reply *reply,
		   bool is_login, struct err *err)
{
	enum verdict v = verdict_of_status(reply, rq->is_write);
	if (v == VERDICT_OK)
		return true;
	const char *words = words_of(arena, reply->body);
	const struct maventa_text *text = reply->status < 500 ? maventa_text_find(words) : NULL;
	if (text)
		return maventa_fail(text->verdict, reply, rq->what, text->reason, words, err);
	if (is_login && v == VERDICT_BAD_DATA)
		v = VERDICT_CREDENTIALS;
	if (v == VERDICT_NOT_FOUND && is_html(reply))
		v = VERDICT_OUTAGE; /* whoever stands before Maventa */
	if (v == VERDICT_NOT_FOUND && (is_login || (rq->is_write && !str_eq(rq->method, "DELETE"))))
		v = VERDICT_FAULT; /* no such address */
	const char *reason = NULL;
	if (v == VERDICT_CREDENTIALS)
		reason = "credentials_refused";
	else if (v == VERDICT_BAD_DATA)
		reason = "refused_by_target";
	return maventa_fail(v, reply, rq->what, reason, words, err);
}
