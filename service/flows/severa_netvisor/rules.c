/*
 * rules.c: what a Severa invoice or customer has to look like in Netvisor (REQUIREMENTS
 * NV-02 to NV-07). Pure: no calls, no clock. Every lack is its own named error.
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
	if (!set->products_to_netvisor)
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

/* ---- customers ----------------------------------------------------------------------------- */

/* Operators in Netvisor's spelling (facts/netvisor.md §12.2). */
static const char *const operators[] = {
	"003723327487", "003721291126", "BAWCFI22",	   "003703575029",    "E204503",
	"003708599126", "003726044706", "003717203971",	   "003723609900",    "PAGERO",
	"PALETTE",	"003710948874", "003701150617",	   "003714377140",    "003701011385",
	"INEXCHANGE",	"EXPSYS",	"885790000000418", "885060259470028", "FIYAPSOL",
	"003722207029", "HELSFIHH",	"AABAFI22",	   "DABAFIHH",	      "DNBAFIHX",
	"HANDFIHH",	"NDEAFIHH",	"OKOYFIHH",	   "POPFFI22",	      "SBANFIHH",
	"ITELFIHH",	"TAPIFI22",
};
static const struct {
	const char *alias, *code;
} operator_aliases[] = { { "MAVENTA", "003721291126" },
			 { "APIX", "003723327487" },
			 { "BASWARE", "BAWCFI22" } };

static const char *find_operator(const struct sn_settings *set, const char *code)
{
	const char *mapped = json_str(json_get(set->operators, code));
	if (mapped)
		return mapped;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (strcasecmp(operators[i], code) == 0)
			return operators[i];
	for (size_t i = 0; i < ARRAY_SIZE(operator_aliases); i++)
		if (strcasecmp(operator_aliases[i].alias, code) == 0)
			return operator_aliases[i].code;
	return NULL;
}

static const char *find_language(const struct sn_settings *set, const char *code)
{
	const char *mapped = is_set(code) ? json_str(json_get(set->languages, code)) : NULL;
	if (mapped)
		return mapped;
	if (!is_set(code) || strncasecmp(code, "fi", 2) == 0)
		return "FI";
	return strncasecmp(code, "sv", 2) == 0 ? "SE" : "EN";
}

static bool lack(struct err *err, const char *reason, const char *who)
{
	return err_reason(err, ERR_DATA, reason, who, "customer %s: %s", who, reason);
}

/* The value that is wrong stands beside who has it. */
static bool wrong(struct err *err, const char *reason, const char *who, const char *value)
{
	char subject[160];
	snprintf(subject, sizeof(subject), "%.*s (%.*s)", (int)utf8_prefix(span_of(who), 60), who,
		 (int)utf8_prefix(span_of(value), 20), value);
	return err_reason(err, ERR_DATA, reason, subject, "customer %s: %s: %s", who, reason,
			  value);
}

static bool put_einvoice(const struct sn_settings *set, const struct customer *c, const char *who,
			 const char **v, struct err *err)
{
	v[NETVISOR_EINVOICE_ADDRESS] = v[NETVISOR_EINVOICE_OPERATOR] = "";
	if (!is_set(c->einvoice_address) || severa_is_steering_word(c->einvoice_address))
		return true;
	if (!is_set(c->einvoice_operator))
		return lack(err, "operator_missing", who);
	v[NETVISOR_EINVOICE_ADDRESS] = c->einvoice_address;
	v[NETVISOR_EINVOICE_OPERATOR] = find_operator(set, c->einvoice_operator);
	return v[NETVISOR_EINVOICE_OPERATOR] ||
	       wrong(err, "operator_unknown", who, c->einvoice_operator);
}

