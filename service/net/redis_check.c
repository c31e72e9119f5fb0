/*
 * redis_check.c: is this Redis fit for jobs that must not vanish? Reads INFO and CONFIG, changes
 * nothing. What cannot be found out counts as the worse case, and the text says so: the durability
 * that we promise to webhook senders stands on this.
 */
#include "base/base.h"
#include "redis_internal.h"

#include "base/arena.h"

#define OLDEST_MAJOR 6
#define OLDEST_MINOR 2

const char *redis_durability_name(enum redis_durability d)
{
	switch (d) {
	case REDIS_MEMORY:
		return "memory";
	case REDIS_EVERYSEC:
		return "everysec";
	case REDIS_FSYNC:
		return "fsync";
	}
	return "memory";
}

/* What the judgement is made of; an empty text is unknown. */
struct facts {
	char redis_version[32]; /* Valkey says 7.2.4 here, whatever its own version */
	char appendonly[8], appendfsync[16], fsync_paused_by_rewrite[8];
	char maxmemory[24], role[16], is_cluster[4], aof_write_status[8];
	bool knows_config;
};

/* Value of a "name:value" line of INFO; an empty text when there is none. */
static void info_field(struct span info, const char *name, char *ret, size_t cap)
{
	size_t n = strlen(name);
	const char *p = info.p, *end = info.p + info.n;
	ret[0] = '\0';
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t line = (size_t)((eol ? eol : end) - p);
		if (line > n && memcmp(p, name, n) == 0 && p[n] == ':') {
			size_t value = line - n - 1;
			if (value && p[n + value] == '\r')
				value--;
			snprintf(ret, cap, "%.*s", (int)value, p + n + 1);
			return;
		}
		p += line + 1;
	}
}

static bool read_info(struct redis *r, struct arena *arena, struct redis_health *health,
		      struct facts *facts, struct err *err)
{
	const struct redis_value *v = NULL;
	char name[16], valkey_version[32], aof[4];
	if (!redis_commandf(r, arena, &v, err, "INFO"))
		return false;
	info_field(v->s, "redis_version", facts->redis_version, sizeof(facts->redis_version));
	info_field(v->s, "valkey_version", valkey_version, sizeof(valkey_version));
	info_field(v->s, "server_name", name, sizeof(name));
	info_field(v->s, "run_id", health->run_id, sizeof(health->run_id));
	info_field(v->s, "maxmemory_policy", health->maxmemory_policy,
		   sizeof(health->maxmemory_policy));
	info_field(v->s, "maxmemory", facts->maxmemory, sizeof(facts->maxmemory));
	info_field(v->s, "role", facts->role, sizeof(facts->role));
	info_field(v->s, "cluster_enabled", facts->is_cluster, sizeof(facts->is_cluster));
	info_field(v->s, "aof_enabled", aof, sizeof(aof));
	info_field(v->s, "aof_last_write_status", facts->aof_write_status,
		   sizeof(facts->aof_write_status));
	snprintf(facts->appendonly, sizeof(facts->appendonly), "%s", aof[0] == '1' ? "yes" : "no");
	bool is_valkey = strcmp(name, "valkey") == 0 || valkey_version[0];
	snprintf(health->flavor, sizeof(health->flavor), "%s", is_valkey ? "valkey" : "redis");
	snprintf(health->version, sizeof(health->version), "%s",
		 valkey_version[0] ? valkey_version : facts->redis_version);
	return true;
}

/* False only on an outage: where CONFIG is forbidden or renamed, its facts stay unknown. */
static bool read_setting(struct redis *r, struct arena *arena, const char *name, char *ret,
			 size_t cap, bool *ret_known, struct err *err)
{
	const struct redis_value *v = NULL;
	struct err own = ERR_INIT;
	*ret_known = false;
	if (!redis_commandf(r, arena, &v, &own, "CONFIG GET %s", name)) {
		if (own.code == ERR_SYSTEM)
			return true;
		if (err)
			*err = own;
		return false;
	}
	if (v->type != REDIS_ARRAY || v->n < 2)
		return true;
	snprintf(ret, cap, "%s", v->items[1].s.p ? v->items[1].s.p : "");
	*ret_known = true;
	return true;
}

