/*
 * sync_world.h: two systems in shared memory, and a flow that keeps their registers alike, for the
 * tests of register runs. What stands in the systems outlives the process that relays, so that one
 * can be killed at any call.
 *
 * The registers: products and customers go from left to right, once; partners come back from the
 * customers at the right and update those at the left; cards go from left to right with updates;
 * items go from left to right, once, and their target cannot be listed.
 */
#ifndef TESTS_UNIT_SYNC_WORLD_H
#define TESTS_UNIT_SYNC_WORLD_H

#include "base/base.h"
#include "flow.h"

#include <stdatomic.h>

enum world_kind { KIND_PRODUCT, KIND_CUSTOMER, KIND_CARD, KIND_ITEM, N_WORLD_KINDS };
enum world_side { AT_LEFT, AT_RIGHT };
#define WORLD_RECORDS 64

/* The right side keeps a customer's name in a form of its own (see world_create). */
struct world_record {
	char id[16];
	char code[24]; /* its business key */
	char name[40], mail[40]; /* "" empty */
	int version;
	int64_t changed_ms; /* wall */
	bool is_late; /* at the target: there, and seen from the first attempt to create it on */
};

struct world_side_state {
	struct world_record records[WORLD_RECORDS];
	int n;
	int lists, finds, creates, updates; /* calls */
};

struct world {
	struct world_side_state sides[N_WORLD_KINDS][2];
	pthread_mutex_t lock; /* shared among processes */
	int version; /* the next record's; both systems count alike */
	/* What goes wrong. */
	int die_at; /* the process ends at this event; 0: never */
	int events; /* so far: before each call, and after what it did */
	bool refuses_twins; /* a creation of what is there: duplicate */
	int refuse_creates; /* so many answer bad data */
	int cut_creates; /* so many are done, and their answer is lost */
	int lose_creates; /* so many are lost, and nobody knows */
	bool tells_no_ids; /* cards: create does not say what it made */
	int finds_fail_at; /* cards: with this look-up the target is away; 0: never */
	bool is_away; /* every call: outage */
	int away_at, away_for; /* outage from this event on, of so many calls */
	bool refuses_to_create; /* each create: outage; the rest answers */
	int company; /* the company at the right: ids of records are its own */
	bool keeps_names; /* the right side has no form of its own for a customer's name */
	char suffix[16]; /* as a setting would, map puts it behind names */
	char order[8192]; /* names of calls, "products.list ..." */
	bool logs_order;
};

/* NULL without memory. */
struct world *world_new(void);
void world_free(struct world *w);
void world_clear(struct world *w);
/* Adds a record, or changes it when the code stands already. */
struct world_record *world_put(struct world *w, enum world_kind kind, enum world_side side,
			       const char *code, const char *name, const char *mail);
/* How many records with this code. */
int world_count(struct world *w, enum world_kind kind, enum world_side side, const char *code);
const struct world_record *world_get(struct world *w, enum world_kind kind, enum world_side side,
				     const char *code);
/* Of all kinds and both sides. */
int world_writes(struct world *w);

/* The world that the flow speaks to; without one it makes its own, with a few records (for the
 * system tests: tests/system/world.c). */
void world_use(struct world *w);
extern const struct flow world_flow;

#endif
