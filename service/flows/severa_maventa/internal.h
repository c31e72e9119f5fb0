/*
 * internal.h: what the files of this flow share. A document runs on the road of all Severa flows
 * (struct sm_run); a registration, which comes before there are keys of Maventa's, has struct sm.
 */
#ifndef SEVERA_MAVENTA_INTERNAL_H
#define SEVERA_MAVENTA_INTERNAL_H

#include "base/base.h"
#include "flow.h"
#include "flows/severa_road.h"
#include "model/invoice.h"
#include "systems/maventa.h"
#include "systems/severa.h"

#define STEP_INVOICE "maventa.invoice"

enum sm_format { SM_BY_COUNTRY, SM_FINVOICE, SM_PEPPOL };

/* A connection's settings, read. */
struct sm_settings {
	const char *company; /* whose invoices are relayed, as road_company_from names it */
	enum sm_format format;
	bool finvoice_en16931, send_by_email;
	struct maventa_settings account; /* what the user set of the account's own settings */
	const char *comment; /* in the e-mail; may be NULL */
	const char *einvoice_address, *einvoice_operator; /* ours; may be NULL */
	const char *buyer_reference; /* may be NULL */
	struct road_einvoice einvoice;
	bool kid_mod11, not_in_company_register;
};

/* A connection beside the road. */
struct sm {
	struct attempt *at;
	const struct json *settings, *credentials;
	struct severa severa;
};

/* The way that an invoice takes to its receiver. */
enum sm_way {
	SM_ANY_WAY, /* Maventa's own order: e-invoice, e-mail, paper */
	SM_BY_EMAIL,
	SM_ON_PAPER,
	SM_NOWHERE, /* taken by Maventa, and sent to nobody */
};
struct sm_route {
	enum sm_way way;
	bool is_steered; /* by a word on the customer's card, in place of an e-invoice address */
	const char *email; /* NULL: none goes along */
	unsigned disabled; /* enum maventa_route */
};

/* One document on the road. */
struct sm_run {
	struct road road; /* first: struct road_ops */
	struct sm_settings set;
	struct maventa maventa;
	struct sm_route route; /* by prepare */
	struct maventa_form form; /* by build */
	const char *format; /* Maventa's name of it */
	size_t n_files; /* beside the document */
};
static inline struct sm_run *sm_run_of(struct road *r)
{
	return (struct sm_run *)r; /* its first member */
}

/* settings.c */
#define SM_N_SETTINGS (ROAD_N_SETTINGS + ROAD_N_EINVOICE_SETTINGS + 16)
#define SM_N_CREDENTIALS (ROAD_N_CREDENTIALS + 3)
extern const struct setting sm_setting_table[SM_N_SETTINGS];
extern const struct credential sm_credential_table[SM_N_CREDENTIALS];
bool sm_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err);
void sm_read_settings(struct arena *arena, const struct json *settings, struct sm_settings *ret);
/* Settings and Severa: what a connection has before it has keys of Maventa's. */
bool sm_open_severa(struct sm *r, struct attempt *at, struct err *err) MUST_CHECK;

/* rules.c, pure */
/* By which an invoice is known at Maventa: another one for another generation, never for a repeat.
 */
struct sm_uuid_of {
	const char *connection, *company, *source_id;
	int64_t generation;
};
const char *sm_uuid(struct arena *arena, const struct sm_uuid_of *of);
bool sm_route(const struct sm_settings *set, const struct customer *c, struct sm_route *ret,
	      struct err *err) MUST_CHECK;
void sm_address_buyer(const struct sm_route *route, const struct customer *c, struct party *buyer);
/* Of an invoice whose parties are known; never SM_BY_COUNTRY. */
enum sm_format sm_format(struct arena *arena, const struct sm_settings *set,
			 const struct invoice *inv);
/* Does all that Maventa tells of it agree? */
bool sm_is_same(const struct maventa_invoice *in, const struct delivery_identity *id);

/* flow.c */
/* account.c, document.c, delivery.c, check.c: members of struct road_ops and struct flow. */
bool sm_may_send(struct road *r, struct err *err);
bool sm_is_verified(struct sm_run *m, bool *ret, struct err *err) MUST_CHECK;
/* A dialogue has seen the company verified: what waits for that reads it anew. */
bool sm_saw_verified(struct attempt *at, const char *company, struct err *err) MUST_CHECK;
/* notifications.c: the company, which is verified, has its subscription as the configuration has
 * it. What Maventa refuses is no failure. */
bool sm_subscribe(struct sm_run *m, struct err *err) MUST_CHECK;
/* The same beside the road, for a company verified or not. */
bool sm_keep_subscription(struct attempt *at, struct err *err) MUST_CHECK;
/* Of a dry run, which is not asked whether it may send. */
bool sm_note_unverified(struct sm_run *m, struct err *err) MUST_CHECK;
bool sm_prepare(struct road *r, struct err *err);
bool sm_build(struct road *r, struct err *err);
void sm_identify(const struct road *r, struct delivery_identity *id);
bool sm_look_up(struct road *r, const struct delivery_identity *id, struct delivery_seen *ret,
		struct err *err);
bool sm_send(struct road *r, const char **ret_key, struct err *err);
bool sm_verdict(struct road *r, const struct step *sent, struct road_verdict *ret, struct err *err);
bool sm_follow(struct attempt *at, struct follow_item *items, size_t n, struct err *err);
bool sm_check(struct road_check *c, struct err *err);
/* Of the running generation; NULL past the arena's cap. */
const char *sm_run_uuid(const struct sm_run *m);
/* dialogues.c */
#define SM_N_DIALOGUES 2
extern const struct dialogue sm_dialogues[SM_N_DIALOGUES];

#endif
