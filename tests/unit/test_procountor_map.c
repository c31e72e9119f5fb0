/* test_procountor_map.c: what Procountor is sent, byte for byte, and what is refused before it is
 * sent; its names of units, countries and languages; cards as it tells them. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "systems/procountor/procountor_internal.h"
#include "walk.h"

static const struct procountor_options conf = { .identifier_type = "FI", .decimals = 4 };

/* ---- characters ---------------------------------------------------------------------------- */

static size_t put_utf8(uint32_t cp, char buf[4])
{
	if (cp < 0x80)
		return (size_t)(buf[0] = (char)cp, 1);
	size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	for (size_t i = n; i-- > 1; cp >>= 6)
		buf[i] = (char)(0x80 | (cp & 0x3F));
	buf[0] = (char)(marks[n] | cp);
	return n;
}

/* 95 of ASCII, 96 of Latin-1, 27 of its own; nothing else of Unicode. */
static void all_of_windows_1252_is_taken_and_no_more(void **state)
{
	(void)state;
	static const uint32_t taken[] = {
		0x20AC, 0x160, 0x17E, 0x2013, 0x2019, 0x2122, 0xA0, 0xFF
	};
	static const uint32_t refused[] = { 0x154, 0xCA0, 0x81, 0x9D, 0x7F, 0x1F, 0x308, 0x1F600 };
	char buf[4];
	unsigned n = 0;
	for (uint32_t cp = 1; cp < 0x110000; cp++)
		if (cp < 0xD800 || cp > 0xDFFF)
			n += !procountor_misfit((struct span) { buf, put_utf8(cp, buf) }, false).n;
	assert_int_equal(n, 95 + 96 + 27);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		assert_int_equal(
			procountor_misfit((struct span) { buf, put_utf8(taken[i], buf) }, false).n,
			0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_true(
			procountor_misfit((struct span) { buf, put_utf8(refused[i], buf) }, false)
				.n > 0);
	assert_int_equal(procountor_misfit(SPAN_LIT("a\nb\tc"), true).n, 0);
	assert_int_equal(procountor_misfit(SPAN_LIT("a\nb"), false).n, 2);
	assert_int_equal(procountor_misfit(SPAN_LIT("\xc3"), false).n, 1);
}

/* ---- names --------------------------------------------------------------------------------- */

static void units_are_those_that_people_mean(void **state)
{
	(void)state;
	static const struct {
		const char *text, *unit;
	} cases[] = {
		{ "kpl", "PIECE" },
		{ "h", "HOUR" },
		{ "Tunti", "HOUR" },
		{ "km", "KILOMETER" },
		{ "jm", "LINEAR_METER" },
		{ "m\xc2\xb2", "SQUARE_METER" },
		{ "m3", "CUBIC_METER" },
		{ "pv", "DAY" },
		{ "kk", "MONTH" },
		{ "vko", "WEEK" },
		{ "ltk", "BOX" },
		{ "plo", "BOTTLE" },
		{ "er\xc3\xa4", "LOT" },
		{ "hl\xc3\xb6", "PERSON" },
		{ "full_day", "FULL_DAY" },
		{ "", "NO_UNIT" },
		{ NULL, "NO_UNIT" },
		{ " ", "NO_UNIT" },
		{ "tynnyri", NULL },
		{ "%", NULL },
		{ "t", NULL }, /* an hour or a tonne: never guessed */
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *unit = procountor_unit(cases[i].text);
		if (cases[i].unit)
			assert_string_equal(unit, cases[i].unit);
		else
			assert_null(unit);
	}
}

static void countries_and_languages_go_both_ways(void **state)
{
	(void)state;
	static const char *const codes[] = { "FI", "SE", "GB", "XK", "AX", "KR", "SX", "XI" };
	assert_string_equal(procountor_country_name("fi"), "FINLAND");
	assert_string_equal(procountor_country_name("CZ"), "CZECH_REPUBLIC");
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		assert_string_equal(procountor_country_code(procountor_country_name(codes[i])),
				    codes[i]);
	assert_null(procountor_country_name("ZZ"));
	assert_null(procountor_country_name(NULL));
	assert_null(procountor_country_code("Finland"));
	assert_string_equal(procountor_language_name("nn"), "NORWEGIAN");
	assert_string_equal(procountor_language_code("NORWEGIAN"), "no");
	assert_null(procountor_language_name("de"));
}

/* ---- reading ------------------------------------------------------------------------------- */

static const struct json *parse(struct arena *arena, const char *text)
{
	const struct json *j;
	struct err err = ERR_INIT;
	assert_true(json_parse(arena, span_of(text), JSON_LIMITS_VENDOR, &j, &err));
	return j;
}

static void a_card_is_read_whole(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct procountor_partner c;
	struct err err = ERR_INIT;
	assert_true(procountor_read_partner(
		parse(arena,
		      "{\"id\":501234,\"version\":\"2026-03-02T10:15:41\",\"name\":\"Oy\",\"type\":"
		      "\"CUSTOMER\",\"unknown\":[1],\"address\":{\"street\":\"Katu 1\",\"zip\":"
		      "\"33200\",\"city\":\"Tampere\",\"country\":\"FINLAND\"},\"billingAddress\":"
		      "null,\"deliveryAddress\":{\"city\":\"Riga\",\"country\":\"NOWHERE\"},"
		      "\"invoicingInfo\":{\"customerNumber\":1042,\"identifier\":\"2817345-6\","
		      "\"language\":\"SWEDISH\",\"email\":\"\"},\"paymentInfo\":{"
		      "\"paymentTermDays\":"
		      "\"14\"},\"registryInfo\":{\"active\":false,\"phone\":\"+358\"},"
		      "\"contactPersons\":[{\"name\":\"Maija\",\"email\":\"m@x\"},{\"name\":\"B\"}]"
		      "}"),
		&c, &err));
	assert_string_equal(c.id, "501234");
	assert_string_equal(c.customer_number, "1042");
	assert_string_equal(c.language, "sv");
	assert_string_equal(c.payment_term_days, "14");
	assert_string_equal(c.address.at.country_code, "FI");
	assert_null(c.email);
	assert_false(c.is_active);
	assert_false(procountor_has_place(&c.billing));
	assert_true(procountor_has_place(&c.delivery));
	assert_null(c.delivery.at.country_code);
	assert_string_equal(c.delivery.at.country_name, "NOWHERE");
	assert_string_equal(c.contact_name, "Maija");
	assert_false(procountor_read_partner(parse(arena, "{\"id\":null}"), &c, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
}

static void an_invoices_sums_are_those_of_its_currency(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct procountor_invoice in;
	struct err err = ERR_INIT;
	char text[DECIMAL_TEXT_MAX];
	assert_true(procountor_read_invoice(
		arena,
		parse(arena,
		      "{\"id\":1,\"invoiceNumber\":4711,\"ledgerReceiptId\":12,\"paymentInfo\":"
		      "{\"currency\":\"SEK\"},\"invoiceSumInfo\":[{\"currency\":\"EUR\","
		      "\"excludingVatTotal\":1,\"vatSumTotal\":1,\"invoiceSumTotal\":2},{"
		      "\"currency\":\"SEK\",\"excludingVatTotal\":-10,\"vatSumTotal\":-2.5,"
		      "\"invoiceSumTotal\":-12.50}],\"attachments\":[{\"name\":\"a.pdf\"}]}"),
		&in, &err));
	assert_true(in.has_sum);
	assert_string_equal(decimal_format(in.gross, 2, '.', text), "-12.50");
	assert_string_equal(in.number, "4711");
	assert_string_equal(in.ledger_receipt_id, "12");
	assert_int_equal(in.n_attachments, 1);
	assert_true(procountor_read_invoice(
		arena,
		parse(arena,
		      "{\"id\":1,\"paymentInfo\":{\"currency\":\"NOK\"},\"invoiceSumInfo\":[{"
		      "\"currency\":\"EUR\",\"excludingVatTotal\":1,\"vatSumTotal\":1,"
		      "\"invoiceSumTotal\":2}]}"),
		&in, &err));
	assert_false(in.has_sum);
}

/* ---- cards --------------------------------------------------------------------------------- */

static const struct procountor_partner buyer = {
	.id = "501234",
	.name = "Kiinteist\xc3\xb6huolto Esimerkki Oy",
	.customer_number = "SP-1042",
	.business_id = "2817345-6",
	.address = { .at = { .street = "Satamakatu  5",
			     .postcode = "33200",
			     .city = "Tampere",
			     .country_code = "FI" } },
	.email = "laskut@esimerkki.example",
	.phone = "+358 3 123 4567",
	.language = "fi",
	.channel = "EMAIL",
	.payment_method = "BANK_TRANSFER",
	.currency = "EUR",
	.payment_term_days = "14",
	.contact_name = "Maija Malli",
};

#define ADDRESS                                                                                   \
	"{\"name\":\"Kiinteist\xc3\xb6huolto Esimerkki Oy\",\"street\":\"Satamakatu 5\",\"zip\":" \
	"\"33200\",\"city\":\"Tampere\",\"country\":\"FINLAND\"}"

static void PC_05_a_new_customer_is_written_as_it_is_kept(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct span body;
	struct err err = ERR_INIT;
	assert_true(procountor_write_partner(arena, &conf, &buyer, true, &body, &err));
	assert_string_equal(
		body.p,
		"{\"name\":\"Kiinteist\xc3\xb6huolto Esimerkki Oy\",\"type\":\"CUSTOMER\","
		"\"address\":" ADDRESS ",\"invoicingInfo\":{\"customerNumber\":\"SP-1042\","
		"\"identifier\":\"2817345-6\",\"identifierType\":\"FI\",\"invoiceChannel\":"
		"\"EMAIL\","
		"\"language\":\"FINNISH\",\"email\":\"laskut@esimerkki.example\"},\"paymentInfo\":{"
		"\"paymentMethod\":\"BANK_TRANSFER\",\"currency\":\"EUR\",\"paymentTermDays\":"
		"\"14\"},"
		"\"registryInfo\":{\"active\":true,\"phone\":\"+358 3 123 "
		"4567\"},\"contactPersons\":"
		"[{\"name\":\"Maija Malli\"}]}");
	const struct procountor_partner change = { .name = "B", .email = "b@x" };
	assert_true(procountor_write_partner(arena, &conf, &change, false, &body, &err));
	assert_string_equal(body.p, "{\"name\":\"B\",\"type\":\"CUSTOMER\",\"invoicingInfo\":{"
				    "\"email\":\"b@x\"}}");
}

static void PC_04_a_new_product_is_written_with_its_price(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct product product = { .code = "SUO-F7",
				   .name = "Suodatin F7",
				   .unit = "kpl",
				   .unit_price = { 3190, 2 },
				   .vat_rate = { 255, 1 },
				   .is_active = true };
	const struct procountor_product_options opt = {
		.currency = "EUR", .unit = "LOT", .vat_status = 1, .group_id = "12"
	};
	struct span body;
	struct err err = ERR_INIT;
	assert_true(procountor_write_product(arena, &conf, &product, &opt, &body, &err));
	assert_string_equal(body.p,
			    "{\"type\":\"SALES\",\"name\":\"Suodatin F7\",\"code\":\"SUO-F7\","
			    "\"unit\":\"PIECE\",\"discount\":0,\"price\":31.9,\"vat\":25.5,"
			    "\"active\":true,\"currency\":\"EUR\",\"vatStatus\":1,"
			    "\"productGroupId\":12}");
	product.unit = "tynnyri";
	assert_true(procountor_write_product(arena, &conf, &product, &opt, &body, &err));
	assert_non_null(strstr(body.p, "\"unit\":\"LOT\""));
	product.code = "12345678901234567890123456789012345678901";
	assert_false(procountor_write_product(arena, &conf, &product, &opt, &body, &err));
	assert_string_equal(err.reason, "field_too_long");
	assert_string_equal(err.subject, "code: 41 > 40");
}

/* ---- invoices ------------------------------------------------------------------------------ */

/* An invoice that a case spoils. */
struct sample {
	struct invoice inv;
	struct invoice_row rows[2];
	struct procountor_partner partner;
	struct procountor_invoice_options opt;
	const char *product_ids[2];
};

static void make(struct sample *s)
{
	*s = (struct sample) {
		.inv = { .number = "SPT-90017",
			 .issue_date = "2026-03-02",
			 .due_date = "2026-03-16",
			 .currency = "EUR",
			 .order_number = "PO-7781",
			 .language = "fi",
			 .text_before = "Huolto 28.2.2026\r\nKohde: Satamakatu 5",
			 .delivery_date = "2026-02-28",
			 .n_rows = 2 },
		.rows = { { .name = "Huoltoty\xc3\xb6",
			    .product_code = "TYO-1",
			    .quantity = { 25, 1 },
			    .unit_price = { 5800, 2 },
			    .has_vat_rate = true,
			    .vat_rate = { 255, 1 },
			    .unit = "h" },
			  { .name = "Suodatin F7",
			    .description = "Vaihdettu",
			    .quantity = { -4, 0 },
			    .unit_price = { 3190, 2 },
			    .has_vat_rate = true,
			    .vat_rate = { 255, 1 },
			    .unit = "tynnyri" } },
		.partner = buyer,
		.product_ids = { "77120", NULL },
		.opt = { .iban = "FI21 1234 5600 0007 85",
			 .vat_status = 1,
			 .channel = "NO_SENDING",
			 .unit = "PIECE" },
	};
	s->inv.rows = s->rows;
	s->opt.partner = &s->partner;
	s->opt.product_ids = s->product_ids;
}

static void PC_01_PC_07_an_invoice_is_a_draft_with_links_to_the_registers(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct sample s;
	struct span body, again;
	struct err err = ERR_INIT;
	make(&s);
	assert_true(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	assert_string_equal(
		body.p,
		"{\"type\":\"SALES_INVOICE\",\"status\":\"UNFINISHED\",\"date\":\"2026-03-02\","
		"\"partnerId\":501234,\"counterParty\":{\"contactPersonName\":\"Maija Malli\","
		"\"identifier\":\"2817345-6\",\"customerNumber\":\"SP-1042\",\"email\":"
		"\"laskut@esimerkki.example\",\"counterPartyAddress\":" ADDRESS "},"
		"\"deliveryAddress\":{},\"paymentInfo\":{\"paymentMethod\":\"BANK_TRANSFER\","
		"\"currency\":\"EUR\",\"dueDate\":\"2026-03-16\",\"currencyRate\":1,"
		"\"bankAccount\":{"
		"\"accountNumber\":\"FI2112345600000785\"},\"bankReferenceCode\":\"\"},"
		"\"extraInfo\":{"
		"\"accountingByRow\":false,\"unitPricesIncludeVat\":false},\"discountPercent\":0,"
		"\"orderReference\":\"PO-7781\",\"orderNumber\":\"PO-7781\","
		"\"originalInvoiceNumber\":\"SPT-90017\",\"deliveryStartDate\":\"2026-02-28\","
		"\"deliveryEndDate\":\"2026-02-28\",\"vatStatus\":1,\"invoiceChannel\":\"NO_"
		"SENDING\","
		"\"additionalInformation\":\"Huolto 28.2.2026\\nKohde: Satamakatu 5\",\"language\":"
		"\"FINNISH\",\"invoiceRows\":[{\"productId\":77120,\"product\":"
		"\"Huoltoty\xc3\xb6\","
		"\"productCode\":\"TYO-1\",\"quantity\":2.5,\"unit\":\"HOUR\",\"unitPrice\":58,"
		"\"discountPercent\":0,\"vatPercent\":25.5},{\"product\":\"Suodatin "
		"F7\",\"quantity\":"
		"-4,\"unit\":\"PIECE\",\"unitPrice\":31.9,\"discountPercent\":0,\"vatPercent\":25."
		"5,"
		"\"comment\":\"Vaihdettu\"}]}");
	assert_true(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &again, &err));
	assert_true(span_eq(body, again));
}

static void what_is_given_goes_along(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	static const char *const wanted[] = {
		"\"invoiceChannel\":\"ELECTRONIC_INVOICE\"",
		"\"einvoiceAddress\":{\"operator\":\"003721291126\",\"address\":\"003728173456\"}",
		"\"billingAddress\":{\"name\":\"Kirjanpito\",\"city\":\"Oulu\",\"country\":"
		"\"SWEDEN\"}",
		"\"deliveryAddress\":{\"name\":\"Kohde\",\"street\":\"Katu "
		"1\",\"country\":\"FINLAND\"}",
		"\"bankReferenceCode\":\"1232\"",
		"\"currencyRate\":11.25",
		"\"penaltyPercent\":8.5",
		"\"notes\":\"sis\xc3\xa4inen\"",
		"\"language\":\"ESTONIAN\"",
		"\"deliveryStartDate\":\"2026-01-01\",\"deliveryEndDate\":\"2026-01-31\"",
		"\"discountPercent\":12.5",
	};
	struct sample s;
	struct span body;
	struct err err = ERR_INIT;
	make(&s);
	s.opt.channel = NULL;
	s.partner.channel = "ELECTRONIC_INVOICE";
	s.partner.einvoice_address = "003728173456";
	s.partner.einvoice_operator = "003721291126";
	s.partner.language = "et";
	s.partner.billing = (struct procountor_place) {
		.name = "Kirjanpito", .at = { .city = "Oulu", .country_name = "SWEDEN" }
	};
	s.inv.language = NULL;
	s.inv.delivery_name = "Kohde";
	s.inv.delivery = (struct address) { .street = "Katu 1", .country_code = "FI" };
	s.inv.reference = "1232";
	s.inv.currency_rate = (struct decimal) { 1125, 2 };
	s.inv.has_overdue_interest = true;
	s.inv.overdue_interest = (struct decimal) { 85, 1 };
	s.inv.notes = "sis\xc3\xa4inen";
	s.inv.period_start = "2026-01-01";
	s.inv.period_end = "2026-01-31";
	s.rows[0].discount_percent = (struct decimal) { 125, 1 };
	assert_true(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!strstr(body.p, wanted[i]))
			fail_msg("%s is not in %s", wanted[i], body.p);
	s.partner.channel = "EDIFACT"; /* may not be asked for */
	assert_true(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	assert_non_null(strstr(body.p, "\"invoiceChannel\":\"NO_SENDING\""));
}

static void a_long_comment_goes_on_in_the_next_text(void **state)
{
	(void)state;
	static const struct {
		size_t first, rest;
		bool ok;
	} cases[] = { { 512, 0, true }, { 500, 511, true }, { 500, 600, false } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		char text[1400] = "";
		struct sample s;
		struct span body;
		struct err err = ERR_INIT;
		make(&s);
		memset(text, 'a', cases[i].first);
		if (cases[i].rest) {
			text[cases[i].first] = ' ';
			memset(text + cases[i].first + 1, 'b', cases[i].rest);
		}
		s.rows[0].description = text;
		bool ok = procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err);
		assert_int_equal(ok, cases[i].ok);
		if (!ok)
			assert_string_equal(err.subject,
					    "invoiceRows[0].explanationText: 600 > 512");
		else if (cases[i].rest)
			assert_non_null(strstr(body.p, "a\",\"explanationText\":\"b"));
		else
			assert_null(strstr(body.p, "explanationText"));
	}
}

#define LONG81 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* One field of the sample spoiled: what is told of it. */
static const struct {
	size_t at; /* of a text */
	const char *value;
	const char *reason, *subject;
} spoiled[] = {
#define AT(member) offsetof(struct sample, member)
	{ AT(inv.number), NULL, "field_missing", "originalInvoiceNumber" },
	{ AT(inv.number), "12345678901234567890123456789012345678901", "field_too_long",
	  "originalInvoiceNumber: 41 > 40" },
	{ AT(inv.issue_date), NULL, "date_missing", "date" },
	{ AT(inv.issue_date), "2026-02-30", "date_invalid", "date: 2026-02-30" },
	{ AT(inv.due_date), NULL, "date_missing", "paymentInfo.dueDate" },
	{ AT(inv.due_date), "2026-03-01", "date_invalid", "paymentInfo.dueDate: 2026-03-01" },
	{ AT(inv.due_date), "2028-11-26", "date_invalid", "paymentInfo.dueDate: 2028-11-26" },
	{ AT(inv.currency), "", "field_missing", "paymentInfo.currency" },
	{ AT(inv.order_number), LONG81, "field_too_long", "orderReference: 81 > 70" },
	{ AT(inv.text_before), "a \xc5\x94", "character_unsupported",
	  "additionalInformation: \xc5\x94 U+0154" },
	{ AT(inv.notes), "\xf0\x9f\x98\x80", "character_unsupported",
	  "notes: \xf0\x9f\x98\x80 U+1F600" },
	{ AT(partner.name), NULL, "field_missing", "counterParty.counterPartyAddress.name" },
	{ AT(partner.name), LONG81, "field_too_long",
	  "counterParty.counterPartyAddress.name: 81 > 80" },
	{ AT(partner.address.at.city), "Jy\xe0\xb3\xa0", "character_unsupported",
	  "counterParty.counterPartyAddress.city: \xe0\xb3\xa0 U+0CE0" },
	{ AT(partner.address.at.street), "a\x7f", "character_unsupported",
	  "counterParty.counterPartyAddress.street: U+007F" },
	{ AT(partner.address.at.postcode), "123456789012345678901", "field_too_long",
	  "counterParty.counterPartyAddress.zip: 21 > 20" },
	{ AT(partner.address.at.country_code), NULL, "country_unknown",
	  "counterParty.counterPartyAddress.country" },
	{ AT(partner.address.at.country_code), "ZZ", "country_unknown",
	  "counterParty.counterPartyAddress.country: ZZ" },
	{ AT(partner.contact_name), LONG81, "field_too_long",
	  "counterParty.contactPersonName: 81 > 70" },
	{ AT(opt.iban), NULL, "bank_account_missing", "paymentInfo.bankAccount" },
	{ AT(opt.channel), "ELECTRONIC_INVOICE", "einvoice_address_missing",
	  "counterParty.einvoiceAddress" },
	{ AT(rows[0].name), "", "row_text_missing", "invoiceRows[0].product" },
	{ AT(rows[1].name), LONG81 LONG81, "field_too_long", "invoiceRows[1].product: 162 > 100" },
	{ AT(rows[1].description), "\xe2\x98\x83", "character_unsupported",
	  "invoiceRows[1].comment: \xe2\x98\x83 U+2603" },
#undef AT
};

static void what_procountor_cannot_take_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spoiled); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		struct sample s;
		struct span body;
		struct err err = ERR_INIT;
		make(&s);
		*(const char **)((char *)&s + spoiled[i].at) = spoiled[i].value;
		assert_false(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.reason, spoiled[i].reason);
		assert_string_equal(err.subject, spoiled[i].subject);
		assert_int_equal(strncmp(err.subject, err.pointer, strlen(err.pointer)), 0);
	}
}

