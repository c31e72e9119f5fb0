/*
 * log.c: one JSON object per line.
 *
 * Guarantees whole lines of valid JSON and valid UTF-8, whatever the values hold: control
 * characters (C1 too, which drive terminals) are escaped, invalid bytes replaced, long lines cut
 * inside a value and marked "truncated". Does not buffer, rotate or drop: a reader that does not
 * read stops the writer.
 */
#include "base/base.h"

#include <poll.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 8192
/* What closes a cut line: room for it and a value's quote is kept free. */
#define CUT_TAIL ",\"truncated\":true}\n"

struct line {
	char text[LINE_MAX_BYTES];
	size_t n;
	bool is_cut;
};

/*
 * The process has one stdout, so its writer is the one object here that is not passed in.
 * write_lock is held across write(2): a pipe tears lines over PIPE_BUF of two writers.
 */
static struct {
	int fd;
	atomic_int level;
	atomic_uint_least64_t counts[LOG_OFF];
	pthread_mutex_t write_lock;
} sink = { .fd = STDOUT_FILENO, .level = LOG_INFO, .write_lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn",
	[LOG_ERROR] = "error", [LOG_OFF] = "off",
};

void log_init(int fd, enum log_level level)
{
	sink.fd = fd;
	atomic_store(&sink.level, (int)level);
}

bool log_is_on(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&sink.level, memory_order_relaxed) &&
	       level < LOG_OFF;
}

uint64_t log_count(enum log_level level)
{
	return level < LOG_OFF ? atomic_load(&sink.counts[level]) : 0;
}

/* False, and the line marked as cut, when the bytes do not fit. */
static bool put(struct line *line, const char *p, size_t n)
{
	if (line->is_cut || line->n + n > sizeof(line->text) - sizeof(CUT_TAIL)) {
		line->is_cut = true;
		return false;
	}
	memcpy(line->text + line->n, p, n);
	line->n += n;
	return true;
}

/* One character, escaped; *ret_n = bytes eaten. */
static bool put_char(struct line *line, struct span s, size_t *ret_n)
{
	uint32_t cp;
	size_t n = utf8_next(s, &cp);
	*ret_n = n ? n : 1;
	if (n == 0)
		return put(line, "\xEF\xBF\xBD", 3);
	if (cp == '"' || cp == '\\')
		return put(line, (char[]) { '\\', (char)cp }, 2);
	if (cp == '\n')
		return put(line, "\\n", 2);
	bool is_separator = cp == 0x2028 || cp == 0x2029;
	if (cp >= 0x20 && (cp < 0x7F || cp > 0x9F) && !is_separator)
		return put(line, s.p, n);
	char escaped[8];
	(void)snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)cp & 0xFFFFu); /* 6 bytes */
	return put(line, escaped, 6);
}

static void put_text(struct line *line, const char *text)
{
	if (!put(line, "\"", 1))
		return;
	struct span rest = span_of(text);
	while (rest.n > 0) {
		size_t n;
		if (!put_char(line, rest, &n))
			break;
		rest = (struct span) { rest.p + n, rest.n - n };
	}
	/* put() leaves room for this quote */
	line->text[line->n++] = '"';
}

static void put_field(struct line *line, const struct log_field *field)
{
	size_t start = line->n;
	struct span key = span_of(field->key);
	char number[24];
	int n = snprintf(number, sizeof(number), "%" PRId64, field->number);
	bool has_key = put(line, line->n > 1 ? ",\"" : "\"", line->n > 1 ? 2 : 1) &&
		       put(line, key.p, key.n) && put(line, "\":", 2);
	/* a field whose key, number or opening quote does not fit is left out whole */
	if (!has_key || !put(line, field->text ? "" : number, field->text ? 0 : (size_t)n)) {
		line->n = start;
		return;
	}
	if (!field->text)
		return;
	size_t before = line->n;
	put_text(line, field->text);
	if (line->n == before)
		line->n = start;
}

static void write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(sink.fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN) { /* whoever gave us stdout made it so */
			(void)poll(&(struct pollfd) { .fd = sink.fd, .events = POLLOUT }, 1, 1000);
			continue;
		}
		if (done <= 0)
			return; /* nowhere left to say it */
		p += done;
		n -= (size_t)done;
	}
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
	if (!log_is_on(level))
		return;
	char ts[CLOCK_RFC3339_MAX];
	clock_rfc3339(clock_wall_ms(), ts);
	const struct log_field head[] = { LOG_S("ts", ts), LOG_S("level", level_names[level]),
					  LOG_S("event", event) };
	struct line line;
	line.text[0] = '{';
	line.n = 1;
	line.is_cut = false;
	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		put_field(&line, &head[i]);
	for (size_t i = 0; i < n; i++)
		put_field(&line, &fields[i]);
	const char *tail = line.is_cut ? CUT_TAIL : "}\n";
	memcpy(line.text + line.n, tail, strlen(tail));
	line.n += strlen(tail);
	pthread_mutex_lock(&sink.write_lock);
	write_all(line.text, line.n);
	pthread_mutex_unlock(&sink.write_lock);
	atomic_fetch_add(&sink.counts[level], 1);
}

void log_err(enum log_level level, const char *event, const struct err *err)
{
	log_event(level, event, LOG_S("code", err_code_name(err->code)),
		  LOG_S("reason", err->reason), LOG_S("subject", err->subject),
		  LOG_S("message", err->message), LOG_I("upstream_status", err->upstream_status));
}
