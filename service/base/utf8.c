/*
 * utf8.c: one strict decoder (RFC 3629), everything else counts with it.
 *
 * Guarantees that no surrogate, overlong form or code point above U+10FFFF passes. Does not
 * normalise and knows no grapheme clusters.
 */
#include "base/base.h"

#include "base/utf8.h"

/* Bytes that the lead byte announces, 0 when it cannot lead. C0, C1 and F5..FF never occur. */
static size_t announced_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

size_t utf8_next(struct span s, uint32_t *ret_cp)
{
	if (s.n == 0)
		return 0;
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = announced_length(p[0]);
	if (n == 0 || n > s.n)
		return 0;
	if (n == 1) {
		*ret_cp = p[0];
		return 1;
	}
	uint32_t cp = p[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3Fu);
	}
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (cp < smallest[n] || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return 0;
	*ret_cp = cp;
	return n;
}

/* Bytes of ASCII at the start, by eights: most text is. */
static size_t ascii_run(struct span s)
{
	size_t i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t eight;
		memcpy(&eight, s.p + i, 8);
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

bool utf8_is_valid(struct span s)
{
	for (;;) {
		size_t n = ascii_run(s);
		s = (struct span) { s.p + n, s.n - n };
		if (s.n == 0)
			return true;
		uint32_t cp;
		n = utf8_next(s, &cp);
		if (n == 0)
			return false;
		s = (struct span) { s.p + n, s.n - n };
	}
}

ssize_t utf8_length(struct span s)
{
	ssize_t chars = 0;
	for (size_t i = 0; i < s.n; chars++) {
		uint32_t cp;
		size_t n = utf8_next((struct span) { s.p + i, s.n - i }, &cp);
		if (n == 0)
			return -1;
		i += n;
	}
	return chars;
}

size_t utf8_prefix(struct span s, size_t max_chars)
{
	size_t i = 0;
	for (size_t chars = 0; chars < max_chars; chars++) {
		uint32_t cp;
		size_t n = utf8_next((struct span) { s.p + i, s.n - i }, &cp);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}
