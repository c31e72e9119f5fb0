/*
 * auth.c: login at Maventa (facts/maventa.md §3), the one place where a call gets its headers, and
 * the check of a pair of keys. A token is shared per address, account, user and scopes; a call that
 * is refused for its token is made once more with a new one. Asking again after that does not help.
 */
#include "base/base.h"
#include "maventa_internal.h"

#include "codec/sign.h"

#define RENEW_EARLY_MS 300000
#define TOKEN_DEFAULT_S 3600
#define TOKEN_LONGEST_S 86400
#define REPLY_MAX ((size_t)16 << 20)

/* Blank-separated, as they are asked for. `global` is what /oauth2/current wants; it holds no right
 * to invoices. */
static const char flow_scopes[] =
	"global invoice:send invoice:receive company:read company:write lookup";
static const char partner_scopes[] = "partner:lookups";

static bool missing(const char *what, struct err *err)
{
	return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Maventa",
			  "Maventa's %s is missing", what);
}

static bool make_keys(struct maventa *mv, const char *limit, struct err *err)
{
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	sign_sha256(span_of(mv->user_key), digest);
	sign_hex(digest, sizeof(digest), hex);
	mv->limit_key = arena_printf(mv->at->arena, "maventa:%s", limit);
	mv->token_key = arena_printf(mv->at->arena, "maventa.token:%s:%s:%.16s:%s", mv->base_url,
				     mv->company, hex, mv->scopes);
	return mv->limit_key && mv->token_key ? true : err_set(err, ERR_LIMIT, "arena full");
}

static void set_addresses(struct maventa *mv, const struct json *settings,
			  const struct json *credentials)
{
	const char *url = json_str(json_at(settings, "maventa.url"));
	const char *soap_url = json_str(json_at(settings, "maventa.soap_url"));
	const char *vendor_key = json_text_or(credentials, "vendor_api_key", "");
	mv->base_url = url && url[0] ? url : mv->opt->url;
	mv->soap_url = soap_url && soap_url[0] ? soap_url : mv->opt->soap_url;
	mv->vendor_key = vendor_key;
	if (!vendor_key[0] && secret_is_set(&mv->opt->vendor_key))
		mv->vendor_key = mv->opt->vendor_key.p;
}

/* One account has one name, however it was pasted: our uuids, limits and tokens hang on it. */
static bool settle_company(struct maventa *mv, struct err *err)
{
	char *name = arena_strdup(mv->at->arena, mv->company);
	if (!name)
		return err_set(err, ERR_LIMIT, "arena full");
	maventa_lower(name);
	mv->company = name;
	return true;
}

bool maventa_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		  struct maventa *ret, struct err *err)
{
	*ret = (struct maventa) { .at = at,
				  .opt = maventa_options(at->systems),
				  .company = json_text_or(credentials, "company_uuid", ""),
				  .user_key = json_text_or(credentials, "user_api_key", ""),
				  .scopes = flow_scopes };
	set_addresses(ret, settings, credentials);
	if (!ret->company[0])
		return missing("Company UUID", err);
	if (!ret->user_key[0])
		return missing("User API key", err);
	if (!ret->vendor_key[0])
		return err_reason(err, ERR_CREDENTIALS, "vendor_key_refused", "Maventa",
				  "no vendor API key of Maventa's is set");
	return settle_company(ret, err) && make_keys(ret, ret->company, err);
}

bool maventa_open_vendor(struct attempt *at, const struct json *settings,
			 const struct json *credentials, struct maventa *ret, struct err *err)
{
	const struct maventa_options *opt = maventa_options(at->systems);
	*ret = (struct maventa) { .at = at,
				  .opt = opt,
				  .company = opt->partner_company,
				  .user_key = secret_is_set(&opt->partner_key) ? opt->partner_key.p
									       : "",
				  .scopes = partner_scopes };
	set_addresses(ret, settings, credentials);
	if (!ret->vendor_key[0])
		return err_reason(err, ERR_CREDENTIALS, "vendor_key_refused", "Maventa",
				  "no vendor API key of Maventa's is set");
	return make_keys(ret, "vendor", err);
}

