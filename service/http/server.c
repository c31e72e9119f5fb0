/*
 * server.c: libmicrohttpd's callbacks, and the server's start and stop. A request: target seen
 * (request made) → headers (route, token, size judged) → body gathered → handled on this thread, or
 * suspended with the committer or the desk → answered → completed (arena emptied, request back in
 * the pool).
 *
 * Guarantees a bound on connections, header and body size, and on the time a client may take to
 * bring its request. Deliberately has no thread per connection and no TLS: a reverse proxy stands
 * before it.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "framing.h"
#include "router.h"
#include "server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define CONNECTION_MEMORY ((size_t)32 * 1024) /* bounds the headers: 431 beyond */
#define ARENA_BYTES ((size_t)4 * 1024 * 1024) /* beside the body */
#define DRAIN_MS 2000 /* for last bytes, once all is answered */
#define WATCH_MS 1000
#define BODY_PATIENCE 4 /* of a body that is too large, so much is read before the line is cut */

/* One TCP connection. */
struct link {
	struct link *next, **prev;
	int fd;
	int64_t since_ms; /* monotonic; since when a request is awaited; 0: one is in work */
};

/* --- requests --- */

static struct request *request_from_pool(struct http_server *s)
{
	pthread_mutex_lock(&s->pool_lock);
	struct request *rq = s->pool;
	if (rq) {
		s->pool = rq->next;
		s->n_pool--;
	}
	pthread_mutex_unlock(&s->pool_lock);
	return rq;
}

static struct request *request_new(struct http_server *s)
{
	struct request *rq = request_from_pool(s);
	struct arena *arena = rq ? rq->arena : NULL;
	if (!rq) {
		rq = mem_alloc(sizeof(*rq));
		arena = rq ? arena_new(ARENA_BYTES + s->opt.cfg->max_body_bytes) : NULL;
		if (!arena) {
			mem_free(rq);
			return NULL;
		}
	}
	*rq = (struct request) { .magic = REQUEST_MAGIC, .server = s, .opt = &s->opt };
	rq->arena = arena;
	snprintf(rq->id, sizeof(rq->id), "%08" PRIx32 "-%lx", s->request_base,
		 atomic_fetch_add(&s->request_no, 1));
	atomic_fetch_add(&s->n_active, 1);
	return rq;
}

static void request_destroy(struct request *rq)
{
	arena_free(rq->arena);
	rq->magic = 0;
	mem_free(rq);
}

static void request_done(struct request *rq)
{
	struct http_server *s = rq->server;
	bool large = arena_used(rq->arena) > 64 * 1024;
	arena_clear(rq->arena);
	pthread_mutex_lock(&s->pool_lock);
	bool keep = !large && s->n_pool < REQUEST_POOL_MAX;
	if (keep) {
		rq->next = s->pool;
		s->pool = rq;
		s->n_pool++;
	}
	pthread_mutex_unlock(&s->pool_lock);
	if (!keep)
		request_destroy(rq);
	atomic_fetch_sub(&s->n_active, 1);
}

/* --- connections, and the watch over slow clients --- */

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;
	struct link *l = *socket_context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
			mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		l = info ? mem_alloc(sizeof(*l)) : NULL;
		*socket_context = l;
		if (!l)
			return;
		int one = 1;
		/* Best effort: answers are written whole. */
		(void)setsockopt(info->connect_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		l->fd = info->connect_fd;
		l->since_ms = clock_mono_ms();
		pthread_mutex_lock(&s->links_lock);
		l->next = s->links;
		l->prev = &s->links;
		if (l->next)
			l->next->prev = &l->next;
		s->links = l;
		pthread_mutex_unlock(&s->links_lock);
	} else if (l) {
		pthread_mutex_lock(&s->links_lock);
		*l->prev = l->next;
		if (l->next)
			l->next->prev = l->prev;
		pthread_mutex_unlock(&s->links_lock);
		mem_free(l);
		*socket_context = NULL;
	}
}

static void set_since(struct MHD_Connection *mhd, int64_t since_ms)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct link *l = info ? info->socket_context : NULL;
	if (l)
		__atomic_store_n(&l->since_ms, since_ms, __ATOMIC_RELAXED);
}

/*
 * libmicrohttpd's time-out is for silence; a client that drips one byte a second is never silent.
 * From one request's end to the next one's whole arrival a client has twice that time.
 */
static void cut_slow_clients(struct http_server *s)
{
	int64_t oldest = clock_mono_ms() - 2 * s->opt.cfg->http_timeout_ms;
	pthread_mutex_lock(&s->links_lock);
	for (struct link *l = s->links; l; l = l->next) {
		int64_t since = __atomic_load_n(&l->since_ms, __ATOMIC_RELAXED);
		if (since && since < oldest)
			shutdown(l->fd, SHUT_RDWR); /* its thread sees the end and closes */
	}
	pthread_mutex_unlock(&s->links_lock);
}

