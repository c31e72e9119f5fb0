/*
 * write.c: cards and invoices as Procountor's JSON (facts/procountor.md §5 to 7). Pure. Lengths are
 * the vendor's; what does not fit is refused with the field's name (text.c). Optional members are
 * left out when they are empty: sent empty they break the vendor's checks (§10.4).
 */
#include "base/base.h"
#include "procountor_internal.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "formats/text.h"

#define COMMENT_MAX 512
#define BLOCK_MAX 10000
#define DUE_DAYS_MAX 999

/* ---- addresses ----------------------------------------------------------------------------- */

/* The country always goes along: an address without one was refused (§6.2). */
static void put_country(struct procountor_form *f, const struct address *a)
{
	const char *name = procountor_country_name(a->country_code);
	if (!name && procountor_country_code(a->country_name))
		name = a->country_name;
	if (!name)
		procountor_form_fail(f, "country_unknown", "country",
				     a->country_code ? a->country_code : "");
	procountor_put(f, "country", name, 0);
}

/* name: where the place has none of its own. */
static void put_address(struct procountor_form *f, const char *key,
			const struct procountor_place *place, const char *name)
{
	procountor_form_open(f, key);
	procountor_put_needed(f, "name", place->name ? place->name : name, 80);
	procountor_put(f, "specifier", place->specifier, 80);
	procountor_put(f, "street", place->at.street, 80);
	procountor_put(f, "zip", place->at.postcode, 20);
	procountor_put(f, "city", place->at.city, 40);
	procountor_put(f, "subdivision", place->at.region, 35);
	put_country(f, &place->at);
	procountor_form_close(f);
}

static void put_place(struct procountor_form *f, const char *key,
		      const struct procountor_place *place, const char *name)
{
	if (procountor_has_place(place))
		put_address(f, key, place, name);
}

/* ---- partners ------------------------------------------------------------------------------ */

static void put_invoicing(struct procountor_form *f, const struct procountor_options *conf,
			  const struct procountor_partner *c)
{
	const char *type = c->identifier_type ? c->identifier_type : conf->identifier_type;
	procountor_form_open(f, "invoicingInfo");
	procountor_put(f, "customerNumber", c->customer_number, 0);
	procountor_put(f, "identifier", c->business_id, 0);
	procountor_put(f, "identifierType", c->business_id ? type : NULL, 0);
	procountor_put(f, "invoiceChannel", c->channel, 0);
	procountor_put(f, "language", procountor_language_name(c->language), 0);
	procountor_put(f, "email", c->email, 0);
	procountor_put(f, "einvoiceAddress", c->einvoice_address, 0);
	procountor_put(f, "einvoiceOperator", c->einvoice_operator, 0);
	procountor_form_close(f);
}

/* The method is needed wherever payment data go along. */
static void put_payment(struct procountor_form *f, const struct procountor_partner *c)
{
	procountor_form_open(f, "paymentInfo");
	procountor_put_needed(f, "paymentMethod", c->payment_method, 0);
	procountor_put(f, "currency", c->currency, 0);
	procountor_put(f, "paymentTermDays", c->payment_term_days, 0);
	procountor_form_close(f);
}

/* What only a new card is given: a change leaves it to the people at Procountor. */
static void put_new(struct procountor_form *f, const struct procountor_partner *c)
{
	put_place(f, "billingAddress", &c->billing, c->name);
	put_place(f, "deliveryAddress", &c->delivery, c->name);
	procountor_form_open(f, "registryInfo");
	jsonw_kbool(&f->w, "active", true);
	procountor_put(f, "phone", c->phone, 40);
	procountor_form_close(f);
	if (!c->contact_name)
		return;
	procountor_form_list(f, "contactPersons");
	procountor_form_item(f, "contactPersons", 0);
	procountor_put(f, "name", c->contact_name, 80);
	procountor_put(f, "email", c->contact_email, 80);
	procountor_put(f, "phone", c->contact_phone, 40);
	procountor_form_close(f);
	jsonw_end_array(&f->w);
}

