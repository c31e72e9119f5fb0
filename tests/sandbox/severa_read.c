/*
 * severa_read.c: reading from the Severa stand-in: lists in both paging styles, single records,
 * files (facts/severa.md §2.2, 2.3, 3).
 *
 * A page token holds the place of the last row in order of creation, so rows that leave a filtered
 * list between two pages do not make others be skipped. Deliberately ignores unknown query
 * parameters, as the real one does.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "pdf.h"
#include "severa.h"

enum match {
	MATCH_ID, /* the text or number at the path equals one of the values */
	MATCH_BOOL,
	MATCH_CONTAINS, /* without case */
	MATCH_FROM, /* dates: at or after the value's date */
	MATCH_TO,
	MATCH_MIN, /* numbers */
	MATCH_MAX,
	MATCH_PROJECT, /* guid of one of the invoice's projects */
	MATCH_PROJECT_UNIT, /* business unit of one of the invoice's projects */
};

struct filter {
	const char *param;
	unsigned kinds; /* bit per kind; 0: any */
	enum match match;
	const char *path;
};

#define K(kind) (1u << (kind))

/* Beside those of list_filter below: changedSince, active, isActive, numbers, invoiceStatusGuids.
 */
static const struct filter filters[] = {
	{ "code", 0, MATCH_ID, "code" },
	{ "name", 0, MATCH_ID, "name" },
	{ "textToSearch", 0, MATCH_CONTAINS, "name" },
	{ "referenceNumbers", K(SEVERA_INVOICE), MATCH_ID, "referenceNumber" },
	{ "customerGuids", K(SEVERA_INVOICE) | K(SEVERA_PROJECT), MATCH_ID, "customer.guid" },
	{ "projectGuids", K(SEVERA_INVOICE), MATCH_PROJECT, NULL },
	{ "projectBusinessUnitGuids", K(SEVERA_INVOICE), MATCH_PROJECT_UNIT, NULL },
	{ "startDate", K(SEVERA_INVOICE), MATCH_FROM, "date" },
	{ "endDate", K(SEVERA_INVOICE), MATCH_TO, "date" },
	{ "paymentDateStart", K(SEVERA_INVOICE), MATCH_FROM, "paymentDate" },
	{ "minimumTotalExcludingTax", K(SEVERA_INVOICE), MATCH_MIN, "totalExcludingTax.amount" },
	{ "maximumTotalExcludingTax", K(SEVERA_INVOICE), MATCH_MAX, "totalExcludingTax.amount" },
	{ "rowType", K(SEVERA_ROW), MATCH_ID, "rowType" },
	{ "travelReimbursementStatusGuids", K(SEVERA_TRAVEL), MATCH_ID,
	  "travelReimbursementStatus.guid" },
	{ "emailAddresses", K(SEVERA_CUSTOMER), MATCH_ID, "email" },
	{ "customerNames", K(SEVERA_CUSTOMER), MATCH_ID, "name" },
	{ "vatNumber", K(SEVERA_CUSTOMER), MATCH_ID, "vatNumber" },
	{ "kvkNumber", K(SEVERA_CUSTOMER), MATCH_ID, "kvkNumber" },
	{ "isInternal", K(SEVERA_CUSTOMER), MATCH_BOOL, "isInternal" },
	{ "type", K(SEVERA_PRODUCT), MATCH_ID, "type" },
	{ "productive", K(SEVERA_WORK_TYPE), MATCH_BOOL, "isProductive" },
	{ "countryGuid", K(SEVERA_VAT_RATE), MATCH_ID, "countryGuid" },
	{ "isInvoiceLanguage", K(SEVERA_LANGUAGE), MATCH_BOOL, "isInvoiceLanguage" },
	{ "companyGuid", K(SEVERA_BUSINESS_UNIT), MATCH_ID, "companyGuid" },
	{ "companyGuid", K(SEVERA_BANK_ACCOUNT), MATCH_ID, "company.guid" },
	{ "businessUnitGuid", K(SEVERA_BANK_ACCOUNT), MATCH_ID, "businessUnit.guid" },
	{ "businessUnitGuids", K(SEVERA_PROJECT), MATCH_ID, "businessUnit.guid" },
	{ "projectGuids", K(SEVERA_PROJECT), MATCH_ID, "guid" },
	{ "projectGuids", K(SEVERA_PHASE), MATCH_ID, "project.guid" },
	{ "isClosed", K(SEVERA_PROJECT), MATCH_BOOL, "isClosed" },
	{ "internal", K(SEVERA_PROJECT), MATCH_BOOL, "isInternal" },
};

