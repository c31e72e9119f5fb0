/*
 * test_peppol.c: Peppol BIS Billing 3 by rule: what each piece of an invoice becomes. What is
 * refused stands in test_peppol_refusals.c; the official rules judge whole documents in
 * tests/einvoice.
 */
#include "base/base.h"

#include "einvoice_fixture.h"

/* ---- parties and references ---------------------------------------------------------------- */

#define SUPPLIER "AccountingSupplierParty/Party/"
#define CUSTOMER "AccountingCustomerParty/Party/"

static void test_finnish_parties_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.customer_number = "1001";
	f.inv.buyer.address.street = "c/o Toimisto\nKatu 1\nB-rappu\n3. kerros";
	assert_true(fixture_peppol(&f));
	assert_at(&f, SUPPLIER "EndpointID", "003776543212"); /* by the business id */
	assert_attr(&f, SUPPLIER "EndpointID", "schemeID", "0216");
	assert_at(&f, SUPPLIER "PartyTaxScheme/CompanyID", "FI76543212");
	assert_at(&f, SUPPLIER "PartyLegalEntity/CompanyID", "7654321-2");
	assert_attr(&f, SUPPLIER "PartyLegalEntity/CompanyID", "schemeID", "0212");
	assert_at(&f, CUSTOMER "EndpointID", "003723456780");
	assert_at(&f, CUSTOMER "PartyIdentification/ID", "1001");
	assert_at(&f, CUSTOMER "PartyLegalEntity/RegistrationName", "Ostaja & Pojat Oy");
	assert_at(&f, CUSTOMER "PostalAddress/StreetName", "c/o Toimisto");
	assert_at(&f, CUSTOMER "PostalAddress/AdditionalStreetName", "Katu 1");
	assert_at(&f, CUSTOMER "PostalAddress/AddressLine/Line", "B-rappu, 3. kerros");
	assert_at(&f, "PaymentMeans/PaymentMeansCode", "58");
	assert_at(&f, "PaymentMeans/PaymentID", "20260011");
	assert_at(&f, "PaymentMeans/PayeeFinancialAccount/ID", "FI2112345600000785");
	assert_at(&f, "PaymentTerms/Note", "14 päivää netto");
	assert_false(fixture_says(&f, "Foretaksregisteret"));
	fixture_release(&f);
}

static void test_norwegian_parties_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_norwegian(&f);
	assert_true(fixture_peppol(&f));
	assert_at(&f, SUPPLIER "EndpointID", "123456785");
	assert_attr(&f, SUPPLIER "EndpointID", "schemeID", "0192");
	assert_at(&f, SUPPLIER "PartyTaxScheme/CompanyID", "NO123456785MVA");
	assert_true(fixture_says(&f, ">Foretaksregisteret</cbc:CompanyID><cac:TaxScheme>"
				     "<cbc:ID>TAX</cbc:ID>")); /* NO-R-002 */
	assert_at(&f, "PaymentMeans/PaymentMeansCode", "30");
	assert_at(&f, "PaymentMeans/PaymentID", "202600012340"); /* the KID */
	assert_at(&f, "PaymentMeans/PayeeFinancialAccount/ID", "12345678903");
	f.peppol.not_in_company_register = true;
	assert_true(fixture_peppol(&f));
	assert_false(fixture_says(&f, "Foretaksregisteret"));
	f.peppol.kid_mod11 = true; /* the same number has another check digit there */
	assert_false(fixture_peppol(&f));
	assert_string_equal(f.err.reason, "reference_invalid");
	fixture_release(&f);
}

static void test_addresses_of_buyers_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *country, *vat, *address, *scheme, *id;
	} cases[] = { { "FI", "FI23456780", NULL, "0216", "003723456780" },
		      { "NO", "NO987654325MVA", NULL, "0192", "987654325" },
		      { "SE", "SE556036079301", NULL, "0007", "5560360793" },
		      { "FI", "FI23456780", "0216:003723456780ABC", "0216", "003723456780ABC" },
		      { "DE", "DE123456789", "9930:DE123456789", "9930", "DE123456789" } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		fixture_finnish(&f);
		f.peppol.address_by_register = true;
		f.inv.buyer.address.country_code = cases[i].country;
		f.inv.buyer.vat_number = cases[i].vat;
		f.inv.buyer.einvoice_address = cases[i].address;
		assert_true(fixture_peppol(&f));
		assert_at(&f, CUSTOMER "EndpointID", cases[i].id);
		assert_attr(&f, CUSTOMER "EndpointID", "schemeID", cases[i].scheme);
		fixture_release(&f);
	}
}

