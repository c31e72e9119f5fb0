/*
 * directions.c: which way a register of one Netvisor company goes (NV-02, NV-06). Two connections
 * that push the same register opposite ways would chase each other's changes: the first that runs
 * has it, as long as it is active. Each run says so anew, in a small value that lapses.
 */
#include "base/base.h"
#include "internal.h"

#define SCOPE "netvisor.direction"
#define TTL_MS ((int64_t)2 * 86400000) /* registers run more often than once a day */

static const struct direction {
	const char *register_name, *subject,
		*way; /* way: as the setting <subject>.direction says */
} directions[] = {
	{ "customers", "customers", "severa_to_netvisor" },
	{ "customers_back", "customers", "netvisor_to_severa" },
	{ "products", "products", "severa_to_netvisor" },
	{ "products_back", "products", "netvisor_to_severa" },
};

static const char *key_of(struct sn *r, const struct direction *d)
{
	return arena_printf(r->road.at->arena, "%s:%s", r->netvisor.organisation, d->subject);
}

/* Kept as "id way". *ret NULL: nobody goes the other way. */
static bool find_opposite(struct sn *r, const struct direction *d, const char **ret,
			  struct err *err)
{
	struct attempt *at = r->road.at;
	const char *key = key_of(r, d), *text;
	*ret = NULL;
	if (!key)
		return sn_full(err);
	if (!at->ops->kv_get(at, SCOPE, key, &text, err))
		return false;
	size_t n = strcspn(text, " ");
	const char *id = arena_memdup(at->arena, text, n);
	if (!id)
		return sn_full(err);
	if (text[n] && strcmp(text + n + 1, d->way) != 0 && !str_eq(id, at->conn->id) &&
	    at->ops->is_active(at, id))
		*ret = id;
	return true;
}

static bool claim(struct sn *r, const struct direction *d, struct err *err)
{
	struct attempt *at = r->road.at;
	const char *other;
	if (!find_opposite(r, d, &other, err))
		return false;
	if (other)
		return err_reason(err, ERR_WAITING, "direction_opposite", other,
				  "the connection %s sends the %s of this company the other way",
				  other, d->subject);
	const char *value = arena_printf(at->arena, "%s %s", at->conn->id, d->way);
	return value ? at->ops->kv_set(at, SCOPE, key_of(r, d), value, TTL_MS, err) : sn_full(err);
}

bool sn_claim_direction(struct sn *r, const char *register_name, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++)
		if (str_eq(register_name, directions[i].register_name))
			return claim(r, &directions[i], err);
	return true; /* a register that goes but one way */
}

static bool is_set_so(struct sn *r, const struct direction *d)
{
	const char *name = arena_printf(r->road.at->arena, "%s.direction", d->subject);
	return name && str_eq(road_text(&severa_netvisor, r->road.settings, name), d->way);
}

bool sn_check_directions(struct road_check *c, struct err *err)
{
	struct sn *r = sn_of(c->r);
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		const struct direction *d = &directions[i];
		const char *other;
		if (!is_set_so(r, d))
			continue;
		if (!find_opposite(r, d, &other, err))
			return false;
		const char *pointer = arena_printf(r->road.at->arena, "/settings/%s/direction",
						   d->subject);
		if (other)
			road_problem(c, "direction_opposite", pointer,
				     "The connection %s is active and sends the %s of this "
				     "Netvisor company the other way. Set both the same way, or "
				     "deactivate one.",
				     other, d->subject);
	}
	return true;
}
