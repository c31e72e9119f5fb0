/*
 * flow.c: Severa's sales invoices to Netvisor (NV-01), and which file runs what else: what the road
 * of all Severa invoices (flows/severa_road.h) asks of this target, in its order. What a document
 * must look like stands in rules.c, what must stand in Netvisor before it in customers.c,
 * products.c, dimensions.c.
 */
#include "base/base.h"
#include "internal.h"

#include "model/media.h"

#define ATTACHMENT_MAX ((size_t)10 << 20)

/* ---- prepare ------------------------------------------------------------------------------- */

static void choose_vat_codes(struct sn *r)
{
	struct invoice *inv = &r->road.inv;
	const char *country = inv->buyer.address.country_code;
	for (size_t i = 0; i < inv->n_rows; i++)
		inv->rows[i].vat_code = sn_vat_code(&r->set, country, inv->rows[i].vat_rate);
}

static bool prepare(struct road *road, struct err *err)
{
	struct sn *r = sn_of(road);
	if (!road_read_rows(road, err))
		return false;
	if (sn_turn_signs(&road->inv))
		road_note(road, "signs_turned", "Quantities were made negative instead of prices.");
	if (!road_sum_up(road, err) || !road_read_customer(road, err))
		return false;
	bool is_temp = !r->set.customers_to_netvisor && !r->set.customers_to_severa;
	road->customer_code = is_temp ? r->set.temp_customer : road->customer.code;
	if (!road->customer_code || !road->customer_code[0])
		return err_reason(err, ERR_DATA, "customer_number_missing", road->customer.name,
				  "customer %s has no number", road->customer.name);
	if (!road_find_country(road, err))
		return false;
	choose_vat_codes(r);
	return true;
}

/* ---- known again --------------------------------------------------------------------------- */

static void identify(const struct road *road, struct delivery_identity *id)
{
	id->customer_code = road->customer_code;
}

/* The currency stands only on the invoice itself. */
static bool has_currency(struct sn *r, const struct netvisor_listed *l,
			 const struct delivery_identity *id, bool *ret, struct err *err)
{
	const char *currency;
	if (!netvisor_invoice_currency(&r->netvisor, l->key, &currency, err))
		return false;
	*ret = !currency || !currency[0] ? strcmp(id->currency, "EUR") == 0
					 : strcasecmp(currency, id->currency) == 0;
	return true;
}

static bool look_up(struct road *road, const struct delivery_identity *id,
		    struct delivery_seen *ret, struct err *err)
{
	struct sn *r = sn_of(road);
	const struct netvisor_listed *list;
	size_t n;
	if (!netvisor_invoices_by_number(&r->netvisor, id->number, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool same = sn_is_same_invoice(&list[i], id);
		if (same && !has_currency(r, &list[i], id, &same, err))
			return false;
		if (same) {
			ret->key = list[i].key;
			ret->n++;
		} else if (str_eq(list[i].number, id->number)) {
			ret->number_is_taken = true;
		}
	}
	return true;
}

/* ---- build --------------------------------------------------------------------------------- */

/* What is no PDF stays behind, and is named. */
static bool attach(struct sn *r, struct invoice *inv, struct err *err)
{
	size_t n = 0;
	if (!r->road.set.send_pdf)
		return true;
	if (!severa_invoice_files(&r->road.severa, inv, ATTACHMENT_MAX, sn_may_be_pdf, err))
		return false;
	struct attachment *kept = arena_alloc_array(r->road.at->arena, inv->n_attachments + 1,
						    sizeof(*kept));
	if (!kept)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < inv->n_attachments; i++) {
		kept[n] = inv->attachments[i];
		if (media_is_pdf(kept[n].data))
			n++;
		else
			road_note(&r->road, "attachment_left_out",
				  "The attachment %.200s was left out: Netvisor takes PDF files "
				  "only.",
				  kept[n].name ? kept[n].name : "without a name");
	}
	inv->attachments = kept;
	inv->n_attachments = n;
	return true;
}

static bool registers(struct sn *r, struct err *err)
{
	struct invoice *inv = &r->road.inv;
	/* Before anything is written: a row that has no product stops the whole. */
	for (size_t i = 0; i < inv->n_rows; i++)
		if (!sn_choose_product(&r->set, &inv->rows[i], err))
			return false;
	return (r->set.customers_to_netvisor ? sn_customer(r, &r->road.customer, err)
		: r->set.customers_to_severa ? sn_kept_customer(r, &r->road.customer, err)
					     : sn_temp_customer(r, err)) &&
	       sn_products(r, inv, err) && sn_dimensions(r, inv, err);
}

