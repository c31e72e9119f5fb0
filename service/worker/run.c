/*
 * run.c: one job from claim to outcome: makes the attempt, runs the flow, and turns what came of it
 * into what is stored. It stores nothing itself: outcomes go in batches (pool.c).
 */
#include "base/base.h"

#include "run.h"
#include "sync.h"
#include "talk.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"

struct run *run_new(size_t arena_bytes)
{
	struct run *r = mem_alloc(sizeof(*r));
	if (!r)
		return NULL;
	r->arena = arena_new(arena_bytes);
	if (!r->arena) {
		mem_free(r);
		return NULL;
	}
	arena_keep_secrets(r->arena); /* credentials, tokens, and the requests that carry them */
	return r;
}

bool run_take(struct run *r, const struct queue_job *job, int64_t now_ms)
{
	r->magic = RUN_MAGIC;
	r->job = *job;
	r->claimed_ms = now_ms;
	const char **texts[] = { &r->job.id,	       &r->job.conn,	    &r->job.kind,
				 &r->job.source_id,    &r->job.number,	    &r->job.changed,
				 &r->job.content_hash, &r->job.fingerprint, &r->job.error_code,
				 &r->job.args };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!*texts[i] || !**texts[i])
			*texts[i] = "";
		else if (!(*texts[i] = arena_strdup(r->arena, *texts[i])))
			return false;
	}
	atomic_store(&r->deadline_ms, job->deadline_ms);
	r->outcome =
		(struct queue_outcome) { .id = r->job.id, .fence = r->job.fence, .delay_ms = -1 };
	return true;
}

void run_clear(struct run *r)
{
	struct arena *arena = r->arena;
	arena_clear(arena);
	*r = (struct run) { .arena = arena };
}

void run_free(struct run *r)
{
	if (!r)
		return;
	r->magic = 0;
	arena_free(r->arena);
	mem_free(r);
}

void run_hand_back(struct run *r, int64_t delay_ms)
{
	r->outcome.hand_back = true;
	r->outcome.delay_ms = delay_ms;
}

/* The error as it is stored: what REST and the timeline show, and the reason's parameters. */
static const char *error_json(struct run *r)
{
	struct strbuf sb = STRBUF_INIT(r->arena, 8192);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	err_write(&w, &r->err);
	const char *json;
	return strbuf_finish(&sb, &json, NULL) ? json : NULL;
}

static const struct flow *flow_of(const struct flow *const *flows, const char *name)
{
	for (; *flows; flows++) {
		if (strcmp((*flows)->name, name) == 0)
			return *flows;
	}
	return NULL;
}

static const char *fingerprint_of(struct attempt_impl *impl)
{
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	if (!impl->has_seen)
		return NULL;
	sha256_stream_finish(&impl->seen, digest);
	impl->has_seen = false;
	sign_hex(digest, 16, hex);
	return arena_strdup(impl->run->arena, hex);
}

/* What was sent is asked for again; the age is right to seconds, as two clocks tell it. */
static void plan_follow(struct run *r, const struct attempt *at, const struct flow *flow)
{
	struct queue_outcome *o = &r->outcome;
	bool is_pending = o->state == STATE_FOLLOWING;
	bool is_watched = o->state == STATE_DONE && at->delivered && at->watch_ms > 0;
	int64_t age_ms = r->job.followed_ms ? clock_wall_ms() - r->job.followed_ms : 0;
	if (!is_pending && !(is_watched && flow->follow))
		return;
	o->in_rounds = flow->follow != NULL;
	o->watch_ms = is_watched ? at->watch_ms : 0;
	o->word = at->verdict;
	o->delay_ms = plan_follow_ms(age_ms);
}

static void succeeded(struct run *r, const struct attempt *at, const struct flow *flow)
{
	static const enum transfer_state states[] = {
		[OUTCOME_DONE] = STATE_DONE,
		[OUTCOME_SKIPPED] = STATE_SKIPPED,
		[OUTCOME_CANCELLED] = STATE_CANCELLED,
		[OUTCOME_FOLLOWING] = STATE_FOLLOWING,
	};
	struct queue_outcome *o = &r->outcome;
	o->state = states[at->outcome];
	o->delivered = at->delivered;
	o->content_hash = at->delivered ? at->content_hash : NULL;
	o->result = at->result;
	if (r->job.type == JOB_TRANSFER)
		plan_follow(r, at, flow);
	if (r->goes_on)
		run_hand_back(r, 0); /* the next documents in another turn */
	/* A document that is done stays done when somebody moved or deleted it at the source since.
	 */
	if (r->job.was == STATE_DONE && o->state != STATE_DONE)
		o->keep = true;
	/* Nor does it tell again and again that the verdict is awaited. */
	bool same = r->job.was == STATE_FOLLOWING && o->state == STATE_FOLLOWING;
	if (same)
		r->n_entries = 0;
	if (!o->keep && !same)
		run_entry_end(r);
}

/* A dialogue's failure stands in its record, and is mostly somebody's slip. */
static enum transfer_state asked_state(const struct run *r)
{
	bool is_slip = r->job.type == JOB_DIALOGUE && r->err.code != ERR_SYSTEM;
	return is_slip ? STATE_NEEDS_DATA : STATE_SYSTEM_FAULT;
}

