/*
 * maventa_document.c: what an upload to the Maventa stand-in holds: a lone XML, or a ZIP of an XML,
 * its image under the same base name, and attachments (facts/maventa.md §5.2). Reads of UBL (Peppol
 * BIS 3) and Finvoice what routing and the ledger need. Not a validator: well-formed, of a known
 * root, and with the least data that the vendor checks while the call is open (§5.1).
 */
#include "base/base.h"

#include "codec/zip.h"
#include "maventa.h"

#include <ctype.h>

#define UNPACKED_MAX ((size_t)96 << 20)

/* ---- reading both formats ------------------------------------------------------------------ */

static const char *text_at(const struct xml *x, const char *path)
{
	const char *text = xml_text_at(x, path);
	return text ? text : "";
}

/* The first of the paths that says something. */
static const char *first_of(const struct xml *x, const char *const *paths)
{
	for (; *paths; paths++)
		if (text_at(x, *paths)[0])
			return text_at(x, *paths);
	return "";
}

static void read_ubl_parties(const struct xml *root, struct mv_document *d)
{
	static const char *const ids[] = { "PartyLegalEntity/CompanyID", "PartyTaxScheme/CompanyID",
					   "EndpointID", NULL };
	static const char *const names[] = { "PartyLegalEntity/RegistrationName", "PartyName/Name",
					     NULL };
	const struct xml *seller = xml_at(root, "AccountingSupplierParty/Party");
	const struct xml *buyer = xml_at(root, "AccountingCustomerParty/Party");
	const struct xml *endpoint = xml_child(buyer, "EndpointID");
	d->sender_id = first_of(seller, ids);
	d->sender_name = first_of(seller, names);
	d->name = first_of(buyer, names);
	d->recipient_id = first_of(buyer, ids);
	d->address = text_at(buyer, "EndpointID");
	if (endpoint && str_eq(xml_attr(endpoint, "schemeID"), "EM")) {
		d->email = d->address; /* an e-mail address is no e-invoice address */
		d->address = "";
	}
	if (text_at(buyer, "Contact/ElectronicMail")[0])
		d->email = text_at(buyer, "Contact/ElectronicMail");
	d->street = text_at(buyer, "PostalAddress/StreetName");
	d->postcode = text_at(buyer, "PostalAddress/PostalZone");
	d->city = text_at(buyer, "PostalAddress/CityName");
	d->country = text_at(buyer, "PostalAddress/Country/IdentificationCode");
}

static bool read_sum(const char *text, struct decimal *ret)
{
	return text[0] &&
	       (decimal_parse(span_of(text), ret) || decimal_parse_comma(span_of(text), ret));
}

static const char *read_ubl(const struct xml *root, struct mv_document *d)
{
	const char *net = text_at(root, "LegalMonetaryTotal/TaxExclusiveAmount");
	const char *gross = text_at(root, "LegalMonetaryTotal/TaxInclusiveAmount");
	d->format = "PEPPOLBIS30";
	d->number = text_at(root, "ID");
	d->date = text_at(root, "IssueDate");
	d->due_date = text_at(root, "DueDate");
	d->currency = text_at(root, "DocumentCurrencyCode");
	d->reference = text_at(root, "PaymentMeans/PaymentID");
	read_ubl_parties(root, d);
	return read_sum(net, &d->net) && read_sum(gross, &d->gross)
		       ? NULL
		       : "ERROR: INVOICE SUM NOT FOUND";
}

