/*
 * assumptions.c: every guess about Maventa in one place: what the vendor's documents leave open
 * (facts/maventa.md §17), and what is taken for true until its test environment says otherwise. The
 * first rows are options, so that an operator can change them without a new release:
 *
 *   how a list goes into a form          VIESTI_MAVENTA_ARRAY_STYLE  plain    (§5)
 *   whether `format` goes along          VIESTI_MAVENTA_NAME_FORMAT  false    (§5)
 *   calls per second and account         VIESTI_MAVENTA_RATE, _BURST, _CONCURRENCY (§3)
 *   looking for an authentication        VIESTI_MAVENTA_AUTH_POLL 1h, _AUTH_POLL_FOR 14d (§7.4)
 *
 * The rest is here, or stands where it is used:
 *
 *   refused login: 401, 400 or 403                                        judge.c   (§3)
 *   401, 403 on sending with a fresh token: perhaps not authenticated yet invoices.c (§5.5)
 *   an invoice is there or not by GET of our uuid, whatever a refusal says invoices.c (§5.4)
 *   PATCH of settings takes single blocks; after a 400, with the needed   calls.c   (§8)
 *   the authentication request may be sent again                          calls.c   (§7.4)
 *   a link that is refused may stand already: its state says so           here      (§7.2)
 *   types of SOAP members; the answer's element names below the body      soap.c    (§7.3)
 *   a notification's body                                                 map.c     (§11)
 */
#include "base/base.h"
#include "maventa_internal.h"

/* Texts of the SOAP interface, which REST passes on in `details` (§4, §7.3). Those about our keys
 * count only as a whole: much the same may be said of a receiver. */
const struct maventa_text maventa_texts[] = {
	{ "VENDOR API KEY DISABLED", false, VERDICT_CREDENTIALS, "vendor_key_refused" },
	{ "USER NOT ACTIVATED", false, VERDICT_CREDENTIALS, "account_not_ready" },
	{ "USER HAS NO RIGHTS TO COMPANY", false, VERDICT_CREDENTIALS, "credentials_refused" },
	{ "USER BELONGS TO MULTIPLE COMPANIES", false, VERDICT_CREDENTIALS, "credentials_refused" },
	{ "USER NOT FOUND", false, VERDICT_CREDENTIALS, "credentials_refused" },
	{ "COMPANY NOT FOUND", false, VERDICT_CREDENTIALS, "credentials_refused" },
	{ "COMPANY ACCOUNT IS LOCKED", false, VERDICT_CREDENTIALS, "account_not_ready" },
	{ "COMPANY HAS NOT COMPLETED FIRST TIME WIZARD", false, VERDICT_CREDENTIALS,
	  "account_not_ready" },
	{ "BID ALREADY TAKEN", true, VERDICT_BAD_DATA, "business_id_taken" },
	{ "DAILY INVOICE LIMIT", true, VERDICT_QUOTA, NULL }, /* of user, vendor or all (§15.17) */
};
const size_t n_maventa_texts = ARRAY_SIZE(maventa_texts);

/* Those that were seen; there is no full list (§11). */
const char *const maventa_events[] = {
	"DOCUMENTS.INVOICE.DELIVERED",
	"DOCUMENTS.INVOICE.DELIVERY_CONFIRMED",
	"DOCUMENTS.INVOICE.FAILED",
	NULL,
};

/* Marked as required, though the vendor's examples send single blocks (§8). */
const char *const maventa_needed_blocks[] = { "details", "address", "invoice_notifications", NULL };

/* The specification has three; a page also shows PROCESSING. What is not known is not final (§5.3).
 */
enum maventa_state maventa_state_of(const char *status)
{
	if (status && strcasecmp(status, "DELIVERED") == 0)
		return MAVENTA_DELIVERED;
	if (status && strcasecmp(status, "FAILED") == 0)
		return MAVENTA_FAILED;
	return MAVENTA_PENDING;
}

/* Words in the specification, 1 and -1 in other documents (§7.4). */
enum maventa_company_state maventa_company_state_of(const char *text)
{
	if (text && (strcasecmp(text, "VERIFIED") == 0 || strcmp(text, "1") == 0))
		return MAVENTA_VERIFIED;
	if (text && (strcasecmp(text, "UNVERIFIED") == 0 || strcmp(text, "-1") == 0))
		return MAVENTA_UNVERIFIED;
	return MAVENTA_UNKNOWN;
}

/* The state's words are not told. Those that deny a link do; any other says that there is one,
 * since it is read only after Maventa has refused to make one (§7.2). */
bool maventa_is_linked(const char *state)
{
	static const char *const denials[] = { "no", "un", "false" };
	for (size_t i = 0; i < ARRAY_SIZE(denials); i++)
		if (strncasecmp(state, denials[i], strlen(denials[i])) == 0)
			return false;
	return state[0] != '\0';
}

/* Whose day it is, is not told: the latest midnight of those that it may be is UTC's (§15.17). */
int64_t maventa_next_day_ms(int64_t now_ms)
{
	const int64_t day_ms = INT64_C(24) * 3600 * 1000;
	return day_ms - now_ms % day_ms + 60 * 1000;
}
