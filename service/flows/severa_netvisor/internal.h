/* internal.h: what the files of this flow share. */
#ifndef SEVERA_NETVISOR_INTERNAL_H
#define SEVERA_NETVISOR_INTERNAL_H

#include "base/base.h"
#include "flows/severa_netvisor.h"
#include "flows/severa_road.h"
#include "register.h"
#include "systems/netvisor.h"

/* A connection's settings beside the road's, read. */
struct sn_settings {
	const char *invoice_state; /* "unsent", "open" */
	bool customers_to_netvisor, customers_to_severa; /* neither: the temporary one alone */
	bool products_to_netvisor, products_to_severa; /* the same */
	const char *temp_customer;
	const char *temp_product; /* NULL: rows without a sure code are an error */
	const char *product_group;
	const char *project_heading, *unit_heading; /* NULL: not used */
	const char *phase_heading; /* NULL: phases are no items; may be the projects' */
	bool dimensions_on_invoice_rows, email_channel;
	bool private_without_vat; /* customers without a VAT number are private persons */
	const char *vat_domestic, *vat_domestic_zero, *vat_eu_zero, *vat_outside_zero;
	const struct json *languages, *operators;
	const struct netvisor_operators *known_operators;
	/* Travel reimbursements; transfer NULL: they are not relayed. */
	const char *travel_transfer, *travel_sending, *travel_transferred;
	const struct json *travel_employees, *travel_ratios;
	bool dimensions_on_travel_rows;
	/* Rows of purchase invoices. */
	bool purchases, purchase_billable;
	enum severa_fee_resource purchase_resource;
	const char *purchase_heading, *purchase_from;
	const char *purchase_product, *purchase_user, *purchase_phase; /* may be NULL */
};

/* One attempt with all that it needs; the road's first. */
struct sn {
	struct road road;
	struct sn_settings set;
	struct netvisor netvisor;
	const struct netvisor_dimension *dimensions; /* as read in this attempt; NULL: not yet */
	size_t n_dimensions;
};

static inline struct sn *sn_of(struct road *r)
{
	return (struct sn *)r;
}

/* flow.c: both sides opened, for what is no document; nothing called. */
bool sn_start(struct attempt *at, struct sn **ret, struct err *err) MUST_CHECK;

/* registers.c: what the register syncs (register.h) share */
#define SN_REGISTERS_SCHEDULE "{\"interval_s\":2400}" /* customers and products (NV-10) */
/* As struct register_sync wants it: one Severa and one company at Netvisor. */
bool sn_link_scope(struct attempt *at, const char **ret, struct err *err) MUST_CHECK;
/* Of what is made on the way of a document (attempt.h, link_put). */
bool sn_link_table(struct sn *r, const char *kind, struct link_table *ret,
		   struct err *err) MUST_CHECK;
/* Is the setting of this name so? */
bool sn_is_set(const struct json *settings, const char *name, const char *value);
/* "product:k-1": the business key of a record; codes are compared without case, as Netvisor does.
 */
const char *sn_code_key(struct arena *arena, const char *kind, const char *code);

/* settings.c */
#define SN_N_SETTINGS (ROAD_N_SETTINGS + 37)
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
/* What must not be empty in Netvisor is as it is there by default. */
void sn_fill_defaults(struct netvisor_customer *card);
/* As it is made: defaults filled, nothing empty. */
struct netvisor_customer sn_new_card(const struct netvisor_customer *card);
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

/* card_back.c, pure: the other way */
/* NV-04; ERR_DATA. */
bool sn_check_back(const struct netvisor_customer *c, struct err *err) MUST_CHECK;
/* What of Netvisor's customer is kept in Severa; false: arena full. */
bool sn_card_back(struct arena *arena, const struct sn_settings *set,
		  const struct netvisor_customer *c, struct netvisor_customer *ret) MUST_CHECK;
/* What is written to Severa: of sn_card_back's, those of the values that are changed. */
bool sn_card_form(struct arena *arena, const struct sn_settings *set,
		  const struct netvisor_customer *back, const struct register_value *values,
		  size_t n, struct severa_customer_form *ret) MUST_CHECK;

/* directions.c: the register, if it can go both ways, goes this way from now on; ERR_DATA
 * direction_opposite while an active connection of this company sends it the other way. */
bool sn_claim_direction(struct sn *r, const char *register_name, struct err *err) MUST_CHECK;
/* For what is made on the way of a document; ERR_WAITING. Claims nothing. */
bool sn_may_go(struct sn *r, const char *register_name, struct err *err) MUST_CHECK;
/* At each poll: what the settings do not let go any more is free for others. */
bool sn_leave_directions(struct sn *r, struct err *err) MUST_CHECK;
/* The same as problems of the check. */
bool sn_check_directions(struct road_check *c, struct err *err) MUST_CHECK;
static inline bool sn_pass_on(const struct err *why, struct err *err)
{
	if (err)
		*err = *why;
	return false;
}

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
/* With customers that Netvisor keeps: it has this one. Writes nothing. */
bool sn_kept_customer(struct sn *r, const struct customer *c, struct err *err) MUST_CHECK;

/* customers_sync.c */
extern const struct register_sync sn_customers_sync;

/* customers_back.c */
extern const struct register_sync sn_customers_back;

/* products.c: of rows whose product was chosen */
bool sn_products(struct sn *r, struct invoice *inv, struct err *err) MUST_CHECK;

/* products_sync.c, products_back.c: the register */
#define SN_PRODUCT "product" /* kind of its links and leases */
extern const struct register_sync sn_products_sync, sn_products_back;
/* "K-1 Konsultointi"; NULL: arena full. */
const char *sn_product_label(struct arena *arena, const char *code, const char *name);
/* As struct register_sync wants it: none that is linked with another record. */
bool sn_match_product(const struct register_record *r, const struct register_match *m,
		      struct err *err);
