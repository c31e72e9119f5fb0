/*
 * sync.c: one slice of a register run: takes up the run where its last durable page left it, goes
 * on from page to page for a while, and hands the job back, so that others take turns.
 *
 * Guarantees that the place where a run stands moves only with the outcomes that led there, and
 * that nothing is created before the links are whole (register.h). What a failure means for the run
 * is decided by worker/plan.c, as for a document.
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
#define SETTLE_ROUNDS 5
#define SETTLE_MIN_MS 100
/* The walk's time is by our clock, record leases are by that of Redis. */
#define CLOCKS_DIFFER_MS 300000

/* --- attempts of hands --- */

struct attempt *slice_attempt(struct slice *s, size_t hand, const struct run_context *ctx,
			      struct arena *arena)
{
	struct lane *l = &s->lanes[hand];
	if (!l->run && !(l->run = run_new(LANE_ARENA)))
		return NULL;
	struct run *r = l->run;
	int64_t n_calls = r->n_calls, slept_ms = r->slept_ms;
	run_clear(r);
	r->magic = RUN_MAGIC;
	r->job = s->run->job;
	r->n_calls = n_calls;
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
 * A key that lets one job run at a time lets one call be made at a time; of a rate so many are of
 * use as calls are given out in the time that one may wait for its own (attempt_ops.c).
 */
size_t slice_hands_max(const struct slice *s)
{
	size_t max = CREW_HANDS_MAX;
	for (size_t i = 0; i < s->conn->n_limits; i++) {
		const struct limit_key *l = &s->conn->limits[i];
		size_t useful = 1 + (size_t)(l->rate_per_s > 0 ? l->rate_per_s * 3 / 10 : 1000);
		if (l->max_running > 0)
			return 1;
		max = useful < max ? useful : max;
	}
	return max;
}

/* --- which register is next --- */

static const struct register_sync *register_of(const struct flow *flow, const char *name)
{
	for (size_t i = 0; i < flow->n_registers; i++)
		if (str_eq(flow->registers[i]->name, name))
			return flow->registers[i];
	return NULL;
}

static bool is_open(const struct register_run *run, const char *name, size_t n)
{
	for (size_t i = 0; i < run->n_registers; i++)
		if (strlen(run->registers[i].name) == n &&
		    strncmp(run->registers[i].name, name, n) == 0)
			return !run->registers[i].is_over;
	return false;
}

/* Is one that comes first still to be done? */
static bool must_wait(const struct register_run *run, const struct register_sync *reg)
{
	for (const char *p = reg->after ? reg->after : ""; *p;) {
		size_t n = strcspn(p, " ");
		if (n && is_open(run, p, n))
			return true;
		p += n;
		p += strspn(p, " ");
	}
	return false;
}

/* NULL: all are over. One that waits in a circle goes when no other can. */
static struct run_register *next_register(struct slice *s)
{
	struct run_register *any = NULL;
	for (size_t i = 0; i < s->rec.n_registers; i++) {
		struct run_register *r = &s->rec.registers[i];
		if (r->is_over)
			continue;
		const struct register_sync *reg = register_of(s->flow, r->name);
		if (!reg || !must_wait(&s->rec, reg))
			return r;
		any = any ? any : r;
	}
	return any;
}

/* Do the connection's settings still want it? */
static bool is_wanted(struct slice *s, const struct register_sync *reg)
{
	const struct json *settings = NULL;
	const char *schedule = reg->schedule;
	struct err ignored = ERR_INIT;
	if (!reg->wanted)
		return true;
	return json_parse(s->arena, span_of(s->conn->settings), JSON_LIMITS_API, &settings,
			  &ignored) &&
	       reg->wanted(s->arena, settings, &schedule);
}

static bool commit_place(struct slice *s, struct run_commit *c, struct err *err)
{
	c->reg = s->place.reg;
	c->page = PAGE_THROUGH;
	c->place = &s->place;
	c->counts[RUN_CALLS_N] = slice_calls(s);
	if (!queue_run_commit(s->ctx->opt->queue, &s->hold, c, err))
		return false;
	s->is_cancelled |= c->is_cancelled;
	return true;
}

/* The register is over, done or given up. */
static bool close_register(struct slice *s, const char *name, const struct err *why,
			   struct err *err)
{
	const char *json = NULL;
	s->state.done_ms = clock_wall_ms();
	if (why) {
		struct strbuf sb = STRBUF_INIT(s->arena, 8192);
		struct json_writer w = JSON_WRITER_INIT(&sb);
		err_write(&w, why);
		if (!strbuf_finish(&sb, &json, err))
			return false;
	}
	struct run_commit c = {
		.state = s->reg && !why ? &s->state : NULL,
		.is_over = true,
		.error_code = !why	    ? NULL
			      : why->reason ? why->reason
					    : err_code_name(why->code),
		.error_json = json,
	};
	s->place = (struct run_place) { .reg = name, .phase = PHASE_OVER, .page = "" };
	if (!commit_place(s, &c, err))
		return false;
	for (size_t i = 0; i < s->rec.n_registers; i++)
		if (str_eq(s->rec.registers[i].name, name)) {
			s->rec.registers[i].is_over = true;
			s->rec.registers[i].error_code = c.error_code ? c.error_code : "";
		}
	metrics_add(s->ctx->opt->metrics, METRIC_REGISTER_PASSES,
		    arena_printf(s->arena, "%s/%s", s->flow->name, name), why ? "failed" : "done",
		    1);
	s->reg = NULL;
	return true;
}

/* --- taking up a register --- */

static bool load_register(struct slice *s, const struct register_sync *reg, struct err *err)
{
	struct attempt *at = slice_attempt(s, 0, s->ctx, s->arena);
	const char *scope = NULL;
	if (!at)
		return err_set(err, ERR_MEMORY, "out of memory");
	s->reg = reg;
	if (!reg->scope(at, &scope, err))
		return false;
	s->table = (struct link_table) { .scope = scope, .kind = reg->kind };
	if (!queue_register_state(s->ctx->opt->queue, s->arena, s->conn->id, reg->name, &s->state,
				  err))
		return false;
	s->maps_all = s->rec.kind != RUN_CHANGES || !str_eq(s->state.settings, s->settings);
	return true;
}

/* Where a register begins: with the links, where they are not known to be whole. */
static bool begin_register(struct slice *s, struct err *err)
{
	bool is_whole = str_eq(s->state.epoch, s->epoch.id);
	bool all = s->maps_all || !is_whole;
	bool walks = s->reg->list_target && (s->rec.kind == RUN_LINKS || !is_whole);
	s->place = (struct run_place) { .reg = s->reg->name,
					.phase = walks ? PHASE_LINKS : PHASE_AGAIN,
					.page = "",
					.since_ms = all ? 0 : s->state.since_ms };
	struct run_commit c = { .table = NULL };
	return commit_place(s, &c, err);
}

static bool take_up_register(struct slice *s, struct run_register *r, struct err *err)
{
	const struct register_sync *reg = register_of(s->flow, r->name);
	if (!reg || !is_wanted(s, reg)) {
		s->reg = NULL;
		return close_register(s, r->name, NULL, err);
	}
	if (!load_register(s, reg, err))
		return false;
	if (str_eq(s->place.reg, reg->name) && s->place.phase != PHASE_OVER)
		return true; /* where the last slice left it */
	return begin_register(s, err);
}

/* --- phases --- */

/* After a loss absence counts only from a time on (DESIGN §4.7), and so does a walk. */
static bool wait_for_absence(struct slice *s, struct err *err)
{
	int64_t from_ms = s->epoch.born_ms + (s->epoch.restored ? s->ctx->opt->quiet_ms : 0);
	int64_t wait_ms = from_ms - clock_wall_ms();
	if (!s->epoch.restored || wait_ms <= 0)
		return true;
	err_set(err, ERR_BUSY, "what was sent before Redis lost its data may still arrive");
	if (err)
		err->retry_after_ms = wait_ms;
	return false;
}

static bool run_links(struct slice *s, struct err *err)
{
	struct page *p = page_of(s);
	struct register_matches got = { .n = 0 };
	struct run_place next = s->place;
	struct register_cursor from = { .page = *s->place.page ? s->place.page : NULL };
	if (!wait_for_absence(s, err))
		return false;
	if (!from.page)
		next.walked_ms = clock_wall_ms() - CLOCKS_DIFFER_MS;
	arena_clear(p->arena);
	struct attempt *at = slice_attempt(s, 0, s->ctx, p->arena);
	if (!at)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!s->reg->list_target(at, &from, &got, err))
		return false;
	next.page = got.next ? arena_strdup(s->arena, got.next) : "";
	if (!next.page)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!got.next)
		next.phase = PHASE_AGAIN;
	if (!queue_run_keys(s->ctx->opt->queue, &s->hold, &next, got.items, got.n, slice_calls(s),
			    &s->is_cancelled, err))
		return false;
	s->place = next;
	return true;
}

