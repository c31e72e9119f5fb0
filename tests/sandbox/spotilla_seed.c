/*
 * spotilla_seed.c: what the tenants of the sandbox have at Spotilla. `kajo` holds one task per
 * oddity, by its name; the others' are plain. Generated records for benches.
 *
 * Ids are fixed: customers from 1001, products from 301, tasks from 90001.
 */
#include "base/base.h"

#include "spotilla.h"

#define DAY_S (24 * 3600)

struct sample {
	const char *name; /* usable in the control API; NULL */
	const char *json;
	unsigned id_base; /* business id's first seven digits; 0: none, or as the JSON says */
};

#define ADDRESS(street, zip, city)                                                          \
	"\"address\":{\"street\":\"" street "\",\"zip\":\"" zip "\",\"city\":\"" city "\"," \
	"\"country\":\"FI\"}"

static const struct sample customers[] = {
	{ "plain",
	  "{\"name\":\"Kivijärven Konepaja Oy\",\"number\":\"SP-1001\",\"email\":"
	  "\"laskut@kivijarvenkonepaja.example\",\"phone\":\"+358 5 123 4567\",\"language\":"
	  "\"fi\"," ADDRESS("Sahatie 4", "53850", "Lappeenranta") ",\"payment_term_days\":14}",
	  9000110 },
	{ "billing-address",
	  "{\"name\":\"Lumivaaran Sähkö Oy\",\"number\":\"SP-1002\",\"language\":\"sv\"," ADDRESS(
		  "Voimalankatu 18 B", "90100",
		  "Oulu") ",\"billing_address\":{\"street\":\"PL 7\",\"zip\":\"90101\",\"city\":"
			  "\"Oulu\",\"country\":\"FI\"},\"invoice_channel\":\"ELECTRONIC_INVOICE\","
			  "\"contact_persons\":[{\"name\":\"Maija Malli\",\"email\":"
			  "\"maija@lumivaara.example\",\"phone\":null}]}",
	  9000112 },
	{ "no-business-id", "{\"name\":\"Yksityinen Mökkiläinen\",\"number\":\"SP-1003\"}", 0 },
	{ "no-business-id-2", "{\"name\":\"Taloyhtiö Tuntematon\",\"number\":\"SP-1004\"}", 0 },
	{ "malformed-business-id",
	  "{\"name\":\"Virhetunnus Oy\",\"number\":\"SP-1005\",\"business_id\":\"2817345-7x\"}",
	  0 },
	{ "duplicate-business-id",
	  "{\"name\":\"Kivijärven Konepaja Oy, varasto\",\"number\":\"SP-1006\"}", 9000110 },
	{ "passive", "{\"name\":\"Lopettanut Asiakas Oy\",\"number\":\"SP-1007\",\"active\":false}",
	  9000121 },
	{ "no-address", "{\"name\":\"Osoitteeton Oy\",\"number\":\"SP-1008\"}", 9000124 },
	{ "no-name", "{\"name\":null,\"number\":\"SP-1009\"}", 9000127 },
	{ "abroad",
	  "{\"name\":\"Nordlys Drift AS\",\"number\":\"SP-1010\",\"language\":\"no\",\"address\":{"
	  "\"street\":\"Havnegata 9\",\"zip\":\"0150\",\"city\":\"Oslo\",\"country\":\"NO\"}}",
	  0 },
	{ "sample-id",
	  "{\"name\":\"Esimerkkitunnus Oy\",\"number\":\"SP-1011\",\"business_id\":\"1234567-8\"}",
	  0 },
};

