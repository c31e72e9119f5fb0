/* test_maventa.c: what Maventa may answer that its stand-in does not: the error model, tokens, odd
 * values, WSDL and SOAP in other forms; and the package of an invoice, byte for byte. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "codec/xml.h"
#include "codec/zip.h"
#include "flows/fake.h"
#include "systems/maventa.h"
#include "walk.h"

#define COMPANY "11111111-1111-4111-8111-111111111111"
#define UUID "7b0c2f0e-2f55-4d2b-9c39-6a1f6d1f5a01"
#define TOKEN "{\"access_token\":\"t%d\",\"token_type\":\"bearer\",\"expires_in\":3600}"

/* What the vendor answers, and what it was asked. */
struct vendor {
	int status; /* of everything but the login; 0: 200 */
	const char *body, *type;
	int64_t retry_after_ms;
	int login_status; /* 0: a token */
	const char *login_body;
	const char *wsdl; /* answered below /wsdl */
	const char *other_path, *other_body; /* answered where the path holds it */
	int other_status; /* 0: 200 */
	enum err_code cut; /* what the transport says; ERR_NONE: the line holds */
	int calls, logins;
	char last_url[512], action[200];
	struct span last_body;
};

static void reply(struct http_reply *ret, int status, const char *body, const char *type)
{
	*ret = (struct http_reply) { .status = status ? status : 200,
				     .body = span_of(body ? body : ""),
				     .content_type = type ? type : "application/json",
				     .retry_after_ms = -1 };
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	const char *url = call->rq.url;
	if (strstr(url, "/oauth2/token")) {
		v->logins++;
		reply(ret, v->login_status,
		      v->login_body ? v->login_body : arena_printf(f->arena, TOKEN, v->logins),
		      NULL);
		return true;
	}
	if (v->wsdl && strstr(url, "/wsdl")) {
		reply(ret, 200, v->wsdl, "text/xml");
		return true;
	}
	v->calls++;
	snprintf(v->last_url, sizeof(v->last_url), "%s %s", call->rq.method, url);
	v->last_body = call->rq.body;
	for (size_t i = 0; i < call->rq.n_headers; i++)
		if (strcmp(call->rq.headers[i].name, "SOAPAction") == 0)
			snprintf(v->action, sizeof(v->action), "%s", call->rq.headers[i].value);
	if (v->cut != ERR_NONE)
		return err_set(err, v->cut, "cut");
	if (v->other_path && strstr(url, v->other_path)) {
		reply(ret, v->other_status, v->other_body, NULL);
		return true;
	}
	reply(ret, v->status, v->body, v->type);
	if (v->retry_after_ms)
		ret->retry_after_ms = v->retry_after_ms;
	return true;
}

static struct fake f; /* large */

static void open_maventa(struct arena *arena, struct vendor *v, struct maventa *mv)
{
	static const char keys[] = "{\"company_uuid\":\"" COMPANY "\",\"user_api_key\":\"k\"}";
	const struct json *credentials;
	struct err err = ERR_INIT;
	fake_init(&f, arena, "{}", keys);
	f.exchange = serve;
	f.ctx = v;
	assert_true(json_parse(arena, span_of(keys), JSON_LIMITS_API, &credentials, &err));
	assert_true(maventa_open(&f.at, NULL, credentials, mv, &err));
}

/* ---- opening ------------------------------------------------------------------------------- */

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

/* ---- the error model ----------------------------------------------------------------------- */

#define BODY(details) \
	"{\"code\":\"c\",\"message\":\"Error while creating invoice\",\"details\":" details "}"

static const struct {
	int status;
	const char *type, *body;
	enum err_code read, write;
	const char *reason, *words;
} answers[] = {
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
		struct vendor v = { .status = answers[i].status,
				    .body = answers[i].body,
				    .type = answers[i].type };
		struct maventa mv;
		struct maventa_authorization a;
		struct err read = ERR_INIT, write = ERR_INIT;
		const char *text;
		open_maventa(arena, &v, &mv);
		assert_false(maventa_authorization(&mv, &a, &read));
		assert_false(maventa_link(&mv, &text, &write));
		assert_int_equal(read.code, answers[i].read);
		assert_int_equal(write.code, answers[i].write);
		assert_string_equal(read.target_text, answers[i].words);
		assert_int_equal(read.upstream_status, answers[i].status);
		if (answers[i].reason)
			assert_string_equal(read.reason, answers[i].reason);
		else
			assert_null(read.reason);
	}
}

