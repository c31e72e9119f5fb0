/*
 * registers.c: the registers of Severa's REST API that a document refers to (facts/severa.md §3.5,
 * 5, 6): products, projects, countries. Those that hardly change come whole and through
 * the process's cache; a record that a document is made of is read each time.
 */
#include "base/base.h"
#include "severa_internal.h"

#define REGISTER_BYTES_MAX ((size_t)16 << 20)

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- whole registers through the cache ----------------------------------------------------- */

static const char *joined(struct severa *s, const struct severa_rows *rows)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, REGISTER_BYTES_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *ret;
	jsonw_array(&w);
	for (size_t i = 0; i < rows->n; i++)
		jsonw_node(&w, rows->items[i]);
	jsonw_end_array(&w);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

struct reading {
	struct severa *severa;
	const struct severa_list *list;
	int64_t ttl_ms;
};

/* As shared_want wants it. */
static bool read_whole(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	const struct reading *r = ctx;
	struct severa_rows rows;
	if (!severa_all(r->severa, r->list, &rows, err))
		return false;
	*ret = joined(r->severa, &rows);
	*ret_ttl_ms = r->ttl_ms;
	return *ret ? true : full(err);
}

bool severa_register(struct severa *s, const struct severa_list *list, int64_t ttl_ms,
		     struct severa_rows *ret, struct err *err)
{
	struct attempt *at = s->at;
	struct reading reading = { s, list, ttl_ms };
	struct shared_want want = { .fetch = read_whole, .ctx = &reading };
	const struct json *array;
	const char *text;
	want.key = arena_printf(at->arena, "%s:%s", s->token_key, list->path);
	if (!want.key)
		return full(err);
	if (list->is_fresh)
		want.refused = at->ops->cache_get(at, want.key);
	return at->ops->shared(at, &want, &text, err) &&
	       json_parse(at->arena, span_of(text), JSON_LIMITS_VENDOR, &array, err) &&
	       severa_rows_of(at->arena, array, ret, err);
}

/* ---- countries, projects -------------------------------------------------------------------- */

const char *severa_country_code(const struct severa_rows *rows, const char *name)
{
	static const char *const keys[] = { "name", "englishName", "code2", "code3", "guid" };
	for (size_t i = 0; i < rows->n; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const char *text = json_text(json_get(rows->items[i], keys[k]));
			if (text && strcasecmp(text, name) == 0)
				return json_str(json_get(rows->items[i], "code2"));
		}
	}
	return NULL;
}

bool severa_countries(struct severa *s, struct severa_rows *ret, struct err *err)
{
	static const struct severa_list countries = { .what = "read countries",
						      .path = "/v1/localization/countries" };
	return severa_register(s, &countries, SEVERA_REGISTER_TTL_MS, ret, err);
}

bool severa_country(struct severa *s, const char *name, const char **ret, struct err *err)
{
	struct severa_rows rows;
	*ret = NULL;
	if (!name || !name[0])
		return true;
	if (!severa_countries(s, &rows, err))
		return false;
	*ret = severa_country_code(&rows, name);
	return true;
}

bool severa_project(struct severa *s, const char *id, struct severa_project *ret, struct err *err)
{
	const struct json *j;
	const char *path = severa_path(s, "/v1/projects/{}", id);
	return severa_get_seen(s, "read project", path, &j, err) &&
	       severa_map(&severa_project_shape, j, ret, err);
}

/* ---- registers page by page ---------------------------------------------------------------- */

struct pages {
	const struct severa_shape *shape;
	void *ctx;
	severa_products_fn products; /* one of these */
	severa_customers_fn customers;
	severa_projects_fn projects;
};

static bool hand_over(struct severa *paged, void *ctx, const struct severa_rows *rows,
		      struct err *err)
{
	const struct pages *p = ctx;
	const void *items;
	if (!severa_map_all(paged->at->arena, p->shape, rows, &items, err))
		return false;
	if (p->products)
		return p->products(p->ctx, items, rows->n, err);
	if (p->customers)
		return p->customers(p->ctx, items, rows->n, err);
	return p->projects(p->ctx, items, rows->n, err);
}

const char *severa_changed_path(struct severa *s, const char *path, const char *changed_since)
{
	if (!changed_since)
		return path;
	return severa_path(s, arena_printf(s->at->arena, "%s?changedSince={}", path),
			   changed_since);
}

bool severa_products(struct severa *s, const char *changed_since, severa_products_fn page,
		     void *ctx, struct err *err)
{
	for (size_t i = 0; i < SEVERA_PRODUCT_REGISTERS; i++) {
		struct pages pages = { .shape = &severa_product_shapes[i],
				       .ctx = ctx,
				       .products = page };
		struct severa_list list = { .what = "read products",
					    .path = severa_changed_path(
						    s, severa_product_places[i].path,
						    changed_since),
					    .paging = severa_product_places[i].paging };
		if (!severa_each_page(s, &list, hand_over, &pages, err))
			return false;
	}
	return true;
}

bool severa_customers(struct severa *s, const char *changed_since, severa_customers_fn page,
		      void *ctx, struct err *err)
{
	struct pages pages = { .shape = &severa_customer_shape, .ctx = ctx, .customers = page };
	struct severa_list list = { .what = "read customers",
				    .path = severa_changed_path(s, "/v1/customers", changed_since),
				    .paging = SEVERA_BY_TOKEN };
	return severa_each_page(s, &list, hand_over, &pages, err);
}

bool severa_projects(struct severa *s, const char *changed_since, severa_projects_fn page,
		     void *ctx, struct err *err)
{
	struct pages pages = { .shape = &severa_project_shape, .ctx = ctx, .projects = page };
	struct severa_list list = { .what = "read projects",
				    .path = severa_changed_path(s, "/v1/projects", changed_since),
				    .paging = SEVERA_BY_TOKEN };
	return severa_each_page(s, &list, hand_over, &pages, err);
}
