/*
 * registers.c: what the register syncs of this flow have in common: whose links they are, and how
 * a record is called at both ends.
 */
#include "base/base.h"
#include "internal.h"

bool sn_link_table(struct sn *r, const char *kind, struct link_table *ret, struct err *err)
{
	ret->kind = kind;
	ret->scope = arena_printf(r->road.at->arena, "%s:netvisor:%s", r->road.severa.limit_key,
				  r->netvisor.organisation);
	return ret->scope ? true : sn_full(err);
}

bool sn_link_scope(struct attempt *at, const char **ret, struct err *err)
{
	struct link_table table;
	struct sn *r;
	if (!sn_start(at, &r, err) || !sn_claim_direction(r, at->kind, err) ||
	    !sn_link_table(r, "", &table, err))
		return false;
	*ret = table.scope;
	return true;
}

bool sn_is_set(const struct json *settings, const char *name, const char *value)
{
	return str_eq(road_text(&severa_netvisor, settings, name), value);
}

const char *sn_code_key(struct arena *arena, const char *kind, const char *code)
{
	char *key = arena_printf(arena, "%s:%s", kind, code);
	for (char *p = key; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return key;
}
