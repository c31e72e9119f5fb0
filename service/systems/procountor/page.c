/*
 * page.c: lists of Procountor's, in the one style of paging that all of them have: ascending ids,
 * the next page by the last id of the one before (facts/procountor.md §4); and reading many records
 * in one call.
 *
 * Guarantees that a list is read to its end or fails: ids that do not rise are an error, never a
 * short or an endless list. One page is in memory at a time. A record that is changed meanwhile
 * keeps its id and with it its place. totalCount is not relied on.
 */
#include "base/base.h"
#include "procountor_internal.h"

#include "base/clock.h"

#define PAGE_ARENA_MAX ((size_t)96 << 20)

static const char *page_path(struct procountor *p, const struct procountor_search *search,
			     int64_t last_id)
{
	struct strbuf sb = STRBUF_INIT(p->at->arena, 16 << 10);
	const char *ret;
	if (!search->path)
		return NULL;
	strbuf_addf(&sb, "%s%corderById=ASC&size=%d", search->path,
		    strchr(search->path, '?') ? '&' : '?', p->opt->page);
	if (last_id)
		strbuf_addf(&sb, "&previousId=%" PRId64, last_id);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

/* A server that gives smaller pages than were asked for says so; else a short page is the last. */
static bool is_last(const struct procountor *p, const struct json *meta, size_t n)
{
	int64_t size;
	if (!json_int64(json_get(meta, "pageSize"), &size) || size <= 0 || size > p->opt->page)
		size = p->opt->page;
	return n == 0 || n < (size_t)size;
}

/* Moves the last id up to the page's; each must be above the one before. */
static bool follow_ids(const struct procountor_search *search, const struct json *rows,
		       int64_t *last_id, struct err *err)
{
	for (const struct json *j = json_first(rows); j; j = json_next(j)) {
		int64_t id;
		if (!json_int64(json_get(j, "id"), &id) || id <= *last_id)
			return err_set(err, ERR_SYSTEM,
				       "%s: Procountor's list is not in the order of its ids",
				       search->what);
		*last_id = id;
	}
	return true;
}

bool procountor_read_page(struct procountor *p, const struct procountor_search *search,
			  int64_t *last_id, const struct json **ret, bool *ret_end, struct err *err)
{
	const struct procountor_rq rq = { .what = search->what,
					  .method = "GET",
					  .path = page_path(p, search, *last_id),
					  .header = search->header };
	const struct json *j;
	if (!procountor_json(p, &rq, &j, err))
		return false;
	*ret = json_get(j, "results");
	if (!*ret && search->array)
		*ret = json_get(j, search->array);
	if (json_type(*ret) != JSON_ARRAY)
		return err_set(err, ERR_OUTAGE, "%s: the answer has no list", search->what);
	*ret_end = is_last(p, json_get(j, "meta"), json_size(*ret));
	return follow_ids(search, *ret, last_id, err);
}

bool procountor_each_page(struct procountor *p, const struct procountor_search *search,
			  procountor_page_fn page, void *ctx, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(PAGE_ARENA_MAX);
	struct attempt at = *p->at;
	struct procountor paged = *p;
	int64_t last_id = 0;
	bool is_end = false;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	arena_keep_secrets(arena); /* requests carry the token */
	at.arena = arena;
	paged.at = &at;
	for (; !is_end; arena_clear(arena)) {
		const struct json *rows;
		if (!procountor_read_page(&paged, search, &last_id, &rows, &is_end, err))
			return false;
		if (json_first(rows) && !page(&paged, ctx, rows, err))
			return false;
	}
	return true;
}

/* ---- walks that go on later ---------------------------------------------------------------- */

bool procountor_cursor_read(const char *from, struct procountor_cursor *ret, struct err *err)
{
	const char *digits = from && from[0] ? from + 1 : "0";
	size_t n = strlen(digits);
	*ret = (struct procountor_cursor) { .is_inactive = from && from[0] == 'i' };
	if ((from && from[0] != 'a' && from[0] != 'i') || n == 0 || n > 18 ||
	    strspn(digits, "0123456789") != n)
		return err_set(err, ERR_SYSTEM, "no place in a list of Procountor's: %s", from);
	for (size_t i = 0; i < n; i++)
		ret->last_id = 10 * ret->last_id + (digits[i] - '0');
	return true;
}

bool procountor_cursor_write(struct arena *arena, const struct procountor_list *list,
			     const struct procountor_cursor *c, bool is_end, const char **ret,
			     struct err *err)
{
	bool goes_to_inactive = is_end && list->with_inactive && !c->is_inactive;
	*ret = NULL;
	if (is_end && !goes_to_inactive)
		return true;
	*ret = arena_printf(arena, "%c%" PRId64, c->is_inactive || goes_to_inactive ? 'i' : 'a',
			    goes_to_inactive ? 0 : c->last_id);
	return *ret ? true : err_set(err, ERR_LIMIT, "arena full");
}

bool procountor_add_since(const struct procountor_options *opt, struct strbuf *path,
			  int64_t since_ms, struct err *err)
{
	char text[CLOCK_RFC3339_MAX];
	struct tz *zone;
	if (!since_ms)
		return true;
	if (!tz_load(opt->time_zone, &zone, err))
		return err_wrap(err, "VIESTI_PROCOUNTOR_TIME_ZONE");
	clock_rfc3339(since_ms + (int64_t)tz_offset_s(zone, since_ms) * 1000, text);
	tz_free(zone);
	text[strlen("2026-03-01T08:00:00")] = '\0';
	strbuf_addstr(path, "&versionStartDate=");
	strbuf_add_urlencoded(path, text);
	return true;
}

/* With one id the answer is an object, with several a list without those that nobody knows; none
 * known is 404 (§4). */
bool procountor_batch(struct procountor *p, const char *what, const char *resource,
		      const struct procountor_ids *ids, const struct json **ret, size_t *ret_n,
		      struct err *err)
{
	struct procountor_rq rq = { .what = what, .method = "GET" };
	struct strbuf sb = STRBUF_INIT(p->at->arena, 16 << 10);
	struct err inner = ERR_INIT;
	const struct json *j;
	*ret = NULL;
	*ret_n = 0;
	if (!ids->n)
		return true;
	strbuf_addf(&sb, "%s/", resource);
	for (size_t i = 0; i < ids->n; i++)
		strbuf_addf(&sb, "%s%" PRId64, i ? "," : "", ids->ids[i]);
	if (!strbuf_finish(&sb, &rq.path, err))
		return false;
	if (!procountor_json(p, &rq, &j, &inner)) {
		if (inner.code == ERR_NOT_FOUND)
			return true;
		if (err)
			*err = inner;
		return false;
	}
	bool is_list = json_type(j) == JSON_ARRAY;
	*ret = is_list ? json_first(j) : j;
	*ret_n = is_list ? json_size(j) : 1;
	if (*ret_n <= ids->n)
		return true;
	return err_set(err, ERR_SYSTEM, "%s: Procountor answers with others too", what);
}
