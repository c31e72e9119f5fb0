/*
 * maventa_settings.c: settings of an account in the Maventa stand-in (facts/maventa.md §8): a JSON
 * document with a table of what its members may be.
 */
#include "base/base.h"

#include "maventa.h"

/* countries: where the member may be given; NULL: anywhere. */
static const struct {
	const char *block, *name;
	enum json_type type;
	const char *values, *countries;
} members[] = {
	{ "send_invoice_email", "enabled", JSON_BOOL, NULL, NULL },
	{ "send_invoice_email", "how_to_send", JSON_STRING,
	  "EMBEDDED EMBEDDED_MERGE WITH_LINK WITH_OBJECTIONS", NULL },
	{ "send_invoice_email", "reminder_frequency", JSON_NUMBER, NULL, NULL },
	{ "send_invoice_email", "content_data", JSON_OBJECT, NULL, NULL },
	{ "send_invoice_print", "enabled", JSON_BOOL, NULL, NULL },
	{ "send_invoice_print", "use_own_pdf", JSON_BOOL, NULL, "FI NO SE DK NL" },
	{ "send_invoice_print", "letter_class", JSON_STRING, "ECONOMY PRIORITY", "FI SE NL" },
	{ "send_invoice_print", "color_scheme", JSON_STRING, "BLACK_AND_WHITE COLORED",
	  "FI SE NO DK" },
	{ "send_invoice_print", "attachment_print", JSON_BOOL, NULL, NULL },
	{ "send_invoice_print", "marketing_page", JSON_BOOL, NULL, "FI" },
	{ "send_invoice_general", "stop_duplicate_numbers", JSON_BOOL, NULL, NULL },
	{ "send_invoice_general", "hold_multiple_recipients", JSON_BOOL, NULL, NULL },
	{ "invoice_notifications", "on_send_errors", JSON_OBJECT, NULL, NULL },
	{ "invoice_notifications", "on_receiving", JSON_OBJECT, NULL, NULL },
	{ "details", "name", JSON_STRING, NULL, NULL },
	{ "details", "email", JSON_STRING, NULL, NULL },
	{ "details", "website", JSON_STRING, NULL, NULL },
	{ "details", "country", JSON_STRING, NULL, NULL },
	{ "details", "bid", JSON_STRING, NULL, NULL },
	{ "details", "vat_number", JSON_STRING, NULL, NULL },
	{ "address", "street_address", JSON_STRING, NULL, NULL },
	{ "address", "post_code", JSON_STRING, NULL, NULL },
	{ "address", "post_office", JSON_STRING, NULL, NULL },
	{ "address", "city", JSON_STRING, NULL, NULL },
	{ "address", "country", JSON_STRING, NULL, NULL },
};

/* Print is off, e-mail on (§8). */
const char *mv_default_settings(struct maventa *m, const struct mv_company *co)
{
	struct strbuf sb = STRBUF_INIT(m->base.arena, 8192);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&w);
	jsonw_key(&w, "details");
	jsonw_object(&w);
	jsonw_kstr(&w, "name", co->name);
	jsonw_kstr(&w, "email", co->email);
	jsonw_kstr(&w, "website", NULL);
	jsonw_kstr(&w, "country", co->country);
	jsonw_kstr(&w, "bid", co->business_id);
	jsonw_kstr(&w, "vat_number", co->vat_number[0] ? co->vat_number : NULL);
	jsonw_end_object(&w);
	jsonw_key(&w, "address");
	jsonw_object(&w);
	jsonw_kstr(&w, "country", co->country);
	jsonw_end_object(&w);
	jsonw_key(&w, "invoice_notifications");
	jsonw_raw(&w, SPAN_LIT("{\"on_receiving\":{\"enabled\":true,\"how_to_send\":\"TO_USERS\"},"
			       "\"on_send_errors\":{\"to_user\":true,\"to_emails\":[]}}"));
	jsonw_key(&w, "send_invoice_email");
	jsonw_raw(&w, SPAN_LIT("{\"enabled\":true,\"how_to_send\":\"EMBEDDED\","
			       "\"reminder_frequency\":0}"));
	jsonw_key(&w, "send_invoice_print");
	jsonw_raw(&w, SPAN_LIT("{\"enabled\":false,\"use_own_pdf\":false,\"attachment_print\":"
			       "false,\"color_scheme\":\"BLACK_AND_WHITE\"}"));
	jsonw_key(&w, "send_invoice_general");
	jsonw_raw(&w, SPAN_LIT("{\"stop_duplicate_numbers\":false,"
			       "\"hold_multiple_recipients\":false}"));
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &text, NULL) ? text : NULL;
}

