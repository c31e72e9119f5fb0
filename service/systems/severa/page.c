/*
 * page.c: lists of Severa's REST API, whole, in both paging styles (facts/severa.md §2.2).
 *
 * Guarantees that a list is read to its end or fails: paging that comes back to where it was, or
 * that does not end, is an error that says so, never a short list. severa_each_page holds one page
 * in memory at a time. Judges no row.
 *
 * Rows of style F move up when one before them is deleted meanwhile: each page begins with the last
 * row of the one before, and where another one stands there, the list fails and is read again.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "codec/sign.h"
#include "net/verdict.h"

/* No list of style F gives more rows at once (§2.2). */
#define ROWS_BY_ROW 100
#define PAGES_MAX 10000
#define PAGE_ARENA_MAX ((size_t)96 << 20)

/* Where the reading of a list stands. */
struct place {
	const struct severa_list *list;
	unsigned n_pages;
	int64_t first_row; /* style F: of the next page */
	char last[80]; /* style F: guid of the last row that was read; empty: none */
	bool repeats; /* style F: the page just read begins with that row */
	char token[8192]; /* style T: of the next page; empty: the first */
	/*
	 * An earlier page and the token that it gave, moved up at pages 1, 2, 4, 8 ...: whoever
	 * goes round in a circle, however wide, comes by it again.
	 */
	unsigned char mark[SHA256_BYTES], token_mark[SHA256_BYTES];
};

static int rows_per_page(const struct severa *s, const struct severa_list *list)
{
	return list->max_rows && list->max_rows < s->opt->page ? list->max_rows : s->opt->page;
}

static const char *page_path(struct severa *s, const struct place *at)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, 16 << 10);
	const char *base = at->list->path;
	const char *ret;
	if (!base)
		return NULL;
	strbuf_addstr(&sb, base);
	if (at->list->paging != SEVERA_UNPAGED)
		strbuf_addch(&sb, strchr(base, '?') ? '&' : '?');
	switch (at->list->paging) {
	case SEVERA_UNPAGED:
		break;
	case SEVERA_BY_TOKEN:
		strbuf_addf(&sb, "rowCount=%d", rows_per_page(s, at->list));
		if (at->token[0])
			strbuf_addstr(&sb, "&pageToken=");
		strbuf_add_urlencoded(&sb, at->token);
		break;
	case SEVERA_BY_ROW:
		strbuf_addf(&sb, "firstRow=%" PRId64 "&rowCount=%d",
			    at->first_row - (at->last[0] != 0), ROWS_BY_ROW);
		break;
	}
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

static bool goes_round(const struct place *at, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "%s: Severa's paging goes round in a circle (page %u)",
		       at->list->what, at->n_pages);
}

/* A page, or a token, that was seen before. */
static bool check_circle(struct place *at, const struct http_reply *reply, struct err *err)
{
	unsigned char page[SHA256_BYTES], token[SHA256_BYTES];
	sign_sha256(reply->body, page);
	sign_sha256(span_of(at->token), token);
	if (at->n_pages > 1 &&
	    (memcmp(page, at->mark, sizeof(page)) == 0 ||
	     (at->token[0] && memcmp(token, at->token_mark, sizeof(token)) == 0)))
		return goes_round(at, err);
	if ((at->n_pages & (at->n_pages - 1)) == 0) {
		memcpy(at->mark, page, sizeof(page));
		memcpy(at->token_mark, token, sizeof(token));
	}
	return true;
}

/* Moves to the next page. */
static bool move_on(struct place *at, const struct http_reply *reply, size_t n_rows, bool *ret_end,
		    struct err *err)
{
	const char *token = NULL;
	at->n_pages++;
	*ret_end = true;
	switch (at->list->paging) {
	case SEVERA_UNPAGED:
		return true;
	case SEVERA_BY_TOKEN:
		token = http_reply_header(reply, "nextpagetoken");
		if (!token || !token[0])
			return true;
		if (strlen(token) >= sizeof(at->token))
			return err_set(err, ERR_LIMIT, "%s: NextPageToken is too long",
				       at->list->what);
		snprintf(at->token, sizeof(at->token), "%s", token);
		break;
	case SEVERA_BY_ROW:
		if (n_rows < ROWS_BY_ROW)
			return true;
		at->first_row += (int64_t)n_rows - at->repeats;
		break;
	}
	if (at->n_pages == PAGES_MAX)
		return err_set(err, ERR_SYSTEM, "%s: the list does not end", at->list->what);
	*ret_end = false;
	return !n_rows || check_circle(at, reply, err);
}

