/*
 * sign_seal.c: AES-256-GCM sealing of credentials and payloads, declared in codec/sign.h.
 *
 * Guarantees that what opens was sealed under this key for this place (aad), and that opened bytes
 * are wiped with their arena. A random 96-bit nonce bounds one key to about 2^32 seals; rotate
 * before. Does not choose among keys: the key id in each record says which one to take.
 */
#include "base/base.h"

#include <openssl/evp.h>

#include "codec/sign.h"

static const char version[] = { 'v', '1' };

#define VERSION_BYTES sizeof(version)
#define KEY_ID_BYTES 8
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define HEAD_BYTES (VERSION_BYTES + KEY_ID_BYTES + NONCE_BYTES)
/* OpenSSL counts in int; nothing of ours comes near. */
#define MAX_PLAIN_BYTES ((size_t)1 << 30)

CLEANUP_FUNC(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

/* Written once under `once`, constant afterwards. */
static struct {
	pthread_once_t once;
	EVP_CIPHER *aes_256_gcm;
} algorithms = { .once = PTHREAD_ONCE_INIT };

static void fetch_algorithms(void)
{
	algorithms.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

/* A context for one seal or unseal; NULL when OpenSSL has no memory or no AES. */
static EVP_CIPHER_CTX *start_cipher(const struct seal_key *key, const unsigned char *nonce,
				    struct span aad, int is_seal)
{
	pthread_once(&algorithms.once, fetch_algorithms);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	if (ctx && algorithms.aes_256_gcm && aad.n <= MAX_PLAIN_BYTES &&
	    EVP_CipherInit_ex2(ctx, algorithms.aes_256_gcm, key->bytes, nonce, is_seal, NULL) &&
	    (aad.n == 0 ||
	     EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)aad.p, (int)aad.n)))
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

static void set_key_id(struct seal_key *key)
{
	struct sha256_stream s;
	unsigned char sum[SHA256_BYTES];
	if (!sha256_stream_init(&s))
		abort(); /* as sign_sha256: no memory at start-up */
	sha256_stream_add(&s, SPAN_LIT("viesti key id"));
	sha256_stream_add(&s, (struct span) { (const char *)key->bytes, sizeof(key->bytes) });
	sha256_stream_finish(&s, sum);
	sign_hex(sum, KEY_ID_BYTES / 2, key->id);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool seal_key_parse(struct span text, struct seal_key *ret, struct err *err)
{
	while (text.n > 0 && is_space(text.p[0]))
		text = (struct span) { text.p + 1, text.n - 1 };
	while (text.n > 0 && is_space(text.p[text.n - 1]))
		text.n--;
	struct seal_key key;
	size_t n = 0;
	bool ok = sign_unhex(text, key.bytes, sizeof(key.bytes)) ||
		  (sign_unbase64(text, key.bytes, sizeof(key.bytes), &n) && n == sizeof(key.bytes));
	if (ok) {
		set_key_id(&key);
		*ret = key;
	}
	secret_wipe(&key, sizeof(key));
	return ok ||
	       err_set(err, ERR_INPUT, "a key is 64 hexadecimal digits or 44 characters of Base64");
}

void seal_key_random(struct seal_key *ret)
{
	sign_random(ret->bytes, sizeof(ret->bytes));
	set_key_id(ret);
}

bool seal(struct arena *arena, const struct seal_key *key, struct span aad, struct span plain,
	  struct span *ret, struct err *err)
{
	if (plain.n > MAX_PLAIN_BYTES)
		return err_set(err, ERR_LIMIT, "too large to seal");
	size_t n = HEAD_BYTES + plain.n + TAG_BYTES;
	unsigned char *out = arena_alloc(arena, n);
	if (!out)
		return err_set(err, ERR_LIMIT, "memory cap reached");
	memcpy(out, version, VERSION_BYTES);
	memcpy(out + VERSION_BYTES, key->id, KEY_ID_BYTES);
	unsigned char *nonce = out + VERSION_BYTES + KEY_ID_BYTES, *text = out + HEAD_BYTES;
	sign_random(nonce, NONCE_BYTES);
	CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = start_cipher(key, nonce, aad, 1);
	int written = 0;
	if (!ctx ||
	    (plain.n > 0 && !EVP_CipherUpdate(ctx, text, &written, (const unsigned char *)plain.p,
					      (int)plain.n)) ||
	    !EVP_CipherFinal_ex(ctx, text + written, &written) ||
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, text + plain.n))
		return err_set(err, ERR_MEMORY, "OpenSSL cannot seal");
	*ret = (struct span) { (const char *)out, n };
	return true;
}

/* Decrypts and proves; false when the tag is not right. */
static bool open_text(EVP_CIPHER_CTX *ctx, struct span text, const unsigned char *tag, char *to)
{
	unsigned char expected[TAG_BYTES];
	memcpy(expected, tag, sizeof(expected)); /* OpenSSL takes it without const */
	int written = 0;
	return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, expected) &&
	       (text.n == 0 || EVP_CipherUpdate(ctx, (unsigned char *)to, &written,
						(const unsigned char *)text.p, (int)text.n)) &&
	       EVP_CipherFinal_ex(ctx, (unsigned char *)to + written, &written) > 0;
}

bool unseal(struct arena *arena, const struct seal_key *key, struct span aad, struct span sealed,
	    struct span *ret, struct err *err)
{
	if (sealed.n < HEAD_BYTES + TAG_BYTES || memcmp(sealed.p, version, VERSION_BYTES) != 0)
		return err_set(err, ERR_DATA, "not a sealed record");
	if (memcmp(sealed.p + VERSION_BYTES, key->id, KEY_ID_BYTES) != 0)
		return err_set(err, ERR_CREDENTIALS, "sealed under another key (%.8s, not %s)",
			       sealed.p + VERSION_BYTES, key->id);
	size_t n = sealed.n - HEAD_BYTES - TAG_BYTES;
	const unsigned char *p = (const unsigned char *)sealed.p;
	if (n > MAX_PLAIN_BYTES)
		return err_set(err, ERR_LIMIT, "too large to unseal");
	char *plain = secret_room_in_arena(arena, n);
	if (!plain)
		return err_set(err, ERR_LIMIT, "memory cap reached");
	CLEANUP(EVP_CIPHER_CTX_free)
	EVP_CIPHER_CTX *ctx = start_cipher(key, p + VERSION_BYTES + KEY_ID_BYTES, aad, 0);
	if (!ctx)
		return err_set(err, ERR_MEMORY, "OpenSSL cannot unseal");
	if (!open_text(ctx, (struct span) { sealed.p + HEAD_BYTES, n }, p + HEAD_BYTES + n,
		       plain)) {
		secret_wipe(plain, n); /* decrypted, but not proven */
		return err_set(err, ERR_DATA, "sealed record was altered or moved");
	}
	*ret = (struct span) { plain, n };
	return true;
}
