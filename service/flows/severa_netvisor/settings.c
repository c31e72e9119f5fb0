/*
 * settings.c: the settings and credentials of a severa-netvisor connection: the tables that REST
 * validates by and documents, combinations that are refused, and reading them for an attempt.
 */
#include "base/base.h"
#include "internal.h"

const struct setting sn_setting_table[SN_N_SETTINGS] = {
	{ "statuses.transfer", SETTING_TEXT, NULL, NULL, true,
	  "Severa status (guid or name) whose invoices are relayed." },
	{ "statuses.transferred", SETTING_TEXT, NULL, NULL, true,
	  "Severa status (guid or name) that a relayed invoice gets." },
	{ "statuses.failed", SETTING_TEXT, NULL, NULL, false,
	  "Severa status for invoices whose data must be mended; none: they stay where they are." },
	{ "invoice_state", SETTING_ENUM, "unsent|open", NULL, true,
	  "unsent: Netvisor sends the invoice; open: it was sent already." },
	{ "customers.direction", SETTING_ENUM, "severa_to_netvisor|temp|netvisor_to_severa",
	  "severa_to_netvisor", false,
	  "Whether customers go to Netvisor or the temporary customer is used." },
	{ "customers.temp_code", SETTING_TEXT, NULL, "TEMP", false,
	  "Code of the temporary customer in Netvisor." },
	{ "customers.private_rule", SETTING_ENUM, "never|without_vat_number", "never", false,
	  "Which customers are private persons and need no business id." },
	{ "customers.email_channel", SETTING_BOOL, NULL, "false", false,
	  "Netvisor's e-mail channel is on: the e-mail address is the invoicing address too." },
	{ "customers.languages", SETTING_OBJECT, NULL, NULL, false,
	  "Invoice language (FI, EN, SE) by Severa language code, over the built-in list." },
	{ "customers.operators", SETTING_OBJECT, NULL, NULL, false,
	  "Netvisor's spelling of an e-invoice operator by Severa's, over the built-in list." },
	{ "products.direction", SETTING_ENUM, "severa_to_netvisor|temp|netvisor_to_severa",
	  "severa_to_netvisor", false,
	  "Whether new products go to Netvisor or the temporary product is used." },
	{ "products.temp_code", SETTING_TEXT, NULL, NULL, false,
	  "Code of the temporary product; without one a row with no code is an error." },
	{ "products.group", SETTING_TEXT, NULL, "Severa", false,
	  "Netvisor product group of new products." },
	{ "dimensions.project_heading", SETTING_TEXT, NULL, NULL, false,
	  "Netvisor dimension heading for projects; none: not used." },
	{ "dimensions.unit_heading", SETTING_TEXT, NULL, NULL, false,
	  "Netvisor dimension heading for business units; none: not used." },
	{ "dimensions.on_invoice_rows", SETTING_BOOL, NULL, "true", false,
	  "Invoice rows carry their dimensions." },
	{ "send_pdf", SETTING_BOOL, NULL, "false", false,
	  "Severa's PDF and the invoice's files go along." },
	{ "company.vat_number", SETTING_TEXT, NULL, NULL, false,
	  "Company whose invoices are relayed; default: the Netvisor organisation." },
	{ "vat_codes.domestic", SETTING_TEXT, NULL, "KOMY", false, "VAT code of taxed sales." },
	{ "vat_codes.domestic_zero", SETTING_TEXT, NULL, "MUUL", false,
	  "VAT code of domestic sales without tax." },
	{ "vat_codes.eu_zero", SETTING_TEXT, NULL, "EUPM309", false,
	  "VAT code of sales to other EU countries without tax." },
	{ "vat_codes.outside_eu_zero", SETTING_TEXT, NULL, "EUUM", false,
	  "VAT code of sales outside the EU without tax." },
	{ "severa.url", SETTING_TEXT, NULL, NULL, false, "Severa base URL of this connection." },
	{ "netvisor.url", SETTING_TEXT, NULL, NULL, false,
	  "Netvisor base URL of this connection." },
	{ "netvisor.encoding", SETTING_ENUM, "utf-8|iso-8859-15", "utf-8", false,
	  "Characters of what is sent to Netvisor; the other one where letters arrive spoiled." },
	FLOW_MAIL_SETTINGS,
};

const struct credential sn_credential_table[SN_N_CREDENTIALS] = {
	{ "severa", "client_id", "Client id of the REST credentials.", true },
	{ "severa", "client_secret", "Client secret of the REST credentials.", true },
	{ "netvisor", "sender", "Name of the integration as Netvisor knows it.", false },
	{ "netvisor", "customer_id", "Netvisor CustomerId.", true },
	{ "netvisor", "customer_key", "Netvisor CustomerKey.", true },
	{ "netvisor", "partner_id", "Netvisor PartnerId.", true },
	{ "netvisor", "partner_key", "Netvisor PartnerKey.", true },
	{ "netvisor", "organisation_id", "Business id of the company, 1234567-8.", true },
	{ "netvisor", "language", "Language of Netvisor's messages: FI, EN or SE.", false },
};

static const char *preset_of(const char *name)
{
	for (size_t i = 0; i < SN_N_SETTINGS; i++)
		if (strcmp(sn_setting_table[i].name, name) == 0)
			return sn_setting_table[i].preset;
	return NULL;
}

/* The value, else the preset, else NULL; an empty text counts as not given. */
static const char *text(const struct json *settings, const char *name)
{
	const char *value = json_str(json_at(settings, name));
	return value && value[0] ? value : preset_of(name);
}

