/*
 * card.c: a customer as both sides have it: Severa's into Netvisor's fields and back, which
 * customers are the same, and what has to be written (NV-03, NV-04, NV-05). Both registers of
 * customers name their fields as Netvisor does. Pure: no calls, no clock. Every lack is its own
 * named error.
 */
#include "base/base.h"
#include "internal.h"

#include "base/utf8.h"
#include "codec/sign.h"
#include "model/identifier.h"

static bool is_set(const char *text)
{
	return text && text[0];
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* ---- words --------------------------------------------------------------------------------- */

static const char *find_operator(const struct sn_settings *set, const char *code)
{
	const char *mapped = json_str(json_get(set->operators, code));
	return mapped ? mapped : netvisor_operator(set->known_operators, code);
}

static const char *find_language(const struct sn_settings *set, const char *code)
{
	const char *mapped = is_set(code) ? json_str(json_get(set->languages, code)) : NULL;
	if (mapped)
		return mapped;
	if (!is_set(code))
		return "";
	if (strncasecmp(code, "fi", 2) == 0)
		return "FI";
	return strncasecmp(code, "sv", 2) == 0 ? "SE" : "EN";
}

static bool has_einvoice(const struct customer *c)
{
	return is_set(c->einvoice_address) && !severa_is_steering_word(c->einvoice_address);
}

static bool is_private(const struct sn_settings *set, const struct customer *c)
{
	return c->is_private || (set->private_without_vat && !is_set(c->vat_number));
}

static bool is_finnish(const struct customer *c)
{
	const char *country = c->billing.country_code;
	return (c->vat_number && strncasecmp(c->vat_number, "FI", 2) == 0) || !country ||
	       strcmp(country, "FI") == 0;
}

/* ---- Severa's customer as Netvisor has it -------------------------------------------------- */

static void put_einvoice(const struct sn_settings *set, const struct customer *c, const char **v)
{
	bool has = has_einvoice(c);
	const char *known = has && is_set(c->einvoice_operator)
				    ? find_operator(set, c->einvoice_operator)
				    : NULL;
	v[NETVISOR_EINVOICE_ADDRESS] = has ? c->einvoice_address : "";
	v[NETVISOR_EINVOICE_OPERATOR] = known ? known : has ? or_empty(c->einvoice_operator) : "";
}

/* Finnish ids in the national form, others as the VAT number stands. */
static void put_business_id(const struct sn_settings *set, const struct customer *c, const char **v)
{
	bool is_person = is_private(set, c);
	v[NETVISOR_PRIVATE] = is_person ? "1" : "0";
	v[NETVISOR_BUSINESS_ID] = is_person			    ? ""
				  : c->business_id && is_finnish(c) ? c->business_id
								    : or_empty(c->vat_number);
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

static bool put_billing(struct arena *arena, const struct address *a, const char **v)
{
	v[NETVISOR_POSTCODE] = or_empty(a->postcode);
	v[NETVISOR_CITY] = or_empty(a->city);
	v[NETVISOR_COUNTRY] = or_empty(a->country_code);
	return put_street(arena, or_empty(a->street), v);
}

static void put_delivery(const struct customer *c, const char **v)
{
	const struct address *a = &c->delivery;
	bool has = is_set(a->street) || is_set(a->city);
	v[NETVISOR_DELIVERY_NAME] = has ? or_empty(c->name) : "";
	v[NETVISOR_DELIVERY_STREET] = or_empty(a->street);
	v[NETVISOR_DELIVERY_CITY] = or_empty(a->city);
	v[NETVISOR_DELIVERY_POSTCODE] = or_empty(a->postcode);
	v[NETVISOR_DELIVERY_COUNTRY] = has ? or_empty(a->country_code) : "";
}

bool sn_card_of(struct arena *arena, const struct sn_settings *set, const struct customer *c,
		struct netvisor_customer *ret)
{
	const char **v = ret->values;
	*ret = (struct netvisor_customer) { 0 };
	put_einvoice(set, c, v);
	put_business_id(set, c, v);
	put_delivery(c, v);
	v[NETVISOR_CODE] = or_empty(c->code);
	v[NETVISOR_NAME] = or_empty(c->name);
	v[NETVISOR_PHONE] = or_empty(c->phone);
	v[NETVISOR_FAX] = or_empty(c->fax);
	v[NETVISOR_EMAIL] = or_empty(c->email);
	v[NETVISOR_EMAIL_INVOICING] = set->email_channel ? or_empty(c->email) : NULL;
	v[NETVISOR_WEBSITE] = or_empty(c->website);
	v[NETVISOR_COMMENT] = or_empty(c->notes);
	v[NETVISOR_ACTIVE] = c->is_active ? "1" : "0";
	v[NETVISOR_LANGUAGE] = find_language(set, c->language);
	return put_billing(arena, &c->billing, v);
}

/* Country and language cannot be empty in Netvisor, and are Finland and Finnish when nobody says
 * more. That is our word for what Severa has emptied, and never one against what Netvisor has. */
static const char *as_written(enum netvisor_customer_field f, const char *value)
{
	bool is_needed = f == NETVISOR_COUNTRY || f == NETVISOR_LANGUAGE;
	return is_needed && !is_set(value) ? "FI" : or_empty(value);
}

void sn_fill_defaults(struct netvisor_customer *card)
{
	for (enum netvisor_customer_field f = 0; f < NETVISOR_CUSTOMER_FIELDS; f++)
		if (card->values[f])
			card->values[f] = as_written(f, card->values[f]);
}

struct netvisor_customer sn_new_card(const struct netvisor_customer *card)
{
	struct netvisor_customer ret = *card;
	sn_fill_defaults(&ret);
	for (size_t i = 0; i < NETVISOR_CUSTOMER_FIELDS; i++)
		if (!is_set(ret.values[i]))
			ret.values[i] = NULL;
	return ret;
}

/* ---- what it lacks ------------------------------------------------------------------------- */

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

static bool check_address(const struct address *a, const char *who, struct err *err)
{
	if (!is_set(a->street) || !is_set(a->postcode) || !is_set(a->city))
		return lack(err, "customer_address_missing", who);
	if (!a->country_code && is_set(a->country_name))
		return wrong(err, "country_unknown", who, a->country_name);
	return true;
}

static bool check_business_id(const struct sn_settings *set, const struct customer *c,
			      const char *who, struct err *err)
{
	if (is_private(set, c))
		return true;
	if (!is_set(c->vat_number))
		return lack(err, "business_id_missing", who);
	return c->business_id || !is_finnish(c) ||
	       wrong(err, "business_id_invalid", who, c->vat_number);
}

static bool check_operator(const struct sn_settings *set, const struct customer *c, const char *who,
			   struct err *err)
{
	if (!has_einvoice(c))
		return true;
	if (!is_set(c->einvoice_operator))
		return lack(err, "operator_missing", who);
	return find_operator(set, c->einvoice_operator) ||
	       wrong(err, "operator_unknown", who, c->einvoice_operator);
}

bool sn_customer_card(struct arena *arena, const struct sn_settings *set, const struct customer *c,
		      struct netvisor_customer *ret, struct err *err)
{
	const char *who = is_set(c->name) ? c->name : or_empty(c->code);
	if (!is_set(c->code))
		return lack(err, "customer_number_missing", who);
	if (!is_set(c->name))
		return lack(err, "customer_name_missing", who);
	if (!check_address(&c->billing, who, err) || !check_business_id(set, c, who, err) ||
	    !check_operator(set, c, who, err))
		return false;
	return sn_card_of(arena, set, c, ret) || err_set(err, ERR_LIMIT, "arena full");
}

/* ---- the same customer? -------------------------------------------------------------------- */

/* However it is written; a Finnish one in the national form. NULL: none, or arena full. */
static const char *plain_id(struct arena *arena, const char *id)
{
	const char *national = is_set(id) ? business_id_from(arena, id) : NULL;
	return national || !is_set(id) ? national : identifier_compact(arena, id);
}

bool sn_is_same_customer(struct arena *arena, const struct netvisor_customer *theirs,
			 const struct netvisor_customer *ours)
{
	const char *a = theirs->values[NETVISOR_BUSINESS_ID];
	const char *b = ours->values[NETVISOR_BUSINESS_ID];
	if (!is_set(b)) /* a private person: by name */
		return theirs->values[NETVISOR_NAME] &&
		       strcasecmp(theirs->values[NETVISOR_NAME], ours->values[NETVISOR_NAME]) == 0;
	const char *theirs_plain = plain_id(arena, a), *ours_plain = plain_id(arena, b);
	return is_set(theirs_plain) && str_eq(theirs_plain, ours_plain);
}

/* "2817345-6", a digest of the name, the name: what is asked of a match (register.h); "-" for none.
 */
const char *sn_card_note(struct arena *arena, const struct netvisor_customer *c)
{
	const char *id = plain_id(arena, c->values[NETVISOR_BUSINESS_ID]);
	const char *name = or_empty(c->values[NETVISOR_NAME]);
	unsigned char digest[SHA256_BYTES];
	char hex[2 * 8 + 1];
	char *small = arena_strdup(arena, name);
	if (!small)
		return NULL;
	for (char *p = small; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	sign_sha256(span_of(small), digest);
	sign_hex(digest, 8, hex);
	return arena_printf(arena, "%.30s %s %.*s", is_set(id) ? id : "-", hex,
			    (int)utf8_prefix(span_of(name), 60), name);
}

static struct span word(const char **rest)
{
	size_t n = strcspn(*rest, " ");
	struct span ret = { *rest, n };
	*rest += n + ((*rest)[n] == ' ');
	return ret;
}

static bool same_word(struct span a, struct span b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

bool sn_match_note(const char *own, const char *code, const struct register_match *m,
		   struct err *err)
{
	const char *a = own, *b = or_empty(m->note);
	struct span own_id = word(&a), own_name = word(&a), id = word(&b), name = word(&b);
	bool is_same = span_is(own_id, "-") ? same_word(own_name, name) : same_word(own_id, id);
	if (is_same && !m->taken_by)
		return true;
	return err_reason(err, ERR_DATA, "customer_number_taken", code,
			  "customer number %s belongs to %s%s", code, *b ? b : "another",
			  m->taken_by ? ", which is another customer" : "");
}

/* ---- what has to be written ---------------------------------------------------------------- */

static const char *last_value(const struct record_link *link, enum netvisor_customer_field f,
			      bool *ret_known)
{
	*ret_known = false;
	for (size_t i = 0; link && i < link->n_values; i++) {
		if (strcmp(link->values[i].name, netvisor_customer_field_name(f)) != 0)
			continue;
		*ret_known = true;
		return link->values[i].value;
	}
	return NULL;
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

/* Has it moved at the source since it was synchronised last? What never was counts as moved, unless
 * it is empty: then what stands in Netvisor is theirs (NV-05). */
static bool has_moved(const struct record_link *link, enum netvisor_customer_field f,
		      const char *ours)
{
	bool is_known;
	const char *last = last_value(link, f, &is_known);
	return is_known ? strcmp(or_empty(last), ours) != 0 : ours[0] != 0;
}

size_t sn_customer_changes(const struct netvisor_customer *theirs,
			   const struct netvisor_customer *ours, const struct record_link *link,
			   struct netvisor_customer *ret)
{
	size_t n = 0;
	*ret = (struct netvisor_customer) { .key = theirs->key };
	for (enum netvisor_customer_field f = 0; f < NETVISOR_CUSTOMER_FIELDS; f++) {
		const char *value = ours->values[f];
		if (!value || is_equal(f, theirs->values[f], as_written(f, value)) ||
		    !has_moved(link, f, value))
			continue;
		ret->values[f] = as_written(f, value);
		n++;
	}
	return n;
}

/* ---- fields of a link ---------------------------------------------------------------------- */

static const char *upper(struct arena *arena, const char *text)
{
	char *ret = arena_strdup(arena, text);
	for (char *p = ret; p && *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return ret;
}

/* As we would write it, so that what is so already is not taken for a difference. */
static const char *normal(struct arena *arena, enum netvisor_customer_field f, const char *text)
{
	const char *national;
	switch (f) {
	case NETVISOR_ACTIVE:
	case NETVISOR_PRIVATE:
		return is_yes(text) ? "1" : "0";
	case NETVISOR_BUSINESS_ID:
		national = business_id_from(arena, text);
		return national ? national : text;
	case NETVISOR_LANGUAGE:
	case NETVISOR_COUNTRY:
	case NETVISOR_DELIVERY_COUNTRY:
		return upper(arena, text);
	default: /* texts, as they stand */
		return text;
	}
}

bool sn_card_values(struct arena *arena, const struct netvisor_customer *c,
		    const struct link_value **ret, size_t *ret_n)
{
	struct link_value *to = arena_alloc_array(arena, NETVISOR_CUSTOMER_FIELDS, sizeof(*to));
	size_t n = 0;
	for (enum netvisor_customer_field f = 0; to && f < NETVISOR_CUSTOMER_FIELDS; f++) {
		const char *text = c->values[f];
		if (!text)
			continue;
		const char *value = text[0] ? normal(arena, f, text) : NULL;
		if (text[0] && !value)
			return false;
		to[n++] = (struct link_value) { netvisor_customer_field_name(f), value };
	}
	*ret = to;
	*ret_n = n;
	return to != NULL;
}
