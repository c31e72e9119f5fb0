/*
 * desk.c: see desk.h. A request's life here: queue → worker (handler, Idempotency-Key around it) →
 * resume; or, when its handler queued a vendor task, → waiter, which asks for the task's result
 * until a deadline. An activation whose check outlasts its request is still followed for a while,
 * so that the 202 keeps its word; a restart in between means asking again.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "connections.h"
#include "desk.h"
#include "loop.h"

#define TICK_MS 50
#define FOLLOW_MS 600000
#define FOLLOW_TICK_MS 1000
#define MAX_FOLLOWS 256
#define TASK_ARENA_BYTES ((size_t)1 << 20)

/* An activation whose request has been answered 202. */
struct follow {
	char task[QUEUE_JOB_ID_MAX];
	char conn[33];
	int64_t rev; /* what was checked: later changes are not activated */
	int64_t until_ms;
};

struct desk {
	const struct http_server_options *opt;
	pthread_t workers[DESK_THREADS], waiter;
	unsigned n_started;
	bool waiter_started;
	pthread_mutex_t lock;
	pthread_cond_t more, waits;
	struct request *first, **last;
	struct request *waiting[DESK_MAX_WAITS];
	size_t n_waiting;
	struct follow follows[MAX_FOLLOWS];
	size_t n_follows;
	bool stopping, waiter_stopping;
};

/* --- finishing --- */

static void end_idempotency(struct request *rq)
{
	if (!rq->idempotency_hash)
		return;
	struct store *store = rq->opt->store;
	const struct answer *a = &rq->answer;
	struct err err = ERR_INIT;
	bool ok;
	if (a->status >= 500 || a->status == 412 || a->status == 428)
		ok = store_idempotency_drop(store, rq->token_key, rq->idempotency_key, &err);
	else
		ok = store_idempotency_end(store, rq->token_key, rq->idempotency_key,
					   rq->idempotency_hash, a->status,
					   rq->replay.p ? rq->replay : a->body, &err);
	if (!ok) /* lapses by itself; the work stands */
		log_err(LOG_WARN, "idempotency_not_stored", &err);
}

static void finish(struct request *rq)
{
	end_idempotency(rq);
	struct loop *loop = rq->loop;
	loop_resume(loop, rq->mhd); /* the request is the server thread's again */
	loop_wake(loop);
}

static void hash_request(struct request *rq, char ret[2 * SHA256_BYTES + 1])
{
	unsigned char sum[SHA256_BYTES];
	struct sha256_stream s;
	if (sha256_stream_init(&s)) {
		sha256_stream_add(&s, span_of(rq->method_text));
		sha256_stream_add(&s, SPAN_LIT("\n"));
		sha256_stream_add(&s, span_of(rq->target));
		sha256_stream_add(&s, SPAN_LIT("\n"));
		sha256_stream_add(&s, request_body(rq));
		sha256_stream_finish(&s, sum);
	} else {
		memset(sum, 0, sizeof(sum));
	}
	sign_hex(sum, sizeof(sum), ret);
}

static bool key_is_sound(const char *key)
{
	size_t n = strlen(key);
	for (size_t i = 0; i < n; i++)
		if (key[i] <= ' ' || key[i] > '~')
			return false;
	return n >= 1 && n <= 128;
}

/* What the stored body tells of the headers that went with it. */
static void restore_headers(struct request *rq)
{
	const struct answer *a = &rq->answer;
	const struct json *j = NULL;
	struct err err = ERR_INIT;
	int64_t rev;
	if (!a->body.n || !json_parse(rq->arena, a->body, JSON_LIMITS_VENDOR, &j, &err))
		return;
	const char *id = json_str(json_get(j, "id")), *href = json_str(json_get(j, "href"));
	bool has_rev = json_int64(json_get(j, "rev"), &rev);
	if (has_rev)
		respond_etag(rq, rev);
	if (id && a->status == 202) {
		respond_header(rq, "Location",
			       href ? href : arena_printf(rq->arena, "/v1/jobs/%s", id));
		respond_header(rq, "Retry-After", "2");
	} else if (id && has_rev && a->status == 201) {
		respond_header(rq, "Location",
			       href ? href : arena_printf(rq->arena, "%s/%s", rq->route->path, id));
	}
}

