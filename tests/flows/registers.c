/*
 * registers.c: `flow-cases registers URL TENANT`: every register of Severa's as the client reads
 * it, as one JSON object, for a test that compares it with what the sandbox holds.
 */
#include "base/base.h"
#include "live.h"

#include "codec/json.h"
#include "systems/severa.h"

struct reader {
	struct severa severa;
	struct json_writer *w;
	struct err err;
};

static void begin(struct reader *r, const char *name)
{
	jsonw_key(r->w, name);
	jsonw_array(r->w);
}

static bool write_statuses(struct reader *r)
{
	const struct severa_status *list;
	size_t n;
	begin(r, "statuses");
	if (!severa_statuses(&r->severa, &list, &n, &r->err))
		return false;
	for (size_t i = 0; i < n; i++) {
		jsonw_object(r->w);
		jsonw_kstr(r->w, "guid", list[i].id);
		jsonw_kstr(r->w, "name", list[i].name);
		jsonw_kbool(r->w, "isActive", list[i].is_active);
		jsonw_kbool(r->w, "hasInvoiceNumber", list[i].has_number);
		jsonw_kbool(r->w, "isSent", list[i].is_sent);
		jsonw_end_object(r->w);
	}
	jsonw_end_array(r->w);
	return true;
}

static bool write_units(struct reader *r)
{
	const struct severa_unit *list;
	size_t n;
	begin(r, "businessunits");
	if (!severa_units(&r->severa, &list, &n, &r->err))
		return false;
	for (size_t i = 0; i < n; i++) {
		jsonw_object(r->w);
		jsonw_kstr(r->w, "guid", list[i].id);
		jsonw_kstr(r->w, "name", list[i].name);
		jsonw_kstr(r->w, "code", list[i].code);
		jsonw_kstr(r->w, "parentGuid", list[i].parent_id);
		jsonw_kstr(r->w, "vatNumber", list[i].vat_number);
		jsonw_kstr(r->w, "companyGuid", list[i].company_id);
		jsonw_kstr(r->w, "companyName", list[i].company_name);
		jsonw_kbool(r->w, "isActive", list[i].is_active);
		jsonw_end_object(r->w);
	}
	jsonw_end_array(r->w);
	return true;
}

static void write_decimal(struct json_writer *w, const char *key, struct decimal d)
{
	jsonw_key(w, key);
	jsonw_decimal(w, decimal_normalize(d));
}

static bool write_vat_rates(struct reader *r)
{
	const struct severa_vat_rate *list;
	size_t n;
	begin(r, "vatrates");
	if (!severa_vat_rates(&r->severa, &list, &n, &r->err))
		return false;
	for (size_t i = 0; i < n; i++) {
		jsonw_object(r->w);
		jsonw_kstr(r->w, "guid", list[i].id);
		jsonw_kstr(r->w, "code", list[i].code);
		jsonw_kstr(r->w, "countryGuid", list[i].country_id);
		write_decimal(r->w, "percentage", list[i].percentage);
		jsonw_kbool(r->w, "isDefault", list[i].is_default);
		jsonw_kbool(r->w, "isActive", list[i].is_active);
		jsonw_end_object(r->w);
	}
	jsonw_end_array(r->w);
	return true;
}

static bool write_languages(struct reader *r)
{
	const struct severa_language *list;
	size_t n;
	begin(r, "languages");
	if (!severa_languages(&r->severa, &list, &n, &r->err))
		return false;
	for (size_t i = 0; i < n; i++) {
		jsonw_object(r->w);
		jsonw_kstr(r->w, "guid", list[i].id);
		jsonw_kstr(r->w, "name", list[i].name);
		jsonw_kstr(r->w, "englishName", list[i].english_name);
		jsonw_kstr(r->w, "code", list[i].code);
		jsonw_kbool(r->w, "isInvoiceLanguage", list[i].is_invoice_language);
		jsonw_end_object(r->w);
	}
	jsonw_end_array(r->w);
	return true;
}

