/* test_dialogue.c: records of dialogues in a connection's facts: what is changed, what stays, when
 * the first of them goes on, and how a failure is told again. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "model/dialogue.h"

static struct arena *arena;
static struct err err = ERR_INIT;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new((size_t)4 << 20);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct facts facts_of(const char *json)
{
	struct facts f;
	assert_true(facts_read(arena, json, 1, &f, &err));
	return f;
}

static struct record record(const char *id, int64_t due_ms)
{
	struct record r = { .arena = arena };
	record_put_str(&r, "id", id);
	if (due_ms)
		record_put_int(&r, "due_ms", due_ms);
	return r;
}

static const char *with(const struct facts *f, const char *dialogue, const struct record *r)
{
	const char *json = NULL;
	assert_true(facts_with(f, dialogue, r, &json, &err));
	return json;
}

static void test_MV_05_members_are_put_changed_and_removed(void **state)
{
	(void)state;
	struct record r = { .arena = arena };
	record_put_str(&r, "state", "a \"quoted\" word");
	record_put_int(&r, "n", INT64_C(9007199254740993));
	record_put_bool(&r, "yes", true);
	record_put_json(&r, "company", "{\"name\":\"Kajo\"}");
	assert_string_equal(record_str(&r, "state"), "a \"quoted\" word");
	assert_true(record_int(&r, "n") == INT64_C(9007199254740993));
	assert_true(record_is(&r, "yes"));
	assert_string_equal(json_str(json_at(record_get(&r, "company"), "name")), "Kajo");
	assert_string_equal(record_str(&r, "none"), "");
	assert_int_equal(record_int(&r, "state"), 0);
	record_put_str(&r, "state", "done");
	record_put_str(&r, "company", NULL);
	assert_string_equal(record_str(&r, "state"), "done");
	assert_null(record_get(&r, "company"));
	assert_false(r.failed);
	record_put_json(&r, "odd", "{");
	assert_true(r.failed);
}

static void test_MV_15_a_record_is_put_beside_the_others(void **state)
{
	(void)state;
	struct facts f = facts_of("{\"company\":\"u-1\",\"dialogues\":{\"registrations\":"
				  "[{\"id\":\"r1\",\"n\":1.10},{\"id\":\"r2\"}],"
				  "\"authentications\":[{\"id\":\"a1\",\"due_ms\":900}]}}");
	struct record r, all[4];
	assert_true(facts_record(&f, "registrations", "r1", &r));
	record_put_str(&r, "state", "done");
	f = facts_of(with(&f, "registrations", &r));
	assert_string_equal(json_str(json_get(f.root, "company")), "u-1");
	assert_int_equal(facts_records(&f, "registrations", all, 4), 2);
	assert_string_equal(record_str(&all[0], "state"), "done");
	assert_string_equal(json_number_text(record_get(&all[0], "n")), "1.10");
	assert_string_equal(record_str(&all[1], "id"), "r2");
	assert_int_equal(facts_records(&f, "authentications", all, 4), 1);
	assert_false(facts_record(&f, "registrations", "a1", &r));
	r = record("x", 0);
	f = facts_of(with(&f, "others", &r));
	assert_int_equal(facts_records(&f, "registrations", all, 1), 1);
	assert_true(facts_record(&f, "others", "x", &r));
}

static int64_t due_of(const struct facts *f)
{
	int64_t due_ms = 0;
	return json_int64(json_get(f->root, "due_ms"), &due_ms) ? due_ms : 0;
}

static void test_MV_05_the_facts_are_due_with_their_first_record(void **state)
{
	(void)state;
	struct facts f = facts_of("{}");
	struct record late = record("late", 900), soon = record("soon", 500);
	f = facts_of(with(&f, "a", &late));
	assert_int_equal(due_of(&f), 900);
	f = facts_of(with(&f, "b", &soon));
	assert_int_equal(due_of(&f), 500);
	record_remove(&soon, "due_ms");
	f = facts_of(with(&f, "b", &soon));
	assert_int_equal(due_of(&f), 900);
	record_remove(&late, "due_ms");
	f = facts_of(with(&f, "a", &late));
	assert_int_equal(json_type(json_get(f.root, "due_ms")), JSON_ABSENT);
}

static void test_MV_02_the_oldest_that_ended_makes_room(void **state)
{
	(void)state;
	struct facts f = facts_of("{}");
	struct record r, all[RECORDS_MAX + 1];
	const char *json;
	for (int i = 0; i < RECORDS_MAX; i++) {
		r = record(arena_printf(arena, "r%d", i), 0);
		record_put_bool(&r, "is_ended", i == 3 || i == 5);
		f = facts_of(with(&f, "a", &r));
	}
	for (int i = 0; i < 2; i++) {
		r = record(arena_printf(arena, "new%d", i), 0);
		f = facts_of(with(&f, "a", &r));
		assert_int_equal(facts_records(&f, "a", all, RECORDS_MAX + 1), RECORDS_MAX);
	}
	assert_false(facts_record(&f, "a", "r3", &r));
	assert_false(facts_record(&f, "a", "r5", &r));
	assert_true(facts_record(&f, "a", "r0", &r));
	r = record("one too many", 0);
	assert_false(facts_with(&f, "a", &r, &json, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
}

static void test_OP_05_a_failure_is_told_again(void **state)
{
	(void)state;
	struct err why = ERR_INIT, again = ERR_INIT;
	const struct json *j = NULL;
	const char *json;
	struct strbuf sb = STRBUF_INIT(arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	err_reason(&why, ERR_CREDENTIALS, "keys_swapped", "Maventa", "the other way round");
	err_pointer(&why, "/user_api_key");
	err_target_text(&why, SPAN_LIT("ERROR: NO"));
	err_write(&w, &why);
	assert_true(strbuf_finish(&sb, &json, &err));
	assert_true(json_parse(arena, span_of(json), JSON_LIMITS_API, &j, &err));
	err_read(j, &again);
	assert_int_equal(again.code, ERR_CREDENTIALS);
	assert_string_equal(again.reason, "keys_swapped");
	assert_string_equal(again.subject, "Maventa");
	assert_string_equal(again.pointer, "/user_api_key");
	assert_string_equal(again.message, "the other way round");
	assert_string_equal(again.target_text, "ERROR: NO");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_MV_05_members_are_put_changed_and_removed),
		cmocka_unit_test(test_MV_15_a_record_is_put_beside_the_others),
		cmocka_unit_test(test_MV_05_the_facts_are_due_with_their_first_record),
		cmocka_unit_test(test_MV_02_the_oldest_that_ended_makes_room),
		cmocka_unit_test(test_OP_05_a_failure_is_told_again),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
