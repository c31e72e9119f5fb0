/* test_maestro.c: what Maestro may answer that its stand-in does not: the error model, half and odd
 * answers; what is missing before anything is sent; the card byte for byte. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "flows/fake.h"
#include "meaning.h"
#include "systems/maestro.h"
#include "walk.h"

/* What the vendor answers, and what it was asked. */
struct vendor {
	int status; /* 0: 200 */
	const char *body;
	enum err_code cut; /* what the transport says; ERR_NONE: the line holds */
	int calls;
	char last[512]; /* method and URL */
	char headers[1024];
	struct span last_body;
};

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	size_t n = 0;
	v->calls++;
	v->last_body = call->rq.body;
	snprintf(v->last, sizeof(v->last), "%s %s", call->rq.method, call->rq.url);
	for (size_t i = 0; i < call->rq.n_headers; i++)
		n += (size_t)snprintf(v->headers + n, sizeof(v->headers) - n, "%s: %s\n",
				      call->rq.headers[i].name, call->rq.headers[i].value);
	if (v->cut != ERR_NONE)
		return err_set(err, v->cut, "cut");
	*ret = (struct http_reply) { .status = v->status ? v->status : 200,
				     .body = span_of(v->body ? v->body : "{}"),
				     .content_type = "application/json",
				     .retry_after_ms = -1 };
	return true;
}

static struct fake f; /* large */

static bool open_with(struct arena *arena, struct vendor *v, const char *text, struct maestro *mx,
		      struct err *err)
{
	const struct json *j;
	fake_init(&f, arena, "{}", "{}");
	f.exchange = serve;
	f.ctx = v;
	assert_true(json_parse(arena, span_of(text), JSON_LIMITS_API, &j, NULL));
	return maestro_open(&f.at, json_get(j, "settings"), json_get(j, "credentials"), mx, err);
}

#define KEYS "\"credentials\":{\"api_key\":\"k\",\"company_id\":\"9000101-4\"}"

static void open_maestro(struct arena *arena, struct vendor *v, struct maestro *mx)
{
	struct err err = ERR_INIT;
	assert_true(open_with(arena, v, "{" KEYS "}", mx, &err));
}

/* ---- opening ------------------------------------------------------------------------------- */

