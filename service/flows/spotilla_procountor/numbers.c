/*
 * numbers.c: whose invoice numbers these are. A task's id is unique in one Spotilla only, and its
 * invoice is known again in Procountor by the number made of it: two Spotillas that bill through
 * one company would take each other's invoices for their own. So a prefix belongs to one Spotilla
 * at each company, from its first invoice on and for good, whatever becomes of the connection.
 */
#include "base/base.h"
#include "internal.h"

#include <strings.h>

#define SCOPE "spotilla.numbers"

static const char *place_of(const struct sp *sp)
{
	return arena_printf(sp->at->arena, "%s:%s", sp->account, sp->set.number_prefix);
}

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* "": nobody's yet. */
static bool read_owner(struct sp *sp, const char **ret, struct err *err)
{
	const char *place = place_of(sp);
	return place ? sp->at->ops->kv_get(sp->at, SCOPE, place, ret, err) : full(err);
}

static bool is_own(const struct sp *sp, const char *owner)
{
	return strcasecmp(owner, sp->spotilla.subdomain) == 0;
}

bool sp_numbers_of_other(struct sp *sp, const char **ret, struct err *err)
{
	const char *owner;
	if (!read_owner(sp, &owner, err))
		return false;
	*ret = owner[0] && !is_own(sp, owner) ? owner : NULL;
	return true;
}

static bool take(struct sp *sp, struct err *err)
{
	const char *place = place_of(sp);
	return place ? sp->at->ops->kv_set(sp->at, SCOPE, place, sp->spotilla.subdomain, 0, err)
		     : full(err);
}

/* Two that begin at the same moment: one after the other. */
static bool take_first(struct sp *sp, const char **ret_owner, struct err *err)
{
	struct attempt *at = sp->at;
	const char *lease = arena_printf(at->arena, "%s:numbers:%s", sp->account,
					 sp->set.number_prefix);
	if (!lease)
		return full(err);
	if (!at->ops->record_lease(at, lease, err))
		return false;
	bool good = read_owner(sp, ret_owner, err) && ((*ret_owner)[0] || take(sp, err));
	at->ops->record_release(at, lease);
	return good;
}

bool sp_claim_numbers(struct sp *sp, struct err *err)
{
	const char *owner;
	if (!read_owner(sp, &owner, err) || (!owner[0] && !take_first(sp, &owner, err)))
		return false;
	return !owner[0] || is_own(sp, owner) ||
	       err_reason(err, ERR_WAITING, "numbers_taken", owner,
			  "the Spotilla %s has the invoice numbers %s-... in this company of "
			  "Procountor",
			  owner, sp->set.number_prefix);
}
