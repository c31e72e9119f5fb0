/*
 * http_request.c: puts one request on a curl handle. Guarantees that nothing a caller passes can
 * end a header line or change how long the body is (request splitting), and that the target goes
 * out byte for byte. Copies no body.
 */
#include "base/base.h"
#include "http_internal.h"

#include "base/strbuf.h"

#define HEADER_LINE_MAX (16u << 10)
#define TARGET_MAX (16u << 10)

/* Ours: curl makes them from the URL and the body. */
static const char *const reserved_headers[] = {
	"host",	  "content-length", "transfer-encoding", "connection",
	"expect", "upgrade",	    "accept-encoding",
};

/* Sent unless the caller has its own. An empty one keeps curl from inventing a value: "Expect:
 * 100-continue" costs a second where a server ignores it, and a form type would be a lie. */
static const char *const default_headers[] = {
	"Content-Type:",
	"Expect:",
	("User-Agent: Viesti/" VIESTI_VERSION),
};

bool http_is_token(struct span s)
{
	static const char symbols[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' ||
		    (!strchr(symbols, s.p[i]) && !(s.p[i] >= '0' && s.p[i] <= '9') &&
		     !((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z')))
			return false;
	return s.n > 0;
}

static bool is_field_value(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

static bool check_header(const struct http_header *h, struct err *err)
{
	if (!h->name || !http_is_token(span_of(h->name)))
		return err_set(err, ERR_INPUT, "request header name is not a token");
	for (size_t i = 0; i < ARRAY_SIZE(reserved_headers); i++)
		if (strcasecmp(h->name, reserved_headers[i]) == 0)
			return err_set(err, ERR_INPUT, "request header %s is not for callers",
				       h->name);
	if (!h->value || !is_field_value(h->value))
		return err_set(err, ERR_INPUT,
			       "request header %s holds a line break or control character",
			       h->name);
	return true;
}

static bool has_header(const struct http_request *rq, const char *line)
{
	size_t n = strcspn(line, ":");
	for (size_t i = 0; i < rq->n_headers; i++)
		if (strlen(rq->headers[i].name) == n &&
		    strncasecmp(rq->headers[i].name, line, n) == 0)
			return true;
	return false;
}

/* curl's list, laid out in the arena: nothing to free, and no second copy of a secret on the heap.
 */
static bool add_line(struct arena *arena, struct curl_slist **tail, const char *line)
{
	struct curl_slist *item = arena_alloc(arena, sizeof(*item));
	char *copy = arena_strdup(arena, line);
	if (!item || !copy)
		return false;
	item->data = copy;
	if (*tail)
		(*tail)->next = item;
	*tail = item;
	return true;
}

static bool make_headers(struct arena *arena, const struct http_request *rq,
			 struct curl_slist **ret, struct err *err)
{
	struct curl_slist *tail = NULL, *head = NULL;
	for (size_t i = 0; i < rq->n_headers; i++) {
		const struct http_header *h = &rq->headers[i];
		const char *line;
		struct strbuf sb = STRBUF_INIT(arena, HEADER_LINE_MAX);
		if (!check_header(h, err))
			return false;
		strbuf_addstr(&sb, h->name);
		/* To curl "Name:" means none at all, "Name;" one without a value. */
		strbuf_addstr(&sb, h->value[0] ? ": " : ";");
		strbuf_addstr(&sb, h->value);
		if (!strbuf_finish(&sb, &line, err))
			return false;
		if (!add_line(arena, &tail, line))
			return err_set(err, ERR_LIMIT, "arena full");
		head = head ? head : tail;
	}
	for (size_t i = 0; i < ARRAY_SIZE(default_headers); i++) {
		if (has_header(rq, default_headers[i]))
			continue;
		if (!add_line(arena, &tail, default_headers[i]))
			return err_set(err, ERR_LIMIT, "arena full");
		head = head ? head : tail;
	}
	*ret = head;
	return true;
}

/* An empty path is sent as "/". */
static bool make_target(struct arena *arena, const char *text, const char **ret, struct err *err)
{
	struct http_url url = { .port = 0 };
	struct strbuf sb = STRBUF_INIT(arena, TARGET_MAX);
	if (!http_url_parse(text, &url, err))
		return false;
	if (url.target.n == 0 || url.target.p[0] != '/')
		strbuf_addch(&sb, '/');
	strbuf_addspan(&sb, url.target);
	return strbuf_finish(&sb, ret, err);
}

static bool is_method(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	return n > 0 && n < 16 && s[n] == '\0';
}

static void set_method_and_body(CURL *curl, const struct http_request *rq)
{
	bool is_bodyless = strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "DELETE") == 0 ||
			   strcmp(rq->method, "HEAD") == 0;
	if (rq->body.p || !is_bodyless) { /* POST without a body says Content-Length: 0 */
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.n);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, rq->body.p ? rq->body.p : "");
	} else if (strcmp(rq->method, "HEAD") == 0) {
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	} else {
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, rq->method);
}

bool http_request_set(CURL *curl, struct arena *arena, const struct http_request *rq,
		      struct err *err)
{
	struct curl_slist *headers = NULL;
	const char *target = NULL;
	if (!rq->method || !is_method(rq->method))
		return err_set(err, ERR_INPUT, "request method is not upper-case letters");
	if (!make_target(arena, rq->url, &target, err) || !make_headers(arena, rq, &headers, err))
		return false;
	set_method_and_body(curl, rq);
	if (curl_easy_setopt(curl, CURLOPT_URL, rq->url) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_REQUEST_TARGET, target) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK)
		return err_set(err, ERR_MEMORY, "out of memory");
	return true;
}
