/*
 * store_alert.c: what a connection's people are to be mailed about. Found by looking, not by being
 * told: no transfer waits for it, a crash loses nothing, and processes that share a Redis send one
 * mail between them.
 */
#include "base/base.h"
#include "store_internal.h"

#define LEASE_MS 120000 /* longer than a mail takes; another process may try after it */

bool store_alert_scan(struct store *s, struct arena *arena, const char *conn, int64_t wait_ms,
		      int64_t gap_ms, struct store_alert *ret, struct err *err)
{
	struct num wait, gap, lease, most;
	const struct span args[] = { span_of(conn), num_span(&wait, wait_ms),
				     num_span(&gap, gap_ms), num_span(&lease, LEASE_MS),
				     num_span(&most, STORE_ALERT_MAX) };
	const struct redis_value *v = NULL;
	*ret = (struct store_alert) { .kind = ALERT_NONE };
	if (!store_call(s, arena, "alert_scan", args, ARRAY_SIZE(args), &v, err))
		return false;
	if (v->n == 0)
		return true;
	if (v->n != 3 || v->items[2].type != REDIS_ARRAY)
		return store_script_broken("alert_scan", err);
	const struct redis_value *ids = &v->items[2];
	const char **names = arena_alloc_array(arena, ids->n + 1, sizeof(*names));
	if (!names)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < ids->n; i++)
		names[i] = store_item(ids, i).p;
	ret->kind = span_is(store_item(v, 0), "resolved") ? ALERT_RESOLVED : ALERT_FAILURES;
	ret->standing = store_int(&v->items[1]);
	ret->ids = names;
	ret->n = ids->n;
	return true;
}

bool store_alert_done(struct store *s, struct arena *arena, const char *conn,
		      const struct store_alert *alert, struct err *err)
{
	struct span *args = arena_alloc_array(arena, alert->n + 2, sizeof(*args));
	const struct redis_value *v = NULL;
	if (!args)
		return err_set(err, ERR_LIMIT, "arena full");
	args[0] = span_of(conn);
	args[1] = span_of(alert->kind == ALERT_RESOLVED ? "resolved" : "failures");
	for (size_t i = 0; i < alert->n; i++)
		args[i + 2] = span_of(alert->ids[i]);
	return store_call(s, arena, "alert_done", args, alert->n + 2, &v, err);
}
