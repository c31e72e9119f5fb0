/*
 * decimal.c: exact decimal arithmetic on a 128-bit coefficient.
 *
 * Guarantees that a result is exact (or, for division and rounding, exactly rounded half away from
 * zero) or refused: a coefficient never passes 38 digits, a scale never 18. Does not know money,
 * currencies or locales.
 */
#include "base/base.h"

#include "base/decimal.h"

typedef unsigned __int128 u128;

#define MAX_DIGITS 38 /* of a coefficient: the most that always fit into 127 bits */
#define PARSE_DIGITS 36
#define PARSE_EXPONENT 100 /* larger ones are refused unless the number is zero */

/* 10^n, n <= 38. */
static u128 pow10_u128(unsigned n)
{
	static const uint64_t small[] = {
		1,
		10,
		100,
		1000,
		10000,
		100000,
		1000000,
		10000000,
		100000000,
		1000000000,
		10000000000,
		100000000000,
		1000000000000,
		10000000000000,
		100000000000000,
		1000000000000000,
		10000000000000000,
		100000000000000000,
		1000000000000000000,
		10000000000000000000u,
	};
	assert(n <= MAX_DIGITS);
	return n < ARRAY_SIZE(small) ? small[n] : (u128)small[19] * small[n - 19];
}

static u128 magnitude(__int128 v)
{
	return v < 0 ? -(u128)v : (u128)v;
}

static bool set_checked(bool is_negative, u128 coef, unsigned scale, struct decimal *ret)
{
	if (coef >= pow10_u128(MAX_DIGITS) || scale > DECIMAL_MAX_SCALE)
		return false;
	*ret = (struct decimal) { is_negative ? -(__int128)coef : (__int128)coef, (uint8_t)scale };
	return true;
}

/* A number token taken apart: digits * 10^(exponent - fraction). */
struct token {
	bool is_negative;
	u128 digits; /* trailing zeros of the fraction beyond scale 18 left out */
	unsigned n_digits, fraction;
};

/* Takes a digit in; false past 36 significant digits. */
static bool add_digit(struct token *t, char c)
{
	if (t->n_digits == 0 && c == '0')
		return true;
	t->digits = t->digits * 10 + (unsigned)(c - '0');
	return ++t->n_digits <= PARSE_DIGITS;
}

