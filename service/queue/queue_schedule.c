/* queue_schedule.c: schedules of polls and of register syncs (queue/schedule.h). */
#include "base/base.h"
#include "queue/schedule.h"

#include "base/clock.h"
#include "codec/json.h"
#include "codec/sign.h"

#define JITTER_PARTS 10
#define MAX_TIMES 24
#define MIN_INTERVAL_S 1
#define MAX_INTERVAL_S 86400

/* ---- what people write --------------------------------------------------------------------- */

static bool refuse(struct err *err, const char *pointer, const char *member, const char *words)
{
	err_set(err, ERR_INPUT, "%s", words);
	err_pointer(err, "%s%s", pointer, member);
	return false;
}

static bool is_time_of_day(const char *t)
{
	return t && strlen(t) == 5 && t[2] == ':' && t[0] >= '0' && t[0] <= '2' && t[1] >= '0' &&
	       t[1] <= '9' && t[3] >= '0' && t[3] <= '5' && t[4] >= '0' && t[4] <= '9' &&
	       (t[0] < '2' || t[1] <= '3');
}

static bool check_times(const struct json *j, const char *pointer, struct err *err)
{
	const struct json *times = json_get(j, "times");
	const char *zone = json_str(json_get(j, "time_zone"));
	struct tz *tz = NULL;
	struct err ignored = ERR_INIT;
	if (json_type(times) != JSON_ARRAY || json_size(times) < 1 || json_size(times) > MAX_TIMES)
		return refuse(err, pointer, "/times", "1 to 24 times of day");
	for (const struct json *t = json_first(times); t; t = json_next(t))
		if (!is_time_of_day(json_str(t)))
			return refuse(err, pointer, "/times", "a time of day is written HH:MM");
	if (!zone || !tz_load(zone, &tz, &ignored))
		return refuse(err, pointer, "/time_zone", "no such time zone");
	tz_free(tz);
	return true;
}

bool schedule_check(const struct json *j, const char *pointer, struct err *err)
{
	const struct json *interval = json_get(j, "interval_s");
	int64_t s;
	if (json_type(j) != JSON_OBJECT)
		return refuse(err, pointer, "", "not an object");
	for (const struct json *m = json_first(j); m; m = json_next(m))
		if (!str_eq(json_key(m), "interval_s") && !str_eq(json_key(m), "times") &&
		    !str_eq(json_key(m), "time_zone"))
			return refuse(err, pointer, "",
				      "a schedule has interval_s, or times and time_zone");
	if (json_type(interval) == JSON_ABSENT)
		return check_times(j, pointer, err);
	if (!json_int64(interval, &s) || s < MIN_INTERVAL_S || s > MAX_INTERVAL_S)
		return refuse(err, pointer, "/interval_s", "1 to 86400");
	if (json_size(j) > 1)
		return refuse(err, pointer, "", "an interval or times of day, not both");
	return true;
}

/* ---- when ---------------------------------------------------------------------------------- */

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
