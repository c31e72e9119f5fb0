/*
 * queue_tick.c: upkeep: what is due, who is gone, what is orphaned. Several processes may tick the
 * same Redis: each step is a script, and none relies on being the only one.
 */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"
#include "codec/json.h"
#include "queue/schedule.h"

#define TICK_ARENA (1024 * 1024)
#define TICK_BOUND 500
#define TICK_FIXED 8
#define TICK_NOW 5

static const char *const mend_buckets[] = { "active",	 "waiting", "retrying",	 "in_doubt",
					    "following", "watched", "needs_data" };

static bool plan_polls(struct queue *q, struct arena *arena, const struct redis_value *v,
		       struct queue_tick *tick, struct err *err)
{
	if (v->n <= TICK_FIXED)
		return true;
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	int64_t now_ms = queue_int(&v->items[TICK_NOW]);
	for (size_t i = TICK_FIXED; i + 1 < v->n; i += 2) {
		const struct redis_value *answer = NULL;
		int64_t next = schedule_next_ms(arena, queue_text(v, i + 1), q->poll_interval_ms,
						now_ms);
		if (!redis_commandf(r, arena, &answer, err, "ZADD %ssched XX %lld %s",
				    redis_prefix(q->pool), (long long)next, queue_text(v, i)))
			return false;
		tick->polls++;
	}
	return true;
}

/* --- the reconciler: a position that walks connections, buckets, and the pages of each --- */

struct mend_place {
	char conn[33];
	unsigned bucket;
	char cursor[24];
};

/* The connection after `after` by name; false when there is none. */
static bool next_conn(const struct redis_value *all, const char *after, char ret[33])
{
	const char *best = NULL;
	for (size_t i = 0; i < all->n; i++) {
		const char *name = queue_text(all, i);
		if (strlen(name) <= 32 && strcmp(name, after) > 0 &&
		    (!best || strcmp(name, best) < 0))
			best = name;
	}
	if (best)
		snprintf(ret, 33, "%s", best);
	return best != NULL;
}

static bool mend_page(struct queue *q, struct arena *arena, struct mend_place *place,
		      struct queue_tick *tick, struct err *err)
{
	struct num quiet;
	struct span args[] = { span_of(place->conn), span_of(mend_buckets[place->bucket]),
			       span_of(place->cursor), num_span(&quiet, q->quiet_ms) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "mend", args, ARRAY_SIZE(args), &v, err))
		return false;
	tick->mended += v->type == REDIS_ARRAY && v->n == 2 ? queue_int(&v->items[1]) : 0;
	snprintf(place->cursor, sizeof(place->cursor), "%s", queue_text(v, 0));
	if (str_eq(place->cursor, "0") || !place->cursor[0]) {
		place->bucket++;
		snprintf(place->cursor, sizeof(place->cursor), "0");
	}
	return true;
}

static bool age(struct queue *q, struct arena *arena, const char *conn, struct queue_tick *tick,
		struct err *err)
{
	struct num retention, record;
	struct span args[] = { span_of(conn), num_span(&retention, q->retention_ms),
			       num_span(&record, q->record_ms) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "age", args, ARRAY_SIZE(args), &v, err))
		return false;
	tick->aged += queue_int(v);
	return true;
}

/* At the end of the round place->conn is "". */
static bool mend_from(struct queue *q, struct arena *arena, struct mend_place *place,
		      struct queue_tick *tick, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	const struct redis_value *all = NULL;
	bool listed = redis_commandf(got, arena, &all, err, "SMEMBERS %sconns",
				     redis_prefix(q->pool));
	redis_give_back(got);
	if (!listed)
		return false;
	int64_t end_ms = clock_mono_ms() + MEND_MS_PER_TICK;
	for (unsigned calls = 0; calls < MEND_CALLS_PER_TICK && clock_mono_ms() < end_ms; calls++) {
		if (!place->conn[0] || place->bucket >= ARRAY_SIZE(mend_buckets)) {
			place->bucket = 0;
			snprintf(place->cursor, sizeof(place->cursor), "0");
			if (!next_conn(all, place->conn, place->conn)) {
				place->conn[0] = '\0';
				return true;
			}
			if (!age(q, arena, place->conn, tick, err))
				return false;
		}
		if (!mend_page(q, arena, place, tick, err))
			return false;
	}
	return true;
}

/*
 * Is a round due, and ours? One process walks per round; another takes the next when it died.
 * *ret_other: somebody walks.
 */
static bool take_round(struct queue *q, struct arena *arena, bool *ret_other, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "SET %sq:mend 1 NX PX %lld", redis_prefix(q->pool),
			    (long long)MEND_EVERY_MS - 1000))
		return false;
	*ret_other = v->type == REDIS_NIL;
	return true;
}

