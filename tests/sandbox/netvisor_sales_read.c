/*
 * netvisor_sales_read.c: finding and reading sales invoices of the Netvisor stand-in, and changing
 * their status (facts/netvisor.md §5, 9.2, 9.3).
 *
 * A single invoice is answered from the XML it came as, element by element through the tables
 * below. As in the real one, comment lines are left out unless asked for, and the status text is
 * translated.
 */
#include "base/base.h"

#include "netvisor.h"

#define LIST_MAX 500

struct nv_invoice *nv_invoice_by_key_locked(const struct nv_org *org, int64_t key)
{
	size_t lo = 0, hi = org->n_invoices;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (org->invoices[mid]->key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == org->n_invoices || org->invoices[lo]->key != key)
		return NULL;
	return org->invoices[lo]->is_deleted ? NULL : org->invoices[lo];
}

static const char *status_text(const struct nv_invoice *in, enum nv_language language)
{
	if (strcmp(in->status, "open") == 0)
		return nv_text(NV_TEXT_STATUS_OPEN, language);
	if (strcmp(in->status, "paid") == 0)
		return nv_text(NV_TEXT_STATUS_PAID, language);
	if (strcmp(in->status, "unsent") == 0)
		return nv_text(NV_TEXT_STATUS_UNSENT, language);
	return in->status;
}

/* ---- the list ------------------------------------------------------------------------------ */

struct list_query {
	int64_t above, modified_from, modified_to, customer_key;
	const char *number, *status, *from, *to, *customer_code;
	bool drafts_too, is_nothing;
};

static bool read_query(struct nv_call *nc, struct list_query *q)
{
	struct call *c = nc->c;
	const char *type = call_param(c, "listtype");
	*q = (struct list_query) { .number = call_param(c, "invoicenumber"),
				   .status = call_param(c, "invoicestatus"),
				   .from = call_param(c, "begininvoicedate"),
				   .to = call_param(c, "endinvoicedate"),
				   .customer_code = call_param(c, "customercode") };
	if (!call_param_int(c, "invoicesabovenetvisorkey", 0, &q->above))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "invoicesabovenetvisorkey");
	if (!call_param_int(c, "customernetvisorkey", 0, &q->customer_key))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "customernetvisorkey");
	if (!nv_time_param(nc, "lastmodifiedstart", &q->modified_from) ||
	    !nv_time_param(nc, "lastmodifiedend", &q->modified_to))
		return false;
	q->drafts_too = type && strcasecmp(type, "draftandinvoice") == 0;
	q->is_nothing = type && strcasecmp(type, "preinvoice") == 0;
	if (type && type[0] && !q->drafts_too && !q->is_nothing)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "listtype");
	return true;
}

static bool given(const char *text)
{
	return text && text[0];
}

static bool is_listed(const struct list_query *q, const struct nv_invoice *in)
{
	if (in->is_deleted || q->is_nothing || strcmp(in->type, "order") == 0 ||
	    (!q->drafts_too && strcmp(in->type, "invoicedraft") == 0))
		return false;
	if (given(q->number) && strcmp(q->number, in->number) != 0)
		return false;
	if (given(q->status) && strcasecmp(q->status, in->status) != 0)
		return false;
	if ((given(q->from) && strcmp(in->date, q->from) < 0) ||
	    (given(q->to) && strcmp(in->date, q->to) > 0))
		return false;
	if ((q->modified_from && in->modified_ms < q->modified_from) ||
	    (q->modified_to && in->modified_ms > q->modified_to))
		return false;
	if (given(q->customer_code) && strcasecmp(q->customer_code, in->customer_code) != 0)
		return false;
	return !q->customer_key || in->customer_key == q->customer_key;
}

