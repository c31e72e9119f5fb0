/* JSON: strict reading, digits that survive, decoding by table, writing. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "codec/json.h"
#include "walk.h"

static struct arena *arena;

static int open_arena(void **state)
{
	(void)state;
	arena = arena_new(64 << 20);
	return arena == NULL;
}

static int close_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const struct json *parse(const char *text)
{
	const struct json *j = NULL;
	struct err err = ERR_INIT;
	if (!json_parse(arena, span_of(text), JSON_LIMITS_VENDOR, &j, &err))
		fail_msg("%s: %s", text, err.message);
	return j;
}

static void assert_written(const struct json *j, const char *text)
{
	struct strbuf sb = STRBUF_INIT(arena, 1 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_node(&w, j);
	assert_string_equal(strbuf_span(&sb).p, text);
}

static void good_json_comes_back(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "{}", "{}" },
		{ "[]", "[]" },
		{ " \t\r\n[ ] \n", "[]" },
		{ "\xEF\xBB\xBF{}", "{}" },
		{ "null", "null" },
		{ "true", "true" },
		{ "false", "false" },
		{ "\"\"", "\"\"" },
		{ "-0", "-0" },
		{ "1E+2", "1E+2" },
		{ "-1.2300e1", "-1.2300e1" },
		{ "[1,\"1\",[2],{\"a\":3}]", "[1,\"1\",[2],{\"a\":3}]" },
		{ "{\"a\" : 1 , \"A\":2}", "{\"a\":1,\"A\":2}" },
		{ "{\"\":0}", "{\"\":0}" },
		{ "{\"-1\":\"-1e5\"}", "{\"-1\":\"-1e5\"}" },
		{ "\"a\\\\\"", "\"a\\\\\"" },
		{ "[\"\\\\\\\"\",5]", "[\"\\\\\\\"\",5]" },
		{ "\"\\u00e4\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\"\"",
		  "\"\xC3\xA4\xF0\x9F\x98\x80/\\b\\f\\n\\r\\t\\\"\"" },
		{ "\"a\\u0001\\u001F\x7F\"", "\"a\\u0001\\u001f\x7F\"" },
		{ "\"\\uFFFF\"", "\"\xEF\xBF\xBF\"" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s\n", cases[i].from);
		assert_written(parse(cases[i].from), cases[i].to);
	}
}

static void bad_json_is_refused(void **state)
{
	static const struct {
		struct span text;
		size_t at;
	} cases[] = {
		{ SPAN_LIT(""), 0 },
		{ SPAN_LIT(" "), 1 },
		{ SPAN_LIT("\0"), 0 },
		{ SPAN_LIT("{}\0"), 2 },
		{ SPAN_LIT("[1,]"), 3 },
		{ SPAN_LIT("[,1]"), 1 },
		{ SPAN_LIT("[1 2]"), 3 },
		{ SPAN_LIT("[1"), 2 },
		{ SPAN_LIT("]"), 0 },
		{ SPAN_LIT("{\"a\"}"), 4 },
		{ SPAN_LIT("{\"a\":}"), 5 },
		{ SPAN_LIT("{\"a\":1,}"), 7 },
		{ SPAN_LIT("{a:1}"), 1 },
		{ SPAN_LIT("{1:1}"), 1 },
		{ SPAN_LIT("{'a':1}"), 1 },
		{ SPAN_LIT("{\"a\":1"), 6 },
		{ SPAN_LIT("{} {}"), 3 },
		{ SPAN_LIT("01"), 1 },
		{ SPAN_LIT("-"), 1 },
		{ SPAN_LIT("+1"), 0 },
		{ SPAN_LIT("1."), 2 },
		{ SPAN_LIT(".5"), 0 },
		{ SPAN_LIT("1e"), 2 },
		{ SPAN_LIT("1e+"), 3 },
		{ SPAN_LIT("-x"), 1 },
		{ SPAN_LIT("NaN"), 0 },
		{ SPAN_LIT("Infinity"), 0 },
		{ SPAN_LIT("0x10"), 1 },
		{ SPAN_LIT("1,0"), 1 },
		{ SPAN_LIT("nul"), 0 },
		{ SPAN_LIT("True"), 0 },
		{ SPAN_LIT("/* c */ 1"), 0 },
		{ SPAN_LIT("\"abc"), 4 },
		{ SPAN_LIT("\"a\nb\""), 3 },
		{ SPAN_LIT("\"a\x01\""), 3 },
		{ SPAN_LIT("\"\\x41\""), 2 },
		{ SPAN_LIT("\"\\u12\""), 5 },
		{ SPAN_LIT("\"\\"), 2 },
		{ SPAN_LIT("\"\\\0\""), 2 },
		{ SPAN_LIT("\"\\u0000\""), 7 },
		{ SPAN_LIT("\"\\ud800\""), 7 },
		{ SPAN_LIT("\"\\ud800\\u0041\""), 13 },
		{ SPAN_LIT("\"\\udc00\""), 7 },
		{ SPAN_LIT("\"\\u0001\""), 7 }, /* would pass for a number */
		{ SPAN_LIT("{\"\\u0001\":1}"), 8 },
		{ SPAN_LIT("[\"\xC3\"]"), 2 },
		{ SPAN_LIT("\"\xED\xA0\x80\""), 1 },
		{ SPAN_LIT("\xFF"), 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct json *j = NULL;
		struct err err = ERR_INIT;
		print_message("%.*s\n", (int)cases[i].text.n, cases[i].text.p);
		assert_false(json_parse(arena, cases[i].text, JSON_LIMITS_API, &j, &err));
		assert_null(j);
		assert_int_equal(err.code, ERR_DATA);
		char where[32];
		(void)snprintf(where, sizeof(where), "at byte %zu", cases[i].at);
		const char *end = err.message + strlen(err.message) - strlen(where);
		assert_string_equal(end, where);
	}
}

