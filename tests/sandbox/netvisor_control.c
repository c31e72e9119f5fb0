/*
 * netvisor_control.c: the control API's part for the Netvisor stand-in: its ledger, set-up data,
 * settings of an organisation, its first content, and what a person could do in Netvisor itself.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "netvisor.h"
#include "seed.h"

/* ---- ledger -------------------------------------------------------------------------------- */

static void write_document(const struct nv_invoice *in, const struct nv_org *org,
			   struct json_writer *w)
{
	const struct nv_invoice *newest = in->number[0] ? table_get(&org->by_number, in->number)
							: NULL;
	jsonw_object(w);
	jsonw_kstr(w, "number", in->number);
	jsonw_kint(w, "netvisor_key", in->key);
	jsonw_key(w, "sum");
	jsonw_decimal(w, in->sum);
	jsonw_kstr(w, "currency", in->currency);
	jsonw_kstr(w, "customer_code", in->customer_code);
	jsonw_kstr(w, "customer_name", in->customer_name);
	jsonw_kstr(w, "reference", in->reference);
	jsonw_kstr(w, "date", in->date);
	jsonw_kstr(w, "type", in->type);
	jsonw_kstr(w, "status", in->status);
	jsonw_kbool(w, "deleted", in->is_deleted);
	jsonw_kint(w, "times_received", newest ? newest->times_received : 1);
	jsonw_end_object(w);
}

/* Documents beyond the first with the same number, deleted ones left out. */
static size_t count_duplicates(const struct nv_org *org)
{
	size_t n = 0;
	for (size_t i = 0; i < org->n_invoices; i++) {
		const struct nv_invoice *in = org->invoices[i];
		if (in->is_deleted || !in->number[0])
			continue;
		const struct nv_invoice *older = in->next_same_number;
		while (older && older->is_deleted)
			older = older->next_same_number;
		n += older != NULL;
	}
	return n;
}

static size_t count_documents(const struct nv_org *org)
{
	size_t n = 0;
	for (size_t i = 0; i < org->n_invoices; i++)
		n += !org->invoices[i]->is_deleted;
	return n;
}

static void write_counts(const char *key, const struct nv_register *r, struct json_writer *w)
{
	jsonw_key(w, key);
	jsonw_object(w);
	jsonw_kint(w, "count", (int64_t)r->n);
	jsonw_kint(w, "added", (int64_t)r->adds);
	jsonw_kint(w, "edited", (int64_t)r->edits);
	jsonw_end_object(w);
}

static void write_org_locked(const struct nv_org *org, bool with_documents, struct json_writer *w)
{
	jsonw_object(w);
	jsonw_kstr(w, "tenant", org->key);
	jsonw_kstr(w, "organisation_id", org->business_id);
	jsonw_kint(w, "count", (int64_t)count_documents(org));
	jsonw_kint(w, "duplicates", (int64_t)count_duplicates(org));
	jsonw_kint(w, "refused_duplicates", (int64_t)org->refused_duplicates);
	jsonw_kint(w, "overlaps", (int64_t)org->overlaps);
	jsonw_kbool(w, "in_progress", org->is_busy);
	jsonw_kint(w, "calls", (int64_t)org->calls);
	jsonw_kint(w, "failures", (int64_t)__atomic_load_n(&org->failures, __ATOMIC_RELAXED));
	jsonw_kint(w, "dimensions_made_silently", (int64_t)org->silent_items);
	write_counts("customers", &org->customers, w);
	write_counts("products", &org->products, w);
	jsonw_kint(w, "trip_duplicates", (int64_t)nv_count_trip_duplicates(org));
	if (with_documents) {
		jsonw_key(w, "trips");
		nv_write_trips_locked(org, w);
		jsonw_key(w, "documents");
		jsonw_array(w);
		for (size_t i = 0; i < org->n_invoices; i++)
			write_document(org->invoices[i], org, w);
		jsonw_end_array(w);
	}
	jsonw_end_object(w);
}

