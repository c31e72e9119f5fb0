/* test_verdict.c: the table of net/verdict.h, and how a verdict travels as an error. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "net/verdict.h"

static const struct {
	int status;
	int64_t retry_after_ms;
	enum verdict read, write;
} table[] = {
	{ 200, -1, VERDICT_OK, VERDICT_OK },
	{ 201, -1, VERDICT_OK, VERDICT_OK },
	{ 299, -1, VERDICT_OK, VERDICT_OK },
	{ 404, -1, VERDICT_NOT_FOUND, VERDICT_NOT_FOUND },
	{ 400, -1, VERDICT_BAD_DATA, VERDICT_BAD_DATA },
	{ 409, -1, VERDICT_BAD_DATA, VERDICT_BAD_DATA },
	{ 413, -1, VERDICT_BAD_DATA, VERDICT_BAD_DATA },
	{ 415, -1, VERDICT_BAD_DATA, VERDICT_BAD_DATA },
	{ 422, -1, VERDICT_BAD_DATA, VERDICT_BAD_DATA },
	{ 401, -1, VERDICT_CREDENTIALS, VERDICT_CREDENTIALS },
	{ 403, -1, VERDICT_CREDENTIALS, VERDICT_CREDENTIALS },
	{ 429, -1, VERDICT_QUOTA, VERDICT_QUOTA },
	{ 429, 5000, VERDICT_QUOTA, VERDICT_QUOTA },
	{ 408, -1, VERDICT_OUTAGE, VERDICT_DOUBT },
	{ 500, -1, VERDICT_OUTAGE, VERDICT_DOUBT },
	{ 500, 1000, VERDICT_OUTAGE, VERDICT_DOUBT },
	{ 502, -1, VERDICT_OUTAGE, VERDICT_DOUBT },
	{ 503, -1, VERDICT_OUTAGE, VERDICT_DOUBT },
	{ 503, 0, VERDICT_OUTAGE, VERDICT_OUTAGE },
	{ 503, 60000, VERDICT_OUTAGE, VERDICT_OUTAGE },
	{ 599, -1, VERDICT_OUTAGE, VERDICT_DOUBT },
	{ 100, -1, VERDICT_FAULT, VERDICT_FAULT },
	{ 301, -1, VERDICT_FAULT, VERDICT_FAULT },
	{ 405, -1, VERDICT_FAULT, VERDICT_FAULT },
	{ 410, -1, VERDICT_FAULT, VERDICT_FAULT },
	{ 600, -1, VERDICT_FAULT, VERDICT_FAULT },
	{ 0, -1, VERDICT_FAULT, VERDICT_FAULT },
};

static void OP_03_a_status_means_what_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct http_reply r = { .status = table[i].status,
					.retry_after_ms = table[i].retry_after_ms };
		if (verdict_of_status(&r, false) != table[i].read ||
		    verdict_of_status(&r, true) != table[i].write)
			fail_msg("HTTP %d", r.status);
	}
}

static const struct {
	enum verdict verdict;
	enum err_code code;
	const char *name;
} codes[] = {
	{ VERDICT_DUPLICATE, ERR_DUPLICATE, "duplicate" },
	{ VERDICT_NOT_FOUND, ERR_NOT_FOUND, "not_found" },
	{ VERDICT_BAD_DATA, ERR_DATA, "bad_data" },
	{ VERDICT_CREDENTIALS, ERR_CREDENTIALS, "credentials" },
	{ VERDICT_QUOTA, ERR_QUOTA, "quota" },
	{ VERDICT_OUTAGE, ERR_OUTAGE, "outage" },
	{ VERDICT_DOUBT, ERR_DOUBT, "doubt" },
	{ VERDICT_FAULT, ERR_SYSTEM, "fault" },
};

static void OP_05_an_error_carries_the_vendors_own_words(void **state)
{
	(void)state;
	struct http_reply r = { .status = 429, .retry_after_ms = 7000 };
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct err err = ERR_INIT;
		assert_false(verdict_to_err(codes[i].verdict, &r,
					    SPAN_LIT("Laskunumero \"1\" on jo"),
					    "sending invoice 1", &err));
		assert_int_equal(err.code, codes[i].code);
		assert_int_equal(err.upstream_status, 429);
		assert_int_equal(err.retry_after_ms, 7000);
		assert_string_equal(err.target_text, "Laskunumero \"1\" on jo");
		assert_ptr_equal(strstr(err.message, "sending invoice 1: HTTP 429"), err.message);
		assert_string_equal(verdict_name(codes[i].verdict), codes[i].name);
		assert_false(verdict_to_err(codes[i].verdict, &r, SPAN_LIT(""), "x", NULL));
	}
}

static void ok_is_no_error(void **state)
{
	(void)state;
	struct http_reply r = { .status = 200, .retry_after_ms = -1 };
	struct err err = ERR_INIT;
	assert_true(verdict_to_err(VERDICT_OK, &r, SPAN_LIT("fine"), "x", &err));
	assert_int_equal(err.code, ERR_NONE);
	assert_string_equal(err.target_text, "");
	assert_string_equal(verdict_name(VERDICT_OK), "ok");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(OP_03_a_status_means_what_the_table_says),
		cmocka_unit_test(OP_05_an_error_carries_the_vendors_own_words),
		cmocka_unit_test(ok_is_no_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
