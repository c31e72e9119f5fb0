/* test_spotilla.c: Spotilla's client against answers that its stand-in does not give: the error
 * model, odd values, lists that move while they are read; the forms byte for byte; webhooks. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/sign.h"
#include "flows/fake.h"
#include "systems/spotilla.h"
#include "walk.h"

/* What the vendor answers, and what it was asked. */
struct vendor {
	int status; /* 0: 200 */
	const char *body, *type;
	int64_t retry_after_ms; /* 0: none */
	enum err_code cut; /* what the transport says; ERR_NONE: the line holds */
	const char *first_path, *first_body; /* answered 200 where the path holds it */
	int calls;
	char last[512]; /* "GET http://..." */
	char headers[1024]; /* "name: value\n" */
	struct span last_body;
	char seen[1024];
};

static void reply(struct http_reply *ret, int status, const char *body, const char *type)
{
	*ret = (struct http_reply) { .status = status ? status : 200,
				     .body = span_of(body ? body : "{}"),
				     .content_type = type ? type : "application/json",
				     .retry_after_ms = -1 };
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	size_t n = 0;
	v->calls++;
	snprintf(v->last, sizeof(v->last), "%s %s", call->rq.method, call->rq.url);
	v->last_body = call->rq.body;
	v->headers[0] = '\0';
	for (size_t i = 0; i < call->rq.n_headers; i++)
		n += (size_t)snprintf(v->headers + n, sizeof(v->headers) - n, "%s: %s\n",
				      call->rq.headers[i].name, call->rq.headers[i].value);
	if (v->cut != ERR_NONE)
		return err_set(err, v->cut, "cut");
	if (v->first_path && strstr(call->rq.url, v->first_path)) {
		reply(ret, 200, v->first_body, NULL);
		return true;
	}
	reply(ret, v->status, v->body, v->type);
	if (v->retry_after_ms)
		ret->retry_after_ms = v->retry_after_ms;
	return true;
}

static struct fake f; /* large */

#define KEYS "{\"token\":\"geheim\",\"user_id\":17,\"subdomain\":\"esimerkki\"}"

static void open_it(struct arena *arena, const char *settings, void *ctx, struct spotilla *sp)
{
	const struct json *keys, *set;
	struct err err = ERR_INIT;
	fake_init(&f, arena, settings, KEYS);
	f.exchange = serve;
	f.ctx = ctx;
	assert_true(json_parse(arena, span_of(KEYS), JSON_LIMITS_API, &keys, &err));
	assert_true(json_parse(arena, span_of(settings), JSON_LIMITS_API, &set, &err));
	assert_true(spotilla_open(&f.at, set, keys, sp, &err));
}

/* ---- opening, and one call ----------------------------------------------------------------- */

static void missing_keys_are_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"{}",
		"{\"token\":\"a\",\"user_id\":\"1\"}",
		"{\"token\":\"a\",\"subdomain\":\"s\"}",
		"{\"token\":\"\",\"user_id\":1,\"subdomain\":\"s\"}",
		"[]",
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const struct json *j;
		struct spotilla sp;
		struct err err = ERR_INIT;
		fake_init(&f, arena, "{}", "{}");
		assert_true(json_parse(arena, span_of(cases[i]), JSON_LIMITS_API, &j, &err));
		assert_false(spotilla_open(&f.at, NULL, j, &sp, &err));
		assert_int_equal(err.code, ERR_CREDENTIALS);
		assert_string_equal(err.reason, "credentials_refused");
	}
}

static void address_and_states_may_be_the_connections(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct vendor v = { 0 };
	struct spotilla sp;
	struct limit_key limit;
	struct err err = ERR_INIT;
	open_it(arena, "{}", &v, &sp);
	assert_string_equal(sp.base_url, "http://spotilla.test");
	assert_true(spotilla_is_done(&sp, "done"));
	assert_false(spotilla_is_done(&sp, "in_review"));
	assert_false(spotilla_is_done(&sp, NULL));
	assert_true(spotilla_limit(&f.systems, sp.subdomain, &limit, &err));
	assert_string_equal(limit.key, sp.limit_key);
	assert_string_equal(spotilla_signature_header(&f.systems), "X-Spotilla-Signature");
	open_it(arena,
		"{\"spotilla\":{\"url\":\"https://own/api\",\"done_states\":\" Laskutus,valmis "
		",,\"}}",
		&v, &sp);
	assert_string_equal(sp.base_url, "https://own/api");
	assert_string_equal(sp.done_states[0], "Laskutus");
	assert_string_equal(sp.done_states[1], "valmis");
	assert_null(sp.done_states[2]);
	assert_false(spotilla_is_done(&sp, "done"));
	char *long_name = arena_alloc(arena, 200);
	assert_non_null(long_name);
	memset(long_name, 'x', 100);
	assert_false(spotilla_limit(&f.systems, long_name, &limit, &err));
	assert_string_equal(err.pointer, "/credentials/spotilla/subdomain");
}

static void every_call_bears_the_three_values_of_the_key(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(4 << 20);
	struct vendor v = { .body = "{\"id\":7,\"name\":\"A\"}" };
	struct spotilla sp;
	struct spotilla_customer c;
	const struct spotilla_customer_form form = { .name = "A" };
	struct err err = ERR_INIT;
	static const char keys[] = "X-User-Token: geheim\nX-User-Id: 17\nX-User-Subdomain: "
				   "esimerkki\nAccept: application/json\n";
	open_it(arena, "{}", &v, &sp);
	assert_true(spotilla_customer(&sp, "7/8 ä", &c, &err));
	assert_string_equal(v.last, "GET http://spotilla.test/customers/7%2F8%20%C3%A4");
	assert_string_equal(v.headers, keys);
	assert_true(spotilla_create_customer(&sp, &form, "key-1", &c, &err));
	assert_string_equal(v.last, "POST http://spotilla.test/customers");
	assert_non_null(strstr(v.headers, "Content-Type: application/json\n"));
	assert_non_null(strstr(v.headers, "Idempotency-Key: key-1\n"));
	/* A change back to what was once sent must be made, not answered from memory. */
	assert_true(spotilla_update_customer(&sp, "7", &form, &c, &err));
	assert_string_equal(v.last, "PATCH http://spotilla.test/customers/7");
	assert_null(strstr(v.headers, "Idempotency-Key"));
	f.spotilla.header_token = "X-Api-Key";
	f.spotilla.path_customers = "/v4/asiakkaat";
	assert_true(spotilla_customer(&sp, "7", &c, &err));
	assert_string_equal(v.last, "GET http://spotilla.test/v4/asiakkaat/7");
	assert_true(strncmp(v.headers, "X-Api-Key: geheim\n", 18) == 0);
}

