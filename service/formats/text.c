/* text.c: cleaning and cutting free text, declared in text.h. Pure; knows no format. */
#include "base/base.h"
#include "formats/text.h"

#include "base/utf8.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_clean_line(const char *s)
{
	if (is_blank(*s))
		return false;
	for (; *s; s++)
		if (is_blank(*s) && (*s != ' ' || is_blank(s[1]) || !s[1]))
			return false;
	return true;
}

const char *text_line(struct arena *arena, const char *s)
{
	if (!s || !s[strspn(s, " \t\r\n")])
		return NULL;
	if (is_clean_line(s))
		return s;
	char *ret = arena_strdup(arena, s), *to = ret;
	if (!ret)
		return NULL;
	for (const char *p = ret; *p; p++)
		if (!is_blank(*p))
			*to++ = *p;
		else if (to > ret && to[-1] != ' ')
			*to++ = ' ';
	if (to[-1] == ' ')
		to--;
	*to = '\0';
	return ret;
}

const char *text_block(struct arena *arena, const char *s)
{
	if (!s || !s[strspn(s, " \t\r\n")])
		return NULL;
	char *ret = arena_strdup(arena, s + strspn(s, " \t\r\n")), *to = ret;
	if (!ret)
		return NULL;
	for (const char *p = ret; *p; p++) {
		if (*p == '\r')
			continue;
		if (*p == '\n')
			while (to[-1] == ' ')
				to--;
		*to++ = *p == '\t' ? ' ' : *p;
	}
	while (is_blank(to[-1]))
		to--;
	*to = '\0';
	return ret;
}

const char *text_join(struct arena *arena, const char *a, const char *sep, const char *b)
{
	if (!a || !b)
		return a ? a : b;
	return arena_printf(arena, "%s%s%s", a, sep, b);
}

static struct span trimmed(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = (struct span) { s.p + 1, s.n - 1 };
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Where a piece of at most n bytes of a longer line ends: behind the last blank before n, or at n
 * where that would leave a single character. */
static size_t word_border(struct span s, size_t n)
{
	for (size_t at = n; at > 0; at--)
		if (s.p[at - 1] == ' ' || s.p[at] == ' ')
			return utf8_length(trimmed((struct span) { s.p, at })) > 1 ? at : n;
	return n;
}

/* Bytes of the line's first piece; never so that a single character is left of the line. */
static size_t piece_end(struct span line, size_t max)
{
	size_t n = utf8_prefix(line, max);
	if (n == 0)
		return line.n; /* not UTF-8: left whole, for the writer to refuse */
	if (n == line.n)
		return n;
	n = word_border(line, n);
	if (max > 3 && utf8_length(trimmed((struct span) { line.p + n, line.n - n })) == 1)
		n = word_border(line, utf8_prefix(line, max - 2));
	return n;
}

struct span text_piece(struct span *rest, size_t max)
{
	while (rest->n > 0 && is_blank(rest->p[0]))
		*rest = (struct span) { rest->p + 1, rest->n - 1 };
	const char *line_end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct span line = { rest->p, line_end ? (size_t)(line_end - rest->p) : rest->n };
	size_t n = line.n ? piece_end(line, max) : 0;
	*rest = (struct span) { rest->p + n, rest->n - n };
	return trimmed((struct span) { line.p, n });
}

size_t text_length(const char *s)
{
	ssize_t n = utf8_length(span_of(s));
	return n < 0 ? strlen(s) : (size_t)n;
}

const struct words *words_of(const char *language, const char *country_code)
{
	static const struct {
		const char *language, *country;
		struct words words;
	} all[] = {
		{ "en",
		  "",
		  { "INVOICE", "CREDIT NOTE", "days net", "Overdue interest", "Discount",
		    "Unit" } },
		{ "fi",
		  "FI",
		  { "LASKU", "HYVITYSLASKU", "päivää netto", "Viivästyskorko", "Alennus",
		    "Yksikkö" } },
		{ "sv",
		  "SE",
		  { "FAKTURA", "KREDITFAKTURA", "dagar netto", "Dröjsmålsränta", "Rabatt",
		    "Enhet" } },
		{ "nb",
		  "NO",
		  { "FAKTURA", "KREDITNOTA", "dager netto", "Forsinkelsesrente", "Rabatt",
		    "Enhet" } },
	};
	if (language && (strcasecmp(language, "no") == 0 || strcasecmp(language, "nn") == 0))
		language = "nb";
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (language ? strncasecmp(language, all[i].language, 2) == 0
			     : str_eq(country_code, all[i].country))
			return &all[i].words;
	return &all[0].words;
}