static void test_numbers_that_are_no_vat_numbers_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *country, *given, *vat, *legal, *scheme;
	} cases[] = { { "FI", "2345678-0", NULL, "2345678-0", "0212" },
		      { "US", "12-3456789", NULL, "12-3456789", NULL },
		      { "GB", "GB123456789", "GB123456789", NULL, NULL },
		      { "SE", "556036-0793", NULL, "5560360793", "0007" } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		fixture_finnish(&f);
		f.inv.buyer.address.country_code = cases[i].country;
		f.inv.buyer.vat_number = cases[i].given;
		assert_true(fixture_peppol(&f));
		assert_at(&f, CUSTOMER "PartyTaxScheme/CompanyID", cases[i].vat);
		assert_at(&f, CUSTOMER "PartyLegalEntity/CompanyID", cases[i].legal);
		if (cases[i].legal)
			assert_attr(&f, CUSTOMER "PartyLegalEntity/CompanyID", "schemeID",
				    cases[i].scheme);
		fixture_release(&f);
	}
}

static void test_references_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.order_number = "PO-4711";
	f.inv.our_reference = "Maija";
	f.inv.contract_number = "SOP-9";
	f.inv.project_number = "P-100";
	f.inv.text_before = "Ennen";
	f.inv.text_after = " Jälkeen\n";
	assert_true(fixture_peppol(&f));
	assert_at(&f, "BuyerReference", "OSTAJAN-VIITE-7");
	assert_at(&f, "OrderReference/ID", "PO-4711");
	assert_at(&f, "OrderReference/SalesOrderID", "Maija");
	assert_at(&f, "ContractDocumentReference/ID", "SOP-9");
	assert_at(&f, "ProjectReference/ID", "P-100");
	assert_at(&f, "Note", "Ennen\nJälkeen");
	f.inv.your_reference = NULL; /* the order number is enough (R003) */
	assert_true(fixture_peppol(&f));
	assert_at(&f, "BuyerReference", NULL);
	f.inv.order_number = NULL;
	f.peppol.buyer_reference = "Ei viitettä";
	assert_true(fixture_peppol(&f));
	assert_at(&f, "BuyerReference", "Ei viitettä");
	assert_at(&f, "OrderReference/ID", "NA");
	fixture_release(&f);
}

/* ---- amounts ------------------------------------------------------------------------------- */

static void test_credit_note_is_positive_MV_13(void **state)
{
	(void)state;
	for (int sign = -1; sign <= 1; sign += 2) { /* as the source may have it */
		struct fixture f;
		fixture_finnish(&f);
		f.inv.is_credit_note = true;
		f.inv.preceding_number = "2026-0999";
		f.inv.preceding_date = "2026-08-01";
		f.inv.project_number = "P-100";
		f.rows[0].quantity = decimal_of(10 * sign);
		assert_true(fixture_peppol(&f));
		assert_string_equal(xml_name(f.root), "CreditNote");
		assert_at(&f, "CreditNoteTypeCode", "381");
		assert_at(&f, "DueDate", NULL);
		assert_at(&f, "PaymentMeans/PaymentDueDate", "2026-09-15");
		assert_at(&f, "BillingReference/InvoiceDocumentReference/ID", "2026-0999");
		assert_at(&f, "BillingReference/InvoiceDocumentReference/IssueDate", "2026-08-01");
		assert_at(&f, "AdditionalDocumentReference/DocumentTypeCode", "50");
		assert_at(&f, "CreditNoteLine/CreditedQuantity", "10");
		assert_at(&f, "CreditNoteLine/LineExtensionAmount", "950.00");
		assert_at(&f, "TaxTotal/TaxAmount", "242.25");
		assert_at(&f, "LegalMonetaryTotal/PayableAmount", "1192.25");
		fixture_release(&f);
	}
}

