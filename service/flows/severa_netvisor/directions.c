/*
 * directions.c: which way a register of one Netvisor company goes (NV-02, NV-06). Connections may
 * send its customers or products side by side to Netvisor, or take them from there, but not some
 * this way and some the other: they would chase each other's records. Each run says anew which way
 * its connection goes, in a small value that lapses; those that go the other way are refused while
 * one of them is active.
 *
 * Jobs of one company run one at a time (netvisor_limit): so nobody else changes a value between
 * reading and writing it.
 */
#include "base/base.h"
#include "internal.h"

#define SCOPE "netvisor.direction"
#define TTL_MS ((int64_t)2 * 86400000) /* registers run more often than once a day */
#define CLAIMS_MAX ((size_t)16384)

static const struct direction {
	const char *register_name, *subject, *setting, *pointer, *way;
	size_t opposite; /* its place in the table */
} directions[] = {
	{ "customers", "customers", "customers.direction", "/settings/customers/direction",
	  "severa_to_netvisor", 1 },
	{ "customers_back", "customers", "customers.direction", "/settings/customers/direction",
	  "netvisor_to_severa", 0 },
	{ "products", "products", "products.direction", "/settings/products/direction",
	  "severa_to_netvisor", 3 },
	{ "products_back", "products", "products.direction", "/settings/products/direction",
	  "netvisor_to_severa", 2 },
};

static const struct direction *direction_of(const char *register_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++)
		if (str_eq(register_name, directions[i].register_name))
			return &directions[i];
	return NULL;
}

/* The connections that go this way: their ids, a blank behind each. */
struct claims {
	const char *key, *ids;
};

static bool read_claims(struct sn *r, const struct direction *d, struct claims *ret,
			struct err *err)
{
	struct attempt *at = r->road.at;
	ret->key = arena_printf(at->arena, "%s:%s", r->netvisor.organisation, d->register_name);
	ret->ids = "";
	return ret->key ? at->ops->kv_get(at, SCOPE, ret->key, &ret->ids, err) : sn_full(err);
}

/* *rest moves behind it; NULL: that was the last. */
static const char *next_id(struct arena *arena, const char **rest)
{
	size_t n = strcspn(*rest, " ");
	const char *id = n ? arena_memdup(arena, *rest, n) : NULL;
	*rest += n;
	*rest += **rest == ' ';
	return id;
}

/* The first active one that goes the other way; *ret NULL: there is none. */
static bool find_opposite(struct sn *r, const struct direction *d, const char **ret,
			  struct err *err)
{
	struct attempt *at = r->road.at;
	struct claims c = { NULL, "" };
	*ret = NULL;
	if (!read_claims(r, &directions[d->opposite], &c, err))
		return false;
	for (const char *rest = c.ids, *id; !*ret && (id = next_id(at->arena, &rest));)
		if (!str_eq(id, at->conn->id) && at->ops->is_active(at, id))
			*ret = id;
	return true;
}

/* Those that are not active any more are dropped with it; ours stays, or goes. */
static bool write_claims(struct sn *r, const struct claims *c, bool is_ours, struct err *err)
{
	struct attempt *at = r->road.at;
	struct strbuf sb = STRBUF_INIT(at->arena, CLAIMS_MAX);
	const char *text;
	for (const char *rest = c->ids, *id; (id = next_id(at->arena, &rest));)
		if (!str_eq(id, at->conn->id) && at->ops->is_active(at, id))
			strbuf_addf(&sb, "%s ", id);
	if (is_ours)
		strbuf_addf(&sb, "%s ", at->conn->id);
	return strbuf_finish(&sb, &text, err) &&
	       (str_eq(text, c->ids) && !is_ours
			? true
			: at->ops->kv_set(at, SCOPE, c->key, text, TTL_MS, err));
}

static bool leave(struct sn *r, const struct direction *d, struct err *err)
{
	struct claims c = { NULL, "" };
	return read_claims(r, d, &c, err) && (!c.ids[0] || write_claims(r, &c, false, err));
}

static bool goes_opposite(const struct direction *d, const char *other, enum err_code code,
			  struct err *err)
{
	return err_reason(err, code, "direction_opposite", other,
			  "the connection %s sends the %s of this company the other way", other,
			  d->subject);
}

bool sn_claim_direction(struct sn *r, const char *register_name, struct err *err)
{
	const struct direction *d = direction_of(register_name);
	const char *other;
	struct claims c = { NULL, "" };
	if (!d)
		return true; /* a register that goes but one way */
	if (!find_opposite(r, d, &other, err))
		return false;
	if (other) /* other registers of the run go on */
		return goes_opposite(d, other, ERR_DATA, err);
	return leave(r, &directions[d->opposite], err) && read_claims(r, d, &c, err) &&
	       write_claims(r, &c, true, err);
}

bool sn_may_go(struct sn *r, const char *register_name, struct err *err)
{
	const struct direction *d = direction_of(register_name);
	const char *other;
	if (!d)
		return true;
	return find_opposite(r, d, &other, err) &&
	       (!other || goes_opposite(d, other, ERR_WAITING, err));
}

bool sn_leave_directions(struct sn *r, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++)
		if (!sn_is_set(r->road.settings, directions[i].setting, directions[i].way) &&
		    !leave(r, &directions[i], err))
			return false;
	return true;
}

bool sn_check_directions(struct road_check *c, struct err *err)
{
	struct sn *r = sn_of(c->r);
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		const struct direction *d = &directions[i];
		const char *other;
		if (!sn_is_set(r->road.settings, d->setting, d->way))
			continue;
		if (!find_opposite(r, d, &other, err))
			return false;
		if (other)
			road_problem_of(c, "direction_opposite", other, d->pointer,
					"The connection %s is active and sends the %s of this "
					"Netvisor company the other way. Set both the same way, or "
					"pause one of the two.",
					other, d->subject);
	}
	return true;
}
