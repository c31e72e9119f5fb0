/*
 * queue_run_slice.c: what a slice of a register run reads and writes. Guarantees that each write is
 * one script under the slice's fence: the outcomes of a page, its links, the counts and the place
 * where the run goes on become durable together or not at all.
 */
#include "base/base.h"
#include "queue_internal.h"

#include "base/clock.h"
#include "codec/json.h"
#include "queue_run.h"

#define SLICE_ARENA ((size_t)16 << 20)
#define CANDIDATE_MAX ((size_t)64 * 1024)
#define DIGEST_HEX 33 /* 16 bytes are enough to tell keys apart */

/* Arguments of one script call, in its arena. */
struct call_args {
	struct arena *arena;
	struct span *items;
	size_t n, cap;
	bool failed;
};

static void add(struct call_args *a, struct span s)
{
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 64;
		struct span *more = arena_alloc_array(a->arena, cap, sizeof(*more));
		if (!more) {
			a->failed = true;
			return;
		}
		if (a->n)
			memcpy(more, a->items, a->n * sizeof(*more));
		a->items = more;
		a->cap = cap;
	}
	a->items[a->n++] = s;
}

static void add_text(struct call_args *a, const char *s)
{
	add(a, text_span(s));
}

/* A text that was just made in the arena. */
static void add_made(struct call_args *a, const char *s)
{
	a->failed |= !s;
	add_text(a, s);
}

static void add_number(struct call_args *a, int64_t v)
{
	struct num *n = arena_alloc(a->arena, sizeof(*n));
	if (n)
		add(a, num_span(n, v));
	else
		a->failed = true;
}

static void add_hold(struct call_args *a, struct queue *q, const struct run_hold *h)
{
	add_text(a, h->conn);
	add_text(a, h->task);
	add_number(a, h->fence);
	add_number(a, q->lease_ms);
	add_text(a, h->run);
}

/* Runs it; "LOST" is ERR_LEASE. */
static bool run_script(struct queue *q, struct call_args *a, const char *script,
		       const struct redis_value **ret, struct err *err)
{
	if (a->failed)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!queue_call(q, a->arena, script, a->items, a->n, ret, err))
		return false;
	if ((*ret)->type != REDIS_STRING)
		return queue_script_broken(script, err);
	return !span_is((*ret)->s, "LOST") ||
	       err_set(err, ERR_LEASE, "the run is not ours any more");
}

bool queue_run_open(struct queue *q, struct arena *arena, struct run_hold *hold,
		    struct register_run *ret, bool *ret_any, struct err *err)
{
	struct call_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	hold->run = "";
	add_hold(&a, q, hold);
	if (!run_script(q, &a, "run_open", &v, err))
		return false;
	*ret_any = v->s.n > 0;
	hold->run = v->s.p;
	return !*ret_any || queue_run_get(q, arena, hold->run, ret, err);
}

/* --- what is known of a register --- */

bool queue_register_state(struct queue *q, struct arena *arena, const char *conn, const char *reg,
			  struct register_state *ret, struct err *err)
{
	struct redis *got = NULL;
	if (!redis_borrow(q->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "HMGET %sreg:%s:%s since epoch set done",
			    redis_prefix(q->pool), conn, reg))
		return false;
	*ret = (struct register_state) { .since_ms = strtoll(queue_text(v, 0), NULL, 10),
					 .epoch = queue_text(v, 1),
					 .settings = queue_text(v, 2),
					 .done_ms = strtoll(queue_text(v, 3), NULL, 10) };
	return true;
}

bool queue_run_again(struct queue *q, struct arena *arena, const char *conn, const char *reg,
		     bool in_doubt, int64_t until_ms, size_t max, struct run_again *ret,
		     struct err *err)
{
	struct num until, most;
	struct span args[] = { span_of(conn), span_of(reg), in_doubt ? SPAN_LIT("1") : SPAN_LIT(""),
			       num_span(&until, until_ms), num_span(&most, (int64_t)max) };
	const struct redis_value *v = NULL;
	if (!queue_call(q, arena, "run_again", args, ARRAY_SIZE(args), &v, err))
		return false;
	if (v->type != REDIS_ARRAY || v->n < 2)
		return queue_script_broken("run_again", err);
	*ret = (struct run_again) { .now_ms = queue_int(&v->items[0]),
				    .next_ms = queue_int(&v->items[1]),
				    .n = v->n - 2 };
	ret->ids = arena_alloc_array(arena, v->n, sizeof(*ret->ids));
	if (!ret->ids)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < ret->n; i++)
		ret->ids[i] = queue_text(v, i + 2);
	return true;
}

