/* Decimals: exactness, refusal of what does not fit, rounding half away from zero. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/decimal.h"

#define NINES_36 "999999999999999999999999999999999999"
#define MINUS_NINES_36 "-999999999999999999999999999999999999"
#define NINES_38 NINES_36 "99"

static struct decimal dec(const char *text)
{
	struct decimal d;
	if (!decimal_parse(span_of(text), &d))
		fail_msg("not a decimal: %s", text);
	return d;
}

static void assert_text(struct decimal d, const char *text)
{
	char buf[DECIMAL_TEXT_MAX];
	assert_string_equal(decimal_format(d, 0, '.', buf), text);
}

static void numbers_are_read_exactly(void **state)
{
	static const struct {
		const char *from, *to; /* NULL: refused */
	} cases[] = {
		{ "0", "0" },
		{ "-0", "0" },
		{ "-0.00", "0.00" },
		{ "1.50", "1.50" },
		{ "-12.3450e2", "-1234.50" },
		{ "1e3", "1000" },
		{ "1E+3", "1000" },
		{ "125e-2", "1.25" },
		{ "9007199254740993", "9007199254740993" },
		{ "0.000000000000000001", "0.000000000000000001" },
		{ "1.960000000000", "1.960000000000" },
		{ NINES_36, NINES_36 },
		{ "0." NINES_36, NULL },
		{ NINES_36 "9", NULL },
		{ NINES_36 ".0", NINES_36 },
		{ NINES_36 ".9", NULL },
		{ "0.0000000000000000001", NULL },
		{ "0.0000000000000000010", "0.000000000000000001" },
		{ "1.00000000000000000000000000000000000000000000000", "1.000000000000000000" },
		{ "10e-19", "0.000000000000000001" },
		{ "1e-18", "0.000000000000000001" },
		{ "1e-19", NULL },
		{ "1e35", "100000000000000000000000000000000000" },
		{ "1e36", NULL },
		{ "0e999999999999", "0" },
		{ "0e-999999999999", "0.000000000000000000" },
		{ "1e999999999999", NULL },
		{ "1e-999999999999", NULL },
		{ "", NULL },
		{ "-", NULL },
		{ "+1", NULL },
		{ ".5", NULL },
		{ "5.", NULL },
		{ "01", NULL },
		{ "-01", NULL },
		{ "1,5", NULL },
		{ " 1", NULL },
		{ "1 ", NULL },
		{ "1e", NULL },
		{ "1e+", NULL },
		{ "1.e2", NULL },
		{ "--1", NULL },
		{ "0x10", NULL },
		{ "NaN", NULL },
		{ "1.2.3", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decimal d = { 42, 7 };
		print_message("%s\n", cases[i].from);
		bool ok = decimal_parse(span_of(cases[i].from), &d);
		assert_int_equal(ok, cases[i].to != NULL);
		if (ok)
			assert_text(d, cases[i].to);
		else
			assert_true(d.coef == 42 && d.scale == 7);
	}
	assert_false(decimal_parse(SPAN_LIT("1\0"), &(struct decimal) { 0 }));
}

static void netvisor_numbers_have_a_comma_or_a_dot(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "1192,25", "1192.25" },
		{ "244.12", "244.12" },
		{ "1,960000000000", "1.960000000000" },
		{ "-0,5", "-0.5" },
		{ "007", "7" },
		{ "12", "12" },
		{ "1e3", NULL },
		{ "1,", NULL },
		{ ",5", NULL },
		{ "1.192,25", NULL },
		{ "1 192,25", NULL },
		{ "", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decimal d;
		bool ok = decimal_parse_comma(span_of(cases[i].from), &d);
		assert_int_equal(ok, cases[i].to != NULL);
		if (ok)
			assert_text(d, cases[i].to);
	}
}

