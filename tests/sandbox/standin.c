/* standin.c: what the states of the stand-ins have in common: one lock over all, one arena. */
#include "base/base.h"

#include "base/alloc.h"
#include "sandbox.h"

#define ARENA_MAX ((size_t)8 << 30)

void *standin_new(size_t size, struct err *err)
{
	struct standin_state *state = mem_alloc(size);
	if (state)
		state->arena = arena_new(ARENA_MAX);
	if (!state || !state->arena) {
		mem_free(state);
		err_set(err, ERR_MEMORY, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&state->lock, NULL);
	return state;
}

void standin_free(void *state)
{
	struct standin_state *s = state;
	if (!s)
		return;
	arena_free(s->arena);
	pthread_mutex_destroy(&s->lock);
	mem_free(s);
}

void standin_enter(const struct standin *standin, void *state)
{
	if (standin->is_locked_whole)
		pthread_mutex_lock(&((struct standin_state *)state)->lock);
}

void standin_leave(const struct standin *standin, void *state)
{
	if (standin->is_locked_whole)
		pthread_mutex_unlock(&((struct standin_state *)state)->lock);
}