static void *run_watch(void *arg)
{
	struct http_server *s = arg;
	pthread_mutex_lock(&s->pool_lock);
	while (!s->watch_stopping) {
		struct timespec until = clock_deadline(WATCH_MS);
		pthread_cond_timedwait(&s->watch_wake, &s->pool_lock, &until);
		pthread_mutex_unlock(&s->pool_lock);
		cut_slow_clients(s);
		pthread_mutex_lock(&s->pool_lock);
	}
	pthread_mutex_unlock(&s->pool_lock);
	return NULL;
}

/* --- answering --- */

static void count_answer(struct request *rq)
{
	size_t route = rq->route ? (size_t)(rq->route - routes) : HTTP_MAX_ROUTES;
	int hundred = rq->answer.status / 100;
	atomic_fetch_add_explicit(&rq->server->answered[route][hundred < 6 ? hundred : 0], 1,
				  memory_order_relaxed);
}

static enum MHD_Result answer(struct request *rq)
{
	struct answer *a = &rq->answer;
	assert(a->status);
	/* The arena outlives the response; libmicrohttpd does not write to the buffer, its type
	 * only lacks a const. */
	struct MHD_Response *r = MHD_create_response_from_buffer(
		a->body.n, (void *)(uintptr_t)a->body.p, MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	bool ok = !a->content_type ||
		  MHD_add_response_header(r, "Content-Type", a->content_type) == MHD_YES;
	for (size_t i = 0; ok && i < a->n_headers; i++)
		ok = MHD_add_response_header(r, a->headers[i].name, a->headers[i].value) == MHD_YES;
	if (ok &&
	    (rq->is_last || atomic_load_explicit(&rq->server->draining, memory_order_relaxed)))
		ok = MHD_add_response_header(r, "Connection", "close") == MHD_YES;
	rq->stage = REQUEST_ANSWERED;
	count_answer(rq);
	enum MHD_Result rc = ok ? MHD_queue_response(rq->mhd, (unsigned)a->status, r) : MHD_NO;
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result refuse(struct request *rq, const struct err *why)
{
	respond_err(rq, why);
	return answer(rq);
}

static bool is_draining(struct request *rq, struct err *err)
{
	if (!atomic_load(&rq->server->draining))
		return false;
	problem(err, ERR_OUTAGE, "unavailable", "", "the service is stopping");
	return true;
}

/* --- headers --- */

static bool find_route(struct request *rq, bool has_method, struct err *err)
{
	struct span path = { rq->target, strcspn(rq->target, "?") };
	const char *allow = "";
	switch (router_match(routes, n_routes, rq->arena, has_method, rq->method, path, &rq->route,
			     rq->args, &allow)) {
	case ROUTER_FOUND:
		return true;
	case ROUTER_METHOD:
		respond_header(rq, "Allow", allow);
		return problem(err, ERR_INPUT, "method_not_allowed", "", "allowed: %s", allow);
	case ROUTER_MALFORMED:
		return problem(err, ERR_INPUT, "malformed_request", "", "malformed path");
	case ROUTER_UNKNOWN:
		break;
	}
	return problem(err, ERR_NOT_FOUND, "not_found", "", "no such route");
}

static bool check_length(struct request *rq, struct err *err)
{
	const char *text = request_header(rq, "Content-Length");
	if (!text)
		return true;
	uint64_t n = 0; /* libmicrohttpd has checked that it is a number */
	for (const char *p = text; *p >= '0' && *p <= '9' && n < UINT64_MAX / 16; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	size_t max = rq->opt->cfg->max_body_bytes;
	if (n > max)
		return problem(err, ERR_LIMIT, "body_too_large", "", "at most %zu bytes", max);
	rq->body_cap = (size_t)n;
	rq->body_p = n ? arena_alloc(rq->arena, (size_t)n + 1) : NULL;
	if (n && !rq->body_p)
		return err_set(err, ERR_MEMORY, "out of memory");
	return true;
}

static bool judge_headers(struct request *rq, const char *method, const char *version,
			  struct err *err)
{
	rq->is_last = !framing_check(rq, version, err);
	if (rq->is_last)
		return false;
	rq->method_text = arena_strdup(rq->arena, method);
	if (!rq->method_text || !rq->target)
		return err_set(err, ERR_LIMIT, "target too long");
	bool has_method = http_method_parse(method, &rq->method);
	return find_route(rq, has_method, err) && auth_check(rq, err) &&
	       request_read_query(rq, err) && check_length(rq, err);
}

static enum MHD_Result on_headers(struct request *rq, const char *method, const char *version)
{
	struct err err = ERR_INIT;
	rq->stage = REQUEST_BODY;
	if (judge_headers(rq, method, version, &err))
		return MHD_YES;
	respond_err(rq, &err);
	/* At once, before a body is sent; libmicrohttpd then closes the line if one is on its way.
	 */
	return answer(rq);
}

/* --- body --- */

static enum MHD_Result on_body(struct request *rq, const char *data, size_t *size)
{
	size_t n = *size, max = rq->opt->cfg->max_body_bytes;
	*size = 0;
	if (rq->body_n + n > max) {
		rq->body_too_large = true;
		rq->body_n += n;
		return rq->body_n > BODY_PATIENCE * max ? MHD_NO : MHD_YES;
	}
	if (rq->body_n + n > rq->body_cap) { /* chunked */
		size_t cap = rq->body_cap ? rq->body_cap * 2 : 4096;
		while (cap < rq->body_n + n)
			cap *= 2;
		char *p = arena_alloc(rq->arena, cap + 1);
		if (!p)
			return MHD_NO;
		if (rq->body_n)
			memcpy(p, rq->body_p, rq->body_n);
		rq->body_p = p;
		rq->body_cap = cap;
	}
	memcpy(rq->body_p + rq->body_n, data, n);
	rq->body_n += n;
	return MHD_YES;
}

/* The whole request is here. */
static enum MHD_Result on_whole(struct request *rq)
{
	struct err err = ERR_INIT;
	set_since(rq->mhd, 0);
	if (rq->body_too_large) {
		problem(&err, ERR_LIMIT, "body_too_large", "", "at most %zu bytes",
			rq->opt->cfg->max_body_bytes);
		return refuse(rq, &err);
	}
	if (rq->route->place == PLACE_INLINE) {
		if (!rq->route->handler(rq, &err))
			return refuse(rq, &err);
		if (rq->answer.status)
			return answer(rq);
		rq->stage = REQUEST_AWAY; /* a webhook to be committed */
		committer_push(rq->server->committer, &rq->commit);
		return MHD_YES;
	}
	rq->stage = REQUEST_AWAY;
	if (!is_draining(rq, &err) && desk_push(rq->server->desk, rq))
		return MHD_YES;
	problem(&err, ERR_OUTAGE, "unavailable", "", "the service is stopping");
	return refuse(rq, &err);
}

/* --- libmicrohttpd's callbacks --- */

/* The request line's target, byte for byte, before libmicrohttpd decodes it. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct loop *loop = cls;
	struct request *rq = request_new(loop_ctx(loop));
	if (!rq)
		return NULL;
	rq->loop = loop;
	rq->mhd = mhd;
	rq->target = arena_strdup(rq->arena, target);
	return rq;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_n, void **req_cls)
{
	(void)cls, (void)mhd, (void)url; /* on_target has the target */
	struct request *rq = *req_cls;
	if (!rq)
		return MHD_NO;
	assert(rq->magic == REQUEST_MAGIC);
	switch (rq->stage) {
	case REQUEST_HEADERS:
		return on_headers(rq, method, version);
	case REQUEST_BODY:
		return *upload_n ? on_body(rq, upload, upload_n) : on_whole(rq);
	case REQUEST_AWAY:
		return answer(rq);
	case REQUEST_ANSWERED:
		break;
	}
	*upload_n = 0; /* the rest of a refused body */
	return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **req_cls,
			 enum MHD_RequestTerminationCode code)
{
	(void)cls, (void)code;
	struct request *rq = *req_cls;
	set_since(mhd, clock_mono_ms());
	*req_cls = NULL;
	if (!rq)
		return;
	assert(rq->magic == REQUEST_MAGIC);
	enum log_level level = rq->answer.status >= 500 ? LOG_WARN : LOG_DEBUG;
	if (log_is_on(level))
		log_event(level, "http_request", LOG_S("request", rq->id),
			  LOG_S("client", request_client(rq)), LOG_S("method", rq->method_text),
			  LOG_S("route", rq->route ? rq->route->path : ""),
			  LOG_I("status", rq->answer.status));
	request_done(rq);
}

PRINTF_LIKE(2, 0)
static void on_mhd_log(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	if (!log_is_on(LOG_DEBUG))
		return;
	char text[256];
	vsnprintf(text, sizeof(text), fmt, ap);
	log_event(LOG_DEBUG, "http_library", LOG_S("text", text));
}

/* --- committer --- */

static bool commit_batch(void *ctx, const struct queue_item *items, size_t n,
			 struct queue_receipt *ret, struct err *err)
{
	struct http_server *s = ctx;
	if (!queue_intake(s->opt.queue, items, n, ret, err)) {
		metrics_add(s->opt.metrics, METRIC_REDIS_AWAY, "intake", "", 1);
		return false;
	}
	metrics_add(s->opt.metrics, METRIC_COMMITS, "", "", 1);
	metrics_add(s->opt.metrics, METRIC_COMMITTED, "", "", n);
	return true;
}

static void commit_done(void *ctx, struct commit *c, const struct err *why)
{
	(void)ctx;
	intake_answer(c->owner, why);
}

/* --- life --- */

static unsigned n_threads(const struct config *cfg)
{
	return cfg->http_threads > 1 ? (unsigned)cfg->http_threads : 1;
}

static struct MHD_Daemon *start_daemon(void *ctx, struct loop *loop, int listen_fd)
{
	struct http_server *s = ctx;
	const struct config *cfg = s->opt.cfg;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	unsigned idle_s = (unsigned)((cfg->http_timeout_ms + 999) / 1000);
	unsigned share = ((unsigned)cfg->max_connections + n_threads(cfg) - 1) / n_threads(cfg);
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT, share,
		MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CONNECTION_MEMORY, MHD_OPTION_URI_LOG_CALLBACK, on_target, loop,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static bool start_loops(struct http_server *s, struct err *err)
{
	const struct loops_options loops = { .address = s->opt.cfg->listen,
					     .port = s->opt.cfg->port,
					     .threads = n_threads(s->opt.cfg),
					     .start = start_daemon,
					     .ctx = s };
	return loops_new(&loops, &s->loops, err);
}

static void commit_begin(void *ctx)
{
	const struct http_server *s = ctx;
	queue_reserve(s->opt.queue);
}

static void commit_end(void *ctx)
{
	const struct http_server *s = ctx;
	queue_unreserve(s->opt.queue);
}

static bool start_parts(struct http_server *s, struct err *err)
{
	const struct committer_options commit = {
		.batch_max = (size_t)s->opt.cfg->batch_max,
		.intake = commit_batch,
		.done = commit_done,
		.begin = commit_begin,
		.end = commit_end,
		.ctx = s,
	};
	s->keys = key_cache_new();
	if (!s->keys)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *proxies = s->opt.cfg->trusted_proxies;
	if (!trusted_new(proxies ? proxies : "", &s->trusted, err))
		return false;
	if (!committer_new(&commit, &s->committer, err) || !desk_new(&s->opt, &s->desk, err))
		return false;
	int rc = pthread_create(&s->watch, NULL, run_watch, s);
	if (rc)
		return err_errno(err, ERR_SYSTEM, rc, "cannot start the watch");
	s->watch_started = true;
	return start_loops(s, err);
}

bool http_server_new(const struct http_server_options *opt, struct http_server **ret,
		     struct err *err)
{
	assert(n_routes <= HTTP_MAX_ROUTES);
	struct http_server *s = mem_alloc(sizeof(*s));
	if (!s)
		return err_set(err, ERR_MEMORY, "out of memory");
	s->opt = *opt;
	if (!s->opt.metrics)
		s->opt.metrics = s->own_metrics = metrics_new(); /* NULL: not counted */
	sign_random(&s->request_base, sizeof(s->request_base));
	pthread_mutex_init(&s->pool_lock, NULL);
	pthread_mutex_init(&s->links_lock, NULL);
	clock_cond_init(&s->watch_wake);
	if (!start_parts(s, err)) {
		http_server_free(s);
		return false;
	}
	*ret = s;
	return true;
}

unsigned http_server_port(const struct http_server *s)
{
	return loops_port(s->loops);
}

static void stop_watch(struct http_server *s)
{
	if (!s->watch_started)
		return;
	pthread_mutex_lock(&s->pool_lock);
	s->watch_stopping = true;
	pthread_cond_signal(&s->watch_wake);
	pthread_mutex_unlock(&s->pool_lock);
	pthread_join(s->watch, NULL);
	s->watch_started = false;
}

void http_server_stop(struct http_server *s)
{
	if (atomic_exchange(&s->stopped, true))
		return;
	atomic_store(&s->draining, true);
	if (s->loops)
		loops_quiesce(s->loops);
	committer_stop(s->committer);
	desk_stop(s->desk);
	int64_t until = clock_mono_ms() + DRAIN_MS;
	while (atomic_load(&s->n_active) > 0 && clock_mono_ms() < until)
		clock_sleep_ms(5);
	loops_free(s->loops);
	s->loops = NULL;
	stop_watch(s);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_server_stop(s);
	desk_free(s->desk);
	committer_free(s->committer);
	key_cache_free(s->keys);
	trusted_free(s->trusted);
	metrics_free(s->own_metrics);
	while (s->pool) {
		struct request *rq = s->pool;
		s->pool = rq->next;
		request_destroy(rq);
	}
	pthread_cond_destroy(&s->watch_wake);
	pthread_mutex_destroy(&s->links_lock);
	pthread_mutex_destroy(&s->pool_lock);
	mem_free(s);
}
