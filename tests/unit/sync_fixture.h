/*
 * sync_fixture.h: register runs on a real Redis, against two systems in shared memory
 * (sync_world.h). Slices are driven by hand, in child processes where one is to end at any call.
 *
 * A group begins with sync_start, a test with sync_set_up: an empty Redis and an empty world. What
 * is named here fails the test when it cannot be done.
 */
#ifndef TESTS_UNIT_SYNC_FIXTURE_H
#define TESTS_UNIT_SYNC_FIXTURE_H

#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "queue/runs.h"
#include "redis_fixture.h"
#include "sync_world.h"
#include "worker/pool.h"

#define QUIET_MS 120
#define LEASE_MS 120
#define WAIT_MS 30000 /* for what turns are to bring about */
#define ALL_REGISTERS "products customers partners cards"

struct sync_fixture {
	struct redis_fixture fx;
	struct seal_key key;
	struct world *world;
	struct arena *arena;
	int64_t quiet_ms, max_age_ms;
};
extern struct sync_fixture sf;

/* One relay process's side of Redis. */
struct relay {
	struct redis_pool *redis;
	struct store *store;
	struct queue *queue;
	struct pool_options pool;
};

int sync_start(void **state);
int sync_stop(void **state);
int sync_set_up(void **state);

bool open_relay(struct relay *r, struct err *err);
void close_relay(struct relay *r);
/* Gives out one job and runs it; false: there was none. */
bool turn(struct relay *r, struct err *err);
/* In a process of its own: goes on until the run is over. Its exit: 0 over, 9 killed, 1 failed. */
int relay_until_over(const char *id);
int in_child(int (*work)(const char *), const char *id);
void order_run(const char *registers, enum run_kind kind, char ret_id[RUN_ID_MAX]);
struct register_run read_run(const char *id);
struct register_run run_all(const char *registers, enum run_kind kind);
int64_t count(const struct register_run *run, const char *reg, enum run_count c);
void fill(int products, int customers, int cards);
void assert_each_once(void);
/* A slice of it was run; the connection's poll may have come first. */
struct register_run turn_until_running(struct relay *r, const char *id);
/* One relay's turns until the run is over, or the process ends at this event. */
int go_on_until(const char *id, int event);
/* How many records stand still, by the counts and by the list. */
int64_t standing(const char *reg);
const struct world_record *customer(enum world_side side, const char *code);

#endif
