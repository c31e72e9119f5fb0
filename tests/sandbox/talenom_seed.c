/*
 * talenom_seed.c: the organisation that each Finnish tenant has at Talenom: its sales accounts by
 * rate, one that is not in use, and two products that were there before: one as Severa has it, one
 * at an old price.
 */
#include "base/base.h"

#include "talenom.h"

static const struct {
	const char *number, *name, *percent;
	bool is_active;
} accounts[] = {
	{ "3000", "Myynti 25,5 %", "25.5", true }, { "3010", "Myynti 14 %", "14", true },
	{ "3012", "Myynti 13,5 %", "13.5", true }, { "3020", "Myynti 10 %", "10", true },
	{ "3100", "Veroton myynti", "0", true },   { "3900", "Vanha myyntitili", "24", false },
};

static bool add_product(struct talenom *t, struct tn_org *org, const struct seed_item *item,
			const char *price)
{
	struct strbuf sb = STRBUF_INIT(t->base.arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *j;
	jsonw_object(&w);
	jsonw_kstr(&w, "code", item->code);
	jsonw_kstr(&w, "name", item->name);
	jsonw_kstr(&w, "unit", item->unit);
	jsonw_key(&w, "pricePerUnit");
	jsonw_raw(&w, span_of(price));
	jsonw_key(&w, "taxPercent");
	jsonw_raw(&w, span_of(item->vat));
	jsonw_kstr(&w, "salesAccountNumber", "3000");
	jsonw_end_object(&w);
	return json_parse(t->base.arena, strbuf_span(&sb), JSON_LIMITS_API, &j, NULL) &&
	       tn_keep_record_locked(t, &org->products, NULL, j, "code");
}

static bool add_registers(struct talenom *t, struct tn_org *org)
{
	for (size_t i = ARRAY_SIZE(accounts); i-- > 0;)
		if (!tn_add_account_locked(t, org, accounts[i].number, accounts[i].name,
					   accounts[i].percent, accounts[i].is_active))
			return false;
	return add_product(t, org, &seed_work_types[0], seed_work_types[0].price) &&
	       add_product(t, org, &seed_work_types[1], "90.0");
}

bool tn_seed(void *state, const struct tenant_spec *spec, struct err *err)
{
	struct talenom *t = state;
	const struct seed_company *seed = spec->demo ? seed_company(spec->key) : NULL;
	if (seed && seed->country)
		return true; /* Talenom's region is Finland here */
	struct tn_org *org = arena_alloc(t->base.arena, sizeof(*org));
	if (!org)
		return err_set(err, ERR_MEMORY, "out of memory");
	*org = (struct tn_org) { .next = t->orgs,
				 .tenant = tn_keep(t, spec->key),
				 .name = tn_keep(t, seed ? seed->name : spec->key),
				 .token_s = 3600,
				 .next_number = 900001,
				 .next_match_key = 1,
				 .closed_until = "" };
	snprintf(org->number, sizeof(org->number), "%" PRId64, t->next_org++);
	fixed_id("talenom", "client", org->tenant, org->client_id);
	fixed_id("talenom", "secret", org->tenant, org->client_secret);
	fixed_id("talenom", "subscription", org->tenant, org->subscription_key);
	t->orgs = org;
	return add_registers(t, org) || err_set(err, ERR_MEMORY, "out of memory");
}
