/*
 * netvisor.c: the Netvisor stand-in: its resources, the answer envelope, one call at a time per
 * organisation (facts/netvisor.md §3.1, 4, 5, 14.1).
 *
 * A call that begins while another of the same organisation is in progress is answered
 * TECHNICAL_ERROR and counted. "In progress" ends before the last byte of the answer is handed to
 * the socket, so that a client that waits for the answer never overlaps itself.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "netvisor.h"

#define ANSWER_MAX (64u << 20)

static const struct nv_route routes[] = {
	{ "GET", "customerlist.nv", false, nv_customerlist },
	{ "GET", "getcustomer.nv", false, nv_getcustomer },
	{ "POST", "customer.nv", true, nv_customer },
	{ "GET", "deletecustomer.nv", false, nv_deletecustomer },
	{ "GET", "productlist.nv", false, nv_productlist },
	{ "GET", "getproduct.nv", false, nv_getproduct },
	{ "POST", "product.nv", true, nv_product },
	{ "GET", "dimensionlist.nv", false, nv_dimensionlist },
	{ "POST", "dimensionitem.nv", true, nv_dimensionitem },
	{ "POST", "dimensiondelete.nv", false, nv_dimensiondelete },
	{ "GET", "salesinvoicelist.nv", false, nv_salesinvoicelist },
	{ "GET", "getsalesinvoice.nv", false, nv_getsalesinvoice },
	{ "POST", "salesinvoice.nv", true, nv_salesinvoice },
	{ "POST", "updatesalesinvoicestatus.nv", false, nv_updatesalesinvoicestatus },
	{ "GET", "deletesalesinvoice.nv", false, nv_deletesalesinvoice },
	{ "POST", "deletesalesinvoice.nv", false, nv_deletesalesinvoice },
	{ "POST", "tripexpense.nv", true, nv_tripexpense },
	{ "GET", "purchaseinvoicelist.nv", false, nv_purchaseinvoicelist },
	{ "GET", "getpurchaseinvoice.nv", false, nv_getpurchaseinvoice },
};

int64_t nv_now(void)
{
	return clock_wall_ms();
}

/* ---- answers ------------------------------------------------------------------------------- */

/* "22.11.2026 9:05:01", Finnish time. */
static void time_text(const struct netvisor *nv, char *ret, size_t size)
{
	struct tm tm;
	int64_t now = clock_wall_ms();
	int offset_s = nv->tz ? tz_offset_s(nv->tz, now) : 7200;
	clock_utc(now + (int64_t)offset_s * 1000, &tm);
	snprintf(ret, size, "%d.%d.%d %d:%02d:%02d", tm.tm_mday, tm.tm_mon + 1, tm.tm_year + 1900,
		 tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void start(struct nv_call *nc, struct nv_answer *a, const char *failure)
{
	char when[80];
	a->sb = (struct strbuf)STRBUF_INIT(nc->c->arena, ANSWER_MAX);
	a->w = (struct xml_writer)XML_WRITER_INIT(&a->sb, XML_UTF8);
	strbuf_addstr(&a->sb, "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n");
	time_text(nc->netvisor, when, sizeof(when));
	xmlw_open(&a->w, "Root");
	xmlw_open(&a->w, "ResponseStatus");
	xmlw_element(&a->w, "Status", failure ? "FAILED" : "OK");
	xmlw_element(&a->w, "Status", failure);
	xmlw_element(&a->w, "TimeStamp", when);
	xmlw_close(&a->w);
}

void nv_answer(struct nv_call *nc, struct nv_answer *a)
{
	start(nc, a, NULL);
}

static void finish(struct nv_call *nc, struct nv_answer *a, unsigned status)
{
	struct span body;
	struct err err = ERR_INIT;
	xmlw_close(&a->w);
	if (xmlw_finish(&a->w, &body, &err))
		reply_bytes(nc->c, status, "text/html; charset=utf-8", body);
	else
		reply_text(nc->c, 500, "text/plain", "sandbox: the answer cannot be written\n");
}

void nv_finish(struct nv_call *nc, struct nv_answer *a)
{
	finish(nc, a, 200);
}

static unsigned status_of(const char *code)
{
	static const struct {
		const char *code;
		unsigned status;
	} codes[] = { { "AUTHENTICATION_FAILED", 401 },
		      { "SERVICE_ACCESS_ERROR", 403 },
		      { "TECHNICAL_ERROR", 500 },
		      { "SYSTEM_MAINTENANCE", 503 },
		      { "NOT_FOUND", 404 } };
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (strcmp(codes[i].code, code) == 0)
			return codes[i].status;
	}
	return 400; /* §4.2, assumption */
}

static void answer_failure(struct nv_call *nc, const char *code, const char *text)
{
	struct nv_answer a;
	struct call *c = nc->c;
	char *line = arena_printf(c->arena, "%s :: %s", code, text);
	start(nc, &a, line ? line : code);
	c->note = code;
	if (nc->org)
		__atomic_add_fetch(&nc->org->failures, 1, __ATOMIC_RELAXED);
	finish(nc, &a, nc->real_status ? status_of(code) : 200);
}

bool nv_fail(struct nv_call *nc, const char *code, enum nv_text text, const char *arg)
{
	const char *format = nv_text(text, nc->language);
	const char *hole = strstr(format, "%s");
	struct strbuf sb = STRBUF_INIT(nc->c->arena, 8192);
	strbuf_add(&sb, format, hole ? (size_t)(hole - format) : strlen(format));
	if (hole) {
		strbuf_addstr(&sb, arg ? arg : "");
		strbuf_addstr(&sb, hole + 2);
	}
	const char *line = NULL;
	struct err err = ERR_INIT;
	answer_failure(nc, code, strbuf_finish(&sb, &line, &err) ? line : code);
	return false;
}

void nv_int_element(struct xml_writer *w, const char *name, int64_t v)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, v);
	xmlw_element(w, name, text);
}