static void what_is_missing_is_named_before_any_call(void **state)
{
	(void)state;
	static const struct {
		const char *json, *reason, *words;
		enum err_code code;
	} cases[] = {
		{ "{}", "credentials_refused", "API key", ERR_CREDENTIALS },
		{ "{\"credentials\":{\"api_key\":\"k\"}}", "credentials_refused", "company id",
		  ERR_CREDENTIALS },
		{ "{" KEYS "}", "url_missing", "address", ERR_SYSTEM },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const struct json *j;
		struct maestro mx;
		struct err err = ERR_INIT;
		fake_init(&f, arena, "{}", "{}");
		f.maestro.url = "";
		assert_true(json_parse(arena, span_of(cases[i].json), JSON_LIMITS_API, &j, &err));
		assert_false(maestro_open(&f.at, NULL, json_get(j, "credentials"), &mx, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(err.reason, cases[i].reason);
		assert_string_equal(err.subject, "Maestro");
		assert_non_null(strstr(err.message, cases[i].words));
	}
}

static void a_connection_may_have_an_address_and_a_fallback_of_its_own(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct vendor v = { .body = "{\"companyId\":\"9000101-4\"}" };
	struct maestro mx;
	struct limit_key limit;
	struct err err = ERR_INIT;
	assert_true(open_with(arena, &v,
			      "{" KEYS ",\"settings\":{\"maestro\":{\"url\":\"https://own.test\","
			      "\"fallback_product\":\"MUU\"}}}",
			      &mx, &err));
	assert_true(maestro_ping(&mx, &err));
	assert_string_equal(v.last, "GET https://own.test/v1/ping");
	assert_string_equal(v.headers, "Authorization: Bearer k\nX-Company-Id: 9000101-4\n"
				       "Accept: application/json\n");
	assert_string_equal(mx.fallback_product, "MUU");
	assert_true(maestro_limit(&f.systems, mx.company, &limit, &err));
	assert_string_equal(limit.key, mx.limit_key);
	char *company = arena_alloc(arena, 200);
	assert_non_null(company);
	memset(company, 'x', 100);
	assert_false(maestro_limit(&f.systems, company, &limit, &err));
	assert_string_equal(err.pointer, "/credentials/maestro/company_id");
}

/* ---- the error model ----------------------------------------------------------------------- */

#define ERROR(code, more) \
	"{\"error\":{\"code\":\"" code "\",\"message\":\"No\",\"details\":[" more "]}}"

static const struct meaning answers[] = {
	{ 422, NULL,
	  ERROR("VALIDATION", "{\"path\":\"InvoiceRow[2]/RowVatRatePercent\",\"code\":\"c\","
			      "\"message\":\"no such rate\"},{\"message\":\"b\"}"),
	  ERR_DATA, ERR_DATA, "refused_by_target",
	  "No: InvoiceRow[2]/RowVatRatePercent: no such rate: b" },
	{ 400, NULL, ERROR("MALFORMED", ""), ERR_DATA, ERR_DATA, "refused_by_target", "No" },
	{ 409, NULL, ERROR("DUPLICATE_INVOICE", ""), ERR_DUPLICATE, ERR_DUPLICATE, NULL, "No" },
	{ 409, NULL, ERROR("SOMETHING_ELSE", ""), ERR_DATA, ERR_DATA, "refused_by_target", "No" },
	{ 413, NULL, "too large", ERR_DATA, ERR_DATA, "refused_by_target", "too large" },
	{ 401, NULL, "", ERR_CREDENTIALS, ERR_CREDENTIALS, "credentials_refused", "" },
	{ 403, NULL, "{\"error\":{\"code\":\"FORBIDDEN\"}}", ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "FORBIDDEN" },
	{ 404, NULL, ERROR("NOT_FOUND", ""), ERR_NOT_FOUND, ERR_SYSTEM, NULL, "No" },
	{ 404, NULL, ERROR("NO_SUCH_ADDRESS", ""), ERR_SYSTEM, ERR_SYSTEM, NULL, "No" },
	{ 404, NULL, "<html>", ERR_OUTAGE, ERR_OUTAGE, NULL, "<html>" },
	{ 408, NULL, "", ERR_OUTAGE, ERR_DOUBT, NULL, "" },
	{ 425, NULL, "", ERR_OUTAGE, ERR_OUTAGE, NULL, "" },
	{ 429, NULL, "", ERR_QUOTA, ERR_QUOTA, NULL, "" },
	{ 500, NULL, ERROR("DUPLICATE_INVOICE", ""), ERR_OUTAGE, ERR_DOUBT, NULL, "No" },
	{ 503, NULL, "down", ERR_OUTAGE, ERR_DOUBT, NULL, "down" },
	{ 301, NULL, "", ERR_SYSTEM, ERR_SYSTEM, NULL, "" },
	{ 200, NULL, "no json", ERR_OUTAGE, ERR_DOUBT, NULL, "no json" },
	{ 200, NULL, "[]", ERR_OUTAGE, ERR_DOUBT, NULL, "[]" },
};

static void every_answer_has_its_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .status = answers[i].status, .body = answers[i].body };
		struct maestro mx;
		struct maestro_listed listed;
		struct maestro_created made;
		struct err read = ERR_INIT, write = ERR_INIT;
		open_maestro(arena, &v, &mx);
		assert_false(maestro_invoice(&mx, "1", &listed, &read));
		assert_false(maestro_invoice_add(&mx, "k", SPAN_LIT("<a/>"), &made, &write));
		assert_meaning(&answers[i], &read, &write, &write);
	}
}

/* Half an answer proves nothing: neither that a code is unknown, nor that an invoice is not there.
 */
