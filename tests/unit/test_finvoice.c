/*
 * test_finvoice.c: Finvoice 3.0 by rule: routing and envelope, lengths, signs, payment details, and
 * what is refused by name. What both formats share is tested in test_peppol.c; schema and sums of
 * whole documents in tests/einvoice.
 */
#include "base/base.h"

#include "einvoice_fixture.h"

static const char text_300[] =
	"Lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt "
	"ut "
	"labore et dolore magna aliqua Ut enim ad minim veniam quis nostrud exercitation ullamco "
	"laboris nisi ut aliquip ex ea commodo consequat Duis aute irure dolor in reprehenderit in "
	"voluptate velit esse cillum";

/* ---- refusals ------------------------------------------------------------------------------ */

static void long_number(struct fixture *f)
{
	f->inv.number = "123456789012345678901";
}
static void long_reference(struct fixture *f)
{
	f->inv.your_reference = text_300;
}
static void long_street(struct fixture *f)
{
	f->inv.buyer.address.street = text_300;
}
static void town_of_one_letter(struct fixture *f)
{
	f->inv.buyer.address.city = "Å";
}
static void half_an_address(struct fixture *f)
{
	f->inv.buyer.address.street = NULL;
}
static void name_of_one_letter(struct fixture *f)
{
	f->inv.buyer.name = "A";
}
static void credit_note_without_account(struct fixture *f)
{
	f->inv.is_credit_note = true;
	f->inv.n_accounts = 0;
}
static void consumer_without_reference(struct fixture *f)
{
	f->inv.buyer.is_private = true;
	f->inv.reference = NULL;
}
static void long_quantity(struct fixture *f)
{
	f->rows[0].quantity = dec("1.00000000000001");
}
static void huge_amount(struct fixture *f)
{
	f->rows[0].unit_price = dec("999999999999999");
}
static void precise_interest(struct fixture *f)
{
	f->inv.has_overdue_interest = true;
	f->inv.overdue_interest = dec("8.1234");
}
static void operator_with_a_blank(struct fixture *f)
{
	f->inv.buyer.einvoice_operator = "BAWC FI22";
}
static void address_of_other_letters(struct fixture *f)
{
	f->inv.buyer.einvoice_address = "öljy";
}
static void frame_without_operator(struct fixture *f)
{
	f->finvoice.soap_frame = true;
	f->inv.buyer.einvoice_operator = NULL;
}
static void frame_without_address(struct fixture *f)
{
	f->finvoice.soap_frame = true;
	f->inv.buyer.einvoice_address = NULL;
}
static void en_without_operator(struct fixture *f)
{
	f->finvoice.en16931 = true;
	f->inv.seller.einvoice_operator = NULL;
}
static void long_delivery_name(struct fixture *f)
{
	f->inv.delivery_name = text_300;
}

static const struct fixture_refusal refusals[] = {
	{ "field_too_long", long_number },
	{ "field_too_long", long_reference },
	{ "field_too_long", long_street },
	{ "field_too_short", town_of_one_letter },
	{ "address_incomplete", half_an_address },
	{ "field_too_short", name_of_one_letter },
	{ "bank_account_missing", credit_note_without_account },
	{ "reference_missing", consumer_without_reference },
	{ "amount_too_large", long_quantity },
	{ "amount_too_large", huge_amount },
	{ "number_too_precise", precise_interest },
	{ "operator_invalid", operator_with_a_blank },
	{ "einvoice_address_invalid", address_of_other_letters },
	{ "operator_missing", frame_without_operator },
	{ "einvoice_address_missing", frame_without_address },
	{ "operator_missing", en_without_operator },
	{ "field_too_long", long_delivery_name },
};

static void test_what_cannot_be_told_is_named_MV_13(void **state)
{
	(void)state;
	assert_refused(refusals, ARRAY_SIZE(refusals), fixture_finvoice);
}

