/* queue_intake.c: hands batches of hints and finds to intake.lua. The hot path: no allocation per
 * item. */
#include "base/base.h"
#include "queue_internal.h"

#define ITEM_ARGS 9
#define INTAKE_ARENA (256 * 1024)

void transfer_id(const char *conn, const char *kind, const char *source_id,
		 char ret[TRANSFER_ID_MAX])
{
	unsigned char digest[SHA256_BYTES];
	char text[512], inner[2 * SHA256_BYTES + 1];
	int n = snprintf(text, sizeof(text), "%s%c%s%c%s", conn, 0, kind, 0, source_id);
	if (n >= (int)sizeof(text)) {
		/* A long foreign id enters as its digest. */
		sign_sha256(span_of(source_id), digest);
		sign_hex(digest, sizeof(digest), inner);
		n = snprintf(text, sizeof(text), "%.200s%c%.200s%c%s", conn, 0, kind, 0, inner);
	}
	sign_sha256((struct span) { text, (size_t)n }, digest);
	sign_hex(digest, 16, ret);
}

static void item_args(const struct queue_item *item, const char *id, struct span *to)
{
	to[0] = span_of(id);
	to[1] = span_of(item->conn);
	to[2] = span_of(item->kind);
	to[3] = span_of(item->source_id);
	to[4] = text_span(item->webhook_id);
	to[5] = text_span(item->origin);
	to[6] = text_span(item->changed);
	to[7] = text_span(item->number);
	to[8] = item->found ? SPAN_LIT("1") : SPAN_LIT("");
}

static bool letter_to_result(char letter, enum queue_intake *ret)
{
	switch (letter) {
	case 'N':
		*ret = INTAKE_NEW;
		return true;
	case 'K':
		*ret = INTAKE_KNOWN;
		return true;
	case 'S':
		*ret = INTAKE_SEEN;
		return true;
	case 'R':
		*ret = INTAKE_REPLAY;
		return true;
	default:
		return false;
	}
}

bool queue_intake(struct queue *q, const struct queue_item *items, size_t n,
		  struct queue_receipt *ret, struct err *err)
{
	if (n == 0)
		return true;
	if (n > QUEUE_BATCH_MAX)
		return err_set(err, ERR_LIMIT, "more than %d items at once", QUEUE_BATCH_MAX);
	CLEANUP(arena_free) struct arena *arena = arena_new(INTAKE_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	struct span args[QUEUE_BATCH_MAX * ITEM_ARGS];
	for (size_t i = 0; i < n; i++) {
		if (strlen(items[i].conn) + strlen(items[i].kind) > 300)
			return err_set(err, ERR_LIMIT, "connection or kind is too long");
		transfer_id(items[i].conn, items[i].kind, items[i].source_id, ret[i].id);
		item_args(&items[i], ret[i].id, args + i * ITEM_ARGS);
	}
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "intake", args, n * ITEM_ARGS, &v, err))
		return false;
	if (v->type != REDIS_STRING || v->s.n != n)
		return queue_script_broken("intake", err);
	for (size_t i = 0; i < n; i++)
		if (!letter_to_result(v->s.p[i], &ret[i].what))
			return queue_script_broken("intake", err);
	return true;
}
