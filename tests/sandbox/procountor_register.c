/*
 * procountor_register.c: the registers of the Procountor stand-in: searches page by page, reading
 * one record or many, partners and products made and changed (facts/procountor.md §4, 5, 7).
 * Doubles are taken, as the vendor takes them.
 */
#include "base/base.h"

#include "model/identifier.h"
#include "procountor.h"

#define PAGE_MAX 200
#define BATCH_MAX 200

/* ---- keeping ------------------------------------------------------------------------------- */

struct pc_record *pc_record_locked(struct pc_company *co, enum pc_kind kind, int64_t id)
{
	struct pc_register *r = &co->registers[kind];
	size_t from = 0, to = r->n;
	while (from < to) {
		size_t at = from + (to - from) / 2;
		if (r->items[at].id < id)
			from = at + 1;
		else
			to = at;
	}
	return from < r->n && r->items[from].id == id && !r->items[from].is_gone ? &r->items[from]
										 : NULL;
}

struct pc_record *pc_record_by_name_locked(struct pc_company *co, enum pc_kind kind,
					   const char *name)
{
	struct pc_register *r = &co->registers[kind];
	char id[24];
	for (size_t i = 0; i < r->n; i++) {
		snprintf(id, sizeof(id), "%" PRId64, r->items[i].id);
		if (!r->items[i].is_gone &&
		    (strcmp(id, name) == 0 || strcmp(r->items[i].number, name) == 0))
			return &r->items[i];
	}
	return NULL;
}

/* Local time without a zone; later than the one before, also within one second. */
static void stamp(struct procountor *p, const char *before, char ret[PC_STAMP])
{
	char text[CLOCK_RFC3339_MAX];
	int64_t now = clock_wall_ms(), last;
	now += (int64_t)tz_offset_s(p->zone, now) * 1000;
	if (clock_parse_rfc3339(span_of(before), &last) && now < last + 1000)
		now = last + 1000;
	snprintf(ret, PC_STAMP, "%.19s", clock_rfc3339(now, text));
}

static const char *text_at(struct procountor *p, const struct json *j, const char *path)
{
	const char *text = json_text(json_at(j, path));
	return text && text[0] ? keep_text(p->base.arena, text) : "";
}

static bool flag_at(const struct json *j, const char *path)
{
	bool value;
	return !json_bool(json_at(j, path), &value) || value;
}

static void index_record(struct procountor *p, enum pc_kind kind, const struct json *j,
			 struct pc_record *r)
{
	static const char *const numbers[] = { "invoicingInfo.customerNumber", "code",
					       "originalInvoiceNumber", "iban" };
	r->type = text_at(p, j, "type");
	r->status = text_at(p, j, "status");
	r->name = text_at(p, j, "name");
	r->number = text_at(p, j, numbers[kind]);
	r->identifier = text_at(p, j, "invoicingInfo.identifier");
	r->is_active = flag_at(j, kind == PC_PARTNER ? "registryInfo.active" : "active");
}

/* fields with extra, and id and version over both. */
static const struct json *whole_of(struct arena *scratch, const struct json *fields,
				   const struct json *extra, const struct pc_record *r)
{
	struct strbuf own_sb = STRBUF_INIT(scratch, 256), sb = STRBUF_INIT(scratch, 4 << 20),
		      first_sb = STRBUF_INIT(scratch, 4 << 20);
	struct json_writer own_w = JSON_WRITER_INIT(&own_sb), w = JSON_WRITER_INIT(&sb),
			   first_w = JSON_WRITER_INIT(&first_sb);
	const struct json *own, *j = NULL;
	jsonw_object(&own_w);
	jsonw_kint(&own_w, "id", r->id);
	jsonw_kstr(&own_w, "version", r->version);
	jsonw_end_object(&own_w);
	if (extra) {
		json_merge(&first_w, fields, extra);
		if (!json_parse(scratch, strbuf_span(&first_sb), JSON_LIMITS_VENDOR, &fields, NULL))
			return NULL;
	}
	if (!json_parse(scratch, strbuf_span(&own_sb), JSON_LIMITS_VENDOR, &own, NULL))
		return NULL;
	json_merge(&w, fields, own);
	return json_parse(scratch, strbuf_span(&sb), JSON_LIMITS_VENDOR, &j, NULL) ? j : NULL;
}

