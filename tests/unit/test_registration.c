/*
 * test_registration.c: the states of a registration and an authentication (MV-02 to MV-05), against
 * a Severa and a Maventa of a few lines: what is stored before the one call that cannot be
 * repeated, from which states it is made, and where each answer, look-up and lost lease leads.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "flows/fake.h"
#include "flows/severa_maventa.h"

#define KEYS "\"severa\":{\"client_id\":\"c\",\"client_secret\":\"s\"}"
#define VAT "FI90001022"
#define SOAP_OK                                                                                   \
	"<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><r><status>OK" \
	"</status><company_uuid>u-1</company_uuid><user_api_key>%s</user_api_key></r></e:Body>"   \
	"</e:Envelope>"

static struct {
	bool is_taken, has_no_partner, is_lost_at_save, is_stale_at_save;
	enum err_code soap_cut; /* ERR_NONE: it answers */
	const char *key; /* in the answer; "": the person has an account */
	const char *company_state, *auth_state;
	int soap_calls, lookups, requests, saves, patches;
	bool intent_was_saved; /* before the SOAP call */
	char saved_state[32], patch[512];
} v;

static struct fake f; /* large */
static struct arena *arena;
static struct attempt_ops ops;

static bool answer(struct http_reply *ret, const char *body, const char *type)
{
	*ret = (struct http_reply) {
		.status = 200, .body = span_of(body), .content_type = type, .retry_after_ms = -1
	};
	return true;
}

static bool serve_maventa(const struct call *call, struct http_reply *ret, struct err *err)
{
	const char *url = call->rq.url;
	if (strstr(url, "/wsdl"))
		return answer(ret,
			      "<definitions><service><port><address location=\"http://x/api\"/>"
			      "</port></service></definitions>",
			      "text/xml");
	if (strstr(url, "/lookups/companies")) {
		v.lookups++;
		return answer(ret,
			      v.is_taken ? "[{\"company_bid\":\"9000102-2\",\"company_status\":"
					   "\"RESERVED\"}]"
					 : "[{\"company_bid\":\"9000102-2\",\"company_status\":"
					   "\"FREE\"}]",
			      "application/json");
	}
	if (strstr(url, "/company/authorization")) {
		v.requests += strcmp(call->rq.method, "POST") == 0;
		return answer(ret,
			      arena_printf(arena,
					   "{\"auth_state\":\"%s\",\"auth_email\":\"a@b.fi\","
					   "\"company_state\":\"%s\"}",
					   v.auth_state, v.company_state),
			      "application/json");
	}
	v.soap_calls++;
	v.intent_was_saved = strcmp(v.saved_state, "registering") == 0;
	v.is_taken = v.is_taken || v.soap_cut == ERR_DOUBT;
	if (v.soap_cut != ERR_NONE)
		return err_set(err, v.soap_cut, "cut");
	return answer(ret, arena_printf(arena, SOAP_OK, v.key), "text/xml");
}

static bool serve(struct fake *fake, const struct call *call, struct http_reply *ret,
		  struct err *err)
{
	const char *url = call->rq.url;
	(void)fake;
	if (strstr(url, "/token"))
		return answer(ret, "{\"access_token\":\"t\",\"expires_in\":3600}",
			      "application/json");
	if (strstr(url, "/organizationdetails"))
		return answer(ret, "{\"name\":\"Kajo Data Oy\",\"vatNumber\":\"" VAT "\"}",
			      "application/json");
	if (strstr(url, "/businessunits"))
		return answer(ret, "[]", "application/json");
	return serve_maventa(call, ret, err);
}

/* --- operations of a dialogue --- */

static bool save(struct attempt *at, const char *dialogue, struct record *rec, struct err *err)
{
	(void)at, (void)dialogue;
	if (v.is_stale_at_save)
		return err_reason(err, ERR_CONFLICT, "stale", "", "changed meanwhile");
	snprintf(v.saved_state, sizeof(v.saved_state), "%s", record_str(rec, "state"));
	v.saves++;
	if (v.is_lost_at_save && v.soap_calls)
		return err_set(err, ERR_LEASE, "lost");
	return true;
}

