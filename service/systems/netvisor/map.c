/*
 * map.c: the model into Netvisor's XML and back (facts/netvisor.md §6 to 9). Elements stand in the
 * order of the vendor's document type definitions; numbers have a decimal comma.
 * Free text is split, never cut; what must fit and does not is a named error. Pure.
 */
#include "base/base.h"
#include "netvisor_internal.h"

#include "base/utf8.h"
#include "codec/sign.h"

#define BODY_MAX ((size_t)64 << 20)
#define LINE_NAME_MAX 200
#define LINE_TEXT_MAX 200 /* no limit is documented; a comment line holds the rest */
#define FREE_TEXT_MAX 500

/* ---- customers ----------------------------------------------------------------------------- */

#define BASE "customerbaseinformation"
#define FINVOICE "customerfinvoicedetails"
#define DELIVERY "customerdeliverydetails"
#define MORE "customeradditionalinformation"

/* In the order of the request; lengths of §13, 0: none known. */
static const struct {
	const char *section, *name;
	const char *answer; /* path in getcustomer.nv; names are compared without case */
	size_t max_chars;
	bool is_country;
} customer_fields[NETVISOR_CUSTOMER_FIELDS] = {
	[NETVISOR_CODE] = { BASE, "internalidentifier", BASE "/internalidentifier", 50, false },
	[NETVISOR_BUSINESS_ID] = { BASE, "externalidentifier", BASE "/externalidentifier", 0,
				   false },
	[NETVISOR_NAME] = { BASE, "name", BASE "/name", 250, false },
	[NETVISOR_STREET] = { BASE, "streetaddress", BASE "/streetaddress", 80, false },
	[NETVISOR_STREET2] = { BASE, "additionaladdressline", BASE "/additionaladdressline", 80,
			       false },
	[NETVISOR_CITY] = { BASE, "city", BASE "/city", 80, false },
	[NETVISOR_POSTCODE] = { BASE, "postnumber", BASE "/postnumber", 50, false },
	[NETVISOR_COUNTRY] = { BASE, "country", BASE "/country", 0, true },
	[NETVISOR_PHONE] = { BASE, "phonenumber", BASE "/phonenumber", 80, false },
	[NETVISOR_FAX] = { BASE, "faxnumber", BASE "/faxnumber", 80, false },
	[NETVISOR_EMAIL] = { BASE, "email", BASE "/email", 80, false },
	[NETVISOR_WEBSITE] = { BASE, "homepageuri", BASE "/homepageuri", 0, false },
	[NETVISOR_ACTIVE] = { BASE, "isactive", BASE "/isactive", 0, false },
	[NETVISOR_PRIVATE] = { BASE, "isprivatecustomer", BASE "/isprivatecustomer", 0, false },
	[NETVISOR_EMAIL_INVOICING] = { BASE, "emailinvoicingaddress", BASE "/emailinvoicingaddress",
				       0, false },
	[NETVISOR_EINVOICE_ADDRESS] = { FINVOICE, "finvoiceaddress", FINVOICE "/finvoiceaddress", 0,
					false },
	[NETVISOR_EINVOICE_OPERATOR] = { FINVOICE, "finvoiceroutercode",
					 FINVOICE "/finvoiceroutercode", 0, false },
	[NETVISOR_DELIVERY_NAME] = { DELIVERY, "deliveryname", DELIVERY "/deliveryname", 250,
				     false },
	[NETVISOR_DELIVERY_STREET] = { DELIVERY, "deliverystreetaddress",
				       DELIVERY "/deliverystreetaddress", 80, false },
	[NETVISOR_DELIVERY_CITY] = { DELIVERY, "deliverycity", DELIVERY "/deliverycity", 80,
				     false },
	[NETVISOR_DELIVERY_POSTCODE] = { DELIVERY, "deliverypostnumber",
					 DELIVERY "/deliverypostnumber", 50, false },
	[NETVISOR_DELIVERY_COUNTRY] = { DELIVERY, "deliverycountry", DELIVERY "/deliverycountry", 0,
					true },
	[NETVISOR_COMMENT] = { MORE, "comment", MORE "/comment", 0, false },
	[NETVISOR_LANGUAGE] = { MORE, "invoicinglanguage", MORE "/invoicinglanguage", 0, true },
};

const char *netvisor_customer_field_name(enum netvisor_customer_field f)
{
	return customer_fields[f].name;
}

