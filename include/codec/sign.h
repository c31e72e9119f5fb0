/*
 * sign.h: digests, signatures, sealing, Base64, random ids (OpenSSL underneath). Pure but for
 * randomness; thread-safe.
 */
#ifndef CODEC_SIGN_H
#define CODEC_SIGN_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"

#define SHA256_BYTES 32
#define SEAL_KEY_BYTES 32
#define UUID_TEXT 37

void sign_sha256(struct span data, unsigned char ret[SHA256_BYTES]);
/* Streaming SHA-256, for fingerprints. */
struct sha256_stream {
	void *ctx;
};
bool sha256_stream_init(struct sha256_stream *s) MUST_CHECK;
void sha256_stream_add(struct sha256_stream *s, struct span data);
/* Also releases. */
void sha256_stream_finish(struct sha256_stream *s, unsigned char ret[SHA256_BYTES]);
void sha256_stream_release(struct sha256_stream *s);

/* Fast on the hot path: no per-call fetch of the algorithm. */
bool sign_hmac_sha256(struct span key, struct span data,
		      unsigned char ret[SHA256_BYTES]) MUST_CHECK;
/* HMAC over several parts without joining them. */
bool sign_hmac_sha256_parts(struct span key, const struct span *parts, size_t n,
			    unsigned char ret[SHA256_BYTES]) MUST_CHECK;
/* True only for a valid signature by a sound key. */
bool sign_ed25519_verify(const unsigned char public_key[32], struct span data,
			 const unsigned char sig[64]);
/* Constant time. */
bool sign_equal(const void *a, const void *b, size_t n);

/* Lower case; ret holds 2n+1. */
void sign_hex(const unsigned char *p, size_t n, char *ret);
bool sign_unhex(struct span hex, unsigned char *ret, size_t n) MUST_CHECK;
/* RFC 4648 with padding, in the arena; NULL past its cap. */
char *sign_base64(struct arena *arena, struct span data) MUST_CHECK;
/* Strict: no white space, right padding. False when malformed or longer than cap. */
bool sign_unbase64(struct span text, unsigned char *ret, size_t cap, size_t *ret_n) MUST_CHECK;

/* Cryptographic randomness; aborts the process when the system has none. */
void sign_random(void *p, size_t n);
/* UUID version 4, lower case. */
void sign_uuid4(char ret[UUID_TEXT]);
/* UUID version 5 in a name space given as UUID text; false when that is malformed. */
bool sign_uuid5(const char *space, struct span name, char ret[UUID_TEXT]) MUST_CHECK;

/*
 * Sealing: AES-256-GCM with a random 96-bit nonce. Sealed form: "v1" key-id(8 hex) nonce(12)
 * ciphertext tag(16). The key id is the first 4 bytes of SHA-256 of "viesti key id" || key. aad
 * binds the record to its place (its Redis key).
 */
struct seal_key {
	unsigned char bytes[SEAL_KEY_BYTES];
	char id[9];
};
/* From 64 hex digits or 44 Base64 characters (white space at the ends allowed). ERR_INPUT
 * otherwise. */
bool seal_key_parse(struct span text, struct seal_key *ret, struct err *err) MUST_CHECK;
void seal_key_random(struct seal_key *ret);
/* *ret in the arena. */
bool seal(struct arena *arena, const struct seal_key *key, struct span aad, struct span plain,
	  struct span *ret, struct err *err) MUST_CHECK;
/* *ret in the arena, wiped with it. ERR_CREDENTIALS when the key id is another, ERR_DATA when it
 * was altered. */
bool unseal(struct arena *arena, const struct seal_key *key, struct span aad, struct span sealed,
	    struct span *ret, struct err *err) MUST_CHECK;

#endif
