/* system.c: Maventa's options, and a limit of our own: the vendor names none (facts/maventa.md §3).
 */
#include "base/base.h"
#include "maventa_internal.h"

#include <ctype.h>

#define OPTIONS struct maventa_options

static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Maventa" },
	SYSTEM_OPTION(URL, url, "MAVENTA_URL", "https://ax.maventa.com", "",
		      "Base URL of Maventa's REST API."),
	SYSTEM_OPTION(URL, soap_url, "MAVENTA_SOAP_URL",
		      "https://secure.maventa.com/apis/v1.1/wsdl", "",
		      "Where the WSDL of Maventa's SOAP API is, which registrations go through."),
	SYSTEM_OPTION(SECRET, vendor_key, "MAVENTA_VENDOR_KEY", "", "16..128",
		      "Vendor API key that Viesti is known to Maventa by."),
	SYSTEM_OPTION(TEXT, partner_company, "MAVENTA_PARTNER_COMPANY", "", "",
		      "Company UUID of our own partner account, which asks whether a company has "
		      "an account "
		      "already."),
	SYSTEM_OPTION(SECRET, partner_key, "MAVENTA_PARTNER_KEY", "", "16..128",
		      "User API key of our own partner account."),
	SYSTEM_OPTION(
		INT, pace.rate, "MAVENTA_RATE", "10", "1..100000",
		"Requests per second and company account (a guess: the vendor names no limit)."),
	SYSTEM_OPTION(INT, pace.burst, "MAVENTA_BURST", "5", "1..100000",
		      "Requests that may go at once after a pause, per company account."),
	SYSTEM_OPTION(INT, pace.concurrency, "MAVENTA_CONCURRENCY", "4", "1..1000",
		      "Jobs that use one company account at one time (a guess)."),
	SYSTEM_OPTION(
		ENUM, array_style, "MAVENTA_ARRAY_STYLE", "plain", "plain|brackets",
		"How a list goes into a form: its name repeated, or with [] behind it (a guess)."),
	SYSTEM_OPTION(
		BOOL, names_format, "MAVENTA_NAME_FORMAT", "false", "",
		"Tell the format of an invoice instead of letting Maventa find it out (a guess)."),
	SYSTEM_OPTION(DURATION, auth_poll_ms, "MAVENTA_AUTH_POLL", "1h", "1s..24h",
		      "How often Viesti looks whether a company has been authenticated (a guess)."),
	SYSTEM_OPTION(DURATION, auth_poll_for_ms, "MAVENTA_AUTH_POLL_FOR", "14d", "1s..90d",
		      "For how long it looks after a request was sent; then somebody asks again (a "
		      "guess)."),
};

/* Nothing is signed, and what is sent is not documented (facts/maventa.md §11). */
static bool read_event(struct arena *arena, struct span body, struct sender_event *ret,
		       struct err *err)
{
	struct err inner = ERR_INIT;
	*ret = (struct sender_event) { .id = NULL };
	/* One without an invoice's id tells of something else. */
	if (maventa_read_hint(arena, body, &ret->subject, &inner) || inner.pointer[0])
		return true;
	if (err)
		*err = inner;
	return false;
}

static const struct sender sender = { .max_bytes = MAVENTA_HINT_MAX, .read = read_event };

const struct system maventa_system = {
	.name = "maventa",
	.options = table,
	.n_options = ARRAY_SIZE(table),
	.values_size = sizeof(struct maventa_options),
	.sender = &sender,
};

const struct maventa_options *maventa_options(const struct system_values *v)
{
	return system_values_of(v, &maventa_system);
}

void maventa_lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

bool maventa_limit(const struct system_values *v, const char *company, struct limit_key *ret,
		   struct err *err)
{
	if (!limit_key_make(ret, maventa_system.name, &maventa_options(v)->pace, company,
			    "/credentials/maventa/company_uuid", err))
		return false;
	maventa_lower(ret->key);
	return true;
}
