/*
 * sync_page.c: a page of records, from what was read to what is stored. One round trip for its
 * links, one for the intents of its creations, one for all that came of it; between them the
 * target is asked and written to by as many hands as are of use.
 *
 * Guarantees that a creation has its durable intent before it is begun, and that what was begun is
 * either stored with its outcome or stays in doubt.
 */
#include "base/base.h"

#include "sync_internal.h"

#include "base/clock.h"
#include "base/map.h"
#include "codec/json.h"

#define WALK_FRESH_MS ((int64_t)4 * 3600 * 1000)
#define LOOKUPS_APART_MS 2000 /* two empty look-ups that count */
#define AGAIN_MS 1000 /* tried again by the next run, not by this one */
#define WHY_MAX 8192

/* --- what is known of the records --- */

static bool load_links(struct slice *s, struct page *p, struct err *err)
{
	size_t n = p->got.n;
	const char **ids = arena_alloc_array(p->arena, n + 1, sizeof(*ids));
	struct stored_link *stored = arena_alloc_array(p->arena, n + 1, sizeof(*stored));
	p->recs = arena_alloc_array(p->arena, n + 1, sizeof(*p->recs));
	struct map *met = map_new(p->arena);
	p->n = 0;
	if (!ids || !stored || !p->recs || !met)
		return err_set(err, ERR_LIMIT, "arena full");
	assert(n <= REGISTER_PAGE_MAX);
	for (size_t i = 0; i < n; i++)
		ids[i] = p->got.records[i].id;
	const struct links_query query = { .table = &s->table,
					   .side = source_side(s),
					   .ids = ids,
					   .n = n,
					   .run = p->kind == PAGE_AGAIN ? NULL : s->hold.run };
	if (n && !store_links_get(s->ctx->opt->store, p->arena, &query, stored, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		/* What a listing tells twice is one record. */
		if (stored[i].is_through || map_has(met, ids[i]))
			continue;
		if (!map_put(met, ids[i], p))
			return err_set(err, ERR_LIMIT, "arena full");
		p->recs[p->n++] = (struct rec) { .r = &p->got.records[i],
						 .stored = stored[i],
						 .has_intent = stored[i].intent.is_open };
	}
	return true;
}

static bool sort_all(struct slice *s, struct page *p, struct err *err)
{
	struct attempt *at = slice_attempt(s, 0, s->ctx, p->arena);
	if (!at)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < p->n; i++)
		if (!record_sort(s, at, &p->recs[i], err))
			return false;
	return true;
}

/* Is the run's own list of the target good for this page? */
static bool is_walked(const struct slice *s)
{
	return s->place.walked_ms > 0 && clock_wall_ms() - s->place.walked_ms < WALK_FRESH_MS;
}

/* The strongest key that the target knows decides; one that several have is asked for anew. */
static void take_candidate(struct rec *rec, struct run_candidate *found)
{
	for (size_t k = 0; k < rec->r->n_keys; k++) {
		if (!found[k].any)
			continue;
		if (found[k].several) {
			rec->todo = TODO_FIND;
		} else {
			rec->found = &found[k].match;
			rec->n_found = 1;
		}
		return;
	}
}

static bool look_in_walk(struct slice *s, struct page *p, struct err *err)
{
	size_t n = 0;
	const char **keys = arena_alloc_array(p->arena, p->n * REGISTER_KEYS_MAX + 1,
					      sizeof(*keys));
	struct run_candidate *found = arena_alloc_array(p->arena, p->n * REGISTER_KEYS_MAX + 1,
							sizeof(*found));
	if (!keys || !found)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; p->recs[i].todo == TODO_CREATE && k < p->recs[i].r->n_keys; k++)
			keys[n++] = p->recs[i].r->keys[k];
	if (!queue_run_candidates(s->ctx->opt->queue, p->arena, s->hold.run, s->reg->name, keys, n,
				  found, err))
		return false;
	n = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct rec *rec = &p->recs[i];
		if (rec->todo != TODO_CREATE)
			continue;
		take_candidate(rec, &found[n]);
		n += rec->r->n_keys;
	}
	return true;
}

/* --- what was found at the target --- */

