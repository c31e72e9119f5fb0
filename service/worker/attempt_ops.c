/*
 * attempt_ops.c: what a flow may do in an attempt: vendor calls behind the rate limit and the
 * lease, steps, notes, small values. Guarantees that no write begins without a lease that was
 * checked a moment before, and that nothing secret reaches the timeline: a call leaves its method,
 * path, status and time, and a refused one the vendor's words, capped.
 */
#include "base/base.h"

#include "run.h"
#include "share.h"
#include "talk.h"

#include "base/clock.h"
#include "codec/json.h"
#include "model/hook.h"
#include "net/verdict.h"
#include "queue/runs.h"
#include "store/links.h"

/* A wait for a rate slot up to this is slept: it costs less than to hand the job back. */
#define SLOT_SLEEP_MAX_MS 400
#define QUOTA_BLOCK_MS 1000
/* A record's holder gives it back when its creation is through, long before the lease lapses. */
#define RECORD_WAIT_MS 500
#define CACHE_VALUE_TTL_MAX_MS 3600000

static struct attempt_impl *impl_of(struct attempt *at)
{
	struct attempt_impl *impl = at->impl;
	assert(impl->magic == RUN_MAGIC);
	return impl;
}

static struct queue *queue_of(struct attempt *at)
{
	return impl_of(at)->ctx->opt->queue;
}

static bool is_transfer(struct attempt *at)
{
	return impl_of(at)->run->job.type == JOB_TRANSFER;
}

static const struct limit_key *limit_of(const struct connection *conn, const char *key)
{
	for (size_t i = 0; key && i < conn->n_limits; i++) {
		if (strcmp(conn->limits[i].key, key) == 0)
			return &conn->limits[i];
	}
	return NULL;
}

/* One call's place in the vendor's budget. */
static bool take_slot(struct attempt *at, const char *key, struct err *err)
{
	const struct limit_key *limit = limit_of(at->conn, key);
	if (!limit || limit->rate_per_s <= 0)
		return true;
	int64_t wait_ms = 0;
	bool is_booked = false;
	if (!queue_rate_book(queue_of(at), limit, SLOT_SLEEP_MAX_MS, &wait_ms, &is_booked, err))
		return false;
	if (!is_booked) {
		err_set(err, ERR_BUSY, "no free call at %s", key);
		if (err)
			err->retry_after_ms = wait_ms;
		return false;
	}
	if (wait_ms > 0)
		clock_sleep_ms(wait_ms);
	impl_of(at)->run->slept_ms += wait_ms;
	return true;
}

static bool still_ours(struct attempt *at, struct err *err)
{
	struct run *r = impl_of(at)->run;
	int64_t deadline_ms;
	if (atomic_load(&r->lost))
		return err_set(err, ERR_LEASE, "the job was given to another worker");
	if (!queue_lease_check(queue_of(at), r->job.id, r->job.fence, &deadline_ms, err))
		return false;
	atomic_store(&r->deadline_ms, deadline_ms);
	return true;
}

/* By system, the part of the limit key before its colon, and what came back. */
static void count_call(struct attempt *at, const struct call *call, const char *verdict)
{
	const char *key = call->limit_key ? call->limit_key : "";
	char system[32];
	snprintf(system, sizeof(system), "%.*s", (int)strcspn(key, ":"), key);
	metrics_add(impl_of(at)->ctx->opt->metrics, METRIC_VENDOR_CALLS, system, verdict, 1);
}