static bool check_length(const char *what, const char *text, size_t max_chars, struct err *err)
{
	if (!text || !max_chars || utf8_length(span_of(text)) <= (ssize_t)max_chars)
		return true;
	return err_reason(err, ERR_DATA, "field_too_long", what,
			  "%s is longer than the %zu characters that Netvisor takes", what,
			  max_chars);
}

static void coded_element(struct xml_writer *w, const char *name, const char *type,
			  const char *text)
{
	if (!text)
		return;
	xmlw_open(w, name);
	xmlw_attr(w, "type", type);
	xmlw_text(w, text);
	xmlw_close(w);
}

bool netvisor_map_customer(struct arena *arena, enum xml_encoding encoding,
			   const struct netvisor_customer *c, struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, BODY_MAX);
	struct xml_writer w = XML_WRITER_INIT(&sb, encoding);
	const char *section = BASE;
	xmlw_open(&w, "root");
	xmlw_open(&w, "customer");
	xmlw_open(&w, section); /* the only section that must be there */
	for (size_t i = 0; i < NETVISOR_CUSTOMER_FIELDS; i++) {
		if (!c->values[i])
			continue;
		if (!check_length(customer_fields[i].name, c->values[i],
				  customer_fields[i].max_chars, err))
			return false;
		if (strcmp(section, customer_fields[i].section) != 0) {
			section = customer_fields[i].section;
			xmlw_close(&w);
			xmlw_open(&w, section);
		}
		if (customer_fields[i].is_country)
			coded_element(&w, customer_fields[i].name, "ISO-3166", c->values[i]);
		else
			xmlw_element(&w, customer_fields[i].name, c->values[i]);
	}
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	return xmlw_finish(&w, ret, err);
}

/* A country may come as text in the interface language with the code in an attribute (§3). */
static const char *country_of(const struct xml *x)
{
	const char *code = xml_attr(x, "ISO-3166");
	const char *text = xml_text(x);
	if (code && strlen(code) == 2)
		return code;
	return text && (strlen(text) == 2 || !text[0]) ? text : NULL;
}

void netvisor_read_customer(const struct xml *x, struct netvisor_customer *ret)
{
	ret->key = xml_text_at(x, BASE "/netvisorkey");
	for (size_t i = 0; i < NETVISOR_CUSTOMER_FIELDS; i++) {
		const struct xml *field = xml_at(x, customer_fields[i].answer);
		if (i == NETVISOR_STREET2 && !field) /* it has two names (§6.2) */
			field = xml_at(x, BASE "/additionalstreetaddress");
		ret->values[i] = customer_fields[i].is_country ? country_of(field)
							       : xml_text(field);
	}
}

/* ---- products and dimensions --------------------------------------------------------------- */

static void number_element(struct xml_writer *w, const char *name, struct decimal d,
			   unsigned min_scale)
{
	char buf[DECIMAL_TEXT_MAX];
	xmlw_element(w, name, decimal_format(decimal_normalize(d), min_scale, ',', buf));
}

bool netvisor_map_product(struct arena *arena, enum xml_encoding encoding, const struct product *p,
			  const char *group, struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, BODY_MAX);
	struct xml_writer w = XML_WRITER_INIT(&sb, encoding);
	char price[DECIMAL_TEXT_MAX];
	if (!check_length("product code", p->code, 50, err) ||
	    !check_length("product name", p->name, 200, err) ||
	    !check_length("product unit", p->unit, 50, err))
		return false;
	xmlw_open(&w, "root");
	xmlw_open(&w, "product");
	xmlw_open(&w, "productbaseinformation");
	xmlw_element(&w, "productcode", p->code);
	xmlw_element(&w, "productgroup", group);
	xmlw_element(&w, "name", p->name ? p->name : p->code);
	coded_element(&w, "unitprice", "net",
		      decimal_format(decimal_normalize(p->unit_price), 2, ',', price));
	xmlw_element(&w, "unit", p->unit && p->unit[0] ? p->unit : NULL);
	number_element(&w, "purchaseprice", p->unit_cost, 2);
	xmlw_element(&w, "isactive", p->is_active ? "1" : "0");
	xmlw_element(&w, "issalesproduct", "1");
	xmlw_close(&w);
	xmlw_open(&w, "productbookkeepingdetails");
	number_element(&w, "defaultvatpercentage", p->vat_rate, 0);
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	return xmlw_finish(&w, ret, err);
}

