/*
 * auth.c: login at Procountor, machine to machine (facts/procountor.md §3.1), and the one place
 * where a call gets its headers. The token of an API key is shared by all workers and relays; a
 * call that is refused for its token is made once more with a new one. There is no refresh token:
 * the key is asked with again. Secrets go in the body alone, since URLs with them are refused.
 */
#include "base/base.h"
#include "procountor_internal.h"

#include "codec/sign.h"

#define RENEW_EARLY_MS 300000
#define TOKEN_DEFAULT_S 3600
#define TOKEN_LONGEST_S 86400
#define REPLY_MAX ((size_t)16 << 20)
/* The one that was refused may be followed by one that another process has left, no better. */
#define TOKENS_MAX 3

/* A token belongs to what it was asked with: address, client, and both secrets. */
static bool make_keys(struct procountor *p, struct err *err)
{
	struct arena *arena = p->at->arena;
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	const char *secrets = arena_printf(arena, "%s\n%s", p->api_key, p->client_secret);
	if (!secrets)
		return err_set(err, ERR_LIMIT, "arena full");
	sign_sha256(span_of(secrets), digest);
	sign_hex(digest, sizeof(digest), hex);
	p->limit_key = arena_printf(arena, "procountor:%s", p->client_id);
	p->token_key = arena_printf(arena, "procountor.token:%s:%s:%.32s", p->base_url,
				    p->client_id, hex);
	return p->limit_key && p->token_key ? true : err_set(err, ERR_LIMIT, "arena full");
}

bool procountor_open(struct attempt *at, const struct json *settings,
		     const struct json *credentials, struct procountor *ret, struct err *err)
{
	const struct procountor_options *opt = procountor_options(at->systems);
	const char *url = json_str(json_at(settings, "procountor.url"));
	const char *own_id = json_text_or(credentials, "client_id", "");
	*ret = (struct procountor) { .at = at,
				     .opt = opt,
				     .base_url = url && url[0] ? url : opt->url,
				     .client_id = own_id,
				     .client_secret = json_text_or(credentials, "client_secret",
								   ""),
				     .api_key = json_text_or(credentials, "api_key", "") };
	/* The pair stays together: a secret never goes with somebody else's id. */
	if (!own_id[0]) {
		ret->client_id = opt->client_id;
		ret->client_secret = secret_is_set(&opt->client_secret) ? opt->client_secret.p : "";
	}
	if (!ret->api_key[0])
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Procountor",
				  "Procountor's API key is missing");
	if (!ret->client_id[0] || !ret->client_secret[0])
		return err_reason(err, ERR_CREDENTIALS, "vendor_key_refused", "Procountor",
				  "no client id and secret of Procountor's are set");
	return make_keys(ret, err);
}

/* ---- login --------------------------------------------------------------------------------- */

struct login {
	struct procountor *p;
	bool is_done; /* by this worker, just now; else the token is somebody else's */
};

static bool login_body(const struct procountor *p, struct span *ret, struct err *err)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{ "grant_type", "client_credentials" },	  { "client_id", p->client_id },
		{ "client_secret", p->client_secret },	  { "api_key", p->api_key },
		{ "redirect_uri", p->opt->redirect_uri },
	};
	struct strbuf sb = STRBUF_INIT(p->at->arena, 32 << 10);
	const char *text;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].value[0])
			continue;
		strbuf_addf(&sb, "%s%s=", i ? "&" : "", fields[i].name);
		strbuf_add_urlencoded(&sb, fields[i].value);
	}
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

static bool read_token(const struct json *j, const char **ret, int64_t *ret_ttl_ms)
{
	int64_t seconds;
	*ret = json_text_or(j, "access_token", "");
	if (!json_int64(json_get(j, "expires_in"), &seconds) || seconds <= 0 ||
	    seconds > TOKEN_LONGEST_S)
		seconds = TOKEN_DEFAULT_S;
	*ret_ttl_ms = seconds * 1000;
	return (*ret)[0] != '\0';
}

