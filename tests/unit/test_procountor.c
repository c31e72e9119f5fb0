/* test_procountor.c: what Procountor may answer that its stand-in does not: the error model,
 * logins, lists that go wrong, half answers; and what each call asks. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "flows/fake.h"
#include "systems/procountor.h"

#define KEYS "{\"api_key\":\"k&=\xc3\xa4\"}"

/* What the vendor answers, and what it was asked. */
struct answer {
	const char *match; /* in "GET http://..."; NULL: any */
	int status; /* 0: 200 */
	const char *body, *type;
	bool once;
};
struct vendor {
	const struct answer *answers; /* ended by one without a body */
	int login_status;
	const char *login_body, *login_type;
	int64_t retry_after_ms;
	unsigned used; /* of those that count once */
	int calls, logins;
	const char *asked[64]; /* "GET /x": newest last */
	const char *header; /* "name: value" beside the usual ones, of the last call */
	const char *type; /* Content-Type of the last call; NULL: none */
	struct span body, login;
};

static bool serve_login(struct fake *f, struct vendor *v, const struct call *call,
			struct http_reply *ret)
{
	v->logins++;
	v->login = call->rq.body;
	*ret = (struct http_reply) {
		.status = v->login_status ? v->login_status : 200,
		.body = span_of(
			v->login_body
				? v->login_body
				: arena_printf(f->arena,
					       "{\"access_token\":\"t%d\",\"expires_in\":3600}",
					       v->logins)),
		.content_type = v->login_type ? v->login_type : "application/json",
		.retry_after_ms = -1,
	};
	return true;
}

static void note_call(struct fake *f, struct vendor *v, const struct call *call)
{
	v->header = NULL;
	v->type = NULL;
	v->body = call->rq.body;
	assert_true(v->calls < (int)ARRAY_SIZE(v->asked));
	v->asked[v->calls++] = arena_printf(f->arena, "%s %s", call->rq.method,
					    call->rq.url + strlen("http://procountor.test/api"));
	for (size_t i = 0; i < call->rq.n_headers; i++) {
		const struct http_header *h = &call->rq.headers[i];
		if (strcmp(h->name, "Content-Type") == 0)
			v->type = h->value;
		else if (strcmp(h->name, "Authorization") != 0 && strcmp(h->name, "Accept") != 0)
			v->header = arena_printf(f->arena, "%s: %s", h->name, h->value);
	}
	assert_string_equal(call->limit_key, "procountor:viestiClient");
	/* A GET with a body is answered 403 by the gateway. */
	if (strcmp(call->rq.method, "GET") == 0)
		assert_true(!call->rq.body.p && !v->type);
	assert_int_equal(call->rq.is_write, strcmp(call->rq.method, "GET") != 0);
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	(void)err;
	assert_null(strstr(call->rq.url, "sandbox-secret"));
	if (strstr(call->rq.url, "/oauth/token"))
		return serve_login(f, v, call, ret);
	note_call(f, v, call);
	for (unsigned i = 0; v->answers[i].body; i++) {
		const struct answer *a = &v->answers[i];
		if ((a->match && !strstr(v->asked[v->calls - 1], a->match)) ||
		    (a->once && (v->used & (1u << i))))
			continue;
		v->used |= 1u << i;
		*ret = (struct http_reply) { .status = a->status ? a->status : 200,
					     .body = span_of(a->body),
					     .content_type = a->type ? a->type : "application/json",
					     .retry_after_ms = v->retry_after_ms ? v->retry_after_ms
										 : -1 };
		return true;
	}
	fail_msg("nobody answers %s", v->asked[v->calls - 1]);
	return false;
}

static struct fake f; /* large */

