/*
 * test_http.c: outbound HTTP against a server that cuts, drips, lies and hangs up (raw_server.h).
 * What a client must say of each: how far the request got, and what that leaves open.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/http.h"
#include "raw_server.h"

#define TIMEOUT_MS 3000
#define SHORT_TIMEOUT_MS 150

static const struct http_guard open_guard = { .allow_private = true,
					      .allow_http = true,
					      .connect_timeout_ms = 300,
					      .request_timeout_ms = TIMEOUT_MS };

/* One server, one client, one arena. */
struct bench {
	struct raw_server server;
	struct http_client *client;
	struct arena *arena;
	struct http_reply reply;
	enum http_reach reach;
	struct err err;
};

static void bench_start_guarded(struct bench *b, const struct http_guard *guard,
				const struct raw_step *steps, size_t n_steps)
{
	memset(b, 0, sizeof(*b));
	b->err = (struct err)ERR_INIT;
	assert_true(raw_server_start(&b->server, steps, n_steps));
	assert_true(http_client_new(guard, &b->client, &b->err));
	b->arena = arena_new(8 << 20);
	assert_non_null(b->arena);
}

static void bench_stop(struct bench *b)
{
	http_client_free(b->client);
	raw_server_stop(&b->server);
	arena_free(b->arena);
}

#define BENCH_START(b, ...)                               \
	const struct raw_step steps_[] = { __VA_ARGS__ }; \
	bench_start_guarded((b), &open_guard, steps_, ARRAY_SIZE(steps_))

static bool send_request(struct bench *b, struct http_request rq, const char *path)
{
	char *url = arena_printf(b->arena, "http://127.0.0.1:%d%s", b->server.port, path);
	assert_non_null(url);
	if (!rq.url)
		rq.url = url;
	b->err = (struct err)ERR_INIT;
	struct http_transport *t = http_client_transport(b->client);
	return t->perform(t, b->arena, &rq, &b->reply, &b->reach, &b->err);
}

static bool get(struct bench *b, const char *path)
{
	return send_request(b, (struct http_request) { .method = "GET" }, path);
}

static bool post(struct bench *b, const char *path)
{
	return send_request(b,
			    (struct http_request) { .method = "POST",
						    .body = SPAN_LIT("{\"n\":1}"),
						    .is_write = true },
			    path);
}

#define EXPECT_FAILURE(b, wanted_reach, wanted_code)            \
	do {                                                    \
		assert_int_equal((b)->reach, (wanted_reach));   \
		assert_int_equal((b)->err.code, (wanted_code)); \
		assert_true((b)->err.message[0] != '\0');       \
	} while (0)

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static void a_reply_arrives_whole(void **state)
{
	(void)state;
	struct bench b;
	static const char raw[] = "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
				  "HTTP/1.1 201 Made\r\nContent-Type: text/plain; charset=utf-8\r\n"
				  "X-Empty:\r\nX-Two:  a b \r\nTransfer-Encoding: chunked\r\n\r\n"
				  "3\r\na\0b\r\n2\r\ncd\r\n0\r\nX-Trailer: late\r\n\r\n";
	BENCH_START(&b, { raw, sizeof(raw) - 1, RAW_KEEP });
	assert_true(get(&b, "/"));
	assert_int_equal(b.reach, HTTP_REPLIED);
	assert_int_equal(b.reply.status, 201);
	assert_true(span_eq(b.reply.body, (struct span) { "a\0bcd", 5 }));
	assert_string_equal(b.reply.content_type, "text/plain; charset=utf-8");
	assert_string_equal(http_reply_header(&b.reply, "x-two"), "a b");
	assert_string_equal(http_reply_header(&b.reply, "x-empty"), "");
	assert_null(http_reply_header(&b.reply, "x-interim"));
	assert_null(http_reply_header(&b.reply, "x-trailer"));
	assert_int_equal(b.reply.retry_after_ms, -1);
	assert_in_range(b.reply.elapsed_ms, 0, TIMEOUT_MS);
	bench_stop(&b);
}

