/*
 * sync_hands.c: the records of a page at the target, by several hands at once: as many as the
 * vendor's budget has use for, of workers that have no job of their own. The next page is read by
 * one of them meanwhile.
 */
#include "base/base.h"

#include "sync_internal.h"

#include "base/clock.h"

struct work {
	struct slice *s;
	struct rec **recs;
	size_t n, per_part; /* records, and how many go into one part */
	const char *ahead; /* the first part reads the next page; NULL: none does */
	bool (*part)(struct slice *s, struct attempt *at, struct rec *const *recs, size_t n);
	_Atomic int64_t busy_ms;
};

static bool read_ahead(struct work *w, size_t hand, const struct run_context *ctx)
{
	struct slice *s = w->s;
	struct page *next = &s->pages[!s->at_page];
	struct err ignored = ERR_INIT;
	/* What fails here fails again when its turn comes, and is judged then. */
	(void)!slice_list(s, next, w->ahead, hand, ctx, &ignored);
	return true;
}

/* Others want a turn, or the process stops: the rest of the page is for another slice. */
static bool is_time_over(struct slice *s, int64_t now_ms, const struct run_context *ctx)
{
	struct err why = ERR_INIT;
	if (now_ms < s->page_end_ms && !crew_is_stopping(ctx))
		return false;
	err_set(&why, ERR_BUSY, "the slice is over");
	slice_stop(s, &why);
	return true;
}

static bool do_part(void *arg, size_t i, size_t hand, const struct run_context *ctx)
{
	struct work *w = arg;
	int64_t began_ms = clock_mono_ms();
	if (w->ahead && i-- == 0)
		return read_ahead(w, hand, ctx);
	if (is_time_over(w->s, began_ms, ctx))
		return false;
	struct attempt *at = slice_attempt(w->s, hand, ctx, NULL);
	size_t from = i * w->per_part;
	size_t n = w->n - from < w->per_part ? w->n - from : w->per_part;
	bool more = at && w->part(w->s, at, w->recs + from, n);
	struct err why = ERR_INIT;
	if (!at) {
		err_set(&why, ERR_MEMORY, "out of memory");
		slice_stop(w->s, &why);
	}
	atomic_fetch_add(&w->busy_ms, clock_mono_ms() - began_ms);
	return more;
}

static bool write_one(struct slice *s, struct attempt *at, struct rec *const *recs, size_t n)
{
	assert(n == 1);
	return record_write(s, at, recs[0]);
}

static int64_t slept_ms(struct slice *s)
{
	int64_t ms = 0;
	for (size_t i = 0; i < CREW_HANDS_MAX; i++) {
		if (!s->lanes[i].run)
			continue;
		ms += s->lanes[i].run->slept_ms;
		s->lanes[i].run->slept_ms = 0;
	}
	return ms;
}

/* Twice as many hands as keep the vendor's budget used up, so that a stall is made good; no more,
 * since others of the same budget are not to stand behind a crowd of ours. */
static void fit_hands(struct slice *s, const struct work *w)
{
	int64_t busy_ms = atomic_load(&w->busy_ms), slept = slept_ms(s);
	size_t max = slice_hands_max(s);
	if (slept * 20 <= busy_ms)
		s->hands *= 2;
	else
		s->hands = 2 * (size_t)((int64_t)s->hands * (busy_ms - slept) / busy_ms) + 2;
	if (s->hands > max)
		s->hands = max;
}

static void work_all(struct slice *s, struct work *w)
{
	size_t parts = (w->n + w->per_part - 1) / w->per_part;
	struct crew crew = {
		.n = parts + (w->ahead ? 1 : 0), .max_hands = s->hands, .part = do_part, .arg = w
	};
	if (w->n == 0)
		return; /* a page alone is read when its turn comes */
	s->page_end_ms = clock_mono_ms() + SLICE_MS;
	if (s->end_ms > s->page_end_ms)
		s->page_end_ms = s->end_ms;
	crew_run(&crew, s->ctx);
	fit_hands(s, w);
}

static bool is_write(enum rec_todo todo)
{
	return todo == TODO_CREATE || todo == TODO_UPDATE || todo == TODO_TELL;
}

/* which TODO_NOTHING: all writes. */
static size_t gather(struct page *p, enum rec_todo which, struct rec **to)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		enum rec_todo todo = p->recs[i].todo;
		if (which == TODO_NOTHING ? is_write(todo) : todo == which)
			to[n++] = &p->recs[i];
	}
	return n;
}

static bool work_on(struct slice *s, struct page *p, enum rec_todo which, struct work *w,
		    struct err *err)
{
	w->recs = arena_alloc_array(p->arena, p->n + 1, sizeof(struct rec *));
	if (!w->recs)
		return err_set(err, ERR_LIMIT, "arena full");
	w->n = gather(p, which, w->recs);
	work_all(s, w);
	return s->stop.code == ERR_NONE || (*err = s->stop, false);
}

static bool look_for(struct slice *s, struct page *p, enum rec_todo which, struct err *err)
{
	struct work w = { .s = s,
			  .part = record_find,
			  .per_part = s->reg->find_max ? s->reg->find_max : 1 };
	return work_on(s, p, which, &w, err);
}

bool page_find(struct slice *s, struct page *p, struct err *err)
{
	return look_for(s, p, TODO_FIND, err);
}

bool page_learn(struct slice *s, struct page *p, struct err *err)
{
	return look_for(s, p, TODO_LEARN, err);
}

bool page_write(struct slice *s, struct page *p, const char *ahead, struct err *err)
{
	struct work w = { .s = s, .part = write_one, .per_part = 1, .ahead = ahead };
	return work_on(s, p, TODO_NOTHING, &w, err);
}