static bool op_exchange(struct attempt *at, const struct call *call, struct http_reply *ret,
			struct err *err)
{
	struct attempt_impl *impl = impl_of(at);
	struct err local = ERR_INIT;
	struct err *e = err ? err : &local;
	enum http_reach reach;
	if (call->rq.is_write && at->preview)
		return err_set(err, ERR_CONFLICT, "%s: a dry run writes nothing", call->what);
	if (!take_slot(at, call->limit_key, err))
		return false;
	if (call->rq.is_write && !still_ours(at, err))
		return false;
	impl->run->n_calls++;
	impl->run->n_writes += call->rq.is_write;
	struct http_request rq = call->rq;
	bool is_fenced = is_transfer(at) || impl->run->job.type == JOB_DIALOGUE ||
			 impl->run->job.type == JOB_SYNC;
	if (rq.is_write && is_fenced)
		rq.begin_before_ms = &impl->run->deadline_ms;
	if (!impl->ctx->http->perform(impl->ctx->http, at->arena, &rq, ret, &reach, e)) {
		run_entry_call(impl->run, call, NULL, e);
		count_call(at, call, err_code_name(e->code));
		return err_wrap(e, "%s", call->what);
	}
	run_entry_call(impl->run, call, ret, NULL);
	count_call(at, call, verdict_name(verdict_of_status(ret, call->rq.is_write)));
	if (ret->status == 429 && call->limit_key) {
		int64_t ms = ret->retry_after_ms > 0 ? ret->retry_after_ms : QUOTA_BLOCK_MS;
		/* Only saves calls: a failure here is found out by the next call. */
		(void)!queue_block(queue_of(at), call->limit_key, ms, NULL);
	}
	return true;
}

static bool op_step_get(struct attempt *at, const char *step, struct step *ret, struct err *err)
{
	struct run *r = impl_of(at)->run;
	if (is_transfer(at))
		return queue_step_get(queue_of(at), r->arena, r->job.id, r->job.fence, step, ret,
				      err);
	*ret = (struct step) { .state = STEP_NONE };
	return true;
}

static bool only_transfers(struct attempt *at, const char *step, struct err *err)
{
	return is_transfer(at) || err_set(err, ERR_SYSTEM, "step %s outside of a transfer", step);
}

/* A transfer that was let run on a paused connection is one that was sent (SV-07): it sends
 * nothing.
 */
#define PAUSED_WAIT_MS 5000
static bool may_send(struct attempt *at, struct err *err)
{
	if (at->conn->state == CONNECTION_ACTIVE || !is_transfer(at))
		return true;
	err_set(err, ERR_BUSY, "the connection is paused");
	if (err)
		err->retry_after_ms = PAUSED_WAIT_MS;
	return false;
}

static bool op_step_intent(struct attempt *at, const char *step, const char *about, struct err *err)
{
	struct run *r = impl_of(at)->run;
	bool delivers = str_eq(step, impl_of(at)->flow->delivery_step);
	return only_transfers(at, step, err) && (!delivers || may_send(at, err)) &&
	       queue_step_intent(queue_of(at), r->job.id, r->job.fence, step, about, err);
}

static bool op_step_outcome(struct attempt *at, const char *step, const char *outcome,
			    struct err *err)
{
	struct attempt_impl *impl = impl_of(at);
	struct run *r = impl->run;
	enum queue_delivery delivers = STEP_DELIVERS_NOT;
	if (outcome && str_eq(step, impl->flow->delivery_step))
		delivers = impl->flow->follow ? STEP_DELIVERS_TO_FOLLOW : STEP_DELIVERS;
	if (!only_transfers(at, step, err) ||
	    !queue_step_outcome(queue_of(at), r->job.id, r->job.fence, step, outcome, delivers,
				err))
		return false;
	if (delivers != STEP_DELIVERS_NOT)
		at->delivered = true;
	return true;
}

static bool op_step_lookup_empty(struct attempt *at, const char *step, struct err *err)
{
	struct run *r = impl_of(at)->run;
	return only_transfers(at, step, err) &&
	       queue_step_lookup_empty(queue_of(at), r->job.id, r->job.fence, step, err);
}