/* Records by id: what stands still is tried anew. Ids that the source does not know any more stand
 * still no longer. */
static bool run_ids(struct slice *s, const struct run_again *again, struct err *err)
{
	struct page *p = page_of(s);
	arena_clear(p->arena);
	struct attempt *at = slice_attempt(s, 0, s->ctx, p->arena);
	if (!at)
		return err_set(err, ERR_MEMORY, "out of memory");
	p->got = (struct register_page) { .n = 0 };
	if (!s->reg->read(at, again->ids, again->n, &p->got, err))
		return false;
	p->kind = PAGE_AGAIN;
	p->gone = again->ids;
	p->n_gone = again->n;
	return page_run(s, &s->place, NULL, NULL, err);
}

static size_t read_max(const struct register_sync *reg)
{
	return reg->read_max && reg->read_max < REGISTER_PAGE_MAX ? reg->read_max
								  : REGISTER_PAGE_MAX;
}

static bool move_on(struct slice *s, enum run_phase phase, struct err *err)
{
	struct run_commit c = { .table = NULL };
	s->place.phase = phase;
	s->place.page = "";
	s->place.rounds = 0;
	return commit_place(s, &c, err);
}

/* What stood still when the phase began, each once. */
static bool run_again(struct slice *s, struct err *err)
{
	struct run_again again;
	if (!queue_run_again(s->ctx->opt->queue, s->arena, s->conn->id, s->reg->name, false,
			     s->place.began_ms, read_max(s->reg), &again, err))
		return false;
	if (again.n == 0) {
		s->place.began_ms = 0;
		return move_on(s, PHASE_LIST, err);
	}
	if (!s->place.began_ms)
		s->place.began_ms = again.now_ms;
	return run_ids(s, &again, err);
}

