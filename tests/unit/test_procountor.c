/* test_procountor.c: what Procountor may answer that its stand-in does not: the error model,
 * logins, answers without an id; what is sent along, and what a key is told of itself. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "procountor_vendor.h"

static struct fake f; /* large */

/* ---- opening ------------------------------------------------------------------------------- */

static void missing_keys_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *json, *reason;
	} cases[] = {
		{ "{}", "credentials_refused" },
		{ "{\"api_key\":\"\"}", "credentials_refused" },
		{ "{\"api_key\":\"k\"}", "vendor_key_refused" },
		/* Our secret never goes with somebody else's client id. */
		{ "{\"api_key\":\"k\",\"client_id\":\"other\"}", "vendor_key_refused" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const struct json *j;
		struct procountor p;
		struct err err = ERR_INIT;
		fake_init(&f, arena, "{}", "{}");
		if (i == 2)
			f.procountor.client_secret = (struct secret) { NULL, 0 };
		assert_true(json_parse(arena, span_of(cases[i].json), JSON_LIMITS_API, &j, &err));
		assert_false(procountor_open(&f.at, NULL, j, &p, &err));
		assert_int_equal(err.code, ERR_CREDENTIALS);
		assert_string_equal(err.reason, cases[i].reason);
		assert_string_equal(err.subject, "Procountor");
	}
}

static void connections_of_one_client_id_share_its_limit(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	static const char text[] =
		"{\"api_key\":\"k\",\"client_id\":\"own\",\"client_secret\":\"s\","
		"\"procountor\":{\"url\":\"https://pts-api.procountor.com/api\"}}";
	const struct json *j;
	struct procountor p;
	struct limit_key limit;
	struct err err = ERR_INIT;
	fake_init(&f, arena, "{}", "{}");
	f.procountor.pace.rate = 55;
	assert_true(procountor_limit(&f.systems, NULL, &limit, &err));
	assert_string_equal(limit.key, "procountor:viestiClient");
	assert_int_equal(limit.rate_per_s, 55);
	assert_int_equal(limit.max_running, 16);
	assert_true(json_parse(arena, span_of(text), JSON_LIMITS_API, &j, &err));
	assert_true(procountor_open(&f.at, j, j, &p, &err));
	assert_string_equal(p.base_url, "https://pts-api.procountor.com/api");
	assert_true(procountor_limit(&f.systems, j, &limit, &err));
	assert_string_equal(limit.key, p.limit_key);
	char *name = arena_alloc(arena, 200);
	assert_non_null(name);
	memset(name, 'x', 100);
	f.procountor.client_id = name;
	assert_false(procountor_limit(&f.systems, NULL, &limit, &err));
	assert_string_equal(err.pointer, "/credentials/procountor/client_id");
}

/* ---- the error model ----------------------------------------------------------------------- */

#define ERRORS(list) "{\"errors\":[" list "]}"
#define ONE(field, message) "{\"status\":400,\"field\":\"" field "\",\"message\":\"" message "\"}"
#define PAGE "<html><head><title>502</title></head></html>"

