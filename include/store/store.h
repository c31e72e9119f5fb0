/*
 * store.h: what people see and edit: connections, transfers with their timelines, API tokens,
 * audit, idempotency keys, the store's epoch. Jobs and leases are queue/'s.
 *
 * Connections, their facts and tokens also stand in the vault: a sealed, fsynced file in the data
 * folder, written after each change and put back into a Redis that lost them. Thread-safe: each
 * call borrows a connection of the pool. Results live in the arena of the call unless said
 * otherwise.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "codec/sign.h"
#include "model/connection.h"
#include "model/dialogue.h"
#include "model/state.h"
#include "net/redis.h"

struct store_options {
	struct redis_pool *pool;
	const struct seal_key *key; /* copied */
	const char *data_dir; /* of the vault and the mark; NULL: none (tests) */
	bool is_private; /* Redis is our own child, its file in the same folder */
};
struct store;
bool store_new(const struct store_options *opt, struct store **ret, struct err *err) MUST_CHECK;
void store_free(struct store *s); /* accepts NULL */
CLEANUP_FUNC(struct store, store_free)

/* --- epoch (DESIGN §3, §4.7) --- */
struct store_epoch {
	char id[UUID_TEXT];
	int64_t born_ms; /* when this Redis's memory begins */
	bool restored; /* it followed a loss: targets are asked before first sends */
};
/*
 * At start and each second: makes an epoch in a new Redis. Where Redis lost data, or may have (it
 * was emptied, went back in time, was started again or replaced by another), a new epoch begins,
 * restored, and what the vault knows better is put back. False: Redis is away, or its loss could
 * not be mended.
 */
bool store_sync(struct store *s, struct err *err) MUST_CHECK;
/* Why Redis lost data since this was last asked; NULL: nothing. For the one who tells. */
const char *store_lost(struct store *s);
/* The epoch as last seen; no I/O. */
void store_epoch_get(struct store *s, struct store_epoch *ret);
/*
 * Runs a script of those that act only where Redis remembers all that we know of: its first
 * argument, args[0], is the epoch and filled in here; it answers the status EPOCH elsewhere. Then
 * the store is synced, and the script runs again.
 */
bool store_script(struct store *s, struct arena *arena, const char *script, struct span *args,
		  size_t n, const struct redis_value **ret, struct err *err) MUST_CHECK;
/* How durable a write that Redis just acknowledged is, as last asked, at most some seconds ago; in
 * memory until it has been asked again after a connection was lost. No I/O. */
enum redis_durability store_durability(struct store *s);
/* How Redis was when last asked, at most some seconds ago; no I/O. */
void store_health_get(struct store *s, struct redis_health *ret);

/* What was met that stops nothing; each "" when there is none. No I/O. */
#define STORE_TROUBLE_MAX 512
struct store_trouble {
	char vault[STORE_TROUBLE_MAX]; /* it cannot be written */
	char mark[STORE_TROUBLE_MAX]; /* nor can the mark beside it, that tells a loss */
	size_t n_unopened; /* connections that stand still, since their record cannot be opened */
	char unopened[STORE_TROUBLE_MAX]; /* one of them, and why */
};
void store_trouble_get(struct store *s, struct store_trouble *ret);

/* --- connections --- */
/*
 * Creates (rev of the draft 0) or replaces (rev = the one it was read with). ERR_CONFLICT when the
 * stored rev differs or the id is taken. *ret may be NULL; else the stored one, to be unreferenced.
 * The vault is written before it returns; where that fails it stands in Redis, and in the trouble.
 */
bool store_connection_put(struct store *s, const struct connection_draft *draft,
			  struct connection **ret, struct err *err) MUST_CHECK;
/*
 * Deletes one that is not active, of revision rev, or of any (-1). ERR_CONFLICT: "stale",
 * "connection_active", or "connection_in_use" while something of it runs, is in doubt, or was sent
 * and is followed (SV-07). Its transfers stay for their time; those that were never sent are
 * cancelled. A put of the same name and flow, of revision 0, makes it anew and goes on under their
 * business keys: what was sent is known, what was cancelled by this is found by its poll.
 */
