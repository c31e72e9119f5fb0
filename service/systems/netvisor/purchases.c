/*
 * purchases.c: purchase invoices as Netvisor tells them (facts/netvisor.md §10): which there are,
 * and their rows with dimensions, many in one call. Attachments are left out.
 */
#include "base/base.h"
#include "netvisor_internal.h"

#include "base/clock.h"

#define LIST_ARENA_MAX ((size_t)96 << 20)

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

static size_t count(const struct xml *x, const char *name)
{
	size_t n = 0;
	for (x = xml_child(x, name); x; x = xml_next(x, name))
		n++;
	return n;
}

static bool copy_keys(struct arena *arena, const struct xml *list, const char *const **ret,
		      size_t *ret_n, struct err *err)
{
	const char **keys = arena_alloc_array(arena, count(list, "purchaseinvoice") + 1,
					      sizeof(*keys));
	size_t n = 0;
	if (!keys)
		return full(err);
	for (const struct xml *x = xml_child(list, "purchaseinvoice"); x;
	     x = xml_next(x, "purchaseinvoice")) {
		const char *key = xml_text_at(x, "netvisorkey");
		if (!key || !key[0])
			continue;
		keys[n] = arena_strdup(arena, key);
		if (!keys[n++])
			return full(err);
	}
	*ret = keys;
	*ret_n = n;
	return true;
}

/* filter: of the call's query. A list may be long, and only its keys are kept. */
static bool list_accepted(struct netvisor *nv, const char *filter, const char *const **ret,
			  size_t *ret_n, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(LIST_ARENA_MAX);
	struct netvisor own = *nv;
	struct attempt at = *nv->at;
	const struct xml *root;
	const char *path = arena_printf(nv->at->arena,
					"purchaseinvoicelist.nv?invoicestatus=accepted&%s", filter);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!path)
		return full(err);
	arena_keep_secrets(arena); /* requests carry the keys */
	at.arena = arena;
	own.at = &at;
	if (!netvisor_get(&own, "list purchase invoices", path, &root, err))
		return false;
	const struct xml *list = xml_child(root, "purchaseinvoicelist");
	return list ? copy_keys(nv->at->arena, list, ret, ret_n, err)
		    : err_set(err, ERR_OUTAGE, "list purchase invoices: the answer has no list");
}

bool netvisor_purchases_accepted(struct netvisor *nv, const char *from, int64_t since_ms,
				 const char *const **ret, size_t *ret_n, struct err *err)
{
	char since[CLOCK_RFC3339_MAX];
	/* In which zone the filter's time is, is not documented (§3): in UTC it is early in
	 * either. */
	if (since_ms)
		clock_rfc3339(since_ms, since);
	const char *filter = arena_printf(nv->at->arena, "begininvoicedate=%s%s%.19s", from,
					  since_ms ? "&lastmodifiedstart=" : "",
					  since_ms ? since : "");
	return filter ? list_accepted(nv, filter, ret, ret_n, err) : full(err);
}

/* The invoice itself says it in a translated text only (§10): the list of its day is asked. */
bool netvisor_purchase_is_accepted(struct netvisor *nv, const struct netvisor_purchase *p,
				   bool *ret, struct err *err)
{
	const char *const *keys;
	size_t n;
	const char *filter = !p->date ? ""
				      : arena_printf(nv->at->arena,
						     "begininvoicedate=%.10s&endinvoicedate=%.10s",
						     p->date, p->date);
	*ret = false;
	if (!filter)
		return full(err);
	if (!list_accepted(nv, filter, &keys, &n, err))
		return false;
	for (size_t i = 0; i < n && !*ret; i++)
		*ret = str_eq(keys[i], p->key);
	return true;
}

/* ---- one invoice --------------------------------------------------------------------------- */

static bool read_dimensions(struct arena *arena, const struct xml *line,
			    struct netvisor_purchase_row *row, struct err *err)
{
	const struct xml *list = xml_child(line, "purchaseinvoicelinedimensions");
	struct netvisor_dimension *d = arena_alloc_array(arena, count(list, "dimension") + 1,
							 sizeof(*d));
	if (!d)
		return full(err);
	for (const struct xml *x = xml_child(list, "dimension"); x; x = xml_next(x, "dimension"))
		d[row->n_dimensions++] = (struct netvisor_dimension) {
			.heading = xml_text_at(x, "dimensionname"),
			.name = xml_text_at(x, "dimensiondetailname"),
			.key = xml_text_at(x, "dimensiondetailnetvisorkey")
		};
	row->dimensions = d;
	return true;
}

static bool read_row(struct arena *arena, const struct xml *line, struct netvisor_purchase_row *row,
		     struct err *err)
{
	const char *net = xml_text_at(line, "linenetsum");
	const char *name = xml_text_at(line, "productname");
	const char *text = xml_text_at(line, "description");
	*row = (struct netvisor_purchase_row) { .key = xml_text_at(line, "netvisorkey"),
						.text = text && text[0] ? text : name };
	row->is_odd = !row->key || !row->key[0] || !net ||
		      !decimal_parse_comma(span_of(net), &row->net);
	return read_dimensions(arena, line, row, err);
}

static bool read_one(struct arena *arena, const struct xml *x, struct netvisor_purchase *ret,
		     struct err *err)
{
	const struct xml *lines = xml_child(x, "invoicelines");
	const char *date = xml_text_at(x, "purchaseinvoicedate");
	struct netvisor_purchase_row *rows = arena_alloc_array(
		arena, count(lines, "purchaseinvoiceline") + 1, sizeof(*rows));
	if (!rows)
		return full(err);
	*ret = (struct netvisor_purchase) { .key = xml_text_at(x, "purchaseinvoicenetvisorkey"),
					    .number = xml_text_at(x, "purchaseinvoicenumber"),
					    .date = date ? date : xml_text_at(x, "date"),
					    .vendor = xml_text_at(x, "vendorname"),
					    .rows = rows };
	if (!ret->key || !ret->key[0])
		return err_set(err, ERR_SYSTEM, "Netvisor tells a purchase invoice without a key");
	for (const struct xml *l = xml_child(lines, "purchaseinvoiceline"); l;
	     l = xml_next(l, "purchaseinvoiceline"))
		if (!read_row(arena, l, &rows[ret->n_rows++], err))
			return false;
	return true;
}

bool netvisor_purchases(struct netvisor *nv, const char *const *keys, size_t n,
			struct netvisor_purchase *ret, size_t *ret_n, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(nv->at->arena, 16384);
	const struct xml *root;
	const char *path;
	strbuf_addf(&sb, "getpurchaseinvoice.nv?omitattachments=1&%s=",
		    n == 1 ? "netvisorkey" : "netvisorkeylist");
	for (size_t i = 0; i < n; i++) {
		strbuf_addstr(&sb, i ? "," : "");
		strbuf_add_urlencoded(&sb, keys[i]);
	}
	if (!strbuf_finish(&sb, &path, err) ||
	    !netvisor_get(nv, "read purchase invoices", path, &root, err))
		return false;
	/* One comes alone, several in a list (§5); one that is not there as an empty element. */
	const struct xml *list = xml_child(root, "purchaseinvoices");
	const struct xml *x = xml_child(list ? list : root, "purchaseinvoice");
	*ret_n = 0;
	for (; x && *ret_n < n; x = xml_next(x, "purchaseinvoice"))
		if (xml_child(x, NULL) && !read_one(nv->at->arena, x, &ret[(*ret_n)++], err))
			return false;
	return true;
}