static const struct {
	int status;
	const char *type, *body;
	enum err_code read, write;
	const char *reason, *subject;
} answers[] = {
	{ 400, NULL, ERRORS(ONE("date", "X") "," ONE("paymentInfo.dueDate", "Y")), ERR_DATA,
	  ERR_DATA, "refused_by_target", "date: X; paymentInfo.dueDate: Y" },
	{ 400, NULL, ERRORS("{\"message\":\"a sentence.\"}"), ERR_DATA, ERR_DATA,
	  "refused_by_target", "a sentence." },
	{ 400, NULL, "{\"constraintViolations\":[{\"errorCode\":\"OLD\"}]}", ERR_DATA, ERR_DATA,
	  "refused_by_target", "OLD" },
	{ 400, NULL, ERRORS(ONE("invoiceRows[3].vatStatus", "ERROR_VATSTATUS_VATPERC")), ERR_DATA,
	  ERR_DATA, "vat_category_mismatch", "invoiceRows[3].vatStatus" },
	{ 400, NULL, ERRORS(ONE("paymentInfo.dueDate", "DUE_DATE_BEFORE_BILL_DATE")), ERR_DATA,
	  ERR_DATA, "date_invalid", "paymentInfo.dueDate" },
	/* The second tells more than the first. */
	{ 400, NULL, ERRORS(ONE("x", "ODD") "," ONE("date", "CLOSED_FISCAL_PERIOD")), ERR_DATA,
	  ERR_DATA, "period_locked", "date" },
	{ 403, NULL, ERRORS("{\"message\":\"CLOSED_FISCAL_PERIOD\"}"), ERR_DATA, ERR_DATA,
	  "period_locked", "CLOSED_FISCAL_PERIOD" },
	{ 403, NULL, ERRORS("{\"message\":\"Insufficient user rights.\"}"), ERR_CREDENTIALS,
	  ERR_CREDENTIALS, "rights_missing", "Procountor" },
	{ 403, NULL, ERRORS(ONE("status", "wrong")), ERR_DATA, ERR_DATA, "refused_by_target",
	  "status: wrong" },
	{ 403, "text/html", "<html>Forbidden", ERR_OUTAGE, ERR_OUTAGE, NULL, "" },
	{ 401, NULL, ERRORS("{\"message\":\"Unauthorized\"}"), ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "Procountor" },
	{ 404, NULL, ERRORS("{\"message\":\"no such invoice\"}"), ERR_NOT_FOUND, ERR_NOT_FOUND,
	  NULL, "" },
	{ 404, NULL, "", ERR_NOT_FOUND, ERR_SYSTEM, NULL, "" },
	{ 404, "text/html", PAGE, ERR_OUTAGE, ERR_OUTAGE, NULL, "" },
	{ 409, NULL, ERRORS("{\"message\":\"in use\"}"), ERR_DATA, ERR_DATA, "refused_by_target",
	  "in use" },
	{ 429, NULL, "", ERR_QUOTA, ERR_QUOTA, NULL, "" },
	/* After the commit or before: nobody knows. */
	{ 500, "text/html", PAGE, ERR_OUTAGE, ERR_DOUBT, NULL, "" },
	{ 500, NULL, ERRORS(ONE("date", "CLOSED_FISCAL_PERIOD")), ERR_OUTAGE, ERR_DOUBT, NULL, "" },
	{ 502, "text/html; charset=utf-8", PAGE, ERR_OUTAGE, ERR_DOUBT, NULL, "" },
	{ 503, NULL, "", ERR_OUTAGE, ERR_DOUBT, NULL, "" },
	{ 302, NULL, "", ERR_SYSTEM, ERR_SYSTEM, NULL, "" },
	{ 200, "text/html", PAGE, ERR_OUTAGE, ERR_DOUBT, NULL, "" },
	{ 200, NULL, "{\"invoiceNumber\":7}", ERR_SYSTEM, ERR_DOUBT, NULL, "" },
};

static void every_answer_has_its_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct vendor_answer all[] = { { .status = answers[i].status,
						       .body = answers[i].body,
						       .type = answers[i].type },
						     { 0 } };
		struct vendor v = { .answers = all };
		struct procountor p;
		struct procountor_invoice in;
		struct err read = ERR_INIT, write = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_false(procountor_invoice(&p, "1", &in, &read));
		assert_false(procountor_invoice_add(&p, SPAN_LIT("{}"), &in, &write));
		assert_int_equal(read.code, answers[i].read);
		assert_int_equal(write.code, answers[i].write);
		assert_string_equal(write.subject, answers[i].subject);
		if (answers[i].reason)
			assert_string_equal(write.reason, answers[i].reason);
		else
			assert_null(write.reason);
		if (answers[i].status != 200)
			assert_int_equal(write.upstream_status, answers[i].status);
	}
}

