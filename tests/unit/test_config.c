/* Settings: sources and their order, types and ranges, errors that help, secrets that stay hidden.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/log.h"
#include "config/config.h"
#include "registry.h"
#include "systems/severa.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define PEM "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

static char dir[] = "/tmp/viesti-config-XXXXXX";

static const char *write_file(const char *name, const char *text, char buf[256])
{
	snprintf(buf, 256, "%s/%s", dir, name);
	int fd = open(buf, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return buf;
}

/* Loads with up to four variables. */
static bool load(struct config *cfg, struct err *err, const char *a, const char *b, const char *c,
		 const char *d)
{
	char *envp[5] = { NULL };
	const char *given[] = { a, b, c, d };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i])
			envp[n++] = (char *)(uintptr_t)given[i];
	return config_load(cfg, systems, envp, err);
}

static void defaults_are_those_of_the_table(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_true(load(&cfg, &err, "PATH=/bin", "VIEST=1", NULL, NULL));
	assert_string_equal(cfg.listen, "127.0.0.1");
	assert_int_equal(cfg.port, 8080);
	assert_int_equal(cfg.workers, 8);
	assert_int_equal(cfg.max_body_bytes, 262144);
	assert_int_equal(cfg.lease_ms, 10000);
	assert_int_equal(cfg.beat_ms, 2500);
	assert_int_equal(cfg.request_timeout_ms, 120000);
	assert_int_equal(cfg.quiet_ms, 130000);
	assert_int_equal(cfg.redis_pool, 16);
	assert_int_equal(cfg.retention_done_ms, INT64_C(90) * 86400000);
	assert_int_equal(cfg.log_level, LOG_INFO);
	assert_string_equal(cfg.redis_prefix, "viesti");
	assert_string_equal(cfg.allow_hosts, "");
	assert_false(cfg.allow_private);
	assert_false(secret_is_set(&cfg.redis_url));
	assert_int_equal(cfg.origin[CONFIG_ROW_workers].kind, CONFIG_DEFAULT);
	assert_int_equal(cfg.origin[CONFIG_ROW_quiet_ms].kind, CONFIG_DERIVED);
	config_release(&cfg);
}

static void values_are_read_by_type(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_true(load(&cfg, &err, "VIESTI_LEASE=1m", "VIESTI_BEAT=750ms", "VIESTI_MAX_BODY=64K",
			 "VIESTI_ALLOW_HTTP=Yes"));
	assert_int_equal(cfg.lease_ms, 60000);
	assert_int_equal(cfg.beat_ms, 750);
	assert_int_equal(cfg.max_body_bytes, 65536);
	assert_true(cfg.allow_http);
	assert_int_equal(cfg.quiet_ms, 180000);
	config_release(&cfg);

	assert_true(load(&cfg, &err, "VIESTI_LOG_LEVEL=error", "VIESTI_QUIET=131s",
			 "VIESTI_SEVERA_URL=https://sandbox.test/rest-api/",
			 "VIESTI_ALLOW_HOSTS=localhost:8081,[::1]:9,127.0.0.1"));
	assert_int_equal(cfg.log_level, LOG_ERROR);
	assert_int_equal(cfg.quiet_ms, 131000);
	assert_string_equal(severa_options(&cfg.systems)->url, "https://sandbox.test/rest-api");
	assert_string_equal(cfg.allow_hosts, "localhost:8081,[::1]:9,127.0.0.1");
	config_release(&cfg);
}

