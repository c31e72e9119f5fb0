/*
 * map.c: Maventa's JSON to our structs and back (facts/maventa.md §3, 5.3, 6, 8, 10, 11). Pure.
 * Members that nobody knows are passed over; most may be null or missing.
 */
#include "base/base.h"
#include "maventa_internal.h"

#include <ctype.h>

#include "base/clock.h"

#define UUID_CHARS 36

static const char *text_of(const struct json *j, const char *path)
{
	const char *text = json_text(json_at(j, path));
	return text ? text : "";
}

/* Lower-case copy when the text is a UUID, else NULL. */
static const char *uuid_of(struct arena *arena, const char *text)
{
	if (!text || strlen(text) != UUID_CHARS)
		return NULL;
	char *ret = arena_strdup(arena, text);
	for (size_t i = 0; ret && i < UUID_CHARS; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		ret[i] = (char)tolower((unsigned char)ret[i]);
		if (is_dash ? ret[i] != '-' : !isxdigit((unsigned char)ret[i]))
			return NULL;
	}
	return ret;
}

bool maventa_map_current(const struct json *j, struct maventa_current *ret, struct err *err)
{
	*ret = (struct maventa_current) {
		.user_id = text_of(j, "user.id"),
		.user_email = text_of(j, "user.email"),
		.first_name = text_of(j, "user.first_name"),
		.last_name = text_of(j, "user.last_name"),
		.company_id = text_of(j, "company.id"),
		.business_id = text_of(j, "company.bid"),
		.company_name = text_of(j, "company.name"),
		.country = text_of(j, "company.country"),
		.vat_number = text_of(j, "company.vat"),
		.scopes = "",
		.missing_scopes = "",
	};
	if (!json_bool(json_at(j, "company.disabled"), &ret->is_disabled))
		ret->is_disabled = false;
	return ret->company_id[0] ? true
				  : err_set(err, ERR_SYSTEM,
					    "Maventa does not say whose keys "
					    "these are");
}

bool maventa_map_invoice(struct arena *arena, const struct json *j, struct maventa_invoice *ret,
			 struct err *err)
{
	static const struct field fields[] = {
		{ "status", FIELD_TEXT, offsetof(struct maventa_invoice, status), 0, 0 },
		{ "number", FIELD_ID, offsetof(struct maventa_invoice, number), 0, 0 },
		{ "reference", FIELD_ID, offsetof(struct maventa_invoice, reference), 0, 0 },
		{ "date", FIELD_DATE, offsetof(struct maventa_invoice, date), 0, 0 },
		{ "date_due", FIELD_DATE, offsetof(struct maventa_invoice, due_date), 0, 0 },
		{ "currency", FIELD_TEXT, offsetof(struct maventa_invoice, currency), 0, 0 },
		{ "sum", FIELD_DECIMAL, offsetof(struct maventa_invoice, sum), 0,
		  offsetof(struct maventa_invoice, has_sum) },
		{ "sum_tax", FIELD_DECIMAL, offsetof(struct maventa_invoice, gross), 0,
		  offsetof(struct maventa_invoice, has_gross) },
		{ "recipient.eia", FIELD_ID, offsetof(struct maventa_invoice, recipient_address), 0,
		  0 },
		{ "recipient.operator", FIELD_ID,
		  offsetof(struct maventa_invoice, recipient_operator), 0, 0 },
		{ "recipient.name", FIELD_TEXT, offsetof(struct maventa_invoice, recipient_name), 0,
		  0 },
		{ "destination", FIELD_TEXT, offsetof(struct maventa_invoice, destination), 0, 0 },
		{ "comment", FIELD_TEXT, offsetof(struct maventa_invoice, comment), 0, 0 },
		{ "created_at", FIELD_TEXT, offsetof(struct maventa_invoice, created), 0, 0 },
	};
	*ret = (struct maventa_invoice) { .id = uuid_of(arena, json_str(json_get(j, "id"))) };
	if (!ret->id)
		return err_set(err, ERR_SYSTEM, "Maventa tells of an invoice without an id");
	/* Only the id and the status decide anything: what else cannot be read is left untold. */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		(void)!json_decode(j, &fields[i], 1, ret, NULL);
	if (!ret->status)
		ret->status = "";
	ret->state = maventa_state_of(ret->status);
	return true;
}

void maventa_map_action(const struct json *j, struct maventa_action *ret)
{
	*ret = (struct maventa_action) {
		.type = text_of(j, "type"),
		.channel = text_of(j, "channel"),
		.key = text_of(j, "key"),
		.message = text_of(j, "message"),
		.happened = text_of(j, "happened_at"),
	};
	if (!clock_parse_rfc3339(span_of(ret->happened), &ret->happened_ms))
		ret->happened_ms = 0;
}

