/*
 * peppol.c: lays a prepared invoice out as UBL 2.1 in the order that the schema checks
 * (facts/einvoice-formats.md §2.1). Declared in formats/peppol.h.
 *
 * Guarantees documents that pass the CEN and Peppol rules as far as the invoice's own data do.
 * Checks nothing that einvoice.c has checked.
 */
#include "base/base.h"
#include "formats/peppol.h"

#include "codec/sign.h"
#include "codec/xml.h"
#include "einvoice.h"
#include "formats/unit.h"

#define DOCUMENT_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define ATTACHMENT_MAX_BYTES ((size_t)10 * 1024 * 1024) /* facts/maventa.md §5.2 */
#define DISCOUNT_CODE "95" /* UNTDID 5189: discount */

struct ubl {
	struct xml_writer w;
	const struct einvoice *e;
	const struct peppol_options *opt;
	struct scheme_id from, to;
};

/* ---- elements ------------------------------------------------------------------------------ */

/* Nothing when the text is absent: empty elements are forbidden (R008). */
static void text(struct ubl *u, const char *name, const char *value)
{
	if (value && value[0])
		xmlw_element(&u->w, name, value);
}

static void with_attr(struct ubl *u, const char *name, const char *attr, const char *attr_value,
		      const char *value)
{
	if (!value || !value[0])
		return;
	xmlw_open(&u->w, name);
	if (attr_value)
		xmlw_attr(&u->w, attr, attr_value);
	xmlw_text(&u->w, value);
	xmlw_close(&u->w);
}

static void number(struct ubl *u, const char *name, struct decimal d)
{
	char buf[DECIMAL_TEXT_MAX];
	text(u, name, decimal_format(d, 0, '.', buf));
}

static void amount_in(struct ubl *u, const char *name, const char *currency, struct decimal d)
{
	char buf[DECIMAL_TEXT_MAX];
	with_attr(u, name, "currencyID", currency, decimal_format(d, 2, '.', buf));
}

static void amount(struct ubl *u, const char *name, struct decimal d)
{
	amount_in(u, name, u->e->inv->currency, d);
}

static void quantity(struct ubl *u, const char *name, const char *unit, struct decimal d)
{
	char buf[DECIMAL_TEXT_MAX];
	with_attr(u, name, "unitCode", unit, decimal_format(d, 0, '.', buf));
}

/* <outer><cbc:ID>value</cbc:ID></outer> */
static void reference(struct ubl *u, const char *outer, const char *value)
{
	if (!value)
		return;
	xmlw_open(&u->w, outer);
	text(u, "cbc:ID", value);
	xmlw_close(&u->w);
}

/* ---- head ---------------------------------------------------------------------------------- */

static void head(struct ubl *u)
{
	const struct einvoice *e = u->e;
	const struct invoice *inv = e->inv;
	text(u, "cbc:CustomizationID",
	     "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0");
	text(u, "cbc:ProfileID", "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0");
	text(u, "cbc:ID", e->number);
	text(u, "cbc:IssueDate", inv->issue_date);
	if (!inv->is_credit_note)
		text(u, "cbc:DueDate", inv->due_date);
	if (inv->is_credit_note)
		text(u, "cbc:CreditNoteTypeCode", "381");
	else
		text(u, "cbc:InvoiceTypeCode", "380");
	text(u, "cbc:Note", e->note);
	text(u, "cbc:DocumentCurrencyCode", inv->currency);
	text(u, "cbc:TaxCurrencyCode", e->accounting_currency);
}

/* BT-14 has no place without BT-13, whose place is then held by "NA". */
static void order(struct ubl *u)
{
	const char *id = text_line(u->e->arena, u->e->inv->order_number);
	const char *ours = text_line(u->e->arena, u->e->inv->our_reference);
	if (!id && !ours)
		return;
	xmlw_open(&u->w, "cac:OrderReference");
	text(u, "cbc:ID", id ? id : "NA");
	text(u, "cbc:SalesOrderID", ours);
	xmlw_close(&u->w);
}

