/*
 * maventa_control.c: the control API's part for the Maventa stand-in: what a signer, an operator or
 * Maventa's own user interface would do, scripts for what becomes of invoices, and the ledger.
 */
#include "base/base.h"

#include "hooks.h"
#include "maventa.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* ---- ledger and set-up --------------------------------------------------------------------- */

static bool is_same_company(const struct mv_company *co, const char *id)
{
	char a[32], b[32];
	return strcmp(mv_business_id(co->business_id, a), mv_business_id(id, b)) == 0;
}

static unsigned times_received(const struct mv_invoice *in)
{
	const struct mv_invoice *same = table_get(&in->company->by_number, in->doc.number);
	unsigned n = 0;
	for (; same; same = same->next_same_number)
		n++;
	return n;
}

static void write_document(struct json_writer *w, const struct mv_invoice *in)
{
	const struct mv_document *d = &in->doc;
	jsonw_object(w);
	jsonw_kstr(w, "number", d->number);
	jsonw_kstr(w, "uuid", in->id);
	jsonw_kstr(w, "status", mv_status_name(in->status));
	jsonw_kstr(w, "route", in->route);
	jsonw_kstr(w, "route_failure", in->route_failure);
	jsonw_kstr(w, "format", d->format);
	jsonw_kstr(w, "date", d->date);
	jsonw_kstr(w, "due_date", d->due_date);
	jsonw_kstr(w, "currency", d->currency);
	jsonw_key(w, "net");
	jsonw_decimal(w, d->net);
	jsonw_key(w, "sum");
	jsonw_decimal(w, d->gross);
	jsonw_kstr(w, "reference", d->reference);
	jsonw_kstr(w, "sender_id", d->sender_id);
	jsonw_kstr(w, "recipient", d->name);
	jsonw_kstr(w, "recipient_address", d->address);
	jsonw_kstr(w, "recipient_operator", d->operator_id);
	jsonw_kstr(w, "recipient_email", d->email);
	jsonw_key(w, "files");
	jsonw_raw(w, span_of(in->files));
	jsonw_key(w, "form");
	jsonw_raw(w, span_of(in->form));
	jsonw_kint(w, "times_received", times_received(in));
	jsonw_end_object(w);
}

/* Documents beyond the first of their number. */
static int64_t count_duplicates(const struct mv_company *co, int64_t *ret_documents,
				int64_t *ret_strangers)
{
	int64_t duplicates = 0;
	for (const struct mv_invoice *in = co->invoices; in; in = in->next) {
		if (in->is_deleted)
			continue;
		++*ret_documents;
		*ret_strangers += !is_same_company(co, in->doc.sender_id);
		const struct mv_invoice *older = in->next_same_number;
		while (older && older->is_deleted)
			older = older->next_same_number;
		duplicates += older != NULL;
	}
	return duplicates;
}

static void write_counts(struct json_writer *w, const struct mv_company *co)
{
	int64_t count = 0, strangers = 0;
	int64_t duplicates = count_duplicates(co, &count, &strangers);
	jsonw_kint(w, "count", count);
	jsonw_kint(w, "duplicates", duplicates);
	jsonw_kint(w, "other_senders", strangers);
	jsonw_kint(w, "refused", (int64_t)co->refused);
	jsonw_kint(w, "refused_duplicates", (int64_t)co->refused_duplicates);
	jsonw_kint(w, "calls", (int64_t)co->calls);
	jsonw_kint(w, "token_requests", (int64_t)co->token_requests);
	jsonw_kint(w, "unauthorized", (int64_t)co->unauthorized);
	jsonw_kint(w, "authorizations", (int64_t)co->authorizations);
	jsonw_kint(w, "settings_changes", (int64_t)co->settings_changes);
}

