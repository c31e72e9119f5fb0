/*
 * store_facts.c: what a connection has learned, beside its record: changed by the product itself,
 * so it has a revision of its own. Guarantees that of two who change it at once one is told to read
 * again, and that it is in the vault when a change returns (or in the store's trouble).
 */
#include "base/base.h"
#include "store_internal.h"

#include "codec/json.h"

#define FACTS_ARENA (STORE_FACTS_MAX * 16)

static const char *place_of(struct arena *arena, const char *conn, struct err *err)
{
	const char *place = arena_printf(arena, "facts:%s", conn);
	if (!place)
		err_set(err, ERR_LIMIT, "arena full");
	return place;
}

bool store_facts_get(struct store *s, struct arena *arena, const char *conn, const char **ret,
		     int64_t *ret_rev, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "HMGET %sconn:%s rev fr fx", redis_prefix(s->pool),
			    conn))
		return false;
	if (store_item(v, 0).n == 0)
		return err_set(err, ERR_NOT_FOUND, "no connection %s", conn);
	const char *text = "{}";
	if (store_item(v, 2).n) {
		const char *place = place_of(arena, conn, err);
		struct span plain;
		if (!place)
			return false;
		if (!unseal(arena, &s->key, span_of(place), store_item(v, 2), &plain, err))
			return err_wrap(err, "facts of connection %s", conn);
		text = plain.p;
	}
	*ret = text;
	*ret_rev = store_int(&v->items[1]);
	return true;
}

static bool is_object(struct arena *arena, const char *json, struct err *err)
{
	const struct json *doc = NULL;
	const struct json_limits limits = { STORE_FACTS_MAX, 16 };
	struct err why = ERR_INIT;
	if (strlen(json) > STORE_FACTS_MAX)
		return err_set(err, ERR_INPUT, "the facts are over %zu bytes", STORE_FACTS_MAX);
	if (!json_parse(arena, span_of(json), limits, &doc, &why))
		return err_set(err, ERR_INPUT, "the facts: %s", why.message);
	return json_type(doc) == JSON_OBJECT ||
	       err_set(err, ERR_INPUT, "the facts are not a JSON object");
}

bool store_facts_set(struct store *s, const char *conn, int64_t rev, const char *json,
		     int64_t *ret_rev, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(FACTS_ARENA);
	struct span sealed;
	struct num number;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *place = place_of(arena, conn, err);
	if (!place || !is_object(arena, json, err) ||
	    !seal(arena, &s->key, span_of(place), span_of(json), &sealed, err))
		return false;
	struct span args[] = { SPAN_LIT(""), /* the epoch */
			       span_of(conn), num_span(&number, rev), sealed };
	const struct redis_value *v = NULL;
	if (!store_script(s, arena, "facts_put", args, ARRAY_SIZE(args), &v, err))
		return false;
	int64_t answer = store_int(v);
	if (answer == -1)
		return err_set(err, ERR_NOT_FOUND, "no connection %s", conn);
	if (answer < 1)
		return err_reason(err, ERR_CONFLICT, "stale", conn,
				  "the facts of connection %s were changed meanwhile", conn);
	if (!store_refresh(s, err))
		return false;
	*ret_rev = answer;
	return true;
}