static void each_refusal_names_option_value_and_what_is_allowed(void **state)
{
	static const struct {
		const char *given, *pointer, *says;
	} cases[] = {
		{ "VIESTI_WORKERS=0", "VIESTI_WORKERS", "\"0\" is not allowed" },
		{ "VIESTI_WORKERS=257", "VIESTI_WORKERS", "whole number 1..256" },
		{ "VIESTI_WORKERS=8x", "VIESTI_WORKERS", "\"8x\"" },
		{ "VIESTI_WORKERS=-1", "VIESTI_WORKERS", "\"-1\"" },
		{ "VIESTI_WORKERS= 8", "VIESTI_WORKERS", "\" 8\"" },
		{ "VIESTI_WORKERS=99999999999999999999", "VIESTI_WORKERS", "1..256" },
		{ "VIESTI_LEASE=500", "VIESTI_LEASE", "duration (ms, s, m, h, d) 500ms..5m" },
		{ "VIESTI_LEASE=5 s", "VIESTI_LEASE", "\"5 s\"" },
		{ "VIESTI_LEASE=6m", "VIESTI_LEASE", "500ms..5m" },
		{ "VIESTI_MAX_BODY=1t", "VIESTI_MAX_BODY", "size (bytes, k, m, g) 1k..16m" },
		{ "VIESTI_MAX_BODY=9223372036854775807m", "VIESTI_MAX_BODY", "1k..16m" },
		{ "VIESTI_ALLOW_HTTP=maybe", "VIESTI_ALLOW_HTTP", "true or false" },
		{ "VIESTI_LOG_LEVEL=loud", "VIESTI_LOG_LEVEL", "debug, info, warn, error, off" },
		{ "VIESTI_LISTEN=localhost", "VIESTI_LISTEN", "IPv4 or IPv6 address" },
		{ "VIESTI_LISTEN=127.0.0.1\n", "VIESTI_LISTEN", "IPv4" },
		{ "VIESTI_TRUSTED_PROXIES=10.0.0.0/33", "VIESTI_TRUSTED_PROXIES", "networks" },
		{ "VIESTI_TRUSTED_PROXIES=10.0.0.0/", "VIESTI_TRUSTED_PROXIES", "networks" },
		{ "VIESTI_TRUSTED_PROXIES=10.0.0.1, ::1", "VIESTI_TRUSTED_PROXIES", "networks" },
		{ "VIESTI_TRUSTED_PROXIES=proxy", "VIESTI_TRUSTED_PROXIES", "networks" },
		{ "VIESTI_ALLOW_HOSTS=a:0", "VIESTI_ALLOW_HOSTS", "host:port" },
		{ "VIESTI_ALLOW_HOSTS=http://a", "VIESTI_ALLOW_HOSTS", "host:port" },
		{ "VIESTI_ALLOW_HOSTS=[::1", "VIESTI_ALLOW_HOSTS", "host:port" },
		{ "VIESTI_ALLOW_HOSTS=[::1]9", "VIESTI_ALLOW_HOSTS", "host:port" },
		{ "VIESTI_REDIS_PREFIX=a b", "VIESTI_REDIS_PREFIX", "a-z" },
		{ "VIESTI_SEVERA_URL=ftp://a", "VIESTI_SEVERA_URL", "https://" },
		{ "VIESTI_SEVERA_URL=https://u:p@a", "VIESTI_SEVERA_URL", "https://" },
		{ "VIESTI_SEVERA_URL=http://a", "VIESTI_SEVERA_URL", "VIESTI_ALLOW_HTTP=true" },
		{ "VIESTI_NETVISOR_URL=http://a", "VIESTI_NETVISOR_URL", "VIESTI_ALLOW_HTTP=true" },
		{ "VIESTI_BEAT=6s", "VIESTI_BEAT", "half of VIESTI_LEASE" },
		{ "VIESTI_QUIET=129999ms", "VIESTI_QUIET",
		  "VIESTI_REQUEST_TIMEOUT + VIESTI_LEASE" },
		{ "VIESTI_RETRY_FIRST=20m", "VIESTI_RETRY_FIRST", "VIESTI_RETRY_CAP" },
		{ "VIESTI_REDIS_URL=redis://h", "VIESTI_KEY", "shared Redis" },
		{ "VIESTI_REDIS_CA=/etc/ca.pem", "VIESTI_REDIS_CA", "PEM text" },
		{ "VIESTI_REDIS_CA=" PEM, "VIESTI_REDIS_CA", "rediss://" },
		{ "VIESTI_REDIS_CERT=" PEM, "VIESTI_REDIS_CERT", "rediss://" },
		{ "VIESTI_REDIS_CERT_KEY=" PEM, "VIESTI_REDIS_CERT_KEY", "together" },
		{ "VIESTI_WORKER=9", "VIESTI_WORKER", "did you mean VIESTI_WORKERS?" },
		{ "VIESTI_SEVRA_RATE=9", "VIESTI_SEVRA_RATE", "did you mean VIESTI_SEVERA_RATE?" },
		{ "VIESTI_=9", "VIESTI_", "is not an option" },
		{ "VIESTI_FILE=9", "VIESTI_FILE", "is not an option" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config cfg = { 0 };
		struct err err = ERR_INIT;

		if (load(&cfg, &err, cases[i].given, NULL, NULL, NULL))
			fail_msg("%s was accepted", cases[i].given);
		assert_int_equal(err.code, ERR_INPUT);
		assert_string_equal(err.pointer, cases[i].pointer);
		if (!strstr(err.message, cases[i].says) || !strstr(err.message, cases[i].pointer))
			fail_msg("%s: \"%s\" lacks \"%s\"", cases[i].given, err.message,
				 cases[i].says);
	}
}

static void a_name_that_resembles_nothing_gets_no_suggestion(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_false(load(&cfg, &err, "VIESTI_QQQQQQQQ=1", NULL, NULL, NULL));
	assert_null(strstr(err.message, "did you mean"));
	char longest[600] = "VIESTI_";
	memset(longest + 7, 'A', sizeof(longest) - 10);
	longest[sizeof(longest) - 3] = '=';
	longest[sizeof(longest) - 2] = '1';
	longest[sizeof(longest) - 1] = '\0';
	assert_false(load(&cfg, &err, longest, NULL, NULL, NULL));
	assert_non_null(strstr(err.message, "is not an option"));
}

static void empty_counts_as_not_given(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_true(load(&cfg, &err, "VIESTI_WORKERS=", "VIESTI_KEY_FILE=", "VIESTI_REDIS_URL=",
			 "VIESTI_CONFIG="));
	assert_int_equal(cfg.workers, 8);
	assert_int_equal(cfg.origin[CONFIG_ROW_workers].kind, CONFIG_DEFAULT);
	config_release(&cfg);
}

static void environment_wins_over_file_over_default(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;
	char token[256], path[256], text[512], variable[300];

	(void)state;
	write_file("token", "a-token-from-a-file\n", token);
	snprintf(text, sizeof(text),
		 "# ours\n\n  workers = 3 \r\nport=9000\n\tlisten\t=\t::1\nadmin_token_file = %s",
		 token);
	snprintf(variable, sizeof(variable), "VIESTI_CONFIG=%s", write_file("a.conf", text, path));
	assert_true(load(&cfg, &err, "VIESTI_PORT=0", variable, NULL, NULL));
	assert_int_equal(cfg.workers, 3);
	assert_int_equal(cfg.port, 0);
	assert_string_equal(cfg.listen, "::1");
	assert_string_equal(cfg.admin_token.p, "a-token-from-a-file");
	assert_int_equal(cfg.origin[CONFIG_ROW_workers].kind, CONFIG_FILE);
	assert_string_equal(cfg.origin[CONFIG_ROW_workers].path, path);
	assert_int_equal(cfg.origin[CONFIG_ROW_port].kind, CONFIG_ENVIRONMENT);
	assert_string_equal(cfg.origin[CONFIG_ROW_admin_token].path, token);
	config_release(&cfg);

	assert_true(load(&cfg, &err, "VIESTI_ADMIN_TOKEN=a-token-from-environment", variable, NULL,
			 NULL));
	assert_string_equal(cfg.admin_token.p, "a-token-from-environment");
	assert_null(cfg.origin[CONFIG_ROW_admin_token].path);
	config_release(&cfg);
}

static void a_bad_file_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "workers = 3\nworkers = 4\n", "line 2: \"workers\" is given twice" },
		{ "workers = 3\nworkers_file = /x\n", "line 2: \"workers_file\" is given twice" },
		{ "\nworker = 3\n", "line 2: \"worker\" is not an option of viesti; did you mean "
				    "\"workers\"?" },
		{ "VIESTI_WORKERS = 3\n", "did you mean \"workers\"?" },
		{ "workers\n", "line 1: expected \"name = value\"" },
		{ "= 3\n", "is not an option" },
		{ "workers = 300\n", "1..256" },
	};
	char path[256], variable[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config cfg = { 0 };
		struct err err = ERR_INIT;

		snprintf(variable, sizeof(variable), "VIESTI_CONFIG=%s",
			 write_file("bad.conf", cases[i].text, path));
		if (load(&cfg, &err, variable, NULL, NULL, NULL))
			fail_msg("accepted: %s", cases[i].text);
		if (!strstr(err.message, cases[i].says) || !strstr(err.message, path))
			fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].says);
	}
}

