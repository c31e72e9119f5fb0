/* severa_maestro.h: Severa's sales invoices and their customers to Maestro (MA-01 to MA-06). */
#ifndef FLOWS_SEVERA_MAESTRO_H
#define FLOWS_SEVERA_MAESTRO_H

#include "base/base.h"
#include "flow.h"

extern const struct flow severa_maestro;

#endif