static void write_company(struct json_writer *w, const struct mv_company *co, bool with_documents)
{
	jsonw_object(w);
	jsonw_kstr(w, "tenant", co->tenant);
	jsonw_kstr(w, "company_uuid", co->id);
	jsonw_kstr(w, "name", co->name);
	jsonw_kstr(w, "business_id", co->business_id);
	jsonw_kstr(w, "country", co->country);
	jsonw_kstr(w, "company_state", co->state);
	jsonw_kstr(w, "auth_state", co->auth_state);
	jsonw_kstr(w, "auth_email", co->auth_email);
	jsonw_kbool(w, "linked", co->is_linked);
	write_counts(w, co);
	jsonw_key(w, "settings");
	jsonw_raw(w, span_of(co->settings));
	jsonw_key(w, "subscriptions");
	jsonw_array(w);
	for (const struct mv_subscription *s = co->subscriptions; s; s = s->next)
		if (!s->is_gone)
			jsonw_raw(w, span_of(s->json));
	jsonw_end_array(w);
	jsonw_key(w, "users");
	jsonw_array(w);
	for (const struct mv_member *mb = co->members; mb; mb = mb->next)
		jsonw_str(w, mb->user->email);
	jsonw_end_array(w);
	if (with_documents) {
		jsonw_key(w, "documents");
		jsonw_array(w);
		for (const struct mv_invoice *in = co->invoices; in; in = in->next)
			if (!in->is_deleted)
				write_document(w, in);
		jsonw_end_array(w);
	}
	jsonw_end_object(w);
}

/* Oldest first: a tenant's own account before those that were registered later. */
static void write_companies(struct json_writer *w, const struct mv_company *co, bool with_documents)
{
	if (!co)
		return;
	write_companies(w, co->next, with_documents);
	if (!co->is_partner)
		write_company(w, co, with_documents);
}

void mv_write_ledger(void *state, bool with_documents, struct json_writer *w)
{
	struct maventa *m = state;
	jsonw_array(w);
	write_companies(w, m->companies, with_documents);
	jsonw_end_array(w);
}

void mv_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w)
{
	struct maventa *m = state;
	char url[192], soap_url[224];
	const struct mv_company *co = mv_find_locked(m, key);
	snprintf(url, sizeof(url), "%s/maventa", base_url);
	snprintf(soap_url, sizeof(soap_url), "%s/apis/v1.1/wsdl", url);
	if (co) {
		jsonw_object(w);
		jsonw_kstr(w, "base_url", url);
		jsonw_kstr(w, "soap_url", soap_url);
		jsonw_kstr(w, "vendor_api_key", MV_VENDOR_KEY);
		jsonw_kstr(w, "partner_company_uuid", m->partner->id);
		jsonw_kstr(w, "partner_user_api_key", m->partner->members->user->key);
		jsonw_kstr(w, "company_uuid", co->id);
		jsonw_kstr(w, "user_api_key", co->members->user->key);
		jsonw_kstr(w, "user_email", co->members->user->email);
		jsonw_kstr(w, "business_id", co->business_id);
		jsonw_kstr(w, "vat_number", co->vat_number);
		jsonw_kstr(w, "country", co->country);
		jsonw_kstr(w, "company_state", co->state);
		jsonw_end_object(w);
	} else {
		jsonw_null(w);
	}
}

/* ---- scripts ------------------------------------------------------------------------------- */

/* {"outcome": "failed", "after_reads": 1, "after_ms": 0, "message": "...", "late_failure": true
 * or {"after_reads": 1, "after_ms": 0}} over what it was. */
static void read_script(struct maventa *m, const struct json *body, struct mv_script *s)
{
	const char *outcome = json_str(json_get(body, "outcome"));
	const char *message = json_str(json_get(body, "message"));
	const struct json *late = json_get(body, "late_failure");
	bool is_late = json_type(late) == JSON_OBJECT;
	s->is_set = true;
	if (outcome)
		s->fails = strcmp(outcome, "failed") == 0;
	if (message)
		s->message = mv_keep(m, message);
	s->after_reads = control_int(body, "after_reads", s->after_reads, 1000000);
	s->after_ms = control_int(body, "after_ms", s->after_ms, 30 * DAY_MS);
	if (!is_late && !json_bool(late, &is_late))
		is_late = s->fails_late;
	s->fails_late = is_late;
	s->late_reads = control_int(late, "after_reads", s->late_reads, 1000000);
	s->late_ms = control_int(late, "after_ms", s->late_ms, 30 * DAY_MS);
}

static bool add_order_locked(struct maventa *m, struct mv_company *co, const struct json *body)
{
	struct mv_order *o = arena_alloc(m->base.arena, sizeof(*o));
	const char *number = json_text(json_get(body, "number"));
	if (!o)
		return false;
	*o = (struct mv_order) { .number = number ? mv_keep(m, number) : NULL,
				 .script = co->preset };
	read_script(m, body, &o->script);
	struct mv_order **end = &co->orders;
	while (*end)
		end = &(*end)->next;
	*end = o;
	return true;
}

