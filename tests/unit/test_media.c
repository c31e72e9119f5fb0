/* test_media.c: what kind of file an attachment is. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "model/media.h"

#define XLSX "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

static const struct {
	const char *told, *name;
	struct span data;
	const char *type;
} cases[] = {
	/* bytes prove it, whatever else is said */
	{ "application/octet-stream", "a.bin", SPAN_LIT("%PDF-1.7 x"), "application/pdf" },
	{ "image/png", "a.png", SPAN_LIT("\xef\xbb\xbf\r\n%PDF-1.4"), "application/pdf" },
	{ NULL, NULL, SPAN_LIT("\x89PNG\r\n\x1a\n...."), "image/png" },
	{ "application/pdf", "a.pdf", SPAN_LIT("\xff\xd8\xff\xe0"), "image/jpeg" },
	/* a PDF that is none */
	{ "application/pdf", "a.pdf", SPAN_LIT("<html>"), "application/octet-stream" },
	{ "application/pdf", "a.xlsx", SPAN_LIT("PK"), XLSX },
	/* told */
	{ "Text/CSV; charset=utf-8", "a.dat", SPAN_LIT("a;b"), "text/csv" },
	{ " text/plain", "a.csv", SPAN_LIT("a;b"), "text/plain" },
	{ XLSX, "a", SPAN_LIT("PK"), XLSX },
	/* by name, where what is told says nothing */
	{ "application/octet-stream", "tunnit.XLSX", SPAN_LIT("PK"), XLSX },
	{ "", "a.b.txt", SPAN_LIT("x"), "text/plain" },
	{ "pdf", "kuva.JPG", SPAN_LIT("x"), "image/jpeg" },
	{ "text/\x01plain", "a.txt", SPAN_LIT("x"), "text/plain" },
	/* nothing says anything */
	{ NULL, NULL, SPAN_LIT(""), "application/octet-stream" },
	{ NULL, "README", SPAN_LIT("x"), "application/octet-stream" },
	{ "application/octet-stream", "a.", SPAN_LIT("x"), "application/octet-stream" },
};

static void NV_01_the_type_of_a_file_is_what_it_is(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
			media_type_of(arena, cases[i].told, cases[i].name, cases[i].data),
			cases[i].type);
}

static void a_full_arena_is_told(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(0);
	assert_null(media_type_of(arena, "text/plain", "a.txt", SPAN_LIT("x")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(NV_01_the_type_of_a_file_is_what_it_is),
		cmocka_unit_test(a_full_arena_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
