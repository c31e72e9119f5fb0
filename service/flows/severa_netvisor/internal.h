/* internal.h: what the files of this flow share. */
#ifndef SEVERA_NETVISOR_INTERNAL_H
#define SEVERA_NETVISOR_INTERNAL_H

#include "base/base.h"
#include "flows/severa_netvisor.h"
#include "flows/severa_road.h"
#include "systems/netvisor.h"

/* A connection's settings beside the road's, read. */
struct sn_settings {
	const char *invoice_state; /* "unsent", "open" */
	bool customers_to_netvisor, products_to_netvisor; /* else the temporary one */
	const char *temp_customer;
	const char *temp_product; /* NULL: rows without a sure code are an error */
	const char *product_group;
	const char *project_heading, *unit_heading; /* NULL: not used */
	bool dimensions_on_invoice_rows, email_channel;
	bool private_without_vat; /* customers without a VAT number are private persons */
	const char *vat_domestic, *vat_domestic_zero, *vat_eu_zero, *vat_outside_zero;
	const struct json *languages, *operators;
	const struct netvisor_operators *known_operators;
};

/* One attempt with all that it needs; the road's first. */
struct sn {
	struct road road;
	struct sn_settings set;
	struct netvisor netvisor;
};

static inline struct sn *sn_of(struct road *r)
{
	return (struct sn *)r;
}

/* flow.c: both sides opened, for what is no document; nothing called. */
bool sn_start(struct attempt *at, struct sn **ret, struct err *err) MUST_CHECK;

/* registers.c: what the register syncs (register.h) share */
#define SN_REGISTERS_S 2400 /* NV-10: customers and products, every 40 minutes */
/* As struct register_sync wants it: one Severa and one company at Netvisor. */
bool sn_link_scope(struct attempt *at, const char **ret, struct err *err) MUST_CHECK;
/* "product:k-1": the business key of a record; codes are compared without case, as Netvisor does.
 */
const char *sn_code_key(struct arena *arena, const char *kind, const char *code);

/* settings.c */
#define SN_N_SETTINGS (ROAD_N_SETTINGS + 19)
#define SN_N_CREDENTIALS (ROAD_N_CREDENTIALS + 7)
extern const struct setting sn_setting_table[SN_N_SETTINGS];
extern const struct credential sn_credential_table[SN_N_CREDENTIALS];
bool sn_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err);
bool sn_open(struct road *r, struct err *err) MUST_CHECK;

/* rules.c, pure */
bool sn_turn_signs(struct invoice *inv);
const char *sn_vat_code(const struct sn_settings *set, const char *country, struct decimal rate);
bool sn_may_be_pdf(const struct attachment *a);
bool sn_choose_product(const struct sn_settings *set, struct invoice_row *row,
		       struct err *err) MUST_CHECK;
/* Number, reference, customer, date and signed sum agree. */
bool sn_is_same_invoice(const struct netvisor_listed *l, const struct delivery_identity *id);

/* card.c, pure: customers, whose fields bear Netvisor's names on both sides */
#define SN_CUSTOMER "customer" /* kind of the links */
/* What Severa's customer is in Netvisor; false: arena full. */
bool sn_card_of(struct arena *arena, const struct sn_settings *set, const struct customer *c,
		struct netvisor_customer *ret) MUST_CHECK;
/* The same, of one that lacks nothing. */
bool sn_customer_card(struct arena *arena, const struct sn_settings *set, const struct customer *c,
		      struct netvisor_customer *ret, struct err *err) MUST_CHECK;
bool sn_is_same_customer(struct arena *arena, const struct netvisor_customer *theirs,
			 const struct netvisor_customer *ours);
/* The same question, of the notes of two cards; ERR_DATA customer_number_taken. */
const char *sn_card_note(struct arena *arena, const struct netvisor_customer *c);
bool sn_match_note(const char *own, const char *code, const struct register_match *m,
		   struct err *err) MUST_CHECK;
/*
 * What has to be written so that theirs becomes ours: what differs and has moved since it was
 * synchronised last; link NULL: it never was. Number of changes.
 */
size_t sn_customer_changes(const struct netvisor_customer *theirs,
			   const struct netvisor_customer *ours, const struct record_link *link,
			   struct netvisor_customer *ret);
/* As a link keeps them; false: arena full. */
bool sn_card_values(struct arena *arena, const struct netvisor_customer *c,
		    const struct link_value **ret, size_t *ret_n) MUST_CHECK;

/* additions.c: find-or-create at Netvisor, once */
#define SN_FRESH_MS ((int64_t)10 * 60 * 1000) /* for so long what was seen there is believed */
bool sn_full(struct err *err);
/* Names of a record: in the cache, as a lease, as the step of its creation (NULL: arena full). */
const char *sn_cache_key(struct sn *r, const char *kind, const char *code);
const char *sn_record_name(struct sn *r, const char *kind, const char *code);
const char *sn_step_name(struct sn *r, const char *kind, const char *code);
/* Before an addition: not while an earlier one may still have been carried out. */
bool sn_begin_addition(struct sn *r, const char *step, struct err *err) MUST_CHECK;
/* Found: an addition that nobody knew the end of has ended. */
bool sn_close_addition(struct sn *r, const char *step, const char *key, struct err *err) MUST_CHECK;
bool sn_may_be_there(const struct err *why);
bool sn_refused(struct sn *r, const char *step, const struct err *why, struct err *err);
/* Gives the lease back; returns ok, with err = why where it is not. */
bool sn_release(struct sn *r, const char *record, bool ok, const struct err *why, struct err *err);
/* Drops what the cache holds of the invoice's records, so that the next run looks again. */
void sn_forget(struct sn *r, const struct invoice *inv, const char *customer_code);

/* customers.c */
bool sn_customer(struct sn *r, const struct customer *c, struct err *err) MUST_CHECK;
bool sn_temp_customer(struct sn *r, struct err *err) MUST_CHECK;

/* customers_sync.c */
extern const struct register_sync sn_customers_sync;

/* products.c: of rows whose product was chosen */
bool sn_products(struct sn *r, struct invoice *inv, struct err *err) MUST_CHECK;

/* dimensions.c */
bool sn_dimensions(struct sn *r, struct invoice *inv, struct err *err) MUST_CHECK;

/* check.c */
bool sn_check(struct road_check *c, struct err *err) MUST_CHECK;

#endif
