/*
 * store_alert.c: what a connection's people are to be mailed about. Found by looking, not by being
 * told: no transfer waits for it, a crash loses nothing, and processes that share a Redis send one
 * mail between them.
 */
#include "base/base.h"
#include "store_internal.h"

#include "store/links.h"

#define ALARM_FIELDS 7
#define LEASE_MS 120000 /* longer than a mail takes; another process may try after it */

/* Why an example stands still; bound to the record's place (queue_run_why.c). */
static const char *why_of(struct store *s, struct arena *arena, const char *conn,
			  const struct store_alarm *alarm, const char *id, struct span why)
{
	if (alarm->is_run)
		return arena_memdup(arena, why.p, why.n);
	const char *place = arena_printf(arena, "st:%s:%s:%s", conn, alarm->reg, id);
	const char *json = place && why.n ? store_unseal(s, arena, place, why) : NULL;
	return json ? json : "";
}

static bool read_alarms(struct store *s, struct arena *arena, const char *conn,
			const struct redis_value *v, struct store_alert *ret, struct err *err)
{
	size_t n = v->n / ALARM_FIELDS;
	struct store_alarm *list = arena_alloc_array(arena, n + 1, sizeof(*list));
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++) {
		const size_t at = i * ALARM_FIELDS;
		list[i] = (struct store_alarm) { .name = store_item(v, at).p,
						 .is_run = span_is(store_item(v, at + 1), "r"),
						 .reg = store_item(v, at + 2).p,
						 .code = store_item(v, at + 3).p,
						 .n = store_int(&v->items[at + 4]) };
		list[i].json = why_of(s, arena, conn, &list[i], store_item(v, at + 5).p,
				      store_item(v, at + 6));
		if (!list[i].json)
			return err_set(err, ERR_LIMIT, "arena full");
	}
	ret->alarms = list;
	ret->n_alarms = n;
	return true;
}

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
	if (v->n != 4 || v->items[2].type != REDIS_ARRAY || v->items[3].type != REDIS_ARRAY)
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
	return read_alarms(s, arena, conn, &v->items[3], ret, err);
}

bool store_alert_done(struct store *s, struct arena *arena, const char *conn,
		      const struct store_alert *alert, struct err *err)
{
	size_t n = 2 + alert->n + alert->n_alarms;
	struct span *args = arena_alloc_array(arena, n, sizeof(*args));
	const struct redis_value *v = NULL;
	if (!args)
		return err_set(err, ERR_LIMIT, "arena full");
	args[0] = span_of(conn);
	args[1] = span_of(alert->kind == ALERT_RESOLVED ? "resolved" : "failures");
	for (size_t i = 0; i < alert->n; i++)
		args[i + 2] = span_of(alert->ids[i]);
	for (size_t i = 0; i < alert->n_alarms; i++)
		args[2 + alert->n + i] = span_of(alert->alarms[i].name);
	return store_call(s, arena, "alert_done", args, n, &v, err);
}
