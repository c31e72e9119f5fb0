/*
 * rules.c: what a Severa invoice has to look like for Maventa (MV-08, MV-10, MV-13): its format,
 * the way it takes, why a row bears no VAT, and by what it is known again. Pure: no calls, no
 * clock.
 */
#include "base/base.h"
#include "internal.h"

#include "codec/sign.h"
#include "model/codes.h"

/* Of the uuids that we give to invoices; changed, they would all be new ones. */
static const char uuid_space[] = "0d3e6f52-7c7b-5a0e-9a53-6d61766e7461";

static bool is_set(const char *text)
{
	return text && text[0];
}

const char *sm_uuid(struct arena *arena, const struct sm_uuid_of *of)
{
	char uuid[UUID_TEXT];
	const char *name = arena_printf(arena, "%s|%s|%s|%" PRId64, of->connection, of->company,
					of->source_id, of->generation);
	return name && sign_uuid5(uuid_space, span_of(name), uuid) ? arena_strdup(arena, uuid)
								   : NULL;
}

/* ---- the way it takes ---------------------------------------------------------------------- */

/* Typed by people: blanks around it do not count. */
static bool is_word(const char *text, const char *word)
{
	const char *from = text + strspn(text, " \t");
	size_t n = strlen(word);
	return strncasecmp(from, word, n) == 0 && !from[n + strspn(from + n, " \t")];
}

/* Severa users steer it by words in the e-invoice fields (facts/severa.md §10). */
static enum sm_way way_of(const char *text)
{
	if (!is_set(text))
		return SM_ANY_WAY;
	if (strchr(text, '@') || is_word(text, "EMAIL"))
		return SM_BY_EMAIL;
	if (is_word(text, "PRINT"))
		return SM_ON_PAPER;
	return is_word(text, "DONOTSEND") ? SM_NOWHERE : SM_ANY_WAY;
}

/* An e-mail address that stands in the e-invoice field is the one that is meant. */
static const char *email_of(const struct customer *c)
{
	const char *const fields[] = { c->einvoice_address, c->einvoice_operator };
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i] && strchr(fields[i], '@'))
			return fields[i];
	return is_set(c->email) ? c->email : NULL;
}

bool sm_route(const struct sm_settings *set, const struct customer *c, struct sm_route *ret,
	      struct err *err)
{
	enum sm_way way = way_of(c->einvoice_address);
	if (way == SM_ANY_WAY)
		way = way_of(c->einvoice_operator);
	*ret = (struct sm_route) { .is_steered = way != SM_ANY_WAY };
	if (way == SM_BY_EMAIL && !set->send_by_email)
		way = SM_ON_PAPER; /* MV-10: off, e-mails become letters */
	ret->way = way;
	if (set->send_by_email)
		ret->email = email_of(c);
	else
		ret->disabled = MAVENTA_ROUTE_EMAIL;
	if (way == SM_BY_EMAIL)
		ret->disabled = MAVENTA_ROUTE_EINVOICE | MAVENTA_ROUTE_PRINT;
	if (way == SM_ON_PAPER)
		ret->disabled = MAVENTA_ROUTE_EINVOICE | MAVENTA_ROUTE_EMAIL;
	if (way == SM_ON_PAPER || way == SM_NOWHERE)
		ret->email = NULL;
	return way != SM_BY_EMAIL || ret->email ||
	       err_reason(err, ERR_DATA, "recipient_email_missing", c->name,
			  "customer %s is to get invoices by e-mail and has no address", c->name);
}

void sm_address_buyer(const struct sm_route *route, const struct customer *c, struct party *buyer)
{
	buyer->einvoice_address = buyer->einvoice_operator = NULL;
	if (!route->is_steered && is_set(c->einvoice_address)) {
		buyer->einvoice_address = c->einvoice_address;
		buyer->einvoice_operator = is_set(c->einvoice_operator) ? c->einvoice_operator
									: NULL;
	}
	/* Maventa mails to what the document says: never to a contact person's (MV-10). */
	buyer->contact_email = route->email;
}

/* ---- the format ---------------------------------------------------------------------------- */

static bool is_finnish(const struct party *p)
{
	return str_eq(p->address.country_code, "FI");
}

/* Peppol has no place for an invoice to nobody's address (rule R010). */
static bool has_peppol_address(struct arena *arena, const struct party *p)
{
	struct scheme_id id;
	const char *country = p->address.country_code;
	if (p->einvoice_address)
		return endpoint_from(arena, p->einvoice_address, country, &id);
	return !p->is_private && legal_id_from(arena, p->vat_number, country, &id);
}

enum sm_format sm_format(struct arena *arena, const struct sm_settings *set,
			 const struct invoice *inv)
{
	if (set->format != SM_BY_COUNTRY)
		return set->format;
	if (is_finnish(&inv->seller) && is_finnish(&inv->buyer))
		return SM_FINVOICE;
	return has_peppol_address(arena, &inv->buyer) ? SM_PEPPOL : SM_FINVOICE;
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
static const char *category_by_country(const struct sm_settings *set, const struct invoice *inv)
{
	const char *from = inv->seller.address.country_code;
	const char *to = inv->buyer.address.country_code;
	if (!to || !from || strcmp(from, to) == 0)
		return set->zero_domestic;
	if (!country_is_in_eu(from) || !country_is_in_eu(to))
		return set->zero_outside;
	return is_set(inv->buyer.vat_number) ? set->zero_eu : set->zero_domestic;
}

static bool bears_no_vat(const struct invoice_row *row)
{
	return row->has_vat_rate && decimal_sign(row->vat_rate) == 0;
}

bool sm_has_zero_rows(const struct invoice *inv)
{
	for (size_t i = 0; i < inv->n_rows; i++)
		if (bears_no_vat(&inv->rows[i]))
			return true;
	return false;
}

void sm_explain_zeros(const struct sm_settings *set, const struct severa_tax *tax,
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

/* ---- the same invoice? --------------------------------------------------------------------- */

/* A sum that a credit note has below zero in Finvoice and above it in UBL. */
static bool same_sum(struct decimal a, struct decimal b)
{
	return decimal_eq(decimal_abs(a), decimal_abs(b));
}

/* Whether Maventa counts the cents of rounding in, is not told. */
static bool is_sum_of(struct decimal told, const struct delivery_identity *id)
{
	struct decimal unrounded;
	return same_sum(told, id->sum) ||
	       (decimal_sub(id->sum, id->rounding, &unrounded) && same_sum(told, unrounded));
}

bool sm_is_same(const struct maventa_invoice *in, const struct delivery_identity *id)
{
	return str_eq(in->number, id->number) && (!in->date || str_eq(in->date, id->date)) &&
	       (!in->currency || strcasecmp(in->currency, id->currency) == 0) &&
	       (!in->has_gross || is_sum_of(in->gross, id));
}