#define REFUSAL(code, more) \
	"{\"error\":{\"code\":\"" code "\",\"message\":\"Not possible\"" more "}}"

static const struct {
	int status;
	const char *type, *body;
	enum err_code read, write;
	const char *reason, *words;
} answers[] = {
	{ 401, NULL, REFUSAL("bad_key", ""), ERR_CREDENTIALS, ERR_CREDENTIALS,
	  "credentials_refused", "Not possible" },
	{ 403, NULL, "", ERR_CREDENTIALS, ERR_CREDENTIALS, "credentials_refused", "" },
	{ 404, NULL, REFUSAL("not_found", ""), ERR_NOT_FOUND, ERR_NOT_FOUND, NULL, "Not possible" },
	{ 404, "text/html", "<html>", ERR_OUTAGE, ERR_OUTAGE, NULL, "<html>" },
	{ 404, NULL, "{\"message\":\"no route\"}", ERR_SYSTEM, ERR_SYSTEM, NULL,
	  "{\"message\":\"no route\"}" },
	{ 404, NULL, "{\"error\":\"no route\"}", ERR_SYSTEM, ERR_SYSTEM, NULL,
	  "{\"error\":\"no route\"}" },
	{ 409, NULL, REFUSAL("duplicate", ""), ERR_DUPLICATE, ERR_DUPLICATE, NULL, "Not possible" },
	{ 409, NULL, REFUSAL("locked", ""), ERR_DATA, ERR_DATA, "refused_by_target",
	  "Not possible" },
	{ 422, NULL, REFUSAL("invalid", ",\"fields\":{\"business_id\":[\"bad format\",\"twice\"]}"),
	  ERR_DATA, ERR_DATA, "refused_by_target", "Not possible; business_id: bad format: twice" },
	{ 422, NULL, "{\"error\":{\"code\":\"invalid\"}}", ERR_DATA, ERR_DATA, "refused_by_target",
	  "invalid" },
	{ 429, NULL, "", ERR_QUOTA, ERR_QUOTA, NULL, "" },
	{ 500, NULL, REFUSAL("duplicate", ""), ERR_OUTAGE, ERR_DOUBT, NULL, "Not possible" },
	{ 503, NULL, "down", ERR_OUTAGE, ERR_DOUBT, NULL, "down" },
	{ 302, NULL, "", ERR_SYSTEM, ERR_SYSTEM, NULL, "" },
	{ 200, "text/html", "<html>", ERR_OUTAGE, ERR_DOUBT, NULL, "<html>" },
	{ 200, NULL, "", ERR_OUTAGE, ERR_DOUBT, NULL, "" },
};

static void every_answer_has_its_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .status = answers[i].status,
				    .body = answers[i].body,
				    .type = answers[i].type };
		const struct spotilla_billing b = { .state = SPOTILLA_BILLING_WAITING };
		struct spotilla sp;
		struct spotilla_task t;
		struct err read = ERR_INIT, write = ERR_INIT;
		open_it(arena, "{}", &v, &sp);
		assert_false(spotilla_task(&sp, "1", &t, &read));
		assert_false(spotilla_mark_task(&sp, "1", &b, &write));
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

/* Nothing but a record can be gone: a list or a new record whose path is not there is a fault. */
static void only_a_record_can_be_gone(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .status = 404, .body = REFUSAL("not_found", "") };
	const struct spotilla_customer_form form = { .name = "A" };
	struct spotilla sp;
	struct spotilla_customer c;
	struct err err = ERR_INIT;
	open_it(arena, "{}", &v, &sp);
	assert_false(spotilla_check(&sp, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_false(spotilla_create_customer(&sp, &form, "k", &c, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_false(spotilla_update_customer(&sp, "7", &form, &c, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void a_write_is_in_doubt_only_when_it_may_have_been_made(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		int64_t retry_after_ms;
		enum err_code cut, code;
	} cases[] = {
		{ 201, "{\"name\":\"A\"}", 0, ERR_NONE, ERR_DOUBT }, /* without an id */
		{ 201, "{\"id\":\"\"}", 0, ERR_NONE, ERR_DOUBT },
		{ 201, "{\"id\":7,\"name\":[]}", 0, ERR_NONE, ERR_DOUBT },
		{ 201, "[]", 0, ERR_NONE, ERR_DOUBT },
		{ 0, NULL, 0, ERR_DOUBT, ERR_DOUBT },
		{ 0, NULL, 0, ERR_OUTAGE, ERR_OUTAGE },
		{ 503, "", 2000, ERR_NONE, ERR_OUTAGE }, /* turned away at the door */
		{ 429, "", 2000, ERR_NONE, ERR_QUOTA },
		{ 422, "", 0, ERR_NONE, ERR_DATA },
		{ 401, "", 0, ERR_NONE, ERR_CREDENTIALS },
	};
	const struct spotilla_customer_form form = { .name = "A" };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .status = cases[i].status,
				    .body = cases[i].body,
				    .retry_after_ms = cases[i].retry_after_ms,
				    .cut = cases[i].cut };
		struct spotilla sp;
		struct spotilla_customer c;
		struct err err = ERR_INIT;
		open_it(arena, "{}", &v, &sp);
		assert_false(spotilla_create_customer(&sp, &form, "k", &c, &err));
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].retry_after_ms)
			assert_int_equal(err.retry_after_ms, 2000);
	}
}

/* ---- lists that move ----------------------------------------------------------------------- */

#define CARDS_MAX 64

struct card {
	int id, changed; /* seconds from some noon on */
};

/* A register that keeps its records as Spotilla does, and a blow that falls at one of the calls. */
struct reg {
	struct card records[CARDS_MAX]; /* sorted by change, then id */
	size_t n;
	int calls, strike_at; /* at the n-th call, before it is served; 0: never */
	void (*strike)(struct reg *r);
	int victim;
	bool without_meta, ignores_since, ignores_page, is_backwards;
};

static int by_change(const void *a, const void *b)
{
	const struct card *x = a, *y = b;
	if (x->changed != y->changed)
		return x->changed < y->changed ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static struct card *find(struct reg *r, int id)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->records[i].id == id)
			return &r->records[i];
	return NULL;
}

static void strike_change(struct reg *r)
{
	find(r, r->victim)->changed = r->records[r->n - 1].changed + 1;
	qsort(r->records, r->n, sizeof(*r->records), by_change);
}

static void strike_delete(struct reg *r)
{
	struct card *gone = find(r, r->victim);
	*gone = r->records[--r->n];
	qsort(r->records, r->n, sizeof(*r->records), by_change);
}

