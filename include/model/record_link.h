/*
 * record_link.h: which record of one register is which record of another: what is known of a pair,
 * and where it was left when it was synchronised last. Read and written in batches (attempt.h,
 * store/links.h).
 */
#ifndef MODEL_RECORD_LINK_H
#define MODEL_RECORD_LINK_H

#include "base/base.h"

/* Ids per read or write. */
#define LINK_BATCH_MAX 512

/* The two ends of a link: left is the flow's source system, right its target, whichever way a
 * register goes. */
enum link_side { LINK_LEFT, LINK_RIGHT };
static inline enum link_side link_other(enum link_side side)
{
	return side == LINK_LEFT ? LINK_RIGHT : LINK_LEFT;
}

/* The links of one kind of record at one company: "procountor:5001", "customer". */
struct link_table {
	const char *scope; /* the target company, so that all connections that use it share them */
	const char *kind;
};

/* A field as it stood at both ends; NULL: empty. */
struct link_value {
	const char *name, *value;
};

struct record_link {
	const char *id[2]; /* by side; NULL: there is no link */
	/* The record's stamp of its last change, as we last saw or made it; NULL: unknown. A record
	 * that still has it has not changed since, so our own writes never come back as changes. */
	const char *version[2];
	/* The fields last synchronised; n_values 0: not known (found, not made by us). */
	const struct link_value *values;
	size_t n_values;
	/* The side on which we made the record of this pair; false for both: it was found. */
	bool made[2];
};

#endif
