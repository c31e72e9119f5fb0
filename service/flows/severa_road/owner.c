/*
 * owner.c: which connection relays whose invoices (SV-07, SV-09). A company's invoices in one
 * transfer status have one owner among the connections of all Severa flows: two would both send
 * them. Each poll says so anew, in a small value that lapses.
 */
#include "base/base.h"
#include "internal.h"

#define OWNER_SCOPE "severa.owner"
#define OWNER_TTL_MS ((int64_t)2 * 86400000) /* a connection polls at least once a day */

/* A status has its own guid in each Severa, so companies of two Severas never meet. */
static bool place_of(struct road *r, const struct severa_status *transfer, const char *company,
		     const char **ret_key, struct err *err)
{
	*ret_key = arena_printf(r->at->arena, "%s:%s", transfer->id, company);
	return *ret_key || err_set(err, ERR_LIMIT, "arena full");
}

static bool read_owner(struct road *r, const struct severa_status *transfer, const char *company,
		       const char **ret, struct err *err)
{
	const char *key;
	return place_of(r, transfer, company, &key, err) &&
	       r->at->ops->kv_get(r->at, OWNER_SCOPE, key, ret, err);
}

bool road_other_owner(struct road *r, const struct severa_status *transfer, const char **ret,
		      struct err *err)
{
	struct attempt *at = r->at;
	const char *owner;
	*ret = NULL;
	if (!r->company)
		return true;
	if (!read_owner(r, transfer, r->company, &owner, err))
		return false;
	if (owner[0] && !str_eq(owner, at->conn->id) && at->ops->is_active(at, owner))
		*ret = owner;
	return true;
}

bool road_may_relay(struct road *r, struct err *err)
{
	const char *other;
	if (!road_other_owner(r, r->transfer, &other, err))
		return false;
	return !other || err_reason(err, ERR_WAITING, "status_taken", other,
				    "the connection %s relays this company's invoices from the "
				    "same status",
				    other);
}

bool road_claim(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	const char *key;
	if (!r->company)
		return true;
	return road_may_relay(r, err) && place_of(r, r->transfer, r->company, &key, err) &&
	       at->ops->kv_set(at, OWNER_SCOPE, key, at->conn->id, OWNER_TTL_MS, err);
}

bool road_is_owned(struct road *r, const char *company, bool *ret, struct err *err)
{
	const char *owner;
	if (!read_owner(r, r->transfer, company, &owner, err))
		return false;
	*ret = owner[0] != 0;
	return true;
}
