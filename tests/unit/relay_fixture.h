/*
 * relay_fixture.h: what the tests of queue and store stand on: a redis-server of their own, a store
 * and a queue on it, and what they do with them again and again.
 *
 * A test program has one such relay, `fx`. A group begins with relay_start or redis_start (a test
 * then makes its store and queue itself: fixture_use_store), a test with relay_empty. Whatever is
 * named here fails the running test when it cannot be done. Leases and quiet times are long: no
 * test waits for them, elapse() makes what Redis has older instead.
 */
#ifndef TESTS_UNIT_RELAY_FIXTURE_H
#define TESTS_UNIT_RELAY_FIXTURE_H

#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "queue/queue.h"
#include "redis_fixture.h"
#include "store/store.h"

#define LEASE_MS 60000
#define QUIET_MS 30000

#define OK(call)                                                \
	do {                                                    \
		struct err err = ERR_INIT;                      \
		if (!(call))                                    \
			fail_msg("%s: %s", #call, err.message); \
	} while (0)
#define REFUSED(call, wanted)                         \
	do {                                          \
		struct err err = ERR_INIT;            \
		assert_false(call);                   \
		assert_int_equal(err.code, (wanted)); \
	} while (0)

struct relay_fixture {
	struct redis_fixture server;
	struct redis_pool *redis; /* keys begin with "v:" */
	struct store *store;
	struct queue *queue;
	struct arena *arena; /* of the running test */
	struct seal_key key;
	int64_t lease_ms, quiet_ms; /* set before the start; 0: LEASE_MS, QUIET_MS */
};
extern struct relay_fixture fx;

/* Of a group: Redis alone, or store and queue as well. */
int redis_start(void **state);
int redis_stop(void **state);
int relay_start(void **state);
int relay_stop(void **state);
/* Of a test: an empty Redis and an arena. */
int relay_empty(void **state);
int relay_tidy(void **state);

/* The store that tests speak to from now on, and a queue on it. NULL: the last one is freed. */
void fixture_use_store(struct store *store);
/* An active connection that is polled once a day. */
void put_idle_connection(const char *id, const char *flow);

/* One command, by the words of redis_commandf; its answer lives in the test's arena. */
const struct redis_value *redis_do(const char *fmt, const char *a, const char *b);

/* A webhook's hint about an invoice; webhook_id may be NULL. */
enum queue_intake hint(const char *conn, const char *source_id, const char *webhook_id);
/* The same, where only the transfer matters. */
void hint_id(const char *conn, const char *source_id, char ret[TRANSFER_ID_MAX]);
/* source_id "0" to n - 1. */
void hint_many(const char *conn, int n);
/* A poll's find. */
enum queue_intake found(const char *conn, const char *source_id, const char *changed);

bool claim(struct queue_job *ret);
size_t claim_many(struct queue_job *ret, size_t max);
struct queue_job must_claim(void);
void assert_nothing_to_claim(void);
/* Stores a run's end. */
enum queue_verdict finish(const struct queue_job *job, enum transfer_state state, int64_t delay_ms);

struct queue_tick tick(void);
/* The tick of a process that was just started: with it the reconciler begins a round. */
struct queue_tick first_tick(void);
struct queue_tick tick_with(const struct queue_options *more);

/* As the record has it, and whether a run holds it. */
const char *state_of(const char *id);
bool is_held(const char *id);
/* What the store writes for a connection. */
void set_limit(const char *conn, const char *key, const char *max);

/* Time passes: leases, delays, blocks, and what stands in a transfer (step "send"); id may be NULL.
 */
void elapse(const char *id, int64_t ms);

#endif
