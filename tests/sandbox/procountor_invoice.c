/*
 * procountor_invoice.c: sales invoices of the Procountor stand-in: checked, reckoned and kept as
 * drafts, and their files (facts/procountor.md §6, 8). Two with the same originalInvoiceNumber are
 * taken.
 */
#include "base/base.h"

#include "form.h"
#include "model/identifier.h"
#include "procountor.h"

#define FILE_BYTES_MAX 10000000
#define RATES_MAX 16

/* ---- VAT ----------------------------------------------------------------------------------- */

static const char *const percents[] = { "25.5", "24", "14", "13.5", "10", "0" };
static const struct {
	int64_t status;
	const char *description;
	bool is_taxed;
} statuses[] = {
	{ 1, "Domestic", true },
	{ 3, "Outside of the EU", false },
	{ 5, "EU community sales (product)", false },
	{ 12, "No VAT handling", false },
};

static struct decimal number(const char *text)
{
	struct decimal d;
	return decimal_parse(span_of(text), &d) ? d : DECIMAL_ZERO;
}

bool pc_vat_fits(int64_t status, struct decimal percent)
{
	bool is_enabled = false;
	for (size_t i = 0; i < ARRAY_SIZE(percents); i++)
		is_enabled = is_enabled || decimal_eq(number(percents[i]), percent);
	for (size_t i = 0; is_enabled && i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].is_taxed || !decimal_sign(percent);
	return false;
}

void pc_vats_locked(struct pc_call *pc)
{
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "vatInformation");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_kstr(&w, "country", "Finland");
	jsonw_key(&w, "percentages");
	jsonw_array(&w);
	for (size_t i = 0; i < ARRAY_SIZE(percents); i++) {
		jsonw_object(&w);
		jsonw_key(&w, "vatPercent");
		jsonw_decimal(&w, number(percents[i]));
		jsonw_kbool(&w, "sales", true);
		jsonw_kbool(&w, "purchase", true);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	jsonw_end_array(&w);
	jsonw_key(&w, "vatStatuses");
	jsonw_array(&w);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		jsonw_object(&w);
		jsonw_kint(&w, "vatStatus", statuses[i].status);
		jsonw_kstr(&w, "description", statuses[i].description);
		jsonw_kbool(&w, "sales", true);
		jsonw_kbool(&w, "purchase", false);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	reply_json(pc->c, 200, &sb);
}

/* ---- checks -------------------------------------------------------------------------------- */

static const char *text_at(const struct json *j, const char *path)
{
	const char *text = json_str(json_at(j, path));
	return text ? text : "";
}

static bool is_date(const char *text)
{
	int y, m, d;
	return clock_parse_date(span_of(text), &y, &m, &d);
}

static void check_head(struct pc_problems *pr, const struct json *j)
{
	static const char *const needed[] = {
		"type",
		"date",
		"counterParty.counterPartyAddress.name",
		"paymentInfo.paymentMethod",
		"paymentInfo.currency",
		"paymentInfo.dueDate",
		"paymentInfo.currencyRate",
		"extraInfo.accountingByRow",
		"extraInfo.unitPricesIncludeVat",
		"discountPercent",
		"invoiceRows",
		"vatStatus",
		"invoiceChannel",
		"language",
	};
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		pc_need(pr, j, needed[i]);
	if (strcmp(text_at(j, "type"), "SALES_INVOICE") != 0)
		pc_problem(pr, "type", "The value is invalid.");
}

static void check_dates(struct pc_problems *pr, const struct pc_company *co, const struct json *j)
{
	const char *date = text_at(j, "date"), *due = text_at(j, "paymentInfo.dueDate");
	if (!is_date(date))
		pc_problem(pr, "date", "The value is invalid.");
	else if (co->locked_until && strcmp(date, co->locked_until) <= 0)
		pc_problem(pr, "date", "CLOSED_FISCAL_PERIOD");
	if (!is_date(due))
		pc_problem(pr, "paymentInfo.dueDate", "The value is invalid.");
	else if (strcmp(due, date) < 0)
		pc_problem(pr, "paymentInfo.dueDate", "DUE_DATE_BEFORE_BILL_DATE");
}