static void MA_03_an_answer_without_a_list_is_no_absence(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{}" };
	struct maestro mx;
	struct maestro_product p;
	const struct maestro_product *products;
	const struct maestro_customer *customers;
	const struct maestro_listed *listed;
	size_t n;
	bool is_found;
	struct err err = ERR_INIT;
	open_maestro(arena, &v, &mx);
	assert_false(maestro_product_find(&mx, "X", &p, &is_found, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
	assert_false(maestro_products(&mx, &products, &n, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
	assert_false(maestro_customers_by_business_id(&mx, "1", &customers, &n, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
	assert_false(maestro_invoices_by_number(&mx, "1", &listed, &n, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
	v.body = "{\"items\":[{\"invoiceId\":\"1\",\"invoiceNumber\":\"1\"}]}";
	assert_false(maestro_invoices_by_number(&mx, "1", &listed, &n, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	v.body = "{\"items\":[]}";
	assert_true(maestro_invoices_by_number(&mx, "1", &listed, &n, &err));
	assert_int_equal(n, 0);
}

static void MA_03_an_inexact_match_is_none(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{\"items\":[{\"code\":\"X-10\"},{\"code\":\"x-1\"}]}" };
	struct maestro mx;
	struct maestro_product p;
	bool is_found;
	struct err err = ERR_INIT;
	open_maestro(arena, &v, &mx);
	assert_true(maestro_product_find(&mx, "X-1", &p, &is_found, &err));
	assert_false(is_found);
	assert_true(maestro_product_find(&mx, "X-10", &p, &is_found, &err));
	assert_true(is_found && p.is_active);
	v.body = "{\"items\":[{\"name\":\"without a code\"}]}";
	assert_false(maestro_product_find(&mx, "X-1", &p, &is_found, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
}

static void pages_that_do_not_end_are_a_fault(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)256 << 20);
	struct vendor v = { .body = "{\"items\":[],\"nextCursor\":\"a b\"}" };
	struct maestro mx;
	const struct maestro_product *products;
	size_t n;
	struct err err = ERR_INIT;
	open_maestro(arena, &v, &mx);
	assert_false(maestro_products(&mx, &products, &n, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_string_equal(v.last, "GET http://maestro.test/v1/products?limit=500&cursor=a%20b");
}

static void MA_01_silence_and_answers_without_an_id_leave_doubt(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .status = 201, .body = "{\"invoiceNumber\":\"1\"}" };
	struct maestro mx;
	struct maestro_created made;
	struct err err = ERR_INIT;
	open_maestro(arena, &v, &mx);
	assert_false(maestro_invoice_add(&mx, "key-1", SPAN_LIT("<a/>"), &made, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	assert_non_null(strstr(v.headers, "Content-Type: application/xml\nIdempotency-Key: key-1\n"
					  "X-Source: severa\n"));
	v.cut = ERR_DOUBT;
	assert_false(maestro_invoice_add(&mx, "key-1", SPAN_LIT("<a/>"), &made, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	v.cut = ERR_BUSY;
	assert_false(maestro_invoice_add(&mx, "key-1", SPAN_LIT("<a/>"), &made, &err));
	assert_int_equal(err.code, ERR_BUSY);
}

static void MA_01_sums_keep_their_digits(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{\"invoiceId\":17,\"invoiceNumber\":\"007\","
				    "\"totalVatIncluded\":\"-12345678901234567.89\"}" };
	struct maestro mx;
	struct maestro_listed listed;
	char sum[DECIMAL_TEXT_MAX];
	struct err err = ERR_INIT;
	open_maestro(arena, &v, &mx);
	assert_true(maestro_invoice(&mx, "17", &listed, &err));
	assert_string_equal(listed.id, "17");
	assert_string_equal(listed.number, "007");
	assert_string_equal(listed.reference, "");
	assert_string_equal(decimal_format(listed.sum, 2, '.', sum), "-12345678901234567.89");
}

/* ---- the card ------------------------------------------------------------------------------ */

static const struct customer customer = { .source_id = "a/b", .code = "7", .name = "Å \"Oy\"" };

/* What is not there is told as null, so that it does not stay; a block of nothing is null. */
static void MA_02_the_card_tells_what_is_not_there(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .status = 201 };
	struct maestro mx;
	struct maestro_customer card;
	bool is_new;
	struct err err = ERR_INIT;
	open_maestro(arena, &v, &mx);
	assert_true(maestro_map_customer(arena, &customer, NULL, -1, &card, &err));
	assert_true(maestro_customer_put(&mx, &card, &is_new, &err));
	assert_true(is_new);
	assert_string_equal(v.last, "PUT http://maestro.test/v1/customers/a%2Fb");
	assert_true(span_is(v.last_body,
			    "{\"externalId\":\"a/b\",\"number\":\"7\",\"name\":\"Å \\\"Oy\\\"\","
			    "\"businessId\":null,\"vatId\":null,\"language\":null,"
			    "\"currency\":null,\"paymentTermDays\":null,\"email\":null,"
			    "\"address\":null,\"einvoice\":null}"));
	assert_true(maestro_map_customer(arena, &customer, "EUR", 0, &card, &err));
	assert_string_equal(card.values[MAESTRO_TERM_DAYS], "0");
}

static bool put_in(struct arena *arena)
{
	static struct vendor v;
	struct maestro mx = { .at = &f.at, .base_url = "http://m", .api_key = "k", .company = "c" };
	struct maestro_customer card;
	bool is_new;
	struct err err = ERR_INIT;
	mx.opt = &f.maestro;
	f.at.arena = arena;
	f.ctx = &v;
	bool ok = maestro_map_customer(arena, &customer, "EUR", 14, &card, &err) &&
		  maestro_customer_put(&mx, &card, &is_new, &err);
	assert_true(ok || err.code == ERR_LIMIT);
	return ok;
}

static void a_short_arena_is_told(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct vendor v = { 0 };
	struct maestro mx;
	open_maestro(arena, &v, &mx);
	assert_true(walk_cap(put_in) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_named_before_any_call),
		cmocka_unit_test(a_connection_may_have_an_address_and_a_fallback_of_its_own),
		cmocka_unit_test(every_answer_has_its_meaning),
		cmocka_unit_test(MA_03_an_answer_without_a_list_is_no_absence),
		cmocka_unit_test(MA_03_an_inexact_match_is_none),
		cmocka_unit_test(pages_that_do_not_end_are_a_fault),
		cmocka_unit_test(MA_01_silence_and_answers_without_an_id_leave_doubt),
		cmocka_unit_test(MA_01_sums_keep_their_digits),
		cmocka_unit_test(MA_02_the_card_tells_what_is_not_there),
		cmocka_unit_test(a_short_arena_is_told),
	};
	alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
