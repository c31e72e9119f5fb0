/* codes.h: membership in the code lists that EN 16931 prescribes. Pure. */
#ifndef MODEL_CODES_H
#define MODEL_CODES_H

#include "base/base.h"

bool currency_is_known(const char *code); /* ISO 4217 */
bool country_is_known(const char *code); /* ISO 3166-1 alpha-2, upper-case */
bool endpoint_scheme_is_known(const char *code); /* EAS as Peppol 3.0.21 has it */
bool country_is_in_eu(const char *code); /* false for NULL */
/* The currency that a company of the country accounts VAT in; NULL where this table cannot tell. */
const char *country_currency(const char *country_code);
bool vat_exemption_is_known(const char *code); /* VATEX-EU-... */

#endif
