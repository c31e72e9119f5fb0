/*
 * netvisor_registers.c: customers and products of the Netvisor stand-in (facts/netvisor.md §6, 7).
 *
 * A record is its texts by the tables below; an edit writes what it holds, an empty element empties
 * the field, an absent one leaves it. Element names of answers differ from those of requests and in
 * case, as the real ones do.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "netvisor.h"
#include "seed.h"

#define BASE "customerbaseinformation"
#define A_BASE "CustomerBaseInformation"
#define MORE "customeradditionalinformation"
#define A_MORE "CustomerAdditionalInformation"
#define DELIVERY "customerdeliverydetails"
#define A_DELIVERY "CustomerDeliveryDetails"
#define CONTACT "customercontactdetails"
#define A_CONTACT "CustomerContactDetails"

const struct nv_field nv_customer_fields[] = {
	{ BASE, "internalidentifier", A_BASE, "InternalIdentifier", 50 },
	{ BASE, "externalidentifier", A_BASE, "ExternalIdentifier", 50 },
	{ BASE, "organizationunitnumber", A_BASE, "OrganizationUnitNumber", 17 },
	{ BASE, "name", A_BASE, "Name", 250 },
	{ BASE, "nameextension", A_BASE, "NameExtension", 250 },
	{ BASE, "streetaddress", A_BASE, "StreetAddress", 80 },
	{ BASE, "additionaladdressline", A_BASE, "AdditionalAddressLine", 80 },
	{ BASE, "city", A_BASE, "City", 80 },
	{ BASE, "postnumber", A_BASE, "PostNumber", 50 },
	{ BASE, "country", A_BASE, "Country", 2 },
	{ BASE, "customergroupname", A_BASE, "CustomerGroupName", 0 },
	{ BASE, "phonenumber", A_BASE, "PhoneNumber", 80 },
	{ BASE, "faxnumber", A_BASE, "FaxNumber", 80 },
	{ BASE, "email", A_BASE, "Email", 80 },
	{ BASE, "homepageuri", A_BASE, "HomePageUri", 0 },
	{ BASE, "isactive", A_BASE, "IsActive", 0 },
	{ BASE, "isprivatecustomer", A_BASE, "IsPrivateCustomer", 0 },
	{ BASE, "emailinvoicingaddress", A_BASE, "EmailInvoicingAddress", 0 },
	{ "customerfinvoicedetails", "finvoiceaddress", "CustomerFinvoiceDetails",
	  "FinvoiceAddress", 0 },
	{ "customerfinvoicedetails", "finvoiceroutercode", "CustomerFinvoiceDetails",
	  "FinvoiceRouterCode", 0 },
	{ DELIVERY, "deliveryname", A_DELIVERY, "DeliveryName", 250 },
	{ DELIVERY, "deliverystreetaddress", A_DELIVERY, "DeliveryStreetAddress", 80 },
	{ DELIVERY, "deliverycity", A_DELIVERY, "DeliveryCity", 80 },
	{ DELIVERY, "deliverypostnumber", A_DELIVERY, "DeliveryPostNumber", 50 },
	{ DELIVERY, "deliverycountry", A_DELIVERY, "DeliveryCountry", 2 },
	{ CONTACT, "contactname", A_CONTACT, NULL, 0 },
	{ CONTACT, "contactperson", A_CONTACT, "ContactPerson", 0 },
	{ CONTACT, "contactpersonemail", A_CONTACT, "ContactPersonEmail", 0 },
	{ CONTACT, "contactpersonphone", A_CONTACT, "ContactPersonPhone", 0 },
	{ MORE, "comment", A_MORE, "Comment", 0 },
	{ MORE, "customeragreementidentifier", A_MORE, "CustomerAgreementIdentifier", 0 },
	{ MORE, "customerreferencenumber", A_MORE, "ReferenceNumber", 0 },
	{ MORE, "invoicinglanguage", A_MORE, "InvoicingLanguage", 2 },
	{ MORE, "yourdefaultreference", A_MORE, "YourDefaultReference", 0 },
	{ MORE, "defaulttextbeforeinvoicelines", A_MORE, "DefaultTextBeforeInvoiceLines", 0 },
	{ MORE, "defaulttextafterinvoicelines", A_MORE, "DefaultTextAfterInvoiceLines", 0 },
	{ MORE, "defaultpaymentterm", A_MORE, "DefaultPaymentTerm", 0 },
	{ MORE, "balancelimit", A_MORE, "BalanceLimit", 0 },
	{ MORE, "taxhandlingtype", A_MORE, "TaxHandlingType", 0 },
	{ MORE, "eustandardfinvoice", A_MORE, "EuStandardFinvoice", 0 },
};
const size_t n_nv_customer_fields = ARRAY_SIZE(nv_customer_fields);

#define P_BASE "productbaseinformation"
#define PA_BASE "ProductBaseInformation"
#define P_BOOK "productbookkeepingdetails"
#define PA_BOOK "ProductBookkeepingDetails"

const struct nv_field nv_product_fields[] = {
	{ P_BASE, "productcode", PA_BASE, "ProductCode", 50 },
	{ P_BASE, "productgroup", PA_BASE, "ProductGroup", 0 },
	{ P_BASE, "name", PA_BASE, "Name", 200 },
	{ P_BASE, "description", PA_BASE, "Description", 0 },
	{ P_BASE, "unitprice", PA_BASE, "UnitPrice", 0 },
	{ P_BASE, "unit", PA_BASE, "Unit", 50 },
	{ P_BASE, "unitweight", PA_BASE, "UnitWeight", 0 },
	{ P_BASE, "purchaseprice", PA_BASE, "PurchasePrice", 0 },
	{ P_BASE, "tariffheading", PA_BASE, "TariffHeading", 0 },
	{ P_BASE, "comissionpercentage", PA_BASE, "ComissionPercentage", 0 },
	{ P_BASE, "isactive", PA_BASE, "IsActive", 0 },
	{ P_BASE, "issalesproduct", PA_BASE, "IsSalesProduct", 0 },
	{ P_BASE, "countryoforigin", PA_BASE, "CountryOfOrigin", 2 },
	{ P_BASE, "primaryeancode", PA_BASE, NULL, 0 },
	{ P_BASE, "secondaryeancode", PA_BASE, NULL, 0 },
	{ P_BOOK, "defaultvatpercentage", PA_BOOK, "DefaultVatPercent", 0 },
	{ P_BOOK, "defaultdomesticaccountnumber", PA_BOOK, "DefaultDomesticAccountNumber", 0 },
	{ P_BOOK, "defaulteuaccountnumber", PA_BOOK, "DefaultEuAccountNumber", 0 },
	{ P_BOOK, "defaultoutsideeuaccountnumber", PA_BOOK, "DefaultOutsideEUAccountNumber", 0 },
};
const size_t n_nv_product_fields = ARRAY_SIZE(nv_product_fields);

/* ---- records ------------------------------------------------------------------------------- */

