/*
 * map.c: Maestro's JSON to our structs and back, and the invoice as Finvoice (facts/maestro.md §3).
 * Pure. Members that nobody knows are passed over.
 */
#include "base/base.h"
#include "maestro_internal.h"

#include "formats/finvoice.h"

#define CARD_MAX ((size_t)64 << 10)

static const char *text_or_empty(const struct json *j, const char *name)
{
	const char *text = json_text(json_get(j, name));
	return text ? text : "";
}

/* ---- products ------------------------------------------------------------------------------ */

bool maestro_read_product(const struct json *j, struct maestro_product *ret, struct err *err)
{
	*ret = (struct maestro_product) { .code = text_or_empty(j, "code"),
					  .name = text_or_empty(j, "name"),
					  .unit = text_or_empty(j, "unit") };
	if (!ret->code[0])
		return err_set(err, ERR_SYSTEM, "Maestro lists a product without a code");
	/* One that does not say is in use: only a plain no takes it out. */
	if (!json_bool(json_get(j, "active"), &ret->is_active))
		ret->is_active = true;
	return true;
}

/* ---- customers ----------------------------------------------------------------------------- */

static const char *or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

bool maestro_map_customer(struct arena *arena, const struct customer *c, const char *currency,
			  int64_t term_days, struct maestro_customer *ret, struct err *err)
{
	const char *who = or_null(c->code) ? c->code : c->name;
	if (!or_null(c->name))
		return err_reason(err, ERR_DATA, "customer_name_missing", who,
				  "the customer has no name");
	if (!or_null(c->code))
		return err_reason(err, ERR_DATA, "customer_number_missing", who,
				  "customer %s has no number", who);
	const char *days = term_days >= 0 ? arena_printf(arena, "%" PRId64, term_days) : NULL;
	if (term_days >= 0 && !days)
		return err_set(err, ERR_LIMIT, "arena full");
	const char *const values[MAESTRO_CUSTOMER_FIELDS] = {
		[MAESTRO_EXTERNAL_ID] = c->source_id,
		[MAESTRO_NUMBER] = c->code,
		[MAESTRO_NAME] = c->name,
		[MAESTRO_BUSINESS_ID] = c->business_id,
		[MAESTRO_VAT_ID] = c->vat_number,
		[MAESTRO_LANGUAGE] = c->language,
		[MAESTRO_CURRENCY] = currency,
		[MAESTRO_TERM_DAYS] = days,
		[MAESTRO_STREET] = c->billing.street,
		[MAESTRO_POSTCODE] = c->billing.postcode,
		[MAESTRO_CITY] = c->billing.city,
		[MAESTRO_COUNTRY] = c->billing.country_code,
		[MAESTRO_EINVOICE_ADDRESS] = c->einvoice_address,
		[MAESTRO_EINVOICE_OPERATOR] = c->einvoice_operator,
		[MAESTRO_EMAIL] = c->email,
	};
	for (size_t i = 0; i < MAESTRO_CUSTOMER_FIELDS; i++)
		ret->values[i] = or_null(values[i]);
	return true;
}

const char *maestro_customer_field_name(enum maestro_customer_field f)
{
	return maestro_customer_members[f].name;
}

bool maestro_is_same_customer(const struct maestro_customer *a, const struct maestro_customer *b)
{
	for (size_t i = 0; i < MAESTRO_CUSTOMER_FIELDS; i++)
		if (!str_eq(or_null(a->values[i]), or_null(b->values[i])))
			return false;
	return true;
}

static bool has_block(const struct maestro_customer *c, const char *block)
{
	for (size_t i = 0; i < MAESTRO_CUSTOMER_FIELDS; i++)
		if (str_eq(maestro_customer_members[i].block, block) && c->values[i])
			return true;
	return false;
}

/* What is not there is told as null: leaving it out would not take it away. A block without
 * anything in it is null as a whole. */
