/*
 * verdict.h: the only judge of what an answer means (STYLE §4). A system overrides only its quirks,
 * by handing in the verdict it read from the body; status classes and Retry-After are decided here
 * and nowhere else. Pure.
 */
#ifndef NET_VERDICT_H
#define NET_VERDICT_H

#include "base/base.h"
#include "base/err.h"
#include "codec/json.h"
#include "net/http.h"

enum verdict {
	VERDICT_OK,
	VERDICT_DUPLICATE, /* ERR_DUPLICATE */
	VERDICT_NOT_FOUND, /* ERR_NOT_FOUND */
	VERDICT_BAD_DATA, /* ERR_DATA */
	VERDICT_CREDENTIALS, /* ERR_CREDENTIALS */
	VERDICT_QUOTA, /* ERR_QUOTA */
	VERDICT_OUTAGE, /* ERR_OUTAGE: nothing was done */
	VERDICT_DOUBT, /* ERR_DOUBT: a write may have been done */
	VERDICT_FAULT, /* ERR_SYSTEM: an answer that no document of the vendor explains */
};

/*
 * By status alone. 2xx OK; 404 NOT_FOUND; 400, 409, 413, 415, 422 BAD_DATA; 401, 403 CREDENTIALS;
 * 429 QUOTA; 5xx and 408 DOUBT for a write (it may have been done before the fall), OUTAGE for a
 * read; 503 with Retry-After OUTAGE; the rest FAULT.
 */
enum verdict verdict_of_status(const struct http_reply *reply, bool is_write);

/*
 * Turns a verdict into an error: code, upstream_status, retry_after_ms, target_text (vendor_words
 * unchanged) and a message that starts with `what`. True only for VERDICT_OK.
 */
bool verdict_to_err(enum verdict v, const struct http_reply *reply, struct span vendor_words,
		    const char *what, struct err *err);
/* The body of a good answer as JSON, in the arena. One that is none leaves a write in doubt, and is
 * an outage of a read. */
bool verdict_json(struct arena *arena, const struct http_reply *reply, bool is_write,
		  const char *what, const struct json **ret, struct err *err) MUST_CHECK;
const char *verdict_name(enum verdict v);

#endif
