/* utf8.h: checks and cuts of UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
 * Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/base.h"

bool utf8_is_valid(struct span s);
/* Characters (code points), -1 when invalid. */
ssize_t utf8_length(struct span s);
/* Bytes of the longest valid prefix of at most max_chars characters. */
size_t utf8_prefix(struct span s, size_t max_chars);
/* Next code point and its length in bytes, 0 at an invalid byte or the end. */
size_t utf8_next(struct span s, uint32_t *ret_cp);

#endif
