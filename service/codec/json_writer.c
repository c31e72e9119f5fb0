/*
 * json_writer.c: writing JSON onto a strbuf, declared in codec/json.h.
 *
 * Guarantees well-formed output for every sequence of calls that does not assert. Does not indent.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "codec/json.h"

#define MAX_WRITE_DEPTH 63 /* one bit of the writer's words per level, bit 0 for the top */

static uint64_t level_bit(const struct json_writer *w)
{
	return UINT64_C(1) << w->depth;
}

/* The comma before a value or key, if one is due. */
static void separate(struct json_writer *w)
{
	if (w->has_items & level_bit(w)) {
		assert(w->depth > 0); /* one value at the top */
		strbuf_addch(w->out, ',');
	}
	w->has_items |= level_bit(w);
}

static void begin_value(struct json_writer *w)
{
	if (w->in_object & level_bit(w)) {
		assert(w->after_key);
		w->after_key = false;
		return;
	}
	separate(w);
}

static void open_container(struct json_writer *w, char c, bool is_object)
{
	begin_value(w);
	strbuf_addch(w->out, c);
	assert(w->depth < MAX_WRITE_DEPTH);
	w->depth++;
	w->has_items &= ~level_bit(w);
	w->in_object &= ~level_bit(w);
	if (is_object)
		w->in_object |= level_bit(w);
}

static void close_container(struct json_writer *w, char c, bool is_object)
{
	assert(w->depth > 0 && !w->after_key);
	assert(!!(w->in_object & level_bit(w)) == is_object);
	(void)is_object;
	strbuf_addch(w->out, c);
	w->depth--;
}

void jsonw_object(struct json_writer *w)
{
	open_container(w, '{', true);
}

void jsonw_end_object(struct json_writer *w)
{
	close_container(w, '}', true);
}

void jsonw_array(struct json_writer *w)
{
	open_container(w, '[', false);
}

void jsonw_end_array(struct json_writer *w)
{
	close_container(w, ']', false);
}

static void write_escape(struct strbuf *sb, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = memchr(from, c, sizeof(from) - 1);
	if (at)
		strbuf_add(sb, (char[]) { '\\', to[at - from] }, 2);
	else
		strbuf_addf(sb, "\\u%04x", (unsigned)c);
}

/* Bytes at the start that go out as they are. */
static size_t plain_run(struct span s)
{
	size_t i = 0;
	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == '"' || c == '\\')
			break;
		uint32_t cp;
		size_t n = c < 0x80 ? 1 : utf8_next((struct span) { s.p + i, s.n - i }, &cp);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

static void write_quoted(struct strbuf *sb, struct span s)
{
	strbuf_addch(sb, '"');
	while (s.n > 0) {
		size_t n = plain_run(s);
		strbuf_add(sb, s.p, n);
		if (n < s.n) {
			if ((unsigned char)s.p[n] < 0x80)
				write_escape(sb, s.p[n]);
			else
				strbuf_addstr(sb, "\xEF\xBF\xBD");
			n++;
		}
		s = (struct span) { s.p + n, s.n - n };
	}
	strbuf_addch(sb, '"');
}

void jsonw_key(struct json_writer *w, const char *key)
{
	assert((w->in_object & level_bit(w)) && !w->after_key);
	separate(w);
	write_quoted(w->out, span_of(key));
	strbuf_addch(w->out, ':');
	w->after_key = true;
}

void jsonw_str(struct json_writer *w, const char *s)
{
	if (s)
		jsonw_span(w, span_of(s));
	else
		jsonw_null(w);
}

void jsonw_span(struct json_writer *w, struct span s)
{
	begin_value(w);
	write_quoted(w->out, s);
}

void jsonw_int(struct json_writer *w, int64_t v)
{
	begin_value(w);
	strbuf_addint(w->out, v);
}

void jsonw_bool(struct json_writer *w, bool v)
{
	jsonw_raw(w, v ? SPAN_LIT("true") : SPAN_LIT("false"));
}

void jsonw_null(struct json_writer *w)
{
	jsonw_raw(w, SPAN_LIT("null"));
}

void jsonw_decimal(struct json_writer *w, struct decimal d)
{
	char buf[DECIMAL_TEXT_MAX];
	jsonw_raw(w, span_of(decimal_format(d, 0, '.', buf)));
}

void jsonw_raw(struct json_writer *w, struct span json)
{
	begin_value(w);
	strbuf_addspan(w->out, json);
}

static void write_children(struct json_writer *w, const struct json *j)
{
	for (const struct json *c = json_first(j); c; c = json_next(c)) {
		if (json_key(c))
			jsonw_key(w, json_key(c));
		jsonw_node(w, c);
	}
}

void jsonw_node(struct json_writer *w, const struct json *j)
{
	bool v = false;
	switch (json_type(j)) {
	case JSON_ABSENT:
	case JSON_NULL:
		jsonw_null(w);
		return;
	case JSON_BOOL:
		jsonw_bool(w, json_bool(j, &v) && v);
		return;
	case JSON_NUMBER:
		jsonw_raw(w, span_of(json_number_text(j)));
		return;
	case JSON_STRING:
		jsonw_str(w, json_str(j));
		return;
	case JSON_ARRAY:
		jsonw_array(w);
		write_children(w, j);
		jsonw_end_array(w);
		return;
	case JSON_OBJECT:
		jsonw_object(w);
		write_children(w, j);
		jsonw_end_object(w);
		return;
	}
}

void jsonw_kstr(struct json_writer *w, const char *key, const char *s)
{
	jsonw_key(w, key);
	jsonw_str(w, s);
}

void jsonw_kint(struct json_writer *w, const char *key, int64_t v)
{
	jsonw_key(w, key);
	jsonw_int(w, v);
}

void jsonw_kbool(struct json_writer *w, const char *key, bool v)
{
	jsonw_key(w, key);
	jsonw_bool(w, v);
}

void jsonw_ktime(struct json_writer *w, const char *key, int64_t wall_ms)
{
	char buf[CLOCK_RFC3339_MAX];
	jsonw_key(w, key);
	jsonw_str(w, wall_ms ? clock_rfc3339(wall_ms, buf) : NULL);
}

void jsonw_merge(struct json_writer *w, const struct json *old, const struct json *patch)
{
	if (json_type(patch) != JSON_OBJECT) {
		jsonw_node(w, patch);
		return;
	}
	jsonw_object(w);
	for (const struct json *m = json_type(old) == JSON_OBJECT ? json_first(old) : NULL; m;
	     m = json_next(m)) {
		const struct json *p = json_get(patch, json_key(m));
		if (json_type(p) == JSON_NULL)
			continue;
		jsonw_key(w, json_key(m));
		if (json_type(p) == JSON_ABSENT)
			jsonw_node(w, m);
		else
			jsonw_merge(w, m, p);
	}
	for (const struct json *p = json_first(patch); p; p = json_next(p)) {
		if (json_type(p) == JSON_NULL ||
		    json_type(json_get(old, json_key(p))) != JSON_ABSENT)
			continue;
		jsonw_key(w, json_key(p));
		jsonw_merge(w, NULL, p);
	}
	jsonw_end_object(w);
}