static void what_was_signed_is_what_goes_out(void **state)
{
	(void)state;
	struct bench b;
	static const struct http_header headers[] = { { "Authorization", "Bearer a.b" },
						      { "X-Empty", "" } };
	BENCH_START(&b, { OK_EMPTY, 0, RAW_KEEP });
	struct http_request rq = {
		.method = "PATCH", .headers = headers, .n_headers = 2, .body = SPAN_LIT("a\nb")
	};
	assert_true(send_request(&b, rq, "/a/../b%2fc/./?q=%7e'+\"|&x=~"));
	const char *sent = raw_server_request(&b.server, 0);
	assert_ptr_equal(strstr(sent, "PATCH /a/../b%2fc/./?q=%7e'+\"|&x=~ HTTP/1.1\r\n"), sent);
	assert_non_null(strstr(sent, "\r\nAuthorization: Bearer a.b\r\n"));
	assert_non_null(strstr(sent, "\r\nX-Empty:"));
	assert_non_null(strstr(sent, "\r\nContent-Length: 3\r\n"));
	assert_non_null(strstr(sent, "\r\nUser-Agent: Viesti/"));
	assert_null(strstr(sent, "Content-Type"));
	assert_null(strstr(sent, "Expect"));
	assert_string_equal(strstr(sent, "\r\n\r\n"), "\r\n\r\na\nb");

	assert_true(send_request(&b, (struct http_request) { .method = "DELETE" }, "?only=query"));
	sent = raw_server_request(&b.server, 1);
	assert_ptr_equal(strstr(sent, "DELETE /?only=query HTTP/1.1\r\n"), sent);
	assert_null(strstr(sent, "Content-Length"));
	assert_true(send_request(&b, (struct http_request) { .method = "POST" }, ""));
	sent = raw_server_request(&b.server, 2);
	assert_ptr_equal(strstr(sent, "POST / HTTP/1.1\r\n"), sent);
	assert_non_null(strstr(sent, "\r\nContent-Length: 0\r\n"));
	bench_stop(&b);
}

static void every_status_is_a_reply_and_no_redirect_is_followed(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(
		&b, { "HTTP/1.1 204 None\r\n\r\n", 0, RAW_KEEP },
		{ "HTTP/1.1 302 Go\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 0, RAW_KEEP },
		{ "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 0,
		  RAW_KEEP },
		{ "HTTP/1.1 500 Broken\r\nContent-Length: 3\r\n\r\nwhy", 0, RAW_KEEP });
	static const int wanted[] = { 204, 302, 401, 500 };
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_true(post(&b, "/"));
		assert_int_equal(b.reply.status, wanted[i]);
	}
	assert_true(span_is(b.reply.body, "why"));
	assert_int_equal(raw_server_requests(&b.server), 4);
	assert_int_equal(raw_server_connections(&b.server), 1);
	bench_stop(&b);
}