void nv_write_ledger(void *state, bool with_documents, struct json_writer *w)
{
	struct netvisor *nv = state;
	jsonw_array(w);
	pthread_rwlock_rdlock(&nv->lock);
	for (size_t i = 0; i < nv->n; i++) {
		pthread_mutex_lock(&nv->orgs[i]->lock);
		write_org_locked(nv->orgs[i], with_documents, w);
		pthread_mutex_unlock(&nv->orgs[i]->lock);
	}
	pthread_rwlock_unlock(&nv->lock);
	jsonw_end_array(w);
}

void nv_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w)
{
	const struct nv_org *org = nv_find_org(state, key);
	if (!org) {
		jsonw_null(w);
		return;
	}
	char url[160];
	snprintf(url, sizeof(url), "%s/netvisor", base_url);
	jsonw_object(w);
	jsonw_kstr(w, "base_url", url);
	jsonw_kstr(w, "organisation_id", org->business_id);
	jsonw_kstr(w, "name", org->name);
	jsonw_kstr(w, "customer_id", org->customer_id);
	jsonw_kstr(w, "customer_key", org->customer_key);
	jsonw_kstr(w, "partner_id", nv_partner_id);
	jsonw_kstr(w, "partner_key", nv_partner_key);
	jsonw_kstr(w, "temporary_customer_code", "TEMP");
	jsonw_kstr(w, "temporary_product_code", "TEMP");
	jsonw_end_object(w);
}

/* ---- first content ------------------------------------------------------------------------- */

static bool set_all(struct nv_register *r, struct nv_record *record, const char *const (*pairs)[2],
		    size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = pairs[i][1];
		if (!nv_set_value(r, record, pairs[i][0], value ? value : ""))
			return err_set(err, ERR_MEMORY, "out of memory");
	}
	return true;
}

static bool add_customer(struct nv_org *org, const struct seed_customer *c, struct err *err)
{
	char code[24] = "TEMP", id[BUSINESS_ID_TEXT] = "";
	struct nv_record *record = nv_add_record_locked(org, &org->customers);
	if (!record)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (c->number >= 0)
		snprintf(code, sizeof(code), "%" PRId64, c->number);
	if (c->id_base)
		business_id(c->id_base, id);
	const char *const pairs[][2] = {
		{ "internalidentifier", code },
		{ "externalidentifier", id },
		{ "name", c->name },
		{ "streetaddress", c->street },
		{ "city", c->city },
		{ "postnumber", c->postcode },
		{ "country", c->country },
		{ "isactive", "1" },
		{ "isprivatecustomer", "0" },
		{ "email", c->email },
		{ "invoicinglanguage", "FI" },
	};
	return set_all(&org->customers, record, pairs, ARRAY_SIZE(pairs), err);
}

static bool add_product(struct nv_org *org, const struct seed_item *it, struct err *err)
{
	if (!it->code)
		return true;
	char price[32], vat[16];
	struct nv_record *record = nv_add_record_locked(org, &org->products);
	if (!record)
		return err_set(err, ERR_MEMORY, "out of memory");
	snprintf(price, sizeof(price), "%s", it->price ? it->price : "0");
	snprintf(vat, sizeof(vat), "%s", it->vat ? it->vat : "0");
	const char *const pairs[][2] = {
		{ "productcode", it->code }, { "productgroup", "Severa" },
		{ "name", it->name },	     { "unitprice", price },
		{ "unit", it->unit },	     { "isactive", it->passive ? "0" : "1" },
		{ "issalesproduct", "1" },   { "defaultvatpercentage", vat },
	};
	return set_all(&org->products, record, pairs, ARRAY_SIZE(pairs), err);
}

static bool add_products(struct nv_org *org, const struct seed_item *items, size_t n,
			 struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!add_product(org, &items[i], err))
			return false;
	}
	return true;
}

/* The first company's first customer is known already, at an address it has left. */
static bool add_old_customer(struct nv_org *org, const char *key, struct err *err)
{
	const struct seed_company *co = seed_company(key);
	if (!co)
		return true;
	struct seed_customer old = co->customers[0];
	old.street = "Vanha osoite 1";
	return add_customer(org, &old, err);
}

