/*
 * queue_run_slice.c: what a slice of a register run reads and writes. Guarantees that each write is
 * one script under the slice's fence: the outcomes of a page, its links, the counts and the place
 * where the run goes on become durable together or not at all.
 */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"
#include "queue_run.h"

#define SLICE_ARENA ((size_t)16 << 20)

bool queue_run_open(struct queue *q, struct arena *arena, struct run_hold *hold,
		    struct register_run *ret, bool *ret_any, struct err *err)
{
	struct run_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	hold->run = "";
	run_args_hold(&a, q, hold);
	if (!run_args_call(q, &a, "run_open", &v, err))
		return false;
	*ret_any = v->s.n > 0;
	hold->run = v->s.p;
	return !*ret_any || queue_run_get(q, arena, hold->run, ret, err);
}

/* --- what is known of a register --- */

bool queue_register_state(struct queue *q, struct arena *arena, const char *conn, const char *reg,
			  struct register_state *ret, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "HMGET %sreg:%s:%s since basis set done",
			    redis_prefix(q->pool), conn, reg))
		return false;
	*ret = (struct register_state) { .since_ms = strtoll(queue_text(v, 0), NULL, 10),
					 .basis = queue_text(v, 1),
					 .settings = queue_text(v, 2),
					 .done_ms = strtoll(queue_text(v, 3), NULL, 10) };
	return true;
}

bool queue_run_again(struct queue *q, struct arena *arena, const char *conn, const char *reg,
		     bool in_doubt, int64_t until_ms, size_t max, struct run_again *ret,
		     struct err *err)
{
	struct num until, most;
	struct span args[] = { span_of(conn), span_of(reg), in_doubt ? SPAN_LIT("1") : SPAN_LIT(""),
			       num_span(&until, until_ms), num_span(&most, (int64_t)max) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "run_again", args, ARRAY_SIZE(args), &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n < 2)
		return queue_script_broken("run_again", err);
	*ret = (struct run_again) { .now_ms = queue_int(&v->items[0]),
				    .next_ms = queue_int(&v->items[1]),
				    .n = v->n - 2 };
	ret->ids = arena_alloc_array(arena, v->n, sizeof(*ret->ids));
	if (!ret->ids)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < ret->n; i++)
		ret->ids[i] = queue_text(v, i + 2);
	return true;
}

/* --- intents --- */

static enum run_leave leave_of(char letter)
{
	switch (letter) {
	case 'G':
		return LEAVE_GO;
	case 'F':
		return LEAVE_LOOK;
	case 'B':
		return LEAVE_BUSY;
	case 'T':
		return LEAVE_TWIN;
	default:
		return LEAVE_LINKED;
	}
}

bool queue_run_intend(struct queue *q, const struct run_hold *hold, const struct link_table *table,
		      enum link_side side, int64_t walked_ms, struct run_intent *intents, size_t n,
		      struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SLICE_ARENA);
	struct run_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *name = store_links_name(arena, table, err);
	if (!name)
		return false;
	run_args_hold(&a, q, hold);
	run_args_text(&a, name);
	run_args_text(&a, side == LINK_LEFT ? "L" : "R");
	run_args_number(&a, q->quiet_ms);
	if (walked_ms)
		run_args_number(&a, walked_ms);
	else
		run_args_text(&a, "");
	for (size_t i = 0; i < n; i++) {
		run_args_text(&a, intents[i].id);
		run_args_text(&a, intents[i].lease);
	}
	if (!run_args_call(q, &a, "run_intend", &v, err))
		return false;
	if (v->s.n != n)
		return queue_script_broken("run_intend", err);
	for (size_t i = 0; i < n; i++)
		intents[i].leave = leave_of(v->s.p[i]);
	return true;
}

/* --- the outcomes of a page --- */

static const char *page_word(enum run_page page)
{
	switch (page) {
	case PAGE_PARTIAL:
		return "";
	case PAGE_THROUGH:
		return "p";
	case PAGE_BEGIN:
		return "b";
	case PAGE_AGAIN:
		break;
	}
	return "a";
}

/* What stands of the run and of the register besides counts; each answers how many it added. */
static size_t add_run_fields(struct run_args *a, const struct run_commit *c)
{
	size_t before = a->n;
	if (c->place)
		run_args_place(a, c->place);
	const struct {
		char field;
		const char *value;
	} more[] = { { 'o', c->is_over ? "1" : NULL },
		     { 'x', c->error_code },
		     { 'y', c->error_json } };
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		if (!more[i].value)
			continue;
		run_args_made(a, arena_printf(a->arena, "%c:%s", more[i].field, c->reg));
		run_args_text(a, more[i].value);
	}
	return a->n - before;
}

