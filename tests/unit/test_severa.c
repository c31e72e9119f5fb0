/* test_severa.c: Severa's REST API against a vendor of a few lines: lists in both paging styles,
 * the error model, tokens. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/fake.h"
#include "systems/severa.h"

#define STATUS "00000000-0000-4000-8000-%012d"

/* What the vendor has and how it behaves. */
struct vendor {
	int n_rows; /* of every list */
	int page_max; /* rows that it gives at once, whatever is asked */
	bool ignores_place; /* answers the first page to everything */
	int moves_after; /* style F: with this call the first row is deleted; 0: never */
	bool same_token; /* gives new pages under one and the same token, without an end */
	int circle; /* style T: pages after which it begins anew; 0: none */
	const char *body; /* answered to everything but the login */
	/* The same with a status; at_login: to the login instead. */
	struct {
		int status;
		const char *type, *body;
		int64_t retry_after_ms;
	} error;
	bool at_login;
	enum err_code cut; /* what the transport says of every call; ERR_NONE: the line holds */
	int n_refused_tokens; /* that many logins give tokens that are refused */
	int calls, logins;
	char last_url[512];
};

static int64_t number_after(const char *url, const char *name, int64_t preset)
{
	const char *p = strstr(url, name);
	return p ? strtoll(p + strlen(name), NULL, 10) : preset;
}

static void write_row(struct json_writer *w, const char *url, int i)
{
	char id[40];
	snprintf(id, sizeof(id), STATUS, i);
	jsonw_object(w);
	jsonw_kstr(w, "guid", id);
	snprintf(id, sizeof(id), "row %d", i);
	jsonw_kstr(w, "name", id);
	if (strstr(url, "/v1/invoices?")) {
		jsonw_key(w, "status");
		jsonw_raw(w, SPAN_LIT("{\"guid\":\"s\"}"));
	}
	jsonw_end_object(w);
}

static void answer(struct fake *f, struct http_reply *ret, const char *body, const char *token)
{
	struct http_header *h = arena_alloc(f->at.arena, sizeof(*h));
	assert_non_null(h);
	*h = (struct http_header) { "nextpagetoken", token };
	*ret = (struct http_reply) { .status = 200,
				     .body = span_of(body),
				     .content_type = "application/json",
				     .retry_after_ms = -1,
				     .headers = h,
				     .n_headers = token ? 1 : 0 };
}

