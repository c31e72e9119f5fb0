/*
 * map.c: Severa's JSON into the model (facts/severa.md §3.2, 3.3, 4 to 6). Pure: no clock, network
 * or configuration. Names are from the vendor's specification only.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "base/clock.h"
#include "codec/json_fields.h"

#define ROW struct invoice
static const struct field invoice_fields[] = {
	ID_NEEDED("guid", source_id),
	ID("number", number),
	ID("referenceNumber", reference),
	ID_NEEDED("status.guid", status_id),
	BOOL("isCreditNote", is_credit_note),
	DATE("date", issue_date),
	DATE("dueDate", due_date),
	DATE("entryDate", entry_date),
	BOOL("status.isPaid", is_paid),
	DATE("paymentDate", paid_date),
	INT("paymentTerm", payment_term_days),
	{ "overdueInterest", FIELD_DECIMAL, offsetof(ROW, overdue_interest), FIELD_OPTIONAL,
	  offsetof(ROW, has_overdue_interest) },
	TEXT("currency.code", currency),
	DECIMAL("currencyRate", currency_rate),
	TEXT("ourReference", our_reference),
	TEXT("yourReference", your_reference),
	TEXT("orderNumber", order_number),
	TEXT("notes", notes),
	TEXT("language.code", language),
	TEXT("senderName", seller.name),
	TEXT("senderVatNumber", seller.vat_number),
	TEXT("senderContactName", seller.contact_name),
	TEXT("senderAddress.addressline", seller.address.street),
	TEXT("senderAddress.postalCode", seller.address.postcode),
	TEXT("senderAddress.city", seller.address.city),
	TEXT("senderAddress.country", seller.address.country_name),
	TEXT("receiverCustomerName", buyer.name),
	TEXT("receiverVatNumber", buyer.vat_number),
	TEXT("receiverContactName", buyer.contact_name),
	TEXT("receiverContactEmail", buyer.contact_email),
	TEXT("receiverAddress.addressline", buyer.address.street),
	TEXT("receiverAddress.postalCode", buyer.address.postcode),
	TEXT("receiverAddress.city", buyer.address.city),
	TEXT("receiverAddress.country", buyer.address.country_name),
	ID("customer.guid", customer_id),
	ID("customer.number", customer_number),
	ID("billingCustomer.guid", billing_customer_id),
	DECIMAL("totalExcludingTax.amount", total_net),
	DECIMAL("totalTax.amount", total_vat),
	DECIMAL("totalIncludingTax.amount", total_gross),
};
#undef ROW

#define ROW struct invoice_row
static const struct field row_fields[] = {
	ID_NEEDED("guid", source_id),
	INT("sortOrder", position),
	TEXT("lastUpdatedDateTime", changed),
	TEXT("description", description),
	DECIMAL("quantity", quantity),
	DECIMAL("unitPrice.amount", unit_price),
	TEXT("measurementUnit", unit),
	{ "vatRate", FIELD_DECIMAL, offsetof(ROW, vat_rate), FIELD_OPTIONAL,
	  offsetof(ROW, has_vat_rate) },
	ID("salesAccount.number", account),
};
#undef ROW

#define ROW struct customer
static const struct field customer_fields[] = {
	ID_NEEDED("guid", source_id),
	ID("number", code),
	TEXT("name", name),
	TEXT("vatNumber", vat_number),
	BOOL("isActive", is_active),
	TEXT("email", email),
	TEXT("website", website),
	TEXT("notes", notes),
	TEXT("eInvoiceAddress", einvoice_address),
	TEXT("eInvoiceOperator", einvoice_operator),
	TEXT("language.code", language),
	TEXT("headquarterAddress.addressline", billing.street),
	TEXT("headquarterAddress.postalCode", billing.postcode),
	TEXT("headquarterAddress.city", billing.city),
	TEXT("headquarterAddress.country", billing.country_name),
	TEXT("createdDateTime", changed),
	TEXT("lastUpdatedDateTime", changed), /* null until it was changed */
};
#undef ROW

#define ROW struct severa_status
static const struct field status_fields[] = {
	ID_NEEDED("guid", id),	     TEXT("name", name),
	BOOL("isActive", is_active), BOOL("hasInvoiceNumber", has_number),
	BOOL("isSent", is_sent),
};
#undef ROW

