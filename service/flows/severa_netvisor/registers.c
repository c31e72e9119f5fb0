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
	const char *key = arena_printf(r->road.at->arena, "netvisor.%s:%s:%s:%s", kind,
				       r->netvisor.base_url, r->netvisor.organisation, code);
	return key ? key : "";
}

static const char *record_name(struct sn *r, const char *kind, const char *code)
{
	const char *name = arena_printf(r->road.at->arena, "netvisor:%s:%s:%s",
					r->netvisor.organisation, kind, code);
	return name ? name : "";
}

/* Gives the lease back after a creation that came to `ok`; in doubt it is kept: nobody else may
 * create the record meanwhile. */
static bool release(struct sn *r, const char *record, bool ok, const struct err *why,
		    struct err *err)
{
	if (ok || why->code != ERR_DOUBT)
		r->road.at->ops->record_release(r->road.at, record);
	if (!ok && err)
		*err = *why;
	return ok;
}

void sn_forget(struct sn *r, const struct invoice *inv, const char *customer_code)
{
	struct attempt *at = r->road.at;
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
	struct strbuf sb = STRBUF_INIT(r->road.at->arena, 64 << 10);
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
	char *hex = arena_alloc(r->road.at->arena, 2 * SHA256_BYTES + 1);
	sign_sha256(span_of(text), digest);
	if (hex)
		sign_hex(digest, sizeof(digest), hex);
	return hex;
}

/* The step of one record's creation. */
static const char *step_name(struct sn *r, const char *kind, const char *code)
{
	return arena_printf(r->road.at->arena, "netvisor.%s.%s", kind, code);
}

/* Found: an addition that nobody knew the end of has ended. */
static bool close_addition(struct sn *r, const char *step, const char *key, struct err *err)
{
	struct attempt *at = r->road.at;
	struct step s;
	return at->ops->step_get(at, step, &s, err) &&
	       (s.state != STEP_INTENT || at->ops->step_outcome(at, step, key, err));
}

/* Before an addition: not while an earlier one may still have been carried out. */
static bool begin_addition(struct sn *r, const char *step, struct err *err)
{
	struct attempt *at = r->road.at;
	struct step s;
	return at->ops->step_get(at, step, &s, err) &&
	       road_absence_counts(&r->road, step, &s, err) &&
	       at->ops->step_intent(at, step, NULL, err);
}

/* Netvisor may refuse a second record as a duplicate or as bad data (facts/netvisor.md §18): then
 * one looks whether it is there. */
static bool may_be_there(const struct err *why)
{
	return why->code == ERR_DUPLICATE || why->code == ERR_DATA;
}

/* A refusal that nothing explains is the target's own, in its own words. */
static bool refused(struct sn *r, const char *step, const struct err *why, struct err *err)
{
	struct err inner = *why;
	if (inner.code == ERR_DUPLICATE) {
		inner.code = ERR_DATA;
		inner.reason = "refused_by_target";
		snprintf(inner.subject, sizeof(inner.subject), "%.150s",
			 inner.target_text[0] ? inner.target_text : inner.message);
	}
	return road_write_failed(&r->road, step, &inner, err);
}

static bool edit_customer(struct sn *r, const struct netvisor_customer *theirs,
			  const struct netvisor_customer *card, struct err *err)
{
	struct attempt *at = r->road.at;
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
	if (!sn_customer_changes(theirs, card, last, &changes))
		return true;
	if (!at->preview && !netvisor_customer_edit(&r->netvisor, &changes, err)) {
		/* An edit may be repeated: a doubt is no more than a failed try. */
		if (err && err->code == ERR_DOUBT)
			err->code = ERR_OUTAGE;
		return false;
	}
	road_note_change(&r->road, "customer_updated", "updated in", "customer",
			 card->values[NETVISOR_NAME]);
	return true;
}

