/*
 * test_http.c: outbound HTTP against a server that answers well, oddly or too much: what a reply
 * holds, what is capped, what may not go out.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "http_bench.h"

static void a_reply_arrives_whole(void **state)
{
	(void)state;
	struct http_bench b;
	static const char raw[] = "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
				  "HTTP/1.1 201 Made\r\nContent-Type: text/plain; charset=utf-8\r\n"
				  "X-Empty:\r\nX-Two:  a b \r\nTransfer-Encoding: chunked\r\n\r\n"
				  "3\r\na\0b\r\n2\r\ncd\r\n0\r\nX-Trailer: late\r\n\r\n";
	BENCH_START(&b, { raw, sizeof(raw) - 1, RAW_KEEP });
	assert_true(bench_get(&b, "/"));
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
	struct http_bench b;
	static const struct http_header headers[] = { { "Authorization", "Bearer a.b" },
						      { "X-Empty", "" } };
	BENCH_START(&b, { OK_EMPTY, 0, RAW_KEEP });
	struct http_request rq = {
		.method = "PATCH", .headers = headers, .n_headers = 2, .body = SPAN_LIT("a\nb")
	};
	assert_true(bench_send(&b, rq, "/a/../b%2fc/./?q=%7e'+\"|&x=~"));
	const char *sent = raw_server_request(&b.server, 0);
	assert_ptr_equal(strstr(sent, "PATCH /a/../b%2fc/./?q=%7e'+\"|&x=~ HTTP/1.1\r\n"), sent);
	assert_non_null(strstr(sent, "\r\nAuthorization: Bearer a.b\r\n"));
	assert_non_null(strstr(sent, "\r\nX-Empty:"));
	assert_non_null(strstr(sent, "\r\nContent-Length: 3\r\n"));
	assert_non_null(strstr(sent, "\r\nUser-Agent: Viesti/"));
	assert_null(strstr(sent, "Content-Type"));
	assert_null(strstr(sent, "Expect"));
	assert_string_equal(strstr(sent, "\r\n\r\n"), "\r\n\r\na\nb");

	assert_true(bench_send(&b, (struct http_request) { .method = "DELETE" }, "?only=query"));
	sent = raw_server_request(&b.server, 1);
	assert_ptr_equal(strstr(sent, "DELETE /?only=query HTTP/1.1\r\n"), sent);
	assert_null(strstr(sent, "Content-Length"));
	assert_true(bench_send(&b, (struct http_request) { .method = "POST" }, ""));
	sent = raw_server_request(&b.server, 2);
	assert_ptr_equal(strstr(sent, "POST / HTTP/1.1\r\n"), sent);
	assert_non_null(strstr(sent, "\r\nContent-Length: 0\r\n"));
	bench_stop(&b);
}

static void every_status_is_a_reply_and_no_redirect_is_followed(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(
		&b, { "HTTP/1.1 204 None\r\n\r\n", 0, RAW_KEEP },
		{ "HTTP/1.1 302 Go\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 0, RAW_KEEP },
		{ "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 0,
		  RAW_KEEP },
		{ "HTTP/1.1 500 Broken\r\nContent-Length: 3\r\n\r\nwhy", 0, RAW_KEEP });
	static const int wanted[] = { 204, 302, 401, 500 };
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_true(bench_post(&b, "/"));
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
		struct http_bench b;
		char raw[300];
		snprintf(raw, sizeof(raw), "HTTP/1.1 429 Slow\r\n%sContent-Length: 0\r\n\r\n",
			 cases[i].headers);
		BENCH_START(&b, { raw, 0, RAW_KEEP });
		assert_true(bench_get(&b, "/"));
		assert_int_equal(b.reply.status, 429);
		if (b.reply.retry_after_ms != cases[i].want)
			fail_msg("%s gave %lld", cases[i].headers,
				 (long long)b.reply.retry_after_ms);
		bench_stop(&b);
	}
}

static void headers_are_capped_in_number_and_size(void **state)
{
	(void)state;
	struct http_bench b;
	static char many[16 << 10], big[100 << 10];
	size_t n = (size_t)snprintf(many, sizeof(many), "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "X-%d: y\r\n", i);
	snprintf(many + n, sizeof(many) - n, "Content-Length: 0\r\n\r\n");
	n = (size_t)snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\nX-Big: ");
	memset(big + n, 'y', 70 << 10);
	snprintf(big + n + (70 << 10), 100, "\r\nContent-Length: 0\r\n\r\n");

	BENCH_START(&b, { many, 0, RAW_KEEP }, { big, 0, RAW_KEEP }, { OK_HI, 0, RAW_KEEP });
	assert_false(bench_get(&b, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_LIMIT);
	assert_false(bench_get(&b, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_LIMIT);
	assert_true(bench_get(&b, "/"));
	bench_stop(&b);
}

static void the_cap_of_a_reply_is_exact(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	struct http_request rq = { .method = "GET", .max_reply_bytes = 2 };
	assert_true(bench_send(&b, rq, "/"));
	rq.max_reply_bytes = 1;
	assert_false(bench_send(&b, rq, "/"));
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
	struct http_bench b;
	static char raw[64 << 10];
	size_t bomb_n = make_gzip_bomb((unsigned char *)raw + 200, 30000); /* 7.7 MB */
	int head_n = snprintf(raw, 200,
			      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
			      "Content-Length: %zu\r\n\r\n",
			      bomb_n);
	memmove(raw + head_n, raw + 200, bomb_n);
	BENCH_START(&b, { raw, (size_t)head_n + bomb_n, RAW_KEEP });
	struct http_request rq = { .method = "GET", .max_reply_bytes = 1 << 20 };
	assert_false(bench_send(&b, rq, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_LIMIT);
	bench_stop(&b);
}

static void gzip_is_asked_for_and_decoded(void **state)
{
	(void)state;
	struct http_bench b;
	static const char raw[] =
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n"
		"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";
	BENCH_START(&b, { raw, sizeof(raw) - 1, RAW_KEEP });
	assert_true(bench_get(&b, "/"));
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
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct http_header h = { cases[i].name, cases[i].value };
		struct http_request rq = {
			.method = cases[i].method, .headers = &h, .n_headers = 1, .is_write = true
		};
		if (bench_send(&b, rq, cases[i].path))
			fail_msg("case %zu went out", i);
		EXPECT_FAILURE(&b, HTTP_NOT_SENT, ERR_INPUT);
	}
	assert_int_equal(raw_server_requests(&b.server), 0);
	bench_stop(&b);
}

static void a_full_arena_is_a_limit_not_a_crash(void **state)
{
	(void)state;
	struct http_bench b;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_arrives_whole),
		cmocka_unit_test(what_was_signed_is_what_goes_out),
		cmocka_unit_test(every_status_is_a_reply_and_no_redirect_is_followed),
		cmocka_unit_test(retry_after_is_read_in_both_forms),
		cmocka_unit_test(headers_are_capped_in_number_and_size),
		cmocka_unit_test(the_cap_of_a_reply_is_exact),
		cmocka_unit_test(a_gzip_bomb_stops_at_the_cap),
		cmocka_unit_test(gzip_is_asked_for_and_decoded),
		cmocka_unit_test(nothing_splits_a_request),
		cmocka_unit_test(a_full_arena_is_a_limit_not_a_crash),
		cmocka_unit_test(each_allocation_may_fail),
	};
	return cmocka_run_group_tests_name("http", tests, http_begin, http_end);
}
