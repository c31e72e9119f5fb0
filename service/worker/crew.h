/*
 * crew.h: parts of one job that are done side by side: by the worker that has the job, and by
 * others as long as they have none of their own. A job that comes in is never held up for longer
 * than one part, and a pool that is busy leaves the owner to work alone.
 */
#ifndef WORKER_CREW_H
#define WORKER_CREW_H

#include "base/base.h"
#include "run.h"

#include <stdatomic.h>

#define CREW_HANDS_MAX 16

struct crew {
	size_t n; /* parts, each done once, begun in order */
	size_t max_hands; /* at once, the owner among them; at most CREW_HANDS_MAX */
	/* hand: 0 the owner, else a helper; never two at once with the same. False: no further part
	 * is to be begun. */
	bool (*part)(void *arg, size_t i, size_t hand, const struct run_context *ctx);
	void *arg;
	/* The rest is crew.c's. */
	struct crew *next;
	_Atomic size_t n_begun;
	_Atomic bool is_stopped;
	bool has_hand[CREW_HANDS_MAX];
	size_t n_hands;
};

/* Returns when every part that was begun has ended. */
void crew_run(struct crew *c, const struct run_context *ctx);
/* Is the process stopping? Then a long job ends where it can. */
bool crew_is_stopping(const struct run_context *ctx);

#endif
