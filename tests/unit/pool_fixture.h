/*
 * pool_fixture.h: workers on a real Redis: a relay (relay_fixture.h) with a worker pool that runs
 * the flow of the test for the connection "c".
 *
 * Leases are of a few seconds here, since what died is to be taken over; workers retry after 100
 * ms. Whatever is waited for has WAIT_MS, and fails the test when it does not come.
 */
#ifndef TESTS_UNIT_POOL_FIXTURE_H
#define TESTS_UNIT_POOL_FIXTURE_H

#include "relay_fixture.h"

#include "base/clock.h"
#include "flow.h"
#include "worker/pool.h"

#define WORKERS 4
#define WAIT_MS 20000
#define POOL_LEASE_MS 3000

#define AWAIT(condition)                                                             \
	do {                                                                         \
		int64_t until = clock_mono_ms() + WAIT_MS;                           \
		while (!(condition) && clock_mono_ms() < until)                      \
			clock_sleep_ms(5);                                           \
		if (!(condition))                                                    \
			fail_msg("not within %d s: %s", WAIT_MS / 1000, #condition); \
	} while (0)

/* The one of fx. */
extern struct pool *pool;

/* Relay and workers, without a connection. retest_ms: what needs data is tried again after it. */
void workers_begin(const struct flow *flow, int64_t retest_ms);
/* The same with "c", an active connection of the flow. */
void pool_begin(const struct flow *flow, int64_t retest_ms);
/* Teardown of a test or a group. */
int pool_end(void **state);
/* The workers of another process: what runs has so long to end. */
void pool_end_workers(int64_t ms);
void pool_begin_workers(void);

/* settle of a flow without limits. */
bool settle_nothing(struct arena *arena, const struct system_values *systems,
		    const struct json *settings, const struct json *credentials,
		    struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
		    struct err *err);

/* What is stored, now and once it stands so. */
struct transfer transfer_now(const char *id);
struct transfer await(const char *id, enum transfer_state want);
/* A task that is run at once; when it has ended. args may be NULL. */
struct queue_task await_task(const char *type, const char *conn, const char *args);

#endif
