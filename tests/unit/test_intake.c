/*
 * test_intake.c: signatures of webhooks, the router, languages; and the committer under load with a
 * real libmicrohttpd: every suspended connection is resumed, whatever the threads do (DESIGN §8).
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/sign.h"
#include "http/committer.h"
#include "http/loop.h"
#include "http/router.h"
#include "http/webhook.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <cmocka.h>

#define NOW 1760000000
#define SECRET "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" /* 0123..01 */
#define SECRET_BYTES "01234567890123456789012345678901"
#define OTHER "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="

/* Made by the openssl program: an Ed25519 public key, and its signature of "m.1760000000.{}". */
#define PUBLIC "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
#define SIGNED                                                                 \
	"3YQEm3i59ksrbWmvKj9jSU5MIdympiOeTXgfICr2mA+PganViCG4uyRjkBstuRawbqBi" \
	"PNfHa/YlHP8TVTBODg=="

static const char *sign_v1(struct arena *arena, const char *id, const char *ts, const char *body)
{
	unsigned char mac[SHA256_BYTES];
	char *text = arena_printf(arena, "%s.%s.%s", id, ts, body);
	assert_true(sign_hmac_sha256(SPAN_LIT(SECRET_BYTES), span_of(text), mac));
	char *b64 = sign_base64(arena, (struct span) { (const char *)mac, sizeof(mac) });
	return arena_printf(arena, "v1,%s", b64);
}

static struct webhook_headers headers(const char *id, const char *ts, const char *sig)
{
	return (struct webhook_headers) { span_of(id), span_of(ts), span_of(sig) };
}

static void test_v1_signature(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const char *body = "{\"type\":\"invoice.changed\"}", *ts = "1760000000";
	const char *good = sign_v1(arena, "msg_1", ts, body);
	struct webhook_keys keys = { .n = 0 };
	assert_true(webhook_keys_add(&keys, SPAN_LIT(OTHER)));
	assert_true(webhook_keys_add(&keys, SPAN_LIT(SECRET)));
	const struct {
		const char *id, *ts, *sig;
		int64_t now;
		enum webhook_verdict want;
	} cases[] = {
		{ "msg_1", ts, good, NOW, WEBHOOK_GOOD },
		{ "msg_1", ts, good, NOW + 300, WEBHOOK_GOOD },
		{ "msg_1", ts, good, NOW + 301, WEBHOOK_LATE },
		{ "msg_1", ts, good, NOW - 301, WEBHOOK_LATE },
		{ "msg_2", ts, good, NOW, WEBHOOK_FORGED },
		{ NULL, ts, good, NOW, WEBHOOK_UNSIGNED },
		{ "", ts, good, NOW, WEBHOOK_UNSIGNED },
		{ "msg 1", ts, good, NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", NULL, good, NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", "-1", good, NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", "1760000000.5", good, NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", "999999999999999999999", good, NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", ts, NULL, NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", ts, "", NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", ts, "   ", NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", ts, "v2,abcd", NOW, WEBHOOK_UNSIGNED },
		{ "msg_1", ts, "v1,", NOW, WEBHOOK_FORGED },
		{ "msg_1", ts, "v1,!!!!", NOW, WEBHOOK_FORGED },
		{ "msg_1", ts, "v1a,AAAA", NOW, WEBHOOK_FORGED },
		{ "msg_1", ts, arena_printf(arena, "v1,AAAA v2,x %s", good), NOW, WEBHOOK_GOOD },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct webhook_headers h = headers(cases[i].id, cases[i].ts, cases[i].sig);
		assert_int_equal(webhook_verify(arena, &keys, &h, span_of(body), cases[i].now),
				 cases[i].want);
	}
	struct webhook_headers h = headers("msg_1", ts, good);
	assert_int_equal(webhook_verify(arena, &keys, &h, SPAN_LIT("{}"), NOW), WEBHOOK_FORGED);
	struct webhook_keys none = { .n = 0 };
	assert_int_equal(webhook_verify(arena, &none, &h, span_of(body), NOW), WEBHOOK_FORGED);
}

/* Beyond so many signatures nothing is looked at: the work of one request is bounded. */
static void test_signature_flood(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct strbuf sb = STRBUF_INIT(arena, 4096);
	struct webhook_keys keys = { .n = 0 };
	struct err err = ERR_INIT;
	const char *flood = NULL;
	assert_true(webhook_keys_add(&keys, SPAN_LIT(SECRET)));
	for (int i = 0; i < WEBHOOK_MAX_SIGNATURES; i++)
		strbuf_addstr(&sb, "v1,AAAA ");
	strbuf_addstr(&sb, sign_v1(arena, "m", "1760000000", "{}"));
	assert_true(strbuf_finish(&sb, &flood, &err));
	struct webhook_headers h = headers("m", "1760000000", flood);
	assert_int_equal(webhook_verify(arena, &keys, &h, SPAN_LIT("{}"), NOW), WEBHOOK_FORGED);
}

