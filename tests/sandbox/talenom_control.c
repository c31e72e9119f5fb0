/* talenom_control.c: the control API's part for the Talenom stand-in: what an accountant would do
 * there, and the ledger. */
#include "base/base.h"

#include "talenom.h"

/* ---- ledger -------------------------------------------------------------------------------- */

static void kdecimal(struct json_writer *w, const char *key, struct decimal d)
{
	jsonw_key(w, key);
	jsonw_decimal(w, d);
}

static bool is_sale(const struct tn_voucher *v, const char *number)
{
	return !v->is_payment && strcmp(v->invoice_number, number) == 0;
}

/* How often the revenue of an invoice number is booked: by approval and by vouchers. */
static int64_t times_booked(const struct tn_org *org, const char *number)
{
	int64_t n = 0;
	for (const struct tn_invoice *in = org->invoices; in; in = in->next)
		n += in->is_approved && !in->is_deleted && strcmp(in->number, number) == 0;
	for (const struct tn_voucher *v = org->vouchers; v; v = v->next)
		n += is_sale(v, number);
	return n;
}

static void write_document(struct json_writer *w, const struct tn_org *org,
			   const struct tn_invoice *in)
{
	jsonw_object(w);
	jsonw_kstr(w, "number", in->number);
	jsonw_kstr(w, "id", in->id);
	jsonw_kstr(w, "external_id", in->external_id);
	jsonw_kstr(w, "contact_id", in->contact_id);
	jsonw_kstr(w, "status", in->is_approved ? "Approved" : "Draft");
	jsonw_kstr(w, "date", in->date);
	jsonw_kbool(w, "paid", in->is_paid);
	jsonw_kstr(w, "paid_date", in->paid_date);
	kdecimal(w, "net", in->net);
	kdecimal(w, "vat", in->vat);
	kdecimal(w, "sum", in->gross);
	jsonw_key(w, "content");
	jsonw_raw(w, span_of(in->content));
	jsonw_kint(w, "times_booked", times_booked(org, in->number));
	jsonw_end_object(w);
}

/* What is left of a sale's item after its payments. */
static struct decimal open_amount(const struct tn_org *org, const struct tn_voucher *sale)
{
	struct decimal left = sale->receivable;
	for (const struct tn_voucher *v = org->vouchers; v; v = v->next)
		if (v->is_payment && strcmp(v->match_key, sale->match_key) == 0 &&
		    !decimal_add(left, v->receivable, &left))
			return sale->receivable;
	return left;
}

