/*
 * addresses.c: what becomes of a customer's e-invoice address at Talenom (TA-05). One that Severa
 * does not show any more is removed with the customer's next invoice, and only when an earlier
 * reading had one. Where many are gone at once, Severa hides them rather than that they were
 * removed: nothing is removed then until a person says so.
 */
#include "base/base.h"
#include "internal.h"

#define HAD "had"
#define MANY 5 /* and a quarter of those that there were */
#define STILL_MANY_MS ((int64_t)5 * 60 * 1000) /* customers are not counted again for so long */

static const char *had_key(struct stn *m, const char *customer_id)
{
	return arena_printf(m->road.at->arena, "einvoice:%s", customer_id);
}

/* An earlier reading, of this connection or another to the same company. */
static bool had_address(struct stn *m, const char *customer_id, bool *ret, struct err *err)
{
	struct attempt *at = m->road.at;
	const char *key = had_key(m, customer_id), *value;
	if (!key)
		return stn_full(err);
	if (!at->ops->kv_get(at, m->talenom.limit_key, key, &value, err))
		return false;
	*ret = str_eq(value, HAD);
	return true;
}

/* ---- are many gone at once? ---------------------------------------------------------------- */

struct census {
	struct stn *m;
	int64_t gone, there;
	bool shows_it; /* the address of the customer in question */
};

static bool count_page(void *ctx, const struct customer *items, size_t n, struct err *err)
{
	struct census *c = ctx;
	for (size_t i = 0; i < n; i++) {
		bool had = false;
		if (!stn_has_address(&items[i])) {
			if (!had_address(c->m, items[i].source_id, &had, err))
				return false;
			c->gone += had;
			continue;
		}
		c->there++;
		if (str_eq(items[i].source_id, c->m->road.customer.source_id))
			c->shows_it = true;
	}
	return true;
}

bool stn_are_many(int64_t gone, int64_t there)
{
	return (gone >= MANY && 4 * gone >= gone + there) || (gone > 1 && !there);
}

/* A few are believed as they are; that there are many is remembered for a while, since each invoice
 * asks. *ret "": not many; else how many, for people. */
static bool count_gone(struct stn *m, const char **ret, struct err *err)
{
	struct attempt *at = m->road.at;
	struct census c = { .m = m };
	const char *key = arena_printf(at->arena, "%s:addresses_gone", m->talenom.limit_key);
	if (!key)
		return stn_full(err);
	*ret = at->ops->cache_get(at, key);
	if (*ret)
		return true;
	if (!severa_customers(&m->road.severa, NULL, count_page, &c, err))
		return false;
	if (c.shows_it)
		return err_set(err, ERR_OUTAGE,
			       "Severa shows the customer's e-invoice address again: it was hidden "
			       "for a moment");
	*ret = "";
	if (!stn_are_many(c.gone, c.there))
		return true;
	*ret = arena_printf(at->arena, "%" PRId64 " of %" PRId64, c.gone, c.gone + c.there);
	if (!*ret)
		return stn_full(err);
	at->ops->cache_set(at, key, *ret, STILL_MANY_MS);
	return true;
}

/* ---- of one customer ----------------------------------------------------------------------- */

/* May it be removed, as far as the others tell? "remove": in any case. */
static bool may_remove(struct stn *m, bool *ret, struct err *err)
{
	const char *rule = road_text(&severa_talenom, m->road.settings, "einvoice.many_gone");
	const char *many = "";
	*ret = true;
	if (str_eq(rule, "remove"))
		return true;
	if (!count_gone(m, &many, err))
		return false;
	*ret = !many[0];
	return *ret || str_eq(rule, "keep") ||
	       err_reason(err, ERR_WAITING, "einvoice_addresses_gone", many,
			  "%s customers have no e-invoice address in Severa any more", many);
}

bool stn_choose_address(struct stn *m, struct err *err)
{
	const struct customer *c = &m->road.customer;
	bool had, may = false;
	m->einvoice = TALENOM_EINVOICE_SET;
	if (stn_has_address(c))
		return true;
	m->einvoice = TALENOM_EINVOICE_AS_IT_IS;
	if (!had_address(m, c->source_id, &had, err) || (had && !may_remove(m, &may, err)))
		return false;
	if (may)
		m->einvoice = TALENOM_EINVOICE_REMOVE;
	return true;
}

bool stn_remember_address(struct stn *m, struct err *err)
{
	struct attempt *at = m->road.at;
	const char *id = m->road.customer.source_id, *key = had_key(m, id);
	bool had, has = m->einvoice == TALENOM_EINVOICE_SET;
	if (at->preview || m->einvoice == TALENOM_EINVOICE_AS_IT_IS)
		return true;
	if (!key)
		return stn_full(err);
	if (!had_address(m, id, &had, err))
		return false;
	return had == has || at->ops->kv_set(at, m->talenom.limit_key, key, has ? HAD : "", 0, err);
}
