/*
 * sandbox.h: what the parts of viesti-sandbox share: the options, one call from a client, the table
 * of functions that each stand-in brings, and the world they live in.
 *
 * Thread rule: `struct call` belongs to one thread at a time (a server thread; nobody while it is
 * suspended). A stand-in's state is shared by all server threads and locks itself.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "codec/json.h"

#define SANDBOX_BODY_MAX (48u << 20)
#define SANDBOX_ARENA_MAX (192u << 20)
#define CALL_MAX_SEGMENTS 12
#define REPLY_MAX_HEADERS 6

struct sandbox;
struct standin;
struct MHD_Connection;

/* What the command line says. */
struct sandbox_options {
	const char *bind_address;
	uint16_t port; /* 0: any free one */
	const char *port_file; /* may be NULL */
	bool seed_demo;
	unsigned severa_rate; /* requests a second and client id; 0: no limit */
	bool netvisor_strict;
	unsigned tenants, invoices; /* generated tenants beside the seed */
	bool open_control; /* control API also for callers that are not on this machine */
	bool log_bodies; /* keep request bodies for GET /_sandbox/requests */
};

struct header {
	const char *name, *value;
};

struct reply {
	unsigned status; /* 0: not set yet */
	const char *content_type; /* NULL: none */
	struct span body; /* lives in the call's arena, or is constant */
	struct header headers[REPLY_MAX_HEADERS];
	unsigned n_headers;
};

struct param {
	const char *name, *value; /* decoded */
};

/* What a fault does to one call, decided at its arrival (faults.h). */
enum fault_kind {
	FAULT_NONE,
	FAULT_LATENCY,
	FAULT_STATUS,
	FAULT_429,
	FAULT_CUT_BEFORE,
	FAULT_CUT_AFTER_COMMIT,
	FAULT_CUT_IN_ANSWER,
	FAULT_GARBAGE,
	FAULT_SLOW_DRIP,
	FAULT_HUGE,
	FAULT_HANG,
};

struct fault_plan {
	enum fault_kind kind; /* never FAULT_LATENCY: that one only adds to latency_ms */
	int64_t latency_ms; /* before the call is served */
	int64_t answer_latency_ms; /* after it was served, before the answer */
	bool commit; /* the call takes effect */
	unsigned status;
	char code[48]; /* status: error code in the system's own words; may be empty */
	char retry_after[40]; /* header as it is sent; empty: none */
	size_t bytes; /* huge: size of the answer; slow_drip: bytes at a time */
	int64_t drip_ms;
};

enum call_stage {
	CALL_HEADERS,
	CALL_BODY,
	CALL_TO_SERVE,
	CALL_TO_ANSWER,
	CALL_TO_CUT,
	CALL_ANSWERED
};

/* One request on its way through the server. */
struct call {
	unsigned magic;
	enum call_stage stage;
	struct sandbox *sb;
	struct world *world; /* referenced until the call ends */
	struct MHD_Connection *conn;
	struct arena *arena;
	uint64_t seq;
	int64_t at_ms, mono_ms;

	const char *method; /* "GET" */
	const char *target; /* path and query exactly as on the request line */
	const char *path; /* target up to '?' , still percent-encoded */
	struct span query; /* after '?', still percent-encoded */
	const char *segments[CALL_MAX_SEGMENTS]; /* decoded, the stand-in's own prefix left out */
	size_t n_segments;
	struct param *params;
	size_t n_params;
	struct strbuf body_buf;
	bool body_too_large;
	struct span body;

	const struct standin *standin; /* NULL: control API or unknown */
	unsigned standin_index;
	bool begun; /* standin->begin was called and end not yet */
	void *ctx; /* the stand-in's own, in the arena */
	const char *tenant; /* who called, for the request list; may be NULL */
	const char *note; /* error code or the like, for the request list; may be NULL */

	struct fault_plan fault;
	size_t sent; /* slow_drip: bytes given to the server */
	bool drip_waits;
	struct reply reply;

	/* timers.c */
	int64_t due_mono_ms;
	size_t heap_index; /* 1-based; 0: not waiting */
	bool is_hung;
};

