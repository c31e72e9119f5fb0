/* store_transfer.c: transfers as people see them: one, many, counted. */
#include "base/base.h"
#include "store_internal.h"

#include "base/strbuf.h"

#define ROW_FIELDS 19
#define MAX_LIMIT 200

/* --- one --- */

static struct span field(const struct redis_value *v, const char *name)
{
	for (size_t i = 0; i + 1 < v->n; i += 2)
		if (span_is(store_item(v, i), name))
			return store_item(v, i + 1);
	return SPAN_LIT("");
}

static int64_t to_int(struct span s)
{
	return s.n ? strtoll(s.p, NULL, 10) : 0;
}

/* Fields of steps are "i.<generation>.<step>" (intent), "o." (outcome), "l." (look-ups). */
static bool read_steps(struct arena *arena, const struct redis_value *v, struct transfer *t,
		       struct err *err)
{
	struct transfer_step *steps = arena_alloc_array(arena, v->n / 2 + 1, sizeof(*steps));
	if (!steps)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i + 1 < v->n; i += 2) {
		const char *name = store_item(v, i).p;
		if (name[0] != 'i' || name[1] != '.')
			continue;
		char *end = NULL;
		int64_t generation = strtoll(name + 2, &end, 10);
		if (*end != '.')
			continue;
		char *other = arena_strdup(arena, name);
		if (!other)
			return err_set(err, ERR_LIMIT, "arena full");
		struct transfer_step *s = &steps[t->n_steps++];
		s->name = end + 1;
		s->generation = generation;
		s->intent_ms = to_int(store_item(v, i + 1));
		other[0] = 'o';
		for (size_t k = 0; k + 1 < v->n; k += 2)
			if (span_is(store_item(v, k), other))
				s->outcome = store_item(v, k + 1).p;
		other[0] = 'l';
		s->lookups = to_int(field(v, other));
	}
	t->steps = steps;
	return true;
}

/* queue/prelude.lua says what the fields are. What is not asked for in rounds is run again. */
static struct transfer_follow read_follow(const struct redis_value *v, int64_t due_ms)
{
	bool is_pending = span_is(field(v, "st"), state_name(STATE_FOLLOWING));
	int64_t round_ms = to_int(field(v, "fd"));
	return (struct transfer_follow) {
		.since_ms = to_int(field(v, "fs")),
		.asked_ms = to_int(field(v, "fa")),
		.next_ms = round_ms	? round_ms
			   : is_pending ? due_ms
					: 0,
		.until_ms = to_int(field(v, "fu")),
		.word = field(v, "fw").p,
		.has_news = field(v, "fv").n > 0 && round_ms,
	};
}

/* The record says nothing of a run. What is done or needs data stands while somebody looks again.
 */
static void show_run(struct transfer *t)
{
	if (t->state == STATE_DONE || t->state == STATE_NEEDS_DATA)
		t->rechecking = true;
	else
		t->state = STATE_RUNNING;
	t->due_ms = 0;
}

bool store_transfer_get(struct store *s, struct arena *arena, const char *id, struct transfer *ret,
			struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	const struct redis_value *held = NULL;
	const char *prefix = redis_prefix(s->pool);
	/* In this order: a run that ends between the two is not seen as one of a finished record.
	 */
	if (!redis_commandf(r, arena, &v, err, "HGETALL %st:%s", prefix, id) ||
	    !redis_commandf(r, arena, &held, err, "HEXISTS %sq:held %s", prefix, id))
		return false;
	struct transfer t = { .id = arena_strdup(arena, id),
			      .conn = field(v, "c").p,
			      .kind = field(v, "k").p,
			      .source_id = field(v, "s").p,
			      .number = field(v, "no").p,
			      .origin = field(v, "or").p,
			      .changed = field(v, "ch").p,
			      .content_hash = field(v, "hash").p,
			      .error_code = field(v, "ec").p,
			      .error_json = field(v, "e").p,
			      .generation = to_int(field(v, "g")),
			      .try_no = to_int(field(v, "try")),
			      .rev = to_int(field(v, "rv")),
			      .created_ms = to_int(field(v, "ca")),
			      .updated_ms = to_int(field(v, "ua")),
			      .due_ms = to_int(field(v, "due")),
			      .delivered = span_is(field(v, "dl"), "1") };
	t.follow = read_follow(v, t.due_ms);
	if (!t.id)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!state_parse(field(v, "st"), &t.state))
		return err_set(err, ERR_NOT_FOUND, "no transfer %s", id);
	if (store_int(held) == 1)
		show_run(&t);
	if (!read_steps(arena, v, &t, err))
		return false;
	*ret = t;
	return true;
}

