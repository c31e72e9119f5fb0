/*
 * test_http_doubt.c: outbound HTTP against a server that cuts, drips, lies and hangs up (OP-03):
 * how far the request got, and what that leaves open; connections that are kept; aborting.
 */
#include "base/base.h"

#include "base/clock.h"
#include "http_bench.h"

#define SHORT_TIMEOUT_MS 150

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
			struct http_bench b;
			BENCH_START(&b, spoiled[i].step);
			struct http_request rq = { .method = "POST",
						   .is_write = is_write,
						   .body = SPAN_LIT("x"),
						   .timeout_ms = SHORT_TIMEOUT_MS,
						   .max_reply_bytes = 1 << 20 };
			int64_t start = clock_mono_ms();
			if (bench_send(&b, rq, "/"))
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
			struct http_bench b;
			BENCH_START(&b, { OK_HI, 0, RAW_KEEP }, { NULL, 0, ends[k] },
				    { OK_HI, 0, RAW_KEEP });
			assert_true(bench_get(&b, "/"));
			struct http_request rq = { .method = methods[i], .is_write = true };
			if (i < 2)
				rq.body = SPAN_LIT("pay 100 EUR");
			assert_false(bench_send(&b, rq, "/pay"));
			EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_DOUBT);
			assert_int_equal(raw_server_requests(&b.server), 2);
			bench_stop(&b);
		}
	}
}

static void a_read_on_a_kept_connection_that_dies_is_repeated(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP }, { NULL, 0, RAW_CLOSE }, { OK_HI, 0, RAW_KEEP });
	assert_true(bench_get(&b, "/"));
	assert_true(bench_get(&b, "/"));
	assert_int_equal(raw_server_requests(&b.server), 3);
	bench_stop(&b);
}

static void OP_03_a_write_after_an_idle_close_is_delivered_once_without_doubt(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_CLOSE_LATER }, { OK_HI, 0, RAW_KEEP });
	assert_true(bench_get(&b, "/"));
	assert_true(raw_server_wait_closed(&b.server, 1));
	assert_true(bench_post(&b, "/pay"));
	assert_int_equal(b.reply.status, 200);
	assert_int_equal(raw_server_requests(&b.server), 2);
	assert_int_equal(raw_server_connections(&b.server), 2);
	bench_stop(&b);
}

static void a_write_keeps_off_a_connection_that_was_idle_for_long(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	assert_true(bench_get(&b, "/"));
	clock_sleep_ms(2050);
	assert_true(bench_get(&b, "/"));
	assert_int_equal(raw_server_connections(&b.server), 1);
	clock_sleep_ms(2050);
	assert_true(bench_post(&b, "/"));
	assert_int_equal(raw_server_connections(&b.server), 2);
	assert_int_equal(raw_server_requests(&b.server), 3);
	bench_stop(&b);
}

static void connections_are_kept(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	for (int i = 0; i < 20; i++)
		assert_true(i % 2 ? bench_post(&b, "/") : bench_get(&b, "/"));
	assert_int_equal(raw_server_requests(&b.server), 20);
	assert_int_equal(raw_server_connections(&b.server), 1);
	bench_stop(&b);
}

static void OP_03_nobody_there_means_not_sent(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	struct raw_server gone;
	assert_true(raw_server_start(&gone, steps_, 1));
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", gone.port);
	raw_server_stop(&gone);
	struct http_request rq = { .method = "POST", .url = url, .is_write = true };
	assert_false(bench_send(&b, rq, ""));
	EXPECT_FAILURE(&b, HTTP_NOT_SENT, ERR_OUTAGE);
	bench_stop(&b);
}

static void OP_03_a_tls_handshake_that_fails_means_not_sent(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_CLOSE });
	char url[64];
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", b.server.port);
	struct http_request rq = { .method = "POST", .url = url, .is_write = true };
	assert_false(bench_send(&b, rq, "")); /* the server waits for a blank line in vain */
	EXPECT_FAILURE(&b, HTTP_NOT_SENT, ERR_OUTAGE);
	bench_stop(&b);
}

static void *abort_soon(void *arg)
{
	struct http_bench *b = arg;
	for (int i = 0; i < 1000 && raw_server_requests(&b->server) == 0; i++)
		clock_sleep_ms(2);
	http_client_abort(b->client);
	return NULL;
}

static void abort_ends_a_running_request_and_those_after(void **state)
{
	(void)state;
	struct http_bench b;
	pthread_t thread;
	BENCH_START(&b, { NULL, 0, RAW_HANG });
	assert_int_equal(pthread_create(&thread, NULL, abort_soon, &b), 0);
	struct http_request rq = { .method = "POST", .is_write = true, .timeout_ms = 20000 };
	int64_t start = clock_mono_ms();
	assert_false(bench_send(&b, rq, "/"));
	assert_in_range(clock_mono_ms() - start, 0, 3000);
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_DOUBT);
	pthread_join(thread, NULL);
	assert_false(bench_post(&b, "/"));
	EXPECT_FAILURE(&b, HTTP_NOT_SENT, ERR_BUSY);
	bench_stop(&b);
}

static void abort_of_a_read_hands_it_back(void **state)
{
	(void)state;
	struct http_bench b;
	pthread_t thread;
	BENCH_START(&b, { NULL, 0, RAW_HANG });
	assert_int_equal(pthread_create(&thread, NULL, abort_soon, &b), 0);
	struct http_request rq = { .method = "GET", .timeout_ms = 20000 };
	assert_false(bench_send(&b, rq, "/"));
	EXPECT_FAILURE(&b, HTTP_UNKNOWN, ERR_BUSY);
	pthread_join(thread, NULL);
	bench_stop(&b);
}

static void a_write_begins_before_its_time_or_not_at_all(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	_Atomic int64_t before_ms = clock_mono_ms() - 1;
	const struct http_request rq = { .method = "POST",
					 .body = SPAN_LIT("x"),
					 .is_write = true,
					 .begin_before_ms = &before_ms };
	assert_false(bench_send(&b, rq, "/"));
	assert_int_equal(b.err.code, ERR_LEASE);
	assert_int_equal(b.reach, HTTP_NOT_SENT);
	assert_int_equal(raw_server_requests(&b.server), 0);
	before_ms = clock_mono_ms() + 10000;
	assert_true(bench_send(&b, rq, "/"));
	assert_int_equal(raw_server_requests(&b.server), 1);
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(OP_03_a_spoiled_answer_leaves_a_write_in_doubt_and_a_read_undone),
		cmocka_unit_test(OP_03_a_write_on_a_kept_connection_that_dies_goes_out_once),
		cmocka_unit_test(a_read_on_a_kept_connection_that_dies_is_repeated),
		cmocka_unit_test(OP_03_a_write_after_an_idle_close_is_delivered_once_without_doubt),
		cmocka_unit_test(a_write_keeps_off_a_connection_that_was_idle_for_long),
		cmocka_unit_test(connections_are_kept),
		cmocka_unit_test(OP_03_nobody_there_means_not_sent),
		cmocka_unit_test(OP_03_a_tls_handshake_that_fails_means_not_sent),
		cmocka_unit_test(abort_ends_a_running_request_and_those_after),
		cmocka_unit_test(abort_of_a_read_hands_it_back),
		cmocka_unit_test(a_write_begins_before_its_time_or_not_at_all),
	};
	return cmocka_run_group_tests_name("http_doubt", tests, http_begin, http_end);
}
