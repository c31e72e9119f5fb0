/*
 * test_peppol_refusals.c: what Peppol BIS Billing 3 cannot tell is refused by name before anything
 * is sent. What only Finvoice limits is in test_finvoice.c.
 */
#include "base/base.h"

#include "einvoice_fixture.h"

/* Each changes the plain Finnish invoice so that it cannot be told. */
static void no_number(struct fixture *f)
{
	f->inv.number = NULL;
}
static void no_due_date(struct fixture *f)
{
	f->inv.due_date = NULL;
}
static void delivered_in_february_31(struct fixture *f)
{
	f->inv.delivery_date = "2026-02-31";
}
static void period_backwards(struct fixture *f)
{
	f->inv.delivery_date = NULL;
	f->inv.period_start = "2026-09-01";
	f->inv.period_end = "2026-08-01";
}
static void unknown_currency(struct fixture *f)
{
	f->inv.currency = "ZZZ";
}
static void foreign_currency_alone(struct fixture *f)
{
	f->inv.currency = "SEK";
}
static void no_seller_name(struct fixture *f)
{
	f->inv.seller.name = " ";
}
static void no_buyer_name(struct fixture *f)
{
	f->inv.buyer.name = NULL;
}
static void no_buyer_country(struct fixture *f)
{
	f->inv.buyer.address.country_code = NULL;
}
static void unknown_country(struct fixture *f)
{
	f->inv.seller.address.country_code = "XX";
}
static void nine_street_lines(struct fixture *f)
{
	f->inv.buyer.address.street = "1\n2\n3\n4\n5\n6\n7\n8\n9";
}
static void no_seller_vat(struct fixture *f)
{
	f->inv.seller.vat_number = NULL;
}
static void wrong_seller_vat(struct fixture *f)
{
	f->inv.seller.vat_number = "FI76543213";
}
static void wrong_buyer_vat(struct fixture *f)
{
	f->inv.buyer.vat_number = "FI23456781";
}
static void wrong_norwegian_vat_abroad(struct fixture *f)
{
	f->inv.buyer.address.country_code = "SE";
	f->inv.buyer.vat_number = "NO987654326MVA";
}
static void no_buyer_address(struct fixture *f)
{
	f->inv.buyer.einvoice_address = NULL;
}
static void buyer_behind_a_bank(struct fixture *f)
{
	f->inv.buyer.einvoice_address = "FI2112345600000785";
}
static void no_buyer_reference(struct fixture *f)
{
	f->inv.your_reference = "\t";
}
static void no_account(struct fixture *f)
{
	f->inv.n_accounts = 0;
}
static void wrong_account(struct fixture *f)
{
	f->accounts[0].number = "FI2757800750155448";
}
static void national_account_in_finland(struct fixture *f)
{
	f->accounts[0].number = "123456-785";
}
static void wrong_bic(struct fixture *f)
{
	f->accounts[0].bic = "NDEA";
}
static void wrong_reference(struct fixture *f)
{
	f->inv.reference = "20260012";
}
static void direct_debit(struct fixture *f)
{
	f->inv.payment_means = "59";
}
static void nameless_row(struct fixture *f)
{
	f->rows[0].name = f->rows[0].description = " \n";
}
static void zero_without_category(struct fixture *f)
{
	f->rows[0].vat_rate = DECIMAL_ZERO;
}
static void all_rows_without_amount(struct fixture *f)
{
	f->rows[0].has_vat_rate = false;
	f->rows[0].vat_rate = f->rows[0].quantity = DECIMAL_ZERO;
}
static void exempt_at_a_rate(struct fixture *f)
{
	f->rows[0].vat_category = "E";
}
static void standard_at_zero(struct fixture *f)
{
	f->rows[0].vat_rate = DECIMAL_ZERO;
	f->rows[0].vat_category = "S";
}
static void split_payment(struct fixture *f)
{
	f->rows[0].vat_rate = DECIMAL_ZERO;
	f->rows[0].vat_category = "B";
}
static void exempt_without_reason(struct fixture *f)
{
	f->rows[0].vat_rate = DECIMAL_ZERO;
	f->rows[0].vat_category = "E";
}
static void reason_of_another_category(struct fixture *f)
{
	exempt_without_reason(f);
	f->rows[0].vat_exemption_code = "VATEX-EU-AE";
}
static void unknown_reason(struct fixture *f)
{
	exempt_without_reason(f);
	f->rows[0].vat_exemption_code = "VATEX-EU-999";
}
static void outside_scope_beside_others(struct fixture *f)
{
	fixture_row(f, "1", "5", NULL, "O");
}
static void reverse_charge_to_nobody(struct fixture *f)
{
	f->rows[0].vat_rate = DECIMAL_ZERO;
	f->rows[0].vat_category = "AE";
	f->inv.buyer.vat_number = NULL;
}
static void intra_eu_without_buyer_vat(struct fixture *f)
{
	reverse_charge_to_nobody(f);
	f->rows[0].vat_category = "K";
}
static void intra_eu_without_delivery(struct fixture *f)
{
	f->rows[0].vat_rate = DECIMAL_ZERO;
	f->rows[0].vat_category = "K";
	f->inv.delivery_date = NULL;
}
static void old_rate(struct fixture *f)
{
	f->rows[0].vat_rate = dec("24");
}
static void old_rate_without_delivery_date(struct fixture *f)
{
	f->inv.delivery_date = NULL;
	f->rows[0].vat_rate = dec("24");
}
static void outside_scope_without_register_number(struct fixture *f)
{
	f->inv.seller.address.country_code = "DE";
	f->inv.seller.vat_number = "DE123456789";
	f->rows[0].vat_rate = DECIMAL_ZERO;
	f->rows[0].vat_category = "O";
}
static void control_character(struct fixture *f)
{
	f->inv.text_before = "a\x01";
}
static void broken_utf8(struct fixture *f)
{
	f->rows[0].description = "a\xC3";
}

