/*
 * sigpipe.h: a peer that goes away must be an error, not the end of the process. hiredis writes
 * with write(2) and without MSG_NOSIGNAL, and curl leaves the signal alone under CURLOPT_NOSIGNAL.
 */
#ifndef NET_SIGPIPE_H
#define NET_SIGPIPE_H

/* Process-wide, idempotent; a handler that somebody set stays. Before the first connection. */
void sigpipe_ignore(void);

#endif
