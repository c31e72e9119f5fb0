/*
 * decimal.h: exact decimal numbers for amounts, quantities and rates. Never a double (DESIGN §7).
 *
 * Value = coefficient * 10^-scale, coefficient a signed 128-bit number, scale 0..18; what does not
 * fit exactly is refused. Rounding is half away from zero. Pure.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/base.h"

#define DECIMAL_MAX_SCALE 18
#define DECIMAL_TEXT_MAX 64

struct decimal {
	__int128 coef;
	uint8_t scale;
};

#define DECIMAL_ZERO ((struct decimal) { 0, 0 })

static inline struct decimal decimal_of(int64_t v)
{
	return (struct decimal) { v, 0 };
}

/* JSON number grammar (sign, digits, fraction, exponent), '.' as point. False when not exact in 36
 * digits and scale 18. */
bool decimal_parse(struct span text, struct decimal *ret) MUST_CHECK;
/* As decimal_parse, ',' or '.' as point and no exponent (Netvisor answers, facts/netvisor.md §3).
 */
bool decimal_parse_comma(struct span text, struct decimal *ret) MUST_CHECK;

/* False on overflow. */
bool decimal_add(struct decimal a, struct decimal b, struct decimal *ret) MUST_CHECK;
bool decimal_sub(struct decimal a, struct decimal b, struct decimal *ret) MUST_CHECK;
bool decimal_mul(struct decimal a, struct decimal b, struct decimal *ret) MUST_CHECK;
/* a / b rounded half away from zero to `scale` digits; false on division by zero or overflow. */
bool decimal_div(struct decimal a, struct decimal b, unsigned scale,
		 struct decimal *ret) MUST_CHECK;
/* Rounded half away from zero to at most `scale` digits. */
struct decimal decimal_round(struct decimal a, unsigned scale);
/* Trailing zeros of the fraction removed. */
struct decimal decimal_normalize(struct decimal a);
struct decimal decimal_neg(struct decimal a);
struct decimal decimal_abs(struct decimal a);
/* -1, 0, 1 by value: 1.0 equals 1.00. */
int decimal_cmp(struct decimal a, struct decimal b);
static inline bool decimal_eq(struct decimal a, struct decimal b)
{
	return decimal_cmp(a, b) == 0;
}
static inline int decimal_sign(struct decimal a)
{
	return a.coef > 0 ? 1 : a.coef < 0 ? -1 : 0;
}
/* True when the value has no more than `scale` significant fraction digits. */
bool decimal_fits_scale(struct decimal a, unsigned scale);

/* Writes with at least min_scale fraction digits and the given point ('.' or ','); returns buf. */
const char *decimal_format(struct decimal a, unsigned min_scale, char point,
			   char buf[DECIMAL_TEXT_MAX]);

#endif
