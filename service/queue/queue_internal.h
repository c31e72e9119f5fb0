/* queue_internal.h: what the files of queue/ share. */
#ifndef QUEUE_INTERNAL_H
#define QUEUE_INTERNAL_H

#include "queue/queue.h"

#define MEND_EVERY_MS 10000
#define MEND_CALLS_PER_TICK 2000
#define MEND_MS_PER_TICK 50
#define BORROW_WAIT_MS 2000

struct queue {
	struct redis_pool *pool;
	struct store *store;
	struct seal_key key;
	int64_t lease_ms, quiet_ms, retention_ms, record_ms, poll_interval_ms;
	char moves[2048]; /* ",from>to,from>to,": the table of model/state.c for the scripts */
	pthread_mutex_t lock; /* over what follows; a leaf */
	int64_t ticked_ms; /* monotonic, the last tick; 0: none */
	struct {
		int64_t next_ms; /* monotonic */
		char conn[33]; /* the one being looked at; "" between rounds */
		unsigned bucket;
		char cursor[24];
	} mend;
};

/* Number of an integer or digit-string reply, 0 for all else. */
int64_t queue_int(const struct redis_value *v);
/* Text of item i of an array; "" when absent. */
const char *queue_text(const struct redis_value *v, size_t i);
/* Borrows, runs the script, gives back. */
bool queue_call(struct queue *q, struct arena *arena, const char *script, const struct span *args,
		size_t n, const struct redis_value **ret, struct err *err) MUST_CHECK;
static inline bool queue_script_broken(const char *script, struct err *err)
{
	return err_set(err, ERR_SYSTEM, "script %s answered in an unknown form", script);
}

#endif