static void open_it(struct arena *arena, struct vendor *v, struct procountor *p)
{
	const struct json *credentials;
	struct err err = ERR_INIT;
	fake_init(&f, arena, "{}", KEYS);
	f.exchange = serve;
	f.ctx = v;
	assert_true(json_parse(arena, span_of(KEYS), JSON_LIMITS_API, &credentials, &err));
	assert_true(procountor_open(&f.at, NULL, credentials, p, &err));
}

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
	f.procountor.rate = 55;
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
		const struct answer all[] = { { .status = answers[i].status,
						.body = answers[i].body,
						.type = answers[i].type },
					      { 0 } };
		struct vendor v = { .answers = all };
		struct procountor p;
		struct procountor_invoice in;
		struct err read = ERR_INIT, write = ERR_INIT;
		open_it(arena, &v, &p);
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
	static const struct answer all[] = {
		{ .status = 400, .body = ERRORS(ONE("a.b[2]", "M\xc3\xa4ki") "," ONE("c", "D")) },
		{ 0 }
	};
	struct vendor v = { .answers = all };
	struct procountor p;
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
	assert_false(procountor_invoice_add(&p, SPAN_LIT("{}"), &in, &err));
	assert_string_equal(err.target_text, "a.b[2]: M\xc3\xa4ki; c: D");
	assert_string_equal(err.pointer, "a.b[2]");
}

static void a_request_to_slow_down_has_a_time(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct answer all[] = { { .status = 429, .body = "" }, { 0 } };
	struct vendor v = { .answers = all };
	struct procountor p;
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
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
		open_it(arena, &v, &p);
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
	static const struct answer all[] = { { .body = "{\"id\":1}" }, { 0 } };
	static const char plain[] = "grant_type=client_credentials&client_id=viestiClient&"
				    "client_secret=sandbox-secret&api_key=k%26%3D%C3%A4";
	struct vendor v = { .answers = all };
	struct procountor p;
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
	assert_true(procountor_invoice(&p, "1", &in, &err));
	assert_true(span_is(v.login, plain));
	open_it(arena, &v, &p);
	f.procountor.redirect_uri = "https://v.example/cb";
	assert_true(procountor_invoice(&p, "1", &in, &err));
	assert_non_null(strstr(v.login.p, "&redirect_uri=https%3A%2F%2Fv.example%2Fcb"));
}

