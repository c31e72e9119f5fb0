/* admin.c: /v1/tokens, /v1/audit, /v1/flows. A token's text leaves once, in the answer that made
 * it.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/secret.h"
#include "handlers.h"

#define LIST_JSON_MAX ((size_t)2 * 1024 * 1024)
#define MAX_TOKEN_CONNS 256
#define AUDIT_LIMIT_PRESET 50
#define AUDIT_LIMIT_MAX 200
#define AUDIT_KEPT 10000

static void write_token(struct json_writer *w, const struct token *t, const char *plain)
{
	jsonw_object(w);
	jsonw_kstr(w, "id", t->id);
	jsonw_kstr(w, "name", t->name);
	jsonw_kstr(w, "role", token_role_name(t->role));
	jsonw_key(w, "connections");
	if (t->n_conns) {
		jsonw_array(w);
		for (size_t i = 0; i < t->n_conns; i++)
			jsonw_str(w, t->conns[i]);
		jsonw_end_array(w);
	} else {
		jsonw_null(w);
	}
	jsonw_ktime(w, "created_at", t->created_ms);
	jsonw_ktime(w, "expires_at", t->expires_ms);
	if (plain)
		jsonw_kstr(w, "token", plain);
	jsonw_end_object(w);
}

bool handle_tokens_list(struct request *rq, struct err *err)
{
	struct token *tokens = NULL;
	size_t n = 0;
	if (!auth_unrestricted(rq, err) ||
	    !store_token_list(rq->opt->store, rq->arena, &tokens, &n, err))
		return false;
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++)
		write_token(&w, &tokens[i], NULL);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}

static bool read_conns(struct request *rq, const struct json *j, struct token *t, struct err *err)
{
	if (json_is_null(j))
		return true;
	size_t n = json_size(j);
	if (json_type(j) != JSON_ARRAY || n < 1 || n > MAX_TOKEN_CONNS)
		return problem(err, ERR_INPUT, "value_invalid", "/connections",
			       "a list of 1 to %d connections", MAX_TOKEN_CONNS);
	const char **conns = arena_alloc_array(rq->arena, n, sizeof(*conns));
	if (!conns)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *c = json_first(j); c; c = json_next(c)) {
		CLEANUP(connection_unref)
		struct connection *known = json_str(c) ? store_find(rq->opt->store, json_str(c))
						       : NULL;
		if (!known)
			return problem(err, ERR_INPUT, "value_invalid", "/connections",
				       "no such connection");
		conns[t->n_conns++] = json_str(c);
	}
	t->conns = conns;
	return true;
}

static bool read_token(struct request *rq, struct token *t, struct err *err)
{
	static const char *const members[] = { "name", "role", "connections", "expires_at", NULL };
	const struct json *j = NULL;
	const char *name, *role, *expires;
	*t = (struct token) { .created_ms = clock_wall_ms() };
	if (!request_json(rq, &j, err) || !request_members(j, members, err) ||
	    !request_text(j, "name", 64, &name, err) || !request_text(j, "role", 16, &role, err) ||
	    !request_text(j, "expires_at", 40, &expires, err))
		return false;
	if (!name || !*name || !role)
		return problem(err, ERR_INPUT, "value_missing", name && *name ? "/role" : "/name",
			       "required");
	if (strlen(name) >= sizeof(t->name))
		return problem(err, ERR_INPUT, "value_invalid", "/name", "at most 64 bytes");
	snprintf(t->name, sizeof(t->name), "%s", name);
	if (!token_role_parse(span_of(role), &t->role))
		return problem(err, ERR_INPUT, "value_invalid", "/role",
			       "viewer, operator or admin");
	if (expires && (!clock_parse_rfc3339(span_of(expires), &t->expires_ms) ||
			t->expires_ms <= t->created_ms))
		return problem(err, ERR_INPUT, "value_invalid", "/expires_at",
			       "not an RFC 3339 time in the future");
	return read_conns(rq, json_get(j, "connections"), t, err);
}

bool handle_tokens_create(struct request *rq, struct err *err)
{
	struct token t;
	char plain[TOKEN_TEXT_MAX];
	if (!auth_unrestricted(rq, err) || !read_token(rq, &t, err) ||
	    !store_token_create(rq->opt->store, &t, NULL, plain, t.id, err) ||
	    !store_refresh(rq->opt->store, err) || !audit(rq, "token.create", t.id, err))
		return false;
	struct strbuf sb = STRBUF_INIT(rq->arena, 65536), kept = STRBUF_INIT(rq->arena, 65536);
	struct json_writer w = JSON_WRITER_INIT(&sb), k = JSON_WRITER_INIT(&kept);
	arena_keep_secrets(rq->arena);
	write_token(&w, &t, plain);
	write_token(&k, &t, NULL); /* a replay does not show the token again */
	secret_wipe(plain, sizeof(plain));
	rq->replay = strbuf_span(&kept);
	return respond_json(rq, 201, &sb, err);
}