/* The next tick goes on there; after the last connection the round is over. */
static void leave_walk(struct queue *q, const struct mend_place *place)
{
	pthread_mutex_lock(&q->lock);
	memcpy(q->mend.conn, place->conn, sizeof(q->mend.conn));
	memcpy(q->mend.cursor, place->cursor, sizeof(q->mend.cursor));
	q->mend.bucket = place->bucket;
	if (!place->conn[0])
		q->mend.next_ms = clock_mono_ms() + MEND_EVERY_MS;
	pthread_mutex_unlock(&q->lock);
}

/* Where the walk goes on. *ret_begins: here a round begins; *ret_walks false: nothing to do now. */
static bool begin_walk(struct queue *q, struct arena *arena, struct mend_place *ret,
		       bool *ret_begins, bool *ret_walks, struct err *err)
{
	struct mend_place place = { .bucket = 0 };
	bool other = false;
	pthread_mutex_lock(&q->lock);
	bool due = clock_mono_ms() >= q->mend.next_ms;
	memcpy(place.conn, q->mend.conn, sizeof(place.conn));
	memcpy(place.cursor, q->mend.cursor, sizeof(place.cursor));
	place.bucket = q->mend.bucket;
	pthread_mutex_unlock(&q->lock);
	bool begins = due && !place.conn[0];
	if (begins && !take_round(q, arena, &other, err))
		return false;
	if (other)
		leave_walk(q, &place);
	*ret = place;
	*ret_begins = begins && !other;
	*ret_walks = due && !other;
	return true;
}

static bool mend(struct queue *q, struct arena *arena, struct mend_place *place,
		 struct queue_tick *tick, struct err *err)
{
	if (!mend_from(q, arena, place, tick, err))
		return false;
	leave_walk(q, place);
	return true;
}

/* What a transfer that was given up says of itself. */
static bool given_up_json(struct arena *arena, const char *reason, const char **ret,
			  struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, 512);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "code", reason);
	jsonw_kstr(&w, "class", err_code_name(ERR_SYSTEM));
	jsonw_kstr(&w, "subject", "");
	jsonw_kstr(&w, "detail", "the lease of its run ended without an outcome, each time");
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

/* A tick's time by our own clock is kept only when Redis has it too. */
static bool call_tick(struct queue *q, struct arena *arena, bool sweep,
		      const struct redis_value **ret, struct err *err)
{
	const char *reason = "run_lost", *why;
	int64_t now_ms = clock_mono_ms();
	pthread_mutex_lock(&q->lock);
	int64_t elapsed_ms = q->ticked_ms ? now_ms - q->ticked_ms : -1;
	pthread_mutex_unlock(&q->lock);
	if (!given_up_json(arena, reason, &why, err))
		return false;
	struct num quiet, bound, lease, elapsed;
	struct span args[] = { span_of(q->moves),
			       num_span(&quiet, q->quiet_ms),
			       num_span(&bound, TICK_BOUND),
			       sweep ? SPAN_LIT("1") : SPAN_LIT(""),
			       num_span(&lease, q->lease_ms),
			       num_span(&elapsed, elapsed_ms),
			       span_of(reason),
			       span_of(why) };
	if (!queue_call(q, arena, "tick", args, ARRAY_SIZE(args), ret, err))
		return false;
	if ((*ret)->type != REDIS_ARRAY || (*ret)->n < TICK_FIXED)
		return queue_script_broken("tick", err);
	pthread_mutex_lock(&q->lock);
	q->ticked_ms = now_ms;
	pthread_mutex_unlock(&q->lock);
	return true;
}

bool queue_tick(struct queue *q, struct queue_tick *ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(TICK_ARENA);
	struct mend_place place;
	const struct redis_value *v = NULL;
	bool begins, walks;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!begin_walk(q, arena, &place, &begins, &walks, err) ||
	    !call_tick(q, arena, begins, &v, err))
		return false;
	struct queue_tick tick = { .promoted = queue_int(&v->items[0]),
				   .reaped = queue_int(&v->items[1]),
				   .in_doubt = queue_int(&v->items[2]),
				   .woken = queue_int(&v->items[3]),
				   .more = queue_int(&v->items[4]) == 1,
				   .given_up = queue_int(&v->items[6]),
				   .clock_jump_ms = queue_int(&v->items[7]) };
	if (!plan_polls(q, arena, v, &tick, err))
		return false;
	if (walks && !mend(q, arena, &place, &tick, err))
		return false;
	*ret = tick;
	return true;
}
