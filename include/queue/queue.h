/*
 * queue.h: jobs: intake, turns, leases with fences, limits, delays, steps. Everything that changes
 * more than one key is one Lua script, so it happens wholly or not at all.
 *
 * A job is a transfer (its id is derived from its business key) or a short-lived task of a
 * connection: "poll:<conn>", "follow:<conn>", "sync:<conn>" (queue/runs.h), "check:<random>",
 * "dry_run:<random>", "dialogue:<random>" or, when it comes by itself, "dialogue:<conn>". All
 * shared deadlines are by the clock of Redis. Thread-safe: each call borrows a connection of the
 * pool. Every call may be repeated after ERR_OUTAGE. Results live in the arena of the call.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/base.h"
#include "attempt.h"
#include "base/arena.h"
#include "base/err.h"
#include "codec/sign.h"
#include "flow.h"
#include "model/connection.h"
#include "model/state.h"
#include "net/redis.h"
#include "store/store.h"

#define TRANSFER_ID_MAX 33
#define QUEUE_JOB_ID_MAX 80
#define QUEUE_BATCH_MAX 256
/* Jobs per claim. A fence has three digits for the place in its claim. */
#define QUEUE_TURN_MAX 512
/* Timeline entries kept per transfer; the oldest go first. */
#define QUEUE_TIMELINE_MAX 200

struct queue_options {
	struct redis_pool *pool;
	struct store *store; /* knows the epoch that jobs are taken in and given out under */
	const struct seal_key *key; /* seals timeline entries; copied */
	int64_t lease_ms; /* 0: 10 s */
	int64_t quiet_ms; /* after an open intent, before the target is asked; 0: 130 s */
	int64_t retention_ms; /* of timelines, since the transfer is at rest; 0: 90 days */
	int64_t record_ms; /* of a transfer at rest, thus of its business key; 0: 10 years */
	int64_t poll_interval_ms; /* of connections without a schedule; 0: 5 min */
};
struct queue;
bool queue_new(const struct queue_options *opt, struct queue **ret, struct err *err) MUST_CHECK;
void queue_free(struct queue *q); /* accepts NULL */
CLEANUP_FUNC(struct queue, queue_free)
/* The calling thread never waits for others to reach Redis (redis_reserve), until it ends that. */
void queue_reserve(struct queue *q);
void queue_unreserve(struct queue *q);

/* First 16 bytes, hex, of SHA-256(conn NUL kind NUL source id). */
void transfer_id(const char *conn, const char *kind, const char *source_id,
		 char ret[TRANSFER_ID_MAX]);

/* --- intake --- */
struct queue_item {
	const char *conn, *kind, *source_id;
	const char *webhook_id; /* NULL: none; the last 64 are remembered per document */
	const char *origin; /* "webhook", "poll", "api" */
	const char *changed; /* the source's change stamp, NULL: unknown */
	const char *number; /* NULL: unknown */
	bool found; /* seen by a poll: known and unchanged is not queued again (rules: intake.lua)
		     */
	int64_t remember_s; /* its webhook id; 0: 15 min */
	/*
	 * Not NULL: no document at the source but what was sent and is followed, by the outcome of
	 * its delivery step: it is asked for soon. Beside it only conn counts.
	 */
	const char *target_key;
};
enum queue_intake {
	INTAKE_NEW, /* record made and queued */
	INTAKE_KNOWN, /* record stood; queued (again), or marked to be looked at again */
	INTAKE_SEEN, /* record stood, and nothing is to be done */
	INTAKE_REPLAY, /* webhook id seen before: nothing was done */
	INTAKE_ASKED, /* by its key at the target: the next round of follow-up comes soon */
	INTAKE_UNKNOWN, /* nobody who is followed has that key: nothing was done */
};
struct queue_receipt {
	enum queue_intake what;
	char id[TRANSFER_ID_MAX]; /* of the transfer; "" of one that is known by its target_key */
};
/* Dedup mark, record, index and queue entry of up to QUEUE_BATCH_MAX items in one atomic step. */
bool queue_intake(struct queue *q, const struct queue_item *items, size_t n,
		  struct queue_receipt *ret, struct err *err) MUST_CHECK;

