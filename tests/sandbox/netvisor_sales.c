/*
 * netvisor_sales.c: taking sales invoices in the Netvisor stand-in (facts/netvisor.md §9.1).
 *
 * An invoice that is taken is kept as the XML it came as, with what lists ask for beside it.
 * Netvisor does not refuse a number that is there already: a second document is stored and the
 * ledger shows it, unless the organisation is told to answer DUPLICATE_DATA.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "netvisor.h"

/* What the header of an invoice holds, read and checked. */
struct invoice_head {
	const struct xml *x;
	const char *number, *date, *due_date, *type, *status, *currency;
	const struct nv_record *customer;
	struct decimal total;
	bool has_total;
	int64_t net_days;
};

bool nv_number(const char *text, struct decimal *ret)
{
	return text && text[0] && decimal_parse_comma(span_of(text), ret);
}

void nv_invoice_free(struct nv_invoice *in)
{
	if (!in)
		return;
	mem_free(in->number);
	mem_free(in->reference);
	mem_free(in->date);
	mem_free(in->due_date);
	mem_free(in->currency);
	mem_free(in->customer_code);
	mem_free(in->customer_name);
	mem_free(in->xml);
	mem_free(in);
}
CLEANUP_FUNC(struct nv_invoice, nv_invoice_free)

static bool missing(struct nv_call *nc, const char *name)
{
	nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, name);
	return false;
}

static bool bad_value(struct nv_call *nc, const char *name)
{
	nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, name);
	return false;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* a * (100 + percent) / 100, to six decimals */
static bool add_percent(struct decimal a, struct decimal percent, struct decimal *ret)
{
	struct decimal factor, product;
	return decimal_add(percent, decimal_of(100), &factor) && decimal_mul(a, factor, &product) &&
	       decimal_div(product, decimal_of(100), 6, ret);
}

static bool discounted(const struct xml *line, struct decimal sum, struct decimal *ret)
{
	const char *text = xml_text_at(line, "salesinvoiceproductlinediscountpercentage");
	struct decimal discount;
	*ret = sum;
	if (!text || !text[0])
		return true;
	return nv_number(text, &discount) && add_percent(sum, decimal_neg(discount), ret);
}

bool nv_read_line(const struct xml *line, struct nv_line *ret)
{
	const struct xml *price = xml_child(line, "productunitprice");
	const char *vat_text = xml_text_at(line, "productvatpercentage");
	const char *vat_sum = xml_text_at(line, "salesinvoiceproductlinevatsum");
	const char *sum = xml_text_at(line, "salesinvoiceproductlinesum");
	struct decimal value;
	*ret = (struct nv_line) { 0 };
	if (!nv_number(xml_text(price), &ret->price) || !nv_number(vat_text, &ret->vat) ||
	    !nv_number(xml_text_at(line, "salesinvoiceproductlinequantity"), &ret->quantity) ||
	    !decimal_mul(ret->quantity, ret->price, &value) || !discounted(line, value, &value))
		return false;
	bool is_gross = xml_attr(price, "type") &&
			strcasecmp(xml_attr(price, "type"), "gross") == 0;
	if (is_gross) {
		struct decimal factor, hundredfold;
		if (!decimal_add(ret->vat, decimal_of(100), &factor) ||
		    !decimal_mul(value, decimal_of(100), &hundredfold) ||
		    !decimal_div(hundredfold, factor, 6, &ret->net))
			return false;
		ret->gross = value;
	} else {
		ret->net = value;
		if (!add_percent(value, ret->vat, &ret->gross))
			return false;
	}
	ret->gross = decimal_round(ret->gross, 2);
	ret->net = decimal_round(ret->net, 2);
	if (!decimal_sub(ret->gross, ret->net, &ret->vat_sum))
		return false;
	ret->given = sum && sum[0] && vat_sum && vat_sum[0];
	if (!ret->given)
		return true;
	return nv_number(sum, &ret->gross) && nv_number(vat_sum, &ret->vat_sum) &&
	       decimal_sub(ret->gross, ret->vat_sum, &ret->net);
}

