/*
 * maventa.c: the way in to the Maventa stand-in: routes, errors, who calls, and its life.
 *
 * A REST call is /maventa/<path as at the vendor's>; the SOAP API lies below /maventa/apis/. Keeps
 * to the vendor's specification; what that leaves open is as facts/maventa.md assumes, and
 * README.md says where.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "maventa.h"

#include <ctype.h>

static const struct mv_route routes[] = {
	{ "POST", "oauth2/token", 0, NULL, mv_token_locked },
	{ "GET", "oauth2/current", MV_GLOBAL, NULL, mv_current_locked },
	{ "GET", "status/authenticated", MV_GLOBAL, NULL, mv_authenticated_locked },
	{ "GET", "v1/companies", MV_COMPANY_READ, NULL, mv_companies_locked },
	{ "GET", "v1/companies/{}/status", MV_COMPANY_READ, NULL, mv_company_status_locked },
	{ "GET", "v1/partner/lookups/companies", MV_PARTNER_LOOKUPS, NULL,
	  mv_partner_lookup_locked },
	{ "GET", "v1/company/vendors", MV_COMPANY_WRITE, NULL, mv_vendors_locked },
	{ "POST", "v1/company/vendors", MV_COMPANY_WRITE, NULL, mv_vendors_locked },
	{ "DELETE", "v1/company/vendors", MV_COMPANY_WRITE, NULL, mv_vendors_locked },
	{ "GET", "v1/company/authorization", MV_COMPANY_READ, NULL, mv_authorization_locked },
	{ "POST", "v1/company/authorization", MV_COMPANY_WRITE, NULL, mv_authorize_locked },
	{ "GET", "v1/company/settings", MV_COMPANY_READ, NULL, mv_settings_locked },
	{ "PATCH", "v1/company/settings", MV_COMPANY_WRITE, NULL, mv_change_settings_locked },
	{ "GET", "v1/company/notifications", MV_COMPANY_READ, NULL, mv_notifications_locked },
	{ "POST", "v1/company/notifications", MV_COMPANY_WRITE, NULL, mv_notify_locked },
	{ "GET", "v1/company/notifications/{}", MV_COMPANY_READ, NULL, mv_notification_locked },
	{ "DELETE", "v1/company/notifications/{}", MV_COMPANY_WRITE, NULL, mv_notification_locked },
	{ "GET", "v1/lookup/receivers", MV_LOOKUP, NULL, mv_receivers_locked },
	{ "POST", "v1/invoices", MV_INVOICE_SEND, mv_upload_prepare, mv_upload_locked },
	{ "GET", "v1/invoices", MV_INVOICE_SEND | MV_INVOICE_RECEIVE, NULL, mv_list_locked },
	{ "GET", "v1/invoices/{}", MV_INVOICE_SEND | MV_INVOICE_RECEIVE, NULL, mv_invoice_locked },
	{ "GET", "v1/invoices/{}/actions", MV_INVOICE_SEND | MV_INVOICE_RECEIVE, NULL,
	  mv_actions_locked },
	{ "GET", "apis/v1.1/wsdl", 0, NULL, mv_wsdl_locked },
	{ "POST", "apis/v1.1/api", 0, mv_soap_prepare, mv_soap_locked },
};

/* ---- answers ------------------------------------------------------------------------------- */

bool mv_fail(struct mv_call *mc, unsigned status, const char *code, const char *message,
	     const char *details)
{
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "code", code);
	jsonw_kstr(&w, "message", message);
	jsonw_key(&w, "details");
	jsonw_array(&w);
	if (details)
		jsonw_str(&w, details);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	mc->c->note = code;
	reply_json(mc->c, status, &sb);
	return false;
}

/* No access, a bad token, and a company that may not send yet are told alike (§4, §5.5). */
bool mv_unauthorized(struct mv_call *mc)
{
	if (mc->company)
		mc->company->unauthorized++;
	return mv_fail(mc, 401, "unauthorized", "Unauthorized", NULL);
}

void mv_time(struct json_writer *w, const char *key, int64_t ms)
{
	char buf[CLOCK_RFC3339_MAX];
	clock_rfc3339(ms, buf);
	buf[19] = 'Z';
	buf[20] = '\0';
	jsonw_kstr(w, key, buf);
}

const char *mv_keep(struct maventa *m, const char *text)
{
	return keep_text(m->base.arena, text);
}

/* ---- finding ------------------------------------------------------------------------------- */

const char *mv_business_id(const char *text, char buf[32])
{
	size_t n = 0;
	for (const char *p = text ? text : ""; *p && n < 30; p++)
		if (isdigit((unsigned char)*p))
			buf[n++] = *p;
	buf[n] = '\0';
	if (n == 8 && (strncasecmp(text, "FI", 2) == 0 || text[7] == '-')) {
		buf[8] = buf[7];
		buf[7] = '-';
		buf[9] = '\0';
	}
	return buf;
}

