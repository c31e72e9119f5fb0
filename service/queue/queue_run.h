/* queue_run.h: what the files of register runs share; private to queue/. */
#ifndef QUEUE_RUN_H
#define QUEUE_RUN_H

#include "queue_internal.h"

#include "queue/runs.h"

/* From HGETALL of its record; ERR_NOT_FOUND when that is empty. */
bool queue_run_read(struct arena *arena, const char *id, const struct redis_value *v,
		    struct register_run *ret, struct err *err) MUST_CHECK;
/* What is sealed of a record that stands still is bound to this. NULL past the arena's cap. */
const char *run_stand_place(struct arena *arena, const char *conn, const char *reg, const char *id);

#endif