static void a_used_up_day_ends_and_a_told_wait_is_kept(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .status = 400, .body = BODY("[\"USER DAILY INVOICE LIMIT (5)\"]") };
	struct maventa mv;
	struct maventa_authorization a;
	struct err err = ERR_INIT;
	open_maventa(arena, &v, &mv);
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
		struct vendor v = { .login_status = cases[i].status, .login_body = cases[i].body };
		struct maventa mv;
		struct maventa_authorization a;
		struct err err = ERR_INIT;
		open_maventa(arena, &v, &mv);
		assert_false(maventa_authorization(&mv, &a, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(v.calls, 0);
	}
}

static void a_refused_token_is_replaced_once(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{\"auth_state\":\"SENT\"}" };
	struct maventa mv;
	struct maventa_authorization a;
	struct err err = ERR_INIT;
	open_maventa(arena, &v, &mv);
	assert_true(maventa_authorization(&mv, &a, &err));
	v.status = 401;
	assert_false(maventa_authorization(&mv, &a, &err));
	assert_int_equal(v.logins, 2);
	assert_int_equal(v.calls, 3); /* one with the old token, one with the new */
	assert_false(maventa_authorization(&mv, &a, &err));
	assert_int_equal(v.logins, 3);
}

/* ---- reading ------------------------------------------------------------------------------- */

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
		struct vendor v = { .body = cases[i].body };
		struct maventa mv;
		struct maventa_invoice in;
		struct err err = ERR_INIT;
		open_maventa(arena, &v, &mv);
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
	struct vendor v = { .body = "{\"id\":\"7B0C2F0E-2F55-4D2B-9C39-6A1F6D1F5A01\",\"sum\":"
				    "100.10,\"sum_tax\":125.63,\"number\":10042,"
				    "\"date\":\"2026-02-03T00:00:00Z\"}" };
	struct maventa mv;
	struct maventa_invoice in;
	struct err err = ERR_INIT;
	char text[DECIMAL_TEXT_MAX];
	open_maventa(arena, &v, &mv);
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
	struct vendor v = { .body = "[{\"id\":\"" UUID "\"},{\"id\":\"" UUID "\"}]" };
	const char *const uuids[] = { UUID };
	const struct maventa_invoice *list;
	struct maventa mv;
	size_t n;
	struct err err = ERR_INIT;
	open_maventa(arena, &v, &mv);
	assert_false(maventa_invoices(&mv, uuids, 1, &list, &n, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_string_equal(v.last_url, "GET http://maventa.test/v1/invoices?direction=SENT&page=1"
					"&per_page=100&ids=" UUID);
}

static void the_newest_error_tells_why(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "[{\"type\":\"ERROR\",\"message\":\"new\",\"happened_at\":"
				    "\"2026-02-03T10:00:00Z\"},{\"type\":\"ERROR\",\"message\":"
				    "null,\"happened_at\":\"2026-02-03T11:00:00Z\"},{\"type\":"
				    "\"ERROR\",\"message\":\"old\",\"happened_at\":\"2026-02-01T1"
				    "1:00:00Z\"},{}]" };
	struct maventa mv;
	const char *text;
	struct err err = ERR_INIT;
	open_maventa(arena, &v, &mv);
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
	struct vendor v = { .body = "{\"company\":{\"id\":\"" UUID "\"},\"user\":{}}" };
	struct maventa mv;
	struct maventa_current c;
	struct err err = ERR_INIT;
	open_maventa(arena, &v, &mv);
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

/* ---- sending ------------------------------------------------------------------------------- */

static struct span zip_in(struct span body)
{
	const char *from = memmem(body.p, body.n, "PK\3\4", 4);
	const char *to = from;
	assert_non_null(from);
	for (const char *p = from; (p = memmem(p, (size_t)(body.p + body.n - p), "\r\n--", 4)); p++)
		to = p;
	return (struct span) { from, (size_t)(to - from) };
}

static void files_get_legal_names_of_their_own(void **state)
{
	(void)state;
	static const struct {
		const char *name, *type, *legal;
	} cases[] = {
		{ "Lasku 7.PDF", NULL, "lasku_7.pdf" },
		{ "lasku_7.pdf", NULL, "lasku_7_2.pdf" },
		{ "lasku 7.pdf", NULL, "lasku_7_3.pdf" },
		{ "\xc3\x85\xc3\xa4\xc3\x96\xc3\xb8\xc3\x86\xc3\x9f\xc5\xbd.png", NULL,
		  "aaooaessz.png" },
		{ "\xe2\x82\xac\xff../..\\x.jpeg", NULL, "__.._.._x.jpeg" },
		{ "scan", "image/TIFF", "scan.tif" },
		{ ".xlsx", NULL, "file.xlsx" },
		{ "a.b.c.docx", NULL, "a.b.c.docx" },
		{ "report.final", "application/pdf", "report.final.pdf" },
		{ "7b0c2f0e2f554d2b9c396a1f6d1f5a01.pdf", NULL,
		  "7b0c2f0e2f554d2b9c396a1f6d1f5a01_2.pdf" },
	};
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_options opt = { 0 };
	struct attachment files[ARRAY_SIZE(cases)];
	struct maventa_form form, again;
	const struct zip_entry *entries;
	struct err err = ERR_INIT;
	size_t n;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		files[i] = (struct attachment) { .name = cases[i].name,
						 .mime_type = cases[i].type,
						 .data = span_of(cases[i].legal) };
		assert_true(maventa_takes_file(&files[i]));
	}
	struct maventa_sending s = { .uuid = UUID,
				     .xml = SPAN_LIT("<Invoice/>"),
				     .attachments = files,
				     .n_attachments = ARRAY_SIZE(files) };
	assert_true(maventa_map_sending(arena, &opt, &s, &form, &err));
	assert_true(maventa_map_sending(arena, &opt, &s, &again, &err));
	assert_true(span_eq(form.body, again.body));
	assert_true(zip_read(arena, zip_in(form.body), 1 << 20, &entries, &n, &err));
	assert_int_equal(n, ARRAY_SIZE(files) + 1);
	assert_string_equal(entries[0].name, "7b0c2f0e2f554d2b9c396a1f6d1f5a01.xml");
	for (size_t i = 1; i < n; i++) {
		assert_string_equal(entries[i].name, cases[i - 1].legal);
		assert_true(span_is(entries[i].data, cases[i - 1].legal));
	}
}