/* Products, work types and travel-expense types: what one lacks is absent. */
#define ROW struct product
static const struct field product_fields[] = {
	ID_NEEDED("guid", source_id),
	ID("code", code),
	TEXT("name", name),
	BOOL("isActive", is_active),
	TEXT("measurementUnit", unit),
	DECIMAL("unitPrice.amount", unit_price),
	DECIMAL("unitCost.amount", unit_cost),
	DECIMAL("hourCost.amount", unit_cost),
	DECIMAL("vatRate", vat_rate),
	TEXT("createdDateTime", changed),
	TEXT("lastUpdatedDateTime", changed), /* null until then */
};
#undef ROW

#define ROW struct severa_project
static const struct field project_fields[] = {
	ID_NEEDED("guid", id),
	TEXT("name", name),
	ID("number", number),
	ID("businessUnit.guid", unit_id),
	TEXT("businessUnit.name", unit_name),
	ID("businessUnit.code", unit_code),
	TEXT("createdDateTime", changed),
	TEXT("lastUpdatedDateTime", changed), /* null until then */
};
#undef ROW

#define ROW struct severa_unit
static const struct field unit_fields[] = {
	ID_NEEDED("guid", id),
	TEXT("name", name),
	ID("code", code),
	ID("parentGuid", parent_id),
	TEXT("vatNumber", vat_number),
	ID("companyGuid", company_id),
	TEXT("companyName", company_name),
	BOOL("isActive", is_active),
	TEXT("createdDateTime", changed),
	TEXT("lastUpdatedDateTime", changed),
};
#undef ROW

#define ROW struct severa_vat_rate
static const struct field vat_rate_fields[] = {
	ID_NEEDED("guid", id),	       ID("code", code),
	ID("countryGuid", country_id), DECIMAL("percentage", percentage),
	BOOL("isDefault", is_default), BOOL("isActive", is_active),
};
#undef ROW

#define ROW struct severa_language
static const struct field language_fields[] = {
	ID_NEEDED("guid", id),
	TEXT("name", name),
	TEXT("englishName", english_name),
	TEXT("code", code),
	BOOL("isInvoiceLanguage", is_invoice_language),
};
#undef ROW

#define ROW struct severa_account
static const struct field account_fields[] = {
	ID_NEEDED("guid", id),		ID("accountNumber", account.number),
	TEXT("bic", account.bic),	TEXT("accountNumberFormat", format),
	ID("company.guid", company_id), ID("businessUnit.guid", unit_id),
	BOOL("isActive", is_active),
};
#undef ROW

#define ROW struct severa_currency
static const struct field currency_fields[] = {
	ID_NEEDED("guid", id),
	TEXT("code", code),
	BOOL("isOrganizationCurrency", is_own),
};
#undef ROW

#define ROW struct severa_phase
static const struct field phase_fields[] = {
	ID_NEEDED("guid", id),
	TEXT("name", name),
	ID("code", code),
	ID("project.guid", project_id),
	ID("parentPhase.guid", parent_id),
	TEXT("project.name", project_name),
	ID("project.number", project_number),
	BOOL("isCompleted", is_completed),
	TEXT("createdDateTime", changed),
	TEXT("lastUpdatedDateTime", changed),
};
#undef ROW

#define ROW struct severa_user
/* No more of a person than this: other members are none of ours (§6). */
static const struct field user_fields[] = {
	ID_NEEDED("guid", id),
	TEXT("firstName", first_name),
	TEXT("lastName", last_name),
	TEXT("email", email),
	ID("code", code),
	BOOL("isActive", is_active),
};
#undef ROW

#define ROW struct severa_contact
static const struct field contact_fields[] = {
	ID_NEEDED("guid", id),	       TEXT("name", name),	    TEXT("jobTitle", job_title),
	ID("addressGuid", address_id), BOOL("isActive", is_active),
};
#undef ROW

/*
 * By the table. A value of another type than the vendor's specification has is their fault or ours,
 * and nothing that a person can mend in the document; a number that we cannot hold exactly is.
 */
