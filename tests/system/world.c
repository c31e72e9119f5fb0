/*
 * world.c: the tables of a service that knows one flow, that of the register tests
 * (tests/unit/sync_world.h). Linked before the library, in place of service/registry.c.
 */
#include "base/base.h"

#include "registry.h"
#include "sync_world.h"

const struct system *const systems[] = { NULL };

const struct flow *const flows[] = { &world_flow, NULL };
