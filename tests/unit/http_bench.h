/*
 * http_bench.h: one server that answers as it is told (raw_server.h) and one HTTP client before it.
 *
 *	struct http_bench b;
 *	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
 *	assert_true(bench_get(&b, "/"));
 *	bench_stop(&b);
 */
#ifndef TESTS_UNIT_HTTP_BENCH_H
#define TESTS_UNIT_HTTP_BENCH_H

#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "net/http.h"
#include "raw_server.h"

#define TIMEOUT_MS 3000

extern const struct http_guard open_guard;

/* One server, one client, one arena. */
struct http_bench {
	struct raw_server server;
	struct http_client *client;
	struct arena *arena;
	struct http_reply reply;
	enum http_reach reach;
	struct err err;
};

void bench_start(struct http_bench *b, const struct http_guard *guard, const struct raw_step *steps,
		 size_t n_steps);
void bench_stop(struct http_bench *b);

#define BENCH_START(b, ...)                               \
	const struct raw_step steps_[] = { __VA_ARGS__ }; \
	bench_start((b), &open_guard, steps_, ARRAY_SIZE(steps_))

/* rq.url NULL: the path at the server. */
bool bench_send(struct http_bench *b, struct http_request rq, const char *path);
bool bench_get(struct http_bench *b, const char *path);
bool bench_post(struct http_bench *b, const char *path);

#define EXPECT_FAILURE(b, wanted_reach, wanted_code)            \
	do {                                                    \
		assert_int_equal((b)->reach, (wanted_reach));   \
		assert_int_equal((b)->err.code, (wanted_code)); \
		assert_true((b)->err.message[0] != '\0');       \
	} while (0)

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* Setup and teardown of a group: libcurl's. */
int http_begin(void **state);
int http_end(void **state);

#endif