static size_t field_index(const struct nv_register *r, const char *name)
{
	size_t i = 0;
	while (i < r->n_fields && strcmp(r->fields[i].name, name) != 0)
		i++;
	assert(i < r->n_fields);
	return i;
}

const char *nv_value(const struct nv_register *r, const struct nv_record *record, const char *name)
{
	const char *value = record->values[field_index(r, name)];
	return value ? value : "";
}

static bool set_value(struct nv_record *record, size_t i, const char *value)
{
	char *copy = mem_strdup(value);
	if (!copy)
		return false;
	mem_free(record->values[i]);
	record->values[i] = copy;
	return true;
}

bool nv_set_value(struct nv_register *r, struct nv_record *record, const char *name,
		  const char *value)
{
	return set_value(record, field_index(r, name), value);
}

static void record_free(struct nv_record *record)
{
	if (!record)
		return;
	for (size_t i = 0; i < NV_MAX_FIELDS; i++)
		mem_free(record->values[i]);
	mem_free(record);
}

void nv_register_release(struct nv_register *r)
{
	for (size_t i = 0; i < r->n; i++)
		record_free(r->records[i]);
	mem_free(r->records);
	r->records = NULL;
	r->n = r->cap = 0;
}

struct nv_record *nv_add_record_locked(struct nv_org *org, struct nv_register *r)
{
	struct nv_record *record = mem_alloc(sizeof(*record));
	if (!record || !array_reserve(&r->records, r->n, &r->cap, sizeof(struct nv_record *))) {
		record_free(record);
		return NULL;
	}
	record->key = ++org->next_key;
	record->modified_ms = nv_now();
	r->records[r->n++] = record;
	return record;
}

