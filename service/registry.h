/* registry.h: every outside system and every flow there is; main passes the tables down. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "flow.h"
#include "system.h"

/* NULL-terminated, both. Their order is that of the configuration reference. */
extern const struct system *const systems[];
extern const struct flow *const flows[];

#endif