/* Marks those that belong to another record of the source: one of the links, or of this page. */
static bool mark_taken(struct slice *s, struct page *p, struct err *err)
{
	enum link_side from = source_side(s), to = link_other(from);
	struct register_match **all = arena_alloc_array(p->arena, LINK_BATCH_MAX, sizeof(*all));
	const char **ids = arena_alloc_array(p->arena, LINK_BATCH_MAX, sizeof(*ids));
	struct stored_link *stored = arena_alloc_array(p->arena, LINK_BATCH_MAX, sizeof(*stored));
	if (!all || !ids || !stored)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0, k = 0; i < p->n;) {
		size_t n = 0;
		for (; i < p->n && n < LINK_BATCH_MAX; k = 0, i++) {
			struct rec *rec = &p->recs[i];
			for (; k < rec->n_found && n < LINK_BATCH_MAX; k++) {
				all[n] = &rec->found[k];
				ids[n++] = rec->found[k].id;
			}
			if (k < rec->n_found)
				break;
		}
		const struct links_query query = { &s->table, to, ids, n, NULL };
		if (n && !store_links_get(s->ctx->opt->store, p->arena, &query, stored, err))
			return false;
		for (size_t m = 0; m < n; m++)
			all[m]->taken_by = stored[m].link.id[from];
	}
	return true;
}

/* One after the other, since what one takes is not free for the next. */
static bool resolve_all(struct slice *s, struct page *p, struct err *err)
{
	enum link_side to = link_other(source_side(s));
	struct map *taken = map_new(p->arena);
	if (!taken || !mark_taken(s, p, err))
		return taken ? false : err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < p->n; i++) {
		struct rec *rec = &p->recs[i];
		if (!rec->n_found || rec->is_linked || rec->end != END_OPEN)
			continue;
		for (size_t k = 0; k < rec->n_found; k++) {
			struct rec *other = map_get(taken, rec->found[k].id);
			if (other)
				rec->found[k].taken_by = other->r->id;
			if (str_eq(rec->found[k].taken_by, rec->r->id))
				rec->found[k].taken_by = NULL;
		}
		if (!record_resolve(s, rec)) {
			*err = s->stop;
			return false;
		}
		if (rec->is_linked && !map_put(taken, rec->link.id[to], rec))
			return err_set(err, ERR_LIMIT, "arena full");
	}
	return true;
}

/* --- intents --- */

static void take_leave(struct slice *s, struct rec *rec, enum run_leave leave)
{
	struct err why = ERR_INIT;
	switch (leave) {
	case LEAVE_LOOK:
		rec->todo = TODO_FIND;
		rec->intends = rec->has_intent = true;
		return;
	case LEAVE_GO:
		rec->intends = rec->has_intent = rec->is_first = true;
		return;
	case LEAVE_BUSY:
		err_set(&why, ERR_WAITING, "another job is at this record");
		(void)record_fails(s, rec, &why); /* stops nothing but for memory, which is told */
		return;
	case LEAVE_LINKED:
		rec->todo = TODO_NOTHING;
		rec->end = END_UNCHANGED;
		return;
	}
}

/* Of those that are to be created, or looked for and then created. An intent of before stays as it
 * is until it is settled. */
static bool intend_all(struct slice *s, struct page *p, int64_t walked_ms, struct err *err)
{
	struct run_intent *intents = arena_alloc_array(p->arena, p->n + 1, sizeof(*intents));
	struct rec **recs = arena_alloc_array(p->arena, p->n + 1, sizeof(struct rec *));
	size_t n = 0;
	if (!intents || !recs)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < p->n; i++) {
		struct rec *rec = &p->recs[i];
		bool creates = rec->todo == TODO_CREATE || rec->todo == TODO_FIND;
		if (!creates || rec->intends || rec->has_intent)
			continue;
		recs[n] = rec;
		intents[n++] = (struct run_intent) { .id = rec->r->id, .lease = rec->r->lease };
	}
	if (n && !queue_run_intend(s->ctx->opt->queue, &s->hold, &s->table, source_side(s),
				   walked_ms, intents, n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		take_leave(s, recs[i], intents[i].leave);
	return s->stop.code == ERR_NONE || (*err = s->stop, false);
}

/* Not found, and an intent of before: is it certain by now that it never came to anything? */
static bool is_ripe(const struct slice *s, const struct link_intent *intent)
{
	int64_t quiet_ms = s->ctx->opt->quiet_ms;
	int64_t apart_ms = quiet_ms < LOOKUPS_APART_MS ? quiet_ms : LOOKUPS_APART_MS;
	return intent->age_ms >= quiet_ms && intent->lookups > 0 &&
	       intent->lookup_age_ms >= apart_ms;
}

static bool settle_looks(struct slice *s, struct page *p, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct rec *rec = &p->recs[i];
		struct err why = ERR_INIT;
		if (rec->todo != TODO_FIND || !rec->has_looked)
			continue;
		rec->todo = TODO_CREATE;
		if (!rec->stored.intent.is_open)
			continue;
		if (is_ripe(s, &rec->stored.intent)) {
			rec->has_intent = false; /* it never was; the next one is another */
			continue;
		}
		rec->is_absent = true;
		err_set(&why, ERR_WAITING, "a creation is in doubt; it is looked for again");
		if (!record_ends(s, rec, END_IN_DOUBT, &why))
			return err_set(err, ERR_MEMORY, "out of memory");
	}
	/* What ripened has its own intent before it is created. */
	return intend_all(s, p, INT64_MAX, err);
}

