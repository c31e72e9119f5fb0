/* system.c: Netvisor's options, and the limit that it counts by: one call at a time per
 * organisation (facts/netvisor.md §2). */
#include "base/base.h"
#include "netvisor_internal.h"

static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Netvisor" },
	{ OPTION_URL, OPTION_PREFIX "NETVISOR_URL", offsetof(struct netvisor_options, url),
	  "https://integration.netvisor.fi", "", "Base URL of the Netvisor API." },
	{ OPTION_INT, OPTION_PREFIX "NETVISOR_CONCURRENCY",
	  offsetof(struct netvisor_options, concurrency), "1", "1..1000",
	  "Jobs that use one Netvisor organisation at one time (the vendor's limit is 1)." },
	{ OPTION_PATH, OPTION_PREFIX "NETVISOR_OPERATORS",
	  offsetof(struct netvisor_options, operators_path), "", "",
	  "File with the e-invoice operators in Netvisor's spelling, in the form of "
	  "deploy/netvisor-operators.tsv; empty: that list, as it was built in." },
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
	ret->max_running = netvisor_options(v)->concurrency;
	ret->rate_per_s = ret->burst = 0;
	return limit_key_name(ret, "netvisor", organisation,
			      "/credentials/netvisor/organisation_id", err);
}
