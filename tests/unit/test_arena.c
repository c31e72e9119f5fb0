/* Arenas: zeroed and aligned objects, the cap, deferred calls, reuse. */
#include "base/base.h"

#include <setjmp.h>
#include <stdalign.h>

#include <cmocka.h>

#include "base/arena.h"
#include "walk.h"

static bool is_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i])
			return false;
	}
	return true;
}

static void objects_are_zeroed_and_aligned_also_after_clear(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 700; size++) {
			unsigned char *p = arena_alloc(arena, size);
			assert_non_null(p);
			assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
			assert_true(is_zero(p, size));
			memset(p, 0xAB, size);
		}
		arena_clear(arena);
		assert_int_equal(arena_used(arena), 0);
	}
}

static void objects_do_not_overlap(void **state)
{
	(void)state;
	enum { N = 2000 };
	static unsigned char *objects[N];
	CLEANUP(arena_free) struct arena *arena = arena_new(4 << 20);
	for (int i = 0; i < N; i++) {
		size_t size = (size_t)(i * 7919 % 1500) + 1;
		objects[i] = arena_alloc(arena, size);
		assert_non_null(objects[i]);
		memset(objects[i], i & 0xFF, size);
	}
	for (int i = 0; i < N; i++) {
		size_t size = (size_t)(i * 7919 % 1500) + 1;
		for (size_t k = 0; k < size; k++)
			assert_int_equal(objects[i][k], i & 0xFF);
	}
}

static void refusals_are_counted(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64);
	assert_non_null(arena_alloc(arena, 32));
	assert_int_equal(arena_refusals(arena), 0);
	assert_null(arena_alloc(arena, 64));
	assert_null(arena_alloc_array(arena, SIZE_MAX, 2));
	assert_null(arena_memdup(arena, "", SIZE_MAX));
	assert_int_equal(arena_refusals(arena), 3);
	assert_non_null(arena_alloc(arena, 32)); /* a refusal is no end */
	arena_clear(arena);
	assert_int_equal(arena_refusals(arena), 3);
}

static void the_cap_is_kept_exactly(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64);
	assert_non_null(arena_alloc(arena, 33)); /* 48 with the alignment */
	assert_null(arena_alloc(arena, 17));
	assert_non_null(arena_alloc(arena, 16));
	assert_int_equal(arena_used(arena), 64);
	assert_null(arena_alloc(arena, 0));
	arena_clear(arena);
	assert_non_null(arena_alloc(arena, 64));
}

static void sizes_that_overflow_are_refused(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(SIZE_MAX);
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc_array(arena, SIZE_MAX / 4, 8));
	assert_null(arena_memdup(arena, "", SIZE_MAX));
}

static void copies_and_prints(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(4096);
	assert_null(arena_strdup(arena, NULL));
	assert_string_equal(arena_strdup(arena, "Lasku"), "Lasku");
	assert_memory_equal(arena_memdup(arena, "a\0b", 3), "a\0b", 4);
	assert_string_equal(arena_memdup(arena, NULL, 0), "");
	assert_string_equal(arena_printf(arena, "%s-%d", "a", 7), "a-7");
	assert_null(arena_printf(arena, "%5000d", 1));
}

static char order[16];

static void note(void *object)
{
	size_t n = strlen(order);
	order[n] = *(char *)object;
	order[n + 1] = '\0';
}

static void deferred_calls_run_last_first(void **state)
{
	(void)state;
	static char a[] = "a", b[] = "b", c[] = "c";
	order[0] = '\0';
	struct arena *arena = arena_new(1024);
	assert_non_null(arena);
	assert_true(arena_defer(arena, note, a));
	assert_true(arena_defer(arena, note, b));
	arena_clear(arena);
	assert_string_equal(order, "ba");
	assert_true(arena_defer(arena, note, c));
	arena_free(arena);
	assert_string_equal(order, "bac");
}

static void past_the_cap_the_call_runs_on_the_spot(void **state)
{
	(void)state;
	static char a[] = "a";
	order[0] = '\0';
	CLEANUP(arena_free) struct arena *arena = arena_new(8);
	assert_false(arena_defer(arena, note, a));
	assert_string_equal(order, "a");
}

static bool use_heap(void *with)
{
	(void)with;
	struct arena *arena = arena_new(1 << 20);
	if (!arena)
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < 40; i++)
		ok = arena_alloc(arena, 1000) != NULL;
	arena_free(arena);
	return ok;
}

static void each_failed_allocation_is_survived(void **state)
{
	(void)state;
	assert_true(walk_heap(use_heap, NULL) >= 3);
	arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_zeroed_and_aligned_also_after_clear),
		cmocka_unit_test(objects_do_not_overlap),
		cmocka_unit_test(refusals_are_counted),
		cmocka_unit_test(the_cap_is_kept_exactly),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(copies_and_prints),
		cmocka_unit_test(deferred_calls_run_last_first),
		cmocka_unit_test(past_the_cap_the_call_runs_on_the_spot),
		cmocka_unit_test(each_failed_allocation_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
