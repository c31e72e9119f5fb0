/*
 * procountor.h: Procountor Financials as the flows see it: one company ("environment") behind one
 * API key: its registers of customers and products, and sales invoices, made as drafts that a
 * person checks, approves and sends (facts/procountor.md).
 *
 * Every call goes through at->ops->exchange, with the limit key of our client id, which all
 * connections share. Procountor takes doubles of everything and has no idempotency key: each write
 * is looked for before it is repeated. A write's failure is ERR_DOUBT only when it may have been
 * carried out. What the vendor does not document is guessed in one place: assumptions.c. Results
 * live in the attempt's arena. One attempt, one thread.
 */
#ifndef SYSTEMS_PROCOUNTOR_H
#define SYSTEMS_PROCOUNTOR_H

#include "base/base.h"
#include "attempt.h"
#include "codec/json.h"
#include "model/connection.h"
#include "model/invoice.h"
#include "system.h"

/* What the configuration says of Procountor. */
struct procountor_options {
	const char *url;
	const char *client_id, *redirect_uri;
	struct secret client_secret;
	struct pace pace;
	int page;
	/* Guesses: assumptions.c. */
	const char *time_zone, *identifier_type;
	int header_text; /* enum procountor_header_text */
	int decimals;
	int64_t quota_wait_ms;
};
extern const struct system procountor_system;
const struct procountor_options *procountor_options(const struct system_values *v);
/* The vendor counts per client id: the connection's own, else the configuration's. ERR_INPUT with
 * pointer. Pure. */
bool procountor_limit(const struct system_values *v, const struct json *credentials,
		      struct limit_key *ret, struct err *err) MUST_CHECK;

struct procountor {
	struct attempt *at;
	const struct procountor_options *opt;
	const char *base_url; /* with "/api", no trailing slash */
	const char *client_id, *client_secret; /* ours */
	const char *api_key; /* one user of one company */
	const char *limit_key, *token_key;
};

/*
 * settings.procountor.url overrides the configuration; credentials = the "procountor" member:
 * api_key, and client_id with client_secret where they are not the configuration's. No I/O.
 * ERR_CREDENTIALS when one is missing.
 */
bool procountor_open(struct attempt *at, const struct json *settings,
		     const struct json *credentials, struct procountor *ret,
		     struct err *err) MUST_CHECK;

/* ---- the company --------------------------------------------------------------------------- */

/* Texts are "" when untold. */
struct procountor_current {
	const char *company_id, *company_name; /* ids are unique within one company only */
	const char *business_id, *currency, *country; /* ISO */
	const char *operation; /* PRODUCTION, DEMONSTRATION, EDUCATIONAL ... */
	const char *user_id, *user_name, *role;
	const char *missing_rights; /* of those that a flow needs, blank-separated */
	/* The user sees no invoice of others: one that another key made is not found again. */
	bool sees_own_only;
};
/* Asks with a login of its own, so that the answer is about the key as it is now. */
bool procountor_current(struct procountor *p, struct procountor_current *ret,
			struct err *err) MUST_CHECK;

/* Of the key, by one call. */
bool procountor_company_id(struct procountor *p, const char **ret, struct err *err) MUST_CHECK;

struct procountor_account {
	const char *iban, *bic, *currency;
	bool is_active, is_default; /* default: for invoices */
};
bool procountor_accounts(struct procountor *p, const struct procountor_account **ret, size_t *ret_n,
			 struct err *err) MUST_CHECK;

/* What may stand on a sales invoice of this company. */
struct procountor_vat_rules {
	const struct decimal *percents;
	size_t n_percents;
	const int64_t *statuses;
	size_t n_statuses;
};
bool procountor_vat_rules(struct procountor *p, struct procountor_vat_rules *ret,
			  struct err *err) MUST_CHECK;

/* ---- registers ----------------------------------------------------------------------------- */

/* All of a register, or what changed since. */
struct procountor_list {
	int64_t changed_since_ms; /* 0: all. The vendor's filter has no time zone: overlap */
	bool with_inactive; /* also those that are switched off, behind the others */
};

struct procountor_place {
	const char *name, *specifier; /* NULL: the partner's name; none */
	struct address at; /* no street, postcode and city: no such address */
};

/* Texts are NULL when absent. */
struct procountor_partner {
	const char *id, *version; /* version: opaque, another one after each change */
	const char *name, *type; /* CUSTOMER, SUPPLIER, PERSON */
	const char *customer_number, *business_id, *identifier_type;
	bool is_active;
	struct procountor_place address, billing, delivery;
	const char *email, *phone;
	const char *language; /* ISO 639-1 */
	const char *channel; /* EMAIL, MAIL, ELECTRONIC_INVOICE, NO_SENDING ... */
	const char *einvoice_address, *einvoice_operator;
	const char *payment_method, *currency;
	const char *payment_term_days; /* a text at the vendor's too */
	const char *contact_name, *contact_email, *contact_phone; /* the first of them */
};

/*
 * A page of at most 200 cards, by ascending id; it may be empty and not the last. `next` is where
 * the list goes on: an id, so that it stays a place in the list whatever changes meanwhile, and may
 * be used by another process later. NULL: that was all.
 */
struct procountor_partner_page {
	const struct procountor_partner *items;
	size_t n;
	const char *next;
};
/* Whole cards of the partners of type CUSTOMER (PC-06): two calls. from NULL: the first page. Only
 * the page is in the arena: give it one of its own where a register is walked. */
