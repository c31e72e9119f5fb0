/*
 * settings.c: the settings and credentials of a severa-netvisor connection: the tables that REST
 * validates by and documents, combinations that are refused, and reading them for an attempt.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "base/utf8.h"

const struct setting sn_setting_table[SN_N_SETTINGS] = {
	ROAD_SETTINGS(false, false,
		      "Company whose invoices are relayed; default: the Netvisor organisation."),
	{ "invoice_state", SETTING_ENUM, "unsent|open", NULL, true,
	  "unsent: Netvisor sends the invoice; open: it was sent already." },
	{ "customers.direction", SETTING_ENUM, "severa_to_netvisor|temp|netvisor_to_severa",
	  "severa_to_netvisor", false,
	  "Which way customers go; temp: they do not, and invoices use the temporary customer." },
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
	  "Where new products go; temp: nowhere, every row gets the temporary product." },
	{ "products.temp_code", SETTING_TEXT, NULL, NULL, false,
	  "Code of the temporary product; without one a row with no code is an error." },
	{ "products.group", SETTING_TEXT, NULL, "Severa", false,
	  "Netvisor product group of new products." },
	{ "dimensions.project_heading", SETTING_TEXT, NULL, NULL, false,
	  "Netvisor dimension heading for projects; none: not used." },
	{ "dimensions.unit_heading", SETTING_TEXT, NULL, NULL, false,
	  "Netvisor dimension heading for business units; none: not used." },
	{ "dimensions.phases", SETTING_BOOL, NULL, "false", false,
	  "Phases become dimension items too; each needs a number of its own in Severa." },
	{ "dimensions.phase_heading", SETTING_TEXT, NULL, NULL, false,
	  "Netvisor dimension heading for phases; none: the projects', each phase below its "
	  "project." },
	{ "dimensions.time", SETTING_TEXT, NULL, "02:00", false,
	  "Time of day at which dimensions are synchronised, HH:MM." },
	{ "dimensions.time_zone", SETTING_TEXT, NULL, "Europe/Helsinki", false,
	  "Time zone of that time." },
	{ "dimensions.on_invoice_rows", SETTING_BOOL, NULL, "true", false,
	  "Invoice rows carry their dimensions." },
	{ "vat_codes.domestic", SETTING_TEXT, NULL, "KOMY", false, "VAT code of taxed sales." },
	{ "vat_codes.domestic_zero", SETTING_TEXT, NULL, "MUUL", false,
	  "VAT code of domestic sales without tax." },
	{ "vat_codes.eu_zero", SETTING_TEXT, NULL, "EUPM309", false,
	  "VAT code of sales to other EU countries without tax." },
	{ "vat_codes.outside_eu_zero", SETTING_TEXT, NULL, "EUUM", false,
	  "VAT code of sales outside the EU without tax." },
	{ "travel.statuses.transfer", SETTING_TEXT, NULL, NULL, false,
	  "Severa status (guid or name) of travel reimbursements that are relayed; none: they are "
	  "not." },
	{ "travel.statuses.sending", SETTING_TEXT, NULL, NULL, false,
	  "Status that a travel reimbursement has while it is sent. With it only those may have to "
	  "be looked for by a person after a loss of the relay's data; without it all that wait." },
	{ "travel.statuses.transferred", SETTING_TEXT, NULL, NULL, false,
	  "Severa status (guid or name) that a relayed travel reimbursement gets." },
	{ "travel.employees", SETTING_OBJECT, NULL, NULL, false,
	  "Netvisor employee number by Severa user: the user's guid, e-mail address or code. The "
	  "latter two need the right users:read." },
	{ "travel.ratios", SETTING_OBJECT, NULL, NULL, false,
	  "Name of the Netvisor ratio by travel expense type: its code, or guid." },
	{ "purchases.enabled", SETTING_BOOL, NULL, "false", false,
	  "Rows of Netvisor's accepted purchase invoices become expense rows of Severa's "
	  "projects." },
	{ "purchases.from", SETTING_TEXT, NULL, NULL, false,
	  "First invoice date (YYYY-MM-DD) of purchase invoices whose rows are taken." },
	{ "purchases.heading", SETTING_TEXT, NULL, NULL, false,
	  "Dimension heading whose items are Severa's projects; none: that of "
	  "dimensions.project_heading." },
	{ "purchases.resource", SETTING_ENUM, "projectfees|projecttravelexpenses", "projectfees",
	  false, "What a row becomes in Severa." },
	{ "purchases.product", SETTING_TEXT, NULL, NULL, false,
	  "Code of the product, or of the travel expense type, of those rows." },
	{ "purchases.user", SETTING_TEXT, NULL, NULL, false,
	  "Guid of the Severa user whose rows they are; travel expenses need one." },
	{ "purchases.phase", SETTING_TEXT, NULL, NULL, false,
	  "Name of the phase that they go to; none: the project's first, where one is needed." },
	{ "purchases.billable", SETTING_BOOL, NULL, "false", false,
	  "The rows are billed to the customer." },
	{ "dimensions.on_travel_rows", SETTING_BOOL, NULL, "true", false,
	  "Travel rows carry their dimensions." },
	{ "netvisor.url", SETTING_TEXT, NULL, NULL, false,
	  "Netvisor base URL of this connection." },
	{ "netvisor.encoding", SETTING_ENUM, "utf-8|iso-8859-15", "utf-8", false,
	  "Characters of what is sent to Netvisor; the other one where letters arrive spoiled." },
};

const struct credential sn_credential_table[SN_N_CREDENTIALS] = {
	ROAD_CREDENTIALS,
	{ "netvisor", "sender", "Name of the integration as Netvisor knows it.", false },
	{ "netvisor", "customer_id", "Netvisor CustomerId.", true },
	{ "netvisor", "customer_key", "Netvisor CustomerKey.", true },
	{ "netvisor", "partner_id", "Netvisor PartnerId.", true },
	{ "netvisor", "partner_key", "Netvisor PartnerKey.", true },
	{ "netvisor", "organisation_id", "Business id of the company, 1234567-8.", true },
	{ "netvisor", "language", "Language of Netvisor's messages: FI, EN or SE.", false },
};

static const char *text(const struct json *settings, const char *name)
{
	return road_text(&severa_netvisor, settings, name);
}

static bool flag(const struct json *settings, const char *name)
{
	return road_flag(&severa_netvisor, settings, name);
}

/* ---- dimensions ---------------------------------------------------------------------------- */

