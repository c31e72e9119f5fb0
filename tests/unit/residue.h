/*
 * residue.h: looks for a secret in all of this process's own memory: what was freed but not wiped
 * is found. The secret is random and made here, and known to the test only by a mask of it, so that
 * the search does not find the test itself.
 */
#ifndef TESTS_UNIT_RESIDUE_H
#define TESTS_UNIT_RESIDUE_H

#include "base/base.h"

#define RESIDUE_SECRET 33

/* Writes a new secret of letters to ret; its mask is kept. */
void residue_new(char ret[RESIDUE_SECRET]);
/* The secret again, for a while; the caller wipes it. */
void residue_write(char ret[RESIDUE_SECRET]);
/* How often it stands in memory that may be written; -1 when that cannot be read. */
int residue_count(void);

#endif