static void strike_add(struct reg *r)
{
	int newest = r->records[r->n - 1].changed;
	r->records[r->n++] = (struct card) { r->victim, newest + 1 };
}

static void strike_always(struct reg *r)
{
	r->strike_at = r->calls + 1;
	r->victim = r->records[0].id;
	strike_change(r);
}

static int number_in(const char *url, const char *name)
{
	const char *p = strstr(url, name);
	return p ? (int)strtol(p + strlen(name), NULL, 10) : 0;
}

static int since_in(const char *url)
{
	static const char start[] = "changed_since=2026-03-01T12%3A";
	const char *p = strstr(url, start);
	int m, s;
	if (!p)
		return 0;
	assert_int_equal(sscanf(p + strlen(start), "%d%%3A%dZ", &m, &s), 2);
	return m * 60 + s;
}

static void write_record(struct json_writer *w, const struct card *r)
{
	char time[32];
	snprintf(time, sizeof(time), "2026-03-01T12:%02d:%02dZ", r->changed / 60, r->changed % 60);
	jsonw_object(w);
	jsonw_kint(w, "id", r->id);
	jsonw_kstr(w, "updated_at", time);
	jsonw_kstr(w, "name", "x");
	jsonw_end_object(w);
}

static bool serve_list(struct fake *fake, const struct call *call, struct http_reply *ret,
		       struct err *err)
{
	struct reg *r = fake->ctx;
	const char *url = call->rq.url, *text;
	struct strbuf sb = STRBUF_INIT(fake->arena, 1 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (++r->calls == r->strike_at)
		r->strike(r);
	int page = r->ignores_page ? 1 : number_in(url, "?page=");
	int per_page = number_in(url, "&per_page=");
	int since = r->ignores_since ? 0 : since_in(url), n = 0;
	jsonw_object(&w);
	jsonw_key(&w, strstr(url, "/tasks?") ? "tasks" : "customers");
	jsonw_array(&w);
	for (size_t i = 0; i < r->n; i++) {
		const struct card *rec = &r->records[r->is_backwards ? r->n - 1 - i : i];
		if (rec->changed < since)
			continue;
		if (n / per_page == page - 1)
			write_record(&w, rec);
		n++;
	}
	jsonw_end_array(&w);
	if (!r->without_meta) {
		jsonw_key(&w, "meta");
		jsonw_object(&w);
		jsonw_kint(&w, "total_pages", (n + per_page - 1) / per_page);
		jsonw_end_object(&w);
	}
	jsonw_end_object(&w);
	assert_true(strbuf_finish(&sb, &text, err));
	reply(ret, 200, text, NULL);
	return true;
}

struct harvest {
	int times[CARDS_MAX + 1]; /* how often each id came */
	char last[CARDS_MAX + 1][32]; /* with which change time */
	size_t n, largest;
};

static void note_card(struct harvest *h, const char *id, const char *changed)
{
	long n = strtol(id, NULL, 10);
	h->n++;
	h->times[n]++;
	snprintf(h->last[n], sizeof(h->last[n]), "%s", changed);
}

static bool gather(void *ctx, const struct spotilla_task *items, size_t n, struct err *err)
{
	struct harvest *h = ctx;
	(void)err;
	h->largest = n > h->largest ? n : h->largest;
	for (size_t i = 0; i < n; i++)
		note_card(h, items[i].id, items[i].changed);
	return true;
}

/* Each page in an arena of its own, as if another process went on from the place. */
static bool gather_pages(struct spotilla *sp, struct harvest *h, struct err *err)
{
	char place[SPOTILLA_PLACE_MAX + 1] = "";
	const struct spotilla_customer *items;
	const char *next;
	size_t n;
	do {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct attempt at = *sp->at;
		struct spotilla paged = *sp;
		at.arena = arena;
		paged.at = &at;
		if (!spotilla_customers(&paged, NULL, place[0] ? place : NULL, &items, &n, &next,
					err))
			return false;
		h->largest = n > h->largest ? n : h->largest;
		for (size_t i = 0; i < n; i++)
			note_card(h, items[i].customer.source_id, items[i].changed);
		assert_true(!next || strlen(next) <= SPOTILLA_PLACE_MAX);
		snprintf(place, sizeof(place), "%s", next ? next : "");
	} while (next);
	return true;
}

/* How the change times lie: each its own, all the same, in lumps around the size of a page. */
enum spread { EACH, SAME, LUMPS };

static void fill(struct reg *r, enum spread spread, int n)
{
	*r = (struct reg) { .n = (size_t)n };
	for (int i = 0; i < n; i++) {
		int changed = spread == EACH ? i : spread == SAME ? 7 : i / 6;
		r->records[i] = (struct card) { n - i, changed };
	}
	qsort(r->records, r->n, sizeof(*r->records), by_change);
}

/* way: by change time or number, of tasks (0, 1) or customers (2, 3). */
static bool harvest(struct reg *r, int way, struct harvest *ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)64 << 20);
	CLEANUP(arena_free) struct arena *small = arena_new(64); /* a whole list must not stay */
	struct spotilla sp;
	*ret = (struct harvest) { 0 };
	open_it(arena, "{}", r, &sp);
	f.at.arena = small;
	f.exchange = serve_list;
	f.spotilla.page = 4;
	f.spotilla.paging = way % 2;
	return way < 2 ? spotilla_tasks(&sp, "done", NULL, gather, ret, err)
		       : gather_pages(&sp, ret, err);
}

static void a_list_at_rest_comes_whole(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++)
		for (int spread = EACH; spread <= LUMPS; spread++)
			for (int n = 0; n < 24; n++)
				for (int meta = 0; meta < 2; meta++) {
					struct reg r;
					struct harvest h;
					struct err err = ERR_INIT;
					fill(&r, (enum spread)spread, n);
					r.without_meta = meta;
					assert_true(harvest(&r, way, &h, &err));
					assert_true(way % 2 ? h.n == (size_t)n
							    : h.n <= 3 * (size_t)n);
					for (int id = 1; id <= n; id++)
						assert_true(h.times[id]);
					assert_true(h.largest <= 4);
				}
}

/* Whatever happens to one record, at whichever call: no other is left out, nor itself when it
 * only moves. */
