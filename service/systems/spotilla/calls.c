/*
 * calls.c: the keys, one call, and what its answer means (facts/spotilla.md A3, B2). Judges by
 * net/verdict.h; adds only what an error object's code says. There is no login: the integration key
 * goes along with every call.
 */
#include "base/base.h"
#include "spotilla_internal.h"

#define WORDS_MAX 4096
#define RECORD_MAX ((size_t)4 << 20)

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- opening ------------------------------------------------------------------------------- */

/* "done, billed" as its words. */
static const char *const *split_states(struct arena *arena, const char *text)
{
	size_t n = 0, cap = strlen(text) + 2;
	const char **ret = arena_alloc_array(arena, cap, sizeof(*ret));
	while (ret && *text) {
		size_t len = strcspn(text, ",");
		struct span word = { text, len };
		while (word.n && word.p[0] == ' ')
			word = (struct span) { word.p + 1, word.n - 1 };
		while (word.n && word.p[word.n - 1] == ' ')
			word.n--;
		if (word.n && !(ret[n++] = arena_memdup(arena, word.p, word.n)))
			return NULL;
		text += len + (text[len] == ',');
	}
	return ret;
}

bool spotilla_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		   struct spotilla *ret, struct err *err)
{
	const struct spotilla_options *opt = spotilla_options(at->systems);
	const struct json *own = json_get(settings, "spotilla");
	*ret = (struct spotilla) { .at = at,
				   .opt = opt,
				   .base_url = json_text_or(own, "url", opt->url),
				   .token = json_text_or(credentials, "token", ""),
				   .user_id = json_text_or(credentials, "user_id", ""),
				   .subdomain = json_text_or(credentials, "subdomain", "") };
	if (!ret->token[0] || !ret->user_id[0] || !ret->subdomain[0])
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Spotilla",
				  "Spotilla's key, user id or subdomain is missing");
	ret->limit_key = arena_printf(at->arena, "spotilla:%s", ret->subdomain);
	ret->done_states = split_states(at->arena,
					json_text_or(own, "done_states", opt->done_states));
	return ret->limit_key && ret->done_states ? true : full(err);
}

bool spotilla_is_done(const struct spotilla *sp, const char *state)
{
	for (size_t i = 0; sp->done_states[i]; i++)
		if (str_eq(sp->done_states[i], state))
			return true;
	return false;
}

/* ---- what an answer means ------------------------------------------------------------------ */

static void add_words(struct strbuf *sb, const char *before, const char *text)
{
	if (text && text[0])
		strbuf_addf(sb, "%s%s", strbuf_span(sb).n ? before : "", text);
}

/* "validation failed; business_id: bad format"; the body as it is when it is no error object. */
static const char *words_of(struct arena *arena, const struct json *error, struct span body)
{
	struct strbuf sb = STRBUF_INIT(arena, WORDS_MAX);
	const char *text = NULL;
	add_words(&sb, "", json_str(json_get(error, "message")));
	const struct json *field = json_first(json_get(error, "fields"));
	for (; field; field = json_next(field)) {
		add_words(&sb, "; ", json_key(field));
		add_words(&sb, ": ", json_str(field));
		for (const struct json *w = json_first(field); w; w = json_next(w))
			add_words(&sb, ": ", json_str(w));
	}
	if (!strbuf_span(&sb).n)
		add_words(&sb, "", json_str(json_get(error, "code")));
	if (!strbuf_span(&sb).n)
		strbuf_add(&sb, body.p, body.n < 1000 ? body.n : 1000);
	return strbuf_finish(&sb, &text, NULL) ? text : "";
}

static bool is_html(const struct http_reply *reply)
{
	return strncasecmp(reply->content_type, "text/html", 9) == 0;
}

/*
 * That a record is gone is said of a record, in Spotilla's own form. Any other 404 is a path that
 * is not there, or a page of whoever stands before Spotilla: believed, it would end a task.
 */
static enum verdict judge_absence(const struct spotilla_rq *rq, const struct http_reply *reply,
				  const struct json *error)
{
	if (is_html(reply))
		return VERDICT_OUTAGE;
	return rq->is_record && json_type(error) == JSON_OBJECT ? VERDICT_NOT_FOUND : VERDICT_FAULT;
}

