/* drive_maventa.c: the calls of the Maventa system (drive.h). options: array_style, names_format,
 * partner_company, partner_key; soap_url beside url. */
#include "base/base.h"
#include "drive.h"

struct both {
	struct maventa mv, vendor;
};

static struct maventa *own(const struct drive *d)
{
	return &((struct both *)d->system)->mv;
}

static struct maventa *vendor(const struct drive *d)
{
	return &((struct both *)d->system)->vendor;
}

static enum maventa_switch tristate(const struct drive *d, const char *path)
{
	if (json_is_null(json_at(d->args, path)))
		return MAVENTA_AS_IT_IS;
	return drive_flag(d, path) ? MAVENTA_ON : MAVENTA_OFF;
}

/* ---- the account --------------------------------------------------------------------------- */

static bool do_current(struct drive *d, struct err *err)
{
	struct maventa_current c;
	if (!maventa_current(own(d), &c, err))
		return false;
	drive_put(d, "company", c.company_id);
	drive_put(d, "business_id", c.business_id);
	drive_put(d, "email", c.user_email);
	drive_put(d, "scopes", c.scopes);
	drive_put(d, "missing", c.missing_scopes);
	return true;
}

static bool do_register(struct drive *d, struct err *err)
{
	struct maventa_registered got;
	const struct maventa_registration r = {
		.company_name = drive_arg(d, "name"),
		.business_id = drive_arg(d, "business_id"),
		.company_email = "info@kajo.example",
		.street = "Valokaari 7",
		.postcode = "00180",
		.city = "Helsinki",
		.country = drive_arg(d, "country"),
		.first_name = "Kalle",
		.last_name = "Kokeilija & kumpp.",
		.email = drive_arg(d, "email"),
	};
	if (!maventa_register(vendor(d), &r, &got, err))
		return false;
	drive_put(d, "company", got.company_uuid);
	drive_put(d, "key", got.user_api_key);
	drive_put(d, "address", got.einvoice_address);
	return true;
}

static bool do_is_free(struct drive *d, struct err *err)
{
	bool is_free;
	if (!maventa_is_free(vendor(d), drive_arg(d, "business_id"), drive_arg(d, "country"),
			     &is_free, err))
		return false;
	jsonw_kbool(d->w, "free", is_free);
	return true;
}

static bool do_companies(struct drive *d, struct err *err)
{
	const struct maventa_company *list;
	size_t n;
	if (!maventa_companies(own(d), drive_arg(d, "business_id"), "FI", &list, &n, err))
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
	if (drive_flag(d, "read") ? !maventa_link_state(own(d), &state, err)
				  : !maventa_link(own(d), &state, err))
		return false;
	drive_put(d, "state", state);
	return true;
}

static bool do_unlink(struct drive *d, struct err *err)
{
	return maventa_unlink(own(d), err);
}

static bool do_authorize(struct drive *d, struct err *err)
{
	return maventa_authorize(own(d), drive_arg(d, "email"), drive_arg(d, "locale"), err);
}

static bool do_authorization(struct drive *d, struct err *err)
{
	static const char *const names[] = { "unknown", "unverified", "verified" };
	struct maventa_authorization a;
	if (!maventa_authorization(own(d), &a, err))
		return false;
	drive_put(d, "company", names[a.company]);
	drive_put(d, "state", a.state);
	drive_put(d, "email", a.email);
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
	if (!maventa_settings(own(d), &s, err))
		return false;
	put_switch(d, "email", s.email);
	put_switch(d, "print", s.print);
	put_switch(d, "print_own_pdf", s.print_own_pdf);
	put_switch(d, "stop_duplicates", s.stop_duplicates);
	put_switch(d, "hold_several", s.hold_several);
	drive_put(d, "email_how", s.email_how);
	drive_put(d, "letter_class", s.letter_class);
	drive_put(d, "color", s.color);
	return true;
}

static bool do_change_settings(struct drive *d, struct err *err)
{
	const struct maventa_settings s = { .email = tristate(d, "email"),
					    .email_how = drive_arg(d, "email_how"),
					    .print = tristate(d, "print"),
					    .print_own_pdf = tristate(d, "print_own_pdf"),
					    .letter_class = drive_arg(d, "letter_class"),
					    .color = drive_arg(d, "color"),
					    .stop_duplicates = tristate(d, "stop_duplicates"),
					    .hold_several = tristate(d, "hold_several") };
	return maventa_change_settings(own(d), &s, err);
}

