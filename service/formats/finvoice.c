/*
 * finvoice.c: lays a prepared invoice out as Finvoice 3.0 in the order that the schema checks
 * (facts/einvoice-formats.md §1.3). Declared in formats/finvoice.h.
 *
 * Guarantees documents that pass the schema, and sums by §1.6. Checks nothing that einvoice.c has
 * checked.
 */
#include "base/base.h"
#include "formats/finvoice.h"

#include "finvoice_writer.h"

#define DOCUMENT_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define NUMBER_MAX_CHARS 20
#define REFERENCE_MAX_CHARS 70
#define FREE_TEXT_MAX_CHARS 512
#define SHORT_TEXT_MAX_CHARS 70
#define VAT_TEXTS 3
#define TERMS_TEXTS 2
#define PAYEE_MAX_CHARS 35

/* ---- InvoiceDetails ------------------------------------------------------------------------ */

static void identification(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	const struct invoice *inv = e->inv;
	bool is_credit = inv->is_credit_note;
	fin_coded(f, "InvoiceTypeCode", "CodeListAgencyIdentifier", "SPY",
		  is_credit ? "INV02" : "INV01", 5, "type");
	fin_text(f, "InvoiceTypeCodeUN", is_credit ? "381" : "380");
	fin_text(f, "InvoiceTypeText", is_credit ? e->words->credit_note : e->words->invoice);
	fin_text(f, "OriginCode", "Original");
	fin_field(f, "InvoiceNumber", e->number, 1, NUMBER_MAX_CHARS, e->number);
	fin_date(f, "InvoiceDate", inv->issue_date);
	const char *original = text_line(e->arena, inv->preceding_number);
	fin_field(f, "OriginalInvoiceNumber", original, 1, NUMBER_MAX_CHARS, original);
	if (original)
		fin_date(f, "OriginalInvoiceDate", e->preceding_date);
	fin_date(f, "InvoicingPeriodStartDate", e->period_start);
	fin_date(f, "InvoicingPeriodEndDate", e->period_end);
}

static void reference(struct finvoice *f, const char *name, const char *value)
{
	const char *line = text_line(f->e->arena, value);
	fin_field(f, name, line, 1, REFERENCE_MAX_CHARS, line);
}

static void references(struct finvoice *f)
{
	const struct invoice *inv = f->e->inv;
	reference(f, "SellerReferenceIdentifier", inv->our_reference);
	reference(f, "SellersBuyerIdentifier", f->e->buyer.number);
	reference(f, "OrderIdentifier", inv->order_number);
	reference(f, "AgreementIdentifier", inv->contract_number);
	reference(f, "BuyerReferenceIdentifier", inv->your_reference);
	reference(f, "ProjectReferenceIdentifier", inv->project_number);
}

static void totals(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	fin_amount(f, "RowsTotalVatExcludedAmount", e->net);
	fin_amount(f, "InvoiceTotalVatExcludedAmount", e->net);
	fin_amount(f, "InvoiceTotalVatAmount", e->vat);
	if (e->accounting_currency)
		fin_amount_in(f, "InvoiceTotalVatAccountingAmount", e->accounting_currency,
			      e->vat_accounting);
	fin_amount(f, "InvoiceTotalVatIncludedAmount", e->gross);
	if (decimal_sign(e->rounding) != 0)
		fin_amount(f, "InvoiceTotalRoundoffAmount", e->rounding);
}

static void vat_specification(struct finvoice *f, const struct einvoice_tax *tax)
{
	xmlw_open(&f->w, "VatSpecificationDetails");
	fin_amount(f, "VatBaseAmount", tax->net);
	if (strcmp(tax->category, "O") != 0)
		fin_percent(f, "VatRatePercent", tax->rate, "VAT");
	fin_text(f, "VatCode", tax->category);
	fin_amount(f, "VatRateAmount", tax->vat);
	fin_pieces(f, "VatFreeText", tax->reason, SHORT_TEXT_MAX_CHARS, VAT_TEXTS);
	fin_text(f, "VatExemptionReasonCode", tax->code);
	xmlw_close(&f->w);
}

