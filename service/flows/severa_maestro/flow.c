/*
 * flow.c: Severa's sales invoices to Maestro (MA-01): what the road of all Severa invoices
 * (flows/severa_road.h) asks of this target, in its order. What a document must look like stands in
 * rules.c; its customer and its products in customer.c and products.c. All that is guessed of the
 * vendor stands in systems/maestro.
 */
#include "base/base.h"
#include "internal.h"

/* ---- prepare ------------------------------------------------------------------------------- */

/* Severa's invoice names no place of delivery: it is the customer's postal address. One that is not
 * whole is left out. */
static void add_delivery(struct road *r)
{
	const struct address *to = &r->customer.delivery;
	if (!to->street || !to->street[0] || !to->postcode || !to->city || !to->country_code)
		return;
	r->inv.delivery_name = r->customer.name;
	r->inv.delivery = *to;
}

static bool prepare(struct road *r, struct err *err)
{
	struct smx *m = smx_of(r);
	struct invoice *inv = &r->inv;
	if (!road_read_rows(r, err) || !road_read_customer(r, err) || !road_find_country(r, err))
		return false;
	if (!r->customer.code || !r->customer.code[0])
		return err_reason(err, ERR_DATA, "customer_number_missing", r->customer.name,
				  "customer %s has no number", r->customer.name);
	r->customer_code = inv->customer_number = r->customer.code;
	inv->buyer.is_private = !inv->buyer.vat_number || !inv->buyer.vat_number[0];
	add_delivery(r);
	return road_read_einvoice(r, &m->einvoice, err) && road_sum_up(r, err);
}

/* ---- known again --------------------------------------------------------------------------- */

/* At Maestro a credit note is below zero, however Severa keeps it. */
static void identify(const struct road *r, struct delivery_identity *id)
{
	id->customer_code = r->customer_code;
	id->id = smx_key(r->at->arena, r->inv.source_id, r->at->generation);
	if (!r->inv.is_credit_note || decimal_sign(id->sum) <= 0)
		return;
	id->sum = decimal_neg(id->sum);
	id->rounding = decimal_neg(id->rounding);
}

static bool look_up(struct road *r, const struct delivery_identity *id, struct delivery_seen *ret,
		    struct err *err)
{
	const struct maestro_listed *list;
	size_t n;
	if (!maestro_invoices_by_number(&smx_of(r)->maestro, id->number, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (smx_is_same_invoice(&list[i], id)) {
			ret->key = list[i].id;
			ret->n++;
		} else if (str_eq(list[i].number, id->number)) {
			ret->number_is_taken = true;
		}
	}
	return true;
}

/* ---- build and send ------------------------------------------------------------------------ */

/* The customer last: it is the only write. */
static bool build(struct road *r, struct err *err)
{
	struct smx *m = smx_of(r);
	r->media_type = "application/xml";
	return smx_choose_products(m, err) &&
	       maestro_map_invoice(r->at->arena, &r->inv, r->at->preview, &r->document, err) &&
	       smx_customer(m, err);
}

static bool send(struct road *r, const char **ret_key, struct err *err)
{
	struct smx *m = smx_of(r);
	struct maestro_created made;
	const char *key = smx_key(r->at->arena, r->at->source_id, r->at->generation);
	if (!key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!maestro_invoice_add(&m->maestro, key, r->document, &made, err))
		return false;
	road_note(r, "sent", "Sent to Maestro as invoice %s, to customer %s; Maestro's id is %s.",
		  r->inv.number, r->customer_code, made.id);
	smx_note_warnings(m, &made);
	*ret_key = made.id;
	return true;
}

/* ---- the flow ------------------------------------------------------------------------------ */

static const struct road_ops ops = {
	.target = "Maestro",
	.size = sizeof(struct smx),
	.open = smx_open,
	.prepare = prepare,
	.identify = identify,
	.look_up = look_up,
	.build = build,
	.send = send,
	.check = smx_check,
	.watch = smx_watch,
	.report = smx_report,
};

const struct flow severa_maestro = {
	.name = "severa-maestro",
	.part = &ops,
	.delivery_step = "maestro.invoice",
	.title = "Severa to Maestro: sales invoices and their customers",
	.settings = smx_setting_table,
	.n_settings = SMX_N_SETTINGS,
	.credentials = smx_credential_table,
	.n_credentials = SMX_N_CREDENTIALS,
	.settle = smx_settle,
	.accept = road_accept,
	.poll = road_poll,
	.run = road_run,
	.check = road_check,
	.on_failed = road_on_failed,
};