/* What the caller hands in is no fault of the document's. */
static void test_unfit_message_is_our_fault_MV_13(void **state)
{
	(void)state;
	static const struct finvoice_options unfit[] = {
		{ .message_id = "1", .time_stamp = "2026-09-01T10:15:00Z" },
		{ .message_id = "äö", .time_stamp = "2026-09-01T10:15:00Z" },
		{ .message_id = "msg", .time_stamp = "yesterday" },
		{ .message_id = "msg", .time_stamp = "2026-09-01T10:15:00.123456+03:00" },
		{ .message_id = "msg" },
		{ .soap_frame = true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++) {
		struct fixture f;
		fixture_finnish(&f);
		f.finvoice = unfit[i];
		assert_false(fixture_finvoice(&f));
		assert_int_equal(f.err.code, ERR_SYSTEM);
		fixture_release(&f);
	}
}

/* ---- routing ------------------------------------------------------------------------------- */

#define FROM "MessageTransmissionDetails/MessageSenderDetails/"
#define TO "MessageTransmissionDetails/MessageReceiverDetails/"

static void test_routing_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.finvoice.en16931 = true;
	assert_true(fixture_finvoice(&f));
	assert_at(&f, FROM "FromIdentifier", "003776543212");
	assert_attr(&f, FROM "FromIdentifier", "SchemeID", "0216");
	assert_at(&f, FROM "FromIntermediator", "003721291126");
	assert_at(&f, TO "ToIdentifier", "003723456780");
	assert_at(&f, TO "ToIntermediator", "BAWCFI22");
	assert_at(&f, "MessageTransmissionDetails/MessageDetails/MessageIdentifier", "msg-1");
	assert_at(&f, "MessageTransmissionDetails/MessageDetails/SpecificationIdentifier",
		  "EN16931");
	assert_at(&f, "SellerOrganisationUnitNumber", "003776543212");
	assert_false(fixture_says(&f, "Envelope"));
	f.inv.buyer.einvoice_address = "FI21 1234 5600 0007 85"; /* a bank's customer */
	f.inv.buyer.einvoice_operator = "NDEAFIHH";
	assert_true(fixture_finvoice(&f));
	assert_at(&f, TO "ToIdentifier", "FI2112345600000785");
	assert_attr(&f, TO "ToIdentifier", "SchemeID", NULL);
	f.inv.buyer.einvoice_address = "agreed-id.7"; /* as it was agreed */
	assert_true(fixture_finvoice(&f));
	assert_at(&f, TO "ToIdentifier", "agreed-id.7");
	fixture_release(&f);
}

/* A wrong operator spoils the routing: without a known one the document leaves it to the network.
 */
static void test_unknown_operator_leaves_routing_out_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.buyer.einvoice_operator = NULL;
	assert_true(fixture_finvoice(&f));
	assert_at(&f, "MessageTransmissionDetails", NULL);
	f.inv.buyer.einvoice_address = NULL;
	f.finvoice.en16931 = true; /* nowhere to say it, and nobody on the way to check it */
	assert_true(fixture_finvoice(&f));
	assert_at(&f, "MessageTransmissionDetails", NULL);
	fixture_release(&f);
}

/* The frame says what the document says (§1.8), and each is well-formed by itself. */
static void test_frame_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.finvoice.soap_frame = true;
	assert_true(fixture_finvoice(&f));
	static const char end[] = "</SOAP-ENV:Envelope>\n";
	const char *at = memmem(f.document.p, f.document.n, end, sizeof(end) - 1);
	assert_non_null(at);
	struct span frame = { f.document.p, (size_t)(at - f.document.p) + sizeof(end) - 1 };
	assert_int_equal(strncmp(frame.p + frame.n, "<?xml", 5), 0);
	const struct xml *x;
	assert_true(xml_parse(f.arena, frame, frame.n, &x, &f.err));
	const struct xml *header = xml_at(x, "Header/MessageHeader");
	const struct xml *from = xml_child(header, "From"), *to = xml_child(header, "To");
	assert_string_equal(xml_text_at(from, "PartyId"), fixture_at(&f, FROM "FromIdentifier"));
	assert_string_equal(xml_text_at(from, "Role"), "Sender");
	assert_string_equal(xml_text_at(xml_next(from, "From"), "PartyId"), "003721291126");
	assert_string_equal(xml_text_at(xml_next(from, "From"), "Role"), "Intermediator");
	assert_string_equal(xml_text_at(to, "PartyId"), "003723456780");
	assert_string_equal(xml_text_at(to, "Role"), "Receiver");
	assert_string_equal(xml_text_at(xml_next(to, "To"), "PartyId"), "BAWCFI22");
	assert_string_equal(xml_text_at(header, "CPAId"), "yoursandmycpa");
	assert_string_equal(xml_text_at(header, "Service"), "Routing");
	assert_string_equal(xml_text_at(header, "Action"), "ProcessInvoice");
	assert_string_equal(xml_text_at(header, "MessageData/MessageId"), "msg-1");
	assert_string_equal(xml_text_at(header, "MessageData/Timestamp"),
			    "2026-09-01T10:15:00+03:00");
	assert_string_equal(xml_attr(xml_at(x, "Body/Manifest/Reference"), "href"), "msg-1");
	fixture_release(&f);
}

