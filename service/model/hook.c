/* hook.c: see hook.h. */
#include "base/base.h"
#include "model/hook.h"

#define TOKEN_BYTES ((HOOK_TOKEN_TEXT - 1) / 2)

bool hook_token(const struct seal_key *key, const struct hook *hook, char ret[HOOK_TOKEN_TEXT])
{
	unsigned char mac[SHA256_BYTES];
	char turn[24];
	snprintf(turn, sizeof(turn), "%" PRId64, hook->turn);
	/* The first part keeps this use of the key apart from others; NULs keep the parts apart. */
	const struct span nul = { "", 1 };
	const struct span parts[] = { SPAN_LIT("viesti webhook token"),
				      nul,
				      span_of(hook->connection),
				      nul,
				      span_of(hook->sender),
				      nul,
				      span_of(turn) };
	if (!sign_hmac_sha256_parts((struct span) { (const char *)key->bytes, sizeof(key->bytes) },
				    parts, ARRAY_SIZE(parts), mac))
		return false;
	sign_hex(mac, TOKEN_BYTES, ret);
	return true;
}

bool hook_token_fits(const struct seal_key *key, const struct hook *hook, const char *text)
{
	char token[HOOK_TOKEN_TEXT];
	bool made = hook_token(key, hook, token);
	bool fits = made && strlen(text) == HOOK_TOKEN_TEXT - 1 &&
		    sign_equal(token, text, HOOK_TOKEN_TEXT - 1);
	secret_wipe(token, sizeof(token));
	return fits;
}

const char *hook_url(struct arena *arena, const char *base, const struct seal_key *key,
		     const struct hook *hook)
{
	char token[HOOK_TOKEN_TEXT];
	if (!hook_token(key, hook, token))
		return NULL;
	const char *url = arena_printf(arena, "%s/v1/webhooks/%s/%s/%s", base, hook->connection,
				       hook->sender, token);
	secret_wipe(token, sizeof(token));
	return url;
}
