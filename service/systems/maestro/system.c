/* system.c: Maestro's options, and a limit of our own: the vendor names none. Most options are
 * guesses (assumptions.c). */
#include "base/base.h"
#include "maestro_internal.h"

#define ROW(type, member, name, preset, allowed, doc)                                        \
	{                                                                                    \
		OPTION_##type, OPTION_PREFIX name, offsetof(struct maestro_options, member), \
			preset, allowed, doc                                                 \
	}

static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Maestro" },
	ROW(URL, url, "MAESTRO_URL", "", "",
	    "Base URL of Maestro's interface, which its support tells; empty: each connection has "
	    "its own in settings.maestro.url."),
	ROW(TEXT, ping_path, "MAESTRO_PING_PATH", "/v1/ping", "",
	    "Path that says whether a key is good (a guess)."),
	ROW(TEXT, products_path, "MAESTRO_PRODUCTS_PATH", "/v1/products", "",
	    "Path of the product register (a guess)."),
	ROW(TEXT, customers_path, "MAESTRO_CUSTOMERS_PATH", "/v1/customers", "",
	    "Path of the customer register (a guess)."),
	ROW(TEXT, invoices_path, "MAESTRO_INVOICES_PATH", "/v1/sales-invoices", "",
	    "Path of the sales invoices (a guess)."),
	ROW(TEXT, auth_header, "MAESTRO_AUTH_HEADER", "Authorization", "",
	    "Header that carries the API key (a guess)."),
	ROW(TEXT, auth_scheme, "MAESTRO_AUTH_SCHEME", "Bearer", "",
	    "Word before the API key in that header; empty: none (a guess)."),
	ROW(TEXT, company_header, "MAESTRO_COMPANY_HEADER", "X-Company-Id", "",
	    "Header that names the company (a guess)."),
	ROW(TEXT, source, "MAESTRO_SOURCE", "severa", "",
	    "Where the invoices come from, as Maestro is told in X-Source (a guess)."),
	ROW(TEXT, fallback_product, "MAESTRO_FALLBACK_PRODUCT", "A/0", "",
	    "Product of rows whose code Maestro does not know, unless the connection has its own."),
	ROW(INT, page, "MAESTRO_PAGE", "500", "1..10000",
	    "Products that are read at once (a guess)."),
	ROW(INT, rate, "MAESTRO_RATE", "10", "1..100000",
	    "Requests per second and company (a guess: the vendor names no limit)."),
	ROW(INT, burst, "MAESTRO_BURST", "5", "1..100000",
	    "Requests that may go at once after a pause, per company."),
	ROW(INT, concurrency, "MAESTRO_CONCURRENCY", "4", "1..1000",
	    "Jobs that use one company at Maestro at one time (a guess)."),
};

const struct system maestro_system = {
	.name = "maestro",
	.options = table,
	.n_options = ARRAY_SIZE(table),
	.values_size = sizeof(struct maestro_options),
};

const struct maestro_options *maestro_options(const struct system_values *v)
{
	return system_values_of(v, &maestro_system);
}

bool maestro_limit(const struct system_values *v, const char *company, struct limit_key *ret,
		   struct err *err)
{
	const struct maestro_options *opt = maestro_options(v);
	ret->max_running = opt->concurrency;
	ret->rate_per_s = opt->rate;
	ret->burst = opt->burst;
	return limit_key_name(ret, "maestro", company, "/credentials/maestro/company_id", err);
}
