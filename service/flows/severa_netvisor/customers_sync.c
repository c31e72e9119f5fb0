/*
 * customers_sync.c: the customer register from Severa to Netvisor (NV-02, NV-03, NV-05, NV-10): new
 * customers are created, changed ones changed in what has moved, passive ones passive; nothing is
 * deleted. By customer number; the other way round is customers_back.c.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define READ_MAX 25 /* two calls each */

/* A record's data; from map on whole. */
struct entry {
	const struct customer *c;
	struct netvisor_customer card;
	const char *note; /* sn_card_note */
};

/* ---- of Severa ----------------------------------------------------------------------------- */

static bool name_record(struct arena *arena, const struct customer *c, struct register_record *ret)
{
	struct entry *e = arena_alloc(arena, sizeof(*e));
	bool has_both = c->code && c->name;
	if (!e)
		return false;
	*e = (struct entry) { .c = c };
	*ret = (struct register_record) { .id = c->source_id,
					  .version = c->changed,
					  .label = arena_printf(
						  arena, "%s%s%s", c->code ? c->code : "",
						  has_both ? " " : "", c->name ? c->name : ""),
					  .data = e };
	return ret->label != NULL;
}

static bool name_records(struct attempt *at, const struct customer *items, size_t n,
			 struct register_page *ret, struct err *err)
{
	ret->records = arena_alloc_array(at->arena, n + 1, sizeof(*ret->records));
	ret->n = n;
	if (!ret->records)
		return sn_full(err);
	for (size_t i = 0; i < n; i++)
		if (!name_record(at->arena, &items[i], &ret->records[i]))
			return sn_full(err);
	return true;
}

static bool list(struct attempt *at, const struct register_cursor *from, struct register_page *ret,
		 struct err *err)
{
	const struct customer *items;
	char since[CLOCK_RFC3339_MAX];
	struct sn *r;
	size_t n;
	if (from->since_ms)
		clock_rfc3339(from->since_ms, since);
	return sn_start(at, &r, err) &&
	       severa_customer_page(&r->road.severa, from->since_ms ? since : NULL, from->page,
				    &items, &n, &ret->next, err) &&
	       name_records(at, items, n, ret, err);
}

static bool read_ids(struct attempt *at, const char *const *ids, size_t n,
		     struct register_page *ret, struct err *err)
{
	struct customer *items = arena_alloc_array(at->arena, n + 1, sizeof(*items));
	struct sn *r;
	size_t k = 0;
	if (!items)
		return sn_full(err);
	if (!sn_start(at, &r, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		if (severa_customer(&r->road.severa, ids[i], &items[k], &why)) {
			k++;
		} else if (why.code != ERR_NOT_FOUND) {
			if (err)
				*err = why;
			return false;
		}
	}
	return name_records(at, items, k, ret, err);
}

static bool set_values(struct arena *arena, const struct netvisor_customer *card,
		       struct register_record *r)
{
	const struct link_value *values;
	size_t n;
	if (!sn_card_values(arena, card, &values, &n))
		return false;
	r->values = arena_alloc_array(arena, n + 1, sizeof(*r->values));
	for (size_t i = 0; r->values && i < n; i++)
		r->values[r->n_values++] = (struct register_value) { .name = values[i].name,
								     .value = values[i].value };
	return r->values != NULL;
}

/* One whose operator nobody knew is looked at again in each run: the list of operators may be
 * longer by then, and nothing in Severa says so. */
static bool make_card(struct sn *sn, struct entry *e, struct err *err)
{
	if (sn_customer_card(sn->road.at->arena, &sn->set, e->c, &e->card, err))
		return true;
	if (err && str_eq(err->reason, "operator_unknown"))
		err->code = ERR_WAITING;
	return false;
}

static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	const struct entry *from = r->data;
	struct entry *e = arena_alloc(at->arena, sizeof(*e));
	struct sn *sn;
	if (!e)
		return sn_full(err);
	*e = *from;
	if (!sn_start(at, &sn, err) || !make_card(sn, e, err))
		return false;
	e->note = sn_card_note(at->arena, &e->card);
	r->data = e;
	r->lease = sn_record_name(sn, SN_CUSTOMER, e->c->code);
	r->keys[0] = sn_code_key(at->arena, SN_CUSTOMER, e->c->code);
	r->n_keys = 1;
	return e->note && r->lease[0] && r->keys[0] && set_values(at->arena, &e->card, r)
		       ? true
		       : sn_full(err);
}

/* ---- at Netvisor --------------------------------------------------------------------------- */