/* A code that means no tax with a percentage, or domestic sales without one (§12.1). */
static bool vat_code_fits(const char *code, struct decimal percent)
{
	static const char *const known[] = { "NONE", "KOOS", "EUOS", "EUUO",	"EUPO",	   "100",
					     "KOMY", "EUMY", "EUUM", "EUPM312", "EUPM309", "MUUL",
					     "EVTO", "EVPO", "EVKV", "KAVE",	"RAMY",	   "RAOS",
					     "EVRO", "MAAL", "EVMA", "KOMY0" };
	static const char *const untaxed[] = { "NONE",	  "EUMY", "EUUM", "EUPM312",
					       "EUPM309", "MUUL", "RAMY", "KOMY0" };
	bool is_known = false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		is_known = is_known || strcasecmp(known[i], code) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(untaxed); i++) {
		if (strcasecmp(untaxed[i], code) == 0)
			return decimal_sign(percent) == 0;
	}
	return is_known && (strcasecmp(code, "KOMY") != 0 || decimal_sign(percent) > 0);
}

static bool check_product_locked(struct nv_call *nc, const struct xml *line)
{
	const struct xml *id = xml_child(line, "productidentifier");
	const char *type = xml_attr(id, "type");
	const char *text = xml_text(id);
	const struct nv_register *r = &nc->org->products;
	const struct nv_record *product = NULL;
	if (!id || !text[0])
		return missing(nc, "productidentifier");
	if (!type)
		return bad_value(nc, "productidentifier type");
	if (strcasecmp(type, "netvisor") == 0)
		product = nv_by_key_locked(r, strtoll(text, NULL, 10));
	else if (strcasecmp(type, "customer") == 0)
		product = nv_by_field_locked(r, "productcode", text);
	else
		product = nv_by_field_locked(r, type, text);
	return product ? true : nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_PRODUCT, text);
}

static struct decimal cents(int64_t n)
{
	return (struct decimal) { n, 2 };
}

static bool far_apart(struct decimal a, struct decimal b, int64_t tolerance_cents)
{
	struct decimal d;
	return !decimal_sub(a, b, &d) || decimal_cmp(decimal_abs(d), cents(tolerance_cents)) > 0;
}

/* Given sums must have the sign of the line and lie within a few cents of what it makes. */
static bool check_line_sums(struct nv_call *nc, const struct xml *x, const struct nv_line *line)
{
	const char *sum = xml_text_at(x, "salesinvoiceproductlinesum");
	const char *vat_sum = xml_text_at(x, "salesinvoiceproductlinevatsum");
	bool has_sum = sum && sum[0];
	bool has_vat = vat_sum && vat_sum[0];
	struct decimal value, expected;
	if (has_sum != has_vat)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_BOTH_SUMS,
			       xml_text_at(x, "productname"));
	if (!line->given)
		return true;
	const struct xml *price = xml_child(x, "productunitprice");
	bool is_gross = xml_attr(price, "type") &&
			strcasecmp(xml_attr(price, "type"), "gross") == 0;
	if (!decimal_mul(line->quantity, line->price, &value) || !discounted(x, value, &value))
		return bad_value(nc, "productunitprice");
	if (is_gross)
		expected = value;
	else if (!add_percent(value, line->vat, &expected))
		return bad_value(nc, "productvatpercentage");
	if (far_apart(line->gross, expected, 5))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_SUM, sum);
	return true;
}

static bool check_line_texts(struct nv_call *nc, const struct xml *line)
{
	const char *name = xml_text_at(line, "productname");
	if (!name)
		return missing(nc, "productname");
	if (utf8_length(span_of(name)) > 200)
		return nv_fail(nc, "INVALID_DATA_SIZE", NV_TEXT_TOO_LONG, "productname");
	const struct xml *price = xml_child(line, "productunitprice");
	const char *type = xml_attr(price, "type");
	if (!type || !nv_text_in_list("net,gross,netvisor", type))
		return bad_value(nc, "productunitprice type");
	return true;
}