/* ---- the invoice --------------------------------------------------------------------------- */

static void test_head_and_payment_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.has_overdue_interest = true;
	f.inv.overdue_interest = dec("9.50");
	assert_true(fixture_finvoice(&f));
	assert_true(fixture_says(&f, "<?xml version=\"1.0\" encoding=\"ISO-8859-15\"?>"));
	assert_true(fixture_says(&f, "Myyj\xE4 Testi Oy"));
	assert_at(&f, "InvoiceDetails/InvoiceTypeCode", "INV01");
	assert_at(&f, "InvoiceDetails/InvoiceTypeText", "LASKU");
	assert_at(&f, "InvoiceDetails/InvoiceDate", "20260901");
	assert_at(&f, "InvoiceDetails/BuyerReferenceIdentifier", "OSTAJAN-VIITE-7");
	assert_at(&f, "InvoiceDetails/InvoiceTotalVatIncludedAmount", "1192,25");
	assert_at(&f, "InvoiceDetails/VatSpecificationDetails/VatRatePercent", "25,5");
	assert_at(&f, "InvoiceDetails/PaymentTermsDetails/PaymentTermsFreeText",
		  "14 päivää netto, Viivästyskorko 9,5 %");
	assert_at(&f,
		  "InvoiceDetails/PaymentTermsDetails/PaymentOverDueFineDetails/"
		  "PaymentOverDueFinePercent",
		  "9,5");
	assert_at(&f, "InvoiceRow/InvoicedQuantity", "10");
	assert_attr(&f, "InvoiceRow/InvoicedQuantity", "QuantityUnitCode", "h");
	assert_attr(&f, "InvoiceRow/InvoicedQuantity", "QuantityUnitCodeUN", "HUR");
	static const char epi[] = "EpiDetails/EpiPaymentInstructionDetails/";
	char path[128];
	snprintf(path, sizeof(path), "%sEpiRemittanceInfoIdentifier", epi);
	assert_at(&f, path, "20260011");
	assert_attr(&f, path, "IdentificationSchemeName", "SPY");
	snprintf(path, sizeof(path), "%sEpiCharge", epi);
	assert_at(&f, path, "SHA");
	f.inv.reference = "RF52 2026 0011";
	f.inv.buyer.address.country_code = "EE";
	f.inv.buyer.vat_number = "EE123456789";
	assert_true(fixture_finvoice(&f));
	assert_at(&f, path, "SLEV");
	snprintf(path, sizeof(path), "%sEpiRemittanceInfoIdentifier", epi);
	assert_at(&f, path, "RF5220260011");
	assert_attr(&f, path, "IdentificationSchemeName", "ISO");
	fixture_release(&f);
}