static const struct sample products[] = {
	{ "work",
	  "{\"product_id\":\"TYO-1\",\"name\":\"Huoltotyö\",\"kind\":\"work\",\"unit\":\"h\","
	  "\"sales_price\":\"58.00\"}",
	  0 },
	{ "article",
	  "{\"product_id\":\"SUO-F7\",\"name\":\"Suodatin F7\",\"category\":\"Suodattimet\","
	  "\"sales_price\":\"31.90\",\"vat_percent\":\"25.5\"}",
	  0 },
	{ "travel",
	  "{\"product_id\":\"KM\",\"name\":\"Kilometrikorvaus\",\"kind\":\"travel\",\"unit\":"
	  "\"km\",\"sales_price\":0.59}",
	  0 },
	{ "no-price", "{\"product_id\":\"ARVIO\",\"name\":\"Hinta sovitaan\"}", 0 },
	{ "long-code",
	  "{\"product_id\":\"KOODI-JOKA-ON-PIDEMPI-KUIN-KOHDE-OTTAA-45678\",\"name\":"
	  "\"Pitkäkoodinen\",\"sales_price\":\"1\"}",
	  0 },
	{ "foreign-letters",
	  "{\"product_id\":\"RASVA\",\"name\":\"Ŕasva 400 g\",\"unit\":\"plo\",\"sales_price\":"
	  "\"12.345\",\"vat_percent\":\"25.5\"}",
	  0 },
	{ "unknown-unit",
	  "{\"product_id\":\"SAK\",\"name\":\"Hiekka, säkki\",\"unit\":\"säkki\",\"sales_price\":"
	  "\"9.90\"}",
	  0 },
	{ "foreign-currency",
	  "{\"product_id\":\"SEK-1\",\"name\":\"Reservdel\",\"sales_price\":\"210.00\","
	  "\"currency\":\"SEK\"}",
	  0 },
	{ "reduced-vat",
	  "{\"product_id\":\"KIRJA\",\"name\":\"Käyttöohje, painettu\",\"sales_price\":\"39.90\","
	  "\"vat_percent\":\"13.5\"}",
	  0 },
	{ "passive-product",
	  "{\"product_id\":\"VANHA\",\"name\":\"Poistunut osa\",\"sales_price\":\"5\",\"active\":"
	  "false}",
	  0 },
	{ "free-of-charge",
	  "{\"product_id\":\"TAKUU\",\"name\":\"Takuutyö\",\"kind\":\"work\",\"unit\":\"h\","
	  "\"sales_price\":\"0\"}",
	  0 },
};

/* A row of a product of ours, as the register has it. */
#define WORK(quantity)                                                                       \
	"{\"id\":1,\"product_id\":301,\"name\":\"Huoltotyö\",\"quantity\":\"" quantity "\"," \
	"\"unit\":\"h\",\"unit_price\":\"58.00\",\"vat_percent\":null,\"comment\":null,"     \
	"\"billable\":true}"
#define ROW(product, name, quantity, unit, price, vat, more)                                  \
	"{\"id\":2,\"product_id\":" product ",\"name\":\"" name "\",\"quantity\":\"" quantity \
	"\",\"unit\":" unit ",\"unit_price\":" price ",\"vat_percent\":" vat more "}"
#define DONE(customer, rows)                            \
	"{\"state\":\"done\",\"customer_id\":" customer \
	",\"order_number\":\"PO-7781\",\"rows\":[" rows "]"
#define CALLED(name) ",\"name\":\"" name "\"}"

