/* system.c: Netvisor's options, and the limit that it counts by: one call at a time per
 * organisation (facts/netvisor.md §2). */
#include "base/base.h"
#include "netvisor_internal.h"

#define OPTIONS struct netvisor_options

static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Netvisor" },
	SYSTEM_OPTION(URL, url, "NETVISOR_URL", "https://integration.netvisor.fi", "",
		      "Base URL of the Netvisor API."),
	SYSTEM_OPTION(
		INT, pace.concurrency, "NETVISOR_CONCURRENCY", "1", "1..1000",
		"Jobs that use one Netvisor organisation at one time (the vendor's limit is 1)."),
	SYSTEM_OPTION(PATH, operators_path, "NETVISOR_OPERATORS", "", "",
		      "File with the e-invoice operators in Netvisor's spelling, in the form of "
		      "deploy/netvisor-operators.tsv; empty: that list, as it was built in."),
	SYSTEM_OPTION(ENUM, trip_price, "NETVISOR_TRIP_PRICE", "gross", "gross|net",
		      "Whether the unit price of a trip expense's line holds its VAT (a guess)."),
};

const struct system netvisor_system = {
	.name = "netvisor",
	.options = table,
	.n_options = ARRAY_SIZE(table),
	.values_size = sizeof(struct netvisor_options),
	.ready = netvisor_ready,
};

const struct netvisor_options *netvisor_options(const struct system_values *v)
{
	return system_values_of(v, &netvisor_system);
}

bool netvisor_limit(const struct system_values *v, const char *organisation, struct limit_key *ret,
		    struct err *err)
{
	return limit_key_make(ret, netvisor_system.name, &netvisor_options(v)->pace, organisation,
			      "/credentials/netvisor/organisation_id", err);
}
