/*
 * procountor_vendor.h: Procountor in memory, for unit tests: answers from a table, and notes what
 * it was asked. Fails the test on what no client may do: a secret in an address, a GET with a body.
 */
#ifndef TESTS_UNIT_PROCOUNTOR_VENDOR_H
#define TESTS_UNIT_PROCOUNTOR_VENDOR_H

#include "base/base.h"
#include "flows/fake.h"
#include "systems/procountor.h"

#define VENDOR_KEYS "{\"api_key\":\"k&=\xc3\xa4\"}"

/* What the vendor answers, and what it was asked. */
struct vendor_answer {
	const char *match; /* in "GET http://..."; NULL: any */
	int status; /* 0: 200 */
	const char *body, *type;
	bool once;
};
struct vendor {
	const struct vendor_answer *answers; /* ended by one without a body */
	int login_status;
	const char *login_body, *login_type;
	int64_t retry_after_ms;
	unsigned used; /* of those that count once */
	int calls, logins;
	const char *asked[64]; /* "GET /x": newest last */
	const char *header; /* "name: value" beside the usual ones, of the last call */
	const char *type; /* Content-Type of the last call; NULL: none */
	struct span body, login;
};

/* f is zeroed by it; all lives in the arena. */
void vendor_open(struct vendor *v, struct fake *f, struct arena *arena, struct procountor *p);

#endif
