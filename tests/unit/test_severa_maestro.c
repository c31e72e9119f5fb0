/* test_severa_maestro.c: the pure rules of the flow severa-maestro: the key that must never change,
 * which rows go to the fallback product, whose value stands on a customer card, the same invoice;
 * and a row that Maestro itself moved, which its stand-in does only by chance. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/fake.h"
#include "flows/severa_maestro/internal.h"

#define GUID "6b1f2c1e-0001-4a6e-9a57-2f3f6a7d1001"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(4 << 20);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* A changed key is a doubled invoice: these are what was sent under before. */
static void key_never_changes_SV_02(void **state)
{
	(void)state;
	assert_string_equal(smx_key(arena, GUID, 1), GUID);
	assert_string_equal(smx_key(arena, GUID, 2), GUID "-2");
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void rows_are_matched_by_their_only_code_MA_03(void **state)
{
	static const char *const codes[] = { "KONS", "T-33" };
	const struct maestro_product active = { .code = "KONS", .is_active = true };
	const struct maestro_product passive = { .code = "KONS", .is_active = false };
	struct invoice_row row = { .codes = codes, .n_codes = 1 };
	(void)state;
	assert_int_equal(smx_match(&row, &active), SMX_MATCHED);
	assert_int_equal(smx_match(&row, &passive), SMX_INACTIVE);
	assert_int_equal(smx_match(&row, NULL), SMX_UNKNOWN);
	row.n_codes = 2;
	assert_int_equal(smx_match(&row, &active), SMX_SEVERAL_CODES);
	row.n_codes = 0;
	assert_int_equal(smx_match(&row, &active), SMX_NO_CODE);
}

static void fallback_row_keeps_what_is_its_own_MA_04(void **state)
{
	static const char *const codes[] = { "X-9", "Y-1" };
	struct invoice_row row = { .codes = codes,
				   .n_codes = 2,
				   .name = "Työ",
				   .quantity = { 25, 1 },
				   .unit_price = { 80, 0 },
				   .has_vat_rate = true,
				   .vat_rate = { 135, 1 } };
	struct err err = ERR_INIT;
	(void)state;
	assert_true(smx_to_fallback(arena, "A/0", &row, &err));
	assert_string_equal(row.product_code, "A/0");
	assert_string_equal(row.name, "Työ");
	assert_string_equal(row.description, "Työ\n(X-9, Y-1)");
	assert_true(decimal_eq(row.quantity, (struct decimal) { 25, 1 }));
	assert_true(decimal_eq(row.unit_price, (struct decimal) { 80, 0 }));
	assert_true(decimal_eq(row.vat_rate, (struct decimal) { 135, 1 }));

	row = (struct invoice_row) { .name = "Työ", .description = "Koko teksti" };
	assert_true(smx_to_fallback(arena, "A/0", &row, &err));
	assert_string_equal(row.description, "Koko teksti"); /* there is no code to tell */
}

static struct fake f; /* large */

/* The invoice is sent: nothing of this may fail it. */
static void moved_by_maestro_is_told_and_counted_MA_04(void **state)
{
	const struct maestro_warning warnings[] = { { "PRODUCT_NOT_FOUND", "X-9", 1 },
						    { "PRODUCT_NOT_FOUND", "X-9", 3 } };
	const struct maestro_created made = { .id = "1", .warnings = warnings, .n_warnings = 2 };
	const char *kept;
	struct err err = ERR_INIT;
	(void)state;
	fake_init(&f, arena, "{}", "{}");
	fake_aim(&f, "invoice", GUID);
	struct smx m = { .road.at = &f.at,
			 .maestro.fallback_product = "A/0",
			 .codes = map_new(arena) };
	smx_note_warnings(&m, &made);
	assert_int_equal(f.at.n_notes, 2);
	assert_string_equal(f.at.notes[1].code, "fallback_product");
	assert_non_null(strstr(f.at.notes[1].text, "Row 3 went to the product A/0"));
	assert_non_null(strstr(f.at.notes[1].text, "X-9"));
	assert_true(f.at.ops->kv_get(&f.at, "case", "unknown_codes:" GUID, &kept, &err));
	assert_string_equal(kept, "{\"X-9\":2}");
}

/* ---- customers ----------------------------------------------------------------------------- */

static void card_keeps_what_only_maestro_has_MA_02(void **state)
{
	const struct maestro_customer theirs = { .values = { [MAESTRO_NAME] = "Vanha Oy",
							     [MAESTRO_EMAIL] = "a@b.example",
							     [MAESTRO_CITY] = "Oulu" } };
	const struct maestro_customer ours = { .values = { [MAESTRO_NAME] = "Uusi Oy" } };
	struct maestro_customer whole;
	(void)state;
	assert_string_equal(smx_told(arena, &ours), "name");
	smx_merge_card(&theirs, &ours, "", &whole);
	assert_string_equal(whole.values[MAESTRO_NAME], "Uusi Oy");
	assert_string_equal(whole.values[MAESTRO_EMAIL], "a@b.example");
	assert_string_equal(whole.values[MAESTRO_CITY], "Oulu");
	/* We wrote it last time; it is gone at Severa. A part of a name is none. */
	smx_merge_card(&theirs, &ours, "name email cit", &whole);
	assert_null(whole.values[MAESTRO_EMAIL]);
	assert_string_equal(whole.values[MAESTRO_CITY], "Oulu");
}

/* ---- the same invoice? --------------------------------------------------------------------- */

static void all_that_names_an_invoice_must_agree_SV_02(void **state)
{
	const struct delivery_identity id = { .number = "10407",
					      .date = "2026-11-05",
					      .currency = "EUR",
					      .reference = "104070",
					      .customer_code = "1001",
					      .sum = { -36081, 2 },
					      .rounding = { -1, 2 } };
	const struct maestro_listed same = { .number = "10407",
					     .date = "2026-11-05",
					     .currency = "EUR",
					     .reference = "00000000000000104070",
					     .customer_number = "1001",
					     .key = "",
					     .sum = { -36081, 2 } };
	struct maestro_listed others[] = { same, same, same, same, same, same };
	(void)state;
	assert_true(smx_is_same_invoice(&same, &id));
	others[0].number = "10408";
	others[1].date = "2026-11-06";
	others[2].currency = "SEK";
	others[3].reference = "104083";
	others[4].customer_number = "1002";
	others[5].sum = (struct decimal) { 36081, 2 }; /* an invoice is no credit note */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(smx_is_same_invoice(&others[i], &id));
	others[5].sum = (struct decimal) { -36080, 2 }; /* without the cents of rounding */
	assert_true(smx_is_same_invoice(&others[5], &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_never_changes_SV_02),
		cmocka_unit_test(rows_are_matched_by_their_only_code_MA_03),
		cmocka_unit_test(fallback_row_keeps_what_is_its_own_MA_04),
		cmocka_unit_test(moved_by_maestro_is_told_and_counted_MA_04),
		cmocka_unit_test(card_keeps_what_only_maestro_has_MA_02),
		cmocka_unit_test(all_that_names_an_invoice_must_agree_SV_02),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
