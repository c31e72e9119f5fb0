/*
 * test_maventa_soap.c: Maventa's SOAP in other forms than its stand-in's: where the WSDL says that
 * it is, and what its answers mean.
 */
#include "base/base.h"

#include "codec/xml.h"
#include "maventa_vendor.h"

static struct fake f; /* large */

#define WSDL(location, more)                                                           \
	"<definitions xmlns=\"http://schemas.xmlsoap.org/wsdl/\" "                     \
	"xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\">" more "<service><port>" \
	"<soap:address location=\"" location "\"/></port></service></definitions>"
#define OPERATION                                                              \
	"<binding><operation name=\"register_with_password\"><soap:operation " \
	"soapAction=\"/denver/api/register_with_password\"/></operation></binding>"
#define ENVELOPE(inner)                                                                    \
	"<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>" inner \
	"</e:Body></e:Envelope>"

static const struct maventa_registration who = {
	.company_name = "Kajo <Data> & Oy",
	.business_id = "FI90001022",
	.company_email = "a@b.example",
	.street = "Katu 1",
	.postcode = "00100",
	.city = "Helsinki",
	.country = "FI",
	.first_name = "K",
	.last_name = "L",
	.email = "k@b.example",
};

static void the_wsdl_says_where_but_not_at_whose(void **state)
{
	(void)state;
	static const struct {
		const char *wsdl, *url, *action;
	} cases[] = {
		{ WSDL("http://evil.test/apis/denver/api", OPERATION),
		  "POST http://maventa.test/apis/denver/api",
		  "\"/denver/api/register_with_password\"" },
		{ WSDL("https://maventa.test:443/x", ""), "POST http://maventa.test/x",
		  "\"/v1.1/api/register_with_password\"" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .wsdl = cases[i].wsdl,
					    .type = "text/xml",
					    .body = ENVELOPE(
						    "<r><status>OK</status><company_uuid>" UUID
						    "</company_uuid><user_api_key/></r>") };
		struct maventa mv;
		struct maventa_registered got;
		struct err err = ERR_INIT;
		open_maventa(&f, arena, &v, &mv);
		assert_true(maventa_register(&mv, &who, &got, &err));
		assert_string_equal(v.last_url, cases[i].url);
		assert_string_equal(v.action, cases[i].action);
		assert_string_equal(got.company_uuid, UUID);
		assert_null(got.user_api_key);
		assert_null(got.einvoice_address);
		assert_non_null(
			memmem(v.last_body.p, v.last_body.n, ">Kajo &lt;Data&gt; &amp; Oy<", 28));
		v.wsdl = NULL; /* kept */
		assert_true(maventa_register(&mv, &who, &got, &err));
		assert_string_equal(v.last_url, cases[i].url);
	}
}

static void answers_of_soap_have_their_meaning(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		enum err_code code;
		const char *reason;
	} cases[] = {
		{ 200,
		  ENVELOPE("<x><return><status>ERROR: BID ALREADY TAKEN</status></return></x>"),
		  ERR_DATA, "business_id_taken" },
		{ 200, ENVELOPE("<x><status>ERROR: VENDOR API KEY DISABLED</status></x>"),
		  ERR_CREDENTIALS, "vendor_key_refused" },
		{ 200, ENVELOPE("<x><status>ERROR: SOMETHING NEW</status></x>"), ERR_DATA,
		  "registration_refused" },
		{ 200, ENVELOPE("<x><status>OK</status></x>"), ERR_DOUBT, NULL },
		{ 200, ENVELOPE("<x/>"), ERR_DOUBT, NULL },
		{ 200, "not xml", ERR_DOUBT, NULL },
		{ 500,
		  ENVELOPE("<e:Fault><faultcode>e:Client</faultcode><faultstring>no such method"
			   "</faultstring></e:Fault>"),
		  ERR_SYSTEM, NULL },
		{ 500,
		  ENVELOPE("<e:Fault><faultcode>e:Server</faultcode><faultstring>x</faultstring>"
			   "</e:Fault>"),
		  ERR_DOUBT, NULL },
		{ 502, "<html>bad</html>", ERR_DOUBT, NULL },
		{ 404, "<html>no</html>", ERR_SYSTEM, NULL },
		{ 401, "", ERR_CREDENTIALS, "credentials_refused" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .wsdl = WSDL("http://maventa.test/api", OPERATION),
					    .type = "text/xml",
					    .status = cases[i].status,
					    .body = cases[i].body };
		struct maventa mv;
		struct maventa_registered got;
		struct err err = ERR_INIT;
		open_maventa(&f, arena, &v, &mv);
		assert_false(maventa_register(&mv, &who, &got, &err));
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].reason)
			assert_string_equal(err.reason, cases[i].reason);
		else
			assert_null(err.reason);
	}
}

static void a_wsdl_without_an_address_is_a_fault(void **state)
{
	(void)state;
	static const char *const bad[] = { "<definitions/>", WSDL("", ""), WSDL("http://x", "") };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .wsdl = bad[i] };
		struct maventa mv;
		struct maventa_registered got;
		struct err err = ERR_INIT;
		open_maventa(&f, arena, &v, &mv);
		assert_false(maventa_register(&mv, &who, &got, &err));
		assert_int_equal(err.code, ERR_SYSTEM);
		assert_int_equal(v.calls, 0);
	}
}

static void looking_up_a_company_takes_a_plain_answer_only(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		bool ok, is_free;
	} cases[] = {
		{ "[{\"company_bid\":\"90001022\",\"company_status\":\"FREE\"}]", true, true },
		{ "[{\"company_bid\":\"1\"},{\"company_bid\":\"9000102-2\",\"company_status\":"
		  "\"reserved\"}]",
		  true, false },
		{ "[{\"company_bid\":\"9000102-2\",\"company_status\":\"PENDING\"}]", false,
		  false },
		{ "[]", false, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .body = cases[i].body };
		struct maventa mv;
		struct err err = ERR_INIT;
		bool is_free = !cases[i].is_free;
		open_maventa(&f, arena, &v, &mv);
		assert_int_equal(maventa_is_free(&mv, "9000102-2", "FI", &is_free, &err),
				 cases[i].ok);
		if (cases[i].ok)
			assert_int_equal(is_free, cases[i].is_free);
		else
			assert_int_equal(err.code, ERR_SYSTEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wsdl_says_where_but_not_at_whose),
		cmocka_unit_test(answers_of_soap_have_their_meaning),
		cmocka_unit_test(a_wsdl_without_an_address_is_a_fault),
		cmocka_unit_test(looking_up_a_company_takes_a_plain_answer_only),
	};
	xml_global_init();
	int failed = cmocka_run_group_tests_name("maventa_soap", tests, NULL, NULL);
	xml_global_release();
	return failed;
}
