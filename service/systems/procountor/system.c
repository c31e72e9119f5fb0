/*
 * system.c: Procountor's options, and the limit that it counts by: requests per client id, which is
 * ours, so that all connections share it (facts/procountor.md §4).
 */
#include "base/base.h"
#include "procountor_internal.h"

#define OPTIONS struct procountor_options

/* Rate and burst together stay within the vendor's 60 in any second: exceeding may get the client
 * id suspended. */
static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Procountor" },
	SYSTEM_OPTION(URL, url, "PROCOUNTOR_URL", "https://api.procountor.com/api", "",
		      "Base URL of Procountor's REST API."),
	SYSTEM_OPTION(TEXT, client_id, "PROCOUNTOR_CLIENT_ID", "", "",
		      "Client id that Viesti is known to Procountor by."),
	SYSTEM_OPTION(SECRET, client_secret, "PROCOUNTOR_CLIENT_SECRET", "", "8..256",
		      "Client secret that goes with the client id."),
	SYSTEM_OPTION(
		TEXT, redirect_uri, "PROCOUNTOR_REDIRECT_URI", "", "",
		"Redirect URI registered for the client id; sent when set (whether it must be is a "
		"guess)."),
	SYSTEM_OPTION(
		INT, pace.rate, "PROCOUNTOR_RATE", "55", "1..100000",
		"Requests per second and client id (the vendor's limit is 60 in production, 90 a "
		"minute on its test server)."),
	SYSTEM_OPTION(INT, pace.burst, "PROCOUNTOR_BURST", "5", "1..100000",
		      "Requests that may go at once after a pause, per client id."),
	SYSTEM_OPTION(INT, pace.concurrency, "PROCOUNTOR_CONCURRENCY", "16", "1..1000",
		      "Jobs that use one client id at one time, all companies together."),
	SYSTEM_OPTION(INT, page, "PROCOUNTOR_PAGE", "200", "1..200", "Records asked for per page."),
	SYSTEM_OPTION(TEXT, time_zone, "PROCOUNTOR_TIME_ZONE", "Europe/Helsinki", "",
		      "Time zone of Procountor's times, which name none (a guess)."),
	SYSTEM_OPTION(TEXT, identifier_type, "PROCOUNTOR_IDENTIFIER_TYPE", "FI", "",
		      "Identifier type of a Finnish business id on a customer's card (a guess)."),
	SYSTEM_OPTION(ENUM, header_text, "PROCOUNTOR_HEADER_TEXT", "percent", "percent|plain",
		      "How letters beyond ASCII go into search headers: percent-encoded, or as "
		      "they are (a "
		      "guess)."),
	SYSTEM_OPTION(
		INT, decimals, "PROCOUNTOR_DECIMALS", "4", "2..10",
		"Decimals that quantities and prices may have (a guess); more is refused, never "
		"rounded."),
	SYSTEM_OPTION(DURATION, quota_wait_ms, "PROCOUNTOR_QUOTA_WAIT", "2s", "100ms..10m",
		      "Wait after a request to slow down that names no time (a guess)."),
};

const struct system procountor_system = {
	.name = "procountor",
	.options = table,
	.n_options = ARRAY_SIZE(table),
	.values_size = sizeof(struct procountor_options),
};

const struct procountor_options *procountor_options(const struct system_values *v)
{
	return system_values_of(v, &procountor_system);
}

bool procountor_limit(const struct system_values *v, const struct json *credentials,
		      struct limit_key *ret, struct err *err)
{
	const struct procountor_options *opt = procountor_options(v);
	const char *own = json_str(json_get(credentials, "client_id"));
	return limit_key_make(ret, procountor_system.name, &opt->pace,
			      own && own[0] ? own : opt->client_id,
			      "/credentials/procountor/client_id", err);
}
