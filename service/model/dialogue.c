/*
 * dialogue.c: records of dialogues inside the facts of a connection:
 * {"dialogues":{"registrations":[{...},...]},"due_ms":...}.
 */
#include "base/base.h"
#include "model/dialogue.h"

#define RECORD_BYTES ((size_t)16 * 1024)
#define FACTS_BYTES ((size_t)128 * 1024)
#define FACTS_LIMITS ((struct json_limits) { FACTS_BYTES, 16 })

/* --- a record's members --- */

const struct json *record_get(const struct record *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->members[i].name, name))
			return r->members[i].value;
	return NULL;
}

const char *record_str(const struct record *r, const char *name)
{
	const char *text = json_str(record_get(r, name));
	return text ? text : "";
}

int64_t record_int(const struct record *r, const char *name)
{
	int64_t value;
	return json_int64(record_get(r, name), &value) ? value : 0;
}

bool record_is(const struct record *r, const char *name)
{
	bool value;
	return json_bool(record_get(r, name), &value) && value;
}

void record_remove(struct record *r, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (!str_eq(r->members[i].name, name))
			r->members[n++] = r->members[i];
	r->n = n;
}

void record_put(struct record *r, const char *name, const struct json *value)
{
	for (size_t i = 0; i < r->n; i++) {
		if (str_eq(r->members[i].name, name)) {
			r->members[i].value = value;
			return;
		}
	}
	if (r->n == RECORD_MEMBERS_MAX) {
		r->failed = true;
		return;
	}
	r->members[r->n].name = name;
	r->members[r->n++].value = value;
}

void record_put_json(struct record *r, const char *name, const char *json)
{
	const struct json *value = NULL;
	if (!json_parse(r->arena, span_of(json), FACTS_LIMITS, &value, NULL))
		r->failed = true;
	else
		record_put(r, name, value);
}

static void put_written(struct record *r, const char *name, struct strbuf *sb)
{
	const char *json;
	if (strbuf_finish(sb, &json, NULL))
		record_put_json(r, name, json);
	else
		r->failed = true;
}

void record_put_str(struct record *r, const char *name, const char *text)
{
	struct strbuf sb = STRBUF_INIT(r->arena, RECORD_BYTES);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!text) {
		record_remove(r, name);
		return;
	}
	jsonw_str(&w, text);
	put_written(r, name, &sb);
}

void record_put_int(struct record *r, const char *name, int64_t value)
{
	struct strbuf sb = STRBUF_INIT(r->arena, 64);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_int(&w, value);
	put_written(r, name, &sb);
}

void record_put_bool(struct record *r, const char *name, bool value)
{
	record_put_json(r, name, value ? "true" : "false");
}

static void read_record(struct arena *arena, const struct json *j, struct record *ret)
{
	*ret = (struct record) { .arena = arena };
	for (const struct json *m = json_first(j); m; m = json_next(m))
		record_put(ret, json_key(m), m);
}

static void write_record(struct json_writer *w, const struct record *r)
{
	jsonw_object(w);
	for (size_t i = 0; i < r->n; i++) {
		jsonw_key(w, r->members[i].name);
		jsonw_node(w, r->members[i].value);
	}
	jsonw_end_object(w);
}

/* --- failures --- */

void err_write(struct json_writer *w, const struct err *why)
{
	jsonw_object(w);
	jsonw_kstr(w, "code", why->reason ? why->reason : err_code_name(why->code));
	jsonw_kstr(w, "class", err_code_name(why->code));
	jsonw_kstr(w, "subject", why->subject);
	jsonw_kstr(w, "detail", why->message);
	if (why->pointer[0])
		jsonw_kstr(w, "pointer", why->pointer);
	if (why->target_text[0])
		jsonw_kstr(w, "target_text", why->target_text);
	if (why->upstream_status)
		jsonw_kint(w, "upstream_status", why->upstream_status);
	jsonw_end_object(w);
}

static enum err_code code_of(const char *name)
{
	for (int code = ERR_NONE; code <= ERR_SYSTEM; code++)
		if (str_eq(err_code_name((enum err_code)code), name))
			return (enum err_code)code;
	return ERR_SYSTEM;
}

void err_read(const struct json *j, struct err *ret)
{
	const char *detail = json_str(json_get(j, "detail"));
	const char *pointer = json_str(json_get(j, "pointer"));
	const char *words = json_str(json_get(j, "target_text"));
	err_reason(ret, code_of(json_str(json_get(j, "class"))), json_str(json_get(j, "code")),
		   json_str(json_get(j, "subject")), "%s", detail ? detail : "");
	err_pointer(ret, "%s", pointer ? pointer : "");
	err_target_text(ret, span_of(words ? words : ""));
}

/* --- facts --- */

