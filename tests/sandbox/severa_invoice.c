/*
 * severa_invoice.c: composes an invoice with its rows, settings and totals (facts/severa.md
 * §3.2, 3.3).
 *
 * Totals: a row's net is quantity times unit price rounded to cents; tax is made per rate over the
 * rows' nets. A row without a price or rate counts as 0. All in exact decimals.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "severa_invoice.h"

#define MAX_RATES 8

struct composer {
	struct severa_tenant *t;
	const struct invoice_plan *plan;
	struct arena *arena;
	struct err *err;
	char guid[UUID_TEXT];
	char when[CLOCK_RFC3339_MAX];
	struct span *rows; /* JSON texts */
	char (*row_guids)[UUID_TEXT];
	size_t n_rows;
	struct decimal net, tax, gross;
	struct {
		struct decimal rate, net;
	} rates[MAX_RATES];
	size_t n_rates;
};

static bool parse(struct composer *co, struct span text, const struct json **ret)
{
	return json_parse(co->arena, text, (struct json_limits) { 4u << 20, 32 }, ret, co->err);
}

static void write_money(struct json_writer *w, const char *key, struct decimal amount,
			const char *currency)
{
	jsonw_key(w, key);
	jsonw_object(w);
	jsonw_key(w, "amount");
	jsonw_decimal(w, amount);
	jsonw_kstr(w, "currencyCode", currency);
	jsonw_end_object(w);
}

static void key_raw(struct json_writer *w, const char *key, const char *json)
{
	jsonw_key(w, key);
	jsonw_raw(w, span_of(json ? json : "null"));
}

static void write_times(struct composer *co, struct json_writer *w)
{
	int64_t created_ms = 0;
	if (co->t->created_ahead_s && clock_parse_rfc3339(span_of(co->when), &created_ms))
		jsonw_ktime(w, "createdDateTime", created_ms + co->t->created_ahead_s * 1000);
	else
		jsonw_kstr(w, "createdDateTime", co->when);
	jsonw_kstr(w, "lastUpdatedDateTime", co->when);
}

static const char *category_of(const char *type)
{
	if (strcmp(type, "Hours") == 0)
		return "Hours";
	return strcmp(type, "TravelExpenses") == 0 ? "Travels" : "ProjectFees";
}

static const struct seed_row default_row = { "ProjectFees", { NULL }, "Palvelu", "1",
					     "kpl",	    "100.0",  "25.5" };

/* The sales account of a VAT rate, as a Finnish bookkeeper sets them up at a product. */
static const char *account_of(const char *vat)
{
	static const char *const accounts[][2] = {
		{ "14", "3010" }, { "13.5", "3012" }, { "10", "3020" }, { "0", "3100" }
	};
	for (size_t i = 0; vat && i < ARRAY_SIZE(accounts); i++)
		if (strcmp(accounts[i][0], vat) == 0)
			return accounts[i][1];
	return "3000";
}

static void write_row(struct composer *co, struct json_writer *w, size_t i,
		      const struct seed_row *row)
{
	static const char *const nulls[] = { "flatRateGuid", "costCenter", "vatAccount",
					     "recurringSalesAccount", "salesReceivableAccount" };
	jsonw_object(w);
	jsonw_kstr(w, "guid", co->row_guids[i]);
	jsonw_kstr(w, "invoiceGuid", co->guid);
	jsonw_kstr(w, "rowType", row->type);
	jsonw_kstr(w, "category", category_of(row->type));
	jsonw_kstr(w, "description", row->text);
	key_raw(w, "quantity", row->quantity);
	jsonw_key(w, "unitPrice");
	jsonw_object(w);
	key_raw(w, "amount", row->price);
	jsonw_kstr(w, "currencyCode", co->plan->currency);
	jsonw_end_object(w);
	jsonw_kstr(w, "measurementUnit", row->unit);
	key_raw(w, "vatRate", row->vat);
	jsonw_kint(w, "sortOrder", (int64_t)i + 1);
	jsonw_key(w, "code");
	jsonw_array(w);
	for (size_t k = 0; k < ARRAY_SIZE(row->codes) && row->codes[k]; k++)
		jsonw_str(w, row->codes[k]);
	jsonw_end_array(w);
	jsonw_key(w, "salesAccount");
	jsonw_object(w);
	jsonw_kstr(w, "number", account_of(row->vat));
	jsonw_kstr(w, "name", "Myynti");
	jsonw_end_object(w);
	for (size_t k = 0; k < ARRAY_SIZE(nulls); k++)
		key_raw(w, nulls[k], "null");
	jsonw_kbool(w, "hasInvoiceComment", false);
	write_times(co, w);
	jsonw_end_object(w);
}

