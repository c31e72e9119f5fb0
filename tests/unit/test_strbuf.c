/* String buffers: the cap, the sticky failure, encoding. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "walk.h"

static void pieces_join(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	struct strbuf sb = STRBUF_INIT(arena, 1000);
	const char *text;
	struct err err = ERR_INIT;
	assert_string_equal(strbuf_span(&sb).p, "");
	strbuf_addstr(&sb, "a");
	strbuf_addch(&sb, 'b');
	strbuf_addf(&sb, "%03d%s", 7, "");
	strbuf_addf(&sb, "%s", "");
	strbuf_addint(&sb, INT64_MIN);
	strbuf_addspan(&sb, SPAN_LIT("x\0y"));
	strbuf_add(&sb, NULL, 0);
	assert_true(strbuf_finish(&sb, &text, &err));
	assert_memory_equal(text, "ab007-9223372036854775808x\0y", 29);
	assert_int_equal(strbuf_span(&sb).n, 28);
	strbuf_clear(&sb);
	assert_string_equal(strbuf_span(&sb).p, "");
	assert_int_equal(strbuf_span(&sb).n, 0);
}

static void an_empty_text_finishes(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(0);
	struct strbuf sb = STRBUF_INIT(arena, 10);
	const char *text;
	struct err err = ERR_INIT;
	assert_true(strbuf_finish(&sb, &text, &err));
	assert_string_equal(text, "");
	assert_int_equal(err.code, ERR_NONE);
}

static void url_encoding_keeps_unreserved_characters(void **state)
{
	static const struct {
		struct span from;
		const char *to;
	} cases[] = {
		{ SPAN_LIT("AZaz09-._~"), "AZaz09-._~" },
		{ SPAN_LIT("a b&c=d/e?f+g%"), "a%20b%26c%3Dd%2Fe%3Ff%2Bg%25" },
		{ SPAN_LIT("\xC3\xA4\0\xFF"), "%C3%A4%00%FF" },
		{ SPAN_LIT(""), "" },
	};
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strbuf sb = STRBUF_INIT(arena, 100);
		strbuf_add_urlencoded_span(&sb, cases[i].from);
		assert_string_equal(strbuf_span(&sb).p, cases[i].to);
	}
	struct strbuf sb = STRBUF_INIT(arena, 100);
	strbuf_add_urlencoded(&sb, "\xC3\xA5");
	assert_string_equal(strbuf_span(&sb).p, "%C3%A5");
}

static void the_maximum_holds_exactly(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t max = 0; max < 300; max++) {
		struct strbuf sb = STRBUF_INIT(arena, max);
		const char *text;
		struct err err = ERR_INIT;
		for (size_t i = 0; i < max; i++)
			strbuf_addch(&sb, 'x');
		assert_true(strbuf_finish(&sb, &text, &err));
		assert_int_equal(strlen(text), max);
		strbuf_addch(&sb, 'y');
		strbuf_add(&sb, NULL, 0);
		assert_false(strbuf_finish(&sb, &text, &err));
		assert_int_equal(err.code, ERR_LIMIT);
		arena_clear(arena);
	}
}

static void a_failure_sticks_until_cleared(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	struct strbuf sb = STRBUF_INIT(arena, 4);
	const char *text;
	struct err err = ERR_INIT;
	strbuf_addf(&sb, "%d", 12345);
	strbuf_addstr(&sb, "ab");
	assert_false(strbuf_finish(&sb, &text, &err));
	strbuf_clear(&sb);
	strbuf_addstr(&sb, "ab");
	assert_true(strbuf_finish(&sb, &text, &err));
	assert_string_equal(text, "ab");
}

static bool build(struct arena *arena)
{
	struct strbuf sb = STRBUF_INIT(arena, 5000);
	const char *text;
	struct err err = ERR_INIT;
	for (int i = 0; i < 200; i++)
		strbuf_addf(&sb, "%d,", i);
	if (!strbuf_finish(&sb, &text, &err)) {
		assert_int_equal(err.code, ERR_LIMIT);
		return false;
	}
	assert_int_equal(strlen(text), 690);
	return true;
}

static void each_arena_cap_is_survived(void **state)
{
	(void)state;
	assert_true(walk_cap(build) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_join),
		cmocka_unit_test(an_empty_text_finishes),
		cmocka_unit_test(url_encoding_keeps_unreserved_characters),
		cmocka_unit_test(the_maximum_holds_exactly),
		cmocka_unit_test(a_failure_sticks_until_cleared),
		cmocka_unit_test(each_arena_cap_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
