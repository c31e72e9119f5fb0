/*
 * severa_invoice.h: making invoices in the Severa stand-in, for the seed and the control API.
 */
#ifndef SANDBOX_SEVERA_INVOICE_H
#define SANDBOX_SEVERA_INVOICE_H

#include "seed.h"
#include "severa.h"

struct invoice_plan {
	const char *name; /* its guid comes from it; NULL: random */
	const struct doc *customer, *billing; /* billing may be NULL */
	const struct doc *projects[2];
	const struct doc *status;
	const char *date; /* "YYYY-MM-DD" */
	int term;
	const char *currency, *rate;
	const char *sender_name, *sender_vat, *sender_unit_guid;
	bool is_credit, reverse_charge;
	const char *off; /* NULL: totals agree */
	const char *our_reference, *your_reference, *order, *text_before, *text_after;
	const char *changed; /* RFC 3339; NULL: now */
	const struct seed_row *rows;
	size_t n_rows;
	const struct json *row_json; /* array, instead of rows: members over the defaults */
	const struct json *row_projects; /* array per row of project numbers; NULL: in turns */
	const struct json *row_phases; /* array per row of phases' guids; NULL: none is named */
	const struct json *fields; /* members over the finished invoice; may be NULL */
};

struct doc *severa_make_invoice_locked(struct severa_tenant *t, const struct invoice_plan *plan,
				       struct err *err);
/* A file of the invoice; bytes are copied. */
bool severa_make_file_locked(struct severa_tenant *t, struct doc *invoice, const char *name,
			     const char *content_type, bool is_internal, struct span bytes,
			     struct err *err) MUST_CHECK;
/* The n-th invoice of generated data, to any of the tenant's customers. */
struct doc *severa_generate_invoice_locked(struct severa_tenant *t, unsigned n,
					   const struct doc *status, struct err *err);
/* Fills sender and currency from the organisation. */
void severa_default_sender_locked(struct severa_tenant *t, struct arena *arena,
				  struct invoice_plan *plan);

#endif
