/*
 * test_http_guard.c: where outbound HTTP may go at all: inner addresses, schemes, hosts that are
 * allowed all the same, proxies.
 */
#include "base/base.h"

#include "http_bench.h"

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
	struct http_bench b;
	const struct raw_step steps[] = { { OK_HI, 0, RAW_KEEP } };
	bench_start(&b, &guard, steps, 1);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		char url[100];
		snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], b.server.port);
		struct http_request rq = { .method = "POST", .url = url, .is_write = true };
		if (bench_send(&b, rq, ""))
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
	struct http_bench b;
	const struct raw_step steps[] = { { OK_HI, 0, RAW_KEEP } };
	bench_start(&b, &guard, steps, 1);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct http_request rq = { .method = "GET", .url = refused[i] };
		assert_false(bench_send(&b, rq, ""));
		if (b.err.code != ERR_INPUT)
			fail_msg("%s: %s", refused[i], b.err.message);
		assert_int_equal(b.reach, HTTP_NOT_SENT);
	}
	bench_stop(&b);
}

static void an_allowed_host_is_matched_with_its_port(void **state)
{
	(void)state;
	struct http_bench b;
	char host[32];
	const char *allowed[] = { host, NULL };
	struct http_guard guard = open_guard;
	guard.allow_hosts = allowed;
	const struct raw_step steps[] = { { OK_HI, 0, RAW_KEEP } };
	bench_start(&b, &guard, steps, 1);
	snprintf(host, sizeof(host), "127.0.0.1:%d", b.server.port);
	assert_true(bench_get(&b, "/"));
	bench_stop(&b);
}

static void a_proxy_from_the_environment_is_not_used(void **state)
{
	(void)state;
	struct http_bench b;
	BENCH_START(&b, { OK_HI, 0, RAW_KEEP });
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	assert_true(bench_get(&b, "/"));
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	bench_stop(&b);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_inner_address_is_refused_however_it_is_written),
		cmocka_unit_test(hosts_and_schemes_outside_the_guard_are_refused),
		cmocka_unit_test(an_allowed_host_is_matched_with_its_port),
		cmocka_unit_test(a_proxy_from_the_environment_is_not_used),
		cmocka_unit_test(the_host_of_a_url),
	};
	return cmocka_run_group_tests_name("http_guard", tests, http_begin, http_end);
}
