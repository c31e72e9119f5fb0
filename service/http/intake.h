/* intake.h: webhooks: verify on the server thread, hand over to the committer. */
#ifndef SERVICE_HTTP_INTAKE_H
#define SERVICE_HTTP_INTAKE_H

#include "base/base.h"
#include "request.h"

/* Decoded webhook secrets by connection snapshot, so that a webhook decodes none. Thread-safe. */
struct key_cache;
struct key_cache *key_cache_new(void) MUST_CHECK;
void key_cache_free(struct key_cache *cache); /* accepts NULL */

/* Handler of POST /v1/webhooks/{connection}; leaves rq->commit to be pushed when it answers
 * nothing. */
bool intake_webhook(struct request *rq, struct err *err) MUST_CHECK;
/* Handler of POST /v1/webhooks/{connection}/{sender}/{token} (sender.c); likewise. */
bool intake_sender(struct request *rq, struct err *err) MUST_CHECK;
/* What both share: a webhook's result for the metrics, and the answer to a type that nobody knows.
 */
void intake_count(struct request *rq, const char *result);
bool intake_ignore(struct request *rq, struct err *err) MUST_CHECK;
/* Is it as large as its sender's messages are at most? */
bool intake_fits(struct request *rq, const struct sender *sender, struct err *err) MUST_CHECK;
/* What the event is about, to be handed over. */
void intake_commit(struct request *rq, const struct flow_sender *from,
		   const struct sender_event *event);
/* Committer thread: the answer to what was committed, or why it was not. */
void intake_answer(struct request *rq, const struct err *why);

#endif
