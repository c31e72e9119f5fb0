/*
 * maestro.c: the way in to the Maestro stand-in: routes, errors, who calls, and its life.
 *
 * A call is /maestro/<path as facts/maestro.md §3 assumes it>: the vendor publishes no interface,
 * so that this is a guess as much as the client is.
 */
#include "base/base.h"

#include "maestro.h"

static const struct ms_route routes[] = {
	{ "GET", "v1/ping", NULL, ms_ping_locked },
	{ "GET", "v1/products", NULL, ms_products_locked },
	{ "GET", "v1/customers", NULL, ms_customers_locked },
	{ "GET", "v1/customers/{}", NULL, ms_customer_locked },
	{ "PUT", "v1/customers/{}", NULL, ms_put_customer_locked },
	{ "POST", "v1/sales-invoices", ms_upload_prepare, ms_upload_locked },
	{ "GET", "v1/sales-invoices", NULL, ms_list_locked },
	{ "GET", "v1/sales-invoices/{}", NULL, ms_invoice_locked },
};

bool ms_fail(struct ms_call *mc, unsigned status, const char *code, const char *path,
	     const char *message)
{
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "error");
	jsonw_object(&w);
	jsonw_kstr(&w, "code", code);
	jsonw_kstr(&w, "message", path ? "The request is not valid" : message);
	jsonw_key(&w, "details");
	jsonw_array(&w);
	if (path) {
		jsonw_object(&w);
		jsonw_kstr(&w, "path", path);
		jsonw_kstr(&w, "code", code);
		jsonw_kstr(&w, "message", message);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	mc->c->note = code;
	reply_json(mc->c, status, &sb);
	return false;
}

const char *ms_keep(struct maestro *m, const char *text)
{
	return keep_text(m->base.arena, text);
}

struct ms_company *ms_find_locked(struct maestro *m, const char *name)
{
	struct ms_company *co = m->companies;
	while (co && !str_eq(co->tenant, name) && strcmp(co->id, name) != 0)
		co = co->next;
	return co;
}

/* ---- the way in ---------------------------------------------------------------------------- */

static bool find_route(struct ms_call *mc)
{
	unsigned status;
	mc->route = call_find_route(mc->c, routes, ARRAY_SIZE(routes), sizeof(routes[0]), &mc->id,
				    &status);
	return mc->route || ms_fail(mc, status, "NO_SUCH_ADDRESS", NULL, "No such address");
}

/* "Authorization: Bearer <key>" or "X-Api-Key: <key>". */
static const char *key_of(const struct call *c)
{
	const char *key = call_bearer(c);
	if (!key)
		key = call_header(c, "X-Api-Key");
	return key ? key : "";
}

static bool authenticate_locked(struct ms_call *mc)
{
	const char *key = key_of(mc->c), *id = call_header(mc->c, "X-Company-Id");
	const struct ms_company *owner = mc->m->companies;
	while (owner && strcmp(owner->api_key, key) != 0)
		owner = owner->next;
	for (struct ms_company *co = mc->m->companies; co && id; co = co->next)
		if (strcmp(co->id, id) == 0)
			mc->company = co;
	if (mc->company) {
		mc->company->calls++;
		mc->c->tenant = mc->company->id;
	}
	if (owner && owner == mc->company && !owner->is_forbidden)
		return true;
	if (mc->company)
		mc->company->unauthorized++;
	if (!owner)
		return ms_fail(mc, 401, "UNAUTHORIZED", NULL, "API key missing or wrong");
	return ms_fail(mc, 403, "FORBIDDEN", NULL, "The key has no right to this company");
}

static bool begin(void *state, struct call *c)
{
	struct ms_call *mc = arena_alloc(c->arena, sizeof(*mc));
	if (!mc)
		return false;
	mc->c = c;
	mc->m = state;
	c->ctx = mc;
	if (!find_route(mc))
		return false;
	pthread_mutex_lock(&mc->m->base.lock);
	bool ok = authenticate_locked(mc);
	pthread_mutex_unlock(&mc->m->base.lock);
	return ok;
}

static void serve(void *state, struct call *c)
{
	struct maestro *m = state;
	struct ms_call *mc = c->ctx;
	if (mc->route->prepare && !mc->route->prepare(mc))
		return;
	pthread_mutex_lock(&m->base.lock);
	mc->route->serve_locked(mc);
	pthread_mutex_unlock(&m->base.lock);
}

/* A fault: with a code, Maestro's error object; without, what a gateway says. */
static void refuse(struct call *c, unsigned status)
{
	struct ms_call mc = { .c = c };
	if (c->fault.code[0])
		ms_fail(&mc, status, c->fault.code, NULL, "Refused by a fault");
	else
		reply_text(c, status, "text/html", "<html><body>gateway</body></html>\n");
}

/* ---- life ---------------------------------------------------------------------------------- */

static void close_state(void *state)
{
	struct maestro *m = state;
	if (!m)
		return;
	for (struct ms_company *co = m->companies; co; co = co->next) {
		table_release(&co->by_number);
		table_release(&co->by_key);
	}
	standin_free(m);
}

static void *open_state(struct sandbox *sb, struct err *err)
{
	(void)sb;
	return standin_new(sizeof(struct maestro), err);
}

static const char *whose(void *state, const struct call *c)
{
	(void)state;
	return call_header(c, "X-Company-Id");
}

const struct standin maestro_standin = {
	.name = "maestro",
	.open = open_state,
	.close = close_state,
	.whose = whose,
	.begin = begin,
	.serve = serve,
	.refuse = refuse,
	.control = ms_control,
	.write_ledger = ms_write_ledger,
	.write_setup = ms_write_setup,
	.add_tenant = ms_seed,
	.is_locked_whole = true,
};
