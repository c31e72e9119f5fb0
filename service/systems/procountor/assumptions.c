/*
 * assumptions.c: every guess about Procountor in one place: what its documents leave open
 * (facts/procountor.md §12), and what is taken for true until its test server says otherwise. The
 * first rows are options, so that an operator can change them without a new release:
 *
 *   redirect URI with the token request     VIESTI_PROCOUNTOR_REDIRECT_URI     (§3.1)
 *   time zone of date-times                 VIESTI_PROCOUNTOR_TIME_ZONE        (§4)
 *   identifier type of a Finnish company    VIESTI_PROCOUNTOR_IDENTIFIER_TYPE  (§5)
 *   letters beyond ASCII in search headers  VIESTI_PROCOUNTOR_HEADER_TEXT      (§5)
 *   decimals of quantities and prices       VIESTI_PROCOUNTOR_DECIMALS         (§12)
 *   pause after 429 without Retry-After     VIESTI_PROCOUNTOR_QUOTA_WAIT       (§4)
 *
 * The rest is here, or stands where it is used:
 *
 *   a 403 that names a field is about the document, else about the user's rights    judge.c (§3.3)
 *   an HTML page with 403 or 404 is of whoever stands before Procountor             judge.c (§9)
 *   429, and 503 with Retry-After, turn a request away at the door                  net/verdict.h
 *   searches match loosely: compared letter by letter here           partners.c, products.c (§5, 7)
 *   `originalInvoiceNumber` is a filter that leaves none out                    invoices.c (§6.4)
 *   PATCH of a card leaves what is not in it as it is                           partners.c (§5)
 *   a row's text goes on in explanationText where comment is full                 write.c (§6.2)
 *   a row's product name is as short as the register's                             write.c (§7)
 *   the invoice list may leave sums out: candidates are read whole              invoices.c (§6)
 */
#include "base/base.h"
#include "procountor_internal.h"

#include <ctype.h>

/* Codes and sentences that were seen (§5, §9); there is no full list. */
const struct procountor_text procountor_texts[] = {
	{ "CLOSED_FISCAL_PERIOD", VERDICT_BAD_DATA, "period_locked", ABOUT_FIELD },
	{ "ERROR_BRN_CODE", VERDICT_BAD_DATA, "business_id_invalid", ABOUT_NAME },
	{ "ERROR_VATSTATUS_VATPERC", VERDICT_BAD_DATA, "vat_category_mismatch", ABOUT_FIELD },
	{ "ERROR_LEDGERACCOUNT_VATPERCENTAGE", VERDICT_BAD_DATA, "vat_category_mismatch",
	  ABOUT_FIELD },
	{ "DUE_DATE_BEFORE_BILL_DATE", VERDICT_BAD_DATA, "date_invalid", ABOUT_FIELD },
	{ "another partner with the same number", VERDICT_BAD_DATA, "customer_number_taken",
	  ABOUT_NUMBER },
};
const size_t n_procountor_texts = ARRAY_SIZE(procountor_texts);

/* How a refused login is worded is not documented: OAuth's own words (RFC 6749 §5.2) for a client
 * that is not known or may not do this. All others are about the customer's key. */
const char *const procountor_vendor_errors[] = { "invalid_client", "unauthorized_client",
						 "unsupported_grant_type", NULL };

/* An invoice that somebody threw away does not count as sent (§6.4). */
const char *const procountor_void_statuses[] = { "INVALIDATED", "DELETED", NULL };

/* That an old version is 400 is documented, its text is not (§4, §6.1): one that has the word,
 * which "conversion" has not. */
bool procountor_is_stale(const char *field, const char *message)
{
	if (strcasecmp(field, "version") == 0)
		return true;
	for (const char *at = message; (at = strcasestr(at, "version")); at++)
		if (at == message || !isalpha((unsigned char)at[-1]))
			return true;
	return false;
}
