/*
 * timers.c: a binary heap of suspended calls by due time, and the thread that resumes them.
 *
 * The lock is held over MHD_suspend_connection so that the thread cannot resume a connection that
 * is not suspended yet. Resuming happens under it too: MHD only marks the connection and writes to
 * its wake-up pipe.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "timers.h"

#include <microhttpd.h>

struct timers {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool stopping;
	struct call **heap; /* heap[1..n] */
	size_t n, cap;
};

static void put(struct timers *t, size_t i, struct call *c)
{
	t->heap[i] = c;
	c->heap_index = i;
}

static void sift_up(struct timers *t, size_t i)
{
	struct call *c = t->heap[i];
	while (i > 1 && t->heap[i / 2]->due_mono_ms > c->due_mono_ms) {
		put(t, i, t->heap[i / 2]);
		i /= 2;
	}
	put(t, i, c);
}

static void sift_down(struct timers *t, size_t i)
{
	struct call *c = t->heap[i];
	for (;;) {
		size_t child = i * 2;
		if (child > t->n)
			break;
		if (child < t->n && t->heap[child + 1]->due_mono_ms < t->heap[child]->due_mono_ms)
			child++;
		if (t->heap[child]->due_mono_ms >= c->due_mono_ms)
			break;
		put(t, i, t->heap[child]);
		i = child;
	}
	put(t, i, c);
}

static void remove_locked(struct timers *t, struct call *c)
{
	size_t i = c->heap_index;
	struct call *last = t->heap[t->n--];
	c->heap_index = 0;
	if (last == c)
		return;
	put(t, i, last);
	sift_down(t, i);
	sift_up(t, last->heap_index);
}

static void wake_locked(struct timers *t, struct call *c)
{
	remove_locked(t, c);
	MHD_resume_connection(c->conn);
}

static void *timers_main(void *arg)
{
	struct timers *t = arg;
	pthread_mutex_lock(&t->lock);
	while (!t->stopping) {
		int64_t now = clock_mono_ms();
		while (t->n && t->heap[1]->due_mono_ms <= now)
			wake_locked(t, t->heap[1]);
		if (t->n) {
			struct timespec due = clock_deadline(t->heap[1]->due_mono_ms - now);
			pthread_cond_timedwait(&t->changed, &t->lock, &due);
		} else {
			pthread_cond_wait(&t->changed, &t->lock);
		}
	}
	while (t->n)
		wake_locked(t, t->heap[1]);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct timers *timers_new(void)
{
	struct timers *t = mem_alloc(sizeof(*t));
	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	clock_cond_init(&t->changed);
	if (pthread_create(&t->thread, NULL, timers_main, t) != 0) {
		mem_free(t);
		return NULL;
	}
	return t;
}

void timers_stop(struct timers *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
}

void timers_free(struct timers *t)
{
	if (!t)
		return;
	assert(t->stopping);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	mem_free(t->heap);
	mem_free(t);
}

static bool reserve_locked(struct timers *t)
{
	if (t->n + 1 < t->cap)
		return true;
	size_t cap = t->cap ? t->cap * 2 : 64;
	struct call **heap = mem_realloc(t->heap, cap * sizeof(struct call *));
	if (!heap)
		return false;
	t->heap = heap;
	t->cap = cap;
	return true;
}

bool timers_suspend(struct timers *t, struct call *c, int64_t wait_ms)
{
	pthread_mutex_lock(&t->lock);
	if (t->stopping || !reserve_locked(t)) {
		pthread_mutex_unlock(&t->lock);
		return false;
	}
	MHD_suspend_connection(c->conn);
	c->due_mono_ms = clock_mono_ms() + wait_ms;
	t->n++;
	put(t, t->n, c);
	sift_up(t, t->n);
	if (c->heap_index == 1)
		pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
	return true;
}

void timers_wake_hung(struct timers *t)
{
	pthread_mutex_lock(&t->lock);
	for (size_t i = 1; i <= t->n;) {
		if (t->heap[i]->is_hung) {
			wake_locked(t, t->heap[i]);
			i = 1;
		} else {
			i++;
		}
	}
	pthread_mutex_unlock(&t->lock);
}