bool procountor_write_partner(struct arena *arena, const struct procountor_options *conf,
			      const struct procountor_partner *partner, bool is_new,
			      struct span *ret, struct err *err)
{
	struct procountor_form f = PROCOUNTOR_FORM_INIT(arena, err);
	procountor_form_begin(&f);
	procountor_put_needed(&f, "name", partner->name, 80);
	procountor_put(&f, "type", "CUSTOMER", 0);
	if (is_new) /* a customer has an address; at least its country is told */
		put_address(&f, "address", &partner->address, partner->name);
	else
		put_place(&f, "address", &partner->address, partner->name);
	put_invoicing(&f, conf, partner);
	if (is_new || partner->payment_method)
		put_payment(&f, partner);
	if (is_new)
		put_new(&f, partner);
	return procountor_form_end(&f, ret);
}

/* ---- products ------------------------------------------------------------------------------ */

static void put_unit(struct procountor_form *f, const char *text, const char *fallback)
{
	const char *unit = procountor_unit(text);
	procountor_put_needed(f, "unit", unit ? unit : fallback, 0);
}

bool procountor_write_product(struct arena *arena, const struct procountor_options *conf,
			      const struct product *product,
			      const struct procountor_product_options *opt, struct span *ret,
			      struct err *err)
{
	struct procountor_form f = PROCOUNTOR_FORM_INIT(arena, err);
	procountor_form_begin(&f);
	procountor_put(&f, "type", "SALES", 0);
	procountor_put_needed(&f, "name", product->name, 100);
	procountor_put(&f, "code", product->code, 40);
	put_unit(&f, product->unit, opt->unit);
	jsonw_kint(&f.w, "discount", 0);
	procountor_put_number(&f, "price", product->unit_price, (unsigned)conf->decimals);
	procountor_put_number(&f, "vat", product->vat_rate, 2);
	jsonw_kbool(&f.w, "active", product->is_active);
	procountor_put_needed(&f, "currency", opt->currency, 0);
	if (opt->vat_status)
		jsonw_kint(&f.w, "vatStatus", opt->vat_status);
	procountor_put_id(&f, "productGroupId", opt->group_id);
	return procountor_form_end(&f, ret);
}

/* ---- invoices ------------------------------------------------------------------------------ */

struct draft {
	struct procountor_form f;
	const struct procountor_options *conf;
	const struct invoice *inv;
	const struct procountor_invoice_options *opt;
	const char *channel;
};

/* Only these may be asked for (§6.2); a draft is safe with none. */
static const char *channel_of(const struct procountor_invoice_options *opt)
{
	static const char *const channels[] = { "EMAIL", "MAIL", "ELECTRONIC_INVOICE" };
	const char *want = opt->channel ? opt->channel : opt->partner->channel;
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++)
		if (str_eq(want, channels[i]))
			return channels[i];
	return "NO_SENDING";
}

static void put_buyer(struct draft *d)
{
	const struct procountor_partner *c = d->opt->partner;
	bool is_einvoice = strcmp(d->channel, "ELECTRONIC_INVOICE") == 0;
	procountor_put_id(&d->f, "partnerId", c->id);
	procountor_form_open(&d->f, "counterParty");
	procountor_put(&d->f, "contactPersonName", c->contact_name, 70);
	procountor_put(&d->f, "identifier", c->business_id, 0);
	procountor_put(&d->f, "customerNumber", c->customer_number, 0);
	if (strcmp(d->channel, "EMAIL") == 0)
		procountor_put_needed(&d->f, "email", c->email, 0);
	else
		procountor_put(&d->f, "email", c->email, 0);
	put_address(&d->f, "counterPartyAddress", &c->address, c->name);
	if (is_einvoice && !c->einvoice_address)
		procountor_form_fail(&d->f, "einvoice_address_missing", "einvoiceAddress", "");
	if (is_einvoice) {
		procountor_form_open(&d->f, "einvoiceAddress");
		procountor_put(&d->f, "operator", c->einvoice_operator, 0);
		procountor_put(&d->f, "address", c->einvoice_address, 0);
		procountor_form_close(&d->f);
	}
	procountor_form_close(&d->f);
}

/* Left out means the buyer's own, an empty object none (§6.2). */
static void put_addresses(struct draft *d)
{
	const struct procountor_place delivery = { .name = d->inv->delivery_name,
						   .at = d->inv->delivery };
	put_place(&d->f, "billingAddress", &d->opt->partner->billing, d->opt->partner->name);
	if (procountor_has_place(&delivery)) {
		put_place(&d->f, "deliveryAddress", &delivery, d->opt->partner->name);
	} else {
		jsonw_key(&d->f.w, "deliveryAddress");
		jsonw_object(&d->f.w);
		jsonw_end_object(&d->f.w);
	}
}

