/* test_netvisor.c: the MAC by the vectors of facts/netvisor.md §2.5, and what must not be cut. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "systems/netvisor.h"

static void test_mac_vectors(void **state)
{
	(void)state;
	static const struct {
		struct netvisor_mac m;
		const char *mac;
	} cases[] = {
		{ { "https://integration.netvisor.fi/customerlist.nv", "TestSender",
		    "TestCustomerId", "2024-01-15 12:00:00.000", "FI", "TestOrganizationId",
		    "transaction123", "1705312800", "TestUserKey", "TestPartnerKey" },
		  "14f2ec30263493fe0eb99b924d0b172addd4d3038140ea4f65469a51cbfbf072" },
		{ { "https://isvapi.netvisor.fi/customerlist.nv?changedsince=2026-01-31T08:40:00",
		    "Lasku v\xe4litys \xd6y", "AB_1234_56", "2026-02-01 06:15:30.000", "FI",
		    "1234567-1", "5f1d9b6e0c6a4b0f9a1e2d3c4b5a6978", "1769926530",
		    "0123456789ABCDEF0123456789ABCDEF", "FEDCBA9876543210FEDCBA9876543210" },
		  "1c253e797ce7cfffba1b440d498b0915c7acd0476a2e5e9accb8d422275bc27f" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char mac[65];
		struct err err = ERR_INIT;
		assert_true(netvisor_mac(&cases[i].m, mac, &err));
		assert_string_equal(mac, cases[i].mac);
	}
}

/* Bytes of the elements with the name. */
static size_t text_length(const char *xml, const char *open, const char *close)
{
	size_t n = 0;
	for (const char *p = strstr(xml, open); p; p = strstr(p, open)) {
		p += strlen(open);
		n += (size_t)(strstr(p, close) - p);
	}
	return n;
}

static void test_free_text_is_split_never_cut(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 22);
	char text[1801];
	for (size_t i = 0; i < 1800; i++)
		text[i] = i % 7 == 6 ? ' ' : 'a';
	text[1800] = 0;
	struct invoice_row row = { .position = 1,
				   .product_code = "P",
				   .description = "Work",
				   .quantity = decimal_of(1),
				   .vat_code = "MUUL" };
	struct invoice inv = { .number = "1",
			       .issue_date = "2026-11-01",
			       .due_date = "2026-11-15",
			       .currency = "EUR",
			       .text_before = text,
			       .rows = &row,
			       .n_rows = 1 };
	struct netvisor_invoice_options opt = { .status = "unsent", .customer_code = "1001" };
	struct span body;
	struct err err = ERR_INIT;
	assert_true(netvisor_map_invoice(arena, &inv, &opt, &body, &err));
	size_t head = text_length(body.p, "<salesinvoicefreetextbeforelines>",
				  "</salesinvoicefreetextbeforelines>");
	assert_true(head > 0 && head <= 500);
	assert_int_equal(head + text_length(body.p, "<comment>", "</comment>"), 1800);
}

static void test_what_must_fit_is_a_named_error(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	char street[90];
	memset(street, 'x', sizeof(street) - 1);
	street[sizeof(street) - 1] = 0;
	struct invoice inv = { .number = "1",
			       .issue_date = "2026-11-01",
			       .currency = "EUR",
			       .buyer = { .name = "A", .address = { .street = street } } };
	struct netvisor_invoice_options opt = { .status = "unsent",
						.customer_code = "TEMP",
						.buyer_on_invoice = true };
	struct span body;
	struct err err = ERR_INIT;
	assert_false(netvisor_map_invoice(arena, &inv, &opt, &body, &err));
	assert_int_equal(err.code, ERR_DATA);
	assert_string_equal(err.reason, "field_too_long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac_vectors),
		cmocka_unit_test(test_free_text_is_split_never_cut),
		cmocka_unit_test(test_what_must_fit_is_a_named_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
