/* router.h: finds the row of the route table for a request's target. Pure. */
#ifndef SERVICE_HTTP_ROUTER_H
#define SERVICE_HTTP_ROUTER_H

#include "base/base.h"
#include "request.h"

enum router_verdict { ROUTER_FOUND, ROUTER_UNKNOWN, ROUTER_METHOD, ROUTER_MALFORMED };
bool http_method_parse(const char *text, enum http_method *ret) MUST_CHECK;
const char *http_method_name(enum http_method m);
/*
 * path: without query, as sent. args: decoded values in the arena. METHOD: the path exists with
 * others; *ret_allow lists them.
 */
enum router_verdict router_match(const struct route *table, size_t n, struct arena *arena,
				 bool has_method, enum http_method method, struct span path,
				 const struct route **ret, const char *args[REQUEST_MAX_ARGS],
				 const char **ret_allow);
/* Percent-decoding; plus: '+' is a blank. NULL when malformed, with NUL or invalid UTF-8, or past
 * the arena's cap. */
const char *url_decode(struct arena *arena, struct span s, bool plus);

#endif
