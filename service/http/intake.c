/*
 * intake.c: POST /v1/webhooks/{connection}. Guarantees that nothing of an unsigned, late or forged
 * request is parsed, and that the body serves as a hint only: the flow names the document, the
 * worker reads it at the source (DESIGN §4.3).
 *
 * A webhook-id seen before is answered 202 and changes nothing: senders repeat a webhook whose
 * answer they missed, under the same id, and a refusal would make them repeat it for ever. The
 * answer's "result" and the metric tell the two apart.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "connections.h"
#include "server.h"
#include "webhook.h"

#define CACHE_SLOTS 1024 /* power of two */

struct prepared {
	int refs; /* under the cache's lock */
	struct connection *conn; /* referenced, so that its address stays its own */
	struct webhook_keys keys;
};
struct key_cache {
	pthread_mutex_t lock;
	struct prepared *slots[CACHE_SLOTS];
};

struct key_cache *key_cache_new(void)
{
	struct key_cache *cache = mem_alloc(sizeof(*cache));
	if (cache)
		pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

static void prepared_destroy(struct prepared *p)
{
	if (!p)
		return;
	webhook_keys_wipe(&p->keys);
	connection_unref(p->conn);
	mem_free(p);
}

/* Gives the last reference back to be destroyed outside of the lock. */
static struct prepared *drop_locked(struct prepared *p)
{
	return p && --p->refs == 0 ? p : NULL;
}

static void prepared_unref(struct key_cache *cache, struct prepared *p)
{
	pthread_mutex_lock(&cache->lock);
	p = drop_locked(p);
	pthread_mutex_unlock(&cache->lock);
	prepared_destroy(p);
}

void key_cache_free(struct key_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		prepared_destroy(cache->slots[i]);
	pthread_mutex_destroy(&cache->lock);
	mem_free(cache);
}

static struct prepared *prepare(struct connection *conn)
{
	struct prepared *p = mem_alloc(sizeof(*p));
	if (!p)
		return NULL;
	p->refs = 2; /* the slot and the caller */
	connection_ref(conn);
	p->conn = conn;
	for (size_t i = 0; i < conn->n_webhook_secrets; i++) {
		const struct secret *s = &conn->webhook_secrets[i];
		/* One that does not decode was refused when it came in; it fits no signature. */
		if (secret_is_set(s))
			(void)!webhook_keys_add(&p->keys, (struct span) { s->p, s->n });
	}
	return p;
}

static size_t slot_of(const char *id)
{
	uint32_t h = 2166136261u;
	for (; *id; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return (h ^ (h >> 15)) & (CACHE_SLOTS - 1);
}

/* The connection's decoded secrets; NULL when out of memory. */
static struct prepared *key_cache_get(struct key_cache *cache, struct connection *conn)
{
	struct prepared **slot = &cache->slots[slot_of(conn->id)];
	pthread_mutex_lock(&cache->lock);
	struct prepared *p = *slot;
	bool hit = p && p->conn == conn;
	if (hit)
		p->refs++;
	pthread_mutex_unlock(&cache->lock);
	if (hit)
		return p;
	p = prepare(conn);
	if (!p)
		return NULL;
	pthread_mutex_lock(&cache->lock);
	struct prepared *old = drop_locked(*slot);
	*slot = p;
	pthread_mutex_unlock(&cache->lock);
	prepared_destroy(old);
	return p;
}

void intake_count(struct request *rq, const char *result)
{
	metrics_add(rq->opt->metrics, METRIC_WEBHOOKS, rq->metric_flow, result, 1);
}

/* Whose own signature the request bears; NULL: nobody's, it is one of Standard Webhooks. */
static const struct flow_sender *signer_of(const struct request *rq, const struct flow *flow,
					   struct span *ret_signature)
{
	for (size_t i = 0; i < flow->n_senders; i++) {
		const struct sender *s = flow->senders[i].system->sender;
		const char *text = s->header ? request_header(rq, s->header(rq->opt->systems))
					     : NULL;
		if (!text)
			continue;
		*ret_signature = span_of(text);
		return &flow->senders[i];
	}
	return NULL;
}

static enum webhook_verdict verify(struct request *rq, const struct flow *flow,
				   const struct webhook_keys *keys)
{
	int64_t now_s = clock_wall_ms() / 1000;
	struct span own;
	const struct flow_sender *from = signer_of(rq, flow, &own);
	if (from)
		return webhook_verify_by(from->system->sender, keys, own, request_body(rq), now_s);
	const struct webhook_headers h = { span_of(request_header(rq, "webhook-id")),
					   span_of(request_header(rq, "webhook-timestamp")),
					   span_of(request_header(rq, "webhook-signature")) };
	return webhook_verify(rq->arena, keys, &h, request_body(rq), now_s);
}

static bool check_signature(struct request *rq, const struct flow *flow, struct connection *conn,
			    struct err *err)
{
	struct key_cache *cache = rq->server->keys;
	struct prepared *p = key_cache_get(cache, conn);
	if (!p)
		return err_set(err, ERR_MEMORY, "out of memory");
	enum webhook_verdict v = verify(rq, flow, &p->keys);
	prepared_unref(cache, p);
	switch (v) {
	case WEBHOOK_GOOD:
		return true;
	case WEBHOOK_UNSIGNED:
		intake_count(rq, "unsigned");
		return problem(err, ERR_CREDENTIALS, "unsigned", "",
			       "webhook-id, webhook-timestamp or webhook-signature is missing or "
			       "malformed");
	case WEBHOOK_LATE:
		intake_count(rq, "late");
		return problem(err, ERR_CREDENTIALS, "timestamp_late", "",
			       "webhook-timestamp is more than 300 s off");
	case WEBHOOK_FORGED:
		break;
	}
	intake_count(rq, "forged");
	return problem(err, ERR_CREDENTIALS, "signature_invalid", "",
		       "no signature fits a live secret of the connection");
}

bool intake_ignore(struct request *rq, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rq->arena, 128);
	strbuf_addstr(&sb, "{\"result\":\"ignored\"}");
	intake_count(rq, "ignored");
	return respond_json(rq, 202, &sb, err);
}

static bool malformed(struct request *rq, struct err *err)
{
	intake_count(rq, "malformed");
	if (!err->pointer[0] && err->code == ERR_DATA)
		err->reason = "malformed_json";
	return false;
}

bool intake_fits(struct request *rq, const struct sender *sender, struct err *err)
{
	if (request_body(rq).n <= sender->max_bytes)
		return true;
	intake_count(rq, "malformed");
	return problem(err, ERR_LIMIT, "body_too_large", "", "at most %zu bytes",
		       sender->max_bytes);
}

void intake_commit(struct request *rq, const struct flow_sender *from,
		   const struct sender_event *event)
{
	rq->commit = (struct commit) {
		.loop = rq->loop,
		.mhd = rq->mhd,
		.owner = rq,
		.item = { .conn = rq->args[0], .origin = "webhook" },
	};
	struct queue_item *item = &rq->commit.item;
	if (!from->kind) {
		item->target_key = event->subject;
		return;
	}
	item->kind = from->kind;
	item->source_id = event->subject;
	item->webhook_id = event->id;
	item->remember_s = from->system->sender->remember_s;
}

/* Of one that has proved itself. */
static bool take_event(struct request *rq, const struct flow_sender *from, struct err *err)
{
	struct sender_event event;
	if (!intake_fits(rq, from->system->sender, err))
		return false;
	if (!from->system->sender->read(rq->arena, request_body(rq), &event, err))
		return malformed(rq, err);
	if (event.id && !webhook_is_id(span_of(event.id))) {
		problem(err, ERR_INPUT, "value_invalid", "/id", "1 to 128 printable characters");
		return malformed(rq, err);
	}
	if (!event.subject)
		return intake_ignore(rq, err);
	intake_commit(rq, from, &event);
	return true;
}

static bool take(struct request *rq, struct connection *conn, struct err *err)
{
	const struct flow *flow = flow_find(rq->opt, conn->flow);
	if (!conn->intake_open || !flow || !flow->accept) {
		intake_count(rq, "closed");
		return problem(err, ERR_CONFLICT, "connection_not_active", "",
			       "the connection is not active");
	}
	rq->metric_flow = flow->name;
	if (!check_signature(rq, flow, conn, err))
		return false;
	const char *kind = NULL, *source_id = NULL;
	struct span own;
	const struct flow_sender *from = signer_of(rq, flow, &own);
	if (from)
		return take_event(rq, from, err);
	if (!flow->accept(rq->arena, request_body(rq), &kind, &source_id, err))
		return malformed(rq, err);
	if (!kind)
		return intake_ignore(rq, err);
	rq->commit = (struct commit) {
		.loop = rq->loop,
		.mhd = rq->mhd,
		.owner = rq,
		.item = { .conn = rq->args[0],
			  .kind = kind,
			  .source_id = source_id,
			  .webhook_id = request_header(rq, "webhook-id"),
			  .origin = "webhook" },
	};
	return true;
}

bool intake_webhook(struct request *rq, struct err *err)
{
	rq->metric_flow = "";
	CLEANUP(connection_unref) struct connection *conn = store_find(rq->opt->store, rq->args[0]);
	if (!conn) {
		intake_count(rq, "unknown_connection");
		return problem(err, ERR_NOT_FOUND, "not_found", "", "no such connection");
	}
	if (conn->unreadable[0]) { /* the sender tries again; by then somebody may have replaced it
				    */
		intake_count(rq, "unreadable");
		return problem(err, ERR_OUTAGE, "unavailable", "", "the connection cannot be read");
	}
	return take(rq, conn, err);
}

static const char *receipt_name(enum queue_intake what)
{
	switch (what) {
	case INTAKE_NEW:
		return "queued";
	case INTAKE_KNOWN:
		return "known";
	case INTAKE_SEEN:
		return "seen";
	case INTAKE_ASKED:
		return "asked";
	case INTAKE_UNKNOWN:
		return "unknown";
	case INTAKE_REPLAY:
		break;
	}
	return "replay";
}

void intake_answer(struct request *rq, const struct err *why)
{
	if (why) {
		intake_count(rq, "not_stored");
		respond_err(rq, why);
		return;
	}
	const struct queue_receipt *r = &rq->commit.receipt;
	const char *name = receipt_name(r->what);
	struct strbuf sb = STRBUF_INIT(rq->arena, 256);
	strbuf_addstr(&sb, "{\"result\":\"");
	strbuf_addstr(&sb, name);
	if (r->id[0]) {
		strbuf_addstr(&sb, "\",\"transfer\":\"");
		strbuf_addstr(&sb, r->id);
	}
	strbuf_addstr(&sb, "\"}");
	intake_count(rq, name);
	struct err err = ERR_INIT;
	enum redis_durability d = rq->opt->durability(rq->opt->ctx);
	respond_header(rq, "Viesti-Durability", redis_durability_name(d));
	if (!respond_json(rq, 202, &sb, &err))
		respond_err(rq, &err);
}
