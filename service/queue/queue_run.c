/*
 * queue_run.c: runs of register syncs as people and the schedule see them: orders, reading, ends.
 * What a slice writes stands in queue_run_slice.c.
 */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"
#include "queue/runs.h"
#include "queue_run.h"

#define RUN_ARENA ((size_t)256 * 1024)
#define DUE_ARENA ((size_t)16 << 20)

/* --- names --- */

static const char *const kind_names[] = {
	[RUN_CHANGES] = "changes", [RUN_EVERYTHING] = "everything", [RUN_LINKS] = "links"
};
static const char *const state_names[] = { [RUN_QUEUED] = "queued",
					   [RUN_RUNNING] = "running",
					   [RUN_DONE] = "done",
					   [RUN_FAILED] = "failed",
					   [RUN_CANCELLED] = "cancelled" };
static const char *const phase_names[] = { [PHASE_LINKS] = "links",
					   [PHASE_AGAIN] = "again",
					   [PHASE_LIST] = "list",
					   [PHASE_SETTLE] = "settle",
					   [PHASE_OVER] = "over" };
static const char *const count_names[] = {
#define X(id, name) [RUN_##id##_N] = name,
	RUN_COUNTS(X)
#undef X
};

const char *run_kind_name(enum run_kind k)
{
	return kind_names[k];
}

bool run_kind_parse(const char *name, enum run_kind *ret)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (str_eq(name, kind_names[i])) {
			*ret = (enum run_kind)i;
			return true;
		}
	return false;
}

const char *run_state_name(enum run_state s)
{
	return state_names[s];
}

const char *run_phase_name(enum run_phase p)
{
	return phase_names[p];
}

const char *run_count_name(enum run_count c)
{
	return count_names[c];
}

/* --- orders --- */

/* Runs one of the scripts that act only where Redis remembers all that we know of. */
static bool order(struct queue *q, struct arena *arena, const char *script, struct span *args,
		  size_t n, const struct redis_value **ret, struct err *err)
{
	return store_script(q->store, arena, script, args, n, ret, err);
}

bool queue_run_new(struct queue *q, const struct run_order *o, struct run_receipt *ret,
		   struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(RUN_ARENA);
	char id[UUID_TEXT];
	struct num kind;
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	sign_uuid4(id);
	struct span args[] = { SPAN_LIT(""), /* the epoch */
			       span_of(o->conn),
			       span_of(id),
			       span_of(o->flow),
			       num_span(&kind, o->kind),
			       span_of(o->trigger),
			       span_of(o->registers),
			       text_span(o->who),
			       o->polls ? SPAN_LIT("1") : SPAN_LIT(""),
			       o->is_regular ? SPAN_LIT("1") : SPAN_LIT("") };
	if (!order(q, arena, "run_new", args, ARRAY_SIZE(args), &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != 2)
		return queue_script_broken("run_new", err);
	snprintf(ret->id, sizeof(ret->id), "%s", queue_text(v, 0));
	ret->is_ordered = queue_int(&v->items[1]) == 1;
	return true;
}

bool queue_run_cancel(struct queue *q, const char *id, const char *who, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(RUN_ARENA);
	const struct redis_value *v = NULL;
	struct span args[] = { SPAN_LIT(""), span_of(id), text_span(who) };
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!order(q, arena, "run_cancel", args, ARRAY_SIZE(args), &v, err))
		return false;
	if (v->type != REDIS_STRING)
		return queue_script_broken("run_cancel", err);
	if (span_is(v->s, "NONE"))
		return err_set(err, ERR_NOT_FOUND, "no run %s", id);
	return span_is(v->s, "OK") ||
	       err_reason(err, ERR_CONFLICT, "state", id, "the run is over already");
}

/* --- schedule --- */

bool queue_run_due(struct queue *q, const struct run_plan *plans, size_t n, bool *ret,
		   struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(DUE_ARENA);
	struct span *args = arena ? arena_alloc_array(arena, 1 + 3 * n, sizeof(*args)) : NULL;
	struct num *times = arena ? arena_alloc_array(arena, n + 1, sizeof(*times)) : NULL;
	const struct redis_value *v = NULL;
	if (!args || !times)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++) {
		args[1 + 3 * i] = span_of(plans[i].conn);
		args[2 + 3 * i] = span_of(plans[i].reg);
		args[3 + 3 * i] = num_span(&times[i], plans[i].next_ms);
	}
	if (!order(q, arena, "run_due", args, 1 + 3 * n, &v, err))
		return false;
	if (v->type != REDIS_STRING || v->s.n != n)
		return queue_script_broken("run_due", err);
	for (size_t i = 0; i < n; i++)
		ret[i] = v->s.p[i] == 'D';
	return true;
}

bool queue_run_planned(struct queue *q, const struct run_plan *p, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(RUN_ARENA);
	struct redis *got = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *name = arena_printf(arena, "%s %s", p->conn, p->reg);
	if (!name)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	return redis_commandf(r, arena, &v, err, "ZADD %sruns:due XX %lld %s",
			      redis_prefix(q->pool), (long long)p->next_ms, name);
}

/* --- reading --- */

static enum run_state read_state(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(state_names); i++)
		if (str_eq(name, state_names[i]))
			return (enum run_state)i;
	return RUN_FAILED;
}

static struct run_register *register_named(struct register_run *run, struct span name)
{
	for (size_t i = 0; i < run->n_registers; i++)
		if (span_is(name, run->registers[i].name))
			return &run->registers[i];
	return NULL;
}