static void write_listed(struct nv_call *nc, struct xml_writer *w, const struct nv_invoice *in)
{
	const char *host = call_header(nc->c, "Host");
	char *uri = arena_printf(nc->c->arena,
				 "http://%s/netvisor/getsalesinvoice.nv?netvisorkey=%" PRId64,
				 host ? host : "", in->key);
	xmlw_open(w, "SalesInvoice");
	nv_int_element(w, "NetvisorKey", in->key);
	xmlw_element(w, "InvoiceNumber", in->number);
	xmlw_open(w, "Invoicedate");
	xmlw_attr(w, "format", "ansi");
	xmlw_text(w, in->date);
	xmlw_close(w);
	xmlw_element(w, "InvoiceDueDate", in->due_date);
	xmlw_open(w, "InvoiceStatus");
	xmlw_attr(w, "substatus", strcmp(in->status, "open") == 0 ? "open" : "");
	xmlw_attr(w, "isincollection", "0");
	xmlw_text(w, in->status);
	xmlw_close(w);
	nv_int_element(w, "CustomerNetvisorKey", in->customer_key);
	xmlw_element(w, "CustomerCode", in->customer_code);
	xmlw_element(w, "CustomerName", in->customer_name);
	xmlw_element(w, "ReferenceNumber", in->reference);
	nv_decimal_element(w, "InvoiceSum", in->sum);
	nv_decimal_element(w, "OpenSum", strcmp(in->status, "paid") == 0 ? DECIMAL_ZERO : in->sum);
	xmlw_element(w, "Uri", uri ? uri : "");
	xmlw_close(w);
}

/* With a number only those that have it are looked at, newest first; answered by key. */
static size_t collect_by_number(const struct nv_org *org, const struct list_query *q,
				const struct nv_invoice **found)
{
	size_t n = 0;
	const struct nv_invoice *in = table_get(&org->by_number, q->number);
	for (; in && n < LIST_MAX; in = in->next_same_number) {
		if (in->key > q->above && is_listed(q, in))
			found[n++] = in;
	}
	for (size_t i = 0; i < n / 2; i++) {
		const struct nv_invoice *other = found[i];
		found[i] = found[n - 1 - i];
		found[n - 1 - i] = other;
	}
	return n;
}

static size_t collect(const struct nv_org *org, const struct list_query *q,
		      const struct nv_invoice **found)
{
	if (given(q->number))
		return collect_by_number(org, q, found);
	size_t n = 0;
	for (size_t i = 0; i < org->n_invoices && n < LIST_MAX; i++) {
		if (org->invoices[i]->key > q->above && is_listed(q, org->invoices[i]))
			found[n++] = org->invoices[i];
	}
	return n;
}

void nv_salesinvoicelist(struct nv_call *nc)
{
	struct list_query q;
	struct nv_answer a;
	const struct nv_invoice *found[LIST_MAX];
	if (!read_query(nc, &q))
		return;
	nv_answer(nc, &a);
	xmlw_open(&a.w, "SalesInvoiceList");
	pthread_mutex_lock(&nc->org->lock);
	size_t n = collect(nc->org, &q, found);
	for (size_t i = 0; i < n; i++)
		write_listed(nc, &a.w, found[i]);
	pthread_mutex_unlock(&nc->org->lock);
	xmlw_close(&a.w);
	nv_finish(nc, &a);
}

/* ---- one invoice --------------------------------------------------------------------------- */

struct pair {
	const char *request, *answer;
	const char *attr; /* copied from the request when it is there */
};

static const struct pair head_pairs[] = {
	{ "salesinvoiceeventdate", "SalesInvoiceEventDate", "format" },
	{ "salesinvoicevaluedate", "SalesInvoiceValueDate", "format" },
	{ "salesinvoicedeliverydate", "SalesInvoiceDeliveryDate", "format" },
};

static const struct pair text_pairs[] = {
	{ "sellername", "SellerName", NULL },
	{ "salesinvoicefreetextbeforelines", "SalesInvoiceFreeTextBeforeLines", NULL },
	{ "salesinvoicefreetextafterlines", "SalesInvoiceFreeTextAfterLines", NULL },
	{ "salesinvoiceourreference", "SalesInvoiceOurReference", NULL },
	{ "salesinvoiceyourreference", "SalesInvoiceYourReference", NULL },
	{ "salesinvoiceprivatecomment", "SalesInvoicePrivateComment", NULL },
};

