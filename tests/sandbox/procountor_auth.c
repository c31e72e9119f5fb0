/*
 * procountor_auth.c: tokens, pace and rights of the Procountor stand-in, and what a key is told of
 * itself (facts/procountor.md §3, 4, 8). All companies' keys belong to one client id, which the
 * pace is counted by.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "form.h"
#include "procountor.h"

static const char *const rights[PC_RIGHTS] = {
	[PC_INVOICES] = "sales.salesOrGroupInvoices",
	[PC_INVOICE_SEARCH] = "sales.salesInvoiceSearch",
	[PC_CUSTOMERS] = "sales.customerRegister",
	[PC_PRODUCTS] = "sales.productRegister",
	[PC_COMPANY] = "management.basicCompanyInfo",
};
static const char *const levels[] = { "ALL_RIGHTS", "VIEWING_RIGHTS", "NO_ACCESS", "NOT_ENABLED" };

const char *pc_right_name(enum pc_right right)
{
	return rights[right];
}

bool pc_level_of(const char *name, enum pc_level *ret)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(levels); i++) {
		if (strcmp(levels[i], name) != 0)
			continue;
		*ret = (enum pc_level)i;
		return true;
	}
	return false;
}

/* ---- tokens -------------------------------------------------------------------------------- */

/* How a login is refused is not documented: OAuth's own form. */
static void refuse_login(struct pc_call *pc, const char *error)
{
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "error", error);
	jsonw_kstr(&w, "error_description", "Unauthorized");
	jsonw_end_object(&w);
	pc->c->note = error;
	reply_json(pc->c, pc->p->token_error ? pc->p->token_error : 401, &sb);
}

static void answer_token_locked(struct pc_call *pc, struct pc_company *co)
{
	struct procountor *p = pc->p;
	unsigned char random[32];
	char hex[2 * sizeof(random) + 1];
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct pc_token *token = arena_alloc(p->base.arena, sizeof(*token));
	sign_random(random, sizeof(random));
	sign_hex(random, sizeof(random), hex);
	char *text = arena_printf(p->base.arena, "eyJhbGciOiJIUzI1NiJ9.%s.%.16s", hex, hex);
	if (!token || !text || !table_put(&p->tokens, text, token))
		return;
	*token = (struct pc_token) { co, co->token_epoch, clock_wall_ms() + co->token_s * 1000 };
	co->token_requests++;
	jsonw_object(&w);
	jsonw_kstr(&w, "access_token", text);
	jsonw_kstr(&w, "token_type", "Bearer");
	jsonw_kint(&w, "expires_in", co->token_s);
	jsonw_end_object(&w);
	reply_json(pc->c, 200, &sb);
}

void pc_token_locked(struct pc_call *pc)
{
	struct arena *arena = pc->c->arena;
	const char *grant = form_value(arena, pc->c->body, "grant_type");
	const char *id = form_value(arena, pc->c->body, "client_id");
	const char *secret = form_value(arena, pc->c->body, "client_secret");
	const char *key = form_value(arena, pc->c->body, "api_key");
	struct pc_company *co = pc->p->companies;
	if (!str_eq(grant, "client_credentials")) {
		refuse_login(pc, "unsupported_grant_type");
		return;
	}
	/* Secrets in the address are refused since 23.09 (§3.1). */
	if (pc->c->query.n || !str_eq(id, PC_CLIENT_ID) || !str_eq(secret, PC_CLIENT_SECRET)) {
		refuse_login(pc, "invalid_client");
		return;
	}
	while (co && !str_eq(co->api_key, key))
		co = co->next;
	if (!co || co->is_key_ended) {
		refuse_login(pc, "invalid_grant");
		return;
	}
	pc->c->tenant = co->business_id;
	answer_token_locked(pc, co);
}

