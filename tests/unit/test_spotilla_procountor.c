/*
 * test_spotilla_procountor.c: the pure rules of the flow from Spotilla: business ids, days, what
 * makes a task another one, and whose card a card is.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/spotilla_procountor/internal.h"

/* PC-03: the form counts always, the check digit when the settings say so. */
static void test_business_ids_PC_03(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool has_form, is_proved;
	} cases[] = {
		{ "2817345-6", true, true },	{ "1234567-8", true, false },
		{ "2817345-7x", false, false }, { "28173456", false, false },
		{ "281734-56", false, false },	{ "FI28173456", false, false },
		{ " 2817345-6", false, false }, { "2817345-A", false, false },
		{ "", false, false },		{ NULL, false, false },
	};
	const struct sp_settings form = { .proves_business_ids = false };
	const struct sp_settings proof = { .proves_business_ids = true };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(sp_is_business_id(&form, cases[i].text), cases[i].has_form);
		assert_int_equal(sp_is_business_id(&proof, cases[i].text), cases[i].is_proved);
	}
}

static int64_t at(const char *text)
{
	int64_t ms = 0;
	assert_true(clock_parse_rfc3339(span_of(text), &ms));
	return ms;
}

/* PC-01: the day is that of Finland, in winter and in summer. */
static void test_days_are_those_of_finland_PC_01(void **state)
{
	(void)state;
	static const struct {
		const char *time, *day;
	} cases[] = {
		{ "2026-01-14T21:59:59Z", "2026-01-14" }, { "2026-01-14T22:00:00Z", "2026-01-15" },
		{ "2026-07-14T20:59:59Z", "2026-07-14" }, { "2026-07-14T21:00:00Z", "2026-07-15" },
		{ "2025-12-31T22:30:00Z", "2026-01-01" },
	};
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct sp sp = { .set = { .from = "2026-01-15" } };
	struct err err = ERR_INIT;
	assert_true(tz_load("Europe/Helsinki", &sp.zone, &err));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(sp_day(arena, sp.zone, at(cases[i].time)), cases[i].day);
	assert_null(sp_day(arena, sp.zone, 0));
	assert_false(sp_is_after_start(&sp, at("2026-01-14T21:59:59Z")));
	assert_true(sp_is_after_start(&sp, at("2026-01-14T22:00:00Z")));
	assert_true(sp_is_after_start(&sp, 0)); /* better seen twice than lost */
	tz_free(sp.zone);
}

/* PC-01: what goes on an invoice makes a task another one; our mark, and a price that is not
 * billed, do not. */
static void test_what_makes_a_task_another_one_PC_01(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct spotilla_task_row rows[2] = {
		{ .id = "1",
		  .product_id = "301",
		  .name = "Work",
		  .has_quantity = true,
		  .quantity = decimal_of(2),
		  .has_price = true,
		  .unit_price = decimal_of(58),
		  .is_billable = true },
		{ .id = "2",
		  .name = "Free",
		  .has_quantity = true,
		  .quantity = decimal_of(1),
		  .has_price = true,
		  .unit_price = decimal_of(7),
		  .is_billable = true },
	};
	struct spotilla_task task = { .id = "1", .customer_id = "9", .rows = rows, .n_rows = 2 };
	const char *hash = sp_task_hash(arena, &task);
	task.billing = (struct spotilla_billing) { SPOTILLA_BILLING_EXPORTED, "ref", "text" };
	task.changed = "2026-11-22T00:00:00Z";
	rows[0].unit_price = decimal_of(99);
	assert_string_equal(sp_task_hash(arena, &task), hash);
	rows[1].unit_price = decimal_of(8);
	assert_string_not_equal(sp_task_hash(arena, &task), hash);
	rows[1].unit_price = decimal_of(7);
	rows[0].quantity = (struct decimal) { 200, 2 }; /* 2.00 is 2 */
	assert_string_equal(sp_task_hash(arena, &task), hash);
	task.order_number = "PO-1";
	assert_string_not_equal(sp_task_hash(arena, &task), hash);
}

