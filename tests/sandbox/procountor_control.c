/*
 * procountor_control.c: the control API's part for the Procountor stand-in: settings of a company
 * and of its key, what a person does to its records, and the ledger.
 */
#include "base/base.h"

#include "procountor.h"

/* ---- ledger and set-up --------------------------------------------------------------------- */

static bool is_void(const struct pc_record *r)
{
	return r->is_gone || strcmp(r->status, "INVALIDATED") == 0 ||
	       strcmp(r->status, "DELETED") == 0;
}

/* How many of them have this number; same_id: and this business id. */
static unsigned count_of(const struct pc_register *reg, const struct pc_record *like)
{
	unsigned n = 0;
	for (size_t i = 0; i < reg->n; i++)
		n += !is_void(&reg->items[i]) && reg->items[i].number[0] &&
		     strcmp(reg->items[i].number, like->number) == 0 &&
		     strcmp(reg->items[i].type, like->type) == 0;
	return n;
}

/* Those beyond the first of their number: by a table, since registers may be large. */
static int64_t count_duplicates(const struct pc_register *reg)
{
	struct table seen = { 0 };
	int64_t n = 0;
	for (size_t i = 0; i < reg->n; i++) {
		struct pc_record *r = &reg->items[i];
		if (is_void(r) || !r->number[0])
			continue;
		if (table_get(&seen, r->number))
			n++;
		else if (!table_put(&seen, r->number, r))
			break;
	}
	table_release(&seen);
	return n;
}

static void write_document(struct json_writer *w, const struct pc_company *co,
			   const struct pc_record *r, struct arena *scratch)
{
	const struct json *j;
	if (!json_parse(scratch, span_of(r->json), JSON_LIMITS_VENDOR, &j, NULL))
		return;
	const struct json *sums = json_first(json_get(j, "invoiceSumInfo"));
	jsonw_object(w);
	jsonw_kint(w, "id", r->id);
	jsonw_kstr(w, "number", r->number);
	jsonw_kstr(w, "status", r->status);
	static const struct {
		const char *name, *path;
	} members[] = {
		{ "invoice_number", "invoiceNumber" },
		{ "date", "date" },
		{ "due_date", "paymentInfo.dueDate" },
		{ "currency", "paymentInfo.currency" },
		{ "reference", "paymentInfo.bankReferenceCode" },
		{ "order_reference", "orderReference" },
		{ "partner_id", "partnerId" },
		{ "customer_number", "counterParty.customerNumber" },
		{ "rows", "invoiceRows" },
		{ "attachments", "attachments" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct json *m = json_at(j, members[i].path);
		jsonw_key(w, members[i].name);
		if (m)
			jsonw_node(w, m);
		else
			jsonw_null(w);
	}
	jsonw_key(w, "sum");
	jsonw_node(w, json_get(sums, "invoiceSumTotal"));
	jsonw_kint(w, "times_received", count_of(&co->registers[PC_INVOICE], r));
	jsonw_end_object(w);
}

static void write_counts(struct json_writer *w, const struct pc_company *co)
{
	const struct pc_register *partners = &co->registers[PC_PARTNER];
	const struct pc_register *products = &co->registers[PC_PRODUCT];
	const struct pc_register *invoices = &co->registers[PC_INVOICE];
	int64_t count = 0;
	for (size_t i = 0; i < invoices->n; i++)
		count += !is_void(&invoices->items[i]);
	jsonw_kint(w, "count", count);
	jsonw_kint(w, "duplicates", count_duplicates(invoices));
	jsonw_kint(w, "invoices_added", (int64_t)invoices->added);
	jsonw_kint(w, "partners", (int64_t)partners->n);
	jsonw_kint(w, "partners_added", (int64_t)partners->added);
	jsonw_kint(w, "partners_changed", (int64_t)partners->changed);
	jsonw_kint(w, "partner_duplicates", count_duplicates(partners));
	jsonw_kint(w, "products", (int64_t)products->n);
	jsonw_kint(w, "products_added", (int64_t)products->added);
	jsonw_kint(w, "product_duplicates", count_duplicates(products));
	jsonw_kint(w, "attachments", (int64_t)co->attachments);
	jsonw_kint(w, "calls", (int64_t)co->calls);
	jsonw_kint(w, "token_requests", (int64_t)co->token_requests);
	jsonw_kint(w, "unauthorized", (int64_t)co->unauthorized);
	jsonw_kint(w, "throttled", (int64_t)co->throttled);
	jsonw_kint(w, "refused", (int64_t)co->refused);
}

static void write_company(struct json_writer *w, const struct pc_company *co, bool with_documents)
{
	const struct pc_register *invoices = &co->registers[PC_INVOICE];
	CLEANUP(arena_free) struct arena *scratch = arena_new((size_t)1 << 30);
	jsonw_object(w);
	jsonw_kstr(w, "tenant", co->tenant);
	jsonw_kint(w, "company_id", co->id);
	jsonw_kstr(w, "business_id", co->business_id);
	write_counts(w, co);
	if (with_documents && scratch) {
		jsonw_key(w, "documents");
		jsonw_array(w);
		for (size_t i = 0; i < invoices->n; i++)
			if (!is_void(&invoices->items[i]))
				write_document(w, co, &invoices->items[i], scratch);
		jsonw_end_array(w);
	}
	jsonw_end_object(w);
}

/* Oldest first. */
static void write_companies(struct json_writer *w, const struct pc_company *co, bool with_documents)
{
	if (!co)
		return;
	write_companies(w, co->next, with_documents);
	write_company(w, co, with_documents);
}

void pc_write_ledger(void *state, bool with_documents, struct json_writer *w)
{
	struct procountor *p = state;
	jsonw_array(w);
	write_companies(w, p->companies, with_documents);
	jsonw_end_array(w);
}

void pc_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w)
{
	struct procountor *p = state;
	char url[192];
	snprintf(url, sizeof(url), "%s/procountor/api", base_url);
	const struct pc_company *co = pc_find_locked(p, key);
	if (co) {
		jsonw_object(w);
		jsonw_kstr(w, "base_url", url);
		jsonw_kstr(w, "client_id", PC_CLIENT_ID);
		jsonw_kstr(w, "client_secret", PC_CLIENT_SECRET);
		jsonw_kstr(w, "api_key", co->api_key);
		jsonw_kint(w, "company_id", co->id);
		jsonw_kstr(w, "business_id", co->business_id);
		jsonw_kstr(w, "iban", co->iban);
		jsonw_end_object(w);
	} else {
		jsonw_null(w);
	}
}