bool pc_authenticate_locked(struct pc_call *pc)
{
	const char *bearer = call_bearer(pc->c);
	const struct pc_token *token = bearer ? table_get(&pc->p->tokens, bearer) : NULL;
	if (token && token->expires_ms > clock_wall_ms() &&
	    token->epoch == token->company->token_epoch && !token->company->is_key_ended) {
		pc->company = token->company;
		pc->c->tenant = pc->company->business_id;
		return true;
	}
	if (token)
		token->company->unauthorized++;
	return pc_fail(pc, 401, NULL, "Unauthorized");
}

/* ---- pace ---------------------------------------------------------------------------------- */

bool pc_set_rate_locked(struct procountor *p, unsigned rate)
{
	int64_t *ring = rate ? mem_alloc_array(rate, sizeof(*ring)) : NULL;
	if (rate && !ring)
		return false;
	mem_free(p->taken_us);
	p->taken_us = ring;
	p->taken_at = p->taken_n = 0;
	p->rate = rate;
	return true;
}

/* A sliding second. Status and header are not documented (§4): 429, and sometimes Retry-After. */
bool pc_take_slot_locked(struct pc_call *pc)
{
	struct procountor *p = pc->p;
	int64_t now_us = clock_mono_us();
	if (!p->rate)
		return true;
	if (p->taken_n < p->rate || now_us - p->taken_us[p->taken_at] >= 1000000) {
		p->taken_us[p->taken_at] = now_us;
		p->taken_at = (p->taken_at + 1) % p->rate;
		p->taken_n += p->taken_n < p->rate;
		return true;
	}
	if (pc->company)
		pc->company->throttled++;
	pc->c->note = "429";
	reply_empty(pc->c, 429);
	if (p->throttled++ % 2)
		reply_header(pc->c, "Retry-After", "1");
	return false;
}

/* ---- what a key is told of itself ---------------------------------------------------------- */

void pc_session_locked(struct pc_call *pc)
{
	const struct pc_company *co = pc->company;
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kint(&w, "companyId", co->id);
	jsonw_kstr(&w, "name", co->name);
	jsonw_kstr(&w, "country", co->country);
	jsonw_kstr(&w, "productVersion", "FINANCIALS_BASIC");
	jsonw_kint(&w, "userId", co->user);
	jsonw_kstr(&w, "userName", "integraatio");
	jsonw_end_object(&w);
	reply_json(pc->c, 200, &sb);
}

static void write_group(struct json_writer *w, const struct pc_company *co, const char *group)
{
	size_t n = strlen(group);
	jsonw_key(w, group);
	jsonw_object(w);
	for (size_t i = 0; i < PC_RIGHTS; i++)
		if (strncmp(rights[i], group, n) == 0 && rights[i][n] == '.')
			jsonw_kstr(w, rights[i] + n + 1, levels[co->rights[i]]);
	if (strcmp(group, "sales") == 0)
		jsonw_kbool(w, "personalSalesInvoicesOnly", co->sees_own_only);
	jsonw_end_object(w);
}

void pc_rights_locked(struct pc_call *pc)
{
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "role", "BASIC_USER");
	jsonw_key(&w, "rights");
	jsonw_object(&w);
	write_group(&w, pc->company, "sales");
	write_group(&w, pc->company, "management");
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	reply_json(pc->c, 200, &sb);
}

void pc_company_locked(struct pc_call *pc)
{
	const struct pc_company *co = pc->company;
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kint(&w, "id", co->id);
	jsonw_kstr(&w, "name", co->name);
	jsonw_kstr(&w, "country", co->country);
	jsonw_kstr(&w, "productVersion", "FINANCIALS_BASIC");
	jsonw_kstr(&w, "operationType", "DEMONSTRATION");
	jsonw_kstr(&w, "companyCurrency", co->currency);
	jsonw_key(&w, "businessIdentifier");
	jsonw_object(&w);
	jsonw_kstr(&w, "brnType", strcmp(co->country, "NORWAY") == 0 ? "NO" : "FI");
	jsonw_kstr(&w, "code", co->business_id);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	reply_json(pc->c, 200, &sb);
}
