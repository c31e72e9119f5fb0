/* test_talenom.c: what Talenom may answer that its stand-in does not: the error model, half and odd
 * answers; what a draft, a voucher and a contact hold, digit for digit. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "flows/fake.h"
#include "meaning.h"
#include "systems/talenom.h"
#include "walk.h"

/* What the vendor answers, and what it was asked. */
struct vendor {
	int status; /* of everything but the login; 0: 200 */
	const char *body;
	int login_status; /* 0: a token */
	const char *login_body;
	enum err_code cut; /* what the transport says; ERR_NONE: the line holds */
	int calls, logins;
	char last[512]; /* method and URL */
	char headers[1024];
	struct span last_body, login_form;
};

static const struct talenom_days day = { "2026-11-02", "2026-11-02" };

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	bool is_login = strstr(call->rq.url, "/token") != NULL;
	int status = is_login ? v->login_status : v->status;
	const char *body = v->body;
	size_t n = 0;
	if (is_login) {
		v->logins++;
		v->login_form = call->rq.body;
		body = v->login_body ? v->login_body : "{\"access_token\":\"t\"}";
	} else {
		v->calls++;
		v->last_body = call->rq.body;
		snprintf(v->last, sizeof(v->last), "%s %s", call->rq.method, call->rq.url);
		for (size_t i = 0; i < call->rq.n_headers; i++)
			n += (size_t)snprintf(v->headers + n, sizeof(v->headers) - n, "%s: %s\n",
					      call->rq.headers[i].name, call->rq.headers[i].value);
	}
	if (!is_login && v->cut != ERR_NONE)
		return err_set(err, v->cut, "cut");
	*ret = (struct http_reply) { .status = status ? status : 200,
				     .body = span_of(body ? body : "{}"),
				     .content_type = "application/json",
				     .retry_after_ms = -1 };
	return true;
}

static struct fake f; /* large */

#define KEYS                                                \
	"{\"client_id\":\"c i\",\"client_secret\":\"s&s\"," \
	"\"subscription_key\":\"sub\",\"organization_number\":14222}"

static void open_talenom(struct arena *arena, struct vendor *v, struct talenom *tn)
{
	const struct json *j;
	struct err err = ERR_INIT;
	fake_init(&f, arena, "{}", "{}");
	f.exchange = serve;
	f.ctx = v;
	assert_true(json_parse(arena, SPAN_LIT(KEYS), JSON_LIMITS_API, &j, &err));
	assert_true(talenom_open(&f.at, NULL, j, tn, &err));
}

static struct decimal dec(const char *text)
{
	struct decimal d = DECIMAL_ZERO;
	assert_true(decimal_parse(span_of(text), &d));
	return d;
}

/* ---- opening and login --------------------------------------------------------------------- */

static void what_is_missing_is_named_before_any_call(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "{}", "client_id" },
		{ "{\"client_id\":\"c\"}", "client_secret" },
		{ "{\"client_id\":\"c\",\"client_secret\":\"s\"}", "subscription_key" },
		{ "{\"client_id\":\"c\",\"client_secret\":\"s\",\"subscription_key\":\"k\"}",
		  "organization_number" },
		{ "{\"client_id\":\"c\",\"client_secret\":\"s\",\"subscription_key\":\"k\","
		  "\"organization_number\":\"1/2\"}",
		  "no number" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const struct json *j;
		struct talenom tn;
		struct err err = ERR_INIT;
		fake_init(&f, arena, "{}", "{}");
		assert_true(json_parse(arena, span_of(cases[i][0]), JSON_LIMITS_API, &j, &err));
		assert_false(talenom_open(&f.at, NULL, j, &tn, &err));
		assert_int_equal(err.code, ERR_CREDENTIALS);
		assert_string_equal(err.reason, "credentials_refused");
		assert_non_null(strstr(err.message, cases[i][1]));
	}
}

