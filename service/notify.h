/* notify.h: tells the supervisor (systemd, or whoever set NOTIFY_SOCKET) how the process stands. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include "base/base.h"
#include "base/err.h"

/*
 * Sends `state` ("READY=1\nSTATUS=...") as sd_notify(3) does. Main thread. True as well when nobody
 * asked to be told; ERR_SYSTEM when the socket cannot be reached.
 */
bool notify_supervisor(const char *state, struct err *err) MUST_CHECK;

#endif
