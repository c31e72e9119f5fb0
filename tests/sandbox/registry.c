/*
 * registry.c: the stand-ins that there are. A new outside system is its own files and one line
 * here.
 */
#include "base/base.h"

#include "sandbox.h"

const struct standin *const standins[] = {
	&severa_standin,   &netvisor_standin,	&maventa_standin, &maestro_standin,
	&spotilla_standin, &procountor_standin, &talenom_standin,
};
const unsigned n_standins = ARRAY_SIZE(standins);
