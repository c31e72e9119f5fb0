/* forwarded.h: whose request it is, when reverse proxies stand between: for log and audit, never
 * for rights. */
#ifndef SERVICE_HTTP_FORWARDED_H
#define SERVICE_HTTP_FORWARDED_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"

#include <sys/socket.h>

#define ADDRESS_TEXT_MAX 46

/* Networks whose word about others is believed. */
struct trusted;
/* From the option's text ("10.0.0.0/8,::1", "" for none), which the settings have checked. */
bool trusted_new(const char *list, struct trusted **ret, struct err *err) MUST_CHECK;
void trusted_free(struct trusted *t); /* accepts NULL */

/*
 * The peer; or, when that is trusted, the rightmost address of the X-Forwarded-For chain ("client,
 * proxy, proxy") that is not. What stands left of it is the client's own claim. An entry that is no
 * address ends the walk at what was known by then.
 */
void forwarded_client(const struct trusted *t, const struct sockaddr *peer, struct span chain,
		      char ret[ADDRESS_TEXT_MAX]);

#endif
