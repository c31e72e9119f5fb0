/*
 * spotilla.h: Spotilla's maintenance service as the flows see it: finished tasks to be billed, and
 * the registers of customers and products (facts/spotilla.md).
 *
 * The endpoints are a guess as a whole: the vendor publishes none. What is guessed stands in one
 * place, systems/spotilla/assumptions.c, and can be set by options.
 *
 * Every call goes through at->ops->exchange, with the limit key of the tenant. Errors are the
 * verdict's; a write's failure is ERR_DOUBT only when it may have been carried out. Which task may
 * travel, and with what price, are rules of the flow: nothing here decides it. All results live in
 * the attempt's arena, those of the listing of tasks until its callback returns. One attempt, one
 * thread.
 */
#ifndef SYSTEMS_SPOTILLA_H
#define SYSTEMS_SPOTILLA_H

#include "base/base.h"
#include "attempt.h"
#include "codec/json.h"
#include "model/connection.h"
#include "model/invoice.h"
#include "system.h"

/* What the configuration says of Spotilla. */
struct spotilla_options {
	const char *url;
	const char *header_token, *header_user, *header_subdomain;
	const char *header_signature; /* of webhooks */
	const char *path_customers, *path_products, *path_tasks; /* from "/" on */
	const char *done_states; /* "done,billed" */
	struct pace pace;
	int page; /* records asked for at once */
	int paging; /* enum spotilla_paging */
	int find; /* enum spotilla_find */
	int64_t overlap_ms; /* read again before a change time */
	bool write_back; /* tasks can be marked */
};
extern const struct system spotilla_system;
const struct spotilla_options *spotilla_options(const struct system_values *v);
/* Ours, per tenant: the vendor names none. ERR_INPUT with pointer. Pure. */
bool spotilla_limit(const struct system_values *v, const char *subdomain, struct limit_key *ret,
		    struct err *err) MUST_CHECK;

struct spotilla {
	struct attempt *at;
	const struct spotilla_options *opt;
	const char *base_url; /* no trailing slash */
	const char *token, *user_id, *subdomain; /* the three values of an integration key */
	const char *limit_key;
	const char *const *done_states; /* NULL-terminated */
};

/*
 * settings.spotilla.url and .done_states override the configuration (tenants rename their states);
 * credentials = the "spotilla" member: token, user_id, subdomain. No I/O. ERR_CREDENTIALS when one
 * is missing.
 */
bool spotilla_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		   struct spotilla *ret, struct err *err) MUST_CHECK;
/* Asks for one record of each register: may the key read them all? */
bool spotilla_check(struct spotilla *sp, struct err *err) MUST_CHECK;

/* ---- customers ----------------------------------------------------------------------------- */

struct spotilla_contact {
	const char *name, *email, *phone;
};
struct spotilla_customer {
	/* code = number; business_id is as it stands there, well-formed or not; delivery is the
	 * address, billing the billing address or, without one, the address. */
	struct customer customer;
	bool has_billing_address;
	bool has_payment_term;
	int64_t payment_term_days;
	const char *invoice_channel; /* EMAIL, MAIL, ELECTRONIC_INVOICE, NO_SENDING; NULL: none */
	const char *external_ref; /* ours; NULL: none */
	const struct spotilla_contact *contacts;
	size_t n_contacts;
	const char *changed; /* RFC 3339 */
	/* Of a list: only id and changed are set; reading it alone says what is wrong with it. */
	bool is_unreadable;
};

/*
 * A page of a register, in the attempt's arena, oldest change first, active or not. since: NULL
 * (all of it) or RFC 3339. place: what the page before gave as *ret_next; NULL: the first.
 * *ret_next NULL: it was the last. A place is good for days, in any process.
 *
 * No record is left out, though records move while they are listed; one that is changed meanwhile,
 * or has the change time at which a page ends, may come twice.
 */
