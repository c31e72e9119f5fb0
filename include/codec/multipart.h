/*
 * multipart.h: a form with files (RFC 7578), as one piece of bytes. Pure: the boundary is derived
 * from the content, so that the same parts make the same bytes; it never stands in them.
 */
#ifndef CODEC_MULTIPART_H
#define CODEC_MULTIPART_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"

struct multipart_part {
	const char *name;
	struct span value;
	const char *filename; /* NULL: a plain field */
	const char *content_type; /* of a file; NULL: none said */
};

/* *ret_type is the value of the Content-Type header. ERR_LIMIT when the arena is full. */
bool multipart_write(struct arena *arena, const struct multipart_part *parts, size_t n,
		     struct span *ret_body, const char **ret_type, struct err *err) MUST_CHECK;

#endif
