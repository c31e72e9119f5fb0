/*
 * customers.c: Severa's customers with the addresses that hang on them (facts/severa.md §4, 4.1):
 * one by id, and the register page by page.
 *
 * Guarantees that a customer's change stamp moves with each of its addresses: Severa's own does not
 * say so. An address that was deleted shows when the customer is read the next time, whatever the
 * reason.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "base/clock.h"
#include "base/map.h"

#define NEXT_MAX 500
/* Of what was changed: a page must be through in seconds at the pace that Severa allows, since one
 * that finds no free call is read anew. */
#define CHANGED_MAX 25 /* customers of a page, a call more for each */
#define BY_ADDRESS_MAX 12 /* customers of a page, two calls each */
#define ADDRESSES_BYTES_MAX ((size_t)24 << 20)
#define ADDRESSES_TTL_MS (15 * 60 * 1000)

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

static bool is_true(const struct json *j, const char *key)
{
	bool value = false;
	return json_bool(json_get(j, key), &value) && value;
}

/* ---- one customer -------------------------------------------------------------------------- */

static void read_address(const struct severa_rows *countries, const struct json *j,
			 struct address *ret)
{
	const char *country = json_text(json_at(j, "country.guid"));
	*ret = (struct address) { .street = json_str(json_get(j, "addressline")),
				  .postcode = json_str(json_get(j, "postalCode")),
				  .city = json_str(json_get(j, "city")),
				  .country_name = json_str(json_at(j, "country.name")) };
	ret->country_code = country ? severa_country_code(countries, country) : NULL;
}

static const char *stamp_of(const struct json *j)
{
	const char *changed = json_str(json_get(j, "lastUpdatedDateTime"));
	if (!changed)
		changed = json_str(json_get(j, "createdDateTime"));
	return changed ? changed : "";
}

/* How many addresses there are, and the youngest change of any. */
static bool stamp(struct severa *s, const struct severa_rows *rows, struct customer *c)
{
	const char *youngest = "";
	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(stamp_of(rows->items[i]), youngest) > 0)
			youngest = stamp_of(rows->items[i]);
	if (c->changed)
		c->changed = arena_printf(s->at->arena, "%s %zu %s", c->changed, rows->n, youngest);
	return c->changed != NULL;
}

/* The head office's address marked billing and the one marked postal; phone and fax of the
 * billing one. Without a billing mark the customer's head-office address stands. */
static bool put_addresses(struct severa *s, const struct severa_rows *countries,
			  const struct severa_rows *rows, struct customer *c, struct err *err)
{
	bool has_billing = false, has_postal = false, is_stamped = c->changed != NULL;
	for (size_t i = 0; i < rows->n; i++) {
		const struct json *j = rows->items[i];
		if (!has_billing && is_true(j, "isBillingAddress")) {
			has_billing = true;
			read_address(countries, j, &c->billing);
			c->phone = json_str(json_get(j, "phone"));
			c->fax = json_str(json_get(j, "fax"));
		}
		if (!has_postal && is_true(j, "isPostalAddress")) {
			has_postal = true;
			read_address(countries, j, &c->delivery);
		}
	}
	if (!has_billing && c->billing.country_name && c->billing.country_name[0])
		c->billing.country_code = severa_country_code(countries, c->billing.country_name);
	c->business_id = business_id_from(s->at->arena, c->vat_number);
	return stamp(s, rows, c) || !is_stamped || full(err);
}

bool severa_address_rows(struct severa *s, const char *customer_id, struct severa_rows *ret,
			 struct err *err)
{
	struct severa_list list = { .what = "read addresses of the customer",
				    .paging = SEVERA_BY_ROW,
				    .is_seen = true,
				    .path = severa_path(s, "/v1/customers/{}/addresses",
							customer_id) };
	return severa_all(s, &list, ret, err);
}

bool severa_customer(struct severa *s, const char *id, struct customer *ret, struct err *err)
{
	const struct json *j;
	struct severa_rows rows, countries;
	const char *path = severa_path(s, "/v1/customers/{}", id);
	return severa_get_seen(s, "read customer", path, &j, err) &&
	       severa_map(&severa_customer_shape, j, ret, err) &&
	       severa_address_rows(s, ret->source_id, &rows, err) &&
	       severa_countries(s, &countries, err) &&
	       put_addresses(s, &countries, &rows, ret, err);
}