#define SPOTILLA_PLACE_MAX 160
bool spotilla_customers(struct spotilla *sp, const char *since, const char *place,
			const struct spotilla_customer **ret, size_t *ret_n, const char **ret_next,
			struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND when it was deleted. */
bool spotilla_customer(struct spotilla *sp, const char *id, struct spotilla_customer *ret,
		       struct err *err) MUST_CHECK;

enum spotilla_key { SPOTILLA_BUSINESS_ID, SPOTILLA_NUMBER, SPOTILLA_EXTERNAL_REF };
#define SPOTILLA_MATCHES_MAX 8
/* Those whose value is exactly this, active or not; at most SPOTILLA_MATCHES_MAX of them. Several
 * are for a person. */
bool spotilla_find_customers(struct spotilla *sp, enum spotilla_key key, const char *value,
			     const struct spotilla_customer **ret, size_t *ret_n,
			     struct err *err) MUST_CHECK;

/* What is written of a customer. NULL: left as it is; "": emptied. */
struct spotilla_customer_form {
	const char *name; /* 1..200 characters; a new one needs it */
	const char *business_id, *number, *email, *phone;
	const char *language; /* ISO 639-1 */
	const struct address *address, *billing_address; /* all members NULL: emptied */
	bool has_payment_term;
	int64_t payment_term_days; /* below 0: emptied */
	const char *invoice_channel;
	bool has_active, is_active;
	const char *external_ref; /* at most 100 characters */
};
/* ERR_DATA with a reason for a value that Spotilla has no room for. Pure. */
bool spotilla_map_customer_form(struct arena *arena, const struct spotilla_customer_form *form,
				struct span *ret, struct err *err) MUST_CHECK;
/*
 * A write to be told by its key (1..64 characters) for a day: with the same key it may be repeated,
 * the first answer comes again. Later, and always after the loss of our own records, look for the
 * customer first. ERR_DUPLICATE: another active one has the business id or number.
 */
bool spotilla_create_customer(struct spotilla *sp, const struct spotilla_customer_form *form,
			      const char *key, struct spotilla_customer *ret,
			      struct err *err) MUST_CHECK;
/* May be repeated. ERR_DUPLICATE as above. */
bool spotilla_update_customer(struct spotilla *sp, const char *id,
			      const struct spotilla_customer_form *form,
			      struct spotilla_customer *ret, struct err *err) MUST_CHECK;

/* ---- products ------------------------------------------------------------------------------ */

struct spotilla_product {
	struct product product; /* code = the product id that people see; vat_rate: see has_ */
	bool has_price, has_vat_rate;
	const char *category, *kind; /* kind: article, work, travel, other */
	const char *currency; /* of the price; NULL: untold */
	const char *external_ref, *changed;
	bool is_unreadable; /* as a customer's */
};
/* As spotilla_customers. */
bool spotilla_products(struct spotilla *sp, const char *since, const char *place,
		       const struct spotilla_product **ret, size_t *ret_n, const char **ret_next,
		       struct err *err) MUST_CHECK;
/* With the price of now (PC-07). ERR_NOT_FOUND when it was deleted. */
bool spotilla_product(struct spotilla *sp, const char *id, struct spotilla_product *ret,
		      struct err *err) MUST_CHECK;
/* May be repeated. */
bool spotilla_mark_product(struct spotilla *sp, const char *id, const char *external_ref,
			   struct err *err) MUST_CHECK;

/* ---- tasks --------------------------------------------------------------------------------- */

struct spotilla_task_row {
	const char *id;
	const char *product_id; /* as struct product's source_id; NULL: a free row */
	const char *name, *unit, *comment;
	bool has_quantity, has_price, has_vat_rate;
	struct decimal quantity, unit_price, vat_rate; /* net price, percent */
	bool is_billable; /* what is not said to be otherwise, is */
};

enum spotilla_billing_state {
	SPOTILLA_BILLING_NONE,
	SPOTILLA_BILLING_WAITING,
	SPOTILLA_BILLING_EXPORTED,
	SPOTILLA_BILLING_FAILED,
	SPOTILLA_BILLING_UNKNOWN, /* a word that we do not know; read only */
};
struct spotilla_billing {
	enum spotilla_billing_state state;
	const char *external_ref; /* NULL: none */
	const char *message; /* for the user, in Finnish; NULL: none */
};

struct spotilla_task {
	const char *id, *number, *name;
	const char *state; /* the tenant's own word: see spotilla_is_done */
	const char *completed; /* RFC 3339; NULL: not finished, or untold */
	int64_t completed_ms; /* 0: see completed */
	const char *customer_id; /* as struct customer's source_id; NULL: none */
	const char *order_number; /* the billing data (PC-02); NULL or "": none */
	const char *work_order, *spot, *site, *comment; /* names */
	const struct spotilla_task_row *rows;
	size_t n_rows;
	struct spotilla_billing billing;
	const char *changed; /* RFC 3339 */
	int64_t changed_ms; /* 0: unknown */
	bool is_unreadable; /* as a customer's; number may be there */
};
/* Called once per page; the items last until it returns. False stops the listing with its err. */
typedef bool (*spotilla_tasks_fn)(void *ctx, const struct spotilla_task *items, size_t n,
				  struct err *err);
/*
 * All tasks of one state, each of sp->done_states in turn, or those changed since (RFC 3339), read
 * with the overlap of the options before it. None is left out and some come twice, as of
 * spotilla_customers.
 */
bool spotilla_tasks(struct spotilla *sp, const char *state, const char *changed_since,
		    spotilla_tasks_fn page, void *ctx, struct err *err) MUST_CHECK;
/* With rows, whatever its state is. ERR_NOT_FOUND when it was deleted. */
bool spotilla_task(struct spotilla *sp, const char *id, struct spotilla_task *ret,
		   struct err *err) MUST_CHECK;
bool spotilla_is_done(const struct spotilla *sp, const char *state);
/* Tells the user what became of the task; may be repeated. Where the options say that it cannot be
 * written, true and nothing was done. */
bool spotilla_mark_task(struct spotilla *sp, const char *id, const struct spotilla_billing *billing,
			struct err *err) MUST_CHECK;

/* ---- webhooks ------------------------------------------------------------------------------ */

#define SPOTILLA_TOLERANCE_S 300

/* The name of the header that holds it. */
const char *spotilla_signature_header(const struct system_values *v);
/* header: "t=<unix seconds>,v1=<hex>[,v1=...]"; p NULL: absent. An empty secret fits nothing. Pure,
 * constant time. */
enum webhook_verdict spotilla_check_signature(struct span header, struct span body,
					      const struct span *secrets, size_t n, int64_t now_s);

struct spotilla_event {
	const char *id; /* to be remembered: the same one may come again */
	const char *subdomain; /* whose; NULL: untold */
	const char *task_id; /* NULL: of a type that says nothing to us */
};
/* A hint, never data. ERR_INPUT. Pure. */
bool spotilla_read_event(struct arena *arena, struct span body, struct spotilla_event *ret,
			 struct err *err) MUST_CHECK;

#endif
