/*
 * einvoice.c: what an e-invoice must say and Severa keeps apart from the invoice: why a row bears
 * no VAT, the accounts to pay to, the invoice that is credited, the VAT in the organisation's own
 * currency (facts/severa.md §3, 4.1, 5).
 */
#include "base/base.h"
#include "severa_internal.h"

static bool is_true(const struct json *j, const char *key)
{
	bool value = false;
	return json_bool(json_get(j, key), &value) && value;
}

static const char *text_of(const struct json *j, const char *key)
{
	const char *text = json_str(json_get(j, key));
	return text && text[0] ? text : NULL;
}

/* ---- why there is no VAT ------------------------------------------------------------------- */

static bool read_invoice_settings(struct severa *s, const char *invoice_id, struct severa_tax *ret,
				  struct err *err)
{
	const char *path = severa_path(s, "/v1/invoices/{}/invoicesettings", invoice_id);
	const struct json *j;
	struct err inner = ERR_INIT;
	if (!severa_get_seen(s, "read settings of the invoice", path, &j, &inner)) {
		if (inner.code == ERR_NOT_FOUND) /* it has none */
			return true;
		if (err)
			*err = inner;
		return false;
	}
	ret->is_reverse_charged = is_true(j, "isReverseCharged");
	ret->reverse_reason = text_of(j, "reverseChargeDescription");
	return true;
}

static bool read_country_settings(struct severa *s, const char *customer_id,
				  const char *country_code, struct severa_tax *ret, struct err *err)
{
	struct severa_list list = {
		.what = "read tax settings of the customer",
		.is_seen = true,
		.path = severa_path(s, "/v1/customers/{}/customercountrysettings", customer_id)
	};
	struct severa_rows rows;
	if (!severa_all(s, &list, &rows, err))
		return false;
	for (size_t i = 0; i < rows.n; i++) {
		const struct json *j = rows.items[i];
		const char *code;
		if (!severa_country(s, json_text(json_at(j, "country.guid")), &code, err))
			return false;
		if (!str_eq(code, country_code))
			continue;
		ret->is_tax_free = is_true(j, "isTaxFree");
		ret->free_category = text_of(j, "zeroVatCategoryCodeEn16931");
		ret->free_reason = text_of(j, "taxFreeDescription");
	}
	return true;
}

bool severa_tax(struct severa *s, const char *invoice_id, const char *customer_id,
		const char *country_code, struct severa_tax *ret, struct err *err)
{
	*ret = (struct severa_tax) { .is_reverse_charged = false };
	return read_invoice_settings(s, invoice_id, ret, err) &&
	       (!country_code || read_country_settings(s, customer_id, country_code, ret, err));
}

/* ---- accounts ------------------------------------------------------------------------------ */

static const struct severa_unit *unit_of(struct severa *s, const struct severa_unit *units,
					 size_t n, const char *vat_number)
{
	const char *wanted = vat_number ? identifier_compact(s->at->arena, vat_number) : NULL;
	for (size_t i = 0; wanted && i < n; i++) {
		const char *own = units[i].vat_number;
		if (own && str_eq(identifier_compact(s->at->arena, own), wanted))
			return &units[i];
	}
	return NULL;
}

struct units {
	const struct severa_unit *list;
	size_t n;
	const struct severa_unit *seller; /* NULL: none of them */
};

/* The unit itself or the parent whose part it is: the first with a VAT number. NULL: none has. */
static const struct severa_unit *whole_of(const struct units *units, const char *id)
{
	for (size_t steps = 0; id && steps <= units->n; steps++) {
		const struct severa_unit *unit = NULL;
		for (size_t i = 0; i < units->n && !unit; i++)
			if (str_eq(units->list[i].id, id))
				unit = &units->list[i];
		if (!unit || (unit->vat_number && unit->vat_number[0]))
			return unit;
		id = unit->parent_id;
	}
	return NULL;
}

/* Paid into another company's account, the money is gone: what is nobody's is everybody's, and all
 * else must be the seller's. The unit says more than the company: one with a VAT number is a
 * company of its own (SV-09), whoever it belongs to. */
