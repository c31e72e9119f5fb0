/*
 * identifier.c: check digits (facts/nordic-identifiers.md §1-3), declared in model/identifier.h.
 *
 * Guarantees that what is called good would be accepted by the receiving bank, register or network
 * as far as digits can tell. Does not ask a register whether the number was ever issued.
 */
#include "base/base.h"
#include "model/identifier.h"

#include "model/codes.h"

/* ---- digits -------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool all_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return true;
}

static struct span cut(struct span s, size_t from, size_t to)
{
	return (struct span) { s.p + from, to - from };
}

/* Sum of digit x weight, the weights from the left. */
static int weighed(const char *digits, const int *weights, size_t n)
{
	int sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (digits[i] - '0') * weights[i];
	return sum;
}

/* The last of n digits against 11 - sum mod 11 of those before it; a rest of 1 has no digit. */
static enum identifier_fault mod11(const char *digits, const int *weights, size_t n)
{
	int rest = weighed(digits, weights, n - 1) % 11;
	if (rest == 1)
		return IDENTIFIER_UNUSABLE;
	return digits[n - 1] - '0' == (rest ? 11 - rest : 0) ? IDENTIFIER_GOOD : IDENTIFIER_CHECK;
}

static enum identifier_fault luhn(struct span s)
{
	int sum = 0;
	for (size_t i = 0; i < s.n; i++) {
		int d = s.p[s.n - 1 - i] - '0';
		d <<= i & 1;
		sum += d > 9 ? d - 9 : d;
	}
	return sum % 10 == 0 ? IDENTIFIER_GOOD : IDENTIFIER_CHECK;
}

/* Digits of a fixed length? */
static enum identifier_fault shape(struct span s, size_t min, size_t max)
{
	if (s.n < min || s.n > max)
		return IDENTIFIER_LENGTH;
	return all_digits(s) ? IDENTIFIER_GOOD : IDENTIFIER_CHARACTER;
}

/* ---- Finland ------------------------------------------------------------------------------- */

/* The eight digits of a business id, without hyphen. */
static enum identifier_fault fi_eight(struct span s)
{
	static const int weights[7] = { 7, 9, 10, 5, 8, 4, 2 };
	enum identifier_fault f = shape(s, 8, 8);
	return f == IDENTIFIER_GOOD ? mod11(s.p, weights, 8) : f;
}

static enum identifier_fault fi_business(struct span s)
{
	char eight[8];
	if (s.n != 9)
		return IDENTIFIER_LENGTH;
	if (s.p[7] != '-')
		return IDENTIFIER_CHARACTER;
	memcpy(eight, s.p, 7);
	eight[7] = s.p[8];
	return fi_eight((struct span) { eight, 8 });
}

static enum identifier_fault prefixed(struct span s, const char *prefix, size_t min, size_t max)
{
	size_t n = strlen(prefix);
	if (s.n < min || s.n > max)
		return IDENTIFIER_LENGTH;
	return memcmp(s.p, prefix, n) == 0 ? IDENTIFIER_GOOD : IDENTIFIER_CHARACTER;
}

static enum identifier_fault fi_vat(struct span s)
{
	enum identifier_fault f = prefixed(s, "FI", 10, 10);
	return f == IDENTIFIER_GOOD ? fi_eight(cut(s, 2, 10)) : f;
}

static enum identifier_fault fi_ovt(struct span s)
{
	enum identifier_fault f = prefixed(s, "0037", 12, 17);
	if (f != IDENTIFIER_GOOD)
		return f;
	for (size_t i = 12; i < s.n; i++)
		if (!is_digit(s.p[i]) && !is_upper(s.p[i]))
			return IDENTIFIER_CHARACTER;
	return fi_eight(cut(s, 4, 12));
}

