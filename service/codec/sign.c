/*
 * sign.c: digests, MACs, signatures, randomness and UUIDs (OpenSSL).
 *
 * Guarantees that no call looks an algorithm up: OpenSSL 3.0 spends more time on EVP_*_fetch than
 * on hashing a webhook, so each is fetched once per process. Does not make keys or Ed25519
 * signatures: we only check those of others. Text codes are in sign_text.c, sealing is in
 * sign_seal.c.
 */
#include "base/base.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "codec/sign.h"

#define SHA256_BLOCK 64

CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)
CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)

/* Written once under `once`, constant afterwards; a member is NULL when OpenSSL lacks it. */
static struct {
	pthread_once_t once;
	EVP_MD *sha256, *sha1;
} algorithms = { .once = PTHREAD_ONCE_INIT };

static void fetch_algorithms(void)
{
	algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	algorithms.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
}

/* For the functions that have no way to say no: OpenSSL fails here only without memory. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool digest(const EVP_MD *md, const struct span *parts, size_t n, unsigned char *ret)
{
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!md || !ctx || !EVP_DigestInit_ex2(ctx, md, NULL))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!EVP_DigestUpdate(ctx, parts[i].p, parts[i].n))
			return false;
	}
	return EVP_DigestFinal_ex(ctx, ret, NULL);
}

void sign_sha256(struct span data, unsigned char ret[SHA256_BYTES])
{
	pthread_once(&algorithms.once, fetch_algorithms);
	must(digest(algorithms.sha256, &data, 1, ret));
}

bool sha256_stream_init(struct sha256_stream *s)
{
	pthread_once(&algorithms.once, fetch_algorithms);
	s->ctx = EVP_MD_CTX_new();
	if (s->ctx && algorithms.sha256 && EVP_DigestInit_ex2(s->ctx, algorithms.sha256, NULL))
		return true;
	sha256_stream_release(s);
	return false;
}

void sha256_stream_add(struct sha256_stream *s, struct span data)
{
	must(EVP_DigestUpdate(s->ctx, data.p, data.n));
}

void sha256_stream_finish(struct sha256_stream *s, unsigned char ret[SHA256_BYTES])
{
	must(EVP_DigestFinal_ex(s->ctx, ret, NULL));
	sha256_stream_release(s);
}

void sha256_stream_release(struct sha256_stream *s)
{
	EVP_MD_CTX_free(s->ctx);
	s->ctx = NULL;
}

bool sign_hmac_sha256(struct span key, struct span data, unsigned char ret[SHA256_BYTES])
{
	return sign_hmac_sha256_parts(key, &data, 1, ret);
}

/* Begins a digest with the key's block, each byte turned by `pad`. */
static bool begin_keyed(EVP_MD_CTX *ctx, const unsigned char block[SHA256_BLOCK], unsigned char pad)
{
	unsigned char padded[SHA256_BLOCK];
	for (size_t i = 0; i < sizeof(padded); i++)
		padded[i] = block[i] ^ pad;
	bool ok = EVP_DigestInit_ex2(ctx, algorithms.sha256, NULL) &&
		  EVP_DigestUpdate(ctx, padded, sizeof(padded));
	secret_wipe(padded, sizeof(padded));
	return ok;
}

/*
 * RFC 2104 over two digests. OpenSSL's own EVP_MAC copies three contexts for each MAC and takes
 * more than twice as long for the size of a webhook.
 */
bool sign_hmac_sha256_parts(struct span key, const struct span *parts, size_t n,
			    unsigned char ret[SHA256_BYTES])
{
	pthread_once(&algorithms.once, fetch_algorithms);
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char block[SHA256_BLOCK] = { 0 }, inner[SHA256_BYTES];
	if (!algorithms.sha256 || !ctx)
		return false;
	bool ok = true;
	if (key.n > sizeof(block))
		ok = digest(algorithms.sha256, &key, 1, block);
	else if (key.n)
		memcpy(block, key.p, key.n);
	ok = ok && begin_keyed(ctx, block, 0x36);
	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
	ok = ok && EVP_DigestFinal_ex(ctx, inner, NULL) && begin_keyed(ctx, block, 0x5c) &&
	     EVP_DigestUpdate(ctx, inner, sizeof(inner)) && EVP_DigestFinal_ex(ctx, ret, NULL);
	secret_wipe(block, sizeof(block));
	return ok;
}

/*
 * A public key of small order (the zero key of an empty setting is one) lets anybody forge, and
 * OpenSSL takes it: 0, 1, -1, the two of order 8, and p, p + 1, which are 0 and 1 again.
 */
static bool is_small_order(const unsigned char key[32])
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	unsigned char unsigned_key[32];
	char hex[65];
	memcpy(unsigned_key, key, sizeof(unsigned_key));
	unsigned_key[31] &= 0x7F; /* the top bit is the sign of x */
	sign_hex(unsigned_key, sizeof(unsigned_key), hex);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		if (str_eq(hex, points[i]))
			return true;
	}
	return false;
}

bool sign_ed25519_verify(const unsigned char public_key[32], struct span data,
			 const unsigned char sig[64])
{
	if (is_small_order(public_key))
		return false;
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	return key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	       EVP_DigestVerify(ctx, sig, 64, (const unsigned char *)data.p, data.n) == 1;
}

bool sign_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void sign_random(void *p, size_t n)
{
	must(n <= INT_MAX && RAND_bytes(p, (int)n) == 1);
}

/* Writes 16 bytes as UUID text, marked with the version and RFC 9562's variant. */
static void write_uuid(unsigned char bytes[16], unsigned version, char ret[UUID_TEXT])
{
	bytes[6] = (unsigned char)((bytes[6] & 0x0F) | version << 4);
	bytes[8] = (bytes[8] & 0x3F) | 0x80;
	static const size_t group_bytes[] = { 4, 2, 2, 2, 6 };
	char *to = ret;
	for (size_t i = 0; i < ARRAY_SIZE(group_bytes); i++) {
		if (i > 0)
			*to++ = '-';
		sign_hex(bytes, group_bytes[i], to);
		bytes += group_bytes[i];
		to += 2 * group_bytes[i];
	}
}

void sign_uuid4(char ret[UUID_TEXT])
{
	unsigned char bytes[16];
	sign_random(bytes, sizeof(bytes));
	write_uuid(bytes, 4, ret);
}

static bool read_uuid(const char *text, unsigned char ret[16])
{
	if (strlen(text) != UUID_TEXT - 1)
		return false;
	char hex[32];
	size_t n = 0;
	for (size_t i = 0; i < UUID_TEXT - 1; i++) {
		bool is_dash_place = i == 8 || i == 13 || i == 18 || i == 23;
		if (is_dash_place != (text[i] == '-'))
			return false;
		if (!is_dash_place)
			hex[n++] = text[i];
	}
	return sign_unhex((struct span) { hex, n }, ret, 16);
}

bool sign_uuid5(const char *space, struct span name, char ret[UUID_TEXT])
{
	pthread_once(&algorithms.once, fetch_algorithms);
	unsigned char space_bytes[16], sha1[20];
	if (!read_uuid(space, space_bytes))
		return false;
	const struct span parts[] = { { (const char *)space_bytes, sizeof(space_bytes) }, name };
	if (!digest(algorithms.sha1, parts, ARRAY_SIZE(parts), sha1))
		return false;
	write_uuid(sha1, 5, ret);
	return true;
}