/* ---- login --------------------------------------------------------------------------------- */

static void add_field(struct strbuf *sb, const char *name, const char *value)
{
	if (strbuf_span(sb).n)
		strbuf_addch(sb, '&');
	strbuf_addf(sb, "%s=", name);
	strbuf_add_urlencoded(sb, value);
}

struct login {
	struct maventa *mv;
	bool is_swapped; /* the two keys in each other's place */
	bool is_done; /* by this worker, just now; else the token is somebody else's */
};

static bool login_body(const struct login *login, struct span *ret, struct err *err)
{
	const struct maventa *mv = login->mv;
	struct strbuf sb = STRBUF_INIT(mv->at->arena, 8192);
	const char *text;
	add_field(&sb, "grant_type", "client_credentials");
	add_field(&sb, "client_id", login->is_swapped ? mv->user_key : mv->company);
	add_field(&sb, "client_secret", login->is_swapped ? mv->company : mv->user_key);
	add_field(&sb, "vendor_api_key", mv->vendor_key);
	add_field(&sb, "scope", mv->scopes);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

/* As shared_want wants it. */
static bool log_in(void *ctx, const char **ret_token, int64_t *ret_ttl_ms, struct err *err)
{
	struct login *login = ctx;
	struct attempt *at = login->mv->at;
	const struct http_header headers[] = { { "Content-Type",
						 "application/x-www-form-urlencoded" },
					       { "Accept", "application/json" } };
	struct maventa_rq judged = { .what = "log in at Maventa" };
	struct call call = { .what = judged.what, .limit_key = login->mv->limit_key };
	struct http_reply reply;
	const struct json *j;
	const char *url = arena_printf(at->arena, "%s/oauth2/token", login->mv->base_url);
	if (!url)
		return err_set(err, ERR_LIMIT, "arena full");
	call.rq = (struct http_request) {
		.method = "POST", .url = url, .headers = headers, .n_headers = ARRAY_SIZE(headers)
	};
	if (!login_body(login, &call.rq.body, err) || !at->ops->exchange(at, &call, &reply, err) ||
	    !maventa_judge(at->arena, &judged, &reply, true, err))
		return false;
	if (!json_parse(at->arena, reply.body, JSON_LIMITS_VENDOR, &j, NULL))
		return verdict_to_err(VERDICT_OUTAGE, &reply, SPAN_LIT(""), judged.what, err);
	const char *token = json_str(json_get(j, "access_token"));
	int64_t seconds;
	if (!token || !token[0])
		return verdict_to_err(VERDICT_FAULT, &reply, SPAN_LIT(""), judged.what, err);
	if (!json_int64(json_get(j, "expires_in"), &seconds) || seconds <= 0 ||
	    seconds > TOKEN_LONGEST_S)
		seconds = TOKEN_DEFAULT_S;
	login->is_done = true;
	*ret_token = token;
	*ret_ttl_ms = seconds * 1000;
	return true;
}

static bool get_token(struct login *login, const char *refused, const char **ret, struct err *err)
{
	struct maventa *mv = login->mv;
	struct shared_want want = { .key = mv->token_key,
				    .refused = refused,
				    .margin_ms = RENEW_EARLY_MS,
				    .for_all = true,
				    .fetch = log_in,
				    .ctx = login };
	return mv->at->ops->shared(mv->at, &want, ret, err);
}

/* ---- one call ------------------------------------------------------------------------------ */

static bool send_once(struct maventa *mv, const struct maventa_rq *rq, const char *token,
		      struct http_reply *ret, struct err *err)
{
	struct attempt *at = mv->at;
	const char *url = arena_printf(at->arena, "%s%s", mv->base_url, rq->path);
	const char *bearer = arena_printf(at->arena, "Bearer %s", token);
	if (!url || !bearer)
		return err_set(err, ERR_LIMIT, "arena full");
	const struct http_header headers[] = {
		{ "Authorization", bearer },
		{ "Accept", "application/json" },
		{ "Content-Type", rq->content_type ? rq->content_type : "application/json" },
	};
	struct call call = {
		.what = rq->what,
		.limit_key = mv->limit_key,
		.rq = { .method = rq->method,
			.url = url,
			.headers = headers,
			.n_headers = rq->body.p ? ARRAY_SIZE(headers) : ARRAY_SIZE(headers) - 1,
			.body = rq->body,
			.max_reply_bytes = REPLY_MAX,
			.is_write = rq->is_write },
	};
	return at->ops->exchange(at, &call, ret, err);
}

/* The one that was refused may be followed by one that another process has left, no better. */
#define TOKENS_MAX 3

bool maventa_do(struct maventa *mv, const struct maventa_rq *rq, struct http_reply *ret,
		struct err *err)
{
	struct login login = { .mv = mv };
	const char *token = NULL;
	if (!rq->path)
		return err_set(err, ERR_LIMIT, "arena full");
	for (int i = 0; i < TOKENS_MAX; i++) {
		login.is_done = false;
		if (!get_token(&login, token, &token, err) || !send_once(mv, rq, token, ret, err))
			return false;
		if (ret->status != 401 || login.is_done)
			break;
	}
	return maventa_judge(mv->at->arena, rq, ret, false, err);
}

bool maventa_json(struct maventa *mv, const struct maventa_rq *rq, const struct json **ret,
		  struct err *err)
{
	struct http_reply reply;
	return maventa_do(mv, rq, &reply, err) &&
	       verdict_json(mv->at->arena, &reply, rq->is_write, rq->what, ret, err);
}

/* ---- whose keys ---------------------------------------------------------------------------- */

static const char *missing_scopes(struct arena *arena, const char *granted)
{
	static const char *const needed[] = { "invoice:send", "invoice:receive", "company:read",
					      "company:write", "lookup" };
	struct strbuf sb = STRBUF_INIT(arena, 1024);
	const char *text;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const char *at = strstr(granted, needed[i]);
		if (!at)
			strbuf_addf(&sb, "%s%s", strbuf_span(&sb).n ? " " : "", needed[i]);
	}
	if (!strbuf_span(&sb).n)
		return "";
	return strbuf_finish(&sb, &text, NULL) ? text : "";
}