static void write_block(struct json_writer *w, const struct maestro_customer *c, const char *block)
{
	for (size_t i = 0; i < MAESTRO_CUSTOMER_FIELDS; i++) {
		const struct maestro_member *m = &maestro_customer_members[i];
		if (!str_eq(m->block, block))
			continue;
		jsonw_key(w, m->name);
		if (m->is_number && c->values[i])
			jsonw_raw(w, span_of(c->values[i]));
		else
			jsonw_str(w, c->values[i]);
	}
}

bool maestro_write_customer(struct arena *arena, const struct maestro_customer *c, struct span *ret,
			    struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, CARD_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *last = NULL, *text;
	jsonw_object(&w);
	write_block(&w, c, NULL);
	for (size_t i = 0; i < MAESTRO_CUSTOMER_FIELDS; i++) {
		const char *block = maestro_customer_members[i].block;
		if (!block || str_eq(block, last))
			continue;
		last = block;
		jsonw_key(&w, block);
		if (!has_block(c, block)) {
			jsonw_null(&w);
			continue;
		}
		jsonw_object(&w);
		write_block(&w, c, block);
		jsonw_end_object(&w);
	}
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

void maestro_read_customer(const struct json *j, struct maestro_customer *ret)
{
	for (size_t i = 0; i < MAESTRO_CUSTOMER_FIELDS; i++) {
		const struct maestro_member *m = &maestro_customer_members[i];
		const struct json *in = m->block ? json_get(j, m->block) : j;
		const struct json *value = json_get(in, m->name);
		ret->values[i] = or_null(m->is_number ? json_number_text(value) : json_text(value));
	}
}

/* ---- invoices ------------------------------------------------------------------------------ */

bool maestro_map_invoice(struct arena *arena, const struct invoice *inv, bool is_utf8,
			 struct span *ret, struct err *err)
{
	/* No routing: it goes to the seller's own books, not to the buyer. */
	const struct finvoice_options plain = { .is_utf8 = is_utf8 };
	return finvoice_write(inv, &plain, arena, ret, err);
}

bool maestro_read_created(struct arena *arena, const struct json *j, struct maestro_created *ret,
			  struct err *err)
{
	const struct json *list = json_get(j, "warnings");
	struct maestro_warning *warnings = arena_alloc_array(arena, json_size(list) + 1,
							     sizeof(*warnings));
	if (!warnings)
		return err_set(err, ERR_LIMIT, "arena full");
	*ret = (struct maestro_created) {
		.id = text_or_empty(j, maestro_invoice_members.id),
		.number = text_or_empty(j, maestro_invoice_members.number),
		.warnings = warnings,
	};
	for (const struct json *one = json_first(list); one; one = json_next(one)) {
		struct maestro_warning *into = &warnings[ret->n_warnings++];
		into->code = text_or_empty(one, "code");
		into->requested_code = text_or_empty(one, "requestedCode");
		if (!json_int64(json_get(one, "position"), &into->position))
			into->position = 0;
	}
	return ret->id[0] ? true : err_set(err, ERR_SYSTEM, "Maestro does not name the invoice");
}

bool maestro_read_listed(const struct json *j, struct maestro_listed *ret, struct err *err)
{
	const struct maestro_invoice_members *m = &maestro_invoice_members;
	*ret = (struct maestro_listed) {
		.id = text_or_empty(j, m->id),
		.number = text_or_empty(j, m->number),
		.date = text_or_empty(j, m->date),
		.currency = text_or_empty(j, m->currency),
		.customer_number = text_or_empty(j, m->customer_number),
		.reference = text_or_empty(j, m->reference),
		.key = text_or_empty(j, m->key),
	};
	if (!ret->id[0] || !ret->number[0] ||
	    !decimal_parse(span_of(text_or_empty(j, m->sum)), &ret->sum))
		return err_set(err, ERR_SYSTEM,
			       "Maestro tells of an invoice without id, number or sum");
	return true;
}
