/*
 * settings.c: the settings and credentials of a spotilla-procountor connection: the tables that
 * REST validates by and documents, combinations that are refused, and opening both sides.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "model/identifier.h"

const struct setting sp_setting_table[SP_N_SETTINGS] = {
	{ "tasks.from", SETTING_TEXT, NULL, NULL, true,
	  "Tasks that were finished on this day (YYYY-MM-DD) or later are relayed; earlier ones "
	  "were "
	  "billed before." },
	{ "tasks.only_with_order_number", SETTING_BOOL, NULL, "false", false,
	  "Only tasks with billing data (an order number) are relayed; the others wait for it." },
	{ "customers.check_digit", SETTING_BOOL, NULL, "false", false,
	  "A business id must have the right check digit, not only the form 1234567-8." },
	{ "customers.invoice_channel", SETTING_ENUM, "EMAIL|MAIL|ELECTRONIC_INVOICE|NO_SENDING",
	  "NO_SENDING", false,
	  "Invoice channel of a new customer in Procountor for whom Spotilla names none." },
	{ "products.unit", SETTING_TEXT, NULL, "PIECE", false,
	  "Procountor's unit for one that is not known to it." },
	{ "products.group", SETTING_TEXT, NULL, NULL, false,
	  "Id of Procountor's product group for new products; none: without a group." },
	{ "invoice.date", SETTING_ENUM, "finished|today", "finished", false,
	  "Invoice date: the day on which the task was finished, or that of the sending." },
	{ "invoice.payment_term_days", SETTING_DECIMAL, NULL, "14", false,
	  "Payment term where the customer's card in Procountor has none: whole days, 0 to 999." },
	{ "invoice.iban", SETTING_TEXT, NULL, NULL, false,
	  "Account to be paid to; none: the company's account for invoices in Procountor." },
	{ "invoice.channel", SETTING_ENUM, "customer|EMAIL|MAIL|ELECTRONIC_INVOICE|NO_SENDING",
	  "customer", false, "Invoice channel; customer: as the customer's card says." },
	{ "invoice.number_prefix", SETTING_TEXT, NULL, "SPT", false,
	  "The invoice's original number is this, a hyphen and the task's id. Two Spotillas that "
	  "bill "
	  "through one company of Procountor need two; chosen before the first task is relayed, "
	  "since "
	  "invoices are known again by it." },
	{ "invoice.language", SETTING_ENUM, "fi|sv|en|no|da|et", "fi", false,
	  "Language of the invoice where the customer's card has none." },
	{ "invoice.currency", SETTING_TEXT, NULL, "EUR", false,
	  "Currency of prices and invoices; a product in another one holds its tasks up." },
	{ "vat.percent", SETTING_DECIMAL, NULL, "25.5", false,
	  "VAT percentage where neither the task's row nor its product has one." },
	{ "vat.status", SETTING_DECIMAL, NULL, "1", false,
	  "Procountor's VAT status of invoices and new products; 1: domestic." },
	{ "spotilla.url", SETTING_TEXT, NULL, NULL, false,
	  "Spotilla base URL of this connection." },
	{ "spotilla.done_states", SETTING_TEXT, NULL, NULL, false,
	  "Task states that count as finished, with commas between them, where they are not the "
	  "configuration's." },
	{ "procountor.url", SETTING_TEXT, NULL, NULL, false,
	  "Procountor base URL of this connection." },
	FLOW_MAIL_SETTINGS,
};

const struct credential sp_credential_table[SP_N_CREDENTIALS] = {
	{ "spotilla", "token", "Key of the integration, from Settings, Integrations.", true },
	{ "spotilla", "user_id", "User id that Spotilla shows with the key.", true },
	{ "spotilla", "subdomain", "Subdomain that Spotilla shows with the key.", true },
	{ "procountor", "api_key", "API key of one user of the company.", true },
	{ "procountor", "client_id", "Client id, where it is not the configuration's.", false },
	{ "procountor", "client_secret", "Client secret of that client id.", false },
};

static const char *text(const struct json *settings, const char *name)
{
	return setup_text(&spotilla_procountor, settings, name);
}

static bool whole(const struct json *settings, const char *name, int64_t most, int64_t *ret)
{
	struct decimal d;
	if (!setup_decimal(&spotilla_procountor, settings, name, &d))
		return false;
	d = decimal_normalize(d);
	if (d.scale || decimal_sign(d) < 0 || decimal_cmp(d, decimal_of(most)) > 0)
		return false;
	*ret = (int64_t)d.coef;
	return true;
}

/* ---- what does not go together ------------------------------------------------------------- */

static bool is_percent(struct decimal d)
{
	return decimal_sign(d) >= 0 && decimal_cmp(d, decimal_of(100)) < 0 &&
	       decimal_fits_scale(d, 2);
}

static bool is_iban(struct arena *arena, const char *value)
{
	const char *compact = identifier_compact(arena, value);
	return compact && identifier_is(ID_IBAN, compact);
}

static bool is_prefix(const char *value)
{
	size_t n = strlen(value);
	return n >= 1 && n <= 10 && strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == n;
}

