/*
 * base.h: what every .c file includes first: feature macros, the libc headers, a few attributes,
 * struct span, and the bans.
 *
 * Guarantees that a banned function does not compile. Does not declare any module of ours; include
 * those by name.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define MAYBE_UNUSED __attribute__((unused))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * CLEANUP(f) T *p = v: calls f_cleanup(&p) when p leaves scope. Declare with its value. Define the
 * pair with CLEANUP_FUNC(T, f), where f takes T * and accepts NULL.
 */
#define CLEANUP(func) __attribute__((cleanup(func##_cleanup)))
#define CLEANUP_FUNC(type, func)                                 \
	static inline MAYBE_UNUSED void func##_cleanup(type **p) \
	{                                                        \
		func(*p);                                        \
	}

/* Bytes from outside: no NUL at the end is promised, none inside is forbidden. */
struct span {
	const char *p;
	size_t n;
};

#define SPAN_LIT(s) ((struct span) { (s), sizeof(s) - 1 })

static inline struct span span_of(const char *s)
{
	return (struct span) { s, s ? strlen(s) : 0 };
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

/* NULL-safe equality of strings; two NULLs are equal. */
static inline bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* The bans: each has a safe replacement in base/ (strbuf, arena, alloc, clock, decimal, err). */
#define BANNED(f) f##_is_banned_see_base_h
#undef strcpy
#define strcpy(a, b) BANNED(strcpy)
#undef strcat
#define strcat(a, b) BANNED(strcat)
#undef strncpy
#define strncpy(a, b, n) BANNED(strncpy)
#undef strncat
#define strncat(a, b, n) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef strtok
#define strtok(a, b) BANNED(strtok)
#undef atoi
#define atoi(a) BANNED(atoi)
#undef atof
#define atof(a) BANNED(atof)
#undef strtod
#define strtod(a, b) BANNED(strtod)
#undef localtime
#define localtime(a) BANNED(localtime)
#undef gmtime
#define gmtime(a) BANNED(gmtime)
#undef strerror
#define strerror(a) BANNED(strerror)
#ifndef BASE_MAY_MALLOC
#undef malloc
#define malloc(n) BANNED(malloc)
#undef calloc
#define calloc(n, m) BANNED(calloc)
#undef realloc
#define realloc(p, n) BANNED(realloc)
#undef free
#define free(p) BANNED(free)
#undef strdup
#define strdup(p) BANNED(strdup)
#endif

#endif