/* "20260203" as "2026-02-03". */
static const char *iso_date(struct arena *arena, const char *text)
{
	if (strlen(text) != 8)
		return text;
	const char *ret = arena_printf(arena, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
	return ret ? ret : "";
}

static const char *read_finvoice(struct arena *arena, const struct xml *root, struct mv_document *d)
{
	static const char *const references[] = {
		"EpiDetails/EpiPaymentInstructionDetails/EpiRemittanceInfoIdentifier",
		"EpiDetails/EpiIdentificationDetails/EpiReference", NULL
	};
	const struct xml *details = xml_child(root, "InvoiceDetails");
	const struct xml *net = xml_child(details, "InvoiceTotalVatExcludedAmount");
	const struct xml *gross = xml_child(details, "InvoiceTotalVatIncludedAmount");
	const struct xml *buyer = xml_child(root, "BuyerPartyDetails");
	const struct xml *post = xml_child(buyer, "BuyerPostalAddressDetails");
	const struct xml *to = xml_at(root, "MessageTransmissionDetails/MessageReceiverDetails");
	const char *currency = xml_attr(gross, "AmountCurrencyIdentifier");
	d->format = "FINVOICE30";
	d->number = text_at(details, "InvoiceNumber");
	d->date = iso_date(arena, text_at(details, "InvoiceDate"));
	d->due_date = iso_date(arena, text_at(root, "EpiDetails/EpiPaymentInstructionDetails/"
						    "EpiDateOptionDate"));
	d->currency = currency ? currency : "";
	d->reference = first_of(root, references);
	d->sender_id = text_at(root, "SellerPartyDetails/SellerPartyIdentifier");
	d->sender_name = text_at(root, "SellerPartyDetails/SellerOrganisationName");
	d->name = text_at(buyer, "BuyerOrganisationName");
	d->recipient_id = text_at(buyer, "BuyerPartyIdentifier");
	d->email = text_at(root, "BuyerCommunicationDetails/BuyerEmailaddressIdentifier");
	d->street = text_at(post, "BuyerStreetName");
	d->postcode = text_at(post, "BuyerPostCodeIdentifier");
	d->city = text_at(post, "BuyerTownName");
	d->country = text_at(post, "CountryCode");
	d->address = text_at(to, "ToIdentifier");
	d->operator_id = text_at(to, "ToIntermediator");
	return net && read_sum(xml_text(net), &d->net) && gross &&
			       read_sum(xml_text(gross), &d->gross)
		       ? NULL
		       : "ERROR: INVOICE SUM NOT FOUND";
}

static const char *read_xml(struct arena *arena, struct span xml, struct mv_document *d)
{
	const struct xml *root;
	*d = (struct mv_document) { .number = "",
				    .date = "",
				    .due_date = "",
				    .currency = "",
				    .reference = "",
				    .sender_id = "",
				    .sender_name = "",
				    .address = "",
				    .operator_id = "",
				    .name = "",
				    .email = "",
				    .street = "",
				    .postcode = "",
				    .city = "",
				    .country = "",
				    .recipient_id = "",
				    .xml = xml };
	if (!xml_parse(arena, xml, UNPACKED_MAX, &root, NULL))
		return "ERROR: INVOICE FILE IS NOT VALID XML";
	const char *wrong = "ERROR: INVOICE FORMAT NOT SUPPORTED";
	if (xml_is(root, "Invoice") || xml_is(root, "CreditNote"))
		wrong = read_ubl(root, d);
	else if (xml_is(root, "Finvoice"))
		wrong = read_finvoice(arena, root, d);
	if (wrong)
		return wrong;
	if (!d->number[0])
		return "ERROR: INVOICE NUMBER NOT FOUND";
	if (!d->date[0])
		return "ERROR: INVOICE DATE NOT FOUND";
	if (!d->currency[0])
		return "ERROR: CURRENCY NOT FOUND";
	return d->sender_id[0] ? NULL : "ERROR: SENDER NOT FOUND";
}

/* ---- the package --------------------------------------------------------------------------- */

/* Letters a-z, digits, dots and underlines, at most 50 (§5.2). */
static bool is_legal_name(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= 50 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._") == n;
}

static bool is_kind_taken(const char *name)
{
	static const char *const endings = " tif tiff jpg jpeg png gif txt xml xls xsl xlsx html "
					   "htm pdf aix doc docx ods ";
	const char *dot = strrchr(name, '.');
	char spaced[16];
	if (!dot || snprintf(spaced, sizeof(spaced), " %s ", dot + 1) >= (int)sizeof(spaced))
		return false;
	return strstr(endings, spaced) != NULL;
}

static bool has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);
	return n > m && strcmp(name + n - m, ending) == 0;
}

/* The invoice is the XML that an image has the base name of, or else the only or first one. */
static const struct zip_entry *find_invoice(const struct zip_entry *files, size_t n,
					    const struct zip_entry **ret_image)
{
	const struct zip_entry *first = NULL;
	*ret_image = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!has_ending(files[i].name, ".xml"))
			continue;
		first = first ? first : &files[i];
		size_t base = strlen(files[i].name) - 4;
		for (size_t k = 0; k < n; k++) {
			if (!has_ending(files[k].name, ".pdf") ||
			    strlen(files[k].name) != base + 4 ||
			    strncmp(files[k].name, files[i].name, base) != 0)
				continue;
			*ret_image = &files[k];
			return &files[i];
		}
	}
	return first;
}

static const char *write_names(struct arena *arena, const struct zip_entry *files, size_t n)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(&w, files[i].name);
	jsonw_end_array(&w);
	return strbuf_finish(&sb, &text, NULL) ? text : "[]";
}

static const char *read_zip(struct arena *arena, struct span file, struct mv_package *ret)
{
	const struct zip_entry *files, *image;
	size_t n;
	if (!zip_read(arena, file, UNPACKED_MAX, &files, &n, NULL))
		return "ERROR: ZIP FILE IS DAMAGED";
	const struct zip_entry *invoice = find_invoice(files, n, &image);
	if (!invoice)
		return "ERROR: ZIP FILE DOES NOT CONTAIN AN INVOICE";
	if (image && (image->data.n < 5 || memcmp(image->data.p, "%PDF-", 5) != 0))
		return "ERROR: INVOICE IMAGE IS NOT A PDF";
	for (size_t i = 0; i < n; i++)
		if (!is_legal_name(files[i].name) || !is_kind_taken(files[i].name))
			return "ERROR: ATTACHMENT NAME OR TYPE NOT ALLOWED";
	ret->has_image = image != NULL;
	ret->files = write_names(arena, files, n);
	return read_xml(arena, invoice->data, &ret->doc);
}

const char *mv_package_read(struct arena *arena, struct span file, struct mv_package *ret)
{
	*ret = (struct mv_package) { .files = "[]" };
	if (file.n >= 4 && memcmp(file.p, "PK\3\4", 4) == 0)
		return read_zip(arena, file, ret);
	return read_xml(arena, file, &ret->doc);
}
