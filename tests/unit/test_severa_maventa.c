/* test_severa_maventa.c: the pure rules of the flow severa-maventa: the uuid that must never
 * change, the way an invoice takes, and the format. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flows/severa_maventa/internal.h"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* A changed uuid is a doubled invoice: these are what was sent under before. */
static void uuid_never_changes_SV_02(void **state)
{
	struct sm_uuid_of of = { .connection = "kajo",
				 .company = "cca38b5e-ea12-5168-8015-3b3462fd5cac",
				 .source_id = "6b1f2c1e-0001-4a6e-9a57-2f3f6a7d1001",
				 .generation = 1 };
	(void)state;
	assert_string_equal(sm_uuid(arena, &of), "dca54c51-dae7-54c4-ab70-bae0840d25c8");
	of.generation = 2;
	assert_string_equal(sm_uuid(arena, &of), "5229e002-de54-5425-93eb-41725410b98a");
	of.generation = 1;
	of.connection = "louhi";
	assert_string_not_equal(sm_uuid(arena, &of), "dca54c51-dae7-54c4-ab70-bae0840d25c8");
}

struct route_case {
	const char *address, *operator_id, *email;
	bool by_email; /* the setting */
	enum sm_way way;
	unsigned disabled;
	const char *to; /* NULL: no address goes along */
	const char *kept; /* e-invoice address in the document */
};

static void check_route(const struct route_case *c)
{
	const struct sm_settings set = { .send_by_email = c->by_email };
	const struct customer customer = { .name = "Asiakas Oy",
					   .email = c->email,
					   .einvoice_address = c->address,
					   .einvoice_operator = c->operator_id };
	struct party buyer = { .contact_email = "maija@elsewhere.example" };
	struct sm_route route;
	struct err err = ERR_INIT;
	assert_true(sm_route(&set, &customer, &route, &err));
	assert_int_equal(route.way, c->way);
	assert_int_equal(route.disabled, c->disabled);
	assert_true(str_eq(route.email, c->to));
	sm_address_buyer(&route, &customer, &buyer);
	assert_true(str_eq(buyer.einvoice_address, c->kept));
	assert_true(str_eq(buyer.contact_email, c->to));
}

static void words_on_the_card_steer_MV_10(void **state)
{
	enum { P = MAVENTA_ROUTE_PRINT, M = MAVENTA_ROUTE_EMAIL, E = MAVENTA_ROUTE_EINVOICE };
	static const struct route_case cases[] = {
		{ "003712345671", "BAWCFI22", "a@b.example", true, SM_ANY_WAY, 0, "a@b.example",
		  "003712345671" },
		{ "003712345671", "BAWCFI22", "a@b.example", false, SM_ANY_WAY, M, NULL,
		  "003712345671" },
		{ NULL, NULL, "", true, SM_ANY_WAY, 0, NULL, NULL },
		{ "c@d.example", "c@d.example", "a@b.example", true, SM_BY_EMAIL, E | P,
		  "c@d.example", NULL },
		{ "email", NULL, "a@b.example", true, SM_BY_EMAIL, E | P, "a@b.example", NULL },
		{ "c@d.example", NULL, NULL, false, SM_ON_PAPER, E | M, NULL, NULL },
		{ "PRINT", "PRINT", "a@b.example", true, SM_ON_PAPER, E | M, NULL, NULL },
		{ NULL, "print", "a@b.example", true, SM_ON_PAPER, E | M, NULL, NULL },
		{ "DONOTSEND", "DONOTSEND", "a@b.example", true, SM_NOWHERE, 0, NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_route(&cases[i]);
}

static void email_without_an_address_is_named_MV_10(void **state)
{
	const struct sm_settings set = { .send_by_email = true };
	const struct customer c = { .name = "Asiakas Oy", .einvoice_address = "EMAIL" };
	struct sm_route route;
	struct err err = ERR_INIT;
	(void)state;
	assert_false(sm_route(&set, &c, &route, &err));
	assert_string_equal(err.reason, "recipient_email_missing");
	assert_string_equal(err.subject, "Asiakas Oy");
}

static void format_by_country_MV_13(void **state)
{
	static const struct {
		const char *from, *to, *vat, *address;
		enum sm_format format;
	} cases[] = {
		{ "FI", "FI", "FI12345671", "003712345671", SM_FINVOICE },
		{ "FI", "NO", "NO123456785MVA", NULL, SM_PEPPOL },
		{ "NO", "NO", NULL, "0192:123456785", SM_PEPPOL },
		{ "NO", "NO", NULL, NULL, SM_FINVOICE }, /* a person */
		{ "FI", "DE", "DE987654328", NULL, SM_FINVOICE },
		{ "FI", "EE", "EE123456789", "FI2112345600000785", SM_FINVOICE },
	};
	struct sm_settings set = { .format = SM_BY_COUNTRY };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct invoice inv = { .seller.address.country_code = cases[i].from,
				       .buyer = { .vat_number = cases[i].vat,
						  .is_private = !cases[i].vat,
						  .einvoice_address = cases[i].address,
						  .address.country_code = cases[i].to } };
		assert_int_equal(sm_format(arena, &set, &inv), cases[i].format);
		set.format = SM_PEPPOL;
		assert_int_equal(sm_format(arena, &set, &inv), SM_PEPPOL);
		set.format = SM_BY_COUNTRY;
	}
}

static void what_maventa_tells_must_agree_SV_02(void **state)
{
	const struct delivery_identity id = {
		.number = "10407", .date = "2026-11-05", .currency = "EUR", .sum = { -36081, 2 }
	};
	const struct maventa_invoice same = { .number = "10407",
					      .date = "2026-11-05",
					      .currency = "EUR",
					      .has_gross = true,
					      .gross = { 36081, 2 } };
	struct maventa_invoice in = same;
	(void)state;
	assert_true(sm_is_same(&in, &id)); /* UBL has a credit note above zero */
	in.gross = (struct decimal) { 36082, 2 };
	assert_false(sm_is_same(&in, &id));
	in = same;
	in.number = "10408";
	assert_false(sm_is_same(&in, &id));
	in = same;
	in.currency = "SEK";
	assert_false(sm_is_same(&in, &id));
	in = same;
	in.date = "2026-11-06";
	assert_false(sm_is_same(&in, &id));
	in = (struct maventa_invoice) { .number = "10407" }; /* the rest is untold */
	assert_true(sm_is_same(&in, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_never_changes_SV_02),
		cmocka_unit_test(words_on_the_card_steer_MV_10),
		cmocka_unit_test(email_without_an_address_is_named_MV_10),
		cmocka_unit_test(format_by_country_MV_13),
		cmocka_unit_test(what_maventa_tells_must_agree_SV_02),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
