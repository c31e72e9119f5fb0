/* test_netvisor.c: the MAC by the vectors of facts/netvisor.md §2.5, the headers of a call, the
 * error model, and what must not be cut. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/fake.h"
#include "systems/netvisor.h"

static void test_mac_vectors(void **state)
{
	(void)state;
	static const struct {
		struct netvisor_mac m;
		const char *mac;
	} cases[] = {
		{ { "https://integration.netvisor.fi/customerlist.nv", "TestSender",
		    "TestCustomerId", "2024-01-15 12:00:00.000", "FI", "TestOrganizationId",
		    "transaction123", "1705312800", "TestUserKey", "TestPartnerKey" },
		  "14f2ec30263493fe0eb99b924d0b172addd4d3038140ea4f65469a51cbfbf072" },
		{ { "https://isvapi.netvisor.fi/customerlist.nv?changedsince=2026-01-31T08:40:00",
		    "Lasku v\xe4litys \xd6y", "AB_1234_56", "2026-02-01 06:15:30.000", "FI",
		    "1234567-1", "5f1d9b6e0c6a4b0f9a1e2d3c4b5a6978", "1769926530",
		    "0123456789ABCDEF0123456789ABCDEF", "FEDCBA9876543210FEDCBA9876543210" },
		  "1c253e797ce7cfffba1b440d498b0915c7acd0476a2e5e9accb8d422275bc27f" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char mac[65];
		struct err err = ERR_INIT;
		assert_true(netvisor_mac(&cases[i].m, mac, &err));
		assert_string_equal(mac, cases[i].mac);
	}
}

/* Bytes of the elements with the name. */
static size_t text_length(const char *xml, const char *open, const char *close)
{
	size_t n = 0;
	for (const char *p = strstr(xml, open); p; p = strstr(p, open)) {
		p += strlen(open);
		n += (size_t)(strstr(p, close) - p);
	}
	return n;
}

static void test_free_text_is_split_never_cut(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 22);
	char text[1801];
	for (size_t i = 0; i < 1800; i++)
		text[i] = i % 7 == 6 ? ' ' : 'a';
	text[1800] = 0;
	struct invoice_row row = { .position = 1,
				   .product_code = "P",
				   .description = "Work",
				   .quantity = decimal_of(1),
				   .vat_code = "MUUL" };
	struct invoice inv = { .number = "1",
			       .issue_date = "2026-11-01",
			       .due_date = "2026-11-15",
			       .currency = "EUR",
			       .text_before = text,
			       .rows = &row,
			       .n_rows = 1 };
	struct netvisor_invoice_options opt = { .status = "unsent", .customer_code = "1001" };
	struct span body;
	struct err err = ERR_INIT;
	assert_true(netvisor_map_invoice(arena, &inv, &opt, &body, &err));
	size_t head = text_length(body.p, "<salesinvoicefreetextbeforelines>",
				  "</salesinvoicefreetextbeforelines>");
	assert_true(head > 0 && head <= 500);
	assert_int_equal(head + text_length(body.p, "<comment>", "</comment>"), 1800);
}

static void test_what_must_fit_is_a_named_error(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	char street[90];
	memset(street, 'x', sizeof(street) - 1);
	street[sizeof(street) - 1] = 0;
	struct invoice inv = { .number = "1",
			       .issue_date = "2026-11-01",
			       .currency = "EUR",
			       .buyer = { .name = "A", .address = { .street = street } } };
	struct netvisor_invoice_options opt = { .status = "unsent",
						.customer_code = "TEMP",
						.buyer_on_invoice = true };
	struct span body;
	struct err err = ERR_INIT;
	assert_false(netvisor_map_invoice(arena, &inv, &opt, &body, &err));
	assert_int_equal(err.code, ERR_DATA);
	assert_string_equal(err.reason, "field_too_long");
}

/* ---- calls --------------------------------------------------------------------------------- */

#define CREDENTIALS                                                             \
	"{\"sender\":\"Viesti\",\"customer_id\":\"c\",\"customer_key\":\"ck\"," \
	"\"partner_id\":\"p\",\"partner_key\":\"pk\",\"organisation_id\":\"1234567-1\"}"