static void numbers_are_never_rounded(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct sample s;
	struct span body;
	struct err err = ERR_INIT;
	make(&s);
	s.rows[1].unit_price = (struct decimal) { 123456, 5 };
	assert_false(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	assert_string_equal(err.reason, "number_too_precise");
	assert_string_equal(err.subject, "invoiceRows[1].unitPrice: 1.23456");
	make(&s);
	s.rows[0].quantity = (struct decimal) { 1234500, 5 }; /* zeros at the end are none */
	assert_true(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	assert_non_null(strstr(body.p, "\"quantity\":12.345,"));
	make(&s);
	s.rows[0].has_vat_rate = false;
	assert_false(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	assert_string_equal(err.reason, "vat_rate_missing");
	make(&s);
	s.inv.n_rows = 0;
	assert_false(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	assert_string_equal(err.reason, "rows_missing");
	make(&s);
	s.rows[0].discount_amount = (struct decimal) { 5, 0 };
	assert_false(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	make(&s);
	s.product_ids[1] = "77-1";
	assert_false(procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
}

static bool map_in(struct arena *arena)
{
	struct sample s;
	struct span body;
	struct err err = ERR_INIT;
	make(&s);
	s.rows[0].description = "a\r\nb";
	bool ok = procountor_map_invoice(arena, &conf, &s.inv, &s.opt, &body, &err);
	assert_true(ok || err.code == ERR_LIMIT);
	return ok;
}

static void a_short_arena_is_told(void **state)
{
	(void)state;
	assert_true(walk_cap(map_in) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_windows_1252_is_taken_and_no_more),
		cmocka_unit_test(units_are_those_that_people_mean),
		cmocka_unit_test(countries_and_languages_go_both_ways),
		cmocka_unit_test(a_card_is_read_whole),
		cmocka_unit_test(an_invoices_sums_are_those_of_its_currency),
		cmocka_unit_test(PC_05_a_new_customer_is_written_as_it_is_kept),
		cmocka_unit_test(PC_04_a_new_product_is_written_with_its_price),
		cmocka_unit_test(PC_01_PC_07_an_invoice_is_a_draft_with_links_to_the_registers),
		cmocka_unit_test(what_is_given_goes_along),
		cmocka_unit_test(a_long_comment_goes_on_in_the_next_text),
		cmocka_unit_test(what_procountor_cannot_take_is_named),
		cmocka_unit_test(numbers_are_never_rounded),
		cmocka_unit_test(a_short_arena_is_told),
	};
	alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
