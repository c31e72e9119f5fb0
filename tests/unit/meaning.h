/*
 * meaning.h: what an answer of a vendor means, to a read and to a write: rows of the tables of
 * error models.
 */
#ifndef TESTS_UNIT_MEANING_H
#define TESTS_UNIT_MEANING_H

#include "base/base.h"
#include "base/err.h"

struct meaning {
	int status;
	const char *type, *body; /* type NULL: the vendor's usual one */
	enum err_code read, write;
	const char *reason; /* NULL: none */
	const char *words; /* the vendor's own */
};

/* read and write: what the two said. with_reason: that of them which tells the reason. */
void assert_meaning(const struct meaning *want, const struct err *read, const struct err *write,
		    const struct err *with_reason);

#endif
