/*
 * queue_finish.c: hands outcomes to finish.lua, timeline entries sealed for their transfer.
 * Batches are cut so that no call holds Redis for long.
 */
#include "base/base.h"
#include "queue_internal.h"

#define FIXED_ARGS 12
#define FINISH_ARENA (16 * 1024 * 1024)

static const char *mode_of(const struct queue_outcome *o)
{
	if (o->hand_back)
		return "back";
	return o->keep ? "keep" : "state";
}

static bool seal_entries(struct queue *q, struct arena *arena, const struct queue_outcome *o,
			 struct span *to, struct err *err)
{
	char *place = arena_printf(arena, "tl:%s", o->id);
	if (!place)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < o->n_entries; i++)
		if (!seal(arena, &q->key, span_of(place), span_of(o->entries[i]), &to[i], err))
			return false;
	return true;
}

static bool outcome_args(struct queue *q, struct arena *arena, const struct queue_outcome *o,
			 struct span *to, struct err *err)
{
	struct num *nums = arena_alloc_array(arena, 3, sizeof(*nums));
	if (!nums)
		return err_set(err, ERR_LIMIT, "arena full");
	to[0] = span_of(o->id);
	to[1] = num_span(&nums[0], o->fence);
	to[2] = span_of(mode_of(o));
	to[3] = span_of(state_name(o->state));
	to[4] = num_span(&nums[1], o->delay_ms);
	to[5] = o->delivered ? SPAN_LIT("1") : SPAN_LIT("");
	to[6] = text_span(o->error_code);
	to[7] = text_span(o->error_json);
	to[8] = text_span(o->fingerprint);
	to[9] = text_span(o->content_hash);
	to[10] = text_span(o->result);
	to[11] = num_span(&nums[2], (int64_t)o->n_entries);
	return seal_entries(q, arena, o, to + FIXED_ARGS, err);
}

static enum queue_verdict letter_to_verdict(char letter)
{
	if (letter == 'S')
		return FINISH_STALE;
	return letter == 'I' ? FINISH_ILLEGAL : FINISH_STORED;
}

static bool finish_some(struct queue *q, struct queue_outcome *outcomes, size_t n, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(FINISH_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	size_t total = 2;
	for (size_t i = 0; i < n; i++)
		total += FIXED_ARGS + outcomes[i].n_entries;
	struct span *args = arena_alloc_array(arena, total, sizeof(*args));
	if (!args)
		return err_set(err, ERR_LIMIT, "arena full");
	struct num retention;
	args[0] = span_of(q->moves);
	args[1] = num_span(&retention, q->retention_ms);
	size_t at = 2;
	for (size_t i = 0; i < n; i++) {
		if (!outcome_args(q, arena, &outcomes[i], args + at, err))
			return false;
		at += FIXED_ARGS + outcomes[i].n_entries;
	}
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "finish", args, total, &v, err))
		return false;
	if (v->type != REDIS_STRING || v->s.n != n)
		return queue_script_broken("finish", err);
	for (size_t i = 0; i < n; i++)
		outcomes[i].verdict = letter_to_verdict(v->s.p[i]);
	return true;
}

bool queue_finish(struct queue *q, struct queue_outcome *outcomes, size_t n, struct err *err)
{
	for (size_t i = 0; i < n;) {
		size_t some = n - i < 64 ? n - i : 64;
		if (!finish_some(q, outcomes + i, some, err))
			return false;
		i += some;
	}
	return true;
}
