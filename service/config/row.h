/*
 * row.h: every option in one list: the service's own (options.def), then each system's (system.h).
 * Private to config/.
 */
#ifndef SERVICE_CONFIG_ROW_H
#define SERVICE_CONFIG_ROW_H

#include "config/config.h"

struct row {
	const struct option *opt;
	size_t owner; /* 0: struct config, else 1 + position of the system */
};

struct row_list {
	struct row of[CONFIG_MAX_ROWS]; /* the first CONFIG_N_ROWS as enum config_row */
	size_t n;
};

void rows_list(const struct system *const *systems, struct row_list *ret);
/* Where the row's value lies. */
void *row_member(struct config *cfg, const struct row *row);
const void *row_value(const struct config *cfg, const struct row *row);

#endif
