/*
 * registers.c: what an invoice needs to stand in Netvisor before it: its customer, its products,
 * its dimension items (NV-02, NV-03, NV-06 to NV-08, NV-11). Find-or-create under a record lease
 * and a step of its own, so that neither two jobs nor a crash make one record twice.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "codec/sign.h"

#define FRESH_MS ((int64_t)10 * 60 * 1000)

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

static const char *cache_key(struct sn *r, const char *kind, const char *code)
{
	const char *key = arena_printf(r->at->arena, "netvisor.%s:%s:%s:%s", kind,
				       r->netvisor.base_url, r->netvisor.organisation, code);
	return key ? key : "";
}

static const char *record_name(struct sn *r, const char *kind, const char *code)
{
	const char *name = arena_printf(r->at->arena, "netvisor:%s:%s:%s", r->netvisor.organisation,
					kind, code);
	return name ? name : "";
}

void sn_forget(struct sn *r, const struct invoice *inv, const char *customer_code)
{
	struct attempt *at = r->at;
	at->ops->cache_set(at, cache_key(r, "customer", customer_code), "", 1);
	at->ops->cache_set(at, cache_key(r, "temp_customer", customer_code), "", 1);
	for (size_t i = 0; i < inv->n_rows; i++)
		if (inv->rows[i].product_code)
			at->ops->cache_set(at, cache_key(r, "product", inv->rows[i].product_code),
					   "", 1);
}

/* ---- customers ----------------------------------------------------------------------------- */