/* Weights 7, 3, 1 from the right (§1.3). */
static enum identifier_fault fi_reference(struct span s)
{
	static const int weights[3] = { 7, 3, 1 };
	enum identifier_fault f = shape(s, 4, 20);
	if (f != IDENTIFIER_GOOD)
		return f;
	int sum = 0;
	for (size_t i = 0; i + 1 < s.n; i++)
		sum += (s.p[s.n - 2 - i] - '0') * weights[i % 3];
	return s.p[s.n - 1] - '0' == (10 - sum % 10) % 10 ? IDENTIFIER_GOOD : IDENTIFIER_CHECK;
}

/* ---- Norway -------------------------------------------------------------------------------- */

static enum identifier_fault no_org(struct span s)
{
	static const int weights[8] = { 3, 2, 7, 6, 5, 4, 3, 2 };
	enum identifier_fault f = shape(s, 9, 9);
	return f == IDENTIFIER_GOOD ? mod11(s.p, weights, 9) : f;
}

static enum identifier_fault no_vat(struct span s)
{
	enum identifier_fault f = prefixed(s, "NO", 14, 14);
	if (f != IDENTIFIER_GOOD)
		return f;
	return memcmp(s.p + 11, "MVA", 3) == 0 ? no_org(cut(s, 2, 11)) : IDENTIFIER_CHARACTER;
}

static enum identifier_fault no_account(struct span s)
{
	static const int weights[10] = { 5, 4, 3, 2, 7, 6, 5, 4, 3, 2 };
	enum identifier_fault f = shape(s, 11, 11);
	return f == IDENTIFIER_GOOD ? mod11(s.p, weights, 11) : f;
}

/* Weights 2..7 from the right; a check value of 10 is written '-' (§2.2). */
static enum identifier_fault kid_mod11(struct span s)
{
	if (s.n < 2 || s.n > 25)
		return IDENTIFIER_LENGTH;
	char last = s.p[s.n - 1];
	if (!all_digits(cut(s, 0, s.n - 1)) || (!is_digit(last) && last != '-'))
		return IDENTIFIER_CHARACTER;
	int sum = 0;
	for (size_t i = 0; i + 1 < s.n; i++)
		sum += (s.p[s.n - 2 - i] - '0') * (int)(2 + i % 6);
	int check = (11 - sum % 11) % 11;
	return last == (check == 10 ? '-' : (char)('0' + check)) ? IDENTIFIER_GOOD
								 : IDENTIFIER_CHECK;
}

static enum identifier_fault kid_mod10(struct span s)
{
	enum identifier_fault f = shape(s, 2, 25);
	return f == IDENTIFIER_GOOD ? luhn(s) : f;
}

/* ---- all countries ------------------------------------------------------------------------- */

/* ISO 7064 mod 97-10 over the text with its first four characters moved to the end. */
static enum identifier_fault mod97(struct span s)
{
	unsigned rest = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[(i + 4) % s.n];
		if (is_digit(c))
			rest = (rest * 10 + (unsigned)(c - '0')) % 97;
		else if (is_upper(c))
			rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
		else
			return IDENTIFIER_CHARACTER;
	}
	return rest == 1 ? IDENTIFIER_GOOD : IDENTIFIER_CHECK;
}

static enum identifier_fault rf(struct span s)
{
	enum identifier_fault f = prefixed(s, "RF", 5, 25);
	if (f != IDENTIFIER_GOOD)
		return f;
	return is_digit(s.p[2]) && is_digit(s.p[3]) ? mod97(s) : IDENTIFIER_CHARACTER;
}