/* True: go on with the handler. False: answered, or err is set. */
static bool begin_idempotency(struct request *rq, struct err *err)
{
	const char *key = request_header(rq, "Idempotency-Key");
	if (!key || rq->method != HTTP_POST)
		return true;
	if (!key_is_sound(key))
		return problem(err, ERR_INPUT, "idempotency_key_invalid", "",
			       "Idempotency-Key is 1 to 128 printable characters");
	char hash[2 * SHA256_BYTES + 1];
	hash_request(rq, hash);
	const char *kept = arena_strdup(rq->arena, hash);
	if (!kept)
		return err_set(err, ERR_LIMIT, "request too large");
	struct idempotent_answer was;
	if (!store_idempotency_begin(rq->opt->store, rq->arena, rq->token_key, key, kept, &was,
				     err))
		return false;
	switch (was.what) {
	case IDEMPOTENCY_FIRST:
		rq->idempotency_key = key;
		rq->idempotency_hash = kept;
		return true;
	case IDEMPOTENCY_RUNNING:
		return problem(
			err, ERR_CONFLICT, "idempotency_running", "",
			"the first request with this Idempotency-Key is still being worked on");
	case IDEMPOTENCY_OTHER:
		return problem(err, ERR_INPUT, "idempotency_key_reused", "",
			       "this Idempotency-Key was used with another request");
	case IDEMPOTENCY_DONE:
		break;
	}
	rq->answer.status = was.status;
	rq->answer.body = was.body;
	rq->answer.content_type = was.status >= 400 ? "application/problem+json" : JSON_TYPE;
	respond_header(rq, "Idempotency-Replayed", "true");
	restore_headers(rq);
	return false;
}

/* --- workers --- */

static bool start_wait(struct desk *d, struct request *rq)
{
	pthread_mutex_lock(&d->lock);
	bool taken = !d->stopping && d->n_waiting < DESK_MAX_WAITS;
	if (taken) {
		d->waiting[d->n_waiting++] = rq;
		pthread_cond_signal(&d->waits);
	}
	pthread_mutex_unlock(&d->lock);
	return taken;
}

static void follow(struct desk *d, const struct request *rq)
{
	if (!rq->wait.activates)
		return;
	pthread_mutex_lock(&d->lock);
	if (d->n_follows < MAX_FOLLOWS) {
		struct follow *f = &d->follows[d->n_follows++];
		snprintf(f->task, sizeof(f->task), "%s", rq->wait.id);
		snprintf(f->conn, sizeof(f->conn), "%s", rq->args[0]);
		f->rev = rq->wait.rev;
		f->until_ms = clock_mono_ms() + FOLLOW_MS;
	}
	pthread_mutex_unlock(&d->lock);
}

/* 202 with the task to read. */
static void answer_later(struct desk *d, struct request *rq)
{
	struct err err = ERR_INIT;
	follow(d, rq);
	if (!task_answer(rq, &err))
		respond_err(rq, &err);
	finish(rq);
}

static void execute(struct desk *d, struct request *rq)
{
	struct err err = ERR_INIT;
	if (!begin_idempotency(rq, &err)) {
		if (!rq->answer.status)
			respond_err(rq, &err);
	} else if (!rq->route->handler(rq, &err)) {
		respond_err(rq, &err);
	} else if (rq->wait.id[0] && !rq->answer.status) {
		rq->wait.deadline_ms = clock_mono_ms() + DESK_WAIT_MS;
		if (!start_wait(d, rq))
			answer_later(d, rq);
		return;
	}
	finish(rq);
}

static void *work(void *arg)
{
	struct desk *d = arg;
	for (;;) {
		pthread_mutex_lock(&d->lock);
		while (!d->first && !d->stopping)
			pthread_cond_wait(&d->more, &d->lock);
		struct request *rq = d->first;
		if (rq) {
			d->first = rq->next;
			if (!d->first)
				d->last = &d->first;
		}
		pthread_mutex_unlock(&d->lock);
		if (!rq)
			return NULL;
		execute(d, rq);
	}
}

/* --- waiter --- */

/* True when the wait is over and the request answered. */
static bool look(struct desk *d, struct request *rq, bool stopping)
{
	struct err err = ERR_INIT;
	struct queue_task task;
	bool ok = queue_task_get(d->opt->queue, rq->arena, rq->wait.id, &task, &err);
	bool over = stopping || clock_mono_ms() >= rq->wait.deadline_ms;
	if (ok && task.state != TASK_DONE && task.state != TASK_FAILED) {
		if (!over)
			return false;
		answer_later(d, rq);
		return true;
	}
	if (!ok && err.code == ERR_OUTAGE && !over)
		return false;
	if (!ok || !task_answer(rq, &err))
		respond_err(rq, &err);
	finish(rq);
	return true;
}

/* Only the waiter removes, so an index stays good while the lock is off. */
static void look_at_all(struct desk *d, bool stopping)
{
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n_waiting;) {
		struct request *rq = d->waiting[i];
		pthread_mutex_unlock(&d->lock);
		bool over = look(d, rq, stopping);
		pthread_mutex_lock(&d->lock);
		if (over)
			d->waiting[i] = d->waiting[--d->n_waiting];
		else
			i++;
	}
	pthread_mutex_unlock(&d->lock);
}