/* Computed with integers of any size. */
static const struct {
	const char *a, *b, *sum, *difference, *product, *quotient;
	unsigned quotient_scale;
} arithmetic[] = {
	{ "-21250919908", "0.68", "-21250919907.32", "-21250919908.68", "-14450625537.44",
	  "-31251352806", 0 },
	{ "64", "-55", "9", "119", "-3520", "-1.2", 1 },
	{ "-12175294", "954873.8649", "-11220420.1351", "-13130167.8649", "-11625870038073.7806",
	  "-12.75", 2 },
	{ "81699332.5456", "242.0198", "81699574.5654", "81699090.5258", "19772856122.81960288",
	  "337572.928", 3 },
	{ "2.929179284", "-2744112455", "-2744112452.070820716", "2744112457.929179284",
	  "-8037997356.152382220", "-0.0000", 4 },
	{ "72390762.004538402", "-0.008133", "72390761.996405402", "72390762.012671402",
	  "-588754.067382910823466", "-8900868314.83320", 5 },
	{ "-793091.56112", "0.32561", "-793091.23551", "-793091.88673", "-258238.5432162832",
	  "-2435710.086054", 6 },
	{ "-0.10986393", "-461005.26", "-461005.36986393", "461005.15013607", "50647.8496142718",
	  "0", 0 },
	{ "-1.20", "-159.367", "-160.567", "158.167", "191.24040", "0.0", 1 },
	{ "0.00000085", "-78097.68138", "-78097.68137915", "78097.68138085", "-0.0663830291730",
	  "-0.00", 2 },
	{ "-54801364577.3", "-0.00034", "-54801364577.30034", "-54801364577.29966",
	  "18632463.956282", "161180484050882.353", 3 },
	{ "-0.000000062", "-636596.82213", "-636596.822130062", "636596.822129938",
	  "0.03946900297206", "0.0000", 4 },
	{ "-3966273.67485", "0.625", "-3966273.04985", "-3966274.29985", "-2478921.04678125",
	  "-6346037.87976", 5 },
	{ "-0.27", "-434855.194499", "-434855.464499", "434854.924499", "117410.90251473",
	  "0.000001", 6 },
	{ "-2996985575.569895", "298.327495", "-2996985277.242400", "-2996985873.897390",
	  "-894083199310.899972763025", "-10045958", 0 },
	{ "-77437676.164617", "-71588.7", "-77509264.864617", "-77366087.464617",
	  "5543662567645.9170279", "1081.7", 1 },
	{ "108.76", "3.822", "112.582", "104.938", "415.68072", "28.46", 2 },
	{ "-275509", "-0.0429", "-275509.0429", "-275508.9571", "11819.3361", "6422121.212", 3 },
	{ "2127.3393600", "-76441282.979", "-76439155.6396400", "76443410.3183600",
	  "-162616550010.1247534400", "-0.0000", 4 },
	{ "-1822758.866093", "0.3", "-1822758.566093", "-1822759.166093", "-546827.6598279",
	  "-6075862.88698", 5 },
	{ "-123768.769655717", "0.0001", "-123768.769555717", "-123768.769755717",
	  "-12.3768769655717", "-1237687696.557170", 6 },
	{ "0.70335", "10952.5498", "10953.25315", "-10951.84645", "7703.475901830", "0", 0 },
	{ "834239055888.8", "-62544.046", "834238993344.754", "834239118432.846",
	  "-52176685886505678.0848", "-13338424.8", 1 },
	{ "3688.71838", "52512313.2314", "52516001.94978", "-52508624.51302",
	  "193703134992.982373132", "0.00", 2 },
};

static void arithmetic_is_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(arithmetic); i++) {
		struct decimal a = dec(arithmetic[i].a), b = dec(arithmetic[i].b), r;
		print_message("%s and %s\n", arithmetic[i].a, arithmetic[i].b);
		assert_true(decimal_add(a, b, &r));
		assert_true(decimal_eq(r, dec(arithmetic[i].sum)));
		assert_true(decimal_sub(a, b, &r));
		assert_true(decimal_eq(r, dec(arithmetic[i].difference)));
		assert_true(decimal_mul(a, b, &r));
		assert_true(decimal_eq(r, dec(arithmetic[i].product)));
		assert_true(decimal_div(a, b, arithmetic[i].quotient_scale, &r));
		assert_true(decimal_eq(r, dec(arithmetic[i].quotient)));
		assert_int_equal(r.scale, arithmetic[i].quotient_scale);
	}
}

