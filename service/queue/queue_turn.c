/*
 * queue_turn.c: outcomes and claims in one script call: outcomes as finish.lua takes them, timeline
 * entries sealed for their transfer; jobs as claim.lua gives them. Batches are cut so that no call
 * holds Redis for long.
 */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"

#define CALL_ARENA (16 * 1024 * 1024)
#define FIXED_ARGS 5
#define CALL_BYTES (4 * 1024 * 1024) /* of texts */
#define MAX_ARGS 9 /* of an outcome, without its entries */
#define JOB_FIELDS_MIN 8
#define JOB_FIELDS_MAX 17

/* --- outcomes --- */

struct head {
	struct num fence;
	char text[104];
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
	int n = snprintf(ret->text, sizeof(ret->text), "%c%s%s%s%s%s%s%s %s %" PRId64 " %zu",
			 o->hand_back ? 'b'
			 : o->keep    ? 'k'
				      : 's',
			 o->delivered ? "d" : "", o->awaits_verdict ? "a" : "",
			 has_error(o) ? "e" : "", has_text(o->fingerprint) ? "f" : "",
			 has_text(o->content_hash) ? "h" : "", has_text(o->result) ? "r" : "",
			 has_text(o->word) ? "v" : "", state_name(o->state), o->delay_ms,
			 o->n_entries);
	if (n > 0 && (size_t)n < sizeof(ret->text) && o->in_rounds)
		n += snprintf(ret->text + n, sizeof(ret->text) - (size_t)n, " %" PRId64,
			      o->watch_ms);
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
	const char *const texts[] = { o->fingerprint, o->content_hash, o->result, o->word };
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

/* How many of the first go in one call: at least one, unless n is 0. */
static size_t fit_of(const struct queue_outcome *outcomes, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n && i < QUEUE_TURN_MAX; i++) {
		bytes += bytes_of(&outcomes[i]);
		if (bytes > CALL_BYTES && i > 0)
			return i;
	}
	return n < QUEUE_TURN_MAX ? n : QUEUE_TURN_MAX;
}

/* --- jobs --- */

static enum queue_job_type job_type(const char *id)
{
	if (strncmp(id, "poll:", 5) == 0)
		return JOB_POLL;
	if (strncmp(id, "sync:", 5) == 0)
		return JOB_SYNC;
	if (strncmp(id, "check:", 6) == 0)
		return JOB_CHECK;
	if (strncmp(id, "follow:", 7) == 0)
		return JOB_FOLLOW;
	if (strncmp(id, "dry_run:", 8) == 0)
		return JOB_DRY_RUN;
	if (strncmp(id, "dialogue:", 9) == 0)
		return JOB_DIALOGUE;
	return JOB_TRANSFER;
}

/* The order of the fields is claim.lua's. */
static bool read_job(const struct redis_value *v, struct queue_job *ret, struct err *err)
{
	if (v->type != REDIS_ARRAY || v->n < JOB_FIELDS_MIN || v->n > JOB_FIELDS_MAX)
		return queue_script_broken("claim", err);
	enum transfer_state was;
	if (!state_parse(span_of(queue_text(v, 3)), &was))
		return queue_script_broken("claim", err);
	*ret = (struct queue_job) {
		.type = job_type(queue_text(v, 0)),
		.id = queue_text(v, 0),
		.conn = queue_text(v, 1),
		.kind = queue_text(v, 2),
		.was = was,
		.generation = queue_int(&v->items[4]),
		.try_no = queue_int(&v->items[5]),
		.first_try_ms = queue_int(&v->items[6]),
		.source_id = queue_text(v, 7),
		.changed = queue_text(v, 8),
		.args = queue_text(v, 9),
		.number = queue_text(v, 10),
		.delivered = queue_text(v, 11)[0] == '1',
		.content_hash = queue_text(v, 12),
		.fingerprint = queue_text(v, 13),
		.error_code = queue_text(v, 14),
		.followed_ms = v->n > 15 ? queue_int(&v->items[15]) : 0,
		.has_news = queue_text(v, 16)[0] == '1',
	};
	return true;
}

/* --- calls --- */

/*
 * The number of a claim: with three digits for the place in it, its jobs' fences. Random: a Redis
 * that went back in time would give a counter's numbers again, and two workers would both pass for
 * the holder. With the three digits it stays below 2^53, the largest whole number of a script.
 */
static int64_t random_batch(void)
{
	uint64_t dice;
	sign_random(&dice, sizeof(dice));
	return (int64_t)(1ull << 42 | (dice >> 22));
}

/* One call: some outcomes, and with the last of them the claim. */
struct turn_call {
	struct span *args; /* the epoch first */
	size_t n;
	struct queue_outcome *outcomes;
	size_t n_outcomes;
	struct num max, lease, batch_text;
	int64_t batch, deadline_ms;
};

