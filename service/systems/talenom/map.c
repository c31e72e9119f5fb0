/*
 * map.c: sales accounts, products and invoices as Talenom's JSON and back (facts/talenom.md §2.1,
 * 3). Pure. Members that nobody knows are passed over.
 */
#include "base/base.h"
#include "talenom_internal.h"

#define BODY_MAX ((size_t)16 << 20)

const char *talenom_text(const struct json *j, const char *path)
{
	const char *text = json_text(json_at(j, path));
	return text ? text : "";
}

bool talenom_finish(struct strbuf *sb, struct span *ret, struct err *err)
{
	const char *text;
	if (!strbuf_finish(sb, &text, err))
		return false;
	*ret = strbuf_span(sb);
	return true;
}

static void kdecimal(struct json_writer *w, const char *key, struct decimal d)
{
	jsonw_key(w, key);
	jsonw_decimal(w, decimal_normalize(d));
}

/* A number, or a text that holds one: the documents show both. */
static bool read_decimal(const struct json *j, struct decimal *ret)
{
	const char *text = json_text(j);
	return text && decimal_parse(span_of(text), ret);
}

/* ---- sales accounts ------------------------------------------------------------------------ */

bool talenom_read_account(const struct json *j, struct talenom_account *ret, struct err *err)
{
	*ret = (struct talenom_account) { .number = talenom_text(j, "number"),
					  .name = talenom_text(j, "name") };
	if (!json_bool(json_get(j, "active"), &ret->is_active))
		ret->is_active = true;
	if (ret->number[0] && read_decimal(json_get(j, "taxPercent"), &ret->tax_percent))
		return true;
	return err_set(err, ERR_SYSTEM, "Talenom lists an account without number or percentage");
}

/* One number may be there at several percentages: any that fits will do. *ret_other is one that
 * does not. */
static bool fits(const struct talenom_account *accounts, size_t n, const struct invoice_row *row,
		 const struct talenom_account **ret_other)
{
	*ret_other = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!accounts[i].is_active || strcmp(accounts[i].number, row->account) != 0)
			continue;
		if (row->has_vat_rate && decimal_eq(accounts[i].tax_percent, row->vat_rate))
			return true;
		*ret_other = &accounts[i];
	}
	return false;
}

static bool mismatch(const struct invoice_row *row, const struct talenom_account *other,
		     struct err *err)
{
	char ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX], subject[160];
	if (!other) {
		snprintf(subject, sizeof(subject), "row %" PRId64 ": %.100s", row->position,
			 row->account);
		return err_reason(err, ERR_DATA, "account_unknown", subject,
				  "%s is no sales account at Talenom", subject);
	}
	decimal_format(decimal_normalize(row->vat_rate), 0, '.', ours);
	decimal_format(decimal_normalize(other->tax_percent), 0, '.', theirs);
	snprintf(subject, sizeof(subject), "row %" PRId64 ": %.60s: %.30s %% / %.30s %%",
		 row->position, row->account, row->has_vat_rate ? ours : "-", theirs);
	return err_reason(err, ERR_DATA, "account_vat_mismatch", subject,
			  "%s: the row's VAT and that of the account at Talenom differ", subject);
}

bool talenom_check_accounts(const struct talenom_account *accounts, size_t n,
			    const struct invoice *inv, struct err *err)
{
	const struct talenom_account *other;
	for (size_t i = 0; i < inv->n_rows; i++) {
		const struct invoice_row *row = &inv->rows[i];
		if (row->account && row->account[0] && !fits(accounts, n, row, &other))
			return mismatch(row, other, err);
	}
	return true;
}

/* ---- products ------------------------------------------------------------------------------ */

static const char *or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

bool talenom_map_product(const struct product *p, const char *account, struct talenom_product *ret,
			 struct err *err)
{
	*ret = (struct talenom_product) { .code = or_null(p->code),
					  .name = or_null(p->name) ? p->name : p->code,
					  .unit = or_null(p->unit),
					  .account = or_null(account),
					  .price = p->unit_price,
					  .tax_percent = p->vat_rate };
	return or_null(ret->name) ? true
				  : err_reason(err, ERR_DATA, "name_missing", "product",
					       "a product has neither name nor code");
}

