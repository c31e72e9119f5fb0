/* follow_fixture.c: see follow_fixture.h. */
#include "base/base.h"
#include "follow_fixture.h"

#include "elapse.h"

struct queue_round asked;

static void poll_never(void)
{
	(void)redis_do("ZADD v:sched XX 99999999999999 c", NULL, NULL);
}

int follow_empty(void **state)
{
	if (relay_empty(state) != 0)
		return -1;
	put_idle_connection("c", "fake");
	poll_never();
	return 0;
}

const char *field(const char *id, const char *name)
{
	const struct redis_value *v = redis_do("HGET v:t:%s %s", id, name);
	return v->type == REDIS_STRING ? v->s.p : "";
}

int64_t due_of(const char *id)
{
	const struct redis_value *v = redis_do("ZSCORE v:q:fo:c %s", id, NULL);
	return v->type == REDIS_STRING ? strtoll(v->s.p, NULL, 10) : 0;
}

struct queue_followed counts(void)
{
	static const char *const conns[] = { "c" };
	struct queue_followed f;
	OK(queue_follow_counts(fx.queue, fx.arena, conns, 1, &f, &err));
	return f;
}

void pass(int64_t ms)
{
	elapse_follow(fx.redis, STEP, ms);
}

void set_pause(const char *why)
{
	OK(store_connection_set_state(fx.store, "c", -1,
				      why ? CONNECTION_PAUSED : CONNECTION_ACTIVE, why ? why : "",
				      &err));
	poll_never();
}

void hint_c(const char *source_id, char ret_id[TRANSFER_ID_MAX])
{
	char id[TRANSFER_ID_MAX];
	hint_id("c", source_id, ret_id ? ret_id : id);
}

struct queue_job must_claim_a(enum queue_job_type type)
{
	struct queue_job job = must_claim();
	assert_int_equal(job.type, type);
	return job;
}

enum queue_verdict finish_as(const struct queue_job *job, struct queue_outcome o)
{
	o.id = job->id;
	o.fence = job->fence;
	OK(queue_finish(fx.queue, &o, 1, &err));
	return o.verdict;
}

void deliver(const char *source_id, char ret_id[TRANSFER_ID_MAX])
{
	hint_c(source_id, ret_id);
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	OK(queue_step_intent(fx.queue, job.id, job.fence, STEP, NULL, &err));
	OK(queue_step_outcome(fx.queue, job.id, job.fence, STEP, source_id, STEP_DELIVERS_TO_FOLLOW,
			      &err));
	assert_int_equal(finish_as(&job, PENDING), FINISH_STORED);
}

struct queue_job take(void)
{
	(void)tick();
	struct queue_job job = must_claim_a(JOB_FOLLOW);
	assert_string_equal(job.conn, "c");
	OK(queue_follow_take(fx.queue, fx.arena, "c", STEP, &asked, &err));
	return job;
}

void settle(const struct queue_job *job, const char *seen, bool has_news)
{
	for (size_t i = 0; i < asked.n; i++) {
		asked.items[i].seen = seen;
		asked.items[i].has_news = has_news;
		asked.interval_ms[i] = 2 * MINUTE_MS;
	}
	OK(queue_follow_done(fx.queue, job->id, job->fence, "c", &asked, &err));
	if (asked.more)
		assert_int_equal(finish_as(job, BACK), FINISH_STORED);
	else
		assert_int_equal(finish_as(job, ENDED(STATE_DONE)), FINISH_STORED);
}

struct queue_job hear(const char *word)
{
	pass(DAY_MS);
	struct queue_job asks = take();
	assert_int_equal(asked.n, 1);
	settle(&asks, word, true);
	struct queue_job job = must_claim_a(JOB_TRANSFER);
	assert_true(job.has_news);
	assert_true(job.delivered);
	return job;
}
