/*
 * procountor_seed.c: the company that each tenant of the sandbox has at Procountor. `kajo`'s
 * register has what makes trouble: two cards of one business id, one that is switched off, one
 * without an address, letters beyond ASCII, products of one code; others have their customers only.
 */
#include "base/base.h"

#include "procountor.h"

static const struct {
	enum pc_kind kind;
	const char *json;
} oddities[] = {
	{ PC_PARTNER,
	  "{\"name\":\"Kaksonen Oy\",\"type\":\"CUSTOMER\",\"invoicingInfo\":{\"identifier\":"
	  "\"2817345-6\",\"identifierType\":\"FI\",\"customerNumber\":\"K-1\"},"
	  "\"paymentInfo\":{\"paymentMethod\":\"BANK_TRANSFER\"}}" },
	{ PC_PARTNER, "{\"name\":\"Kaksonen Oy, toinen\",\"type\":\"CUSTOMER\",\"invoicingInfo\":{"
		      "\"identifier\":\"2817345-6\",\"identifierType\":\"FI\",\"customerNumber\":"
		      "\"K-2\"},\"paymentInfo\":{\"paymentMethod\":\"BANK_TRANSFER\"}}" },
	{ PC_PARTNER, "{\"name\":\"Vanha Asiakas Ky\",\"type\":\"CUSTOMER\",\"invoicingInfo\":{"
		      "\"identifier\":\"2345678-0\",\"customerNumber\":\"V-1\"},\"paymentInfo\":{"
		      "\"paymentMethod\":\"BANK_TRANSFER\"},\"registryInfo\":{\"active\":false}}" },
	{ PC_PARTNER,
	  "{\"name\":\"Sähkö & Löpö 5 % Oy\",\"type\":\"CUSTOMER\",\"address\":{\"name\":"
	  "\"Sähkö & Löpö 5 % Oy\",\"street\":\"Åvägen 1\",\"zip\":\"00100\",\"city\":"
	  "\"Helsinki\",\"country\":\"FINLAND\"},\"invoicingInfo\":{\"customerNumber\":"
	  "\"S-1\",\"language\":\"SWEDISH\"},\"paymentInfo\":{\"paymentMethod\":"
	  "\"BANK_TRANSFER\"},\"registryInfo\":{\"active\":true}}" },
	{ PC_PARTNER, "{\"name\":\"Toimittaja Oy\",\"type\":\"SUPPLIER\",\"paymentInfo\":{"
		      "\"paymentMethod\":\"BANK_TRANSFER\"}}" },
	{ PC_PRODUCT,
	  "{\"type\":\"SALES\",\"name\":\"Suodatin, vanha\",\"code\":\"SUO-F7\",\"price\":"
	  "29.9,\"discount\":0,\"active\":false,\"currency\":\"EUR\"}" },
	{ PC_PRODUCT,
	  "{\"type\":\"SALES\",\"name\":\"Suodatin F7\",\"code\":\"SUO-F7\",\"unit\":\"PIECE\","
	  "\"price\":31.9,\"vat\":25.5,\"discount\":0,\"active\":true,\"currency\":\"EUR\"}" },
	{ PC_PRODUCT,
	  "{\"type\":\"SALES\",\"name\":\"Suodatin F7, iso\",\"code\":\"SUO-F7-XL\",\"price\":"
	  "40,\"discount\":0,\"active\":true,\"currency\":\"EUR\"}" },
	{ PC_PRODUCT,
	  "{\"type\":\"SALES\",\"name\":\"Suodatin F7, kopio\",\"code\":\"SUO-F7\",\"price\":"
	  "31.9,\"discount\":0,\"active\":true,\"currency\":\"EUR\"}" },
	{ PC_PRODUCT, "{\"type\":\"PURCHASE\",\"name\":\"Osto\",\"code\":\"SUO-F7\",\"price\":1,"
		      "\"discount\":0,\"active\":true,\"currency\":\"EUR\"}" },
};

/* ---- one record ---------------------------------------------------------------------------- */

static bool put(struct procountor *p, struct pc_company *co, enum pc_kind kind, const char *text)
{
	CLEANUP(arena_free) struct arena *scratch = arena_new(16 << 20);
	const struct json *j;
	return scratch && json_parse(scratch, span_of(text), JSON_LIMITS_VENDOR, &j, NULL) &&
	       pc_put_locked(p, co, kind, NULL, j, NULL, scratch);
}

static void write_address(struct json_writer *w, const char *key, const struct seed_customer *c)
{
	const char *country = strcmp(c->country, "NO") == 0   ? "NORWAY"
			      : strcmp(c->country, "SE") == 0 ? "SWEDEN"
			      : strcmp(c->country, "DE") == 0 ? "GERMANY"
							      : "FINLAND";
	jsonw_key(w, key);
	jsonw_object(w);
	jsonw_kstr(w, "name", c->name);
	jsonw_kstr(w, "street", c->street);
	jsonw_kstr(w, "zip", c->postcode);
	jsonw_kstr(w, "city", c->city);
	jsonw_kstr(w, "country", country);
	jsonw_end_object(w);
}

