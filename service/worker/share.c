/*
 * share.c: one fetch for all who want a value: the process's cache, then what another process left
 * sealed in Redis, then the vendor.
 *
 * Guarantees that of the workers of a process at most one is at the vendor for a key, and that a
 * wait ends by the attempt's deadline. Among processes a lease does the same as long as Redis
 * answers; without it each process fetches for itself: a second token costs the vendor one call,
 * none at all would cost us every job.
 */
#include "base/base.h"

#include "share.h"

#include "base/clock.h"
#include "run.h"

/* A worker that waits does no other work: past this its job is handed back, which is cheap. */
#define WAIT_MAX_MS 5000
#define BUSY_MS 500
#define LEASE_MS 20000 /* of a fetcher in another process that died */
#define LOOK_MS 50 /* between looks whether the other process is done */
#define TTL_MAX_MS ((int64_t)24 * 3600 * 1000)

/* A value and how long it may be used. */
struct found {
	const char *value;
	int64_t ttl_ms;
};

static int64_t until_of(const struct attempt *at)
{
	int64_t until_ms = clock_mono_ms() + WAIT_MAX_MS;
	return until_ms < at->deadline_ms ? until_ms : at->deadline_ms;
}

static bool busy(struct err *err)
{
	err_set(err, ERR_BUSY, "another worker is still fetching what this one needs");
	if (err)
		err->retry_after_ms = BUSY_MS;
	return false;
}

static bool fetch(const struct shared_want *want, struct found *ret, struct err *err)
{
	int64_t ms = 0;
	if (!want->fetch(want->ctx, &ret->value, &ms, err))
		return false;
	ms = ms > 2 * want->margin_ms ? ms - want->margin_ms : ms / 2;
	ret->ttl_ms = ms < TTL_MAX_MS ? ms : TTL_MAX_MS;
	return true;
}

/* What another process has left; a Redis that is away has nothing. */
static bool look(struct attempt *at, const struct shared_want *want, struct found *ret)
{
	struct attempt_impl *impl = at->impl;
	struct found found = { .ttl_ms = 0 };
	if (!store_shared_get(impl->ctx->opt->store, at->arena, want->key, &found.value,
			      &found.ttl_ms, NULL) ||
	    !found.value || found.ttl_ms <= 0 || str_eq(found.value, want->refused))
		return false;
	*ret = found;
	return true;
}

static bool fetch_under_lease(struct attempt *at, const struct shared_want *want, bool has_lease,
			      struct found *ret, struct err *err)
{
	const struct pool_options *opt = ((struct attempt_impl *)at->impl)->ctx->opt;
	bool ok = look(at, want, ret); /* left between the look and the lease */
	if (!ok) {
		ok = fetch(want, ret, err);
		/* Nobody but the vendor misses what is not left for the others. */
		if (ok && has_lease)
			(void)!store_shared_put(opt->store, want->key, ret->value, ret->ttl_ms,
						NULL);
	}
	return ok;
}

static bool fetch_for_all(struct attempt *at, const struct shared_want *want, struct found *ret,
			  struct err *err)
{
	struct attempt_impl *impl = at->impl;
	struct queue *queue = impl->ctx->opt->queue;
	const char *job = impl->run->job.id;
	const char *record = arena_printf(at->arena, "shared:%s", want->key);
	int64_t until_ms = until_of(at);
	if (!record)
		return err_set(err, ERR_LIMIT, "arena full");
	while (!look(at, want, ret)) {
		struct err inner = ERR_INIT;
		bool has_lease = queue_record_lease(queue, record, job, LEASE_MS, &inner);
		if (has_lease || inner.code != ERR_BUSY) {
			bool ok = fetch_under_lease(at, want, has_lease, ret, err);
			if (has_lease)
				(void)!queue_record_release(queue, record, job, NULL); /* lapses */
			return ok;
		}
		if (clock_mono_ms() >= until_ms)
			return busy(err);
		clock_sleep_ms(LOOK_MS);
	}
	return true;
}

/* This worker's duty: whatever comes of it is told to those who wait. */
static bool fetch_and_land(struct attempt *at, const struct shared_want *want, const char **ret,
			   struct err *err)
{
	struct attempt_impl *impl = at->impl;
	struct found found = { .ttl_ms = 0 };
	struct err why = ERR_INIT;
	bool ok = want->for_all ? fetch_for_all(at, want, &found, &why) : fetch(want, &found, &why);
	cache_land(impl->ctx->cache, want->key, ok ? found.value : NULL, found.ttl_ms, &why);
	if (ok)
		*ret = found.value;
	else if (err)
		*err = why;
	return ok;
}

bool share_get(struct attempt *at, const struct shared_want *want, const char **ret,
	       struct err *err)
{
	struct attempt_impl *impl = at->impl;
	const struct cache_ask ask = { .arena = at->arena,
				       .key = want->key,
				       .refused = want->refused,
				       .until_ms = until_of(at) };
	switch (cache_join(impl->ctx->cache, &ask, ret, err)) {
	case CACHE_HERE:
		return true;
	case CACHE_YOURS:
		return fetch_and_land(at, want, ret, err);
	case CACHE_FAILED:
		return false;
	case CACHE_LATE:
		return busy(err);
	}
	return false;
}