static bool no_records(struct attempt *at, const char *dialogue, struct record **ret, size_t *ret_n,
		       struct err *err)
{
	(void)at, (void)dialogue, (void)err;
	*ret = NULL;
	*ret_n = 0;
	return true;
}

static bool no_peers(struct attempt *at, const struct record *rec, const struct peer **ret,
		     size_t *ret_n, struct err *err)
{
	(void)at, (void)rec, (void)err;
	*ret = NULL;
	*ret_n = 0;
	return true;
}

static bool patch(struct attempt *at, const struct record *rec, const char *json, struct err *err)
{
	(void)at, (void)rec, (void)err;
	snprintf(v.patch, sizeof(v.patch), "%s", json);
	v.patches++;
	return true;
}

static int set_up(void **state)
{
	(void)state;
	memset(&v, 0, sizeof(v));
	v.key = "key-of-a-new-user";
	v.company_state = "UNVERIFIED";
	v.auth_state = "NONE";
	arena = arena_new((size_t)8 << 20);
	fake_init(&f, arena, "{}", "{" KEYS "}");
	f.exchange = serve;
	f.maventa.url = "http://x";
	f.maventa.soap_url = "http://x/wsdl";
	f.maventa.partner_company = "p";
	f.maventa.auth_poll_ms = 3600000;
	f.maventa.auth_poll_for_ms = 1209600000;
	static char partner[] = "partner-user-api-key";
	f.maventa.partner_key = (struct secret) { partner, sizeof(partner) - 1 };
	ops = *f.at.ops;
	ops.record_put = save;
	ops.records = no_records;
	ops.peers = no_peers;
	ops.connection_patch = patch;
	f.at.ops = &ops;
	f.at.quiet_ms = 60000;
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* --- records --- */

static struct record registration(const char *state)
{
	struct record rec = { .arena = arena };
	record_put_str(&rec, "id", "r1");
	record_put_str(&rec, "state", state);
	record_put_json(&rec, "company", "{\"vat_number\":\"" VAT "\"}");
	record_put_json(&rec, "given",
			"{\"first_name\":\"K\",\"last_name\":\"K\",\"email\":\"a@b.fi\"}");
	return rec;
}

static struct record doubtful(bool was_free, int64_t age_ms)
{
	struct record rec = registration("in_doubt");
	record_put_bool(&rec, "was_free", was_free);
	record_put_int(&rec, "intent_ms", clock_wall_ms() - age_ms);
	return rec;
}

static bool proceed(size_t dialogue, struct record *rec, struct err *err)
{
	return severa_maventa.dialogues[dialogue].proceed(&f.at, rec, err);
}

static void assert_state(const struct record *rec, const char *state)
{
	assert_string_equal(record_str(rec, "state"), state);
}

/* --- registering --- */

static void test_MV_03_the_key_goes_to_the_connection_and_out_of_the_record(void **state)
{
	(void)state;
	struct record rec = registration("accepted");
	struct err err = ERR_INIT;
	assert_true(proceed(0, &rec, &err));
	assert_state(&rec, "registered");
	assert_true(v.intent_was_saved);
	assert_int_equal(v.soap_calls, 1);
	assert_non_null(strstr(v.patch, "\"user_api_key\":\"key-of-a-new-user\""));
	assert_non_null(strstr(v.patch, "\"vat_number\":\"" VAT "\""));
	assert_string_equal(record_str(&rec, "user_api_key"), "");
	assert_true(record_is(&rec, "has_user_key"));
	assert_int_equal(record_int(&rec, "due_ms"), 0);
}

static void test_MV_04_an_answer_without_a_key_waits_for_a_person(void **state)
{
	(void)state;
	struct record rec = registration("accepted");
	struct err err = ERR_INIT;
	v.key = "";
	assert_true(proceed(0, &rec, &err));
	assert_state(&rec, "user_exists");
	assert_string_equal(record_str(&rec, "company_uuid"), "u-1");
	assert_null(strstr(v.patch, "user_api_key"));
}

static void test_MV_02_an_intent_that_cannot_be_stored_calls_nobody(void **state)
{
	(void)state;
	struct record rec = registration("accepted");
	struct err err = ERR_INIT;
	v.is_stale_at_save = true;
	assert_false(proceed(0, &rec, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(v.soap_calls, 0);
}

static void test_MV_02_only_an_accepted_one_is_registered(void **state)
{
	(void)state;
	static const char *const others[] = { "registering", "in_doubt",    "storing",
					      "user_exists", "answer_lost", "unclear",
					      "registered",  "cancelled",   "not_registered" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct record rec = registration(others[i]);
		struct err err = ERR_INIT;
		record_put_str(&rec, "then", "registered");
		(void)!proceed(0, &rec, &err);
		assert_int_equal(v.soap_calls, 0);
	}
}

static void test_MV_02_an_answer_that_cannot_be_stored_leaves_the_intent(void **state)
{
	(void)state;
	struct record rec = registration("accepted");
	struct err err = ERR_INIT;
	v.is_lost_at_save = true;
	assert_false(proceed(0, &rec, &err));
	assert_int_equal(err.code, ERR_LEASE); /* what is stored is the intent: see talk.c */
	assert_int_equal(v.patches, 0);
}

static void test_MV_02_what_becomes_of_a_failed_call(void **state)
{
	(void)state;
	static const struct {
		enum err_code cut;
		const char *state;
	} cases[] = { { ERR_DOUBT, "in_doubt" },  { ERR_OUTAGE, "accepted" },
		      { ERR_QUOTA, "accepted" },  { ERR_BUSY, "accepted" },
		      { ERR_LEASE, "in_doubt" },  { ERR_LIMIT, "in_doubt" },
		      { ERR_MEMORY, "in_doubt" }, { ERR_SYSTEM, "in_doubt" } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct record rec = registration("accepted");
		struct err err = ERR_INIT;
		v.soap_cut = cases[i].cut;
		v.is_taken = false;
		assert_false(proceed(0, &rec, &err));
		assert_int_equal(err.code, cases[i].cut);
		assert_state(&rec, cases[i].state);
	}
}

static void test_MV_02_one_that_is_taken_is_not_registered(void **state)
{
	(void)state;
	struct record rec = registration("accepted");
	struct err err = ERR_INIT;
	v.is_taken = true;
	assert_false(proceed(0, &rec, &err));
	assert_string_equal(err.reason, "business_id_taken");
	assert_state(&rec, "refused");
	assert_int_equal(v.soap_calls + v.saves, 0);
}

static void test_MV_02_in_doubt_taken_is_ours_if_it_was_free(void **state)
{
	(void)state;
	struct record rec = doubtful(true, 0), other = doubtful(false, 0);
	struct err err = ERR_INIT;
	v.is_taken = true;
	assert_true(proceed(0, &rec, &err));
	assert_state(&rec, "answer_lost");
	assert_true(proceed(0, &other, &err));
	assert_state(&other, "unclear"); /* it may have been there before */
}

static void test_MV_02_in_doubt_free_counts_late_and_twice(void **state)
{
	(void)state;
	struct record rec = doubtful(true, 0);
	struct err err = ERR_INIT;
	for (int i = 0; i < 3; i++) { /* early: however often */
		assert_true(proceed(0, &rec, &err));
		assert_state(&rec, "in_doubt");
		assert_in_range(record_int(&rec, "due_ms") - clock_wall_ms(), 50000, 60000);
	}
	rec = doubtful(true, 61000);
	assert_true(proceed(0, &rec, &err));
	assert_state(&rec, "in_doubt"); /* late, but once */
	assert_false(proceed(0, &rec, &err));
	assert_state(&rec, "not_registered");
	assert_string_equal(err.reason, "registration_lost");
	assert_int_equal(v.soap_calls, 0);
}

static void test_MV_02_in_doubt_without_a_partner_a_person_looks(void **state)
{
	(void)state;
	struct record rec = doubtful(true, 61000);
	struct err err = ERR_INIT;
	f.maventa.partner_company = "";
	assert_true(proceed(0, &rec, &err));
	assert_state(&rec, "unclear");
	assert_int_equal(record_int(&rec, "due_ms"), 0);
}

static void test_MV_03_a_crash_between_answer_and_connection_stores_it_again(void **state)
{
	(void)state;
	struct record rec = registration("storing");
	struct err err = ERR_INIT;
	record_put_str(&rec, "company_uuid", "u-1");
	record_put_str(&rec, "user_api_key", "kept");
	record_put_str(&rec, "then", "registered");
	assert_true(proceed(0, &rec, &err));
	assert_state(&rec, "registered");
	assert_non_null(strstr(v.patch, "\"kept\""));
}

/* --- authentication --- */

static struct record request(const char *state)
{
	struct record rec = { .arena = arena };
	record_put_str(&rec, "id", "a1");
	record_put_str(&rec, "state", state);
	record_put_str(&rec, "company_uuid", "u-1");
	record_put_str(&rec, "language", "FI");
	record_put_json(&rec, "approver", "{\"email\":\"a@b.fi\"}");
	return rec;
}

static void with_keys(const char *uuid)
{
	char *text = arena_printf(arena,
				  "{" KEYS ",\"maventa\":{\"company_uuid\":\"%s\","
				  "\"user_api_key\":\"k\"}}",
				  uuid);
	assert_non_null(text);
	f.conn.credentials = (struct secret) { text, strlen(text) };
}

static void test_MV_05_a_request_is_sent_once_whatever_was_lost(void **state)
{
	(void)state;
	struct record rec = request("sending");
	struct err err = ERR_INIT;
	with_keys("u-1");
	assert_true(proceed(1, &rec, &err));
	assert_state(&rec, "waiting");
	assert_int_equal(v.requests, 1);
	assert_in_range(record_int(&rec, "due_ms") - clock_wall_ms(), 3590000, 3600000);
	record_put_str(&rec, "state", "sending"); /* the run ended before this was stored */
	v.auth_state = "SENT";
	assert_true(proceed(1, &rec, &err));
	assert_int_equal(v.requests, 1);
	record_put_str(&rec, "state", "sending"); /* and here it never arrived */
	v.auth_state = "NONE";
	assert_true(proceed(1, &rec, &err));
	assert_int_equal(v.requests, 2);
}

static void test_MV_05_looking_ends_with_verified_or_with_the_time(void **state)
{
	(void)state;
	struct record rec = request("waiting"), old = request("waiting");
	struct err err = ERR_INIT;
	with_keys("u-1");
	record_put_int(&rec, "until_ms", clock_wall_ms() + 60000);
	record_put_int(&old, "until_ms", clock_wall_ms() - 1);
	assert_true(proceed(1, &rec, &err));
	assert_state(&rec, "waiting");
	assert_true(record_int(&rec, "due_ms") > 0);
	assert_true(proceed(1, &old, &err));
	assert_state(&old, "unanswered");
	assert_int_equal(record_int(&old, "due_ms"), 0);
	v.company_state = "VERIFIED";
	assert_true(proceed(1, &old, &err));
	assert_state(&old, "verified");
	assert_int_equal(v.requests, 0);
}

static void test_MV_15_a_request_for_other_keys_is_not_looked_at(void **state)
{
	(void)state;
	struct record rec = request("waiting");
	struct err err = ERR_INIT;
	with_keys("u-2");
	v.company_state = "VERIFIED"; /* of the other company */
	assert_true(proceed(1, &rec, &err));
	assert_state(&rec, "replaced");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_MV_03_the_key_goes_to_the_connection_and_out_of_the_record),
		TEST(test_MV_04_an_answer_without_a_key_waits_for_a_person),
		TEST(test_MV_02_an_intent_that_cannot_be_stored_calls_nobody),
		TEST(test_MV_02_only_an_accepted_one_is_registered),
		TEST(test_MV_02_an_answer_that_cannot_be_stored_leaves_the_intent),
		TEST(test_MV_02_what_becomes_of_a_failed_call),
		TEST(test_MV_02_one_that_is_taken_is_not_registered),
		TEST(test_MV_02_in_doubt_taken_is_ours_if_it_was_free),
		TEST(test_MV_02_in_doubt_free_counts_late_and_twice),
		TEST(test_MV_02_in_doubt_without_a_partner_a_person_looks),
		TEST(test_MV_03_a_crash_between_answer_and_connection_stores_it_again),
		TEST(test_MV_05_a_request_is_sent_once_whatever_was_lost),
		TEST(test_MV_05_looking_ends_with_verified_or_with_the_time),
		TEST(test_MV_15_a_request_for_other_keys_is_not_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
