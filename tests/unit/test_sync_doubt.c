/*
 * test_sync_doubt.c: register runs whose creations are in doubt, whose records are in other hands
 * or whose Redis lost something: nothing is lost, nothing doubled (DESIGN §4.7). Kills at any call
 * are in test_sync_kills.c.
 */
#include "base/base.h"

#include "base/clock.h"
#include "sync_fixture.h"

/* DESIGN §4.6 */
static void test_PC_05_a_creation_in_doubt_is_looked_for_before_another(void **state)
{
	(void)state;
	fill(2, 2, 0);
	sf.world->cut_creates = 1;
	struct register_run run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_int_equal(run.state, RUN_DONE);
	assert_int_equal(count(&run, "products", RUN_IN_DOUBT_N), 0);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "products", RUN_SEEN_N), 2);
	assert_each_once();
	fill(0, 0, 2);
	sf.world->lose_creates = 1;
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(run.state, RUN_DONE);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 2);
	assert_each_once();
}

/* One look-up for all of a page; where that fails they are in doubt, and not made again. */
static void test_NV_08_ids_that_the_target_does_not_tell_are_looked_for_in_one(void **state)
{
	(void)state;
	struct world_side_state *right = &sf.world->sides[KIND_CARD][AT_RIGHT];
	fill(0, 0, 7);
	sf.world->tells_no_ids = true;
	struct register_run run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 7);
	assert_int_equal(right->finds, 3); /* of three pages */
	assert_each_once();
	world_put(sf.world, KIND_CARD, AT_LEFT, "K2-3", "renamed", "");
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_UPDATED_N), 1);
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "K2-3")->name, "renamed");
	world_put(sf.world, KIND_CARD, AT_LEFT, "late", "late", "");
	sf.world->finds_fail_at = right->finds + 2; /* the first is before it is made */
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_LINKED_N), 1);
	assert_int_equal(right->creates, 8);
	assert_each_once();
}

static void test_an_outage_is_waited_for_and_told(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	fill(2, 0, 0);
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	sf.world->is_away = true;
	struct register_run run = turn_until_running(&r, id);
	assert_int_equal(run.state, RUN_RUNNING);
	assert_string_equal(run.error_code, "outage");
	assert_true(run.next_ms > 0);
	sf.world->is_away = false;
	close_relay(&r);
	assert_int_equal(in_child(relay_until_over, id), 0);
	assert_each_once();
}

static void test_a_record_in_other_hands_waits(void **state)
{
	(void)state;
	struct relay r;
	struct err err = ERR_INIT;
	fill(0, 0, 2);
	assert_true(open_relay(&r, &err));
	assert_true(queue_record_lease(r.queue, "cards:K2-0", "an invoice", 60000, &err));
	struct register_run run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_WAITING_N), 1);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 1);
	/* The invoice made it and linked it not: it is looked for before it is made again. */
	world_put(sf.world, KIND_CARD, AT_RIGHT, "K2-0", "by the invoice", "");
	assert_true(queue_record_release(r.queue, "cards:K2-0", "an invoice", &err));
	close_relay(&r);
	clock_sleep_ms(1100);
	run = run_all("cards", RUN_LINKS);
	assert_int_equal(count(&run, "cards", RUN_LINKED_N), 1);
	assert_each_once();
}

static void script(const char *text)
{
	struct relay r;
	struct err err = ERR_INIT;
	assert_true(open_relay(&r, &err));
	struct redis *got = NULL;
	const struct redis_value *v = NULL;
	if (!redis_borrow(r.redis, 1000, &got, &err) ||
	    !redis_commandf(got, sf.arena, &v, &err, "EVAL %s 0", text))
		fail_msg("%s", err.message);
	redis_give_back(got);
	close_relay(&r);
}

/* As a replica that was behind, or a server that had not written its last second. */
static void keep_copy(void)
{
	script("for _, k in ipairs(redis.call('KEYS', '*')) do "
	       "redis.call('COPY', k, k, 'DB', '1', 'REPLACE') end return 1");
}

static void put_copy_back(void)
{
	script("redis.call('FLUSHDB') redis.call('SELECT', 1) "
	       "for _, k in ipairs(redis.call('KEYS', '*')) do "
	       "redis.call('COPY', k, k, 'DB', '0', 'REPLACE') end "
	       "redis.call('FLUSHDB') redis.call('SELECT', 0) "
	       "redis.call('HSET', 't:epoch', 'run', 'another') return 1");
}

static void test_PC_05_a_redis_that_went_back_in_the_middle_of_a_run_doubles_nothing(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	bool is_through = false;
	for (int at = 2; !is_through; at += 3) {
		world_clear(sf.world);
		assert_true(redis_fixture_flush(&sf.fx));
		fill(9, 1, 0);
		order_run("products customers partners", RUN_CHANGES, id);
		is_through = go_on_until(id, at) == 0;
		if (is_through)
			break;
		keep_copy();
		is_through = go_on_until(id, at + 7) == 0;
		put_copy_back();
		assert_int_equal(go_on_until(id, 0), 0);
		for (int i = 0; i < 9; i++) {
			const char *code = sf.world->sides[KIND_PRODUCT][AT_LEFT].records[i].code;
			if (world_count(sf.world, KIND_PRODUCT, AT_RIGHT, code) != 1)
				fail_msg("%s doubled, killed at %d", code, at);
		}
		assert_each_once();
	}
}

