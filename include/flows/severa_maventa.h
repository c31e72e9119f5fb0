/* severa_maventa.h: the flow that sends Severa's sales invoices through Maventa. */
#ifndef FLOWS_SEVERA_MAVENTA_H
#define FLOWS_SEVERA_MAVENTA_H

#include "base/base.h"
#include "flow.h"

extern const struct flow severa_maventa;

#endif