/* Of phases: their own, else the projects'; NULL: they are no items. */
static const char *phase_heading(const struct json *settings)
{
	const char *own = text(settings, "dimensions.phase_heading");
	if (!flag(settings, "dimensions.phases"))
		return NULL;
	return own ? own : text(settings, "dimensions.project_heading");
}

static bool is_time(const char *time)
{
	return strlen(time) == 5 && time[2] == ':' && strspn(time, "0123456789:") == 5 &&
	       time[0] != ':' && time[1] != ':' && time[3] < '6' && time[4] != ':' &&
	       (time[0] < '2' || (time[0] == '2' && time[1] < '4'));
}

static bool is_zone(const char *name)
{
	struct tz *zone;
	if (!tz_load(name, &zone, NULL))
		return false;
	tz_free(zone);
	return true;
}

static bool check_heading(const char *heading, const char *pointer, struct err *err)
{
	return !heading || utf8_length(span_of(heading)) <= NETVISOR_HEADING_MAX ||
	       road_refuse(err, pointer, "longer than the 50 characters that Netvisor takes");
}

/* Projects and units under one heading would take each other's numbers. */
static bool check_dimensions(const struct json *settings, struct err *err)
{
	const char *project = text(settings, "dimensions.project_heading");
	const char *unit = text(settings, "dimensions.unit_heading");
	const char *phase = text(settings, "dimensions.phase_heading");
	if (!check_heading(project, "/settings/dimensions/project_heading", err) ||
	    !check_heading(unit, "/settings/dimensions/unit_heading", err) ||
	    !check_heading(phase, "/settings/dimensions/phase_heading", err))
		return false;
	if (unit && (str_eq(unit, project) || str_eq(unit, phase)))
		return road_refuse(err, "/settings/dimensions/unit_heading",
				   "business units need a heading of their own");
	if (flag(settings, "dimensions.phases") && !phase_heading(settings))
		return road_refuse(err, "/settings/dimensions/phases",
				   "phases need a heading: the projects', or their own");
	if (!is_time(text(settings, "dimensions.time")))
		return road_refuse(err, "/settings/dimensions/time", "not a time of day: HH:MM");
	return is_zone(text(settings, "dimensions.time_zone")) ||
	       road_refuse(err, "/settings/dimensions/time_zone", "not a known time zone");
}

