/*
 * test_spotilla_lists.c: Spotilla's lists, which may move while they are read: no record is left
 * out, and whoever goes on from a place goes on where it was.
 */
#include "base/base.h"

#include "spotilla_vendor.h"

static struct fake f; /* large */

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
	vendor_reply(ret, 200, text, NULL);
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
	open_spotilla(&f, arena, "{}", r, &sp);
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
		struct spotilla_vendor v = { .body = bodies[i] };
		const struct spotilla_customer *items;
		const char *next;
		size_t n;
		struct spotilla sp;
		struct err err = ERR_INIT;
		open_spotilla(&f, arena, "{}", &v, &sp);
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
		struct spotilla_vendor v = { .body = "{\"products\":[]}" };
		const struct spotilla_product *items;
		const char *next;
		size_t n;
		struct spotilla sp;
		struct err err = ERR_INIT;
		open_spotilla(&f, arena, "{}", &v, &sp);
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
	struct spotilla_vendor v = {
		.body = "{\"tasks\":[{\"id\":1,\"updated_at\":\"2026-03-02T08:15:00Z\""
			"}],\"meta\":{\"total_pages\":2}}"
	};
	struct spotilla sp;
	struct err err = ERR_INIT;
	open_spotilla(&f, arena, "{}", &v, &sp);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_at_rest_comes_whole),
		cmocka_unit_test(PC_06_no_record_is_left_out_of_a_list_that_moves),
		cmocka_unit_test(a_list_that_never_rests_is_given_up_as_an_outage),
		cmocka_unit_test(a_list_of_another_kind_is_a_fault),
		cmocka_unit_test(answers_that_are_no_list_are_a_fault),
		cmocka_unit_test(a_place_is_read_strictly),
		cmocka_unit_test(a_list_begins_with_the_overlap_and_ends_with_its_reader),
	};
	return cmocka_run_group_tests_name("spotilla_lists", tests, NULL, NULL);
}
