/* test_redis_url.c: VIESTI_REDIS_URL in every form, and what is refused. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "net/redis_url.h"

static const struct {
	const char *url;
	struct redis_url want;
	const char *password;
} good[] = {
	{ "redis://localhost", { .host = "localhost", .port = 6379 }, NULL },
	{ "redis://10.0.0.7:7000/3", { .host = "10.0.0.7", .port = 7000, .db = 3 }, NULL },
	{ "REDIS://h/", { .host = "h", .port = 6379 }, NULL },
	{ "redis://[::1]:7001/15", { .host = "::1", .port = 7001, .db = 15 }, NULL },
	{ "redis://[fd00::2]", { .host = "fd00::2", .port = 6379 }, NULL },
	{ "redis://:secret@h", { .host = "h", .port = 6379 }, "secret" },
	{ "redis://app:p%40ss%2f%25@h:1", { .host = "h", .port = 1, .user = "app" }, "p@ss/%" },
	{ "redis://app:a@b/c?d@h", { .host = "h", .port = 6379, .user = "app" }, "a@b/c?d" },
	{ "redis://h/2?user=u&password=w",
	  { .host = "h", .port = 6379, .db = 2, .user = "u" },
	  "w" },
	{ "rediss://u:p@cache.example:6380",
	  { .is_tls = true, .host = "cache.example", .port = 6380, .user = "u" },
	  "p" },
	{ "unix:///run/redis.sock", { .is_unix = true, .path = "/run/redis.sock" }, NULL },
	{ "unix:///a%20b@c.sock?db=4", { .is_unix = true, .path = "/a b@c.sock", .db = 4 }, NULL },
	{ "unix:///r.sock?db=1&user=me&password=a%26b",
	  { .is_unix = true, .path = "/r.sock", .db = 1, .user = "me" },
	  "a&b" },
	{ "unix://:pw@/r.sock", { .is_unix = true, .path = "/r.sock" }, "pw" },
};

static void every_form_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct redis_url url;
		struct err err = ERR_INIT;
		if (!redis_url_parse(good[i].url, &url, &err))
			fail_msg("%s: %s", good[i].url, err.message);
		assert_int_equal(url.is_unix, good[i].want.is_unix);
		assert_int_equal(url.is_tls, good[i].want.is_tls);
		assert_string_equal(url.host, good[i].want.host);
		assert_string_equal(url.path, good[i].want.path);
		assert_string_equal(url.user, good[i].want.user);
		assert_int_equal(url.port, good[i].want.port);
		assert_int_equal(url.db, good[i].want.db);
		assert_true(str_eq(url.password.p, good[i].password));
		redis_url_release(&url);
	}
}

static const char *const bad[] = {
	"",
	"localhost:6379",
	"http://h",
	"redis://",
	"redis://:6379",
	"redis://h:0",
	"redis://h:65536",
	"redis://h:12x",
	"redis://h:",
	"redis://h/one",
	"redis://h/99999",
	"redis://h?timeout=3",
	"redis://h?db=",
	"redis://[::1",
	"redis://[::1]x",
	"redis://user@h",
	"redis://:@h",
	"redis://u:hush%zz@h",
	"redis://u:hush%00@h",
	"redis://u:hush%2@h",
	"redis://u:hush@h?password=hush",
	"unix://relative/path",
	"unix://",
	("unix:///0123456789012345678901234567890123456789012345678901234567890123456789"
	 "0123456789012345678901234567890123456789"),
};

static void what_is_not_understood_is_refused_without_repeating_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct redis_url url;
		struct err err = ERR_INIT;
		if (redis_url_parse(bad[i], &url, &err))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(err.code, ERR_INPUT);
		assert_true(err.message[0] != '\0');
		assert_null(strstr(err.message, "hush"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_understood),
		cmocka_unit_test(what_is_not_understood_is_refused_without_repeating_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