static void retry_after_is_read_in_both_forms(void **state)
{
	(void)state;
	static const struct {
		const char *headers;
		int64_t want;
	} cases[] = {
		{ "Retry-After: 7\r\n", 7000 },
		{ "retry-after: 0\r\n", 0 },
		{ "Retry-After: Sun, 22 Nov 2026 10:00:30 GMT\r\n"
		  "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n",
		  30000 },
		{ "Date: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
		  "Retry-After: Sun, 22 Nov 2026 09:00:00 GMT\r\n",
		  0 },
		{ "Retry-After: 99999999999999999999999\r\n", INT64_C(30) * 86400000 },
		{ "Retry-After: soon\r\n", -1 },
		{ "Retry-After: -5\r\n", -1 },
		{ "Retry-After: 1.5\r\n", -1 },
		{ "Retry-After:\r\n", -1 },
		{ "X-Other: 7\r\n", -1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bench b;
		char raw[300];
		snprintf(raw, sizeof(raw), "HTTP/1.1 429 Slow\r\n%sContent-Length: 0\r\n\r\n",
			 cases[i].headers);
		BENCH_START(&b, { raw, 0, RAW_KEEP });
		assert_true(get(&b, "/"));
		assert_int_equal(b.reply.status, 429);
		if (b.reply.retry_after_ms != cases[i].want)
			fail_msg("%s gave %lld", cases[i].headers,
				 (long long)b.reply.retry_after_ms);
		bench_stop(&b);
	}
}

/* Everything that can go wrong after the request went out. */
static const struct {
	const char *what;
	struct raw_step step;
	enum err_code read_code; /* a write is always in doubt */
} spoiled[] = {
	{ "cut before the first byte", { NULL, 0, RAW_CLOSE }, ERR_OUTAGE },
	{ "reset before the first byte", { NULL, 0, RAW_RESET }, ERR_OUTAGE },
	{ "cut in the status line", { "HTTP/1.1 20", 0, RAW_CLOSE }, ERR_OUTAGE },
	{ "cut in the headers", { "HTTP/1.1 200 OK\r\nConte", 0, RAW_CLOSE }, ERR_OUTAGE },
	{ "content-length lies",
	  { "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", 0, RAW_CLOSE },
	  ERR_OUTAGE },
	{ "content-length is no number",
	  { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi", 0, RAW_CLOSE },
	  ERR_OUTAGE },
	{ "reset in the body",
	  { "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", 0, RAW_RESET },
	  ERR_OUTAGE },
	{ "cut in a chunk",
	  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", 0, RAW_CLOSE },
	  ERR_OUTAGE },
	{ "cut between chunks",
	  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", 0, RAW_CLOSE },
	  ERR_OUTAGE },
	{ "chunk size is garbage",
	  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n", 0, RAW_KEEP },
	  ERR_OUTAGE },
	{ "no HTTP at all", { "SSH-2.0-OpenSSH_9.2\r\n", 0, RAW_CLOSE }, ERR_OUTAGE },
	{ "never answers", { NULL, 0, RAW_HANG }, ERR_OUTAGE },
	{ "never ends",
	  { "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", 0, RAW_HANG },
	  ERR_OUTAGE },
	{ "drips headers", { "HTTP/1.1 200 OK\r\nX-Slow: ", 0, RAW_DRIP }, ERR_OUTAGE },
	{ "drips the body",
	  { "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", 0, RAW_DRIP },
	  ERR_OUTAGE },
	{ "floods the body", { "HTTP/1.1 200 OK\r\n\r\n", 0, RAW_FLOOD }, ERR_LIMIT },
	{ "broken gzip",
	  { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf", 0,
	    RAW_KEEP },
	  ERR_OUTAGE },
};

static void OP_03_a_spoiled_answer_leaves_a_write_in_doubt_and_a_read_undone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spoiled); i++) {
		for (int is_write = 0; is_write <= 1; is_write++) {
			struct bench b;
			BENCH_START(&b, spoiled[i].step);
			struct http_request rq = { .method = "POST",
						   .is_write = is_write,
						   .body = SPAN_LIT("x"),
						   .timeout_ms = SHORT_TIMEOUT_MS,
						   .max_reply_bytes = 1 << 20 };
			int64_t start = clock_mono_ms();
			if (send_request(&b, rq, "/"))
				fail_msg("%s: taken for a reply", spoiled[i].what);
			if (clock_mono_ms() - start > SHORT_TIMEOUT_MS + 1500)
				fail_msg("%s: took too long", spoiled[i].what);
			if (b.err.code != (is_write ? ERR_DOUBT : spoiled[i].read_code))
				fail_msg("%s, write %d: %s: %s", spoiled[i].what, is_write,
					 err_code_name(b.err.code), b.err.message);
			assert_int_equal(b.reach, HTTP_UNKNOWN);
			assert_int_equal(raw_server_requests(&b.server), 1);
			bench_stop(&b);
		}
	}
}

