/*
 * tz.c: time zones from TZif files, version 2 or later (RFC 8536), declared in base/clock.h.
 *
 * Guarantees that a file is checked wholly before it is used, and that times after the table follow
 * the footer's POSIX rule. Does not look at TZ, does not cache, does not apply leap seconds (the
 * system's own files hold none).
 */
#include "base/base.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/clock.h"

#define ZONE_DIR "/usr/share/zoneinfo/"
#define MAX_FILE_BYTES (256 * 1024)
#define S_PER_DAY INT64_C(86400)

/* A day of the year and a time on it, as POSIX TZ writes it. */
struct rule_day {
	enum { RULE_JULIAN_1, RULE_DAY_0, RULE_MONTH_WEEK } kind;
	int month, week, day; /* day alone for the first two kinds */
	int64_t time_s; /* -167 h .. 167 h */
};

struct rule {
	int std_offset_s, dst_offset_s;
	bool has_rule, has_dst;
	struct rule_day dst_start, dst_end;
};

struct tz {
	size_t n_transitions, n_types;
	int64_t *at_s; /* ascending */
	unsigned char *type_at; /* type that begins at at_s[i] */
	int32_t *offset_s; /* of each type */
	struct rule rule;
};

/*
 * The footer: "EET-2EEST,M3.5.0/3,M10.5.0/4". Offsets are west-positive there, east-positive here.
 */
struct reader {
	const char *p, *end;
	bool ok;
};

static char peek(const struct reader *r)
{
	return r->ok && r->p < r->end ? *r->p : '\0';
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != c || c == '\0')
		return false;
	r->p++;
	return true;
}

static int number(struct reader *r, int max)
{
	int v = 0, digits = 0;
	while (peek(r) >= '0' && peek(r) <= '9' && digits < 4) {
		v = v * 10 + (*r->p++ - '0');
		digits++;
	}
	if (digits == 0 || v > max)
		r->ok = false;
	return v;
}

