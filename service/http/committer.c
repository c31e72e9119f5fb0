/*
 * committer.c: see committer.h. While one batch is at Redis the next gathers by itself, so that the
 * busier the server, the larger the batches. Deliberately has no timer: a lone webhook is sent at
 * once.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "committer.h"

#include <microhttpd.h>

struct committer {
	struct committer_options opt;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct commit *first, **last;
	bool is_idle; /* the thread waits for `more` */
	bool stopping, joined;
	struct commit *batch[QUEUE_BATCH_MAX];
	struct queue_item items[QUEUE_BATCH_MAX];
	struct queue_receipt receipts[QUEUE_BATCH_MAX];
};

/* Takes up to a batch; 0 when stopped and empty. */
static size_t take(struct committer *c)
{
	pthread_mutex_lock(&c->lock);
	while (!c->first && !c->stopping) {
		c->is_idle = true;
		pthread_cond_wait(&c->more, &c->lock);
		c->is_idle = false;
	}
	size_t n = 0;
	while (c->first && n < c->opt.batch_max) {
		c->batch[n++] = c->first;
		c->first = c->first->next;
	}
	if (!c->first)
		c->last = &c->first;
	pthread_mutex_unlock(&c->lock);
	return n;
}

static void send_batch(struct committer *c, size_t n)
{
	struct err err = ERR_INIT;
	for (size_t i = 0; i < n; i++)
		c->items[i] = c->batch[i]->item;
	bool ok = c->opt.intake(c->opt.ctx, c->items, n, c->receipts, &err);
	for (size_t i = 0; i < n; i++) {
		struct commit *item = c->batch[i];
		struct MHD_Connection *mhd = item->mhd;
		if (ok)
			item->receipt = c->receipts[i];
		c->opt.done(c->opt.ctx, item, ok ? NULL : &err);
		MHD_resume_connection(mhd); /* the item is the server thread's again */
	}
}

static void *run(void *arg)
{
	struct committer *c = arg;
	size_t n;
	while ((n = take(c)) > 0)
		send_batch(c, n);
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
	int rc = pthread_create(&c->thread, NULL, run, c);
	if (rc) {
		c->joined = true;
		committer_free(c);
		return err_errno(err, ERR_SYSTEM, rc, "cannot start the committer");
	}
	*ret = c;
	return true;
}

bool committer_push(struct committer *c, struct commit *item)
{
	pthread_mutex_lock(&c->lock);
	bool taken = !c->stopping;
	if (taken) {
		/* Before it can be resumed, hence under the lock. */
		MHD_suspend_connection(item->mhd);
		item->next = NULL;
		*c->last = item;
		c->last = &item->next;
		if (c->is_idle)
			pthread_cond_signal(&c->more);
	}
	pthread_mutex_unlock(&c->lock);
	return taken;
}

void committer_stop(struct committer *c)
{
	if (!c || c->joined)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	c->joined = true;
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
