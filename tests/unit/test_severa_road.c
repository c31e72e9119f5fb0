/* test_severa_road.c: the pure parts of the way of a Severa invoice. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/severa_road.h"

static void test_one_name_for_a_company_SV_09(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "FI12345671", "1234567-1" },
		{ "fi 1234567-1", "1234567-1" },
		{ "1234567-1", "1234567-1" },
		{ "12345671", "1234567-1" },
		{ "FI12345678", NULL }, /* mistyped */
		{ "NO123456785MVA", "NO123456785MVA" },
		{ "NO 123 456 785 MVA", "NO123456785MVA" },
		{ "no123456785", "NO123456785MVA" },
		{ "123 456 785", "NO123456785MVA" },
		{ "123456785mva", "NO123456785MVA" },
		{ "123456786", NULL }, /* mistyped */
		{ "SE556012579001", "SE556012579001" },
		{ "se 556012-5790 01", "SE556012579001" },
		{ "DE136695976", "DE136695976" },
		{ "EL094259216", "EL094259216" },
		{ "DK12345671", "DK12345671" }, /* digits of a Finnish one behind other letters */
		{ "XX12345671", NULL },
		{ "Oma Oy", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};
	struct arena *arena = arena_new(1 << 20);
	(void)state;
	assert_non_null(arena);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = road_company_from(arena, cases[i].text);
		if (!name || !cases[i].name)
			assert_ptr_equal(name, cases[i].name);
		else
			assert_string_equal(name, cases[i].name);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_name_for_a_company_SV_09),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
