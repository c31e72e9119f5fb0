/*
 * report.h: the reconciliation report of a poll (SV-04, SV-05): what stands at the source, held
 * against what the store knows. A part that flows share, and no flow.
 */
#ifndef FLOWS_REPORT_H
#define FLOWS_REPORT_H

#include "base/base.h"
#include "attempt.h"

#define REPORT_NAMES_MAX 200 /* of one list; the counts are whole */

struct report_list {
	const char *names[REPORT_NAMES_MAX];
	size_t n; /* may be more than are named */
};
/* The name is copied: a page's items go with the page. */
void report_add(struct report_list *l, struct arena *arena, const char *name);

/* A code that the target does not know, and how many rows had it (MA-04). */
struct report_code {
	const char *code;
	int64_t rows;
};

/* REST: Reconciliation. */
struct report {
	int64_t at_source, accounted;
	struct report_list missing, never_relayed, changed, unowned;
	bool has_waiting; /* the flow's documents wait, and are told */
	struct report_list waiting; /* of those that are accounted for */
	bool has_codes; /* the flow matches rows by code, and tells what it could not match */
	const struct report_code *codes;
	size_t n_codes;
};
bool report_store(struct attempt *at, const struct report *report, struct err *err) MUST_CHECK;

#endif
