/*
 * maventa.h: private to the Maventa stand-in (facts/maventa.md). Accounts of companies, users with
 * a key each, which open the companies that they belong to, and the invoices sent.
 *
 * Everything lives in one arena until a reset, and one lock guards it; functions named _locked want
 * it held. What a request carries is taken apart without it.
 */
#ifndef SANDBOX_MAVENTA_H
#define SANDBOX_MAVENTA_H

#include "base/clock.h"
#include "base/decimal.h"
#include "call.h"
#include "codec/sign.h"
#include "codec/xml.h"
#include "sandbox.h"
#include "seed.h"
#include "store.h"

#define MV_FILES_MAX 80
#define MV_VENDOR_KEY "5a9d0b6e-0000-4000-8000-00000000f001"

struct mv_user {
	struct mv_user *next;
	char id[UUID_TEXT], key[UUID_TEXT];
	const char *email, *first_name, *last_name;
};

struct mv_member {
	struct mv_member *next;
	struct mv_user *user;
	bool is_admin;
};

struct mv_subscription {
	struct mv_subscription *next;
	char id[UUID_TEXT];
	const char *json; /* as it was asked for */
	bool is_gone;
};

/* What becomes of an invoice, and when: after so many reads, or so long. */
struct mv_script {
	bool is_set, fails;
	int64_t after_reads, after_ms;
	bool fails_late; /* once more, after it was delivered */
	int64_t late_reads, late_ms;
	const char *message; /* of the failure; NULL: a preset */
};

/* A script for one number, or for the next invoice. */
struct mv_order {
	struct mv_order *next;
	const char *number; /* NULL: any */
	struct mv_script script;
};

struct mv_action {
	struct mv_action *next;
	int64_t at_ms;
	const char *type, *channel, *key, *message; /* channel, message may be NULL */
};

enum mv_status { MV_PENDING, MV_DELIVERED, MV_FAILED };

/* An invoice as its document says. Texts are "" when it does not say. */
struct mv_document {
	const char *format;
	const char *number, *date, *due_date, *currency, *reference;
	struct decimal net, gross;
	const char *sender_id, *sender_name; /* business id as it stands there */
	const char *address, *operator_id; /* of the recipient */
	const char *name, *email, *street, *postcode, *city, *country, *recipient_id;
	struct span xml;
};

struct mv_invoice {
	struct mv_invoice *next, *next_same_number;
	struct mv_company *company;
	char id[UUID_TEXT];
	uint64_t seq;
	struct mv_document doc;
	const char *route; /* EINVOICE, EMAIL, PRINT; NULL: none was found */
	const char *route_failure; /* why there is none */
	const char *form; /* JSON object of the plain fields */
	const char *files; /* JSON array of names */
	bool is_deleted; /* as if it had never been */
	enum mv_status status;
	int64_t created_ms, delivered_ms, reads, reads_at_delivery;
	struct mv_script script;
	struct mv_action *actions; /* newest first */
};

struct mv_company {
	struct mv_company *next;
	const char *tenant; /* NULL: of none that the sandbox made */
	char id[UUID_TEXT];
	const char *name, *business_id, *vat_number, *country, *email;
	const char *state, *auth_state, *auth_email; /* VERIFIED ..., SENT ... */
	const char *settings; /* JSON */
	bool is_linked, is_disabled, is_partner;
	struct mv_member *members;
	struct mv_subscription *subscriptions;
	struct mv_invoice *invoices; /* newest first */
	struct table by_number;
	struct mv_order *orders;
	struct mv_script preset;
	uint64_t denied_scopes;
	bool refuses_missing_scope, wants_whole_settings;
	int64_t token_s, daily_limit, sent_today;
	uint64_t token_epoch; /* older tokens are no good */
	uint64_t calls, token_requests, unauthorized, refused, refused_duplicates, invoices_made;
	uint64_t authorizations, settings_changes;
};

struct mv_token {
	struct mv_company *company;
	struct mv_user *user;
	uint64_t scopes, epoch;
	int64_t expires_ms;
};

struct mv_receiver {
	const char *address, *operator_id, *network, *name, *business_id, *country;
};

struct maventa {
	struct standin_state base; /* its lock guards all below */
	struct mv_company *companies;
	struct mv_user *users;
	struct table tokens, by_id; /* by_id: invoices of every company */
	struct mv_receiver *receivers;
	size_t n_receivers, cap_receivers;
	struct mv_company *partner;
	uint64_t next_seq, registrations;
	bool takes_brackets; /* lists in forms are named with [] */
	unsigned token_error; /* status of a refused login; 0: 401 */
};

/* One call in this system. */
struct mv_call {
	struct call *c;
	struct maventa *m;
	const struct mv_route *route;
	struct mv_company *company; /* NULL: none logged in */
	struct mv_user *user;
	const char *id; /* in the path */
	void *parsed; /* the route's own */
};

