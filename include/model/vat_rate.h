/*
 * vat_rate.h: which VAT percentages were in force when and where (facts/nordic-identifiers.md §4).
 * A constant table; pure.
 */
#ifndef MODEL_VAT_RATE_H
#define MODEL_VAT_RATE_H

#include "base/base.h"
#include "base/decimal.h"

/*
 * Was the percentage in force in the country on some day from..to (YYYY-MM-DD, both included)?
 * True as well where nobody here can tell: another country, or a time before the table begins. A
 * rate of 0 is always in force: why it applies is the VAT category's business.
 */
bool vat_rate_was_in_force(const char *country_code, struct decimal percent, const char *from,
			   const char *to);

#endif
