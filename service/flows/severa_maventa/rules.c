/*
 * rules.c: what a Severa invoice has to look like for Maventa (MV-08, MV-10, MV-13): its format,
 * the way it takes, and by what it is known again. Pure: no calls, no clock.
 */
#include "base/base.h"
#include "internal.h"

#include "codec/sign.h"

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

/* Severa users steer it by words in the e-invoice fields (facts/severa.md §10). */
static enum sm_way way_of(const char *text)
{
	if (!is_set(text))
		return SM_ANY_WAY;
	if (strchr(text, '@') || severa_is_word(text, "EMAIL"))
		return SM_BY_EMAIL;
	if (severa_is_word(text, "PRINT"))
		return SM_ON_PAPER;
	return severa_is_word(text, "DONOTSEND") ? SM_NOWHERE : SM_ANY_WAY;
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

/* ---- the same invoice? --------------------------------------------------------------------- */

/* A sum that a credit note has below zero in Finvoice and above it in UBL. */
static bool is_sum_of(struct decimal told, const struct delivery_identity *id)
{
	return delivery_is_sum(told, id) || delivery_is_sum(decimal_neg(told), id);
}

bool sm_is_same(const struct maventa_invoice *in, const struct delivery_identity *id)
{
	return str_eq(in->number, id->number) && (!in->date || str_eq(in->date, id->date)) &&
	       (!in->currency || strcasecmp(in->currency, id->currency) == 0) &&
	       (!in->has_gross || is_sum_of(in->gross, id));
}
