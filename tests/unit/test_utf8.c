/* UTF-8: what RFC 3629 allows, and nothing else. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/utf8.h"

static const struct {
	const char *title;
	struct span text;
	ssize_t chars; /* -1: invalid */
	size_t valid_bytes;
} cases[] = {
	{ "empty", SPAN_LIT(""), 0, 0 },
	{ "ASCII over eight bytes", SPAN_LIT("Viesti relays"), 13, 13 },
	{ "two bytes", SPAN_LIT("\xC3\xA4"), 1, 2 },
	{ "smallest of two", SPAN_LIT("\xC2\x80"), 1, 2 },
	{ "smallest of three", SPAN_LIT("\xE0\xA0\x80"), 1, 3 },
	{ "smallest of four", SPAN_LIT("\xF0\x90\x80\x80"), 1, 4 },
	{ "largest", SPAN_LIT("\xF4\x8F\xBF\xBF"), 1, 4 },
	{ "before the surrogates", SPAN_LIT("\xED\x9F\xBF"), 1, 3 },
	{ "behind the surrogates", SPAN_LIT("\xEE\x80\x80"), 1, 3 },
	{ "NUL is a character", SPAN_LIT("a\0b"), 3, 3 },
	{ "overlong two", SPAN_LIT("\xC0\x80"), -1, 0 },
	{ "overlong slash", SPAN_LIT("a\xC0\xAF"), -1, 1 },
	{ "overlong three", SPAN_LIT("\xE0\x9F\xBF"), -1, 0 },
	{ "overlong four", SPAN_LIT("\xF0\x8F\xBF\xBF"), -1, 0 },
	{ "high surrogate", SPAN_LIT("\xED\xA0\x80"), -1, 0 },
	{ "low surrogate", SPAN_LIT("\xED\xBF\xBF"), -1, 0 },
	{ "above U+10FFFF", SPAN_LIT("\xF4\x90\x80\x80"), -1, 0 },
	{ "five bytes", SPAN_LIT("\xF8\x88\x80\x80\x80"), -1, 0 },
	{ "continuation alone", SPAN_LIT("12345678\x80"), -1, 8 },
	{ "cut short", SPAN_LIT("\xC3\xA4\xE2\x82"), -1, 2 },
	{ "continuation missing",
	  SPAN_LIT("\xE2\x82("
		   "x"),
	  -1, 0 },
	{ "FF", SPAN_LIT("\xFF"), -1, 0 },
};

static void texts_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s\n", cases[i].title);
		assert_int_equal(utf8_is_valid(cases[i].text), cases[i].chars >= 0);
		assert_int_equal(utf8_length(cases[i].text), cases[i].chars);
		assert_int_equal(utf8_prefix(cases[i].text, SIZE_MAX), cases[i].valid_bytes);
	}
}

/* Encodes as RFC 3629 says, without caring whether it may. */
static size_t encode(uint32_t cp, char to[4])
{
	if (cp < 0x80)
		return to[0] = (char)cp, 1;
	size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, cp >>= 6)
		to[i] = (char)(0x80 | (cp & 0x3F));
	to[0] = (char)(0xF0u << (4 - n) | cp);
	return n;
}

static void every_code_point_comes_back(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp < 0x110000; cp++) {
		char bytes[4];
		struct span text = { bytes, encode(cp, bytes) };
		bool is_surrogate = cp >= 0xD800 && cp <= 0xDFFF;
		uint32_t got = 0;
		size_t n = utf8_next(text, &got);
		assert_int_equal(n, is_surrogate ? 0 : text.n);
		if (!is_surrogate)
			assert_int_equal(got, cp);
	}
}

static void a_prefix_ends_on_a_character(void **state)
{
	(void)state;
	struct span text = SPAN_LIT("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z");
	static const size_t bytes[] = { 0, 1, 3, 6, 10, 11, 11 };
	for (size_t chars = 0; chars < ARRAY_SIZE(bytes); chars++)
		assert_int_equal(utf8_prefix(text, chars), bytes[chars]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_judged),
		cmocka_unit_test(every_code_point_comes_back),
		cmocka_unit_test(a_prefix_ends_on_a_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