static void secret_files_are_read_and_checked(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;
	char path[256], variable[300];

	(void)state;
	snprintf(variable, sizeof(variable), "VIESTI_KEY_FILE=%s",
		 write_file("key", KEY "\n", path));
	assert_true(
		load(&cfg, &err, variable, "VIESTI_REDIS_URL=redis://u:hush@h:1/2", NULL, NULL));
	assert_string_equal(cfg.key.p, KEY);
	assert_string_equal(cfg.redis_url.p, "redis://u:hush@h:1/2");
	config_release(&cfg);

	assert_false(load(&cfg, &err, variable, "VIESTI_KEY=" KEY, NULL, NULL));
	assert_non_null(strstr(err.message, "VIESTI_KEY and VIESTI_KEY_FILE are both set"));
	assert_false(load(&cfg, &err, "VIESTI_KEY_FILE=/nowhere/key", NULL, NULL, NULL));
	assert_non_null(strstr(err.message, "VIESTI_KEY_FILE: cannot read /nowhere/key"));
	write_file("key", "\n", path);
	assert_false(load(&cfg, &err, variable, NULL, NULL, NULL));
	assert_non_null(strstr(err.message, "is empty"));
	write_file("key", "hush-hush", path);
	assert_false(load(&cfg, &err, variable, NULL, NULL, NULL));
	assert_non_null(strstr(err.message, "43..128 characters"));
	assert_null(strstr(err.message, "hush"));
}