static void headers_are_capped_in_number_and_size(void **state)
{
	(void)state;
	struct bench b;
	static char many[16 << 10], big[100 << 10];
	size_t n = (size_t)snprintf(many, sizeof(many), "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "X-%d: y\r\n", i);
	snprintf(many + n, sizeof(many) - n, "Content-Length: 0\r\n\r\n");
	n = (size_t)snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\nX-Big: ");
	memset(big + n, 'y', 70 << 10);
	snprintf(big + n + (70 << 10), 100, "\r\nContent-Length: 0\r\n\r\n");

	BENCH_START(&b, { many, 0, RAW_KEEP }, { big, 0, RAW_KEEP }, { OK_HI, 0, RAW_KEEP });
	assert_false(get(&b, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_LIMIT);
	assert_false(get(&b, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_LIMIT);
	assert_true(get(&b, "/"));
	bench_stop(&b);
}

static void the_cap_of_a_reply_is_exact(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	struct http_request rq = { .method = "GET", .max_reply_bytes = 2 };
	assert_true(send_request(&b, rq, "/"));
	rq.max_reply_bytes = 1;
	assert_false(send_request(&b, rq, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_LIMIT);
	bench_stop(&b);
}

/* Bits of a deflate stream, least significant first; a Huffman code goes most significant first. */
struct bits {
	unsigned char *p;
	size_t n_bits;
};

static void put_bit(struct bits *b, unsigned bit)
{
	if (b->n_bits % 8 == 0)
		b->p[b->n_bits / 8] = 0;
	b->p[b->n_bits / 8] |= (unsigned char)(bit << b->n_bits % 8);
	b->n_bits++;
}

static void put_code(struct bits *b, unsigned code, int n)
{
	while (n--)
		put_bit(b, code >> n & 1);
}

/* A gzip member with fixed Huffman codes: one 'x', then n_copies times 258 bytes of it (RFC 1951).
 */
static size_t make_gzip_bomb(unsigned char *p, unsigned n_copies)
{
	static const unsigned char head[10] = { 0x1f, 0x8b, 8, [9] = 3 };
	memcpy(p, head, sizeof(head));
	struct bits b = { .p = p + sizeof(head) };
	put_bit(&b, 1); /* last block */
	put_bit(&b, 1); /* fixed codes: 01, low bit first */
	put_bit(&b, 0);
	put_code(&b, 0x30 + 'x', 8); /* a literal */
	for (unsigned i = 0; i < n_copies; i++) {
		put_code(&b, 0xc5, 8); /* length 258 */
		put_code(&b, 0, 5); /* distance 1 */
	}
	put_code(&b, 0, 7); /* end of block */
	size_t n = sizeof(head) + (b.n_bits + 7) / 8;
	memset(p + n, 0, 8); /* checksum and size: nobody gets that far */
	return n + 8;
}

static void a_gzip_bomb_stops_at_the_cap(void **state)
{
	(void)state;
	struct bench b;
	static char raw[64 << 10];
	size_t bomb_n = make_gzip_bomb((unsigned char *)raw + 200, 30000); /* 7.7 MB */
	int head_n = snprintf(raw, 200,
			      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
			      "Content-Length: %zu\r\n\r\n",
			      bomb_n);
	memmove(raw + head_n, raw + 200, bomb_n);
	BENCH_START(&b, { raw, (size_t)head_n + bomb_n, RAW_KEEP });
	struct http_request rq = { .method = "GET", .max_reply_bytes = 1 << 20 };
	assert_false(send_request(&b, rq, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_LIMIT);
	bench_stop(&b);
}

static void gzip_is_asked_for_and_decoded(void **state)
{
	(void)state;
	struct bench b;
	static const char raw[] =
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n"
		"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";
	BENCH_START(&b, { raw, sizeof(raw) - 1, RAW_KEEP });
	assert_true(get(&b, "/"));
	assert_true(span_is(b.reply.body, "hello"));
	assert_non_null(strstr(raw_server_request(&b.server, 0), "\r\nAccept-Encoding: gzip\r\n"));
	bench_stop(&b);
}

static void nothing_splits_a_request(void **state)
{
	(void)state;
	static const struct {
		const char *method, *name, *value, *path;
	} cases[] = {
		{ "GET", "X-A", "b\r\nX-Evil: 1", "/" },
		{ "GET", "X-A", "b\nX-Evil: 1", "/" },
		{ "GET", "X-A", "b\rX-Evil: 1", "/" },
		{ "GET", "X-A", "b\x01", "/" },
		{ "GET", "X-A:\r\nX-Evil", "1", "/" },
		{ "GET", "X A", "1", "/" },
		{ "GET", "", "1", "/" },
		{ "GET", "X-A", NULL, "/" },
		{ "GET", "Content-Length", "9", "/" },
		{ "GET", "transfer-encoding", "chunked", "/" },
		{ "GET", "Host", "elsewhere", "/" },
		{ "GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET", "X-A", "1", "/" },
		{ "get", "X-A", "1", "/" },
		{ "", "X-A", "1", "/" },
		{ "GET", "X-A", "1", "/ HTTP/1.1\r\nX-Evil: 1" },
		{ "GET", "X-A", "1", "/a b" },
		{ "GET", "X-A", "1", "/a#b" },
		{ "GET", "X-A", "1", "/a\\b" },
		{ "GET", "X-A", "1", "/\xc3\xa4" },
	};
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct http_header h = { cases[i].name, cases[i].value };
		struct http_request rq = {
			.method = cases[i].method, .headers = &h, .n_headers = 1, .is_write = true
		};
		if (send_request(&b, rq, cases[i].path))
			fail_msg("case %zu went out", i);
		EXPECT_FAILURE(&b, HTTP_NOT_SENT, ERR_INPUT);
	}
	assert_int_equal(raw_server_requests(&b.server), 0);
	bench_stop(&b);
}

/*
 * The server reads the second request whole and hangs up without a word. curl takes that for an
 * idle connection that had died, and would send the request again.
 */
static void OP_03_a_write_on_a_kept_connection_that_dies_goes_out_once(void **state)
{
	(void)state;
	static const char *const methods[] = { "POST", "PATCH", "PUT", "DELETE" };
	static const enum raw_then ends[] = { RAW_CLOSE, RAW_RESET };
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(ends); k++) {
			struct bench b;
			BENCH_START(&b, { OK_HI, 0, RAW_KEEP }, { NULL, 0, ends[k] },
				    { OK_HI, 0, RAW_KEEP });
			assert_true(get(&b, "/"));
			struct http_request rq = { .method = methods[i], .is_write = true };
			if (i < 2)
				rq.body = SPAN_LIT("pay 100 EUR");
			assert_false(send_request(&b, rq, "/pay"));
			EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_DOUBT);
			assert_int_equal(raw_server_requests(&b.server), 2);
			bench_stop(&b);
		}
	}
}

static void a_read_on_a_kept_connection_that_dies_is_repeated(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP }, { NULL, 0, RAW_CLOSE }, { OK_HI, 0, RAW_KEEP });
	assert_true(get(&b, "/"));
	assert_true(get(&b, "/"));
	assert_int_equal(raw_server_requests(&b.server), 3);
	bench_stop(&b);
}

