/*
 * records.c: how a register reads its source (register.h, list and read), whatever its records are:
 * a page as it came, and single records by id.
 */
#include "base/base.h"
#include "internal.h"

/* By the register's name. */
static const struct sp_source *source_of(const struct attempt *at)
{
	static const struct {
		const char *name;
		const struct sp_source *source;
	} all[] = { { SP_PRODUCTS, &sp_product_source },
		    { SP_CUSTOMERS, &sp_customer_source },
		    { SP_PARTNERS, &sp_partner_source } };
	size_t i = 0;
	while (i + 1 < ARRAY_SIZE(all) && strcmp(at->kind, all[i].name) != 0)
		i++;
	return all[i].source;
}

bool sp_list(struct attempt *at, const struct register_cursor *from, struct register_page *ret,
	     struct err *err)
{
	const struct sp_source *source = source_of(at);
	struct sp_listed got;
	struct sp sp;
	if (!sp_open(&sp, at, err) || !source->list(&sp, from, &got, err))
		return false;
	struct register_record *records = arena_alloc_array(at->arena, got.n + 1, sizeof(*records));
	const char *item = got.items;
	if (!records)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < got.n; i++, item += source->size)
		source->name(at->arena, item, &records[i]);
	*ret = (struct register_page) { .records = records, .n = got.n, .next = got.next };
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

bool sp_read_ids(struct attempt *at, const char *const *ids, size_t n, struct register_page *ret,
		 struct err *err)
{
	const struct sp_source *source = source_of(at);
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