static bool add_customer(struct sn *r, const struct netvisor_customer *card, struct err *err)
{
	struct attempt *at = r->road.at;
	struct netvisor_customer filled = *card, theirs;
	const char *code = card->values[NETVISOR_CODE];
	const char *step = step_name(r, "customer", code);
	const char *key;
	bool found;
	struct err inner = ERR_INIT;
	if (!step)
		return full(err);
	for (size_t i = 0; i < NETVISOR_CUSTOMER_FIELDS; i++)
		if (filled.values[i] && !filled.values[i][0])
			filled.values[i] = NULL;
	if (!begin_addition(r, step, err))
		return false;
	if (!netvisor_customer_add(&r->netvisor, &filled, &key, &inner)) {
		if (!may_be_there(&inner) ||
		    !netvisor_customer_find(&r->netvisor, code, &theirs, &found, NULL) || !found)
			return refused(r, step, &inner, err);
		return at->ops->step_outcome(at, step, theirs.key, err) &&
		       edit_customer(r, &theirs, card, err);
	}
	road_note_change(&r->road, "customer_added", "added to", "customer",
			 card->values[NETVISOR_NAME]);
	return at->ops->step_outcome(at, step, key, err);
}

static bool sync_customer(struct sn *r, const struct netvisor_customer *card, const char *json,
			  struct err *err)
{
	struct attempt *at = r->road.at;
	const char *code = card->values[NETVISOR_CODE];
	const char *key = arena_printf(at->arena, "customer:%s", code);
	struct netvisor_customer theirs;
	bool found;
	if (!key)
		return full(err);
	if (!netvisor_customer_find(&r->netvisor, code, &theirs, &found, err))
		return false;
	if (!found && at->preview)
		road_note_change(&r->road, "customer_added", "added to", "customer",
				 card->values[NETVISOR_NAME]);
	else if (found ? !edit_customer(r, &theirs, card, err) : !add_customer(r, card, err))
		return false;
	return at->preview || at->ops->kv_set(at, r->netvisor.limit_key, key, json, 0, err);
}

bool sn_customer(struct sn *r, const struct customer *c, struct err *err)
{
	struct attempt *at = r->road.at;
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
	if (at->preview)
		return sync_customer(r, &card, json, err);
	if (!at->ops->record_lease(at, record, err))
		return false;
	struct err inner = ERR_INIT;
	bool ok = sync_customer(r, &card, json, &inner);
	if (!release(r, record, ok, &inner, err))
		return false;
	at->ops->cache_set(at, key, digest, FRESH_MS);
	return true;
}