bool facts_read(struct arena *arena, const char *json, int64_t rev, struct facts *ret,
		struct err *err)
{
	const struct json *root = NULL;
	if (!json_parse(arena, span_of(json), FACTS_LIMITS, &root, err))
		return err_wrap(err, "the facts");
	*ret = (struct facts) { arena, root, rev };
	return true;
}

static const struct json *list_of(const struct facts *f, const char *dialogue)
{
	return json_get(json_get(f->root, "dialogues"), dialogue);
}

size_t facts_records(const struct facts *f, const char *dialogue, struct record *ret, size_t max)
{
	size_t n = 0;
	for (const struct json *j = json_first(list_of(f, dialogue)); j && n < max;
	     j = json_next(j))
		read_record(f->arena, j, &ret[n++]);
	return n;
}

bool facts_record(const struct facts *f, const char *dialogue, const char *id, struct record *ret)
{
	for (const struct json *j = json_first(list_of(f, dialogue)); j; j = json_next(j)) {
		if (!str_eq(json_str(json_get(j, "id")), id))
			continue;
		read_record(f->arena, j, ret);
		return true;
	}
	return false;
}

static bool has_ended(const struct json *j)
{
	bool value;
	return json_bool(json_get(j, "is_ended"), &value) && value;
}

/* The one that makes room for another; false: there is no room. */
static bool oldest_ended(const struct json *list, const struct json **ret)
{
	const struct json *j = json_first(list);
	*ret = NULL;
	if (json_size(list) < RECORDS_MAX)
		return true;
	while (j && !has_ended(j))
		j = json_next(j);
	*ret = j;
	return j != NULL;
}

static void note_due(int64_t due_ms, int64_t *first_ms)
{
	if (due_ms > 0 && (*first_ms == 0 || due_ms < *first_ms))
		*first_ms = due_ms;
}

struct list_writer {
	struct json_writer w;
	const struct record *record;
	int64_t due_ms; /* the first of all that were written */
};

static void write_stored(struct list_writer *l, const struct json *j)
{
	int64_t due_ms;
	jsonw_node(&l->w, j);
	if (json_int64(json_get(j, "due_ms"), &due_ms))
		note_due(due_ms, &l->due_ms);
}

static bool write_list(struct list_writer *l, const struct json *list, struct err *err)
{
	const char *id = record_str(l->record, "id");
	const struct json *dropped = NULL;
	bool is_known = false;
	for (const struct json *j = json_first(list); j; j = json_next(j))
		is_known |= str_eq(json_str(json_get(j, "id")), id);
	if (!is_known && !oldest_ended(list, &dropped))
		return err_set(err, ERR_CONFLICT, "there are %d that have not ended", RECORDS_MAX);
	jsonw_array(&l->w);
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		if (str_eq(json_str(json_get(j, "id")), id))
			write_record(&l->w, l->record);
		else if (j != dropped)
			write_stored(l, j);
	}
	if (!is_known)
		write_record(&l->w, l->record);
	jsonw_end_array(&l->w);
	note_due(record_int(l->record, "due_ms"), &l->due_ms);
	return true;
}

static bool write_dialogues(struct list_writer *l, const struct json *all, const char *dialogue,
			    struct err *err)
{
	jsonw_object(&l->w);
	for (const struct json *list = json_first(all); list; list = json_next(list)) {
		if (str_eq(json_key(list), dialogue))
			continue;
		jsonw_key(&l->w, json_key(list));
		jsonw_array(&l->w);
		for (const struct json *j = json_first(list); j; j = json_next(j))
			write_stored(l, j);
		jsonw_end_array(&l->w);
	}
	jsonw_key(&l->w, dialogue);
	if (!write_list(l, json_get(all, dialogue), err))
		return false;
	jsonw_end_object(&l->w);
	return true;
}

bool facts_with(const struct facts *f, const char *dialogue, const struct record *r,
		const char **ret_json, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(f->arena, FACTS_BYTES);
	struct list_writer l = { .w = JSON_WRITER_INIT(&sb), .record = r };
	if (r->failed)
		return err_set(err, ERR_LIMIT, "the record is too large");
	jsonw_object(&l.w);
	for (const struct json *m = json_first(f->root); m; m = json_next(m)) {
		if (str_eq(json_key(m), "dialogues") || str_eq(json_key(m), "due_ms"))
			continue;
		jsonw_key(&l.w, json_key(m));
		jsonw_node(&l.w, m);
	}
	jsonw_key(&l.w, "dialogues");
	if (!write_dialogues(&l, json_get(f->root, "dialogues"), dialogue, err))
		return false;
	if (l.due_ms)
		jsonw_kint(&l.w, "due_ms", l.due_ms);
	jsonw_end_object(&l.w);
	return strbuf_finish(&sb, ret_json, err);
}
