/*
 * fuzz_json.c: whatever parses must survive being written and parsed again, byte for byte, and
 * every getter.
 */
#include "base/base.h"

#include "codec/json.h"

#define CAP_BYTES ((size_t)16 << 20)
#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct record {
	const char *text, *id, *date;
	struct decimal amount;
	int64_t n;
	bool is_set, has_amount;
};

static const struct field fields[] = {
	{ "a", FIELD_TEXT, offsetof(struct record, text), FIELD_OPTIONAL, 0 },
	{ "b", FIELD_ID, offsetof(struct record, id), FIELD_REQUIRED, 0 },
	{ "c.d", FIELD_DECIMAL, offsetof(struct record, amount), FIELD_OPTIONAL,
	  offsetof(struct record, has_amount) },
	{ "e", FIELD_INT, offsetof(struct record, n), FIELD_OPTIONAL, 0 },
	{ "f", FIELD_BOOL, offsetof(struct record, is_set), FIELD_OPTIONAL, 0 },
	{ "g", FIELD_DATE, offsetof(struct record, date), FIELD_OPTIONAL, 0 },
};

static struct span write_node(struct arena *arena, const struct json *j)
{
	struct strbuf sb = STRBUF_INIT(arena, CAP_BYTES);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_node(&w, j);
	MUST(!sb.failed);
	return strbuf_span(&sb);
}

static void decode(const struct json *j)
{
	struct record r = { 0 };
	struct err err = ERR_INIT;
	if (!json_decode(j, fields, ARRAY_SIZE(fields), &r, &err)) {
		MUST(err.code == ERR_DATA);
		return;
	}
	MUST(r.id);
	MUST(!r.date || strlen(r.date) == 10);
	char buf[DECIMAL_TEXT_MAX];
	MUST(strlen(decimal_format(r.amount, 2, ',', buf)) < sizeof(buf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(CAP_BYTES);
	MUST(arena);
	const struct json *first, *second;
	struct err err = ERR_INIT;
	struct span text = { (const char *)data, size };
	if (!json_parse(arena, text, JSON_LIMITS_VENDOR, &first, &err)) {
		MUST(err.code == ERR_DATA || err.code == ERR_LIMIT);
		return 0;
	}
	struct span written = write_node(arena, first);
	MUST(json_parse(arena, written, JSON_LIMITS_VENDOR, &second, &err));
	MUST(span_eq(written, write_node(arena, second)));
	decode(second);
	return 0;
}
