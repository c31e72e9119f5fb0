/*
 * hook.h: the address of a webhook whose sender signs nothing: its last segment is a token that
 * nobody can guess, of our own making, per connection and sender. It is not stored: it is made of
 * the key of the installation and the connection's webhook_turn, so each relay knows it, and a new
 * turn makes all of a connection's tokens anew. Pure; thread-safe.
 */
#ifndef MODEL_HOOK_H
#define MODEL_HOOK_H

#include "base/base.h"
#include "base/arena.h"
#include "codec/sign.h"
#include "model/connection.h"

#define HOOK_TOKEN_TEXT 49 /* 24 bytes in hex */

/* Whose token. connection need not exist: then the token is one that nobody has. */
struct hook {
	const char *connection, *sender;
	int64_t turn;
};
bool hook_token(const struct seal_key *key, const struct hook *hook,
		char ret[HOOK_TOKEN_TEXT]) MUST_CHECK;
/* Does the text hold the token? In constant time. */
bool hook_token_fits(const struct seal_key *key, const struct hook *hook, const char *text);
/* "<base>/v1/webhooks/<connection>/<sender>/<token>"; NULL: arena full. */
const char *hook_url(struct arena *arena, const char *base, const struct seal_key *key,
		     const struct hook *hook);

#endif
