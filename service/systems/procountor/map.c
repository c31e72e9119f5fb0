/*
 * map.c: Procountor's JSON to our structs (facts/procountor.md §5 to 8). Pure. Members that nobody
 * knows are passed over; any may be null or missing, and some numbers were integers once: only an
 * id is insisted on.
 */
#include "base/base.h"
#include "procountor_internal.h"

/* NULL for a text that is absent or empty: the vendor sends both. */
static const char *text_at(const struct json *j, const char *path)
{
	const char *text = json_text(json_at(j, path));
	return text && text[0] ? text : NULL;
}

static const char *text_or_blank(const struct json *j, const char *path)
{
	const char *text = text_at(j, path);
	return text ? text : "";
}

static bool flag_at(const struct json *j, const char *path, bool fallback)
{
	bool value;
	return json_bool(json_at(j, path), &value) ? value : fallback;
}

static bool need_id(const struct json *j, const char *what, const char **ret, struct err *err)
{
	*ret = text_at(j, "id");
	return *ret ? true
		    : err_set(err, ERR_SYSTEM, "Procountor tells of a %s without an id", what);
}

/* ---- partners ------------------------------------------------------------------------------ */

static void read_place(const struct json *j, struct procountor_place *ret)
{
	const char *country = text_at(j, "country");
	*ret = (struct procountor_place) {
		.name = text_at(j, "name"),
		.specifier = text_at(j, "specifier"),
		.at = { .street = text_at(j, "street"),
			.postcode = text_at(j, "zip"),
			.city = text_at(j, "city"),
			.country_name = country,
			.country_code = procountor_country_code(country),
			.region = text_at(j, "subdivision") },
	};
}

bool procountor_has_place(const struct procountor_place *place)
{
	return place->at.street || place->at.postcode || place->at.city;
}

bool procountor_read_partner(const struct json *j, struct procountor_partner *ret, struct err *err)
{
	const struct json *contact = json_first(json_get(j, "contactPersons"));
	*ret = (struct procountor_partner) {
		.version = text_at(j, "version"),
		.name = text_at(j, "name"),
		.type = text_at(j, "type"),
		.customer_number = text_at(j, "invoicingInfo.customerNumber"),
		.business_id = text_at(j, "invoicingInfo.identifier"),
		.identifier_type = text_at(j, "invoicingInfo.identifierType"),
		.is_active = flag_at(j, "registryInfo.active", true),
		.email = text_at(j, "invoicingInfo.email"),
		.phone = text_at(j, "registryInfo.phone"),
		.language = procountor_language_code(text_at(j, "invoicingInfo.language")),
		.channel = text_at(j, "invoicingInfo.invoiceChannel"),
		.einvoice_address = text_at(j, "invoicingInfo.einvoiceAddress"),
		.einvoice_operator = text_at(j, "invoicingInfo.einvoiceOperator"),
		.payment_method = text_at(j, "paymentInfo.paymentMethod"),
		.currency = text_at(j, "paymentInfo.currency"),
		.payment_term_days = text_at(j, "paymentInfo.paymentTermDays"),
		.contact_name = text_at(contact, "name"),
		.contact_email = text_at(contact, "email"),
		.contact_phone = text_at(contact, "phone"),
	};
	read_place(json_get(j, "address"), &ret->address);
	read_place(json_get(j, "billingAddress"), &ret->billing);
	read_place(json_get(j, "deliveryAddress"), &ret->delivery);
	return need_id(j, "partner", &ret->id, err);
}

/* ---- products ------------------------------------------------------------------------------ */

bool procountor_read_product(const struct json *j, struct procountor_product *ret, struct err *err)
{
	*ret = (struct procountor_product) {
		.version = text_at(j, "version"),
		.code = text_at(j, "code"),
		.name = text_at(j, "name"),
		.unit = text_at(j, "unit"),
		.currency = text_at(j, "currency"),
		.is_active = flag_at(j, "active", true),
	};
	if (!json_decimal(json_get(j, "price"), &ret->price))
		ret->price = DECIMAL_ZERO;
	ret->has_vat = json_decimal(json_get(j, "vat"), &ret->vat);
	return need_id(j, "product", &ret->id, err);
}

/* ---- invoices ------------------------------------------------------------------------------ */

/* In the invoice's currency; the same sums may stand there in the company's too (§6.2). */
static void read_sums(const struct json *j, struct procountor_invoice *in)
{
	const struct json *sums = json_first(json_get(j, "invoiceSumInfo"));
	while (sums && in->currency && !str_eq(text_at(sums, "currency"), in->currency))
		sums = json_next(sums);
	in->has_sum = json_decimal(json_get(sums, "excludingVatTotal"), &in->net) &&
		      json_decimal(json_get(sums, "vatSumTotal"), &in->vat) &&
		      json_decimal(json_get(sums, "invoiceSumTotal"), &in->gross);
}

static bool read_attachments(struct arena *arena, const struct json *j,
			     struct procountor_invoice *in, struct err *err)
{
	const struct json *list = json_get(j, "attachments");
	const char **names = arena_alloc_array(arena, json_size(list) + 1, sizeof(*names));
	if (!names)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *a = json_first(list); a; a = json_next(a))
		names[in->n_attachments++] = text_or_blank(a, "name");
	in->attachments = names;
	return true;
}

bool procountor_read_invoice(struct arena *arena, const struct json *j,
			     struct procountor_invoice *ret, struct err *err)
{
	*ret = (struct procountor_invoice) {
		.number = text_at(j, "invoiceNumber"),
		.original_number = text_at(j, "originalInvoiceNumber"),
		.ledger_receipt_id = text_at(j, "ledgerReceiptId"),
		.version = text_at(j, "version"),
		.type = text_at(j, "type"),
		.status = text_at(j, "status"),
		.partner_id = text_at(j, "partnerId"),
		.customer_number = text_at(j, "counterParty.customerNumber"),
		.date = text_at(j, "date"),
		.due_date = text_at(j, "paymentInfo.dueDate"),
		.currency = text_at(j, "paymentInfo.currency"),
		.reference = text_at(j, "paymentInfo.bankReferenceCode"),
		.order_reference = text_at(j, "orderReference"),
	};
	read_sums(j, ret);
	return need_id(j, "invoice", &ret->id, err) && read_attachments(arena, j, ret, err);
}

/* ---- the company --------------------------------------------------------------------------- */

/* The session tells who and where without any right; what the company's own card has more of needs
 * one. */
void procountor_read_current(const struct json *session, const struct json *company,
			     struct procountor_current *ret)
{
	const char *country = procountor_country_code(text_at(session, "country"));
	*ret = (struct procountor_current) {
		.company_id = text_or_blank(session, "companyId"),
		.company_name = text_or_blank(session, "name"),
		.country = country ? country : "",
		.user_id = text_or_blank(session, "userId"),
		.user_name = text_or_blank(session, "userName"),
		.business_id = text_or_blank(company, "businessIdentifier.code"),
		.currency = text_or_blank(company, "companyCurrency"),
		.operation = text_or_blank(company, "operationType"),
		.role = "",
		.missing_rights = "",
	};
}
