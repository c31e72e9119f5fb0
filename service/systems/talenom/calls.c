/*
 * calls.c: the calls to Talenom (facts/talenom.md §2, 3). A write whose answer does not name what
 * it made leaves doubt; each has a look-up that finds it by what we gave it: code or name, our id,
 * the invoice itself, number and day.
 */
#include "base/base.h"
#include "talenom_internal.h"

#define PAGES_MAX 10000

static const struct talenom_part none = { NULL, NULL };

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* An answer of a write that does not say what it should. */
static bool doubt(const char *what, struct err *err)
{
	return err_set(err, ERR_DOUBT, "%s: the answer does not name it", what);
}

/* The id of what a write made. */
static bool write_for_id(struct talenom *tn, const struct talenom_rq *rq, const char **ret_id,
			 struct err *err)
{
	const struct json *j;
	if (!talenom_json(tn, rq, &j, err))
		return false;
	*ret_id = talenom_text(j, "id");
	return (*ret_id)[0] ? true : doubt(rq->what, err);
}

/* "?externalId=" */
static const char *by_external_id(const struct talenom *tn, char mark)
{
	return arena_printf(tn->at->arena, "%c%s=", mark, tn->opt->external_id);
}

/* ---- sales accounts ------------------------------------------------------------------------ */

bool talenom_accounts(struct talenom *tn, const struct talenom_account **ret, size_t *ret_n,
		      struct err *err)
{
	const struct json *list;
	size_t n = 0;
	if (!talenom_list(tn, "read the sales accounts",
			  talenom_sales(tn, tn->opt->accounts_path, none, none), &list, err))
		return false;
	struct talenom_account *accounts = arena_alloc_array(tn->at->arena, json_size(list) + 1,
							     sizeof(*accounts));
	if (!accounts)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (!talenom_read_account(j, &accounts[n++], err))
			return false;
	*ret = accounts;
	*ret_n = n;
	return true;
}

/* ---- products ------------------------------------------------------------------------------ */

bool talenom_product_find(struct talenom *tn, const char *code, const char *name,
			  struct talenom_product *ret, bool *ret_found, struct err *err)
{
	const struct talenom_part by = { code ? "?code=" : "?name=", code ? code : name };
	const struct json *list;
	*ret_found = false;
	if (!talenom_list(tn, code ? "find product by code" : "find product by name",
			  talenom_sales(tn, tn->opt->products_path, by, none), &list, err))
		return false;
	for (const struct json *j = json_first(list); j && !*ret_found; j = json_next(j)) {
		if (!talenom_read_product(j, ret, err))
			return false;
		*ret_found = code ? str_eq(ret->code, code) : !ret->code && str_eq(ret->name, name);
	}
	return true;
}

bool talenom_product_add(struct talenom *tn, const struct talenom_product *p, const char **ret_id,
			 struct err *err)
{
	struct talenom_rq rq = { .what = "add product", .method = "POST", .is_write = true };
	rq.path = talenom_sales(tn, tn->opt->products_path, none, none);
	return talenom_write_product(tn->at->arena, p, &rq.body, err) &&
	       write_for_id(tn, &rq, ret_id, err);
}

bool talenom_product_change(struct talenom *tn, const struct talenom_product *p, struct err *err)
{
	struct talenom_rq rq = { .what = "change product", .method = "PUT", .is_write = true };
	struct http_reply reply;
	rq.path = talenom_sales(tn, tn->opt->products_path, (struct talenom_part) { "/", p->id },
				none);
	return talenom_write_product(tn->at->arena, p, &rq.body, err) &&
	       talenom_do(tn, &rq, &reply, err);
}

/* ---- contacts ------------------------------------------------------------------------------ */

bool talenom_contact_find(struct talenom *tn, const char *external_id, struct talenom_contact *ret,
			  bool *ret_found, struct err *err)
{
	const struct talenom_part by = { by_external_id(tn, '?'), external_id };
	const struct json *list;
	*ret_found = false;
	if (!by.before)
		return full(err);
	if (!talenom_list(tn, "find contact", talenom_sales(tn, tn->opt->contacts_path, by, none),
			  &list, err))
		return false;
	for (const struct json *j = json_first(list); j && !*ret_found; j = json_next(j)) {
		if (!talenom_read_contact(tn->opt, j, ret, err))
			return false;
		*ret_found = str_eq(ret->values[TALENOM_EXTERNAL_ID], external_id);
	}
	return true;
}

