/*
 * sender.c: webhooks of systems that sign nothing: POST /v1/webhooks/{connection}/{sender}/{token}.
 * How a body is read stands with the system (system.h), whom it may speak about with the flow
 * (flow.h).
 *
 * Guarantees that nothing of a request is parsed before it has proved itself, that the body serves
 * as a hint only, and that who knows no token learns nothing: whether the connection, the sender or
 * the token is wrong, the answer is the same.
 */
#include "base/base.h"

#include "connections.h"
#include "intake.h"
#include "model/hook.h"
#include "server.h"

static const struct flow_sender *find_sender(const struct flow *flow, const char *name)
{
	for (size_t i = 0; flow && i < flow->n_senders; i++)
		if (str_eq(flow->senders[i].system->name, name) &&
		    !flow->senders[i].system->sender->header)
			return &flow->senders[i];
	return NULL;
}

static bool not_found(struct request *rq, const char *result, struct err *err)
{
	intake_count(rq, result);
	return problem(err, ERR_NOT_FOUND, "not_found", "", "no such webhook");
}

static bool is_proved(struct request *rq, const struct connection *conn,
		      const struct flow_sender *from, struct err *err)
{
	/* Also of a connection or sender that there is not, so that its time does not tell. */
	const struct hook hook = { rq->args[0], rq->args[1], conn ? conn->webhook_turn : 0 };
	bool fits = hook_token_fits(rq->opt->key, &hook, rq->args[2]);
	if (!conn || !from)
		return not_found(rq, conn ? "unknown_sender" : "unknown_connection", err);
	return fits || not_found(rq, "forged", err);
}

/* Of one that has proved itself. */
static bool is_open(struct request *rq, const struct connection *conn, const struct sender *sender,
		    struct err *err)
{
	if (conn->unreadable[0]) {
		intake_count(rq, "unreadable");
		return problem(err, ERR_OUTAGE, "unavailable", "", "the connection cannot be read");
	}
	if (!conn->intake_open) {
		intake_count(rq, "closed");
		return problem(err, ERR_CONFLICT, "connection_not_active", "",
			       "the connection is not active");
	}
	return intake_fits(rq, sender, err);
}

bool intake_sender(struct request *rq, struct err *err)
{
	rq->metric_flow = "";
	CLEANUP(connection_unref) struct connection *conn = store_find(rq->opt->store, rq->args[0]);
	const struct flow *flow = conn ? flow_find(rq->opt, conn->flow) : NULL;
	const struct flow_sender *from = find_sender(flow, rq->args[1]);
	if (flow)
		rq->metric_flow = flow->name;
	if (!is_proved(rq, conn, from, err) || !is_open(rq, conn, from->system->sender, err))
		return false;
	struct sender_event event;
	if (!from->system->sender->read(rq->arena, request_body(rq), &event, err)) {
		intake_count(rq, "malformed");
		if (err->code == ERR_INPUT)
			err->reason = err->pointer[0] ? "malformed_request" : "malformed_json";
		return false;
	}
	if (!event.subject)
		return intake_ignore(rq, err);
	intake_commit(rq, from, &event);
	return true;
}
