/* queue_task.c: polls, checks, dry runs and dialogues: short-lived jobs with an answer to read. */
#include "base/base.h"
#include "queue_internal.h"

#define TASK_ARENA (64 * 1024)

bool queue_task_new(struct queue *q, const char *kind, const char *conn, const char *args,
		    char ret_id[QUEUE_JOB_ID_MAX], struct err *err)
{
	char id[QUEUE_JOB_ID_MAX];
	if (str_eq(kind, "poll")) {
		snprintf(id, sizeof(id), "poll:%s", conn);
	} else if (str_eq(kind, "check") || str_eq(kind, "dry_run") || str_eq(kind, "dialogue")) {
		char uuid[UUID_TEXT];
		sign_uuid4(uuid);
		snprintf(id, sizeof(id), "%s:%s", kind, uuid);
	} else {
		return err_set(err, ERR_INPUT, "no task is called %s", kind);
	}
	CLEANUP(arena_free) struct arena *arena = arena_new(TASK_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	struct span argv[] = { span_of(id), span_of(kind), span_of(conn), text_span(args) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "task_new", argv, ARRAY_SIZE(argv), &v, err))
		return false;
	memcpy(ret_id, id, sizeof(id));
	return true;
}

static bool task_state(const char *name, enum queue_task_state *ret)
{
	static const char *const names[] = { [TASK_QUEUED] = "queued",
					     [TASK_RUNNING] = "running",
					     [TASK_DONE] = "done",
					     [TASK_FAILED] = "failed" };
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(name, names[i])) {
			*ret = (enum queue_task_state)i;
			return true;
		}
	return false;
}

bool queue_task_get(struct queue *q, struct arena *arena, const char *id, struct queue_task *ret,
		    struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "HMGET %sj:%s st k c a r e ca ua",
			    redis_prefix(q->pool), id))
		return false;
	struct queue_task found = { .id = arena_strdup(arena, id),
				    .kind = queue_text(v, 1),
				    .conn = queue_text(v, 2),
				    .args = queue_text(v, 3),
				    .result = queue_text(v, 4),
				    .error_json = queue_text(v, 5) };
	if (!found.id)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!task_state(queue_text(v, 0), &found.state))
		return err_set(err, ERR_NOT_FOUND, "no task %s", id);
	found.created_ms = queue_int(&v->items[6]);
	found.updated_ms = queue_int(&v->items[7]);
	*ret = found;
	return true;
}
