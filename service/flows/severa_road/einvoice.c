/*
 * einvoice.c: what a document says beyond the invoice, so that its receiver can book and pay it:
 * the seller's country and account, why a row bears no VAT (EN 16931 wants a reason), what a credit
 * note credits, the VAT in the seller's own currency. Reads only.
 */
#include "base/base.h"
#include "internal.h"

#include "model/codes.h"

/* ---- settings ------------------------------------------------------------------------------ */

bool road_settle_einvoice(const struct flow *flow, const struct json *settings, struct err *err)
{
	if (!road_text(flow, settings, "seller.iban") && road_text(flow, settings, "seller.bic"))
		return road_refuse(err, "/settings/seller/bic", "goes with seller.iban");
	return true;
}

void road_einvoice_settings(const struct flow *flow, const struct json *s,
			    struct road_einvoice *ret)
{
	*ret = (struct road_einvoice) {
		.iban = road_text(flow, s, "seller.iban"),
		.bic = road_text(flow, s, "seller.bic"),
		.zero_domestic = road_text(flow, s, "vat.zero_domestic"),
		.zero_eu = road_text(flow, s, "vat.zero_eu"),
		.zero_outside = road_text(flow, s, "vat.zero_outside_eu"),
		.exempt_reason = road_text(flow, s, "vat.exempt_reason"),
		.delivered_on_invoice_date = road_flag(flow, s, "vat.delivered_on_invoice_date"),
	};
}

/* ---- the seller ---------------------------------------------------------------------------- */

/* By name, else by the letters of the VAT number. */
static bool find_seller_country(struct road *r, struct err *err)
{
	struct party *seller = &r->inv.seller;
	const char *vat = seller->vat_number;
	if (!severa_country(&r->severa, seller->address.country_name, &seller->address.country_code,
			    err))
		return false;
	if (seller->address.country_code || !vat || strlen(vat) < 2)
		return true;
	char *letters = arena_memdup(r->at->arena, vat, 2);
	if (!letters)
		return err_set(err, ERR_LIMIT, "arena full");
	seller->address.country_code = country_is_known(letters) ? letters : NULL;
	return true;
}

static bool add_seller(struct road *r, const struct road_einvoice *set, struct err *err)
{
	struct invoice *inv = &r->inv;
	struct bank_account *own;
	if (!find_seller_country(r, err))
		return false;
	if (!set->iban)
		return severa_accounts(&r->severa, &inv->seller, &inv->accounts, &inv->n_accounts,
				       err);
	own = arena_alloc(r->at->arena, sizeof(*own));
	if (!own)
		return err_set(err, ERR_LIMIT, "arena full");
	*own = (struct bank_account) { .number = set->iban, .bic = set->bic };
	inv->accounts = own;
	inv->n_accounts = 1;
	return true;
}

/* ---- why there is no VAT ------------------------------------------------------------------- */

static bool is_zero_category(const char *category)
{
	static const char *const known[] = { "AE", "E", "G", "K", "O", "Z" };
	for (size_t i = 0; category && i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i], category) == 0)
			return true;
	return false;
}

/* Where Severa does not say: by both countries, and whether the buyer is a business. NULL: nobody
 * has said. */
static const char *category_by_country(const struct road_einvoice *set, const struct invoice *inv)
{
	const char *from = inv->seller.address.country_code;
	const char *to = inv->buyer.address.country_code;
	if (!to || !from || strcmp(from, to) == 0)
		return set->zero_domestic;
	if (!country_is_in_eu(from) || !country_is_in_eu(to))
		return set->zero_outside;
	return inv->buyer.vat_number && inv->buyer.vat_number[0] ? set->zero_eu
								 : set->zero_domestic;
}

static bool bears_no_vat(const struct invoice_row *row)
{
	return row->has_vat_rate && decimal_sign(row->vat_rate) == 0;
}

void road_explain_zeros(const struct road_einvoice *set, const struct severa_tax *tax,
			struct invoice *inv)
{
	const char *category = category_by_country(set, inv), *reason = NULL;
	if (tax->is_tax_free && is_zero_category(tax->free_category))
		category = tax->free_category;
	if (tax->is_tax_free)
		reason = tax->free_reason;
	if (tax->is_reverse_charged) {
		category = "AE";
		reason = tax->reverse_reason;
	}
	if (str_eq(category, "E") && !reason)
		reason = set->exempt_reason;
	for (size_t i = 0; i < inv->n_rows; i++) {
		if (!bears_no_vat(&inv->rows[i]))
			continue;
		inv->rows[i].vat_category = category;
		inv->rows[i].vat_exemption_reason = reason;
		if (set->delivered_on_invoice_date && str_eq(category, "K") && !inv->delivery_date)
			inv->delivery_date = inv->issue_date;
	}
}

static bool add_zero_reasons(struct road *r, const struct road_einvoice *set, struct err *err)
{
	struct severa_tax tax;
	size_t i = 0;
	while (i < r->inv.n_rows && !bears_no_vat(&r->inv.rows[i]))
		i++;
	if (i == r->inv.n_rows)
		return true;
	if (!severa_tax(&r->severa, r->inv.source_id, r->customer.source_id,
			r->inv.buyer.address.country_code, &tax, err))
		return false;
	road_explain_zeros(set, &tax, &r->inv);
	return true;
}

/* ---- foreign currency ---------------------------------------------------------------------- */

/* BT-111 is wanted only where the invoice is in another currency than the seller's books. */
static bool add_own_currency(struct road *r, struct err *err)
{
	struct invoice *inv = &r->inv;
	const char *home = country_currency(inv->seller.address.country_code);
	bool is_foreign = home && !str_eq(home, inv->currency);
	if (is_foreign && !severa_account_vat(&r->severa, inv, err))
		return false;
	if (is_foreign && str_eq(inv->accounting_currency, home))
		return true;
	inv->accounting_currency = NULL;
	inv->has_vat_accounting = false;
	return true;
}

bool road_read_einvoice(struct road *r, const struct road_einvoice *set, struct err *err)
{
	return add_seller(r, set, err) && add_zero_reasons(r, set, err) &&
	       severa_credited(&r->severa, &r->inv, err) && add_own_currency(r, err);
}
