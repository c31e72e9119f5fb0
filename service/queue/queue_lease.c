/* queue_lease.c: keeps the leases of claimed jobs. */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"

#define BEAT_ARENA (256 * 1024)

bool queue_heartbeat(struct queue *q, struct queue_lease *leases, size_t n, struct err *err)
{
	if (n == 0)
		return true;
	CLEANUP(arena_free) struct arena *arena = arena_new(BEAT_ARENA);
	struct span *args = arena ? arena_alloc_array(arena, 2 * n + 1, sizeof(*args)) : NULL;
	struct num *nums = arena ? arena_alloc_array(arena, n + 1, sizeof(*nums)) : NULL;
	if (!args || !nums)
		return err_set(err, ERR_MEMORY, "out of memory");
	args[0] = num_span(&nums[n], q->lease_ms);
	for (size_t i = 0; i < n; i++) {
		args[1 + 2 * i] = span_of(leases[i].id);
		args[2 + 2 * i] = num_span(&nums[i], leases[i].fence);
	}
	int64_t deadline_ms = clock_mono_ms() + q->lease_ms;
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "beat", args, 2 * n + 1, &v, err))
		return false;
	if (v->type != REDIS_STRING || v->s.n != n)
		return queue_script_broken("beat", err);
	for (size_t i = 0; i < n; i++) {
		leases[i].lost = v->s.p[i] != 'B';
		if (!leases[i].lost)
			leases[i].deadline_ms = deadline_ms;
	}
	return true;
}
