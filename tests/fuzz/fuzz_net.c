/*
 * fuzz_net.c: what the outside sends to net/ and what a configuration gives it: reply headers and
 * body, URLs of systems, the URL of Redis. A system's URL that we accept must name the same host
 * and port to curl, or the allow list could be talked past. The first byte chooses.
 */
#include "base/base.h"

#include "net/http_internal.h"
#include "net/redis_url.h"

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#define BODY_CAP 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As curl hands them over: line by line up to the blank one, then the body, then trailers. */
static bool feed(struct http_inbox *in, char *p, size_t n)
{
	bool is_body_fed = false;
	while (n) {
		char *eol = memchr(p, '\n', n);
		size_t line = eol ? (size_t)(eol - p) + 1 : n;
		if (http_inbox_header(p, 1, line, in) != line)
			return false;
		p += line;
		n -= line;
		if (in->has_head && in->status >= 200 && !is_body_fed) {
			size_t body = n / 2;
			if (http_inbox_body(p, 1, body, in) != body)
				return false;
			p += body;
			n -= body;
			is_body_fed = true;
		}
	}
	return true;
}

static void fuzz_reply(char *p, size_t n, struct arena *arena)
{
	struct http_inbox in = { .arena = NULL };
	struct http_reply reply;
	http_inbox_start(&in, arena, BODY_CAP);
	if (!feed(&in, p, n)) {
		MUST(in.is_too_large);
	} else if (http_inbox_finish(&in, &reply)) {
		MUST(reply.status >= 0 && reply.status <= 999);
		MUST(reply.body.n <= BODY_CAP && reply.n_headers <= 128);
		MUST(reply.retry_after_ms >= -1 &&
		     reply.retry_after_ms <= INT64_C(30) * 24 * 3600 * 1000);
		for (size_t i = 0; i < reply.n_headers; i++) {
			MUST(reply.headers[i].name[0] != '\0' && reply.headers[i].value);
			MUST(!strchr(reply.headers[i].value, '\n'));
		}
	}
	http_inbox_release(&in);
}

/* A number, or several with dots, is an IPv4 address to curl, written anew. */
static bool is_numeric(const char *host)
{
	return strspn(host, "0123456789.") == strlen(host);
}

static void compare_with_curl(const char *text, const char *host_port)
{
	CURLU *u = curl_url();
	char *host = NULL, *port = NULL;
	MUST(u);
	if (curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK) {
		MUST(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
		MUST(curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
		const char *colon = strrchr(host_port, ':');
		if (colon && strchr(colon, ']'))
			colon = NULL; /* inside an IPv6 address */
		size_t host_n = colon ? (size_t)(colon - host_port) : strlen(host_port);
		if (host[0] != '[' && !is_numeric(host))
			MUST(strlen(host) == host_n && strncasecmp(host, host_port, host_n) == 0);
		MUST(colon ? strtol(colon + 1, NULL, 10) == strtol(port, NULL, 10)
			   : (strcmp(port, "443") == 0 || strcmp(port, "80") == 0));
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
}

static void fuzz_system_url(const char *text, struct arena *arena)
{
	const char *host = NULL;
	if (http_url_host(arena, text, &host, NULL))
		compare_with_curl(text, host);
}

static void fuzz_redis_url(const char *text)
{
	struct redis_url url;
	if (!redis_url_parse(text, &url, NULL))
		return;
	MUST(url.is_unix ? url.path[0] == '/' : (url.host[0] != '\0' && url.port > 0));
	MUST(url.db >= 0);
	redis_url_release(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *arena = arena_new(1 << 20);
	char *text = arena ? arena_memdup(arena, data + 1, size - 1) : NULL;
	if (text && data[0] % 3 == 0)
		fuzz_reply(text, size - 1, arena);
	else if (text && data[0] % 3 == 1)
		fuzz_system_url(text, arena);
	else if (text)
		fuzz_redis_url(text);
	arena_free(arena);
	return 0;
}
