/*
 * seed_fjell.c: Fjell, the Norwegian company: its invoices go by e-invoice, e-mail and print.
 */
#include "base/base.h"

#include "seed_parts.h"

static const struct seed_unit fjell_units[] = { { "1", "Fjellheim Rådgivning AS", 0,
						  "NO987654104MVA" } };

static const struct seed_customer fjell_customers[] = {
	{ .number = 701,
	  .name = "Havbris Sjømat AS",
	  .vat = "NO987654201MVA",
	  .country = "NO",
	  .street = "Bryggen 14",
	  .postcode = "6002",
	  .city = "Ålesund",
	  .einvoice_address = "0192:987654201",
	  .einvoice_operator = "PEPPOL",
	  .email = "faktura@havbris.example",
	  .phone = "+47 70 50 02 01",
	  .language = "nb" },
	{ .number = 702,
	  .name = "Solvik Fjellhotell AS",
	  .vat = "NO987654309MVA",
	  .country = "NO",
	  .street = "Hotellvegen 3",
	  .postcode = "2686",
	  .city = "Lom",
	  .email = "regnskap@solvik.example",
	  .language = "nb" },
	{ .number = 703,
	  .name = "Kari Nordmann",
	  .country = "NO",
	  .street = "Bjørkestien 8",
	  .postcode = "0655",
	  .city = "Oslo",
	  .language = "nb" },
};

static const struct seed_project fjell_projects[] = { { 1, "Bærekraftsrapport", 0, 0 } };

static const struct seed_invoice fjell_invoices[] = {
	{ .name = "fjell-einvoice",
	  WAITING,
	  TO(0, 0, "2026-11-02", 14),
	  KRONER,
	  .your_reference = "Innkjøp",
	  .rows = { HOURS("KONS-01", "Rådgivning, oktober", "12", "h", "1150.0", "25"),
		    FEE("ATERIA", "Kurslunsj", "6", "stk", "145.0", "15") } },
	{ .name = "fjell-email",
	  WAITING,
	  TO(1, NO_PROJECT, "2026-11-03", 14),
	  KRONER,
	  .your_reference = "Resepsjonen",
	  .rows = { HOURS("SUUN-02", "Planlegging", "4.5", "h", "980.0", "25") } },
	{ .name = "fjell-print",
	  WAITING,
	  TO(2, NO_PROJECT, "2026-11-04", 21),
	  KRONER,
	  .your_reference = "Kari Nordmann",
	  .rows = { HOURS("KONS-01", "Rådgivning", "1", "h", "1150.0", "25") } },
	{ .name = "fjell-credit",
	  WAITING,
	  TO(0, 0, "2026-11-05", 14),
	  KRONER,
	  .is_credit = true,
	  .your_reference = "Innkjøp",
	  .rows = { HOURS("KONS-01", "Kreditert time", "-1", "h", "1150.0", "25") } },
};

const struct seed_company seed_fjell = {
	.key = "fjell",
	.name = "Fjellheim Rådgivning AS",
	.street = "Storgata 21",
	.postcode = "2609",
	.city = "Lillehammer",
	.phone = "+47 61 50 01 04",
	.einvoice_operator = "PEPPOL",
	.first_invoice_number = 1001,
	SEED_TABLE(units, fjell_units),
	SEED_TABLE(customers, fjell_customers),
	SEED_TABLE(projects, fjell_projects),
	SEED_TABLE(invoices, fjell_invoices),
	.country = "NO",
};