static bool do_receivers(struct drive *d, struct err *err)
{
	const struct maventa_receiver_query q = { .networks = drive_arg(d, "networks"),
						  .address = drive_arg(d, "address"),
						  .business_id = drive_arg(d, "business_id"),
						  .name = drive_arg(d, "name") };
	const struct maventa_receiver *list;
	size_t n;
	if (!maventa_receivers(own(d), &q, &list, &n, err))
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
	if (!maventa_subscribe(own(d), drive_arg(d, "url"), &id, err))
		return false;
	drive_put(d, "id", id);
	return true;
}

/* The first one that there is. */
static bool do_unsubscribe(struct drive *d, struct err *err)
{
	const struct maventa_subscription *list;
	size_t n;
	if (!maventa_subscriptions(own(d), &list, &n, err))
		return false;
	jsonw_kint(d->w, "n", (int64_t)n);
	return maventa_unsubscribe(own(d), n ? list[0].id : "none", err);
}

/* ---- invoices ------------------------------------------------------------------------------ */

static struct span bytes(const char *text)
{
	return text ? span_of(text) : SPAN_LIT("");
}

static void put_invoice(struct drive *d, const struct maventa_invoice *in)
{
	static const char *const names[] = { "pending", "delivered", "failed" };
	drive_put(d, "id", in->id);
	drive_put(d, "state", names[in->state]);
	drive_put(d, "number", in->number);
	drive_put(d, "currency", in->currency);
	drive_put(d, "date", in->date);
	drive_put(d, "destination", in->destination);
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
	struct attachment files[8],
		image = { .name = "i.pdf", .data = bytes(drive_arg(d, "image")) };
	struct maventa_sending s = { .uuid = drive_arg(d, "uuid"),
				     .format = drive_arg(d, "format"),
				     .xml = bytes(drive_arg(d, "xml")),
				     .image = drive_arg(d, "image") ? &image : NULL,
				     .attachments = files,
				     .recipient_email = drive_arg(d, "email"),
				     .recipient_address = drive_arg(d, "address"),
				     .recipient_operator = drive_arg(d, "operator"),
				     .disabled_routes = routes_of(d),
				     .language = drive_arg(d, "language"),
				     .print_own_image = tristate(d, "own_image") };
	const struct json *j = json_first(json_get(d->args, "attachments"));
	for (; j && s.n_attachments < ARRAY_SIZE(files); j = json_next(j))
		files[s.n_attachments++] =
			(struct attachment) { .name = json_str(json_get(j, "name")),
					      .mime_type = json_str(json_get(j, "type")),
					      .data = bytes(json_str(json_get(j, "text"))) };
	struct maventa_form form;
	struct maventa_invoice in;
	if (!maventa_map_sending(d->arena, own(d)->opt, &s, &form, err) ||
	    !maventa_send(own(d), &form, &in, err))
		return false;
	put_invoice(d, &in);
	return true;
}

static bool do_invoice(struct drive *d, struct err *err)
{
	struct maventa_invoice in;
	if (!maventa_invoice(own(d), drive_arg(d, "uuid"), &in, err))
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
	if (!maventa_invoices(own(d), list, n, &found, &n_found, err))
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
	if (!maventa_failure(own(d), drive_arg(d, "uuid"), &text, err) ||
	    !maventa_actions(own(d), drive_arg(d, "uuid"), NULL, &actions, &n, err))
		return false;
	drive_put(d, "text", text);
	jsonw_key(d->w, "actions");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(d->w, actions[i].type);
	jsonw_end_array(d->w);
	return true;
}

/* ---- opening ------------------------------------------------------------------------------- */

static const struct drive_call calls[] = {
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

static bool open_maventa(struct drive *d, struct err *err)
{
	struct maventa_options *opt = &d->fake.maventa;
	struct both *both = arena_alloc(d->arena, sizeof(*both));
	const struct json *credentials = json_get(d->input, "credentials");
	const char *key = drive_input(d, "options.partner_key");
	assert(both);
	d->system = both;
	opt->url = drive_input(d, "url");
	opt->soap_url = drive_input(d, "soap_url");
	opt->partner_company = drive_input(d, "options.partner_company");
	opt->array_style = str_eq(drive_input(d, "options.array_style"), "brackets");
	opt->names_format = json_bool(json_at(d->input, "options.names_format"),
				      &opt->names_format) &&
			    opt->names_format;
	return secret_in_arena(d->arena, span_of(key), &opt->partner_key) &&
	       maventa_open(&d->fake.at, NULL, credentials, &both->mv, err) &&
	       maventa_open_vendor(&d->fake.at, NULL, credentials, &both->vendor, err);
}

const struct drive_system drive_maventa = { "maventa", open_maventa, calls, ARRAY_SIZE(calls) };
