/*
 * redis_url.c: see redis_url.h. Cuts the URL from the outside in: scheme, query, user info,
 * address, path; each part is checked where it is cut. Knows nothing of connections.
 */
#include "base/base.h"
#include "redis_url.h"

#define REDIS_DEFAULT_PORT 6379
#define REDIS_MAX_DB 65535

static const struct {
	const char *prefix;
	bool is_unix, is_tls;
} schemes[] = {
	{ "redis://", false, false },
	{ "rediss://", false, true },
	{ "unix://", true, false },
	{ "redis+unix://", true, false },
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes into buf, NUL-terminated; false when malformed, too long or with a NUL inside. */
static bool decode(struct span text, char *buf, size_t cap, size_t *ret_n)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		int c = (unsigned char)text.p[i];
		if (c == '%') {
			int hi = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
			int lo = i + 2 < text.n ? hex_value(text.p[i + 2]) : -1;
			if (hi < 0 || lo < 0)
				return false;
			c = hi << 4 | lo;
			i += 2;
		}
		if (c == '\0' || n + 1 >= cap)
			return false;
		buf[n++] = (char)c;
	}
	buf[n] = '\0';
	if (ret_n)
		*ret_n = n;
	return true;
}

/* Digits only, at most max. */
static bool parse_number(struct span text, int max, int *ret)
{
	int v = 0;
	if (text.n == 0)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (text.p[i] - '0');
		if (v > max)
			return false;
	}
	*ret = v;
	return true;
}

static struct span cut(struct span s, size_t from, size_t to)
{
	return (struct span) { s.p + from, to - from };
}

/* Position of the last c, or s.n. */
static size_t find_last(struct span s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

static size_t find_first(struct span s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

static bool parse_scheme(struct span *rest, struct redis_url *url, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i].prefix);
		if (rest->n < n || strncasecmp(rest->p, schemes[i].prefix, n) != 0)
			continue;
		url->is_unix = schemes[i].is_unix;
		url->is_tls = schemes[i].is_tls;
		*rest = cut(*rest, n, rest->n);
		return true;
	}
	return err_set(err, ERR_INPUT, "Redis URL must start with redis://, rediss:// or unix://");
}

static bool set_password(struct span text, struct redis_url *url, struct err *err)
{
	char password[1024];
	size_t n = 0;
	bool ok = !secret_is_set(&url->password) && decode(text, password, sizeof(password), &n) &&
		  n > 0;
	if (!ok)
		err_set(err, ERR_INPUT,
			"Redis URL: the password is empty, too long, given twice or badly "
			"percent-encoded");
	else if (!secret_init(&url->password, (struct span) { password, n }))
		ok = err_set(err, ERR_MEMORY, "out of memory");
	secret_wipe(password, sizeof(password));
	return ok;
}

static bool set_user(struct span text, struct redis_url *url, struct err *err)
{
	if (url->user[0] || !decode(text, url->user, sizeof(url->user), NULL))
		return err_set(err, ERR_INPUT,
			       "Redis URL: the user is too long, given twice or badly "
			       "percent-encoded");
	return true;
}

static bool set_db(struct span text, struct redis_url *url, struct err *err)
{
	if (!parse_number(text, REDIS_MAX_DB, &url->db))
		return err_set(err, ERR_INPUT, "Redis URL: the database is not a number");
	return true;
}

static const struct {
	const char *name;
	bool (*set)(struct span value, struct redis_url *url, struct err *err);
} query_fields[] = {
	{ "db=", set_db },
	{ "user=", set_user },
	{ "password=", set_password },
};

static bool parse_query_field(struct span field, struct redis_url *url, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(query_fields); i++) {
		size_t n = strlen(query_fields[i].name);
		if (field.n >= n && memcmp(field.p, query_fields[i].name, n) == 0)
			return query_fields[i].set(cut(field, n, field.n), url, err);
	}
	return err_set(err, ERR_INPUT,
		       "Redis URL: after the '?' only db, user and password are known");
}

