/*
 * calls.c: the calls of Severa's REST API that flows need (facts/severa.md §2 to 6): both paging
 * styles, the error model, registers through the cache. Judges by net/verdict.h; adds only what the
 * login's own answers mean.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "base/clock.h"
#include "net/verdict.h"

#define REGISTER_TTL_MS (15 * 60 * 1000)
#define STATUS_TTL_MS (60 * 1000)
#define PAGES_MAX 10000

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- one call ------------------------------------------------------------------------------ */

/* The message of an ExceptionModel, or the flat form, or the body as it is (§2.5). */
static struct span vendor_words(struct arena *arena, const struct http_reply *reply)
{
	const struct json *j;
	if (!json_parse(arena, reply->body, JSON_LIMITS_VENDOR, &j, NULL))
		return reply->body;
	const struct json *detail = json_first(json_at(j, "error.details"));
	const char *text = json_str(json_get(detail, "message"));
	if (!text)
		text = json_str(json_get(j, "message"));
	if (!text)
		text = json_str(json_at(j, "error.type"));
	return text ? span_of(text) : reply->body;
}

bool severa_judge(const struct severa_rq *rq, struct arena *arena, const struct http_reply *reply,
		  bool is_login, struct err *err)
{
	enum verdict v = verdict_of_status(reply, rq->is_write);
	if (v == VERDICT_OK)
		return true;
	if (is_login && v == VERDICT_BAD_DATA)
		v = VERDICT_CREDENTIALS; /* a refused login may be 400 (§1.3) */
	verdict_to_err(v, reply, vendor_words(arena, reply), rq->what, err);
	if (err && v == VERDICT_CREDENTIALS) {
		err->reason = "credentials_refused";
		snprintf(err->subject, sizeof(err->subject), "Severa");
	}
	return false;
}

static bool parse_reply(struct severa *s, const char *what, const struct http_reply *reply,
			bool is_write, const struct json **ret, struct err *err)
{
	if (json_parse(s->at->arena, reply->body, JSON_LIMITS_VENDOR, ret, NULL))
		return true;
	return verdict_to_err(is_write ? VERDICT_DOUBT : VERDICT_OUTAGE, reply, reply->body, what,
			      err);
}

bool severa_get(struct severa *s, const char *what, const char *path, const struct json **ret,
		struct http_reply *ret_reply, struct err *err)
{
	struct severa_rq rq = { .what = what, .method = "GET", .path = path };
	struct http_reply reply;
	if (!path)
		return full(err);
	if (!severa_do(s, &rq, &reply, err) || !parse_reply(s, what, &reply, false, ret, err))
		return false;
	if (ret_reply)
		*ret_reply = reply;
	return true;
}

/* A document or register record: its bytes decide whether a needs_data transfer is tried again. */
static bool get_seen(struct severa *s, const char *what, const char *path, const struct json **ret,
		     struct err *err)
{
	struct http_reply reply;
	if (!severa_get(s, what, path, ret, &reply, err))
		return false;
	s->at->ops->seen(s->at, reply.body);
	return true;
}

bool severa_get_cached(struct severa *s, const char *what, const char *path, int64_t ttl_ms,
		       const struct json **ret, struct err *err)
{
	struct attempt *at = s->at;
	struct http_reply reply;
	const char *key = path ? arena_printf(at->arena, "%s:%s", s->token_key, path) : NULL;
	if (!key)
		return full(err);
	const char *cached = at->ops->cache_get(at, key);
	if (cached && json_parse(at->arena, span_of(cached), JSON_LIMITS_VENDOR, ret, NULL))
		return true;
	if (!severa_get(s, what, path, ret, &reply, err))
		return false;
	const char *text = arena_memdup(at->arena, reply.body.p, reply.body.n);
	if (text)
		at->ops->cache_set(at, key, text, ttl_ms);
	return true;
}

static const char *encoded(struct severa *s, const char *text)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, 4096);
	const char *ret;
	strbuf_add_urlencoded(&sb, text);
	return strbuf_finish(&sb, &ret, NULL) ? ret : "";
}

/* ---- invoices ------------------------------------------------------------------------------ */

static bool map_page(struct severa *s, const struct json *list, struct invoice **ret, size_t *ret_n,
		     struct err *err)
{
	size_t n = 0;
	struct invoice *items = arena_alloc_array(s->at->arena, json_size(list) + 1,
						  sizeof(*items));
	if (!items)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (!severa_map_invoice(s->at->arena, j, &items[n++], err))
			return false;
	*ret = items;
	*ret_n = n;
	return true;
}

/* Next page's path of a style T list, NULL at the end (§2.2). */
static const char *next_path(struct severa *s, const char *base, const struct http_reply *reply)
{
	const char *token = http_reply_header(reply, "nextpagetoken");
	if (!token || !token[0])
		return NULL;
	return arena_printf(s->at->arena, "%s&pageToken=%s", base, encoded(s, token));
}

