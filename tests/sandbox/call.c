/*
 * call.c: one request's own things: its target taken apart, its headers, its reply.
 *
 * Guarantees that `target` stays byte for byte what the client sent (Netvisor signs it).
 * Deliberately does not judge anything: that is the stand-ins' work.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "call.h"

#include <microhttpd.h>

struct call *call_new(struct sandbox *sb, const char *target)
{
	struct arena *arena = arena_new(SANDBOX_ARENA_MAX);
	if (!arena)
		return NULL;
	struct call *c = arena_alloc(arena, sizeof(*c));
	char *copy = arena_strdup(arena, target);
	if (!c || !copy) {
		arena_free(arena);
		return NULL;
	}
	c->magic = CALL_MAGIC;
	c->arena = arena;
	c->sb = sb;
	c->target = copy;
	c->path = copy;
	c->at_ms = clock_wall_ms();
	c->mono_ms = clock_mono_ms();
	c->body_buf = (struct strbuf)STRBUF_INIT(arena, SANDBOX_BODY_MAX);
	c->world = world_ref(sb);
	return c;
}

void call_free(struct call *c)
{
	if (!c)
		return;
	assert(c->magic == CALL_MAGIC);
	world_unref(c->world);
	c->magic = 0;
	arena_free(c->arena);
}

static int hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

const char *call_decode(struct arena *arena, struct span s, bool plus_is_blank)
{
	char *out = arena_alloc(arena, s.n + 1);
	if (!out)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];
		if (ch == '%') {
			if (i + 2 >= s.n)
				return NULL;
			int hi = hex_digit(s.p[i + 1]);
			int lo = hex_digit(s.p[i + 2]);
			if (hi < 0 || lo < 0 || hi + lo == 0)
				return NULL;
			ch = (char)(hi * 16 + lo);
			i += 2;
		} else if (ch == '+' && plus_is_blank) {
			ch = ' ';
		}
		out[n++] = ch;
	}
	return out;
}

static bool split_path(struct call *c, struct span path)
{
	size_t at = 0;
	while (at < path.n) {
		if (path.p[at] == '/') {
			at++;
			continue;
		}
		size_t end = at;
		while (end < path.n && path.p[end] != '/')
			end++;
		if (c->n_segments == CALL_MAX_SEGMENTS)
			return false;
		const char *seg = call_decode(c->arena, (struct span) { path.p + at, end - at },
					      false);
		if (!seg)
			return false;
		c->segments[c->n_segments++] = seg;
		at = end;
	}
	return true;
}

static bool split_query(struct call *c)
{
	if (c->query.n == 0)
		return true;
	size_t most = 1;
	for (size_t i = 0; i < c->query.n; i++)
		most += c->query.p[i] == '&';
	c->params = arena_alloc_array(c->arena, most, sizeof(*c->params));
	if (!c->params)
		return false;
	const char *p = c->query.p;
	const char *end = p + c->query.n;
	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		const char *stop = amp ? amp : end;
		const char *eq = memchr(p, '=', (size_t)(stop - p));
		const char *name_end = eq ? eq : stop;
		const char *value = eq ? eq + 1 : stop;
		struct param *par = &c->params[c->n_params];
		par->name = call_decode(c->arena, (struct span) { p, (size_t)(name_end - p) },
					true);
		par->value = call_decode(c->arena, (struct span) { value, (size_t)(stop - value) },
					 true);
		if (!par->name || !par->value)
			return false;
		if (par->name[0])
			c->n_params++;
		p = amp ? amp + 1 : end;
	}
	return true;
}

bool call_split(struct call *c)
{
	size_t n = strcspn(c->target, "?");
	char *path = arena_memdup(c->arena, c->target, n);
	if (!path)
		return false;
	c->path = path;
	if (c->target[n] == '?')
		c->query = span_of(c->target + n + 1);
	return split_path(c, (struct span) { path, n }) && split_query(c);
}

const char *call_header(const struct call *c, const char *name)
{
	return MHD_lookup_connection_value(c->conn, MHD_HEADER_KIND, name);
}

const char *call_bearer(const struct call *c)
{
	static const char scheme[] = "Bearer ";
	const char *text = call_header(c, "Authorization");
	bool is_bearer = text && strncasecmp(text, scheme, sizeof(scheme) - 1) == 0;
	return is_bearer ? text + sizeof(scheme) - 1 : NULL;
}

const char *call_param(const struct call *c, const char *name)
{
	for (size_t i = 0; i < c->n_params; i++) {
		if (strcasecmp(c->params[i].name, name) == 0)
			return c->params[i].value;
	}
	return NULL;
}

bool call_param_is(const struct call *c, const char *name, const char *value)
{
	const char *have = call_param(c, name);
	return have && strcasecmp(have, value) == 0;
}

static bool small_int(const char *text, int64_t *ret)
{
	size_t n = strlen(text);
	if (n == 0 || n > 9 || strspn(text, "0123456789") != n)
		return false;
	int64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (text[i] - '0');
	*ret = v;
	return true;
}

bool call_param_int(const struct call *c, const char *name, int64_t fallback, int64_t *ret)
{
	const char *text = call_param(c, name);
	if (!text || !text[0]) {
		*ret = fallback;
		return true;
	}
	return small_int(text, ret);
}

bool call_is(const struct call *c, const char *method)
{
	return strcmp(c->method, method) == 0;
}

bool call_matches(const struct call *c, const char *pattern, const char **ret_id)
{
	for (size_t seg = 0;; seg++) {
		size_t n = strcspn(pattern, "/");
		if (seg >= c->n_segments)
			return false;
		const char *have = c->segments[seg];
		if (n == 2 && pattern[0] == '{')
			*ret_id = have;
		else if (strlen(have) != n || strncmp(have, pattern, n) != 0)
			return false;
		pattern += n;
		if (!*pattern)
			return seg + 1 == c->n_segments;
		pattern++;
	}
}

const void *call_find_route(const struct call *c, const void *rows, size_t n, size_t size,
			    const char **ret_id, unsigned *ret_status)
{
	*ret_status = 404;
	for (size_t i = 0; i < n; i++) {
		const void *at = (const char *)rows + i * size;
		const char *const *row = at;
		if (!call_matches(c, row[1], ret_id))
			continue;
		if (call_is(c, row[0]))
			return at;
		*ret_status = 405;
	}
	return NULL;
}

struct strbuf call_strbuf(struct call *c)
{
	return (struct strbuf)STRBUF_INIT(c->arena, SANDBOX_ARENA_MAX / 4);
}

void reply_header(struct call *c, const char *name, const char *value)
{
	assert(c->reply.n_headers < REPLY_MAX_HEADERS);
	c->reply.headers[c->reply.n_headers++] = (struct header) { name, value };
}

void reply_bytes(struct call *c, unsigned status, const char *content_type, struct span body)
{
	c->reply.status = status;
	c->reply.content_type = content_type;
	c->reply.body = body;
}

void reply_text(struct call *c, unsigned status, const char *content_type, const char *text)
{
	reply_bytes(c, status, content_type, span_of(text));
}

void reply_empty(struct call *c, unsigned status)
{
	reply_bytes(c, status, NULL, (struct span) { "", 0 });
}

void reply_json(struct call *c, unsigned status, struct strbuf *sb)
{
	const char *text = NULL;
	struct err err = ERR_INIT;
	if (!strbuf_finish(sb, &text, &err)) {
		reply_text(c, 500, "text/plain", "sandbox: the answer does not fit in memory\n");
		return;
	}
	reply_bytes(c, status, "application/json; charset=utf-8", strbuf_span(sb));
}

void control_error(struct call *c, unsigned status, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "error", text);
	jsonw_end_object(&w);
	reply_json(c, status, &sb);
}

const struct json *control_body(struct call *c)
{
	const struct json *body = NULL;
	struct err err = ERR_INIT;
	struct span text = c->body.n ? c->body : SPAN_LIT("{}");
	struct json_limits limits = { SANDBOX_BODY_MAX, 32 };
	if (!json_parse(c->arena, text, limits, &body, &err)) {
		control_error(c, 400, "%s", err.message);
		return NULL;
	}
	if (json_type(body) != JSON_OBJECT) {
		control_error(c, 400, "the body must be a JSON object");
		return NULL;
	}
	return body;
}

int64_t control_int(const struct json *body, const char *key, int64_t fallback, int64_t max)
{
	int64_t v;
	if (!json_int64(json_get(body, key), &v) || v < 0 || v > max)
		return fallback;
	return v;
}

int64_t control_ppm(const struct json *body, const char *key, int64_t fallback)
{
	struct decimal d;
	if (!json_decimal(json_get(body, key), &d) || decimal_sign(d) < 0 ||
	    decimal_cmp(d, decimal_of(1)) > 0)
		return fallback;
	struct decimal ppm;
	if (!decimal_mul(decimal_round(d, 6), decimal_of(1000000), &ppm))
		return fallback;
	struct decimal whole = decimal_round(ppm, 0);
	return (int64_t)whole.coef;
}
