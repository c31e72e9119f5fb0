/* Time: calendar, text forms, zones and their changes. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "walk.h"

#define DAY_MS INT64_C(86400000)

static int64_t at(const char *text)
{
	int64_t ms;
	if (!clock_parse_rfc3339(span_of(text), &ms))
		fail_msg("not a time: %s", text);
	return ms;
}

static void assert_time(int64_t ms, const char *text)
{
	char buf[CLOCK_RFC3339_MAX];
	assert_string_equal(clock_rfc3339(ms, buf), text);
}

static void times_are_written(void **state)
{
	(void)state;
	assert_time(0, "1970-01-01T00:00:00.000Z");
	assert_time(-1, "1969-12-31T23:59:59.999Z");
	assert_time(INT64_C(1769926530123), "2026-02-01T06:15:30.123Z");
	assert_time(INT64_C(253402300799999), "9999-12-31T23:59:59.999Z");
	assert_time(clock_from_utc(2000, 2, 29, 12, 0, 0), "2000-02-29T12:00:00.000Z");
	assert_time(clock_from_utc(0, 1, 1, 0, 0, 0), "0000-01-01T00:00:00.000Z");
}

static void times_are_read(void **state)
{
	static const struct {
		const char *from, *to; /* NULL: refused */
	} cases[] = {
		{ "2026-11-22T03:04:05Z", "2026-11-22T03:04:05.000Z" },
		{ "2026-11-22t03:04:05z", "2026-11-22T03:04:05.000Z" },
		{ "2026-11-22 03:04:05", "2026-11-22T03:04:05.000Z" },
		{ "2026-11-22T03:04", "2026-11-22T03:04:00.000Z" },
		{ "2026-11-22T03:04:05.6", "2026-11-22T03:04:05.600Z" },
		{ "2026-11-22T03:04:05.1234567+02:00", "2026-11-22T01:04:05.123Z" },
		{ "2026-11-22T03:04:05-0330", "2026-11-22T06:34:05.000Z" },
		{ "2026-01-01T00:30:00+02:00", "2025-12-31T22:30:00.000Z" },
		{ "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z" },
		{ "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z" },
		{ "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z" },
		{ "2026-02-29T00:00:00Z", NULL },
		{ "1900-02-29T00:00:00Z", NULL },
		{ "2026-13-01T00:00:00Z", NULL },
		{ "2026-00-01T00:00:00Z", NULL },
		{ "2026-11-31T00:00:00Z", NULL },
		{ "2026-11-22T24:00:00Z", NULL },
		{ "2026-11-22T03:60:00Z", NULL },
		{ "2026-11-22T03:04:61Z", NULL },
		{ "2026-11-22T03:04:05.Z", NULL },
		{ "2026-11-22T03:04:05.12345678Z", NULL },
		{ "2026-11-22T03:04:05+24:00", NULL },
		{ "2026-11-22T03:04:05+2", NULL },
		{ "2026-11-22T03:04:05Zx", NULL },
		{ "2026-11-22T03", NULL },
		{ "2026-11-22", NULL },
		{ "26-11-22T03:04:05Z", NULL },
		{ "", NULL },
		{ "2026-11-22T+3:04:05Z", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ms = 0;
		print_message("%s\n", cases[i].from);
		bool ok = clock_parse_rfc3339(span_of(cases[i].from), &ms);
		assert_int_equal(ok, cases[i].to != NULL);
		if (ok)
			assert_time(ms, cases[i].to);
	}
	int64_t ms;
	assert_false(clock_parse_rfc3339(SPAN_LIT("2026-11-22T03:04:05\0"), &ms));
}