#define N_CALLS 64

/* Answers one thing to everything, and keeps what the calls said of themselves. */
struct vendor {
	int status;
	const char *body;
	int64_t retry_after_ms;
	int calls;
	char ids[N_CALLS][40], urls[N_CALLS][256];
	char encoding[64], real_status[8], algorithm[16];
	char sent[4096]; /* the last body */
};

static const char *header(const struct call *call, const char *name)
{
	for (size_t i = 0; i < call->rq.n_headers; i++)
		if (strcmp(call->rq.headers[i].name, name) == 0)
			return call->rq.headers[i].value;
	return "";
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	int n = v->calls++ % N_CALLS;
	(void)err; /* the line holds */
	snprintf(v->ids[n], sizeof(v->ids[n]), "%s",
		 header(call, "X-Netvisor-Authentication-TransactionId"));
	snprintf(v->urls[n], sizeof(v->urls[n]), "%s", call->rq.url);
	snprintf(v->encoding, sizeof(v->encoding), "%s", header(call, "Content-Type"));
	snprintf(v->real_status, sizeof(v->real_status), "%s",
		 header(call, "X-Netvisor-Authentication-UseHTTPResponseStatusCodes"));
	snprintf(v->sent, sizeof(v->sent), "%.*s", (int)call->rq.body.n,
		 call->rq.body.p ? call->rq.body.p : "");
	snprintf(v->algorithm, sizeof(v->algorithm), "%s",
		 header(call, "X-Netvisor-Authentication-MACHashCalculationAlgorithm"));
	*ret = (struct http_reply) { .status = v->status,
				     .body = span_of(v->body),
				     .content_type = "text/html; charset=utf-8",
				     .retry_after_ms = v->retry_after_ms };
	return true;
}

static void open_netvisor(struct fake *f, struct arena *arena, struct vendor *v,
			  struct netvisor *nv)
{
	const struct json *credentials;
	struct err err = ERR_INIT;
	fake_init(f, arena, "{}", CREDENTIALS);
	f->exchange = serve;
	f->ctx = v;
	assert_true(json_parse(arena, SPAN_LIT(CREDENTIALS), JSON_LIMITS_API, &credentials, &err));
	assert_true(netvisor_open(&f->at, NULL, credentials, nv, &err));
}

#define HEAD "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?><Root><ResponseStatus>"
#define FAILED(code) HEAD "<Status>FAILED</Status><Status>" code "</Status></ResponseStatus></Root>"
#define OK_EMPTY HEAD "<Status>OK</Status></ResponseStatus></Root>"

/* Newer answers call the second line otherwise (facts/netvisor.md §6.2). */
static void NV_05_the_second_line_of_an_address_has_two_names(void **state)
{
	(void)state;
	static const char *const names[] = { "AdditionalAddressLine", "AdditionalStreetAddress" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const char *key = "7";
		const struct netvisor_customer *items;
		struct vendor v = { .status = 200, .retry_after_ms = -1 };
		struct netvisor nv;
		struct fake f;
		struct err err = ERR_INIT;
		size_t n;
		v.body = arena_printf(arena,
				      HEAD "<Status>OK</Status></ResponseStatus><Customer>"
					   "<CustomerBaseInformation><NetvisorKey>7</NetvisorKey>"
					   "<%s>Ovi B</%s></CustomerBaseInformation></Customer>"
					   "</Root>",
				      names[i], names[i]);
		open_netvisor(&f, arena, &v, &nv);
		assert_true(netvisor_customers_read(&nv, &key, 1, &items, &n, &err));
		assert_int_equal(n, 1);
		assert_non_null(items[0].values[NETVISOR_STREET2]);
		assert_string_equal(items[0].values[NETVISOR_STREET2], "Ovi B");
	}
}