/* Length of an IBAN by country; 0: not listed here, judged by its check digits alone. */
static size_t iban_length(const char *country)
{
	static const struct {
		char country[3];
		unsigned char length;
	} lengths[] = {
		{ "NO", 15 }, { "BE", 16 }, { "DK", 18 }, { "FI", 18 }, { "NL", 18 }, { "AT", 20 },
		{ "EE", 20 }, { "LT", 20 }, { "LU", 20 }, { "CH", 21 }, { "LV", 21 }, { "DE", 22 },
		{ "GB", 22 }, { "IE", 22 }, { "CZ", 24 }, { "ES", 24 }, { "SE", 24 }, { "PT", 25 },
		{ "IS", 26 }, { "FR", 27 }, { "IT", 27 }, { "PL", 28 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		if (memcmp(lengths[i].country, country, 2) == 0)
			return lengths[i].length;
	return 0;
}

static enum identifier_fault iban(struct span s)
{
	if (s.n < 15 || s.n > 34)
		return IDENTIFIER_LENGTH;
	if (!is_upper(s.p[0]) || !is_upper(s.p[1]) || !is_digit(s.p[2]) || !is_digit(s.p[3]))
		return IDENTIFIER_CHARACTER;
	size_t length = iban_length(s.p);
	return length && length != s.n ? IDENTIFIER_LENGTH : mod97(s);
}

static enum identifier_fault se_org(struct span s)
{
	enum identifier_fault f = shape(s, 10, 10);
	return f == IDENTIFIER_GOOD ? luhn(s) : f;
}

/* Weights 3, 1 from the right, before the check digit. */
static enum identifier_fault gln(struct span s)
{
	enum identifier_fault f = shape(s, 13, 13);
	if (f != IDENTIFIER_GOOD)
		return f;
	int sum = 0;
	for (size_t i = 0; i < 13; i++)
		sum += (s.p[12 - i] - '0') * (i & 1 ? 3 : 1);
	return sum % 10 == 0 ? IDENTIFIER_GOOD : IDENTIFIER_CHECK;
}

enum identifier_fault identifier_check(enum identifier_kind kind, struct span canonical)
{
	switch (kind) {
	case ID_FI_BUSINESS:
		return fi_business(canonical);
	case ID_FI_VAT:
		return fi_vat(canonical);
	case ID_FI_OVT:
		return fi_ovt(canonical);
	case ID_FI_REFERENCE:
		return fi_reference(canonical);
	case ID_RF:
		return rf(canonical);
	case ID_NO_ORG:
		return no_org(canonical);
	case ID_NO_VAT:
		return no_vat(canonical);
	case ID_NO_ACCOUNT:
		return no_account(canonical);
	case ID_KID_MOD10:
		return kid_mod10(canonical);
	case ID_KID_MOD11:
		return kid_mod11(canonical);
	case ID_IBAN:
		return iban(canonical);
	case ID_SE_ORG:
		return se_org(canonical);
	case ID_GLN:
		return gln(canonical);
	}
	return IDENTIFIER_CHARACTER;
}

/* ---- from what people type ----------------------------------------------------------------- */

char *identifier_compact(struct arena *arena, const char *text)
{
	char *ret = arena_strdup(arena, text ? text : "");
	if (!ret)
		return NULL;
	char *to = ret;
	for (const char *p = ret; *p; p++) {
		if (strncmp(p, "\xC2\xA0", 2) == 0)
			p++; /* a no-break space is two bytes */
		else if (!strchr(" \t\r\n-.", *p))
			*to++ = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
	}
	*to = '\0';
	return ret;
}

static bool is_country(const char *code, const char *want)
{
	return code && strcasecmp(code, want) == 0;
}

const char *business_id_from(struct arena *arena, const char *vat_number_or_id)
{
	const char *p = vat_number_or_id ? identifier_compact(arena, vat_number_or_id) : NULL;
	char eight[9] = "";
	if (!p)
		return NULL;
	if (strncmp(p, "FI", 2) == 0)
		p += 2;
	size_t n = strlen(p);
	if (n != 7 && n != 8)
		return NULL;
	eight[0] = '0'; /* old ids were written without the leading zero */
	for (size_t i = 0; i < n; i++)
		eight[8 - n + i] = p[i];
	if (fi_eight((struct span) { eight, 8 }) != IDENTIFIER_GOOD)
		return NULL;
	return arena_printf(arena, "%.7s-%c", eight, eight[7]);
}

/* The nine digits of a Norwegian number in any of its written forms. */
static const char *no_org_from(struct arena *arena, const char *compact)
{
	const char *p = strncmp(compact, "NO", 2) == 0 ? compact + 2 : compact;
	size_t n = strlen(p);
	if (n == 12 && strcmp(p + 9, "MVA") == 0)
		n = 9;
	return n == 9 && no_org((struct span) { p, 9 }) == IDENTIFIER_GOOD
		       ? arena_memdup(arena, p, 9)
		       : NULL;
}

static bool has_country_letters(const char *compact)
{
	return is_upper(compact[0]) && is_upper(compact[1]);
}

/* A VAT number of a country whose check digit is not kept here: two letters, then 2..13 letters
 * and digits with at least one digit. */
static bool has_vat_shape(const char *compact)
{
	size_t n = strlen(compact), digits = 0;
	if (n < 4 || n > 15)
		return false;
	char country[3] = { compact[0], compact[1], '\0' };
	if (!country_is_known(country) && strcmp(country, "EL") != 0) /* Greece says EL */
		return false;
	for (size_t i = 2; i < n; i++) {
		if (!is_digit(compact[i]) && !is_upper(compact[i]))
			return false;
		digits += is_digit(compact[i]);
	}
	return digits > 0;
}

const char *vat_id_from(struct arena *arena, const char *text, const char *country_code,
			bool is_registered)
{
	char *compact = text ? identifier_compact(arena, text) : NULL;
	if (!compact || !compact[0])
		return NULL;
	bool has_letters = has_country_letters(compact);
	bool is_finnish = has_letters ? strncmp(compact, "FI", 2) == 0
				      : is_registered && is_country(country_code, "FI");
	if (is_finnish) {
		const char *id = business_id_from(arena, compact);
		return id ? arena_printf(arena, "FI%.7s%c", id, id[8]) : NULL;
	}
	bool says_mva = strlen(compact) == 12 && strcmp(compact + 9, "MVA") == 0;
	if (strncmp(compact, "NO", 2) == 0 || says_mva ||
	    (!has_letters && is_registered && is_country(country_code, "NO"))) {
		const char *org = no_org_from(arena, compact);
		return org ? arena_printf(arena, "NO%sMVA", org) : NULL;
	}
	return has_vat_shape(compact) ? compact : NULL;
}

/* The ten digits of a Swedish number: SE + ten + "01", or bare. */
static const char *se_org_from(struct arena *arena, const char *compact)
{
	bool is_vat = strncmp(compact, "SE", 2) == 0;
	const char *p = is_vat ? compact + 2 : compact;
	if (strlen(p) != (is_vat ? 12u : 10u) || se_org((struct span) { p, 10 }) != IDENTIFIER_GOOD)
		return NULL;
	return arena_memdup(arena, p, 10);
}

bool legal_id_from(struct arena *arena, const char *text, const char *country_code,
		   struct scheme_id *ret)
{
	char *compact = text ? identifier_compact(arena, text) : NULL;
	if (!compact || !compact[0])
		return false;
	const char *country = has_country_letters(compact) ? compact : country_code;
	struct scheme_id id = { NULL, NULL };
	if (country && strncasecmp(country, "FI", 2) == 0)
		id = (struct scheme_id) { "0212", business_id_from(arena, compact) };
	else if (country && strncasecmp(country, "NO", 2) == 0)
		id = (struct scheme_id) { "0192", no_org_from(arena, compact) };
	else if (country && strncasecmp(country, "SE", 2) == 0)
		id = (struct scheme_id) { "0007", se_org_from(arena, compact) };
	if (!id.value)
		return false;
	*ret = id;
	return true;
}

/* ---- electronic addresses ------------------------------------------------------------------ */

/* Any written form of a Finnish company's address as an OVT. */
static const char *ovt_from(struct arena *arena, const char *compact)
{
	if (fi_ovt(span_of(compact)) == IDENTIFIER_GOOD)
		return compact;
	const char *id = business_id_from(arena, compact);
	return id ? arena_printf(arena, "0037%.7s%c", id, id[8]) : NULL;
}

static bool endpoint_of_scheme(struct arena *arena, const char *scheme, const char *value,
			       struct scheme_id *ret)
{
	static const char *const finnish[] = { "0037", "0212", "0213", "0216" };
	for (size_t i = 0; i < ARRAY_SIZE(finnish); i++)
		if (strcmp(scheme, finnish[i]) == 0) {
			*ret = (struct scheme_id) { "0216", ovt_from(arena, value) };
			return ret->value != NULL;
		}
	if (strcmp(scheme, "0192") == 0 || strcmp(scheme, "9908") == 0) {
		*ret = (struct scheme_id) { "0192", no_org_from(arena, value) };
		return ret->value != NULL;
	}
	if (!endpoint_scheme_is_known(scheme) || !value[0] ||
	    (strcmp(scheme, "0007") == 0 && !identifier_is(ID_SE_ORG, value)) ||
	    (strcmp(scheme, "0088") == 0 && !identifier_is(ID_GLN, value)))
		return false;
	*ret = (struct scheme_id) { arena_strdup(arena, scheme), value };
	return ret->scheme != NULL;
}

bool endpoint_from(struct arena *arena, const char *text, const char *country_code,
		   struct scheme_id *ret)
{
	char *compact = text ? identifier_compact(arena, text) : NULL;
	if (!compact)
		return false;
	if (strlen(compact) > 5 && compact[4] == ':' && all_digits((struct span) { compact, 4 })) {
		char scheme[5] = { compact[0], compact[1], compact[2], compact[3], '\0' };
		return endpoint_of_scheme(arena, scheme, compact + 5, ret);
	}
	if (identifier_is(ID_FI_OVT, compact))
		return endpoint_of_scheme(arena, "0216", compact, ret);
	struct scheme_id legal;
	if (!legal_id_from(arena, compact, country_code, &legal))
		return false;
	char *digits = identifier_compact(arena, legal.value);
	return digits && endpoint_of_scheme(arena, legal.scheme, digits, ret);
}

/* ---- payment references -------------------------------------------------------------------- */

static const char *without_leading_zeros(const char *digits)
{
	while (digits[0] == '0' && digits[1])
		digits++;
	return digits;
}

static const char *finnish_reference(char *compact)
{
	if (strncmp(compact, "RF", 2) != 0) {
		const char *plain = without_leading_zeros(compact);
		return identifier_is(ID_FI_REFERENCE, plain) ? plain : NULL;
	}
	if (!identifier_is(ID_RF, compact))
		return NULL;
	const char *inside = without_leading_zeros(compact + 4);
	return identifier_is(ID_FI_REFERENCE, inside) ? compact : NULL;
}

/* A hyphen at the end is a check character of modulus 11; elsewhere it divides. */
static const char *norwegian_kid(struct arena *arena, const char *text, const char *compact,
				 enum identifier_kind kid)
{
	size_t n = strlen(text);
	while (n > 0 && text[n - 1] == ' ')
		n--;
	if (kid == ID_KID_MOD11 && n > 0 && text[n - 1] == '-')
		compact = arena_printf(arena, "%s-", compact);
	return compact && identifier_is(kid, compact) ? compact : NULL;
}

const char *payment_reference_from(struct arena *arena, const char *text, const char *country_code,
				   enum identifier_kind kid)
{
	char *compact = identifier_compact(arena, text);
	if (!compact || !compact[0])
		return NULL;
	if (is_country(country_code, "FI"))
		return finnish_reference(compact);
	if (strncmp(compact, "RF", 2) == 0)
		return identifier_is(ID_RF, compact) ? compact : NULL;
	if (!is_country(country_code, "NO"))
		return text;
	return norwegian_kid(arena, text, compact, kid);
}
