/*
 * test_spotilla.c: Spotilla's client, opening and one call: keys, options, what every answer means,
 * when a write is in doubt.
 */
#include "base/base.h"

#include "meaning.h"
#include "spotilla_vendor.h"

static struct fake f; /* large */

static void missing_keys_are_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"{}",
		"{\"token\":\"a\",\"user_id\":\"1\"}",
		"{\"token\":\"a\",\"subdomain\":\"s\"}",
		"{\"token\":\"\",\"user_id\":1,\"subdomain\":\"s\"}",
		"[]",
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const struct json *j;
		struct spotilla sp;
		struct err err = ERR_INIT;
		fake_init(&f, arena, "{}", "{}");
		assert_true(json_parse(arena, span_of(cases[i]), JSON_LIMITS_API, &j, &err));
		assert_false(spotilla_open(&f.at, NULL, j, &sp, &err));
		assert_int_equal(err.code, ERR_CREDENTIALS);
		assert_string_equal(err.reason, "credentials_refused");
	}
}

static void address_and_states_may_be_the_connections(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct spotilla_vendor v = { 0 };
	struct spotilla sp;
	struct limit_key limit;
	struct err err = ERR_INIT;
	open_spotilla(&f, arena, "{}", &v, &sp);
	assert_string_equal(sp.base_url, "http://spotilla.test");
	assert_true(spotilla_is_done(&sp, "done"));
	assert_false(spotilla_is_done(&sp, "in_review"));
	assert_false(spotilla_is_done(&sp, NULL));
	assert_true(spotilla_limit(&f.systems, sp.subdomain, &limit, &err));
	assert_string_equal(limit.key, sp.limit_key);
	assert_string_equal(spotilla_signature_header(&f.systems), "X-Spotilla-Signature");
	open_spotilla(
		&f, arena,
		"{\"spotilla\":{\"url\":\"https://own/api\",\"done_states\":\" Laskutus,valmis "
		",,\"}}",
		&v, &sp);
	assert_string_equal(sp.base_url, "https://own/api");
	assert_string_equal(sp.done_states[0], "Laskutus");
	assert_string_equal(sp.done_states[1], "valmis");
	assert_null(sp.done_states[2]);
	assert_false(spotilla_is_done(&sp, "done"));
	char *long_name = arena_alloc(arena, 200);
	assert_non_null(long_name);
	memset(long_name, 'x', 100);
	assert_false(spotilla_limit(&f.systems, long_name, &limit, &err));
	assert_string_equal(err.pointer, "/credentials/spotilla/subdomain");
}

static void every_call_bears_the_three_values_of_the_key(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(4 << 20);
	struct spotilla_vendor v = { .body = "{\"id\":7,\"name\":\"A\"}" };
	struct spotilla sp;
	struct spotilla_customer c;
	const struct spotilla_customer_form form = { .name = "A" };
	struct err err = ERR_INIT;
	static const char keys[] = "X-User-Token: geheim\nX-User-Id: 17\nX-User-Subdomain: "
				   "esimerkki\nAccept: application/json\n";
	open_spotilla(&f, arena, "{}", &v, &sp);
	assert_true(spotilla_customer(&sp, "7/8 ä", &c, &err));
	assert_string_equal(v.last, "GET http://spotilla.test/customers/7%2F8%20%C3%A4");
	assert_string_equal(v.headers, keys);
	assert_true(spotilla_create_customer(&sp, &form, "key-1", &c, &err));
	assert_string_equal(v.last, "POST http://spotilla.test/customers");
	assert_non_null(strstr(v.headers, "Content-Type: application/json\n"));
	assert_non_null(strstr(v.headers, "Idempotency-Key: key-1\n"));
	/* A change back to what was once sent must be made, not answered from memory. */
	assert_true(spotilla_update_customer(&sp, "7", &form, &c, &err));
	assert_string_equal(v.last, "PATCH http://spotilla.test/customers/7");
	assert_null(strstr(v.headers, "Idempotency-Key"));
	f.spotilla.header_token = "X-Api-Key";
	f.spotilla.path_customers = "/v4/asiakkaat";
	assert_true(spotilla_customer(&sp, "7", &c, &err));
	assert_string_equal(v.last, "GET http://spotilla.test/v4/asiakkaat/7");
	assert_true(strncmp(v.headers, "X-Api-Key: geheim\n", 18) == 0);
}