static void remove_record_locked(struct nv_register *r, struct nv_record *record)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->records[i] != record)
			continue;
		memmove(r->records + i, r->records + i + 1,
			(r->n - i - 1) * sizeof(struct nv_record *));
		r->n--;
		break;
	}
	record_free(record);
}

struct nv_record *nv_by_key_locked(const struct nv_register *r, int64_t key)
{
	size_t lo = 0, hi = r->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (r->records[mid]->key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->n && r->records[lo]->key == key ? r->records[lo] : NULL;
}

struct nv_record *nv_by_field_locked(const struct nv_register *r, const char *name,
				     const char *value)
{
	size_t i = field_index(r, name);
	for (size_t k = 0; value && value[0] && k < r->n; k++) {
		if (r->records[k]->values[i] && strcasecmp(r->records[k]->values[i], value) == 0)
			return r->records[k];
	}
	return NULL;
}

/* Checks and stores what the request's element holds. False: the reply is set. */
static bool take_fields(struct nv_call *nc, const struct nv_register *r, const struct xml *x,
			struct nv_record *record)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct nv_field *f = &r->fields[i];
		const struct xml *node = xml_child(xml_child(x, f->section), f->name);
		const char *text = xml_text(node);
		if (!node)
			continue;
		if (f->max_chars && utf8_length(span_of(text)) > (ssize_t)f->max_chars)
			return nv_fail(nc, "INVALID_DATA_SIZE", NV_TEXT_TOO_LONG, f->name);
		if (!set_value(record, i, text))
			return nv_fail(nc, "TECHNICAL_ERROR", NV_TEXT_VALUE, f->name);
	}
	return true;
}

/* A record with the stored values and those of the request on top, not yet stored: an edit that is
 * refused leaves nothing behind. */
static struct nv_record *draft_of(struct nv_call *nc, const struct nv_register *r,
				  const struct nv_record *old, const struct xml *x)
{
	struct nv_record *draft = mem_alloc(sizeof(*draft));
	if (!draft)
		return NULL;
	bool ok = true;
	for (size_t i = 0; ok && old && i < r->n_fields; i++)
		ok = !old->values[i] || set_value(draft, i, old->values[i]);
	if (!ok || !take_fields(nc, r, x, draft)) {
		record_free(draft);
		return NULL;
	}
	return draft;
}

/* ---- customers ----------------------------------------------------------------------------- */

static bool is_known_operator(const char *code)
{
	for (size_t i = 0; i < n_seed_operators; i++) {
		if (strcmp(seed_operators[i], code) == 0)
			return true;
	}
	return false;
}

/* Several addresses separated by ';' , each with one '@' inside. */
static bool are_addresses(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ";");
		const char *at = memchr(text, '@', n);
		if (!at || at == text || at == text + n - 1 ||
		    memchr(at + 1, '@', n - (size_t)(at + 1 - text)))
			return false;
		text += n;
		text += *text == ';';
	}
	return true;
}

static bool check_customer_locked(struct nv_call *nc, const struct nv_record *d,
				  const struct nv_record *self)
{
	const struct nv_register *r = &nc->org->customers;
	const char *code = nv_value(r, d, "internalidentifier");
	const char *operator_code = nv_value(r, d, "finvoiceroutercode");
	const char *language = nv_value(r, d, "invoicinglanguage");
	const char *unit = nv_value(r, d, "organizationunitnumber");
	size_t n_unit = strlen(unit);
	if (!nv_value(r, d, "name")[0])
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, "name");
	if (operator_code[0] && !is_known_operator(operator_code))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_OPERATOR, operator_code);
	if (!are_addresses(nv_value(r, d, "emailinvoicingaddress")))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "emailinvoicingaddress");
	if (language[0] && !nv_text_in_list("FI,EN,SE", language))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "invoicinglanguage");
	if (n_unit && (n_unit < 12 || strspn(unit, "0123456789") != n_unit))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "organizationunitnumber");
	const struct nv_record *same = nv_by_field_locked(r, "internalidentifier", code);
	if (same && same != self)
		return nv_fail(nc, "DUPLICATE_DATA", NV_TEXT_DUPLICATE, code);
	return true;
}