static void files_of_other_kinds_and_too_many_are_refused(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct attachment bad[] = { { .name = "a.exe" },
						 { .name = "a" },
						 { .name = "a.pdf.zip" },
						 { .name = "a", .mime_type = "text/csv" } };
	struct attachment many[MAVENTA_ATTACHMENTS_MAX + 1];
	struct maventa_options opt = { 0 };
	struct maventa_form form;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct maventa_sending s = { .uuid = UUID,
					     .attachments = &bad[i],
					     .n_attachments = 1 };
		assert_false(maventa_takes_file(&bad[i]));
		assert_false(maventa_map_sending(arena, &opt, &s, &form, &err));
		assert_string_equal(err.reason, "attachment_type");
	}
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct attachment) { .name = "same.pdf" };
	struct maventa_sending s = { .uuid = UUID,
				     .attachments = many,
				     .n_attachments = ARRAY_SIZE(many) };
	assert_false(maventa_map_sending(arena, &opt, &s, &form, &err));
	assert_string_equal(err.reason, "attachment_too_large");
	s.n_attachments--;
	assert_true(maventa_map_sending(arena, &opt, &s, &form, &err));
	char *large = arena_alloc(arena, 2 << 20);
	assert_non_null(large);
	many[0].data = (struct span) { large, 2 << 20 };
	CLEANUP(arena_free) struct arena *small = arena_new(4096);
	s.n_attachments = 1;
	assert_false(maventa_map_sending(small, &opt, &s, &form, &err));
	assert_string_equal(err.reason, "attachment_too_large");
	assert_string_equal(err.subject, "same.pdf");
}

static const char *form_text(struct arena *arena, const struct maventa_options *opt,
			     const struct maventa_sending *s)
{
	struct maventa_form form;
	struct err err = ERR_INIT;
	assert_true(maventa_map_sending(arena, opt, s, &form, &err));
	return arena_memdup(arena, form.body.p, form.body.n);
}

