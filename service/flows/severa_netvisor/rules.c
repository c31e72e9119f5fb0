/*
 * rules.c: what a Severa invoice has to look like in Netvisor (NV-01, NV-06); customers: card.c.
 * Pure: no calls, no clock. Every lack is its own named error.
 */
#include "base/base.h"
#include "internal.h"

#include "base/utf8.h"
#include "model/codes.h"

static bool is_set(const char *text)
{
	return text && text[0];
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* Netvisor wants negative quantities and positive prices (facts §9.1). False on nothing to turn. */
bool sn_turn_signs(struct invoice *inv)
{
	bool turned = road_turn_credit_note(inv);
	for (size_t i = 0; i < inv->n_rows; i++) {
		struct invoice_row *row = &inv->rows[i];
		if (decimal_sign(row->unit_price) >= 0)
			continue;
		row->unit_price = decimal_neg(row->unit_price);
		row->quantity = decimal_neg(row->quantity);
		turned = true;
	}
	return turned;
}

const char *sn_vat_code(const struct sn_settings *set, const char *country, struct decimal rate)
{
	if (decimal_sign(rate) > 0)
		return set->vat_domestic;
	if (!country || strcmp(country, "FI") == 0)
		return set->vat_domestic_zero;
	return country_is_in_eu(country) ? set->vat_eu_zero : set->vat_outside_zero;
}

bool sn_choose_product(const struct sn_settings *set, struct invoice_row *row, struct err *err)
{
	char subject[160];
	bool is_sure = row->n_codes == 1;
	row->product_code = set->temp_product;
	if (!set->products_to_netvisor && !set->products_to_severa)
		return true;
	if (is_sure)
		row->product_code = row->codes[0];
	if (row->product_code)
		return true;
	snprintf(subject, sizeof(subject), "row %" PRId64 ", %.*s", row->position,
		 (int)utf8_prefix(span_of(row->name), 36), row->name);
	return err_reason(err, ERR_DATA,
			  row->n_codes ? "product_code_several" : "product_code_missing", subject,
			  "%s has %s", subject,
			  row->n_codes ? "several product codes" : "no product code");
}

/* ---- attachments --------------------------------------------------------------------------- */

/* Netvisor's attachments are PDFs (facts/netvisor.md §9.1). By name and type: may it be one? */
bool sn_may_be_pdf(const struct attachment *a)
{
	static const char *const types[] = { "application/pdf", "application/x-pdf",
					     "application/octet-stream" };
	size_t n = a->name ? strlen(a->name) : 0;
	if (!is_set(a->mime_type) || (n > 4 && strcasecmp(a->name + n - 4, ".pdf") == 0))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strncasecmp(a->mime_type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

/* ---- the same invoice? --------------------------------------------------------------------- */

bool sn_is_same_invoice(const struct netvisor_listed *l, const struct delivery_identity *id)
{
	/* Without a reference of ours Netvisor makes one. */
	bool reference = !is_set(id->reference) ||
			 delivery_same_reference(l->reference, id->reference);
	return reference && str_eq(l->number, id->number) && str_eq(l->date, id->date) &&
	       l->customer_code && strcasecmp(l->customer_code, id->customer_code) == 0 &&
	       decimal_eq(l->sum, id->sum);
}