static size_t add_counts(struct run_args *a, const struct run_commit *c)
{
	size_t before = a->n;
	for (unsigned i = 0; i < N_RUN_COUNTS; i++) {
		if (!c->counts[i])
			continue;
		run_args_text(a, run_count_name((enum run_count)i));
		run_args_number(a, c->counts[i]);
	}
	return a->n - before;
}

static size_t add_state(struct run_args *a, const struct register_state *s)
{
	if (!s)
		return 0;
	size_t before = a->n;
	run_args_text(a, "since");
	run_args_number(a, s->since_ms);
	run_args_text(a, "basis");
	run_args_text(a, s->basis);
	run_args_text(a, "set");
	run_args_text(a, s->settings);
	run_args_text(a, "done");
	run_args_number(a, s->done_ms);
	return a->n - before;
}

static bool add_links(struct queue *q, struct run_args *a, const struct run_commit *c,
		      size_t *ret_n, struct err *err)
{
	size_t before = a->n;
	for (size_t i = 0; i < c->n; i++) {
		struct span to[LINK_ARGS];
		if (!c->items[i].link)
			continue;
		if (!store_link_args(q->store, a->arena, c->table, c->items[i].link, to, err))
			return false;
		for (size_t k = 0; k < LINK_ARGS; k++)
			run_args_add(a, to[k]);
	}
	*ret_n = a->n - before;
	return true;
}

static bool add_item(struct queue *q, struct run_args *a, const struct run_commit *c,
		     const char *conn, const struct run_item *it, struct err *err)
{
	struct span why = SPAN_LIT("");
	if (it->code) {
		const char *place = run_stand_place(a->arena, conn, c->reg, it->id);
		if (!place ||
		    !store_seal(q->store, a->arena, place, it->json ? it->json : "{}", &why, err))
			return false;
	}
	run_args_text(a, it->id);
	run_args_made(a, arena_printf(a->arena, "%s%s%s%s%s%s%s%s%s", it->drop_intent ? "d" : "",
				      it->count_lookup ? "l" : "", it->is_through ? "t" : "",
				      it->stands ? "s" : "", it->code ? "f" : "",
				      it->is_in_doubt ? "q" : "", it->forgets_lease ? "o" : "",
				      it->keeps_why ? "k" : "", it->has_failed ? "e" : ""));
	run_args_text(a, it->release);
	run_args_text(a, it->code);
	run_args_add(a, why);
	run_args_number(a, it->again_ms);
	return true;
}

bool queue_run_commit(struct queue *q, const struct run_hold *hold, struct run_commit *c,
		      struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SLICE_ARENA);
	struct run_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	struct num numbers[4];
	size_t n_links = 0;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *name = c->table ? store_links_name(arena, c->table, err) : "";
	if (!name)
		return false;
	run_args_hold(&a, q, hold);
	run_args_text(&a, c->reg);
	run_args_text(&a, name);
	run_args_text(&a, c->side == LINK_LEFT ? "L" : "R");
	run_args_text(&a, page_word(c->page));
	size_t counts_at = a.n;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		run_args_text(&a, "0");
	size_t sizes[] = { add_run_fields(&a, c), 0, 0, 0 };
	sizes[1] = add_counts(&a, c);
	sizes[2] = add_state(&a, c->state);
	if (!add_links(q, &a, c, &n_links, err))
		return false;
	sizes[3] = n_links;
	for (size_t i = 0; i < c->n; i++)
		if (!add_item(q, &a, c, hold->conn, &c->items[i], err))
			return false;
	for (size_t i = 0; !a.failed && i < ARRAY_SIZE(numbers); i++)
		a.items[counts_at + i] = num_span(&numbers[i], (int64_t)sizes[i]);
	if (!run_args_call(q, &a, "run_commit", &v, err))
		return false;
	c->is_cancelled = span_is(v->s, "CANCELLED");
	return true;
}

bool queue_run_end(struct queue *q, const struct run_hold *hold, const struct run_end *end,
		   bool *ret_more, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SLICE_ARENA);
	struct run_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	run_args_hold(&a, q, hold);
	run_args_text(&a, run_state_name(end->state));
	run_args_number(&a, end->delay_ms);
	run_args_text(&a, end->error_code);
	run_args_text(&a, end->error_json);
	if (!run_args_call(q, &a, "run_end", &v, err))
		return false;
	*ret_more = span_is(v->s, "MORE");
	return true;
}
