/*
 * runs.c: runs of register syncs: /v1/connections/{id}/runs (list, order one now) and /v1/runs/{id}
 * (how far it has come, what it could not do and why, cancel). A run goes on by itself: an order is
 * answered 202 at once.
 */
#include "base/base.h"

#include "base/clock.h"
#include "connections.h"
#include "handlers.h"
#include "model/reason.h"
#include "queue/runs.h"
#include "runs.h"

#define RUN_JSON_MAX ((size_t)1024 * 1024)
#define RUNS_KEPT 100
#define RUNS_PRESET 20
#define NAMES_MAX ((REGISTER_NAME_MAX + 1) * REGISTERS_MAX)

/* --- showing --- */

const struct register_sync *register_find(const struct flow *flow, const char *name)
{
	for (size_t i = 0; flow && i < flow->n_registers; i++)
		if (str_eq(flow->registers[i]->name, name))
			return flow->registers[i];
	return NULL;
}

static const char *state_of(const struct register_run *run, const struct run_register *r)
{
	if (*r->error_code)
		return "failed";
	if (r->is_over)
		return "done";
	if (run->ended_ms)
		return "cancelled";
	bool is_at_work = run->state == RUN_RUNNING && str_eq(run->place.reg, r->name);
	return is_at_work ? "running" : "queued";
}

static void write_register(struct json_writer *w, struct request *rq,
			   const struct register_run *run, const struct run_register *r)
{
	const struct register_sync *reg = register_find(flow_find(rq->opt, run->flow), r->name);
	jsonw_object(w);
	jsonw_kstr(w, "name", r->name);
	jsonw_kstr(w, "title", reg ? reg->title : r->name);
	jsonw_kstr(w, "state", state_of(run, r));
	for (unsigned c = 0; c < N_RUN_COUNTS; c++)
		jsonw_kint(w, run_count_name((enum run_count)c), r->counts[c]);
	jsonw_key(w, "error");
	respond_failure(rq, w, r->error_code, r->error_json);
	jsonw_end_object(w);
}

static void write_run(struct json_writer *w, struct request *rq, const struct register_run *run)
{
	bool is_at_work = run->state == RUN_RUNNING && *run->place.reg;
	jsonw_kstr(w, "id", run->id);
	jsonw_kstr(w, "href", arena_printf(rq->arena, "/v1/runs/%s", run->id));
	jsonw_kstr(w, "connection", run->conn);
	jsonw_kstr(w, "kind", run_kind_name(run->kind));
	jsonw_kstr(w, "trigger", run->trigger);
	jsonw_kstr(w, "ordered_by", *run->who ? run->who : NULL);
	jsonw_kstr(w, "state", run_state_name(run->state));
	jsonw_kbool(w, "cancelling", run->is_cancelling && !run->ended_ms);
	jsonw_kstr(w, "register", is_at_work ? run->place.reg : NULL);
	jsonw_kstr(w, "phase", is_at_work ? run_phase_name(run->place.phase) : NULL);
	jsonw_key(w, "registers");
	jsonw_array(w);
	for (size_t i = 0; i < run->n_registers; i++)
		write_register(w, rq, run, &run->registers[i]);
	jsonw_end_array(w);
	jsonw_key(w, "error");
	respond_failure(rq, w, run->error_code, run->error_json);
	jsonw_ktime(w, "created_at", run->created_ms);
	jsonw_ktime(w, "started_at", run->started_ms);
	jsonw_ktime(w, "updated_at", run->updated_ms);
	jsonw_ktime(w, "ended_at", run->ended_ms);
	jsonw_ktime(w, "next_at", run->next_ms);
}

static void write_sentence(struct json_writer *w, struct request *rq, const struct reason *reason,
			   const char *subject)
{
	struct strbuf text = STRBUF_INIT(rq->arena, 1024);
	reason_sentence(reason, respond_language(request_header(rq, "Accept-Language")), subject,
			&text);
	jsonw_key(w, "text");
	jsonw_span(w, strbuf_span(&text));
}