void nv_decimal_element(struct xml_writer *w, const char *name, struct decimal d)
{
	char text[DECIMAL_TEXT_MAX];
	xmlw_element(w, name, decimal_format(d, 2, ',', text));
}

void nv_ok(struct nv_call *nc, int64_t key)
{
	struct nv_answer a;
	nv_answer(nc, &a);
	if (key) {
		xmlw_open(&a.w, "Replies");
		nv_int_element(&a.w, "InsertedDataIdentifier", key);
		xmlw_close(&a.w);
	}
	nv_finish(nc, &a);
}

/* ---- parameters ---------------------------------------------------------------------------- */

bool nv_method(struct nv_call *nc, const char *id_param, bool *ret_edit, int64_t *ret_id)
{
	const char *method = call_param(nc->c, "method");
	bool is_add = method && strcasecmp(method, "add") == 0;
	*ret_edit = method && strcasecmp(method, "edit") == 0;
	*ret_id = 0;
	if (!is_add && !*ret_edit)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_METHOD, method);
	if (!*ret_edit || !id_param)
		return true;
	if (!call_param_int(nc->c, id_param, 0, ret_id) || *ret_id == 0)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, id_param);
	return true;
}

bool nv_time_param(struct nv_call *nc, const char *name, int64_t *ret_ms)
{
	const char *text = call_param(nc->c, name);
	char iso[32];
	*ret_ms = 0;
	if (!text || !text[0])
		return true;
	size_t n = strlen(text);
	if (n == 10)
		snprintf(iso, sizeof(iso), "%sT00:00:00Z", text);
	else
		snprintf(iso, sizeof(iso), "%sZ", text);
	int64_t local;
	if (n > 19 || !clock_parse_rfc3339(span_of(iso), &local))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, name);
	const struct tz *tz = nc->netvisor->tz;
	int offset_s = tz ? tz_offset_s(tz, local - 7200000) : 7200;
	*ret_ms = local - (int64_t)offset_s * 1000;
	return true;
}

bool nv_text_in_list(const char *list, const char *text)
{
	size_t want = strlen(text);
	while (*list) {
		size_t n = strcspn(list, ",");
		if (n == want && strncasecmp(list, text, n) == 0)
			return true;
		list += n;
		list += *list == ',';
	}
	return false;
}

bool nv_key_in_list(const char *list, int64_t key)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, key);
	return nv_text_in_list(list, text);
}

/* ---- the body ------------------------------------------------------------------------------ */

/* The characters in which ISO-8859-15 differs from ISO-8859-1. */
static uint32_t latin9(unsigned char ch)
{
	static const struct {
		unsigned char ch;
		uint32_t cp;
	} differ[] = { { 0xa4, 0x20ac }, { 0xa6, 0x160 }, { 0xa8, 0x161 }, { 0xb4, 0x17d },
		       { 0xb8, 0x17e },	 { 0xbc, 0x152 }, { 0xbd, 0x153 }, { 0xbe, 0x178 } };
	for (size_t i = 0; i < ARRAY_SIZE(differ); i++) {
		if (differ[i].ch == ch)
			return differ[i].cp;
	}
	return ch;
}