static bool is_currency(const char *code)
{
	return strlen(code) == 3 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

static bool check_values(struct arena *arena, const struct json *settings, struct err *err)
{
	const char *from = text(settings, "tasks.from"), *iban = text(settings, "invoice.iban");
	const char *group = text(settings, "products.group");
	struct decimal percent;
	int y, m, d;
	int64_t n;
	if (from && !clock_parse_date(span_of(from), &y, &m, &d))
		return setup_refuse(err, "/settings/tasks/from", "not a date: YYYY-MM-DD");
	if (!whole(settings, "invoice.payment_term_days", 999, &n))
		return setup_refuse(err, "/settings/invoice/payment_term_days",
				    "whole days, 0 to 999");
	if (iban && !is_iban(arena, iban))
		return setup_refuse(err, "/settings/invoice/iban", "not an IBAN");
	if (!is_prefix(text(settings, "invoice.number_prefix")))
		return setup_refuse(err, "/settings/invoice/number_prefix",
				    "1 to 10 capital letters and digits");
	if (!is_currency(text(settings, "invoice.currency")))
		return setup_refuse(err, "/settings/invoice/currency", "not an ISO 4217 code");
	if (!setup_decimal(&spotilla_procountor, settings, "vat.percent", &percent) ||
	    !is_percent(percent))
		return setup_refuse(err, "/settings/vat/percent",
				    "a percentage with at most two decimals");
	if (!whole(settings, "vat.status", 999, &n) || n < 1)
		return setup_refuse(err, "/settings/vat/status", "a number of Procountor's");
	if (group && (strlen(group) > 18 || strspn(group, "0123456789") != strlen(group)))
		return setup_refuse(err, "/settings/products/group", "digits: an id");
	if (!procountor_unit(text(settings, "products.unit")))
		return setup_refuse(err, "/settings/products/unit", "not a unit of Procountor's");
	return true;
}

bool sp_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err)
{
	const struct json *spotilla = json_get(credentials, "spotilla");
	const struct json *procountor = json_get(credentials, "procountor");
	const char *subdomain = json_str(json_get(spotilla, "subdomain"));
	const char *id = json_str(json_get(procountor, "client_id"));
	const char *secret = json_str(json_get(procountor, "client_secret"));
	size_t n = 0;
	if (!check_values(arena, settings, err))
		return false;
	if ((id && id[0]) != (secret && secret[0]))
		return setup_refuse(err, "/credentials/procountor/client_id",
				    "client id and client secret go together");
	if (subdomain && subdomain[0] && !spotilla_limit(systems, subdomain, &ret_limits[n++], err))
		return false;
	if (!procountor_limit(systems, procountor, &ret_limits[n++], err))
		return false;
	*ret_n = n;
	return true;
}

/* ---- opening ------------------------------------------------------------------------------- */

static void read_settings(const struct json *s, struct sp_settings *ret)
{
	const char *channel = text(s, "invoice.channel");
	*ret = (struct sp_settings) {
		.from = text(s, "tasks.from"),
		.only_with_order_number = setup_flag(&spotilla_procountor, s,
						     "tasks.only_with_order_number"),
		.proves_business_ids = setup_flag(&spotilla_procountor, s, "customers.check_digit"),
		.is_dated_today = str_eq(text(s, "invoice.date"), "today"),
		.iban = text(s, "invoice.iban"),
		.channel = str_eq(channel, "customer") ? NULL : channel,
		.partner_channel = text(s, "customers.invoice_channel"),
		.number_prefix = text(s, "invoice.number_prefix"),
		.language = text(s, "invoice.language"),
		.currency = text(s, "invoice.currency"),
		.unit = procountor_unit(text(s, "products.unit")),
		.product_group = text(s, "products.group"),
	};
	/* settle has seen to it that they are there. */
	(void)!whole(s, "invoice.payment_term_days", 999, &ret->payment_term_days);
	(void)!whole(s, "vat.status", 999, &ret->vat_status);
	(void)!setup_decimal(&spotilla_procountor, s, "vat.percent", &ret->vat_rate);
}

static void free_zone(void *zone)
{
	tz_free(zone);
}

bool sp_load_zone(struct sp *sp, struct err *err)
{
	if (!tz_load(sp->procountor.opt->time_zone, &sp->zone, err))
		return err_wrap(err, "VIESTI_PROCOUNTOR_TIME_ZONE");
	return arena_defer(sp->at->arena, free_zone, sp->zone) ||
	       err_set(err, ERR_LIMIT, "arena full");
}

bool sp_read(struct sp *ret, struct attempt *at, struct err *err)
{
	*ret = (struct sp) { .at = at };
	if (!setup_read(at, "Spotilla", &ret->settings, &ret->credentials, err))
		return false;
	read_settings(ret->settings, &ret->set);
	return true;
}

bool sp_open(struct sp *ret, struct attempt *at, struct err *err)
{
	if (!sp_read(ret, at, err))
		return false;
	if (!ret->set.from)
		return err_set(err, ERR_WAITING, "tasks.from must be set");
	return spotilla_open(at, ret->settings, json_get(ret->credentials, "spotilla"),
			     &ret->spotilla, err) &&
	       procountor_open(at, ret->settings, json_get(ret->credentials, "procountor"),
			       &ret->procountor, err);
}