/* Finnish ids in the national form, others as the VAT number stands. */
static bool put_business_id(const struct sn_settings *set, const struct customer *c,
			    const char *who, const char **v, struct err *err)
{
	bool is_private = c->is_private || (set->private_without_vat && !is_set(c->vat_number));
	v[NETVISOR_PRIVATE] = is_private ? "1" : "0";
	v[NETVISOR_BUSINESS_ID] = "";
	if (is_private)
		return true;
	if (!is_set(c->vat_number))
		return lack(err, "business_id_missing", who);
	const char *country = c->billing.country_code;
	bool is_finnish = strncasecmp(c->vat_number, "FI", 2) == 0 || !country ||
			  strcmp(country, "FI") == 0;
	if (!c->business_id && is_finnish)
		return wrong(err, "business_id_invalid", who, c->vat_number);
	v[NETVISOR_BUSINESS_ID] = c->business_id && is_finnish ? c->business_id : c->vat_number;
	return true;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* First line to the street, the rest in one line to the additional line: line breaks are not
 * allowed in Netvisor's addresses. */
static bool put_street(struct arena *arena, const char *street, const char **v)
{
	size_t n = strcspn(street, "\r\n");
	char *rest = arena_strdup(arena, street + n + strspn(street + n, "\r\n"));
	v[NETVISOR_STREET] = arena_memdup(arena, street, n);
	v[NETVISOR_STREET2] = rest;
	for (char *p = rest; p && *p; p++)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	return v[NETVISOR_STREET] && rest;
}

static bool put_billing(struct arena *arena, const struct address *a, const char *who,
			const char **v, struct err *err)
{
	if (!is_set(a->street) || !is_set(a->postcode) || !is_set(a->city))
		return lack(err, "customer_address_missing", who);
	if (!a->country_code && is_set(a->country_name))
		return wrong(err, "country_unknown", who, a->country_name);
	v[NETVISOR_POSTCODE] = a->postcode;
	v[NETVISOR_CITY] = a->city;
	v[NETVISOR_COUNTRY] = a->country_code ? a->country_code : "FI";
	return put_street(arena, a->street, v) || err_set(err, ERR_LIMIT, "arena full");
}

static void put_delivery(const struct customer *c, const char **v)
{
	const struct address *a = &c->delivery;
	bool has = is_set(a->street) || is_set(a->city);
	v[NETVISOR_DELIVERY_NAME] = has ? c->name : "";
	v[NETVISOR_DELIVERY_STREET] = or_empty(a->street);
	v[NETVISOR_DELIVERY_CITY] = or_empty(a->city);
	v[NETVISOR_DELIVERY_POSTCODE] = or_empty(a->postcode);
	v[NETVISOR_DELIVERY_COUNTRY] = has ? a->country_code : "";
}

bool sn_customer_card(struct arena *arena, const struct sn_settings *set, const struct customer *c,
		      struct netvisor_customer *ret, struct err *err)
{
	const char **v = ret->values;
	const char *who = is_set(c->name) ? c->name : or_empty(c->code);
	*ret = (struct netvisor_customer) { 0 };
	if (!is_set(c->code))
		return lack(err, "customer_number_missing", who);
	if (!is_set(c->name))
		return lack(err, "customer_name_missing", who);
	if (!put_billing(arena, &c->billing, who, v, err) ||
	    !put_business_id(set, c, who, v, err) || !put_einvoice(set, c, who, v, err))
		return false;
	put_delivery(c, v);
	v[NETVISOR_CODE] = c->code;
	v[NETVISOR_NAME] = c->name;
	v[NETVISOR_PHONE] = or_empty(c->phone);
	v[NETVISOR_FAX] = or_empty(c->fax);
	v[NETVISOR_EMAIL] = or_empty(c->email);
	v[NETVISOR_EMAIL_INVOICING] = set->email_channel ? or_empty(c->email) : NULL;
	v[NETVISOR_WEBSITE] = or_empty(c->website);
	v[NETVISOR_COMMENT] = or_empty(c->notes);
	v[NETVISOR_ACTIVE] = c->is_active ? "1" : "0";
	v[NETVISOR_LANGUAGE] = find_language(set, c->language);
	return true;
}

bool sn_is_same_customer(struct arena *arena, const struct netvisor_customer *theirs,
			 const struct netvisor_customer *ours)
{
	const char *a = theirs->values[NETVISOR_BUSINESS_ID];
	const char *b = ours->values[NETVISOR_BUSINESS_ID];
	if (!is_set(b)) /* a private person: by name */
		return theirs->values[NETVISOR_NAME] &&
		       strcasecmp(theirs->values[NETVISOR_NAME], ours->values[NETVISOR_NAME]) == 0;
	if (!is_set(a))
		return false;
	const char *national = business_id_from(arena, a);
	return strcasecmp(a, b) == 0 || str_eq(national, b);
}

static bool is_yes(const char *text)
{
	return str_eq(text, "1") || (text && strcasecmp(text, "true") == 0);
}

static bool is_equal(enum netvisor_customer_field f, const char *theirs, const char *ours)
{
	if (f == NETVISOR_ACTIVE || f == NETVISOR_PRIVATE)
		return is_yes(theirs) == is_yes(ours);
	if (f == NETVISOR_BUSINESS_ID || f == NETVISOR_LANGUAGE)
		return theirs && strcasecmp(theirs, ours) == 0;
	return strcmp(or_empty(theirs), ours) == 0;
}

size_t sn_customer_changes(const struct netvisor_customer *theirs,
			   const struct netvisor_customer *ours, const struct json *last,
			   struct netvisor_customer *ret)
{
	size_t n = 0;
	*ret = (struct netvisor_customer) { .key = theirs->key };
	for (enum netvisor_customer_field f = 0; f < NETVISOR_CUSTOMER_FIELDS; f++) {
		const char *value = ours->values[f];
		if (!value || f == NETVISOR_CODE || is_equal(f, theirs->values[f], value))
			continue;
		const char *before = json_str(json_get(last, netvisor_customer_field_name(f)));
		if (!value[0] && !is_set(before))
			continue; /* empty at both readings: what stands in Netvisor is theirs */
		ret->values[f] = value;
		n++;
	}
	return n;
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
