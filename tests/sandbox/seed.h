/*
 * seed.h: the sample data as tables, apart from any system's wire format. Companies are invented;
 * their business ids have right check digits but lie in ranges that are not issued.
 */
#ifndef SANDBOX_SEED_H
#define SANDBOX_SEED_H

#include "base/base.h"

struct seed_country {
	const char *code2, *code3, *name, *english;
	bool in_eu;
};

struct seed_customer {
	int64_t number; /* -1: none */
	const char *name;
	const char *vat; /* as it is, when id_base is 0; NULL: a private person */
	const char *country; /* code2 */
	const char *street, *postcode, *city;
	const char *postal_street, *postal_postcode, *postal_city; /* NULL: the same address */
	const char *einvoice_address, *einvoice_operator; /* "OVT": 0037 + business id */
	const char *email, *phone, *website, *language, *notes;
	unsigned id_base; /* Finnish business id's first seven digits; 0: see vat */
	bool passive;
};

struct seed_item {
	const char *code; /* NULL: none */
	const char *name, *unit, *price, *cost, *vat, *type;
	bool passive;
};

struct seed_unit {
	const char *code, *name;
	unsigned id_base; /* a company of its own; 0: see vat */
	const char *vat; /* of a company outside Finland; NULL: a department of the first unit */
};

struct seed_project {
	int64_t number;
	const char *name;
	int customer; /* index */
	int unit;
};

struct seed_row {
	const char *type; /* Hours, ProjectFees, TravelExpenses */
	const char *codes[2];
	const char *text, *quantity, *unit, *price; /* price NULL: a null amount */
	const char *vat; /* NULL: null */
};

#define SEED_MAX_ROWS 6

struct seed_invoice {
	const char *name; /* what it is there for; its guid comes from it */
	int customer, billing; /* indices; billing -1: none */
	int projects[2]; /* -1: none */
	const char *status; /* name */
	const char *date;
	int term;
	const char *currency, *rate;
	int unit; /* sender: index of a unit that is a company */
	bool is_credit;
	bool reverse_charge;
	const char *off; /* added to the totals, so that they differ from the rows */
	const char *our_reference, *your_reference, *order;
	const char *text_before, *text_after;
	const char *file; /* name of an attachment, NULL: none */
	struct seed_row rows[SEED_MAX_ROWS];
};

struct seed_company {
	const char *key, *name, *street, *postcode, *city, *phone, *einvoice_operator;
	int64_t first_invoice_number;
	const struct seed_unit *units;
	size_t n_units;
	const struct seed_customer *customers;
	size_t n_customers;
	const struct seed_project *projects;
	size_t n_projects;
	const struct seed_invoice *invoices;
	size_t n_invoices;
	const char *country; /* code2; NULL: FI */
};

#define SEED_STATUS_DRAFT "Luonnos"
#define SEED_STATUS_TRANSFER "Odottaa siirtoa Netvisoriin"
#define SEED_STATUS_DONE "Siirretty Netvisoriin"
#define SEED_STATUS_FAILED "Siirto epäonnistui"

struct seed_status {
	const char *name;
	bool is_default, is_read_only, has_number, is_sent, is_waiting, is_paid, is_for_credit;
	bool passive;
};

extern const struct seed_status seed_statuses[];
extern const size_t n_seed_statuses;
extern const struct seed_country seed_countries[];
extern const size_t n_seed_countries;
extern const struct seed_item seed_products[], seed_work_types[], seed_travel_types[];
extern const size_t n_seed_products, n_seed_work_types, n_seed_travel_types;
/* End with NULL. */
extern const char *const seed_vat_rates[], *const seed_norwegian_vat_rates[];
/* Operators that Netvisor knows (facts/netvisor.md §12.2). */
extern const char *const seed_operators[];
extern const size_t n_seed_operators;

/* National id of a unit that is a company: "9000101-4", or the digits of its VAT number. In buf. */
const char *seed_company_id(const struct seed_unit *u, char buf[16]);
/* Its VAT number. In buf. */
const char *seed_company_vat(const struct seed_unit *u, char buf[16]);

/* A hand-made company by key; NULL when there is none. */
const struct seed_company *seed_company(const char *key);

/* Generated data: customer i of tenant `ordinal`, in caller's storage (texts are constant or in
 * the buffer). */
struct seed_generated {
	struct seed_customer customer;
	char name[96], street[64], email[96];
};
void seed_generate_customer(unsigned ordinal, unsigned i, struct seed_generated *ret);
/* Business id base of a generated tenant's own company. */
unsigned seed_generated_base(unsigned ordinal);
/* Rows of generated invoice i; returns how many. */
size_t seed_generate_rows(unsigned i, struct seed_row rows[SEED_MAX_ROWS]);

#endif
