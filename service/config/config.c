/*
 * config.c: collects the settings from environment, files and defaults (config.h).
 *
 * Guarantees: after config_load every member is set, in range, and in keeping with the others; what
 * nobody reads (an unknown name) is an error, so that a typing mistake cannot pass for a setting.
 * Does not look whether a path, host or key serves its purpose: whoever uses it does.
 */
#include "base/base.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "config/row.h"

#define SELF OPTION_PREFIX "CONFIG"
#define FILE_SUFFIX "_FILE"
#define MAX_FILE_BYTES 65536
#define ARENA_BYTES (512 * 1024)
#define NAME_MAX_BYTES 64

/* Where an option's value will be taken from. */
struct source {
	struct span value; /* n is 0 when not given */
	bool is_path; /* given by x_file: value names the file */
	enum config_origin origin;
};

struct loader {
	struct config *cfg;
	struct arena *scratch; /* file contents; secrets among them, wiped with it */
	const char *config_path; /* VIESTI_CONFIG, or NULL */
	struct row_list rows;
	struct source sources[CONFIG_MAX_ROWS]; /* one per row */
};

static struct span trim(struct span s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) && s.p[0]) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

static bool read_fd(int fd, char *buf, size_t cap, size_t *ret_n)
{
	size_t n = 0;

	while (n < cap) {
		ssize_t got = read(fd, buf + n, cap - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_n = n;
	return true;
}

/* The file's text, in scratch (wiped with it). */
static bool read_file(struct arena *scratch, const char *path, struct span *ret, struct err *err)
{
	char *buf = mem_alloc(MAX_FILE_BYTES + 1);
	struct secret text = { NULL, 0 };
	size_t n = 0;

	if (!buf)
		return err_set(err, ERR_MEMORY, "no memory to read %s", path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && read_fd(fd, buf, MAX_FILE_BYTES + 1, &n);
	int errnum = errno;
	if (fd >= 0)
		close(fd);
	if (!ok)
		(void)err_errno(err, ERR_INPUT, errnum, "cannot read %s", path);
	else if (n > MAX_FILE_BYTES || memchr(buf, '\0', n))
		ok = err_set(err, ERR_INPUT, "%s is not a text file of at most %d bytes", path,
			     MAX_FILE_BYTES);
	else if (!secret_in_arena(scratch, (struct span) { buf, n }, &text))
		ok = err_set(err, ERR_MEMORY, "no memory to read %s", path);
	mem_free_wiped(buf, MAX_FILE_BYTES + 1);
	if (ok)
		*ret = (struct span) { text.p, text.n };
	return ok;
}

/* Edit distance of two short names. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1];
	size_t nb = strlen(b);

	if (nb > NAME_MAX_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < nb; j++) {
			size_t best = diagonal + (a[i] != b[j]);

			if (row[j + 1] + 1 < best)
				best = row[j + 1] + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			diagonal = row[j + 1];
			row[j + 1] = best;
		}
	}
	return row[nb];
}

/* "VIESTI_X_FILE" as it is meant: the row's source, and whether the value is a path. */
static struct source *find_option(struct loader *ld, const char *name, bool *ret_is_path)
{
	size_t n = strlen(name), suffix = strlen(FILE_SUFFIX);
	bool is_path = n > suffix && str_eq(name + n - suffix, FILE_SUFFIX);

	if (is_path)
		n -= suffix;
	for (size_t i = 0; i < ld->rows.n; i++) {
		const char *have = ld->rows.of[i].opt->name;

		if (have && strlen(have) == n && memcmp(have, name, n) == 0) {
			*ret_is_path = is_path;
			return &ld->sources[i];
		}
	}
	return NULL;
}

static const char *nearest_option(const struct loader *ld, const char *name)
{
	const char *best = NULL;
	size_t least = strlen(name) / 3; /* farther is no likeness */

	for (size_t i = 0; i < ld->rows.n; i++) {
		const char *have = ld->rows.of[i].opt->name;
		size_t d = have ? distance(name, have) : SIZE_MAX;

		if (d < least) {
			least = d;
			best = have;
		}
	}
	return best;
}

/* A name in a configuration file as the variable it stands for: "workers" is VIESTI_WORKERS. */
static void variable_name(struct span key, char ret[NAME_MAX_BYTES])
{
	const size_t prefix = strlen(OPTION_PREFIX);
	bool has_prefix = key.n > prefix && strncasecmp(key.p, OPTION_PREFIX, prefix) == 0;
	size_t n = 0;

	for (const char *p = OPTION_PREFIX; !has_prefix && *p; p++)
		ret[n++] = *p;
	for (size_t i = 0; i < key.n && n < NAME_MAX_BYTES - 1; i++) {
		char c = key.p[i];

		ret[n++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	ret[n] = '\0';
}

/* The other way round, for a suggestion. */
static void file_name(const char *variable, char ret[NAME_MAX_BYTES])
{
	const char *p = variable + strlen(OPTION_PREFIX);
	size_t n = 0;

	for (; *p && n < NAME_MAX_BYTES - 1; p++)
		ret[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	ret[n] = '\0';
}

static bool unknown_variable(const struct loader *ld, const char *name, struct err *err)
{
	const char *near = nearest_option(ld, name);

	(void)err_set(err, ERR_INPUT, "%s is not an option of viesti%s%s%s", name,
		      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	err_pointer(err, "%s", name);
	return false;
}

static bool unknown_key(const struct loader *ld, int line, struct span key, const char *variable,
			struct err *err)
{
	const char *near = nearest_option(ld, variable);
	char suggestion[NAME_MAX_BYTES] = "";

	if (near)
		file_name(near, suggestion);
	(void)err_set(err, ERR_INPUT, "%s, line %d: \"%.*s\" is not an option of viesti%s%s%s",
		      ld->config_path, line, (int)(key.n < 64 ? key.n : 64), key.p,
		      near ? "; did you mean \"" : "", suggestion, near ? "\"?" : "");
	err_pointer(err, "%s", variable);
	return false;
}

/* "key = value", a comment or an empty line. */
static bool take_line(struct loader *ld, int number, struct span line, struct err *err)
{
	char name[NAME_MAX_BYTES];
	bool is_path = false;

	line = trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return true;
	const char *equals = memchr(line.p, '=', line.n);
	if (!equals)
		return err_set(err, ERR_INPUT, "%s, line %d: expected \"name = value\"",
			       ld->config_path, number);
	struct span key = trim((struct span) { line.p, (size_t)(equals - line.p) });
	struct span value = trim(
		(struct span) { equals + 1, line.n - (size_t)(equals - line.p) - 1 });
	variable_name(key, name);
	struct source *src = find_option(ld, name, &is_path);
	char proper[NAME_MAX_BYTES];
	file_name(name, proper);
	if (!src || !span_is(key, proper))
		return unknown_key(ld, number, key, name, err);
	if (src->origin == CONFIG_FILE)
		return err_set(err, ERR_INPUT, "%s, line %d: \"%.*s\" is given twice",
			       ld->config_path, number, (int)key.n, key.p);
	*src = (struct source) { value, is_path, CONFIG_FILE };
	return true;
}

static bool take_file(struct loader *ld, struct err *err)
{
	struct span text = { NULL, 0 };
	int number = 0;

	if (!ld->config_path)
		return true;
	if (!read_file(ld->scratch, ld->config_path, &text, err))
		return err_wrap(err, SELF);
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		struct span line = { text.p, end ? (size_t)(end - text.p) : text.n };

		if (!take_line(ld, ++number, line, err))
			return false;
		size_t used = line.n + (end ? 1 : 0);
		text = (struct span) { text.p + used, text.n - used };
	}
	return true;
}

/* One "NAME=value" of the environment that starts with our prefix. */
static bool take_variable(struct loader *ld, const char *entry, struct err *err)
{
	const char *equals = strchr(entry, '=');
	char name[128];
	bool is_path = false;

	if (!equals || equals[1] == '\0') /* empty: not given, as compose files pass it on */
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - entry), entry);
	if (str_eq(name, SELF))
		return true;
	struct source *src = find_option(ld, name, &is_path);
	if (!src)
		return unknown_variable(ld, name, err);
	if (src->origin == CONFIG_ENVIRONMENT && src->is_path != is_path) {
		const char *option = ld->rows.of[src - ld->sources].opt->name;

		(void)err_set(err, ERR_INPUT, "%s and %s" FILE_SUFFIX " are both set", option,
			      option);
		err_pointer(err, "%s", option);
		return false;
	}
	*src = (struct source) { span_of(equals + 1), is_path, CONFIG_ENVIRONMENT };
	return true;
}

static bool take_environment(struct loader *ld, char *const envp[], struct err *err)
{
	for (size_t i = 0; envp[i]; i++)
		if (strncmp(envp[i], OPTION_PREFIX, strlen(OPTION_PREFIX)) == 0 &&
		    !take_variable(ld, envp[i], err))
			return false;
	return true;
}

/* Reads the chosen source of one row into its member. */
static bool settle(struct loader *ld, size_t row, struct err *err)
{
	const struct option *opt = ld->rows.of[row].opt;
	const struct source *src = &ld->sources[row];
	struct config *cfg = ld->cfg;
	struct span value = src->value;
	void *member = row_member(cfg, &ld->rows.of[row]);

	if (!opt->name)
		return true;
	if (value.n == 0)
		return option_parse(opt, span_of(opt->preset), cfg->arena, member, err);
	const char *path = src->origin == CONFIG_FILE ? ld->config_path : NULL;
	if (src->is_path) {
		path = arena_memdup(cfg->arena, value.p, value.n);
		if (!path)
			return err_set(err, ERR_MEMORY, "%s: no memory", opt->name);
		if (!read_file(ld->scratch, path, &value, err))
			return err_wrap(err, "%s" FILE_SUFFIX, opt->name);
		value = trim(value);
		if (value.n == 0)
			return err_set(err, ERR_INPUT, "%s" FILE_SUFFIX ": %s is empty", opt->name,
				       path);
	}
	if (!option_parse(opt, value, cfg->arena, member, err))
		return path ? err_wrap(err, "%s", path) : false;
	cfg->origin[row].kind = src->origin;
	cfg->origin[row].path = path;
	return true;
}

static bool is_plain_http(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0;
}

static bool rule_broken(struct err *err, const char *option, const char *why)
{
	(void)err_set(err, ERR_INPUT, "%s: %s", option, why);
	err_pointer(err, "%s", option);
	return false;
}

static bool check_urls(const struct config *cfg, struct err *err)
{
	struct row_list rows;

	rows_list(cfg->systems.systems, &rows);
	for (size_t i = 0; i < rows.n; i++)
		if (!cfg->allow_http && rows.of[i].opt->type == OPTION_URL &&
		    is_plain_http(*(const char *const *)row_value(cfg, &rows.of[i])))
			return rule_broken(err, rows.of[i].opt->name,
					   "is http://, which needs VIESTI_ALLOW_HTTP=true");
	return true;
}

/* What would be left unused in silence is refused. */
static bool tls_fits(const struct config *cfg, struct err *err)
{
	bool is_tls = secret_is_set(&cfg->redis_url) &&
		      strncasecmp(cfg->redis_url.p, "rediss://", 9) == 0;
	bool has_cert = secret_is_set(&cfg->redis_cert);
	if (!is_tls && secret_is_set(&cfg->redis_ca))
		return rule_broken(err, "VIESTI_REDIS_CA", "is for a rediss:// URL");
	if (!is_tls && has_cert)
		return rule_broken(err, "VIESTI_REDIS_CERT", "is for a rediss:// URL");
	if (has_cert != secret_is_set(&cfg->redis_cert_key))
		return rule_broken(err, "VIESTI_REDIS_CERT_KEY",
				   "and VIESTI_REDIS_CERT are set together or not at all");
	return true;
}

/* Rules between options, then the values that a 0 leaves to us. */
static bool finish(struct config *cfg, struct err *err)
{
	if (secret_is_set(&cfg->redis_url) && !secret_is_set(&cfg->key))
		return rule_broken(err, "VIESTI_KEY",
				   "must be set when VIESTI_REDIS_URL is: what lies in a shared "
				   "Redis is sealed under a key that every process has");
	if (!tls_fits(cfg, err))
		return false;
	if (cfg->beat_ms * 2 > cfg->lease_ms)
		return rule_broken(err, "VIESTI_BEAT",
				   "must be at most half of VIESTI_LEASE, or one late beat loses "
				   "the lease");
	if (cfg->quiet_ms && cfg->quiet_ms < cfg->request_timeout_ms + cfg->lease_ms)
		return rule_broken(
			err, "VIESTI_QUIET",
			"must be at least VIESTI_REQUEST_TIMEOUT + VIESTI_LEASE (or 0): "
			"sooner than that a write may still be under way, and its absence "
			"proves nothing");
	if (cfg->retry_first_ms > cfg->retry_cap_ms)
		return rule_broken(err, "VIESTI_RETRY_FIRST",
				   "must not be longer than VIESTI_RETRY_CAP");
	if (!check_urls(cfg, err))
		return false;
	if (cfg->smtp_hosts[0] && !cfg->mail_from[0])
		return rule_broken(err, "VIESTI_MAIL_FROM",
				   "must be set when VIESTI_SMTP_HOSTS is: the sender's address");
	if (cfg->quiet_ms == 0) {
		cfg->quiet_ms = cfg->request_timeout_ms + cfg->lease_ms;
		cfg->origin[CONFIG_ROW_quiet_ms].kind = CONFIG_DERIVED;
	}
	if (cfg->redis_pool == 0) {
		cfg->redis_pool = cfg->workers + 8;
		cfg->origin[CONFIG_ROW_redis_pool].kind = CONFIG_DERIVED;
	}
	return true;
}

static const char *find_self(char *const envp[])
{
	const size_t n = strlen(SELF "=");

	for (size_t i = 0; envp[i]; i++)
		if (strncmp(envp[i], SELF "=", n) == 0 && envp[i][n])
			return envp[i] + n;
	return NULL;
}

/* What the options of a system name: read once, for the life of the configuration. */
static bool ready_all(struct loader *ld, struct err *err)
{
	const struct system_values *v = &ld->cfg->systems;

	for (size_t i = 0; v->systems[i]; i++)
		if (v->systems[i]->ready && !v->systems[i]->ready((void *)(uintptr_t)v->of[i],
								  read_file, ld->cfg->arena, err))
			return false;
	return true;
}

static bool load(struct loader *ld, char *const envp[], struct err *err)
{
	const char *path = find_self(envp);

	if (path) {
		ld->config_path = arena_strdup(ld->cfg->arena, path);
		if (!ld->config_path)
			return err_set(err, ERR_MEMORY, "no memory for the settings");
	}
	if (!take_file(ld, err) || !take_environment(ld, envp, err))
		return false;
	for (size_t i = 0; i < ld->rows.n; i++)
		if (!settle(ld, i, err))
			return false;
	return finish(ld->cfg, err) && ready_all(ld, err);
}

/* Room for what each system's folder wants to know. */
static bool make_values(struct config *cfg, const struct system *const *systems)
{
	cfg->systems.systems = systems;
	for (size_t i = 0; systems[i]; i++) {
		cfg->systems.of[i] = arena_alloc(cfg->arena, systems[i]->values_size);
		if (!cfg->systems.of[i])
			return false;
	}
	return true;
}

bool config_load(struct config *ret, const struct system *const *systems, char *const envp[],
		 struct err *err)
{
	CLEANUP(arena_free) struct arena *scratch = arena_new(ARENA_BYTES * 8);
	struct config cfg = { .arena = arena_new(ARENA_BYTES) };

	if (!scratch || !cfg.arena || !make_values(&cfg, systems)) {
		arena_free(cfg.arena);
		return err_set(err, ERR_MEMORY, "no memory for the settings");
	}
	struct loader ld = { .cfg = &cfg, .scratch = scratch };
	rows_list(systems, &ld.rows);
	if (!load(&ld, envp, err)) {
		config_release(&cfg);
		return false;
	}
	*ret = cfg;
	return true;
}

void config_release(struct config *cfg)
{
	struct row_list rows;

	if (!cfg->systems.systems)
		return;
	rows_list(cfg->systems.systems, &rows);
	for (size_t i = 0; i < rows.n; i++)
		if (option_is_secret(rows.of[i].opt))
			secret_release(row_member(cfg, &rows.of[i]));
	arena_free(cfg->arena);
	cfg->arena = NULL;
}
