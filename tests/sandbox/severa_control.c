/*
 * severa_control.c: the control API's part for the Severa stand-in: look at a tenant, change what a
 * person would change in Severa's user interface, and its lines in the ledger.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "severa_invoice.h"

static const char transfer_status[] = SEED_STATUS_TRANSFER;

/* ---- ledger and set-up --------------------------------------------------------------------- */

static size_t count_in_status(const struct severa_tenant *t, const struct doc *status)
{
	size_t n = 0;
	const struct doc_list *invoices = &t->kinds[SEVERA_INVOICE];
	for (size_t i = 0; i < invoices->n; i++)
		n += invoices->docs[i]->status == status;
	return n;
}

static void write_by_status_locked(struct severa_tenant *t, struct arena *arena,
				   struct json_writer *w)
{
	jsonw_key(w, "invoices_by_status");
	jsonw_object(w);
	for (size_t i = 0; i < t->kinds[SEVERA_STATUS].n; i++) {
		const struct doc *status = t->kinds[SEVERA_STATUS].docs[i];
		const char *name = severa_text(arena, status, "name");
		jsonw_kint(w, name ? name : status->guid, (int64_t)count_in_status(t, status));
	}
	jsonw_end_object(w);
}

/* Customers beyond the first with the same number. */
static size_t count_same_numbers(const struct severa_tenant *t)
{
	const struct doc_list *list = &t->kinds[SEVERA_CUSTOMER];
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++) {
		bool is_met = false;
		for (size_t k = 0; k < i && !is_met && list->docs[i]->number >= 0; k++)
			is_met = list->docs[k]->number == list->docs[i]->number;
		n += is_met;
	}
	return n;
}

static void write_tenant_ledger_locked(struct severa_tenant *t, struct arena *arena,
				       struct json_writer *w)
{
	jsonw_object(w);
	jsonw_kstr(w, "tenant", t->key);
	jsonw_kstr(w, "client_id", t->client_id);
	jsonw_kint(w, "invoices", (int64_t)t->kinds[SEVERA_INVOICE].n);
	write_by_status_locked(t, arena, w);
	jsonw_kint(w, "patches", (int64_t)t->patches);
	jsonw_kint(w, "creates", (int64_t)t->creates);
	jsonw_kint(w, "customer_duplicates", (int64_t)count_same_numbers(t));
	jsonw_kint(w, "status_changes", (int64_t)t->status_changes);
	jsonw_kint(w, "requests", (int64_t)t->requests);
	jsonw_kint(w, "throttled", (int64_t)t->throttled);
	jsonw_kint(w, "token_requests", (int64_t)t->token_requests);
	jsonw_kint(w, "unauthorized", (int64_t)__atomic_load_n(&t->unauthorized, __ATOMIC_RELAXED));
	jsonw_end_object(w);
}

void severa_write_ledger(void *state, bool with_documents, struct json_writer *w)
{
	(void)with_documents; /* Severa's documents are listed by /_sandbox/severa/... */
	struct severa *severa = state;
	CLEANUP(arena_free) struct arena *arena = arena_new(64u << 20);
	jsonw_array(w);
	pthread_rwlock_rdlock(&severa->lock);
	for (size_t i = 0; arena && i < severa->n; i++) {
		struct severa_tenant *t = severa->tenants[i];
		pthread_mutex_lock(&t->lock);
		write_tenant_ledger_locked(t, arena, w);
		pthread_mutex_unlock(&t->lock);
		arena_clear(arena);
	}
	pthread_rwlock_unlock(&severa->lock);
	jsonw_end_array(w);
}

static void write_statuses_locked(struct severa_tenant *t, struct arena *arena,
				  struct json_writer *w)
{
	static const struct {
		const char *key, *name;
	} roles[] = { { "draft", SEED_STATUS_DRAFT },
		      { "transfer", SEED_STATUS_TRANSFER },
		      { "transferred", SEED_STATUS_DONE },
		      { "failed", SEED_STATUS_FAILED } };
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		char key[32];
		const struct doc *status = severa_status_locked(t, roles[i].name);
		snprintf(key, sizeof(key), "%s_status", roles[i].key);
		jsonw_kstr(w, key, status ? status->guid : NULL);
	}
	jsonw_key(w, "statuses");
	jsonw_object(w);
	for (size_t i = 0; i < t->kinds[SEVERA_STATUS].n; i++) {
		const struct doc *status = t->kinds[SEVERA_STATUS].docs[i];
		const char *name = severa_text(arena, status, "name");
		jsonw_kstr(w, name ? name : status->guid, status->guid);
	}
	jsonw_end_object(w);
}

