/*
 * partners.c: the register of customers: business partners of type CUSTOMER (facts/procountor.md
 * §5). Procountor lets several cards have the same number and business id; whoever makes one looks
 * before.
 */
#include "base/base.h"
#include "procountor_internal.h"

#include "base/utf8.h"

static const char *register_path(struct procountor *p, const struct procountor_list *list,
				 bool is_inactive, const char *customer_number, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(p->at->arena, 4096);
	const char *ret;
	strbuf_addf(&sb, "/businesspartners?type=CUSTOMER&active=%s",
		    is_inactive ? "false" : "true");
	if (customer_number) {
		strbuf_addstr(&sb, "&customerNumber=");
		strbuf_add_urlencoded(&sb, customer_number);
	}
	return procountor_add_since(p->opt, &sb, list->changed_since_ms, err) &&
			       strbuf_finish(&sb, &ret, err)
		       ? ret
		       : NULL;
}

static bool add_id(struct procountor_ids *ids, const struct json *j, const char *what,
		   struct err *err)
{
	if (ids->n == ARRAY_SIZE(ids->ids))
		return err_set(err, ERR_SYSTEM, "%s: Procountor lists more than was asked for",
			       what);
	return json_int64(json_get(j, "id"), &ids->ids[ids->n++])
		       ? true
		       : err_set(err, ERR_SYSTEM, "%s: no id", what);
}

/* Whole cards; a list has only the heads. */
static bool read_cards(struct procountor *p, const struct procountor_ids *ids,
		       const struct procountor_partner **ret, size_t *ret_n, struct err *err)
{
	const struct json *j;
	size_t n = 0, n_nodes;
	struct procountor_partner *cards = arena_alloc_array(p->at->arena, ids->n + 1,
							     sizeof(*cards));
	if (!cards)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!procountor_batch(p, "read customers", "/businesspartners", ids, &j, &n_nodes, err))
		return false;
	for (; n < n_nodes; j = json_next(j))
		if (!procountor_read_partner(j, &cards[n++], err))
			return false;
	*ret = cards;
	*ret_n = n;
	return true;
}

/* ---- the whole register -------------------------------------------------------------------- */

bool procountor_partner_page(struct procountor *p, const struct procountor_list *list,
			     const char *from, struct procountor_partner_page *ret, struct err *err)
{
	struct procountor_search search = { .what = "list customers" };
	struct procountor_ids ids = { .n = 0 };
	struct procountor_cursor at;
	const struct json *rows;
	bool is_end;
	if (!procountor_cursor_read(from, &at, err))
		return false;
	search.path = register_path(p, list, at.is_inactive, NULL, err);
	if (!search.path || !procountor_read_page(p, &search, &at.last_id, &rows, &is_end, err))
		return false;
	for (const struct json *j = json_first(rows); j; j = json_next(j))
		if (!add_id(&ids, j, search.what, err))
			return false;
	return read_cards(p, &ids, &ret->items, &ret->n, err) &&
	       procountor_cursor_write(p->at->arena, list, &at, is_end, &ret->next, err);
}

bool procountor_partner(struct procountor *p, const char *id, struct procountor_partner *ret,
			struct err *err)
{
	struct procountor_rq rq = { .what = "read customer", .method = "GET" };
	struct strbuf sb = STRBUF_INIT(p->at->arena, 1024);
	const struct json *j;
	strbuf_addstr(&sb, "/businesspartners/");
	strbuf_add_urlencoded(&sb, id);
	return strbuf_finish(&sb, &rq.path, err) && procountor_json_seen(p, &rq, &j, err) &&
	       procountor_read_partner(j, ret, err);
}

/* ---- finding ------------------------------------------------------------------------------- */

struct search {
	const struct procountor_partner_query *q;
	struct procountor_ids ids;
};

static bool agrees(const struct json *j, const char *path, const char *want)
{
	const char *have = json_text(json_at(j, path));
	return !want || str_eq(have, want);
}

