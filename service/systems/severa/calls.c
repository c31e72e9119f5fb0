/*
 * calls.c: one call and the error model of Severa's REST API, and the calls of invoices: rows
 * and files (facts/severa.md §2, 3). Judges by net/verdict.h; adds only what Severa's own words
 * and the login's answers mean.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "model/media.h"
#include "net/verdict.h"

#define QUOTA_WINDOW_MS 1000 /* "10 per 1s" (§2.6); Retry-After comes only sometimes */

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- one call ------------------------------------------------------------------------------ */

/* What an ExceptionModel says (§2.5), in its own form or the flat one. */
struct exception {
	const char *type; /* "" when the body is none */
	struct span words; /* the message, else the type, else the body as it is */
};

static struct exception read_exception(struct arena *arena, const struct http_reply *reply)
{
	struct exception x = { "", reply->body };
	const struct json *j;
	if (!json_parse(arena, reply->body, JSON_LIMITS_VENDOR, &j, NULL))
		return x;
	const struct json *model = json_get(j, "error") ? json_get(j, "error") : j;
	const char *type = json_str(json_get(model, "type"));
	const char *text = json_str(json_get(json_first(json_get(model, "details")), "message"));
	if (!text)
		text = json_str(json_get(model, "message"));
	if (type)
		x.type = type;
	if (text || type)
		x.words = span_of(text ? text : type);
	return x;
}

const char *severa_error_type(struct arena *arena, const struct http_reply *reply)
{
	return read_exception(arena, reply).type;
}

/* Which status goes with a type is not documented but for one; where they differ, these types say
 * more than the status. */
static enum verdict by_type(const char *type, enum verdict by_status, bool is_write)
{
	static const struct {
		const char *type;
		enum verdict verdict;
	} types[] = {
		{ "AuthenticationRequired", VERDICT_CREDENTIALS },
		{ "InsufficientApiScope", VERDICT_CREDENTIALS },
		{ "TermsOfServiceNotApproved", VERDICT_CREDENTIALS },
		{ "OrganizationNotActive", VERDICT_CREDENTIALS },
		{ "TrialExpired", VERDICT_CREDENTIALS },
		{ "InternalSystemError", VERDICT_OUTAGE },
		{ "InvalidApiVersion", VERDICT_FAULT },
		{ "HttpsRequired", VERDICT_FAULT },
	};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].type, type) != 0)
			continue;
		if (types[i].verdict == VERDICT_OUTAGE && is_write)
			return VERDICT_DOUBT;
		return types[i].verdict;
	}
	return by_status;
}

static bool is_html(const struct http_reply *reply)
{
	return strncasecmp(reply->content_type, "text/html", 9) == 0;
}

static enum verdict judge(const struct severa_rq *rq, const struct http_reply *reply,
			  const char *type, bool is_login)
{
	enum verdict v = verdict_of_status(reply, rq->is_write);
	if (v == VERDICT_OK)
		return v;
	v = by_type(type, v, rq->is_write);
	if (is_login && v == VERDICT_BAD_DATA)
		return VERDICT_CREDENTIALS; /* a refused login may be 400 (§1.3) */
	if (v != VERDICT_NOT_FOUND)
		return v;
	/* Not a document that is gone: no such address, or a page of whoever stands before Severa.
	 */
	if (is_login)
		return VERDICT_FAULT;
	return is_html(reply) ? VERDICT_OUTAGE : v;
}

bool severa_judge(const struct severa_rq *rq, struct arena *arena, const struct http_reply *reply,
		  bool is_login, struct err *err)
{
	if (verdict_of_status(reply, rq->is_write) == VERDICT_OK)
		return true;
	struct exception x = read_exception(arena, reply);
	enum verdict v = judge(rq, reply, x.type, is_login);
	verdict_to_err(v, reply, x.words, rq->what, err);
	if (err && v == VERDICT_CREDENTIALS) {
		err->reason = "credentials_refused";
		snprintf(err->subject, sizeof(err->subject), "Severa");
	}
	if (err && v == VERDICT_QUOTA && err->retry_after_ms < 0)
		err->retry_after_ms = QUOTA_WINDOW_MS;
	return false;
}