static const struct sample tasks[] = {
	{ "plain",
	  DONE("1001",
	       WORK("2.5") "," ROW(
		       "302", "Suodatin F7", "4", "\"kpl\"", "\"31.90\"", "\"25.5\"",
		       ",\"comment\":\"Vaihdettu\"")) ",\"site\":"
						      "\"Satamakatu 5\",\"comment\":\"Suodattimet "
						      "vaihdettu\",\"work_order\":{\"id\":77,"
						      "\"label\":\"Sopimushuollot\"},\"spot\":{"
						      "\"id\":5123,\"name\":\"IV-kone 1\"}" CALLED(
							      "Vuosihuolto IV-kone"),
	  0 },
	{ "no-order-number",
	  "{\"state\":\"done\",\"customer_id\":1001,\"rows\":[" WORK("1") "]" CALLED(
		  "Ilman tilausnumeroa"),
	  0 },
	{ "no-business-id", DONE("1003", WORK("1")) CALLED("Mökin nuohous"), 0 },
	{ "malformed-business-id", DONE("1005", WORK("1")) CALLED("Virheellinen tunnus"), 0 },
	{ "duplicate-business-id", DONE("1006", WORK("1")) CALLED("Varaston huolto"), 0 },
	{ "passive-customer", DONE("1007", WORK("1")) CALLED("Lopettaneen viimeinen"), 0 },
	{ "no-address", DONE("1008", WORK("1")) CALLED("Osoitteeton"), 0 },
	{ "no-name", DONE("1009", WORK("1")) CALLED("Nimetön asiakas"), 0 },
	{ "abroad", DONE("1010", WORK("3")) CALLED("Ulkomailla"), 0 },
	{ "sample-id", DONE("1011", WORK("1")) CALLED("Tarkistusmerkitön tunnus"), 0 },
	{ "billing-address", DONE("1002", WORK("7.25")) CALLED("Sähkötyö"), 0 },
	{ "no-customer", DONE("null", WORK("1")) CALLED("Kenelle?"), 0 },
	{ "customer-gone", DONE("1999", WORK("1")) CALLED("Poistetulle asiakkaalle"), 0 },
	{ "free-row",
	  DONE("1001", ROW("null", "Sekalainen tarvike", "2", "\"kpl\"", "\"7.15\"", "\"25.5\"",
			   "")) CALLED("Vapaa rivi"),
	  0 },
	{ "free-row-without-price",
	  DONE("1001", ROW("null", "Sovitaan", "1", "null", "null", "null", ""))
		  CALLED("Hinnaton vapaa rivi"),
	  0 },
	{ "price-of-the-row",
	  DONE("1001", ROW("301", "Huoltotyö", "1", "\"h\"", "\"45.00\"", "null", ""))
		  CALLED("Rivillä vanha hinta"),
	  0 },
	{ "unknown-product",
	  DONE("1001", ROW("9999", "Poistettu tuote", "1", "\"kpl\"", "\"10\"", "\"25.5\"", ""))
		  CALLED("Tuotetta ei ole"),
	  0 },
	{ "no-price",
	  DONE("1001", ROW("304", "Hinta sovitaan", "1", "\"kpl\"", "null", "null", ""))
		  CALLED("Hinnaton tuote"),
	  0 },
	{ "long-code",
	  DONE("1001", ROW("305", "Pitkäkoodinen", "1", "\"kpl\"", "\"1\"", "null", ""))
		  CALLED("Liian pitkä koodi"),
	  0 },
	{ "foreign-letters",
	  DONE("1001", ROW("306", "Ŕasva 400 g", "2", "\"plo\"", "\"12.345\"", "\"25.5\"", ""))
		  CALLED("Rasvaus — Łódź"),
	  0 },
	{ "unknown-unit",
	  DONE("1001", ROW("307", "Hiekka, säkki", "3", "\"säkki\"", "\"9.90\"", "null", ""))
		  CALLED("Outo yksikkö"),
	  0 },
	{ "foreign-currency",
	  DONE("1001", ROW("308", "Reservdel", "1", "\"kpl\"", "\"210.00\"", "null", ""))
		  CALLED("Hinta kruunuina"),
	  0 },
	{ "several-vat-rates",
	  DONE("1001", WORK("1") "," ROW("309", "Käyttöohje, painettu", "2", "\"kpl\"", "\"39.90\"",
					 "\"13.5\"", "")) CALLED("Kaksi verokantaa"),
	  0 },
	{ "passive-product",
	  DONE("1001", ROW("310", "Poistunut osa", "1", "\"kpl\"", "\"5\"", "null", ""))
		  CALLED("Poistunut tuote"),
	  0 },
	{ "free-of-charge",
	  DONE("1001", ROW("311", "Takuutyö", "1.5", "\"h\"", "\"0\"", "null", "")) CALLED("Takuu"),
	  0 },
	{ "zero-quantity", DONE("1001", WORK("0") "," WORK("1")) CALLED("Nollarivi"), 0 },
	{ "negative-quantity", DONE("1001", WORK("-2")) CALLED("Hyvitettävä työ"), 0 },
	{ "no-rows", DONE("1001", "") CALLED("Ei rivejä"), 0 },
	{ "not-billable",
	  DONE("1001", ROW("301", "Huoltotyö", "1", "\"h\"", "\"58.00\"", "null",
			   ",\"billable\":false")) CALLED("Ei laskuteta"),
	  0 },
	{ "numbers",
	  DONE("1001", "{\"id\":1,\"product_id\":301,\"name\":\"Huoltotyö\",\"quantity\":2.125,"
		       "\"unit\":\"h\",\"unit_price\":58,\"vat_percent\":25.5}")
		  CALLED("Luvut lukuina"),
	  0 },
	{ "odd",
	  "{\"state\":\"done\",\"customer_id\":1001,\"rows\":[{\"quantity\":\"kaksi\"}]" CALLED(
		  "Lukukelvoton määrä"),
	  0 },
	{ "open", "{\"state\":\"open\",\"customer_id\":1001,\"rows\":[]" CALLED("Avoin"), 0 },
	{ "late", "{\"state\":\"late\",\"customer_id\":1001,\"rows\":[]" CALLED("Myöhässä"), 0 },
	{ "in-progress",
	  "{\"state\":\"in_progress\",\"customer_id\":1001,\"order_number\":\"PO-1\",\"rows\":"
	  "[" WORK("1") "]" CALLED("Työn alla"),
	  0 },
	{ "in-review",
	  "{\"state\":\"in_review\",\"customer_id\":1001,\"rows\":[" WORK("1") "]" CALLED(
		  "Tarkastettavana"),
	  0 },
	{ "cancelled",
	  "{\"state\":\"cancelled\",\"customer_id\":1001,\"rows\":[" WORK("1") "]" CALLED(
		  "Peruttu"),
	  0 },
	{ "exported",
	  DONE("1001", WORK("1")) ",\"billing\":{\"state\":\"exported\",\"external_ref\":"
				  "\"procountor:1:1\",\"message\":null}" CALLED("Jo laskutettu"),
	  0 },
};