/* The invoice's own text, and what did not fit where it belongs: nothing is cut off. */
static void free_texts(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	fin_pieces(f, "InvoiceFreeText", e->note, FREE_TEXT_MAX_CHARS, SIZE_MAX);
	for (size_t i = 0; i < e->n_taxes; i++)
		fin_pieces(f, "InvoiceFreeText",
			   fin_rest(f, e->taxes[i].reason, SHORT_TEXT_MAX_CHARS, VAT_TEXTS),
			   FREE_TEXT_MAX_CHARS, SIZE_MAX);
	fin_pieces(f, "InvoiceFreeText", fin_rest(f, e->terms, SHORT_TEXT_MAX_CHARS, TERMS_TEXTS),
		   FREE_TEXT_MAX_CHARS, SIZE_MAX);
}

static void terms(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	const struct invoice *inv = e->inv;
	xmlw_open(&f->w, "PaymentTermsDetails");
	fin_pieces(f, "PaymentTermsFreeText", e->terms, SHORT_TEXT_MAX_CHARS, TERMS_TEXTS);
	fin_date(f, "InvoiceDueDate", inv->due_date);
	if (inv->has_overdue_interest && decimal_sign(inv->overdue_interest) > 0) {
		xmlw_open(&f->w, "PaymentOverDueFineDetails");
		fin_text(f, "PaymentOverDueFineFreeText", e->words->overdue_interest);
		fin_percent(f, "PaymentOverDueFinePercent", inv->overdue_interest,
			    e->words->overdue_interest);
		xmlw_close(&f->w);
	}
	xmlw_close(&f->w);
}

static void invoice_details(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	xmlw_open(&f->w, "InvoiceDetails");
	identification(f);
	references(f);
	totals(f);
	for (size_t i = 0; i < e->n_taxes; i++)
		vat_specification(f, &e->taxes[i]);
	free_texts(f);
	terms(f);
	xmlw_close(&f->w);
}

/* ---- EpiDetails ---------------------------------------------------------------------------- */

/* The payee's name has 35 places; it is shortened on a word's border, for the whole name stands in
 * SellerOrganisationName. */
static void payee(struct finvoice *f, const struct einvoice_account *a)
{
	const struct einvoice *e = f->e;
	xmlw_open(&f->w, "EpiPartyDetails");
	xmlw_open(&f->w, "EpiBfiPartyDetails");
	fin_coded(f, "EpiBfiIdentifier", "IdentificationSchemeName", "BIC", a->bic, 11, a->bic);
	xmlw_close(&f->w);
	xmlw_open(&f->w, "EpiBeneficiaryPartyDetails");
	fin_pieces(f, "EpiNameAddressDetails", a->holder ? a->holder : e->seller.name,
		   PAYEE_MAX_CHARS, 1);
	fin_coded(f, "EpiAccountID", "IdentificationSchemeName", a->is_iban ? "IBAN" : "BBAN",
		  a->number, 34, a->number);
	xmlw_close(&f->w);
	xmlw_close(&f->w);
}

/* SHA at home, SLEV between countries in SEPA (§1.3). */
static const char *charge(const struct einvoice *e)
{
	bool is_home = strcmp(e->seller.address.country, e->buyer.address.country) == 0;
	return !is_home && strcmp(e->means, "58") == 0 ? "SLEV" : "SHA";
}

/* ([0-9]{2,20})|(RF[0-9]{2}[0-9A-Za-z]{1,21}); the second was proved. */
static bool reference_fits(const char *reference)
{
	size_t n = strlen(reference);
	return strncmp(reference, "RF", 2) == 0 ||
	       (n >= 2 && n <= 20 && strspn(reference, "0123456789") == n);
}