/* --- many --- */

/* As transfer_list.lua's FIELDS, the id before them. */
static bool read_row(const struct redis_value *v, struct transfer *ret, struct err *err)
{
	struct transfer t = { .id = store_item(v, 0).p };
	if (v->type != REDIS_ARRAY || v->n != ROW_FIELDS ||
	    !state_parse(store_item(v, 1), &t.state))
		return store_script_broken("transfer_list", err);
	t.conn = store_item(v, 2).p;
	t.kind = store_item(v, 3).p;
	t.source_id = store_item(v, 4).p;
	t.generation = to_int(store_item(v, 5));
	t.try_no = to_int(store_item(v, 6));
	t.rev = to_int(store_item(v, 7));
	t.created_ms = to_int(store_item(v, 8));
	t.updated_ms = to_int(store_item(v, 9));
	t.due_ms = to_int(store_item(v, 10));
	t.delivered = span_is(store_item(v, 11), "1");
	t.number = store_item(v, 12).p;
	t.origin = store_item(v, 13).p;
	t.changed = store_item(v, 14).p;
	t.content_hash = store_item(v, 15).p;
	t.error_code = store_item(v, 16).p;
	t.error_json = store_item(v, 17).p;
	if (store_item(v, 18).n)
		show_run(&t);
	*ret = t;
	return true;
}

/* A cursor is "<ms>-<id>". */
static bool read_cursor(const char *cursor, struct span *ret_ms, struct span *ret_id,
			struct err *err)
{
	*ret_ms = *ret_id = SPAN_LIT("");
	if (!cursor)
		return true;
	size_t digits = strspn(cursor, "0123456789");
	size_t hex = cursor[digits] == '-' ? strspn(cursor + digits + 1, "0123456789abcdef") : 0;
	if (digits == 0 || digits > 15 || hex != 32 || cursor[digits + 1 + hex]) {
		err_set(err, ERR_INPUT, "the cursor is malformed");
		err_pointer(err, "cursor");
		return false;
	}
	*ret_ms = (struct span) { cursor, digits };
	*ret_id = (struct span) { cursor + digits + 1, hex };
	return true;
}

static bool is_wanted(const struct transfer_filter *f, const char *conn)
{
	for (size_t i = 0; i < f->n_conns; i++)
		if (str_eq(f->conns[i], conn))
			return true;
	return f->n_conns == 0;
}

/* Writes the buckets that hold the states. A transfer that runs stands where it stood before. */
static size_t bucket_args(unsigned states, struct span *to)
{
	size_t n = 0;
	if (states & 1u << STATE_RUNNING)
		for (unsigned i = 0; i < N_TRANSFER_STATES; i++)
			states |= (unsigned)state_may_move(i, STATE_RUNNING) << i;
	if (states & 1u << STATE_QUEUED)
		to[n++] = SPAN_LIT("active");
	for (unsigned i = 0; i < N_TRANSFER_STATES; i++)
		if ((states & (1u << i)) && i != STATE_QUEUED && i != STATE_RUNNING)
			to[n++] = span_of(state_name(i));
	return n;
}