/* --- hands --- */

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

static size_t gather(struct page *p, struct rec **to, bool finds)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		enum rec_todo todo = p->recs[i].todo;
		if (todo != TODO_NOTHING && finds == (todo == TODO_FIND))
			to[n++] = &p->recs[i];
	}
	return n;
}

static bool find_all(struct slice *s, struct page *p, struct rec **room, struct err *err)
{
	struct work w = { .s = s, .recs = room, .part = record_find };
	w.per_part = s->reg->find_max ? s->reg->find_max : 1;
	w.n = gather(p, room, true);
	work_all(s, &w);
	return s->stop.code == ERR_NONE || (*err = s->stop, false);
}

/* --- from links to writes --- */

static bool prepare(struct slice *s, struct page *p, struct rec **room, struct err *err)
{
	bool walked = is_walked(s);
	if (!sort_all(s, p, err) || (walked && !look_in_walk(s, p, err)) || !resolve_all(s, p, err))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (p->recs[i].todo == TODO_CREATE && p->recs[i].has_intent)
			p->recs[i].todo = TODO_FIND;
	return intend_all(s, p, walked ? s->place.walked_ms : 0, err) &&
	       find_all(s, p, room, err) && resolve_all(s, p, err) && settle_looks(s, p, err);
}

static bool work_page(struct slice *s, struct page *p, const char *ahead, struct err *err)
{
	struct rec **room = arena_alloc_array(p->arena, p->n + 1, sizeof(struct rec *));
	if (!room)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!prepare(s, p, room, err))
		return false;
	struct work w = { .s = s, .recs = room, .per_part = 1, .ahead = ahead, .part = write_one };
	w.n = gather(p, room, false);
	work_all(s, &w);
	return s->stop.code == ERR_NONE || (*err = s->stop, false);
}

/* --- what is stored --- */

static enum run_count count_of(enum rec_end end)
{
	switch (end) {
	case END_CREATED:
		return RUN_CREATED_N;
	case END_UPDATED:
		return RUN_UPDATED_N;
	case END_LINKED:
		return RUN_LINKED_N;
	case END_UNCHANGED:
		return RUN_UNCHANGED_N;
	case END_SKIPPED:
		return RUN_SKIPPED_N;
	case END_WAITING:
		return RUN_WAITING_N;
	case END_IN_DOUBT:
		return RUN_IN_DOUBT_N;
	case END_OPEN:
	case END_FAILED:
		break;
	}
	return RUN_FAILED_N;
}

static const char *why_json(struct page *p, const struct rec *rec)
{
	struct strbuf sb = STRBUF_INIT(p->arena, WHY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json = NULL;
	const struct err *e = rec->why;
	jsonw_object(&w);
	jsonw_kstr(&w, "id", rec->r->id);
	jsonw_kstr(&w, "label", rec->r->label);
	jsonw_kstr(&w, "subject", e->subject[0] ? e->subject : rec->r->label);
	jsonw_kstr(&w, "detail", e->message);
	if (e->target_text[0])
		jsonw_kstr(&w, "target_text", e->target_text);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &json, NULL) ? json : "{}";
}

static int64_t again_ms(const struct slice *s, const struct rec *rec)
{
	int64_t quiet_ms = s->ctx->opt->quiet_ms;
	if (rec->end != END_IN_DOUBT)
		return rec->has_tried || rec->end == END_WAITING ? AGAIN_MS : -1;
	int64_t apart_ms = quiet_ms < LOOKUPS_APART_MS ? quiet_ms : LOOKUPS_APART_MS;
	int64_t left_ms = quiet_ms - (rec->stored.intent.is_open && rec->is_absent
					      ? rec->stored.intent.age_ms
					      : 0);
	return left_ms > apart_ms ? left_ms : apart_ms;
}

/* An intent of before stays open until the target has told what came of it. */
static bool stays_in_doubt(const struct rec *rec)
{
	switch (rec->end) {
	case END_IN_DOUBT:
		return true;
	case END_OPEN:
	case END_SKIPPED:
	case END_WAITING:
	case END_FAILED:
		return rec->stored.intent.is_open && !rec->intends;
	case END_CREATED:
	case END_UPDATED:
	case END_LINKED:
	case END_UNCHANGED:
		break;
	}
	return false;
}

