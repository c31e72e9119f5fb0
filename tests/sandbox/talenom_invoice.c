/*
 * talenom_invoice.c: invoices of the Talenom stand-in: an empty draft, its content, approval, the
 * payment state (facts/talenom.md §2.1, 3). Sums are computed from quantity and price; approval
 * checks accounts against their VAT, and the period.
 */
#include "base/base.h"

#include "talenom.h"

static void kdecimal(struct json_writer *w, const char *key, struct decimal d)
{
	jsonw_key(w, key);
	jsonw_decimal(w, d);
}

/* 0, as long as it has none. */
static void write_number(struct json_writer *w, const char *number)
{
	jsonw_key(w, "number");
	jsonw_raw(w, span_of(number[0] ? number : "0"));
}

static void write_invoice(struct tn_call *tc, struct json_writer *w, const struct tn_invoice *in)
{
	const struct json *content = NULL;
	if (!json_parse(tc->c->arena, span_of(in->content), JSON_LIMITS_VENDOR, &content, NULL))
		content = NULL;
	jsonw_object(w);
	jsonw_kstr(w, "id", in->id);
	tn_write_version(w, in->version);
	jsonw_kstr(w, "invoiceVersion", "1");
	jsonw_kstr(w, "externalId", in->external_id);
	jsonw_kstr(w, "contactId", in->contact_id);
	write_number(w, in->is_approved ? in->number : "");
	jsonw_kstr(w, "status", in->is_approved ? "Approved" : "Draft");
	jsonw_kstr(w, "invoiceOrigin", "Integration");
	jsonw_kstr(w, "paymentState", in->is_paid ? "Paid" : "Open");
	jsonw_kstr(w, "paidDate", in->is_paid ? in->paid_date : NULL);
	for (const struct json *m = json_first(content); m; m = json_next(m)) {
		static const char *const own[] = { "id",     "rowVersion",    "externalId",
						   "number", "invoiceOrigin", "status" };
		bool is_own = false;
		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			is_own = is_own || strcmp(json_key(m), own[i]) == 0;
		if (is_own)
			continue;
		jsonw_key(w, json_key(m));
		jsonw_node(w, m);
	}
	kdecimal(w, "netAmount", in->net);
	kdecimal(w, "taxAmount", in->vat);
	kdecimal(w, "grossAmount", in->gross);
	jsonw_end_object(w);
}

static void reply_invoice(struct tn_call *tc, unsigned status, const struct tn_invoice *in)
{
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	write_invoice(tc, &w, in);
	reply_json(tc->c, status, &sb);
}

static struct tn_invoice *find(struct tn_call *tc)
{
	struct tn_invoice *in = tc->org->invoices;
	while (in && (in->is_deleted || strcmp(in->id, tc->id) != 0))
		in = in->next;
	if (!in)
		reply_empty(tc->c, 404);
	return in;
}

void tn_invoices_locked(struct tn_call *tc)
{
	const char *external_id = call_param(tc->c, "externalId");
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_array(&w);
	for (const struct tn_invoice *in = tc->org->invoices; in; in = in->next)
		if (!in->is_deleted && (!external_id || strcmp(in->external_id, external_id) == 0))
			write_invoice(tc, &w, in);
	jsonw_end_array(&w);
	reply_json(tc->c, 200, &sb);
}

void tn_invoice_locked(struct tn_call *tc)
{
	const struct tn_invoice *in = find(tc);
	if (in)
		reply_invoice(tc, 200, in);
}

/* ---- draft --------------------------------------------------------------------------------- */

static bool has_contact(const struct tn_org *org, const char *id)
{
	const struct tn_record *r = org->contacts;
	while (r && !str_eq(r->id, id))
		r = r->next;
	return r != NULL;
}