static bool check_keys(struct maventa *mv, struct err *err)
{
	struct login login = { .mv = mv }, swapped = { .mv = mv, .is_swapped = true };
	struct err inner = ERR_INIT;
	const char *token;
	int64_t ttl_ms;
	bool ok = get_token(&login, mv->at->ops->cache_get(mv->at, mv->token_key), &token, &inner);
	/* Somebody else's tells nothing about the keys as they are now. */
	if (ok && !login.is_done)
		ok = log_in(&login, &token, &ttl_ms, &inner);
	if (ok)
		return true;
	if (inner.code == ERR_CREDENTIALS && log_in(&swapped, &token, &ttl_ms, NULL))
		return err_reason(err, ERR_CREDENTIALS, "keys_swapped", "Maventa",
				  "Maventa takes the two keys the other way round");
	if (err)
		*err = inner;
	return false;
}

bool maventa_current(struct maventa *mv, struct maventa_current *ret, struct err *err)
{
	struct maventa_rq rq = { .what = "ask whose keys these are",
				 .method = "GET",
				 .path = "/oauth2/current" };
	const struct json *j;
	if (!check_keys(mv, err) || !maventa_json(mv, &rq, &j, err) ||
	    !maventa_map_current(j, ret, err))
		return false;
	struct strbuf sb = STRBUF_INIT(mv->at->arena, 4096);
	const struct json *scope = json_first(json_get(j, "scopes"));
	for (; scope; scope = json_next(scope))
		if (json_str(scope))
			strbuf_addf(&sb, "%s%s", strbuf_span(&sb).n ? " " : "", json_str(scope));
	ret->scopes = "";
	if (strbuf_span(&sb).n && !strbuf_finish(&sb, &ret->scopes, err))
		return false;
	/* An answer without scopes says nothing about them. */
	ret->missing_scopes = ret->scopes[0] ? missing_scopes(mv->at->arena, ret->scopes) : "";
	if (strcasecmp(ret->company_id, mv->company) == 0)
		return true;
	return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Maventa",
			  "Maventa knows these keys as those of another company");
}