bool procountor_partner_page(struct procountor *p, const struct procountor_list *list,
			     const char *from, struct procountor_partner_page *ret,
			     struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND when there is none (in this company). */
bool procountor_partner(struct procountor *p, const char *id, struct procountor_partner *ret,
			struct err *err) MUST_CHECK;

/* Those that agree with each that is given, letter by letter; at least one must be. */
struct procountor_partner_query {
	const char *business_id, *customer_number, *name;
};
/* Whole cards, active or not, by ascending id. A customer that this flow made is known by its
 * customer number: the vendor has no other place for an outside id. */
bool procountor_partner_find(struct procountor *p, const struct procountor_partner_query *q,
			     const struct procountor_partner **ret, size_t *ret_n,
			     struct err *err) MUST_CHECK;
/* Of type CUSTOMER; *ret: as Procountor has it now. In doubt, procountor_partner_find by number and
 * business id. */
bool procountor_partner_add(struct procountor *p, const struct procountor_partner *partner,
			    struct procountor_partner *ret, struct err *err) MUST_CHECK;
/*
 * Name, address, invoicing and payment data of the card with partner->id; what is NULL stays as it
 * is. ERR_CONFLICT when partner->version is not the newest: read it again. May be repeated.
 */
bool procountor_partner_change(struct procountor *p, const struct procountor_partner *partner,
			       struct err *err) MUST_CHECK;

struct procountor_product {
	const char *id, *version, *code, *name, *unit, *currency;
	bool is_active, has_vat;
	struct decimal price, vat;
};
struct procountor_product_page {
	const struct procountor_product *items;
	size_t n;
	const char *next;
};
/* Products of type SALES; as procountor_partner_page, one call. */
bool procountor_product_page(struct procountor *p, const struct procountor_list *list,
			     const char *from, struct procountor_product_page *ret,
			     struct err *err) MUST_CHECK;
/* Those with exactly this code: several may have it. Active ones first, each by ascending id: the
 * first is the one to link. */
bool procountor_product_find(struct procountor *p, const char *code,
			     const struct procountor_product **ret, size_t *ret_n,
			     struct err *err) MUST_CHECK;
struct procountor_product_options {
	const char *currency, *unit; /* unit: Procountor's own, for one that nobody knows */
	int64_t vat_status; /* 0: none said */
	const char *group_id; /* NULL: none */
};
/* In doubt, procountor_product_find. */
bool procountor_product_add(struct procountor *p, const struct product *product,
			    const struct procountor_product_options *opt, const char **ret_id,
			    struct err *err) MUST_CHECK;

/* Procountor's own unit for one as people write it; NULL when none is known. */
const char *procountor_unit(const char *text);

/* ---- invoices ------------------------------------------------------------------------------ */

struct procountor_invoice_options {
	const struct procountor_partner *partner; /* whom it is linked to; its data go along */
	const char *const *product_ids; /* by row; NULL: a free row. NULL: all are */
	const char *iban; /* of the company: where it is to be paid */
	int64_t vat_status;
	const char *channel; /* NULL: the partner's, where it can be used, else NO_SENDING */
	const char *unit; /* for a unit that nobody knows */
	const char *language; /* where neither invoice nor partner has one */
};
/*
 * The request of a new sales invoice; inv->number is its originalInvoiceNumber, by which it is
 * found again. ERR_DATA with reason and the field as subject for what Procountor cannot take:
 * field_too_long, character_unsupported, number_too_precise, date_invalid ... Pure: same bytes each
 * time.
 */
bool procountor_map_invoice(struct arena *arena, const struct procountor_options *conf,
			    const struct invoice *inv, const struct procountor_invoice_options *opt,
			    struct span *ret, struct err *err) MUST_CHECK;

/* Texts are NULL when absent. */
struct procountor_invoice {
	const char *id, *number, *original_number, *ledger_receipt_id, *version;
	const char *type, *status;
	const char *partner_id, *customer_number;
	const char *date, *due_date, *currency, *reference, *order_reference;
	bool has_sum;
	struct decimal net, vat, gross; /* in the invoice's currency, signed */
	const char *const *attachments; /* names */
	size_t n_attachments;
};
/* Makes what procountor_map_invoice wrote, in state UNFINISHED (PC-01). In doubt, look it up. */
bool procountor_invoice_add(struct procountor *p, struct span body, struct procountor_invoice *ret,
			    struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND when there is none. */
bool procountor_invoice(struct procountor *p, const char *id, struct procountor_invoice *ret,
			struct err *err) MUST_CHECK;

enum procountor_match {
	PROCOUNTOR_ABSENT,
	PROCOUNTOR_OURS, /* one, and every field that names a document agrees */
	PROCOUNTOR_TAKEN, /* the number alone is there: another document */
	PROCOUNTOR_SEVERAL, /* more than one agrees: a person must look */
};
struct procountor_found {
	enum procountor_match match;
	struct procountor_invoice invoice; /* OURS: it; TAKEN, SEVERAL: the first */
	const char *differs; /* TAKEN: the field by which it is another one */
};
/*
 * The look-up of DESIGN §4.6, by originalInvoiceNumber; drafts included, invalidated and deleted
 * ones not. The invoice is as it was mapped: number, reference, partner, date, currency and signed
 * sum are compared.
 */
bool procountor_invoice_look_up(struct procountor *p, const struct invoice *inv,
				const char *partner_id, struct procountor_found *ret,
				struct err *err) MUST_CHECK;
/* The field by which the two are different documents; NULL: none. Pure. */
const char *procountor_invoice_differs(const struct procountor_invoice *have,
				       const struct invoice *inv, const char *partner_id);

/* A file of an invoice. In doubt, see whether procountor_invoice names it. ERR_DATA
 * attachment_too_large. */
bool procountor_attach(struct procountor *p, const char *invoice_id, const struct attachment *file,
		       bool is_sent_along, struct err *err) MUST_CHECK;

#endif
