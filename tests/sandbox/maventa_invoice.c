/*
 * maventa_invoice.c: an upload to the Maventa stand-in: the checks while the call is open, the
 * route that the recipient's data leads to, and what is to become of it (facts/maventa.md §5).
 */
#include "base/base.h"

#include "form.h"
#include "maventa.h"

#include <ctype.h>

#define WEEK_MS (INT64_C(7) * 24 * 3600 * 1000)

/* ---- taking the request apart -------------------------------------------------------------- */

struct upload {
	struct form form;
	struct mv_package package;
	const char *wrong; /* "ERROR: ..." of the package; NULL: none */
	const char *uuid; /* "" when none was given */
};

static bool is_uuid(const char *text)
{
	size_t n = strlen(text);
	return n == 36 && strspn(text, "0123456789abcdefABCDEF-") == n && text[8] == '-' &&
	       text[13] == '-' && text[18] == '-' && text[23] == '-';
}

static bool bad_request(struct mv_call *mc, const char *details)
{
	return mv_fail(mc, 400, "invalid_parameters", "Request parameters are invalid", details);
}

bool mv_upload_prepare(struct mv_call *mc)
{
	struct arena *arena = mc->c->arena;
	struct upload *u = arena_alloc(arena, sizeof(*u));
	if (!u)
		return false;
	mc->parsed = u;
	if (!form_parse(mc->c, &u->form))
		return bad_request(mc, "The body is no multipart/form-data");
	const struct form_field *file = form_field(&u->form, "file");
	if (!file || !file->filename || !file->filename[0])
		return bad_request(mc, "file is missing or has no filename");
	u->uuid = form_text(arena, &u->form, "uuid");
	if (u->uuid[0] && !is_uuid(u->uuid))
		return bad_request(mc, "uuid is invalid");
	u->wrong = mv_package_read(arena, file->value, &u->package);
	return true;
}

/* ---- routes -------------------------------------------------------------------------------- */

/* Lists in a form are taken in one of two styles: which is not documented (§5). */
static bool is_disabled(const struct mv_call *mc, const struct form *f, const char *route)
{
	const char *name = mc->m->takes_brackets ? "disabled_routes[]" : "disabled_routes";
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->fields[i].name, name) == 0 && span_is(f->fields[i].value, route))
			return true;
	return false;
}

static const char *or_else(const char *a, const char *b)
{
	return a[0] ? a : b;
}

/* "0037..." with or without "0216:", the same. */
static const char *bare(const char *address)
{
	const char *colon = strchr(address, ':');
	return colon && colon - address == 4 ? colon + 1 : address;
}

static bool is_known_receiver_locked(struct maventa *m, const char *address)
{
	for (size_t i = 0; i < m->n_receivers; i++)
		if (strcasecmp(bare(m->receivers[i].address), bare(address)) == 0)
			return true;
	return false;
}

static bool is_email(const char *text)
{
	const char *at = strchr(text, '@');
	return at && at != text && strchr(at, '.') && !strchr(text, ' ');
}

/* E-invoice, then e-mail, then print (§5.1); texts as people were seen to get them (§6). */
static void choose_route_locked(struct mv_call *mc, const struct form *f, struct mv_invoice *in)
{
	const struct mv_document *d = &in->doc;
	if (str_eq(form_text(mc->c->arena, f, "prevent_routing"), "true"))
		return; /* taken, and sent nowhere */
	bool is_forced_email = strcasecmp(d->address, "EMAIL") == 0;
	if (d->address[0] && !is_forced_email && !is_disabled(mc, f, "einvoice") &&
	    is_known_receiver_locked(mc->m, d->address)) {
		in->route = "EINVOICE";
		return;
	}
	if (d->email[0] && !is_disabled(mc, f, "email") &&
	    mv_setting_locked(mc, "send_invoice_email.enabled")) {
		in->route = "EMAIL";
		in->route_failure = is_email(d->email) ? NULL
						       : "Recipient email address is invalid";
		return;
	}
	bool has_some_address = d->street[0] || d->postcode[0] || d->city[0];
	if (has_some_address && !is_disabled(mc, f, "print")) {
		in->route = "PRINT";
		if (!mv_setting_locked(mc, "send_invoice_print.enabled"))
			in->route_failure = "Print service is not enabled";
		else if (!d->street[0] || !d->postcode[0] || !d->city[0] || !d->country[0])
			in->route_failure = "Recipient postal address is incomplete (street, post "
					    "code, city and country code are required)";
		return;
	}
	in->route_failure = "Not enough information about the recipient";
}

/* What the form says of the recipient wins over the document. */
static void override(struct arena *arena, const struct form *f, struct mv_document *d)
{
	d->address = or_else(form_text(arena, f, "recipient_eia"), d->address);
	d->operator_id = or_else(form_text(arena, f, "recipient_operator"), d->operator_id);
	d->email = or_else(form_text(arena, f, "recipient_email"), d->email);
}

/* ---- checks while the call is open --------------------------------------------------------- */

static bool refuse(struct mv_call *mc, unsigned status, const char *details)
{
	mc->company->refused++;
	return mv_fail(mc, status, "invoice_create_api_error", "Error while creating invoice",
		       details);
}

static bool was_sent_this_week(const struct mv_company *co, const char *number)
{
	const struct mv_invoice *in = table_get(&co->by_number, number);
	for (; in; in = in->next_same_number)
		if (!in->is_deleted && in->status != MV_FAILED &&
		    clock_wall_ms() - in->created_ms < WEEK_MS)
			return true;
	return false;
}