static const struct pair party_pairs[] = {
	{ "invoicingcustomernameextension", "InvoicingCustomerNameExtension", NULL },
	{ "invoicingcustomeraddressline", "InvoicingCustomerAddressline", NULL },
	{ "invoicingcustomeradditionaladdressline", "InvoicingCustomerAdditionalAddressLine",
	  NULL },
	{ "invoicingcustomerpostnumber", "InvoicingCustomerPostnumber", NULL },
	{ "invoicingcustomertown", "InvoicingCustomerTown", NULL },
	{ "invoicingcustomercountrycode", "InvoicingCustomerCountryCode", "type" },
};

static const struct pair delivery_pairs[] = {
	{ "deliveryaddressname", "DeliveryAddressName", NULL },
	{ "deliveryaddressline", "DeliveryAddressLine", NULL },
	{ "deliveryaddresspostnumber", "DeliveryAddressPostnumber", NULL },
	{ "deliveryaddresstown", "DeliveryAddressTown", NULL },
	{ "deliveryaddresscountrycode", "DeliveryAddressCountryCode", "type" },
	{ "deliverymethod", "DeliveryMethod", NULL },
	{ "deliveryterm", "DeliveryTerm", NULL },
	{ "salesinvoicetaxhandlingtype", "SalesInvoiceTaxHandlingType", NULL },
	{ "paymenttermnetdays", "PaymentTermNetDays", NULL },
	{ "salesinvoiceagreementidentifier", "SalesInvoiceAgreementIdentifier", NULL },
	{ "ordernumber", "OrderNumber", NULL },
};

static const struct pair line_pairs[] = {
	{ "productidentifier", "ProductIdentifier", "type" },
	{ "productname", "ProductName", NULL },
	{ "productunitprice", "ProductUnitPrice", "type" },
	{ "productvatpercentage", "ProductVatPercentage", "vatcode" },
	{ "salesinvoiceproductlinequantity", "SalesInvoiceProductLineQuantity", NULL },
	{ "salesinvoiceproductlinediscountpercentage", "SalesInvoiceProductLineDiscountPercentage",
	  NULL },
	{ "salesinvoiceproductlinefreetext", "SalesInvoiceProductLineFreeText", NULL },
};

static void copy_pairs(struct xml_writer *w, const struct xml *from, const struct pair *pairs,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct xml *x = xml_child(from, pairs[i].request);
		const char *attr = pairs[i].attr ? xml_attr(x, pairs[i].attr) : NULL;
		xmlw_open(w, pairs[i].answer);
		if (attr)
			xmlw_attr(w, pairs[i].attr, attr);
		xmlw_text(w, x ? xml_text(x) : "");
		xmlw_close(w);
	}
}

static void write_date(struct xml_writer *w, const char *name, const char *date)
{
	xmlw_open(w, name);
	xmlw_attr(w, "format", "ansi");
	xmlw_text(w, date);
	xmlw_close(w);
}

static void write_head(struct nv_call *nc, struct xml_writer *w, const struct nv_invoice *in,
		       const struct xml *x)
{
	char sum[DECIMAL_TEXT_MAX];
	nv_int_element(w, "SalesInvoiceNetvisorKey", in->key);
	xmlw_element(w, "SalesInvoiceNumber", in->number);
	write_date(w, "SalesInvoiceDate", in->date);
	copy_pairs(w, x, head_pairs, ARRAY_SIZE(head_pairs));
	write_date(w, "SalesInvoiceDueDate", in->due_date);
	xmlw_element(w, "SalesInvoiceReferencenumber", in->reference);
	xmlw_open(w, "SalesInvoiceAmount");
	xmlw_attr(w, "iso4217currencycode", in->currency);
	xmlw_text(w, decimal_format(in->sum, 2, ',', sum));
	xmlw_close(w);
	xmlw_open(w, "InvoiceStatus");
	xmlw_attr(w, "status", in->status);
	xmlw_text(w, status_text(in, nc->language));
	xmlw_close(w);
	copy_pairs(w, x, text_pairs, ARRAY_SIZE(text_pairs));
}

