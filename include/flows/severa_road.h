/*
 * severa_road.h: the road that every sales invoice of Severa takes to a finance system (SV-01 to
 * SV-09, DESIGN §4): read it again, settle what is in doubt, prepare, deliver once, set the status,
 * follow it where the target tells its verdict later. Poll, report, connection check, dry run and
 * the failed status are the road's too. A flow is what the road asks of it: how the target wants a
 * document (prepare, build), how to write one and to find it there (send, look_up).
 *
 * It is a part that flows share, and no flow: it knows Severa, and no target. The target's name in
 * notes and problems is the flow's. A flow puts its road_ops into its `struct flow` (part), and
 * road_accept, road_poll, road_run, road_check and road_on_failed beside it.
 *
 * Everything lives in the attempt's arena. One attempt, one thread.
 */
#ifndef FLOWS_SEVERA_ROAD_H
#define FLOWS_SEVERA_ROAD_H

#include "base/base.h"
#include "flow.h"
#include "flows/delivery.h"
#include "flows/report.h"
#include "flows/setup.h"
#include "model/invoice.h"
#include "systems/severa.h"

/* ---- settings and credentials -------------------------------------------------------------- */

/*
 * Rows of a flow's settings table, ROAD_N_SETTINGS of them, the mail rows of flow.h among them.
 * failed_is_needed, company_is_needed: for activation. company_doc: a sentence, since what stands
 * in for the company where none is given is the flow's.
 */
#define ROAD_N_SETTINGS 8
#define ROAD_SETTING(name, type, preset, needed, doc) \
	{                                             \
		name, type, NULL, preset, needed, doc \
	}
#define ROAD_SETTINGS(failed_is_needed, company_is_needed, company_doc)                         \
	ROAD_SETTING("statuses.transfer", SETTING_TEXT, NULL, true,                             \
		     "Severa status (guid or name) whose invoices are relayed."),               \
		ROAD_SETTING("statuses.transferred", SETTING_TEXT, NULL, true,                  \
			     "Severa status (guid or name) that a relayed invoice gets."),      \
		ROAD_SETTING("statuses.failed", SETTING_TEXT, NULL, failed_is_needed,           \
			     (failed_is_needed)                                                 \
				     ? "Severa status (guid or name) of invoices that failed: " \
				       "a person must mend them."                               \
				     : "Severa status for invoices whose data must be mended; " \
				       "none: they stay where they are."),                      \
		ROAD_SETTING("company.vat_number", SETTING_TEXT, NULL, company_is_needed,       \
			     company_doc),                                                      \
		ROAD_SETTING("send_pdf", SETTING_BOOL, "false", false,                          \
			     "Severa's PDF and the invoice's files go along."),                 \
		ROAD_SETTING("severa.url", SETTING_TEXT, NULL, false,                           \
			     "Severa base URL of this connection."),                            \
		FLOW_MAIL_SETTINGS

/* Rows of a flow's credentials table. */
#define ROAD_N_CREDENTIALS 2
#define ROAD_CREDENTIALS                                                                  \
	{ "severa", "client_id", "Client id of the REST credentials.", true },            \
	{                                                                                 \
		"severa", "client_secret", "Client secret of the REST credentials.", true \
	}

/* Rows of a flow whose documents say what an e-invoice does (road_read_einvoice). */
#define ROAD_N_EINVOICE_SETTINGS 7
#define ROAD_CHOICE(name, allowed, preset, doc)                 \
	{                                                       \
		name, SETTING_ENUM, allowed, preset, false, doc \
	}
#define ROAD_EINVOICE_SETTINGS                                                                     \
	ROAD_SETTING("seller.iban", SETTING_TEXT, NULL, false,                                     \
		     "Account to be paid to; not set: the company's accounts in Severa."),         \
		ROAD_SETTING("seller.bic", SETTING_TEXT, NULL, false,                              \
			     "BIC of that account's bank."),                                       \
		ROAD_CHOICE("vat.zero_domestic", "AE|E|O|Z", NULL,                                 \
			    "Why a domestic row has no VAT where Severa does not say; not set: "   \
			    "such a row is an error."),                                            \
		ROAD_CHOICE("vat.zero_eu", "AE|E|K|O|Z", "AE",                                     \
			    "Why a row to a business in another EU country has no VAT where "      \
			    "Severa does not say."),                                               \
		ROAD_CHOICE("vat.zero_outside_eu", "E|G|O|Z", "G",                                 \
			    "Why a row to a country outside the EU has no VAT where Severa does "  \
			    "not say."),                                                           \
		ROAD_SETTING("vat.delivered_on_invoice_date", SETTING_BOOL, "false", false,        \
			     "The invoice's date stands for the day of delivery of goods sold to " \
			     "another EU country (category K), which must be told and which "      \
			     "Severa does not know; off: such an invoice is an error."),           \
		ROAD_SETTING("vat.exempt_reason", SETTING_TEXT, NULL, false,                       \
			     "Why rows of category E are exempt, in words for the buyer.")
