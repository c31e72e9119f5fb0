/*
 * settings.c: the settings and credentials of a severa-maestro connection: the tables that REST
 * validates by and documents, combinations that are refused, and reading them for an attempt.
 */
#include "base/base.h"
#include "internal.h"

const struct setting smx_setting_table[SMX_N_SETTINGS] = {
	ROAD_SETTINGS(false, false,
		      "Company whose invoices are relayed; default: the company at Maestro."),
	{ "contract_reference", SETTING_TEXT, NULL, NULL, true,
	  "Reference of the agreement with Maestro: nothing is relayed without one." },
	ROAD_EINVOICE_SETTINGS,
	{ "maestro.fallback_product", SETTING_TEXT, NULL, NULL, false,
	  "Product at Maestro of rows without a code that it knows; not set: "
	  "VIESTI_MAESTRO_FALLBACK_PRODUCT, A/0." },
	{ "maestro.url", SETTING_TEXT, NULL, NULL, false, "Maestro base URL of this connection." },
};

const struct credential smx_credential_table[SMX_N_CREDENTIALS] = {
	ROAD_CREDENTIALS,
	{ "maestro", "api_key", "API key of the company at Maestro.", true },
	{ "maestro", "company_id", "The company's id at Maestro: its business id.", true },
};

bool smx_settle(struct arena *arena, const struct system_values *systems,
		const struct json *settings, const struct json *credentials,
		struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err)
{
	const char *company = json_str(json_at(credentials, "maestro.company_id"));
	size_t n = 0;
	if (!road_settle(&severa_maestro, arena, systems, settings, credentials, ret_limits, &n,
			 err) ||
	    !road_settle_einvoice(&severa_maestro, settings, err))
		return false;
	if (road_flag(&severa_maestro, settings, "send_pdf"))
		return road_refuse(err, "/settings/send_pdf", "Maestro takes no files");
	if (company && company[0] && !maestro_limit(systems, company, &ret_limits[n++], err))
		return false;
	*ret_n = n;
	return true;
}

bool smx_open(struct road *road, struct err *err)
{
	struct smx *m = smx_of(road);
	road_einvoice_settings(&severa_maestro, road->settings, &m->einvoice);
	if (!maestro_open(road->at, road->settings, json_get(road->credentials, "maestro"),
			  &m->maestro, err))
		return false;
	if (!road_text(&severa_maestro, road->settings, "company.vat_number"))
		road->company = road_company_from(road->at->arena, m->maestro.company);
	road->account = m->maestro.company;
	m->codes = map_new(road->at->arena);
	return m->codes || err_set(err, ERR_LIMIT, "arena full");
}
