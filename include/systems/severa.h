/*
 * severa.h: Visma Severa's REST API as the flows see it: reads into the model, the invoice's
 * status, and what registers write (facts/severa.md).
 *
 * Every call goes through at->ops->exchange, with the limit key of the client id. Errors are the
 * verdict's. All results live in the attempt's arena. One attempt, one thread.
 */
#ifndef SYSTEMS_SEVERA_H
#define SYSTEMS_SEVERA_H

#include "base/base.h"
#include "attempt.h"
#include "codec/json.h"
#include "model/connection.h"
#include "model/invoice.h"
#include "system.h"

/* What the configuration says of Severa. */
struct severa_options {
	const char *url;
	struct pace pace;
	int page;
	int currency_rate; /* enum severa_currency_rate */
	const char *expense_mark;
};
extern const struct system severa_system;
const struct severa_options *severa_options(const struct system_values *v);
/* The limit that Severa counts by, per client id. ERR_INPUT with pointer. Pure. */
bool severa_limit(const struct system_values *v, const char *client_id, struct limit_key *ret,
		  struct err *err) MUST_CHECK;

struct severa {
	struct attempt *at;
	const struct severa_options *opt;
	const char *base_url; /* no trailing slash */
	const char *client_id, *client_secret;
	const char *limit_key;
	const char *token_key; /* of the cached token */
	const char *scope; /* that the token is for; NULL: all that an invoice flow needs */
};

struct severa_status {
	const char *id, *name;
	bool is_active, has_number, is_sent;
};

struct severa_project {
	const char *id, *name, *number;
	const char *unit_id, *unit_name, *unit_code;
	const char *changed; /* stamp of its last change; NULL: untold */
};

/* settings.severa.url overrides VIESTI_SEVERA_URL; credentials = the "severa" member. No I/O. */
bool severa_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		 struct severa *ret, struct err *err) MUST_CHECK;
/* Of the scopes that an invoice flow needs, those that the credentials lack: "files:read".
 * ERR_CREDENTIALS when they are refused altogether. */
bool severa_missing_scopes(struct severa *s, const char *const **ret, size_t *ret_n,
			   struct err *err) MUST_CHECK;
/* What stands there in place of REST credentials looks like a key of the old SOAP API. True also
 * after severa_open refused them. */
bool severa_is_soap_key(const struct severa *s);

/*
 * The same Severa for writes: with a token of its own, for these scopes alone ("customers:write").
 * No I/O.
 */
bool severa_with_scope(struct severa *s, const char *scope, struct severa *ret,
		       struct err *err) MUST_CHECK;
/* For a check: is the scope given? ERR_CREDENTIALS, reason write_scope_missing, where it is not. */
bool severa_has_scope(struct severa *s, const char *scope, struct err *err) MUST_CHECK;

/* Reads them now, for what asks after them below: a check runs when somebody has just mended one.
 */
bool severa_read_statuses(struct severa *s, struct err *err) MUST_CHECK;
bool severa_statuses(struct severa *s, const struct severa_status **ret, size_t *ret_n,
		     struct err *err) MUST_CHECK;
/* By guid, else by name; ERR_DATA status_unknown, or status_ambiguous when several bear the name.
 */
bool severa_status_find(struct severa *s, const char *ref, const struct severa_status **ret,
			struct err *err) MUST_CHECK;

struct severa_unit {
	const char *id, *name, *code, *parent_id;
	const char *vat_number; /* NULL: a part of its parent */
	const char *company_id, *company_name;
	const char *changed; /* stamp of its last change; NULL: untold */
	bool is_active;
};
struct severa_vat_rate {
	const char *id, *code, *country_id;
	struct decimal percentage;
	bool is_default, is_active;
};
struct severa_language {
	const char *id, *name, *english_name, *code;
	bool is_invoice_language;
};
/* Whole registers; at most some minutes old. */
bool severa_units(struct severa *s, const struct severa_unit **ret, size_t *ret_n,
		  struct err *err) MUST_CHECK;
bool severa_vat_rates(struct severa *s, const struct severa_vat_rate **ret, size_t *ret_n,
		      struct err *err) MUST_CHECK;
