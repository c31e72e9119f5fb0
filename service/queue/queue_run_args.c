/* queue_run_args.c: the arguments of the scripts that a slice of a register run writes with. */
#include "base/base.h"
#include "queue_internal.h"

#include "queue_run.h"

void run_args_add(struct run_args *a, struct span s)
{
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 64;
		struct span *more = arena_alloc_array(a->arena, cap, sizeof(*more));
		if (!more) {
			a->failed = true;
			return;
		}
		if (a->n)
			memcpy(more, a->items, a->n * sizeof(*more));
		a->items = more;
		a->cap = cap;
	}
	a->items[a->n++] = s;
}

void run_args_text(struct run_args *a, const char *s)
{
	run_args_add(a, text_span(s));
}

/* A text that was just made in the arena. */
void run_args_made(struct run_args *a, const char *s)
{
	a->failed |= !s;
	run_args_text(a, s);
}

void run_args_number(struct run_args *a, int64_t v)
{
	struct num *n = arena_alloc(a->arena, sizeof(*n));
	if (n)
		run_args_add(a, num_span(n, v));
	else
		a->failed = true;
}

void run_args_hold(struct run_args *a, struct queue *q, const struct run_hold *h)
{
	run_args_text(a, h->conn);
	run_args_text(a, h->task);
	run_args_number(a, h->fence);
	run_args_number(a, q->lease_ms);
	run_args_text(a, h->run);
}

/* Runs it; "LOST" is ERR_LEASE. */
bool run_args_call(struct queue *q, struct run_args *a, const char *script,
		   const struct redis_value **ret, struct err *err)
{
	if (a->failed)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!queue_call(q, a->arena, script, a->items, a->n, ret, err))
		return false;
	if ((*ret)->type != REDIS_STRING)
		return queue_script_broken(script, err);
	return !span_is((*ret)->s, "LOST") ||
	       err_set(err, ERR_LEASE, "the run is not ours any more");
}

void run_args_place(struct run_args *a, const struct run_place *p)
{
	run_args_text(a, "reg");
	run_args_text(a, p->reg);
	run_args_text(a, "ph");
	run_args_number(a, p->phase);
	run_args_text(a, "page");
	run_args_text(a, p->page);
	run_args_text(a, "since");
	run_args_number(a, p->since_ms);
	run_args_text(a, "began");
	run_args_number(a, p->began_ms);
	run_args_text(a, "walked");
	run_args_number(a, p->walked_ms);
	run_args_text(a, "round");
	run_args_number(a, p->rounds);
	run_args_text(a, "basis");
	run_args_text(a, p->basis);
	run_args_text(a, "set");
	run_args_text(a, p->settings);
}
