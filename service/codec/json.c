/*
 * json.c: reading JSON (a strict scan, then cJSON builds the tree) and decoding by table.
 *
 * Guarantees that what is read is RFC 8259 to the letter, that every digit of a number survives,
 * and that the tree is charged to the arena: cJSON allocates in it. cJSON keeps a number only as a
 * double, so the scan's second pass hands it each number as a string that begins with U+0001; a
 * string of the sender's own that begins so is refused, as are NUL characters, which C texts cannot
 * hold. Does not write JSON (json_writer.c) and does not convert to binary floating point.
 */
#include "base/base.h"

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "codec/json.h"

#define NUMBER_MARK '\x01'
#define MAX_DEPTH 64
/* Objects up to this size are searched for repeated keys pair by pair, larger ones by sorting. */
#define SMALL_OBJECT 8

/* --- the scan: strict grammar, bounds --- */

struct scan {
	const char *start, *p, *end;
	unsigned depth, max_depth;
	size_t n_numbers;
	enum err_code code; /* of the failure */
	const char *wrong;
};

static bool fail(struct scan *s, const char *wrong)
{
	s->code = ERR_DATA;
	s->wrong = wrong;
	return false;
}

static char peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : '\0';
}

static bool take(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static size_t skip_digits(struct scan *s)
{
	const char *first = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - first);
}

static bool is_number_start(const struct scan *s)
{
	return s->p < s->end && (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'));
}

static bool scan_number(struct scan *s)
{
	s->n_numbers++;
	(void)take(s, '-'); /* optional */
	if (!take(s, '0') && skip_digits(s) == 0)
		return fail(s, "no digit in number");
	if (take(s, '.') && skip_digits(s) == 0)
		return fail(s, "no digit after the decimal point");
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			(void)take(s, '-'); /* optional */
		if (skip_digits(s) == 0)
			return fail(s, "no digit in exponent");
	}
	return true;
}

static bool scan_hex4(struct scan *s, uint32_t *ret)
{
	uint32_t v = 0;
	for (int i = 0; i < 4; i++, s->p++) {
		char c = peek(s);
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return fail(s, "not four hex digits after \\u");
	}
	*ret = v;
	return true;
}

/* Behind the backslash. */
static bool scan_escape(struct scan *s, bool is_first)
{
	char c = peek(s);
	if (c != '\0' && strchr("\"\\/bfnrt", c)) {
		s->p++;
		return true;
	}
	if (!take(s, 'u'))
		return fail(s, "unknown escape");
	uint32_t unit, low;
	if (!scan_hex4(s, &unit))
		return false;
	if (unit == 0)
		return fail(s, "NUL character");
	if (unit == NUMBER_MARK && is_first)
		return fail(s, "string begins with U+0001");
	if (unit < 0xD800 || unit > 0xDFFF)
		return true;
	if (unit > 0xDBFF || !take(s, '\\') || !take(s, 'u'))
		return fail(s, "half a surrogate pair");
	if (!scan_hex4(s, &low))
		return false;
	return (low >= 0xDC00 && low <= 0xDFFF) || fail(s, "half a surrogate pair");
}

static bool scan_string(struct scan *s)
{
	const char *first = ++s->p;
	while (s->p < s->end) {
		char c = *s->p++;
		if (c == '"')
			return true;
		if ((unsigned char)c < 0x20)
			return fail(s, "control character in string");
		if (c == '\\' && !scan_escape(s, s->p == first + 1))
			return false;
	}
	return fail(s, "string is not closed");
}

static bool scan_literal(struct scan *s, struct span word)
{
	if ((size_t)(s->end - s->p) < word.n || memcmp(s->p, word.p, word.n) != 0)
		return fail(s, "unknown word");
	s->p += word.n;
	return true;
}

static bool scan_value(struct scan *s);

static bool scan_member(struct scan *s)
{
	skip_space(s);
	if (peek(s) != '"')
		return fail(s, "no key");
	if (!scan_string(s))
		return false;
	skip_space(s);
	if (!take(s, ':'))
		return fail(s, "no colon after key");
	return scan_value(s);
}

