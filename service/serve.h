/* serve.h: the commands that need the whole service: serve and check. */
#ifndef SERVE_H
#define SERVE_H

#include "base/base.h"
#include "config/config.h"

/* Both answer the process's exit status. */
int serve(const struct config *cfg);
/* What `serve` would find at start: settings, key, Redis; prints it. */
int serve_check(const struct config *cfg);
/* Asks a running service: GET /healthz on the configured port. */
int serve_healthcheck(const struct config *cfg);
/* Makes an API token and prints it: token create NAME ROLE. */
int serve_token(const struct config *cfg, const char *name, const char *role);

#endif