/* ---- one company --------------------------------------------------------------------------- */

static void change_flags(struct mv_company *co, const struct json *body)
{
	bool flag;
	if (json_bool(json_get(body, "disabled"), &flag))
		co->is_disabled = flag;
	if (json_bool(json_get(body, "linked"), &flag))
		co->is_linked = flag;
	if (json_bool(json_get(body, "drop_tokens"), &flag) && flag)
		co->token_epoch++;
	if (json_bool(json_get(body, "new_day"), &flag) && flag)
		co->sent_today = 0;
	if (json_bool(json_get(body, "admin"), &flag))
		co->members->is_admin = flag;
	const char *text = json_str(json_get(body, "missing_scope"));
	if (text)
		co->refuses_missing_scope = strcmp(text, "refuse") == 0;
	text = json_str(json_get(body, "settings_patch"));
	if (text)
		co->wants_whole_settings = strcmp(text, "whole") == 0;
	co->token_s = control_int(body, "token_s", co->token_s, 86400);
	co->daily_limit = control_int(body, "daily_limit", co->daily_limit, 1000000);
}

static void change_texts(struct maventa *m, struct mv_company *co, const struct json *body)
{
	const struct {
		const char *key, **into;
	} texts[] = { { "company_state", &co->state },
		      { "auth_state", &co->auth_state },
		      { "auth_email", &co->auth_email },
		      { "name", &co->name } };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = json_text(json_get(body, texts[i].key));
		if (text)
			*texts[i].into = mv_keep(m, text);
	}
	const char *scopes = json_str(json_get(body, "denied_scopes"));
	const char *member = json_str(json_get(body, "member"));
	struct mv_user *user = member ? mv_user_by_email_locked(m, member) : NULL;
	bool unknown;
	if (user)
		(void)!mv_join_locked(m, co, user, true); /* without memory: the caller sees */
	if (scopes)
		co->denied_scopes = mv_scopes_parse(scopes, &unknown);
}

static void serve_company(struct maventa *m, struct mv_company *co, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (call_is(c, "POST") && !body)
		return;
	if (body) {
		change_flags(co, body);
		change_texts(m, co, body);
		read_script(m, body, &co->preset);
	}
	write_company(&w, co, true);
	reply_json(c, 200, &sb);
}

static void serve_outcomes(struct maventa *m, struct mv_company *co, struct call *c)
{
	const struct json *body = control_body(c);
	if (!body)
		return;
	if (add_order_locked(m, co, body))
		reply_empty(c, 204);
}

/* By uuid, else the newest with the number. */
static struct mv_invoice *find_invoice(struct maventa *m, struct mv_company *co, const char *which)
{
	struct mv_invoice *in = table_get(&m->by_id, which);
	if (!in)
		in = table_get(&co->by_number, which);
	while (in && in->is_deleted)
		in = in->next_same_number;
	return in;
}

/* Who is to be told of what became of an invoice, once the lock is given back. */
#define HOOKS_MAX 8
struct mv_news {
	const char *event, *id;
	const char *urls[HOOKS_MAX];
	size_t n;
};

static void gather_locked(struct mv_invoice *in, enum mv_status before, struct call *c,
			  struct mv_news *ret)
{
	if (in->status == before)
		return;
	ret->event = in->status == MV_FAILED ? "DOCUMENTS.INVOICE.FAILED"
					     : "DOCUMENTS.INVOICE.DELIVERED";
	ret->id = in->id;
	const struct mv_subscription *s = in->company->subscriptions;
	for (; s && ret->n < HOOKS_MAX; s = s->next) {
		const struct json *j;
		if (!s->is_gone &&
		    json_parse(c->arena, span_of(s->json), JSON_LIMITS_API, &j, NULL))
			ret->urls[ret->n++] = json_str(json_get(j, "destination"));
	}
}

