/*
 * scopes.c: the rights that an invoice flow needs, and which of them the credentials lack
 * (facts/severa.md §1.3, 1.4, §11.6). A missing one may refuse the token, be left out of it, or
 * show only when it is used: all three are looked at. What can only be written cannot be tried.
 */
#include "base/base.h"
#include "severa_internal.h"

#define SOAP_KEY_MIN 16
#define GIVEN_TTL_MS 60000

const char *const severa_scope_names[SEVERA_N_SCOPES] = {
	"invoices:read", "invoices:write", "customers:read",	"settings:read",
	"files:read",	 "projects:read",  "organization:read",
};

/* Cheap reads that need the scope of the same place; NULL: there is none. */
static const char *const trials[SEVERA_N_SCOPES] = {
	"/v1/invoices?rowCount=1",
	NULL,
	"/v1/customers?rowCount=1",
	"/v1/invoicestatuses?firstRow=0&rowCount=1",
	"/v1/invoices/00000000-0000-0000-0000-000000000000/files?firstRow=0&rowCount=1",
	"/v1/projects?rowCount=1",
	"/v1/organizationdetails",
};

bool severa_scope_is_listed(const char *granted, const char *scope)
{
	size_t n = strlen(scope);
	for (const char *p = granted; (p = strcasestr(p, scope)); p += n)
		if ((p == granted || p[-1] == ' ' || p[-1] == ',') &&
		    (!p[n] || p[n] == ' ' || p[n] == ','))
			return true;
	return false;
}

/* Refused as a whole: which of them would it give alone? */
static bool ask_for_each(struct severa *s, bool has[SEVERA_N_SCOPES], const struct err *refusal,
			 struct err *err)
{
	bool has_any = false;
	for (size_t i = 0; i < SEVERA_N_SCOPES; i++) {
		struct severa_login login = { .severa = s, .scope = severa_scope_names[i] };
		struct err why = ERR_INIT;
		const char *token;
		int64_t ttl_ms;
		has[i] = severa_log_in(&login, &token, &ttl_ms, &why);
		has_any |= has[i];
		if (!has[i] && why.code != ERR_CREDENTIALS) {
			if (err)
				*err = why;
			return false;
		}
	}
	if (!has_any && err) /* it is not about rights */
		*err = *refusal;
	return has_any;
}

/* One token with what is there, so that the rest of a check can go on; without it that names the
 * refusal once more, no worse. */
static void share_what_is_given(struct severa *s, const bool has[SEVERA_N_SCOPES])
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, 1024);
	struct severa_login login = { .severa = s };
	const char *token;
	int64_t ttl_ms;
	for (size_t i = 0; i < SEVERA_N_SCOPES; i++)
		if (has[i])
			strbuf_addf(&sb, "%s%s", sb.n ? "," : "", severa_scope_names[i]);
	if (strbuf_finish(&sb, &login.scope, NULL) && severa_log_in(&login, &token, &ttl_ms, NULL))
		s->at->ops->cache_set(s->at, s->token_key, token,
				      ttl_ms < GIVEN_TTL_MS ? ttl_ms : GIVEN_TTL_MS);
}

static bool try_each(struct severa *s, const char *token, bool has[SEVERA_N_SCOPES],
		     struct err *err)
{
	for (size_t i = 0; i < SEVERA_N_SCOPES; i++) {
		struct severa_rq rq = { .what = "try a right", .method = "GET", .path = trials[i] };
		struct http_reply reply;
		if (!has[i] || !trials[i])
			continue;
		if (!severa_send(s, &rq, token, &reply, err))
			return false;
		has[i] = reply.status != 403 ||
			 !str_eq(severa_error_type(s->at->arena, &reply), "InsufficientApiScope");
	}
	return true;
}

/* With a token that was made just now: credentials may have changed since the last. */
static bool look(struct severa *s, bool has[SEVERA_N_SCOPES], struct err *err)
{
	struct severa_login login = { .severa = s };
	struct err why = ERR_INIT;
	const char *token, *old = s->at->ops->cache_get(s->at, s->token_key);
	int64_t ttl_ms;
	bool ok = severa_get_token(&login, old, &token, &why);
	if (ok && !login.is_done)
		ok = severa_log_in(&login, &token, &ttl_ms, &why);
	if (!ok && why.code == ERR_CREDENTIALS) {
		if (!ask_for_each(s, has, &why, err))
			return false;
		share_what_is_given(s, has);
		return true;
	}
	if (!ok) {
		if (err)
			*err = why;
		return false;
	}
	for (size_t i = 0; i < SEVERA_N_SCOPES; i++)
		has[i] = !login.granted || !login.granted[0] ||
			 severa_scope_is_listed(login.granted, severa_scope_names[i]);
	return try_each(s, token, has, err);
}

bool severa_missing_scopes(struct severa *s, const char *const **ret, size_t *ret_n,
			   struct err *err)
{
	bool has[SEVERA_N_SCOPES];
	const char **missing = arena_alloc_array(s->at->arena, SEVERA_N_SCOPES, sizeof(*missing));
	size_t n = 0;
	if (!missing)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!look(s, has, err))
		return false;
	for (size_t i = 0; i < SEVERA_N_SCOPES; i++)
		if (!has[i])
			missing[n++] = severa_scope_names[i];
	*ret = missing;
	*ret_n = n;
	return true;
}

/* The vendor has no form for either; client ids have a domain, keys are one long word. */
bool severa_is_soap_key(const struct severa *s)
{
	if (!s->client_id || strchr(s->client_id, '.'))
		return false;
	return s->client_id[0] ? strlen(s->client_id) >= SOAP_KEY_MIN
			       : strlen(s->client_secret) >= SOAP_KEY_MIN;
}
