/*
 * system.c: Procountor's options, and the limit that it counts by: requests per client id, which is
 * ours, so that all connections share it (facts/procountor.md §4).
 */
#include "base/base.h"
#include "procountor_internal.h"

#define ROW(type, member, name, preset, allowed, doc)                                           \
	{                                                                                       \
		OPTION_##type, OPTION_PREFIX name, offsetof(struct procountor_options, member), \
			preset, allowed, doc                                                    \
	}

/* Rate and burst together stay within the vendor's 60 in any second: exceeding may get the client
 * id suspended. */
static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Procountor" },
	ROW(URL, url, "PROCOUNTOR_URL", "https://api.procountor.com/api", "",
	    "Base URL of Procountor's REST API."),
	ROW(TEXT, client_id, "PROCOUNTOR_CLIENT_ID", "", "",
	    "Client id that Viesti is known to Procountor by."),
	ROW(SECRET, client_secret, "PROCOUNTOR_CLIENT_SECRET", "", "8..256",
	    "Client secret that goes with the client id."),
	ROW(TEXT, redirect_uri, "PROCOUNTOR_REDIRECT_URI", "", "",
	    "Redirect URI registered for the client id; sent when set (whether it must be is a "
	    "guess)."),
	ROW(INT, rate, "PROCOUNTOR_RATE", "55", "1..100000",
	    "Requests per second and client id (the vendor's limit is 60 in production, 90 a "
	    "minute on its test server)."),
	ROW(INT, burst, "PROCOUNTOR_BURST", "5", "1..100000",
	    "Requests that may go at once after a pause, per client id."),
	ROW(INT, concurrency, "PROCOUNTOR_CONCURRENCY", "16", "1..1000",
	    "Jobs that use one client id at one time, all companies together."),
	ROW(INT, page, "PROCOUNTOR_PAGE", "200", "1..200", "Records asked for per page."),
	ROW(TEXT, time_zone, "PROCOUNTOR_TIME_ZONE", "Europe/Helsinki", "",
	    "Time zone of Procountor's times, which name none (a guess)."),
	ROW(TEXT, identifier_type, "PROCOUNTOR_IDENTIFIER_TYPE", "FI", "",
	    "Identifier type of a Finnish business id on a customer's card (a guess)."),
	ROW(ENUM, header_text, "PROCOUNTOR_HEADER_TEXT", "percent", "percent|plain",
	    "How letters beyond ASCII go into search headers: percent-encoded, or as they are (a "
	    "guess)."),
	ROW(INT, decimals, "PROCOUNTOR_DECIMALS", "4", "2..10",
	    "Decimals that quantities and prices may have (a guess); more is refused, never "
	    "rounded."),
	ROW(DURATION, quota_wait_ms, "PROCOUNTOR_QUOTA_WAIT", "2s", "100ms..10m",
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
	ret->max_running = opt->concurrency;
	ret->rate_per_s = opt->rate;
	ret->burst = opt->burst;
	return limit_key_name(ret, "procountor", own && own[0] ? own : opt->client_id,
			      "/credentials/procountor/client_id", err);
}