/* Their values; NULL: not given. */
struct road_einvoice {
	const char *iban, *bic;
	const char *zero_domestic, *zero_eu, *zero_outside; /* VAT categories */
	const char *exempt_reason;
	bool delivered_on_invoice_date; /* rows of category K */
};
void road_einvoice_settings(const struct flow *flow, const struct json *settings,
			    struct road_einvoice *ret);
/* For flow.settle: combinations of them that are refused. */
bool road_settle_einvoice(const struct flow *flow, const struct json *settings,
			  struct err *err) MUST_CHECK;

/* setup.h's, under the names of the road. */
static inline const char *road_text(const struct flow *flow, const struct json *settings,
				    const char *name)
{
	return setup_text(flow, settings, name);
}
static inline bool road_flag(const struct flow *flow, const struct json *settings, const char *name)
{
	return setup_flag(flow, settings, name);
}
static inline bool road_refuse(struct err *err, const char *pointer, const char *words)
{
	return setup_refuse(err, pointer, words);
}
/*
 * The common part of flow.settle: two statuses that are one, a company that is none; the limit of
 * the Severa client is put at ret_limits[*ret_n], where there is one, and *ret_n moved on: it must
 * be set before, and the flow's own limits go behind or before it.
 */
bool road_settle(const struct flow *flow, struct arena *arena, const struct system_values *systems,
		 const struct json *settings, const struct json *credentials,
		 struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
		 struct err *err) MUST_CHECK;

/*
 * One name for a company, however its number is written: the business id of a Finnish one
 * (1234567-8), else the VAT number with its country's letters (NO123456785MVA). Norwegian numbers
 * count without letters too. NULL when it is none. Pure.
 */
const char *road_company_from(struct arena *arena, const char *vat_number_or_id) MUST_CHECK;

/* ---- one attempt --------------------------------------------------------------------------- */

struct road_ops;

struct road_settings {
	const char *transfer, *transferred, *failed; /* guid or name; failed may be NULL */
	bool send_pdf;
};

/*
 * One attempt with all that it needs. A flow's own struct begins with it (road_ops.size):
 *     struct mv { struct road road; struct maventa maventa; ... };
 */
struct road {
	const struct road_ops *ops;
	struct attempt *at;
	const struct json *settings, *credentials; /* the connection's, whole */
	struct road_settings set;
	/*
	 * Whose invoices are relayed, as road_company_from names it. From company.vat_number;
	 * where that is not given the flow's open may set it. NULL: nobody's (the check says so).
	 */
	const char *company;
	/* Whose account at the target, set by the flow's open: an organisation, a company UUID. */
	const char *account;
	struct severa severa;
	const struct severa_status *transfer, *transferred; /* found before a document is run */

	/* The document of run; of the dry run too. */
	struct invoice inv;
	bool is_waiting; /* stands in the transfer status */
	const char *hash; /* of its content (SV-05), by road_read_rows */
	struct customer customer; /* by road_read_customer */

	/* What build has made: shown in a dry run. */
	const char *media_type; /* "text/xml" */
	struct span document; /* in a dry run UTF-8, attachments left out */
	const char *customer_code; /* at the target; may be NULL */

	const char *seller_seen, *seller_company; /* the road's: the number that was read last */
	bool has_begun; /* the road's: its sending may be under way */
	int64_t turn_ms; /* the road's: since when no other connection relays these; 0: unknown */
};

enum road_fate { ROAD_PENDING, ROAD_DELIVERED, ROAD_FAILED };
struct road_verdict {
	enum road_fate fate;
	const char *word; /* the target's own for it, "DELIVERED": follow-up tells news by it */
	const char *words; /* ROAD_FAILED: why, as the target says it; NULL or "": it does not */
	int64_t watch_ms; /* ROAD_DELIVERED: late failures are watched for so long; 0: not */
};

struct road_check;