bool sn_temp_customer(struct sn *r, struct err *err)
{
	struct attempt *at = r->road.at;
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

/* Under the record's lease: looked for once more, since another job may have made it before the
 * lease was ours. */
static bool add_product(struct sn *r, const struct product *p, struct err *err)
{
	struct attempt *at = r->road.at;
	struct err inner = ERR_INIT;
	const char *step = step_name(r, "product", p->code);
	const char *key;
	if (!step)
		return full(err);
	if (!netvisor_product_find(&r->netvisor, p->code, &key, err))
		return false;
	if (key)
		return close_addition(r, step, key, err);
	if (!begin_addition(r, step, err))
		return false;
	if (!netvisor_product_add(&r->netvisor, p, r->set.product_group, &key, &inner)) {
		if (!may_be_there(&inner) ||
		    !netvisor_product_find(&r->netvisor, p->code, &key, NULL) || !key)
			return refused(r, step, &inner, err);
		return at->ops->step_outcome(at, step, key, err);
	}
	road_note_change(&r->road, "product_added", "added to", p->register_name, p->code);
	return at->ops->step_outcome(at, step, key, err);
}

/* One that Netvisor does not have. */
static bool make_product(struct sn *r, const char *code, struct err *err)
{
	struct attempt *at = r->road.at;
	struct product p;
	bool found;
	const char *record = record_name(r, "product", code);
	if (str_eq(code, r->set.temp_product))
		return err_reason(err, ERR_DATA, "temp_product_missing", code,
				  "temporary product %s does not exist in Netvisor", code);
	if (!severa_product(&r->road.severa, code, &p, &found, err))
		return false;
	if (!found)
		return err_reason(err, ERR_DATA, "product_unknown", code,
				  "product %s is found neither in Severa nor in Netvisor", code);
	if (at->preview) {
		road_note_change(&r->road, "product_added", "added to", p.register_name, code);
		return true;
	}
	if (!at->ops->record_lease(at, record, err))
		return false;
	struct err inner = ERR_INIT;
	bool ok = add_product(r, &p, &inner);
	return release(r, record, ok, &inner, err);
}

static bool need_product(struct sn *r, const char *code, struct err *err)
{
	struct attempt *at = r->road.at;
	const char *key = cache_key(r, "product", code);
	const char *found;
	if (at->ops->cache_get(at, key))
		return true;
	if (!netvisor_product_find(&r->netvisor, code, &found, err) ||
	    (!found && !make_product(r, code, err)))
		return false;
	if (found || !at->preview)
		at->ops->cache_set(at, key, "1", FRESH_MS);
	return true;
}

bool sn_products(struct sn *r, struct invoice *inv, struct err *err)
{
	for (size_t i = 0; i < inv->n_rows; i++) {
		struct invoice_row *row = &inv->rows[i];
		if (!need_product(r, row->product_code, err))
			return false;
		if (row->n_codes != 1 && r->set.products_to_netvisor)
			road_note(&r->road, "temp_product",
				  "Row %" PRId64
				  " (%.80s) has %s; it goes to the temporary product "
				  "%s.",
				  row->position, row->name,
				  row->n_codes ? "several product codes" : "no product code",
				  row->product_code);
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

static bool look_for_item(struct sn *r, const struct dimension_value *d,
			  const struct netvisor_dimension **ret, struct err *err)
{
	const struct netvisor_dimension *list;
	size_t n;
	bool has_heading;
	if (!netvisor_dimensions(&r->netvisor, &list, &n, err))
		return false;
	*ret = find_item(list, n, d, &has_heading);
	return has_heading ||
	       err_reason(err, ERR_DATA, "dimension_heading_missing", d->heading,
			  "dimension heading %s does not exist in Netvisor", d->heading);
}

static bool add_item(struct sn *r, const struct dimension_value *d, struct err *err)
{
	struct attempt *at = r->road.at;
	struct err inner = ERR_INIT;
	const struct netvisor_dimension *item = NULL;
	const char *name = arena_printf(at->arena, "%s.%s", d->heading,
					d->code ? d->code : d->item);
	const char *step = name ? step_name(r, "dimension", name) : NULL;
	if (!step)
		return full(err);
	if (!begin_addition(r, step, err))
		return false;
	if (!netvisor_dimension_save(&r->netvisor, d, NULL, &inner)) {
		if (!may_be_there(&inner) || !look_for_item(r, d, &item, NULL) || !item)
			return refused(r, step, &inner, err);
	} else {
		road_note_change(&r->road, "dimension_added", "added to", d->heading, d->item);
	}
	return at->ops->step_outcome(at, step, d->item, err);
}

/* Without a step: a rename that was carried out in silence is seen at the next reading, and then
 * there is nothing left to rename. */
static bool rename_item(struct sn *r, const struct dimension_value *d, const char *old_item,
			struct err *err)
{
	struct err inner = ERR_INIT;
	if (!netvisor_dimension_save(&r->netvisor, d, old_item, &inner)) {
		if (inner.code == ERR_DOUBT)
			inner.code = ERR_OUTAGE;
		if (err)
			*err = inner;
		return false;
	}
	road_note_change(&r->road, "dimension_renamed", "renamed in", d->heading, d->item);
	return true;
}

/* Under the record's lease: read once more, as with products. */
static bool make_or_rename(struct sn *r, const struct dimension_value *d, struct err *err)
{
	const struct netvisor_dimension *item;
	if (!look_for_item(r, d, &item, err))
		return false;
	if (!item)
		return add_item(r, d, err);
	return str_eq(item->name, d->item) || rename_item(r, d, item->name, err);
}

static bool need_item(struct sn *r, const struct dimension_value *d, struct err *err)
{
	struct attempt *at = r->road.at;
	const struct netvisor_dimension *item;
	struct err inner = ERR_INIT;
	const char *both = arena_printf(at->arena, "%s:%s", d->heading, d->item);
	const char *key = cache_key(r, "dimension", both ? both : "");
	const char *record = record_name(r, d->heading, d->code ? d->code : d->item);
	if (!both)
		return full(err);
	if (at->ops->cache_get(at, key))
		return true;
	if (!look_for_item(r, d, &item, err))
		return false;
	bool stands = item && str_eq(item->name, d->item);
	if (!stands && at->preview) {
		road_note_change(&r->road, item ? "dimension_renamed" : "dimension_added",
				 item ? "renamed in" : "added to", d->heading, d->item);
		return true;
	}
	if (!stands && !at->ops->record_lease(at, record, err))
		return false;
	if (!stands && !release(r, record, make_or_rename(r, d, &inner), &inner, err))
		return false;
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
	ret->item = has_code ? arena_printf(r->road.at->arena, "%s %s", code, label) : label;
	if (!ret->item)
		return full(err);
	return need_item(r, ret, err);
}

/* The items of one project; *ret_n of them, made when missing. */
static bool project_items(struct sn *r, const char *project_id, const struct dimension_value **ret,
			  size_t *ret_n, struct err *err)
{
	struct severa_project p;
	size_t n = 0;
	struct dimension_value *d = arena_alloc_array(r->road.at->arena, 2, sizeof(*d));
	if (!d)
		return full(err);
	if (!severa_project(&r->road.severa, project_id, &p, err))
		return false;
	if (r->set.project_heading && p.name &&
	    !make_item(r, r->set.project_heading, p.number, p.name, &d[n++], err))
		return false;
	if (r->set.unit_heading && p.unit_name &&
	    !make_item(r, r->set.unit_heading, p.unit_code, p.unit_name, &d[n++], err))
		return false;
	*ret = d;
	*ret_n = n;
	return true;
}

/* An earlier row of the same project has its items already. */
static const struct invoice_row *same_project(const struct invoice *inv, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(inv->rows[k].project_id, inv->rows[i].project_id))
			return &inv->rows[k];
	return NULL;
}

static bool row_items(struct sn *r, struct invoice *inv, size_t i, struct err *err)
{
	struct invoice_row *row = &inv->rows[i];
	const struct invoice_row *before = same_project(inv, i);
	if (!row->project_id) {
		road_note(&r->road, "row_without_project",
			  "Row %" PRId64 " (%.80s) belongs to no single project; it carries no "
			  "dimensions.",
			  row->position, row->name);
		return true;
	}
	if (!before)
		return project_items(r, row->project_id, &row->dimensions, &row->n_dimensions, err);
	row->dimensions = before->dimensions;
	row->n_dimensions = before->n_dimensions;
	return true;
}

bool sn_dimensions(struct sn *r, struct invoice *inv, struct err *err)
{
	if ((!r->set.project_heading && !r->set.unit_heading) ||
	    !r->set.dimensions_on_invoice_rows || !inv->n_projects)
		return true;
	if (inv->n_projects > 1 && !severa_row_projects(&r->road.severa, inv, err))
		return false;
	for (size_t i = 0; i < inv->n_rows; i++) {
		if (inv->n_projects == 1)
			inv->rows[i].project_id = inv->project_ids[0];
		if (!row_items(r, inv, i, err))
			return false;
	}
	return true;
}
