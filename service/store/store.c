/*
 * store.c: the store object, and its small parts: reports, audit, idempotency keys, counts.
 *
 * Answers kept for an idempotency key and audit entries are sealed, since an answer may hold a
 * token that is shown once.
 */
#include "base/base.h"
#include "store_internal.h"

#include "base/alloc.h"

#define SMALL_ARENA (1024 * 1024)

int64_t store_int(const struct redis_value *v)
{
	if (v->type == REDIS_INT)
		return v->i;
	return v->type == REDIS_STRING ? strtoll(v->s.p, NULL, 10) : 0;
}

struct span store_item(const struct redis_value *v, size_t i)
{
	if (v->type != REDIS_ARRAY || i >= v->n || v->items[i].type != REDIS_STRING)
		return SPAN_LIT("");
	return v->items[i].s;
}

bool store_call(struct store *s, struct arena *arena, const char *script, const struct span *args,
		size_t n, const struct redis_value **ret, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	return redis_script(r, arena, script, args, n, ret, err);
}

bool store_new(const struct store_options *opt, struct store **ret, struct err *err)
{
	struct store *s = mem_alloc(sizeof(*s));
	if (!s)
		return err_set(err, ERR_MEMORY, "out of memory");
	s->pool = opt->pool;
	s->key = *opt->key;
	s->is_private = opt->is_private;
	pthread_mutex_init(&s->refresh_lock, NULL);
	pthread_mutex_init(&s->lock, NULL);
	s->snapshot = mem_alloc(sizeof(*s->snapshot));
	s->data_dir = opt->data_dir ? mem_strdup(opt->data_dir) : NULL;
	if (!s->snapshot || (opt->data_dir && !s->data_dir)) {
		store_free(s);
		return err_set(err, ERR_MEMORY, "out of memory");
	}
	s->snapshot->version = -1;
	if (!state_write_moves(s->moves, sizeof(s->moves))) {
		store_free(s);
		return err_set(err, ERR_LIMIT, "the state table outgrew its buffer");
	}
	*ret = s;
	return true;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	snapshot_free(s->snapshot);
	mem_free(s->data_dir);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->refresh_lock);
	mem_free_wiped(s, sizeof(*s));
}

/* --- reports --- */

bool store_report_get(struct store *s, struct arena *arena, const char *conn, const char **ret,
		      struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "GET %sreport:%s", redis_prefix(s->pool), conn))
		return false;
	*ret = v->type == REDIS_STRING ? v->s.p : "";
	return true;
}

bool store_report_put(struct store *s, const char *conn, const char *json, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	struct redis *got = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	return redis_commandf(r, arena, &v, err, "SET %sreport:%s %s", redis_prefix(s->pool), conn,
			      json);
}

/* --- audit --- */

bool store_audit_add(struct store *s, const char *json, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	struct span sealed;
	if (!seal(arena, &s->key, SPAN_LIT("audit"), span_of(json), &sealed, err))
		return false;
	const struct redis_value *v = NULL;
	return store_call(s, arena, "audit_add", &sealed, 1, &v, err);
}

/* Opens what can be opened; an entry under a lost key is left out. */
static bool open_all(struct store *s, struct arena *arena, const char *place,
		     const struct redis_value *v, const char ***ret, size_t *ret_n, struct err *err)
{
	const char **texts = arena_alloc_array(arena, v->n + 1, sizeof(*texts));
	if (!texts)
		return err_set(err, ERR_LIMIT, "arena full");
	size_t n = 0;
	for (size_t i = 0; v->type == REDIS_ARRAY && i < v->n; i++) {
		struct span plain;
		struct err why = ERR_INIT;
		if (unseal(arena, &s->key, span_of(place), store_item(v, i), &plain, &why))
			texts[n++] = plain.p;
		else if (why.code == ERR_LIMIT || why.code == ERR_MEMORY)
			return err_set(err, why.code, "%s", why.message);
	}
	*ret = texts;
	*ret_n = n;
	return true;
}

static bool read_list(struct store *s, struct arena *arena, const char *key, size_t from, size_t to,
		      const char ***ret, size_t *ret_n, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "LRANGE %s%s %lld %lld", redis_prefix(s->pool), key,
			    (long long)from, (long long)to))
		return false;
	return open_all(s, arena, key, v, ret, ret_n, err);
}

bool store_audit_list(struct store *s, struct arena *arena, size_t from, size_t limit,
		      const char ***ret, size_t *ret_n, struct err *err)
{
	if (limit == 0 || limit > 1000)
		return err_set(err, ERR_INPUT, "limit is 1 to 1000");
	return read_list(s, arena, "audit", from, from + limit - 1, ret, ret_n, err);
}

bool store_timeline(struct store *s, struct arena *arena, const char *id, const char ***ret,
		    size_t *ret_n, struct err *err)
{
	const char *key = arena_printf(arena, "tl:%s", id);
	if (!key)
		return err_set(err, ERR_LIMIT, "arena full");
	return read_list(s, arena, key, 0, 199, ret, ret_n, err);
}

/* --- idempotency keys --- */

static bool idempotency(struct store *s, struct arena *arena, const char *place,
			const char *body_hash, const char *verb, int status, struct span sealed,
			const struct redis_value **ret, struct err *err)
{
	struct num number;
	struct span args[] = { span_of(place), span_of(body_hash), span_of(verb),
			       num_span(&number, status), sealed };
	return store_call(s, arena, "idempotency", args, ARRAY_SIZE(args), ret, err);
}

bool store_idempotency_begin(struct store *s, struct arena *arena, const char *token_id,
			     const char *key, const char *body_hash, struct idempotent_answer *ret,
			     struct err *err)
{
	const char *place = arena_printf(arena, "%s:%s", token_id, key);
	if (!place)
		return err_set(err, ERR_LIMIT, "arena full");
	const struct redis_value *v = NULL;
	if (!idempotency(s, arena, place, body_hash, "begin", 0, SPAN_LIT(""), &v, err))
		return false;
	struct span word = store_item(v, 0);
	struct idempotent_answer answer = { .what = IDEMPOTENCY_FIRST };
	if (span_is(word, "other")) {
		answer.what = IDEMPOTENCY_OTHER;
	} else if (span_is(word, "running")) {
		answer.what = IDEMPOTENCY_RUNNING;
	} else if (span_is(word, "done")) {
		answer.what = IDEMPOTENCY_DONE;
		answer.status = v->n > 1 ? (int)store_int(&v->items[1]) : 0;
		if (!unseal(arena, &s->key, span_of(place), store_item(v, 2), &answer.body, err))
			return false;
	} else if (!span_is(word, "first")) {
		return store_script_broken("idempotency", err);
	}
	*ret = answer;
	return true;
}

bool store_idempotency_end(struct store *s, const char *token_id, const char *key,
			   const char *body_hash, int status, struct span body, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA + 4 * body.n);
	const char *place = arena ? arena_printf(arena, "%s:%s", token_id, key) : NULL;
	struct span sealed;
	if (!place)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!seal(arena, &s->key, span_of(place), body, &sealed, err))
		return false;
	const struct redis_value *v = NULL;
	return idempotency(s, arena, place, body_hash, "end", status, sealed, &v, err);
}

bool store_idempotency_drop(struct store *s, const char *token_id, const char *key, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SMALL_ARENA);
	const char *place = arena ? arena_printf(arena, "%s:%s", token_id, key) : NULL;
	const struct redis_value *v = NULL;
	if (!place)
		return err_set(err, ERR_MEMORY, "out of memory");
	return idempotency(s, arena, place, "", "drop", 0, SPAN_LIT(""), &v, err);
}
