/* travel.h: what the files of the travel reimbursements share (NV-12). */
#ifndef SEVERA_NETVISOR_TRAVEL_H
#define SEVERA_NETVISOR_TRAVEL_H

#include "base/base.h"
#include "internal.h"

/* One travel reimbursement on its way. */
struct travel {
	struct delivery delivery; /* first */
	struct sn *sn;
	struct severa_travel doc; /* id NULL: deleted */
	/* sending NULL: the connection has none. */
	const struct severa_status *transfer, *sending, *transferred;
	const char *employee; /* employee number at Netvisor */
	struct invoice inv; /* as people see it: rows are lines, prices what is paid back */
	const char *hash;
	struct netvisor_trip_line *lines; /* one for each row */
	struct span document;
};

/* travel.c */
/* Finds the statuses that the settings name. */
bool sn_travel_statuses(struct sn *r, const struct severa_status **ret_transfer,
			const struct severa_status **ret_sending,
			const struct severa_status **ret_transferred, struct err *err) MUST_CHECK;

/* travel_lines.c: reads the lines, and holds them against what Netvisor wants. Makes no write. */
bool sn_travel_prepare(struct travel *t, struct err *err) MUST_CHECK;
/* The request's body, once the rows have their dimensions. */
bool sn_travel_map(struct travel *t, struct err *err) MUST_CHECK;

/* travel_status.c: the status at Severa, read right before it is set (SV-02) */
#define STEP_TRAVEL_STATUS "severa.status"
bool sn_travel_stands_in(const struct severa_travel *doc, const struct severa_status *status);
/* To the sending status, where there is one: whatever the store forgets, what still stands in the
 * transfer status was never sent. ERR_WAITING when it was moved meanwhile. */
bool sn_travel_mark_sending(struct travel *t, struct err *err) MUST_CHECK;
/* What is in doubt: out of the transfer status, to the sending one. As far as it goes. */
void sn_travel_keep_apart(struct travel *t);
/* Back to the transfer status: what was certainly not sent. As far as it goes. */
void sn_travel_unmark(struct travel *t);
bool sn_travel_set_transferred(struct travel *t, struct err *err) MUST_CHECK;

#endif
