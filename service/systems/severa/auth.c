/*
 * auth.c: login at Severa (facts/severa.md §1) and the one place where a call gets its headers. A
 * token is shared per client id and secret; a call that is refused for its token is made once more
 * with another one. The refresh token is not used: a new login does the same.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "base/clock.h"
#include "codec/sign.h"
#include "net/verdict.h"

#define RENEW_EARLY_MS 60000
#define TOKEN_DEFAULT_MS 600000 /* when the answer has no lifetime */
#define TOKEN_LONGEST_S (366 * 86400)

bool severa_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		 struct severa *ret, struct err *err)
{
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	const char *url = json_str(json_at(settings, "severa.url"));
	const struct severa_options *opt = severa_options(at->systems);
	*ret = (struct severa) { .at = at,
				 .opt = opt,
				 .base_url = url && url[0] ? url : opt->url,
				 .client_id = json_text_or(credentials, "client_id", ""),
				 .client_secret = json_text_or(credentials, "client_secret", "") };
	if (!ret->client_id[0] || !ret->client_secret[0])
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Severa",
				  "Severa client id and secret are missing");
	sign_sha256(span_of(ret->client_secret), digest);
	sign_hex(digest, sizeof(digest), hex);
	ret->limit_key = arena_printf(at->arena, "severa:%s", ret->client_id);
	ret->token_key = arena_printf(at->arena, "severa.token:%s:%s:%.16s", ret->base_url,
				      ret->client_id, hex);
	if (!ret->limit_key || !ret->token_key)
		return err_set(err, ERR_LIMIT, "arena full");
	return true;
}