static void OP_03_a_write_after_an_idle_close_is_delivered_once_without_doubt(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_CLOSE_LATER }, { OK_HI, 0, RAW_KEEP });
	assert_true(get(&b, "/"));
	assert_true(raw_server_wait_closed(&b.server, 1));
	assert_true(post(&b, "/pay"));
	assert_int_equal(b.reply.status, 200);
	assert_int_equal(raw_server_requests(&b.server), 2);
	assert_int_equal(raw_server_connections(&b.server), 2);
	bench_stop(&b);
}

static void a_write_keeps_off_a_connection_that_was_idle_for_long(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	assert_true(get(&b, "/"));
	clock_sleep_ms(2050);
	assert_true(get(&b, "/"));
	assert_int_equal(raw_server_connections(&b.server), 1);
	clock_sleep_ms(2050);
	assert_true(post(&b, "/"));
	assert_int_equal(raw_server_connections(&b.server), 2);
	assert_int_equal(raw_server_requests(&b.server), 3);
	bench_stop(&b);
}

static void connections_are_kept(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	for (int i = 0; i < 20; i++)
		assert_true(i % 2 ? post(&b, "/") : get(&b, "/"));
	assert_int_equal(raw_server_requests(&b.server), 20);
	assert_int_equal(raw_server_connections(&b.server), 1);
	bench_stop(&b);
}

static void OP_03_nobody_there_means_not_sent(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	struct raw_server gone;
	assert_true(raw_server_start(&gone, steps_, 1));
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", gone.port);
	raw_server_stop(&gone);
	struct http_request rq = { .method = "POST", .url = url, .is_write = true };
	assert_false(send_request(&b, rq, ""));
	EXPECT_FAILURE(&b, HTTP_NOT_SENT, ERR_OUTAGE);
	bench_stop(&b);
}

