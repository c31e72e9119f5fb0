/*
 * severa.c: the Severa stand-in: its routes, who may call, and at what pace (facts/severa.md §1,
 * 2).
 *
 * Guarantees the pace limit per client id (a sliding second), the bearer check and the scope check
 * before any route runs. Deliberately has no knowledge of any target system.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "severa.h"

static const char quota_text[] = "API calls quota exceeded! maximum admitted %u per 1s.";

static void heartbeat(struct severa_call *sc)
{
	reply_text(sc->c, 200, "text/plain; charset=utf-8", "OK");
}

static void heartbeat_authorized(struct severa_call *sc)
{
	reply_empty(sc->c, 204);
}

#define LIST(p, s, k, style, max)                       \
	{                                               \
		"GET", p, s, severa_list, k, style, max \
	}
#define CHILDREN(p, s, k, style, max)                            \
	{                                                        \
		"GET", p, s, severa_list_children, k, style, max \
	}
#define ONE(p, s, k)                             \
	{                                        \
		"GET", p, s, severa_get, k, 0, 0 \
	}

/* Paths below /v1/ ; those of the heartbeat have no version. Maxima: 100 where the specification
 * says so, 1000 (Visma's support page) where it says nothing (§2.2). */
static const struct severa_route routes[] = {
	{ "POST", "token", "", severa_token, 0, 0, 0 },
	{ "POST", "refreshtoken", "", severa_refresh, 0, 0, 0 },
	{ "POST", "signout", "", severa_signout, 0, 0, 0 },
	{ "GET", "heartbeat/server", "", heartbeat, 0, 0, 0 },
	{ "GET", "heartbeat/database", "", heartbeat, 0, 0, 0 },
	{ "GET", "heartbeat/authorized", NULL, heartbeat_authorized, 0, 0, 0 },

	LIST("invoices", "invoices:read", SEVERA_INVOICE, 'T', 1000),
	ONE("invoices/{}", "invoices:read", SEVERA_INVOICE),
	{ "PATCH", "invoices/{}", "invoices:write", severa_patch, SEVERA_INVOICE, 0, 0 },
	{ "DELETE", "invoices/{}", "invoices:delete", severa_delete, SEVERA_INVOICE, 0, 0 },
	CHILDREN("invoices/{}/invoicerows", "invoices:read", SEVERA_ROW, 'T', 100),
	LIST("invoicerows", "invoices:read", SEVERA_ROW, 'T', 100),
	ONE("invoicerows/{}", "invoices:read", SEVERA_ROW),
	CHILDREN("invoices/{}/workhours", "invoices:read", SEVERA_WORK_HOUR, 'T', 100),
	CHILDREN("invoices/{}/projectfees", "invoices:read", SEVERA_PROJECT_FEE, 'T', 100),
	CHILDREN("invoices/{}/projecttravelexpenses", "invoices:read", SEVERA_TRAVEL_EXPENSE, 'T',
		 100),
	CHILDREN("invoices/{}/reimbursedworkhours", "invoices:read", SEVERA_WORK_HOUR, 'F', 100),
	CHILDREN("invoices/{}/reimbursedprojectfees", "invoices:read", SEVERA_PROJECT_FEE, 'T',
		 100),
	CHILDREN("invoices/{}/reimbursedprojecttravelexpenses", "invoices:read",
		 SEVERA_TRAVEL_EXPENSE, 'F', 100),
	{ "GET", "invoices/{}/pdf", "files:read", severa_invoice_pdf, SEVERA_INVOICE, 0, 0 },
	{ "GET", "invoices/{}/finvoice", "invoices:read", severa_finvoice, SEVERA_INVOICE, 0, 0 },
	{ "GET", "invoicestatuses/{}/finvoices", "invoices:read", severa_finvoice, SEVERA_STATUS, 0,
	  0 },
	CHILDREN("invoices/{}/files", "files:read", SEVERA_INVOICE_FILE, 'F', 100),
	ONE("invoicefiles/{}", "files:read", SEVERA_INVOICE_FILE),
	{ "GET", "files/{}/filedata", "files:read", severa_file_data, SEVERA_INVOICE_FILE, 0, 0 },
	{ "GET", "invoices/{}/invoicesettings", "invoices:read", severa_get_child,
	  SEVERA_INVOICE_SETTINGS, 0, 0 },
	LIST("invoicestatuses", "settings:read", SEVERA_STATUS, 'F', 100),
	ONE("invoicestatuses/{}", "settings:read", SEVERA_STATUS),

	LIST("customers", "customers:read", SEVERA_CUSTOMER, 'T', 1000),
	ONE("customers/{}", "customers:read", SEVERA_CUSTOMER),
	{ "POST", "customers", "customers:write", severa_create, SEVERA_CUSTOMER, 0, 0 },
	{ "PATCH", "customers/{}", "customers:write", severa_patch, SEVERA_CUSTOMER, 0, 0 },
	CHILDREN("customers/{}/addresses", "customers:read", SEVERA_ADDRESS, 'F', 100),
	{ "POST", "customers/{}/addresses", "customers:write", severa_create_child, SEVERA_ADDRESS,
	  0, 0 },
	CHILDREN("customers/{}/contactpersons", "customers:read", SEVERA_CONTACT, 'F', 100),
	CHILDREN("customers/{}/customercountrysettings", "customers:read", SEVERA_COUNTRY_SETTING,
		 0, 0),
	LIST("addresses", "customers:read", SEVERA_ADDRESS, 'F', 100),
	ONE("addresses/{}", "customers:read", SEVERA_ADDRESS),
	{ "PATCH", "addresses/{}", "customers:write", severa_patch, SEVERA_ADDRESS, 0, 0 },
	LIST("contactpersons", "customers:read", SEVERA_CONTACT, 'F', 100),
	ONE("contactpersons/{}", "customers:read", SEVERA_CONTACT),
	CHILDREN("contacts/{}/contactcommunications", "customers:read", SEVERA_COMMUNICATION, 0, 0),

	LIST("localization/countries", "settings:read", SEVERA_COUNTRY, 0, 0),
	{ "GET", "localization/countries/{}", "settings:read", severa_country, SEVERA_COUNTRY, 0,
	  0 },
	LIST("localization/languages", "settings:read", SEVERA_LANGUAGE, 0, 0),
	LIST("currencies", "settings:read", SEVERA_CURRENCY, 'F', 100),
	LIST("vatrates", "settings:read", SEVERA_VAT_RATE, 0, 0),
	ONE("vatrates/{}", "settings:read", SEVERA_VAT_RATE),
	LIST("salesaccounts", "settings:read", SEVERA_SALES_ACCOUNT, 'F', 100),
	LIST("businessunits", "settings:read", SEVERA_BUSINESS_UNIT, 'F', 100),
	ONE("businessunits/{}", "settings:read", SEVERA_BUSINESS_UNIT),
	LIST("bankaccounts", "settings:read", SEVERA_BANK_ACCOUNT, 'F', 100),
	LIST("users", "users:read", SEVERA_USER, 'T', 1000),
	ONE("users/{}", "users:read", SEVERA_USER),

	LIST("products", "settings:read", SEVERA_PRODUCT, 'T', 1000),
	ONE("products/{}", "settings:read", SEVERA_PRODUCT),
	{ "POST", "products", "settings:write", severa_create, SEVERA_PRODUCT, 0, 0 },
	{ "PATCH", "products/{}", "settings:write", severa_patch, SEVERA_PRODUCT, 0, 0 },
	LIST("worktypes", "settings:read", SEVERA_WORK_TYPE, 'F', 100),
	ONE("worktypes/{}", "settings:read", SEVERA_WORK_TYPE),
	LIST("travelexpensetypes", "settings:read", SEVERA_TRAVEL_TYPE, 'F', 100),
	ONE("travelexpensetypes/{}", "settings:read", SEVERA_TRAVEL_TYPE),

	LIST("projectfees", "fees:read", SEVERA_PROJECT_FEE, 'T', 100),
	{ "POST", "projectfees", "fees:write", severa_create_expense, SEVERA_PROJECT_FEE, 0, 0 },
	LIST("projecttravelexpenses", "travels:read", SEVERA_TRAVEL_EXPENSE, 'T', 100),
	{ "POST", "projecttravelexpenses", "travels:write", severa_create_expense,
	  SEVERA_TRAVEL_EXPENSE, 0, 0 },
	LIST("travelreimbursements", "travels:read", SEVERA_TRAVEL, 'T', 100),
	ONE("travelreimbursements/{}", "travels:read", SEVERA_TRAVEL),
	{ "PATCH", "travelreimbursements/{}", "travels:write", severa_patch, SEVERA_TRAVEL, 0, 0 },
	CHILDREN("travelreimbursements/{}/projecttravelexpenses", "travels:read",
		 SEVERA_TRAVEL_LINE, 'T', 100),
	LIST("travelreimbursementstatuses", "settings:read", SEVERA_TRAVEL_STATUS, 'F', 100),

	LIST("projects", "projects:read", SEVERA_PROJECT, 'T', 100),
	ONE("projects/{}", "projects:read", SEVERA_PROJECT),
	CHILDREN("projects/{}/projectbillingcustomers", "projects:read", SEVERA_BILLING_CUSTOMER, 0,
		 0),
	LIST("phases", "projects:read", SEVERA_PHASE, 'T', 100),
	ONE("phases/{}", "projects:read", SEVERA_PHASE),
	{ "GET", "organizationdetails", "organization:read", severa_get_only, SEVERA_ORGANIZATION,
	  0, 0 },
};

