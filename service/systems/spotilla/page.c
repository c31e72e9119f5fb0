/*
 * page.c: whole lists, page by page (facts/spotilla.md B2).
 *
 * Guarantees that no record is left out, though pages are numbered and records move to the end of
 * the list when they are changed: after a full page the list is asked for anew from the change time
 * that was reached. Only where more records than a page holds bear one change time (an import does
 * that) the pages are counted on; then the page before is read once more, and when it has moved
 * meanwhile, all begins anew from that time. Two pages are in memory at a time. Judges no row.
 */
#include "base/base.h"
#include "spotilla_internal.h"

#include "base/clock.h"

#define READS_MAX 20000
#define RESTARTS_MAX 10
#define PAGE_ARENA_MAX ((size_t)96 << 20)
/* Times are told in whole seconds, whatever they are kept in. */
#define GRAIN_MS 1000

/* Where the reading of a list stands. */
struct place {
	const struct spotilla_list *list;
	const char *since; /* NULL: from the beginning */
	char since_text[48];
	int64_t since_ms;
	int64_t page; /* 1.. */
	unsigned n_reads, n_restarts;
	struct spotilla_rows before; /* what the page before held; none after a restart */
};

struct page {
	struct spotilla_rows rows;
	const char *newest; /* change time of its last row; NULL: untold */
	int64_t newest_ms;
	bool is_end;
};

bool spotilla_overlapped(struct spotilla *sp, const char *since, const char **ret, struct err *err)
{
	char buf[CLOCK_RFC3339_MAX];
	int64_t ms;
	*ret = NULL;
	if (!since)
		return true;
	if (!clock_parse_rfc3339(span_of(since), &ms))
		return err_set(err, ERR_INPUT, "%s is no time", since);
	clock_rfc3339(ms - sp->opt->overlap_ms, buf);
	buf[19] = 'Z';
	buf[20] = '\0';
	*ret = arena_strdup(sp->at->arena, buf);
	return *ret ? true : err_set(err, ERR_LIMIT, "arena full");
}

/* ---- one page ------------------------------------------------------------------------------ */

static void add_param(struct strbuf *sb, const char *name, const char *value)
{
	if (!value)
		return;
	strbuf_addf(sb, "&%s=", name);
	strbuf_add_urlencoded(sb, value);
}

static const char *page_path(struct spotilla *sp, const struct place *at, int64_t number)
{
	struct strbuf sb = STRBUF_INIT(sp->at->arena, 4096);
	const char *ret;
	strbuf_addf(&sb, "%s?%s=%" PRId64 "&%s=%d", at->list->path, spotilla_param_page, number,
		    spotilla_param_per_page, sp->opt->page);
	add_param(&sb, spotilla_param_since, at->since);
	if (at->list->filter)
		add_param(&sb, at->list->filter, at->list->value);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

static bool unreadable(const struct place *at, const char *what, struct err *err)
{
	return err_reason(err, ERR_SYSTEM, "answer_unreadable", at->list->name, "%s: %s",
			  at->list->what, what);
}

static const char *changed_of(const struct json *row)
{
	return json_str(json_get(row, "updated_at"));
}

/* Change times must be there, rise, and begin where they were asked for: the reading leans on it.
 */
static bool check_order(const struct place *at, struct page *page, struct err *err)
{
	int64_t last = at->since ? at->since_ms - GRAIN_MS + 1 : INT64_MIN;
	int64_t ms;
	for (size_t i = 0; i < page->rows.n; i++) {
		const char *text = changed_of(page->rows.items[i]);
		if (!text || strlen(text) >= sizeof(at->since_text) ||
		    !clock_parse_rfc3339(span_of(text), &ms))
			return unreadable(at, "a record without a change time", err);
		if (ms < last)
			return unreadable(at,
					  "not sorted by change time, or not from the time on that "
					  "was asked for; VIESTI_SPOTILLA_PAGING=numbers reads it",
					  err);
		last = ms;
		page->newest = text;
		page->newest_ms = ms;
	}
	return true;
}

static bool read_page(struct spotilla *sp, struct place *at, int64_t number, struct page *ret,
		      struct err *err)
{
	struct spotilla_rq rq = { .what = at->list->what,
				  .method = "GET",
				  .path = page_path(sp, at, number) };
	const struct json *j;
	int64_t total;
	if (++at->n_reads > READS_MAX)
		return err_set(err, ERR_SYSTEM, "%s: the list does not end", at->list->what);
	if (!spotilla_do(sp, &rq, &j, err))
		return false;
	const struct json *array = json_get(j, at->list->name);
	if (json_type(array) != JSON_ARRAY)
		return unreadable(at, "no list", err);
	*ret = (struct page) { .is_end = true };
	ret->rows.items = arena_alloc_array(sp->at->arena, json_size(array) + 1,
					    sizeof(*ret->rows.items));
	if (!ret->rows.items)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *row = json_first(array); row; row = json_next(row))
		ret->rows.items[ret->rows.n++] = row;
	if (ret->rows.n)
		ret->is_end = json_int64(json_at(j, "meta.total_pages"), &total) && number >= total;
	return true;
}