static void a_connection_may_have_addresses_and_accounts_of_its_own(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	static const char text[] =
		"{\"talenom\":{\"url\":\"https://u\",\"token_url\":\"https://t\","
		"\"region\":\"se\",\"receivable_account\":\"1510\","
		"\"payment_account\":\"1930\"}}";
	const struct json *settings, *keys;
	struct talenom tn;
	struct limit_key limit;
	struct err err = ERR_INIT;
	fake_init(&f, arena, "{}", "{}");
	assert_true(json_parse(arena, span_of(text), JSON_LIMITS_API, &settings, &err));
	assert_true(json_parse(arena, SPAN_LIT(KEYS), JSON_LIMITS_API, &keys, &err));
	assert_true(talenom_open(&f.at, settings, keys, &tn, &err));
	assert_string_equal(tn.base_url, "https://u");
	assert_string_equal(tn.token_url, "https://t");
	assert_string_equal(tn.region, "se");
	assert_string_equal(tn.receivable_account, "1510");
	assert_string_equal(tn.payment_account, "1930");
	assert_true(talenom_limit(&f.systems, tn.organization, &limit, &err));
	assert_string_equal(limit.key, "talenom:14222");
	assert_string_equal(limit.key, tn.limit_key);
	char *number = arena_alloc(arena, 200);
	assert_non_null(number);
	memset(number, '1', 100);
	assert_false(talenom_limit(&f.systems, number, &limit, &err));
	assert_string_equal(err.pointer, "/credentials/talenom/organization_number");
}

static void a_call_carries_both_keys_and_a_login_its_scope(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct vendor v = { .body = "[]" };
	struct talenom tn;
	const struct talenom_account *accounts;
	size_t n;
	struct err err = ERR_INIT;
	open_talenom(arena, &v, &tn);
	f.talenom.scope = "a b";
	assert_true(talenom_accounts(&tn, &accounts, &n, &err));
	assert_int_equal(n, 0);
	assert_string_equal(v.last, "GET http://talenom.test/fi/sales/v1/14222/sales-accounts");
	assert_string_equal(v.headers, "Authorization: Bearer t\nOcp-Apim-Subscription-Key: sub\n"
				       "Accept: application/json\nAccept-Language: en\n");
	assert_true(span_is(v.login_form, "grant_type=client_credentials&client_id=c%20i&"
					  "client_secret=s%26s&scope=a%20b"));
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
		{ 404, "", ERR_SYSTEM },
		{ 500, "", ERR_OUTAGE },
		{ 200, "{}", ERR_SYSTEM },
		{ 200, "{\"access_token\":\"\"}", ERR_SYSTEM },
		{ 200, "<", ERR_OUTAGE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .login_status = cases[i].status, .login_body = cases[i].body };
		struct talenom tn;
		const struct talenom_account *accounts;
		size_t n;
		struct err err = ERR_INIT;
		open_talenom(arena, &v, &tn);
		assert_false(talenom_accounts(&tn, &accounts, &n, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(v.calls, 0);
	}
}

/* ---- the error model ----------------------------------------------------------------------- */

#define ERROR(code) "{\"error\":\"No\",\"code\":\"" code "\",\"telemetryId\":\"t-1\"}"
#define GATEWAY(code, text) "{\"statusCode\":" code ",\"message\":\"" text "\"}"

static const struct meaning answers[] = {
	{ 400, NULL, ERROR("SALES_ACCOUNT_VAT_MISMATCH"), ERR_DATA, ERR_DATA,
	  "account_vat_mismatch", "No: SALES_ACCOUNT_VAT_MISMATCH: t-1" },
	{ 400, NULL, ERROR("SALES_ACCOUNT_UNKNOWN"), ERR_DATA, ERR_DATA, "account_unknown",
	  "No: SALES_ACCOUNT_UNKNOWN: t-1" },
	{ 400, NULL, ERROR("PERIOD_CLOSED"), ERR_DATA, ERR_DATA, "period_closed",
	  "No: PERIOD_CLOSED: t-1" },
	{ 400, NULL, ERROR("ANYTHING"), ERR_DATA, ERR_DATA, "refused_by_target",
	  "No: ANYTHING: t-1" },
	{ 400, NULL, "", ERR_DATA, ERR_DATA, "refused_by_target", "" },
	{ 409, NULL, ERROR("ROW_VERSION_CONFLICT"), ERR_CONFLICT, ERR_CONFLICT, NULL,
	  "No: ROW_VERSION_CONFLICT: t-1" },
	{ 409, NULL, ERROR("DUPLICATE_EXTERNAL_ID"), ERR_DUPLICATE, ERR_DUPLICATE, NULL,
	  "No: DUPLICATE_EXTERNAL_ID: t-1" },
	{ 409, NULL, ERROR("DUPLICATE_CODE"), ERR_DUPLICATE, ERR_DUPLICATE, NULL,
	  "No: DUPLICATE_CODE: t-1" },
	{ 401, NULL, "", ERR_CREDENTIALS, ERR_CREDENTIALS, "credentials_refused", "" },
	{ 401, NULL, GATEWAY("401", "Access denied"), ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "Access denied" },
	{ 403, NULL, "", ERR_CREDENTIALS, ERR_CREDENTIALS, "credentials_refused", "" },
	{ 403, NULL, GATEWAY("403", "Out of call volume quota."), ERR_QUOTA, ERR_QUOTA, NULL,
	  "Out of call volume quota." },
	{ 404, NULL, "", ERR_NOT_FOUND, ERR_SYSTEM, NULL, "" },
	{ 404, NULL, GATEWAY("404", "Resource not found"), ERR_SYSTEM, ERR_SYSTEM, NULL,
	  "Resource not found" },
	{ 404, NULL, "<html>", ERR_OUTAGE, ERR_OUTAGE, NULL, "<html>" },
	{ 429, NULL, "", ERR_QUOTA, ERR_QUOTA, NULL, "" },
	{ 500, NULL, ERROR("DUPLICATE_CODE"), ERR_OUTAGE, ERR_DOUBT, NULL,
	  "No: DUPLICATE_CODE: t-1" },
	{ 502, NULL, "", ERR_OUTAGE, ERR_DOUBT, NULL, "" },
	{ 301, NULL, "", ERR_SYSTEM, ERR_SYSTEM, NULL, "" },
	{ 200, NULL, "no json", ERR_OUTAGE, ERR_DOUBT, NULL, "no json" },
};

static void every_answer_has_its_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .status = answers[i].status, .body = answers[i].body };
		struct talenom tn;
		struct talenom_invoice in;
		struct err read = ERR_INIT, write = ERR_INIT;
		open_talenom(arena, &v, &tn);
		assert_false(talenom_invoice(&tn, "1", &in, &read));
		assert_false(talenom_approve(&tn, "1", &in, &write));
		assert_meaning(&answers[i], &read, &write, &write);
	}
}

