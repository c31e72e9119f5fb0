/*
 * severa_auth.c: tokens of the Severa stand-in (facts/severa.md §1.1-1.3).
 *
 * A token's text holds its tenant's and its own index, so that finding it is one comparison. A
 * tenant has SEVERA_TOKENS places; the oldest token gives way. Member names of the token request
 * are read without case; the separator of scopes is a comma, a blank, or both.
 */
#include "base/base.h"

#include "base/clock.h"
#include "severa.h"

#define ACCESS_PREFIX "eyJ"
#define REFRESH_PREFIX "rt"

void severa_drop_tokens_locked(struct severa_tenant *t)
{
	memset(t->tokens, 0, sizeof(t->tokens));
}

/* "<prefix><tenant>.<place>.<random>" */
static const struct severa_token *make_token_locked(struct severa_tenant *t, bool is_refresh,
						    uint64_t scopes, int64_t life_s)
{
	unsigned char random[16];
	char hex[sizeof(random) * 2 + 1];
	sign_random(random, sizeof(random));
	sign_hex(random, sizeof(random), hex);
	unsigned place = t->next_token++ % SEVERA_TOKENS;
	struct severa_token *token = &t->tokens[place];
	token->is_refresh = is_refresh;
	token->scopes = scopes;
	token->expires_ms = clock_wall_ms() + life_s * 1000;
	snprintf(token->text, sizeof(token->text), "%s%x.%x.%s",
		 is_refresh ? REFRESH_PREFIX : ACCESS_PREFIX, t->ordinal, place, hex);
	return token;
}

/* The tenant that the token's text points to; not yet a proof that the token is right. */
static struct severa_tenant *tenant_of_token(struct severa *severa, const char *text,
					     const char *prefix, size_t *ret_place)
{
	size_t n = strlen(prefix);
	if (strncmp(text, prefix, n) != 0)
		return NULL;
	char *dot, *end;
	unsigned long index = strtoul(text + n, &dot, 16);
	if (*dot != '.')
		return NULL;
	unsigned long place = strtoul(dot + 1, &end, 16);
	struct severa_tenant *t = NULL;
	pthread_rwlock_rdlock(&severa->lock);
	if (*end == '.' && index < severa->n && place < SEVERA_TOKENS)
		t = severa->tenants[index];
	pthread_rwlock_unlock(&severa->lock);
	*ret_place = place;
	return t;
}

static bool is_live(const struct severa_token *token, const char *text, bool is_refresh)
{
	return token->is_refresh == is_refresh && token->expires_ms > clock_wall_ms() &&
	       strcmp(token->text, text) == 0;
}

bool severa_bearer(struct severa *severa, const char *authorization, struct severa_tenant **ret,
		   uint64_t *ret_scopes)
{
	size_t place;
	if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
		return false;
	const char *text = authorization + 7;
	struct severa_tenant *t = tenant_of_token(severa, text, ACCESS_PREFIX, &place);
	if (!t)
		return false;
	pthread_mutex_lock(&t->lock);
	bool live = is_live(&t->tokens[place], text, false);
	uint64_t scopes = t->tokens[place].scopes;
	pthread_mutex_unlock(&t->lock);
	if (!live)
		return false;
	*ret = t;
	*ret_scopes = scopes;
	return true;
}

static const char *member(const struct json *body, const char *name)
{
	for (const struct json *m = json_first(body); m; m = json_next(m)) {
		if (strcasecmp(json_key(m), name) == 0)
			return json_str(m);
	}
	return NULL;
}

static void write_lifetime(struct json_writer *w, const char *what, int64_t seconds,
			   int64_t expires_ms)
{
	char key[48];
	snprintf(key, sizeof(key), "%s_expires_in", what);
	jsonw_kint(w, key, seconds);
	snprintf(key, sizeof(key), "%s_expires_utc", what);
	jsonw_ktime(w, key, expires_ms);
}

