/*
 * fuzz_text.c: the small readers that see header values and vendor texts: dates, numbers, hex,
 * Base64, UTF-8. The first byte chooses one; what it accepts must come back.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/utf8.h"
#include "codec/sign.h"

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_times(struct span text)
{
	int64_t ms, again;
	char buf[CLOCK_RFC3339_MAX];
	int y, m, d;
	if (clock_parse_rfc3339(text, &ms) && ms >= 0 && ms < INT64_C(253402300800000)) {
		MUST(clock_parse_rfc3339(span_of(clock_rfc3339(ms, buf)), &again));
		MUST(again == ms);
	}
	if (clock_parse_http_date(text, &ms))
		MUST(text.n == 29);
	if (clock_parse_date(text, &y, &m, &d)) {
		struct tm tm;
		clock_utc(clock_from_utc(y, m, d, 0, 0, 0), &tm);
		MUST(tm.tm_year == y - 1900 && tm.tm_mon == m - 1 && tm.tm_mday == d);
	}
}

static void fuzz_decimal(struct span text)
{
	struct decimal d, again, r;
	char buf[DECIMAL_TEXT_MAX];
	bool ok = decimal_parse(text, &d);
	if (!ok && !decimal_parse_comma(text, &d))
		return;
	MUST(decimal_parse(span_of(decimal_format(d, 0, '.', buf)), &again));
	MUST(decimal_eq(d, again));
	MUST(decimal_parse_comma(span_of(decimal_format(d, 2, ',', buf)), &again));
	MUST(decimal_eq(d, again));
	MUST(decimal_sub(d, again, &r) && decimal_sign(r) == 0);
	if (decimal_sub(d, decimal_round(d, 2), &r)) /* at most half a cent */
		MUST(decimal_cmp(decimal_abs(r), (struct decimal) { 5, 3 }) <= 0);
	if (decimal_sign(d) != 0)
		MUST(decimal_div(d, d, 2, &r) && decimal_eq(r, decimal_of(1)));
}

static void fuzz_base64(struct span text, struct arena *arena)
{
	size_t n;
	unsigned char *bytes = arena_alloc(arena, text.n);
	MUST(bytes);
	if (sign_unbase64(text, bytes, text.n, &n)) {
		const char *again = sign_base64(arena, (struct span) { (const char *)bytes, n });
		MUST(again && span_is(text, again));
	}
	if (sign_unhex(text, bytes, text.n / 2))
		MUST(text.n % 2 == 0);
	struct seal_key key;
	struct err err = ERR_INIT;
	if (!seal_key_parse(text, &key, &err))
		MUST(err.code == ERR_INPUT);
}

static void fuzz_sealed(struct span sealed, struct arena *arena)
{
	struct seal_key key;
	struct span plain;
	struct err err = ERR_INIT;
	MUST(seal_key_parse(SPAN_LIT("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), &key, &err));
	if (!unseal(arena, &key, SPAN_LIT("tr:1"), sealed, &plain, &err))
		MUST(err.code == ERR_DATA || err.code == ERR_CREDENTIALS);
}

static void fuzz_foreign_text(struct span text)
{
	struct err err = ERR_INIT;
	err_target_text(&err, text);
	MUST(utf8_is_valid(span_of(err.target_text)));
	ssize_t chars = utf8_length(text);
	MUST((chars >= 0) == utf8_is_valid(text));
	MUST((utf8_prefix(text, SIZE_MAX) == text.n) == (chars >= 0));
	if (chars >= 0)
		MUST(utf8_prefix(text, (size_t)chars) == text.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)1 << 20);
	MUST(arena);
	struct span text = { (const char *)data + 1, size - 1 };
	switch (data[0]) {
	case 't':
		fuzz_times(text);
		break;
	case 'd':
		fuzz_decimal(text);
		break;
	case 'b':
		fuzz_base64(text, arena);
		break;
	case 's':
		fuzz_sealed(text, arena);
		break;
	default:
		fuzz_foreign_text(text);
		break;
	}
	return 0;
}
