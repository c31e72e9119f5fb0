/*
 * deliver.c: one document to the target, once (DESIGN §4.5 to §4.7). The intent stands before the
 * write and says what it is about; what became of it is settled by looking, never by sending again.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define EPOCH_MARGIN_MS ((int64_t)5 * 60 * 1000)

bool road_prepare(struct road *r, struct err *err)
{
	r->at->content_hash = NULL;
	if (!r->ops->prepare(r, err))
		return false;
	r->at->content_hash = r->hash;
	return true;
}

static const char *delivery_step(const struct road *r)
{
	return r->ops->flow->delivery_step;
}

static bool delivered(struct road *r, const char *key, struct err *err)
{
	if (!r->at->ops->step_outcome(r->at, delivery_step(r), key, err))
		return false;
	r->at->delivered = true;
	return true;
}

static bool found(struct road *r, const char *number, const char *key, struct err *err)
{
	road_note(r, "found_at_target",
		  "%s has invoice %s (key %s): it arrived before, and is not sent again.",
		  r->ops->target, number, key);
	return delivered(r, key, err);
}

/* ---- send ---------------------------------------------------------------------------------- */

/* The target says that it has it: believed only after the same comparison. */
static bool settle_duplicate(struct road *r, const struct road_identity *id, const struct err *why,
			     struct err *err)
{
	struct err inner = ERR_INIT;
	const char *key;
	if (!road_look_up(r, id, &key, &inner))
		return road_write_failed(r, delivery_step(r), &inner, err);
	if (key) {
		road_note(r, "found_at_target",
			  "%s refused a second invoice %s: it has it already (key %s).",
			  r->ops->target, id->number, key);
		return delivered(r, key, err);
	}
	inner = *why;
	inner.code = ERR_SYSTEM; /* a duplicate of something that no look-up finds */
	return road_write_failed(r, delivery_step(r), &inner, err);
}

static bool send(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	struct err inner = ERR_INIT;
	struct road_identity id;
	const char *key, *about;
	road_identity_of(r, &id);
	if (!r->ops->build(r, err) || !road_identity_write(at->arena, &id, &about, err) ||
	    !at->ops->step_intent(at, delivery_step(r), about, err))
		return false;
	if (r->ops->send(r, &key, &inner))
		return delivered(r, key, err);
	return inner.code == ERR_DUPLICATE ? settle_duplicate(r, &id, &inner, err)
					   : road_write_failed(r, delivery_step(r), &inner, err);
}

/*
 * No record is no proof (DESIGN §4.7): the store, or the connection, is younger than the document.
 * By its creation, not its last change as the design has it: what was relayed before a loss and is
 * put back into the transfer status after it has a young change. And another connection of the same
 * two companies may have relayed it before this one was there.
 */
static bool must_ask_first(const struct road *r)
{
	int64_t since = r->at->epoch_ms;
	if (since < r->at->conn->activated_ms)
		since = r->at->conn->activated_ms;
	return r->inv.created_ms < since + EPOCH_MARGIN_MS;
}

static bool wait_for_absence(struct road *r, struct err *err)
{
	int64_t now = clock_wall_ms();
	if (now >= r->at->absent_counts_ms)
		return true;
	err_set(err, ERR_WAITING, "the store is new: absence at %s does not count yet",
		r->ops->target);
	if (err)
		err->retry_after_ms = r->at->absent_counts_ms - now;
	return false;
}

bool road_deliver(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	struct road_identity id;
	const char *key, *about;
	if (!must_ask_first(r))
		return send(r, err);
	road_identity_of(r, &id);
	if (!road_look_up(r, &id, &key, err))
		return false;
	if (!key)
		return wait_for_absence(r, err) && send(r, err);
	/* The intent only says what it is about, for later look-ups. */
	return road_identity_write(at->arena, &id, &about, err) &&
	       at->ops->step_intent(at, delivery_step(r), about, err) &&
	       found(r, id.number, key, err);
}

/* ---- in doubt ------------------------------------------------------------------------------ */

bool road_identity_of_sent(struct road *r, const struct step *sent, struct road_identity *ret,
			   struct err *err)
{
	if (sent->about && sent->about[0])
		return road_identity_read(r->at->arena, sent->about, ret, err);
	if (!r->inv.source_id)
		return err_reason(err, ERR_DATA, "deleted_in_doubt", r->at->source_id,
				  "deleted in Severa while its sending was unclear");
	if (!road_prepare(r, err))
		return false;
	road_identity_of(r, ret);
	return true;
}

bool road_settle_doubt(struct road *r, struct step *sent, struct err *err)
{
	struct road_identity id;
	const char *key;
	if (!road_identity_of_sent(r, sent, &id, err) || !road_look_up(r, &id, &key, err))
		return false;
	if (!key) {
		bool counts = road_absence_counts(r, delivery_step(r), sent, err);
		sent->state = STEP_NONE;
		return counts;
	}
	sent->state = STEP_DONE;
	r->at->content_hash = id.hash;
	return found(r, id.number, key, err);
}