/* --- intents --- */

static enum run_leave leave_of(char letter)
{
	switch (letter) {
	case 'G':
		return LEAVE_GO;
	case 'F':
		return LEAVE_LOOK;
	case 'B':
		return LEAVE_BUSY;
	default:
		return LEAVE_LINKED;
	}
}

bool queue_run_intend(struct queue *q, const struct run_hold *hold, const struct link_table *table,
		      enum link_side side, int64_t walked_ms, struct run_intent *intents, size_t n,
		      struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SLICE_ARENA);
	struct call_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *name = store_links_name(arena, table, err);
	if (!name)
		return false;
	add_hold(&a, q, hold);
	add_text(&a, name);
	add_text(&a, side == LINK_LEFT ? "L" : "R");
	add_number(&a, q->quiet_ms);
	if (walked_ms)
		add_number(&a, walked_ms);
	else
		add_text(&a, "");
	for (size_t i = 0; i < n; i++) {
		add_text(&a, intents[i].id);
		add_text(&a, intents[i].lease);
	}
	if (!run_script(q, &a, "run_intend", &v, err))
		return false;
	if (v->s.n != n)
		return queue_script_broken("run_intend", err);
	for (size_t i = 0; i < n; i++)
		intents[i].leave = leave_of(v->s.p[i]);
	return true;
}

/* --- records of the target by business key --- */

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

static bool add_keys(struct queue *q, struct call_args *a, const char *run, const char *reg,
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
		add_made(a, arena_strdup(a->arena, key));
		add_made(a, arena_strdup(a->arena, tag));
		add(a, sealed);
	}
	return true;
}

static void add_place(struct call_args *a, const struct run_place *p)
{
	add_text(a, "reg");
	add_text(a, p->reg);
	add_text(a, "ph");
	add_number(a, p->phase);
	add_text(a, "page");
	add_text(a, p->page);
	add_text(a, "since");
	add_number(a, p->since_ms);
	add_text(a, "began");
	add_number(a, p->began_ms);
	add_text(a, "walked");
	add_number(a, p->walked_ms);
	add_text(a, "round");
	add_number(a, p->rounds);
}

#define PLACE_ARGS 14

bool queue_run_keys(struct queue *q, const struct run_hold *hold, const struct run_place *place,
		    const struct register_match *matches, size_t n, int64_t calls,
		    bool *ret_cancelled, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SLICE_ARENA);
	struct call_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	add_hold(&a, q, hold);
	add_text(&a, place->reg);
	add_number(&a, calls);
	add_number(&a, PLACE_ARGS);
	add_place(&a, place);
	for (size_t i = 0; i < n; i++)
		if (!add_keys(q, &a, hold->run, place->reg, &matches[i], err))
			return false;
	if (!run_script(q, &a, "run_keys", &v, err))
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
	struct call_args a = { .arena = arena };
	struct redis *got = NULL;
	const struct redis_value *v = NULL;
	const char **places = arena_alloc_array(arena, n + 1, sizeof(*places));
	const char *index = arena_printf(arena, "%srun:%s:k", redis_prefix(q->pool), run);
	if (!places || !index)
		return err_set(err, ERR_LIMIT, "arena full");
	if (n == 0)
		return true;
	add_text(&a, "HMGET");
	add_text(&a, index);
	for (size_t i = 0; i < n; i++) {
		char digest[DIGEST_HEX];
		if (!key_digest(arena, reg, keys[i], digest))
			return err_set(err, ERR_LIMIT, "arena full");
		places[i] = candidate_place(arena, run, digest);
		add_made(&a, arena_strdup(arena, digest));
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

/* --- the outcomes of a page --- */

static const char *page_word(enum run_page page)
{
	switch (page) {
	case PAGE_PARTIAL:
		return "";
	case PAGE_THROUGH:
		return "p";
	case PAGE_AGAIN:
		break;
	}
	return "a";
}

/* What stands of the run and of the register besides counts; each answers how many it added. */
static size_t add_run_fields(struct call_args *a, const struct run_commit *c)
{
	size_t before = a->n;
	if (c->place)
		add_place(a, c->place);
	const struct {
		char field;
		const char *value;
	} more[] = { { 'o', c->is_over ? "1" : NULL },
		     { 'x', c->error_code },
		     { 'y', c->error_json } };
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		if (!more[i].value)
			continue;
		add_made(a, arena_printf(a->arena, "%c:%s", more[i].field, c->reg));
		add_text(a, more[i].value);
	}
	return a->n - before;
}

