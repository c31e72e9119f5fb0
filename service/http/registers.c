/*
 * registers.c: the register syncs of a connection: /v1/connections/{id}/registers (which there are,
 * when they were gone through last, how many records stand still and why) and the records that
 * stand still of one. A run tells what it met; this is what is so now, whichever run met it.
 */
#include "base/base.h"

#include "base/clock.h"
#include "connections.h"
#include "handlers.h"
#include "model/reason.h"
#include "queue/runs.h"
#include "runs.h"

#define LIST_BYTES ((size_t)1024 * 1024)
#define STANDING_MAX 200
#define STANDING_PRESET 50

static bool get_connection(struct request *rq, struct connection **ret, struct err *err)
{
	return auth_connection(rq, rq->args[0], err) &&
	       store_connection_get(rq->opt->store, rq->args[0], ret, err);
}

bool register_is_wanted(struct arena *arena, const struct connection *c,
			const struct register_sync *reg, const char **ret_schedule)
{
	const struct json *settings = NULL;
	struct err ignored = ERR_INIT;
	*ret_schedule = reg->schedule;
	if (!reg->wanted)
		return true;
	return json_parse(arena, span_of(c->settings), JSON_LIMITS_API, &settings, &ignored) &&
	       reg->wanted(arena, settings, ret_schedule);
}

static bool write_standing(struct json_writer *w, struct request *rq, const char *conn,
			   const char *reg, struct err *err)
{
	struct register_standing *list = NULL;
	size_t n = 0;
	if (!queue_register_standing(rq->opt->queue, rq->arena, conn, reg, &list, &n, err))
		return false;
	jsonw_key(w, "standing");
	jsonw_array(w);
	for (size_t i = 0; i < n; i++) {
		const struct reason *reason = reason_find(list[i].code);
		jsonw_object(w);
		jsonw_kstr(w, "code", list[i].code);
		jsonw_kstr(w, "actor", reason ? reason->actor : NULL);
		jsonw_kint(w, "count", list[i].n);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
	return true;
}

static bool write_register(struct json_writer *w, struct request *rq, const struct connection *c,
			   const struct register_sync *reg, struct err *err)
{
	struct register_state state;
	const char *schedule;
	bool wanted = register_is_wanted(rq->arena, c, reg, &schedule);
	if (!queue_register_state(rq->opt->queue, rq->arena, c->id, reg->name, &state, err))
		return false;
	jsonw_object(w);
	jsonw_kstr(w, "name", reg->name);
	jsonw_kstr(w, "title", reg->title);
	jsonw_kstr(w, "direction", reg->direction == REGISTER_FORWARD ? "forward" : "back");
	jsonw_kbool(w, "wanted", wanted);
	jsonw_key(w, "schedule");
	if (schedule)
		jsonw_raw(w, span_of(schedule));
	else
		jsonw_null(w);
	jsonw_ktime(w, "done_at", state.done_ms);
	if (!write_standing(w, rq, c->id, reg->name, err))
		return false;
	jsonw_end_object(w);
	return true;
}

bool handle_registers_list(struct request *rq, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_BYTES);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct connection *got = NULL;
	if (!get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	const struct flow *flow = flow_find(rq->opt, c->flow);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; flow && i < flow->n_registers; i++)
		if (!write_register(&w, rq, c, flow->registers[i], err))
			return false;
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}

static bool respond_records(struct request *rq, const struct standing_page *page, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, LIST_BYTES);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; i < page->n; i++) {
		const struct standing_record *r = &page->items[i];
		const struct reason *reason = reason_find(r->code);
		jsonw_object(&w);
		jsonw_kstr(&w, "id", r->id);
		jsonw_kstr(&w, "code", r->code);
		jsonw_kstr(&w, "actor", reason ? reason->actor : NULL);
		run_example_write(&w, rq, reason, r->json);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_kstr(&w, "next", page->next);
	jsonw_end_object(&w);
	return respond_json(rq, 200, &sb, err);
}

bool handle_register_records(struct request *rq, struct err *err)
{
	struct connection *got = NULL;
	struct standing_page page;
	size_t limit;
	if (!get_connection(rq, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	if (!register_find(flow_find(rq->opt, c->flow), rq->args[1]))
		return problem(err, ERR_NOT_FOUND, "not_found", "",
			       "the flow has no such register");
	if (!request_number(rq, "limit", (struct query_range) { 1, STANDING_MAX, STANDING_PRESET },
			    &limit, err))
		return false;
	if (queue_register_records(rq->opt->queue, rq->arena, c->id, rq->args[1],
				   request_query(rq, "cursor"), limit, &page, err))
		return respond_records(rq, &page, err);
	return err->code == ERR_INPUT ? problem(err, ERR_INPUT, "value_invalid", "cursor",
						"not a cursor of this list")
				      : false;
}
