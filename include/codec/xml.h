/*
 * xml.h: XML in and out (libxml2 underneath, on the reading side only).
 *
 * Reading: no network, no DTD loading, no entity beyond the five built in (a document with a
 * DOCTYPE is refused), size and depth bounded. Element and attribute names are compared without
 * case and without prefix (facts/netvisor.md §3). All nodes and texts live as long as the arena.
 * Writing: onto a strbuf, escaping is the writer's job.
 */
#ifndef CODEC_XML_H
#define CODEC_XML_H

#include "base/base.h"
#include "base/arena.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/strbuf.h"

struct xml; /* an element; NULL stands for "absent" in every getter */

/* Once, main thread, before any other; and at the end. */
void xml_global_init(void);
void xml_global_release(void);

/* ERR_DATA when malformed or it has a DOCTYPE; ERR_LIMIT past max_bytes or 64 levels. */
bool xml_parse(struct arena *arena, struct span text, size_t max_bytes, const struct xml **ret,
	       struct err *err) MUST_CHECK;

const char *xml_name(const struct xml *x);
bool xml_is(const struct xml *x, const char *name);
/* First child element with the name (NULL: any), and the next sibling with the name. */
const struct xml *xml_child(const struct xml *x, const char *name);
const struct xml *xml_next(const struct xml *x, const char *name);
/* Slash path of child names: xml_at(root, "replies/inserteddataidentifier"). */
const struct xml *xml_at(const struct xml *x, const char *path);
/* All text below the element, white space at both ends removed; "" when empty, NULL when x is NULL.
 * In the arena of the parse; of an element that has child elements it is gathered when first asked
 * for, and NULL past the arena's cap. */
const char *xml_text(const struct xml *x);
/* xml_text(xml_at(x, path)). */
const char *xml_text_at(const struct xml *x, const char *path);
/* Attribute's value, NULL when absent. */
const char *xml_attr(const struct xml *x, const char *name);

enum xml_encoding { XML_UTF8, XML_ISO_8859_15 };

/* Writer. Element names are literals of ours. Characters that XML 1.0 forbids make it fail
 * (ERR_DATA at finish). */
struct xml_writer {
	struct strbuf *out;
	enum xml_encoding
		encoding; /* ISO-8859-15: what it lacks becomes a numeric character reference */
	const char *stack[64];
	unsigned depth;
	bool tag_open; /* "<name" written, ">" not yet */
	bool bad_char;
};

#define XML_WRITER_INIT(sb, enc)               \
	{                                      \
		.out = (sb), .encoding = (enc) \
	}

void xmlw_open(struct xml_writer *w, const char *name);
void xmlw_attr(struct xml_writer *w, const char *name, const char *value);
void xmlw_text(struct xml_writer *w, const char *text);
/* Text that is known to be plain ASCII without markup (Base64): written as it is. */
void xmlw_raw(struct xml_writer *w, struct span ascii);
void xmlw_close(struct xml_writer *w);
/* <name>text</name>; nothing when text is NULL, an empty element when "". */
void xmlw_element(struct xml_writer *w, const char *name, const char *text);
/* All closed? *ret as strbuf_finish; ERR_DATA with the reason char_not_allowed when a character is
 * forbidden. */
bool xmlw_finish(struct xml_writer *w, struct span *ret, struct err *err) MUST_CHECK;

#endif