static size_t add_counts(struct call_args *a, const struct run_commit *c)
{
	size_t before = a->n;
	for (unsigned i = 0; i < N_RUN_COUNTS; i++) {
		if (!c->counts[i])
			continue;
		add_text(a, run_count_name((enum run_count)i));
		add_number(a, c->counts[i]);
	}
	return a->n - before;
}

static size_t add_state(struct call_args *a, const struct register_state *s)
{
	if (!s)
		return 0;
	size_t before = a->n;
	add_text(a, "since");
	add_number(a, s->since_ms);
	add_text(a, "epoch");
	add_text(a, s->epoch);
	add_text(a, "set");
	add_text(a, s->settings);
	add_text(a, "done");
	add_number(a, s->done_ms);
	return a->n - before;
}

static bool add_links(struct queue *q, struct call_args *a, const struct run_commit *c,
		      size_t *ret_n, struct err *err)
{
	size_t before = a->n;
	for (size_t i = 0; i < c->n; i++) {
		struct span to[LINK_ARGS];
		if (!c->items[i].link)
			continue;
		if (!store_link_args(q->store, a->arena, c->table, c->items[i].link, to, err))
			return false;
		for (size_t k = 0; k < LINK_ARGS; k++)
			add(a, to[k]);
	}
	*ret_n = a->n - before;
	return true;
}

static bool add_item(struct queue *q, struct call_args *a, const struct run_commit *c,
		     const char *conn, const struct run_item *it, struct err *err)
{
	struct span why = SPAN_LIT("");
	if (it->code) {
		const char *place = run_stand_place(a->arena, conn, c->reg, it->id);
		if (!place ||
		    !store_seal(q->store, a->arena, place, it->json ? it->json : "{}", &why, err))
			return false;
	}
	add_text(a, it->id);
	add_made(a, arena_printf(a->arena, "%s%s%s%s%s%s%s", it->drop_intent ? "d" : "",
				 it->count_lookup ? "l" : "", it->is_through ? "t" : "",
				 it->stands ? "s" : "", it->code ? "f" : "",
				 it->is_in_doubt ? "q" : "", it->forgets_lease ? "o" : ""));
	add_text(a, it->release);
	add_text(a, it->code);
	add(a, why);
	add_number(a, it->again_ms);
	return true;
}

bool queue_run_commit(struct queue *q, const struct run_hold *hold, struct run_commit *c,
		      struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SLICE_ARENA);
	struct call_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	struct num numbers[4];
	size_t n_links = 0;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *name = c->table ? store_links_name(arena, c->table, err) : "";
	if (!name)
		return false;
	add_hold(&a, q, hold);
	add_text(&a, c->reg);
	add_text(&a, name);
	add_text(&a, c->side == LINK_LEFT ? "L" : "R");
	add_text(&a, page_word(c->page));
	size_t counts_at = a.n;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		add_text(&a, "0");
	size_t sizes[] = { add_run_fields(&a, c), 0, 0, 0 };
	sizes[1] = add_counts(&a, c);
	sizes[2] = add_state(&a, c->state);
	if (!add_links(q, &a, c, &n_links, err))
		return false;
	sizes[3] = n_links;
	for (size_t i = 0; i < c->n; i++)
		if (!add_item(q, &a, c, hold->conn, &c->items[i], err))
			return false;
	for (size_t i = 0; !a.failed && i < ARRAY_SIZE(numbers); i++)
		a.items[counts_at + i] = num_span(&numbers[i], (int64_t)sizes[i]);
	if (!run_script(q, &a, "run_commit", &v, err))
		return false;
	c->is_cancelled = span_is(v->s, "CANCELLED");
	return true;
}

bool queue_run_end(struct queue *q, const struct run_hold *hold, const struct run_end *end,
		   bool *ret_more, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(SLICE_ARENA);
	struct call_args a = { .arena = arena };
	const struct redis_value *v = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	add_hold(&a, q, hold);
	add_text(&a, run_state_name(end->state));
	add_number(&a, end->delay_ms);
	add_text(&a, end->error_code);
	add_text(&a, end->error_json);
	if (!run_script(q, &a, "run_end", &v, err))
		return false;
	*ret_more = span_is(v->s, "MORE");
	return true;
}