/* ---- hand-made ----------------------------------------------------------------------------- */

/* The fields, with a business id where the sample has one. */
static const struct json *fields_of(struct arena *scratch, const struct sample *s)
{
	struct strbuf sb = STRBUF_INIT(scratch, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *j, *id, *ret;
	char text[64], number[BUSINESS_ID_TEXT];
	if (!json_parse(scratch, span_of(s->json), JSON_LIMITS_API, &j, NULL) || !s->id_base)
		return json_parse(scratch, span_of(s->json), JSON_LIMITS_API, &j, NULL) ? j : NULL;
	business_id(s->id_base, number);
	snprintf(text, sizeof(text), "{\"business_id\":\"%s\"}", number);
	if (!json_parse(scratch, span_of(text), JSON_LIMITS_API, &id, NULL))
		return NULL;
	json_merge(&w, j, id);
	return json_parse(scratch, strbuf_span(&sb), JSON_LIMITS_API, &ret, NULL) ? ret : NULL;
}

static bool add_samples(struct spotilla *m, struct sp_tenant *t, enum sp_kind kind,
			const struct sample *list, size_t n)
{
	CLEANUP(arena_free) struct arena *scratch = arena_new(4 << 20);
	for (size_t i = 0; scratch && i < n; i++) {
		arena_clear(scratch);
		const struct json *fields = fields_of(scratch, &list[i]);
		struct sp_record *rec = fields ? sp_add_locked(m, t, kind, 0, fields,
							       sp_now_s() - DAY_S + (int64_t)i * 60)
					       : NULL;
		if (!rec)
			return false;
		rec->sample = list[i].name;
	}
	return scratch != NULL;
}

bool sp_seed_locked(struct spotilla *m, struct sp_tenant *t, bool is_rich, struct err *err)
{
	bool ok;
	if (is_rich)
		ok = add_samples(m, t, SP_CUSTOMERS, customers, ARRAY_SIZE(customers)) &&
		     add_samples(m, t, SP_PRODUCTS, products, ARRAY_SIZE(products)) &&
		     add_samples(m, t, SP_TASKS, tasks, ARRAY_SIZE(tasks));
	else
		ok = sp_generate_locked(m, t, SP_CUSTOMERS, 5, 300, NULL) &&
		     sp_generate_locked(m, t, SP_PRODUCTS, 8, 300, NULL) &&
		     sp_generate_locked(m, t, SP_TASKS, 10, 300, NULL);
	return ok || err_set(err, ERR_MEMORY, "out of memory");
}

/* ---- generated ----------------------------------------------------------------------------- */

static void write_customer(struct json_writer *w, int64_t id)
{
	char text[64], number[BUSINESS_ID_TEXT];
	business_id(9200000 + 3 * (unsigned)(id % 200000), number);
	snprintf(text, sizeof(text), "Asiakas %05" PRId64 " Oy", id);
	jsonw_kstr(w, "name", text);
	jsonw_kstr(w, "business_id", number);
	snprintf(text, sizeof(text), "SP-%" PRId64, id);
	jsonw_kstr(w, "number", text);
	jsonw_kstr(w, "email", "laskut@asiakas.example");
	jsonw_kstr(w, "language", "fi");
	jsonw_key(w, "address");
	jsonw_raw(w, SPAN_LIT("{\"street\":\"Teollisuuskatu 1\",\"zip\":\"33200\",\"city\":"
			      "\"Tampere\",\"country\":\"FI\"}"));
}

static void write_product(struct json_writer *w, int64_t id)
{
	char text[64];
	snprintf(text, sizeof(text), "T-%05" PRId64, id);
	jsonw_kstr(w, "product_id", text);
	snprintf(text, sizeof(text), "Tuote %05" PRId64, id);
	jsonw_kstr(w, "name", text);
	snprintf(text, sizeof(text), "%" PRId64 ".%02" PRId64, 1 + id % 97, id % 100);
	jsonw_kstr(w, "sales_price", text);
	jsonw_kstr(w, "vat_percent", "25.5");
}

/* One or two rows, of the tenant's customers and products in turns. */
static void write_task(struct json_writer *w, const struct sp_tenant *t, int64_t id)
{
	const struct sp_register *people = &t->registers[SP_CUSTOMERS];
	const struct sp_register *things = &t->registers[SP_PRODUCTS];
	char text[64];
	snprintf(text, sizeof(text), "Huolto %" PRId64, id);
	jsonw_kstr(w, "name", text);
	jsonw_kstr(w, "state", t->done_state);
	if (people->n)
		jsonw_kint(w, "customer_id", people->items[(size_t)id % people->n]->id_n);
	snprintf(text, sizeof(text), "PO-%" PRId64, id);
	jsonw_kstr(w, "order_number", text);
	jsonw_key(w, "rows");
	jsonw_array(w);
	for (int64_t i = 0; things->n && i < 1 + id % 2; i++) {
		const struct sp_record *thing = things->items[(size_t)(id + i) % things->n];
		jsonw_object(w);
		jsonw_kint(w, "id", i + 1);
		jsonw_kint(w, "product_id", thing->id_n);
		jsonw_kstr(w, "name", thing->number);
		jsonw_kstr(w, "quantity", "2.5");
		jsonw_kstr(w, "unit", "kpl");
		jsonw_kstr(w, "unit_price", "10.00");
		jsonw_kbool(w, "billable", true);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static const struct json *generated(struct arena *scratch, const struct sp_tenant *t,
				    enum sp_kind kind, const struct json *fields)
{
	struct strbuf sb = STRBUF_INIT(scratch, 64 << 10), out = STRBUF_INIT(scratch, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb), all = JSON_WRITER_INIT(&out);
	int64_t id = t->registers[kind].next_id;
	const struct json *j;
	jsonw_object(&w);
	switch (kind) {
	case SP_CUSTOMERS:
		write_customer(&w, id);
		break;
	case SP_PRODUCTS:
		write_product(&w, id);
		break;
	case SP_TASKS:
	case SP_N_KINDS:
		write_task(&w, t, id);
		break;
	}
	jsonw_end_object(&w);
	if (!json_parse(scratch, strbuf_span(&sb), JSON_LIMITS_API, &j, NULL) || !fields)
		return json_parse(scratch, strbuf_span(&sb), JSON_LIMITS_API, &j, NULL) ? j : NULL;
	json_merge(&all, j, fields);
	return json_parse(scratch, strbuf_span(&out), JSON_LIMITS_API, &j, NULL) ? j : NULL;
}

bool sp_generate_locked(struct spotilla *m, struct sp_tenant *t, enum sp_kind kind, int64_t n,
			int64_t spread_s, const struct json *fields)
{
	CLEANUP(arena_free) struct arena *scratch = arena_new(4 << 20);
	int64_t now_s = sp_now_s();
	for (int64_t i = 0; scratch && i < n; i++) {
		arena_clear(scratch);
		const struct json *j = generated(scratch, t, kind, fields);
		if (!j || !sp_add_locked(m, t, kind, 0, j, now_s - spread_s + spread_s * i / n))
			return false;
	}
	return scratch != NULL;
}
