/*
 * sync_plan.c: when which register sync is due. The keeper orders what is due by schedule, one run
 * per connection for all of it; what goes with the poll is ordered by the poll, and goes first.
 */
#include "base/base.h"

#include "pool_internal.h"
#include "sync.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"
#include "queue/runs.h"
#include "queue/schedule.h"

#define PLAN_ARENA ((size_t)64 << 20)
#define EVERY_MS 2000
#define NAMES_MAX ((REGISTER_NAME_MAX + 1) * REGISTERS_MAX)

static const struct flow *flow_named(const struct flow *const *flows, const char *name)
{
	for (; *flows; flows++)
		if (str_eq((*flows)->name, name))
			return *flows;
	return NULL;
}

/* *ret_schedule NULL: with the poll. */
static bool is_wanted(struct arena *arena, const struct register_sync *reg,
		      const struct json *settings, const char **ret_schedule)
{
	*ret_schedule = reg->schedule;
	return !reg->wanted || reg->wanted(arena, settings, ret_schedule);
}

static bool read_settings(struct arena *arena, const struct connection *c, const struct json **ret)
{
	struct err ignored = ERR_INIT;
	return json_parse(arena, span_of(c->settings), JSON_LIMITS_API, ret, &ignored);
}

/* --- with the poll --- */

bool sync_goes_first(struct attempt *at, const struct flow *flow, const struct json *args,
		     bool *ret_waits, struct err *err)
{
	struct strbuf names = STRBUF_INIT(at->arena, NAMES_MAX);
	const struct json *settings = NULL;
	const char *registers, *schedule;
	*ret_waits = false;
	if (!flow->n_registers || json_get(args, "after_run") ||
	    !read_settings(at->arena, at->conn, &settings))
		return true;
	for (size_t i = 0; i < flow->n_registers; i++) {
		if (!is_wanted(at->arena, flow->registers[i], settings, &schedule) || schedule)
			continue;
		strbuf_addstr(&names, names.n ? " " : "");
		strbuf_addstr(&names, flow->registers[i]->name);
	}
	if (!strbuf_finish(&names, &registers, err))
		return false;
	if (!*registers)
		return true;
	const struct attempt_impl *impl = at->impl;
	const struct run_order order = { .conn = at->conn->id,
					 .flow = flow->name,
					 .registers = registers,
					 .trigger = "poll",
					 .kind = RUN_CHANGES,
					 .polls = true,
					 .is_regular = true };
	struct run_receipt got;
	/* One that is under way, a first run say, holds up no poll. */
	return queue_run_new(impl->ctx->opt->queue, &order, &got, err) &&
	       (*ret_waits = got.is_ordered, true);
}

/* --- by their own schedule --- */

struct plans {
	struct arena *arena;
	struct run_plan *items;
	const struct flow **flows;
	size_t n, max;
};

static void plan_connection(struct plans *p, const struct flow *flow, const struct connection *c,
			    int64_t now_ms)
{
	const struct json *settings = NULL;
	const char *schedule;
	if (!flow || !flow->n_registers || c->state != CONNECTION_ACTIVE ||
	    !read_settings(p->arena, c, &settings))
		return;
	for (size_t i = 0; i < flow->n_registers && p->n < p->max; i++) {
		const struct register_sync *reg = flow->registers[i];
		if (!is_wanted(p->arena, reg, settings, &schedule) || !schedule)
			continue;
		p->flows[p->n] = flow;
		p->items[p->n++] = (struct run_plan) {
			.conn = c->id,
			.reg = reg->name,
			.next_ms = schedule_next_ms(p->arena, schedule, 0, now_ms),
		};
	}
}

/* One run for all registers of a connection that are due; they stand side by side. */
static bool order_due(struct queue *q, const struct plans *p, const bool *due, size_t from,
		      size_t to, struct err *err)
{
	struct strbuf names = STRBUF_INIT(p->arena, NAMES_MAX);
	struct run_receipt got;
	const char *registers;
	for (size_t i = from; i < to; i++) {
		if (!due[i])
			continue;
		strbuf_addstr(&names, names.n ? " " : "");
		strbuf_addstr(&names, p->items[i].reg);
	}
	if (!strbuf_finish(&names, &registers, err))
		return false;
	const struct run_order order = { .conn = p->items[from].conn,
					 .flow = p->flows[from]->name,
					 .registers = registers,
					 .trigger = "schedule",
					 .kind = RUN_CHANGES };
	if (!*registers)
		return true;
	if (!queue_run_new(q, &order, &got, err))
		return false;
	for (size_t i = from; i < to; i++)
		if (due[i] && !queue_run_planned(q, &p->items[i], err))
			return false;
	return true;
}

static bool order_all(struct queue *q, struct plans *p, struct err *err)
{
	bool *due = arena_alloc_array(p->arena, p->n + 1, sizeof(*due));
	if (!due)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!queue_run_due(q, p->items, p->n, due, err))
		return false;
	for (size_t from = 0, to; from < p->n; from = to) {
		for (to = from; to < p->n && str_eq(p->items[to].conn, p->items[from].conn);)
			to++;
		if (!order_due(q, p, due, from, to, err))
			return false;
	}
	return true;
}

static bool tick(struct pool *p, struct store_list *all, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(PLAN_ARENA);
	struct plans plans = { .arena = arena, .max = all->n * REGISTERS_MAX };
	int64_t now_ms = clock_wall_ms();
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	plans.items = arena_alloc_array(arena, plans.max + 1, sizeof(*plans.items));
	plans.flows = arena_alloc_array(arena, plans.max + 1, sizeof(struct flow *));
	if (!plans.items || !plans.flows)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < all->n; i++)
		plan_connection(&plans, flow_named(p->opt.flows, all->items[i]->flow),
				all->items[i], now_ms);
	return order_all(p->opt.queue, &plans, err);
}

static bool any_registers(const struct flow *const *flows)
{
	for (; *flows; flows++)
		if ((*flows)->n_registers)
			return true;
	return false;
}

void sync_tick(struct pool *p)
{
	struct store_list all;
	struct err err = ERR_INIT;
	int64_t now_ms = clock_mono_ms();
	if (now_ms < p->next_plan_ms || !any_registers(p->opt.flows))
		return;
	p->next_plan_ms = now_ms + EVERY_MS;
	if (!store_list(p->opt.store, &all, &err)) {
		log_err(LOG_DEBUG, "registers_not_planned", &err);
		return;
	}
	if (!tick(p, &all, &err))
		log_err(LOG_DEBUG, "registers_not_planned", &err);
	store_list_release(&all);
}
