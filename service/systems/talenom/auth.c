/*
 * auth.c: login at Talenom by client credentials, and the one place where a call gets its headers
 * (facts/talenom.md §2.1, 3). A token is shared per address, client and scope; a call that is
 * refused for its token is made once more with a new one.
 */
#include "base/base.h"
#include "talenom_internal.h"

#include "codec/sign.h"

#define RENEW_EARLY_MS 60000
#define TOKEN_DEFAULT_S 3600
#define TOKEN_LONGEST_S 86400
#define REPLY_MAX ((size_t)16 << 20)

/* The first that is missing is named. */
static bool take_keys(struct talenom *tn, const struct json *credentials, struct err *err)
{
	const struct {
		const char *name, **into;
	} keys[] = { { "client_id", &tn->client_id },
		     { "client_secret", &tn->client_secret },
		     { "subscription_key", &tn->subscription_key },
		     { "organization_number", &tn->organization } };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		*keys[i].into = json_text(json_get(credentials, keys[i].name));
		if (!*keys[i].into || !(*keys[i].into)[0])
			return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Talenom",
					  "Talenom's %s is missing", keys[i].name);
	}
	/* A number in paths and JSON (§2.1). */
	if (tn->organization[strspn(tn->organization, "0123456789")])
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Talenom",
				  "Talenom's organization_number is no number");
	return true;
}

bool talenom_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		  struct talenom *ret, struct err *err)
{
	const struct talenom_options *opt = talenom_options(at->systems);
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	*ret = (struct talenom) {
		.at = at,
		.opt = opt,
		.base_url = json_text_or(settings, "talenom.url", opt->url),
		.token_url = json_text_or(settings, "talenom.token_url", opt->token_url),
		.region = json_text_or(settings, "talenom.region", opt->region),
		.receivable_account = json_text_or(settings, "talenom.receivable_account",
						   opt->receivable_account),
		.payment_account = json_text_or(settings, "talenom.payment_account",
						opt->payment_account),
	};
	if (!take_keys(ret, credentials, err))
		return false;
	sign_sha256(span_of(ret->client_secret), digest);
	sign_hex(digest, sizeof(digest), hex);
	ret->limit_key = arena_printf(at->arena, "talenom:%s", ret->organization);
	ret->token_key = arena_printf(at->arena, "talenom.token:%s:%s:%.16s:%s", ret->token_url,
				      ret->client_id, hex, opt->scope);
	return ret->limit_key && ret->token_key ? true : err_set(err, ERR_LIMIT, "arena full");
}

/* ---- login --------------------------------------------------------------------------------- */

struct login {
	struct talenom *tn;
	bool is_done; /* by this worker, just now; else the token is somebody else's */
};

static bool login_body(const struct talenom *tn, struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(tn->at->arena, 8192);
	strbuf_addstr(&sb, "grant_type=client_credentials&client_id=");
	strbuf_add_urlencoded(&sb, tn->client_id);
	strbuf_addstr(&sb, "&client_secret=");
	strbuf_add_urlencoded(&sb, tn->client_secret);
	if (tn->opt->scope[0]) {
		strbuf_addstr(&sb, "&scope=");
		strbuf_add_urlencoded(&sb, tn->opt->scope);
	}
	return talenom_finish(&sb, ret, err);
}

/* As shared_want wants it. */
static bool log_in(void *ctx, const char **ret_token, int64_t *ret_ttl_ms, struct err *err)
{
	static const struct talenom_rq rq = { .what = "log in at Talenom" };
	static const struct http_header headers[] = {
		{ "Content-Type", "application/x-www-form-urlencoded" },
		{ "Accept", "application/json" },
	};
	struct login *login = ctx;
	const struct talenom *tn = login->tn;
	struct call call = { .what = rq.what, .limit_key = tn->limit_key };
	struct http_reply reply;
	const struct json *j;
	int64_t seconds;
	call.rq = (struct http_request) { .method = "POST",
					  .url = tn->token_url,
					  .headers = headers,
					  .n_headers = ARRAY_SIZE(headers) };
	if (!login_body(tn, &call.rq.body, err) ||
	    !tn->at->ops->exchange(tn->at, &call, &reply, err) ||
	    !talenom_judge(tn->at->arena, &rq, &reply, true, err))
		return false;
	if (!json_parse(tn->at->arena, reply.body, JSON_LIMITS_VENDOR, &j, NULL))
		return verdict_to_err(VERDICT_OUTAGE, &reply, SPAN_LIT(""), rq.what, err);
	const char *token = json_str(json_get(j, "access_token"));
	if (!token || !token[0])
		return verdict_to_err(VERDICT_FAULT, &reply, SPAN_LIT(""), rq.what, err);
	if (!json_int64(json_get(j, "expires_in"), &seconds) || seconds <= 0 ||
	    seconds > TOKEN_LONGEST_S)
		seconds = TOKEN_DEFAULT_S;
	login->is_done = true;
	*ret_token = token;
	*ret_ttl_ms = seconds * 1000;
	return true;
}

