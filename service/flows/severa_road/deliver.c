/*
 * deliver.c: the delivery (flows/delivery.h) of an invoice from Severa: what names it, and what was
 * sent when its intent does not say.
 */
#include "base/base.h"
#include "internal.h"

bool road_prepare(struct road *r, struct err *err)
{
	r->at->content_hash = NULL;
	if (!r->ops->prepare(r, err))
		return false;
	r->at->content_hash = r->hash;
	return true;
}

/* ---- the road as a delivery ---------------------------------------------------------------- */

struct leg {
	struct delivery delivery; /* first */
	struct road *r;
};

static struct road *road_of(const struct delivery *d)
{
	return ((const struct leg *)d)->r;
}

static void identify(const struct delivery *d, struct delivery_identity *ret)
{
	road_identity_of(road_of(d), ret);
}

static bool look_up(struct delivery *d, const struct delivery_identity *id,
		    struct delivery_seen *ret, struct err *err)
{
	struct road *r = road_of(d);
	return r->ops->look_up(r, id, ret, err);
}

static bool build(struct delivery *d, struct err *err)
{
	struct road *r = road_of(d);
	return r->ops->build(r, err);
}

static bool send(struct delivery *d, const char **ret_key, struct err *err)
{
	struct road *r = road_of(d);
	return r->ops->send(r, ret_key, err);
}

static struct leg leg_of(struct road *r)
{
	static const struct delivery_ops ops = {
		.identify = identify, .look_up = look_up, .build = build, .send = send
	};
	return (struct leg) { .delivery = { .ops = &ops,
					    .at = r->at,
					    .step = r->at->flow->delivery_step,
					    .target = r->ops->target,
					    .account = r->account,
					    .created_ms = r->inv.created_ms,
					    .turn_ms = r->turn_ms },
			      .r = r };
}

/* ---- what names a document ------------------------------------------------------------------ */

void road_identity_of(const struct road *r, struct delivery_identity *ret)
{
	const struct invoice *inv = &r->inv;
	*ret = (struct delivery_identity) { .account = r->account,
					    .number = inv->number,
					    .date = inv->issue_date,
					    .reference = inv->reference,
					    .currency = inv->currency,
					    .hash = r->hash,
					    .sum = decimal_round(inv->total_gross, 2),
					    .rounding = decimal_round(inv->rounding, 2) };
	if (r->ops->identify)
		r->ops->identify(r, ret);
}

bool road_identity_of_sent(struct road *r, const struct step *sent, struct delivery_identity *ret,
			   struct err *err)
{
	if (sent->about && sent->about[0])
		return delivery_identity_read(r->at->arena, sent->about, ret, err);
	if (!r->inv.source_id)
		return err_reason(err, ERR_DATA, "deleted_in_doubt", r->at->source_id,
				  "deleted in Severa while its sending was unclear");
	if (!road_prepare(r, err))
		return false;
	road_identity_of(r, ret);
	return true;
}

/* ---- on the way ---------------------------------------------------------------------------- */

bool road_deliver(struct road *r, bool *ret_found, struct err *err)
{
	struct leg leg = leg_of(r);
	bool ok = delivery_make(&leg.delivery, err);
	*ret_found = leg.delivery.was_found;
	return ok;
}

bool road_may_be_forgotten(const struct road *r, const struct invoice *inv)
{
	return (r->ops->verdict || r->ops->tell_payment) &&
	       delivery_is_forgotten(r->at, inv->created_ms);
}

bool road_take_up(struct road *r, bool *ret, struct err *err)
{
	struct leg leg = leg_of(r);
	struct err inner = ERR_INIT;
	bool is_own;
	*ret = false;
	/* Who keeps the payment state has what is paid, too. */
	bool is_relayed = road_stands_in(&r->inv, r->transferred) ||
			  (r->ops->tell_payment && (r->inv.is_paid || r->inv.paid_date));
	if (!road_may_be_forgotten(r, &r->inv) || !is_relayed)
		return true;
	if (!road_is_own(r, &r->inv, &is_own, err))
		return false;
	if (!is_own || (road_prepare(r, &inner) && delivery_take_up(&leg.delivery, ret, &inner)))
		return true;
	/* What cannot be named any more cannot be found: it is nobody's to mend for that. */
	return inner.code == ERR_DATA || road_pass_on(&inner, err);
}

bool road_look_up(struct road *r, const struct delivery_identity *id, const char **ret_key,
		  struct err *err)
{
	struct leg leg = leg_of(r);
	return delivery_look_up(&leg.delivery, id, ret_key, err);
}

bool road_settle_doubt(struct road *r, struct step *sent, struct err *err)
{
	struct leg leg = leg_of(r);
	struct delivery_identity id;
	return road_identity_of_sent(r, sent, &id, err) &&
	       delivery_settle_doubt(&leg.delivery, &id, sent, err);
}

bool road_absence_counts(struct road *r, const char *step, const struct step *s, struct err *err)
{
	struct leg leg = leg_of(r);
	return delivery_absence_counts(&leg.delivery, step, s, err);
}

bool road_write_failed(struct road *r, const char *step, const struct err *why, struct err *err)
{
	struct leg leg = leg_of(r);
	return delivery_write_failed(&leg.delivery, step, why, err);
}
