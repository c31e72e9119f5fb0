/*
 * maestro.h: private to the Maestro stand-in (facts/maestro.md §3). Companies with a key each,
 * their products, customers, and the invoices that came.
 *
 * Everything lives in one arena until a reset, and one lock guards it; functions named _locked want
 * it held. What a request carries is taken apart without it.
 */
#ifndef SANDBOX_MAESTRO_H
#define SANDBOX_MAESTRO_H

#include "base/decimal.h"
#include "call.h"
#include "codec/sign.h"
#include "codec/xml.h"
#include "sandbox.h"
#include "seed.h"
#include "store.h"

#define MS_FALLBACK "A/0"
#define MS_ROWS_MAX 2000

struct ms_product {
	struct ms_product *next;
	const char *code, *name, *unit, *price, *vat;
	bool is_active;
};

struct ms_customer {
	struct ms_customer *next;
	const char *external_id; /* "": made by a person at Maestro */
	const char *number, *business_id, *name;
	const char *json; /* the whole card */
};

/* A row as the document says; code is what it was booked on in the end. */
struct ms_row {
	const char *code, *requested, *name, *text;
	struct decimal quantity, price, vat_percent, net, vat;
};

/* An invoice as its document says. Texts are "" when it does not say. */
struct ms_document {
	const char *number, *date, *due_date, *currency, *reference, *customer_number;
	const char *seller_id, *seller_name, *buyer_name, *delivery_date, *delivery_city;
	bool is_credit;
	struct decimal net, vat, gross;
	struct ms_row *rows;
	size_t n_rows;
	struct span xml;
};

struct ms_invoice {
	struct ms_invoice *next, *next_same_number;
	char id[UUID_TEXT];
	const char *key; /* Idempotency-Key */
	struct ms_document doc;
	const char *rows; /* JSON array, for the ledger */
	bool is_deleted; /* as if it had never been */
};

struct ms_company {
	struct ms_company *next;
	const char *tenant, *id, *name; /* id: Y-tunnus */
	char api_key[UUID_TEXT];
	struct ms_product *products; /* by code */
	struct ms_customer *customers;
	struct ms_invoice *invoices; /* newest first */
	struct table by_number, by_key;
	bool is_forbidden; /* 403 for every call */
	bool falls_back; /* unknown products go to A/0 here instead of being refused */
	uint64_t calls, unauthorized, refused, refused_duplicates;
	uint64_t customers_added, customers_changed, fallback_rows;
};

struct maestro {
	struct standin_state base; /* its lock guards all below */
	struct ms_company *companies;
};

/* One call in this system. */
struct ms_call {
	struct call *c;
	struct maestro *m;
	const struct ms_route *route;
	struct ms_company *company;
	const char *id; /* in the path */
	struct ms_document doc; /* of an upload */
};

struct ms_route {
	const char *method, *pattern; /* {} is an id */
	/* Takes the request apart. False: the reply is set. May be NULL. */
	bool (*prepare)(struct ms_call *mc);
	void (*serve_locked)(struct ms_call *mc);
};

/* ---- maestro.c ----------------------------------------------------------------------------- */

/* What is wrong, and where: path may be NULL. Always false. */
bool ms_fail(struct ms_call *mc, unsigned status, const char *code, const char *path,
	     const char *message);
const char *ms_keep(struct maestro *m, const char *text);
/* By tenant key or company id. */
struct ms_company *ms_find_locked(struct maestro *m, const char *name);

/* ---- maestro_registers.c ------------------------------------------------------------------- */

void ms_ping_locked(struct ms_call *mc);
void ms_products_locked(struct ms_call *mc);
struct ms_product *ms_product_locked(const struct ms_company *co, const char *code);
bool ms_add_product_locked(struct maestro *m, struct ms_company *co, const struct ms_product *p);
void ms_write_product(struct json_writer *w, const struct ms_product *p);
void ms_customers_locked(struct ms_call *mc);
void ms_customer_locked(struct ms_call *mc);
void ms_put_customer_locked(struct ms_call *mc);
struct ms_customer *ms_customer_by_number_locked(const struct ms_company *co, const char *number);
/* Keeps the card under the external id. NULL when out of memory. */
struct ms_customer *ms_keep_customer_locked(struct maestro *m, struct ms_company *co,
					    struct ms_customer *old, const char *external_id,
					    const struct json *card);

/* ---- maestro_document.c, maestro_invoice.c ------------------------------------------------- */

/* NULL when it is in order; else where in the document it is not, and *ret_why. */
const char *ms_document_read(struct arena *arena, struct span xml, struct ms_document *ret,
			     const char **ret_why);
bool ms_upload_prepare(struct ms_call *mc);
void ms_upload_locked(struct ms_call *mc);
void ms_list_locked(struct ms_call *mc);
void ms_invoice_locked(struct ms_call *mc);

/* ---- maestro_control.c, maestro_seed.c ----------------------------------------------------- */

void ms_control(void *state, struct call *c, size_t first);
void ms_write_ledger(void *state, bool with_documents, struct json_writer *w);
void ms_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w);
bool ms_seed(void *state, const struct tenant_spec *spec, struct err *err) MUST_CHECK;

#endif