static bool decode(const struct json *j, const struct field *fields, size_t n, void *into,
		   struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (json_decode(j, &fields[i], 1, into, err))
			continue;
		bool is_too_long = fields[i].type == FIELD_DECIMAL &&
				   json_type(json_at(j, fields[i].path)) == JSON_NUMBER;
		if (is_too_long)
			return err_reason(err, ERR_DATA, "amount_too_large", fields[i].path,
					  "%s has too many digits", fields[i].path);
		if (err) {
			err->code = ERR_SYSTEM;
			err->reason = "answer_unreadable";
			snprintf(err->subject, sizeof(err->subject), "%.150s", fields[i].path);
		}
		return false;
	}
	return true;
}

static const char *free_text(const struct json *j)
{
	static const char *const names[] = { "plainText", "text", "value" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = json_str(json_get(j, names[i]));
		if (text && text[0])
			return text;
	}
	return NULL;
}

/* What it credits: which of the two links that is, is a guess (assumptions.c). */
static void map_credited(const struct json *j, struct invoice *ret)
{
	const struct json *link = json_get(j, severa_credited_link);
	if (!ret->is_credit_note)
		return;
	ret->preceding_number = json_text(json_get(link, "number"));
	ret->preceding_id = json_text(json_get(link, "guid"));
}

/* The VAT in the one other currency that Severa states it in (facts §2.1); several say nothing. */
static void map_vat_accounting(const struct json *j, struct invoice *ret)
{
	const struct json *list = json_at(j, "totalTax.multiCurrencyInfo");
	for (const struct json *m = json_first(list); m; m = json_next(m)) {
		const char *code = json_str(json_get(m, "currencyCode"));
		struct decimal amount;
		if (!code || str_eq(code, ret->currency) ||
		    !json_decimal(json_get(m, "amount"), &amount))
			continue;
		if (ret->has_vat_accounting && (!str_eq(code, ret->accounting_currency) ||
						!decimal_eq(amount, ret->total_vat_accounting))) {
			ret->has_vat_accounting = false;
			ret->accounting_currency = NULL;
			return;
		}
		ret->has_vat_accounting = true;
		ret->accounting_currency = code;
		ret->total_vat_accounting = amount;
	}
}

static bool map_projects(struct arena *arena, const struct json *j, struct invoice *ret,
			 struct err *err)
{
	const struct json *list = json_get(j, "projects");
	const char **ids = arena_alloc_array(arena, json_size(list) + 1, sizeof(*ids));
	if (!ids)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *p = json_first(list); p; p = json_next(p)) {
		const char *id = json_text(json_get(p, "guid"));
		if (id)
			ids[ret->n_projects++] = id;
	}
	ret->project_ids = ids;
	return true;
}

bool severa_map_invoice(struct arena *arena, const struct json *j, struct invoice *ret,
			struct err *err)
{
	*ret = (struct invoice) { 0 };
	if (!decode(j, invoice_fields, ARRAY_SIZE(invoice_fields), ret, err))
		return err_wrap(err, "Severa invoice");
	ret->text_before = free_text(json_get(j, "freeText1"));
	ret->text_after = free_text(json_get(j, "freeText2"));
	ret->changed = json_str(json_get(j, "lastUpdatedDateTime"));
	const char *created = json_str(json_get(j, "createdDateTime"));
	if (!created || !clock_parse_rfc3339(span_of(created), &ret->created_ms))
		ret->created_ms = 0; /* counts as old, so the target is asked first */
	if (!ret->changed)
		ret->changed = created;
	if (ret->changed && !clock_parse_rfc3339(span_of(ret->changed), &ret->changed_ms))
		ret->changed_ms = 0;
	ret->buyer.business_id = business_id_from(arena, ret->buyer.vat_number);
	ret->seller.business_id = business_id_from(arena, ret->seller.vat_number);
	map_credited(j, ret);
	map_vat_accounting(j, ret);
	return map_projects(arena, j, ret, err);
}

bool severa_map_listed(struct arena *arena, const struct json *j, struct invoice *ret,
		       struct err *err)
{
	struct err why = ERR_INIT;
	if (severa_map_invoice(arena, j, ret, &why))
		return true;
	const char *guid = json_str(json_get(j, "guid"));
	if (!guid || !guid[0] || why.code == ERR_LIMIT || why.code == ERR_MEMORY) {
		if (err)
			*err = why;
		return false;
	}
	*ret = (struct invoice) { .source_id = guid,
				  .number = json_text(json_get(j, "number")),
				  .status_id = json_str(json_at(j, "status.guid")),
				  .changed = json_str(json_get(j, "lastUpdatedDateTime")) };
	ret->seller.vat_number = json_str(json_get(j, "senderVatNumber"));
	ret->seller.business_id = business_id_from(arena, ret->seller.vat_number);
	return true;
}

