/*
 * maestro_invoice.c: an upload to the Maestro stand-in: checks, products by code, duplicates, and
 * looking up (facts/maestro.md §3). An unknown code is refused, so that a test can tell that the
 * client applied the rule of A/0; or taken over to A/0 with a warning, when the company is set so.
 */
#include "base/base.h"

#include "maestro.h"

/* ---- checks -------------------------------------------------------------------------------- */

static bool refuse(struct ms_call *mc, const char *code, const char *path, const char *why)
{
	pthread_mutex_lock(&mc->m->base.lock);
	mc->company->refused++;
	pthread_mutex_unlock(&mc->m->base.lock);
	return ms_fail(mc, 422, code, path, why);
}

bool ms_upload_prepare(struct ms_call *mc)
{
	const char *type = call_header(mc->c, "Content-Type");
	const char *key = call_header(mc->c, "Idempotency-Key"), *why;
	if (!type || strncasecmp(type, "application/xml", 15) != 0)
		return ms_fail(mc, 415, "UNSUPPORTED_MEDIA_TYPE", NULL, "Send application/xml");
	if (!key || !key[0])
		return ms_fail(mc, 400, "MALFORMED", "Idempotency-Key", "missing");
	const char *where = ms_document_read(mc->c->arena, mc->c->body, &mc->doc, &why);
	return where ? refuse(mc, "VALIDATION", where, why) : true;
}

static const struct ms_invoice *alive(const struct ms_invoice *in)
{
	while (in && in->is_deleted)
		in = in->next_same_number;
	return in;
}

/* The number or the key is there: told with whose it is, and nothing is changed. */
static bool is_duplicate_locked(struct ms_call *mc)
{
	struct ms_company *co = mc->company;
	const struct ms_invoice *old = alive(table_get(&co->by_number, mc->doc.number));
	const struct ms_invoice *same_key = table_get(&co->by_key,
						      call_header(mc->c, "Idempotency-Key"));
	if (!old && same_key && !same_key->is_deleted)
		old = same_key;
	if (!old)
		return false;
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	co->refused_duplicates++;
	jsonw_object(&w);
	jsonw_key(&w, "error");
	jsonw_object(&w);
	jsonw_kstr(&w, "code", "DUPLICATE_INVOICE");
	jsonw_kstr(&w, "message", "The invoice is here already");
	jsonw_kstr(&w, "invoiceId", old->id);
	jsonw_kstr(&w, "idempotencyKey", old->key);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	mc->c->note = "DUPLICATE_INVOICE";
	reply_json(mc->c, 409, &sb);
	return true;
}

static bool is_rate_known(struct decimal percent)
{
	static const struct decimal was = { 24, 0 };
	struct decimal rate;
	for (const char *const *text = seed_vat_rates; *text; text++)
		if (decimal_parse(span_of(*text), &rate) && decimal_eq(rate, percent))
			return true;
	return decimal_eq(percent, was);
}

/* The 422 counts too; the lock is held here. */
static bool refuse_row_locked(struct ms_call *mc, const char *code, size_t i, const char *element,
			      const char *why)
{
	const char *path = arena_printf(mc->c->arena, "InvoiceRow[%zu]/%s", i + 1, element);
	mc->company->refused++;
	return ms_fail(mc, 422, code, path ? path : element, why);
}

/* Books each row on a product that there is; A/0 takes what has none. */
static bool book_rows_locked(struct ms_call *mc)
{
	struct ms_company *co = mc->company;
	for (size_t i = 0; i < mc->doc.n_rows; i++) {
		struct ms_row *row = &mc->doc.rows[i];
		const struct ms_product *p = ms_product_locked(co, row->code);
		if (!is_rate_known(row->vat_percent))
			return refuse_row_locked(mc, "VALIDATION", i, "RowVatRatePercent",
						 "no such rate");
		if (p && p->is_active)
			continue;
		p = ms_product_locked(co, MS_FALLBACK);
		if (!co->falls_back || !p || !p->is_active)
			return refuse_row_locked(mc, "UNKNOWN_PRODUCT", i, "ArticleIdentifier",
						 "no such product");
		row->code = MS_FALLBACK;
	}
	return true;
}

/* ---- keeping it ---------------------------------------------------------------------------- */

static void kdecimal(struct json_writer *w, const char *key, struct decimal d)
{
	jsonw_key(w, key);
	jsonw_decimal(w, decimal_normalize(d));
}