static struct span to_utf8(struct arena *arena, struct span s)
{
	struct strbuf sb = STRBUF_INIT(arena, s.n * 3 + 1);
	for (size_t i = 0; i < s.n; i++) {
		uint32_t cp = latin9((unsigned char)s.p[i]);
		if (cp < 0x80) {
			strbuf_addch(&sb, (char)cp);
		} else if (cp < 0x800) {
			strbuf_addch(&sb, (char)(0xc0 | (cp >> 6)));
			strbuf_addch(&sb, (char)(0x80 | (cp & 0x3f)));
		} else {
			strbuf_addch(&sb, (char)(0xe0 | (cp >> 12)));
			strbuf_addch(&sb, (char)(0x80 | ((cp >> 6) & 0x3f)));
			strbuf_addch(&sb, (char)(0x80 | (cp & 0x3f)));
		}
	}
	return sb.failed ? (struct span) { "", 0 } : strbuf_span(&sb);
}

/* <root>, no declaration before it (§3); UTF-8, or else taken as ISO-8859-15. */
static bool parse_body(struct nv_call *nc)
{
	struct call *c = nc->c;
	struct err err = ERR_INIT;
	if (!utf8_is_valid(c->body))
		c->body = to_utf8(c->arena, c->body);
	struct span b = c->body;
	while (b.n && strchr(" \t\r\n", b.p[0])) {
		b.p++;
		b.n--;
	}
	if (b.n < 6 || strncasecmp(b.p, "<root", 5) != 0)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MALFORMED, "<root>");
	if (!xml_parse(c->arena, b, NETVISOR_BODY_MAX, &nc->root, &err))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MALFORMED, err.message);
	return true;
}

/* ---- the way in ---------------------------------------------------------------------------- */

struct nv_org *nv_find_org(struct netvisor *nv, const char *business_id_or_key)
{
	pthread_rwlock_rdlock(&nv->lock);
	struct nv_org *found = table_get(&nv->by_name, business_id_or_key);
	pthread_rwlock_unlock(&nv->lock);
	return found;
}

static bool find_route(struct nv_call *nc)
{
	struct call *c = nc->c;
	const char *resource = c->n_segments == 1 ? c->segments[0] : "";
	bool known = false;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (strcasecmp(routes[i].resource, resource) != 0)
			continue;
		known = true;
		if (call_is(c, routes[i].method))
			nc->route = &routes[i];
	}
	if (nc->route)
		return true;
	return nv_fail(nc, known ? "INVALID_DATA" : "NOT_FOUND", NV_TEXT_UNKNOWN_RESOURCE,
		       resource);
}

static bool has_right_locked(const struct nv_org *org, const char *resource)
{
	const char *p = org->denied;
	size_t want = strlen(resource);
	while (*p) {
		size_t n = strcspn(p, " ");
		if (n == want && strncasecmp(p, resource, n) == 0)
			return false;
		p += n;
		p += *p == ' ';
	}
	return true;
}

/* One call at a time (§14.1). */
static bool enter(struct nv_call *nc)
{
	struct nv_org *org = nc->org;
	pthread_mutex_lock(&org->lock);
	org->calls++;
	bool free = !org->is_busy;
	if (free)
		org->is_busy = true;
	else
		org->overlaps++;
	bool served = free || org->takes_overlaps;
	bool allowed = has_right_locked(org, nc->route->resource);
	pthread_mutex_unlock(&org->lock);
	nc->holds_org = free;
	if (!served)
		return nv_fail(nc, "TECHNICAL_ERROR", NV_TEXT_OVERLAP, org->business_id);
	if (!allowed)
		return nv_fail(nc, "SERVICE_ACCESS_ERROR", NV_TEXT_ACCESS, nc->route->resource);
	return true;
}

static const char *whose(void *state, const struct call *c)
{
	(void)state;
	return call_header(c, "X-Netvisor-Organisation-ID");
}

static bool begin(void *state, struct call *c)
{
	struct nv_call *nc = arena_alloc(c->arena, sizeof(*nc));
	if (!nc)
		return false;
	nc->c = c;
	nc->netvisor = state;
	nc->language = NV_EN;
	c->ctx = nc;
	if (!nv_authenticate(nc))
		return false;
	c->tenant = nc->org->business_id;
	return find_route(nc) && enter(nc);
}

static void serve(void *state, struct call *c)
{
	(void)state; /* the call's context has it */
	struct nv_call *nc = c->ctx;
	if (nc->route->has_body && !parse_body(nc))
		return;
	nc->route->serve(nc);
}

