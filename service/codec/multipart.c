/*
 * multipart.c: writes multipart/form-data. Names and file names are quoted as browsers do it: a
 * quote or a line break in one becomes %22, %0D, %0A, so that none can end its line. Reads nothing.
 */
#include "base/base.h"
#include "codec/multipart.h"

#include "base/strbuf.h"
#include "codec/sign.h"

#define HEAD_MAX ((size_t)1024) /* of one part, beside its names */

static void add_quoted(struct strbuf *sb, const char *text)
{
	strbuf_addch(sb, '"');
	for (; *text; text++) {
		if (*text == '"')
			strbuf_addstr(sb, "%22");
		else if (*text == '\r')
			strbuf_addstr(sb, "%0D");
		else if (*text == '\n')
			strbuf_addstr(sb, "%0A");
		else
			strbuf_addch(sb, *text);
	}
	strbuf_addch(sb, '"');
}

/* All of a part before its value. */
static bool make_head(struct arena *arena, const char *boundary, const struct multipart_part *p,
		      struct span *ret, struct err *err)
{
	size_t names = strlen(p->name) + (p->filename ? strlen(p->filename) : 0);
	struct strbuf sb = STRBUF_INIT(arena, HEAD_MAX + 3 * names);
	const char *text;
	strbuf_addf(&sb, "--%s\r\nContent-Disposition: form-data; name=", boundary);
	add_quoted(&sb, p->name);
	if (p->filename) {
		strbuf_addstr(&sb, "; filename=");
		add_quoted(&sb, p->filename);
	}
	if (p->content_type)
		strbuf_addf(&sb, "\r\nContent-Type: %s", p->content_type);
	strbuf_addstr(&sb, "\r\n\r\n");
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

static bool stands_in(const struct multipart_part *parts, size_t n, const char *boundary)
{
	for (size_t i = 0; i < n; i++)
		if (memmem(parts[i].value.p, parts[i].value.n, boundary, strlen(boundary)))
			return true;
	return false;
}

/* A digest of the content; one that stands in the content makes room for the next. NULL: no memory.
 */
static const char *make_boundary(struct arena *arena, const struct multipart_part *parts, size_t n)
{
	const char *boundary = NULL;
	for (int count = 0; !boundary || stands_in(parts, n, boundary); count++) {
		unsigned char digest[SHA256_BYTES];
		char hex[2 * SHA256_BYTES + 1];
		struct sha256_stream s;
		if (!sha256_stream_init(&s))
			return NULL;
		sha256_stream_add(&s, (struct span) { (const char *)&count, sizeof(count) });
		for (size_t i = 0; i < n; i++)
			sha256_stream_add(&s, parts[i].value);
		sha256_stream_finish(&s, digest);
		sign_hex(digest, sizeof(digest), hex);
		boundary = arena_printf(arena, "viesti-%.32s", hex);
		if (!boundary)
			return NULL;
	}
	return boundary;
}

static char *copy(char *to, struct span from)
{
	if (from.n)
		memcpy(to, from.p, from.n);
	return to + from.n;
}

/* Sized before it is filled: files are large, and an arena keeps what a buffer outgrows. */
bool multipart_write(struct arena *arena, const struct multipart_part *parts, size_t n,
		     struct span *ret_body, const char **ret_type, struct err *err)
{
	const struct span eol = SPAN_LIT("\r\n");
	struct span *heads = arena_alloc_array(arena, n + 1, sizeof(*heads));
	const char *boundary = make_boundary(arena, parts, n);
	const char *tail = boundary ? arena_printf(arena, "--%s--\r\n", boundary) : NULL;
	const char *type = tail ? arena_printf(arena, "multipart/form-data; boundary=%s", boundary)
				: NULL;
	if (!heads || !type)
		return err_set(err, ERR_LIMIT, "arena full");
	size_t size = strlen(tail);
	for (size_t i = 0; i < n; i++) {
		if (!make_head(arena, boundary, &parts[i], &heads[i], err))
			return false;
		size += heads[i].n + parts[i].value.n + eol.n;
	}
	char *body = arena_alloc(arena, size);
	if (!body)
		return err_set(err, ERR_LIMIT, "arena full");
	char *at = body;
	for (size_t i = 0; i < n; i++)
		at = copy(copy(copy(at, heads[i]), parts[i].value), eol);
	copy(at, span_of(tail));
	*ret_body = (struct span) { body, size };
	*ret_type = type;
	return true;
}