static bool matches_of(struct attempt *at, const struct netvisor_customer *items, size_t n,
		       const struct register_match **ret, size_t *ret_n, struct err *err)
{
	struct register_match *list = arena_alloc_array(at->arena, n + 1, sizeof(*list));
	const char **keys = arena_alloc_array(at->arena, n + 1, sizeof(*keys));
	size_t k = 0;
	if (!list || !keys)
		return sn_full(err);
	for (size_t i = 0; i < n; i++) {
		const char *code = items[i].values[NETVISOR_CODE];
		if (!code || !code[0])
			continue;
		keys[k] = sn_code_key(at->arena, SN_CUSTOMER, code);
		list[k] = (struct register_match) { .id = items[i].key,
						    .keys = &keys[k],
						    .n_keys = 1,
						    .note = sn_card_note(at->arena, &items[i]) };
		if (!keys[k] || !list[k].note ||
		    !sn_card_values(at->arena, &items[i], &list[k].values, &list[k].n_values))
			return sn_full(err);
		k++;
	}
	*ret = list;
	*ret_n = k;
	return true;
}

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	const struct netvisor_customer *items;
	struct sn *r;
	size_t n;
	return sn_start(at, &r, err) &&
	       netvisor_customer_page(&r->netvisor, 0, from->page, &items, &n, &ret->next, err) &&
	       matches_of(at, items, n, &ret->items, &ret->n, err);
}

static const struct entry *entry_of(const struct register_record *r)
{
	return r->data;
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	const char **codes = arena_alloc_array(at->arena, n + 1, sizeof(*codes));
	const struct netvisor_customer *items;
	struct sn *r;
	size_t k;
	if (!codes)
		return sn_full(err);
	for (size_t i = 0; i < n; i++)
		codes[i] = entry_of(records[i])->c->code;
	if (!sn_start(at, &r, err) ||
	    !netvisor_customers_find(&r->netvisor, codes, n, &items, &k, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct netvisor_customer *own = arena_alloc_array(at->arena, k + 1, sizeof(*own));
		size_t n_own = 0;
		if (!own)
			return sn_full(err);
		for (size_t m = 0; m < k; m++)
			if (str_eq(items[m].values[NETVISOR_CODE], codes[i]))
				own[n_own++] = items[m];
		if (!matches_of(at, own, n_own, &records[i]->found, &records[i]->n_found, err))
			return false;
	}
	return true;
}

static bool match(const struct register_record *r, const struct register_match *m, struct err *err)
{
	return sn_match_note(entry_of(r)->note, entry_of(r)->c->code, m, err);
}

/* ---- writing ------------------------------------------------------------------------------- */

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	const struct entry *e = entry_of(r);
	struct netvisor_customer filled = sn_new_card(&e->card), theirs;
	struct err why = ERR_INIT;
	struct sn *sn;
	bool found;
	if (!sn_start(at, &sn, err))
		return false;
	if (netvisor_customer_add(&sn->netvisor, &filled, &ret->id, &why))
		return true;
	/* A second one of a number may be refused as bad data, too (facts/netvisor.md §18). */
	if (why.code == ERR_DATA &&
	    netvisor_customer_find(&sn->netvisor, e->c->code, &theirs, &found, NULL) && found)
		why.code = ERR_DUPLICATE;
	if (err)
		*err = why;
	return false;
}

static bool update(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	const struct entry *e = entry_of(r);
	struct netvisor_customer changes = { .key = r->link->id[LINK_RIGHT] };
	struct err why = ERR_INIT;
	struct sn *sn;
	(void)ret; /* Netvisor has no change stamp */
	for (enum netvisor_customer_field f = 0; f < NETVISOR_CUSTOMER_FIELDS; f++)
		for (size_t i = 0; i < r->n_values; i++)
			if (r->values[i].is_changed &&
			    strcmp(r->values[i].name, netvisor_customer_field_name(f)) == 0)
				changes.values[f] = r->values[i].value ? r->values[i].value : "";
	if (!sn_start(at, &sn, err))
		return false;
	sn_fill_defaults(&changes);
	if (netvisor_customer_edit(&sn->netvisor, &changes, &why))
		return true;
	if (why.code == ERR_DOUBT) /* an edit may be repeated */
		why.code = ERR_OUTAGE;
	if (why.code == ERR_DUPLICATE)
		return err_reason(err, ERR_DATA, "customer_number_taken", e->c->code,
				  "customer number %s belongs to another in Netvisor", e->c->code);
	if (err)
		*err = why;
	return false;
}

static bool wanted(struct arena *arena, const struct json *settings, const char **ret_schedule)
{
	(void)arena;
	(void)ret_schedule; /* as it is */
	return str_eq(road_text(&severa_netvisor, settings, "customers.direction"),
		      "severa_to_netvisor");
}

const struct register_sync sn_customers_sync = {
	.name = "customers",
	.title = "Customers, Severa to Netvisor",
	.kind = SN_CUSTOMER,
	.direction = REGISTER_FORWARD,
	.schedule = "{\"interval_s\":2400}",
	.wanted = wanted,
	.scope = sn_link_scope,
	.list = list,
	.read = read_ids,
	.read_max = READ_MAX,
	.map = map,
	.list_target = list_target,
	.find = find,
	.find_max = NETVISOR_CODES_MAX,
	.match = match,
	.heirs = true,
	.create = create,
	.update = update,
};
