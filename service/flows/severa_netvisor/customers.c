/*
 * customers.c: an invoice's customer stands in Netvisor before it, as Severa has it (NV-02, NV-03,
 * NV-05), or the temporary customer does, or the one that Netvisor itself keeps. What is made or
 * changed here is linked as the register does it (customers_sync.c): the link's values are those
 * that were synchronised last.
 */
#include "base/base.h"
#include "internal.h"

#include "codec/sign.h"

/* One customer on its way. */
struct passage {
	struct sn *r;
	const struct customer *c;
	struct netvisor_customer card;
	struct link_table table;
	struct record_link link; /* ids NULL: none */
};

static const char *digest_of(struct passage *p)
{
	struct strbuf sb = STRBUF_INIT(p->r->road.at->arena, 64 << 10);
	unsigned char digest[SHA256_BYTES];
	char *hex = arena_alloc(p->r->road.at->arena, 2 * SHA256_BYTES + 1);
	const char *text;
	for (enum netvisor_customer_field f = 0; f < NETVISOR_CUSTOMER_FIELDS; f++)
		strbuf_addf(&sb, "%s\n", p->card.values[f] ? p->card.values[f] : "");
	if (!hex || !strbuf_finish(&sb, &text, NULL))
		return NULL;
	sign_sha256(span_of(text), digest);
	sign_hex(digest, sizeof(digest), hex);
	return hex;
}

static bool is_linked_with(const struct passage *p, const char *key)
{
	return str_eq(p->link.id[LINK_RIGHT], key);
}

static bool is_taken(struct passage *p, const char *by, struct err *err)
{
	const char *code = p->card.values[NETVISOR_CODE];
	return err_reason(err, ERR_DATA, "customer_number_taken", code,
			  "customer number %s belongs to %s in Netvisor", code,
			  by && by[0] ? by : "another");
}

/* Theirs is linked with another one of Severa: free, if Severa has deleted that. */
static bool inherit(struct passage *p, const struct record_link *other, struct err *err)
{
	struct attempt *at = p->r->road.at;
	struct customer before;
	struct err why = ERR_INIT;
	if (severa_customer(&p->r->road.severa, other->id[LINK_LEFT], &before, &why))
		return is_taken(p, "another customer of Severa", err);
	if (why.code == ERR_NOT_FOUND)
		return at->ops->link_drop(at, &p->table, other->id[LINK_LEFT],
					  other->id[LINK_RIGHT], err);
	if (err)
		*err = why;
	return false;
}

/* Theirs has the number, or the link: may it be this one? */
static bool check_same(struct passage *p, const struct netvisor_customer *theirs, struct err *err)
{
	struct attempt *at = p->r->road.at;
	struct record_link other;
	if (is_linked_with(p, theirs->key))
		return true;
	if (!sn_is_same_customer(at->arena, theirs, &p->card))
		return is_taken(p, theirs->values[NETVISOR_NAME], err);
	if (!at->ops->links(at, &p->table, LINK_RIGHT, &theirs->key, 1, &other, err))
		return false;
	return !other.id[LINK_LEFT] || str_eq(other.id[LINK_LEFT], p->c->source_id) ||
	       inherit(p, &other, err);
}

static bool edit_customer(struct passage *p, const struct netvisor_customer *theirs,
			  struct err *err)
{
	struct sn *r = p->r;
	const struct record_link *last = is_linked_with(p, theirs->key) ? &p->link : NULL;
	struct netvisor_customer changes;
	struct err why = ERR_INIT;
	if (!check_same(p, theirs, err))
		return false;
	if (!sn_customer_changes(theirs, &p->card, last, &changes))
		return true;
	if (!r->road.at->preview && !netvisor_customer_edit(&r->netvisor, &changes, &why)) {
		/* An edit may be repeated: a doubt is no more than a failed try. */
		if (why.code == ERR_DOUBT)
			why.code = ERR_OUTAGE;
		if (why.code == ERR_DUPLICATE)
			return is_taken(p, NULL, err);
		if (err)
			*err = why;
		return false;
	}
	road_note_change(&r->road, "customer_updated", "updated in", "customer",
			 p->card.values[NETVISOR_NAME]);
	return true;
}

static bool add_customer(struct passage *p, const char **ret_key, struct err *err)
{
	struct sn *r = p->r;
	struct attempt *at = r->road.at;
	struct netvisor_customer filled = sn_new_card(&p->card), theirs;
	const char *code = p->card.values[NETVISOR_CODE];
	const char *step = sn_step_name(r, SN_CUSTOMER, code);
	bool found;
	struct err inner = ERR_INIT;
	if (!step)
		return sn_full(err);
	if (!sn_begin_addition(r, step, err))
		return false;
	if (!netvisor_customer_add(&r->netvisor, &filled, ret_key, &inner)) {
		if (!sn_may_be_there(&inner) ||
		    !netvisor_customer_find(&r->netvisor, code, &theirs, &found, NULL) || !found)
			return sn_refused(r, step, &inner, err);
		*ret_key = theirs.key;
		return at->ops->step_outcome(at, step, theirs.key, err) &&
		       edit_customer(p, &theirs, err);
	}
	p->link.made[LINK_RIGHT] = true;
	road_note_change(&r->road, "customer_added", "added to", "customer",
			 p->card.values[NETVISOR_NAME]);
	return at->ops->step_outcome(at, step, *ret_key, err);
}