static bool list_args(struct arena *arena, const struct transfer_filter *f,
		      const struct store_list *conns, struct span **ret, size_t *ret_n,
		      struct err *err)
{
	unsigned states = f->states ? f->states : STORE_ALL_STATES;
	struct num *nums = arena_alloc_array(arena, 4, sizeof(*nums));
	struct span *a = arena_alloc_array(arena, 10 + N_TRANSFER_STATES + conns->n, sizeof(*a));
	struct strbuf names = STRBUF_INIT(arena, 1024);
	const char *text = NULL;
	if (!nums || !a)
		return err_set(err, ERR_LIMIT, "arena full");
	strbuf_addch(&names, ',');
	for (unsigned i = 0; i < N_TRANSFER_STATES; i++)
		if (states & (1u << i))
			strbuf_addf(&names, "%s,", state_name(i));
	if (!strbuf_finish(&names, &text, err) || !read_cursor(f->cursor, &a[3], &a[4], err))
		return false;
	a[0] = num_span(&nums[0], (int64_t)f->limit);
	a[1] = num_span(&nums[1], f->since_ms);
	a[2] = num_span(&nums[2], f->until_ms ? f->until_ms : INT64_C(99999999999999));
	a[5] = span_of(text);
	a[6] = text_span(f->error_code);
	a[7] = text_span(f->number);
	a[8] = text_span(f->kind);
	size_t n_buckets = bucket_args(states, a + 10);
	a[9] = num_span(&nums[3], (int64_t)n_buckets);
	size_t n = 10 + n_buckets;
	for (size_t i = 0; i < conns->n; i++) {
		if (!is_wanted(f, conns->items[i]->id))
			continue;
		char *id = arena_strdup(arena, conns->items[i]->id);
		if (!id)
			return err_set(err, ERR_LIMIT, "arena full");
		a[n++] = span_of(id);
	}
	*ret = a;
	*ret_n = n;
	return true;
}

static bool read_page(struct arena *arena, const struct redis_value *v, struct transfer_page *ret,
		      struct err *err)
{
	if (v->type != REDIS_ARRAY || v->n < 2)
		return store_script_broken("transfer_list", err);
	struct transfer_page page = { .n = v->n - 2 };
	page.items = arena_alloc_array(arena, page.n + 1, sizeof(*page.items));
	if (!page.items)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < page.n; i++)
		if (!read_row(&v->items[2 + i], &page.items[i], err))
			return false;
	if (store_item(v, 0).n) {
		page.next = arena_printf(arena, "%s-%s", store_item(v, 0).p, store_item(v, 1).p);
		if (!page.next)
			return err_set(err, ERR_LIMIT, "arena full");
	}
	*ret = page;
	return true;
}

bool store_transfer_list(struct store *s, struct arena *arena, const struct transfer_filter *f,
			 struct transfer_page *ret, struct err *err)
{
	if (f->limit == 0 || f->limit > MAX_LIMIT)
		return err_set(err, ERR_INPUT, "limit is 1 to %d", MAX_LIMIT);
	struct store_list conns;
	struct span *args = NULL;
	size_t n = 0;
	if (!connection_list_all(s, &conns, err))
		return false;
	bool good = list_args(arena, f, &conns, &args, &n, err);
	store_list_release(&conns);
	const struct redis_value *v = NULL;
	if (!good || !store_call(s, arena, "transfer_list", args, n, &v, err))
		return false;
	return read_page(arena, v, ret, err);
}

bool store_counts(struct store *s, struct arena *arena, struct store_counts **ret, size_t *ret_n,
		  struct err *err)
{
	struct store_list conns;
	struct span buckets[N_TRANSFER_STATES];
	struct num count;
	size_t n_buckets = bucket_args(STORE_ALL_STATES, buckets);
	if (!store_list(s, &conns, err))
		return false;
	size_t n = conns.n;
	struct span *args = arena_alloc_array(arena, 1 + n_buckets + n, sizeof(*args));
	struct store_counts *counts = arena_alloc_array(arena, n + 1, sizeof(*counts));
	bool good = args && counts;
	for (size_t i = 0; good && i < n; i++) {
		counts[i].conn = arena_strdup(arena, conns.items[i]->id);
		good = counts[i].conn != NULL;
		args[1 + n_buckets + i] = text_span(counts[i].conn);
	}
	store_list_release(&conns);
	if (!good)
		return err_set(err, ERR_LIMIT, "arena full");
	args[0] = num_span(&count, (int64_t)n_buckets);
	memcpy(args + 1, buckets, n_buckets * sizeof(*args));
	const struct redis_value *v = NULL;
	if (!store_call(s, arena, "counts", args, 1 + n_buckets + n, &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != n * n_buckets)
		return store_script_broken("counts", err);
	for (size_t i = 0; i < n * n_buckets; i++) {
		enum transfer_state st = STATE_QUEUED; /* "active" */
		if (!state_parse(buckets[i % n_buckets], &st))
			st = STATE_QUEUED;
		counts[i / n_buckets].n[st] = store_int(&v->items[i]);
	}
	*ret = counts;
	*ret_n = n;
	return true;
}
