/*
 * drive.c: `flow-cases drive`: runs calls of the Maventa system over the real HTTP client and says
 * what came of each, a JSON line per step. Standard input is one JSON object: url, soap_url,
 * credentials, options (array_style, names_format, partner_company, partner_key), steps
 * ([{"do": "send", ...}]).
 */
#include "base/base.h"
#include "drive.h"

#include "codec/json.h"
#include "fake.h"

struct drive {
	struct http_client *client;
	struct fake fake;
	struct arena *arena;
	const struct json *input;
	struct maventa mv, vendor;
	const struct json *args; /* of the step */
	struct json_writer *w, writer; /* of its line */
};

static bool exchange(struct fake *f, const struct call *call, struct http_reply *ret,
		     struct err *err)
{
	struct drive *d = f->ctx;
	struct http_transport *t = http_client_transport(d->client);
	enum http_reach reach;
	return t->perform(t, d->arena, &call->rq, ret, &reach, err);
}

static const char *arg(const struct drive *d, const char *path)
{
	return json_text(json_at(d->args, path));
}

static bool flag(const struct drive *d, const char *path)
{
	bool is_on;
	return json_bool(json_at(d->args, path), &is_on) && is_on;
}

static enum maventa_switch tristate(const struct drive *d, const char *path)
{
	if (json_is_null(json_at(d->args, path)))
		return MAVENTA_AS_IT_IS;
	return flag(d, path) ? MAVENTA_ON : MAVENTA_OFF;
}

static void put(struct drive *d, const char *key, const char *value)
{
	jsonw_kstr(d->w, key, value);
}

/* ---- the account --------------------------------------------------------------------------- */

static bool do_current(struct drive *d, struct err *err)
{
	struct maventa_current c;
	if (!maventa_current(&d->mv, &c, err))
		return false;
	put(d, "company", c.company_id);
	put(d, "business_id", c.business_id);
	put(d, "email", c.user_email);
	put(d, "scopes", c.scopes);
	put(d, "missing", c.missing_scopes);
	return true;
}

static bool do_register(struct drive *d, struct err *err)
{
	struct maventa_registered got;
	const struct maventa_registration r = {
		.company_name = arg(d, "name"),
		.business_id = arg(d, "business_id"),
		.company_email = "info@kajo.example",
		.street = "Valokaari 7",
		.postcode = "00180",
		.city = "Helsinki",
		.country = arg(d, "country"),
		.first_name = "Kalle",
		.last_name = "Kokeilija & kumpp.",
		.email = arg(d, "email"),
	};
	if (!maventa_register(&d->vendor, &r, &got, err))
		return false;
	put(d, "company", got.company_uuid);
	put(d, "key", got.user_api_key);
	put(d, "address", got.einvoice_address);
	return true;
}

static bool do_is_free(struct drive *d, struct err *err)
{
	bool is_free;
	if (!maventa_is_free(&d->vendor, arg(d, "business_id"), arg(d, "country"), &is_free, err))
		return false;
	jsonw_kbool(d->w, "free", is_free);
	return true;
}

static bool do_companies(struct drive *d, struct err *err)
{
	const struct maventa_company *list;
	size_t n;
	if (!maventa_companies(&d->mv, arg(d, "business_id"), "FI", &list, &n, err))
		return false;
	jsonw_key(d->w, "companies");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(d->w, list[i].business_id);
	jsonw_end_array(d->w);
	return true;
}

static bool do_link(struct drive *d, struct err *err)
{
	const char *state = "";
	if (flag(d, "read") ? !maventa_link_state(&d->mv, &state, err)
			    : !maventa_link(&d->mv, &state, err))
		return false;
	put(d, "state", state);
	return true;
}

static bool do_unlink(struct drive *d, struct err *err)
{
	return maventa_unlink(&d->mv, err);
}

static bool do_authorize(struct drive *d, struct err *err)
{
	return maventa_authorize(&d->mv, arg(d, "email"), arg(d, "locale"), err);
}

static bool do_authorization(struct drive *d, struct err *err)
{
	static const char *const names[] = { "unknown", "unverified", "verified" };
	struct maventa_authorization a;
	if (!maventa_authorization(&d->mv, &a, err))
		return false;
	put(d, "company", names[a.company]);
	put(d, "state", a.state);
	put(d, "email", a.email);
	return true;
}

/* ---- settings, receivers, subscriptions ---------------------------------------------------- */

static void put_switch(struct drive *d, const char *key, enum maventa_switch on)
{
	if (on != MAVENTA_AS_IT_IS)
		jsonw_kbool(d->w, key, on == MAVENTA_ON);
}

static bool do_settings(struct drive *d, struct err *err)
{
	struct maventa_settings s;
	if (!maventa_settings(&d->mv, &s, err))
		return false;
	put_switch(d, "email", s.email);
	put_switch(d, "print", s.print);
	put_switch(d, "print_own_pdf", s.print_own_pdf);
	put_switch(d, "stop_duplicates", s.stop_duplicates);
	put_switch(d, "hold_several", s.hold_several);
	put(d, "email_how", s.email_how);
	put(d, "letter_class", s.letter_class);
	put(d, "color", s.color);
	return true;
}