/* ---- a company ----------------------------------------------------------------------------- */

static void read_flag(const struct json *body, const char *key, bool *to)
{
	bool value;
	if (json_bool(json_get(body, key), &value))
		*to = value;
}

static bool set_rights(struct pc_company *co, const struct json *rights, struct call *c)
{
	for (const struct json *j = json_first(rights); j; j = json_next(j)) {
		size_t i = 0;
		while (i < PC_RIGHTS && strcmp(pc_right_name((enum pc_right)i), json_key(j)) != 0)
			i++;
		if (i == PC_RIGHTS || !pc_level_of(json_str(j), &co->rights[i])) {
			control_error(c, 400, "no such right or level: %s", json_key(j));
			return false;
		}
	}
	return true;
}

static bool change_company(struct procountor *p, struct pc_company *co, const struct json *body,
			   struct call *c)
{
	const char *key = json_str(json_get(body, "api_key"));
	const char *locked = json_str(json_get(body, "locked_until"));
	bool drops = false;
	if (key)
		co->api_key = keep_text(p->base.arena, key);
	if (locked)
		co->locked_until = locked[0] ? keep_text(p->base.arena, locked) : NULL;
	read_flag(body, "key_ended", &co->is_key_ended);
	read_flag(body, "own_only", &co->sees_own_only);
	read_flag(body, "drop_tokens", &drops);
	co->token_epoch += drops;
	co->user = control_int(body, "user", co->user, INT32_MAX);
	co->token_s = control_int(body, "token_s", co->token_s, 86400);
	return set_rights(co, json_get(body, "rights"), c);
}

static void serve_company(struct procountor *p, struct pc_company *co, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if ((call_is(c, "POST") && !body) || (body && !change_company(p, co, body, c)))
		return;
	write_company(&w, co, true);
	reply_json(c, 200, &sb);
}

/* ---- records ------------------------------------------------------------------------------- */