static void a_refused_token_is_replaced_once(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct answer good[] = { { .body = "{\"id\":1}" }, { 0 } };
	static const struct answer ended[] = { { .status = 401, .body = "", .once = true },
					       { .body = "{\"id\":2}" },
					       { 0 } };
	static const struct answer revoked[] = { { .status = 401, .body = "" }, { 0 } };
	struct vendor v = { .answers = good };
	struct procountor p;
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
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

/* ---- lists --------------------------------------------------------------------------------- */

#define ALL_PRODUCTS "GET /products?type=SALES&active=true&orderById=ASC&size=2"

/* Walks a register as a sync does, each page in an arena of its own; the number of records. */
static bool walk_products(struct procountor *p, const struct procountor_list *list, size_t *ret_n,
			  struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct attempt at = *p->at;
	struct procountor paged = *p;
	char from[32];
	bool is_first = true;
	*ret_n = 0;
	at.arena = arena;
	paged.at = &at;
	for (;;) {
		struct procountor_product_page page;
		if (!procountor_product_page(&paged, list, is_first ? NULL : from, &page, err))
			return false;
		*ret_n += page.n;
		if (!page.next)
			return true;
		snprintf(from, sizeof(from), "%s", page.next);
		is_first = false;
		arena_clear(arena);
	}
}

static void a_list_is_read_to_its_end_or_fails(void **state)
{
	(void)state;
	static const struct {
		const char *pages[4];
		enum err_code code;
		size_t n;
		int calls;
	} cases[] = {
		{ { "{\"results\":[]}" }, ERR_NONE, 0, 1 },
		{ { "{\"results\":[{\"id\":1},{\"id\":5}]}", "{\"results\":[{\"id\":7}]}" },
		  ERR_NONE,
		  3,
		  2 },
		{ { "{\"results\":[{\"id\":1},{\"id\":5}]}", "{\"results\":[]}" }, ERR_NONE, 2, 2 },
		/* totalCount is not relied on. */
		{ { "{\"results\":[{\"id\":1},{\"id\":5}],\"meta\":{\"totalCount\":2}}",
		    "{\"results\":[{\"id\":6}]}" },
		  ERR_NONE,
		  3,
		  2 },
		/* A server that gives less than it was asked for, and says so. */
		{ { "{\"results\":[{\"id\":1}],\"meta\":{\"pageSize\":1}}",
		    "{\"results\":[{\"id\":2}],\"meta\":{\"pageSize\":1}}",
		    "{\"results\":[],\"meta\":{\"pageSize\":1}}" },
		  ERR_NONE,
		  2,
		  3 },
		{ { "{\"products\":[{\"id\":4}]}" }, ERR_NONE, 1, 1 },
		{ { "{\"results\":[{\"id\":5},{\"id\":1}]}" }, ERR_SYSTEM, 0, 1 },
		{ { "{\"results\":[{\"id\":1},{\"id\":5}]}",
		    "{\"results\":[{\"id\":1},{\"id\":5}]}" },
		  ERR_SYSTEM,
		  2,
		  2 },
		{ { "{\"results\":[{\"name\":\"x\"}]}" }, ERR_SYSTEM, 0, 1 },
		{ { "{}" }, ERR_OUTAGE, 0, 1 },
		{ { "[]" }, ERR_OUTAGE, 0, 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct answer all[5] = { 0 };
		for (size_t k = 0; k < 4 && cases[i].pages[k]; k++)
			all[k] = (struct answer) { .body = cases[i].pages[k], .once = true };
		struct vendor v = { .answers = all };
		const struct procountor_list list = { 0 };
		struct procountor p;
		size_t n;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
		f.procountor.page = 2;
		assert_int_equal(walk_products(&p, &list, &n, &err), cases[i].code == ERR_NONE);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(n, cases[i].n);
		assert_int_equal(v.calls, cases[i].calls);
		assert_string_equal(v.asked[0], ALL_PRODUCTS);
		if (v.calls > 1)
			assert_non_null(strstr(v.asked[1], "&previousId="));
	}
}

/* A walk may end in one process and go on in another. */
static void a_place_in_a_list_is_an_id(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct answer all[] = {
		{ .match = "active=true",
		  .body = "{\"results\":[{\"id\":1},{\"id\":5}]}",
		  .once = true },
		{ .match = "active=true", .body = "{\"results\":[{\"id\":7}]}" },
		{ .match = "active=false", .body = "{\"results\":[{\"id\":2}]}" },
		{ 0 }
	};
	static const char *const wrong[] = { "", "5", "a", "a-1", "x5", "a1234567890123456789" };
	const struct procountor_list list = { .with_inactive = true }, active = { 0 };
	struct vendor v = { .answers = all };
	struct procountor_product_page page;
	struct procountor p;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
	f.procountor.page = 2;
	assert_true(procountor_product_page(&p, &list, NULL, &page, &err));
	assert_string_equal(page.next, "a5");
	assert_true(procountor_product_page(&p, &active, page.next, &page, &err));
	assert_null(page.next);
	assert_string_equal(v.asked[1], ALL_PRODUCTS "&previousId=5");
	assert_true(procountor_product_page(&p, &list, "a5", &page, &err));
	assert_string_equal(page.next, "i0");
	assert_true(procountor_product_page(&p, &list, page.next, &page, &err));
	assert_int_equal(page.n, 1);
	assert_null(page.next);
	assert_non_null(strstr(v.asked[3], "active=false&orderById=ASC&size=2"));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(procountor_product_page(&p, &list, wrong[i], &page, &err));
}

static void changes_are_asked_for_in_the_vendors_time(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 1772352000000, "versionStartDate=2026-03-01T10%3A00%3A00&" }, /* 08:00 UTC */
		{ 1782892800000, "versionStartDate=2026-07-01T11%3A00%3A00&" }, /* summer time */
	};
	static const struct answer all[] = { { .body = "{\"results\":[]}" }, { 0 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .answers = all };
		const struct procountor_list list = { .changed_since_ms = cases[i].ms };
		struct procountor_product_page page;
		struct procountor p;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
		assert_true(procountor_product_page(&p, &list, NULL, &page, &err));
		assert_non_null(strstr(v.asked[0], cases[i].text));
		f.procountor.time_zone = "No/Where";
		assert_false(procountor_product_page(&p, &list, NULL, &page, &err));
		assert_non_null(strstr(err.message, "VIESTI_PROCOUNTOR_TIME_ZONE"));
	}
}

