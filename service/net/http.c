/*
 * http.c: outbound HTTP over one curl handle per client.
 *
 * Guarantees:
 * - One perform() is at most one request to the server when is_write is set, see before_request().
 * - A failure says how far the request got, and errs towards "unknown".
 * - The address of every connection is checked after name resolution and before the first packet.
 * - An exchange ends by its deadline however slowly the server drips: the time-out is for the
 * whole.
 *
 * Deliberately HTTP/1.1 only: one request per connection at a time keeps "was it sent?" answerable,
 * and no vendor needs more. No redirects, cookies, proxies, .netrc: a vendor's answer never decides
 * where our credentials go.
 */
#include "base/base.h"
#include "http_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "address.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "sigpipe.h"

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or later is needed (CURLOPT_PREREQFUNCTION)"
#endif

#define CLIENT_MAGIC 0x48545450
#define DEFAULT_MAX_REPLY_BYTES (16u << 20)
#define DEFAULT_CONNECT_TIMEOUT_MS 10000
#define DEFAULT_REQUEST_TIMEOUT_MS 120000
#define MAX_IDLE_CONNECTIONS 16L /* a worker talks to several vendors in turn */
#define MAX_IDLE_READ_S 60L
/* Servers close idle connections after 5 s (Apache, Node) or more; a write keeps clear of that
 * race. */
#define MAX_IDLE_WRITE_S 1L

struct http_client {
	struct http_transport transport; /* first: a transport is its client */
	unsigned magic;
	const struct http_guard *guard;
	CURL *curl;
	atomic_bool is_aborted;
	struct http_inbox inbox;
	char curl_text[CURL_ERROR_SIZE];

	/* Of the running exchange: */
	bool is_write;
	bool is_started; /* a connection was ready and the request about to go out */
	bool has_refused_resend;
	bool is_too_late; /* begin_before_ms was over before the first byte */
	const _Atomic int64_t *begin_before_ms;
	long bytes_before; /* CURLINFO_REQUEST_SIZE at is_started */
	unsigned n_sockets, n_refused;
	char refused_address[INET6_ADDRSTRLEN];
};

bool http_global_init(struct err *err)
{
	sigpipe_ignore();
	/* What curl keeps of requests holds keys and tokens. */
	CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_lib_malloc, mem_wipe_free,
					     mem_lib_realloc, mem_lib_strdup, mem_lib_calloc);
	if (code != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "libcurl: %s", curl_easy_strerror(code));
	return true;
}

void http_global_release(void)
{
	curl_global_cleanup();
}

static struct http_client *client_of(void *p)
{
	struct http_client *c = p;
	assert(c->magic == CLIENT_MAGIC);
	return c;
}

static bool may_connect(const struct http_guard *guard, const struct sockaddr *sa, socklen_t len)
{
	switch (address_kind(sa, len)) {
	case ADDRESS_PUBLIC:
		return true;
	case ADDRESS_LOOPBACK:
	case ADDRESS_PRIVATE:
	case ADDRESS_LINK_LOCAL:
		return guard->allow_private;
	case ADDRESS_FORBIDDEN:
		return false;
	}
	return false;
}

/* curl's CURLOPT_OPENSOCKETFUNCTION: once per address that it is about to try. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_client *c = client_of(user);
	(void)purpose; /* there is but one */
	if (!may_connect(c->guard, &a->addr, a->addrlen)) {
		const void *bytes =
			a->family == AF_INET6
				? (const void *)&((struct sockaddr_in6 *)&a->addr)->sin6_addr
				: (const void *)&((struct sockaddr_in *)&a->addr)->sin_addr;
		if (!inet_ntop(a->family, bytes, c->refused_address, sizeof(c->refused_address)))
			c->refused_address[0] = '\0';
		c->n_refused++;
		return CURL_SOCKET_BAD;
	}
	c->n_sockets++;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static long request_bytes(struct http_client *c)
{
	long n = 0;
	return curl_easy_getinfo(c->curl, CURLINFO_REQUEST_SIZE, &n) == CURLE_OK ? n : 0;
}

