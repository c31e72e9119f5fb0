/*
 * calls.c: the calls to Maestro (facts/maestro.md §3). An empty answer is absence only when it is
 * one that the interface gives for absence: half a list, or a page of somebody before Maestro,
 * proves nothing.
 */
#include "base/base.h"
#include "maestro_internal.h"

#define PAGES_MAX 10000

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* "/v1/customers" + "/" + "a%2Fb" */
static const char *path_of(struct maestro *mx, const char *base, const char *between,
			   const char *value)
{
	struct strbuf sb = STRBUF_INIT(mx->at->arena, 8192);
	const char *ret;
	strbuf_addstr(&sb, base);
	strbuf_addstr(&sb, between);
	strbuf_add_urlencoded(&sb, value);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

static bool get(struct maestro *mx, const char *what, const char *path, const struct json **ret,
		struct err *err)
{
	const struct maestro_rq rq = { .what = what, .method = "GET", .path = path };
	struct http_reply reply;
	return maestro_json(mx, &rq, &reply, ret, err);
}

/* The answer's list. */
static bool get_items(struct maestro *mx, const char *what, const char *path,
		      const struct json **ret_answer, const struct json **ret_items,
		      struct err *err)
{
	if (!get(mx, what, path, ret_answer, err))
		return false;
	*ret_items = json_get(*ret_answer, "items");
	return json_type(*ret_items) == JSON_ARRAY ||
	       err_set(err, ERR_OUTAGE, "%s: the answer has no list", what);
}

/* Absence as a value instead of an error. */
static bool was_found(bool ok, const struct err *inner, bool *ret_found, struct err *err)
{
	*ret_found = ok;
	if (ok || inner->code == ERR_NOT_FOUND)
		return true;
	if (err)
		*err = *inner;
	return false;
}

bool maestro_ping(struct maestro *mx, struct err *err)
{
	const struct json *j;
	if (!get(mx, "ask whose key it is", mx->opt->ping_path, &j, err))
		return false;
	const char *company = json_str(json_get(j, "companyId"));
	if (str_eq(company, mx->company))
		return true;
	return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Maestro",
			  "Maestro knows this key as that of another company");
}

/* ---- products ------------------------------------------------------------------------------ */

bool maestro_product_find(struct maestro *mx, const char *code, struct maestro_product *ret,
			  bool *ret_found, struct err *err)
{
	const struct json *answer, *items;
	*ret_found = false;
	if (!get_items(mx, "find product by code",
		       path_of(mx, mx->opt->products_path, "?code=", code), &answer, &items, err))
		return false;
	for (const struct json *j = json_first(items); j && !*ret_found; j = json_next(j)) {
		if (!maestro_read_product(j, ret, err))
			return false;
		*ret_found = strcmp(ret->code, code) == 0;
	}
	return true;
}

struct product_list {
	struct maestro_product *products;
	size_t n, cap;
};

static bool take_page(struct maestro *mx, const struct json *items, struct product_list *list,
		      struct err *err)
{
	size_t n = list->n + json_size(items);
	if (n > list->cap) {
		size_t cap = 2 * n;
		struct maestro_product *more = arena_alloc_array(mx->at->arena, cap, sizeof(*more));
		if (!more)
			return full(err);
		if (list->products)
			memcpy(more, list->products, list->n * sizeof(*more));
		list->products = more;
		list->cap = cap;
	}
	for (const struct json *j = json_first(items); j; j = json_next(j))
		if (!maestro_read_product(j, &list->products[list->n++], err))
			return false;
	return true;
}

bool maestro_products(struct maestro *mx, const struct maestro_product **ret, size_t *ret_n,
		      struct err *err)
{
	static const char what[] = "read the products";
	struct product_list list = { 0 };
	const struct json *answer, *items;
	char first[64];
	snprintf(first, sizeof(first), "?limit=%d", mx->opt->page);
	const char *path = arena_printf(mx->at->arena, "%s%s", mx->opt->products_path, first);
	const char *start = path;
	for (int i = 0; i < PAGES_MAX; i++) {
		if (!get_items(mx, what, path, &answer, &items, err) ||
		    !take_page(mx, items, &list, err))
			return false;
		const char *cursor = json_text(json_get(answer, "nextCursor"));
		if (!cursor || !cursor[0]) {
			*ret = list.products;
			*ret_n = list.n;
			return true;
		}
		path = path_of(mx, start, "&cursor=", cursor);
	}
	return err_set(err, ERR_SYSTEM, "%s: the pages do not end", what);
}

