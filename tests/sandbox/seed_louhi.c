/*
 * seed_louhi.c: Louhi, the small company, where nothing is odd.
 */
#include "base/base.h"

#include "seed_parts.h"

static const struct seed_unit louhi_units[] = { { "1", "Louhi Suunnittelu Oy", 9000103, NULL } };

static const struct seed_customer louhi_customers[] = {
	{ .number = 501,
	  .name = "Helmisalmen Kaupunki",
	  .id_base = 9000126,
	  .country = "FI",
	  .street = "Kaupungintalonkatu 1",
	  .postcode = "44100",
	  .city = "Äänekoski",
	  .einvoice_address = "OVT",
	  .einvoice_operator = "003703575029",
	  .language = "fi" },
	{ .number = 502,
	  .name = "Yrjölän Saha Oy",
	  .id_base = 9000127,
	  .country = "FI",
	  .street = "Sahanrinne 2",
	  .postcode = "74100",
	  .city = "Iisalmi",
	  .einvoice_address = "OVT",
	  .einvoice_operator = "DABAFIHH",
	  .language = "fi" },
};

static const struct seed_project louhi_projects[] = { { 1, "Asemakaava", 0, 0 } };

static const struct seed_invoice louhi_invoices[] = {
	{ .name = "louhi-1",
	  WAITING,
	  TO(0, 0, "2026-11-02", 21),
	  EURO,
	  .rows = { HOURS("SUUN-02", "Asemakaavan suunnittelu", "12", "h", "98.0", "25.5") } },
	{ .name = "louhi-2",
	  WAITING,
	  TO(1, NO_PROJECT, "2026-11-03", 14),
	  EURO,
	  .rows = { HOURS("KONS-01", "Lupakonsultointi", "4.5", "h", "115.0", "25.5") } },
	{ .name = "louhi-3",
	  WAITING,
	  TO(1, NO_PROJECT, "2026-11-10", 14),
	  EURO,
	  .rows = { TRAVEL("KM", "Kilometrikorvaus", "84", "km", "0.59", "25.5"),
		    TRAVEL("PVR", "Kokopäiväraha", "1", "pv", "53.0", "25.5") } },
};

const struct seed_company seed_louhi = {
	.key = "louhi",
	.name = "Louhi Suunnittelu Oy",
	.street = "Kallionlouhijankatu 3",
	.postcode = "40100",
	.city = "Jyväskylä",
	.phone = "+358 14 555 0200",
	.einvoice_operator = "BAWCFI22",
	.first_invoice_number = 301,
	SEED_TABLE(units, louhi_units),
	SEED_TABLE(customers, louhi_customers),
	SEED_TABLE(projects, louhi_projects),
	SEED_TABLE(invoices, louhi_invoices),
};
