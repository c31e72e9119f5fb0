/*
 * write.c: making and changing records of Severa's registers (facts/severa.md §2.1, 2.4): a body of
 * a POST or the operations of a PATCH, made of the same list of members.
 *
 * Writes go with a token of their own, for the scopes that they need and no invoice flow does:
 * asking for one that the credentials lack refuses the whole token. A failed write is ERR_DOUBT
 * only when it may have been carried out.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "net/verdict.h"

#define BODY_MAX ((size_t)1 << 20)

bool severa_with_scope(struct severa *s, const char *scope, struct severa *ret, struct err *err)
{
	*ret = *s;
	ret->scope = scope;
	ret->token_key = arena_printf(s->at->arena, "%s:%s", s->token_key, scope);
	return ret->token_key || err_set(err, ERR_LIMIT, "arena full");
}

static bool lacks(const char *scope, struct err *err)
{
	return err_reason(err, ERR_CREDENTIALS, "write_scope_missing", scope,
			  "the credentials lack the right %s", scope);
}

bool severa_has_scope(struct severa *s, const char *scope, struct err *err)
{
	struct severa_login login = { .severa = s, .scope = scope };
	struct err why = ERR_INIT;
	const char *token;
	int64_t ttl_ms;
	if (!severa_log_in(&login, &token, &ttl_ms, &why)) {
		if (why.code == ERR_CREDENTIALS)
			return lacks(scope, err);
		if (err)
			*err = why;
		return false;
	}
	bool is_told = login.granted && login.granted[0];
	return !is_told || severa_scope_is_listed(login.granted, scope) || lacks(scope, err);
}

/* ---- bodies -------------------------------------------------------------------------------- */

static void write_value(struct json_writer *w, const struct severa_member *m)
{
	struct decimal number;
	if (!m->value)
		jsonw_null(w);
	else if (m->type == SEVERA_TRUTH)
		jsonw_bool(w, strcmp(m->value, "1") == 0);
	else if (m->type == SEVERA_NUMBER && decimal_parse(span_of(m->value), &number))
		jsonw_decimal(w, number);
	else
		jsonw_str(w, m->value);
}

/* "language/guid" stands in the object "language" with those beside it in the list. */
static size_t parent_of(const char *path)
{
	const char *slash = strchr(path, '/');
	return slash ? (size_t)(slash - path) : 0;
}

static bool same_parent(const struct severa_member *a, const struct severa_member *b)
{
	size_t n = parent_of(a->path);
	return n && parent_of(b->path) == n && memcmp(a->path, b->path, n) == 0;
}

static bool write_object(struct severa *s, const struct severa_member *members, size_t n,
			 struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, BODY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&w);
	for (size_t i = 0; i < n; i++) {
		const struct severa_member *m = &members[i];
		size_t n_parent = parent_of(m->path);
		const char *parent = arena_memdup(s->at->arena, m->path, n_parent);
		if (!parent)
			return err_set(err, ERR_LIMIT, "arena full");
		if (n_parent && (i == 0 || !same_parent(m, &members[i - 1]))) {
			jsonw_key(&w, parent);
			jsonw_object(&w);
		}
		jsonw_key(&w, n_parent ? m->path + n_parent + 1 : m->path);
		write_value(&w, m);
		if (n_parent && (i + 1 == n || !same_parent(m, &members[i + 1])))
			jsonw_end_object(&w);
	}
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

/* Only Replace is supported (§2.4). */
static bool write_operations(struct severa *s, const struct severa_member *members, size_t n,
			     struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, BODY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_printf(s->at->arena, "/%s", members[i].path);
		jsonw_object(&w);
		jsonw_kstr(&w, "op", "Replace");
		jsonw_kstr(&w, "path", path);
		jsonw_key(&w, "value");
		write_value(&w, &members[i]);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

/* ---- calls --------------------------------------------------------------------------------- */

/* What was written comes back: an object, or an array of what was changed (§2.4). */
static bool do_write(struct severa *s, const struct severa_rq *rq, const struct json **ret,
		     struct err *err)
{
	struct http_reply reply;
	const struct json *j;
	if (!severa_do(s, rq, &reply, err))
		return false;
	if (!json_parse(s->at->arena, reply.body, JSON_LIMITS_VENDOR, &j, NULL))
		return verdict_to_err(VERDICT_DOUBT, &reply, reply.body, rq->what, err);
	j = json_type(j) == JSON_ARRAY ? json_first(j) : j;
	if (!json_text(json_get(j, "guid")))
		return err_set(err, ERR_DOUBT, "%s: Severa's answer names nothing", rq->what);
	*ret = j;
	return true;
}

bool severa_post(struct severa *s, const char *what, const char *path,
		 const struct severa_member *members, size_t n, const struct json **ret,
		 struct err *err)
{
	struct severa_rq rq = { .what = what, .method = "POST", .path = path, .is_write = true };
	if (!path)
		return err_set(err, ERR_LIMIT, "arena full");
	return write_object(s, members, n, &rq.body, err) && do_write(s, &rq, ret, err);
}

bool severa_patch(struct severa *s, const char *what, const char *path,
		  const struct severa_member *members, size_t n, const struct json **ret,
		  struct err *err)
{
	struct severa_rq rq = { .what = what, .method = "PATCH", .path = path, .is_write = true };
	if (!path)
		return err_set(err, ERR_LIMIT, "arena full");
	return write_operations(s, members, n, &rq.body, err) && do_write(s, &rq, ret, err);
}
