/* XML: what is read, what is refused, and that written text comes back. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "codec/xml.h"
#include "walk.h"

#define MAX_BYTES (1 << 20)

static struct arena *arena;

static int open_arena(void **state)
{
	(void)state;
	xml_global_init();
	arena = arena_new(64 << 20);
	return arena == NULL;
}

static int close_arena(void **state)
{
	(void)state;
	arena_free(arena);
	xml_global_release();
	return 0;
}

static const struct xml *parse_span(struct span text)
{
	const struct xml *x = NULL;
	struct err err = ERR_INIT;
	if (!xml_parse(arena, text, MAX_BYTES, &x, &err))
		fail_msg("%.*s: %s", (int)text.n, text.p, err.message);
	return x;
}

static const struct xml *parse(const char *text)
{
	return parse_span(span_of(text));
}

static void a_netvisor_answer_is_read_without_case(void **state)
{
	(void)state;
	const struct xml *x = parse(
		"<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n"
		"<Root>\n <ResponseStatus>\n  <Status>FAILED</Status>\n"
		"  <Status>INVALID_DATA :: Data form &amp; content</Status>\n"
		"  <TimeStamp>22.11.2026 9:05:02</TimeStamp>\n </ResponseStatus>\n"
		" <Replies><InsertedDataIdentifier Type='netvisor'> 4711\n"
		"</InsertedDataIdentifier></Replies>\n</Root>");
	assert_true(xml_is(x, "root"));
	assert_string_equal(xml_name(x), "Root");
	const struct xml *status = xml_at(x, "responsestatus/status");
	assert_string_equal(xml_text(status), "FAILED");
	status = xml_next(status, "STATUS");
	assert_string_equal(xml_text(status), "INVALID_DATA :: Data form & content");
	assert_null(xml_next(status, "status"));
	assert_string_equal(xml_name(xml_next(status, NULL)), "TimeStamp");
	assert_string_equal(xml_text_at(x, "replies/inserteddataidentifier"), "4711");
	assert_string_equal(xml_attr(xml_at(x, "Replies/InsertedDataIdentifier"), "type"),
			    "netvisor");
	assert_string_equal(xml_name(xml_child(x, NULL)), "ResponseStatus");
}

static void texts_are_gathered_and_trimmed(void **state)
{
	static const struct {
		const char *from, *text;
	} cases[] = {
		{ "<a/>", "" },
		{ "<a></a>", "" },
		{ "<a> \n\t </a>", "" },
		{ "<a> x y </a>", "x y" },
		{ "<a>&lt;&gt;&amp;&quot;&apos;</a>", "<>&\"'" },
		{ "<a>&#228;&#x20AC;</a>", "\xC3\xA4\xE2\x82\xAC" },
		{ "<a>x<![CDATA[<b>&amp;]]>y</a>", "x<b>&amp;y" },
		{ "<a>one<!-- no --><?pi no?>two</a>", "onetwo" },
		{ "<a> <b> x </b> y <c><d>z</d></c> </a>", "x  y z" },
		{ "<a><b/></a>", "" },
		{ "<a>x\r\ny\rz</a>", "x\ny\nz" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct xml *x = parse(cases[i].from);
		print_message("%s\n", cases[i].from);
		assert_string_equal(xml_text(x), cases[i].text);
		assert_string_equal(xml_text(x), cases[i].text);
	}
}

static void attributes_are_read(void **state)
{
	(void)state;
	const struct xml *x = parse(
		"<a b='x&amp;y &#60;&#10;&#228;' C=\"'\" n:d='1' xmlns:n='u' e=''/>");
	assert_string_equal(xml_attr(x, "B"), "x&y <\n\xC3\xA4");
	assert_string_equal(xml_attr(x, "c"), "'");
	assert_string_equal(xml_attr(x, "d"), "1");
	assert_string_equal(xml_attr(x, "e"), "");
	assert_null(xml_attr(x, "f"));
	assert_null(xml_attr(x, "xmlns:n"));
}

static void prefixes_are_ignored(void **state)
{
	(void)state;
	const struct xml *x = parse("<s:a xmlns:s='urn:x' xmlns='urn:y'><b/><s:B>1</s:B></s:a>");
	assert_true(xml_is(x, "a"));
	assert_string_equal(xml_text(xml_next(xml_child(x, "b"), "b")), "1");
	x = parse("<p:a>undeclared</p:a>");
	assert_string_equal(xml_text(x), "undeclared");
}

static void encodings_are_read(void **state)
{
	static const struct span cases[] = {
		SPAN_LIT("<?xml version='1.0' encoding='ISO-8859-15'?><a>\xE4\xA4</a>"),
		SPAN_LIT("\xEF\xBB\xBF<a>\xC3\xA4\xE2\x82\xAC</a>"),
		SPAN_LIT("<?xml version='1.0' encoding='windows-1252'?><a>\xE4\x80</a>"),
		SPAN_LIT("\xFF\xFE<\0a\0>\0\xE4\0\xAC\x20<\0/\0a\0>\0"),
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(xml_text(parse_span(cases[i])), "\xC3\xA4\xE2\x82\xAC");
}

static void getters_bear_what_is_absent(void **state)
{
	(void)state;
	const struct xml *x = parse("<a>t<b/></a>");
	assert_null(xml_name(NULL));
	assert_false(xml_is(NULL, "a"));
	assert_false(xml_is(x, "ab"));
	assert_null(xml_child(NULL, "b"));
	assert_null(xml_child(x, "bb"));
	assert_null(xml_next(NULL, NULL));
	assert_null(xml_at(x, "b/c"));
	assert_null(xml_at(x, ""));
	assert_null(xml_text(NULL));
	assert_null(xml_text_at(x, "c"));
	assert_null(xml_attr(NULL, "b"));
}

static void bad_documents_are_refused(void **state)
{
	static const struct {
		struct span text;
		enum err_code code;
		const char *message; /* part of it */
	} cases[] = {
		{ SPAN_LIT(""), ERR_DATA, "empty" },
		{ SPAN_LIT(" "), ERR_DATA, "not XML" },
		{ SPAN_LIT("text"), ERR_DATA, "line 1" },
		{ SPAN_LIT("<a>\n<b></a>"), ERR_DATA, "line 2" },
		{ SPAN_LIT("<a/><b/>"), ERR_DATA, "Extra content" },
		{ SPAN_LIT("<a>&auml;</a>"), ERR_DATA, "auml" },
		{ SPAN_LIT("<a b='&auml;'/>"), ERR_DATA, "auml" },
		{ SPAN_LIT("<a b=1/>"), ERR_DATA, "not XML" },
		{ SPAN_LIT("<a b='1' b='2'/>"), ERR_DATA, "redefined" },
		{ SPAN_LIT("<a>\0</a>"), ERR_DATA, "not XML" },
		{ SPAN_LIT("<a>\x01</a>"), ERR_DATA, "not XML" },
		{ SPAN_LIT("<a>&#0;</a>"), ERR_DATA, "not XML" },
		{ SPAN_LIT("<a>\xE4</a>"), ERR_DATA, "not XML" },
		{ SPAN_LIT("<a>x & y</a>"), ERR_DATA, "not XML" },
		{ SPAN_LIT("<a>"), ERR_DATA, "not XML" },
		{ SPAN_LIT("<!DOCTYPE a><a/>"), ERR_DATA, "document type" },
		{ SPAN_LIT("<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a/>"), ERR_DATA,
		  "document type" },
		{ SPAN_LIT("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"),
		  ERR_DATA, "document type" },
		{ SPAN_LIT("<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><a>&y;</a>"),
		  ERR_DATA, "document type" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct xml *x = NULL;
		struct err err = ERR_INIT;
		print_message("%.*s\n", (int)cases[i].text.n, cases[i].text.p);
		assert_false(xml_parse(arena, cases[i].text, MAX_BYTES, &x, &err));
		assert_null(x);
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.message, cases[i].message));
	}
}

