/*
 * registers.c: the customers, products and tasks of a tenant: whole lists page by page, single
 * records, and the few things that are written (facts/spotilla.md B3 to B5).
 */
#include "base/base.h"
#include "spotilla_internal.h"

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- pages --------------------------------------------------------------------------------- */

/* How the records of a register become structs. */
struct shape {
	size_t size;
	bool (*map)(struct arena *arena, const struct json *j, void *ret, struct err *err);
	/* Of one that cannot be read. */
	void (*name)(const struct json *j, void *ret);
};

static const char *id_of(const struct json *j)
{
	return json_text(json_get(j, "id"));
}

static const char *changed_of(const struct json *j)
{
	return json_str(json_get(j, "updated_at"));
}

static bool map_customer(struct arena *arena, const struct json *j, void *ret, struct err *err)
{
	return spotilla_map_customer(arena, j, ret, err);
}

static void name_customer(const struct json *j, void *ret)
{
	*(struct spotilla_customer *)ret = (struct spotilla_customer) {
		.customer.source_id = id_of(j), .changed = changed_of(j), .is_unreadable = true
	};
}

static bool map_product(struct arena *arena, const struct json *j, void *ret, struct err *err)
{
	(void)arena; /* a product has no lists */
	return spotilla_map_product(j, ret, err);
}

static void name_product(const struct json *j, void *ret)
{
	*(struct spotilla_product *)ret = (struct spotilla_product) { .product.source_id = id_of(j),
								      .changed = changed_of(j),
								      .is_unreadable = true };
}

static bool map_task(struct arena *arena, const struct json *j, void *ret, struct err *err)
{
	return spotilla_map_task(arena, j, ret, err);
}

static void name_task(const struct json *j, void *ret)
{
	*(struct spotilla_task *)ret =
		(struct spotilla_task) { .id = id_of(j),
					 .number = json_text(json_get(j, "number")),
					 .changed = changed_of(j),
					 .is_unreadable = true };
}

static const struct shape customer_shape = { sizeof(struct spotilla_customer), map_customer,
					     name_customer };
static const struct shape product_shape = { sizeof(struct spotilla_product), map_product,
					    name_product };
static const struct shape task_shape = { sizeof(struct spotilla_task), map_task, name_task };

/* A record that cannot be read leaves the others: its own reading names the fault. One without an
 * id cannot be named at all. */
static bool map_rows(struct arena *arena, const struct shape *shape,
		     const struct spotilla_rows *rows, void **ret, struct err *err)
{
	char *items = arena_alloc_array(arena, rows->n + 1, shape->size);
	if (!items)
		return full(err);
	for (size_t i = 0; i < rows->n; i++) {
		struct err why = ERR_INIT;
		const char *id = id_of(rows->items[i]);
		if (shape->map(arena, rows->items[i], items + i * shape->size, &why))
			continue;
		if (!id || !id[0] || why.code == ERR_LIMIT || why.code == ERR_MEMORY) {
			if (err)
				*err = why;
			return false;
		}
		shape->name(rows->items[i], items + i * shape->size);
	}
	*ret = items;
	return true;
}

static bool list_page(struct spotilla *sp, const struct shape *shape,
		      const struct spotilla_list *list, const char *place, void **ret,
		      size_t *ret_n, const char **ret_next, struct err *err)
{
	struct spotilla_rows rows;
	if (!spotilla_page(sp, list, place, &rows, ret_next, err) ||
	    !map_rows(sp->at->arena, shape, &rows, ret, err))
		return false;
	*ret_n = rows.n;
	return true;
}

/* ---- customers ----------------------------------------------------------------------------- */

bool spotilla_customers(struct spotilla *sp, const char *since, const char *place,
			const struct spotilla_customer **ret, size_t *ret_n, const char **ret_next,
			struct err *err)
{
	const struct spotilla_list list = { .what = "list customers",
					    .path = sp->opt->path_customers,
					    .name = "customers",
					    .since = since };
	void *items;
	if (!list_page(sp, &customer_shape, &list, place, &items, ret_n, ret_next, err))
		return false;
	*ret = items;
	return true;
}

