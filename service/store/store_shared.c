/*
 * store_shared.c: values that relay processes leave for each other for a while: vendors' tokens.
 * Sealed under the service's key, bound to their place; names are digests, since a place names
 * whose credentials it is about. Not in the vault: what is lost is fetched anew.
 */
#include "base/base.h"
#include "store_internal.h"

#define SHARED_ARENA ((size_t)256 << 10)

static void place_of(const char *key, char ret[HASH_HEX_MAX])
{
	unsigned char digest[SHA256_BYTES];
	sign_sha256(span_of(key), digest);
	sign_hex(digest, sizeof(digest), ret);
}

bool store_shared_get(struct store *s, struct arena *arena, const char *key, const char **ret,
		      int64_t *ret_ttl_ms, struct err *err)
{
	struct redis *got = NULL;
	char place[HASH_HEX_MAX];
	place_of(key, place);
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *value = NULL, *ttl = NULL;
	const char *prefix = redis_prefix(s->pool);
	struct span plain;
	*ret = NULL;
	if (!redis_commandf(r, arena, &value, err, "GET %sshared:%s", prefix, place) ||
	    !redis_commandf(r, arena, &ttl, err, "PTTL %sshared:%s", prefix, place))
		return false;
	if (value->type != REDIS_STRING || ttl->type != REDIS_INT || ttl->i <= 0)
		return true;
	/* One that cannot be opened (another sealing key) is none. */
	if (!unseal(arena, &s->key, span_of(place), value->s, &plain, NULL))
		return true;
	*ret = plain.p;
	*ret_ttl_ms = ttl->i;
	return true;
}

bool store_shared_put(struct store *s, const char *key, const char *value, int64_t ttl_ms,
		      struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SHARED_ARENA);
	struct redis *got = NULL;
	char place[HASH_HEX_MAX];
	struct span sealed;
	place_of(key, place);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!seal(arena, &s->key, span_of(place), span_of(value), &sealed, err) ||
	    !redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	return redis_commandf(r, arena, &v, err, "SET %sshared:%s %b PX %lld",
			      redis_prefix(s->pool), place, sealed, (long long)ttl_ms);
}
