/*
 * test_sync.c: register runs: what is created, linked, updated and comes back, and in which order;
 * what lacks data. On a real Redis, against two systems in shared memory.
 */
#include "base/base.h"

#include "base/clock.h"
#include "sync_fixture.h"

static void test_PC_04_PC_05_new_records_are_created_once(void **state)
{
	(void)state;
	fill(7, 5, 4);
	struct register_run run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_int_equal(run.state, RUN_DONE);
	assert_int_equal(count(&run, "products", RUN_SEEN_N), 7);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 7);
	assert_int_equal(count(&run, "customers", RUN_CREATED_N), 5);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 4);
	/* PC-06: our own creations do not come back. */
	assert_int_equal(count(&run, "partners", RUN_UNCHANGED_N), 5);
	assert_each_once();
	int writes = world_writes(sf.world);
	assert_int_equal(writes, 16);
	/* The target was listed, and nothing was asked for one by one. */
	assert_int_equal(sf.world->sides[KIND_PRODUCT][AT_RIGHT].finds, 0);
	run = run_all(ALL_REGISTERS, RUN_EVERYTHING);
	assert_int_equal(count(&run, "products", RUN_UNCHANGED_N), 7);
	assert_int_equal(world_writes(sf.world), writes);
	/* Later changes are not pushed (products), or are (cards). */
	world_put(sf.world, KIND_PRODUCT, AT_LEFT, "K0-1", "renamed", "");
	world_put(sf.world, KIND_CARD, AT_LEFT, "K2-1", "renamed", "a@b.example");
	world_put(sf.world, KIND_PRODUCT, AT_LEFT, "K0-new", "new", "");
	run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_string_equal(world_get(sf.world, KIND_PRODUCT, AT_RIGHT, "K0-1")->name, "name 1");
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "K2-1")->name, "renamed");
	assert_int_equal(count(&run, "cards", RUN_UPDATED_N), 1);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 1);
	assert_int_equal(world_writes(sf.world), writes + 2);
	assert_each_once();
}

static void test_PC_06_an_edit_comes_back_once_and_never_returns(void **state)
{
	(void)state;
	fill(1, 4, 0);
	(void)run_all(ALL_REGISTERS, RUN_CHANGES);
	world_put(sf.world, KIND_CUSTOMER, AT_RIGHT, "K1-2", "edited at the right", "x@y.example");
	world_put(sf.world, KIND_CUSTOMER, AT_RIGHT, "K1-there", "made at the right", "");
	int writes = world_writes(sf.world);
	struct register_run run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_int_equal(count(&run, "partners", RUN_UPDATED_N), 1);
	assert_int_equal(count(&run, "partners", RUN_CREATED_N), 1);
	assert_string_equal(world_get(sf.world, KIND_CUSTOMER, AT_LEFT, "K1-2")->name,
			    "edited at the right");
	assert_int_equal(world_count(sf.world, KIND_CUSTOMER, AT_LEFT, "K1-there"), 1);
	assert_int_equal(world_writes(sf.world), writes + 2);
	for (int i = 0; i < 2; i++) {
		run = run_all(ALL_REGISTERS, i ? RUN_EVERYTHING : RUN_CHANGES);
		assert_int_equal(world_writes(sf.world), writes + 2);
	}
	assert_each_once();
}

/* Nobody remembers how the pairs stood: what differs is an edit of that time, what is the same is
 * none, and what only one side has is not emptied there. */
static void test_PC_06_an_edit_of_the_time_when_redis_was_emptied_comes_back(void **state)
{
	(void)state;
	sf.world->keeps_names = true;
	fill(1, 4, 0);
	(void)run_all(ALL_REGISTERS, RUN_CHANGES);
	world_put(sf.world, KIND_CUSTOMER, AT_RIGHT, "K1-2", "edited at the right", "a@b.example");
	world_put(sf.world, KIND_CUSTOMER, AT_RIGHT, "K1-3", "name 3", "");
	int writes = world_writes(sf.world);
	assert_true(redis_fixture_flush(&sf.fx));
	struct register_run run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_int_equal(count(&run, "customers", RUN_LINKED_N), 4);
	assert_int_equal(count(&run, "partners", RUN_UPDATED_N), 1);
	assert_string_equal(customer(AT_LEFT, "K1-2")->name, "edited at the right");
	assert_string_equal(customer(AT_LEFT, "K1-3")->mail, "a@b.example");
	assert_int_equal(world_writes(sf.world), writes + 1);
	(void)run_all(ALL_REGISTERS, RUN_EVERYTHING);
	assert_int_equal(world_writes(sf.world), writes + 1);
	assert_each_once();
}