static int64_t day_of(const char *date)
{
	int y, m, d;
	return date && clock_parse_date(span_of(date), &y, &m, &d)
		       ? clock_from_utc(y, m, d, 0, 0, 0) / 86400000
		       : 0;
}

static void put_due_date(struct draft *d)
{
	const char *date = d->inv->due_date;
	int64_t days = day_of(date) - day_of(d->inv->issue_date);
	if (!date || !date[0])
		procountor_form_fail(&d->f, "date_missing", "dueDate", "");
	else if (days < 0 || days > DUE_DAYS_MAX)
		procountor_form_fail(&d->f, "date_invalid", "dueDate", date);
	procountor_put_date(&d->f, "dueDate", date);
}

/* The reference is left to Procountor by an empty text; left out, there would be none (§6.2). */
static void put_payment_info(struct draft *d)
{
	const struct invoice *inv = d->inv;
	bool has_rate = decimal_sign(inv->currency_rate) > 0;
	const char *iban = identifier_compact(d->f.sb.arena, d->opt->iban ? d->opt->iban : "");
	procountor_form_open(&d->f, "paymentInfo");
	procountor_put(&d->f, "paymentMethod", "BANK_TRANSFER", 0);
	procountor_put_needed(&d->f, "currency", inv->currency, 0);
	put_due_date(d);
	procountor_put_number(&d->f, "currencyRate", has_rate ? inv->currency_rate : decimal_of(1),
			      DECIMAL_MAX_SCALE);
	if (!iban || !iban[0])
		procountor_form_fail(&d->f, "bank_account_missing", "bankAccount", "");
	procountor_form_open(&d->f, "bankAccount");
	procountor_put(&d->f, "accountNumber", iban, 0);
	procountor_form_close(&d->f);
	if (inv->reference && inv->reference[0])
		procountor_put(&d->f, "bankReferenceCode", inv->reference, 0);
	else
		jsonw_kstr(&d->f.w, "bankReferenceCode", "");
	procountor_form_close(&d->f);
}

static void put_extra(struct draft *d)
{
	procountor_form_open(&d->f, "extraInfo");
	jsonw_kbool(&d->f.w, "accountingByRow", false);
	jsonw_kbool(&d->f.w, "unitPricesIncludeVat", false);
	procountor_form_close(&d->f);
	jsonw_kint(&d->f.w, "discountPercent", 0);
	if (d->inv->has_overdue_interest)
		procountor_put_number(&d->f, "penaltyPercent", d->inv->overdue_interest, 2);
}

static void put_references(struct draft *d)
{
	const struct invoice *inv = d->inv;
	procountor_put(&d->f, "orderReference", inv->order_number, 70);
	procountor_put(&d->f, "orderNumber", inv->order_number, 70);
	procountor_put(&d->f, "agreementNumber", inv->contract_number, 70);
	procountor_put(&d->f, "sellerReferenceIdentifier", inv->our_reference, 70);
	procountor_put(&d->f, "buyerReferenceIdentifier", inv->your_reference, 70);
	procountor_put_needed(&d->f, "originalInvoiceNumber", inv->number, 40);
	procountor_put_date(&d->f, "deliveryStartDate",
			    inv->period_start ? inv->period_start : inv->delivery_date);
	procountor_put_date(&d->f, "deliveryEndDate",
			    inv->period_end ? inv->period_end : inv->delivery_date);
}

static void put_texts(struct draft *d)
{
	struct arena *arena = d->f.sb.arena;
	const char *printed = text_join(arena, text_block(arena, d->inv->text_before), "\n",
					text_block(arena, d->inv->text_after));
	const char *language = procountor_language_name(d->inv->language);
	if (!language)
		language = procountor_language_name(d->opt->partner->language);
	if (!language)
		language = procountor_language_name(d->opt->language);
	procountor_put_block(&d->f, "additionalInformation", span_of(printed), BLOCK_MAX);
	procountor_put_block(&d->f, "notes", span_of(text_block(arena, d->inv->notes)), BLOCK_MAX);
	procountor_put_needed(&d->f, "language", language, 0);
}