static bool op_came_back(struct attempt *at, bool *ret_back, struct err *err)
{
	struct run *r = impl_of(at)->run;
	int64_t generation = at->generation;
	*ret_back = false;
	/* What was never finished before was never failed before: the first run asks nothing,
	 * unless it has found at the target what the store has lost. */
	if (!is_transfer(at) || (r->job.try_no <= 1 && !at->delivered))
		return true;
	struct step failed;
	if (at->conn->state != CONNECTION_ACTIVE) {
		if (!op_step_get(at, STEP_FAILED, &failed, err))
			return false;
		return failed.state != STEP_DONE || may_send(at, err);
	}
	if (!queue_step_back(queue_of(at), r->job.id, r->job.fence, STEP_FAILED, ret_back,
			     &generation, err))
		return false;
	/* The generation tells, should the answer of the call that opened it have been lost. */
	if (generation != at->generation) {
		*ret_back = true;
		at->generation = r->job.generation = generation;
		at->try_no = r->job.try_no = 1;
		at->delivered = r->job.delivered = false;
		at->content_hash = NULL;
		r->job.first_try_ms = clock_wall_ms();
		at->ops->note(at, "next_generation",
			      "Back from the failed status: it is sent again.");
	} else if (*ret_back) {
		at->ops->note(at, "came_back",
			      "Back from the failed status. Nothing had been sent; the relay "
			      "goes on.");
	}
	return true;
}

static bool op_set_number(struct attempt *at, const char *number, struct err *err)
{
	struct run *r = impl_of(at)->run;
	if (!is_transfer(at) || str_eq(r->job.number, number))
		return true;
	return queue_set_number(queue_of(at), r->job.id, r->job.fence, number, err);
}

static void op_note(struct attempt *at, const char *code, const char *text)
{
	struct run *r = impl_of(at)->run;
	const char *kept = arena_strdup(r->arena, text);
	if (kept && at->n_notes < ATTEMPT_NOTES_MAX)
		at->notes[at->n_notes++] = (struct note) { code, kept };
	run_entry_note(r, code, text);
}

static void op_seen(struct attempt *at, struct span bytes)
{
	struct attempt_impl *impl = impl_of(at);
	if (!impl->has_seen)
		impl->has_seen = sha256_stream_init(&impl->seen);
	if (impl->has_seen)
		sha256_stream_add(&impl->seen, bytes);
}

static bool op_kv_get(struct attempt *at, const char *scope, const char *key, const char **ret,
		      struct err *err)
{
	return queue_kv_get(queue_of(at), at->arena, scope, key, ret, err);
}

static bool op_kv_set(struct attempt *at, const char *scope, const char *key, const char *value,
		      int64_t ttl_ms, struct err *err)
{
	if (at->preview)
		return true;
	return queue_kv_set(queue_of(at), scope, key, value, ttl_ms, err);
}

static bool op_record_lease(struct attempt *at, const char *record, struct err *err)
{
	struct err local = ERR_INIT;
	struct err *e = err ? err : &local;
	if (queue_record_lease(queue_of(at), record, impl_of(at)->run->job.id, at->quiet_ms, e))
		return true;
	if (e->code == ERR_BUSY && e->retry_after_ms > RECORD_WAIT_MS)
		e->retry_after_ms = RECORD_WAIT_MS;
	return false;
}

static void op_record_release(struct attempt *at, const char *record)
{
	/* It lapses by itself; who waits for it only waits longer. */
	(void)!queue_record_release(queue_of(at), record, impl_of(at)->run->job.id, NULL);
}

static const char *op_cache_get(struct attempt *at, const char *key)
{
	return cache_get(impl_of(at)->ctx->cache, at->arena, key);
}

static void op_cache_set(struct attempt *at, const char *key, const char *value, int64_t ttl_ms)
{
	cache_set(impl_of(at)->ctx->cache, key, value,
		  ttl_ms < CACHE_VALUE_TTL_MAX_MS ? ttl_ms : CACHE_VALUE_TTL_MAX_MS);
}

static bool op_found(struct attempt *at, const struct poll_item *items, size_t n, struct err *err)
{
	for (size_t from = 0; from < n; from += QUEUE_BATCH_MAX) {
		size_t k = n - from < QUEUE_BATCH_MAX ? n - from : QUEUE_BATCH_MAX;
		struct queue_item *q = arena_alloc_array(at->arena, k, sizeof(*q));
		struct queue_receipt *got = arena_alloc_array(at->arena, k, sizeof(*got));
		if (!q || !got)
			return err_set(err, ERR_LIMIT, "too many documents for one poll");
		for (size_t i = 0; i < k; i++) {
			const struct poll_item *it = &items[from + i];
			q[i] = (struct queue_item) { .conn = at->conn->id,
						     .kind = it->kind,
						     .source_id = it->source_id,
						     .origin = "poll",
						     .changed = it->changed,
						     .number = it->number,
						     .found = true };
		}
		if (!queue_intake(queue_of(at), q, k, got, err))
			return false;
	}
	return true;
}

