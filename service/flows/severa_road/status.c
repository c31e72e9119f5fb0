/*
 * status.c: the invoice's status at Severa (SV-02, SV-03). It is read right before it is set, and
 * one that a person chose is left alone. Setting it never sends anything.
 */
#include "base/base.h"
#include "internal.h"

bool road_find_statuses(struct road *r, struct err *err)
{
	return severa_status_find(&r->severa, r->set.transfer, &r->transfer, err) &&
	       severa_status_find(&r->severa, r->set.transferred, &r->transferred, err);
}

bool road_stands_in(const struct invoice *inv, const struct severa_status *status)
{
	return strcasecmp(inv->status_id, status->id) == 0;
}

/* ---- transferred --------------------------------------------------------------------------- */

static bool record_status(struct road *r, const struct step *s, const char *note, struct err *err)
{
	return s->state == STEP_DONE || r->at->ops->step_outcome(r->at, STEP_STATUS, note, err);
}

bool road_set_transferred(struct road *r, const struct invoice *inv, struct err *err)
{
	struct attempt *at = r->at;
	struct err inner = ERR_INIT;
	struct step s;
	if (!at->ops->step_get(at, STEP_STATUS, &s, err))
		return false;
	if (road_stands_in(inv, r->transferred))
		return record_status(r, &s, "already", err);
	if (!road_stands_in(inv, r->transfer)) {
		road_note(r, "status_left_alone",
			  "Somebody has changed the status in Severa; it was left alone.");
		return record_status(r, &s, "left alone", err);
	}
	if (s.state == STEP_NONE && !at->ops->step_intent(at, STEP_STATUS, NULL, err))
		return false;
	if (severa_set_status(&r->severa, inv->source_id, r->transferred->id, &inner)) {
		road_note(r, "status_set", "The invoice's status in Severa is now %s.",
			  r->transferred->name);
		return record_status(r, &s, r->transferred->id, err);
	}
	/* May be repeated, since each try reads first: a doubt is no more than a failed try. */
	if (inner.code == ERR_DOUBT)
		inner.code = ERR_OUTAGE;
	if (inner.code == ERR_DATA) {
		inner.reason = "status_refused";
		snprintf(inner.subject, sizeof(inner.subject), "%.150s", r->transferred->name);
	}
	return road_pass_on(&inner, err);
}

/* ---- failed -------------------------------------------------------------------------------- */

static bool move_to_failed(struct road *r, const struct severa_status *failed, struct err *err)
{
	struct attempt *at = r->at;
	struct err inner = ERR_INIT;
	if (!at->ops->step_intent(at, STEP_FAILED, NULL, err))
		return false;
	if (!severa_set_status(&r->severa, at->source_id, failed->id, &inner))
		return road_write_failed(r, STEP_FAILED, &inner, err);
	road_note(r, "failed_status_set",
		  "The invoice's status in Severa is now %s. Once what is wrong is mended, move it "
		  "back to %s.",
		  failed->name, r->transfer->name);
	return at->ops->step_outcome(at, STEP_FAILED, failed->id, err);
}

/* Without it the way back from there would not be known as one. */
static bool stands_in_failed(struct road *r, struct err *err)
{
	return r->at->ops->step_outcome(r->at, STEP_FAILED, "already", err);
}

bool road_settle_failed(struct road *r, struct err *err)
{
	const struct severa_status *failed;
	return severa_status_find(&r->severa, r->set.failed, &failed, err) &&
	       (!road_stands_in(&r->inv, failed) || stands_in_failed(r, err));
}

/*
 * For what was not sent, over the transfer status; for what the target refused after it was sent,
 * over the transferred status too, which was ours. Any other was chosen by a person.
 */
bool road_on_failed(struct attempt *at, const struct err *why, struct err *err)
{
	struct road *r;
	const struct severa_status *failed;
	struct err inner = ERR_INIT;
	bool is_refused = at->delivered && str_eq(why->reason, "delivery_failed");
	if (!road_open(at, &r, err))
		return false;
	if (!r->set.failed || why->code != ERR_DATA || (at->delivered && !is_refused))
		return true;
	if (!road_find_statuses(r, err) ||
	    !severa_status_find(&r->severa, r->set.failed, &failed, err))
		return false;
	if (!severa_invoice(&r->severa, at->source_id, &r->inv, &inner))
		return inner.code == ERR_NOT_FOUND /* deleted: there is nobody to tell */ ||
		       road_pass_on(&inner, err);
	if (road_stands_in(&r->inv, failed)) /* a person was faster */
		return stands_in_failed(r, err);
	bool is_ours = road_stands_in(&r->inv, r->transfer) ||
		       (is_refused && road_stands_in(&r->inv, r->transferred));
	return !is_ours || move_to_failed(r, failed, err);
}
