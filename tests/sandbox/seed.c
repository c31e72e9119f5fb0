/*
 * seed.c: the sample data.
 *
 * Meant to look real and to hold every oddity that a relay meets: several VAT rates, reverse
 * charge, credit notes, discounts as negative rows, foreign currency, odd quantities and prices,
 * codes that are missing or double, customers without a number, unknown operators, words in
 * e-invoice fields, sums that do not agree. The name of an invoice says what it is there for.
 */
#include "base/base.h"

#include "seed_parts.h"
#include "store.h"

const struct seed_status seed_statuses[] = {
	{ .name = SEED_STATUS_DRAFT, .is_default = true },
	{ .name = "Tarkastettavana" },
	{ .name = "Valmis laskutettavaksi", .has_number = true },
	{ .name = SEED_STATUS_TRANSFER, .has_number = true },
	{ .name = SEED_STATUS_DONE,
	  .has_number = true,
	  .is_sent = true,
	  .is_waiting = true,
	  .is_read_only = true },
	{ .name = SEED_STATUS_FAILED, .has_number = true },
	{ .name = "Lähetetty", .has_number = true, .is_sent = true, .is_waiting = true },
	{ .name = "Maksettu",
	  .has_number = true,
	  .is_sent = true,
	  .is_paid = true,
	  .is_read_only = true },
	{ .name = "Hyvitetty", .has_number = true, .is_sent = true, .is_for_credit = true },
	{ .name = "Vanha siirtotila", .has_number = true, .passive = true },
};
const size_t n_seed_statuses = ARRAY_SIZE(seed_statuses);

const struct seed_country seed_countries[] = {
	{ "FI", "FIN", "Suomi", "Finland", true },
	{ "SE", "SWE", "Ruotsi", "Sweden", true },
	{ "NO", "NOR", "Norja", "Norway", false },
	{ "DK", "DNK", "Tanska", "Denmark", true },
	{ "EE", "EST", "Viro", "Estonia", true },
	{ "DE", "DEU", "Saksa", "Germany", true },
	{ "NL", "NLD", "Alankomaat", "Netherlands", true },
	{ "FR", "FRA", "Ranska", "France", true },
	{ "PL", "POL", "Puola", "Poland", true },
	{ "GB", "GBR", "Iso-Britannia", "United Kingdom", false },
	{ "US", "USA", "Yhdysvallat", "United States", false },
	{ "CH", "CHE", "Sveitsi", "Switzerland", false },
};
const size_t n_seed_countries = ARRAY_SIZE(seed_countries);

const char *const seed_vat_rates[] = { "25.5", "14", "13.5", "10", "0", NULL };
const char *const seed_norwegian_vat_rates[] = { "25", "15", "12", "0", NULL };

const char *const seed_operators[] = {
	"003723327487", "003721291126", "BAWCFI22",	   "003703575029",    "E204503",
	"003708599126", "003726044706", "003717203971",	   "003723609900",    "PAGERO",
	"PALETTE",	"003710948874", "003701150617",	   "003714377140",    "003701011385",
	"INEXCHANGE",	"EXPSYS",	"885790000000418", "885060259470028", "FIYAPSOL",
	"003722207029", "HELSFIHH",	"AABAFI22",	   "DABAFIHH",	      "DNBAFIHX",
	"HANDFIHH",	"NDEAFIHH",	"OKOYFIHH",	   "POPFFI22",	      "SBANFIHH",
	"ITELFIHH",	"TAPIFI22",
};
const size_t n_seed_operators = ARRAY_SIZE(seed_operators);

const struct seed_item seed_products[] = {
	{ "LIS-100", "Ohjelmistolisenssi, vuosi", "kpl", "1200.0", "0.0", "25.5", "FixedFees",
	  false },
	{ "YLL-010", "Ylläpitosopimus, kuukausi", "kk", "450.0", "120.0", "25.5", "FixedFees",
	  false },
	{ "KOUL-01", "Koulutuspäivä asiakkaan tiloissa", "pv", "1450.0", "400.0", "25.5",
	  "FixedFees", false },
	{ "KIRJA-1", "Käyttäjän käsikirja, painettu", "kpl", "39.9", "11.25", "14", "Materials",
	  false },
	{ "ATERIA", "Kurssilounas", "kpl", "14.5", "9.8", "14", "Materials", false },
	{ "TAPAHT", "Seminaarin osallistumismaksu", "hlö", "190.0", "60.0", "10", "FixedFees",
	  false },
	{ "ASENNUS", "Laitteiden asennus rakennuskohteessa", "h", "68.5", "30.0", "0",
	  "Subcontracting", false },
	{ "API-TX", "Rajapintatapahtuma", "kpl", "0.0375", "0.001", "25.5", "FixedFees", false },
	{ "VANHA-9", "Poistunut palvelupaketti", "kpl", "99.0", NULL, "25.5", "FixedFees", true },
	{ NULL, "Sekalainen veloitus", "kpl", NULL, NULL, NULL, "FixedFees", false },
};
const size_t n_seed_products = ARRAY_SIZE(seed_products);

const struct seed_item seed_work_types[] = {
	{ "KONS-01", "Konsultointi, tuntityö", "h", "115.0", "55.0", "25.5", NULL, false },
	{ "SUUN-02", "Suunnittelu", "h", "98.0", "48.0", "25.5", NULL, false },
	{ "PROJ-03", "Projektinhallinta", "h", "125.0", "60.0", "25.5", NULL, false },
	{ "YLIT-50", "Ylityö 50 %", "h", "172.5", "82.5", "25.5", NULL, false },
	{ NULL, "Sisäinen työ", "h", "0.0", "40.0", NULL, NULL, false },
};
const size_t n_seed_work_types = ARRAY_SIZE(seed_work_types);

const struct seed_item seed_travel_types[] = {
	{ "KM", "Kilometrikorvaus", "km", "0.59", "0.59", "25.5", "Mileage", false },
	{ "PVR", "Kokopäiväraha", "pv", "53.0", "53.0", "25.5", "DailyAllowance", false },
	{ "MATKA", "Matkaliput", "kpl", "1.0", "1.0", "14", "OtherTravelExpense", false },
	{ "HOTEL", "Majoitus", "yö", "1.0", "1.0", "14", "OtherTravelExpense", false },
};
const size_t n_seed_travel_types = ARRAY_SIZE(seed_travel_types);

/* ---- companies ----------------------------------------------------------------------------- */

static const struct seed_company *const companies[] = { &seed_kajo, &seed_louhi, &seed_fjell };

const char *seed_company_id(const struct seed_unit *u, char buf[16])
{
	if (u->id_base) {
		business_id(u->id_base, buf);
		return buf;
	}
	size_t n = strcspn(u->vat, "0123456789");
	snprintf(buf, 16, "%.*s", (int)strspn(u->vat + n, "0123456789"), u->vat + n);
	return buf;
}

const char *seed_company_vat(const struct seed_unit *u, char buf[16])
{
	char id[16];
	seed_company_id(u, id);
	if (u->id_base)
		snprintf(buf, 16, "FI%.7s%c", id, id[8]);
	else
		snprintf(buf, 16, "%s", u->vat);
	return buf;
}

const struct seed_company *seed_company(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(companies); i++) {
		if (strcmp(companies[i]->key, key) == 0)
			return companies[i];
	}
	return NULL;
}