static const struct fixture_refusal refusals[] = {
	{ "number_missing", no_number },
	{ "date_missing", no_due_date },
	{ "date_invalid", delivered_in_february_31 },
	{ "date_invalid", period_backwards },
	{ "currency_invalid", unknown_currency },
	{ "vat_accounting_missing", foreign_currency_alone },
	{ "name_missing", no_seller_name },
	{ "name_missing", no_buyer_name },
	{ "country_unknown", no_buyer_country },
	{ "country_unknown", unknown_country },
	{ "field_too_long", nine_street_lines },
	{ "vat_number_missing", no_seller_vat },
	{ "vat_number_invalid", wrong_seller_vat },
	{ "vat_number_invalid", wrong_buyer_vat },
	{ "vat_number_invalid", wrong_norwegian_vat_abroad },
	{ "einvoice_address_missing", no_buyer_address },
	{ "einvoice_address_invalid", buyer_behind_a_bank },
	{ "buyer_reference_missing", no_buyer_reference },
	{ "bank_account_missing", no_account },
	{ "bank_account_invalid", wrong_account },
	{ "bank_account_invalid", national_account_in_finland },
	{ "bank_account_invalid", wrong_bic },
	{ "reference_invalid", wrong_reference },
	{ "payment_means_unknown", direct_debit },
	{ "row_text_missing", nameless_row },
	{ "vat_category_missing", zero_without_category },
	{ "vat_category_missing", all_rows_without_amount },
	{ "vat_category_mismatch", exempt_at_a_rate },
	{ "vat_category_mismatch", standard_at_zero },
	{ "vat_category_mismatch", split_payment },
	{ "vat_reason_missing", exempt_without_reason },
	{ "vat_reason_invalid", reason_of_another_category },
	{ "vat_reason_invalid", unknown_reason },
	{ "vat_category_mixed", outside_scope_beside_others },
	{ "vat_number_missing", reverse_charge_to_nobody },
	{ "vat_number_missing", intra_eu_without_buyer_vat },
	{ "delivery_missing", intra_eu_without_delivery },
	{ "vat_rate_not_in_force", old_rate },
	{ "vat_rate_not_in_force", old_rate_without_delivery_date },
	{ "vat_number_missing", outside_scope_without_register_number },
	{ "char_not_allowed", control_character },
	{ "char_not_allowed", broken_utf8 },
};

static void test_what_cannot_be_told_is_named_MV_13(void **state)
{
	(void)state;
	assert_refused(refusals, ARRAY_SIZE(refusals), fixture_peppol);
}

static void test_a_sum_that_the_rows_do_not_make_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	assert_true(fixture_peppol(&f));
	f.inv.rounding = dec("0.01"); /* not what the totals say */
	assert_false(peppol_write(&f.inv, &f.peppol, f.arena, &f.document, &f.err));
	assert_string_equal(f.err.reason, "sum_mismatch");
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_cannot_be_told_is_named_MV_13),
		cmocka_unit_test(test_a_sum_that_the_rows_do_not_make_MV_13),
	};
	xml_global_init();
	int failed = cmocka_run_group_tests_name("peppol_refusals", tests, NULL, NULL);
	xml_global_release();
	return failed;
}
