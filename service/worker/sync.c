/*
 * sync.c: one slice of a register run: takes up the run where its last durable page left it, goes
 * on from page to page for a while, and hands the job back, so that others take turns.
 *
 * What a failure means for the run is decided by worker/plan.c, as for a document: it waits, or
 * gives up the register that it is at and goes on with the next.
 */
#include "base/base.h"

#include "sync_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"

#define PAGE_ARENA ((size_t)64 << 20)
#define LANE_ARENA ((size_t)64 << 20)
#define FIRST_HANDS 8

/* --- attempts of hands --- */

struct attempt *slice_attempt(struct slice *s, size_t hand, const struct run_context *ctx,
			      struct arena *arena)
{
	struct lane *l = &s->lanes[hand];
	if (!l->run && !(l->run = run_new(LANE_ARENA)))
		return NULL;
	struct run *r = l->run;
	int64_t n_calls = r->n_calls, n_writes = r->n_writes, slept_ms = r->slept_ms;
	run_clear(r);
	r->magic = RUN_MAGIC;
	r->job = s->run->job;
	r->n_calls = n_calls;
	r->n_writes = n_writes;
	r->slept_ms = slept_ms;
	atomic_store(&r->lost, atomic_load(&s->run->lost));
	atomic_store(&r->deadline_ms, atomic_load(&s->run->deadline_ms));
	run_make_attempt(r, ctx, s->flow, s->conn, &l->impl, &l->at);
	if (s->reg)
		l->at.kind = s->reg->name;
	if (arena)
		l->at.arena = arena;
	return &l->at;
}

int64_t slice_calls(struct slice *s)
{
	int64_t n = 0;
	for (size_t i = 0; i < CREW_HANDS_MAX; i++) {
		if (!s->lanes[i].run)
			continue;
		n += s->lanes[i].run->n_calls;
		s->lanes[i].run->n_calls = 0;
	}
	return n;
}

int64_t slice_writes(struct slice *s)
{
	int64_t n = 0;
	for (size_t i = 0; i < CREW_HANDS_MAX; i++) {
		if (!s->lanes[i].run)
			continue;
		n += s->lanes[i].run->n_writes;
		s->lanes[i].run->n_writes = 0;
	}
	return n;
}

bool slice_stops(const struct err *err)
{
	switch (err->code) {
	case ERR_CREDENTIALS:
	case ERR_QUOTA:
	case ERR_OUTAGE:
	case ERR_LEASE:
	case ERR_BUSY:
	case ERR_MEMORY:
		return true;
	case ERR_NONE:
	case ERR_INPUT:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_LIMIT:
	case ERR_DATA:
	case ERR_DUPLICATE:
	case ERR_DOUBT:
	case ERR_WAITING:
	case ERR_SYSTEM:
		break;
	}
	return false;
}

/*
 * A key that lets n jobs run at a time lets n calls be made at a time; of a rate so many are of
 * use as calls are given out in the time that one may wait for its own (attempt_ops.c).
 */
size_t slice_hands_max(const struct slice *s)
{
	size_t max = CREW_HANDS_MAX;
	for (size_t i = 0; i < s->conn->n_limits; i++) {
		const struct limit_key *l = &s->conn->limits[i];
		size_t useful = 1 + (size_t)(l->rate_per_s > 0 ? l->rate_per_s * 3 / 10 : 1000);
		max = useful < max ? useful : max;
		if (l->max_running > 0 && (size_t)l->max_running < max)
			max = (size_t)l->max_running;
	}
	return max;
}

/* --- the slice --- */

static bool end_run(struct slice *s, const struct run_end *end, bool *ret_more, struct err *err)
{
	if (!queue_run_end(s->ctx->opt->queue, &s->hold, end, ret_more, err))
		return false;
	if (end->state != RUN_RUNNING) {
		metrics_add(s->ctx->opt->metrics, METRIC_REGISTER_RUNS, s->flow->name,
			    run_state_name(end->state), 1);
		log_event(LOG_INFO, "register_run", LOG_S("run", s->hold.run),
			  LOG_S("connection", s->conn->id),
			  LOG_S("verdict", run_state_name(end->state)));
	}
	return true;
}

static enum run_state state_at_end(const struct slice *s)
{
	if (s->is_cancelled)
		return RUN_CANCELLED;
	for (size_t i = 0; i < s->rec.n_registers; i++)
		if (*s->rec.registers[i].error_code)
			return RUN_FAILED;
	return RUN_DONE;
}

/* Until the time is over, the run is, or something fails. *ret_over: nothing is left of it. */
static bool go_on(struct slice *s, bool *ret_over, struct err *err)
{
	*ret_over = false;
	while (!s->is_cancelled && clock_mono_ms() < s->end_ms && !crew_is_stopping(s->ctx)) {
		struct run_register *r = s->reg ? NULL : register_next(s);
		if (!s->reg && !r)
			break;
		if (!(s->reg ? register_step(s, err) : register_take_up(s, r, err)))
			return false;
	}
	*ret_over = s->is_cancelled || (!s->reg && !register_next(s));
	return true;
}