static bool map_codes(struct arena *arena, const struct json *list, struct invoice_row *ret,
		      struct err *err)
{
	const char **codes = arena_alloc_array(arena, json_size(list) + 1, sizeof(*codes));
	if (!codes)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *c = json_first(list); c; c = json_next(c)) {
		const char *code = json_text(c);
		if (code && code[0])
			codes[ret->n_codes++] = code;
	}
	ret->codes = codes;
	return true;
}

bool severa_map_row(struct arena *arena, const struct json *j, struct invoice_row *ret,
		    struct err *err)
{
	*ret = (struct invoice_row) { 0 };
	if (!decode(j, row_fields, ARRAY_SIZE(row_fields), ret, err))
		return err_wrap(err, "Severa invoice row");
	const char *text = ret->description ? ret->description : "";
	ret->name = arena_memdup(arena, text, strcspn(text, "\r\n"));
	if (!ret->name)
		return err_set(err, ERR_LIMIT, "arena full");
	return map_codes(arena, json_get(j, "code"), ret, err);
}

bool severa_map(const struct severa_shape *shape, const struct json *j, void *ret, struct err *err)
{
	memcpy(ret, shape->preset, shape->size);
	return decode(j, shape->fields, shape->n_fields, ret, err) ||
	       err_wrap(err, "Severa %s", shape->what);
}

bool severa_map_all(struct arena *arena, const struct severa_shape *shape,
		    const struct severa_rows *rows, void *ret_items, struct err *err)
{
	char *items = arena_alloc_array(arena, rows->n + 1, shape->size);
	if (!items)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < rows->n; i++)
		if (!severa_map(shape, rows->items[i], items + i * shape->size, err))
			return false;
	memcpy(ret_items, &items, sizeof(items));
	return true;
}

#define SHAPE(words, type, table, ...)                                             \
	{                                                                          \
		.what = (words), .fields = (table), .n_fields = ARRAY_SIZE(table), \
		.size = sizeof(type), .preset = &(const type)                      \
		{                                                                  \
			__VA_ARGS__                                                \
		}                                                                  \
	}

const struct severa_shape severa_customer_shape = SHAPE("customer", struct customer,
							customer_fields, .is_active = true);
const struct severa_shape severa_status_shape = SHAPE("invoice status", struct severa_status,
						      status_fields, .is_active = true);
const struct severa_shape severa_project_shape = SHAPE("project", struct severa_project,
						       project_fields, 0);
const struct severa_shape severa_unit_shape = SHAPE("business unit", struct severa_unit,
						    unit_fields, .is_active = true);
const struct severa_shape severa_vat_rate_shape = SHAPE("VAT rate", struct severa_vat_rate,
							vat_rate_fields, .is_active = true);
const struct severa_shape severa_language_shape = SHAPE("language", struct severa_language,
							language_fields, 0);
const struct severa_shape severa_phase_shape = SHAPE("phase", struct severa_phase, phase_fields, 0);
const struct severa_shape severa_account_shape = SHAPE("bank account", struct severa_account,
						       account_fields, .is_active = true);
const struct severa_shape severa_currency_shape = SHAPE("currency", struct severa_currency,
							currency_fields, 0);
const struct severa_shape severa_contact_shape = SHAPE("contact person", struct severa_contact,
						       contact_fields, .is_active = true);

const struct severa_shape severa_user_shape = SHAPE("user", struct severa_user, user_fields,
						    .is_active = true);

/* Their register is known by the shape alone. */
const struct severa_shape severa_product_shapes[SEVERA_PRODUCT_REGISTERS] = {
	[SEVERA_PRODUCT] = SHAPE("product", struct product, product_fields, .is_active = true,
				 .register_name = "product"),
	[SEVERA_WORK_TYPE] = SHAPE("work type", struct product, product_fields, .is_active = true,
				   .register_name = "work type"),
	[SEVERA_TRAVEL_TYPE] = SHAPE("travel expense type", struct product, product_fields,
				     .is_active = true, .register_name = "travel expense type"),
};
