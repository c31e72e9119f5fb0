/*
 * verdict.c: what an answer means, by the table in verdict.h, and how that travels as an error.
 * Pure: no clock, no I/O. Knows no vendor.
 */
#include "base/base.h"
#include "net/verdict.h"

static const struct {
	const char *name;
	enum err_code code;
	const char *words; /* for people, when the vendor has none */
} verdicts[] = {
	[VERDICT_OK] = { "ok", ERR_NONE, "done" },
	[VERDICT_DUPLICATE] = { "duplicate", ERR_DUPLICATE, "there already" },
	[VERDICT_NOT_FOUND] = { "not_found", ERR_NOT_FOUND, "not found" },
	[VERDICT_BAD_DATA] = { "bad_data", ERR_DATA, "refused" },
	[VERDICT_CREDENTIALS] = { "credentials", ERR_CREDENTIALS, "login or right refused" },
	[VERDICT_QUOTA] = { "quota", ERR_QUOTA, "asked to slow down" },
	[VERDICT_OUTAGE] = { "outage", ERR_OUTAGE, "out of order" },
	[VERDICT_DOUBT] = { "doubt", ERR_DOUBT, "failed on the way; it may have been done" },
	[VERDICT_FAULT] = { "fault", ERR_SYSTEM, "an answer that nothing explains" },
};

enum verdict verdict_of_status(const struct http_reply *reply, bool is_write)
{
	int status = reply->status;
	if (status >= 200 && status < 300)
		return VERDICT_OK;
	if (status == 503 && reply->retry_after_ms >= 0)
		return VERDICT_OUTAGE; /* turned away at the door */
	if ((status >= 500 && status < 600) || status == 408)
		return is_write ? VERDICT_DOUBT : VERDICT_OUTAGE;
	switch (status) {
	case 400:
	case 409:
	case 413:
	case 415:
	case 422:
		return VERDICT_BAD_DATA;
	case 401:
	case 403:
		return VERDICT_CREDENTIALS;
	case 404:
		return VERDICT_NOT_FOUND;
	case 429:
		return VERDICT_QUOTA;
	default:
		return VERDICT_FAULT;
	}
}

bool verdict_to_err(enum verdict v, const struct http_reply *reply, struct span vendor_words,
		    const char *what, struct err *err)
{
	if (v == VERDICT_OK)
		return true;
	err_set(err, verdicts[v].code, "%s: HTTP %d: %s", what, reply->status, verdicts[v].words);
	if (!err)
		return false;
	err->upstream_status = reply->status;
	err->retry_after_ms = reply->retry_after_ms;
	err_target_text(err, vendor_words);
	return false;
}

bool verdict_json(struct arena *arena, const struct http_reply *reply, bool is_write,
		  const char *what, const struct json **ret, struct err *err)
{
	if (json_parse(arena, reply->body, JSON_LIMITS_VENDOR, ret, NULL))
		return true;
	return verdict_to_err(is_write ? VERDICT_DOUBT : VERDICT_OUTAGE, reply, reply->body, what,
			      err);
}

const char *verdict_name(enum verdict v)
{
	return verdicts[v].name;
}