bool sn_product_match(struct arena *arena, const char *id, const char *code, const char *version,
		      struct register_match *ret) MUST_CHECK;

/* dimension_items.c: what a project, unit or phase is as a dimension item; pure */
#define SN_ITEM_CODE "code" /* values of its link */
#define SN_ITEM_NAME "name"
#define SN_ITEM_VALUES 2
struct sn_item {
	const char *id; /* Severa's */
	const char *heading;
	const char *code, *name; /* code NULL: it has no number */
	const char *item; /* "82 Website": its name under the heading */
	/* A phase below its project's item; NULL: at the top. The father is set once known. */
	const char *project_id, *father_key, *father_item;
};
/* ERR_DATA field_too_long, phase_number_missing. */
bool sn_project_item(struct arena *arena, const struct sn_settings *set,
		     const struct severa_project *p, struct sn_item *ret,
		     struct err *err) MUST_CHECK;
bool sn_unit_item(struct arena *arena, const struct sn_settings *set, const struct severa_unit *u,
		  struct sn_item *ret, struct err *err) MUST_CHECK;
bool sn_phase_item(struct arena *arena, const struct sn_settings *set, const struct severa_phase *p,
		   struct sn_item *ret, struct err *err) MUST_CHECK;
/* The father by the project's link; false: arena full. */
bool sn_father_item(struct arena *arena, const struct record_link *link,
		    struct sn_item *it) MUST_CHECK;
/* ERR_DATA dimension_heading_missing; a hidden one is none. */
bool sn_heading_stands(const struct netvisor_dimension *list, size_t n, const char *heading,
		       struct err *err) MUST_CHECK;
/* Those that may be it, at most max: by its code, where there is none by its name. Number. */
size_t sn_items_like(const struct netvisor_dimension *list, size_t n, const struct sn_item *it,
		     const struct netvisor_dimension **ret, size_t max);
const struct netvisor_dimension *sn_item_by_key(const struct netvisor_dimension *list, size_t n,
						const char *heading, const char *key);
/* No other than own_key has its code or its name; ERR_DATA dimension_number_taken names both. */
bool sn_item_is_free(const struct netvisor_dimension *list, size_t n, const struct sn_item *it,
		     const char *own_key, struct err *err) MUST_CHECK;
/* What is known of one that may be it. */
struct sn_theirs {
	const char *father, *code, *name;
	bool is_taken; /* linked with another record */
};
bool sn_item_may_be(const struct sn_item *it, const struct sn_theirs *theirs,
		    struct err *err) MUST_CHECK;
/* For registers; false: arena full. */
bool sn_item_values(struct arena *arena, const struct netvisor_dimension *d,
		    const struct link_value **ret) MUST_CHECK;
bool sn_item_match(struct arena *arena, const struct netvisor_dimension *d,
		   struct register_match *ret) MUST_CHECK;
bool sn_item_matches(const struct sn_item *it, const struct register_match *m,
		     struct err *err) MUST_CHECK;

/* dimensions.c: on the way of a document */
#define SN_DIMENSION "dimension" /* kind of links */
/*
 * The items of a row of this project and, where it belongs to one, phase (else NULL), made or
 * renamed where they are not so yet: what the row is to carry. None where no heading is set.
 */
bool sn_row_dimensions(struct sn *r, const char *project_id, const char *phase_id,
		       const struct dimension_value **ret, size_t *ret_n,
		       struct err *err) MUST_CHECK;
bool sn_dimensions(struct sn *r, struct invoice *inv, struct err *err) MUST_CHECK;
static inline bool sn_has_dimensions(const struct sn_settings *set)
{
	return set->project_heading || set->unit_heading || set->phase_heading;
}
/* Whose links those under a heading are. */
bool sn_dimension_table(struct sn *r, const char *heading, struct link_table *ret,
			struct err *err) MUST_CHECK;
const char *sn_item_lease(struct sn *r, const struct sn_item *it);
bool sn_rename_item(struct sn *r, const struct sn_item *it, const struct netvisor_dimension *theirs,
		    struct err *err) MUST_CHECK;

/* dimensions_sync.c */
#define SN_DIMENSIONS_SCHEDULE "{\"times\":[\"02:00\"],\"time_zone\":\"Europe/Helsinki\"}"
extern const struct register_sync sn_projects_sync, sn_units_sync, sn_phases_sync;
/* settings.c: as register_sync.wanted. */
enum sn_dimension_kind { SN_OF_PROJECTS, SN_OF_UNITS, SN_OF_PHASES };
bool sn_dimension_wanted(struct arena *arena, const struct json *settings,
			 enum sn_dimension_kind kind, const char **ret_schedule);

/* travel.c: travel reimbursements, where settings want them */
#define SN_INVOICE "invoice"
#define SN_TRAVEL "travel"
bool sn_travel_run(struct sn *r, struct err *err) MUST_CHECK;
/* Hands in what waits, and counts it. */
bool sn_travel_poll(struct sn *r, struct report *report, struct err *err) MUST_CHECK;

/* purchases.c, purchases_poll.c: rows of purchase invoices, where settings want them */
#define SN_PURCHASE "purchase_row"
bool sn_purchase_run(struct sn *r, struct err *err) MUST_CHECK;
bool sn_purchases_poll(struct sn *r, struct report *report, struct err *err) MUST_CHECK;

/* check.c */
bool sn_check(struct road_check *c, struct err *err) MUST_CHECK;

#endif
