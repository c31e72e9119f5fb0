/*
 * xml_writer.c: writing XML onto a strbuf, declared in codec/xml.h.
 *
 * Guarantees that what a reader gets back is what was given: markup, and white space that a parser
 * would normalise, go out as references. Does not write a declaration, namespaces or indentation.
 */
#include "base/base.h"

#include "base/utf8.h"
#include "codec/xml.h"

void xmlw_open(struct xml_writer *w, const char *name)
{
	assert(w->depth < ARRAY_SIZE(w->stack));
	if (w->tag_open)
		strbuf_addch(w->out, '>');
	strbuf_addch(w->out, '<');
	strbuf_addstr(w->out, name);
	w->stack[w->depth++] = name;
	w->tag_open = true;
}

/* XML 1.0 §2.2. */
static bool is_xml_char(uint32_t cp)
{
	if (cp < 0x20)
		return cp == '\t' || cp == '\n' || cp == '\r';
	return cp != 0xFFFE && cp != 0xFFFF;
}

/* The byte of ISO-8859-15 for a character from U+0080 on, 0 when it has none. */
static unsigned char latin9_byte(uint32_t cp)
{
	static const struct {
		uint16_t cp;
		unsigned char byte;
	} moved[] = {
		{ 0x20AC, 0xA4 }, { 0x0160, 0xA6 }, { 0x0161, 0xA8 }, { 0x017D, 0xB4 },
		{ 0x017E, 0xB8 }, { 0x0152, 0xBC }, { 0x0153, 0xBD }, { 0x0178, 0xBE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		if (moved[i].cp == cp)
			return moved[i].byte;
		if (moved[i].byte == cp)
			return 0; /* the Latin-1 character whose place was taken */
	}
	return cp >= 0xA0 && cp <= 0xFF ? (unsigned char)cp : 0;
}

/* The reference that must stand for an ASCII character, NULL when it stands for itself. */
static const char *reference(uint32_t cp, bool in_attr)
{
	switch (cp) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return in_attr ? "&quot;" : NULL;
	case '\t':
		return in_attr ? "&#9;" : NULL;
	case '\n':
		return in_attr ? "&#10;" : NULL;
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

static void write_char(struct xml_writer *w, uint32_t cp, struct span bytes, bool in_attr)
{
	const char *ref = reference(cp, in_attr);
	if (ref) {
		strbuf_addstr(w->out, ref);
		return;
	}
	/* Beyond U+FFFF always a reference: Java's UTF-8 reader, which e-invoice operators validate
	 * with, stumbles over four-byte characters at the edge of its buffer. */
	if (cp < 0x7F || (w->encoding == XML_UTF8 && cp > 0x9F && cp <= 0xFFFF)) {
		strbuf_addspan(w->out, bytes);
		return;
	}
	unsigned char latin9 = w->encoding == XML_ISO_8859_15 ? latin9_byte(cp) : 0;
	if (latin9)
		strbuf_addch(w->out, (char)latin9);
	else
		strbuf_addf(w->out, "&#%" PRIu32 ";", cp);
}

static void write_escaped(struct xml_writer *w, const char *text, bool in_attr)
{
	struct span rest = span_of(text);
	while (rest.n > 0) {
		uint32_t cp;
		size_t n = utf8_next(rest, &cp);
		if (n == 0 || !is_xml_char(cp)) {
			w->bad_char = true;
			return;
		}
		write_char(w, cp, (struct span) { rest.p, n }, in_attr);
		rest = (struct span) { rest.p + n, rest.n - n };
	}
}

void xmlw_attr(struct xml_writer *w, const char *name, const char *value)
{
	assert(w->tag_open);
	strbuf_addch(w->out, ' ');
	strbuf_addstr(w->out, name);
	strbuf_addstr(w->out, "=\"");
	write_escaped(w, value, true);
	strbuf_addch(w->out, '"');
}

static void end_tag_start(struct xml_writer *w)
{
	assert(w->depth > 0);
	if (w->tag_open)
		strbuf_addch(w->out, '>');
	w->tag_open = false;
}

void xmlw_text(struct xml_writer *w, const char *text)
{
	if (!text)
		return;
	end_tag_start(w);
	write_escaped(w, text, false);
}

void xmlw_raw(struct xml_writer *w, struct span ascii)
{
	end_tag_start(w);
	strbuf_addspan(w->out, ascii);
}

void xmlw_close(struct xml_writer *w)
{
	assert(w->depth > 0);
	const char *name = w->stack[--w->depth];
	if (w->tag_open) {
		strbuf_addstr(w->out, "/>");
		w->tag_open = false;
		return;
	}
	strbuf_addstr(w->out, "</");
	strbuf_addstr(w->out, name);
	strbuf_addch(w->out, '>');
}

void xmlw_element(struct xml_writer *w, const char *name, const char *text)
{
	if (!text)
		return;
	xmlw_open(w, name);
	if (*text)
		xmlw_text(w, text);
	xmlw_close(w);
}

bool xmlw_finish(struct xml_writer *w, struct span *ret, struct err *err)
{
	assert(w->depth == 0);
	if (w->bad_char)
		return err_reason(err, ERR_DATA, "char_not_allowed", NULL,
				  "a text holds a character that XML does not allow");
	const char *text;
	if (!strbuf_finish(w->out, &text, err))
		return false;
	*ret = strbuf_span(w->out);
	return true;
}
