/*
 * customers.c: Netvisor's customer register (facts/netvisor.md §6): by code, by key, and whole. A
 * list comes at once, however long it is, and tells neither addresses nor who is passive: it is
 * handed on in pieces, in the order of keys, whose cards are read several at a time.
 */
#include "base/base.h"
#include "netvisor_internal.h"

#include "base/clock.h"

/* For so long the pieces of a list are taken from the same reading of it. */
#define LIST_TTL_MS ((int64_t)4 * 60 * 1000)
#define LIST_MAX ((size_t)16 << 20)
#define QUERY_MAX ((size_t)64 << 10)

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- cards --------------------------------------------------------------------------------- */

/* a,b,c: percent-encoded, the commas are the list's own. */
static const char *list_query(struct netvisor *nv, const char *resource, const char *const *items,
			      size_t n)
{
	struct strbuf sb = STRBUF_INIT(nv->at->arena, QUERY_MAX);
	const char *ret;
	strbuf_addstr(&sb, resource);
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addch(&sb, ',');
		strbuf_add_urlencoded(&sb, items[i]);
	}
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

static bool read_one(struct netvisor *nv, const char *key, struct netvisor_customer *ret,
		     struct err *err)
{
	const struct xml *root;
	if (!netvisor_get(nv, "read customer", netvisor_query(nv, "getcustomer.nv?id=", key), &root,
			  err))
		return false;
	const struct xml *card = xml_child(root, "customer");
	if (!card) /* deleted since the list, or half an answer: nothing to compare with */
		return err_set(err, ERR_OUTAGE, "Netvisor answered without the card of customer %s",
			       key);
	netvisor_read_customer(card, ret);
	ret->key = key;
	return true;
}

/* Of one that is gone the whole call may fail (§4.3): then they are asked for one by one. */
static bool read_each(struct netvisor *nv, const char *const *keys, size_t n,
		      struct netvisor_customer *items, size_t *ret_n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		if (read_one(nv, keys[i], &items[*ret_n], &why)) {
			++*ret_n;
		} else if (why.code != ERR_DATA) {
			if (err)
				*err = why;
			return false;
		}
	}
	return true;
}

bool netvisor_customers_read(struct netvisor *nv, const char *const *keys, size_t n,
			     const struct netvisor_customer **ret, size_t *ret_n, struct err *err)
{
	struct netvisor_customer *items = arena_alloc_array(nv->at->arena, n + 1, sizeof(*items));
	const struct xml *root;
	struct err why = ERR_INIT;
	*ret = items;
	*ret_n = 0;
	assert(n <= NETVISOR_CUSTOMERS_MAX);
	if (!items)
		return full(err);
	if (n <= 1)
		return read_each(nv, keys, n, items, ret_n, err);
	if (!netvisor_get(nv, "read customers", list_query(nv, "getcustomer.nv?idlist=", keys, n),
			  &root, &why)) {
		if (why.code == ERR_DATA)
			return read_each(nv, keys, n, items, ret_n, err);
		if (err)
			*err = why;
		return false;
	}
	/* Several come in a plural element (§5). */
	const struct xml *many = xml_child(root, "customers");
	const struct xml *x = xml_child(many ? many : root, "customer");
	if (!many && !x)
		return err_set(err, ERR_OUTAGE, "read customers: the answer has none");
	for (; x && *ret_n < n; x = xml_next(x, "customer")) {
		netvisor_read_customer(x, &items[*ret_n]);
		*ret_n += items[*ret_n].key && items[*ret_n].key[0];
	}
	return true;
}

/* ---- by code ------------------------------------------------------------------------------- */