/* A list call's query, read once. */
struct list_filter {
	struct severa_call *sc;
	struct severa_tenant *t;
	int64_t changed_since_ms; /* 0: any */
	int active; /* -1: any */
	const struct filter *used[8];
	size_t n_used;
	bool by_number, by_status;
	struct arena *scratch; /* cleared for each doc */
};

static void bad_parameter(struct call *c, const char *name, const char *message)
{
	severa_error(c, 400, "InvalidParameter", message, "UriParameter", name);
}

static bool read_filter(struct severa_call *sc, struct list_filter *f)
{
	struct call *c = sc->c;
	*f = (struct list_filter) { .sc = sc, .t = sc->tenant, .active = -1 };
	const char *since = call_param(c, "changedSince");
	if (since && since[0] && !clock_parse_rfc3339(span_of(since), &f->changed_since_ms)) {
		bad_parameter(c, "changedSince", "The value is not a valid date and time.");
		return false;
	}
	const char *active = call_param(c, "isActive");
	if (!active)
		active = call_param(c, "active");
	if (active && active[0])
		f->active = strcasecmp(active, "true") == 0;
	f->by_number = call_param(c, "numbers") != NULL;
	f->by_status = sc->route->kind == SEVERA_INVOICE && call_param(c, "invoiceStatusGuids");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		if (filters[i].kinds && !(filters[i].kinds & K(sc->route->kind)))
			continue;
		if (call_param(c, filters[i].param) && f->n_used < ARRAY_SIZE(f->used))
			f->used[f->n_used++] = &filters[i];
	}
	f->scratch = f->n_used ? arena_new(16u << 20) : NULL;
	return true;
}

/* Some value of the repeated parameter is the text, without case. */
static bool some_value(const struct call *c, const char *name, const char *text)
{
	for (size_t i = 0; text && i < c->n_params; i++) {
		if (strcasecmp(c->params[i].name, name) == 0 &&
		    strcasecmp(c->params[i].value, text) == 0)
			return true;
	}
	return false;
}

static bool match_project(const struct list_filter *f, const struct filter *filter,
			  const struct json *invoice)
{
	const struct call *c = f->sc->c;
	const struct json *p = json_first(json_get(invoice, "projects"));
	for (; p; p = json_next(p)) {
		const char *guid = json_str(json_get(p, "guid"));
		if (filter->match == MATCH_PROJECT) {
			if (some_value(c, filter->param, guid))
				return true;
			continue;
		}
		const struct doc *project = severa_get_locked(f->t, SEVERA_PROJECT, guid);
		if (some_value(c, filter->param,
			       severa_text(f->scratch, project, "businessUnit.guid")))
			return true;
	}
	return false;
}

static bool match_number(const struct filter *filter, const char *value, const struct json *node)
{
	struct decimal limit, have;
	if (!decimal_parse(span_of(value), &limit))
		return true;
	if (!json_decimal(node, &have))
		return false;
	int order = decimal_cmp(have, limit);
	return filter->match == MATCH_MIN ? order >= 0 : order <= 0;
}

static bool match_date(const struct filter *filter, const char *value, const char *text)
{
	if (!text)
		return false;
	int order = strncmp(text, value, 10);
	return filter->match == MATCH_FROM ? order >= 0 : order <= 0;
}

static bool match_one(const struct list_filter *f, const struct filter *filter,
		      const struct json *j)
{
	const struct call *c = f->sc->c;
	const char *value = call_param(c, filter->param);
	const struct json *node = filter->path ? json_at(j, filter->path) : NULL;
	bool truth = false;
	switch (filter->match) {
	case MATCH_ID:
		return some_value(c, filter->param, json_text(node));
	case MATCH_BOOL:
		return json_bool(node, &truth) && truth == (strcasecmp(value, "true") == 0);
	case MATCH_CONTAINS:
		return json_str(node) && strcasestr(json_str(node), value);
	case MATCH_FROM:
	case MATCH_TO:
		return match_date(filter, value, json_str(node));
	case MATCH_MIN:
	case MATCH_MAX:
		return match_number(filter, value, node);
	case MATCH_PROJECT:
	case MATCH_PROJECT_UNIT:
		return match_project(f, filter, j);
	}
	return false;
}