static bool serve_list(struct fake *f, const char *url, struct http_reply *ret)
{
	struct vendor *v = f->ctx;
	bool by_row = strstr(url, "firstRow=") != NULL;
	int64_t first = number_after(url, by_row ? "firstRow=" : "pageToken=p", 0);
	int64_t want = number_after(url, "rowCount=", 20);
	const char *text, *token = NULL;
	struct strbuf sb = STRBUF_INIT(f->arena, 1 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (by_row && v->moves_after && v->calls > v->moves_after)
		first++; /* what stood there moved up */
	if (v->ignores_place)
		first = 0;
	if (v->circle)
		first %= v->circle * want;
	if (want > v->page_max)
		want = v->page_max;
	jsonw_array(&w);
	for (int64_t i = first; i < first + want && i < v->n_rows; i++)
		write_row(&w, url, (int)i);
	jsonw_end_array(&w);
	assert_true(strbuf_finish(&sb, &text, NULL));
	if (!by_row && (first + want < v->n_rows || v->same_token))
		token = v->same_token ? "p0" : arena_printf(f->arena, "p%" PRId64, first + want);
	answer(f, ret, text, token);
	return true;
}

static void refuse(const struct vendor *v, struct http_reply *ret)
{
	const char *type = v->error.type ? v->error.type : "application/json; charset=utf-8";
	*ret = (struct http_reply) { .status = v->error.status,
				     .body = span_of(v->error.body ? v->error.body : ""),
				     .content_type = type,
				     .retry_after_ms = v->error.retry_after_ms };
}

static bool serve_login(struct fake *f, struct http_reply *ret)
{
	struct vendor *v = f->ctx;
	v->logins++;
	if (v->at_login)
		refuse(v, ret);
	else
		answer(f, ret,
		       arena_printf(f->arena,
				    "{\"access_token\":\"t%d\",\"access_token_expires_in\":3600}",
				    v->logins),
		       NULL);
	return true;
}

static bool is_token_good(const struct vendor *v, const struct call *call)
{
	for (size_t i = 0; i < call->rq.n_headers; i++)
		if (strcmp(call->rq.headers[i].name, "Authorization") == 0)
			return number_after(call->rq.headers[i].value, "Bearer t", 0) >
			       v->n_refused_tokens;
	return false;
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	if (strstr(call->rq.url, "/v1/token"))
		return serve_login(f, ret);
	v->calls++;
	snprintf(v->last_url, sizeof(v->last_url), "%s", call->rq.url);
	if (v->cut != ERR_NONE)
		return err_set(err, v->cut, "cut");
	if (!is_token_good(v, call)) {
		struct vendor no = { .error = { .status = 401, .retry_after_ms = -1 } };
		refuse(&no, ret);
		return true;
	}
	if (v->error.status && !v->at_login) {
		refuse(v, ret);
		return true;
	}
	if (v->body) {
		answer(f, ret, v->body, NULL);
		return true;
	}
	return serve_list(f, call->rq.url, ret);
}

static void open_severa(struct fake *f, struct arena *arena, struct vendor *v, struct severa *s)
{
	const struct json *credentials;
	struct err err = ERR_INIT;
	fake_init(f, arena, "{}", "{\"client_id\":\"a.b\",\"client_secret\":\"c\"}");
	f->exchange = serve;
	f->ctx = v;
	if (!v->page_max)
		v->page_max = 100;
	assert_true(json_parse(arena, span_of(f->conn.credentials.p), JSON_LIMITS_API, &credentials,
			       &err));
	assert_true(severa_open(&f->at, NULL, credentials, s, &err));
}

static struct fake f; /* large */

static void SV_06_statuses_beyond_the_first_hundred_are_found(void **state)
{
	(void)state;
	static const int sizes[] = { 0, 1, 99, 100, 101, 250, 300 };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = { .n_rows = sizes[i] };
		const struct severa_status *list, *one;
		struct severa s;
		size_t n;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		assert_true(severa_statuses(&s, &list, &n, &err));
		assert_int_equal(n, sizes[i]);
		assert_int_equal(v.calls, sizes[i] / 100 + 1);
		if (!n)
			continue;
		char last[40];
		snprintf(last, sizeof(last), STATUS, sizes[i] - 1);
		assert_string_equal(list[n - 1].id, last);
		assert_true(severa_status_find(&s, last, &one, &err));
		assert_int_equal(v.calls, sizes[i] / 100 + 1); /* from the cache */
	}
}

