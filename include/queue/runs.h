/*
 * runs.h: runs of register syncs (register.h) as they stand in Redis: what was ordered, how far it
 * has come, what came of it. One run of a connection at a time; others wait behind it, in one.
 *
 * A run's work is the task "sync:<connection>", claimed slice by slice. What a slice writes is
 * written under its fence: whoever lost it stores nothing. Thread-safe; results live in the arena
 * of the call.
 */
#ifndef QUEUE_RUNS_H
#define QUEUE_RUNS_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "queue/queue.h"
#include "register.h"
#include "store/links.h"

#define RUN_ID_MAX 40
#define RUN_EXAMPLES 10 /* kept per register and reason */

enum run_kind {
	RUN_CHANGES, /* what changed since the last run */
	RUN_EVERYTHING, /* every record of the source is looked at */
	RUN_LINKS /* and the links are rebuilt from both sides first */
};
const char *run_kind_name(enum run_kind k); /* "changes", "everything", "links" */
bool run_kind_parse(const char *name, enum run_kind *ret) MUST_CHECK;

enum run_state { RUN_QUEUED, RUN_RUNNING, RUN_DONE, RUN_FAILED, RUN_CANCELLED };
const char *run_state_name(enum run_state s);

/* Per register; each record seen is in one of those between. */
#define RUN_COUNTS(X)             \
	X(SEEN, "seen")           \
	X(CREATED, "created")     \
	X(UPDATED, "updated")     \
	X(LINKED, "linked")       \
	X(UNCHANGED, "unchanged") \
	X(SKIPPED, "skipped")     \
	X(WAITING, "waiting")     \
	X(FAILED, "failed")       \
	X(IN_DOUBT, "in_doubt")   \
	X(CALLS, "calls")         \
	X(WRITES, "writes")
enum run_count {
#define X(id, name) RUN_##id##_N,
	RUN_COUNTS(X)
#undef X
		N_RUN_COUNTS
};
const char *run_count_name(enum run_count c);

enum run_phase { PHASE_LINKS, PHASE_AGAIN, PHASE_LIST, PHASE_SETTLE, PHASE_OVER };
const char *run_phase_name(enum run_phase p);

/* Where a run stands; durable with the outcomes of the page that led there. */
struct run_place {
	const char *reg; /* name of the register; "": before the first */
	enum run_phase phase;
	const char *page; /* of the listing that goes on; "": from its beginning */
	int64_t since_ms; /* what the listing asks for */
	int64_t began_ms; /* wall: when its first page was asked for; 0: it was not */
	int64_t walked_ms; /* wall: when the walk of the target began; 0: there was none */
	int64_t rounds; /* of settling */
	/* Both as register_state has them, when the register began. A place that was reached on
	 * another basis is worth nothing: links may be missing that it leans on. */
	const char *basis, *settings;
};

struct run_register {
	const char *name;
	int64_t counts[N_RUN_COUNTS];
	bool is_over;
	const char *error_code, *error_json; /* why it was given up; "" when it was not */
};

struct register_run {
	const char *id, *conn, *flow, *trigger, *who;
	enum run_kind kind;
	enum run_state state;
	bool is_cancelling; /* ordered; the slice that runs ends with its page */
	bool polls; /* a poll follows it */
	struct run_place place;
	int64_t created_ms, started_ms, updated_ms, ended_ms;
	int64_t next_ms; /* it waits until then; 0: it does not */
	const char *error_code, *error_json; /* why it waits or failed; "" */
	int64_t failing_since_ms, n_failures; /* slices in a row that came to nothing */
	struct run_register registers[REGISTERS_MAX];
	size_t n_registers;
};

