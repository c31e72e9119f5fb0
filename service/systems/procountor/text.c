/*
 * text.c: a JSON body written field by field, each value held against what Procountor takes: the
 * characters of Windows-1252, so many of them, so many decimals (facts/procountor.md §4, 6.2,
 * 10.10). What does not fit is refused with the field's name; nothing is cut off or rounded.
 */
#include "base/base.h"
#include "procountor_internal.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "formats/text.h"

/* ---- characters ---------------------------------------------------------------------------- */

/* What Windows-1252 has at 0x80 to 0x9F; elsewhere it is Latin-1. */
static const uint16_t upper_half[] = {
	0x20AC, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030,
	0x0160, 0x2039, 0x0152, 0x017D, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
	0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x017E, 0x0178,
};

static bool is_taken(uint32_t cp, bool is_block)
{
	if (cp < 0x20)
		return is_block && (cp == '\n' || cp == '\t');
	if (cp < 0x7F || (cp >= 0xA0 && cp <= 0xFF))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(upper_half); i++)
		if (upper_half[i] == cp)
			return true;
	return false;
}

struct span procountor_misfit(struct span text, bool is_block)
{
	while (text.n) {
		uint32_t cp;
		size_t n = utf8_next(text, &cp);
		if (!n || !is_taken(cp, is_block))
			break;
		text.p += n;
		text.n -= n;
	}
	return text;
}

/* ---- the form ------------------------------------------------------------------------------ */

void procountor_form_fail(struct procountor_form *f, const char *reason, const char *key,
			  const char *detail)
{
	if (f->failed)
		return;
	f->failed = true;
	char subject[160];
	snprintf(subject, sizeof(subject), "%s%s%s%s", f->place, key, detail[0] ? ": " : "",
		 detail);
	err_reason(f->err, ERR_DATA, reason, subject, "Procountor cannot take %s", subject);
	if (f->err)
		err_pointer(f->err, "%s%s", f->place, key);
}

void procountor_form_begin(struct procountor_form *f)
{
	f->w.out = &f->sb;
	f->refusals = arena_refusals(f->sb.arena);
	jsonw_object(&f->w);
}

bool procountor_form_end(struct procountor_form *f, struct span *ret)
{
	const char *text;
	jsonw_end_object(&f->w);
	/* A text that did not fit looks like one that is missing: first this. */
	if (arena_refusals(f->sb.arena) != f->refusals)
		return err_set(f->err, ERR_LIMIT, "arena full");
	if (f->failed || !strbuf_finish(&f->sb, &text, f->err))
		return false;
	*ret = strbuf_span(&f->sb);
	return true;
}

void procountor_form_open(struct procountor_form *f, const char *key)
{
	size_t n = strlen(f->place);
	jsonw_key(&f->w, key);
	jsonw_object(&f->w);
	assert(n + strlen(key) + 2 <= sizeof(f->place));
	snprintf(f->place + n, sizeof(f->place) - n, "%s.", key);
}

/* "a.b." is "a." again. */
void procountor_form_close(struct procountor_form *f)
{
	size_t n = strlen(f->place);
	jsonw_end_object(&f->w);
	assert(n > 0);
	for (n--; n > 0 && f->place[n - 1] != '.';)
		n--;
	f->place[n] = '\0';
}

void procountor_form_list(struct procountor_form *f, const char *key)
{
	jsonw_key(&f->w, key);
	jsonw_array(&f->w);
}

void procountor_form_item(struct procountor_form *f, const char *key, size_t i)
{
	jsonw_object(&f->w);
	snprintf(f->place, sizeof(f->place), "%s[%zu].", key, i);
}

/* "Ŕ U+0154"; what cannot be shown, by its number alone. */
static const char *describe(struct span bad, char buf[32])
{
	uint32_t cp = 0xFFFD;
	size_t n = utf8_next(bad, &cp);
	int shown = cp > 0xA0 ? (int)n : 0;
	snprintf(buf, 32, "%.*s%sU+%04" PRIX32, shown, bad.p, shown ? " " : "", cp);
	return buf;
}

static void check_text(struct procountor_form *f, const char *key, struct span text, size_t max,
		       bool is_block)
{
	char detail[64];
	struct span bad = procountor_misfit(text, is_block);
	ssize_t n = utf8_length(text);
	if (bad.n) {
		procountor_form_fail(f, "character_unsupported", key, describe(bad, detail));
	} else if (max && n > (ssize_t)max) {
		snprintf(detail, sizeof(detail), "%zd > %zu", n, max);
		procountor_form_fail(f, "field_too_long", key, detail);
	}
}

void procountor_put(struct procountor_form *f, const char *key, const char *text, size_t max)
{
	const char *line = text_line(f->sb.arena, text);
	if (!line)
		return;
	check_text(f, key, span_of(line), max, false);
	jsonw_kstr(&f->w, key, line);
}

void procountor_put_needed(struct procountor_form *f, const char *key, const char *text, size_t max)
{
	if (!text || !text[strspn(text, " \t\r\n")])
		procountor_form_fail(f, "field_missing", key, "");
	procountor_put(f, key, text, max);
}

void procountor_put_block(struct procountor_form *f, const char *key, struct span text, size_t max)
{
	if (!text.n)
		return;
	check_text(f, key, text, max, true);
	jsonw_key(&f->w, key);
	jsonw_span(&f->w, text);
}

void procountor_put_number(struct procountor_form *f, const char *key, struct decimal d,
			   unsigned decimals)
{
	char text[DECIMAL_TEXT_MAX];
	if (!decimal_fits_scale(d, decimals))
		procountor_form_fail(f, "number_too_precise", key, decimal_format(d, 0, '.', text));
	jsonw_key(&f->w, key);
	jsonw_decimal(&f->w, decimal_normalize(d));
}

/* Ids are texts here and numbers there. */
void procountor_put_id(struct procountor_form *f, const char *key, const char *id)
{
	if (!id || !id[0])
		return;
	jsonw_key(&f->w, key);
	jsonw_raw(&f->w, span_of(id));
	if (!f->failed && strspn(id, "0123456789") != strlen(id))
		f->failed = !err_set(f->err, ERR_SYSTEM, "%s%s: no id of Procountor's: %s",
				     f->place, key, id);
}

void procountor_put_date(struct procountor_form *f, const char *key, const char *date)
{
	int y, m, d;
	if (!date || !date[0])
		return;
	if (!clock_parse_date(span_of(date), &y, &m, &d))
		procountor_form_fail(f, "date_invalid", key, date);
	jsonw_kstr(&f->w, key, date);
}
