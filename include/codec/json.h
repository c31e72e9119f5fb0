/*
 * json.h: JSON in and out (cJSON underneath, on the reading side only).
 *
 * Reading: a pre-pass bounds depth and size, checks UTF-8 and number grammar, refuses duplicate
 * keys, and turns each number token into a marked string before cJSON sees it, so that every digit
 * survives (DESIGN §7); strings and numbers stay apart. All nodes and texts live as long as the
 * arena. Writing: a streaming writer onto a strbuf; never by format strings.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/base.h"
#include "base/arena.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/strbuf.h"

struct json; /* a node; NULL stands for "absent" in every getter below */

struct json_limits {
	size_t max_bytes;
	unsigned max_depth; /* 1..64 */
};

#define JSON_LIMITS_API ((struct json_limits) { 256 * 1024, 16 })
#define JSON_LIMITS_VENDOR ((struct json_limits) { 16 * 1024 * 1024, 32 })

/* ERR_DATA with the byte offset when malformed or an object repeats a key; ERR_LIMIT past a bound.
 */
bool json_parse(struct arena *arena, struct span text, struct json_limits limits,
		const struct json **ret, struct err *err) MUST_CHECK;

enum json_type {
	JSON_ABSENT,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};
enum json_type json_type(const struct json *j);
static inline bool json_is_null(const struct json *j)
{
	return json_type(j) == JSON_ABSENT || json_type(j) == JSON_NULL;
}

/* Member by exact name; NULL when absent or j is no object. */
const struct json *json_get(const struct json *j, const char *key);
/* Dotted path: json_at(j, "totalTax.amount"). */
const struct json *json_at(const struct json *j, const char *path);
/* First child of an array or object, and the next; NULL at the end. */
const struct json *json_first(const struct json *j);
const struct json *json_next(const struct json *j);
/* Name of a member inside its object. */
const char *json_key(const struct json *j);
size_t json_size(const struct json *j);

/* The text of a string; NULL when it is not one. */
const char *json_str(const struct json *j);
/* The digits of a number exactly as they were sent; NULL when it is not one. */
const char *json_number_text(const struct json *j);
/* The text of a string or the digits of a number: foreign ids are text. NULL otherwise. */
const char *json_text(const struct json *j);
/* What json_text gives of json_at(j, path), preset where that is nothing or "". */
const char *json_text_or(const struct json *j, const char *path, const char *preset);
/* False when it is not a number or does not fit. */
bool json_decimal(const struct json *j, struct decimal *ret) MUST_CHECK;
bool json_int64(const struct json *j, int64_t *ret) MUST_CHECK;
bool json_bool(const struct json *j, bool *ret) MUST_CHECK;

/* Table-driven decoding of an object into a struct (STYLE §7). */
enum field_type {
	FIELD_TEXT, /* const char *: a string */
	FIELD_ID, /* const char *: a string or a number's digits */
	FIELD_DECIMAL, /* struct decimal, from a number; beside it has_offset may name a bool */
	FIELD_INT, /* int64_t */
	FIELD_BOOL, /* bool */
	FIELD_DATE, /* const char *, "YYYY-MM-DD"; a date-time is cut to its date, in the tree too
		     */
};
enum field_flags {
	FIELD_OPTIONAL = 0, /* absent or null leaves the struct's value as it is */
	FIELD_REQUIRED = 1,
};
struct field {
	const char *path; /* dotted */
	enum field_type type;
	uint32_t offset; /* offsetof */
	unsigned flags;
	uint32_t has_offset; /* 0: none; else offset of a bool set true when the value is present
			      (never the first member) */
};
/* ERR_DATA with the JSON Pointer of the first field that is missing or of the wrong type. */
bool json_decode(const struct json *j, const struct field *fields, size_t n_fields, void *into,
		 struct err *err) MUST_CHECK;

/*
 * Writer. Separators are its job; misuse (a value without a key in an object, unclosed containers)
 * is an assert. Invalid UTF-8 in a string is written as U+FFFD.
 */
struct json_writer {
	struct strbuf *out;
	uint64_t in_object, has_items; /* one bit per depth */
	unsigned depth;
	bool after_key;
};

#define JSON_WRITER_INIT(sb) \
	{                    \
		.out = (sb)  \
	}

void jsonw_object(struct json_writer *w);
void jsonw_end_object(struct json_writer *w);
void jsonw_array(struct json_writer *w);
void jsonw_end_array(struct json_writer *w);
void jsonw_key(struct json_writer *w, const char *key);
/* NULL writes null. */
void jsonw_str(struct json_writer *w, const char *s);
void jsonw_span(struct json_writer *w, struct span s);
void jsonw_int(struct json_writer *w, int64_t v);
void jsonw_bool(struct json_writer *w, bool v);
void jsonw_null(struct json_writer *w);
void jsonw_decimal(struct json_writer *w, struct decimal d);
/* A complete JSON value, as it is. */
void jsonw_raw(struct json_writer *w, struct span json);
/* The node and all below it, numbers with their own digits. */
void jsonw_node(struct json_writer *w, const struct json *j);
/* The patch put into old, which may be absent: a merge patch (RFC 7396). */
void jsonw_merge(struct json_writer *w, const struct json *old, const struct json *patch);
/* key + value in one. */
void jsonw_kstr(struct json_writer *w, const char *key, const char *s);
void jsonw_kint(struct json_writer *w, const char *key, int64_t v);
void jsonw_kbool(struct json_writer *w, const char *key, bool v);
/* RFC 3339 UTC text of wall_ms; null when 0. */
void jsonw_ktime(struct json_writer *w, const char *key, int64_t wall_ms);

#endif
