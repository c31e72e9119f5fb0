/*
 * webhook.c: what Spotilla tells us by itself (facts/spotilla.md B7): the signature and the event.
 * Pure: the time and the secrets are handed in; ids are remembered by whoever calls. The scheme is
 * an assumption.
 */
#include "base/base.h"
#include "spotilla_internal.h"

#include "codec/sign.h"

#define TIME_DIGITS 11
#define SIGNATURES_MAX 8
#define TASK_ID_MAX 64

/* ---- the signature ------------------------------------------------------------------------- */

/* The next "name=value" of the header; false at its end. */
static bool next_part(struct span *rest, struct span *ret_name, struct span *ret_value)
{
	if (!rest->n)
		return false;
	const char *comma = memchr(rest->p, ',', rest->n);
	struct span part = { rest->p, comma ? (size_t)(comma - rest->p) : rest->n };
	size_t used = part.n + (comma != NULL);
	*rest = (struct span) { rest->p + used, rest->n - used };
	while (part.n && part.p[0] == ' ')
		part = (struct span) { part.p + 1, part.n - 1 };
	const char *eq = part.n ? memchr(part.p, '=', part.n) : NULL;
	size_t n = eq ? (size_t)(eq - part.p) : part.n;
	*ret_name = (struct span) { part.p, n };
	*ret_value = eq ? (struct span) { eq + 1, part.n - n - 1 } : SPAN_LIT("");
	return true;
}

static bool read_time(struct span text, int64_t *ret)
{
	int64_t v = 0;
	if (!text.n || text.n > TIME_DIGITS)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (text.p[i] - '0');
	}
	*ret = v;
	return true;
}

struct signature {
	struct span time; /* as it was written: that is what is signed */
	int64_t time_s;
	unsigned char macs[SIGNATURES_MAX][SHA256_BYTES];
	size_t n;
};

/* False: not of our scheme. A signature of another version says nothing, neither good nor bad. */
static bool read_signature(struct span header, struct signature *ret)
{
	struct span name, value;
	*ret = (struct signature) { .n = 0 };
	while (next_part(&header, &name, &value)) {
		if (span_is(name, "t")) {
			if (ret->time.p || !read_time(value, &ret->time_s))
				return false;
			ret->time = value;
		} else if (span_is(name, "v1")) {
			if (ret->n == SIGNATURES_MAX ||
			    !sign_unhex(value, ret->macs[ret->n], SHA256_BYTES))
				return false;
			ret->n++;
		}
	}
	return ret->time.p && ret->n;
}

enum webhook_verdict spotilla_check_signature(struct span header, struct span body,
					      const struct span *secrets, size_t n, int64_t now_s)
{
	struct signature s;
	bool fits = false;
	if (!header.p || !read_signature(header, &s))
		return WEBHOOK_UNSIGNED;
	if (s.time_s < now_s - SPOTILLA_TOLERANCE_S || s.time_s > now_s + SPOTILLA_TOLERANCE_S)
		return WEBHOOK_LATE;
	const struct span parts[] = { s.time, SPAN_LIT("."), body };
	for (size_t i = 0; i < n; i++) {
		unsigned char mac[SHA256_BYTES];
		if (!secrets[i].n ||
		    !sign_hmac_sha256_parts(secrets[i], parts, ARRAY_SIZE(parts), mac))
			continue;
		for (size_t k = 0; k < s.n; k++)
			fits |= sign_equal(mac, s.macs[k], sizeof(mac));
	}
	return fits ? WEBHOOK_GOOD : WEBHOOK_FORGED;
}

/* ---- the event ----------------------------------------------------------------------------- */

static bool pointed(const char *pointer, const char *what, struct err *err)
{
	err_set(err, ERR_INPUT, "%s", what);
	err_pointer(err, "%s", pointer);
	return false;
}

bool spotilla_read_event(struct arena *arena, struct span body, struct spotilla_event *ret,
			 struct err *err)
{
	struct err inner = ERR_INIT;
	const struct json *j;
	if (!json_parse(arena, body, JSON_LIMITS_API, &j, &inner)) {
		err_set(err, inner.code == ERR_LIMIT ? ERR_LIMIT : ERR_INPUT, "%s", inner.message);
		return false;
	}
	const char *type = json_str(json_get(j, "type"));
	*ret = (struct spotilla_event) { .id = json_text(json_get(j, "id")),
					 .subdomain = json_str(json_get(j, "subdomain")) };
	if (!type)
		return pointed("/type", "the event has no type", err);
	if (!ret->id || !ret->id[0])
		return pointed("/id", "the event has no id", err);
	if (strcmp(type, spotilla_event_done) != 0)
		return true;
	ret->task_id = json_text(json_at(j, "data.task_id"));
	if (!ret->task_id || !ret->task_id[0] || strlen(ret->task_id) > TASK_ID_MAX)
		return pointed("/data/task_id", "the event names no task", err);
	return true;
}