static void SV_06_a_name_that_several_statuses_bear_is_refused(void **state)
{
	(void)state;
#define S(guid, name, active) \
	"{\"guid\":\"" guid "\",\"name\":\"" name "\",\"isActive\":" active "}"
	static const struct {
		const char *body, *ref, *id, *reason;
	} cases[] = {
		{ "[" S("a", "X", "true") "," S("b", "X", "true") "]", "X", NULL,
		  "status_ambiguous" },
		{ "[" S("a", "X", "false") "," S("b", "X", "true") "]", "X", "b", NULL },
		{ "[" S("a", "X", "true") "," S("b", "X", "false") "]", "X", "a", NULL },
		{ "[" S("a", "X", "false") "," S("b", "X", "false") "]", "X", NULL,
		  "status_ambiguous" },
		{ "[" S("a", "b", "true") "," S("b", "X", "true") "]", "B", "b", NULL },
		{ "[" S("a", "X", "true") "]", "Y", NULL, "status_unknown" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = { .body = cases[i].body };
		const struct severa_status *found;
		struct severa s;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		bool ok = severa_status_find(&s, cases[i].ref, &found, &err);
		assert_int_equal(ok, cases[i].id != NULL);
		if (ok)
			assert_string_equal(found->id, cases[i].id);
		else
			assert_string_equal(err.reason, cases[i].reason);
	}
}

static bool count_page(void *ctx, const struct invoice *items, size_t n, struct err *err)
{
	(void)items, (void)err;
	*(size_t *)ctx += n;
	return true;
}

static void SV_01_invoices_are_listed_to_the_end(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct vendor v = { .n_rows = 730, .page_max = 70 };
	struct severa s;
	size_t n = 0;
	struct err err = ERR_INIT;
	open_severa(&f, arena, &v, &s);
	assert_true(severa_invoices(&s, "x y", NULL, count_page, &n, &err));
	assert_int_equal(n, 730);
	assert_int_equal(v.calls, 11);
	assert_non_null(strstr(v.last_url, "invoiceStatusGuids=x%20y&rowCount=100&pageToken=p700"));
}

/* One page at a time: what a list holds does not decide how much memory it takes. */
static void SV_01_a_long_list_takes_the_memory_of_a_page(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct vendor v = { .n_rows = 20000 };
	struct severa s;
	size_t n = 0;
	struct err err = ERR_INIT;
	open_severa(&f, arena, &v, &s);
	CLEANUP(arena_free) struct arena *attempt = arena_new(64 << 10);
	f.at.arena = attempt; /* the vendor's own texts stay in the other */
	assert_true(severa_invoices(&s, "x", NULL, count_page, &n, &err));
	assert_int_equal(n, 20000);
}

static void paging_that_goes_round_is_an_error_that_says_so(void **state)
{
	(void)state;
	static const struct vendor vendors[] = {
		{ .n_rows = 500, .ignores_place = true },
		{ .n_rows = 500, .circle = 2 },
		{ .n_rows = 5000, .circle = 7 },
		{ .n_rows = 500, .same_token = true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = vendors[i];
		struct severa s;
		size_t n = 0;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		assert_false(severa_invoices(&s, "x", NULL, count_page, &n, &err));
		assert_int_equal(err.code, ERR_SYSTEM);
		assert_non_null(strstr(err.message, "goes round in a circle"));
		assert_true(v.calls < 30);
	}
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct vendor v = { .n_rows = 500, .ignores_place = true };
	const struct severa_status *list;
	struct severa s;
	size_t n;
	struct err err = ERR_INIT;
	open_severa(&f, arena, &v, &s);
	assert_false(severa_statuses(&s, &list, &n, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_non_null(strstr(err.message, "read invoice statuses: Severa's paging goes round"));
}

/* A row that moves up to a page that was read is not missed in silence. */
static void NV_05_rows_that_move_while_they_are_read_are_read_again(void **state)
{
	(void)state;
	for (int after = 0; after <= 4; after++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = { .n_rows = 250, .moves_after = after };
		const struct severa_status *list;
		struct severa s;
		size_t n;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		bool whole = severa_statuses(&s, &list, &n, &err);
		assert_int_equal(whole, after == 0 || after > 2);
		assert_int_equal(whole ? ERR_NONE : ERR_OUTAGE, err.code);
		for (size_t i = 0; whole && i < n; i++)
			for (size_t k = 0; k < i; k++)
				assert_string_not_equal(list[i].id, list[k].id);
		assert_true(!whole || n == 250);
	}
}

static void a_list_that_is_no_list_is_an_outage(void **state)
{
	(void)state;
	static const char *const bodies[] = { "{\"items\":[]}", "null", "\"x\"", "<html></html>",
					      "" };
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = { .body = bodies[i] };
		const struct severa_status *list;
		struct severa s;
		size_t n;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		assert_false(severa_statuses(&s, &list, &n, &err));
		assert_int_equal(err.code, ERR_OUTAGE);
	}
}

#define MODEL(type)                                           \
	"{\"error\":{\"httpStatusCode\":400,\"type\":\"" type \
	"\",\"details\":[{\"message\":\"Words.\"}]}}"
#define QUOTA_TEXT "API calls quota exceeded! maximum admitted 10 per 1s."

/* facts/severa.md §2.5, 2.6: what each answer means to a read, a write and the login. */
static const struct {
	int status;
	const char *type, *body;
	int64_t retry_after_ms;
	enum err_code read, write, login;
	const char *words;
	int64_t said_ms; /* retry_after_ms of the err */
} errors[] = {
	{ 400, NULL, MODEL("InvalidParameter"), -1, ERR_DATA, ERR_DATA, ERR_CREDENTIALS, "Words.",
	  -1 },
	{ 400, NULL, "{\"httpStatusCode\":400,\"type\":\"InvalidRequest\",\"message\":\"Flat.\"}",
	  -1, ERR_DATA, ERR_DATA, ERR_CREDENTIALS, "Flat.", -1 },
	{ 400, NULL, "{\"error\":{\"type\":\"InvalidOperation\",\"details\":[]}}", -1, ERR_DATA,
	  ERR_DATA, ERR_CREDENTIALS, "InvalidOperation", -1 },
	{ 400, "text/plain", "no JSON", -1, ERR_DATA, ERR_DATA, ERR_CREDENTIALS, "no JSON", -1 },
	{ 400, NULL, MODEL("AuthenticationRequired"), -1, ERR_CREDENTIALS, ERR_CREDENTIALS,
	  ERR_CREDENTIALS, "Words.", -1 },
	{ 400, NULL, MODEL("TrialExpired"), -1, ERR_CREDENTIALS, ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "Words.", -1 },
	{ 400, NULL, MODEL("InternalSystemError"), -1, ERR_OUTAGE, ERR_DOUBT, ERR_OUTAGE, "Words.",
	  -1 },
	{ 400, NULL, MODEL("InvalidApiVersion"), -1, ERR_SYSTEM, ERR_SYSTEM, ERR_SYSTEM, "Words.",
	  -1 },
	{ 401, NULL, "", -1, ERR_CREDENTIALS, ERR_CREDENTIALS, ERR_CREDENTIALS, "", -1 },
	{ 403, NULL, MODEL("InsufficientApiScope"), -1, ERR_CREDENTIALS, ERR_CREDENTIALS,
	  ERR_CREDENTIALS, "Words.", -1 },
	{ 403, NULL, MODEL("AddonMissing"), -1, ERR_CREDENTIALS, ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "Words.", -1 },
	{ 404, "", "", -1, ERR_NOT_FOUND, ERR_NOT_FOUND, ERR_SYSTEM, "", -1 },
	{ 404, "text/html; charset=utf-8", "<html>nginx</html>", -1, ERR_OUTAGE, ERR_OUTAGE,
	  ERR_SYSTEM, "<html>nginx</html>", -1 },
	{ 429, "text/plain", QUOTA_TEXT, -1, ERR_QUOTA, ERR_QUOTA, ERR_QUOTA, QUOTA_TEXT, 1000 },
	{ 429, "text/plain", QUOTA_TEXT, 7000, ERR_QUOTA, ERR_QUOTA, ERR_QUOTA, QUOTA_TEXT, 7000 },
	{ 500, NULL, MODEL("InternalSystemError"), -1, ERR_OUTAGE, ERR_DOUBT, ERR_OUTAGE, "Words.",
	  -1 },
	{ 502, "text/html", "<html>", -1, ERR_OUTAGE, ERR_DOUBT, ERR_OUTAGE, "<html>", -1 },
	{ 503, "text/html", "", 5000, ERR_OUTAGE, ERR_OUTAGE, ERR_OUTAGE, "", 5000 },
	{ 200, "text/html", "<html>login</html>", -1, ERR_OUTAGE, ERR_DOUBT, ERR_OUTAGE, NULL, -1 },
	{ 200, NULL, "", -1, ERR_OUTAGE, ERR_DOUBT, ERR_OUTAGE, NULL, -1 },
	{ 200, NULL, "[[", -1, ERR_OUTAGE, ERR_DOUBT, ERR_OUTAGE, NULL, -1 },
	{ 200, NULL, "{\"access_token\":17,\"guid\":[]}", -1, ERR_SYSTEM, ERR_DOUBT, ERR_SYSTEM,
	  NULL, -1 },
};

static void OP_05_every_answer_has_its_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(errors); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		size_t k = i / 3;
		bool is_write = i % 3 == 1;
		struct vendor v = { .at_login = i % 3 == 2,
				    .error = { errors[k].status, errors[k].type, errors[k].body,
					       errors[k].retry_after_ms } };
		enum err_code want = v.at_login ? errors[k].login
				     : is_write ? errors[k].write
						: errors[k].read;
		struct invoice inv;
		struct severa s;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		bool ok = is_write ? severa_set_status(&s, "i", "s", &err)
				   : severa_invoice(&s, "i", &inv, &err);
		if (ok || err.code != want)
			fail_msg("HTTP %d %s, %s: %s", errors[k].status, errors[k].body,
				 v.at_login ? "login"
				 : is_write ? "write"
					    : "read",
				 err_code_name(err.code));
		if (errors[k].words)
			assert_string_equal(err.target_text, errors[k].words);
		assert_int_equal(err.retry_after_ms, errors[k].said_ms);
		if (want == ERR_CREDENTIALS)
			assert_string_equal(err.reason, "credentials_refused");
	}
}

static void OP_03_a_cut_line_is_told_as_the_transport_tells_it(void **state)
{
	(void)state;
	static const enum err_code codes[] = { ERR_OUTAGE, ERR_DOUBT, ERR_LIMIT };
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = { .cut = codes[i] };
		struct severa s;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		assert_false(severa_set_status(&s, "i", "s", &err));
		assert_int_equal(err.code, codes[i]);
		assert_int_equal(v.calls, 1); /* the other form of the PATCH is for a 400 alone */
	}
}

