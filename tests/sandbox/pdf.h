/* pdf.h: a small real PDF of one page with a few lines of ASCII text. Pure. */
#ifndef SANDBOX_PDF_H
#define SANDBOX_PDF_H

#include "base/base.h"
#include "base/arena.h"

/* NULL lines are left out. False past the arena's cap. */
bool pdf_write(struct arena *arena, const char *const *lines, size_t n_lines,
	       struct span *ret) MUST_CHECK;

#endif
