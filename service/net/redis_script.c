/*
 * redis_script.c: the embedded Lua scripts, run by name. Each connection sends SCRIPT LOAD before
 * its first use of a script, in the same write as the EVALSHA, so that the first use costs no round
 * trip and a restarted server (which breaks connections) gets its scripts again.
 *
 * Guarantees that a script runs at most once per call: NOSCRIPT is the only answer that is tried
 * again, and it says that nothing ran. In a pipeline it is handed to the caller as ERR_OUTAGE
 * instead, since later commands of the pipeline have run by then; the next call loads again.
 */
#include "base/base.h"
#include "redis_internal.h"

#include "base/alloc.h"

#include <openssl/evp.h>

#define PRELUDE "prelude"
#define SCRIPT_FIXED_ARGS 4 /* EVALSHA sha 0 prefix */

static int compare_scripts(const void *a, const void *b)
{
	const struct redis_loaded_script *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static const char *prelude_text(void)
{
	for (const struct lua_script *s = lua_scripts; s->name; s++)
		if (strcmp(s->name, PRELUDE) == 0)
			return s->text;
	return "";
}

/* The name under which Redis keeps a script. */
static bool sha1_hex(const char *text, size_t n, char ret[SHA1_HEX_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	if (!EVP_Digest(text, n, digest, &len, EVP_sha1(), NULL) || len != (SHA1_HEX_MAX - 1) / 2)
		return false;
	for (unsigned i = 0; i < len; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
	return true;
}

static bool init_script(struct redis_loaded_script *script, const struct lua_script *from,
			const char *prelude, struct err *err)
{
	size_t before = strlen(prelude), n = strlen(from->text);
	script->name = from->name;
	script->text = mem_alloc(before + n + 1);
	if (!script->text)
		return err_set(err, ERR_MEMORY, "out of memory");
	memcpy(script->text, prelude, before);
	memcpy(script->text + before, from->text, n);
	script->text_n = before + n;
	if (!sha1_hex(script->text, script->text_n, script->sha))
		return err_set(err, ERR_SYSTEM, "SHA-1 is not available");
	return true;
}

bool redis_scripts_init(struct redis_pool *pool, struct err *err)
{
	size_t n = 0;
	while (lua_scripts[n].name)
		n++;
	pool->scripts = mem_alloc_array(n, sizeof(*pool->scripts));
	if (!pool->scripts)
		return err_set(err, ERR_MEMORY, "out of memory");
	const char *prelude = prelude_text();
	for (const struct lua_script *s = lua_scripts; s->name; s++)
		if (strcmp(s->name, PRELUDE) != 0 &&
		    !init_script(&pool->scripts[pool->n_scripts++], s, prelude, err))
			return false;
	qsort(pool->scripts, pool->n_scripts, sizeof(*pool->scripts), compare_scripts);
	return true;
}

void redis_scripts_release(struct redis_pool *pool)
{
	for (size_t i = 0; i < pool->n_scripts; i++)
		mem_free(pool->scripts[i].text);
	mem_free(pool->scripts);
}

static const struct redis_loaded_script *find_script(const struct redis_pool *pool,
						     const char *name)
{
	struct redis_loaded_script key = { .name = name };
	return pool->n_scripts ? bsearch(&key, pool->scripts, pool->n_scripts,
					 sizeof(*pool->scripts), compare_scripts)
			       : NULL;
}

/* SCRIPT LOAD into the pipeline; its reply is read past in redis_read. */
static bool append_load(struct redis *r, struct arena *arena,
			const struct redis_loaded_script *script, struct err *err)
{
	size_t i = (size_t)(script - r->pool->scripts);
	if (r->must_reload && r->n_read == r->n_sent) {
		memset(r->is_loaded, 0, r->pool->n_scripts * sizeof(*r->is_loaded));
		r->must_reload = false;
	}
	if (r->is_loaded[i])
		return true;
	assert(r->n_loads < r->pool->n_scripts);
	uint64_t at = r->n_sent;
	const struct span argv[] = { SPAN_LIT("SCRIPT"),
				     SPAN_LIT("LOAD"),
				     { script->text, script->text_n } };
	if (!redis_append(r, arena, argv, ARRAY_SIZE(argv), err))
		return false;
	r->loads[r->n_loads++] = at;
	r->is_loaded[i] = true;
	return true;
}

bool redis_append_script(struct redis *r, struct arena *arena, const char *name,
			 const struct span *args, size_t n_args, struct err *err)
{
	const struct redis_loaded_script *script = find_script(r->pool, name);
	if (!script)
		return err_set(err, ERR_SYSTEM, "no Redis script named %s in this build", name);
	struct span *argv = arena_alloc_array(arena, SCRIPT_FIXED_ARGS + n_args, sizeof(*argv));
	if (!argv)
		return err_set(err, ERR_LIMIT, "arena full");
	argv[0] = SPAN_LIT("EVALSHA");
	argv[1] = span_of(script->sha);
	argv[2] = SPAN_LIT("0");
	argv[3] = span_of(r->pool->prefix);
	if (n_args)
		memcpy(argv + SCRIPT_FIXED_ARGS, args, n_args * sizeof(*argv));
	if (!append_load(r, arena, script, err) ||
	    !redis_append(r, arena, argv, SCRIPT_FIXED_ARGS + n_args, err))
		return err_wrap(err, "script %s", name);
	return true;
}

bool redis_script(struct redis *r, struct arena *arena, const char *name, const struct span *args,
		  size_t n_args, const struct redis_value **ret, struct err *err)
{
	struct err own = ERR_INIT;
	if (!err)
		err = &own;
	assert(r->ctx->err || r->n_read == r->n_sent);
	for (int tries = 0; tries < 2; tries++) {
		if (!redis_append_script(r, arena, name, args, n_args, err))
			return false;
		if (redis_read(r, arena, ret, err))
			return true;
		if (strncmp(err->target_text, "NOSCRIPT", 8) != 0)
			break;
	}
	return err_wrap(err, "script %s", name);
}
