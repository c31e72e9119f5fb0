/* Errors: what each setter writes, keeps and cuts. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/utf8.h"

static void setting_resets_the_other_fields(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	err_target_text(&err, SPAN_LIT("their words"));
	err_pointer(&err, "/rows/%d", 3);
	err.upstream_status = 500;
	err.retry_after_ms = 5;
	assert_false(err_set(&err, ERR_OUTAGE, "no answer from %s", "netvisor"));
	assert_int_equal(err.code, ERR_OUTAGE);
	assert_string_equal(err.message, "no answer from netvisor");
	assert_string_equal(err.target_text, "");
	assert_string_equal(err.pointer, "");
	assert_int_equal(err.upstream_status, 0);
	assert_int_equal(err.retry_after_ms, -1);
	assert_null(err.reason);
}

static void a_reason_has_a_subject(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_false(err_reason(&err, ERR_DATA, "row_no_code", "row 3", "row %d", 3));
	assert_string_equal(err.reason, "row_no_code");
	assert_string_equal(err.subject, "row 3");
	assert_string_equal(err.message, "row 3");
	assert_false(err_reason(&err, ERR_DATA, "x", NULL, "y"));
	assert_string_equal(err.subject, "");
}

static void wrapping_keeps_all_else(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	(void)err_reason(&err, ERR_QUOTA, "quota", "org", "slow down");
	err.upstream_status = 429;
	err.retry_after_ms = 1500;
	assert_false(err_wrap(&err, "invoice %s", "10423"));
	assert_string_equal(err.message, "invoice 10423: slow down");
	assert_int_equal(err.code, ERR_QUOTA);
	assert_int_equal(err.upstream_status, 429);
	assert_int_equal(err.retry_after_ms, 1500);
	assert_string_equal(err.reason, "quota");
}

static void arguments_may_be_the_error_itself(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_DATA, "first");
	(void)err_set(&err, ERR_SYSTEM, "then %s", err.message);
	assert_string_equal(err.message, "then first");
	(void)err_reason(&err, ERR_DATA, "r", err.message, "about %s", err.message);
	assert_string_equal(err.subject, "then first");
	(void)err_wrap(&err, "%s", err.message);
	assert_string_equal(err.message, "about then first: about then first");
	err_target_text(&err, span_of("abc"));
	err_pointer(&err, "/%s", err.pointer);
	assert_string_equal(err.pointer, "/");
}

static void errno_is_put_into_words(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_false(err_errno(&err, ERR_SYSTEM, ENOENT, "open %s", "x"));
	assert_string_equal(err.message, "open x: No such file or directory");
	assert_false(err_errno(&err, ERR_SYSTEM, 99999, "open"));
	assert_string_equal(err.message, "open: Unknown error 99999");
}

static void long_texts_are_cut_on_a_character(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char text[4001];
	for (size_t i = 0; i < sizeof(text) - 1; i += 2)
		memcpy(text + i, "\xC3\xA4", 2);
	text[sizeof(text) - 1] = '\0';
	(void)err_reason(&err, ERR_DATA, "r", text, "%s", text);
	err_target_text(&err, span_of(text));
	err_pointer(&err, "%s", text);
	(void)err_wrap(&err, "x");
	assert_true(utf8_is_valid(span_of(err.message)));
	assert_true(utf8_is_valid(span_of(err.subject)));
	assert_true(utf8_is_valid(span_of(err.pointer)));
	assert_true(utf8_is_valid(span_of(err.target_text)));
	assert_int_equal(strlen(err.target_text), sizeof(err.target_text) - 2);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1); /* 3 + 254 * 2 */
}

static void foreign_bytes_are_cleaned(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	err_target_text(&err, SPAN_LIT("a\xFF"
				       "b\0c\xC3"));
	assert_string_equal(err.target_text, "a\xEF\xBF\xBD"
					     "b\xEF\xBF\xBD"
					     "c\xEF\xBF\xBD");
	err_target_text(&err, (struct span) { NULL, 0 });
	assert_string_equal(err.target_text, "");
}

static void nobody_may_care(void **state)
{
	(void)state;
	assert_false(err_set(NULL, ERR_DATA, "x"));
	assert_false(err_reason(NULL, ERR_DATA, "r", "s", "x"));
	assert_false(err_wrap(NULL, "x"));
	assert_false(err_errno(NULL, ERR_DATA, 1, "x"));
	err_target_text(NULL, SPAN_LIT("x"));
	err_pointer(NULL, "x");
}

static void every_code_has_a_name(void **state)
{
	(void)state;
	for (int code = ERR_NONE; code <= ERR_SYSTEM; code++) {
		assert_string_not_equal(err_code_name((enum err_code)code), "unknown");
		for (int other = ERR_NONE; other < code; other++)
			assert_string_not_equal(err_code_name((enum err_code)code),
						err_code_name((enum err_code)other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_resets_the_other_fields),
		cmocka_unit_test(a_reason_has_a_subject),
		cmocka_unit_test(wrapping_keeps_all_else),
		cmocka_unit_test(arguments_may_be_the_error_itself),
		cmocka_unit_test(errno_is_put_into_words),
		cmocka_unit_test(long_texts_are_cut_on_a_character),
		cmocka_unit_test(foreign_bytes_are_cleaned),
		cmocka_unit_test(nobody_may_care),
		cmocka_unit_test(every_code_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