/* How the vendor compares is not told: looser than letter by letter is assumed. */
static bool pick_matches(struct procountor *paged, void *ctx, const struct json *rows,
			 struct err *err)
{
	struct search *s = ctx;
	(void)paged; /* only ids are kept */
	for (const struct json *j = json_first(rows); j; j = json_next(j))
		if (agrees(j, "invoicingInfo.identifier", s->q->business_id) &&
		    agrees(j, "invoicingInfo.customerNumber", s->q->customer_number) &&
		    agrees(j, "name", s->q->name) && !add_id(&s->ids, j, "find customer", err))
			return false;
	return true;
}

/* Personal data must not stand in an address: they are headers (§5). How letters beyond ASCII go
 * into one is not told. */
static const char *header_text(struct procountor *p, const char *text)
{
	struct strbuf sb = STRBUF_INIT(p->at->arena, 4096);
	const char *ret;
	bool is_ascii = true;
	for (const char *c = text; *c; c++)
		is_ascii = is_ascii && (unsigned char)*c < 0x80;
	if (is_ascii || p->opt->header_text == PROCOUNTOR_HEADER_PLAIN)
		return text;
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c >= 0x80 || *c == '%')
			strbuf_addf(&sb, "%%%02X", (unsigned char)*c);
		else
			strbuf_addch(&sb, *c);
	}
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

static int by_id(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

bool procountor_partner_find(struct procountor *p, const struct procountor_partner_query *q,
			     const struct procountor_partner **ret, size_t *ret_n, struct err *err)
{
	const struct procountor_list all = { .changed_since_ms = 0 };
	struct search found = { .q = q };
	struct procountor_search search = { .what = "find customer" };
	assert(q->business_id || q->customer_number || q->name);
	if (q->business_id)
		search.header = (struct http_header) { "identifier",
						       header_text(p, q->business_id) };
	else if (q->name)
		search.header = (struct http_header) { "name", header_text(p, q->name) };
	if (search.header.name && !search.header.value)
		return err_set(err, ERR_LIMIT, "arena full");
	for (int inactive = 0; inactive < 2; inactive++) {
		search.path = register_path(p, &all, inactive, q->customer_number, err);
		if (!search.path || !procountor_each_page(p, &search, pick_matches, &found, err))
			return false;
	}
	/* Two searches; the answer is in the order of ids, and none is asked for twice. */
	qsort(found.ids.ids, found.ids.n, sizeof(found.ids.ids[0]), by_id);
	return read_cards(p, &found.ids, ret, ret_n, err);
}

/* ---- writing ------------------------------------------------------------------------------- */

bool procountor_partner_add(struct procountor *p, const struct procountor_partner *partner,
			    struct procountor_partner *ret, struct err *err)
{
	struct procountor_rq rq = { .what = "add customer",
				    .method = "POST",
				    .path = "/businesspartners",
				    .name = partner->name,
				    .number = partner->customer_number,
				    .is_write = true };
	const struct json *j;
	if (!procountor_write_partner(p->at->arena, p->opt, partner, true, &rq.body, err) ||
	    !procountor_json(p, &rq, &j, err))
		return false;
	return procountor_read_partner(j, ret, NULL) ||
	       err_set(err, ERR_DOUBT, "%s: the answer names no customer", rq.what);
}

bool procountor_partner_change(struct procountor *p, const struct procountor_partner *partner,
			       struct err *err)
{
	struct procountor_rq rq = { .what = "change customer",
				    .method = "PATCH",
				    .name = partner->name,
				    .number = partner->customer_number,
				    .is_write = true,
				    .has_version = true };
	struct strbuf sb = STRBUF_INIT(p->at->arena, 1024);
	struct http_reply reply;
	strbuf_addstr(&sb, "/businesspartners/");
	strbuf_add_urlencoded(&sb, partner->id);
	strbuf_addstr(&sb, "?version=");
	strbuf_add_urlencoded(&sb, partner->version);
	return strbuf_finish(&sb, &rq.path, err) &&
	       procountor_write_partner(p->at->arena, p->opt, partner, false, &rq.body, err) &&
	       procountor_do(p, &rq, &reply, err); /* what its answer holds is not told */
}
