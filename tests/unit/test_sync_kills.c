/*
 * test_sync_kills.c: register runs that are killed or cut off at any of their calls, one after the
 * other: each record stands once in the end (DESIGN §4.7).
 */
#include "base/base.h"

#include "sync_fixture.h"

/* Ends the process at each call, before it and after what it did; then the run goes on. */
static void kill_everywhere(bool loses_redis)
{
	char id[RUN_ID_MAX];
	int killed = 0;
	for (int at = 1;; at++) {
		world_clear(sf.world);
		assert_true(redis_fixture_flush(&sf.fx));
		fill(4, 1, 0);
		world_put(sf.world, KIND_CUSTOMER, AT_RIGHT, "K1-right", "made there", "");
		order_run("products customers partners", RUN_CHANGES, id);
		sf.world->die_at = at;
		int code = in_child(relay_until_over, id);
		sf.world->die_at = 0;
		if (code == 0)
			break;
		assert_int_equal(code, 9);
		killed++;
		if (loses_redis) {
			assert_true(redis_fixture_flush(&sf.fx));
			order_run("products customers partners", RUN_CHANGES, id);
		}
		if (in_child(relay_until_over, id) != 0)
			fail_msg("killed at %d", at);
		struct register_run run = read_run(id);
		assert_int_equal(run.state, RUN_DONE);
		assert_each_once();
		if (!loses_redis) {
			assert_int_equal(count(&run, "products", RUN_SEEN_N), 4);
			assert_int_equal(count(&run, "products", RUN_CREATED_N) +
						 count(&run, "products", RUN_LINKED_N),
					 4);
		}
	}
	assert_true(killed > 20);
	/* What was found by its business key is known as well as what was made. */
	int writes = world_writes(sf.world);
	(void)run_all(ALL_REGISTERS, RUN_EVERYTHING);
	assert_int_equal(world_writes(sf.world), writes);
}

static void test_PC_04_killed_anywhere_each_stands_once(void **state)
{
	(void)state;
	kill_everywhere(false);
}

static void test_PC_05_killed_anywhere_and_redis_emptied_each_stands_once(void **state)
{
	(void)state;
	kill_everywhere(true);
}

/* An outage at each call, in the middle of pages too: the run goes on, and counts each record once.
 */
static void test_an_outage_anywhere_loses_and_doubles_nothing(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	int last = 0;
	for (int at = 1; at == 1 || at <= last; at++) {
		world_clear(sf.world);
		assert_true(redis_fixture_flush(&sf.fx));
		fill(5, 1, 0);
		order_run("products customers partners", RUN_CHANGES, id);
		sf.world->away_at = at;
		sf.world->away_for = 2;
		assert_int_equal(in_child(relay_until_over, id), 0);
		struct register_run run = read_run(id);
		assert_int_equal(run.state, RUN_DONE);
		assert_int_equal(count(&run, "products", RUN_SEEN_N), 5);
		assert_int_equal(count(&run, "products", RUN_CREATED_N), 5);
		assert_int_equal(count(&run, "partners", RUN_UNCHANGED_N), 1);
		assert_each_once();
		if (!last)
			last = sf.world->events;
	}
	assert_true(last > 20);
}

#define T(name) cmocka_unit_test_setup(name, sync_set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_PC_04_killed_anywhere_each_stands_once),
		T(test_PC_05_killed_anywhere_and_redis_emptied_each_stands_once),
		T(test_an_outage_anywhere_loses_and_doubles_nothing),
	};
	return cmocka_run_group_tests_name("sync_kills", tests, sync_start, sync_stop);
}