static void a_file_too_large_or_binary_is_refused(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;
	char path[256], variable[300];
	static char big[70001];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	snprintf(variable, sizeof(variable), "VIESTI_KEY_FILE=%s", write_file("big", big, path));
	assert_false(load(&cfg, &err, variable, NULL, NULL, NULL));
	assert_non_null(strstr(err.message, "is not a text file of at most 65536 bytes"));
	assert_false(load(&cfg, &err, "VIESTI_KEY_FILE=/tmp", NULL, NULL, NULL));
	assert_non_null(strstr(err.message, "cannot read /tmp"));
}

static struct span printed(struct arena *arena, const struct config *cfg)
{
	struct strbuf sb = STRBUF_INIT(arena, 65536);

	config_print(cfg, &sb);
	assert_false(sb.failed);
	return strbuf_span(&sb);
}

static void print_shows_value_and_origin_and_no_secret(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	assert_true(load(&cfg, &err, "VIESTI_KEY=" KEY, "VIESTI_REDIS_URL=redis://u:hush@h:1/2",
			 "VIESTI_RETRY_MAX_AGE=72h", "VIESTI_MAX_BODY=1536"));
	const char *text = printed(arena, &cfg).p;
	assert_null(strstr(text, "hush"));
	assert_null(strstr(text, KEY));
	assert_non_null(strstr(text, "VIESTI_KEY=*** "));
	assert_non_null(strstr(text, "VIESTI_REDIS_URL=redis://***@h:1/2 "));
	assert_non_null(strstr(text, "VIESTI_RETRY_MAX_AGE=3d "));
	assert_non_null(strstr(text, "VIESTI_MAX_BODY=1536 "));
	assert_non_null(strstr(text, "VIESTI_BEAT=2500ms "));
	assert_non_null(strstr(text, "VIESTI_LOG_LEVEL=info "));
	assert_non_null(strstr(text, "# derived"));
	assert_non_null(strstr(text, "# environment"));
	config_release(&cfg);
	arena_free(arena);
}

static void certificates_for_redis_come_as_files_and_are_not_shown(void **state)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;
	struct arena *arena = arena_new(1 << 20);
	char path[256], variable[300];

	(void)state;
	snprintf(variable, sizeof(variable), "VIESTI_REDIS_CA_FILE=%s",
		 write_file("ca.pem", PEM, path));
	assert_true(
		load(&cfg, &err, "VIESTI_KEY=" KEY, "VIESTI_REDIS_URL=rediss://h", variable, NULL));
	assert_string_equal(cfg.redis_ca.p, "-----BEGIN CERTIFICATE-----\nMIIB\n"
					    "-----END CERTIFICATE-----");
	assert_non_null(strstr(printed(arena, &cfg).p, "VIESTI_REDIS_CA=*** "));
	config_release(&cfg);
	arena_free(arena);
}

