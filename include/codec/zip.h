/*
 * zip.h: ZIP archives in memory (libzip underneath). Writing gives the same bytes each time: the
 * times in it are 1980-01-01. Thread-safe.
 */
#ifndef CODEC_ZIP_H
#define CODEC_ZIP_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"

struct zip_entry {
	const char *name; /* UTF-8 */
	struct span data;
};

/* In the given order. ERR_LIMIT past max_bytes or when the arena is full; ERR_DATA when a name
 * occurs twice. */
bool zip_write(struct arena *arena, const struct zip_entry *entries, size_t n, size_t max_bytes,
	       struct span *ret, struct err *err) MUST_CHECK;
/* Every file of an archive from outside. ERR_DATA when it is none or is damaged; ERR_LIMIT past
 * max_bytes unpacked or 1,000 files. */
bool zip_read(struct arena *arena, struct span archive, size_t max_bytes,
	      const struct zip_entry **ret, size_t *ret_n, struct err *err) MUST_CHECK;

#endif