/* The answer to the creation was lost, and somebody was quicker than the next look-up. */
static void test_PC_06_an_edit_before_a_creation_in_doubt_is_found_comes_back(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	sf.world->keeps_names = true;
	sf.world->cut_creates = 2;
	fill(0, 2, 0);
	order_run("customers partners", RUN_CHANGES, id);
	struct relay r;
	struct err err = ERR_INIT;
	assert_true(open_relay(&r, &err));
	(void)turn_until_running(&r, id);
	close_relay(&r);
	assert_int_equal(sf.world->sides[KIND_CUSTOMER][AT_RIGHT].n, 2);
	world_put(sf.world, KIND_CUSTOMER, AT_RIGHT, "K1-1", "quick", "");
	assert_int_equal(in_child(relay_until_over, id), 0);
	struct register_run run = read_run(id);
	assert_int_equal(count(&run, "customers", RUN_LINKED_N), 2);
	assert_int_equal(count(&run, "partners", RUN_UPDATED_N), 1);
	assert_string_equal(customer(AT_LEFT, "K1-1")->name, "quick");
	assert_string_equal(customer(AT_LEFT, "K1-1")->mail, "");
	assert_each_once();
}

static void test_NV_05_an_emptied_field_empties_only_what_was_not_empty(void **state)
{
	(void)state;
	world_put(sf.world, KIND_CARD, AT_LEFT, "had", "n", "a@b.example");
	world_put(sf.world, KIND_CARD, AT_LEFT, "had-none", "n", "");
	(void)run_all("cards", RUN_CHANGES);
	/* Somebody adds what the source never had. */
	world_put(sf.world, KIND_CARD, AT_RIGHT, "had-none", "n", "by hand@b.example");
	world_put(sf.world, KIND_CARD, AT_LEFT, "had", "n", "");
	world_put(sf.world, KIND_CARD, AT_LEFT, "had-none", "renamed", "");
	/* There already, and never written by us. */
	world_put(sf.world, KIND_CARD, AT_RIGHT, "found", "n", "by hand@b.example");
	world_put(sf.world, KIND_CARD, AT_LEFT, "found", "renamed", "");
	struct register_run run = run_all("cards", RUN_LINKS);
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "found")->mail,
			    "by hand@b.example");
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "found")->name, "renamed");
	world_put(sf.world, KIND_CARD, AT_LEFT, "found", "again", "");
	(void)run_all("cards", RUN_CHANGES);
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "found")->mail,
			    "by hand@b.example");
	assert_int_equal(count(&run, "cards", RUN_UPDATED_N), 2);
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "had")->mail, "");
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "had-none")->mail,
			    "by hand@b.example");
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "had-none")->name, "renamed");
}

static void test_registers_go_in_the_order_in_which_one_needs_the_other(void **state)
{
	(void)state;
	fill(1, 1, 0);
	sf.world->logs_order = true;
	(void)run_all("partners customers products", RUN_CHANGES);
	const char *product = strstr(sf.world->order, "products.create");
	const char *customer = strstr(sf.world->order, "customers.create");
	const char *partner = strstr(sf.world->order, "partners.list ");
	assert_non_null(product);
	assert_non_null(customer);
	assert_non_null(partner);
	assert_true(product < customer && customer < partner);
}

static void test_what_stands_at_the_target_is_linked_by_business_key(void **state)
{
	(void)state;
	fill(0, 0, 3);
	world_put(sf.world, KIND_CARD, AT_RIGHT, "K2-0", "other name", "a@b.example");
	struct world_side_state *right = &sf.world->sides[KIND_CARD][AT_RIGHT];
	world_put(sf.world, KIND_CARD, AT_RIGHT, "K2-1", "one", "");
	world_put(sf.world, KIND_CARD, AT_RIGHT, "twin", "two", "");
	snprintf(right->records[2].code, sizeof(right->records[2].code), "K2-1");
	struct register_run run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_FAILED_N), 1);
	assert_string_equal(world_get(sf.world, KIND_CARD, AT_RIGHT, "K2-0")->name, "name 0");
	/* It says which, and why; and is tried again by itself, though nothing moved at the source.
	 */
	struct relay r;
	struct err err = ERR_INIT;
	struct run_failure *why;
	size_t n;
	assert_true(open_relay(&r, &err));
	assert_true(queue_run_failures(r.queue, sf.arena, run.id, &why, &n, &err));
	close_relay(&r);
	assert_int_equal(n, 1);
	assert_string_equal(why[0].code, "several_matches");
	assert_int_equal(why[0].n, 1);
	assert_non_null(strstr(why[0].examples[0], "K2-1"));
	snprintf(right->records[2].code, sizeof(right->records[2].code), "mended");
	clock_sleep_ms(1100); /* what failed is not due again within a second */
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_FAILED_N), 0);
}

static void test_a_record_that_lacks_data_waits_for_the_source(void **state)
{
	(void)state;
	world_put(sf.world, KIND_CARD, AT_LEFT, "A", "bad", "");
	world_put(sf.world, KIND_CARD, AT_LEFT, "B", "wait", "");
	world_put(sf.world, KIND_CARD, AT_LEFT, "C", "skip", "");
	world_put(sf.world, KIND_CARD, AT_LEFT, "D", "good", "");
	struct register_run run = run_all("cards", RUN_CHANGES);
	assert_int_equal(run.state, RUN_DONE);
	assert_int_equal(count(&run, "cards", RUN_FAILED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_WAITING_N), 1);
	assert_int_equal(count(&run, "cards", RUN_SKIPPED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_SEEN_N), 4);
	assert_int_equal(standing("cards"), 2);
	run = run_all("cards", RUN_EVERYTHING);
	assert_int_equal(standing("cards"), 2);
	world_put(sf.world, KIND_CARD, AT_LEFT, "A", "mended", "");
	world_put(sf.world, KIND_CARD, AT_LEFT, "B", "ready", "");
	world_put(sf.world, KIND_CARD, AT_LEFT, "C", "wanted", "");
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 3);
	assert_int_equal(standing("cards"), 0);
	assert_each_once();
}

