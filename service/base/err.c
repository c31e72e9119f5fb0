/*
 * err.c: fills struct err.
 *
 * Guarantees that every text in it is cut on a character border and that an argument may point into
 * the error that is being set. Does not allocate and does not log.
 */
#include "base/base.h"

#include "base/err.h"
#include "base/utf8.h"

const char *err_code_name(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return "none";
	case ERR_INPUT:
		return "input";
	case ERR_NOT_FOUND:
		return "not_found";
	case ERR_CONFLICT:
		return "conflict";
	case ERR_LIMIT:
		return "limit";
	case ERR_MEMORY:
		return "memory";
	case ERR_DATA:
		return "data";
	case ERR_DUPLICATE:
		return "duplicate";
	case ERR_CREDENTIALS:
		return "credentials";
	case ERR_QUOTA:
		return "quota";
	case ERR_OUTAGE:
		return "outage";
	case ERR_DOUBT:
		return "doubt";
	case ERR_LEASE:
		return "lease";
	case ERR_BUSY:
		return "busy";
	case ERR_WAITING:
		return "waiting";
	case ERR_SYSTEM:
		return "system";
	}
	return "unknown";
}

/*
 * Copies text into a field of `cap` bytes: invalid bytes and NULs become U+FFFD, and what does not
 * fit is cut on a character border.
 */
static void put_clean(char *to, size_t cap, struct span text)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	size_t out = 0;
	while (text.n > 0) {
		uint32_t cp = 0;
		size_t n = utf8_next(text, &cp);
		bool is_bad = n == 0 || cp == 0;
		const char *from = is_bad ? replacement : text.p;
		size_t bytes = is_bad ? sizeof(replacement) - 1 : n;
		if (out + bytes >= cap)
			break;
		memcpy(to + out, from, bytes);
		out += bytes;
		n += n == 0;
		text = (struct span) { text.p + n, text.n - n };
	}
	to[out] = '\0';
}

/* printf into a field; the arguments may point into it. */
static void PRINTF_LIKE(3, 0) put_vf(char *to, size_t cap, const char *fmt, va_list ap)
{
	char text[sizeof(((struct err *)0)->target_text) + 512];
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	put_clean(to, cap, n < 0 ? SPAN_LIT("") : span_of(text));
}

static void PRINTF_LIKE(5, 0) set_all(struct err *err, enum err_code code, const char *reason,
				      const char *subject, const char *fmt, va_list ap)
{
	struct err fresh = { .code = code, .retry_after_ms = -1, .reason = reason };
	if (subject)
		put_clean(fresh.subject, sizeof(fresh.subject), span_of(subject));
	put_vf(fresh.message, sizeof(fresh.message), fmt, ap);
	*err = fresh;
}

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	if (!err)
		return false;
	va_list ap;
	va_start(ap, fmt);
	set_all(err, code, NULL, NULL, fmt, ap);
	va_end(ap);
	return false;
}

bool err_reason(struct err *err, enum err_code code, const char *reason, const char *subject,
		const char *fmt, ...)
{
	if (!err)
		return false;
	va_list ap;
	va_start(ap, fmt);
	set_all(err, code, reason, subject, fmt, ap);
	va_end(ap);
	return false;
}

/* before + between + after into err->message, where any part may be the message itself. */
static void join_message(struct err *err, const char *before, const char *between,
			 const char *after)
{
	char text[2 * sizeof(err->message) + 8];
	(void)snprintf(text, sizeof(text), "%s%s%s", before, between, after); /* may be cut */
	put_clean(err->message, sizeof(err->message), span_of(text));
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
	if (!err)
		return false;
	char context[sizeof(err->message)];
	va_list ap;
	va_start(ap, fmt);
	put_vf(context, sizeof(context), fmt, ap);
	va_end(ap);
	join_message(err, context, err->message[0] ? ": " : "", err->message);
	return false;
}

bool err_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
{
	if (!err)
		return false;
	va_list ap;
	va_start(ap, fmt);
	set_all(err, code, NULL, NULL, fmt, ap);
	va_end(ap);
	char buf[128];
	const char *text = strerror_r(errnum, buf, sizeof(buf)); /* the GNU one: never NULL */
	join_message(err, err->message, ": ", text);
	return false;
}

void err_target_text(struct err *err, struct span text)
{
	if (err)
		put_clean(err->target_text, sizeof(err->target_text), text);
}

void err_pointer(struct err *err, const char *fmt, ...)
{
	if (!err)
		return;
	va_list ap;
	va_start(ap, fmt);
	put_vf(err->pointer, sizeof(err->pointer), fmt, ap);
	va_end(ap);
}
