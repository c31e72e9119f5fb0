/*
 * http_url.c: URLs of outside systems: cut, checked, held against the allow list. Guarantees that a
 * text which two parsers could read differently is refused. Knows no other scheme than http(s), and
 * does not decode or normalise: the target goes out as it came in.
 */
#include "base/base.h"
#include "http_internal.h"

#include "base/strbuf.h"

#define HOST_MAX 300 /* name, brackets and port */

static struct span cut(struct span s, size_t from, size_t to)
{
	return (struct span) { s.p + from, to - from };
}

static size_t find(struct span s, const char *any)
{
	size_t i = 0;
	while (i < s.n && !strchr(any, s.p[i]))
		i++;
	return i;
}

static bool is_clean(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '\\' || s.p[i] == '#')
			return false;
	return true;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* A DNS name or IPv4 address, or hexadecimal groups in brackets (no zone). */
static bool is_host(struct span host)
{
	bool is_v6 = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (is_v6)
		host = cut(host, 1, host.n - 1);
	for (size_t i = 0; i < host.n; i++)
		if (!is_alnum(host.p[i]) && !strchr(is_v6 ? ":." : "-._", host.p[i]))
			return false;
	return host.n > 0;
}

static bool parse_port(struct span text, int *ret)
{
	int port = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || port > 65535)
			return false;
		port = port * 10 + (text.p[i] - '0');
	}
	*ret = port;
	return port > 0 && port <= 65535;
}

static bool parse_authority(struct span authority, struct http_url *ret)
{
	size_t host_end;
	if (authority.n && authority.p[0] == '[') {
		host_end = find(authority, "]");
		host_end += host_end < authority.n;
	} else {
		host_end = find(authority, ":");
	}
	ret->host = cut(authority, 0, host_end);
	struct span after = cut(authority, host_end, authority.n);
	ret->port = ret->is_https ? 443 : 80;
	if (after.n && (after.p[0] != ':' || !parse_port(cut(after, 1, after.n), &ret->port)))
		return false;
	return is_host(ret->host) && ret->host.n < 256;
}

bool http_url_parse(const char *text, struct http_url *ret, struct err *err)
{
	struct span rest = span_of(text);
	struct http_url url = { .is_https = rest.n > 8 && strncasecmp(rest.p, "https://", 8) == 0 };
	if (!url.is_https && !(rest.n > 7 && strncasecmp(rest.p, "http://", 7) == 0))
		return err_set(err, ERR_INPUT, "not an http:// or https:// URL");
	if (!is_clean(rest))
		return err_set(err, ERR_INPUT,
			       "URL holds a character that must be percent-encoded");
	rest = cut(rest, url.is_https ? 8 : 7, rest.n);
	size_t end = find(rest, "/?");
	if (!parse_authority(cut(rest, 0, end), &url))
		return err_set(err, ERR_INPUT, "URL has no host that can be used");
	url.target = cut(rest, end, rest.n);
	*ret = url;
	return true;
}

static bool format_host(struct arena *arena, const struct http_url *url, const char **ret,
			struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, HOST_MAX);
	for (size_t i = 0; i < url->host.n; i++) {
		char c = url->host.p[i];
		strbuf_addch(&sb, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
	}
	if (url->port != (url->is_https ? 443 : 80))
		strbuf_addf(&sb, ":%d", url->port);
	return strbuf_finish(&sb, ret, err);
}

bool http_url_host(struct arena *arena, const char *url, const char **ret, struct err *err)
{
	struct http_url parts = { .port = 0 };
	return http_url_parse(url, &parts, err) && format_host(arena, &parts, ret, err);
}

bool http_url_is_allowed(struct arena *arena, const struct http_guard *guard, const char *text,
			 struct err *err)
{
	struct http_url url = { .port = 0 };
	const char *host = NULL;
	if (!http_url_parse(text, &url, err) || !format_host(arena, &url, &host, err))
		return false;
	if (!url.is_https && !guard->allow_http)
		return err_set(err, ERR_INPUT, "%s: plain http is not allowed", host);
	if (!guard->allow_hosts)
		return true;
	for (const char *const *allowed = guard->allow_hosts; *allowed; allowed++)
		if (strcmp(*allowed, host) == 0)
			return true;
	return err_set(err, ERR_INPUT, "%s is not among the allowed hosts", host);
}
