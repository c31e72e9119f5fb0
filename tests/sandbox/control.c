/*
 * control.c: /_sandbox/...: the ledger, set-up data, faults, reset, tenants, the last requests.
 * What concerns one system goes to that stand-in's own control function.
 *
 * For tests and demos only: no login, but only for callers on this machine unless told otherwise.
 */
#include "base/base.h"

#include "call.h"
#include "faults.h"
#include "requests.h"
#include "timers.h"

static void get_ledger(struct call *c)
{
	bool with_documents = !call_param_is(c, "documents", "0");
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	for (unsigned i = 0; i < n_standins; i++) {
		jsonw_key(&w, standins[i]->name);
		standin_enter(standins[i], c->world->states[i]);
		standins[i]->write_ledger(c->world->states[i], with_documents, &w);
		standin_leave(standins[i], c->world->states[i]);
	}
	jsonw_kint(&w, "requests", (int64_t)requests_count(c->sb->requests));
	jsonw_end_object(&w);
	reply_json(c, 200, &sb);
}

/* With ?tenant= only that one. */
static void get_setup(struct call *c)
{
	const char *only = call_param(c, "tenant");
	const char *host = call_header(c, "Host");
	char base[128];
	if (host && strlen(host) < sizeof(base) - 8)
		snprintf(base, sizeof(base), "http://%s", host);
	else
		snprintf(base, sizeof(base), "http://127.0.0.1:%u", c->sb->port);
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "base_url", base);
	jsonw_key(&w, "tenants");
	jsonw_array(&w);
	pthread_mutex_lock(&c->world->lock);
	for (size_t i = 0; i < c->world->n_keys; i++) {
		const char *key = c->world->keys[i];
		if (only && strcmp(only, key) != 0)
			continue;
		jsonw_object(&w);
		jsonw_kstr(&w, "key", key);
		for (unsigned k = 0; k < n_standins; k++) {
			jsonw_key(&w, standins[k]->name);
			standin_enter(standins[k], c->world->states[k]);
			standins[k]->write_setup(c->world->states[k], key, base, &w);
			standin_leave(standins[k], c->world->states[k]);
		}
		jsonw_end_object(&w);
	}
	pthread_mutex_unlock(&c->world->lock);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	reply_json(c, 200, &sb);
}

static void get_requests(struct call *c)
{
	int64_t limit;
	if (!call_param_int(c, "limit", 100, &limit)) {
		control_error(c, 400, "limit is no number");
		return;
	}
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	requests_write(c->sb->requests, call_param(c, "system"), call_param(c, "match"),
		       (size_t)limit, call_param_is(c, "bodies", "1"), &w);
	reply_json(c, 200, &sb);
}

static void delete_requests(struct call *c)
{
	requests_clear(c->sb->requests);
	reply_empty(c, 204);
}

static void get_faults(struct call *c)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	faults_write(c->sb->faults, &w);
	reply_json(c, 200, &sb);
}