static struct decimal number_at(const struct json *j, const char *path)
{
	struct decimal d;
	return json_decimal(json_at(j, path), &d) ? d : DECIMAL_ZERO;
}

static bool add_to_totals(struct composer *co, const struct json *row)
{
	struct decimal net;
	struct decimal rate = number_at(row, "vatRate");
	if (!decimal_mul(number_at(row, "quantity"), number_at(row, "unitPrice.amount"), &net))
		return err_set(co->err, ERR_INPUT, "a row's sum is too large");
	net = decimal_round(net, 2);
	size_t i = 0;
	while (i < co->n_rates && !decimal_eq(co->rates[i].rate, rate))
		i++;
	if (i == MAX_RATES)
		return err_set(co->err, ERR_INPUT, "more than %d VAT rates", MAX_RATES);
	if (i == co->n_rates) {
		co->rates[i].rate = rate;
		co->rates[i].net = DECIMAL_ZERO;
		co->n_rates++;
	}
	return decimal_add(co->rates[i].net, net, &co->rates[i].net) &&
	       decimal_add(co->net, net, &co->net);
}

static bool compose_row(struct composer *co, size_t i, const struct seed_row *base,
			const struct json *over)
{
	sign_uuid4(co->row_guids[i]);
	if (co->plan->name) {
		char name[128];
		snprintf(name, sizeof(name), "%s/%zu", co->plan->name, i);
		severa_guid(co->t, "row", name, co->row_guids[i]);
	}
	struct strbuf sb = STRBUF_INIT(co->arena, 1u << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	write_row(co, &w, i, base);
	const struct json *row = NULL;
	if (!parse(co, strbuf_span(&sb), &row))
		return false;
	co->rows[i] = strbuf_span(&sb);
	if (over) {
		struct strbuf merged = STRBUF_INIT(co->arena, 1u << 20);
		struct json_writer mw = JSON_WRITER_INIT(&merged);
		json_merge(&mw, row, over);
		if (!parse(co, strbuf_span(&merged), &row))
			return false;
		co->rows[i] = strbuf_span(&merged);
	}
	return add_to_totals(co, row);
}

static bool compose_rows(struct composer *co)
{
	const struct invoice_plan *plan = co->plan;
	co->n_rows = plan->row_json ? json_size(plan->row_json) : plan->n_rows;
	co->rows = arena_alloc_array(co->arena, co->n_rows + 1, sizeof(*co->rows));
	co->row_guids = arena_alloc_array(co->arena, co->n_rows + 1, sizeof(*co->row_guids));
	if (!co->rows || !co->row_guids)
		return err_set(co->err, ERR_LIMIT, "too many rows");
	const struct json *over = json_first(plan->row_json);
	for (size_t i = 0; i < co->n_rows; i++) {
		const struct seed_row *base = plan->row_json ? &default_row : &plan->rows[i];
		if (!compose_row(co, i, base, over))
			return false;
		over = over ? json_next(over) : NULL;
	}
	return true;
}

static bool finish_totals(struct composer *co)
{
	static const struct decimal hundred = { 100, 0 };
	struct decimal off = DECIMAL_ZERO;
	if (co->plan->off && !decimal_parse(span_of(co->plan->off), &off))
		return err_set(co->err, ERR_INPUT, "off is no number");
	for (size_t i = 0; i < co->n_rates; i++) {
		struct decimal tax;
		if (!decimal_mul(co->rates[i].net, co->rates[i].rate, &tax) ||
		    !decimal_div(tax, hundred, 2, &tax) || !decimal_add(co->tax, tax, &co->tax))
			return err_set(co->err, ERR_INPUT, "the total is too large");
	}
	if (!decimal_add(co->net, off, &co->net) || !decimal_add(co->net, co->tax, &co->gross))
		return err_set(co->err, ERR_INPUT, "the total is too large");
	return true;
}

/* ---- the invoice itself -------------------------------------------------------------------- */

static void write_ref(struct composer *co, struct json_writer *w, const char *key,
		      const struct doc *doc)
{
	const struct json *j = NULL;
	jsonw_key(w, key);
	if (!doc || !parse(co, (struct span) { doc->json, doc->n }, &j)) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	jsonw_kstr(w, "guid", doc->guid);
	jsonw_key(w, "name");
	jsonw_node(w, json_get(j, "name"));
	if (doc->number >= 0)
		jsonw_kint(w, "number", doc->number);
	else
		key_raw(w, "number", "null");
	jsonw_end_object(w);
}

static void write_free_text(struct json_writer *w, const char *key, const char *text)
{
	jsonw_key(w, key);
	if (!text) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	jsonw_kstr(w, "value", text);
	jsonw_kstr(w, "text", text);
	jsonw_kstr(w, "plainText", text);
	jsonw_kstr(w, "tagContext", "Invoice");
	jsonw_kbool(w, "allowTags", true);
	jsonw_end_object(w);
}

static void copy_member(struct json_writer *w, const char *key, const struct json *from,
			const char *path)
{
	const struct json *node = json_at(from, path);
	jsonw_key(w, key);
	if (node)
		jsonw_node(w, node);
	else
		jsonw_null(w);
}

static void write_address(struct json_writer *w, const char *key, const struct json *from,
			  const char *prefix)
{
	static const char *const members[] = { "addressline", "postalCode", "city", "country" };
	char path[64];
	jsonw_key(w, key);
	jsonw_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		snprintf(path, sizeof(path), "%s%s", prefix, members[i]);
		copy_member(w, members[i], from, path);
	}
	jsonw_kstr(w, "state", NULL);
	jsonw_end_object(w);
}

