/* live.h: the flow, and the reads of a system, against a running viesti-sandbox. */
#ifndef FLOWS_LIVE_H
#define FLOWS_LIVE_H

#include "base/base.h"
#include "fake.h"

struct live {
	struct http_client *client;
	struct arena *arena;
};
/* An attempt over the real HTTP client, with the settings and credentials of the tenant. */
bool live_open(struct live *l, struct fake *f, const char *url, const char *tenant) MUST_CHECK;
void live_close(struct live *l);

/* Check, poll, then every invoice found. Prints a line each. */
int live_main(const char *url, const char *tenant);
/* registers.c: every register of Severa's, as the client reads it, as one JSON object. */
int registers_main(const char *url, const char *tenant);

#endif