struct mv_route {
	const char *method, *pattern; /* {} is an id */
	uint64_t scope; /* 0: no login */
	/* Takes the request apart. False: the reply is set. May be NULL. */
	bool (*prepare)(struct mv_call *mc);
	void (*serve_locked)(struct mv_call *mc);
};

/* ---- maventa.c ----------------------------------------------------------------------------- */

/* An error object. details may be NULL. Always false. */
bool mv_fail(struct mv_call *mc, unsigned status, const char *code, const char *message,
	     const char *details);
bool mv_unauthorized(struct mv_call *mc);
/* A copy in the state's arena; "" for NULL and when it is full. */
const char *mv_keep(struct maventa *m, const char *text);
/* "2026-02-03T09:15:00Z" */
void mv_time(struct json_writer *w, const char *key, int64_t ms);
/* By tenant key, company uuid or business id. */
struct mv_company *mv_find_locked(struct maventa *m, const char *name);
struct mv_company *mv_by_business_id_locked(struct maventa *m, const char *id, const char *country);
/* "1234567-1" of "FI12345671", "981234561" of "NO981234561MVA"; in buf. */
const char *mv_business_id(const char *text, char buf[32]);

/* ---- maventa_auth.c ------------------------------------------------------------------------ */

enum {
	MV_INVOICE_SEND = 1,
	MV_INVOICE_RECEIVE = 2,
	MV_COMPANY_READ = 4,
	MV_COMPANY_WRITE = 8,
	MV_LOOKUP = 16,
	MV_GLOBAL = 32,
	MV_PARTNER_LOOKUPS = 64,
	MV_OTHER = 128,
};
uint64_t mv_scopes_parse(const char *text, bool *ret_unknown);
bool mv_authenticate(struct mv_call *mc) MUST_CHECK;
void mv_token_locked(struct mv_call *mc);
void mv_current_locked(struct mv_call *mc);
void mv_authenticated_locked(struct mv_call *mc);

/* ---- maventa_company.c --------------------------------------------------------------------- */

struct mv_user *mv_user_by_email_locked(struct maventa *m, const char *email);
struct mv_user *mv_add_user_locked(struct maventa *m, const char *email, const char *first_name,
				   const char *last_name);
struct mv_company *mv_add_company_locked(struct maventa *m, const char *name,
					 const char *business_id, const char *vat_number,
					 const char *country, const char *email);
bool mv_join_locked(struct maventa *m, struct mv_company *co, struct mv_user *user, bool is_admin);
void mv_companies_locked(struct mv_call *mc);
void mv_company_status_locked(struct mv_call *mc);
void mv_partner_lookup_locked(struct mv_call *mc);
void mv_vendors_locked(struct mv_call *mc);
void mv_authorization_locked(struct mv_call *mc);
void mv_authorize_locked(struct mv_call *mc);
void mv_notifications_locked(struct mv_call *mc);
void mv_notify_locked(struct mv_call *mc);
void mv_notification_locked(struct mv_call *mc);
void mv_receivers_locked(struct mv_call *mc);

/* maventa_settings.c */
const char *mv_default_settings(struct maventa *m, const struct mv_company *co);
void mv_settings_locked(struct mv_call *mc);
void mv_change_settings_locked(struct mv_call *mc);
/* "send_invoice_print.enabled" */
bool mv_setting_locked(struct mv_call *mc, const char *path);

/* maventa_soap.c */
void mv_wsdl_locked(struct mv_call *mc);
bool mv_soap_prepare(struct mv_call *mc);
void mv_soap_locked(struct mv_call *mc);

/* ---- maventa_document.c ---------------------------------------------------------------------- */

struct mv_package {
	struct mv_document doc;
	bool has_image;
	const char *files; /* JSON array of names */
};
/* A lone XML or a ZIP. NULL when it is in order, else "ERROR: ...". */
const char *mv_package_read(struct arena *arena, struct span file, struct mv_package *ret);

/* ---- maventa_invoice.c, maventa_follow.c --------------------------------------------------- */

bool mv_upload_prepare(struct mv_call *mc);
void mv_upload_locked(struct mv_call *mc);
void mv_list_locked(struct mv_call *mc);
void mv_invoice_locked(struct mv_call *mc);
void mv_actions_locked(struct mv_call *mc);
void mv_write_invoice(struct json_writer *w, const struct mv_invoice *in);
void mv_add_action_locked(struct maventa *m, struct mv_invoice *in, const char *type,
			  const char *channel, const char *key, const char *message);
const char *mv_status_name(enum mv_status s);
/* Moves it as far as reads and time let it. */
void mv_advance_locked(struct maventa *m, struct mv_invoice *in, bool is_read);

/* ---- maventa_control.c, maventa_seed.c ----------------------------------------------------- */

void mv_control(void *state, struct call *c, size_t first);
void mv_write_ledger(void *state, bool with_documents, struct json_writer *w);
void mv_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w);
bool mv_seed(void *state, const struct tenant_spec *spec, struct err *err) MUST_CHECK;
/* The same text gives the same id. */
void mv_fixed_id(const char *what, const char *which, char ret[UUID_TEXT]);

#endif
