/*
 * cases.h: flow cases. A case is a folder tests/flows/<flow>/<REQ-ID>-title with a case.json: what
 * the attempt is given, the exchanges in their order (request and reply), and what must come of it.
 * A request that differs in method, URL or body fails the case, and so does one too many or too
 * few.
 */
#ifndef FLOWS_CASES_H
#define FLOWS_CASES_H

/* Replays every case below the folder; prints "flows: N passed, M failed". Exit status. */
int cases_replay(const char *folder);
/* Reads a case without exchanges from stdin, runs it over the network, prints it with the exchanges
 * and the outcome. */
int cases_record(void);

#endif
