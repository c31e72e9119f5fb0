/* registry.c: every outside system and every flow there is. A new one is a new folder and one line
 * here. */
#include "base/base.h"

#include "registry.h"

#include "flows/severa_maestro.h"
#include "flows/severa_maventa.h"
#include "flows/severa_netvisor.h"
#include "flows/severa_talenom.h"
#include "flows/spotilla_procountor.h"
#include "systems/maestro.h"
#include "systems/maventa.h"
#include "systems/netvisor.h"
#include "systems/procountor.h"
#include "systems/severa.h"
#include "systems/spotilla.h"
#include "systems/talenom.h"

const struct system *const systems[] = {
	&severa_system,	 &netvisor_system,   &maventa_system, &spotilla_system,
	&maestro_system, &procountor_system, &talenom_system, NULL,
};

const struct flow *const flows[] = {
	&severa_netvisor, &severa_maventa,	&severa_maestro,
	&severa_talenom,  &spotilla_procountor, NULL,
};
