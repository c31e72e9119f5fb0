/*
 * committer.c: see committer.h. While batches are at Redis the next gathers by itself, so that the
 * busier the server, the larger the batches. A lone webhook is sent at once: there is no timer.
 *
 * Two lanes, so that Redis finds the second batch waiting when it is done with the first. The
 * second goes once as many wait as are away: earlier it would only cut the batches smaller. In
 * which order two batches in flight are taken is open, as it is for webhooks on two connections.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "committer.h"
#include "loop.h"

#include <microhttpd.h>

#define LANES 2

/* A thread and the batch it has at Redis. */
struct lane {
	struct committer *committer;
	pthread_t thread;
	bool started;
	struct commit *batch[QUEUE_BATCH_MAX];
	struct queue_item items[QUEUE_BATCH_MAX];
	struct queue_receipt receipts[QUEUE_BATCH_MAX];
	struct loop *loops[QUEUE_BATCH_MAX];
};

struct committer {
	struct committer_options opt;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct commit *first, **last;
	size_t n_waiting, n_away;
	unsigned n_idle; /* lanes that wait for `more` */
	bool called; /* one of them, and it has not come yet */
	bool stopping;
	struct lane lanes[LANES];
};

static bool may_go_locked(const struct committer *c)
{
	return c->n_waiting > 0 && c->n_waiting >= c->n_away;
}

static void call_lane_locked(struct committer *c)
{
	if (c->n_idle == 0 || c->called || !may_go_locked(c))
		return;
	c->called = true;
	pthread_cond_signal(&c->more);
}

/* Takes up to a batch; 0 when stopped and empty. */
static size_t take(struct committer *c, struct lane *l)
{
	pthread_mutex_lock(&c->lock);
	while (!may_go_locked(c) && !c->stopping) {
		c->n_idle++;
		pthread_cond_wait(&c->more, &c->lock);
		c->n_idle--;
		c->called = false;
	}
	size_t n = 0;
	while (c->first && n < c->opt.batch_max) {
		l->batch[n++] = c->first;
		c->first = c->first->next;
	}
	if (!c->first)
		c->last = &c->first;
	c->n_waiting -= n;
	c->n_away += n;
	pthread_mutex_unlock(&c->lock);
	return n;
}

static void send_batch(struct committer *c, struct lane *l, size_t n)
{
	struct err err = ERR_INIT;
	for (size_t i = 0; i < n; i++)
		l->items[i] = l->batch[i]->item;
	bool ok = c->opt.intake(c->opt.ctx, l->items, n, l->receipts, &err);
	pthread_mutex_lock(&c->lock);
	c->n_away -= n;
	call_lane_locked(c);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < n; i++) {
		struct commit *item = l->batch[i];
		l->loops[i] = item->loop;
		if (ok)
			item->receipt = l->receipts[i];
		c->opt.done(c->opt.ctx, item, ok ? NULL : &err);
		loop_resume(item->loop, item->mhd); /* the item is the server thread's again */
	}
	for (size_t i = 0; i < n; i++)
		if (i == 0 || l->loops[i] != l->loops[i - 1])
			loop_wake(l->loops[i]);
}

/* After the stop. */
static void refuse(struct committer *c, struct commit *item)
{
	struct loop *loop = item->loop;
	struct err err = ERR_INIT;
	err_set(&err, ERR_OUTAGE, "the service is stopping");
	c->opt.done(c->opt.ctx, item, &err);
	loop_resume(loop, item->mhd);
	loop_wake(loop);
}

static void *run(void *arg)
{
	struct lane *l = arg;
	const struct committer_options *opt = &l->committer->opt;
	size_t n;
	if (opt->begin)
		opt->begin(opt->ctx);
	while ((n = take(l->committer, l)) > 0)
		send_batch(l->committer, l, n);
	if (opt->end)
		opt->end(opt->ctx);
	return NULL;
}

bool committer_new(const struct committer_options *opt, struct committer **ret, struct err *err)
{
	struct committer *c = mem_alloc(sizeof(*c));
	if (!c)
		return err_set(err, ERR_MEMORY, "out of memory");
	c->opt = *opt;
	if (c->opt.batch_max < 1 || c->opt.batch_max > QUEUE_BATCH_MAX)
		c->opt.batch_max = QUEUE_BATCH_MAX;
	c->last = &c->first;
	pthread_mutex_init(&c->lock, NULL);
	clock_cond_init(&c->more);
	for (size_t i = 0; i < LANES; i++) {
		c->lanes[i].committer = c;
		int rc = pthread_create(&c->lanes[i].thread, NULL, run, &c->lanes[i]);
		if (rc) {
			committer_free(c);
			return err_errno(err, ERR_SYSTEM, rc, "cannot start the committer");
		}
		c->lanes[i].started = true;
	}
	*ret = c;
	return true;
}

void committer_push(struct committer *c, struct commit *item)
{
	/* Before it can be resumed, and not under the lock: it takes a system call. */
	MHD_suspend_connection(item->mhd);
	pthread_mutex_lock(&c->lock);
	bool taken = !c->stopping;
	if (taken) {
		item->next = NULL;
		*c->last = item;
		c->last = &item->next;
		c->n_waiting++;
		call_lane_locked(c);
	}
	pthread_mutex_unlock(&c->lock);
	if (!taken)
		refuse(c, item);
}

void committer_stop(struct committer *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < LANES; i++) {
		if (c->lanes[i].started)
			pthread_join(c->lanes[i].thread, NULL);
		c->lanes[i].started = false;
	}
}

void committer_free(struct committer *c)
{
	if (!c)
		return;
	committer_stop(c);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->lock);
	mem_free(c);
}
