/* talk.h: runs of dialogues (flow.h): candidates, one record, or all that are due. */
#ifndef WORKER_TALK_H
#define WORKER_TALK_H

#include "base/base.h"
#include "run.h"

/* args: {"dialogue","id"}, {"dialogue","language","conns"} for candidates, NULL for all that are
 * due. */
bool talk_run(struct attempt *at, const struct flow *flow, const struct json *args,
	      struct err *err);

/* Members of the ops table (attempt.h). */
bool talk_record_put(struct attempt *at, const char *dialogue, struct record *rec, struct err *err);
bool talk_records(struct attempt *at, const char *dialogue, struct record **ret, size_t *ret_n,
		  struct err *err);
bool talk_connection_patch(struct attempt *at, const struct record *rec, const char *patch,
			   struct err *err);
bool talk_peers(struct attempt *at, const struct record *rec, const struct peer **ret,
		size_t *ret_n, struct err *err);

#endif