/* An absent number is 0. */
static bool read_number(const struct xml *x, const char *path, struct decimal *ret)
{
	const char *text = xml_text_at(x, path);
	return !text || !text[0] || decimal_parse_comma(span_of(text), ret);
}

/* Older answers state one price and say which it is (facts §7). */
static bool make_net(const struct xml *price, struct product *p)
{
	const char *type = xml_attr(price, "type");
	struct decimal whole;
	if (!type || (strcasecmp(type, "gross") != 0 && strcasecmp(type, "brutto") != 0))
		return true;
	return decimal_add(p->vat_rate, decimal_of(100), &whole) &&
	       decimal_mul(p->unit_price, decimal_of(100), &p->unit_price) &&
	       decimal_div(p->unit_price, whole, 6, &p->unit_price);
}

void netvisor_read_product(const struct xml *x, struct netvisor_product *ret)
{
	const struct xml *base = xml_child(x, "productbaseinformation");
	const char *active = xml_text_at(base, "isactive");
	struct product *p = &ret->product;
	*p = (struct product) {
		.source_id = xml_text_at(base, "netvisorkey"),
		.code = xml_text_at(base, "productcode"),
		.name = xml_text_at(base, "name"),
		.unit = xml_text_at(base, "unit"),
		.is_active = !active || (!str_eq(active, "0") && strcasecmp(active, "false") != 0),
		.register_name = "product",
	};
	ret->is_unreadable = !read_number(base, "unitprice", &p->unit_price) ||
			     !read_number(base, "purchaseprice", &p->unit_cost) ||
			     !read_number(x, "productbookkeepingdetails/defaultvatpercent",
					  &p->vat_rate) ||
			     !make_net(xml_child(base, "unitprice"), p);
}

static bool dimension_length(const char *field, const char *what, const char *text, size_t max,
			     struct err *err)
{
	char subject[160];
	snprintf(subject, sizeof(subject), "%s: %.120s", field, what);
	return check_length(subject, text, max, err);
}

bool netvisor_dimension_fits(const struct netvisor_dimension_item *d, const char *what,
			     struct err *err)
{
	return dimension_length("dimension code", what, d->code, 50, err) &&
	       dimension_length("dimension item", what, d->item, 200, err);
}

bool netvisor_map_dimension(struct arena *arena, enum xml_encoding encoding,
			    const struct netvisor_dimension_item *d, struct span *ret,
			    struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, BODY_MAX);
	struct xml_writer w = XML_WRITER_INIT(&sb, encoding);
	if (!netvisor_dimension_fits(d, d->item, err))
		return false;
	xmlw_open(&w, "root");
	xmlw_open(&w, "dimensionitem");
	xmlw_element(&w, "name", d->heading);
	xmlw_element(&w, "item", d->item);
	xmlw_element(&w, "olditem", d->old_item);
	xmlw_element(&w, "code", d->code);
	xmlw_element(&w, "label", d->label);
	xmlw_element(&w, "fatherid", d->father_key);
	xmlw_element(&w, "fatheritem", d->father_item);
	xmlw_close(&w);
	xmlw_close(&w);
	return xmlw_finish(&w, ret, err);
}

/* ---- sales invoices ------------------------------------------------------------------------ */

static void date_element(struct xml_writer *w, const char *name, const char *date)
{
	if (!date || !date[0])
		return;
	xmlw_open(w, name);
	xmlw_attr(w, "format", "ansi");
	xmlw_text(w, date);
	xmlw_close(w);
}

static const char *or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

/* Bytes of the next piece of at most max characters, ended at a blank where there is one in its
 * last half; the rest goes to the next piece, so that nothing is lost. */
static size_t piece(const char *text, size_t max_chars)
{
	size_t n = utf8_prefix(span_of(text), max_chars);
	if (!text[n])
		return n;
	for (size_t i = n; i > n / 2; i--)
		if (text[i - 1] == ' ' || text[i - 1] == '\n')
			return i;
	return n;
}

/* *rest moves behind the piece. */
static const char *take(struct arena *arena, const char **rest, size_t max_chars)
{
	if (!*rest || !**rest)
		return NULL;
	size_t n = piece(*rest, max_chars);
	if (!n)
		n = strlen(*rest); /* not UTF-8: the writer refuses it */
	const char *ret = arena_memdup(arena, *rest, n);
	*rest += n;
	return ret;
}

