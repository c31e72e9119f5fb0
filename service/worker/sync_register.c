/*
 * sync_register.c: one register of a run: which is next, where it begins, and its phases, a page at
 * a time. Guarantees that nothing is created before the links are whole, and that the place where a
 * register stands moves only with the outcomes that led there.
 */
#include "base/base.h"

#include "sync_internal.h"

#include "base/clock.h"
#include "codec/json.h"
#include "codec/sign.h"

#define SETTLE_ROUNDS 5
#define SETTLE_MIN_MS 100
/* The walk's time is by our clock, record leases are by that of Redis. */
#define CLOCKS_DIFFER_MS 300000

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
struct run_register *register_next(struct slice *s)
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
	c->place = &s->place;
	c->counts[RUN_CALLS_N] = slice_calls(s);
	c->counts[RUN_WRITES_N] = slice_writes(s);
	if (!queue_run_commit(s->ctx->opt->queue, &s->hold, c, err))
		return false;
	s->is_cancelled |= c->is_cancelled;
	return true;
}

/* The register is over, done or given up. */
bool register_close(struct slice *s, const char *name, const struct err *why, struct err *err)
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
		.page = PAGE_THROUGH,
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

/*
 * Links are whole for one memory of the store and one pair of companies: where Redis went back in
 * time, or the connection has the key of another company, they are made anew (DESIGN §4.7).
 */
static bool find_basis(struct slice *s, struct err *err)
{
	unsigned char digest[SHA256_BYTES];
	const char *text = arena_printf(s->arena, "%s\n%s", s->epoch.id, s->table.scope);
	if (!text)
		return err_set(err, ERR_LIMIT, "arena full");
	sign_sha256(span_of(text), digest);
	sign_hex(digest, 16, s->basis);
	return true;
}

static bool load_register(struct slice *s, const struct register_sync *reg, struct err *err)
{
	const char *scope = NULL;
	s->reg = reg; /* names the attempt's kind */
	struct attempt *at = slice_attempt(s, 0, s->ctx, s->arena);
	if (!at)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!reg->scope(at, &scope, err))
		return false;
	s->table = (struct link_table) { .scope = scope, .kind = reg->kind };
	if (!find_basis(s, err) || !queue_register_state(s->ctx->opt->queue, s->arena, s->conn->id,
							 reg->name, &s->state, err))
		return false;
	s->maps_all = s->rec.kind != RUN_CHANGES || !str_eq(s->state.settings, s->settings);
	return true;
}

/* Where a register begins: with the links, where they are not known to be whole. */
static bool begin_register(struct slice *s, struct err *err)
{
	bool is_whole = str_eq(s->state.basis, s->basis);
	bool all = s->maps_all || !is_whole;
	bool walks = s->reg->list_target && (s->rec.kind == RUN_LINKS || !is_whole);
	s->place = (struct run_place) { .reg = s->reg->name,
					.phase = walks ? PHASE_LINKS : PHASE_AGAIN,
					.page = "",
					.since_ms = all ? 0 : s->state.since_ms,
					.basis = s->basis,
					.settings = s->settings };
	struct run_commit c = { .page = PAGE_BEGIN };
	return commit_place(s, &c, err);
}

bool register_take_up(struct slice *s, struct run_register *r, struct err *err)
{
	const struct register_sync *reg = register_of(s->flow, r->name);
	if (!reg || !is_wanted(s, reg)) {
		s->reg = NULL;
		return register_close(s, r->name, NULL, err);
	}
	if (!load_register(s, reg, err))
		return false;
	if (str_eq(s->place.reg, reg->name) && s->place.phase != PHASE_OVER &&
	    str_eq(s->place.basis, s->basis))
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

static bool move_on(struct slice *s, enum run_phase phase, struct err *err)
{
	struct run_commit c = { .page = PAGE_THROUGH };
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
			     s->place.began_ms, register_read_max(s->reg), &again, err))
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
		state.settings = s->place.settings; /* its first pages know no others */
		state.basis = s->basis;
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
			     register_read_max(s->reg), &again, err))
		return false;
	if (again.n > 0)
		return run_ids(s, &again, err);
	if (again.next_ms < 0 || s->place.rounds >= SETTLE_ROUNDS)
		return register_close(s, s->reg->name, NULL, err);
	struct run_commit c = { .page = PAGE_THROUGH };
	s->place.rounds++;
	if (!commit_place(s, &c, err))
		return false;
	err_set(err, ERR_BUSY, "creations in doubt are looked for when it is time");
	if (err)
		err->retry_after_ms = again.next_ms + SETTLE_MIN_MS;
	return false;
}

bool register_step(struct slice *s, struct err *err)
{
	/* A target that is not walked is asked record by record: that counts no earlier. */
	if (!s->reg->list_target && !wait_for_absence(s, err))
		return false;
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
	return register_close(s, s->reg->name, NULL, err);
}