static void test_prices_quantities_and_discounts_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.rows[0].quantity = dec("2.125");
	f.rows[0].unit_price = dec("-33.3333"); /* BR-27: the minus goes to the quantity */
	struct invoice_row *row = fixture_row(&f, "4", "50", "13.5", NULL);
	row->discount_percent = dec("12.5");
	row->discount_reason = "Kanta-asiakas";
	row = fixture_row(&f, "1", "10", "10", NULL);
	row->discount_amount = dec("1.5");
	assert_true(fixture_peppol(&f));
	assert_at(&f, "InvoiceLine/InvoicedQuantity", "-2.125");
	assert_at(&f, "InvoiceLine/Price/PriceAmount", "33.3333");
	assert_at(&f, "InvoiceLine/LineExtensionAmount", "-70.83");
	assert_true(fixture_says(&f, "<cbc:MultiplierFactorNumeric>12.5<"));
	assert_true(fixture_says(&f, "<cbc:Amount currencyID=\"EUR\">25.00<"));
	assert_true(fixture_says(&f, "<cbc:BaseAmount currencyID=\"EUR\">200.00<"));
	assert_true(fixture_says(&f, ">Kanta-asiakas<"));
	assert_true(fixture_says(&f, ">Alennus</cbc:AllowanceChargeReason><cbc:Amount "
				     "currencyID=\"EUR\">1.50</cbc:Amount></cac:")); /* R042 */
	fixture_release(&f);
}

static void test_rounding_is_carried_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.total_net = dec("950.00");
	f.inv.total_vat = dec("242.25");
	f.inv.total_gross = dec("1192.27");
	assert_true(fixture_peppol(&f));
	assert_at(&f, "LegalMonetaryTotal/TaxInclusiveAmount", "1192.25");
	assert_at(&f, "LegalMonetaryTotal/PayableRoundingAmount", "0.02");
	assert_at(&f, "LegalMonetaryTotal/PayableAmount", "1192.27");
	fixture_release(&f);
}

static void test_accounting_currency_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.currency = "SEK";
	f.inv.has_vat_accounting = true;
	f.inv.total_vat_accounting = dec("21.50");
	assert_true(fixture_peppol(&f));
	assert_at(&f, "TaxCurrencyCode", "EUR");
	assert_true(fixture_says(&f, "<cac:TaxTotal><cbc:TaxAmount currencyID=\"EUR\">21.50<"));
	assert_at(&f, "PaymentMeans/PaymentMeansCode", "30"); /* SEPA is for euros */
	fixture_release(&f);
}

/* ---- VAT ----------------------------------------------------------------------------------- */

static void test_categories_and_reasons_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *category, *country, *code, *reason;
	} cases[] = { { "AE", "SE", "VATEX-EU-AE", "Reverse charge" },
		      { "K", "SE", "VATEX-EU-IC", "Intra-Community supply" },
		      { "G", "US", "VATEX-EU-G", "Export outside the EU" },
		      { "O", "FI", "VATEX-EU-O", "Not subject to VAT" },
		      { "Z", "FI", NULL, NULL } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		fixture_finnish(&f);
		f.rows[0].vat_rate = DECIMAL_ZERO;
		f.rows[0].vat_category = cases[i].category;
		f.inv.buyer.address.country_code = cases[i].country;
		if (strcmp(cases[i].country, "SE") == 0)
			f.inv.buyer.vat_number = "SE556036079301";
		assert_true(fixture_peppol(&f));
		assert_at(&f, "TaxTotal/TaxSubtotal/TaxCategory/ID", cases[i].category);
		assert_at(&f, "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReasonCode",
			  cases[i].code);
		assert_at(&f, "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason",
			  cases[i].reason);
		bool is_outside = strcmp(cases[i].category, "O") == 0;
		assert_at(&f, "TaxTotal/TaxSubtotal/TaxCategory/Percent", is_outside ? NULL : "0");
		assert_at(&f, SUPPLIER "PartyTaxScheme/CompanyID",
			  is_outside ? NULL : "FI76543212"); /* BR-O-02 */
		bool is_intra_eu = strcmp(cases[i].category, "K") == 0;
		assert_at(&f, "Delivery/DeliveryLocation/Address/Country/IdentificationCode",
			  is_intra_eu ? "SE" : NULL); /* BR-IC-12 */
		fixture_release(&f);
	}
}