static void payment_reference(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	if (!e->reference) {
		if (e->buyer.source->is_private && !e->inv->is_credit_note)
			fin_fail(f, "reference_missing", e->number);
		return;
	}
	if (!reference_fits(e->reference))
		fin_fail(f, "reference_invalid", e->reference);
	fin_coded(f, "EpiRemittanceInfoIdentifier", "IdentificationSchemeName",
		  strncmp(e->reference, "RF", 2) == 0 ? "ISO" : "SPY", e->reference, 25,
		  e->reference);
}

static void epi_details(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	if (!e->n_accounts) { /* the schema demands one even where nothing is to be paid */
		fin_fail(f, "bank_account_missing", e->seller.name);
		return;
	}
	xmlw_open(&f->w, "EpiDetails");
	xmlw_open(&f->w, "EpiIdentificationDetails");
	fin_date(f, "EpiDate", e->inv->issue_date);
	xmlw_element(&f->w, "EpiReference", "");
	xmlw_close(&f->w);
	payee(f, &e->accounts[0]);
	xmlw_open(&f->w, "EpiPaymentInstructionDetails");
	payment_reference(f);
	fin_amount(f, "EpiInstructedAmount", e->due);
	fin_coded(f, "EpiCharge", "ChargeOption", charge(e), charge(e), 4, "charge");
	fin_date(f, "EpiDateOptionDate", e->inv->due_date);
	fin_text(f, "EpiPaymentMeansCode", e->means);
	xmlw_close(&f->w);
	xmlw_close(&f->w);
}

/* ---- the document -------------------------------------------------------------------------- */

static void document(struct finvoice *f)
{
	strbuf_addf(f->w.out, "<?xml version=\"1.0\" encoding=\"%s\"?>\n",
		    f->opt->is_utf8 ? "UTF-8" : "ISO-8859-15");
	strbuf_addstr(f->w.out, "<?xml-stylesheet type=\"text/xsl\" href=\"Finvoice.xsl\"?>\n");
	xmlw_open(&f->w, "Finvoice");
	xmlw_attr(&f->w, "Version", "3.0");
	xmlw_attr(&f->w, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
	xmlw_attr(&f->w, "xsi:noNamespaceSchemaLocation", "Finvoice3.0.xsd");
	finvoice_transmission(f);
	finvoice_parties(f);
	invoice_details(f);
	finvoice_rows(f);
	epi_details(f);
	xmlw_close(&f->w);
}

static bool write_invoice(const struct invoice *inv, const struct finvoice_options *opt,
			  struct arena *arena, struct span *ret, struct err *err)
{
	struct einvoice e;
	const struct einvoice_rules rules = { .credit_is_negative = true };
	struct strbuf sb = STRBUF_INIT(arena, DOCUMENT_MAX_BYTES);
	struct finvoice f = { .w = XML_WRITER_INIT(&sb, opt->is_utf8 ? XML_UTF8 : XML_ISO_8859_15),
			      .e = &e,
			      .opt = opt,
			      .why = ERR_INIT };
	if (!einvoice_prepare(inv, &rules, arena, &e, err) ||
	    !finvoice_find_route(&e, opt, &f.route, err))
		return false;
	if (opt->soap_frame)
		finvoice_envelope(&f);
	document(&f);
	if (f.has_failed) {
		*err = f.why;
		return false;
	}
	return xmlw_finish(&f.w, ret, err);
}

bool finvoice_write(const struct invoice *inv, const struct finvoice_options *opt,
		    struct arena *arena, struct span *ret, struct err *err)
{
	struct err why = ERR_INIT;
	struct span bytes;
	size_t refusals = arena_refusals(arena);
	bool ok = write_invoice(inv, opt, arena, &bytes, &why);
	if (!einvoice_verdict(ok, &why, arena, refusals, err))
		return false;
	*ret = bytes;
	return true;
}