/* The names are Severa's own, not RFC 6749's (§1.2). */
static void reply_tokens(struct severa_call *sc, uint64_t scopes)
{
	struct severa_tenant *t = sc->tenant;
	struct strbuf sb = call_strbuf(sc->c);
	struct strbuf scope_text = STRBUF_INIT(sc->c->arena, 2048);
	const char *scope = NULL;
	struct err err = ERR_INIT;
	severa_scopes_write(t->missing_scope == SCOPE_UNSAID ? UINT64_MAX : scopes, &scope_text);
	if (!strbuf_finish(&scope_text, &scope, &err))
		return;
	struct json_writer w = JSON_WRITER_INIT(&sb);
	pthread_mutex_lock(&t->lock);
	t->token_requests++;
	struct severa_token access = *make_token_locked(t, false, scopes, t->access_s);
	struct severa_token refresh = *make_token_locked(t, true, scopes, t->refresh_s);
	int64_t access_s = t->access_s;
	int64_t refresh_s = t->refresh_s;
	pthread_mutex_unlock(&t->lock);
	jsonw_object(&w);
	jsonw_kstr(&w, "access_token", access.text);
	jsonw_kstr(&w, "access_token_type", "Bearer");
	write_lifetime(&w, "access_token", access_s, access.expires_ms);
	jsonw_kstr(&w, "refresh_token", refresh.text);
	write_lifetime(&w, "refresh_token", refresh_s, refresh.expires_ms);
	jsonw_kstr(&w, "scope", scope);
	jsonw_end_object(&w);
	reply_json(sc->c, 200, &sb);
}

static bool parse_body(struct severa_call *sc, const struct json **ret)
{
	struct err err = ERR_INIT;
	if (json_parse(sc->c->arena, sc->c->body, JSON_LIMITS_API, ret, &err))
		return true;
	severa_error(sc->c, 400, "InvalidRequest", "The request body is not valid JSON.",
		     "RequestBody", NULL);
	return false;
}

static void unauthorized(struct severa_call *sc, const char *message)
{
	severa_error(sc->c, 401, "AuthenticationRequired", message, "RequestBody", NULL);
}

/* Scopes for the token; 0 when refused (§1.3: a scope that the credentials lack). */
static uint64_t choose_scopes_locked(const struct severa_tenant *t, const char *scope)
{
	bool unknown = false;
	uint64_t asked = scope && scope[0] ? severa_scopes_parse(scope, &unknown) : t->scopes;
	if (t->missing_scope == SCOPE_REFUSES && (unknown || (asked & ~t->scopes)))
		return 0;
	return asked & t->scopes;
}

void severa_token(struct severa_call *sc)
{
	const struct json *body = NULL;
	if (!parse_body(sc, &body))
		return;
	const char *id = member(body, "client_id");
	const char *secret = member(body, "client_secret");
	if (!id || !id[0] || !secret || !secret[0]) {
		severa_error(sc->c, 400, "InvalidParameter",
			     "client_id and client_secret are required.", "RequestBody",
			     "client_id");
		return;
	}
	struct severa_tenant *t = severa_find(sc->severa, id);
	bool known = false;
	uint64_t scopes = 0;
	if (t) {
		pthread_mutex_lock(&t->lock);
		known = strcmp(t->client_id, id) == 0 && strcmp(t->secret, secret) == 0;
		scopes = choose_scopes_locked(t, member(body, "scope"));
		pthread_mutex_unlock(&t->lock);
	}
	if (!known || (sc->tenant && sc->tenant != t)) {
		unauthorized(sc, "Invalid client credentials.");
		return;
	}
	sc->tenant = t;
	sc->c->tenant = t->client_id;
	if (!scopes)
		unauthorized(sc, "The requested scope is not allowed for the client.");
	else
		reply_tokens(sc, scopes);
}

/* The body of refresh and sign-out is the bare token as a JSON string. */
static bool take_refresh_token(struct severa_call *sc, uint64_t *ret_scopes)
{
	const struct json *body = NULL;
	if (!parse_body(sc, &body))
		return false;
	const char *text = json_str(body);
	size_t place;
	struct severa_tenant *t = text ? tenant_of_token(sc->severa, text, REFRESH_PREFIX, &place)
				       : NULL;
	bool found = false;
	if (t) {
		pthread_mutex_lock(&t->lock);
		struct severa_token *token = &t->tokens[place];
		found = is_live(token, text, true);
		if (found) {
			*ret_scopes = token->scopes;
			*token = (struct severa_token) { .expires_ms = 0 };
		}
		pthread_mutex_unlock(&t->lock);
	}
	if (!found)
		unauthorized(sc, "Invalid refresh token.");
	sc->tenant = t;
	return found;
}

void severa_refresh(struct severa_call *sc)
{
	uint64_t scopes;
	if (take_refresh_token(sc, &scopes))
		reply_tokens(sc, scopes);
}

void severa_signout(struct severa_call *sc)
{
	uint64_t scopes;
	if (take_refresh_token(sc, &scopes))
		reply_empty(sc->c, 204);
}
