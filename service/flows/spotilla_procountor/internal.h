/* internal.h: what the files of this flow share. */
#ifndef SPOTILLA_PROCOUNTOR_INTERNAL_H
#define SPOTILLA_PROCOUNTOR_INTERNAL_H

#include "base/base.h"
#include "base/clock.h"
#include "flows/delivery.h"
#include "flows/setup.h"
#include "flows/spotilla_procountor.h"
#include "systems/procountor.h"
#include "systems/spotilla.h"

#define STEP_INVOICE "procountor.invoice"
#define STEP_MARK "spotilla.billing" /* the task is told what became of it */

/* Kinds of transfers and links; names of register syncs. */
#define SP_TASK "task"
#define SP_CUSTOMER "customer"
#define SP_PRODUCT "product"
#define SP_PRODUCTS "products"
#define SP_CUSTOMERS "customers"
#define SP_PARTNERS "partners"

/* A connection's settings, read. */
struct sp_settings {
	const char *from; /* YYYY-MM-DD: what was finished earlier was billed otherwise */
	bool only_with_order_number; /* PC-02 */
	bool proves_business_ids; /* the check digit counts, beside the form */
	bool is_dated_today; /* else on the day on which the task was finished */
	int64_t payment_term_days;
	const char *iban; /* NULL: the company's own for invoices */
	const char *channel; /* of invoices; NULL: the customer's */
	const char *partner_channel; /* of a new customer who has none */
	const char *number_prefix; /* of the numbers by which invoices are known again */
	const char *language; /* ISO 639-1, where the customer has none */
	const char *currency, *unit;
	struct decimal vat_rate; /* where Spotilla says none */
	int64_t vat_status;
	const char *product_group; /* id at Procountor; NULL: none */
};

/* One attempt with both sides open. */
struct sp {
	struct attempt *at;
	const struct json *settings, *credentials;
	struct sp_settings set;
	struct spotilla spotilla;
	struct procountor procountor;
	struct tz *zone; /* of Procountor's days; by sp_load_zone */
	/* By sp_find_company: Procountor's ids are unique within one company only. */
	const char *company; /* its id */
	const char *account; /* "procountor:5001" */
	const char *scope; /* of the links: the tenant and the company */
};

/* A row that is to be billed, with what the registers say of its product. */
struct sp_row {
	const struct spotilla_task_row *row;
	const struct spotilla_product *product; /* as it is now (PC-07); NULL: a free row */
	const char *product_id; /* at Procountor; NULL: a free row */
};

/* A task on its way. */
struct sp_run {
	struct delivery delivery; /* first */
	struct sp *sp;
	struct spotilla_task task;
	struct spotilla_customer customer;
	struct procountor_partner partner;
	struct sp_row *rows;
	size_t n_rows;
	const char **product_ids; /* by row of the invoice */
	const char *unlinked; /* a product that is not at Procountor yet; NULL: none */
	struct invoice inv;
	const char *hash; /* of the task (sp_task_hash) */
	struct span document;
};

/* settings.c */
#define SP_N_SETTINGS 20
#define SP_N_CREDENTIALS 6
extern const struct setting sp_setting_table[SP_N_SETTINGS];
extern const struct credential sp_credential_table[SP_N_CREDENTIALS];
bool sp_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
	       struct err *err) MUST_CHECK;
/* Settings and credentials; no side is opened. */
bool sp_read(struct sp *ret, struct attempt *at, struct err *err) MUST_CHECK;
bool sp_open(struct sp *ret, struct attempt *at, struct err *err) MUST_CHECK;
/* For what looks at days. */
bool sp_load_zone(struct sp *sp, struct err *err) MUST_CHECK;

/* company.c */
/* register.h, scope. */
bool sp_link_scope(struct attempt *at, const char **ret, struct err *err) MUST_CHECK;
/* Asked for once an hour. */
bool sp_find_company(struct sp *sp, struct err *err) MUST_CHECK;
/* What it sets, of a company that was asked for otherwise. */
bool sp_name_company(struct sp *sp, const char *id, struct err *err) MUST_CHECK;
/* Where an invoice is to be paid: of the settings, else the company's own account for invoices;
 * ERR_WAITING bank_account_missing. */
bool sp_find_iban(struct sp *sp, const char **ret, struct err *err) MUST_CHECK;
/* "procountor:5001:77120", Spotilla's external_ref of a record or task; NULL past the arena's cap.
 */
const char *sp_ref(const struct sp *sp, const char *id);
/* The id in such a text, when it is of this company; else NULL. */
const char *sp_id_of_ref(const struct sp *sp, const char *ref);
static inline struct link_table sp_links(const struct sp *sp, const char *kind)
{
	return (struct link_table) { sp->scope, kind };
}

/* rules.c, pure */
/* 1234567-8; with the check digit where the settings say so (PC-03). */
bool sp_is_business_id(const struct sp_settings *set, const char *text);
/* When a task was finished, in Finland: YYYY-MM-DD; NULL past the arena's cap or when it is not
 * told. */
const char *sp_day(struct arena *arena, const struct tz *zone, int64_t wall_ms);
/* Was it finished on the first day that counts, or later? One that does not say when is. */
bool sp_is_after_start(const struct sp *sp, int64_t completed_ms);
/* What the task itself lacks for an invoice (PC-02): ERR_WAITING with a reason. */
bool sp_task_lacks_nothing(const struct sp_settings *set, const struct spotilla_task *task,
			   struct err *err) MUST_CHECK;
