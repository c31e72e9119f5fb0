/*
 * talenom.c: the way in to the Talenom stand-in: routes, errors, tokens, who calls, and its life.
 *
 * A call is /talenom/<region>/<path as at the vendor's>, tokens come from
 * /talenom/identity/connect/token. A gateway stands before the API, as the real one does: it looks
 * at the subscription key first and has error bodies of its own (facts/talenom.md §2.1).
 */
#include "base/base.h"

#include "talenom.h"

#define REGION "fi"

static void token_locked(struct tn_call *tc);

#define SALES "{}/sales/v1/{}/"
#define VOUCHERS "{}/general-ledger/v2/vouchers/{}"

/* The first serves without login. */
static const struct tn_route routes[] = {
	{ "POST", "identity/connect/token", token_locked },
	{ "GET", SALES "sales-accounts", tn_accounts_locked },
	{ "GET", SALES "products", tn_products_locked },
	{ "POST", SALES "products", tn_add_product_locked },
	{ "PUT", SALES "products/{}", tn_change_product_locked },
	{ "GET", SALES "contacts", tn_contacts_locked },
	{ "POST", SALES "contacts", tn_add_contact_locked },
	{ "PUT", SALES "contacts/{}", tn_change_contact_locked },
	{ "GET", SALES "invoices", tn_invoices_locked },
	{ "POST", SALES "invoices", tn_draft_locked },
	{ "GET", SALES "invoices/{}", tn_invoice_locked },
	{ "PUT", SALES "invoices/{}", tn_content_locked },
	{ "POST", SALES "invoices/{}/approve", tn_approve_locked },
	{ "PUT", SALES "invoices/{}/payment-state", tn_payment_locked },
	{ "GET", VOUCHERS, tn_vouchers_locked },
	{ "POST", VOUCHERS, tn_post_vouchers_locked },
};

/* ---- answers ------------------------------------------------------------------------------- */

bool tn_fail(struct tn_call *tc, unsigned status, const char *code, const char *text)
{
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	char id[UUID_TEXT];
	sign_uuid4(id);
	jsonw_object(&w);
	jsonw_kstr(&w, "error", text);
	jsonw_kstr(&w, "code", code);
	jsonw_kstr(&w, "telemetryId", id);
	jsonw_end_object(&w);
	tc->c->note = code;
	reply_json(tc->c, status, &sb);
	return false;
}

bool tn_refuse(struct tn_call *tc, const char *code, const char *text)
{
	tc->org->refused++;
	return tn_fail(tc, 400, code, text);
}

/* The gateway's own form. */
static bool gateway(struct call *c, unsigned status, const char *message)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kint(&w, "statusCode", status);
	jsonw_kstr(&w, "message", message);
	jsonw_end_object(&w);
	c->note = message;
	reply_json(c, status, &sb);
	return false;
}

const char *tn_keep(struct talenom *t, const char *text)
{
	return keep_text(t->base.arena, text);
}

const char *tn_keep_json(struct talenom *t, struct strbuf *sb)
{
	const char *text;
	return strbuf_finish(sb, &text, NULL) ? arena_strdup(t->base.arena, text) : NULL;
}

void tn_write_version(struct json_writer *w, uint64_t version)
{
	char text[24];
	snprintf(text, sizeof(text), "%016" PRIx64, version);
	jsonw_kstr(w, "rowVersion", text);
}

bool tn_is_version(const struct json *body, uint64_t version)
{
	char text[24];
	snprintf(text, sizeof(text), "%016" PRIx64, version);
	return str_eq(json_str(json_get(body, "rowVersion")), text);
}

const char *tn_text(const struct json *j, const char *path)
{
	const char *text = json_text(json_at(j, path));
	return text ? text : "";
}

struct decimal tn_decimal(const struct json *j, const char *name)
{
	struct decimal ret;
	return decimal_parse(span_of(tn_text(j, name)), &ret) ? ret : DECIMAL_ZERO;
}

/* ---- tokens -------------------------------------------------------------------------------- */

struct tn_org *tn_find_locked(struct talenom *t, const char *name)
{
	struct tn_org *org = t->orgs;
	while (org && !str_eq(org->tenant, name) && strcmp(org->number, name) != 0)
		org = org->next;
	return org;
}

static void refuse_token(struct call *c, unsigned status, const char *error)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "error", error);
	jsonw_end_object(&w);
	c->note = error;
	reply_json(c, status, &sb);
}

static void token_locked(struct tn_call *tc)
{
	struct talenom *t = tc->t;
	const char *id = form_value(tc->c->arena, tc->c->body, "client_id");
	const char *secret = form_value(tc->c->arena, tc->c->body, "client_secret");
	struct tn_org *org = t->orgs;
	if (!str_eq(form_value(tc->c->arena, tc->c->body, "grant_type"), "client_credentials")) {
		refuse_token(tc->c, 400, "unsupported_grant_type");
		return;
	}
	while (org && !(str_eq(org->client_id, id) && str_eq(org->client_secret, secret)))
		org = org->next;
	struct tn_token *token = org ? arena_alloc(t->base.arena, sizeof(*token)) : NULL;
	char *text = token ? arena_alloc(t->base.arena, UUID_TEXT) : NULL;
	if (!text) {
		refuse_token(tc->c, 400, "invalid_client");
		return;
	}
	*token = (struct tn_token) { .org = org,
				     .epoch = org->token_epoch,
				     .expires_ms = clock_wall_ms() + org->token_s * 1000 };
	sign_uuid4(text);
	org->token_requests++;
	tc->c->tenant = org->number;
	if (!table_put(&t->tokens, text, token))
		return;
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "access_token", text);
	jsonw_kstr(&w, "token_type", "Bearer");
	jsonw_kint(&w, "expires_in", org->token_s);
	jsonw_end_object(&w);
	reply_json(tc->c, 200, &sb);
}

