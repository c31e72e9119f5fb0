/*
 * assumptions.c: guesses about Severa that decide what an e-invoice says: what the vendor's
 * documents leave open, and what is taken for true until a live organisation says otherwise. Other
 * guesses stand where they are used, with the fact sheet's section.
 *
 *   which way an invoice's currencyRate goes   VIESTI_SEVERA_CURRENCY_RATE  foreign_per_own (§3.2)
 *   our key of an expense row stands in its description, after  VIESTI_SEVERA_EXPENSE_MARK Netvisor
 * (§7b) which link of a credit note names what it credits                       below (§3.2)
 */
#include "base/base.h"
#include "severa_internal.h"

/* The other one, creditNoteInvoice, would be the credit note of an invoice. */
const char severa_credited_link[] = "reimburseInvoice";

bool severa_in_own_currency(const struct severa *s, struct decimal amount, struct decimal rate,
			    struct decimal *ret)
{
	struct decimal product;
	if (decimal_sign(rate) <= 0)
		return false;
	if (s->opt->currency_rate == SEVERA_FOREIGN_PER_OWN)
		return decimal_div(amount, rate, 2, ret);
	if (!decimal_mul(amount, rate, &product))
		return false;
	*ret = decimal_round(product, 2);
	return true;
}