static bool flag(const struct json *settings, const char *name)
{
	bool value;
	if (json_bool(json_at(settings, name), &value))
		return value;
	return str_eq(preset_of(name), "true");
}

static bool refuse(struct err *err, const char *pointer, const char *words)
{
	err_set(err, ERR_INPUT, "%s", words);
	err_pointer(err, "%s", pointer);
	return false;
}

static bool check_combinations(struct arena *arena, const struct json *settings,
			       const struct json *credentials, struct err *err)
{
	const char *transfer = text(settings, "statuses.transfer");
	const char *transferred = text(settings, "statuses.transferred");
	const char *failed = text(settings, "statuses.failed");
	const char *company = text(settings, "company.vat_number");
	const char *organisation = json_str(json_at(credentials, "netvisor.organisation_id"));
	if (transfer && str_eq(transfer, transferred))
		return refuse(err, "/settings/statuses/transferred",
			      "transfer and transferred must be two statuses");
	if (failed && (str_eq(failed, transfer) || str_eq(failed, transferred)))
		return refuse(err, "/settings/statuses/failed",
			      "failed must be a status of its own");
	if (str_eq(text(settings, "customers.direction"), "netvisor_to_severa"))
		return refuse(err, "/settings/customers/direction",
			      "customers from Netvisor to Severa are not available yet");
	if (str_eq(text(settings, "products.direction"), "netvisor_to_severa"))
		return refuse(err, "/settings/products/direction",
			      "products from Netvisor to Severa are not available yet");
	if (company && !business_id_from(arena, company))
		return refuse(err, "/settings/company/vat_number",
			      "not a Finnish business id or VAT number");
	if (organisation && organisation[0] && !business_id_from(arena, organisation))
		return refuse(err, "/credentials/netvisor/organisation_id",
			      "not a Finnish business id");
	return true;
}

bool sn_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err)
{
	const char *client = json_str(json_at(credentials, "severa.client_id"));
	const char *organisation = json_str(json_at(credentials, "netvisor.organisation_id"));
	size_t n = 0;
	if (!check_combinations(arena, settings, credentials, err))
		return false;
	if (client && client[0] && !severa_limit(systems, client, &ret_limits[n++], err))
		return false;
	if (organisation && organisation[0] &&
	    !netvisor_limit(systems, organisation, &ret_limits[n++], err))
		return false;
	*ret_n = n;
	return true;
}

static void read_settings(struct arena *arena, const struct json *s, const struct json *credentials,
			  struct sn_settings *ret)
{
	const char *company = text(s, "company.vat_number");
	if (!company)
		company = json_str(json_at(credentials, "netvisor.organisation_id"));
	*ret = (struct sn_settings) {
		.transfer = text(s, "statuses.transfer"),
		.transferred = text(s, "statuses.transferred"),
		.failed = text(s, "statuses.failed"),
		.invoice_state = text(s, "invoice_state"),
		.customers_to_netvisor = str_eq(text(s, "customers.direction"),
						"severa_to_netvisor"),
		.products_to_netvisor = str_eq(text(s, "products.direction"), "severa_to_netvisor"),
		.temp_customer = text(s, "customers.temp_code"),
		.temp_product = text(s, "products.temp_code"),
		.product_group = text(s, "products.group"),
		.project_heading = text(s, "dimensions.project_heading"),
		.unit_heading = text(s, "dimensions.unit_heading"),
		.dimensions_on_invoice_rows = flag(s, "dimensions.on_invoice_rows"),
		.send_pdf = flag(s, "send_pdf"),
		.email_channel = flag(s, "customers.email_channel"),
		.private_without_vat = str_eq(text(s, "customers.private_rule"),
					      "without_vat_number"),
		.company = business_id_from(arena, company),
		.vat_domestic = text(s, "vat_codes.domestic"),
		.vat_domestic_zero = text(s, "vat_codes.domestic_zero"),
		.vat_eu_zero = text(s, "vat_codes.eu_zero"),
		.vat_outside_zero = text(s, "vat_codes.outside_eu_zero"),
		.languages = json_at(s, "customers.languages"),
		.operators = json_at(s, "customers.operators"),
	};
	if (!ret->products_to_netvisor && !ret->temp_product)
		ret->temp_product = "TEMP";
}

bool sn_open(struct sn *r, struct attempt *at, struct err *err)
{
	const struct json *settings, *credentials;
	struct span secret = { at->conn->credentials.p, at->conn->credentials.n };
	*r = (struct sn) { .at = at };
	if (!secret.p)
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Severa",
				  "the connection has no credentials");
	if (!json_parse(at->arena, span_of(at->conn->settings), JSON_LIMITS_API, &settings, err) ||
	    !json_parse(at->arena, secret, JSON_LIMITS_API, &credentials, err))
		return err_wrap(err, "connection %s", at->conn->id);
	read_settings(at->arena, settings, credentials, &r->set);
	if (!r->set.transfer || !r->set.transferred || !r->set.invoice_state)
		return err_set(err, ERR_WAITING,
			       "statuses.transfer, statuses.transferred and invoice_state must be "
			       "set");
	return severa_open(at, settings, json_get(credentials, "severa"), &r->severa, err) &&
	       netvisor_open(at, settings, json_get(credentials, "netvisor"), &r->netvisor, err);
}

bool sn_find_statuses(struct sn *r, struct err *err)
{
	return severa_status_find(&r->severa, r->set.transfer, &r->transfer, err) &&
	       severa_status_find(&r->severa, r->set.transferred, &r->transferred, err);
}
