/*
 * card_back.c: Netvisor's customer as Severa has it (NV-04, NV-05). What is compared and kept bears
 * Netvisor's names on both sides (card.c); here it becomes what is written to Severa. Pure.
 *
 * Severa has one e-mail address and no name of a delivery address: with Netvisor's e-mail channel
 * on the first invoicing address is Severa's, and the delivery name stays in Netvisor.
 */
#include "base/base.h"
#include "internal.h"

#define NUMBER_MAX 18 /* digits that Severa's number holds */

static bool is_set(const char *text)
{
	return text && text[0];
}

bool sn_check_back(const struct netvisor_customer *c, struct err *err)
{
	const char *code = c->values[NETVISOR_CODE], *name = c->values[NETVISOR_NAME];
	const char *who = is_set(name) ? name : is_set(code) ? code : c->key;
	size_t n = code ? strlen(code) : 0;
	if (!n || n > NUMBER_MAX || code[0] == '0' || strspn(code, "0123456789") != n)
		return err_reason(err, ERR_DATA, "customer_code_form", who,
				  "customer %s: \"%s\" is no number for Severa", who,
				  code ? code : "");
	return is_set(name) || err_reason(err, ERR_DATA, "customer_name_missing", who,
					  "customer %s has no name", who);
}

/* The spelling that the connection's own list has for it; else Netvisor's. */
static const char *operator_back(const struct sn_settings *set, const char *code)
{
	for (const struct json *j = json_first(set->operators); j; j = json_next(j))
		if (str_eq(json_str(j), code))
			return json_key(j);
	return code;
}

/* Of several addresses the first. */
static const char *first_address(struct arena *arena, const char *list)
{
	return arena_memdup(arena, list, strcspn(list, ";"));
}

bool sn_card_back(struct arena *arena, const struct sn_settings *set,
		  const struct netvisor_customer *c, struct netvisor_customer *ret)
{
	const char **v = ret->values;
	*ret = *c;
	if (set->email_channel && is_set(v[NETVISOR_EMAIL_INVOICING]) &&
	    !(v[NETVISOR_EMAIL] = first_address(arena, v[NETVISOR_EMAIL_INVOICING])))
		return false;
	v[NETVISOR_PRIVATE] = v[NETVISOR_EMAIL_INVOICING] = v[NETVISOR_DELIVERY_NAME] = NULL;
	if (!is_set(v[NETVISOR_DELIVERY_STREET]) && !is_set(v[NETVISOR_DELIVERY_CITY]))
		v[NETVISOR_DELIVERY_STREET] = v[NETVISOR_DELIVERY_CITY] =
			v[NETVISOR_DELIVERY_POSTCODE] = v[NETVISOR_DELIVERY_COUNTRY] = "";
	return true;
}

/* ---- what is written to Severa ------------------------------------------------------------- */

static const struct {
	enum netvisor_customer_field from;
	enum severa_customer_field to;
} pairs[] = {
	{ NETVISOR_CODE, SEVERA_NUMBER_FIELD },
	{ NETVISOR_NAME, SEVERA_NAME },
	{ NETVISOR_BUSINESS_ID, SEVERA_VAT_NUMBER },
	{ NETVISOR_EMAIL, SEVERA_EMAIL },
	{ NETVISOR_WEBSITE, SEVERA_WEBSITE },
	{ NETVISOR_COMMENT, SEVERA_NOTES },
	{ NETVISOR_EINVOICE_ADDRESS, SEVERA_EINVOICE_ADDRESS },
	{ NETVISOR_EINVOICE_OPERATOR, SEVERA_EINVOICE_OPERATOR },
	{ NETVISOR_LANGUAGE, SEVERA_LANGUAGE },
	{ NETVISOR_ACTIVE, SEVERA_ACTIVE },
	{ NETVISOR_STREET, SEVERA_BILLING_STREET },
	{ NETVISOR_STREET2, SEVERA_BILLING_STREET },
	{ NETVISOR_POSTCODE, SEVERA_BILLING_POSTCODE },
	{ NETVISOR_CITY, SEVERA_BILLING_CITY },
	{ NETVISOR_COUNTRY, SEVERA_BILLING_COUNTRY },
	{ NETVISOR_PHONE, SEVERA_PHONE },
	{ NETVISOR_FAX, SEVERA_FAX },
	{ NETVISOR_DELIVERY_STREET, SEVERA_POSTAL_STREET },
	{ NETVISOR_DELIVERY_POSTCODE, SEVERA_POSTAL_POSTCODE },
	{ NETVISOR_DELIVERY_CITY, SEVERA_POSTAL_CITY },
	{ NETVISOR_DELIVERY_COUNTRY, SEVERA_POSTAL_COUNTRY },
};

/* Severa's words for Netvisor's. */
static const char *language_back(const struct sn_settings *set, const char *code)
{
	for (const struct json *j = json_first(set->languages); j; j = json_next(j))
		if (str_eq(json_str(j), code))
			return json_key(j);
	return strcmp(code, "SE") == 0 ? "sv" : strcmp(code, "EN") == 0 ? "en" : "fi";
}

static const char *vat_number_of(struct arena *arena, const char *id)
{
	const char *national = business_id_from(arena, id);
	return national ? arena_printf(arena, "FI%.7s%s", national, national + 8) : id;
}

static const char *street_of(struct arena *arena, const struct netvisor_customer *c)
{
	const char *street = c->values[NETVISOR_STREET], *more = c->values[NETVISOR_STREET2];
	return arena_printf(arena, "%s%s%s", street ? street : "", is_set(more) ? "\n" : "",
			    is_set(more) ? more : "");
}

static const char *value_of(struct arena *arena, const struct sn_settings *set,
			    const struct netvisor_customer *c, enum netvisor_customer_field f)
{
	const char *text = c->values[f];
	if (f == NETVISOR_STREET || f == NETVISOR_STREET2)
		return street_of(arena, c);
	if (!is_set(text))
		return "";
	if (f == NETVISOR_BUSINESS_ID)
		return vat_number_of(arena, text);
	if (f == NETVISOR_EINVOICE_OPERATOR)
		return operator_back(set, text);
	if (f == NETVISOR_LANGUAGE)
		return language_back(set, text);
	if (f == NETVISOR_ACTIVE)
		return str_eq(text, "1") || strcasecmp(text, "true") == 0 ? "1" : "0";
	return text;
}

static bool is_changed(const struct register_value *values, size_t n,
		       enum netvisor_customer_field f)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(values[i].name, netvisor_customer_field_name(f)) == 0)
			return values[i].is_changed;
	return false;
}

bool sn_card_form(struct arena *arena, const struct sn_settings *set,
		  const struct netvisor_customer *back, const struct register_value *values,
		  size_t n, struct severa_customer_form *ret)
{
	*ret = (struct severa_customer_form) { .values = { NULL } };
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		ret->values[pairs[i].to] = value_of(arena, set, back, pairs[i].from);
		ret->written[pairs[i].to] |= is_changed(values, n, pairs[i].from);
		if (!ret->values[pairs[i].to])
			return false;
	}
	return true;
}
