/*
 * store_order.c: what people order for transfers: retry, resend, cancel, arrived. What may be done
 * in which state is transfer_order.lua's to say; each order leaves a line on the timeline.
 */
#include "base/base.h"
#include "store_internal.h"

#include "base/clock.h"
#include "codec/json.h"

#define ORDER_ARENA ((size_t)64 * 1024)
#define ORDER_ARGS 9
#define BATCH 64
#define BATCH_ARENA ((size_t)4 << 20)

static const char *action_name(enum transfer_action a)
{
	switch (a) {
	case TRANSFER_RETRY:
		return "retry";
	case TRANSFER_RESEND:
		return "resend";
	case TRANSFER_CANCEL:
		return "cancel";
	case TRANSFER_ARRIVED:
		return "arrived";
	}
	return "?";
}

static bool write_entry(struct store *s, struct arena *arena, const struct transfer_order *o,
			struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 16 * 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text = NULL, *place = arena_printf(arena, "tl:%s", o->id);
	jsonw_object(&w);
	jsonw_ktime(&w, "at", clock_wall_ms());
	jsonw_kstr(&w, "code", action_name(o->action));
	jsonw_kstr(&w, "by", o->who);
	jsonw_kstr(&w, "text", o->reason);
	jsonw_end_object(&w);
	if (!place || !strbuf_finish(&sb, &text, err))
		return err_set(err, ERR_LIMIT, "arena full");
	return seal(arena, &s->key, span_of(place), span_of(text), ret, err);
}

static bool order_args(struct store *s, struct arena *arena, const struct transfer_order *o,
		       struct span args[ORDER_ARGS], struct err *err)
{
	struct num *rev = arena_alloc(arena, sizeof(*rev));
	struct span entry;
	if (!rev)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!write_entry(s, arena, o, &entry, err))
		return false;
	const struct span all[ORDER_ARGS] = { SPAN_LIT(""), /* the epoch */
					      span_of(s->moves),
					      span_of(o->id),
					      span_of(action_name(o->action)),
					      num_span(rev, o->rev),
					      entry,
					      o->despite_doubt ? SPAN_LIT("1") : SPAN_LIT(""),
					      text_span(o->step),
					      text_span(o->key) };
	memcpy(args, all, sizeof(all));
	return true;
}

/* True when it was done: the script's answer is the new revision. */
static bool judge(const struct transfer_order *o, int64_t answer, struct err *err)
{
	if (answer == -1)
		return err_set(err, ERR_NOT_FOUND, "no transfer %s", o->id);
	if (answer == -2)
		return err_reason(err, ERR_CONFLICT, "stale", o->id,
				  "the transfer was changed meanwhile");
	if (answer == -4)
		return err_reason(err, ERR_CONFLICT, "in_doubt", o->id,
				  "a sending of it is unclear: it may be at the target");
	if (answer < 1)
		return err_reason(err, ERR_CONFLICT, "state", o->id,
				  "%s is not possible in the transfer's state",
				  action_name(o->action));
	return true;
}

bool store_transfer_order(struct store *s, const struct transfer_order *order, int64_t *ret_rev,
			  struct err *err)
{
	bool needs_reason = order->action == TRANSFER_RESEND || order->action == TRANSFER_ARRIVED;
	if (needs_reason && (!order->reason || !order->reason[0])) {
		err_set(err, ERR_INPUT, "a reason is needed");
		err_pointer(err, "/reason");
		return false;
	}
	CLEANUP(arena_free) struct arena *arena = arena_new(ORDER_ARENA);
	struct span args[ORDER_ARGS];
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!order_args(s, arena, order, args, err) ||
	    !store_script(s, arena, "transfer_order", args, ORDER_ARGS, &v, err) ||
	    !judge(order, store_int(v), err))
		return false;
	*ret_rev = store_int(v);
	return true;
}

/* --- many --- */

static bool count_answer(bool done, const struct err *why, struct transfer_tally *tally)
{
	if (done)
		tally->done++;
	else if (why->code == ERR_CONFLICT || why->code == ERR_NOT_FOUND)
		tally->refused++; /* it moved on meanwhile */
	else
		return false;
	return true;
}

/* One that the pipeline could not settle: the epoch has changed, or the script was forgotten. */
static bool retry_one(struct store *s, const struct transfer_order *o, struct transfer_tally *tally,
		      struct err *err)
{
	struct err why = ERR_INIT;
	int64_t rev;
	bool done = store_transfer_order(s, o, &rev, &why);
	return count_answer(done, &why, tally) || err_set(err, why.code, "%s", why.message);
}

static bool send_batch(struct store *s, struct redis *r, struct arena *arena,
		       const struct transfer_order *orders, size_t n, struct err *err)
{
	struct store_epoch epoch;
	store_epoch_get(s, &epoch);
	const char *id = arena_strdup(arena, epoch.id);
	if (!id)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++) {
		struct span args[ORDER_ARGS];
		if (!order_args(s, arena, &orders[i], args, err))
			return false;
		args[0] = span_of(id);
		if (!redis_append_script(r, arena, "transfer_order", args, ORDER_ARGS, err))
			return false;
	}
	return true;
}

/* One write and one visit to the disk for all. unsettled: those that must be ordered again. */
static bool run_batch(struct store *s, struct arena *arena, const struct transfer_order *orders,
		      size_t n, bool unsettled[BATCH], struct transfer_tally *tally,
		      struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	if (!send_batch(s, r, arena, orders, n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct redis_value *v = NULL;
		struct err why = ERR_INIT;
		if (!redis_read(r, arena, &v, &why)) {
			if (why.code == ERR_OUTAGE)
				return err_set(err, why.code, "%s", why.message);
			unsettled[i] = true;
		} else if (v->type == REDIS_STATUS) {
			unsettled[i] = true;
		} else {
			bool done = judge(&orders[i], store_int(v), &why);
			unsettled[i] = !count_answer(done, &why, tally);
		}
	}
	return true;
}

bool store_transfer_retry_many(struct store *s, const char *const *ids, size_t n, const char *who,
			       struct transfer_tally *ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(BATCH_ARENA);
	struct transfer_tally tally = { .done = 0 };
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (size_t from = 0; from < n; from += BATCH) {
		struct transfer_order orders[BATCH];
		bool unsettled[BATCH] = { false };
		size_t k = n - from < BATCH ? n - from : BATCH;
		for (size_t i = 0; i < k; i++)
			orders[i] = (struct transfer_order) {
				.id = ids[from + i], .action = TRANSFER_RETRY, .rev = -1, .who = who
			};
		arena_clear(arena);
		if (!run_batch(s, arena, orders, k, unsettled, &tally, err))
			return false;
		for (size_t i = 0; i < k; i++)
			if (unsettled[i] && !retry_one(s, &orders[i], &tally, err))
				return false;
	}
	*ret = tally;
	return true;
}