static void period(struct ubl *u)
{
	const struct einvoice *e = u->e;
	if (!e->period_start && !e->period_end)
		return;
	xmlw_open(&u->w, "cac:InvoicePeriod");
	text(u, "cbc:StartDate", e->period_start);
	text(u, "cbc:EndDate", e->period_end);
	xmlw_close(&u->w);
}

static void preceding(struct ubl *u)
{
	const char *id = text_line(u->e->arena, u->e->inv->preceding_number);
	if (!id)
		return;
	xmlw_open(&u->w, "cac:BillingReference");
	xmlw_open(&u->w, "cac:InvoiceDocumentReference");
	text(u, "cbc:ID", id);
	text(u, "cbc:IssueDate", u->e->preceding_date);
	xmlw_close(&u->w);
	xmlw_close(&u->w);
}

/* ---- attachments --------------------------------------------------------------------------- */

static bool is_type_allowed(const char *mime_type)
{
	static const char *const allowed[] = {
		"application/pdf",
		"image/png",
		"image/jpeg",
		"text/csv",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.oasis.opendocument.spreadsheet",
	};
	for (size_t i = 0; mime_type && i < ARRAY_SIZE(allowed); i++)
		if (strcmp(allowed[i], mime_type) == 0)
			return true;
	return false;
}

static bool attachment(struct ubl *u, const struct attachment *a, struct err *err)
{
	struct arena *arena = u->e->arena;
	const char *name = text_line(arena, a->name);
	if (!name || !is_type_allowed(a->mime_type))
		return err_reason(err, ERR_DATA, "attachment_type", a->name,
				  "attachment %s is of a type that Peppol does not take",
				  a->name ? a->name : "without name");
	if (a->data.n > ATTACHMENT_MAX_BYTES)
		return err_reason(err, ERR_DATA, "attachment_too_large", name,
				  "attachment %s has %zu bytes", name, a->data.n);
	const char *base64 = sign_base64(arena, a->data);
	if (!base64)
		return err_set(err, ERR_LIMIT, "arena full");
	xmlw_open(&u->w, "cac:AdditionalDocumentReference");
	text(u, "cbc:ID", name);
	text(u, "cbc:DocumentDescription", text_line(arena, a->description));
	xmlw_open(&u->w, "cac:Attachment");
	xmlw_open(&u->w, "cbc:EmbeddedDocumentBinaryObject");
	xmlw_attr(&u->w, "mimeCode", a->mime_type);
	xmlw_attr(&u->w, "filename", name);
	xmlw_raw(&u->w, span_of(base64));
	xmlw_close(&u->w);
	xmlw_close(&u->w);
	xmlw_close(&u->w);
	return true;
}

static bool attachments(struct ubl *u, struct err *err)
{
	const struct invoice *inv = u->e->inv;
	for (size_t i = 0; u->opt->embed_attachments && i < inv->n_attachments; i++)
		if (!attachment(u, &inv->attachments[i], err))
			return false;
	return true;
}

/* A credit note has no ProjectReference; its project is a document of type 50. */
static bool documents(struct ubl *u, struct err *err)
{
	const struct invoice *inv = u->e->inv;
	const char *project = text_line(u->e->arena, inv->project_number);
	reference(u, "cac:ContractDocumentReference", text_line(u->e->arena, inv->contract_number));
	if (project && inv->is_credit_note) {
		xmlw_open(&u->w, "cac:AdditionalDocumentReference");
		text(u, "cbc:ID", project);
		text(u, "cbc:DocumentTypeCode", "50");
		xmlw_close(&u->w);
	}
	if (!attachments(u, err))
		return false;
	if (!inv->is_credit_note)
		reference(u, "cac:ProjectReference", project);
	return true;
}

/* ---- parties ------------------------------------------------------------------------------- */

static void address(struct ubl *u, const char *name, const struct einvoice_address *a)
{
	xmlw_open(&u->w, name);
	text(u, "cbc:StreetName", a->n_lines > 0 ? a->lines[0] : NULL);
	text(u, "cbc:AdditionalStreetName", a->n_lines > 1 ? a->lines[1] : NULL);
	text(u, "cbc:CityName", a->city);
	text(u, "cbc:PostalZone", a->postcode);
	text(u, "cbc:CountrySubentity", a->region);
	if (a->n_lines > 2) { /* the format has three lines */
		const char *rest = a->lines[2];
		for (size_t i = 3; i < a->n_lines; i++)
			rest = text_join(u->e->arena, rest, ", ", a->lines[i]);
		xmlw_open(&u->w, "cac:AddressLine");
		text(u, "cbc:Line", rest);
		xmlw_close(&u->w);
	}
	xmlw_open(&u->w, "cac:Country");
	text(u, "cbc:IdentificationCode", a->country);
	xmlw_close(&u->w);
	xmlw_close(&u->w);
}