bool talenom_contact_add(struct talenom *tn, const struct talenom_contact *c, const char **ret_id,
			 struct err *err)
{
	struct talenom_rq rq = { .what = "add contact", .method = "POST", .is_write = true };
	rq.path = talenom_sales(tn, tn->opt->contacts_path, none, none);
	return talenom_write_contact(tn, c, &rq.body, err) && write_for_id(tn, &rq, ret_id, err);
}

bool talenom_contact_change(struct talenom *tn, const struct talenom_contact *c, struct err *err)
{
	struct talenom_rq rq = { .what = "change contact", .method = "PUT", .is_write = true };
	struct http_reply reply;
	rq.path = talenom_sales(tn, tn->opt->contacts_path, (struct talenom_part) { "/", c->id },
				none);
	return talenom_write_contact(tn, c, &rq.body, err) && talenom_do(tn, &rq, &reply, err);
}

/* ---- invoices ------------------------------------------------------------------------------ */

bool talenom_invoices_by_external_id(struct talenom *tn, const char *external_id,
				     const struct talenom_invoice **ret, size_t *ret_n,
				     struct err *err)
{
	const struct talenom_part by = { by_external_id(tn, '?'), external_id };
	const struct json *list;
	size_t n = 0;
	if (!by.before)
		return full(err);
	if (!talenom_list(tn, "look up invoice",
			  talenom_sales(tn, tn->opt->invoices_path, by, none), &list, err))
		return false;
	struct talenom_invoice *found = arena_alloc_array(tn->at->arena, json_size(list) + 1,
							  sizeof(*found));
	if (!found)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		if (!talenom_read_invoice(tn->opt, j, &found[n], err))
			return false;
		/* One that does not name our id is not what was asked for. */
		n += strcmp(found[n].external_id, external_id) == 0;
	}
	*ret = found;
	*ret_n = n;
	return true;
}

bool talenom_invoice(struct talenom *tn, const char *id, struct talenom_invoice *ret,
		     struct err *err)
{
	const struct talenom_rq rq = { .what = "read invoice",
				       .method = "GET",
				       .path = talenom_sales(tn, tn->opt->invoices_path,
							     (struct talenom_part) { "/", id },
							     none) };
	const struct json *j;
	return talenom_json(tn, &rq, &j, err) && talenom_read_invoice(tn->opt, j, ret, err);
}

/* A write that answers with the invoice. */
static bool write_invoice(struct talenom *tn, const struct talenom_rq *rq,
			  struct talenom_invoice *ret, struct err *err)
{
	const struct json *j;
	if (!talenom_json(tn, rq, &j, err))
		return false;
	return talenom_read_invoice(tn->opt, j, ret, NULL) ? true : doubt(rq->what, err);
}

bool talenom_draft_add(struct talenom *tn, const char *contact_id, const char *external_id,
		       struct talenom_invoice *ret, struct err *err)
{
	const struct talenom_part of = { "?contactId=", contact_id };
	const struct talenom_part by = { by_external_id(tn, '&'), external_id };
	struct talenom_rq rq = { .what = "make draft", .method = "POST", .is_write = true };
	if (!by.before)
		return full(err);
	rq.path = talenom_sales(tn, tn->opt->invoices_path, of, by);
	return write_invoice(tn, &rq, ret, err);
}

bool talenom_content_put(struct talenom *tn, const char *id, struct span body,
			 struct talenom_invoice *ret, struct err *err)
{
	struct talenom_rq rq = {
		.what = "fill draft", .method = "PUT", .body = body, .is_write = true
	};
	rq.path = talenom_sales(tn, tn->opt->invoices_path, (struct talenom_part) { "/", id },
				none);
	return write_invoice(tn, &rq, ret, err);
}

bool talenom_approve(struct talenom *tn, const char *id, struct talenom_invoice *ret,
		     struct err *err)
{
	struct talenom_rq rq = { .what = "approve invoice", .method = "POST", .is_write = true };
	rq.path = talenom_sales(tn, tn->opt->invoices_path, (struct talenom_part) { "/", id },
				(struct talenom_part) { tn->opt->approve_path, NULL });
	if (!write_invoice(tn, &rq, ret, err))
		return false;
	return ret->is_approved
		       ? true
		       : err_set(err, ERR_DOUBT, "%s: the answer is an invoice in the state %s",
				 rq.what, ret->status);
}

