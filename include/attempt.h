/*
 * attempt.h: one run of a flow for one job, on one worker thread: what a flow and the systems below
 * it may use. A contract open to all folders; implemented by worker/ (and by the flow cases of the
 * tests).
 *
 * Everything in the arena lives until the outcome is stored.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/connection.h"
#include "model/dialogue.h"
#include "model/preview.h"
#include "model/record_link.h"
#include "model/state.h"
#include "net/http.h"
#include "system.h"

struct attempt;

/* The step of setting the failed status at the source (SV-03), of every flow that has one: intent
 * before, outcome after; the way back from that status hangs on it (came_back below). */
#define STEP_FAILED "source.failed"

/* One vendor exchange wanted by a system. The attempt adds: rate slot, lease check before a write,
 * timeline entry. */
struct call {
	const char *what; /* "read invoice": for the timeline and messages */
	const char *limit_key; /* takes a rate slot of it first; NULL: none */
	struct http_request rq;
};

/* What a step left behind (DESIGN §4.5). */
enum step_state { STEP_NONE, STEP_INTENT, STEP_DONE };
struct step {
	enum step_state state;
	int64_t intent_ms; /* wall time of the intent, by Redis's clock */
	int64_t age_ms; /* since the intent, by the same clock */
	const char *about; /* what step_intent was given, "" when nothing */
	int lookups; /* empty look-ups since the intent */
	int64_t last_lookup_ms;
	const char *outcome; /* target's id or our note, when done */
};

/* A document seen at the source. */
struct poll_item {
	const char *kind; /* "invoice" */
	const char *source_id;
	const char *number; /* may be NULL */
	const char *changed; /* the source's change stamp, opaque; a new one retests needs_data at
				once */
};

struct known_transfer {
	bool exists;
	enum transfer_state state;
	bool delivered;
	const char *changed; /* stamp of the last poll_item */
	const char *content_hash; /* what was sent (SV-05), "" when nothing was */
	const char *id;
};

/*
 * A value that workers share: a token, a register. One of them fetches it when it is absent, has
 * run out, or was refused; the others wait a moment for what comes of it.
 */
struct shared_want {
	const char *key; /* system, address, and whose: credentials only as a hash */
	const char *refused; /* the value that a vendor just refused (401): another is wanted */
	int64_t margin_ms; /* renewed so long before it runs out, at half its time at the latest */
	bool for_all; /* a token: shared by all relay processes, sealed, through Redis */
	/* Brings a new one into the attempt's arena, with the time that it is good for. */
	bool (*fetch)(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err);
	void *ctx;
};

/* Another connection of the same flow (peers below). */
struct peer {
	const struct connection *conn;
	struct facts facts;
};