/* ---- scopes -------------------------------------------------------------------------------- */

static const char *const scope_names[] = {
	"activities:delete",
	"activities:read",
	"activities:write",
	"customers:delete",
	"customers:read",
	"customers:write",
	"fees:delete",
	"fees:read",
	"fees:write",
	"files:delete",
	"files:read",
	"files:write",
	"hours:delete",
	"hours:read",
	"hours:write",
	"invoices:delete",
	"invoices:read",
	"invoices:write",
	"organization:read",
	"organization:write",
	"projects:delete",
	"projects:read",
	"projects:write",
	"resourceallocations:delete",
	"resourceallocations:read",
	"resourceallocations:write",
	"settings:delete",
	"settings:read",
	"settings:write",
	"travels:delete",
	"travels:read",
	"travels:write",
	"users:delete",
	"users:read",
	"users:write",
};

uint64_t severa_scopes_parse(const char *text, bool *ret_unknown)
{
	uint64_t scopes = 0;
	*ret_unknown = false;
	while (*text) {
		size_t n = strcspn(text, ", ");
		bool known = n == 0;
		for (size_t i = 0; i < ARRAY_SIZE(scope_names); i++) {
			if (strlen(scope_names[i]) == n &&
			    strncasecmp(scope_names[i], text, n) == 0) {
				scopes |= UINT64_C(1) << i;
				known = true;
			}
		}
		if (!known)
			*ret_unknown = true;
		text += n;
		text += strspn(text, ", ");
	}
	return scopes;
}