/* ---- one call ------------------------------------------------------------------------------ */

static bool send_once(struct talenom *tn, const struct talenom_rq *rq, const char *token,
		      struct http_reply *ret, struct err *err)
{
	struct attempt *at = tn->at;
	const char *url = arena_printf(at->arena, "%s/%s%s", tn->base_url, tn->region, rq->path);
	const char *bearer = arena_printf(at->arena, "Bearer %s", token);
	const struct http_header headers[] = {
		{ "Authorization", bearer },
		{ "Ocp-Apim-Subscription-Key", tn->subscription_key },
		{ "Accept", "application/json" },
		{ "Accept-Language", "en" },
		{ "Content-Type", "application/json" },
	};
	if (!url || !bearer)
		return err_set(err, ERR_LIMIT, "arena full");
	const struct call call = {
		.what = rq->what,
		.limit_key = tn->limit_key,
		.rq = { .method = rq->method,
			.url = url,
			.headers = headers,
			.n_headers = ARRAY_SIZE(headers) - (rq->body.p ? 0 : 1),
			.body = rq->body,
			.max_reply_bytes = REPLY_MAX,
			.is_write = rq->is_write },
	};
	return at->ops->exchange(at, &call, ret, err);
}

/* The one that was refused may be followed by one that another process has left, no better. */
#define TOKENS_MAX 3

bool talenom_do(struct talenom *tn, const struct talenom_rq *rq, struct http_reply *ret,
		struct err *err)
{
	struct login login = { .tn = tn };
	const char *token = NULL;
	if (!rq->path)
		return err_set(err, ERR_LIMIT, "arena full");
	for (int i = 0; i < TOKENS_MAX; i++) {
		const struct shared_want want = { .key = tn->token_key,
						  .refused = token,
						  .margin_ms = RENEW_EARLY_MS,
						  .for_all = true,
						  .fetch = log_in,
						  .ctx = &login };
		login.is_done = false;
		if (!tn->at->ops->shared(tn->at, &want, &token, err) ||
		    !send_once(tn, rq, token, ret, err))
			return false;
		if (ret->status != 401 || login.is_done)
			break;
	}
	return talenom_judge(tn->at->arena, rq, ret, false, err);
}

bool talenom_json(struct talenom *tn, const struct talenom_rq *rq, const struct json **ret,
		  struct err *err)
{
	struct http_reply reply;
	return talenom_do(tn, rq, &reply, err) &&
	       verdict_json(tn->at->arena, &reply, rq->is_write, rq->what, ret, err);
}

bool talenom_list(struct talenom *tn, const char *what, const char *path, const struct json **ret,
		  struct err *err)
{
	const struct talenom_rq rq = { .what = what, .method = "GET", .path = path };
	struct err inner = ERR_INIT;
	if (talenom_json(tn, &rq, ret, &inner)) {
		if (json_type(*ret) == JSON_ARRAY)
			return true;
		return err_set(err, ERR_OUTAGE, "%s: the answer is no list", what);
	}
	if (inner.code == ERR_NOT_FOUND) /* a list is empty, never missing */
		inner.code = ERR_SYSTEM;
	if (err)
		*err = inner;
	return false;
}

const char *talenom_sales(struct talenom *tn, const char *resource, struct talenom_part a,
			  struct talenom_part b)
{
	const struct talenom_part parts[] = { { "/", tn->organization }, { resource, NULL }, a, b };
	struct strbuf sb = STRBUF_INIT(tn->at->arena, 8192);
	const char *ret;
	strbuf_addstr(&sb, tn->opt->sales_path);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].before)
			strbuf_addstr(&sb, parts[i].before);
		if (parts[i].value)
			strbuf_add_urlencoded(&sb, parts[i].value);
	}
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}