static void the_vendors_words_and_the_field_are_kept(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = {
		{ .status = 400, .body = ERRORS(ONE("a.b[2]", "M\xc3\xa4ki") "," ONE("c", "D")) },
		{ 0 }
	};
	struct vendor v = { .answers = all };
	struct procountor p;
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_false(procountor_invoice_add(&p, SPAN_LIT("{}"), &in, &err));
	assert_string_equal(err.target_text, "a.b[2]: M\xc3\xa4ki; c: D");
	assert_string_equal(err.pointer, "a.b[2]");
}

static void a_request_to_slow_down_has_a_time(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = { { .status = 429, .body = "" }, { 0 } };
	struct vendor v = { .answers = all };
	struct procountor p;
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_false(procountor_invoice(&p, "1", &in, &err));
	assert_int_equal(err.retry_after_ms, 2000);
	v.retry_after_ms = 7000;
	assert_false(procountor_invoice(&p, "1", &in, &err));
	assert_int_equal(err.retry_after_ms, 7000);
}

/* ---- login --------------------------------------------------------------------------------- */

static void logins_fail_in_their_own_way(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body, *type;
		enum err_code code;
		const char *reason;
	} cases[] = {
		{ 401, "", NULL, ERR_CREDENTIALS, "credentials_refused" },
		/* A key that was revoked or has run out. */
		{ 400, "{\"error\":\"invalid_grant\"}", NULL, ERR_CREDENTIALS,
		  "credentials_refused" },
		{ 403, "{}", NULL, ERR_CREDENTIALS, "credentials_refused" },
		{ 401, "{\"error\":\"invalid_client\"}", NULL, ERR_CREDENTIALS,
		  "vendor_key_refused" },
		{ 403, "<html>", "text/html", ERR_OUTAGE, NULL },
		{ 404, "{}", NULL, ERR_SYSTEM, NULL },
		{ 500, PAGE, "text/html", ERR_OUTAGE, NULL },
		{ 429, "", NULL, ERR_QUOTA, NULL },
		{ 200, "{}", NULL, ERR_SYSTEM, NULL },
		{ 200, "<", NULL, ERR_OUTAGE, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .login_status = cases[i].status,
				    .login_body = cases[i].body,
				    .login_type = cases[i].type };
		struct procountor p;
		struct procountor_invoice in;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_false(procountor_invoice_add(&p, SPAN_LIT("{}"), &in, &err));
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].reason)
			assert_string_equal(err.reason, cases[i].reason);
		assert_int_equal(v.calls, 0);
	}
}

static void secrets_go_in_the_body_alone(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = { { .body = "{\"id\":1}" }, { 0 } };
	static const char plain[] = "grant_type=client_credentials&client_id=viestiClient&"
				    "client_secret=sandbox-secret&api_key=k%26%3D%C3%A4";
	struct vendor v = { .answers = all };
	struct procountor p;
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_true(procountor_invoice(&p, "1", &in, &err));
	assert_true(span_is(v.login, plain));
	vendor_open(&v, &f, arena, &p);
	f.procountor.redirect_uri = "https://v.example/cb";
	assert_true(procountor_invoice(&p, "1", &in, &err));
	assert_non_null(strstr(v.login.p, "&redirect_uri=https%3A%2F%2Fv.example%2Fcb"));
}

static void a_refused_token_is_replaced_once(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer good[] = { { .body = "{\"id\":1}" }, { 0 } };
	static const struct vendor_answer ended[] = { { .status = 401, .body = "", .once = true },
						      { .body = "{\"id\":2}" },
						      { 0 } };
	static const struct vendor_answer revoked[] = { { .status = 401, .body = "" }, { 0 } };
	struct vendor v = { .answers = good };
	struct procountor p;
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_true(procountor_invoice(&p, "1", &in, &err));
	assert_int_equal(v.logins, 1);
	v.answers = ended;
	v.used = 0;
	assert_true(procountor_invoice_add(&p, SPAN_LIT("{}"), &in, &err));
	assert_string_equal(in.id, "2");
	assert_int_equal(v.logins, 2);
	v.answers = revoked;
	assert_false(procountor_invoice(&p, "1", &in, &err));
	assert_int_equal(err.code, ERR_CREDENTIALS);
	assert_int_equal(v.logins, 3);
	assert_int_equal(v.calls, 5);
}

