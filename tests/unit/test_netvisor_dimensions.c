/* test_netvisor_dimensions.c: which dimension item of Netvisor is which record of Severa, and when
 * they are synchronised (NV-08, NV-09, NV-10). */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "codec/json.h"
#include "flows/severa_netvisor/internal.h"

static struct arena *arena;

static const struct sn_settings settings = { .project_heading = "Projekti",
					     .unit_heading = "Yksikkö",
					     .phase_heading = "Projekti" };

static struct sn_item project(const char *number, const char *name)
{
	const struct severa_project p = { .id = "p", .number = number, .name = name };
	struct sn_item it;
	struct err err = ERR_INIT;
	assert_true(sn_project_item(arena, &settings, &p, &it, &err));
	return it;
}

static void test_NV_08_the_number_is_the_code_and_the_name_the_label(void **state)
{
	(void)state;
	struct sn_item it = project("82", "Website");
	assert_string_equal(it.item, "82 Website");
	assert_string_equal(it.code, "82");
	it = project(NULL, "Website");
	assert_string_equal(it.item, "Website");
	assert_null(it.code);
	assert_null(project("", "Website").code);
}

static void test_NV_08_an_item_is_known_by_code_then_by_name(void **state)
{
	(void)state;
	const struct netvisor_dimension list[] = {
		{ .heading = "Yksikkö", .key = "1", .code = "82", .name = "82 Website" },
		{ .heading = "Projekti" },
		{ .heading = "Projekti", .key = "2", .name = "82 Website" },
		{ .heading = "Projekti",
		  .key = "3",
		  .code = "82",
		  .name = "82 Old",
		  .label = "Old" },
		{ .heading = "Projekti", .key = "4", .name = "website" },
	};
	const struct netvisor_dimension *found[4];
	struct sn_item it = project("82", "Website");
	assert_int_equal(sn_items_like(list, ARRAY_SIZE(list), &it, found, 4), 1);
	assert_string_equal(found[0]->key, "3");
	assert_int_equal(sn_items_like(list, 3, &it, found, 4), 1);
	assert_string_equal(found[0]->key, "2");
	it = project(NULL, "Website"); /* letters' case counts */
	assert_int_equal(sn_items_like(list, ARRAY_SIZE(list), &it, found, 4), 0);
}

static void test_NV_08_NV_09_another_records_item_is_never_taken(void **state)
{
	(void)state;
	const struct sn_item top = project("82", "Website"), bare = project(NULL, "82 Website");
	struct sn_item phase = top;
	phase.project_id = "p";
	phase.father_key = "7";
	const struct {
		const struct sn_item *it;
		struct sn_theirs theirs;
		bool may;
	} cases[] = {
		{ &top, { NULL, "82", "82 Old", false }, true },
		{ &top, { NULL, NULL, "82 Website", false }, true },
		{ &top, { NULL, "82", "82 Website", true }, false },
		{ &bare, { NULL, "82", "82 Website", false }, false },
		{ &top, { "7", "82", "82 Website", false }, true }, /* moved there by a person */
		{ &top, { "7", "82", "82 Phase", false }, false },
		{ &phase, { "7", "82", "82 Old", false }, true },
		{ &phase, { "8", "82", "82 Website", false }, false },
		{ &phase, { NULL, "82", "82 Website", false }, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		bool may = sn_item_may_be(cases[i].it, &cases[i].theirs, &err);
		if (may != cases[i].may)
			fail_msg("case %zu", i);
		if (!may)
			assert_string_equal(err.reason, "dimension_number_taken");
	}
}

/* What a register keeps of an item is enough to judge it by, however long its name. */
static void test_NV_08_a_note_of_an_item_is_cut_between_letters(void **state)
{
	(void)state;
	char name[402];
	for (size_t i = 0; i < 200; i++)
		memcpy(name + 2 * i, "ä", 2);
	name[400] = 0;
	const struct netvisor_dimension d = { .heading = "Projekti", .key = "1", .name = name };
	struct register_match m;
	struct err err = ERR_INIT;
	assert_true(sn_item_match(arena, &d, &m));
	assert_true(strlen(m.note) <= 200 && strlen(m.note) >= 199);
	assert_int_equal((unsigned char)m.note[strlen(m.note) - 2], 0xC3);
	const struct sn_item it = project("82", "Website");
	assert_true(sn_item_matches(&it, &m, &err));
	m.taken_by = "q";
	assert_false(sn_item_matches(&it, &m, &err));
}

static void test_NV_10_dimensions_go_at_night_by_the_settings_clock(void **state)
{
	static const struct {
		const char *settings, *schedule;
		bool projects, phases;
	} cases[] = {
		{ "{}", SN_DIMENSIONS_SCHEDULE, false, false },
		{ "{\"dimensions\":{\"project_heading\":\"P\",\"time\":\"04:30\",\"time_zone\":"
		  "\"Europe/Oslo\"}}",
		  "{\"times\":[\"04:30\"],\"time_zone\":\"Europe/Oslo\"}", true, false },
		{ "{\"dimensions\":{\"project_heading\":\"P\",\"phases\":true}}",
		  SN_DIMENSIONS_SCHEDULE, true, true },
		{ "{\"dimensions\":{\"phase_heading\":\"V\"}}", SN_DIMENSIONS_SCHEDULE, false,
		  false },
		{ "{\"dimensions\":{\"phase_heading\":\"V\",\"phases\":true}}",
		  SN_DIMENSIONS_SCHEDULE, false, true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct json *j;
		const char *schedule = NULL;
		struct err err = ERR_INIT;
		assert_true(
			json_parse(arena, span_of(cases[i].settings), JSON_LIMITS_API, &j, &err));
		assert_int_equal(sn_projects_sync.wanted(arena, j, &schedule), cases[i].projects);
		assert_string_equal(schedule, cases[i].schedule);
		assert_int_equal(sn_phases_sync.wanted(arena, j, &schedule), cases[i].phases);
		assert_false(sn_units_sync.wanted(arena, j, &schedule));
	}
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new((size_t)1 << 20);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_NV_08_the_number_is_the_code_and_the_name_the_label),
		T(test_NV_08_an_item_is_known_by_code_then_by_name),
		T(test_NV_08_NV_09_another_records_item_is_never_taken),
		T(test_NV_08_a_note_of_an_item_is_cut_between_letters),
		T(test_NV_10_dimensions_go_at_night_by_the_settings_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
