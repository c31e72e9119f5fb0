/*
 * log.h: one JSON object per line on stdout. Thread-safe; a line is one write, and cannot be
 *injected into.
 *
 *	log_event(LOG_INFO, "transfer_done", LOG_S("transfer", id), LOG_I("ms", 12));
 *
 * http, worker and main log; everything below returns errors and logs at debug only (STYLE §9).
 *Never bodies or secrets.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"
#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

struct log_field {
	const char *key;
	const char *text; /* NULL: number */
	int64_t number;
};

/* NULL is written as "". */
static inline struct log_field log_text(const char *key, const char *text)
{
	return (struct log_field) { key, text ? text : "", 0 };
}

#define LOG_S(k, v) log_text((k), (v))
#define LOG_I(k, v) ((struct log_field) { (k), NULL, (v) })

/* Main thread, before any other thread. fd is not closed. */
void log_init(int fd, enum log_level level);
bool log_is_on(enum log_level level);

/* Truncates a line at 8 KiB. Invalid UTF-8 in values is replaced. Fields: ts, level, event, then
 * those given. */
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);
#define log_event(level, event, ...)                                            \
	log_write((level), (event), (const struct log_field[]) { __VA_ARGS__ }, \
		  sizeof((const struct log_field[]) { __VA_ARGS__ }) / sizeof(struct log_field))
/* The fields of an error (code, reason, message, upstream status) under an event. */
void log_err(enum log_level level, const char *event, const struct err *err);

/* Lines written since start, by level (for metrics). */
uint64_t log_count(enum log_level level);

#endif