static struct run_item item_of(struct slice *s, struct page *p, struct rec *rec)
{
	bool is_over = rec->end != END_OPEN;
	struct run_item it = { .id = rec->r->id,
			       .drop_intent = rec->has_intent || rec->stored.intent.is_open,
			       .count_lookup = rec->is_absent,
			       .release = rec->intends ? rec->r->lease : NULL,
			       .is_through = is_over,
			       .forgets_lease = !is_over && rec->is_first,
			       .again_ms = -1,
			       .link = rec->has_news ? &rec->link : NULL };
	if (stays_in_doubt(rec)) {
		it.drop_intent = false;
		it.release = NULL;
	}
	if (is_over && rec->why) {
		it.code = rec->why->reason ? rec->why->reason : err_code_name(rec->why->code);
		if (rec->end == END_IN_DOUBT)
			it.code = err_code_name(ERR_DOUBT);
		it.json = why_json(p, rec);
		it.stands = rec->end != END_SKIPPED;
		it.is_in_doubt = rec->end == END_IN_DOUBT;
		it.again_ms = again_ms(s, rec);
	}
	return it;
}

/* Ids that the source was asked for and does not know: nothing of them stands still any more. */
static size_t add_gone(struct page *p, struct run_item *to)
{
	struct map *known = map_new(p->arena);
	size_t n = 0;
	for (size_t i = 0; known && i < p->got.n; i++)
		if (!map_put(known, p->got.records[i].id, p))
			return 0; /* they are asked for again */
	for (size_t i = 0; known && i < p->n_gone; i++)
		if (!map_has(known, p->gone[i]))
			to[n++] = (struct run_item) { .id = p->gone[i],
						      .drop_intent = true,
						      .is_through = true,
						      .again_ms = -1 };
	return n;
}

static void count_records(struct slice *s, const struct run_commit *c)
{
	char name[80];
	snprintf(name, sizeof(name), "%s/%s", s->flow->name, s->reg->name);
	for (unsigned i = RUN_SEEN_N + 1; i < RUN_CALLS_N; i++)
		if (c->counts[i] > 0)
			metrics_add(s->ctx->opt->metrics, METRIC_REGISTER_RECORDS, name,
				    run_count_name((enum run_count)i), (uint64_t)c->counts[i]);
}

static bool store_page(struct slice *s, struct page *p, struct run_commit *c, struct err *err)
{
	struct run_item *items = arena_alloc_array(p->arena, p->n + p->n_gone + 1, sizeof(*items));
	if (!items)
		return err_set(err, ERR_LIMIT, "arena full");
	c->items = items;
	for (size_t i = 0; i < p->n; i++) {
		struct rec *rec = &p->recs[i];
		if (rec->end == END_OPEN && !rec->intends)
			continue;
		items[c->n++] = item_of(s, p, rec);
		if (rec->end == END_OPEN)
			continue;
		/* What is settled now was seen, and in doubt, before. */
		if (s->place.phase == PHASE_SETTLE)
			c->counts[RUN_IN_DOUBT_N]--;
		else
			c->counts[RUN_SEEN_N]++;
		c->counts[count_of(rec->end)]++;
	}
	if (c->page == PAGE_AGAIN)
		c->n += add_gone(p, items + c->n);
	c->counts[RUN_CALLS_N] = slice_calls(s);
	if (!queue_run_commit(s->ctx->opt->queue, &s->hold, c, err))
		return false;
	s->is_cancelled |= c->is_cancelled;
	count_records(s, c);
	return true;
}

bool page_run(struct slice *s, const struct run_place *next, const struct register_state *state,
	      const char *ahead, struct err *err)
{
	struct page *p = page_of(s);
	struct run_commit c = { .table = &s->table,
				.side = source_side(s),
				.reg = s->reg->name,
				.page = p->kind,
				.place = next,
				.state = state };
	struct err why = ERR_INIT;
	s->stop = (struct err)ERR_INIT;
	s->n_doubts = 0;
	if (!load_links(s, p, err))
		return false;
	bool done = work_page(s, p, ahead, &why);
	if (!done) {
		c.page = PAGE_PARTIAL;
		c.place = &s->place;
		c.state = NULL;
	}
	if (!store_page(s, p, &c, err))
		return false;
	if (done)
		s->place = *next;
	else
		*err = why;
	return done;
}
