/*
 * clock.c: wall and monotonic time, and the three text forms of a time that we read.
 *
 * Guarantees the proleptic Gregorian calendar without libc's time zone state. Time zones are in
 * tz.c. Knows no leap seconds: second 60 is the next minute's second 0.
 */
#include "base/base.h"

#include "base/clock.h"

#define MS_PER_S INT64_C(1000)
#define S_PER_DAY INT64_C(86400)

static struct timespec now(clockid_t id)
{
	struct timespec ts;
	int rc = clock_gettime(id, &ts);
	assert(rc == 0);
	(void)rc; /* both clocks exist on every Linux */
	return ts;
}

int64_t clock_wall_ms(void)
{
	struct timespec ts = now(CLOCK_REALTIME);
	return ts.tv_sec * MS_PER_S + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_mono_us(void)
{
	struct timespec ts = now(CLOCK_MONOTONIC);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec until = clock_deadline(ms);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

struct timespec clock_deadline(int64_t ms)
{
	struct timespec ts = now(CLOCK_MONOTONIC);
	if (ms < 0)
		ms = 0;
	ts.tv_sec += ms / MS_PER_S;
	ts.tv_nsec += ms % MS_PER_S * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

void clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);
	assert(rc == 0);
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	assert(rc == 0);
	rc = pthread_cond_init(cond, &attr);
	assert(rc == 0);
	(void)rc; /* cannot fail on Linux with a valid clock */
	pthread_condattr_destroy(&attr);
}

/* Days since 1970-01-01 of a civil date; months past 12 are not folded. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2; /* years begin in March, so that the leap day is the last */
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void clock_utc(int64_t wall_ms, struct tm *ret_tm)
{
	int64_t s = floor_div(wall_ms, MS_PER_S);
	int64_t days = floor_div(s, S_PER_DAY);
	int of_day = (int)(s - days * S_PER_DAY);
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = (int)(day_of_era -
				(365 * year_of_era + year_of_era / 4 - year_of_era / 100));
	int mp = (5 * day_of_year + 2) / 153;
	int month = mp < 10 ? mp + 3 : mp - 9;
	int64_t year = year_of_era + era * 400 + (month <= 2);
	*ret_tm = (struct tm) {
		.tm_sec = of_day % 60,
		.tm_min = of_day / 60 % 60,
		.tm_hour = of_day / 3600,
		.tm_mday = day_of_year - (153 * mp + 2) / 5 + 1,
		.tm_mon = month - 1,
		.tm_year = (int)(year - 1900),
		.tm_wday = (int)(((days % 7) + 11) % 7),
		.tm_yday = (int)(days - days_from_civil(year, 1, 1)),
	};
}

int64_t clock_from_utc(int y, int m, int d, int hh, int mm, int ss)
{
	int64_t s = days_from_civil(y, m, d) * S_PER_DAY + hh * INT64_C(3600) + mm * INT64_C(60) +
		    ss;
	return s * MS_PER_S;
}

/* The last n digits of v, then one more character; returns what follows. */
static char *put_digits(char *p, int v, int n, char then)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	p[n] = then;
	return p + n + 1;
}

const char *clock_rfc3339(int64_t wall_ms, char buf[CLOCK_RFC3339_MAX])
{
	struct tm tm;
	clock_utc(wall_ms, &tm);
	int ms = (int)(wall_ms - floor_div(wall_ms, MS_PER_S) * MS_PER_S);
	char *p = put_digits(buf, tm.tm_year + 1900, 4, '-');
	p = put_digits(p, tm.tm_mon + 1, 2, '-');
	p = put_digits(p, tm.tm_mday, 2, 'T');
	p = put_digits(p, tm.tm_hour, 2, ':');
	p = put_digits(p, tm.tm_min, 2, ':');
	p = put_digits(p, tm.tm_sec, 2, '.');
	p = put_digits(p, ms, 3, 'Z');
	*p = '\0';
	return buf;
}

/* A text being read from the left; ok turns false at the first mismatch and stays so. */
struct cursor {
	struct span rest;
	bool ok;
};

static char peek(const struct cursor *c)
{
	return c->ok && c->rest.n > 0 ? c->rest.p[0] : '\0';
}

static void skip(struct cursor *c, size_t n)
{
	c->rest = (struct span) { c->rest.p + n, c->rest.n - n };
}

static bool take(struct cursor *c, char expected)
{
	if (expected == '\0' || peek(c) != expected)
		return false;
	skip(c, 1);
	return true;
}

static void expect(struct cursor *c, const char *literal)
{
	for (; *literal; literal++)
		c->ok = take(c, *literal) && c->ok;
}

