/*
 * elapse.h: time passes for follow-up: what the scripts of queue/ wrote of it becomes so much
 * older, of the connection "c" and of all transfers. Nobody waits.
 */
#ifndef TESTS_UNIT_ELAPSE_H
#define TESTS_UNIT_ELAPSE_H

#include "base/base.h"
#include "net/redis.h"

/* step: the delivery step's name. Fails the test when Redis does not answer. */
void elapse_follow(struct redis_pool *pool, const char *step, int64_t ms);

#endif