static bool card_json(struct sn *r, const struct netvisor_customer *c, const char **ret,
		      struct err *err)
{
	struct strbuf sb = STRBUF_INIT(r->at->arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	for (enum netvisor_customer_field f = 0; f < NETVISOR_CUSTOMER_FIELDS; f++)
		if (c->values[f])
			jsonw_kstr(&w, netvisor_customer_field_name(f), c->values[f]);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

static const char *digest_of(struct sn *r, const char *text)
{
	unsigned char digest[SHA256_BYTES];
	char *hex = arena_alloc(r->at->arena, 2 * SHA256_BYTES + 1);
	sign_sha256(span_of(text), digest);
	if (hex)
		sign_hex(digest, sizeof(digest), hex);
	return hex;
}

static bool add_customer(struct sn *r, const struct netvisor_customer *card, struct err *err)
{
	struct attempt *at = r->at;
	struct netvisor_customer filled = *card;
	const char *step = arena_printf(at->arena, "netvisor.customer.%s",
					card->values[NETVISOR_CODE]);
	const char *key;
	struct step s;
	struct err inner = ERR_INIT;
	if (!step)
		return full(err);
	for (size_t i = 0; i < NETVISOR_CUSTOMER_FIELDS; i++)
		if (filled.values[i] && !filled.values[i][0])
			filled.values[i] = NULL;
	if (!at->ops->step_get(at, step, &s, err) || !sn_absence_counts(r, step, &s, err) ||
	    !at->ops->step_intent(at, step, err))
		return false;
	if (!netvisor_customer_add(&r->netvisor, &filled, &key, &inner))
		return sn_write_failed(r, step, &inner, err);
	at->ops->note(at, "customer_added", card->values[NETVISOR_NAME]);
	return at->ops->step_outcome(at, step, key, err);
}

static bool edit_customer(struct sn *r, const struct netvisor_customer *theirs,
			  const struct netvisor_customer *card, struct err *err)
{
	struct attempt *at = r->at;
	const char *code = card->values[NETVISOR_CODE];
	const struct json *last = NULL;
	const char *text, *kv_key = arena_printf(at->arena, "customer:%s", code);
	struct netvisor_customer changes;
	if (!kv_key)
		return full(err);
	if (!sn_is_same_customer(at->arena, theirs, card))
		return err_reason(err, ERR_DATA, "customer_number_taken", code,
				  "customer number %s belongs to %s in Netvisor", code,
				  theirs->values[NETVISOR_NAME] ? theirs->values[NETVISOR_NAME]
								: "another");
	if (!at->ops->kv_get(at, r->netvisor.limit_key, kv_key, &text, err))
		return false;
	if (text[0] && !json_parse(at->arena, span_of(text), JSON_LIMITS_API, &last, err))
		return false;
	if (!sn_customer_changes(theirs, card, last, &changes) || at->preview)
		return true;
	if (!netvisor_customer_edit(&r->netvisor, &changes, err)) {
		/* An edit may be repeated: a doubt is no more than a failed try. */
		if (err && err->code == ERR_DOUBT)
			err->code = ERR_OUTAGE;
		return false;
	}
	at->ops->note(at, "customer_updated", card->values[NETVISOR_NAME]);
	return true;
}

static bool sync_customer(struct sn *r, const struct netvisor_customer *card, const char *json,
			  struct err *err)
{
	struct attempt *at = r->at;
	const char *code = card->values[NETVISOR_CODE];
	const char *key = arena_printf(at->arena, "customer:%s", code);
	struct netvisor_customer theirs;
	bool found;
	if (!key)
		return full(err);
	if (!netvisor_customer_find(&r->netvisor, code, &theirs, &found, err))
		return false;
	if (found ? !edit_customer(r, &theirs, card, err)
		  : !at->preview && !add_customer(r, card, err))
		return false;
	return at->preview || at->ops->kv_set(at, r->netvisor.limit_key, key, json, 0, err);
}

bool sn_customer(struct sn *r, const struct customer *c, struct err *err)
{
	struct attempt *at = r->at;
	struct netvisor_customer card;
	const char *json;
	if (!sn_customer_card(at->arena, &r->set, c, &card, err) ||
	    !card_json(r, &card, &json, err))
		return false;
	const char *digest = digest_of(r, json);
	const char *key = cache_key(r, "customer", c->code);
	const char *record = record_name(r, "customer", c->code);
	if (!digest)
		return full(err);
	if (str_eq(at->ops->cache_get(at, key), digest))
		return true; /* synchronised a moment ago, and the same since */
	if (!at->preview && !at->ops->record_lease(at, record, err))
		return false;
	if (!sync_customer(r, &card, json, err)) {
		/* In doubt the lease is kept: nobody else may create the record meanwhile. */
		if (!at->preview && (!err || err->code != ERR_DOUBT))
			at->ops->record_release(at, record);
		return false;
	}
	if (at->preview)
		return true;
	at->ops->record_release(at, record);
	at->ops->cache_set(at, key, digest, FRESH_MS);
	return true;
}

bool sn_temp_customer(struct sn *r, struct err *err)
{
	struct attempt *at = r->at;
	const char *code = r->set.temp_customer;
	const char *key = cache_key(r, "temp_customer", code);
	struct netvisor_customer theirs;
	bool found;
	if (at->ops->cache_get(at, key))
		return true;
	if (!netvisor_customer_find(&r->netvisor, code, &theirs, &found, err))
		return false;
	if (!found)
		return err_reason(err, ERR_DATA, "temp_customer_missing", code,
				  "temporary customer %s does not exist in Netvisor", code);
	at->ops->cache_set(at, key, "1", FRESH_MS);
	return true;
}

/* ---- products ------------------------------------------------------------------------------ */

static bool add_product(struct sn *r, const char *code, struct err *err)
{
	struct attempt *at = r->at;
	struct product p;
	bool found;
	struct step s;
	struct err inner = ERR_INIT;
	const char *step = arena_printf(at->arena, "netvisor.product.%s", code);
	const char *key;
	if (!step)
		return full(err);
	if (!severa_product(&r->severa, code, &p, &found, err))
		return false;
	if (!found)
		return err_reason(err, ERR_DATA, "product_unknown", code,
				  "product %s is found neither in Severa nor in Netvisor", code);
	if (at->preview)
		return true;
	if (!at->ops->step_get(at, step, &s, err) || !sn_absence_counts(r, step, &s, err) ||
	    !at->ops->step_intent(at, step, err))
		return false;
	if (!netvisor_product_add(&r->netvisor, &p, r->set.product_group, &key, &inner))
		return sn_write_failed(r, step, &inner, err);
	at->ops->note(at, "product_added", code);
	return at->ops->step_outcome(at, step, key, err);
}

static bool need_product(struct sn *r, const char *code, struct err *err)
{
	struct attempt *at = r->at;
	const char *key = cache_key(r, "product", code);
	const char *record = record_name(r, "product", code);
	const char *found;
	if (at->ops->cache_get(at, key))
		return true;
	if (!netvisor_product_find(&r->netvisor, code, &found, err))
		return false;
	if (!found && str_eq(code, r->set.temp_product))
		return err_reason(err, ERR_DATA, "temp_product_missing", code,
				  "temporary product %s does not exist in Netvisor", code);
	if (!found && !at->preview && !at->ops->record_lease(at, record, err))
		return false;
	if (!found && !add_product(r, code, err)) {
		if (!at->preview && (!err || err->code != ERR_DOUBT))
			at->ops->record_release(at, record);
		return false;
	}
	if (!found && !at->preview)
		at->ops->record_release(at, record);
	if (found || !at->preview)
		at->ops->cache_set(at, key, "1", FRESH_MS);
	return true;
}

bool sn_products(struct sn *r, struct invoice *inv, struct err *err)
{
	for (size_t i = 0; i < inv->n_rows; i++) {
		struct invoice_row *row = &inv->rows[i];
		if (!sn_choose_product(&r->set, row, err) ||
		    !need_product(r, row->product_code, err))
			return false;
		if (row->n_codes != 1 && r->set.products_to_netvisor)
			r->at->ops->note(r->at, "temp_product", row->name);
	}
	return true;
}

/* ---- dimensions ---------------------------------------------------------------------------- */

static const struct netvisor_dimension *find_item(const struct netvisor_dimension *list, size_t n,
						  const struct dimension_value *d,
						  bool *ret_heading)
{
	const struct netvisor_dimension *by_name = NULL;
	*ret_heading = false;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(list[i].heading, d->heading))
			continue;
		*ret_heading = true;
		if (!list[i].key)
			continue;
		if (d->code && list[i].code && list[i].code[0] && str_eq(list[i].code, d->code))
			return &list[i]; /* the number stays through a rename */
		if (str_eq(list[i].name, d->item))
			by_name = &list[i];
	}
	return by_name;
}

