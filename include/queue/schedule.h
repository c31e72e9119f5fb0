/*
 * schedule.h: when something is due next: {"interval_s":300}, or times of day by a zone's own
 * clock,
 * {"times":["02:00"],"time_zone":"Europe/Helsinki"}. Thread-safe.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"

/* Is it one, as people write it? ERR_INPUT with the pointer below `pointer`. */
bool schedule_check(const struct json *j, const char *pointer, struct err *err) MUST_CHECK;

/*
 * An interval comes up to a tenth late, so that what was due together does not stay together. A
 * schedule that is empty or unreadable is the preset interval: late is better than never.
 */
int64_t schedule_next_ms(struct arena *arena, const char *schedule, int64_t preset_ms,
			 int64_t now_ms);

#endif
