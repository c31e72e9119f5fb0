/*
 * maestro_document.c: what a Finvoice 3.0 that comes to the Maestro stand-in says, read on its own:
 * nothing of the service's writer is used. Not a validator: root, the least data, rows, and sums.
 */
#include "base/base.h"

#include "maestro.h"

#define XML_MAX ((size_t)32 << 20)

static const char *text_at(const struct xml *x, const char *path)
{
	const char *text = xml_text_at(x, path);
	return text ? text : "";
}

static bool number_at(const struct xml *x, const char *path, struct decimal *ret)
{
	return decimal_parse_comma(span_of(text_at(x, path)), ret);
}

/* "20260203" as "2026-02-03"; "" when it is no date of the format. */
static const char *iso_date(struct arena *arena, const char *text)
{
	if (strlen(text) != 8 || strspn(text, "0123456789") != 8)
		return "";
	const char *ret = arena_printf(arena, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
	return ret ? ret : "";
}

static void read_head(struct arena *arena, const struct xml *root, struct ms_document *d)
{
	const struct xml *details = xml_child(root, "InvoiceDetails");
	const struct xml *pay = xml_at(root, "EpiDetails/EpiPaymentInstructionDetails");
	const char *currency = xml_attr(xml_child(details, "InvoiceTotalVatIncludedAmount"),
					"AmountCurrencyIdentifier");
	d->number = text_at(details, "InvoiceNumber");
	d->date = iso_date(arena, text_at(details, "InvoiceDate"));
	d->due_date = iso_date(arena, text_at(pay, "EpiDateOptionDate"));
	d->currency = currency ? currency : "";
	d->reference = text_at(pay, "EpiRemittanceInfoIdentifier");
	d->customer_number = text_at(details, "SellersBuyerIdentifier");
	d->seller_id = text_at(root, "SellerPartyDetails/SellerPartyIdentifier");
	d->seller_name = text_at(root, "SellerPartyDetails/SellerOrganisationName");
	d->buyer_name = text_at(root, "BuyerPartyDetails/BuyerOrganisationName");
	d->delivery_date = iso_date(arena, text_at(root, "DeliveryDetails/DeliveryDate"));
	d->delivery_city = text_at(root, "DeliveryPartyDetails/DeliveryPostalAddressDetails/"
					 "DeliveryTownName");
	d->is_credit = strcmp(text_at(details, "InvoiceTypeCode"), "INV02") == 0;
}

/* Description and free texts, a line each. */
static const char *row_text(struct arena *arena, const struct xml *x)
{
	struct strbuf sb = STRBUF_INIT(arena, 1 << 20);
	const char *ret;
	strbuf_addstr(&sb, text_at(x, "ArticleDescription"));
	for (x = xml_child(x, "RowFreeText"); x; x = xml_next(x, "RowFreeText")) {
		strbuf_addstr(&sb, strbuf_span(&sb).n ? "\n" : "");
		strbuf_addstr(&sb, xml_text(x));
	}
	if (!strbuf_span(&sb).n)
		return "";
	return strbuf_finish(&sb, &ret, NULL) ? ret : "";
}

static const char *read_row(struct arena *arena, const struct xml *x, struct ms_row *row)
{
	*row = (struct ms_row) { .code = text_at(x, "ArticleIdentifier"),
				 .requested = text_at(x, "ArticleIdentifier"),
				 .name = text_at(x, "ArticleName"),
				 .text = row_text(arena, x) };
	if (!number_at(x, "InvoicedQuantity", &row->quantity))
		return "InvoicedQuantity";
	if (!number_at(x, "UnitPriceAmount", &row->price))
		return "UnitPriceAmount";
	if (!number_at(x, "RowVatRatePercent", &row->vat_percent))
		return "RowVatRatePercent";
	if (!number_at(x, "RowVatExcludedAmount", &row->net))
		return "RowVatExcludedAmount";
	return number_at(x, "RowVatAmount", &row->vat) ? NULL : "RowVatAmount";
}

static const char *read_rows(struct arena *arena, const struct xml *root, struct ms_document *d,
			     const char **ret_why)
{
	const struct xml *x = xml_child(root, "InvoiceRow");
	d->rows = arena_alloc_array(arena, MS_ROWS_MAX, sizeof(*d->rows));
	*ret_why = "missing";
	if (!x || !d->rows)
		return "InvoiceRow";
	for (; x && d->n_rows < MS_ROWS_MAX; x = xml_next(x, "InvoiceRow")) {
		const char *where = read_row(arena, x, &d->rows[d->n_rows++]);
		*ret_why = "missing, or no number";
		if (where)
			return arena_printf(arena, "InvoiceRow[%zu]/%s", d->n_rows, where);
	}
	return NULL;
}

/* A cent a row is let pass: VAT is told by row and by rate. */
static bool is_near(struct decimal a, struct decimal b, size_t n_rows)
{
	const struct decimal most = { (__int128)n_rows + 1, 2 };
	struct decimal off;
	return decimal_sub(a, b, &off) && decimal_cmp(decimal_abs(off), most) <= 0;
}

static const char *check_sums(const struct xml *root, struct ms_document *d, const char **ret_why)
{
	const struct xml *details = xml_child(root, "InvoiceDetails");
	struct decimal net = DECIMAL_ZERO, made;
	*ret_why = "missing, or no number";
	if (!number_at(details, "InvoiceTotalVatExcludedAmount", &d->net))
		return "InvoiceDetails/InvoiceTotalVatExcludedAmount";
	if (!number_at(details, "InvoiceTotalVatAmount", &d->vat))
		return "InvoiceDetails/InvoiceTotalVatAmount";
	if (!number_at(details, "InvoiceTotalVatIncludedAmount", &d->gross))
		return "InvoiceDetails/InvoiceTotalVatIncludedAmount";
	*ret_why = "the sums do not agree";
	for (size_t i = 0; i < d->n_rows; i++)
		if (!decimal_add(net, d->rows[i].net, &net))
			return "InvoiceRow";
	if (!is_near(net, d->net, d->n_rows))
		return "InvoiceDetails/InvoiceTotalVatExcludedAmount";
	if (!decimal_add(d->net, d->vat, &made) || !decimal_eq(made, d->gross))
		return "InvoiceDetails/InvoiceTotalVatIncludedAmount";
	return NULL;
}

const char *ms_document_read(struct arena *arena, struct span xml, struct ms_document *ret,
			     const char **ret_why)
{
	const struct xml *root;
	*ret = (struct ms_document) { .xml = xml };
	*ret_why = "not a Finvoice 3.0";
	if (!xml_parse(arena, xml, XML_MAX, &root, NULL) || !xml_is(root, "Finvoice") ||
	    !str_eq(xml_attr(root, "Version"), "3.0"))
		return "Finvoice";
	read_head(arena, root, ret);
	*ret_why = "missing";
	if (!ret->number[0])
		return "InvoiceDetails/InvoiceNumber";
	if (!ret->date[0])
		return "InvoiceDetails/InvoiceDate";
	if (!ret->due_date[0])
		return "EpiDetails/EpiPaymentInstructionDetails/EpiDateOptionDate";
	if (!ret->currency[0])
		return "InvoiceDetails/InvoiceTotalVatIncludedAmount";
	const char *where = read_rows(arena, root, ret, ret_why);
	return where ? where : check_sums(root, ret, ret_why);
}