static void what_is_no_value_is_said(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "<a/>", "not JSON: no value at byte 0" },
		{ "{\"a\": ", "not JSON: no value at byte 6" },
		{ "-", "not JSON: no digit in number at byte 1" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct json *j = NULL;
		struct err err = ERR_INIT;
		assert_false(json_parse(arena, span_of(cases[i].text), JSON_LIMITS_API, &j, &err));
		assert_string_equal(err.message, cases[i].said);
	}
}

static void strings_and_numbers_stay_apart(void **state)
{
	(void)state;
	const struct json *j = parse("{\"n\":9007199254740993,\"s\":\"9007199254740993\","
				     "\"d\":0.1000000000000000055511151231257827}");
	const struct json *n = json_get(j, "n"), *s = json_get(j, "s"), *d = json_get(j, "d");
	assert_int_equal(json_type(n), JSON_NUMBER);
	assert_int_equal(json_type(s), JSON_STRING);
	assert_string_equal(json_number_text(n), "9007199254740993");
	assert_null(json_str(n));
	assert_null(json_number_text(s));
	assert_string_equal(json_text(n), "9007199254740993");
	assert_string_equal(json_text(s), "9007199254740993");
	assert_string_equal(json_number_text(d), "0.1000000000000000055511151231257827");
	struct decimal dec;
	assert_false(json_decimal(d, &dec)); /* does not fit exactly, so it is refused */
	assert_false(json_decimal(s, &dec));
	assert_true(json_decimal(n, &dec));
	assert_true(dec.coef == INT64_C(9007199254740993) && dec.scale == 0);
}

static void whole_numbers_are_checked(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} cases[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "3.00", true, 3 },
		{ "3e2", true, 300 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "1.5", false, 0 },
		{ "1e100", false, 0 },
		{ "\"3\"", false, 0 },
		{ "true", false, 0 },
		{ "null", false, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t v = -77;
		assert_int_equal(json_int64(parse(cases[i].text), &v), cases[i].ok);
		assert_int_equal(v, cases[i].ok ? cases[i].value : -77);
	}
}