static void test_reasons_of_several_rows_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.rows[0].vat_rate = DECIMAL_ZERO;
	f.rows[0].vat_category = "E";
	f.rows[0].vat_exemption_code = "VATEX-EU-132-1I";
	f.rows[0].vat_exemption_reason = "Koulutus";
	struct invoice_row *row = fixture_row(&f, "1", "5", "0", "E");
	row->vat_exemption_code = "VATEX-EU-135-1";
	row = fixture_row(&f, "1", "5", "0", "Z");
	row->vat_exemption_reason = "Nollakannan peruste";
	assert_true(fixture_peppol(&f));
	assert_at(&f, "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReasonCode", "VATEX-EU-132-1I");
	assert_at(&f, "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason",
		  "Koulutus; VATEX-EU-135-1");
	assert_at(&f, "Note", "Nollakannan peruste"); /* BR-Z-10: it has no other place */
	fixture_release(&f);
}

/* A row of text alone needs no rate of its own. */
static void test_rows_of_text_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	fixture_row(&f, "0", "0", NULL, NULL);
	assert_true(fixture_peppol(&f));
	const struct xml *line = xml_next(xml_child(f.root, "InvoiceLine"), "InvoiceLine");
	assert_string_equal(xml_text_at(line, "Item/ClassifiedTaxCategory/ID"), "S");
	assert_string_equal(xml_text_at(line, "Item/ClassifiedTaxCategory/Percent"), "25.5");
	fixture_release(&f);
}

/* The rate of the delivery's day counts, not the invoice's; abroad another country's may apply. */
static void test_rates_of_the_delivery_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *issued, *delivered, *rate, *country;
		bool is_credit, ok;
	} cases[] = { { "2024-09-05", "2024-08-31", "24", "FI", false, true },
		      { "2024-09-05", "2024-09-01", "24", "FI", false, false },
		      { "2024-09-05", NULL, "24", "FI", false, true },
		      { "2026-09-05", NULL, "14", "FI", false, true }, /* work of last year */
		      { "2027-02-05", NULL, "14", "FI", false, false },
		      { "2026-09-05", NULL, "24", "FI", true, true }, /* the original's rate */
		      { "2026-09-05", NULL, "23.7", "FI", true, false },
		      { "2026-09-05", "2026-09-01", "25", "SE", false, true } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		fixture_finnish(&f);
		f.inv.is_credit_note = cases[i].is_credit;
		f.inv.issue_date = cases[i].issued;
		f.inv.delivery_date = cases[i].delivered;
		f.rows[0].vat_rate = dec(cases[i].rate);
		f.inv.buyer.address.country_code = cases[i].country;
		if (fixture_peppol(&f) != cases[i].ok)
			fail_msg("case %zu: %s", i, f.err.message);
		fixture_release(&f);
	}
}

/* ---- rows, attachments --------------------------------------------------------------------- */

static void test_units_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.rows[0].unit = "erä";
	assert_true(fixture_peppol(&f));
	assert_attr(&f, "InvoiceLine/InvoicedQuantity", "unitCode", "ZZ");
	assert_at(&f, "InvoiceLine/Item/AdditionalItemProperty/Value", "erä");
	f.rows[0].unit = NULL;
	assert_true(fixture_peppol(&f));
	assert_attr(&f, "InvoiceLine/InvoicedQuantity", "unitCode", "C62");
	assert_at(&f, "InvoiceLine/Item/AdditionalItemProperty/Value", NULL);
	fixture_release(&f);
}