void maventa_map_receiver(const struct json *j, struct maventa_receiver *ret)
{
	*ret = (struct maventa_receiver) {
		.address = text_of(j, "eia"),
		.operator_id = text_of(j, "operator"),
		.network = text_of(j, "network"),
		.name = text_of(j, "participant.name"),
		.business_id = text_of(j, "participant.bid"),
		.country = text_of(j, "participant.country"),
	};
}

/* ---- settings ------------------------------------------------------------------------------ */

/* Rows of one block stand together. */
static const struct {
	const char *block, *name;
	bool is_switch;
	size_t offset;
} settings[] = {
	{ "send_invoice_email", "enabled", true, offsetof(struct maventa_settings, email) },
	{ "send_invoice_email", "how_to_send", false,
	  offsetof(struct maventa_settings, email_how) },
	{ "send_invoice_print", "enabled", true, offsetof(struct maventa_settings, print) },
	{ "send_invoice_print", "use_own_pdf", true,
	  offsetof(struct maventa_settings, print_own_pdf) },
	{ "send_invoice_print", "letter_class", false,
	  offsetof(struct maventa_settings, letter_class) },
	{ "send_invoice_print", "color_scheme", false, offsetof(struct maventa_settings, color) },
	{ "send_invoice_general", "stop_duplicate_numbers", true,
	  offsetof(struct maventa_settings, stop_duplicates) },
	{ "send_invoice_general", "hold_multiple_recipients", true,
	  offsetof(struct maventa_settings, hold_several) },
};

void maventa_map_settings(const struct json *j, struct maventa_settings *ret)
{
	*ret = (struct maventa_settings) { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct json *value = json_get(json_get(j, settings[i].block),
						    settings[i].name);
		void *into = (char *)ret + settings[i].offset;
		bool is_on;
		if (settings[i].is_switch && json_bool(value, &is_on))
			*(enum maventa_switch *)into = is_on ? MAVENTA_ON : MAVENTA_OFF;
		else if (!settings[i].is_switch)
			*(const char **)into = json_str(value);
	}
}

static bool write_one(struct json_writer *w, const struct maventa_settings *change, size_t i,
		      bool is_block_open)
{
	const void *from = (const char *)change + settings[i].offset;
	enum maventa_switch on = settings[i].is_switch ? *(const enum maventa_switch *)from
						       : MAVENTA_AS_IT_IS;
	const char *text = settings[i].is_switch ? NULL : *(const char *const *)from;
	if (on == MAVENTA_AS_IT_IS && !text)
		return false;
	if (!is_block_open) {
		jsonw_key(w, settings[i].block);
		jsonw_object(w);
	}
	if (text)
		jsonw_kstr(w, settings[i].name, text);
	else
		jsonw_kbool(w, settings[i].name, on == MAVENTA_ON);
	return true;
}

bool maventa_write_settings(struct arena *arena, const struct maventa_settings *change,
			    const struct json *with, struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *open = NULL, *text;
	jsonw_object(&w);
	for (size_t i = 0; maventa_needed_blocks[i]; i++) {
		const struct json *block = json_get(with, maventa_needed_blocks[i]);
		if (!block)
			continue;
		jsonw_key(&w, maventa_needed_blocks[i]);
		jsonw_node(&w, block);
	}
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (open && strcmp(open, settings[i].block) != 0) {
			jsonw_end_object(&w);
			open = NULL;
		}
		if (write_one(&w, change, i, open != NULL))
			open = settings[i].block;
	}
	if (open)
		jsonw_end_object(&w);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

/* ---- notifications ------------------------------------------------------------------------- */

/* What a notification looks like is not documented (§11): the first of these that is a UUID. */
bool maventa_read_hint(struct arena *arena, struct span body, const char **ret_uuid,
		       struct err *err)
{
	static const char *const places[] = { "id", "invoice_id", "document_id", "data.id" };
	const struct json *j;
	if (!json_parse(arena, body, (struct json_limits) { MAVENTA_HINT_MAX, 16 }, &j, err)) {
		if (err)
			err->code = ERR_INPUT;
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *uuid = uuid_of(arena, json_str(json_at(j, places[i])));
		if (!uuid)
			continue;
		*ret_uuid = uuid;
		return true;
	}
	err_set(err, ERR_INPUT, "no invoice is named");
	if (err)
		err_pointer(err, "/id");
	return false;
}