/* facts/netvisor.md §4: the body decides, whatever the status; both status styles. */
static const struct {
	int status;
	const char *body;
	int64_t retry_after_ms;
	enum err_code read, write;
	const char *reason, *words;
} errors[] = {
	{ 401, FAILED("AUTHENTICATION_FAILED :: Wrong MAC"), -1, ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "Wrong MAC" },
	{ 200, FAILED("AUTHENTICATION_FAILED :: Wrong MAC"), -1, ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "Wrong MAC" },
	{ 403, FAILED("SERVICE_ACCESS_ERROR :: product.nv"), -1, ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "product.nv" },
	{ 400, FAILED("INVALID_DATA :: Data form incorrect:. A :: B"), -1, ERR_DATA, ERR_DATA,
	  "refused_by_target", "Data form incorrect:. A :: B" },
	{ 200, FAILED("INVALID_DATA :: Asiakasta ei l\xc3\xb6ydy"), -1, ERR_DATA, ERR_DATA,
	  "refused_by_target", "Asiakasta ei l\xc3\xb6ydy" },
	{ 400, FAILED("INVALID_DATA_SIZE :: name"), -1, ERR_DATA, ERR_DATA, "refused_by_target",
	  "name" },
	{ 400, FAILED("PERIOD_LOCK :: 2026"), -1, ERR_DATA, ERR_DATA, "period_locked", "2026" },
	{ 400, FAILED("DUPLICATE_DATA :: there"), -1, ERR_DUPLICATE, ERR_DUPLICATE, NULL, "there" },
	{ 400, FAILED("REQUEST_NOT_UNIQUE :: id"), -1, ERR_OUTAGE, ERR_DOUBT, NULL, "id" },
	{ 500, FAILED("SYSTEM_MAINTENANCE :: later"), -1, ERR_OUTAGE, ERR_OUTAGE, NULL, "later" },
	{ 503, FAILED("SYSTEM_MAINTANANCE :: later"), -1, ERR_OUTAGE, ERR_OUTAGE, NULL, "later" },
	{ 500, FAILED("TECHNICAL_ERROR :: oops"), -1, ERR_OUTAGE, ERR_DOUBT, NULL, "oops" },
	{ 200, FAILED("TECHNICAL_ERROR :: oops"), -1, ERR_OUTAGE, ERR_DOUBT, NULL, "oops" },
	{ 400, FAILED("SOMETHING_NEW :: x"), -1, ERR_SYSTEM, ERR_SYSTEM, NULL,
	  "SOMETHING_NEW :: x" },
	{ 500, FAILED("SOMETHING_NEW :: x"), -1, ERR_OUTAGE, ERR_DOUBT, NULL,
	  "SOMETHING_NEW :: x" },
	{ 200, FAILED("no code at all"), -1, ERR_SYSTEM, ERR_SYSTEM, NULL, "no code at all" },
	/* No body that can be read: the status decides. */
	{ 200, "<html>login</html>", -1, ERR_OUTAGE, ERR_DOUBT, NULL, NULL },
	{ 200, "", -1, ERR_OUTAGE, ERR_DOUBT, NULL, NULL },
	{ 200, HEAD "<Status>FAILED</Status></ResponseStatus></Root>", -1, ERR_OUTAGE, ERR_DOUBT,
	  NULL, NULL },
	{ 200, "https://x&Viesti&c&<key> :: 0a1b", -1, ERR_OUTAGE, ERR_DOUBT, NULL, NULL },
	{ 400, "{\"error\":1}", -1, ERR_DATA, ERR_DATA, NULL, NULL },
	{ 401, "", -1, ERR_CREDENTIALS, ERR_CREDENTIALS, NULL, NULL },
	{ 404, "<html>", -1, ERR_SYSTEM, ERR_SYSTEM, NULL, NULL },
	{ 429, "slow down", -1, ERR_QUOTA, ERR_QUOTA, NULL, "slow down" },
	{ 429, "", 3000, ERR_QUOTA, ERR_QUOTA, NULL, NULL },
	{ 500, "<html>", -1, ERR_OUTAGE, ERR_DOUBT, NULL, NULL },
	{ 502, "", -1, ERR_OUTAGE, ERR_DOUBT, NULL, NULL },
	{ 503, "", 60000, ERR_OUTAGE, ERR_OUTAGE, NULL, NULL },
};