bool severa_languages(struct severa *s, const struct severa_language **ret, size_t *ret_n,
		      struct err *err) MUST_CHECK;

struct severa_company {
	const char *name, *vat_number;
	const char *business_id; /* 1234567-8; NULL: not Finnish */
	const char *street, *postcode, *city; /* of the organisation alone; NULL: untold */
};
/* Those that send invoices of their own: the organisation, and its business units with a VAT
 * number. */
bool severa_companies(struct severa *s, const struct severa_company **ret, size_t *ret_n,
		      struct err *err) MUST_CHECK;

struct severa_user {
	const char *id, *first_name, *last_name;
	const char *email, *code; /* may be NULL */
	bool is_active;
};
/* Those who are active. With a token of its own: the scope users:read is needed by nothing else.
 * ERR_CREDENTIALS, reason users_scope_missing, without it. */
bool severa_users(struct severa *s, const struct severa_user **ret, size_t *ret_n,
		  struct err *err) MUST_CHECK;

/* Called once per page; false stops the listing with its err. The items last until it returns. */
typedef bool (*severa_page_fn)(void *ctx, const struct invoice *items, size_t n, struct err *err);
/* All invoices of a status, without rows; changed_since NULL or RFC 3339. status_id NULL: of any
 * status, changed_since is needed then. */