static bool is_of(const struct severa_account *a, const struct units *units)
{
	const struct severa_unit *seller = units->seller;
	const struct severa_unit *own = whole_of(units, a->unit_id);
	if (!a->company_id && !a->unit_id)
		return true;
	if (!seller)
		return false;
	if (own)
		return own == seller || str_eq(own->vat_number, seller->vat_number);
	return str_eq(a->company_id, seller->company_id);
}

bool severa_accounts(struct severa *s, const struct party *seller, const struct bank_account **ret,
		     size_t *ret_n, struct err *err)
{
	static const struct severa_list list = { .what = "read bank accounts",
						 .path = "/v1/bankaccounts",
						 .paging = SEVERA_BY_ROW };
	const struct severa_unit *units;
	struct severa_account *accounts;
	struct severa_rows rows;
	size_t n = 0, n_units;
	if (!severa_units(s, &units, &n_units, err) ||
	    !severa_register(s, &list, SEVERA_REGISTER_TTL_MS, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_account_shape, &rows, &accounts, err))
		return false;
	struct bank_account *found = arena_alloc_array(s->at->arena, rows.n + 1, sizeof(*found));
	if (!found)
		return err_set(err, ERR_LIMIT, "arena full");
	const struct units known = { units, n_units,
				     unit_of(s, units, n_units, seller->vat_number) };
	for (size_t i = 0; i < rows.n; i++) {
		const struct severa_account *a = &accounts[i];
		if (a->is_active && a->account.number && !str_eq(a->format, "Bankgiro") &&
		    is_of(a, &known))
			found[n++] = a->account;
	}
	*ret = found;
	*ret_n = n;
	return true;
}

/* ---- other documents and currencies -------------------------------------------------------- */

bool severa_credited(struct severa *s, struct invoice *inv, struct err *err)
{
	const struct json *j;
	struct err inner = ERR_INIT;
	if (!inv->preceding_id)
		return true;
	if (!severa_get_seen(s, "read the credited invoice",
			     severa_path(s, "/v1/invoices/{}", inv->preceding_id), &j, &inner)) {
		if (inner.code == ERR_NOT_FOUND) /* its number is known all the same */
			return true;
		if (err)
			*err = inner;
		return false;
	}
	const char *number = json_text(json_get(j, "number"));
	inv->preceding_number = number ? number : inv->preceding_number;
	inv->preceding_date = json_str(json_get(j, "date"));
	return true;
}

bool severa_own_currency(struct severa *s, const char **ret, struct err *err)
{
	static const struct severa_list list = { .what = "read currencies",
						 .path = "/v1/currencies",
						 .paging = SEVERA_BY_ROW };
	struct severa_currency *currencies;
	struct severa_rows rows;
	*ret = NULL;
	if (!severa_register(s, &list, SEVERA_REGISTER_TTL_MS, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_currency_shape, &rows, &currencies, err))
		return false;
	for (size_t i = 0; i < rows.n && !*ret; i++)
		if (currencies[i].is_own)
			*ret = currencies[i].code;
	return true;
}

bool severa_account_vat(struct severa *s, struct invoice *inv, struct err *err)
{
	const char *own;
	if (!severa_own_currency(s, &own, err))
		return false;
	if (!own || str_eq(own, inv->currency))
		return true;
	if (inv->has_vat_accounting && str_eq(inv->accounting_currency, own))
		return true;
	inv->has_vat_accounting = severa_in_own_currency(s, inv->total_vat, inv->currency_rate,
							 &inv->total_vat_accounting);
	inv->accounting_currency = own;
	return true;
}

/* ---- customers ----------------------------------------------------------------------------- */

bool severa_is_word(const char *text, const char *word)
{
	const char *from = text + strspn(text, " \t");
	size_t n = strlen(word);
	return strncasecmp(from, word, n) == 0 && !from[n + strspn(from + n, " \t")];
}

bool severa_is_steering_word(const char *text)
{
	return text && (strchr(text, '@') || severa_is_word(text, "EMAIL") ||
			severa_is_word(text, "PRINT") || severa_is_word(text, "DONOTSEND"));
}