/* TEMP customer and product always; the rest of the registers when the tenant asks for it. */
static bool seed_registers(struct nv_org *org, const struct tenant_spec *spec, struct err *err)
{
	static const struct seed_customer temp = { .number = -1,
						   .name = "Tilapäisasiakas",
						   .country = "FI",
						   .street = "",
						   .postcode = "",
						   .city = "" };
	static const struct seed_item temp_product = { "TEMP", "Tilapäistuote", "kpl", "0",
						       "0",    "25.5",		NULL,  false };
	if (!add_customer(org, &temp, err) || !add_product(org, &temp_product, err))
		return false;
	if (!nv_add_heading_locked(org, "Projekti") || !nv_add_heading_locked(org, "Yksikkö"))
		return err_set(err, ERR_MEMORY, "out of memory");
	if (spec->demo)
		return add_old_customer(org, spec->key, err);
	if (!spec->registered)
		return true;
	for (unsigned i = 0; i < spec->customers; i++) {
		struct seed_generated g;
		seed_generate_customer(spec->ordinal, i, &g);
		if (!add_customer(org, &g.customer, err))
			return false;
	}
	return add_products(org, seed_products, n_seed_products, err) &&
	       add_products(org, seed_work_types, n_seed_work_types, err) &&
	       add_products(org, seed_travel_types, n_seed_travel_types, err);
}

static char *derived_key(const char *what, const char *tenant)
{
	char text[128], hex[SHA256_BYTES * 2 + 1];
	unsigned char digest[SHA256_BYTES];
	snprintf(text, sizeof(text), "sandbox %s %s", what, tenant);
	sign_sha256(span_of(text), digest);
	sign_hex(digest, 16, hex);
	return mem_strdup(hex);
}

bool nv_seed(struct nv_org *org, const struct tenant_spec *spec, struct err *err)
{
	const struct seed_company *co = spec->demo ? seed_company(spec->key) : NULL;
	char id[16], text[64];
	if (co)
		seed_company_id(&co->units[0], id);
	else
		business_id(seed_generated_base(spec->ordinal), id);
	org->key = mem_strdup(spec->key);
	org->name = mem_strdup(co ? co->name : spec->key);
	org->business_id = mem_strdup(id);
	snprintf(text, sizeof(text), "SB_%s_1", spec->key);
	org->customer_id = mem_strdup(text);
	org->customer_key = derived_key("customer key", spec->key);
	if (!org->key || !org->name || !org->business_id || !org->customer_id || !org->customer_key)
		return err_set(err, ERR_MEMORY, "out of memory");
	org->next_key = 100;
	org->next_number = 1;
	org->customers.fields = nv_customer_fields;
	org->customers.n_fields = n_nv_customer_fields;
	org->products.fields = nv_product_fields;
	org->products.n_fields = n_nv_product_fields;
	return seed_registers(org, spec, err);
}

/* ---- control ------------------------------------------------------------------------------- */

static void write_record_json(const struct nv_register *r, const struct nv_record *record,
			      struct json_writer *w)
{
	jsonw_object(w);
	jsonw_kint(w, "netvisor_key", record->key);
	jsonw_kint(w, "added", record->added);
	jsonw_kint(w, "edited", record->edited);
	for (size_t i = 0; i < r->n_fields; i++) {
		if (record->values[i])
			jsonw_kstr(w, r->fields[i].name, record->values[i]);
	}
	jsonw_end_object(w);
}

static bool set_from_json(struct nv_register *r, struct nv_record *record, const struct json *body,
			  struct err *err)
{
	for (const struct json *m = json_first(body); m; m = json_next(m)) {
		size_t i = 0;
		while (i < r->n_fields && strcmp(r->fields[i].name, json_key(m)) != 0)
			i++;
		const char *text = json_text(m);
		if (i == r->n_fields || !text)
			return err_set(err, ERR_INPUT, "no such field: %s", json_key(m));
		if (!nv_set_value(r, record, json_key(m), text))
			return err_set(err, ERR_MEMORY, "out of memory");
	}
	record->modified_ms = nv_now();
	return true;
}

