/*
 * travel_status.c: the status of a travel reimbursement at Severa (NV-12, SV-02). It is read right
 * before it is set, and one that a person chose is left alone.
 */
#include "base/base.h"
#include "travel.h"

bool sn_travel_stands_in(const struct severa_travel *doc, const struct severa_status *status)
{
	return status && doc->status_id && strcasecmp(doc->status_id, status->id) == 0;
}

static bool set(struct travel *t, const struct severa_status *status, struct err *err)
{
	struct err inner = ERR_INIT;
	if (severa_set_travel_status(&t->sn->road.severa, t->doc.id, status->id, &inner))
		return true;
	/* May be repeated, since each try reads first: a doubt is no more than a failed try. */
	if (inner.code == ERR_DOUBT)
		inner.code = ERR_OUTAGE;
	if (inner.code == ERR_DATA) {
		inner.reason = "travel_status_refused";
		snprintf(inner.subject, sizeof(inner.subject), "%.150s", status->name);
	}
	if (err)
		*err = inner;
	return false;
}

bool sn_travel_mark_sending(struct travel *t, struct err *err)
{
	struct severa *severa = &t->sn->road.severa;
	const char *changed = t->doc.changed;
	if (!t->sending || sn_travel_stands_in(&t->doc, t->sending))
		return true;
	if (!severa_travel(severa, t->doc.id, &t->doc, err))
		return false;
	if (!str_eq(t->doc.changed, changed))
		return err_set(err, ERR_BUSY, "it was changed while it was read");
	if (sn_travel_stands_in(&t->doc, t->sending))
		return true;
	if (!sn_travel_stands_in(&t->doc, t->transfer))
		return err_set(err, ERR_WAITING, "it was moved to another status meanwhile");
	return set(t, t->sending, err);
}

void sn_travel_keep_apart(struct travel *t)
{
	struct severa *severa = &t->sn->road.severa;
	struct err ignored = ERR_INIT; /* it is tried again whenever somebody looks at it */
	if (t->sn->set.travel_transfer && t->sn->set.travel_sending &&
	    sn_travel_statuses(t->sn, &t->transfer, &t->sending, &t->transferred, &ignored) &&
	    severa_travel(severa, t->sn->road.at->source_id, &t->doc, &ignored) &&
	    sn_travel_stands_in(&t->doc, t->transfer))
		(void)!set(t, t->sending, &ignored);
}

void sn_travel_unmark(struct travel *t)
{
	struct severa *severa = &t->sn->road.severa;
	struct err ignored = ERR_INIT; /* it is sent from there as well */
	if (t->sending && severa_travel(severa, t->doc.id, &t->doc, &ignored) &&
	    sn_travel_stands_in(&t->doc, t->sending))
		(void)!set(t, t->transfer, &ignored);
}

bool sn_travel_set_transferred(struct travel *t, struct err *err)
{
	struct road *road = &t->sn->road;
	struct attempt *at = road->at;
	struct err inner = ERR_INIT;
	struct step s;
	if (!at->ops->step_get(at, STEP_TRAVEL_STATUS, &s, err))
		return false;
	/* Moved back after it was relayed: nobody can look it up, but it is not sent again. */
	bool is_again = s.state == STEP_DONE;
	if (is_again && !sn_travel_stands_in(&t->doc, t->transfer))
		return true;
	if (!severa_travel(&road->severa, at->source_id, &t->doc, &inner)) {
		if (inner.code != ERR_NOT_FOUND) {
			if (err)
				*err = inner;
			return false;
		}
		road_note(road, "deleted_after_delivery",
			  "Deleted in Severa after it was relayed.");
		return at->ops->step_outcome(at, STEP_TRAVEL_STATUS, "deleted", err);
	}
	if (sn_travel_stands_in(&t->doc, t->transferred))
		return at->ops->step_outcome(at, STEP_TRAVEL_STATUS, "already", err);
	if (!sn_travel_stands_in(&t->doc, t->transfer) &&
	    !sn_travel_stands_in(&t->doc, t->sending)) {
		road_note(road, "status_left_alone",
			  "Somebody has changed the status in Severa; it was left alone.");
		return at->ops->step_outcome(at, STEP_TRAVEL_STATUS, "left alone", err);
	}
	if (s.state == STEP_NONE && !at->ops->step_intent(at, STEP_TRAVEL_STATUS, NULL, err))
		return false;
	if (!set(t, t->transferred, err))
		return false;
	if (is_again)
		road_note(road, "already_relayed",
			  "Already relayed; the status is set to %s again. Order a resend if it is "
			  "to be sent once more.",
			  t->transferred->name);
	else
		road_note(road, "status_set", "The travel invoice's status in Severa is now %s.",
			  t->transferred->name);
	return at->ops->step_outcome(at, STEP_TRAVEL_STATUS, t->transferred->id, err);
}