/* Another process may have left a newer token than ours: it says nothing about the key as it is. */
static bool left_by_another(struct attempt *at, const struct shared_want *want, const char **ret,
			    struct err *err)
{
	(void)at;
	(void)want;
	(void)err;
	*ret = "theirs";
	return true;
}

static void a_check_logs_in_by_itself(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .login_status = 401, .login_body = "{}" };
	struct procountor_current c;
	struct procountor p;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	struct attempt_ops ops = *f.at.ops;
	ops.shared = left_by_another;
	f.at.ops = &ops;
	assert_false(procountor_current(&p, &c, &err));
	assert_int_equal(err.code, ERR_CREDENTIALS);
	assert_int_equal(v.logins, 1);
	assert_int_equal(v.calls, 0);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void an_old_version_is_a_conflict(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		enum err_code code;
	} cases[] = {
		{ ERRORS(ONE("version", "X")), ERR_CONFLICT },
		{ ERRORS("{\"message\":\"The version is not the latest.\"}"), ERR_CONFLICT },
		{ ERRORS(ONE("", "INVALID_VERSION")), ERR_CONFLICT },
		{ ERRORS(ONE("name", "TOO_LONG")), ERR_DATA },
		{ ERRORS(ONE("paymentInfo.currency", "Conversion failed.")), ERR_DATA },
	};
	const struct procountor_partner partner = { .id = "7",
						    .version = "2026-03-02T10:15:41",
						    .name = "A" };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct vendor_answer all[] = { { .status = 400, .body = cases[i].body },
						     { 0 } };
		struct vendor v = { .answers = all };
		struct procountor p;
		struct procountor_invoice in;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_false(procountor_partner_change(&p, &partner, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(v.asked[0],
				    "PATCH /businesspartners/7?version=2026-03-02T10%3A15%3A41");
		/* Of a call that has no version it is a refusal like others. */
		assert_false(procountor_invoice_add(&p, SPAN_LIT("{}"), &in, &err));
		assert_int_equal(err.code, ERR_DATA);
	}
}