static const char *dimension_schedule(struct arena *arena, const struct json *settings)
{
	struct strbuf sb = STRBUF_INIT(arena, 512);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *ret;
	jsonw_object(&w);
	jsonw_key(&w, "times");
	jsonw_array(&w);
	jsonw_str(&w, text(settings, "dimensions.time"));
	jsonw_end_array(&w);
	jsonw_kstr(&w, "time_zone", text(settings, "dimensions.time_zone"));
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &ret, NULL) ? ret : SN_DIMENSIONS_SCHEDULE;
}

bool sn_dimension_wanted(struct arena *arena, const struct json *settings,
			 enum sn_dimension_kind kind, const char **ret_schedule)
{
	const char *heading = NULL;
	switch (kind) {
	case SN_OF_PROJECTS:
		heading = text(settings, "dimensions.project_heading");
		break;
	case SN_OF_UNITS:
		heading = text(settings, "dimensions.unit_heading");
		break;
	case SN_OF_PHASES:
		heading = phase_heading(settings);
		break;
	}
	*ret_schedule = dimension_schedule(arena, settings);
	return heading != NULL;
}

/* -------------------------------------------------------------------------------------------- */

static bool check_combinations(struct arena *arena, const struct json *settings,
			       const struct json *credentials, struct err *err)
{
	const char *organisation = json_str(json_at(credentials, "netvisor.organisation_id"));
	/* In one spelling: locks, leases and links of the company bear it. */
	if (organisation && organisation[0] &&
	    !str_eq(business_id_from(arena, organisation), organisation))
		return road_refuse(err, "/credentials/netvisor/organisation_id",
				   "not a Finnish business id in the form 1234567-8");
	return check_dimensions(settings, err);
}

static bool all_texts(const struct json *map)
{
	for (const struct json *m = json_first(map); m; m = json_next(m))
		if (!json_str(m) || !json_str(m)[0])
			return false;
	return true;
}

static bool check_travel(const struct json *settings, struct err *err)
{
	const char *transfer = text(settings, "travel.statuses.transfer");
	const char *sending = text(settings, "travel.statuses.sending");
	const char *transferred = text(settings, "travel.statuses.transferred");
	if (transfer && !transferred)
		return road_refuse(
			err, "/settings/travel/statuses/transferred",
			"needed with travel.statuses.transfer: the status that a relayed "
			"travel reimbursement gets");
	if (transfer && str_eq(transfer, transferred))
		return road_refuse(err, "/settings/travel/statuses/transferred",
				   "transfer and transferred must be two statuses");
	if (sending && (str_eq(sending, transfer) || str_eq(sending, transferred)))
		return road_refuse(err, "/settings/travel/statuses/sending",
				   "sending must be a status of its own");
	if (!all_texts(json_at(settings, "travel.employees")))
		return road_refuse(
			err, "/settings/travel/employees",
			"employee numbers are texts, in quotation marks: {\"MM\": \"1001\"}");
	return all_texts(json_at(settings, "travel.ratios")) ||
	       road_refuse(err, "/settings/travel/ratios", "names of ratios are texts");
}

#define GUID_LEN 36

static bool check_purchases(const struct json *settings, struct err *err)
{
	const char *from = text(settings, "purchases.from");
	const char *user = text(settings, "purchases.user");
	bool is_travel = str_eq(text(settings, "purchases.resource"), "projecttravelexpenses");
	int y, m, d;
	if (!flag(settings, "purchases.enabled"))
		return true;
	if (!from || !clock_parse_date(span_of(from), &y, &m, &d))
		return road_refuse(err, "/settings/purchases/from",
				   "the first day, YYYY-MM-DD, is needed");
	if (!text(settings, "purchases.heading") && !text(settings, "dimensions.project_heading"))
		return road_refuse(err, "/settings/purchases/heading",
				   "the dimension heading of projects is needed");
	if (is_travel && (!user || !text(settings, "purchases.product")))
		return road_refuse(
			err, "/settings/purchases",
			"purchases.resource projecttravelexpenses needs purchases.user (guid) "
			"and purchases.product (code of the travel expense type)");
	if (user && strlen(user) != GUID_LEN)
		return road_refuse(err, "/settings/purchases/user", "the guid of a Severa user");
	return true;
}

