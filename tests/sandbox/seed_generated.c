/*
 * seed_generated.c: data of generated tenants: as many customers and rows as are asked for, the
 * same each time.
 */
#include "base/base.h"

#include "seed.h"

static const char *const places[] = { "Honkalan",    "Järvenpään", "Koskelan",	"Lehtisaaren",
				      "Mäntyharjun", "Niinisalon", "Pyhäjoen",	"Ristiinan",
				      "Suvilahden",  "Törnävän",   "Vähäkyrön", "Ylämaan" };
static const char *const trades[] = { "Kuljetus",   "Leipomo",		"Metalli",
				      "Puusepät",   "Sähkötyöt",	"Tilitoimisto",
				      "Vaatturit",  "Kiinteistöhuolto", "Hammaslääkärit",
				      "Maansiirto", "Taimisto" };
static const struct {
	const char *city, *postcode;
} towns[] = { { "Helsinki", "00100" }, { "Tampere", "33200" }, { "Oulu", "90120" },
	      { "Turku", "20500" },    { "Lahti", "15110" },   { "Hämeenlinna", "13100" },
	      { "Jyväskylä", "40700" } };

unsigned seed_generated_base(unsigned ordinal)
{
	return 9100000 + ordinal * 400 % 800000;
}

void seed_generate_customer(unsigned ordinal, unsigned i, struct seed_generated *ret)
{
	unsigned pick = ordinal * 7 + i;
	*ret = (struct seed_generated) { 0 };
	snprintf(ret->name, sizeof(ret->name), "%s %s Oy", places[pick % ARRAY_SIZE(places)],
		 trades[pick % ARRAY_SIZE(trades)]);
	if (i >= 100) /* beyond, names would come again */
		snprintf(ret->name, sizeof(ret->name), "%s %s %u Oy",
			 places[pick % ARRAY_SIZE(places)], trades[pick % ARRAY_SIZE(trades)], i);
	snprintf(ret->street, sizeof(ret->street), "Teollisuuskatu %u", 1 + pick % 97);
	snprintf(ret->email, sizeof(ret->email), "laskut%u@asiakas%u.example", i, ordinal);
	ret->customer = (struct seed_customer) {
		.number = 1001 + i,
		.name = ret->name,
		.id_base = seed_generated_base(ordinal) + 2 + 3 * i,
		.country = "FI",
		.street = ret->street,
		.postcode = towns[pick % ARRAY_SIZE(towns)].postcode,
		.city = towns[pick % ARRAY_SIZE(towns)].city,
		.einvoice_address = "OVT",
		.einvoice_operator = seed_operators[pick % n_seed_operators],
		.email = ret->email,
		.language = "fi",
	};
}

size_t seed_generate_rows(unsigned i, struct seed_row rows[SEED_MAX_ROWS])
{
	static const struct seed_row kinds[] = {
		{ "Hours", { "KONS-01" }, "Konsultointi", "7.5", "h", "115.0", "25.5" },
		{ "ProjectFees", { "YLL-010" }, "Ylläpito, kuukausi", "1", "kk", "450.0", "25.5" },
		{ "Hours", { "SUUN-02" }, "Suunnittelu", "3.25", "h", "98.0", "25.5" },
		{ "ProjectFees", { "KIRJA-1" }, "Käsikirja", "4", "kpl", "39.9", "13.5" },
		{ "TravelExpenses", { "KM" }, "Kilometrikorvaus", "84.2", "km", "0.59", "25.5" },
	};
	size_t n = 1 + i % 3;
	for (size_t k = 0; k < n; k++)
		rows[k] = kinds[(i + k) % ARRAY_SIZE(kinds)];
	return n;
}