static void skip_name(struct reader *r)
{
	int n = 0;
	if (take(r, '<')) {
		while (peek(r) && peek(r) != '>') {
			r->p++;
			n++;
		}
		r->ok = take(r, '>') && n >= 3;
		return;
	}
	while ((peek(r) | 0x20) >= 'a' && (peek(r) | 0x20) <= 'z') {
		r->p++;
		n++;
	}
	if (n < 3)
		r->ok = false;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int read_hms(struct reader *r, int max_hours)
{
	int sign = take(r, '-') ? -1 : 1;
	if (sign > 0)
		(void)take(r, '+'); /* optional */
	int s = number(r, max_hours) * 3600;
	if (take(r, ':'))
		s += number(r, 59) * 60;
	if (take(r, ':'))
		s += number(r, 59);
	return sign * s;
}

static struct rule_day read_rule_day(struct reader *r)
{
	struct rule_day day = { .kind = RULE_DAY_0, .time_s = 2 * 3600 };
	if (!take(r, ','))
		r->ok = false;
	if (take(r, 'M')) {
		day.kind = RULE_MONTH_WEEK;
		day.month = number(r, 12);
		r->ok = r->ok && take(r, '.');
		day.week = number(r, 5);
		r->ok = r->ok && take(r, '.');
		day.day = number(r, 6);
		r->ok = r->ok && day.month >= 1 && day.week >= 1;
	} else if (take(r, 'J')) {
		day.kind = RULE_JULIAN_1;
		day.day = number(r, 365);
		r->ok = r->ok && day.day >= 1;
	} else {
		day.day = number(r, 365);
	}
	if (take(r, '/'))
		day.time_s = read_hms(r, 167);
	return day;
}

static bool parse_rule(struct span text, struct rule *ret)
{
	struct rule rule = { 0 };
	struct reader r = { text.p, text.p + text.n, true };
	if (text.n == 0) {
		*ret = rule;
		return true;
	}
	rule.has_rule = true;
	skip_name(&r);
	rule.std_offset_s = -read_hms(&r, 24);
	if (peek(&r)) {
		rule.has_dst = true;
		skip_name(&r);
		rule.dst_offset_s = peek(&r) == ',' ? rule.std_offset_s + 3600 : -read_hms(&r, 24);
		rule.dst_start = read_rule_day(&r);
		rule.dst_end = read_rule_day(&r);
	}
	if (!r.ok || r.p != r.end)
		return false;
	*ret = rule;
	return true;
}

/* Local seconds since 1970, by the clock in force before, at which a rule's change falls. */
static int64_t rule_local_s(const struct rule_day *rd, int year)
{
	int64_t jan1 = clock_from_utc(year, 1, 1, 0, 0, 0) / 1000;
	int64_t mar1 = clock_from_utc(year, 3, 1, 0, 0, 0) / 1000;
	bool is_leap = mar1 - jan1 == 60 * S_PER_DAY;
	switch (rd->kind) {
	case RULE_DAY_0:
		return jan1 + rd->day * S_PER_DAY + rd->time_s;
	case RULE_JULIAN_1: /* never counts 29 February */
		return jan1 + (rd->day - 1 + (is_leap && rd->day > 59)) * S_PER_DAY + rd->time_s;
	case RULE_MONTH_WEEK:
		break;
	}
	int64_t first = clock_from_utc(year, rd->month, 1, 0, 0, 0);
	bool is_december = rd->month == 12;
	int64_t next = clock_from_utc(year + is_december, is_december ? 1 : rd->month + 1, 1, 0, 0,
				      0);
	struct tm tm;
	clock_utc(first, &tm);
	int64_t at = first / 1000 +
		     ((rd->day - tm.tm_wday + 7) % 7 + (rd->week - 1) * 7) * S_PER_DAY;
	while (at >= next / 1000)
		at -= 7 * S_PER_DAY; /* week 5 means the last one */
	return at + rd->time_s;
}

static int rule_offset_s(const struct rule *rule, int64_t s)
{
	if (!rule->has_dst)
		return rule->std_offset_s;
	struct tm tm;
	clock_utc((s + rule->std_offset_s) * 1000, &tm);
	/* the latest change not after s decides; a change's time may reach into the next year */
	int64_t latest = INT64_MIN;
	int offset_s = rule->std_offset_s;
	for (int year = tm.tm_year + 1899; year <= tm.tm_year + 1901; year++) {
		int64_t start = rule_local_s(&rule->dst_start, year) - rule->std_offset_s;
		int64_t end = rule_local_s(&rule->dst_end, year) - rule->dst_offset_s;
		if (end <= s && end > latest) {
			latest = end;
			offset_s = rule->std_offset_s;
		}
		if (start <= s && start >= latest) { /* >=: daylight all year ends as it starts */
			latest = start;
			offset_s = rule->dst_offset_s;
		}
	}
	return offset_s;
}

/* Counts of one TZif header, in the order of the file. */
struct tzif_header {
	size_t n_isut, n_isstd, n_leap, n_times, n_types, n_chars;
};

#define TZIF_HEADER_BYTES 44

static uint64_t big_endian(const unsigned char *p, int bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static bool parse_header(struct span file, struct tzif_header *ret)
{
	if (file.n < TZIF_HEADER_BYTES || memcmp(file.p, "TZif", 4) != 0 || file.p[4] < '2')
		return false;
	const unsigned char *p = (const unsigned char *)file.p + 20;
	size_t counts[6];
	for (int i = 0; i < 6; i++) {
		counts[i] = big_endian(p + 4 * i, 4);
		if (counts[i] > MAX_FILE_BYTES)
			return false;
	}
	*ret = (struct tzif_header) { counts[0], counts[1], counts[2],
				      counts[3], counts[4], counts[5] };
	return true;
}

static size_t block_bytes(const struct tzif_header *h, size_t time_bytes)
{
	return h->n_times * (time_bytes + 1) + h->n_types * 6 + h->n_chars +
	       h->n_leap * (time_bytes + 4) + h->n_isstd + h->n_isut;
}

/* Copies times and types out of the second data block. */
static bool copy_table(struct tz *tz, const struct tzif_header *h, const unsigned char *p)
{
	tz->at_s = mem_alloc_array(h->n_times, sizeof(*tz->at_s));
	tz->type_at = mem_alloc(h->n_times);
	tz->offset_s = mem_alloc_array(h->n_types, sizeof(*tz->offset_s));
	if (!tz->at_s || !tz->type_at || !tz->offset_s)
		return false;
	tz->n_transitions = h->n_times;
	tz->n_types = h->n_types;
	const unsigned char *types = p + 8 * h->n_times;
	const unsigned char *infos = types + h->n_times;
	for (size_t i = 0; i < h->n_times; i++) {
		tz->at_s[i] = (int64_t)big_endian(p + 8 * i, 8);
		tz->type_at[i] = types[i];
	}
	for (size_t i = 0; i < h->n_types; i++)
		tz->offset_s[i] = (int32_t)big_endian(infos + 6 * i, 4);
	return true;
}

static bool is_table_sound(const struct tz *tz)
{
	for (size_t i = 0; i < tz->n_transitions; i++) {
		if (tz->type_at[i] >= tz->n_types || (i > 0 && tz->at_s[i] <= tz->at_s[i - 1]))
			return false;
	}
	for (size_t i = 0; i < tz->n_types; i++) {
		if (tz->offset_s[i] < -S_PER_DAY * 2 || tz->offset_s[i] > S_PER_DAY * 2)
			return false;
	}
	return tz->n_types > 0;
}

static bool parse_tzif(struct tz *tz, struct span file, const char *name, struct err *err)
{
	struct tzif_header h1, h2;
	if (!parse_header(file, &h1) || TZIF_HEADER_BYTES + block_bytes(&h1, 4) > file.n)
		return err_set(err, ERR_SYSTEM, "time zone file of %s is not TZif 2", name);
	size_t at = TZIF_HEADER_BYTES + block_bytes(&h1, 4);
	struct span rest = { file.p + at, file.n - at };
	if (!parse_header(rest, &h2) || TZIF_HEADER_BYTES + block_bytes(&h2, 8) + 2 > rest.n)
		return err_set(err, ERR_SYSTEM, "time zone file of %s is cut short", name);
	if (!copy_table(tz, &h2, (const unsigned char *)rest.p + TZIF_HEADER_BYTES))
		return err_set(err, ERR_MEMORY, "out of memory for time zone %s", name);
	const char *footer = rest.p + TZIF_HEADER_BYTES + block_bytes(&h2, 8);
	const char *end = memchr(footer + 1, '\n', (size_t)(rest.p + rest.n - footer) - 1);
	if (*footer != '\n' || !end || !is_table_sound(tz) ||
	    !parse_rule((struct span) { footer + 1, (size_t)(end - footer) - 1 }, &tz->rule))
		return err_set(err, ERR_SYSTEM, "time zone file of %s is malformed", name);
	return true;
}

/* Region/City names only: no way out of the folder. */
static bool is_zone_name(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
	size_t n = strlen(name);
	return n > 0 && n < 64 && name[0] != '/' && name[n - 1] != '/' &&
	       strspn(name, allowed) == n;
}

/* Reads at most cap bytes; -1 with errno when it cannot. */
static ssize_t read_file(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t n = 0;
	ssize_t got = 1;
	while (got > 0 && n < cap) {
		got = read(fd, buf + n, cap - n);
		if (got > 0)
			n += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	int saved = errno;
	(void)close(fd); /* read only: nothing to lose */
	errno = saved;
	return got < 0 ? -1 : (ssize_t)n;
}

static bool load_file(struct tz *tz, const char *name, struct err *err)
{
	char path[sizeof(ZONE_DIR) + 64];
	(void)snprintf(path, sizeof(path), "%s%s", ZONE_DIR, name); /* fits: is_zone_name */
	char *buf = mem_alloc(MAX_FILE_BYTES);
	if (!buf)
		return err_set(err, ERR_MEMORY, "out of memory for time zone %s", name);
	bool ok;
	ssize_t n = read_file(path, buf, MAX_FILE_BYTES);
	if (n >= 0)
		ok = parse_tzif(tz, (struct span) { buf, (size_t)n }, name, err);
	else if (errno == ENOENT || errno == ENOTDIR)
		ok = err_set(err, ERR_INPUT, "no time zone named %s (is tzdata installed?)", name);
	else
		ok = err_errno(err, ERR_SYSTEM, errno, "time zone %s", name);
	mem_free(buf);
	return ok;
}

bool tz_load(const char *name, struct tz **ret, struct err *err)
{
	if (!is_zone_name(name))
		return err_set(err, ERR_INPUT, "not a time zone name");
	struct tz *tz = mem_alloc(sizeof(*tz));
	if (!tz)
		return err_set(err, ERR_MEMORY, "out of memory for time zone %s", name);
	/* UTC works without tzdata: its rule is the zeroed one */
	tz->rule.has_rule = true;
	if (!str_eq(name, "UTC") && !load_file(tz, name, err)) {
		tz_free(tz);
		return false;
	}
	*ret = tz;
	return true;
}

void tz_free(struct tz *tz)
{
	if (!tz)
		return;
	mem_free(tz->at_s);
	mem_free(tz->type_at);
	mem_free(tz->offset_s);
	mem_free(tz);
}

/* Offset in force at s seconds since 1970 UTC. */
static int offset_at(const struct tz *tz, int64_t s)
{
	size_t n = tz->n_transitions;
	if (tz->rule.has_rule && (n == 0 || s >= tz->at_s[n - 1]))
		return rule_offset_s(&tz->rule, s);
	if (n == 0 || s < tz->at_s[0])
		return tz->offset_s[0]; /* RFC 8536 §3.2: type 0 before the table */
	size_t low = 0, high = n; /* at_s[low] <= s, at_s[high] > s */
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		if (tz->at_s[mid] <= s)
			low = mid;
		else
			high = mid;
	}
	return tz->offset_s[tz->type_at[low]];
}

static int64_t floor_s(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

int tz_offset_s(const struct tz *tz, int64_t wall_ms)
{
	return offset_at(tz, floor_s(wall_ms));
}

/* The first instant at which the local clock shows local_s, or, when it is skipped, the change. */
static int64_t first_instant(const struct tz *tz, int64_t local_s)
{
	int before = offset_at(tz, local_s - S_PER_DAY);
	int after = offset_at(tz, local_s + S_PER_DAY);
	int64_t early = local_s - (before > after ? before : after);
	int64_t late = local_s - (before > after ? after : before); /* the other reading */
	if (offset_at(tz, early) == local_s - early)
		return early;
	if (offset_at(tz, late) == local_s - late)
		return late;
	/* skipped, or the change lies between: the first instant whose clock is not behind */
	while (early < late) {
		int64_t mid = early + (late - early) / 2;
		if (mid + offset_at(tz, mid) >= local_s)
			late = mid;
		else
			early = mid + 1;
	}
	return early;
}

int64_t tz_next_minute(const struct tz *tz, int64_t after_ms, int minute_of_day)
{
	int64_t local_s = floor_s(after_ms) + tz_offset_s(tz, after_ms);
	int64_t day = local_s / S_PER_DAY - (local_s % S_PER_DAY < 0) - 1;
	for (;; day++) {
		int64_t at_ms = first_instant(tz, day * S_PER_DAY + minute_of_day * 60) * 1000;
		if (at_ms > after_ms)
			return at_ms;
	}
}