static bool write_call(struct queue *q, struct arena *arena, struct turn_call *c, size_t max_jobs,
		       struct err *err)
{
	struct store_epoch epoch;
	size_t max = FIXED_ARGS;
	assert(max_jobs <= QUEUE_TURN_MAX);
	for (size_t i = 0; i < c->n_outcomes; i++)
		max += MAX_ARGS + c->outcomes[i].n_entries;
	c->args = arena_alloc_array(arena, max, sizeof(*c->args));
	store_epoch_get(q->store, &epoch);
	const char *id = arena_strdup(arena, epoch.id);
	if (!c->args || !id)
		return err_set(err, ERR_LIMIT, "arena full");
	c->batch = random_batch();
	c->deadline_ms = clock_mono_ms() + q->lease_ms;
	const struct span fixed[FIXED_ARGS] = { span_of(id), span_of(q->moves),
						num_span(&c->max, (int64_t)max_jobs),
						num_span(&c->lease, q->lease_ms),
						num_span(&c->batch_text, c->batch) };
	memcpy(c->args, fixed, sizeof(fixed));
	c->n = FIXED_ARGS;
	for (size_t i = 0; i < c->n_outcomes; i++)
		if (!add_outcome(q, arena, &c->outcomes[i], c->args, &c->n, err))
			return false;
	return true;
}

static bool read_letters(const struct redis_value *v, struct turn_call *c, struct err *err)
{
	if (v->type != REDIS_STRING || v->s.n != c->n_outcomes)
		return queue_script_broken("turn", err);
	for (size_t i = 0; i < c->n_outcomes; i++)
		c->outcomes[i].verdict = letter_to_verdict(v->s.p[i]);
	return true;
}

static bool read_jobs(const struct redis_value *v, const struct turn_call *c,
		      struct queue_turn *turn, struct err *err)
{
	if (v->type != REDIS_ARRAY || v->n > turn->max_jobs)
		return queue_script_broken("turn", err);
	for (size_t i = 0; i < v->n; i++) {
		if (!read_job(&v->items[i], &turn->jobs[i], err))
			return false;
		turn->jobs[i].fence = c->batch * 1000 + (int64_t)i;
		turn->jobs[i].deadline_ms = c->deadline_ms;
	}
	turn->n_jobs = v->n;
	return true;
}

/* Stores some outcomes; with the last claims too, unless Redis has another epoch: *ret_lost. */
static bool store_some(struct queue *q, struct arena *arena, struct queue_turn *turn,
		       struct turn_call *c, bool is_last, bool *ret_lost, struct err *err)
{
	/* Only the jobs outlive the call, so that any number of calls has the memory of one. */
	CLEANUP(arena_free) struct arena *own = arena_new(CALL_ARENA);
	const struct redis_value *v = NULL;
	if (!own)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!write_call(q, own, c, is_last ? turn->max_jobs : 0, err) ||
	    !queue_call(q, is_last ? arena : own, "turn", c->args, c->n, &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != 2)
		return queue_script_broken("turn", err);
	if (!read_letters(&v->items[0], c, err))
		return false;
	turn->stored = is_last;
	*ret_lost = v->items[1].type == REDIS_STATUS;
	return *ret_lost || read_jobs(&v->items[1], c, turn, err);
}

/* A claim of its own, which syncs the store where it must. */
static bool claim_alone(struct queue *q, struct arena *arena, struct queue_turn *turn,
			struct err *err)
{
	struct turn_call c = { .n = 0 };
	const struct redis_value *v = NULL;
	if (turn->max_jobs == 0)
		return true;
	if (!write_call(q, arena, &c, turn->max_jobs, err) ||
	    !store_script(q->store, arena, "turn", c.args, c.n, &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != 2)
		return queue_script_broken("turn", err);
	return read_jobs(&v->items[1], &c, turn, err);
}

bool queue_turn(struct queue *q, struct arena *arena, struct queue_turn *turn, struct err *err)
{
	bool lost = true; /* nobody has asked yet */
	turn->n_jobs = 0;
	turn->stored = turn->n_outcomes == 0;
	for (size_t done = 0, n; done < turn->n_outcomes; done += n) {
		n = fit_of(turn->outcomes + done, turn->n_outcomes - done);
		struct turn_call c = { .outcomes = turn->outcomes + done, .n_outcomes = n };
		if (!store_some(q, arena, turn, &c, done + n == turn->n_outcomes, &lost, err))
			return false;
	}
	return !lost || claim_alone(q, arena, turn, err);
}

bool queue_claim(struct queue *q, struct arena *arena, size_t max, struct queue_job *ret,
		 size_t *ret_n, struct err *err)
{
	struct queue_turn turn = { .jobs = ret, .max_jobs = max };
	if (!queue_turn(q, arena, &turn, err))
		return false;
	*ret_n = turn.n_jobs;
	return true;
}

bool queue_finish(struct queue *q, struct queue_outcome *outcomes, size_t n, struct err *err)
{
	struct queue_turn turn = { .outcomes = outcomes, .n_outcomes = n };
	CLEANUP(arena_free) struct arena *arena = arena_new(CALL_ARENA);
	return arena ? queue_turn(q, arena, &turn, err) : err_set(err, ERR_MEMORY, "out of memory");
}
