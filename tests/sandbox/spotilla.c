/*
 * spotilla.c: the way in to the Spotilla stand-in: who calls, errors, and its life.
 *
 * A call is /spotilla/api/v3/<register>[/<id>]. The vendor publishes no API: this plays what
 * facts/spotilla.md part B assumes of it, with knobs where it may turn out otherwise.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "codec/sign.h"
#include "spotilla.h"

static const char *const register_names[] = { "customers", "products", "tasks" };

const char *sp_register_name(enum sp_kind kind)
{
	return register_names[kind];
}

enum sp_kind sp_kind_of(const char *register_name)
{
	int kind = 0;
	while (kind < SP_N_KINDS && strcmp(register_names[kind], register_name) != 0)
		kind++;
	return (enum sp_kind)kind;
}

void sp_fail(struct call *c, unsigned status, const char *code, const char *message,
	     const char *field)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "error");
	jsonw_object(&w);
	jsonw_kstr(&w, "code", code);
	jsonw_kstr(&w, "message", message);
	jsonw_key(&w, "fields");
	jsonw_object(&w);
	if (field) {
		jsonw_key(&w, field);
		jsonw_array(&w);
		jsonw_str(&w, message);
		jsonw_end_array(&w);
	}
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	c->note = code;
	reply_json(c, status, &sb);
}

struct sp_tenant *sp_find_locked(struct spotilla *m, const char *key)
{
	for (struct sp_tenant *t = m->tenants; t; t = t->next)
		if (key && strcmp(t->key, key) == 0)
			return t;
	return NULL;
}

/* ---- the way in ---------------------------------------------------------------------------- */

static bool is_denied(const struct sp_tenant *t, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = t->denied; (p = strstr(p, name)); p += n)
		if ((p == t->denied || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static bool authenticate_locked(struct sp_call *sc)
{
	struct call *c = sc->c;
	struct sp_tenant *t = sp_find_locked(sc->m, call_header(c, "X-User-Subdomain"));
	if (!t) {
		sp_fail(c, 401, "unauthorized", "Unknown subdomain", NULL);
		return false;
	}
	sc->tenant = t;
	sc->reg = &t->registers[sp_kind_of(c->segments[2])];
	c->tenant = t->key;
	t->calls++;
	if (!str_eq(call_header(c, "X-User-Token"), t->token) ||
	    !str_eq(call_header(c, "X-User-Id"), t->user_id)) {
		t->unauthorized++;
		sp_fail(c, 401, "unauthorized", "Bad key", NULL);
		return false;
	}
	if (t->is_expired || is_denied(t, c->segments[2])) {
		t->unauthorized++;
		sp_fail(c, 403, "forbidden", t->is_expired ? "The key has expired" : "No right",
			NULL);
		return false;
	}
	return true;
}

static bool begin(void *state, struct call *c)
{
	struct sp_call *sc = arena_alloc(c->arena, sizeof(*sc));
	if (!sc)
		return false;
	sc->c = c;
	sc->m = state;
	c->ctx = sc;
	if (c->n_segments < 3 || c->n_segments > 4 || strcmp(c->segments[0], "api") != 0 ||
	    strcmp(c->segments[1], "v3") != 0 || sp_kind_of(c->segments[2]) == SP_N_KINDS) {
		reply_text(c, 404, "text/html", "<html><body>404</body></html>\n");
		return false;
	}
	sc->id = c->n_segments == 4 ? c->segments[3] : NULL;
	pthread_mutex_lock(&sc->m->base.lock);
	bool ok = authenticate_locked(sc);
	pthread_mutex_unlock(&sc->m->base.lock);
	return ok;
}

static void serve(void *state, struct call *c)
{
	struct spotilla *m = state;
	pthread_mutex_lock(&m->base.lock);
	sp_serve_locked(c->ctx);
	pthread_mutex_unlock(&m->base.lock);
}

/* A fault: with a code, Spotilla's error object; without, what a gateway says. */
static void refuse(struct call *c, unsigned status)
{
	if (c->fault.code[0] || status == 429) {
		sp_fail(c, status, c->fault.code[0] ? c->fault.code : "too_many_requests",
			"Refused for a test", NULL);
		return;
	}
	char *text = arena_printf(c->arena, "<html><body>%u</body></html>\n", status);
	reply_text(c, status, "text/html", text ? text : "");
}

/* ---- life ---------------------------------------------------------------------------------- */

static void close_state(void *state)
{
	struct spotilla *m = state;
	if (!m)
		return;
	for (struct sp_tenant *t = m->tenants; t; t = t->next) {
		for (int i = 0; i < SP_N_KINDS; i++) {
			mem_free(t->registers[i].items);
			table_release(&t->registers[i].by_id);
		}
		table_release(&t->answers);
	}
	standin_free(m);
}

static void *open_state(struct sandbox *sb, struct err *err)
{
	(void)sb;
	return standin_new(sizeof(struct spotilla), err);
}

/* Keys that stay the same from start to start. */
static const char *made_up(struct spotilla *m, const char *what, const char *key)
{
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], text[200];
	snprintf(text, sizeof(text), "spotilla sandbox %s %s", what, key);
	sign_sha256(span_of(text), digest);
	sign_hex(digest, sizeof(digest), hex);
	hex[40] = '\0';
	return sp_keep(m, hex);
}

static bool add_tenant(void *state, const struct tenant_spec *spec, struct err *err)
{
	struct spotilla *m = state;
	const struct seed_company *co = spec->demo ? seed_company(spec->key) : NULL;
	static const int64_t first_ids[] = { 1001, 301, 90001 };
	struct sp_tenant *t = arena_alloc(m->base.arena, sizeof(*t));
	char user[16];
	if (!t)
		return err_set(err, ERR_MEMORY, "out of memory");
	snprintf(user, sizeof(user), "%u", 5000 + spec->ordinal);
	*t = (struct sp_tenant) { .next = m->tenants,
				  .key = sp_keep(m, spec->key),
				  .name = sp_keep(m, co ? co->name : spec->key),
				  .token = made_up(m, "token", spec->key),
				  .user_id = sp_keep(m, user),
				  .webhook_secret = made_up(m, "secret", spec->key),
				  .webhook_url = "",
				  .done_state = "done",
				  .denied = "",
				  .takes_filters = true,
				  .is_sorted = true,
				  .has_meta = true };
	for (int i = 0; i < SP_N_KINDS; i++) {
		t->registers[i].kind = (enum sp_kind)i;
		t->registers[i].next_id = first_ids[i];
	}
	m->tenants = t;
	/* A generated tenant is empty: its tests and benches say what they want there. */
	return !spec->demo || sp_seed_locked(m, t, strcmp(spec->key, "kajo") == 0, err);
}

static const char *whose(void *state, const struct call *c)
{
	(void)state;
	return call_header(c, "X-User-Subdomain");
}

const struct standin spotilla_standin = {
	.name = "spotilla",
	.open = open_state,
	.close = close_state,
	.whose = whose,
	.begin = begin,
	.serve = serve,
	.refuse = refuse,
	.control = sp_control,
	.write_ledger = sp_write_ledger,
	.write_setup = sp_write_setup,
	.add_tenant = add_tenant,
	.is_locked_whole = true,
};
