/*
 * spotilla_calls.c: what a client may ask: a page of a register, one record, a new customer, a
 * change (facts/spotilla.md B2 to B5).
 */
#include "base/base.h"

#include "base/utf8.h"
#include "spotilla.h"

#include <ctype.h>

/* ---- lists --------------------------------------------------------------------------------- */

struct query {
	int64_t page, per_page, since_ms;
	const char *state; /* NULL: any */
	const char *business_id, *number, *external_ref;
};

static bool read_query(const struct sp_call *sc, struct query *ret)
{
	const struct call *c = sc->c;
	const char *since = call_param(c, "changed_since");
	bool filters = sc->tenant->takes_filters && sc->reg->kind == SP_CUSTOMERS;
	*ret = (struct query) { .since_ms = INT64_MIN,
				.state = sc->reg->kind == SP_TASKS ? call_param(c, "state") : NULL,
				.business_id = filters ? call_param(c, "business_id") : NULL,
				.number = filters ? call_param(c, "number") : NULL,
				.external_ref = filters ? call_param(c, "external_ref") : NULL };
	if (!call_param_int(c, "page", 1, &ret->page) || ret->page < 1 ||
	    !call_param_int(c, "per_page", SP_PER_PAGE_MAX, &ret->per_page) || ret->per_page < 1 ||
	    (since && !clock_parse_rfc3339(span_of(since), &ret->since_ms)))
		return false;
	if (ret->per_page > SP_PER_PAGE_MAX)
		ret->per_page = SP_PER_PAGE_MAX;
	return true;
}

static bool is_wanted(const struct query *q, const struct sp_record *rec)
{
	return rec->updated_s * 1000 >= q->since_ms &&
	       (!q->state || strcmp(q->state, rec->state) == 0) &&
	       (!q->business_id || strcmp(q->business_id, rec->business_id) == 0) &&
	       (!q->number || strcmp(q->number, rec->number) == 0) &&
	       (!q->external_ref || strcmp(q->external_ref, rec->external_ref) == 0);
}

static int by_id(const void *a, const void *b)
{
	const struct sp_record *const *x = a, *const *y = b;
	return (*x)->id_n < (*y)->id_n ? -1 : (*x)->id_n > (*y)->id_n;
}

static void write_meta(struct json_writer *w, const struct query *q, int64_t n)
{
	jsonw_key(w, "meta");
	jsonw_object(w);
	jsonw_kint(w, "page", q->page);
	jsonw_kint(w, "per_page", q->per_page);
	jsonw_kint(w, "total_pages", (n + q->per_page - 1) / q->per_page);
	jsonw_kint(w, "total_count", n);
	jsonw_end_object(w);
}

/* Somebody at work: the oldest record is changed, and moves to the end. */
static void be_restless_locked(struct sp_call *sc)
{
	struct sp_register *r = sc->reg;
	const struct json *nothing;
	if (!r->restless || !r->n)
		return;
	r->restless--;
	if (json_parse(sc->c->arena, SPAN_LIT("{}"), JSON_LIMITS_API, &nothing, NULL))
		sp_change_locked(sc->m, sc->tenant, r, r->items[0], nothing, sp_now_s());
}

static void list_locked(struct sp_call *sc)
{
	struct call *c = sc->c;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct query q;
	const struct sp_record **found = arena_alloc_array(c->arena, sc->reg->n + 1,
							   sizeof(*found));
	int64_t n = 0;
	if (!found || !read_query(sc, &q)) {
		sp_fail(c, 422, "invalid", "A parameter is not valid", NULL);
		return;
	}
	for (size_t i = 0; i < sc->reg->n; i++)
		if (is_wanted(&q, sc->reg->items[i]))
			found[n++] = sc->reg->items[i];
	if (!sc->tenant->is_sorted)
		qsort(found, (size_t)n, sizeof(const void *), by_id);
	jsonw_object(&w);
	jsonw_key(&w, sp_register_name(sc->reg->kind));
	jsonw_array(&w);
	for (int64_t i = (q.page - 1) * q.per_page; i < n && i < q.page * q.per_page; i++)
		jsonw_raw(&w, span_of(found[i]->json));
	jsonw_end_array(&w);
	if (sc->tenant->has_meta)
		write_meta(&w, &q, n);
	jsonw_end_object(&w);
	reply_json(c, 200, &sb);
	be_restless_locked(sc);
}

/* ---- what may be written ------------------------------------------------------------------- */

struct rule {
	const char *member;
	/* NULL when the value is in order, else what is wrong with it. */
	const char *(*check)(const struct json *value);
};