static bool is_listed(const char *code, const char *const *codes, size_t n)
{
	for (size_t i = 0; code && i < n; i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

bool netvisor_customers_find(struct netvisor *nv, const char *const *codes, size_t n,
			     const struct netvisor_customer **ret, size_t *ret_n, struct err *err)
{
	const struct xml *root;
	size_t k = 0, max = 1;
	assert(n <= NETVISOR_CODES_MAX);
	if (!netvisor_get(nv, "find customer by code",
			  list_query(nv, "customerlist.nv?customercodelist=", codes, n), &root,
			  err))
		return false;
	const struct xml *list = xml_child(root, "customerlist");
	if (!list) /* no list is no proof of absence */
		return err_set(err, ERR_OUTAGE, "find customer by code: the answer has no list");
	for (const struct xml *x = xml_child(list, "customer"); x; x = xml_next(x, "customer"))
		max++;
	const char **keys = arena_alloc_array(nv->at->arena, max, sizeof(*keys));
	if (!keys)
		return full(err);
	for (const struct xml *x = xml_child(list, "customer"); x; x = xml_next(x, "customer")) {
		const char *key = xml_text_at(x, "netvisorkey");
		if (!is_listed(xml_text_at(x, "code"), codes, n))
			continue;
		if (!key || !key[0])
			return err_set(err, ERR_SYSTEM, "Netvisor lists a customer without a key");
		if (k < NETVISOR_CUSTOMERS_MAX)
			keys[k++] = key;
	}
	return netvisor_customers_read(nv, keys, k, ret, ret_n, err);
}

bool netvisor_customer_find(struct netvisor *nv, const char *code, struct netvisor_customer *ret,
			    bool *ret_found, struct err *err)
{
	const struct netvisor_customer *items;
	size_t n;
	*ret_found = false;
	*ret = (struct netvisor_customer) { 0 };
	if (!netvisor_customers_find(nv, &code, 1, &items, &n, err))
		return false;
	*ret_found = n > 0;
	if (n)
		*ret = items[0];
	return true;
}

/* ---- the list ------------------------------------------------------------------------------ */

struct listing {
	struct netvisor *nv;
	const char *resource;
};

static int by_key(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* What is kept of a list: its keys in their order, a blank behind each. */
static bool write_keys(struct arena *arena, int64_t *keys, size_t n, const char **ret,
		       struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, LIST_MAX);
	qsort(keys, n, sizeof(*keys), by_key);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&sb, "%" PRId64 " ", keys[i]);
	return strbuf_finish(&sb, ret, err);
}

/* As shared_want wants it. */
static bool read_list(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	const struct listing *l = ctx;
	struct arena *arena = l->nv->at->arena;
	const struct xml *root;
	size_t n = 0, max = 1;
	if (!netvisor_get(l->nv, "list customers", l->resource, &root, err))
		return false;
	const struct xml *list = xml_child(root, "customerlist");
	if (!list) /* no list is no proof of absence */
		return err_set(err, ERR_OUTAGE, "list customers: the answer has no list");
	for (const struct xml *x = xml_child(list, "customer"); x; x = xml_next(x, "customer"))
		max++;
	int64_t *keys = arena_alloc_array(arena, max, sizeof(*keys));
	if (!keys)
		return full(err);
	for (const struct xml *x = xml_child(list, "customer"); x; x = xml_next(x, "customer")) {
		const char *key = xml_text_at(x, "netvisorkey");
		keys[n] = key ? strtoll(key, NULL, 10) : 0;
		if (keys[n++] <= 0)
			return err_set(err, ERR_SYSTEM, "Netvisor lists a customer without a key");
	}
	*ret_ttl_ms = LIST_TTL_MS;
	return write_keys(arena, keys, n, ret, err);
}

/* Which zone the filter's time is in is not documented (§3, 18): in UTC it is early in either. */
static const char *list_resource(struct netvisor *nv, int64_t since_ms)
{
	char since[CLOCK_RFC3339_MAX] = "";
	if (since_ms)
		clock_rfc3339(since_ms, since);
	return arena_printf(nv->at->arena, "customerlist.nv%s%.19s",
			    since_ms ? "?changedsince=" : "", since);
}

static bool keys_of_page(struct netvisor *nv, int64_t since_ms, const char *after,
			 const char **keys, size_t *ret_n, bool *ret_more, struct err *err)
{
	struct attempt *at = nv->at;
	struct listing listing = { nv, list_resource(nv, since_ms) };
	struct shared_want want = { .fetch = read_list, .ctx = &listing };
	int64_t from = after ? strtoll(after, NULL, 10) : 0;
	const char *text;
	*ret_n = 0;
	*ret_more = false;
	want.key = arena_printf(at->arena, "netvisor.customers:%s:%s:%s", nv->base_url,
				nv->organisation, listing.resource ? listing.resource : "");
	if (!listing.resource || !want.key)
		return full(err);
	if (!after) /* a reading begins */
		want.refused = at->ops->cache_get(at, want.key);
	if (!at->ops->shared(at, &want, &text, err))
		return false;
	for (const char *p = text; *p && !*ret_more;) {
		size_t n = strcspn(p, " ");
		if (strtoll(p, NULL, 10) > from) {
			*ret_more = *ret_n == NETVISOR_CUSTOMERS_MAX;
			if (!*ret_more && !(keys[(*ret_n)++] = arena_memdup(at->arena, p, n)))
				return full(err);
		}
		p += n + (p[n] == ' ');
	}
	return true;
}

bool netvisor_customer_page(struct netvisor *nv, int64_t since_ms, const char *after,
			    const struct netvisor_customer **ret, size_t *ret_n,
			    const char **ret_next, struct err *err)
{
	const char **keys = arena_alloc_array(nv->at->arena, NETVISOR_CUSTOMERS_MAX, sizeof(*keys));
	bool has_more;
	size_t n;
	if (!keys)
		return full(err);
	if (!keys_of_page(nv, since_ms, after, keys, &n, &has_more, err))
		return false;
	*ret_next = has_more ? keys[n - 1] : NULL;
	return netvisor_customers_read(nv, keys, n, ret, ret_n, err);
}

/* ---- writing ------------------------------------------------------------------------------- */

bool netvisor_customer_add(struct netvisor *nv, const struct netvisor_customer *c,
			   const char **ret_key, struct err *err)
{
	struct span body;
	return netvisor_map_customer(nv->at->arena, nv->encoding, c, &body, err) &&
	       netvisor_add(nv, "add customer", "customer.nv?method=add", body, ret_key, err);
}

bool netvisor_customer_edit(struct netvisor *nv, const struct netvisor_customer *c, struct err *err)
{
	struct span body;
	return netvisor_map_customer(nv->at->arena, nv->encoding, c, &body, err) &&
	       netvisor_edit(nv, "edit customer",
			     netvisor_query(nv, "customer.nv?method=edit&id=", c->key), body, err);
}
