/*
 * severa_seed.c: fills a new Severa tenant from the sample tables (seed.h): registers, customers
 * with their addresses and contacts, projects, invoices.
 *
 * Deliberately not locked: nobody else knows the tenant yet.
 */
#include "base/base.h"

#include "pdf.h"
#include "seed.h"
#include "severa_invoice.h"

#define CREATED "2026-01-02T08:00:00.000Z"

/* What differs by the company's country. */
struct home {
	const char *country, *currency, *symbol, *language, *language_code;
	const char *account, *bic;
	const char *const *vat_rates;
};

static const struct home finland = { .country = "FI",
				     .currency = "EUR",
				     .symbol = "€",
				     .language = "suomi",
				     .language_code = "fi",
				     .account = "FI5450015100000022",
				     .bic = "OKOYFIHH",
				     .vat_rates = seed_vat_rates };
static const struct home norway = { .country = "NO",
				    .currency = "NOK",
				    .symbol = "kr",
				    .language = "norja",
				    .language_code = "nb",
				    .account = "NO9386011117947",
				    .bic = "DNBANOKK",
				    .vat_rates = seed_norwegian_vat_rates };

struct seeder {
	const struct home *home;
	struct severa_tenant *t;
	struct arena *arena; /* cleared for each record */
	struct err *err;
	struct strbuf sb;
	struct json_writer w;
	char guid[UUID_TEXT];
};

/* Starts a record: {"guid": ..., times. */
static struct json_writer *start(struct seeder *s, const char *kind, const char *name)
{
	arena_clear(s->arena);
	s->sb = (struct strbuf)STRBUF_INIT(s->arena, 1u << 20);
	s->w = (struct json_writer)JSON_WRITER_INIT(&s->sb);
	severa_guid(s->t, kind, name, s->guid);
	jsonw_object(&s->w);
	jsonw_kstr(&s->w, "guid", s->guid);
	jsonw_kstr(&s->w, "createdDateTime", CREATED);
	jsonw_kstr(&s->w, "lastUpdatedDateTime", CREATED);
	return &s->w;
}

static struct doc *store(struct seeder *s, enum severa_kind kind, struct doc *parent)
{
	jsonw_end_object(&s->w);
	return severa_add_locked(s->t, kind, s->guid, parent, strbuf_span(&s->sb), s->err);
}

static void key_raw(struct json_writer *w, const char *key, const char *json)
{
	jsonw_key(w, key);
	jsonw_raw(w, span_of(json ? json : "null"));
}

/* {"guid":...,"name":...}; the object stays open for more members when `open`. */
static void write_ref(struct seeder *s, const char *key, const char *kind, const char *name,
		      bool open)
{
	char guid[UUID_TEXT];
	severa_guid(s->t, kind, name, guid);
	jsonw_key(&s->w, key);
	jsonw_object(&s->w);
	jsonw_kstr(&s->w, "guid", guid);
	jsonw_kstr(&s->w, "name", name);
	if (!open)
		jsonw_end_object(&s->w);
}

static void write_money(struct seeder *s, const char *key, const char *amount)
{
	struct json_writer *w = &s->w;
	jsonw_key(w, key);
	if (!amount) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	key_raw(w, "amount", amount);
	jsonw_kstr(w, "currencyCode", s->home->currency);
	jsonw_end_object(w);
}

static const struct seed_country *country(const char *code2)
{
	for (size_t i = 0; i < n_seed_countries; i++) {
		if (strcmp(seed_countries[i].code2, code2) == 0)
			return &seed_countries[i];
	}
	return &seed_countries[0];
}

static bool seed_countries_and_languages(struct seeder *s)
{
	static const struct {
		const char *code, *name, *english;
	} languages[] = { { "fi", "suomi", "Finnish" },	   { "sv", "ruotsi", "Swedish" },
			  { "en", "englanti", "English" }, { "nb", "norja", "Norwegian" },
			  { "de", "saksa", "German" },	   { "da", "tanska", "Danish" } };
	for (size_t i = 0; i < n_seed_countries; i++) {
		const struct seed_country *c = &seed_countries[i];
		struct json_writer *w = start(s, "country", c->name);
		jsonw_kstr(w, "name", c->name);
		jsonw_kstr(w, "englishName", c->english);
		jsonw_kstr(w, "code2", c->code2);
		jsonw_kstr(w, "code3", c->code3);
		jsonw_kbool(w, "isInEU", c->in_eu);
		jsonw_kbool(w, "isRegistrationCountry", i < 3);
		jsonw_kstr(w, "hasRegions", "NoRegion");
		if (!store(s, SEVERA_COUNTRY, NULL))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(languages); i++) {
		struct json_writer *w = start(s, "language", languages[i].name);
		jsonw_kstr(w, "name", languages[i].name);
		jsonw_kstr(w, "englishName", languages[i].english);
		jsonw_kstr(w, "code", languages[i].code);
		jsonw_kbool(w, "isInvoiceLanguage", i < 4);
		if (!store(s, SEVERA_LANGUAGE, NULL))
			return false;
	}
	return true;
}