/* As shared_want wants it. */
static bool log_in(void *ctx, const char **ret_token, int64_t *ret_ttl_ms, struct err *err)
{
	static const struct http_header headers[] = {
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Accept", "application/json" },
	};
	struct login *login = ctx;
	struct procountor *p = login->p;
	struct attempt *at = p->at;
	struct procountor_rq judged = { .what = "log in at Procountor" };
	struct call call = { .what = judged.what, .limit_key = p->limit_key };
	struct http_reply reply;
	const struct json *j;
	call.rq = (struct http_request) { .method = "POST",
					  .url = arena_printf(at->arena, "%s/oauth/token",
							      p->base_url),
					  .headers = headers,
					  .n_headers = ARRAY_SIZE(headers) };
	if (!call.rq.url)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!login_body(p, &call.rq.body, err) || !at->ops->exchange(at, &call, &reply, err) ||
	    !procountor_judge(at->arena, p->opt, &judged, &reply, true, err))
		return false;
	if (!json_parse(at->arena, reply.body, JSON_LIMITS_VENDOR, &j, NULL))
		return verdict_to_err(VERDICT_OUTAGE, &reply, SPAN_LIT(""), judged.what, err);
	if (!read_token(j, ret_token, ret_ttl_ms))
		return verdict_to_err(VERDICT_FAULT, &reply, SPAN_LIT(""), judged.what, err);
	login->is_done = true;
	return true;
}

static bool get_token(struct login *login, const char *refused, const char **ret, struct err *err)
{
	struct attempt *at = login->p->at;
	const struct shared_want want = { .key = login->p->token_key,
					  .refused = refused,
					  .margin_ms = RENEW_EARLY_MS,
					  .for_all = true,
					  .fetch = log_in,
					  .ctx = login };
	login->is_done = false;
	return at->ops->shared(at, &want, ret, err);
}

bool procountor_check_key(struct procountor *p, struct err *err)
{
	struct login login = { .p = p };
	const char *token;
	int64_t ttl_ms;
	if (!get_token(&login, p->at->ops->cache_get(p->at, p->token_key), &token, err))
		return false;
	/* Somebody else's tells nothing about the key as it is now. */
	return login.is_done || log_in(&login, &token, &ttl_ms, err);
}

/* ---- one call ------------------------------------------------------------------------------ */

/* A GET has no body: the gateway answers 403 to one that has (§10.2). */
static bool send_once(struct procountor *p, const struct procountor_rq *rq, const char *token,
		      struct http_reply *ret, struct err *err)
{
	struct attempt *at = p->at;
	struct http_header headers[4];
	size_t n = 0;
	const char *url = arena_printf(at->arena, "%s%s", p->base_url, rq->path);
	const char *bearer = arena_printf(at->arena, "Bearer %s", token);
	if (!url || !bearer)
		return err_set(err, ERR_LIMIT, "arena full");
	headers[n++] = (struct http_header) { "Authorization", bearer };
	headers[n++] = (struct http_header) { "Accept", "application/json" };
	if (rq->header.name)
		headers[n++] = rq->header;
	if (rq->body.p)
		headers[n++] = (struct http_header) { "Content-Type",
						      rq->content_type ? rq->content_type
								       : "application/json" };
	const struct call call = { .what = rq->what,
				   .limit_key = p->limit_key,
				   .rq = { .method = rq->method,
					   .url = url,
					   .headers = headers,
					   .n_headers = n,
					   .body = rq->body,
					   .max_reply_bytes = REPLY_MAX,
					   .is_write = rq->is_write } };
	return at->ops->exchange(at, &call, ret, err);
}

bool procountor_do(struct procountor *p, const struct procountor_rq *rq, struct http_reply *ret,
		   struct err *err)
{
	struct login login = { .p = p };
	const char *token = NULL;
	int tries = 0;
	if (!rq->path)
		return err_set(err, ERR_LIMIT, "arena full");
	do {
		if (!get_token(&login, token, &token, err) || !send_once(p, rq, token, ret, err))
			return false;
	} while (ret->status == 401 && !login.is_done && ++tries < TOKENS_MAX);
	return procountor_judge(p->at->arena, p->opt, rq, ret, false, err);
}

bool procountor_json(struct procountor *p, const struct procountor_rq *rq, const struct json **ret,
		     struct err *err)
{
	struct http_reply reply;
	return procountor_do(p, rq, &reply, err) &&
	       verdict_json(p->at->arena, &reply, rq->is_write, rq->what, ret, err);
}

bool procountor_json_seen(struct procountor *p, const struct procountor_rq *rq,
			  const struct json **ret, struct err *err)
{
	struct http_reply reply;
	if (!procountor_do(p, rq, &reply, err))
		return false;
	p->at->ops->seen(p->at, reply.body);
	return json_parse(p->at->arena, reply.body, JSON_LIMITS_VENDOR, ret, NULL)
		       ? true
		       : verdict_to_err(VERDICT_OUTAGE, &reply, reply.body, rq->what, err);
}