/* ---- from page to page --------------------------------------------------------------------- */

static bool is_same_row(const struct json *a, const struct json *b)
{
	const char *id = json_text(json_get(a, "id"));
	return id && str_eq(id, json_text(json_get(b, "id"))) &&
	       str_eq(changed_of(a), changed_of(b));
}

static bool is_same_page(const struct spotilla_rows *a, const struct spotilla_rows *b)
{
	bool is_same = a->n == b->n;
	for (size_t i = 0; is_same && i < a->n; i++)
		is_same = is_same_row(a->items[i], b->items[i]);
	return is_same;
}

static bool holds(const struct spotilla_rows *rows, const struct json *row)
{
	for (size_t i = 0; i < rows->n; i++)
		if (is_same_row(rows->items[i], row))
			return true;
	return false;
}

/* Those that were not on the page before. */
static bool new_rows(struct arena *arena, const struct place *at, const struct page *page,
		     struct spotilla_rows *ret, struct err *err)
{
	*ret = (struct spotilla_rows) { .items = arena_alloc_array(arena, page->rows.n + 1,
								   sizeof(*ret->items)) };
	if (!ret->items)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < page->rows.n; i++)
		if (!holds(&at->before, page->rows.items[i]))
			ret->items[ret->n++] = page->rows.items[i];
	return true;
}

/* Has what was counted moved since? *ret_moved: begin anew from the same time. */
static bool check_moved(struct spotilla *sp, struct place *at, bool *ret_moved, struct err *err)
{
	struct page again;
	*ret_moved = false;
	if (at->page == 1)
		return true;
	if (!read_page(sp, at, at->page - 1, &again, err))
		return false;
	*ret_moved = !is_same_page(&again.rows, &at->before);
	if (!*ret_moved)
		return true;
	at->page = 1;
	at->before.n = 0;
	return ++at->n_restarts <= RESTARTS_MAX ||
	       err_set(err, ERR_OUTAGE, "%s: the list changes faster than it can be read",
		       at->list->what);
}

static void move_on(struct spotilla *sp, struct place *at, const struct page *page)
{
	at->before = page->rows;
	at->page++;
	if (sp->opt->paging != SPOTILLA_BY_CHANGE || !page->newest ||
	    (at->since && page->newest_ms <= at->since_ms))
		return;
	snprintf(at->since_text, sizeof(at->since_text), "%s", page->newest);
	at->since = at->since_text;
	at->since_ms = page->newest_ms;
	at->page = 1;
}

/* Reads a page in paged's own arena and hands it over. */
static bool turn_page(struct spotilla *paged, struct place *at, spotilla_list_fn fn, void *ctx,
		      bool *ret_end, struct err *err)
{
	struct page page;
	struct spotilla_rows rows;
	bool has_moved;
	*ret_end = false;
	if (!read_page(paged, at, at->page, &page, err) ||
	    (paged->opt->paging == SPOTILLA_BY_CHANGE && !check_order(at, &page, err)) ||
	    !check_moved(paged, at, &has_moved, err))
		return false;
	if (has_moved)
		return true;
	if (!new_rows(paged->at->arena, at, &page, &rows, err))
		return false;
	if (!rows.n && page.rows.n && at->page > 1)
		return unreadable(at, "each page is the same", err);
	if (rows.n && !fn(paged, ctx, &rows, err))
		return false;
	*ret_end = page.is_end;
	move_on(paged, at, &page);
	return true;
}

bool spotilla_each_page(struct spotilla *sp, const struct spotilla_list *list, spotilla_list_fn fn,
			void *ctx, struct err *err)
{
	CLEANUP(arena_free) struct arena *even = arena_new(PAGE_ARENA_MAX);
	CLEANUP(arena_free) struct arena *odd = arena_new(PAGE_ARENA_MAX);
	struct attempt at = *sp->at;
	struct spotilla paged = *sp;
	struct place place = { .list = list, .since = list->since, .page = 1 };
	bool is_end = false;
	if (!even || !odd)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (place.since && !clock_parse_rfc3339(span_of(place.since), &place.since_ms))
		return err_set(err, ERR_INPUT, "%s is no time", place.since);
	arena_keep_secrets(even); /* requests carry the key */
	arena_keep_secrets(odd);
	paged.at = &at;
	while (!is_end) {
		/* The other one holds the page before. */
		at.arena = at.arena == even ? odd : even;
		arena_clear(at.arena);
		if (!turn_page(&paged, &place, fn, ctx, &is_end, err))
			return false;
	}
	return true;
}
