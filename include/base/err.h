/*
 * err.h: how a failure travels: a function answers false and fills one struct err, its last
 * parameter, untouched on success.
 *
 * The code says what the caller may do; `reason` names the case for people (model/reason.h, a
 * closed documented list); message is for the log and the timeline; target_text is the outside
 * system's own words, unchanged. No allocation.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/base.h"

enum err_code {
	ERR_NONE,
	ERR_INPUT, /* our API's caller sent something wrong: 4xx, nothing was done */
	ERR_NOT_FOUND, /* the thing asked for does not exist (ours or at the vendor) */
	ERR_CONFLICT, /* state or version differs from what the caller assumed */
	ERR_LIMIT, /* a cap of ours was hit: size, depth, arena, queue */
	ERR_MEMORY, /* out of memory */
	ERR_DATA, /* document or register data must be mended by a person: needs_data */
	ERR_DUPLICATE, /* the target says that it has this already; look before believing */
	ERR_CREDENTIALS, /* login, key or right refused: the connection pauses */
	ERR_QUOTA, /* asked to slow down; retry_after_ms says when, nothing was done */
	ERR_OUTAGE, /* not reachable or temporarily out of order; nothing was done */
	ERR_DOUBT, /* a write may or may not have happened: look, never resend blindly */
	ERR_LEASE, /* the job is not ours any more: stop at once, store nothing */
	ERR_BUSY, /* a slot or lease is taken: hand the job back, no try is burned; retry_after_ms
		   */
	ERR_WAITING, /* a precondition is missing that we retest ourselves: state waiting */
	ERR_SYSTEM, /* ours or theirs is broken in a way that waiting does not mend: system_fault */
};

struct err {
	enum err_code code;
	int upstream_status; /* HTTP status of the vendor's answer, 0 when there was none */
	int64_t retry_after_ms; /* -1 when unknown */
	const char *reason; /* static string from the reason list, or NULL */
	char subject[160]; /* what it is about ("row 3", "customer 1001"), a parameter of the
			      reason's sentence */
	char pointer[160]; /* JSON Pointer or field name of the offending input, may be empty */
	char message[512]; /* English, for log and timeline */
	char target_text[1024]; /* the outside system's own words, unchanged; may be empty */
};

#define ERR_INIT                                       \
	{                                              \
		.code = ERR_NONE, .retry_after_ms = -1 \
	}

/* Lower-case name of a code: "data", "outage" ... */
const char *err_code_name(enum err_code code);

/* Sets code and message, resets the other fields; always returns false. err may be NULL (caller
 * does not care). */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As err_set, with the named reason and its subject (may be NULL). */
bool err_reason(struct err *err, enum err_code code, const char *reason, const char *subject,
		const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Puts "context: " before the message, keeps all else; returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Adds errno's text (thread-safe) behind the message. */
bool err_errno(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* Copies valid-UTF-8-cleaned bytes into target_text, cut at the field's size on a character border.
 */
void err_target_text(struct err *err, struct span text);
/* Puts the pointer; printf-style. */
void err_pointer(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
