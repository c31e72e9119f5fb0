/*
 * clock.h: time. Wall time for people and vendors, monotonic time for waiting. Thread-safe, no libc
 * time zone state.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"
#include "base/err.h"

#define CLOCK_RFC3339_MAX 32

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);
/* Milliseconds of CLOCK_MONOTONIC; microseconds likewise. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
/* Sleeps; returns early on no account. Tests and back-off below 1 s only: threads wait on
 * conditions. */
void clock_sleep_ms(int64_t ms);
/* Absolute CLOCK_MONOTONIC timespec `ms` from now, for pthread_cond_timedwait on a condition made
 * by clock_cond_init. */
struct timespec clock_deadline(int64_t ms);
void clock_cond_init(pthread_cond_t *cond);

/* "2026-11-22T03:04:05.678Z"; returns buf. */
const char *clock_rfc3339(int64_t wall_ms, char buf[CLOCK_RFC3339_MAX]);
/* Parses RFC 3339 / ISO 8601 date-time with offset or Z, 0-7 fraction digits (no offset = UTC);
 * false when malformed. */
bool clock_parse_rfc3339(struct span text, int64_t *ret_wall_ms) MUST_CHECK;
/* Parses "YYYY-MM-DD" with calendar check. */
bool clock_parse_date(struct span text, int *ret_y, int *ret_m, int *ret_d) MUST_CHECK;
/* IMF-fixdate of RFC 9110 (Retry-After); false when malformed. */
bool clock_parse_http_date(struct span text, int64_t *ret_wall_ms) MUST_CHECK;
/* Civil fields of a UTC time. */
void clock_utc(int64_t wall_ms, struct tm *ret_tm);
/* Inverse of clock_utc. */
int64_t clock_from_utc(int y, int m, int d, int hh, int mm, int ss);

/*
 * A time zone read from the system's TZif files (RFC 8536), footer rule included, immutable and
 * shared between threads.
 */
struct tz;
/* name as "Europe/Helsinki" or "UTC"; refuses "..", absolute paths. Caller frees with tz_free. */
bool tz_load(const char *name, struct tz **ret, struct err *err) MUST_CHECK;
void tz_free(struct tz *tz);
/* Seconds east of UTC that apply at wall_ms. */
int tz_offset_s(const struct tz *tz, int64_t wall_ms);
/*
 * First instant strictly after `after_ms` at which the local clock shows minute `minute_of_day`
 * (0..1439). A local time that the spring change skips fires at the first minute after the gap; one
 * that occurs twice fires once, the first time.
 */
int64_t tz_next_minute(const struct tz *tz, int64_t after_ms, int minute_of_day);

#endif