static bool seed_money(struct seeder *s)
{
	static const struct {
		const char *code, *name, *symbol, *rate;
	} currencies[] = { { "EUR", "Euro", "€", "1.0" },
			   { "SEK", "Ruotsin kruunu", "kr", "11.2345" },
			   { "NOK", "Norjan kruunu", "kr", "11.7" },
			   { "USD", "Yhdysvaltain dollari", "$", "1.08" } };
	for (size_t i = 0; i < ARRAY_SIZE(currencies); i++) {
		struct json_writer *w = start(s, "currency", currencies[i].code);
		jsonw_kstr(w, "code", currencies[i].code);
		jsonw_kstr(w, "name", currencies[i].name);
		jsonw_kstr(w, "symbol", currencies[i].symbol);
		key_raw(w, "rate", currencies[i].rate);
		jsonw_kbool(w, "isActive", true);
		jsonw_kbool(w, "isOrganizationCurrency",
			    strcmp(currencies[i].code, s->home->currency) == 0);
		if (!store(s, SEVERA_CURRENCY, NULL))
			return false;
	}
	char home[UUID_TEXT];
	severa_guid(s->t, "country", country(s->home->country)->name, home);
	for (size_t i = 0; s->home->vat_rates[i]; i++) {
		struct json_writer *w = start(s, "vatrate", s->home->vat_rates[i]);
		key_raw(w, "percentage", s->home->vat_rates[i]);
		jsonw_kstr(w, "code", NULL);
		jsonw_kstr(w, "countryGuid", home);
		jsonw_kbool(w, "isDefault", i == 0);
		jsonw_kbool(w, "isActive", true);
		if (!store(s, SEVERA_VAT_RATE, NULL))
			return false;
	}
	struct json_writer *w = start(s, "salesaccount", "3000");
	jsonw_kstr(w, "name", "Myynti");
	jsonw_kstr(w, "number", "3000");
	jsonw_kbool(w, "isActive", true);
	jsonw_kbool(w, "isProductDefault", true);
	return store(s, SEVERA_SALES_ACCOUNT, NULL) != NULL;
}

static bool seed_status_list(struct seeder *s)
{
	for (size_t i = 0; i < n_seed_statuses; i++) {
		const struct seed_status *st = &seed_statuses[i];
		struct json_writer *w = start(s, "status", st->name);
		jsonw_kstr(w, "name", st->name);
		jsonw_kint(w, "sortOrder", (int64_t)i + 1);
		jsonw_kbool(w, "isActive", !st->passive);
		jsonw_kbool(w, "isDefault", st->is_default);
		jsonw_kbool(w, "isReadOnly", st->is_read_only);
		jsonw_kbool(w, "hasInvoiceNumber", st->has_number);
		jsonw_kbool(w, "isSent", st->is_sent);
		jsonw_kbool(w, "isWaitingPayment", st->is_waiting);
		jsonw_kbool(w, "isPaid", st->is_paid);
		jsonw_kbool(w, "isDefaultForCreditNote", st->is_for_credit);
		if (!store(s, SEVERA_STATUS, NULL))
			return false;
	}
	return true;
}

static void write_sales_account(struct seeder *s)
{
	write_ref(s, "salesAccount", "salesaccount", "3000", true);
	jsonw_kstr(&s->w, "number", "3000");
	jsonw_end_object(&s->w);
}