struct attempt_ops {
	/*
	 * Does the exchange. Any HTTP status is true. ERR_BUSY: no rate slot soon (hand the job
	 * back). ERR_LEASE: the job is not ours any more; a write was not begun. Else as
	 * http_transport.
	 */
	bool (*exchange)(struct attempt *at, const struct call *call, struct http_reply *ret,
			 struct err *err);
	/* Reads a step of the current generation; always true unless Redis is away (ERR_OUTAGE) or
	 * the lease is lost. */
	bool (*step_get)(struct attempt *at, const char *step, struct step *ret, struct err *err);
	/*
	 * Records the intent, durably and under the fence, before the write. about: by what the
	 * write can be recognised at the target later, whatever the document is then; NULL where
	 * the step's name says it all.
	 */
	bool (*step_intent)(struct attempt *at, const char *step, const char *about,
			    struct err *err);
	/* Records the outcome; or, with outcome NULL, that the intent was certainly not carried
	 * out. */
	bool (*step_outcome)(struct attempt *at, const char *step, const char *outcome,
			     struct err *err);
	/* Counts an empty look-up of an open intent. */
	bool (*step_lookup_empty)(struct attempt *at, const char *step, struct err *err);
	/*
	 * Asked by a flow whose document stands in the transfer status, before anything else: did
	 * it come back from the failed status (STEP_FAILED has an outcome; DESIGN §4.8)? Then what
	 * was delivered before does not count any more: the next generation is open, its steps all
	 * to be read anew. When nothing was delivered this generation goes on. *ret_back either
	 * way; noted.
	 */
	bool (*came_back)(struct attempt *at, bool *ret_back, struct err *err);
	/* Learned facts of the document: the customer's invoice number (search), a title for
	 * people. */
	bool (*set_number)(struct attempt *at, const char *number, struct err *err);
	/* A line on the timeline, kept in at->notes too; code from a closed list of the flow, text
	 * for people, copied. */
	void (*note)(struct attempt *at, const char *code, const char *text);
	/* Adds to the fingerprint of what this run has read (needs_data is retested when it
	 * changes). */
	void (*seen)(struct attempt *at, struct span bytes);
	/* A small durable value per connection or target (links, last synchronised values); "" when
	 * absent. TTL 0: for ever. */
	bool (*kv_get)(struct attempt *at, const char *scope, const char *key, const char **ret,
		       struct err *err);
	bool (*kv_set)(struct attempt *at, const char *scope, const char *key, const char *value,
		       int64_t ttl_ms, struct err *err);
	/*
	 * Lease on a register record (target company, kind, code) for find-or-create: ERR_BUSY when
	 * another job holds it. Kept across attempts of the same transfer; lapses by itself after
	 * the quiet time.
	 */
	bool (*record_lease)(struct attempt *at, const char *record, struct err *err);
	void (*record_release)(struct attempt *at, const char *record);
	/* Per-process cache shared by workers (tokens, registers): get copies into the arena, NULL
	 * when absent or expired. */
	const char *(*cache_get)(struct attempt *at, const char *key);
	void (*cache_set)(struct attempt *at, const char *key, const char *value, int64_t ttl_ms);
	/*
	 * The shared value, in the arena. When fetching fails, all who wait for it get its err;
	 * ERR_BUSY (hand the job back) when somebody else is at it for too long. Keys are of the
	 * same space as the cache's.
	 */
	bool (*shared)(struct attempt *at, const struct shared_want *want, const char **ret,
		       struct err *err);
	/* A poll hands in what it found: see poll_item. Durable when true. Once per page. */
	bool (*found)(struct attempt *at, const struct poll_item *items, size_t n, struct err *err);
	/* The connection's reconciliation report (JSON object), stored at the end of a poll. */
	bool (*report)(struct attempt *at, const char *json, struct err *err);
	/* Facts about transfers by source id, for reports: state and changed-stamp; false only when
	 * Redis is away. */
	bool (*known)(struct attempt *at, const char *kind, const char *source_id,
		      struct known_transfer *ret, struct err *err);
	/*
	 * Where a system that signs nothing may send its webhooks for this connection, in the
	 * arena; it holds a secret. *ret NULL: nowhere, the configuration names no public address.
	 * No I/O.
	 */
	bool (*webhook_url)(struct attempt *at, const struct system *system, const char **ret,
			    struct err *err);
	/* Is this connection active? Of the local copy, no I/O. */
	bool (*is_active)(struct attempt *at, const char *connection);
	/*
	 * Links of register records by the ids of one side, at most LINK_BATCH_MAX, in one round
	 * trip: ret[i].id[] are NULL where there is none.
	 */
	bool (*links)(struct attempt *at, const struct link_table *table, enum link_side side,
		      const char *const *ids, size_t n, struct record_link *ret, struct err *err);
	/* Links that were made or found on the way of a document (NV-11), not by a register run. */
	bool (*link_put)(struct attempt *at, const struct link_table *table,
			 const struct record_link *links, size_t n, struct err *err);
	/* The source has deleted its record of the two: the other may be linked anew. */
	bool (*link_drop)(struct attempt *at, const struct link_table *table, const char *left,
			  const char *right, struct err *err);
	/*
	 * Asks for a run of these registers (names, separated by blanks): a document waits for a
	 * record that they will bring. One that is queued already takes them in.
	 */
	bool (*want_run)(struct attempt *at, const char *registers, struct err *err);