/* The sentence is about this record. */
void run_example_write(struct json_writer *w, struct request *rq, const struct reason *reason,
		       const char *json)
{
	const struct json *e = NULL;
	struct err ignored = ERR_INIT;
	if (!json_parse(rq->arena, span_of(json), JSON_LIMITS_API, &e, &ignored))
		e = NULL;
	jsonw_kstr(w, "label", json_str(json_get(e, "label")));
	if (reason)
		write_sentence(w, rq, reason, json_str(json_get(e, "subject")));
	jsonw_kstr(w, "detail", json_str(json_get(e, "detail")));
	jsonw_kstr(w, "target_text", json_str(json_get(e, "target_text")));
}

static void write_example(struct json_writer *w, struct request *rq, const struct reason *reason,
			  const char *line)
{
	const struct json *e = NULL;
	struct err ignored = ERR_INIT;
	if (!json_parse(rq->arena, span_of(line), JSON_LIMITS_API, &e, &ignored))
		return;
	jsonw_object(w);
	jsonw_kstr(w, "id", json_str(json_get(e, "id")));
	run_example_write(w, rq, reason, line);
	jsonw_end_object(w);
}

static void write_failures(struct json_writer *w, struct request *rq,
			   const struct run_failure *list, size_t n)
{
	jsonw_key(w, "reasons");
	jsonw_array(w);
	for (size_t i = 0; i < n; i++) {
		const struct run_failure *f = &list[i];
		const struct reason *reason = reason_find(f->code);
		jsonw_object(w);
		jsonw_kstr(w, "register", f->reg);
		jsonw_kstr(w, "code", f->code);
		jsonw_kstr(w, "actor", reason ? reason->actor : NULL);
		jsonw_kint(w, "count", f->n);
		jsonw_key(w, "examples");
		jsonw_array(w);
		for (size_t k = 0; k < f->n_examples; k++)
			write_example(w, rq, reason, f->examples[k]);
		jsonw_end_array(w);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static bool respond_run(struct request *rq, int status, const struct register_run *run,
			struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, RUN_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct run_failure *list = NULL;
	size_t n = 0;
	if (!queue_run_failures(rq->opt->queue, rq->arena, run->id, &list, &n, err))
		return false;
	jsonw_object(&w);
	write_run(&w, rq, run);
	write_failures(&w, rq, list, n);
	jsonw_end_object(&w);
	if (status == 202) {
		respond_header(rq, "Location", arena_printf(rq->arena, "/v1/runs/%s", run->id));
		respond_header(rq, "Retry-After", "2");
	}
	return respond_json(rq, status, &sb, err);
}

static bool get_run(struct request *rq, struct register_run *ret, struct err *err)
{
	return queue_run_get(rq->opt->queue, rq->arena, rq->args[0], ret, err) &&
	       auth_connection(rq, ret->conn, err);
}

bool handle_run_read(struct request *rq, struct err *err)
{
	struct register_run run;
	return get_run(rq, &run, err) && respond_run(rq, 200, &run, err);
}

bool handle_runs_list(struct request *rq, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, RUN_JSON_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct connection *got = NULL;
	struct register_run *runs = NULL;
	size_t from, limit, n = 0;
	if (!auth_connection(rq, rq->args[0], err) ||
	    !store_connection_get(rq->opt->store, rq->args[0], &got, err))
		return false;
	connection_unref(got);
	if (!request_number(rq, "cursor", (struct query_range) { 0, RUNS_KEPT, 0 }, &from, err) ||
	    !request_number(rq, "limit", (struct query_range) { 1, RUNS_KEPT, RUNS_PRESET }, &limit,
			    err) ||
	    !queue_run_list(rq->opt->queue, rq->arena, rq->args[0], from, limit, &runs, &n, err))
		return false;
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++) {
		jsonw_object(&w);
		write_run(&w, rq, &runs[i]);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_kstr(&w, "next", n == limit ? arena_printf(rq->arena, "%zu", from + n) : NULL);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}

/* --- orders --- */

static void add_name(struct strbuf *names, const char *name)
{
	strbuf_addstr(names, names->n ? " " : "");
	strbuf_addstr(names, name);
}

/* Those that are named, each once; without a list all that the settings want. */
static bool read_registers(struct request *rq, const struct json *list, const struct connection *c,
			   const struct flow *flow, struct strbuf *names, struct err *err)
{
	bool taken[REGISTERS_MAX] = { false };
	const char *schedule;
	size_t i = 0;
	if (list && (json_type(list) != JSON_ARRAY || json_size(list) == 0))
		return problem(err, ERR_INPUT, "value_invalid", "/registers", "a list of names");
	for (const struct json *j = json_first(list); j; j = json_next(j), i++) {
		const struct register_sync *reg = NULL;
		size_t k = 0;
		while (k < flow->n_registers && !str_eq(flow->registers[k]->name, json_str(j)))
			k++;
		if (k < flow->n_registers)
			reg = flow->registers[k];
		if (!reg || !register_is_wanted(rq->arena, c, reg, &schedule)) {
			problem(err, ERR_INPUT, "value_invalid", "",
				reg ? "the connection's settings leave this register out"
				    : "the flow has no such register");
			err_pointer(err, "/registers/%zu", i);
			return false;
		}
		if (!taken[k])
			add_name(names, reg->name);
		taken[k] = true;
	}
	for (size_t k = 0; !list && k < flow->n_registers; k++)
		if (register_is_wanted(rq->arena, c, flow->registers[k], &schedule))
			add_name(names, flow->registers[k]->name);
	return names->n > 0 ||
	       problem(err, ERR_CONFLICT, "state", "", "there is no register to synchronise");
}

static bool read_order(struct request *rq, const struct connection *c, struct run_order *ret,
		       struct err *err)
{
	static const char *const members[] = { "kind", "registers", NULL };
	struct strbuf names = STRBUF_INIT(rq->arena, NAMES_MAX);
	const struct flow *flow = flow_find(rq->opt, c->flow);
	const struct json *j = NULL;
	const char *kind = NULL;
	if (!request_json(rq, &j, err) || !request_members(j, members, err) ||
	    !request_text(j, "kind", 20, &kind, err))
		return false;
	*ret = (struct run_order) {
		.conn = c->id, .flow = c->flow, .trigger = "api", .who = rq->token.name
	};
	if (kind && !run_kind_parse(kind, &ret->kind))
		return problem(err, ERR_INPUT, "value_invalid", "/kind",
			       "changes, everything or links");
	if (!flow || !flow->n_registers)
		return problem(err, ERR_CONFLICT, "state", "",
			       "connections of the flow %s have no registers", c->flow);
	if (c->state != CONNECTION_ACTIVE)
		return problem_state(err, STATE_NOT_ACTIVE, "the connection is not active");
	return read_registers(rq, json_get(j, "registers"), c, flow, &names, err) &&
	       strbuf_finish(&names, &ret->registers, err);
}

bool handle_runs_create(struct request *rq, struct err *err)
{
	struct connection *got = NULL;
	struct run_order order;
	struct run_receipt receipt;
	struct register_run run;
	if (!auth_connection(rq, rq->args[0], err) ||
	    !store_connection_get(rq->opt->store, rq->args[0], &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	return read_order(rq, c, &order, err) && audit(rq, "connection.run", c->id, err) &&
	       queue_unblock(rq->opt->queue, c->limits, c->n_limits, err) &&
	       queue_run_new(rq->opt->queue, &order, &receipt, err) &&
	       queue_run_get(rq->opt->queue, rq->arena, receipt.id, &run, err) &&
	       respond_run(rq, 202, &run, err);
}

bool handle_run_cancel(struct request *rq, struct err *err)
{
	struct register_run run;
	const struct json *j = NULL;
	static const char *const none[] = { NULL };
	return request_json(rq, &j, err) && request_members(j, none, err) &&
	       get_run(rq, &run, err) && audit(rq, "run.cancel", run.id, err) &&
	       queue_run_cancel(rq->opt->queue, run.id, rq->token.name, err) &&
	       get_run(rq, &run, err) && respond_run(rq, 200, &run, err);
}
