/*
 * webhook.h: Standard Webhooks signatures: v1 (HMAC-SHA256) and v1a (Ed25519), several signatures
 * in the header, several live secrets. Pure; thread-safe.
 */
#ifndef SERVICE_HTTP_WEBHOOK_H
#define SERVICE_HTTP_WEBHOOK_H

#include "base/base.h"
#include "base/arena.h"
#include "flow.h"
#include "model/connection.h"

#define WEBHOOK_TOLERANCE_S 300
#define WEBHOOK_ID_MAX 128
#define WEBHOOK_MAX_SIGNATURES 16
#define WEBHOOK_KEY_MAX 64

enum webhook_key_type { WEBHOOK_HMAC, WEBHOOK_ED25519 };
/* Secrets of one connection, decoded once. Wiped by webhook_keys_wipe. */
struct webhook_keys {
	struct {
		enum webhook_key_type type;
		unsigned char bytes[WEBHOOK_KEY_MAX];
		size_t n;
	} key[CONNECTION_MAX_SECRETS];
	size_t n;
};
/* Adds "whsec_<base64 of 24..64 bytes>" or "whpk_<base64 of 32 bytes>"; false when it is neither or
 * there is no room. */
bool webhook_keys_add(struct webhook_keys *keys, struct span secret) MUST_CHECK;
void webhook_keys_wipe(struct webhook_keys *keys);

struct webhook_headers {
	struct span id, timestamp, signature; /* .p NULL: absent */
};
/* arena: scratch for Ed25519. Full arena: FORGED. */
enum webhook_verdict webhook_verify(struct arena *arena, const struct webhook_keys *keys,
				    const struct webhook_headers *headers, struct span body,
				    int64_t now_s);

/* May it be remembered by this id? */
bool webhook_is_id(struct span id);
/* As the sender signs them itself. */
enum webhook_verdict webhook_verify_by(const struct sender *sender, const struct webhook_keys *keys,
				       struct span header, struct span body, int64_t now_s);

#endif