/* A value of another type is nobody's document to mend. */
static void wrong_types_are_a_fault_and_long_numbers_are_named(void **state)
{
	(void)state;
#define WITH(member) "{\"guid\":\"g\",\"status\":{\"guid\":\"s\"}," member "}"
	static const struct {
		const char *body;
		enum err_code code;
		const char *pointer, *reason;
	} cases[] = {
		{ WITH("\"date\":\"20.11.2026\""), ERR_SYSTEM, "/date", NULL },
		{ WITH("\"dueDate\":20261120"), ERR_SYSTEM, "/dueDate", NULL },
		{ WITH("\"isCreditNote\":\"yes\""), ERR_SYSTEM, "/isCreditNote", NULL },
		{ WITH("\"currency\":{\"code\":978}"), ERR_SYSTEM, "/currency/code", NULL },
		{ WITH("\"totalTax\":{\"amount\":\"1,00\"}"), ERR_SYSTEM, "/totalTax/amount",
		  NULL },
		{ WITH("\"totalTax\":{\"amount\":1e99}"), ERR_DATA, "", "amount_too_large" },
		{ "{\"status\":{\"guid\":\"s\"}}", ERR_SYSTEM, "/guid", NULL },
		{ "[]", ERR_SYSTEM, "", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = { .body = cases[i].body };
		struct invoice inv;
		struct severa s;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		assert_false(severa_invoice(&s, "i", &inv, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(err.pointer, cases[i].pointer);
		if (cases[i].reason)
			assert_string_equal(err.reason, cases[i].reason);
	}
}

static void an_invoices_pdf_that_is_none_is_an_outage(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct vendor v = { .body = "[]" };
	struct invoice inv = { .source_id = "i", .number = "1" };
	struct severa s;
	struct err err = ERR_INIT;
	open_severa(&f, arena, &v, &s);
	assert_false(severa_invoice_files(&s, &inv, 1000, NULL, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
}

/* A cached token that is refused, then one that another process has left, then a new one. */
static void SV_06_a_refused_token_is_replaced_until_one_is_new(void **state)
{
	(void)state;
	static const struct {
		int n_refused, logins;
		bool ok;
	} cases[] = { { 0, 1, true }, { 1, 2, true }, { 2, 2, false } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
		struct vendor v = { .n_refused_tokens = cases[i].n_refused,
				    .body = "{\"guid\":\"g\",\"status\":{\"guid\":\"s\"}}" };
		struct invoice inv;
		struct severa s;
		struct err err = ERR_INIT;
		open_severa(&f, arena, &v, &s);
		assert_int_equal(severa_invoice(&s, "i", &inv, &err), cases[i].ok);
		assert_int_equal(v.logins, cases[i].logins);
		if (!cases[i].ok)
			assert_int_equal(err.code, ERR_CREDENTIALS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SV_06_statuses_beyond_the_first_hundred_are_found),
		cmocka_unit_test(SV_06_a_name_that_several_statuses_bear_is_refused),
		cmocka_unit_test(SV_01_invoices_are_listed_to_the_end),
		cmocka_unit_test(SV_01_a_long_list_takes_the_memory_of_a_page),
		cmocka_unit_test(paging_that_goes_round_is_an_error_that_says_so),
		cmocka_unit_test(NV_05_rows_that_move_while_they_are_read_are_read_again),
		cmocka_unit_test(a_list_that_is_no_list_is_an_outage),
		cmocka_unit_test(OP_05_every_answer_has_its_meaning),
		cmocka_unit_test(OP_03_a_cut_line_is_told_as_the_transport_tells_it),
		cmocka_unit_test(wrong_types_are_a_fault_and_long_numbers_are_named),
		cmocka_unit_test(an_invoices_pdf_that_is_none_is_an_outage),
		cmocka_unit_test(SV_06_a_refused_token_is_replaced_until_one_is_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
