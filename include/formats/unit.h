/* unit.h: units of measure as people write them, and their codes of UN/ECE Recommendation 20 (with
 * Recommendation 21 behind an X). Pure. */
#ifndef FORMATS_UNIT_H
#define FORMATS_UNIT_H

#include "base/base.h"

#define UNIT_ONE "C62" /* no unit given: a plain number */
#define UNIT_OTHER "ZZ" /* mutually defined: the unit's own text must go along */

/* By name in Finnish, Norwegian, Swedish or English, or by the code itself, without case; UNIT_ONE
 * for none, UNIT_OTHER for one that is not known. */
const char *unit_code(const char *text);

#endif
