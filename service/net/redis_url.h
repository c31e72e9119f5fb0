/*
 * redis_url.h: VIESTI_REDIS_URL taken apart. Pure.
 *
 *	redis://[user:password@]host[:port][/db]	rediss:// likewise, over TLS
 *	unix:///path[?db=n][&user=name][&password=text]
 *
 * The query fields are understood in every form, and user:password@ too.
 * User, password and path are percent-decoded; ":password@" without a user is the default user's. A
 * host may be an IPv6 address in brackets. What is not understood is refused, never ignored, and no
 * error message repeats the URL, since it may hold the password.
 */
#ifndef NET_REDIS_URL_H
#define NET_REDIS_URL_H

#include "base/base.h"
#include "base/err.h"
#include "base/secret.h"

struct redis_url {
	bool is_unix;
	bool is_tls;
	char host[256]; /* without brackets; empty for unix */
	char path[108]; /* unix socket, fits sun_path */
	int port;
	int db;
	char user[128]; /* empty: the default user */
	struct secret password; /* unset: no AUTH */
};

/* On success release with redis_url_release. */
bool redis_url_parse(const char *text, struct redis_url *ret, struct err *err) MUST_CHECK;
void redis_url_release(struct redis_url *url);

#endif