bool severa_invoices(struct severa *s, const char *status_id, const char *changed_since,
		     severa_page_fn page, void *ctx, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND when it was deleted. Without rows. */
bool severa_invoice(struct severa *s, const char *id, struct invoice *ret,
		    struct err *err) MUST_CHECK;
/* The rows of all invoices that were changed since (RFC 3339), one by one; false stops. */
typedef bool (*severa_row_fn)(void *ctx, const char *invoice_id, const char *changed,
			      struct err *err);
bool severa_changed_rows(struct severa *s, const char *since, severa_row_fn row, void *ctx,
			 struct err *err) MUST_CHECK;
bool severa_invoice_rows(struct severa *s, struct invoice *inv, struct err *err) MUST_CHECK;
/* Fills each row's project_id and phase_id from the hours, fees and expenses behind it; a row of
 * several projects or phases, or of none that Severa names, has none. */
bool severa_row_projects(struct severa *s, struct invoice *inv, struct err *err) MUST_CHECK;
/*
 * The invoice's PDF and its files that are not internal. Those that `wanted` refuses by name and
 * type are listed, but not read: data.p NULL.
 */
bool severa_invoice_files(struct severa *s, struct invoice *inv, size_t max_bytes,
			  bool (*wanted)(const struct attachment *file),
			  struct err *err) MUST_CHECK;
/* Reads nothing: see the flow for the order. The returned status is verified. */
bool severa_set_status(struct severa *s, const char *invoice_id, const char *status_id,
		       struct err *err) MUST_CHECK;

/* What a zero in an invoice's VAT rests on, as far as Severa says (EN 16931 wants a reason). Texts
 * NULL: untold. */
struct severa_tax {
	bool is_reverse_charged; /* a setting of the invoice */
	const char *reverse_reason;
	bool is_tax_free; /* a setting of the customer, for the country */
	const char *free_category; /* "AE", "G" ...: as it stands there */
	const char *free_reason;
};
bool severa_tax(struct severa *s, const char *invoice_id, const char *customer_id,
		const char *country_code, struct severa_tax *ret, struct err *err) MUST_CHECK;
/* Accounts of the company that sends the invoice; none when Severa does not say whose they are. */
bool severa_accounts(struct severa *s, const struct party *seller, const struct bank_account **ret,
		     size_t *ret_n, struct err *err) MUST_CHECK;
/* Of a credit note: the date of the invoice that it credits, where that is still there. */
bool severa_credited(struct severa *s, struct invoice *inv, struct err *err) MUST_CHECK;
/*
 * The VAT of an invoice in a foreign currency in the organisation's own (BT-111): as Severa states
 * it, else by the invoice's currency rate. Leaves it untold where neither is there.
 */
bool severa_account_vat(struct severa *s, struct invoice *inv, struct err *err) MUST_CHECK;

/* Does it steer how a customer gets invoices, where an e-invoice address or operator should stand
 * (facts/severa.md §10)? An e-mail address, EMAIL, PRINT, DONOTSEND. */
bool severa_is_steering_word(const char *text);
/* Typed by people: blanks around it and its case do not count. */
bool severa_is_word(const char *text, const char *word);
/* With head-office addresses (billing, postal), phone, fax and the language's code. */
bool severa_customer(struct severa *s, const char *id, struct customer *ret,
		     struct err *err) MUST_CHECK;
/*
 * A page of the customers, each as severa_customer reads it; changed_since (NULL: all of them)
 * finds those whose addresses alone were changed, too. page NULL: the first; *ret_next names the
 * place of the next one, not a position: at most 500 bytes, NULL: there is none.
 */
#define SEVERA_CUSTOMER_PAGE_MAX 250
bool severa_customer_page(struct severa *s, const char *changed_since, const char *page,
			  const struct customer **ret, size_t *ret_n, const char **ret_next,
			  struct err *err) MUST_CHECK;
/* Those with one of the numbers, at most 20. */
bool severa_customers_by_number(struct severa *s, const char *const *numbers, size_t n,
				const struct customer **ret, size_t *ret_n,
				struct err *err) MUST_CHECK;

/* What is written of a customer and of the head office's two addresses. */
enum severa_customer_field {
	SEVERA_NUMBER_FIELD,
	SEVERA_NAME,
	SEVERA_VAT_NUMBER,
	SEVERA_EMAIL,
	SEVERA_WEBSITE,
	SEVERA_NOTES,
	SEVERA_EINVOICE_ADDRESS,
	SEVERA_EINVOICE_OPERATOR,
	SEVERA_LANGUAGE, /* "sv" */
	SEVERA_ACTIVE, /* "1", "0" */
	SEVERA_BILLING_STREET, /* the address marked billing, in the order of the postal one */
	SEVERA_BILLING_POSTCODE,
	SEVERA_BILLING_CITY,
	SEVERA_BILLING_COUNTRY, /* ISO 3166-1 alpha-2 */
	SEVERA_PHONE,
	SEVERA_FAX,
	SEVERA_POSTAL_STREET, /* the one marked postal */
	SEVERA_POSTAL_POSTCODE,
	SEVERA_POSTAL_CITY,
	SEVERA_POSTAL_COUNTRY,
	SEVERA_CUSTOMER_FIELDS
};
struct severa_customer_form {
	const char
		*values[SEVERA_CUSTOMER_FIELDS]; /* as all of them are to be; NULL or "": empty */
	bool written[SEVERA_CUSTOMER_FIELDS]; /* by change; create writes all that are not empty */
};
/* What the credentials must have for it beyond the scopes of invoices. */
#define SEVERA_CUSTOMER_SCOPES "customers:write"
/* ERR_DOUBT also when the customer is there without its addresses: found again, it is to be changed
 * to what it lacks. */
bool severa_customer_create(struct severa *s, const struct severa_customer_form *f,
			    const char **ret_id, struct err *err) MUST_CHECK;
/* May be repeated. */
bool severa_customer_change(struct severa *s, const char *id, const struct severa_customer_form *f,
			    struct err *err) MUST_CHECK;
/* Product, work type or travel-expense type by exact code; *ret_found false when there is none. */
bool severa_product(struct severa *s, const char *code, struct product *ret, bool *ret_found,
		    struct err *err) MUST_CHECK;
/* By guid, in whichever of the three registers; ERR_NOT_FOUND. */
bool severa_product_by_id(struct severa *s, const char *id, struct product *ret,
			  struct err *err) MUST_CHECK;
struct severa_product_page {
	const struct product *items;
	size_t n; /* may be 0 before the last page */
	const char *next; /* `from` of the page behind this one, good for days; NULL: the last */
};
/*
 * A page of the three registers, one after the other, of at most max records. changed_since NULL
 * or RFC 3339; from NULL: the first page. A record may be told twice, none is passed over.
 */
bool severa_product_page(struct severa *s, const char *changed_since, const char *from, size_t max,
			 struct severa_product_page *ret, struct err *err) MUST_CHECK;
#define SEVERA_PRODUCTS_SCOPE "settings:write"
#define SEVERA_PRODUCT_NAME_MAX 100 /* characters */
/* Makes a product, with name and code; *ret: as Severa has it then. ERR_DATA product_vat_unknown.
 */
bool severa_product_add(struct severa *s, const struct product *p, struct product *ret,
			struct err *err) MUST_CHECK;
bool severa_project(struct severa *s, const char *id, struct severa_project *ret,
		    struct err *err) MUST_CHECK;
struct severa_contact {
	const char *id, *name, *job_title, *address_id;
	const char *email, *phone, *mobile, *fax; /* the first of each that may be used */
	bool is_active;
};
/* The customer's contact persons, those deleted left out. A call more for each person. */
bool severa_contacts(struct severa *s, const char *customer_id, const struct severa_contact **ret,
		     size_t *ret_n, struct err *err) MUST_CHECK;

struct severa_phase {
	const char *id, *name, *code;
	const char *project_id, *parent_id; /* parent_id NULL: the project's root */
	const char *project_name, *project_number;
	const char *changed; /* stamp of its last change; NULL: untold */
	bool is_completed;
};
bool severa_phases(struct severa *s, const char *project_id, const struct severa_phase **ret,
		   size_t *ret_n, struct err *err) MUST_CHECK;

/* ERR_NOT_FOUND. */
bool severa_phase(struct severa *s, const char *id, struct severa_phase *ret,
		  struct err *err) MUST_CHECK;

/*
 * Pages of projects, phases and business units, of at most max (100 or more) records. changed_since
 * NULL or RFC 3339; from NULL: the first page. *ret_next: `from` of the page behind this one, good
 * for days; NULL: it was the last. A record may be told twice, none is passed over.
 */
struct severa_project_page {
	const struct severa_project *items;
	size_t n;
	const char *next;
};
bool severa_project_page(struct severa *s, const char *changed_since, const char *from, size_t max,
			 struct severa_project_page *ret, struct err *err) MUST_CHECK;
struct severa_phase_page {
	const struct severa_phase *items;
	size_t n;
	const char *next;
};
bool severa_phase_page(struct severa *s, const char *changed_since, const char *from, size_t max,
		       struct severa_phase_page *ret, struct err *err) MUST_CHECK;
struct severa_unit_page {
	const struct severa_unit *items;
	size_t n;
	const char *next;
};
bool severa_unit_page(struct severa *s, const char *changed_since, const char *from, size_t max,
		      struct severa_unit_page *ret, struct err *err) MUST_CHECK;
/* By guid, in one call; one that is gone is left out. */
bool severa_projects_read(struct severa *s, const char *const *ids, size_t n,
			  const struct severa_project **ret, size_t *ret_n,
			  struct err *err) MUST_CHECK;

/*
 * Registers as they stand, or what changed in them; changed_since NULL or RFC 3339. Called once per
 * page, as severa_page_fn. Customers come without what severa_customer adds from their addresses.
 */
typedef bool (*severa_products_fn)(void *ctx, const struct product *items, size_t n,
				   struct err *err);
/* Products, work types and travel-expense types, one register after the other. */
bool severa_products(struct severa *s, const char *changed_since, severa_products_fn page,
		     void *ctx, struct err *err) MUST_CHECK;
typedef bool (*severa_customers_fn)(void *ctx, const struct customer *items, size_t n,
				    struct err *err);
bool severa_customers(struct severa *s, const char *changed_since, severa_customers_fn page,
		      void *ctx, struct err *err) MUST_CHECK;
typedef bool (*severa_projects_fn)(void *ctx, const struct severa_project *items, size_t n,
				   struct err *err);
bool severa_projects(struct severa *s, const char *changed_since, severa_projects_fn page,
		     void *ctx, struct err *err) MUST_CHECK;

/* ISO 3166-1 alpha-2 by any of Severa's names or codes; *ret NULL when unknown. */
bool severa_country(struct severa *s, const char *name, const char **ret,
		    struct err *err) MUST_CHECK;

/* ---- travel reimbursements (facts §7b) ----------------------------------------------------- */

/* What they need beside the rights of an invoice flow. A token of their own: they are asked for
 * only where a connection relays travel. ERR_CREDENTIALS scope_missing without them. */
#define SEVERA_TRAVEL_SCOPES "travels:read,travels:write"
#define SEVERA_USER_SCOPES "users:read"

struct severa_travel {
	const char *id, *number, *title, *status_id;
	const char *date; /* date or time, as Severa says it; may be NULL */
	const char *user_id, *user_name; /* who is paid back */
	const char *changed, *created;
	int64_t created_ms; /* 0: unknown */
	bool has_total;
	struct decimal total, advance;
};
struct severa_travel_line {
	const char *id;
	const char *type_id, *type_code, *type_name; /* travel expense type */
	const char *project_id, *phase_id;
	const char *date, *begin, *end; /* begin and end as Severa says them */
	struct decimal quantity;
	const char *unit, *currency, *description;
	bool has_unit_cost, has_net_unit_cost, has_vat_rate;
	struct decimal unit_cost, net_unit_cost; /* with and without purchase VAT */
	struct decimal vat_rate; /* purchase VAT, percent */
};
/* Reads the statuses now, as severa_read_statuses. */
bool severa_read_travel_statuses(struct severa *s, struct err *err) MUST_CHECK;
/* As severa_status_find: ERR_DATA travel_status_unknown, travel_status_ambiguous. */
bool severa_travel_status_find(struct severa *s, const char *ref, const struct severa_status **ret,
			       struct err *err) MUST_CHECK;
/* As severa_page_fn. */
typedef bool (*severa_travels_fn)(void *ctx, const struct severa_travel *items, size_t n,
				  struct err *err);
bool severa_travels(struct severa *s, const char *status_id, severa_travels_fn page, void *ctx,
		    struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND when it was deleted. */
bool severa_travel(struct severa *s, const char *id, struct severa_travel *ret,
		   struct err *err) MUST_CHECK;
bool severa_travel_lines(struct severa *s, const char *id, struct severa_travel_line **ret,
			 size_t *ret_n, struct err *err) MUST_CHECK;
/* As severa_set_status. */
bool severa_set_travel_status(struct severa *s, const char *id, const char *status_id,
			      struct err *err) MUST_CHECK;
/* With the right users:read alone. */
bool severa_user(struct severa *s, const char *id, struct severa_user *ret,
		 struct err *err) MUST_CHECK;

/* ---- expense rows of projects (facts §7b) --------------------------------------------------- */

enum severa_fee_resource { SEVERA_FEES, SEVERA_EXPENSES };
struct severa_fee {
	enum severa_fee_resource resource;
	const char *project_id, *phase_id, *user_id; /* phase and user NULL: not told */
	const char *item_id; /* product, or travel expense type; NULL: not told */
	const char *name, *description, *date;
	struct decimal quantity, unit_cost;
	bool is_billable;
};
/* Our own key as it stands in a description: how is a guess (assumptions.c). NULL: arena full. */
const char *severa_fee_mark(struct severa *s, const char *key);
/* The write; *ret_id is its guid. ERR_CREDENTIALS scope_missing. */
bool severa_fee_add(struct severa *s, const struct severa_fee *fee, const char **ret_id,
		    struct err *err) MUST_CHECK;
struct severa_fee_search {
	enum severa_fee_resource resource;
	const char *mark;
	int64_t since_ms; /* among those changed since */
	bool is_fresh; /* read now; else a reading of the last minute will do */
};
/* How many bear the mark, and the last of them. */
bool severa_fees_marked(struct severa *s, const struct severa_fee_search *search, size_t *ret_n,
			const char **ret_id, struct err *err) MUST_CHECK;
/* ERR_CREDENTIALS write_scope_missing. */
bool severa_fees_check(struct severa *s, enum severa_fee_resource resource,
		       struct err *err) MUST_CHECK;
/* *ret_id NULL: there is none. */
bool severa_project_numbered(struct severa *s, const char *number, const char **ret_id,
			     struct err *err) MUST_CHECK;

#endif
