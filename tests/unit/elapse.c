/* elapse.c: see elapse.h. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/arena.h"
#include "elapse.h"

void elapse_follow(struct redis_pool *pool, const char *step, int64_t ms)
{
	static const char script[] =
		"local P, step, ms = ARGV[1], ARGV[2], tonumber(ARGV[3]) "
		"for _, set in ipairs({ 'q:fo:c', 'q:follow', 'ix:c:watched', 'q:delayed' }) do "
		"for _, m in ipairs(redis.call('ZRANGE', P .. set, 0, -1)) do "
		"redis.call('ZINCRBY', P .. set, -ms, m) end end "
		"for _, key in ipairs(redis.call('KEYS', P .. 't:*')) do "
		"for _, f in ipairs({ 'i.1.' .. step, 'fs', 'fd', 'fu', 'fa', 'due' }) do "
		"if redis.call('HEXISTS', key, f) == 1 then "
		"redis.call('HINCRBY', key, f, -ms) end end end";
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	struct err err = ERR_INIT;
	struct arena *arena = arena_new(64 * 1024);
	assert_non_null(arena);
	assert_true(redis_borrow(pool, 1000, &r, &err));
	if (!redis_commandf(r, arena, &v, &err, "EVAL %b 0 %s %s %lld",
			    (struct span) { script, strlen(script) }, redis_prefix(pool), step,
			    (long long)ms))
		fail_msg("%s", err.message);
	redis_give_back(r);
	arena_free(arena);
}
