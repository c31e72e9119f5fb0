/*
 * share.h: values that workers of all relay processes share (attempt.h, struct shared_want): tokens
 * above all. One fetch at a time in a process and, for a token, among the processes.
 */
#ifndef WORKER_SHARE_H
#define WORKER_SHARE_H

#include "base/base.h"
#include "attempt.h"

bool share_get(struct attempt *at, const struct shared_want *want, const char **ret,
	       struct err *err) MUST_CHECK;

#endif