static const struct json *organization(struct composer *co)
{
	const struct json *j = NULL;
	const struct doc_list *list = &co->t->kinds[SEVERA_ORGANIZATION];
	if (list->n && !parse(co, (struct span) { list->docs[0]->json, list->docs[0]->n }, &j))
		return NULL;
	return j;
}

static void write_projects(struct composer *co, struct json_writer *w)
{
	jsonw_key(w, "projects");
	jsonw_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(co->plan->projects); i++) {
		const struct json *j = NULL;
		const struct doc *doc = co->plan->projects[i];
		if (!doc || !parse(co, (struct span) { doc->json, doc->n }, &j))
			continue;
		jsonw_object(w);
		copy_member(w, "guid", j, "guid");
		copy_member(w, "name", j, "name");
		copy_member(w, "number", j, "number");
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_parties(struct composer *co, struct json_writer *w)
{
	const struct invoice_plan *plan = co->plan;
	const struct doc *bill_to = plan->billing ? plan->billing : plan->customer;
	const struct json *customer = NULL;
	if (!parse(co, (struct span) { bill_to->json, bill_to->n }, &customer))
		return;
	write_ref(co, w, "customer", plan->customer);
	write_ref(co, w, "billingCustomer", plan->billing);
	copy_member(w, "receiverCustomerName", customer, "name");
	copy_member(w, "receiverVatNumber", customer, "vatNumber");
	copy_member(w, "receiverContactEmail", customer, "email");
	write_address(w, "receiverAddress", customer, "headquarterAddress.");
	copy_member(w, "language", customer, "language");
	const struct json *own = organization(co);
	jsonw_kstr(w, "senderName", plan->sender_name);
	jsonw_kstr(w, "senderVatNumber", plan->sender_vat);
	jsonw_key(w, "senderAddress");
	jsonw_object(w);
	copy_member(w, "addressline", own, "address");
	copy_member(w, "postalCode", own, "postalCode");
	copy_member(w, "city", own, "city");
	copy_member(w, "country", own, "country.name");
	jsonw_kstr(w, "state", NULL);
	jsonw_end_object(w);
	jsonw_kstr(w, "invoiceNumberBusinessUnitGuid", plan->sender_unit_guid);
	write_projects(co, w);
}

static bool due_date(const struct invoice_plan *plan, char ret[CLOCK_RFC3339_MAX])
{
	int y, m, d;
	if (!clock_parse_date(span_of(plan->date), &y, &m, &d))
		return false;
	int64_t ms = clock_from_utc(y, m, d, 0, 0, 0) + (int64_t)plan->term * 86400000;
	clock_rfc3339(ms, ret);
	ret[10] = 0;
	return true;
}

static void write_currency(struct composer *co, struct json_writer *w)
{
	const struct doc_list *list = &co->t->kinds[SEVERA_CURRENCY];
	jsonw_key(w, "currency");
	for (size_t i = 0; i < list->n; i++) {
		const struct json *j = NULL;
		if (!parse(co, (struct span) { list->docs[i]->json, list->docs[i]->n }, &j) ||
		    !str_eq(json_str(json_get(j, "code")), co->plan->currency))
			continue;
		jsonw_object(w);
		copy_member(w, "guid", j, "guid");
		copy_member(w, "name", j, "name");
		copy_member(w, "code", j, "code");
		copy_member(w, "symbol", j, "symbol");
		jsonw_end_object(w);
		return;
	}
	jsonw_null(w);
}

static void write_totals(struct composer *co, struct json_writer *w)
{
	const char *currency = co->plan->currency;
	write_money(w, "totalExcludingTax", co->net, currency);
	write_money(w, "totalTax", co->tax, currency);
	write_money(w, "totalIncludingTax", co->gross, currency);
	key_raw(w, "workHoursTotalExcludingTax", "null");
	key_raw(w, "projectFeesTotalExcludingTax", "null");
	key_raw(w, "projectTravelExpensesTotalExcludingTax", "null");
	key_raw(w, "flatRatesTotalExcludingTax", "null");
	key_raw(w, "workHoursQuantity", "0.0");
	key_raw(w, "workHourValueAddedTax", "null");
}

static void write_status(struct composer *co, struct json_writer *w)
{
	static const char *const members[] = { "guid", "name", "isSent", "isWaitingPayment",
					       "isPaid" };
	const struct doc *status = co->plan->status;
	const struct json *j = NULL;
	if (!parse(co, (struct span) { status->json, status->n }, &j))
		return;
	jsonw_key(w, "status");
	jsonw_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		copy_member(w, members[i], j, members[i]);
	jsonw_end_object(w);
	bool gives_number = false;
	if (json_bool(json_get(j, "hasInvoiceNumber"), &gives_number) && gives_number) {
		char reference[32];
		severa_reference(co->t, co->t->next_number, reference, sizeof(reference));
		jsonw_kint(w, "number", co->t->next_number++);
		jsonw_kstr(w, "referenceNumber", reference);
	} else {
		key_raw(w, "number", "null");
		key_raw(w, "referenceNumber", "null");
	}
}

static void write_dates(struct composer *co, struct json_writer *w, const char *due)
{
	const struct invoice_plan *plan = co->plan;
	jsonw_kstr(w, "date", plan->date);
	jsonw_kstr(w, "dueDate", due);
	jsonw_kstr(w, "paymentDate", NULL);
	jsonw_kstr(w, "entryDate", NULL);
	jsonw_kint(w, "paymentTerm", plan->term);
	key_raw(w, "overdueInterest", "8.0");
	jsonw_kstr(w, "ourReference", plan->our_reference);
	jsonw_kstr(w, "yourReference", plan->your_reference);
	jsonw_kstr(w, "orderNumber", plan->order);
	jsonw_kstr(w, "notes", NULL);
	write_free_text(w, "freeText1", plan->text_before);
	write_free_text(w, "freeText2", plan->text_after);
	write_currency(co, w);
	key_raw(w, "currencyRate", plan->rate);
	jsonw_kbool(w, "isCreditNote", plan->is_credit);
	key_raw(w, "reimburseInvoice", "null");
	key_raw(w, "creditNoteInvoice", "null");
	key_raw(w, "canBeDeleted", "false");
}

static struct doc *compose_invoice(struct composer *co)
{
	char due[CLOCK_RFC3339_MAX];
	if (!due_date(co->plan, due)) {
		err_set(co->err, ERR_INPUT, "date is not YYYY-MM-DD");
		return NULL;
	}
	struct strbuf sb = STRBUF_INIT(co->arena, 1u << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "guid", co->guid);
	write_status(co, &w);
	write_parties(co, &w);
	write_dates(co, &w, due);
	write_totals(co, &w);
	write_times(co, &w);
	jsonw_end_object(&w);
	const struct json *j = NULL;
	if (!co->plan->fields)
		return severa_add_locked(co->t, SEVERA_INVOICE, co->guid, NULL, strbuf_span(&sb),
					 co->err);
	if (!parse(co, strbuf_span(&sb), &j))
		return NULL;
	struct strbuf merged = STRBUF_INIT(co->arena, 1u << 20);
	struct json_writer mw = JSON_WRITER_INIT(&merged);
	json_merge(&mw, j, co->plan->fields);
	return severa_add_locked(co->t, SEVERA_INVOICE, co->guid, NULL, strbuf_span(&merged),
				 co->err);
}

static bool add_settings(struct composer *co, struct doc *invoice)
{
	char guid[UUID_TEXT];
	bool reverse = co->plan->reverse_charge;
	sign_uuid4(guid);
	struct strbuf sb = STRBUF_INIT(co->arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "guid", guid);
	jsonw_kbool(&w, "isReverseCharged", reverse);
	jsonw_kstr(&w, "reverseChargeDescription", reverse ? "AVL 8 c §" : NULL);
	jsonw_kstr(&w, "entryDate", NULL);
	jsonw_kstr(&w, "paymentDate", NULL);
	write_times(co, &w);
	jsonw_end_object(&w);
	return severa_add_locked(co->t, SEVERA_INVOICE_SETTINGS, guid, invoice, strbuf_span(&sb),
				 co->err) != NULL;
}

/* ---- what the rows are made of ------------------------------------------------------------- */

/* Hours, a fee or an expense of one project behind a row (§6). A flat rate has none of these. */
static bool add_source(struct composer *co, struct doc *invoice, size_t i,
		       const struct doc *project, const struct doc *phase)
{
	const struct json *row = NULL;
	char guid[UUID_TEXT];
	if (!parse(co, co->rows[i], &row))
		return false;
	const char *type = json_str(json_get(row, "rowType"));
	if (!project || !type || strcmp(type, "FlatRate") == 0)
		return true;
	enum severa_kind kind = strcmp(type, "Hours") == 0	      ? SEVERA_WORK_HOUR
				: strcmp(type, "TravelExpenses") == 0 ? SEVERA_TRAVEL_EXPENSE
								      : SEVERA_PROJECT_FEE;
	sign_uuid4(guid);
	struct strbuf sb = STRBUF_INIT(co->arena, 16384);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "guid", guid);
	jsonw_kstr(&w, "invoiceRowGuid", co->row_guids[i]);
	copy_member(&w, "quantity", row, "quantity");
	copy_member(&w, "description", row, "description");
	write_ref(co, &w, "project", project);
	if (phase)
		write_ref(co, &w, "phase", phase);
	write_times(co, &w);
	jsonw_end_object(&w);
	return severa_add_locked(co->t, kind, guid, invoice, strbuf_span(&sb), co->err) != NULL;
}