static void PC_06_no_record_is_left_out_of_a_list_that_moves(void **state)
{
	(void)state;
	static void (*const strikes[])(struct reg *) = { strike_change, strike_delete, strike_add };
	enum { N = 19 };
	int n_struck = 0;
	for (int way = 0; way < 4; way++)
		for (int spread = EACH; spread <= LUMPS; spread++)
			for (size_t s = 0; s < ARRAY_SIZE(strikes); s++)
				for (int at = 1; at <= 12; at++)
					for (int victim = 1; victim <= N; victim++) {
						struct reg r;
						struct harvest h;
						struct err err = ERR_INIT;
						fill(&r, (enum spread)spread, N);
						r.strike = strikes[s];
						r.strike_at = at;
						r.victim = s == 2 ? N + 1 : victim;
						assert_true(harvest(&r, way, &h, &err));
						n_struck += r.calls >= at;
						for (int id = 1; id <= N; id++)
							assert_true(h.times[id] || id == r.victim);
						if (s == 0)
							assert_true(h.times[victim]);
					}
	assert_true(n_struck > 4000);
}

static void a_list_that_never_rests_is_given_up_as_an_outage(void **state)
{
	(void)state;
	struct reg r;
	struct harvest h;
	struct err err = ERR_INIT;
	fill(&r, SAME, 60);
	r.strike = strike_always;
	r.strike_at = 1;
	assert_false(harvest(&r, 1, &h, &err));
	assert_int_equal(err.code, ERR_OUTAGE);
}

/* A guess that does not hold is told, and never a short list. */
static void a_list_of_another_kind_is_a_fault(void **state)
{
	(void)state;
	struct reg r;
	struct harvest h;
	struct err err = ERR_INIT;
	fill(&r, EACH, 20);
	r.is_backwards = true;
	assert_false(harvest(&r, 0, &h, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_string_equal(err.reason, "answer_unreadable");
	assert_non_null(strstr(err.message, "VIESTI_SPOTILLA_PAGING"));
	fill(&r, EACH, 20);
	r.is_backwards = true;
	assert_true(harvest(&r, 1, &h, &err)); /* by number any order will do */
	assert_int_equal(h.n, 20);
	fill(&r, EACH, 20);
	r.ignores_since = true;
	assert_false(harvest(&r, 0, &h, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	for (int way = 0; way < 4; way++) {
		fill(&r, SAME, 20);
		r.ignores_page = true;
		assert_false(harvest(&r, way, &h, &err));
		assert_int_equal(err.code, ERR_SYSTEM);
	}
}

static void answers_that_are_no_list_are_a_fault(void **state)
{
	(void)state;
	static const char *const bodies[] = { "{}",
					      "[]",
					      "{\"customers\":{}}",
					      "{\"customers\":[{\"id\":1}]}",
					      "{\"customers\":[{\"id\":1,\"updated_at\":\"x\"}]}",
					      "{\"customers\":[7]}" };
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .body = bodies[i] };
		const struct spotilla_customer *items;
		const char *next;
		size_t n;
		struct spotilla sp;
		struct err err = ERR_INIT;
		open_it(arena, "{}", &v, &sp);
		assert_false(spotilla_customers(&sp, NULL, NULL, &items, &n, &next, &err));
		assert_int_equal(err.code, ERR_SYSTEM);
		assert_string_equal(err.reason, "answer_unreadable");
	}
}

static void a_place_is_read_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *place, *asked;
	} cases[] = {
		{ NULL, "?page=1&per_page=100&changed_since=2026-03-01T06%3A00%3A00Z" },
		{ "1 0 - 2026-03-02T06:00:00Z",
		  "?page=1&per_page=100&changed_since=2026-03-02T06%3A00%3A00Z" },
		{ "1 0 00112233445566778899aabb ", "?page=1&per_page=100" },
		{ "", NULL },
		{ "1", NULL },
		{ "1 0", NULL },
		{ "0 0 - 2026-03-02T06:00:00Z", NULL },
		{ "-1 0 - 2026-03-02T06:00:00Z", NULL },
		{ "1 0 - yesterday", NULL },
		{ "1 0 - 2026-03-02T06:00:00Z                                        x", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .body = "{\"products\":[]}" };
		const struct spotilla_product *items;
		const char *next;
		size_t n;
		struct spotilla sp;
		struct err err = ERR_INIT;
		open_it(arena, "{}", &v, &sp);
		assert_int_equal(spotilla_products(&sp, "2026-03-01T06:00:00Z", cases[i].place,
						   &items, &n, &next, &err),
				 cases[i].asked != NULL);
		if (cases[i].asked)
			assert_string_equal(strchr(v.last, '?'), cases[i].asked);
		else
			assert_int_equal(err.code, ERR_INPUT);
	}
}

static bool refuse_page(void *ctx, const struct spotilla_task *items, size_t n, struct err *err)
{
	(void)ctx;
	(void)items;
	(void)n;
	return err_set(err, ERR_LEASE, "enough");
}

static void a_list_begins_with_the_overlap_and_ends_with_its_reader(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{\"tasks\":[{\"id\":1,\"updated_at\":\"2026-03-02T08:15:00Z\""
				    "}],\"meta\":{\"total_pages\":2}}" };
	struct spotilla sp;
	struct err err = ERR_INIT;
	open_it(arena, "{}", &v, &sp);
	assert_false(spotilla_tasks(&sp, "Valmis & tehty", "2026-03-02T08:15:00.5Z", refuse_page,
				    NULL, &err));
	assert_int_equal(err.code, ERR_LEASE);
	assert_int_equal(v.calls, 1);
	assert_string_equal(v.last, "GET http://spotilla.test/tasks?page=1&per_page=100"
				    "&changed_since=2026-03-02T08%3A05%3A00Z"
				    "&state=Valmis%20%26%20tehty");
	assert_false(spotilla_tasks(&sp, "done", "yesterday", refuse_page, NULL, &err));
	assert_int_equal(err.code, ERR_INPUT);
}

/* ---- reading ------------------------------------------------------------------------------- */

#define CUSTOMER                                                                                  \
	"{\"id\":1042,\"number\":\"SP-1042\",\"name\":\"Kiinteistöhuolto Esimerkki Oy\","        \
	"\"business_id\":\"2817345-6\",\"email\":\"laskut@esimerkki.example\","                   \
	"\"phone\":\"+358 3 123 4567\",\"language\":\"fi\",\"address\":{\"street\":\"Satamakatu " \
	"5\","                                                                                    \
	"\"zip\":\"33200\",\"city\":\"Tampere\"},\"billing_address\":null,"                       \
	"\"payment_term_days\":14,\"invoice_channel\":null,\"contact_persons\":[{\"name\":"       \
	"\"Maija "                                                                                \
	"Malli\",\"email\":\"maija@esimerkki.example\",\"phone\":null}],\"active\":true,"         \
	"\"external_ref\":\"procountor:1:2\",\"updated_at\":\"2026-03-01T06:00:00Z\"}"

