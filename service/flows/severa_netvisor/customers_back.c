/*
 * customers_back.c: the customer register from Netvisor to Severa (NV-02, NV-04, NV-05, NV-10): new
 * customers are created, changed ones changed in what has moved, passive ones passive; nothing is
 * deleted. By customer number, which Severa keeps as digits.
 *
 * Netvisor has no change stamp: a digest of what it says of a customer stands for one.
 */
#include "base/base.h"
#include "internal.h"

#include "codec/sign.h"

#define FIND_MAX 20
#define STAMP_BYTES 16

/* A record's data; from map on whole. */
struct entry {
	const struct netvisor_customer *card;
	struct netvisor_customer back; /* as Severa is to have it, under Netvisor's names */
	const char *note; /* sn_card_note */
};

static const struct entry *entry_of(const struct register_record *r)
{
	return r->data;
}

/* ---- of Netvisor --------------------------------------------------------------------------- */

static const char *stamp_of(struct arena *arena, const struct netvisor_customer *c)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 << 10);
	unsigned char digest[SHA256_BYTES];
	char *hex = arena_alloc(arena, 2 * STAMP_BYTES + 1);
	const char *text;
	for (size_t f = 0; f < NETVISOR_CUSTOMER_FIELDS; f++)
		strbuf_addf(&sb, "%s\n", c->values[f] ? c->values[f] : "");
	if (!hex || !strbuf_finish(&sb, &text, NULL))
		return NULL;
	sign_sha256(span_of(text), digest);
	sign_hex(digest, STAMP_BYTES, hex);
	return hex;
}

static const char *text_of(const struct netvisor_customer *c, enum netvisor_customer_field f)
{
	return c->values[f] ? c->values[f] : "";
}

static bool name_records(struct attempt *at, const struct netvisor_customer *items, size_t n,
			 struct register_page *ret, struct err *err)
{
	struct entry *entries = arena_alloc_array(at->arena, n + 1, sizeof(*entries));
	ret->records = arena_alloc_array(at->arena, n + 1, sizeof(*ret->records));
	ret->n = n;
	if (!entries || !ret->records)
		return sn_full(err);
	for (size_t i = 0; i < n; i++) {
		struct register_record *r = &ret->records[i];
		entries[i] = (struct entry) { .card = &items[i] };
		*r = (struct register_record) { .id = items[i].key,
						.version = stamp_of(at->arena, &items[i]),
						.data = &entries[i] };
		r->label = arena_printf(at->arena, "%s %s", text_of(&items[i], NETVISOR_CODE),
					text_of(&items[i], NETVISOR_NAME));
		if (!r->version || !r->label)
			return sn_full(err);
	}
	return true;
}

static bool list(struct attempt *at, const struct register_cursor *from, struct register_page *ret,
		 struct err *err)
{
	const struct netvisor_customer *items;
	struct sn *r;
	size_t n;
	return sn_start(at, &r, err) &&
	       netvisor_customer_page(&r->netvisor, from->since_ms, from->page, &items, &n,
				      &ret->next, err) &&
	       name_records(at, items, n, ret, err);
}

static bool read_ids(struct attempt *at, const char *const *ids, size_t n,
		     struct register_page *ret, struct err *err)
{
	const struct netvisor_customer *items;
	struct sn *r;
	size_t k;
	return sn_start(at, &r, err) &&
	       netvisor_customers_read(&r->netvisor, ids, n, &items, &k, err) &&
	       name_records(at, items, k, ret, err);
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

static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	struct entry *e = arena_alloc(at->arena, sizeof(*e));
	struct sn *sn;
	if (!e)
		return sn_full(err);
	*e = *entry_of(r);
	if (!sn_start(at, &sn, err))
		return false;
	const char *code = text_of(e->card, NETVISOR_CODE);
	if (strcasecmp(code, sn->set.temp_customer) == 0) {
		r->skip = "customer_temporary";
		return true;
	}
	if (!sn_check_back(e->card, err))
		return false;
	if (!sn_card_back(at->arena, &sn->set, e->card, &e->back))
		return sn_full(err);
	e->note = sn_card_note(at->arena, e->card);
	r->data = e;
	r->lease = sn_record_name(sn, SN_CUSTOMER, code);
	r->keys[0] = sn_code_key(at->arena, SN_CUSTOMER, code);
	r->n_keys = 1;
	return e->note && r->lease[0] && r->keys[0] && set_values(at->arena, &e->back, r)
		       ? true
		       : sn_full(err);
}

