/*
 * multipart.c: writes multipart/form-data. Names and file names are quoted as browsers do it: a
 * quote or a line break in one becomes %22, %0D, %0A, so that none can end its line. Reads nothing.
 */
#include "base/base.h"
#include "codec/multipart.h"

#include "base/strbuf.h"
#include "codec/sign.h"

#define HEAD_MAX ((size_t)1024) /* of one part, beside its names and type */

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

static void add_part(struct strbuf *sb, const char *boundary, const struct multipart_part *p)
{
	strbuf_addf(sb, "--%s\r\nContent-Disposition: form-data; name=", boundary);
	add_quoted(sb, p->name);
	if (p->filename) {
		strbuf_addstr(sb, "; filename=");
		add_quoted(sb, p->filename);
	}
	if (p->content_type)
		strbuf_addf(sb, "\r\nContent-Type: %s", p->content_type);
	strbuf_addstr(sb, "\r\n\r\n");
	strbuf_addspan(sb, p->value);
	strbuf_addstr(sb, "\r\n");
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

bool multipart_write(struct arena *arena, const struct multipart_part *parts, size_t n,
		     struct span *ret_body, const char **ret_type, struct err *err)
{
	const char *text;
	const char *boundary = make_boundary(arena, parts, n);
	const char *type =
		boundary ? arena_printf(arena, "multipart/form-data; boundary=%s", boundary) : NULL;
	size_t max = HEAD_MAX;
	if (!type)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++)
		max += HEAD_MAX + parts[i].value.n + 3 * strlen(parts[i].name) +
		       3 * (parts[i].filename ? strlen(parts[i].filename) : 0);
	struct strbuf sb = STRBUF_INIT(arena, max);
	for (size_t i = 0; i < n; i++)
		add_part(&sb, boundary, &parts[i]);
	strbuf_addf(&sb, "--%s--\r\n", boundary);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret_body = strbuf_span(&sb);
	*ret_type = type;
	return true;
}