static void a_customer_is_read_as_it_stands(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = CUSTOMER };
	struct spotilla sp;
	struct spotilla_customer c;
	struct err err = ERR_INIT;
	open_it(arena, "{}", &v, &sp);
	assert_true(spotilla_customer(&sp, "1042", &c, &err));
	assert_string_equal(c.customer.source_id, "1042");
	assert_string_equal(c.customer.code, "SP-1042");
	assert_string_equal(c.customer.business_id, "2817345-6"); /* judged by the flow */
	assert_string_equal(c.customer.delivery.postcode, "33200");
	assert_string_equal(c.customer.delivery.country_code, "FI");
	assert_string_equal(c.customer.billing.street, "Satamakatu 5");
	assert_false(c.has_billing_address);
	assert_true(c.has_payment_term && c.customer.is_active);
	assert_int_equal(c.payment_term_days, 14);
	assert_null(c.invoice_channel);
	assert_int_equal(c.n_contacts, 1);
	assert_string_equal(c.contacts[0].email, "maija@esimerkki.example");
	assert_null(c.contacts[0].phone);
	assert_string_equal(c.external_ref, "procountor:1:2");
	v.body = "{\"customer\":{\"id\":\"a\",\"active\":false,\"address\":{},"
		 "\"billing_address\":{\"city\":\"Oslo\",\"country\":\"NO\"}}}";
	assert_true(spotilla_customer(&sp, "a", &c, &err));
	assert_false(c.customer.is_active);
	assert_true(c.has_billing_address);
	assert_string_equal(c.customer.billing.country_code, "NO");
	assert_null(c.customer.delivery.country_code);
	assert_null(c.customer.name);
	assert_false(c.has_payment_term);
}

static const struct {
	const char *value; /* of sales_price */
	const char *amount; /* NULL: none */
	enum err_code code;
	const char *reason;
} prices[] = {
	{ "\"31.90\"", "31.90", ERR_NONE, NULL },
	{ "31.90", "31.90", ERR_NONE, NULL },
	{ "\"-0.005\"", "-0.005", ERR_NONE, NULL },
	{ "0", "0", ERR_NONE, NULL },
	{ "null", NULL, ERR_NONE, NULL },
	{ "\"1234567890123456789012345678901234567890\"", NULL, ERR_DATA, "amount_too_large" },
	{ "0.1234567890123456789", NULL, ERR_DATA, "amount_too_large" },
	{ "\"31,90\"", NULL, ERR_SYSTEM, "answer_unreadable" },
	{ "\"\"", NULL, ERR_SYSTEM, "answer_unreadable" },
	{ "\"free\"", NULL, ERR_SYSTEM, "answer_unreadable" },
	{ "true", NULL, ERR_SYSTEM, "answer_unreadable" },
	{ "[1]", NULL, ERR_SYSTEM, "answer_unreadable" },
};

static void PC_07_prices_keep_their_digits_and_none_is_not_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prices); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .body = arena_printf(
					    arena,
					    "{\"id\":311,\"product_id\":7,\"unit\":\"kpl\","
					    "\"sales_price\":%s,\"vat_percent\":\"25.5\"}",
					    prices[i].value) };
		struct spotilla sp;
		struct spotilla_product p;
		struct err err = ERR_INIT;
		char text[DECIMAL_TEXT_MAX];
		open_it(arena, "{}", &v, &sp);
		assert_int_equal(spotilla_product(&sp, "311", &p, &err),
				 prices[i].code == ERR_NONE);
		assert_int_equal(err.code, prices[i].code);
		if (prices[i].reason) {
			assert_string_equal(err.reason, prices[i].reason);
			assert_string_equal(err.subject, "sales_price");
			continue;
		}
		assert_int_equal(p.has_price, prices[i].amount != NULL);
		if (prices[i].amount)
			assert_string_equal(decimal_format(p.product.unit_price, 0, '.', text),
					    prices[i].amount);
		assert_true(p.has_vat_rate && p.product.is_active);
		assert_string_equal(p.product.code, "7");
	}
}

#define TASK                                                                                      \
	"{\"id\":90017,\"number\":\"T-90017\",\"name\":\"Vuosihuolto "                            \
	"IV-kone\",\"state\":\"done\","                                                           \
	"\"completed_at\":\"2026-02-28T13:20:00Z\",\"customer_id\":1042,"                         \
	"\"work_order\":{\"id\":77,\"label\":\"Sopimushuollot\"},\"spot\":{\"id\":5123,\"name\":" \
	"\"IV-"                                                                                   \
	"kone 1\"},\"site\":\"Satamakatu 5\",\"order_number\":\"PO-7781\",\"comment\":null,"      \
	"\"rows\":[{\"id\":1,\"product_id\":312,\"name\":\"Huoltotyö\",\"quantity\":\"2.5\","    \
	"\"unit\":\"h\",\"unit_price\":\"58.00\",\"vat_percent\":null,\"billable\":true},"        \
	"{\"id\":2,\"product_id\":null,\"name\":\"Matka\",\"quantity\":-4,\"unit_price\":null,"   \
	"\"vat_percent\":25.5,\"billable\":false},{\"name\":\"x\"}],"                             \
	"\"billing\":{\"state\":\"waiting\",\"external_ref\":null,\"message\":\"Odottaa\"},"      \
	"\"updated_at\":\"2026-02-28T13:20:05Z\"}"

static void PC_07_a_task_is_read_with_its_rows(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = TASK };
	struct spotilla sp;
	struct spotilla_task t;
	struct err err = ERR_INIT;
	char text[DECIMAL_TEXT_MAX];
	open_it(arena, "{}", &v, &sp);
	assert_true(spotilla_task(&sp, "90017", &t, &err));
	assert_string_equal(t.id, "90017");
	assert_string_equal(t.state, "done");
	assert_string_equal(t.customer_id, "1042");
	assert_string_equal(t.order_number, "PO-7781");
	assert_string_equal(t.work_order, "Sopimushuollot");
	assert_string_equal(t.spot, "IV-kone 1");
	assert_null(t.comment);
	assert_int_equal(t.completed_ms, clock_from_utc(2026, 2, 28, 13, 20, 0));
	assert_int_equal(t.changed_ms, t.completed_ms + 5000);
	assert_int_equal(t.billing.state, SPOTILLA_BILLING_WAITING);
	assert_string_equal(t.billing.message, "Odottaa");
	assert_int_equal(t.n_rows, 3);
	assert_string_equal(t.rows[0].product_id, "312");
	assert_string_equal(decimal_format(t.rows[0].quantity, 0, '.', text), "2.5");
	assert_true(t.rows[0].has_price && !t.rows[0].has_vat_rate && t.rows[0].is_billable);
	assert_null(t.rows[1].product_id);
	assert_string_equal(decimal_format(t.rows[1].quantity, 0, '.', text), "-4");
	assert_true(!t.rows[1].has_price && t.rows[1].has_vat_rate && !t.rows[1].is_billable);
	assert_true(t.rows[2].is_billable && !t.rows[2].has_quantity);
	v.body = "{\"id\":1,\"billing\":{\"state\":\"paid\"},\"rows\":null}";
	assert_true(spotilla_task(&sp, "1", &t, &err));
	assert_int_equal(t.billing.state, SPOTILLA_BILLING_UNKNOWN);
	assert_int_equal(t.n_rows, 0);
	v.body = "{\"id\":1,\"rows\":[{\"quantity\":\"two\"}]}";
	assert_false(spotilla_task(&sp, "1", &t, &err));
	assert_string_equal(err.reason, "answer_unreadable");
	v.body = "{\"id\":1,\"rows\":{}}";
	assert_false(spotilla_task(&sp, "1", &t, &err));
	assert_string_equal(err.reason, "answer_unreadable");
}