/* PC-06: a list has heads only; the cards are read in one call a page. */
static void PC_06_customers_come_whole(void **state)
{
	(void)state;
	static const struct {
		const char *list, *cards;
		int status;
		enum err_code code;
		size_t n;
	} cases[] = {
		{ "{\"results\":[{\"id\":3}]}", "{\"id\":3,\"name\":\"One\"}", 0, ERR_NONE, 1 },
		{ "{\"results\":[{\"id\":3},{\"id\":4}]}",
		  "[{\"id\":3,\"name\":\"a\"},{\"id\":4,\"name\":\"b\"}]", 0, ERR_NONE, 2 },
		/* Deleted in between. */
		{ "{\"results\":[{\"id\":3},{\"id\":4}]}", "[{\"id\":4,\"name\":\"b\"}]", 0,
		  ERR_NONE, 1 },
		{ "{\"results\":[{\"id\":3}]}", "{\"errors\":[]}", 404, ERR_NONE, 0 },
		{ "{\"results\":[]}", "{}", 0, ERR_NONE, 0 },
		{ "{\"results\":[{\"id\":3}]}", "[{\"id\":3},{\"id\":4}]", 0, ERR_SYSTEM, 0 },
		{ "{\"results\":[{\"id\":3}]}", "{\"name\":\"x\"}", 0, ERR_SYSTEM, 0 },
		{ "{\"results\":[{\"id\":3}]}", "", 500, ERR_OUTAGE, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct answer all[] = { { .match = "?type=", .body = cases[i].list },
					      { .body = cases[i].cards, .status = cases[i].status },
					      { 0 } };
		struct vendor v = { .answers = all };
		const struct procountor_list list = { 0 };
		struct procountor_partner_page page = { .n = 0 };
		struct procountor p;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
		assert_int_equal(procountor_partner_page(&p, &list, NULL, &page, &err),
				 cases[i].code == ERR_NONE);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(page.n, cases[i].n);
		assert_null(page.next);
	}
}

/* ---- finding ------------------------------------------------------------------------------- */

static void a_customer_is_found_letter_by_letter(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct answer all[] = {
		{ .match = "active=true",
		  .body = "{\"results\":[{\"id\":5,\"invoicingInfo\":{\"identifier\":\"2817345-6\","
			  "\"customerNumber\":\"SP-1\"}},{\"id\":7,\"invoicingInfo\":{"
			  "\"identifier\":"
			  "\"2817345-6 \",\"customerNumber\":\"SP-1\"}},{\"id\":8}]}" },
		{ .match = "active=false",
		  .body = "{\"results\":[{\"id\":2,\"invoicingInfo\":{\"identifier\":\"2817345-6\","
			  "\"customerNumber\":\"SP-1\"}}]}" },
		{ .body = "[{\"id\":2,\"registryInfo\":{\"active\":false}},{\"id\":5}]" },
		{ 0 }
	};
	struct vendor v = { .answers = all };
	const struct procountor_partner_query q = { .business_id = "2817345-6",
						    .customer_number = "SP-1" };
	const struct procountor_partner *found;
	struct procountor p;
	size_t n;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
	assert_true(procountor_partner_find(&p, &q, &found, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(found[0].id, "2");
	assert_false(found[0].is_active);
	assert_non_null(strstr(v.asked[0], "?type=CUSTOMER&active=true&customerNumber=SP-1&"));
	assert_null(strstr(v.asked[0], "2817345")); /* personal data stay out of addresses */
	assert_string_equal(v.asked[2], "GET /businesspartners/2,5");
}

static void names_go_into_a_header(void **state)
{
	(void)state;
	static const struct {
		int style;
		const char *name, *header;
	} cases[] = {
		{ 0, "Esimerkki 5 % Oy", "name: Esimerkki 5 % Oy" },
		{ 0, "S\xc3\xa4hk\xc3\xb6 5 % Oy", "name: S%C3%A4hk%C3%B6 5 %25 Oy" },
		{ 1, "S\xc3\xa4hk\xc3\xb6 Oy", "name: S\xc3\xa4hk\xc3\xb6 Oy" },
	};
	static const struct answer all[] = { { .body = "{\"results\":[{\"id\":1}]}" }, { 0 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .answers = all };
		const struct procountor_partner_query q = { .name = cases[i].name };
		const struct procountor_partner *found;
		struct procountor p;
		size_t n;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
		f.procountor.header_text = cases[i].style;
		assert_true(procountor_partner_find(&p, &q, &found, &n, &err));
		assert_int_equal(n, 0);
		assert_string_equal(v.header, cases[i].header);
	}
}

static void the_product_to_link_comes_first(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct answer all[] = {
		{ .body = "{\"results\":[{\"id\":8,\"code\":\"A&1\",\"active\":false},"
			  "{\"id\":9,\"code\":\"A&10\"},{\"id\":77,\"code\":\"A&1\",\"price\":"
			  "31.90,\"vat\":25.5},{\"id\":100,\"code\":\"A&1\"},{\"id\":101,\"code\":"
			  "\"a&1\"},{\"id\":102,\"code\":null}]}" },
		{ 0 }
	};
	struct vendor v = { .answers = all };
	const struct procountor_product *found;
	struct procountor p;
	size_t n;
	struct err err = ERR_INIT;
	char text[DECIMAL_TEXT_MAX];
	open_it(arena, &v, &p);
	assert_true(procountor_product_find(&p, "A&1", &found, &n, &err));
	assert_int_equal(n, 3);
	assert_string_equal(found[0].id, "77");
	assert_string_equal(found[1].id, "100");
	assert_string_equal(found[2].id, "8");
	assert_string_equal(decimal_format(found[0].price, 2, '.', text), "31.90");
	assert_true(found[0].has_vat && !found[1].has_vat);
	assert_non_null(strstr(v.asked[0], "/products?type=SALES&code=A%261&"));
	assert_true(procountor_product_find(&p, "B", &found, &n, &err));
	assert_int_equal(n, 0);
}

/* ---- is it ours ---------------------------------------------------------------------------- */

#define HEAD(id, status) \
	"{\"id\":" id ",\"status\":\"" status "\",\"originalInvoiceNumber\":\"SPT-1\"}"
#define SUMS(gross)                                                                               \
	"\"invoiceSumInfo\":[{\"currency\":\"SEK\",\"excludingVatTotal\":1,\"vatSumTotal\":1,"    \
	"\"invoiceSumTotal\":1},{\"currency\":\"EUR\",\"excludingVatTotal\":100,\"vatSumTotal\":" \
	"25.5,\"invoiceSumTotal\":" gross "}]"
#define BODY(id, number, partner, date, currency, gross)                                      \
	"{\"id\":" id ",\"type\":\"SALES_INVOICE\",\"status\":\"UNFINISHED\","                \
	"\"originalInvoiceNumber\":\"" number "\",\"partnerId\":" partner ",\"date\":\"" date \
	"\",\"paymentInfo\":{\"currency\":\"" currency                                        \
	"\",\"bankReferenceCode\":\"1232\"}," SUMS(gross) "}"
#define OURS(id) BODY(id, "SPT-1", "9", "2026-03-02", "EUR", "125.50")

static const struct invoice sent = {
	.number = "SPT-1",
	.issue_date = "2026-03-02",
	.currency = "EUR",
	.total_net = { 100, 0 },
	.total_gross = { 12550, 2 },
	.n_rows = 1,
	.n_vat = 1,
};

static const struct {
	const char *list, *cards;
	enum procountor_match match;
	const char *differs, *id;
} look_ups[] = {
	{ "", NULL, PROCOUNTOR_ABSENT, NULL, NULL },
	{ HEAD("1", "UNFINISHED"), OURS("1"), PROCOUNTOR_OURS, NULL, "1" },
	{ HEAD("1", "SENT"), OURS("1"), PROCOUNTOR_OURS, NULL, "1" },
	/* Thrown away by a person: as if it were not there. */
	{ HEAD("1", "INVALIDATED") "," HEAD("2", "DELETED"), NULL, PROCOUNTOR_ABSENT, NULL, NULL },
	/* The filter was loose. */
	{ "{\"id\":1,\"originalInvoiceNumber\":\"SPT-10\"},{\"id\":2},"
	  "{\"id\":3,\"originalInvoiceNumber\":\"spt-1\"}",
	  NULL, PROCOUNTOR_ABSENT, NULL, NULL },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "8", "2026-03-02", "EUR", "125.50"),
	  PROCOUNTOR_TAKEN, "customer", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-03", "EUR", "125.50"),
	  PROCOUNTOR_TAKEN, "date", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-02", "SEK", "125.50"),
	  PROCOUNTOR_TAKEN, "currency", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-02", "EUR", "125.53"),
	  PROCOUNTOR_TAKEN, "sum", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-02", "EUR", "-125.50"),
	  PROCOUNTOR_TAKEN, "sum", "1" },
	/* VAT rounded by the vendor: a cent per row and rate. */
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-02", "EUR", "125.52"),
	  PROCOUNTOR_OURS, NULL, "1" },
	{ HEAD("1", "UNFINISHED"),
	  "{\"id\":1,\"type\":\"SALES_INVOICE\",\"originalInvoiceNumber\":\"SPT-1\",\"partnerId\":"
	  "9,"
	  "\"date\":\"2026-03-02\",\"paymentInfo\":{\"currency\":\"EUR\"}}",
	  PROCOUNTOR_TAKEN, "sum", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-2", "9", "2026-03-02", "EUR", "125.50"),
	  PROCOUNTOR_TAKEN, "number", "1" },
	{ HEAD("1", "UNFINISHED"), "{\"id\":1,\"type\":\"SALES_ORDER\"}", PROCOUNTOR_TAKEN, "type",
	  "1" },
	{ HEAD("1", "UNFINISHED") "," HEAD("2", "UNFINISHED"),
	  "[" BODY("1", "SPT-1", "8", "2026-03-02", "EUR", "125.50") "," OURS("2") "]",
	  PROCOUNTOR_OURS, NULL, "2" },
	{ HEAD("1", "UNFINISHED") "," HEAD("2", "UNFINISHED"), "[" OURS("1") "," OURS("2") "]",
	  PROCOUNTOR_SEVERAL, NULL, "1" },
};

