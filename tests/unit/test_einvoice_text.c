/* test_einvoice_text.c: cutting and cleaning of free text, and the table of units. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "formats/text.h"
#include "formats/unit.h"

static void test_lines_and_blocks(void **state)
{
	(void)state;
	static const struct {
		const char *from, *line, *block;
	} cases[] = { { "a b", "a b", "a b" },
		      { " a \t b\r\nc ", "a b c", "a   b\nc" },
		      { "a\n\n b\n", "a b", "a\n\n b" },
		      { "\xC2\xA0", "\xC2\xA0", "\xC2\xA0" }, /* a no-break space is a character */
		      { " \t\n", NULL, NULL },
		      { "", NULL, NULL },
		      { NULL, NULL, NULL } };
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(str_eq(text_line(arena, cases[i].from), cases[i].line));
		assert_true(str_eq(text_block(arena, cases[i].from), cases[i].block));
	}
	assert_string_equal(text_join(arena, "a", ", ", "b"), "a, b");
	assert_string_equal(text_join(arena, NULL, ", ", "b"), "b");
	assert_null(text_join(arena, NULL, ", ", NULL));
}

static void test_pieces_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t max;
		const char *pieces; /* with bars between */
	} cases[] = { { "yksi kaksi kolme", 10, "yksi kaksi|kolme" },
		      { "yksi kaksi kolme", 9, "yksi|kaksi|kolme" },
		      { "abcdefghij", 4, "abcd|efgh|ij" },
		      { "abcdefghi", 4, "abcd|ef|ghi" }, /* no single letter is left over */
		      { "abcd efgh i", 9, "abcd|efgh i" },
		      { "a bcdefghijk", 5, "a bcd|efghi|jk" },
		      { "ääää ööö", 4, "ääää|ööö" },
		      { "rivi\ntoinen rivi", 20, "rivi|toinen rivi" },
		      { "  \n a \n", 20, "a" },
		      { "", 20, "" } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char got[64] = "";
		struct span rest = span_of(cases[i].text);
		size_t n = 0;
		for (;;) {
			struct span piece = text_piece(&rest, cases[i].max);
			if (piece.n == 0)
				break;
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%.*s", n ? "|" : "",
					      (int)piece.n, piece.p);
		}
		assert_string_equal(got, cases[i].pieces);
	}
}

/* Appends without blanks. */
static void squeeze_onto(char *to, size_t size, struct span s)
{
	size_t n = strlen(to);
	for (size_t i = 0; i < s.n && n + 1 < size; i++)
		if (!strchr(" \n", s.p[i]))
			to[n++] = s.p[i];
	to[n] = '\0';
}

/* Whatever the text and the length: every word comes out, in order, and no piece is too long. */
static void test_pieces_lose_nothing_MV_13(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int round = 0; round < 2000; round++) {
		char text[200], in[200] = "", out[200] = "";
		size_t n = 0, max = 4 + (unsigned)round % 40;
		for (; n < 150; n++) {
			seed = seed * 1103515245u + 12345u;
			text[n] = "abcdefgh  \n"[(seed >> 16) % 11];
		}
		text[n] = '\0';
		struct span rest = span_of(text);
		for (struct span p = text_piece(&rest, max); p.n; p = text_piece(&rest, max)) {
			assert_true(p.n <= max);
			squeeze_onto(out, sizeof(out), p);
		}
		squeeze_onto(in, sizeof(in), span_of(text));
		assert_string_equal(in, out);
	}
}

static void test_units_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *text, *code;
	} cases[] = {
		{ "h", "HUR" },	     { " Tuntia ", "HUR" },
		{ "kpl.", "C62" },   { "STK", "C62" },
		{ "PÄIVÄÄ", "DAY" }, { "Måned", "MON" },
		{ "m²", "MTK" },     { "HUR", "HUR" },
		{ "xpk", "XPK" },    { "km", "KMT" },
		{ NULL, "C62" },     { " ", "C62" },
		{ "t", "ZZ" }, /* an hour or a tonne? */
		{ "erä", "ZZ" },     { "|", "ZZ" },
		{ ".", "ZZ" },	     { "a very long name of a unit that nobody uses", "ZZ" }
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (strcmp(unit_code(cases[i].text), cases[i].code) != 0)
			fail_msg("%s: %s", cases[i].text, unit_code(cases[i].text));
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(words_of("fi", NULL)->invoice, "LASKU");
	assert_string_equal(words_of("nn", NULL)->credit_note, "KREDITNOTA");
	assert_string_equal(words_of("sv-FI", "FI")->invoice, "FAKTURA");
	assert_string_equal(words_of(NULL, "FI")->invoice, "LASKU");
	assert_string_equal(words_of("de", "FI")->invoice, "INVOICE");
	assert_string_equal(words_of(NULL, NULL)->invoice, "INVOICE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_and_blocks),
		cmocka_unit_test(test_pieces_MV_13),
		cmocka_unit_test(test_pieces_lose_nothing_MV_13),
		cmocka_unit_test(test_units_MV_13),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