static bool seed_products_list(struct seeder *s)
{
	for (size_t i = 0; i < n_seed_products; i++) {
		const struct seed_item *it = &seed_products[i];
		struct json_writer *w = start(s, "product", it->name);
		jsonw_kstr(w, "name", it->name);
		jsonw_kstr(w, "code", it->code);
		jsonw_kstr(w, "type", it->type);
		jsonw_kbool(w, "isActive", !it->passive);
		jsonw_kstr(w, "measurementUnit", it->unit);
		write_money(s, "unitPrice", it->price);
		write_money(s, "unitCost", it->cost);
		key_raw(w, "vatRate", it->vat);
		write_sales_account(s);
		if (!store(s, SEVERA_PRODUCT, NULL))
			return false;
	}
	return true;
}

static bool seed_work_and_travel(struct seeder *s)
{
	for (size_t i = 0; i < n_seed_work_types; i++) {
		const struct seed_item *it = &seed_work_types[i];
		struct json_writer *w = start(s, "worktype", it->name);
		jsonw_kstr(w, "name", it->name);
		jsonw_kstr(w, "code", it->code);
		jsonw_kbool(w, "isActive", true);
		jsonw_kbool(w, "isDefault", i == 0);
		jsonw_kbool(w, "isProductive", it->code != NULL);
		write_money(s, "hourCost", it->cost);
		write_ref(s, "salesAccount", "salesaccount", "3000", false);
		if (!store(s, SEVERA_WORK_TYPE, NULL))
			return false;
	}
	for (size_t i = 0; i < n_seed_travel_types; i++) {
		const struct seed_item *it = &seed_travel_types[i];
		struct json_writer *w = start(s, "traveltype", it->name);
		jsonw_kstr(w, "name", it->name);
		jsonw_kstr(w, "code", it->code);
		jsonw_kstr(w, "expenseClass", it->type);
		jsonw_kbool(w, "isMileage", strcmp(it->type, "Mileage") == 0);
		jsonw_kbool(w, "isDailyAllowance", strcmp(it->type, "DailyAllowance") == 0);
		jsonw_kbool(w, "includeTime", false);
		key_raw(w, "vatRate", it->vat);
		key_raw(w, "purchaseVatRate", it->vat);
		jsonw_kstr(w, "measurementUnit", it->unit);
		write_money(s, "unitCost", it->cost);
		write_sales_account(s);
		jsonw_kbool(w, "isActive", true);
		if (!store(s, SEVERA_TRAVEL_TYPE, NULL))
			return false;
	}
	return true;
}

/* Of travel reimbursements: they have no number or Sent flags (facts §7b). */
static bool seed_travel_statuses(struct seeder *s)
{
	static const char *const names[] = { "Luonnos", "Odottaa siirtoa Netvisoriin",
					     "Siirretään Netvisoriin", "Siirretty Netvisoriin" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct json_writer *w = start(s, "travelstatus", names[i]);
		jsonw_kstr(w, "name", names[i]);
		jsonw_kbool(w, "isActive", true);
		jsonw_kbool(w, "isDefault", i == 0);
		jsonw_kbool(w, "isApproved", i > 0);
		jsonw_kbool(w, "isLocked", i > 0);
		jsonw_kint(w, "sortOrder", (int64_t)i);
		if (!store(s, SEVERA_TRAVEL_STATUS, NULL))
			return false;
	}
	return true;
}

/* "FI" + 8 digits. */
static void vat_of(unsigned id_base, char ret[16])
{
	char id[BUSINESS_ID_TEXT];
	business_id(id_base, id);
	snprintf(ret, 16, "FI%.7s%c", id, id[8]);
}

/* 0037 + 8 digits. */
static void ovt_of(unsigned id_base, char ret[16])
{
	char vat[16];
	vat_of(id_base, vat);
	snprintf(ret, 16, "0037%.8s", vat + 2);
}

/* ---- the organisation ---------------------------------------------------------------------- */

static bool is_company(const struct seed_unit *u)
{
	return u->id_base || u->vat;
}