bool sn_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err)
{
	const char *organisation = json_str(json_at(credentials, "netvisor.organisation_id"));
	size_t n = 0;
	if (!road_settle(&severa_netvisor, arena, systems, settings, credentials, ret_limits, &n,
			 err) ||
	    !check_combinations(arena, settings, credentials, err) ||
	    !check_travel(settings, err) || !check_purchases(settings, err))
		return false;
	if (organisation && organisation[0] &&
	    !netvisor_limit(systems, organisation, &ret_limits[n++], err))
		return false;
	*ret_n = n;
	return true;
}

static void read_settings(const struct json *s, struct sn_settings *ret)
{
	*ret = (struct sn_settings) {
		.invoice_state = text(s, "invoice_state"),
		.customers_to_netvisor = str_eq(text(s, "customers.direction"),
						"severa_to_netvisor"),
		.customers_to_severa = sn_is_set(s, "customers.direction", "netvisor_to_severa"),
		.products_to_netvisor = sn_is_set(s, "products.direction", "severa_to_netvisor"),
		.products_to_severa = sn_is_set(s, "products.direction", "netvisor_to_severa"),
		.temp_customer = text(s, "customers.temp_code"),
		.temp_product = text(s, "products.temp_code"),
		.product_group = text(s, "products.group"),
		.project_heading = text(s, "dimensions.project_heading"),
		.unit_heading = text(s, "dimensions.unit_heading"),
		.phase_heading = phase_heading(s),
		.dimensions_on_invoice_rows = flag(s, "dimensions.on_invoice_rows"),
		.email_channel = flag(s, "customers.email_channel"),
		.private_without_vat = str_eq(text(s, "customers.private_rule"),
					      "without_vat_number"),
		.vat_domestic = text(s, "vat_codes.domestic"),
		.vat_domestic_zero = text(s, "vat_codes.domestic_zero"),
		.vat_eu_zero = text(s, "vat_codes.eu_zero"),
		.vat_outside_zero = text(s, "vat_codes.outside_eu_zero"),
		.languages = json_at(s, "customers.languages"),
		.operators = json_at(s, "customers.operators"),
		.travel_transfer = text(s, "travel.statuses.transfer"),
		.travel_sending = text(s, "travel.statuses.sending"),
		.travel_transferred = text(s, "travel.statuses.transferred"),
		.travel_employees = json_at(s, "travel.employees"),
		.travel_ratios = json_at(s, "travel.ratios"),
		.dimensions_on_travel_rows = flag(s, "dimensions.on_travel_rows"),
		.purchases = flag(s, "purchases.enabled"),
		.purchase_billable = flag(s, "purchases.billable"),
		.purchase_resource = str_eq(text(s, "purchases.resource"), "projectfees")
					     ? SEVERA_FEES
					     : SEVERA_EXPENSES,
		.purchase_heading = text(s, "purchases.heading"),
		.purchase_from = text(s, "purchases.from"),
		.purchase_product = text(s, "purchases.product"),
		.purchase_user = text(s, "purchases.user"),
		.purchase_phase = text(s, "purchases.phase"),
	};
	if (!ret->purchase_heading)
		ret->purchase_heading = ret->project_heading;
	if (!ret->products_to_netvisor && !ret->products_to_severa && !ret->temp_product)
		ret->temp_product = "TEMP";
}

bool sn_open(struct road *road, struct err *err)
{
	struct sn *r = sn_of(road);
	struct attempt *at = road->at;
	read_settings(road->settings, &r->set);
	if (!r->set.invoice_state)
		return err_set(err, ERR_WAITING, "invoice_state must be set");
	if (!text(road->settings, "company.vat_number"))
		road->company = road_company_from(
			at->arena,
			json_str(json_at(road->credentials, "netvisor.organisation_id")));
	r->set.known_operators = netvisor_options(at->systems)->operators;
	if (!netvisor_open(at, road->settings, json_get(road->credentials, "netvisor"),
			   &r->netvisor, err))
		return false;
	road->account = r->netvisor.organisation;
	return true;
}
