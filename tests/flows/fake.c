/* fake.c: the attempt of flow cases (fake.h). What overruns a table ends the program: a case is too
 * large. */
#include "base/base.h"
#include "fake.h"
#include "registry.h"

#include "base/clock.h"

static struct fake *of(struct attempt *at)
{
	return at->impl;
}

static bool do_exchange(struct attempt *at, const struct call *call, struct http_reply *ret,
			struct err *err)
{
	if (at->preview && call->rq.is_write)
		return err_set(err, ERR_CONFLICT, "dry run: %s refused", call->what);
	of(at)->call_arena = at->arena;
	return of(at)->exchange(of(at), call, ret, err);
}

struct step *fake_step(struct fake *f, const char *name)
{
	for (size_t i = 0; i < f->n_steps; i++)
		if (strcmp(f->steps[i].name, name) == 0)
			return &f->steps[i].step;
	assert(f->n_steps < ARRAY_SIZE(f->steps));
	struct fake_step *s = &f->steps[f->n_steps++];
	*s = (struct fake_step) { 0 };
	snprintf(s->name, sizeof(s->name), "%s", name);
	return &s->step;
}

static bool step_get(struct attempt *at, const char *step, struct step *ret, struct err *err)
{
	(void)err; /* memory is never away */
	*ret = *fake_step(of(at), step);
	if (ret->state != STEP_NONE)
		ret->age_ms = clock_wall_ms() - ret->intent_ms;
	return true;
}

static bool step_intent(struct attempt *at, const char *step, const char *about, struct err *err)
{
	(void)err;
	*fake_step(of(at), step) =
		(struct step) { .state = STEP_INTENT,
				.intent_ms = clock_wall_ms(),
				.about = arena_strdup(of(at)->arena, about ? about : "") };
	return true;
}

static bool step_outcome(struct attempt *at, const char *step, const char *outcome, struct err *err)
{
	struct step *s = fake_step(of(at), step);
	(void)err;
	*s = outcome ? (struct step) { .state = STEP_DONE,
				       .about = s->about,
				       .outcome = arena_strdup(of(at)->arena, outcome) }
		     : (struct step) { 0 };
	return true;
}

static bool step_lookup_empty(struct attempt *at, const char *step, struct err *err)
{
	struct step *s = fake_step(of(at), step);
	(void)err;
	s->lookups++;
	s->last_lookup_ms = clock_wall_ms();
	return true;
}

/* As step.lua: delivered, the next generation begins; not delivered, this one goes on. */
static bool came_back(struct attempt *at, bool *ret_back, struct err *err)
{
	struct fake *f = of(at);
	struct step *failed = fake_step(f, STEP_FAILED);
	(void)err;
	*ret_back = failed->state == STEP_DONE;
	*failed = (struct step) { 0 };
	if (!*ret_back || !at->delivered) {
		if (*ret_back)
			at->ops->note(at, "came_back", "");
		return true;
	}
	at->ops->note(at, "next_generation", "");
	at->generation++;
	at->delivered = false;
	f->n_steps = 0;
	return true;
}

static bool set_number(struct attempt *at, const char *number, struct err *err)
{
	(void)err;
	of(at)->number = number;
	return true;
}

static void note(struct attempt *at, const char *code, const char *text)
{
	const char *kept = arena_strdup(of(at)->arena, text);
	assert(at->n_notes < ATTEMPT_NOTES_MAX && kept);
	at->notes[at->n_notes++] = (struct note) { code, kept };
}

static void seen(struct attempt *at, struct span bytes)
{
	(void)at;
	(void)bytes;
}

static const char *pair_get(const struct fake_pair *p, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(p[i].key, key) == 0)
			return p[i].value;
	return NULL;
}

static void pair_set(struct fake *f, struct fake_pair *p, size_t *n, const char *key,
		     const char *value)
{
	size_t i = 0;
	while (i < *n && strcmp(p[i].key, key) != 0)
		i++;
	assert(i < FAKE_MAX);
	if (i == *n)
		p[(*n)++].key = arena_strdup(f->arena, key);
	p[i].value = arena_strdup(f->arena, value);
	assert(p[i].key && p[i].value);
}

static const char *joined(struct attempt *at, const char *scope, const char *key)
{
	return arena_printf(of(at)->arena, "%s|%s", scope, key);
}

static bool kv_get(struct attempt *at, const char *scope, const char *key, const char **ret,
		   struct err *err)
{
	(void)err;
	const char *value = pair_get(of(at)->kv, of(at)->n_kv, joined(at, scope, key));
	*ret = value ? value : "";
	return true;
}

static bool kv_set(struct attempt *at, const char *scope, const char *key, const char *value,
		   int64_t ttl_ms, struct err *err)
{
	(void)err;
	(void)ttl_ms;
	pair_set(of(at), of(at)->kv, &of(at)->n_kv, joined(at, scope, key), value);
	return true;
}

static bool record_lease(struct attempt *at, const char *record, struct err *err)
{
	(void)at;
	(void)record;
	(void)err;
	return true;
}

