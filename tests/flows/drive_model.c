/* drive_model.c: invoices and customers of the model out of a step's JSON (drive.h). Names of
 * members are the model's own. */
#include "base/base.h"
#include "drive.h"

#define TEXT(type, name, member)                                    \
	{                                                           \
		name, FIELD_ID, offsetof(struct type, member), 0, 0 \
	}
#define NUMBER(type, name, member)                                       \
	{                                                                \
		name, FIELD_DECIMAL, offsetof(struct type, member), 0, 0 \
	}

#define ADDRESS(type, at, member)                                                             \
	TEXT(type, at ".street", member.street), TEXT(type, at ".postcode", member.postcode), \
		TEXT(type, at ".city", member.city),                                          \
		TEXT(type, at ".country", member.country_code)

#define PARTY(at, member)                                             \
	TEXT(invoice, at ".name", member.name),                       \
		TEXT(invoice, at ".vat_number", member.vat_number),   \
		TEXT(invoice, at ".business_id", member.business_id), \
		TEXT(invoice, at ".email", member.contact_email),     \
		ADDRESS(invoice, at ".address", member.address)

static const struct field customer_fields[] = {
	TEXT(customer, "source_id", source_id),
	TEXT(customer, "code", code),
	TEXT(customer, "name", name),
	TEXT(customer, "vat_number", vat_number),
	TEXT(customer, "business_id", business_id),
	TEXT(customer, "email", email),
	TEXT(customer, "language", language),
	TEXT(customer, "einvoice_address", einvoice_address),
	TEXT(customer, "einvoice_operator", einvoice_operator),
	{ "is_private", FIELD_BOOL, offsetof(struct customer, is_private), 0, 0 },
	ADDRESS(customer, "billing", billing),
};

static const struct field invoice_fields[] = {
	TEXT(invoice, "source_id", source_id),
	TEXT(invoice, "number", number),
	TEXT(invoice, "reference", reference),
	TEXT(invoice, "issue_date", issue_date),
	TEXT(invoice, "due_date", due_date),
	TEXT(invoice, "currency", currency),
	TEXT(invoice, "language", language),
	TEXT(invoice, "our_reference", our_reference),
	TEXT(invoice, "your_reference", your_reference),
	TEXT(invoice, "order_number", order_number),
	TEXT(invoice, "text_before", text_before),
	TEXT(invoice, "text_after", text_after),
	TEXT(invoice, "delivery_date", delivery_date),
	TEXT(invoice, "delivery_name", delivery_name),
	TEXT(invoice, "customer_number", customer_number),
	{ "is_credit_note", FIELD_BOOL, offsetof(struct invoice, is_credit_note), 0, 0 },
	{ "payment_term_days", FIELD_INT, offsetof(struct invoice, payment_term_days), 0, 0 },
	NUMBER(invoice, "overdue_interest", overdue_interest),
	ADDRESS(invoice, "delivery", delivery),
	PARTY("seller", seller),
	PARTY("buyer", buyer),
};

static const struct field row_fields[] = {
	TEXT(invoice_row, "product_code", product_code),
	TEXT(invoice_row, "name", name),
	TEXT(invoice_row, "description", description),
	TEXT(invoice_row, "unit", unit),
	TEXT(invoice_row, "account", account),
	TEXT(invoice_row, "vat_category", vat_category),
	NUMBER(invoice_row, "quantity", quantity),
	NUMBER(invoice_row, "unit_price", unit_price),
	NUMBER(invoice_row, "discount_percent", discount_percent),
	{ "vat_rate", FIELD_DECIMAL, offsetof(struct invoice_row, vat_rate), 0,
	  offsetof(struct invoice_row, has_vat_rate) },
};

bool drive_customer(struct drive *d, struct customer *ret, struct err *err)
{
	*ret = (struct customer) { .is_active = true };
	return json_decode(json_get(d->args, "customer"), customer_fields,
			   ARRAY_SIZE(customer_fields), ret, err);
}

static bool read_rows(struct drive *d, const struct json *list, struct invoice *inv,
		      struct err *err)
{
	inv->rows = arena_alloc_array(d->arena, json_size(list) + 1, sizeof(*inv->rows));
	if (!inv->rows)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		struct invoice_row *row = &inv->rows[inv->n_rows++];
		row->position = (int64_t)inv->n_rows;
		if (!json_decode(j, row_fields, ARRAY_SIZE(row_fields), row, err))
			return false;
	}
	return true;
}

/* The totals are what the rows make: asked for once to learn them, then held against them. */
static bool sum_up(struct drive *d, struct invoice *inv, struct err *err)
{
	(void)!invoice_sum_up(inv, d->arena, NULL);
	for (size_t i = 0; i < inv->n_vat; i++)
		if (!decimal_add(inv->total_net, inv->vat[i].net, &inv->total_net) ||
		    !decimal_add(inv->total_vat, inv->vat[i].vat, &inv->total_vat))
			return err_set(err, ERR_LIMIT, "the sums are too large");
	return decimal_add(inv->total_net, inv->total_vat, &inv->total_gross) &&
	       invoice_sum_up(inv, d->arena, err);
}

bool drive_invoice(struct drive *d, struct invoice *ret, struct err *err)
{
	const struct json *j = json_get(d->args, "invoice");
	const char *iban = json_str(json_get(j, "iban"));
	*ret = (struct invoice) { .is_credit_note = false };
	if (!json_decode(j, invoice_fields, ARRAY_SIZE(invoice_fields), ret, err) ||
	    !read_rows(d, json_get(j, "rows"), ret, err))
		return false;
	ret->has_overdue_interest = decimal_sign(ret->overdue_interest) > 0;
	struct bank_account *account = arena_alloc(d->arena, sizeof(*account));
	if (!account)
		return err_set(err, ERR_LIMIT, "arena full");
	*account = (struct bank_account) { .number = iban };
	ret->accounts = account;
	ret->n_accounts = iban ? 1 : 0;
	return sum_up(d, ret, err);
}