void severa_scopes_write(uint64_t scopes, struct strbuf *sb)
{
	bool first = true;
	for (size_t i = 0; i < ARRAY_SIZE(scope_names); i++) {
		if (!(scopes & (UINT64_C(1) << i)))
			continue;
		if (!first)
			strbuf_addch(sb, ' ');
		strbuf_addstr(sb, scope_names[i]);
		first = false;
	}
}

/* ---- errors -------------------------------------------------------------------------------- */

void severa_error(struct call *c, unsigned status, const char *type, const char *message,
		  const char *location, const char *name)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "error");
	jsonw_object(&w);
	jsonw_kint(&w, "httpStatusCode", status);
	jsonw_kstr(&w, "type", type);
	jsonw_kstr(&w, "stack", NULL);
	jsonw_key(&w, "details");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_kstr(&w, "message", message);
	jsonw_kstr(&w, "url", NULL);
	jsonw_key(&w, "location");
	if (location) {
		jsonw_object(&w);
		jsonw_kstr(&w, "type", location);
		jsonw_kstr(&w, "name", name);
		jsonw_kstr(&w, "identifier", NULL);
		jsonw_end_object(&w);
	} else {
		jsonw_null(&w);
	}
	jsonw_end_object(&w);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	c->note = type;
	reply_json(c, status, &sb);
}

static void refuse(struct call *c, unsigned status)
{
	if (status == 429) {
		char *text = arena_printf(c->arena, quota_text, 10u);
		reply_text(c, 429, "text/plain", text ? text : "");
		return;
	}
	if (c->fault.code[0])
		severa_error(c, status, c->fault.code, "The request was refused.", NULL, NULL);
	else if (status >= 500)
		severa_error(c, status, "InternalSystemError", "An error occurred.", NULL, NULL);
	else
		severa_error(c, status, "InvalidRequest", "The request was refused.", NULL, NULL);
}

/* ---- pace ---------------------------------------------------------------------------------- */

bool severa_set_rate_locked(struct severa_tenant *t, unsigned rate)
{
	int64_t *ring = NULL;
	if (rate) {
		ring = mem_alloc_array(rate, sizeof(*ring));
		if (!ring)
			return false;
	}
	mem_free(t->taken_us);
	t->taken_us = ring;
	t->taken_n = t->taken_at = 0;
	t->rate = rate;
	return true;
}

