/*
 * form.c: forms as a server reads them (RFC 7578, urlencoded), on its own: nothing of the service's
 * writers is used, so that one mistake is not made twice.
 */
#include "base/base.h"

#include "form.h"

#include "call.h"

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
static bool read_head(struct arena *arena, struct span *rest, struct form_field *ret)
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

bool form_parse(struct call *c, struct form *ret)
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
	while (rest.n >= 2 && memcmp(rest.p, "\r\n", 2) == 0 && ret->n < FORM_FIELDS_MAX) {
		struct form_field *f = &ret->fields[ret->n++];
		rest = after(rest, 2);
		*f = (struct form_field) { .name = NULL };
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

const struct form_field *form_field(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->fields[i].name, name) == 0)
			return &f->fields[i];
	return NULL;
}

const char *form_text(struct arena *arena, const struct form *f, const char *name)
{
	const struct form_field *field = form_field(f, name);
	const char *text = field ? arena_memdup(arena, field->value.p, field->value.n) : NULL;
	return text ? text : "";
}

/* ---- urlencoded ---------------------------------------------------------------------------- */

static int hex_digit(char ch)
{
	const char *digits = "0123456789abcdef";
	const char *at = ch ? strchr(digits, ch | 0x20) : NULL;
	return at ? (int)(at - digits) : -1;
}

static const char *decode(struct arena *arena, struct span s)
{
	char *out = arena_alloc(arena, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; out && i < s.n; i++) {
		char ch = s.p[i] == '+' ? ' ' : s.p[i];
		if (ch == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 &&
		    hex_digit(s.p[i + 2]) >= 0) {
			ch = (char)(hex_digit(s.p[i + 1]) * 16 + hex_digit(s.p[i + 2]));
			i += 2;
		}
		out[n++] = ch;
	}
	return out;
}

const char *form_value(struct arena *arena, struct span body, const char *name)
{
	const char *p = body.p, *end = body.p + body.n;
	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		const char *stop = amp ? amp : end;
		const char *eq = memchr(p, '=', (size_t)(stop - p));
		if (eq && (size_t)(eq - p) == strlen(name) && memcmp(p, name, strlen(name)) == 0)
			return decode(arena, (struct span) { eq + 1, (size_t)(stop - eq - 1) });
		p = stop + 1;
	}
	return NULL;
}
