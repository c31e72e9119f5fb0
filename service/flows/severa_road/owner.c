/*
 * owner.c: which connection relays whose invoices (SV-07, SV-09). A company's invoices in one
 * transfer status have one owner among the connections of all Severa flows: two would both send
 * them. Each poll says so anew, in a small value that lapses.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define OWNER_SCOPE "severa.owner"
#define OWNER_TTL_MS ((int64_t)2 * 86400000) /* a connection polls at least once a day */

/* A status has its own guid in each Severa, so companies of two Severas never meet. */
static bool place_of(struct road *r, const struct severa_status *transfer, const char *company,
		     const char **ret_key, struct err *err)
{
	*ret_key = arena_printf(r->at->arena, "%s:%s", transfer->id, company);
	return *ret_key || err_set(err, ERR_LIMIT, "arena full");
}

/* id "" : nobody. */
struct owner {
	const char *id;
	int64_t since_ms; /* relays without a break by another */
};

/* Kept as "id since". */
static bool read_owner(struct road *r, const struct severa_status *transfer, const char *company,
		       struct owner *ret, struct err *err)
{
	const char *key, *text;
	if (!place_of(r, transfer, company, &key, err) ||
	    !r->at->ops->kv_get(r->at, OWNER_SCOPE, key, &text, err))
		return false;
	size_t n = strcspn(text, " ");
	ret->id = arena_memdup(r->at->arena, text, n);
	ret->since_ms = text[n] ? strtoll(text + n, NULL, 10) : 0;
	return ret->id || err_set(err, ERR_LIMIT, "arena full");
}

/* *ret NULL: nobody, this connection, or one that does not relay any more. */
static const char *other_of(const struct road *r, const struct owner *owner)
{
	struct attempt *at = r->at;
	bool is_other = owner->id[0] && !str_eq(owner->id, at->conn->id);
	return is_other && at->ops->is_active(at, owner->id) ? owner->id : NULL;
}

bool road_other_owner(struct road *r, const struct severa_status *transfer, const char **ret,
		      struct err *err)
{
	struct owner owner;
	*ret = NULL;
	if (!r->company)
		return true;
	if (!read_owner(r, transfer, r->company, &owner, err))
		return false;
	*ret = other_of(r, &owner);
	return true;
}

/* The turn of another one ends with this run, or that of this one began then. */
static int64_t turn_of(const struct road *r, const struct owner *owner)
{
	if (!owner->id[0])
		return 0;
	return str_eq(owner->id, r->at->conn->id) ? owner->since_ms : clock_wall_ms();
}

bool road_may_relay(struct road *r, struct err *err)
{
	struct owner owner;
	if (!r->company)
		return true;
	if (!read_owner(r, r->transfer, r->company, &owner, err))
		return false;
	const char *other = other_of(r, &owner);
	r->turn_ms = turn_of(r, &owner);
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
	if (!road_may_relay(r, err) || !place_of(r, r->transfer, r->company, &key, err))
		return false;
	const char *value = arena_printf(at->arena, "%s %" PRId64, at->conn->id,
					 r->turn_ms ? r->turn_ms : clock_wall_ms());
	return value ? at->ops->kv_set(at, OWNER_SCOPE, key, value, OWNER_TTL_MS, err)
		     : err_set(err, ERR_LIMIT, "arena full");
}

bool road_is_owned(struct road *r, const char *company, bool *ret, struct err *err)
{
	struct owner owner;
	if (!read_owner(r, r->transfer, company, &owner, err))
		return false;
	*ret = owner.id[0] != 0;
	return true;
}
