/*
 * store_link.c: links of register records. Guarantees that a page of them is one round trip, and
 * that what a record says stands sealed: only ids are plain. A link that cannot be opened is none:
 * the record is looked for at the target, as after a loss.
 */
#include "base/base.h"
#include "store_internal.h"

#include "codec/json.h"
#include "store/links.h"

#define LINK_MAX_BYTES ((size_t)64 * 1024)
#define PUT_ARENA ((size_t)16 << 20)
#define ANSWER_FIELDS 4 /* per id, of link_get.lua */

static const char *const version_names[] = { [LINK_LEFT] = "lv", [LINK_RIGHT] = "rv" };
static const char *const made_names[] = { [LINK_LEFT] = "lm", [LINK_RIGHT] = "rm" };

const char *store_links_name(struct arena *arena, const struct link_table *table, struct err *err)
{
	const char *name = arena_printf(arena, "%s:%s", table->scope, table->kind);
	if (!name)
		err_set(err, ERR_LIMIT, "arena full");
	return name;
}

bool store_seal(struct store *s, struct arena *arena, const char *place, const char *plain,
		struct span *ret, struct err *err)
{
	return seal(arena, &s->key, span_of(place), span_of(plain), ret, err);
}

const char *store_unseal(struct store *s, struct arena *arena, const char *place,
			 struct span sealed)
{
	struct span plain;
	if (!unseal(arena, &s->key, span_of(place), sealed, &plain, NULL))
		return NULL;
	return plain.p;
}

/* --- one link as text --- */

static void write_values(struct json_writer *w, const struct record_link *l)
{
	if (!l->n_values)
		return;
	jsonw_key(w, "f");
	jsonw_object(w);
	for (size_t i = 0; i < l->n_values; i++)
		jsonw_kstr(w, l->values[i].name, l->values[i].value);
	jsonw_end_object(w);
}

static bool write_link(struct arena *arena, const struct record_link *l, const char **ret,
		       struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, LINK_MAX_BYTES);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	for (size_t side = LINK_LEFT; side <= LINK_RIGHT; side++) {
		if (l->version[side])
			jsonw_kstr(&w, version_names[side], l->version[side]);
		if (l->made[side])
			jsonw_kbool(&w, made_names[side], true);
	}
	write_values(&w, l);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

static bool read_values(struct arena *arena, const struct json *f, struct record_link *l,
			struct err *err)
{
	size_t n = json_size(f);
	struct link_value *values = arena_alloc_array(arena, n + 1, sizeof(*values));
	if (!values)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *v = json_first(f); v; v = json_next(v))
		values[l->n_values++] = (struct link_value) { json_key(v), json_str(v) };
	l->values = values;
	return true;
}

static bool read_link(struct arena *arena, const char *text, struct record_link *l, struct err *err)
{
	const struct json_limits limits = { LINK_MAX_BYTES, 4 };
	const struct json *doc = NULL;
	if (!json_parse(arena, span_of(text), limits, &doc, err))
		return false;
	for (size_t side = LINK_LEFT; side <= LINK_RIGHT; side++) {
		l->version[side] = json_str(json_get(doc, version_names[side]));
		l->made[side] = json_get(doc, made_names[side]) != NULL;
	}
	return read_values(arena, json_get(doc, "f"), l, err);
}

static const char *place_of(struct arena *arena, const char *name, const char *left,
			    struct err *err)
{
	const char *place = arena_printf(arena, "lk:%s:%s", name, left);
	if (!place)
		err_set(err, ERR_LIMIT, "arena full");
	return place;
}

bool store_link_args(struct store *s, struct arena *arena, const struct link_table *table,
		     const struct record_link *link, struct span to[LINK_ARGS], struct err *err)
{
	const char *name = store_links_name(arena, table, err), *text;
	const char *place = name ? place_of(arena, name, link->id[LINK_LEFT], err) : NULL;
	if (!place || !write_link(arena, link, &text, err) ||
	    !store_seal(s, arena, place, text, &to[2], err))
		return false;
	to[0] = span_of(link->id[LINK_LEFT]);
	to[1] = span_of(link->id[LINK_RIGHT]);
	return true;
}

/* --- reading --- */