static const char *longer_than(const struct json *j, ssize_t max)
{
	const char *text = json_str(j);
	if (json_is_null(j))
		return NULL;
	return text && utf8_length(span_of(text)) <= max ? NULL : "no text, or too long";
}

static const char *check_name(const struct json *j)
{
	const char *text = json_str(j);
	return text && text[0] ? longer_than(j, 200) : "must not be empty";
}

static const char *check_short(const struct json *j)
{
	return longer_than(j, 20);
}

static const char *check_text(const struct json *j)
{
	return longer_than(j, 200);
}

static const char *check_ref(const struct json *j)
{
	return longer_than(j, 100);
}

static const char *check_business_id(const struct json *j)
{
	const char *text = json_str(j);
	if (json_is_null(j))
		return NULL;
	bool ok = text && strlen(text) == 9 && strspn(text, "0123456789") == 7 && text[7] == '-' &&
		  isdigit((unsigned char)text[8]);
	return ok ? NULL : "bad format";
}

static const char *check_address(const struct json *j)
{
	const char *country = json_str(json_get(j, "country"));
	if (json_is_null(j))
		return NULL;
	if (json_type(j) != JSON_OBJECT || (country && strlen(country) != 2))
		return "no address, or its country is no ISO 3166-1 code";
	return NULL;
}

static const char *check_days(const struct json *j)
{
	int64_t days;
	return json_is_null(j) || (json_int64(j, &days) && days >= 0) ? NULL : "no number of days";
}

static const char *check_word(const struct json *j, const char *words)
{
	const char *text = json_str(j);
	if (json_is_null(j))
		return NULL;
	const char *at = text && text[0] ? strstr(words, text) : NULL;
	size_t n = text ? strlen(text) : 0;
	bool is_whole = at && (at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]);
	return is_whole ? NULL : "not one of its values";
}

static const char *check_channel(const struct json *j)
{
	return check_word(j, "EMAIL MAIL ELECTRONIC_INVOICE NO_SENDING");
}

static const char *check_bool(const struct json *j)
{
	return json_type(j) == JSON_BOOL ? NULL : "neither true nor false";
}

static const char *check_list(const struct json *j)
{
	return json_type(j) == JSON_ARRAY ? NULL : "no list";
}

static const char *check_billing(const struct json *j)
{
	if (json_type(j) != JSON_OBJECT || json_is_null(json_get(j, "state")) ||
	    check_word(json_get(j, "state"), "none waiting exported failed"))
		return "no billing state";
	return longer_than(json_get(j, "external_ref"), 100);
}

static const struct rule rules[SP_N_KINDS][16] = {
	[SP_CUSTOMERS] = { { "name", check_name },
			   { "business_id", check_business_id },
			   { "number", check_short },
			   { "email", check_text },
			   { "phone", check_text },
			   { "language", check_short },
			   { "address", check_address },
			   { "billing_address", check_address },
			   { "payment_term_days", check_days },
			   { "invoice_channel", check_channel },
			   { "contact_persons", check_list },
			   { "active", check_bool },
			   { "external_ref", check_ref } },
	[SP_PRODUCTS] = { { "external_ref", check_ref } },
	[SP_TASKS] = { { "billing", check_billing } },
};

/* The members that may be written, each in order; NULL with the reply set. Others are ignored. */
static const struct json *take_fields(struct sp_call *sc)
{
	struct call *c = sc->c;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *body, *ret;
	if (!json_parse(c->arena, c->body, JSON_LIMITS_API, &body, NULL) ||
	    json_type(body) != JSON_OBJECT) {
		sp_fail(c, 422, "invalid", "No JSON object", NULL);
		return NULL;
	}
	jsonw_object(&w);
	for (const struct rule *rule = rules[sc->reg->kind]; rule->member; rule++) {
		const struct json *value = json_get(body, rule->member);
		const char *fault = value ? rule->check(value) : NULL;
		if (fault) {
			sp_fail(c, 422, "invalid", fault, rule->member);
			return NULL;
		}
		if (!value)
			continue;
		jsonw_key(&w, rule->member);
		jsonw_node(&w, value);
	}
	jsonw_end_object(&w);
	return json_parse(c->arena, strbuf_span(&sb), JSON_LIMITS_API, &ret, NULL) ? ret : NULL;
}