static bool put_customer(struct procountor *p, struct pc_company *co, const struct seed_customer *c)
{
	CLEANUP(arena_free) struct arena *scratch = arena_new(1 << 20);
	struct strbuf sb = STRBUF_INIT(scratch, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	char id[BUSINESS_ID_TEXT] = "", number[24];
	const char *text;
	if (!scratch)
		return false;
	if (c->id_base)
		business_id(c->id_base, id);
	snprintf(number, sizeof(number), "%" PRId64, c->number);
	jsonw_object(&w);
	jsonw_kstr(&w, "name", c->name);
	jsonw_kstr(&w, "type", "CUSTOMER");
	write_address(&w, "address", c);
	write_address(&w, "billingAddress", c);
	jsonw_key(&w, "invoicingInfo");
	jsonw_object(&w);
	jsonw_kstr(&w, "customerNumber", c->number < 0 ? NULL : number);
	jsonw_kstr(&w, "identifier", id[0] ? id : c->vat);
	jsonw_kstr(&w, "email", c->email);
	jsonw_end_object(&w);
	jsonw_key(&w, "paymentInfo");
	jsonw_object(&w);
	jsonw_kstr(&w, "paymentMethod", "BANK_TRANSFER");
	jsonw_kstr(&w, "paymentTermDays", "14");
	jsonw_end_object(&w);
	jsonw_key(&w, "registryInfo");
	jsonw_object(&w);
	jsonw_kbool(&w, "active", !c->passive);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &text, NULL) && put(p, co, PC_PARTNER, text);
}

const struct json *pc_generate(struct arena *arena, enum pc_kind kind, unsigned i)
{
	const struct json *j;
	const char *text =
		kind == PC_PARTNER
			? arena_printf(
				  arena,
				  "{\"name\":\"Asiakas %u Oy\",\"type\":\"CUSTOMER\",\"address\":{"
				  "\"name\":\"Asiakas %u Oy\",\"street\":\"Katu %u\",\"zip\":"
				  "\"33200\",\"city\":\"Tampere\",\"country\":\"FINLAND\"},"
				  "\"invoicingInfo\":{\"customerNumber\":\"G-%u\"},\"paymentInfo\":"
				  "{\"paymentMethod\":\"BANK_TRANSFER\"},\"registryInfo\":{"
				  "\"active\":true}}",
				  i, i, i, i)
			: arena_printf(
				  arena,
				  "{\"type\":\"SALES\",\"name\":\"Tuote %u\",\"code\":\"G-%u\","
				  "\"unit\":\"PIECE\",\"price\":%u.5,\"vat\":25.5,\"discount\":0,"
				  "\"active\":true,\"currency\":\"EUR\"}",
				  i, i, i);
	return text && json_parse(arena, span_of(text), JSON_LIMITS_VENDOR, &j, NULL) ? j : NULL;
}

/* ---- a company ----------------------------------------------------------------------------- */

static bool add_customers(struct procountor *p, struct pc_company *co,
			  const struct tenant_spec *spec, const struct seed_company *seed)
{
	for (size_t i = 0; seed && i < seed->n_customers; i++)
		if (!put_customer(p, co, &seed->customers[i]))
			return false;
	for (unsigned i = 0; !seed && spec->registered && i < spec->customers; i++) {
		struct seed_generated g;
		seed_generate_customer(spec->ordinal, i, &g);
		if (!put_customer(p, co, &g.customer))
			return false;
	}
	for (size_t i = 0; strcmp(spec->key, "kajo") == 0 && i < ARRAY_SIZE(oddities); i++)
		if (!put(p, co, oddities[i].kind, oddities[i].json))
			return false;
	return true;
}

static bool add_accounts(struct procountor *p, struct pc_company *co)
{
	char text[256];
	snprintf(text, sizeof(text),
		 "{\"iban\":\"%s\",\"bic\":\"NDEAFIHH\",\"currency\":\"%s\",\"status\":\"ACTIVE\","
		 "\"defaultForInvoice\":true,\"defaultForPayment\":true}",
		 co->iban, co->currency);
	return put(p, co, PC_ACCOUNT, text) &&
	       put(p, co, PC_ACCOUNT,
		   "{\"iban\":\"FI5542345670000081\",\"currency\":\"EUR\",\"status\":\"INACTIVE\","
		   "\"defaultForInvoice\":false,\"defaultForPayment\":false}");
}

/* Ids are unique within one company only: every company's begin alike. */
static const int64_t first_ids[PC_KINDS] = { 501234, 77120, 910001, 41 };

bool pc_seed(void *state, const struct tenant_spec *spec, struct err *err)
{
	struct procountor *p = state;
	const struct seed_company *seed = spec->demo ? seed_company(spec->key) : NULL;
	const struct seed_unit generated = { "1", spec->key, seed_generated_base(spec->ordinal),
					     NULL };
	const struct seed_unit *unit = seed ? &seed->units[0] : &generated;
	struct pc_company *co = arena_alloc(p->base.arena, sizeof(*co));
	char id[16], key[UUID_TEXT];
	if (!co)
		return err_set(err, ERR_MEMORY, "out of memory");
	bool is_norwegian = seed && str_eq(seed->country, "NO");
	fixed_id("procountor", "api key", spec->key, key);
	*co = (struct pc_company) { .next = p->companies,
				    .tenant = keep_text(p->base.arena, spec->key),
				    .name = keep_text(p->base.arena, seed ? seed->name : spec->key),
				    .business_id = keep_text(p->base.arena,
							     seed_company_id(unit, id)),
				    .country = is_norwegian ? "NORWAY" : "FINLAND",
				    .currency = is_norwegian ? "NOK" : "EUR",
				    .iban = "FI2112345600000785",
				    .id = p->next_company++,
				    .user = 7001,
				    .api_key = keep_text(p->base.arena, key),
				    .token_s = 3600,
				    .next_number = 1001 };
	for (size_t i = 0; i < PC_KINDS; i++)
		co->registers[i].next_id = first_ids[i];
	p->companies = co;
	return add_accounts(p, co) && add_customers(p, co, spec, seed)
		       ? true
		       : err_set(err, ERR_MEMORY, "out of memory");
}
