/*
 * products.c: Severa's products, work types and travel-expense types as the one register that a
 * finance system sees in them (facts/severa.md §5): by code, by id, and whole, a page at a time.
 *
 * Guarantees that a place in the list stays one: products by the vendor's page tokens; the others,
 * which are paged by row numbers that move when a record is deleted, whole and in the order of ids,
 * and so the products too when a token is not good any more, or too long to be kept.
 */
#include "base/base.h"
#include "severa_internal.h"

#define PLACE_MAX 480 /* bytes of a token that can be kept (register.h) */

const struct severa_product_place severa_product_places[SEVERA_PRODUCT_REGISTERS] = {
	[SEVERA_PRODUCT] = { "/v1/products", "/v1/products?code={}", "/v1/products/{}",
			     SEVERA_BY_TOKEN },
	[SEVERA_WORK_TYPE] = { "/v1/worktypes", "/v1/worktypes?code={}", "/v1/worktypes/{}",
			       SEVERA_BY_ROW },
	[SEVERA_TRAVEL_TYPE] = { "/v1/travelexpensetypes", "/v1/travelexpensetypes?code={}",
				 "/v1/travelexpensetypes/{}", SEVERA_BY_ROW },
};

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- single ones --------------------------------------------------------------------------- */

bool severa_product(struct severa *s, const char *code, struct product *ret, bool *ret_found,
		    struct err *err)
{
	*ret_found = false;
	for (size_t i = 0; i < SEVERA_PRODUCT_REGISTERS; i++) {
		const struct severa_product_place *place = &severa_product_places[i];
		struct severa_list list = { .what = "find product by code",
					    .paging = place->paging,
					    .is_seen = true,
					    .path = severa_path(s, place->by_code, code) };
		struct severa_rows rows;
		struct product *found;
		if (!severa_all(s, &list, &rows, err) ||
		    !severa_map_all(s->at->arena, &severa_product_shapes[i], &rows, &found, err))
			return false;
		for (size_t k = 0; k < rows.n && !*ret_found; k++) {
			*ret_found = str_eq(found[k].code, code);
			if (*ret_found)
				*ret = found[k];
		}
		if (*ret_found)
			return true;
	}
	return true;
}

bool severa_product_by_id(struct severa *s, const char *id, struct product *ret, struct err *err)
{
	for (size_t i = 0; i < SEVERA_PRODUCT_REGISTERS; i++) {
		const struct json *j;
		struct err inner = ERR_INIT;
		const char *path = severa_path(s, severa_product_places[i].by_id, id);
		if (severa_get(s, "read product", path, &j, NULL, &inner))
			return severa_map(&severa_product_shapes[i], j, ret, err);
		if (inner.code != ERR_NOT_FOUND) {
			if (err)
				*err = inner;
			return false;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "product %s does not exist in Severa", id);
}

/* ---- whole --------------------------------------------------------------------------------- */

/* "0t:<token>", "1i:<id>": which register, how it is gone through, and behind what to go on. */
struct product_cursor {
	size_t reg;
	bool by_id;
	const char *behind; /* NULL: from its beginning */
};

static bool read_cursor(const char *text, struct product_cursor *ret, struct err *err)
{
	*ret = (struct product_cursor) { .reg = 0 };
	if (!text)
		return true;
	size_t reg = (size_t)(text[0] - '0');
	if (reg >= SEVERA_PRODUCT_REGISTERS || (text[1] != 't' && text[1] != 'i') || text[2] != ':')
		return err_set(err, ERR_SYSTEM, "%s is no place in a list of products", text);
	*ret = (struct product_cursor) { reg, text[1] == 'i', text[3] ? text + 3 : NULL };
	return true;
}

static bool write_cursor(struct severa *s, const struct product_cursor *c, const char **ret,
			 struct err *err)
{
	*ret = NULL;
	if (c->reg == SEVERA_PRODUCT_REGISTERS)
		return true;
	*ret = arena_printf(s->at->arena, "%zu%c:%s", c->reg, c->by_id ? 'i' : 't',
			    c->behind ? c->behind : "");
	return *ret ? true : full(err);
}

static int by_id(const void *a, const void *b)
{
	const struct product *x = a, *y = b;
	return strcmp(x->source_id, y->source_id);
}

/* *c moves behind what was read. */
static bool page_by_id(struct severa *s, struct severa_list *list, struct product_cursor *c,
		       size_t max, struct severa_product_page *ret, struct err *err)
{
	struct severa_rows rows;
	struct product *items;
	size_t from = 0;
	if (!severa_all(s, list, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_product_shapes[c->reg], &rows, &items, err))
		return false;
	if (rows.n)
		qsort(items, rows.n, sizeof(*items), by_id);
	while (c->behind && from < rows.n && strcmp(items[from].source_id, c->behind) <= 0)
		from++;
	ret->items = items + from;
	ret->n = rows.n - from > max ? max : rows.n - from;
	if (from + ret->n == rows.n)
		*c = (struct product_cursor) { .reg = c->reg + 1 };
	else
		c->behind = ret->items[ret->n - 1].source_id;
	return true;
}

static bool page_by_token(struct severa *s, struct severa_list *list, struct product_cursor *c,
			  size_t max, struct severa_product_page *ret, struct err *err)
{
	struct severa_rows rows;
	const char *next;
	struct err inner = ERR_INIT;
	bool ok = severa_one_page(s, list, c->behind, &rows, &next, &inner);
	bool is_lost = !ok && c->behind && (inner.code == ERR_DATA || inner.code == ERR_NOT_FOUND);
	if (is_lost || (ok && next && strlen(next) > PLACE_MAX)) {
		*c = (struct product_cursor) { .reg = c->reg, .by_id = true };
		return page_by_id(s, list, c, max, ret, err);
	}
	if (!ok) {
		if (err)
			*err = inner;
		return false;
	}
	if (rows.n > max || (next && str_eq(next, c->behind)))
		return err_set(err, ERR_SYSTEM,
			       rows.n > max ? "%s: the page has more rows than were asked for"
					    : "%s: Severa's paging goes round in a circle",
			       list->what);
	ret->n = rows.n;
	*c = (struct product_cursor) { next ? c->reg : c->reg + 1, false, next };
	return severa_map_all(s->at->arena, &severa_product_shapes[SEVERA_PRODUCT], &rows,
			      &ret->items, err);
}

bool severa_product_page(struct severa *s, const char *changed_since, const char *from, size_t max,
			 struct severa_product_page *ret, struct err *err)
{
	struct product_cursor c;
	if (!read_cursor(from, &c, err))
		return false;
	const struct severa_product_place *place = &severa_product_places[c.reg];
	struct severa_list list = { .what = "list products",
				    .path = severa_changed_path(s, place->path, changed_since),
				    .paging = place->paging,
				    .max_rows = (int)max };
	*ret = (struct severa_product_page) { .n = 0 };
	bool by_token = place->paging == SEVERA_BY_TOKEN && !c.by_id;
	return (by_token ? page_by_token(s, &list, &c, max, ret, err)
			 : page_by_id(s, &list, &c, max, ret, err)) &&
	       write_cursor(s, &c, &ret->next, err);
}
