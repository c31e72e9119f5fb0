/*
 * preview.h: the answer of a dry run (REST: DryRunResult): what would be sent, first in the words
 * of the invoice, then as the target would get it, and what was noted on the way. One writer for
 * all flows.
 */
#ifndef MODEL_PREVIEW_H
#define MODEL_PREVIEW_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/invoice.h"

struct note {
	const char *code, *text;
};

struct preview {
	const char *media_type; /* of the document */
	struct span document; /* UTF-8, attachments left out */
	const struct invoice *invoice; /* mapped: product codes, VAT codes, dimensions, sums */
	const char *customer_code; /* at the target */
	const struct note *notes;
	size_t n_notes;
};

/* JSON in the arena; amounts are numbers with all their digits. ERR_LIMIT past 1 MiB. */
bool preview_write(struct arena *arena, const struct preview *p, const char **ret,
		   struct err *err) MUST_CHECK;

#endif
