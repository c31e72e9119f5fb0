/*
 * procountor.c: the way in to the Procountor stand-in: routes, errors, who calls, and its life.
 *
 * A call is /procountor/api/<path as at the vendor's>. Keeps to the vendor's API description; what
 * that leaves open is as facts/procountor.md §11 has it, and README.md says where.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "procountor.h"

#define DEFAULT_RATE 60

static const struct pc_route routes[] = {
	{ "POST", "api/oauth/token", PC_STRANGER, false, 0, pc_token_locked },
	{ "GET", "api/sessioninfo", PC_ANYBODY, false, 0, pc_session_locked },
	{ "GET", "api/users/rights", PC_ANYBODY, false, 0, pc_rights_locked },
	{ "GET", "api/company", PC_COMPANY, false, 0, pc_company_locked },
	{ "GET", "api/vats/default", PC_ANYBODY, false, 0, pc_vats_locked },
	{ "GET", "api/bankaccounts", PC_ANYBODY, false, PC_ACCOUNT, pc_search_locked },
	{ "GET", "api/businesspartners", PC_CUSTOMERS, false, PC_PARTNER, pc_search_locked },
	{ "GET", "api/businesspartners/{}", PC_CUSTOMERS, false, PC_PARTNER, pc_read_locked },
	{ "POST", "api/businesspartners", PC_CUSTOMERS, true, PC_PARTNER, pc_add_partner_locked },
	{ "PUT", "api/businesspartners/{}", PC_CUSTOMERS, true, PC_PARTNER,
	  pc_change_partner_locked },
	{ "PATCH", "api/businesspartners/{}", PC_CUSTOMERS, true, PC_PARTNER,
	  pc_change_partner_locked },
	{ "GET", "api/products", PC_PRODUCTS, false, PC_PRODUCT, pc_search_locked },
	{ "GET", "api/products/{}", PC_PRODUCTS, false, PC_PRODUCT, pc_read_locked },
	{ "POST", "api/products", PC_PRODUCTS, true, PC_PRODUCT, pc_add_product_locked },
	{ "GET", "api/invoices", PC_INVOICE_SEARCH, false, PC_INVOICE, pc_search_locked },
	{ "GET", "api/invoices/{}", PC_INVOICE_SEARCH, false, PC_INVOICE, pc_read_locked },
	{ "POST", "api/invoices", PC_INVOICES, true, PC_INVOICE, pc_add_invoice_locked },
	{ "POST", "api/attachments", PC_INVOICES, true, PC_INVOICE, pc_attach_locked },
};

/* ---- answers ------------------------------------------------------------------------------- */

bool pc_fail(struct pc_call *pc, unsigned status, const char *field, const char *message)
{
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "errors");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_kint(&w, "status", status);
	if (field)
		jsonw_kstr(&w, "field", field);
	jsonw_kstr(&w, "message", message);
	jsonw_end_object(&w);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	pc->c->note = message;
	reply_json(pc->c, status, &sb);
	return false;
}

/* What a gateway says (§9). */
static void fail_page(struct call *c, unsigned status)
{
	char *text = arena_printf(c->arena,
				  "<html><head><title>%u</title></head><body><center>nginx</center>"
				  "</body></html>\n",
				  status);
	reply_text(c, status, "text/html", text ? text : "");
}

struct pc_company *pc_find_locked(struct procountor *p, const char *name)
{
	char id[24];
	for (struct pc_company *co = p->companies; co; co = co->next) {
		snprintf(id, sizeof(id), "%" PRId64, co->id);
		if (str_eq(co->tenant, name) || str_eq(co->business_id, name) || str_eq(id, name))
			return co;
	}
	return NULL;
}

/* ---- the way in ---------------------------------------------------------------------------- */

static bool find_route(struct pc_call *pc)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!call_is(pc->c, routes[i].method) ||
		    !call_matches(pc->c, routes[i].pattern, &pc->id))
			continue;
		pc->route = &routes[i];
		return true;
	}
	reply_empty(pc->c, 404);
	return false;
}

