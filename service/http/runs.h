/* runs.h: what registers.c and runs.c share. */
#ifndef SERVICE_HTTP_RUNS_H
#define SERVICE_HTTP_RUNS_H

#include "flow.h"
#include "model/reason.h"
#include "request.h"

/* NULL: the flow has none of that name. */
const struct register_sync *register_find(const struct flow *flow, const char *name);
/* Do the connection's settings want it, and when is it due? */
bool register_is_wanted(struct arena *arena, const struct connection *c,
			const struct register_sync *reg, const char **ret_schedule);
/* Members label, text (in the reader's language), detail, target_text of a record that is not at
 * the target; json as queue/runs.h gives it. */
void run_example_write(struct json_writer *w, struct request *rq, const struct reason *reason,
		       const char *json);

#endif
