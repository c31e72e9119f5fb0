/*
 * records.c: how a register reads its source, whatever its records are: a page as it came, and
 * single records by id (register.h, list and read).
 */
#include "base/base.h"
#include "internal.h"

bool sp_records(struct attempt *at, const struct sp_source *source, const void *items, size_t n,
		struct register_page *ret, struct err *err)
{
	struct register_record *records = arena_alloc_array(at->arena, n + 1, sizeof(*records));
	const char *item = items;
	if (!records)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++, item += source->size)
		source->name(at->arena, item, &records[i]);
	ret->records = records;
	ret->n = n;
	return true;
}

/* One that is gone is left out; one that cannot be read is named, and has no data. */
static bool read_one(struct sp *sp, const struct sp_source *source, const char *id, void *item,
		     struct register_page *ret, struct err *err)
{
	struct err why = ERR_INIT;
	if (source->read(sp, id, item, &why)) {
		source->name(sp->at->arena, item, &ret->records[ret->n++]);
		return true;
	}
	if (why.code == ERR_NOT_FOUND)
		return true;
	if (why.code == ERR_SYSTEM || why.code == ERR_DATA) {
		ret->records[ret->n++] = (struct register_record) { .id = id, .label = id };
		return true;
	}
	if (err)
		*err = why;
	return false;
}

bool sp_read_ids(struct attempt *at, const struct sp_source *source, const char *const *ids,
		 size_t n, struct register_page *ret, struct err *err)
{
	char *item = arena_alloc_array(at->arena, n + 1, source->size);
	struct sp sp;
	ret->records = arena_alloc_array(at->arena, n + 1, sizeof(*ret->records));
	if (!item || !ret->records)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!sp_open(&sp, at, err))
		return false;
	for (size_t i = 0; i < n; i++, item += source->size)
		if (!read_one(&sp, source, ids[i], item, ret, err))
			return false;
	return true;
}

bool sp_unreadable(const struct register_record *r, struct err *err)
{
	return err_reason(err, ERR_DATA, "answer_unreadable", r->label,
			  "the record %s cannot be read", r->id);
}

const char *sp_since(const struct register_cursor *from, char text[CLOCK_RFC3339_MAX])
{
	return from->since_ms ? clock_rfc3339(from->since_ms, text) : NULL;
}
