/*
 * maestro.h: Maestro's accounting as the flows see it: the products that it knows, the customer
 * register, and sales invoices (facts/maestro.md).
 *
 * The vendor publishes no interface: what is spoken here is a guess, all of which stands in
 * assumptions.c and in the options. Every call goes through at->ops->exchange, with the limit key
 * of the company. Errors are the verdict's; a write's failure is ERR_DOUBT only when it may have
 * been carried out. All results live in the attempt's arena. One attempt, one thread.
 */
#ifndef SYSTEMS_MAESTRO_H
#define SYSTEMS_MAESTRO_H

#include "base/base.h"
#include "attempt.h"
#include "codec/json.h"
#include "model/connection.h"
#include "model/invoice.h"
#include "system.h"

/* What the configuration says of Maestro. */
struct maestro_options {
	const char *url; /* "": each connection has its own */
	const char *ping_path, *products_path, *customers_path, *invoices_path;
	const char *auth_header, *auth_scheme; /* scheme "": the key stands alone */
	const char *company_header, *source;
	const char *fallback_product;
	int page; /* products read at once */
	struct pace pace;
};
extern const struct system maestro_system;
const struct maestro_options *maestro_options(const struct system_values *v);
/* Ours, per company: the vendor names none. ERR_INPUT with pointer. Pure. */
bool maestro_limit(const struct system_values *v, const char *company, struct limit_key *ret,
		   struct err *err) MUST_CHECK;

struct maestro {
	struct attempt *at;
	const struct maestro_options *opt;
	const char *base_url; /* no trailing slash */
	const char *company, *api_key;
	const char *fallback_product; /* where rows go whose product is not known (MA-04) */
	const char *limit_key;
};

/*
 * settings.maestro.url and .fallback_product override the configuration; credentials = the
 * "maestro" member: api_key, company_id. No I/O. ERR_CREDENTIALS when one is missing, ERR_SYSTEM
 * url_missing when there is no address to call.
 */
bool maestro_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		  struct maestro *ret, struct err *err) MUST_CHECK;

/* Is the key good, and is it this company's? ERR_CREDENTIALS when not. */
bool maestro_ping(struct maestro *mx, struct err *err) MUST_CHECK;

/* ---- products ------------------------------------------------------------------------------ */

struct maestro_product {
	const char *code, *name, *unit; /* name, unit: "" when untold */
	bool is_active; /* one that is not counts as unknown for rows (MA-04) */
};
/* By exact code; *ret_found false when there is none. */
bool maestro_product_find(struct maestro *mx, const char *code, struct maestro_product *ret,
			  bool *ret_found, struct err *err) MUST_CHECK;
/* The whole register. */
bool maestro_products(struct maestro *mx, const struct maestro_product **ret, size_t *ret_n,
		      struct err *err) MUST_CHECK;

/* ---- customers ----------------------------------------------------------------------------- */

/* A customer card; order and names: assumptions.c. */
enum maestro_customer_field {
	MAESTRO_EXTERNAL_ID, /* the customer's id at the source: what a card is written by */
	MAESTRO_NUMBER,
	MAESTRO_NAME,
	MAESTRO_BUSINESS_ID,
	MAESTRO_VAT_ID,
	MAESTRO_LANGUAGE,
	MAESTRO_CURRENCY,
	MAESTRO_TERM_DAYS,
	MAESTRO_STREET,
	MAESTRO_POSTCODE,
	MAESTRO_CITY,
	MAESTRO_COUNTRY,
	MAESTRO_EINVOICE_ADDRESS,
	MAESTRO_EINVOICE_OPERATOR,
	MAESTRO_EMAIL,
	MAESTRO_CUSTOMER_FIELDS
};
struct maestro_customer {
	const char *values[MAESTRO_CUSTOMER_FIELDS]; /* NULL: absent */
};
/* Its name at Maestro. */
const char *maestro_customer_field_name(enum maestro_customer_field f);
/*
 * Ours as it should stand there. currency NULL and term_days below 0: not told. ERR_DATA
 * customer_number_missing, customer_name_missing. Pure.
 */
bool maestro_map_customer(struct arena *arena, const struct customer *c, const char *currency,
			  int64_t term_days, struct maestro_customer *ret,
			  struct err *err) MUST_CHECK;
bool maestro_is_same_customer(const struct maestro_customer *a, const struct maestro_customer *b);
/* By the id at the source; *ret_found false when there is none. */
bool maestro_customer_find(struct maestro *mx, const char *external_id,
			   struct maestro_customer *ret, bool *ret_found,
			   struct err *err) MUST_CHECK;
/* All with the business id: cards that somebody made at Maestro are among them. */
bool maestro_customers_by_business_id(struct maestro *mx, const char *business_id,
				      const struct maestro_customer **ret, size_t *ret_n,
				      struct err *err) MUST_CHECK;
/* Makes the card or puts it in the place of what stands there: may be repeated, in doubt too. */
bool maestro_customer_put(struct maestro *mx, const struct maestro_customer *c, bool *ret_is_new,
			  struct err *err) MUST_CHECK;

/* ---- invoices ------------------------------------------------------------------------------ */

/* A row that Maestro moved to the fallback product by itself. */
struct maestro_warning {
	const char *code, *requested_code;
	int64_t position;
};
struct maestro_created {
	const char *id, *number;
	const struct maestro_warning *warnings;
	size_t n_warnings;
};

/*
 * The request's body, a Finvoice 3.0: rows go by their product_code, the buyer by the customer
 * number. `inv` has been through invoice_sum_up. is_utf8: for people to read, not to be sent.
 * ERR_DATA with the format's reasons (formats/finvoice.h). Pure: same bytes each time.
 */
bool maestro_map_invoice(struct arena *arena, const struct invoice *inv, bool is_utf8,
			 struct span *ret, struct err *err) MUST_CHECK;
/*
 * Sends what maestro_map_invoice made. key: ours, one per document and generation. ERR_DUPLICATE
 * when Maestro has the number or the key already: look before believing.
 */
bool maestro_invoice_add(struct maestro *mx, const char *key, struct span body,
			 struct maestro_created *ret, struct err *err) MUST_CHECK;

/* What names a document (DESIGN §4.6). */
struct maestro_listed {
	const char *id, *number, *date, *currency;
	const char *customer_number, *reference, *key; /* "" when untold */
	struct decimal sum; /* with tax; a credit note's is below zero */
};
/* Invoices with the number; none when there is none. */
bool maestro_invoices_by_number(struct maestro *mx, const char *number,
				const struct maestro_listed **ret, size_t *ret_n,
				struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND when it is gone. */
bool maestro_invoice(struct maestro *mx, const char *id, struct maestro_listed *ret,
		     struct err *err) MUST_CHECK;

#endif