static bool check_line_locked(struct nv_call *nc, const struct xml *line, struct nv_line *ret)
{
	const struct xml *vat = xml_child(line, "productvatpercentage");
	const char *code = xml_attr(vat, "vatcode");
	if (!check_product_locked(nc, line) || !check_line_texts(nc, line))
		return false;
	if (!nv_read_line(line, ret))
		return bad_value(nc, "productunitprice, productvatpercentage or quantity");
	if (!code)
		return missing(nc, "vatcode");
	if (!vat_code_fits(code, ret->vat))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VAT_CODE, code);
	/* A credit has a negative quantity and a positive price (§9.1). */
	if (decimal_sign(ret->quantity) < 0 && decimal_sign(ret->price) < 0)
		return bad_value(nc, "productunitprice");
	return check_line_sums(nc, line, ret);
}

static bool check_total(struct nv_call *nc, const struct invoice_head *h, struct decimal sum,
			size_t n)
{
	if (!h->has_total)
		return true;
	bool signs_differ = decimal_sign(h->total) * decimal_sign(sum) < 0;
	if (signs_differ || far_apart(h->total, sum, 2 * (int64_t)n))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_SUM,
			       xml_text_at(h->x, "salesinvoiceamount"));
	return true;
}

/* Checks all lines; *ret_sum is their gross sum. */
static bool check_lines_locked(struct nv_call *nc, const struct invoice_head *h,
			       struct decimal *ret_sum)
{
	const struct xml *wrap = xml_at(h->x, "invoicelines/invoiceline");
	size_t n = 0;
	*ret_sum = DECIMAL_ZERO;
	for (; wrap; wrap = xml_next(wrap, "invoiceline")) {
		const struct xml *line = xml_child(wrap, "salesinvoiceproductline");
		struct nv_line sums;
		if (!line)
			continue;
		if (!check_line_locked(nc, line, &sums))
			return false;
		if (!decimal_add(*ret_sum, sums.gross, ret_sum))
			return bad_value(nc, "salesinvoiceproductlinesum");
		n++;
	}
	if (!n)
		return missing(nc, "salesinvoiceproductline");
	return check_total(nc, h, *ret_sum, n);
}

/* ---- header -------------------------------------------------------------------------------- */

static bool check_date(struct nv_call *nc, const struct xml *x, const char *name, bool is_needed,
		       const char **ret)
{
	int y, m, d;
	const char *text = xml_text_at(x, name);
	if (!text || !text[0]) {
		*ret = "";
		return is_needed ? missing(nc, name) : true;
	}
	if (!clock_parse_date(span_of(text), &y, &m, &d))
		return bad_value(nc, name);
	*ret = text;
	return true;
}

static const char *one_of(const char *text, const char *const *names, size_t n)
{
	for (size_t i = 0; text && i < n; i++) {
		if (strcasecmp(text, names[i]) == 0)
			return names[i];
	}
	return NULL;
}

static bool read_type_and_status(struct nv_call *nc, struct invoice_head *h)
{
	static const char *const types[] = { "invoice", "order", "invoicedraft" };
	static const char *const invoice_states[] = { "open", "unsent" };
	static const char *const order_states[] = { "undelivered", "delivered" };
	const char *type = xml_text_at(h->x, "invoicetype");
	const char *status = xml_text_at(h->x, "salesinvoicestatus");
	h->type = one_of(type && type[0] ? type : "invoice", types, ARRAY_SIZE(types));
	if (!h->type)
		return bad_value(nc, "invoicetype");
	if (h->type == types[2]) {
		h->status = "";
		return !status || !status[0] ? true : bad_value(nc, "salesinvoicestatus");
	}
	h->status = h->type == types[0] ? one_of(status, invoice_states, ARRAY_SIZE(invoice_states))
					: one_of(status, order_states, ARRAY_SIZE(order_states));
	return h->status ? true : bad_value(nc, "salesinvoicestatus");
}