static void tax_scheme(struct ubl *u, const char *company_id, const char *scheme)
{
	if (!company_id)
		return;
	xmlw_open(&u->w, "cac:PartyTaxScheme");
	text(u, "cbc:CompanyID", company_id);
	reference(u, "cac:TaxScheme", scheme);
	xmlw_close(&u->w);
}

static void contact(struct ubl *u, const struct einvoice_party *p)
{
	if (!p->contact && !p->phone && !p->email)
		return;
	xmlw_open(&u->w, "cac:Contact");
	text(u, "cbc:Name", p->contact);
	text(u, "cbc:Telephone", p->phone);
	text(u, "cbc:ElectronicMail", p->email);
	xmlw_close(&u->w);
}

static void party(struct ubl *u, const char *outer, const struct einvoice_party *p,
		  struct scheme_id endpoint, const char *company_register)
{
	xmlw_open(&u->w, outer);
	xmlw_open(&u->w, "cac:Party");
	with_attr(u, "cbc:EndpointID", "schemeID", endpoint.scheme, endpoint.value);
	reference(u, "cac:PartyIdentification", p->number);
	xmlw_open(&u->w, "cac:PartyName");
	text(u, "cbc:Name", p->name);
	xmlw_close(&u->w);
	address(u, "cac:PostalAddress", &p->address);
	tax_scheme(u, p->vat_id, "VAT");
	tax_scheme(u, company_register, "TAX");
	xmlw_open(&u->w, "cac:PartyLegalEntity");
	text(u, "cbc:RegistrationName", p->name);
	with_attr(u, "cbc:CompanyID", "schemeID", p->legal.scheme, p->legal.value);
	xmlw_close(&u->w);
	contact(u, p);
	xmlw_close(&u->w);
	xmlw_close(&u->w);
}

static void parties(struct ubl *u)
{
	const struct einvoice *e = u->e;
	bool says_register = strcmp(e->seller.address.country, "NO") == 0 &&
			     !u->opt->not_in_company_register;
	party(u, "cac:AccountingSupplierParty", &e->seller, u->from,
	      says_register ? "Foretaksregisteret" : NULL); /* NO-R-002 */
	party(u, "cac:AccountingCustomerParty", &e->buyer, u->to, NULL);
}

static void delivery(struct ubl *u)
{
	const struct einvoice *e = u->e;
	if (!e->delivery_date && !e->has_delivery_address && !e->delivery_name)
		return;
	xmlw_open(&u->w, "cac:Delivery");
	text(u, "cbc:ActualDeliveryDate", e->delivery_date);
	if (e->has_delivery_address) {
		xmlw_open(&u->w, "cac:DeliveryLocation");
		address(u, "cac:Address", &e->delivery);
		xmlw_close(&u->w);
	}
	if (e->delivery_name) {
		xmlw_open(&u->w, "cac:DeliveryParty");
		xmlw_open(&u->w, "cac:PartyName");
		text(u, "cbc:Name", e->delivery_name);
		xmlw_close(&u->w);
		xmlw_close(&u->w);
	}
	xmlw_close(&u->w);
}

/* ---- payment ------------------------------------------------------------------------------- */

static void account(struct ubl *u, const struct einvoice_account *a)
{
	xmlw_open(&u->w, "cac:PayeeFinancialAccount");
	text(u, "cbc:ID", a->number);
	text(u, "cbc:Name", a->holder);
	reference(u, "cac:FinancialInstitutionBranch", a->bic);
	xmlw_close(&u->w);
}

/* One PaymentMeans per account, with one code and one reference (UBL-SR-44, UBL-SR-47); the due
 * date of a credit note stands in the first. */