static void dates_are_checked_against_the_calendar(void **state)
{
	static const struct {
		const char *text;
		bool is_date;
	} cases[] = {
		{ "2026-01-31", true },	 { "2024-02-29", true },   { "2000-02-29", true },
		{ "2100-02-29", false }, { "2026-04-31", false },  { "2026-1-31", false },
		{ "2026-01-00", false }, { "2026-01-31 ", false }, { "", false },
		{ "31.1.2026", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int y, m, d;
		assert_int_equal(clock_parse_date(span_of(cases[i].text), &y, &m, &d),
				 cases[i].is_date);
	}
	int y, m, d;
	assert_true(clock_parse_date(SPAN_LIT("2026-11-22"), &y, &m, &d));
	assert_int_equal(y, 2026);
	assert_int_equal(m, 11);
	assert_int_equal(d, 22);
}

static void http_dates_are_read(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z" },
		{ "Thu, 29 Feb 2024 00:00:00 GMT", "2024-02-29T00:00:00.000Z" },
		{ "Sun, 29 Feb 2026 00:00:00 GMT", NULL },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", NULL },
		{ "Sun Nov  6 08:49:37 1994", NULL },
		{ "Sun, 06 Nov 1994 08:49:37 UTC", NULL },
		{ "Sun, 06 Nov 1994 08:49:37 GMTx", NULL },
		{ "Son, 06 Nov 1994 08:49:37 GMT", NULL },
		{ "Sun, 06 Nob 1994 08:49:37 GMT", NULL },
		{ "120", NULL },
		{ "", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ms;
		bool ok = clock_parse_http_date(span_of(cases[i].from), &ms);
		assert_int_equal(ok, cases[i].to != NULL);
		if (ok)
			assert_time(ms, cases[i].to);
	}
}

static void civil_fields_agree_with_libc_over_four_centuries(void **state)
{
	(void)state;
	for (int64_t day = -80000; day < 80000; day++) {
		int64_t ms = day * DAY_MS + day % 86400 * 1000;
		time_t s = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
		struct tm ours, theirs;
		clock_utc(ms, &ours);
		assert_non_null(gmtime_r(&s, &theirs));
		assert_int_equal(ours.tm_year, theirs.tm_year);
		assert_int_equal(ours.tm_mon, theirs.tm_mon);
		assert_int_equal(ours.tm_mday, theirs.tm_mday);
		assert_int_equal(ours.tm_hour, theirs.tm_hour);
		assert_int_equal(ours.tm_wday, theirs.tm_wday);
		assert_int_equal(ours.tm_yday, theirs.tm_yday);
		assert_int_equal(clock_from_utc(ours.tm_year + 1900, ours.tm_mon + 1, ours.tm_mday,
						ours.tm_hour, ours.tm_min, ours.tm_sec),
				 ms);
	}
}

static void monotonic_time_runs(void **state)
{
	(void)state;
	int64_t before = clock_mono_us();
	clock_sleep_ms(2);
	assert_true(clock_mono_us() - before >= 2000);
	assert_true(clock_wall_ms() > at("2024-01-01T00:00:00Z"));
	struct timespec deadline = clock_deadline(1999);
	assert_true(deadline.tv_nsec < 1000000000);
	assert_true(deadline.tv_sec * 1000 + deadline.tv_nsec / 1000000 >= clock_mono_ms() + 1900);
}

static void a_condition_waits_by_the_monotonic_clock(void **state)
{
	(void)state;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond;
	clock_cond_init(&cond);
	struct timespec deadline = clock_deadline(5);
	int64_t before = clock_mono_us();
	pthread_mutex_lock(&lock);
	int rc = 0;
	while (rc == 0)
		rc = pthread_cond_timedwait(&cond, &lock, &deadline);
	pthread_mutex_unlock(&lock);
	assert_int_equal(rc, ETIMEDOUT);
	assert_true(clock_mono_us() - before >= 4000);
	pthread_cond_destroy(&cond);
}

static struct tz *load(const char *name)
{
	struct tz *tz = NULL;
	struct err err = ERR_INIT;
	if (!tz_load(name, &tz, &err))
		fail_msg("%s: %s", name, err.message);
	return tz;
}

static void offsets_follow_table_and_footer(void **state)
{
	static const struct {
		const char *zone, *time;
		int offset_s;
	} cases[] = {
		{ "UTC", "2026-07-01T00:00:00Z", 0 },
		{ "Etc/UTC", "2026-07-01T00:00:00Z", 0 },
		{ "Europe/Helsinki", "2026-01-01T00:00:00Z", 7200 },
		{ "Europe/Helsinki", "2026-03-29T00:59:59Z", 7200 },
		{ "Europe/Helsinki", "2026-03-29T01:00:00Z", 10800 },
		{ "Europe/Helsinki", "2026-10-25T00:59:59.999Z", 10800 },
		{ "Europe/Helsinki", "2026-10-25T01:00:00Z", 7200 },
		{ "Europe/Helsinki", "2040-03-25T00:59:59Z", 7200 },
		{ "Europe/Helsinki", "2040-03-25T01:00:00Z", 10800 },
		{ "Europe/Helsinki", "2040-10-28T00:59:59Z", 10800 },
		{ "Europe/Helsinki", "2040-10-28T01:00:00Z", 7200 },
		{ "Europe/Helsinki", "2399-07-01T00:00:00Z", 10800 },
		{ "Europe/Helsinki", "1800-01-01T00:00:00Z", 5989 },
		{ "America/New_York", "2026-03-08T06:59:59Z", -18000 },
		{ "America/New_York", "2040-03-11T07:00:00Z", -14400 },
		{ "Australia/Sydney", "2040-01-01T00:00:00Z", 39600 }, /* summer over new year */
		{ "Australia/Sydney", "2040-07-01T00:00:00Z", 36000 },
		{ "Europe/Dublin", "2040-01-01T00:00:00Z", 0 }, /* winter is the "daylight" time */
		{ "Europe/Dublin", "2040-07-01T00:00:00Z", 3600 },
		{ "Asia/Kathmandu", "2040-07-01T00:00:00Z", 20700 },
		{ "America/Nuuk", "2040-03-25T00:59:59Z", -7200 }, /* a rule with negative hours */
		{ "America/Nuuk", "2040-03-25T01:00:00Z", -3600 },
		{ "Asia/Jerusalem", "2040-03-23T00:00:00Z", 10800 }, /* and one over 24 */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s %s\n", cases[i].zone, cases[i].time);
		struct tz *tz = load(cases[i].zone);
		assert_int_equal(tz_offset_s(tz, at(cases[i].time)), cases[i].offset_s);
		tz_free(tz);
	}
}

static void the_footer_agrees_with_libc_for_decades(void **state)
{
	static const char *const zones[] = { "Europe/Helsinki",	 "Europe/Dublin",
					     "America/New_York", "Australia/Sydney",
					     "Asia/Jerusalem",	 "Africa/Cairo" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		struct tz *tz = load(zones[i]);
		assert_int_equal(setenv("TZ", zones[i], 1), 0);
		tzset();
		for (int64_t ms = at("2025-01-01T00:30:00Z"); ms < at("2065-01-01T00:00:00Z");
		     ms += 3 * 3600000) {
			time_t s = (time_t)(ms / 1000);
			struct tm tm;
			assert_non_null(localtime_r(&s, &tm));
			assert_int_equal(tz_offset_s(tz, ms), tm.tm_gmtoff);
		}
		tz_free(tz);
	}
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
}

static void schedules_survive_clock_changes(void **state)
{
	static const struct {
		const char *zone, *after;
		int hh, mm;
		const char *next;
	} cases[] = {
		{ "UTC", "2026-11-22T03:04:05Z", 3, 4, "2026-11-23T03:04:00.000Z" },
		{ "UTC", "2026-11-22T03:04:00Z", 3, 4, "2026-11-23T03:04:00.000Z" },
		{ "UTC", "2026-11-22T03:03:59.999Z", 3, 4, "2026-11-22T03:04:00.000Z" },
		{ "UTC", "2026-12-31T23:59:30Z", 0, 0, "2027-01-01T00:00:00.000Z" },
		{ "Europe/Helsinki", "2026-06-01T00:00:00Z", 6, 0, "2026-06-01T03:00:00.000Z" },
		{ "Europe/Helsinki", "2026-06-30T21:30:00Z", 0, 15, "2026-07-01T21:15:00.000Z" },
		/* 29.3.2026: 03:00-03:59 do not exist */
		{ "Europe/Helsinki", "2026-03-28T12:00:00Z", 3, 30, "2026-03-29T01:00:00.000Z" },
		{ "Europe/Helsinki", "2026-03-29T01:00:00Z", 3, 30, "2026-03-30T00:30:00.000Z" },
		{ "Europe/Helsinki", "2026-03-28T12:00:00Z", 3, 0, "2026-03-29T01:00:00.000Z" },
		{ "Europe/Helsinki", "2026-03-28T12:00:00Z", 2, 59, "2026-03-29T00:59:00.000Z" },
		{ "Europe/Helsinki", "2026-03-28T12:00:00Z", 4, 0, "2026-03-29T01:00:00.000Z" },
		/* 25.10.2026: 03:00-03:59 come twice, the first time counts */
		{ "Europe/Helsinki", "2026-10-24T12:00:00Z", 3, 30, "2026-10-25T00:30:00.000Z" },
		{ "Europe/Helsinki", "2026-10-25T00:30:00Z", 3, 30, "2026-10-26T01:30:00.000Z" },
		{ "Europe/Helsinki", "2026-10-25T01:10:00Z", 3, 30, "2026-10-26T01:30:00.000Z" },
		{ "Europe/Helsinki", "2026-10-24T12:00:00Z", 4, 0, "2026-10-25T02:00:00.000Z" },
		/* the same by the footer's rule */
		{ "Europe/Helsinki", "2040-03-24T12:00:00Z", 3, 30, "2040-03-25T01:00:00.000Z" },
		{ "Europe/Helsinki", "2040-03-25T01:00:00Z", 3, 30, "2040-03-26T00:30:00.000Z" },
		{ "Europe/Helsinki", "2040-10-27T12:00:00Z", 3, 30, "2040-10-28T00:30:00.000Z" },
		{ "Europe/Helsinki", "2040-10-28T00:30:00Z", 3, 30, "2040-10-29T01:30:00.000Z" },
		/* a change of half an hour, and a day that never was */
		{ "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 2, 15,
		  "2026-10-03T15:30:00.000Z" },
		{ "Pacific/Apia", "2011-12-30T08:00:00Z", 12, 0, "2011-12-30T10:00:00.000Z" },
		{ "Pacific/Apia", "2011-12-30T10:00:00Z", 12, 0, "2011-12-30T22:00:00.000Z" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s after %s\n", cases[i].zone, cases[i].after);
		struct tz *tz = load(cases[i].zone);
		assert_time(tz_next_minute(tz, at(cases[i].after), cases[i].hh * 60 + cases[i].mm),
			    cases[i].next);
		tz_free(tz);
	}
}

static void a_daily_schedule_fires_once_on_each_day_of_a_year(void **state)
{
	(void)state;
	struct tz *tz = load("Europe/Helsinki");
	for (int minute = 0; minute < 1440; minute += 15) {
		int64_t ms = at("2025-12-31T22:00:00Z") - 1; /* Finnish new year */
		for (int day = 0; day < 365; day++) {
			int64_t next = tz_next_minute(tz, ms, minute);
			int64_t local_day = (next + tz_offset_s(tz, next) * INT64_C(1000)) / DAY_MS;
			assert_true(next > ms);
			assert_int_equal(local_day, at("2026-01-01T00:00:00Z") / DAY_MS + day);
			ms = next;
		}
	}
	tz_free(tz);
}

static void wrong_zone_names_are_refused(void **state)
{
	static const char *const names[] = {
		"",
		"/etc/passwd",
		"../../../etc/passwd",
		"Europe/../UTC",
		"Europe/Nowhere",
		"Europe/",
		"Europe",
		"Europe/Helsinki/x",
		"a b",
		"zone.tab",
		"tzdata.zi",
		"Europe/HelsinkiEurope/HelsinkiEurope/HelsinkiEurope/HelsinkiEurope/Helsinki",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct tz *tz = NULL;
		struct err err = ERR_INIT;
		print_message("%s\n", names[i]);
		assert_false(tz_load(names[i], &tz, &err));
		assert_true(err.code == ERR_INPUT || err.code == ERR_SYSTEM);
		assert_null(tz);
	}
	tz_free(NULL);
}

static bool load_zone(void *with)
{
	struct tz *tz;
	struct err err = ERR_INIT;
	if (!tz_load(with, &tz, &err)) {
		assert_int_equal(err.code, ERR_MEMORY);
		return false;
	}
	tz_free(tz);
	return true;
}

static void each_failed_allocation_is_survived(void **state)
{
	(void)state;
	static char name[] = "Europe/Helsinki";
	assert_int_equal(walk_heap(load_zone, name), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(dates_are_checked_against_the_calendar),
		cmocka_unit_test(http_dates_are_read),
		cmocka_unit_test(civil_fields_agree_with_libc_over_four_centuries),
		cmocka_unit_test(monotonic_time_runs),
		cmocka_unit_test(a_condition_waits_by_the_monotonic_clock),
		cmocka_unit_test(offsets_follow_table_and_footer),
		cmocka_unit_test(the_footer_agrees_with_libc_for_decades),
		cmocka_unit_test(schedules_survive_clock_changes),
		cmocka_unit_test(a_daily_schedule_fires_once_on_each_day_of_a_year),
		cmocka_unit_test(wrong_zone_names_are_refused),
		cmocka_unit_test(each_failed_allocation_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
