/*
 * flow.h: one integration as a constant table of functions (STYLE §7). A flow knows rules and
 * order, and no wire format. Worker threads only, unless a member says otherwise; http/ knows no
 * vendor and reaches flows by this table alone.
 */
#ifndef FLOW_H
#define FLOW_H

#include "base/base.h"
#include "attempt.h"
#include "base/strbuf.h"
#include "codec/json.h"
#include "model/dialogue.h"
#include "register.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_BOOL,
	SETTING_ENUM,
	SETTING_DECIMAL,
	SETTING_OBJECT,
	SETTING_EMAIL
};
/* One setting of a connection of this flow; the table validates what REST hands in and documents
 * it. */
struct setting {
	const char *name; /* "transfer_status"; dotted names nest: "statuses.transfer" */
	enum setting_type type;
	const char *values; /* SETTING_ENUM: "unsent|open" */
	const char *preset; /* default as text; NULL: none */
	bool needed; /* required for activation */
	const char *doc; /* one sentence for people */
};
/* Rows that every flow has: who is mailed about what stands still (worker/alerts.h). */
#define FLOW_MAIL_SETTINGS                                                                    \
	{ "error_email",                                                                      \
	  SETTING_EMAIL,                                                                      \
	  NULL,                                                                               \
	  NULL,                                                                               \
	  false,                                                                              \
	  "Address that is mailed when documents stand still, and when all have moved on." }, \
	{                                                                                     \
		"error_email_language", SETTING_ENUM, "en|fi|nb", "en", false,                \
			"Language of those mails."                                            \
	}

/*
 * A system that tells connections of this flow by webhooks of its own kind that something happened
 * (system.h, sender). kind: the event names a document of this kind at the source, as that of
 * `accept` does. NULL: it names what was sent, by the outcome of the delivery step: follow-up asks
 * for it soon, also while the connection is paused.
 */
struct flow_sender {
	const struct system *system;
	const char *kind;
};

/* One credential: member of credentials.<system>. Write-only. */
struct credential {
	const char *system, *name, *doc;
	bool needed;
};

/*
 * One sent document that follow-up asks for (struct flow, follow). Texts live in the attempt's
 * arena.
 */
#define FOLLOW_MAX 100 /* documents per call of follow */
struct follow_item {
	const char *kind, *source_id, *number; /* number "" when unknown */
	const char *target_key; /* outcome of the delivery step: what the target is asked by */
	const char *word; /* verdict as last seen, in the target's own word; "" before the first */
	int64_t generation;
	int64_t sent_ms; /* the delivery step's intent, by Redis's clock */
	int64_t now_ms; /* of this round, by the same clock: how long it is pending */
	int64_t watch_until_ms; /* 0: the verdict is pending; else it came, and late failures are
				   watched for until then */
	/* Set by the flow: */
	bool has_news; /* run() is to judge it */
	const char *seen; /* the verdict's word now; NULL: the target said nothing of it */
};

/* --- dialogues --- */
/*
 * What an administrator settles with a vendor through the product before anything is relayed:
 * registering a company, having it authenticated. http/ serves it as a resource below the
 * connection, workers go on with it, also by themselves and while the connection is not active. All
 * of it stands in records (model/dialogue.h), stored before each step, so that it survives a
 * restart and can be left and taken up again.
 */
enum dialogue_stage {
	DIALOGUE_WORKS, /* a worker has something to do now */
	DIALOGUE_RESTS, /* somebody has to do something, or time has to pass (due_ms) */
	DIALOGUE_ENDED,
};
struct dialogue_state {
	const char *name; /* member "state" of the record */
	enum dialogue_stage stage;
	/* What can be done next: method and path below the connection, {} being the record's id:
	 * "PUT registrations/{}/keys". NULL: nothing. */
	const char *next;
#define DIALOGUE_ACTIVATE "POST activate" /* nothing, once the connection is active */
	const char *en, *fi, *nb; /* what that is, and who does it */
};

/* What comes from people: the table of a body. */
struct talk {
	struct arena *arena;
	const struct connection *conn;
	const struct facts *facts; /* of the connection: its other records */
	const struct system_values *systems;
};
struct dialogue_act {
	const char *name; /* segment behind the record's id: "keys"; "": begins a record */
	const struct setting *takes; /* members of the body */
	size_t n_takes;
	/*
	 * Any thread, no I/O: takes the body (checked by the table) into the record, which is
	 * stored then. A record that works after it is run at once. ERR_INPUT with pointer;
	 * ERR_CONFLICT where things are not so that it can be done, with the reason.
	 */
	bool (*take)(const struct talk *talk, const struct json *body, struct record *rec,
		     struct err *err);
};

