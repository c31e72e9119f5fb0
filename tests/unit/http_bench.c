/* http_bench.c: see http_bench.h. */
#include "base/base.h"
#include "http_bench.h"

const struct http_guard open_guard = { .allow_private = true,
				       .allow_http = true,
				       .connect_timeout_ms = 300,
				       .request_timeout_ms = TIMEOUT_MS };

void bench_start(struct http_bench *b, const struct http_guard *guard, const struct raw_step *steps,
		 size_t n_steps)
{
	memset(b, 0, sizeof(*b));
	b->err = (struct err)ERR_INIT;
	assert_true(raw_server_start(&b->server, steps, n_steps));
	assert_true(http_client_new(guard, &b->client, &b->err));
	b->arena = arena_new(8 << 20);
	assert_non_null(b->arena);
}

void bench_stop(struct http_bench *b)
{
	http_client_free(b->client);
	raw_server_stop(&b->server);
	arena_free(b->arena);
}

bool bench_send(struct http_bench *b, struct http_request rq, const char *path)
{
	char *url = arena_printf(b->arena, "http://127.0.0.1:%d%s", b->server.port, path);
	assert_non_null(url);
	if (!rq.url)
		rq.url = url;
	b->err = (struct err)ERR_INIT;
	struct http_transport *t = http_client_transport(b->client);
	return t->perform(t, b->arena, &rq, &b->reply, &b->reach, &b->err);
}

bool bench_get(struct http_bench *b, const char *path)
{
	return bench_send(b, (struct http_request) { .method = "GET" }, path);
}

bool bench_post(struct http_bench *b, const char *path)
{
	return bench_send(b,
			  (struct http_request) { .method = "POST",
						  .body = SPAN_LIT("{\"n\":1}"),
						  .is_write = true },
			  path);
}

int http_begin(void **state)
{
	(void)state;
	return http_global_init(NULL) ? 0 : -1;
}

int http_end(void **state)
{
	(void)state;
	http_global_release();
	return 0;
}