static void OP_03_a_tls_handshake_that_fails_means_not_sent(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_CLOSE });
	char url[64];
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", b.server.port);
	struct http_request rq = { .method = "POST", .url = url, .is_write = true };
	assert_false(send_request(&b, rq, "")); /* the server waits for a blank line in vain */
	EXPECT_FAILURE(&b, HTTP_NOT_SENT, ERR_OUTAGE);
	bench_stop(&b);
}

static void an_inner_address_is_refused_however_it_is_written(void **state)
{
	(void)state;
	static const struct http_guard guard = { .allow_http = true,
						 .connect_timeout_ms = 1000,
						 .request_timeout_ms = 1000 };
	static const char *const hosts[] = {
		"127.0.0.1",	   "localhost",		"[::1]",	   "127.1",
		"2130706433",	   "0x7f000001",	"0.0.0.0",	   "[::ffff:127.0.0.1]",
		"[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "169.254.169.254", "10.1.2.3",
		"[fe80::1]"
	};
	struct bench b;
	const struct raw_step steps[] = { { OK_HI, 0, RAW_KEEP } };
	bench_start_guarded(&b, &guard, steps, 1);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		char url[100];
		snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], b.server.port);
		struct http_request rq = { .method = "POST", .url = url, .is_write = true };
		if (send_request(&b, rq, ""))
			fail_msg("%s was reached", hosts[i]);
		if (b.err.code != ERR_INPUT)
			fail_msg("%s: %s", hosts[i], b.err.message);
		assert_int_equal(b.reach, HTTP_NOT_SENT);
	}
	assert_int_equal(raw_server_connections(&b.server), 0);
	bench_stop(&b);
}

static void hosts_and_schemes_outside_the_guard_are_refused(void **state)
{
	(void)state;
	static const char *const allowed[] = { "api.example.com", "api.example.com:8443", NULL };
	static const struct http_guard guard = { .allow_hosts = allowed,
						 .allow_private = true,
						 .connect_timeout_ms = 200,
						 .request_timeout_ms = 200 };
	static const char *const refused[] = { "https://127.0.0.1/",
					       "https://api.example.com.evil.test/",
					       "https://api.example.com:444/",
					       "https://api.example.com@127.0.0.1/",
					       "https://xapi.example.com/",
					       "https://api.example.com./",
					       "http://api.example.com/",
					       "ftp://api.example.com/",
					       "file:///etc/passwd",
					       "//api.example.com/",
					       "" };
	struct bench b;
	const struct raw_step steps[] = { { OK_HI, 0, RAW_KEEP } };
	bench_start_guarded(&b, &guard, steps, 1);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct http_request rq = { .method = "GET", .url = refused[i] };
		assert_false(send_request(&b, rq, ""));
		if (b.err.code != ERR_INPUT)
			fail_msg("%s: %s", refused[i], b.err.message);
		assert_int_equal(b.reach, HTTP_NOT_SENT);
	}
	bench_stop(&b);
}

static void an_allowed_host_is_matched_with_its_port(void **state)
{
	(void)state;
	struct bench b;
	char host[32];
	const char *allowed[] = { host, NULL };
	struct http_guard guard = open_guard;
	guard.allow_hosts = allowed;
	const struct raw_step steps[] = { { OK_HI, 0, RAW_KEEP } };
	bench_start_guarded(&b, &guard, steps, 1);
	snprintf(host, sizeof(host), "127.0.0.1:%d", b.server.port);
	assert_true(get(&b, "/"));
	bench_stop(&b);
}

static void a_proxy_from_the_environment_is_not_used(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	assert_true(get(&b, "/"));
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	bench_stop(&b);
}

static void *abort_soon(void *arg)
{
	struct bench *b = arg;
	for (int i = 0; i < 1000 && raw_server_requests(&b->server) == 0; i++)
		clock_sleep_ms(2);
	http_client_abort(b->client);
	return NULL;
}