static bool name_registers(struct arena *arena, const char *names, struct register_run *run,
			   struct err *err)
{
	for (const char *p = names + strspn(names, " "); *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");
		if (run->n_registers == REGISTERS_MAX)
			break;
		struct run_register *r = &run->registers[run->n_registers++];
		r->name = arena_memdup(arena, p, n);
		r->error_code = r->error_json = "";
		if (!r->name)
			return err_set(err, ERR_LIMIT, "arena full");
		p += n;
	}
	return true;
}

/* Fields of a register: "n:<register>:<count>", "o:", "x:" and "y:<register>". */
static void read_register_field(struct register_run *run, const char *field,
				const struct redis_value *value)
{
	const char *name = field + 2, *colon = strchr(name, ':');
	size_t n = colon ? (size_t)(colon - name) : strlen(name);
	struct run_register *r = register_named(run, (struct span) { name, n });
	if (!r)
		return;
	if (field[0] == 'o')
		r->is_over = true;
	else if (field[0] == 'x')
		r->error_code = value->s.p;
	else if (field[0] == 'y')
		r->error_json = value->s.p;
	for (unsigned c = 0; field[0] == 'n' && colon && c < N_RUN_COUNTS; c++)
		if (str_eq(colon + 1, count_names[c]))
			r->counts[c] = queue_int(value) > 0 ? queue_int(value) : 0;
}

static void read_number(struct register_run *run, const char *field, int64_t v)
{
	const struct {
		const char *field;
		int64_t *to;
	} numbers[] = {
		{ "ca", &run->created_ms },	   { "sa", &run->started_ms },
		{ "ua", &run->updated_ms },	   { "ea", &run->ended_ms },
		{ "nx", &run->next_ms },	   { "since", &run->place.since_ms },
		{ "began", &run->place.began_ms }, { "walked", &run->place.walked_ms },
		{ "round", &run->place.rounds },   { "fs", &run->failing_since_ms },
		{ "tries", &run->n_failures },
	};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (str_eq(field, numbers[i].field))
			*numbers[i].to = v;
	if (str_eq(field, "k") && v >= 0 && v < (int64_t)ARRAY_SIZE(kind_names))
		run->kind = (enum run_kind)v;
	if (str_eq(field, "ph") && v >= 0 && v <= PHASE_OVER)
		run->place.phase = (enum run_phase)v;
}

static void read_text(struct register_run *run, const char *field, const char *text)
{
	const struct {
		const char *field;
		const char **to;
	} texts[] = {
		{ "c", &run->conn },
		{ "fl", &run->flow },
		{ "tr", &run->trigger },
		{ "who", &run->who },
		{ "reg", &run->place.reg },
		{ "page", &run->place.page },
		{ "ec", &run->error_code },
		{ "e", &run->error_json },
		{ "basis", &run->place.basis },
		{ "set", &run->place.settings },
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (str_eq(field, texts[i].field))
			*texts[i].to = text;
	if (str_eq(field, "st"))
		run->state = read_state(text);
	run->is_cancelling |= str_eq(field, "cx");
	run->polls |= str_eq(field, "po") && text[0] == '1';
}

/* From HGETALL of its record; ERR_NOT_FOUND when that is empty. */
static bool read_run(struct arena *arena, const char *id, const struct redis_value *v,
		     struct register_run *ret, struct err *err)
{
	*ret = (struct register_run) {
		.id = id,
		.conn = "",
		.flow = "",
		.trigger = "",
		.who = "",
		.error_code = "",
		.error_json = "",
		.place = { .reg = "", .page = "", .basis = "", .settings = "" }
	};
	if (v->type != REDIS_ARRAY || v->n == 0)
		return err_set(err, ERR_NOT_FOUND, "no run %s", id);
	for (size_t i = 0; i + 1 < v->n; i += 2)
		if (str_eq(queue_text(v, i), "rg") &&
		    !name_registers(arena, queue_text(v, i + 1), ret, err))
			return false;
	for (size_t i = 0; i + 1 < v->n; i += 2) {
		const char *field = queue_text(v, i);
		if (field[0] && field[1] == ':') {
			read_register_field(ret, field, &v->items[i + 1]);
			continue;
		}
		read_number(ret, field, queue_int(&v->items[i + 1]));
		read_text(ret, field, queue_text(v, i + 1));
	}
	return true;
}

bool queue_run_get(struct queue *q, struct arena *arena, const char *id, struct register_run *ret,
		   struct err *err)
{
	struct redis *got = NULL;
	const char *kept = arena_strdup(arena, id);
	if (!kept)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	return redis_commandf(r, arena, &v, err, "HGETALL %srun:%s", redis_prefix(q->pool), id) &&
	       read_run(arena, kept, v, ret, err);
}

static bool list_ids(struct queue *q, struct arena *arena, const char *conn, size_t from,
		     size_t limit, const struct redis_value **ret, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	return redis_commandf(r, arena, ret, err, "ZREVRANGE %sruns:%s %lld %lld",
			      redis_prefix(q->pool), conn, (long long)from,
			      (long long)(from + limit) - 1);
}

bool queue_run_list(struct queue *q, struct arena *arena, const char *conn, size_t from,
		    size_t limit, struct register_run **ret, size_t *ret_n, struct err *err)
{
	const struct redis_value *ids = NULL;
	if (!list_ids(q, arena, conn, from, limit, &ids, err))
		return false;
	if (ids->type != REDIS_ARRAY)
		return queue_script_broken("runs", err);
	struct register_run *runs = arena_alloc_array(arena, ids->n + 1, sizeof(*runs));
	size_t n = 0;
	if (!runs)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < ids->n; i++) {
		struct err why = ERR_INIT;
		if (queue_run_get(q, arena, queue_text(ids, i), &runs[n], &why))
			n++;
		else if (why.code != ERR_NOT_FOUND) {
			*err = why;
			return false;
		}
	}
	*ret = runs;
	*ret_n = n;
	return true;
}