static void read_intent(struct span text, int64_t now_ms, struct link_intent *ret)
{
	int64_t at_ms = 0, last_ms = 0;
	int lookups = 0;
	if (sscanf(text.p, "%" SCNd64 " %d %" SCNd64, &at_ms, &lookups, &last_ms) != 3)
		return;
	*ret = (struct link_intent) { .is_open = true,
				      .age_ms = now_ms - at_ms,
				      .lookups = lookups,
				      .lookup_age_ms = now_ms - last_ms };
}

/* stored: right id, line feed, sealed rest. */
static bool open_link(struct store *s, struct arena *arena, const char *name, struct span left,
		      struct span stored, struct record_link *ret, struct err *err)
{
	const char *feed = stored.n ? memchr(stored.p, '\n', stored.n) : NULL;
	if (!feed)
		return true;
	struct record_link l = { .values = NULL };
	l.id[LINK_LEFT] = left.p;
	l.id[LINK_RIGHT] = arena_memdup(arena, stored.p, (size_t)(feed - stored.p));
	const char *place = place_of(arena, name, left.p, err);
	if (!place || !l.id[LINK_RIGHT])
		return err_set(err, ERR_LIMIT, "arena full");
	struct span sealed = { feed + 1, stored.n - (size_t)(feed + 1 - stored.p) };
	const char *text = store_unseal(s, arena, place, sealed);
	if (!text)
		return true;
	if (!read_link(arena, text, &l, err))
		return false;
	*ret = l;
	return true;
}

bool store_links_get(struct store *s, struct arena *arena, const struct links_query *q,
		     struct stored_link *ret, struct err *err)
{
	const char *name = store_links_name(arena, q->table, err);
	struct span *args = arena_alloc_array(arena, q->n + 3, sizeof(*args));
	const struct redis_value *v = NULL;
	assert(q->n <= LINK_BATCH_MAX);
	if (!name || !args)
		return err_set(err, ERR_LIMIT, "arena full");
	args[0] = span_of(name);
	args[1] = q->side == LINK_LEFT ? SPAN_LIT("L") : SPAN_LIT("R");
	args[2] = text_span(q->run);
	for (size_t i = 0; i < q->n; i++)
		args[3 + i] = span_of(q->ids[i]);
	if (!store_call(s, arena, "link_get", args, q->n + 3, &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != 1 + ANSWER_FIELDS * q->n)
		return store_script_broken("link_get", err);
	int64_t now_ms = store_int(&v->items[0]);
	for (size_t i = 0; i < q->n; i++) {
		size_t at = 1 + ANSWER_FIELDS * i;
		ret[i] = (struct stored_link) { .is_through = store_item(v, at + 3).n > 0 };
		if (store_item(v, at + 2).n)
			read_intent(store_item(v, at + 2), now_ms, &ret[i].intent);
		if (!open_link(s, arena, name, store_item(v, at), store_item(v, at + 1),
			       &ret[i].link, err))
			return false;
		/* A way back that leads to a link of another record. */
		if (!str_eq(ret[i].link.id[q->side], q->ids[i]))
			ret[i].link = (struct record_link) { .values = NULL };
	}
	return true;
}

/* --- writing --- */

bool store_links_put(struct store *s, const struct link_table *table,
		     const struct record_link *links, size_t n, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(PUT_ARENA);
	struct span *args = arena ? arena_alloc_array(arena, 2 + LINK_ARGS * n, sizeof(*args))
				  : NULL;
	const struct redis_value *v = NULL;
	if (n == 0)
		return true;
	if (!args)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *name = store_links_name(arena, table, err);
	if (!name)
		return false;
	args[1] = span_of(name); /* args[0]: the epoch */
	for (size_t i = 0; i < n; i++)
		if (!store_link_args(s, arena, table, &links[i], &args[2 + LINK_ARGS * i], err))
			return false;
	return store_script(s, arena, "link_put", args, 2 + LINK_ARGS * n, &v, err);
}

bool store_links_drop(struct store *s, const struct link_table *table, const char *left,
		      const char *right, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(PUT_ARENA);
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *name = store_links_name(arena, table, err);
	if (!name)
		return false;
	struct span args[] = { { 0 }, span_of(name), span_of(left), span_of(right) };
	return store_script(s, arena, "link_drop", args, ARRAY_SIZE(args), &v, err);
}