static void abort_ends_a_running_request_and_those_after(void **state)
{
	(void)state;
	struct bench b;
	pthread_t thread;
	BENCH_START(&b, { NULL, 0, RAW_HANG });
	assert_int_equal(pthread_create(&thread, NULL, abort_soon, &b), 0);
	struct http_request rq = { .method = "POST", .is_write = true, .timeout_ms = 20000 };
	int64_t start = clock_mono_ms();
	assert_false(send_request(&b, rq, "/"));
	assert_in_range(clock_mono_ms() - start, 0, 3000);
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_DOUBT);
	pthread_join(thread, NULL);
	assert_false(post(&b, "/"));
	EXPECT_FAILURE(&b, HTTP_NOT_SENT, ERR_BUSY);
	bench_stop(&b);
}

static void abort_of_a_read_hands_it_back(void **state)
{
	(void)state;
	struct bench b;
	pthread_t thread;
	BENCH_START(&b, { NULL, 0, RAW_HANG });
	assert_int_equal(pthread_create(&thread, NULL, abort_soon, &b), 0);
	struct http_request rq = { .method = "GET", .timeout_ms = 20000 };
	assert_false(send_request(&b, rq, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_BUSY);
	pthread_join(thread, NULL);
	bench_stop(&b);
}

static void a_full_arena_is_a_limit_not_a_crash(void **state)
{
	(void)state;
	struct bench b;
	static char raw[40 << 10];
	int n = snprintf(raw, sizeof(raw), "HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n");
	memset(raw + n, 'y', 30000);
	BENCH_START(&b, { raw, (size_t)n + 30000, RAW_KEEP });
	CLEANUP(arena_free) struct arena *small = arena_new(20 << 10);
	struct arena *large = b.arena;
	struct http_request rq = { .method = "GET" };
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", b.server.port);
	rq.url = url;
	struct http_transport *t = http_client_transport(b.client);
	assert_false(t->perform(t, small, &rq, &b.reply, &b.reach, &b.err));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_LIMIT);
	rq.is_write = true;
	arena_clear(small);
	assert_false(t->perform(t, small, &rq, &b.reply, &b.reach, &b.err));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_DOUBT);
	assert_true(t->perform(t, large, &rq, &b.reply, &b.reach, &b.err));
	assert_int_equal(b.reply.body.n, 30000);
	bench_stop(&b);
}

static void a_write_begins_before_its_time_or_not_at_all(void **state)
{
	(void)state;
	struct bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	_Atomic int64_t before_ms = clock_mono_ms() - 1;
	const struct http_request rq = { .method = "POST",
					 .body = SPAN_LIT("x"),
					 .is_write = true,
					 .begin_before_ms = &before_ms };
	assert_false(send_request(&b, rq, "/"));
	assert_int_equal(b.err.code, ERR_LEASE);
	assert_int_equal(b.reach, HTTP_NOT_SENT);
	assert_int_equal(raw_server_requests(&b.server), 0);
	before_ms = clock_mono_ms() + 10000;
	assert_true(send_request(&b, rq, "/"));
	assert_int_equal(raw_server_requests(&b.server), 1);
	bench_stop(&b);
}

static void each_allocation_may_fail(void **state)
{
	(void)state;
	struct raw_server server;
	const struct raw_step steps[] = { { OK_HI, 0, RAW_KEEP } };
	assert_true(raw_server_start(&server, steps, 1));
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server.port);
	bool ok = false;
	for (long n = 1; !ok && n < 50; n++) {
		struct arena *arena = arena_new(1 << 20);
		struct http_client *client = NULL;
		struct http_reply reply;
		struct err err = ERR_INIT;
		struct http_request rq = { .method = "GET", .url = url };
		assert_true(http_client_new(&open_guard, &client, &err));
		alloc_fail_after(n);
		struct http_transport *t = http_client_transport(client);
		ok = t->perform(t, arena, &rq, &reply, NULL, &err);
		alloc_fail_after(0);
		if (!ok && err.code != ERR_LIMIT && err.code != ERR_MEMORY)
			fail_msg("allocation %ld: %s", n, err.message);
		http_client_free(client);
		arena_free(arena);
	}
	assert_true(ok);
	alloc_fail_after(1);
	struct http_client *client = NULL;
	struct err err = ERR_INIT;
	assert_false(http_client_new(&open_guard, &client, &err));
	alloc_fail_after(0);
	assert_int_equal(err.code, ERR_MEMORY);
	raw_server_stop(&server);
}

