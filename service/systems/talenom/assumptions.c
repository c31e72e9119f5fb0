/*
 * assumptions.c: every guess about Talenom in one place: what the vendor's documents leave open
 * (facts/talenom.md §2, 3), and what is taken for true until its integration support says
 * otherwise. What an operator can change without a new release are options:
 *
 *   where tokens come from, their scope     VIESTI_TALENOM_TOKEN_URL, _SCOPE
 *   addresses                               VIESTI_TALENOM_SALES_PATH, _LEDGER_PATH (documented);
 *                                           _ACCOUNTS_PATH, _PRODUCTS_PATH, _CONTACTS_PATH,
 *                                           _INVOICES_PATH, _APPROVE_PATH, _PAYMENT_PATH
 *   member and parameter that hold our id   VIESTI_TALENOM_EXTERNAL_ID
 *   accounts of debts and payments          VIESTI_TALENOM_RECEIVABLE_ACCOUNT, _PAYMENT_ACCOUNT
 *   vouchers on a page, calls a second      VIESTI_TALENOM_PAGE, _RATE, _BURST, _CONCURRENCY
 *
 * The rest is here, or stands where it is used:
 *
 *   error codes of the Sales API; states; languages                       below
 *   a contact holds our id, e-invoice address, operator and a switch      below
 *   a member that is left out of a PUT stays; null empties it             contact.c
 *   PUT with an old rowVersion is 409 and changes nothing                 below
 *   the number that the content gives is kept on approval                 map.c
 *   line items may hold productCode, description, unit, discountPercent   map.c
 *   the answer to the content's PUT holds grossAmount                     map.c
 *   a payment state is PUT to the invoice: state, paidDate                calls.c
 *   a list without results is [], a missing invoice a 404 without a body  auth.c, judge.c
 *   vouchers are paged like ledger events; a payment's voucher matches
 *   the open item by the receivable's matchKey                            voucher.c
 */
#include "base/base.h"
#include "talenom_internal.h"

const struct talenom_code talenom_codes[] = {
	{ "SALES_ACCOUNT_UNKNOWN", ERR_DATA, "account_unknown" },
	{ "SALES_ACCOUNT_VAT_MISMATCH", ERR_DATA, "account_vat_mismatch" },
	{ "CONTACT_NOT_FOUND", ERR_DATA, "refused_by_target" },
	{ "ROW_VERSION_CONFLICT", ERR_CONFLICT, NULL },
	{ "PERIOD_CLOSED", ERR_DATA, "period_closed" },
	{ "UNBALANCED_VOUCHER", ERR_DATA, "refused_by_target" },
	{ "DUPLICATE_EXTERNAL_ID", ERR_DUPLICATE, NULL },
	{ "DUPLICATE_CODE", ERR_DUPLICATE, NULL },
};
const size_t n_talenom_codes = ARRAY_SIZE(talenom_codes);

/* Azure API Management, which stands before every call. */
const char talenom_quota_words[] = "call volume quota";

const struct talenom_member talenom_contact_members[TALENOM_CONTACT_FIELDS] = {
	[TALENOM_EXTERNAL_ID] = { NULL, NULL, false },
	[TALENOM_TYPE] = { NULL, "type", false },
	[TALENOM_NUMBER] = { NULL, "number", false },
	[TALENOM_NAME] = { NULL, "name", false },
	[TALENOM_BUSINESS_ID] = { NULL, "businessId", false },
	[TALENOM_VAT_ID] = { NULL, "vatId", false },
	[TALENOM_EMAIL] = { NULL, "email", false },
	[TALENOM_CURRENCY] = { NULL, "currency", false },
	[TALENOM_LANGUAGE] = { NULL, "InvoiceLanguage", false }, /* written so (§2.1) */
	[TALENOM_RECEIVABLE_ACCOUNT] = { NULL, "defaultReceivableAccountNumber", false },
	[TALENOM_STREET] = { "invoicingAddress", "address1", false },
	[TALENOM_POSTCODE] = { "invoicingAddress", "postalCode", false },
	[TALENOM_CITY] = { "invoicingAddress", "postOffice", false },
	[TALENOM_COUNTRY] = { "invoicingAddress", "country", false },
	[TALENOM_EINVOICE_ADDRESS] = { NULL, "eInvoiceAddress", false },
	[TALENOM_EINVOICE_OPERATOR] = { NULL, "eInvoiceOperator", false },
	[TALENOM_AUTOMATIC_EINVOICING] = { NULL, "automaticEInvoicing", true },
};

bool talenom_is_draft(const char *status)
{
	return strcasecmp(status, "Draft") == 0;
}

/* Those behind approval are approved too: none of them may be sent again. */
bool talenom_is_approved(const char *status)
{
	static const char *const words[] = { "Approved", "Sent", "Paid", "Overdue", "Credited" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(status, words[i]) == 0)
			return true;
	return false;
}

const char *talenom_language(const char *language)
{
	static const char *const words[][2] = { { "fi", "fi-FI" },
						{ "sv", "sv-FI" },
						{ "en", "en-GB" } };
	for (size_t i = 0; language && i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i][0], language) == 0)
			return words[i][1];
	return NULL;
}
