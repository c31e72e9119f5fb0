/*
 * talenom.h: private to the Talenom stand-in (facts/talenom.md §2, 3). Organisations with their
 * keys, sales accounts, products, contacts, invoices from draft to payment, and the ledger.
 *
 * Everything lives in one arena until a reset, and one lock guards it; functions named _locked want
 * it held.
 */
#ifndef SANDBOX_TALENOM_H
#define SANDBOX_TALENOM_H

#include "base/clock.h"
#include "base/decimal.h"
#include "call.h"
#include "codec/sign.h"
#include "form.h"
#include "sandbox.h"
#include "seed.h"
#include "store.h"

#define TN_RECEIVABLE "1701"

struct tn_account {
	struct tn_account *next;
	const char *number, *name;
	struct decimal tax_percent;
	bool is_active;
};

/* A product or contact: its JSON as it was written, members over members. */
struct tn_record {
	struct tn_record *next;
	char id[UUID_TEXT];
	uint64_t version;
	const char *key; /* code of a product, our id of a contact; "" when none */
	const char *name;
	const char *json; /* without id and rowVersion */
};

struct tn_invoice {
	struct tn_invoice *next;
	struct tn_org *org;
	char id[UUID_TEXT];
	uint64_t version;
	const char *external_id, *contact_id;
	const char *content; /* JSON as it was last put; "{}" */
	const char *number, *date; /* "" while there is none */
	bool is_approved, is_paid, is_deleted;
	const char *paid_date;
	struct decimal net, vat, gross;
};

struct tn_voucher {
	struct tn_voucher *next;
	char id[UUID_TEXT];
	const char *json; /* with the match keys that were given out */
	const char *invoice_number, *date, *category, *match_key;
	struct decimal receivable;
	bool is_payment; /* closes an item that was open */
};

struct tn_org {
	struct tn_org *next;
	const char *tenant, *name;
	char number[16]; /* organisation number */
	char client_id[UUID_TEXT], client_secret[UUID_TEXT], subscription_key[UUID_TEXT];
	struct tn_account *accounts;
	struct tn_record *products, *contacts;
	struct tn_invoice *invoices; /* newest first */
	struct tn_voucher *vouchers; /* newest first */
	int64_t token_s, next_number, next_match_key;
	uint64_t token_epoch; /* older tokens are no good */
	int64_t gross_off; /* by so many units it computes an invoice's sum otherwise than we */
	const char *closed_until; /* YYYY-MM-DD; "": no period is closed */
	uint64_t calls, unauthorized, token_requests, refused, refused_duplicates;
	uint64_t products_added, products_changed, contacts_added, contacts_changed;
	uint64_t version_conflicts, payments_told;
};

struct tn_token {
	struct tn_org *org;
	uint64_t epoch;
	int64_t expires_ms;
};

struct talenom {
	struct standin_state base; /* its lock guards all below */
	struct tn_org *orgs;
	struct table tokens;
	int64_t next_org;
	uint64_t next_version;
};

/* One call in this system. */
struct tn_call {
	struct call *c;
	struct talenom *t;
	const struct tn_route *route;
	struct tn_org *org;
	const char *id; /* in the path */
	const struct json *body; /* an object or array; NULL when there is none */
};

struct tn_route {
	const char *method, *pattern; /* {} is any segment */
	void (*serve_locked)(struct tn_call *tc);
};

/* ---- talenom.c ----------------------------------------------------------------------------- */

/* The API's error object. Always false. */
bool tn_fail(struct tn_call *tc, unsigned status, const char *code, const char *text);
/* 400 by the organisation's rules: counted. Always false. */
bool tn_refuse(struct tn_call *tc, const char *code, const char *text);
const char *tn_keep(struct talenom *t, const char *text);
/* JSON of what the writer made, kept. NULL when it is full. */
const char *tn_keep_json(struct talenom *t, struct strbuf *sb);
/* By tenant key or organisation number. */
struct tn_org *tn_find_locked(struct talenom *t, const char *name);
/* "0000000000000007" */
void tn_write_version(struct json_writer *w, uint64_t version);
bool tn_is_version(const struct json *body, uint64_t version);
/* "" for what is not there. */
const char *tn_text(const struct json *j, const char *path);
/* A number, or a text that holds one; 0 when there is none. */
struct decimal tn_decimal(const struct json *j, const char *name);

/* ---- talenom_registers.c ------------------------------------------------------------------- */

void tn_accounts_locked(struct tn_call *tc);
void tn_products_locked(struct tn_call *tc);
void tn_add_product_locked(struct tn_call *tc);
void tn_change_product_locked(struct tn_call *tc);
void tn_contacts_locked(struct tn_call *tc);
void tn_add_contact_locked(struct tn_call *tc);
void tn_change_contact_locked(struct tn_call *tc);
bool tn_add_account_locked(struct talenom *t, struct tn_org *org, const char *number,
			   const char *name, const char *percent, bool is_active);
/* Members of `fields` over what it was; key and name are those members. NULL when full. */
struct tn_record *tn_keep_record_locked(struct talenom *t, struct tn_record **list,
					struct tn_record *old, const struct json *fields,
					const char *key_member);
void tn_write_record(struct json_writer *w, const struct tn_record *r);

/* ---- talenom_invoice.c --------------------------------------------------------------------- */

void tn_invoices_locked(struct tn_call *tc);
void tn_invoice_locked(struct tn_call *tc);
void tn_draft_locked(struct tn_call *tc);
void tn_content_locked(struct tn_call *tc);
void tn_approve_locked(struct tn_call *tc);
void tn_payment_locked(struct tn_call *tc);
/* Is the day in a closed period? */
bool tn_is_closed(const struct tn_org *org, const char *date);

/* ---- talenom_ledger.c ---------------------------------------------------------------------- */

void tn_post_vouchers_locked(struct tn_call *tc);
void tn_vouchers_locked(struct tn_call *tc);

/* ---- talenom_control.c, talenom_seed.c ----------------------------------------------------- */

void tn_control(void *state, struct call *c, size_t first);
void tn_write_ledger(void *state, bool with_documents, struct json_writer *w);
void tn_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w);
bool tn_seed(void *state, const struct tenant_spec *spec, struct err *err) MUST_CHECK;

#endif
