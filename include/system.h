/*
 * system.h: an outside system as a constant table (STYLE §7). What the rest of the service must
 * know of one: the options that it brings to the configuration. Its calls stand in systems/<name>.h
 * and are for flows alone. A contract open to all folders.
 *
 * A new system is a folder with one `const struct system` and one line in registry.c: its options
 * are read, checked, printed and documented with the others, and the hosts of its URL options may
 * be called.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "base/base.h"
#include "config/option.h"

#define SYSTEM_MAX 16

struct system {
	/* "severa": member of credentials and settings, first part of its limit keys. */
	const char *name;
	/* OPTION_SECTION first; offsets are in the system's own struct, of values_size bytes. */
	const struct option *options;
	size_t n_options, values_size;
};

/* What the configuration says of every system. Constant after the start, read by any thread. */
struct system_values {
	const struct system *const *systems; /* NULL-terminated */
	const void *of[SYSTEM_MAX]; /* the systems' own structs, in the same order */
};

/* The system's own struct of options; the system must be one of the table's. */
static inline const void *system_values_of(const struct system_values *v, const struct system *s)
{
	size_t i = 0;
	while (v->systems[i] && v->systems[i] != s)
		i++;
	assert(v->systems[i]);
	return v->of[i];
}

#endif
