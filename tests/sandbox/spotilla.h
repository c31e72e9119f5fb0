/*
 * spotilla.h: private to the Spotilla stand-in: tenants with registers of customers, products and
 * tasks, in the shape that facts/spotilla.md part B assumes.
 *
 * Everything lives in one arena until a reset, and one lock guards it; functions named _locked want
 * it held.
 */
#ifndef SANDBOX_SPOTILLA_H
#define SANDBOX_SPOTILLA_H

#include "base/clock.h"
#include "call.h"
#include "sandbox.h"
#include "seed.h"
#include "store.h"

#define SP_PER_PAGE_MAX 100

struct sp_record {
	char id[16];
	int64_t id_n;
	int64_t updated_s;
	const char *sample; /* name of a hand-made one; NULL */
	const char *json; /* as it is answered */
	/* Of its JSON, "" when absent: */
	const char *state, *business_id, *number, *external_ref; /* number: a product's code too */
	bool is_active;
	unsigned n_exports; /* a task's: how many invoices it was told to have become */
};

enum sp_kind { SP_CUSTOMERS, SP_PRODUCTS, SP_TASKS, SP_N_KINDS };

struct sp_register {
	enum sp_kind kind;
	struct sp_record **items; /* by change time, then id */
	size_t n, cap;
	struct table by_id;
	int64_t next_id;
	int64_t created, changed; /* by clients */
	int64_t restless; /* so many more lists are followed by a change of the oldest record */
};

struct sp_answer {
	const char *key;
	unsigned status;
	const char *body;
};

struct sp_tenant {
	struct sp_tenant *next;
	const char *key, *name, *token, *user_id, *webhook_secret;
	const char *webhook_url; /* "": none are sent */
	const char *done_state; /* the tenant's own word for "done" */
	const char *denied; /* registers that the key may not use, blank-separated */
	bool is_expired, takes_filters, is_sorted, has_meta;
	struct sp_register registers[SP_N_KINDS];
	struct table answers; /* of writes, by idempotency key */
	int64_t calls, unauthorized, refused, conflicts, repeats, events;
};

struct spotilla {
	struct standin_state base; /* its lock guards all below */
	struct sp_tenant *tenants;
};

/* One call in this system. */
struct sp_call {
	struct call *c;
	struct spotilla *m;
	struct sp_tenant *tenant;
	struct sp_register *reg;
	const char *id; /* in the path; NULL: the whole register */
};

/* ---- spotilla.c ---------------------------------------------------------------------------- */

/* {"error": {...}}; field may be NULL. */
void sp_fail(struct call *c, unsigned status, const char *code, const char *message,
	     const char *field);
struct sp_tenant *sp_find_locked(struct spotilla *m, const char *key);
/* "customers" */
const char *sp_register_name(enum sp_kind kind);
/* SP_N_KINDS when there is none. */
enum sp_kind sp_kind_of(const char *register_name);

/* ---- spotilla_register.c ------------------------------------------------------------------- */

/* A copy in the state's arena; "" for NULL and when it is full. */
const char *sp_keep(struct spotilla *m, const char *text);
/* A new record: what is missing in fields is null. id 0: the next one. NULL when out of memory. */
struct sp_record *sp_add_locked(struct spotilla *m, struct sp_tenant *t, enum sp_kind kind,
				int64_t id, const struct json *fields, int64_t updated_s);
/* Merges the patch; null is a value. False when out of memory. */
bool sp_change_locked(struct spotilla *m, struct sp_tenant *t, struct sp_register *r,
		      struct sp_record *rec, const struct json *patch, int64_t updated_s);
void sp_remove_locked(struct sp_register *r, struct sp_record *rec);
/* By id, number or sample name. */
struct sp_record *sp_record_locked(const struct sp_register *r, const char *which);
/* "2026-02-03T09:15:00Z" */
const char *sp_time(int64_t s, char buf[CLOCK_RFC3339_MAX]);
int64_t sp_now_s(void);

/* ---- spotilla_calls.c ---------------------------------------------------------------------- */

void sp_serve_locked(struct sp_call *sc);

/* ---- spotilla_hooks.c ---------------------------------------------------------------------- */

/* What is sent, and signed: all but url may be NULL for what Spotilla itself would send. */
struct sp_event {
	const char *url, *secret, *type, *id, *subdomain, *task_id;
	int64_t age_s; /* how long ago it says that it was signed */
};
/* Sends it without the lock; 0: no answer. */
unsigned sp_send(struct arena *arena, const struct sp_event *event);

/* ---- spotilla_control.c, spotilla_seed.c --------------------------------------------------- */

void sp_control(void *state, struct call *c, size_t first);
void sp_write_ledger(void *state, bool with_documents, struct json_writer *w);
void sp_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w);
/* n generated ones; spread_s: their change times lie over so many seconds before now. */
bool sp_generate_locked(struct spotilla *m, struct sp_tenant *t, enum sp_kind kind, int64_t n,
			int64_t spread_s, const struct json *fields) MUST_CHECK;
bool sp_seed_locked(struct spotilla *m, struct sp_tenant *t, bool is_rich,
		    struct err *err) MUST_CHECK;

#endif