static struct plan plan_of(struct slice *s, const struct err *why)
{
	const struct pool_options *opt = s->ctx->opt;
	const struct plan_options po = { .retry_first_ms = opt->retry_first_ms,
					 .retry_cap_ms = opt->retry_cap_ms,
					 .retry_max_age_ms = opt->retry_max_age_ms,
					 .retest_ms = opt->retest_ms,
					 .quiet_ms = opt->quiet_ms };
	uint32_t dice;
	sign_random(&dice, sizeof(dice));
	int64_t since = s->rec.failing_since_ms ? s->rec.failing_since_ms : clock_wall_ms();
	return plan_after(&po, &(struct plan_case) { .err = why,
						     .try_no = s->rec.n_failures + 1,
						     .age_ms = clock_wall_ms() - since,
						     .dice = dice });
}

/* The run waits; who looks sees why. */
static void wait_with(struct slice *s, const struct err *why, int64_t delay_ms)
{
	struct strbuf sb = STRBUF_INIT(s->arena, 8192);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json = NULL;
	bool is_error = why->code != ERR_BUSY;
	struct err err = ERR_INIT;
	bool more = false;
	err_write(&w, why);
	if (!strbuf_finish(&sb, &json, &err))
		json = NULL;
	const struct run_end end = {
		.state = RUN_RUNNING,
		.delay_ms = delay_ms,
		.error_code = !is_error	    ? NULL
			      : why->reason ? why->reason
					    : err_code_name(why->code),
		.error_json = is_error ? json : NULL,
	};
	if (!end_run(s, &end, &more, &err))
		log_err(LOG_DEBUG, "run_not_told", &err);
	run_hand_back(s->run, delay_ms);
}

/* After a failure: the register is given up, or all of it waits. */
static void settle_failure(struct slice *s, const struct err *why)
{
	struct plan p = plan_of(s, why);
	struct err err = ERR_INIT;
	s->run->err = *why;
	s->run->pause_connection = p.pause_connection;
	s->run->outcome.error_code = why->reason ? why->reason : err_code_name(why->code);
	if (p.kind == PLAN_DROP) {
		run_hand_back(s->run, 0);
		return;
	}
	bool gives_up = p.kind == PLAN_MOVE &&
			(p.state == STATE_SYSTEM_FAULT || p.state == STATE_NEEDS_DATA);
	if (gives_up && s->reg) {
		if (register_close(s, s->reg->name, why, &err)) {
			run_hand_back(s->run, 0);
			return;
		}
		why = &err;
		p = plan_of(s, why);
	}
	int64_t delay_ms = why->code == ERR_BUSY && why->retry_after_ms > p.wait_ms
				   ? why->retry_after_ms
				   : p.wait_ms;
	wait_with(s, why, delay_ms > 0 ? delay_ms : 0);
}

static void drive(struct slice *s)
{
	struct err err = ERR_INIT;
	bool any = false, over = false, more = false;
	if (!queue_run_open(s->ctx->opt->queue, s->arena, &s->hold, &s->rec, &any, &err)) {
		settle_failure(s, &err);
		return;
	}
	s->run->outcome.state = STATE_DONE;
	if (!any)
		return;
	s->place = s->rec.place;
	if (!go_on(s, &over, &err)) {
		settle_failure(s, &err);
		return;
	}
	if (over) {
		const struct run_end end = { .state = state_at_end(s) };
		if (!end_run(s, &end, &more, &err)) {
			settle_failure(s, &err);
			return;
		}
	}
	if (!over || more)
		run_hand_back(s->run, 0);
}

static bool init_slice(struct slice *s)
{
	unsigned char digest[SHA256_BYTES];
	pthread_mutex_init(&s->lock, NULL);
	store_epoch_get(s->ctx->opt->store, &s->epoch);
	sign_sha256(span_of(s->conn->settings), digest);
	sign_hex(digest, 16, s->settings);
	s->hands = slice_hands_max(s) < FIRST_HANDS ? slice_hands_max(s) : FIRST_HANDS;
	s->end_ms = clock_mono_ms() + SLICE_MS;
	for (size_t i = 0; i < ARRAY_SIZE(s->pages); i++) {
		s->pages[i].arena = arena_new(PAGE_ARENA);
		if (!s->pages[i].arena)
			return false;
		arena_keep_secrets(s->pages[i].arena);
	}
	return true;
}

static void release_slice(struct slice *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->pages); i++)
		arena_free(s->pages[i].arena);
	for (size_t i = 0; i < CREW_HANDS_MAX; i++)
		run_free(s->lanes[i].run);
	pthread_mutex_destroy(&s->lock);
}

void sync_slice(struct run *r, const struct run_context *ctx, const struct flow *flow,
		const struct connection *conn)
{
	struct slice *s = arena_alloc(r->arena, sizeof(*s));
	if (!s) {
		run_hand_back(r, 1000);
		return;
	}
	*s = (struct slice) {
		.run = r,
		.ctx = ctx,
		.flow = flow,
		.conn = conn,
		.arena = r->arena,
		.stop = ERR_INIT,
		.hold = { .conn = conn->id, .task = r->job.id, .fence = r->job.fence }
	};
	if (init_slice(s))
		drive(s);
	else
		run_hand_back(r, 1000);
	release_slice(s);
}
