/*
 * form.h: the forms that clients send: multipart/form-data and urlencoded. Everything returned
 * lives in the arena that is handed in, or in the call's body.
 */
#ifndef SANDBOX_FORM_H
#define SANDBOX_FORM_H

#include "sandbox.h"

#define FORM_FIELDS_MAX 64

struct form_field {
	const char *name, *filename; /* filename NULL: a plain field */
	struct span value;
};
struct form {
	struct form_field fields[FORM_FIELDS_MAX];
	size_t n;
};
/* multipart/form-data. False: malformed. */
bool form_parse(struct call *c, struct form *ret) MUST_CHECK;
const struct form_field *form_field(const struct form *f, const char *name);
/* "" when absent. */
const char *form_text(struct arena *arena, const struct form *f, const char *name);
/* Value of a urlencoded form's field, NULL when absent. */
const char *form_value(struct arena *arena, struct span body, const char *name);

#endif
