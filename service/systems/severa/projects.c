/*
 * projects.c: Severa's projects, phases and business units a page at a time, and by guid
 * (facts/severa.md §5, 6).
 *
 * Guarantees that a place in a list stays one: projects and phases by the vendor's page tokens;
 * business units, which are paged by row numbers that move, whole and in the order of ids. A token
 * that is not good any more, days later, begins the list again, a few times.
 */
#include "base/base.h"
#include "severa_internal.h"

#define PLACE_MAX 480 /* bytes that can be kept (register.h) */
#define BEGINNINGS 3 /* of one list */

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* "0:<token>": how often the list was begun again, and where it goes on. */
static bool read_place(const char *from, size_t *ret_again, const char **ret_token, struct err *err)
{
	*ret_again = 0;
	*ret_token = NULL;
	if (!from)
		return true;
	if (from[0] < '0' || from[0] > '9' || from[1] != ':')
		return err_set(err, ERR_SYSTEM, "%s is no place in a list", from);
	*ret_again = (size_t)(from[0] - '0');
	*ret_token = from + 2;
	return true;
}

static bool one_page(struct severa *s, const struct severa_list *list, const char *from,
		     struct severa_rows *ret, const char **ret_next, struct err *err)
{
	const char *token, *next;
	size_t again;
	struct err inner = ERR_INIT;
	if (!read_place(from, &again, &token, err))
		return false;
	bool ok = severa_one_page(s, list, token, ret, &next, &inner);
	if (!ok && token && again < BEGINNINGS &&
	    (inner.code == ERR_DATA || inner.code == ERR_NOT_FOUND)) {
		again++;
		token = NULL;
		ok = severa_one_page(s, list, NULL, ret, &next, &inner);
	}
	if (!ok) {
		if (err)
			*err = inner;
		return false;
	}
	if (next && (str_eq(next, token) || strlen(next) > PLACE_MAX))
		return err_set(err, ERR_SYSTEM,
			       str_eq(next, token) ? "%s: Severa's paging goes round in a circle"
						   : "%s: Severa's page token is too long",
			       list->what);
	*ret_next = next ? arena_printf(s->at->arena, "%zu:%s", again, next) : NULL;
	return !next || *ret_next || full(err);
}

static struct severa_list list_of(struct severa *s, const char *what, const char *path,
				  const char *changed_since, size_t max)
{
	return (struct severa_list) { .what = what,
				      .path = severa_changed_path(s, path, changed_since),
				      .paging = SEVERA_BY_TOKEN,
				      .max_rows = (int)max };
}

bool severa_project_page(struct severa *s, const char *changed_since, const char *from, size_t max,
			 struct severa_project_page *ret, struct err *err)
{
	struct severa_list list = list_of(s, "list projects", "/v1/projects", changed_since, max);
	struct severa_rows rows;
	if (!one_page(s, &list, from, &rows, &ret->next, err) ||
	    !severa_map_all(s->at->arena, &severa_project_shape, &rows, &ret->items, err))
		return false;
	ret->n = rows.n;
	return true;
}

bool severa_phase_page(struct severa *s, const char *changed_since, const char *from, size_t max,
		       struct severa_phase_page *ret, struct err *err)
{
	struct severa_list list = list_of(s, "list phases", "/v1/phases", changed_since, max);
	struct severa_rows rows;
	if (!one_page(s, &list, from, &rows, &ret->next, err) ||
	    !severa_map_all(s->at->arena, &severa_phase_shape, &rows, &ret->items, err))
		return false;
	ret->n = rows.n;
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct severa_unit *x = a, *y = b;
	return strcmp(x->id, y->id);
}

bool severa_unit_page(struct severa *s, const char *changed_since, const char *from, size_t max,
		      struct severa_unit_page *ret, struct err *err)
{
	struct severa_list list = { .what = "list business units",
				    .path = severa_changed_path(s, "/v1/businessunits",
								changed_since),
				    .paging = SEVERA_BY_ROW };
	struct severa_rows rows;
	struct severa_unit *items;
	size_t first = 0;
	if (!severa_all(s, &list, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_unit_shape, &rows, &items, err))
		return false;
	if (rows.n)
		qsort(items, rows.n, sizeof(*items), by_id);
	while (from && first < rows.n && strcmp(items[first].id, from) <= 0)
		first++;
	size_t left = rows.n - first;
	ret->items = items + first;
	ret->n = left > max ? max : left;
	ret->next = left > max ? ret->items[max - 1].id : NULL;
	return true;
}

bool severa_projects_read(struct severa *s, const char *const *ids, size_t n,
			  const struct severa_project **ret, size_t *ret_n, struct err *err)
{
	struct severa_list list = { .what = "read projects", .paging = SEVERA_BY_TOKEN };
	struct severa_rows rows = { .n = 0 };
	struct strbuf sb = STRBUF_INIT(s->at->arena, 16 << 10);
	strbuf_addstr(&sb, "/v1/projects?");
	for (size_t i = 0; i < n; i++) {
		strbuf_addstr(&sb, i ? "&projectGuids=" : "projectGuids=");
		strbuf_add_urlencoded(&sb, ids[i]);
	}
	if (!strbuf_finish(&sb, &list.path, err))
		return false;
	/* Without a filter it would be all of them. */
	if ((n && !severa_all(s, &list, &rows, err)) ||
	    !severa_map_all(s->at->arena, &severa_project_shape, &rows, ret, err))
		return false;
	*ret_n = rows.n;
	return true;
}

bool severa_phase(struct severa *s, const char *id, struct severa_phase *ret, struct err *err)
{
	const struct json *j;
	const char *path = severa_path(s, "/v1/phases/{}", id);
	return severa_get_seen(s, "read phase", path, &j, err) &&
	       severa_map(&severa_phase_shape, j, ret, err);
}
