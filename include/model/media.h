/*
 * media.h: what kind of file an attachment is, for targets that take only some. Pure.
 */
#ifndef MODEL_MEDIA_H
#define MODEL_MEDIA_H

#include "base/base.h"
#include "base/arena.h"

/* Readers of PDF take the mark anywhere in the first kilobyte. */
bool media_is_pdf(struct span data);

/*
 * "application/pdf", "image/png" ...: by the bytes where they prove it, else as the source says
 * ("Text/CSV; charset=utf-8" is "text/csv"), else by the ending of the name. What says nothing, or
 * claims a PDF that is none, is "application/octet-stream". told and name may be NULL. NULL when
 * the arena is full.
 */
const char *media_type_of(struct arena *arena, const char *told, const char *name,
			  struct span data);

#endif
