/*
 * purchases.c: rows of Netvisor's purchase invoices as expense rows of Severa's projects, once each
 * (NV-13). A row that carries an item under the project heading is a document of its own, known by
 * invoice and row; our key of it stands in the description of what is made of it in Severa, and is
 * looked for before anything is made a second time.
 */
#include "base/base.h"
#include "purchases.h"

#include "base/clock.h"

#define STEP_DELIVERY "delivery"
#define OWN_CURRENCY "EUR" /* Netvisor's books */
#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define EARLY_MS (92 * DAY_MS) /* so long before its own day an invoice may be taken */

struct purchase {
	struct delivery delivery; /* first */
	struct sn *sn;
	struct netvisor_purchase invoice;
	const struct netvisor_purchase_row *row; /* NULL: gone */
	const char *label; /* "1042/3": invoice number and row */
	const char *mark, *hash;
	const char *claim; /* names the row among all connections of this Severa */
	const char *phase_code; /* of the phase that its item is; NULL: it is a project's */
	struct severa_fee fee;
};

static struct purchase *purchase_of(const struct delivery *d)
{
	return (struct purchase *)d;
}

static bool leave(struct purchase *p, enum attempt_outcome outcome, const char *code,
		  const char *text)
{
	p->sn->road.at->outcome = outcome;
	road_note(&p->sn->road, code, "%s", text);
	return true;
}

/* ---- the row ------------------------------------------------------------------------------- */

const struct netvisor_dimension *sn_purchase_item(const struct sn_settings *set,
						  const struct netvisor_purchase_row *row)
{
	for (size_t i = 0; i < row->n_dimensions; i++)
		if (str_eq(row->dimensions[i].heading, set->purchase_heading))
			return &row->dimensions[i];
	return NULL;
}

const char *sn_purchase_hash(struct arena *arena, const struct sn_settings *set,
			     const struct netvisor_purchase *invoice,
			     const struct netvisor_purchase_row *row)
{
	const struct netvisor_dimension *item = sn_purchase_item(set, row);
	struct invoice_row line = { .name = row->text ? row->text : "", .unit_price = row->net };
	struct invoice inv = { .number = invoice->number,
			       .reference = item ? item->key : NULL,
			       .rows = &line,
			       .n_rows = 1 };
	return invoice_content_hash(&inv, arena);
}

static const struct netvisor_dimension *by_key(const struct netvisor_dimension *list, size_t n,
					       const char *key)
{
	for (size_t i = 0; key && i < n; i++)
		if (list[i].key && str_eq(list[i].key, key))
			return &list[i];
	return NULL;
}

/* The number of an item: its code, else what its name begins with ("82 Website"). */
static const char *number_of(struct purchase *p, const struct netvisor_dimension *item)
{
	if (item->code && item->code[0])
		return item->code;
	return item->name ? arena_printf(p->sn->road.at->arena, "%.*s",
					 (int)strcspn(item->name, " "), item->name)
			  : NULL;
}

/* The item itself, or the one that a phase's is below: then the row goes to that phase. */
static bool find_project(struct purchase *p, const struct netvisor_dimension *item, struct err *err)
{
	struct sn *r = p->sn;
	const struct netvisor_dimension *list, *at, *father;
	size_t n;
	if (!netvisor_dimensions_lately(&r->netvisor, false, &list, &n, err))
		return false;
	at = by_key(list, n, item->key);
	if (!at) { /* made since */
		if (!netvisor_dimensions_lately(&r->netvisor, true, &list, &n, err))
			return false;
		at = by_key(list, n, item->key);
	}
	father = at ? by_key(list, n, at->father) : NULL;
	p->phase_code = father ? number_of(p, at) : NULL;
	const char *code = number_of(p, father ? father : at ? at : item);
	if (code && code[0] && strspn(code, "0123456789") == strlen(code) &&
	    !severa_project_numbered(&r->road.severa, code, &p->fee.project_id, err))
		return false;
	return p->fee.project_id ||
	       err_reason(err, ERR_DATA, "purchase_project_unknown", item->name ? item->name : "",
			  "no project of Severa has the number of %s", item->name);
}