static void default_value(struct nv_register *r, struct nv_record *d, const char *name,
			  const char *value)
{
	if (!nv_value(r, d, name)[0] && !nv_set_value(r, d, name, value))
		return; /* out of memory: the field stays empty */
}

/* internalidentifier type="automatic": the next free code. */
static void next_free_code_locked(struct nv_register *r, struct nv_record *d)
{
	for (int64_t code = 1; code < INT64_C(1000000000); code++) {
		char text[24];
		snprintf(text, sizeof(text), "%" PRId64, code);
		if (!nv_by_field_locked(r, "internalidentifier", text)) {
			default_value(r, d, "internalidentifier", text);
			return;
		}
	}
}

static bool use_dimensions_locked(struct nv_call *nc, const struct xml *x)
{
	const struct xml *d = xml_at(x, "customerdimensiondetails/dimension");
	bool only_existing = call_param_is(nc->c, "useonlyexistingdimensions", "1");
	for (; d; d = xml_next(d, "dimension")) {
		const char *heading = xml_text_at(d, "dimensionname");
		const char *item = xml_text_at(d, "dimensionitem");
		struct nv_heading *h = nv_heading_locked(nc->org, heading);
		bool exists = h && nv_item_by_name_locked(h, item);
		if (!exists && only_existing)
			return nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_DIMENSION, item);
		if (!exists && !nv_use_dimension_locked(nc->org, heading, item))
			return nv_fail(nc, "TECHNICAL_ERROR", NV_TEXT_VALUE, item);
	}
	return true;
}

/* Moves the draft's values into the record. */
static void commit(struct nv_record *record, struct nv_record *draft)
{
	for (size_t i = 0; i < NV_MAX_FIELDS; i++) {
		mem_free(record->values[i]);
		record->values[i] = draft->values[i];
		draft->values[i] = NULL;
	}
	record->modified_ms = nv_now();
	record_free(draft);
}

static void save_customer_locked(struct nv_call *nc, bool edit, int64_t id)
{
	struct nv_org *org = nc->org;
	struct nv_register *r = &org->customers;
	const struct xml *x = xml_child(nc->root, "customer");
	struct nv_record *record = edit ? nv_by_key_locked(r, id) : NULL;
	if (edit && !record) {
		char key[24];
		snprintf(key, sizeof(key), "%" PRId64, id);
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_CUSTOMER_KEY, key);
		return;
	}
	struct nv_record *draft = draft_of(nc, r, record, x);
	if (!draft)
		return;
	const struct xml *code = xml_at(x, BASE "/internalidentifier");
	if (str_eq(xml_attr(code, "type"), "automatic"))
		next_free_code_locked(r, draft);
	if (!check_customer_locked(nc, draft, record) || !use_dimensions_locked(nc, x)) {
		record_free(draft);
		return;
	}
	if (!edit) {
		default_value(r, draft, "country", "FI");
		default_value(r, draft, "invoicinglanguage", "FI");
		default_value(r, draft, "isactive", "1");
		record = nv_add_record_locked(org, r);
	}
	if (!record) {
		record_free(draft);
		return;
	}
	commit(record, draft);
	*(edit ? &r->edits : &r->adds) += 1;
	*(edit ? &record->edited : &record->added) += 1;
	nv_ok(nc, edit ? 0 : record->key);
}

void nv_customer(struct nv_call *nc)
{
	bool edit;
	int64_t id;
	if (!nv_method(nc, "id", &edit, &id) || !nv_check_order(nc, NV_DOC_CUSTOMER))
		return;
	pthread_mutex_lock(&nc->org->lock);
	save_customer_locked(nc, edit, id);
	pthread_mutex_unlock(&nc->org->lock);
}

void nv_deletecustomer(struct nv_call *nc)
{
	int64_t id;
	if (!call_param_int(nc->c, "customerid", 0, &id))
		id = 0;
	pthread_mutex_lock(&nc->org->lock);
	struct nv_record *record = nv_by_key_locked(&nc->org->customers, id);
	if (record) {
		remove_record_locked(&nc->org->customers, record);
		nv_ok(nc, 0);
	} else {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_CUSTOMER_KEY,
			call_param(nc->c, "customerid"));
	}
	pthread_mutex_unlock(&nc->org->lock);
}

