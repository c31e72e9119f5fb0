/*
 * test_maventa.c: what Maventa may answer that its stand-in does not: the error model, tokens, odd
 * values.
 */
#include "base/base.h"

#include "maventa_vendor.h"
#include "meaning.h"

static struct fake f; /* large */

/* ---- opening -------------------------------------------------------------------------------- */

static void missing_keys_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *json, *reason, *words;
	} cases[] = {
		{ "{}", "credentials_refused", "Company UUID" },
		{ "{\"company_uuid\":\"a\"}", "credentials_refused", "User API key" },
		{ "{\"company_uuid\":\"a\",\"user_api_key\":\"b\"}", "vendor_key_refused",
		  "vendor" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const struct json *j;
		struct maventa mv;
		struct err err = ERR_INIT;
		fake_init(&f, arena, "{}", "{}");
		f.maventa.vendor_key = (struct secret) { NULL, 0 };
		assert_true(json_parse(arena, span_of(cases[i].json), JSON_LIMITS_API, &j, &err));
		assert_false(maventa_open(&f.at, NULL, j, &mv, &err));
		assert_int_equal(err.code, ERR_CREDENTIALS);
		assert_string_equal(err.reason, cases[i].reason);
		assert_non_null(strstr(err.message, cases[i].words));
		assert_false(maventa_open_vendor(&f.at, NULL, j, &mv, &err));
	}
}

static void addresses_and_vendor_key_may_be_the_connections(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	static const char text[] =
		"{\"company_uuid\":\"a\",\"user_api_key\":\"b\",\"vendor_api_key\":\"c\","
		"\"maventa\":{\"url\":\"https://ax-stage.maventa.com\",\"soap_url\":\"https://s/"
		"w\"}}";
	const struct json *j;
	struct maventa mv;
	struct limit_key limit;
	struct err err = ERR_INIT;
	fake_init(&f, arena, "{}", "{}");
	assert_true(json_parse(arena, span_of(text), JSON_LIMITS_API, &j, &err));
	assert_true(maventa_open(&f.at, j, j, &mv, &err));
	assert_string_equal(mv.base_url, "https://ax-stage.maventa.com");
	assert_string_equal(mv.soap_url, "https://s/w");
	assert_string_equal(mv.vendor_key, "c");
	assert_true(maventa_limit(&f.systems, mv.company, &limit, &err));
	assert_string_equal(limit.key, mv.limit_key);
	assert_int_equal(limit.max_running, 4);
	char *company = arena_alloc(arena, 200);
	assert_non_null(company);
	memset(company, 'x', 100);
	assert_false(maventa_limit(&f.systems, company, &limit, &err));
	assert_string_equal(err.pointer, "/credentials/maventa/company_uuid");
}

/* The uuids that name our sendings are made of the company's: pasted anew in capitals, it is no
 * other account. */
static void MV_15_a_company_is_one_however_it_is_written(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	static const char *const texts[] = {
		"{\"company_uuid\":\"ABCDEF11-1111-4111-8111-111111111111\",\"user_api_key\":"
		"\"k\"}",
		"{\"company_uuid\":\"abcdef11-1111-4111-8111-111111111111\",\"user_api_key\":"
		"\"k\"}",
	};
	struct maventa mv[2];
	struct limit_key limit;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct json *j;
		fake_init(&f, arena, "{}", "{}");
		assert_true(json_parse(arena, span_of(texts[i]), JSON_LIMITS_API, &j, &err));
		assert_true(maventa_open(&f.at, NULL, j, &mv[i], &err));
		assert_true(maventa_limit(&f.systems, json_str(json_get(j, "company_uuid")), &limit,
					  &err));
		assert_string_equal(limit.key, mv[i].limit_key);
	}
	assert_string_equal(mv[0].company, mv[1].company);
	assert_string_equal(mv[0].token_key, mv[1].token_key);
}

/* ---- the error model ------------------------------------------------------------------------ */

#define BODY(details) \
	"{\"code\":\"c\",\"message\":\"Error while creating invoice\",\"details\":" details "}"