/* GET lists; POST adds, or changes the one whose code is given as a further segment. */
static void serve_register(struct nv_org *org, struct call *c, struct nv_register *r,
			   const char *code_field, const char *code)
{
	struct err err = ERR_INIT;
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	if (!body && call_is(c, "POST"))
		return;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	pthread_mutex_lock(&org->lock);
	struct nv_record *record = code ? nv_by_field_locked(r, code_field, code) : NULL;
	bool ok = true;
	if (code && !record) {
		ok = err_set(&err, ERR_NOT_FOUND, "no such record: %s", code);
	} else if (body) {
		if (!record)
			record = nv_add_record_locked(org, r);
		ok = record && set_from_json(r, record, body, &err);
	}
	if (record && ok) {
		write_record_json(r, record, &w);
	} else if (ok) {
		jsonw_array(&w);
		for (size_t i = 0; i < r->n; i++)
			write_record_json(r, r->records[i], &w);
		jsonw_end_array(&w);
	}
	pthread_mutex_unlock(&org->lock);
	if (ok)
		reply_json(c, 200, &sb);
	else
		control_error(c, 400, "%s", err.message);
}

static struct nv_invoice *find_invoice_locked(struct nv_org *org, const char *number_or_key)
{
	struct nv_invoice *in = table_get(&org->by_number, number_or_key);
	while (in && in->is_deleted)
		in = in->next_same_number;
	return in ? in : nv_invoice_by_key_locked(org, strtoll(number_or_key, NULL, 10));
}

/* GET: the XML as it came. DELETE: as a person deletes it in Netvisor. */
static void serve_invoice(struct nv_org *org, struct call *c, const char *number_or_key)
{
	pthread_mutex_lock(&org->lock);
	struct nv_invoice *in = find_invoice_locked(org, number_or_key);
	if (!in) {
		control_error(c, 404, "no such invoice: %s", number_or_key);
	} else if (call_is(c, "DELETE")) {
		in->is_deleted = true;
		in->modified_ms = nv_now();
		reply_empty(c, 204);
	} else {
		char *copy = arena_memdup(c->arena, in->xml, in->xml_n);
		if (copy)
			reply_bytes(c, 200, "text/xml; charset=utf-8",
				    (struct span) { copy, in->xml_n });
	}
	pthread_mutex_unlock(&org->lock);
}

static void change_org(struct nv_org *org, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	if (!body && call_is(c, "POST"))
		return;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	pthread_mutex_lock(&org->lock);
	bool flag;
	if (json_bool(json_get(body, "refuse_duplicates"), &flag))
		org->refuse_duplicates = flag;
	if (json_bool(json_get(body, "take_overlaps"), &flag))
		org->takes_overlaps = flag;
	const char *until = json_str(json_get(body, "locked_until"));
	if (until)
		snprintf(org->locked_until, sizeof(org->locked_until), "%s", until);
	const char *denied = json_str(json_get(body, "denied"));
	if (denied)
		snprintf(org->denied, sizeof(org->denied), "%s", denied);
	write_org_locked(org, true, &w);
	pthread_mutex_unlock(&org->lock);
	reply_json(c, 200, &sb);
}

void nv_control(void *state, struct call *c, size_t first)
{
	size_t n = c->n_segments - first;
	const char *const *seg = c->segments + first;
	struct nv_org *org = n ? nv_find_org(state, seg[0]) : NULL;
	const char *more = n > 2 ? seg[2] : NULL;
	if (!org)
		control_error(c, 404, "no such Netvisor organisation");
	else if (n == 1)
		change_org(org, c);
	else if (strcmp(seg[1], "customers") == 0)
		serve_register(org, c, &org->customers, "internalidentifier", more);
	else if (strcmp(seg[1], "products") == 0)
		serve_register(org, c, &org->products, "productcode", more);
	else if (strcmp(seg[1], "dimensions") == 0)
		nv_control_dimensions(org, c, more);
	else if (strcmp(seg[1], "purchases") == 0)
		nv_control_purchases(org, c, more);
	else if (strcmp(seg[1], "invoices") == 0 && more)
		serve_invoice(org, c, more);
	else
		control_error(c, 404, "no such thing: %s", seg[1]);
}