/* One fault, or {"faults": [...]}. */
static void post_faults(struct call *c)
{
	const struct json *body = control_body(c);
	if (!body)
		return;
	struct err err = ERR_INIT;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *list = json_get(body, "faults");
	const struct json *spec = list ? json_first(list) : body;
	jsonw_object(&w);
	jsonw_key(&w, "ids");
	jsonw_array(&w);
	while (spec) {
		int64_t id;
		if (!faults_add(c->sb->faults, spec, &id, &err)) {
			control_error(c, 400, "%s", err.message);
			return;
		}
		jsonw_int(&w, id);
		spec = list ? json_next(spec) : NULL;
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	reply_json(c, 201, &sb);
}

static void delete_faults(struct call *c)
{
	int64_t id;
	if (!call_param_int(c, "id", 0, &id)) {
		control_error(c, 400, "id is no number");
		return;
	}
	if (id) {
		if (!faults_remove(c->sb->faults, id)) {
			control_error(c, 404, "no such fault");
			return;
		}
	} else {
		faults_clear(c->sb->faults);
	}
	timers_wake_hung(c->sb->timers);
	reply_empty(c, 204);
}

/* {"seed": "demo" | "empty"}; without it, what the command line said. Faults go too. */
static void post_reset(struct call *c)
{
	const struct json *body = control_body(c);
	if (!body)
		return;
	struct err err = ERR_INIT;
	const char *seed = json_str(json_get(body, "seed"));
	bool demo = seed ? strcmp(seed, "demo") == 0 : c->sb->options.seed_demo;
	if (!world_reset(c->sb, demo, &err)) {
		control_error(c, 500, "%s", err.message);
		return;
	}
	faults_clear(c->sb->faults);
	timers_wake_hung(c->sb->timers);
	requests_clear(c->sb->requests);
	reply_empty(c, 204);
}

static bool is_key(const char *key)
{
	size_t n = strlen(key);
	return n > 0 && n <= 32 && strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* {"count": M, "invoices": N, "customers": K, "prefix": "c", "registered": true} */
static void post_tenants(struct call *c)
{
	const struct json *body = control_body(c);
	if (!body)
		return;
	struct err err = ERR_INIT;
	int64_t count = control_int(body, "count", 1, 1500);
	const char *prefix = json_str(json_get(body, "prefix"));
	bool registered = false;
	if (!json_bool(json_get(body, "registered"), &registered))
		registered = false;
	if (!is_key(prefix ? prefix : "c")) {
		control_error(c, 400, "prefix: lower-case letters, digits and hyphens");
		return;
	}
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "keys");
	jsonw_array(&w);
	pthread_mutex_lock(&c->world->lock);
	unsigned from = (unsigned)c->world->n_keys;
	pthread_mutex_unlock(&c->world->lock);
	for (int64_t i = 0; i < count; i++) {
		char key[64];
		snprintf(key, sizeof(key), "%s%04u", prefix ? prefix : "c", from + (unsigned)i);
		struct tenant_spec spec = {
			.key = key,
			.ordinal = 100 + from + (unsigned)i,
			.invoices = (unsigned)control_int(body, "invoices", 0, 100000),
			.customers = (unsigned)control_int(body, "customers", 10, 20000),
			.registered = registered,
		};
		if (!world_add_tenant(c->world, &spec, &err)) {
			control_error(c, 400, "%s", err.message);
			return;
		}
		jsonw_str(&w, key);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	reply_json(c, 201, &sb);
}

static const struct {
	const char *method, *name;
	void (*serve)(struct call *c);
} routes[] = {
	{ "GET", "ledger", get_ledger },       { "GET", "setup", get_setup },
	{ "GET", "requests", get_requests },   { "DELETE", "requests", delete_requests },
	{ "GET", "faults", get_faults },       { "POST", "faults", post_faults },
	{ "DELETE", "faults", delete_faults }, { "POST", "reset", post_reset },
	{ "POST", "tenants", post_tenants },
};

/* GET /_sandbox: what there is; README.md says what each takes. */
static void get_index(struct call *c)
{
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "described_in", "tests/sandbox/README.md");
	jsonw_key(&w, "controls");
	jsonw_array(&w);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		char line[64];
		snprintf(line, sizeof(line), "%s /_sandbox/%s", routes[i].method, routes[i].name);
		jsonw_str(&w, line);
	}
	for (unsigned i = 0; i < n_standins; i++) {
		char line[64];
		snprintf(line, sizeof(line), "/_sandbox/%s/{tenant}", standins[i]->name);
		jsonw_str(&w, line);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	reply_json(c, 200, &sb);
}

void control_serve(struct call *c)
{
	const char *name = c->n_segments > 1 ? c->segments[1] : "";
	if (!name[0] && call_is(c, "GET")) {
		get_index(c);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (strcmp(routes[i].name, name) == 0 && call_is(c, routes[i].method)) {
			routes[i].serve(c);
			return;
		}
	}
	for (unsigned i = 0; i < n_standins; i++) {
		if (strcmp(standins[i]->name, name) == 0) {
			standins[i]->control(c->world->states[i], c, 2);
			return;
		}
	}
	control_error(c, 404, "no such control: %s %s", c->method, name);
}