static bool read_customer_locked(struct nv_call *nc, struct invoice_head *h)
{
	const struct xml *id = xml_child(h->x, "invoicingcustomeridentifier");
	const struct nv_register *r = &nc->org->customers;
	const char *text = xml_text(id);
	const char *type = xml_attr(id, "type");
	if (!text || !text[0])
		return missing(nc, "invoicingcustomeridentifier");
	if (!type || !nv_text_in_list("netvisor,customer,organizationunitnumber", type))
		return bad_value(nc, "invoicingcustomeridentifier type");
	if (strcasecmp(type, "netvisor") == 0) {
		h->customer = nv_by_key_locked(r, strtoll(text, NULL, 10));
		return h->customer ? true
				   : nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_CUSTOMER_KEY, text);
	}
	bool by_code = strcasecmp(type, "customer") == 0;
	h->customer = nv_by_field_locked(
		r, by_code ? "internalidentifier" : "organizationunitnumber", text);
	return h->customer ? true : nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_CUSTOMER_CODE, text);
}

static bool read_amount(struct nv_call *nc, struct invoice_head *h)
{
	const struct xml *amount = xml_child(h->x, "salesinvoiceamount");
	const char *text = xml_text(amount);
	const char *currency = xml_attr(amount, "iso4217currencycode");
	if (!amount)
		return missing(nc, "salesinvoiceamount");
	h->currency = currency && currency[0] ? currency : "EUR";
	if (strlen(h->currency) != 3)
		return bad_value(nc, "iso4217currencycode");
	h->has_total = text[0] != 0;
	if (h->has_total && (!nv_number(text, &h->total) || !decimal_fits_scale(h->total, 2)))
		return bad_value(nc, "salesinvoiceamount");
	return true;
}

static bool read_terms(struct nv_call *nc, struct invoice_head *h)
{
	const char *days = xml_text_at(h->x, "paymenttermnetdays");
	const char *other;
	if (!check_date(nc, h->x, "salesinvoicedate", true, &h->date) ||
	    !check_date(nc, h->x, "salesinvoiceduedate", false, &h->due_date) ||
	    !check_date(nc, h->x, "salesinvoicedeliverydate", false, &other) ||
	    !check_date(nc, h->x, "salesinvoicevaluedate", false, &other) ||
	    !check_date(nc, h->x, "salesinvoiceeventdate", false, &other))
		return false;
	if (days && days[0]) {
		char *end;
		h->net_days = strtol(days, &end, 10);
		if (*end || h->net_days < 0 || h->net_days > 3650)
			return bad_value(nc, "paymenttermnetdays");
	} else if (str_eq(h->due_date, "")) {
		return missing(nc, "paymenttermnetdays");
	}
	return true;
}

static bool check_texts(struct nv_call *nc, const struct xml *x)
{
	static const struct {
		const char *name;
		ssize_t max;
	} limits[] = { { "salesinvoicefreetextbeforelines", 500 },
		       { "salesinvoicefreetextafterlines", 500 },
		       { "invoicingcustomername", 250 } };
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const char *text = xml_text_at(x, limits[i].name);
		if (text && utf8_length(span_of(text)) > limits[i].max)
			return nv_fail(nc, "INVALID_DATA_SIZE", NV_TEXT_TOO_LONG, limits[i].name);
	}
	return true;
}

static bool read_number(struct nv_call *nc, struct invoice_head *h)
{
	h->number = xml_text_at(h->x, "salesinvoicenumber");
	size_t n = h->number ? strlen(h->number) : 0;
	if (n == 0)
		h->number = NULL;
	if (n > 18 || (n && strspn(h->number, "0123456789") != n))
		return bad_value(nc, "salesinvoicenumber");
	return true;
}

static bool check_attachments(struct nv_call *nc, const struct xml *x)
{
	static const struct {
		const char *name;
		ssize_t max;
	} limits[] = { { "mimetype", 50 }, { "attachmentdescription", 100 }, { "filename", 255 } };
	const struct xml *at = xml_at(x, "salesinvoiceattachments/salesinvoiceattachment");
	for (; at; at = xml_next(at, "salesinvoiceattachment")) {
		for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
			const char *text = xml_text_at(at, limits[i].name);
			if (!text || !text[0])
				return missing(nc, limits[i].name);
			if (utf8_length(span_of(text)) > limits[i].max)
				return nv_fail(nc, "INVALID_DATA_SIZE", NV_TEXT_TOO_LONG,
					       limits[i].name);
		}
		const char *data = xml_text_at(at, "documentdata");
		size_t n = data ? strlen(data) : 0;
		unsigned char *raw = n ? arena_alloc(nc->c->arena, n) : NULL;
		size_t raw_n;
		if (!raw || !sign_unbase64(span_of(data), raw, n, &raw_n))
			return bad_value(nc, "documentdata");
		bool is_pdf = raw_n >= 5 && memcmp(raw, "%PDF-", 5) == 0;
		const char *type = xml_attr(xml_child(at, "documentdata"), "type");
		if (str_eq(type, "pdf") && !is_pdf)
			return bad_value(nc, "documentdata");
	}
	return true;
}

