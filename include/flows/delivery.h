/*
 * delivery.h: one document to its target, once (DESIGN §4.5 to §4.8), whatever its source is: the
 * intent and what it is about, the target asked first where no record is no proof, what is in doubt
 * settled by looking. A part that flows share, and no flow: it knows neither side.
 *
 * Everything lives in the attempt's arena. One attempt, one thread.
 */
#ifndef FLOWS_DELIVERY_H
#define FLOWS_DELIVERY_H

#include "base/base.h"
#include "flow.h"

/*
 * Everything by which a document is known again at the target (DESIGN §4.6), as it was when it was
 * sent: kept with the intent, since people renumber and correct while a sending is unclear.
 */
struct delivery_identity {
	const char *account; /* delivery.account of then: it is refused to look in another */
	const char *number, *date, *currency;
	const char *reference, *hash; /* may be NULL */
	struct decimal sum; /* gross, two decimals, signed */
	struct decimal rounding; /* of sum: what the rows do not make; a target may leave it out */
	/* What only some targets have; else NULL and false. */
	const char *customer_code;
	const char *id; /* that we chose for it: a UUID, another one for another generation */
	bool has_net;
	struct decimal net;
	int64_t n_roundings; /* rows and VAT rates: a target that reckons by itself may be off by a
				cent each */
};

/* What a look-up came to. All zero: absent, drafts included. */
struct delivery_seen {
	size_t n; /* documents in which every field of the identity agrees */
	const char *key; /* the target's id of one of them */
	bool number_is_taken; /* there is one with the number (or id) that differs otherwise */
};

struct delivery;

/* What a flow gives. May block, unless said otherwise. */
struct delivery_ops {
	/* The document as it is now. No I/O. */
	void (*identify)(const struct delivery *d, struct delivery_identity *ret);
	/*
	 * Looks for the document at the target. Judges nothing: delivery_look_up does. NULL: the
	 * target cannot be asked. What is in doubt then is never sent again by itself, and neither
	 * is what the store may have forgotten: ERR_DATA doubt_unsettled, sent_before_loss, until a
	 * person says that it is there, or sends it again (store.h, transfer_order).
	 */
	bool (*look_up)(struct delivery *d, const struct delivery_identity *id,
			struct delivery_seen *ret, struct err *err);
	/* Makes what will be sent. */
	bool (*build)(struct delivery *d, struct err *err);
	/*
	 * The one write, of what build has made; its intent is recorded. *ret_key: the target's id
	 * of it. ERR_DOUBT when it may have been carried out, ERR_DUPLICATE when the target says
	 * that it has it: both are looked up.
	 */
	bool (*send)(struct delivery *d, const char **ret_key, struct err *err);
};

/* One attempt's way to its target; a flow's own struct begins with it. */
struct delivery {
	const struct delivery_ops *ops;
	struct attempt *at;
	const char *step; /* the flow's delivery_step */
	const char *target; /* for people: "Netvisor" */
	const char *account; /* whose, at the target */
	int64_t created_ms; /* when the document came to be at the source; 0: unknown */
	bool was_found; /* set: it is there, and was not sent now */
	int64_t turn_ms; /* since when no other connection relays its like; 0: nobody ever did */
	bool is_unsent; /* set by the flow: the source itself says that it was never sent */
};

/* A prepared document that was never sent, as far as the store knows: once it is done or an error
 * is left it is at the target once at most. Sets at->delivered. */
bool delivery_make(struct delivery *d, struct err *err) MUST_CHECK;
/* Looks, and sends nothing: a prepared document that is at the target counts as delivered from then
 * on (*ret). */
bool delivery_take_up(struct delivery *d, bool *ret, struct err *err) MUST_CHECK;
/* Is the store younger than the document, so that it may have been sent though no record says so?
 * Pure. */
bool delivery_is_forgotten(const struct attempt *at, int64_t created_ms);
/*
 * An intent without an outcome (DESIGN §4.6), of the document that `id` names. Before anything else
 * is asked of the document: what it lacks today says nothing of what was sent. True: *sent is done,
 * or none.
 */
bool delivery_settle_doubt(struct delivery *d, const struct delivery_identity *id,
			   struct step *sent, struct err *err) MUST_CHECK;
/* *ret_key NULL when absent; ERR_DATA number_taken, several_matches or target_changed. */
bool delivery_look_up(struct delivery *d, const struct delivery_identity *id, const char **ret_key,
		      struct err *err) MUST_CHECK;
/* Of what was sent, or may have been: step.about of its intent. */
bool delivery_identity_read(struct arena *arena, const char *about, struct delivery_identity *ret,
			    struct err *err) MUST_CHECK;

/* Blanks and leading zeros do not count in a reference; "RF" ones are compared as they are. */
bool delivery_same_reference(const char *a, const char *b);
/* Is it the document's sum? Whether a target counts the cents of rounding in, is not known. */
bool delivery_is_sum(struct decimal told, const struct delivery_identity *id);

/* For writes of the flow's own that have a step: after an empty look-up, true when it may be done
 * (again); ERR_DOUBT while it is too early. */
bool delivery_absence_counts(const struct delivery *d, const char *step, const struct step *s,
			     struct err *err) MUST_CHECK;
/* After a failed write of a step: clears the intent when it was certainly not carried out. Returns
 * false. */
bool delivery_write_failed(const struct delivery *d, const char *step, const struct err *why,
			   struct err *err);

#endif
