/* internal.h: what the files of this flow share. */
#ifndef SEVERA_MAVENTA_INTERNAL_H
#define SEVERA_MAVENTA_INTERNAL_H

#include "base/base.h"
#include "flow.h"
#include "model/invoice.h"
#include "systems/maventa.h"
#include "systems/severa.h"

#define STEP_INVOICE "maventa.invoice"
#define STEP_STATUS "severa.status"

enum sm_format { SM_BY_COUNTRY, SM_FINVOICE, SM_PEPPOL };

/* A connection's settings, read. */
struct sm_settings {
	const char *transfer, *transferred, *failed; /* guid or name */
	const char *company; /* company_id of the company whose invoices are relayed */
	enum sm_format format;
	bool send_pdf, send_by_email;
	struct maventa_settings account; /* what the user set of the account's own settings */
	const char *comment; /* in the e-mail; may be NULL */
	const char *einvoice_address, *einvoice_operator, *iban, *bic; /* ours; may be NULL */
	const char *buyer_reference; /* may be NULL */
	const char *zero_domestic, *zero_eu, *zero_outside; /* VAT categories; may be NULL */
	const char *exempt_reason; /* of category E; may be NULL */
	bool kid_mod11, not_in_company_register;
};

/* One attempt with all that it needs. */
struct sm {
	struct attempt *at;
	const struct json *settings, *credentials;
	struct sm_settings set;
	struct severa severa;
	struct maventa maventa;
	const struct severa_status *transfer, *transferred;
};

/* settings.c */
#define SM_N_SETTINGS 29
#define SM_N_CREDENTIALS 5
extern const struct setting sm_setting_table[SM_N_SETTINGS];
extern const struct credential sm_credential_table[SM_N_CREDENTIALS];
bool sm_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err);
/* Settings and Severa: what a connection has before it has keys of Maventa's. */
bool sm_open_severa(struct sm *r, struct attempt *at, struct err *err) MUST_CHECK;
bool sm_open(struct sm *r, struct attempt *at, struct err *err) MUST_CHECK;
/* Finds the statuses; needs Severa. */
bool sm_find_statuses(struct sm *r, struct err *err) MUST_CHECK;
/* By which two spellings of one company's VAT number are known as the same: its register number
 * where it can be told, else the number without blanks. NULL past the arena's cap. */
const char *sm_company_id(struct arena *arena, const char *vat_number, const char *country);

/* check.c */
bool sm_check(struct attempt *at, struct err *err);

#endif
