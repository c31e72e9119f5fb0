/*
 * http.h: outbound HTTP (libcurl). One client per worker thread, connections kept alive; a request
 * is one blocking call with a deadline. This layer moves bytes and guards the road (DESIGN §6): TLS
 * verified, http/https only, no redirects, no proxy from the environment, connect-time address
 * check, host allow list, caps on the size and time of every answer. It never judges a reply:
 * net/verdict.h does. It knows no vendor.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"

/* Process-wide rules; lives as long as its clients. Read-only after start. */
struct http_guard {
	const char *const
		*allow_hosts; /* "host" or "host:port", lower case, NULL-terminated; NULL: any */
	bool allow_private; /* loopback, private, link-local addresses may be connected to */
	bool allow_http; /* plain http:// may be used (sandbox) */
	int64_t connect_timeout_ms; /* 0: 10 s */
	int64_t request_timeout_ms; /* whole exchange; 0: 120 s */
	const char *ca_file; /* NULL: the system's */
};

struct http_header {
	const char *name;
	const char *value; /* a line break in it makes the request fail with ERR_INPUT */
};

struct http_request {
	const char *method; /* "GET", "POST", "PATCH", "DELETE" */
	const char *url; /* sent byte for byte: what was signed is what goes out */
	const struct http_header *headers;
	size_t n_headers;
	struct span body; /* p NULL: none */
	size_t max_reply_bytes; /* 0: 16 MiB */
	int64_t timeout_ms; /* 0: the guard's */
	bool is_write; /* changes something at the vendor: a cut line leaves doubt */
	/* Of a write, monotonic, NULL: none; read when the connection stands: its first byte goes
	 * out before that time or not at all (ERR_LEASE). */
	const _Atomic int64_t *begin_before_ms;
};

struct http_reply {
	int status;
	struct span body; /* in the arena */
	const char *content_type; /* "" when absent */
	int64_t retry_after_ms; /* from Retry-After (seconds or HTTP date); -1 when absent or
				   malformed */
	const struct http_header *headers; /* names in lower case */
	size_t n_headers;
	int64_t elapsed_ms;
};

/* How far a request got when there is no reply. */
enum http_reach {
	HTTP_REPLIED,
	HTTP_NOT_SENT, /* no byte of the request can have been read: name, connect, TLS, guard */
	HTTP_UNKNOWN, /* bytes went out, no whole reply came: time-out, cut, too large, malformed */
};

/*
 * The transport, so that tests replay recorded exchanges. True with *ret_reply filled (any status),
 * or false with *ret_reach and err: ERR_OUTAGE (not sent, or a read that got no answer), ERR_DOUBT
 * (is_write and HTTP_UNKNOWN), ERR_LEASE (begin_before_ms is over), ERR_BUSY (http_client_abort,
 * and no doubt), ERR_INPUT (guard refused: host not allowed, address private, not http(s)),
 * ERR_LIMIT (a read's reply too large). Reply in the arena.
 */
struct http_transport {
	bool (*perform)(struct http_transport *t, struct arena *arena,
			const struct http_request *rq, struct http_reply *ret_reply,
			enum http_reach *ret_reach, struct err *err);
};

/* Main thread, once, before the first client; and at the end. Sets SIGPIPE to be ignored. */
bool http_global_init(struct err *err) MUST_CHECK;
void http_global_release(void);

struct http_client; /* one thread at a time */
bool http_client_new(const struct http_guard *guard, struct http_client **ret,
		     struct err *err) MUST_CHECK;
void http_client_free(struct http_client *c);
/* The client as a transport; valid as long as the client. */
struct http_transport *http_client_transport(struct http_client *c);
/* Makes a running perform() of another thread end within a second or so, and later ones fail at
 * once (stop of the process). */
void http_client_abort(struct http_client *c);

/* Reply header by lower-case name; NULL when absent. */
const char *http_reply_header(const struct http_reply *r, const char *name);
/* "host" or "host:8443" of a URL, lower case, default port left out; ERR_INPUT when it is no
 * http(s) URL. */
bool http_url_host(struct arena *arena, const char *url, const char **ret,
		   struct err *err) MUST_CHECK;

#endif
