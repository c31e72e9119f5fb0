/*
 * talenom.h: Talenom's sales and ledger as the flows see them: sales accounts, the product
 * register, contacts, invoices by their steps, payment state, and vouchers (facts/talenom.md).
 *
 * Part of the interface is documented, the rest is a guess, all of which stands in assumptions.c
 * and in the options. Every call goes through at->ops->exchange, with the limit key of the
 * organisation. Errors are the verdict's; a write's failure is ERR_DOUBT only when it may have been
 * carried out, and each write has a look-up beside it. ERR_CONFLICT: somebody changed the record
 * since it was read; read it again. All results live in the attempt's arena. One attempt, one
 * thread.
 */
#ifndef SYSTEMS_TALENOM_H
#define SYSTEMS_TALENOM_H

#include "base/base.h"
#include "attempt.h"
#include "codec/json.h"
#include "model/connection.h"
#include "model/invoice.h"
#include "system.h"

/* What the configuration says of Talenom. */
struct talenom_options {
	const char *url, *token_url, *scope, *region;
	const char *sales_path, *ledger_path;
	const char *accounts_path, *products_path, *contacts_path, *invoices_path;
	const char *approve_path, *payment_path;
	const char *external_id; /* name of the member and parameter that holds our id */
	const char *receivable_account, *payment_account;
	int page; /* vouchers read at once */
	struct pace pace;
};
extern const struct system talenom_system;
const struct talenom_options *talenom_options(const struct system_values *v);
/* Ours, per organisation: the vendor names none. ERR_INPUT with pointer. Pure. */
bool talenom_limit(const struct system_values *v, const char *organization, struct limit_key *ret,
		   struct err *err) MUST_CHECK;

struct talenom {
	struct attempt *at;
	const struct talenom_options *opt;
	const char *base_url, *token_url; /* no trailing slash */
	const char *region, *organization; /* an organisation's number: digits */
	const char *client_id, *client_secret, *subscription_key;
	const char *receivable_account; /* where what customers owe is booked */
	const char *payment_account; /* where a payment is booked; "": none is set */
	const char *limit_key, *token_key;
};

/*
 * settings.talenom.url, .token_url, .region, .receivable_account and .payment_account override the
 * configuration; credentials = the "talenom" member: client_id, client_secret, subscription_key,
 * organization_number. No I/O. ERR_CREDENTIALS when one is missing.
 */
bool talenom_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		  struct talenom *ret, struct err *err) MUST_CHECK;

/* ---- sales accounts (TA-06) ---------------------------------------------------------------- */

struct talenom_account {
	const char *number, *name;
	struct decimal tax_percent;
	bool is_active;
};
/* Also the check of a connection: it needs every credential. */
bool talenom_accounts(struct talenom *tn, const struct talenom_account **ret, size_t *ret_n,
		      struct err *err) MUST_CHECK;
/*
 * Does each row that has an account have one that Talenom sells by, at the row's percentage?
 * ERR_DATA account_unknown, or account_vat_mismatch with row, account and both percentages. Rows
 * without an account are passed over: sales accounts are not in use. Pure.
 */
bool talenom_check_accounts(const struct talenom_account *accounts, size_t n,
			    const struct invoice *inv, struct err *err) MUST_CHECK;

/* ---- products (TA-03) ---------------------------------------------------------------------- */

struct talenom_product {
	const char *id, *row_version; /* Talenom's; NULL: one that is to be made */
	const char *code; /* NULL: it has none */
	const char *name, *unit, *account; /* unit, account: NULL when none */
	struct decimal price, tax_percent;
};
/* Ours as it should stand there; an empty code is none. Pure. */
bool talenom_map_product(const struct product *p, const char *account, struct talenom_product *ret,
			 struct err *err) MUST_CHECK;
bool talenom_is_same_product(const struct talenom_product *theirs,
			     const struct talenom_product *ours);
/* By exact code, or without one by the exact name among those without a code. */
bool talenom_product_find(struct talenom *tn, const char *code, const char *name,
			  struct talenom_product *ret, bool *ret_found, struct err *err) MUST_CHECK;
/* ERR_DUPLICATE when the code is there. Looked up by talenom_product_find. */
bool talenom_product_add(struct talenom *tn, const struct talenom_product *p, const char **ret_id,
			 struct err *err) MUST_CHECK;
/* id and row_version are those that were read. */
bool talenom_product_change(struct talenom *tn, const struct talenom_product *p,
			    struct err *err) MUST_CHECK;

/* ---- contacts (TA-04, TA-05) --------------------------------------------------------------- */

/* A contact; order and names: assumptions.c. */
enum talenom_contact_field {
	TALENOM_EXTERNAL_ID, /* the customer's id at the source */
	TALENOM_TYPE,
	TALENOM_NUMBER,
	TALENOM_NAME,
	TALENOM_BUSINESS_ID,
	TALENOM_VAT_ID,
	TALENOM_EMAIL,
	TALENOM_CURRENCY,
	TALENOM_LANGUAGE,
	TALENOM_RECEIVABLE_ACCOUNT,
	TALENOM_STREET,
	TALENOM_POSTCODE,
	TALENOM_CITY,
	TALENOM_COUNTRY,
	TALENOM_EINVOICE_ADDRESS,
	TALENOM_EINVOICE_OPERATOR,
	TALENOM_AUTOMATIC_EINVOICING,
	TALENOM_CONTACT_FIELDS
};
struct talenom_contact {
	const char *id, *row_version; /* Talenom's; NULL: one that is to be made */
	const char *values[TALENOM_CONTACT_FIELDS]; /* NULL: left as it is; "": emptied */
};
/* What becomes of the e-invoice address. Leaving it out is not removing it (TA-05). */
enum talenom_einvoice {
	TALENOM_EINVOICE_AS_IT_IS,
	TALENOM_EINVOICE_SET, /* to the customer's; without one, as it is */
	TALENOM_EINVOICE_REMOVE, /* and automatic e-invoicing is switched off */
};
/* Ours as it should stand there. ERR_DATA customer_name_missing. Pure. */
bool talenom_map_contact(const struct talenom *tn, const struct customer *c, const char *currency,
			 enum talenom_einvoice einvoice, struct talenom_contact *ret,
			 struct err *err) MUST_CHECK;