/* ---- the way in ---------------------------------------------------------------------------- */

/* Segments 3 and 4 are the organisation's number in the two APIs. */
static const char *org_of(const struct call *c)
{
	size_t at = c->n_segments > 1 && strcmp(c->segments[1], "general-ledger") == 0 ? 4 : 3;
	return c->n_segments > at ? c->segments[at] : "";
}

static bool find_route(struct tn_call *tc)
{
	unsigned status;
	tc->route = call_find_route(tc->c, routes, ARRAY_SIZE(routes), sizeof(routes[0]), &tc->id,
				    &status);
	if (!tc->route)
		return gateway(tc->c, status, "Resource not found");
	return tc->route == &routes[0] || strcmp(tc->c->segments[0], REGION) == 0 ||
	       gateway(tc->c, 404, "Resource not found");
}

/* The gateway looks at the subscription key, then the API at the token, which says whose
 * organisation it opens. */
static bool authenticate_locked(struct tn_call *tc)
{
	const char *key = call_header(tc->c, "Ocp-Apim-Subscription-Key");
	const char *bearer = call_bearer(tc->c);
	const struct tn_org *subscriber = tc->t->orgs;
	tc->org = tn_find_locked(tc->t, org_of(tc->c));
	if (tc->org) {
		tc->org->calls++;
		tc->c->tenant = tc->org->number;
	}
	while (subscriber && !str_eq(subscriber->subscription_key, key))
		subscriber = subscriber->next;
	if (!subscriber)
		return gateway(tc->c, 401, "Access denied due to invalid subscription key.");
	const struct tn_token *token = bearer ? table_get(&tc->t->tokens, bearer) : NULL;
	bool is_good = token && token->epoch == token->org->token_epoch &&
		       clock_wall_ms() < token->expires_ms;
	if (is_good && token->org == tc->org)
		return true;
	if (tc->org)
		tc->org->unauthorized++;
	reply_empty(tc->c, is_good ? 403 : 401);
	return false;
}

static bool begin(void *state, struct call *c)
{
	struct tn_call *tc = arena_alloc(c->arena, sizeof(*tc));
	if (!tc)
		return false;
	tc->c = c;
	tc->t = state;
	c->ctx = tc;
	if (!find_route(tc))
		return false;
	if (tc->route == &routes[0])
		return true;
	pthread_mutex_lock(&tc->t->base.lock);
	bool ok = authenticate_locked(tc);
	pthread_mutex_unlock(&tc->t->base.lock);
	return ok;
}

static void serve(void *state, struct call *c)
{
	struct talenom *t = state;
	struct tn_call *tc = c->ctx;
	bool has_body = c->body.n > 0 && tc->route != &routes[0];
	if (has_body && !json_parse(c->arena, c->body, JSON_LIMITS_VENDOR, &tc->body, NULL)) {
		tn_fail(tc, 400, "MALFORMED", "The body is not JSON");
		return;
	}
	pthread_mutex_lock(&t->base.lock);
	tc->route->serve_locked(tc);
	pthread_mutex_unlock(&t->base.lock);
}

/* A fault: with a code, the API's error object; without, none or what the gateway says. */
static void refuse(struct call *c, unsigned status)
{
	struct tn_call tc = { .c = c };
	if (c->fault.code[0])
		tn_fail(&tc, status, c->fault.code, "Refused by a fault");
	else if (status == 429)
		gateway(c, status, "Rate limit is exceeded. Try again in 1 seconds.");
	else if (status == 403)
		gateway(c, status, "Out of call volume quota. Quota will be replenished in 1h.");
	else
		reply_text(c, status, "text/html", "<html><body>gateway</body></html>\n");
}

/* ---- life ---------------------------------------------------------------------------------- */

static void close_state(void *state)
{
	struct talenom *t = state;
	if (!t)
		return;
	table_release(&t->tokens);
	standin_free(t);
}

static void *open_state(struct sandbox *sb, struct err *err)
{
	(void)sb;
	struct talenom *t = standin_new(sizeof(*t), err);
	if (t)
		t->next_org = 14222;
	return t;
}

static const char *whose(void *state, const struct call *c)
{
	(void)state;
	return org_of(c);
}

const struct standin talenom_standin = {
	.name = "talenom",
	.open = open_state,
	.close = close_state,
	.whose = whose,
	.begin = begin,
	.serve = serve,
	.refuse = refuse,
	.control = tn_control,
	.write_ledger = tn_write_ledger,
	.write_setup = tn_write_setup,
	.add_tenant = tn_seed,
	.is_locked_whole = true,
};
