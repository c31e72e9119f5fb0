/*
 * committer.h: group commit (DESIGN §8): a thread takes everything that waits, up to a batch, hands
 * it to Redis in one call, and resumes the suspended connections with what came of it.
 *
 * Never a resume is lost: what was pushed is answered, on stop too. Never a false yes: `done` gets
 * the error when the call failed.
 */
#ifndef SERVICE_HTTP_COMMITTER_H
#define SERVICE_HTTP_COMMITTER_H

#include "base/base.h"
#include "base/err.h"
#include "queue/queue.h"

struct MHD_Connection;
struct loop;

struct commit {
	struct commit *next;
	struct loop *loop;
	struct MHD_Connection *mhd;
	struct queue_item item;
	struct queue_receipt receipt;
	void *owner;
};

struct committer_options {
	size_t batch_max; /* 1..QUEUE_BATCH_MAX */
	/* A committer thread; two may be in it at once. */
	bool (*intake)(void *ctx, const struct queue_item *items, size_t n,
		       struct queue_receipt *ret, struct err *err);
	/* A committer thread (after the stop the pushing one), before the resume. why NULL: receipt
	 * is set. */
	void (*done)(void *ctx, struct commit *c, const struct err *why);
	/* A committer thread begins and ends; each may be NULL. */
	void (*begin)(void *ctx);
	void (*end)(void *ctx);
	void *ctx;
};

struct committer;
bool committer_new(const struct committer_options *opt, struct committer **ret,
		   struct err *err) MUST_CHECK;
/* Suspends the connection and takes the item; after committer_stop it is refused through `done`.
 * Server thread. */
void committer_push(struct committer *c, struct commit *item);
/* Answers all that was taken, then ends the threads. Idempotent. */
void committer_stop(struct committer *c);
void committer_free(struct committer *c); /* accepts NULL */

#endif