/* An address that stands there has a country (§6.2); an empty object is none. */
static void check_addresses(struct pc_problems *pr, const struct json *j)
{
	static const char *const places[] = { "counterParty.counterPartyAddress", "billingAddress",
					      "deliveryAddress" };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct json *a = json_at(j, places[i]);
		if (json_size(a) && !pc_has(a, "country"))
			pc_problem(pr, arena_printf(pr->arena, "%s.country", places[i]),
				   "Value of the country cannot be blank.");
	}
}

static void check_channel(struct pc_problems *pr, const struct json *j)
{
	const char *channel = text_at(j, "invoiceChannel");
	if (strcmp(channel, "EMAIL") == 0)
		pc_need(pr, j, "counterParty.email");
	if (strcmp(channel, "ELECTRONIC_INVOICE") == 0) {
		pc_need(pr, j, "counterParty.einvoiceAddress.address");
		pc_need(pr, j, "counterParty.einvoiceAddress.operator");
	}
	if (pc_has(j, "counterParty.email") && !strchr(text_at(j, "counterParty.email"), '@'))
		pc_problem(pr, "counterParty.email", "The value is invalid.");
}

static void check_payment(struct pc_problems *pr, const struct pc_company *co, const struct json *j)
{
	const char *reference = text_at(j, "paymentInfo.bankReferenceCode");
	const char *iban = text_at(j, "paymentInfo.bankAccount.accountNumber");
	if (reference[0] && !identifier_is(ID_FI_REFERENCE, reference) &&
	    !identifier_is(ID_RF, reference))
		pc_problem(pr, "paymentInfo.bankReferenceCode", "The value is invalid.");
	if (strcmp(iban, co->iban) != 0)
		pc_problem(pr, "paymentInfo.bankAccount.accountNumber", "The value is invalid.");
}

static void check_partner(struct pc_problems *pr, struct pc_company *co, const struct json *j)
{
	int64_t id;
	const struct json *partner = json_get(j, "partnerId");
	if (!json_is_null(partner) &&
	    (!json_int64(partner, &id) || !pc_record_locked(co, PC_PARTNER, id)))
		pc_problem(pr, "partnerId", "No partner found for given id.");
}

static void check_row(struct pc_problems *pr, struct pc_company *co, int64_t vat_status,
		      const struct json *row, size_t i)
{
	static const char *const needed[] = { "product",   "quantity",	      "unit",
					      "unitPrice", "discountPercent", "vatPercent" };
	struct decimal vat;
	int64_t id;
	for (size_t k = 0; k < ARRAY_SIZE(needed); k++)
		if (json_is_null(json_get(row, needed[k])))
			pc_problem(pr, arena_printf(pr->arena, "invoiceRows[%zu].%s", i, needed[k]),
				   "This field is required.");
	if (!json_decimal(json_get(row, "vatPercent"), &vat) || !pc_vat_fits(vat_status, vat))
		pc_problem(pr, arena_printf(pr->arena, "invoiceRows[%zu].vatStatus", i),
			   "ERROR_VATSTATUS_VATPERC");
	const struct json *product = json_get(row, "productId");
	if (!json_is_null(product) &&
	    (!json_int64(product, &id) || !pc_record_locked(co, PC_PRODUCT, id)))
		pc_problem(pr, arena_printf(pr->arena, "invoiceRows[%zu].productId", i),
			   "No product found for given id.");
}