struct odd {
	char ids[64];
	size_t n_unreadable;
};

static bool note_task(void *ctx, const struct spotilla_task *items, size_t n, struct err *err)
{
	struct odd *odd = ctx;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(odd->ids);
		snprintf(odd->ids + at, sizeof(odd->ids) - at, "%s,", items[i].id);
		assert_non_null(items[i].changed);
		odd->n_unreadable += items[i].is_unreadable;
	}
	return true;
}

static void one_odd_task_hides_no_other(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
#define AT ",\"updated_at\":\"2026-02-28T13:20:05Z\"}"
	struct vendor v = { .body = "{\"tasks\":[{\"id\":1" AT ",{\"id\":2,\"name\":7" AT
				    ",{\"id\":3,\"rows\":[{\"quantity\":\"x\"}]" AT ",{\"id\":4" AT
				    "],\"meta\":{\"total_pages\":1}}" };
	struct odd odd = { 0 };
	struct spotilla sp;
	struct err err = ERR_INIT;
	open_it(arena, "{}", &v, &sp);
	assert_true(spotilla_tasks(&sp, "done", NULL, note_task, &odd, &err));
	assert_string_equal(odd.ids, "1,2,3,4,");
	assert_int_equal(odd.n_unreadable, 2);
	v.body = "{\"tasks\":[{\"name\":7" AT "]}";
	assert_false(spotilla_tasks(&sp, "done", NULL, note_task, &odd, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
}

static void note_seen(struct attempt *at, struct span bytes)
{
	struct fake *fake = at->impl;
	struct vendor *v = fake->ctx;
	snprintf(v->seen, sizeof(v->seen), "%.*s", (int)bytes.n, bytes.p);
}

/* Else each mark of ours would have a document that needs data tried again. */
static void our_own_marks_are_no_change_of_a_document(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{\"id\":1,\"name\":\"a\",\"billing\":{\"state\":\"failed\"},"
				    "\"external_ref\":\"r\",\"updated_at\":\"t\",\"rows\":[{\"q\":"
				    "1.50}]}" };
	struct spotilla sp;
	struct spotilla_task t;
	struct err err = ERR_INIT;
	open_it(arena, "{}", &v, &sp);
	struct attempt_ops ops = *f.at.ops;
	ops.seen = note_seen;
	f.at.ops = &ops;
	assert_true(spotilla_task(&sp, "1", &t, &err));
	assert_string_equal(v.seen, "{\"id\":1,\"name\":\"a\",\"rows\":[{\"q\":1.50}]}");
}

/* ---- finding ------------------------------------------------------------------------------- */

static void a_customer_is_found_by_its_exact_value_alone(void **state)
{
	(void)state;
	static const char list[] =
		"{\"customers\":["
		"{\"id\":1,\"business_id\":\"2817345-6\",\"updated_at\":\"2026-02-28T13:20:05Z\"},"
		"{\"id\":2,\"business_id\":\"2817345-7\",\"updated_at\":\"2026-02-28T13:20:05Z\"},"
		"{\"id\":3,\"updated_at\":\"2026-02-28T13:20:05Z\"},"
		"{\"id\":4,\"business_id\":\"2817345-6\",\"updated_at\":\"2026-02-28T13:20:06Z\"}],"
		"\"meta\":{\"total_pages\":1}}";
	for (int find_by = 0; find_by < 2; find_by++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .body = "{\"id\":1,\"business_id\":\"2817345-6\"}",
				    .first_path = "?",
				    .first_body = list };
		const struct spotilla_customer *found;
		size_t n;
		struct spotilla sp;
		struct err err = ERR_INIT;
		open_it(arena, "{}", &v, &sp);
		f.spotilla.find = find_by;
		assert_true(spotilla_find_customers(&sp, SPOTILLA_BUSINESS_ID, "2817345-6", &found,
						    &n, &err));
		assert_int_equal(n, 2);
		assert_int_equal(v.calls, 3);
		assert_true(spotilla_find_customers(&sp, SPOTILLA_NUMBER, "2817345-6", &found, &n,
						    &err));
		assert_int_equal(n, 0);
		assert_int_equal(strstr(v.last, "&number=2817345-6") != NULL, find_by == 0);
		/* Gone, or another's by now. */
		v.status = 404;
		v.body = REFUSAL("not_found", "");
		assert_true(spotilla_find_customers(&sp, SPOTILLA_BUSINESS_ID, "2817345-7", &found,
						    &n, &err));
		assert_int_equal(n, 0);
		v.status = 200;
		v.body = "{\"id\":2,\"business_id\":\"1234567-1\"}";
		assert_true(spotilla_find_customers(&sp, SPOTILLA_BUSINESS_ID, "2817345-7", &found,
						    &n, &err));
		assert_int_equal(n, 0);
		v.status = 500;
		assert_false(spotilla_find_customers(&sp, SPOTILLA_BUSINESS_ID, "2817345-7", &found,
						     &n, &err));
		assert_int_equal(err.code, ERR_OUTAGE);
	}
}

/* ---- writing ------------------------------------------------------------------------------- */

static const struct address tampere = { "Satamakatu 5", "33200", "Tampere", NULL, "FI", NULL };
static const struct address nowhere = { 0 };

static const struct {
	struct spotilla_customer_form form;
	const char *json;
} forms[] = {
	{ { 0 }, "{}" },
	{ { .name = "A \"b\"", .business_id = "2817345-6" },
	  "{\"name\":\"A \\\"b\\\"\",\"business_id\":\"2817345-6\"}" },
	{ { .email = "", .phone = "", .number = "", .language = "sv" },
	  "{\"number\":null,\"email\":null,\"phone\":null,\"language\":\"sv\"}" },
	{ { .address = &tampere, .billing_address = &nowhere },
	  "{\"address\":{\"street\":\"Satamakatu 5\",\"zip\":\"33200\",\"city\":\"Tampere\","
	  "\"country\":\"FI\"},\"billing_address\":null}" },
	{ { .has_payment_term = true, .payment_term_days = 0, .has_active = true },
	  "{\"payment_term_days\":0,\"active\":false}" },
	{ { .has_payment_term = true,
	    .payment_term_days = -1,
	    .invoice_channel = "EMAIL",
	    .external_ref = "procountor:1:2" },
	  "{\"payment_term_days\":null,\"invoice_channel\":\"EMAIL\","
	  "\"external_ref\":\"procountor:1:2\"}" },
};

static void only_what_is_given_is_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct err err = ERR_INIT;
		struct span body;
		assert_true(spotilla_map_customer_form(arena, &forms[i].form, &body, &err));
		assert_string_equal(body.p, forms[i].json);
	}
}

