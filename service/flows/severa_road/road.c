/*
 * road.c: one Severa sales invoice on its way (SV-01, SV-02): read, prepare, deliver once, set the
 * status, and ask for the target's verdict where there is one. Each run begins where the last one
 * stopped; nothing that happens after a delivery can cause a second one. How a delivery is done
 * stands in deliver.c, how a doubt is settled in doubt.c, what the status means in status.c.
 */
#include "base/base.h"
#include "internal.h"

/* ---- after the delivery -------------------------------------------------------------------- */

/* Sent; and where the target tells its verdict later, to be followed. */
static void sent_off(struct road *r)
{
	r->at->outcome = r->ops->verdict ? OUTCOME_FOLLOWING : OUTCOME_DONE;
}

static bool refused(struct road *r, const struct road_verdict *verdict, struct err *err)
{
	const char *number = r->inv.number ? r->inv.number : r->at->source_id;
	bool has_words = verdict->words && verdict->words[0];
	err_reason(err, ERR_DATA, "delivery_failed", number, "%s could not deliver invoice %s",
		   r->ops->target, number);
	if (err && has_words)
		err_target_text(err, span_of(verdict->words));
	return false;
}

/*
 * The target refused it, it was put into the failed status, and a person moved it to the
 * transferred status: what becomes of it is theirs to say.
 */
static bool is_settled_by_hand(struct road *r, bool *ret, struct err *err)
{
	struct step failed;
	*ret = false;
	if (!r->inv.source_id || !r->transferred || !road_stands_in(&r->inv, r->transferred))
		return true;
	if (!r->at->ops->step_get(r->at, STEP_FAILED, &failed, err))
		return false;
	*ret = failed.state == STEP_DONE;
	return true;
}

/* What became of it? Sets the outcome. */
static bool ask_verdict(struct road *r, const struct step *sent, struct err *err)
{
	struct road_verdict verdict = { .fate = ROAD_PENDING };
	bool is_settled;
	if (!r->ops->verdict)
		return true;
	r->at->awaits_verdict = true;
	if (!r->ops->verdict(r, sent, &verdict, err))
		return false;
	r->at->verdict = verdict.word;
	r->at->awaits_verdict = verdict.fate != ROAD_FAILED;
	switch (verdict.fate) {
	case ROAD_PENDING:
		r->at->outcome = OUTCOME_FOLLOWING;
		return true;
	case ROAD_DELIVERED:
		r->at->outcome = OUTCOME_DONE;
		r->at->watch_ms = verdict.watch_ms;
		return true;
	case ROAD_FAILED:
		break;
	}
	if (!is_settled_by_hand(r, &is_settled, err))
		return false;
	if (!is_settled)
		return refused(r, &verdict, err);
	return road_leave(r, OUTCOME_DONE, "settled_by_hand",
			  "It was not delivered; somebody has moved the invoice to the transferred "
			  "status, and it is left there.");
}

/* Sets the status. Sent in this run, or before: reads again when the reading is old. */
static bool finish(struct road *r, bool is_fresh, struct err *err)
{
	struct invoice now;
	struct err inner = ERR_INIT;
	r->at->awaits_verdict = r->ops->verdict != NULL;
	if (is_fresh)
		return road_set_transferred(r, &r->inv, err);
	if (severa_invoice(&r->severa, r->inv.source_id, &now, &inner))
		return road_set_transferred(r, &now, err);
	if (inner.code != ERR_NOT_FOUND)
		return road_pass_on(&inner, err);
	road_note(r, "deleted_after_delivery", "Deleted in Severa after it was relayed.");
	return true;
}

/* Severa's side of a sent invoice cannot be finished until somebody mends it (why): what became of
 * it at the target is told all the same, and first where that needs somebody, too (MV-14). */
static bool tell_all_the_same(struct road *r, const struct step *sent, const struct err *why,
			      struct err *err)
{
	if (why->code != ERR_DATA || !r->ops->verdict)
		return road_pass_on(why, err);
	if (!ask_verdict(r, sent, err))
		return false;
	if (r->at->outcome == OUTCOME_DONE)
		road_note(r, "delivered", "%s has delivered the invoice.", r->ops->target);
	return road_pass_on(why, err);
}

/* Everything was done once, and the invoice stands in the transfer status again (DESIGN §4.8). */
static bool seen_again(struct road *r, const struct step *sent, struct err *err)
{
	struct delivery_identity id;
	const char *key;
	if (!road_identity_of_sent(r, sent, &id, err))
		return false;
	r->at->content_hash = NULL; /* what was sent is what was sent then */
	if (!road_look_up(r, &id, &key, err))
		return false;
	if (!key)
		return err_reason(err, ERR_DATA, "gone_at_target", id.number,
				  "invoice %s was sent before and is not in %s any more", id.number,
				  r->ops->target);
	if (!ask_verdict(r, sent, err)) /* refused: it does not belong in the transferred status */
		return false;
	road_note(r, "already_relayed", "Already relayed; the status is set to transferred again.");
	return finish(r, false, err); /* the look-up took a while */
}

