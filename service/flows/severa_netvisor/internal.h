/* internal.h: what the files of this flow share. */
#ifndef SEVERA_NETVISOR_INTERNAL_H
#define SEVERA_NETVISOR_INTERNAL_H

#include "base/base.h"
#include "flow.h"
#include "model/invoice.h"
#include "systems/netvisor.h"
#include "systems/severa.h"

#define STEP_INVOICE "netvisor.salesinvoice"
#define STEP_STATUS "severa.status"
#define ATTACHMENT_MAX ((size_t)10 << 20)

/* A connection's settings, read. */
struct sn_settings {
	const char *transfer, *transferred, *failed; /* guid or name; failed may be NULL */
	const char *invoice_state; /* "unsent", "open" */
	bool customers_to_netvisor, products_to_netvisor; /* else the temporary one */
	const char *temp_customer;
	const char *temp_product; /* NULL: rows without a sure code are an error */
	const char *product_group;
	const char *project_heading, *unit_heading; /* NULL: not used */
	bool dimensions_on_invoice_rows, send_pdf, email_channel;
	bool private_without_vat; /* customers without a VAT number are private persons */
	const char *company; /* business id of the company whose invoices are relayed */
	const char *vat_domestic, *vat_domestic_zero, *vat_eu_zero, *vat_outside_zero;
	const struct json *languages, *operators;
};

/* One attempt with all that it needs. */
struct sn {
	struct attempt *at;
	struct sn_settings set;
	struct severa severa;
	struct netvisor netvisor;
	const struct severa_status *transfer, *transferred;
};

/*
 * Everything by which an invoice is known again at Netvisor (DESIGN §4.6), as it was when it was
 * sent: kept with the intent, since people renumber and correct while a sending is unclear.
 */
struct sn_identity {
	const char *organisation, *number, *customer_code, *date, *currency;
	const char *reference, *hash; /* may be NULL; hash: of the content (SV-05) */
	struct decimal sum;
};

/* settings.c */
#define SN_N_SETTINGS 27
#define SN_N_CREDENTIALS 9
extern const struct setting sn_setting_table[SN_N_SETTINGS];
extern const struct credential sn_credential_table[SN_N_CREDENTIALS];
bool sn_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err);
bool sn_open(struct sn *r, struct attempt *at, struct err *err) MUST_CHECK;
/* Finds the statuses; needs Severa. */
bool sn_find_statuses(struct sn *r, struct err *err) MUST_CHECK;

/* rules.c, pure */
bool sn_is_own(const struct sn_settings *set, const struct invoice *inv);
bool sn_turn_signs(struct invoice *inv);
const char *sn_vat_code(const struct sn_settings *set, const char *country, struct decimal rate);
bool sn_may_be_pdf(const struct attachment *a);
bool sn_choose_product(const struct sn_settings *set, struct invoice_row *row,
		       struct err *err) MUST_CHECK;
bool sn_customer_card(struct arena *arena, const struct sn_settings *set, const struct customer *c,
		      struct netvisor_customer *ret, struct err *err) MUST_CHECK;
bool sn_is_same_customer(struct arena *arena, const struct netvisor_customer *theirs,
			 const struct netvisor_customer *ours);
/* What has to be written so that theirs becomes ours; `last` = JSON of the values written last.
 * Number of changes. */
size_t sn_customer_changes(const struct netvisor_customer *theirs,
			   const struct netvisor_customer *ours, const struct json *last,
			   struct netvisor_customer *ret);
/* Number, reference, customer, date and signed sum agree. */
bool sn_is_same_invoice(const struct netvisor_listed *l, const struct sn_identity *id);

/* registers.c: find-or-create at Netvisor */
bool sn_customer(struct sn *r, const struct customer *c, struct err *err) MUST_CHECK;
bool sn_temp_customer(struct sn *r, struct err *err) MUST_CHECK;
/* Of rows whose product was chosen. */
bool sn_products(struct sn *r, struct invoice *inv, struct err *err) MUST_CHECK;
bool sn_dimensions(struct sn *r, struct invoice *inv, struct err *err) MUST_CHECK;

/* Drops what the cache holds of the invoice's records, so that the next run looks again. */
void sn_forget(struct sn *r, const struct invoice *inv, const char *customer_code);

/* notes.c */
void sn_note(struct sn *r, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "Added to Netvisor: customer X." done: "added to", "updated in", "renamed in". */
void sn_note_change(struct sn *r, const char *code, const char *done, const char *kind,
		    const char *name);

/* doubt.c */
/* After an empty look-up: true when the step may be (re)sent; ERR_DOUBT while it is too early. */
bool sn_absence_counts(struct sn *r, const char *step, const struct step *s,
		       struct err *err) MUST_CHECK;
/* Lives as long as its parts. */
void sn_identity_of(const struct sn *r, const struct invoice *inv, const char *customer_code,
		    const char *hash, struct sn_identity *ret);
bool sn_identity_write(struct arena *arena, const struct sn_identity *id, const char **ret,
		       struct err *err) MUST_CHECK;
bool sn_identity_read(struct arena *arena, const char *text, struct sn_identity *ret,
		      struct err *err) MUST_CHECK;
/* *ret_key NULL when absent; ERR_DATA number_taken, several_matches or target_changed. */
bool sn_look_up(struct sn *r, const struct sn_identity *id, const char **ret_key,
		struct err *err) MUST_CHECK;
/* After a failed write: clears the intent when it was certainly not carried out. Returns false. */
bool sn_write_failed(struct sn *r, const char *step, const struct err *why, struct err *err);

/* watch.c */
/* ERR_WAITING status_taken while another active connection relays the company's invoices. */
bool sn_may_relay(struct sn *r, struct err *err) MUST_CHECK;
bool sn_poll(struct attempt *at, struct err *err);
bool sn_check(struct attempt *at, struct err *err);

#endif
