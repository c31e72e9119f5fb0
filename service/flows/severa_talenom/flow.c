/*
 * flow.c: Severa's sales invoices to Talenom (TA-01): what the road of all Severa invoices
 * (flows/severa_road.h) asks of this target, in its order. What is known again stands in rules.c;
 * contact, products and draft, which come before anything is booked, in customer.c, products.c and
 * draft.c. All that is guessed of the vendor stands in systems/talenom.
 */
#include "base/base.h"
#include "internal.h"

#define FORGOTTEN_GENERATIONS 5 /* each but the first was a person's order */

/* ---- prepare ------------------------------------------------------------------------------- */

/* TA-06. Nothing is written before it. */
static bool check_accounts(struct stn *m, struct err *err)
{
	const struct talenom_account *accounts;
	size_t n;
	return talenom_accounts(&m->talenom, &accounts, &n, err) &&
	       talenom_check_accounts(accounts, n, &m->road.inv, err);
}

static bool prepare(struct road *r, struct err *err)
{
	if (!road_read_rows(r, err))
		return false;
	road_turn_credit_note(&r->inv);
	if (!road_sum_up(r, err) || !road_read_customer(r, err) || !road_find_country(r, err))
		return false;
	r->customer_code = r->inv.customer_number = r->customer.code;
	return check_accounts(stn_of(r), err);
}

/* ---- known again --------------------------------------------------------------------------- */

static void identify(const struct road *r, struct delivery_identity *id)
{
	id->id = stn_external_id(r->at->arena, r->at->source_id, r->at->generation);
	id->has_net = true;
	id->net = decimal_round(r->inv.total_net, 2);
	id->n_roundings = (int64_t)(r->inv.n_rows + r->inv.n_vat);
}

