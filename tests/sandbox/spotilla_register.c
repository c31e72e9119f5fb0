/*
 * spotilla_register.c: the records of a register, kept as they are answered, in the order of their
 * change times. A change moves a record to the end.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "spotilla.h"

#define SCRATCH_MAX ((size_t)8 << 20)

/* What a record has when nobody says anything. */
static const char *const blanks[] = {
	[SP_CUSTOMERS] =
		"{\"id\":0,\"number\":null,\"name\":null,\"business_id\":null,\"email\":null,"
		"\"phone\":null,\"language\":null,\"address\":null,\"billing_address\":null,"
		"\"payment_term_days\":null,\"invoice_channel\":null,\"contact_persons\":[],"
		"\"active\":true,\"external_ref\":null,\"created_at\":null,\"updated_at\":null}",
	[SP_PRODUCTS] =
		"{\"id\":0,\"product_id\":null,\"name\":null,\"category\":\"Työ\","
		"\"kind\":\"article\",\"unit\":\"kpl\",\"sales_price\":null,\"currency\":\"EUR\","
		"\"vat_percent\":null,\"active\":true,\"external_ref\":null,\"created_at\":null,"
		"\"updated_at\":null}",
	[SP_TASKS] = "{\"id\":0,\"number\":null,\"name\":null,\"state\":null,"
		     "\"completed_at\":null,\"customer_id\":null,\"work_order\":null,"
		     "\"spot\":null,\"site\":null,\"order_number\":null,\"comment\":null,"
		     "\"rows\":[],\"billing\":{\"state\":\"none\",\"external_ref\":null,"
		     "\"message\":null},\"created_at\":null,\"updated_at\":null}",
};

const char *sp_keep(struct spotilla *m, const char *text)
{
	const char *ret = text ? arena_strdup(m->base.arena, text) : NULL;
	return ret ? ret : "";
}

int64_t sp_now_s(void)
{
	return clock_wall_ms() / 1000;
}

const char *sp_time(int64_t s, char buf[CLOCK_RFC3339_MAX])
{
	clock_rfc3339(s * 1000, buf);
	buf[19] = 'Z';
	buf[20] = '\0';
	return buf;
}

/* ---- order --------------------------------------------------------------------------------- */

static bool is_before(const struct sp_record *a, const struct sp_record *b)
{
	return a->updated_s != b->updated_s ? a->updated_s < b->updated_s : a->id_n < b->id_n;
}