static void write_vouchers(struct json_writer *w, const struct tn_org *org)
{
	jsonw_key(w, "vouchers");
	jsonw_array(w);
	for (const struct tn_voucher *v = org->vouchers; v; v = v->next) {
		jsonw_object(w);
		jsonw_kstr(w, "invoice_number", v->invoice_number);
		jsonw_kstr(w, "match_key", v->match_key);
		jsonw_kbool(w, "is_payment", v->is_payment);
		kdecimal(w, "receivable", v->receivable);
		if (!v->is_payment)
			kdecimal(w, "open", open_amount(org, v));
		jsonw_key(w, "voucher");
		jsonw_raw(w, span_of(v->json));
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

struct counts {
	int64_t approved, drafts, duplicates, booked_twice, sales;
};

/* Duplicates: approved ones beyond the first of their number. */
static struct counts count(const struct tn_org *org)
{
	struct counts n = { 0 };
	for (const struct tn_invoice *in = org->invoices; in; in = in->next) {
		if (in->is_deleted)
			continue;
		n.approved += in->is_approved;
		n.drafts += !in->is_approved;
		if (!in->is_approved)
			continue;
		const struct tn_invoice *older = in->next;
		while (older && (older->is_deleted || !older->is_approved ||
				 strcmp(older->number, in->number) != 0))
			older = older->next;
		n.duplicates += older != NULL;
		n.booked_twice += !older && times_booked(org, in->number) > 1;
	}
	for (const struct tn_voucher *v = org->vouchers; v; v = v->next) {
		const struct tn_voucher *older = v->next;
		n.sales += !v->is_payment;
		while (older && !is_sale(older, v->invoice_number))
			older = older->next;
		n.booked_twice += !v->is_payment && older;
	}
	return n;
}

static void write_counts(struct json_writer *w, const struct tn_org *org)
{
	const struct counts n = count(org);
	jsonw_kint(w, "count", n.approved);
	jsonw_kint(w, "drafts", n.drafts);
	jsonw_kint(w, "duplicates", n.duplicates);
	jsonw_kint(w, "sales_vouchers", n.sales);
	jsonw_kint(w, "booked_twice", n.booked_twice);
	jsonw_kint(w, "refused", (int64_t)org->refused);
	jsonw_kint(w, "refused_duplicates", (int64_t)org->refused_duplicates);
	jsonw_kint(w, "version_conflicts", (int64_t)org->version_conflicts);
	jsonw_kint(w, "calls", (int64_t)org->calls);
	jsonw_kint(w, "unauthorized", (int64_t)org->unauthorized);
	jsonw_kint(w, "token_requests", (int64_t)org->token_requests);
	jsonw_kint(w, "products_added", (int64_t)org->products_added);
	jsonw_kint(w, "products_changed", (int64_t)org->products_changed);
	jsonw_kint(w, "contacts_added", (int64_t)org->contacts_added);
	jsonw_kint(w, "contacts_changed", (int64_t)org->contacts_changed);
	jsonw_kint(w, "payments_told", (int64_t)org->payments_told);
}

static void write_org(struct json_writer *w, const struct tn_org *org, bool with_documents)
{
	jsonw_object(w);
	jsonw_kstr(w, "tenant", org->tenant);
	jsonw_kstr(w, "organization_number", org->number);
	jsonw_kstr(w, "name", org->name);
	write_counts(w, org);
	if (with_documents) {
		jsonw_key(w, "documents");
		jsonw_array(w);
		for (const struct tn_invoice *in = org->invoices; in; in = in->next)
			if (!in->is_deleted)
				write_document(w, org, in);
		jsonw_end_array(w);
		write_vouchers(w, org);
	}
	jsonw_end_object(w);
}

/* Oldest first. */
static void write_orgs(struct json_writer *w, const struct tn_org *org, bool with_documents)
{
	if (!org)
		return;
	write_orgs(w, org->next, with_documents);
	write_org(w, org, with_documents);
}

void tn_write_ledger(void *state, bool with_documents, struct json_writer *w)
{
	struct talenom *t = state;
	jsonw_array(w);
	write_orgs(w, t->orgs, with_documents);
	jsonw_end_array(w);
}

void tn_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w)
{
	struct talenom *t = state;
	char url[192], token_url[256];
	const struct tn_org *org = tn_find_locked(t, key);
	snprintf(url, sizeof(url), "%s/talenom", base_url);
	snprintf(token_url, sizeof(token_url), "%s/identity/connect/token", url);
	if (org) {
		jsonw_object(w);
		jsonw_kstr(w, "base_url", url);
		jsonw_kstr(w, "token_url", token_url);
		jsonw_kstr(w, "client_id", org->client_id);
		jsonw_kstr(w, "client_secret", org->client_secret);
		jsonw_kstr(w, "subscription_key", org->subscription_key);
		jsonw_kstr(w, "organization_number", org->number);
		jsonw_kstr(w, "receivable_account", TN_RECEIVABLE);
		jsonw_end_object(w);
	} else {
		jsonw_null(w);
	}
}

/* ---- one organisation ---------------------------------------------------------------------- */

static void serve_org(struct talenom *t, struct tn_org *org, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	bool flag;
	if (call_is(c, "POST") && !body)
		return;
	org->token_s = control_int(body, "token_s", org->token_s, 86400);
	org->gross_off = control_int(body, "gross_off", org->gross_off, 1000);
	if (json_bool(json_get(body, "drop_tokens"), &flag) && flag)
		org->token_epoch++;
	const char *until = json_str(json_get(body, "closed_until"));
	if (until)
		org->closed_until = tn_keep(t, until);
	write_org(&w, org, true);
	reply_json(c, 200, &sb);
}

/* POST {"number", "name", "tax_percent", "active"}; DELETE forgets those of the number. */
static void serve_accounts(struct talenom *t, struct tn_org *org, struct call *c,
			   const char *number)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	bool is_active;
	if (call_is(c, "DELETE") && number) {
		for (struct tn_account **at = &org->accounts; *at;)
			if (strcmp((*at)->number, number) == 0)
				*at = (*at)->next;
			else
				at = &(*at)->next;
		reply_empty(c, 204);
		return;
	}
	if (!body)
		return;
	if (!json_bool(json_get(body, "active"), &is_active))
		is_active = true;
	if (tn_add_account_locked(t, org, tn_text(body, "number"), tn_text(body, "name"),
				  tn_text(body, "tax_percent"), is_active))
		reply_empty(c, 204);
	else
		control_error(c, 400, "tax_percent is no number");
}

