/*
 * company.c: which company of Procountor's this is, since its ids are unique within one only, and
 * where its invoices are to be paid. Both seldom change: asked for once an hour, for all workers.
 */
#include "base/base.h"
#include "internal.h"

#define TTL_MS ((int64_t)60 * 60 * 1000)

static bool want_of(struct sp *sp, const char *what, struct shared_want *ret, struct err *err)
{
	ret->key = arena_printf(sp->at->arena, "%s:%s", what, sp->procountor.token_key);
	ret->ctx = sp;
	return ret->key ? true : err_set(err, ERR_LIMIT, "arena full");
}

/* ---- the company --------------------------------------------------------------------------- */

static bool fetch_company(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	struct sp *sp = ctx;
	*ret_ttl_ms = TTL_MS;
	return procountor_company_id(&sp->procountor, ret, err);
}

bool sp_find_company(struct sp *sp, struct err *err)
{
	struct shared_want want = { .fetch = fetch_company };
	const char *id;
	return want_of(sp, "procountor.company", &want, err) &&
	       sp->at->ops->shared(sp->at, &want, &id, err) && sp_name_company(sp, id, err);
}

bool sp_name_company(struct sp *sp, const char *id, struct err *err)
{
	struct arena *arena = sp->at->arena;
	sp->company = id;
	sp->account = arena_printf(arena, "procountor:%s", sp->company);
	sp->scope = arena_printf(arena, "spotilla:%s:procountor:%s", sp->spotilla.subdomain,
				 sp->company);
	return sp->account && sp->scope ? true : err_set(err, ERR_LIMIT, "arena full");
}

bool sp_link_scope(struct attempt *at, const char **ret, struct err *err)
{
	struct sp sp;
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	*ret = sp.scope;
	return true;
}

/* ---- where to pay -------------------------------------------------------------------------- */

static bool fetch_iban(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	struct sp *sp = ctx;
	const struct procountor_account *accounts;
	size_t n;
	if (!procountor_accounts(&sp->procountor, &accounts, &n, err))
		return false;
	*ret = "";
	*ret_ttl_ms = TTL_MS;
	for (size_t i = 0; i < n; i++)
		if (accounts[i].is_active && accounts[i].is_default)
			*ret = accounts[i].iban;
	return true;
}

bool sp_find_iban(struct sp *sp, const char **ret, struct err *err)
{
	struct shared_want want = { .fetch = fetch_iban };
	if (sp->set.iban) {
		*ret = sp->set.iban;
		return true;
	}
	if (!want_of(sp, "procountor.iban", &want, err) ||
	    !sp->at->ops->shared(sp->at, &want, ret, err))
		return false;
	return (*ret)[0] ? true
			 : err_reason(err, ERR_WAITING, "invoice_account_missing", "Procountor",
				      "the company has no active account for invoices");
}

/* ---- ids in Spotilla's external_ref -------------------------------------------------------- */

const char *sp_ref(const struct sp *sp, const char *id)
{
	return arena_printf(sp->at->arena, "%s:%s", sp->account, id);
}

const char *sp_id_of_ref(const struct sp *sp, const char *ref)
{
	size_t n = strlen(sp->account);
	return ref && strncmp(ref, sp->account, n) == 0 && ref[n] == ':' && ref[n + 1] ? ref + n + 1
										       : NULL;
}
