/*
 * crew.c: the pool's side of crew.h. A crew stands in the pool's list while its owner works; a
 * worker that finds no job takes a hand in the first that wants one, and leaves it when jobs come.
 */
#include "base/base.h"

#include "crew.h"
#include "pool_internal.h"

static bool take_part(struct crew *c, size_t hand, const struct run_context *ctx)
{
	if (atomic_load(&c->is_stopped))
		return false;
	size_t i = atomic_fetch_add(&c->n_begun, 1);
	if (i >= c->n)
		return false;
	if (!c->part(c->arg, i, hand, ctx))
		atomic_store(&c->is_stopped, true);
	return true;
}

static bool wants_hands_locked(const struct crew *c)
{
	return c->n_hands < c->max_hands && !atomic_load(&c->is_stopped) &&
	       atomic_load(&c->n_begun) < c->n;
}

static size_t take_hand_locked(struct crew *c)
{
	size_t hand = 0;
	while (c->has_hand[hand])
		hand++;
	c->has_hand[hand] = true;
	c->n_hands++;
	return hand;
}

bool pool_help_locked(struct pool *p, const struct run_context *ctx)
{
	struct crew *c = p->crews;
	while (c && !wants_hands_locked(c))
		c = c->next;
	if (!c || p->stop_claim)
		return false;
	size_t hand = take_hand_locked(c);
	do {
		pthread_mutex_unlock(&p->lock);
		bool more = take_part(c, hand, ctx);
		pthread_mutex_lock(&p->lock);
		if (!more)
			break;
	} while (!p->claimed.head && !p->stop_claim);
	c->has_hand[hand] = false;
	c->n_hands--;
	pthread_cond_broadcast(&p->crew);
	return true;
}

static void open_crew(struct pool *p, struct crew *c)
{
	pthread_mutex_lock(&p->lock);
	c->has_hand[0] = true;
	c->n_hands = 1;
	c->next = p->crews;
	p->crews = c;
	int wanted = (int)c->max_hands - 1;
	for (int i = 0; i < wanted && i < p->idle; i++)
		pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

static void close_crew(struct pool *p, struct crew *c)
{
	pthread_mutex_lock(&p->lock);
	struct crew **at = &p->crews;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	while (c->n_hands > 1)
		pthread_cond_wait(&p->crew, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void crew_run(struct crew *c, const struct run_context *ctx)
{
	bool is_shared = ctx->pool && c->n > 1 && c->max_hands > 1;
	atomic_store(&c->n_begun, 0);
	atomic_store(&c->is_stopped, false);
	if (is_shared)
		open_crew(ctx->pool, c);
	while (take_part(c, 0, ctx))
		;
	if (is_shared)
		close_crew(ctx->pool, c);
}

bool crew_is_stopping(const struct run_context *ctx)
{
	if (!ctx->pool)
		return false;
	pthread_mutex_lock(&ctx->pool->lock);
	bool stops = ctx->pool->stop_claim;
	pthread_mutex_unlock(&ctx->pool->lock);
	return stops;
}
