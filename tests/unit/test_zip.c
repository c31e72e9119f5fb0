/* test_zip.c: archives written, read back, damaged, and too large. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "codec/zip.h"

static const struct zip_entry two[] = {
	{ "lasku.xml", SPAN_LIT("<Invoice/>") },
	{ "p\xc3\xa4\xc3\xa4.pdf", SPAN_LIT("%PDF\0\1\2") },
};

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const struct zip_entry *back;
	struct span bytes, again;
	struct err err = ERR_INIT;
	size_t n;
	assert_true(zip_write(arena, two, 2, 1 << 16, &bytes, &err));
	assert_memory_equal(bytes.p, "PK\3\4", 4);
	assert_true(zip_write(arena, two, 2, 1 << 16, &again, &err));
	assert_true(span_eq(bytes, again)); /* no time of day in it */
	assert_true(zip_read(arena, bytes, 1 << 16, &back, &n, &err));
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(back[i].name, two[i].name);
		assert_true(span_eq(back[i].data, two[i].data));
	}
}

static void limits_are_kept(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(4 << 20);
	const struct zip_entry *back;
	struct span bytes;
	struct err err = ERR_INIT;
	size_t n;
	char *zeros = arena_alloc(arena, 1 << 20);
	assert_non_null(zeros);
	const struct zip_entry bomb = { "bomb", { zeros, 1 << 20 } };
	assert_false(zip_write(arena, two, 2, 100, &bytes, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(zip_write(arena, &bomb, 1, 8 << 10, &bytes, &err));
	assert_false(zip_read(arena, bytes, (1 << 20) - 1, &back, &n, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(zip_read(arena, bytes, 1 << 20, &back, &n, &err));
	CLEANUP(arena_free) struct arena *small = arena_new(1024);
	assert_false(zip_read(small, bytes, 1 << 20, &back, &n, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void names_occur_once(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const struct zip_entry same[] = { two[0], two[0] };
	struct span bytes;
	struct err err = ERR_INIT;
	assert_false(zip_write(arena, same, 2, 1 << 16, &bytes, &err));
	assert_int_equal(err.code, ERR_DATA);
}

/* Each byte changed in turn, each prefix: read as it was, or refused; never anything else. */
static void damage_is_seen(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct span bytes;
	struct err err = ERR_INIT;
	const struct zip_entry *back;
	size_t n, n_refused = 0;
	assert_true(zip_write(arena, two, 2, 1 << 16, &bytes, &err));
	for (size_t i = 0; i < bytes.n; i++) {
		char *bad = arena_memdup(arena, bytes.p, bytes.n);
		assert_non_null(bad);
		assert_false(zip_read(arena, (struct span) { bad, i }, 1 << 16, &back, &n, &err));
		bad[i] ^= 0x55;
		if (!zip_read(arena, (struct span) { bad, bytes.n }, 1 << 16, &back, &n, &err)) {
			n_refused++;
			assert_true(err.code == ERR_DATA || err.code == ERR_LIMIT ||
				    err.code == ERR_MEMORY);
		}
	}
	assert_true(n_refused > bytes.n / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(names_occur_once),
		cmocka_unit_test(damage_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