static void write_register_address(struct xml_writer *w, const struct nv_register *r,
				   const struct nv_record *customer)
{
	static const struct {
		const char *field, *answer;
	} fields[] = { { "nameextension", "InvoicingCustomerNameExtension" },
		       { "streetaddress", "InvoicingCustomerAddressline" },
		       { "additionaladdressline", "InvoicingCustomerAdditionalAddressLine" },
		       { "postnumber", "InvoicingCustomerPostnumber" },
		       { "city", "InvoicingCustomerTown" },
		       { "country", "InvoicingCustomerCountryCode" } };
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		xmlw_element(w, fields[i].answer, nv_value(r, customer, fields[i].field));
}

/* Any billing field given: nothing is filled in from the register (§9.1). */
static void write_parties_locked(struct nv_call *nc, struct xml_writer *w,
				 const struct nv_invoice *in, const struct xml *x)
{
	const struct nv_register *r = &nc->org->customers;
	const struct nv_record *customer = nv_by_key_locked(r, in->customer_key);
	bool own_data = xml_child(x, "invoicingcustomername") != NULL;
	for (size_t i = 0; i < ARRAY_SIZE(party_pairs); i++)
		own_data = own_data || xml_child(x, party_pairs[i].request);
	nv_int_element(w, "InvoicingCustomerNetvisorKey", in->customer_key);
	xmlw_element(w, "InvoicingCustomerCode", in->customer_code);
	xmlw_element(w, "InvoicingCustomerOrganizationIdentifier",
		     customer ? nv_value(r, customer, "externalidentifier") : "");
	xmlw_element(w, "InvoicingCustomerName", in->customer_name);
	if (own_data || !customer)
		copy_pairs(w, x, party_pairs, ARRAY_SIZE(party_pairs));
	else
		write_register_address(w, r, customer);
	xmlw_element(w, "MatchPartialPaymentsByDefault", "No");
	copy_pairs(w, x, delivery_pairs, ARRAY_SIZE(delivery_pairs));
}

static void write_product_line(struct xml_writer *w, const struct xml *line, int64_t key)
{
	struct nv_line sums;
	xmlw_open(w, "SalesInvoiceProductLine");
	nv_int_element(w, "NetvisorKey", key);
	copy_pairs(w, line, line_pairs, ARRAY_SIZE(line_pairs));
	if (nv_read_line(line, &sums)) {
		nv_decimal_element(w, "SalesInvoiceProductLineVatSum", sums.vat_sum);
		nv_decimal_element(w, "SalesInvoiceProductLineSum", sums.gross);
	}
	const struct xml *d = xml_child(line, "dimension");
	if (d) {
		xmlw_open(w, "Dimensions");
		for (; d; d = xml_next(d, "dimension")) {
			xmlw_open(w, "Dimension");
			xmlw_element(w, "DimensionName", xml_text_at(d, "dimensionname"));
			xmlw_element(w, "DimensionItem", xml_text_at(d, "dimensionitem"));
			xmlw_close(w);
		}
		xmlw_close(w);
	}
	xmlw_close(w);
}

static void write_lines(struct nv_call *nc, struct xml_writer *w, const struct nv_invoice *in,
			const struct xml *x)
{
	bool comments = call_param_is(nc->c, "showcommentlines", "1");
	const struct xml *wrap = xml_at(x, "invoicelines/invoiceline");
	int64_t n = 0;
	xmlw_open(w, "InvoiceLines");
	for (; wrap; wrap = xml_next(wrap, "invoiceline")) {
		const struct xml *line = xml_child(wrap, "salesinvoiceproductline");
		const char *comment = xml_text_at(wrap, "salesinvoicecommentline/comment");
		if (!line && !(comments && comment))
			continue;
		xmlw_open(w, "InvoiceLine");
		if (line) {
			write_product_line(w, line, in->key * 1000 + ++n);
		} else {
			xmlw_open(w, "SalesInvoiceCommentLine");
			xmlw_element(w, "Comment", comment);
			xmlw_close(w);
		}
		xmlw_close(w);
	}
	xmlw_close(w);
}

