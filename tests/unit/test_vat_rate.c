/* test_vat_rate.c: percentages by date, with the traps that the fact sheet names. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "model/vat_rate.h"

static void test_rates_by_date_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *country, *percent, *from, *to;
		bool was;
	} cases[] = {
		{ "FI", "24", "2024-08-31", "2024-08-31", true },
		{ "FI", "24", "2024-09-01", "2024-09-01", false },
		{ "FI", "24", "2026-08-31", "2026-08-31", false },
		{ "FI", "24", "2024-08-15", "2024-09-05", true }, /* a period over the change */
		{ "FI", "25.5", "2024-08-31", "2024-08-31", false },
		{ "FI", "25.50", "2024-09-01", "2024-09-01", true },
		{ "FI", "14", "2025-12-31", "2025-12-31", true },
		{ "FI", "14", "2026-01-01", "2026-01-01", false },
		{ "FI", "13.5", "2025-12-31", "2025-12-31", false },
		{ "FI", "13.5", "2026-01-01", "2026-01-01", true },
		{ "FI", "10", "2026-01-01", "2026-01-01", true },
		{ "FI", "12", "2026-01-01", "2026-01-01", false },
		{ "FI", "22", "2009-01-01", "2009-01-01", true }, /* before the table */
		{ "FI", "0", "2026-01-01", "2026-01-01", true },
		{ "NO", "11.11", "2026-01-01", "2026-01-01", true },
		{ "NO", "6", "2021-09-30", "2021-09-30", true },
		{ "NO", "6", "2021-10-01", "2021-10-01", false },
		{ "NO", "24", "2026-01-01", "2026-01-01", false },
		{ "SE", "25", "2026-01-01", "2026-01-01", true }, /* not kept here */
		{ NULL, "25", "2026-01-01", "2026-01-01", true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decimal percent;
		assert_true(decimal_parse(span_of(cases[i].percent), &percent));
		if (vat_rate_was_in_force(cases[i].country, percent, cases[i].from, cases[i].to) !=
		    cases[i].was)
			fail_msg("%s %s %s", cases[i].country, cases[i].percent, cases[i].from);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rates_by_date_MV_13) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
