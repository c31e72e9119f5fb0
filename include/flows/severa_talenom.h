/* severa_talenom.h: Severa's sales invoices, their customers and products, and what becomes of them
 * in the sales ledger, to Talenom (TA-01 to TA-08). */
#ifndef FLOWS_SEVERA_TALENOM_H
#define FLOWS_SEVERA_TALENOM_H

#include "base/base.h"
#include "flow.h"

extern const struct flow severa_talenom;

#endif