bool store_connection_delete(struct store *s, const char *id, int64_t rev,
			     struct err *err) MUST_CHECK;
/* From Redis, at this moment. ERR_NOT_FOUND. */
bool store_connection_get(struct store *s, const char *id, struct connection **ret,
			  struct err *err) MUST_CHECK;
/* Changes state and pause_reason alone, of revision rev, or of any (-1). ERR_CONFLICT when another
 * stands. One that is in that state already stays as it is. */
bool store_connection_set_state(struct store *s, const char *id, int64_t rev,
				enum connection_state state, const char *pause_reason,
				struct err *err) MUST_CHECK;
/*
 * What a connection has learned of its company at the vendors, and how far a dialogue with them has
 * come (registration): one small JSON object, sealed, and in the vault like the connection itself.
 * Its revision is its own: to change it leaves the connection's ETag as it is. From Redis, at this
 * moment; "{}" and 0 before the first. ERR_NOT_FOUND: no such connection.
 */
#define STORE_FACTS_MAX ((size_t)64 * 1024)
bool store_facts_get(struct store *s, struct arena *arena, const char *conn, const char **ret,
		     int64_t *ret_rev, struct err *err) MUST_CHECK;
/* ERR_CONFLICT, reason "stale", when rev is not the one that stands. ERR_INPUT: no JSON object, or
 * too large. Its member due_ms, where it has one, says when a worker goes on with the dialogues. */
bool store_facts_set(struct store *s, const char *conn, int64_t rev, const char *json,
		     int64_t *ret_rev, struct err *err) MUST_CHECK;
/*
 * Stores one record of a dialogue (model/dialogue.h) in the facts: a new one (rev 0), or as the
 * next revision of the one it was read as. ERR_CONFLICT, reason "stale": that has changed, or the
 * facts are not of facts_rev any more.
 */
struct record_put {
	const char *conn, *dialogue;
	struct record *record; /* with its new revision, when it was stored */
	int64_t facts_rev; /* -1: whatever it is */
};
bool store_record_put(struct store *s, struct arena *arena, const struct record_put *put,
		      struct err *err) MUST_CHECK;
/* The local snapshot. Refresh: each second by one thread, and after an own change; cheap when
 * nothing moved. Notices a Redis that was emptied, and syncs first. */
bool store_refresh(struct store *s, struct err *err) MUST_CHECK;
/* NULL when unknown; else to be unreferenced. No I/O. */
struct connection *store_find(struct store *s, const char *id) MUST_CHECK;
/* All, by id, on the heap until store_list_release. No I/O. */
struct store_list {
	struct connection **items;
	size_t n;
};
bool store_list(struct store *s, struct store_list *ret, struct err *err) MUST_CHECK;
void store_list_release(struct store_list *list);
/* JSON object of the last poll; "" when none. */
bool store_report_get(struct store *s, struct arena *arena, const char *conn, const char **ret,
		      struct err *err) MUST_CHECK;
bool store_report_put(struct store *s, const char *conn, const char *json,
		      struct err *err) MUST_CHECK;

/* --- transfers --- */
struct transfer_step {
	const char *name;
	int64_t generation, intent_ms;
	const char *outcome; /* NULL: open */
	int64_t lookups;
};
/* Follow-up of what was sent (MV-14). */
struct transfer_follow {
	int64_t since_ms; /* 0: it never was; the rest is empty then */
	int64_t asked_ms; /* the target was asked last; 0: not since it was sent */
	int64_t next_ms; /* it is asked again then; 0: not by itself */
	int64_t until_ms; /* done, and watched until then; 0: it is not */
	const char *word; /* what the target said last; "" nothing */
	bool has_news; /* that wait to be judged */
};
struct transfer {
	const char *id, *conn, *kind, *source_id;
	const char *number, *origin, *changed, *content_hash, *error_code; /* "" when none */
	const char *error_json; /* "" when none */
	enum transfer_state state;
	int64_t generation, try_no, rev; /* rev: ETag */
	int64_t created_ms, updated_ms, due_ms; /* due 0: none */
	bool delivered, rechecking; /* rechecking: queued or leased while its state stands */
	const struct transfer_step *steps;
	size_t n_steps;
	struct transfer_follow follow; /* not in a list */
};
/* ERR_NOT_FOUND. */
bool store_transfer_get(struct store *s, struct arena *arena, const char *id, struct transfer *ret,
			struct err *err) MUST_CHECK;