/* Units with a VAT number are companies of their own. */
static void write_companies(struct seeder *s, const struct seed_company *co)
{
	struct json_writer *w = &s->w;
	jsonw_key(w, "activeCompanies");
	jsonw_array(w);
	for (size_t i = 0; i < co->n_units; i++) {
		if (!is_company(&co->units[i]))
			continue;
		char guid[UUID_TEXT];
		jsonw_object(w);
		severa_guid(s->t, "company", co->units[i].name, guid);
		jsonw_kstr(w, "guid", guid);
		jsonw_kstr(w, "name", co->units[i].name);
		jsonw_kstr(w, "currencyCode", s->home->currency);
		severa_guid(s->t, "unit", co->units[i].name, guid);
		jsonw_kstr(w, "rootBusinessUnitGuid", guid);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static bool seed_organization(struct seeder *s, const struct seed_company *co)
{
	char vat[16], ovt[32], id[16];
	const struct seed_country *at = country(s->home->country);
	seed_company_vat(&co->units[0], vat);
	if (co->units[0].id_base)
		ovt_of(co->units[0].id_base, ovt);
	else
		snprintf(ovt, sizeof(ovt), "0192:%s", seed_company_id(&co->units[0], id));
	struct json_writer *w = start(s, "organization", co->name);
	jsonw_kstr(w, "name", co->name);
	jsonw_kstr(w, "vatNumber", vat);
	jsonw_kbool(w, "isVatRegistered", true);
	jsonw_kstr(w, "address", co->street);
	jsonw_kstr(w, "postalCode", co->postcode);
	jsonw_kstr(w, "city", co->city);
	jsonw_kstr(w, "phone", co->phone);
	jsonw_kstr(w, "eInvoiceAddress", ovt);
	jsonw_kstr(w, "eInvoiceOperatorCode", co->einvoice_operator);
	write_ref(s, "country", "country", at->name, true);
	jsonw_kstr(w, "englishName", at->english);
	jsonw_kstr(w, "code", at->code2);
	jsonw_end_object(w);
	write_ref(s, "currency", "currency", s->home->currency, true);
	jsonw_kstr(w, "code", s->home->currency);
	jsonw_kstr(w, "symbol", s->home->symbol);
	jsonw_end_object(w);
	write_ref(s, "language", "language", s->home->language, true);
	jsonw_kstr(w, "code", s->home->language_code);
	jsonw_end_object(w);
	jsonw_key(w, "activeAddons");
	jsonw_array(w);
	jsonw_str(w, "RestApi");
	jsonw_end_array(w);
	write_companies(s, co);
	return store(s, SEVERA_ORGANIZATION, NULL) != NULL;
}

static bool seed_units(struct seeder *s, const struct seed_company *co)
{
	const struct seed_unit *company = &co->units[0];
	for (size_t i = 0; i < co->n_units; i++) {
		const struct seed_unit *u = &co->units[i];
		char vat[16], guid[UUID_TEXT];
		if (is_company(u)) {
			company = u;
			seed_company_vat(u, vat);
		}
		struct json_writer *w = start(s, "unit", u->name);
		jsonw_kstr(w, "name", u->name);
		jsonw_kstr(w, "code", u->code);
		jsonw_kbool(w, "isActive", true);
		severa_guid(s->t, "unit", co->units[0].name, guid);
		jsonw_kstr(w, "parentGuid", i ? guid : NULL);
		jsonw_kstr(w, "vatNumber", is_company(u) ? vat : NULL);
		severa_guid(s->t, "company", company->name, guid);
		jsonw_kstr(w, "companyGuid", guid);
		jsonw_kstr(w, "companyName", company->name);
		severa_guid(s->t, "unit", company->name, guid);
		jsonw_kstr(w, "companyBusinessUnitGuid", guid);
		severa_guid(s->t, "country", country(s->home->country)->name, guid);
		jsonw_kstr(w, "companyCountryGuid", guid);
		if (!store(s, SEVERA_BUSINESS_UNIT, NULL))
			return false;
		if (company != &co->units[0])
			company = &co->units[0];
	}
	struct json_writer *w = start(s, "bankaccount", "1");
	jsonw_kstr(w, "bankName", "Esimerkkipankki");
	jsonw_kstr(w, "accountNumber", s->home->account);
	jsonw_kstr(w, "bic", s->home->bic);
	jsonw_kstr(w, "accountNumberFormat", "Iban");
	write_ref(s, "company", "company", co->units[0].name, false);
	write_ref(s, "businessUnit", "unit", co->units[0].name, false);
	jsonw_kbool(w, "isActive", true);
	return store(s, SEVERA_BANK_ACCOUNT, NULL) != NULL;
}

/* Maija is a user at Maventa too, Kalle is not. */
static bool seed_users(struct seeder *s)
{
	static const struct {
		const char *first, *last, *code, *login;
	} users[] = { { "Maija", "Meikäläinen", "MM", "maija.meikalainen" },
		      { "Kalle", "Kokeilija", "KK", "kalle.kokeilija" } };
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		char name[64], email[96];
		snprintf(name, sizeof(name), "%s %s", users[i].first, users[i].last);
		snprintf(email, sizeof(email), "%s@%s.example", users[i].login, s->t->key);
		struct json_writer *w = start(s, "user", name);
		jsonw_kstr(w, "firstName", users[i].first);
		jsonw_kstr(w, "lastName", users[i].last);
		jsonw_kstr(w, "name", name);
		jsonw_kstr(w, "code", users[i].code);
		jsonw_kstr(w, "email", email);
		jsonw_kbool(w, "isActive", true);
		if (!store(s, SEVERA_USER, NULL))
			return false;
	}
	return true;
}

/* ---- customers ----------------------------------------------------------------------------- */

static void write_language(struct seeder *s, const char *code)
{
	static const struct {
		const char *code, *name, *english;
	} names[] = { { "fi", "suomi", "Finnish" },
		      { "sv", "ruotsi", "Swedish" },
		      { "en", "englanti", "English" },
		      { "nb", "norja", "Norwegian" } };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!str_eq(names[i].code, code))
			continue;
		write_ref(s, "language", "language", names[i].name, true);
		jsonw_kstr(&s->w, "englishName", names[i].english);
		jsonw_kstr(&s->w, "code", code);
		jsonw_end_object(&s->w);
		return;
	}
	key_raw(&s->w, "language", "null");
}

