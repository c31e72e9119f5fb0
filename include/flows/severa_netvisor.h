/* severa_netvisor.h: the flow that relays Severa's sales invoices to Netvisor. */
#ifndef FLOWS_SEVERA_NETVISOR_H
#define FLOWS_SEVERA_NETVISOR_H

#include "base/base.h"
#include "flow.h"

extern const struct flow severa_netvisor;

#endif