static void what_overflows_is_refused(void **state)
{
	(void)state;
	struct decimal r, big = dec(NINES_36), tiny = dec("0.000000000000000001");
	struct decimal largest = big;
	largest.coef = largest.coef * 100 + 99; /* 38 nines */
	assert_text(largest, NINES_38);
	assert_true(decimal_add(largest, DECIMAL_ZERO, &r));
	assert_false(decimal_add(largest, decimal_of(1), &r));
	assert_false(decimal_sub(decimal_neg(largest), decimal_of(1), &r));
	assert_true(decimal_add(big, decimal_of(1), &r));
	assert_false(decimal_add(big, tiny, &r));
	assert_false(decimal_mul(big, decimal_of(1000), &r));
	assert_false(decimal_mul(tiny, dec("0.1"), &r));
	assert_true(decimal_mul(tiny, decimal_of(10), &r));
	assert_text(decimal_normalize(r), "0.00000000000000001");
	assert_false(decimal_div(decimal_of(1), DECIMAL_ZERO, 2, &r));
	assert_false(decimal_div(decimal_of(1), decimal_of(3), DECIMAL_MAX_SCALE + 1, &r));
	assert_false(decimal_div(big, tiny, 0, &r));
	assert_true(decimal_div(tiny, largest, 18, &r));
	assert_true(decimal_eq(r, DECIMAL_ZERO));
	assert_true(decimal_div(largest, largest, 18, &r));
	assert_true(decimal_eq(r, decimal_of(1)));
	/* zeros at the end are no reason to refuse */
	assert_true(decimal_mul(dec("1.000000000000000000"), dec("2.500000000000000000"), &r));
	assert_text(decimal_normalize(r), "2.5");
	assert_true(decimal_mul(dec("0.5000000000"), dec("0.0000000002"), &r));
	assert_true(decimal_eq(r, dec("0.0000000001")));
	assert_true(decimal_add(dec("1.000000000000000000"), big, &r));
}