static void test_v1a_signature(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct webhook_keys keys = { .n = 0 };
	assert_true(webhook_keys_add(&keys, SPAN_LIT(PUBLIC)));
	struct webhook_headers h = headers("m", "1760000000", "v1,AAAA v1a," SIGNED);
	assert_int_equal(webhook_verify(arena, &keys, &h, SPAN_LIT("{}"), NOW), WEBHOOK_GOOD);
	assert_int_equal(webhook_verify(arena, &keys, &h, SPAN_LIT("{ }"), NOW), WEBHOOK_FORGED);
}

static void test_secrets_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
					   "secret",
					   "whsec_",
					   "whsec_AAAA",
					   "whsec_####",
					   "whpk_AAAA",
					   "WHSEC_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" };
	struct webhook_keys keys = { .n = 0 };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(webhook_keys_add(&keys, span_of(bad[i])));
	for (size_t i = 0; i < CONNECTION_MAX_SECRETS; i++)
		assert_true(webhook_keys_add(&keys, SPAN_LIT(SECRET)));
	assert_false(webhook_keys_add(&keys, SPAN_LIT(SECRET)));
}

/* --- router --- */

static bool nothing(struct request *rq, struct err *err)
{
	(void)rq, (void)err;
	return true;
}

static void test_router(void **state)
{
	(void)state;
	static const struct route table[] = {
		{ .method = HTTP_GET, .path = "/a", .handler = nothing },
		{ .method = HTTP_POST, .path = "/a", .handler = nothing },
		{ .method = HTTP_POST, .path = "/a/all", .handler = nothing },
		{ .method = HTTP_GET, .path = "/a/{id}", .handler = nothing },
		{ .method = HTTP_POST, .path = "/a/{id}/b/{k}", .handler = nothing },
	};
	static const struct {
		enum http_method method;
		const char *path;
		enum router_verdict want;
		int row;
		const char *arg0, *arg1, *allow;
	} cases[] = {
		{ HTTP_GET, "/a", ROUTER_FOUND, 0, NULL, NULL, NULL },
		{ HTTP_POST, "/a", ROUTER_FOUND, 1, NULL, NULL, NULL },
		{ HTTP_POST, "/a/all", ROUTER_FOUND, 2, NULL, NULL, NULL },
		{ HTTP_GET, "/a/x%20%C3%A4", ROUTER_FOUND, 3, "x ä", NULL, NULL },
		{ HTTP_POST, "/a/1/b/2", ROUTER_FOUND, 4, "1", "2", NULL },
		{ HTTP_DELETE, "/a", ROUTER_METHOD, 0, NULL, NULL, "GET, POST" },
		{ HTTP_GET, "/a/1/b/2", ROUTER_METHOD, 0, NULL, NULL, "POST" },
		{ HTTP_GET, "", ROUTER_UNKNOWN, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/", ROUTER_UNKNOWN, 0, NULL, NULL, NULL },
		{ HTTP_GET, "a", ROUTER_UNKNOWN, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/a/", ROUTER_UNKNOWN, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/a/1/", ROUTER_UNKNOWN, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/A", ROUTER_UNKNOWN, 0, NULL, NULL, NULL },
		{ HTTP_GET, "//a", ROUTER_UNKNOWN, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/a/%", ROUTER_MALFORMED, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/a/%4", ROUTER_MALFORMED, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/a/%zz", ROUTER_MALFORMED, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/a/%00", ROUTER_MALFORMED, 0, NULL, NULL, NULL },
		{ HTTP_GET, "/a/%ff", ROUTER_MALFORMED, 0, NULL, NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
		const struct route *found = NULL;
		const char *args[REQUEST_MAX_ARGS] = { NULL }, *allow = NULL;
		assert_int_equal(router_match(table, ARRAY_SIZE(table), arena, true,
					      cases[i].method, span_of(cases[i].path), &found, args,
					      &allow),
				 cases[i].want);
		if (cases[i].want == ROUTER_FOUND)
			assert_ptr_equal(found, &table[cases[i].row]);
		if (cases[i].arg0)
			assert_string_equal(args[0], cases[i].arg0);
		if (cases[i].arg1)
			assert_string_equal(args[1], cases[i].arg1);
		if (cases[i].allow)
			assert_string_equal(allow, cases[i].allow);
	}
}

/* --- suspend and resume under load --- */

#define CLIENTS 128
#define PER_CLIENT 100

struct load_server {
	struct loops *loops;
	struct committer *committer;
	atomic_int intakes, fail_every;
	atomic_int done, refused;
};
struct load_request {
	struct loop *loop;
	bool away, started;
	int status;
	struct commit commit;
};

static bool load_intake(void *ctx, const struct queue_item *items, size_t n,
			struct queue_receipt *ret, struct err *err)
{
	struct load_server *s = ctx;
	int no = atomic_fetch_add(&s->intakes, 1);
	for (size_t i = 0; i < n; i++) {
		ret[i].what = INTAKE_NEW;
		snprintf(ret[i].id, sizeof(ret[i].id), "%s", items[i].source_id);
	}
	if (s->fail_every && no % s->fail_every == 0)
		return err_set(err, ERR_OUTAGE, "away");
	return true;
}

static void load_done(void *ctx, struct commit *c, const struct err *why)
{
	struct load_server *s = ctx;
	struct load_request *rq = c->owner;
	rq->status = why ? 503 : 202;
	atomic_fetch_add(why ? &s->refused : &s->done, 1);
}

static void *load_target(void *cls, const char *target, struct MHD_Connection *conn)
{
	(void)target, (void)conn;
	struct load_request *rq = mem_alloc(sizeof(*rq));
	if (rq)
		rq->loop = cls;
	return rq;
}

static enum MHD_Result load_request(void *cls, struct MHD_Connection *conn, const char *url,
				    const char *method, const char *version, const char *upload,
				    size_t *upload_n, void **req_cls)
{
	(void)url, (void)method, (void)version, (void)upload;
	struct load_server *s = cls;
	struct load_request *rq = *req_cls;
	if (!rq)
		return MHD_NO;
	if (!rq->started) {
		rq->started = true;
		return MHD_YES;
	}
	if (*upload_n) {
		*upload_n = 0;
		return MHD_YES;
	}
	if (!rq->away) {
		rq->away = true;
		rq->commit.loop = rq->loop;
		rq->commit.mhd = conn;
		rq->commit.owner = rq;
		rq->commit.item.source_id = "1";
		committer_push(s->committer, &rq->commit);
		return MHD_YES;
	}
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result rc = MHD_queue_response(conn, (unsigned)rq->status, r);
	MHD_destroy_response(r);
	return rc;
}

static void load_completed(void *cls, struct MHD_Connection *conn, void **req_cls,
			   enum MHD_RequestTerminationCode code)
{
	(void)cls, (void)conn, (void)code;
	mem_free(*req_cls);
}

struct load_client {
	uint16_t port;
	int answers;
};

/* Requests one after the other on one connection; a stall is a time-out of the socket. */
static void *load_client(void *arg)
{
	struct load_client *c = arg;
	static const char rq[] = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(c->port) };
	struct timeval limit = { .tv_sec = 20 };
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
		for (int i = 0; i < PER_CLIENT; i++) {
			char buf[1024];
			size_t n = 0;
			if (send(fd, rq, sizeof(rq) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(rq) - 1)
				break;
			ssize_t got = 1;
			while (got > 0 && n < sizeof(buf) && !memmem(buf, n, "\r\n\r\n", 4)) {
				got = recv(fd, buf + n, sizeof(buf) - n, 0);
				n += got > 0 ? (size_t)got : 0;
			}
			if (got <= 0)
				break;
			c->answers++;
		}
	}
	close(fd);
	return NULL;
}

static struct MHD_Daemon *load_daemon(void *ctx, struct loop *loop, int listen_fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
				load_request, ctx, MHD_OPTION_LISTEN_SOCKET, listen_fd,
				MHD_OPTION_URI_LOG_CALLBACK, load_target, loop,
				MHD_OPTION_NOTIFY_COMPLETED, load_completed, NULL, MHD_OPTION_END);
}

static void load_start(struct load_server *s, unsigned threads, size_t batch_max)
{
	struct err err = ERR_INIT;
	const struct committer_options commit = {
		.batch_max = batch_max, .intake = load_intake, .done = load_done, .ctx = s
	};
	const struct loops_options loops = {
		.address = "127.0.0.1", .threads = threads, .start = load_daemon, .ctx = s
	};
	assert_true(committer_new(&commit, &s->committer, &err));
	assert_true(loops_new(&loops, &s->loops, &err));
}

static void load_stop(struct load_server *s)
{
	committer_stop(s->committer);
	loops_free(s->loops);
	committer_free(s->committer);
}

static void start_clients(const struct load_server *s, pthread_t *thread,
			  struct load_client *client)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		client[i] = (struct load_client) { .port = (uint16_t)loops_port(s->loops) };
		assert_int_equal(pthread_create(&thread[i], NULL, load_client, &client[i]), 0);
	}
}