static void test_credit_note_is_negative_MV_13(void **state)
{
	(void)state;
	for (int sign = -1; sign <= 1; sign += 2) { /* as the source may have it */
		struct fixture f;
		fixture_finnish(&f);
		f.inv.is_credit_note = true;
		f.inv.preceding_number = "2026-0999";
		f.inv.preceding_date = "2026-08-01";
		f.rows[0].quantity = decimal_of(10 * sign);
		f.rows[0].discount_percent = dec("10");
		assert_true(fixture_finvoice(&f));
		assert_at(&f, "InvoiceDetails/InvoiceTypeCode", "INV02");
		assert_at(&f, "InvoiceDetails/InvoiceTypeText", "HYVITYSLASKU");
		assert_at(&f, "InvoiceDetails/OriginalInvoiceNumber", "2026-0999");
		assert_at(&f, "InvoiceDetails/OriginalInvoiceDate", "20260801");
		assert_at(&f, "InvoiceDetails/InvoiceTotalVatIncludedAmount", "-1073,03");
		assert_at(&f, "InvoiceRow/InvoicedQuantity", "-10");
		assert_at(&f, "InvoiceRow/UnitPriceAmount", "95,00");
		assert_at(&f, "InvoiceRow/RowDiscountPercent", "10");
		assert_at(&f, "InvoiceRow/RowDiscountAmount", "-95,00");
		assert_at(&f, "InvoiceRow/RowVatExcludedAmount", "-855,00");
		assert_at(&f, "EpiDetails/EpiPaymentInstructionDetails/EpiInstructedAmount",
			  "-1073,03");
		fixture_release(&f);
	}
}

/* Six decimals do not fit a price: it is told for ten pieces, exactly. */
static void test_precise_price_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.rows[0].unit_price = dec("0.123456");
	assert_true(fixture_finvoice(&f));
	assert_at(&f, "InvoiceRow/UnitPriceAmount", "1,23456");
	assert_at(&f, "InvoiceRow/UnitPriceBaseQuantity", "10");
	fixture_release(&f);
}

/* Nothing is cut off: what is too long for its place goes on in free text. */
static void test_long_texts_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	char *long_text = arena_printf(f.arena, "%s %s %s", text_300, text_300, text_300);
	f.inv.seller.name = "Erittäin Pitkän Nimen Omaava Konsultointi- ja Suunnittelutoimisto "
			    "Testinen Oy Ab";
	f.inv.payment_terms = arena_printf(f.arena, "%s ehtoloppu", text_300);
	f.inv.text_before = long_text;
	f.rows[0].name = text_300;
	f.rows[0].description = long_text;
	f.rows[0].unit = "laskutusyksikkö kuukaudessa";
	f.rows[0].vat_rate = DECIMAL_ZERO;
	f.rows[0].vat_category = "E";
	f.rows[0].vat_exemption_reason = arena_printf(f.arena, "%s perusteloppu", text_300);
	assert_true(fixture_finvoice(&f));
	const struct xml *name = xml_at(f.root, "SellerPartyDetails/SellerOrganisationName");
	assert_string_equal(xml_text(name),
			    "Erittäin Pitkän Nimen Omaava Konsultointi- ja Suunnittelutoimisto");
	assert_string_equal(xml_text(xml_next(name, "SellerOrganisationName")), "Testinen Oy Ab");
	assert_at(&f, "EpiDetails/EpiPartyDetails/EpiBeneficiaryPartyDetails/EpiNameAddressDetails",
		  "Erittäin Pitkän Nimen Omaava");
	const struct xml *row = xml_child(f.root, "InvoiceRow");
	assert_true(strlen(xml_text_at(row, "ArticleName")) <= 100);
	const char *all = xml_text_at(f.root, "InvoiceDetails");
	assert_non_null(strstr(all, "ehtoloppu"));
	assert_non_null(strstr(all, "perusteloppu"));
	size_t n_free = 0;
	const char *last = NULL;
	for (const struct xml *x = xml_child(row, "RowFreeText"); x;
	     x = xml_next(x, "RowFreeText")) {
		assert_true(strlen(xml_text(x)) <= 512);
		last = xml_text(x);
		n_free++;
	}
	assert_int_equal(n_free, 3);
	assert_string_equal(last, "laskutusyksikkö kuukaudessa");
	fixture_release(&f);
}