/* An invoice with our id. A draft is not booked, and thus not there. */
static bool look_for_invoice(struct stn *m, const char *external_id,
			     const struct delivery_identity *id, struct delivery_seen *ret,
			     struct err *err)
{
	const struct talenom_invoice *list;
	size_t n;
	if (!talenom_invoices_by_external_id(&m->talenom, external_id, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (stn_is_same_invoice(&list[i], id)) {
			ret->key = list[i].id;
			ret->n++;
		} else if (!list[i].is_draft) {
			ret->number_is_taken = true;
		} else {
			m->seen_draft = external_id;
		}
	}
	return true;
}

static bool look_for_voucher(struct stn *m, const struct delivery_identity *id,
			     struct delivery_seen *ret, struct err *err)
{
	const struct talenom_days day = { id->date, id->date };
	const struct talenom_voucher *list;
	size_t n;
	if (!talenom_vouchers(&m->talenom, id->number, &day, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (stn_is_same_sale(&list[i], id)) {
			ret->key = stn_voucher_key(m->road.at->arena, list[i].id);
			ret->n++;
			if (!ret->key)
				return stn_full(err);
		} else if (!stn_is_payment_of(&list[i], id->sum)) {
			ret->number_is_taken = true;
		}
	}
	return true;
}

/* How many generations there were, a store that was lost does not know. */
static int64_t last_generation(const struct road *r)
{
	bool is_known = !delivery_is_forgotten(r->at, r->inv.created_ms);
	return r->at->generation + (is_known ? 1 : FORGOTTEN_GENERATIONS);
}

/* Both ways, whatever the setting says today: revenue is booked once (TA-02). And by the ids of all
 * generations. */
static bool look_up(struct road *r, const struct delivery_identity *id, struct delivery_seen *ret,
		    struct err *err)
{
	struct stn *m = stn_of(r);
	struct attempt *at = r->at;
	const int64_t last = last_generation(r);
	bool is_own = false;
	for (int64_t g = 1; g <= last; g++) {
		const char *external_id = stn_external_id(at->arena, at->source_id, g);
		if (!external_id)
			return stn_full(err);
		is_own = is_own || str_eq(external_id, id->id);
		if (!look_for_invoice(m, external_id, id, ret, err))
			return false;
	}
	return (is_own || !id->id || look_for_invoice(m, id->id, id, ret, err)) &&
	       look_for_voucher(m, id, ret, err);
}

/* ---- build and send ------------------------------------------------------------------------ */

/* Once a draft was begun, the invoice goes on that way: a draft that somebody approves beside a
 * voucher would book it twice. */
static bool choose_way(struct stn *m, struct err *err)
{
	struct attempt *at = m->road.at;
	struct step s;
	bool is_left;
	if (m->revenue == STN_BY_APPROVAL)
		return true;
	if (!at->ops->step_get(at, STEP_DRAFT, &s, err) || !stn_find_left_draft(m, &is_left, err))
		return false;
	if (s.state != STEP_NONE || m->seen_draft || is_left)
		m->revenue = STN_BY_APPROVAL;
	return true;
}

static bool show(struct stn *m, struct err *err)
{
	static const struct talenom_invoice draft = { .id = "-",
						      .row_version = "-",
						      .external_id = "-" };
	return m->revenue == STN_BY_VOUCHER
		       ? talenom_map_sale(&m->talenom, &m->road.inv, &m->road.document, err)
		       : talenom_map_content(&m->talenom, &m->road.inv, &draft, &m->road.document,
					     err);
}

/* What the document lacks is said before the first write. */
static bool build(struct road *r, struct err *err)
{
	struct stn *m = stn_of(r);
	r->media_type = "application/json";
	if (!choose_way(m, err) || !show(m, err) || !stn_choose_address(m, err) ||
	    !stn_products(m, err) || !stn_customer(m, err))
		return false;
	if (r->at->preview || m->revenue == STN_BY_VOUCHER)
		return show(m, err); /* with the products' codes */
	return stn_draft(m, err);
}

static bool post_voucher(struct stn *m, const char **ret_key, struct err *err)
{
	struct road *r = &m->road;
	const char *id;
	if (!talenom_voucher_add(&m->talenom, r->document, &id, err))
		return false;
	road_note(r, "sent", "Posted to Talenom's ledger as the sale of invoice %s; voucher %s.",
		  r->inv.number, id);
	*ret_key = stn_voucher_key(r->at->arena, id);
	return *ret_key || stn_full(err);
}

static bool send(struct road *r, const char **ret_key, struct err *err)
{
	struct stn *m = stn_of(r);
	struct talenom_invoice booked;
	if (m->revenue == STN_BY_VOUCHER)
		return post_voucher(m, ret_key, err);
	if (!m->draft.is_draft)
		return err_set(err, ERR_DUPLICATE, "invoice %s is booked at Talenom",
			       r->inv.number);
	if (!talenom_approve(&m->talenom, m->draft.id, &booked, err))
		return false;
	road_note(r, "sent",
		  "Approved at Talenom as invoice %s, to customer %s; Talenom's id is %s.",
		  booked.number, r->customer.name, booked.id);
	*ret_key = booked.id;
	return true;
}

/* ---- the flow ------------------------------------------------------------------------------ */

static const struct road_ops ops = {
	.target = "Talenom",
	.size = sizeof(struct stn),
	.open = stn_open,
	.not_before = stn_not_before,
	.first_step = STEP_DRAFT,
	.prepare = prepare,
	.identify = identify,
	.look_up = look_up,
	.build = build,
	.send = send,
	.tell_payment = stn_tell_payment,
	.check = stn_check,
};

bool stn_start(struct attempt *at, struct stn **ret, struct err *err)
{
	struct road *road;
	if (!road_open(at, &road, err))
		return false;
	*ret = stn_of(road);
	return true;
}

static const struct register_sync *const registers[] = { &stn_products_sync };

const struct flow severa_talenom = {
	.name = "severa-talenom",
	.part = &ops,
	.delivery_step = STEP_BOOKED,
	.title = "Severa to Talenom: sales invoices, their customers and products, and their "
		 "payment",
	.settings = stn_setting_table,
	.n_settings = STN_N_SETTINGS,
	.credentials = stn_credential_table,
	.n_credentials = STN_N_CREDENTIALS,
	.settle = stn_settle,
	.accept = road_accept,
	.poll = road_poll,
	.run = road_run,
	.check = road_check,
	.on_failed = road_on_failed,
	.registers = registers,
	.n_registers = ARRAY_SIZE(registers),
};