static bool is_wanted(const struct purchase *p, const struct severa_phase *phase)
{
	const char *name = p->sn->set.purchase_phase;
	if (p->phase_code)
		return str_eq(phase->code, p->phase_code);
	return name ? str_eq(phase->name, name) : !phase->parent_id;
}

/* The row's own, else by the setting's name; else the root, where the resource asks for one. */
static bool find_phase(struct purchase *p, struct err *err)
{
	const char *name = p->phase_code ? p->phase_code : p->sn->set.purchase_phase;
	const struct severa_phase *list;
	size_t n;
	if (!name && p->fee.resource == SEVERA_FEES)
		return true;
	if (!severa_phases(&p->sn->road.severa, p->fee.project_id, &list, &n, err))
		return false;
	for (size_t i = 0; i < n && !p->fee.phase_id; i++)
		if (is_wanted(p, &list[i]))
			p->fee.phase_id = list[i].id;
	return p->fee.phase_id ||
	       err_reason(err, ERR_DATA, "purchase_phase_unknown", p->label,
			  "the project of row %s has no phase %s", p->label, name ? name : "");
}

static bool find_product(struct purchase *p, struct err *err)
{
	const char *code = p->sn->set.purchase_product;
	struct product product;
	bool found;
	if (!code)
		return true;
	if (!severa_product(&p->sn->road.severa, code, &product, &found, err))
		return false;
	p->fee.item_id = found ? product.source_id : NULL;
	return found || err_reason(err, ERR_DATA, "purchase_product_unknown", code,
				   "Severa has no product or travel expense type %s", code);
}

/* Credits are negative by their quantity: a cost below zero may not be taken. */
static void set_amount(struct purchase *p)
{
	bool is_credit = decimal_sign(p->row->net) < 0;
	p->fee.quantity = decimal_of(is_credit ? -1 : 1);
	p->fee.unit_cost = decimal_abs(p->row->net);
}

static bool prepare(struct purchase *p, struct err *err)
{
	const struct sn_settings *set = &p->sn->set;
	const struct netvisor_dimension *item = sn_purchase_item(set, p->row);
	struct arena *arena = p->sn->road.at->arena;
	const char *text = p->row->text ? p->row->text : "";
	if (!item)
		return err_reason(err, ERR_WAITING, "purchase_without_project", p->label,
				  "row %s carries no item under %s", p->label,
				  set->purchase_heading);
	p->fee.name = arena_printf(arena, "%.100s %.40s",
				   p->invoice.vendor ? p->invoice.vendor : "",
				   p->invoice.number ? p->invoice.number : "");
	p->fee.description = arena_printf(arena, "%s %s", text, p->mark);
	p->fee.date = p->invoice.date ? arena_printf(arena, "%.10s", p->invoice.date) : NULL;
	p->fee.user_id = set->purchase_user;
	p->fee.is_billable = set->purchase_billable;
	if (!p->fee.name || !p->fee.description)
		return sn_full(err);
	set_amount(p);
	return find_project(p, item, err) && find_phase(p, err) && find_product(p, err);
}

/* ---- the delivery -------------------------------------------------------------------------- */

static void identify(const struct delivery *d, struct delivery_identity *ret)
{
	const struct purchase *p = purchase_of(d);
	*ret = (struct delivery_identity) { .account = d->account,
					    .number = p->label,
					    .date = p->fee.date ? p->fee.date : "",
					    .currency = OWN_CURRENCY,
					    .hash = p->hash,
					    .id = p->mark,
					    .sum = p->row ? p->row->net : DECIMAL_ZERO };
}

/* Since when it may have been made: a little before the intent, else since such rows are taken. */
static bool find_since(struct purchase *p, int64_t *ret, bool *ret_open, struct err *err)
{
	struct attempt *at = p->sn->road.at;
	int y, m, d;
	struct step sent;
	if (!at->ops->step_get(at, STEP_DELIVERY, &sent, err))
		return false;
	*ret_open = sent.state == STEP_INTENT;
	if (*ret_open)
		*ret = sent.intent_ms - HOUR_MS;
	else if (clock_parse_date(span_of(p->sn->set.purchase_from), &y, &m, &d))
		*ret = clock_from_utc(y, m, d, 0, 0, 0) - EARLY_MS;
	else
		*ret = 0;
	return true;
}

