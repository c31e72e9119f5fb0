/*
 * maventa_company.c: accounts of the Maventa stand-in (facts/maventa.md §2, 7, 10, 11): companies
 * and their users, the link to the vendor, the authentication, receivers, and subscriptions.
 */
#include "base/base.h"

#include "maventa.h"

#define BIDS_MAX 10

/* ---- users and companies ------------------------------------------------------------------- */

struct mv_user *mv_user_by_email_locked(struct maventa *m, const char *email)
{
	for (struct mv_user *u = m->users; u; u = u->next)
		if (strcasecmp(u->email, email) == 0)
			return u;
	return NULL;
}

struct mv_user *mv_add_user_locked(struct maventa *m, const char *email, const char *first_name,
				   const char *last_name)
{
	struct mv_user *u = arena_alloc(m->base.arena, sizeof(*u));
	if (!u)
		return NULL;
	*u = (struct mv_user) { .next = m->users,
				.email = mv_keep(m, email),
				.first_name = mv_keep(m, first_name),
				.last_name = mv_keep(m, last_name) };
	mv_fixed_id("user", email, u->id);
	mv_fixed_id("user key", email, u->key);
	m->users = u;
	return u;
}

struct mv_company *mv_add_company_locked(struct maventa *m, const char *name,
					 const char *business_id, const char *vat_number,
					 const char *country, const char *email)
{
	char id[32];
	struct mv_company *co = arena_alloc(m->base.arena, sizeof(*co));
	if (!co)
		return NULL;
	*co = (struct mv_company) { .next = m->companies,
				    .name = mv_keep(m, name),
				    .business_id = mv_keep(m, mv_business_id(business_id, id)),
				    .vat_number = mv_keep(m, vat_number),
				    .country = mv_keep(m, country),
				    .email = mv_keep(m, email),
				    .state = "UNVERIFIED",
				    .auth_state = "NONE",
				    .auth_email = "",
				    .preset = { .is_set = true, .after_reads = 2 },
				    .token_s = 3600 };
	mv_fixed_id("company", co->business_id, co->id);
	co->settings = mv_default_settings(m, co);
	if (!co->settings)
		return NULL;
	m->companies = co;
	return co;
}

bool mv_join_locked(struct maventa *m, struct mv_company *co, struct mv_user *user, bool is_admin)
{
	struct mv_member *mb = arena_alloc(m->base.arena, sizeof(*mb));
	if (!mb)
		return false;
	*mb = (struct mv_member) { co->members, user, is_admin };
	co->members = mb;
	return true;
}

static bool is_member(const struct mv_company *co, const struct mv_user *user)
{
	for (const struct mv_member *mb = co->members; mb; mb = mb->next)
		if (mb->user == user)
			return true;
	return false;
}

static bool is_admin(const struct mv_call *mc)
{
	for (const struct mv_member *mb = mc->company->members; mb; mb = mb->next)
		if (mb->user == mc->user)
			return mb->is_admin;
	return false;
}

