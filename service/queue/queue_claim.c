/* queue_claim.c: takes jobs, and keeps their leases. */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"

#define JOB_FIELDS_MIN 8
#define JOB_FIELDS_MAX 15
#define BEAT_ARENA (256 * 1024)

static enum queue_job_type job_type(const char *id)
{
	if (strncmp(id, "poll:", 5) == 0)
		return JOB_POLL;
	if (strncmp(id, "check:", 6) == 0)
		return JOB_CHECK;
	if (strncmp(id, "dry_run:", 8) == 0)
		return JOB_DRY_RUN;
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
	};
	return true;
}

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

#define CLAIM_ARGS 5
struct claim_args {
	struct span args[CLAIM_ARGS]; /* the epoch first, to be filled in */
	struct num max, lease, batch;
};

/* Of a claim that is made now. */
static struct queue_claim_head write_args(const struct queue *q, size_t max, struct claim_args *to)
{
	assert(max <= QUEUE_TURN_MAX);
	struct queue_claim_head head = { .batch = random_batch(),
					 .deadline_ms = clock_mono_ms() + q->lease_ms };
	const struct span args[CLAIM_ARGS] = { SPAN_LIT(""), span_of(q->moves),
					       num_span(&to->max, (int64_t)max),
					       num_span(&to->lease, q->lease_ms),
					       num_span(&to->batch, head.batch) };
	memcpy(to->args, args, sizeof(args));
	return head;
}

static bool read_jobs(const struct redis_value *v, const struct queue_claim_head *head,
		      struct queue_turn *turn, struct err *err)
{
	if (v->type != REDIS_ARRAY || v->n > turn->max_jobs)
		return queue_script_broken("claim", err);
	for (size_t i = 0; i < v->n; i++) {
		if (!read_job(&v->items[i], &turn->jobs[i], err))
			return false;
		turn->jobs[i].fence = head->batch * 1000 + (int64_t)i;
		turn->jobs[i].deadline_ms = head->deadline_ms;
	}
	turn->n_jobs = v->n;
	return true;
}

bool queue_claim_append(struct queue *q, struct redis *r, struct arena *arena, size_t max,
			struct queue_claim_head *ret, struct err *err)
{
	struct claim_args a;
	struct store_epoch epoch;
	*ret = write_args(q, max, &a);
	store_epoch_get(q->store, &epoch);
	a.args[0] = span_of(epoch.id);
	return redis_append_script(r, arena, "claim", a.args, CLAIM_ARGS, err);
}

bool queue_claim_read(struct redis *r, struct arena *arena, const struct queue_claim_head *head,
		      struct queue_turn *turn, bool *ret_lost, struct err *err)
{
	const struct redis_value *v = NULL;
	if (!redis_read(r, arena, &v, err))
		return false;
	*ret_lost = v->type == REDIS_STATUS;
	return *ret_lost || read_jobs(v, head, turn, err);
}

bool queue_claim_synced(struct queue *q, struct arena *arena, struct queue_turn *turn,
			struct err *err)
{
	struct claim_args a;
	const struct redis_value *v = NULL;
	struct queue_claim_head head = write_args(q, turn->max_jobs, &a);
	return store_script(q->store, arena, "claim", a.args, CLAIM_ARGS, &v, err) &&
	       read_jobs(v, &head, turn, err);
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

bool queue_heartbeat(struct queue *q, struct queue_lease *leases, size_t n, struct err *err)
{
	if (n == 0)
		return true;
	CLEANUP(arena_free) struct arena *arena = arena_new(BEAT_ARENA);
	struct span *args = arena ? arena_alloc_array(arena, 2 * n + 1, sizeof(*args)) : NULL;
	struct num *nums = arena ? arena_alloc_array(arena, n + 1, sizeof(*nums)) : NULL;
	if (!args || !nums)
		return err_set(err, ERR_MEMORY, "out of memory");
	args[0] = num_span(&nums[n], q->lease_ms);
	for (size_t i = 0; i < n; i++) {
		args[1 + 2 * i] = span_of(leases[i].id);
		args[2 + 2 * i] = num_span(&nums[i], leases[i].fence);
	}
	int64_t deadline_ms = clock_mono_ms() + q->lease_ms;
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "beat", args, 2 * n + 1, &v, err))
		return false;
	if (v->type != REDIS_STRING || v->s.n != n)
		return queue_script_broken("beat", err);
	for (size_t i = 0; i < n; i++) {
		leases[i].lost = v->s.p[i] != 'B';
		if (!leases[i].lost)
			leases[i].deadline_ms = deadline_ms;
	}
	return true;
}
