/* The log: whole lines of valid JSON, whatever the values hold. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/log.h"
#include "base/utf8.h"

/* What has been written, with the time stamp cut out; each call begins where the last ended. */
static int fd = -1;
static char got[64 * 1024];

static const char *lines(void)
{
	ssize_t n = pread(fd, got, sizeof(got) - 1, 0);
	assert_true(n >= 0);
	got[n] = '\0';
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return got;
}

/* The line behind its time stamp, which has a fixed width. */
static const char *line(void)
{
	static const char head[] = "{\"ts\":\"2026-11-22T00:00:00.000Z\",";
	const char *text = lines();
	assert_true(strlen(text) > sizeof(head));
	assert_memory_equal(text, "{\"ts\":\"", 7);
	return text + sizeof(head) - 1;
}

static int open_log(void **state)
{
	(void)state;
	fd = memfd_create("log", MFD_CLOEXEC);
	log_init(fd, LOG_DEBUG);
	return fd < 0;
}

static int close_log(void **state)
{
	(void)state;
	log_init(STDOUT_FILENO, LOG_INFO);
	return close(fd);
}

static void a_line_has_its_fields_in_order(void **state)
{
	(void)state;
	log_event(LOG_INFO, "transfer_done", LOG_S("transfer", "t-1"), LOG_I("ms", -12),
		  LOG_S("none", NULL));
	assert_string_equal(line(), "\"level\":\"info\",\"event\":\"transfer_done\","
				    "\"transfer\":\"t-1\",\"ms\":-12,\"none\":\"\"}\n");
	log_write(LOG_ERROR, "bare", NULL, 0);
	assert_string_equal(line(), "\"level\":\"error\",\"event\":\"bare\"}\n");
}

static void lines_cannot_be_injected_into(void **state)
{
	(void)state;
	log_event(LOG_WARN, "x",
		  LOG_S("v", "a\"},{\\\n\r\t\x1B[31m\x7F\xC2\x9B\xE2\x80\xA8\xFF\xC3\xA4"));
	assert_string_equal(line(),
			    "\"level\":\"warn\",\"event\":\"x\",\"v\":\"a\\\"},{\\\\\\n\\u000d"
			    "\\u0009\\u001b[31m\\u007f\\u009b\\u2028\xEF\xBF\xBD\xC3\xA4\"}\n");
}

static void long_lines_are_cut_and_say_so(void **state)
{
	(void)state;
	static char value[20000];
	static const char end[] = "\",\"truncated\":true}\n";
	for (size_t n = 8000; n < 8250; n++) {
		memset(value, 'x', sizeof(value));
		if (n % 2)
			memset(value, '\n', sizeof(value)); /* two bytes each */
		value[n] = '\0';
		log_event(LOG_INFO, "long", LOG_S("v", value), LOG_S("behind", "b"), LOG_I("n", 1));
		const char *text = line();
		size_t len = strlen(text);
		assert_true(len <= 8192);
		assert_int_equal(text[len - 1], '\n');
		assert_true(utf8_is_valid(span_of(text)));
		if (n > 8200 || n % 2)
			assert_string_equal(text + len - (sizeof(end) - 1), end);
	}
	for (size_t i = 0; i + 1 < sizeof(value); i += 2)
		memcpy(value + i, "\xC3\xA4", 2);
	value[sizeof(value) - 2] = '\0';
	log_event(LOG_INFO, "long", LOG_S("v", value));
	assert_true(utf8_is_valid(span_of(line())));
}

static void levels_filter(void **state)
{
	(void)state;
	uint64_t warns = log_count(LOG_WARN), infos = log_count(LOG_INFO);
	log_init(fd, LOG_WARN);
	log_event(LOG_INFO, "quiet", LOG_I("n", 1));
	log_event(LOG_WARN, "loud", LOG_I("n", 1));
	assert_string_equal(line(), "\"level\":\"warn\",\"event\":\"loud\",\"n\":1}\n");
	assert_false(log_is_on(LOG_INFO));
	assert_true(log_is_on(LOG_ERROR));
	log_init(fd, LOG_OFF);
	assert_false(log_is_on(LOG_ERROR));
	assert_false(log_is_on(LOG_OFF));
	log_event(LOG_ERROR, "none", LOG_I("n", 1));
	assert_string_equal(lines(), "");
	log_init(fd, LOG_DEBUG);
	assert_int_equal(log_count(LOG_WARN), warns + 1);
	assert_int_equal(log_count(LOG_INFO), infos);
	assert_int_equal(log_count(LOG_OFF), 0);
}

static void an_error_is_logged_with_its_fields(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	(void)err_reason(&err, ERR_DATA, "row_no_code", "row 3", "row has no code");
	err.upstream_status = 422;
	log_err(LOG_WARN, "failed", &err);
	assert_string_equal(line(), "\"level\":\"warn\",\"event\":\"failed\",\"code\":\"data\","
				    "\"reason\":\"row_no_code\",\"subject\":\"row 3\","
				    "\"message\":\"row has no code\",\"upstream_status\":422}\n");
}

static void *write_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		log_event(LOG_INFO, "thread", LOG_I("n", i));
	return NULL;
}

static void threads_do_not_tear_lines(void **state)
{
	(void)state;
	pthread_t threads[4];
	uint64_t before = log_count(LOG_INFO);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(log_count(LOG_INFO), before + 400);
	int n = 0;
	for (const char *p = lines(); *p; n++) {
		const char *end = strchr(p, '\n');
		assert_non_null(end);
		assert_memory_equal(p, "{\"ts\":\"", 7);
		assert_int_equal(end[-1], '}');
		p = end + 1;
	}
	assert_int_equal(n, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_its_fields_in_order),
		cmocka_unit_test(lines_cannot_be_injected_into),
		cmocka_unit_test(long_lines_are_cut_and_say_so),
		cmocka_unit_test(levels_filter),
		cmocka_unit_test(an_error_is_logged_with_its_fields),
		cmocka_unit_test(threads_do_not_tear_lines),
	};
	return cmocka_run_group_tests(tests, open_log, close_log);
}