bool slice_list(struct slice *s, struct page *p, const char *from, size_t hand,
		const struct run_context *ctx, struct err *err)
{
	const struct register_cursor cursor = { .since_ms = s->place.since_ms,
						.page = from && *from ? from : NULL };
	arena_clear(p->arena);
	p->got = (struct register_page) { .n = 0 };
	p->is_listed = false;
	p->kind = PAGE_THROUGH;
	p->n_gone = 0;
	struct attempt *at = slice_attempt(s, hand, ctx, p->arena);
	if (!at)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!s->reg->list(at, &cursor, &p->got, err))
		return false;
	p->is_listed = true;
	return true;
}

static bool run_list(struct slice *s, struct err *err)
{
	struct page *p = page_of(s);
	struct run_place next = s->place;
	struct register_state state = s->state;
	if (!next.began_ms)
		next.began_ms = s->place.began_ms = clock_wall_ms();
	if (!p->is_listed && !slice_list(s, p, s->place.page, 0, s->ctx, err))
		return false;
	p->is_listed = false;
	const char *more = p->got.next;
	next.page = more ? arena_strdup(s->arena, more) : "";
	if (!next.page)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!more) {
		next.phase = PHASE_SETTLE;
		state.since_ms = next.began_ms - REGISTER_OVERLAP_MIN_MS;
		state.settings = s->settings;
		state.epoch = s->epoch.id;
	}
	if (!page_run(s, &next, more ? NULL : &state, more ? next.page : NULL, err))
		return false;
	s->state = state;
	s->at_page = more && s->pages[!s->at_page].is_listed ? !s->at_page : s->at_page;
	return true;
}

/* Creations in doubt, when it is time to look for them. */
static bool run_settle(struct slice *s, struct err *err)
{
	struct run_again again;
	if (!queue_run_again(s->ctx->opt->queue, s->arena, s->conn->id, s->reg->name, true, 0,
			     read_max(s->reg), &again, err))
		return false;
	if (again.n > 0)
		return run_ids(s, &again, err);
	if (again.next_ms < 0 || s->place.rounds >= SETTLE_ROUNDS)
		return close_register(s, s->reg->name, NULL, err);
	struct run_commit c = { .table = NULL };
	s->place.rounds++;
	if (!commit_place(s, &c, err))
		return false;
	err_set(err, ERR_BUSY, "creations in doubt are looked for when it is time");
	if (err)
		err->retry_after_ms = again.next_ms + SETTLE_MIN_MS;
	return false;
}

static bool step(struct slice *s, struct err *err)
{
	switch (s->place.phase) {
	case PHASE_LINKS:
		return run_links(s, err);
	case PHASE_AGAIN:
		return run_again(s, err);
	case PHASE_LIST:
		return run_list(s, err);
	case PHASE_SETTLE:
		return run_settle(s, err);
	case PHASE_OVER:
		break;
	}
	return close_register(s, s->reg->name, NULL, err);
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
		struct run_register *r = s->reg ? NULL : next_register(s);
		if (!s->reg && !r)
			break;
		if (!(s->reg ? step(s, err) : take_up_register(s, r, err)))
			return false;
	}
	*ret_over = s->is_cancelled || (!s->reg && !next_register(s));
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
		if (close_register(s, s->reg->name, why, &err)) {
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
