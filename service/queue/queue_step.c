/* queue_step.c: the steps of a delivery, and what is known of a transfer, for attempts. */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"

#define STEP_ARENA (64 * 1024)

struct step_call {
	const char *id;
	int64_t fence;
	const char *verb, *step, *value;
	enum queue_delivery delivers;
};

static bool step_call(struct queue *q, struct arena *arena, const struct step_call *c,
		      const struct redis_value **ret, struct err *err)
{
	static const char *const deliveries[] = { "", "1", "2" };
	struct num fence, lease;
	struct span args[] = { span_of(c->id),
			       num_span(&fence, c->fence),
			       num_span(&lease, q->lease_ms),
			       span_of(c->verb),
			       text_span(c->step),
			       text_span(c->value),
			       span_of(deliveries[c->delivers]) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "step", args, ARRAY_SIZE(args), &v, err))
		return false;
	const char *word = queue_text(v, 0);
	if (str_eq(word, "LOST"))
		return err_set(err, ERR_LEASE, "the job %s is not ours any more", c->id);
	if (!str_eq(word, "OK"))
		return queue_script_broken("step", err);
	*ret = v;
	return true;
}

static bool step_do(struct queue *q, const struct step_call *c, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(STEP_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const struct redis_value *v = NULL;
	return step_call(q, arena, c, &v, err);
}

bool queue_step_get(struct queue *q, struct arena *arena, const char *id, int64_t fence,
		    const char *step, struct step *ret, struct err *err)
{
	const struct redis_value *v = NULL;
	if (!step_call(
		    q, arena,
		    &(struct step_call) { .id = id, .fence = fence, .verb = "get", .step = step },
		    &v, err))
		return false;
	if (v->n != 7)
		return queue_script_broken("step", err);
	struct step found = { .state = STEP_NONE };
	bool is_done = v->items[2].type == REDIS_STRING;
	if (is_done || queue_text(v, 1)[0]) {
		found.state = is_done ? STEP_DONE : STEP_INTENT;
		found.intent_ms = queue_int(&v->items[1]);
		found.outcome = is_done ? queue_text(v, 2) : NULL;
		found.lookups = (int)queue_int(&v->items[3]);
		found.last_lookup_ms = queue_int(&v->items[4]);
		found.age_ms = queue_int(&v->items[5]) - found.intent_ms;
		found.about = queue_text(v, 6);
	}
	*ret = found;
	return true;
}

bool queue_step_intent(struct queue *q, const char *id, int64_t fence, const char *step,
		       const char *about, struct err *err)
{
	return step_do(
		q,
		&(struct step_call) {
			.id = id, .fence = fence, .verb = "intent", .step = step, .value = about },
		err);
}

bool queue_step_outcome(struct queue *q, const char *id, int64_t fence, const char *step,
			const char *outcome, enum queue_delivery delivers, struct err *err)
{
	return step_do(q,
		       &(struct step_call) { .id = id,
					     .fence = fence,
					     .verb = outcome ? "outcome" : "clear",
					     .step = step,
					     .value = outcome,
					     .delivers = outcome ? delivers : STEP_DELIVERS_NOT },
		       err);
}

bool queue_step_lookup_empty(struct queue *q, const char *id, int64_t fence, const char *step,
			     struct err *err)
{
	return step_do(
		q, &(struct step_call) { .id = id, .fence = fence, .verb = "lookup", .step = step },
		err);
}

bool queue_step_back(struct queue *q, const char *id, int64_t fence, const char *step,
		     bool *ret_back, int64_t *ret_generation, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(STEP_ARENA);
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!step_call(
		    q, arena,
		    &(struct step_call) { .id = id, .fence = fence, .verb = "back", .step = step },
		    &v, err))
		return false;
	if (v->n != 3)
		return queue_script_broken("step", err);
	*ret_back = queue_int(&v->items[1]) == 1;
	*ret_generation = queue_int(&v->items[2]);
	return true;
}

bool queue_set_number(struct queue *q, const char *id, int64_t fence, const char *number,
		      struct err *err)
{
	return step_do(
		q,
		&(struct step_call) { .id = id, .fence = fence, .verb = "number", .value = number },
		err);
}

bool queue_lease_check(struct queue *q, const char *id, int64_t fence, int64_t *ret_deadline_ms,
		       struct err *err)
{
	int64_t deadline_ms = clock_mono_ms() + q->lease_ms;
	if (!step_do(q, &(struct step_call) { .id = id, .fence = fence, .verb = "check" }, err))
		return false;
	*ret_deadline_ms = deadline_ms;
	return true;
}

bool queue_known(struct queue *q, struct arena *arena, const char *conn, const char *kind,
		 const char *source_id, struct known_transfer *ret, struct err *err)
{
	char id[TRANSFER_ID_MAX];
	struct redis *got = NULL;
	transfer_id(conn, kind, source_id, id);
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "HMGET %st:%s st dl ch hash", redis_prefix(q->pool),
			    id))
		return false;
	struct known_transfer found = { .changed = queue_text(v, 2),
					.content_hash = queue_text(v, 3),
					.delivered = queue_text(v, 1)[0] == '1',
					.id = arena_strdup(arena, id) };
	found.exists = state_parse(span_of(queue_text(v, 0)), &found.state);
	if (!found.id)
		return err_set(err, ERR_LIMIT, "arena full");
	*ret = found;
	return true;
}