static bool check(struct pc_call *pc, const struct json *j)
{
	struct pc_problems pr = { .arena = pc->c->arena };
	int64_t vat_status = 0;
	size_t i = 0;
	pc_check_texts(&pr, PC_INVOICE, j);
	check_head(&pr, j);
	check_dates(&pr, pc->company, j);
	check_addresses(&pr, j);
	check_channel(&pr, j);
	check_payment(&pr, pc->company, j);
	check_partner(&pr, pc->company, j);
	if (!json_int64(json_get(j, "vatStatus"), &vat_status))
		pc_problem(&pr, "vatStatus", "The value is invalid.");
	if (!json_size(json_get(j, "invoiceRows")))
		pc_problem(&pr, "invoiceRows", "An invoice must have at least one row.");
	const struct json *row = json_first(json_get(j, "invoiceRows"));
	for (; row; row = json_next(row))
		check_row(&pr, pc->company, vat_status, row, i++);
	return pc_check_end(pc, &pr);
}

/* ---- sums ---------------------------------------------------------------------------------- */

struct sums {
	struct decimal rates[RATES_MAX], nets[RATES_MAX];
	size_t n;
	struct decimal net, vat;
};

static struct decimal of(const struct json *j, const char *key)
{
	struct decimal d;
	return json_decimal(json_get(j, key), &d) ? d : DECIMAL_ZERO;
}

static struct decimal times(struct decimal a, struct decimal b)
{
	struct decimal d;
	return decimal_mul(a, b, &d) ? d : DECIMAL_ZERO;
}

static struct decimal plus(struct decimal a, struct decimal b)
{
	struct decimal d;
	return decimal_add(a, b, &d) ? d : DECIMAL_ZERO;
}

static const struct decimal hundredth = { 1, 2 };

static void add_row(struct sums *s, const struct json *row)
{
	struct decimal share = plus(decimal_of(100), decimal_neg(of(row, "discountPercent")));
	struct decimal net = times(of(row, "quantity"), of(row, "unitPrice"));
	struct decimal rate = of(row, "vatPercent");
	size_t i = 0;
	net = decimal_round(times(net, times(share, hundredth)), 2);
	while (i < s->n && !decimal_eq(s->rates[i], rate))
		i++;
	if (i == RATES_MAX)
		return;
	if (i == s->n) {
		s->rates[i] = rate;
		s->nets[i] = DECIMAL_ZERO;
		s->n++;
	}
	s->nets[i] = plus(s->nets[i], net);
	s->net = plus(s->net, net);
}

static void write_sums(struct json_writer *w, const struct json *j)
{
	struct sums s = { .n = 0 };
	const struct json *row = json_first(json_get(j, "invoiceRows"));
	for (; row; row = json_next(row))
		add_row(&s, row);
	for (size_t i = 0; i < s.n; i++)
		s.vat = plus(s.vat,
			     decimal_round(times(s.nets[i], times(s.rates[i], hundredth)), 2));
	jsonw_key(w, "invoiceSumInfo");
	jsonw_array(w);
	jsonw_object(w);
	jsonw_kstr(w, "currency", text_at(j, "paymentInfo.currency"));
	jsonw_kbool(w, "inAccountingCurrency", true);
	jsonw_key(w, "excludingVatTotal");
	jsonw_decimal(w, s.net);
	jsonw_key(w, "vatSumTotal");
	jsonw_decimal(w, s.vat);
	jsonw_key(w, "invoiceSumTotal");
	jsonw_decimal(w, plus(s.net, s.vat));
	jsonw_end_object(w);
	jsonw_end_array(w);
}

/* ---- making -------------------------------------------------------------------------------- */

