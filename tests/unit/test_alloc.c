/* The heap: zeroed, overflow-checked, and failing exactly where a test says. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"

static void memory_is_zeroed(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		CLEANUP(mem_free) unsigned char *p = mem_alloc_array(25, 8);
		assert_non_null(p);
		for (size_t i = 0; i < 200; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xFF, 200);
	}
}

static void size_zero_is_a_valid_pointer(void **state)
{
	(void)state;
	CLEANUP(mem_free) void *a = mem_alloc(0);
	CLEANUP(mem_free) void *b = mem_alloc_array(0, 8);
	CLEANUP(mem_free) void *c = mem_realloc(NULL, 0);
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
}

static void an_array_too_large_is_refused(void **state)
{
	(void)state;
	assert_null(mem_alloc_array(SIZE_MAX, 2));
	assert_null(mem_alloc_array(SIZE_MAX / 2 + 2, 2));
	assert_null(mem_memdup("", SIZE_MAX));
}

static void copies_end_with_nul(void **state)
{
	(void)state;
	CLEANUP(mem_free) char *text = mem_strdup("Viesti");
	CLEANUP(mem_free) char *bytes = mem_memdup("a\0b", 3);
	CLEANUP(mem_free) char *none = mem_memdup(NULL, 0);
	assert_string_equal(text, "Viesti");
	assert_memory_equal(bytes, "a\0b", 4);
	assert_string_equal(none, "");
}

static void the_nth_allocation_fails_once(void **state)
{
	(void)state;
	alloc_fail_after(2);
	CLEANUP(mem_free) void *first = mem_alloc(1);
	CLEANUP(mem_free) void *second = mem_alloc(1);
	CLEANUP(mem_free) void *third = mem_alloc(1);
	alloc_fail_after(0);
	assert_non_null(first);
	assert_null(second);
	assert_non_null(third);
}

static void a_failed_realloc_keeps_the_old_block(void **state)
{
	(void)state;
	char *p = mem_strdup("old");
	assert_non_null(p);
	alloc_fail_after(1);
	assert_null(mem_realloc(p, 1000));
	alloc_fail_after(0);
	assert_string_equal(p, "old");
	char *larger = mem_realloc(p, 1000);
	assert_non_null(larger);
	assert_string_equal(larger, "old");
	mem_free_wiped(larger, 1000);
	mem_free_wiped(NULL, 5);
	mem_free(NULL);
}

static void alloc_fail_comes_from_the_environment(void **state)
{
	(void)state;
	assert_int_equal(setenv("ALLOC_FAIL", "1", 1), 0);
	alloc_init();
	assert_null(mem_strdup("x"));
	assert_int_equal(unsetenv("ALLOC_FAIL"), 0);
	alloc_init();
	CLEANUP(mem_free) char *p = mem_strdup("x");
	assert_non_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed),
		cmocka_unit_test(size_zero_is_a_valid_pointer),
		cmocka_unit_test(an_array_too_large_is_refused),
		cmocka_unit_test(copies_end_with_nul),
		cmocka_unit_test(the_nth_allocation_fails_once),
		cmocka_unit_test(a_failed_realloc_keeps_the_old_block),
		cmocka_unit_test(alloc_fail_comes_from_the_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
