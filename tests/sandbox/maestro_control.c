/* maestro_control.c: the control API's part for the Maestro stand-in: what an accountant would do
 * there, and the ledger. */
#include "base/base.h"

#include "maestro.h"

/* ---- ledger and set-up --------------------------------------------------------------------- */

static int64_t times_received(const struct ms_company *co, const struct ms_invoice *in)
{
	const struct ms_invoice *same = table_get(&co->by_number, in->doc.number);
	int64_t n = 0;
	for (; same; same = same->next_same_number)
		n++;
	return n;
}

static void kdecimal(struct json_writer *w, const char *key, struct decimal d)
{
	jsonw_key(w, key);
	jsonw_decimal(w, d);
}

static void write_document(struct json_writer *w, const struct ms_company *co,
			   const struct ms_invoice *in)
{
	const struct ms_document *d = &in->doc;
	jsonw_object(w);
	jsonw_kstr(w, "number", d->number);
	jsonw_kstr(w, "id", in->id);
	jsonw_kstr(w, "key", in->key);
	jsonw_kstr(w, "date", d->date);
	jsonw_kstr(w, "due_date", d->due_date);
	jsonw_kstr(w, "currency", d->currency);
	jsonw_kstr(w, "reference", d->reference);
	jsonw_kstr(w, "customer_code", d->customer_number);
	jsonw_kstr(w, "buyer", d->buyer_name);
	jsonw_kstr(w, "sender_id", d->seller_id);
	jsonw_kstr(w, "delivery_date", d->delivery_date);
	jsonw_kstr(w, "delivery_city", d->delivery_city);
	jsonw_kbool(w, "is_credit", d->is_credit);
	kdecimal(w, "net", d->net);
	kdecimal(w, "vat", d->vat);
	kdecimal(w, "sum", d->gross);
	jsonw_key(w, "rows");
	jsonw_raw(w, span_of(in->rows));
	jsonw_kint(w, "times_received", times_received(co, in));
	jsonw_end_object(w);
}

static void write_counts(struct json_writer *w, const struct ms_company *co)
{
	int64_t count = 0, duplicates = 0, strangers = 0;
	for (const struct ms_invoice *in = co->invoices; in; in = in->next) {
		const struct ms_invoice *older = in->next_same_number;
		if (in->is_deleted)
			continue;
		while (older && older->is_deleted)
			older = older->next_same_number;
		count++;
		duplicates += older != NULL;
		strangers += strcmp(in->doc.seller_id, co->id) != 0;
	}
	jsonw_kint(w, "count", count);
	jsonw_kint(w, "duplicates", duplicates);
	jsonw_kint(w, "other_senders", strangers);
	jsonw_kint(w, "refused", (int64_t)co->refused);
	jsonw_kint(w, "refused_duplicates", (int64_t)co->refused_duplicates);
	jsonw_kint(w, "calls", (int64_t)co->calls);
	jsonw_kint(w, "unauthorized", (int64_t)co->unauthorized);
	jsonw_kint(w, "customers_added", (int64_t)co->customers_added);
	jsonw_kint(w, "customers_changed", (int64_t)co->customers_changed);
	jsonw_kint(w, "fallback_rows", (int64_t)co->fallback_rows);
}

static void write_company(struct json_writer *w, const struct ms_company *co, bool with_documents)
{
	jsonw_object(w);
	jsonw_kstr(w, "tenant", co->tenant);
	jsonw_kstr(w, "company_id", co->id);
	jsonw_kstr(w, "name", co->name);
	write_counts(w, co);
	if (with_documents) {
		jsonw_key(w, "documents");
		jsonw_array(w);
		for (const struct ms_invoice *in = co->invoices; in; in = in->next)
			if (!in->is_deleted)
				write_document(w, co, in);
		jsonw_end_array(w);
	}
	jsonw_end_object(w);
}

/* Oldest first. */
static void write_companies(struct json_writer *w, const struct ms_company *co, bool with_documents)
{
	if (!co)
		return;
	write_companies(w, co->next, with_documents);
	write_company(w, co, with_documents);
}

void ms_write_ledger(void *state, bool with_documents, struct json_writer *w)
{
	struct maestro *m = state;
	jsonw_array(w);
	write_companies(w, m->companies, with_documents);
	jsonw_end_array(w);
}

void ms_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w)
{
	struct maestro *m = state;
	char url[192];
	const struct ms_company *co = ms_find_locked(m, key);
	snprintf(url, sizeof(url), "%s/maestro", base_url);
	if (co) {
		jsonw_object(w);
		jsonw_kstr(w, "base_url", url);
		jsonw_kstr(w, "api_key", co->api_key);
		jsonw_kstr(w, "company_id", co->id);
		jsonw_kstr(w, "fallback_product", MS_FALLBACK);
		jsonw_end_object(w);
	} else {
		jsonw_null(w);
	}
}

