/*
 * server.c: one call from its first header to its last byte.
 *
 * A call goes through stages: its body is read (capped), then it arrives (faults are chosen, the
 * stand-in's begin() sees who calls), perhaps it waits suspended, it is served, perhaps it waits
 * again, and it is answered or cut. A wait never holds a server thread. The stand-in's end() comes
 * before the last byte leaves, because the client may send its next call the moment it has it.
 *
 * Deliberately knows nothing of any system: the first path segment picks the stand-in.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "call.h"
#include "faults.h"
#include "requests.h"
#include "server.h"
#include "timers.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>

#define SERVER_THREADS 2
#define CONNECTION_MEMORY (32u * 1024)
#define CONNECTION_LIMIT 8192
#define IDLE_TIMEOUT_S 120
#define HANG_MS 3600000

struct server {
	struct MHD_Daemon *daemon;
};

static void finish_work(struct call *c)
{
	if (!c->begun)
		return;
	c->begun = false;
	if (c->standin->end)
		c->standin->end(c->world->states[c->standin_index], c);
}

/* No answer: libmicrohttpd closes the connection when the handler answers MHD_NO. */
static enum MHD_Result cut(struct call *c)
{
	finish_work(c);
	return MHD_NO;
}

static ssize_t drip(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct call *c = cls;
	struct span body = c->reply.body;
	bool is_first = pos == 0 && !c->drip_waits;
	if (!is_first && !c->drip_waits && timers_suspend(c->sb->timers, c, c->fault.drip_ms)) {
		c->drip_waits = true;
		return 0;
	}
	c->drip_waits = false;
	size_t n = body.n - (size_t)pos;
	if (n > c->fault.bytes && c->fault.bytes > 0)
		n = c->fault.bytes;
	if (n > max)
		n = max;
	memcpy(buf, body.p + pos, n);
	if (pos + n == body.n)
		finish_work(c);
	return (ssize_t)n;
}

