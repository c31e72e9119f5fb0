/*
 * connection.h: one company's use of one integration: its credentials, settings, schedule, state.
 * Immutable snapshot, counted references: a change makes a new one. Settings and credentials are
 * JSON texts whose meaning is the flow's own table.
 */
#ifndef MODEL_CONNECTION_H
#define MODEL_CONNECTION_H

#include "base/base.h"
#include "base/err.h"
#include "base/secret.h"

/* DELETED: all that is left is who it was (store_connection_delete); nobody sees it. */
enum connection_state {
	CONNECTION_DRAFT,
	CONNECTION_ACTIVE,
	CONNECTION_PAUSED,
	CONNECTION_DELETED
};
const char *connection_state_name(enum connection_state s);

#define CONNECTION_MAX_SECRETS 8
#define CONNECTION_MAX_LIMITS 4

/* A vendor's own limit that this connection shares with all that use the same key. */
struct limit_key {
	char key[96]; /* "severa:<client id>", "netvisor:<organisation id>" */
	int max_running; /* jobs that may run at once on this key, all processes together */
	int rate_per_s, burst; /* calls; 0: not rate limited */
};

/* pause_reason of a connection whose credentials a vendor refused: nobody is called for it. */
#define PAUSED_CREDENTIALS "credentials"

/* How fast a vendor may be called, as the configuration says. */
struct pace {
	int rate, burst; /* calls: per second, and at once after a pause; 0: not limited */
	int concurrency; /* jobs at one time */
};
/*
 * The limit "<system>:<whose>" of that pace. ERR_INPUT with the pointer of the credential when
 * that is too long. Pure.
 */
bool limit_key_make(struct limit_key *ret, const char *system, const struct pace *pace,
		    const char *whose, const char *pointer, struct err *err) MUST_CHECK;

struct connection {
	int refs; /* atomic; connection_ref/unref */
	char id[33]; /* a-z 0-9 _ -, 1..32 */
	char flow[32];
	enum connection_state state;
	bool intake_open; /* accepts webhooks (active or paused) */
	int64_t rev; /* ETag */
	int64_t created_ms, activated_ms; /* first activation; 0: never */
	int64_t webhook_turn; /* counts the tokens of its webhooks' paths (model/hook.h) */
	const char *name;
	const char *settings; /* JSON object, UTF-8 */
	struct secret credentials; /* JSON object by system name, plain here, sealed at rest */
	/* Standard Webhooks secrets, live ones first: "whsec_..." or "whpk_..." */
	struct secret webhook_secrets[CONNECTION_MAX_SECRETS];
	size_t n_webhook_secrets;
	const char *schedule; /* JSON: {"interval_s":300} or
				 {"times":["02:00"],"time_zone":"Europe/Helsinki"}; "" default */
	struct limit_key limits[CONNECTION_MAX_LIMITS]; /* derived by the flow from settings and
							   credentials */
	size_t n_limits;
	const char *pause_reason; /* "" or why the product paused it: PAUSED_CREDENTIALS */
	/* "" or why what is stored of it cannot be read: it stands still until it is replaced. */
	const char *unreadable;
};

/* May what was sent be followed up? Also while it is paused (SV-07), unless its credentials were
 * refused or cannot be read. */
bool connection_may_follow(const struct connection *c);

void connection_ref(struct connection *c);
void connection_unref(struct connection *c);
CLEANUP_FUNC(struct connection, connection_unref)

/* What a caller gives to make one; texts are copied. */
struct connection_draft {
	const char *id, *flow, *name, *settings, *schedule, *pause_reason, *unreadable;
	enum connection_state state;
	int64_t rev, created_ms, activated_ms, webhook_turn;
	struct span credentials;
	struct span webhook_secrets[CONNECTION_MAX_SECRETS];
	size_t n_webhook_secrets;
	struct limit_key limits[CONNECTION_MAX_LIMITS];
	size_t n_limits;
};
/* As it stands, for a put that changes little. */
void connection_draft_of(const struct connection *c, struct connection_draft *ret);
/* pause_reason of a connection whose settings or credentials no check has seen. */
#define CONNECTION_PAUSED_CHANGED "changed"
/*
 * What relays is what was checked (SV-07): other settings or credentials stop a connection that was
 * activated until it is activated anew.
 */
void connection_draft_stop(const struct connection *old, struct connection_draft *draft);
bool connection_new(const struct connection_draft *d, struct connection **ret,
		    struct err *err) MUST_CHECK;

#endif
