/* request.c: reading what a request says: headers, query, JSON body, preconditions. */
#include "base/base.h"

#include "base/utf8.h"
#include "request.h"
#include "router.h"
#include "server.h"

#include <strings.h>

#define FORWARDED_MAX 8192

const char *request_header(const struct request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->mhd, MHD_HEADER_KIND, name);
}

static enum MHD_Result take_hop(void *cls, enum MHD_ValueKind kind, const char *name,
				const char *value)
{
	struct strbuf *sb = cls;
	(void)kind; /* headers alone are asked for */
	if (strcasecmp(name, "X-Forwarded-For") == 0 && value) {
		strbuf_addstr(sb, sb->n ? "," : "");
		strbuf_addstr(sb, value);
	}
	return MHD_YES;
}

const char *request_client(struct request *rq)
{
	if (rq->client[0])
		return rq->client;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		rq->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct strbuf sb = STRBUF_INIT(rq->arena, FORWARDED_MAX);
	const char *chain = "";
	struct err too_long = ERR_INIT; /* then nobody's word is believed */
	MHD_get_connection_values(rq->mhd, MHD_HEADER_KIND, take_hop, &sb);
	if (!strbuf_finish(&sb, &chain, &too_long))
		chain = "";
	forwarded_client(rq->server->trusted, info ? info->client_addr : NULL, span_of(chain),
			 rq->client);
	return rq->client;
}

const char *request_query(const struct request *rq, const char *name)
{
	for (size_t i = 0; i < rq->n_query; i++)
		if (str_eq(rq->query[i].name, name))
			return rq->query[i].value;
	return NULL;
}

static bool is_allowed(const char *allowed, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = allowed; p && *p && n;) {
		size_t w = strcspn(p, " ");
		if (w == n && memcmp(p, name, n) == 0)
			return true;
		p += w;
		p += strspn(p, " ");
	}
	return false;
}

static bool add_param(struct request *rq, struct span pair, struct err *err)
{
	const char *eq = memchr(pair.p, '=', pair.n);
	size_t n = eq ? (size_t)(eq - pair.p) : pair.n;
	const char *name = url_decode(rq->arena, (struct span) { pair.p, n }, true);
	const char *value =
		!eq ? "" : url_decode(rq->arena, (struct span) { eq + 1, pair.n - n - 1 }, true);
	if (!name || !value)
		return problem(err, ERR_INPUT, "malformed_request", "", "malformed query");
	if (!is_allowed(rq->route->query, name))
		return problem(err, ERR_INPUT, "unknown_parameter", name,
			       "unknown query parameter");
	if (request_query(rq, name) || rq->n_query >= REQUEST_MAX_QUERY)
		return problem(err, ERR_INPUT, "malformed_request", name,
			       "query parameter repeated");
	rq->query[rq->n_query++] = (struct query_param) { name, value };
	return true;
}

bool request_number(const struct request *rq, const char *name, struct query_range range,
		    size_t *ret, struct err *err)
{
	const char *text = request_query(rq, name);
	*ret = range.preset;
	if (!text)
		return true;
	size_t n = strlen(text), v = 0;
	if (n < 1 || n > 6 || strspn(text, "0123456789") != n)
		return problem(err, ERR_INPUT, "value_invalid", name, "not a number");
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (size_t)(text[i] - '0');
	if (v < range.low || v > range.high)
		return problem(err, ERR_INPUT, "value_invalid", name, "%zu to %zu", range.low,
			       range.high);
	*ret = v;
	return true;
}

bool request_read_query(struct request *rq, struct err *err)
{
	const char *p = strchr(rq->target, '?');
	if (!p)
		return true;
	for (p++; *p;) {
		size_t n = strcspn(p, "&");
		if (n && !add_param(rq, (struct span) { p, n }, err))
			return false;
		p += n;
		p += *p == '&';
	}
	return true;
}

bool request_json(struct request *rq, const struct json **ret, struct err *err)
{
	struct span body = request_body(rq);
	struct json_limits limits = JSON_LIMITS_API;
	if (body.n == 0)
		body = SPAN_LIT("{}");
	if (limits.max_bytes < body.n)
		limits.max_bytes = body.n; /* capped by the server already */
	struct err why = ERR_INIT;
	if (!json_parse(rq->arena, body, limits, ret, &why))
		return problem(err, ERR_INPUT, "malformed_json", "", "%s", why.message);
	if (json_type(*ret) != JSON_OBJECT)
		return problem(err, ERR_INPUT, "value_invalid", "/", "the body is not an object");
	return true;
}

bool request_members(const struct json *j, const char *const *known, struct err *err)
{
	for (const struct json *m = json_first(j); m; m = json_next(m)) {
		const char *const *k = known;
		while (*k && !str_eq(*k, json_key(m)))
			k++;
		if (!*k) {
			problem(err, ERR_INPUT, "unknown_member", "", "unknown member");
			err_pointer(err, "/%s", json_key(m));
			return false;
		}
	}
	return true;
}

bool request_text(const struct json *j, const char *name, size_t max, const char **ret,
		  struct err *err)
{
	const struct json *m = json_get(j, name);
	*ret = NULL;
	if (json_is_null(m))
		return true;
	const char *text = json_str(m);
	if (!text || utf8_length(span_of(text)) > (ssize_t)max) {
		problem(err, ERR_INPUT, "value_invalid", "", "not a text of at most %zu characters",
			max);
		err_pointer(err, "/%s", name);
		return false;
	}
	*ret = text;
	return true;
}

bool request_if_match(struct request *rq, int64_t *ret_rev, struct err *err)
{
	const char *text = request_header(rq, "If-Match");
	if (!text)
		return problem(err, ERR_CONFLICT, "precondition_missing", "",
			       "If-Match is missing");
	*ret_rev = -1;
	if (str_eq(text, "*"))
		return true;
	size_t n = strlen(text);
	int64_t rev = 0;
	bool ok = n >= 3 && n <= 18 && text[0] == '"' && text[n - 1] == '"';
	for (size_t i = 1; ok && i < n - 1; i++) {
		ok = text[i] >= '0' && text[i] <= '9';
		rev = rev * 10 + (text[i] - '0');
	}
	if (!ok) /* no ETag of ours: it cannot match */
		return problem(err, ERR_CONFLICT, "stale", "", "If-Match holds no ETag of ours");
	*ret_rev = rev;
	return true;
}

static void wipe_body(void *request)
{
	struct request *rq = request;
	secret_wipe(rq->body_p, rq->body_n);
}

bool request_no_body(struct request *rq, struct err *err)
{
	static const char *const none[] = { NULL };
	const struct json *j = NULL;
	return request_json(rq, &j, err) && request_members(j, none, err);
}

bool request_keep_secrets(struct request *rq, struct err *err)
{
	arena_keep_secrets(rq->arena);
	return !rq->body_n || arena_defer(rq->arena, wipe_body, rq) ||
	       err_set(err, ERR_LIMIT, "arena full");
}
