/*
 * seed_parts.h: what the tables of the sample companies are written with. For seed*.c only.
 */
#ifndef SANDBOX_SEED_PARTS_H
#define SANDBOX_SEED_PARTS_H

#include "base/base.h"

#include "seed.h"

extern const struct seed_company seed_kajo, seed_louhi, seed_fjell;

/* A table and its length as two members of a company. */
#define SEED_TABLE(member, table) .member = (table), .n_##member = ARRAY_SIZE(table)

/* ---- of an invoice -------------------------------------------------------------------------- */

#define NO_PROJECT (-1)
#define WAITING .status = SEED_STATUS_TRANSFER
#define EURO .currency = "EUR", .rate = "1.0"
#define KRONER .currency = "NOK", .rate = "1.0"
/* Billed to the customer itself, of one project at most, dated so, due after so many days. */
#define TO(to, project, day, days) \
	.customer = (to), .billing = -1, .projects = { project, -1 }, .date = (day), .term = (days)

/* Rows: product code, text, quantity, unit, unit price, VAT percentage. */
#define HOURS(code, ...)                       \
	{                                      \
		"Hours", { code }, __VA_ARGS__ \
	}
#define FEE(code, ...)                               \
	{                                            \
		"ProjectFees", { code }, __VA_ARGS__ \
	}
#define TRAVEL(code, ...)                               \
	{                                               \
		"TravelExpenses", { code }, __VA_ARGS__ \
	}

#endif
