/* test_wipe.c: what handles credentials leaves nothing of them in memory (DESIGN §6). */
#include "base/base.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/secret.h"
#include "codec/json.h"
#include "net/http.h"
#include "residue.h"
#include "worker/cache.h"

/* Text of at least a secret's length around it, since free() writes into the first bytes. */
#define JSON_OF "{\"padding\":\"................................\",\"client_secret\":\"%s\"}"

static void the_search_finds_what_is_there(void **state)
{
	(void)state;
	char secret[RESIDUE_SECRET];
	residue_new(secret);
	assert_int_equal(residue_count(), 1);
	char *copy = mem_strdup(secret);
	assert_non_null(copy);
	assert_int_equal(residue_count(), 2);
	mem_free_wiped(copy, strlen(copy));
	secret_wipe(secret, sizeof(secret));
	assert_int_equal(residue_count(), 0);
}

static void an_arena_that_keeps_secrets_leaves_nothing(void **state)
{
	(void)state;
	for (int is_clear = 0; is_clear < 2; is_clear++) {
		struct arena *arena = arena_new(1 << 20);
		struct secret kept;
		char secret[RESIDUE_SECRET];
		assert_non_null(arena);
		residue_new(secret);
		for (int i = 0; i < 300; i++)
			assert_non_null(arena_printf(arena, JSON_OF, secret));
		assert_true(secret_in_arena(arena, span_of(secret), &kept));
		secret_wipe(secret, sizeof(secret));
		assert_true(residue_count() > 300);
		if (is_clear)
			arena_clear(arena);
		else
			arena_free(arena);
		assert_int_equal(residue_count(), 0);
		if (is_clear)
			arena_free(arena);
	}
}

static void parsed_credentials_leave_nothing(void **state)
{
	(void)state;
	struct arena *arena = arena_new(1 << 20);
	char secret[RESIDUE_SECRET];
	const struct json *j;
	struct err err = ERR_INIT;
	assert_non_null(arena);
	arena_keep_secrets(arena);
	residue_new(secret);
	const char *text = arena_printf(arena, JSON_OF, secret);
	secret_wipe(secret, sizeof(secret));
	assert_true(json_parse(arena, span_of(text), JSON_LIMITS_API, &j, &err));
	assert_true(residue_count() > 1);
	arena_free(arena);
	assert_int_equal(residue_count(), 0);
}

static void the_cache_leaves_nothing(void **state)
{
	(void)state;
	struct cache *cache = cache_new(4);
	char secret[RESIDUE_SECRET];
	const char *none;
	assert_non_null(cache);
	residue_new(secret);
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 12);
	const struct cache_ask ask = { .arena = arena, .key = "k", .until_ms = 0 };
	assert_int_equal(cache_join(cache, &ask, &none, NULL), CACHE_YOURS);
	cache_land(cache, "k", secret, 60000, NULL);
	cache_set(cache, "other", secret, 60000);
	secret_wipe(secret, sizeof(secret));
	assert_int_equal(residue_count(), 2);
	cache_set(cache, "k", "new", 60000);
	assert_int_equal(residue_count(), 1);
	cache_free(cache);
	assert_int_equal(residue_count(), 0);
}

/* Answers n requests, each with the bytes of the request as its body. */
static void serve_echo(int listener, int n)
{
	int fd = accept(listener, NULL, NULL);
	while (fd >= 0 && n-- > 0) {
		char rq[8192], head[128];
		size_t have = 0;
		while (have < sizeof(rq) && !memmem(rq, have, "END", 3)) {
			ssize_t got = read(fd, rq + have, sizeof(rq) - have);
			if (got <= 0)
				_exit(1);
			have += (size_t)got;
		}
		int k = snprintf(head, sizeof(head),
				 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", have);
		if (write(fd, head, (size_t)k) != k || write(fd, rq, have) != (ssize_t)have)
			_exit(1);
	}
	_exit(0);
}

/* In a process of its own, whose memory is not ours. */
static pid_t start_echo(int n, int *ret_port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
	*ret_port = ntohs(sa.sin_port);
	pid_t pid = fork();
	if (pid == 0)
		serve_echo(listener, n);
	close(listener);
	return pid;
}

static void exchange(struct http_client *client, const char *url)
{
	struct http_transport *t = http_client_transport(client);
	struct arena *arena = arena_new(1 << 20);
	enum http_reach reach;
	struct http_reply reply;
	struct err err = ERR_INIT;
	char secret[RESIDUE_SECRET];
	assert_non_null(arena);
	arena_keep_secrets(arena);
	residue_write(secret);
	const char *bearer = arena_printf(arena, "Bearer %s", secret);
	const char *body = arena_printf(arena, JSON_OF "END", secret);
	secret_wipe(secret, sizeof(secret));
	const struct http_header headers[] = { { "Authorization", bearer } };
	const struct http_request rq = { .method = "POST",
					 .url = url,
					 .headers = headers,
					 .n_headers = 1,
					 .body = span_of(body) };
	assert_true(t->perform(t, arena, &rq, &reply, &reach, &err));
	assert_int_equal(reply.status, 200);
	arena_free(arena);
}

/* Header lines, curl's own buffers, and the answer: nothing stays while the client lives on. */
static void an_exchange_leaves_nothing(void **state)
{
	(void)state;
	const struct http_guard guard = { .allow_private = true, .allow_http = true };
	struct http_client *client;
	struct err err = ERR_INIT;
	char secret[RESIDUE_SECRET], url[64];
	int port, status;
	pid_t server = start_echo(3, &port);
	assert_true(server > 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	assert_true(http_global_init(&err));
	assert_true(http_client_new(&guard, &client, &err));
	residue_new(secret);
	secret_wipe(secret, sizeof(secret));
	for (int i = 0; i < 3; i++)
		exchange(client, url);
	assert_int_equal(waitpid(server, &status, 0), server);
	assert_int_equal(status, 0);
	http_client_free(client);
	assert_int_equal(residue_count(), 0);
	http_global_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_search_finds_what_is_there),
		cmocka_unit_test(an_arena_that_keeps_secrets_leaves_nothing),
		cmocka_unit_test(parsed_credentials_leave_nothing),
		cmocka_unit_test(the_cache_leaves_nothing),
		cmocka_unit_test(an_exchange_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