static void write_units_locked(struct severa_tenant *t, struct arena *arena, struct json_writer *w)
{
	jsonw_key(w, "business_units");
	jsonw_array(w);
	for (size_t i = 0; i < t->kinds[SEVERA_BUSINESS_UNIT].n; i++) {
		const struct doc *unit = t->kinds[SEVERA_BUSINESS_UNIT].docs[i];
		jsonw_object(w);
		jsonw_kstr(w, "guid", unit->guid);
		jsonw_kstr(w, "name", severa_text(arena, unit, "name"));
		jsonw_kstr(w, "vat_number", severa_text(arena, unit, "vatNumber"));
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

void severa_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w)
{
	struct severa_tenant *t = severa_find(state, key);
	CLEANUP(arena_free) struct arena *arena = arena_new(16u << 20);
	if (!t || !arena) {
		jsonw_null(w);
		return;
	}
	char url[160];
	snprintf(url, sizeof(url), "%s/severa/rest-api", base_url);
	pthread_mutex_lock(&t->lock);
	jsonw_object(w);
	jsonw_kstr(w, "base_url", url);
	jsonw_kstr(w, "client_id", t->client_id);
	jsonw_kstr(w, "client_secret", t->secret);
	const struct doc_list *own = &t->kinds[SEVERA_ORGANIZATION];
	const struct doc *organization = own->n ? own->docs[0] : NULL;
	jsonw_kstr(w, "organization_guid", organization ? organization->guid : NULL);
	jsonw_kstr(w, "name", severa_text(arena, organization, "name"));
	jsonw_kstr(w, "vat_number", severa_text(arena, organization, "vatNumber"));
	write_statuses_locked(t, arena, w);
	write_units_locked(t, arena, w);
	jsonw_end_object(w);
	pthread_mutex_unlock(&t->lock);
}

/* ---- invoices ------------------------------------------------------------------------------ */

/* By guid, number or name. */
static struct doc *find_doc_locked(struct severa_tenant *t, struct arena *arena,
				   enum severa_kind kind, const char *what)
{
	if (!what)
		return NULL;
	struct doc *found = severa_get_locked(t, kind, what);
	char number[24];
	for (size_t i = 0; !found && i < t->kinds[kind].n; i++) {
		struct doc *doc = t->kinds[kind].docs[i];
		snprintf(number, sizeof(number), "%" PRId64, doc->number);
		if (doc->number >= 0 && strcmp(number, what) == 0)
			found = doc;
		else if (str_eq(severa_text(arena, doc, "name"), what))
			found = doc;
	}
	return found;
}

static struct doc *find_invoice_locked(struct severa_tenant *t, const char *guid_number_or_name)
{
	const char *what = guid_number_or_name;
	char text[UUID_TEXT];
	struct doc *found = severa_get_locked(t, SEVERA_INVOICE, what);
	if (!found) {
		severa_guid(t, "invoice", what, text);
		found = severa_get_locked(t, SEVERA_INVOICE, text);
	}
	for (size_t i = 0; !found && i < t->kinds[SEVERA_INVOICE].n; i++) {
		struct doc *doc = t->kinds[SEVERA_INVOICE].docs[i];
		snprintf(text, sizeof(text), "%" PRId64, doc->number);
		if (doc->number >= 0 && strcmp(text, what) == 0)
			found = doc;
	}
	return found;
}

static void list_invoices(struct severa_tenant *t, struct call *c)
{
	const char *name = call_param(c, "status");
	struct strbuf sb = call_strbuf(c);
	pthread_mutex_lock(&t->lock);
	const struct doc *status = severa_status_locked(t, name);
	bool first = true;
	strbuf_addch(&sb, '[');
	for (size_t i = 0; i < t->kinds[SEVERA_INVOICE].n; i++) {
		const struct doc *doc = t->kinds[SEVERA_INVOICE].docs[i];
		if (name && doc->status != status)
			continue;
		if (!first)
			strbuf_addch(&sb, ',');
		strbuf_add(&sb, doc->json, doc->n);
		first = false;
	}
	strbuf_addch(&sb, ']');
	pthread_mutex_unlock(&t->lock);
	if (name && !status)
		control_error(c, 404, "no such status: %s", name);
	else
		reply_json(c, 200, &sb);
}

static void write_made(struct json_writer *w, const struct doc *invoice)
{
	jsonw_object(w);
	jsonw_kstr(w, "guid", invoice->guid);
	if (invoice->number >= 0)
		jsonw_kint(w, "number", invoice->number);
	jsonw_end_object(w);
}

static bool make_files_locked(struct severa_tenant *t, struct call *c, struct doc *invoice,
			      const struct json *files, struct err *err)
{
	for (const struct json *f = json_first(files); f; f = json_next(f)) {
		const char *name = json_str(json_get(f, "name"));
		const char *type = json_str(json_get(f, "content_type"));
		const char *text = json_str(json_get(f, "text"));
		const char *base64 = json_str(json_get(f, "base64"));
		struct span bytes = span_of(text ? text : "");
		if (base64) {
			unsigned char *raw = arena_alloc(c->arena, strlen(base64) + 1);
			if (!raw || !sign_unbase64(span_of(base64), raw, strlen(base64), &bytes.n))
				return err_set(err, ERR_INPUT, "base64 of a file is malformed");
			bytes.p = (const char *)raw;
		}
		bool internal;
		if (!json_bool(json_get(f, "is_internal"), &internal))
			internal = false;
		if (!severa_make_file_locked(t, invoice, name ? name : "liite.txt",
					     type ? type : "application/octet-stream", internal,
					     bytes, err))
			return false;
	}
	return true;
}

static const char *or_default(const struct json *spec, const char *key, const char *fallback)
{
	const char *text = json_text(json_get(spec, key));
	return text ? text : fallback;
}

static struct doc *make_one_locked(struct severa_tenant *t, struct call *c, const struct json *spec,
				   struct err *err)
{
	struct invoice_plan plan = { 0 };
	severa_default_sender_locked(t, c->arena, &plan);
	const char *customer = json_text(json_get(spec, "customer"));
	const struct doc_list *customers = &t->kinds[SEVERA_CUSTOMER];
	plan.customer = customer       ? find_doc_locked(t, c->arena, SEVERA_CUSTOMER, customer)
			: customers->n ? customers->docs[0]
				       : NULL;
	plan.billing = find_doc_locked(t, c->arena, SEVERA_CUSTOMER,
				       json_text(json_get(spec, "billing_customer")));
	plan.projects[0] = find_doc_locked(t, c->arena, SEVERA_PROJECT,
					   json_text(json_get(spec, "project")));
	const struct json *second = json_get(spec, "second_project");
	plan.projects[1] = find_doc_locked(t, c->arena, SEVERA_PROJECT, json_text(second));
	plan.row_projects = json_get(spec, "row_projects");
	plan.row_phases = json_get(spec, "row_phases");
	plan.status = severa_status_locked(t, or_default(spec, "status", transfer_status));
	plan.name = or_default(spec, "name", NULL);
	plan.date = or_default(spec, "date", plan.date);
	plan.term = (int)control_int(spec, "payment_term", plan.term, 3650);
	plan.currency = or_default(spec, "currency", plan.currency);
	plan.rate = or_default(spec, "currency_rate", plan.rate);
	plan.sender_vat = or_default(spec, "sender_vat_number", plan.sender_vat);
	plan.off = or_default(spec, "off", NULL);
	bool credit;
	if (json_bool(json_get(spec, "is_credit_note"), &credit))
		plan.is_credit = credit;
	plan.row_json = json_get(spec, "rows");
	plan.fields = json_get(spec, "fields");
	struct seed_row rows[SEED_MAX_ROWS];
	if (!plan.row_json) {
		plan.rows = rows;
		plan.n_rows = seed_generate_rows((unsigned)t->next_seq, rows);
	}
	struct doc *invoice = severa_make_invoice_locked(t, &plan, err);
	if (invoice && !make_files_locked(t, c, invoice, json_get(spec, "files"), err))
		return NULL;
	return invoice;
}

static void add_invoices(struct severa_tenant *t, struct call *c)
{
	const struct json *body = control_body(c);
	if (!body)
		return;
	struct err err = ERR_INIT;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	bool ok = true;
	pthread_mutex_lock(&t->lock);
	const struct doc *status = severa_status_locked(
		t, or_default(body, "status", transfer_status));
	if (!status)
		ok = err_set(&err, ERR_INPUT, "no such status");
	jsonw_array(&w);
	int64_t count = control_int(body, "count", 0, 100000);
	for (int64_t i = 0; ok && i < count; i++) {
		const struct doc *made = severa_generate_invoice_locked(
			t, (unsigned)t->kinds[SEVERA_INVOICE].n, status, &err);
		ok = made != NULL;
		if (ok)
			write_made(&w, made);
	}
	const struct json *spec = json_first(json_get(body, "invoices"));
	for (; ok && spec; spec = json_next(spec)) {
		const struct doc *made = make_one_locked(t, c, spec, &err);
		ok = made != NULL;
		if (ok)
			write_made(&w, made);
	}
	pthread_mutex_unlock(&t->lock);
	jsonw_end_array(&w);
	if (ok)
		reply_json(c, 201, &sb);
	else
		control_error(c, 400, "%s", err.message);
}

/* {"status": name or guid, "fields": {...}, "rows": [{...} or null, ...]} */
static bool change_invoice_locked(struct severa_tenant *t, struct call *c, struct doc *invoice,
				  const struct json *body, struct err *err)
{
	const char *status_name = json_text(json_get(body, "status"));
	const struct doc *status = severa_status_locked(t, status_name);
	if (status_name && !status)
		return err_set(err, ERR_INPUT, "no such status: %s", status_name);
	const struct json *fields = json_get(body, "fields");
	if (fields && !severa_merge_locked(t, invoice, c->arena, fields, err))
		return false;
	const struct json *over = json_first(json_get(body, "rows"));
	struct doc *row = invoice->first_child;
	for (; row && over; row = row->next_sibling) {
		if (row->kind != SEVERA_ROW)
			continue;
		if (json_type(over) == JSON_OBJECT &&
		    !severa_merge_locked(t, row, c->arena, over, err))
			return false;
		over = json_next(over);
	}
	return !status || severa_enter_locked(t, invoice, status, c->arena, err);
}

static void change_invoice(struct severa_tenant *t, struct call *c, const char *which)
{
	struct err err = ERR_INIT;
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	if (!body && call_is(c, "POST"))
		return;
	pthread_mutex_lock(&t->lock);
	struct doc *invoice = find_invoice_locked(t, which);
	if (!invoice) {
		control_error(c, 404, "no such invoice: %s", which);
	} else if (call_is(c, "DELETE")) {
		severa_remove_locked(t, invoice);
		reply_empty(c, 204);
	} else if (body && !change_invoice_locked(t, c, invoice, body, &err)) {
		control_error(c, 400, "%s", err.message);
	} else {
		struct strbuf sb = call_strbuf(c);
		strbuf_add(&sb, invoice->json, invoice->n);
		reply_json(c, 200, &sb);
	}
	pthread_mutex_unlock(&t->lock);
}

/* ---- other records and settings ------------------------------------------------------------ */

static const struct {
	const char *name;
	enum severa_kind kind;
} registers[] = {
	{ "customers", SEVERA_CUSTOMER },
	{ "products", SEVERA_PRODUCT },
	{ "worktypes", SEVERA_WORK_TYPE },
	{ "travelexpensetypes", SEVERA_TRAVEL_TYPE },
	{ "statuses", SEVERA_STATUS },
	{ "businessunits", SEVERA_BUSINESS_UNIT },
	{ "projects", SEVERA_PROJECT },
	{ "addresses", SEVERA_ADDRESS },
	{ "organization", SEVERA_ORGANIZATION },
	{ "rows", SEVERA_ROW },
	{ "vatrates", SEVERA_VAT_RATE },
	{ "languages", SEVERA_LANGUAGE },
	{ "currencies", SEVERA_CURRENCY },
	{ "contacts", SEVERA_CONTACT },
	{ "communications", SEVERA_COMMUNICATION },
	{ "phases", SEVERA_PHASE },
	{ "files", SEVERA_INVOICE_FILE },
	{ "users", SEVERA_USER },
	{ "fees", SEVERA_PROJECT_FEE },
	{ "expenses", SEVERA_TRAVEL_EXPENSE },
	{ "travels", SEVERA_TRAVEL },
	{ "travelstatuses", SEVERA_TRAVEL_STATUS },
	{ "travellines", SEVERA_TRAVEL_LINE },
};

/* {"name", "code"} of the record unless given, and what lists want of each. */
static void write_record(struct json_writer *w, const struct json *fields, const char *guid,
			 unsigned ordinal, const char *when)
{
	char text[32];
	jsonw_object(w);
	jsonw_kstr(w, "guid", guid);
	jsonw_kstr(w, "createdDateTime", when);
	jsonw_kstr(w, "lastUpdatedDateTime", when);
	snprintf(text, sizeof(text), "Rivi %u", ordinal);
	if (!json_get(fields, "name"))
		jsonw_kstr(w, "name", text);
	snprintf(text, sizeof(text), "R-%u", ordinal);
	if (!json_get(fields, "code"))
		jsonw_kstr(w, "code", text);
	if (!json_get(fields, "isActive"))
		jsonw_kbool(w, "isActive", true);
	for (const struct json *m = json_first(fields); m; m = json_next(m)) {
		jsonw_key(w, json_key(m));
		jsonw_node(w, m);
	}
	jsonw_end_object(w);
}

/* {"count": 1, "fields": {...}, "parent": guid}: as many new records, named by their number. */
static bool add_records_locked(struct severa_tenant *t, struct call *c, enum severa_kind kind,
			       const struct json *body, struct err *err)
{
	const struct json *fields = json_get(body, "fields");
	const char *parent_guid = json_str(json_get(body, "parent"));
	struct doc *parent = parent_guid ? table_get(&t->by_guid, parent_guid) : NULL;
	int64_t count = control_int(body, "count", 1, 10000);
	struct strbuf made = call_strbuf(c);
	struct json_writer out = JSON_WRITER_INIT(&made);
	if (parent_guid && !parent)
		return err_set(err, ERR_INPUT, "no such parent");
	jsonw_array(&out);
	for (int64_t i = 0; i < count; i++) {
		struct strbuf sb = call_strbuf(c);
		struct json_writer w = JSON_WRITER_INIT(&sb);
		char guid[UUID_TEXT], when[CLOCK_RFC3339_MAX];
		sign_uuid4(guid);
		clock_rfc3339(severa_tick_locked(t), when);
		write_record(&w, fields, guid, (unsigned)t->kinds[kind].n + 1, when);
		if (!severa_add_locked(t, kind, guid, parent, strbuf_span(&sb), err))
			return false;
		jsonw_raw(&out, strbuf_span(&sb));
	}
	jsonw_end_array(&out);
	reply_json(c, 201, &made);
	return true;
}

/* GET lists, POST adds; GET|POST|DELETE with a guid, number or name: one record, changed, or
 * removed. */
static void serve_register(struct severa_tenant *t, struct call *c, enum severa_kind kind,
			   const char *which)
{
	struct err err = ERR_INIT;
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	if (!body && call_is(c, "POST"))
		return;
	struct strbuf sb = call_strbuf(c);
	pthread_mutex_lock(&t->lock);
	struct doc *doc = find_doc_locked(t, c->arena, kind, which);
	if (!which && body) {
		if (!add_records_locked(t, c, kind, body, &err))
			control_error(c, 400, "%s", err.message);
	} else if (!which) {
		strbuf_addch(&sb, '[');
		for (size_t i = 0; i < t->kinds[kind].n; i++) {
			if (i)
				strbuf_addch(&sb, ',');
			strbuf_add(&sb, t->kinds[kind].docs[i]->json, t->kinds[kind].docs[i]->n);
		}
		strbuf_addch(&sb, ']');
		reply_json(c, 200, &sb);
	} else if (!doc) {
		control_error(c, 404, "no such record");
	} else if (call_is(c, "DELETE")) {
		severa_remove_locked(t, doc);
		reply_empty(c, 204);
	} else if (body && !severa_merge_locked(t, doc, c->arena, body, &err)) {
		control_error(c, 400, "%s", err.message);
	} else {
		strbuf_add(&sb, doc->json, doc->n);
		reply_json(c, 200, &sb);
	}
	pthread_mutex_unlock(&t->lock);
}

static bool set_scopes_locked(struct severa_tenant *t, const struct json *body, struct err *err)
{
	const char *scopes = json_str(json_get(body, "scopes"));
	bool unknown = false;
	if (scopes) {
		uint64_t bits = severa_scopes_parse(scopes, &unknown);
		if (unknown)
			return err_set(err, ERR_INPUT, "unknown scope in: %s", scopes);
		t->scopes = bits;
		severa_drop_tokens_locked(t);
	}
	static const char *const policies[] = { [SCOPE_REFUSES] = "refuse",
						[SCOPE_LEFT_OUT] = "leave_out",
						[SCOPE_UNSAID] = "unsaid" };
	const char *policy = json_str(json_get(body, "missing_scope"));
	for (size_t i = 0; policy && i < ARRAY_SIZE(policies); i++) {
		if (strcmp(policy, policies[i]) != 0)
			continue;
		t->missing_scope = (enum severa_missing_scope)i;
		policy = NULL;
	}
	if (policy)
		return err_set(err, ERR_INPUT, "missing_scope is refuse, leave_out or unsaid");
	return true;
}

static bool set_secret_locked(struct severa_tenant *t, const struct json *body, struct err *err)
{
	const char *secret = json_str(json_get(body, "client_secret"));
	if (!secret)
		return true;
	char *copy = mem_strdup(secret);
	if (!copy)
		return err_set(err, ERR_MEMORY, "out of memory");
	mem_free(t->secret);
	t->secret = copy;
	severa_drop_tokens_locked(t);
	return true;
}

static bool change_tenant_locked(struct severa_tenant *t, const struct json *body, struct err *err)
{
	static const char *const forms[] = { "both", "status_guid", "status" };
	if (!set_scopes_locked(t, body, err) || !set_secret_locked(t, body, err))
		return false;
	const char *form = json_str(json_get(body, "status_patch"));
	for (size_t i = 0; form && i < ARRAY_SIZE(forms); i++) {
		if (strcmp(form, forms[i]) == 0)
			t->patch_form = (enum severa_patch_form)i;
	}
	int64_t rate = control_int(body, "rate", -1, 1000000);
	if (rate >= 0 && !severa_set_rate_locked(t, (unsigned)rate))
		return err_set(err, ERR_MEMORY, "out of memory");
	t->access_s = control_int(body, "access_token_s", t->access_s, 1000000);
	t->refresh_s = control_int(body, "refresh_token_s", t->refresh_s, 1000000);
	t->next_number = control_int(body, "next_number", t->next_number, INT32_MAX);
	t->created_ahead_s = control_int(body, "created_ahead_s", t->created_ahead_s, 1000000);
	bool flag;
	if (json_bool(json_get(body, "finvoice_addon"), &flag))
		t->has_finvoice = flag;
	if (json_bool(json_get(body, "drop_tokens"), &flag) && flag)
		severa_drop_tokens_locked(t);
	return true;
}

static void change_tenant(struct severa_tenant *t, struct call *c)
{
	struct err err = ERR_INIT;
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	if (!body && call_is(c, "POST"))
		return;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	pthread_mutex_lock(&t->lock);
	bool ok = !body || change_tenant_locked(t, body, &err);
	write_tenant_ledger_locked(t, c->arena, &w);
	pthread_mutex_unlock(&t->lock);
	if (ok)
		reply_json(c, 200, &sb);
	else
		control_error(c, 400, "%s", err.message);
}

void severa_control(void *state, struct call *c, size_t first)
{
	size_t n = c->n_segments - first;
	const char *const *seg = c->segments + first;
	struct severa_tenant *t = n ? severa_find(state, seg[0]) : NULL;
	if (!t) {
		control_error(c, 404, "no such Severa tenant");
		return;
	}
	if (n == 1) {
		change_tenant(t, c);
		return;
	}
	if (strcmp(seg[1], "invoices") == 0) {
		if (n == 2 && call_is(c, "POST"))
			add_invoices(t, c);
		else if (n == 2)
			list_invoices(t, c);
		else
			change_invoice(t, c, seg[2]);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		if (strcmp(registers[i].name, seg[1]) == 0) {
			serve_register(t, c, registers[i].kind, n > 2 ? seg[2] : NULL);
			return;
		}
	}
	control_error(c, 404, "no such thing: %s", seg[1]);
}