static bool already_sent(struct road *r, const struct step *sent, struct err *err)
{
	struct step status;
	struct err why = ERR_INIT;
	if (!r->at->ops->step_get(r->at, STEP_STATUS, &status, err))
		return false;
	if (status.state != STEP_DONE) {
		sent_off(r);
		return finish(r, true, &why) || tell_all_the_same(r, sent, &why, err);
	}
	r->at->outcome = OUTCOME_DONE;
	if (r->is_waiting)
		return seen_again(r, sent, err);
	if (r->ops->tell_payment) /* in which status it stands by now, is people's to say */
		return road_tell_payment(r, sent, err) && ask_verdict(r, sent, err);
	return r->ops->verdict ? ask_verdict(r, sent, err) : finish(r, true, err);
}

/* Gone at the source: what was sent stays, and is followed; all else is called off. */
static bool deleted(struct road *r, struct err *err)
{
	struct step sent;
	r->inv = (struct invoice) { .source_id = NULL };
	if (!r->at->ops->step_get(r->at, r->at->flow->delivery_step, &sent, err))
		return false;
	bool was_sent = sent.state == STEP_DONE;
	if (sent.state == STEP_INTENT && !road_settle_doubt(r, &sent, err))
		return false;
	if (sent.state != STEP_DONE)
		return road_leave(r, OUTCOME_CANCELLED, "deleted", "Deleted in Severa.");
	sent_off(r);
	if (was_sent && !ask_verdict(r, &sent, err))
		return false;
	road_note(r, "deleted_after_delivery", "Deleted in Severa after it was relayed.");
	return true;
}

/* ---- dry run ------------------------------------------------------------------------------- */

static bool note_what_stops_it(struct road *r, struct err *err)
{
	bool is_own;
	if (!r->is_waiting)
		road_note(r, "not_in_transfer_status",
			  "The invoice does not stand in the transfer status; as it is, it would "
			  "not be relayed.");
	if (!road_is_own(r, &r->inv, &is_own, err))
		return false;
	if (!is_own)
		road_note(r, "other_company",
			  "The invoice belongs to another company; this connection would not relay "
			  "it.");
	return road_note_wait(r, err);
}

/* The whole way with reads alone, whatever the status: what would be sent, and what stands in the
 * way of it. */
static bool preview(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	struct delivery_identity id;
	const char *key;
	if (!note_what_stops_it(r, err) || !road_prepare(r, err))
		return false;
	road_identity_of(r, &id);
	if (!road_look_up(r, &id, &key, err))
		return false;
	if (key)
		road_note(r, "found_at_target", "%s has the invoice already.", r->ops->target);
	if (!r->ops->build(r, err))
		return false;
	struct preview p = { .media_type = r->media_type,
			     .document = r->document,
			     .invoice = &r->inv,
			     .customer_code = r->customer_code,
			     .notes = at->notes,
			     .n_notes = at->n_notes };
	return preview_write(at->arena, &p, &at->result, err);
}

/* ---- run ----------------------------------------------------------------------------------- */

/*
 * Refused, and sent on at the target since, as Maventa's own users can (another route): it is at
 * its receiver, or on its way there. Nothing to send again: what was put into the failed status is
 * forgotten.
 */
static bool forget_old_refusal(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	struct step sent, failed;
	struct road_verdict verdict = { .fate = ROAD_PENDING };
	struct err inner = ERR_INIT;
	if (!r->ops->verdict || !at->delivered)
		return true;
	if (!at->ops->step_get(at, STEP_FAILED, &failed, err) ||
	    !at->ops->step_get(at, r->at->flow->delivery_step, &sent, err))
		return false;
	if (failed.state != STEP_DONE || sent.state != STEP_DONE)
		return true;
	if (!r->ops->verdict(r, &sent, &verdict, &inner))
		return str_eq(inner.reason, "gone_at_target") || road_pass_on(&inner, err);
	return verdict.fate == ROAD_FAILED || at->ops->step_outcome(at, STEP_FAILED, NULL, err);
}

/*
 * Where it went after we put it into the failed status (SV-03): back to the transfer status, and it
 * is relayed again (DESIGN §4.8); to the transferred status by a person's hand, which is theirs to
 * say; anywhere else, the person is still at it and the error stands.
 */
