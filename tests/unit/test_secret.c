/* Secrets: copies, comparison, wiping. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/secret.h"
#include "walk.h"

static void a_copy_is_released(void **state)
{
	(void)state;
	char value[] = "hunter2";
	struct secret s = { 0 };
	assert_false(secret_is_set(&s));
	assert_true(secret_init(&s, span_of(value)));
	secret_wipe(value, sizeof(value));
	assert_true(secret_is_set(&s));
	assert_string_equal(s.p, "hunter2");
	secret_release(&s);
	assert_false(secret_is_set(&s));
	assert_null(s.p);
	secret_release(&s);
}

static void comparison_is_exact(void **state)
{
	static const struct {
		struct span own, given;
		bool is_equal;
	} cases[] = {
		{ SPAN_LIT("abc"), SPAN_LIT("abc"), true },
		{ SPAN_LIT("abc"), SPAN_LIT("abd"), false },
		{ SPAN_LIT("abc"), SPAN_LIT("ab"), false },
		{ SPAN_LIT("abc"), SPAN_LIT("abcabc"), false },
		{ SPAN_LIT("abc"), SPAN_LIT(""), false },
		{ SPAN_LIT(""), SPAN_LIT("a"), false },
		{ SPAN_LIT(""), SPAN_LIT("\0"), false },
		{ SPAN_LIT(""), SPAN_LIT(""), true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct secret s;
		assert_true(secret_init(&s, cases[i].own));
		assert_int_equal(secret_equals(&s, cases[i].given), cases[i].is_equal);
		secret_release(&s);
	}
	struct secret unset = { 0 };
	assert_false(secret_equals(&unset, SPAN_LIT("")));
}

static bool keep_secret(struct arena *arena)
{
	struct secret s;
	return secret_in_arena(arena, SPAN_LIT("a secret of some length"), &s);
}

static bool init_secret(void *with)
{
	(void)with;
	struct secret s;
	if (!secret_init(&s, SPAN_LIT("x")))
		return false;
	secret_release(&s);
	return true;
}

static void each_lack_of_memory_is_survived(void **state)
{
	(void)state;
	assert_true(walk_cap(keep_secret) > 1);
	assert_int_equal(walk_heap(init_secret, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_released),
		cmocka_unit_test(comparison_is_exact),
		cmocka_unit_test(each_lack_of_memory_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