/*
 * curl's CURLOPT_PREREQFUNCTION: a connection (new or reused, TLS done) is ready and the request is
 * about to be sent.
 *
 * Within one curl_easy_perform this can happen twice. When a *reused* connection ends before a byte
 * of the reply came, curl takes it for one that the server had closed while idle, and sends the
 * same request again on a fresh connection, POST or not (lib/transfer.c, Curl_retry_request). But a
 * server that read the request, did the work and then fell looks the same, and a write would be
 * done twice. curl has no switch for it, so the second start is where it is stopped: a write
 * has none, its outcome is unknown, and the caller looks at the target. Reads are repeated freely.
 *
 * This is the rare case: a connection that was closed while idle is usually found dead before it is
 * chosen (curl peeks at the socket), and MAX_IDLE_WRITE_S keeps writes off connections that have
 * been idle for long.
 */
static int before_request(void *user, char *remote_ip, char *local_ip, int remote_port,
			  int local_port)
{
	struct http_client *c = client_of(user);
	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (c->is_started && c->is_write) {
		c->has_refused_resend = true;
		return CURL_PREREQFUNC_ABORT;
	}
	/* Name, connect and TLS may have taken longer than the lease lasts. */
	if (c->is_write && c->begin_before_ms &&
	    clock_mono_ms() >= atomic_load(c->begin_before_ms)) {
		c->is_too_late = true;
		return CURL_PREREQFUNC_ABORT;
	}
	if (!c->is_started)
		c->bytes_before = request_bytes(c);
	c->is_started = true;
	return CURL_PREREQFUNC_OK;
}

/* curl's CURLOPT_XFERINFOFUNCTION: called at least once a second. */
static int on_progress(void *user, curl_off_t dl_total, curl_off_t dl, curl_off_t ul_total,
		       curl_off_t ul)
{
	(void)dl_total;
	(void)dl;
	(void)ul_total;
	(void)ul;
	return atomic_load(&client_of(user)->is_aborted);
}

static void set_protocols(CURL *curl, bool allow_http)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, allow_http ? "http,https" : "https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
			 (long)(CURLPROTO_HTTPS | (allow_http ? CURLPROTO_HTTP : 0)));
#endif
}

static void set_guards(struct http_client *c)
{
	CURL *curl = c->curl;
	set_protocols(curl, c->guard->allow_http);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* not even from the environment */
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->guard->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, c->guard->ca_file);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, MAX_IDLE_CONNECTIONS);
	/* One decoder, well understood; the cap is on what comes out of it. */
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
}

static void set_callbacks(struct http_client *c)
{
	CURL *curl = c->curl;
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->curl_text);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, c);
	curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(curl, CURLOPT_PREREQDATA, c);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, http_inbox_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &c->inbox);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_inbox_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &c->inbox);
}

static void set_times(struct http_client *c, const struct http_request *rq)
{
	const struct http_guard *g = c->guard;
	int64_t connect_ms = g->connect_timeout_ms ? g->connect_timeout_ms
						   : DEFAULT_CONNECT_TIMEOUT_MS;
	int64_t whole_ms = rq->timeout_ms	   ? rq->timeout_ms
			   : g->request_timeout_ms ? g->request_timeout_ms
						   : DEFAULT_REQUEST_TIMEOUT_MS;
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)whole_ms);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(c->curl, CURLOPT_MAXAGE_CONN,
			 rq->is_write ? MAX_IDLE_WRITE_S : MAX_IDLE_READ_S);
}

static void start_exchange(struct http_client *c, struct arena *arena,
			   const struct http_request *rq)
{
	c->is_write = rq->is_write;
	c->is_started = c->has_refused_resend = c->is_too_late = false;
	c->begin_before_ms = rq->begin_before_ms;
	c->bytes_before = 0;
	c->n_sockets = c->n_refused = 0;
	c->curl_text[0] = c->refused_address[0] = '\0';
	http_inbox_start(&c->inbox, arena,
			 rq->max_reply_bytes ? rq->max_reply_bytes : DEFAULT_MAX_REPLY_BYTES);
}

