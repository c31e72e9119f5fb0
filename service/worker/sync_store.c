/*
 * sync_store.c: what came of a page, as it is stored: links, intents that are settled, what stands
 * still and why, counts, and where the run goes on. Pure but for the one write at the end.
 */
#include "base/base.h"

#include "sync_internal.h"

#include "base/map.h"
#include "codec/json.h"

#define AGAIN_MS 1000 /* tried again by the next run, not by this one */
#define WHY_MAX 8192

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
		it.has_failed = rec->end == END_FAILED;
		it.is_in_doubt = rec->end == END_IN_DOUBT;
		it.again_ms = again_ms(s, rec);
	}
	return it;
}

/* Ids that the source was asked for and does not know. */
static bool list_gone(struct page *p, const char **ids, size_t *ret_n, struct err *err)
{
	struct map *known = map_new(p->arena);
	if (!ids || !known)
		return err_set(err, ERR_LIMIT, "arena full");
	*ret_n = 0;
	for (size_t i = 0; i < p->got.n; i++)
		if (!map_put(known, p->got.records[i].id, p))
			return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < p->n_gone; i++)
		if (!map_has(known, p->gone[i]))
			ids[(*ret_n)++] = p->gone[i];
	return true;
}

/* Without its record nobody can look whether it was made: a person does, and says so by ordering
 * the links anew. */
static struct run_item doubt_without_record(struct page *p, const char *id)
{
	struct register_record r = { .id = id, .label = id };
	struct err why = ERR_INIT;
	err_reason(&why, ERR_DATA, "source_gone_in_doubt", id,
		   "the source has deleted %s, and it is not known whether it was made", id);
	struct rec rec = { .r = &r, .why = &why };
	return (struct run_item) { .id = id,
				   .is_through = true,
				   .code = why.reason,
				   .json = why_json(p, &rec),
				   .keeps_why = true,
				   .stands = true,
				   .has_failed = true,
				   .again_ms = AGAIN_MS };
}

/* Nothing of them stands still any more, but for creations of which nobody knows the end. */
static bool add_gone(struct slice *s, struct page *p, struct run_commit *c, struct run_item *to,
		     struct err *err)
{
	const char **ids = arena_alloc_array(p->arena, p->n_gone + 1, sizeof(*ids));
	struct stored_link *stored = arena_alloc_array(p->arena, p->n_gone + 1, sizeof(*stored));
	struct links_query query = { .table = &s->table, .side = source_side(s), .ids = ids };
	if (!stored || !list_gone(p, ids, &query.n, err))
		return stored ? false : err_set(err, ERR_LIMIT, "arena full");
	if (query.n && !store_links_get(s->ctx->opt->store, p->arena, &query, stored, err))
		return false;
	bool was_seen = s->place.phase == PHASE_SETTLE; /* as one in doubt */
	for (size_t i = 0; i < query.n; i++) {
		bool is_lost = stored[i].intent.is_open && !stored[i].link.id[query.side] &&
			       s->rec.kind != RUN_LINKS;
		to[c->n++] = is_lost ? doubt_without_record(p, ids[i])
				     : (struct run_item) { .id = ids[i],
							   .drop_intent = true,
							   .is_through = true,
							   .again_ms = -1 };
		if (!is_lost && !was_seen)
			continue;
		c->counts[was_seen ? RUN_IN_DOUBT_N : RUN_SEEN_N] += was_seen ? -1 : 1;
		c->counts[is_lost ? RUN_FAILED_N : RUN_SKIPPED_N]++;
	}
	return true;
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

bool page_store(struct slice *s, struct page *p, struct run_commit *c, struct err *err)
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
	if (c->page == PAGE_AGAIN && !add_gone(s, p, c, items, err))
		return false;
	c->counts[RUN_CALLS_N] = slice_calls(s);
	c->counts[RUN_WRITES_N] = slice_writes(s);
	if (!queue_run_commit(s->ctx->opt->queue, &s->hold, c, err))
		return false;
	s->is_cancelled |= c->is_cancelled;
	count_records(s, c);
	return true;
}