/* Makes or renames the item; adding one twice is refused by Netvisor as a duplicate, which is what
 * was wanted. */
static bool need_item(struct sn *r, const struct dimension_value *d, struct err *err)
{
	struct attempt *at = r->at;
	const struct netvisor_dimension *list;
	size_t n;
	bool has_heading;
	struct err inner = ERR_INIT;
	const char *both = arena_printf(at->arena, "%s:%s", d->heading, d->item);
	const char *key = cache_key(r, "dimension", both ? both : "");
	const char *record = record_name(r, d->heading, d->code ? d->code : d->item);
	if (!both)
		return full(err);
	if (at->ops->cache_get(at, key))
		return true;
	if (!netvisor_dimensions(&r->netvisor, &list, &n, err))
		return false;
	const struct netvisor_dimension *item = find_item(list, n, d, &has_heading);
	if (!has_heading)
		return err_reason(err, ERR_DATA, "dimension_heading_missing", d->heading,
				  "dimension heading %s does not exist in Netvisor", d->heading);
	if (item && str_eq(item->name, d->item)) {
		at->ops->cache_set(at, key, "1", FRESH_MS);
		return true;
	}
	if (at->preview)
		return true;
	if (!at->ops->record_lease(at, record, err))
		return false;
	bool ok = netvisor_dimension_save(&r->netvisor, d, item ? item->name : NULL, &inner) ||
		  inner.code == ERR_DUPLICATE;
	at->ops->record_release(at, record);
	if (!ok) {
		if (inner.code == ERR_DOUBT)
			inner.code = ERR_OUTAGE; /* found by its name at the next try */
		if (err)
			*err = inner;
		return false;
	}
	at->ops->cache_set(at, key, "1", FRESH_MS);
	return true;
}

static bool make_item(struct sn *r, const char *heading, const char *code, const char *label,
		      struct dimension_value *ret, struct err *err)
{
	bool has_code = code && code[0];
	*ret = (struct dimension_value) { .heading = heading,
					  .code = has_code ? code : NULL,
					  .label = has_code ? label : NULL };
	ret->item = has_code ? arena_printf(r->at->arena, "%s %s", code, label) : label;
	if (!ret->item)
		return full(err);
	return need_item(r, ret, err);
}

bool sn_dimensions(struct sn *r, struct invoice *inv, struct err *err)
{
	struct severa_project p;
	size_t n = 0;
	if ((!r->set.project_heading && !r->set.unit_heading) || !r->set.rows_carry_dimensions ||
	    !inv->n_projects)
		return true;
	if (inv->n_projects > 1) { /* a row does not tell which of them it belongs to */
		r->at->ops->note(r->at, "several_projects",
				 "The invoice has several projects; its rows carry no dimensions.");
		return true;
	}
	struct dimension_value *d = arena_alloc_array(r->at->arena, 2, sizeof(*d));
	if (!d)
		return full(err);
	if (!severa_project(&r->severa, inv->project_ids[0], &p, err))
		return false;
	if (r->set.project_heading && p.name &&
	    !make_item(r, r->set.project_heading, p.number, p.name, &d[n++], err))
		return false;
	if (r->set.unit_heading && p.unit_name &&
	    !make_item(r, r->set.unit_heading, p.unit_code, p.unit_name, &d[n++], err))
		return false;
	for (size_t i = 0; i < inv->n_rows; i++) {
		inv->rows[i].dimensions = d;
		inv->rows[i].n_dimensions = n;
	}
	return true;
}
