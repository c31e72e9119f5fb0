/*
 * maventa_auth.c: tokens of the Maventa stand-in (facts/maventa.md §3): a company's UUID and the
 * key of one of its users make a token for an hour.
 */
#include "base/base.h"

#include "form.h"
#include "maventa.h"

static const struct {
	const char *name;
	uint64_t scopes;
} scopes[] = {
	{ "invoice:send", MV_INVOICE_SEND },
	{ "invoice:receive", MV_INVOICE_RECEIVE },
	{ "company:read", MV_COMPANY_READ },
	{ "company:write", MV_COMPANY_WRITE },
	{ "lookup", MV_LOOKUP },
	{ "global", MV_GLOBAL | MV_COMPANY_READ | MV_LOOKUP },
	{ "company", MV_COMPANY_READ | MV_COMPANY_WRITE },
	{ "eui", MV_GLOBAL | MV_COMPANY_READ | MV_COMPANY_WRITE | MV_LOOKUP | MV_INVOICE_SEND |
			 MV_INVOICE_RECEIVE },
	{ "partner:lookups", MV_PARTNER_LOOKUPS },
	{ "document:send", MV_OTHER },
	{ "document:receive", MV_OTHER },
	{ "validate", MV_OTHER },
	{ "analysis", MV_OTHER },
};

uint64_t mv_scopes_parse(const char *text, bool *ret_unknown)
{
	uint64_t found = 0;
	*ret_unknown = false;
	while (*text) {
		size_t n = strcspn(text, " "), i = 0;
		while (i < ARRAY_SIZE(scopes) &&
		       (strlen(scopes[i].name) != n || strncmp(scopes[i].name, text, n) != 0))
			i++;
		if (i < ARRAY_SIZE(scopes))
			found |= scopes[i].scopes;
		else if (n)
			*ret_unknown = true;
		text += n;
		text += *text == ' ';
	}
	return found;
}

/* Those of one right each; of the aliases only `global`, which one call wants by name. */
static void scopes_write(uint64_t have, struct strbuf *sb)
{
	bool is_first = true;
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		bool is_alias = (scopes[i].scopes & (scopes[i].scopes - 1)) != 0;
		uint64_t bit = strcmp(scopes[i].name, "global") == 0 ? (uint64_t)MV_GLOBAL
								     : scopes[i].scopes;
		if ((is_alias && bit != MV_GLOBAL) || !(have & bit))
			continue;
		strbuf_addf(sb, "%s%s", is_first ? "" : " ", scopes[i].name);
		is_first = false;
	}
}

/* ---- login --------------------------------------------------------------------------------- */

static struct mv_user *find_pair_locked(struct maventa *m, const char *company, const char *key,
					struct mv_company **ret_company)
{
	for (struct mv_company *co = m->companies; co; co = co->next) {
		if (strcasecmp(co->id, company) != 0)
			continue;
		for (struct mv_member *mb = co->members; mb; mb = mb->next) {
			if (strcasecmp(mb->user->key, key) != 0)
				continue;
			*ret_company = co;
			return mb->user;
		}
	}
	return NULL;
}

/* How a login is refused is not documented: both forms that are assumed (§3). */
static void refuse_login(struct mv_call *mc, const char *text)
{
	unsigned status = mc->m->token_error ? mc->m->token_error : 401;
	if (status == 401) {
		mv_fail(mc, 401, "unauthorized", "Unauthorized", text);
		return;
	}
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "error", "invalid_client");
	jsonw_kstr(&w, "error_description", text);
	jsonw_end_object(&w);
	mc->c->note = "invalid_client";
	reply_json(mc->c, status, &sb);
}

/* Of no fixed length, which clients are warned of. */
static const char *make_token_locked(struct mv_call *mc, uint64_t granted)
{
	struct maventa *m = mc->m;
	unsigned char random[400];
	struct mv_token *token = arena_alloc(m->base.arena, sizeof(*token));
	char *text = arena_alloc(m->base.arena, 2 * sizeof(random) + 4);
	sign_random(random, sizeof(random));
	if (!token || !text)
		return NULL;
	memcpy(text, "eyJ", 3);
	sign_hex(random, sizeof(random) - random[0] % 128, text + 3);
	*token = (struct mv_token) { .company = mc->company,
				     .user = mc->user,
				     .scopes = granted,
				     .epoch = mc->company->token_epoch,
				     .expires_ms = clock_wall_ms() + mc->company->token_s * 1000 };
	return table_put(&m->tokens, text, token) ? text : NULL;
}