static bool passes_number(const struct list_filter *f, const struct doc *doc)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, doc->number);
	return doc->number >= 0 && some_value(f->sc->c, "numbers", text);
}

static bool passes(const struct list_filter *f, const struct doc *doc)
{
	if (doc->changed_ms < f->changed_since_ms)
		return false;
	if (f->active >= 0 && doc->is_active != (f->active > 0))
		return false;
	if (f->by_status &&
	    !(doc->status && some_value(f->sc->c, "invoiceStatusGuids", doc->status->guid)))
		return false;
	if (f->by_number && !passes_number(f, doc))
		return false;
	if (!f->n_used)
		return true;
	if (!f->scratch)
		return false;
	const struct json *j = NULL;
	struct err err = ERR_INIT;
	arena_clear(f->scratch);
	struct json_limits limits = { 8u << 20, 32 };
	if (!json_parse(f->scratch, (struct span) { doc->json, doc->n }, limits, &j, &err))
		return false;
	for (size_t i = 0; i < f->n_used; i++) {
		if (!match_one(f, f->used[i], j))
			return false;
	}
	return true;
}

/* The page asked for. */
struct page {
	int64_t rows, first;
	uint64_t after_seq;
};

static bool read_page_token(struct call *c, struct page *page)
{
	const char *text = call_param(c, "pageToken");
	unsigned char plain[32];
	size_t n = 0;
	if (!text || !text[0])
		return true;
	if (!sign_unbase64(span_of(text), plain, sizeof(plain) - 1, &n) || n < 6 ||
	    memcmp(plain, "after:", 6) != 0) {
		bad_parameter(c, "pageToken", "The page token is not valid.");
		return false;
	}
	plain[n] = 0;
	page->after_seq = strtoull((const char *)plain + 6, NULL, 10);
	return true;
}

static bool read_page(struct severa_call *sc, struct page *page)
{
	const struct severa_route *route = sc->route;
	struct call *c = sc->c;
	*page = (struct page) { .rows = INT64_MAX };
	if (!route->paging)
		return true;
	if (!call_param_int(c, "rowCount", 20, &page->rows) || page->rows < 1) {
		bad_parameter(c, "rowCount", "The value must be a positive number.");
		return false;
	}
	if (page->rows > route->max_rows)
		page->rows = route->max_rows;
	if (route->paging == 'T')
		return read_page_token(c, page);
	if (!call_param_int(c, "firstRow", 0, &page->first)) {
		bad_parameter(c, "firstRow", "The value must be a number.");
		return false;
	}
	return true;
}

static void next_page_header(struct call *c, uint64_t after_seq)
{
	char *plain = arena_printf(c->arena, "after:%" PRIu64, after_seq);
	const char *token = plain ? sign_base64(c->arena, span_of(plain)) : NULL;
	if (token)
		reply_header(c, "NextPageToken", token);
}

/* Collects one page while docs are offered in order. */
struct collector {
	const struct list_filter *filter;
	struct page page;
	struct strbuf sb;
	int64_t skipped, taken;
	uint64_t last_seq;
	bool more;
};

/* False: enough. */
static bool offer(struct collector *col, const struct doc *doc)
{
	if (doc->seq <= col->page.after_seq || !passes(col->filter, doc))
		return true;
	if (col->skipped < col->page.first) {
		col->skipped++;
		return true;
	}
	if (col->taken == col->page.rows) {
		col->more = true;
		return false;
	}
	if (col->taken++)
		strbuf_addch(&col->sb, ',');
	strbuf_add(&col->sb, doc->json, doc->n);
	col->last_seq = doc->seq;
	return true;
}

static void finish_list(struct severa_call *sc, struct collector *col)
{
	strbuf_addch(&col->sb, ']');
	if (sc->route->paging == 'T' && col->more)
		next_page_header(sc->c, col->last_seq);
	reply_json(sc->c, 200, &col->sb);
	arena_free(col->filter->scratch);
}

