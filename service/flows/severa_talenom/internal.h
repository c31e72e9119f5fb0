/* internal.h: what the files of this flow share. */
#ifndef SEVERA_TALENOM_INTERNAL_H
#define SEVERA_TALENOM_INTERNAL_H

#include "base/base.h"
#include "flows/severa_road.h"
#include "flows/severa_talenom.h"
#include "systems/talenom.h"

/*
 * The steps of one delivery, in their order; beside them each contact and product has a step of its
 * own. STEP_BOOKED books the revenue, by approval or by voucher, and is the delivery.
 */
#define STEP_DRAFT "talenom.draft"
#define STEP_CONTENT "talenom.content"
#define STEP_BOOKED "talenom.invoice"
#define STEP_PAYMENT "talenom.payment" /* after it, as often as the state changes */

enum stn_revenue { STN_BY_APPROVAL, STN_BY_VOUCHER };

/* One attempt with all that it needs; the road's first. */
struct stn {
	struct road road;
	struct talenom talenom;
	enum stn_revenue revenue; /* of the setting; see stn_way */
	int64_t open_ms; /* so long an agreed time holds */
	enum talenom_einvoice einvoice; /* of the customer's address, by stn_choose_address */
	const char *seen_draft; /* our id of one that was seen there; NULL: none was */
	const char *contact_id; /* the invoice's customer at Talenom, by build */
	struct talenom_invoice draft; /* what is approved, by build; id NULL: there is none */
};

static inline struct stn *stn_of(struct road *r)
{
	return (struct stn *)r;
}

static inline bool stn_full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* settings.c */
#define STN_N_SETTINGS (ROAD_N_SETTINGS + 10)
#define STN_N_CREDENTIALS (ROAD_N_CREDENTIALS + 4)
extern const struct setting stn_setting_table[STN_N_SETTINGS];
extern const struct credential stn_credential_table[STN_N_CREDENTIALS];
bool stn_settle(struct arena *arena, const struct system_values *systems,
		const struct json *settings, const struct json *credentials,
		struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err);
bool stn_open(struct road *r, struct err *err) MUST_CHECK;

/* rules.c, pure */
/* By which Talenom knows one sending: the invoice's id, another one for another generation. NULL
 * past the arena's cap. */
const char *stn_external_id(struct arena *arena, const char *source_id, int64_t generation);
/* The outcome of STEP_BOOKED names an invoice, or a voucher: "voucher <id>". NULL past the cap. */
const char *stn_voucher_key(struct arena *arena, const char *voucher_id);
/* The voucher's id; NULL: the key is an invoice's. */
const char *stn_voucher_of(const char *key);
/* Number, date, reference, currency and sum agree: an approved invoice, a voucher. One in a state
 * that nobody knows may have been called off: a person looks at it. */
bool stn_is_same_invoice(const struct talenom_invoice *theirs, const struct delivery_identity *id);
bool stn_is_same_sale(const struct talenom_voucher *theirs, const struct delivery_identity *id);
/* A voucher of the invoice that closes what its sale opened. */
bool stn_is_payment_of(const struct talenom_voucher *theirs, struct decimal sale);
/* An address that e-invoices can be sent to: words that steer the channel are none. */
bool stn_has_address(const struct customer *c);
/* Ours over theirs: what Severa does not tell of a product stays. */
void stn_merge_product(const struct talenom_product *theirs, struct talenom_product *ours);

/* times.c */
/*
 * The agreed time at which an invoice may go that came at since_ms: a schedule's JSON, and how long
 * a time of day holds. Not after now_ms: now.
 */
int64_t stn_next_agreed(struct arena *arena, const char *times, int64_t open_ms, int64_t since_ms,
			int64_t now_ms);
bool stn_not_before(struct road *r, int64_t since_ms, int64_t now_ms, int64_t *ret_ms,
		    const char **ret_words, struct err *err) MUST_CHECK;

/* addresses.c: the customer's e-invoice address (TA-05). */
/* ERR_WAITING einvoice_addresses_gone while many are gone at once and nobody has said what to do.
 */
bool stn_choose_address(struct stn *m, struct err *err) MUST_CHECK;
/* When the contact stands as it should. */
bool stn_remember_address(struct stn *m, struct err *err) MUST_CHECK;
/* Pure: of customers that had one, those that have none any more, and those that have one. */
bool stn_are_many(int64_t gone, int64_t there);

/* customer.c: the invoice's customer stands at Talenom as at Severa (TA-04, TA-05): contact_id. */
bool stn_customer(struct stn *m, struct err *err) MUST_CHECK;

/* products.c: what the rows sell stands in Talenom's product register (TA-03). */
bool stn_products(struct stn *m, struct err *err) MUST_CHECK;

/* flow.c: the settings read, both sides opened; nothing called. */
bool stn_start(struct attempt *at, struct stn **ret, struct err *err) MUST_CHECK;
/* products_sync.c: the register, without any invoice (TA-03). */
extern const struct register_sync stn_products_sync;

/* draft.c: the invoice stands there as a draft with its content, and nothing is booked yet. */
bool stn_draft(struct stn *m, struct err *err) MUST_CHECK;
/* One of an earlier generation that was never booked: an invoice that is ordered anew goes on with
 * it, since somebody could approve it beside another. */
bool stn_find_left_draft(struct stn *m, bool *ret_found, struct err *err) MUST_CHECK;

/* payment.c: the sales ledger (TA-02). */
bool stn_tell_payment(struct road *r, const struct step *sent, const char *paid_date,
		      struct err *err) MUST_CHECK;

/* check.c */
bool stn_check(struct road_check *c, struct err *err) MUST_CHECK;

#endif