struct mv_company *mv_by_business_id_locked(struct maventa *m, const char *id, const char *country)
{
	char want[32], have[32];
	mv_business_id(id, want);
	for (struct mv_company *co = m->companies; co; co = co->next)
		if (want[0] && strcmp(mv_business_id(co->business_id, have), want) == 0 &&
		    (!country || !country[0] || strcasecmp(co->country, country) == 0))
			return co;
	return NULL;
}

/* The oldest of a tenant's is the one that the sandbox made. */
struct mv_company *mv_find_locked(struct maventa *m, const char *name)
{
	struct mv_company *found = NULL;
	for (struct mv_company *co = m->companies; co; co = co->next)
		if (str_eq(co->tenant, name) || strcasecmp(co->id, name) == 0)
			found = co;
	return found ? found : mv_by_business_id_locked(m, name, NULL);
}

/* ---- the way in ---------------------------------------------------------------------------- */

static bool find_route(struct mv_call *mc)
{
	unsigned status;
	mc->route = call_find_route(mc->c, routes, ARRAY_SIZE(routes), sizeof(routes[0]), &mc->id,
				    &status);
	return mc->route || mv_fail(mc, status, "not_found", "Not Found", NULL);
}

static bool begin(void *state, struct call *c)
{
	struct mv_call *mc = arena_alloc(c->arena, sizeof(*mc));
	if (!mc)
		return false;
	mc->c = c;
	mc->m = state;
	c->ctx = mc;
	if (!find_route(mc))
		return false;
	if (!mc->route->scope)
		return true;
	pthread_mutex_lock(&mc->m->base.lock);
	bool ok = mv_authenticate(mc);
	if (mc->company) {
		mc->company->calls++;
		c->tenant = mc->company->id;
	}
	pthread_mutex_unlock(&mc->m->base.lock);
	return ok;
}

static void serve(void *state, struct call *c)
{
	struct maventa *m = state;
	struct mv_call *mc = c->ctx;
	if (mc->route->prepare && !mc->route->prepare(mc))
		return;
	pthread_mutex_lock(&m->base.lock);
	mc->route->serve_locked(mc);
	pthread_mutex_unlock(&m->base.lock);
}

/* A fault: with a code, Maventa's error object with that text; without, what a gateway says. */
static void refuse(struct call *c, unsigned status)
{
	struct mv_call mc = { .c = c };
	if (c->fault.code[0]) {
		char *text = arena_printf(c->arena, "ERROR: %s", c->fault.code);
		mv_fail(&mc, status, "invoice_create_api_error", "Error while creating invoice",
			text);
		return;
	}
	char *text = arena_printf(c->arena,
				  "<html><head><title>%u</title></head><body>%u</body></html>\n",
				  status, status);
	reply_text(c, status, "text/html", text ? text : "");
}

/* ---- life ---------------------------------------------------------------------------------- */

static void close_state(void *state)
{
	struct maventa *m = state;
	if (!m)
		return;
	for (struct mv_company *co = m->companies; co; co = co->next)
		table_release(&co->by_number);
	table_release(&m->tokens);
	table_release(&m->by_id);
	mem_free(m->receivers);
	standin_free(m);
}

/* Our own account: who asks whether companies are registered. */
static bool add_partner(struct maventa *m)
{
	struct mv_company *co = mv_add_company_locked(m, "Viesti Kumppani Oy", "9000901-6", "",
						      "FI", "kumppani@viesti.example");
	struct mv_user *user = mv_add_user_locked(m, "kumppani@viesti.example", "Vilma",
						  "Viestinviejä");
	if (!co || !user || !mv_join_locked(m, co, user, true))
		return false;
	co->is_partner = true;
	co->state = "VERIFIED";
	m->partner = co;
	return true;
}

static void *open_state(struct sandbox *sb, struct err *err)
{
	(void)sb;
	struct maventa *m = standin_new(sizeof(*m), err);
	if (!m || add_partner(m))
		return m;
	close_state(m);
	err_set(err, ERR_MEMORY, "out of memory");
	return NULL;
}

/* The company whose token it is, for faults that are meant for one. */
static const char *whose(void *state, const struct call *c)
{
	struct maventa *m = state;
	const char *bearer = call_bearer(c);
	const char *id = NULL;
	if (!bearer)
		return NULL;
	pthread_mutex_lock(&m->base.lock);
	const struct mv_token *token = table_get(&m->tokens, bearer);
	if (token)
		id = token->company->id;
	pthread_mutex_unlock(&m->base.lock);
	return id;
}

const struct standin maventa_standin = {
	.name = "maventa",
	.open = open_state,
	.close = close_state,
	.whose = whose,
	.begin = begin,
	.serve = serve,
	.refuse = refuse,
	.control = mv_control,
	.write_ledger = mv_write_ledger,
	.write_setup = mv_write_setup,
	.add_tenant = mv_seed,
	.is_locked_whole = true,
};