static void record_release(struct attempt *at, const char *record)
{
	(void)at;
	(void)record;
}

static const char *cache_get(struct attempt *at, const char *key)
{
	return pair_get(of(at)->cache, of(at)->n_cache, key);
}

static void cache_set(struct attempt *at, const char *key, const char *value, int64_t ttl_ms)
{
	(void)ttl_ms;
	pair_set(of(at), of(at)->cache, &of(at)->n_cache, key, value);
}

static bool shared(struct attempt *at, const struct shared_want *want, const char **ret,
		   struct err *err)
{
	int64_t ttl_ms;
	const char *value = cache_get(at, want->key);
	if (!value || str_eq(value, want->refused)) {
		if (!want->fetch(want->ctx, &value, &ttl_ms, err))
			return false;
		cache_set(at, want->key, value, ttl_ms);
	}
	*ret = value;
	return true;
}

static bool found(struct attempt *at, const struct poll_item *items, size_t n, struct err *err)
{
	struct fake *f = of(at);
	(void)err;
	for (size_t i = 0; i < n; i++) {
		assert(f->n_found < ARRAY_SIZE(f->found));
		f->found[f->n_found++] =
			(struct fake_found) { arena_strdup(f->arena, items[i].source_id),
					      arena_strdup(f->arena, items[i].number) };
	}
	return true;
}

static bool report(struct attempt *at, const char *json, struct err *err)
{
	(void)err;
	of(at)->report = json;
	return true;
}

static bool known(struct attempt *at, const char *kind, const char *source_id,
		  struct known_transfer *ret, struct err *err)
{
	struct fake *f = of(at);
	(void)kind;
	(void)err;
	*ret = (struct known_transfer) { 0 };
	for (size_t i = 0; i < f->n_found; i++)
		if (strcmp(f->found[i].id, source_id) == 0)
			*ret = (struct known_transfer) { .exists = true, .state = STATE_QUEUED };
	if (f->known.exists)
		*ret = f->known;
	return true;
}

/* Every connection that a case names is, but for one of that name. */
static bool is_active(struct attempt *at, const char *connection)
{
	(void)at;
	return connection[0] && !str_eq(connection, "paused");
}

/* {"id": ..., "values": {...}} */
static bool read_link(struct fake *f, const char *text, struct record_link *ret)
{
	const struct json *j;
	bool ok = json_parse(f->arena, span_of(text), JSON_LIMITS_API, &j, NULL);
	const struct json *values = json_get(j, "values");
	struct link_value *to = arena_alloc_array(f->arena, json_size(values) + 1, sizeof(*to));
	assert(ok && to);
	ret->id[LINK_RIGHT] = json_str(json_get(j, "id"));
	ret->values = to;
	for (const struct json *v = json_first(values); v; v = json_next(v))
		to[ret->n_values++] = (struct link_value) { json_key(v), json_str(v) };
	return ret->id[LINK_RIGHT] != NULL;
}

/* Values of the link table: "customer:1001" of the left side, and the id at the right, or an object
 * with what was synchronised last. */
static bool links(struct attempt *at, const struct link_table *table, enum link_side side,
		  const char *const *ids, size_t n, struct record_link *ret, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct record_link) { .id = { NULL, NULL } };
		if (side == LINK_RIGHT) /* a case knows links by the left side alone */
			continue;
		const char *key = arena_printf(of(at)->arena, "%s:%s", table->kind, ids[i]);
		const char *text;
		if (!kv_get(at, table->scope, key, &text, err))
			return false;
		if (!text[0])
			continue;
		ret[i].id[LINK_LEFT] = ids[i];
		ret[i].id[LINK_RIGHT] = text;
		if (text[0] == '{' && !read_link(of(at), text, &ret[i]))
			return err_set(err, ERR_SYSTEM, "a link of the case has no id");
	}
	return true;
}

static bool link_put(struct attempt *at, const struct link_table *table,
		     const struct record_link *put, size_t n, struct err *err)
{
	struct fake *f = of(at);
	for (size_t i = 0; i < n; i++) {
		struct strbuf sb = STRBUF_INIT(f->arena, 64 << 10);
		struct json_writer w = JSON_WRITER_INIT(&sb);
		const char *text;
		jsonw_object(&w);
		jsonw_kstr(&w, "id", put[i].id[LINK_RIGHT]);
		jsonw_key(&w, "values");
		jsonw_object(&w);
		for (size_t k = 0; k < put[i].n_values; k++)
			jsonw_kstr(&w, put[i].values[k].name, put[i].values[k].value);
		jsonw_end_object(&w);
		jsonw_end_object(&w);
		const char *key = arena_printf(f->arena, "%s:%s", table->kind,
					       put[i].id[LINK_LEFT]);
		if (!strbuf_finish(&sb, &text, err) || !kv_set(at, table->scope, key, text, 0, err))
			return false;
	}
	return true;
}

static bool want_run(struct attempt *at, const char *registers, struct err *err)
{
	(void)err;
	of(at)->wanted = registers;
	return true;
}

