/*
 * store_token.c: API tokens. Redis and the vault hold the SHA-256 of a token alone; 256 random bits
 * need no slow hash. Looked up in the local snapshot, compared in constant time.
 */
#include "base/base.h"
#include "store_internal.h"

#include "base/clock.h"
#include "codec/json.h"

#define TOKEN_ARENA (1024 * 1024)
#define RANDOM_BYTES 32
#define TOKEN_PREFIX "viesti_"

static const char *const role_names[] = {
	[ROLE_VIEWER] = "viewer", [ROLE_OPERATOR] = "operator", [ROLE_ADMIN] = "admin"
};

const char *token_role_name(enum token_role r)
{
	return (unsigned)r < ARRAY_SIZE(role_names) ? role_names[r] : "?";
}

bool token_role_parse(struct span name, enum token_role *ret)
{
	for (unsigned i = 0; i < ARRAY_SIZE(role_names); i++) {
		if (!span_is(name, role_names[i]))
			continue;
		*ret = (enum token_role)i;
		return true;
	}
	return false;
}

static void hash_token(struct span plain, char ret[HASH_HEX_MAX])
{
	unsigned char digest[SHA256_BYTES];
	sign_sha256(plain, digest);
	sign_hex(digest, sizeof(digest), ret);
}

static bool make_plain(struct arena *arena, char ret[TOKEN_TEXT_MAX], struct err *err)
{
	unsigned char random[RANDOM_BYTES];
	sign_random(random, sizeof(random));
	char *text = sign_base64(arena, (struct span) { (const char *)random, sizeof(random) });
	secret_wipe(random, sizeof(random));
	if (!text)
		return err_set(err, ERR_LIMIT, "arena full");
	for (char *c = text; *c; c++) {
		if (*c == '+')
			*c = '-';
		else if (*c == '/')
			*c = '_';
		else if (*c == '=')
			*c = '\0';
	}
	snprintf(ret, TOKEN_TEXT_MAX, TOKEN_PREFIX "%s", text);
	secret_wipe(text, strlen(text));
	return true;
}

static bool write_token(struct arena *arena, const struct token *t, struct span *ret,
			struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 * 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text = NULL;
	jsonw_object(&w);
	jsonw_kstr(&w, "name", t->name);
	jsonw_kstr(&w, "role", token_role_name(t->role));
	jsonw_kint(&w, "created_ms", t->created_ms ? t->created_ms : clock_wall_ms());
	jsonw_kint(&w, "expires_ms", t->expires_ms);
	jsonw_key(&w, "connections");
	jsonw_array(&w);
	for (size_t i = 0; i < t->n_conns; i++)
		jsonw_str(&w, t->conns[i]);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = span_of(text);
	return true;
}

static bool read_token(struct arena *arena, const char *hash, struct span text, struct token *ret,
		       struct err *err)
{
	const struct json *doc = NULL;
	struct token t = { .created_ms = 0 };
	if (!json_parse(arena, text, JSON_LIMITS_API, &doc, err))
		return false;
	const char *name = json_str(json_get(doc, "name"));
	const struct json *conns = json_get(doc, "connections");
	if (!token_role_parse(text_span(json_str(json_get(doc, "role"))), &t.role) ||
	    !json_int64(json_get(doc, "created_ms"), &t.created_ms) ||
	    !json_int64(json_get(doc, "expires_ms"), &t.expires_ms))
		return err_set(err, ERR_SYSTEM, "a stored token is malformed");
	snprintf(t.id, sizeof(t.id), "%.16s", hash);
	snprintf(t.name, sizeof(t.name), "%s", name ? name : "");
	const char **list = arena_alloc_array(arena, json_size(conns) + 1, sizeof(*list));
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *j = json_first(conns); j; j = json_next(j)) {
		const char *conn = json_str(j);
		list[t.n_conns++] = conn ? conn : "";
	}
	t.conns = list;
	*ret = t;
	return true;
}

bool store_token_create(struct store *s, const struct token *t, const char *plain,
			char ret_plain[TOKEN_TEXT_MAX], char ret_id[17], struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(TOKEN_ARENA);
	char made[TOKEN_TEXT_MAX] = "", hash[HASH_HEX_MAX];
	struct span doc;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if ((!plain && !make_plain(arena, made, err)) || !write_token(arena, t, &doc, err))
		return false;
	hash_token(span_of(plain ? plain : made), hash);
	struct span args[] = { SPAN_LIT(""), span_of(hash), doc };
	const struct redis_value *v = NULL;
	if (!store_script(s, arena, "token_put", args, ARRAY_SIZE(args), &v, err) ||
	    !store_refresh(s, err))
		return false;
	if (ret_plain)
		memcpy(ret_plain, made, sizeof(made));
	secret_wipe(made, sizeof(made));
	if (ret_id)
		snprintf(ret_id, 17, "%.16s", hash);
	return true;
}

bool store_token_list(struct store *s, struct arena *arena, struct token **ret, size_t *ret_n,
		      struct err *err)
{
	bool good = true;
	pthread_mutex_lock(&s->lock);
	size_t n = s->snapshot->n_tokens;
	struct token *list = arena_alloc_array(arena, n + 1, sizeof(*list));
	for (size_t i = 0; list && good && i < n; i++)
		good = read_token(arena, s->snapshot->tokens[i].hash,
				  span_of(s->snapshot->tokens[i].doc), &list[i], err);
	pthread_mutex_unlock(&s->lock);
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!good)
		return false;
	*ret = list;
	*ret_n = n;
	return true;
}

bool store_token_revoke(struct store *s, const char *id, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(TOKEN_ARENA);
	char hash[HASH_HEX_MAX] = "";
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->snapshot->n_tokens; i++)
		if (strlen(id) == 16 && strncmp(s->snapshot->tokens[i].hash, id, 16) == 0)
			memcpy(hash, s->snapshot->tokens[i].hash, sizeof(hash));
	pthread_mutex_unlock(&s->lock);
	if (!hash[0])
		return err_set(err, ERR_NOT_FOUND, "no token %s", id);
	struct span args[] = { SPAN_LIT(""), span_of(hash), SPAN_LIT("") };
	const struct redis_value *v = NULL;
	return store_script(s, arena, "token_put", args, ARRAY_SIZE(args), &v, err) &&
	       store_refresh(s, err);
}

bool store_token_find(struct store *s, struct arena *arena, struct span plain, struct token *ret)
{
	char hash[HASH_HEX_MAX];
	char *doc = NULL;
	hash_token(plain, hash);
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->snapshot->n_tokens; i++)
		if (sign_equal(s->snapshot->tokens[i].hash, hash, HASH_HEX_MAX - 1))
			doc = arena_strdup(arena, s->snapshot->tokens[i].doc);
	pthread_mutex_unlock(&s->lock);
	struct token found;
	struct err why = ERR_INIT;
	if (!doc || !read_token(arena, hash, span_of(doc), &found, &why))
		return false;
	if (found.expires_ms && found.expires_ms <= clock_wall_ms())
		return false;
	*ret = found;
	return true;
}