/* ---- customers ----------------------------------------------------------------------------- */

bool maestro_customer_find(struct maestro *mx, const char *external_id,
			   struct maestro_customer *ret, bool *ret_found, struct err *err)
{
	const struct json *j;
	struct err inner = ERR_INIT;
	bool ok = get(mx, "read customer", path_of(mx, mx->opt->customers_path, "/", external_id),
		      &j, &inner);
	if (!was_found(ok, &inner, ret_found, err))
		return false;
	if (*ret_found)
		maestro_read_customer(j, ret);
	return true;
}

bool maestro_customers_by_business_id(struct maestro *mx, const char *business_id,
				      const struct maestro_customer **ret, size_t *ret_n,
				      struct err *err)
{
	const struct json *answer, *items;
	if (!get_items(mx, "find customer by business id",
		       path_of(mx, mx->opt->customers_path, "?businessId=", business_id), &answer,
		       &items, err))
		return false;
	size_t n = 0;
	struct maestro_customer *found = arena_alloc_array(mx->at->arena, json_size(items) + 1,
							   sizeof(*found));
	if (!found)
		return full(err);
	for (const struct json *j = json_first(items); j; j = json_next(j))
		maestro_read_customer(j, &found[n++]);
	*ret = found;
	*ret_n = n;
	return true;
}

bool maestro_customer_put(struct maestro *mx, const struct maestro_customer *c, bool *ret_is_new,
			  struct err *err)
{
	struct maestro_rq rq = { .what = "write customer", .method = "PUT", .is_write = true };
	struct http_reply reply;
	rq.path = path_of(mx, mx->opt->customers_path, "/", c->values[MAESTRO_EXTERNAL_ID]);
	if (!maestro_write_customer(mx->at->arena, c, &rq.body, err) ||
	    !maestro_do(mx, &rq, &reply, err))
		return false;
	*ret_is_new = reply.status == 201;
	return true;
}

/* ---- invoices ------------------------------------------------------------------------------ */

bool maestro_invoice_add(struct maestro *mx, const char *key, struct span body,
			 struct maestro_created *ret, struct err *err)
{
	const struct maestro_rq rq = { .what = "send invoice",
				       .method = "POST",
				       .path = mx->opt->invoices_path,
				       .body = body,
				       .content_type = "application/xml",
				       .key = key,
				       .is_write = true };
	struct http_reply reply;
	const struct json *j;
	if (!maestro_json(mx, &rq, &reply, &j, err))
		return false;
	if (maestro_read_created(mx->at->arena, j, ret, NULL))
		return true;
	return verdict_to_err(VERDICT_DOUBT, &reply, reply.body, rq.what, err);
}

bool maestro_invoices_by_number(struct maestro *mx, const char *number,
				const struct maestro_listed **ret, size_t *ret_n, struct err *err)
{
	const struct json *answer, *items = NULL;
	struct err inner = ERR_INIT;
	bool is_found;
	bool ok = get_items(mx, "look up invoice by number",
			    path_of(mx, mx->opt->invoices_path, "?number=", number), &answer,
			    &items, &inner);
	if (!was_found(ok, &inner, &is_found, err))
		return false;
	size_t n = 0;
	struct maestro_listed *found = arena_alloc_array(
		mx->at->arena, (is_found ? json_size(items) : 0) + 1, sizeof(*found));
	if (!found)
		return full(err);
	for (const struct json *j = is_found ? json_first(items) : NULL; j; j = json_next(j))
		if (!maestro_read_listed(j, &found[n++], err))
			return false;
	*ret = found;
	*ret_n = n;
	return true;
}

bool maestro_invoice(struct maestro *mx, const char *id, struct maestro_listed *ret,
		     struct err *err)
{
	const struct json *j;
	return get(mx, "read invoice", path_of(mx, mx->opt->invoices_path, "/", id), &j, err) &&
	       maestro_read_listed(j, ret, err);
}