/* What is printed is what was meant: it can be given back and comes out the same. */
static void printed_values_read_back(void **state)
{
	struct config cfg = { 0 }, again = { 0 };
	struct err err = ERR_INIT;
	struct arena *arena = arena_new(1 << 20);
	char *envp[256];
	size_t n = 0;

	(void)state;
	assert_true(load(&cfg, &err, NULL, NULL, NULL, NULL));
	char *save = NULL;
	char *text = arena_strdup(arena, printed(arena, &cfg).p);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#')
			continue;
		*strchr(line, ' ') = '\0';
		assert_true(n < ARRAY_SIZE(envp) - 1);
		envp[n++] = line;
	}
	envp[n] = NULL;
	assert_true(n > 30);
	if (!config_load(&again, systems, envp, &err))
		fail_msg("%s", err.message);
	assert_int_equal(again.retry_max_age_ms, cfg.retry_max_age_ms);
	assert_int_equal(again.max_body_bytes, cfg.max_body_bytes);
	assert_int_equal(again.quiet_ms, cfg.quiet_ms);
	config_release(&cfg);
	config_release(&again);
	arena_free(arena);
}

static void reference_and_sample_hold_every_option(void **state)
{
	static const char *const names[] = {
#define SECTION(tag, title)
#define OPTION(type, member, name, preset, allowed, doc) "VIESTI_" name,
#include "config/options.def"
#undef SECTION
#undef OPTION
	};
	struct arena *arena = arena_new(1 << 20);
	struct strbuf reference = STRBUF_INIT(arena, 65536), sample = STRBUF_INIT(arena, 65536);
	char wanted[128];

	(void)state;
	config_reference(systems, &reference);
	config_sample(systems, &sample);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(wanted, sizeof(wanted), "| `%s` | ", names[i]);
		assert_non_null(strstr(strbuf_span(&reference).p, wanted));
		snprintf(wanted, sizeof(wanted), "\n#%s=", names[i]);
		assert_non_null(strstr(strbuf_span(&sample).p, wanted));
	}
	arena_free(arena);
}

static void every_failed_allocation_is_an_error(void **state)
{
	char path[256], variable[300];

	(void)state;
	snprintf(variable, sizeof(variable), "VIESTI_KEY_FILE=%s",
		 write_file("key", KEY "\n", path));
	for (long n = 1;; n++) {
		struct config cfg = { 0 };
		struct err err = ERR_INIT;

		alloc_fail_after(n);
		bool ok = load(&cfg, &err, variable, "VIESTI_ADMIN_TOKEN=0123456789abcdef0", NULL,
			       NULL);
		alloc_fail_after(0);
		if (ok) {
			config_release(&cfg);
			assert_true(n > 3);
			return;
		}
		assert_int_equal(err.code, ERR_MEMORY);
	}
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {
		"token", "a.conf", "bad.conf", "key", "big", "ca.pem"
	};
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_table),
		cmocka_unit_test(values_are_read_by_type),
		cmocka_unit_test(each_refusal_names_option_value_and_what_is_allowed),
		cmocka_unit_test(a_name_that_resembles_nothing_gets_no_suggestion),
		cmocka_unit_test(empty_counts_as_not_given),
		cmocka_unit_test(environment_wins_over_file_over_default),
		cmocka_unit_test(a_bad_file_is_refused_with_its_line),
		cmocka_unit_test(secret_files_are_read_and_checked),
		cmocka_unit_test(a_file_too_large_or_binary_is_refused),
		cmocka_unit_test(print_shows_value_and_origin_and_no_secret),
		cmocka_unit_test(certificates_for_redis_come_as_files_and_are_not_shown),
		cmocka_unit_test(printed_values_read_back),
		cmocka_unit_test(reference_and_sample_hold_every_option),
		cmocka_unit_test(every_failed_allocation_is_an_error),
	};

	return cmocka_run_group_tests_name("config", tests, make_dir, remove_dir);
}
