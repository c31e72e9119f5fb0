/*
 * maventa.h: Visma Maventa's e-invoicing network as the flows see it: a company's account (to
 * register, to have authenticated, its settings), receivers, and invoices: to send and to follow
 * (facts/maventa.md). REST but for the registration, which is SOAP.
 *
 * Every call goes through at->ops->exchange, with the limit key of the company. Errors are the
 * verdict's; a write's failure is ERR_DOUBT only when it may have been carried out. What the vendor
 * does not document is guessed in one place: assumptions.c. All results live in the attempt's
 * arena. One attempt, one thread.
 */
#ifndef SYSTEMS_MAVENTA_H
#define SYSTEMS_MAVENTA_H

#include "base/base.h"
#include "attempt.h"
#include "codec/json.h"
#include "model/connection.h"
#include "model/invoice.h"
#include "system.h"

/* What the configuration says of Maventa. */
struct maventa_options {
	const char *url, *soap_url;
	struct secret vendor_key;
	const char *partner_company;
	struct secret partner_key;
	struct pace pace;
	int array_style; /* enum maventa_array_style */
	bool names_format;
	int64_t auth_poll_ms, auth_poll_for_ms; /* looking whether a company is authenticated */
};
extern const struct system maventa_system;
const struct maventa_options *maventa_options(const struct system_values *v);
/* Ours, per company account: the vendor names none. ERR_INPUT with pointer. Pure. */
bool maventa_limit(const struct system_values *v, const char *company, struct limit_key *ret,
		   struct err *err) MUST_CHECK;

struct maventa {
	struct attempt *at;
	const struct maventa_options *opt;
	const char *base_url, *soap_url; /* no trailing slash; the WSDL's address */
	const char *company, *user_key; /* a pair: the account and one of its users */
	const char *vendor_key; /* ours */
	const char *limit_key; /* NULL: no account of a connection's */
	const char *scopes; /* asked for, blank-separated */
	const char *token_key; /* of the shared token */
};

/*
 * settings.maventa.url and .soap_url override the configuration (the vendor's test environment,
 * which has vendor keys of its own); credentials = the "maventa" member: company_uuid,
 * user_api_key, and vendor_api_key where it is not the configuration's. No I/O. ERR_CREDENTIALS
 * when a key is missing; which one is the subject.
 */
bool maventa_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		  struct maventa *ret, struct err *err) MUST_CHECK;
/* As the vendor, before there is a pair: for maventa_register and maventa_is_free alone.
 * credentials may be NULL. */
bool maventa_open_vendor(struct attempt *at, const struct json *settings,
			 const struct json *credentials, struct maventa *ret,
			 struct err *err) MUST_CHECK;

/* ---- the account --------------------------------------------------------------------------- */

/* Whom a pair belongs to. */
struct maventa_current {
	const char *user_id, *user_email, *first_name, *last_name;
	const char *company_id, *business_id, *company_name, *country, *vat_number;
	bool is_disabled;
	const char *scopes; /* granted, blank-separated */
	const char *missing_scopes; /* of those that a flow needs; "" when there are all */
};
/*
 * Asks with a login of its own, so that the answer is about the keys as they are now (MV-07).
 * ERR_CREDENTIALS with the reason keys_swapped when they fit the other way round, and when the
 * account is not the one that the UUID names.
 */
bool maventa_current(struct maventa *mv, struct maventa_current *ret, struct err *err) MUST_CHECK;

struct maventa_registration {
	const char *company_name; /* at least 3 characters */
	const char *business_id; /* VAT number preferred: FI12345678, NO123456789MVA */
	const char *company_email;
	const char *street, *street2, *postcode, *city, *country; /* country: ISO 3166-1 alpha-2 */
	const char *first_name, *last_name, *email, *phone; /* who becomes the user */
};
struct maventa_registered {
	const char *company_uuid;
	const char *user_api_key; /* NULL: the e-mail belongs to a Maventa user already (MV-04) */
	const char *einvoice_address; /* NULL: none told */
};
/*
 * A write that cannot be repeated: intent before, outcome after; in doubt maventa_is_free is asked
 * (MV-02). ERR_DATA with a reason for what is wrong in it, business_id_taken among them.
 */
bool maventa_register(struct maventa *mv, const struct maventa_registration *r,
		      struct maventa_registered *ret, struct err *err) MUST_CHECK;