static void getters_bear_what_is_absent(void **state)
{
	(void)state;
	const struct json *j = parse("{\"a\":{\"b\":[null,false]},\"a.b\":1}");
	bool v = true;
	assert_int_equal(json_type(NULL), JSON_ABSENT);
	assert_true(json_is_null(NULL));
	assert_null(json_get(NULL, "a"));
	assert_null(json_get(j, "A"));
	assert_null(json_get(j, "a.b.c"));
	assert_null(json_get(json_at(j, "a.b"), "0"));
	assert_null(json_at(j, "a.x.y"));
	assert_null(json_at(j, "a.b.c"));
	assert_null(json_at(NULL, "a"));
	assert_int_equal(json_type(json_get(j, "a.b")), JSON_NUMBER);
	assert_int_equal(json_type(json_at(j, "a.b")), JSON_ARRAY);
	assert_int_equal(json_size(json_at(j, "a.b")), 2);
	assert_int_equal(json_size(NULL), 0);
	const struct json *first = json_first(json_at(j, "a.b"));
	assert_true(json_is_null(first));
	assert_null(json_key(first));
	assert_true(json_bool(json_next(first), &v));
	assert_false(v);
	assert_false(json_bool(first, &v));
	assert_null(json_next(json_next(first)));
	assert_string_equal(json_key(json_first(j)), "a");
	assert_null(json_first(NULL));
	assert_null(json_next(NULL));
	assert_null(json_key(NULL));
	assert_null(json_str(NULL));
	assert_null(json_text(first));
}

