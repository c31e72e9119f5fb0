/*
 * http_reply.c: gathers a reply while curl reads it. Guarantees that neither the number and size of
 * headers nor the decoded size of the body goes past its cap, whatever the server claims, and that
 * headers behind the body (trailers) and of interim answers (1xx) are not taken for the reply's
 * own. Leaves nothing of a body behind but the copy in the arena. Judges nothing.
 */
#include "base/base.h"
#include "http_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/secret.h"

#define MAX_HEADERS 128
#define MAX_HEADER_BYTES (64u << 10)
#define FIRST_BODY_CAP (16u << 10)
#define KEEP_BODY_CAP (1u << 20) /* a larger buffer is not kept for the next reply */
#define MAX_RETRY_AFTER_MS (INT64_C(30) * 24 * 3600 * 1000)

void http_inbox_start(struct http_inbox *in, struct arena *arena, size_t max_body_bytes)
{
	if (in->body_cap > KEEP_BODY_CAP)
		http_inbox_release(in);
	*in = (struct http_inbox) { .arena = arena,
				    .max_body_bytes = max_body_bytes,
				    .body = in->body,
				    .body_cap = in->body_cap };
}

void http_inbox_release(struct http_inbox *in)
{
	mem_free_wiped(in->body, in->body_cap);
	in->body = NULL;
	in->body_cap = in->n_body = 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

/* "HTTP/1.1 200 OK" */
static int status_of_line(struct span line)
{
	const char *blank = memchr(line.p, ' ', line.n);
	const char *end = line.p + line.n;
	int status = 0;
	for (int i = 1; blank && i <= 3; i++) {
		if (blank + i >= end || blank[i] < '0' || blank[i] > '9')
			return 0;
		status = status * 10 + (blank[i] - '0');
	}
	return status;
}

static bool add_header(struct http_inbox *in, struct span line)
{
	const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
	if (!colon || !http_is_token((struct span) { line.p, (size_t)(colon - line.p) }) ||
	    memchr(line.p, '\0', line.n))
		return true; /* dropped: no header, or an old folded line */
	if (in->n_headers == MAX_HEADERS)
		return false;
	if (!in->headers)
		in->headers = arena_alloc_array(in->arena, MAX_HEADERS, sizeof(*in->headers));
	size_t n = (size_t)(colon - line.p);
	struct span value = trim((struct span) { colon + 1, line.n - n - 1 });
	char *name = arena_memdup(in->arena, line.p, n);
	char *text = arena_memdup(in->arena, value.p, value.n);
	if (!in->headers || !name || !text)
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] |= 0x20;
	in->headers[in->n_headers++] = (struct http_header) { name, text };
	return true;
}

size_t http_inbox_header(char *p, size_t size, size_t n, void *inbox)
{
	struct http_inbox *in = inbox;
	struct span line = { p, size * n };
	bool ok = true;
	in->header_bytes += line.n;
	if (in->header_bytes > MAX_HEADER_BYTES) {
		ok = false;
	} else if (line.n > 5 && memcmp(p, "HTTP/", 5) == 0 &&
		   !(in->has_head && in->status >= 200)) {
		in->status = status_of_line(line);
		in->n_headers = 0;
		in->has_head = false;
	} else if (trim(line).n == 0) {
		in->has_head = true;
	} else if (!in->has_head) {
		ok = add_header(in, line);
	}
	in->is_too_large |= !ok;
	return ok ? line.n : 0;
}

static bool reserve(struct http_inbox *in, size_t want)
{
	if (want <= in->body_cap)
		return true;
	size_t cap = in->body_cap ? in->body_cap : FIRST_BODY_CAP;
	while (cap < want)
		cap *= 2;
	char *grown = mem_alloc(cap);
	if (!grown)
		return false;
	if (in->n_body)
		memcpy(grown, in->body, in->n_body);
	mem_free_wiped(in->body, in->body_cap);
	in->body = grown;
	in->body_cap = cap;
	return true;
}

size_t http_inbox_body(char *p, size_t size, size_t n, void *inbox)
{
	struct http_inbox *in = inbox;
	size_t add = size * n;
	if (add > in->max_body_bytes - in->n_body || !reserve(in, in->n_body + add)) {
		in->is_too_large = true;
		return 0;
	}
	if (add)
		memcpy(in->body + in->n_body, p, add);
	in->n_body += add;
	return add;
}

const char *http_reply_header(const struct http_reply *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

/*
 * RFC 9110 §10.2.3: seconds, or a date. A date is held against the reply's own Date, so that a
 * clock that differs from the vendor's costs nothing.
 */
static int64_t retry_after_ms(const struct http_reply *r)
{
	const char *text = http_reply_header(r, "retry-after");
	const char *date = http_reply_header(r, "date");
	int64_t at, now, ms = 0;
	if (!text || !text[0])
		return -1;
	size_t digits = strspn(text, "0123456789");
	if (text[digits] == '\0') {
		ms = digits > 9 ? MAX_RETRY_AFTER_MS : strtoll(text, NULL, 10) * 1000;
	} else {
		if (!clock_parse_http_date(span_of(text), &at))
			return -1;
		if (!date || !clock_parse_http_date(span_of(date), &now))
			now = clock_wall_ms();
		ms = at > now ? at - now : 0;
	}
	return ms < MAX_RETRY_AFTER_MS ? ms : MAX_RETRY_AFTER_MS;
}

bool http_inbox_finish(struct http_inbox *in, struct http_reply *ret)
{
	char *body = arena_memdup(in->arena, in->body ? in->body : "", in->n_body);
	if (in->body)
		secret_wipe(in->body, in->n_body); /* a login's answer is a secret */
	if (!body)
		return false;
	struct http_reply r = { .status = in->status,
				.body = { body, in->n_body },
				.headers = in->headers,
				.n_headers = in->n_headers };
	const char *type = http_reply_header(&r, "content-type");
	r.content_type = type ? type : "";
	r.retry_after_ms = retry_after_ms(&r);
	*ret = r;
	return true;
}
