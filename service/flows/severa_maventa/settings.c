/*
 * settings.c: the settings and credentials of a severa-maventa connection: the tables that REST
 * validates by and documents, combinations that are refused, and reading them for an attempt.
 */
#include "base/base.h"
#include "flows/severa_maventa.h"
#include "internal.h"

#include "base/utf8.h"

#define COMMENT_MAX_CHARS 1024

const struct setting sm_setting_table[SM_N_SETTINGS] = {
	ROAD_SETTINGS(
		true, true,
		"VAT number of the company whose invoices are relayed: the organisation's, or "
		"that of a business unit that has one. A registration, also one that connects an "
		"account, sets it."),
	{ "format", SETTING_ENUM, "by_country|finvoice|peppol", "by_country", false,
	  "Format of the e-invoice; by_country: Finvoice 3.0 where seller and buyer are Finnish, "
	  "else "
	  "Peppol BIS Billing 3." },
	{ "finvoice_en16931", SETTING_BOOL, NULL, "false", false,
	  "Says in Finvoice that it follows EN 16931, where the buyer's address and operator are "
	  "known: the Finnish State demands it, and "
	  "operators then check by those rules." },
	{ "send_by_email", SETTING_BOOL, NULL, "true", false,
	  "Customers without an e-invoice address get the invoice by e-mail, to the address on "
	  "their "
	  "customer card; off: they get it on paper, for which print.enabled must be on." },
	{ "email.how", SETTING_ENUM, "embedded|embedded_merge|with_link|with_objections", NULL,
	  false, "How Maventa mails an invoice; not set: as it stands at Maventa." },
	{ "email.comment", SETTING_TEXT, NULL, NULL, false,
	  "Text in the e-mails, at most 1024 characters." },
	{ "print.enabled", SETTING_BOOL, NULL, NULL, false,
	  "Switches Maventa's print service on or off; not set: as it stands at Maventa, where it "
	  "is "
	  "off to begin with." },
	{ "print.own_pdf", SETTING_BOOL, NULL, NULL, false,
	  "Prints Severa's PDF instead of Maventa's own picture. Maventa puts a cover sheet before "
	  "it, "
	  "so each letter has at least two pages, and each page is charged." },
	{ "print.letter_class", SETTING_ENUM, "economy|priority", NULL, false,
	  "Letter class; not set: as it stands at Maventa." },
	{ "print.color", SETTING_ENUM, "black_and_white|colored", NULL, false,
	  "Colour of letters; not set: as it stands at Maventa." },
	{ "seller.einvoice_address", SETTING_TEXT, NULL, NULL, false,
	  "The company's own e-invoice address; not set: made of its business id." },
	{ "seller.einvoice_operator", SETTING_TEXT, NULL, NULL, false,
	  "Operator of that address; not set: Maventa." },
	ROAD_EINVOICE_SETTINGS,
	{ "seller.kid", SETTING_ENUM, "mod10|mod11", "mod10", false,
	  "Check digit of Norwegian payment references, as agreed with the bank." },
	{ "seller.in_company_register", SETTING_BOOL, NULL, "true", false,
	  "A Norwegian company stands in Foretaksregisteret." },
	{ "buyer_reference", SETTING_TEXT, NULL, NULL, false,
	  "Said in Peppol for an invoice that has neither the buyer's reference nor an order "
	  "number; "
	  "not set: such an invoice is an error." },
	{ "maventa.url", SETTING_TEXT, NULL, NULL, false, "Maventa base URL of this connection." },
	{ "maventa.soap_url", SETTING_TEXT, NULL, NULL, false,
	  "Where the WSDL for this connection's registration is." },
};

/* Those of Maventa's are brought by a registration, or pasted. */
const struct credential sm_credential_table[SM_N_CREDENTIALS] = {
	ROAD_CREDENTIALS,
	{ "maventa", "company_uuid", "Company UUID of the account.", true },
	{ "maventa", "user_api_key", "User API key of a user with the role admin.", true },
	{ "maventa", "vendor_api_key", "Vendor API key, where it is not the configuration's.",
	  false },
};