static bool parse_query(struct span *rest, struct redis_url *url, struct err *err)
{
	size_t mark = find_first(*rest, '?');
	struct span query = cut(*rest, mark < rest->n ? mark + 1 : mark, rest->n);
	*rest = cut(*rest, 0, mark);
	while (query.n) {
		size_t end = find_first(query, '&');
		if (!parse_query_field(cut(query, 0, end), url, err))
			return false;
		query = cut(query, end < query.n ? end + 1 : end, query.n);
	}
	return true;
}

/* The last '@' ends the user info, so that a password may hold unescaped '@', '/' and '?'. */
static bool parse_userinfo(struct span *rest, struct redis_url *url, struct err *err)
{
	bool is_bare_path = url->is_unix && rest->n && rest->p[0] == '/';
	size_t end = is_bare_path ? rest->n : find_last(*rest, '@');
	if (end == rest->n)
		return true;
	struct span info = cut(*rest, 0, end);
	*rest = cut(*rest, end + 1, rest->n);
	size_t colon = find_first(info, ':');
	if (!set_user(cut(info, 0, colon), url, err))
		return false;
	return colon == info.n || set_password(cut(info, colon + 1, info.n), url, err);
}

static bool parse_unix(struct span rest, struct redis_url *url, struct err *err)
{
	if (rest.n == 0 || rest.p[0] != '/')
		return err_set(err, ERR_INPUT, "Redis URL: unix:// wants an absolute path");
	if (!decode(rest, url->path, sizeof(url->path), NULL))
		return err_set(err, ERR_INPUT,
			       "Redis URL: socket path is badly percent-encoded or over %zu bytes",
			       sizeof(url->path) - 1);
	return true;
}

static bool parse_tcp(struct span rest, struct redis_url *url, struct err *err)
{
	size_t slash = find_first(rest, '/');
	struct span address = cut(rest, 0, slash);
	struct span db = slash < rest.n ? cut(rest, slash + 1, rest.n) : (struct span) { "", 0 };
	if (db.n && !parse_number(db, REDIS_MAX_DB, &url->db))
		return err_set(err, ERR_INPUT, "Redis URL: the path is not a database number");

	bool is_v6 = address.n && address.p[0] == '[';
	size_t host_end = find_first(address, is_v6 ? ']' : ':');
	if (is_v6 && host_end == address.n)
		return err_set(err, ERR_INPUT, "Redis URL: '[' without ']'");
	struct span host = cut(address, is_v6, host_end);
	struct span after = cut(address, host_end + is_v6, address.n);
	if (host.n == 0 || !decode(host, url->host, sizeof(url->host), NULL))
		return err_set(err, ERR_INPUT, "Redis URL: host is missing or too long");
	url->port = REDIS_DEFAULT_PORT;
	if (after.n && (after.p[0] != ':' ||
			!parse_number(cut(after, 1, after.n), 65535, &url->port) || url->port == 0))
		return err_set(err, ERR_INPUT, "Redis URL: port is not a number from 1 to 65535");
	return true;
}

bool redis_url_parse(const char *text, struct redis_url *ret, struct err *err)
{
	struct redis_url url = { .port = 0 };
	struct span rest = span_of(text);
	bool ok = parse_scheme(&rest, &url, err) && parse_userinfo(&rest, &url, err) &&
		  parse_query(&rest, &url, err) &&
		  (url.is_unix ? parse_unix(rest, &url, err) : parse_tcp(rest, &url, err));
	if (ok && url.user[0] && !secret_is_set(&url.password))
		ok = err_set(err, ERR_INPUT, "Redis URL: a user without a password");
	if (!ok) {
		redis_url_release(&url);
		return false;
	}
	*ret = url;
	return true;
}

void redis_url_release(struct redis_url *url)
{
	secret_release(&url->password);
}
