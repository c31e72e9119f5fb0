/*
 * connection_queue.c: what a connection's answer tells of the queue: until when a vendor's limit is
 * blocked, and how far what was sent is followed (MV-14).
 */
#include "base/base.h"

#include "connections.h"

bool connection_queue_read(struct request *rq, struct connection *const *conns, size_t n,
			   struct connection_queue *ret, struct err *err)
{
	struct queue *q = rq->opt->queue;
	const char **ids = arena_alloc_array(rq->arena, n + 1, sizeof(*ids));
	ret->followed = arena_alloc_array(rq->arena, n + 1, sizeof(*ret->followed));
	if (!ids || !ret->followed)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++)
		ids[i] = conns[i]->id;
	return queue_blocks(q, rq->arena, &ret->blocks, &ret->n_blocks, err) &&
	       queue_follow_counts(q, rq->arena, ids, n, ret->followed, err);
}

/* 0: no vendor has asked us to wait. */
static int64_t blocked_until_ms(const struct connection *c, const struct connection_queue *q)
{
	int64_t until_ms = 0;
	for (size_t i = 0; i < q->n_blocks; i++)
		for (size_t k = 0; k < c->n_limits; k++)
			if (str_eq(q->blocks[i].key, c->limits[k].key) &&
			    q->blocks[i].until_ms > until_ms)
				until_ms = q->blocks[i].until_ms;
	return until_ms;
}

void connection_queue_write(struct json_writer *w, const struct connection *c,
			    const struct connection_queue *q, size_t i)
{
	const struct queue_followed *f = &q->followed[i];
	bool may = connection_may_follow(c);
	jsonw_ktime(w, "blocked_until", blocked_until_ms(c, q));
	jsonw_key(w, "follow");
	jsonw_object(w);
	jsonw_kint(w, "following", f->n_pending);
	jsonw_kint(w, "watched", f->n_watched);
	jsonw_ktime(w, "oldest_since", f->oldest_ms);
	jsonw_ktime(w, "next_at", may ? f->next_ms : 0);
	jsonw_kbool(w, "stands_still", !may);
	jsonw_end_object(w);
}
