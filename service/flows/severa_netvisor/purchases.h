/* purchases.h: what the files of the purchase-invoice rows share (NV-13). */
#ifndef SEVERA_NETVISOR_PURCHASES_H
#define SEVERA_NETVISOR_PURCHASES_H

#include "base/base.h"
#include "internal.h"

/* purchases.c */
/* The item under the heading of projects; NULL: the row carries none. */
const struct netvisor_dimension *sn_purchase_item(const struct sn_settings *set,
						  const struct netvisor_purchase_row *row);
/* Of what is relayed of a row; NULL: arena full. */
const char *sn_purchase_hash(struct arena *arena, const struct sn_settings *set,
			     const struct netvisor_purchase *invoice,
			     const struct netvisor_purchase_row *row);

#endif