/* No reply: says what came in between, and what that leaves open. */
static bool no_reply(struct http_client *c, CURLcode code, enum http_reach *ret_reach,
		     struct err *err)
{
	/* Started and not one byte taken by the kernel: the send failed at once, nothing went out.
	 */
	bool is_sent = c->has_refused_resend ||
		       (c->is_started && request_bytes(c) != c->bytes_before);
	*ret_reach = is_sent ? HTTP_UNKNOWN : HTTP_NOT_SENT;
	if (c->is_too_late)
		return err_set(err, ERR_LEASE, "the lease ended before the write began");
	if (c->n_refused && !c->n_sockets && !is_sent)
		return err_set(err, ERR_INPUT, "address %s is not to be connected to",
			       c->refused_address);
	enum err_code kind = !is_sent		     ? ERR_OUTAGE
			     : c->is_write	     ? ERR_DOUBT
			     : c->inbox.is_too_large ? ERR_LIMIT
						     : ERR_OUTAGE;
	if (c->inbox.is_too_large)
		return err_set(err, kind, "the answer is too large");
	if (c->has_refused_resend)
		return err_set(err, kind, "the kept connection ended before an answer came");
	/* Nothing is wrong with a read that our own stop cut: it is done again, no try is burned.
	 */
	if (atomic_load(&c->is_aborted))
		return err_set(err, kind == ERR_DOUBT ? kind : ERR_BUSY,
			       "stopped before an answer came");
	return err_set(err, kind, "%s", c->curl_text[0] ? c->curl_text : curl_easy_strerror(code));
}

static bool exchange(struct http_client *c, struct arena *arena, const struct http_request *rq,
		     struct http_reply *ret_reply, enum http_reach *ret_reach, struct err *err)
{
	*ret_reach = HTTP_NOT_SENT;
	if (!http_url_is_allowed(arena, c->guard, rq->url, err))
		return false;
	if (atomic_load(&c->is_aborted))
		return err_set(err, ERR_BUSY, "stopped before it was sent");
	curl_easy_reset(c->curl); /* keeps connections, DNS and TLS sessions */
	start_exchange(c, arena, rq);
	set_guards(c);
	set_callbacks(c);
	set_times(c, rq);
	if (!http_request_set(c->curl, arena, rq, err))
		return false;

	int64_t start_ms = clock_mono_ms();
	CURLcode code = curl_easy_perform(c->curl);
	if (code == CURLE_OK && !c->inbox.has_head)
		code = CURLE_GOT_NOTHING; /* cut within the headers: to curl that is a reply */
	if (code != CURLE_OK)
		return no_reply(c, code, ret_reach, err);
	if (!http_inbox_finish(&c->inbox, ret_reply)) {
		c->inbox.is_too_large = true;
		return no_reply(c, code, ret_reach, err);
	}
	ret_reply->elapsed_ms = clock_mono_ms() - start_ms;
	*ret_reach = HTTP_REPLIED;
	return true;
}

static bool perform(struct http_transport *t, struct arena *arena, const struct http_request *rq,
		    struct http_reply *ret_reply, enum http_reach *ret_reach, struct err *err)
{
	struct http_client *c = client_of(t);
	struct http_url url = { .port = 0 };
	enum http_reach reach;
	bool ok = exchange(c, arena, rq, ret_reply, &reach, err);
	if (ret_reach)
		*ret_reach = reach;
	if (ok)
		return true;
	if (!http_url_parse(rq->url, &url, NULL) || !rq->method)
		return false;
	return err_wrap(err, "%s %.*s", rq->method, (int)url.host.n, url.host.p);
}

bool http_client_new(const struct http_guard *guard, struct http_client **ret, struct err *err)
{
	struct http_client *c = mem_alloc(sizeof(*c));
	if (!c)
		return err_set(err, ERR_MEMORY, "out of memory");
	c->magic = CLIENT_MAGIC;
	c->transport.perform = perform;
	c->guard = guard;
	c->curl = curl_easy_init();
	if (!c->curl) {
		http_client_free(c);
		return err_set(err, ERR_MEMORY, "libcurl: out of memory");
	}
	*ret = c;
	return true;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	http_inbox_release(&c->inbox);
	mem_free(c);
}

struct http_transport *http_client_transport(struct http_client *c)
{
	return &c->transport;
}

void http_client_abort(struct http_client *c)
{
	atomic_store(&c->is_aborted, true);
}