bool severa_invoices(struct severa *s, const char *status_id, const char *changed_since,
		     severa_page_fn page, void *ctx, struct err *err)
{
	const char *base = arena_printf(
		s->at->arena, "/v1/invoices?invoiceStatusGuids=%s&rowCount=%d%s%s",
		encoded(s, status_id), s->opt->page, changed_since ? "&changedSince=" : "",
		changed_since ? encoded(s, changed_since) : "");
	const char *path = base;
	if (!base)
		return full(err);
	for (unsigned i = 0; path; i++) {
		const struct json *list;
		struct http_reply reply;
		struct invoice *items = NULL;
		size_t n = 0;
		if (i == PAGES_MAX)
			return err_set(err, ERR_SYSTEM, "list of invoices does not end");
		if (!severa_get(s, "list invoices of a status", path, &list, &reply, err) ||
		    !map_page(s, list, &items, &n, err) || !page(ctx, items, n, err))
			return false;
		path = next_path(s, base, &reply);
	}
	return true;
}

bool severa_invoice(struct severa *s, const char *id, struct invoice *ret, struct err *err)
{
	const struct json *j;
	const char *path = arena_printf(s->at->arena, "/v1/invoices/%s", encoded(s, id));
	return get_seen(s, "read invoice", path, &j, err) &&
	       severa_map_invoice(s->at->arena, j, ret, err);
}

static int by_position(const void *a, const void *b)
{
	const struct invoice_row *x = a, *y = b;
	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return strcmp(x->source_id, y->source_id);
}

static bool append_rows(struct severa *s, struct invoice *inv, const struct json *list,
			struct err *err)
{
	size_t n = inv->n_rows;
	struct invoice_row *rows = arena_alloc_array(s->at->arena, n + json_size(list) + 1,
						     sizeof(*rows));
	if (!rows)
		return full(err);
	if (n)
		memcpy(rows, inv->rows, n * sizeof(*rows));
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (!severa_map_row(s->at->arena, j, &rows[n++], err))
			return false;
	inv->rows = rows;
	inv->n_rows = n;
	return true;
}

bool severa_invoice_rows(struct severa *s, struct invoice *inv, struct err *err)
{
	const char *base = arena_printf(s->at->arena, "/v1/invoices/%s/invoicerows?rowCount=%d",
					encoded(s, inv->source_id), s->opt->page);
	const char *path = base;
	inv->n_rows = 0;
	if (!base)
		return full(err);
	for (unsigned i = 0; path; i++) {
		const struct json *list;
		struct http_reply reply;
		if (i == PAGES_MAX)
			return err_set(err, ERR_SYSTEM, "list of rows does not end");
		if (!severa_get(s, "read invoice rows", path, &list, &reply, err) ||
		    !append_rows(s, inv, list, err))
			return false;
		s->at->ops->seen(s->at, reply.body);
		path = next_path(s, base, &reply);
	}
	if (inv->n_rows)
		qsort(inv->rows, inv->n_rows, sizeof(*inv->rows), by_position);
	for (size_t i = 0; i < inv->n_rows; i++)
		inv->rows[i].position = (int64_t)i + 1;
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
	ret->data = reply.body;
	if (!ret->mime_type)
		ret->mime_type = reply.content_type;
	return true;
}

bool severa_invoice_files(struct severa *s, struct invoice *inv, size_t max_bytes, struct err *err)
{
	struct arena *arena = s->at->arena;
	const struct json *list;
	const char *id = encoded(s, inv->source_id);
	const char *path = arena_printf(arena, "/v1/invoices/%s/files?firstRow=0&rowCount=100", id);
	if (!get_seen(s, "list files of the invoice", path, &list, err))
		return false;
	struct attachment *files = arena_alloc_array(arena, json_size(list) + 1, sizeof(*files));
	size_t n = 0;
	if (!files)
		return full(err);
	files[n].name = arena_printf(arena, "%s.pdf", inv->number ? inv->number : "invoice");
	files[n].mime_type = "application/pdf";
	files[n].description = "Invoice";
	/* InvoiceOnly: the attachments travel on their own, each once. */
	if (!files[n].name ||
	    !get_bytes(s, "read invoice PDF",
		       arena_printf(arena, "/v1/invoices/%s/pdf?pdfGetOptions=InvoiceOnly", id),
		       max_bytes, &files[n], err))
		return files[n].name ? false : full(err);
	n++;
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		bool is_internal = false;
		const char *file_id = json_text(json_get(j, "fileGuid"));
		if ((json_bool(json_get(j, "isInternal"), &is_internal) && is_internal) || !file_id)
			continue;
		const char *description = json_str(json_get(j, "description"));
		files[n].name = json_str(json_get(j, "name"));
		files[n].mime_type = json_str(json_get(j, "contentType"));
		files[n].description = description && description[0] ? description : files[n].name;
		if (!get_bytes(s, "read file of the invoice",
			       arena_printf(arena, "/v1/files/%s/filedata", encoded(s, file_id)),
			       max_bytes, &files[n], err))
			return false;
		n++;
	}
	inv->attachments = files;
	inv->n_attachments = n;
	return true;
}

/* ---- statuses ------------------------------------------------------------------------------ */