static void the_host_of_a_url(void **state)
{
	(void)state;
	static const struct {
		const char *url, *host; /* NULL: refused */
	} cases[] = {
		{ "https://api.severa.example/v1?x=1", "api.severa.example" },
		{ "HTTPS://API.Example.COM:443/", "api.example.com" },
		{ "https://api.example.com:8443/x", "api.example.com:8443" },
		{ "http://h:80", "h" },
		{ "http://h:443/", "h:443" },
		{ "http://[::1]:8080/x", "[::1]:8080" },
		{ "https://[FD00::A]/", "[fd00::a]" },
		{ "https://h?x", "h" },
		{ "https:///x", NULL },
		{ "https://", NULL },
		{ "https://h:/", NULL },
		{ "https://h:0/", NULL },
		{ "https://h:65536/", NULL },
		{ "https://h:8x/", NULL },
		{ "https://u:p@h/", NULL },
		{ "https://u@h/", NULL },
		{ "https://[::1/", NULL },
		{ "https://[]/", NULL },
		{ "https://[::1]x/", NULL },
		{ "https://[fe80::1%25eth0]/", NULL },
		{ "https://a b/", NULL },
		{ "https://h%2e/", NULL },
		{ "https://h\\@evil/", NULL },
		{ "ftp://h/", NULL },
		{ "h/x", NULL },
	};
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *host = NULL;
		struct err err = ERR_INIT;
		bool ok = http_url_host(arena, cases[i].url, &host, &err);
		if (ok != (cases[i].host != NULL) || (ok && strcmp(host, cases[i].host) != 0))
			fail_msg("%s: %s", cases[i].url, ok ? host : err.message);
		if (!ok)
			assert_int_equal(err.code, ERR_INPUT);
	}
}

static int global_init(void **state)
{
	(void)state;
	return http_global_init(NULL) ? 0 : -1;
}

static int global_release(void **state)
{
	(void)state;
	http_global_release();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_arrives_whole),
		cmocka_unit_test(what_was_signed_is_what_goes_out),
		cmocka_unit_test(every_status_is_a_reply_and_no_redirect_is_followed),
		cmocka_unit_test(retry_after_is_read_in_both_forms),
		cmocka_unit_test(OP_03_a_spoiled_answer_leaves_a_write_in_doubt_and_a_read_undone),
		cmocka_unit_test(headers_are_capped_in_number_and_size),
		cmocka_unit_test(the_cap_of_a_reply_is_exact),
		cmocka_unit_test(a_gzip_bomb_stops_at_the_cap),
		cmocka_unit_test(gzip_is_asked_for_and_decoded),
		cmocka_unit_test(nothing_splits_a_request),
		cmocka_unit_test(OP_03_a_write_on_a_kept_connection_that_dies_goes_out_once),
		cmocka_unit_test(a_read_on_a_kept_connection_that_dies_is_repeated),
		cmocka_unit_test(OP_03_a_write_after_an_idle_close_is_delivered_once_without_doubt),
		cmocka_unit_test(a_write_keeps_off_a_connection_that_was_idle_for_long),
		cmocka_unit_test(connections_are_kept),
		cmocka_unit_test(OP_03_nobody_there_means_not_sent),
		cmocka_unit_test(OP_03_a_tls_handshake_that_fails_means_not_sent),
		cmocka_unit_test(an_inner_address_is_refused_however_it_is_written),
		cmocka_unit_test(hosts_and_schemes_outside_the_guard_are_refused),
		cmocka_unit_test(an_allowed_host_is_matched_with_its_port),
		cmocka_unit_test(a_proxy_from_the_environment_is_not_used),
		cmocka_unit_test(abort_ends_a_running_request_and_those_after),
		cmocka_unit_test(abort_of_a_read_hands_it_back),
		cmocka_unit_test(a_full_arena_is_a_limit_not_a_crash),
		cmocka_unit_test(a_write_begins_before_its_time_or_not_at_all),
		cmocka_unit_test(each_allocation_may_fail),
		cmocka_unit_test(the_host_of_a_url),
	};
	return cmocka_run_group_tests(tests, global_init, global_release);
}