void tn_draft_locked(struct tn_call *tc)
{
	const char *contact_id = call_param(tc->c, "contactId");
	const char *external_id = call_param(tc->c, "externalId");
	if (!has_contact(tc->org, contact_id)) {
		tn_refuse(tc, "CONTACT_NOT_FOUND", "There is no such contact");
		return;
	}
	for (const struct tn_invoice *in = tc->org->invoices; in && external_id; in = in->next) {
		if (in->is_deleted || strcmp(in->external_id, external_id) != 0)
			continue;
		tc->org->refused_duplicates++;
		tn_fail(tc, 409, "DUPLICATE_EXTERNAL_ID", "An invoice has this id already");
		return;
	}
	struct tn_invoice *in = arena_alloc(tc->t->base.arena, sizeof(*in));
	if (!in)
		return;
	*in = (struct tn_invoice) { .next = tc->org->invoices,
				    .org = tc->org,
				    .version = ++tc->t->next_version,
				    .external_id = tn_keep(tc->t, external_id),
				    .contact_id = tn_keep(tc->t, contact_id),
				    .content = "{}",
				    .number = "",
				    .date = "",
				    .paid_date = "" };
	sign_uuid4(in->id);
	tc->org->invoices = in;
	reply_invoice(tc, 201, in);
}

/* ---- content ------------------------------------------------------------------------------- */

#define RATES_MAX 32

struct totals {
	struct decimal rates[RATES_MAX], nets[RATES_MAX];
	size_t n;
};

/* Quantity times price less its percentage, in cents, to the sum of its rate. */
static bool add_line(struct totals *t, const struct json *line)
{
	struct decimal net, off, percent = tn_decimal(line, "taxPercent");
	size_t i = 0;
	if (!decimal_mul(tn_decimal(line, "quantity"), tn_decimal(line, "pricePerUnit"), &net) ||
	    !decimal_mul(net, tn_decimal(line, "discountPercent"), &off) ||
	    !decimal_div(off, decimal_of(100), 2, &off))
		return false;
	if (!decimal_sub(decimal_round(net, 2), off, &net))
		return false;
	while (i < t->n && !decimal_eq(t->rates[i], percent))
		i++;
	if (i == RATES_MAX)
		return false;
	if (i == t->n) {
		t->rates[t->n++] = percent;
		t->nets[i] = DECIMAL_ZERO;
	}
	return decimal_add(t->nets[i], net, &t->nets[i]);
}

static bool compute(const struct tn_org *org, struct tn_invoice *in, const struct json *lines)
{
	struct totals t = { .n = 0 };
	in->net = in->vat = DECIMAL_ZERO;
	for (const struct json *line = json_first(lines); line; line = json_next(line))
		if (!add_line(&t, line))
			return false;
	for (size_t i = 0; i < t.n; i++) {
		struct decimal vat;
		if (!decimal_mul(t.nets[i], t.rates[i], &vat) ||
		    !decimal_div(vat, decimal_of(100), 2, &vat) ||
		    !decimal_add(in->net, t.nets[i], &in->net) ||
		    !decimal_add(in->vat, vat, &in->vat))
			return false;
	}
	return decimal_add(in->net, in->vat, &in->gross) &&
	       decimal_add(in->gross, decimal_of(org->gross_off), &in->gross);
}

static bool check_lines(struct tn_call *tc, const struct json *lines)
{
	if (json_type(lines) != JSON_ARRAY || json_size(lines) == 0)
		return tn_refuse(tc, "LINE_ITEMS_MISSING", "An invoice needs lines");
	for (const struct json *line = json_first(lines); line; line = json_next(line))
		if (!tn_text(line, "productName")[0] || !tn_text(line, "quantity")[0] ||
		    !tn_text(line, "pricePerUnit")[0] || !tn_text(line, "taxPercent")[0])
			return tn_refuse(tc, "LINE_ITEM_INCOMPLETE",
					 "A line needs productName, quantity, pricePerUnit and "
					 "taxPercent");
	return true;
}

static bool check_content(struct tn_call *tc, const struct tn_invoice *in)
{
	if (in->is_approved)
		return tn_refuse(tc, "NOT_A_DRAFT", "An approved invoice is not changed");
	if (!tn_is_version(tc->body, in->version)) {
		tc->org->version_conflicts++;
		return tn_fail(tc, 409, "ROW_VERSION_CONFLICT", "It was changed meanwhile");
	}
	if (!tn_text(tc->body, "date")[0])
		return tn_refuse(tc, "DATE_MISSING", "An invoice needs a date");
	return check_lines(tc, json_get(tc->body, "lineItems"));
}