static const struct meaning answers[] = {
	{ 401, NULL, REFUSAL("bad_key", ""), ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "Not possible" },
	{ 403, NULL, "", ERR_CREDENTIALS, ERR_CREDENTIALS, "credentials_refused", "" },
	{ 404, NULL, REFUSAL("not_found", ""), ERR_NOT_FOUND, ERR_NOT_FOUND, NULL, "Not possible" },
	{ 404, "text/html", "<html>", ERR_OUTAGE, ERR_OUTAGE, NULL, "<html>" },
	{ 404, NULL, "{\"message\":\"no route\"}", ERR_SYSTEM, ERR_SYSTEM, NULL,
	  "{\"message\":\"no route\"}" },
	{ 404, NULL, "{\"error\":\"no route\"}", ERR_SYSTEM, ERR_SYSTEM, NULL,
	  "{\"error\":\"no route\"}" },
	{ 409, NULL, REFUSAL("duplicate", ""), ERR_DUPLICATE, ERR_DUPLICATE, NULL, "Not possible" },
	{ 409, NULL, REFUSAL("locked", ""), ERR_DATA, ERR_DATA, "refused_by_target",
	  "Not possible" },
	{ 422, NULL, REFUSAL("invalid", ",\"fields\":{\"business_id\":[\"bad format\",\"twice\"]}"),
	  ERR_DATA, ERR_DATA, "refused_by_target", "Not possible; business_id: bad format: twice" },
	{ 422, NULL, "{\"error\":{\"code\":\"invalid\"}}", ERR_DATA, ERR_DATA, "refused_by_target",
	  "invalid" },
	{ 429, NULL, "", ERR_QUOTA, ERR_QUOTA, NULL, "" },
	{ 500, NULL, REFUSAL("duplicate", ""), ERR_OUTAGE, ERR_DOUBT, NULL, "Not possible" },
	{ 503, NULL, "down", ERR_OUTAGE, ERR_DOUBT, NULL, "down" },
	{ 302, NULL, "", ERR_SYSTEM, ERR_SYSTEM, NULL, "" },
	{ 200, "text/html", "<html>", ERR_OUTAGE, ERR_DOUBT, NULL, "<html>" },
	{ 200, NULL, "", ERR_OUTAGE, ERR_DOUBT, NULL, "" },
};

static void every_answer_has_its_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct spotilla_vendor v = { .status = answers[i].status,
					     .body = answers[i].body,
					     .type = answers[i].type };
		const struct spotilla_billing b = { .state = SPOTILLA_BILLING_WAITING };
		struct spotilla sp;
		struct spotilla_task t;
		struct err read = ERR_INIT, write = ERR_INIT;
		open_spotilla(&f, arena, "{}", &v, &sp);
		assert_false(spotilla_task(&sp, "1", &t, &read));
		assert_false(spotilla_mark_task(&sp, "1", &b, &write));
		assert_meaning(&answers[i], &read, &write, &read);
	}
}

/* Nothing but a record can be gone: a list or a new record whose path is not there is a fault. */
static void only_a_record_can_be_gone(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct spotilla_vendor v = { .status = 404, .body = REFUSAL("not_found", "") };
	const struct spotilla_customer_form form = { .name = "A" };
	struct spotilla sp;
	struct spotilla_customer c;
	struct err err = ERR_INIT;
	open_spotilla(&f, arena, "{}", &v, &sp);
	assert_false(spotilla_check(&sp, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_false(spotilla_create_customer(&sp, &form, "k", &c, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_false(spotilla_update_customer(&sp, "7", &form, &c, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void a_write_is_in_doubt_only_when_it_may_have_been_made(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		int64_t retry_after_ms;
		enum err_code cut, code;
	} cases[] = {
		{ 201, "{\"name\":\"A\"}", 0, ERR_NONE, ERR_DOUBT }, /* without an id */
		{ 201, "{\"id\":\"\"}", 0, ERR_NONE, ERR_DOUBT },
		{ 201, "{\"id\":7,\"name\":[]}", 0, ERR_NONE, ERR_DOUBT },
		{ 201, "[]", 0, ERR_NONE, ERR_DOUBT },
		{ 0, NULL, 0, ERR_DOUBT, ERR_DOUBT },
		{ 0, NULL, 0, ERR_OUTAGE, ERR_OUTAGE },
		{ 503, "", 2000, ERR_NONE, ERR_OUTAGE }, /* turned away at the door */
		{ 429, "", 2000, ERR_NONE, ERR_QUOTA },
		{ 422, "", 0, ERR_NONE, ERR_DATA },
		{ 401, "", 0, ERR_NONE, ERR_CREDENTIALS },
	};
	const struct spotilla_customer_form form = { .name = "A" };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct spotilla_vendor v = { .status = cases[i].status,
					     .body = cases[i].body,
					     .retry_after_ms = cases[i].retry_after_ms,
					     .cut = cases[i].cut };
		struct spotilla sp;
		struct spotilla_customer c;
		struct err err = ERR_INIT;
		open_spotilla(&f, arena, "{}", &v, &sp);
		assert_false(spotilla_create_customer(&sp, &form, "k", &c, &err));
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].retry_after_ms)
			assert_int_equal(err.retry_after_ms, 2000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_keys_are_refused),
		cmocka_unit_test(address_and_states_may_be_the_connections),
		cmocka_unit_test(every_call_bears_the_three_values_of_the_key),
		cmocka_unit_test(every_answer_has_its_meaning),
		cmocka_unit_test(only_a_record_can_be_gone),
		cmocka_unit_test(a_write_is_in_doubt_only_when_it_may_have_been_made),
	};
	return cmocka_run_group_tests_name("spotilla", tests, NULL, NULL);
}