/*
 * What a flow gives. Worker threads; all may block, unless said otherwise. The struct road is the
 * first member of the flow's own.
 *
 * A new document: open, may_send, prepare, [look_up, when the store is younger than it], build,
 * send, then the status is set. In doubt: open, look_up, and on from may_send when it is absent.
 * Delivered and waiting for the target: open, verdict. A dry run: open, prepare, look_up, build.
 */
struct road_ops {
	const char *target; /* for people: "Netvisor" */
	size_t size; /* of the flow's own struct, which is zeroed */

	/*
	 * Reads the flow's own settings and opens the target; sets account. Severa is open, and
	 * nothing was called yet. No I/O. In a check what it lacks is named as a problem, and
	 * Severa's side is checked all the same.
	 */
	bool (*open)(struct road *r, struct err *err);
	/*
	 * May anything be sent at all? ERR_WAITING with a reason while not (the company is not
	 * verified yet). Asked before prepare; not in a dry run, and not of what may have been
	 * sent already. May be NULL.
	 */
	bool (*may_send)(struct road *r, struct err *err);
	/*
	 * The time before which a document is not sent first that stands in the transfer status
	 * since `since_ms`, as far as this store knows; not after now_ms: it may go. *ret_words
	 * says the time to people. Asked after may_send; not of what has begun: an intent of the
	 * delivery step, or first_step since then, which is not NULL. No I/O. NULL: at any time
	 * (TA-01).
	 */
	bool (*not_before)(struct road *r, int64_t since_ms, int64_t now_ms, int64_t *ret_ms,
			   const char **ret_words, struct err *err);
	const char *first_step; /* the first write of a document that is several; may be NULL */
	/*
	 * Reads what belongs to the document and holds it against the target's rules; makes no
	 * write. After it the invoice can be recognised at the target. Calls road_read_rows,
	 * road_sum_up, road_read_customer, road_find_country as it needs them.
	 */
	bool (*prepare)(struct road *r, struct err *err);
	/* Adds what only this target has to an identity that holds the rest. After prepare. No
	 * I/O. May be NULL. */
	void (*identify)(const struct road *r, struct delivery_identity *id);
	/* Looks for the document at the target. Judges nothing: the road says what it means. */
	bool (*look_up)(struct road *r, const struct delivery_identity *id,
			struct delivery_seen *ret, struct err *err);
	/*
	 * Makes what will be sent, with all that must stand at the target before it: files,
	 * registers (writes of their own: road_absence_counts, road_write_failed); sets media_type,
	 * document, customer_code. In a dry run (at->preview) it writes nothing and notes what it
	 * would do.
	 */
	bool (*build)(struct road *r, struct err *err);
	/*
	 * The one write, of what build has made; its intent is recorded. *ret_key: the target's id
	 * of it, recorded as the step's outcome. Leaves the note "sent". ERR_DOUBT when it may have
	 * been carried out, ERR_DUPLICATE when the target says that it has it: both are looked up
	 * by the road.
	 */
	bool (*send)(struct road *r, const char **ret_key, struct err *err);
	/*
	 * What became of a delivered document, where a target says so later (MV-14); NULL: a
	 * delivery is the end. Asked by each run after the one that delivered and set the status.
	 * sent->outcome is send's key, sent->age_ms counts from its intent. Pending: the run ends
	 * as OUTCOME_FOLLOWING. Failed: ERR_DATA delivery_failed with the target's words, upon
	 * which the invoice goes to the failed status if it still stands in a status of ours; moved
	 * back to the transfer status it is asked for again, and when it is failed still, or gone
	 * (gone_at_target), it is sent once more, as the next generation. An error of the
	 * flow's own (pending for too long) leaves the status alone.
	 */
	bool (*verdict)(struct road *r, const struct step *sent, struct road_verdict *ret,
			struct err *err);
	/*
	 * The payment state of a delivered document, where a target keeps one (TA-02): paid on a
	 * day, or with NULL open again. Told when it changes at Severa, after the delivery and
	 * never instead of it; may be called again with the same. sent as of verdict. A poll then
	 * lists what has changed at Severa in any status. NULL: it is not told.
	 */
	bool (*tell_payment)(struct road *r, const struct step *sent, const char *paid_date,
			     struct err *err);
	/* The flow's part of the connection check, after the common one, when open has
	 * succeeded: road_problem for each lack. False only when it cannot go on. May be NULL. */
	bool (*check)(struct road_check *c, struct err *err);
	/*
	 * What the flow adds to a poll's report: it is shown each delivered invoice that stands in
	 * the transferred status, and at the end writes its part. May be NULL.
	 */
	bool (*watch)(struct road *r, const char *source_id, struct err *err);
	bool (*report)(struct road *r, struct report *ret, struct err *err);
};

