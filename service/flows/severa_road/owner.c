/*
 * owner.c: which connection relays whose invoices (SV-09). A company's invoices in one transfer
 * status have one owner among the connections of a flow: two would both send them. Each poll says
 * so anew, in a small value that lapses.
 */
#include "base/base.h"
#include "internal.h"

#define OWNER_TTL_MS ((int64_t)2 * 86400000) /* a connection polls at least once a day */

struct place {
	const char *scope, *key;
};

static bool place_of(struct road *r, const struct severa_status *transfer, const char *company,
		     struct place *ret, struct err *err)
{
	struct arena *arena = r->at->arena;
	ret->scope = arena_printf(arena, "%s.owner", r->ops->flow->name);
	ret->key = arena_printf(arena, "%s:%s", transfer->id, company);
	return (ret->scope && ret->key) || err_set(err, ERR_LIMIT, "arena full");
}

static bool read_owner(struct road *r, const struct severa_status *transfer, const char *company,
		       const char **ret, struct err *err)
{
	struct place p;
	return place_of(r, transfer, company, &p, err) &&
	       r->at->ops->kv_get(r->at, p.scope, p.key, ret, err);
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
	struct place p;
	if (!r->company)
		return true;
	return road_may_relay(r, err) && place_of(r, r->transfer, r->company, &p, err) &&
	       at->ops->kv_set(at, p.scope, p.key, at->conn->id, OWNER_TTL_MS, err);
}

bool road_is_owned(struct road *r, const char *company, bool *ret, struct err *err)
{
	const char *owner;
	if (!read_owner(r, r->transfer, company, &owner, err))
		return false;
	*ret = owner[0] != 0;
	return true;
}