static bool products_page(void *ctx, const struct product *items, size_t n, struct err *err)
{
	struct json_writer *w = ctx;
	(void)err; /* the writer's buffer tells at the end */
	for (size_t i = 0; i < n; i++) {
		jsonw_object(w);
		jsonw_kstr(w, "register", items[i].register_name);
		jsonw_kstr(w, "guid", items[i].source_id);
		jsonw_kstr(w, "name", items[i].name);
		jsonw_kstr(w, "code", items[i].code);
		jsonw_kbool(w, "isActive", items[i].is_active);
		jsonw_kstr(w, "measurementUnit", items[i].unit);
		write_decimal(w, "price", items[i].unit_price);
		write_decimal(w, "cost", items[i].unit_cost);
		write_decimal(w, "vatRate", items[i].vat_rate);
		jsonw_end_object(w);
	}
	return true;
}

static void write_address(struct json_writer *w, const char *key, const struct address *a)
{
	jsonw_key(w, key);
	jsonw_object(w);
	jsonw_kstr(w, "addressline", a->street);
	jsonw_kstr(w, "postalCode", a->postcode);
	jsonw_kstr(w, "city", a->city);
	jsonw_kstr(w, "country", a->country_code);
	jsonw_end_object(w);
}

static bool write_contacts(struct reader *r, const char *customer)
{
	const struct severa_contact *list;
	size_t n;
	begin(r, "contacts");
	if (!severa_contacts(&r->severa, customer, &list, &n, &r->err))
		return false;
	for (size_t i = 0; i < n; i++) {
		jsonw_object(r->w);
		jsonw_kstr(r->w, "guid", list[i].id);
		jsonw_kstr(r->w, "name", list[i].name);
		jsonw_kstr(r->w, "jobTitle", list[i].job_title);
		jsonw_kstr(r->w, "EmailAddress", list[i].email);
		jsonw_kstr(r->w, "Phone", list[i].phone);
		jsonw_kstr(r->w, "MobilePhone", list[i].mobile);
		jsonw_kstr(r->w, "Fax", list[i].fax);
		jsonw_end_object(r->w);
	}
	jsonw_end_array(r->w);
	return true;
}

/* A customer of the list, read on its own, with its contacts. */
static bool write_customer(struct reader *r, const char *id)
{
	struct customer c;
	if (!severa_customer(&r->severa, id, &c, &r->err))
		return false;
	jsonw_object(r->w);
	jsonw_kstr(r->w, "guid", c.source_id);
	jsonw_kstr(r->w, "number", c.code);
	jsonw_kstr(r->w, "name", c.name);
	jsonw_kstr(r->w, "vatNumber", c.vat_number);
	jsonw_kstr(r->w, "email", c.email);
	jsonw_kstr(r->w, "phone", c.phone);
	jsonw_kstr(r->w, "fax", c.fax);
	jsonw_kstr(r->w, "website", c.website);
	jsonw_kstr(r->w, "notes", c.notes);
	jsonw_kstr(r->w, "eInvoiceAddress", c.einvoice_address);
	jsonw_kstr(r->w, "eInvoiceOperator", c.einvoice_operator);
	jsonw_kstr(r->w, "language", c.language);
	jsonw_kbool(r->w, "isActive", c.is_active);
	write_address(r->w, "billing", &c.billing);
	write_address(r->w, "delivery", &c.delivery);
	bool ok = write_contacts(r, id);
	jsonw_end_object(r->w);
	return ok;
}

struct ids {
	struct arena *arena;
	const char *id[20000];
	size_t n;
};

static bool customers_page(void *ctx, const struct customer *items, size_t n, struct err *err)
{
	struct ids *ids = ctx;
	(void)err;
	for (size_t i = 0; i < n && ids->n < ARRAY_SIZE(ids->id); i++)
		ids->id[ids->n++] = arena_strdup(ids->arena, items[i].source_id);
	return true;
}

