/*
 * mail.h: one plain-text mail by SMTP (libcurl; RFC 5321, 5322). A blocking call with a deadline,
 * for a thread that has nothing else to do: never on a transfer's way.
 *
 * Texts are UTF-8; line breaks in a header's text, or an address that is none, are refused, so that
 * nothing can be slipped into the envelope or the head.
 */
#ifndef NET_MAIL_H
#define NET_MAIL_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"

enum mail_tls { MAIL_STARTTLS, MAIL_TLS, MAIL_PLAIN }; /* as VIESTI_SMTP_TLS lists them */

struct mail_server {
	const char
		*hosts; /* "host:port,host:port", tried in order; port 587 (TLS: 465) when absent */
	enum mail_tls tls; /* STARTTLS is required, not merely tried */
	const char *user; /* "": no login */
	const struct secret *password;
	const char *from; /* address */
	const struct secret *ca; /* PEM; not set: the system's */
	int64_t timeout_ms; /* whole dialogue, per host */
};

struct mail {
	const char *to; /* one address */
	const char *subject, *text;
	const char *id; /* left part of the Message-ID: the same mail again has the same one */
};

/* Accepted by the server, or: ERR_OUTAGE (later), ERR_CREDENTIALS (login refused), ERR_DATA (this
 * mail or address was refused for good). The
 * server's own words are in the message. */
bool mail_send(const struct mail_server *server, struct arena *arena, const struct mail *m,
	       struct err *err) MUST_CHECK;
/* local@domain, ASCII, at most 254 bytes, without blanks, brackets, quotes or control characters.
 */
bool mail_is_address(struct span text);

#endif