/* A tenant that the sandbox makes: one company with an account at every stand-in. */
struct tenant_spec {
	const char *key; /* lower-case ASCII, names the tenant in the control API */
	bool demo; /* the hand-made sample data; else generated */
	unsigned ordinal; /* of a generated tenant */
	unsigned invoices; /* generated: in the transfer status */
	unsigned customers; /* generated: number of customers the invoices go to */
	bool registered; /* generated: customers and products are known at the targets already */
};

/* What a stand-in's state begins with, where its table says is_locked_whole (standin.c). */
struct standin_state {
	pthread_mutex_t lock; /* guards the whole state */
	struct arena *arena; /* what lives as long as it */
};
/* Zeroed, with lock and arena; NULL when out of memory. */
void *standin_new(size_t size, struct err *err);
/* Accepts NULL. */
void standin_free(void *state);

/* One outside system. The first path segment names it. */
struct standin {
	const char *name;
	/* Main thread. *ret NULL on failure. */
	void *(*open)(struct sandbox *sb, struct err *err);
	void (*close)(void *state); /* accepts NULL */
	/* A server thread, on arrival: the client id, organisation or company that the call names,
	 * for faults meant for it; NULL: none. */
	const char *(*whose)(void *state, const struct call *c);
	/* A server thread, on arrival, must not block: who calls, pace, overlap. False: the reply
	 * is set and serve() is left out. end() follows in either case. */
	bool (*begin)(void *state, struct call *c);
	/* A server thread, after any latency: does the work and sets the reply. */
	void (*serve)(void *state, struct call *c);
	/* Right before the last byte of the answer is handed to the socket, or the line is cut. May
	 * be NULL. */
	void (*end)(void *state, struct call *c);
	/* Sets the reply to an HTTP error of this system's own form, for a fault. */
	void (*refuse)(struct call *c, unsigned status);
	/* POST|GET|DELETE /_sandbox/<name>/<segments...>, segments from `first` on. */
	void (*control)(void *state, struct call *c, size_t first);
	/* Writes the value of this system in the ledger. */
	void (*write_ledger)(void *state, bool with_documents, struct json_writer *w);
	/* Writes what a client needs to use this tenant; null when it has none. */
	void (*write_setup)(void *state, const char *key, const char *base_url,
			    struct json_writer *w);
	bool (*add_tenant)(void *state, const struct tenant_spec *spec, struct err *err);
	/* The state begins with a struct standin_state, and the last three are called with its lock
	 * held (standin_enter). */
	bool is_locked_whole;
};
/* Around a call of those three. */
void standin_enter(const struct standin *standin, void *state);
void standin_leave(const struct standin *standin, void *state);

extern const struct standin severa_standin;
extern const struct standin netvisor_standin;
extern const struct standin maventa_standin;
extern const struct standin maestro_standin;
extern const struct standin talenom_standin;
extern const struct standin spotilla_standin;
extern const struct standin procountor_standin;
extern const struct standin *const standins[];
extern const unsigned n_standins;

/* Everything that a reset throws away. Counted: a call in flight keeps its world. */
struct world {
	int refs;
	void **states; /* by stand-in */
	pthread_mutex_t lock; /* guards keys */
	char **keys; /* tenants, in the order made */
	size_t n_keys, cap_keys;
};

struct world *world_ref(struct sandbox *sb);
void world_unref(struct world *world);
/* A fresh world with the seed that the options ask for; the old one goes with its last call. */
bool world_reset(struct sandbox *sb, bool seed_demo, struct err *err) MUST_CHECK;
bool world_add_tenant(struct world *world, const struct tenant_spec *spec,
		      struct err *err) MUST_CHECK;

/* Owned by main. */
struct sandbox {
	struct sandbox_options options;
	uint16_t port; /* the one listened on */
	pthread_mutex_t world_lock;
	struct world *world;
	struct faults *faults;
	struct requests *requests;
	struct timers *timers;
	struct server *server;
};

/* control.c: /_sandbox/... */
void control_serve(struct call *c);

#endif
