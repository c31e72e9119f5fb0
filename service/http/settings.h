/* settings.h: holds a JSON object against a table of settings (flow.h). Pure but for the arena. */
#ifndef SERVICE_HTTP_SETTINGS_H
#define SERVICE_HTTP_SETTINGS_H

#include "base/base.h"
#include "flow.h"

struct setting_table {
	const struct setting *rows;
	size_t n;
	const char *pointer; /* of the object: "/settings", "" */
};
/* ERR_INPUT with pointer for a member that the table does not know, or of another type. */
bool settings_check(struct arena *arena, const struct setting_table *table, const struct json *j,
		    struct err *err) MUST_CHECK;
/* ERR_INPUT with pointer for one that is needed and is not there. */
bool settings_complete(const struct setting_table *table, const struct json *j,
		       struct err *err) MUST_CHECK;

#endif