/*
 * Has no account at Maventa the business id yet? Asked with the partner account of the
 * configuration; without one ERR_SYSTEM partner_account_missing: a person must look.
 */
bool maventa_is_free(struct maventa *mv, const char *business_id, const char *country,
		     bool *ret_is_free, struct err *err) MUST_CHECK;

struct maventa_company {
	const char *id, *name, *business_id;
};
/* Accounts of the pair's user with the business id; NULL: all of them. */
bool maventa_companies(struct maventa *mv, const char *business_id, const char *country,
		       const struct maventa_company **ret, size_t *ret_n,
		       struct err *err) MUST_CHECK;

/* Ties the account to our vendor key, which billing, support and webhooks need; may be repeated:
 * true when the link stands, whoever made it. */
bool maventa_link(struct maventa *mv, const char **ret_state, struct err *err) MUST_CHECK;
bool maventa_link_state(struct maventa *mv, const char **ret_state, struct err *err) MUST_CHECK;
/* True when there was no link, too. */
bool maventa_unlink(struct maventa *mv, struct err *err) MUST_CHECK;

enum maventa_company_state { MAVENTA_UNKNOWN, MAVENTA_UNVERIFIED, MAVENTA_VERIFIED };
struct maventa_authorization {
	enum maventa_company_state company; /* VERIFIED is what opens sending */
	const char *state; /* of the request: PENDING SENT SIGNED CANCELED NONE; "" untold */
	const char *email; /* of the approver; "" untold */
};
bool maventa_authorization(struct maventa *mv, struct maventa_authorization *ret,
			   struct err *err) MUST_CHECK;
/* Languages of the request's e-mail; NULL-terminated. */
extern const char *const maventa_locales[];
/* Sends the request, or sends it again (MV-05). In doubt, read and send again. */
bool maventa_authorize(struct maventa *mv, const char *email, const char *locale,
		       struct err *err) MUST_CHECK;

/* ---- settings ------------------------------------------------------------------------------ */

enum maventa_switch { MAVENTA_AS_IT_IS, MAVENTA_OFF, MAVENTA_ON };
struct maventa_settings {
	enum maventa_switch email; /* the route; on by default */
	const char *email_how; /* EMBEDDED, EMBEDDED_MERGE, WITH_LINK, WITH_OBJECTIONS */
	enum maventa_switch print; /* the route; off by default */
	enum maventa_switch print_own_pdf; /* adds a cover sheet, which is charged (MV-09) */
	const char *letter_class; /* ECONOMY, PRIORITY */
	const char *color; /* BLACK_AND_WHITE, COLORED */
	enum maventa_switch stop_duplicates; /* of a number sent within the last week */
	enum maventa_switch hold_several; /* parks an invoice until someone decides at Maventa */
};
bool maventa_settings(struct maventa *mv, struct maventa_settings *ret, struct err *err) MUST_CHECK;
/* Writes those that are given, and nothing when none is. May be repeated. */
bool maventa_change_settings(struct maventa *mv, const struct maventa_settings *change,
			     struct err *err) MUST_CHECK;

/* ---- receivers ----------------------------------------------------------------------------- */

struct maventa_receiver_query {
	const char *networks; /* "PEPPOL,INTERNAL,EXTERNAL"; NULL: all three */
	const char *address, *business_id, *name, *country; /* NULL: not asked by */
};
struct maventa_receiver {
	const char *address, *operator_id, *network;
	const char *name, *business_id, *country;
};
/* None: no e-invoice address is known. */
bool maventa_receivers(struct maventa *mv, const struct maventa_receiver_query *q,
		       const struct maventa_receiver **ret, size_t *ret_n,
		       struct err *err) MUST_CHECK;

/* ---- invoices: sending --------------------------------------------------------------------- */

enum maventa_route {
	MAVENTA_ROUTE_PRINT = 1,
	MAVENTA_ROUTE_EMAIL = 2,
	MAVENTA_ROUTE_EINVOICE = 4,
};
#define MAVENTA_ATTACHMENTS_MAX 64

