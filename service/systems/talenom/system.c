/* system.c: Talenom's options, and a limit of our own: the vendor names none (facts/talenom.md). */
#include "base/base.h"
#include "talenom_internal.h"

#define OPTIONS struct talenom_options

static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Talenom" },
	SYSTEM_OPTION(URL, url, "TALENOM_URL", "https://apim.talenom.com", "",
		      "Base URL of Talenom's interfaces."),
	SYSTEM_OPTION(URL, token_url, "TALENOM_TOKEN_URL",
		      "https://idsrv.talenom.fi/identity/connect/token", "",
		      "Where tokens are fetched (a guess: the documents name only its neighbour)."),
	SYSTEM_OPTION(TEXT, scope, "TALENOM_SCOPE", "", "",
		      "Scope that a token is asked for; empty: none is named (a guess)."),
	SYSTEM_OPTION(NAME, region, "TALENOM_REGION", "fi", "",
		      "Region in the paths, unless the connection has its own."),
	SYSTEM_OPTION(TEXT, sales_path, "TALENOM_SALES_PATH", "/sales/v1", "",
		      "Path of the Sales API below the region."),
	SYSTEM_OPTION(TEXT, ledger_path, "TALENOM_LEDGER_PATH", "/general-ledger/v2/vouchers", "",
		      "Path of the ledger's vouchers below the region."),
	SYSTEM_OPTION(TEXT, accounts_path, "TALENOM_ACCOUNTS_PATH", "/sales-accounts", "",
		      "Path of the sales accounts below the organisation (a guess)."),
	SYSTEM_OPTION(TEXT, products_path, "TALENOM_PRODUCTS_PATH", "/products", "",
		      "Path of the product register below the organisation (a guess)."),
	SYSTEM_OPTION(TEXT, contacts_path, "TALENOM_CONTACTS_PATH", "/contacts", "",
		      "Path of the contacts below the organisation."),
	SYSTEM_OPTION(TEXT, invoices_path, "TALENOM_INVOICES_PATH", "/invoices", "",
		      "Path of the invoices below the organisation."),
	SYSTEM_OPTION(TEXT, approve_path, "TALENOM_APPROVE_PATH", "/approve", "",
		      "Path of the approval below an invoice (a guess)."),
	SYSTEM_OPTION(TEXT, payment_path, "TALENOM_PAYMENT_PATH", "/payment-state", "",
		      "Path of the payment state below an invoice (a guess)."),
	SYSTEM_OPTION(TEXT, external_id, "TALENOM_EXTERNAL_ID", "externalId", "",
		      "Name of the member and parameter that hold our id (a guess)."),
	SYSTEM_OPTION(TEXT, receivable_account, "TALENOM_RECEIVABLE_ACCOUNT", "1701", "",
		      "Account of what customers owe, unless the connection has its own."),
	SYSTEM_OPTION(TEXT, payment_account, "TALENOM_PAYMENT_ACCOUNT", "", "",
		      "Account that payments are booked on where the ledger is relayed by "
		      "vouchers; empty: "
		      "each connection has its own."),
	SYSTEM_OPTION(INT, page, "TALENOM_PAGE", "1000", "1..10000",
		      "Vouchers that are read at once."),
	SYSTEM_OPTION(INT, pace.rate, "TALENOM_RATE", "5", "1..100000",
		      "Requests per second and organisation (a guess: the vendor names no limit)."),
	SYSTEM_OPTION(INT, pace.burst, "TALENOM_BURST", "5", "1..100000",
		      "Requests that may go at once after a pause, per organisation."),
	SYSTEM_OPTION(INT, pace.concurrency, "TALENOM_CONCURRENCY", "4", "1..1000",
		      "Jobs that use one organisation at Talenom at one time (a guess)."),
};

const struct system talenom_system = {
	.name = "talenom",
	.options = table,
	.n_options = ARRAY_SIZE(table),
	.values_size = sizeof(struct talenom_options),
};

const struct talenom_options *talenom_options(const struct system_values *v)
{
	return system_values_of(v, &talenom_system);
}

bool talenom_limit(const struct system_values *v, const char *organization, struct limit_key *ret,
		   struct err *err)
{
	return limit_key_make(ret, talenom_system.name, &talenom_options(v)->pace, organization,
			      "/credentials/talenom/organization_number", err);
}
