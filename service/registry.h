/* registry.h: every flow there is; main passes the table down. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "flow.h"

/* NULL-terminated. */
extern const struct flow *const flows[];

#endif
