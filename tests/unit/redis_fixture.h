/*
 * redis_fixture.h: a real redis-server (or valkey-server) for unit tests, private to one test
 * program: unix socket in a temporary folder, append-only file, appendfsync always.
 *
 * The server dies with the test program, whatever happens to that (parent-death signal); the folder
 * is removed by redis_fixture_stop. Data outlive redis_fixture_kill and redis_fixture_restart. Not
 * thread-safe. Call redis_fixture_start from the main thread: the server dies with the thread that
 * started it.
 *
 *	static struct redis_fixture redis;
 *	setup:     return redis_fixture_start(&redis) ? 0 : -1;
 *	test:      redis_pool_new(redis.url, ...)
 *	teardown:  redis_fixture_stop(&redis);
 */
#ifndef TESTS_UNIT_REDIS_FIXTURE_H
#define TESTS_UNIT_REDIS_FIXTURE_H

#include "base/base.h"

struct redis_fixture {
	char dir[64]; /* data, log and socket; empty when not started */
	char socket[80];
	char url[96]; /* "unix://<socket>" */
	pid_t pid; /* 0: not running */
};

/* Makes the folder, starts the server and waits until it answers PING. Prints why on failure. */
bool redis_fixture_start(struct redis_fixture *fx) MUST_CHECK;
/* SIGKILL, as a crash: what was answered is on disk, the socket file stays behind. */
void redis_fixture_kill(struct redis_fixture *fx);
/* Starts the server again on the same folder and socket, after a kill (or kills it first). */
bool redis_fixture_restart(struct redis_fixture *fx) MUST_CHECK;
/* As restart, but the data are gone: a Redis that was emptied. */
bool redis_fixture_restart_empty(struct redis_fixture *fx) MUST_CHECK;
/* Stops the server for SIGSTOP / lets it run again: alive, but silent. */
void redis_fixture_freeze(struct redis_fixture *fx);
void redis_fixture_thaw(struct redis_fixture *fx);
/* Removes every key and cached script; false when the server does not answer OK. */
bool redis_fixture_flush(struct redis_fixture *fx) MUST_CHECK;
/* Stops the server and removes the folder. */
void redis_fixture_stop(struct redis_fixture *fx);

#endif
