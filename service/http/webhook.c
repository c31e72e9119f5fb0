/*
 * webhook.c: checks the signature of https://www.standardwebhooks.com: what is signed is
 * "<webhook-id>.<webhook-timestamp>.<raw body>". Guarantees constant-time compares and a bound on
 * the work one request can ask for. Deliberately does not remember ids: intake.lua does.
 */
#include "base/base.h"

#include "base/secret.h"
#include "codec/sign.h"
#include "webhook.h"

#define TIMESTAMP_DIGITS 11

static bool strip(struct span *s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (s->n < n || memcmp(s->p, prefix, n) != 0)
		return false;
	*s = (struct span) { s->p + n, s->n - n };
	return true;
}

bool webhook_keys_add(struct webhook_keys *keys, struct span secret)
{
	if (keys->n >= ARRAY_SIZE(keys->key))
		return false;
	enum webhook_key_type type = WEBHOOK_HMAC;
	if (!strip(&secret, "whsec_")) {
		if (!strip(&secret, "whpk_"))
			return false;
		type = WEBHOOK_ED25519;
	}
	size_t n = 0;
	unsigned char *bytes = keys->key[keys->n].bytes;
	if (!sign_unbase64(secret, bytes, WEBHOOK_KEY_MAX, &n))
		return false;
	if (type == WEBHOOK_ED25519 ? n != 32 : n < 24) {
		secret_wipe(bytes, WEBHOOK_KEY_MAX);
		return false;
	}
	keys->key[keys->n].type = type;
	keys->key[keys->n].n = n;
	keys->n++;
	return true;
}

void webhook_keys_wipe(struct webhook_keys *keys)
{
	secret_wipe(keys, sizeof(*keys));
}

static bool is_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

static bool read_timestamp(struct span s, int64_t *ret)
{
	if (s.n == 0 || s.n > TIMESTAMP_DIGITS)
		return false;
	int64_t v = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*ret = v;
	return true;
}

/* The next word of the header; false at its end. */
static bool next_word(struct span *rest, struct span *ret)
{
	while (rest->n && *rest->p == ' ')
		*rest = (struct span) { rest->p + 1, rest->n - 1 };
	if (!rest->n)
		return false;
	const char *end = memchr(rest->p, ' ', rest->n);
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	*ret = (struct span) { rest->p, n };
	*rest = (struct span) { rest->p + n, rest->n - n };
	return true;
}

/* The HMACs by each key, computed when the first v1 signature asks. */
struct expected {
	bool made;
	unsigned char mac[CONNECTION_MAX_SECRETS][SHA256_BYTES];
	bool has[CONNECTION_MAX_SECRETS];
};

static void make_expected(struct expected *e, const struct webhook_keys *keys,
			  const struct webhook_headers *h, struct span body)
{
	const struct span parts[] = { h->id, SPAN_LIT("."), h->timestamp, SPAN_LIT("."), body };
	for (size_t i = 0; i < keys->n; i++) {
		struct span key = { (const char *)keys->key[i].bytes, keys->key[i].n };
		e->has[i] = keys->key[i].type == WEBHOOK_HMAC &&
			    sign_hmac_sha256_parts(key, parts, ARRAY_SIZE(parts), e->mac[i]);
	}
	e->made = true;
}

static bool fits_hmac(struct expected *e, const struct webhook_keys *keys,
		      const struct webhook_headers *h, struct span body, struct span text)
{
	unsigned char mac[SHA256_BYTES];
	size_t n = 0;
	if (!sign_unbase64(text, mac, sizeof(mac), &n) || n != sizeof(mac))
		return false;
	if (!e->made)
		make_expected(e, keys, h, body);
	bool fits = false;
	for (size_t i = 0; i < keys->n; i++)
		fits |= e->has[i] && sign_equal(mac, e->mac[i], sizeof(mac));
	return fits;
}

static bool fits_ed25519(struct arena *arena, const struct webhook_keys *keys,
			 const struct webhook_headers *h, struct span body, struct span text)
{
	unsigned char sig[64];
	size_t n = 0;
	if (!sign_unbase64(text, sig, sizeof(sig), &n) || n != sizeof(sig))
		return false;
	size_t size = h->id.n + 1 + h->timestamp.n + 1 + body.n;
	char *p = arena_alloc(arena, size);
	if (!p)
		return false;
	char *w = p;
	w = mempcpy(w, h->id.p, h->id.n);
	*w++ = '.';
	w = mempcpy(w, h->timestamp.p, h->timestamp.n);
	*w++ = '.';
	if (body.n)
		memcpy(w, body.p, body.n);
	for (size_t i = 0; i < keys->n; i++)
		if (keys->key[i].type == WEBHOOK_ED25519 &&
		    sign_ed25519_verify(keys->key[i].bytes, (struct span) { p, size }, sig))
			return true;
	return false;
}

bool webhook_is_id(struct span id)
{
	return id.p && id.n > 0 && id.n <= WEBHOOK_ID_MAX && is_printable(id);
}

enum webhook_verdict webhook_verify_by(const struct sender *sender, const struct webhook_keys *keys,
				       struct span header, struct span body, int64_t now_s)
{
	struct span secrets[CONNECTION_MAX_SECRETS];
	size_t n = 0;
	for (size_t i = 0; i < keys->n; i++)
		if (keys->key[i].type == WEBHOOK_HMAC)
			secrets[n++] = (struct span) { (const char *)keys->key[i].bytes,
						       keys->key[i].n };
	return sender->verify(header, body, secrets, n, now_s);
}

enum webhook_verdict webhook_verify(struct arena *arena, const struct webhook_keys *keys,
				    const struct webhook_headers *headers, struct span body,
				    int64_t now_s)
{
	int64_t sent_s = 0;
	if (!webhook_is_id(headers->id) || !headers->signature.p || !headers->timestamp.p ||
	    !read_timestamp(headers->timestamp, &sent_s))
		return WEBHOOK_UNSIGNED;
	if (sent_s < now_s - WEBHOOK_TOLERANCE_S || sent_s > now_s + WEBHOOK_TOLERANCE_S)
		return WEBHOOK_LATE;
	struct expected expected = { .made = false };
	struct span rest = headers->signature, word;
	unsigned seen = 0;
	bool known_scheme = false;
	while (next_word(&rest, &word) && seen++ < WEBHOOK_MAX_SIGNATURES) {
		bool fits = false;
		if (strip(&word, "v1,")) {
			known_scheme = true;
			fits = fits_hmac(&expected, keys, headers, body, word);
		} else if (strip(&word, "v1a,")) {
			known_scheme = true;
			fits = fits_ed25519(arena, keys, headers, body, word);
		}
		if (fits)
			return WEBHOOK_GOOD;
	}
	return known_scheme ? WEBHOOK_FORGED : WEBHOOK_UNSIGNED;
}