/* Another active customer with the business id or number of this one. */
static bool is_taken(const struct sp_call *sc, const struct sp_record *self,
		     const struct json *fields)
{
	const char *id = json_str(json_get(fields, "business_id"));
	const char *number = json_str(json_get(fields, "number"));
	for (size_t i = 0; i < sc->reg->n && (id || number); i++) {
		const struct sp_record *rec = sc->reg->items[i];
		if (rec != self && rec->is_active &&
		    ((id && strcmp(rec->business_id, id) == 0) ||
		     (number && strcmp(rec->number, number) == 0)))
			return true;
	}
	return false;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void answer(struct sp_call *sc, unsigned status, const struct sp_record *rec)
{
	struct strbuf sb = call_strbuf(sc->c);
	strbuf_addstr(&sb, rec->json);
	reply_json(sc->c, status, &sb);
}

static void create_locked(struct sp_call *sc)
{
	const struct json *fields = take_fields(sc);
	if (!fields)
		return;
	if (!json_get(fields, "name")) {
		sp_fail(sc->c, 422, "invalid", "must not be empty", "name");
	} else if (is_taken(sc, NULL, fields)) {
		sc->tenant->conflicts++;
		sp_fail(sc->c, 409, "duplicate", "There is another one", NULL);
	} else {
		struct sp_record *rec = sp_add_locked(sc->m, sc->tenant, sc->reg->kind, 0, fields,
						      sp_now_s());
		if (!rec)
			return;
		sc->reg->created++;
		answer(sc, 201, rec);
	}
}

/* A task that was told to have become another invoice than before. */
static void count_export(struct sp_record *rec, const struct json *before,
			 const struct json *fields)
{
	const char *state = json_str(json_at(fields, "billing.state"));
	const char *ref = json_str(json_at(fields, "billing.external_ref"));
	if (str_eq(state, "exported") && ref &&
	    (!rec->n_exports || !str_eq(ref, json_str(json_at(before, "billing.external_ref")))))
		rec->n_exports++;
}

static void change_locked(struct sp_call *sc, struct sp_record *rec)
{
	const struct json *fields = take_fields(sc), *before;
	if (!fields ||
	    !json_parse(sc->c->arena, span_of(rec->json), JSON_LIMITS_VENDOR, &before, NULL))
		return;
	if (sc->reg->kind == SP_CUSTOMERS && is_taken(sc, rec, fields)) {
		sc->tenant->conflicts++;
		sp_fail(sc->c, 409, "duplicate", "There is another one", NULL);
		return;
	}
	count_export(rec, before, fields);
	if (!sp_change_locked(sc->m, sc->tenant, sc->reg, rec, fields, sp_now_s()))
		return;
	sc->reg->changed++;
	answer(sc, 200, rec);
}

/* ---- one call ------------------------------------------------------------------------------ */

static void serve_it_locked(struct sp_call *sc)
{
	struct call *c = sc->c;
	struct sp_record *rec = sc->id ? table_get(&sc->reg->by_id, sc->id) : NULL;
	if (sc->id && !rec)
		sp_fail(c, 404, "not_found", "No such record", NULL);
	else if (rec && call_is(c, "GET"))
		answer(sc, 200, rec);
	else if (rec && call_is(c, "PATCH"))
		change_locked(sc, rec);
	else if (!sc->id && call_is(c, "GET"))
		list_locked(sc);
	else if (!sc->id && call_is(c, "POST") && sc->reg->kind == SP_CUSTOMERS)
		create_locked(sc);
	else
		sp_fail(c, 405, "method_not_allowed", "Not allowed here", NULL);
}

/* The first answer to a key is that of every repeat; a refusal is not kept. */
static void keep_answer_locked(struct sp_call *sc, const char *key)
{
	struct sp_answer *kept = arena_alloc(sc->m->base.arena, sizeof(*kept));
	if (!kept || sc->c->reply.status >= 300)
		return;
	*kept = (struct sp_answer) { .key = sp_keep(sc->m, key),
				     .status = sc->c->reply.status,
				     .body = sp_keep(sc->m, sc->c->reply.body.p) };
	(void)!table_put(&sc->tenant->answers, kept->key, kept); /* a full table forgets it */
}

void sp_serve_locked(struct sp_call *sc)
{
	struct call *c = sc->c;
	const char *key = call_is(c, "GET") ? NULL : call_header(c, "Idempotency-Key");
	const struct sp_answer *kept = table_get(&sc->tenant->answers, key);
	if (key && (!key[0] || strlen(key) > 64)) {
		sp_fail(c, 422, "invalid", "1 to 64 characters", "Idempotency-Key");
	} else if (kept) {
		sc->tenant->repeats++;
		reply_text(c, kept->status, "application/json; charset=utf-8", kept->body);
	} else {
		serve_it_locked(sc);
		if (key)
			keep_answer_locked(sc, key);
	}
	sc->tenant->refused += c->reply.status == 422;
}
