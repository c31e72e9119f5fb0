/*
 * auth.c: bearer tokens, roles, connection sets, audit lines. Tokens come from the store's local
 * snapshot, so nothing here waits except the audit line.
 */
#include "base/base.h"

#include "base/clock.h"
#include "request.h"

#define TOKEN_LENGTH_MAX 300

bool auth_check(struct request *rq, struct err *err)
{
	if (rq->route->access == ACCESS_OPEN)
		return true;
	const char *header = request_header(rq, "Authorization");
	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return problem(err, ERR_CREDENTIALS, "unauthorized", "", "no bearer token");
	struct span plain = span_of(header + 7);
	if (plain.n > TOKEN_LENGTH_MAX ||
	    !store_token_find(rq->opt->store, rq->arena, plain, &rq->token))
		return problem(err, ERR_CREDENTIALS, "unauthorized", "",
			       "unknown or expired token");
	rq->token_key = rq->token.id;
	enum token_role needed = rq->route->access == ACCESS_ADMIN	? ROLE_ADMIN
				 : rq->route->access == ACCESS_OPERATOR ? ROLE_OPERATOR
									: ROLE_VIEWER;
	if (rq->token.role < needed)
		return problem(err, ERR_CREDENTIALS, "forbidden", "", "needs the role %s",
			       token_role_name(needed));
	return true;
}

bool auth_sees(const struct request *rq, const char *conn)
{
	for (size_t i = 0; i < rq->token.n_conns; i++)
		if (str_eq(rq->token.conns[i], conn))
			return true;
	return rq->token.n_conns == 0;
}

bool auth_connection(const struct request *rq, const char *conn, struct err *err)
{
	if (!auth_sees(rq, conn))
		return problem(err, ERR_NOT_FOUND, "not_found", "", "no such resource");
	return true;
}

bool auth_unrestricted(const struct request *rq, struct err *err)
{
	if (rq->token.n_conns > 0)
		return problem(err, ERR_CREDENTIALS, "forbidden", "",
			       "a token of some connections only may not do that");
	return true;
}

bool audit(struct request *rq, const char *action, const char *object, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, 2048);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *line = NULL;
	jsonw_object(&w);
	jsonw_ktime(&w, "at", clock_wall_ms());
	jsonw_kstr(&w, "token", rq->token.id);
	jsonw_kstr(&w, "who", rq->token.name);
	jsonw_kstr(&w, "action", action);
	jsonw_kstr(&w, "object", object);
	jsonw_kstr(&w, "request", rq->id);
	jsonw_kstr(&w, "client", request_client(rq));
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &line, err) && store_audit_add(rq->opt->store, line, err);
}
