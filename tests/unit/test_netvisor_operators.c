/* test_netvisor_operators.c: the list of e-invoice operators: what is built in, what a file may
 * say, and that a bad line is named (NV-03). */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "systems/netvisor.h"

static const char *given; /* what the file holds */

static bool read_file(struct arena *arena, const char *path, struct span *ret, struct err *err)
{
	(void)arena;
	if (!given)
		return err_set(err, ERR_INPUT, "cannot read %s", path);
	*ret = span_of(given);
	return true;
}

static void NV_03_the_list_that_is_built_in_knows_spellings(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct netvisor_options opt = { .operators_path = "" };
	struct err err = ERR_INIT;
	assert_true(netvisor_system.ready(&opt, read_file, arena, &err));
	assert_string_equal(netvisor_operator(opt.operators, " maventa "), "003721291126");
	assert_string_equal(netvisor_operator(opt.operators, "ndeafihh"), "NDEAFIHH");
	assert_null(netvisor_operator(opt.operators, "Apix Messaging"));
	assert_null(netvisor_operator(opt.operators, ""));
}

static void NV_03_a_file_takes_its_place(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct netvisor_options opt = { .operators_path = "/etc/operators.tsv" };
	struct err err = ERR_INIT;
	given = "# ours\r\n\r\nNEWOP\tnew,UUSI\tA new one\r\nOTHER\t-\tAnother";
	assert_true(netvisor_system.ready(&opt, read_file, arena, &err));
	assert_string_equal(netvisor_operator(opt.operators, "uusi"), "NEWOP");
	assert_string_equal(netvisor_operator(opt.operators, "other"), "OTHER");
	assert_null(netvisor_operator(opt.operators, "MAVENTA"));
}

static void NV_03_a_bad_line_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ NULL, "VIESTI_NETVISOR_OPERATORS: cannot read /o" },
		{ "", "names no operator" },
		{ "# all\nA\t-\tx\nB -\ty\n", "line 3: three columns" },
		{ "A\t-\tx\ty\n", "line 1: three columns" },
		{ "A\t-\tx\nB\ta\ty\n", "line 2: a stands there twice" },
		{ "A B\t-\tx\n", "line 1: \"A B\" is no operator" },
		{ "A\tb,,c\tx\n", "line 1: \"\" is no operator" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		struct netvisor_options opt = { .operators_path = "/o" };
		struct err err = ERR_INIT;
		given = cases[i].text;
		assert_false(netvisor_system.ready(&opt, read_file, arena, &err));
		assert_int_equal(err.code, ERR_INPUT);
		assert_non_null(strstr(err.message, cases[i].said));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(NV_03_the_list_that_is_built_in_knows_spellings),
		cmocka_unit_test(NV_03_a_file_takes_its_place),
		cmocka_unit_test(NV_03_a_bad_line_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
