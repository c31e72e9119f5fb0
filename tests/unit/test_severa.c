/* test_severa.c: Severa's REST API against a vendor of a few lines: lists in both paging styles. */
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
	bool same_token; /* gives new pages under one and the same token, without an end */
	int circle; /* style T: pages after which it begins anew; 0: none */
	const char *body; /* answered to everything but the login */
	int calls;
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

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	(void)err; /* the line holds */
	if (strstr(call->rq.url, "/v1/token")) {
		answer(f, ret, "{\"access_token\":\"t\",\"access_token_expires_in\":3600}", NULL);
		return true;
	}
	v->calls++;
	snprintf(v->last_url, sizeof(v->last_url), "%s", call->rq.url);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SV_06_statuses_beyond_the_first_hundred_are_found),
		cmocka_unit_test(SV_01_invoices_are_listed_to_the_end),
		cmocka_unit_test(SV_01_a_long_list_takes_the_memory_of_a_page),
		cmocka_unit_test(paging_that_goes_round_is_an_error_that_says_so),
		cmocka_unit_test(a_list_that_is_no_list_is_an_outage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