static const char *write_rows(struct maestro *m, const struct ms_document *d)
{
	struct strbuf sb = STRBUF_INIT(m->base.arena, 8 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *ret;
	jsonw_array(&w);
	for (size_t i = 0; i < d->n_rows; i++) {
		const struct ms_row *row = &d->rows[i];
		jsonw_object(&w);
		jsonw_kstr(&w, "code", row->code);
		jsonw_kstr(&w, "requested", row->requested);
		jsonw_kstr(&w, "name", row->name);
		jsonw_kstr(&w, "text", row->text);
		kdecimal(&w, "quantity", row->quantity);
		kdecimal(&w, "price", row->price);
		kdecimal(&w, "vat_percent", row->vat_percent);
		kdecimal(&w, "net", row->net);
		kdecimal(&w, "vat", row->vat);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	return strbuf_finish(&sb, &ret, NULL) ? ret : "[]";
}

static void keep_document(struct maestro *m, struct ms_document *d)
{
	const char **texts[] = { &d->number,	    &d->date,	      &d->due_date,
				 &d->currency,	    &d->reference,    &d->customer_number,
				 &d->seller_id,	    &d->seller_name,  &d->buyer_name,
				 &d->delivery_date, &d->delivery_city };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i] = ms_keep(m, *texts[i]);
	char *xml = arena_memdup(m->base.arena, d->xml.p, d->xml.n);
	d->xml = xml ? (struct span) { xml, d->xml.n } : SPAN_LIT("");
	d->rows = NULL; /* they belong to the call */
}

static struct ms_invoice *add_locked(struct ms_call *mc)
{
	struct maestro *m = mc->m;
	struct ms_company *co = mc->company;
	struct ms_invoice *in = arena_alloc(m->base.arena, sizeof(*in));
	if (!in)
		return NULL;
	*in = (struct ms_invoice) { .doc = mc->doc,
				    .key = ms_keep(m, call_header(mc->c, "Idempotency-Key")),
				    .rows = write_rows(m, &mc->doc) };
	keep_document(m, &in->doc);
	sign_uuid4(in->id);
	in->next_same_number = table_get(&co->by_number, in->doc.number);
	if (!table_put(&co->by_number, in->doc.number, in) || !table_put(&co->by_key, in->key, in))
		return NULL;
	in->next = co->invoices;
	co->invoices = in;
	return in;
}

static void write_booked_rows(struct json_writer *w, const struct ms_document *d, bool is_warning)
{
	jsonw_array(w);
	for (size_t i = 0; i < d->n_rows; i++) {
		const struct ms_row *row = &d->rows[i];
		bool is_moved = strcmp(row->code, row->requested) != 0;
		if (is_warning && !is_moved)
			continue;
		jsonw_object(w);
		if (is_warning)
			jsonw_kstr(w, "code", "PRODUCT_NOT_FOUND");
		jsonw_kint(w, "position", (int64_t)i + 1);
		if (!is_warning)
			jsonw_kstr(w, "productCode", row->code);
		if (is_moved)
			jsonw_kstr(w, "requestedCode", row->requested);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

void ms_upload_locked(struct ms_call *mc)
{
	struct ms_company *co = mc->company;
	if (is_duplicate_locked(mc))
		return;
	if (!ms_customer_by_number_locked(co, mc->doc.customer_number)) {
		co->refused++;
		ms_fail(mc, 422, "VALIDATION", "InvoiceDetails/SellersBuyerIdentifier",
			"no such customer");
		return;
	}
	const struct ms_invoice *in = book_rows_locked(mc) ? add_locked(mc) : NULL;
	if (!in)
		return;
	for (size_t i = 0; i < mc->doc.n_rows; i++)
		co->fallback_rows += strcmp(mc->doc.rows[i].code, MS_FALLBACK) == 0;
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "invoiceId", in->id);
	jsonw_kstr(&w, "invoiceNumber", in->doc.number);
	jsonw_key(&w, "rows");
	write_booked_rows(&w, &mc->doc, false);
	jsonw_key(&w, "warnings");
	write_booked_rows(&w, &mc->doc, true);
	jsonw_end_object(&w);
	reply_json(mc->c, 201, &sb);
}

/* ---- looking up ---------------------------------------------------------------------------- */

static void write_listed(struct json_writer *w, const struct ms_invoice *in)
{
	char sum[DECIMAL_TEXT_MAX];
	jsonw_object(w);
	jsonw_kstr(w, "invoiceId", in->id);
	jsonw_kstr(w, "invoiceNumber", in->doc.number);
	jsonw_kstr(w, "invoiceDate", in->doc.date);
	jsonw_kstr(w, "dueDate", in->doc.due_date);
	jsonw_kstr(w, "currency", in->doc.currency);
	jsonw_kstr(w, "customerNumber", in->doc.customer_number);
	jsonw_kstr(w, "reference", in->doc.reference);
	jsonw_kstr(w, "idempotencyKey", in->key);
	jsonw_kstr(w, "totalVatIncluded", decimal_format(in->doc.gross, 2, '.', sum));
	jsonw_end_object(w);
}

void ms_list_locked(struct ms_call *mc)
{
	const char *number = call_param(mc->c, "number");
	if (!number || !number[0]) {
		ms_fail(mc, 400, "MALFORMED", "number", "missing");
		return;
	}
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct ms_invoice *in = alive(table_get(&mc->company->by_number, number));
	if (!in) {
		ms_fail(mc, 404, "NOT_FOUND", NULL, "No such invoice");
		return;
	}
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (; in; in = alive(in->next_same_number))
		write_listed(&w, in);
	jsonw_end_array(&w);
	jsonw_kstr(&w, "nextCursor", NULL);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

void ms_invoice_locked(struct ms_call *mc)
{
	const struct ms_invoice *in = mc->company->invoices;
	while (in && (in->is_deleted || strcmp(in->id, mc->id) != 0))
		in = in->next;
	if (!in) {
		ms_fail(mc, 404, "NOT_FOUND", NULL, "No such invoice");
		return;
	}
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	write_listed(&w, in);
	reply_json(mc->c, 200, &sb);
}
