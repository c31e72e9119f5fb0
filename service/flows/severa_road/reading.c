/*
 * reading.c: what every flow reads of a Severa invoice before it looks at its target's rules: rows,
 * sums, who is billed, and where. Reads only.
 */
#include "base/base.h"
#include "internal.h"

bool road_read_rows(struct road *r, struct err *err)
{
	struct err inner = ERR_INIT;
	if (!severa_invoice_rows(&r->severa, &r->inv, &inner)) {
		if (inner.code == ERR_NOT_FOUND) /* deleted just now: the next try sees it */
			inner.code = ERR_OUTAGE;
		return road_pass_on(&inner, err);
	}
	r->hash = invoice_content_hash(&r->inv, r->at->arena);
	return r->hash || err_set(err, ERR_LIMIT, "arena full");
}

bool road_turn_credit_note(struct invoice *inv)
{
	if (!inv->is_credit_note || decimal_sign(inv->total_gross) <= 0)
		return false;
	inv->total_net = decimal_neg(inv->total_net);
	inv->total_vat = decimal_neg(inv->total_vat);
	inv->total_gross = decimal_neg(inv->total_gross);
	for (size_t i = 0; i < inv->n_rows; i++)
		inv->rows[i].quantity = decimal_neg(inv->rows[i].quantity);
	return true;
}

bool road_sum_up(struct road *r, struct err *err)
{
	if (!invoice_validate(&r->inv, err) || !invoice_sum_up(&r->inv, r->at->arena, err))
		return false;
	if (decimal_sign(r->inv.rounding) != 0)
		road_note(r, "rounding",
			  "The rows make a few cents more or less than the invoice's total; the "
			  "total was kept.");
	return true;
}

bool road_read_customer(struct road *r, struct err *err)
{
	const struct invoice *inv = &r->inv;
	const char *id = inv->billing_customer_id ? inv->billing_customer_id : inv->customer_id;
	struct err inner = ERR_INIT;
	if (!id)
		return err_reason(err, ERR_DATA, "customer_missing", inv->number,
				  "invoice %s has no customer", inv->number);
	if (severa_customer(&r->severa, id, &r->customer, &inner))
		return true;
	if (inner.code == ERR_NOT_FOUND)
		return err_reason(err, ERR_DATA, "customer_missing", inv->number,
				  "the customer of invoice %s does not exist", inv->number);
	return road_pass_on(&inner, err);
}

bool road_find_country(struct road *r, struct err *err)
{
	struct address *a = &r->inv.buyer.address;
	if (!severa_country(&r->severa, a->country_name, &a->country_code, err))
		return false;
	if (!a->country_code)
		a->country_code = r->customer.billing.country_code;
	if (!a->country_code && a->country_name && a->country_name[0])
		return err_reason(err, ERR_DATA, "country_unknown", r->inv.buyer.name,
				  "country %s is not known", a->country_name);
	return true;
}