static const struct doc *project_by_number(struct composer *co, const struct json *number)
{
	const struct doc_list *list = &co->t->kinds[SEVERA_PROJECT];
	int64_t wanted;
	for (size_t i = 0; json_int64(number, &wanted) && i < list->n; i++)
		if (list->docs[i]->number == wanted)
			return list->docs[i];
	return NULL;
}

/* One source for each phase that the row names, all of the first project. */
static bool add_phases(struct composer *co, struct doc *invoice, size_t i, const struct json *guids)
{
	const struct json *g = json_first(guids);
	for (; g; g = json_next(g))
		if (!add_source(co, invoice, i, co->plan->projects[0],
				severa_get_locked(co->t, SEVERA_PHASE, json_str(g))))
			return false;
	return true;
}

static bool add_sources(struct composer *co, struct doc *invoice)
{
	const struct invoice_plan *plan = co->plan;
	const struct json *given = json_first(plan->row_projects);
	const struct json *phases = json_first(plan->row_phases);
	size_t n = plan->projects[1] ? 2 : 1;
	for (size_t i = 0; i < co->n_rows; i++) {
		if (!plan->row_projects && !plan->row_phases &&
		    !add_source(co, invoice, i, plan->projects[i % n], NULL))
			return false;
		const struct json *number = json_first(given);
		for (; number; number = json_next(number))
			if (!add_source(co, invoice, i, project_by_number(co, number), NULL))
				return false;
		if (!add_phases(co, invoice, i, phases))
			return false;
		given = json_next(given);
		phases = json_next(phases);
	}
	return true;
}