/* ---- all addresses at once ----------------------------------------------------------------- */

static bool add_lines(struct severa *paged, void *ctx, const struct severa_rows *rows,
		      struct err *err)
{
	struct strbuf *sb = ctx;
	struct json_writer w = JSON_WRITER_INIT(sb);
	(void)paged;
	(void)err;
	for (size_t i = 0; i < rows->n; i++) {
		const char *id = json_text(json_at(rows->items[i], "customer.guid"));
		if (!id)
			continue;
		strbuf_addf(sb, "%s\t", id);
		w = (struct json_writer)JSON_WRITER_INIT(sb);
		jsonw_node(&w, rows->items[i]);
		strbuf_addch(sb, '\n');
	}
	return true;
}

/* As shared_want wants it: a line per address, the customer's guid first. */
static bool read_addresses(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	static const struct severa_list list = { .what = "read addresses",
						 .path = "/v1/addresses",
						 .paging = SEVERA_BY_ROW };
	struct severa *s = ctx;
	struct strbuf sb = STRBUF_INIT(s->at->arena, ADDRESSES_BYTES_MAX);
	*ret_ttl_ms = ADDRESSES_TTL_MS;
	return severa_each_page(s, &list, add_lines, &sb, err) && strbuf_finish(&sb, ret, err);
}

/* The addresses of one customer of a page. */
struct of_customer {
	struct severa_rows rows;
	size_t cap;
};

static bool add_row(struct arena *arena, struct of_customer *to, const struct json *j)
{
	if (to->rows.n == to->cap) {
		size_t cap = to->cap ? 2 * to->cap : 4;
		const struct json **items = arena_alloc_array(arena, cap, sizeof(*items));
		if (!items)
			return false;
		if (to->rows.n)
			memcpy(items, to->rows.items, to->rows.n * sizeof(*items));
		to->rows.items = items;
		to->cap = cap;
	}
	to->rows.items[to->rows.n++] = j;
	return true;
}

static bool take_lines(struct arena *arena, const char *lines, const struct map *wanted,
		       struct err *err)
{
	for (const char *p = lines; *p;) {
		size_t n_id = strcspn(p, "\t"), n = strcspn(p, "\n");
		char id[80];
		snprintf(id, sizeof(id), "%.*s", (int)n_id, p);
		struct of_customer *to = n_id < sizeof(id) ? map_get(wanted, id) : NULL;
		struct span text = { p + n_id + 1, n - n_id - 1 };
		const struct json *j;
		if (to && (!json_parse(arena, text, JSON_LIMITS_VENDOR, &j, err) ||
			   !add_row(arena, to, j)))
			return full(err);
		p += n + (p[n] == '\n');
	}
	return true;
}