static void nothing_to_change_is_read(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = CUSTOMER };
	const struct spotilla_customer_form form = { 0 };
	struct spotilla sp;
	struct spotilla_customer c;
	struct err err = ERR_INIT;
	open_it(arena, "{}", &v, &sp);
	assert_true(spotilla_update_customer(&sp, "1042", &form, &c, &err));
	assert_true(strncmp(v.last, "GET ", 4) == 0);
	assert_string_equal(c.customer.code, "SP-1042");
}

static void what_has_no_room_is_refused_before_it_is_sent(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	char text[500] = "";
	for (int i = 0; i < 201; i++)
		memcpy(text + 2 * (size_t)i, "ä", 3);
	const struct {
		struct spotilla_customer_form form;
		const char *reason, *subject;
	} cases[] = {
		{ { .name = text }, "field_too_long", "customer name" },
		{ { .name = "" }, "name_missing", "customer" },
		{ { 0 }, "name_missing", "customer" },
		{ { .name = "a", .number = "123456789012345678901" },
		  "field_too_long",
		  "customer number" },
		{ { .name = "a", .external_ref = text }, "field_too_long", "external_ref" },
	};
	struct vendor v = { 0 };
	struct spotilla sp;
	struct spotilla_customer c;
	open_it(arena, "{}", &v, &sp);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		assert_false(spotilla_create_customer(&sp, &cases[i].form, "k", &c, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.reason, cases[i].reason);
		assert_string_equal(err.subject, cases[i].subject);
	}
	struct err err = ERR_INIT;
	struct spotilla_billing b = { SPOTILLA_BILLING_EXPORTED, text, NULL };
	assert_false(spotilla_mark_task(&sp, "1", &b, &err));
	assert_false(spotilla_mark_product(&sp, "1", text, &err));
	assert_int_equal(v.calls, 0);
	text[400] = '\0'; /* 200 characters fit, whatever their bytes */
	const struct spotilla_customer_form form = { .name = text };
	struct span body;
	assert_true(spotilla_map_customer_form(arena, &form, &body, &err));
}

static void tasks_and_products_are_marked(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct vendor v = { .body = "{\"id\":1}" };
	struct spotilla_billing b = { SPOTILLA_BILLING_EXPORTED, "procountor:1:9", NULL };
	struct spotilla sp;
	struct err err = ERR_INIT;
	open_it(arena, "{}", &v, &sp);
	assert_true(spotilla_mark_task(&sp, "9", &b, &err));
	assert_string_equal(v.last, "PATCH http://spotilla.test/tasks/9");
	assert_string_equal(v.last_body.p, "{\"billing\":{\"state\":\"exported\",\"external_ref\":"
					   "\"procountor:1:9\",\"message\":null}}");
	assert_true(spotilla_mark_product(&sp, "3", "procountor:1:4", &err));
	assert_string_equal(v.last, "PATCH http://spotilla.test/products/3");
	assert_string_equal(v.last_body.p, "{\"external_ref\":\"procountor:1:4\"}");
	f.spotilla.write_back = false;
	assert_true(spotilla_mark_task(&sp, "9", &b, &err));
	assert_int_equal(v.calls, 2);
}

/* ---- webhooks ------------------------------------------------------------------------------ */

#define EVENT                                                                \
	"{\"id\":\"evt_01HQ8Z\",\"type\":\"task.completed\",\"created_at\":" \
	"\"2026-02-28T13:20:05Z\",\"subdomain\":\"esimerkki\",\"data\":{\"task_id\":90017}}"
#define NOW 1772284805

/* The header over the event, by a secret of "s1" and a time. */
static const char *header(struct arena *arena, const char *time, const char *secret)
{
	unsigned char mac[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	const struct span parts[] = { span_of(time), SPAN_LIT("."), SPAN_LIT(EVENT) };
	assert_true(sign_hmac_sha256_parts(span_of(secret), parts, ARRAY_SIZE(parts), mac));
	sign_hex(mac, sizeof(mac), hex);
	return arena_printf(arena, "t=%s,v1=%s", time, hex);
}

/* {} is a good signature of now. */
static const struct {
	const char *header, *time, *secret;
	enum webhook_verdict verdict;
} signatures[] = {
	{ "{}", "1772284805", "s1", WEBHOOK_GOOD },
	{ "{}", "1772284805", "s2", WEBHOOK_GOOD },
	{ "{}", "1772284506", "s1", WEBHOOK_GOOD },
	{ "{}", "1772285105", "s1", WEBHOOK_GOOD },
	{ "{}", "1772284504", "s1", WEBHOOK_LATE },
	{ "{}", "1772285106", "s1", WEBHOOK_LATE },
	{ "{}", "1772284805", "s3", WEBHOOK_FORGED },
	{ "{}", "1772284805", "", WEBHOOK_FORGED },
	{ " {}, v0=zz", "1772284805", "s1", WEBHOOK_GOOD },
	{ "{},v1=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1772284805",
	  "s1", WEBHOOK_GOOD },
	{ "{},t=1772284805", "1772284805", "s1", WEBHOOK_UNSIGNED },
	{ "{},v1=0011", "1772284805", "s1", WEBHOOK_UNSIGNED },
	{ "t=1772284805", "1", "s1", WEBHOOK_UNSIGNED },
	{ "v1=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1", "s1",
	  WEBHOOK_UNSIGNED },
	{ "t=-5,v1=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1", "s1",
	  WEBHOOK_UNSIGNED },
	{ "t=999999999999,v1=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1",
	  "s1", WEBHOOK_UNSIGNED },
	{ "t=1772284805,v2=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1",
	  "s1", WEBHOOK_UNSIGNED },
	{ "", "1", "s1", WEBHOOK_UNSIGNED },
	{ ",,,=", "1", "s1", WEBHOOK_UNSIGNED },
};

static void PC_08_a_webhook_is_believed_only_when_signed_now_by_a_live_secret(void **state)
{
	(void)state;
	const struct span secrets[] = { SPAN_LIT("s1"), SPAN_LIT(""), SPAN_LIT("s2") };
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const char *mark = strstr(signatures[i].header, "{}");
		const char *text = signatures[i].header;
		if (mark)
			text = arena_printf(arena, "%.*s%s%s", (int)(mark - text), text,
					    header(arena, signatures[i].time, signatures[i].secret),
					    mark + 2);
		assert_int_equal(spotilla_check_signature(span_of(text), SPAN_LIT(EVENT), secrets,
							  ARRAY_SIZE(secrets), NOW),
				 signatures[i].verdict);
	}
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const char *good = header(arena, "1772284805", "s1");
	assert_int_equal(
		spotilla_check_signature(span_of(good), SPAN_LIT(EVENT " "), secrets, 3, NOW),
		WEBHOOK_FORGED);
	assert_int_equal(spotilla_check_signature(span_of(good), SPAN_LIT(EVENT), secrets, 0, NOW),
			 WEBHOOK_FORGED);
	assert_int_equal(spotilla_check_signature((struct span) { NULL, 0 }, SPAN_LIT(EVENT),
						  secrets, 3, NOW),
			 WEBHOOK_UNSIGNED);
}