/* ---- at Severa ----------------------------------------------------------------------------- */

static bool match_of(struct sn *r, const struct customer *c, struct register_match *ret)
{
	struct arena *arena = r->road.at->arena;
	struct netvisor_customer card, back;
	const char **key = arena_alloc(arena, sizeof(*key));
	if (!key || !sn_card_of(arena, &r->set, c, &card))
		return false;
	sn_fill_defaults(&card); /* what Severa does not say is no difference from them */
	if (!sn_card_back(arena, &r->set, &card, &back))
		return false;
	*key = sn_code_key(arena, SN_CUSTOMER, c->code);
	*ret = (struct register_match) { .id = c->source_id,
					 .version = c->changed,
					 .keys = key,
					 .n_keys = 1,
					 .note = sn_card_note(arena, &card) };
	return *key && ret->note && sn_card_values(arena, &back, &ret->values, &ret->n_values);
}

/* code NULL: all that have a number. */
static bool matches_of(struct sn *r, const struct customer *items, size_t n, const char *code,
		       const struct register_match **ret, size_t *ret_n, struct err *err)
{
	struct register_match *list = arena_alloc_array(r->road.at->arena, n + 1, sizeof(*list));
	size_t k = 0;
	if (!list)
		return sn_full(err);
	for (size_t i = 0; i < n; i++) {
		if (!items[i].code || (code && !str_eq(items[i].code, code)))
			continue;
		if (!match_of(r, &items[i], &list[k++]))
			return sn_full(err);
	}
	*ret = list;
	*ret_n = k;
	return true;
}

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	const struct customer *items;
	struct sn *r;
	size_t n;
	return sn_start(at, &r, err) &&
	       severa_customer_page(&r->road.severa, NULL, from->page, &items, &n, &ret->next,
				    err) &&
	       matches_of(r, items, n, NULL, &ret->items, &ret->n, err);
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	const char *codes[FIND_MAX];
	const struct customer *items;
	struct sn *r;
	size_t k;
	assert(n <= FIND_MAX);
	for (size_t i = 0; i < n; i++)
		codes[i] = text_of(entry_of(records[i])->card, NETVISOR_CODE);
	if (!sn_start(at, &r, err) ||
	    !severa_customers_by_number(&r->road.severa, codes, n, &items, &k, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!matches_of(r, items, k, codes[i], &records[i]->found, &records[i]->n_found,
				err))
			return false;
	return true;
}

static bool match(const struct register_record *r, const struct register_match *m, struct err *err)
{
	return sn_match_note(entry_of(r)->note, text_of(entry_of(r)->card, NETVISOR_CODE), m, err);
}

/* ---- writing ------------------------------------------------------------------------------- */

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	struct severa_customer_form form;
	struct sn *sn;
	if (!sn_start(at, &sn, err))
		return false;
	return sn_card_form(at->arena, &sn->set, &entry_of(r)->back, NULL, 0, &form)
		       ? severa_customer_create(&sn->road.severa, &form, &ret->id, err)
		       : sn_full(err);
}

static bool update(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	struct severa_customer_form form;
	struct sn *sn;
	(void)ret; /* what Severa's stamp is then is not asked */
	if (!sn_start(at, &sn, err))
		return false;
	return sn_card_form(at->arena, &sn->set, &entry_of(r)->back, r->values, r->n_values, &form)
		       ? severa_customer_change(&sn->road.severa, r->link->id[LINK_LEFT], &form,
						err)
		       : sn_full(err);
}

static bool wanted(struct arena *arena, const struct json *settings, const char **ret_schedule)
{
	(void)arena;
	(void)ret_schedule; /* as it is */
	return str_eq(road_text(&severa_netvisor, settings, "customers.direction"),
		      "netvisor_to_severa");
}

const struct register_sync sn_customers_back = {
	.name = "customers_back",
	.title = "Customers, Netvisor to Severa",
	.kind = SN_CUSTOMER,
	.direction = REGISTER_BACK,
	.schedule = "{\"interval_s\":2400}",
	.wanted = wanted,
	.scope = sn_link_scope,
	.list = list,
	.read = read_ids,
	.map = map,
	.list_target = list_target,
	.find = find,
	.find_max = FIND_MAX,
	.match = match,
	.heirs = true,
	.create = create,
	.update = update,
};