static bool do_change_settings(struct drive *d, struct err *err)
{
	const struct maventa_settings s = { .email = tristate(d, "email"),
					    .email_how = arg(d, "email_how"),
					    .print = tristate(d, "print"),
					    .print_own_pdf = tristate(d, "print_own_pdf"),
					    .letter_class = arg(d, "letter_class"),
					    .color = arg(d, "color"),
					    .stop_duplicates = tristate(d, "stop_duplicates"),
					    .hold_several = tristate(d, "hold_several") };
	return maventa_change_settings(&d->mv, &s, err);
}

static bool do_receivers(struct drive *d, struct err *err)
{
	const struct maventa_receiver_query q = { .networks = arg(d, "networks"),
						  .address = arg(d, "address"),
						  .business_id = arg(d, "business_id"),
						  .name = arg(d, "name") };
	const struct maventa_receiver *list;
	size_t n;
	if (!maventa_receivers(&d->mv, &q, &list, &n, err))
		return false;
	jsonw_key(d->w, "receivers");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++) {
		jsonw_str(d->w, list[i].address);
		jsonw_str(d->w, list[i].operator_id);
	}
	jsonw_end_array(d->w);
	return true;
}

static bool do_subscribe(struct drive *d, struct err *err)
{
	const char *id;
	if (!maventa_subscribe(&d->mv, arg(d, "url"), &id, err))
		return false;
	put(d, "id", id);
	return true;
}

/* The first one that there is. */
static bool do_unsubscribe(struct drive *d, struct err *err)
{
	const struct maventa_subscription *list;
	size_t n;
	if (!maventa_subscriptions(&d->mv, &list, &n, err))
		return false;
	jsonw_kint(d->w, "n", (int64_t)n);
	return maventa_unsubscribe(&d->mv, n ? list[0].id : "none", err);
}

/* ---- invoices ------------------------------------------------------------------------------ */

static struct span bytes(const char *text)
{
	return text ? span_of(text) : SPAN_LIT("");
}

static void put_invoice(struct drive *d, const struct maventa_invoice *in)
{
	static const char *const names[] = { "pending", "delivered", "failed" };
	put(d, "id", in->id);
	put(d, "state", names[in->state]);
	put(d, "number", in->number);
	put(d, "currency", in->currency);
	put(d, "date", in->date);
	put(d, "destination", in->destination);
	if (in->has_gross) {
		jsonw_key(d->w, "gross");
		jsonw_decimal(d->w, in->gross);
	}
}

static unsigned routes_of(const struct drive *d)
{
	unsigned routes = 0;
	const struct json *j = json_first(json_get(d->args, "disabled_routes"));
	for (; j; j = json_next(j)) {
		routes |= str_eq(json_str(j), "print") ? MAVENTA_ROUTE_PRINT : 0;
		routes |= str_eq(json_str(j), "email") ? MAVENTA_ROUTE_EMAIL : 0;
		routes |= str_eq(json_str(j), "einvoice") ? MAVENTA_ROUTE_EINVOICE : 0;
	}
	return routes;
}

static bool do_send(struct drive *d, struct err *err)
{
	struct attachment files[8], image = { .name = "i.pdf", .data = bytes(arg(d, "image")) };
	struct maventa_sending s = { .uuid = arg(d, "uuid"),
				     .format = arg(d, "format"),
				     .xml = bytes(arg(d, "xml")),
				     .image = arg(d, "image") ? &image : NULL,
				     .attachments = files,
				     .recipient_email = arg(d, "email"),
				     .recipient_address = arg(d, "address"),
				     .recipient_operator = arg(d, "operator"),
				     .disabled_routes = routes_of(d),
				     .language = arg(d, "language"),
				     .print_own_image = tristate(d, "own_image") };
	const struct json *j = json_first(json_get(d->args, "attachments"));
	for (; j && s.n_attachments < ARRAY_SIZE(files); j = json_next(j))
		files[s.n_attachments++] =
			(struct attachment) { .name = json_str(json_get(j, "name")),
					      .mime_type = json_str(json_get(j, "type")),
					      .data = bytes(json_str(json_get(j, "text"))) };
	struct maventa_form form;
	struct maventa_invoice in;
	if (!maventa_map_sending(d->arena, d->mv.opt, &s, &form, err) ||
	    !maventa_send(&d->mv, &form, &in, err))
		return false;
	put_invoice(d, &in);
	return true;
}

static bool do_invoice(struct drive *d, struct err *err)
{
	struct maventa_invoice in;
	if (!maventa_invoice(&d->mv, arg(d, "uuid"), &in, err))
		return false;
	put_invoice(d, &in);
	return true;
}