/* By number; one that was given another number in Severa, by its link. */
static bool find_customer(struct passage *p, struct netvisor_customer *ret, bool *ret_found,
			  struct err *err)
{
	struct netvisor *nv = &p->r->netvisor;
	const struct netvisor_customer *items;
	size_t n;
	if (!netvisor_customer_find(nv, p->card.values[NETVISOR_CODE], ret, ret_found, err))
		return false;
	if (*ret_found || !p->link.id[LINK_RIGHT])
		return true;
	if (!netvisor_customers_read(nv, &p->link.id[LINK_RIGHT], 1, &items, &n, err))
		return false;
	*ret_found = n > 0;
	if (n)
		*ret = items[0];
	return true;
}

static bool put_link(struct passage *p, const char *key, struct err *err)
{
	struct attempt *at = p->r->road.at;
	struct record_link link = { .id = { p->c->source_id, key },
				    .version = { p->c->changed, NULL } };
	memcpy(link.made, p->link.made, sizeof(link.made));
	return sn_card_values(at->arena, &p->card, &link.values, &link.n_values)
		       ? at->ops->link_put(at, &p->table, &link, 1, err)
		       : sn_full(err);
}

static bool sync_customer(struct passage *p, struct err *err)
{
	struct attempt *at = p->r->road.at;
	struct netvisor_customer theirs;
	const char *key;
	bool found;
	if (!find_customer(p, &theirs, &found, err))
		return false;
	if (!found && at->preview) {
		road_note_change(&p->r->road, "customer_added", "added to", "customer",
				 p->card.values[NETVISOR_NAME]);
		return true;
	}
	key = theirs.key;
	if (found ? !edit_customer(p, &theirs, err) : !add_customer(p, &key, err))
		return false;
	return at->preview || put_link(p, key, err);
}

static bool begin(struct passage *p, struct err *err)
{
	struct attempt *at = p->r->road.at;
	p->table.kind = SN_CUSTOMER;
	return sn_customer_card(at->arena, &p->r->set, p->c, &p->card, err) &&
	       sn_link_scope(at, &p->table.scope, err) &&
	       at->ops->links(at, &p->table, LINK_LEFT, &p->c->source_id, 1, &p->link, err);
}

bool sn_customer(struct sn *r, const struct customer *c, struct err *err)
{
	struct attempt *at = r->road.at;
	struct passage p = { .r = r, .c = c };
	if (!begin(&p, err))
		return false;
	const char *digest = digest_of(&p);
	const char *key = sn_cache_key(r, SN_CUSTOMER, c->code);
	const char *record = sn_record_name(r, SN_CUSTOMER, c->code);
	if (!digest)
		return sn_full(err);
	if (str_eq(at->ops->cache_get(at, key), digest))
		return true; /* synchronised a moment ago, and the same since */
	if (at->preview)
		return sync_customer(&p, err);
	if (!sn_may_go(r, "customers", err) || !at->ops->record_lease(at, record, err))
		return false;
	struct err inner = ERR_INIT;
	bool ok = sync_customer(&p, &inner);
	if (!sn_release(r, record, ok, &inner, err))
		return false;
	at->ops->cache_set(at, key, digest, SN_FRESH_MS);
	return true;
}

/*
 * Netvisor keeps the customers: one that it has under this number, and that is the same, may stand
 * on an invoice whether the register has met it or not. One that it does not have is made there by
 * a person; what was read of it counts for the fingerprint, so that the invoice goes on by itself
 * then.
 */
bool sn_kept_customer(struct sn *r, const struct customer *c, struct err *err)
{
	struct attempt *at = r->road.at;
	struct netvisor_customer theirs, card;
	bool found;
	if (!sn_card_of(at->arena, &r->set, c, &card))
		return sn_full(err);
	if (!netvisor_customer_find(&r->netvisor, c->code, &theirs, &found, err))
		return false;
	at->ops->seen(at, span_of(found ? theirs.key : "customer: none"));
	if (!found)
		return err_reason(err, ERR_DATA, "customer_not_in_target", c->code,
				  "customer %s does not exist in Netvisor", c->code);
	return sn_is_same_customer(at->arena, &theirs, &card) ||
	       err_reason(err, ERR_DATA, "customer_number_taken", c->code,
			  "customer number %s belongs to %s in Netvisor", c->code,
			  theirs.values[NETVISOR_NAME] ? theirs.values[NETVISOR_NAME] : "another");
}

bool sn_temp_customer(struct sn *r, struct err *err)
{
	struct attempt *at = r->road.at;
	const char *code = r->set.temp_customer;
	const char *key = sn_cache_key(r, "temp_customer", code);
	struct netvisor_customer theirs;
	bool found;
	if (at->ops->cache_get(at, key))
		return true;
	if (!netvisor_customer_find(&r->netvisor, code, &theirs, &found, err))
		return false;
	if (!found)
		return err_reason(err, ERR_DATA, "temp_customer_missing", code,
				  "temporary customer %s does not exist in Netvisor", code);
	at->ops->cache_set(at, key, "1", SN_FRESH_MS);
	return true;
}
