/* spotilla_procountor.h: the flow from Spotilla to Procountor: finished tasks become sales
 * invoices, and the registers of products and customers are kept alike (PC-01 to PC-09). */
#ifndef FLOWS_SPOTILLA_PROCOUNTOR_H
#define FLOWS_SPOTILLA_PROCOUNTOR_H

#include "flow.h"

extern const struct flow spotilla_procountor;

#endif
