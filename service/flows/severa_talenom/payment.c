/*
 * payment.c: the sales ledger (TA-02): an invoice that is paid at Severa, or open again, is so at
 * Talenom. By the invoice's payment state where it was approved there; where its sale was posted as
 * a voucher, by a second one that closes what the first opened. Revenue is never touched.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

static void note_told(struct road *r, const char *paid_date)
{
	if (paid_date)
		road_note(r, "payment_told", "Talenom knows that invoice %s was paid on %s.",
			  r->inv.number, paid_date);
	else
		road_note(r, "payment_told", "Talenom knows that invoice %s is open again.",
			  r->inv.number);
}

static void note_by_hand(struct road *r, const char *what)
{
	road_note(r, "payment_by_hand",
		  "%s; its payment state was not told. Somebody has to mend that in Talenom.",
		  what);
}

/* May be repeated: a doubt is no more than a failed try. */
static bool set_state(struct stn *m, const char *id, const char *paid_date, struct err *err)
{
	struct attempt *at = m->road.at;
	struct err inner = ERR_INIT;
	if (!at->ops->step_intent(at, STEP_PAYMENT, paid_date, err))
		return false;
	if (talenom_set_paid(&m->talenom, id, paid_date, &inner)) {
		note_told(&m->road, paid_date);
		return at->ops->step_outcome(at, STEP_PAYMENT, paid_date ? paid_date : "open", err);
	}
	if (inner.code == ERR_DOUBT || inner.code == ERR_CONFLICT)
		inner.code = ERR_OUTAGE;
	return road_write_failed(&m->road, STEP_PAYMENT, &inner, err);
}

/* ---- by voucher ---------------------------------------------------------------------------- */

/* The sale that was posted, as it stands in the ledger; NULL: it is not there any more. */
static bool find_sale(struct stn *m, const struct delivery_identity *was, const char *id,
		      const struct talenom_voucher **ret, struct err *err)
{
	const struct talenom_days day = { was->date, was->date };
	const struct talenom_voucher *list;
	size_t n;
	*ret = NULL;
	if (!talenom_vouchers(&m->talenom, was->number, &day, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].id, id))
			*ret = &list[i];
	return true;
}

/*
 * Where a payment that was posted before would stand: on the day of its intent; and where the store
 * may have forgotten it, on any since the sale, or since the day that Severa names, if any.
 */
static bool days_of(struct stn *m, const struct step *posting, const struct talenom_voucher *sale,
		    const char *paid_date, struct talenom_days *ret, struct err *err)
{
	char today[CLOCK_RFC3339_MAX];
	const char *day = posting->state == STEP_INTENT && posting->about[0] ? posting->about
									     : paid_date;
	*ret = (struct talenom_days) { day, day };
	if (posting->state != STEP_NONE ||
	    !delivery_is_forgotten(m->road.at, m->road.inv.created_ms))
		return true;
	clock_rfc3339(clock_wall_ms(), today);
	const char *last = arena_memdup(m->road.at->arena, today, 10);
	*ret = (struct talenom_days) { day && strcmp(day, sale->date) < 0 ? day : sale->date,
				       day && last && strcmp(day, last) > 0 ? day : last };
	return last || stn_full(err);
}

/* The look-up of a payment in doubt, or forgotten. *ret NULL: it was not posted. */
static bool find_payment(struct stn *m, const struct talenom_voucher *sale,
			 const struct talenom_days *days, const struct talenom_voucher **ret,
			 struct err *err)
{
	const struct talenom_voucher *list;
	size_t n;
	*ret = NULL;
	if (!days->from)
		return true;
	if (!talenom_vouchers(&m->talenom, sale->invoice_number, days, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (stn_is_payment_of(&list[i], sale->receivable))
			*ret = &list[i];
	return true;
}

static bool post(struct stn *m, const struct talenom_voucher *sale, const char *paid_date,
		 struct err *err)
{
	struct attempt *at = m->road.at;
	struct err inner = ERR_INIT;
	struct span body;
	const char *id;
	if (!talenom_map_payment(&m->talenom, sale, paid_date, &body, err) ||
	    !at->ops->step_intent(at, STEP_PAYMENT, paid_date, err))
		return false;
	if (!talenom_voucher_add(&m->talenom, body, &id, &inner))
		return road_write_failed(&m->road, STEP_PAYMENT, &inner, err);
	note_told(&m->road, paid_date);
	return at->ops->step_outcome(at, STEP_PAYMENT, id, err);
}

/* paid_date NULL: it is open again. */
static void note_difference(struct stn *m, const char *posted_on, const char *paid_date)
{
	if (!paid_date)
		note_by_hand(&m->road, "It is open again in Severa");
	else if (!str_eq(posted_on, paid_date))
		note_by_hand(&m->road, "It was booked as paid on another day");
}

/*
 * Posted once, as far as the step and the ledger know: a payment that is taken back, or moved to
 * another day, is a bookkeeper's to mend.
 */
static bool close_item(struct stn *m, const struct delivery_identity *was, const char *sale_id,
		       const char *paid_date, struct err *err)
{
	struct attempt *at = m->road.at;
	const struct talenom_voucher *sale, *payment;
	struct talenom_days days;
	struct step s;
	if (!at->ops->step_get(at, STEP_PAYMENT, &s, err))
		return false;
	if (s.state == STEP_DONE) {
		note_difference(m, s.about, paid_date);
		return true;
	}
	if (!find_sale(m, was, sale_id, &sale, err))
		return false;
	if (!sale) {
		note_by_hand(&m->road, "Its voucher is not in the ledger any more");
		return true;
	}
	if (!days_of(m, &s, sale, paid_date, &days, err) ||
	    !find_payment(m, sale, &days, &payment, err))
		return false;
	if (payment) {
		note_difference(m, payment->date, paid_date);
		return at->ops->step_outcome(at, STEP_PAYMENT, payment->id, err);
	}
	return road_absence_counts(&m->road, STEP_PAYMENT, &s, err) &&
	       (!paid_date || post(m, sale, paid_date, err));
}

/* ---- either way ---------------------------------------------------------------------------- */

/* What was sent, and where to: the invoice may have been edited since, and the connection, too. */
static bool read_sent(struct stn *m, const struct step *sent, struct delivery_identity *ret,
		      struct err *err)
{
	const struct road *r = &m->road;
	*ret = (struct delivery_identity) { .account = r->account,
					    .number = r->inv.number,
					    .date = r->inv.issue_date };
	if (sent->about && sent->about[0] &&
	    !delivery_identity_read(r->at->arena, sent->about, ret, err))
		return false;
	return str_eq(ret->account, r->account) ||
	       err_reason(err, ERR_DATA, "target_changed", ret->number,
			  "invoice %s went to %s, and the connection names another account now",
			  ret->number, ret->account);
}

bool stn_tell_payment(struct road *r, const struct step *sent, const char *paid_date,
		      struct err *err)
{
	struct stn *m = stn_of(r);
	const char *voucher_id = stn_voucher_of(sent->outcome);
	struct delivery_identity was;
	struct talenom_invoice there;
	struct err inner = ERR_INIT;
	if (!read_sent(m, sent, &was, err))
		return false;
	if (voucher_id)
		return close_item(m, &was, voucher_id, paid_date, err);
	if (talenom_invoice(&m->talenom, sent->outcome, &there, &inner))
		return set_state(m, there.id, paid_date, err);
	if (inner.code == ERR_NOT_FOUND) {
		note_by_hand(r, "It is not in Talenom any more");
		return true;
	}
	if (err)
		*err = inner;
	return false;
}