static void await_clients(const pthread_t *thread, const struct load_client *client)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(client[i].answers, PER_CLIENT);
	}
}

static void run_load(unsigned threads, size_t batch_max, int fail_every)
{
	struct load_server s = { .fail_every = fail_every };
	pthread_t thread[CLIENTS];
	struct load_client client[CLIENTS];
	load_start(&s, threads, batch_max);
	start_clients(&s, thread, client);
	await_clients(thread, client);
	load_stop(&s);
	assert_int_equal(s.done + s.refused, CLIENTS * PER_CLIENT);
	if (fail_every)
		assert_true(s.refused > 0);
	else
		assert_int_equal(s.refused, 0);
}

static void test_no_resume_is_lost(void **state)
{
	(void)state;
	run_load(1, 8, 0);
	run_load(1, QUEUE_BATCH_MAX, 0);
	run_load(2, 8, 0);
	run_load(2, QUEUE_BATCH_MAX, 0);
}

static void test_outage_is_never_a_yes(void **state)
{
	(void)state;
	run_load(2, 8, 7);
}

/* Stopped while clients push: each gets an answer, the later ones a refusal. */
static void test_stop_answers_all(void **state)
{
	(void)state;
	struct load_server s = { .fail_every = 0 };
	pthread_t thread[CLIENTS];
	struct load_client client[CLIENTS];
	load_start(&s, 1, 4);
	start_clients(&s, thread, client);
	while (atomic_load(&s.done) < 100)
		clock_sleep_ms(1);
	committer_stop(s.committer);
	await_clients(thread, client);
	load_stop(&s);
}