/* ---- storing ------------------------------------------------------------------------------- */

static void due_from_days(const struct invoice_head *h, char ret[CLOCK_RFC3339_MAX])
{
	int y = 1970, m = 1, d = 1;
	if (!clock_parse_date(span_of(h->date), &y, &m, &d))
		y = 1970; /* checked before */
	clock_rfc3339(clock_from_utc(y, m, d, 0, 0, 0) + h->net_days * 86400000, ret);
	ret[10] = 0;
}

static bool dimensions_locked(struct nv_call *nc, const struct xml *x)
{
	const struct xml *wrap = xml_at(x, "invoicelines/invoiceline");
	for (; wrap; wrap = xml_next(wrap, "invoiceline")) {
		const struct xml *d = xml_at(wrap, "salesinvoiceproductline/dimension");
		for (; d; d = xml_next(d, "dimension")) {
			const char *heading = xml_text_at(d, "dimensionname");
			const char *item = xml_text_at(d, "dimensionitem");
			if (!heading || !heading[0] || !item || !item[0])
				return missing(nc, "dimensionname");
			if (!nv_use_dimension_locked(nc->org, heading, item))
				return nv_fail(nc, "TECHNICAL_ERROR", NV_TEXT_VALUE, heading);
		}
	}
	return true;
}

static const char *choose_number_locked(struct nv_org *org, const struct invoice_head *h, char *buf,
					size_t size)
{
	if (strcmp(h->type, "invoicedraft") == 0)
		return "";
	if (h->number)
		return h->number;
	do {
		snprintf(buf, size, "%" PRId64, org->next_number++);
	} while (table_get(&org->by_number, buf));
	return buf;
}

static bool fill(struct nv_call *nc, struct nv_invoice *in, const struct invoice_head *h)
{
	char number[24], reference[40], due[CLOCK_RFC3339_MAX];
	struct nv_org *org = nc->org;
	const char *own_reference = xml_text_at(h->x, "salesinvoicereferencenumber");
	due_from_days(h, due);
	in->number = mem_strdup(choose_number_locked(org, h, number, sizeof(number)));
	if (in->number && (!own_reference || !own_reference[0])) {
		reference_number(strtoll(in->number, NULL, 10) + 1000, reference,
				 sizeof(reference));
		own_reference = reference;
	}
	in->reference = mem_strdup(own_reference);
	in->date = mem_strdup(h->date);
	in->due_date = mem_strdup(h->due_date[0] ? h->due_date : due);
	in->currency = mem_strdup(h->currency);
	in->customer_code = mem_strdup(
		nv_value(&org->customers, h->customer, "internalidentifier"));
	const char *name = xml_text_at(h->x, "invoicingcustomername");
	in->customer_name = mem_strdup(
		name && name[0] ? name : nv_value(&org->customers, h->customer, "name"));
	in->customer_key = h->customer->key;
	in->type = h->type;
	in->status = h->status;
	in->modified_ms = nv_now();
	in->xml = mem_memdup(nc->c->body.p, nc->c->body.n);
	in->xml_n = nc->c->body.n;
	return in->number && in->reference && in->date && in->due_date && in->currency &&
	       in->customer_code && in->customer_name && in->xml;
}

/* The newest document of a number heads the list of those with the same number. */
static bool link_number_locked(struct nv_org *org, struct nv_invoice *in)
{
	in->times_received = 1;
	if (!in->number[0])
		return true;
	struct nv_invoice *older = table_get(&org->by_number, in->number);
	if (older) {
		in->next_same_number = older;
		in->times_received = older->times_received + 1;
	}
	return table_put(&org->by_number, in->number, in);
}

