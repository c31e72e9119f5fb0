/*
 * products.c: the register of products (facts/procountor.md §7). A code is not unique there, and
 * the vendor's search is for parts of codes: both are dealt with here.
 */
#include "base/base.h"
#include "procountor_internal.h"

/* A copy that outlives the page that the row stands on. */
static bool keep_product(struct arena *arena, const struct json *j, struct procountor_product *ret,
			 struct err *err)
{
	size_t refusals = arena_refusals(arena);
	if (!procountor_read_product(j, ret, err))
		return false;
	ret->id = arena_strdup(arena, ret->id);
	ret->version = arena_strdup(arena, ret->version);
	ret->code = arena_strdup(arena, ret->code);
	ret->name = arena_strdup(arena, ret->name);
	ret->unit = arena_strdup(arena, ret->unit);
	ret->currency = arena_strdup(arena, ret->currency);
	return arena_refusals(arena) == refusals ? true : err_set(err, ERR_LIMIT, "arena full");
}

/* ---- the whole register -------------------------------------------------------------------- */

bool procountor_product_page(struct procountor *p, const struct procountor_list *list,
			     const char *from, struct procountor_product_page *ret, struct err *err)
{
	struct procountor_search search = { .what = "list products", .array = "products" };
	struct strbuf sb = STRBUF_INIT(p->at->arena, 1024);
	struct procountor_cursor at;
	const struct json *rows;
	bool is_end;
	if (!procountor_cursor_read(from, &at, err))
		return false;
	strbuf_addf(&sb, "/products?type=SALES&active=%s", at.is_inactive ? "false" : "true");
	if (!procountor_add_since(p->opt, &sb, list->changed_since_ms, err) ||
	    !strbuf_finish(&sb, &search.path, err) ||
	    !procountor_read_page(p, &search, &at.last_id, &rows, &is_end, err))
		return false;
	size_t n = 0;
	struct procountor_product *items = arena_alloc_array(p->at->arena, json_size(rows) + 1,
							     sizeof(*items));
	if (!items)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *j = json_first(rows); j; j = json_next(j))
		if (!procountor_read_product(j, &items[n++], err))
			return false;
	ret->items = items;
	ret->n = n;
	return procountor_cursor_write(p->at->arena, list, &at, is_end, &ret->next, err);
}

/* ---- by code ------------------------------------------------------------------------------- */

struct by_code {
	struct arena *arena;
	const char *code;
	struct procountor_product *items;
	size_t n, cap;
};

static bool pick(struct procountor *paged, void *ctx, const struct json *rows, struct err *err)
{
	struct by_code *found = ctx;
	(void)paged; /* what is kept outlives the page */
	for (const struct json *j = json_first(rows); j; j = json_next(j)) {
		if (!str_eq(json_text(json_get(j, "code")), found->code))
			continue;
		if (found->n == found->cap) {
			size_t cap = found->cap ? 2 * found->cap : 4;
			struct procountor_product *items = arena_alloc_array(found->arena, cap,
									     sizeof(*items));
			if (!items)
				return err_set(err, ERR_LIMIT, "arena full");
			if (found->n)
				memcpy(items, found->items, found->n * sizeof(*items));
			found->items = items;
			found->cap = cap;
		}
		if (!keep_product(found->arena, j, &found->items[found->n++], err))
			return false;
	}
	return true;
}

static int active_first(const void *a, const void *b)
{
	const struct procountor_product *x = a, *y = b;
	size_t n = strlen(x->id), m = strlen(y->id);
	if (x->is_active != y->is_active)
		return x->is_active ? -1 : 1;
	return n != m ? (n < m ? -1 : 1) : strcmp(x->id, y->id);
}

bool procountor_product_find(struct procountor *p, const char *code,
			     const struct procountor_product **ret, size_t *ret_n, struct err *err)
{
	struct procountor_search search = { .what = "find product", .array = "products" };
	struct by_code found = { .arena = p->at->arena, .code = code };
	struct strbuf sb = STRBUF_INIT(p->at->arena, 1024);
	strbuf_addstr(&sb, "/products?type=SALES&code=");
	strbuf_add_urlencoded(&sb, code);
	if (!strbuf_finish(&sb, &search.path, err) ||
	    !procountor_each_page(p, &search, pick, &found, err))
		return false;
	if (found.n)
		qsort(found.items, found.n, sizeof(found.items[0]), active_first);
	*ret = found.items;
	*ret_n = found.n;
	return true;
}

bool procountor_product_add(struct procountor *p, const struct product *product,
			    const struct procountor_product_options *opt, const char **ret_id,
			    struct err *err)
{
	struct procountor_rq rq = {
		.what = "add product", .method = "POST", .path = "/products", .is_write = true
	};
	struct procountor_product made;
	const struct json *j;
	if (!procountor_write_product(p->at->arena, p->opt, product, opt, &rq.body, err) ||
	    !procountor_json(p, &rq, &j, err))
		return false;
	if (!procountor_read_product(j, &made, NULL))
		return err_set(err, ERR_DOUBT, "%s: the answer names no product", rq.what);
	*ret_id = made.id;
	return true;
}