static bool check_locked(struct mv_call *mc, const struct upload *u)
{
	struct mv_company *co = mc->company;
	const char *format = form_text(mc->c->arena, &u->form, "format");
	if (strcmp(co->state, "VERIFIED") != 0 && strcmp(co->state, "1") != 0)
		return mv_unauthorized(mc);
	if (co->daily_limit && co->sent_today >= co->daily_limit)
		return refuse(mc, 400,
			      arena_printf(mc->c->arena,
					   "ERROR: COMPANY DAILY INVOICE LIMIT (%" PRId64
					   ") REACHED",
					   co->daily_limit));
	const struct mv_invoice *old = u->uuid[0] ? table_get(&mc->m->by_id, u->uuid) : NULL;
	if (old && !old->is_deleted) {
		co->refused_duplicates++;
		return refuse(mc, 422, "ERROR: INVOICE WITH GIVEN UUID ALREADY EXISTS");
	}
	if (u->wrong)
		return refuse(mc, 400, u->wrong);
	if (format[0] && strcmp(format, u->package.doc.format) != 0)
		return refuse(mc, 400, "ERROR: INVOICE DOES NOT MATCH THE GIVEN FORMAT");
	if (mv_setting_locked(mc, "send_invoice_general.stop_duplicate_numbers") &&
	    was_sent_this_week(co, u->package.doc.number))
		return refuse(mc, 400, "ERROR: DUPLICATE INVOICE NUMBER");
	return true;
}

/* ---- keeping it ---------------------------------------------------------------------------- */

static void keep_document(struct maventa *m, struct mv_document *d)
{
	const char **texts[] = {
		&d->number,	 &d->date,	&d->due_date,	 &d->currency,
		&d->reference,	 &d->sender_id, &d->sender_name, &d->address,
		&d->operator_id, &d->name,	&d->email,	 &d->street,
		&d->postcode,	 &d->city,	&d->country,	 &d->recipient_id
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i] = mv_keep(m, *texts[i]);
	char *xml = arena_memdup(m->base.arena, d->xml.p, d->xml.n);
	d->xml = xml ? (struct span) { xml, d->xml.n } : SPAN_LIT("");
}

/* {"lang": "FI", "disabled_routes": "print,email"}: all but the file. */
static const char *write_fields(struct arena *arena, const struct form *f)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&w);
	for (size_t i = 0; i < f->n; i++) {
		const char *name = f->fields[i].name;
		struct strbuf value = STRBUF_INIT(arena, 16 << 10);
		bool is_repeated = false;
		for (size_t k = 0; k < i; k++)
			is_repeated = is_repeated || strcmp(f->fields[k].name, name) == 0;
		if (f->fields[i].filename || is_repeated)
			continue;
		for (size_t k = i; k < f->n; k++) {
			if (strcmp(f->fields[k].name, name) != 0)
				continue;
			if (k > i)
				strbuf_addch(&value, ',');
			strbuf_addspan(&value, f->fields[k].value);
		}
		jsonw_key(&w, name);
		jsonw_span(&w, strbuf_span(&value));
	}
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &text, NULL) ? text : "{}";
}

/* That of its number, else of whatever comes next, else the account's. */
static struct mv_script take_script_locked(struct mv_company *co, const char *number)
{
	struct mv_order **at = &co->orders;
	while (*at && !str_eq((*at)->number, number))
		at = &(*at)->next;
	if (!*at)
		for (at = &co->orders; *at && (*at)->number;)
			at = &(*at)->next;
	if (!*at)
		return co->preset;
	struct mv_script ret = (*at)->script;
	*at = (*at)->next;
	return ret;
}

static struct mv_invoice *add_locked(struct mv_call *mc, struct upload *u)
{
	struct maventa *m = mc->m;
	struct mv_company *co = mc->company;
	struct mv_invoice *in = arena_alloc(m->base.arena, sizeof(*in));
	if (!in)
		return NULL;
	override(mc->c->arena, &u->form, &u->package.doc);
	*in = (struct mv_invoice) { .company = co,
				    .seq = ++m->next_seq,
				    .doc = u->package.doc,
				    .created_ms = clock_wall_ms(),
				    .form = mv_keep(m, write_fields(mc->c->arena, &u->form)),
				    .files = mv_keep(m, u->package.files) };
	keep_document(m, &in->doc);
	if (u->uuid[0])
		snprintf(in->id, sizeof(in->id), "%s", u->uuid);
	else
		sign_uuid4(in->id);
	for (char *p = in->id; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	in->next_same_number = table_get(&co->by_number, in->doc.number);
	if (!table_put(&co->by_number, in->doc.number, in) || !table_put(&m->by_id, in->id, in))
		return NULL;
	in->next = co->invoices;
	co->invoices = in;
	co->invoices_made++;
	co->sent_today++;
	in->script = take_script_locked(co, in->doc.number);
	return in;
}

void mv_upload_locked(struct mv_call *mc)
{
	struct upload *u = mc->parsed;
	if (!check_locked(mc, u))
		return;
	struct mv_invoice *in = add_locked(mc, u);
	if (!in)
		return;
	choose_route_locked(mc, &u->form, in);
	mv_add_action_locked(mc->m, in, "CREATED", NULL, "action_created", NULL);
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	mv_write_invoice(&w, in);
	reply_json(mc->c, 201, &sb);
}