/* An account is compared where we have one to tell. */
bool talenom_is_same_product(const struct talenom_product *theirs,
			     const struct talenom_product *ours)
{
	return str_eq(theirs->code, ours->code) && str_eq(theirs->name, ours->name) &&
	       str_eq(theirs->unit, ours->unit) && decimal_eq(theirs->price, ours->price) &&
	       decimal_eq(theirs->tax_percent, ours->tax_percent) &&
	       (!ours->account || str_eq(theirs->account, ours->account));
}

bool talenom_write_product(struct arena *arena, const struct talenom_product *p, struct span *ret,
			   struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "code", p->code);
	jsonw_kstr(&w, "name", p->name);
	jsonw_kstr(&w, "unit", p->unit);
	kdecimal(&w, "pricePerUnit", p->price);
	kdecimal(&w, "taxPercent", p->tax_percent);
	if (p->account)
		jsonw_kstr(&w, "salesAccountNumber", p->account);
	if (p->id)
		jsonw_kstr(&w, "rowVersion", p->row_version);
	jsonw_end_object(&w);
	return talenom_finish(&sb, ret, err);
}

bool talenom_read_product(const struct json *j, struct talenom_product *ret, struct err *err)
{
	*ret = (struct talenom_product) {
		.id = talenom_text(j, "id"),
		.row_version = talenom_text(j, "rowVersion"),
		.code = or_null(talenom_text(j, "code")),
		.name = talenom_text(j, "name"),
		.unit = or_null(talenom_text(j, "unit")),
		.account = or_null(talenom_text(j, "salesAccountNumber")),
	};
	if (!read_decimal(json_get(j, "pricePerUnit"), &ret->price))
		ret->price = DECIMAL_ZERO;
	if (!read_decimal(json_get(j, "taxPercent"), &ret->tax_percent))
		ret->tax_percent = DECIMAL_ZERO;
	return ret->id[0] ? true : err_set(err, ERR_SYSTEM, "Talenom lists a product without id");
}

/* ---- invoices ------------------------------------------------------------------------------ */

static bool too_precise(const struct invoice_row *row, struct err *err)
{
	char subject[32];
	snprintf(subject, sizeof(subject), "row %" PRId64, row->position);
	return err_reason(err, ERR_DATA, "number_too_precise", subject,
			  "%s: quantity or price has more digits than Talenom takes", subject);
}

/* The row's name, else its description's first line, else its code. */
static struct span name_of(const struct invoice_row *row)
{
	if (or_null(row->name))
		return span_of(row->name);
	const char *text = row->description ? row->description : "";
	text += strspn(text, "\r\n");
	return text[0] ? (struct span) { text, strcspn(text, "\r\n") } : span_of(row->product_code);
}

/* Talenom computes the sums from quantity and price. */
static bool write_line(struct json_writer *w, const struct invoice_row *row, struct err *err)
{
	const struct span name = name_of(row);
	char subject[32];
	snprintf(subject, sizeof(subject), "row %" PRId64, row->position);
	if (!name.n)
		return err_reason(err, ERR_DATA, "row_text_missing", subject, "%s has no text",
				  subject);
	if (!decimal_fits_scale(row->quantity, TALENOM_QUANTITY_SCALE) ||
	    !decimal_fits_scale(row->unit_price, TALENOM_PRICE_SCALE))
		return too_precise(row, err);
	jsonw_object(w);
	jsonw_kstr(w, "type", "Product");
	jsonw_key(w, "productName");
	jsonw_span(w, name);
	jsonw_kstr(w, "productCode", or_null(row->product_code));
	jsonw_kstr(w, "description", or_null(row->description));
	jsonw_kstr(w, "unit", or_null(row->unit));
	kdecimal(w, "quantity", row->quantity);
	kdecimal(w, "pricePerUnit", row->unit_price);
	kdecimal(w, "discountPercent", row->discount_percent);
	kdecimal(w, "taxPercent", row->vat_rate);
	jsonw_kstr(w, "salesAccountNumber", or_null(row->account));
	jsonw_end_object(w);
	return true;
}