static const struct {
	const char *body;
	const char *pointer; /* NULL: it can be read */
	const char *task_id;
} events[] = {
	{ EVENT, NULL, "90017" },
	{ "{\"id\":7,\"type\":\"task.completed\",\"data\":{\"task_id\":\"90017\"}}", NULL,
	  "90017" },
	{ "{\"id\":\"e\",\"type\":\"task.created\",\"data\":{\"task_id\":1}}", NULL, NULL },
	{ "{\"id\":\"e\",\"type\":\"Task.Completed\"}", NULL, NULL },
	{ "{\"id\":\"e\",\"type\":\"task.completed\"}", "/data/task_id", NULL },
	{ "{\"id\":\"e\",\"type\":\"task.completed\",\"data\":{\"task_id\":\"\"}}", "/data/task_id",
	  NULL },
	{ "{\"id\":\"e\",\"type\":\"task.completed\",\"data\":{\"task_id\":[1]}}", "/data/task_id",
	  NULL },
	{ "{\"id\":\"e\",\"type\":\"task.completed\",\"data\":{\"task_id\":"
	  "12345678901234567890123456789012345678901234567890123456789012345}}",
	  "/data/task_id", NULL },
	{ "{\"type\":\"task.completed\",\"data\":{\"task_id\":1}}", "/id", NULL },
	{ "{\"id\":\"e\",\"data\":{\"task_id\":1}}", "/type", NULL },
	{ "{\"id\":\"e\",\"type\":5}", "/type", NULL },
	{ "[]", "/type", NULL },
	{ "{", "", NULL },
	{ "", "", NULL },
};

static void PC_08_an_event_names_a_task_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		struct spotilla_event e;
		struct err err = ERR_INIT;
		assert_int_equal(spotilla_read_event(arena, span_of(events[i].body), &e, &err),
				 !events[i].pointer);
		if (events[i].pointer) {
			assert_int_equal(err.code, ERR_INPUT);
			assert_string_equal(err.pointer, events[i].pointer);
		} else {
			assert_non_null(e.id);
			assert_true(str_eq(e.task_id, events[i].task_id));
		}
	}
}

/* ---- memory -------------------------------------------------------------------------------- */

static bool form_in(struct arena *arena)
{
	const struct spotilla_customer_form form = { .name = "A", .address = &tampere };
	struct span body;
	struct err err = ERR_INIT;
	bool ok = spotilla_map_customer_form(arena, &form, &body, &err);
	assert_true(ok || err.code == ERR_LIMIT);
	return ok;
}

static bool event_in(struct arena *arena)
{
	struct spotilla_event e;
	struct err err = ERR_INIT;
	bool ok = spotilla_read_event(arena, SPAN_LIT(EVENT), &e, &err);
	assert_true(ok || err.code == ERR_LIMIT);
	return ok;
}

static void a_short_arena_is_told(void **state)
{
	(void)state;
	assert_true(walk_cap(form_in) > 4);
	assert_true(walk_cap(event_in) > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_keys_are_refused),
		cmocka_unit_test(address_and_states_may_be_the_connections),
		cmocka_unit_test(every_call_bears_the_three_values_of_the_key),
		cmocka_unit_test(every_answer_has_its_meaning),
		cmocka_unit_test(only_a_record_can_be_gone),
		cmocka_unit_test(a_write_is_in_doubt_only_when_it_may_have_been_made),
		cmocka_unit_test(a_list_at_rest_comes_whole),
		cmocka_unit_test(PC_06_no_record_is_left_out_of_a_list_that_moves),
		cmocka_unit_test(a_list_that_never_rests_is_given_up_as_an_outage),
		cmocka_unit_test(a_list_of_another_kind_is_a_fault),
		cmocka_unit_test(answers_that_are_no_list_are_a_fault),
		cmocka_unit_test(a_place_is_read_strictly),
		cmocka_unit_test(a_list_begins_with_the_overlap_and_ends_with_its_reader),
		cmocka_unit_test(a_customer_is_read_as_it_stands),
		cmocka_unit_test(PC_07_prices_keep_their_digits_and_none_is_not_zero),
		cmocka_unit_test(PC_07_a_task_is_read_with_its_rows),
		cmocka_unit_test(one_odd_task_hides_no_other),
		cmocka_unit_test(our_own_marks_are_no_change_of_a_document),
		cmocka_unit_test(a_customer_is_found_by_its_exact_value_alone),
		cmocka_unit_test(only_what_is_given_is_written),
		cmocka_unit_test(nothing_to_change_is_read),
		cmocka_unit_test(what_has_no_room_is_refused_before_it_is_sent),
		cmocka_unit_test(tasks_and_products_are_marked),
		cmocka_unit_test(PC_08_a_webhook_is_believed_only_when_signed_now_by_a_live_secret),
		cmocka_unit_test(PC_08_an_event_names_a_task_and_nothing_else),
		cmocka_unit_test(a_short_arena_is_told),
	};
	alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
