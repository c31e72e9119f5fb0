/*
 * state.h: the states of a transfer and the legal moves between them (DESIGN §4.9). One table; the
 * Redis scripts get the same table from here, so no second list can drift.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "base/base.h"

#define TRANSFER_STATES(X)                                                              \
	X(WAITING, "waiting") /* precondition missing, retested */                      \
	X(QUEUED, "queued")                                                             \
	X(RUNNING, "running")                                                           \
	X(IN_DOUBT, "in_doubt") /* a write without an outcome: to be looked up */       \
	X(RETRYING, "retrying") /* outage or quota: tried again by itself */            \
	X(FOLLOWING, "following") /* sent, verdict pending */                           \
	X(DONE, "done")                                                                 \
	X(NEEDS_DATA, "needs_data") /* somebody must mend the document or a register */ \
	X(SYSTEM_FAULT, "system_fault") /* ours or theirs */                            \
	X(SKIPPED, "skipped") /* left the transfer status before we came */             \
	X(CANCELLED, "cancelled") /* deleted at the source, or by an operator */

enum transfer_state {
#define X(id, name) STATE_##id,
	TRANSFER_STATES(X)
#undef X
		N_TRANSFER_STATES
};

const char *state_name(enum transfer_state s);
bool state_parse(struct span name, enum transfer_state *ret) MUST_CHECK;
/* May a transfer move from one to the other? The one table. */
bool state_may_move(enum transfer_state from, enum transfer_state to);
/* The table as text for the scripts: ",from>to,from>to,"; false when it does not fit. */
bool state_write_moves(char *to, size_t size) MUST_CHECK;

#endif