/* What its customer lacks (PC-03). What one side has the other need not have. */
bool sp_customer_lacks_nothing(const struct sp_settings *set, const struct spotilla_task *task,
			       const struct spotilla_customer *c,
			       const struct procountor_partner *p, struct err *err) MUST_CHECK;
/* Is it to be billed? Those with a quantity of 0 are not. */
bool sp_is_billed(const struct spotilla_task_row *row);
/* The invoice's row: quantity and texts of the task's, price of the product as it is now, of a free
 * row its own (PC-07). ERR_WAITING with a reason where something is missing. */
bool sp_map_row(const struct sp_settings *set, const struct spotilla_task *task,
		const struct sp_row *row, struct invoice_row *ret, struct err *err) MUST_CHECK;
/* SHA-256 hex of what of a task goes on an invoice; our own mark and the register's prices do not
 * count. NULL past the arena's cap. */
const char *sp_task_hash(struct arena *arena, const struct spotilla_task *task) MUST_CHECK;
/* "SPT-90017", from the second sending on "SPT-90017-2"; NULL past the arena's cap. */
const char *sp_number(struct arena *arena, const char *prefix, const char *task_id,
		      int64_t generation);

/* numbers.c */
/* Is another Spotilla the one whose tasks have numbers with this prefix at the company? *ret NULL:
 * none is. */
bool sp_numbers_of_other(struct sp *sp, const char **ret, struct err *err) MUST_CHECK;
/* They are this Spotilla's from now on; ERR_WAITING numbers_taken where they are another's. */
bool sp_claim_numbers(struct sp *sp, struct err *err) MUST_CHECK;

/* invoice.c */
/* Reads all that belongs to the task and makes the invoice of it; no writes. */
bool sp_prepare(struct sp_run *r, struct err *err) MUST_CHECK;
/* The request; sets document. */
bool sp_build(struct sp_run *r, struct err *err) MUST_CHECK;

/* document.c */
bool sp_run_task(struct attempt *at, struct err *err) MUST_CHECK;

/* mark.c */
/* Tells the task's user what became of it, where that is not what stands there already. */
bool sp_mark_exported(struct sp_run *r, const char *invoice_id, struct err *err) MUST_CHECK;
void sp_mark_why(struct sp_run *r, const struct err *why);

/* poll.c */
bool sp_poll(struct attempt *at, struct err *err) MUST_CHECK;
/* How many finished tasks were never handed in; for the check. */
bool sp_count_waiting(struct sp *sp, int64_t *ret, struct err *err) MUST_CHECK;

/* card.c, pure */
#define SP_CARD_FIELDS 20
#define SP_FIELD_REF "external_ref"
/* By what a customer is known; NULL or "": not told. */
struct sp_card {
	const char *ref; /* id at Procountor */
	const char *business_id, *number;
};
bool sp_card_keys(struct arena *arena, const struct sp_card *card,
		  const char *keys[REGISTER_KEYS_MAX], size_t *ret_n) MUST_CHECK;
const char *sp_card_label(struct arena *arena, const char *number, const char *name);
const char *sp_card_note(struct arena *arena, const struct sp_card *card);
/* The fields that are kept alike, as they stand on either card. */
bool sp_values_of_partner(struct arena *arena, const struct sp_settings *set,
			  const struct procountor_partner *p, struct link_value **ret,
			  size_t *ret_n) MUST_CHECK;
bool sp_values_of_customer(struct arena *arena, const struct spotilla_customer *c,
			   struct link_value **ret, size_t *ret_n) MUST_CHECK;
/* As what the record is to be at the target (register.h), with room for some more. */
#define SP_VALUES_SPARE 1
bool sp_set_values(struct arena *arena, const struct link_value *values, size_t n,
		   struct register_record *r) MUST_CHECK;
/* A card that another one has, or that has the number and another business id, is not this one. The
 * match's note is the other side's sp_card_note. */
bool sp_match_card(const struct register_record *r, const struct register_match *m,
		   const struct sp_card *own, struct err *err) MUST_CHECK;
/* records.c: where a register's records come from, in register.h's words. */
struct sp_listed {
	const void *items; /* of the source's size */
	size_t n;
	const char *next;
};
struct sp_source {
	size_t size; /* of a record as its system has it */
	bool (*list)(struct sp *sp, const struct register_cursor *from, struct sp_listed *ret,
		     struct err *err);
	bool (*read)(struct sp *sp, const char *id, void *ret, struct err *err);
	/* Id, stamp and label; the record itself as data. */
	void (*name)(struct arena *arena, const void *record, struct register_record *ret);
};
extern const struct sp_source sp_product_source, sp_customer_source, sp_partner_source;
/* `list` and `read` of all three registers. */
bool sp_list(struct attempt *at, const struct register_cursor *from, struct register_page *ret,
	     struct err *err) MUST_CHECK;
bool sp_read_ids(struct attempt *at, const char *const *ids, size_t n, struct register_page *ret,
		 struct err *err) MUST_CHECK;
/* ERR_DATA: of a record that is named and cannot be read. */
bool sp_unreadable(const struct register_record *r, struct err *err);
/* What Spotilla is asked for; NULL: all. */
const char *sp_since(const struct register_cursor *from, char text[CLOCK_RFC3339_MAX]);

/* products.c, customers.c, partners.c */
extern const struct register_sync sp_products, sp_customers, sp_partners;

/* check.c */
bool sp_check(struct attempt *at, struct err *err) MUST_CHECK;

#endif
