/*
 * products_sync.c: new products, work types and travel-expense types of Severa go to Netvisor's
 * register once (NV-06, NV-07); what is changed later is for the people at Netvisor. A product is
 * known there by its code. products.c makes those that an invoice cannot wait for, under the same
 * lease and with the same link.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define READ_MAX 20 /* up to three calls each */

/* ---- what both directions share ------------------------------------------------------------ */

const char *sn_product_label(struct arena *arena, const char *code, const char *name)
{
	bool has_code = code && code[0];
	return arena_printf(arena, "%s%s%s", has_code ? code : "", has_code ? " " : "",
			    name ? name : "");
}

/* Two records of one side with one code: what is linked with the first is not the second's too. */
bool sn_match_product(const struct register_record *r, const struct register_match *m,
		      struct err *err)
{
	return !m->taken_by ||
	       err_reason(err, ERR_DATA, "product_code_twice", r->label,
			  "its code is that of the record %s, which is linked with %s already",
			  m->taken_by, m->id);
}

bool sn_product_match(struct arena *arena, const char *id, const char *code, const char *version,
		      struct register_match *ret)
{
	const char **keys = arena_alloc_array(arena, 1, sizeof(*keys));
	*ret = (struct register_match) { .id = id, .version = version, .keys = keys };
	if (!keys || !code || !code[0])
		return keys != NULL;
	keys[ret->n_keys++] = sn_code_key(arena, SN_PRODUCT, code);
	return keys[0] != NULL;
}

/* ---- of Severa ----------------------------------------------------------------------------- */

static bool wanted(struct arena *arena, const struct json *settings, const char **ret_schedule)
{
	(void)arena;
	(void)ret_schedule;
	return sn_is_set(settings, "products.direction", "severa_to_netvisor");
}

static bool name_record(struct arena *arena, const struct product *p, struct register_record *ret)
{
	*ret = (struct register_record) {
		.id = p->source_id,
		.version = p->changed,
		.label = sn_product_label(arena, p->code, p->name),
		.data = p,
	};
	return ret->label != NULL;
}

static bool list(struct attempt *at, const struct register_cursor *from, struct register_page *ret,
		 struct err *err)
{
	char since[CLOCK_RFC3339_MAX];
	struct severa_product_page page;
	struct sn *sn;
	if (!sn_start(at, &sn, err) ||
	    !severa_product_page(&sn->road.severa,
				 from->since_ms ? clock_rfc3339(from->since_ms, since) : NULL,
				 from->page, REGISTER_PAGE_MAX, &page, err))
		return false;
	ret->records = arena_alloc_array(at->arena, page.n + 1, sizeof(*ret->records));
	if (!ret->records)
		return sn_full(err);
	for (ret->n = 0; ret->n < page.n; ret->n++)
		if (!name_record(at->arena, &page.items[ret->n], &ret->records[ret->n]))
			return sn_full(err);
	ret->next = page.next;
	return true;
}

/* One that is gone is left out; one that cannot be read is named, and has no data. */
static bool read_one(struct sn *sn, const char *id, struct register_page *ret, struct err *err)
{
	struct arena *arena = sn->road.at->arena;
	struct product *p = arena_alloc(arena, sizeof(*p));
	struct err why = ERR_INIT;
	if (!p)
		return sn_full(err);
	if (severa_product_by_id(&sn->road.severa, id, p, &why))
		return name_record(arena, p, &ret->records[ret->n++]) || sn_full(err);
	if (why.code == ERR_NOT_FOUND)
		return true;
	if (why.code == ERR_SYSTEM || why.code == ERR_DATA) {
		ret->records[ret->n++] = (struct register_record) { .id = id, .label = id };
		return true;
	}
	return sn_pass_on(&why, err);
}