static bool is_digit_at(struct span s, size_t i)
{
	return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

/* Fraction digits from *pos on. Zeros at its end carry no value, so they never make it too long. */
static bool parse_fraction(struct span s, size_t *pos, struct token *t)
{
	size_t end = *pos;
	while (is_digit_at(s, end))
		end++;
	if (end == *pos)
		return false;
	size_t kept = end;
	while (kept > *pos && s.p[kept - 1] == '0' &&
	       (kept - *pos > DECIMAL_MAX_SCALE || t->n_digits + (kept - *pos) > PARSE_DIGITS))
		kept--;
	for (size_t i = *pos; i < kept; i++) {
		if (!add_digit(t, s.p[i]))
			return false;
	}
	if (kept - *pos > PARSE_EXPONENT)
		return false;
	t->fraction = (unsigned)(kept - *pos);
	*pos = end;
	return true;
}

/* The digits behind "e"; clamped, so that 1e999999999999 does not wrap. */
static bool parse_exponent(struct span s, size_t *pos, int *ret)
{
	bool is_negative = *pos < s.n && s.p[*pos] == '-';
	if (*pos < s.n && (s.p[*pos] == '-' || s.p[*pos] == '+'))
		(*pos)++;
	if (!is_digit_at(s, *pos))
		return false;
	int v = 0;
	for (; is_digit_at(s, *pos); (*pos)++)
		v = v > PARSE_EXPONENT ? v : v * 10 + (s.p[*pos] - '0');
	*ret = is_negative ? -v : v;
	return true;
}

static bool apply_exponent(const struct token *t, int exponent, struct decimal *ret)
{
	int scale = (int)t->fraction - exponent;
	u128 digits = t->digits;
	if (digits == 0) {
		int kept = scale < 0 ? 0 : scale > DECIMAL_MAX_SCALE ? DECIMAL_MAX_SCALE : scale;
		*ret = (struct decimal) { 0, (uint8_t)kept };
		return true;
	}
	for (; scale > DECIMAL_MAX_SCALE; scale--) {
		if (digits % 10)
			return false;
		digits /= 10;
	}
	if (scale < 0) {
		if (-scale + (int)t->n_digits > PARSE_DIGITS)
			return false;
		digits *= pow10_u128((unsigned)-scale);
		scale = 0;
	}
	return set_checked(t->is_negative, digits, (unsigned)scale, ret);
}

bool decimal_parse(struct span text, struct decimal *ret)
{
	struct token t = { .is_negative = text.n > 0 && text.p[0] == '-' };
	size_t i = t.is_negative;
	size_t first = i;
	for (; is_digit_at(text, i); i++) {
		if (!add_digit(&t, text.p[i]))
			return false;
	}
	if (i == first || (text.p[first] == '0' && i > first + 1))
		return false;
	if (i < text.n && text.p[i] == '.') {
		i++;
		if (!parse_fraction(text, &i, &t))
			return false;
	}
	int exponent = 0;
	if (i < text.n && (text.p[i] == 'e' || text.p[i] == 'E')) {
		i++;
		if (!parse_exponent(text, &i, &exponent))
			return false;
	}
	return i == text.n && apply_exponent(&t, exponent, ret);
}

bool decimal_parse_comma(struct span text, struct decimal *ret)
{
	struct token t = { .is_negative = text.n > 0 && text.p[0] == '-' };
	size_t i = t.is_negative;
	size_t first = i;
	for (; is_digit_at(text, i); i++) {
		if (!add_digit(&t, text.p[i]))
			return false;
	}
	if (i == first)
		return false;
	if (i < text.n && (text.p[i] == '.' || text.p[i] == ',')) {
		i++;
		if (!parse_fraction(text, &i, &t))
			return false;
	}
	return i == text.n && apply_exponent(&t, 0, ret);
}

struct decimal decimal_normalize(struct decimal a)
{
	while (a.scale > 0 && a.coef % 10 == 0) {
		a.coef /= 10;
		a.scale--;
	}
	return a;
}

struct decimal decimal_neg(struct decimal a)
{
	a.coef = -a.coef;
	return a;
}

struct decimal decimal_abs(struct decimal a)
{
	return a.coef < 0 ? decimal_neg(a) : a;
}

/* The coefficient at a larger scale; false on overflow. */
static bool rescale(struct decimal a, unsigned scale, __int128 *ret)
{
	return !__builtin_mul_overflow(a.coef, (__int128)pow10_u128(scale - a.scale), ret);
}

static bool add_at_one_scale(struct decimal a, struct decimal b, struct decimal *ret)
{
	unsigned scale = a.scale > b.scale ? a.scale : b.scale;
	__int128 x, y, sum;
	if (!rescale(a, scale, &x) || !rescale(b, scale, &y) || __builtin_add_overflow(x, y, &sum))
		return false;
	return set_checked(sum < 0, magnitude(sum), scale, ret);
}

bool decimal_add(struct decimal a, struct decimal b, struct decimal *ret)
{
	/* zeros at the end of a fraction are kept for show, but never the reason of a refusal */
	return add_at_one_scale(a, b, ret) ||
	       add_at_one_scale(decimal_normalize(a), decimal_normalize(b), ret);
}

bool decimal_sub(struct decimal a, struct decimal b, struct decimal *ret)
{
	return decimal_add(a, decimal_neg(b), ret);
}

bool decimal_mul(struct decimal a, struct decimal b, struct decimal *ret)
{
	unsigned scale = (unsigned)a.scale + b.scale;
	__int128 product;
	if (scale > DECIMAL_MAX_SCALE || __builtin_mul_overflow(a.coef, b.coef, &product)) {
		a = decimal_normalize(a);
		b = decimal_normalize(b);
		scale = (unsigned)a.scale + b.scale;
		if (__builtin_mul_overflow(a.coef, b.coef, &product))
			return false;
	}
	for (; scale > 0 && product % 10 == 0 &&
	       (scale > DECIMAL_MAX_SCALE || magnitude(product) >= pow10_u128(MAX_DIGITS));
	     scale--)
		product /= 10;
	return set_checked(product < 0, magnitude(product), scale, ret);
}

/* q = a / b with `more` further decimal digits, half away from zero. */
static bool divide(u128 a, u128 b, unsigned more, u128 *ret)
{
	u128 q = a / b, rest = a % b;
	for (; more > 0; more--) {
		u128 tenfold;
		if (__builtin_mul_overflow(rest, 10, &tenfold) || __builtin_mul_overflow(q, 10, &q))
			return false;
		q += tenfold / b;
		rest = tenfold % b;
	}
	*ret = q + (rest >= b - rest);
	return true;
}

bool decimal_div(struct decimal a, struct decimal b, unsigned scale, struct decimal *ret)
{
	if (b.coef == 0 || scale > DECIMAL_MAX_SCALE)
		return false;
	a = decimal_normalize(a);
	b = decimal_normalize(b);
	bool is_negative = (a.coef < 0) != (b.coef < 0);
	u128 x = magnitude(a.coef), y = magnitude(b.coef), q;
	int more = (int)scale + b.scale - a.scale;
	if (more < 0 && __builtin_mul_overflow(y, pow10_u128((unsigned)-more), &y)) {
		*ret = (struct decimal) { 0, (uint8_t)scale }; /* the divisor dwarfs any a */
		return true;
	}
	if (!divide(x, y, more > 0 ? (unsigned)more : 0, &q))
		return false;
	return set_checked(is_negative, q, scale, ret);
}

struct decimal decimal_round(struct decimal a, unsigned scale)
{
	if (a.scale <= scale)
		return a;
	u128 unit = pow10_u128(a.scale - scale), m = magnitude(a.coef);
	u128 q = m / unit + (m % unit >= unit / 2);
	return (struct decimal) { a.coef < 0 ? -(__int128)q : (__int128)q, (uint8_t)scale };
}

bool decimal_fits_scale(struct decimal a, unsigned scale)
{
	return decimal_normalize(a).scale <= scale;
}

/* Compares |a| and |b|: the whole parts, then the fractions at scale 18, which cannot overflow. */
static int compare_magnitudes(struct decimal a, struct decimal b)
{
	u128 unit_a = pow10_u128(a.scale), unit_b = pow10_u128(b.scale);
	u128 x = magnitude(a.coef), y = magnitude(b.coef);
	if (x / unit_a != y / unit_b)
		return x / unit_a < y / unit_b ? -1 : 1;
	x = x % unit_a * pow10_u128(DECIMAL_MAX_SCALE - a.scale);
	y = y % unit_b * pow10_u128(DECIMAL_MAX_SCALE - b.scale);
	return x < y ? -1 : x > y;
}

int decimal_cmp(struct decimal a, struct decimal b)
{
	int sign_a = decimal_sign(a), sign_b = decimal_sign(b);
	if (sign_a != sign_b)
		return sign_a < sign_b ? -1 : 1;
	return sign_a * compare_magnitudes(a, b);
}

const char *decimal_format(struct decimal a, unsigned min_scale, char point,
			   char buf[DECIMAL_TEXT_MAX])
{
	char reversed[DECIMAL_TEXT_MAX];
	size_t n = 0;
	if (min_scale > DECIMAL_MAX_SCALE)
		min_scale = DECIMAL_MAX_SCALE;
	for (unsigned i = a.scale; i < min_scale; i++)
		reversed[n++] = '0';
	u128 rest = magnitude(a.coef);
	for (unsigned i = 0; i < a.scale; i++, rest /= 10)
		reversed[n++] = (char)('0' + (int)(rest % 10));
	if (n > 0)
		reversed[n++] = point;
	do {
		reversed[n++] = (char)('0' + (int)(rest % 10));
		rest /= 10;
	} while (rest > 0);
	if (a.coef < 0)
		reversed[n++] = '-';
	for (size_t i = 0; i < n; i++)
		buf[i] = reversed[n - 1 - i];
	buf[n] = '\0';
	return buf;
}