static const struct meaning answers[] = {
	{ 400, NULL, BODY("[\"ERROR: INVOICE DATE NOT FOUND\",\"b\"]"), ERR_DATA, ERR_DATA,
	  "refused_by_target", "Error while creating invoice: ERROR: INVOICE DATE NOT FOUND: b" },
	{ 422, NULL, BODY("\"a plain text\""), ERR_DATA, ERR_DATA, "refused_by_target",
	  "Error while creating invoice: a plain text" },
	{ 409, NULL, "{\"code\":\"document_in_invalid_state\"}", ERR_DATA, ERR_DATA,
	  "refused_by_target", "document_in_invalid_state" },
	{ 401, NULL, "", ERR_CREDENTIALS, ERR_CREDENTIALS, "credentials_refused", "" },
	{ 403, NULL, "[]", ERR_CREDENTIALS, ERR_CREDENTIALS, "credentials_refused", "[]" },
	{ 400, NULL, BODY("[\"ERROR: COMPANY NOT FOUND\"]"), ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "Error while creating invoice: ERROR: COMPANY NOT FOUND" },
	{ 400, NULL, BODY("[\"ERROR: RECEIVER COMPANY NOT FOUND\"]"), ERR_DATA, ERR_DATA,
	  "refused_by_target", "Error while creating invoice: ERROR: RECEIVER COMPANY NOT FOUND" },
	{ 400, NULL, "{\"message\":\"error: company account is locked\"}", ERR_CREDENTIALS,
	  ERR_CREDENTIALS, "account_not_ready", "error: company account is locked" },
	{ 400, NULL, BODY("[\"ERROR: VENDOR DAILY INVOICE LIMIT (500) REACHED\"]"), ERR_QUOTA,
	  ERR_QUOTA, NULL,
	  "Error while creating invoice: ERROR: VENDOR DAILY INVOICE LIMIT (500) REACHED" },
	{ 404, NULL, "{\"code\":\"not_found\",\"message\":\"Not Found\"}", ERR_NOT_FOUND,
	  ERR_SYSTEM, NULL, "Not Found" },
	{ 404, "text/html", "<html>", ERR_OUTAGE, ERR_OUTAGE, NULL, "<html>" },
	{ 429, NULL, "", ERR_QUOTA, ERR_QUOTA, NULL, "" },
	{ 500, NULL, BODY("[\"ERROR: COMPANY NOT FOUND\"]"), ERR_OUTAGE, ERR_DOUBT, NULL,
	  "Error while creating invoice: ERROR: COMPANY NOT FOUND" },
	{ 503, NULL, "down", ERR_OUTAGE, ERR_DOUBT, NULL, "down" },
	{ 301, NULL, "", ERR_SYSTEM, ERR_SYSTEM, NULL, "" },
	{ 200, NULL, "no json", ERR_OUTAGE, ERR_DOUBT, NULL, "no json" },
};

static void every_answer_has_its_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .status = answers[i].status,
					    .body = answers[i].body,
					    .type = answers[i].type };
		struct maventa mv;
		struct maventa_authorization a;
		struct err read = ERR_INIT, write = ERR_INIT;
		const char *text;
		open_maventa(&f, arena, &v, &mv);
		assert_false(maventa_authorization(&mv, &a, &read));
		assert_false(maventa_link(&mv, &text, &write));
		assert_meaning(&answers[i], &read, &write, &read);
	}
}

static void a_used_up_day_ends_and_a_told_wait_is_kept(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_vendor v = { .status = 400,
				    .body = BODY("[\"USER DAILY INVOICE LIMIT (5)\"]") };
	struct maventa mv;
	struct maventa_authorization a;
	struct err err = ERR_INIT;
	open_maventa(&f, arena, &v, &mv);
	assert_false(maventa_authorization(&mv, &a, &err));
	assert_true(err.retry_after_ms > 0 && err.retry_after_ms <= 25 * 3600 * 1000);
	v.retry_after_ms = 5000;
	assert_false(maventa_authorization(&mv, &a, &err));
	assert_int_equal(err.retry_after_ms, 5000);
}