static void payment(struct ubl *u)
{
	const struct einvoice *e = u->e;
	for (size_t i = 0; e->means && (i == 0 || i < e->n_accounts); i++) {
		xmlw_open(&u->w, "cac:PaymentMeans");
		text(u, "cbc:PaymentMeansCode", e->means);
		if (e->inv->is_credit_note && i == 0)
			text(u, "cbc:PaymentDueDate", e->inv->due_date);
		text(u, "cbc:PaymentID", e->reference);
		if (i < e->n_accounts)
			account(u, &e->accounts[i]);
		xmlw_close(&u->w);
	}
	if (e->terms) {
		xmlw_open(&u->w, "cac:PaymentTerms");
		text(u, "cbc:Note", e->terms);
		xmlw_close(&u->w);
	}
}

/* ---- VAT and totals ------------------------------------------------------------------------ */

/* Category O has no percentage (BR-O-05). */
static void tax_category(struct ubl *u, const char *name, const char *category, struct decimal rate,
			 const char *code, const char *reason)
{
	xmlw_open(&u->w, name);
	text(u, "cbc:ID", category);
	if (strcmp(category, "O") != 0)
		number(u, "cbc:Percent", rate);
	text(u, "cbc:TaxExemptionReasonCode", code);
	text(u, "cbc:TaxExemptionReason", reason);
	reference(u, "cac:TaxScheme", "VAT");
	xmlw_close(&u->w);
}

static void taxes(struct ubl *u)
{
	const struct einvoice *e = u->e;
	xmlw_open(&u->w, "cac:TaxTotal");
	amount(u, "cbc:TaxAmount", e->vat);
	for (size_t i = 0; i < e->n_taxes; i++) {
		const struct einvoice_tax *tax = &e->taxes[i];
		xmlw_open(&u->w, "cac:TaxSubtotal");
		amount(u, "cbc:TaxableAmount", tax->net);
		amount(u, "cbc:TaxAmount", tax->vat);
		tax_category(u, "cac:TaxCategory", tax->category, tax->rate, tax->code,
			     tax->reason);
		xmlw_close(&u->w);
	}
	xmlw_close(&u->w);
	if (!e->accounting_currency)
		return;
	xmlw_open(&u->w, "cac:TaxTotal");
	amount_in(u, "cbc:TaxAmount", e->accounting_currency, e->vat_accounting);
	xmlw_close(&u->w);
}

static void totals(struct ubl *u)
{
	const struct einvoice *e = u->e;
	xmlw_open(&u->w, "cac:LegalMonetaryTotal");
	amount(u, "cbc:LineExtensionAmount", e->net);
	amount(u, "cbc:TaxExclusiveAmount", e->net);
	amount(u, "cbc:TaxInclusiveAmount", e->gross);
	if (decimal_sign(e->rounding) != 0)
		amount(u, "cbc:PayableRoundingAmount", e->rounding);
	amount(u, "cbc:PayableAmount", e->due);
	xmlw_close(&u->w);
}

/* ---- lines --------------------------------------------------------------------------------- */

/* A percentage goes with its base only when it makes the amount (R040-R042). */
static void discount(struct ubl *u, const struct einvoice_line *line)
{
	const char *reason = text_line(u->e->arena, line->row->discount_reason);
	bool by_percent = decimal_sign(line->row->discount_amount) == 0;
	if (decimal_sign(line->discount) == 0)
		return;
	xmlw_open(&u->w, "cac:AllowanceCharge");
	text(u, "cbc:ChargeIndicator", "false");
	text(u, "cbc:AllowanceChargeReasonCode", DISCOUNT_CODE);
	text(u, "cbc:AllowanceChargeReason", reason ? reason : u->e->words->discount);
	if (by_percent)
		number(u, "cbc:MultiplierFactorNumeric",
		       decimal_normalize(line->row->discount_percent));
	amount(u, "cbc:Amount", line->discount);
	if (by_percent)
		amount(u, "cbc:BaseAmount", line->full);
	xmlw_close(&u->w);
}