static struct doc *compose(struct composer *co)
{
	const struct invoice_plan *plan = co->plan;
	if (plan->name)
		severa_guid(co->t, "invoice", plan->name, co->guid);
	else
		sign_uuid4(co->guid);
	if (plan->changed)
		snprintf(co->when, sizeof(co->when), "%s", plan->changed);
	else
		clock_rfc3339(severa_tick_locked(co->t), co->when);
	if (!compose_rows(co) || !finish_totals(co))
		return NULL;
	struct doc *invoice = compose_invoice(co);
	if (!invoice || !add_settings(co, invoice))
		return NULL;
	for (size_t i = 0; i < co->n_rows; i++) {
		if (!severa_add_locked(co->t, SEVERA_ROW, co->row_guids[i], invoice, co->rows[i],
				       co->err))
			return NULL;
	}
	return add_sources(co, invoice) ? invoice : NULL;
}

struct doc *severa_make_invoice_locked(struct severa_tenant *t, const struct invoice_plan *plan,
				       struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(64u << 20);
	if (!arena) {
		err_set(err, ERR_MEMORY, "out of memory");
		return NULL;
	}
	if (!plan->customer || !plan->status) {
		err_set(err, ERR_INPUT, "no such customer or status");
		return NULL;
	}
	struct composer co = { .t = t, .plan = plan, .arena = arena, .err = err };
	return compose(&co);
}