/* An object or array: recursion is bounded by max_depth. */
static bool scan_container(struct scan *s, char close, bool (*item)(struct scan *s))
{
	if (++s->depth > s->max_depth) {
		s->code = ERR_LIMIT;
		s->wrong = "nested too deeply";
		return false;
	}
	s->p++;
	skip_space(s);
	if (!take(s, close)) {
		do {
			if (!item(s))
				return false;
		} while (take(s, ','));
		if (!take(s, close))
			return fail(s, "no comma or end of list");
	}
	s->depth--;
	return true;
}

/* A value and the white space around it. */
static bool scan_value(struct scan *s)
{
	skip_space(s);
	bool ok;
	switch (peek(s)) {
	case '{':
		ok = scan_container(s, '}', scan_member);
		break;
	case '[':
		ok = scan_container(s, ']', scan_value);
		break;
	case '"':
		ok = scan_string(s);
		break;
	case 't':
		ok = scan_literal(s, SPAN_LIT("true"));
		break;
	case 'f':
		ok = scan_literal(s, SPAN_LIT("false"));
		break;
	case 'n':
		ok = scan_literal(s, SPAN_LIT("null"));
		break;
	default:
		ok = is_number_start(s) ? scan_number(s) : fail(s, "no value");
		break;
	}
	if (ok)
		skip_space(s);
	return ok;
}

static bool scan_text(struct span text, unsigned max_depth, size_t *ret_n_numbers, struct err *err)
{
	if (!utf8_is_valid(text))
		return err_set(err, ERR_DATA, "not JSON: not UTF-8 at byte %zu",
			       utf8_prefix(text, SIZE_MAX));
	struct scan s = {
		.start = text.p,
		.p = text.p,
		.end = text.p + text.n,
		.max_depth = max_depth,
	};
	bool ok = scan_value(&s);
	if (ok && s.p < s.end)
		ok = fail(&s, "more behind the value");
	if (!ok)
		return err_set(err, s.code, "not JSON: %s at byte %zu", s.wrong,
			       (size_t)(s.p - s.start));
	*ret_n_numbers = s.n_numbers;
	return true;
}

/* --- marking of numbers --- */

static bool is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Bytes of the string token at p, quotes included. The text has passed the scan. */
static size_t string_bytes(const char *p)
{
	const char *end = p + 1;
	while (*end != '"')
		end += *end == '\\' ? 2 : 1;
	return (size_t)(end - p) + 1;
}

/* Rewrites scanned text with each number as "\x01digits"; returns the bytes written. */
static size_t mark_numbers(struct span text, char *out)
{
	char *to = out;
	for (size_t i = 0; i < text.n;) {
		const char *p = text.p + i;
		size_t n = 1;
		bool is_number = (*p >= '0' && *p <= '9') || *p == '-';
		if (*p == '"')
			n = string_bytes(p);
		while (is_number && i + n < text.n && is_number_char(p[n]))
			n++;
		if (is_number) {
			*to++ = '"';
			*to++ = NUMBER_MARK;
		}
		memcpy(to, p, n);
		to += n;
		if (is_number)
			*to++ = '"';
		i += n;
	}
	return (size_t)(to - out);
}

/* --- cJSON builds the tree in the arena --- */

/* cJSON's hooks take no argument, so the arena of the parse that a thread is in travels here. */
static __thread struct arena *parse_arena;

static void *tree_alloc(size_t size)
{
	return parse_arena ? arena_alloc(parse_arena, size) : NULL;
}

static void tree_free(void *p)
{
	(void)p; /* goes with the arena */
}

static void install_hooks(void)
{
	cJSON_InitHooks(&(cJSON_Hooks) { tree_alloc, tree_free });
}

static const cJSON *build_tree(struct arena *arena, struct span marked)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, install_hooks);
	parse_arena = arena;
	const cJSON *tree = cJSON_ParseWithLength(marked.p, marked.n);
	parse_arena = NULL;
	return tree;
}

static inline const cJSON *node(const struct json *j)
{
	return (const cJSON *)j;
}

/* --- repeated keys --- */

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool repeats(const char *key, struct err *err)
{
	return err_set(err, ERR_DATA, "not JSON: an object repeats the key \"%s\"", key);
}