static void test_characters_outside_the_charset_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.rows[0].name = f.rows[0].description = "Łódź → 5 € 😀";
	assert_true(fixture_finvoice(&f));
	assert_at(&f, "InvoiceRow/ArticleName", "Łódź → 5 € 😀");
	assert_true(fixture_says(&f, "&#321;\xF3"
				     "d&#378; &#8594; 5 \xA4 &#128512;"));
	fixture_release(&f);
}

static void test_delivery_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.inv.delivery_name = "Rakennustyömaa 12";
	assert_true(fixture_finvoice(&f));
	assert_at(&f, "DeliveryDetails/DeliveryDate", "20260831");
	assert_at(&f, "DeliveryDetails/FinalDestinationName", "Rakennustyömaa 12");
	f.inv.delivery = (struct address) {
		.street = "B\nKatu 5", .postcode = "33100", .city = "Tampere", .country_code = "FI"
	};
	assert_true(fixture_finvoice(&f));
	assert_at(&f, "DeliveryPartyDetails/DeliveryOrganisationName", "Rakennustyömaa 12");
	assert_at(&f, "DeliveryPartyDetails/DeliveryPostalAddressDetails/DeliveryStreetName",
		  "B Katu 5"); /* two characters at least */
	assert_at(&f, "DeliveryDetails/FinalDestinationName", NULL);
	f.inv.delivery = (struct address) { .country_code = "SE" };
	assert_true(fixture_finvoice(&f));
	assert_at(&f, "DeliveryPartyDetails", NULL);
	assert_at(&f, "DeliveryDetails/DestinationCountryCode", "SE");
	fixture_release(&f);
}

static void test_accounts_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.accounts[0].bic = NULL; /* the schema has no account without BIC but in EpiDetails */
	f.accounts[1] = (struct bank_account) { .number = "FI7429501800000014",
						.bic = "OKOYFIHH",
						.holder = "Tilinomistaja Oy" };
	f.inv.n_accounts = 2;
	assert_true(fixture_finvoice(&f));
	static const char account[] = "SellerInformationDetails/SellerAccountDetails/";
	char path[128];
	snprintf(path, sizeof(path), "%sSellerAccountID", account);
	assert_at(&f, path, "FI7429501800000014");
	snprintf(path, sizeof(path), "%sSellerAccountName", account);
	assert_at(&f, path, "Tilinomistaja Oy");
	assert_at(&f, "EpiDetails/EpiPartyDetails/EpiBeneficiaryPartyDetails/EpiAccountID",
		  "FI2112345600000785");
	assert_at(&f, "EpiDetails/EpiPartyDetails/EpiBfiPartyDetails/EpiBfiIdentifier", NULL);
	fixture_release(&f);
}

static void test_each_arena_cap_MV_13(void **state)
{
	(void)state;
	struct fixture f;
	fixture_finnish(&f);
	f.finvoice.soap_frame = true;
	f.rows[0].description = text_300;
	f.inv.text_before = "a\tb";
	assert_true(fixture_finvoice(&f));
	bool ok = false;
	for (size_t cap = 1; !ok; cap += 64) {
		CLEANUP(arena_free) struct arena *small = arena_new(cap);
		struct span document;
		struct err err = ERR_INIT;
		ok = finvoice_write(&f.inv, &f.finvoice, small, &document, &err);
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
		cmocka_unit_test(test_what_cannot_be_told_is_named_MV_13),
		cmocka_unit_test(test_unfit_message_is_our_fault_MV_13),
		cmocka_unit_test(test_routing_MV_13),
		cmocka_unit_test(test_unknown_operator_leaves_routing_out_MV_13),
		cmocka_unit_test(test_frame_MV_13),
		cmocka_unit_test(test_head_and_payment_MV_13),
		cmocka_unit_test(test_credit_note_is_negative_MV_13),
		cmocka_unit_test(test_precise_price_MV_13),
		cmocka_unit_test(test_long_texts_MV_13),
		cmocka_unit_test(test_characters_outside_the_charset_MV_13),
		cmocka_unit_test(test_delivery_MV_13),
		cmocka_unit_test(test_accounts_MV_13),
		cmocka_unit_test(test_each_arena_cap_MV_13),
	};
	xml_global_init();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_release();
	return failed;
}