/* A login that is refused, broken, or not there, is never the fault of a document. */
static void logins_fail_in_their_own_way(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		enum err_code code;
	} cases[] = {
		{ 401, "", ERR_CREDENTIALS },
		{ 400, "{\"error\":\"invalid_client\"}", ERR_CREDENTIALS },
		{ 404, "{}", ERR_SYSTEM },
		{ 500, "", ERR_OUTAGE },
		{ 200, "{}", ERR_SYSTEM },
		{ 200, "{\"access_token\":\"\"}", ERR_SYSTEM },
		{ 200, "<", ERR_OUTAGE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .login_status = cases[i].status,
					    .login_body = cases[i].body };
		struct maventa mv;
		struct maventa_authorization a;
		struct err err = ERR_INIT;
		open_maventa(&f, arena, &v, &mv);
		assert_false(maventa_authorization(&mv, &a, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(v.calls, 0);
	}
}

static void a_refused_token_is_replaced_once(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_vendor v = { .body = "{\"auth_state\":\"SENT\"}" };
	struct maventa mv;
	struct maventa_authorization a;
	struct err err = ERR_INIT;
	open_maventa(&f, arena, &v, &mv);
	assert_true(maventa_authorization(&mv, &a, &err));
	v.status = 401;
	assert_false(maventa_authorization(&mv, &a, &err));
	assert_int_equal(v.logins, 2);
	assert_int_equal(v.calls, 3); /* one with the old token, one with the new */
	assert_false(maventa_authorization(&mv, &a, &err));
	assert_int_equal(v.logins, 3);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void what_is_not_known_of_an_invoice_is_never_sent(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		enum maventa_state state;
	} cases[] = {
		{ "{\"id\":\"" UUID "\",\"status\":\"DELIVERED\"}", MAVENTA_DELIVERED },
		{ "{\"id\":\"" UUID "\",\"status\":\"FAILED\",\"sum\":null}", MAVENTA_FAILED },
		{ "{\"id\":\"" UUID "\",\"status\":\"PENDING\",\"sum\":\"x\"}", MAVENTA_PENDING },
		{ "{\"id\":\"" UUID "\",\"status\":\"PROCESSING\"}", MAVENTA_PENDING },
		{ "{\"id\":\"" UUID "\",\"status\":\"SENT\"}", MAVENTA_PENDING },
		{ "{\"id\":\"" UUID "\",\"status\":1}", MAVENTA_PENDING },
		{ "{\"id\":\"" UUID "\",\"status\":null}", MAVENTA_PENDING },
		{ "{\"id\":\"" UUID "\"}", MAVENTA_PENDING },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .body = cases[i].body };
		struct maventa mv;
		struct maventa_invoice in;
		struct err err = ERR_INIT;
		open_maventa(&f, arena, &v, &mv);
		assert_true(maventa_invoice(&mv, UUID, &in, &err));
		assert_int_equal(in.state, cases[i].state);
		assert_string_equal(in.id, UUID);
		assert_false(in.has_sum);
		v.body = "{\"id\":\"7\",\"status\":\"DELIVERED\"}";
		assert_false(maventa_invoice(&mv, UUID, &in, &err));
		assert_int_equal(err.code, ERR_SYSTEM);
	}
}

static void sums_keep_their_digits_and_ids_lose_their_case(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_vendor v = {
		.body = "{\"id\":\"7B0C2F0E-2F55-4D2B-9C39-6A1F6D1F5A01\",\"sum\":"
			"100.10,\"sum_tax\":125.63,\"number\":10042,"
			"\"date\":\"2026-02-03T00:00:00Z\"}"
	};
	struct maventa mv;
	struct maventa_invoice in;
	struct err err = ERR_INIT;
	char text[DECIMAL_TEXT_MAX];
	open_maventa(&f, arena, &v, &mv);
	assert_true(maventa_invoice(&mv, UUID, &in, &err));
	assert_string_equal(in.id, UUID);
	assert_string_equal(in.number, "10042");
	assert_string_equal(in.date, "2026-02-03");
	assert_string_equal(decimal_format(in.gross, 2, '.', text), "125.63");
}

