/*
 * http_internal.h: what the http_*.c files of this folder share.
 *
 * http.c		the client: curl's settings, one exchange, how it ended
 * http_url.c		taking URLs apart, the host allow list
 * http_request.c	what goes out: checked method, headers, body
 * http_reply.c		what comes in: headers and body under their caps
 */
#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H

#include "base/base.h"
#include "net/http.h"

#include <curl/curl.h>

/* An http(s) URL in its parts, as spans of the text it was cut from. */
struct http_url {
	bool is_https;
	struct span host; /* with brackets where it is IPv6 */
	int port; /* the scheme's default when the URL has none */
	struct span target; /* path and query; may be empty, or start with '?' */
};

/* Strict, so that nobody else reads another host out of the same text: printable ASCII only, no
 * user info, no fragment, no backslash. */
bool http_url_parse(const char *text, struct http_url *ret, struct err *err) MUST_CHECK;
/* Scheme and host against the guard. */
bool http_url_is_allowed(struct arena *arena, const struct http_guard *guard, const char *text,
			 struct err *err) MUST_CHECK;

/* Sets method, target, headers and body on the handle; what it points to lives in arena and rq. */
bool http_request_set(CURL *curl, struct arena *arena, const struct http_request *rq,
		      struct err *err) MUST_CHECK;

/* RFC 9110 §5.6.2: what a header may be called. */
bool http_is_token(struct span s);

/* Collects one reply. The body is gathered on the heap and copied once its length is known. */
struct http_inbox {
	struct arena *arena;
	size_t max_body_bytes;
	int status; /* of the last status line */
	bool has_head; /* blank line seen: what follows of headers is trailers */
	bool is_too_large; /* a cap stopped the transfer */
	struct http_header *headers;
	size_t n_headers, header_bytes;
	char *body;
	size_t n_body, body_cap;
};

void http_inbox_start(struct http_inbox *in, struct arena *arena, size_t max_body_bytes);
void http_inbox_release(struct http_inbox *in);
/* curl's callbacks, with the inbox as user data. */
size_t http_inbox_header(char *p, size_t size, size_t n, void *inbox);
size_t http_inbox_body(char *p, size_t size, size_t n, void *inbox);
/* False when the arena is full. */
bool http_inbox_finish(struct http_inbox *in, struct http_reply *ret) MUST_CHECK;

#endif
