/*
 * spotilla_vendor.h: Spotilla in memory, for unit tests: one answer to all, or to what asks for a
 * path first, and what the last call bore.
 */
#ifndef TESTS_UNIT_SPOTILLA_VENDOR_H
#define TESTS_UNIT_SPOTILLA_VENDOR_H

#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/fake.h"
#include "systems/spotilla.h"

#define SPOTILLA_KEYS "{\"token\":\"geheim\",\"user_id\":17,\"subdomain\":\"esimerkki\"}"

/* What Spotilla's own errors look like. */
#define REFUSAL(code, more) \
	"{\"error\":{\"code\":\"" code "\",\"message\":\"Not possible\"" more "}}"

/* What the vendor answers, and what it was asked. */
struct spotilla_vendor {
	int status; /* 0: 200 */
	const char *body, *type;
	int64_t retry_after_ms; /* 0: none */
	enum err_code cut; /* what the transport says; ERR_NONE: the line holds */
	const char *first_path, *first_body; /* answered 200 where the path holds it */
	int calls;
	char last[512]; /* "GET http://..." */
	char headers[1024]; /* "name: value\n" */
	struct span last_body;
	char seen[1024];
};

/* f is zeroed by it; all lives in the arena. ctx: a struct spotilla_vendor, or of whoever serves
 * instead (f->exchange). */
void open_spotilla(struct fake *f, struct arena *arena, const char *settings, void *ctx,
		   struct spotilla *sp);
/* status 0: 200, body NULL: {}, type NULL: JSON. */
void vendor_reply(struct http_reply *ret, int status, const char *body, const char *type);

#endif