static void write_head(struct json_writer *w, const struct talenom *tn, const struct invoice *inv,
		       const struct talenom_invoice *draft)
{
	jsonw_kstr(w, "id", draft->id);
	jsonw_kstr(w, "rowVersion", draft->row_version);
	jsonw_kstr(w, tn->opt->external_id, draft->external_id);
	jsonw_key(w, "organizationNumber");
	jsonw_raw(w, span_of(tn->organization));
	jsonw_key(w, "number");
	jsonw_raw(w, span_of(inv->number));
	jsonw_kstr(w, "type", inv->is_credit_note ? "Credit" : "Normal");
	jsonw_kstr(w, "invoiceOrigin", "Integration");
	jsonw_kstr(w, "date", inv->issue_date);
	jsonw_kstr(w, "dueDate", or_null(inv->due_date));
	jsonw_kint(w, "paymentTerm", inv->payment_term_days);
	if (inv->has_overdue_interest)
		kdecimal(w, "overdueInterest", inv->overdue_interest);
	jsonw_kstr(w, "deliveryDate", or_null(inv->delivery_date));
	jsonw_kstr(w, "currency", inv->currency);
	jsonw_kstr(w, "referenceNumber", or_null(inv->reference));
	jsonw_kstr(w, "ourReference", or_null(inv->our_reference));
	jsonw_kstr(w, "yourReference", or_null(inv->your_reference));
	jsonw_kstr(w, "orderNumber", or_null(inv->order_number));
	jsonw_kstr(w, "textBefore", or_null(inv->text_before));
	jsonw_kstr(w, "textAfter", or_null(inv->text_after));
	if (inv->is_credit_note && or_null(inv->preceding_number))
		jsonw_kstr(w, "creditedInvoiceNumber", inv->preceding_number);
}

bool talenom_map_content(const struct talenom *tn, const struct invoice *inv,
			 const struct talenom_invoice *draft, struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(tn->at->arena, BODY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	size_t digits = strspn(inv->number, "0123456789");
	/* A number there (§2.1): zeros before it would be lost. */
	if (!digits || inv->number[digits] || (digits > 1 && inv->number[0] == '0'))
		return err_reason(err, ERR_DATA, "number_not_digits", inv->number,
				  "Talenom takes %s for no invoice number", inv->number);
	jsonw_object(&w);
	write_head(&w, tn, inv, draft);
	jsonw_key(&w, "lineItems");
	jsonw_array(&w);
	for (size_t i = 0; i < inv->n_rows; i++)
		if (!write_line(&w, &inv->rows[i], err))
			return false;
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return talenom_finish(&sb, ret, err);
}

/* 0 is Talenom's number of a draft. */
static const char *number_of(const struct json *j)
{
	const char *text = talenom_text(j, "number");
	return strcmp(text, "0") == 0 ? "" : text;
}

bool talenom_read_invoice(const struct talenom_options *opt, const struct json *j,
			  struct talenom_invoice *ret, struct err *err)
{
	static const struct field date = { "date", FIELD_DATE,
					   offsetof(struct talenom_invoice, date), 0, 0 };
	*ret = (struct talenom_invoice) {
		.id = talenom_text(j, "id"),
		.row_version = talenom_text(j, "rowVersion"),
		.external_id = talenom_text(j, opt->external_id),
		.contact_id = talenom_text(j, "contactId"),
		.number = number_of(j),
		.date = "",
		.currency = talenom_text(j, "currency"),
		.reference = talenom_text(j, "referenceNumber"),
		.status = talenom_text(j, "status"),
		.is_paid = strcasecmp(talenom_text(j, "paymentState"), "Paid") == 0,
	};
	ret->is_draft = talenom_is_draft(ret->status);
	ret->is_approved = talenom_is_approved(ret->status);
	if (!json_decode(j, &date, 1, ret, NULL))
		ret->date = "";
	if (!read_decimal(json_get(j, "grossAmount"), &ret->gross))
		ret->gross = DECIMAL_ZERO;
	return ret->id[0] && ret->row_version[0]
		       ? true
		       : err_set(err, ERR_SYSTEM, "Talenom names no id or version of an invoice");
}

bool talenom_check_sum(const struct talenom_invoice *there, const struct invoice *inv,
		       struct err *err)
{
	const struct decimal most = { (__int128)inv->n_rows, 2 };
	struct decimal off;
	char ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX], subject[160];
	if (decimal_sub(there->gross, inv->total_gross, &off) &&
	    decimal_cmp(decimal_abs(off), most) <= 0)
		return true;
	snprintf(subject, sizeof(subject), "%.60s / %.60s",
		 decimal_format(inv->total_gross, 2, '.', ours),
		 decimal_format(there->gross, 2, '.', theirs));
	return err_reason(err, ERR_DATA, "sum_differs_at_target", subject,
			  "invoice %s: Talenom computes another sum: %s", inv->number, subject);
}