bool spotilla_customer(struct spotilla *sp, const char *id, struct spotilla_customer *ret,
		       struct err *err)
{
	const struct json *j;
	return spotilla_read_record(sp, "read customer", sp->opt->path_customers, id, "customer",
				    &j, err) &&
	       spotilla_map_customer(sp->at->arena, j, ret, err);
}

struct search {
	struct spotilla *sp; /* in the attempt's own arena */
	enum spotilla_key key;
	const char *value;
	const char *ids[SPOTILLA_MATCHES_MAX];
	size_t n;
};

static bool fits(const struct search *s, const struct spotilla_customer *c)
{
	const char *value = NULL;
	switch (s->key) {
	case SPOTILLA_BUSINESS_ID:
		value = c->customer.business_id;
		break;
	case SPOTILLA_NUMBER:
		value = c->customer.code;
		break;
	case SPOTILLA_EXTERNAL_REF:
		value = c->external_ref;
		break;
	}
	return str_eq(value, s->value);
}

static bool has_id(const struct search *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->ids[i], id) == 0)
			return true;
	return false;
}

/* A filter that Spotilla does not know would let all through: each is looked at. */
static bool search_page(struct spotilla *paged, void *ctx, const struct spotilla_rows *rows,
			struct err *err)
{
	struct search *s = ctx;
	const struct spotilla_customer *items;
	void *mapped;
	if (!map_rows(paged->at->arena, &customer_shape, rows, &mapped, err))
		return false;
	items = mapped;
	for (size_t i = 0; i < rows->n && s->n < SPOTILLA_MATCHES_MAX; i++) {
		const char *id = items[i].customer.source_id;
		if (!fits(s, &items[i]) || has_id(s, id))
			continue;
		s->ids[s->n] = arena_strdup(s->sp->at->arena, id);
		if (!s->ids[s->n++])
			return full(err);
	}
	return true;
}

/* Read again one by one, so that they outlive their pages; what is gone or changed meanwhile is
 * none of them. */
static bool read_matches(const struct search *s, const struct spotilla_customer **ret,
			 size_t *ret_n, struct err *err)
{
	struct spotilla_customer *items = arena_alloc_array(s->sp->at->arena, s->n + 1,
							    sizeof(*items));
	size_t n = 0;
	if (!items)
		return full(err);
	for (size_t i = 0; i < s->n; i++) {
		struct err why = ERR_INIT;
		if (spotilla_customer(s->sp, s->ids[i], &items[n], &why)) {
			n += fits(s, &items[n]);
		} else if (why.code != ERR_NOT_FOUND) {
			if (err)
				*err = why;
			return false;
		}
	}
	*ret = items;
	*ret_n = n;
	return true;
}

bool spotilla_find_customers(struct spotilla *sp, enum spotilla_key key, const char *value,
			     const struct spotilla_customer **ret, size_t *ret_n, struct err *err)
{
	struct search s = { .sp = sp, .key = key, .value = value };
	struct spotilla_list list = { .what = "find a customer",
				      .path = sp->opt->path_customers,
				      .name = "customers" };
	if (sp->opt->find == SPOTILLA_FIND_FILTER) {
		list.filter = spotilla_key_names[key];
		list.value = value;
	}
	return spotilla_each_page(sp, &list, search_page, &s, err) &&
	       read_matches(&s, ret, ret_n, err);
}

/* What became of a customer that was written; without an id nobody knows. */
static bool written_customer(struct spotilla *sp, const struct spotilla_rq *rq,
			     struct spotilla_customer *ret, struct err *err)
{
	const struct json *j;
	if (!spotilla_do(sp, rq, &j, err))
		return false;
	j = json_get(j, "customer") ? json_get(j, "customer") : j;
	if (spotilla_map_customer(sp->at->arena, j, ret, NULL) && ret->customer.source_id[0])
		return true;
	return err_set(err, ERR_DOUBT, "%s: an answer that cannot be read", rq->what);
}

bool spotilla_create_customer(struct spotilla *sp, const struct spotilla_customer_form *form,
			      const char *key, struct spotilla_customer *ret, struct err *err)
{
	struct spotilla_rq rq = { .what = "create customer",
				  .method = "POST",
				  .path = sp->opt->path_customers,
				  .key = key,
				  .is_write = true };
	if (!form->name)
		return err_reason(err, ERR_DATA, "name_missing", "customer",
				  "a customer without a name");
	return spotilla_map_customer_form(sp->at->arena, form, &rq.body, err) &&
	       written_customer(sp, &rq, ret, err);
}

