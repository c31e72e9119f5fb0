/*
 * queue_run_keys.c: the records of the target by business key, as a run that rebuilds links knows
 * them: sealed, named by digests, and gone with the run.
 */
#include "base/base.h"
#include "queue_internal.h"

#include "codec/json.h"
#include "queue_run.h"

#define KEYS_ARENA ((size_t)16 << 20)
#define CANDIDATE_MAX ((size_t)64 * 1024)
#define DIGEST_HEX 33 /* 16 bytes are enough to tell keys apart */

static void digest_of(const char *text, char ret[DIGEST_HEX])
{
	unsigned char digest[SHA256_BYTES];
	sign_sha256(span_of(text), digest);
	sign_hex(digest, (DIGEST_HEX - 1) / 2, ret);
}

/* Of the register's own keys: another's may read the same. */
static bool key_digest(struct arena *arena, const char *reg, const char *key, char ret[DIGEST_HEX])
{
	const char *text = arena_printf(arena, "%s\n%s", reg, key);
	if (text)
		digest_of(text, ret);
	return text != NULL;
}

static const char *candidate_place(struct arena *arena, const char *run, const char *digest)
{
	return arena_printf(arena, "rk:%s:%s", run, digest);
}

static bool write_match(struct arena *arena, const struct register_match *m, const char **ret,
			struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, CANDIDATE_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "id", m->id);
	if (m->version)
		jsonw_kstr(&w, "v", m->version);
	if (m->note)
		jsonw_kstr(&w, "n", m->note);
	if (m->n_values) {
		jsonw_key(&w, "f");
		jsonw_object(&w);
		for (size_t i = 0; i < m->n_values; i++)
			jsonw_kstr(&w, m->values[i].name, m->values[i].value);
		jsonw_end_object(&w);
	}
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

static bool read_match(struct arena *arena, const char *text, struct register_match *ret,
		       struct err *err)
{
	const struct json_limits limits = { CANDIDATE_MAX, 4 };
	const struct json *doc = NULL, *f;
	if (!json_parse(arena, span_of(text), limits, &doc, err))
		return false;
	f = json_get(doc, "f");
	struct link_value *values = arena_alloc_array(arena, json_size(f) + 1, sizeof(*values));
	if (!values)
		return err_set(err, ERR_LIMIT, "arena full");
	*ret = (struct register_match) { .id = json_str(json_get(doc, "id")),
					 .version = json_str(json_get(doc, "v")),
					 .note = json_str(json_get(doc, "n")),
					 .values = values };
	for (const struct json *v = json_first(f); v; v = json_next(v))
		values[ret->n_values++] = (struct link_value) { json_key(v), json_str(v) };
	return ret->id || err_set(err, ERR_SYSTEM, "a record of the target has no id");
}

static bool add_keys(struct queue *q, struct run_args *a, const char *run, const char *reg,
		     const struct register_match *m, struct err *err)
{
	const char *text;
	char tag[DIGEST_HEX], key[DIGEST_HEX];
	if (!write_match(a->arena, m, &text, err))
		return false;
	digest_of(m->id, tag);
	for (size_t i = 0; i < m->n_keys; i++) {
		struct span sealed;
		if (!key_digest(a->arena, reg, m->keys[i], key))
			return err_set(err, ERR_LIMIT, "arena full");
		const char *place = candidate_place(a->arena, run, key);
		if (!place || !store_seal(q->store, a->arena, place, text, &sealed, err))
			return false;
		run_args_made(a, arena_strdup(a->arena, key));
		run_args_made(a, arena_strdup(a->arena, tag));
		run_args_add(a, sealed);
	}
	return true;
}

bool queue_run_keys(struct queue *q, const struct run_hold *hold, const struct run_place *place,
		    const struct register_match *matches, size_t n, int64_t calls,
		    bool *ret_cancelled, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(KEYS_ARENA);
	struct run_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	run_args_hold(&a, q, hold);
	run_args_text(&a, place->reg);
	run_args_number(&a, calls);
	run_args_number(&a, PLACE_ARGS);
	run_args_place(&a, place);
	for (size_t i = 0; i < n; i++)
		if (!add_keys(q, &a, hold->run, place->reg, &matches[i], err))
			return false;
	if (!run_args_call(q, &a, "run_keys", &v, err))
		return false;
	*ret_cancelled = span_is(v->s, "CANCELLED");
	return true;
}

/* stored: '+' when the key has several, tag, blank, sealed record. */
static bool read_candidate(struct queue *q, struct arena *arena, const char *place,
			   struct span stored, struct run_candidate *ret, struct err *err)
{
	const char *blank = memchr(stored.p, ' ', stored.n);
	*ret = (struct run_candidate) { .any = true, .several = stored.p[0] == '+' };
	if (!blank)
		return queue_script_broken("run_keys", err);
	const char *text = store_unseal(
		q->store, arena, place,
		(struct span) { blank + 1, stored.n - (size_t)(blank + 1 - stored.p) });
	/* Sealed by this run: who cannot open it must not take it for an empty register. */
	if (!text)
		return err_set(err, ERR_SYSTEM, "the run's own list of the target is unreadable");
	return read_match(arena, text, &ret->match, err);
}

bool queue_run_candidates(struct queue *q, struct arena *arena, const char *run, const char *reg,
			  const char *const *keys, size_t n, struct run_candidate *ret,
			  struct err *err)
{
	struct run_args a = { .arena = arena };
	struct redis *got = NULL;
	const struct redis_value *v = NULL;
	const char **places = arena_alloc_array(arena, n + 1, sizeof(*places));
	const char *index = arena_printf(arena, "%srun:%s:k", redis_prefix(q->pool), run);
	if (!places || !index)
		return err_set(err, ERR_LIMIT, "arena full");
	if (n == 0)
		return true;
	run_args_text(&a, "HMGET");
	run_args_text(&a, index);
	for (size_t i = 0; i < n; i++) {
		char digest[DIGEST_HEX];
		if (!key_digest(arena, reg, keys[i], digest))
			return err_set(err, ERR_LIMIT, "arena full");
		places[i] = candidate_place(arena, run, digest);
		run_args_made(&a, arena_strdup(arena, digest));
		a.failed |= !places[i];
	}
	if (a.failed)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	if (!redis_command(r, arena, a.items, a.n, &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n != n)
		return queue_script_broken("candidates", err);
	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct run_candidate) { .any = false };
		if (v->items[i].type == REDIS_STRING &&
		    !read_candidate(q, arena, places[i], v->items[i].s, &ret[i], err))
			return false;
	}
	return true;
}
