/*
 * store_sync.c: asks Redis how it is, and sees to it that what must outlive it stands in it. The
 * one place where the health check and the epoch meet.
 */
#include "base/base.h"

#include "store_internal.h"

#define CHECK_ARENA ((size_t)1 << 20)

bool store_sync(struct store *s, struct store_epoch *ret, bool *ret_restored, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(CHECK_ARENA);
	struct redis_health health;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	return redis_check(s->pool, arena, &health, err) &&
	       store_epoch_sync(s, &health, ret, ret_restored, err);
}
