/*
 * delivery.c: an invoice at Maventa: sent under a uuid of ours, found again by it, and followed
 * until Maventa tells what became of it (MV-14, DESIGN §4.6).
 */
#include "base/base.h"
#include "internal.h"

#define PENDING_MAX_MS ((int64_t)7 * 86400000)

const char *sm_run_uuid(const struct sm_run *m)
{
	const struct attempt *at = m->road.at;
	const struct sm_uuid_of of = { .connection = at->conn->id,
				       .company = m->maventa.company,
				       .source_id = at->source_id,
				       .generation = at->generation };
	return sm_uuid(at->arena, &of);
}

void sm_identify(const struct road *r, struct delivery_identity *id)
{
	id->customer_code = r->customer.code;
	id->id = sm_run_uuid((const struct sm_run *)r);
}

/* ---- looking up ---------------------------------------------------------------------------- */

/*
 * The first sending may have been another connection's, or another program's before us: that has a
 * uuid which we cannot know, so the number is asked for too. What failed there was not sent; and a
 * number is the company's own business, so one that differs otherwise says nothing.
 */
static bool look_by_number(struct sm_run *m, const struct delivery_identity *id,
			   struct delivery_seen *ret, struct err *err)
{
	const struct maventa_invoice *list;
	size_t n;
	if (m->road.at->generation > 1)
		return true;
	if (!maventa_invoices_by_number(&m->maventa, id->number, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (list[i].state == MAVENTA_FAILED || !sm_is_same(&list[i], id))
			continue;
		ret->key = list[i].id;
		ret->n++;
	}
	return true;
}

bool sm_look_up(struct road *r, const struct delivery_identity *id, struct delivery_seen *ret,
		struct err *err)
{
	struct sm_run *m = sm_run_of(r);
	struct maventa_invoice in;
	struct err inner = ERR_INIT;
	*ret = (struct delivery_seen) { .n = 0 };
	if (!id->id)
		return err_set(err, ERR_SYSTEM, "what the intent was about names no uuid");
	if (maventa_invoice(&m->maventa, id->id, &in, &inner)) {
		if (!in.number || !in.number[0]) /* the uuid is ours: not read there yet */
			in.number = id->number;
		/* Refused, it may have been mended since: it is still the one under this uuid. */
		bool same = in.state == MAVENTA_FAILED || sm_is_same(&in, id);
		/* Failed, and perhaps sent anew since: a store that was lost knows nothing of it.
		 */
		if (same && in.state == MAVENTA_FAILED && !look_by_number(m, id, ret, err))
			return false;
		if (!ret->n)
			*ret = (struct delivery_seen) { .n = same,
							.key = in.id,
							.number_is_taken = !same };
		return true;
	}
	if (inner.code == ERR_NOT_FOUND)
		return look_by_number(m, id, ret, err);
	if (err)
		*err = inner;
	return false;
}

/* ---- sending ------------------------------------------------------------------------------- */

bool sm_send(struct road *r, const char **ret_key, struct err *err)
{
	struct sm_run *m = sm_run_of(r);
	struct maventa_invoice sent;
	if (!maventa_send(&m->maventa, &m->form, &sent, err))
		return false;
	road_note(r, "sent",
		  "Sent to Maventa as invoice %s (%s, files beside it: %zu); Maventa's "
		  "id is %s.",
		  r->inv.number, m->format, m->n_files, sent.id);
	*ret_key = sent.id;
	return true;
}

/* ---- what became of it --------------------------------------------------------------------- */

static bool is_pending_long(enum maventa_state state, int64_t age_ms)
{
	return state == MAVENTA_PENDING && age_ms > PENDING_MAX_MS;
}

static bool gone(const struct road *r, struct err *err)
{
	return err_reason(err, ERR_DATA, "gone_at_target", r->inv.number,
			  "Maventa does not have invoice %s any more", r->inv.number);
}

bool sm_verdict(struct road *r, const struct step *sent, struct road_verdict *ret, struct err *err)
{
	struct maventa *mv = &sm_run_of(r)->maventa;
	struct maventa_invoice in;
	struct err inner = ERR_INIT;
	if (!maventa_invoice(mv, sent->outcome, &in, &inner)) {
		if (inner.code == ERR_NOT_FOUND)
			return gone(r, err);
		if (err)
			*err = inner;
		return false;
	}
	*ret = (struct road_verdict) { .fate = ROAD_PENDING,
				       .word = in.status,
				       .watch_ms = ATTEMPT_WATCH_MS };
	switch (in.state) {
	case MAVENTA_DELIVERED:
		ret->fate = ROAD_DELIVERED;
		return true;
	case MAVENTA_FAILED:
		ret->fate = ROAD_FAILED;
		return maventa_failure(mv, in.id, &ret->words, err);
	case MAVENTA_PENDING:
		break;
	}
	if (!is_pending_long(in.state, sent->age_ms))
		return true;
	return err_reason(err, ERR_DATA, "delivery_pending_long", r->inv.number,
			  "Maventa has not delivered invoice %s for over 7 days", r->inv.number);
}

static const struct maventa_invoice *find(const struct maventa_invoice *list, size_t n,
					  const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i].id, id) == 0)
			return &list[i];
	return NULL;
}

/* One call for all of them. What Maventa does not list is left to time: the run then asks for it
 * alone, and says that it is gone. */
bool sm_follow(struct attempt *at, struct follow_item *items, size_t n, struct err *err)
{
	const struct maventa_invoice *list;
	const char *ids[FOLLOW_MAX];
	struct road *r;
	size_t n_listed;
	if (!road_open(at, &r, err))
		return false;
	for (size_t i = 0; i < n; i++)
		ids[i] = items[i].target_key;
	if (!maventa_invoices(&sm_run_of(r)->maventa, ids, n, &list, &n_listed, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct follow_item *item = &items[i];
		const struct maventa_invoice *in = find(list, n_listed, item->target_key);
		item->seen = in ? in->status : NULL;
		item->has_news = (in && !str_eq(in->status, item->word)) ||
				 is_pending_long(in ? in->state : MAVENTA_PENDING,
						 item->now_ms - item->sent_ms);
	}
	return true;
}