static void test_a_record_that_the_target_refuses_is_tried_by_the_next_run(void **state)
{
	(void)state;
	fill(4, 0, 0);
	sf.world->refuse_creates = 2;
	struct register_run run = run_all("products", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_FAILED_N), 2);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 2);
	clock_sleep_ms(1100);
	run = run_all("products", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 2);
	/* Met again in the listing, it was not counted twice. */
	assert_int_equal(count(&run, "products", RUN_SEEN_N), 4);
	assert_each_once();
}

/* Two of one page, and one record at the target that was made since it was walked. */
static void test_NV_03_what_one_takes_as_its_duplicate_is_not_free_for_the_next(void **state)
{
	(void)state;
	fill(2, 0, 0);
	struct world_side_state *left = &sf.world->sides[KIND_PRODUCT][AT_LEFT];
	snprintf(left->records[1].code, sizeof(left->records[1].code), "%s", left->records[0].code);
	world_put(sf.world, KIND_PRODUCT, AT_RIGHT, left->records[0].code, "there", "")->is_late =
		true;
	sf.world->refuses_twins = true;
	struct register_run run = run_all("products", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "products", RUN_FAILED_N), 1);
	/* One that a page of before took, too. */
	world_put(sf.world, KIND_PRODUCT, AT_LEFT, "other", "third", "");
	snprintf(left->records[2].code, sizeof(left->records[2].code), "%s", left->records[0].code);
	sf.world->sides[KIND_PRODUCT][AT_RIGHT].records[0].is_late = true;
	run = run_all("products", RUN_LINKS);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 0);
	assert_int_equal(count(&run, "products", RUN_FAILED_N), 2);
	assert_int_equal(sf.world->sides[KIND_PRODUCT][AT_RIGHT].n, 1);
}

static void test_PC_05_another_company_at_the_target_gets_all_records(void **state)
{
	(void)state;
	fill(4, 3, 0);
	(void)run_all("products customers partners", RUN_CHANGES);
	for (size_t k = 0; k < N_WORLD_KINDS; k++) {
		sf.world->sides[k][AT_RIGHT].n = 0;
		for (int i = 0; i < sf.world->sides[k][AT_LEFT].n; i++)
			sf.world->sides[k][AT_LEFT].records[i].changed_ms = 1;
	}
	world_put(sf.world, KIND_PRODUCT, AT_RIGHT, "K0-1", "there already", "");
	sf.world->company = 2;
	struct register_run run = run_all("products customers partners", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 3);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "customers", RUN_CREATED_N), 3);
	assert_each_once();
}

/* Ids are unique within one register only. */
static void test_PC_05_a_customer_with_the_id_of_a_product_that_was_tried_again_is_seen(
	void **state)
{
	(void)state;
	fill(1, 0, 0);
	sf.world->refuse_creates = 1;
	(void)run_all("products customers", RUN_CHANGES);
	fill(0, 1, 0);
	memcpy(sf.world->sides[KIND_CUSTOMER][AT_LEFT].records[0].id,
	       sf.world->sides[KIND_PRODUCT][AT_LEFT].records[0].id,
	       sizeof(sf.world->sides[0][0].records[0].id));
	clock_sleep_ms(1100); /* what failed is not due again within a second */
	struct register_run run = run_all("products customers", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 1);
	assert_int_equal(count(&run, "customers", RUN_CREATED_N), 1);
	assert_each_once();
}

#define T(name) cmocka_unit_test_setup(name, sync_set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_PC_04_PC_05_new_records_are_created_once),
		T(test_PC_06_an_edit_comes_back_once_and_never_returns),
		T(test_PC_06_an_edit_of_the_time_when_redis_was_emptied_comes_back),
		T(test_PC_06_an_edit_before_a_creation_in_doubt_is_found_comes_back),
		T(test_NV_05_an_emptied_field_empties_only_what_was_not_empty),
		T(test_registers_go_in_the_order_in_which_one_needs_the_other),
		T(test_what_stands_at_the_target_is_linked_by_business_key),
		T(test_a_record_that_lacks_data_waits_for_the_source),
		T(test_a_record_that_the_target_refuses_is_tried_by_the_next_run),
		T(test_NV_03_what_one_takes_as_its_duplicate_is_not_free_for_the_next),
		T(test_PC_05_another_company_at_the_target_gets_all_records),
		T(test_PC_05_a_customer_with_the_id_of_a_product_that_was_tried_again_is_seen),
	};
	return cmocka_run_group_tests_name("sync", tests, sync_start, sync_stop);
}
