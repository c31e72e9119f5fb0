/* test_invoice.c: sums, content hash and the table of reasons. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "model/invoice.h"
#include "model/reason.h"

static struct decimal dec(const char *text)
{
	struct decimal d = DECIMAL_ZERO;
	assert_true(decimal_parse(span_of(text), &d));
	return d;
}

static void test_sums_within_a_cent_per_row_and_rate(void **state)
{
	(void)state;
	static const struct {
		const char *net, *vat, *gross, *rounding; /* rounding NULL: refused */
	} cases[] = { { "10.00", "2.55", "12.55", "0" },
		      { "10.02", "2.55", "12.57", "0.02" },
		      { "10.03", "2.55", "12.58", NULL },
		      { "15.00", "2.55", "17.55", NULL } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
		struct invoice_row row = { .position = 1,
					   .quantity = dec("3.333"),
					   .unit_price = dec("3.0"),
					   .has_vat_rate = true,
					   .vat_rate = dec("25.5") };
		struct invoice inv = { .rows = &row,
				       .n_rows = 1,
				       .total_net = dec(cases[i].net),
				       .total_vat = dec(cases[i].vat),
				       .total_gross = dec(cases[i].gross) };
		struct err err = ERR_INIT;
		bool ok = invoice_sum_up(&inv, arena, &err);
		assert_int_equal(ok, cases[i].rounding != NULL);
		if (ok)
			assert_true(decimal_eq(inv.rounding, dec(cases[i].rounding)));
		else
			assert_string_equal(err.reason, "sum_mismatch");
	}
}

static void test_discounts_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *quantity, *price, *percent, *amount, *discount, *net;
	} cases[] = { { "3", "33.333", "0", "0", "0.00", "100.00" },
		      { "3", "33.333", "12.5", "0", "12.50", "87.50" },
		      { "3", "33.333", "12.5", "10", "10.00", "90.00" }, /* the amount wins */
		      { "-3", "33.333", "12.5", "0", "-12.50", "-87.50" },
		      { "0.125", "0.20", "50", "0", "0.02", "0.01" },
		      { "1", "100", "100", "0", "100.00", "0.00" } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
		struct invoice_row row = { .position = 1,
					   .quantity = dec(cases[i].quantity),
					   .unit_price = dec(cases[i].price),
					   .discount_percent = dec(cases[i].percent),
					   .discount_amount = dec(cases[i].amount),
					   .has_vat_rate = true };
		struct invoice inv = { .rows = &row,
				       .n_rows = 1,
				       .total_net = dec(cases[i].net),
				       .total_gross = dec(cases[i].net) };
		struct err err = ERR_INIT;
		assert_true(invoice_sum_up(&inv, arena, &err));
		assert_true(decimal_eq(row.discount, dec(cases[i].discount)));
		assert_true(decimal_eq(row.net, dec(cases[i].net)));
	}
}

/* Rows of one rate stand apart when their reasons for it differ; a category needs no rate. */
static void test_vat_categories_MV_13(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	struct invoice_row rows[] = {
		{ .vat_category = "AE", .quantity = dec("1"), .unit_price = dec("5") },
		{ .vat_category = "E", .quantity = dec("1"), .unit_price = dec("7") },
		{ .has_vat_rate = true, .quantity = dec("1"), .unit_price = dec("9") },
		{ .vat_category = "AE", .quantity = dec("1"), .unit_price = dec("5") },
		{ .has_vat_rate = true,
		  .vat_rate = dec("24"),
		  .vat_category = "S",
		  .quantity = dec("1"),
		  .unit_price = dec("10") },
		{ .has_vat_rate = true,
		  .vat_rate = dec("24.0"),
		  .quantity = dec("1"),
		  .unit_price = dec("10") },
	};
	struct invoice inv = { .rows = rows,
			       .n_rows = ARRAY_SIZE(rows),
			       .total_net = dec("46"),
			       .total_vat = dec("4.80"),
			       .total_gross = dec("50.80") };
	struct err err = ERR_INIT;
	assert_true(invoice_sum_up(&inv, arena, &err));
	assert_int_equal(inv.n_vat, 4);
	assert_string_equal(inv.vat[0].category, "AE");
	assert_true(decimal_eq(inv.vat[0].net, dec("10")));
	assert_null(inv.vat[2].category); /* a bare zero does not say why */
	assert_string_equal(inv.vat[3].category, "S");
	assert_true(decimal_eq(inv.vat[3].vat, dec("4.8")));
}

static void test_dates(void **state)
{
	(void)state;
	struct invoice_row row = { .position = 1 };
	struct invoice inv = { .number = "1",
			       .currency = "EUR",
			       .issue_date = "2026-02-28",
			       .due_date = "2026-02-30",
			       .rows = &row,
			       .n_rows = 1 };
	struct err err = ERR_INIT;
	assert_false(invoice_validate(&inv, &err));
	assert_string_equal(err.reason, "date_invalid");
	assert_string_equal(err.subject, "due date");
	inv.due_date = "2026-03-01";
	assert_true(invoice_validate(&inv, &err));
}

static void test_hash_SV_05(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	struct invoice a = { .number = "1", .status_id = "x" }, b = a;
	b.status_id = "y"; /* a status is no content */
	assert_string_equal(invoice_content_hash(&a, arena), invoice_content_hash(&b, arena));
	b.your_reference = "PO";
	assert_string_not_equal(invoice_content_hash(&a, arena), invoice_content_hash(&b, arena));
	b = a;
	b.delivery_date = "2026-01-01";
	assert_string_not_equal(invoice_content_hash(&a, arena), invoice_content_hash(&b, arena));
}

static void test_reasons_OP_05(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	for (const struct reason *r = reasons; r->code; r++) {
		assert_ptr_equal(reason_find(r->code), r);
		assert_true(r->actor && r->en && r->fi && r->nb);
		bool has = strstr(r->en, "{subject}") != NULL;
		assert_int_equal(has, strstr(r->fi, "{subject}") != NULL);
		assert_int_equal(has, strstr(r->nb, "{subject}") != NULL);
	}
	struct strbuf sb = STRBUF_INIT(arena, 1000);
	reason_sentence(reason_find("rows_missing"), "fi", "104", &sb);
	assert_true(span_is(strbuf_span(&sb), "Laskulla 104 ei ole rivejä."));
	strbuf_clear(&sb);
	reason_sentence(reason_find("vat_rate_missing"), "fi", "row 2", &sb);
	assert_true(span_is(strbuf_span(&sb), "Arvonlisäverokanta puuttuu: rivi 2."));
	strbuf_clear(&sb);
	reason_sentence(reason_find("sum_mismatch"), "nb", "total: 1.00 / 2.00", &sb);
	assert_non_null(strstr(strbuf_span(&sb).p, "(totalsum: 1.00 / 2.00)"));
	strbuf_clear(&sb);
	reason_sentence(reason_find("rows_missing"), "fi", "rowing 2", &sb); /* a name stays */
	assert_true(span_is(strbuf_span(&sb), "Laskulla rowing 2 ei ole rivejä."));
	assert_null(reason_find("none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_within_a_cent_per_row_and_rate),
		cmocka_unit_test(test_discounts_MV_13),
		cmocka_unit_test(test_vat_categories_MV_13),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_hash_SV_05),
		cmocka_unit_test(test_reasons_OP_05),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