bool severa_statuses(struct severa *s, const struct severa_status **ret, size_t *ret_n,
		     struct err *err)
{
	const struct json *list;
	if (!severa_get_cached(s, "read invoice statuses",
			       "/v1/invoicestatuses?firstRow=0&rowCount=100", STATUS_TTL_MS, &list,
			       err))
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

static bool patch_body(struct severa *s, bool as_object, const char *status_id, struct span *ret,
		       struct err *err)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_kstr(&w, "op", "Replace");
	jsonw_kstr(&w, "path", as_object ? "/status" : "/status/guid");
	jsonw_key(&w, "value");
	if (as_object)
		jsonw_object(&w);
	if (as_object)
		jsonw_kstr(&w, "guid", status_id);
	else
		jsonw_str(&w, status_id);
	if (as_object)
		jsonw_end_object(&w);
	jsonw_end_object(&w);
	jsonw_end_array(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

/* The answer is an array of the changed objects, or one object (§2.4). */
static bool has_status(const struct json *j, const char *status_id)
{
	const struct json *invoice = json_type(j) == JSON_ARRAY ? json_first(j) : j;
	const char *id = json_text(json_at(invoice, "status.guid"));
	return id && strcasecmp(id, status_id) == 0;
}

static bool patch_status(struct severa *s, bool as_object, const char *invoice_id,
			 const char *status_id, struct err *err)
{
	struct severa_rq rq = { .what = "set invoice status", .method = "PATCH", .is_write = true };
	struct http_reply reply;
	const struct json *j;
	rq.path = arena_printf(s->at->arena, "/v1/invoices/%s", encoded(s, invoice_id));
	if (!rq.path)
		return full(err);
	if (!patch_body(s, as_object, status_id, &rq.body, err) ||
	    !severa_do(s, &rq, &reply, err) || !parse_reply(s, rq.what, &reply, true, &j, err))
		return false;
	if (has_status(j, status_id))
		return true;
	return verdict_to_err(VERDICT_DOUBT, &reply, SPAN_LIT(""), rq.what, err);
}

bool severa_set_status(struct severa *s, const char *invoice_id, const char *status_id,
		       struct err *err)
{
	struct attempt *at = s->at;
	struct err inner = ERR_INIT;
	const char *key = arena_printf(at->arena, "severa.patch:%s", s->base_url);
	if (!key)
		return full(err);
	/* Which of the two forms the server takes is not documented (§3.6): what worked is kept. */
	bool as_object = str_eq(at->ops->cache_get(at, key), "object");
	if (!patch_status(s, as_object, invoice_id, status_id, &inner)) {
		if (inner.code != ERR_DATA || inner.upstream_status != 400 ||
		    !patch_status(s, !as_object, invoice_id, status_id, NULL)) {
			if (err)
				*err = inner;
			return false;
		}
		as_object = !as_object;
	}
	at->ops->cache_set(at, key, as_object ? "object" : "guid", REGISTER_TTL_MS);
	return true;
}

/* ---- registers ----------------------------------------------------------------------------- */

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
	const struct json *list;
	*ret = NULL;
	if (!name || !name[0])
		return true;
	if (!severa_get_cached(s, "read countries", "/v1/localization/countries", REGISTER_TTL_MS,
			       &list, err))
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
	const struct json *list;
	const char *path = arena_printf(s->at->arena,
					"/v1/customers/%s/addresses?firstRow=0&rowCount=100",
					encoded(s, c->source_id));
	bool has_billing = false, has_postal = false;
	if (!get_seen(s, "read addresses of the customer", path, &list, err))
		return false;
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
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
	const char *path = arena_printf(s->at->arena, "/v1/customers/%s", encoded(s, id));
	if (!get_seen(s, "read customer", path, &j, err) || !severa_map_customer(j, ret, err) ||
	    !add_addresses(s, ret, err))
		return false;
	ret->business_id = business_id_from(s->at->arena, ret->vat_number);
	return true;
}

bool severa_product(struct severa *s, const char *code, struct product *ret, bool *ret_found,
		    struct err *err)
{
	static const struct {
		const char *path, *name;
	} registers[] = { { "/v1/products?code=%s&rowCount=100", "product" },
			  { "/v1/worktypes?code=%s&firstRow=0&rowCount=100", "work type" },
			  { "/v1/travelexpensetypes?code=%s&firstRow=0&rowCount=100",
			    "travel expense type" } };
	const char *wanted = encoded(s, code);
	*ret_found = false;
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		struct strbuf sb = STRBUF_INIT(s->at->arena, 4096);
		const char *path, *mark = strstr(registers[i].path, "%s");
		const struct json *list;
		strbuf_add(&sb, registers[i].path, (size_t)(mark - registers[i].path));
		strbuf_addstr(&sb, wanted);
		strbuf_addstr(&sb, mark + 2);
		if (!strbuf_finish(&sb, &path, err) ||
		    !get_seen(s, "find product by code", path, &list, err))
			return false;
		for (const struct json *j = json_first(list); j; j = json_next(j)) {
			if (!severa_map_product(j, registers[i].name, ret, err))
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
	const char *path = arena_printf(s->at->arena, "/v1/projects/%s", encoded(s, id));
	return get_seen(s, "read project", path, &j, err) && severa_map_project(j, ret, err);
}