static bool look_back(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	const struct invoice *inv = &r->inv;
	struct step failed;
	bool is_back;
	if (r->is_waiting)
		return forget_old_refusal(r, err) && at->ops->came_back(at, &is_back, err);
	if (!r->set.failed || road_stands_in(inv, r->transferred))
		return true;
	if (!at->ops->step_get(at, STEP_FAILED, &failed, err))
		return false;
	if (failed.state == STEP_NONE)
		return true;
	if (failed.state == STEP_INTENT && !road_settle_failed(r, err))
		return false;
	at->keep_error = true;
	return err_reason(err, ERR_DATA, "in_failed_status", inv->number,
			  "invoice %s waits in Severa to be mended and moved to the transfer "
			  "status",
			  inv->number ? inv->number : inv->source_id);
}

/*
 * Found at the target without a record here, and refused there: the store has lost the story of an
 * invoice that a person has moved back to the transfer status. It goes on from there, with the next
 * generation.
 */
static bool goes_on_from_refusal(struct road *r, bool *ret, struct err *err)
{
	struct attempt *at = r->at;
	struct step sent;
	struct road_verdict verdict = { .fate = ROAD_PENDING };
	*ret = false;
	if (!r->ops->verdict)
		return true;
	if (!at->ops->step_get(at, r->at->flow->delivery_step, &sent, err) ||
	    !r->ops->verdict(r, &sent, &verdict, err))
		return false;
	return verdict.fate != ROAD_FAILED ||
	       (at->ops->step_outcome(at, STEP_FAILED, "before", err) &&
		at->ops->came_back(at, ret, err));
}

static bool deliver(struct road *r, struct err *err)
{
	bool was_found, is_anew;
	do {
		is_anew = false;
		if (!road_prepare(r, err) || !road_deliver(r, &was_found, err) ||
		    !(was_found ? goes_on_from_refusal(r, &is_anew, err) : road_begin_open(r, err)))
			return false;
	} while (is_anew);
	return true;
}

/* Nothing of it is at the target. */
static bool relay(struct road *r, struct err *err)
{
	bool is_own;
	if (!r->is_waiting)
		return road_leave(r, OUTCOME_SKIPPED, "not_in_transfer_status",
				  "The invoice does not stand in the transfer status. Moved there, "
				  "it is relayed.");
	if (!road_is_own(r, &r->inv, &is_own, err))
		return false;
	if (!is_own)
		return road_leave(r, OUTCOME_SKIPPED, "other_company",
				  "The invoice belongs to another company.");
	if (!road_may_relay(r, err) || (r->ops->may_send && !r->ops->may_send(r, err)) ||
	    !road_may_go_now(r, err))
		return false;
	sent_off(r);
	return deliver(r, err) && finish(r, false, err);
}

/* A status of the connection's is not there, or not one alone. */
static bool has_no_status(struct road *r, const struct err *why, struct err *err)
{
	struct step sent;
	if (r->at->preview || !r->at->delivered)
		return road_pass_on(why, err);
	return r->at->ops->step_get(r->at, r->at->flow->delivery_step, &sent, err) &&
	       tell_all_the_same(r, &sent, why, err);
}

static bool run_document(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	struct step sent;
	struct err why = ERR_INIT;
	bool is_there;
	if (r->inv.number && !at->ops->set_number(at, r->inv.number, err))
		return false;
	if (!road_find_statuses(r, &why))
		return has_no_status(r, &why, err);
	r->is_waiting = road_stands_in(&r->inv, r->transfer);
	if (at->preview)
		return preview(r, err);
	/* First, since it may open a generation whose steps are others. */
	if (!road_end_stay(r, err) || !look_back(r, err) ||
	    !at->ops->step_get(at, r->at->flow->delivery_step, &sent, err))
		return false;
	if (sent.state == STEP_DONE)
		return already_sent(r, &sent, err);
	r->has_begun = sent.state == STEP_INTENT;
	if (sent.state == STEP_INTENT && !road_settle_doubt(r, &sent, err))
		return false;
	if (sent.state != STEP_DONE && !road_take_up(r, &is_there, err))
		return false;
	if (sent.state != STEP_DONE && !is_there)
		return relay(r, err);
	sent_off(r);
	return finish(r, false, err);
}

bool road_run(struct attempt *at, struct err *err)
{
	struct road *r;
	struct err inner = ERR_INIT;
	if (!road_open(at, &r, err))
		return false;
	if (severa_invoice(&r->severa, at->source_id, &r->inv, &inner))
		return run_document(r, err);
	if (inner.code != ERR_NOT_FOUND)
		return road_pass_on(&inner, err);
	return at->preview ? err_reason(err, ERR_NOT_FOUND, "document_unknown", at->source_id,
					"Severa has no invoice %s", at->source_id)
			   : deleted(r, err);
}
