/* test_multipart.c: forms with files: byte for byte, and that nothing in a part ends it early. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "codec/multipart.h"

static void a_form_is_laid_out_as_rfc_7578_says(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const struct multipart_part parts[] = {
		{ .name = "uuid", .value = SPAN_LIT("7b0c") },
		{ .name = "disabled_routes", .value = SPAN_LIT("print") },
		{ .name = "disabled_routes", .value = SPAN_LIT("email") },
		{ .name = "file",
		  .value = SPAN_LIT("\0\r\n--x\r\n"),
		  .filename = "a.zip",
		  .content_type = "application/zip" },
	};
	struct span body;
	const char *type, *boundary;
	struct err err = ERR_INIT;
	assert_true(multipart_write(arena, parts, ARRAY_SIZE(parts), &body, &type, &err));
	assert_memory_equal(type, "multipart/form-data; boundary=", 30);
	boundary = type + 30;
	const char *head = arena_printf(
		arena,
		"--%1$s\r\nContent-Disposition: form-data; name=\"uuid\"\r\n\r\n7b0c\r\n"
		"--%1$s\r\nContent-Disposition: form-data; name=\"disabled_routes\"\r\n\r\nprint"
		"\r\n--%1$s\r\nContent-Disposition: form-data; name=\"disabled_routes\"\r\n\r\n"
		"email\r\n--%1$s\r\nContent-Disposition: form-data; name=\"file\"; "
		"filename=\"a.zip\"\r\nContent-Type: application/zip\r\n\r\n",
		boundary);
	const char *tail = arena_printf(arena, "\r\n--%s--\r\n", boundary);
	assert_non_null(head);
	assert_non_null(tail);
	size_t n = strlen(head);
	assert_int_equal(body.n, n + 8 + strlen(tail));
	assert_memory_equal(body.p, head, n);
	assert_memory_equal(body.p + n, "\0\r\n--x\r\n", 8);
	assert_memory_equal(body.p + n + 8, tail, strlen(tail));
}

static void names_cannot_end_their_line(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const struct multipart_part part = { .name = "a\"\r\nX: y",
					     .value = SPAN_LIT("1"),
					     .filename = "b\"; x=\"\n" };
	struct span body;
	const char *type;
	struct err err = ERR_INIT;
	assert_true(multipart_write(arena, &part, 1, &body, &type, &err));
	assert_non_null(memmem(body.p, body.n,
			       "name=\"a%22%0D%0AX: y\"; filename=\"b%22; x=%22%0A\"\r\n\r\n1\r\n",
			       55));
}

/* The first boundary put into a part: the second form must have another one. */
static void the_boundary_is_the_contents_and_not_in_it(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct multipart_part part = { .name = "a", .value = SPAN_LIT("1") };
	struct span body, again;
	const char *type, *same, *other;
	struct err err = ERR_INIT;
	assert_true(multipart_write(arena, &part, 1, &body, &type, &err));
	assert_true(multipart_write(arena, &part, 1, &again, &same, &err));
	assert_true(span_eq(body, again));
	assert_string_equal(type, same);
	part.value = SPAN_LIT("2");
	assert_true(multipart_write(arena, &part, 1, &body, &other, &err));
	assert_string_not_equal(type, other);
}

static void a_full_arena_is_told(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(4096);
	CLEANUP(arena_free) struct arena *large = arena_new(1 << 20);
	char *bytes = arena_alloc(large, 8000);
	assert_non_null(bytes);
	const struct multipart_part part = { .name = "a", .value = { bytes, 8000 } };
	struct span body;
	const char *type;
	struct err err = ERR_INIT;
	assert_false(multipart_write(arena, &part, 1, &body, &type, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_is_laid_out_as_rfc_7578_says),
		cmocka_unit_test(names_cannot_end_their_line),
		cmocka_unit_test(the_boundary_is_the_contents_and_not_in_it),
		cmocka_unit_test(a_full_arena_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
