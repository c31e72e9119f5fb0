/*
 * strbuf.h: text we build. A maximum at birth, errors stick, one check at the end. Grows in an
 * arena.
 *
 * Not thread-safe. Nothing is allocated before the first byte.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"

struct decimal;

struct strbuf {
	struct arena *arena;
	char *p;
	size_t n, cap, max;
	bool failed; /* went past max or the arena's cap */
};

#define STRBUF_INIT(a, max_bytes)                \
	{                                        \
		.arena = (a), .max = (max_bytes) \
	}

void strbuf_add(struct strbuf *sb, const void *p, size_t n);
void strbuf_addspan(struct strbuf *sb, struct span s);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_addint(struct strbuf *sb, int64_t v);
/* RFC 3986 unreserved characters stay, all else becomes %XX. */
void strbuf_add_urlencoded(struct strbuf *sb, const char *s);
void strbuf_add_urlencoded_span(struct strbuf *sb, struct span s);
void strbuf_clear(struct strbuf *sb);

/* The bytes so far; p is NUL-terminated. Meaningless after a failure. */
struct span strbuf_span(const struct strbuf *sb);
/* *ret = NUL-terminated text in the arena; false with ERR_LIMIT when anything failed on the way. */
bool strbuf_finish(struct strbuf *sb, const char **ret, struct err *err) MUST_CHECK;

#endif