static void comment_lines(struct arena *arena, struct xml_writer *w, const char *rest,
			  size_t max_chars)
{
	const char *text;
	while ((text = take(arena, &rest, max_chars))) {
		xmlw_open(w, "invoiceline");
		xmlw_open(w, "salesinvoicecommentline");
		xmlw_element(w, "comment", text);
		xmlw_close(w);
		xmlw_close(w);
	}
}

static bool check_address(const struct address *a, struct err *err)
{
	return check_length("street address", a->street, 80, err) &&
	       check_length("postcode", a->postcode, 50, err) &&
	       check_length("city", a->city, 80, err);
}

static const char *one_line(struct arena *arena, const char *text)
{
	char *ret = arena_strdup(arena, text);
	for (char *p = ret; p && *p; p++)
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	return ret;
}

static bool write_buyer(struct arena *arena, struct xml_writer *w, const struct invoice *inv,
			const struct netvisor_invoice_options *opt, struct err *err)
{
	const struct address *a = &inv->buyer.address;
	coded_element(w, "invoicingcustomeridentifier", "customer", opt->customer_code);
	if (!opt->buyer_on_invoice)
		return true;
	if (!check_length("customer name", inv->buyer.name, 250, err) || !check_address(a, err))
		return false;
	xmlw_element(w, "invoicingcustomername", or_null(inv->buyer.name));
	xmlw_element(w, "invoicingcustomeraddressline", or_null(one_line(arena, a->street)));
	xmlw_element(w, "invoicingcustomerpostnumber", or_null(a->postcode));
	xmlw_element(w, "invoicingcustomertown", or_null(a->city));
	coded_element(w, "invoicingcustomercountrycode", "ISO-3166", or_null(a->country_code));
	return true;
}

static void write_head(struct xml_writer *w, const struct invoice *inv,
		       const struct netvisor_invoice_options *opt)
{
	char sum[DECIMAL_TEXT_MAX];
	xmlw_element(w, "salesinvoicenumber", inv->number);
	date_element(w, "salesinvoicedate", inv->issue_date);
	date_element(w, "salesinvoiceduedate", inv->due_date);
	date_element(w, "salesinvoicevaluedate", inv->entry_date);
	xmlw_element(w, "salesinvoicereferencenumber", or_null(inv->reference));
	xmlw_open(w, "salesinvoiceamount");
	xmlw_attr(w, "iso4217currencycode", inv->currency);
	xmlw_text(w, decimal_format(decimal_round(inv->total_gross, 2), 2, ',', sum));
	xmlw_close(w);
	xmlw_element(w, "invoicetype", "invoice");
	coded_element(w, "salesinvoicestatus", "netvisor", opt->status);
}

static void write_line_sums(struct xml_writer *w, const struct invoice_row *row)
{
	number_element(w, "salesinvoiceproductlinevatsum", row->vat, 2);
	number_element(w, "salesinvoiceproductlinesum", row->gross, 2);
}

static void write_dimensions(struct xml_writer *w, const struct invoice_row *row)
{
	for (size_t i = 0; i < row->n_dimensions; i++) {
		xmlw_open(w, "dimension");
		xmlw_element(w, "dimensionname", row->dimensions[i].heading);
		xmlw_element(w, "dimensionitem", row->dimensions[i].item);
		xmlw_close(w);
	}
}

static void write_row(struct arena *arena, struct xml_writer *w, const struct invoice_row *row)
{
	char buf[DECIMAL_TEXT_MAX];
	const char *rest = row->description ? row->description : "";
	const char *name = take(arena, &rest,
				strcspn(rest, "\r\n") < LINE_NAME_MAX ? strcspn(rest, "\r\n")
								      : LINE_NAME_MAX);
	while (*rest == '\n' || *rest == '\r')
		rest++;
	xmlw_open(w, "invoiceline");
	xmlw_open(w, "salesinvoiceproductline");
	coded_element(w, "productidentifier", "customer", row->product_code);
	xmlw_element(w, "productname", name ? name : "");
	coded_element(w, "productunitprice", "net",
		      decimal_format(decimal_normalize(row->unit_price), 2, ',', buf));
	xmlw_open(w, "productvatpercentage");
	xmlw_attr(w, "vatcode", row->vat_code);
	xmlw_text(w, decimal_format(decimal_normalize(row->vat_rate), 0, ',', buf));
	xmlw_close(w);
	number_element(w, "salesinvoiceproductlinequantity", row->quantity, 0);
	xmlw_element(w, "salesinvoiceproductlinefreetext", take(arena, &rest, LINE_TEXT_MAX));
	write_line_sums(w, row);
	write_dimensions(w, row);
	xmlw_element(w, "productunitname", or_null(row->unit));
	xmlw_close(w);
	xmlw_close(w);
	comment_lines(arena, w, rest, LINE_TEXT_MAX);
}

