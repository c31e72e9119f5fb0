/*
 * sign_text.c: hexadecimal and Base64, declared in codec/sign.h.
 *
 * Guarantees one text per value: decoding refuses white space, missing padding and stray bits. Not
 * in constant time: never compare secrets by their text codes.
 */
#include "base/base.h"

#include "codec/sign.h"

void sign_hex(const unsigned char *p, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[p[i] >> 4];
		ret[2 * i + 1] = digits[p[i] & 15];
	}
	ret[2 * n] = '\0';
}

/* 0..15, or -1. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool sign_unhex(struct span hex, unsigned char *ret, size_t n)
{
	if (hex.n % 2 || hex.n / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(hex.p[2 * i]), low = hex_value(hex.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}

char *sign_base64(struct arena *arena, struct span data)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (data.n > SIZE_MAX / 2)
		return NULL;
	char *text = arena_alloc(arena, (data.n + 2) / 3 * 4 + 1);
	if (!text)
		return NULL;
	char *to = text;
	for (size_t i = 0; i < data.n; i += 3) {
		size_t left = data.n - i;
		uint32_t v = (uint32_t)(unsigned char)data.p[i] << 16;
		v |= left > 1 ? (uint32_t)(unsigned char)data.p[i + 1] << 8 : 0;
		v |= left > 2 ? (uint32_t)(unsigned char)data.p[i + 2] : 0;
		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[v & 63] : '=';
	}
	*to = '\0';
	return text;
}

/* 0..63, or -1. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, the last `pad` of them '=', as a 24-bit number; false for stray characters or bits.
 */
static bool read_quad(const char *p, size_t pad, uint32_t *ret)
{
	uint32_t v = 0;
	for (size_t i = 0; i < 4; i++) {
		int digit = i < 4 - pad ? base64_value(p[i]) : 0;
		if (digit < 0)
			return false;
		v = v << 6 | (uint32_t)digit;
	}
	*ret = v;
	return (v & ((UINT32_C(1) << 8 * pad) - 1)) == 0;
}

bool sign_unbase64(struct span text, unsigned char *ret, size_t cap, size_t *ret_n)
{
	if (text.n % 4)
		return false;
	size_t pad = 0;
	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	size_t n = text.n / 4 * 3 - pad;
	if (n > cap)
		return false;
	size_t out = 0;
	for (size_t i = 0; i < text.n; i += 4) {
		uint32_t v;
		if (!read_quad(text.p + i, i + 4 == text.n ? pad : 0, &v))
			return false;
		for (int shift = 16; shift >= 0 && out < n; shift -= 8)
			ret[out++] = (unsigned char)(v >> shift);
	}
	*ret_n = n;
	return true;
}
