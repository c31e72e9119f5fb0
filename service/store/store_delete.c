/*
 * store_delete.c: the end of a connection. Its settings, credentials, webhook secrets and facts are
 * gone from Redis and from the vault when it returns; from those of other relays as soon as they
 * see it, since what is left has a higher revision than what they hold. What is left says who it
 * was, so that its transfers stay what they are: one made anew by the same name sends nothing a
 * second time.
 */
#include "base/base.h"
#include "store_internal.h"

#include "base/clock.h"

#define DELETE_ARENA ((size_t)1 << 20)
#define TRIES 5

static bool make_rest(const struct connection *old, struct connection **ret, struct err *err)
{
	const struct connection_draft d = { .id = old->id,
					    .flow = old->flow,
					    .name = "",
					    .settings = "{}",
					    .schedule = "",
					    .pause_reason = "",
					    .state = CONNECTION_DELETED,
					    .rev = old->rev,
					    .created_ms = old->created_ms,
					    .activated_ms = old->activated_ms,
					    .webhook_turn = old->webhook_turn,
					    .credentials = SPAN_LIT("{}") };
	return connection_new(&d, ret, err);
}

static bool blocked(const char *id, const struct redis_value *v, struct err *err)
{
	int64_t last_ms = v->n == 5 ? store_int(&v->items[4]) : 0;
	char until[CLOCK_RFC3339_MAX] = "", text[64] = "";
	if (last_ms) {
		clock_rfc3339(last_ms, until);
		snprintf(text, sizeof(text), " (until %s)", until);
	}
	if (v->n != 5)
		return store_script_broken("connection_delete", err);
	return err_reason(err, ERR_CONFLICT, "connection_in_use", id,
			  "%" PRId64 " run, %" PRId64 " are in doubt, %" PRId64
			  " were sent and are followed%s",
			  store_int(&v->items[1]), store_int(&v->items[2]), store_int(&v->items[3]),
			  text);
}

/* ERR_CONFLICT, reason "stale": it is another revision. */
static bool delete_once(struct store *s, const struct connection *old, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(DELETE_ARENA);
	CLEANUP(connection_unref) struct connection *rest = NULL;
	struct span args[4 + CONN_FIELDS];
	const struct redis_value *v = NULL;
	struct num rev;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	args[1] = span_of(old->id);
	args[2] = num_span(&rev, old->rev);
	args[3] = SPAN_LIT("connection_deleted");
	if (!make_rest(old, &rest, err) || !connection_write(s, arena, rest, args + 4, err) ||
	    !store_script(s, arena, "connection_delete", args, ARRAY_SIZE(args), &v, err))
		return false;
	int64_t answer = v->type == REDIS_ARRAY && v->n ? store_int(&v->items[0]) : -9;
	switch (answer) {
	case -1:
		return err_set(err, ERR_NOT_FOUND, "no connection %s", old->id);
	case -2:
		return err_reason(err, ERR_CONFLICT, "stale", old->id,
				  "connection %s was changed meanwhile", old->id);
	case -3:
		return err_reason(err, ERR_CONFLICT, "connection_active", old->id,
				  "connection %s is active", old->id);
	case 0:
		return blocked(old->id, v, err);
	default:
		return answer > 0 || store_script_broken("connection_delete", err);
	}
}

bool store_connection_delete(struct store *s, const char *id, int64_t rev, struct err *err)
{
	struct err why = ERR_INIT;
	for (int i = 0; i < TRIES; i++) {
		struct connection *got = NULL;
		if (!store_connection_get(s, id, &got, err))
			return false;
		CLEANUP(connection_unref) struct connection *old = got;
		if (rev >= 0 && old->rev != rev)
			return err_reason(err, ERR_CONFLICT, "stale", id,
					  "it is at revision %" PRId64, old->rev);
		why = (struct err)ERR_INIT;
		if (delete_once(s, old, &why))
			return store_refresh(s, err);
		if (rev >= 0 || !str_eq(why.reason, "stale"))
			break;
	}
	if (err)
		*err = why;
	return false;
}