static bool map_body(struct sn *r, struct err *err)
{
	struct invoice inv = r->road.inv;
	struct netvisor_invoice_options opt = { .status = r->set.invoice_state,
						.customer_code = r->road.customer_code,
						.buyer_on_invoice = !r->set.customers_to_netvisor &&
								    !r->set.customers_to_severa };
	if (r->road.at->preview)
		inv.n_attachments = 0; /* their bytes would be the most of the document */
	else
		opt.encoding = r->netvisor.encoding; /* people read UTF-8 */
	r->road.media_type = "text/xml";
	return netvisor_map_invoice(r->road.at->arena, &inv, &opt, &r->road.document, err);
}

static bool build(struct road *road, struct err *err)
{
	struct sn *r = sn_of(road);
	return attach(r, &road->inv, err) && registers(r, err) && map_body(r, err);
}

/* ---- send ---------------------------------------------------------------------------------- */

static bool send(struct road *road, const char **ret_key, struct err *err)
{
	struct sn *r = sn_of(road);
	const char *number = road->inv.number;
	struct err inner = ERR_INIT;
	if (netvisor_invoice_add(&r->netvisor, road->document, ret_key, &inner)) {
		road_note(road, "sent",
			  "Sent to Netvisor as invoice %s, to customer %s; Netvisor's key is %s.",
			  number, road->customer_code, *ret_key);
		return true;
	}
	if (inner.code == ERR_DATA) /* perhaps of a record deleted a moment ago */
		sn_forget(r, &road->inv, road->customer_code);
	if (err)
		*err = inner;
	return false;
}

/* ---- the flow ------------------------------------------------------------------------------ */

/* After the invoices: what else waits at either side. What one lacks does not stop the other. */
static bool report(struct road *road, struct report *ret, struct err *err)
{
	struct err travel = ERR_INIT, rows = ERR_INIT;
	bool ok = sn_travel_poll(sn_of(road), ret, &travel);
	if (travel.code != ERR_LEASE)
		ok = sn_purchases_poll(sn_of(road), ret, &rows) && ok;
	if (!ok && err)
		*err = travel.code != ERR_NONE ? travel : rows;
	return ok;
}

static const struct road_ops ops = {
	.target = "Netvisor",
	.size = sizeof(struct sn),
	.open = sn_open,
	.prepare = prepare,
	.identify = identify,
	.look_up = look_up,
	.build = build,
	.send = send,
	.check = sn_check,
	.report = report,
};

bool sn_start(struct attempt *at, struct sn **ret, struct err *err)
{
	struct road *road;
	if (!road_open(at, &road, err))
		return false;
	*ret = sn_of(road);
	return true;
}

static bool accept(struct arena *arena, struct span body, const char **ret_kind,
		   const char **ret_source_id, struct err *err)
{
	return road_accept(arena, body, ret_kind, ret_source_id, err) &&
	       (*ret_kind || road_accept_as(arena, body, SN_TRAVEL, ret_kind, ret_source_id, err));
}

static bool poll(struct attempt *at, struct err *err)
{
	struct sn *r;
	return sn_start(at, &r, err) && sn_leave_directions(r, err) && road_poll(at, err);
}

static bool run(struct attempt *at, struct err *err)
{
	struct sn *r;
	if (str_eq(at->kind, SN_INVOICE))
		return road_run(at, err);
	if (!sn_start(at, &r, err))
		return false;
	return str_eq(at->kind, SN_PURCHASE) ? sn_purchase_run(r, err) : sn_travel_run(r, err);
}

static bool on_failed(struct attempt *at, const struct err *why, struct err *err)
{
	/* The others have no failed status. */
	return !str_eq(at->kind, SN_INVOICE) || road_on_failed(at, why, err);
}

static const struct register_sync *const syncs[] = { &sn_customers_sync, &sn_customers_back,
						     &sn_products_sync,	 &sn_products_back,
						     &sn_projects_sync,	 &sn_units_sync,
						     &sn_phases_sync };
static const char *const kinds[] = { SN_INVOICE, SN_TRAVEL, SN_PURCHASE, NULL };

const struct flow severa_netvisor = {
	.name = "severa-netvisor",
	.part = &ops,
	.delivery_step = "delivery",
	.title = "Severa to Netvisor: sales and travel invoices; purchase-invoice rows back",
	.kinds = kinds,
	.settings = sn_setting_table,
	.n_settings = SN_N_SETTINGS,
	.credentials = sn_credential_table,
	.n_credentials = SN_N_CREDENTIALS,
	.settle = sn_settle,
	.accept = accept,
	.poll = poll,
	.run = run,
	.check = road_check,
	.on_failed = on_failed,
	.registers = syncs,
	.n_registers = ARRAY_SIZE(syncs),
};
