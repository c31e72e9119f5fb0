/*
 * assumptions.c: Maestro's interface, all of it a guess (facts/maestro.md §2, 3): the vendor
 * publishes none. When a real description comes, this folder changes and nothing else. What an
 * operator can change without a new release are options:
 *
 *   address                              VIESTI_MAESTRO_URL, settings.maestro.url
 *   paths of the four resources          VIESTI_MAESTRO_PING_PATH, _PRODUCTS_PATH,
 *                                        _CUSTOMERS_PATH, _INVOICES_PATH
 *   how the key is told                  VIESTI_MAESTRO_AUTH_HEADER, _AUTH_SCHEME
 *   how the company is told              VIESTI_MAESTRO_COMPANY_HEADER
 *   who we say that we are               VIESTI_MAESTRO_SOURCE
 *   the product of last resort           VIESTI_MAESTRO_FALLBACK_PRODUCT,
 *                                        settings.maestro.fallback_product
 *   products on a page, calls a second   VIESTI_MAESTRO_PAGE, _RATE, _BURST, _CONCURRENCY
 *
 * The rest is here, or stands where it is used:
 *
 *   names of JSON members, error codes                                    below
 *   lists are {"items": [...], "nextCursor": text or null}                calls.c
 *   an invoice is sent as Finvoice 3.0 without routing; its buyer is the
 *   card whose number stands in SellersBuyerIdentifier                    map.c
 *   a number or key that is known is 409 and changes nothing              below
 *   PUT puts the whole card in the place of the old one                   calls.c
 *   404 with the code NOT_FOUND is absence; another is a wrong address,
 *   one without an error object a gateway's                               judge.c
 *   money is text with a point                                            map.c
 */
#include "base/base.h"
#include "maestro_internal.h"

const struct maestro_code maestro_codes[] = {
	{ "NOT_FOUND", VERDICT_NOT_FOUND, NULL }, /* the one answer that is absence */
	{ "DUPLICATE_INVOICE", VERDICT_DUPLICATE, NULL },
	{ "VALIDATION", VERDICT_BAD_DATA, "refused_by_target" },
	{ "UNKNOWN_PRODUCT", VERDICT_BAD_DATA, "refused_by_target" },
};
const size_t n_maestro_codes = ARRAY_SIZE(maestro_codes);

const struct maestro_member maestro_customer_members[MAESTRO_CUSTOMER_FIELDS] = {
	[MAESTRO_EXTERNAL_ID] = { NULL, "externalId", false },
	[MAESTRO_NUMBER] = { NULL, "number", false },
	[MAESTRO_NAME] = { NULL, "name", false },
	[MAESTRO_BUSINESS_ID] = { NULL, "businessId", false },
	[MAESTRO_VAT_ID] = { NULL, "vatId", false },
	[MAESTRO_LANGUAGE] = { NULL, "language", false },
	[MAESTRO_CURRENCY] = { NULL, "currency", false },
	[MAESTRO_TERM_DAYS] = { NULL, "paymentTermDays", true },
	[MAESTRO_STREET] = { "address", "street", false },
	[MAESTRO_POSTCODE] = { "address", "postalCode", false },
	[MAESTRO_CITY] = { "address", "city", false },
	[MAESTRO_COUNTRY] = { "address", "country", false },
	[MAESTRO_EINVOICE_ADDRESS] = { "einvoice", "address", false },
	[MAESTRO_EINVOICE_OPERATOR] = { "einvoice", "operator", false },
	[MAESTRO_EMAIL] = { NULL, "email", false },
};

const struct maestro_invoice_members maestro_invoice_members = {
	.id = "invoiceId",
	.number = "invoiceNumber",
	.date = "invoiceDate",
	.currency = "currency",
	.customer_number = "customerNumber",
	.reference = "reference",
	.key = "idempotencyKey",
	.sum = "totalVatIncluded",
};
