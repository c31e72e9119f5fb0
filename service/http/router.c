/*
 * router.c: compares a target with the rows of a table, segment by segment. Rows are few and the
 * busiest stands first, so a walk is cheaper than anything clever.
 */
#include "base/base.h"

#include "base/utf8.h"
#include "router.h"

static const char *const method_names[HTTP_N_METHODS] = {
	[HTTP_GET] = "GET",	[HTTP_POST] = "POST",	  [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
};

bool http_method_parse(const char *text, enum http_method *ret)
{
	if (str_eq(text, "HEAD")) /* libmicrohttpd leaves the body out */
		text = "GET";
	for (size_t i = 0; i < HTTP_N_METHODS; i++) {
		if (str_eq(text, method_names[i])) {
			*ret = (enum http_method)i;
			return true;
		}
	}
	return false;
}

const char *http_method_name(enum http_method m)
{
	return method_names[m];
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

const char *url_decode(struct arena *arena, struct span s, bool plus)
{
	char *out = arena_alloc(arena, s.n + 1);
	if (!out)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%') {
			if (s.n - i < 3)
				return NULL;
			int high = hex_digit(s.p[i + 1]), low = hex_digit(s.p[i + 2]);
			if (high < 0 || low < 0)
				return NULL;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (c == '\0')
			return NULL;
		out[n++] = c;
	}
	out[n] = '\0';
	return utf8_is_valid((struct span) { out, n }) ? out : NULL;
}

/* Takes the first segment off; false at the end. "/a/b" gives "a", then "b". */
static bool next_segment(struct span *rest, struct span *ret)
{
	if (rest->n == 0 || *rest->p != '/')
		return false;
	const char *start = rest->p + 1;
	size_t left = rest->n - 1;
	const char *slash = left ? memchr(start, '/', left) : NULL;
	size_t n = slash ? (size_t)(slash - start) : left;
	*ret = (struct span) { start, n };
	*rest = (struct span) { start + n, left - n };
	return true;
}

static bool path_fits(const char *pattern, struct span path, struct span args[REQUEST_MAX_ARGS],
		      size_t *ret_n)
{
	struct span want = span_of(pattern), w, p;
	size_t n = 0;
	while (next_segment(&want, &w)) {
		if (!next_segment(&path, &p))
			return false;
		if (w.n && *w.p == '{') {
			if (p.n == 0)
				return false;
			assert(n < REQUEST_MAX_ARGS);
			args[n++] = p;
		} else if (!span_eq(w, p)) {
			return false;
		}
	}
	*ret_n = n;
	return path.n == 0;
}

static const char *allow_list(struct arena *arena, unsigned methods)
{
	struct strbuf sb = STRBUF_INIT(arena, 64);
	const char *text = "";
	struct err err = ERR_INIT;
	for (size_t i = 0; i < HTTP_N_METHODS; i++)
		if (methods & (1u << i))
			strbuf_addf(&sb, "%s%s", sb.n ? ", " : "", method_names[i]);
	return strbuf_finish(&sb, &text, &err) ? text : "";
}

enum router_verdict router_match(const struct route *table, size_t n, struct arena *arena,
				 bool has_method, enum http_method method, struct span path,
				 const struct route **ret, const char *args[REQUEST_MAX_ARGS],
				 const char **ret_allow)
{
	unsigned others = 0;
	for (size_t i = 0; i < n; i++) {
		struct span raw[REQUEST_MAX_ARGS];
		size_t n_args = 0;
		if (!path_fits(table[i].path, path, raw, &n_args))
			continue;
		if (!has_method || table[i].method != method) {
			others |= 1u << table[i].method;
			continue;
		}
		for (size_t k = 0; k < n_args; k++) {
			args[k] = url_decode(arena, raw[k], false);
			if (!args[k])
				return ROUTER_MALFORMED;
		}
		*ret = &table[i];
		return ROUTER_FOUND;
	}
	if (!others)
		return ROUTER_UNKNOWN;
	*ret_allow = allow_list(arena, others);
	return ROUTER_METHOD;
}