static bool start_list(struct severa_call *sc, struct list_filter *f, struct collector *col)
{
	*col = (struct collector) { .filter = f, .sb = call_strbuf(sc->c) };
	if (!read_page(sc, &col->page) || !read_filter(sc, f))
		return false;
	strbuf_addch(&col->sb, '[');
	return true;
}

/* First position in the list whose doc comes after seq. */
static size_t position_after(const struct doc_list *list, uint64_t seq)
{
	size_t lo = 0, hi = list->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (list->docs[mid]->seq <= seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void severa_list(struct severa_call *sc)
{
	struct list_filter f;
	struct collector col;
	if (!start_list(sc, &f, &col))
		return;
	pthread_mutex_lock(&sc->tenant->lock);
	const struct doc_list *list = &sc->tenant->kinds[sc->route->kind];
	for (size_t i = position_after(list, col.page.after_seq); i < list->n; i++) {
		if (!offer(&col, list->docs[i]))
			break;
	}
	pthread_mutex_unlock(&sc->tenant->lock);
	finish_list(sc, &col);
}

/* Of the kinds that are listed below another. */
static const enum severa_kind parent_kinds[SEVERA_KINDS] = {
	[SEVERA_ROW] = SEVERA_INVOICE,
	[SEVERA_WORK_HOUR] = SEVERA_INVOICE,
	[SEVERA_PROJECT_FEE] = SEVERA_INVOICE,
	[SEVERA_TRAVEL_EXPENSE] = SEVERA_INVOICE,
	[SEVERA_INVOICE_FILE] = SEVERA_INVOICE,
	[SEVERA_INVOICE_SETTINGS] = SEVERA_INVOICE,
	[SEVERA_COMMUNICATION] = SEVERA_CONTACT,
	[SEVERA_TRAVEL_LINE] = SEVERA_TRAVEL,
	[SEVERA_BILLING_CUSTOMER] = SEVERA_PROJECT,
	[SEVERA_ADDRESS] = SEVERA_CUSTOMER,
	[SEVERA_CONTACT] = SEVERA_CUSTOMER,
	[SEVERA_COUNTRY_SETTING] = SEVERA_CUSTOMER,
};

/* A credit note gives back what stood on the invoice, so its sources stand in lists of their own.
 */
static bool is_in_other_list(struct severa_call *sc, const struct doc *parent)
{
	if (sc->route->kind != SEVERA_WORK_HOUR && sc->route->kind != SEVERA_PROJECT_FEE &&
	    sc->route->kind != SEVERA_TRAVEL_EXPENSE)
		return false;
	return severa_is(sc->c->arena, parent, "isCreditNote") !=
	       (strstr(sc->route->pattern, "/reimbursed") != NULL);
}

void severa_list_children(struct severa_call *sc)
{
	struct list_filter f;
	struct collector col;
	enum severa_kind kind = sc->route->kind;
	if (!start_list(sc, &f, &col))
		return;
	pthread_mutex_lock(&sc->tenant->lock);
	const struct doc *parent = severa_get_locked(sc->tenant, parent_kinds[kind], sc->ids[0]);
	const struct doc *doc = parent ? parent->first_child : NULL;
	if (parent && is_in_other_list(sc, parent))
		doc = NULL;
	for (; doc; doc = doc->next_sibling) {
		if (doc->kind == kind && !offer(&col, doc))
			break;
	}
	pthread_mutex_unlock(&sc->tenant->lock);
	finish_list(sc, &col);
	if (!parent) {
		sc->c->reply.n_headers = 0;
		reply_empty(sc->c, 404);
	}
}

/* Copies under the lock; the answer is sent without it. */
static void reply_doc_locked(struct call *c, const struct doc *doc)
{
	if (!doc) {
		reply_empty(c, 404);
		return;
	}
	char *copy = arena_memdup(c->arena, doc->json, doc->n);
	if (copy)
		reply_bytes(c, 200, "application/json; charset=utf-8",
			    (struct span) { copy, doc->n });
}

void severa_get(struct severa_call *sc)
{
	pthread_mutex_lock(&sc->tenant->lock);
	reply_doc_locked(sc->c, severa_get_locked(sc->tenant, sc->route->kind, sc->ids[0]));
	pthread_mutex_unlock(&sc->tenant->lock);
}

void severa_get_only(struct severa_call *sc)
{
	pthread_mutex_lock(&sc->tenant->lock);
	const struct doc_list *list = &sc->tenant->kinds[sc->route->kind];
	reply_doc_locked(sc->c, list->n ? list->docs[0] : NULL);
	pthread_mutex_unlock(&sc->tenant->lock);
}

void severa_get_child(struct severa_call *sc)
{
	enum severa_kind kind = sc->route->kind;
	pthread_mutex_lock(&sc->tenant->lock);
	const struct doc *parent = severa_get_locked(sc->tenant, parent_kinds[kind], sc->ids[0]);
	const struct doc *doc = parent ? parent->first_child : NULL;
	while (doc && doc->kind != kind)
		doc = doc->next_sibling;
	reply_doc_locked(sc->c, doc);
	pthread_mutex_unlock(&sc->tenant->lock);
}

/* By guid one object; by code or name an array (§5). */
void severa_country(struct severa_call *sc)
{
	static const char *const keys[] = { "code2", "code3", "name", "englishName" };
	struct severa_tenant *t = sc->tenant;
	struct call *c = sc->c;
	struct strbuf sb = call_strbuf(c);
	unsigned found = 0;
	pthread_mutex_lock(&t->lock);
	const struct doc *by_guid = severa_get_locked(t, SEVERA_COUNTRY, sc->ids[0]);
	strbuf_addch(&sb, '[');
	for (size_t i = 0; !by_guid && i < t->kinds[SEVERA_COUNTRY].n; i++) {
		const struct doc *doc = t->kinds[SEVERA_COUNTRY].docs[i];
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const char *text = severa_text(c->arena, doc, keys[k]);
			if (!text || strcasecmp(text, sc->ids[0]) != 0)
				continue;
			if (found++)
				strbuf_addch(&sb, ',');
			strbuf_add(&sb, doc->json, doc->n);
			break;
		}
	}
	strbuf_addch(&sb, ']');
	if (by_guid || !found)
		reply_doc_locked(c, by_guid);
	else
		reply_json(c, 200, &sb);
	pthread_mutex_unlock(&t->lock);
}

void severa_invoice_pdf(struct severa_call *sc)
{
	struct call *c = sc->c;
	pthread_mutex_lock(&sc->tenant->lock);
	const struct doc *invoice = severa_get_locked(sc->tenant, SEVERA_INVOICE, sc->ids[0]);
	const char *lines[4] = { "Lasku", NULL, NULL, NULL };
	if (invoice) {
		lines[1] = severa_text(c->arena, invoice, "number");
		lines[2] = severa_text(c->arena, invoice, "date");
		lines[3] = severa_text(c->arena, invoice, "totalIncludingTax.amount");
	}
	pthread_mutex_unlock(&sc->tenant->lock);
	if (!invoice) {
		reply_empty(c, 404);
		return;
	}
	struct span pdf;
	if (pdf_write(c->arena, lines, ARRAY_SIZE(lines), &pdf))
		reply_bytes(c, 200, "application/pdf", pdf);
}

void severa_finvoice(struct severa_call *sc)
{
	if (!sc->tenant->has_finvoice)
		severa_error(sc->c, 403, "AddonMissing", "The Finvoice add-on is not active.", NULL,
			     NULL);
	else
		severa_error(sc->c, 400, "InvalidOperation",
			     "The invoice cannot be made into a Finvoice.", NULL, NULL);
}

void severa_file_data(struct severa_call *sc)
{
	struct severa_tenant *t = sc->tenant;
	struct call *c = sc->c;
	pthread_mutex_lock(&t->lock);
	const struct doc *file = NULL;
	const struct doc_list *list = &t->kinds[SEVERA_INVOICE_FILE];
	for (size_t i = 0; i < list->n && !file; i++) {
		if (strcasecmp(list->docs[i]->file_guid, sc->ids[0]) == 0)
			file = list->docs[i];
	}
	char *copy = file ? arena_memdup(c->arena, file->blob, file->blob_n) : NULL;
	const char *type = severa_text(c->arena, file, "contentType");
	size_t n = file ? file->blob_n : 0;
	pthread_mutex_unlock(&t->lock);
	if (!copy)
		reply_empty(c, 404);
	else
		reply_bytes(c, 200, type ? type : "application/octet-stream",
			    (struct span) { copy, n });
}