static void write_attachments(struct nv_call *nc, struct xml_writer *w, const struct xml *x)
{
	const struct xml *at = xml_at(x, "salesinvoiceattachments/salesinvoiceattachment");
	bool with_data = call_param_is(nc->c, "includeattachments", "1");
	if (!with_data || !at)
		return;
	xmlw_open(w, "SalesInvoiceAttachments");
	for (; at; at = xml_next(at, "salesinvoiceattachment")) {
		xmlw_open(w, "SalesInvoiceAttachment");
		xmlw_element(w, "MimeType", xml_text_at(at, "mimetype"));
		xmlw_element(w, "AttachmentDescription", xml_text_at(at, "attachmentdescription"));
		xmlw_element(w, "FileName", xml_text_at(at, "filename"));
		xmlw_element(w, "DocumentData", xml_text_at(at, "documentdata"));
		xmlw_close(w);
	}
	xmlw_close(w);
}

static void write_invoice_locked(struct nv_call *nc, struct xml_writer *w,
				 const struct nv_invoice *in)
{
	const struct xml *root = NULL;
	struct err err = ERR_INIT;
	struct span text = { in->xml, in->xml_n };
	xmlw_open(w, "SalesInvoice");
	if (xml_parse(nc->c->arena, text, NETVISOR_BODY_MAX, &root, &err)) {
		const struct xml *x = xml_child(root, "salesinvoice");
		write_head(nc, w, in, x);
		write_parties_locked(nc, w, in, x);
		write_lines(nc, w, in, x);
		write_attachments(nc, w, x);
	}
	xmlw_close(w);
}

/* Not found is OK with an empty element (§4.3). */
void nv_getsalesinvoice(struct nv_call *nc)
{
	struct nv_answer a;
	int64_t key;
	const char *list = call_param(nc->c, "netvisorkeylist");
	if (!call_param_int(nc->c, "netvisorkey", 0, &key))
		key = 0;
	nv_answer(nc, &a);
	pthread_mutex_lock(&nc->org->lock);
	const struct nv_invoice *in = nv_invoice_by_key_locked(nc->org, key);
	if (list) {
		xmlw_open(&a.w, "SalesInvoices");
		for (size_t i = 0; i < nc->org->n_invoices; i++) {
			const struct nv_invoice *each = nc->org->invoices[i];
			if (!each->is_deleted && nv_key_in_list(list, each->key))
				write_invoice_locked(nc, &a.w, each);
		}
		xmlw_close(&a.w);
	} else if (in) {
		write_invoice_locked(nc, &a.w, in);
	} else {
		xmlw_open(&a.w, "SalesInvoice");
		xmlw_close(&a.w);
	}
	pthread_mutex_unlock(&nc->org->lock);
	nv_finish(nc, &a);
}

/* ---- status and deletion ------------------------------------------------------------------- */

void nv_updatesalesinvoicestatus(struct nv_call *nc)
{
	static const char *const states[] = { "open",	   "overdue", "reminded",   "requested",
					      "collected", "paid",    "creditloss", "unsent" };
	const char *want = call_param(nc->c, "status");
	const char *list = call_param(nc->c, "netvisorkeylist");
	const char *status = NULL;
	unsigned changed = 0;
	if (!list)
		list = call_param(nc->c, "netvisorkey");
	for (size_t i = 0; want && i < ARRAY_SIZE(states); i++) {
		if (strcasecmp(states[i], want) == 0)
			status = states[i];
	}
	if (!status) {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "status");
		return;
	}
	pthread_mutex_lock(&nc->org->lock);
	for (size_t i = 0; list && i < nc->org->n_invoices; i++) {
		struct nv_invoice *in = nc->org->invoices[i];
		if (in->is_deleted || !nv_key_in_list(list, in->key))
			continue;
		in->status = status;
		in->modified_ms = nv_now();
		changed++;
	}
	pthread_mutex_unlock(&nc->org->lock);
	if (changed)
		nv_ok(nc, 0);
	else
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_INVOICE, list);
}

void nv_deletesalesinvoice(struct nv_call *nc)
{
	int64_t key;
	if (!call_param_int(nc->c, "invoiceid", 0, &key))
		key = 0;
	pthread_mutex_lock(&nc->org->lock);
	struct nv_invoice *in = nv_invoice_by_key_locked(nc->org, key);
	if (in)
		in->is_deleted = true;
	pthread_mutex_unlock(&nc->org->lock);
	if (in)
		nv_ok(nc, 0);
	else
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_INVOICE, call_param(nc->c, "invoiceid"));
}