static void the_form_says_what_is_given_and_nothing_else(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_options opt = { .array_style = 1, .names_format = true };
	struct maventa_sending s = { .uuid = UUID, .xml = SPAN_LIT("<a/>") };
	const char *text = form_text(arena, &opt, &s);
	assert_null(strstr(text, "print_settings"));
	assert_null(strstr(text, "lang"));
	assert_null(strstr(text, "recipient"));
	assert_null(strstr(text, "prevent"));
	assert_null(strstr(text, "\"format\""));
	assert_non_null(strstr(text, "filename=\"7b0c2f0e2f554d2b9c396a1f6d1f5a01.xml\"\r\n"
				     "Content-Type: application/xml\r\n\r\n<a/>\r\n"));
	s = (struct maventa_sending) { .uuid = UUID,
				       .format = "FINVOICE30",
				       .xml = SPAN_LIT("<a/>"),
				       .recipient_email = "a@b.example",
				       .recipient_address = "0192:981234561",
				       .recipient_operator = "PEPPOL",
				       .disabled_routes = MAVENTA_ROUTE_PRINT,
				       .language = "nb",
				       .comment = "Hei \xe2\x82\xac",
				       .print_own_image = MAVENTA_OFF,
				       .print_color = MAVENTA_ON,
				       .letter_class = "ECONOMY",
				       .prevent_routing = true };
	text = form_text(arena, &opt, &s);
	static const char *const fields[] = {
		"\"format\"\r\n\r\nFINVOICE30",
		"\"recipient_email\"\r\n\r\na@b.example",
		"\"recipient_eia\"\r\n\r\n0192:981234561",
		"\"recipient_operator\"\r\n\r\nPEPPOL",
		"\"disabled_routes[]\"\r\n\r\nprint",
		"\"lang\"\r\n\r\nNO",
		"\"sender_comment\"\r\n\r\nHei \xe2\x82\xac",
		"\"print_settings[print_own_image]\"\r\n\r\nfalse",
		"\"print_settings[color]\"\r\n\r\ntrue",
		"\"print_settings[letter_class]\"\r\n\r\nECONOMY",
		"\"prevent_routing\"\r\n\r\ntrue",
	};
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_non_null(strstr(text, fields[i]));
}

static const struct maventa_form a_form = { UUID, "multipart/form-data", SPAN_LIT("x") };

/* A refusal is held against what is there, whatever it says (facts/maventa.md §5.4). */
static void a_refusal_of_what_is_there_is_a_duplicate(void **state)
{
	(void)state;
	static const int statuses[] = { 400, 409, 422 };
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .status = statuses[i],
				    .body = "{\"message\":\"Nein\"}",
				    .other_path = "/v1/invoices/" UUID,
				    .other_body = "{\"id\":\"" UUID "\",\"status\":\"FAILED\"}" };
		struct maventa mv;
		struct maventa_invoice in;
		struct err err = ERR_INIT;
		open_maventa(arena, &v, &mv);
		assert_false(maventa_send(&mv, &a_form, &in, &err));
		assert_int_equal(err.code, ERR_DUPLICATE);
		v.other_status = 404;
		assert_false(maventa_send(&mv, &a_form, &in, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.subject, "Nein");
		v.other_status = 500; /* it may be there: whoever says "refused" now loses it */
		assert_false(maventa_send(&mv, &a_form, &in, &err));
		assert_int_equal(err.code, ERR_DOUBT);
	}
}