static bool op_report(struct attempt *at, const char *json, struct err *err)
{
	return store_report_put(impl_of(at)->ctx->opt->store, at->conn->id, json, err);
}

static bool op_known(struct attempt *at, const char *kind, const char *source_id,
		     struct known_transfer *ret, struct err *err)
{
	return queue_known(queue_of(at), at->arena, at->conn->id, kind, source_id, ret, err);
}

static bool op_links(struct attempt *at, const struct link_table *table, enum link_side side,
		     const char *const *ids, size_t n, struct record_link *ret, struct err *err)
{
	struct stored_link *got = arena_alloc_array(at->arena, n + 1, sizeof(*got));
	const struct links_query query = { .table = table, .side = side, .ids = ids, .n = n };
	if (!got)
		return err_set(err, ERR_LIMIT, "arena full");
	if (n == 0)
		return true;
	if (!store_links_get(impl_of(at)->ctx->opt->store, at->arena, &query, got, err))
		return false;
	for (size_t i = 0; i < n; i++)
		ret[i] = got[i].link;
	return true;
}

static bool op_link_put(struct attempt *at, const struct link_table *table,
			const struct record_link *links, size_t n, struct err *err)
{
	return at->preview || store_links_put(impl_of(at)->ctx->opt->store, table, links, n, err);
}

static bool op_link_drop(struct attempt *at, const struct link_table *table, const char *left,
			 const char *right, struct err *err)
{
	return at->preview ||
	       store_links_drop(impl_of(at)->ctx->opt->store, table, left, right, err);
}

static bool op_want_run(struct attempt *at, const char *registers, struct err *err)
{
	const struct run_order order = { .conn = at->conn->id,
					 .flow = at->conn->flow,
					 .registers = registers,
					 .trigger = "document",
					 .kind = RUN_CHANGES };
	struct run_receipt got;
	return at->preview || queue_run_new(queue_of(at), &order, &got, err);
}

static bool op_webhook_url(struct attempt *at, const struct system *system, const char **ret,
			   struct err *err)
{
	const struct pool_options *opt = impl_of(at)->ctx->opt;
	const struct hook hook = { at->conn->id, system->name, at->conn->webhook_turn };
	*ret = NULL;
	if (!opt->public_url || !opt->public_url[0])
		return true;
	*ret = hook_url(at->arena, opt->public_url, opt->key, &hook);
	return *ret || err_set(err, ERR_LIMIT, "arena full");
}

static bool op_is_active(struct attempt *at, const char *connection)
{
	CLEANUP(connection_unref)
	struct connection *c = store_find(impl_of(at)->ctx->opt->store, connection);
	return c && c->state == CONNECTION_ACTIVE;
}

const struct attempt_ops run_ops = {
	.exchange = op_exchange,
	.step_get = op_step_get,
	.step_intent = op_step_intent,
	.step_outcome = op_step_outcome,
	.step_lookup_empty = op_step_lookup_empty,
	.came_back = op_came_back,
	.set_number = op_set_number,
	.note = op_note,
	.seen = op_seen,
	.kv_get = op_kv_get,
	.kv_set = op_kv_set,
	.record_lease = op_record_lease,
	.record_release = op_record_release,
	.cache_get = op_cache_get,
	.cache_set = op_cache_set,
	.shared = share_get,
	.found = op_found,
	.report = op_report,
	.known = op_known,
	.webhook_url = op_webhook_url,
	.is_active = op_is_active,
	.links = op_links,
	.link_put = op_link_put,
	.link_drop = op_link_drop,
	.want_run = op_want_run,
	.record_put = talk_record_put,
	.records = talk_records,
	.connection_patch = talk_connection_patch,
	.peers = talk_peers,
};