void tn_content_locked(struct tn_call *tc)
{
	struct tn_invoice *in = find(tc);
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!in || !check_content(tc, in))
		return;
	if (!compute(tc->org, in, json_get(tc->body, "lineItems"))) {
		tn_refuse(tc, "AMOUNT_TOO_LARGE", "An amount is too large");
		return;
	}
	jsonw_node(&w, tc->body);
	const char *content = tn_keep_json(tc->t, &sb);
	if (!content)
		return;
	in->content = content;
	in->number = tn_keep(tc->t, tn_text(tc->body, "number"));
	in->date = tn_keep(tc->t, tn_text(tc->body, "date"));
	in->version = ++tc->t->next_version;
	reply_invoice(tc, 200, in);
}

/* ---- approval ------------------------------------------------------------------------------ */

bool tn_is_closed(const struct tn_org *org, const char *date)
{
	return org->closed_until[0] && strcmp(date, org->closed_until) <= 0;
}

static bool check_account(struct tn_call *tc, const struct json *line)
{
	const char *number = tn_text(line, "salesAccountNumber");
	bool is_known = false;
	for (const struct tn_account *a = tc->org->accounts; a; a = a->next) {
		if (!a->is_active || strcmp(a->number, number) != 0)
			continue;
		is_known = true;
		if (decimal_eq(a->tax_percent, tn_decimal(line, "taxPercent")))
			return true;
	}
	if (!number[0])
		return true;
	return is_known ? tn_refuse(tc, "SALES_ACCOUNT_VAT_MISMATCH", number)
			: tn_refuse(tc, "SALES_ACCOUNT_UNKNOWN", number);
}

static bool check_approval(struct tn_call *tc, const struct tn_invoice *in)
{
	const struct json *content;
	if (in->is_approved)
		return tn_refuse(tc, "NOT_A_DRAFT", "It is approved already");
	if (!in->date[0] ||
	    !json_parse(tc->c->arena, span_of(in->content), JSON_LIMITS_VENDOR, &content, NULL))
		return tn_refuse(tc, "LINE_ITEMS_MISSING", "The draft is empty");
	if (tn_is_closed(tc->org, in->date))
		return tn_refuse(tc, "PERIOD_CLOSED", in->date);
	const struct json *line = json_first(json_get(content, "lineItems"));
	for (; line; line = json_next(line))
		if (!check_account(tc, line))
			return false;
	return true;
}

/* Its number is the one that it was given, else the next of Talenom's own. */
void tn_approve_locked(struct tn_call *tc)
{
	struct tn_invoice *in = find(tc);
	char next[24];
	if (!in || !check_approval(tc, in))
		return;
	if (!in->number[0] || strcmp(in->number, "0") == 0) {
		snprintf(next, sizeof(next), "%" PRId64, tc->org->next_number++);
		in->number = tn_keep(tc->t, next);
	}
	in->is_approved = true;
	in->version = ++tc->t->next_version;
	reply_invoice(tc, 200, in);
}

void tn_payment_locked(struct tn_call *tc)
{
	struct tn_invoice *in = find(tc);
	const char *state = tn_text(tc->body, "state");
	bool is_paid = strcmp(state, "Paid") == 0;
	if (!in)
		return;
	if (!in->is_approved) {
		tn_refuse(tc, "IS_A_DRAFT", "A draft has no payment state");
		return;
	}
	if ((!is_paid && strcmp(state, "Open") != 0) ||
	    (is_paid && !tn_text(tc->body, "paidDate")[0])) {
		tn_refuse(tc, "PAYMENT_STATE_UNKNOWN", "Paid with paidDate, or Open");
		return;
	}
	in->is_paid = is_paid;
	in->paid_date = tn_keep(tc->t, tn_text(tc->body, "paidDate"));
	in->version = ++tc->t->next_version;
	tc->org->payments_told++;
	reply_invoice(tc, 200, in);
}