static ssize_t half_then_cut(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct call *c = cls;
	size_t half = c->reply.body.n / 2;
	if (pos >= half) {
		finish_work(c);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	size_t n = half - (size_t)pos;
	if (n > max)
		n = max;
	memcpy(buf, c->reply.body.p + pos, n);
	return (ssize_t)n;
}

static ssize_t endless(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct call *c = cls;
	size_t n = c->fault.bytes - (size_t)pos;
	if (n > max)
		n = max;
	memset(buf, ' ', n);
	if (pos == 0 && n > 0 && c->reply.body.n > 0)
		buf[0] = c->reply.body.p[0];
	return (ssize_t)n;
}

/* The first half of the true answer and then bytes that no parser takes. */
static void spoil(struct call *c)
{
	static const char junk[] = "\xff\xfe{<\x01garbage";
	struct span body = c->reply.body;
	size_t half = body.n / 2;
	char *mixed = arena_alloc(c->arena, half + sizeof(junk));
	if (!mixed)
		return;
	if (half)
		memcpy(mixed, body.p, half);
	memcpy(mixed + half, junk, sizeof(junk) - 1);
	c->reply.body = (struct span) { mixed, half + sizeof(junk) - 1 };
}

static struct MHD_Response *make_response(struct call *c)
{
	struct span body = c->reply.body;
	if (c->fault.kind == FAULT_SLOW_DRIP && body.n)
		return MHD_create_response_from_callback(body.n, 4096, drip, c, NULL);
	if (c->fault.kind == FAULT_CUT_IN_ANSWER && body.n)
		return MHD_create_response_from_callback(body.n, 4096, half_then_cut, c, NULL);
	if (c->fault.kind == FAULT_HUGE && c->fault.bytes)
		return MHD_create_response_from_callback(c->fault.bytes, 65536, endless, c, NULL);
	/* The arena outlives the response: it goes in on_completed. libmicrohttpd does not write to
	 * the buffer, its type only lacks a const. */
	return MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p,
					       MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer(struct call *c)
{
	if (c->fault.kind == FAULT_CUT_AFTER_COMMIT || c->fault.kind == FAULT_CUT_BEFORE)
		return cut(c);
	if (c->fault.kind == FAULT_GARBAGE)
		spoil(c);
	struct MHD_Response *response = make_response(c);
	if (!response)
		return cut(c);
	struct reply *reply = &c->reply;
	bool ok = !reply->content_type ||
		  MHD_add_response_header(response, "Content-Type", reply->content_type) == MHD_YES;
	for (unsigned i = 0; ok && i < reply->n_headers; i++)
		ok = MHD_add_response_header(response, reply->headers[i].name,
					     reply->headers[i].value) == MHD_YES;
	bool is_slow = (c->fault.kind == FAULT_SLOW_DRIP || c->fault.kind == FAULT_CUT_IN_ANSWER) &&
		       reply->body.n;
	if (!is_slow)
		finish_work(c);
	c->stage = CALL_ANSWERED;
	enum MHD_Result rc = ok ? MHD_queue_response(c->conn, reply->status, response) : MHD_NO;
	MHD_destroy_response(response);
	return rc;
}

/* Waits, then goes on with `next`; goes on at once when there is nothing to wait for. */
static bool wait_then(struct call *c, int64_t ms, enum call_stage next)
{
	c->stage = next;
	return ms > 0 && timers_suspend(c->sb->timers, c, ms);
}

static void refuse(struct call *c)
{
	unsigned status = c->fault.kind == FAULT_429 ? 429 : c->fault.status;
	c->standin->refuse(c, status);
	if (c->fault.retry_after[0])
		reply_header(c, "Retry-After", c->fault.retry_after);
}

/* True when the fault answers in place of the stand-in. */
static bool is_refusal(const struct call *c)
{
	return c->fault.kind == FAULT_STATUS || c->fault.kind == FAULT_429;
}

static void serve(struct call *c)
{
	/* begin() may have set a reply (refused); a fault without commit has none to set. */
	if (c->begun && c->reply.status == 0)
		c->standin->serve(c->world->states[c->standin_index], c);
	if (is_refusal(c))
		refuse(c);
	else if (c->reply.status == 0) /* begun: out of memory */
		reply_empty(c, c->begun ? 500 : 200);
}

static void arrive(struct call *c)
{
	const char *tenant = c->standin->whose(c->world->states[c->standin_index], c);
	c->fault = faults_pick(c->sb->faults, c, tenant);
	c->tenant = arena_strdup(c->arena, tenant);
	if (c->fault.kind == FAULT_CUT_BEFORE || !c->fault.commit)
		return;
	c->begun = true;
	if (!c->standin->begin(c->world->states[c->standin_index], c) && c->reply.status == 0)
		reply_empty(c, 500);
}

/* Goes on from the call's stage as far as it can. */
static enum MHD_Result proceed(struct call *c)
{
	if (c->stage == CALL_TO_SERVE) {
		serve(c);
		int64_t ms = c->fault.answer_latency_ms;
		if (c->fault.kind == FAULT_HANG) {
			finish_work(c);
			c->is_hung = true;
			if (wait_then(c, HANG_MS, CALL_TO_CUT))
				return MHD_YES;
		} else if (wait_then(c, ms, CALL_TO_ANSWER)) {
			return MHD_YES;
		}
	}
	if (c->stage == CALL_TO_CUT)
		return cut(c);
	return answer(c);
}

static bool is_loopback(const struct call *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		c->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!info || !info->client_addr)
		return false;
	const struct sockaddr_in *in = (const void *)info->client_addr;
	return in->sin_family == AF_INET && (ntohl(in->sin_addr.s_addr) >> 24) == 127;
}

static void find_standin(struct call *c)
{
	const char *first = c->n_segments ? c->segments[0] : "";
	for (unsigned i = 0; i < n_standins; i++) {
		if (strcasecmp(standins[i]->name, first) == 0) {
			c->standin = standins[i];
			c->standin_index = i;
			c->n_segments--;
			memmove(c->segments, c->segments + 1,
				c->n_segments * sizeof(c->segments[0]));
		}
	}
}

/* The whole request is here. */
static enum MHD_Result on_whole(struct call *c)
{
	const char *text = NULL;
	struct err err = ERR_INIT;
	c->stage = CALL_TO_ANSWER;
	if (!strbuf_finish(&c->body_buf, &text, &err))
		c->body_too_large = true;
	c->body = c->body_too_large ? (struct span) { "", 0 } : strbuf_span(&c->body_buf);
	if (!call_split(c)) {
		reply_text(c, 400, "text/plain", "malformed request target\n");
	} else if (c->body_too_large) {
		reply_text(c, 413, "text/plain", "request body too large\n");
	} else if (c->n_segments && strcmp(c->segments[0], "_sandbox") == 0) {
		if (is_loopback(c) || c->sb->options.open_control)
			control_serve(c);
		else
			reply_text(c, 403, "text/plain", "control is for this machine only\n");
	} else {
		find_standin(c);
		if (!c->standin) {
			reply_text(c, 404, "text/plain", "no such system\n");
			return answer(c);
		}
		arrive(c);
		if (wait_then(c, c->fault.latency_ms, CALL_TO_SERVE))
			return MHD_YES;
	}
	return proceed(c);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_n, void **req_cls)
{
	(void)cls, (void)url, (void)version; /* on_target has the target, byte for byte */
	struct call *c = *req_cls;
	if (!c)
		return MHD_NO;
	assert(c->magic == CALL_MAGIC);
	if (c->stage == CALL_HEADERS) {
		c->conn = conn;
		c->method = arena_strdup(c->arena, method);
		c->stage = CALL_BODY;
		return c->method ? MHD_YES : MHD_NO;
	}
	if (c->stage == CALL_BODY) {
		if (*upload_n == 0)
			return on_whole(c);
		if (c->body_buf.n + *upload_n > SANDBOX_BODY_MAX)
			c->body_too_large = true;
		else
			strbuf_add(&c->body_buf, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	return proceed(c);
}

/* Called with the request line's target before libmicrohttpd decodes it. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *conn)
{
	(void)conn;
	return call_new(cls, target);
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **req_cls,
			 enum MHD_RequestTerminationCode code)
{
	(void)conn, (void)code;
	struct sandbox *sb = cls;
	struct call *c = *req_cls;
	if (!c)
		return;
	finish_work(c);
	if (c->standin && c->method)
		requests_add(sb->requests, c);
	call_free(c);
	*req_cls = NULL;
}

static bool listen_address(const struct sandbox_options *options, struct sockaddr_in *ret,
			   struct err *err)
{
	*ret = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(options->port) };
	if (inet_pton(AF_INET, options->bind_address, &ret->sin_addr) != 1)
		return err_set(err, ERR_INPUT, "%s is no IPv4 address", options->bind_address);
	return true;
}

bool server_start(struct sandbox *sb, struct server **ret, struct err *err)
{
	struct sockaddr_in address;
	if (!listen_address(&sb->options, &address, err))
		return false;
	struct server *server = mem_alloc(sizeof(*server));
	if (!server)
		return err_set(err, ERR_MEMORY, "out of memory");
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, sb->options.port, NULL,
		NULL, on_request, sb, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)SERVER_THREADS, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTION_LIMIT, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
		MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)1024, MHD_OPTION_LISTENING_ADDRESS_REUSE,
		(unsigned)1, MHD_OPTION_URI_LOG_CALLBACK, on_target, sb,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, sb, MHD_OPTION_END);
	if (!server->daemon) {
		mem_free(server);
		return err_set(err, ERR_SYSTEM, "cannot listen on %s port %u",
			       sb->options.bind_address, sb->options.port);
	}
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon,
							       MHD_DAEMON_INFO_BIND_PORT);
	sb->port = info ? info->port : sb->options.port;
	*ret = server;
	return true;
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	mem_free(server);
}