bool severa_make_file_locked(struct severa_tenant *t, struct doc *invoice, const char *name,
			     const char *content_type, bool is_internal, struct span bytes,
			     struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(1u << 20);
	char guid[UUID_TEXT], file_guid[UUID_TEXT], when[CLOCK_RFC3339_MAX];
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	sign_uuid4(guid);
	sign_uuid4(file_guid);
	clock_rfc3339(severa_tick_locked(t), when);
	struct strbuf sb = STRBUF_INIT(arena, 16384);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "guid", guid);
	jsonw_kstr(&w, "fileGuid", file_guid);
	jsonw_kstr(&w, "invoiceGuid", invoice->guid);
	jsonw_kstr(&w, "name", name);
	jsonw_kstr(&w, "contentType", content_type);
	jsonw_kint(&w, "size", (int64_t)bytes.n);
	jsonw_kstr(&w, "description", NULL);
	jsonw_kint(&w, "sortOrder", 1);
	jsonw_kbool(&w, "isInternal", is_internal);
	jsonw_kstr(&w, "category", "Invoice");
	jsonw_kstr(&w, "createdDateTime", when);
	jsonw_kstr(&w, "lastUpdatedDateTime", when);
	jsonw_end_object(&w);
	char *blob = mem_memdup(bytes.p, bytes.n);
	if (!blob)
		return err_set(err, ERR_MEMORY, "out of memory");
	struct doc *file = severa_add_locked(t, SEVERA_INVOICE_FILE, guid, invoice,
					     strbuf_span(&sb), err);
	if (!file) {
		mem_free(blob);
		return false;
	}
	file->blob = blob;
	file->blob_n = bytes.n;
	return true;
}

void severa_default_sender_locked(struct severa_tenant *t, struct arena *arena,
				  struct invoice_plan *plan)
{
	const struct doc_list *units = &t->kinds[SEVERA_BUSINESS_UNIT];
	const struct doc *first = units->n ? units->docs[0] : NULL;
	plan->sender_name = severa_text(arena, first, "name");
	plan->sender_vat = severa_text(arena, first, "vatNumber");
	plan->sender_unit_guid = first ? first->guid : NULL;
	plan->currency = "EUR";
	plan->rate = "1.0";
	plan->term = 14;
	plan->date = "2026-11-16";
}

struct doc *severa_generate_invoice_locked(struct severa_tenant *t, unsigned n,
					   const struct doc *status, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(1u << 20);
	const struct doc_list *customers = &t->kinds[SEVERA_CUSTOMER];
	struct seed_row rows[SEED_MAX_ROWS];
	char date[16];
	if (!arena || !customers->n) {
		err_set(err, arena ? ERR_INPUT : ERR_MEMORY, "the tenant has no customers");
		return NULL;
	}
	struct invoice_plan plan = { .status = status, .rows = rows };
	severa_default_sender_locked(t, arena, &plan);
	snprintf(date, sizeof(date), "2026-11-%02u", 1 + n % 20);
	plan.date = date;
	plan.customer = customers->docs[n % customers->n];
	plan.n_rows = seed_generate_rows(n, rows);
	return severa_make_invoice_locked(t, &plan, err);
}