static void rounding_is_half_away_from_zero(void **state)
{
	static const struct {
		const char *from;
		unsigned scale;
		const char *to;
	} cases[] = {
		{ "0.005", 2, "0.01" },
		{ "-0.005", 2, "-0.01" },
		{ "0.0049999", 2, "0.00" },
		{ "2.5", 0, "3" },
		{ "-2.5", 0, "-3" },
		{ "3.5", 0, "4" },
		{ "2.4999", 0, "2" },
		{ "1.005", 2, "1.01" },
		{ "1.015", 2, "1.02" },
		{ "9.995", 2, "10.00" },
		{ "-9.995", 2, "-10.00" },
		{ "1.2", 2, "1.2" },
		{ "0.999999999999999999", 17, "1.00000000000000000" },
		{ "0.45", 1, "0.5" },
		{ "-0.04", 1, "0.0" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_text(decimal_round(dec(cases[i].from), cases[i].scale), cases[i].to);
}

static void division_rounds_half_away_from_zero(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned scale;
		const char *to;
	} cases[] = {
		{ "1", "3", 2, "0.33" },	{ "2", "3", 2, "0.67" },
		{ "-2", "3", 2, "-0.67" },	{ "1", "8", 2, "0.13" },
		{ "-1", "8", 2, "-0.13" },	{ "1", "-8", 2, "-0.13" },
		{ "100", "4", 0, "25" },	{ "0", "-7", 2, "0.00" },
		{ "1.24", "0.01", 0, "124" },	{ "1", "1e-18", 0, "1000000000000000000" },
		{ "5e-18", "1e18", 2, "0.00" }, { "25.5", "100", 3, "0.255" },
		{ "0.5", "1", 0, "1" },		{ "1", "3", 18, "0.333333333333333333" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct decimal r;
		assert_true(decimal_div(dec(cases[i].a), dec(cases[i].b), cases[i].scale, &r));
		assert_text(r, cases[i].to);
	}
}

static void comparison_is_by_value(void **state)
{
	/* ascending */
	static const char *const order[] = {
		MINUS_NINES_36,
		"-1.5",
		"-1.000000000000000001",
		"-1",
		"-0.000000000000000001",
		"0",
		"0.000000000000000001",
		"0.1",
		"0.10000001",
		"1",
		"2",
		"1e35",
		NINES_36,
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(order); k++)
			assert_int_equal(decimal_cmp(dec(order[i]), dec(order[k])),
					 i < k ? -1 : i > k);
	}
	assert_true(decimal_eq(dec("1.0"), dec("1.00")));
	assert_true(decimal_eq(dec("-0.0"), dec("0")));
	assert_int_equal(decimal_sign(dec("-0.1")), -1);
	assert_int_equal(decimal_sign(dec("0.0")), 0);
	assert_int_equal(decimal_sign(dec("7")), 1);
}

static void formats_pad_but_never_cut(void **state)
{
	static const struct {
		const char *from;
		unsigned min_scale;
		char point;
		const char *to;
	} cases[] = {
		{ "1", 2, ',', "1,00" },      { "1.5", 2, '.', "1.50" },
		{ "1.555", 2, '.', "1.555" }, { "-0.5", 2, ',', "-0,50" },
		{ "0", 0, '.', "0" },	      { "0.00", 0, '.', "0.00" },
		{ "-12", 0, '.', "-12" },     { "0.07", 1, ',', "0,07" },
	};
	(void)state;
	char buf[DECIMAL_TEXT_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
			decimal_format(dec(cases[i].from), cases[i].min_scale, cases[i].point, buf),
			cases[i].to);
	struct decimal widest = dec("-" NINES_36);
	widest.coef = widest.coef * 100 - 99;
	assert_string_equal(decimal_format(widest, 99, '.', buf),
			    "-" NINES_38 ".000000000000000000");
}

static void helpers(void **state)
{
	(void)state;
	assert_true(decimal_fits_scale(dec("1.500"), 1));
	assert_false(decimal_fits_scale(dec("1.505"), 2));
	assert_true(decimal_fits_scale(dec("100"), 0));
	assert_text(decimal_normalize(dec("100.00")), "100");
	assert_text(decimal_normalize(dec("0.00")), "0");
	assert_text(decimal_abs(dec("-1.5")), "1.5");
	assert_text(decimal_abs(dec("1.5")), "1.5");
	assert_text(decimal_neg(dec("1.5")), "-1.5");
}

/* xorshift64: the same numbers in every run. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static struct decimal random_decimal(uint64_t *seed)
{
	int64_t coef = (int64_t)(next_random(seed) >> (next_random(seed) % 60 + 1));
	return (struct decimal) { next_random(seed) % 2 ? coef : -coef,
				  (uint8_t)(next_random(seed) % 10) };
}

static void laws_hold_for_random_numbers(void **state)
{
	(void)state;
	uint64_t seed = 20261122;
	char buf[DECIMAL_TEXT_MAX];
	for (int i = 0; i < 20000; i++) {
		struct decimal a = random_decimal(&seed), b = random_decimal(&seed), r, s;
		assert_true(decimal_parse(span_of(decimal_format(a, 0, '.', buf)), &r));
		assert_true(r.coef == a.coef && r.scale == a.scale);
		assert_true(decimal_add(a, b, &r));
		assert_true(decimal_sub(r, b, &s));
		assert_true(decimal_eq(s, a));
		assert_true(decimal_mul(a, b, &r));
		assert_true(decimal_mul(b, a, &s));
		assert_true(decimal_eq(r, s));
		assert_int_equal(decimal_cmp(a, b), -decimal_cmp(b, a));
		if (decimal_sign(b) != 0) { /* a product divides back */
			assert_true(decimal_div(r, b, a.scale, &s));
			assert_true(decimal_eq(s, a));
		}
		/* a rounded value is at most half a unit away */
		unsigned scale = (unsigned)(next_random(&seed) % 6);
		struct decimal half_unit = { 5, (uint8_t)(scale + 1) };
		assert_true(decimal_sub(a, decimal_round(a, scale), &r));
		assert_true(decimal_cmp(decimal_abs(r), half_unit) <= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_exactly),
		cmocka_unit_test(netvisor_numbers_have_a_comma_or_a_dot),
		cmocka_unit_test(arithmetic_is_exact),
		cmocka_unit_test(what_overflows_is_refused),
		cmocka_unit_test(rounding_is_half_away_from_zero),
		cmocka_unit_test(division_rounds_half_away_from_zero),
		cmocka_unit_test(comparison_is_by_value),
		cmocka_unit_test(formats_pad_but_never_cut),
		cmocka_unit_test(helpers),
		cmocka_unit_test(laws_hold_for_random_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
