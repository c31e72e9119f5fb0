/*
 * auth.c: whose company it is, and the one place where a call gets its headers (facts/maestro.md
 * §3). The API key is lasting: there is no login.
 */
#include "base/base.h"
#include "maestro_internal.h"

#define REPLY_MAX ((size_t)16 << 20)
#define HEADERS_MAX 6

static bool take_key(const struct json *credentials, const char *name, const char *what,
		     const char **ret, struct err *err)
{
	const char *text = json_str(json_get(credentials, name));
	if (!text || !text[0])
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Maestro",
				  "Maestro's %s is missing", what);
	*ret = text;
	return true;
}

bool maestro_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		  struct maestro *ret, struct err *err)
{
	const struct maestro_options *opt = maestro_options(at->systems);
	*ret = (struct maestro) { .at = at,
				  .opt = opt,
				  .base_url = json_text_or(settings, "maestro.url", opt->url),
				  .fallback_product = json_text_or(settings,
								   "maestro.fallback_product",
								   opt->fallback_product) };
	if (!take_key(credentials, "api_key", "API key", &ret->api_key, err) ||
	    !take_key(credentials, "company_id", "company id", &ret->company, err))
		return false;
	if (!ret->base_url[0])
		return err_reason(err, ERR_SYSTEM, "url_missing", "Maestro",
				  "the address of Maestro's interface is not set");
	ret->limit_key = arena_printf(at->arena, "maestro:%s", ret->company);
	return ret->limit_key ? true : err_set(err, ERR_LIMIT, "arena full");
}

static void add_header(struct http_header *headers, size_t *n, const char *name, const char *value)
{
	headers[(*n)++] = (struct http_header) { name, value };
}

bool maestro_do(struct maestro *mx, const struct maestro_rq *rq, struct http_reply *ret,
		struct err *err)
{
	struct attempt *at = mx->at;
	struct http_header headers[HEADERS_MAX];
	size_t n = 0;
	const char *scheme = mx->opt->auth_scheme;
	const char *key = scheme[0] ? arena_printf(at->arena, "%s %s", scheme, mx->api_key)
				    : mx->api_key;
	const char *url = rq->path ? arena_printf(at->arena, "%s%s", mx->base_url, rq->path) : NULL;
	if (!key || !url)
		return err_set(err, ERR_LIMIT, "arena full");
	add_header(headers, &n, mx->opt->auth_header, key);
	add_header(headers, &n, mx->opt->company_header, mx->company);
	add_header(headers, &n, "Accept", "application/json");
	if (rq->body.p)
		add_header(headers, &n, "Content-Type",
			   rq->content_type ? rq->content_type : "application/json");
	if (rq->key) {
		add_header(headers, &n, "Idempotency-Key", rq->key);
		add_header(headers, &n, "X-Source", mx->opt->source);
	}
	const struct call call = { .what = rq->what,
				   .limit_key = mx->limit_key,
				   .rq = { .method = rq->method,
					   .url = url,
					   .headers = headers,
					   .n_headers = n,
					   .body = rq->body,
					   .max_reply_bytes = REPLY_MAX,
					   .is_write = rq->is_write } };
	return at->ops->exchange(at, &call, ret, err) && maestro_judge(at->arena, rq, ret, err);
}

bool maestro_json(struct maestro *mx, const struct maestro_rq *rq, struct http_reply *ret_reply,
		  const struct json **ret, struct err *err)
{
	if (!maestro_do(mx, rq, ret_reply, err))
		return false;
	if (json_parse(mx->at->arena, ret_reply->body, JSON_LIMITS_VENDOR, ret, NULL) &&
	    json_type(*ret) == JSON_OBJECT)
		return true;
	return verdict_to_err(rq->is_write ? VERDICT_DOUBT : VERDICT_OUTAGE, ret_reply,
			      ret_reply->body, rq->what, err);
}