bool spotilla_update_customer(struct spotilla *sp, const char *id,
			      const struct spotilla_customer_form *form,
			      struct spotilla_customer *ret, struct err *err)
{
	/* No key: a change back to what was once sent would be answered, but not made. */
	struct spotilla_rq rq = { .what = "change customer",
				  .method = "PATCH",
				  .path = spotilla_record_path(sp, sp->opt->path_customers, id),
				  .is_write = true,
				  .is_record = true };
	if (!spotilla_map_customer_form(sp->at->arena, form, &rq.body, err))
		return false;
	return span_is(rq.body, "{}") ? spotilla_customer(sp, id, ret, err)
				      : written_customer(sp, &rq, ret, err);
}

/* ---- products ------------------------------------------------------------------------------ */

bool spotilla_products(struct spotilla *sp, const char *since, const char *place,
		       const struct spotilla_product **ret, size_t *ret_n, const char **ret_next,
		       struct err *err)
{
	const struct spotilla_list list = { .what = "list products",
					    .path = sp->opt->path_products,
					    .name = "products",
					    .since = since };
	void *items;
	if (!list_page(sp, &product_shape, &list, place, &items, ret_n, ret_next, err))
		return false;
	*ret = items;
	return true;
}

bool spotilla_product(struct spotilla *sp, const char *id, struct spotilla_product *ret,
		      struct err *err)
{
	const struct json *j;
	return spotilla_read_record(sp, "read product", sp->opt->path_products, id, "product", &j,
				    err) &&
	       spotilla_map_product(j, ret, err);
}

static bool patch(struct spotilla *sp, const char *what, const char *register_path, const char *id,
		  struct span body, struct err *err)
{
	struct spotilla_rq rq = { .what = what,
				  .method = "PATCH",
				  .path = spotilla_record_path(sp, register_path, id),
				  .body = body,
				  .is_write = true,
				  .is_record = true };
	const struct json *j;
	return spotilla_do(sp, &rq, &j, err);
}

bool spotilla_mark_product(struct spotilla *sp, const char *id, const char *external_ref,
			   struct err *err)
{
	struct span body;
	return spotilla_write_ref(sp->at->arena, external_ref, &body, err) &&
	       patch(sp, "mark product", sp->opt->path_products, id, body, err);
}

/* ---- tasks --------------------------------------------------------------------------------- */

struct task_pages {
	spotilla_tasks_fn page;
	void *ctx;
};

static bool task_page(struct spotilla *paged, void *ctx, const struct spotilla_rows *rows,
		      struct err *err)
{
	const struct task_pages *pages = ctx;
	void *items;
	return map_rows(paged->at->arena, &task_shape, rows, &items, err) &&
	       pages->page(pages->ctx, items, rows->n, err);
}

bool spotilla_tasks(struct spotilla *sp, const char *state, const char *changed_since,
		    spotilla_tasks_fn page, void *ctx, struct err *err)
{
	struct task_pages pages = { page, ctx };
	struct spotilla_list list = { .what = "list tasks of a state",
				      .path = sp->opt->path_tasks,
				      .name = "tasks",
				      .filter = spotilla_param_state,
				      .value = state };
	return spotilla_overlapped(sp, changed_since, &list.since, err) &&
	       spotilla_each_page(sp, &list, task_page, &pages, err);
}

bool spotilla_task(struct spotilla *sp, const char *id, struct spotilla_task *ret, struct err *err)
{
	const struct json *j;
	return spotilla_read_record(sp, "read task", sp->opt->path_tasks, id, "task", &j, err) &&
	       spotilla_map_task(sp->at->arena, j, ret, err);
}

bool spotilla_mark_task(struct spotilla *sp, const char *id, const struct spotilla_billing *billing,
			struct err *err)
{
	struct span body;
	if (!sp->opt->write_back)
		return true;
	return spotilla_write_billing(sp->at->arena, billing, &body, err) &&
	       patch(sp, "mark task", sp->opt->path_tasks, id, body, err);
}