/* Those of the token's user. */
void mv_companies_locked(struct mv_call *mc)
{
	const char *bid = call_param(mc->c, "bid"), *country = call_param(mc->c, "country");
	char want[32], have[32];
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	mv_business_id(bid, want);
	jsonw_array(&w);
	for (const struct mv_company *co = mc->m->companies; co; co = co->next) {
		if (!is_member(co, mc->user) || co->is_disabled)
			continue;
		if (bid && strcmp(mv_business_id(co->business_id, have), want) != 0)
			continue;
		if (country && strcasecmp(co->country, country) != 0)
			continue;
		jsonw_object(&w);
		jsonw_kstr(&w, "id", co->id);
		jsonw_kstr(&w, "name", co->name);
		jsonw_kstr(&w, "bid", co->business_id);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	reply_json(mc->c, 200, &sb);
}

/* The next of a comma-separated list, in the arena; NULL at its end. */
static const char *next_in_list(struct arena *arena, const char **list)
{
	if (!*list || !**list)
		return NULL;
	size_t n = strcspn(*list, ",");
	const char *ret = arena_memdup(arena, *list, n);
	*list += n;
	*list += **list == ',';
	return ret;
}

void mv_partner_lookup_locked(struct mv_call *mc)
{
	const char *list = call_param(mc->c, "bids"), *country = call_param(mc->c, "country");
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *bid;
	int n = 0;
	if (!list || !list[0] || !country || !country[0]) {
		mv_fail(mc, 400, "invalid_parameters", "bids and country are required", NULL);
		return;
	}
	jsonw_array(&w);
	while ((bid = next_in_list(mc->c->arena, &list)) && ++n <= BIDS_MAX) {
		bool taken = mv_by_business_id_locked(mc->m, bid, country) != NULL;
		jsonw_object(&w);
		jsonw_kstr(&w, "company_bid", bid);
		jsonw_kstr(&w, "company_status", taken ? "RESERVED" : "FREE");
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	if (n > BIDS_MAX)
		mv_fail(mc, 400, "invalid_parameters", "at most 10 bids", NULL);
	else
		reply_json(mc->c, 200, &sb);
}

/* ---- link to the vendor -------------------------------------------------------------------- */

void mv_vendors_locked(struct mv_call *mc)
{
	struct mv_company *co = mc->company;
	if (call_is(mc->c, "DELETE")) {
		if (!co->is_linked) {
			mv_fail(mc, 404, "not_found", "Not linked", NULL);
			return;
		}
		co->is_linked = false;
		reply_empty(mc->c, 204);
		return;
	}
	bool is_new = call_is(mc->c, "POST");
	co->is_linked = co->is_linked || is_new;
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "state", co->is_linked ? "LINKED" : "NOT_LINKED");
	jsonw_end_object(&w);
	reply_json(mc->c, is_new ? 201 : 200, &sb);
}

/* ---- authentication ------------------------------------------------------------------------ */

static void answer_state(struct mv_call *mc, const struct mv_company *co)
{
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "auth_state", co->auth_state);
	jsonw_kstr(&w, "auth_email", co->auth_email[0] ? co->auth_email : NULL);
	jsonw_key(&w, "company_state");
	if (strcmp(co->state, "1") == 0 || strcmp(co->state, "-1") == 0)
		jsonw_int(&w, co->state[0] == '-' ? -1 : 1); /* the other form (§7.4) */
	else
		jsonw_str(&w, co->state);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

void mv_authorization_locked(struct mv_call *mc)
{
	answer_state(mc, mc->company);
}

void mv_company_status_locked(struct mv_call *mc)
{
	struct mv_company *co = mv_find_locked(mc->m, mc->id);
	if (!co || !is_member(co, mc->user))
		mv_fail(mc, 404, "not_found", "Not Found", NULL);
	else
		answer_state(mc, co);
}

static bool is_one_of(const char *text, const char *list)
{
	size_t n = strlen(text);
	for (const char *p = list; n && (p = strstr(p, text)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

void mv_authorize_locked(struct mv_call *mc)
{
	const struct json *body;
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!json_parse(mc->c->arena, mc->c->body, JSON_LIMITS_API, &body, NULL)) {
		mv_fail(mc, 400, "invalid_parameters", "Malformed body", NULL);
		return;
	}
	const char *email = json_str(json_get(body, "auth_email"));
	const char *locale = json_str(json_get(body, "locale"));
	if (!email || !strchr(email, '@') || !locale || !is_one_of(locale, "FI NO SE EN NL BE")) {
		mv_fail(mc, 400, "invalid_parameters", "auth_email or locale is invalid", NULL);
		return;
	}
	mc->company->auth_email = mv_keep(mc->m, email);
	mc->company->auth_state = "SENT";
	mc->company->authorizations++;
	jsonw_object(&w);
	jsonw_kstr(&w, "status", "SENT");
	jsonw_kint(&w, "count", 1);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

/* ---- subscriptions ------------------------------------------------------------------------- */

void mv_notifications_locked(struct mv_call *mc)
{
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_array(&w);
	for (const struct mv_subscription *s = mc->company->subscriptions; s; s = s->next)
		if (!s->is_gone)
			jsonw_raw(&w, span_of(s->json));
	jsonw_end_array(&w);
	reply_json(mc->c, 200, &sb);
}

static bool is_subscription(const struct json *body)
{
	const char *type = json_str(json_get(body, "destination_type"));
	const char *url = json_str(json_get(body, "destination"));
	return type && is_one_of(type, "WEBHOOK VENDOR_WEBHOOK") && url &&
	       strncmp(url, "http", 4) == 0 && json_type(json_get(body, "events")) == JSON_ARRAY;
}

void mv_notify_locked(struct mv_call *mc)
{
	struct mv_company *co = mc->company;
	const struct json *body;
	struct mv_subscription *s = arena_alloc(mc->m->base.arena, sizeof(*s));
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	if (!json_parse(mc->c->arena, mc->c->body, JSON_LIMITS_API, &body, NULL) ||
	    !is_subscription(body)) {
		mv_fail(mc, 400, "invalid_parameters", "The subscription is invalid", NULL);
		return;
	}
	if (!is_admin(mc)) {
		mv_unauthorized(mc);
		return;
	}
	if (!s)
		return;
	sign_uuid4(s->id);
	jsonw_object(&w);
	jsonw_kstr(&w, "id", s->id);
	for (const struct json *j = json_first(body); j; j = json_next(j)) {
		jsonw_key(&w, json_key(j));
		jsonw_node(&w, j);
	}
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, NULL))
		return;
	s->json = mv_keep(mc->m, text);
	s->next = co->subscriptions;
	co->subscriptions = s;
	reply_json(mc->c, 201, &sb);
}

void mv_notification_locked(struct mv_call *mc)
{
	struct mv_subscription *s = mc->company->subscriptions;
	while (s && (s->is_gone || strcasecmp(s->id, mc->id) != 0))
		s = s->next;
	if (!s) {
		mv_fail(mc, 404, "not_found", "Not Found", NULL);
	} else if (call_is(mc->c, "DELETE")) {
		s->is_gone = true;
		reply_empty(mc->c, 204);
	} else {
		reply_text(mc->c, 200, "application/json", s->json);
	}
}

/* ---- receivers ----------------------------------------------------------------------------- */

static void write_receiver(struct json_writer *w, const struct mv_receiver *r)
{
	const char *colon = strchr(r->address, ':');
	char scheme[16] = "";
	if (colon)
		snprintf(scheme, sizeof(scheme), "%.*s", (int)(colon - r->address), r->address);
	jsonw_object(w);
	jsonw_kstr(w, "eia", r->address);
	jsonw_key(w, "identifier");
	jsonw_object(w);
	jsonw_kstr(w, "scheme", colon ? scheme : NULL);
	jsonw_kstr(w, "endpoint_id", colon ? colon + 1 : r->address);
	jsonw_end_object(w);
	jsonw_kstr(w, "network", r->network);
	jsonw_kstr(w, "operator", r->operator_id);
	jsonw_key(w, "document_types");
	jsonw_raw(w, SPAN_LIT("[{\"document_type\":\"INVOICE\"}]"));
	jsonw_key(w, "participant");
	jsonw_object(w);
	jsonw_kstr(w, "name", r->name);
	jsonw_kstr(w, "bid", r->business_id);
	jsonw_kstr(w, "country", r->country);
	jsonw_end_object(w);
	jsonw_end_object(w);
}

static bool is_wanted(struct call *c, const struct mv_receiver *r)
{
	const char *networks = call_param(c, "network"), *network;
	const char *bid = call_param(c, "bid"), *name = call_param(c, "name");
	char want[32], have[32];
	bool in_network = false;
	while ((network = next_in_list(c->arena, &networks)))
		in_network = in_network || strcasecmp(network, r->network) == 0;
	if (bid && strcmp(mv_business_id(bid, want), mv_business_id(r->business_id, have)) != 0)
		return false;
	return in_network && (!name || strcasestr(r->name, name)) &&
	       (!call_param(c, "eia") || call_param_is(c, "eia", r->address)) &&
	       (!call_param(c, "country") || call_param_is(c, "country", r->country));
}

void mv_receivers_locked(struct mv_call *mc)
{
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	int64_t page, per_page, n = 0;
	if (!call_param(mc->c, "network") || !call_param_int(mc->c, "page", 1, &page) ||
	    !call_param_int(mc->c, "per_page", 100, &per_page) || page < 1 || per_page < 1 ||
	    per_page > 100) {
		mv_fail(mc, 400, "invalid_parameters", "network is missing", NULL);
		return;
	}
	jsonw_array(&w);
	for (size_t i = 0; i < mc->m->n_receivers; i++) {
		if (!is_wanted(mc->c, &mc->m->receivers[i]))
			continue;
		if (n >= (page - 1) * per_page && n < page * per_page)
			write_receiver(&w, &mc->m->receivers[i]);
		n++;
	}
	jsonw_end_array(&w);
	reply_json(mc->c, 200, &sb);
}
