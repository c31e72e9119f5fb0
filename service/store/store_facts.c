/*
 * store_facts.c: what a connection has learned, beside its record: changed by the product itself,
 * so it has a revision of its own; its dialogues' records among it. Guarantees that of two who
 * change it at once one is told to read again, and that it is in the vault when a change returns
 * (or in the store's trouble).
 */
#include "base/base.h"
#include "store_internal.h"

#include "base/clock.h"
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

static bool parse_object(struct arena *arena, const char *json, const struct json **ret,
			 struct err *err)
{
	const struct json_limits limits = { STORE_FACTS_MAX, 16 };
	struct err why = ERR_INIT;
	if (strlen(json) > STORE_FACTS_MAX)
		return err_set(err, ERR_INPUT, "the facts are over %zu bytes", STORE_FACTS_MAX);
	if (!json_parse(arena, span_of(json), limits, ret, &why))
		return err_set(err, ERR_INPUT, "the facts: %s", why.message);
	return json_type(*ret) == JSON_OBJECT ||
	       err_set(err, ERR_INPUT, "the facts are not a JSON object");
}

/* By the clock of Redis it is as far off as by ours. */
static struct span delay_of(const struct json *doc, struct num *number)
{
	int64_t due_ms;
	if (!json_int64(json_get(doc, "due_ms"), &due_ms))
		return SPAN_LIT("");
	int64_t delay_ms = due_ms - clock_wall_ms();
	return num_span(number, delay_ms > 0 ? delay_ms : 0);
}

bool store_facts_set(struct store *s, const char *conn, int64_t rev, const char *json,
		     int64_t *ret_rev, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(FACTS_ARENA);
	struct span sealed;
	struct num number, delay;
	const struct json *doc = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	arena_keep_secrets(arena);
	const char *place = place_of(arena, conn, err);
	if (!place || !parse_object(arena, json, &doc, err) ||
	    !seal(arena, &s->key, span_of(place), span_of(json), &sealed, err))
		return false;
	struct span args[] = { SPAN_LIT(""), /* the epoch */
			       span_of(conn), num_span(&number, rev), sealed,
			       delay_of(doc, &delay) };
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

#define RECORD_TRIES 5

static bool is_current(const struct facts *facts, const struct record_put *put, struct err *err)
{
	struct record stored;
	int64_t rev = record_int(put->record, "rev");
	bool exists = facts_record(facts, put->dialogue, record_str(put->record, "id"), &stored);
	if ((exists ? record_int(&stored, "rev") : 0) == rev &&
	    (put->facts_rev < 0 || put->facts_rev == facts->rev))
		return true;
	return err_reason(err, ERR_CONFLICT, "stale", put->conn, "it was changed meanwhile");
}

/* *ret_again: the facts changed between reading and writing. */
static bool put_once(struct store *s, struct arena *arena, const struct record_put *put,
		     bool *ret_again, struct err *err)
{
	struct facts facts;
	const char *json;
	int64_t rev;
	struct err why = ERR_INIT;
	*ret_again = false;
	if (!store_facts_get(s, arena, put->conn, &json, &rev, err) ||
	    !facts_read(arena, json, rev, &facts, err) || !is_current(&facts, put, err))
		return false;
	struct record next = *put->record;
	record_put_int(&next, "rev", record_int(&next, "rev") + 1);
	record_put_int(&next, "updated_ms", clock_wall_ms());
	if (!facts_with(&facts, put->dialogue, &next, &json, err))
		return false;
	if (store_facts_set(s, put->conn, rev, json, &rev, &why)) {
		*put->record = next;
		return true;
	}
	*ret_again = why.code == ERR_CONFLICT && put->facts_rev < 0;
	if (err)
		*err = why;
	return false;
}

bool store_record_put(struct store *s, struct arena *arena, const struct record_put *put,
		      struct err *err)
{
	bool again = true, done = false;
	struct err why = ERR_INIT;
	for (int i = 0; again && !done && i < RECORD_TRIES; i++)
		done = put_once(s, arena, put, &again, &why);
	if (!done && err)
		*err = why;
	return done;
}
