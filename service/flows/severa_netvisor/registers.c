/*
 * registers.c: what the register syncs of this flow have in common: whose links they are, and how
 * a record is called at both ends.
 */
#include "base/base.h"
#include "internal.h"

bool sn_link_scope(struct attempt *at, const char **ret, struct err *err)
{
	struct sn *r;
	if (!sn_start(at, &r, err) || !sn_claim_direction(r, at->kind, err))
		return false;
	*ret = arena_printf(at->arena, "%s:netvisor:%s", r->road.severa.limit_key,
			    r->netvisor.organisation);
	return *ret ? true : sn_full(err);
}

const char *sn_code_key(struct arena *arena, const char *kind, const char *code)
{
	char *key = arena_printf(arena, "%s:%s", kind, code);
	for (char *p = key; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return key;
}