static void test_names_and_codes_of_rows_MV_13(void **state)
{
	(void)state;
	static const char *const codes[] = { "KONS", "MUU" };
	struct fixture f;
	fixture_finnish(&f);
	f.rows[0].name = NULL;
	f.rows[0].description = "Suunnittelu\nTammikuu  2026\n";
	f.rows[0].codes = codes;
	f.rows[0].n_codes = 1;
	assert_true(fixture_peppol(&f));
	assert_at(&f, "InvoiceLine/Item/Name", "Suunnittelu");
	assert_at(&f, "InvoiceLine/Item/Description", "Suunnittelu\nTammikuu  2026");
	assert_at(&f, "InvoiceLine/Item/SellersItemIdentification/ID", "KONS");
	f.rows[0].n_codes = 2; /* which of them cannot be told */
	assert_true(fixture_peppol(&f));
	assert_at(&f, "InvoiceLine/Item/SellersItemIdentification/ID", NULL);
	f.rows[0].product_code = "VALITTU";
	f.rows[0].description = NULL;
	assert_true(fixture_peppol(&f));
	assert_at(&f, "InvoiceLine/Item/Name", "VALITTU");
	fixture_release(&f);
}

static void test_attachments_MV_13(void **state)
{
	(void)state;
	static const struct attachment pdf = { .name = "erittely ä.pdf",
					       .mime_type = "application/pdf",
					       .data = { "%PDF", 4 } };
	static const struct attachment other = { .name = "a.doc",
						 .mime_type = "application/msword",
						 .data = { "x", 1 } };
	struct attachment large = pdf;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.attachments = &pdf;
	f.inv.n_attachments = 1;
	assert_true(fixture_peppol(&f)); /* beside the document, by default */
	assert_at(&f, "AdditionalDocumentReference/ID", NULL);
	f.peppol.embed_attachments = true;
	assert_true(fixture_peppol(&f));
	static const char object[] =
		"AdditionalDocumentReference/Attachment/EmbeddedDocumentBinaryObject";
	assert_at(&f, object, "JVBERg==");
	assert_attr(&f, object, "mimeCode", "application/pdf");
	assert_attr(&f, object, "filename", "erittely ä.pdf");
	f.inv.attachments = &other;
	assert_false(fixture_peppol(&f));
	assert_string_equal(f.err.reason, "attachment_type");
	large.data.n = (size_t)10 * 1024 * 1024 + 1; /* never read */
	f.inv.attachments = &large;
	assert_false(fixture_peppol(&f));
	assert_string_equal(f.err.reason, "attachment_too_large");
	fixture_release(&f);
}

/* However small the arena, the answer is ERR_LIMIT, and never another reason. */
static void test_each_arena_cap_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.text_before = "a\tb";
	f.inv.overdue_interest = dec("8.5");
	f.inv.has_overdue_interest = true;
	assert_true(fixture_peppol(&f));
	bool ok = false;
	for (size_t cap = 1; !ok; cap += 64) {
		CLEANUP(arena_free) struct arena *small = arena_new(cap);
		struct span document;
		struct err err = ERR_INIT;
		ok = peppol_write(&f.inv, &f.peppol, small, &document, &err);
		if (ok)
			assert_true(span_eq(document, f.document));
		else if (err.code != ERR_LIMIT)
			fail_msg("cap %zu: %s", cap, err.message);
	}
	fixture_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finnish_parties_MV_13),
		cmocka_unit_test(test_norwegian_parties_MV_13),
		cmocka_unit_test(test_addresses_of_buyers_MV_13),
		cmocka_unit_test(test_numbers_that_are_no_vat_numbers_MV_13),
		cmocka_unit_test(test_references_MV_13),
		cmocka_unit_test(test_credit_note_is_positive_MV_13),
		cmocka_unit_test(test_prices_quantities_and_discounts_MV_13),
		cmocka_unit_test(test_rounding_is_carried_MV_13),
		cmocka_unit_test(test_accounting_currency_MV_13),
		cmocka_unit_test(test_categories_and_reasons_MV_13),
		cmocka_unit_test(test_reasons_of_several_rows_MV_13),
		cmocka_unit_test(test_rows_of_text_MV_13),
		cmocka_unit_test(test_rates_of_the_delivery_MV_13),
		cmocka_unit_test(test_units_MV_13),
		cmocka_unit_test(test_names_and_codes_of_rows_MV_13),
		cmocka_unit_test(test_attachments_MV_13),
		cmocka_unit_test(test_each_arena_cap_MV_13),
	};
	xml_global_init();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_release();
	return failed;
}
