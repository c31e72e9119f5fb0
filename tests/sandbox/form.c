/*
 * maventa_form.c: multipart/form-data as a server reads it (RFC 7578), on its own: nothing of the
 * service's writer is used, so that one mistake is not made twice.
 */
#include "base/base.h"

#include "maventa.h"

static struct span after(struct span s, size_t n)
{
	return (struct span) { s.p + n, s.n - n };
}

/* Value of a parameter of a header line, `; name="value"`; NULL when it has none. */
static const char *parameter(struct arena *arena, const char *line, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = line; (p = strcasestr(p, name)); p += n) {
		if (p == line || (p[-1] != ' ' && p[-1] != ';') || p[n] != '=')
			continue;
		p += n + 1;
		if (*p != '"')
			return arena_memdup(arena, p, strcspn(p, "; \t"));
		return arena_memdup(arena, p + 1, strcspn(p + 1, "\""));
	}
	return NULL;
}

/* The head of one part, lines up to an empty one; *rest moves behind it. */
static bool read_head(struct arena *arena, struct span *rest, struct mv_field *ret)
{
	for (;;) {
		const char *eol = memmem(rest->p, rest->n, "\r\n", 2);
		if (!eol)
			return false;
		size_t n = (size_t)(eol - rest->p);
		char *line = arena_memdup(arena, rest->p, n);
		*rest = after(*rest, n + 2);
		if (!line)
			return false;
		if (n == 0)
			return ret->name != NULL;
		if (strncasecmp(line, "Content-Disposition:", 20) != 0)
			continue;
		ret->name = parameter(arena, line, "name");
		ret->filename = parameter(arena, line, "filename");
	}
}

bool mv_form_parse(struct call *c, struct mv_form *ret)
{
	const char *type = call_header(c, "Content-Type");
	const char *boundary = type && strncasecmp(type, "multipart/form-data", 19) == 0
				       ? parameter(c->arena, type, "boundary")
				       : NULL;
	const char *mark = boundary ? arena_printf(c->arena, "\r\n--%s", boundary) : NULL;
	ret->n = 0;
	if (!mark || !boundary[0])
		return false;
	size_t n = strlen(mark);
	struct span rest = c->body;
	if (rest.n < n || memcmp(rest.p, mark + 2, n - 2) != 0)
		return false;
	rest = after(rest, n - 2);
	while (rest.n >= 2 && memcmp(rest.p, "\r\n", 2) == 0 && ret->n < MV_FIELDS_MAX) {
		struct mv_field *f = &ret->fields[ret->n++];
		rest = after(rest, 2);
		*f = (struct mv_field) { .name = NULL };
		if (!read_head(c->arena, &rest, f))
			return false;
		const char *end = memmem(rest.p, rest.n, mark, n);
		if (!end)
			return false;
		f->value = (struct span) { rest.p, (size_t)(end - rest.p) };
		rest = after(rest, f->value.n + n);
	}
	return rest.n >= 2 && memcmp(rest.p, "--", 2) == 0;
}

const struct mv_field *mv_form_field(const struct mv_form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->fields[i].name, name) == 0)
			return &f->fields[i];
	return NULL;
}

const char *mv_form_text(struct arena *arena, const struct mv_form *f, const char *name)
{
	const struct mv_field *field = mv_form_field(f, name);
	const char *text = field ? arena_memdup(arena, field->value.p, field->value.n) : NULL;
	return text ? text : "";
}