/* DESIGN §4.7, of a target that is asked record by record. */
static void test_PC_05_after_a_loss_absence_counts_only_after_the_quiet_time(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	world_put(sf.world, KIND_ITEM, AT_LEFT, "I-1", "one", "");
	(void)run_all("items", RUN_CHANGES);
	assert_each_once();
	/* Sent before the loss, and not there yet. */
	world_put(sf.world, KIND_ITEM, AT_LEFT, "I-2", "two", "");
	script("return redis.call('HSET', 't:epoch', 'run', 'another')");
	sf.quiet_ms = 1500;
	order_run("items", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	struct register_run run = turn_until_running(&r, id);
	close_relay(&r);
	assert_true(run.next_ms > 0);
	assert_int_equal(sf.world->sides[KIND_ITEM][AT_RIGHT].n, 1);
	world_put(sf.world, KIND_ITEM, AT_RIGHT, "I-2", "two", "");
	assert_int_equal(in_child(relay_until_over, id), 0);
	run = read_run(id);
	assert_int_equal(count(&run, "items", RUN_CREATED_N), 0);
	assert_int_equal(count(&run, "items", RUN_LINKED_N), 1);
	assert_each_once();
}

/* Nobody knows whether it was made, and the source does not know it any more. */
static void test_PC_04_a_creation_in_doubt_is_not_dropped_with_its_record(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	struct run_failure *why;
	size_t n;
	fill(2, 0, 0);
	sf.world->cut_creates = 1;
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	(void)turn_until_running(&r, id);
	close_relay(&r);
	assert_int_equal(sf.world->sides[KIND_PRODUCT][AT_RIGHT].n, 2);
	struct world_side_state *left = &sf.world->sides[KIND_PRODUCT][AT_LEFT];
	const struct world_record gone[] = { left->records[0], left->records[1] };
	left->n = 0;
	assert_int_equal(in_child(relay_until_over, id), 0);
	struct register_run run = read_run(id);
	assert_int_equal(count(&run, "products", RUN_SEEN_N), 2);
	assert_int_equal(count(&run, "products", RUN_IN_DOUBT_N), 0);
	assert_int_equal(count(&run, "products", RUN_FAILED_N), 1);
	assert_int_equal(standing("products"), 1);
	assert_true(open_relay(&r, &err));
	assert_true(queue_run_failures(r.queue, sf.arena, run.id, &why, &n, &err));
	close_relay(&r);
	size_t i = 0;
	while (i < n && strcmp(why[i].code, "source_gone_in_doubt") != 0)
		i++;
	assert_true(i < n);
	assert_non_null(strstr(why[i].examples[0], "K0-")); /* by its name, not its id alone */
	/* It stands until it is back, is linked, or a person has looked. */
	clock_sleep_ms(1100);
	run = run_all("products", RUN_CHANGES);
	assert_int_equal(standing("products"), 1);
	memcpy(left->records, gone, sizeof(gone));
	left->n = 2;
	clock_sleep_ms(1100);
	run = run_all("products", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 1);
	assert_int_equal(standing("products"), 0);
	assert_each_once();
}

static void test_PC_04_a_person_who_has_looked_takes_a_doubt_off(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	fill(1, 0, 0);
	sf.world->lose_creates = 1;
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	(void)turn_until_running(&r, id);
	close_relay(&r);
	sf.world->sides[KIND_PRODUCT][AT_LEFT].n = 0;
	assert_int_equal(in_child(relay_until_over, id), 0);
	assert_int_equal(standing("products"), 1);
	clock_sleep_ms(1100);
	(void)run_all("products", RUN_LINKS);
	assert_int_equal(standing("products"), 0);
}

/* DESIGN §4.10: the waits grow, and 72 hours are counted from the first failure on. */
static void test_an_outage_of_writes_alone_is_waited_for_longer_each_time(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	struct register_run run = { .n_failures = 0 };
	fill(2, 0, 0);
	sf.world->refuses_to_create = true;
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	int64_t since_ms = 0, until = clock_mono_ms() + WAIT_MS;
	while (run.n_failures < 3 && clock_mono_ms() < until) {
		if (!turn(&r, &err))
			clock_sleep_ms(5);
		assert_true(queue_run_get(r.queue, sf.arena, id, &run, &err));
		since_ms = since_ms ? since_ms : run.failing_since_ms;
	}
	assert_int_equal(run.n_failures, 3);
	assert_int_equal(run.failing_since_ms, since_ms);
	sf.world->refuses_to_create = false;
	close_relay(&r);
	assert_int_equal(go_on_until(id, 0), 0);
	assert_int_equal(read_run(id).n_failures, 0);
	assert_each_once();
}

#define T(name) cmocka_unit_test_setup(name, sync_set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_PC_05_a_creation_in_doubt_is_looked_for_before_another),
		T(test_NV_08_ids_that_the_target_does_not_tell_are_looked_for_in_one),
		T(test_an_outage_is_waited_for_and_told),
		T(test_a_record_in_other_hands_waits),
		T(test_PC_05_a_redis_that_went_back_in_the_middle_of_a_run_doubles_nothing),
		T(test_PC_05_after_a_loss_absence_counts_only_after_the_quiet_time),
		T(test_PC_04_a_creation_in_doubt_is_not_dropped_with_its_record),
		T(test_PC_04_a_person_who_has_looked_takes_a_doubt_off),
		T(test_an_outage_of_writes_alone_is_waited_for_longer_each_time),
	};
	return cmocka_run_group_tests_name("sync_doubt", tests, sync_start, sync_stop);
}