static bool is_listed(const char *text, const char *list, char mark)
{
	size_t n = strlen(text);
	for (const char *p = list; n && (p = strstr(p, text)); p += n)
		if ((p == list || p[-1] == mark) && (p[n] == mark || !p[n]))
			return true;
	return false;
}

static const struct json *parse(struct arena *arena, const char *text)
{
	const struct json *j;
	return json_parse(arena, span_of(text), JSON_LIMITS_VENDOR, &j, NULL) ? j : NULL;
}

bool mv_setting_locked(struct mv_call *mc, const char *path)
{
	bool is_on;
	return json_bool(json_at(parse(mc->c->arena, mc->company->settings), path), &is_on) &&
	       is_on;
}

/* ?fields=a,b leaves the other blocks out. */
void mv_settings_locked(struct mv_call *mc)
{
	const char *fields = call_param(mc->c, "fields");
	const struct json *settings = parse(mc->c->arena, mc->company->settings);
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	for (const struct json *block = json_first(settings); block; block = json_next(block)) {
		if (fields && !is_listed(json_key(block), fields, ','))
			continue;
		jsonw_key(&w, json_key(block));
		jsonw_node(&w, block);
	}
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

/* NULL, or what is wrong. */
static const char *check_member(const struct mv_company *co, const char *block,
				const struct json *member)
{
	size_t i = 0;
	while (i < ARRAY_SIZE(members) && (strcmp(members[i].block, block) != 0 ||
					   strcmp(members[i].name, json_key(member)) != 0))
		i++;
	if (i == ARRAY_SIZE(members))
		return "is unknown";
	if (json_is_null(member))
		return NULL;
	if (json_type(member) != members[i].type)
		return "has the wrong type";
	if (members[i].values && !is_listed(json_str(member), members[i].values, ' '))
		return "does not have a valid value";
	if (members[i].countries && !is_listed(co->country, members[i].countries, ' '))
		return "is not available in the company's country";
	return NULL;
}

static bool check(struct mv_call *mc, const struct json *body)
{
	static const char *const needed[] = { "details", "address", "invoice_notifications" };
	for (size_t i = 0; mc->company->wants_whole_settings && i < ARRAY_SIZE(needed); i++)
		if (!json_get(body, needed[i]))
			return mv_fail(mc, 400, "invalid_parameters",
				       "Request parameters are invalid",
				       arena_printf(mc->c->arena, "%s is missing", needed[i]));
	for (const struct json *block = json_first(body); block; block = json_next(block))
		for (const struct json *m = json_first(block); m; m = json_next(m)) {
			const char *wrong = check_member(mc->company, json_key(block), m);
			if (!wrong)
				continue;
			return mv_fail(mc, 400, "invalid_parameters",
				       "Request parameters are invalid",
				       arena_printf(mc->c->arena, "%s[%s] %s", json_key(block),
						    json_key(m), wrong));
		}
	return true;
}

static bool is_admin(const struct mv_call *mc)
{
	for (const struct mv_member *mb = mc->company->members; mb; mb = mb->next)
		if (mb->user == mc->user)
			return mb->is_admin;
	return false;
}

void mv_change_settings_locked(struct mv_call *mc)
{
	const struct json *body = NULL;
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	if (!is_admin(mc)) {
		mv_unauthorized(mc);
		return;
	}
	if (!json_parse(mc->c->arena, mc->c->body, JSON_LIMITS_API, &body, NULL) ||
	    json_type(body) != JSON_OBJECT) {
		mv_fail(mc, 400, "invalid_parameters", "Malformed body", NULL);
		return;
	}
	if (!check(mc, body))
		return;
	json_merge(&w, parse(mc->c->arena, mc->company->settings), body);
	if (!strbuf_finish(&sb, &text, NULL))
		return;
	mc->company->settings = mv_keep(mc->m, text);
	mc->company->settings_changes++;
	reply_empty(mc->c, 204);
}
