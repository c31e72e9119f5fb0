/*
 * maventa_vendor.h: Maventa in memory, for unit tests: logins that work unless said otherwise, one
 * answer to all else, or to what asks for a path, and what the last call bore.
 */
#ifndef TESTS_UNIT_MAVENTA_VENDOR_H
#define TESTS_UNIT_MAVENTA_VENDOR_H

#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/fake.h"
#include "systems/maventa.h"

#define COMPANY "11111111-1111-4111-8111-111111111111"
#define UUID "7b0c2f0e-2f55-4d2b-9c39-6a1f6d1f5a01"

/* What the vendor answers, and what it was asked. */
struct maventa_vendor {
	int status; /* of everything but the login; 0: 200 */
	const char *body, *type;
	int64_t retry_after_ms;
	int login_status; /* 0: a token */
	const char *login_body;
	const char *wsdl; /* answered below /wsdl */
	const char *other_path, *other_body; /* answered where the path holds it */
	int other_status; /* 0: 200 */
	enum err_code cut; /* what the transport says; ERR_NONE: the line holds */
	int calls, logins;
	char last_url[512], action[200];
	struct span last_body;
};

/* f is zeroed by it; all lives in the arena. */
void open_maventa(struct fake *f, struct arena *arena, struct maventa_vendor *v,
		  struct maventa *mv);

#endif
