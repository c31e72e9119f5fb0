/*
 * webhook_urls.c: POST /v1/connections/{id}/webhook-urls: new addresses for senders that sign
 * nothing. Their tokens are shown in this answer and never again; those of before are good for
 * nothing from here on, in each relay as soon as its copy follows.
 */
#include "base/base.h"

#include "connections.h"
#include "handlers.h"
#include "model/hook.h"

#define ANSWER_MAX ((size_t)16 * 1024)

/* with_tokens: else as it may be repeated. */
static bool write_urls(struct request *rq, const struct flow *flow, const struct connection *c,
		       bool with_tokens, struct strbuf *sb)
{
	struct json_writer w = JSON_WRITER_INIT(sb);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; flow && i < flow->n_senders; i++) {
		const struct system *system = flow->senders[i].system;
		if (system->sender->header)
			continue; /* it signs, and comes to the connection's own address */
		const struct hook hook = { c->id, system->name, c->webhook_turn };
		const char *url = hook_url(rq->arena, rq->opt->cfg->public_url, rq->opt->key,
					   &hook);
		if (!url)
			return false;
		jsonw_object(&w);
		jsonw_kstr(&w, "sender", system->name);
		jsonw_kstr(&w, "url", with_tokens ? url : NULL);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return true;
}

static bool next_turn(struct request *rq, const struct connection *old, struct connection **ret,
		      struct err *err)
{
	struct connection_draft draft;
	connection_draft_of(old, &draft);
	draft.webhook_turn++;
	if (store_connection_put(rq->opt->store, &draft, ret, err))
		return true;
	if (err->code == ERR_CONFLICT && !err->reason)
		err->reason = "stale";
	return false;
}

bool handle_webhook_urls(struct request *rq, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, ANSWER_MAX);
	struct strbuf kept = STRBUF_INIT(rq->arena, ANSWER_MAX);
	struct connection *old = NULL, *made = NULL;
	const char *id = rq->args[0];
	arena_keep_secrets(rq->arena);
	if (!request_no_body(rq, err) || !auth_connection(rq, id, err) ||
	    !store_connection_get(rq->opt->store, id, &old, err))
		return false;
	CLEANUP(connection_unref) struct connection *before = old;
	if (before->unreadable[0])
		return problem(err, ERR_CONFLICT, "state", "", "it cannot be read; replace it");
	if (!next_turn(rq, before, &made, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = made;
	const struct flow *flow = flow_find(rq->opt, c->flow);
	if (!audit(rq, "connection.webhook_urls", id, err))
		return false;
	if (!write_urls(rq, flow, c, true, &sb) || !write_urls(rq, flow, c, false, &kept))
		return err_set(err, ERR_LIMIT, "arena full");
	rq->replay = strbuf_span(&kept); /* a repeat does not show them again */
	return respond_json(rq, 200, &sb, err);
}