/* A page of style F begins with the last row of the one before, which is not handed on again. */
static bool join_page(struct place *at, const struct json **row, struct err *err)
{
	const char *first = json_text(json_get(*row, "guid")), *last = NULL;
	if (at->repeats && !str_eq(first, at->last))
		return err_set(err, ERR_OUTAGE, "%s: Severa's rows moved while they were read",
			       at->list->what);
	for (const struct json *j = *row; j; j = json_next(j))
		last = json_text(json_get(j, "guid"));
	snprintf(at->last, sizeof(at->last), "%s",
		 last && strlen(last) < sizeof(at->last) ? last : "");
	if (at->repeats)
		*row = json_next(*row);
	return true;
}

/* *ret: its rows, from the first new one on. */
static bool read_page(struct severa *s, struct place *at, const struct json **ret, size_t *ret_n,
		      bool *ret_end, struct err *err)
{
	const struct severa_list *l = at->list;
	struct http_reply reply;
	const struct json *array;
	if (!severa_get(s, l->what, page_path(s, at), &array, &reply, err))
		return false;
	if (json_type(array) != JSON_ARRAY)
		return verdict_to_err(VERDICT_OUTAGE, &reply, reply.body, l->what, err);
	if (l->is_seen)
		s->at->ops->seen(s->at, reply.body);
	at->repeats = l->paging == SEVERA_BY_ROW && at->last[0];
	*ret = json_first(array);
	*ret_n = json_size(array) - (at->repeats && *ret);
	return move_on(at, &reply, json_size(array), ret_end, err) &&
	       (l->paging != SEVERA_BY_ROW || join_page(at, ret, err));
}

/* Room for n more rows. */
static bool reserve(struct arena *arena, struct severa_rows *rows, size_t *cap, size_t n)
{
	if (rows->n + n <= *cap)
		return true;
	size_t want = 2 * *cap > rows->n + n ? 2 * *cap : rows->n + n;
	const struct json **items = arena_alloc_array(arena, want, sizeof(*items));
	if (!items)
		return false;
	if (rows->n)
		memcpy(items, rows->items, rows->n * sizeof(*items));
	rows->items = items;
	*cap = want;
	return true;
}

static void add_rows(struct severa_rows *rows, const struct json *first)
{
	for (const struct json *j = first; j && rows->items; j = json_next(j))
		rows->items[rows->n++] = j;
}

static bool rows_from(struct arena *arena, const struct json *first, size_t n,
		      struct severa_rows *ret, struct err *err)
{
	struct severa_rows rows = { .n = 0 };
	size_t cap = 0;
	if (!reserve(arena, &rows, &cap, n + 1))
		return err_set(err, ERR_LIMIT, "arena full");
	add_rows(&rows, first);
	*ret = rows;
	return true;
}

bool severa_rows_of(struct arena *arena, const struct json *array, struct severa_rows *ret,
		    struct err *err)
{
	return rows_from(arena, json_first(array), json_size(array), ret, err);
}

bool severa_each_page(struct severa *s, const struct severa_list *list, severa_list_fn page,
		      void *ctx, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(PAGE_ARENA_MAX);
	struct attempt at = *s->at;
	struct severa paged = *s;
	struct place place = { .list = list };
	bool is_end = false;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	arena_keep_secrets(arena); /* requests carry the token */
	at.arena = arena;
	paged.at = &at;
	while (!is_end) {
		const struct json *first = NULL;
		struct severa_rows rows;
		size_t n = 0;
		arena_clear(arena);
		if (!read_page(&paged, &place, &first, &n, &is_end, err) ||
		    !rows_from(arena, first, n, &rows, err) || !page(&paged, ctx, &rows, err))
			return false;
	}
	return true;
}

bool severa_one_page(struct severa *s, const struct severa_list *list, const char *token,
		     struct severa_rows *ret, const char **ret_next, struct err *err)
{
	struct place place = { .list = list };
	const struct json *first = NULL;
	size_t n = 0;
	bool is_end = false;
	if (token && strlen(token) >= sizeof(place.token))
		return err_set(err, ERR_LIMIT, "%s: the page's token is too long", list->what);
	snprintf(place.token, sizeof(place.token), "%s", token ? token : "");
	if (!read_page(s, &place, &first, &n, &is_end, err) ||
	    !rows_from(s->at->arena, first, n, ret, err))
		return false;
	*ret_next = is_end ? NULL : arena_strdup(s->at->arena, place.token);
	return is_end || *ret_next || err_set(err, ERR_LIMIT, "arena full");
}

bool severa_all(struct severa *s, const struct severa_list *list, struct severa_rows *ret,
		struct err *err)
{
	struct place place = { .list = list };
	struct severa_rows rows = { 0 };
	size_t cap = 0;
	bool is_end = false;
	while (!is_end) {
		const struct json *first = NULL;
		size_t n = 0;
		if (!read_page(s, &place, &first, &n, &is_end, err))
			return false;
		if (!reserve(s->at->arena, &rows, &cap, n))
			return err_set(err, ERR_LIMIT, "arena full");
		add_rows(&rows, first);
	}
	*ret = rows;
	return true;
}