static bool login_body(const struct severa_login *login, struct span *ret, struct err *err)
{
	const struct severa *s = login->severa;
	struct strbuf scopes = STRBUF_INIT(s->at->arena, 1024);
	struct strbuf sb = STRBUF_INIT(s->at->arena, 8192);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *all, *text;
	for (size_t i = 0; i < SEVERA_N_SCOPES; i++)
		strbuf_addf(&scopes, "%s%s", i ? "," : "", severa_scope_names[i]);
	if (!strbuf_finish(&scopes, &all, err))
		return false;
	jsonw_object(&w);
	jsonw_kstr(&w, "client_id", s->client_id);
	jsonw_kstr(&w, "client_secret", s->client_secret);
	jsonw_kstr(&w, "scope", login->scope ? login->scope : s->scope ? s->scope : all);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

/*
 * Lifetime that may be relied on: until the time it names, by the clock of the answer where it has
 * one; a clock that contradicts itself is left alone, then "_expires_in" counts, in seconds (§1.2).
 */
static int64_t lifetime_ms(const struct json *j, const struct http_reply *reply)
{
	int64_t seconds, until, now;
	const char *utc = json_str(json_get(j, "access_token_expires_utc"));
	const char *date = http_reply_header(reply, "date");
	int64_t ms = 0;
	if (!date || !clock_parse_http_date(span_of(date), &now))
		now = clock_wall_ms();
	if (utc && clock_parse_rfc3339(span_of(utc), &until))
		ms = until - now;
	if (ms <= 0 && json_int64(json_get(j, "access_token_expires_in"), &seconds) &&
	    seconds > 0 && seconds < TOKEN_LONGEST_S)
		ms = seconds * 1000;
	if (ms <= 0)
		ms = TOKEN_DEFAULT_MS;
	return ms;
}

bool severa_log_in(void *ctx, const char **ret_token, int64_t *ret_ttl_ms, struct err *err)
{
	struct severa_login *login = ctx;
	struct severa *s = login->severa;
	struct attempt *at = s->at;
	const struct http_header headers[] = { { "Client_Id", s->client_id },
					       { "Content-Type", "application/json" },
					       { "Accept", "application/json" } };
	struct call call = { .what = "log in at Severa", .limit_key = s->limit_key };
	struct severa_rq judged = { .what = "log in at Severa" };
	struct http_reply reply;
	const struct json *j;
	const char *url = arena_printf(at->arena, "%s/v1/token", s->base_url);
	if (!url)
		return err_set(err, ERR_LIMIT, "arena full");
	call.rq = (struct http_request) {
		.method = "POST", .url = url, .headers = headers, .n_headers = ARRAY_SIZE(headers)
	};
	if (!login_body(login, &call.rq.body, err) || !at->ops->exchange(at, &call, &reply, err) ||
	    !severa_judge(&judged, at->arena, &reply, true, err))
		return false;
	if (!json_parse(at->arena, reply.body, JSON_LIMITS_VENDOR, &j, err))
		return verdict_to_err(VERDICT_OUTAGE, &reply, SPAN_LIT(""), judged.what, err);
	const char *token = json_str(json_get(j, "access_token"));
	if (!token || !token[0])
		return verdict_to_err(VERDICT_FAULT, &reply, SPAN_LIT(""), judged.what, err);
	login->is_done = true;
	login->granted = json_str(json_get(j, "scope"));
	*ret_token = token;
	*ret_ttl_ms = lifetime_ms(j, &reply);
	return true;
}

bool severa_get_token(struct severa_login *login, const char *refused, const char **ret,
		      struct err *err)
{
	struct severa *s = login->severa;
	struct shared_want want = { .key = s->token_key,
				    .refused = refused,
				    .margin_ms = RENEW_EARLY_MS,
				    .for_all = true,
				    .fetch = severa_log_in,
				    .ctx = login };
	return s->at->ops->shared(s->at, &want, ret, err);
}

bool severa_send(struct severa *s, const struct severa_rq *rq, const char *token,
		 struct http_reply *ret, struct err *err)
{
	struct attempt *at = s->at;
	const char *url = arena_printf(at->arena, "%s%s", s->base_url, rq->path);
	const char *bearer = arena_printf(at->arena, "Bearer %s", token);
	if (!url || !bearer)
		return err_set(err, ERR_LIMIT, "arena full");
	const struct http_header headers[] = {
		{ "Authorization", bearer },
		{ "Client_Id", s->client_id },
		{ "Accept", rq->is_raw ? "*/*" : "application/json" },
		{ "Content-Type", "application/json" },
	};
	struct call call = {
		.what = rq->what,
		.limit_key = s->limit_key,
		.rq = { .method = rq->method,
			.url = url,
			.headers = headers,
			.n_headers = rq->body.p ? ARRAY_SIZE(headers) : ARRAY_SIZE(headers) - 1,
			.body = rq->body,
			.max_reply_bytes = rq->max_bytes,
			.is_write = rq->is_write },
	};
	return at->ops->exchange(at, &call, ret, err);
}

/* 401, or rights that were widened after the token was made (§11.6). Nothing was done: the call may
 * be made again. */
static bool is_token_refused(struct severa *s, const struct http_reply *reply)
{
	if (reply->status < 400 || reply->status >= 500)
		return false;
	const char *type = severa_error_type(s->at->arena, reply);
	return reply->status == 401 || str_eq(type, "AuthenticationRequired") ||
	       str_eq(type, "InsufficientApiScope");
}

/* The one that was refused may be followed by one that another process has left, no better. */
#define TOKENS_MAX 3

bool severa_do(struct severa *s, const struct severa_rq *rq, struct http_reply *ret,
	       struct err *err)
{
	struct severa_login login = { .severa = s };
	const char *token = NULL;
	for (int i = 0; i < TOKENS_MAX; i++) {
		login.is_done = false;
		if (!severa_get_token(&login, token, &token, err) ||
		    !severa_send(s, rq, token, ret, err))
			return false;
		if (!is_token_refused(s, ret) || (i && login.is_done))
			break;
	}
	return severa_judge(rq, s->at->arena, ret, false, err);
}