static void repeated_keys_are_refused(void **state)
{
	static const char *const cases[] = {
		"{\"a\":1,\"a\":2}",
		"{\"a\":1,\"b\":2,\"\\u0061\":3}",
		"[{\"x\":{\"k\":1,\"k\":1}}]",
		"{\"\":1,\"\":2}",
		"{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"a\":0}",
		"{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"i\":0}",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct json *j;
		struct err err = ERR_INIT;
		print_message("%s\n", cases[i]);
		assert_false(json_parse(arena, span_of(cases[i]), JSON_LIMITS_API, &j, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_non_null(strstr(err.message, "repeats the key"));
	}
	parse("[{\"a\":1},{\"a\":1}]");
	parse("{\"a\":{\"a\":1},\"A\":1}");
}

/* {"k0":0,"k1":1,...} */
static struct span large_object(size_t n)
{
	struct strbuf sb = STRBUF_INIT(arena, 16 << 20);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&sb, "%s\"k%zu\":%zu", i ? "," : "{", i, i);
	strbuf_addch(&sb, '}');
	assert_false(sb.failed);
	return strbuf_span(&sb);
}

static void a_large_object_takes_no_quadratic_time(void **state)
{
	(void)state;
	const struct json *j;
	struct err err = ERR_INIT;
	struct span text = large_object(100000);
	int64_t before = clock_mono_ms();
	assert_true(json_parse(arena, text, JSON_LIMITS_VENDOR, &j, &err));
	assert_int_equal(json_size(j), 100000);
	/* pairwise it would be 5e9 comparisons; generous for sanitizers and busy machines */
	assert_true(clock_mono_ms() - before < 5000);
}

static void bounds_hold(void **state)
{
	(void)state;
	const struct json *j;
	struct err err = ERR_INIT;
	struct json_limits limits = { .max_bytes = 8, .max_depth = 3 };
	assert_true(json_parse(arena, SPAN_LIT("[[[1]]]"), limits, &j, &err));
	assert_false(json_parse(arena, SPAN_LIT("[[[[]]]]"), limits, &j, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_false(json_parse(arena, SPAN_LIT("[[[1 ]]] "), limits, &j, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(json_parse(arena, SPAN_LIT("[[],[]]"), limits, &j, &err));
	char deep[129] = { 0 };
	memset(deep, '[', 64);
	memset(deep + 64, ']', 64);
	limits = (struct json_limits) { 1000, 64 };
	assert_true(json_parse(arena, span_of(deep), limits, &j, &err));
}

static void a_small_body_cannot_grow_past_the_arena(void **state)
{
	(void)state;
	char body[20001];
	for (size_t i = 0; i < sizeof(body) - 1; i += 2)
		memcpy(body + i, i ? ",1" : "[1", 2);
	body[sizeof(body) - 1] = ']';
	CLEANUP(arena_free) struct arena *small = arena_new(256 * 1024);
	const struct json *j;
	struct err err = ERR_INIT;
	assert_false(
		json_parse(small, (struct span) { body, sizeof(body) }, JSON_LIMITS_API, &j, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

struct invoice {
	const char *number, *id, *date, *note;
	struct decimal gross;
	int64_t rows;
	bool is_paid, has_gross;
};

static const struct field invoice_fields[] = {
	{ "number", FIELD_TEXT, offsetof(struct invoice, number), FIELD_REQUIRED, 0 },
	{ "id", FIELD_ID, offsetof(struct invoice, id), FIELD_REQUIRED, 0 },
	{ "date", FIELD_DATE, offsetof(struct invoice, date), FIELD_OPTIONAL, 0 },
	{ "note", FIELD_TEXT, offsetof(struct invoice, note), FIELD_OPTIONAL, 0 },
	{ "total.gross", FIELD_DECIMAL, offsetof(struct invoice, gross), FIELD_OPTIONAL,
	  offsetof(struct invoice, has_gross) },
	{ "rows", FIELD_INT, offsetof(struct invoice, rows), FIELD_OPTIONAL, 0 },
	{ "paid", FIELD_BOOL, offsetof(struct invoice, is_paid), FIELD_OPTIONAL, 0 },
};

static bool decode(const char *text, struct invoice *inv, struct err *err)
{
	return json_decode(parse(text), invoice_fields, ARRAY_SIZE(invoice_fields), inv, err);
}

static void a_table_fills_a_struct(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct invoice inv = { .note = "as before" };
	char buf[DECIMAL_TEXT_MAX];
	assert_true(decode("{\"number\":\"A1\",\"id\":12345678901234567890,\"note\":null,"
			   "\"date\":\"2026-01-31T22:00:00Z\",\"total\":{\"gross\":-12.50},"
			   "\"rows\":3,\"paid\":true,\"other\":[1]}",
			   &inv, &err));
	assert_string_equal(inv.number, "A1");
	assert_string_equal(inv.id, "12345678901234567890");
	assert_string_equal(inv.date, "2026-01-31");
	assert_string_equal(inv.note, "as before");
	assert_string_equal(decimal_format(inv.gross, 0, '.', buf), "-12.50");
	assert_true(inv.has_gross);
	assert_int_equal(inv.rows, 3);
	assert_true(inv.is_paid);
	struct invoice bare = { 0 };
	assert_true(decode("{\"number\":\"A1\",\"id\":\"x\"}", &bare, &err));
	assert_false(bare.has_gross);
	assert_int_equal(err.code, ERR_NONE);
}

static void a_wrong_field_is_named(void **state)
{
#define GOOD "\"number\":\"A1\",\"id\":1"
	static const struct {
		const char *text, *pointer;
	} cases[] = {
		{ "{\"id\":1}", "/number" },
		{ "{\"number\":null,\"id\":1}", "/number" },
		{ "{\"number\":1,\"id\":1}", "/number" },
		{ "{\"number\":\"A1\",\"id\":true}", "/id" },
		{ "{" GOOD ",\"date\":\"31.1.2026\"}", "/date" },
		{ "{" GOOD ",\"date\":\"2026-02-30\"}", "/date" },
		{ "{" GOOD ",\"date\":\"2026-01-311\"}", "/date" },
		{ "{" GOOD ",\"date\":20260131}", "/date" },
		{ "{" GOOD ",\"total\":{\"gross\":\"12.50\"}}", "/total/gross" },
		{ "{" GOOD ",\"total\":{\"gross\":1e99}}", "/total/gross" },
		{ "{" GOOD ",\"rows\":1.5}", "/rows" },
		{ "{" GOOD ",\"paid\":1}", "/paid" },
		{ "{" GOOD ",\"note\":{}}", "/note" },
		{ "[]", "" },
		{ "null", "" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct invoice inv = { 0 };
		struct err err = ERR_INIT;
		print_message("%s\n", cases[i].text);
		assert_false(decode(cases[i].text, &inv, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.pointer, cases[i].pointer);
		assert_false(decode(cases[i].text, &inv, NULL));
	}
}

static void the_writer_places_its_separators(void **state)
{
	(void)state;
	struct strbuf sb = STRBUF_INIT(arena, 1000);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "a\"", "x\n\x01\xFF\xC3");
	jsonw_kstr(&w, "none", NULL);
	jsonw_kint(&w, "i", INT64_MIN);
	jsonw_kbool(&w, "t", true);
	jsonw_ktime(&w, "at", INT64_C(1769926530123));
	jsonw_ktime(&w, "never", 0);
	jsonw_key(&w, "list");
	jsonw_array(&w);
	jsonw_decimal(&w, (struct decimal) { -1250, 2 });
	jsonw_array(&w);
	jsonw_end_array(&w);
	jsonw_object(&w);
	jsonw_end_object(&w);
	jsonw_bool(&w, false);
	jsonw_null(&w);
	jsonw_raw(&w, SPAN_LIT("{\"r\":1}"));
	jsonw_span(&w, SPAN_LIT("a\0b"));
	jsonw_end_array(&w);
	jsonw_key(&w, "absent");
	jsonw_node(&w, NULL);
	jsonw_end_object(&w);
	assert_string_equal(
		strbuf_span(&sb).p,
		"{\"a\\\"\":\"x\\n\\u0001\xEF\xBF\xBD\xEF\xBF\xBD\",\"none\":null,"
		"\"i\":-9223372036854775808,\"t\":true,\"at\":\"2026-02-01T06:15:30.123Z\","
		"\"never\":null,\"list\":[-12.50,[],{},false,null,{\"r\":1},\"a\\u0000b\"],"
		"\"absent\":null}");
}

static void the_writer_nests_as_deep_as_the_reader(void **state)
{
	(void)state;
	struct strbuf sb = STRBUF_INIT(arena, 1000);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	for (int i = 0; i < 63; i++)
		jsonw_array(&w);
	for (int i = 0; i < 63; i++)
		jsonw_end_array(&w);
	assert_int_equal(strbuf_span(&sb).n, 126);
}

static const char sample[] = "{\"a\":[1,2.5,\"x\",{\"b\":null}],\"c\":{\"d\":true},"
			     "\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1}";

static bool parse_with_cap(struct arena *small)
{
	const struct json *j = NULL;
	struct err err = ERR_INIT;
	if (!json_parse(small, SPAN_LIT(sample), JSON_LIMITS_API, &j, &err)) {
		assert_int_equal(err.code, ERR_LIMIT);
		assert_null(j);
		return false;
	}
	return true;
}

static bool parse_with_heap(void *with)
{
	(void)with;
	CLEANUP(arena_free) struct arena *own = arena_new(1 << 20);
	const struct json *j = NULL;
	struct err err = ERR_INIT;
	if (!own)
		return false;
	bool ok = json_parse(own, SPAN_LIT(sample), JSON_LIMITS_API, &j, &err);
	assert_true(ok || err.code == ERR_MEMORY || err.code == ERR_LIMIT);
	return ok;
}

static void each_lack_of_memory_is_survived(void **state)
{
	(void)state;
	assert_true(walk_cap(parse_with_cap) > 60);
	assert_true(walk_heap(parse_with_heap, NULL) >= 3);
}

static void *parse_in_thread(void *arg)
{
	struct arena *own = arg;
	for (int i = 0; i < 200; i++) {
		const struct json *j;
		if (!json_parse(own, SPAN_LIT(sample), JSON_LIMITS_API, &j, NULL) ||
		    json_size(json_get(j, "a")) != 4)
			return NULL;
		arena_clear(own);
	}
	return own;
}

static void threads_parse_side_by_side(void **state)
{
	(void)state;
	pthread_t threads[4];
	struct arena *arenas[4];
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		arenas[i] = arena_new(1 << 20);
		assert_int_equal(pthread_create(&threads[i], NULL, parse_in_thread, arenas[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *result;
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, arenas[i]);
		arena_free(arenas[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good_json_comes_back, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(bad_json_is_refused, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(what_is_no_value_is_said, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(strings_and_numbers_stay_apart, open_arena,
						close_arena),
		cmocka_unit_test_setup_teardown(whole_numbers_are_checked, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(getters_bear_what_is_absent, open_arena,
						close_arena),
		cmocka_unit_test_setup_teardown(repeated_keys_are_refused, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(a_large_object_takes_no_quadratic_time, open_arena,
						close_arena),
		cmocka_unit_test_setup_teardown(bounds_hold, open_arena, close_arena),
		cmocka_unit_test(a_small_body_cannot_grow_past_the_arena),
		cmocka_unit_test_setup_teardown(a_table_fills_a_struct, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(a_wrong_field_is_named, open_arena, close_arena),
		cmocka_unit_test_setup_teardown(the_writer_places_its_separators, open_arena,
						close_arena),
		cmocka_unit_test_setup_teardown(the_writer_nests_as_deep_as_the_reader, open_arena,
						close_arena),
		cmocka_unit_test(each_lack_of_memory_is_survived),
		cmocka_unit_test(threads_parse_side_by_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