	/* --- of runs of a dialogue alone (flow.h) --- */
	/*
	 * Stores the record as it is now, durably: before a write that cannot be repeated, and with
	 * what came of it. ERR_CONFLICT: somebody else has changed it; nothing more may be done.
	 */
	bool (*record_put)(struct attempt *at, const char *dialogue, struct record *rec,
			   struct err *err);
	/* All records of a dialogue of this connection, oldest first, as they stand now. */
	bool (*records)(struct attempt *at, const char *dialogue, struct record **ret,
			size_t *ret_n, struct err *err);
	/*
	 * Merges {"settings":{...},"credentials":{...}} into the connection (RFC 7396), as if who
	 * began the record had sent it: one that was active pauses until it is activated anew,
	 * unless nothing changes. at->conn is the connection as it stands then.
	 */
	bool (*connection_patch)(struct attempt *at, const struct record *rec, const char *patch,
				 struct err *err);
	/* The other connections of this flow, as far as who asks may see them; rec NULL: who asked
	 * for candidates. */
	bool (*peers)(struct attempt *at, const struct record *rec, const struct peer **ret,
		      size_t *ret_n, struct err *err);
};

/* FOLLOWING: sent, the target's verdict is pending; the flow's follow (flow.h) asks for it. */
enum attempt_outcome { OUTCOME_DONE, OUTCOME_SKIPPED, OUTCOME_CANCELLED, OUTCOME_FOLLOWING };
/* How long after a verdict late failures are watched for (MV-14); see watch_ms. */
#define ATTEMPT_WATCH_MS (14LL * 24 * 60 * 60 * 1000)

#define ATTEMPT_NOTES_MAX 48

struct attempt {
	const struct attempt_ops *ops;
	const struct flow *flow; /* of the connection */
	struct arena *arena;
	const struct connection *conn;
	const char *kind; /* "invoice"; "poll", "check", "dry_run", "dialogue" for those that
			     are no transfer */
	const char *source_id;
	int64_t generation; /* 1.. */
	int64_t try_no; /* tries of this generation, this one included */
	/*
	 * DESIGN §4.7: the store's epoch began at epoch_ms; the target is asked before the first
	 * send of a document last changed before that, and absence counts only from
	 * absent_counts_ms on.
	 */
	int64_t epoch_ms, absent_counts_ms;
	int64_t quiet_ms; /* DESIGN §4.6 */
	int64_t deadline_ms; /* monotonic */
	bool preview; /* dry run: no write may be made; exchange refuses is_write with ERR_CONFLICT
		       */
	bool delivered; /* a send step of this generation has its outcome */
	const char *content_hash; /* set by the flow after a delivery: stored with the record */
	enum attempt_outcome outcome; /* set by the flow when run returns true; default done */
	/* Follow-up has seen news of this document at the target, or a person wants to know: the
	 * verdict is to be judged. It may be done already: then a late failure is ERR_DATA. */
	bool has_news;
	/*
	 * Set by the flow with OUTCOME_DONE: the document is watched for so long after it became
	 * done; 0: it is not. A watch that runs is neither ended nor made longer.
	 */
	int64_t watch_ms;
	/* Set by the flow with OUTCOME_DONE and OUTCOME_FOLLOWING: the target's own word for what
	 * it says of the document; NULL: as before. It is follow_item.word the next time. */
	const char *verdict;
	/* Set by the flow with an error of a document that was sent: its verdict is still to come,
	 * so it is asked for again while the connection is paused, too (MV-14). */
	bool awaits_verdict;
	bool keep_error; /* set by the flow with an error: nothing was tried; a transfer that needs
			    data keeps the error that it has */
	const char *result; /* check, dry_run, candidates: JSON answer for people, set by the flow
			     */
	const char *language; /* "en", "fi", "nb": of who asks for a check, a dry run or candidates;
			       "" nobody does */
	struct note notes[ATTEMPT_NOTES_MAX]; /* the first of this run */
	size_t n_notes;
	const struct system_values *systems; /* options of the outside systems */
	void *impl; /* the implementation's own */
};

#endif