static const char *text(const struct json *settings, const char *name)
{
	return road_text(&severa_maventa, settings, name);
}

static bool flag(const struct json *settings, const char *name)
{
	return road_flag(&severa_maventa, settings, name);
}

/* Of the account's own settings: what nobody has set is left as it is (MV-08). */
static enum maventa_switch given(const struct json *settings, const char *name)
{
	bool value;
	if (!json_bool(json_at(settings, name), &value))
		return MAVENTA_AS_IT_IS;
	return value ? MAVENTA_ON : MAVENTA_OFF;
}

/* Maventa's words are ours in capitals. */
static const char *capitals(struct arena *arena, const char *word)
{
	char *copy = word ? arena_strdup(arena, word) : NULL;
	for (char *p = copy; p && *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	return copy;
}

static bool check_combinations(const struct json *settings, struct err *err)
{
	const char *comment = text(settings, "email.comment");
	if (comment && utf8_length(span_of(comment)) > COMMENT_MAX_CHARS)
		return road_refuse(err, "/settings/email/comment", "at most 1024 characters");
	if (flag(settings, "print.own_pdf") && !flag(settings, "send_pdf"))
		return road_refuse(err, "/settings/print/own_pdf",
				   "needs send_pdf: without it there is no PDF to print");
	return road_settle_einvoice(&severa_maventa, settings, err);
}

bool sm_settle(struct arena *arena, const struct system_values *systems,
	       const struct json *settings, const struct json *credentials,
	       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err)
{
	const char *company = json_str(json_at(credentials, "maventa.company_uuid"));
	size_t n = 0;
	if (!road_settle(&severa_maventa, arena, systems, settings, credentials, ret_limits, &n,
			 err) ||
	    !check_combinations(settings, err))
		return false;
	if (company && company[0] && !maventa_limit(systems, company, &ret_limits[n++], err))
		return false;
	*ret_n = n;
	return true;
}

static enum sm_format format_of(const char *name)
{
	if (str_eq(name, "finvoice"))
		return SM_FINVOICE;
	return str_eq(name, "peppol") ? SM_PEPPOL : SM_BY_COUNTRY;
}

void sm_read_settings(struct arena *arena, const struct json *s, struct sm_settings *ret)
{
	*ret = (struct sm_settings) {
		.company = road_company_from(arena, text(s, "company.vat_number")),
		.format = format_of(text(s, "format")),
		.finvoice_en16931 = flag(s, "finvoice_en16931"),
		.send_by_email = flag(s, "send_by_email"),
		.account = { .email = given(s, "send_by_email"),
			     .email_how = capitals(arena, text(s, "email.how")),
			     .print = given(s, "print.enabled"),
			     .print_own_pdf = given(s, "print.own_pdf"),
			     .letter_class = capitals(arena, text(s, "print.letter_class")),
			     .color = capitals(arena, text(s, "print.color")) },
		.comment = text(s, "email.comment"),
		.einvoice_address = text(s, "seller.einvoice_address"),
		.einvoice_operator = text(s, "seller.einvoice_operator"),
		.buyer_reference = text(s, "buyer_reference"),
		.kid_mod11 = str_eq(text(s, "seller.kid"), "mod11"),
		.not_in_company_register = !flag(s, "seller.in_company_register"),
	};
	road_einvoice_settings(&severa_maventa, s, &ret->einvoice);
}

bool sm_open_severa(struct sm *r, struct attempt *at, struct err *err)
{
	*r = (struct sm) { .at = at };
	if (!setup_read(at, "Severa", &r->settings, &r->credentials, err))
		return false;
	return severa_open(at, r->settings, json_get(r->credentials, "severa"), &r->severa, err);
}