struct pc_record *pc_put_locked(struct procountor *p, struct pc_company *co, enum pc_kind kind,
				struct pc_record *old, const struct json *fields,
				const struct json *extra, struct arena *scratch)
{
	struct pc_register *reg = &co->registers[kind];
	struct pc_record fresh = { .id = reg->next_id, .creator = co->user };
	struct strbuf sb = STRBUF_INIT(scratch, 4 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	if (!old && !array_reserve(&reg->items, reg->n, &reg->cap, sizeof(*reg->items)))
		return NULL;
	struct pc_record *r = old ? old : &fresh;
	stamp(p, old ? old->version : "", r->version);
	const struct json *j = whole_of(scratch, fields, extra, r);
	if (!j)
		return NULL;
	jsonw_node(&w, j);
	if (!strbuf_finish(&sb, &text, NULL))
		return NULL;
	r->json = keep_text(p->base.arena, text);
	index_record(p, kind, j, r);
	if (old)
		return old;
	reg->next_id++;
	reg->items[reg->n] = fresh;
	return &reg->items[reg->n++];
}

/* ---- searching ----------------------------------------------------------------------------- */

struct search {
	struct pc_call *pc;
	const char *type, *number, *name, *identifier, *since;
	const char *code; /* a part of it */
	int active; /* -1: any */
	bool own_only;
	int64_t size, page, previous;
	bool is_up; /* ascending */
};

static bool fits(const struct search *s, const struct pc_record *r)
{
	if (r->is_gone || (s->type && strcmp(s->type, r->type) != 0) ||
	    (s->active >= 0 && s->active != (int)r->is_active))
		return false;
	if (s->number && strcasecmp(s->number, r->number) != 0)
		return false;
	/* How these match is not told: by parts, without case. */
	if ((s->name && !strcasestr(r->name, s->name)) ||
	    (s->identifier && !strcasestr(r->identifier, s->identifier)) ||
	    (s->code && !strcasestr(r->number, s->code)))
		return false;
	return (!s->since || strcmp(r->version, s->since) >= 0) &&
	       (!s->own_only || r->creator == s->pc->company->user);
}

static bool is_behind(const struct search *s, const struct pc_record *r)
{
	return !s->previous || (s->is_up ? r->id > s->previous : r->id < s->previous);
}

static const char *or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

/* Percent-encoded or as it is: neither is documented, both are taken. */
static const char *header_of(struct pc_call *pc, const char *name)
{
	const char *text = call_header(pc->c, name);
	const char *plain = text ? call_decode(pc->c->arena, span_of(text), false) : NULL;
	return or_null(plain ? plain : text);
}

static bool read_search(struct search *s)
{
	struct call *c = s->pc->c;
	enum pc_kind kind = s->pc->route->kind;
	const char *order = call_param(c, "orderById");
	if (!call_param_int(c, "size", 50, &s->size) || s->size < 1 || s->size > PAGE_MAX)
		return pc_fail(s->pc, 400, "size", "The value is invalid.");
	if (!call_param_int(c, "page", 0, &s->page) ||
	    (s->page && (kind == PC_PRODUCT || call_param(c, "previousId"))))
		return pc_fail(s->pc, 400, "page", "The value is invalid.");
	if (!call_param_int(c, "previousId", 0, &s->previous))
		return pc_fail(s->pc, 400, "previousId", "The value is invalid.");
	if (call_param(c, "name") && kind == PC_PARTNER) /* since 23.08 (§5) */
		return pc_fail(s->pc, 400, "name", "The parameter is not supported.");
	s->is_up = order && strcmp(order, "ASC") == 0;
	s->type = call_param(c, kind == PC_INVOICE ? "types" : "type");
	s->since = call_param(c, "versionStartDate");
	s->number = kind == PC_INVOICE	 ? call_param(c, "originalInvoiceNumber")
		    : kind == PC_PARTNER ? call_param(c, "customerNumber")
					 : NULL;
	if (kind == PC_PRODUCT)
		s->code = call_param(c, "code");
	if (kind == PC_PARTNER) {
		s->name = header_of(s->pc, "name");
		s->identifier = header_of(s->pc, "identifier");
	}
	bool is_active_default = kind == PC_PARTNER;
	const char *active = call_param(c, "active");
	s->active = active ? strcmp(active, "true") == 0 : is_active_default ? 1 : -1;
	s->own_only = kind == PC_INVOICE && s->pc->company->sees_own_only;
	return true;
}

/* The head of a record, where a list has no more. */
static void write_row(struct search *s, struct json_writer *w, const struct pc_record *r)
{
	static const char *const partner[] = { "id",	  "name",	    "type",
					       "version", "billingAddress", NULL };
	static const char *const invoice[] = { "id",
					       "partnerId",
					       "type",
					       "status",
					       "date",
					       "invoiceNumber",
					       "version",
					       "originalInvoiceNumber",
					       "invoiceChannel",
					       NULL };
	enum pc_kind kind = s->pc->route->kind;
	const char *const *members = kind == PC_PARTNER	  ? partner
				     : kind == PC_INVOICE ? invoice
							  : NULL;
	const struct json *j;
	if (!members ||
	    !json_parse(s->pc->c->arena, span_of(r->json), JSON_LIMITS_VENDOR, &j, NULL)) {
		jsonw_raw(w, span_of(r->json));
		return;
	}
	jsonw_object(w);
	for (; *members; members++) {
		const struct json *m = json_get(j, *members);
		jsonw_key(w, *members);
		if (m)
			jsonw_node(w, m);
		else
			jsonw_null(w);
	}
	if (kind == PC_PARTNER) {
		jsonw_key(w, "invoicingInfo");
		jsonw_object(w);
		jsonw_kstr(w, "customerNumber", or_null(r->number));
		jsonw_kstr(w, "identifier", or_null(r->identifier));
		jsonw_end_object(w);
		jsonw_key(w, "registryInfo");
		jsonw_object(w);
		jsonw_kbool(w, "active", r->is_active);
		jsonw_end_object(w);
	}
	jsonw_end_object(w);
}

void pc_search_locked(struct pc_call *pc)
{
	struct search s = { .pc = pc };
	const struct pc_register *reg = &pc->company->registers[pc->route->kind];
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	int64_t n = 0, skipped = 0;
	if (!read_search(&s))
		return;
	jsonw_object(&w);
	jsonw_key(&w, "results");
	jsonw_array(&w);
	for (size_t i = 0; i < reg->n && n < s.size; i++) {
		const struct pc_record *r = &reg->items[s.is_up ? i : reg->n - 1 - i];
		if (!is_behind(&s, r) || !fits(&s, r) || skipped++ < s.page * s.size)
			continue;
		write_row(&s, &w, r);
		n++;
	}
	jsonw_end_array(&w);
	jsonw_key(&w, "meta");
	jsonw_object(&w);
	jsonw_kint(&w, "pageNumber", s.page);
	jsonw_kint(&w, "pageSize", s.size);
	jsonw_kint(&w, "resultCount", n);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	reply_json(pc->c, 200, &sb);
}

/* ---- reading ------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Ids of the path in order; -1: too many, or no numbers. */
static int read_ids(const char *text, int64_t ids[BATCH_MAX])
{
	int n = 0;
	while (*text) {
		size_t len = strcspn(text, ",");
		int64_t id = 0;
		if (n == BATCH_MAX || len == 0 || len > 18 || strspn(text, "0123456789") < len)
			return -1;
		for (size_t i = 0; i < len; i++)
			id = id * 10 + (text[i] - '0');
		ids[n++] = id;
		text += len + (text[len] == ',');
	}
	qsort(ids, (size_t)n, sizeof(*ids), by_id);
	return n;
}

void pc_read_locked(struct pc_call *pc)
{
	int64_t ids[BATCH_MAX];
	int n = read_ids(pc->id, ids), found = 0;
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (n < 0) {
		pc_fail(pc, 400, NULL, "Maximum of 200 ids are allowed.");
		return;
	}
	if (n > 1)
		jsonw_array(&w);
	for (int i = 0; i < n; i++) {
		const struct pc_record *r = pc_record_locked(pc->company, pc->route->kind, ids[i]);
		bool is_hidden = r && pc->route->kind == PC_INVOICE && pc->company->sees_own_only &&
				 r->creator != pc->company->user;
		if (!r || is_hidden || (i && ids[i] == ids[i - 1]))
			continue;
		jsonw_raw(&w, span_of(r->json));
		found++;
	}
	if (n > 1)
		jsonw_end_array(&w);
	if (found)
		reply_json(pc->c, 200, &sb);
	else
		pc_fail(pc, 404, NULL, "No records were found.");
}

const struct json *pc_body(struct pc_call *pc)
{
	const struct json *j;
	if (json_parse(pc->c->arena, pc->c->body, JSON_LIMITS_VENDOR, &j, NULL) &&
	    json_type(j) == JSON_OBJECT)
		return j;
	pc_fail(pc, 400, NULL, "The request body is not valid JSON.");
	return NULL;
}

static void answer_record(struct pc_call *pc, const struct pc_record *r)
{
	if (r)
		reply_bytes(pc->c, 200, "application/json", span_of(r->json));
	else
		reply_empty(pc->c, 500);
}

/* ---- partners ------------------------------------------------------------------------------ */

/* The same number with another business id is refused; the same of both is not (§5). */
static bool is_number_taken(struct pc_company *co, const struct json *j, const struct pc_record *me)
{
	const char *number = json_text(json_at(j, "invoicingInfo.customerNumber"));
	const char *id = json_text(json_at(j, "invoicingInfo.identifier"));
	struct pc_register *reg = &co->registers[PC_PARTNER];
	for (size_t i = 0; number && i < reg->n; i++)
		if (&reg->items[i] != me && !reg->items[i].is_gone &&
		    strcmp(reg->items[i].number, number) == 0 &&
		    strcmp(reg->items[i].identifier, id ? id : "") != 0)
			return true;
	return false;
}

static void check_partner(struct pc_problems *pr, struct pc_company *co, const struct json *j,
			  const struct pc_record *me, bool is_whole)
{
	const char *id = json_text(json_at(j, "invoicingInfo.identifier"));
	const char *type = json_text(json_at(j, "invoicingInfo.identifierType"));
	pc_check_texts(pr, PC_PARTNER, j);
	if (is_whole) {
		pc_need(pr, j, "name");
		pc_need(pr, j, "type");
		pc_need(pr, j, "address");
		pc_need(pr, j, "paymentInfo.paymentMethod");
	}
	if (!json_is_null(json_get(j, "address")) && !pc_has(j, "address.country"))
		pc_problem(pr, "address.country",
			   "Value of the 'address.country' cannot be blank.");
	if (id && str_eq(type, "FI") && !identifier_is(ID_FI_BUSINESS, id))
		pc_problem(pr, "invoicingInfo.identifier", "ERROR_BRN_CODE");
	if (json_number_text(json_at(j, "paymentInfo.paymentTermDays")))
		pc_problem(pr, "paymentInfo.paymentTermDays", "The value is invalid.");
	if (is_number_taken(co, j, me))
		pc_problem(pr, "invoicingInfo.customerNumber",
			   "Another partner with the same number and different VAT number already "
			   "exists.");
}

void pc_add_partner_locked(struct pc_call *pc)
{
	const struct json *j = pc_body(pc);
	struct pc_problems pr = { .arena = pc->c->arena };
	if (!j)
		return;
	check_partner(&pr, pc->company, j, NULL, true);
	if (!pc_check_end(pc, &pr))
		return;
	pc->company->registers[PC_PARTNER].added++;
	answer_record(pc,
		      pc_put_locked(pc->p, pc->company, PC_PARTNER, NULL, j, NULL, pc->c->arena));
}

/* PUT replaces, PATCH changes; both want the newest version. */
void pc_change_partner_locked(struct pc_call *pc)
{
	const struct json *j = pc_body(pc), *old = NULL;
	struct pc_problems pr = { .arena = pc->c->arena };
	int64_t ids[BATCH_MAX];
	if (!j)
		return;
	bool is_put = call_is(pc->c, "PUT");
	struct pc_record *r = read_ids(pc->id, ids) == 1
				      ? pc_record_locked(pc->company, PC_PARTNER, ids[0])
				      : NULL;
	if (!r) {
		pc_fail(pc, 404, NULL, "No partner found for given id.");
		return;
	}
	const char *version = json_str(json_get(j, "version"));
	if (!version)
		version = call_param(pc->c, "version");
	check_partner(&pr, pc->company, j, r, is_put);
	if (!version || strcmp(version, r->version) != 0)
		pc_problem(&pr, "version", "The version is not the latest.");
	if (!pc_check_end(pc, &pr))
		return;
	if (!is_put && !json_parse(pc->c->arena, span_of(r->json), JSON_LIMITS_VENDOR, &old, NULL))
		return;
	pc->company->registers[PC_PARTNER].changed++;
	answer_record(pc, pc_put_locked(pc->p, pc->company, PC_PARTNER, r, is_put ? j : old,
					is_put ? NULL : j, pc->c->arena));
}

/* ---- products ------------------------------------------------------------------------------ */

void pc_add_product_locked(struct pc_call *pc)
{
	static const char *const needed[] = { "type",  "name",	 "discount",
					      "price", "active", "currency" };
	const struct json *j = pc_body(pc);
	struct pc_problems pr = { .arena = pc->c->arena };
	struct decimal vat;
	int64_t status = 1;
	if (!j)
		return;
	pc_check_texts(&pr, PC_PRODUCT, j);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		pc_need(&pr, j, needed[i]);
	if (!json_int64(json_get(j, "vatStatus"), &status))
		status = 1;
	if (json_decimal(json_get(j, "vat"), &vat) && !pc_vat_fits(status, vat))
		pc_problem(&pr, "vat", "ERROR_VATSTATUS_VATPERC");
	if (!pc_check_end(pc, &pr))
		return;
	pc->company->registers[PC_PRODUCT].added++;
	answer_record(pc,
		      pc_put_locked(pc->p, pc->company, PC_PRODUCT, NULL, j, NULL, pc->c->arena));
}
