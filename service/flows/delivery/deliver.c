/*
 * deliver.c: one document to the target, once (DESIGN §4.5 to §4.7). The intent stands before the
 * write and says what it is about; what became of it is settled by looking, never by sending again.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

#define EPOCH_MARGIN_MS ((int64_t)5 * 60 * 1000)

static bool delivered(struct delivery *d, const char *key, struct err *err)
{
	if (!d->at->ops->step_outcome(d->at, d->step, key, err))
		return false;
	d->at->delivered = true;
	return true;
}

static bool found(struct delivery *d, const char *number, const char *key, struct err *err)
{
	d->was_found = true;
	delivery_note(d, "found_at_target",
		      "%s has invoice %s (key %s): it arrived before, and is not sent again.",
		      d->target, number, key);
	return delivered(d, key, err);
}

/* ---- send ---------------------------------------------------------------------------------- */

/* The target says that it has it: believed only after the same comparison. */
static bool settle_duplicate(struct delivery *d, const struct delivery_identity *id,
			     const struct err *why, struct err *err)
{
	struct err inner = ERR_INIT;
	const char *key;
	if (!delivery_look_up(d, id, &key, &inner))
		return delivery_write_failed(d, d->step, &inner, err);
	if (key) {
		delivery_note(d, "found_at_target",
			      "%s refused a second invoice %s: it has it already (key %s).",
			      d->target, id->number, key);
		return delivered(d, key, err);
	}
	inner = *why;
	inner.code = ERR_SYSTEM; /* a duplicate of something that no look-up finds */
	return delivery_write_failed(d, d->step, &inner, err);
}

static bool send(struct delivery *d, struct err *err)
{
	struct attempt *at = d->at;
	struct err inner = ERR_INIT;
	struct delivery_identity id;
	const char *key, *about;
	d->ops->identify(d, &id);
	if (!d->ops->build(d, err) || !delivery_identity_write(at->arena, &id, &about, err) ||
	    !at->ops->step_intent(at, d->step, about, err))
		return false;
	if (d->ops->send(d, &key, &inner))
		return delivered(d, key, err);
	if (!d->ops->look_up && (inner.code == ERR_DOUBT || inner.code == ERR_DUPLICATE))
		return delivery_unsettled(d, &id, &inner, err); /* the intent stands */
	return inner.code == ERR_DUPLICATE ? settle_duplicate(d, &id, &inner, err)
					   : delivery_write_failed(d, d->step, &inner, err);
}

/*
 * No record is no proof (DESIGN §4.7): the store, or the connection, is younger than the document.
 * By its creation, not its last change as the design has it: what was relayed before a loss and is
 * put back into the transfer status after it has a young change. And another connection of the same
 * two companies may have relayed it before this one was there, or while this one was paused.
 */
static bool must_ask_first(const struct delivery *d)
{
	int64_t since = d->at->epoch_ms;
	if (since < d->at->conn->activated_ms)
		since = d->at->conn->activated_ms;
	if (since < d->turn_ms)
		since = d->turn_ms;
	return d->created_ms < since + EPOCH_MARGIN_MS;
}

static bool wait_for_absence(struct delivery *d, struct err *err)
{
	int64_t now = clock_wall_ms();
	if (now >= d->at->absent_counts_ms)
		return true;
	err_set(err, ERR_WAITING, "the store is new: absence at %s does not count yet", d->target);
	if (err)
		err->retry_after_ms = d->at->absent_counts_ms - now;
	return false;
}

bool delivery_take_up(struct delivery *d, bool *ret, struct err *err)
{
	struct attempt *at = d->at;
	struct delivery_identity id;
	const char *key, *about;
	d->ops->identify(d, &id);
	if (!delivery_look_up(d, &id, &key, err))
		return false;
	*ret = key != NULL;
	/* The intent only says what it is about, for later look-ups. */
	return !key ||
	       (delivery_identity_write(at->arena, &id, &about, err) &&
		at->ops->step_intent(at, d->step, about, err) && found(d, id.number, key, err));
}

/*
 * A target that cannot be asked: what the store may have forgotten goes to a person. Only where it
 * is known to have lost data: a first start has nothing to forget. A later generation is a person's
 * own order.
 */
static bool send_unasked(struct delivery *d, struct err *err)
{
	const struct attempt *at = d->at;
	bool has_lost = at->absent_counts_ms > at->epoch_ms;
	struct delivery_identity id;
	if (d->is_unsent || at->generation > 1 || !has_lost ||
	    !delivery_is_forgotten(at, d->created_ms))
		return send(d, err);
	d->ops->identify(d, &id);
	return err_reason(err, ERR_DATA, "sent_before_loss", id.number,
			  "%s may have been sent before the store was lost, and %s cannot be asked",
			  id.number, d->target);
}

bool delivery_make(struct delivery *d, struct err *err)
{
	bool is_there;
	if (!d->ops->look_up)
		return send_unasked(d, err);
	if (!must_ask_first(d))
		return send(d, err);
	return delivery_take_up(d, &is_there, err) &&
	       (is_there || (wait_for_absence(d, err) && send(d, err)));
}

bool delivery_is_forgotten(const struct attempt *at, int64_t created_ms)
{
	return created_ms < at->epoch_ms + EPOCH_MARGIN_MS;
}

/* ---- in doubt ------------------------------------------------------------------------------ */

bool delivery_settle_doubt(struct delivery *d, const struct delivery_identity *id,
			   struct step *sent, struct err *err)
{
	const char *key;
	if (!delivery_look_up(d, id, &key, err))
		return false;
	if (!key) {
		bool counts = delivery_absence_counts(d, d->step, sent, err);
		sent->state = STEP_NONE;
		return counts;
	}
	sent->state = STEP_DONE;
	d->at->content_hash = id->hash;
	return found(d, id->number, key, err);
}