static void end(void *state, struct call *c)
{
	(void)state; /* the call's context has it */
	struct nv_call *nc = c->ctx;
	if (!nc || !nc->holds_org)
		return;
	pthread_mutex_lock(&nc->org->lock);
	nc->org->is_busy = false;
	pthread_mutex_unlock(&nc->org->lock);
	nc->holds_org = false;
}

/* A fault: with a code, Netvisor's own envelope; without, what a gateway in front would say. */
static void refuse(struct call *c, unsigned status)
{
	struct nv_call *nc = c->ctx;
	if (c->fault.code[0]) {
		if (!nc)
			nc = arena_alloc(c->arena, sizeof(*nc));
		if (!nc)
			return;
		nc->c = c;
		nc->netvisor = c->world->states[c->standin_index];
		char *code = arena_strdup(c->arena, c->fault.code);
		answer_failure(nc, code ? code : "TECHNICAL_ERROR", "Sandbox fault");
		c->reply.status = status;
		return;
	}
	char *text = arena_printf(c->arena,
				  "<html><head><title>%u</title></head><body>%u</body></html>\n",
				  status, status);
	reply_text(c, status, "text/html", text ? text : "");
}

/* ---- life ---------------------------------------------------------------------------------- */

static void *open_state(struct sandbox *sb, struct err *err)
{
	struct netvisor *nv = mem_alloc(sizeof(*nv));
	if (!nv) {
		err_set(err, ERR_MEMORY, "out of memory");
		return NULL;
	}
	nv->sb = sb;
	nv->clock_tolerance_s = 300;
	struct err no_zone = ERR_INIT;
	if (!tz_load("Europe/Helsinki", &nv->tz, &no_zone))
		nv->tz = NULL; /* a machine without zone files: UTC+2 */
	pthread_rwlock_init(&nv->lock, NULL);
	pthread_mutex_init(&nv->ids_lock, NULL);
	return nv;
}

static void org_free(struct nv_org *org)
{
	if (!org)
		return;
	for (size_t i = 0; i < org->n_invoices; i++)
		nv_invoice_free(org->invoices[i]);
	mem_free(org->invoices);
	table_release(&org->by_number);
	nv_register_release(&org->customers);
	nv_register_release(&org->products);
	nv_headings_release(org);
	nv_trips_release(org);
	nv_purchases_release(org);
	mem_free(org->key);
	mem_free(org->name);
	mem_free(org->business_id);
	mem_free(org->customer_id);
	mem_free_wiped(org->customer_key, org->customer_key ? strlen(org->customer_key) : 0);
	pthread_mutex_destroy(&org->lock);
	mem_free(org);
}
CLEANUP_FUNC(struct nv_org, org_free)

static void close_state(void *state)
{
	struct netvisor *nv = state;
	if (!nv)
		return;
	for (size_t i = 0; i < nv->n; i++)
		org_free(nv->orgs[i]);
	mem_free(nv->orgs);
	table_release(&nv->by_name);
	nv_ids_free(nv);
	tz_free(nv->tz);
	pthread_rwlock_destroy(&nv->lock);
	pthread_mutex_destroy(&nv->ids_lock);
	mem_free(nv);
}

static bool list_org(struct netvisor *nv, struct nv_org *org)
{
	pthread_rwlock_wrlock(&nv->lock);
	bool ok = array_reserve(&nv->orgs, nv->n, &nv->cap, sizeof(struct nv_org *)) &&
		  table_put(&nv->by_name, org->business_id, org) &&
		  table_put(&nv->by_name, org->key, org);
	if (ok)
		nv->orgs[nv->n++] = org;
	else
		table_remove(&nv->by_name, org->business_id);
	pthread_rwlock_unlock(&nv->lock);
	return ok;
}

static bool add_tenant(void *state, const struct tenant_spec *spec, struct err *err)
{
	struct netvisor *nv = state;
	CLEANUP(org_free) struct nv_org *org = mem_alloc(sizeof(*org));
	if (!org)
		return err_set(err, ERR_MEMORY, "out of memory");
	pthread_mutex_init(&org->lock, NULL);
	if (!nv_seed(org, spec, err))
		return false;
	if (!list_org(nv, org))
		return err_set(err, ERR_MEMORY, "out of memory");
	org = NULL; /* the list has it now */
	return true;
}

const struct standin netvisor_standin = {
	.name = "netvisor",
	.open = open_state,
	.close = close_state,
	.whose = whose,
	.begin = begin,
	.serve = serve,
	.end = end,
	.refuse = refuse,
	.control = nv_control,
	.write_ledger = nv_write_ledger,
	.write_setup = nv_write_setup,
	.add_tenant = add_tenant,
};