/* --- claim, heartbeat, finish --- */
enum queue_job_type {
	JOB_TRANSFER,
	JOB_POLL,
	JOB_CHECK,
	JOB_DRY_RUN,
	JOB_DIALOGUE,
	JOB_FOLLOW,
	JOB_SYNC /* a slice of a register run (queue/runs.h) */
};
struct queue_job {
	enum queue_job_type type;
	const char *id, *conn, *kind, *source_id; /* kind of a task its kind */
	int64_t generation, try_no; /* this try included */
	int64_t fence;
	int64_t deadline_ms; /* monotonic, local: the lease ends then unless beaten */
	int64_t first_try_ms; /* of this generation (retry age) */
	bool delivered; /* a send step of this generation has its outcome */
	enum transfer_state was; /* state before the claim; done: a re-look (DESIGN §4.8) */
	const char *number, *changed, *content_hash, *fingerprint, *error_code; /* "" when none */
	const char *args; /* of a task, JSON; "" for a transfer */
	int64_t followed_ms; /* since when it is followed, by the clock of Redis; 0: it is not */
	bool has_news; /* of what was sent: it runs while the connection is paused, too */
};
/* Claims up to max jobs, connections taking turns. Waits for nothing. */
bool queue_claim(struct queue *q, struct arena *arena, size_t max, struct queue_job *ret,
		 size_t *ret_n, struct err *err) MUST_CHECK;

struct queue_lease {
	const char *id;
	int64_t fence;
	bool lost; /* out */
	int64_t deadline_ms; /* out, monotonic */
};
bool queue_heartbeat(struct queue *q, struct queue_lease *leases, size_t n,
		     struct err *err) MUST_CHECK;

enum queue_verdict {
	FINISH_STORED,
	FINISH_STALE, /* the fence is old: nothing was stored */
	FINISH_ILLEGAL /* the state table forbids the move: lease ended, state as before */
};
struct queue_outcome {
	const char *id;
	int64_t fence;
	bool keep; /* the state of before the claim stays (a re-look that found nothing new) */
	enum transfer_state state; /* else */
	/*
	 * Run again after so long: waiting, retrying, in_doubt, following need it, needs_data may
	 * have it (retest); -1: none. Of what is followed in rounds the interval.
	 */
	int64_t delay_ms;
	/*
	 * With the states following and done: asked for in rounds (queue_follow_take), what is done
	 * for watch_ms more. Without it following is run again by itself.
	 */
	bool in_rounds;
	int64_t watch_ms;
	/* With needs_data: sent, and the verdict is still to come. It is run again by itself while
	 * the connection is paused, too, and a hint by its key at the target brings that forward.
	 */
	bool awaits_verdict;
	bool hand_back; /* no try is burned: state of before the claim, due after delay_ms */
	bool delivered; /* a send step has its outcome; never taken back within a generation */
	const char *error_code; /* reason code, for search; NULL clears */
	const char *error_json; /* NULL clears */
	const char *fingerprint; /* NULL: as before */
	const char *content_hash; /* NULL: as before */
	const char *result; /* tasks: JSON answer; NULL none */
	const char *word; /* the verdict's, of what is followed; NULL: as before */
	const char *const *entries; /* timeline, JSON objects, oldest first */
	size_t n_entries;
	enum queue_verdict verdict; /* out */
};
/* Stores outcomes, ends leases, frees limit slots, wakes who waited for them. */
bool queue_finish(struct queue *q, struct queue_outcome *outcomes, size_t n,
		  struct err *err) MUST_CHECK;

/* What the connection's transfers wait for (STATE_WAITING) may be there now: they run at once. */
bool queue_wake_waiting(struct queue *q, const char *conn, struct err *err) MUST_CHECK;

/* Both in one round trip: what the outcomes free can be claimed at once. */
struct queue_turn {
	struct queue_outcome *outcomes;
	size_t n_outcomes; /* any number */
	struct queue_job *jobs; /* room for max_jobs */
	size_t max_jobs; /* at most QUEUE_TURN_MAX */
	size_t n_jobs; /* out: claimed, also when storing failed */
	bool stored; /* out: every outcome has its verdict */
};
/* True: outcomes are stored and jobs claimed, as far as there were any. */
bool queue_turn(struct queue *q, struct arena *arena, struct queue_turn *turn,
		struct err *err) MUST_CHECK;

