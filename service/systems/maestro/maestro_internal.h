/* maestro_internal.h: what the files of this folder share. */
#ifndef MAESTRO_INTERNAL_H
#define MAESTRO_INTERNAL_H

#include "base/base.h"
#include "codec/json.h"
#include "net/http.h"
#include "net/verdict.h"
#include "systems/maestro.h"

/* ---- assumptions.c: the interface that the vendor does not publish -------------------------- */

/* What one of Maestro's error codes means. */
struct maestro_code {
	const char *code;
	enum verdict verdict;
	const char *reason; /* NULL: none of its own */
};
extern const struct maestro_code maestro_codes[];
extern const size_t n_maestro_codes;

/* Where a field of the customer card stands in its JSON. */
struct maestro_member {
	const char *block; /* NULL: at the top */
	const char *name;
	bool is_number;
};
extern const struct maestro_member maestro_customer_members[MAESTRO_CUSTOMER_FIELDS];

/* Members of an invoice as it is listed. */
struct maestro_invoice_members {
	const char *id, *number, *date, *currency, *customer_number, *reference, *key, *sum;
};
extern const struct maestro_invoice_members maestro_invoice_members;

/* ---- auth.c -------------------------------------------------------------------------------- */

struct maestro_rq {
	const char *what, *method;
	const char *path; /* with query, from "/" on; NULL: the arena was full */
	struct span body;
	const char *content_type; /* NULL: JSON */
	const char *key; /* Idempotency-Key, NULL: none */
	bool is_write;
};
/* One exchange with the company's key. Verdict as err. */
bool maestro_do(struct maestro *mx, const struct maestro_rq *rq, struct http_reply *ret,
		struct err *err) MUST_CHECK;
/* As maestro_do, with the answer parsed; what cannot be read is an outage, or doubt of a write. */
bool maestro_json(struct maestro *mx, const struct maestro_rq *rq, struct http_reply *ret_reply,
		  const struct json **ret, struct err *err) MUST_CHECK;

/* ---- judge.c, pure ------------------------------------------------------------------------- */

bool maestro_judge(struct arena *arena, const struct maestro_rq *rq, const struct http_reply *reply,
		   struct err *err) MUST_CHECK;

/* ---- map.c, pure --------------------------------------------------------------------------- */

/* ERR_SYSTEM when it has no code. */
bool maestro_read_product(const struct json *j, struct maestro_product *ret,
			  struct err *err) MUST_CHECK;
bool maestro_write_customer(struct arena *arena, const struct maestro_customer *c, struct span *ret,
			    struct err *err) MUST_CHECK;
void maestro_read_customer(const struct json *j, struct maestro_customer *ret);
bool maestro_read_created(struct arena *arena, const struct json *j, struct maestro_created *ret,
			  struct err *err) MUST_CHECK;
bool maestro_read_listed(const struct json *j, struct maestro_listed *ret,
			 struct err *err) MUST_CHECK;

#endif