static struct fake f; /* large */

static void NV_01_every_answer_has_its_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(errors); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		size_t k = i / 2;
		bool is_write = i % 2;
		struct vendor v = { .status = errors[k].status,
				    .body = errors[k].body,
				    .retry_after_ms = errors[k].retry_after_ms };
		enum err_code want = is_write ? errors[k].write : errors[k].read;
		struct netvisor nv;
		const char *key;
		struct err err = ERR_INIT;
		open_netvisor(&f, arena, &v, &nv);
		bool ok = is_write ? netvisor_invoice_add(&nv, SPAN_LIT("<root/>"), &key, &err)
				   : netvisor_product_find(&nv, "A", &key, &err);
		if (ok || err.code != want)
			fail_msg("HTTP %d %s, %s: %s", errors[k].status, errors[k].body,
				 is_write ? "write" : "read", err_code_name(err.code));
		assert_int_equal(err.retry_after_ms, errors[k].retry_after_ms);
		if (errors[k].reason)
			assert_string_equal(err.reason, errors[k].reason);
		if (errors[k].words)
			assert_string_equal(err.target_text, errors[k].words);
	}
}

static void OP_03_an_ok_without_a_key_leaves_doubt(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct vendor v = { .status = 200, .body = OK_EMPTY, .retry_after_ms = -1 };
	struct netvisor nv;
	const char *key;
	struct err err = ERR_INIT;
	open_netvisor(&f, arena, &v, &nv);
	assert_false(netvisor_invoice_add(&nv, SPAN_LIT("<root/>"), &key, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	err = (struct err)ERR_INIT;
	assert_true(netvisor_product_find(&nv, "A", &key, &err)); /* an empty OK is "not found" */
	assert_null(key);
}

/* §2.4: a TransactionId serves one request, its retries too; §3: the query is percent-encoded. */
static void NV_01_each_call_has_an_id_of_its_own(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct vendor v = { .status = 200, .body = OK_EMPTY, .retry_after_ms = -1 };
	struct netvisor nv;
	const char *key;
	struct err err = ERR_INIT;
	open_netvisor(&f, arena, &v, &nv);
	for (int i = 0; i < N_CALLS; i++)
		assert_true(netvisor_product_find(&nv, "h\xc3\xb6yl\xc3\xa4 a+b&c", &key, &err));
	assert_string_equal(v.urls[0], "http://netvisor.test/getproduct.nv?code=h%C3%B6yl%C3%A4%20"
				       "a%2Bb%26c");
	for (int i = 0; i < N_CALLS; i++) {
		assert_int_equal(strlen(v.ids[i]), 36);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(v.ids[i], v.ids[k]);
	}
	assert_string_equal(v.encoding, "text/xml; charset=utf-8");
	assert_string_equal(v.real_status, "1");
	assert_string_equal(v.algorithm, "HMACSHA256");
}

/* §3: UTF-8, or ISO-8859-15 by setting; what that lacks goes as a reference. */
static void NV_01_bodies_are_in_the_chosen_encoding(void **state)
{
	(void)state;
	static const struct {
		const char *settings, *type, *name;
	} cases[] = {
		{ "{}", "text/xml; charset=utf-8",
		  "<name>H\xc3\xb6yl\xc3\xa4 \xe2\x82\xac \xc5\x81</name>" },
		{ "{\"netvisor\":{\"encoding\":\"iso-8859-15\"}}", "text/xml; charset=iso-8859-15",
		  "<name>H\xf6yl\xe4 \xa4 &#321;</name>" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = { .status = 200, .body = OK_EMPTY, .retry_after_ms = -1 };
		struct product p = { .code = "A",
				     .name = "H\xc3\xb6yl\xc3\xa4 \xe2\x82\xac \xc5\x81" };
		const struct json *settings, *credentials;
		struct netvisor nv;
		const char *key;
		struct err err = ERR_INIT;
		open_netvisor(&f, arena, &v, &nv);
		assert_true(json_parse(arena, span_of(cases[i].settings), JSON_LIMITS_API,
				       &settings, &err));
		assert_true(json_parse(arena, SPAN_LIT(CREDENTIALS), JSON_LIMITS_API, &credentials,
				       &err));
		assert_true(netvisor_open(&f.at, settings, credentials, &nv, &err));
		assert_false(netvisor_product_add(&nv, &p, "G", &key, &err)); /* no key came */
		assert_string_equal(v.encoding, cases[i].type);
		assert_non_null(strstr(v.sent, cases[i].name));
	}
}

/* §9.1: "pdf" is a PDF; what is none carries its own type and no other's. */
static void NV_01_only_a_pdf_is_called_one(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const struct attachment files[] = {
		{ "a.pdf", "application/pdf", NULL, SPAN_LIT("%PDF-1.4") },
		{ "b.csv", "text/csv", "Hours", SPAN_LIT("a;b") },
	};
	struct invoice inv = { .number = "1",
			       .issue_date = "2026-11-01",
			       .currency = "EUR",
			       .attachments = files,
			       .n_attachments = 2 };
	struct netvisor_invoice_options opt = { .status = "unsent", .customer_code = "1001" };
	struct span body;
	struct err err = ERR_INIT;
	assert_true(netvisor_map_invoice(arena, &inv, &opt, &body, &err));
	assert_non_null(strstr(body.p, "<filename>a.pdf</filename><documentdata type=\"pdf\">"));
	assert_non_null(strstr(body.p, "<mimetype>text/csv</mimetype>"));
	assert_non_null(strstr(body.p, "<filename>b.csv</filename><documentdata>YTti<"));
}

static void NV_12_a_trip_expense_is_written_in_order(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const struct dimension_value project = { .heading = "Projekti", .item = "82 Website" };
	const struct netvisor_trip_line line = { .ratio = "Kilometrikorvaus",
						 .quantity = { 1005, 1 },
						 .unit_price = { 57, 2 },
						 .has_vat_rate = true,
						 .vat_rate = { 255, 1 },
						 .description = "Tampere & takaisin",
						 .begin = "2026-11-09",
						 .end = "2026-11-10",
						 .dimensions = &project,
						 .n_dimensions = 1 };
	const struct netvisor_trip trip = { .employee = "1001",
					    .header = "12 Matka",
					    .description = "Severa x",
					    .lines = &line,
					    .n_lines = 1 };
	struct span body;
	struct err err = ERR_INIT;
	assert_true(netvisor_map_trip(arena, XML_UTF8, &trip, &body, &err));
	assert_string_equal(
		body.p,
		"<root><tripexpense><header>12 Matka</header><description>Severa x</description>"
		"<customlines><customline><employeeidentifier type=\"number\">1001"
		"</employeeidentifier><ratio type=\"name\">Kilometrikorvaus</ratio>"
		"<amount>100,5</amount><customlineunitprice>0,57</customlineunitprice>"
		"<vatpercentage>25,5</vatpercentage>"
		"<linedescription>Tampere &amp; takaisin</linedescription>"
		"<begindate format=\"ansi\">2026-11-09</begindate>"
		"<enddate format=\"ansi\">2026-11-10</enddate>"
		"<dimension><dimensionname>Projekti</dimensionname>"
		"<dimensionitem>82 Website</dimensionitem></dimension>"
		"</customline></customlines></tripexpense></root>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac_vectors),
		cmocka_unit_test(NV_05_the_second_line_of_an_address_has_two_names),
		cmocka_unit_test(test_free_text_is_split_never_cut),
		cmocka_unit_test(test_what_must_fit_is_a_named_error),
		cmocka_unit_test(NV_01_every_answer_has_its_meaning),
		cmocka_unit_test(OP_03_an_ok_without_a_key_leaves_doubt),
		cmocka_unit_test(NV_01_each_call_has_an_id_of_its_own),
		cmocka_unit_test(NV_01_bodies_are_in_the_chosen_encoding),
		cmocka_unit_test(NV_01_only_a_pdf_is_called_one),
		cmocka_unit_test(NV_12_a_trip_expense_is_written_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
