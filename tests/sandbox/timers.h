/*
 * timers.h: wakes suspended calls. Latency must not hold a server thread (a sleeping thread would
 * make every other client wait too), so a call that waits is suspended and one thread resumes it.
 */
#ifndef SANDBOX_TIMERS_H
#define SANDBOX_TIMERS_H

#include "sandbox.h"

struct timers;

/* Starts the thread; NULL when it cannot. */
struct timers *timers_new(void);
/* Wakes everything that waits; then the thread ends. Before the server stops. */
void timers_stop(struct timers *t);
void timers_free(struct timers *t);

/* Suspends the call's connection and resumes it after wait_ms. Called by the server thread that
 * has the call. False when out of memory: the connection is not suspended. */
bool timers_suspend(struct timers *t, struct call *c, int64_t wait_ms) MUST_CHECK;
/* Wakes the calls that hang by a fault. */
void timers_wake_hung(struct timers *t);

#endif
