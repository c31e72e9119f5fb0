/*
 * contact.c: a customer as a contact at Talenom (facts/talenom.md §2.1, 3). Pure. What is left out
 * stays as it is there, what is null is emptied: an e-invoice address is removed by saying so,
 * never by silence (TA-05).
 */
#include "base/base.h"
#include "talenom_internal.h"

#define CARD_MAX ((size_t)64 << 10)

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* No address leaves what stands there; one without an operator has none there, either. */
static void map_einvoice(const struct customer *c, enum talenom_einvoice einvoice,
			 struct talenom_contact *ret)
{
	if (einvoice == TALENOM_EINVOICE_REMOVE) {
		ret->values[TALENOM_EINVOICE_ADDRESS] = "";
		ret->values[TALENOM_EINVOICE_OPERATOR] = "";
		ret->values[TALENOM_AUTOMATIC_EINVOICING] = "false";
	} else if (einvoice == TALENOM_EINVOICE_SET && c->einvoice_address &&
		   c->einvoice_address[0]) {
		ret->values[TALENOM_EINVOICE_ADDRESS] = c->einvoice_address;
		ret->values[TALENOM_EINVOICE_OPERATOR] = or_empty(c->einvoice_operator);
	}
}

bool talenom_map_contact(const struct talenom *tn, const struct customer *c, const char *currency,
			 enum talenom_einvoice einvoice, struct talenom_contact *ret,
			 struct err *err)
{
	if (!c->name || !c->name[0])
		return err_reason(err, ERR_DATA, "customer_name_missing", c->code,
				  "the customer has no name");
	*ret = (struct talenom_contact) {
		.values = {
			[TALENOM_EXTERNAL_ID] = c->source_id,
			[TALENOM_TYPE] = c->is_private ? "Consumer" : "Business",
			[TALENOM_NUMBER] = or_empty(c->code),
			[TALENOM_NAME] = c->name,
			[TALENOM_BUSINESS_ID] = or_empty(c->business_id),
			[TALENOM_VAT_ID] = or_empty(c->vat_number),
			[TALENOM_EMAIL] = or_empty(c->email),
			[TALENOM_CURRENCY] = currency,
			[TALENOM_LANGUAGE] = talenom_language(c->language),
			[TALENOM_RECEIVABLE_ACCOUNT] = tn->receivable_account,
			[TALENOM_STREET] = or_empty(c->billing.street),
			[TALENOM_POSTCODE] = or_empty(c->billing.postcode),
			[TALENOM_CITY] = or_empty(c->billing.city),
			[TALENOM_COUNTRY] = or_empty(c->billing.country_code),
		},
	};
	map_einvoice(c, einvoice, ret);
	return true;
}

bool talenom_is_same_contact(const struct talenom_contact *theirs,
			     const struct talenom_contact *ours)
{
	for (size_t i = 0; i < TALENOM_CONTACT_FIELDS; i++)
		if (ours->values[i] && !str_eq(or_empty(theirs->values[i]), ours->values[i]))
			return false;
	return true;
}

static const char *name_of(const struct talenom_options *opt, const struct talenom_member *m)
{
	return m->name ? m->name : opt->external_id;
}

/* "" is null. */
static void write_members(struct json_writer *w, const struct talenom_options *opt,
			  const struct talenom_contact *c, const char *block)
{
	for (size_t i = 0; i < TALENOM_CONTACT_FIELDS; i++) {
		const struct talenom_member *m = &talenom_contact_members[i];
		const char *value = c->values[i];
		if (!value || !str_eq(m->block, block))
			continue;
		jsonw_key(w, name_of(opt, m));
		if (m->is_bool)
			jsonw_bool(w, strcmp(value, "true") == 0);
		else
			jsonw_str(w, value[0] ? value : NULL);
	}
}

bool talenom_write_contact(const struct talenom *tn, const struct talenom_contact *c,
			   struct span *ret, struct err *err)
{
	static const char address[] = "invoicingAddress";
	struct strbuf sb = STRBUF_INIT(tn->at->arena, CARD_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	if (c->id) {
		jsonw_kstr(&w, "id", c->id);
		jsonw_kstr(&w, "rowVersion", c->row_version);
	}
	jsonw_key(&w, "organizationNumber");
	jsonw_raw(&w, span_of(tn->organization));
	write_members(&w, tn->opt, c, NULL);
	jsonw_key(&w, address);
	jsonw_object(&w);
	write_members(&w, tn->opt, c, address);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	return talenom_finish(&sb, ret, err);
}

bool talenom_read_contact(const struct talenom_options *opt, const struct json *j,
			  struct talenom_contact *ret, struct err *err)
{
	*ret = (struct talenom_contact) { .id = talenom_text(j, "id"),
					  .row_version = talenom_text(j, "rowVersion") };
	for (size_t i = 0; i < TALENOM_CONTACT_FIELDS; i++) {
		const struct talenom_member *m = &talenom_contact_members[i];
		const struct json *value = json_get(m->block ? json_get(j, m->block) : j,
						    name_of(opt, m));
		bool is_on;
		if (m->is_bool)
			ret->values[i] = json_bool(value, &is_on) ? is_on ? "true" : "false" : NULL;
		else
			ret->values[i] = json_text(value);
	}
	return ret->id[0] ? true : err_set(err, ERR_SYSTEM, "Talenom names no id of a contact");
}
