/* queue_schedule.c: schedules of polls and of register syncs (queue/schedule.h). */
#include "base/base.h"
#include "queue/schedule.h"

#include "base/clock.h"
#include "codec/json.h"
#include "codec/sign.h"

#define JITTER_PARTS 10
#define MAX_TIMES 48

/* The next of the times of day, by the zone's own clock; 0 when none is readable. */
static int64_t next_of_times(const struct json *times, const char *zone, int64_t now_ms)
{
	struct tz *tz = NULL;
	struct err ignored = ERR_INIT;
	int64_t best = 0;
	unsigned seen = 0;
	if (!tz_load(zone ? zone : "UTC", &tz, &ignored))
		return 0;
	for (const struct json *t = json_first(times); t && seen < MAX_TIMES;
	     t = json_next(t), seen++) {
		int h = 0, m = 0;
		const char *text = json_str(t);
		if (!text || strlen(text) != 5 || sscanf(text, "%2d:%2d", &h, &m) != 2 || h > 23 ||
		    m > 59 || h < 0 || m < 0)
			continue;
		int64_t at = tz_next_minute(tz, now_ms, h * 60 + m);
		if (!best || at < best)
			best = at;
	}
	tz_free(tz);
	return best;
}

/* So that connections which came due together, after an outage say, do not stay together. */
static int64_t after_interval(int64_t now_ms, int64_t interval_ms)
{
	uint32_t dice;
	sign_random(&dice, sizeof(dice));
	return now_ms + interval_ms + (int64_t)(dice % (uint64_t)(interval_ms / JITTER_PARTS + 1));
}

int64_t schedule_next_ms(struct arena *arena, const char *schedule, int64_t preset_ms,
			 int64_t now_ms)
{
	const struct json *doc = NULL;
	struct err ignored = ERR_INIT;
	int64_t interval_s = 0;
	if (!schedule[0] || !json_parse(arena, span_of(schedule), JSON_LIMITS_API, &doc, &ignored))
		return after_interval(now_ms, preset_ms);
	if (json_int64(json_get(doc, "interval_s"), &interval_s) && interval_s > 0 &&
	    interval_s <= 366 * 86400)
		return after_interval(now_ms, interval_s * 1000);
	int64_t at = next_of_times(json_get(doc, "times"), json_str(json_get(doc, "time_zone")),
				   now_ms);
	return at ? at : after_interval(now_ms, preset_ms);
}