static void write_customer_numbers(struct seeder *s, const struct seed_customer *c)
{
	char vat[16], ovt[16];
	struct json_writer *w = &s->w;
	if (c->id_base) {
		vat_of(c->id_base, vat);
		ovt_of(c->id_base, ovt);
	}
	if (c->number >= 0)
		jsonw_kint(w, "number", c->number);
	else
		key_raw(w, "number", "null");
	jsonw_kstr(w, "vatNumber", c->id_base ? vat : c->vat);
	bool is_ovt = str_eq(c->einvoice_address, "OVT");
	jsonw_kstr(w, "eInvoiceAddress", is_ovt ? ovt : c->einvoice_address);
	jsonw_kstr(w, "eInvoiceOperator", c->einvoice_operator);
}

static void write_headquarters(struct seeder *s, const struct seed_customer *c)
{
	char guid[UUID_TEXT];
	struct json_writer *w = &s->w;
	severa_guid(s->t, "address", c->name, guid);
	jsonw_key(w, "headquarterAddress");
	jsonw_object(w);
	jsonw_kstr(w, "guid", guid);
	jsonw_kstr(w, "addressline", c->street);
	jsonw_kstr(w, "postalCode", c->postcode);
	jsonw_kstr(w, "city", c->city);
	jsonw_kstr(w, "country", country(c->country)->name);
	jsonw_end_object(w);
}

static bool seed_address(struct seeder *s, const struct seed_customer *c, struct doc *customer,
			 bool is_postal_only)
{
	char name[160];
	const struct seed_country *co = country(c->country);
	snprintf(name, sizeof(name), "%s%s", c->name, is_postal_only ? " postal" : "");
	struct json_writer *w = start(s, "address", name);
	jsonw_kstr(w, "addressline", is_postal_only ? c->postal_street : c->street);
	jsonw_kstr(w, "postalCode", is_postal_only ? c->postal_postcode : c->postcode);
	jsonw_kstr(w, "city", is_postal_only ? c->postal_city : c->city);
	jsonw_kbool(w, "isBillingAddress", !is_postal_only);
	jsonw_kbool(w, "isPostalAddress", is_postal_only || !c->postal_street);
	jsonw_kbool(w, "isVisitAddress", !is_postal_only);
	jsonw_kstr(w, "phone", is_postal_only ? NULL : c->phone);
	jsonw_kstr(w, "fax", NULL);
	write_ref(s, "country", "country", co->name, true);
	jsonw_kstr(w, "englishName", co->english);
	jsonw_kstr(w, "hasRegions", "NoRegion");
	jsonw_end_object(w);
	key_raw(w, "countryRegion", "null");
	jsonw_key(w, "customer");
	jsonw_object(w);
	jsonw_kstr(w, "guid", customer->guid);
	jsonw_kstr(w, "name", c->name);
	if (c->number >= 0)
		jsonw_kint(w, "number", c->number);
	jsonw_end_object(w);
	key_raw(w, "contacts", "[]");
	return store(s, SEVERA_ADDRESS, customer) != NULL;
}