static bool read_config(struct redis *r, struct arena *arena, struct facts *facts, struct err *err)
{
	bool knows_aof = false, knows_fsync = false, knows_pause = false;
	if (!read_setting(r, arena, "appendonly", facts->appendonly, sizeof(facts->appendonly),
			  &knows_aof, err) ||
	    !read_setting(r, arena, "appendfsync", facts->appendfsync, sizeof(facts->appendfsync),
			  &knows_fsync, err) ||
	    !read_setting(r, arena, "no-appendfsync-on-rewrite", facts->fsync_paused_by_rewrite,
			  sizeof(facts->fsync_paused_by_rewrite), &knows_pause, err))
		return false;
	facts->knows_config = knows_aof && knows_fsync && knows_pause;
	return true;
}

static enum redis_durability judge_durability(const struct facts *facts)
{
	if (!facts->knows_config || strcmp(facts->appendonly, "yes") != 0 ||
	    strcmp(facts->fsync_paused_by_rewrite, "yes") == 0 ||
	    strcmp(facts->aof_write_status, "err") == 0)
		return REDIS_MEMORY;
	if (strcmp(facts->appendfsync, "always") == 0)
		return REDIS_FSYNC;
	return strcmp(facts->appendfsync, "everysec") == 0 ? REDIS_EVERYSEC : REDIS_MEMORY;
}

static bool is_too_old(const char *version)
{
	char *rest = NULL;
	long major = strtol(version, &rest, 10);
	long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
	return major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR);
}

static void PRINTF_LIKE(2, 3) say(struct redis_health *health, const char *fmt, ...)
{
	size_t n = strlen(health->text);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(health->text + n, sizeof(health->text) - n, fmt, ap);
	va_end(ap);
}

/* The faults that forbid to start. */
static void judge_fitness(struct redis_health *health, const struct facts *facts)
{
	bool is_cluster = facts->is_cluster[0] == '1';
	bool is_old = is_too_old(facts->redis_version);
	bool has_limit = strcmp(facts->maxmemory, "0") != 0;
	health->is_replica = facts->role[0] && strcmp(facts->role, "master") != 0;
	health->evicts = has_limit && strcmp(health->maxmemory_policy, "noeviction") != 0;
	health->usable = !is_old && !is_cluster && !health->is_replica && !health->evicts;
	if (is_old)
		say(health, " Too old: %d.%d or later is needed.", OLDEST_MAJOR, OLDEST_MINOR);
	if (is_cluster)
		say(health, " It runs in cluster mode, where one script may not touch many keys: "
			    "use one without.");
	if (health->is_replica)
		say(health, " It is a replica and takes no writes: use the primary.");
	if (health->evicts)
		say(health, " It evicts keys when full, so jobs could vanish: set "
			    "maxmemory-policy noeviction.");
}

static void explain_durability(struct redis_health *health, const struct facts *facts)
{
	if (!facts->knows_config)
		say(health, " CONFIG is not allowed, so appendfsync cannot be read: an "
			    "acknowledged job counts as kept in memory only.");
	else if (strcmp(facts->aof_write_status, "err") == 0)
		say(health, " It cannot write its append-only file: see its log and disk.");
	else if (strcmp(facts->fsync_paused_by_rewrite, "yes") == 0)
		say(health, " no-appendfsync-on-rewrite suspends fsync: set it to no.");
	else if (health->durability != REDIS_FSYNC)
		say(health, " A crash can lose acknowledged jobs: set appendonly yes and "
			    "appendfsync always.");
}

bool redis_check(struct redis_pool *pool, struct arena *arena, struct redis_health *ret,
		 struct err *err)
{
	CLEANUP(redis_give_back) struct redis *r = NULL;
	struct redis_health health = { .durability = REDIS_MEMORY };
	struct facts facts = { .knows_config = false };
	if (!redis_borrow_or_refusal(pool, pool->command_timeout_ms, &r, err) ||
	    !read_info(r, arena, &health, &facts, err) || !read_config(r, arena, &facts, err))
		return false;
	health.durability = judge_durability(&facts);
	say(&health, "%s %s, durability %s.", health.flavor, health.version,
	    redis_durability_name(health.durability));
	judge_fitness(&health, &facts);
	explain_durability(&health, &facts);
	*ret = health;
	return true;
}