/* Half an answer, or an address that is none, proves no absence. */
static void an_answer_without_a_list_is_no_absence(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		enum err_code code;
	} cases[] = {
		{ 200, "{}", ERR_OUTAGE },
		{ 404, "", ERR_SYSTEM },
		{ 200, "[{}]", ERR_SYSTEM },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .status = cases[i].status, .body = cases[i].body };
		struct talenom tn;
		struct talenom_product p;
		struct talenom_contact c;
		const struct talenom_invoice *invoices;
		const struct talenom_voucher *vouchers;
		size_t n;
		bool is_found;
		struct err err = ERR_INIT;
		open_talenom(arena, &v, &tn);
		assert_false(talenom_product_find(&tn, "X", NULL, &p, &is_found, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_false(talenom_contact_find(&tn, "X", &c, &is_found, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_false(talenom_invoices_by_external_id(&tn, "X", &invoices, &n, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_false(talenom_vouchers(&tn, "1", &day, &vouchers, &n, &err));
		assert_int_equal(err.code, i == 1 ? ERR_SYSTEM : ERR_OUTAGE);
	}
}

/* An interface that does not know our parameter lists all there is: none of it is ours. */
static void TA_01_what_does_not_carry_our_id_is_not_ours(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "[{\"id\":1,\"rowVersion\":\"a\",\"externalId\":\"other\"},"
				    "{\"id\":2,\"rowVersion\":\"b\"}]" };
	struct talenom tn;
	const struct talenom_invoice *invoices;
	struct talenom_contact c;
	size_t n;
	bool is_found;
	struct err err = ERR_INIT;
	open_talenom(arena, &v, &tn);
	assert_true(talenom_invoices_by_external_id(&tn, "mine", &invoices, &n, &err));
	assert_int_equal(n, 0);
	assert_true(talenom_contact_find(&tn, "mine", &c, &is_found, &err));
	assert_false(is_found);
	f.talenom.external_id = "rowVersion";
	assert_true(talenom_invoices_by_external_id(&tn, "b", &invoices, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(invoices[0].id, "2");
	assert_string_equal(v.last,
			    "GET http://talenom.test/fi/sales/v1/14222/invoices?rowVersion=b");
}

/* A day may come with a time, and a debt in several postings. */
static void TA_02_a_voucher_is_read_whole(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{\"results\":[{\"voucherId\":\"v\",\"invoiceNumber\":\"1\","
				    "\"voucherDate\":\"2026-11-02T00:00:00\",\"postings\":["
				    "{\"accountNumber\":\"1701\",\"vatIncludedAmount\":100.05,"
				    "\"matchKey\":\"S1\"},"
				    "{\"accountNumber\":\"1701\",\"vatIncludedAmount\":20,"
				    "\"matchKey\":\"S1\"},"
				    "{\"accountNumber\":\"3000\",\"vatIncludedAmount\":-120.05}]}],"
				    "\"pageCount\":1}" };
	struct talenom tn;
	const struct talenom_voucher *vouchers;
	size_t n;
	struct err err = ERR_INIT;
	open_talenom(arena, &v, &tn);
	assert_true(talenom_vouchers(&tn, "1", &day, &vouchers, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(vouchers[0].date, "2026-11-02");
	assert_string_equal(vouchers[0].match_key, "S1");
	assert_true(decimal_eq(vouchers[0].receivable, dec("120.05")));
}

static void TA_02_pages_that_do_not_end_are_a_fault(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)256 << 20);
	struct vendor v = { .body = "{\"results\":[],\"pageCount\":1000000}" };
	struct talenom tn;
	const struct talenom_voucher *vouchers;
	size_t n;
	struct err err = ERR_INIT;
	open_talenom(arena, &v, &tn);
	assert_false(talenom_vouchers(&tn, "1", &day, &vouchers, &n, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_non_null(strstr(v.last, "/fi/general-ledger/v2/vouchers/14222?dateFrom=2026-11-02&"
				       "dateTo=2026-11-02&category=IntegrationSales&"
				       "includePostings=true&pageIndex="));
}

static void TA_01_answers_that_name_nothing_leave_doubt(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{}" };
	struct talenom tn;
	struct talenom_invoice in;
	const struct talenom_product p = { .name = "n" };
	const char *id;
	struct err err = ERR_INIT;
	open_talenom(arena, &v, &tn);
	assert_false(talenom_product_add(&tn, &p, &id, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	assert_false(talenom_draft_add(&tn, "1", "g", &in, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	assert_string_equal(v.last, "POST http://talenom.test/fi/sales/v1/14222/invoices?"
				    "contactId=1&externalId=g");
	assert_false(talenom_voucher_add(&tn, SPAN_LIT("[]"), &id, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	v.body = "{\"id\":1,\"rowVersion\":\"a\",\"status\":\"Draft\"}";
	assert_false(talenom_approve(&tn, "1", &in, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	v.cut = ERR_BUSY;
	assert_false(talenom_approve(&tn, "1", &in, &err));
	assert_int_equal(err.code, ERR_BUSY);
}

/* A state that nobody knows is neither a draft, to be filled, nor approved, to be called done. */
static void TA_01_states_keep_their_meaning(void **state)
{
	(void)state;
	static const struct {
		const char *status;
		bool is_draft, is_approved;
	} cases[] = {
		{ "Draft", true, false }, { "draft", true, false },    { "Approved", false, true },
		{ "Sent", false, true },  { "Waiting", false, false }, { "", false, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		struct vendor v = { 0 };
		struct talenom tn;
		struct talenom_invoice in;
		struct err err = ERR_INIT;
		open_talenom(arena, &v, &tn);
		v.body = arena_printf(
			arena,
			"{\"id\":1,\"rowVersion\":\"a\",\"status\":\"%s\",\"number\":0,"
			"\"date\":\"2026-11-02T00:00:00\",\"grossAmount\":\"1e1\"}",
			cases[i].status);
		assert_true(talenom_invoice(&tn, "1", &in, &err));
		assert_int_equal(in.is_draft, cases[i].is_draft);
		assert_int_equal(in.is_approved, cases[i].is_approved);
		assert_string_equal(in.number, "");
		assert_string_equal(in.date, "2026-11-02");
		assert_true(decimal_eq(in.gross, decimal_of(10)));
	}
}

/* ---- rules --------------------------------------------------------------------------------- */

static void TA_06_a_row_without_a_rate_fits_no_account(void **state)
{
	(void)state;
	const struct talenom_account accounts[] = {
		{ .number = "3000", .tax_percent = dec("25.50"), .is_active = true },
	};
	struct invoice_row rows[] = {
		{ .position = 1, .account = "3000", .has_vat_rate = true, .vat_rate = dec("25.5") },
		{ .position = 2, .account = "3000" },
	};
	const struct invoice inv = { .rows = rows, .n_rows = 2 };
	struct err err = ERR_INIT;
	assert_false(talenom_check_accounts(accounts, 1, &inv, &err));
	assert_string_equal(err.reason, "account_vat_mismatch");
	assert_string_equal(err.subject, "row 2: 3000: - % / 25.5 %");
	rows[1].account = NULL;
	assert_true(talenom_check_accounts(accounts, 1, &inv, &err));
}

static void TA_01_another_sum_is_named_before_approval(void **state)
{
	(void)state;
	struct invoice_row rows[2] = { 0 };
	const struct invoice inv = {
		.number = "1", .rows = rows, .n_rows = 2, .total_gross = dec("100.00")
	};
	struct talenom_invoice there = { .gross = dec("100.02") };
	struct err err = ERR_INIT;
	assert_true(talenom_check_sum(&there, &inv, &err));
	there.gross = dec("-100");
	assert_false(talenom_check_sum(&there, &inv, &err));
	there.gross = dec("99.97");
	assert_false(talenom_check_sum(&there, &inv, &err));
	assert_int_equal(err.code, ERR_DATA);
	assert_string_equal(err.reason, "sum_differs_at_target");
	assert_string_equal(err.subject, "100.00 / 99.97");
}

/* ---- bodies -------------------------------------------------------------------------------- */

static void TA_05_silence_and_null_are_not_the_same(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{\"id\":7}" };
	struct talenom tn;
	struct talenom_contact c;
	const struct customer customer = { .source_id = "g", .name = "Å Oy", .language = "de" };
	struct err err = ERR_INIT;
	open_talenom(arena, &v, &tn);
	assert_true(talenom_map_contact(&tn, &customer, NULL, TALENOM_EINVOICE_REMOVE, &c, &err));
	c.id = "7";
	c.row_version = "v";
	assert_true(talenom_contact_change(&tn, &c, &err));
	assert_string_equal(v.last, "PUT http://talenom.test/fi/sales/v1/14222/contacts/7");
	assert_true(span_is(
		v.last_body,
		"{\"id\":\"7\",\"rowVersion\":\"v\",\"organizationNumber\":14222,"
		"\"externalId\":\"g\",\"type\":\"Business\",\"number\":null,\"name\":\"Å Oy\","
		"\"businessId\":null,\"vatId\":null,\"email\":null,"
		"\"defaultReceivableAccountNumber\":\"1701\",\"eInvoiceAddress\":null,"
		"\"eInvoiceOperator\":null,\"automaticEInvoicing\":false,"
		"\"invoicingAddress\":{\"address1\":null,\"postalCode\":null,\"postOffice\":null,"
		"\"country\":null}}"));
	assert_true(talenom_map_contact(&tn, &customer, NULL, TALENOM_EINVOICE_SET, &c, &err));
	assert_null(c.values[TALENOM_EINVOICE_ADDRESS]);
	assert_null(c.values[TALENOM_AUTOMATIC_EINVOICING]);
}

/* A total that is a cent off the rows' goes to the largest posting: the voucher sums to zero. */
static void TA_02_cents_go_to_the_largest_posting(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { 0 };
	struct talenom tn;
	struct invoice_row rows[] = {
		{ .position = 1, .account = "3000", .vat_rate = dec("25.5"), .gross = dec("1.10") },
		{ .position = 2, .account = "3010", .vat_rate = dec("14"), .gross = dec("50.00") },
		{ .position = 3,
		  .account = "3000",
		  .vat_rate = dec("25.50"),
		  .gross = dec("2.20") },
	};
	const struct invoice inv = { .number = "7",
				     .issue_date = "2026-11-02",
				     .currency = "eur",
				     .rows = rows,
				     .n_rows = 3,
				     .total_gross = dec("53.29"),
				     .buyer = {
					     .name = "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ"
						     "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ"
						     "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ" } };
	const struct json *j;
	struct span body;
	struct err err = ERR_INIT;
	open_talenom(arena, &v, &tn);
	assert_true(talenom_map_sale(&tn, &inv, &body, &err));
	assert_true(json_parse(arena, body, JSON_LIMITS_API, &j, &err));
	const struct json *p = json_get(json_first(j), "postings");
	static const char *const want[][2] = { { "1701", "53.29" },
					       { "3000", "-3.30" },
					       { "3010", "-49.99" } };
	assert_int_equal(json_size(p), 3);
	p = json_first(p);
	for (size_t i = 0; i < 3; i++, p = json_next(p)) {
		assert_string_equal(json_text(json_get(p, "accountNumber")), want[i][0]);
		assert_string_equal(json_text(json_get(p, "vatIncludedAmount")), want[i][1]);
	}
	const char *description = json_str(json_get(json_first(j), "description"));
	assert_int_equal(strlen(description), strlen("Lasku 7 ") + 2 * (100 - 8));
	const struct invoice empty = { .number = "7",
				       .issue_date = "2026-11-02",
				       .currency = "EUR" };
	assert_false(talenom_map_sale(&tn, &empty, &body, &err));
	assert_string_equal(err.reason, "rows_missing");
}

static struct talenom walked;

static bool content_in(struct arena *arena)
{
	struct invoice_row row = { .position = 1,
				   .description = "a\nb",
				   .quantity = decimal_of(1) };
	const struct invoice inv = { .number = "7", .rows = &row, .n_rows = 1 };
	const struct talenom_invoice draft = { .id = "1", .row_version = "v" };
	struct span body;
	struct err err = ERR_INIT;
	f.at.arena = arena;
	bool ok = talenom_map_content(&walked, &inv, &draft, &body, &err);
	assert_true(ok || err.code == ERR_LIMIT);
	return ok;
}

static bool call_in(struct arena *arena)
{
	struct talenom_invoice in;
	struct err err = ERR_INIT;
	f.at.arena = arena;
	bool ok = talenom_approve(&walked, "1", &in, &err);
	assert_true(ok || err.code == ERR_LIMIT || err.code == ERR_OUTAGE || err.code == ERR_DOUBT);
	return ok;
}

static void a_short_arena_is_told(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(32 << 20);
	struct vendor v = { .body = "{\"id\":1,\"rowVersion\":\"a\",\"status\":\"Approved\"}" };
	open_talenom(arena, &v, &walked);
	assert_true(walk_cap(content_in) > 10);
	assert_true(walk_cap(call_in) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_named_before_any_call),
		cmocka_unit_test(a_connection_may_have_addresses_and_accounts_of_its_own),
		cmocka_unit_test(a_call_carries_both_keys_and_a_login_its_scope),
		cmocka_unit_test(logins_fail_in_their_own_way),
		cmocka_unit_test(every_answer_has_its_meaning),
		cmocka_unit_test(an_answer_without_a_list_is_no_absence),
		cmocka_unit_test(TA_01_what_does_not_carry_our_id_is_not_ours),
		cmocka_unit_test(TA_02_a_voucher_is_read_whole),
		cmocka_unit_test(TA_02_pages_that_do_not_end_are_a_fault),
		cmocka_unit_test(TA_01_answers_that_name_nothing_leave_doubt),
		cmocka_unit_test(TA_01_states_keep_their_meaning),
		cmocka_unit_test(TA_06_a_row_without_a_rate_fits_no_account),
		cmocka_unit_test(TA_01_another_sum_is_named_before_approval),
		cmocka_unit_test(TA_05_silence_and_null_are_not_the_same),
		cmocka_unit_test(TA_02_cents_go_to_the_largest_posting),
		cmocka_unit_test(a_short_arena_is_told),
	};
	alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