static bool seed_channel(struct seeder *s, struct doc *contact, const char *type, const char *name,
			 const char *value)
{
	char key[96];
	if (!value)
		return true;
	snprintf(key, sizeof(key), "%s %s", contact->guid, type);
	struct json_writer *w = start(s, "communication", key);
	jsonw_kstr(w, "value", value);
	jsonw_kbool(w, "isForbiddenToUse", false);
	jsonw_key(w, "contact");
	jsonw_object(w);
	jsonw_kstr(w, "guid", contact->guid);
	jsonw_end_object(w);
	write_ref(s, "communicationType", "communicationtype", name, true);
	jsonw_kstr(w, "type", type);
	jsonw_kbool(w, "isActive", true);
	jsonw_end_object(w);
	return store(s, SEVERA_COMMUNICATION, contact) != NULL;
}

static bool seed_contact(struct seeder *s, const struct seed_customer *c, struct doc *customer)
{
	struct json_writer *w = start(s, "contact", c->name);
	jsonw_kstr(w, "firstName", "Liisa");
	jsonw_kstr(w, "lastName", "Laskuttaja");
	jsonw_kstr(w, "name", "Liisa Laskuttaja");
	jsonw_kstr(w, "jobTitle", "Ostolaskut");
	jsonw_key(w, "emails");
	jsonw_array(w);
	if (c->email)
		jsonw_str(w, c->email);
	jsonw_end_array(w);
	jsonw_key(w, "phoneNumbers");
	jsonw_array(w);
	if (c->phone)
		jsonw_str(w, c->phone);
	jsonw_end_array(w);
	jsonw_kbool(w, "isActive", true);
	jsonw_kbool(w, "isDeleted", false);
	jsonw_kbool(w, "isEmailAllowed", true);
	jsonw_key(w, "customer");
	jsonw_object(w);
	jsonw_kstr(w, "guid", customer->guid);
	jsonw_kstr(w, "name", c->name);
	jsonw_end_object(w);
	struct doc *contact = store(s, SEVERA_CONTACT, customer);
	return contact && seed_channel(s, contact, "EmailAddress", "Sähköposti", c->email) &&
	       seed_channel(s, contact, "Phone", "Puhelin", c->phone) &&
	       seed_channel(s, contact, "Fax", "Faksi", c->phone ? "+358 9 555 0199" : NULL);
}

static bool seed_country_setting(struct seeder *s, const struct seed_customer *c,
				 struct doc *customer)
{
	if (strcmp(c->country, s->home->country) == 0)
		return true;
	const struct seed_country *co = country(c->country);
	struct json_writer *w = start(s, "countrysetting", c->name);
	write_ref(s, "country", "country", co->name, false);
	jsonw_key(w, "customer");
	jsonw_object(w);
	jsonw_kstr(w, "guid", customer->guid);
	jsonw_end_object(w);
	jsonw_kbool(w, "isTaxFree", true);
	jsonw_kstr(w, "taxFreeDescription",
		   co->in_eu ? "Reverse charge" : "Vienti EU:n ulkopuolelle");
	jsonw_kstr(w, "zeroVatCategoryCodeEn16931", co->in_eu ? "AE" : "G");
	key_raw(w, "valueAddedTax", "null");
	return store(s, SEVERA_COUNTRY_SETTING, customer) != NULL;
}

static struct doc *seed_customer(struct seeder *s, const struct seed_customer *c)
{
	struct json_writer *w = start(s, "customer", c->name);
	jsonw_kstr(w, "name", c->name);
	write_customer_numbers(s, c);
	jsonw_kstr(w, "email", c->email);
	jsonw_kstr(w, "website", c->website);
	jsonw_kint(w, "paymentTerm", 14);
	key_raw(w, "overdueInterest", "8.0");
	jsonw_kbool(w, "isActive", !c->passive);
	jsonw_kbool(w, "isInternal", false);
	jsonw_kstr(w, "notes", c->notes);
	jsonw_kstr(w, "kvkNumber", NULL);
	write_language(s, c->language);
	write_headquarters(s, c);
	write_ref(s, "currency", "currency", s->home->currency, true);
	jsonw_kstr(w, "code", s->home->currency);
	jsonw_kstr(w, "symbol", s->home->symbol);
	jsonw_end_object(w);
	key_raw(w, "invoicingVat", "null");
	struct doc *doc = store(s, SEVERA_CUSTOMER, NULL);
	if (!doc || !seed_address(s, c, doc, false) ||
	    (c->postal_street && !seed_address(s, c, doc, true)) || !seed_contact(s, c, doc) ||
	    !seed_country_setting(s, c, doc))
		return NULL;
	return doc;
}