static void lists_with_strangers_are_a_fault(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_vendor v = { .body = "[{\"id\":\"" UUID "\"},{\"id\":\"" UUID "\"}]" };
	const char *const uuids[] = { UUID };
	const struct maventa_invoice *list;
	struct maventa mv;
	size_t n;
	struct err err = ERR_INIT;
	open_maventa(&f, arena, &v, &mv);
	assert_false(maventa_invoices(&mv, uuids, 1, &list, &n, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_string_equal(v.last_url, "GET http://maventa.test/v1/invoices?direction=SENT&page=1"
					"&per_page=100&ids=" UUID);
}

static void the_newest_error_tells_why(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_vendor v = {
		.body = "[{\"type\":\"ERROR\",\"message\":\"new\",\"happened_at\":"
			"\"2026-02-03T10:00:00Z\"},{\"type\":\"ERROR\",\"message\":"
			"null,\"happened_at\":\"2026-02-03T11:00:00Z\"},{\"type\":"
			"\"ERROR\",\"message\":\"old\",\"happened_at\":\"2026-02-01T1"
			"1:00:00Z\"},{}]"
	};
	struct maventa mv;
	const char *text;
	struct err err = ERR_INIT;
	open_maventa(&f, arena, &v, &mv);
	assert_true(maventa_failure(&mv, UUID, &text, &err));
	assert_string_equal(text, "new");
	v.body = "[]";
	assert_true(maventa_failure(&mv, UUID, &text, &err));
	assert_string_equal(text, "");
}

static void a_hint_names_an_invoice_wherever_it_stands(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		bool ok;
	} cases[] = {
		{ "{\"id\":\"" UUID "\"}", true },
		{ "{\"id\":17,\"invoice_id\":\"7B0C2F0E-2F55-4D2B-9C39-6A1F6D1F5A01\"}", true },
		{ "{\"id\":\"evt_1\",\"document_id\":\"" UUID "\"}", true },
		{ "{\"event\":\"DOCUMENTS.INVOICE.FAILED\",\"data\":{\"id\":\"" UUID "\"}}", true },
		{ "{\"data\":{\"invoice\":\"" UUID "\"}}", false },
		{ "{\"id\":\"7b0c2f0e-2f55-4d2b-9c39-6a1f6d1f5a0\"}", false },
		{ "{\"id\":\"7b0c2f0e02f5504d2b09c3906a1f6d1f5a01\"}", false },
		{ "[]", false },
		{ "", false },
	};
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	const char *uuid;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool ok = maventa_read_hint(arena, span_of(cases[i].body), &uuid, &err);
		assert_int_equal(ok, cases[i].ok);
		if (ok)
			assert_string_equal(uuid, UUID);
		else
			assert_int_equal(err.code, ERR_INPUT);
	}
	char *large = arena_printf(arena, "{\"id\":\"" UUID "\",\"x\":\"%070000d\"}", 0);
	assert_false(maventa_read_hint(arena, span_of(large), &uuid, &err));
}

static void an_account_is_the_one_that_its_uuid_names(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_vendor v = { .body = "{\"company\":{\"id\":\"" UUID "\"},\"user\":{}}" };
	struct maventa mv;
	struct maventa_current c;
	struct err err = ERR_INIT;
	open_maventa(&f, arena, &v, &mv);
	assert_false(maventa_current(&mv, &c, &err));
	assert_int_equal(err.code, ERR_CREDENTIALS);
	v.body = "{\"company\":{\"id\":\"" COMPANY "\",\"disabled\":true}}";
	assert_true(maventa_current(&mv, &c, &err));
	assert_true(c.is_disabled);
	assert_string_equal(c.missing_scopes, ""); /* nothing is said of scopes */
	v.body = "{\"company\":{\"id\":\"" COMPANY "\"},\"scopes\":[\"company:read\",\"x\"]}";
	assert_true(maventa_current(&mv, &c, &err));
	assert_string_equal(c.missing_scopes, "invoice:send invoice:receive company:write lookup");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_keys_are_named),
		cmocka_unit_test(addresses_and_vendor_key_may_be_the_connections),
		cmocka_unit_test(MV_15_a_company_is_one_however_it_is_written),
		cmocka_unit_test(every_answer_has_its_meaning),
		cmocka_unit_test(a_used_up_day_ends_and_a_told_wait_is_kept),
		cmocka_unit_test(logins_fail_in_their_own_way),
		cmocka_unit_test(a_refused_token_is_replaced_once),
		cmocka_unit_test(what_is_not_known_of_an_invoice_is_never_sent),
		cmocka_unit_test(sums_keep_their_digits_and_ids_lose_their_case),
		cmocka_unit_test(lists_with_strangers_are_a_fault),
		cmocka_unit_test(the_newest_error_tells_why),
		cmocka_unit_test(a_hint_names_an_invoice_wherever_it_stands),
		cmocka_unit_test(an_account_is_the_one_that_its_uuid_names),
	};
	return cmocka_run_group_tests_name("maventa", tests, NULL, NULL);
}