static bool may(struct pc_call *pc)
{
	enum pc_right right = pc->route->right;
	if (right >= PC_RIGHTS)
		return true;
	enum pc_level level = pc->company->rights[right];
	if (level == PC_ALL_RIGHTS || (level == PC_VIEWING_RIGHTS && !pc->route->is_write))
		return true;
	pc->company->refused++;
	return pc_fail(pc, 403, NULL, "User rights check failed: Insufficient user rights.");
}

static bool begin_locked(struct pc_call *pc)
{
	/* The gateway's (§4). */
	if (call_is(pc->c, "GET") && pc->c->body.n) {
		fail_page(pc->c, 403);
		return false;
	}
	if (pc->route->right == PC_STRANGER)
		return pc_take_slot_locked(pc);
	if (!pc_authenticate_locked(pc))
		return false;
	pc->company->calls++;
	return pc_take_slot_locked(pc) && may(pc);
}

static bool begin(void *state, struct call *c)
{
	struct pc_call *pc = arena_alloc(c->arena, sizeof(*pc));
	if (!pc)
		return false;
	pc->c = c;
	pc->p = state;
	c->ctx = pc;
	if (!find_route(pc))
		return false;
	pthread_mutex_lock(&pc->p->base.lock);
	bool ok = begin_locked(pc);
	pthread_mutex_unlock(&pc->p->base.lock);
	return ok;
}

static void serve(void *state, struct call *c)
{
	struct procountor *p = state;
	struct pc_call *pc = c->ctx;
	pthread_mutex_lock(&p->base.lock);
	pc->route->serve_locked(pc);
	pthread_mutex_unlock(&p->base.lock);
}

/* A fault: with a code, a list of errors with that message; without, a gateway's page. */
static void refuse(struct call *c, unsigned status)
{
	struct pc_call pc = { .c = c };
	if (c->fault.code[0])
		pc_fail(&pc, status, NULL, c->fault.code);
	else if (status == 429)
		reply_empty(c, 429);
	else
		fail_page(c, status);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void close_state(void *state)
{
	struct procountor *p = state;
	if (!p)
		return;
	for (struct pc_company *co = p->companies; co; co = co->next)
		for (size_t k = 0; k < PC_KINDS; k++)
			mem_free(co->registers[k].items);
	table_release(&p->tokens);
	mem_free(p->taken_us);
	tz_free(p->zone);
	standin_free(p);
}

static void *open_state(struct sandbox *sb, struct err *err)
{
	(void)sb;
	struct procountor *p = standin_new(sizeof(*p), err);
	if (!p)
		return NULL;
	p->next_company = 5001;
	if (!pc_set_rate_locked(p, DEFAULT_RATE))
		err_set(err, ERR_MEMORY, "out of memory");
	else if (tz_load("Europe/Helsinki", &p->zone, err))
		return p;
	close_state(p);
	return NULL;
}

/* The business id of the company whose token it is, for faults that are meant for one. */
static const char *whose(void *state, const struct call *c)
{
	struct procountor *p = state;
	const char *bearer = call_bearer(c);
	const char *id = NULL;
	if (!bearer)
		return NULL;
	pthread_mutex_lock(&p->base.lock);
	const struct pc_token *token = table_get(&p->tokens, bearer);
	if (token)
		id = token->company->business_id;
	pthread_mutex_unlock(&p->base.lock);
	return id;
}

const struct standin procountor_standin = {
	.name = "procountor",
	.open = open_state,
	.close = close_state,
	.whose = whose,
	.begin = begin,
	.serve = serve,
	.refuse = refuse,
	.control = pc_control,
	.write_ledger = pc_write_ledger,
	.write_setup = pc_write_setup,
	.add_tenant = pc_seed,
	.is_locked_whole = true,
};