/* A comment's first part, ended at a blank where there is one. */
static size_t comment_end(struct span text)
{
	size_t n = utf8_prefix(text, COMMENT_MAX);
	if (n == 0 || n == text.n)
		return text.n;
	size_t at = n;
	while (at > 0 && text.p[at] != ' ' && text.p[at] != '\n')
		at--;
	return at ? at : n;
}

/* Printed below the row; what a comment cannot hold goes on in the next text of the row. */
static void put_comment(struct draft *d, const struct invoice_row *row)
{
	bool is_name = str_eq(row->description, row->name);
	const char *text = is_name ? NULL : text_block(d->f.sb.arena, row->description);
	if (!text)
		return;
	size_t n = comment_end(span_of(text));
	procountor_put_block(&d->f, "comment", (struct span) { text, n }, COMMENT_MAX);
	text += n;
	procountor_put_block(&d->f, "explanationText", span_of(text + strspn(text, " \n")),
			     COMMENT_MAX);
}

/* The vendor's rows have a percentage alone. */
static void put_discount(struct draft *d, const struct invoice_row *row)
{
	if (decimal_sign(row->discount_amount) && !d->f.failed)
		d->f.failed = !err_set(d->f.err, ERR_SYSTEM,
				       "%sdiscountPercent: a discount in money cannot be told",
				       d->f.place);
	procountor_put_number(&d->f, "discountPercent", row->discount_percent, 4);
}

static void put_row(struct draft *d, size_t i)
{
	const struct invoice_row *row = &d->inv->rows[i];
	unsigned decimals = (unsigned)d->conf->decimals;
	procountor_form_item(&d->f, "invoiceRows", i);
	procountor_put_id(&d->f, "productId", d->opt->product_ids ? d->opt->product_ids[i] : NULL);
	if (!row->name || !row->name[0])
		procountor_form_fail(&d->f, "row_text_missing", "product", "");
	procountor_put(&d->f, "product", row->name, 100);
	procountor_put(&d->f, "productCode", row->product_code, 40);
	procountor_put_number(&d->f, "quantity", row->quantity, decimals);
	put_unit(&d->f, row->unit, d->opt->unit);
	procountor_put_number(&d->f, "unitPrice", row->unit_price, decimals);
	put_discount(d, row);
	if (!row->has_vat_rate)
		procountor_form_fail(&d->f, "vat_rate_missing", "vatPercent", "");
	procountor_put_number(&d->f, "vatPercent", row->vat_rate, 2);
	put_comment(d, row);
	procountor_form_close(&d->f);
}

static void put_rows(struct draft *d)
{
	if (!d->inv->n_rows)
		procountor_form_fail(&d->f, "rows_missing", "invoiceRows", "");
	procountor_form_list(&d->f, "invoiceRows");
	for (size_t i = 0; i < d->inv->n_rows; i++)
		put_row(d, i);
	jsonw_end_array(&d->f.w);
}

bool procountor_map_invoice(struct arena *arena, const struct procountor_options *conf,
			    const struct invoice *inv, const struct procountor_invoice_options *opt,
			    struct span *ret, struct err *err)
{
	struct draft d = { .f = PROCOUNTOR_FORM_INIT(arena, err),
			   .conf = conf,
			   .inv = inv,
			   .opt = opt,
			   .channel = channel_of(opt) };
	procountor_form_begin(&d.f);
	procountor_put(&d.f, "type", "SALES_INVOICE", 0);
	procountor_put(&d.f, "status", "UNFINISHED", 0);
	if (!inv->issue_date || !inv->issue_date[0])
		procountor_form_fail(&d.f, "date_missing", "date", "");
	procountor_put_date(&d.f, "date", inv->issue_date);
	put_buyer(&d);
	put_addresses(&d);
	put_payment_info(&d);
	put_extra(&d);
	put_references(&d);
	jsonw_kint(&d.f.w, "vatStatus", opt->vat_status);
	procountor_put(&d.f, "invoiceChannel", d.channel, 0);
	put_texts(&d);
	put_rows(&d);
	return procountor_form_end(&d.f, ret);
}
