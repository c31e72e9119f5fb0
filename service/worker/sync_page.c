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

#define WALK_FRESH_MS ((int64_t)4 * 3600 * 1000)

/* --- what is known of the records --- */

static bool load_links(struct slice *s, struct page *p, struct err *err)
{
	size_t n = p->got.n;
	const char **ids = arena_alloc_array(p->arena, n + 1, sizeof(*ids));
	struct stored_link *stored = arena_alloc_array(p->arena, n + 1, sizeof(*stored));
	p->recs = arena_alloc_array(p->arena, n + 1, sizeof(*p->recs));
	struct map *met = map_new(p->arena);
	p->taken = map_new(p->arena);
	p->n = 0;
	p->has_twins = false;
	if (!ids || !stored || !p->recs || !met || !p->taken)
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

bool page_mark_taken(struct slice *s, struct arena *arena, struct rec *recs, size_t n_recs,
		     struct err *err)
{
	enum link_side from = source_side(s), to = link_other(from);
	struct register_match **all = arena_alloc_array(arena, LINK_BATCH_MAX, sizeof(*all));
	const char **ids = arena_alloc_array(arena, LINK_BATCH_MAX, sizeof(*ids));
	struct stored_link *stored = arena_alloc_array(arena, LINK_BATCH_MAX, sizeof(*stored));
	if (!all || !ids || !stored)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0, k = 0; i < n_recs;) {
		size_t n = 0;
		for (; i < n_recs && n < LINK_BATCH_MAX; k = 0, i++) {
			struct rec *rec = &recs[i];
			for (; k < rec->n_found && n < LINK_BATCH_MAX; k++) {
				all[n] = &rec->found[k];
				ids[n++] = rec->found[k].id;
			}
			if (k < rec->n_found)
				break;
		}
		const struct links_query query = { &s->table, to, ids, n, NULL };
		if (n && !store_links_get(s->ctx->opt->store, arena, &query, stored, err))
			return false;
		for (size_t m = 0; m < n; m++)
			all[m]->taken_by = stored[m].link.id[from];
	}
	return true;
}

static bool was_answered(const struct register_page *got, const char *id)
{
	for (size_t i = 0; i < got->n; i++)
		if (str_eq(got->records[i].id, id))
			return true;
	return false;
}

/* Those that were found and are linked with another record; as many as are read at a time. */
static size_t list_taken(struct slice *s, struct page *p, struct register_match **to,
			 const char **ids)
{
	size_t n = 0, max = register_read_max(s->reg);
	for (size_t i = 0; i < p->n; i++) {
		struct rec *rec = &p->recs[i];
		for (size_t k = 0; !rec->is_linked && k < rec->n_found && n < max; k++) {
			const char *by = rec->found[k].taken_by;
			if (!by || str_eq(by, rec->r->id))
				continue;
			to[n] = &rec->found[k];
			ids[n++] = by;
		}
	}
	return n;
}

/* Does the source still have them? What it has deleted leaves its link to who comes after it. */
static bool free_of_gone(struct slice *s, struct page *p, struct err *err)
{
	struct register_match *taken[REGISTER_PAGE_MAX];
	const char *ids[REGISTER_PAGE_MAX];
	struct register_page got = { .n = 0 };
	size_t n = s->reg->heirs ? list_taken(s, p, taken, ids) : 0;
	if (!n)
		return true;
	struct attempt *at = slice_attempt(s, 0, s->ctx, p->arena);
	if (!at)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!s->reg->read(at, ids, n, &got, err))
		return false;
	bool is_left = source_side(s) == LINK_LEFT;
	for (size_t i = 0; i < n; i++) {
		if (was_answered(&got, ids[i]))
			continue;
		if (!store_links_drop(s->ctx->opt->store, &s->table,
				      is_left ? ids[i] : taken[i]->id,
				      is_left ? taken[i]->id : ids[i], err))
			return false;
		taken[i]->taken_by = NULL;
	}
	return true;
}

/* One after the other, since what one takes is not free for the next. */
static bool resolve_all(struct slice *s, struct page *p, struct err *err)
{
	if (!page_mark_taken(s, p->arena, p->recs, p->n, err) || !free_of_gone(s, p, err))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		struct rec *rec = &p->recs[i];
		if (!rec->n_found || rec->is_linked || rec->end != END_OPEN)
			continue;
		if (!record_resolve(s, rec)) {
			*err = s->stop;
			return false;
		}
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
	case LEAVE_TWIN:
		rec->todo = TODO_NOTHING;
		page_of(s)->has_twins = true;
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

/* --- ids that the target did not tell --- */

/*
 * Also where the page was cut, since they are made: what is not learned now is in doubt, and so is
 * all of it where the target cannot be asked.
 */
static void learn_ids(struct slice *s, struct page *p)
{
	struct err first = s->stop, ignored = ERR_INIT;
	bool any = false;
	for (size_t i = 0; i < p->n; i++)
		any |= p->recs[i].todo == TODO_LEARN;
	if (!any)
		return;
	s->stop = (struct err)ERR_INIT;
	bool looked = page_learn(s, p, &ignored) &&
		      page_mark_taken(s, p->arena, p->recs, p->n, &ignored);
	struct attempt *at = slice_attempt(s, 0, s->ctx, p->arena);
	for (size_t i = 0; i < p->n; i++) {
		struct rec *rec = &p->recs[i];
		if (rec->todo != TODO_LEARN)
			continue;
		if (!looked || !at)
			rec->n_found = 0;
		record_learn(s, at, rec);
	}
	s->stop = first;
}

/* --- from links to writes --- */

static bool prepare(struct slice *s, struct page *p, struct err *err)
{
	bool walked = is_walked(s);
	if (!sort_all(s, p, err) || (walked && !look_in_walk(s, p, err)) || !resolve_all(s, p, err))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (p->recs[i].todo == TODO_CREATE && p->recs[i].has_intent)
			p->recs[i].todo = TODO_FIND;
	return intend_all(s, p, walked ? s->place.walked_ms : 0, err) && page_find(s, p, err) &&
	       resolve_all(s, p, err) && settle_looks(s, p, err);
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
	bool done = prepare(s, p, &why) && page_write(s, p, ahead, &why);
	learn_ids(s, p);
	if (done && p->has_twins)
		done = err_set(&why, ERR_BUSY, "records that want to be one at the target");
	if (!done) {
		c.page = PAGE_PARTIAL;
		c.place = &s->place;
		c.state = NULL;
	}
	if (!page_store(s, p, &c, err))
		return false;
	if (done)
		s->place = *next;
	else
		*err = why;
	return done;
}