/* Exactly n digits within the bounds. */
static int number(struct cursor *c, int n, int min, int max)
{
	int v = 0;
	for (int i = 0; i < n; i++) {
		char digit = peek(c);
		if (digit < '0' || digit > '9') {
			c->ok = false;
			return min;
		}
		v = v * 10 + (digit - '0');
		skip(c, 1);
	}
	if (v < min || v > max)
		c->ok = false;
	return v;
}

static int days_in_month(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	return days[m - 1] + (m == 2 && is_leap);
}

struct civil {
	int y, m, d, hh, mm, ss;
};

static void read_date(struct cursor *c, struct civil *t)
{
	t->y = number(c, 4, 0, 9999);
	expect(c, "-");
	t->m = number(c, 2, 1, 12);
	expect(c, "-");
	t->d = number(c, 2, 1, c->ok ? days_in_month(t->y, t->m) : 31);
}

bool clock_parse_date(struct span text, int *ret_y, int *ret_m, int *ret_d)
{
	struct cursor c = { text, true };
	struct civil t = { 0 };
	read_date(&c, &t);
	if (!c.ok || c.rest.n > 0)
		return false;
	*ret_y = t.y;
	*ret_m = t.m;
	*ret_d = t.d;
	return true;
}

/* ".1" to ".1234567" as milliseconds, cut. */
static int read_fraction_ms(struct cursor *c)
{
	if (!take(c, '.') && !take(c, ','))
		return 0;
	int ms = 0, digits = 0;
	for (; peek(c) >= '0' && peek(c) <= '9'; digits++) {
		int digit = number(c, 1, 0, 9);
		if (digits < 3)
			ms = ms * 10 + digit;
	}
	for (int i = digits; i < 3; i++)
		ms *= 10;
	if (digits < 1 || digits > 7)
		c->ok = false;
	return ms;
}

/* "Z", "+02:00", "+0200", or nothing: seconds east of UTC. */
static int read_offset_s(struct cursor *c)
{
	if (c->rest.n == 0 || take(c, 'Z') || take(c, 'z'))
		return 0;
	int sign = take(c, '-') ? -1 : 1;
	if (sign > 0)
		expect(c, "+");
	int hours = number(c, 2, 0, 23);
	(void)take(c, ':'); /* ISO 8601's basic form has none */
	return sign * (hours * 3600 + number(c, 2, 0, 59) * 60);
}

bool clock_parse_rfc3339(struct span text, int64_t *ret_wall_ms)
{
	struct cursor c = { text, true };
	struct civil t = { 0 };
	read_date(&c, &t);
	c.ok = c.ok && (take(&c, 'T') || take(&c, 't') || take(&c, ' '));
	t.hh = number(&c, 2, 0, 23);
	expect(&c, ":");
	t.mm = number(&c, 2, 0, 59);
	int ms = 0;
	if (take(&c, ':')) { /* ISO 8601 lets a sender leave the seconds out */
		t.ss = number(&c, 2, 0, 60);
		ms = read_fraction_ms(&c);
	}
	int offset_s = read_offset_s(&c);
	if (!c.ok || c.rest.n > 0)
		return false;
	*ret_wall_ms = clock_from_utc(t.y, t.m, t.d, t.hh, t.mm, t.ss) + ms - offset_s * MS_PER_S;
	return true;
}

/* The 1-based place of a three-letter name in a list of such; 0 when it is none. */
static int three_letters(struct cursor *c, const char *names)
{
	for (int i = 0; c->ok && c->rest.n >= 3 && names[i]; i += 3) {
		if (memcmp(c->rest.p, names + i, 3) == 0) {
			skip(c, 3);
			return i / 3 + 1;
		}
	}
	c->ok = false;
	return 1;
}

bool clock_parse_http_date(struct span text, int64_t *ret_wall_ms)
{
	struct cursor c = { text, true };
	struct civil t = { 0 };
	int weekday = three_letters(&c, "SunMonTueWedThuFriSat");
	expect(&c, ", ");
	t.d = number(&c, 2, 1, 31);
	expect(&c, " ");
	t.m = three_letters(&c, "JanFebMarAprMayJunJulAugSepOctNovDec");
	expect(&c, " ");
	t.y = number(&c, 4, 0, 9999);
	expect(&c, " ");
	t.hh = number(&c, 2, 0, 23);
	expect(&c, ":");
	t.mm = number(&c, 2, 0, 59);
	expect(&c, ":");
	t.ss = number(&c, 2, 0, 60);
	expect(&c, " GMT");
	if (!c.ok || c.rest.n > 0 || t.d > days_in_month(t.y, t.m))
		return false;
	(void)weekday; /* must be a name; a wrong one does not make the time unclear */
	*ret_wall_ms = clock_from_utc(t.y, t.m, t.d, t.hh, t.mm, t.ss);
	return true;
}