bool handle_token_revoke(struct request *rq, struct err *err)
{
	if (!auth_unrestricted(rq, err))
		return false;
	if (str_eq(rq->args[0], rq->token.id))
		return problem(err, ERR_CONFLICT, "state", "", "a token cannot revoke itself");
	if (!store_token_revoke(rq->opt->store, rq->args[0], err) ||
	    !store_refresh(rq->opt->store, err) || !audit(rq, "token.revoke", rq->args[0], err))
		return false;
	rq->answer.status = 204;
	rq->answer.body = SPAN_LIT("");
	return true;
}

bool handle_audit_list(struct request *rq, struct err *err)
{
	size_t from, limit, n = 0;
	const char **lines = NULL;
	if (!auth_unrestricted(rq, err) ||
	    !request_number(rq, "cursor", (struct query_range) { 0, AUDIT_KEPT, 0 }, &from, err) ||
	    !request_number(rq, "limit",
			    (struct query_range) { 1, AUDIT_LIMIT_MAX, AUDIT_LIMIT_PRESET }, &limit,
			    err) ||
	    !store_audit_list(rq->opt->store, rq->arena, from, limit, &lines, &n, err))
		return false;
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++)
		jsonw_raw(&w, span_of(lines[i]));
	jsonw_end_array(&w);
	jsonw_kstr(&w, "next", n == limit ? arena_printf(rq->arena, "%zu", from + n) : NULL);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}

static const char *setting_type_name(enum setting_type t)
{
	switch (t) {
	case SETTING_TEXT:
		return "text";
	case SETTING_BOOL:
		return "bool";
	case SETTING_ENUM:
		return "enum";
	case SETTING_DECIMAL:
		return "decimal";
	case SETTING_EMAIL:
		return "email";
	case SETTING_OBJECT:
		break;
	}
	return "object";
}

static void write_kinds(struct json_writer *w, const struct flow *f)
{
	const char *const none[] = { flow_kind(f, NULL), NULL };
	jsonw_key(w, "kinds");
	jsonw_array(w);
	for (const char *const *kind = f->kinds ? f->kinds : none; *kind; kind++)
		jsonw_str(w, *kind);
	jsonw_end_array(w);
}

static void write_flow(struct json_writer *w, const struct flow *f)
{
	jsonw_object(w);
	jsonw_kstr(w, "name", f->name);
	jsonw_kstr(w, "title", f->title);
	write_kinds(w, f);
	jsonw_kbool(w, "takes_webhooks", f->accept != NULL);
	jsonw_key(w, "senders");
	jsonw_array(w);
	for (size_t i = 0; i < f->n_senders; i++)
		if (!f->senders[i].system->sender->header)
			jsonw_str(w, f->senders[i].system->name);
	jsonw_end_array(w);
	jsonw_key(w, "settings");
	jsonw_array(w);
	for (size_t i = 0; i < f->n_settings; i++) {
		const struct setting *s = &f->settings[i];
		jsonw_object(w);
		jsonw_kstr(w, "name", s->name);
		jsonw_kstr(w, "type", setting_type_name(s->type));
		jsonw_kstr(w, "values", s->values);
		jsonw_kstr(w, "default", s->preset);
		jsonw_kbool(w, "needed", s->needed);
		jsonw_kstr(w, "description", s->doc);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	jsonw_key(w, "credentials");
	jsonw_array(w);
	for (size_t i = 0; i < f->n_credentials; i++) {
		const struct credential *c = &f->credentials[i];
		jsonw_object(w);
		jsonw_kstr(w, "system", c->system);
		jsonw_kstr(w, "name", c->name);
		jsonw_kbool(w, "needed", c->needed);
		jsonw_kstr(w, "description", c->doc);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	jsonw_end_object(w);
}

bool handle_flows_list(struct request *rq, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (const struct flow *const *f = rq->opt->flows; *f; f++)
		write_flow(&w, *f);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}