/*
 * Members of struct flow, as they stand; its `part` is the struct road_ops. One that does more than
 * the road calls them from functions of its own.
 */
bool road_accept(struct arena *arena, struct span body, const char **ret_kind,
		 const char **ret_source_id, struct err *err);
/* Of {"type": "<kind>.changed", "data": {"id": <guid>}}; *ret_kind NULL: of another type. */
bool road_accept_as(struct arena *arena, struct span body, const char *kind, const char **ret_kind,
		    const char **ret_source_id, struct err *err);
bool road_poll(struct attempt *at, struct err *err) MUST_CHECK;
bool road_run(struct attempt *at, struct err *err) MUST_CHECK;
bool road_check(struct attempt *at, struct err *err) MUST_CHECK;
bool road_on_failed(struct attempt *at, const struct err *why, struct err *err) MUST_CHECK;
/* The settings read, both sides opened; nothing called. For what a flow does beside the road. */
bool road_open(struct attempt *at, struct road **ret, struct err *err) MUST_CHECK;

/* ---- for prepare --------------------------------------------------------------------------- */

/* The invoice's rows, and the hash of what Severa says (r->hash). Before anything is turned. */
bool road_read_rows(struct road *r, struct err *err) MUST_CHECK;
/* A credit note that Severa keeps with positive amounts is turned as a whole, before it is summed
 * up. False: nothing was turned. Pure. */
bool road_turn_credit_note(struct invoice *inv);
/* The invoice is whole and its sums agree; a cent of rounding is noted. */
bool road_sum_up(struct road *r, struct err *err) MUST_CHECK;
/* Who is billed, else whose invoice it is; ERR_DATA customer_missing. */
bool road_read_customer(struct road *r, struct err *err) MUST_CHECK;
/* The buyer's country code, by its name on the invoice, else by the customer's card; ERR_DATA
 * country_unknown. Left NULL when neither names one. */
bool road_find_country(struct road *r, struct err *err) MUST_CHECK;
/*
 * What an e-invoice says beyond the invoice: the seller's country and accounts, why a row bears no
 * VAT, what a credit note credits, the VAT in the seller's own currency. After the rows, the
 * customer and the country.
 */
bool road_read_einvoice(struct road *r, const struct road_einvoice *set,
			struct err *err) MUST_CHECK;
/* Gives the rows at 0 % their VAT category and reason; NULL where nobody has said. And the invoice
 * the day of delivery that category K asks for, if its date may stand for it. Pure. */
void road_explain_zeros(const struct road_einvoice *set, const struct severa_tax *tax,
			struct invoice *inv);

/* ---- for writes ---------------------------------------------------------------------------- */

/* After an empty look-up of a step of the flow's own: true when it may be done (again); ERR_DOUBT
 * while it is too early. */
bool road_absence_counts(struct road *r, const char *step, const struct step *s,
			 struct err *err) MUST_CHECK;
/* After a failed write of a step: clears the intent when it was certainly not carried out. Returns
 * false. */
bool road_write_failed(struct road *r, const char *step, const struct err *why, struct err *err);

/* A line on the timeline and in the dry run; each code stands in the flow's README. */
void road_note(struct road *r, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "Added to Netvisor: customer X." done: "added to", "updated in", "renamed in". */
void road_note_change(struct road *r, const char *code, const char *done, const char *kind,
		      const char *name);

/* ---- for the check ------------------------------------------------------------------------- */

struct road_check {
	struct road *r;
	/* As found; NULL when not given, or named as a problem. */
	const struct severa_status *transfer, *transferred, *failed;
	struct setup_check setup;
};

void road_problem(struct road_check *c, const char *code, const char *pointer, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The same, of a code whose sentence (model/reason.h) has a subject. */
void road_problem_of(struct road_check *c, const char *code, const char *subject,
		     const char *pointer, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Said with the problems, but the connection may be activated all the same; its subject is the
 * target. */
void road_warning(struct road_check *c, const char *code, const char *pointer, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* Of a failed call: a fault of the connection becomes a problem (true); all else ends the check. */
bool road_name_it(struct road_check *c, const struct err *why, const char *pointer,
		  struct err *err) MUST_CHECK;

#endif