static bool check_large_object(const cJSON *object, size_t n, struct err *err)
{
	CLEANUP(mem_free) const char **keys = mem_alloc_array(n, sizeof(*keys));
	if (!keys)
		return err_set(err, ERR_MEMORY, "out of memory for %zu keys", n);
	size_t i = 0;
	for (const cJSON *c = object->child; c; c = c->next)
		keys[i++] = c->string;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (i = 1; i < n; i++) {
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return repeats(keys[i], err);
	}
	return true;
}

static bool check_keys(const cJSON *j, struct err *err)
{
	size_t n = 0;
	for (const cJSON *c = j->child; c; c = c->next, n++) {
		if (c->child && !check_keys(c, err))
			return false;
		if (!cJSON_IsObject(j) || n >= SMALL_OBJECT)
			continue;
		for (const cJSON *d = j->child; d != c; d = d->next) {
			if (strcmp(c->string, d->string) == 0)
				return repeats(c->string, err);
		}
	}
	return !cJSON_IsObject(j) || n <= SMALL_OBJECT || check_large_object(j, n, err);
}

bool json_parse(struct arena *arena, struct span text, struct json_limits limits,
		const struct json **ret, struct err *err)
{
	assert(limits.max_depth >= 1 && limits.max_depth <= MAX_DEPTH);
	if (text.n > limits.max_bytes)
		return err_set(err, ERR_LIMIT, "JSON of %zu bytes, at most %zu are read", text.n,
			       limits.max_bytes);
	if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) /* .NET senders' mark */
		text = (struct span) { text.p + 3, text.n - 3 };
	size_t n_numbers = 0;
	if (!scan_text(text, limits.max_depth, &n_numbers, err))
		return false;
	/* wiped: the text may be credentials */
	CLEANUP(mem_wipe_free) char *marked = mem_alloc(text.n + 3 * n_numbers + 1);
	if (!marked)
		return err_set(err, ERR_MEMORY, "out of memory for JSON of %zu bytes", text.n);
	size_t n = mark_numbers(text, marked);
	const cJSON *tree = build_tree(arena, (struct span) { marked, n });
	if (!tree) /* the scan let only good JSON through */
		return err_set(err, ERR_LIMIT, "JSON of %zu bytes does not fit into the memory cap",
			       text.n);
	if (!check_keys(tree, err))
		return false;
	*ret = (const struct json *)tree;
	return true;
}

/* --- getters --- */

enum json_type json_type(const struct json *j)
{
	if (!j)
		return JSON_ABSENT;
	switch (node(j)->type & 0xFF) {
	case cJSON_False:
	case cJSON_True:
		return JSON_BOOL;
	case cJSON_NULL:
		return JSON_NULL;
	case cJSON_String:
		return node(j)->valuestring[0] == NUMBER_MARK ? JSON_NUMBER : JSON_STRING;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	}
	return JSON_ABSENT;
}

static const struct json *member(const struct json *j, struct span key)
{
	if (json_type(j) != JSON_OBJECT)
		return NULL;
	for (const cJSON *c = node(j)->child; c; c = c->next) {
		if (strncmp(c->string, key.p, key.n) == 0 && c->string[key.n] == '\0')
			return (const struct json *)c;
	}
	return NULL;
}

const struct json *json_get(const struct json *j, const char *key)
{
	return member(j, span_of(key));
}

const struct json *json_at(const struct json *j, const char *path)
{
	while (j) {
		size_t n = strcspn(path, ".");
		j = member(j, (struct span) { path, n });
		if (path[n] == '\0')
			break;
		path += n + 1;
	}
	return j;
}

const struct json *json_first(const struct json *j)
{
	return j ? (const struct json *)node(j)->child : NULL;
}

const struct json *json_next(const struct json *j)
{
	return j ? (const struct json *)node(j)->next : NULL;
}

const char *json_key(const struct json *j)
{
	return j ? node(j)->string : NULL;
}

size_t json_size(const struct json *j)
{
	size_t n = 0;
	for (const struct json *c = json_first(j); c; c = json_next(c))
		n++;
	return n;
}

const char *json_str(const struct json *j)
{
	return json_type(j) == JSON_STRING ? node(j)->valuestring : NULL;
}