/* True when there is nothing more to follow. */
static bool follow_up(struct desk *d, const struct follow *f)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(TASK_ARENA_BYTES);
	struct err err = ERR_INIT;
	struct queue_task task;
	if (!arena || clock_mono_ms() >= f->until_ms)
		return true;
	if (!queue_task_get(d->opt->queue, arena, f->task, &task, &err))
		return err.code != ERR_OUTAGE;
	if (task.state != TASK_DONE && task.state != TASK_FAILED)
		return false;
	if (connection_check_is_good(arena, &task) &&
	    !store_connection_set_state(d->opt->store, f->conn, f->rev, CONNECTION_ACTIVE, "",
					&err)) {
		log_err(LOG_WARN, "activation_not_stored", &err);
		return err.code != ERR_OUTAGE;
	}
	return true;
}

static void follow_all(struct desk *d)
{
	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < d->n_follows;) {
		struct follow f = d->follows[i];
		pthread_mutex_unlock(&d->lock);
		bool over = follow_up(d, &f);
		pthread_mutex_lock(&d->lock);
		if (over)
			d->follows[i] = d->follows[--d->n_follows];
		else
			i++;
	}
	pthread_mutex_unlock(&d->lock);
}

static void *wait_for_tasks(void *arg)
{
	struct desk *d = arg;
	int64_t next_follow_ms = 0;
	bool stopping = false;
	while (!stopping) {
		pthread_mutex_lock(&d->lock);
		if (!d->waiter_stopping) {
			struct timespec until = clock_deadline(d->n_waiting ? TICK_MS
									    : FOLLOW_TICK_MS);
			if (!d->n_waiting && !d->n_follows)
				pthread_cond_wait(&d->waits, &d->lock);
			else
				pthread_cond_timedwait(&d->waits, &d->lock, &until);
		}
		stopping = d->waiter_stopping;
		pthread_mutex_unlock(&d->lock);
		look_at_all(d, stopping);
		if (clock_mono_ms() >= next_follow_ms) {
			follow_all(d);
			next_follow_ms = clock_mono_ms() + FOLLOW_TICK_MS;
		}
	}
	return NULL;
}

/* --- life --- */

bool desk_new(const struct http_server_options *opt, struct desk **ret, struct err *err)
{
	struct desk *d = mem_alloc(sizeof(*d));
	if (!d)
		return err_set(err, ERR_MEMORY, "out of memory");
	d->opt = opt;
	d->last = &d->first;
	pthread_mutex_init(&d->lock, NULL);
	clock_cond_init(&d->more);
	clock_cond_init(&d->waits);
	int rc = 0;
	while (rc == 0 && d->n_started < DESK_THREADS) {
		rc = pthread_create(&d->workers[d->n_started], NULL, work, d);
		if (rc == 0)
			d->n_started++;
	}
	if (rc == 0) {
		rc = pthread_create(&d->waiter, NULL, wait_for_tasks, d);
		d->waiter_started = rc == 0;
	}
	if (rc) {
		desk_free(d);
		return err_errno(err, ERR_SYSTEM, rc, "cannot start the desk");
	}
	*ret = d;
	return true;
}

bool desk_push(struct desk *d, struct request *rq)
{
	pthread_mutex_lock(&d->lock);
	bool taken = !d->stopping;
	if (taken) {
		/* Before it can be resumed, hence under the lock. */
		MHD_suspend_connection(rq->mhd);
		rq->next = NULL;
		*d->last = rq;
		d->last = &rq->next;
		pthread_cond_signal(&d->more);
	}
	pthread_mutex_unlock(&d->lock);
	return taken;
}

void desk_stop(struct desk *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stopping = true;
	pthread_cond_broadcast(&d->more);
	pthread_mutex_unlock(&d->lock);
	while (d->n_started > 0)
		pthread_join(d->workers[--d->n_started], NULL);
	pthread_mutex_lock(&d->lock);
	d->waiter_stopping = true;
	pthread_cond_signal(&d->waits);
	pthread_mutex_unlock(&d->lock);
	if (d->waiter_started)
		pthread_join(d->waiter, NULL);
	d->waiter_started = false;
}

void desk_free(struct desk *d)
{
	if (!d)
		return;
	desk_stop(d);
	pthread_cond_destroy(&d->more);
	pthread_cond_destroy(&d->waits);
	pthread_mutex_destroy(&d->lock);
	mem_free(d);
}