static bool webhook_url(struct attempt *at, const struct system *system, const char **ret,
			struct err *err)
{
	(void)at, (void)system, (void)err;
	*ret = NULL; /* nothing reaches a case from outside */
	return true;
}

static const struct attempt_ops ops = {
	.exchange = do_exchange,
	.step_get = step_get,
	.step_intent = step_intent,
	.step_outcome = step_outcome,
	.step_lookup_empty = step_lookup_empty,
	.came_back = came_back,
	.set_number = set_number,
	.note = note,
	.seen = seen,
	.kv_get = kv_get,
	.kv_set = kv_set,
	.record_lease = record_lease,
	.record_release = record_release,
	.cache_get = cache_get,
	.cache_set = cache_set,
	.shared = shared,
	.found = found,
	.report = report,
	.known = known,
	.webhook_url = webhook_url,
	.is_active = is_active,
	.links = links,
	.link_put = link_put,
	.want_run = want_run,
};

/* Systems whose options tests change by name; of any other by fake_options. */
static const struct named {
	const struct system *system;
	size_t offset;
} named[] = {
	{ &severa_system, offsetof(struct fake, severa) },
	{ &netvisor_system, offsetof(struct fake, netvisor) },
	{ &maventa_system, offsetof(struct fake, maventa) },
	{ &spotilla_system, offsetof(struct fake, spotilla) },
	{ &maestro_system, offsetof(struct fake, maestro) },
	{ &procountor_system, offsetof(struct fake, procountor) },
	{ &talenom_system, offsetof(struct fake, talenom) },
};

static char fake_client_secret[] = "sandbox-secret";
static char fake_vendor_key[] = "5f1d6f80-0000-4000-8000-0000000000ff";

/* VIESTI_KIRJA_URL of "kirja". */
static bool is_its_url(const struct system *system, const struct option *opt)
{
	const char *name = opt->name ? opt->name + strlen(OPTION_PREFIX) : "";
	size_t n = strlen(system->name);
	return strncasecmp(name, system->name, n) == 0 && strcmp(name + n, "_URL") == 0;
}

/* Every option as when nothing is set, but for the address: http://<name>.test. */
static void preset(const struct system *system, struct arena *arena, void *into)
{
	for (size_t i = 0; i < system->n_options; i++) {
		const struct option *opt = &system->options[i];
		bool is_url = is_its_url(system, opt);
		const char *text = is_url ? arena_printf(arena, "http://%s.test", system->name)
					  : opt->preset;
		bool ok = opt->type == OPTION_SECTION ||
			  (text && option_parse(opt, span_of(text), arena,
						(char *)into + opt->offset, NULL));
		assert(ok);
	}
	bool is_ready = !system->ready || system->ready(into, NULL, arena, NULL);
	assert(is_ready);
	(void)is_ready; /* NDEBUG */
}

static void *place_of(struct fake *f, const struct system *system)
{
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (named[i].system == system)
			return (char *)f + named[i].offset;
	return arena_alloc(f->arena, system->values_size);
}

/* Every system of the registry, so that a new one is here by being there. */
static void open_systems(struct fake *f)
{
	f->systems.systems = systems;
	for (size_t i = 0; systems[i]; i++) {
		void *options = place_of(f, systems[i]);
		assert(i < SYSTEM_MAX && options);
		preset(systems[i], f->arena, options);
		f->systems.of[i] = options;
	}
}

void *fake_options(struct fake *f, const struct system *system)
{
	return (void *)(uintptr_t)system_values_of(&f->systems, system);
}

void fake_init(struct fake *f, struct arena *arena, const char *settings, const char *credentials)
{
	*f = (struct fake) { .arena = arena };
	open_systems(f);
	f->maventa.soap_url = "http://maventa.test/wsdl";
	f->maventa.vendor_key = (struct secret) { fake_vendor_key, sizeof(fake_vendor_key) - 1 };
	f->talenom.token_url = "http://id.test/token";
	f->procountor.url = "http://procountor.test/api";
	f->procountor.client_id = "viestiClient";
	f->procountor.client_secret = (struct secret) { fake_client_secret,
							sizeof(fake_client_secret) - 1 };
	snprintf(f->conn.id, sizeof(f->conn.id), "case");
	f->conn.settings = settings;
	f->conn.activated_ms = 1;
	f->conn.credentials.p = arena_strdup(arena, credentials);
	f->conn.credentials.n = strlen(credentials);
	f->at = (struct attempt) { .ops = &ops,
				   .arena = arena,
				   .conn = &f->conn,
				   .generation = 1,
				   .try_no = 1,
				   .quiet_ms = 130000,
				   .deadline_ms = clock_mono_ms() + 600000,
				   .systems = &f->systems,
				   .impl = f };
}

void fake_aim(struct fake *f, const char *kind, const char *source_id)
{
	f->at.kind = kind;
	f->at.source_id = source_id;
	f->at.outcome = OUTCOME_DONE;
	f->at.result = NULL;
	f->at.n_notes = 0;
}