struct dialogue {
	const char *name; /* "registrations": route segment, key of the records */
	const struct dialogue_state *states; /* the first is where a record begins */
	size_t n_states;
	const struct dialogue_act *acts;
	size_t n_acts;
	const char *const *shown; /* members that people see; ends with NULL. No secrets */
	/* What there is to choose from: at->result. May block. NULL: nothing. */
	bool (*candidates)(struct attempt *at, struct err *err);
	/*
	 * Goes on from the state that the record is in, as far as it gets; what it leaves in it is
	 * stored, with its failure. Sets due_ms where it has to be called again later; a record
	 * that still works after a failure is called again anyway. May block. Required.
	 */
	bool (*proceed)(struct attempt *at, struct record *rec, struct err *err);
};

struct flow {
	const char *name; /* "severa-netvisor": route segment, log field, metric label */
	/* What a shared part that does the flow's work wants of it: const struct road_ops of a
	 * Severa flow (flows/severa_road.h). NULL: none. */
	const void *part;
	/* The step whose outcome means that the document is at the target (DESIGN §4.5). */
	const char *delivery_step;
	const char *title; /* "Severa → Netvisor sales invoices" */
	/* Kinds of its documents, the first of which is meant where none is named; ends with NULL.
	 * NULL: "invoice" alone. */
	const char *const *kinds;
	const struct setting *settings;
	size_t n_settings;
	const struct credential *credentials;
	size_t n_credentials;
	/* Of the polls of a connection that is given none, as REST takes it; NULL: the
	 * configuration's interval. */
	const char *schedule;
	/*
	 * Any thread, no I/O: checks a connection's settings beyond the table (combinations that
	 * are refused), and derives its limit keys. ERR_INPUT with pointer. Required.
	 */
	bool (*settle)(struct arena *arena, const struct system_values *systems,
		       const struct json *settings, const struct json *credentials,
		       struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
		       struct err *err);
	/*
	 * Server thread, no I/O: reads a webhook's body ({"type","timestamp","data":{"id"}}).
	 * *ret_kind NULL: unknown type (202, counted). NULL member: the flow takes no webhooks.
	 */
	bool (*accept)(struct arena *arena, struct span body, const char **ret_kind,
		       const char **ret_source_id, struct err *err);
	const struct flow_sender *senders; /* NULL: none */
	size_t n_senders;
	/* Lists what waits at the source (at->ops->found), writes the reconciliation report. May
	 * block. Required. */
	bool (*poll)(struct attempt *at, struct err *err);
	/* Reads, maps, delivers one document; idempotent: starts at the first open step. May block.
	 * Required. */
	bool (*run)(struct attempt *at, struct err *err);
	/* Connection check (SV-06..SV-08): at->result =
	 * {"ok":bool,"problems":[{code,text,pointer}],"waiting":n}. Required. */
	bool (*check)(struct attempt *at, struct err *err);
	/*
	 * Sets the failed status at the source, where the flow has one (SV-03), as STEP_FAILED, and
	 * only over a status of ours. Called when a transfer needs data, until the step has its
	 * outcome; never while the delivery is in doubt. May be NULL.
	 */
	bool (*on_failed)(struct attempt *at, const struct err *why, struct err *err);
	/*
	 * Follow-up of what was sent (MV-14): asks the target once for all n documents (1 to
	 * FOLLOW_MAX, of one connection) and says of each whether there is news. It decides and
	 * acts nothing: at->preview is set, so a write is refused and kv_set does nothing.
	 *
	 * has_news when run() would come to another end than last time: the word is another than
	 * item->word, or it has been pending for too long. run() of such a document follows, under
	 * its own fence and with at->has_news set; it asks the target itself, and alone acts:
	 * pending → OUTCOME_FOLLOWING, delivered → OUTCOME_DONE with at->watch_ms, failed →
	 * ERR_DATA. The worker asks again after an interval that widens with the document's age
	 * (plan_follow_ms); news that came to nothing (an outage in run) is found anew.
	 *
	 * Both go on while the connection is paused or deactivated (SV-07), but not while its
	 * credentials are refused. run() of a document whose delivery step has its outcome must not
	 * send, then: the intent of that step, and came_back of a document that did, hand the job
	 * back until the connection is active again.
	 *
	 * False: asked again in some minutes, credentials pause the connection as ever. NULL: each
	 * document in OUTCOME_FOLLOWING is run again, one by one, by the same intervals.
	 */
	bool (*follow)(struct attempt *at, struct follow_item *items, size_t n, struct err *err);
	/* Register syncs, in the order of the report; at most REGISTERS_MAX. May be NULL. */
	const struct register_sync *const *registers;
	size_t n_registers;
	const struct dialogue *dialogues; /* NULL: none */
	size_t n_dialogues;
};

/* A kind of the flow's documents by its name, NULL: the first; NULL when there is none. */
static inline const char *flow_kind(const struct flow *flow, const char *name)
{
	static const char *const preset[] = { "invoice", NULL };
	const char *const *kind = flow->kinds ? flow->kinds : preset;
	while (name && *kind && !str_eq(*kind, name))
		kind++;
	return *kind;
}

#endif