static void records_without_an_id_leave_doubt(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = { { .body = "{\"name\":\"x\"}" }, { 0 } };
	struct vendor v = { .answers = all };
	const struct product product = { .name = "A", .is_active = true };
	const struct procountor_product_options opt = { .currency = "EUR", .unit = "PIECE" };
	const struct procountor_partner partner = { .name = "A",
						    .payment_method = "BANK_TRANSFER",
						    .address = { .at = { .country_code = "FI" } } };
	struct procountor_partner made;
	struct procountor p;
	const char *id = NULL;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_false(procountor_product_add(&p, &product, &opt, &id, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	assert_null(id);
	assert_false(procountor_partner_add(&p, &partner, &made, &err));
	assert_int_equal(err.code, ERR_DOUBT);
}

/* Whom a refusal is about is said by name. */
static void refused_customers_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *message, *reason, *subject;
	} cases[] = {
		{ "ERROR_BRN_CODE", "business_id_invalid", "Esimerkki Oy" },
		{ "Another partner with the same number and different VAT number already exists",
		  "customer_number_taken", "SP-7" },
	};
	const struct procountor_partner partner = { .name = "Esimerkki Oy",
						    .customer_number = "SP-7",
						    .payment_method = "CASH",
						    .address = { .at = { .country_code = "FI" } } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct vendor_answer all[] = {
			{ .status = 400,
			  .body = arena_printf(
				  arena, "{\"errors\":[{\"field\":\"f\",\"message\":\"%s\"}]}",
				  cases[i].message) },
			{ 0 }
		};
		struct vendor v = { .answers = all };
		struct procountor_partner made;
		struct procountor p;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_false(procountor_partner_add(&p, &partner, &made, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.reason, cases[i].reason);
		assert_string_equal(err.subject, cases[i].subject);
	}
}

static void a_file_goes_with_what_it_belongs_to(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(32 << 20);
	static const struct vendor_answer all[] = { { .body = "{\"id\":1}" }, { 0 } };
	struct vendor v = { .answers = all };
	struct attachment file = { .name = "Ty\xc3\xb6.pdf", .data = SPAN_LIT("%PDF-1.4") };
	struct procountor p;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_true(procountor_attach(&p, "910001", &file, false, &err));
	assert_non_null(strstr(v.type, "multipart/form-data; boundary="));
	assert_non_null(strstr(v.body.p,
			       "name=\"meta\"\r\nContent-Type: application/json\r\n\r\n"
			       "{\"name\":\"Ty\xc3\xb6.pdf\",\"referenceType\":\"INVOICE\","
			       "\"referenceId\":910001,\"mimeType\":\"application/pdf\","
			       "\"sendWithInvoice\":false}\r\n"));
	assert_non_null(strstr(v.body.p, "name=\"file\"; filename=\"Ty\xc3\xb6.pdf\"\r\n"
					 "Content-Type: application/pdf\r\n\r\n%PDF-1.4\r\n"));
	char *large = arena_alloc(arena, 10000001);
	assert_non_null(large);
	file.data = (struct span) { large, 10000001 };
	assert_false(procountor_attach(&p, "910001", &file, false, &err));
	assert_string_equal(err.reason, "attachment_too_large");
	assert_int_equal(v.calls, 1);
}

/* ---- the company --------------------------------------------------------------------------- */

#define SESSION                                                                                    \
	"{\"companyId\":5001,\"name\":\"Kajo\",\"country\":\"FINLAND\",\"userId\":7,\"userName\":" \
	"\"a\"}"
#define COMPANY                                                                         \
	"{\"id\":5001,\"companyCurrency\":\"EUR\",\"operationType\":\"DEMONSTRATION\"," \
	"\"businessIdentifier\":{\"brnType\":\"FI\",\"code\":\"2817345-6\"}}"

static void PC_09_a_key_is_asked_whose_it_is_and_what_it_may(void **state)
{
	(void)state;
	static const struct {
		const char *rights, *missing;
		bool sees_own_only;
	} cases[] = {
		{ "{}", "", false },
		{ "{\"rights\":{\"sales\":{\"salesOrGroupInvoices\":\"ALL_RIGHTS\","
		  "\"salesInvoiceSearch\":\"VIEWING_RIGHTS\",\"customerRegister\":\"ALL_RIGHTS\","
		  "\"productRegister\":\"ALL_RIGHTS\",\"personalSalesInvoicesOnly\":true}}}",
		  "", true },
		{ "{\"rights\":{\"sales\":{\"salesOrGroupInvoices\":\"VIEWING_RIGHTS\","
		  "\"salesInvoiceSearch\":\"NO_ACCESS\",\"customerRegister\":\"ALL_RIGHTS\","
		  "\"productRegister\":\"NOT_ENABLED\"},\"management\":{\"basicCompanyInfo\":"
		  "\"NO_ACCESS\"}}}",
		  "sales.salesOrGroupInvoices sales.salesInvoiceSearch sales.productRegister "
		  "management.basicCompanyInfo",
		  false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct vendor_answer all[] = { { .match = "/sessioninfo", .body = SESSION },
						     { .match = "/company", .body = COMPANY },
						     { .match = "/users/rights",
						       .body = cases[i].rights },
						     { 0 } };
		struct vendor v = { .answers = all };
		struct procountor_current c;
		struct procountor p;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_true(procountor_current(&p, &c, &err));
		assert_string_equal(c.company_id, "5001");
		assert_string_equal(c.business_id, "2817345-6");
		assert_string_equal(c.currency, "EUR");
		assert_string_equal(c.country, "FI");
		assert_string_equal(c.operation, "DEMONSTRATION");
		assert_string_equal(c.missing_rights, cases[i].missing);
		assert_int_equal(c.sees_own_only, cases[i].sees_own_only);
		/* A shared token says nothing about the key as it is now. */
		assert_true(procountor_current(&p, &c, &err));
		assert_int_equal(v.logins, 2);
	}
}

static void a_company_card_that_may_not_be_seen_is_left_untold(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = {
		{ .match = "/sessioninfo", .body = SESSION },
		{ .match = "/company", .status = 403, .body = "{}" },
		{ .match = "/users/rights", .body = "{}" },
		{ 0 }
	};
	static const struct vendor_answer odd[] = { { .match = "/sessioninfo", .body = "{}" },
						    { .match = "/company", .body = COMPANY },
						    { 0 } };
	struct vendor v = { .answers = all };
	struct procountor_current c;
	struct procountor p;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_true(procountor_current(&p, &c, &err));
	assert_string_equal(c.business_id, "");
	v.answers = odd;
	assert_false(procountor_current(&p, &c, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
}

static void accounts_and_vat_are_those_that_may_be_used(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = {
		{ .match = "/vats/default",
		  .body = "{\"vatInformation\":[{\"country\":\"Finland\",\"percentages\":[{"
			  "\"vatPercent\":25.5,\"sales\":true},{\"vatPercent\":14,\"sales\":false},"
			  "{\"vatPercent\":0,\"sales\":true}]}],\"vatStatuses\":[{\"vatStatus\":1,"
			  "\"sales\":true},{\"vatStatus\":2,\"sales\":false},{\"vatStatus\":12,"
			  "\"sales\":true}]}" },
		{ .match = "/bankaccounts",
		  .body = "{\"results\":[{\"id\":1,\"iban\":\"FI21\",\"status\":\"ACTIVE\","
			  "\"defaultForInvoice\":true,\"currency\":\"EUR\"},{\"id\":2,\"iban\":"
			  "\"FI22\",\"status\":\"INACTIVE\",\"bic\":null}]}" },
		{ 0 }
	};
	struct vendor v = { .answers = all };
	struct procountor_vat_rules rules;
	const struct procountor_account *accounts;
	struct procountor p;
	size_t n;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_true(procountor_vat_rules(&p, &rules, &err));
	assert_int_equal(rules.n_percents, 2);
	assert_true(decimal_eq(rules.percents[0], (struct decimal) { 255, 1 }));
	assert_int_equal(rules.n_statuses, 2);
	assert_int_equal(rules.statuses[1], 12);
	assert_true(procountor_accounts(&p, &accounts, &n, &err));
	assert_int_equal(n, 2);
	assert_true(accounts[0].is_active && accounts[0].is_default && !accounts[1].is_active);
	assert_string_equal(accounts[0].iban, "FI21");
	assert_string_equal(accounts[1].bic, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_keys_are_named),
		cmocka_unit_test(connections_of_one_client_id_share_its_limit),
		cmocka_unit_test(every_answer_has_its_meaning),
		cmocka_unit_test(the_vendors_words_and_the_field_are_kept),
		cmocka_unit_test(a_request_to_slow_down_has_a_time),
		cmocka_unit_test(logins_fail_in_their_own_way),
		cmocka_unit_test(secrets_go_in_the_body_alone),
		cmocka_unit_test(a_refused_token_is_replaced_once),
		cmocka_unit_test(a_check_logs_in_by_itself),
		cmocka_unit_test(an_old_version_is_a_conflict),
		cmocka_unit_test(records_without_an_id_leave_doubt),
		cmocka_unit_test(refused_customers_are_named),
		cmocka_unit_test(a_file_goes_with_what_it_belongs_to),
		cmocka_unit_test(PC_09_a_key_is_asked_whose_it_is_and_what_it_may),
		cmocka_unit_test(a_company_card_that_may_not_be_seen_is_left_untold),
		cmocka_unit_test(accounts_and_vat_are_those_that_may_be_used),
	};
	alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
