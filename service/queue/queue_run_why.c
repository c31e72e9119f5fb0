/* queue_run_why.c: what runs could not do and why: of one run, and of a register as it is now. */
#include "base/base.h"
#include "queue_internal.h"

#include "queue_run.h"

#define EXAMPLES_MAX 2000

/* --- failures --- */

/* "<register>\n<code>\n<id>\n<sealed>" is given to its kind of failure. */
static void add_example(struct queue *q, struct arena *arena, const char *conn, struct span line,
			struct run_failure *list, size_t n)
{
	const char *parts[3], *p = line.p, *end = line.p + line.n;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *feed = p ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (!feed)
			return;
		parts[i] = arena_memdup(arena, p, (size_t)(feed - p));
		p = feed + 1;
	}
	if (!parts[0] || !parts[1] || !parts[2])
		return;
	const char *place = run_stand_place(arena, conn, parts[0], parts[2]);
	const char *json = place ? store_unseal(q->store, arena, place,
						(struct span) { p, (size_t)(end - p) })
				 : NULL;
	for (size_t i = 0; json && i < n; i++) {
		struct run_failure *f = &list[i];
		if (str_eq(f->reg, parts[0]) && str_eq(f->code, parts[1]) &&
		    f->n_examples < RUN_EXAMPLES)
			f->examples[f->n_examples++] = json;
	}
}

const char *run_stand_place(struct arena *arena, const char *conn, const char *reg, const char *id)
{
	return arena_printf(arena, "st:%s:%s:%s", conn, reg, id);
}

static int by_count(const void *a, const void *b)
{
	const struct run_failure *x = a, *y = b;
	return (x->n < y->n) - (x->n > y->n);
}

bool queue_run_failures(struct queue *q, struct arena *arena, const char *id,
			struct run_failure **ret, size_t *ret_n, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *conn = NULL, *counts = NULL, *lines = NULL;
	const char *prefix = redis_prefix(q->pool);
	if (!redis_commandf(r, arena, &conn, err, "HGET %srun:%s c", prefix, id) ||
	    !redis_commandf(r, arena, &counts, err, "HGETALL %srun:%s:f", prefix, id) ||
	    !redis_commandf(r, arena, &lines, err, "LRANGE %srun:%s:x 0 %lld", prefix, id,
			    (long long)EXAMPLES_MAX))
		return false;
	struct run_failure *list = arena_alloc_array(arena, counts->n / 2 + 1, sizeof(*list));
	size_t n = 0;
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i + 1 < counts->n; i += 2) {
		const char *name = queue_text(counts, i), *blank = strchr(name, ' ');
		if (!blank)
			continue;
		list[n].reg = arena_memdup(arena, name, (size_t)(blank - name));
		list[n].code = blank + 1;
		list[n++].n = queue_int(&counts->items[i + 1]);
	}
	for (size_t i = 0; conn->type == REDIS_STRING && i < lines->n; i++)
		add_example(q, arena, conn->s.p, lines->items[i].s, list, n);
	qsort(list, n, sizeof(*list), by_count);
	*ret = list;
	*ret_n = n;
	return true;
}

/* --- what stands still --- */

bool queue_register_standing(struct queue *q, struct arena *arena, const char *conn,
			     const char *reg, struct register_standing **ret, size_t *ret_n,
			     struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "HGETALL %ssc:%s:%s", redis_prefix(q->pool), conn,
			    reg))
		return false;
	struct register_standing *list = arena_alloc_array(arena, v->n / 2 + 1, sizeof(*list));
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i + 1 < v->n; i += 2)
		list[i / 2] = (struct register_standing) { queue_text(v, i),
							   queue_int(&v->items[i + 1]) };
	*ret = list;
	*ret_n = v->n / 2;
	return true;
}

/* stored: reason, line feed, sealed rest. */
static bool read_standing(struct queue *q, struct arena *arena, const char *place,
			  struct span stored, struct standing_record *ret, struct err *err)
{
	const char *feed = stored.n ? memchr(stored.p, '\n', stored.n) : NULL;
	if (!feed)
		return queue_script_broken("run_commit", err);
	struct span sealed = { feed + 1, stored.n - (size_t)(feed + 1 - stored.p) };
	const char *json = store_unseal(q->store, arena, place, sealed);
	ret->code = arena_memdup(arena, stored.p, (size_t)(feed - stored.p));
	ret->json = json ? json : "{}";
	return ret->code || err_set(err, ERR_LIMIT, "arena full");
}

static bool scan_records(struct queue *q, struct arena *arena, const char *key, const char *cursor,
			 size_t limit, const struct redis_value **ret, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	if (!redis_commandf(r, arena, ret, err, "HSCAN %s %s COUNT %lld", key, cursor,
			    (long long)limit))
		return false;
	return ((*ret)->type == REDIS_ARRAY && (*ret)->n == 2) ||
	       queue_script_broken("records", err);
}

bool queue_register_records(struct queue *q, struct arena *arena, const char *conn, const char *reg,
			    const char *cursor, size_t limit, struct standing_page *ret,
			    struct err *err)
{
	const char *key = arena_printf(arena, "%sst:%s:%s", redis_prefix(q->pool), conn, reg);
	const struct redis_value *v = NULL;
	if (!key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!cursor)
		cursor = "0";
	if (!*cursor || strlen(cursor) > 20 || strspn(cursor, "0123456789") != strlen(cursor))
		return err_set(err, ERR_INPUT, "not a cursor");
	if (!scan_records(q, arena, key, cursor, limit, &v, err))
		return false;
	const struct redis_value *pairs = &v->items[1];
	struct standing_page page = {
		.items = arena_alloc_array(arena, pairs->n / 2 + 1, sizeof(*page.items)),
		.n = pairs->n / 2,
		.next = str_eq(queue_text(v, 0), "0") ? NULL : queue_text(v, 0),
	};
	if (!page.items)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < page.n; i++) {
		const char *id = queue_text(pairs, 2 * i);
		const char *place = run_stand_place(arena, conn, reg, id);
		page.items[i].id = id;
		if (!place ||
		    !read_standing(q, arena, place, pairs->items[2 * i + 1].s, &page.items[i], err))
			return place ? false : err_set(err, ERR_LIMIT, "arena full");
	}
	*ret = page;
	return true;
}