static void a_document_is_ours_when_all_that_names_it_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(look_ups); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct answer all[] = {
			{ .match = "?types=SALES_INVOICE&originalInvoiceNumber=SPT-1&",
			  .body = arena_printf(arena, "{\"results\":[%s]}", look_ups[i].list) },
			{ .body = look_ups[i].cards ? look_ups[i].cards : NULL },
			{ 0 }
		};
		struct vendor v = { .answers = all };
		struct procountor_found found;
		struct procountor p;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
		assert_true(procountor_invoice_look_up(&p, &sent, "9", &found, &err));
		assert_int_equal(found.match, look_ups[i].match);
		if (look_ups[i].id)
			assert_string_equal(found.invoice.id, look_ups[i].id);
		assert_true(str_eq(found.differs, look_ups[i].differs));
	}
}

static void half_a_look_up_is_no_absence(void **state)
{
	(void)state;
	static const struct {
		const char *list, *cards;
		int status;
		enum err_code code;
	} cases[] = {
		{ "{\"results\":[" HEAD("1", "SENT") "]}", "{}", 404, ERR_OUTAGE },
		{ "{\"results\":[" HEAD("1", "SENT") "," HEAD("2", "SENT") "]}", "[" OURS("2") "]",
		  0, ERR_OUTAGE },
		{ "{\"results\":[" HEAD("1", "SENT") "]}", "", 500, ERR_OUTAGE },
		{ "{\"result\":[]}", "{}", 0, ERR_OUTAGE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct answer all[] = { { .match = "?types=", .body = cases[i].list },
					      { .body = cases[i].cards, .status = cases[i].status },
					      { 0 } };
		struct vendor v = { .answers = all };
		struct procountor_found found;
		struct procountor p;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
		assert_false(procountor_invoice_look_up(&p, &sent, "9", &found, &err));
		assert_int_equal(err.code, cases[i].code);
	}
}

static void a_reference_of_ours_must_agree_too(void **state)
{
	(void)state;
	struct invoice inv = sent;
	struct procountor_invoice have = { .type = "SALES_INVOICE",
					   .original_number = "SPT-1",
					   .partner_id = "9",
					   .date = "2026-03-02",
					   .currency = "EUR",
					   .reference = "1232",
					   .has_sum = true,
					   .net = sent.total_net,
					   .gross = sent.total_gross };
	assert_null(procountor_invoice_differs(&have, &inv, "9"));
	inv.reference = "1232";
	assert_null(procountor_invoice_differs(&have, &inv, "9"));
	inv.reference = "1245";
	assert_string_equal(procountor_invoice_differs(&have, &inv, "9"), "reference");
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
		{ ERRORS(ONE("name", "TOO_LONG")), ERR_DATA },
	};
	const struct procountor_partner partner = { .id = "7",
						    .version = "2026-03-02T10:15:41",
						    .name = "A" };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct answer all[] = { { .status = 400, .body = cases[i].body }, { 0 } };
		struct vendor v = { .answers = all };
		struct procountor p;
		struct procountor_invoice in;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
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
	static const struct answer all[] = { { .body = "{\"name\":\"x\"}" }, { 0 } };
	struct vendor v = { .answers = all };
	const struct product product = { .name = "A", .is_active = true };
	const struct procountor_product_options opt = { .currency = "EUR", .unit = "PIECE" };
	const struct procountor_partner partner = { .name = "A",
						    .payment_method = "BANK_TRANSFER",
						    .address = { .at = { .country_code = "FI" } } };
	struct procountor p;
	const char *id = NULL;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
	assert_false(procountor_product_add(&p, &product, &opt, &id, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	assert_false(procountor_partner_add(&p, &partner, &id, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	assert_null(id);
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
		const struct answer all[] = {
			{ .status = 400,
			  .body = arena_printf(
				  arena, "{\"errors\":[{\"field\":\"f\",\"message\":\"%s\"}]}",
				  cases[i].message) },
			{ 0 }
		};
		struct vendor v = { .answers = all };
		struct procountor p;
		const char *id;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
		assert_false(procountor_partner_add(&p, &partner, &id, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.reason, cases[i].reason);
		assert_string_equal(err.subject, cases[i].subject);
	}
}

static void a_file_goes_with_what_it_belongs_to(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(32 << 20);
	static const struct answer all[] = { { .body = "{\"id\":1}" }, { 0 } };
	struct vendor v = { .answers = all };
	struct attachment file = { .name = "Ty\xc3\xb6.pdf", .data = SPAN_LIT("%PDF-1.4") };
	struct procountor p;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
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
		const struct answer all[] = { { .match = "/sessioninfo", .body = SESSION },
					      { .match = "/company", .body = COMPANY },
					      { .match = "/users/rights", .body = cases[i].rights },
					      { 0 } };
		struct vendor v = { .answers = all };
		struct procountor_current c;
		struct procountor p;
		struct err err = ERR_INIT;
		open_it(arena, &v, &p);
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
	static const struct answer all[] = { { .match = "/sessioninfo", .body = SESSION },
					     { .match = "/company", .status = 403, .body = "{}" },
					     { .match = "/users/rights", .body = "{}" },
					     { 0 } };
	static const struct answer odd[] = { { .match = "/sessioninfo", .body = "{}" },
					     { .match = "/company", .body = COMPANY },
					     { 0 } };
	struct vendor v = { .answers = all };
	struct procountor_current c;
	struct procountor p;
	struct err err = ERR_INIT;
	open_it(arena, &v, &p);
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
	static const struct answer all[] = {
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
	open_it(arena, &v, &p);
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
		cmocka_unit_test(a_list_is_read_to_its_end_or_fails),
		cmocka_unit_test(a_place_in_a_list_is_an_id),
		cmocka_unit_test(changes_are_asked_for_in_the_vendors_time),
		cmocka_unit_test(PC_06_customers_come_whole),
		cmocka_unit_test(a_customer_is_found_letter_by_letter),
		cmocka_unit_test(names_go_into_a_header),
		cmocka_unit_test(the_product_to_link_comes_first),
		cmocka_unit_test(a_document_is_ours_when_all_that_names_it_agrees),
		cmocka_unit_test(half_a_look_up_is_no_absence),
		cmocka_unit_test(a_reference_of_ours_must_agree_too),
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