static bool judge(struct arena *arena, const struct spotilla_rq *rq, const struct http_reply *reply,
		  struct err *err)
{
	enum verdict v = verdict_of_status(reply, rq->is_write);
	const struct json *body, *error = NULL;
	if (v == VERDICT_OK)
		return true;
	if (json_parse(arena, reply->body, JSON_LIMITS_VENDOR, &body, NULL))
		error = json_get(body, "error");
	const char *code = json_str(json_get(error, "code"));
	for (size_t i = 0; code && i < n_spotilla_codes; i++)
		if (spotilla_codes[i].status == reply->status &&
		    strcmp(spotilla_codes[i].code, code) == 0)
			v = spotilla_codes[i].verdict;
	if (v == VERDICT_NOT_FOUND)
		v = judge_absence(rq, reply, error);
	const char *words = words_of(arena, error, reply->body);
	verdict_to_err(v, reply, span_of(words), rq->what, err);
	if (err && (v == VERDICT_CREDENTIALS || v == VERDICT_BAD_DATA)) {
		err->reason = v == VERDICT_BAD_DATA ? "refused_by_target" : "credentials_refused";
		snprintf(err->subject, sizeof(err->subject), "%.150s",
			 v == VERDICT_BAD_DATA ? words : "Spotilla");
	}
	return false;
}

/* ---- one call ------------------------------------------------------------------------------ */

static bool send_it(struct spotilla *sp, const struct spotilla_rq *rq, struct http_reply *ret,
		    struct err *err)
{
	const struct spotilla_options *opt = sp->opt;
	struct http_header headers[6] = {
		{ opt->header_token, sp->token },
		{ opt->header_user, sp->user_id },
		{ opt->header_subdomain, sp->subdomain },
		{ "Accept", "application/json" },
	};
	struct call call = { .what = rq->what, .limit_key = sp->limit_key };
	size_t n = 4;
	const char *url = rq->path ? arena_printf(sp->at->arena, "%s%s", sp->base_url, rq->path)
				   : NULL;
	if (!url)
		return full(err);
	if (rq->body.p)
		headers[n++] = (struct http_header) { "Content-Type", "application/json" };
	if (rq->key)
		headers[n++] = (struct http_header) { spotilla_idempotency_header, rq->key };
	call.rq = (struct http_request) { .method = rq->method,
					  .url = url,
					  .headers = headers,
					  .n_headers = n,
					  .body = rq->body,
					  .is_write = rq->is_write };
	return sp->at->ops->exchange(sp->at, &call, ret, err);
}

bool spotilla_do(struct spotilla *sp, const struct spotilla_rq *rq, const struct json **ret,
		 struct err *err)
{
	struct http_reply reply;
	return send_it(sp, rq, &reply, err) && judge(sp->at->arena, rq, &reply, err) &&
	       verdict_json(sp->at->arena, &reply, rq->is_write, rq->what, ret, err);
}

const char *spotilla_record_path(struct spotilla *sp, const char *register_path, const char *id)
{
	struct strbuf sb = STRBUF_INIT(sp->at->arena, 4096);
	const char *ret;
	strbuf_addf(&sb, "%s/", register_path);
	strbuf_add_urlencoded(&sb, id);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

static bool is_ours(const char *key)
{
	static const char *const keys[] = { "billing", "external_ref", "updated_at" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static bool add_to_fingerprint(struct spotilla *sp, const struct json *record, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(sp->at->arena, RECORD_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&w);
	for (const struct json *j = json_first(record); j; j = json_next(j)) {
		if (is_ours(json_key(j)))
			continue;
		jsonw_key(&w, json_key(j));
		jsonw_node(&w, j);
	}
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	sp->at->ops->seen(sp->at, span_of(text));
	return true;
}

bool spotilla_read_record(struct spotilla *sp, const char *what, const char *register_path,
			  const char *id, const char *name, const struct json **ret,
			  struct err *err)
{
	struct spotilla_rq rq = { .what = what, .method = "GET", .is_record = true };
	const struct json *j;
	rq.path = spotilla_record_path(sp, register_path, id);
	if (!spotilla_do(sp, &rq, &j, err))
		return false;
	*ret = json_get(j, name) ? json_get(j, name) : j;
	if (json_type(*ret) != JSON_OBJECT)
		return err_reason(err, ERR_SYSTEM, "answer_unreadable", name, "%s: no object",
				  what);
	return add_to_fingerprint(sp, *ret, err);
}

static bool ask_for_one(struct spotilla *sp, const char *path, struct err *err)
{
	struct spotilla_rq rq = { .what = "ask whether the key may read", .method = "GET" };
	const struct json *j;
	rq.path = arena_printf(sp->at->arena, "%s?%s=1&%s=1", path, spotilla_param_page,
			       spotilla_param_per_page);
	return spotilla_do(sp, &rq, &j, err);
}

bool spotilla_check(struct spotilla *sp, struct err *err)
{
	return ask_for_one(sp, sp->opt->path_tasks, err) &&
	       ask_for_one(sp, sp->opt->path_customers, err) &&
	       ask_for_one(sp, sp->opt->path_products, err);
}