static bool holds(const char *text, const char *keyword)
{
	return strcasestr(text, keyword) != NULL;
}

static bool customer_listed(struct nv_call *nc, const struct nv_record *record, int64_t since_ms)
{
	const struct nv_register *r = &nc->org->customers;
	const char *keyword = call_param(nc->c, "keyword");
	const char *codes = call_param(nc->c, "customercodelist");
	const char *email = call_param(nc->c, "emailkeyword");
	const char *code = nv_value(r, record, "internalidentifier");
	if (keyword && keyword[0]) {
		/* A keyword switches changedsince off (§6.1). */
		if (!holds(nv_value(r, record, "name"), keyword) && !holds(code, keyword) &&
		    !holds(nv_value(r, record, "externalidentifier"), keyword) &&
		    !holds(nv_value(r, record, "nameextension"), keyword))
			return false;
	} else if (record->modified_ms < since_ms) {
		return false;
	}
	if (codes && codes[0] && !(code[0] && nv_text_in_list(codes, code)))
		return false;
	return !email || !email[0] || holds(nv_value(r, record, "email"), email);
}

static void write_uri(struct nv_call *nc, struct xml_writer *w, const char *resource,
		      const char *param, int64_t key)
{
	const char *host = call_header(nc->c, "Host");
	char *uri = arena_printf(nc->c->arena, "http://%s/netvisor/%s?%s=%" PRId64,
				 host ? host : "", resource, param, key);
	xmlw_element(w, "Uri", uri ? uri : "");
}

void nv_customerlist(struct nv_call *nc)
{
	struct nv_answer a;
	int64_t since_ms;
	if (!nv_time_param(nc, "changedsince", &since_ms))
		return;
	nv_answer(nc, &a);
	xmlw_open(&a.w, "Customerlist");
	pthread_mutex_lock(&nc->org->lock);
	const struct nv_register *r = &nc->org->customers;
	for (size_t i = 0; i < r->n; i++) {
		const struct nv_record *c = r->records[i];
		if (!customer_listed(nc, c, since_ms))
			continue;
		xmlw_open(&a.w, "Customer");
		nv_int_element(&a.w, "Netvisorkey", c->key);
		xmlw_element(&a.w, "Name", nv_value(r, c, "name"));
		xmlw_element(&a.w, "Code", nv_value(r, c, "internalidentifier"));
		xmlw_element(&a.w, "OrganisationIdentifier", nv_value(r, c, "externalidentifier"));
		xmlw_element(&a.w, "CustomerGroupID", "");
		xmlw_element(&a.w, "CustomerGroupName", nv_value(r, c, "customergroupname"));
		write_uri(nc, &a.w, "getcustomer.nv", "id", c->key);
		xmlw_close(&a.w);
	}
	pthread_mutex_unlock(&nc->org->lock);
	xmlw_close(&a.w);
	nv_finish(nc, &a);
}

/* The country's name in the interface language is the text, its code an attribute (§3). */
static void write_country(struct nv_call *nc, struct xml_writer *w, const char *name,
			  const char *code)
{
	const char *text = code;
	for (size_t i = 0; i < n_seed_countries; i++) {
		if (strcasecmp(seed_countries[i].code2, code) == 0)
			text = nc->language == NV_FI ? seed_countries[i].name
						     : seed_countries[i].english;
	}
	xmlw_open(w, name);
	xmlw_attr(w, "ISO-3166", code);
	xmlw_text(w, text);
	xmlw_close(w);
}

static void write_price(struct xml_writer *w, const char *name, const char *type,
			struct decimal price)
{
	char text[DECIMAL_TEXT_MAX];
	xmlw_open(w, name);
	xmlw_attr(w, "type", type);
	/* up to 12 decimals in answers (§3) */
	xmlw_text(w, decimal_format(price, 12, ',', text));
	xmlw_close(w);
}

