/*
 * call.h: reading a call and setting its reply. Everything returned lives in the call's arena.
 */
#ifndef SANDBOX_CALL_H
#define SANDBOX_CALL_H

#include "sandbox.h"

#define CALL_MAGIC 0x5b0c4a11u

/* From the target of the request line; NULL when out of memory. */
struct call *call_new(struct sandbox *sb, const char *target);
void call_free(struct call *c);

/* Splits path and query, once the whole request is here. False when the target is malformed. */
bool call_split(struct call *c) MUST_CHECK;

/* Percent-decoded copy; '+' is a blank in a query only. NULL when malformed or holding a NUL. */
const char *call_decode(struct arena *arena, struct span s, bool plus_is_blank);
/* Value of a request header, NULL when absent. */
const char *call_header(const struct call *c, const char *name);
/* The token of "Authorization: Bearer <token>"; NULL: there is none. */
const char *call_bearer(const struct call *c);
/* First value of a query parameter by name without case, NULL when absent. */
const char *call_param(const struct call *c, const char *name);
bool call_param_is(const struct call *c, const char *name, const char *value);
/* Value `fallback` when absent; false when it is not a whole number of at most 9 digits. */
bool call_param_int(const struct call *c, const char *name, int64_t fallback,
		    int64_t *ret) MUST_CHECK;
bool call_is(const struct call *c, const char *method);
/* Has the path this form ("v1/invoices/{}")? {} is any one segment, the last of which is *ret_id;
 * untouched without one. */
bool call_matches(const struct call *c, const char *pattern, const char **ret_id);
/*
 * The row for the call, of n rows of `size` bytes that begin with `const char *method, *pattern`;
 * NULL when there is none: *ret_status is then 404, or 405 where the path has other methods.
 */
const void *call_find_route(const struct call *c, const void *rows, size_t n, size_t size,
			    const char **ret_id, unsigned *ret_status);

/* A buffer for a reply's body. */
struct strbuf call_strbuf(struct call *c);
void reply_header(struct call *c, const char *name, const char *value);
/* `text` is constant or in the arena. */
void reply_text(struct call *c, unsigned status, const char *content_type, const char *text);
void reply_bytes(struct call *c, unsigned status, const char *content_type, struct span body);
/* Takes what the writer built; 500 when it did not fit. */
void reply_json(struct call *c, unsigned status, struct strbuf *sb);
void reply_empty(struct call *c, unsigned status);

/* Control API: {"error": "..."}; printf-style. */
void control_error(struct call *c, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The body as a JSON object, or an empty object when there is no body; NULL with 400 set. */
const struct json *control_body(struct call *c);
/* Numbers of a control request; fallback when absent or not a number in 0..max. */
int64_t control_int(const struct json *body, const char *key, int64_t fallback, int64_t max);
/* A number in 0..1 in parts of a million. */
int64_t control_ppm(const struct json *body, const char *key, int64_t fallback);

#endif
