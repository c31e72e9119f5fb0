/*
 * maestro_seed.c: the company that each Finnish tenant has at Maestro. Its products are Severa's
 * products, work types and travel types, but for two codes that nobody made there and one that is
 * not in use any more; and those of the vendor's examples. A person has made a card for the first
 * customer, at an old address.
 */
#include "base/base.h"

#include "maestro.h"

static bool is_lacking(const char *code)
{
	static const char *const lacking[] = { "API-TX", "PVR" };
	for (size_t i = 0; i < ARRAY_SIZE(lacking); i++)
		if (strcmp(lacking[i], code) == 0)
			return true;
	return false;
}

static bool add_items(struct maestro *m, struct ms_company *co, const struct seed_item *items,
		      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ms_product p = { .code = items[i].code,
					      .name = items[i].name,
					      .unit = items[i].unit,
					      .price = items[i].price,
					      .vat = items[i].vat,
					      .is_active = !items[i].passive };
		if (p.code && !is_lacking(p.code) && !ms_add_product_locked(m, co, &p))
			return false;
	}
	return true;
}

static bool add_products(struct maestro *m, struct ms_company *co)
{
	static const struct ms_product own[] = {
		{ NULL, MS_FALLBACK, "Tunnistamaton tuote", "EA", "0.00", "25.5", true },
		{ NULL, "KONS", "Konsultointi", "HUR", "95.00", "25.5", true },
		{ NULL, "T-33", "Tuote 33", "EA", "33.00", "25.5", true },
		{ NULL, "BOOK", "Kirja", "EA", "20.00", "13.5", true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!ms_add_product_locked(m, co, &own[i]))
			return false;
	return add_items(m, co, seed_products, n_seed_products) &&
	       add_items(m, co, seed_work_types, n_seed_work_types) &&
	       add_items(m, co, seed_travel_types, n_seed_travel_types);
}

static bool add_card(struct maestro *m, struct ms_company *co, const struct seed_customer *c)
{
	char id[BUSINESS_ID_TEXT] = "", number[24];
	struct strbuf sb = STRBUF_INIT(m->base.arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *card;
	if (c->id_base)
		business_id(c->id_base, id);
	snprintf(number, sizeof(number), "%" PRId64, c->number);
	jsonw_object(&w);
	jsonw_kstr(&w, "externalId", NULL);
	jsonw_kstr(&w, "number", number);
	jsonw_kstr(&w, "name", c->name);
	jsonw_kstr(&w, "businessId", id);
	jsonw_key(&w, "address");
	jsonw_object(&w);
	jsonw_kstr(&w, "street", "Vanhatie 1");
	jsonw_kstr(&w, "postalCode", c->postcode);
	jsonw_kstr(&w, "city", c->city);
	jsonw_kstr(&w, "country", c->country);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	return json_parse(m->base.arena, strbuf_span(&sb), JSON_LIMITS_API, &card, NULL) &&
	       ms_keep_customer_locked(m, co, NULL, "", card);
}

static bool add_customers(struct maestro *m, struct ms_company *co, const struct tenant_spec *spec)
{
	const struct seed_company *seed = spec->demo ? seed_company(spec->key) : NULL;
	if (seed)
		return add_card(m, co, &seed->customers[0]);
	for (unsigned i = 0; spec->registered && i < spec->customers; i++) {
		struct seed_generated g;
		seed_generate_customer(spec->ordinal, i, &g);
		if (!add_card(m, co, &g.customer))
			return false;
	}
	return true;
}

bool ms_seed(void *state, const struct tenant_spec *spec, struct err *err)
{
	struct maestro *m = state;
	const struct seed_company *seed = spec->demo ? seed_company(spec->key) : NULL;
	const struct seed_unit generated = { "1", spec->key, seed_generated_base(spec->ordinal),
					     NULL };
	char id[16];
	if (seed && seed->country)
		return true; /* Maestro is Finnish */
	struct ms_company *co = arena_alloc(m->base.arena, sizeof(*co));
	if (!co)
		return err_set(err, ERR_MEMORY, "out of memory");
	*co = (struct ms_company) {
		.next = m->companies,
		.tenant = ms_keep(m, spec->key),
		.id = ms_keep(m, seed_company_id(seed ? &seed->units[0] : &generated, id)),
		.name = ms_keep(m, seed ? seed->name : spec->key),
	};
	fixed_id("maestro", "key", co->tenant, co->api_key);
	m->companies = co;
	if (add_products(m, co) && add_customers(m, co, spec))
		return true;
	return err_set(err, ERR_MEMORY, "out of memory");
}