/* --- orders, reading --- */
struct run_order {
	const char *conn, *flow, *registers; /* names, separated by blanks */
	const char *trigger; /* "schedule", "poll", "api", "document" */
	const char *who; /* token's name; NULL: nobody */
	enum run_kind kind;
	bool polls; /* a poll of the connection when it is over */
	bool is_regular; /* nothing is ordered when one is under way that a poll follows */
};
struct run_receipt {
	char id[RUN_ID_MAX]; /* of the one that does it */
	bool is_ordered; /* false: is_regular */
};
bool queue_run_new(struct queue *q, const struct run_order *order, struct run_receipt *ret,
		   struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND. */
bool queue_run_get(struct queue *q, struct arena *arena, const char *id, struct register_run *ret,
		   struct err *err) MUST_CHECK;
/* Newest first, from position `from`; the last hundred of a connection are kept. */
bool queue_run_list(struct queue *q, struct arena *arena, const char *conn, size_t from,
		    size_t limit, struct register_run **ret, size_t *ret_n,
		    struct err *err) MUST_CHECK;
struct run_failure {
	const char *reg, *code;
	int64_t n;
	const char *examples[RUN_EXAMPLES]; /* JSON: id, label, subject, detail, target_text */
	size_t n_examples;
};
bool queue_run_failures(struct queue *q, struct arena *arena, const char *id,
			struct run_failure **ret, size_t *ret_n, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND; ERR_CONFLICT, reason "state", when it is over. One that runs ends with its page.
 */
bool queue_run_cancel(struct queue *q, const char *id, const char *who, struct err *err) MUST_CHECK;

/* What stands still of a register now, whichever run met it. */
struct register_standing {
	const char *code;
	int64_t n;
};
bool queue_register_standing(struct queue *q, struct arena *arena, const char *conn,
			     const char *reg, struct register_standing **ret, size_t *ret_n,
			     struct err *err) MUST_CHECK;
struct standing_record {
	const char *id, *code;
	const char
		*json; /* id, label, subject, detail, target_text; "{}" when it cannot be opened */
};
struct standing_page {
	struct standing_record *items; /* in no order */
	size_t n; /* about as many as were asked for */
	const char *next; /* NULL at the end */
};
/* cursor NULL: from the beginning; ERR_INPUT when it is none. */
bool queue_register_records(struct queue *q, struct arena *arena, const char *conn, const char *reg,
			    const char *cursor, size_t limit, struct standing_page *ret,
			    struct err *err) MUST_CHECK;

/* --- by schedule --- */
struct run_plan {
	const char *conn, *reg;
	int64_t next_ms; /* when it is due after this one, wall */
};
/*
 * Which are due? One that was not known yet is; what is not among them is forgotten. Also queues
 * the task of a run that has lost it. ret[i]: due, and the caller's to order; then it is to say so.
 */
bool queue_run_due(struct queue *q, const struct run_plan *plans, size_t n, bool *ret,
		   struct err *err) MUST_CHECK;
bool queue_run_planned(struct queue *q, const struct run_plan *plan, struct err *err) MUST_CHECK;

/* --- the slice at work --- */
struct run_hold {
	const char *conn, *task;
	int64_t fence;
	const char *run;
};
/*
 * The connection's run, marked running; hold->run is set. *ret_any false: there is none (any more),
 * and the task is over. One that was cancelled ends here.
 */
bool queue_run_open(struct queue *q, struct arena *arena, struct run_hold *hold,
		    struct register_run *ret, bool *ret_any, struct err *err) MUST_CHECK;

/* What is known of a register of a connection between runs. */
struct register_state {
	int64_t since_ms; /* of the next listing; 0: everything */
	/* Digest of the store's epoch and the companies, for which the links were whole; "": they
	 * never were. */
	const char *basis;
	const char *settings; /* digest of those that the last listing was made with */
	int64_t done_ms; /* end of the last pass */
};
bool queue_register_state(struct queue *q, struct arena *arena, const char *conn, const char *reg,
			  struct register_state *ret, struct err *err) MUST_CHECK;
/* Source ids of records to be tried again by themselves, the longest due first. */
struct run_again {
	const char **ids; /* due; at most what was asked for */
	size_t n;
	int64_t next_ms; /* until the next is due; -1: there is none */
	int64_t now_ms; /* by the clock of Redis */
};
/* in_doubt: only creations in doubt; else all else too. until_ms: due by then, by the clock of
 * Redis; 0: now. */
bool queue_run_again(struct queue *q, struct arena *arena, const char *conn, const char *reg,
		     bool in_doubt, int64_t until_ms, size_t max, struct run_again *ret,
		     struct err *err) MUST_CHECK;

/* Records of the target by business key, for this run alone. */
bool queue_run_keys(struct queue *q, const struct run_hold *hold, const struct run_place *place,
		    const struct register_match *matches, size_t n, int64_t calls,
		    bool *ret_cancelled, struct err *err) MUST_CHECK;
struct run_candidate {
	bool any, several;
	struct register_match match; /* when there is one */
};
bool queue_run_candidates(struct queue *q, struct arena *arena, const char *run, const char *reg,
			  const char *const *keys, size_t n, struct run_candidate *ret,
			  struct err *err) MUST_CHECK;

/* Intents of a page in one durable write. */
enum run_leave {
	LEAVE_GO, /* the intent stands: create it */
	LEAVE_LOOK, /* it stands; another job was at this record since walked_ms: find first */
	LEAVE_BUSY, /* another job has the record in hands */
	LEAVE_TWIN, /* one before it in the batch has the same lease: it is for later */
	LEAVE_LINKED /* it has a link by now */
};
struct run_intent {
	const char *id; /* at the source */
	const char *lease; /* NULL: none */
	enum run_leave leave; /* out */
};
bool queue_run_intend(struct queue *q, const struct run_hold *hold, const struct link_table *table,
		      enum link_side side, int64_t walked_ms, struct run_intent *intents, size_t n,
		      struct err *err) MUST_CHECK;

/* What became of one record. */
struct run_item {
	const char *id;
	bool drop_intent; /* it is settled, or was certainly not carried out */
	bool count_lookup; /* of an open intent: nothing was found */
	const char *release; /* record lease that is not needed any more; NULL: none */
	bool forgets_lease; /* nothing was done under it: nobody need look for what came of it */
	bool is_through; /* settled in this run; else it is met again with its page */
	const char *code, *json; /* why it is not at the target, counted by reason; NULL: it is */
	bool keeps_why; /* where it stood still before: what was told of it then */
	bool stands; /* it stands still for that reason; false: it was skipped, which is right so */
	bool has_failed; /* it stands, and somebody must do something: mails tell of it */
	bool is_in_doubt;
	int64_t again_ms; /* tried again by itself after so long; -1: when it changes */
	const struct record_link *link; /* to be stored; NULL: none */
};
enum run_page {
	PAGE_PARTIAL, /* it is met again: what is settled of it is passed over then */
	PAGE_THROUGH,
	PAGE_BEGIN, /* of none: the register begins, and nothing of it is settled in this run */
	PAGE_AGAIN /* through, of records that are tried again: the listing passes them over */
};
struct run_commit {
	const struct link_table *table; /* NULL when no item has a link or an intent */
	enum link_side side; /* of the source */
	const char *reg;
	enum run_page page;
	const struct run_place *place; /* NULL: as it was */
	const struct register_state *state; /* NULL: as it was */
	bool is_over; /* the register, in this run */
	const char *error_code, *error_json; /* why it was given up; NULL: it was not */
	int64_t counts[N_RUN_COUNTS]; /* added */
	const struct run_item *items;
	size_t n;
	bool is_cancelled; /* out */
};
/* All of it, or nothing: what a page left, and where the run goes on. ERR_LEASE. */
bool queue_run_commit(struct queue *q, const struct run_hold *hold, struct run_commit *c,
		      struct err *err) MUST_CHECK;

/* The run waits (state running), or is over. err NULL: nothing went wrong. *ret_more: another waits
 * behind it, and the task goes on with that. */
struct run_end {
	enum run_state state;
	int64_t delay_ms; /* RUN_RUNNING: until the next slice */
	const char *error_code, *error_json; /* NULL: none */
};
bool queue_run_end(struct queue *q, const struct run_hold *hold, const struct run_end *end,
		   bool *ret_more, struct err *err) MUST_CHECK;

#endif