bool severa_get(struct severa *s, const char *what, const char *path, const struct json **ret,
		struct http_reply *ret_reply, struct err *err)
{
	struct severa_rq rq = { .what = what, .method = "GET", .path = path };
	struct http_reply reply;
	if (!path)
		return full(err);
	if (!severa_do(s, &rq, &reply, err) ||
	    !verdict_json(s->at->arena, &reply, false, what, ret, err))
		return false;
	if (ret_reply)
		*ret_reply = reply;
	return true;
}

bool severa_get_seen(struct severa *s, const char *what, const char *path, const struct json **ret,
		     struct err *err)
{
	struct http_reply reply;
	if (!severa_get(s, what, path, ret, &reply, err))
		return false;
	s->at->ops->seen(s->at, reply.body);
	return true;
}

const char *severa_path(struct severa *s, const char *pattern, const char *value)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, 16 << 10);
	const char *mark = pattern ? strstr(pattern, "{}") : NULL;
	const char *ret;
	if (!mark)
		return NULL;
	strbuf_add(&sb, pattern, (size_t)(mark - pattern));
	strbuf_add_urlencoded(&sb, value);
	strbuf_addstr(&sb, mark + 2);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

/* ---- invoices ------------------------------------------------------------------------------ */

struct invoice_pages {
	severa_page_fn page;
	void *ctx;
};

static bool map_page(struct severa *paged, void *ctx, const struct severa_rows *rows,
		     struct err *err)
{
	const struct invoice_pages *pages = ctx;
	struct arena *arena = paged->at->arena;
	struct invoice *items = arena_alloc_array(arena, rows->n + 1, sizeof(*items));
	if (!items)
		return full(err);
	for (size_t i = 0; i < rows->n; i++)
		if (!severa_map_listed(arena, rows->items[i], &items[i], err))
			return false;
	return pages->page(pages->ctx, items, rows->n, err);
}

bool severa_invoices(struct severa *s, const char *status_id, const char *changed_since,
		     severa_page_fn page, void *ctx, struct err *err)
{
	struct invoice_pages pages = { page, ctx };
	struct severa_list list = { .what = "list invoices of a status",
				    .paging = SEVERA_BY_TOKEN,
				    .path = "/v1/invoices?invoiceStatusGuids={}" };
	if (!status_id) {
		list.what = "list changed invoices";
		list.path = severa_path(s, "/v1/invoices?changedSince={}", changed_since);
		return severa_each_page(s, &list, map_page, &pages, err);
	}
	if (changed_since)
		list.path = severa_path(s, "/v1/invoices?changedSince={}&invoiceStatusGuids={}",
					changed_since);
	list.path = severa_path(s, list.path, status_id);
	return severa_each_page(s, &list, map_page, &pages, err);
}

bool severa_invoice(struct severa *s, const char *id, struct invoice *ret, struct err *err)
{
	const struct json *j;
	const char *path = severa_path(s, "/v1/invoices/{}", id);
	return severa_get_seen(s, "read invoice", path, &j, err) &&
	       severa_map_invoice(s->at->arena, j, ret, err);
}

struct row_pages {
	severa_row_fn row;
	void *ctx;
};

static bool row_page(struct severa *paged, void *ctx, const struct severa_rows *rows,
		     struct err *err)
{
	const struct row_pages *pages = ctx;
	(void)paged; /* nothing is kept of a page */
	for (size_t i = 0; i < rows->n; i++) {
		const char *invoice = json_text(json_get(rows->items[i], "invoiceGuid"));
		const char *changed = json_str(json_get(rows->items[i], "lastUpdatedDateTime"));
		if (invoice && changed && !pages->row(pages->ctx, invoice, changed, err))
			return false;
	}
	return true;
}

bool severa_changed_rows(struct severa *s, const char *since, severa_row_fn row, void *ctx,
			 struct err *err)
{
	struct row_pages pages = { row, ctx };
	struct severa_list list = { .what = "list changed invoice rows",
				    .paging = SEVERA_BY_TOKEN,
				    .path = severa_path(s, "/v1/invoicerows?changedSince={}",
							since) };
	return severa_each_page(s, &list, row_page, &pages, err);
}

static int by_position(const void *a, const void *b)
{
	const struct invoice_row *x = a, *y = b;
	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return strcmp(x->source_id, y->source_id);
}

