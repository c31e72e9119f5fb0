/* internal.h: what the files of a delivery share. */
#ifndef DELIVERY_INTERNAL_H
#define DELIVERY_INTERNAL_H

#include "base/base.h"
#include "flows/delivery.h"

/* doubt.c */
bool delivery_identity_write(struct arena *arena, const struct delivery_identity *id,
			     const char **ret, struct err *err) MUST_CHECK;
/* Nobody but a person can tell what became of it; `why` may be NULL. Returns false. */
bool delivery_unsettled(const struct delivery *d, const struct delivery_identity *id,
			const struct err *why, struct err *err);
void delivery_note(const struct delivery *d, const char *code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
