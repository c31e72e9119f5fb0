/*
 * registers.c: the registers of Severa's REST API that a document refers to (facts/severa.md §3.5,
 * 4, 5, 6): statuses, customers with their addresses, products, projects, countries. Those that
 * hardly change come whole and through the process's cache; a record that a document is made of is
 * read each time.
 */
#include "base/base.h"
#include "severa_internal.h"

#define REGISTER_TTL_MS (15 * 60 * 1000)
#define STATUS_TTL_MS (60 * 1000)
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

/* A JSON array of all rows. */
static bool whole_register(struct severa *s, const struct severa_list *list, int64_t ttl_ms,
			   const struct json **ret, struct err *err)
{
	struct attempt *at = s->at;
	struct reading reading = { s, list, ttl_ms };
	struct shared_want want = { .fetch = read_whole, .ctx = &reading };
	const char *text;
	want.key = arena_printf(at->arena, "%s:%s", s->token_key, list->path);
	if (!want.key)
		return full(err);
	return at->ops->shared(at, &want, &text, err) &&
	       json_parse(at->arena, span_of(text), JSON_LIMITS_VENDOR, ret, err);
}

/* ---- statuses ------------------------------------------------------------------------------ */

bool severa_statuses(struct severa *s, const struct severa_status **ret, size_t *ret_n,
		     struct err *err)
{
	static const struct severa_list statuses_list = { .what = "read invoice statuses",
							  .path = "/v1/invoicestatuses",
							  .paging = SEVERA_BY_ROW };
	const struct json *list;
	if (!whole_register(s, &statuses_list, STATUS_TTL_MS, &list, err))
		return false;
	size_t n = 0;
	struct severa_status *statuses = arena_alloc_array(s->at->arena, json_size(list) + 1,
							   sizeof(*statuses));
	if (!statuses)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (!severa_map_status(j, &statuses[n++], err))
			return false;
	*ret = statuses;
	*ret_n = n;
	return true;
}

bool severa_status_find(struct severa *s, const char *ref, const struct severa_status **ret,
			struct err *err)
{
	const struct severa_status *list;
	size_t n;
	if (!severa_statuses(s, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(list[i].id, ref) == 0 || str_eq(list[i].name, ref)) {
			*ret = &list[i];
			return true;
		}
	}
	return err_reason(err, ERR_DATA, "status_unknown", ref,
			  "invoice status %s does not exist in Severa", ref);
}

/* ---- countries, customers, products -------------------------------------------------------- */

static const struct json *country_by_name(const struct json *list, const char *name)
{
	static const char *const keys[] = { "name", "englishName", "code2", "code3", "guid" };
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			const char *text = json_text(json_get(j, keys[i]));
			if (text && strcasecmp(text, name) == 0)
				return j;
		}
	}
	return NULL;
}

bool severa_country(struct severa *s, const char *name, const char **ret, struct err *err)
{
	static const struct severa_list countries = { .what = "read countries",
						      .path = "/v1/localization/countries" };
	const struct json *list;
	*ret = NULL;
	if (!name || !name[0])
		return true;
	if (!whole_register(s, &countries, REGISTER_TTL_MS, &list, err))
		return false;
	*ret = json_str(json_get(country_by_name(list, name), "code2"));
	return true;
}

static bool is_true(const struct json *j, const char *key)
{
	bool value = false;
	return json_bool(json_get(j, key), &value) && value;
}

static bool read_address(struct severa *s, const struct json *j, struct address *ret,
			 struct err *err)
{
	const char *country = json_text(json_at(j, "country.guid"));
	*ret = (struct address) { .street = json_str(json_get(j, "addressline")),
				  .postcode = json_str(json_get(j, "postalCode")),
				  .city = json_str(json_get(j, "city")),
				  .country_name = json_str(json_at(j, "country.name")) };
	return severa_country(s, country, &ret->country_code, err);
}

/* The head office's address marked billing and the one marked postal; phone and fax of the
 * billing one. Without a billing mark the customer's head-office address stands. */
static bool add_addresses(struct severa *s, struct customer *c, struct err *err)
{
	struct severa_list list = { .what = "read addresses of the customer",
				    .paging = SEVERA_BY_ROW,
				    .is_seen = true,
				    .path = severa_path(s, "/v1/customers/{}/addresses",
							c->source_id) };
	struct severa_rows rows;
	bool has_billing = false, has_postal = false;
	if (!severa_all(s, &list, &rows, err))
		return false;
	for (size_t i = 0; i < rows.n; i++) {
		const struct json *j = rows.items[i];
		if (!has_billing && is_true(j, "isBillingAddress")) {
			has_billing = true;
			if (!read_address(s, j, &c->billing, err))
				return false;
			c->phone = json_str(json_get(j, "phone"));
			c->fax = json_str(json_get(j, "fax"));
		}
		if (!has_postal && is_true(j, "isPostalAddress")) {
			has_postal = true;
			if (!read_address(s, j, &c->delivery, err))
				return false;
		}
	}
	if (!has_billing)
		return severa_country(s, c->billing.country_name, &c->billing.country_code, err);
	return true;
}

bool severa_customer(struct severa *s, const char *id, struct customer *ret, struct err *err)
{
	const struct json *j;
	const char *path = severa_path(s, "/v1/customers/{}", id);
	if (!severa_get_seen(s, "read customer", path, &j, err) ||
	    !severa_map_customer(j, ret, err) || !add_addresses(s, ret, err))
		return false;
	ret->business_id = business_id_from(s->at->arena, ret->vat_number);
	return true;
}

static const struct {
	const char *by_code, *name;
	enum severa_paging paging;
} products[] = {
	{ "/v1/products?code={}", "product", SEVERA_BY_TOKEN },
	{ "/v1/worktypes?code={}", "work type", SEVERA_BY_ROW },
	{ "/v1/travelexpensetypes?code={}", "travel expense type", SEVERA_BY_ROW },
};

bool severa_product(struct severa *s, const char *code, struct product *ret, bool *ret_found,
		    struct err *err)
{
	*ret_found = false;
	for (size_t i = 0; i < ARRAY_SIZE(products); i++) {
		struct severa_list list = { .what = "find product by code",
					    .paging = products[i].paging,
					    .is_seen = true,
					    .path = severa_path(s, products[i].by_code, code) };
		struct severa_rows rows;
		if (!severa_all(s, &list, &rows, err))
			return false;
		for (size_t k = 0; k < rows.n; k++) {
			if (!severa_map_product(rows.items[k], products[i].name, ret, err))
				return false;
			if (str_eq(ret->code, code)) {
				*ret_found = true;
				return true;
			}
		}
	}
	return true;
}

bool severa_project(struct severa *s, const char *id, struct severa_project *ret, struct err *err)
{
	const struct json *j;
	const char *path = severa_path(s, "/v1/projects/{}", id);
	return severa_get_seen(s, "read project", path, &j, err) && severa_map_project(j, ret, err);
}