const char *json_number_text(const struct json *j)
{
	return json_type(j) == JSON_NUMBER ? node(j)->valuestring + 1 : NULL;
}

const char *json_text(const struct json *j)
{
	const char *text = json_str(j);
	return text ? text : json_number_text(j);
}

const char *json_text_or(const struct json *j, const char *path, const char *preset)
{
	const char *text = json_text(json_at(j, path));
	return text && text[0] ? text : preset;
}

bool json_decimal(const struct json *j, struct decimal *ret)
{
	const char *digits = json_number_text(j);
	return digits && decimal_parse(span_of(digits), ret);
}

bool json_int64(const struct json *j, int64_t *ret)
{
	struct decimal d;
	if (!json_decimal(j, &d))
		return false;
	d = decimal_normalize(d); /* 3.0 and 3e2 are whole */
	if (d.scale > 0 || d.coef < INT64_MIN || d.coef > INT64_MAX)
		return false;
	*ret = (int64_t)d.coef;
	return true;
}

bool json_bool(const struct json *j, bool *ret)
{
	if (json_type(j) != JSON_BOOL)
		return false;
	*ret = (node(j)->type & 0xFF) == cJSON_True;
	return true;
}

/* --- decoding by table --- */

/* The date of "2026-11-22" or "2026-11-22T...": the node's text is cut there, the tree is ours. */
static bool decode_date(const struct json *j, const char **ret)
{
	const char *text = json_str(j);
	int y, m, d;
	if (!text || strlen(text) < 10 || !clock_parse_date((struct span) { text, 10 }, &y, &m, &d))
		return false;
	if (text[10] != '\0' && text[10] != 'T' && text[10] != ' ')
		return false;
	node(j)->valuestring[10] = '\0';
	*ret = text;
	return true;
}

/* False when the value is of the wrong type; *ret_expected then says what was wanted. */
static bool decode_value(const struct json *j, enum field_type type, void *to,
			 const char **ret_expected)
{
	const char *text = NULL;
	switch (type) {
	case FIELD_TEXT:
		*ret_expected = "a string";
		text = json_str(j);
		break;
	case FIELD_ID:
		*ret_expected = "a string or a number";
		text = json_text(j);
		break;
	case FIELD_DECIMAL:
		*ret_expected = "a number of at most 36 digits, 18 of them decimals";
		return json_decimal(j, to);
	case FIELD_INT:
		*ret_expected = "a whole number";
		return json_int64(j, to);
	case FIELD_BOOL:
		*ret_expected = "true or false";
		return json_bool(j, to);
	case FIELD_DATE:
		*ret_expected = "a date";
		return decode_date(j, to);
	}
	if (!text)
		return false;
	*(const char **)to = text;
	return true;
}

/* "totalTax.amount" as "/totalTax/amount"; no key of ours holds '/' or '~'. */
static void point_at(struct err *err, const char *path)
{
	err_pointer(err, "/%s", path);
	if (!err)
		return;
	for (char *p = err->pointer; *p; p++) {
		if (*p == '.')
			*p = '/';
	}
}

static bool decode_field(const struct json *j, const struct field *f, char *into, struct err *err)
{
	const struct json *value = json_at(j, f->path);
	if (json_is_null(value)) {
		if (!(f->flags & FIELD_REQUIRED))
			return true;
		(void)err_set(err, ERR_DATA, "%s is missing", f->path);
		point_at(err, f->path);
		return false;
	}
	const char *expected = "";
	if (!decode_value(value, f->type, into + f->offset, &expected)) {
		(void)err_set(err, ERR_DATA, "%s is not %s", f->path, expected);
		point_at(err, f->path);
		return false;
	}
	if (f->has_offset)
		*(bool *)(into + f->has_offset) = true;
	return true;
}

bool json_decode(const struct json *j, const struct field *fields, size_t n_fields, void *into,
		 struct err *err)
{
	if (json_type(j) != JSON_OBJECT)
		return err_set(err, ERR_DATA, "not a JSON object");
	for (size_t i = 0; i < n_fields; i++) {
		if (!decode_field(j, &fields[i], into, err))
			return false;
	}
	return true;
}
