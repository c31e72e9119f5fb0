/*
 * fuzz_xml.c: whatever parses must be walkable, and its texts must come back through the writer in
 * both encodings.
 */
#include "base/base.h"

#include "base/utf8.h"
#include "codec/xml.h"

#define CAP_BYTES ((size_t)16 << 20)
#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(struct arena *arena, const char *text, enum xml_encoding encoding)
{
	struct strbuf sb = STRBUF_INIT(arena, CAP_BYTES);
	struct err err = ERR_INIT;
	struct span out;
	if (encoding == XML_ISO_8859_15)
		strbuf_addstr(&sb, "<?xml version='1.0' encoding='ISO-8859-15'?>");
	struct xml_writer w = XML_WRITER_INIT(&sb, encoding);
	xmlw_open(&w, "a");
	xmlw_attr(&w, "b", text);
	xmlw_element(&w, "c", text);
	xmlw_close(&w);
	MUST(xmlw_finish(&w, &out, &err));
	const struct xml *x;
	MUST(xml_parse(arena, out, CAP_BYTES, &x, &err));
	MUST(str_eq(xml_attr(x, "B"), text));
	MUST(str_eq(xml_text_at(x, "C"), text)); /* trimmed already, so trimming changes nothing */
}

/* Recursion is bounded by the parser's depth. */
static size_t walk(const struct xml *x)
{
	size_t n = 1;
	MUST(xml_is(x, xml_name(x)));
	MUST(utf8_is_valid(span_of(xml_text(x))));
	for (const struct xml *c = xml_child(x, NULL); c; c = xml_next(c, NULL))
		n += walk(c);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	if (!is_ready)
		xml_global_init();
	is_ready = true;
	CLEANUP(arena_free) struct arena *arena = arena_new(CAP_BYTES);
	MUST(arena);
	const struct xml *x;
	struct err err = ERR_INIT;
	if (!xml_parse(arena, (struct span) { (const char *)data, size }, CAP_BYTES, &x, &err)) {
		MUST(err.code == ERR_DATA || err.code == ERR_LIMIT);
		return 0;
	}
	MUST(walk(x) >= 1);
	write_and_read(arena, xml_text(x), XML_UTF8);
	write_and_read(arena, xml_text(x), XML_ISO_8859_15);
	return 0;
}