static bool projects_page(void *ctx, const struct severa_project *items, size_t n, struct err *err)
{
	struct ids *ids = ctx;
	(void)err;
	for (size_t i = 0; i < n && ids->n < ARRAY_SIZE(ids->id); i++)
		ids->id[ids->n++] = arena_strdup(ids->arena, items[i].id);
	return true;
}

static bool write_project(struct reader *r, const char *id)
{
	const struct severa_phase *phases;
	struct severa_project p;
	size_t n;
	if (!severa_project(&r->severa, id, &p, &r->err) ||
	    !severa_phases(&r->severa, id, &phases, &n, &r->err))
		return false;
	jsonw_object(r->w);
	jsonw_kstr(r->w, "guid", p.id);
	jsonw_kstr(r->w, "name", p.name);
	jsonw_kstr(r->w, "number", p.number);
	jsonw_kstr(r->w, "unit", p.unit_id);
	begin(r, "phases");
	for (size_t i = 0; i < n; i++) {
		jsonw_object(r->w);
		jsonw_kstr(r->w, "guid", phases[i].id);
		jsonw_kstr(r->w, "name", phases[i].name);
		jsonw_kstr(r->w, "code", phases[i].code);
		jsonw_kbool(r->w, "isCompleted", phases[i].is_completed);
		jsonw_end_object(r->w);
	}
	jsonw_end_array(r->w);
	jsonw_end_object(r->w);
	return true;
}

/* Lists ids of at most max records whole, then reads those on their own. */
static bool write_customers(struct reader *r, struct ids *ids)
{
	ids->n = 0;
	if (!severa_customers(&r->severa, NULL, customers_page, ids, &r->err))
		return false;
	begin(r, "customers");
	for (size_t i = 0; i < ids->n; i++)
		if (!write_customer(r, ids->id[i]))
			return false;
	jsonw_end_array(r->w);
	return true;
}

static bool write_projects(struct reader *r, struct ids *ids)
{
	ids->n = 0;
	if (!severa_projects(&r->severa, "2020-01-01T00:00:00+02:00", projects_page, ids, &r->err))
		return false;
	begin(r, "projects");
	for (size_t i = 0; i < ids->n; i++)
		if (!write_project(r, ids->id[i]))
			return false;
	jsonw_end_array(r->w);
	return true;
}

static bool write_all(struct reader *r, struct ids *ids)
{
	jsonw_object(r->w);
	if (!write_statuses(r) || !write_units(r) || !write_vat_rates(r) || !write_languages(r))
		return false;
	begin(r, "products");
	if (!severa_products(&r->severa, NULL, products_page, r->w, &r->err))
		return false;
	jsonw_end_array(r->w);
	if (!write_customers(r, ids) || !write_projects(r, ids))
		return false;
	jsonw_end_object(r->w);
	return true;
}

static int read_all(struct live *l, struct fake *f)
{
	static struct ids ids;
	struct strbuf sb = STRBUF_INIT(l->arena, (size_t)64 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct reader r = { .w = &w, .err = ERR_INIT };
	const struct json *settings, *credentials;
	const char *text;
	ids.arena = l->arena;
	bool ok = json_parse(l->arena, span_of(f->conn.settings), JSON_LIMITS_API, &settings,
			     &r.err) &&
		  json_parse(l->arena, span_of(f->conn.credentials.p), JSON_LIMITS_API,
			     &credentials, &r.err) &&
		  severa_open(&f->at, settings, json_get(credentials, "severa"), &r.severa,
			      &r.err) &&
		  write_all(&r, &ids) && strbuf_finish(&sb, &text, &r.err);
	if (ok)
		printf("%s\n", text);
	else
		fprintf(stderr, "%s: %s\n", r.err.message, r.err.target_text);
	return !ok;
}

int registers_main(const char *url, const char *tenant)
{
	static struct fake f;
	struct live l;
	int status = live_open(&l, &f, url, tenant) ? read_all(&l, &f) : 1;
	live_close(&l);
	return status;
}