static bool read_ids(struct attempt *at, const char *const *ids, size_t n,
		     struct register_page *ret, struct err *err)
{
	struct sn *sn;
	ret->records = arena_alloc_array(at->arena, n + 1, sizeof(*ret->records));
	if (!ret->records)
		return sn_full(err);
	if (!sn_start(at, &sn, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!read_one(sn, ids[i], ret, err))
			return false;
	return true;
}

/* Without a code it could not be found again, and no invoice can name it. */
static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	const struct product *p = r->data;
	struct sn *sn;
	if (!p)
		return err_reason(err, ERR_DATA, "answer_unreadable", r->label,
				  "the product %s cannot be read", r->id);
	if (!p->code || !p->code[0]) {
		r->skip = "product_without_code";
		return true;
	}
	if (!sn_start(at, &sn, err))
		return false;
	r->keys[0] = sn_code_key(at->arena, SN_PRODUCT, p->code);
	r->n_keys = 1;
	r->lease = sn_record_name(sn, SN_PRODUCT, p->code);
	return r->keys[0] && r->lease[0] ? true : sn_full(err);
}

/* ---- at Netvisor --------------------------------------------------------------------------- */

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	struct netvisor_product_page page;
	struct sn *sn;
	if (!sn_start(at, &sn, err) ||
	    !netvisor_product_page(&sn->netvisor, 0, from->page, REGISTER_PAGE_MAX, &page, err))
		return false;
	struct register_match *items = arena_alloc_array(at->arena, page.n + 1, sizeof(*items));
	if (!items)
		return sn_full(err);
	for (size_t i = 0; i < page.n; i++)
		if (!sn_product_match(at->arena, page.items[i].key, page.items[i].code, NULL,
				      &items[i]))
			return sn_full(err);
	*ret = (struct register_matches) { .items = items, .n = page.n, .next = page.next };
	return true;
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	struct sn *sn;
	if (!sn_start(at, &sn, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct product *p = records[i]->data;
		struct register_match *m = arena_alloc(at->arena, sizeof(*m));
		const char *key;
		if (!m)
			return sn_full(err);
		if (!netvisor_product_find(&sn->netvisor, p->code, &key, err))
			return false;
		if (key && !sn_product_match(at->arena, key, p->code, NULL, m))
			return sn_full(err);
		records[i]->found = m;
		records[i]->n_found = key != NULL;
	}
	return true;
}

/* Netvisor may refuse a second one as bad data (facts/netvisor.md §18): then it is a duplicate, and
 * looked at as that. */
static bool judge_refusal(struct sn *sn, const struct product *p, const struct err *why,
			  struct err *err)
{
	struct err inner = *why;
	const char *key;
	if (inner.code == ERR_DATA && netvisor_product_find(&sn->netvisor, p->code, &key, NULL) &&
	    key)
		inner.code = ERR_DUPLICATE;
	if (inner.code == ERR_DUPLICATE && !inner.reason) {
		inner.reason = "refused_by_target";
		snprintf(inner.subject, sizeof(inner.subject), "%.150s",
			 inner.target_text[0] ? inner.target_text : inner.message);
	}
	return sn_pass_on(&inner, err);
}

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	const struct product *p = r->data;
	struct err why = ERR_INIT;
	struct sn *sn;
	if (!sn_start(at, &sn, err))
		return false;
	return netvisor_product_add(&sn->netvisor, p, sn->set.product_group, &ret->id, &why) ||
	       judge_refusal(sn, p, &why, err);
}

const struct register_sync sn_products_sync = {
	.name = "products",
	.title = "Products, Severa to Netvisor",
	.kind = SN_PRODUCT,
	.direction = REGISTER_FORWARD,
	.create_only = true,
	.schedule = SN_REGISTERS_SCHEDULE,
	.wanted = wanted,
	.scope = sn_link_scope,
	.list = list,
	.read = read_ids,
	.read_max = READ_MAX,
	.map = map,
	.list_target = list_target,
	.find = find,
	.match = sn_match_product,
	.create = create,
};