/* What it looks like is a guess (facts/maventa.md §11). */
static void tell(struct call *c, const struct mv_news *news)
{
	struct strbuf sb = STRBUF_INIT(c->arena, 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&w);
	jsonw_kstr(&w, "event", news->event);
	jsonw_kstr(&w, "id", news->id);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, NULL))
		return;
	for (size_t i = 0; i < news->n; i++)
		(void)hook_send(c->arena, news->urls[i], span_of(text),
				(struct http_header) { NULL, NULL });
}

/* GET: the XML as it came. POST: a new script, which may be due at once. DELETE: as if it had never
 * been made. */
static void serve_invoice(struct maventa *m, struct mv_company *co, struct call *c,
			  const char *which, struct mv_news *news)
{
	struct mv_invoice *in = find_invoice(m, co, which);
	const struct json *body = in && call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!in) {
		control_error(c, 404, "no such invoice: %s", which);
	} else if (call_is(c, "DELETE")) {
		in->is_deleted = true;
		reply_empty(c, 204);
	} else if (body) {
		enum mv_status before = in->status;
		in->script = (struct mv_script) { .message = in->script.message };
		read_script(m, body, &in->script);
		mv_advance_locked(m, in, false);
		gather_locked(in, before, c, news);
		write_document(&w, in);
		reply_json(c, 200, &sb);
	} else if (call_is(c, "GET")) {
		reply_bytes(c, 200, "text/xml", in->doc.xml);
	}
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void serve_users(struct maventa *m, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	const char *email = json_str(json_get(body, "email"));
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (call_is(c, "POST") && !body)
		return;
	if (email && !mv_user_by_email_locked(m, email)) {
		const char *first = json_str(json_get(body, "first_name"));
		const char *last = json_str(json_get(body, "last_name"));
		if (!mv_add_user_locked(m, email, first ? first : "Matti",
					last ? last : "Mallikas"))
			return;
	}
	jsonw_array(&w);
	for (const struct mv_user *u = m->users; u; u = u->next) {
		jsonw_object(&w);
		jsonw_kstr(&w, "email", u->email);
		jsonw_kstr(&w, "user_api_key", u->key);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	reply_json(c, 200, &sb);
}

static void serve_all(struct maventa *m, struct call *c)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	const char *style = json_str(json_get(body, "array_style"));
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (call_is(c, "POST") && !body)
		return;
	if (style)
		m->takes_brackets = strcmp(style, "brackets") == 0;
	m->token_error = (unsigned)control_int(body, "token_error", m->token_error, 499);
	jsonw_object(&w);
	jsonw_kstr(&w, "array_style", m->takes_brackets ? "brackets" : "plain");
	jsonw_kint(&w, "token_error", m->token_error ? m->token_error : 401);
	jsonw_kint(&w, "registrations", (int64_t)m->registrations);
	jsonw_key(&w, "partner");
	jsonw_object(&w);
	jsonw_kstr(&w, "vendor_api_key", MV_VENDOR_KEY);
	jsonw_kstr(&w, "company_uuid", m->partner->id);
	jsonw_kstr(&w, "user_api_key", m->partner->members->user->key);
	jsonw_end_object(&w);
	jsonw_key(&w, "companies");
	jsonw_array(&w);
	write_companies(&w, m->companies, false);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	reply_json(c, 200, &sb);
}

static void serve_locked(struct maventa *m, struct call *c, size_t first, struct mv_news *news)
{
	size_t n = c->n_segments - first;
	const char *const *seg = c->segments + first;
	struct mv_company *co = n ? mv_find_locked(m, seg[0]) : NULL;
	if (n == 0)
		serve_all(m, c);
	else if (strcmp(seg[0], "users") == 0)
		serve_users(m, c);
	else if (!co)
		control_error(c, 404, "no such company at Maventa: %s", seg[0]);
	else if (n == 1)
		serve_company(m, co, c);
	else if (strcmp(seg[1], "outcomes") == 0)
		serve_outcomes(m, co, c);
	else if (strcmp(seg[1], "invoices") == 0 && n == 3)
		serve_invoice(m, co, c, seg[2], news);
	else
		control_error(c, 404, "no such thing: %s", seg[1]);
}

void mv_control(void *state, struct call *c, size_t first)
{
	struct maventa *m = state;
	struct mv_news news = { .n = 0 };
	pthread_mutex_lock(&m->base.lock);
	serve_locked(m, c, first, &news);
	pthread_mutex_unlock(&m->base.lock);
	if (news.n)
		tell(c, &news);
}