static void write_prices(const struct nv_register *r, const struct nv_record *record,
			 struct xml_writer *w)
{
	struct decimal net = DECIMAL_ZERO, vat = DECIMAL_ZERO, gross;
	if (!nv_number(nv_value(r, record, "unitprice"), &net))
		net = DECIMAL_ZERO;
	if (!nv_number(nv_value(r, record, "defaultvatpercentage"), &vat) ||
	    !decimal_add(vat, decimal_of(100), &vat) || !decimal_mul(net, vat, &gross) ||
	    !decimal_div(gross, decimal_of(100), 6, &gross))
		gross = net;
	write_price(w, "UnitPrice", "net", net);
	write_price(w, "UnitGrossPrice", "gross", gross);
}

/* All sections of a record in the order of the table. */
static void write_record(struct nv_call *nc, const struct nv_register *r,
			 const struct nv_record *record, struct xml_writer *w)
{
	const char *section = NULL;
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct nv_field *f = &r->fields[i];
		const char *value = record->values[i] ? record->values[i] : "";
		if (!section || strcmp(section, f->answer_section) != 0) {
			if (section)
				xmlw_close(w);
			xmlw_open(w, f->answer_section);
			if (!section)
				nv_int_element(w, "NetvisorKey", record->key);
			section = f->answer_section;
		}
		if (!f->answer)
			continue;
		if (strcmp(f->answer, "UnitPrice") == 0)
			write_prices(r, record, w);
		else if (strcmp(f->answer, "Country") == 0 ||
			 strcmp(f->answer, "DeliveryCountry") == 0)
			write_country(nc, w, f->answer, value);
		else
			xmlw_element(w, f->answer, value);
	}
	if (section)
		xmlw_close(w);
}

static void write_one(struct nv_call *nc, const struct nv_register *r, const char *element,
		      const struct nv_record *record, struct xml_writer *w)
{
	xmlw_open(w, element);
	if (record)
		write_record(nc, r, record, w);
	xmlw_close(w);
}

/* Several records come in a plural element (§5). */
static void write_many(struct nv_call *nc, const struct nv_register *r, const char *field,
		       const char *list, const char *plural, const char *element,
		       struct xml_writer *w)
{
	xmlw_open(w, plural);
	for (size_t i = 0; i < r->n; i++) {
		const struct nv_record *record = r->records[i];
		bool wanted = field ? nv_text_in_list(list, nv_value(r, record, field))
				    : nv_key_in_list(list, record->key);
		if (wanted)
			write_one(nc, r, element, record, w);
	}
	xmlw_close(w);
}

static size_t list_length(const char *list)
{
	size_t n = 1;
	for (; *list; list++)
		n += *list == ',';
	return n;
}

void nv_getcustomer(struct nv_call *nc)
{
	struct nv_answer a;
	int64_t id;
	const char *list = call_param(nc->c, "idlist");
	if (list && list_length(list) > 500) {
		nv_fail(nc, "INVALID_DATA_SIZE", NV_TEXT_TOO_LONG, "idlist");
		return;
	}
	if (!call_param_int(nc->c, "id", 0, &id))
		id = 0;
	const struct nv_register *r = &nc->org->customers;
	pthread_mutex_lock(&nc->org->lock);
	const struct nv_record *record = nv_by_key_locked(r, id);
	if (list || record) {
		nv_answer(nc, &a);
		if (list)
			write_many(nc, r, NULL, list, "Customers", "Customer", &a.w);
		else
			write_one(nc, r, "Customer", record, &a.w);
		nv_finish(nc, &a);
	} else {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_CUSTOMER_KEY, call_param(nc->c, "id"));
	}
	pthread_mutex_unlock(&nc->org->lock);
}

/* ---- products ------------------------------------------------------------------------------ */

static bool check_product_locked(struct nv_call *nc, const struct nv_record *d,
				 const struct nv_record *self)
{
	static const char *const numbers[] = { "unitprice", "purchaseprice",
					       "defaultvatpercentage" };
	const struct nv_register *r = &nc->org->products;
	const char *code = nv_value(r, d, "productcode");
	struct decimal n;
	if (!nv_value(r, d, "name")[0])
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, "name");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *text = nv_value(r, d, numbers[i]);
		if (text[0] && !nv_number(text, &n))
			return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, numbers[i]);
	}
	const struct nv_record *same = nv_by_field_locked(r, "productcode", code);
	if (same && same != self)
		return nv_fail(nc, "DUPLICATE_DATA", NV_TEXT_DUPLICATE, code);
	return true;
}