static void failed(struct run *r, const struct run_context *ctx, const struct attempt *at,
		   const char *fingerprint)
{
	const struct pool_options *opt = ctx->opt;
	const struct plan_options po = { .retry_first_ms = opt->retry_first_ms,
					 .retry_cap_ms = opt->retry_cap_ms,
					 .retry_max_age_ms = opt->retry_max_age_ms,
					 .retest_ms = opt->retest_ms,
					 .quiet_ms = opt->quiet_ms };
	uint32_t dice;
	sign_random(&dice, sizeof(dice));
	int64_t since = r->job.first_try_ms ? r->job.first_try_ms : clock_wall_ms();
	struct plan p = plan_after(&po, &(struct plan_case) { .err = &r->err,
							      .try_no = r->job.try_no,
							      .age_ms = clock_wall_ms() - since,
							      .dice = dice });
	struct queue_outcome *o = &r->outcome;
	/* Somebody waits for the answer of a check or dry run; it pauses nothing that relays. */
	bool is_asked = r->job.type == JOB_CHECK || r->job.type == JOB_DRY_RUN ||
			r->job.type == JOB_DIALOGUE;
	r->pause_connection = p.pause_connection && !is_asked;
	o->delivered = at->delivered;
	o->content_hash = at->delivered ? at->content_hash : NULL;
	o->delay_ms = p.wait_ms;
	o->error_code = r->err.reason ? r->err.reason : err_code_name(r->err.code);
	o->error_json = error_json(r);
	o->fingerprint = fingerprint;
	o->word = at->delivered ? at->verdict : NULL;
	if (p.kind != PLAN_MOVE && !(is_asked && p.pause_connection)) {
		o->hand_back = true;
		o->state = r->job.was;
		if (p.pause_connection)
			run_entry_end(r);
		else if (!r->has_written) /* another turn, the same reads */
			r->n_entries = 0;
		return;
	}
	o->state = is_asked ? asked_state(r) : p.state;
	o->awaits_verdict = at->awaits_verdict && at->delivered && o->state == STATE_NEEDS_DATA;
	/* What is done stays done while a second look at it fails; only "gone at the target" is
	 * told. */
	if (r->job.was == STATE_DONE && (p.state != STATE_NEEDS_DATA || at->keep_error)) {
		o->keep = true;
		return;
	}
	/* A retest that tried nothing, or read the same and found the same, leaves no trace. */
	bool same = p.state == STATE_NEEDS_DATA && r->job.was == STATE_NEEDS_DATA &&
		    (at->keep_error || (fingerprint && str_eq(fingerprint, r->job.fingerprint) &&
					str_eq(o->error_code, r->job.error_code)));
	if (same) {
		o->keep = true;
		r->n_entries = 0;
		return;
	}
	run_entry_end(r);
}

/*
 * The source is told that somebody must mend the document (SV-03), once: while its step is open,
 * each retest tries again. Not while a delivery is in doubt. A failure of it is only logged, and
 * leaves a trace on the timeline only when the transfer's own story goes on.
 */
static void tell_source(struct run *r, struct attempt *at, const struct flow *flow,
			const struct err *why)
{
	struct err err = ERR_INIT;
	struct step sent = { .state = STEP_NONE }, told;
	size_t n_entries = r->n_entries;
	if (!flow->on_failed)
		return;
	bool ok = (!flow->delivery_step ||
		   at->ops->step_get(at, flow->delivery_step, &sent, &err)) &&
		  at->ops->step_get(at, STEP_FAILED, &told, &err);
	if (ok && sent.state != STEP_INTENT && told.state != STEP_DONE)
		ok = flow->on_failed(at, why, &err) &&
		     at->ops->step_get(at, STEP_FAILED, &told, &err);
	if (!ok)
		log_err(LOG_WARN, "failed_status_not_set", &err);
	if (r->outcome.keep && (!ok || told.state != STEP_DONE))
		r->n_entries = n_entries;
}

/* A task's args: the revision of the connection that it is about, and the document of a dry run:
 * {"rev":3,"kind":"invoice","source_id":"..."}. */
const struct json *run_args(struct run *r)
{
	const struct json *args = NULL;
	struct err ignored = ERR_INIT;
	if (!json_parse(r->arena, span_of(r->job.args), JSON_LIMITS_API, &args, &ignored))
		return NULL;
	return args;
}

static bool dispatch(struct attempt *at, const struct flow *flow, struct run *r, struct err *err)
{
	bool waits = false;
	switch (r->job.type) {
	case JOB_TRANSFER:
	case JOB_DRY_RUN:
		return flow->run(at, err);
	case JOB_POLL:
		return sync_goes_first(at, flow, run_args(r), &waits, err) &&
		       (waits || flow->poll(at, err));
	case JOB_CHECK:
		return flow->check(at, err);
	case JOB_DIALOGUE:
		return talk_run(at, flow, run_args(r), err);
	case JOB_FOLLOW:
		return run_follow(r, at, flow, err);
	case JOB_SYNC:
		break; /* sync.c */
	}
	return err_set(err, ERR_SYSTEM, "unknown kind of job");
}