/* ---- one company --------------------------------------------------------------------------- */

static void serve_company(struct ms_company *co, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (call_is(c, "POST") && !body)
		return;
	bool is_on;
	if (json_bool(json_get(body, "forbidden"), &is_on))
		co->is_forbidden = is_on;
	const char *where = json_str(json_get(body, "product_fallback"));
	if (where)
		co->falls_back = strcmp(where, "server") == 0;
	const char *key = json_str(json_get(body, "api_key"));
	if (key)
		snprintf(co->api_key, sizeof(co->api_key), "%s", key);
	write_company(&w, co, true);
	reply_json(c, 200, &sb);
}

static void write_products(struct call *c, const struct ms_company *co)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_array(&w);
	for (const struct ms_product *p = co->products; p; p = p->next)
		ms_write_product(&w, p);
	jsonw_end_array(&w);
	reply_json(c, 200, &sb);
}

static const char *or_preset(const struct json *body, const char *key, const char *preset)
{
	const char *text = json_text(json_get(body, key));
	return text ? text : preset;
}

/* POST adds one or changes that of the code; `count` adds as many with numbered codes. */
static void serve_products(struct maestro *m, struct ms_company *co, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct ms_product p = { .is_active = true };
	if (call_is(c, "POST") && !body)
		return;
	const char *code = json_text(json_get(body, "code"));
	int64_t count = control_int(body, "count", 1, 100000);
	if (!json_bool(json_get(body, "active"), &p.is_active))
		p.is_active = true;
	p.name = or_preset(body, "name", "Tuote");
	p.unit = or_preset(body, "unit", "EA");
	p.price = or_preset(body, "price", "1.00");
	p.vat = or_preset(body, "vat", "25.5");
	for (int64_t i = 0; code && i < count; i++) {
		p.code = count > 1 ? arena_printf(c->arena, "%s%05" PRId64, code, i) : code;
		if (!p.code || !ms_add_product_locked(m, co, &p))
			return;
	}
	write_products(c, co);
}

static void serve_product(struct ms_company *co, struct call *c, const char *code)
{
	struct ms_product **at = &co->products;
	while (*at && strcmp((*at)->code, code) != 0)
		at = &(*at)->next;
	if (!*at) {
		control_error(c, 404, "no such product: %s", code);
		return;
	}
	if (call_is(c, "DELETE"))
		*at = (*at)->next;
	write_products(c, co);
}

/* POST: a card as a person makes it at Maestro, without our id. */
static void serve_customers(struct maestro *m, struct ms_company *co, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (call_is(c, "POST") && (!body || !ms_keep_customer_locked(m, co, NULL, "", body)))
		return;
	jsonw_array(&w);
	for (const struct ms_customer *cu = co->customers; cu; cu = cu->next)
		jsonw_raw(&w, span_of(cu->json));
	jsonw_end_array(&w);
	reply_json(c, 200, &sb);
}

/* GET: the Finvoice as it came. DELETE: as a person deletes it. */
static void serve_invoice(struct ms_company *co, struct call *c, const char *which)
{
	struct ms_invoice *in = co->invoices;
	while (in && (in->is_deleted ||
		      (strcmp(in->id, which) != 0 && strcmp(in->doc.number, which) != 0)))
		in = in->next;
	if (!in) {
		control_error(c, 404, "no such invoice: %s", which);
	} else if (call_is(c, "DELETE")) {
		in->is_deleted = true;
		reply_empty(c, 204);
	} else {
		reply_bytes(c, 200, "application/xml", in->doc.xml);
	}
}

static void serve_locked(struct maestro *m, struct call *c, size_t first)
{
	size_t n = c->n_segments - first;
	const char *const *seg = c->segments + first;
	struct ms_company *co = n ? ms_find_locked(m, seg[0]) : NULL;
	if (!co)
		control_error(c, 404, "no such company at Maestro: %s", n ? seg[0] : "");
	else if (n == 1)
		serve_company(co, c);
	else if (strcmp(seg[1], "products") == 0 && n == 2)
		serve_products(m, co, c);
	else if (strcmp(seg[1], "products") == 0)
		serve_product(co, c, seg[2]);
	else if (strcmp(seg[1], "customers") == 0)
		serve_customers(m, co, c);
	else if (strcmp(seg[1], "invoices") == 0 && n == 3)
		serve_invoice(co, c, seg[2]);
	else
		control_error(c, 404, "no such thing: %s", seg[1]);
}

void ms_control(void *state, struct call *c, size_t first)
{
	struct maestro *m = state;
	pthread_mutex_lock(&m->base.lock);
	serve_locked(m, c, first);
	pthread_mutex_unlock(&m->base.lock);
}