/* A reading of before the loss, or while a write of then was under way, proves nothing. */
static bool is_after_loss(const struct attempt *at)
{
	return at->absent_counts_ms > at->epoch_ms &&
	       clock_wall_ms() < at->absent_counts_ms + 2 * HOUR_MS;
}

static bool look_up(struct delivery *d, const struct delivery_identity *id,
		    struct delivery_seen *ret, struct err *err)
{
	struct purchase *p = purchase_of(d);
	struct severa_fee_search search = { .resource = p->fee.resource, .mark = id->id };
	const char *who;
	bool is_open;
	if (!find_since(p, &search.since_ms, &is_open, err) ||
	    !d->at->ops->kv_get(d->at, p->sn->road.severa.limit_key, p->claim, &who, err))
		return false;
	search.is_fresh = is_open || who[0] || is_after_loss(d->at);
	return severa_fees_marked(&p->sn->road.severa, &search, &ret->n, &ret->key, err);
}

/* prepare has made it. From now on a list that was read before proves nothing either, also to
 * another connection of the same two companies. */
static bool build(struct delivery *d, struct err *err)
{
	struct purchase *p = purchase_of(d);
	return d->at->ops->kv_set(d->at, p->sn->road.severa.limit_key, p->claim, d->at->conn->id,
				  DAY_MS, err);
}

static bool send(struct delivery *d, const char **ret_key, struct err *err)
{
	struct purchase *p = purchase_of(d);
	if (!severa_fee_add(&p->sn->road.severa, &p->fee, ret_key, err))
		return false;
	road_note(&p->sn->road, "sent", "Made in Severa as an expense row of the project (%s).",
		  *ret_key);
	return true;
}

static const struct delivery_ops delivery_ops = {
	.identify = identify, .look_up = look_up, .build = build, .send = send
};

/* ---- the run ------------------------------------------------------------------------------- */

static bool settle(struct purchase *p, struct step *sent, struct err *err)
{
	struct delivery_identity id;
	return delivery_identity_read(p->sn->road.at->arena, sent->about, &id, err) &&
	       delivery_settle_doubt(&p->delivery, &id, sent, err);
}

static bool gone(struct purchase *p, struct err *err)
{
	struct attempt *at = p->sn->road.at;
	struct step sent;
	if (!at->ops->step_get(at, STEP_DELIVERY, &sent, err) ||
	    (sent.state == STEP_INTENT && !settle(p, &sent, err)))
		return false;
	if (sent.state == STEP_DONE)
		return leave(p, OUTCOME_DONE, "deleted_after_delivery",
			     "Gone in Netvisor after it was relayed. It is left in Severa.");
	return leave(p, OUTCOME_CANCELLED, "deleted", "The row is gone in Netvisor.");
}

static bool already_sent(struct purchase *p, const struct step *sent)
{
	struct delivery_identity id;
	struct attempt *at = p->sn->road.at;
	if (sent->about && sent->about[0] &&
	    delivery_identity_read(at->arena, sent->about, &id, NULL) && id.hash &&
	    !str_eq(id.hash, p->hash))
		return leave(p, OUTCOME_DONE, "changed_after_transfer",
			     "The row was changed in Netvisor after it was relayed. Change it in "
			     "Severa.");
	return true;
}

/* People take an acceptance back, and a row may have waited for long. */
static bool check_accepted(struct purchase *p, struct err *err)
{
	bool is_accepted;
	if (!netvisor_purchase_is_accepted(&p->sn->netvisor, &p->invoice, &is_accepted, err))
		return false;
	return is_accepted || err_reason(err, ERR_WAITING, "purchase_not_accepted", p->label,
					 "the invoice of row %s is not accepted", p->label);
}

static bool relay(struct purchase *p, struct err *err)
{
	struct attempt *at = p->sn->road.at;
	if (!p->sn->set.purchases)
		return err_set(err, ERR_WAITING, "purchases.enabled is not set any more");
	if (p->row->is_odd)
		return err_set(err, ERR_SYSTEM, "row %s has no sum that can be read", p->label);
	if (!prepare(p, err) || !check_accepted(p, err) ||
	    !at->ops->record_lease(at, p->claim, err))
		return false;
	at->content_hash = p->hash;
	if (!delivery_make(&p->delivery, err))
		return false;
	at->ops->record_release(at, p->claim);
	return true;
}