/* --- steps (DESIGN §4.5), all under the fence: ERR_LEASE when the job is not ours any more --- */
bool queue_step_get(struct queue *q, struct arena *arena, const char *id, int64_t fence,
		    const char *step, struct step *ret, struct err *err) MUST_CHECK;
/* about: what a later look-up must know of it; NULL: nothing. */
bool queue_step_intent(struct queue *q, const char *id, int64_t fence, const char *step,
		       const char *about, struct err *err) MUST_CHECK;
enum queue_delivery {
	STEP_DELIVERS_NOT,
	STEP_DELIVERS, /* the document is now at the target */
	STEP_DELIVERS_TO_FOLLOW, /* and is followed: a target_key finds it by this outcome */
};
/* outcome NULL: the intent was certainly not carried out. */
bool queue_step_outcome(struct queue *q, const char *id, int64_t fence, const char *step,
			const char *outcome, enum queue_delivery delivers,
			struct err *err) MUST_CHECK;
bool queue_step_lookup_empty(struct queue *q, const char *id, int64_t fence, const char *step,
			     struct err *err) MUST_CHECK;
/*
 * DESIGN §4.8, for a document that stands in the transfer status: did it come back from the failed
 * status, i.e. has `step`, the setting of that status, an outcome? Delivered before, the next
 * generation is open then, all its steps too; not delivered, this one goes on without the step.
 * *ret_generation is the one that counts now, *ret_back whether it came back.
 */
bool queue_step_back(struct queue *q, const char *id, int64_t fence, const char *step,
		     bool *ret_back, int64_t *ret_generation, struct err *err) MUST_CHECK;
bool queue_set_number(struct queue *q, const char *id, int64_t fence, const char *number,
		      struct err *err) MUST_CHECK;
/* Right before the first byte of a write: still ours? Extends the lease as a heartbeat does. */
bool queue_lease_check(struct queue *q, const char *id, int64_t fence, int64_t *ret_deadline_ms,
		       struct err *err) MUST_CHECK;
bool queue_known(struct queue *q, struct arena *arena, const char *conn, const char *kind,
		 const char *source_id, struct known_transfer *ret, struct err *err) MUST_CHECK;

/* --- small durable values, record leases --- */
bool queue_kv_get(struct queue *q, struct arena *arena, const char *scope, const char *key,
		  const char **ret, struct err *err) MUST_CHECK;
bool queue_kv_set(struct queue *q, const char *scope, const char *key, const char *value,
		  int64_t ttl_ms, struct err *err) MUST_CHECK;
/* holder: the transfer's id. ERR_BUSY with retry_after_ms when another holds it; lapses after
 * ttl_ms. */
bool queue_record_lease(struct queue *q, const char *record, const char *holder, int64_t ttl_ms,
			struct err *err) MUST_CHECK;
bool queue_record_release(struct queue *q, const char *record, const char *holder,
			  struct err *err) MUST_CHECK;

/* --- follow-up of what was sent (MV-14) --- */
/*
 * Transfers that ended in following, or done and watched, wait in their connection's round; where
 * one is due, queue_tick makes the task "follow:<conn>". Its run takes some, asks the target, and
 * settles them; what it does not settle is due still. With the state of a transfer, its record and
 * its place in the rounds change in one script; the reconciler puts back what of the rounds is
 * missing. Both go on while the connection is paused, unless its credentials were refused.
 */
struct queue_round {
	int64_t now_ms; /* by the clock of Redis */
	const char *ids[FOLLOW_MAX];
	struct follow_item items[FOLLOW_MAX];
	int64_t interval_ms[FOLLOW_MAX]; /* to be set: until about when it is asked for again */
	size_t n;
	bool more; /* are due than were taken */
};
/* step: the flow's delivery step, whose outcome is the key at the target. */
bool queue_follow_take(struct queue *q, struct arena *arena, const char *conn, const char *step,
		       struct queue_round *ret, struct err *err) MUST_CHECK;
/*
 * Stores what was heard (has_news, seen, interval_ms): a transfer with news has its own run queued.
 * ERR_LEASE when the round, job `task`, is not ours any more. Sets round->more.
 */
bool queue_follow_done(struct queue *q, const char *task, int64_t fence, const char *conn,
		       struct queue_round *round, struct err *err) MUST_CHECK;
