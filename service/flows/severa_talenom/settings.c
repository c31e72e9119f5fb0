/*
 * settings.c: the settings and credentials of a severa-talenom connection: the tables that REST
 * validates by and documents, combinations that are refused, and reading them for an attempt.
 */
#include "base/base.h"
#include "internal.h"

#include "queue/schedule.h"

const struct setting stn_setting_table[STN_N_SETTINGS] = {
	ROAD_SETTINGS(false, true, "Company whose invoices are relayed."),
	{ "contract_reference", SETTING_TEXT, NULL, NULL, true,
	  "Reference of the agreement with Talenom: nothing is relayed without one." },
	{ "transfer_times", SETTING_OBJECT, NULL, NULL, true,
	  "When invoices may be sent first, as agreed with Talenom: times of day in a time zone, "
	  "{\"times\":[\"06:00\"],\"time_zone\":\"Europe/Helsinki\"}, or {\"interval_s\":3600}." },
	{ "transfer_open_minutes", SETTING_DECIMAL, NULL, "60", false,
	  "So long an agreed time of day holds, for what could not be sent at once; what comes "
	  "after it waits for the next." },
	{ "revenue.by", SETTING_ENUM, "approval|voucher", "approval", false,
	  "What books the revenue: Talenom's Sales API, when it approves the invoice, or a voucher "
	  "that is posted to the ledger in its place. Never both." },
	{ "einvoice.many_gone", SETTING_ENUM, "ask|remove|keep", "ask", false,
	  "When many customers have lost their e-invoice address at once: ask and wait, remove "
	  "them at Talenom, or keep them there." },
	{ "talenom.url", SETTING_TEXT, NULL, NULL, false, "Talenom base URL of this connection." },
	{ "talenom.token_url", SETTING_TEXT, NULL, NULL, false,
	  "Where this connection's tokens are fetched." },
	{ "talenom.region", SETTING_TEXT, NULL, NULL, false,
	  "Region in Talenom's paths; not set: VIESTI_TALENOM_REGION, fi." },
	{ "talenom.receivable_account", SETTING_TEXT, NULL, NULL, false,
	  "Account of what customers owe; not set: VIESTI_TALENOM_RECEIVABLE_ACCOUNT, 1701." },
	{ "talenom.payment_account", SETTING_TEXT, NULL, NULL, false,
	  "Account that payments are booked on where vouchers are posted; not set: "
	  "VIESTI_TALENOM_PAYMENT_ACCOUNT." },
};

const struct credential stn_credential_table[STN_N_CREDENTIALS] = {
	ROAD_CREDENTIALS,
	{ "talenom", "client_id", "Client id, from Talenom's integration support.", true },
	{ "talenom", "client_secret", "Client secret.", true },
	{ "talenom", "subscription_key", "Subscription key of Talenom's API portal.", true },
	{ "talenom", "organization_number", "The company's organisation number at Talenom.", true },
};

/* Of transfer_open_minutes. */
static bool read_minutes(const struct json *settings, int64_t *ret)
{
	struct decimal minutes;
	if (!setup_decimal(&severa_talenom, settings, "transfer_open_minutes", &minutes) ||
	    !decimal_fits_scale(minutes, 0) || decimal_cmp(minutes, decimal_of(1)) < 0 ||
	    decimal_cmp(minutes, decimal_of(1440)) > 0)
		return false;
	*ret = (int64_t)decimal_round(minutes, 0).coef;
	return true;
}

static bool check_times(const struct json *settings, struct err *err)
{
	const struct json *times = json_get(settings, "transfer_times");
	int64_t minutes;
	if (!read_minutes(settings, &minutes))
		return road_refuse(err, "/settings/transfer_open_minutes", "1 to 1440 minutes");
	return json_is_null(times) || schedule_check(times, "/settings/transfer_times", err);
}

bool stn_settle(struct arena *arena, const struct system_values *systems,
		const struct json *settings, const struct json *credentials,
		struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err)
{
	const char *organization = json_str(json_at(credentials, "talenom.organization_number"));
	size_t n = 0;
	if (!road_settle(&severa_talenom, arena, systems, settings, credentials, ret_limits, &n,
			 err) ||
	    !check_times(settings, err))
		return false;
	if (road_flag(&severa_talenom, settings, "send_pdf"))
		return road_refuse(err, "/settings/send_pdf", "Talenom takes no files");
	if (organization && organization[0] &&
	    !talenom_limit(systems, organization, &ret_limits[n++], err))
		return false;
	*ret_n = n;
	return true;
}

bool stn_open(struct road *road, struct err *err)
{
	struct stn *m = stn_of(road);
	const char *by = road_text(&severa_talenom, road->settings, "revenue.by");
	int64_t minutes;
	m->revenue = str_eq(by, "voucher") ? STN_BY_VOUCHER : STN_BY_APPROVAL;
	if (!talenom_open(road->at, road->settings, json_get(road->credentials, "talenom"),
			  &m->talenom, err))
		return false;
	if (!read_minutes(road->settings, &minutes))
		return err_set(err, ERR_WAITING, "transfer_open_minutes must be 1 to 1440");
	m->open_ms = minutes * 60000;
	road->account = m->talenom.organization;
	return true;
}