static bool parse_nested(unsigned depth, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 100000);
	const struct xml *x;
	for (unsigned i = 0; i < depth; i++)
		strbuf_addstr(&sb, "<a>");
	for (unsigned i = 0; i < depth; i++)
		strbuf_addstr(&sb, "</a>");
	return xml_parse(arena, strbuf_span(&sb), MAX_BYTES, &x, err);
}

static void bounds_hold(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const struct xml *x;
	assert_true(parse_nested(64, &err));
	assert_false(parse_nested(65, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_false(parse_nested(5000, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(xml_parse(arena, SPAN_LIT("<a/>"), 4, &x, &err));
	assert_false(xml_parse(arena, SPAN_LIT("<a/> "), 4, &x, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void a_text_over_ten_megabytes_is_read(void **state)
{
	(void)state;
	enum { N = 11 << 20 };
	CLEANUP(arena_free) struct arena *large = arena_new((size_t)8 * N);
	char *text = arena_alloc(large, N + 8);
	const struct xml *x;
	struct err err = ERR_INIT;
	assert_non_null(text);
	memset(text, 'Q', N + 7);
	memcpy(text, "<a>", 3);
	memcpy(text + N + 3, "</a>", 4);
	assert_true(xml_parse(large, (struct span) { text, N + 7 }, 16 << 20, &x, &err));
	assert_int_equal(strlen(xml_text(x)), N);
}

static void written_text_comes_back(void **state)
{
	static const char text[] = " \xC3\xA4\xC3\xB6\xE2\x82\xAC\xC5\xBD\xC2\xA4<&>\"'\r\n\t]]>"
				   "\xF0\x9F\x98\x80\xC2\x85\x7F.";
	(void)state;
	for (int enc = XML_UTF8; enc <= XML_ISO_8859_15; enc++) {
		struct strbuf sb = STRBUF_INIT(arena, 1000);
		struct err err = ERR_INIT;
		struct span out;
		if (enc == XML_ISO_8859_15)
			strbuf_addstr(&sb, "<?xml version='1.0' encoding='ISO-8859-15'?>");
		struct xml_writer w = XML_WRITER_INIT(&sb, (enum xml_encoding)enc);
		xmlw_open(&w, "root");
		xmlw_attr(&w, "a", text);
		xmlw_text(&w, text);
		xmlw_close(&w);
		assert_true(xmlw_finish(&w, &out, &err));
		/* A four-byte character is no byte of the document: Java's reader may stumble. */
		assert_null(memchr(out.p, 0xF0, out.n));
		const struct xml *x = parse_span(out);
		assert_string_equal(xml_attr(x, "a"), text);
		assert_string_equal(xml_text(x), text + 1); /* less the space in front */
	}
}

static void documents_are_written(void **state)
{
	(void)state;
	struct strbuf sb = STRBUF_INIT(arena, 1000);
	struct xml_writer w = XML_WRITER_INIT(&sb, XML_ISO_8859_15);
	struct err err = ERR_INIT;
	struct span out;
	xmlw_open(&w, "root");
	xmlw_element(&w, "none", NULL);
	xmlw_element(&w, "empty", "");
	xmlw_element(&w, "name", "Lasku \xC3\xA4\xE2\x82\xAC\xC5\xA0\xC2\xA6\xE2\x80\x93");
	xmlw_open(&w, "data");
	xmlw_attr(&w, "type", "a\"<\n");
	xmlw_raw(&w, SPAN_LIT("QUJD"));
	xmlw_close(&w);
	xmlw_open(&w, "x");
	xmlw_text(&w, NULL);
	xmlw_close(&w);
	xmlw_close(&w);
	assert_true(xmlw_finish(&w, &out, &err));
	assert_string_equal(out.p, "<root><empty/><name>Lasku \xE4\xA4\xA6&#166;&#8211;</name>"
				   "<data type=\"a&quot;&lt;&#10;\">QUJD</data><x/></root>");
}

static void forbidden_characters_fail_the_document(void **state)
{
	static const char *const texts[] = { "a\x01",	     "\x1F", "\xEF\xBF\xBE", "\xEF\xBF\xBF",
					     "\xED\xA0\x80", "\xC3", "\xFF" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct strbuf sb = STRBUF_INIT(arena, 1000);
		struct xml_writer w = XML_WRITER_INIT(&sb, XML_UTF8);
		struct err err = ERR_INIT;
		struct span out;
		xmlw_element(&w, "a", texts[i]);
		assert_false(xmlw_finish(&w, &out, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.reason, "char_not_allowed");
	}
	struct strbuf sb = STRBUF_INIT(arena, 5);
	struct xml_writer w = XML_WRITER_INIT(&sb, XML_UTF8);
	struct err err = ERR_INIT;
	struct span out;
	xmlw_element(&w, "a", "text");
	assert_false(xmlw_finish(&w, &out, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static bool parse_with_cap(struct arena *small)
{
	const struct xml *x = NULL;
	struct err err = ERR_INIT;
	if (!xml_parse(small, SPAN_LIT("<a b='1'>x<c>y&amp;z</c><d/> w</a>"), MAX_BYTES, &x,
		       &err)) {
		assert_int_equal(err.code, ERR_LIMIT);
		assert_null(x);
		return false;
	}
	/* the text of a mixed element is gathered when asked for; NULL when there is no room */
	const char *text = xml_text(x);
	assert_string_equal(xml_text_at(x, "c"), "y&z");
	return text != NULL;
}

static void each_arena_cap_is_survived(void **state)
{
	(void)state;
	assert_true(walk_cap(parse_with_cap) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_netvisor_answer_is_read_without_case),
		cmocka_unit_test(texts_are_gathered_and_trimmed),
		cmocka_unit_test(attributes_are_read),
		cmocka_unit_test(prefixes_are_ignored),
		cmocka_unit_test(encodings_are_read),
		cmocka_unit_test(getters_bear_what_is_absent),
		cmocka_unit_test(bad_documents_are_refused),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(a_text_over_ten_megabytes_is_read),
		cmocka_unit_test(written_text_comes_back),
		cmocka_unit_test(documents_are_written),
		cmocka_unit_test(forbidden_characters_fail_the_document),
		cmocka_unit_test(each_arena_cap_is_survived),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