struct maventa_sending {
	const char *uuid; /* ours: repeatable, another one for another generation */
	const char *format; /* "PEPPOLBIS30", "FINVOICE30" */
	struct span xml;
	const struct attachment *image; /* the invoice as PDF; NULL: Maventa makes its own */
	const struct attachment *attachments; /* all must be taken by maventa_takes_file */
	size_t n_attachments;
	const char *recipient_email; /* NULL: what the document says */
	const char *recipient_address, *recipient_operator; /* both, to force it; NULL */
	unsigned disabled_routes; /* enum maventa_route */
	const char *language; /* ISO 639-1 of Maventa's own PDF and e-mail; NULL: its choice */
	const char *comment; /* in the e-mail; at most 1024 characters */
	enum maventa_switch print_own_image, print_color;
	const char *letter_class;
	bool prevent_routing; /* taken, and sent nowhere */
};
/* Does Maventa take files of this name and type? By the fact sheet's list (§5.2). */
bool maventa_takes_file(const struct attachment *file);

/* The request of a sending. */
struct maventa_form {
	const char *uuid, *content_type;
	struct span body;
};
/*
 * A lone XML, or a ZIP of the XML, the image under its base name (the uuid without dashes) and the
 * attachments under legal names of their own. ERR_DATA attachment_type, attachment_too_large,
 * field_too_long. Pure: same bytes each time.
 */
bool maventa_map_sending(struct arena *arena, const struct maventa_options *opt,
			 const struct maventa_sending *s, struct maventa_form *ret,
			 struct err *err) MUST_CHECK;

/* ---- invoices: following ------------------------------------------------------------------- */

enum maventa_state { MAVENTA_PENDING, MAVENTA_DELIVERED, MAVENTA_FAILED };
struct maventa_invoice {
	const char *id; /* lower case */
	enum maventa_state state; /* one that nobody knows: pending, look again */
	const char *status; /* Maventa's own word */
	const char *number, *reference, *date, *due_date, *currency; /* NULL: untold */
	bool has_sum, has_gross;
	struct decimal sum, gross; /* without and with tax */
	const char *recipient_address, *recipient_operator, *recipient_name;
	const char *destination, *comment, *created;
};

/*
 * Sends what maventa_map_sending made; ret->id is what it is followed by. ERR_WAITING
 * company_unverified when the company may not send yet. ERR_DUPLICATE when an invoice with the uuid
 * is there: Maventa was asked after it refused.
 */
bool maventa_send(struct maventa *mv, const struct maventa_form *form, struct maventa_invoice *ret,
		  struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: never made (or not the company's). Also the look-up of a sending in doubt. */
bool maventa_invoice(struct maventa *mv, const char *uuid, struct maventa_invoice *ret,
		     struct err *err) MUST_CHECK;
/* Sent ones, in any order; what Maventa does not have is left out. */
bool maventa_invoices(struct maventa *mv, const char *const *uuids, size_t n,
		      const struct maventa_invoice **ret, size_t *ret_n,
		      struct err *err) MUST_CHECK;

/* Sent ones with the number, whoever sent them; the newest hundred. */
bool maventa_invoices_by_number(struct maventa *mv, const char *number,
				const struct maventa_invoice **ret, size_t *ret_n,
				struct err *err) MUST_CHECK;

struct maventa_action {
	const char *type, *channel, *key, *message, *happened; /* "" when untold */
	int64_t happened_ms;
};
/* type: "ERROR"; NULL: all. Oldest first. */
bool maventa_actions(struct maventa *mv, const char *uuid, const char *type,
		     const struct maventa_action **ret, size_t *ret_n, struct err *err) MUST_CHECK;
/* Maventa's own words for why it failed: the newest ERROR's; "" when it says nothing. */
bool maventa_failure(struct maventa *mv, const char *uuid, const char **ret,
		     struct err *err) MUST_CHECK;

/* ---- notifications ------------------------------------------------------------------------- */

struct maventa_subscription {
	const char *id, *destination;
};
/* All of the company's. */
bool maventa_subscriptions(struct maventa *mv, const struct maventa_subscription **ret,
			   size_t *ret_n, struct err *err) MUST_CHECK;
/* What becomes of this company's invoices is told at the URL, which must hold an unguessable part:
 * nothing is signed. In doubt, list them. */
bool maventa_subscribe(struct maventa *mv, const char *url, const char **ret_id,
		       struct err *err) MUST_CHECK;
/* True when there was none, too. */
bool maventa_unsubscribe(struct maventa *mv, const char *id, struct err *err) MUST_CHECK;
/* The invoice that a notification is about, lower case; a hint, never data. ERR_INPUT. Pure. */
bool maventa_read_hint(struct arena *arena, struct span body, const char **ret_uuid,
		       struct err *err) MUST_CHECK;

#endif
