/*
 * server.h: the HTTP side (libmicrohttpd): takes calls, asks which faults apply, hands them to the
 * stand-ins or the control API, and sends or spoils the answer.
 */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include "sandbox.h"

struct server;

/* Listens; sb->port is then the port. sb->timers, faults, requests and world are in place. */
bool server_start(struct sandbox *sb, struct server **ret, struct err *err) MUST_CHECK;
/* After timers_stop(). Accepts NULL. */
void server_stop(struct server *server);

#endif