/* The last `rate` accepted requests stand in a ring: the oldest tells whether one more fits. */
static bool within_rate(struct severa_tenant *t)
{
	if (!t->rate)
		return true;
	int64_t now = clock_mono_us();
	if (t->taken_n == t->rate && now - t->taken_us[t->taken_at] < 1000000)
		return false;
	t->taken_us[t->taken_at] = now;
	t->taken_at = (t->taken_at + 1) % t->rate;
	if (t->taken_n < t->rate)
		t->taken_n++;
	return true;
}

static bool take_turn(struct call *c, struct severa_tenant *t)
{
	pthread_mutex_lock(&t->lock);
	t->requests++;
	unsigned rate = t->rate;
	bool ok = within_rate(t);
	uint64_t throttled = ok ? 0 : ++t->throttled;
	pthread_mutex_unlock(&t->lock);
	if (ok)
		return true;
	char *text = arena_printf(c->arena, quota_text, rate);
	reply_text(c, 429, "text/plain", text ? text : "");
	if (throttled % 2) /* "only sometimes" (§2.6) */
		reply_header(c, "Retry-After", "1");
	c->note = "429";
	return false;
}

/* ---- the way in ---------------------------------------------------------------------------- */

struct severa_tenant *severa_find(struct severa *severa, const char *client_or_key)
{
	pthread_rwlock_rdlock(&severa->lock);
	struct severa_tenant *found = table_get(&severa->by_name, client_or_key);
	pthread_rwlock_unlock(&severa->lock);
	return found;
}

/* Compares a pattern with the segments from `first` on; fills ids. */
static bool matches(const char *pattern, const struct call *c, size_t first, const char **ids)
{
	size_t seg = first;
	size_t n_ids = 0;
	for (;; seg++) {
		size_t n = strcspn(pattern, "/");
		if (seg >= c->n_segments)
			return false;
		const char *have = c->segments[seg];
		if (n == 2 && pattern[0] == '{')
			ids[n_ids++] = have;
		else if (strlen(have) != n || strncasecmp(have, pattern, n) != 0)
			return false;
		pattern += n;
		if (!*pattern)
			return seg + 1 == c->n_segments;
		pattern++;
	}
}

static const struct severa_route *find_route(struct severa_call *sc, bool *ret_path_known)
{
	struct call *c = sc->c;
	*ret_path_known = false;
	if (c->n_segments < 2 || strcasecmp(c->segments[0], "rest-api") != 0)
		return NULL;
	bool has_version = strcasecmp(c->segments[1], "v1") == 0 ||
			   strcasecmp(c->segments[1], "v1.0") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		bool wants_version = strncmp(routes[i].pattern, "heartbeat/", 10) != 0;
		if (wants_version != has_version ||
		    !matches(routes[i].pattern, c, has_version ? 2 : 1, sc->ids))
			continue;
		*ret_path_known = true;
		if (strcmp(routes[i].method, c->method) == 0)
			return &routes[i];
	}
	return NULL;
}

static bool authorize(struct severa_call *sc)
{
	struct call *c = sc->c;
	const char *scope = sc->route->scope;
	if (scope && !scope[0])
		return true;
	struct severa_tenant *owner = NULL;
	bool ok = severa_bearer(sc->severa, call_header(c, "Authorization"), &owner, &sc->scopes);
	if (!ok || (sc->tenant && owner != sc->tenant)) {
		severa_error(c, 401, "AuthenticationRequired", "Authentication is required.",
			     "RequestHeader", "Authorization");
		if (sc->tenant)
			__atomic_add_fetch(&sc->tenant->unauthorized, 1, __ATOMIC_RELAXED);
		return false;
	}
	sc->tenant = owner;
	bool unknown;
	if (scope && !(severa_scopes_parse(scope, &unknown) & sc->scopes)) {
		char *text = arena_printf(c->arena, "The scope %s is required.", scope);
		severa_error(c, 403, "InsufficientApiScope", text ? text : scope, NULL, NULL);
		return false;
	}
	return true;
}

/* Who calls, for the pace: by header, by bearer token, or by the token request itself. */
static struct severa_tenant *find_caller(struct severa_call *sc)
{
	struct call *c = sc->c;
	struct severa_tenant *t = severa_find(sc->severa, call_header(c, "Client_Id"));
	uint64_t scopes;
	if (t || severa_bearer(sc->severa, call_header(c, "Authorization"), &t, &scopes))
		return t;
	return NULL;
}