static bool kind_of(const char *name, enum pc_kind *ret)
{
	static const char *const names[] = { "partners", "products", "invoices", "bankaccounts" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*ret = (enum pc_kind)i;
		return true;
	}
	return false;
}

/* {"count": 130, "fields": {...}}: generated ones with the fields over them. */
static void add_records(struct procountor *p, struct pc_company *co, enum pc_kind kind,
			struct call *c)
{
	const struct json *body = control_body(c);
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!body)
		return;
	if (kind != PC_PARTNER && kind != PC_PRODUCT) {
		control_error(c, 400, "only partners and products can be added");
		return;
	}
	int64_t count = control_int(body, "count", 1, 100000);
	jsonw_object(&w);
	jsonw_key(&w, "ids");
	jsonw_array(&w);
	CLEANUP(arena_free) struct arena *scratch = arena_new(16 << 20);
	for (int64_t i = 0; scratch && i < count; i++) {
		arena_clear(scratch);
		const struct json *j = pc_generate(scratch, kind,
						   (unsigned)co->registers[kind].n + 1);
		const struct pc_record *r = j ? pc_put_locked(p, co, kind, NULL, j,
							      json_get(body, "fields"), scratch)
					      : NULL;
		if (r)
			jsonw_int(&w, r->id);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	reply_json(c, 201, &sb);
}

/* GET as it is answered; POST merges fields into it, as a person does; DELETE takes it away. */
static void serve_record(struct procountor *p, struct pc_company *co, enum pc_kind kind,
			 struct call *c, const char *which)
{
	struct pc_record *r = pc_record_by_name_locked(co, kind, which);
	const struct json *body = r && call_is(c, "POST") ? control_body(c) : NULL;
	const struct json *old;
	if (!r) {
		control_error(c, 404, "no such record: %s", which);
	} else if (call_is(c, "DELETE")) {
		r->is_gone = true;
		reply_empty(c, 204);
	} else if (body) {
		if (!json_parse(c->arena, span_of(r->json), JSON_LIMITS_VENDOR, &old, NULL) ||
		    !pc_put_locked(p, co, kind, r, old, body, c->arena))
			control_error(c, 500, "out of memory");
		else
			reply_bytes(c, 200, "application/json", span_of(r->json));
	} else if (call_is(c, "GET")) {
		reply_bytes(c, 200, "application/json", span_of(r->json));
	}
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void serve_all(struct procountor *p, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (call_is(c, "POST") && !body)
		return;
	unsigned rate = (unsigned)control_int(body, "rate", p->rate, PC_RATE_MAX);
	if (rate != p->rate && !pc_set_rate_locked(p, rate)) {
		control_error(c, 500, "out of memory");
		return;
	}
	p->token_error = (unsigned)control_int(body, "token_error", p->token_error, 499);
	jsonw_object(&w);
	jsonw_kint(&w, "rate", p->rate);
	jsonw_kint(&w, "throttled", (int64_t)p->throttled);
	jsonw_kint(&w, "token_error", p->token_error ? p->token_error : 401);
	jsonw_end_object(&w);
	reply_json(c, 200, &sb);
}

static void serve_locked(struct procountor *p, struct call *c, size_t first)
{
	size_t n = c->n_segments - first;
	const char *const *seg = c->segments + first;
	struct pc_company *co = n ? pc_find_locked(p, seg[0]) : NULL;
	enum pc_kind kind = PC_KINDS;
	if (n == 0)
		serve_all(p, c);
	else if (!co)
		control_error(c, 404, "no such company at Procountor: %s", seg[0]);
	else if (n == 1)
		serve_company(p, co, c);
	else if (!kind_of(seg[1], &kind))
		control_error(c, 404, "no such thing: %s", seg[1]);
	else if (n == 2 && call_is(c, "POST"))
		add_records(p, co, kind, c);
	else if (n == 3)
		serve_record(p, co, kind, c, seg[2]);
	else
		control_error(c, 404, "no such thing: %s", seg[1]);
}

void pc_control(void *state, struct call *c, size_t first)
{
	struct procountor *p = state;
	pthread_mutex_lock(&p->base.lock);
	serve_locked(p, c, first);
	pthread_mutex_unlock(&p->base.lock);
}