/* Is there nothing in ours that is otherwise in theirs? */
bool talenom_is_same_contact(const struct talenom_contact *theirs,
			     const struct talenom_contact *ours);
/* By the id at the source. */
bool talenom_contact_find(struct talenom *tn, const char *external_id, struct talenom_contact *ret,
			  bool *ret_found, struct err *err) MUST_CHECK;
/* ERR_DUPLICATE when the id is there. Looked up by talenom_contact_find. */
bool talenom_contact_add(struct talenom *tn, const struct talenom_contact *c, const char **ret_id,
			 struct err *err) MUST_CHECK;
bool talenom_contact_change(struct talenom *tn, const struct talenom_contact *c,
			    struct err *err) MUST_CHECK;

/* ---- invoices: draft, content, approval ---------------------------------------------------- */

struct talenom_invoice {
	const char *id, *row_version, *external_id, *contact_id;
	const char *number, *date, *currency, *reference; /* "" while a draft does not have them */
	const char *status; /* Talenom's own word */
	bool is_draft, is_approved; /* neither: a state that nobody knows */
	bool is_paid;
	struct decimal gross; /* computed by Talenom; 0 while the draft is empty */
};
/* By our id, drafts included: the look-up of a draft in doubt, and of whether it was ever made. */
bool talenom_invoices_by_external_id(struct talenom *tn, const char *external_id,
				     const struct talenom_invoice **ret, size_t *ret_n,
				     struct err *err) MUST_CHECK;
/* As it is now: the look-up of content, approval and payment in doubt. ERR_NOT_FOUND. */
bool talenom_invoice(struct talenom *tn, const char *id, struct talenom_invoice *ret,
		     struct err *err) MUST_CHECK;

/* An empty one. external_id: ours, another one for another generation. ERR_DUPLICATE when it is
 * there. */
bool talenom_draft_add(struct talenom *tn, const char *contact_id, const char *external_id,
		       struct talenom_invoice *ret, struct err *err) MUST_CHECK;
/*
 * The whole invoice over the draft that was read. `inv` has been through invoice_sum_up. ERR_DATA
 * number_not_digits, number_too_precise, row_text_missing. Pure.
 */
bool talenom_map_content(const struct talenom *tn, const struct invoice *inv,
			 const struct talenom_invoice *draft, struct span *ret,
			 struct err *err) MUST_CHECK;
/* Sends what talenom_map_content made; may be repeated with the row version of a new reading. */
bool talenom_content_put(struct talenom *tn, const char *id, struct span body,
			 struct talenom_invoice *ret, struct err *err) MUST_CHECK;
/* Does Talenom compute the sum that the invoice has, a cent a row aside? ERR_DATA
 * sum_differs_at_target. Pure. */
bool talenom_check_sum(const struct talenom_invoice *there, const struct invoice *inv,
		       struct err *err) MUST_CHECK;
/* Books it and gives it its number. ERR_DATA account_vat_mismatch, account_unknown, period_closed;
 * it is a draft then. */
bool talenom_approve(struct talenom *tn, const char *id, struct talenom_invoice *ret,
		     struct err *err) MUST_CHECK;
/* paid_date NULL: it is open again. May be repeated. */
bool talenom_set_paid(struct talenom *tn, const char *id, const char *paid_date,
		      struct err *err) MUST_CHECK;

/* ---- ledger vouchers (TA-02) --------------------------------------------------------------- */

struct talenom_voucher {
	const char *id, *invoice_number, *reference, *date, *state, *category;
	const char
		*match_key; /* of the receivable's posting: names the open item; "" when untold */
	struct decimal receivable; /* what is posted on the receivable account */
	size_t n_postings;
};
/*
 * The sale: what the customer owes against each row's account. Every row needs one: ERR_DATA
 * account_unknown; ledger_currency of an invoice that is not in the ledger's. Pure.
 */
bool talenom_map_sale(const struct talenom *tn, const struct invoice *inv, struct span *ret,
		      struct err *err) MUST_CHECK;
/* The payment of the open item of a sale's voucher. ERR_SYSTEM payment_account_missing. Pure. */
bool talenom_map_payment(const struct talenom *tn, const struct talenom_voucher *sale,
			 const char *paid_date, struct span *ret, struct err *err) MUST_CHECK;
/* Sends what talenom_map_sale or talenom_map_payment made. */
bool talenom_voucher_add(struct talenom *tn, struct span body, const char **ret_id,
			 struct err *err) MUST_CHECK;
struct talenom_days {
	const char *from, *to; /* both count */
};
/* Ours of those days that name the invoice: sales and payments. The look-up of a voucher in doubt.
 */
bool talenom_vouchers(struct talenom *tn, const char *invoice_number,
		      const struct talenom_days *days, const struct talenom_voucher **ret,
		      size_t *ret_n, struct err *err) MUST_CHECK;

#endif