static void write_records(struct call *c, const struct tn_record *r)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_array(&w);
	for (; r; r = r->next)
		tn_write_record(&w, r);
	jsonw_end_array(&w);
	reply_json(c, 200, &sb);
}

/* POST adds one as a person does, or changes the one with the id. */
static void serve_records(struct talenom *t, struct tn_record **records, const char *key_member,
			  struct call *c, const char *id)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct tn_record *old = *records;
	while (old && id && strcmp(old->id, id) != 0)
		old = old->next;
	if (call_is(c, "POST") &&
	    (!body || !tn_keep_record_locked(t, records, id ? old : NULL, body, key_member)))
		return;
	write_records(c, *records);
}

/* DELETE as a person deletes it. By number or id. */
static void serve_invoice(struct tn_org *org, struct call *c, const char *which)
{
	struct tn_invoice *in = org->invoices;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	while (in &&
	       (in->is_deleted || (strcmp(in->id, which) != 0 && strcmp(in->number, which) != 0)))
		in = in->next;
	if (!in) {
		control_error(c, 404, "no such invoice: %s", which);
	} else if (call_is(c, "DELETE")) {
		in->is_deleted = true;
		reply_empty(c, 204);
	} else {
		write_document(&w, org, in);
		reply_json(c, 200, &sb);
	}
}

static void serve_locked(struct talenom *t, struct call *c, size_t first)
{
	size_t n = c->n_segments - first;
	const char *const *seg = c->segments + first;
	struct tn_org *org = n ? tn_find_locked(t, seg[0]) : NULL;
	const char *id = n > 2 ? seg[2] : NULL;
	if (!org)
		control_error(c, 404, "no such organisation at Talenom: %s", n ? seg[0] : "");
	else if (n == 1)
		serve_org(t, org, c);
	else if (strcmp(seg[1], "accounts") == 0)
		serve_accounts(t, org, c, id);
	else if (strcmp(seg[1], "products") == 0)
		serve_records(t, &org->products, "code", c, id);
	else if (strcmp(seg[1], "contacts") == 0)
		serve_records(t, &org->contacts, "externalId", c, id);
	else if (strcmp(seg[1], "invoices") == 0 && id)
		serve_invoice(org, c, id);
	else
		control_error(c, 404, "no such thing: %s", seg[1]);
}

void tn_control(void *state, struct call *c, size_t first)
{
	struct talenom *t = state;
	pthread_mutex_lock(&t->base.lock);
	serve_locked(t, c, first);
	pthread_mutex_unlock(&t->base.lock);
}