bool talenom_set_paid(struct talenom *tn, const char *id, const char *paid_date, struct err *err)
{
	struct talenom_rq rq = { .what = "tell payment state", .method = "PUT", .is_write = true };
	struct strbuf sb = STRBUF_INIT(tn->at->arena, 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct http_reply reply;
	rq.path = talenom_sales(tn, tn->opt->invoices_path, (struct talenom_part) { "/", id },
				(struct talenom_part) { tn->opt->payment_path, NULL });
	jsonw_object(&w);
	jsonw_kstr(&w, "state", paid_date ? "Paid" : "Open");
	jsonw_kstr(&w, "paidDate", paid_date);
	jsonw_end_object(&w);
	return talenom_finish(&sb, &rq.body, err) && talenom_do(tn, &rq, &reply, err);
}

/* ---- vouchers ------------------------------------------------------------------------------ */

bool talenom_voucher_add(struct talenom *tn, struct span body, const char **ret_id, struct err *err)
{
	struct talenom_rq rq = {
		.what = "post voucher", .method = "POST", .body = body, .is_write = true
	};
	const struct json *j;
	rq.path = arena_printf(tn->at->arena, "%s/%s", tn->opt->ledger_path, tn->organization);
	if (!talenom_json(tn, &rq, &j, err))
		return false;
	*ret_id = talenom_text(json_first(j), "voucherId");
	return (*ret_id)[0] ? true : doubt(rq.what, err);
}

struct voucher_list {
	struct talenom_voucher *vouchers;
	size_t n, cap;
};

/* Of a page, those that name the invoice. */
static bool take_page(struct talenom *tn, const struct json *results, const char *number,
		      struct voucher_list *list, struct err *err)
{
	for (const struct json *j = json_first(results); j; j = json_next(j)) {
		if (strcmp(talenom_text(j, "invoiceNumber"), number) != 0)
			continue;
		if (list->n == list->cap) {
			size_t cap = list->cap ? 2 * list->cap : 4;
			struct talenom_voucher *more = arena_alloc_array(tn->at->arena, cap,
									 sizeof(*more));
			if (!more)
				return full(err);
			if (list->vouchers)
				memcpy(more, list->vouchers, list->n * sizeof(*more));
			list->vouchers = more;
			list->cap = cap;
		}
		if (!talenom_read_voucher(tn, j, &list->vouchers[list->n++], err))
			return false;
	}
	return true;
}

static bool get_page(struct talenom *tn, const struct talenom_days *days, int page,
		     const struct json **ret, int64_t *ret_pages, struct err *err)
{
	struct talenom_rq rq = { .what = "look up vouchers", .method = "GET" };
	struct err inner = ERR_INIT;
	rq.path = arena_printf(tn->at->arena,
			       "%s/%s?dateFrom=%s&dateTo=%s&category=" TALENOM_CATEGORY
			       "&includePostings=true&pageIndex=%d&pageSize=%d",
			       tn->opt->ledger_path, tn->organization, days->from, days->to, page,
			       tn->opt->page);
	if (!talenom_json(tn, &rq, ret, &inner)) {
		if (inner.code == ERR_NOT_FOUND) /* a list is empty, never missing */
			inner.code = ERR_SYSTEM;
		if (err)
			*err = inner;
		return false;
	}
	*ret = json_type(*ret) == JSON_OBJECT ? *ret : NULL;
	if (json_type(json_get(*ret, "results")) == JSON_ARRAY &&
	    json_int64(json_get(*ret, "pageCount"), ret_pages))
		return true;
	return err_set(err, ERR_OUTAGE, "%s: the answer has no list", rq.what);
}

bool talenom_vouchers(struct talenom *tn, const char *invoice_number,
		      const struct talenom_days *days, const struct talenom_voucher **ret,
		      size_t *ret_n, struct err *err)
{
	struct voucher_list list = { 0 };
	int64_t pages = 1;
	for (int page = 0; page < pages; page++) {
		const struct json *answer;
		if (page == PAGES_MAX)
			return err_set(err, ERR_SYSTEM, "Talenom's pages do not end");
		if (!get_page(tn, days, page, &answer, &pages, err) ||
		    !take_page(tn, json_get(answer, "results"), invoice_number, &list, err))
			return false;
	}
	*ret = list.vouchers;
	*ret_n = list.n;
	return true;
}