#define STORE_ALL_STATES ((1u << N_TRANSFER_STATES) - 1)
struct transfer_filter {
	const char *const *conns; /* only of these; n_conns 0: all */
	size_t n_conns;
	unsigned states; /* bits 1u << enum transfer_state; 0: all */
	const char *error_code; /* NULL: any */
	const char *number; /* the customer's invoice number; NULL: any */
	const char *kind; /* NULL: any */
	int64_t since_ms, until_ms; /* last update; 0: open */
	const char *cursor; /* NULL: from the newest */
	size_t limit; /* 1..200 */
};
struct transfer_page {
	struct transfer *items; /* newest update first; without steps */
	size_t n;
	const char *next; /* cursor; NULL at the end. A page may be short, or empty, and have one */
};
/* ERR_INPUT for a malformed cursor. */
bool store_transfer_list(struct store *s, struct arena *arena, const struct transfer_filter *f,
			 struct transfer_page *ret, struct err *err) MUST_CHECK;
/* JSON objects, oldest first; entries that cannot be opened are left out. */
bool store_timeline(struct store *s, struct arena *arena, const char *id, const char ***ret,
		    size_t *ret_n, struct err *err) MUST_CHECK;

enum transfer_action { TRANSFER_RETRY, TRANSFER_RESEND, TRANSFER_CANCEL, TRANSFER_ARRIVED };
struct transfer_order {
	const char *id;
	enum transfer_action action;
	int64_t rev; /* If-Match; -1: whatever it is */
	const char *who; /* token's name, for the timeline */
	const char *reason; /* required for a resend, and of what has arrived */
	bool despite_doubt; /* who orders it has looked at the target */
	const char *step, *key; /* of what has arrived: the flow's delivery step, and its outcome */
};
/*
 * Retry: runs it now. Resend: a new generation, from a state at rest (DESIGN §4.8). Cancel: nothing
 * more is done for it; refused while it runs, once delivered, and with an open intent. Arrived: a
 * person has seen at the target what could not be found out; the step has its outcome from then on,
 * and the rest is done. Refused while it runs, and once delivered.
 * ERR_NOT_FOUND; ERR_CONFLICT with reason "stale" (rev) or "state" (not possible in its state).
 * *ret_rev is the new ETag.
 */
bool store_transfer_order(struct store *s, const struct transfer_order *order, int64_t *ret_rev,
			  struct err *err) MUST_CHECK;

/* Retries many, whatever their revision: those whose state does not allow it are refused. False:
 * some may have been done. */
struct transfer_tally {
	size_t done, refused;
};
bool store_transfer_retry_many(struct store *s, const char *const *ids, size_t n, const char *who,
			       struct transfer_tally *ret, struct err *err) MUST_CHECK;

struct store_counts {
	const char *conn;
	int64_t n[N_TRANSFER_STATES]; /* queued holds queued and running together, running 0 */
};
/* Per connection of the local snapshot. */
bool store_counts(struct store *s, struct arena *arena, struct store_counts **ret, size_t *ret_n,
		  struct err *err) MUST_CHECK;

/* --- mail about failures --- */
#define STORE_ALERT_MAX 1000 /* ids that one mail settles */
enum alert_kind { ALERT_NONE, ALERT_FAILURES, ALERT_RESOLVED };
/* What runs of registers left: of one register, for one reason. */
struct store_alarm {
	const char *name; /* of the alarm, as it is told */
	bool is_run; /* the register was given up; else records of it stand still */
	const char *reg, *code; /* reg "*": the run, whichever register it was at */
	int64_t n; /* records */
	const char *json; /* of one of them (queue/runs.h, standing_record), or the error; "" */
};
struct store_alert {
	enum alert_kind kind;
	int64_t standing; /* transfers of the connection in needs_data or system_fault */
	const char *const *ids; /* those that no mail has told of yet; newest first */
	size_t n;
	const struct store_alarm *alarms; /* nor of these */
	size_t n_alarms;
};
/*
 * Is there something to mail? FAILURES: wait_ms after the first was seen and gap_ms after the last
 * mail; RESOLVED: wait_ms after the last told one was mended. The answer is this process's for two
 * minutes; store_alert_done ends that, and without it the same comes again.
 */