/* So old as the cache lets them be: who asks for all asks for the latest changes the next time. */
static bool put_all_addresses(struct severa *s, struct customer *items, size_t n, struct err *err)
{
	struct arena *arena = s->at->arena;
	struct shared_want want = { .fetch = read_addresses, .ctx = s };
	struct of_customer *of = arena_alloc_array(arena, n + 1, sizeof(*of));
	struct map *wanted = map_new(arena);
	struct severa_rows countries;
	const char *lines;
	want.key = arena_printf(arena, "%s:addresses", s->token_key);
	if (!of || !wanted || !want.key)
		return full(err);
	for (size_t i = 0; i < n; i++) {
		of[i] = (struct of_customer) { .cap = 0 };
		if (!map_put(wanted, items[i].source_id, &of[i]))
			return full(err);
	}
	if (!s->at->ops->shared(s->at, &want, &lines, err) ||
	    !take_lines(arena, lines, wanted, err) || !severa_countries(s, &countries, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!put_addresses(s, &countries, &of[i].rows, &items[i], err))
			return false;
	return true;
}

/* ---- pages --------------------------------------------------------------------------------- */

static bool name_next(struct severa *s, const char *kind, const char *place, const char **ret,
		      struct err *err)
{
	*ret = arena_printf(s->at->arena, "%s%s", kind, place);
	if (!*ret)
		return full(err);
	return strlen(*ret) <= NEXT_MAX ||
	       err_set(err, ERR_SYSTEM, "read customers: Severa's page token is too long");
}

static bool by_customer(struct severa *s, const char *since, const char *token,
			struct customer **ret, size_t *ret_n, const char **ret_next,
			struct err *err)
{
	const struct severa_list list = { .what = "read customers",
					  .path = severa_changed_path(s, "/v1/customers", since),
					  .paging = SEVERA_BY_TOKEN,
					  .max_rows = since ? CHANGED_MAX
							    : SEVERA_CUSTOMER_PAGE_MAX };
	struct severa_rows rows, addresses, countries;
	const char *next;
	if (!severa_one_page(s, &list, token, &rows, &next, err) ||
	    !severa_map_all(s->at->arena, &severa_customer_shape, &rows, ret, err))
		return false;
	*ret_n = rows.n;
	*ret_next = NULL;
	if ((next || since) && !name_next(s, next ? "c:" : "a:", next ? next : "", ret_next, err))
		return false;
	if (!since)
		return put_all_addresses(s, *ret, rows.n, err);
	if (rows.n && !severa_countries(s, &countries, err))
		return false;
	for (size_t i = 0; i < rows.n; i++)
		if (!severa_address_rows(s, (*ret)[i].source_id, &addresses, err) ||
		    !put_addresses(s, &countries, &addresses, &(*ret)[i], err))
			return false;
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Customers of changed addresses, in the order of their guids, behind `after`, each once. */
static bool changed_by_address(struct severa *s, const char *since, const char *after,
			       const char ***ret, size_t *ret_n, struct err *err)
{
	struct severa_list list = { .what = "read changed addresses",
				    .path = severa_changed_path(s, "/v1/addresses", since),
				    .paging = SEVERA_BY_ROW };
	struct severa_rows rows;
	size_t n = 0, k = 0;
	if (!severa_all(s, &list, &rows, err))
		return false;
	const char **ids = arena_alloc_array(s->at->arena, rows.n + 1, sizeof(*ids));
	if (!ids)
		return full(err);
	for (size_t i = 0; i < rows.n; i++) {
		const char *id = json_text(json_at(rows.items[i], "customer.guid"));
		if (id && strcmp(id, after) > 0)
			ids[n++] = id;
	}
	qsort(ids, n, sizeof(*ids), compare_texts);
	for (size_t i = 0; i < n; i++)
		if (k == 0 || strcmp(ids[i], ids[k - 1]) != 0)
			ids[k++] = ids[i];
	*ret = ids;
	*ret_n = k;
	return true;
}

/* One whose own stamp is as young was listed before, among the customers. */
static bool is_listed_before(const struct customer *c, const char *since)
{
	struct span own = { c->changed, c->changed ? strcspn(c->changed, " ") : 0 };
	int64_t changed_ms, since_ms;
	return clock_parse_rfc3339(own, &changed_ms) &&
	       clock_parse_rfc3339(span_of(since), &since_ms) && changed_ms >= since_ms;
}

static bool by_address(struct severa *s, const char *since, const char *after,
		       struct customer **ret, size_t *ret_n, const char **ret_next, struct err *err)
{
	const char **ids = NULL;
	size_t n = 0, taken;
	if (!changed_by_address(s, since, after, &ids, &n, err))
		return false;
	taken = n < BY_ADDRESS_MAX ? n : BY_ADDRESS_MAX;
	*ret = arena_alloc_array(s->at->arena, taken + 1, sizeof(**ret));
	*ret_n = 0;
	*ret_next = NULL;
	if (!*ret)
		return full(err);
	for (size_t i = 0; i < taken; i++) {
		struct err why = ERR_INIT;
		if (severa_customer(s, ids[i], &(*ret)[*ret_n], &why)) {
			*ret_n += !is_listed_before(&(*ret)[*ret_n], since);
		} else if (why.code != ERR_NOT_FOUND) {
			if (err)
				*err = why;
			return false;
		}
	}
	return taken == n || name_next(s, "a:", ids[taken - 1], ret_next, err);
}

bool severa_customer_page(struct severa *s, const char *changed_since, const char *page,
			  const struct customer **ret, size_t *ret_n, const char **ret_next,
			  struct err *err)
{
	struct customer *items = NULL;
	bool ok = page && strncmp(page, "a:", 2) == 0 && changed_since
			  ? by_address(s, changed_since, page + 2, &items, ret_n, ret_next, err)
			  : by_customer(s, changed_since, page ? page + 2 : NULL, &items, ret_n,
					ret_next, err);
	*ret = items;
	return ok;
}
