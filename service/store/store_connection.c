/*
 * store_connection.c: a connection as a document: what is public in the clear, credentials and
 * webhook secrets sealed. Guarantees that two people who edit at once do not overwrite each other.
 */
#include "base/base.h"
#include "store_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/json.h"

#define DOC_MAX (1024 * 1024)
#define PUT_ARENA (8 * 1024 * 1024)
#define STATE_TRIES 8

static void write_limits(struct json_writer *w, const struct connection *c)
{
	jsonw_key(w, "limits");
	jsonw_array(w);
	for (size_t i = 0; i < c->n_limits; i++) {
		const struct limit_key *l = &c->limits[i];
		jsonw_object(w);
		jsonw_kstr(w, "key", l->key);
		jsonw_kint(w, "max_running", l->max_running);
		jsonw_kint(w, "rate", l->rate_per_s);
		jsonw_kint(w, "burst", l->burst);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static bool write_doc(struct arena *arena, const struct connection *c, struct span *ret,
		      struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, DOC_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text = NULL;
	jsonw_object(&w);
	jsonw_kstr(&w, "flow", c->flow);
	jsonw_kstr(&w, "name", c->name);
	jsonw_kstr(&w, "state", connection_state_name(c->state));
	jsonw_kstr(&w, "pause_reason", c->pause_reason);
	jsonw_kint(&w, "created_ms", c->created_ms);
	jsonw_kint(&w, "activated_ms", c->activated_ms);
	jsonw_kint(&w, "webhook_turn", c->webhook_turn);
	jsonw_kstr(&w, "schedule", c->schedule);
	jsonw_kstr(&w, "settings", c->settings); /* as text: byte for byte as it was given */
	write_limits(&w, c);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = span_of(text);
	return true;
}

static bool seal_secrets(struct store *s, struct arena *arena, const struct connection *c,
			 struct span *ret, struct err *err)
{
	/* One piece of memory, wiped with the arena, for a text that is all secrets. */
	size_t n = 4 * (c->credentials.n + 64);
	for (size_t i = 0; i < c->n_webhook_secrets; i++)
		n += 6 * c->webhook_secrets[i].n + 16;
	struct strbuf sb = STRBUF_INIT(arena, DOC_MAX);
	sb.p = secret_room_in_arena(arena, 2 * n);
	sb.cap = sb.p ? 2 * n : 0;
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text = NULL;
	jsonw_object(&w);
	jsonw_key(&w, "credentials");
	jsonw_span(&w, (struct span) { c->credentials.p, c->credentials.n });
	jsonw_key(&w, "webhook_secrets");
	jsonw_array(&w);
	for (size_t i = 0; i < c->n_webhook_secrets; i++)
		jsonw_span(&w, (struct span) { c->webhook_secrets[i].p, c->webhook_secrets[i].n });
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	const char *place = arena_printf(arena, "conn:%s", c->id);
	if (!place)
		return err_set(err, ERR_LIMIT, "arena full");
	return seal(arena, &s->key, span_of(place), span_of(text), ret, err);
}

/* --- reading --- */

static enum connection_state read_state(const char *name)
{
	if (str_eq(name, "active"))
		return CONNECTION_ACTIVE;
	if (str_eq(name, "deleted"))
		return CONNECTION_DELETED;
	return str_eq(name, "paused") ? CONNECTION_PAUSED : CONNECTION_DRAFT;
}

static int small_int(const struct json *j)
{
	int64_t v = 0;
	return json_int64(j, &v) && v >= 0 && v <= INT_MAX ? (int)v : 0;
}

static void read_limits(const struct json *list, struct connection_draft *d)
{
	for (const struct json *j = json_first(list); j && d->n_limits < CONNECTION_MAX_LIMITS;
	     j = json_next(j)) {
		struct limit_key *l = &d->limits[d->n_limits++];
		const char *key = json_str(json_get(j, "key"));
		snprintf(l->key, sizeof(l->key), "%s", key ? key : "");
		l->max_running = small_int(json_get(j, "max_running"));
		l->rate_per_s = small_int(json_get(j, "rate"));
		l->burst = small_int(json_get(j, "burst"));
	}
}

static bool read_secrets(struct store *s, struct arena *arena, const struct stored_connection *from,
			 struct connection_draft *d, struct err *err)
{
	const char *place = arena_printf(arena, "conn:%s", from->id);
	struct span plain;
	const struct json *doc = NULL;
	const struct json_limits limits = { DOC_MAX, 8 };
	if (!place)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!unseal(arena, &s->key, span_of(place), from->sealed, &plain, err) ||
	    !json_parse(arena, plain, limits, &doc, err))
		return err_wrap(err, "secrets of connection %s", from->id);
	d->credentials = text_span(json_str(json_get(doc, "credentials")));
	for (const struct json *j = json_first(json_get(doc, "webhook_secrets"));
	     j && d->n_webhook_secrets < CONNECTION_MAX_SECRETS; j = json_next(j))
		d->webhook_secrets[d->n_webhook_secrets++] = text_span(json_str(j));
	return true;
}

/* As much as can be read is in *d. */
static bool read_doc(struct arena *arena, const struct stored_connection *from,
		     struct connection_draft *d, struct err *err)
{
	const struct json *doc = NULL;
	const struct json_limits limits = { DOC_MAX, 8 };
	*d = (struct connection_draft) { .id = from->id, .rev = from->rev };
	if (!json_parse(arena, from->doc, limits, &doc, err))
		return err_wrap(err, "connection %s", from->id);
	d->flow = json_str(json_get(doc, "flow"));
	d->name = json_str(json_get(doc, "name"));
	d->settings = json_str(json_get(doc, "settings"));
	d->schedule = json_str(json_get(doc, "schedule"));
	d->pause_reason = json_str(json_get(doc, "pause_reason"));
	d->state = read_state(json_str(json_get(doc, "state")));
	if (!d->flow || !json_int64(json_get(doc, "created_ms"), &d->created_ms) ||
	    !json_int64(json_get(doc, "activated_ms"), &d->activated_ms))
		return err_set(err, ERR_SYSTEM, "connection %s lacks its flow or times", from->id);
	d->webhook_turn = small_int(json_get(doc, "webhook_turn"));
	read_limits(json_get(doc, "limits"), d);
	return true;
}

bool connection_open(struct store *s, struct arena *arena, const struct stored_connection *from,
		     struct connection **ret, struct err *err)
{
	struct connection_draft d;
	return read_doc(arena, from, &d, err) && read_secrets(s, arena, from, &d, err) &&
	       connection_new(&d, ret, err);
}

bool connection_stand_in(struct arena *arena, const struct stored_connection *from,
			 const struct err *why, struct connection **ret, struct err *err)
{
	struct connection_draft d;
	struct err known = ERR_INIT;
	(void)!read_doc(arena, from, &d, &known); /* what is missing, `why` says */
	d.flow = d.flow ? d.flow : "unknown";
	if (d.state == CONNECTION_ACTIVE)
		d.state = CONNECTION_PAUSED;
	d.pause_reason = "unreadable";
	d.unreadable = why->message;
	return connection_new(&d, ret, err);
}

bool connection_is_broken(const struct err *why)
{
	return why->code != ERR_NONE && why->code != ERR_MEMORY && why->code != ERR_LIMIT;
}

bool connection_args(struct arena *arena, const struct connection *c, struct span doc,
		     struct span sealed, struct span *to, struct err *err)
{
	struct num *nums = arena_alloc_array(arena, CONNECTION_MAX_LIMITS, sizeof(*nums));
	if (!nums)
		return err_set(err, ERR_LIMIT, "arena full");
	to[0] = doc;
	to[1] = sealed;
	to[2] = c->state == CONNECTION_ACTIVE	 ? SPAN_LIT("0")
		: c->state == CONNECTION_DELETED ? SPAN_LIT("d")
		: connection_may_follow(c)	 ? SPAN_LIT("1")
						 : SPAN_LIT("c");
	to[3] = span_of(c->schedule);
	for (size_t i = 0; i < CONNECTION_MAX_LIMITS; i++) {
		bool has = i < c->n_limits;
		to[4 + 2 * i] = has ? span_of(c->limits[i].key) : SPAN_LIT("");
		to[5 + 2 * i] = num_span(&nums[i], has ? c->limits[i].max_running : 0);
	}
	return true;
}

/* --- changing --- */

bool connection_write(struct store *s, struct arena *arena, const struct connection *c,
		      struct span *to, struct err *err)
{
	struct span doc, sealed;
	return write_doc(arena, c, &doc, err) && seal_secrets(s, arena, c, &sealed, err) &&
	       connection_args(arena, c, doc, sealed, to, err);
}

static bool put(struct store *s, struct arena *arena, struct connection *c, int64_t read_rev,
		struct err *err)
{
	struct span args[3 + CONN_FIELDS];
	struct num rev;
	args[1] = span_of(c->id);
	args[2] = num_span(&rev, read_rev);
	if (!connection_write(s, arena, c, args + 3, err))
		return false;
	const struct redis_value *v = NULL;
	if (!store_script(s, arena, "connection_put", args, ARRAY_SIZE(args), &v, err))
		return false;
	int64_t answer = store_int(v);
	if (answer == -1)
		return err_set(err, ERR_NOT_FOUND, "no connection %s", c->id);
	if (answer < 1)
		return err_set(err, ERR_CONFLICT, "connection %s %s", c->id,
			       read_rev ? "was changed meanwhile" : "exists");
	c->rev = answer;
	return true;
}

/* A new one takes the place of a deleted one of the same name and flow: it goes on where that one
 * stopped, under the same business keys. Addresses of webhooks that were given out stay worthless.
 */
static bool take_place(struct store *s, struct connection_draft *d, struct err *err)
{
	struct connection *got = NULL;
	struct err why = ERR_INIT;
	if (!connection_read(s, d->id, &got, &why)) {
		if (err)
			*err = why;
		return why.code == ERR_NOT_FOUND;
	}
	CLEANUP(connection_unref) struct connection *old = got;
	if (old->state != CONNECTION_DELETED)
		return true; /* the script refuses it */
	if (!str_eq(old->flow, d->flow))
		return err_reason(err, ERR_CONFLICT, "exists", d->id,
				  "a deleted connection of %s was called so, and its transfers are "
				  "kept under that name: choose another",
				  old->flow);
	d->rev = old->rev;
	d->webhook_turn = old->webhook_turn + 1;
	return true;
}

bool store_connection_put(struct store *s, const struct connection_draft *draft,
			  struct connection **ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(PUT_ARENA);
	struct connection *made = NULL;
	struct connection_draft d = *draft;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!d.created_ms)
		d.created_ms = clock_wall_ms();
	if (d.state == CONNECTION_ACTIVE && !d.activated_ms)
		d.activated_ms = clock_wall_ms();
	if (!d.rev && !take_place(s, &d, err))
		return false;
	if (!connection_new(&d, &made, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = made;
	if (!put(s, arena, c, d.rev, err) || !store_refresh(s, err))
		return false;
	if (ret) {
		connection_ref(c);
		*ret = c;
	}
	return true;
}

bool connection_read(struct store *s, const char *id, struct connection **ret, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(PUT_ARENA);
	struct redis *got = NULL;
	if (!arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!redis_borrow(s->pool, BORROW_WAIT_MS, &got, err))
		return false;
	CLEANUP(redis_give_back) struct redis *r = got;
	const struct redis_value *v = NULL;
	if (!redis_commandf(r, arena, &v, err, "HMGET %sconn:%s rev doc sec", redis_prefix(s->pool),
			    id))
		return false;
	if (store_item(v, 0).n == 0)
		return err_set(err, ERR_NOT_FOUND, "no connection %s", id);
	struct stored_connection from = { .id = id,
					  .rev = store_int(&v->items[0]),
					  .doc = store_item(v, 1),
					  .sealed = store_item(v, 2) };
	struct err why = ERR_INIT;
	if (connection_open(s, arena, &from, ret, &why))
		return true;
	if (connection_is_broken(&why))
		return connection_stand_in(arena, &from, &why, ret, err);
	return err_set(err, why.code, "%s", why.message);
}

bool store_connection_get(struct store *s, const char *id, struct connection **ret, struct err *err)
{
	struct connection *got = NULL;
	if (!connection_read(s, id, &got, err))
		return false;
	if (got->state == CONNECTION_DELETED) {
		connection_unref(got);
		return err_set(err, ERR_NOT_FOUND, "no connection %s", id);
	}
	*ret = got;
	return true;
}

static bool set_state_once(struct store *s, const char *id, int64_t rev,
			   enum connection_state state, const char *reason, struct err *err)
{
	struct connection *got = NULL;
	if (!store_connection_get(s, id, &got, err))
		return false;
	CLEANUP(connection_unref) struct connection *c = got;
	if (c->unreadable[0])
		return err_set(err, ERR_SYSTEM, "%s; replace it", c->unreadable);
	if (c->state == state && str_eq(c->pause_reason, reason))
		return true;
	if (rev >= 0 && c->rev != rev)
		return err_set(err, ERR_CONFLICT, "connection %s was changed meanwhile", id);
	struct connection_draft d;
	connection_draft_of(c, &d);
	d.pause_reason = reason;
	d.state = state;
	return store_connection_put(s, &d, NULL, err);
}

bool store_connection_set_state(struct store *s, const char *id, int64_t rev,
				enum connection_state state, const char *pause_reason,
				struct err *err)
{
	struct err why = ERR_INIT;
	for (int i = 0; i < STATE_TRIES; i++) {
		if (set_state_once(s, id, rev, state, pause_reason ? pause_reason : "", &why))
			return true;
		if (why.code != ERR_CONFLICT || rev >= 0)
			break;
	}
	if (err)
		*err = why;
	return false;
}
