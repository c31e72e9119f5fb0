/* system.c: Severa's options, and the limit that it counts by (facts/severa.md §2.4). */
#include "base/base.h"
#include "severa_internal.h"

#define OPTIONS struct severa_options

static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Severa" },
	SYSTEM_OPTION(URL, url, "SEVERA_URL", "https://api.severa.visma.com/rest-api", "",
		      "Base URL of the Severa REST API."),
	SYSTEM_OPTION(INT, pace.rate, "SEVERA_RATE", "8", "1..100000",
		      "Requests per second and client id (the vendor's limit is 10)."),
	SYSTEM_OPTION(INT, pace.burst, "SEVERA_BURST", "2", "1..100000",
		      "Requests that may go at once after a pause, per client id."),
	SYSTEM_OPTION(INT, pace.concurrency, "SEVERA_CONCURRENCY", "4", "1..1000",
		      "Jobs that use one client id at one time."),
	SYSTEM_OPTION(INT, page, "SEVERA_PAGE", "100", "1..1000", "Rows asked for per page."),
	SYSTEM_OPTION(ENUM, currency_rate, "SEVERA_CURRENCY_RATE", "foreign_per_own",
		      "foreign_per_own|own_per_foreign",
		      "What an invoice's currency rate says: units of its currency for one of the "
		      "organisation's, or the other way round (a guess)."),
	SYSTEM_OPTION(TEXT, expense_mark, "SEVERA_EXPENSE_MARK", "Netvisor", "",
		      "Word before our own key in the description of an expense row, by which it "
		      "is known again (a guess: that Severa keeps descriptions as they are)."),
};

const struct system severa_system = {
	.name = "severa",
	.options = table,
	.n_options = ARRAY_SIZE(table),
	.values_size = sizeof(struct severa_options),
};

const struct severa_options *severa_options(const struct system_values *v)
{
	return system_values_of(v, &severa_system);
}

bool severa_limit(const struct system_values *v, const char *client_id, struct limit_key *ret,
		  struct err *err)
{
	return limit_key_make(ret, severa_system.name, &severa_options(v)->pace, client_id,
			      "/credentials/severa/client_id", err);
}