/* How many stand before it. */
static size_t place_of(const struct sp_register *r, const struct sp_record *rec)
{
	size_t low = 0, high = r->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (is_before(r->items[mid], rec))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void take_out(struct sp_register *r, const struct sp_record *rec)
{
	size_t i = place_of(r, rec);
	assert(i < r->n && r->items[i] == rec);
	memmove(r->items + i, r->items + i + 1, (--r->n - i) * sizeof(*r->items));
}

static bool put_in(struct sp_register *r, struct sp_record *rec)
{
	if (!array_reserve(&r->items, r->n, &r->cap, sizeof(*r->items)))
		return false;
	size_t i = place_of(r, rec);
	memmove(r->items + i + 1, r->items + i, (r->n++ - i) * sizeof(*r->items));
	r->items[i] = rec;
	return true;
}

/* ---- contents ------------------------------------------------------------------------------ */

static bool is_own_member(const char *key)
{
	return strcmp(key, "id") == 0 || strcmp(key, "created_at") == 0 ||
	       strcmp(key, "updated_at") == 0;
}

/* Without a number of its own a new customer or task gets one. */
static void give_number(struct json_writer *w, const struct sp_record *rec, enum sp_kind kind)
{
	char text[32];
	snprintf(text, sizeof(text), "%s-%s", kind == SP_TASKS ? "T" : "SP", rec->id);
	jsonw_kstr(w, "number", text);
}

/* The patch with what the register itself decides. */
static const struct json *stamped(struct arena *scratch, const struct json *patch,
				  const struct sp_record *rec, enum sp_kind kind)
{
	bool is_new = !rec->json;
	bool has_number = !json_is_null(json_get(patch, "number"));
	struct strbuf sb = STRBUF_INIT(scratch, SCRATCH_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *ret;
	char buf[CLOCK_RFC3339_MAX];
	jsonw_object(&w);
	for (const struct json *j = json_first(patch); j; j = json_next(j)) {
		if (is_own_member(json_key(j)) ||
		    (is_new && !has_number && strcmp(json_key(j), "number") == 0))
			continue;
		jsonw_key(&w, json_key(j));
		jsonw_node(&w, j);
	}
	if (is_new && !has_number && kind != SP_PRODUCTS)
		give_number(&w, rec, kind);
	if (is_new) {
		jsonw_kint(&w, "id", rec->id_n);
		jsonw_kstr(&w, "created_at", sp_time(rec->updated_s, buf));
	}
	jsonw_kstr(&w, "updated_at", sp_time(rec->updated_s, buf));
	jsonw_end_object(&w);
	return json_parse(scratch, strbuf_span(&sb), JSON_LIMITS_VENDOR, &ret, NULL) ? ret : NULL;
}

/* What filters ask for. */
static void index_record(struct spotilla *m, struct sp_record *rec, const struct json *j)
{
	const struct json *code = json_get(j, "product_id");
	rec->state = sp_keep(m, json_text(json_get(j, "state")));
	rec->business_id = sp_keep(m, json_text(json_get(j, "business_id")));
	rec->number = sp_keep(m, json_text(code ? code : json_get(j, "number")));
	rec->external_ref = sp_keep(m, json_text(json_get(j, "external_ref")));
	if (!json_bool(json_get(j, "active"), &rec->is_active))
		rec->is_active = true;
}

/* A task that is done was completed at some time. */
static const struct json *complete(struct arena *scratch, const struct sp_tenant *t,
				   const struct json *j, int64_t now_s)
{
	struct strbuf sb = STRBUF_INIT(scratch, SCRATCH_MAX), patch = STRBUF_INIT(scratch, 200);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *ret = j, *p;
	char buf[CLOCK_RFC3339_MAX];
	if (!str_eq(json_text(json_get(j, "state")), t->done_state) ||
	    !json_is_null(json_get(j, "completed_at")))
		return j;
	strbuf_addf(&patch, "{\"completed_at\":\"%s\"}", sp_time(now_s, buf));
	if (!json_parse(scratch, strbuf_span(&patch), JSON_LIMITS_API, &p, NULL))
		return j;
	json_merge(&w, j, p);
	return json_parse(scratch, strbuf_span(&sb), JSON_LIMITS_VENDOR, &ret, NULL) ? ret : j;
}

static bool write_json(struct spotilla *m, const struct sp_tenant *t, struct sp_record *rec,
		       enum sp_kind kind, const struct json *patch)
{
	CLEANUP(arena_free) struct arena *scratch = arena_new(4 * SCRATCH_MAX);
	const struct json *old, *all;
	if (!scratch || !json_parse(scratch, span_of(rec->json ? rec->json : blanks[kind]),
				    JSON_LIMITS_VENDOR, &old, NULL))
		return false;
	struct strbuf sb = STRBUF_INIT(scratch, SCRATCH_MAX),
		      out = STRBUF_INIT(scratch, SCRATCH_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb), done = JSON_WRITER_INIT(&out);
	patch = stamped(scratch, patch, rec, kind);
	if (!patch)
		return false;
	json_merge(&w, old, patch);
	if (!json_parse(scratch, strbuf_span(&sb), JSON_LIMITS_VENDOR, &all, NULL))
		return false;
	if (kind == SP_TASKS)
		all = complete(scratch, t, all, rec->updated_s);
	jsonw_node(&done, all);
	index_record(m, rec, all);
	rec->json = arena_memdup(m->base.arena, strbuf_span(&out).p, strbuf_span(&out).n);
	return rec->json != NULL;
}

struct sp_record *sp_add_locked(struct spotilla *m, struct sp_tenant *t, enum sp_kind kind,
				int64_t id, const struct json *fields, int64_t updated_s)
{
	struct sp_register *r = &t->registers[kind];
	struct sp_record *rec = arena_alloc(m->base.arena, sizeof(*rec));
	if (!rec)
		return NULL;
	rec->id_n = id ? id : r->next_id;
	rec->updated_s = updated_s;
	snprintf(rec->id, sizeof(rec->id), "%" PRId64, rec->id_n);
	if (rec->id_n >= r->next_id)
		r->next_id = rec->id_n + 1;
	if (!write_json(m, t, rec, kind, fields) || !put_in(r, rec) ||
	    !table_put(&r->by_id, rec->id, rec))
		return NULL;
	return rec;
}

bool sp_change_locked(struct spotilla *m, struct sp_tenant *t, struct sp_register *r,
		      struct sp_record *rec, const struct json *patch, int64_t updated_s)
{
	take_out(r, rec);
	rec->updated_s = updated_s;
	bool ok = write_json(m, t, rec, r->kind, patch);
	return put_in(r, rec) && ok;
}

void sp_remove_locked(struct sp_register *r, struct sp_record *rec)
{
	take_out(r, rec);
	table_remove(&r->by_id, rec->id);
}

struct sp_record *sp_record_locked(const struct sp_register *r, const char *which)
{
	struct sp_record *rec = table_get(&r->by_id, which);
	for (size_t i = 0; !rec && i < r->n; i++)
		if (str_eq(r->items[i]->sample, which) || strcmp(r->items[i]->number, which) == 0)
			rec = r->items[i];
	return rec;
}