static bool write_attachments(struct arena *arena, struct xml_writer *w, const struct invoice *inv,
			      struct err *err)
{
	if (!inv->n_attachments)
		return true;
	xmlw_open(w, "salesinvoiceattachments");
	for (size_t i = 0; i < inv->n_attachments; i++) {
		const struct attachment *a = &inv->attachments[i];
		const char *data = sign_base64(arena, a->data);
		if (!data)
			return err_reason(err, ERR_DATA, "attachment_too_large", a->name,
					  "%s does not fit the message", a->name);
		const char *description = a->description ? a->description : a->name;
		if (!check_length("attachment name", a->name, 255, err))
			return false;
		xmlw_open(w, "salesinvoiceattachment");
		xmlw_element(w, "mimetype", a->mime_type);
		xmlw_element(w, "attachmentdescription", take(arena, &description, 100));
		xmlw_element(w, "filename", a->name);
		xmlw_open(w, "documentdata");
		/* The only other type there is is "finvoice" (facts §9.1). */
		if (str_eq(a->mime_type, "application/pdf"))
			xmlw_attr(w, "type", "pdf");
		xmlw_raw(w, span_of(data));
		xmlw_close(w);
		xmlw_element(w, "printbydefault", "0");
		xmlw_close(w);
	}
	xmlw_close(w);
	return true;
}

bool netvisor_map_invoice(struct arena *arena, const struct invoice *inv,
			  const struct netvisor_invoice_options *opt, struct span *ret,
			  struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, BODY_MAX);
	struct xml_writer w = XML_WRITER_INIT(&sb, opt->encoding);
	const char *before = inv->text_before, *after = inv->text_after;
	xmlw_open(&w, "root");
	xmlw_open(&w, "salesinvoice");
	write_head(&w, inv, opt);
	xmlw_element(&w, "salesinvoicefreetextbeforelines", take(arena, &before, FREE_TEXT_MAX));
	xmlw_element(&w, "salesinvoicefreetextafterlines", take(arena, &after, FREE_TEXT_MAX));
	xmlw_element(&w, "salesinvoiceourreference", or_null(inv->our_reference));
	xmlw_element(&w, "salesinvoiceyourreference", or_null(inv->your_reference));
	if (!write_buyer(arena, &w, inv, opt, err))
		return false;
	if (!inv->due_date || !inv->due_date[0])
		number_element(&w, "paymenttermnetdays", decimal_of(inv->payment_term_days), 0);
	if (inv->has_overdue_interest)
		number_element(&w, "overriderateofoverdue", inv->overdue_interest, 0);
	xmlw_element(&w, "ordernumber", or_null(inv->order_number));
	xmlw_open(&w, "invoicelines");
	comment_lines(arena, &w, before, FREE_TEXT_MAX);
	for (size_t i = 0; i < inv->n_rows; i++)
		write_row(arena, &w, &inv->rows[i]);
	comment_lines(arena, &w, after, FREE_TEXT_MAX);
	xmlw_close(&w);
	if (!write_attachments(arena, &w, inv, err))
		return false;
	xmlw_close(&w);
	xmlw_close(&w);
	return xmlw_finish(&w, ret, err);
}

bool netvisor_read_listed(const struct xml *x, struct netvisor_listed *ret, struct err *err)
{
	const char *sum = xml_text_at(x, "invoicesum");
	*ret = (struct netvisor_listed) { .key = xml_text_at(x, "netvisorkey"),
					  .number = xml_text_at(x, "invoicenumber"),
					  .date = xml_text_at(x, "invoicedate"),
					  .customer_code = xml_text_at(x, "customercode"),
					  .reference = xml_text_at(x, "referencenumber") };
	if (!ret->key || !ret->key[0] || !sum || !decimal_parse_comma(span_of(sum), &ret->sum))
		return err_set(err, ERR_SYSTEM, "Netvisor lists an invoice without key or sum");
	return true;
}