static bool read_args(struct run *r, struct attempt *at, const struct flow *flow, struct err *err)
{
	if (r->job.type != JOB_DRY_RUN && r->job.type != JOB_CHECK)
		return true;
	const struct json *args = run_args(r);
	const char *language = json_str(json_get(args, "language"));
	if (language)
		at->language = language;
	if (r->job.type == JOB_CHECK)
		return true;
	at->preview = true;
	at->kind = flow_kind(flow, json_str(json_get(args, "kind")));
	at->source_id = json_str(json_get(args, "source_id"));
	return (at->kind && at->source_id) ||
	       err_set(err, ERR_INPUT, "a dry run needs source_id, and a kind of the flow's");
}

void run_make_attempt(struct run *r, const struct run_context *ctx, const struct flow *flow,
		      const struct connection *conn, struct attempt_impl *impl, struct attempt *ret)
{
	const struct pool_options *opt = ctx->opt;
	struct store_epoch epoch;
	store_epoch_get(opt->store, &epoch);
	*impl = (struct attempt_impl) { .magic = RUN_MAGIC, .run = r, .ctx = ctx, .flow = flow };
	*ret = (struct attempt) {
		.ops = &run_ops,
		.flow = flow,
		.arena = r->arena,
		.conn = conn,
		.kind = r->job.kind,
		.source_id = r->job.source_id,
		.generation = r->job.generation,
		.try_no = r->job.try_no,
		.epoch_ms = epoch.born_ms,
		.absent_counts_ms = epoch.born_ms + (epoch.restored ? opt->quiet_ms : 0),
		.quiet_ms = opt->quiet_ms,
		.deadline_ms = clock_mono_ms() + 10 * 60 * 1000,
		.preview = r->job.type == JOB_CHECK || r->job.type == JOB_DRY_RUN ||
			   r->job.type == JOB_FOLLOW,
		.language = "",
		.delivered = r->job.delivered,
		.has_news = r->job.has_news,
		.systems = opt->systems,
		.impl = impl,
	};
}

static void run_with(struct run *r, const struct run_context *ctx, const struct flow *flow,
		     struct connection *conn)
{
	struct attempt_impl impl;
	struct attempt at;
	struct err err = ERR_INIT;
	run_make_attempt(r, ctx, flow, conn, &impl, &at);
	bool ok = read_args(r, &at, flow, &err) && dispatch(&at, flow, r, &err);
	if (ok) {
		succeeded(r, &at, flow);
	} else {
		r->err = err;
		failed(r, ctx, &at, fingerprint_of(&impl));
		if (r->outcome.state == STATE_NEEDS_DATA && !r->outcome.hand_back &&
		    r->job.type == JOB_TRANSFER && !at.keep_error)
			tell_source(r, &at, flow, &err);
	}
	if (impl.has_seen)
		sha256_stream_release(&impl.seen);
}

/* From the local copy; for a task from Redis when that is older than what it is about. */
static struct connection *connection_of(struct run *r, struct store *store)
{
	struct connection *conn = store_find(store, r->job.conn);
	int64_t rev = 0;
	if (r->job.type == JOB_TRANSFER || !json_int64(json_get(run_args(r), "rev"), &rev) ||
	    (conn && conn->rev >= rev))
		return conn;
	struct err err = ERR_INIT;
	if (!store_refresh(store, &err))
		log_err(LOG_DEBUG, "redis_away", &err);
	connection_unref(conn);
	return store_find(store, r->job.conn);
}

/* A paused connection relays nothing, but what it has sent is followed to its end (SV-07). */
static bool may_run(const struct queue_job *job, const struct connection *c)
{
	switch (job->type) {
	case JOB_TRANSFER:
		return c->state == CONNECTION_ACTIVE ||
		       (job->has_news && job->delivered && connection_may_follow(c));
	case JOB_FOLLOW:
		return connection_may_follow(c);
	case JOB_POLL:
	case JOB_SYNC:
		return c->state == CONNECTION_ACTIVE;
	case JOB_CHECK:
	case JOB_DRY_RUN:
	case JOB_DIALOGUE:
		break;
	}
	return true;
}

void run_attempt(struct run *r, const struct run_context *ctx)
{
	CLEANUP(connection_unref) struct connection *conn = connection_of(r, ctx->opt->store);
	const struct flow *flow = conn ? flow_of(ctx->opt->flows, conn->flow) : NULL;

	r->began_ms = clock_mono_ms();
	r->conn_rev = conn ? conn->rev : 0;
	if (!flow) {
		/* The local copy may be a moment behind; by then it has come. */
		run_hand_back(r, 1000);
	} else if (!may_run(&r->job, conn)) {
		run_hand_back(r, 5000);
	} else if (r->job.type == JOB_SYNC) {
		sync_slice(r, ctx, flow, conn);
	} else {
		run_with(r, ctx, flow, conn);
	}
	r->took_ms = clock_mono_ms() - r->began_ms;
	r->outcome.entries = r->entries;
	r->outcome.n_entries = r->n_entries;
}