/* What Procountor adds by itself; members that no client knows among them. */
static const struct json *extra_of(struct pc_call *pc, const struct json *j)
{
	struct pc_company *co = pc->company;
	struct strbuf sb = STRBUF_INIT(pc->c->arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *extra;
	char reference[32];
	int64_t number = co->next_number++;
	jsonw_object(&w);
	jsonw_kstr(&w, "status", "UNFINISHED");
	jsonw_kint(&w, "invoiceNumber", number);
	jsonw_kint(&w, "ledgerReceiptId", 1200000 + number);
	jsonw_kint(&w, "creatorId", co->user);
	jsonw_key(&w, "factoringContractId");
	jsonw_null(&w);
	jsonw_key(&w, "invoiceCirculation");
	jsonw_object(&w);
	jsonw_end_object(&w);
	jsonw_key(&w, "attachments");
	jsonw_array(&w);
	jsonw_end_array(&w);
	write_sums(&w, j);
	const struct json *asked = json_at(j, "paymentInfo.bankReferenceCode");
	if (json_str(asked) && !json_str(asked)[0]) {
		reference_number(10000 + number, reference, sizeof(reference));
		jsonw_key(&w, "paymentInfo");
		jsonw_object(&w);
		jsonw_kstr(&w, "bankReferenceCode", reference);
		jsonw_end_object(&w);
	}
	jsonw_end_object(&w);
	return json_parse(pc->c->arena, strbuf_span(&sb), JSON_LIMITS_VENDOR, &extra, NULL) ? extra
											    : NULL;
}

static void answer(struct pc_call *pc, const struct pc_record *r)
{
	if (r)
		reply_bytes(pc->c, 200, "application/json", span_of(r->json));
	else
		reply_empty(pc->c, 500);
}

void pc_add_invoice_locked(struct pc_call *pc)
{
	const struct json *j = pc_body(pc);
	if (!j || !check(pc, j))
		return;
	const struct json *extra = extra_of(pc, j);
	pc->company->registers[PC_INVOICE].added++;
	answer(pc,
	       extra ? pc_put_locked(pc->p, pc->company, PC_INVOICE, NULL, j, extra, pc->c->arena)
		     : NULL);
}

/* ---- files --------------------------------------------------------------------------------- */

/* The invoice's list with one more. */
static const struct json *with_file(struct pc_call *pc, const struct pc_record *r,
				    const struct json *meta, const struct json **ret_whole)
{
	struct arena *arena = pc->c->arena;
	struct strbuf sb = STRBUF_INIT(arena, 4 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *extra;
	if (!json_parse(arena, span_of(r->json), JSON_LIMITS_VENDOR, ret_whole, NULL))
		return NULL;
	jsonw_object(&w);
	jsonw_key(&w, "attachments");
	jsonw_array(&w);
	const struct json *a = json_first(json_get(*ret_whole, "attachments"));
	for (; a; a = json_next(a))
		jsonw_node(&w, a);
	jsonw_node(&w, meta);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return json_parse(arena, strbuf_span(&sb), JSON_LIMITS_VENDOR, &extra, NULL) ? extra : NULL;
}

void pc_attach_locked(struct pc_call *pc)
{
	struct form form;
	struct pc_problems pr = { .arena = pc->c->arena };
	const struct json *meta, *whole;
	int64_t id = 0;
	if (!form_parse(pc->c, &form) || !form_field(&form, "file") ||
	    !json_parse(pc->c->arena, span_of(form_text(pc->c->arena, &form, "meta")),
			JSON_LIMITS_VENDOR, &meta, NULL)) {
		pc_fail(pc, 400, NULL, "meta and file are required.");
		return;
	}
	pc_check_texts(&pr, PC_INVOICE, meta);
	pc_need(&pr, meta, "name");
	pc_need(&pr, meta, "sendWithInvoice");
	if (strcmp(text_at(meta, "referenceType"), "INVOICE") != 0)
		pc_problem(&pr, "referenceType", "The value is invalid.");
	if (form_field(&form, "file")->value.n > FILE_BYTES_MAX)
		pc_problem(&pr, "file", "file size too big");
	struct pc_record *r = json_int64(json_get(meta, "referenceId"), &id)
				      ? pc_record_locked(pc->company, PC_INVOICE, id)
				      : NULL;
	if (!r)
		pc_problem(&pr, "referenceId", "The value is invalid.");
	if (!pc_check_end(pc, &pr) || !r)
		return;
	const struct json *extra = with_file(pc, r, meta, &whole);
	pc->company->attachments++;
	answer(pc,
	       extra ? pc_put_locked(pc->p, pc->company, PC_INVOICE, r, whole, extra, pc->c->arena)
		     : NULL);
}
