/*
 * judge.c: what an answer of Procountor's means (facts/procountor.md §9). net/verdict.h judges by
 * status; here the list of errors is read, and only what its codes and the login add is handed in.
 * Pure.
 */
#include "base/base.h"
#include "procountor_internal.h"

#define WORDS_MAX ((size_t)4096)
#define SHOWN_MAX ((size_t)1000) /* of a body that is no list of errors */

/* What the body says. Texts are "" when it does not. */
struct complaint {
	const char *words; /* all of it, for people */
	const char *field; /* the first that is named */
	const struct procountor_text *text; /* the row that explains it; NULL: none does */
	const char *oauth; /* of a refused login: "invalid_client" */
	bool is_list, is_stale;
};

static void add_words(struct strbuf *sb, const char *field, const char *message)
{
	if (!field[0] && !message[0])
		return;
	strbuf_addf(sb, "%s%s%s", strbuf_span(sb).n ? "; " : "", field,
		    field[0] && message[0] ? ": " : "");
	strbuf_addstr(sb, message);
}

static void read_one(struct complaint *c, struct strbuf *sb, const char *field, const char *message)
{
	add_words(sb, field, message);
	c->is_stale = c->is_stale || procountor_is_stale(field, message);
	if (!c->field[0])
		c->field = field;
	for (size_t i = 0; i < n_procountor_texts && !c->text; i++) {
		if (!strcasestr(message, procountor_texts[i].says))
			continue;
		c->text = &procountor_texts[i];
		c->field = field;
	}
}

/* {"errors":[{"field","message"}]}; the older {"constraintViolations":[{"errorCode"}]}; a login's
 * {"error","error_description"}; else the body as it is. */
static void read_complaint(struct arena *arena, struct span body, struct complaint *ret)
{
	struct strbuf sb = STRBUF_INIT(arena, WORDS_MAX + SHOWN_MAX);
	const struct json *j = NULL;
	*ret = (struct complaint) { .words = "", .field = "", .oauth = "" };
	if (!json_parse(arena, body, JSON_LIMITS_VENDOR, &j, NULL))
		j = NULL;
	const struct json *e = json_first(json_get(j, "errors"));
	const struct json *old = json_first(json_get(j, "constraintViolations"));
	ret->is_list = e || old;
	for (; e && strbuf_span(&sb).n < WORDS_MAX; e = json_next(e))
		read_one(ret, &sb, json_text_or(e, "field", ""), json_text_or(e, "message", ""));
	for (; old && strbuf_span(&sb).n < WORDS_MAX; old = json_next(old))
		read_one(ret, &sb, json_text_or(old, "field", ""),
			 json_text_or(old, "errorCode", ""));
	ret->oauth = json_text_or(j, "error", "");
	if (!ret->is_list)
		add_words(&sb, ret->oauth, json_text_or(j, "error_description", ""));
	if (!strbuf_span(&sb).n)
		strbuf_add(&sb, body.p, body.n < SHOWN_MAX ? body.n : SHOWN_MAX);
	if (!strbuf_finish(&sb, &ret->words, NULL))
		ret->words = "";
}

static bool is_html(const struct http_reply *reply)
{
	return strncasecmp(reply->content_type, "text/html", 9) == 0;
}

static bool is_our_client(const struct complaint *c)
{
	size_t i = 0;
	while (procountor_vendor_errors[i] && strcmp(procountor_vendor_errors[i], c->oauth) != 0)
		i++;
	return procountor_vendor_errors[i] != NULL;
}

static enum verdict judge_login(enum verdict v, const struct http_reply *reply,
				const struct complaint *c, const char **ret_reason)
{
	if (v == VERDICT_NOT_FOUND) /* a wrong version in the path (§2) */
		return VERDICT_FAULT;
	if (reply->status == 403 && is_html(reply))
		return VERDICT_OUTAGE;
	if (v == VERDICT_BAD_DATA)
		v = VERDICT_CREDENTIALS;
	if (v == VERDICT_CREDENTIALS)
		*ret_reason = is_our_client(c) ? "vendor_key_refused" : "credentials_refused";
	return v;
}

static enum verdict judge_call(enum verdict v, const struct http_reply *reply,
			       const struct procountor_rq *rq, const struct complaint *c,
			       const char **ret_reason)
{
	if (is_html(reply) && (reply->status == 403 || reply->status == 404))
		return VERDICT_OUTAGE; /* whoever stands before Procountor; nothing was done */
	if (v == VERDICT_NOT_FOUND && rq->is_write && !c->is_list)
		return VERDICT_FAULT; /* no such address */
	if (reply->status == 403 && c->field[0])
		v = VERDICT_BAD_DATA;
	if ((v == VERDICT_BAD_DATA || v == VERDICT_CREDENTIALS) && c->text)
		v = c->text->verdict;
	if (v == VERDICT_BAD_DATA)
		*ret_reason = c->text ? c->text->reason : "refused_by_target";
	else if (v == VERDICT_CREDENTIALS)
		*ret_reason = reply->status == 403 ? "rights_missing" : "credentials_refused";
	return v;
}

/* Whom or what the sentence of the reason is about. */
static const char *subject_of(enum verdict v, const struct procountor_rq *rq,
			      const struct complaint *c)
{
	if (v == VERDICT_CREDENTIALS)
		return "Procountor";
	if (!c->text)
		return c->words;
	if (c->text->about == ABOUT_NAME && rq->name)
		return rq->name;
	if (c->text->about == ABOUT_NUMBER && rq->number)
		return rq->number;
	return c->field[0] ? c->field : c->words;
}

/* Cut on a character's border. */
static void name_reason(struct err *err, const char *reason, const char *subject)
{
	struct err named = ERR_INIT;
	err_reason(&named, err->code, reason, subject, "%s", "");
	err->reason = reason;
	memcpy(err->subject, named.subject, sizeof(err->subject));
}

bool procountor_judge(struct arena *arena, const struct procountor_options *opt,
		      const struct procountor_rq *rq, const struct http_reply *reply, bool is_login,
		      struct err *err)
{
	enum verdict v = verdict_of_status(reply, rq->is_write);
	const char *reason = NULL;
	struct complaint c;
	if (v == VERDICT_OK)
		return true;
	read_complaint(arena, reply->body, &c);
	v = is_login ? judge_login(v, reply, &c, &reason) : judge_call(v, reply, rq, &c, &reason);
	verdict_to_err(v, reply, span_of(c.words), rq->what, err);
	if (!err)
		return false;
	if (rq->has_version && reply->status == 400 && c.is_stale) {
		err->code = ERR_CONFLICT;
		reason = NULL;
	}
	if (reason)
		name_reason(err, reason, subject_of(v, rq, &c));
	if (c.field[0])
		err_pointer(err, "%s", c.field);
	if (v == VERDICT_QUOTA && err->retry_after_ms < 0)
		err->retry_after_ms = opt->quota_wait_ms;
	return false;
}