static const char *whose(void *state, const struct call *c)
{
	(void)state;
	return call_header(c, "Client_Id");
}

static bool begin(void *state, struct call *c)
{
	struct severa_call *sc = arena_alloc(c->arena, sizeof(*sc));
	if (!sc)
		return false;
	sc->c = c;
	sc->severa = state;
	c->ctx = sc;
	bool path_known;
	sc->route = find_route(sc, &path_known);
	if (!sc->route) {
		reply_empty(c, path_known ? 405 : 404);
		return false;
	}
	sc->tenant = find_caller(sc);
	if (sc->tenant) {
		c->tenant = sc->tenant->client_id;
		if (!take_turn(c, sc->tenant))
			return false;
	}
	return authorize(sc);
}

static void serve(void *state, struct call *c)
{
	(void)state; /* the call's context has it */
	struct severa_call *sc = c->ctx;
	sc->route->serve(sc);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void *open_state(struct sandbox *sb, struct err *err)
{
	struct severa *severa = mem_alloc(sizeof(*severa));
	if (!severa) {
		err_set(err, ERR_MEMORY, "out of memory");
		return NULL;
	}
	severa->sb = sb;
	pthread_rwlock_init(&severa->lock, NULL);
	return severa;
}

static void tenant_free(struct severa_tenant *t)
{
	if (!t)
		return;
	for (size_t k = SEVERA_KINDS; k-- > 0;) {
		while (t->kinds[k].n)
			severa_remove_locked(t, t->kinds[k].docs[t->kinds[k].n - 1]);
		mem_free(t->kinds[k].docs);
	}
	table_release(&t->by_guid);
	mem_free(t->taken_us);
	mem_free(t->key);
	mem_free(t->client_id);
	mem_free(t->secret);
	pthread_mutex_destroy(&t->lock);
	mem_free(t);
}
CLEANUP_FUNC(struct severa_tenant, tenant_free)

static void close_state(void *state)
{
	struct severa *severa = state;
	if (!severa)
		return;
	for (size_t i = 0; i < severa->n; i++)
		tenant_free(severa->tenants[i]);
	mem_free(severa->tenants);
	table_release(&severa->by_name);
	pthread_rwlock_destroy(&severa->lock);
	mem_free(severa);
}

static char *join(const char *a, const char *b)
{
	char text[160];
	snprintf(text, sizeof(text), "%s%s", a, b);
	return mem_strdup(text);
}

static bool list_tenant(struct severa *severa, struct severa_tenant *t)
{
	pthread_rwlock_wrlock(&severa->lock);
	bool ok = array_reserve(&severa->tenants, severa->n, &severa->cap,
				sizeof(struct severa_tenant *)) &&
		  table_put(&severa->by_name, t->client_id, t) &&
		  table_put(&severa->by_name, t->key, t);
	if (ok) {
		t->ordinal = (unsigned)severa->n;
		severa->tenants[severa->n++] = t;
	} else {
		table_remove(&severa->by_name, t->client_id);
	}
	pthread_rwlock_unlock(&severa->lock);
	return ok;
}

static bool add_tenant(void *state, const struct tenant_spec *spec, struct err *err)
{
	struct severa *severa = state;
	CLEANUP(tenant_free) struct severa_tenant *t = mem_alloc(sizeof(*t));
	if (!t)
		return err_set(err, ERR_MEMORY, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	t->key = mem_strdup(spec->key);
	t->client_id = join(spec->key, ".apps.severa.sandbox");
	t->secret = join("sandbox-secret-", spec->key);
	t->scopes = (UINT64_C(1) << ARRAY_SIZE(scope_names)) - 1;
	t->access_s = 3600;
	t->refresh_s = 86400;
	if (!t->key || !t->client_id || !t->secret ||
	    !severa_set_rate_locked(t, severa->sb->options.severa_rate))
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!severa_seed(t, spec, err))
		return false;
	if (!list_tenant(severa, t))
		return err_set(err, ERR_MEMORY, "out of memory");
	t = NULL; /* the list has it now */
	return true;
}

const struct standin severa_standin = {
	.name = "severa",
	.open = open_state,
	.close = close_state,
	.whose = whose,
	.begin = begin,
	.serve = serve,
	.refuse = refuse,
	.control = severa_control,
	.write_ledger = severa_write_ledger,
	.write_setup = severa_write_setup,
	.add_tenant = add_tenant,
};