static bool run_row(struct purchase *p, struct err *err)
{
	struct attempt *at = p->sn->road.at;
	struct step sent;
	p->hash = sn_purchase_hash(at->arena, &p->sn->set, &p->invoice, p->row);
	if (!p->hash)
		return sn_full(err);
	if (p->invoice.number && !at->ops->set_number(at, p->invoice.number, err))
		return false;
	if (!at->ops->step_get(at, STEP_DELIVERY, &sent, err))
		return false;
	if (sent.state == STEP_DONE)
		return already_sent(p, &sent);
	if (sent.state == STEP_INTENT && !settle(p, &sent, err))
		return false;
	return sent.state == STEP_DONE || relay(p, err);
}

/* source_id: "4711-3", keys of invoice and row. */
static bool read_row(struct purchase *p, struct err *err)
{
	struct attempt *at = p->sn->road.at;
	const char *dash = strchr(at->source_id, '-');
	const char *key = dash ? arena_printf(at->arena, "%.*s", (int)(dash - at->source_id),
					      at->source_id)
			       : NULL;
	size_t n;
	if (!key)
		return err_set(err, ERR_NOT_FOUND, "%s names no row", at->source_id);
	if (!netvisor_purchases(&p->sn->netvisor, &key, 1, &p->invoice, &n, err))
		return false;
	for (size_t i = 0; n && i < p->invoice.n_rows; i++)
		if (str_eq(p->invoice.rows[i].key, dash + 1))
			p->row = &p->invoice.rows[i];
	p->label = arena_printf(at->arena, "%s/%s",
				n && p->invoice.number ? p->invoice.number : key, dash + 1);
	return p->label ? true : sn_full(err);
}

static bool preview(struct purchase *p, struct err *err)
{
	struct attempt *at = p->sn->road.at;
	struct invoice_row row;
	struct invoice inv = { .number = p->label, .currency = OWN_CURRENCY };
	if (!p->row)
		return err_set(err, ERR_NOT_FOUND, "there is no row %s", p->label);
	if (!prepare(p, err))
		return false;
	row = (struct invoice_row) { .position = 1,
				     .product_code = p->sn->set.purchase_product,
				     .name = p->fee.name,
				     .vat_code = "",
				     .quantity = p->fee.quantity,
				     .unit_price = p->fee.unit_cost,
				     .net = p->row->net,
				     .gross = p->row->net };
	inv.issue_date = p->fee.date;
	inv.buyer.name = p->invoice.vendor;
	inv.rows = &row;
	inv.n_rows = 1;
	inv.total_net = inv.total_gross = p->row->net;
	const struct preview v = { .media_type = "text/plain",
				   .document = span_of(p->fee.description),
				   .invoice = &inv,
				   .customer_code = p->fee.project_id,
				   .notes = at->notes,
				   .n_notes = at->n_notes };
	return preview_write(at->arena, &v, &at->result, err);
}

bool sn_purchase_run(struct sn *r, struct err *err)
{
	struct attempt *at = r->road.at;
	struct purchase *p = arena_alloc(at->arena, sizeof(*p));
	const char *key = arena_printf(at->arena, "%s/%s", r->netvisor.organisation, at->source_id);
	if (!p || !key)
		return sn_full(err);
	p->sn = r;
	p->fee.resource = r->set.purchase_resource;
	p->mark = severa_fee_mark(&r->road.severa, key);
	p->claim = p->mark ? arena_printf(at->arena, "purchase:%s", p->mark) : NULL;
	/* created_ms 0: the target is asked first wherever no record is no proof. */
	p->delivery = (struct delivery) { .ops = &delivery_ops,
					  .at = at,
					  .step = STEP_DELIVERY,
					  .target = "Severa",
					  .account = r->netvisor.organisation };
	if (!p->claim)
		return sn_full(err);
	if (!read_row(p, err))
		return false;
	if (at->preview)
		return preview(p, err);
	return p->row ? run_row(p, err) : gone(p, err);
}