/* ---- projects and invoices ----------------------------------------------------------------- */

static bool seed_billing_customer(struct seeder *s, const struct seed_company *co,
				  const struct seed_project *p, struct doc *project,
				  const struct doc *customer)
{
	struct json_writer *w = start(s, "billingcustomer", p->name);
	jsonw_kbool(w, "isDefault", true);
	jsonw_key(w, "project");
	jsonw_object(w);
	jsonw_kstr(w, "guid", project->guid);
	jsonw_kstr(w, "name", p->name);
	jsonw_end_object(w);
	jsonw_key(w, "billingCustomer");
	jsonw_object(w);
	jsonw_kstr(w, "guid", customer->guid);
	jsonw_kstr(w, "name", co->customers[p->customer].name);
	jsonw_kstr(w, "eInvoiceAddress", severa_text(s->arena, customer, "eInvoiceAddress"));
	jsonw_kstr(w, "eInvoiceOperator", severa_text(s->arena, customer, "eInvoiceOperator"));
	jsonw_end_object(w);
	return store(s, SEVERA_BILLING_CUSTOMER, project) != NULL;
}

static bool seed_phase(struct seeder *s, const struct seed_project *p, struct doc *project)
{
	struct json_writer *w = start(s, "phase", p->name);
	jsonw_kstr(w, "name", p->name);
	jsonw_kstr(w, "code", NULL);
	jsonw_key(w, "project");
	jsonw_object(w);
	jsonw_kstr(w, "guid", project->guid);
	jsonw_kstr(w, "name", p->name);
	jsonw_kint(w, "number", p->number);
	jsonw_end_object(w);
	jsonw_kbool(w, "isCompleted", false);
	jsonw_kbool(w, "isLocked", false);
	return store(s, SEVERA_PHASE, project) != NULL;
}

static bool seed_project(struct seeder *s, const struct seed_company *co,
			 const struct seed_project *p, const struct doc *customer)
{
	const struct seed_unit *u = &co->units[p->unit];
	struct json_writer *w = start(s, "project", p->name);
	jsonw_kstr(w, "name", p->name);
	jsonw_kint(w, "number", p->number);
	jsonw_key(w, "customer");
	jsonw_object(w);
	jsonw_kstr(w, "guid", customer->guid);
	jsonw_kstr(w, "name", co->customers[p->customer].name);
	jsonw_end_object(w);
	write_ref(s, "businessUnit", "unit", u->name, true);
	jsonw_kstr(w, "code", u->code);
	jsonw_end_object(w);
	jsonw_kbool(w, "isClosed", false);
	jsonw_kbool(w, "isInternal", false);
	jsonw_kstr(w, "startDate", "2026-01-05");
	struct doc *project = store(s, SEVERA_PROJECT, NULL);
	if (!project)
		return false;
	return seed_billing_customer(s, co, p, project, customer) && seed_phase(s, p, project);
}

static bool seed_attachment(struct seeder *s, struct doc *invoice, const char *name)
{
	const char *lines[] = { "Tuntierittely", name };
	struct span pdf;
	arena_clear(s->arena);
	if (!pdf_write(s->arena, lines, ARRAY_SIZE(lines), &pdf))
		return err_set(s->err, ERR_MEMORY, "out of memory");
	return severa_make_file_locked(s->t, invoice, name, "application/pdf", false, pdf,
				       s->err) &&
	       severa_make_file_locked(s->t, invoice, "sisainen-muistio.txt", "text/plain", true,
				       SPAN_LIT("Vain sisäiseen käyttöön.\n"), s->err);
}

static size_t count_rows(const struct seed_invoice *in)
{
	size_t n = 0;
	while (n < SEED_MAX_ROWS && in->rows[n].type)
		n++;
	return n;
}

