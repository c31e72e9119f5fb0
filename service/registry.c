/* registry.c: every flow there is. A new one is a new folder and one line here. */
#include "base/base.h"

#include "registry.h"

#include "flows/severa_netvisor.h"

const struct flow *const flows[] = {
	&severa_netvisor,
	NULL,
};