/* --- exactly as many ready connections as libmicrohttpd asks epoll for --- */

#define READY 128

struct held {
	atomic_bool entered, let_go;
};

static enum MHD_Result held_request(void *cls, struct MHD_Connection *conn, const char *url,
				    const char *method, const char *version, const char *upload,
				    size_t *upload_n, void **req_cls)
{
	(void)method, (void)version, (void)upload, (void)upload_n;
	struct held *held = cls;
	if (!*req_cls) {
		*req_cls = held;
		return MHD_YES;
	}
	if (strcmp(url, "/hold") == 0) {
		atomic_store(&held->entered, true);
		while (!atomic_load(&held->let_go))
			clock_sleep_ms(1);
	}
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result rc = MHD_queue_response(conn, 200, r);
	MHD_destroy_response(r);
	return rc;
}

static struct MHD_Daemon *held_daemon(void *ctx, struct loop *loop, int listen_fd)
{
	(void)loop;
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
				held_request, ctx, MHD_OPTION_LISTEN_SOCKET, listen_fd,
				MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
}

static int held_connect(unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval limit = { .tv_sec = 10 };
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void held_ask(int fd, const char *path)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

static void held_answered(int fd)
{
	char buf[1024];
	size_t n = 0;
	while (!memmem(buf, n, "\r\n\r\n", 4)) {
		ssize_t got = recv(fd, buf + n, sizeof(buf) - n, 0);
		assert_true(got > 0); /* else: time-out */
		n += (size_t)got;
	}
}

static void test_a_full_round_of_events_is_served(void **state)
{
	(void)state;
	struct held held = { .entered = false };
	struct loops *loops = NULL;
	struct err err = ERR_INIT;
	const struct loops_options opt = {
		.address = "127.0.0.1", .threads = 1, .start = held_daemon, .ctx = &held
	};
	int fd[READY + 1];
	assert_true(loops_new(&opt, &loops, &err));
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = held_connect(loops_port(loops));
		held_ask(fd[i], "/");
		held_answered(fd[i]);
	}
	held_ask(fd[READY], "/hold");
	while (!atomic_load(&held.entered))
		clock_sleep_ms(1);
	for (size_t i = 0; i < READY; i++)
		held_ask(fd[i], "/");
	atomic_store(&held.let_go, true);
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		held_answered(fd[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	loops_free(loops);
}

int main(void)
{
	alloc_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1_signature),
		cmocka_unit_test(test_signature_flood),
		cmocka_unit_test(test_v1a_signature),
		cmocka_unit_test(test_secrets_refused),
		cmocka_unit_test(test_router),
		cmocka_unit_test(test_a_full_round_of_events_is_served),
		cmocka_unit_test(test_no_resume_is_lost),
		cmocka_unit_test(test_outage_is_never_a_yes),
		cmocka_unit_test(test_stop_answers_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
