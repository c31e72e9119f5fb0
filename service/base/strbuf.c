/*
 * strbuf.c: a growing text in an arena, capped at birth.
 *
 * Guarantees that the text is NUL-terminated after every call and that a failure sticks until
 * strbuf_clear. Does not give memory back: an outgrown buffer stays in the arena (at most as much
 * again as the final text).
 */
#include "base/base.h"

#include "base/secret.h"
#include "base/strbuf.h"

#define FIRST_CAP 64

/* Room for `more` bytes and a NUL. */
static bool reserve(struct strbuf *sb, size_t more)
{
	if (sb->failed)
		return false;
	if (more > sb->max - sb->n) {
		sb->failed = true;
		return false;
	}
	size_t need = sb->n + more + 1;
	if (need <= sb->cap)
		return true;
	size_t cap = sb->cap ? 2 * sb->cap : FIRST_CAP;
	if (cap - 1 > sb->max)
		cap = sb->max + 1;
	if (cap < need)
		cap = need;
	char *p = arena_alloc(sb->arena, cap);
	if (!p) {
		sb->failed = true;
		return false;
	}
	if (sb->n)
		memcpy(p, sb->p, sb->n);
	sb->p = p;
	sb->cap = cap;
	return true;
}

void strbuf_add(struct strbuf *sb, const void *p, size_t n)
{
	if (n == 0 || !reserve(sb, n))
		return;
	memcpy(sb->p + sb->n, p, n);
	sb->n += n;
	sb->p[sb->n] = '\0';
}

void strbuf_addspan(struct strbuf *sb, struct span s)
{
	strbuf_add(sb, s.p, s.n);
}

void strbuf_addstr(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addch(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	secret_wipe_stack();
	if (n < 0) {
		sb->failed = true;
		return;
	}
	if (n == 0 || !reserve(sb, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(sb->p + sb->n, (size_t)n + 1, fmt, ap); /* measured above */
	va_end(ap);
	sb->n += (size_t)n;
}

void strbuf_addint(struct strbuf *sb, int64_t v)
{
	strbuf_addf(sb, "%" PRId64, v);
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void strbuf_add_urlencoded(struct strbuf *sb, const char *s)
{
	strbuf_add_urlencoded_span(sb, span_of(s));
}

void strbuf_add_urlencoded_span(struct strbuf *sb, struct span s)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_unreserved(c))
			strbuf_addch(sb, (char)c);
		else
			strbuf_add(sb, (char[]) { '%', hex[c >> 4], hex[c & 15] }, 3);
	}
}

void strbuf_clear(struct strbuf *sb)
{
	sb->n = 0;
	sb->failed = false;
	if (sb->p)
		sb->p[0] = '\0';
}

struct span strbuf_span(const struct strbuf *sb)
{
	return sb->p ? (struct span) { sb->p, sb->n } : SPAN_LIT("");
}

bool strbuf_finish(struct strbuf *sb, const char **ret, struct err *err)
{
	if (sb->failed)
		return err_set(err, ERR_LIMIT, "text over %zu bytes, or memory cap reached",
			       sb->max);
	*ret = strbuf_span(sb).p;
	return true;
}