static void test_numbers_of_sendings_PC_01(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	assert_string_equal(sp_number(arena, "SPT", "90017", 1), "SPT-90017");
	assert_string_equal(sp_number(arena, "SPT", "90017", 2), "SPT-90017-2");
}

/* PC-05, PC-06: a card that another one has is never taken; a number alone proves nothing. */
static void test_whose_card_it_is_PC_05_PC_06(void **state)
{
	(void)state;
	static const struct {
		struct sp_card theirs, ours;
		const char *taken_by, *reason; /* NULL: it is ours */
	} cases[] = {
		{ { "5", "2817345-6", "1" }, { NULL, "2817345-6", "1" }, NULL, NULL },
		{ { "5", NULL, "1" }, { NULL, "2817345-6", "1" }, NULL, NULL },
		{ { "5", "2817345-6", "1" }, { NULL, NULL, "1" }, NULL, NULL },
		{ { "5", "2345678-0", "1" },
		  { NULL, "2817345-6", "1" },
		  NULL,
		  "customer_number_taken" },
		{ { "5", "2817345-6", "1" }, { NULL, "2817345-6", "1" }, "77", "customer_twice" },
		{ { "5", "2817345-6", "1" }, { "6", "2817345-6", "1" }, NULL, "customer_twice" },
		{ { "5", "2817345-6", "1" }, { "5", "2817345-6", "1" }, NULL, NULL },
	};
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct register_record r = { .id = "1", .label = "A" };
		const struct register_match m = { .id = "5",
						  .note = sp_card_note(arena, &cases[i].theirs),
						  .taken_by = cases[i].taken_by };
		struct err err = ERR_INIT;
		bool is_ours = sp_match_card(&r, &m, &cases[i].ours, &err);
		assert_int_equal(is_ours, cases[i].reason == NULL);
		if (!is_ours)
			assert_string_equal(err.reason, cases[i].reason);
	}
}

/* PC-06: both sides name their fields alike, so that a card that we made is no change. */
static void test_fields_of_both_sides_agree_PC_06(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	const struct sp_settings set = { .proves_business_ids = false };
	const struct address home = {
		.street = "A 1", .postcode = "1", .city = "B", .country_code = "FI"
	};
	const struct spotilla_customer c = {
		.customer = { .code = "SP-1",
			      .name = "A",
			      .business_id = "2817345-6",
			      .is_active = true,
			      .delivery = home,
			      .billing = home },
		.has_payment_term = true,
		.payment_term_days = 14,
		.invoice_channel = "EMAIL",
	};
	const struct procountor_partner p = { .id = "5",
					      .name = "A",
					      .customer_number = "SP-1",
					      .business_id = "2817345-6",
					      .is_active = true,
					      .address = { .at = home },
					      .payment_term_days = "14",
					      .channel = "EMAIL" };
	struct link_value *left, *right;
	size_t n_left, n_right;
	assert_true(sp_values_of_customer(arena, &c, &left, &n_left));
	assert_true(sp_values_of_partner(arena, &set, &p, &right, &n_right));
	assert_int_equal(n_left, n_right);
	for (size_t i = 0; i < n_left; i++) {
		assert_string_equal(left[i].name, right[i].name);
		assert_true(str_eq(left[i].value, right[i].value) ||
			    (!left[i].value && !right[i].value));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_business_ids_PC_03),
		cmocka_unit_test(test_days_are_those_of_finland_PC_01),
		cmocka_unit_test(test_what_makes_a_task_another_one_PC_01),
		cmocka_unit_test(test_numbers_of_sendings_PC_01),
		cmocka_unit_test(test_whose_card_it_is_PC_05_PC_06),
		cmocka_unit_test(test_fields_of_both_sides_agree_PC_06),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
