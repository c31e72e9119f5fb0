/*
 * assumptions.c: guesses about Netvisor that decide what is sent: what the vendor's documents leave
 * open, and what is taken for true until a live company says otherwise. Other guesses stand where
 * they are used, with the fact sheet's section.
 *
 *   does the unit price of a trip expense's line hold the VAT  VIESTI_NETVISOR_TRIP_PRICE  gross
 * (§11)
 */
#include "base/base.h"
#include "netvisor_internal.h"

enum netvisor_trip_price netvisor_trip_price(const struct netvisor *nv)
{
	return (enum netvisor_trip_price)netvisor_options(nv->at->systems)->trip_price;
}
