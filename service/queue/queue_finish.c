/*
 * queue_finish.c: outcomes as finish.lua takes them, timeline entries sealed for their transfer.
 */
#include "base/base.h"
#include "queue_internal.h"

#define CALL_BYTES (4 * 1024 * 1024) /* of texts */
#define MAX_ARGS 8 /* of an outcome, without its entries */
#define TURN_ARENA (16 * 1024 * 1024)

struct head {
	struct num fence;
	char text[80];
};

static bool has_text(const char *s)
{
	return s && *s;
}

static bool has_error(const struct queue_outcome *o)
{
	return has_text(o->error_code) || has_text(o->error_json);
}

/* What finish.lua calls the head; its letters say which texts follow. */
static bool write_head(const struct queue_outcome *o, struct head *ret)
{
	int n = snprintf(ret->text, sizeof(ret->text), "%c%s%s%s%s%s %s %" PRId64 " %zu",
			 o->hand_back ? 'b'
			 : o->keep    ? 'k'
				      : 's',
			 o->delivered ? "d" : "", has_error(o) ? "e" : "",
			 has_text(o->fingerprint) ? "f" : "", has_text(o->content_hash) ? "h" : "",
			 has_text(o->result) ? "r" : "", state_name(o->state), o->delay_ms,
			 o->n_entries);
	return n > 0 && (size_t)n < sizeof(ret->text);
}

static bool seal_entries(struct queue *q, struct arena *arena, const struct queue_outcome *o,
			 struct span *to, struct err *err)
{
	char place[QUEUE_JOB_ID_MAX + 8];
	snprintf(place, sizeof(place), "tl:%s", o->id);
	for (size_t i = 0; i < o->n_entries; i++)
		if (!seal(arena, &q->key, span_of(place), span_of(o->entries[i]), &to[i], err))
			return false;
	return true;
}

/* Writes the arguments of one outcome; *n is moved on. */
static bool add_outcome(struct queue *q, struct arena *arena, const struct queue_outcome *o,
			struct span *args, size_t *n, struct err *err)
{
	struct head *head = arena_alloc(arena, sizeof(*head));
	struct span *to = args + *n;
	if (!head)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!write_head(o, head))
		return err_set(err, ERR_SYSTEM, "an outcome's head outgrew its buffer");
	*to++ = span_of(o->id);
	*to++ = num_span(&head->fence, o->fence);
	*to++ = span_of(head->text);
	if (has_error(o)) {
		*to++ = text_span(o->error_code);
		*to++ = text_span(o->error_json);
	}
	const char *const texts[] = { o->fingerprint, o->content_hash, o->result };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (has_text(texts[i]))
			*to++ = span_of(texts[i]);
	*n = (size_t)(to - args) + o->n_entries;
	return seal_entries(q, arena, o, to, err);
}

static enum queue_verdict letter_to_verdict(char letter)
{
	if (letter == 'S')
		return FINISH_STALE;
	return letter == 'I' ? FINISH_ILLEGAL : FINISH_STORED;
}

static size_t text_bytes(const char *s)
{
	return s ? strlen(s) : 0;
}

/* Of what may be long. */
static size_t bytes_of(const struct queue_outcome *o)
{
	size_t bytes = text_bytes(o->error_json) + text_bytes(o->result);
	for (size_t i = 0; i < o->n_entries; i++)
		bytes += text_bytes(o->entries[i]);
	return bytes;
}

size_t queue_finish_fit(const struct queue_outcome *outcomes, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n && i < QUEUE_TURN_MAX; i++) {
		bytes += bytes_of(&outcomes[i]);
		if (bytes > CALL_BYTES && i > 0)
			return i;
	}
	return n < QUEUE_TURN_MAX ? n : QUEUE_TURN_MAX;
}

bool queue_finish_append(struct queue *q, struct redis *r, struct arena *arena,
			 const struct queue_outcome *outcomes, size_t n, struct err *err)
{
	size_t max = 1, used = 1;
	for (size_t i = 0; i < n; i++)
		max += MAX_ARGS + outcomes[i].n_entries;
	struct span *args = arena_alloc_array(arena, max, sizeof(*args));
	if (!args)
		return err_set(err, ERR_LIMIT, "arena full");
	args[0] = span_of(q->moves);
	for (size_t i = 0; i < n; i++)
		if (!add_outcome(q, arena, &outcomes[i], args, &used, err))
			return false;
	return redis_append_script(r, arena, "finish", args, used, err);
}

bool queue_finish_read(struct redis *r, struct arena *arena, struct queue_outcome *outcomes,
		       size_t n, struct err *err)
{
	const struct redis_value *v = NULL;
	if (!redis_read(r, arena, &v, err))
		return false;
	if (v->type != REDIS_STRING || v->s.n != n)
		return queue_script_broken("finish", err);
	for (size_t i = 0; i < n; i++)
		outcomes[i].verdict = letter_to_verdict(v->s.p[i]);
	return true;
}

bool queue_finish(struct queue *q, struct queue_outcome *outcomes, size_t n, struct err *err)
{
	struct queue_turn turn = { .outcomes = outcomes, .n_outcomes = n };
	CLEANUP(arena_free) struct arena *arena = arena_new(TURN_ARENA);
	return arena ? queue_turn(q, arena, &turn, err) : err_set(err, ERR_MEMORY, "out of memory");
}