static bool do_invoices(struct drive *d, struct err *err)
{
	const struct json *uuids = json_get(d->args, "uuids");
	const char **list = arena_alloc_array(d->arena, json_size(uuids) + 1, sizeof(*list));
	const struct maventa_invoice *found;
	size_t n = 0, n_found;
	assert(list);
	for (const struct json *j = json_first(uuids); j; j = json_next(j))
		list[n++] = json_str(j);
	if (!maventa_invoices(&d->mv, list, n, &found, &n_found, err))
		return false;
	jsonw_key(d->w, "invoices");
	jsonw_array(d->w);
	for (size_t i = 0; i < n_found; i++)
		jsonw_str(d->w, found[i].id);
	jsonw_end_array(d->w);
	return true;
}

static bool do_failure(struct drive *d, struct err *err)
{
	const struct maventa_action *actions;
	const char *text;
	size_t n;
	if (!maventa_failure(&d->mv, arg(d, "uuid"), &text, err) ||
	    !maventa_actions(&d->mv, arg(d, "uuid"), NULL, &actions, &n, err))
		return false;
	put(d, "text", text);
	jsonw_key(d->w, "actions");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(d->w, actions[i].type);
	jsonw_end_array(d->w);
	return true;
}

/* ---- the run ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool (*run)(struct drive *d, struct err *err);
} calls[] = {
	{ "current", do_current },
	{ "register", do_register },
	{ "is_free", do_is_free },
	{ "companies", do_companies },
	{ "link", do_link },
	{ "unlink", do_unlink },
	{ "authorize", do_authorize },
	{ "authorization", do_authorization },
	{ "settings", do_settings },
	{ "change_settings", do_change_settings },
	{ "receivers", do_receivers },
	{ "subscribe", do_subscribe },
	{ "unsubscribe", do_unsubscribe },
	{ "send", do_send },
	{ "invoice", do_invoice },
	{ "invoices", do_invoices },
	{ "failure", do_failure },
};

static void put_error(struct drive *d, const struct err *err)
{
	put(d, "error", err_code_name(err->code));
	put(d, "reason", err->reason);
	put(d, "subject", err->subject);
	put(d, "message", err->message);
	put(d, "target_text", err->target_text);
	jsonw_kint(d->w, "status", err->upstream_status);
	jsonw_kint(d->w, "retry_after_ms", err->retry_after_ms);
}

static bool run_step(struct drive *d, const struct json *step)
{
	struct strbuf sb = STRBUF_INIT(d->arena, 1 << 20);
	struct err err = ERR_INIT;
	const char *text;
	size_t i = 0;
	d->args = step;
	d->writer = (struct json_writer)JSON_WRITER_INIT(&sb);
	d->w = &d->writer;
	while (i < ARRAY_SIZE(calls) && !str_eq(calls[i].name, arg(d, "do")))
		i++;
	if (i == ARRAY_SIZE(calls))
		return false;
	jsonw_object(d->w);
	if (!calls[i].run(d, &err))
		put_error(d, &err);
	jsonw_end_object(d->w);
	if (!strbuf_finish(&sb, &text, NULL))
		return false;
	d->writer.out = NULL;
	puts(text);
	return true;
}

static const char *string_at(const struct drive *d, const char *path)
{
	const char *text = json_str(json_at(d->input, path));
	return text ? text : "";
}

static bool open_systems(struct drive *d, struct err *err)
{
	struct maventa_options *opt = &d->fake.maventa;
	const struct json *credentials = json_get(d->input, "credentials");
	const char *key = string_at(d, "options.partner_key");
	opt->url = string_at(d, "url");
	opt->soap_url = string_at(d, "soap_url");
	opt->partner_company = string_at(d, "options.partner_company");
	opt->array_style = str_eq(string_at(d, "options.array_style"), "brackets");
	opt->names_format = json_bool(json_at(d->input, "options.names_format"),
				      &opt->names_format) &&
			    opt->names_format;
	return secret_in_arena(d->arena, span_of(key), &opt->partner_key) &&
	       maventa_open(&d->fake.at, NULL, credentials, &d->mv, err) &&
	       maventa_open_vendor(&d->fake.at, NULL, credentials, &d->vendor, err);
}

static bool read_input(struct drive *d)
{
	struct strbuf sb = STRBUF_INIT(d->arena, 64 << 20);
	char buf[65536];
	size_t n;
	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		strbuf_add(&sb, buf, n);
	return json_parse(d->arena, strbuf_span(&sb), (struct json_limits) { 64 << 20, 16 },
			  &d->input, NULL);
}

int drive_main(void)
{
	static struct drive d;
	struct http_guard guard = { .allow_private = true, .allow_http = true };
	struct err err = ERR_INIT;
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)1 << 30);
	d.arena = arena;
	if (!http_global_init(&err) || !http_client_new(&guard, &d.client, &err) || !read_input(&d))
		return 1;
	fake_init(&d.fake, arena, "{}", "{}");
	d.fake.exchange = exchange;
	d.fake.ctx = &d;
	int status = 0;
	if (!open_systems(&d, &err)) {
		fprintf(stderr, "%s\n", err.message);
		status = 1;
	}
	const struct json *step = json_first(json_get(d.input, "steps"));
	for (; step && !status; step = json_next(step))
		status = run_step(&d, step) ? 0 : 1;
	http_client_free(d.client);
	http_global_release();
	return status;
}