static void answer_token_locked(struct mv_call *mc, uint64_t granted)
{
	struct strbuf names = STRBUF_INIT(mc->c->arena, 1024);
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text = make_token_locked(mc, granted), *scope;
	scopes_write(granted, &names);
	if (!text || !strbuf_finish(&names, &scope, NULL))
		return;
	mc->company->token_requests++;
	jsonw_object(&w);
	jsonw_kstr(&w, "access_token", text);
	jsonw_kstr(&w, "token_type", "bearer");
	jsonw_kint(&w, "expires_in", mc->company->token_s);
	jsonw_kstr(&w, "scope", scope);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

void mv_token_locked(struct mv_call *mc)
{
	struct arena *arena = mc->c->arena;
	struct span body = mc->c->body;
	const char *grant = form_value(arena, body, "grant_type");
	const char *company = form_value(arena, body, "client_id");
	const char *key = form_value(arena, body, "client_secret");
	const char *vendor = form_value(arena, body, "vendor_api_key");
	const char *scope = form_value(arena, body, "scope");
	bool unknown;
	if (!grant || strcmp(grant, "client_credentials") != 0) {
		mv_fail(mc, 400, "unsupported_grant_type", "grant_type is not supported", NULL);
		return;
	}
	if (vendor && strcasecmp(vendor, MV_VENDOR_KEY) != 0) {
		refuse_login(mc, "ERROR: VENDOR API KEY DISABLED");
		return;
	}
	mc->user = find_pair_locked(mc->m, company ? company : "", key ? key : "", &mc->company);
	if (!mc->user || mc->company->is_disabled) {
		refuse_login(mc, "Client authentication failed");
		return;
	}
	mc->c->tenant = mc->company->id;
	uint64_t asked = mv_scopes_parse(scope && scope[0] ? scope : "global company", &unknown);
	uint64_t denied = mc->company->denied_scopes;
	if (!mc->company->is_partner)
		denied |= MV_PARTNER_LOOKUPS;
	if (mc->company->refuses_missing_scope && (unknown || (asked & denied)))
		refuse_login(mc, "The requested scope is invalid");
	else
		answer_token_locked(mc, asked & ~denied);
}

/* True with the caller known; else a 401. */
bool mv_authenticate(struct mv_call *mc)
{
	const char *bearer = call_bearer(mc->c);
	const struct mv_token *token = bearer ? table_get(&mc->m->tokens, bearer) : NULL;
	if (!token)
		return mv_unauthorized(mc);
	mc->company = token->company;
	mc->user = token->user;
	if (token->expires_ms <= clock_wall_ms() || token->epoch != token->company->token_epoch ||
	    token->company->is_disabled || !(token->scopes & mc->route->scope))
		return mv_unauthorized(mc);
	return true;
}

/* ---- who am I ------------------------------------------------------------------------------ */

void mv_current_locked(struct mv_call *mc)
{
	const struct mv_company *co = mc->company;
	const struct mv_user *user = mc->user;
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct mv_token *token = table_get(&mc->m->tokens, call_bearer(mc->c));
	jsonw_object(&w);
	jsonw_key(&w, "user");
	jsonw_object(&w);
	jsonw_kstr(&w, "id", user->id);
	jsonw_kstr(&w, "email", user->email);
	jsonw_kstr(&w, "first_name", user->first_name);
	jsonw_kstr(&w, "last_name", user->last_name);
	jsonw_end_object(&w);
	jsonw_key(&w, "company");
	jsonw_object(&w);
	jsonw_kstr(&w, "id", co->id);
	jsonw_kstr(&w, "bid", co->business_id);
	jsonw_kstr(&w, "name", co->name);
	jsonw_kstr(&w, "country", co->country);
	jsonw_kstr(&w, "vat", co->vat_number[0] ? co->vat_number : NULL);
	jsonw_kbool(&w, "wizard_done", true);
	jsonw_kbool(&w, "disabled", co->is_disabled);
	jsonw_end_object(&w);
	jsonw_key(&w, "scopes");
	jsonw_array(&w);
	for (size_t i = 0; token && i < ARRAY_SIZE(scopes); i++)
		if ((token->scopes & scopes[i].scopes) == scopes[i].scopes)
			jsonw_str(&w, scopes[i].name);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

void mv_authenticated_locked(struct mv_call *mc)
{
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "client_id", mc->company->id);
	mv_time(&w, "expires_at", clock_wall_ms() + mc->company->token_s * 1000);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}
