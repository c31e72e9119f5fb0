/* queue_run.h: what the files of register runs share; private to queue/. */
#ifndef QUEUE_RUN_H
#define QUEUE_RUN_H

#include "queue_internal.h"

#include "queue/runs.h"

/* What is sealed of a record that stands still is bound to this. NULL past the arena's cap. */
const char *run_stand_place(struct arena *arena, const char *conn, const char *reg, const char *id);

/* Arguments of one script call, in its arena. What does not fit makes the call fail. */
struct run_args {
	struct arena *arena;
	struct span *items;
	size_t n, cap;
	bool failed;
};
void run_args_add(struct run_args *a, struct span s);
void run_args_text(struct run_args *a, const char *s); /* NULL: "" */
/* A text that was just made in the arena: NULL is one that did not fit. */
void run_args_made(struct run_args *a, const char *s);
void run_args_number(struct run_args *a, int64_t v);
/* What run_hold.lua takes. */
void run_args_hold(struct run_args *a, struct queue *q, const struct run_hold *h);
#define PLACE_ARGS 18
void run_args_place(struct run_args *a, const struct run_place *p);
/* Runs the script, which answers a text; "LOST" is ERR_LEASE. */
bool run_args_call(struct queue *q, struct run_args *a, const char *script,
		   const struct redis_value **ret, struct err *err) MUST_CHECK;

#endif