static void save_product_locked(struct nv_call *nc, bool edit, int64_t id)
{
	struct nv_register *r = &nc->org->products;
	const struct xml *x = xml_child(nc->root, "product");
	struct nv_record *record = edit ? nv_by_key_locked(r, id) : NULL;
	if (edit && !record) {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_PRODUCT, call_param(nc->c, "id"));
		return;
	}
	struct nv_record *draft = draft_of(nc, r, record, x);
	if (!draft)
		return;
	if (!check_product_locked(nc, draft, record)) {
		record_free(draft);
		return;
	}
	if (!edit)
		record = nv_add_record_locked(nc->org, r);
	if (!record) {
		record_free(draft);
		return;
	}
	commit(record, draft);
	*(edit ? &r->edits : &r->adds) += 1;
	*(edit ? &record->edited : &record->added) += 1;
	nv_ok(nc, edit ? 0 : record->key);
}

void nv_product(struct nv_call *nc)
{
	bool edit;
	int64_t id;
	if (!nv_method(nc, "id", &edit, &id) || !nv_check_order(nc, NV_DOC_PRODUCT))
		return;
	pthread_mutex_lock(&nc->org->lock);
	save_product_locked(nc, edit, id);
	pthread_mutex_unlock(&nc->org->lock);
}

static bool product_listed(struct nv_call *nc, const struct nv_record *record, int64_t since_ms)
{
	const struct nv_register *r = &nc->org->products;
	const char *keyword = call_param(nc->c, "keyword");
	if (record->modified_ms < since_ms)
		return false;
	return !keyword || !keyword[0] || holds(nv_value(r, record, "productcode"), keyword) ||
	       holds(nv_value(r, record, "name"), keyword);
}

void nv_productlist(struct nv_call *nc)
{
	struct nv_answer a;
	int64_t since_ms;
	if (!nv_time_param(nc, "changedsince", &since_ms))
		return;
	nv_answer(nc, &a);
	xmlw_open(&a.w, "ProductList");
	pthread_mutex_lock(&nc->org->lock);
	const struct nv_register *r = &nc->org->products;
	for (size_t i = 0; i < r->n; i++) {
		const struct nv_record *p = r->records[i];
		if (!product_listed(nc, p, since_ms))
			continue;
		xmlw_open(&a.w, "Product");
		nv_int_element(&a.w, "NetvisorKey", p->key);
		xmlw_element(&a.w, "ProductCode", nv_value(r, p, "productcode"));
		xmlw_element(&a.w, "Name", nv_value(r, p, "name"));
		write_prices(r, p, &a.w);
		xmlw_element(&a.w, "ProductGroupID", "");
		xmlw_element(&a.w, "ProductGroupDescription", nv_value(r, p, "productgroup"));
		write_uri(nc, &a.w, "getproduct.nv", "id", p->key);
		xmlw_close(&a.w);
	}
	pthread_mutex_unlock(&nc->org->lock);
	xmlw_close(&a.w);
	nv_finish(nc, &a);
}

/* Not found is OK with an empty element (§4.3). */
void nv_getproduct(struct nv_call *nc)
{
	struct nv_answer a;
	int64_t id;
	struct call *c = nc->c;
	const char *ids = call_param(c, "idlist");
	const char *codes = call_param(c, "codelist");
	const char *list = ids ? ids : codes;
	if (list && list_length(list) > 400) {
		nv_fail(nc, "INVALID_DATA_SIZE", NV_TEXT_TOO_LONG, ids ? "idlist" : "codelist");
		return;
	}
	if (!call_param_int(c, "id", 0, &id))
		id = 0;
	const struct nv_register *r = &nc->org->products;
	nv_answer(nc, &a);
	pthread_mutex_lock(&nc->org->lock);
	if (list) {
		write_many(nc, r, ids ? NULL : "productcode", list, "Products", "Product", &a.w);
	} else {
		const struct nv_record *p = nv_by_key_locked(r, id);
		if (!p)
			p = nv_by_field_locked(r, "productcode", call_param(c, "code"));
		if (!p)
			p = nv_by_field_locked(r, "primaryeancode", call_param(c, "eancode"));
		write_one(nc, r, "Product", p, &a.w);
	}
	pthread_mutex_unlock(&nc->org->lock);
	nv_finish(nc, &a);
}
