/*
 * queue_follow.c: rounds of follow-up: what is due of a connection, what was heard of it, and how
 * much there is. The scripts say what is followed; this only carries it.
 */
#include "base/base.h"
#include "queue_internal.h"

#define FOLLOW_ARENA ((size_t)1024 * 1024)
#define TAKE_FIXED 2
#define TAKE_FIELDS 9
#define DONE_FIXED 3
#define DONE_FIELDS 5
#define COUNT_FIELDS 4

bool queue_follow_take(struct queue *q, struct arena *arena, const char *conn, const char *step,
		       struct queue_round *ret, struct err *err)
{
	struct num most;
	struct span args[] = { span_of(conn), text_span(step), num_span(&most, FOLLOW_MAX) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "follow_take", args, ARRAY_SIZE(args), &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n < TAKE_FIXED || (v->n - TAKE_FIXED) % TAKE_FIELDS ||
	    (v->n - TAKE_FIXED) / TAKE_FIELDS > FOLLOW_MAX)
		return queue_script_broken("follow_take", err);
	*ret = (struct queue_round) { .now_ms = queue_int(&v->items[0]),
				      .n = (v->n - TAKE_FIXED) / TAKE_FIELDS,
				      .more = queue_text(v, 1)[0] == '1' };
	for (size_t i = 0; i < ret->n; i++) {
		size_t at = TAKE_FIXED + i * TAKE_FIELDS;
		ret->ids[i] = queue_text(v, at);
		ret->items[i] = (struct follow_item) {
			.kind = queue_text(v, at + 1),
			.source_id = queue_text(v, at + 2),
			.number = queue_text(v, at + 3),
			.generation = queue_int(&v->items[at + 4]),
			.sent_ms = queue_int(&v->items[at + 5]),
			.target_key = queue_text(v, at + 6),
			.word = queue_text(v, at + 7),
			.watch_until_ms = queue_int(&v->items[at + 8]),
			.now_ms = ret->now_ms,
		};
	}
	return true;
}

bool queue_follow_done(struct queue *q, const char *task, int64_t fence, const char *conn,
		       struct queue_round *round, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(FOLLOW_ARENA);
	size_t n = DONE_FIXED;
	struct span args[DONE_FIXED + FOLLOW_MAX * DONE_FIELDS];
	struct num fence_text, nums[2 * FOLLOW_MAX];
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	args[0] = span_of(task);
	args[1] = num_span(&fence_text, fence);
	args[2] = span_of(conn);
	for (size_t i = 0; i < round->n; i++) {
		const struct follow_item *it = &round->items[i];
		args[n++] = span_of(round->ids[i]);
		args[n++] = num_span(&nums[2 * i], it->generation);
		args[n++] = num_span(&nums[2 * i + 1], round->interval_ms[i]);
		args[n++] = text_span(it->seen);
		args[n++] = it->has_news ? SPAN_LIT("1") : SPAN_LIT("");
	}
	if (!queue_call(q, arena, "follow_done", args, n, &v, err))
		return false;
	if (v->type == REDIS_ARRAY && str_eq(queue_text(v, 0), "LOST"))
		return err_set(err, ERR_LEASE, "the round was given to another worker");
	if (v->type != REDIS_ARRAY || v->n != 2)
		return queue_script_broken("follow_done", err);
	round->more = queue_text(v, 1)[0] == '1';
	return true;
}

bool queue_follow_counts(struct queue *q, struct arena *arena, const char *const *conns, size_t n,
			 struct queue_followed *ret, struct err *err)
{
	struct span *args = arena_alloc_array(arena, n + 1, sizeof(*args));
	const struct redis_value *v = NULL;
	if (!args)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++)
		args[i] = span_of(conns[i]);
	if (!queue_call(q, arena, "follow_counts", args, n, &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != 1 + n * COUNT_FIELDS)
		return queue_script_broken("follow_counts", err);
	for (size_t i = 0; i < n; i++) {
		const struct redis_value *f = &v->items[1 + i * COUNT_FIELDS];
		ret[i] = (struct queue_followed) { .now_ms = queue_int(&v->items[0]),
						   .n_pending = queue_int(&f[0]),
						   .n_watched = queue_int(&f[1]),
						   .oldest_ms = queue_int(&f[2]),
						   .next_ms = queue_int(&f[3]) };
	}
	return true;
}