static bool out_of_memory(struct nv_call *nc)
{
	return nv_fail(nc, "TECHNICAL_ERROR", NV_TEXT_VALUE, "salesinvoice");
}

static bool store_locked(struct nv_call *nc, const struct invoice_head *h, struct decimal sum)
{
	struct nv_org *org = nc->org;
	CLEANUP(nv_invoice_free) struct nv_invoice *in = mem_alloc(sizeof(*in));
	if (!in || !fill(nc, in, h) ||
	    !array_reserve(&org->invoices, org->n_invoices, &org->cap_invoices,
			   sizeof(struct nv_invoice *)) ||
	    !link_number_locked(org, in))
		return out_of_memory(nc);
	in->sum = h->has_total ? h->total : sum;
	in->key = ++org->next_key;
	org->invoices[org->n_invoices++] = in;
	org->invoices_added++;
	nv_ok(nc, in->key);
	in = NULL; /* the organisation has it now */
	return true;
}

/* An edit needs all data again (§3); the number stays when none is given. */
static bool replace_locked(struct nv_call *nc, struct invoice_head *h, struct decimal sum,
			   int64_t id)
{
	struct nv_invoice *old = nv_invoice_by_key_locked(nc->org, id);
	if (!old)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_INVOICE, call_param(nc->c, "id"));
	struct nv_invoice fresh = { 0 };
	char *number = mem_strdup(old->number);
	if (!number || !fill(nc, &fresh, h)) {
		mem_free(number);
		return out_of_memory(nc);
	}
	char *const dropped[] = { old->reference, old->date,	      old->due_date,
				  old->currency,  old->customer_code, old->customer_name,
				  old->xml,	  fresh.number,	      number };
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		mem_free(dropped[i]);
	fresh.number = old->number;
	fresh.key = old->key;
	fresh.next_same_number = old->next_same_number;
	fresh.times_received = old->times_received;
	fresh.sum = h->has_total ? h->total : sum;
	*old = fresh;
	nv_ok(nc, 0);
	return true;
}

static bool check_period(struct nv_call *nc, const struct invoice_head *h)
{
	const char *until = nc->org->locked_until;
	if (until[0] && strcmp(h->date, until) <= 0)
		return nv_fail(nc, "PERIOD_LOCK", NV_TEXT_PERIOD, h->date);
	return true;
}

static bool check_duplicate_locked(struct nv_call *nc, const struct invoice_head *h)
{
	struct nv_org *org = nc->org;
	struct nv_invoice *same = h->number ? table_get(&org->by_number, h->number) : NULL;
	if (!same || !org->refuse_duplicates)
		return true;
	same->times_received++;
	org->refused_duplicates++;
	return nv_fail(nc, "DUPLICATE_DATA", NV_TEXT_DUPLICATE, h->number);
}

static void save_locked(struct nv_call *nc, bool edit, int64_t id)
{
	struct invoice_head h = { .x = xml_child(nc->root, "salesinvoice"), .due_date = "" };
	struct decimal sum;
	if (!read_number(nc, &h) || !read_type_and_status(nc, &h) || !read_amount(nc, &h) ||
	    !read_terms(nc, &h) || !check_texts(nc, h.x) || !read_customer_locked(nc, &h) ||
	    !check_attachments(nc, h.x) || !check_lines_locked(nc, &h, &sum) ||
	    !check_period(nc, &h))
		return;
	if (!edit && !check_duplicate_locked(nc, &h))
		return;
	if (!dimensions_locked(nc, h.x))
		return;
	bool ok = edit ? replace_locked(nc, &h, sum, id) : store_locked(nc, &h, sum);
	(void)ok; /* the reply says it */
}

void nv_salesinvoice(struct nv_call *nc)
{
	bool edit;
	int64_t id;
	if (!nv_method(nc, "id", &edit, &id) || !nv_check_order(nc, NV_DOC_SALES_INVOICE))
		return;
	pthread_mutex_lock(&nc->org->lock);
	save_locked(nc, edit, id);
	pthread_mutex_unlock(&nc->org->lock);
}
