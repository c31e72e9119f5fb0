/*
 * times.c: when an invoice may be sent first (TA-01): at the times agreed with Talenom, by the
 * clock of their zone. An invoice goes at the first agreed time after it came; the time holds for a
 * while, for what could not be sent at once. Touches nothing.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "queue/schedule.h"

#define MINUTE_MS 60000

int64_t stn_next_agreed(struct arena *arena, const char *times, int64_t open_ms, int64_t since_ms,
			int64_t now_ms)
{
	const struct json *j;
	int64_t interval_s;
	if (json_parse(arena, span_of(times), JSON_LIMITS_API, &j, NULL) &&
	    json_int64(json_get(j, "interval_s"), &interval_s) && interval_s > 0)
		return (since_ms / (interval_s * 1000) + 1) * interval_s * 1000;
	/* Not before the first time after it came; and of the times since, one that still holds. */
	int64_t after_ms = now_ms - open_ms > since_ms ? now_ms - open_ms : since_ms;
	return schedule_next_ms(arena, times, MINUTE_MS, after_ms);
}

/* "2026-11-23 06:00 (Europe/Helsinki)"; NULL past the arena's cap. */
static const char *words_of(struct stn *m, const struct json *times, int64_t ms)
{
	const char *zone = json_str(json_get(times, "time_zone"));
	struct tz *tz = NULL;
	char text[CLOCK_RFC3339_MAX];
	struct err ignored = ERR_INIT;
	if (!zone || !tz_load(zone, &tz, &ignored))
		tz = NULL;
	clock_rfc3339(ms + (tz ? (int64_t)tz_offset_s(tz, ms) * 1000 : 0), text);
	text[10] = ' ';
	text[tz ? 16 : 19] = 0;
	const char *ret = arena_printf(m->road.at->arena, "%s (%s)", text, tz ? zone : "UTC");
	tz_free(tz);
	return ret;
}

bool stn_not_before(struct road *r, int64_t since_ms, int64_t now_ms, int64_t *ret_ms,
		    const char **ret_words, struct err *err)
{
	struct stn *m = stn_of(r);
	struct arena *arena = r->at->arena;
	const struct json *times = json_get(r->settings, "transfer_times");
	struct strbuf sb = STRBUF_INIT(arena, 16 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	if (json_type(times) != JSON_OBJECT)
		return err_set(err, ERR_WAITING, "transfer_times must be set");
	jsonw_node(&w, times);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret_ms = stn_next_agreed(arena, text, m->open_ms, since_ms, now_ms);
	*ret_words = words_of(m, times, *ret_ms);
	return *ret_words || stn_full(err);
}