static bool seed_invoice(struct seeder *s, const struct seed_company *co,
			 const struct seed_invoice *in)
{
	const struct doc_list *customers = &s->t->kinds[SEVERA_CUSTOMER];
	const struct doc_list *projects = &s->t->kinds[SEVERA_PROJECT];
	const struct seed_unit *unit = &co->units[in->unit];
	char vat[16], unit_guid[UUID_TEXT], changed[40];
	seed_company_vat(unit, vat);
	severa_guid(s->t, "unit", unit->name, unit_guid);
	snprintf(changed, sizeof(changed), "%sT08:15:00.000Z", in->date);
	struct invoice_plan plan = {
		.name = in->name,
		.customer = customers->docs[in->customer],
		.billing = in->billing >= 0 ? customers->docs[in->billing] : NULL,
		.status = severa_status_locked(s->t, in->status),
		.date = in->date,
		.term = in->term,
		.currency = in->currency,
		.rate = in->rate,
		.sender_name = unit->name,
		.sender_vat = vat,
		.sender_unit_guid = unit_guid,
		.is_credit = in->is_credit,
		.reverse_charge = in->reverse_charge,
		.off = in->off,
		.our_reference = in->our_reference,
		.your_reference = in->your_reference,
		.order = in->order,
		.text_before = in->text_before,
		.text_after = in->text_after,
		.changed = changed,
		.rows = in->rows,
		.n_rows = count_rows(in),
	};
	for (size_t i = 0; i < ARRAY_SIZE(plan.projects); i++)
		plan.projects[i] = in->projects[i] >= 0 ? projects->docs[in->projects[i]] : NULL;
	struct doc *invoice = severa_make_invoice_locked(s->t, &plan, s->err);
	if (!invoice)
		return err_wrap(s->err, "invoice %s", in->name);
	return !in->file || seed_attachment(s, invoice, in->file);
}

static bool seed_company_data(struct seeder *s, const struct seed_company *co)
{
	s->t->next_number = co->first_invoice_number;
	if (!seed_organization(s, co) || !seed_units(s, co))
		return false;
	for (size_t i = 0; i < co->n_customers; i++) {
		if (!seed_customer(s, &co->customers[i]))
			return false;
	}
	for (size_t i = 0; i < co->n_projects; i++) {
		const struct doc *customer =
			s->t->kinds[SEVERA_CUSTOMER].docs[co->projects[i].customer];
		if (!seed_project(s, co, &co->projects[i], customer))
			return false;
	}
	for (size_t i = 0; i < co->n_invoices; i++) {
		if (!seed_invoice(s, co, &co->invoices[i]))
			return false;
	}
	return true;
}

static bool seed_generated(struct seeder *s, const struct tenant_spec *spec)
{
	char name[64];
	snprintf(name, sizeof(name), "Vuokralainen %u Oy", spec->ordinal);
	struct seed_unit unit = { "1", name, seed_generated_base(spec->ordinal), NULL };
	struct seed_company co = { .name = name,
				   .street = "Testikatu 1",
				   .postcode = "00100",
				   .city = "Helsinki",
				   .einvoice_operator = seed_operators[0],
				   .first_invoice_number = 100001,
				   .units = &unit,
				   .n_units = 1 };
	if (!seed_company_data(s, &co))
		return false;
	for (unsigned i = 0; i < spec->customers; i++) {
		struct seed_generated g;
		seed_generate_customer(spec->ordinal, i, &g);
		if (!seed_customer(s, &g.customer))
			return false;
	}
	const struct doc *waiting = severa_status_locked(s->t, SEED_STATUS_TRANSFER);
	for (unsigned i = 0; i < spec->invoices; i++) {
		if (!severa_generate_invoice_locked(s->t, i, waiting, s->err))
			return false;
	}
	return true;
}

bool severa_seed(struct severa_tenant *t, const struct tenant_spec *spec, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(8u << 20);
	const struct seed_company *co = spec->demo ? seed_company(spec->key) : NULL;
	struct seeder s = {
		.home = co && co->country ? &norway : &finland, .t = t, .arena = arena, .err = err
	};
	t->is_norwegian = s.home == &norway;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!seed_countries_and_languages(&s) || !seed_money(&s) || !seed_status_list(&s) ||
	    !seed_products_list(&s) || !seed_work_and_travel(&s) || !seed_travel_statuses(&s) ||
	    !seed_users(&s))
		return false;
	return co ? seed_company_data(&s, co) : seed_generated(&s, spec);
}