bool severa_invoice_rows(struct severa *s, struct invoice *inv, struct err *err)
{
	struct severa_list list = { .what = "read invoice rows",
				    .paging = SEVERA_BY_TOKEN,
				    .is_seen = true,
				    .path = severa_path(s, "/v1/invoices/{}/invoicerows",
							inv->source_id) };
	struct severa_rows found;
	inv->n_rows = 0;
	if (!severa_all(s, &list, &found, err))
		return false;
	struct invoice_row *rows = arena_alloc_array(s->at->arena, found.n + 1, sizeof(*rows));
	if (!rows)
		return full(err);
	for (size_t i = 0; i < found.n; i++)
		if (!severa_map_row(s->at->arena, found.items[i], &rows[i], err))
			return false;
	qsort(rows, found.n, sizeof(*rows), by_position);
	for (size_t i = 0; i < found.n; i++)
		rows[i].position = (int64_t)i + 1;
	inv->rows = rows;
	inv->n_rows = found.n;
	return true;
}

static bool get_bytes(struct severa *s, const char *what, const char *path, size_t max_bytes,
		      struct attachment *ret, struct err *err)
{
	struct severa_rq rq = {
		.what = what, .method = "GET", .path = path, .is_raw = true, .max_bytes = max_bytes
	};
	struct http_reply reply;
	if (!path)
		return full(err);
	struct err inner = ERR_INIT;
	if (!severa_do(s, &rq, &reply, &inner)) {
		if (inner.code == ERR_LIMIT)
			return err_reason(err, ERR_DATA, "attachment_too_large", ret->name,
					  "%s is larger than %zu bytes", ret->name, max_bytes);
		if (err)
			*err = inner;
		return false;
	}
	const char *told = ret->mime_type && ret->mime_type[0] ? ret->mime_type
							       : reply.content_type;
	ret->data = reply.body;
	ret->mime_type = media_type_of(s->at->arena, told, ret->name, reply.body);
	return ret->mime_type ? true : full(err);
}

/* The invoice's own image. An error page in its place is no attachment to be left out. */
static bool get_pdf(struct severa *s, const char *id, size_t max_bytes, struct attachment *ret,
		    struct err *err)
{
	static const char what[] = "read invoice PDF";
	/* InvoiceOnly: the attachments travel on their own, each once. */
	const char *path = severa_path(s, "/v1/invoices/{}/pdf?pdfGetOptions=InvoiceOnly", id);
	if (!get_bytes(s, what, path, max_bytes, ret, err))
		return false;
	if (media_is_pdf(ret->data))
		return true;
	err_set(err, ERR_OUTAGE, "%s: the answer is no PDF", what);
	if (err)
		err_target_text(err, ret->data);
	return false;
}

bool severa_invoice_files(struct severa *s, struct invoice *inv, size_t max_bytes,
			  bool (*wanted)(const struct attachment *file), struct err *err)
{
	struct arena *arena = s->at->arena;
	const char *id = inv->source_id;
	struct severa_list list = { .what = "list files of the invoice",
				    .paging = SEVERA_BY_ROW,
				    .is_seen = true,
				    .path = severa_path(s, "/v1/invoices/{}/files", id) };
	struct severa_rows found;
	if (!severa_all(s, &list, &found, err))
		return false;
	struct attachment *files = arena_alloc_array(arena, found.n + 1, sizeof(*files));
	size_t n = 0;
	if (!files)
		return full(err);
	files[n].name = arena_printf(arena, "%s.pdf", inv->number ? inv->number : "invoice");
	files[n].mime_type = "application/pdf";
	files[n].description = "Invoice";
	if (!files[n].name)
		return full(err);
	if (!get_pdf(s, id, max_bytes, &files[n], err))
		return false;
	n++;
	for (size_t i = 0; i < found.n; i++) {
		const struct json *j = found.items[i];
		bool is_internal = false;
		const char *file_id = json_text(json_get(j, "fileGuid"));
		if ((json_bool(json_get(j, "isInternal"), &is_internal) && is_internal) || !file_id)
			continue;
		const char *description = json_str(json_get(j, "description"));
		const char *name = json_str(json_get(j, "name"));
		files[n].name = name && name[0] ? name : file_id;
		files[n].mime_type = json_str(json_get(j, "contentType"));
		files[n].description = description && description[0] ? description : files[n].name;
		if (wanted(&files[n]) &&
		    !get_bytes(s, "read file of the invoice",
			       severa_path(s, "/v1/files/{}/filedata", file_id), max_bytes,
			       &files[n], err))
			return false;
		n++;
	}
	inv->attachments = files;
	inv->n_attachments = n;
	return true;
}
