/*
 * drive.c: `flow-cases drive`: runs calls of a system over the real HTTP client and says what came
 * of each, a JSON line per step. Standard input is one JSON object: system, url, credentials,
 * settings, options, steps ([{"do": "send", ...}]).
 */
#include "base/base.h"
#include "drive.h"

static const struct drive_system *const driven[] = { &drive_maventa, &drive_maestro,
						     &drive_spotilla, &drive_procountor,
						     &drive_talenom };

static bool exchange(struct fake *f, const struct call *call, struct http_reply *ret,
		     struct err *err)
{
	struct drive *d = f->ctx;
	struct http_transport *t = http_client_transport(d->client);
	enum http_reach reach;
	return t->perform(t, f->call_arena, &call->rq, ret, &reach, err);
}

/* ---- what a step is given, and what it says ------------------------------------------------- */

const char *drive_arg(const struct drive *d, const char *path)
{
	return json_text(json_at(d->args, path));
}

bool drive_flag(const struct drive *d, const char *path)
{
	bool is_on;
	return json_bool(json_at(d->args, path), &is_on) && is_on;
}

struct decimal drive_decimal(const struct drive *d, const char *path)
{
	struct decimal ret;
	return json_decimal(json_at(d->args, path), &ret) ? ret : DECIMAL_ZERO;
}

const char *drive_input(const struct drive *d, const char *path)
{
	const char *text = json_str(json_at(d->input, path));
	return text ? text : "";
}

void drive_put(struct drive *d, const char *key, const char *value)
{
	jsonw_kstr(d->w, key, value);
}

void drive_put_decimal(struct drive *d, const char *key, struct decimal value)
{
	jsonw_key(d->w, key);
	jsonw_decimal(d->w, value);
}

bool drive_options(struct drive *d, const struct system *system, void *into, struct err *err)
{
	const struct json *given = json_get(d->input, "options");
	for (size_t i = 0; i < system->n_options; i++) {
		const struct option *opt = &system->options[i];
		const char *name = opt->name ? opt->name + strlen(OPTION_PREFIX) : "";
		const char *text = json_text(json_get(given, name));
		if (text &&
		    !option_parse(opt, span_of(text), d->arena, (char *)into + opt->offset, err))
			return false;
	}
	return true;
}

/* ---- the run ------------------------------------------------------------------------------- */

static void put_error(struct drive *d, const struct err *err)
{
	drive_put(d, "error", err_code_name(err->code));
	drive_put(d, "reason", err->reason);
	drive_put(d, "subject", err->subject);
	drive_put(d, "message", err->message);
	drive_put(d, "target_text", err->target_text);
	jsonw_kint(d->w, "status", err->upstream_status);
	jsonw_kint(d->w, "retry_after_ms", err->retry_after_ms);
}

static bool run_step(struct drive *d, const struct drive_system *system, const struct json *step)
{
	struct strbuf sb = STRBUF_INIT(d->arena, 4 << 20);
	struct err err = ERR_INIT;
	const char *text;
	size_t i = 0;
	d->args = step;
	d->writer = (struct json_writer)JSON_WRITER_INIT(&sb);
	d->w = &d->writer;
	while (i < system->n_calls && !str_eq(system->calls[i].name, drive_arg(d, "do")))
		i++;
	if (i == system->n_calls)
		return false;
	jsonw_object(d->w);
	if (!system->calls[i].run(d, &err))
		put_error(d, &err);
	jsonw_end_object(d->w);
	if (!strbuf_finish(&sb, &text, NULL))
		return false;
	d->writer.out = NULL;
	puts(text);
	return true;
}

static bool read_input(struct drive *d)
{
	struct strbuf sb = STRBUF_INIT(d->arena, 64 << 20);
	char buf[65536];
	size_t n;
	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		strbuf_add(&sb, buf, n);
	return json_parse(d->arena, strbuf_span(&sb), (struct json_limits) { 64 << 20, 16 },
			  &d->input, NULL);
}

static const struct drive_system *find_system(const struct drive *d)
{
	const char *name = drive_input(d, "system");
	for (size_t i = 0; i < ARRAY_SIZE(driven); i++)
		if (strcmp(driven[i]->name, name) == 0)
			return driven[i];
	return NULL;
}

static int run(struct drive *d)
{
	struct err err = ERR_INIT;
	const struct drive_system *system = find_system(d);
	if (!system || !system->open(d, &err)) {
		fprintf(stderr, "%s\n", system ? err.message : "no such system");
		return 1;
	}
	const struct json *step = json_first(json_get(d->input, "steps"));
	for (; step; step = json_next(step))
		if (!run_step(d, system, step))
			return 1;
	return 0;
}

int drive_main(void)
{
	static struct drive d;
	struct http_guard guard = { .allow_private = true, .allow_http = true };
	struct err err = ERR_INIT;
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)1 << 30);
	d.arena = arena;
	if (!http_global_init(&err) || !http_client_new(&guard, &d.client, &err) || !read_input(&d))
		return 1;
	fake_init(&d.fake, arena, "{}", "{}");
	d.fake.exchange = exchange;
	d.fake.ctx = &d;
	int status = run(&d);
	http_client_free(d.client);
	http_global_release();
	return status;
}
