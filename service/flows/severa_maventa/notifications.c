/*
 * notifications.c: Maventa tells by itself when something became of an invoice (MV-14,
 * facts/maventa.md §11): one subscription per connection, to an address of ours that nobody can
 * guess. A convenience: what it tells is asked for anyway, so nothing here holds an invoice up, and
 * what fails is tried again.
 *
 * Guarantees that there is never a second one of this connection: they are listed first, one worker
 * does it for all, and what is not the address of now is ended, if it was ours. One at an account
 * that the connection has no keys of any more stays: what it tells is about nobody.
 */
#include "base/base.h"
#include "internal.h"

#include "codec/sign.h"

#define SUBSCRIBED_TTL_MS ((int64_t)60 * 60 * 1000)
#define FAILED_TTL_MS ((int64_t)60 * 1000)
#define SUBSCRIPTION "maventa.subscription" /* "<company> <id>" of the one that we made */

struct subscribing {
	struct sm_run *m;
	const char *url; /* NULL: no subscription is wanted */
};

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* The id of ours at this account; "" none. */
static bool read_last(struct sm_run *m, const char **ret, struct err *err)
{
	struct attempt *at = m->road.at;
	size_t n = strlen(m->maventa.company);
	const char *last;
	if (!at->ops->kv_get(at, at->conn->id, SUBSCRIPTION, &last, err))
		return false;
	*ret = strncmp(last, m->maventa.company, n) == 0 && last[n] == ' ' ? last + n + 1 : "";
	return true;
}

/* Is the address one of this connection's, whatever its token? */
static bool is_ours(const char *destination, const char *url)
{
	const char *token = url ? strrchr(url, '/') : NULL;
	return token && strncmp(destination, url, (size_t)(token + 1 - url)) == 0;
}

/* Ends what is not the address of now. *ret_id: the one that stays; NULL: none does. */
static bool clear(const struct subscribing *s, const char *last, const char **ret_id,
		  struct err *err)
{
	struct maventa *mv = &s->m->maventa;
	const struct maventa_subscription *list;
	size_t n;
	*ret_id = NULL;
	if (!maventa_subscriptions(mv, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->url && !*ret_id && str_eq(list[i].destination, s->url)) {
			*ret_id = list[i].id;
			continue;
		}
		if (!str_eq(list[i].id, last) && !is_ours(list[i].destination, s->url))
			continue;
		if (!maventa_unsubscribe(mv, list[i].id, err))
			return false;
	}
	return true;
}

static bool settle(const struct subscribing *s, struct err *err)
{
	struct sm_run *m = s->m;
	struct attempt *at = m->road.at;
	const char *last, *id;
	if (!read_last(m, &last, err) || !clear(s, last, &id, err))
		return false;
	if (!id && s->url && !maventa_subscribe(&m->maventa, s->url, &id, err))
		return false;
	if (str_eq(last, id ? id : ""))
		return true;
	const char *kept = id ? arena_printf(at->arena, "%s %s", m->maventa.company, id) : "";
	return kept ? at->ops->kv_set(at, at->conn->id, SUBSCRIPTION, kept, 0, err) : full(err);
}

static bool fetch(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	const struct subscribing *s = ctx;
	struct attempt *at = s->m->road.at;
	struct err why = ERR_INIT;
	bool is_settled = settle(s, &why);
	if (why.code == ERR_LEASE) {
		*err = why;
		return false;
	}
	if (!is_settled)
		at->ops->note(at, "not_notified",
			      "Maventa could not be told where to notify; what becomes of the "
			      "invoice is asked for all the same.");
	*ret = is_settled ? "settled" : "failed";
	*ret_ttl_ms = is_settled ? SUBSCRIBED_TTL_MS : FAILED_TTL_MS;
	return true;
}

static bool settle_alone(struct sm_run *m, const char *url, struct err *err)
{
	struct attempt *at = m->road.at;
	struct subscribing s = { m, url };
	struct shared_want want = { .for_all = true, .fetch = fetch, .ctx = &s };
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	const char *done;
	/* The address holds a secret. */
	sign_sha256(span_of(url ? url : ""), digest);
	sign_hex(digest, sizeof(digest), hex);
	want.key = arena_printf(at->arena, "maventa.notify:%s:%s:%s", at->conn->id,
				m->maventa.company, hex);
	return want.key ? at->ops->shared(at, &want, &done, err) : full(err);
}

bool sm_subscribe(struct sm_run *m, struct err *err)
{
	struct attempt *at = m->road.at;
	const char *url;
	if (at->preview)
		return true;
	if (!at->ops->webhook_url(at, &maventa_system, &url, err))
		return false;
	return !url || settle_alone(m, url, err);
}

bool sm_keep_subscription(struct attempt *at, struct err *err)
{
	const char *url, *last;
	bool verified = false;
	struct road *r;
	if (!at->ops->webhook_url(at, &maventa_system, &url, err) ||
	    !at->ops->kv_get(at, at->conn->id, SUBSCRIPTION, &last, err))
		return false;
	if (!url && !last[0])
		return true;
	if (!road_open(at, &r, err) || !sm_is_verified(sm_run_of(r), &verified, err))
		return false;
	return !verified || settle_alone(sm_run_of(r), url, err);
}
