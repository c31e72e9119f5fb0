/*
 * reason.h: the closed, documented list of everything a transfer can stand still for (OP-05): a
 * code, who must act, and one sentence each in English, Finnish and Norwegian (bokmål) with
 * {subject} as its one parameter. Constant table.
 */
#ifndef MODEL_REASON_H
#define MODEL_REASON_H

#include "base/base.h"
#include "base/strbuf.h"

struct reason {
	const char *code; /* "customer_number_missing" */
	const char
		*actor; /* "source_user", "target_user", "admin", "vendor", "operator", "nobody" */
	const char *en, *fi, *nb;
};
/* Ends with a NULL code. */
extern const struct reason reasons[];
/* NULL when unknown. */
const struct reason *reason_find(const char *code);
/* The sentence in "en", "fi" or "nb" (else en) with the subject put in. */
void reason_sentence(const struct reason *r, const char *language, const char *subject,
		     struct strbuf *out);

#endif