bool store_alert_scan(struct store *s, struct arena *arena, const char *conn, int64_t wait_ms,
		      int64_t gap_ms, struct store_alert *ret, struct err *err) MUST_CHECK;
bool store_alert_done(struct store *s, struct arena *arena, const char *conn,
		      const struct store_alert *alert, struct err *err) MUST_CHECK;

/* --- API tokens --- */
enum token_role { ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN };
const char *token_role_name(enum token_role r);
bool token_role_parse(struct span name, enum token_role *ret) MUST_CHECK;
#define TOKEN_TEXT_MAX 64
struct token {
	char id[17]; /* start of the hash, for people */
	char name[65];
	enum token_role role;
	const char *const *conns; /* only these; n_conns 0: all */
	size_t n_conns;
	int64_t created_ms, expires_ms; /* expires 0: never */
};
/* Makes "viesti_" and 43 random characters, seen here and never again. plain NULL: made; else this
 * one is stored (VIESTI_ADMIN_TOKEN), and standing already is no error. */
bool store_token_create(struct store *s, const struct token *t, const char *plain,
			char ret_plain[TOKEN_TEXT_MAX], char ret_id[17],
			struct err *err) MUST_CHECK;
bool store_token_list(struct store *s, struct arena *arena, struct token **ret, size_t *ret_n,
		      struct err *err) MUST_CHECK;
bool store_token_revoke(struct store *s, const char *id, struct err *err) MUST_CHECK;
/* From the local snapshot, no I/O; false when unknown or expired. Copies into the arena. */
bool store_token_find(struct store *s, struct arena *arena, struct span plain,
		      struct token *ret) MUST_CHECK;

/* --- values that relay processes share for a while, sealed (vendors' tokens) --- */
/* *ret NULL when there is none; else how long it is still good. */
bool store_shared_get(struct store *s, struct arena *arena, const char *key, const char **ret,
		      int64_t *ret_ttl_ms, struct err *err) MUST_CHECK;
bool store_shared_put(struct store *s, const char *key, const char *value, int64_t ttl_ms,
		      struct err *err) MUST_CHECK;

/* --- audit --- */
/* JSON object; the newest 10,000 are kept. */
bool store_audit_add(struct store *s, const char *json, struct err *err) MUST_CHECK;
/* Newest first, from position `from`. */
bool store_audit_list(struct store *s, struct arena *arena, size_t from, size_t limit,
		      const char ***ret, size_t *ret_n, struct err *err) MUST_CHECK;

/* --- Idempotency-Key --- */
enum idempotency { IDEMPOTENCY_FIRST, IDEMPOTENCY_RUNNING, IDEMPOTENCY_DONE, IDEMPOTENCY_OTHER };
struct idempotent_answer {
	enum idempotency what; /* OTHER: the key was used with another body */
	int status; /* DONE: the answer of then */
	struct span body;
};
/* FIRST: the caller works and then calls _end (or _drop, when nothing was done). Kept 24 h;
 * RUNNING lapses after 2 min. */
bool store_idempotency_begin(struct store *s, struct arena *arena, const char *token_id,
			     const char *key, const char *body_hash, struct idempotent_answer *ret,
			     struct err *err) MUST_CHECK;
bool store_idempotency_end(struct store *s, const char *token_id, const char *key,
			   const char *body_hash, int status, struct span body,
			   struct err *err) MUST_CHECK;
bool store_idempotency_drop(struct store *s, const char *token_id, const char *key,
			    struct err *err) MUST_CHECK;

#endif
