/* system.c: Maestro's options, and a limit of our own: the vendor names none. Most options are
 * guesses (assumptions.c). */
#include "base/base.h"
#include "maestro_internal.h"

#define OPTIONS struct maestro_options

static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Maestro" },
	SYSTEM_OPTION(URL, url, "MAESTRO_URL", "", "",
		      "Base URL of Maestro's interface, which its support tells; empty: each "
		      "connection has "
		      "its own in settings.maestro.url."),
	SYSTEM_OPTION(TEXT, ping_path, "MAESTRO_PING_PATH", "/v1/ping", "",
		      "Path that says whether a key is good (a guess)."),
	SYSTEM_OPTION(TEXT, products_path, "MAESTRO_PRODUCTS_PATH", "/v1/products", "",
		      "Path of the product register (a guess)."),
	SYSTEM_OPTION(TEXT, customers_path, "MAESTRO_CUSTOMERS_PATH", "/v1/customers", "",
		      "Path of the customer register (a guess)."),
	SYSTEM_OPTION(TEXT, invoices_path, "MAESTRO_INVOICES_PATH", "/v1/sales-invoices", "",
		      "Path of the sales invoices (a guess)."),
	SYSTEM_OPTION(TEXT, auth_header, "MAESTRO_AUTH_HEADER", "Authorization", "",
		      "Header that carries the API key (a guess)."),
	SYSTEM_OPTION(TEXT, auth_scheme, "MAESTRO_AUTH_SCHEME", "Bearer", "",
		      "Word before the API key in that header; empty: none (a guess)."),
	SYSTEM_OPTION(TEXT, company_header, "MAESTRO_COMPANY_HEADER", "X-Company-Id", "",
		      "Header that names the company (a guess)."),
	SYSTEM_OPTION(TEXT, source, "MAESTRO_SOURCE", "severa", "",
		      "Where the invoices come from, as Maestro is told in X-Source (a guess)."),
	SYSTEM_OPTION(TEXT, fallback_product, "MAESTRO_FALLBACK_PRODUCT", "A/0", "",
		      "Product of rows whose code Maestro does not know, unless the connection has "
		      "its own."),
	SYSTEM_OPTION(INT, page, "MAESTRO_PAGE", "500", "1..10000",
		      "Products that are read at once (a guess)."),
	SYSTEM_OPTION(INT, pace.rate, "MAESTRO_RATE", "10", "1..100000",
		      "Requests per second and company (a guess: the vendor names no limit)."),
	SYSTEM_OPTION(INT, pace.burst, "MAESTRO_BURST", "5", "1..100000",
		      "Requests that may go at once after a pause, per company."),
	SYSTEM_OPTION(INT, pace.concurrency, "MAESTRO_CONCURRENCY", "4", "1..1000",
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
	return limit_key_make(ret, maestro_system.name, &maestro_options(v)->pace, company,
			      "/credentials/maestro/company_id", err);
}