static void silence_and_answers_without_an_id_leave_doubt(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .status = 201, .body = "{\"status\":\"PENDING\"}" };
	struct maventa mv;
	struct maventa_invoice in;
	struct err err = ERR_INIT;
	open_maventa(arena, &v, &mv);
	assert_false(maventa_send(&mv, &a_form, &in, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	v.cut = ERR_DOUBT;
	assert_false(maventa_send(&mv, &a_form, &in, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	v.cut = ERR_BUSY;
	assert_false(maventa_send(&mv, &a_form, &in, &err));
	assert_int_equal(err.code, ERR_BUSY);
}

/* 401 on sending: first that the company is not authenticated, then that the keys are wrong. */
static void MV_06_a_refused_sender_may_be_unverified(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *company; /* NULL: cannot be asked */
		enum err_code code;
		int asked_status; /* 0: 200 */
	} cases[] = {
		{ 401, "\"UNVERIFIED\"", ERR_WAITING, 0 },
		{ 403, "-1", ERR_WAITING, 0 },
		{ 401, "\"UNKNOWN\"", ERR_WAITING, 0 },
		{ 401, "\"VERIFIED\"", ERR_CREDENTIALS, 0 },
		{ 401, "1", ERR_CREDENTIALS, 0 },
		{ 401, NULL, ERR_CREDENTIALS, 0 },
		{ 401, "0", ERR_OUTAGE, 502 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .status = cases[i].status,
				    .body = "{\"message\":\"Unauthorized\"}",
				    .other_path = cases[i].company ? "/authorization" : NULL,
				    .other_status = cases[i].asked_status };
		struct maventa mv;
		struct maventa_invoice in;
		struct err err = ERR_INIT;
		open_maventa(arena, &v, &mv);
		v.other_body = arena_printf(arena, "{\"company_state\":%s}",
					    cases[i].company ? cases[i].company : "0");
		assert_false(maventa_send(&mv, &a_form, &in, &err));
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].code == ERR_WAITING)
			assert_string_equal(err.reason, "company_unverified");
	}
}

/* ---- SOAP ---------------------------------------------------------------------------------- */

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
		struct vendor v = { .wsdl = cases[i].wsdl,
				    .type = "text/xml",
				    .body = ENVELOPE("<r><status>OK</status><company_uuid>" UUID
						     "</company_uuid><user_api_key/></r>") };
		struct maventa mv;
		struct maventa_registered got;
		struct err err = ERR_INIT;
		open_maventa(arena, &v, &mv);
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
		struct vendor v = { .wsdl = WSDL("http://maventa.test/api", OPERATION),
				    .type = "text/xml",
				    .status = cases[i].status,
				    .body = cases[i].body };
		struct maventa mv;
		struct maventa_registered got;
		struct err err = ERR_INIT;
		open_maventa(arena, &v, &mv);
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
		struct vendor v = { .wsdl = bad[i] };
		struct maventa mv;
		struct maventa_registered got;
		struct err err = ERR_INIT;
		open_maventa(arena, &v, &mv);
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
		struct vendor v = { .body = cases[i].body };
		struct maventa mv;
		struct err err = ERR_INIT;
		bool is_free = !cases[i].is_free;
		open_maventa(arena, &v, &mv);
		assert_int_equal(maventa_is_free(&mv, "9000102-2", "FI", &is_free, &err),
				 cases[i].ok);
		if (cases[i].ok)
			assert_int_equal(is_free, cases[i].is_free);
		else
			assert_int_equal(err.code, ERR_SYSTEM);
	}
}

/* ---- memory -------------------------------------------------------------------------------- */

static bool map_in(struct arena *arena)
{
	static const struct attachment file = { .name = "Lasku.pdf", .data = SPAN_LIT("%PDF-") };
	struct maventa_options opt = { 0 };
	struct maventa_sending s = { .uuid = UUID,
				     .xml = SPAN_LIT("<a/>"),
				     .image = &file,
				     .attachments = &file,
				     .n_attachments = 1 };
	struct maventa_form form;
	struct err err = ERR_INIT;
	bool ok = maventa_map_sending(arena, &opt, &s, &form, &err);
	assert_true(ok || err.code == ERR_LIMIT || err.code == ERR_DATA);
	return ok;
}

static void a_short_arena_is_told(void **state)
{
	(void)state;
	assert_true(walk_cap(map_in) > 10);
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
		cmocka_unit_test(files_get_legal_names_of_their_own),
		cmocka_unit_test(files_of_other_kinds_and_too_many_are_refused),
		cmocka_unit_test(the_form_says_what_is_given_and_nothing_else),
		cmocka_unit_test(a_refusal_of_what_is_there_is_a_duplicate),
		cmocka_unit_test(silence_and_answers_without_an_id_leave_doubt),
		cmocka_unit_test(MV_06_a_refused_sender_may_be_unverified),
		cmocka_unit_test(the_wsdl_says_where_but_not_at_whose),
		cmocka_unit_test(answers_of_soap_have_their_meaning),
		cmocka_unit_test(a_wsdl_without_an_address_is_a_fault),
		cmocka_unit_test(looking_up_a_company_takes_a_plain_answer_only),
		cmocka_unit_test(a_short_arena_is_told),
	};
	alloc_init();
	xml_global_init();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_release();
	return failed;
}