static void item(struct ubl *u, const struct einvoice_line *line)
{
	xmlw_open(&u->w, "cac:Item");
	text(u, "cbc:Description", line->description);
	text(u, "cbc:Name", line->name);
	reference(u, "cac:SellersItemIdentification", line->code);
	tax_category(u, "cac:ClassifiedTaxCategory", line->category, line->rate, NULL, NULL);
	if (strcmp(line->unit, UNIT_OTHER) == 0) { /* the code says nothing: its own text does */
		xmlw_open(&u->w, "cac:AdditionalItemProperty");
		text(u, "cbc:Name", u->e->words->unit);
		text(u, "cbc:Value", line->unit_text);
		xmlw_close(&u->w);
	}
	xmlw_close(&u->w);
}

static void lines(struct ubl *u)
{
	const struct einvoice *e = u->e;
	bool is_credit = e->inv->is_credit_note;
	for (size_t i = 0; i < e->n_lines; i++) {
		const struct einvoice_line *line = &e->lines[i];
		xmlw_open(&u->w, is_credit ? "cac:CreditNoteLine" : "cac:InvoiceLine");
		number(u, "cbc:ID", decimal_of((int64_t)i + 1));
		quantity(u, is_credit ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity", line->unit,
			 line->quantity);
		amount(u, "cbc:LineExtensionAmount", line->net);
		discount(u, line);
		item(u, line);
		xmlw_open(&u->w, "cac:Price");
		amount(u, "cbc:PriceAmount", line->price);
		xmlw_close(&u->w);
		xmlw_close(&u->w);
	}
}

/* ---- the document -------------------------------------------------------------------------- */

/* R003: the buyer must find the invoice by something of the buyer's own. */
static const char *buyer_reference(const struct ubl *u)
{
	const char *ref = text_line(u->e->arena, u->e->inv->your_reference);
	if (ref || text_line(u->e->arena, u->e->inv->order_number))
		return ref;
	return text_line(u->e->arena, u->opt->buyer_reference);
}

static bool write_all(struct ubl *u, struct err *err)
{
	const struct einvoice *e = u->e;
	const char *ref = buyer_reference(u);
	if (!ref && !text_line(e->arena, e->inv->order_number))
		return err_reason(err, ERR_DATA, "buyer_reference_missing", e->number,
				  "invoice %s has no reference of the buyer's", e->number);
	const char *root = e->inv->is_credit_note ? "CreditNote" : "Invoice";
	xmlw_open(&u->w, root);
	xmlw_attr(&u->w, "xmlns",
		  e->inv->is_credit_note
			  ? "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
			  : "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2");
	xmlw_attr(&u->w, "xmlns:cac",
		  "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2");
	xmlw_attr(&u->w, "xmlns:cbc",
		  "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2");
	head(u);
	text(u, "cbc:BuyerReference", ref);
	period(u);
	order(u);
	preceding(u);
	if (!documents(u, err))
		return false;
	parties(u);
	delivery(u);
	payment(u);
	taxes(u);
	totals(u);
	lines(u);
	xmlw_close(&u->w);
	return true;
}

static bool write_invoice(const struct invoice *inv, const struct peppol_options *opt,
			  struct arena *arena, struct span *ret, struct err *err)
{
	struct einvoice e;
	const struct einvoice_rules rules = { .kid_mod11 = opt->kid_mod11 };
	struct strbuf sb = STRBUF_INIT(arena, DOCUMENT_MAX_BYTES);
	struct ubl u = { .w = XML_WRITER_INIT(&sb, XML_UTF8), .e = &e, .opt = opt };
	if (!einvoice_prepare(inv, &rules, arena, &e, err) ||
	    !einvoice_endpoint(&e, &e.seller, true, &u.from, err) ||
	    !einvoice_endpoint(&e, &e.buyer, opt->address_by_register, &u.to, err))
		return false;
	strbuf_addstr(&sb, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	return write_all(&u, err) && xmlw_finish(&u.w, ret, err);
}

bool peppol_write(const struct invoice *inv, const struct peppol_options *opt, struct arena *arena,
		  struct span *ret, struct err *err)
{
	struct err why = ERR_INIT;
	struct span document;
	size_t refusals = arena_refusals(arena);
	bool ok = write_invoice(inv, opt, arena, &document, &why);
	if (!einvoice_verdict(ok, &why, arena, refusals, err))
		return false;
	*ret = document;
	return true;
}
