/*
 * page.c: lists, page by page (facts/spotilla.md B2).
 *
 * Guarantees that no record is left out, though pages are numbered and records move to the end of
 * the list when they are changed: after a full page the list is asked for anew from the change time
 * that was reached. Only where more records than a page holds bear one change time (an import does
 * that) the pages are counted on; then the page before is read once more, and when it has moved
 * meanwhile, all begins anew from that time. A place in a list is a text that may be kept for days.
 * Judges no row.
 */
#include "base/base.h"
#include "spotilla_internal.h"

#include "base/clock.h"
#include "codec/sign.h"

#define PAGES_MAX 20000
#define RESTARTS_MAX 10
#define PAGE_ARENA_MAX ((size_t)96 << 20)
/* Times are told in whole seconds, whatever they are kept in. */
#define GRAIN_MS 1000

#define MARK_BYTES 12

/* Where the reading of a list stands: all of it goes into the text. */
struct place {
	const struct spotilla_list *list;
	const char *since; /* NULL: from the beginning */
	char since_text[48];
	int64_t since_ms;
	int64_t page; /* 1.. */
	int64_t n_restarts;
	char mark[2 * MARK_BYTES + 1]; /* of what the page before held; "": none */
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

/* What a page held, in short: another record, or another change time, makes another mark. */
static bool mark_of(const struct page *page, char ret[2 * MARK_BYTES + 1])
{
	unsigned char digest[SHA256_BYTES];
	struct sha256_stream stream;
	if (!sha256_stream_init(&stream))
		return false;
	for (size_t i = 0; i < page->rows.n; i++) {
		const char *id = json_text(json_get(page->rows.items[i], "id"));
		sha256_stream_add(&stream, span_of(id ? id : ""));
		sha256_stream_add(&stream, SPAN_LIT(" "));
		sha256_stream_add(&stream, span_of(changed_of(page->rows.items[i])));
		sha256_stream_add(&stream, SPAN_LIT(","));
	}
	sha256_stream_finish(&stream, digest);
	sign_hex(digest, MARK_BYTES, ret);
	return true;
}

/* Has what was counted moved since? *ret_moved: begin anew from the same time. */
static bool check_moved(struct spotilla *sp, struct place *at, bool *ret_moved, struct err *err)
{
	struct page before;
	char mark[sizeof(at->mark)];
	*ret_moved = false;
	if (at->page == 1)
		return true;
	if (!read_page(sp, at, at->page - 1, &before, err))
		return false;
	if (!mark_of(&before, mark))
		return err_set(err, ERR_MEMORY, "out of memory");
	*ret_moved = strcmp(mark, at->mark) != 0;
	if (!*ret_moved)
		return true;
	at->page = 1;
	at->mark[0] = '\0';
	return ++at->n_restarts <= RESTARTS_MAX ||
	       err_set(err, ERR_OUTAGE, "%s: the list changes faster than it can be read",
		       at->list->what);
}

static bool move_on(struct spotilla *sp, struct place *at, const struct page *page, struct err *err)
{
	char mark[sizeof(at->mark)];
	if (!mark_of(page, mark))
		return err_set(err, ERR_MEMORY, "out of memory");
	if (at->page > 1 && page->rows.n && strcmp(mark, at->mark) == 0)
		return unreadable(at, "each page is the same", err);
	if (at->page == PAGES_MAX)
		return err_set(err, ERR_SYSTEM, "%s: the list does not end", at->list->what);
	memcpy(at->mark, mark, sizeof(mark));
	at->page++;
	if (sp->opt->paging != SPOTILLA_BY_CHANGE || !page->newest ||
	    (at->since && page->newest_ms <= at->since_ms))
		return true;
	snprintf(at->since_text, sizeof(at->since_text), "%s", page->newest);
	at->since = at->since_text;
	at->since_ms = page->newest_ms;
	at->page = 1;
	at->n_restarts = 0;
	return true;
}

/* ---- places -------------------------------------------------------------------------------- */

/* "3 0 9f86d081884c7d659a2feaa0 2026-03-01T06:00:00Z"; without a time, from the beginning. */
static const char *write_place(struct arena *arena, const struct place *at)
{
	return arena_printf(arena, "%" PRId64 " %" PRId64 " %s %s", at->page, at->n_restarts,
			    at->mark[0] ? at->mark : "-", at->since ? at->since : "");
}

static bool read_place(const struct spotilla_list *list, const char *text, struct place *ret,
		       struct err *err)
{
	int n = 0;
	*ret = (struct place) { .list = list, .since = list->since, .page = 1 };
	if (text) {
		if (sscanf(text, "%" SCNd64 " %" SCNd64 " %24s %n", &ret->page, &ret->n_restarts,
			   ret->mark, &n) != 3 ||
		    !n || ret->page < 1 || strlen(text + n) >= sizeof(ret->since_text))
			return err_set(err, ERR_INPUT, "%s is no place in a list", text);
		if (strcmp(ret->mark, "-") == 0)
			ret->mark[0] = '\0';
		snprintf(ret->since_text, sizeof(ret->since_text), "%s", text + n);
		ret->since = ret->since_text[0] ? ret->since_text : NULL;
	}
	if (!ret->since || clock_parse_rfc3339(span_of(ret->since), &ret->since_ms))
		return true;
	return err_set(err, ERR_INPUT, "%s is no time", ret->since);
}

bool spotilla_page(struct spotilla *sp, const struct spotilla_list *list, const char *place,
		   struct spotilla_rows *ret, const char **ret_next, struct err *err)
{
	struct place at;
	struct page page;
	bool has_moved = true;
	if (!read_place(list, place, &at, err))
		return false;
	while (has_moved)
		if (!read_page(sp, &at, at.page, &page, err) ||
		    (sp->opt->paging == SPOTILLA_BY_CHANGE && !check_order(&at, &page, err)) ||
		    !check_moved(sp, &at, &has_moved, err))
			return false;
	*ret = page.rows;
	*ret_next = NULL;
	if (page.is_end)
		return true;
	if (!move_on(sp, &at, &page, err))
		return false;
	*ret_next = write_place(sp->at->arena, &at);
	return *ret_next ? true : err_set(err, ERR_LIMIT, "arena full");
}

bool spotilla_each_page(struct spotilla *sp, const struct spotilla_list *list, spotilla_list_fn fn,
			void *ctx, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(PAGE_ARENA_MAX);
	struct attempt at = *sp->at;
	struct spotilla paged = *sp;
	char place[SPOTILLA_PLACE_MAX + 1] = "";
	const char *next = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	arena_keep_secrets(arena); /* requests carry the key */
	at.arena = arena;
	paged.at = &at;
	do {
		struct spotilla_rows rows;
		arena_clear(arena);
		if (!spotilla_page(&paged, list, place[0] ? place : NULL, &rows, &next, err) ||
		    (rows.n && !fn(&paged, ctx, &rows, err)))
			return false;
		if (next)
			snprintf(place, sizeof(place), "%s", next);
	} while (next);
	return true;
}