struct queue_followed {
	int64_t now_ms; /* by the clock of Redis */
	int64_t n_pending, n_watched;
	int64_t oldest_ms; /* pending since; 0: none */
	int64_t next_ms; /* the next round is due then; 0: none */
};
/* Of each of n connections. */
bool queue_follow_counts(struct queue *q, struct arena *arena, const char *const *conns, size_t n,
			 struct queue_followed *ret, struct err *err) MUST_CHECK;

/* --- limits --- */
/*
 * Takes one call from the key's budget. *ret_wait_ms 0: taken; else not taken, try again after so
 * long. Never more than burst + rate in any second.
 */
bool queue_rate_take(struct queue *q, const char *key, int rate_per_s, int burst,
		     int64_t *ret_wait_ms, struct err *err) MUST_CHECK;
/*
 * As above, but a call that is free within max_wait_ms is booked at once (*ret_booked) and may be
 * made after *ret_wait_ms: many who wait neither ask again nor overtake each other.
 */
bool queue_rate_book(struct queue *q, const struct limit_key *limit, int64_t max_wait_ms,
		     int64_t *ret_wait_ms, bool *ret_booked, struct err *err) MUST_CHECK;
/* Retry-After of a vendor: no job of the key is claimed, and no rate given, for so long; but a job
 * that is tried once an hour costs nobody anything, and finds out. */
#define QUEUE_BLOCK_MAX_MS 3600000
bool queue_block(struct queue *q, const char *key, int64_t for_ms, struct err *err) MUST_CHECK;
/* Somebody wants to know now, or has new credentials: the keys are free again. */
bool queue_unblock(struct queue *q, const struct limit_key *keys, size_t n,
		   struct err *err) MUST_CHECK;
struct queue_blocked {
	const char *key;
	int64_t until_ms; /* by the clock of Redis */
};
/* Every key that is blocked now. */
bool queue_blocks(struct queue *q, struct arena *arena, struct queue_blocked **ret, size_t *ret_n,
		  struct err *err) MUST_CHECK;

/* --- tasks --- */
/*
 * Queues a task before the connection's transfers; kind "poll" (one per connection: a second call
 * gives the same, and while it runs has it run once more before it is done), "check", "dry_run" or
 * "dialogue" (which comes by itself, too, when the facts say that it is due). args: JSON or NULL,
 * without secrets. Runs on a paused connection too, except a poll.
 */
bool queue_task_new(struct queue *q, const char *kind, const char *conn, const char *args,
		    char ret_id[QUEUE_JOB_ID_MAX], struct err *err) MUST_CHECK;
enum queue_task_state { TASK_QUEUED, TASK_RUNNING, TASK_DONE, TASK_FAILED };
struct queue_task {
	const char *id, *kind, *conn, *args, *result, *error_json;
	enum queue_task_state state;
	int64_t created_ms, updated_ms;
};
/* ERR_NOT_FOUND when it never was or its hour is over. */
bool queue_task_get(struct queue *q, struct arena *arena, const char *id, struct queue_task *ret,
		    struct err *err) MUST_CHECK;

/* --- upkeep --- */
struct queue_tick {
	int64_t promoted, reaped, in_doubt, polls, mended, woken, aged;
	int64_t given_up; /* their runs were lost too often: system_fault */
	int64_t clock_jump_ms; /* of Redis's clock since the last tick; 0: none */
	bool more; /* a bound was reached: tick again at once */
};
/*
 * One thread per process, each second: delayed jobs that are due, leases that ended (running →
 * queued, or in_doubt with an open intent), sleepers, polls by schedule, every 10 s the
 * reconciler. A clock of Redis that jumped ends no lease and no doubt. Bounded per call; safe in
 * many processes at once. now_ms is not needed: Redis has the clock.
 */
bool queue_tick(struct queue *q, struct queue_tick *ret, struct err *err) MUST_CHECK;
/* Blocks until something was queued or the time is over; either is true. */
bool queue_wait(struct queue *q, int64_t timeout_ms, struct err *err) MUST_CHECK;

struct queue_depth {
	int64_t ready_connections, delayed, running, sleeping;
	int64_t oldest_lease_ms; /* how long past due, 0: none */
	int64_t poll_late_ms; /* likewise, of the poll that was due first */
};
bool queue_depth(struct queue *q, struct queue_depth *ret, struct err *err) MUST_CHECK;

#endif
